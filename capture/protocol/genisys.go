package protocol

import (
	"bytes"
	"fmt"

	"bulkhead/capture"
)

// Genisys is the protocol by which a railway's control office polls and commands
// signalling in the field, over TCP.
//
// Source: Union Switch & Signal (Ansaldo STS) SM-6700, "Genisys Protocol
// Specification", as cisagov/icsnpp-genisys lays it out.
var Genisys = &Protocol{
	Name:      capture.Genisys,
	Over:      []capture.Transport{capture.TCP},
	Recognise: recogniseGenisys,
	New:       func() Decoder { return genisysDecoder{} },
}

// A message begins with a header octet and ends with a terminator; between them
// octets of 0xf0 and more are two, 0xf0 and the lower four bits. Not every sender
// does so with the check.
const (
	genisysFirst  = 0xf1
	genisysLast   = 0xfe
	genisysEscape = 0xf0
	genisysEnd    = 0xf6

	genisysAck  = 0xf1
	genisysPoll = 0xfb

	genisysMax = 1 + 2*(1+2*256+2) + 1 // all addresses, every octet escaped
)

// genisysOps are the messages by header.
var genisysOps = func() (ops [256]Op) {
	for i := range ops {
		ops[i] = Op{capture.Genisys, fmt.Sprintf("0x%02x", i), "header of no manual", capture.Configure}
	}
	for code, o := range map[byte]Op{
		genisysAck:  {Name: "Acknowledge Client", Class: capture.Reply},
		0xf2:        {Name: "Indication Data", Class: capture.Reply},
		0xf3:        {Name: "Control Data Checkback", Class: capture.Reply},
		0xf9:        {Name: "Common Control Data", Class: capture.Control},
		0xfa:        {Name: "Acknowledge Indication and Poll", Class: capture.Read},
		genisysPoll: {Name: "Poll", Class: capture.Read},
		0xfc:        {Name: "Control Data", Class: capture.Control},
		0xfd:        {Name: "Recall", Class: capture.Read},
		0xfe:        {Name: "Execute Controls", Class: capture.Control},
	} {
		ops[code].Name, ops[code].Class = o.Name, o.Class
	}
	return ops
}()

// genisysRead says which station a whole message without its end is for or from.
// It is good if its check is right, and checked if it has one, which two kinds of
// message may go without.
func genisysRead(m []byte) (station byte, checked, ok bool) {
	var plain [genisysMax]byte
	for _, bare := range [...]int{0, 2} {
		n := genisysPlain(&plain, m, bare)
		if n == 2 && (m[0] == genisysAck || m[0] == genisysPoll) {
			return plain[1], false, true
		}
		if n >= 4 && crc16Good(plain[:n]) {
			return plain[1], true, true
		}
	}
	return 0, false, false
}

// genisysPlain undoes the escaping of a message but for its last octets, bare of
// them, and returns its size, or 0 if that cannot be.
func genisysPlain(plain *[genisysMax]byte, m []byte, bare int) int {
	end := len(m) - bare
	n := 0
	for i := 0; i < len(m); i++ {
		c := m[i]
		if c == genisysEscape && i < end {
			i++
			if i >= end || m[i] > 0x0f {
				return 0
			}
			c |= m[i]
		}
		plain[n] = c
		n++
	}
	return n
}

// genisysCut returns the message at the front of b without its end, or nil if it
// does not end, or has no header or is too long, in which case bad is set.
func genisysCut(b []byte) (m []byte, bad bool) {
	if b[0] < genisysFirst || b[0] > genisysLast || b[0] == genisysEnd {
		return nil, true
	}
	end := bytes.IndexByte(b[:min(len(b), genisysMax)], genisysEnd)
	if end < 0 {
		return nil, len(b) >= genisysMax
	}
	return b[:end], false
}

// recogniseGenisys is sure of a message with the right check.
func recogniseGenisys(b []byte) Match {
	if len(b) == 0 {
		return Match{Score: More}
	}
	m, bad := genisysCut(b)
	switch {
	case bad:
		return Match{}
	case m == nil:
		return Match{Score: More}
	}
	_, checked, ok := genisysRead(m)
	if !ok {
		return Match{}
	}
	match := Match{Score: Weak}
	if checked {
		match.Score = Sure
	}
	switch op := &genisysOps[m[0]]; op.Class {
	case capture.Reply:
		match.Role = Server
	case capture.Read, capture.Control:
		match.Role = Client
	}
	return match
}

// genisysDecoder reads messages one by one; nothing is carried from one to the
// next.
type genisysDecoder struct{}

// Decode implements [Decoder].
func (genisysDecoder) Decode(x *Exchange, from capture.Side, b []byte) int {
	used := 0
	for used < len(b) {
		rest := b[used:]
		m, bad := genisysCut(rest)
		if bad {
			x.Undecoded()
			end := bytes.IndexByte(rest, genisysEnd)
			if end < 0 {
				return len(b)
			}
			used += end + 1
			continue
		}
		if m == nil {
			return used
		}
		used += len(m) + 1
		station, _, ok := genisysRead(m)
		if !ok {
			x.Undecoded()
			continue
		}
		op, key := &genisysOps[m[0]], uint64(station)
		switch {
		case op.Class == capture.Reply:
			x.Note(op, from).Unit(uint16(station))
			x.Answer(from, key, true)
		case from == capture.FromClient:
			x.Forget(from, key)
			x.Ask(op, from, key).Unit(uint16(station))
		default:
			x.Note(op, from).Unit(uint16(station))
		}
	}
	return used
}
