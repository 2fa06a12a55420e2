package protocol

import (
	"encoding/binary"

	"bulkhead/capture"
)

// SMB is Server Message Block, all versions, over TCP with or without NetBIOS
// sessions. The dialect that the server chooses is read, and how what follows is
// protected.
//
// Source: [MS-SMB] and [MS-CIFS] 2.2.3.1 and 2.2.4.52.2; [MS-SMB2] 2.1, 2.2.1,
// 2.2.4 and 2.2.41; RFC 1002, 4.3 (session service).
var SMB = &Protocol{
	Name:      capture.SMB,
	Over:      []capture.Transport{capture.TCP},
	Recognise: recogniseSMB,
	New:       func() Decoder { return new(smbDecoder) },
}

const (
	nbssHeader  = 4
	nbssMessage = 0x00
	nbssRequest = 0x81
	nbssLast    = 0x85

	// smbFront is as much of a message as is read, in bytes behind the session
	// header.
	smbFront = 72
)

func recogniseSMB(b []byte) Match {
	if len(b) == 0 {
		return Match{Score: More}
	}
	if b[0] == nbssRequest {
		switch {
		case len(b) < 5:
			return Match{Score: More}
		case b[1] == 0 && b[2] == 0 && b[3] == 68 && b[4] == 32: // two names of 34 bytes each
			return Match{Score: Sure, Role: Client}
		}
		return Match{}
	}
	if b[0] != nbssMessage {
		return Match{}
	}
	if len(b) < nbssHeader+24 {
		if len(b) < nbssHeader+4 || smbID(b[nbssHeader:]) != 0 {
			return Match{Score: More}
		}
		return Match{}
	}
	size := int(b[1])<<16 | int(binary.BigEndian.Uint16(b[2:]))
	m := b[nbssHeader:]
	switch id := smbID(m); {
	case id == 0xff && size >= 35:
		return Match{Score: Sure, Role: smbRole(m[9]&0x80 != 0)}
	case id == 0xfe && size >= 64:
		return Match{Score: Sure, Role: smbRole(m[16]&1 != 0)}
	case id == 0xfd && size >= 52:
		return Match{Score: Sure}
	}
	return Match{}
}

// smbID returns the first byte of a protocol identifier, or 0 if b has none.
func smbID(b []byte) byte {
	if len(b) >= 4 && b[0] >= 0xfc && string(b[1:4]) == "SMB" {
		return b[0]
	}
	return 0
}

func smbRole(reply bool) Role {
	if reply {
		return Server
	}
	return Client
}

type smbDecoder struct {
	skip [2]uint64 // bytes to come of a message whose front was read
}

// Decode implements [Decoder].
func (d *smbDecoder) Decode(x *Exchange, from capture.Side, b []byte) int {
	if x.Gap(from) {
		d.skip[from] = 0
	}
	n := int(min(d.skip[from], uint64(len(b))))
	d.skip[from] -= uint64(n)
	for len(b)-n >= nbssHeader {
		h := b[n:]
		size := int(h[1])<<16 | int(binary.BigEndian.Uint16(h[2:]))
		if h[0] != nbssMessage && (h[0] < nbssRequest || h[0] > nbssLast) {
			x.Undecoded()
			return len(b)
		}
		front := nbssHeader + min(size, smbFront)
		if len(h) < front {
			return n
		}
		if h[0] == nbssMessage && !d.message(x, h[nbssHeader:front]) {
			x.Undecoded()
			return len(b)
		}
		took := min(nbssHeader+size, len(h))
		d.skip[from] = uint64(nbssHeader + size - took)
		n += took
	}
	return n
}

// message reads the front of a message and reports whether it is one. Negotiation
// and log-in are always in clear; protection is judged by the requests after
// them.
func (d *smbDecoder) message(x *Exchange, m []byte) bool {
	switch smbID(m) {
	case 0xff:
		return smb1(x, m)
	case 0xfe:
		return smb2(x, m)
	case 0xfd:
		x.Protect(Encrypted)
	case 0xfc: // compressed: not looked into
	default:
		return false
	}
	return true
}

func smb1(x *Exchange, m []byte) bool {
	const negotiate, sessionSetup, echo, signed = 0x72, 0x73, 0x2b, 0x0004
	if len(m) < 35 {
		return false
	}
	command, reply := m[4], m[9]&0x80 != 0
	switch {
	case command == negotiate && reply:
		if binary.LittleEndian.Uint16(m[33:]) == 0xffff && m[32] > 0 {
			return true // none of those offered
		}
		// The number of parameter words tells the family of dialects.
		switch m[32] {
		case 17:
			x.SMB("NT LM 0.12")
		case 13:
			x.SMB("LANMAN")
		case 1:
			x.SMB("PC NETWORK PROGRAM 1.0")
		}
	case reply, command == negotiate, command == sessionSetup, command == echo:
	case binary.LittleEndian.Uint16(m[10:])&signed != 0 && binary.LittleEndian.Uint64(m[14:]) != 0:
		x.Protect(Integrity) // the flag alone offers a signature; the field has it
	default:
		x.Protect(Clear)
	}
	return true
}

func smb2(x *Exchange, m []byte) bool {
	const negotiate, logoff, cancel, echo, signed = 0, 2, 12, 13, 0x08
	if len(m) < 64 {
		return false
	}
	command, reply := binary.LittleEndian.Uint16(m[12:]), m[16]&1 != 0
	switch {
	case command == negotiate && reply:
		if binary.LittleEndian.Uint32(m[8:]) != 0 || len(m) < 70 {
			return true
		}
		switch binary.LittleEndian.Uint16(m[68:]) {
		case 0x0202:
			x.SMB("SMB 2.0.2")
		case 0x0210:
			x.SMB("SMB 2.1")
		case 0x0300:
			x.SMB("SMB 3.0")
		case 0x0302:
			x.SMB("SMB 3.0.2")
		case 0x0311:
			x.SMB("SMB 3.1.1")
		}
	case reply, command <= logoff, command == cancel, command == echo:
	case m[16]&signed != 0:
		x.Protect(Integrity)
	default:
		x.Protect(Clear)
	}
	return true
}
