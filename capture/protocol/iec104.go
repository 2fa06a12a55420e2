package protocol

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"strconv"

	"bulkhead/capture"
)

// IEC104 is telecontrol over TCP: APDUs of three formats, one of which carries
// an ASDU of IEC 60870-5-101.
//
// Source: IEC 60870-5-104:2006, 5 (formats), 6 and 7 (selection of ASDUs); IEC
// 60870-5-101:2003, 7.2 (identifier, causes of transmission, elements) and 7.3
// (types). Types 41 and 81 to 95 are those of IEC TS 60870-5-7:2013. Sizes of
// elements are held against Wireshark's dissector in the tests' captures.
var IEC104 = &Protocol{
	Name:      capture.IEC104,
	Over:      []capture.Transport{capture.TCP},
	Recognise: recogniseIEC104,
	New:       func() Decoder { return new(iec104Decoder) },
}

const (
	iec104Start = 0x68
	iec104Head  = 6   // start, length, four control octets
	iec104Min   = 4   // the length of an APDU without an ASDU: its control octets
	iec104Max   = 253 // the longest
	iec104DUI   = 6   // of an ASDU: type, structure, cause (2), common address (2)
	iec104IOA   = 3   // the address of an information object
)

// Fields of an ASDU.
const (
	iec104Sequence = 0x80 // structure: one address in front of all elements
	iec104Cause    = 0x3f // the bits of the cause; above them are negative and test
	iec104Negative = 0x40
	iec104Bit8     = 0x80 // S/E of a command's qualifier; negative in a file's
)

// The causes of transmission that the decoder treats apart. Source: IEC
// 60870-5-101:2003, 7.2.3.
const (
	iec104Spontaneous  = 3
	iec104Request      = 5 // request or requested
	iec104Act          = 6
	iec104ActCon       = 7
	iec104Deact        = 8
	iec104DeactCon     = 9
	iec104ActTerm      = 10
	iec104Interrogated = 20 // by the station's interrogation, the groups' and, to 41, the counters'
	iec104LastGroup    = 41
	iec104Unknown      = 44 // type; 45 the cause, 46 the common address, 47 the object
	iec104LastUnknown  = 47
)

// The types that the decoder treats apart.
const (
	iec104Initialized  = 70
	iec104Auth         = 82 // the reply to a challenge
	iec104Counters     = 101
	iec104Read         = 102
	iec104FileReady    = 120
	iec104SectionReady = 121
	iec104Call         = 122
	iec104LastFile     = 127
)

// iec104Verb tells apart what ASDUs of one type do, mostly by their cause.
type iec104Verb uint8

const (
	iec104Plain      iec104Verb = iota // what the type says, and no more
	iec104Selects                      // a command whose S/E bit is set
	iec104Executes                     // and one whose bit is not
	iec104Changes                      // an interrogation that freezes or resets counters
	iec104Withdraws                    // deactivation
	iec104Confirms                     // activation confirmation, positive or negative
	iec104Withdrawn                    // deactivation confirmation
	iec104Terminates                   // activation termination
	iec104Refuses                      // unknown type, cause, common address or object
	iec104Answers                      // requested, or interrogated
	iec104Reports                      // of a station of its own accord, with a type that else asks
	iec104Verbs
)

var iec104VerbNames = [iec104Verbs]string{
	iec104Selects: ", select", iec104Executes: ", execute", iec104Changes: ", freeze or reset", iec104Withdraws: ", deactivation",
	iec104Confirms: ", activation confirmation", iec104Withdrawn: ", deactivation confirmation",
	iec104Terminates: ", activation termination", iec104Refuses: ", unknown type, cause or address", iec104Answers: ", requested",
	iec104Reports: ", spontaneous",
}

// iec104Type is what is known of a type of ASDU.
type iec104Type struct {
	class     capture.Class // of what asks
	size      uint8         // octets of an information element
	unequal   bool          // elements have no one size
	qualifier uint8         // where in the element the S/E bit is, counted from 1; 0 for none
	ops       [iec104Verbs]Op
}

