package protocol

import (
	"bytes"
	"encoding/binary"
	"strconv"

	"bulkhead/capture"
)

// ROCPlus is Emerson's (Fisher's) ROC Plus, which ROC800 controllers and FloBoss
// flow computers of oil and gas speak, over TCP and UDP.
//
// Source: Emerson D301180X012, "ROC Plus Protocol Specifications Manual", October
// 2022, chapter 2 (opcodes, message, check); cisagov/icsnpp-roc-plus for the
// directions of opcodes.
var ROCPlus = &Protocol{
	Name:      capture.ROCPlus,
	Over:      []capture.Transport{capture.TCP, capture.UDP},
	Recognise: recogniseROCPlus,
	New:       func() Decoder { return new(rocDecoder) },
}

const (
	rocHeader = 6 // destination unit and group, source unit and group, opcode, length of the data
	rocCheck  = 2
)

// The opcodes that the decoder treats apart.
const (
	rocLogin  = 17
	rocFile   = 203
	rocSignal = 224
	rocAck    = 225
	rocError  = 255
)

// rocOps are the opcodes. The parameters that 11, 166 and 181 write may be set
// points and outputs as well as configuration: the class is that of a value.
var rocOps = func() (ops [256]Op) {
	for i := range ops {
		ops[i] = Op{capture.ROCPlus, strconv.Itoa(i), "opcode " + strconv.Itoa(i), capture.Configure}
	}
	for _, o := range []struct {
		code  byte
		class capture.Class
		name  string
	}{
		{6, capture.Discover, "System Configuration"},
		{7, capture.Read, "Read Real-time Clock"},
		{8, capture.Configure, "Set Real-time Clock"},
		{10, capture.Read, "Read Configurable Opcode Point Data"},
		{11, capture.Write, "Write Configurable Opcode Point Data"},
		{rocLogin, capture.Session, "Login Request"},
		{24, capture.Configure, "Store and Forward"},
		{50, capture.Read, "Request I/O Point Position"},
		{100, capture.Configure, "Access User-Defined Information"},
		{105, capture.Read, "Request Today's and Yesterday's Min/Max Values"},
		{108, capture.Read, "Request History Tag and Periodic Index"},
		{118, capture.Read, "Request Alarm Data"},
		{119, capture.Read, "Request Event Data"},
		{135, capture.Read, "Request Single History Point Data"},
		{136, capture.Read, "Request Multiple History Point Data"},
		{137, capture.Read, "Request History Index for a Day"},
		{138, capture.Read, "Request Daily and Periodic History for a Day"},
		{139, capture.Read, "History Information Data"},
		{166, capture.Write, "Set Single Point Parameters"},
		{167, capture.Read, "Request Single Point Parameters"},
		{180, capture.Read, "Request Parameters"},
		{181, capture.Write, "Write Parameters"},
		{rocFile, capture.File, "General File Transfer"},
		{205, capture.Configure, "Peer-to-Peer Network Messages"},
		{206, capture.Read, "Read Transaction History Data"},
		{rocSignal, capture.Event, "SRBX Signal"},
		{rocAck, capture.Session, "Acknowledge SRBX"},
		{rocError, capture.Reply, "Error Indicator"},
	} {
		ops[o.code].Class, ops[o.code].Name = o.class, o.name
	}
	return ops
}()

// rocKnown reports whether the manual has an opcode.
func rocKnown(opcode byte) bool {
	name := rocOps[opcode].Name
	return len(name) < 7 || name[:7] != "opcode "
}

// recogniseROCPlus is sure of a message of the manual's with the right check.
func recogniseROCPlus(b []byte) Match {
	if len(b) < rocHeader {
		return Match{Score: More}
	}
	opcode, length := b[4], int(b[5])
	if !rocKnown(opcode) || b[0] == 0 && b[1] == 0 && b[2] == 0 && b[3] == 0 {
		return Match{}
	}
	size := rocHeader + length + rocCheck
	switch {
	case len(b) < size:
		return Match{Score: More}
	case !crc16Good(b[:size]):
		return Match{}
	}
	const sessionKey = 24 // the only answer to a log-in that has data
	m := Match{Score: Sure}
	switch opcode {
	case rocError, rocSignal:
		m.Role = Server
	case rocAck:
		m.Role = Client
	case 6, 7: // a request has no data
		m.Role = Client
		if length > 0 {
			m.Role = Server
		}
	case 11, 166, 181: // an answer has none
		m.Role = Server
		if length > 0 {
			m.Role = Client
		}
	case rocLogin:
		m.Role = Server
		if length > 0 && length != sessionKey {
			m.Role = Client
		}
	}
	return m
}

// rocDecoder counts the requests, for a message bears no number: what answers it
// has its opcode, and is the answer to the first of them that is open.
type rocDecoder struct{ requests uint32 }

// Decode implements [Decoder].
func (d *rocDecoder) Decode(x *Exchange, from capture.Side, b []byte) int {
	used := 0
	for {
		m := b[used:]
		if len(m) < rocHeader {
			return used
		}
		size := rocHeader + int(m[5]) + rocCheck
		switch {
		case size > len(m):
			return used
		case !crc16Good(m[:size]):
			x.Undecoded() // the length cannot be trusted
			return len(b)
		}
		d.message(x, from, m[:size])
		used += size
	}
}

// message reads a whole message.
func (d *rocDecoder) message(x *Exchange, from capture.Side, m []byte) {
	opcode, data := m[4], m[rocHeader:len(m)-rocCheck]
	op, unit := &rocOps[opcode], binary.BigEndian.Uint16(m)
	switch {
	case opcode == rocSignal, opcode == rocAck:
		x.Note(op, from).Unit(unit)
	case opcode == rocError: // names no opcode
		rocAnswer(x, from, func(uint64) bool { return true }, false)
	case from == capture.FromServer:
		rocAnswer(x, from, func(key uint64) bool { return key>>32 == uint64(opcode) }, true)
	default:
		key := uint64(opcode)<<32 | uint64(d.requests)
		d.requests++
		x.Ask(op, from, key).Unit(unit)
		if opcode == rocLogin {
			rocSecret(x, from, key, data)
		}
	}
}

// rocAnswer settles the request that has been open longest of those that are
// meant.
func rocAnswer(x *Exchange, from capture.Side, meant func(key uint64) bool, accepted bool) {
	var oldest uint64
	found := false
	x.Open(from.Other(), func(_ *Op, key uint64) bool {
		oldest, found = key, meant(key)
		return !found
	})
	if found {
		x.Answer(from, oldest, accepted)
	}
}

// rocSecret reads a log-in: an operator of 3 characters and a password of 16
// bits, or of 30 and 40 characters, then the level or "LOGOUT". Source: manual,
// opcode 17.
func rocSecret(x *Exchange, from capture.Side, key uint64, data []byte) {
	const (
		standard = 3 + 2
		enhanced = 30 + 40
	)
	if bytes.HasSuffix(data, []byte("LOGOUT")) {
		return
	}
	switch len(data) {
	case standard, standard + 1:
		x.Login(from, key, "roc operator", true, 2)
	case enhanced, enhanced + 1:
		x.Login(from, key, "roc operator", true, len(bytes.TrimRight(data[30:enhanced], " \x00")))
	}
}
