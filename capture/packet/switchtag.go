package packet

import "bulkhead/internal/mac"

// EtherTypes of switches' own tags. Sources: IANA, IEEE 802 Numbers; for Marvell's,
// which has none registered, Linux, include/uapi/linux/if_ether.h, ETH_P_EDSA.
const (
	etherVNTag = 0x8926
	etherEDSA  = 0xdada
)

// tagged reads an Ethernet frame with a tag of size bytes, which a switch puts
// between the addresses and the EtherType for the processor behind it; one of
// Marvell's ends with what dsa reads. Source: tcpdump.org, LINKTYPE_DSA_TAG_BRCM,
// LINKTYPE_DSA_TAG_DSA and LINKTYPE_DSA_TAG_EDSA.
func (p *Packet) tagged(b []byte, wire, size int, marvell bool) Outcome {
	const addresses = 12
	header := addresses + size + 2
	if len(b) < header {
		return p.short(wire, header, "switch tag")
	}
	p.DstMAC, p.SrcMAC = mac.Addr(b[0:6]), mac.Addr(b[6:12])
	if marvell {
		p.dsa(b[addresses+size-dsaTag:])
	}
	return p.tags(be16(b[header-2:]), b[header:], wire-header)
}

// Lengths of the tags.
const (
	brcmTag = 4
	dsaTag  = 4
	edsaTag = 8
)

// prepended reads an Ethernet frame behind a tag of Broadcom's. Source:
// tcpdump.org, LINKTYPE_DSA_TAG_BRCM_PREPEND.
func (p *Packet) prepended(b []byte, wire int) Outcome {
	if len(b) < brcmTag {
		return p.short(wire, brcmTag, "switch tag")
	}
	return p.ethernet(b[brcmTag:], wire-brcmTag)
}

// dsa reads Marvell's tag: it replaces the frame's VLAN tag, if there was one,
// and has its id. Source: tcpdump.org, LINKTYPE_DSA_TAG_DSA.
func (p *Packet) dsa(b []byte) {
	const hadTag = 0x20
	if b[0]&hadTag != 0 {
		p.vlan(be16(b[2:]))
	}
}

// edsa reads Marvell's tag behind an EtherType of its own and two unused bytes,
// and returns the type behind it. Source: tcpdump.org, LINKTYPE_DSA_TAG_EDSA.
func (p *Packet) edsa(b []byte, wire int) (t uint16, rest []byte, n int, o Outcome) {
	const unused, header = 2, edsaTag
	if len(b) < header {
		return 0, nil, 0, p.short(wire, header, "switch tag")
	}
	p.dsa(b[unused:])
	return be16(b[header-2:]), b[header:], wire - header, Decoded
}

// vnTag reads Cisco's tag for virtual interfaces, and returns the type behind it.
// Source: Cisco, VN-Tag specification, as IEEE 802.1BR-2012 describes it.
func (p *Packet) vnTag(b []byte, wire int) (t uint16, rest []byte, n int, o Outcome) {
	const header = 6
	if len(b) < header {
		return 0, nil, 0, p.short(wire, header, "vn-tag")
	}
	return be16(b[header-2:]), b[header:], wire - header, Decoded
}
