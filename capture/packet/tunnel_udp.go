package packet

// UDP ports of tunnels. Source: IANA, Service Name and Transport Protocol Port
// Number Registry; 8472 is what Linux used before VXLAN had a port.
const (
	portGTPU     = 2152
	portTeredo   = 3544
	portVXLAN    = 4789
	portVXLANGPE = 4790
	portGeneve   = 6081
	portVXLANOld = 8472
)

// carriesTunnel reports whether a datagram between two ports may carry another
// packet. Teredo's servers and some ends of GTP-U answer from their port to any;
// of the others the sender's says nothing.
func carriesTunnel(src, dst uint16) bool {
	switch dst {
	case portGTPU, portTeredo, portVXLAN, portVXLANGPE, portGeneve, portVXLANOld:
		return true
	}
	return src == portTeredo || src == portGTPU
}

// inUDP looks whether the payload of a datagram is a tunnel. A port alone says
// nothing: every reserved bit must be as its standard wants it, and what is
// carried must look like what the header says it is. Otherwise the datagram is
// one like any other.
func (p *Packet) inUDP() {
	b, wire := p.Payload, p.PayloadLength
	var t Tunnel
	size, ok := 0, false
	switch dst := p.DstPort; {
	case dst == portVXLAN, dst == portVXLANOld, dst == portVXLANGPE:
		t, size, ok = vxlan(b)
	case dst == portGeneve:
		t, size, ok = geneve(b)
	case dst == portGTPU, dst != portTeredo && p.SrcPort == portGTPU:
		t, size, ok = gtpu(b, wire)
	default:
		t, size, ok = teredo(b)
	}
	if ok && plausible(t.EtherType, b[size:], wire-size) {
		p.carry(t, b, wire, size)
	}
}

// vxlan reads a VXLAN header of any of its three forms: the plain one, that with
// a group policy, and the one that names the protocol it carries. Policies are
// also seen without the flag that announces them. Sources: RFC 7348, 5;
// draft-smith-vxlan-group-policy-05, 2.1; draft-ietf-nvo3-vxlan-gpe-13, 3.
func vxlan(b []byte) (t Tunnel, size int, ok bool) {
	const header = 8
	const policy, instance, next = 0x80, 0x08, 0x04 // of the first byte
	const dontLearn, policyApplied = 0x40, 0x08     // of the second
	if len(b) < header || b[7] != 0 {
		return t, 0, false
	}
	t = Tunnel{Kind: VXLAN, EtherType: etherFrame, ID: be32(b[4:]) >> 8, HasID: true}
	switch b[0] {
	case instance, instance | policy:
		ok = b[1]&^(dontLearn|policyApplied) == 0
	case instance | next:
		t.EtherType = gpeProtocol(b[3])
		ok = b[1] == 0 && b[2] == 0 && t.EtherType != 0
	}
	return t, header, ok
}

// gpeProtocol is the EtherType of a next protocol of VXLAN-GPE, 0 for others.
// Source: draft-ietf-nvo3-vxlan-gpe-13, 3.2.
func gpeProtocol(n byte) uint16 {
	switch n {
	case 1:
		return etherIPv4
	case 2:
		return etherIPv6
	case 3:
		return etherFrame
	case 4:
		return etherNSH
	case 5:
		return etherMPLS
	}
	return 0
}

// geneve reads a Geneve header, whose options are passed over. Source: RFC 8926,
// 3.4.
func geneve(b []byte) (t Tunnel, size int, ok bool) {
	const header = 8
	if len(b) < header || b[0]>>6 != 0 || b[1]&0x3f != 0 || b[7] != 0 {
		return t, 0, false
	}
	size = header + int(b[0])*4
	t = Tunnel{Kind: Geneve, EtherType: be16(b[2:]), ID: be32(b[4:]) >> 8, HasID: true}
	return t, size, len(b) >= size && t.EtherType >= minEtherType
}

// gtpu reads the header of a G-PDU, the one message of GTP-U that carries a
// packet, and the extension headers behind it. Source: 3GPP TS 29.281, 5.
func gtpu(b []byte, wire int) (t Tunnel, size int, ok bool) {
	const header, options = 8, 4
	const version, extended, optional = 0x30, 0x04, 0x07 // version 1 of GTP proper, a spare bit of 0
	const message = 255
	if len(b) < header || b[0]&^optional != version || b[1] != message || int(be16(b[2:])) != wire-header {
		return t, 0, false
	}
	size = header
	if b[0]&optional != 0 {
		size += options
		if len(b) < size {
			return t, 0, false
		}
		for next := b[size-1]; b[0]&extended != 0 && next != 0; next = b[size-1] {
			if len(b) == size || b[size] == 0 {
				return t, 0, false
			}
			if size += int(b[size]) * 4; len(b) < size {
				return t, 0, false
			}
		}
	}
	return Tunnel{Kind: GTPU, EtherType: ipVersion(b[size:]), ID: be32(b[4:])}, size, true
}

// teredo passes over the authentication and the origin that may stand in front
// of a Teredo packet, one end of which has an address of Teredo's or one of the
// link. Source: RFC 4380, 2.6 and 5.1.1.
func teredo(b []byte) (t Tunnel, size int, ok bool) {
	const origin, source, destination, header = 8, 8, 24, 40
	if len(b) >= 4 && be16(b) == 1 {
		// Lengths of the client id and of the authentication value, which follow
		// with a nonce of 8 bytes and one of confirmation.
		size = 4 + int(b[2]) + int(b[3]) + 9
	}
	if len(b) >= size+origin && be16(b[size:]) == 0 {
		size += origin
	}
	t = Tunnel{Kind: Teredo, EtherType: etherIPv6}
	return t, size, len(b) >= size+header && (ofTeredo(b[size+source:]) || ofTeredo(b[size+destination:]))
}

// ofTeredo reports whether an IPv6 address is in 2001::/32 or fe80::/10.
func ofTeredo(addr []byte) bool {
	return be32(addr) == 0x20010000 || be16(addr)&0xffc0 == 0xfe80
}

// plausible reports whether b, of wire bytes, may be what an EtherType says. It
// looks at what every such packet has, as far as it was captured.
func plausible(etherType uint16, b []byte, wire int) bool {
	switch etherType {
	case etherFrame:
		const source, etherType = 6, 12
		if len(b) < ethernetBytes {
			return wire >= ethernetBytes
		}
		t := be16(b[etherType:])
		return b[source]&1 == 0 && (t >= minEtherType || int(t) <= min(maxLength, wire-ethernetBytes))
	case etherIPv4:
		if len(b) < 4 || b[0]>>4 != 4 || b[0]&15 < 5 {
			return false
		}
		n := int(be16(b[2:]))
		return n == 0 || n >= 20 && n <= wire
	case etherIPv6:
		return len(b) >= 6 && b[0]>>4 == 6 && 40+int(be16(b[4:])) <= wire
	}
	return true
}
