package packet

import (
	"net/netip"

	"bulkhead/internal/mac"
)

// icmp reads an ICMP message; its payload begins behind the 8 bytes that all
// messages have. Source: RFC 792.
func (p *Packet) icmp(b []byte, wire int) Outcome {
	if !p.icmpHeader(b) {
		return p.short(wire, icmpHeader, "icmp header")
	}
	p.payload(b[icmpHeader:], wire-icmpHeader)
	switch p.ICMPType {
	case 3, 4, 5, 11, 12: // unreachable, source quench, redirect, time exceeded, parameter problem
		p.Quoted = quote4(p.Payload)
	}
	return Decoded
}

// icmpv6 reads an ICMPv6 message. Source: RFC 4443, 2.1.
func (p *Packet) icmpv6(b []byte, wire int) Outcome {
	if !p.icmpHeader(b) {
		return p.short(wire, icmpHeader, "icmpv6 header")
	}
	p.payload(b[icmpHeader:], wire-icmpHeader)
	switch p.ICMPType {
	case 1, 2, 3, 4: // the errors
		p.Quoted = quote6(p.Payload)
	case 135:
		p.solicitation(p.Payload)
	case 136:
		p.advertisement(p.Payload)
	}
	return Decoded
}

const icmpHeader = 8

// icmpHeader reads type and code, and reports whether the header is there.
func (p *Packet) icmpHeader(b []byte) bool {
	if len(b) < icmpHeader {
		return false
	}
	p.rare = true
	p.ICMPType, p.ICMPCode = b[0], b[1]
	return true
}

// targetSize is that of the target address at the start of both messages.
const targetSize = 16

// solicitation reads a neighbour solicitation. Source: RFC 4861, 4.3.
func (p *Packet) solicitation(b []byte) {
	if len(b) < targetSize || p.Src.IsUnspecified() {
		return
	}
	if m := linkAddress(b[targetSize:], 1); !m.IsZero() {
		p.Neighbor = Neighbor{Addr: p.Src, MAC: m}
	}
}

// advertisement reads a neighbour advertisement. Source: RFC 4861, 4.4.
func (p *Packet) advertisement(b []byte) {
	if len(b) < targetSize {
		return
	}
	if m := linkAddress(b[targetSize:], 2); !m.IsZero() {
		p.Neighbor = Neighbor{Addr: netip.AddrFrom16([16]byte(b)), MAC: m}
	}
}

// linkAddress returns the link-layer address option of a type, or zero. Every
// option is at least 8 bytes long, so the walk ends.
func linkAddress(options []byte, kind byte) mac.Addr {
	for len(options) >= 8 {
		size := int(options[1]) * 8
		if options[0] == kind && size == 8 {
			return mac.Addr(options[2:8])
		}
		if size == 0 || size > len(options) {
			break
		}
		options = options[size:]
	}
	return mac.Addr{}
}

// quote4 reads the head of a quoted IPv4 packet.
func quote4(b []byte) Quote {
	if len(b) < 20 || b[0]>>4 != 4 {
		return Quote{}
	}
	q := Quote{Valid: true, Src: netip.AddrFrom4([4]byte(b[12:])), Dst: netip.AddrFrom4([4]byte(b[16:])), Proto: b[9]}
	size := int(b[0]&15) * 4
	if size < 20 || len(b) < size {
		return Quote{}
	}
	if be16(b[6:])&0x1fff == 0 {
		q.ports(b[size:])
	}
	return q
}

// quote6 reads the head of a quoted IPv6 packet. Ports behind extension headers
// are not looked for.
func quote6(b []byte) Quote {
	if len(b) < 40 || b[0]>>4 != 6 {
		return Quote{}
	}
	q := Quote{Valid: true, Src: netip.AddrFrom16([16]byte(b[8:])), Dst: netip.AddrFrom16([16]byte(b[24:])), Proto: b[6]}
	q.ports(b[40:])
	return q
}

// ports reads the ports at the start of the quoted packet's transport header.
func (q *Quote) ports(b []byte) {
	switch q.Proto {
	case protoTCP, protoUDP, protoSCTP:
		if len(b) >= 4 {
			q.SrcPort, q.DstPort = be16(b), be16(b[2:])
		}
	}
}
