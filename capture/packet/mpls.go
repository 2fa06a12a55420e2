package packet

import "math/bits"

// maxLabels bounds a label stack; the deepest in use have about a dozen entries.
const maxLabels = 32

// mpls walks a label stack and reads what is below it. Nothing says what that is,
// so it is guessed by its first half byte: the version of an IP packet, a control
// word of a pseudowire, or the first address of an Ethernet frame without one.
// Sources: RFC 3032, 2.1; RFC 4385, 3 and 5; RFC 4448, 4.6.
func (p *Packet) mpls(b []byte, wire int) Outcome {
	const entry = 4
	for bottom, n := false, 0; !bottom; n++ {
		if n == maxLabels {
			return p.malformed("mpls label stack without end")
		}
		if len(b) < entry {
			return p.short(wire, entry, "mpls label")
		}
		bottom = b[2]&1 != 0
		b, wire = b[entry:], wire-entry
	}
	const controlWord = 4
	if need := min(max(wire, 1), controlWord+guessBytes); len(b) < need {
		return p.short(wire, need, "mpls payload")
	}
	version := b[0] >> 4
	switch {
	case version == 1:
		p.payload(b, wire)
		p.Detail = "mpls associated channel"
		return OtherL2
	case len(b) >= controlWord && be16(b) == 0 && isEthernet(b[controlWord:], wire-controlWord):
		return p.ethernetInside(b[controlWord:], wire-controlWord)
	case version == 4 && isIPv4(b, wire), version == 6 && isIPv6(b, wire):
		return p.rawIP(b, wire)
	case isEthernet(b, wire):
		return p.ethernetInside(b, wire)
	case version == 4, version == 6:
		return p.rawIP(b, wire)
	}
	p.payload(b, wire)
	p.Detail = "mpls payload"
	return OtherL2
}

// guessBytes is how many bytes the guesses below look at: an Ethernet header and
// a little of what it announces.
const guessBytes = 17

// isIPv4 reports whether b begins like an IPv4 packet that fits into wire bytes.
func isIPv4(b []byte, wire int) bool {
	return len(b) >= 4 && b[0]>>4 == 4 && b[0]&15 >= 5 && int(be16(b[2:])) <= wire
}

// isIPv6 is the same for IPv6. Ethernet addresses begin with 6 as well (RFC 8469).
func isIPv6(b []byte, wire int) bool {
	return len(b) >= 6 && b[0]>>4 == 6 && 40+int(be16(b[4:])) <= wire
}

// isEthernet reports whether b begins like an Ethernet frame: its source is no
// group, and it has a type of which there are many, with what belongs behind it,
// or a length that fits in front of LLC.
func isEthernet(b []byte, wire int) bool {
	if len(b) < guessBytes || b[6]&1 != 0 {
		return false
	}
	t, next := be16(b[12:]), b[14:]
	switch t {
	case etherIPv4:
		return next[0]>>4 == 4 && next[0]&15 >= 5
	case etherIPv6:
		return next[0]>>4 == 6
	case etherARP, etherVLAN, etherQinQ, etherQinQ9:
		return true
	}
	if t <= maxLength {
		// LLC services are addressed alike in both directions but for one bit.
		return int(t) <= wire-ethernetBytes && bits.OnesCount8(next[0]&^1^next[1]&^1) == 0
	}
	return t>>8 == 0x88 || t>>8 == 0x89
}
