package protocol

import (
	"bytes"
	"encoding/binary"
	"fmt"

	"bulkhead/capture"
)

// S7Plus is S7comm-plus, the protocol of Siemens SIMATIC S7-1200 and S7-1500
// controllers.
//
// Source: Siemens has not published it. Names and layouts are those of T. Wiens,
// "S7comm-plus Wireshark dissector plugin" (2014) and S7CommPlusDriver (2023);
// versions and digests as in C. Lei, L. Donghong, M. Liang, "The spear to break the
// security wall of S7CommPlus" (Black Hat Europe 2017).
var S7Plus = &Protocol{
	Name:      capture.S7Plus,
	Over:      []capture.Transport{capture.TCP},
	Recognise: recogniseS7Plus,
	New:       func() Decoder { return new(s7PlusDecoder) },
}

const (
	s7PlusMagic  = 0x72
	s7PlusHeader = 4 // identifier, version, length of what follows; the last part of a PDU has such a header behind it

	// The versions, which say of what kind the PDU is.
	s7PlusConnect   = 1
	s7PlusData      = 2
	s7PlusDigest    = 3    // with a digest before the data
	s7PlusExtAlive  = 0xfe // keep-alives
	s7PlusKeepAlive = 0xff

	// The opcodes.
	s7PlusRequest      = 0x31
	s7PlusResponse     = 0x32
	s7PlusNotification = 0x33
	s7PlusResponse2    = 0x02

	s7PlusHead = 14 // of a request: opcode, reserved, function, reserved, sequence, session, flags

	s7PlusCreate   = 0x04ca
	s7PlusDelete   = 0x04d4
	s7PlusSet      = 0x04f2
	s7PlusSetMulti = 0x0542

	// Objects that requests name.
	s7PlusSessions = 285 // the container of sessions
	s7PlusExecUnit = 52  // what runs and stops the program
)

// s7PlusOps are the functions. One that nobody described is classed as configure.
var s7PlusOps = func() map[uint16]*Op {
	t := make(map[uint16]*Op)
	for _, o := range []struct {
		function uint16
		class    capture.Class
		name     string
	}{
		{0x04b1, capture.Session, "Error"},
		{0x04bb, capture.Read, "Explore"},
		{s7PlusCreate, capture.Program, "CreateObject"},
		{s7PlusDelete, capture.Program, "DeleteObject"},
		{s7PlusSet, capture.Write, "SetVariable"},
		{0x04fc, capture.Read, "GetVariable"},
		{0x0506, capture.Configure, "AddLink"},
		{0x051a, capture.Configure, "RemoveLink"},
		{0x0524, capture.Read, "GetLink"},
		{s7PlusSetMulti, capture.Write, "SetMultiVariables"},
		{0x054c, capture.Read, "GetMultiVariables"},
		{0x0556, capture.Session, "BeginSequence"},
		{0x0560, capture.Session, "EndSequence"},
		{0x056b, capture.Configure, "Invoke"},
		{0x057c, capture.Write, "SetVarSubStreamed"},
		{0x0586, capture.Read, "GetVarSubStreamed"},
		{0x0590, capture.Read, "GetVariablesAddress"},
		{0x059a, capture.Session, "Abort"},
		{0x05b3, capture.Session, "InitSsl"},
	} {
		op := s7PlusOp(o.function, o.class, o.name)
		t[o.function] = &op
	}
	return t
}()

// What some functions do depends on the object that they name first.
var (
	s7PlusNewSession   = s7PlusOp(s7PlusCreate, capture.Session, "CreateObject, session")
	s7PlusSubscribe    = s7PlusOp(s7PlusCreate, capture.Read, "CreateObject in the session (subscription)")
	s7PlusEndSession   = s7PlusOp(s7PlusDelete, capture.Session, "DeleteObject, session")
	s7PlusSetSession   = s7PlusOp(s7PlusSet, capture.Session, "SetVariable of the session")
	s7PlusSetSessions  = s7PlusOp(s7PlusSetMulti, capture.Session, "SetMultiVariables of the session")
	s7PlusSetMode      = s7PlusOp(s7PlusSet, capture.Mode, "SetVariable of the CPU's execution unit")
	s7PlusSetModes     = s7PlusOp(s7PlusSetMulti, capture.Mode, "SetMultiVariables of the CPU's execution unit")
	s7PlusNotify       = Op{capture.S7Plus, "notification", "Notification", capture.Event}
	s7PlusAlive        = Op{capture.S7Plus, "keepalive", "Keep Alive", capture.Session}
	s7PlusUnknown      = Op{capture.S7Plus, "0x0000", "function of no description", capture.Configure}
	s7PlusLegitimation = "s7comm-plus legitimation"
)

func s7PlusOp(function uint16, class capture.Class, name string) Op {
	return Op{Protocol: capture.S7Plus, Code: fmt.Sprintf("0x%04x", function), Name: name, Class: class}
}

