package packet

// Ethernet as instruments on the wire see it: with check sequence, and with the
// preamble in front or a header that says how the frame was received.

// ethernetCheck is the length of an Ethernet frame's check sequence.
const ethernetCheck = 4

// netAnalyzer reads the header of Hilscher's netANALYZER: a little-endian word
// of flags and a length. A wrong check sequence means that no byte can be
// believed. Source: tcpdump.org, LINKTYPE_NETANALYZER and
// LINKTYPE_NETANALYZER_TRANSPARENT; frames of the latter have their preamble.
func (p *Packet) netAnalyzer(b []byte, wire int, transparent bool) Outcome {
	const header = 4
	const wrong, event = 0x07, 0x0100 // reception, alignment or check sequence; an edge at a digital input
	if len(b) < header {
		return p.short(wire, header, "netanalyzer header")
	}
	flags := le32(b)
	b, wire = without(b[header:], wire-header, ethernetCheck)
	switch {
	case flags&event != 0:
		p.payload(b, wire)
		p.Detail = "netanalyzer event"
		return OtherL2
	case flags&wrong != 0:
		p.payload(b, wire)
		p.Detail = "ethernet wrong check sequence"
		return OtherL2
	case transparent:
		return p.preamble(b, wire)
	}
	return p.ethernet(b, wire)
}

// preamble reads an Ethernet frame behind its preamble, which may have lost bytes
// on the way.
func (p *Packet) preamble(b []byte, wire int) Outcome {
	const most, sync, start = 8, 0x55, 0xd5
	for i := range min(most, len(b)) {
		switch b[i] {
		case sync:
		case start:
			return p.ethernet(b[i+1:], wire-i-1)
		default:
			return p.malformed("ethernet preamble")
		}
	}
	return p.short(wire, most+1, "ethernet preamble")
}

// mPacket reads what interspersed express traffic makes of Ethernet: a preamble
// whose last byte says whether it is a frame, the start of one or a part. Behind
// each there is a check sequence. Of parts only the first is read.
// Source: IEEE 802.3-2022, 99.3; tcpdump.org, LINKTYPE_ETHERNET_MPACKET.
func (p *Packet) mPacket(b []byte, wire int) Outcome {
	const header = 8
	const express = 0xd5
	if len(b) < header {
		return p.short(wire, header, "mpacket preamble")
	}
	delimiter := b[header-1]
	if b[header-2] != 0x55 {
		delimiter = 0 // of a continuation, whose last byte counts
	}
	b, wire = without(b[header:], wire-header, ethernetCheck)
	switch delimiter {
	case express, 0xe6, 0x4c, 0x7f, 0xb3:
		return p.ethernet(b, wire)
	}
	p.payload(b, wire)
	p.Detail = "mpacket without the start of a frame"
	return OtherL2
}
