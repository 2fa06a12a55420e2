package protocol

import (
	"encoding/binary"
	"fmt"

	"bulkhead/capture"
)

// BSAP is Bristol Babcock's (Emerson's) asynchronous protocol over UDP, by which
// ControlWave controllers of water and gas networks are read and written.
//
// Emerson's manuals (D301401X012, "BSAP Protocol Specification"; D4052, "Network
// 3000 Communications Application Programmer's Reference") describe the functions
// inside; the envelope over UDP is as cisagov/icsnpp-bsap lays it out, which says
// that it was found by observation.
var BSAP = &Protocol{
	Name:      capture.BSAP,
	Over:      []capture.Transport{capture.UDP},
	Recognise: recogniseBSAP,
	New:       func() Decoder { return bsapDecoder{} },
}

const (
	bsapHeader  = 14 // size of the header (2), messages (2), type (2), number (4), number acknowledged (4); little-endian
	bsapMessage = 10 // length of the message (4), size of what precedes the answer (1), number (4), function or status
)

// The types of datagram.
const (
	bsapPoll     = 0
	bsapCounted  = 1
	bsapResponse = 5
	bsapRequest  = 6
	bsapRequest1 = 0x84
	bsapRequest2 = 0x86
)

// The application functions that the decoder looks into.
const (
	bsapRDB       = 0xa0
	bsapExtension = 0xa1
)

var bsapPollOp = &Op{capture.BSAP, "message:0", "Poll or acknowledgement", capture.Session}

var bsapCountedOp = &Op{capture.BSAP, "message:1", "message of type 1", capture.Session}

// bsapFunctions are the application functions of a request. Those whose contents
// nobody published are configure.
var bsapFunctions = func() (ops [256]Op) {
	for i := range ops {
		ops[i] = Op{capture.BSAP, fmt.Sprintf("app:0x%02x", i), fmt.Sprintf("application function 0x%02x", i), capture.Configure}
	}
	for code, o := range map[byte]Op{
		0x03: {Name: "On-line PEI, PC"},
		0x40: {Name: "On-line PEI, RTU"},
		0x48: {Name: "Diagnostics", Class: capture.Diagnose},
		0x60: {Name: "Communication by objects"},
		0x68: {Name: "Flash download", Class: capture.Firmware},
		0x6a: {Name: "Flash configuration"},
		0x70: {Name: "Command handler request"},
		0x78: {Name: "Download request", Class: capture.Program},
		0x88: {Name: "Time synchronisation and node routing table"},
		0x89: {Name: "Request for time synchronisation and node routing table", Class: capture.Read},
		0xa2: {Name: "Report by exception, firmware", Class: capture.Event},
		0xa3: {Name: "Report by exception, manager", Class: capture.Event},
		0xa8: {Name: "Alarm acknowledge"},
		0xa9: {Name: "Alarm initialise"},
		0xaa: {Name: "Alarm report", Class: capture.Event},
		0xb0: {Name: "Peer to peer, master", Class: capture.Write},
		0xb1: {Name: "Peer to peer, slave", Class: capture.Write},
	} {
		ops[code].Name = o.Name
		if o.Class != "" {
			ops[code].Class = o.Class
		}
	}
	return ops
}()

// bsapDatabase are the functions of remote database access. Bit 7 tells writing
// from reading.
var bsapDatabase = func() (ops [256]Op) {
	for i := range ops {
		ops[i] = Op{capture.BSAP, fmt.Sprintf("rdb:0x%02x", i), fmt.Sprintf("Remote database function 0x%02x", i), capture.Configure}
	}
	for code, name := range map[byte]string{
		0x00: "Read Signal by Address",
		0x02: "Read Logical by Address",
		0x04: "Read Signal by Name",
		0x06: "Read Logical by Name",
		0x0c: "Read Signal by List, start",
		0x0d: "Read Signal by List, continue",
		0x0e: "Read Logical by List, start",
		0x0f: "Read Logical by List, continue",
		0x80: "Write Signal by Address",
		0x84: "Write Signal by Name",
		0x8c: "Write Signal by List, start",
		0x8d: "Write Signal by List, continue",
	} {
		ops[code].Name, ops[code].Class = name, capture.Read
		if code&0x80 != 0 {
			ops[code].Class = capture.Write
		}
	}
	return ops
}()