// iec104Types holds every type. One that nobody published is classed as
// configure whatever it is sent for, unless its cause says that it answers.
var iec104Types = func() (t [256]iec104Type) {
	set := func(id int, class capture.Class, size, qualifier uint8, name string) {
		k := &t[id]
		k.class, k.size, k.qualifier = class, size, qualifier
		for verb := range iec104Verbs {
			op := Op{capture.IEC104, strconv.Itoa(id), name + iec104VerbNames[verb], class}
			switch verb {
			case iec104Changes:
				op.Class = capture.Write
			case iec104Confirms, iec104Withdrawn, iec104Terminates, iec104Refuses, iec104Answers:
				op.Class = capture.Reply
			case iec104Reports:
				op.Class = capture.Event
			}
			k.ops[verb] = op
		}
	}
	for id := range t {
		set(id, capture.Configure, 0, 0, fmt.Sprintf("type %d", id))
		t[id].unequal = true
	}
	for _, k := range []struct {
		id              int
		class           capture.Class
		size, qualifier uint8
		name            string
	}{
		{1, capture.Event, 1, 0, "M_SP_NA_1 single-point information"},
		{2, capture.Event, 4, 0, "M_SP_TA_1 single-point information with time tag"},
		{3, capture.Event, 1, 0, "M_DP_NA_1 double-point information"},
		{4, capture.Event, 4, 0, "M_DP_TA_1 double-point information with time tag"},
		{5, capture.Event, 2, 0, "M_ST_NA_1 step position information"},
		{6, capture.Event, 5, 0, "M_ST_TA_1 step position information with time tag"},
		{7, capture.Event, 5, 0, "M_BO_NA_1 bitstring of 32 bit"},
		{8, capture.Event, 8, 0, "M_BO_TA_1 bitstring of 32 bit with time tag"},
		{9, capture.Event, 3, 0, "M_ME_NA_1 measured value, normalized value"},
		{10, capture.Event, 6, 0, "M_ME_TA_1 measured value, normalized value with time tag"},
		{11, capture.Event, 3, 0, "M_ME_NB_1 measured value, scaled value"},
		{12, capture.Event, 6, 0, "M_ME_TB_1 measured value, scaled value with time tag"},
		{13, capture.Event, 5, 0, "M_ME_NC_1 measured value, short floating point number"},
		{14, capture.Event, 8, 0, "M_ME_TC_1 measured value, short floating point number with time tag"},
		{15, capture.Event, 5, 0, "M_IT_NA_1 integrated totals"},
		{16, capture.Event, 8, 0, "M_IT_TA_1 integrated totals with time tag"},
		{17, capture.Event, 6, 0, "M_EP_TA_1 event of protection equipment with time tag"},
		{18, capture.Event, 7, 0, "M_EP_TB_1 packed start events of protection equipment with time tag"},
		{19, capture.Event, 7, 0, "M_EP_TC_1 packed output circuit information of protection equipment with time tag"},
		{20, capture.Event, 5, 0, "M_PS_NA_1 packed single-point information with status change detection"},
		{21, capture.Event, 2, 0, "M_ME_ND_1 measured value, normalized value without quality descriptor"},
		{30, capture.Event, 8, 0, "M_SP_TB_1 single-point information with time tag CP56Time2a"},
		{31, capture.Event, 8, 0, "M_DP_TB_1 double-point information with time tag CP56Time2a"},
		{32, capture.Event, 9, 0, "M_ST_TB_1 step position information with time tag CP56Time2a"},
		{33, capture.Event, 12, 0, "M_BO_TB_1 bitstring of 32 bit with time tag CP56Time2a"},
		{34, capture.Event, 10, 0, "M_ME_TD_1 measured value, normalized value with time tag CP56Time2a"},
		{35, capture.Event, 10, 0, "M_ME_TE_1 measured value, scaled value with time tag CP56Time2a"},
		{36, capture.Event, 12, 0, "M_ME_TF_1 measured value, short floating point number with time tag CP56Time2a"},
		{37, capture.Event, 12, 0, "M_IT_TB_1 integrated totals with time tag CP56Time2a"},
		{38, capture.Event, 10, 0, "M_EP_TD_1 event of protection equipment with time tag CP56Time2a"},
		{39, capture.Event, 11, 0, "M_EP_TE_1 packed start events of protection equipment with time tag CP56Time2a"},
		{40, capture.Event, 11, 0, "M_EP_TF_1 packed output circuit information of protection equipment with time tag CP56Time2a"},

		{45, capture.Control, 1, 1, "C_SC_NA_1 single command"},
		{46, capture.Control, 1, 1, "C_DC_NA_1 double command"},
		{47, capture.Control, 1, 1, "C_RC_NA_1 regulating step command"},
		{48, capture.Control, 3, 3, "C_SE_NA_1 set point command, normalized value"},
		{49, capture.Control, 3, 3, "C_SE_NB_1 set point command, scaled value"},
		{50, capture.Control, 5, 5, "C_SE_NC_1 set point command, short floating point number"},
		{51, capture.Control, 4, 0, "C_BO_NA_1 bitstring of 32 bit"},
		{58, capture.Control, 8, 1, "C_SC_TA_1 single command with time tag CP56Time2a"},
		{59, capture.Control, 8, 1, "C_DC_TA_1 double command with time tag CP56Time2a"},
		{60, capture.Control, 8, 1, "C_RC_TA_1 regulating step command with time tag CP56Time2a"},
		{61, capture.Control, 10, 3, "C_SE_TA_1 set point command, normalized value with time tag CP56Time2a"},
		{62, capture.Control, 10, 3, "C_SE_TB_1 set point command, scaled value with time tag CP56Time2a"},
		{63, capture.Control, 12, 5, "C_SE_TC_1 set point command, short floating point number with time tag CP56Time2a"},
		{64, capture.Control, 11, 0, "C_BO_TA_1 bitstring of 32 bit with time tag CP56Time2a"},

		{iec104Initialized, capture.Event, 1, 0, "M_EI_NA_1 end of initialization"},

		{100, capture.Read, 1, 0, "C_IC_NA_1 interrogation command"},
		{iec104Counters, capture.Read, 1, 0, "C_CI_NA_1 counter interrogation command"},
		{iec104Read, capture.Read, 0, 0, "C_RD_NA_1 read command"},
		{103, capture.Configure, 7, 0, "C_CS_NA_1 clock synchronization command"},
		{104, capture.Diagnose, 2, 0, "C_TS_NA_1 test command"},
		{105, capture.Mode, 1, 0, "C_RP_NA_1 reset process command"},
		{106, capture.Configure, 2, 0, "C_CD_NA_1 delay acquisition command"},
		{107, capture.Diagnose, 9, 0, "C_TS_TA_1 test command with time tag CP56Time2a"},

		{110, capture.Configure, 3, 0, "P_ME_NA_1 parameter of measured value, normalized value"},
		{111, capture.Configure, 3, 0, "P_ME_NB_1 parameter of measured value, scaled value"},
		{112, capture.Configure, 5, 0, "P_ME_NC_1 parameter of measured value, short floating point number"},
		{113, capture.Configure, 1, 0, "P_AC_NA_1 parameter activation"},

		{iec104FileReady, capture.File, 6, 0, "F_FR_NA_1 file ready"},
		{iec104SectionReady, capture.File, 7, 0, "F_SR_NA_1 section ready"},
		{iec104Call, capture.File, 4, 0, "F_SC_NA_1 call directory, select file, call file, call section"},
		{123, capture.File, 5, 0, "F_LS_NA_1 last section, last segment"},
		{124, capture.File, 4, 0, "F_AF_NA_1 ack file, ack section"},
		{126, capture.File, 13, 0, "F_DR_TA_1 directory"},
		{iec104LastFile, capture.File, 16, 0, "F_SC_NB_1 query log"},
	} {
		set(k.id, k.class, k.size, k.qualifier, k.name)
		t[k.id].unequal = false
	}
	for _, k := range []struct { // their elements have lengths of their own
		id    int
		class capture.Class
		name  string
	}{
		{125, capture.File, "F_SG_NA_1 segment"},

		{41, capture.Event, "S_IT_TC_1 integrated totals containing time tagged security statistics"},
		{81, capture.Session, "S_CH_NA_1 authentication challenge"},
		{iec104Auth, capture.Session, "S_RP_NA_1 authentication reply"},
		{83, capture.Configure, "S_AR_NA_1 aggressive mode authentication request"},
		{84, capture.Session, "S_KR_NA_1 session key status request"},
		{85, capture.Session, "S_KS_NA_1 session key status"},
		{86, capture.Session, "S_KC_NA_1 session key change"},
		{87, capture.Session, "S_ER_NA_1 authentication error"},
		{90, capture.Configure, "S_US_NA_1 user status change"},
		{91, capture.Configure, "S_UQ_NA_1 update key change request"},
		{92, capture.Configure, "S_UR_NA_1 update key change reply"},
		{93, capture.Configure, "S_UK_NA_1 update key change, symmetric"},
		{94, capture.Configure, "S_UA_NA_1 update key change, asymmetric"},
		{95, capture.Configure, "S_UC_NA_1 update key change confirmation"},
	} {
		set(k.id, k.class, 0, 0, k.name)
		t[k.id].unequal = true
	}
	return t
}()

