package packet

import (
	"math/bits"

	"bulkhead/internal/mac"
)

// Linux hardware types under which the protocol of a cooked header is no
// EtherType. Source: tcpdump.org, LINKTYPE_LINUX_SLL.
const (
	arphrdFrad     = 770
	arphrdRadiotap = 803
	arphrdNetlink  = 824
)

// cooked reads Linux's cooked header. It has the sender's address only.
// Source: tcpdump.org, LINKTYPE_LINUX_SLL.
func (p *Packet) cooked(b []byte, wire int) Outcome {
	const header = 16
	if len(b) < header {
		return p.short(wire, header, "cooked header")
	}
	p.cookedSource(be16(b[4:]), b[6:12])
	return p.cookedProtocol(be16(b[2:]), be16(b[14:]), b[header:], wire-header)
}

// cooked2 reads the second version, which names the interface as well.
// Source: tcpdump.org, LINKTYPE_LINUX_SLL2.
func (p *Packet) cooked2(b []byte, wire int) Outcome {
	const header = 20
	if len(b) < header {
		return p.short(wire, header, "cooked header")
	}
	p.cookedSource(uint16(b[11]), b[12:18])
	return p.cookedProtocol(be16(b[8:]), be16(b), b[header:], wire-header)
}

func (p *Packet) cookedSource(size uint16, addr []byte) {
	if size == 6 {
		p.SrcMAC = mac.Addr(addr)
	}
}

func (p *Packet) cookedProtocol(hardware, protocol uint16, b []byte, wire int) Outcome {
	const novell, llc = 1, 4
	switch hardware {
	case arphrdRadiotap:
		p.SrcMAC = mac.Addr{} // the frame has its own
		return p.radiotap(b, wire)
	case arphrdFrad, arphrdNetlink:
		p.payload(b, wire)
		p.Detail = "cooked netlink or frame relay"
		return OtherL2
	}
	switch {
	case protocol >= minEtherType:
		return p.tags(protocol, b, wire)
	case protocol == llc:
		return p.llc(b, wire)
	}
	p.payload(b, wire)
	p.Detail = "cooked protocol that is no ethertype"
	if protocol == novell {
		p.Detail = llcServices()[0xff]
	}
	return OtherL2
}

// loopback reads BSD's loopback header: the address family in the byte order of
// the machine that captured, or in network byte order (OpenBSD). Families are
// below 65536, which tells the orders apart.
// Source: tcpdump.org, LINKTYPE_NULL and LINKTYPE_LOOP.
func (p *Packet) loopback(b []byte, wire int) Outcome {
	const header = 4
	if len(b) < header {
		return p.short(wire, header, "loopback header")
	}
	family := be32(b)
	if t := family >> 16; t == 0x0f00 || t == 0x8f00 {
		return p.ciscoHDLC(b, wire) // what some systems capture of serial lines
	}
	if family > 0xffff {
		family = bits.ReverseBytes32(family)
	}
	return p.family(family, b[header:], wire-header)
}
