package packet

import "bulkhead/internal/mac"

// EtherTypes. Source: IANA, IEEE 802 Numbers.
const (
	etherIPv4           = 0x0800
	etherARP            = 0x0806
	etherVLAN           = 0x8100 // IEEE 802.1Q
	etherQinQ           = 0x88a8 // IEEE 802.1ad
	etherQinQ9          = 0x9100 // the same before it was a standard
	etherMPLSMulticast  = 0x8848 // MPLS with labels that the receivers chose
	etherPPPoEDiscovery = 0x8863 // PPPoE, discovery
	etherPPPoE          = 0x8864 // PPPoE, session
	etherPBB            = 0x88e7 // IEEE 802.1ah
	etherIPv6           = 0x86dd
	etherLLDP           = 0x88cc

	// Below it the field is the length of an LLC frame, which is at most
	// maxLength. Source: IEEE 802.3-2022, 3.2.6.
	minEtherType = 0x0600
	maxLength    = 1500
)

// ethernet reads an Ethernet frame without preamble and check sequence.
func (p *Packet) ethernet(b []byte, wire int) Outcome {
	const header = 14
	if len(b) < header {
		return p.short(wire, header, "ethernet header")
	}
	p.DstMAC, p.SrcMAC = mac.Addr(b[0:6]), mac.Addr(b[6:12])
	if end := len(b); be16(b[end-2:]) == prpSuffix || end > header+ethernetCheck && be16(b[end-2-ethernetCheck:]) == prpSuffix {
		b, wire = p.prp(b, wire)
	}
	if b[0]&^2 == 0x01 && b[1] == 0 && b[2] == 0x0c && b[3] == 0 && b[4] == 0 {
		return p.isl(b, wire)
	}
	return p.tags(be16(b[12:]), b[header:], wire-header)
}

// maxNested bounds the Ethernet frames in each other that have no tunnel around
// them: those of provider backbones and pseudowires.
const maxNested = 4

// ethernetInside reads a frame that a provider's network carries in frames of its
// own. The hosts that speak are those of the inner one, so that its addresses and
// type take the place of the outer one's; its tags are added to the outer ones.
func (p *Packet) ethernetInside(b []byte, wire int) Outcome {
	p.rare = true
	if p.nested++; p.nested > maxNested {
		return p.malformed("ethernet frames in each other without end")
	}
	return p.ethernet(b, wire)
}

// isTag reports whether a type announces a VLAN tag.
func isTag(t uint16) bool { return t == etherVLAN || t == etherQinQ || t == etherQinQ9 }

// vlan notes a tag.
func (p *Packet) vlan(tag uint16) {
	if p.NumVLANs < MaxVLANs {
		p.VLANs[p.NumVLANs] = tag & 0xfff
	}
	p.NumVLANs++
}

// tags reads the tags that the type t announces, and what they carry.
func (p *Packet) tags(t uint16, b []byte, wire int) Outcome {
	const tag = 4
walk:
	for {
		switch t {
		case etherVLAN, etherQinQ, etherQinQ9:
			if len(b) < tag {
				return p.short(wire, tag, "vlan tag")
			}
			p.vlan(be16(b))
			t, b, wire = be16(b[2:]), b[tag:], wire-tag
		case etherHSR, etherMACsec, etherVNTag, etherEDSA:
			var o Outcome
			if t, b, wire, o = p.rareTag(t, b, wire); o != Decoded {
				return o
			}
		default:
			break walk
		}
	}
	switch {
	case t >= minEtherType:
		return p.etherType(t, b, wire)
	case t > maxLength:
		return p.malformed("ethernet length")
	}
	n := int(t)
	return p.llc(cut(b, n), n)
}

// rareTag reads a tag that is not a VLAN's, and returns the type behind it. An
// Outcome other than Decoded ends the way.
func (p *Packet) rareTag(t uint16, b []byte, wire int) (uint16, []byte, int, Outcome) {
	switch t {
	case etherHSR:
		return p.hsr(b, wire)
	case etherMACsec:
		return p.macsec(b, wire)
	case etherVNTag:
		return p.vnTag(b, wire)
	}
	return p.edsa(b, wire)
}