// The operations of APDUs without an ASDU. A confirmation is a reply.
var (
	iec104StartAct = Op{capture.IEC104, "STARTDT", "STARTDT act", capture.Session}
	iec104StartCon = Op{capture.IEC104, "STARTDT", "STARTDT con", capture.Reply}
	iec104StopAct  = Op{capture.IEC104, "STOPDT", "STOPDT act", capture.Session}
	iec104StopCon  = Op{capture.IEC104, "STOPDT", "STOPDT con", capture.Reply}
	iec104TestAct  = Op{capture.IEC104, "TESTFR", "TESTFR act", capture.Session}
	iec104TestCon  = Op{capture.IEC104, "TESTFR", "TESTFR con", capture.Reply}
	iec104Ack      = Op{capture.IEC104, "S", "S-format (acknowledgement)", capture.Session}
)

// iec104Function returns the operation of an unnumbered format by its first
// control octet, whose two low bits tell the format, and its confirmation's
// octet if it asks for one; nil if there is none. Source: IEC 60870-5-104:2006, 5.
func iec104Function(control byte) (op *Op, confirmation byte) {
	switch control {
	case 0x07:
		return &iec104StartAct, 0x0b
	case 0x0b:
		return &iec104StartCon, 0
	case 0x13:
		return &iec104StopAct, 0x23
	case 0x23:
		return &iec104StopCon, 0
	case 0x43:
		return &iec104TestAct, 0x83
	case 0x83:
		return &iec104TestCon, 0
	}
	return nil, 0
}

