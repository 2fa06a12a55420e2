package packet

import "net/netip"

// IP protocol numbers. Source: IANA, Assigned Internet Protocol Numbers.
const (
	protoHopByHop = 0
	protoICMP     = 1
	protoIPv4     = 4
	protoTCP      = 6
	protoUDP      = 17
	protoIPv6     = 41
	protoRouting  = 43
	protoFragment = 44
	protoGRE      = 47
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
	p.Src = netip.AddrFrom4([4]byte(b[12:]))
	p.Dst = netip.AddrFrom4([4]byte(b[16:]))
	p.TTL, p.Proto, p.IPID = b[8], b[9], be16(b[4:])
	fragment := be16(b[6:])
	p.Net = cut(b, total)
	if len(b) < size {
		return p.short(total, size, "ipv4 header")
	}
	b, wire = p.Net[size:], total-size
	if fragment&0x3fff != 0 {
		p.fragment(b, wire, fragment<<3, fragment&0x2000 != 0, uint32(p.IPID))
		if p.Fragment {
			p.payload(b, wire)
			p.Detail = "ipv4 fragment"
			return Fragment
		}
	}
	return p.above4(b, wire)
}

// above4 reads what follows an IPv4 header.
func (p *Packet) above4(b []byte, wire int) Outcome {
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
	p.Src = netip.AddrFrom16([16]byte(b[8:]))
	p.Dst = netip.AddrFrom16([16]byte(b[24:]))
	p.TTL = b[7]
	next, n := b[6], int(be16(b[4:]))
	if n == 0 && next != protoNone {
		n = max(wire-header, 0)
	}
	p.Net = cut(b, header+n)
	return p.extensions(next, p.Net[header:], n)
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
		fragment, id := uint16(0), uint32(0)
		if next == protoFragment {
			fragment, id = be16(b[2:]), be32(b[4:])
		}
		next, b, wire = b[0], b[size:], wire-size
		if fragment&^6 == 0 {
			continue
		}
		if p.FragmentData != nil {
			return p.malformed("ipv6 fragment header of a fragment")
		}
		p.Proto = next
		p.fragment(b, wire, fragment&^7, fragment&1 != 0, id)
		if p.Fragment {
			p.payload(b, wire)
			p.Detail = "ipv6 fragment"
			return Fragment
		}
	}
	return p.malformed("ip extension headers without end")
}

// fragment notes that the packet is one, of which b follows the header that
// says so, and p.Proto is the number of the payload's first header.
func (p *Packet) fragment(b []byte, wire int, offset uint16, more bool, id uint32) {
	p.rare = true
	p.Fragment, p.MoreFragments = offset != 0, more
	p.FragmentData, p.FragmentLength, p.FragmentOffset = b, wire, int(offset)
	p.FragmentID, p.FragmentProto = id, p.Proto
}

// Whole reads what the fragments of a packet carry, put together: p is the first
// fragment and b the whole payload, which begins where FragmentData did. It
// leaves p as Parse would leave it had the packet not been taken apart, with
// slices that share b's memory, but for Net, which stays that of the fragment.
//
// It returns an Outcome as Parse does: never Fragment, unless p is no fragment,
// which it leaves as it is, or the payload says once more that it is one.
func (p *Packet) Whole(b []byte) Outcome {
	if p.FragmentData == nil {
		return Fragment
	}
	p.Proto = p.FragmentProto
	p.Fragment, p.MoreFragments, p.FragmentData, p.FragmentLength = false, false, nil, 0
	p.FragmentOffset, p.FragmentID, p.FragmentProto = 0, 0, 0
	p.SrcPort, p.DstPort, p.Seq, p.Ack, p.Flags, p.Window = 0, 0, 0, 0, 0, 0
	p.ICMPType, p.ICMPCode, p.Neighbor, p.Quoted = 0, 0, Neighbor{}, Quote{}
	p.Payload, p.PayloadLength, p.Tunnel, p.Detail = nil, 0, Tunnel{}, ""
	if p.Src.Is4() {
		return p.above4(b, len(b))
	}
	return p.extensions(p.Proto, b, len(b))
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
	case protoGRE:
		return p.gre(b, wire)
	case protoIPv4, protoIPv6:
		return p.ipInIP(b, wire)
	case protoICMP:
		if p.Src.Is4() {
			return p.icmp(b, wire)
		}
	case protoICMPv6:
		if p.Src.Is6() {
			return p.icmpv6(b, wire)
		}
	}
	return p.otherIP(b, wire, ipProtocols()[p.Proto])
}

// otherIP ends the way at what is not read any further.
func (p *Packet) otherIP(b []byte, wire int, what string) Outcome {
	p.payload(b, wire)
	p.Detail = what
	return OtherIP
}
