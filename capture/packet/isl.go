package packet

// isl reads the header that Cisco's switches put in front of the frames of a
// trunk: an address of which the last byte is a type, a VLAN, and then the frame
// with its check sequence. Frames to the same group that are no such thing are
// Ethernet's. Source: Cisco, Inter-Switch Link and IEEE 802.1Q Frame Format.
func (p *Packet) isl(b []byte, wire int) Outcome {
	const header = 26
	const snap = 0xaaaa03
	if length := be16(b[12:]); length > maxLength || wire < header || len(b) >= 18 && be32(b[14:])>>8 != snap {
		return p.tags(length, b[ethernetBytes:], wire-ethernetBytes)
	}
	if len(b) < header {
		return p.short(wire, header, "isl header")
	}
	p.vlan(be16(b[20:]) >> 1)
	return p.ethernetInside(b[header:], wire-header)
}
