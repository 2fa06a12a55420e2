package packet

// tcp reads a TCP segment. Source: RFC 9293, 3.1.
func (p *Packet) tcp(b []byte, wire int) Outcome {
	const header = 20
	if len(b) < header {
		return p.short(wire, header, "tcp header")
	}
	p.SrcPort, p.DstPort = be16(b), be16(b[2:])
	p.Seq, p.Ack = be32(b[4:]), be32(b[8:])
	p.Flags = TCPFlags(b[13]) & allFlags
	p.Window = be16(b[14:])
	size := int(b[12]>>4) * 4
	if size < header || size > wire {
		return p.malformed("tcp data offset")
	}
	if len(b) < size {
		return p.short(wire, size, "tcp header")
	}
	p.payload(b[size:], wire-size)
	return Decoded
}

// udp reads a UDP datagram. Source: RFC 768. A length of 0 is that of a
// jumbogram (RFC 2675, 4) or of one left to the network card to finish.
func (p *Packet) udp(b []byte, wire int) Outcome {
	const header = 8
	if len(b) < header {
		return p.short(wire, header, "udp header")
	}
	p.SrcPort, p.DstPort = be16(b), be16(b[2:])
	n := int(be16(b[4:]))
	switch {
	case n == 0:
		n = wire
	case n < header, n > wire && !p.MoreFragments:
		return p.malformed("udp length")
	}
	n = min(n, wire)
	p.payload(cut(b, n)[header:], n-header)
	if carriesTunnel(p.SrcPort, p.DstPort) {
		p.inUDP()
	}
	return Decoded
}

// sctp reads the common header of an SCTP packet. Source: RFC 9260, 3.1.
func (p *Packet) sctp(b []byte, wire int) Outcome {
	const header = 12
	if len(b) < header {
		return p.short(wire, header, "sctp header")
	}
	p.SrcPort, p.DstPort = be16(b), be16(b[2:])
	p.payload(b[header:], wire-header)
	return Decoded
}
