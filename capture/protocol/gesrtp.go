package protocol

import (
	"encoding/binary"
	"fmt"

	"bulkhead/capture"
)

// GESRTP is the Service Request Transport Protocol of GE's (now Emerson's)
// controllers: a header of 56 octets with a service request in it, and text
// behind it where the request or its answer does not fit.
//
// Source: no specification is published. G. Denton, F. Karpisek, F. Breitinger,
// I. Baggili, "Leveraging the SRTP protocol for over-the-network memory
// acquisition of a GE Fanuc Series 90-30", Digital Investigation 22 (2017),
// section 4 (header, service request codes, message types); the place of the
// request in a message of type 80 as the published drivers gesrtp-py and
// HslCommunication have it.
var GESRTP = &Protocol{
	Name:      capture.GESRTP,
	Over:      []capture.Transport{capture.TCP},
	Recognise: recogniseGESRTP,
	New:       func() Decoder { return new(gesrtpDecoder) },
}

const gesrtpHeader = 56

// The packet types, of octet 0.
const (
	gesrtpOpen = iota
	gesrtpOpened
	gesrtpRequest
	gesrtpResponse
)

// The message types, of octet 31.
const (
	gesrtpShort    = 0xc0 // the request stands at 42
	gesrtpText     = 0x80 // the request stands at 50, and its data behind the header
	gesrtpAck      = 0xd4
	gesrtpAckText  = 0x94
	gesrtpRefusal  = 0xd1
	gesrtpAtShort  = 42
	gesrtpAtText   = 50
	gesrtpMailbox  = 0x0e // octet 37: of the service request processor
	gesrtpMaxReply = 1 << 16
)

// gesrtpServices are the operations by service request code. A code that nobody
// published is classed as configure.
var gesrtpServices = func() (ops [256]Op) {
	for i := range ops {
		ops[i] = Op{capture.GESRTP, fmt.Sprintf("0x%02x", i), fmt.Sprintf("service request 0x%02x", i), capture.Configure}
	}
	for code, o := range map[int]Op{
		0x00: {Name: "PLC Short Status Request", Class: capture.Diagnose},
		0x03: {Name: "Return Control Program Names", Class: capture.Discover},
		0x04: {Name: "Read System Memory", Class: capture.Read},
		0x05: {Name: "Read Task Memory", Class: capture.Read},
		0x06: {Name: "Read Program Memory", Class: capture.Program},
		0x07: {Name: "Write System Memory", Class: capture.Write},
		0x08: {Name: "Write Task Memory", Class: capture.Write},
		0x09: {Name: "Write Program Block Memory", Class: capture.Program},
		0x20: {Name: "Programmer Logon", Class: capture.Session},
		0x21: {Name: "Change PLC CPU Privilege Level", Class: capture.Session},
		0x22: {Name: "Set Control ID (CPU ID)", Class: capture.Configure},
		0x23: {Name: "Set PLC (run versus stop)", Class: capture.Mode},
		0x24: {Name: "Set PLC Time/Date", Class: capture.Configure},
		0x25: {Name: "Return PLC Time/Date", Class: capture.Read},
		0x38: {Name: "Return Fault Table", Class: capture.Diagnose},
		0x39: {Name: "Clear Fault Table", Class: capture.Configure},
		0x3f: {Name: "Program Store (upload from PLC)", Class: capture.Program},
		0x40: {Name: "Program Load (download to PLC)", Class: capture.Program},
		0x43: {Name: "Return Controller Type and ID Information", Class: capture.Discover},
		0x44: {Name: "Toggle Force System Memory", Class: capture.Control},
	} {
		ops[code].Name, ops[code].Class = o.Name, o.Class
	}
	return ops
}()

var gesrtpInit = &Op{capture.GESRTP, "init", "Initialise", capture.Session}

// recogniseGESRTP is sure of a request. The packets that open the dialogue are
// next to nothing but zeros, and responses have little that is fixed: they are
// weak signs.
func recogniseGESRTP(b []byte) Match {
	if len(b) == 0 {
		return Match{Score: More}
	}
	if b[0] > gesrtpResponse || len(b) > 1 && b[1] != 0 {
		return Match{}
	}
	if len(b) < gesrtpHeader {
		return Match{Score: More}
	}
	switch b[0] {
	case gesrtpOpen:
		for _, c := range b[:gesrtpHeader] {
			if c != 0 {
				return Match{}
			}
		}
		return Match{Score: Weak, Role: Client}
	case gesrtpOpened:
		for _, c := range b[18:gesrtpHeader] {
			if c != 0 {
				return Match{}
			}
		}
		if len(b) != gesrtpHeader {
			return Match{}
		}
		return Match{Score: Weak, Role: Server}
	case gesrtpRequest:
		if (b[31] == gesrtpShort || b[31] == gesrtpText) && (b[9] == 1 || b[9] == 2) && b[37] == gesrtpMailbox && b[40] == 1 && b[41] == 1 {
			return Match{Score: Sure, Role: Client}
		}
	case gesrtpResponse:
		switch b[31] {
		case gesrtpAck, gesrtpAckText, gesrtpRefusal:
			return Match{Score: Weak, Role: Server}
		}
	}
	return Match{}
}

// gesrtpDecoder reads packets one by one; nothing is carried from one to the
// next.
type gesrtpDecoder struct{}

// gesrtpOpenKey is the key of the packet that opens the dialogue.
const gesrtpOpenKey = 1 << 16

// Decode implements [Decoder].
func (*gesrtpDecoder) Decode(x *Exchange, from capture.Side, b []byte) int {
	used := 0
	for {
		p := b[used:]
		if len(p) < gesrtpHeader {
			return used
		}
		if p[0] > gesrtpResponse || p[1] != 0 {
			x.Undecoded()
			return len(b)
		}
		size := gesrtpHeader + int(binary.LittleEndian.Uint16(p[4:]))
		if size > gesrtpMaxReply {
			x.Undecoded()
			return len(b)
		}
		if len(p) < size {
			return used
		}
		gesrtpPacket(x, from, p)
		used += size
	}
}

// gesrtpPacket reads the header of a packet.
func gesrtpPacket(x *Exchange, from capture.Side, p []byte) {
	key := uint64(binary.LittleEndian.Uint16(p[2:]))
	switch p[0] {
	case gesrtpOpen:
		x.Forget(from, gesrtpOpenKey)
		x.Ask(gesrtpInit, from, gesrtpOpenKey)
	case gesrtpOpened:
		x.Answer(from, gesrtpOpenKey, true)
	case gesrtpRequest:
		at := gesrtpAtShort
		switch p[31] {
		case gesrtpShort:
		case gesrtpText:
			at = gesrtpAtText
		default:
			x.Undecoded()
			return
		}
		x.Forget(from, key)
		x.Ask(&gesrtpServices[p[at]], from, key)
	case gesrtpResponse:
		switch p[31] {
		case gesrtpAck, gesrtpAckText:
			x.Answer(from, key, true)
		case gesrtpRefusal:
			x.Answer(from, key, false)
		default:
			x.Undecoded()
		}
	}
}