// recogniseS7Plus looks for the protocol's identifier in the first data that the
// transport carries, as recogniseS7comm does.
func recogniseS7Plus(b []byte) Match {
	const enough = tpktHeader + 3 + s7PlusHeader + 33 + 5 // up to and with the function, behind a digest
	match := Match{Score: More}
	for len(b) > 0 {
		tpdu, size := cutTPKT(b)
		if size < 0 {
			return Match{}
		}
		if size == 0 {
			if len(b) > 7 && b[5]&0xf0 == cotpData && b[7] != s7PlusMagic {
				return Match{}
			}
			if len(b) < enough || b[5]&0xf0 != cotpData {
				return match
			}
			tpdu, size = b[tpktHeader:], len(b)
		}
		t, ok := parseCOTP(tpdu)
		if !ok {
			return Match{}
		}
		switch t.kind {
		case cotpRequest:
			match.Role = Client
		case cotpConfirm:
			match.Role = Server
		case cotpData:
			if len(t.data) > 0 {
				return matchS7Plus(t.data)
			}
		}
		b = b[size:]
	}
	return match
}

func matchS7Plus(tsdu []byte) Match {
	version, data, _, ok := cutS7Plus(tsdu)
	switch {
	case !ok && (len(tsdu) < s7PlusHeader+5 || tsdu[0] != s7PlusMagic):
		return Match{}
	case !ok: // only the front is at hand
		version, data = tsdu[1], tsdu[s7PlusHeader:]
	}
	switch version {
	case s7PlusConnect, s7PlusData:
	case s7PlusDigest:
		if data = cutS7PlusDigest(data); data == nil {
			return Match{}
		}
	case s7PlusExtAlive, s7PlusKeepAlive:
		return Match{Score: Weak}
	default:
		return Match{}
	}
	switch {
	case len(data) < 5 || data[1] != 0 || data[2] != 0 && data[0] != s7PlusNotification:
		return Match{}
	case data[0] == s7PlusRequest && s7PlusOps[binary.BigEndian.Uint16(data[3:])] != nil:
		return Match{Sure, Client}
	case data[0] == s7PlusResponse && s7PlusOps[binary.BigEndian.Uint16(data[3:])] != nil:
		return Match{Sure, Server}
	}
	return Match{Score: Weak}
}

// cutS7Plus reads the header of a PDU, or of a part of one: version, the data and
// whether it is the last part.
func cutS7Plus(tsdu []byte) (version byte, data []byte, last, ok bool) {
	if len(tsdu) < s7PlusHeader || tsdu[0] != s7PlusMagic {
		return 0, nil, false, false
	}
	version = tsdu[1]
	if version == s7PlusExtAlive || version == s7PlusKeepAlive {
		return version, nil, true, true
	}
	end := s7PlusHeader + int(binary.BigEndian.Uint16(tsdu[2:]))
	if end > len(tsdu) {
		return 0, nil, false, false
	}
	return version, tsdu[s7PlusHeader:end], len(tsdu)-end >= s7PlusHeader && tsdu[end] == s7PlusMagic, true
}

// cutS7PlusDigest returns what follows the digest, which has its length in front,
// or nil if there is none.
func cutS7PlusDigest(data []byte) []byte {
	const size = 32
	if len(data) < 1+size || data[0] != size {
		return nil
	}
	return data[1+size:]
}

// s7PlusDecoder reads PDUs from the transport's data units. A long PDU comes in
// parts that have headers of their own; its front, which is all that is read, is
// in the first.
type s7PlusDecoder struct {
	units  tsduReader
	inside [2]bool // the next part of a side is not its PDU's first
	said   bool    // the controller has been identified
}

// Decode implements [Decoder].
func (d *s7PlusDecoder) Decode(x *Exchange, from capture.Side, b []byte) int {
	if x.gap[from] { // which is the reader's to take note of
		d.inside[from] = false
	}
	return d.units.read(x, from, b, func(tsdu []byte) { d.part(x, from, tsdu) })
}

// part reads a PDU, or one of its parts.
func (d *s7PlusDecoder) part(x *Exchange, from capture.Side, tsdu []byte) {
	const records = 0x14 // TLS inside the transport, since TIA Portal V17: 0x14 to 0x17
	if len(tsdu) > 3 && records <= tsdu[0] && tsdu[0] <= records+3 && tsdu[1] == 3 {
		x.Protect(Encrypted)
		return
	}
	version, data, last, ok := cutS7Plus(tsdu)
	if !ok {
		x.Undecoded()
		d.inside[from] = false
		return
	}
	if data == nil {
		x.Note(&s7PlusAlive, from)
		return
	}
	first := !d.inside[from]
	d.inside[from] = !last
	if !first {
		return
	}
	switch version {
	case s7PlusConnect:
	case s7PlusData:
		x.Protect(Clear)
	case s7PlusDigest:
		x.Protect(Integrity)
		data = cutS7PlusDigest(data)
	default:
		x.Undecoded()
		return
	}
	d.pdu(x, from, data)
}

