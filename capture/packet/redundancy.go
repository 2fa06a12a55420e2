package packet

// Redundancy is what the copies of a frame on the two paths of a redundant
// network have in common, and which path this copy took. Source: IEC 62439-3.
type Redundancy struct {
	Kind     RedundancyKind
	Sequence uint16 // counted by the sender: a copy has the same
	LAN      uint8  // of PRP 0xa or 0xb; of HSR the path identifier
}

// RedundancyKind is how a frame is marked as one of two copies.
type RedundancyKind uint8

// The kinds.
const (
	NoRedundancy RedundancyKind = iota
	PRP                         // a trailer behind the frame
	HSR                         // a tag in front of the EtherType
)

// The EtherType of HSR tags, and the suffix that marks PRP trailers, which is the
// EtherType of supervision frames. Source: IANA, IEEE 802 Numbers.
const (
	etherHSR  = 0x892f
	prpSuffix = 0x88fb
)

// prp looks for a redundancy control trailer at the end of the Ethernet frame b,
// and returns the frame without it. Behind it there may be a check sequence, which
// goes as well. A frame that was cut has no end to look at.
func (p *Packet) prp(b []byte, wire int) ([]byte, int) {
	const trailer = 6
	if len(b) != wire {
		return b, wire
	}
	for end := wire; end >= wire-ethernetCheck && end >= ethernetBytes+trailer; end -= ethernetCheck {
		if t := b[end-trailer : end]; isPRP(t, b[:end]) {
			p.Redundancy = Redundancy{Kind: PRP, Sequence: be16(t), LAN: t[2] >> 4}
			p.rare = true
			end -= trailer
			return b[:end:end], end
		}
	}
	return b, wire
}

// isPRP reports whether t, the last bytes of frame, is a redundancy control
// trailer: it names LAN A or B, and its size is that of all behind the EtherType.
// Tags may be counted or not: both are sent. Source: IEC 62439-3:2016, 4.2.7.
func isPRP(t, frame []byte) bool {
	const tag = 4
	lan, size := t[2]>>4, int(be16(t[2:])&0xfff)
	if be16(t[4:]) != prpSuffix || lan != 0xa && lan != 0xb {
		return false
	}
	at := ethernetBytes
	for len(frame)-at > size && isTag(be16(frame[at-2:])) {
		at += tag
	}
	return len(frame)-at == size
}

// hsr reads an HSR tag, which hides the EtherType t behind it. Its size field is
// not needed: what the tag hides says itself how long it is.
// Source: IEC 62439-3:2016, 5.7.
func (p *Packet) hsr(b []byte, wire int) (t uint16, rest []byte, n int, o Outcome) {
	const tag = 6
	if len(b) < tag {
		return 0, nil, 0, p.short(wire, tag, "hsr tag")
	}
	p.Redundancy = Redundancy{Kind: HSR, Sequence: be16(b[2:]), LAN: b[0] >> 4}
	p.rare = true
	return be16(b[4:]), b[tag:], wire - tag, Decoded
}
