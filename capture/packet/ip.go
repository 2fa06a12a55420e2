package packet

import "net/netip"

// IP protocol numbers. Source: IANA, Assigned Internet Protocol Numbers.
const (
	protoHopByHop = 0
	protoICMP     = 1
	protoTCP      = 6
	protoUDP      = 17
	protoRouting  = 43
	protoFragment = 44
	protoAH       = 51
	protoICMPv6   = 58
	protoNone     = 59
	protoOptions  = 60
	protoSCTP     = 132
	protoMobility = 135
	protoHIP      = 139
	protoShim6    = 140
)

// maxExtensions bounds the headers between IPv6 and the transport. RFC 8200, 4.1
// knows seven kinds and wants each once, one of them twice.
const maxExtensions = 16

// rawIP reads a packet that says by its version what it is.
func (p *Packet) rawIP(b []byte, wire int) Outcome {
	if len(b) == 0 {
		return p.short(wire, 1, "ip header")
	}
	if b[0]>>4 == 6 {
		return p.ipv6(b, wire)
	}
	return p.ipv4(b, wire)
}

// ipv4 reads an IPv4 packet. Source: RFC 791, 3.1.
//
// A total length above what was on the wire is that of a frame whose capture
// file forgot that it was cut; it is taken as cut. A total length of 0 is
// written by senders that leave segmentation to the network card.
func (p *Packet) ipv4(b []byte, wire int) Outcome {
	const header = 20
	if len(b) < header {
		return p.short(wire, header, "ipv4 header")
	}
	size, total := int(b[0]&15)*4, int(be16(b[2:]))
	if total == 0 {
		total = wire
	}
	switch {
	case b[0]>>4 != 4:
		return p.malformed("ip version")
	case size < header || total < size:
		return p.malformed("ipv4 length")
	}
	p.Src, p.Dst = netip.AddrFrom4([4]byte(b[12:])), netip.AddrFrom4([4]byte(b[16:]))
	p.TTL, p.Proto = b[8], b[9]
	fragment := be16(b[6:])
	p.MoreFragments = fragment&0x2000 != 0
	p.Fragment = fragment&0x1fff != 0
	if len(b) < size {
		return p.short(total, size, "ipv4 header")
	}
	b, wire = cut(b, total)[size:], total-size
	if p.Fragment {
		return p.fragment(b, wire, "ipv4 fragment")
	}
	if p.Proto == protoAH {
		return p.extensions(p.Proto, b, wire)
	}
	return p.transport(b, wire)
}

// ipv6 reads an IPv6 packet. Source: RFC 8200, 3.
//
// A payload length of 0 is that of a jumbogram (RFC 2675), or of a sender that
// leaves segmentation to the network card.
func (p *Packet) ipv6(b []byte, wire int) Outcome {
	const header = 40
	if len(b) < header {
		return p.short(wire, header, "ipv6 header")
	}
	if b[0]>>4 != 6 {
		return p.malformed("ip version")
	}
	p.Src, p.Dst = netip.AddrFrom16([16]byte(b[8:])), netip.AddrFrom16([16]byte(b[24:]))
	p.TTL = b[7]
	next, n := b[6], int(be16(b[4:]))
	if n == 0 && next != protoNone {
		n = max(wire-header, 0)
	}
	return p.extensions(next, cut(b[header:], n), n)
}

// extensions walks the headers between IP and the transport, the first of which
// has the number next. Sources: RFC 8200, 4; RFC 4302 (authentication header);
// RFC 6275, 6.1 (mobility), which nothing follows.
func (p *Packet) extensions(next uint8, b []byte, wire int) Outcome {
	const least = 8
	for range maxExtensions {
		p.Proto = next
		size := least
		switch next {
		case protoHopByHop, protoRouting, protoOptions, protoHIP, protoShim6, protoMobility:
			if len(b) >= least {
				size = (int(b[1]) + 1) * 8
			}
		case protoAH:
			if len(b) >= least {
				size = (int(b[1]) + 2) * 4
			}
		case protoFragment:
		default:
			return p.transport(b, wire)
		}
		if len(b) < size {
			return p.short(wire, size, "ip extension header")
		}
		if next == protoMobility && b[0] == protoNone {
			return p.transport(b, wire)
		}
		fragment := uint16(0)
		if next == protoFragment {
			fragment = be16(b[2:])
		}
		next, b, wire = b[0], b[size:], wire-size
		if fragment&1 != 0 {
			p.MoreFragments = true
		}
		if fragment>>3 != 0 {
			p.Fragment, p.Proto = true, next
			return p.fragment(b, wire, "ipv6 fragment")
		}
	}
	return p.malformed("ip extension headers without end")
}

func (p *Packet) fragment(b []byte, wire int, what string) Outcome {
	p.payload(b, wire)
	p.Detail = what
	return Fragment
}

// transport reads what p.Proto announces.
func (p *Packet) transport(b []byte, wire int) Outcome {
	switch p.Proto {
	case protoTCP:
		return p.tcp(b, wire)
	case protoUDP:
		return p.udp(b, wire)
	case protoSCTP:
		return p.sctp(b, wire)
	case protoICMP:
		if p.Src.Is4() {
			return p.icmp(b, wire)
		}
	case protoICMPv6:
		if p.Src.Is6() {
			return p.icmpv6(b, wire)
		}
	}
	p.payload(b, wire)
	p.Detail = ipProtocols()[p.Proto]
	return OtherIP
}
