package protocol

import (
	"bytes"
	"encoding/binary"

	"bulkhead/capture"
)

// C37118 is IEEE C37.118: phasor measurement units and the data concentrators
// that collect from them, over TCP and UDP.
//
// Source: IEEE Std C37.118.2-2011, clause 6: Table 2 (common to all frames),
// Tables 8 to 10 (configuration), Table 14 and 15 (commands), Annex B (check).
var C37118 = &Protocol{
	Name:      capture.C37118,
	Over:      []capture.Transport{capture.TCP, capture.UDP},
	Recognise: recogniseC37118,
	New:       func() Decoder { return new(c37Decoder) },
}

const (
	c37Sync   = 0xaa
	c37Header = 14 // sync (2), size of the whole (2), stream (2), second (4), fraction and time quality (4)
	c37Check  = 2
	c37Min    = c37Header + c37Check
)

// The types of frame. Source: Table 2.
const (
	c37Data    = 0
	c37Head    = 1
	c37Config1 = 2
	c37Config2 = 3
	c37Command = 4
	c37Config3 = 5
)

// c37Ops are the frames by type, but for commands.
var c37Ops = [8]*Op{
	c37Data:    {capture.C37118, "0", "Data", capture.Event},
	c37Head:    {capture.C37118, "1", "Header", capture.Reply},
	c37Config1: {capture.C37118, "2", "Configuration 1", capture.Reply},
	c37Config2: {capture.C37118, "3", "Configuration 2", capture.Reply},
	c37Config3: {capture.C37118, "5", "Configuration 3", capture.Reply},
	6:          {capture.C37118, "6", "frame type 6", capture.Configure},
	7:          {capture.C37118, "7", "frame type 7", capture.Configure},
}

// c37Commands are the commands by word. Who turns a stream off blinds whatever
// acts on it, so turning it off and on is control. Source: Table 15.
var c37Commands = [9]*Op{
	1: {capture.C37118, "4", "Command: turn off transmission", capture.Control},
	2: {capture.C37118, "4", "Command: turn on transmission", capture.Control},
	3: {capture.C37118, "4", "Command: send header", capture.Read},
	4: {capture.C37118, "4", "Command: send configuration 1", capture.Read},
	5: {capture.C37118, "4", "Command: send configuration 2", capture.Read},
	6: {capture.C37118, "4", "Command: send configuration 3", capture.Read},
	8: {capture.C37118, "4", "Command: extended frame", capture.Configure},
}

var c37OtherCommand = &Op{capture.C37118, "4", "Command: of the user's own or reserved", capture.Configure}

// c37Wants is the type of the frame that answers a command; that nothing does is
// said by c37Command.
var c37Wants = [9]uint64{
	0: c37Command, 1: c37Command, 2: c37Data, 3: c37Head, 4: c37Config1, 5: c37Config2, 6: c37Config3, 7: c37Command, 8: c37Command,
}

// c37Size returns the size of the frame whose header b begins with, or 0 if there
// is none.
func c37Size(b []byte) int {
	const lastVersion = 3
	if b[0] != c37Sync || b[1]&0x80 != 0 || b[1]&0x0f == 0 || b[1]&0x0f > lastVersion {
		return 0
	}
	size := int(binary.BigEndian.Uint16(b[2:]))
	if size < c37Min || c37Type(b) == c37Command && size < c37Min+2 {
		return 0
	}
	return size
}

func c37Type(b []byte) byte { return b[1] >> 4 & 7 }

func c37Good(frame []byte) bool {
	end := len(frame) - c37Check
	return crcCCITT(frame[:end]) == binary.BigEndian.Uint16(frame[end:])
}

// recogniseC37118 is sure of a frame with the right check.
func recogniseC37118(b []byte) Match {
	if len(b) < 4 {
		if len(b) > 0 && b[0] != c37Sync {
			return Match{}
		}
		return Match{Score: More}
	}
	size := c37Size(b)
	if size == 0 {
		return Match{}
	}
	m := Match{Score: Weak, Role: Server}
	if c37Type(b) == c37Command {
		m.Role = Client
	}
	switch {
	case len(b) < size:
		return m
	case !c37Good(b[:size]):
		return Match{}
	}
	m.Score = Sure
	return m
}

// c37Decoder remembers which names a unit gave.
type c37Decoder struct{ names saidNames }

// Decode implements [Decoder].
func (d *c37Decoder) Decode(x *Exchange, from capture.Side, b []byte) int {
	used := 0
	for {
		f := b[used:]
		if len(f) < c37Header {
			return used
		}
		size := c37Size(f)
		switch {
		case size == 0:
			x.Undecoded()
			next := bytes.IndexByte(f[1:], c37Sync)
			if next < 0 {
				return len(b)
			}
			used += 1 + next
			continue
		case size > len(f):
			return used
		case c37Good(f[:size]):
			d.frame(x, from, f[:size])
		default:
			x.Undecoded()
		}
		used += size
	}
}

// frame reads a whole frame.
func (d *c37Decoder) frame(x *Exchange, from capture.Side, f []byte) {
	stream, body := binary.BigEndian.Uint16(f[4:]), f[c37Header:len(f)-c37Check]
	kind := c37Type(f)
	if kind == c37Command {
		word := binary.BigEndian.Uint16(body)
		if int(word) >= len(c37Commands) || c37Commands[word] == nil {
			x.Note(c37OtherCommand, from).Unit(stream)
			return
		}
		wants := c37Wants[word]
		if wants == c37Command {
			x.Note(c37Commands[word], from).Unit(stream)
			return
		}
		key := c37Key(wants, stream)
		x.Forget(from, key)
		x.Ask(c37Commands[word], from, key).Unit(stream)
		return
	}
	x.Note(c37Ops[kind], from).Unit(stream)
	x.Answer(from, c37Key(uint64(kind), stream), true)
	switch kind {
	case c37Config1, c37Config2:
		d.station(x, from, body)
	}
}

func c37Key(kind uint64, stream uint16) uint64 { return kind<<16 | uint64(stream) }

// station reads the name of the station out of a configuration of one unit; a
// concentrator lists those of others. Source: Table 9.
func (d *c37Decoder) station(x *Exchange, from capture.Side, body []byte) {
	const before, width = 6, 16 // time base, number of units; station
	if len(body) < before+width || binary.BigEndian.Uint16(body[4:]) != 1 {
		return
	}
	if name := bytes.Trim(body[before:before+width], " \x00"); len(name) > 0 {
		d.names.say(x, from, name, string(capture.C37118))
	}
}
