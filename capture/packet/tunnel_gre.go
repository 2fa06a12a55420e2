package packet

// The first two bytes of a GRE header. Sources: RFC 2784, 2.1; RFC 2890, 2; RFC
// 1701 for routing; RFC 2637, 4.1 for the acknowledgement of version 1.
const (
	greChecksum = 0x8000
	greRouting  = 0x4000
	greKey      = 0x2000
	greSequence = 0x1000
	greAck      = 0x0080
	greVersion  = 0x0007
)

// gre reads a GRE header. Sources: RFC 2784; RFC 2890. What the checksum says is
// not looked at.
func (p *Packet) gre(b []byte, wire int) Outcome {
	const header = 4
	if len(b) < header {
		return p.short(wire, header, "gre header")
	}
	flags, t := be16(b), Tunnel{Kind: GRE, EtherType: be16(b[2:])}
	switch {
	case flags&greVersion == 1 && t.EtherType == etherPPP:
		return p.pptp(flags, t, b, wire)
	case flags&greVersion != 0:
		return p.otherIP(b, wire, "gre version")
	case flags&greRouting != 0:
		return p.otherIP(b, wire, "gre source routing")
	}
	size := header
	if flags&greChecksum != 0 {
		size += 4
	}
	key := size
	if flags&greKey != 0 {
		size += 4
	}
	if flags&greSequence != 0 {
		size += 4
	}
	if len(b) < size {
		return p.short(wire, size, "gre header")
	}
	if flags&greKey != 0 {
		t.ID, t.HasID = be32(b[key:]), true
	}
	switch t.EtherType {
	case etherFrame:
		if flags == greKey && isNVGRE(t.ID) {
			t.Kind, t.ID = NVGRE, t.ID>>8
		}
	case etherERSPAN:
		if flags&greSequence == 0 {
			t = Tunnel{Kind: ERSPAN1, EtherType: etherFrame}
		} else {
			return p.erspan2(b, wire, size)
		}
	case etherERSPAN3:
		return p.erspan3(b, wire, size)
	}
	return p.carry(t, b, wire, size)
}

// isNVGRE reports whether a key may be NVGRE's: a virtual subnet of 24 bits and
// a flow of 8. Subnets below 0x1000 are reserved, which leaves the small keys
// that people give to GRE itself. Source: RFC 7637, 3.2 and 3.3.
func isNVGRE(key uint32) bool {
	subnet := key >> 8
	return subnet >= 0x1000 && subnet != 0xffffff
}

// pptp reads the header of PPTP's data, whose key is the payload's length and
// the receiver's call id. One without payload acknowledges and carries nothing.
// Source: RFC 2637, 4.1.
func (p *Packet) pptp(flags uint16, t Tunnel, b []byte, wire int) Outcome {
	size := 8
	if flags&greSequence != 0 {
		size += 4
	}
	if flags&greAck != 0 {
		size += 4
	}
	if len(b) < size {
		return p.short(wire, size, "gre header")
	}
	n := size + int(be16(b[4:]))
	if flags&greSequence == 0 || n == size {
		p.payload(b, wire)
		return Decoded
	}
	t.ID = uint32(be16(b[6:]))
	n = min(n, wire)
	return p.carry(t, cut(b, n), n, size)
}

// erspan2 reads the ERSPAN header of type II behind the first at bytes, those of
// GRE. Source: draft-foschiano-erspan-03, 4.2.
func (p *Packet) erspan2(b []byte, wire, at int) Outcome {
	size := at + 8
	if len(b) < size {
		return p.short(wire, size, "erspan header")
	}
	t := erspan(ERSPAN2, b[at:])
	if b[at]>>4 != 1 {
		t = Tunnel{Kind: GRE, EtherType: etherERSPAN}
		size = at
	}
	return p.carry(t, b, wire, size)
}

// erspan3 reads the ERSPAN header of type III, which says what it carries, and
// the platform's own behind it. Source: draft-foschiano-erspan-03, 4.3.
func (p *Packet) erspan3(b []byte, wire, at int) Outcome {
	size := at + 12
	if len(b) < size {
		return p.short(wire, size, "erspan header")
	}
	t := erspan(ERSPAN3, b[at:])
	if b[at]>>4 != 2 {
		return p.carry(Tunnel{Kind: GRE, EtherType: etherERSPAN3}, b, wire, at)
	}
	flags := be16(b[at+10:])
	if flags&1 != 0 {
		size += 8
	}
	if len(b) < size {
		return p.short(wire, size, "erspan header")
	}
	const ethernet, ip = 0, 2
	switch flags >> 10 & 31 {
	case ethernet:
	case ip:
		t.EtherType = ipVersion(b[size:])
	default:
		t.EtherType = etherERSPAN3
	}
	return p.carry(t, b, wire, size)
}

// erspan reads what the headers of types II and III have in common.
func erspan(kind TunnelKind, b []byte) Tunnel {
	session := be16(b[2:])
	return Tunnel{
		Kind: kind, EtherType: etherFrame, ID: uint32(session & 0x3ff), HasID: true,
		VLAN: be16(b) & 0xfff, Truncated: session&0x400 != 0,
	}
}

// ipVersion is the EtherType of an IP packet: that of IPv4 unless it says that
// it is IPv6.
func ipVersion(b []byte) uint16 {
	if len(b) > 0 && b[0]>>4 == 6 {
		return etherIPv6
	}
	return etherIPv4
}
