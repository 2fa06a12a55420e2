package packet

// nsh reads a network service header, which steers a packet or frame through a
// chain of services, and says how long it is and what follows. Source: RFC 8300,
// 2.2.
func (p *Packet) nsh(b []byte, wire int) Outcome {
	const header, word = 8, 4
	if len(b) < header {
		return p.short(wire, header, "nsh header")
	}
	size, next := int(b[1]&0x3f)*word, gpeProtocol(b[3])
	switch {
	case b[0]>>6 != 0:
		return p.malformed("nsh version")
	case size < header:
		return p.malformed("nsh length")
	case len(b) < size:
		return p.short(wire, size, "nsh header")
	case next == 0:
		p.payload(b[size:], wire-size)
		p.Detail = "nsh other protocol"
		return OtherL2
	}
	p.rare = true
	if p.nested++; p.nested > maxNested {
		return p.malformed("network service headers in each other without end")
	}
	return p.etherType(next, b[size:], wire-size)
}