// iec104Format is what the control octets say.
type iec104Format uint8

const (
	iec104Cut iec104Format = iota // b ends before it can be told
	iec104Bad                     // they contradict themselves, or the length
	iec104I                       // numbered information: an ASDU follows
	iec104S                       // supervisory: acknowledges
	iec104U                       // unnumbered control
)

// cutAPDU tells the format and size, in bytes, of the APDU that b begins with.
func cutAPDU(b []byte) (f iec104Format, size int) {
	if len(b) > 0 && b[0] != iec104Start || len(b) > 1 && (b[1] < iec104Min || b[1] > iec104Max) {
		return iec104Bad, 0
	}
	if len(b) < iec104Head {
		return iec104Cut, 0
	}
	length, control := int(b[1]), b[2:iec104Head]
	size = 2 + length
	switch {
	case control[0]&1 == 0 && control[2]&1 == 0 && length >= iec104Min+iec104DUI+iec104IOA:
		f = iec104I
	case control[0] == 1 && control[1] == 0 && control[2]&1 == 0 && length == iec104Min:
		f = iec104S
	case control[0]&3 == 3 && control[1]|control[2]|control[3] == 0 && length == iec104Min:
		f = iec104U
	default:
		return iec104Bad, 0
	}
	if op, _ := iec104Function(control[0]); f == iec104U && op == nil {
		return iec104Bad, 0
	}
	return f, size
}

