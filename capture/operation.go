package capture

import (
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// Class is what an operation does to the other side, in one vocabulary over all
// protocols.
type Class string

// The classes of operations.
const (
	Read      Class = "read"
	Write     Class = "write"
	Control   Class = "control"  // operate, trip, select
	Mode      Class = "mode"     // start, stop, reset
	Program   Class = "program"  // logic upload and download
	Firmware  Class = "firmware" // replacing what the device runs on
	Configure Class = "configure"
	File      Class = "file"
	Diagnose  Class = "diagnose"
	Discover  Class = "discover"
	Event     Class = "event"   // report, alarm, cyclic I/O
	Session   Class = "session" // opening, keeping and closing the dialogue itself
	Reply     Class = "reply"   // a PDU whose code says only that it answers another
)

// Classes lists the operation classes.
func Classes() []Class {
	return []Class{Read, Write, Control, Mode, Program, Firmware, Configure, File, Diagnose, Discover, Event, Session, Reply}
}

// IsDialogue reports whether operations of class c serve only the dialogue
// itself and so are part of whatever else a channel permits.
func (c Class) IsDialogue() bool { return c == Session || c == Reply }

// Side is one of the two ends of a conversation.
type Side uint8

// The ends of a conversation.
const (
	FromClient Side = iota
	FromServer
)

// String returns "client" or "server".
func (s Side) String() string {
	if s == FromServer {
		return "server"
	}
	return "client"
}

// Other returns the opposite end.
func (s Side) Other() Side { return 1 - s }

// MarshalText writes the side as String does.
func (s Side) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// UnmarshalText reads what MarshalText writes.
func (s *Side) UnmarshalText(b []byte) error {
	switch string(b) {
	case "client":
		*s = FromClient
	case "server":
		*s = FromServer
	default:
		return fmt.Errorf("side %q: expected client or server", b)
	}
	return nil
}

// Operation is one kind of thing asked for in a conversation, such as Modbus
// function 3. Operations of one conversation differ in at least one of
// Protocol, Code, From, Class and Name.
type Operation struct {
	Protocol Protocol `json:"protocol"`
	Name     string   `json:"name"` // the standard's own words
	Code     string   `json:"code"` // as the protocol's [CodeForm] spells it
	From     Side     `json:"from"` // who sent the PDUs counted
	Class    Class    `json:"class"`

	Count      uint64 `json:"count"`      // PDUs bearing the code; retransmitted segments count once
	Accepted   uint64 `json:"accepted"`   // of them, answered with success
	Refused    uint64 `json:"refused"`    // answered with an error of the protocol's own
	Unanswered uint64 `json:"unanswered"` // asking for an answer that the capture does not hold

	Frames  []FrameRef `json:"frames"` // the first [MaxFrames] frames, each completing one of the PDUs
	Details Details    `json:"details"`
	Active  []Run      `json:"active"` // when it was seen; ascending
	// ActiveCut says that the operation was seen in more runs of minutes than
	// [MaxRuns] and that the later ones are missing from Active.
	ActiveCut bool `json:"active_cut,omitempty"`
}

// Bounds on the lists of an Operation.
const (
	MaxFrames  = 16
	MaxRuns    = 512
	MaxObjects = 64
	MaxUnits   = 256
)

// FrameRef points at a frame of the conversation's capture, counted from 1.
type FrameRef struct {
	Frame uint64 `json:"frame"`
}

// Run is a stretch of consecutive UTC minutes in which an operation was seen.
type Run struct {
	From    Time   `json:"from"` // the start of the first minute
	Minutes uint32 `json:"minutes"`
	Count   uint64 `json:"count"`
	Frame   uint64 `json:"frame"` // the first in it
}

// Details says on what an operation acted, in the protocol's own terms.
type Details struct {
	Units   []uint16      `json:"units,omitempty"`   // unit or station addresses, ascending
	Objects []ObjectRange `json:"objects,omitempty"` // what was read or written, ascending, merged where they touch
	// Cut says that more units or objects were used than the lists hold.
	Cut bool `json:"cut,omitempty"`
}

// ObjectRange is a run of objects of one kind: Modbus registers, say.
type ObjectRange struct {
	Space string // what is numbered: of Modbus coil, discrete, input or holding
	First uint32 // the protocol's own number, counted from 0 for Modbus
	Last  uint32 // not below First
}

// modbusSpaces are the four Modbus tables and the leading digit of their
// references. Source: MODBUS Application Protocol Specification V1.1b3, 4.4; the
// leading digit is the convention of Modicon's reference numbers.
var modbusSpaces = []string{0: "coil", 1: "discrete", 3: "input", 4: "holding"}

// ParseObjects reads a range of a protocol's objects, such as "40001-40020" or
// "40007". Only Modbus has a notation so far: reference numbers of five or six
// digits that count from 1, the first digit naming the table (0 coils, 1
// discrete inputs, 3 input registers, 4 holding registers).
func ParseObjects(p Protocol, s string) (ObjectRange, error) {
	if p != Modbus {
		return ObjectRange{}, fmt.Errorf("objects %q: protocol %s has no object notation", s, p)
	}
	lo, hi, ranged := strings.Cut(s, "-")
	if !ranged {
		hi = lo
	}
	space, first, err := parseModbusReference(lo)
	if err != nil {
		return ObjectRange{}, fmt.Errorf("objects %q: %w", s, err)
	}
	space2, last, err := parseModbusReference(hi)
	if err != nil {
		return ObjectRange{}, fmt.Errorf("objects %q: %w", s, err)
	}
	if space != space2 || first > last {
		return ObjectRange{}, fmt.Errorf("objects %q: the ends are not an ascending range of one table", s)
	}
	return ObjectRange{Space: space, First: first, Last: last}, nil
}

func parseModbusReference(s string) (space string, n uint32, err error) {
	s = strings.TrimSpace(s)
	if len(s) != 5 && len(s) != 6 {
		return "", 0, fmt.Errorf("reference %q: expected five or six digits such as 40001", s)
	}
	table := int(s[0]) - '0'
	if table < 0 || table >= len(modbusSpaces) || modbusSpaces[table] == "" {
		return "", 0, fmt.Errorf("reference %q: expected it to begin with 0, 1, 3 or 4", s)
	}
	v, err := strconv.ParseUint(s[1:], 10, 32)
	if err != nil || v == 0 || v > 1<<16 {
		return "", 0, fmt.Errorf("reference %q: expected a number from 1 to 65536 after the table's digit", s)
	}
	return modbusSpaces[table], uint32(v - 1), nil
}

// Contains reports whether all of o lies in r.
func (r ObjectRange) Contains(o ObjectRange) bool {
	return r.Space == o.Space && r.First <= o.First && o.Last <= r.Last
}

// String returns the notation that ParseObjects reads, or of what is numbered in
// other spaces the space and the numbers: "table 8", "io 1-16".
func (r ObjectRange) String() string {
	table := slices.Index(modbusSpaces, r.Space)
	switch {
	case table < 0 && r.First == r.Last:
		return fmt.Sprintf("%s %d", r.Space, r.First)
	case table < 0:
		return fmt.Sprintf("%s %d-%d", r.Space, r.First, r.Last)
	}
	width := 4
	if r.Last > 9998 {
		width = 5
	}
	lo := fmt.Sprintf("%d%0*d", table, width, r.First+1)
	if r.First == r.Last {
		return lo
	}
	return lo + "-" + fmt.Sprintf("%d%0*d", table, width, r.Last+1)
}

// MarshalJSON writes the range as String does.
func (r ObjectRange) MarshalJSON() ([]byte, error) { return json.Marshal(r.String()) }

// UnmarshalJSON reads what MarshalJSON writes.
func (r *ObjectRange) UnmarshalJSON(b []byte) error {
	var s string
	if err := json.Unmarshal(b, &s); err != nil {
		return err
	}
	v, err := parseRange(s)
	*r = v
	return err
}

// parseRange reads what String writes.
func parseRange(s string) (ObjectRange, error) {
	at := strings.LastIndexByte(s, ' ')
	if at <= 0 {
		return ParseObjects(Modbus, s)
	}
	lo, hi, ranged := strings.Cut(s[at+1:], "-")
	if !ranged {
		hi = lo
	}
	first, err := strconv.ParseUint(lo, 10, 32)
	last, err2 := strconv.ParseUint(hi, 10, 32)
	if err != nil || err2 != nil || first > last || slices.Contains(modbusSpaces, s[:at]) {
		return ObjectRange{}, fmt.Errorf("objects %q: expected what is numbered and an ascending range, such as \"table 8-9\"", s)
	}
	return ObjectRange{Space: s[:at], First: uint32(first), Last: uint32(last)}, nil
}