// bsapExtensions are the functions of the gas flow computer GFC 3308.
var bsapExtensions = map[uint16]*Op{
	0x0101: {capture.BSAP, "ext:0x0101", "Reset System", capture.Mode},
	0x0102: {capture.BSAP, "ext:0x0102", "Diagnostics Reset", capture.Diagnose},
	0x0201: {capture.BSAP, "ext:0x0201", "Read Date and Time", capture.Read},
	0x0202: {capture.BSAP, "ext:0x0202", "Read Date", capture.Read},
	0x0203: {capture.BSAP, "ext:0x0203", "Read Time", capture.Read},
	0x0281: {capture.BSAP, "ext:0x0281", "Write Date and Time", capture.Configure},
	0x0400: {capture.BSAP, "ext:0x0400", "Change Local Node Address", capture.Configure},
}

var bsapOtherExtension = &Op{capture.BSAP, "ext:other", "extension of no manual", capture.Configure}

func bsapAsks(kind uint16) bool {
	return kind == bsapRequest || kind == bsapRequest1 || kind == bsapRequest2
}

// recogniseBSAP looks for a header whose messages fill the datagram. That of a
// request names a function besides, and a response repeats a number: those are
// sure.
func recogniseBSAP(b []byte) Match {
	if len(b) < bsapHeader || binary.LittleEndian.Uint16(b) != bsapHeader {
		return Match{}
	}
	count, kind := binary.LittleEndian.Uint16(b[2:]), binary.LittleEndian.Uint16(b[4:])
	if kind == bsapPoll && count == 0 && len(b) == bsapHeader {
		return Match{Score: Weak}
	}
	rest, m, ok := b[bsapHeader:], []byte(nil), count > 0
	for range count {
		if m, rest, ok = bsapCut(rest); !ok {
			return Match{}
		}
	}
	switch {
	case !ok || len(rest) > 0:
		return Match{}
	case bsapAsks(kind) && len(m) >= bsapMessage+2 && (m[9] == bsapRDB || m[9] == bsapExtension):
		return Match{Score: Sure, Role: Client}
	case bsapAsks(kind):
		return Match{Score: Weak, Role: Client}
	case kind == bsapResponse:
		return Match{Score: Sure, Role: Server}
	case kind == bsapCounted:
		return Match{Score: Weak}
	}
	return Match{}
}

// bsapCut cuts a message off b: its length includes the four octets that bear it.
func bsapCut(b []byte) (m, rest []byte, ok bool) {
	if len(b) < bsapMessage {
		return nil, nil, false
	}
	size := binary.LittleEndian.Uint32(b)
	if size < bsapMessage || uint64(size) > uint64(len(b)) {
		return nil, nil, false
	}
	return b[:size], b[size:], true
}

// bsapDecoder keeps nothing: messages do not go on from one datagram to the next.
type bsapDecoder struct{}

// Decode implements [Decoder].
func (bsapDecoder) Decode(x *Exchange, from capture.Side, b []byte) int {
	if len(b) < bsapHeader || binary.LittleEndian.Uint16(b) != bsapHeader {
		x.Undecoded()
		return len(b)
	}
	count, kind := binary.LittleEndian.Uint16(b[2:]), binary.LittleEndian.Uint16(b[4:])
	switch {
	case kind == bsapPoll && count == 0:
		x.Note(bsapPollOp, from)
		return len(b)
	case kind == bsapCounted:
		x.Note(bsapCountedOp, from)
		return len(b)
	case kind != bsapResponse && !bsapAsks(kind):
		x.Undecoded()
		return len(b)
	}
	rest := b[bsapHeader:]
	for range count {
		m, more, ok := bsapCut(rest)
		if !ok {
			x.Undecoded()
			return len(b)
		}
		key := uint64(binary.LittleEndian.Uint32(m[5:]))
		if kind == bsapResponse {
			x.Answer(from, key, m[9] == 0)
		} else if op := bsapAsked(m); op == nil {
			x.Undecoded()
		} else {
			x.Forget(from, key)
			x.Ask(op, from, key)
		}
		rest = more
	}
	return len(b)
}

// bsapAsked returns what a message asks for: behind its function is the status of
// the node, and in the two functions known, what is done with the database.
func bsapAsked(m []byte) *Op {
	data := m[bsapMessage:]
	switch function := m[9]; {
	case function == bsapRDB && len(data) >= 2:
		return &bsapDatabase[data[1]]
	case function == bsapExtension && len(data) >= 3:
		if op := bsapExtensions[binary.LittleEndian.Uint16(data[1:])]; op != nil {
			return op
		}
		return bsapOtherExtension
	case function == bsapRDB, function == bsapExtension:
		return nil
	default:
		return &bsapFunctions[function]
	}
}
