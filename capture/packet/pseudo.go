package packet

import (
	"math/bits"

	"bulkhead/internal/mac"
)

// The headers that systems and instruments put in front of packets and frames
// that they hand to a capture.

// enc reads the header of OpenBSD's IPsec interface: an address family in the
// byte order of the host, and two words of its own. Source: tcpdump.org,
// LINKTYPE_ENC.
func (p *Packet) enc(b []byte, wire int) Outcome {
	const header = 12
	if len(b) < header {
		return p.short(wire, header, "enc header")
	}
	family := be32(b)
	if family > 0xffff {
		family = bits.ReverseBytes32(family)
	}
	return p.family(family, b[header:], wire-header)
}

// pflog reads the header of a packet filter's log, which says how long it is
// without the padding to four bytes. Source: tcpdump.org, LINKTYPE_PFLOG.
func (p *Packet) pflog(b []byte, wire int) Outcome {
	const least = 45
	if len(b) < 2 {
		return p.short(wire, least, "pflog header")
	}
	n := (int(b[0]) + 3) &^ 3
	if n < least {
		return p.malformed("pflog header")
	}
	if len(b) < n {
		return p.short(wire, n, "pflog header")
	}
	return p.family(uint32(b[1]), b[n:], wire-n)
}

// ipnet reads the header of Solaris. Source: tcpdump.org, LINKTYPE_IPNET.
func (p *Packet) ipnet(b []byte, wire int) Outcome {
	const header, ipv4, ipv6 = 24, 2, 26
	if len(b) < header {
		return p.short(wire, header, "ipnet header")
	}
	family := b[1]
	b, wire = b[header:], wire-header
	switch family {
	case ipv4:
		return p.ipv4(b, wire)
	case ipv6:
		return p.ipv6(b, wire)
	}
	return p.otherFamily(uint32(family), b, wire)
}

// nflog reads a message of Linux's packet filter: attributes, of which one is the
// packet and one the sender's hardware address. Their lengths and types are in
// the byte order of the host, which is told by the first of them.
// Source: tcpdump.org, LINKTYPE_NFLOG.
func (p *Packet) nflog(b []byte, wire int) Outcome {
	const header, attribute, address, packet = 4, 4, 8, 9
	if len(b) < header+attribute {
		return p.short(wire, header+attribute, "nflog header")
	}
	family := uint32(b[0])
	b, wire = b[header:], wire-header
	swapped := b[0] == 0 && b[1] >= attribute
	for len(b) >= attribute {
		n, kind := int(le16(b)), le16(b[2:])
		if swapped {
			n, kind = int(be16(b)), be16(b[2:])
		}
		if n < attribute {
			return p.malformed("nflog attribute")
		}
		value := cut(b, n)[attribute:]
		switch kind & 0x3fff { // without the bits for nested and for network order
		case address:
			if len(value) >= 10 && be16(value) == 6 {
				p.SrcMAC = mac.Addr(value[4:10])
			}
		case packet:
			return p.family(family, value, n-attribute)
		}
		n = (n + 3) &^ 3
		b, wire = b[min(n, len(b)):], max(wire-n, 0)
	}
	return p.short(wire, attribute, "nflog packet")
}

// family reads a packet of an address family, as its number is on any system.
func (p *Packet) family(family uint32, b []byte, wire int) Outcome {
	switch family {
	case 2:
		return p.ipv4(b, wire)
	case 10, 23, 24, 28, 30: // Linux; Windows; NetBSD and OpenBSD; FreeBSD; macOS
		return p.ipv6(b, wire)
	}
	return p.otherFamily(family, b, wire)
}

func (p *Packet) otherFamily(family uint32, b []byte, wire int) Outcome {
	p.payload(b, wire)
	p.Detail = addressFamilies()[min(family, 256)]
	return OtherL2
}

// fddi reads an FDDI frame, of which those with LLC carry packets. Source: ISO
// 9314-2; tcpdump.org, LINKTYPE_FDDI.
func (p *Packet) fddi(b []byte, wire int) Outcome {
	const header, kinds, llc = 13, 0xf0, 0x50
	if len(b) < header {
		return p.short(wire, header, "fddi header")
	}
	control := b[0]
	p.DstMAC, p.SrcMAC = mac.Addr(b[1:7]), mac.Addr(b[7:13])
	b, wire = b[header:], wire-header
	if control&kinds == llc {
		return p.llc(b, wire)
	}
	p.payload(b, wire)
	p.Detail = "fddi other than llc"
	return OtherL2
}

// atmCLIP reads a packet of classical IP over ATM, with LLC or without. Source:
// tcpdump.org, LINKTYPE_ATM_CLIP.
func (p *Packet) atmCLIP(b []byte, wire int) Outcome {
	if len(b) > 0 && b[0] == snapSAP {
		return p.llc(b, wire)
	}
	return p.rawIP(b, wire)
}

// ipoib reads IP over InfiniBand: a global routing header, an EtherType and two
// unused bytes. The ends have no address that a MAC could hold. Sources:
// tcpdump.org, LINKTYPE_IPOIB; RFC 4391, 6.
func (p *Packet) ipoib(b []byte, wire int) Outcome {
	const header, typeAt = 44, 40
	if len(b) < header {
		return p.short(wire, header, "ipoib header")
	}
	return p.etherType(be16(b[typeAt:]), b[header:], wire-header)
}

// juniperEther reads the header that Juniper's routers put in front of Ethernet
// frames, or of packets whose frame was taken off. Source: tcpdump,
// print-juniper.c.
func (p *Packet) juniperEther(b []byte, wire int) Outcome {
	const header, magic, noFrame, extended = 4, 0x4d4743, 0x02, 0x80
	if len(b) < header {
		return p.short(wire, header, "juniper header")
	}
	if be32(b)>>8 != magic {
		return p.malformed("juniper header")
	}
	flags, size := b[3], header
	if flags&extended != 0 {
		if len(b) < size+2 {
			return p.short(wire, size+2, "juniper header")
		}
		size += 2 + int(be16(b[size:]))
	}
	if flags&noFrame != 0 {
		size += 4
	}
	if len(b) < size {
		return p.short(wire, size, "juniper header")
	}
	if flags&noFrame != 0 {
		return p.family(le32(b[size-4:]), b[size:], wire-size)
	}
	return p.ethernet(b[size:], wire-size)
}

// personalArea names an IEEE 802.15.4 frame. Its addresses are no MACs and what
// it carries is mostly encrypted, so nothing is read. Source: IEEE Std
// 802.15.4-2020, 7.2.2.2.
func (p *Packet) personalArea(b []byte, wire int) Outcome {
	if len(b) < 1 {
		return p.short(wire, 1, "802.15.4 header")
	}
	p.payload(b, wire)
	p.Detail = personalAreaKinds[b[0]&7]
	return OtherL2
}

var personalAreaKinds = [8]string{
	"802.15.4 beacon", "802.15.4 data", "802.15.4 acknowledgement", "802.15.4 command",
	"802.15.4 reserved frame type", "802.15.4 multipurpose", "802.15.4 fragment", "802.15.4 extended",
}
