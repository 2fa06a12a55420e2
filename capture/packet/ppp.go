package packet

// PPP protocol numbers. Source: IANA, Point-to-Point (PPP) Protocol Field
// Assignments.
const (
	pppIPv4          = 0x0021
	pppIPv6          = 0x0057
	pppMPLS          = 0x0281
	pppMPLSMulticast = 0x0283
)

// hdlc reads a frame of a serial line: PPP with or without its address and
// control bytes, or Cisco's framing, which has other addresses.
// Source: tcpdump.org, LINKTYPE_PPP and LINKTYPE_PPP_HDLC.
func (p *Packet) hdlc(b []byte, wire int) Outcome {
	const unicast, multicast = 0x0f, 0x8f
	if len(b) > 0 && (b[0] == unicast || b[0] == multicast) {
		return p.ciscoHDLC(b, wire)
	}
	return p.ppp(b, wire)
}

// ciscoHDLC reads Cisco's framing of serial lines: address, control, EtherType.
// Source: RFC 1547, 4.3.1.
func (p *Packet) ciscoHDLC(b []byte, wire int) Outcome {
	const header = 4
	if len(b) < header {
		return p.short(wire, header, "cisco hdlc header")
	}
	return p.etherType(be16(b[2:]), b[header:], wire-header)
}

// ppp reads a PPP frame. The address and control bytes of HDLC-like framing may
// be missing, and a protocol number below 256 may be one byte long.
// Source: RFC 1661, 2 and 6.5; RFC 1662, 3.1.
func (p *Packet) ppp(b []byte, wire int) Outcome {
	const address, control = 0xff, 0x03
	if len(b) >= 2 && b[0] == address && b[1] == control {
		b, wire = b[2:], wire-2
	}
	if len(b) < 1 {
		return p.short(wire, 1, "ppp header")
	}
	size := 2
	if b[0]&1 != 0 && b[0] != address {
		size = 1
	}
	if len(b) < size {
		return p.short(wire, size, "ppp header")
	}
	protocol := uint16(b[0])
	if size == 2 {
		protocol = be16(b)
	}
	b, wire = b[size:], wire-size
	switch protocol {
	case pppIPv4:
		return p.ipv4(b, wire)
	case pppIPv6:
		return p.ipv6(b, wire)
	case pppMPLS, pppMPLSMulticast:
		return p.mpls(b, wire)
	}
	p.payload(b, wire)
	p.Detail = pppProtocols()[protocol]
	return OtherL2
}

// pppoe reads a PPPoE header, behind which a session's frames carry PPP.
// Source: RFC 2516, 4.
func (p *Packet) pppoe(b []byte, wire int) Outcome {
	const header, version, session = 6, 0x11, 0
	if len(b) < header {
		return p.short(wire, header, "pppoe header")
	}
	if b[0] != version {
		return p.malformed("pppoe version")
	}
	code, n := b[1], int(be16(b[4:]))
	b, wire = b[header:], wire-header
	n = min(n, wire) // a length above the frame's is taken for one of a cut frame
	b, wire = cut(b, n), n
	if code == session {
		return p.ppp(b, wire)
	}
	p.payload(b, wire)
	p.Detail = "pppoe discovery"
	return OtherL2
}
