package packet

// frameRelay reads a frame with a Q.922 address of two to four bytes, and behind
// it the network layer protocol identifier of RFC 2427, or at once an EtherType,
// as Cisco does it. Source: RFC 2427, 3 and 4.
func (p *Packet) frameRelay(b []byte, wire int) Outcome {
	const least, most, ui, pad = 2, 4, 3, 0
	const snap, ipv4, ipv6 = 0x80, 0xcc, 0x8e
	size := least
	for size < most && len(b) >= size && b[size-1]&1 == 0 {
		size++
	}
	if len(b) < size+2 {
		return p.short(wire, size+2, "frame relay header")
	}
	if b[0]&1 != 0 || b[size-1]&1 == 0 {
		return p.malformed("frame relay address")
	}
	b, wire = b[size:], wire-size
	if t := be16(b); b[0] != ui && t >= minEtherType {
		return p.etherType(t, b[2:], wire-2)
	}
	b, wire = b[1:], wire-1
	if b[0] == pad {
		if len(b) < 2 {
			return p.short(wire, 2, "frame relay header")
		}
		b, wire = b[1:], wire-1
	}
	identifier := b[0]
	b, wire = b[1:], wire-1
	switch identifier {
	case ipv4:
		return p.ipv4(b, wire)
	case ipv6:
		return p.ipv6(b, wire)
	case snap:
		return p.snap(b, wire)
	}
	p.payload(b, wire)
	p.Detail = nlpids()[identifier]
	return OtherL2
}