// etherType reads what an EtherType announces.
func (p *Packet) etherType(t uint16, b []byte, wire int) Outcome {
	p.EtherType = t
	switch t {
	case etherIPv4:
		return p.ipv4(b, wire)
	case etherIPv6:
		return p.ipv6(b, wire)
	case etherARP:
		return p.arp(b, wire)
	case etherVLAN, etherQinQ, etherQinQ9, etherHSR, etherMACsec, etherEDSA, etherVNTag:
		// Behind a header that has an EtherType but is not Ethernet's.
		return p.tagsBehind(t, b, wire)
	case etherMPLS, etherMPLSMulticast:
		return p.mpls(b, wire)
	case etherPPPoEDiscovery, etherPPPoE:
		return p.pppoe(b, wire)
	case etherPPP:
		return p.ppp(b, wire)
	case etherPBB:
		return p.backbone(b, wire)
	case etherFrame:
		return p.ethernetInside(b, wire)
	case etherNSH:
		return p.nsh(b, wire)
	}
	p.payload(b, wire)
	if t == etherLLDP {
		return Decoded
	}
	p.Detail = etherTypes()[t]
	return OtherL2
}

// tagsBehind reads tags behind SNAP or a tunnel's header. Where such headers can
// follow each other they count as nested frames, which bounds them.
func (p *Packet) tagsBehind(t uint16, b []byte, wire int) Outcome {
	p.rare = true
	if p.nested++; p.nested > maxNested {
		return p.malformed("tags and headers without end")
	}
	return p.tags(t, b, wire)
}

// backbone reads the service tag of a provider backbone bridge, behind which the
// customer's frame begins. Source: IEEE 802.1Q-2018, 9.7.
func (p *Packet) backbone(b []byte, wire int) Outcome {
	const tag = 4
	if len(b) < tag {
		return p.short(wire, tag, "backbone service tag")
	}
	return p.ethernetInside(b[tag:], wire-tag)
}

// snapSAP is the service access point of SNAP. Source: IEEE 802-2014, 9.4.
const snapSAP = 0xaa

// llc reads a logical link control header. Source: IEEE 802.2; RFC 1042 for the
// SNAP header behind it.
func (p *Packet) llc(b []byte, wire int) Outcome {
	const header, unnumbered = 3, 3
	if len(b) < header {
		return p.short(wire, header, "llc header")
	}
	p.EtherType = 0 // that of a frame around this one
	sap, control := b[0], b[2]
	if sap == snapSAP && b[1] == snapSAP && control == unnumbered {
		return p.snap(b[header:], wire-header)
	}
	// The control field has two bytes in numbered frames.
	size := header
	if control&3 != 3 {
		size++
	}
	p.payload(b[min(size, len(b)):], max(wire-size, 0))
	p.SAP, p.rare = sap, true
	p.Detail = llcServices()[sap]
	return OtherL2
}

// snap reads a SNAP header: an organisation and its type, which is an EtherType
// if the organisation is that of RFC 1042 or of bridged Ethernet (IEEE 802.1H).
func (p *Packet) snap(b []byte, wire int) Outcome {
	const header = 5
	const encapsulated, bridged, ieee8021, cisco = 0, 0x0000f8, 0x0080c2, 0x00000c
	if len(b) < header {
		return p.short(wire, header, "snap header")
	}
	organisation, t := be32(b)>>8, be16(b[3:])
	b, wire = b[header:], wire-header
	if (organisation == encapsulated || organisation == bridged) && t >= minEtherType {
		return p.etherType(t, b, wire)
	}
	p.payload(b, wire)
	p.SAP, p.Org, p.OrgType, p.rare = snapSAP, organisation, t, true
	switch organisation {
	case cisco:
		p.Detail = "snap organisation cisco"
	case ieee8021:
		p.Detail = "snap organisation ieee 802.1"
	default:
		p.Detail = "snap organisation other than 0"
	}
	return OtherL2
}
