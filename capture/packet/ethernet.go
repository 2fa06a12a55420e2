package packet

import "bulkhead/internal/mac"

// EtherTypes. Source: IANA, IEEE 802 Numbers.
const (
	etherIPv4  = 0x0800
	etherARP   = 0x0806
	etherVLAN  = 0x8100 // IEEE 802.1Q
	etherQinQ  = 0x88a8 // IEEE 802.1ad
	etherQinQ9 = 0x9100 // the same before it was a standard
	etherIPv6  = 0x86dd
	etherLLDP  = 0x88cc

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
	return p.tags(be16(b[12:]), b[header:], wire-header)
}

// tags reads the VLAN tags that the type t announces, and what they carry.
func (p *Packet) tags(t uint16, b []byte, wire int) Outcome {
	const tag = 4
	for t == etherVLAN || t == etherQinQ || t == etherQinQ9 {
		if len(b) < tag {
			return p.short(wire, tag, "vlan tag")
		}
		if p.NumVLANs < MaxVLANs {
			p.VLANs[p.NumVLANs] = be16(b) & 0xfff
		}
		p.NumVLANs++
		t, b, wire = be16(b[2:]), b[tag:], wire-tag
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

// etherType reads what an EtherType other than those of tags announces.
func (p *Packet) etherType(t uint16, b []byte, wire int) Outcome {
	p.EtherType = t
	switch t {
	case etherIPv4:
		return p.ipv4(b, wire)
	case etherIPv6:
		return p.ipv6(b, wire)
	case etherARP:
		return p.arp(b, wire)
	}
	p.payload(b, wire)
	if t == etherLLDP {
		return Decoded
	}
	p.Detail = etherTypes()[t]
	return OtherL2
}

// llc reads a logical link control header. Source: IEEE 802.2; RFC 1042 for the
// SNAP header behind it, whose types are EtherTypes if the organisation is 0.
func (p *Packet) llc(b []byte, wire int) Outcome {
	const header, snap = 3, 8
	if len(b) < header {
		return p.short(wire, header, "llc header")
	}
	sap, control := b[0], b[2]
	if sap == 0xaa && b[1] == 0xaa && control == 3 {
		if len(b) < snap {
			return p.short(wire, snap, "snap header")
		}
		organisation, t := be32(b[2:])&0xffffff, be16(b[6:])
		b, wire = b[snap:], wire-snap
		if organisation == 0 && t >= minEtherType {
			return p.etherType(t, b, wire)
		}
		p.payload(b, wire)
		p.Detail = "snap organisation other than 0"
		if organisation == 0x00000c {
			p.Detail = "snap organisation cisco"
		}
		return OtherL2
	}
	// The control field has two bytes in numbered frames.
	size := header
	if control&3 != 3 {
		size++
	}
	p.payload(b[min(size, len(b)):], max(wire-size, 0))
	p.Detail = llcServices()[sap]
	return OtherL2
}