// recogniseIEC104 is sure of APDUs that follow one another up to the end of b,
// one of which at least starts, stops or tests, or bears an ASDU whose length is
// the one that its type and number of objects give.
func recogniseIEC104(b []byte) Match {
	m := Match{Score: More}
	for len(b) > 0 {
		f, size := cutAPDU(b)
		if f == iec104Bad {
			return Match{}
		}
		if f == iec104Cut || size > len(b) {
			return m
		}
		role, agrees := AnyRole, true
		switch f {
		case iec104S:
			agrees = false
		case iec104I:
			role, agrees = iec104Role(b[iec104Head:size])
		case iec104U:
			switch op, _ := iec104Function(b[2]); op {
			case &iec104StartAct, &iec104StopAct:
				role = Client
			case &iec104StartCon, &iec104StopCon:
				role = Server
			}
		}
		if m.Role == AnyRole {
			m.Role = role
		}
		switch {
		case agrees:
			m.Score = Sure
		case m.Score == More:
			m.Score = Weak
		}
		b = b[size:]
	}
	return m
}

// iec104Role tells who sent an ASDU, and whether its length agrees with its type
// and number of objects.
func iec104Role(asdu []byte) (role Role, agrees bool) {
	id, cause := asdu[0], asdu[2]&iec104Cause
	k := &iec104Types[id]
	if n := int(asdu[1] &^ iec104Sequence); n > 0 && !k.unequal {
		objects := len(asdu) - iec104DUI
		if asdu[1]&iec104Sequence != 0 {
			agrees = objects == iec104IOA+n*int(k.size)
		} else {
			agrees = objects == n*(iec104IOA+int(k.size))
		}
	}
	switch {
	case k.class == capture.Event, cause == iec104ActCon, cause == iec104DeactCon, cause == iec104ActTerm:
		return Server, agrees
	case cause == iec104Act, cause == iec104Deact, id == iec104Read:
		return Client, agrees
	}
	return AnyRole, agrees
}

// iec104Decoder reads APDUs one by one.
type iec104Decoder struct {
	astray [2]bool // bytes that are no APDU are being skipped
}

// Decode implements [Decoder].
func (d *iec104Decoder) Decode(x *Exchange, from capture.Side, b []byte) int {
	if x.Gap(from) {
		d.astray[from] = false
	}
	n := 0
	for n < len(b) {
		f, size := cutAPDU(b[n:])
		if f == iec104Bad {
			if !d.astray[from] {
				d.astray[from] = true
				x.Undecoded()
			}
			next := bytes.IndexByte(b[n+1:], iec104Start)
			if next < 0 {
				return len(b)
			}
			n += 1 + next
			continue
		}
		if f == iec104Cut || size > len(b)-n {
			return n
		}
		d.astray[from] = false
		apdu := b[n : n+size]
		n += size
		switch f {
		case iec104S:
			x.Note(&iec104Ack, from)
		case iec104U:
			iec104Unnumbered(x, from, apdu[2])
		case iec104I:
			iec104ASDU(x, from, apdu[iec104Head:])
		}
	}
	return n
}

// iec104Unnumbered counts a start, stop or test of the transfer, whose key is
// the octet that confirms it.
func iec104Unnumbered(x *Exchange, from capture.Side, control byte) {
	op, confirmation := iec104Function(control)
	if confirmation == 0 {
		x.Note(op, from)
		x.Answer(from, uint64(control), true)
		return
	}
	x.Forget(from, uint64(confirmation))
	x.Ask(op, from, uint64(confirmation))
}

// iec104Key is what an answer has in common with what it answers: the type, the
// common address, the first object, whether it is a select, whether a
// deactivation. Types begin at 1, so that no key is that of a control octet.
func iec104Key(id byte, station uint16, object uint32, selects, withdraws bool) uint64 {
	key := uint64(id)<<48 | uint64(station)<<32 | uint64(object)<<8
	if selects {
		key |= 1
	}
	if withdraws {
		key |= 2
	}
	return key
}