// pdu reads the front of a PDU.
func (d *s7PlusDecoder) pdu(x *Exchange, from capture.Side, data []byte) {
	switch {
	case len(data) >= 1 && data[0] == s7PlusNotification:
		x.Note(&s7PlusNotify, from)
	case len(data) >= s7PlusHead && data[0] == s7PlusRequest:
		function, sequence := binary.BigEndian.Uint16(data[3:]), binary.BigEndian.Uint16(data[7:])
		op := s7PlusAsked(function, binary.BigEndian.Uint32(data[9:]), data[s7PlusHead:])
		key := s7PlusKey(function, sequence)
		x.Forget(from, key)
		x.Ask(op, from, key)
		if op == &s7PlusSetSession {
			s7PlusLogin(x, from, key, data[s7PlusHead:])
		}
	case len(data) >= 10 && (data[0] == s7PlusResponse || data[0] == s7PlusResponse2):
		function, sequence := binary.BigEndian.Uint16(data[3:]), binary.BigEndian.Uint16(data[7:])
		accepted, ok := s7PlusAccepted(data[10:])
		if !ok {
			x.Undecoded()
			return
		}
		x.Answer(from, s7PlusKey(function, sequence), accepted)
		if function == s7PlusCreate && !d.said {
			d.said = s7PlusIdentity(x, from, data)
		}
	default:
		x.Undecoded()
	}
}

func s7PlusKey(function, sequence uint16) uint64 {
	return uint64(function)<<16 | uint64(sequence)
}

// s7PlusAsked returns the operation of a request of a session. Most bodies begin
// with the object that is meant.
func s7PlusAsked(function uint16, session uint32, body []byte) *Op {
	object := uint32(0)
	if len(body) >= 4 {
		object = binary.BigEndian.Uint32(body)
	}
	own := object == session && object != 0
	switch {
	case function == s7PlusCreate && object == s7PlusSessions:
		return &s7PlusNewSession
	case function == s7PlusCreate && own:
		return &s7PlusSubscribe
	case function == s7PlusDelete && own:
		return &s7PlusEndSession
	case function == s7PlusSet && own:
		return &s7PlusSetSession
	case function == s7PlusSetMulti && own:
		return &s7PlusSetSessions
	case function == s7PlusSet && object == s7PlusExecUnit:
		return &s7PlusSetMode
	case function == s7PlusSetMulti && object == s7PlusExecUnit:
		return &s7PlusSetModes
	}
	if op := s7PlusOps[function]; op != nil {
		return op
	}
	return &s7PlusUnknown
}

// s7PlusLogin looks for the answer to the controller's challenge, which is an
// attribute of the session: behind the object stand the number of identifiers and
// the attribute, two octets of seven bits each.
func s7PlusLogin(x *Exchange, from capture.Side, key uint64, body []byte) {
	const response = "\x01\x82\x30" // one identifier: 304, ServerSessionResponse
	if len(body) >= 4+len(response) && string(body[4:4+len(response)]) == response {
		x.Login(from, key, s7PlusLegitimation, false, 0)
	}
}

// s7PlusAccepted reads the return value: a number of up to nine octets, seven
// bits in each but the last of nine, whose lower 16 bits are negative for an error.
func s7PlusAccepted(b []byte) (accepted, ok bool) {
	v := uint64(0)
	for i := range min(9, len(b)) {
		if i == 8 {
			v = v<<8 | uint64(b[i])
			return int16(v) >= 0, true
		}
		v = v<<7 | uint64(b[i]&0x7f)
		if b[i] < 0x80 {
			return int16(v) >= 0, true
		}
	}
	return false, false
}

// s7PlusIdentity looks for what a controller says it is in the answer to the
// opening of a session: "1;6ES7 214-1HE30-0XB0 ;V2.2", order number and firmware.
func s7PlusIdentity(x *Exchange, from capture.Side, data []byte) bool {
	at := bytes.Index(data, []byte(";6ES7 "))
	if at < 0 {
		return false
	}
	model, rest, ok := bytes.Cut(data[at+1:], []byte(";"))
	if !ok || len(model) > 32 {
		return false
	}
	n := 0
	for n < len(rest) && (rest[n] == 'V' || rest[n] == '.' || '0' <= rest[n] && rest[n] <= '9') {
		n++
	}
	x.Identity(from, capture.Identity{
		Vendor: "Siemens", Model: string(bytes.TrimRight(model, " ")), Firmware: string(rest[:n]), Source: string(capture.S7Plus),
	})
	return true
}
