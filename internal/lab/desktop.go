package lab

import "slices"

// SSH exchanges versions and key proposals, then packets that look encrypted.
// Source: RFC 4253, 4.2, 6 and 7.1.
func (c *Conn) SSH() {
	c.Server([]byte("SSH-2.0-OpenSSH_9.6\r\n"))
	c.Client([]byte("SSH-2.0-OpenSSH_9.6\r\n"))
	c.exchange(c.sshProposal(), c.sshProposal(), nil)
	c.exchange(c.net.opaque(48), c.net.opaque(260), nil)
	c.exchange(c.net.opaque(96), c.net.opaque(96), nil)
}

// sshProposal is SSH_MSG_KEXINIT in an unencrypted packet.
func (c *Conn) sshProposal() []byte {
	payload := slices.Concat([]byte{20}, c.net.opaque(16)) // cookie
	for _, list := range []string{"curve25519-sha256", "ssh-ed25519", "aes128-gcm@openssh.com", "aes128-gcm@openssh.com",
		"hmac-sha2-256", "hmac-sha2-256", "none", "none", "", ""} {
		payload = slices.Concat(payload, be32(len(list)), []byte(list))
	}
	payload = append(payload, 0, 0, 0, 0, 0) // no guess follows, reserved
	padding := 8 - (len(payload)+5)%8
	if padding < 4 {
		padding += 8
	}
	return slices.Concat(be32(len(payload)+padding+1), []byte{byte(padding)}, payload, make([]byte, padding))
}

// RDP negotiates TLS and begins it. Source: [MS-RDPBCGR] 2.2.1.1 and 2.2.1.2.
func (c *Conn) RDP(user string) *TLS {
	cookie := "Cookie: mstshash=" + user + "\r\n"
	ask := slices.Concat(be16(0), be16(0), []byte{0}, []byte(cookie), []byte{1, 0}, le16(8), le32(3)) // TLS or CredSSP
	reply := slices.Concat(be16(0), be16(0x1234), []byte{0}, []byte{2, 0}, le16(8), le32(2))          // CredSSP
	c.exchange(tpkt(cotp(0xe0, ask)), tpkt(cotp(0xd0, reply)), nil)
	return c.TLS13("desktop")
}

// VNC goes as far as an accepted password: version, security type 2 (challenge
// and response), result, start. Source: RFC 6143, 7.1 and 7.2.2.
func (c *Conn) VNC() {
	c.Server([]byte("RFB 003.008\n"))
	c.Client([]byte("RFB 003.008\n"))
	c.Server([]byte{1, 2})
	c.exchange([]byte{2}, c.net.opaque(16), nil)
	c.exchange(c.net.opaque(16), be32(0), nil)
	name := "panel"
	format := []byte{32, 24, 0, 1, 0, 255, 0, 255, 0, 255, 16, 8, 0, 0, 0, 0}
	c.exchange([]byte{1}, slices.Concat(be16(800), be16(600), format, be32(len(name)), []byte(name)), nil)
}

// SMB negotiates a dialect, 0x0311 for SMB 3.1.1 or 0x0210 for SMB 2.1. Source:
// [MS-SMB2] 2.2.1, 2.2.3 and 2.2.4.
func (c *Conn) SMB(dialect int) {
	request := slices.Concat(le16(36), le16(1), le16(1), le16(0), le32(0), c.net.opaque(16), le64(0), le16(dialect))
	reply := slices.Concat(le16(65), le16(1), le16(dialect), le16(0), c.net.opaque(16), le32(0), le32(65536), le32(65536), le32(65536),
		le64(133000000000000000), le64(0), le16(128), le16(0), le32(0))
	c.exchange(smbFrame(0, request), smbFrame(1, reply), nil)
}

// smbFrame puts the NetBIOS length and the SMB2 header of NEGOTIATE in front.
func smbFrame(flags int, body []byte) []byte {
	header := slices.Concat([]byte{0xfe, 'S', 'M', 'B'}, le16(64), le16(0), le32(0), le16(0), le16(1), le32(flags), le32(0),
		le64(0), le32(0), le32(0), le64(0), make([]byte, 16))
	return slices.Concat(be32(len(header)+len(body)), header, body)
}