// iec104ASDU reads an ASDU of at least one object's address: type, structure
// qualifier, cause of transmission and originator, common address, objects.
func iec104ASDU(x *Exchange, from capture.Side, asdu []byte) {
	id, cause, positive := asdu[0], asdu[2]&iec104Cause, asdu[2]&iec104Negative == 0
	k := &iec104Types[id]
	element := asdu[iec104DUI+iec104IOA:]
	if id == 0 || asdu[1]&^iec104Sequence == 0 || len(element) < int(k.size) {
		x.Undecoded()
		return
	}
	station := binary.LittleEndian.Uint16(asdu[4:])
	object := uint32(asdu[6]) | uint32(asdu[7])<<8 | uint32(asdu[8])<<16
	selects := k.qualifier > 0 && element[k.qualifier-1]&iec104Bit8 != 0
	verb, asks := iec104Purpose(from, id, cause, positive)
	switch {
	case !asks || verb != iec104Plain:
	case selects:
		verb = iec104Selects
	case k.class == capture.Control:
		verb = iec104Executes
	case id == iec104Counters && element[0]>>6 != 0: // FRZ: freeze, freeze with reset, reset
		verb = iec104Changes
	case id == iec104Call:
		asks = iec104Calls(element[3])
	}
	op, key := &k.ops[verb], iec104Key(id, station, object, selects, verb == iec104Withdraws)
	if asks {
		x.Forget(from, key)
		x.Ask(op, from, key).Unit(station)
		return
	}
	x.Note(op, from).Unit(station)
	withdrawal := iec104Key(id, station, object, selects, true)
	switch {
	case verb == iec104Confirms, verb == iec104Terminates:
		x.Answer(from, key, positive)
	case verb == iec104Withdrawn:
		x.Answer(from, withdrawal, positive)
	case verb == iec104Refuses:
		x.Answer(from, key, false)
		x.Answer(from, withdrawal, false)
	case verb == iec104Answers:
		x.Answer(from, iec104Key(iec104Read, station, object, false, false), true)
	case k.class == capture.File:
		accepted := id != iec104FileReady && id != iec104SectionReady || element[k.size-1]&iec104Bit8 == 0
		x.Answer(from, iec104Key(iec104Call, station, object, false, false), accepted)
	case id == iec104Auth:
		x.Forget(from, key)
		x.Login(from, key, "iec104 secure authentication", false, 0)
	}
}

// iec104Purpose tells by its cause what an ASDU is sent for, and whether it
// wants an answer.
func iec104Purpose(from capture.Side, id, cause byte, positive bool) (verb iec104Verb, asks bool) {
	class := iec104Types[id].class
	interrogated := iec104Interrogated <= cause && cause <= iec104LastGroup
	switch {
	case iec104Unknown <= cause && cause <= iec104LastUnknown, id == iec104Call && !positive:
		return iec104Refuses, false
	case cause == iec104ActCon:
		return iec104Confirms, false
	case cause == iec104DeactCon:
		return iec104Withdrawn, false
	case cause == iec104ActTerm:
		return iec104Terminates, false
	case class == capture.Event && (cause == iec104Request || interrogated):
		return iec104Answers, false
	case class == capture.Event, class == capture.Session, class == capture.File && id != iec104Call:
		return iec104Plain, false
	case cause == iec104Deact:
		return iec104Withdraws, true
	case class == capture.Control || from == capture.FromClient:
		return iec104Plain, true
	case interrogated:
		return iec104Answers, false // a parameter's value
	case cause != iec104Spontaneous:
		return iec104Plain, true
	case iec104Types[id].unequal: // nobody published what it is
		return iec104Plain, false
	}
	return iec104Reports, false // the station's clock
}

// iec104Calls reports whether a call asks for something that is then sent: by
// its qualifier it selects or calls a file or section, rather than deactivates
// or deletes one. Source: IEC 60870-5-101:2003, 7.2.6.30.
func iec104Calls(qualifier byte) bool {
	switch qualifier & 0x0f {
	case 3, 4, 7:
		return false
	}
	return true
}
