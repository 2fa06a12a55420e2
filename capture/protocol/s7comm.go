package protocol

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"strconv"

	"bulkhead/capture"
)

// S7comm is the protocol of Siemens SIMATIC S7-300 and S7-400 controllers. What
// S7-1200 and S7-1500 speak among their own kind is another one: see [S7Plus].
//
// Source: Siemens has not published it. Names and layouts are those of the
// Wireshark dissector's author (T. Wiens, "S7comm Wireshark dissector plugin"),
// of G. Miru ("The Siemens S7 Communication", 2016) and of D. Nardella's Snap7
// manual; the system status lists are Siemens' ("System Software for S7-300/400,
// System and Standard Functions, Volume 2", chapter 1).
var S7comm = &Protocol{
	Name:      capture.S7comm,
	Over:      []capture.Transport{capture.TCP},
	Recognise: recogniseS7comm,
	New:       func() Decoder { return new(s7Decoder) },
}

const (
	s7Magic = 0x32

	s7Job      = 1 // the remote operating service control, ROSCTR
	s7Ack      = 2
	s7AckData  = 3
	s7Userdata = 7

	s7ReadVar     = 0x04
	s7WriteVar    = 0x05
	s7Download    = 0x1b
	s7DownloadEnd = 0x1c
	s7PIService   = 0x28

	s7ItemGood = 0xff // the return code of an item
)

// s7Jobs holds the operation of each function of a job. A function that nobody
// described is classed as configure: no channel that allows reading should let
// it pass, and nothing shows that it writes.
var s7Jobs = func() (t [256]Op) {
	for i := range t {
		t[i] = s7JobOp(byte(i), capture.Configure, fmt.Sprintf("Job 0x%02x", i))
	}
	for _, o := range []struct {
		function byte
		class    capture.Class
		name     string
	}{
		{0x00, capture.Diagnose, "CPU services"},
		{s7ReadVar, capture.Read, "Read Var"},
		{s7WriteVar, capture.Write, "Write Var"},
		{0x1a, capture.Program, "Request download"},
		{s7Download, capture.Program, "Download block"}, // the controller asks for the next part
		{s7DownloadEnd, capture.Program, "Download ended"},
		{0x1d, capture.Program, "Start upload"},
		{0x1e, capture.Program, "Upload"},
		{0x1f, capture.Program, "End upload"},
		{s7PIService, capture.Mode, "PI-Service"},
		{0x29, capture.Mode, "PLC Stop"},
		{0xf0, capture.Session, "Setup communication"},
	} {
		t[o.function] = s7JobOp(o.function, o.class, o.name)
	}
	return t
}()

// s7PIs are the program invocations whose name is known; any other changes, for
// all that is known, how the controller runs.
var s7PIs = [...]struct {
	name string
	op   Op
}{
	{"P_PROGRAM", s7JobOp(s7PIService, capture.Mode, "PI-Service P_PROGRAM (start)")},
	{"_INSE", s7JobOp(s7PIService, capture.Program, "PI-Service _INSE (activate block)")},
	{"_INS2", s7JobOp(s7PIService, capture.Program, "PI-Service _INS2 (activate block)")},
	{"_DELE", s7JobOp(s7PIService, capture.Program, "PI-Service _DELE (delete block)")},
	{"_GARB", s7JobOp(s7PIService, capture.Program, "PI-Service _GARB (compress memory)")},
	{"_MODU", s7JobOp(s7PIService, capture.Program, "PI-Service _MODU (copy RAM to ROM)")},
}

func s7JobOp(function byte, class capture.Class, name string) Op {
	return Op{Protocol: capture.S7comm, Code: fmt.Sprintf("job:0x%02x", function), Name: name, Class: class}
}

const (
	s7GroupCPU      = 4
	s7GroupSecurity = 5
	s7ReadSZL       = 1 // of the CPU functions
	s7Password      = 1 // of the security functions
)

// s7Userdatas holds the operation of each function group and sub-function.
var s7Userdatas = func() (t [16][256]Op) {
	groups := [16]string{
		0: "Mode-transition", 1: "Programmer commands", 2: "Cyclic services", 3: "Block functions", s7GroupCPU: "CPU functions",
		s7GroupSecurity: "Security", 6: "PBC BSEND/BRECV", 7: "Time functions", 15: "NC programming",
	}
	for g := range t {
		for s := range t[g] {
			code := "userdata:" + strconv.Itoa(g) + "/" + strconv.Itoa(s)
			t[g][s] = Op{Protocol: capture.S7comm, Code: code, Name: groups[g], Class: capture.Configure}
		}
	}
	for _, o := range []struct {
		group, sub int
		class      capture.Class
		name       string
	}{
		{1, 1, capture.Diagnose, "Block status"},
		{1, 2, capture.Read, "Variable status"},
		{1, 3, capture.Diagnose, "Output ISTACK"},
		{1, 4, capture.Diagnose, "Output BSTACK"},
		{1, 5, capture.Diagnose, "Output LSTACK"},
		{1, 6, capture.Diagnose, "Time measurement from to"},
		{1, 7, capture.Configure, "Force selection"},
		{1, 8, capture.Write, "Modify variable"},
		{1, 9, capture.Write, "Force"},
		{1, 10, capture.Mode, "Breakpoint"},
		{1, 11, capture.Mode, "Exit HOLD"},
		{1, 12, capture.Mode, "Memory reset"},
		{1, 13, capture.Diagnose, "Disable job"},
		{1, 14, capture.Diagnose, "Enable job"},
		{1, 15, capture.Diagnose, "Delete job"},
		{1, 16, capture.Diagnose, "Read job list"},
		{1, 17, capture.Diagnose, "Read job"},
		{1, 18, capture.Diagnose, "Replace job"},
		{1, 19, capture.Diagnose, "Block status v2"},
		{1, 22, capture.Diagnose, "Flash LED"},
		{2, 1, capture.Read, "Cyclic transfer"},
		{2, 4, capture.Read, "Unsubscribe"},
		{2, 5, capture.Read, "Change driven transfer"},
		{2, 7, capture.Read, "Change driven transfer modify"},
		{2, 8, capture.Read, "RDREC"},
		{3, 1, capture.Discover, "List blocks"},
		{3, 2, capture.Discover, "List blocks of type"},
		{3, 3, capture.Discover, "Get block info"},
		{s7GroupCPU, s7ReadSZL, capture.Diagnose, "Read SZL"},
		{s7GroupCPU, 2, capture.Event, "Message service"},
		{s7GroupCPU, 3, capture.Event, "Diagnostic message"},
		{s7GroupCPU, 5, capture.Event, "ALARM_8 indication"},
		{s7GroupCPU, 6, capture.Event, "NOTIFY indication"},
		{s7GroupCPU, 7, capture.Configure, "ALARM_8 lock"},
		{s7GroupCPU, 8, capture.Configure, "ALARM_8 unlock"},
		{s7GroupCPU, 9, capture.Event, "SCAN indication"},
		{s7GroupCPU, 11, capture.Event, "ALARM ack"},
		{s7GroupCPU, 12, capture.Event, "ALARM ack indication"},
		{s7GroupCPU, 13, capture.Event, "ALARM lock indication"},
		{s7GroupCPU, 14, capture.Event, "ALARM unlock indication"},
		{s7GroupCPU, 17, capture.Event, "ALARM_SQ indication"},
		{s7GroupCPU, 18, capture.Event, "ALARM_S indication"},
		{s7GroupCPU, 19, capture.Event, "ALARM query"},
		{s7GroupCPU, 22, capture.Event, "NOTIFY_8 indication"},
		{s7GroupSecurity, s7Password, capture.Session, "PLC password"},
		{7, 1, capture.Read, "Read clock"},
		{7, 2, capture.Configure, "Set clock"},
		{7, 3, capture.Read, "Read clock (following)"},
		{7, 4, capture.Configure, "Set clock"},
		{15, 1, capture.Program, "Request download"},
		{15, 2, capture.Program, "Download block"},
		{15, 3, capture.Program, "Continue download"},
		{15, 4, capture.Program, "Download ended"},
		{15, 6, capture.Program, "Start upload"},
		{15, 7, capture.Program, "Upload"},
		{15, 8, capture.Program, "Continue upload"},
	} {
		op := &t[o.group][o.sub]
		op.Name, op.Class = o.name, o.class
	}
	return t
}()

// recogniseS7comm looks for the protocol's identifier in the first data that the
// transport carries, behind any connection request or confirmation. Those two
// look alike for all that runs over ISO transport, TSAPs included.
func recogniseS7comm(b []byte) Match {
	const enough = tpktHeader + 3 + 10 // TPKT, COTP data and S7comm headers
	match := Match{Score: More}
	for len(b) > 0 {
		tpdu, size := cutTPKT(b)
		if size < 0 {
			return Match{}
		}
		if size == 0 {
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
				return matchS7(t.data)
			}
		}
		b = b[size:]
	}
	return match
}

func matchS7(pdu []byte) Match {
	if len(pdu) < 10 || pdu[0] != s7Magic {
		return Match{}
	}
	asks, answers := Client, Server
	head := 10
	if pdu[1] == s7Ack || pdu[1] == s7AckData {
		head = 12
	}
	if pdu[1] != s7Userdata && len(pdu) > head && (pdu[head] == s7Download || pdu[head] == s7DownloadEnd) {
		asks, answers = Server, Client // the controller asks for the parts of a download
	}
	switch pdu[1] {
	case s7Job:
		return Match{Sure, asks}
	case s7Ack, s7AckData:
		return Match{Sure, answers}
	case s7Userdata:
		if len(pdu) > 15 && pdu[15]>>4 == s7UserdataRequest {
			return Match{Sure, asks}
		}
		return Match{Sure, answers}
	}
	return Match{}
}

// s7Decoder reads the PDUs in the transport's data units.
type s7Decoder struct{ units tsduReader }

// Decode implements [Decoder].
func (d *s7Decoder) Decode(x *Exchange, from capture.Side, b []byte) int {
	return d.units.read(x, from, b, func(pdu []byte) { s7PDU(x, from, pdu) })
}

// s7PDU reads one PDU: identifier, ROSCTR, two reserved octets, reference, the
// lengths of parameters and data and, of an acknowledgement, error class and code.
func s7PDU(x *Exchange, from capture.Side, pdu []byte) {
	if len(pdu) < 10 || pdu[0] != s7Magic {
		x.Undecoded()
		return
	}
	kind, ref := pdu[1], uint64(binary.BigEndian.Uint16(pdu[4:]))
	header := 10
	if kind == s7Ack || kind == s7AckData {
		header = 12
	}
	endParams := header + int(binary.BigEndian.Uint16(pdu[6:]))
	end := endParams + int(binary.BigEndian.Uint16(pdu[8:]))
	if end > len(pdu) {
		x.Undecoded()
		return
	}
	params, data := pdu[header:endParams], pdu[endParams:end]
	switch {
	case kind == s7Job && len(params) > 0:
		x.Ask(s7Asked(params), from, s7Key(s7Job, ref))
	case kind == s7Ack || kind == s7AckData:
		accepted := pdu[10] == 0 && pdu[11] == 0 && s7AnyItem(params, data)
		x.Answer(from, s7Key(s7Job, ref), accepted)
	case kind == s7Userdata && len(params) >= 8:
		s7UserdataPDU(x, from, ref, params, data)
	default:
		x.Undecoded()
	}
}

// s7Key tells requests apart by their kind and reference.
func s7Key(kind byte, ref uint64) uint64 { return uint64(kind)<<16 | ref }

// s7Asked returns the operation that a job's parameters ask for.
func s7Asked(params []byte) *Op {
	if params[0] == s7PIService {
		name := s7PIName(params)
		for i := range s7PIs {
			if string(name) == s7PIs[i].name {
				return &s7PIs[i].op
			}
		}
	}
	return &s7Jobs[params[0]]
}

// s7PIName returns the name of the program invocation: behind the function come
// seven octets, the length of a parameter block and the block, then the name
// with its length in front. It is nil if they do not fit.
func s7PIName(params []byte) []byte {
	if len(params) < 10 {
		return nil
	}
	at := 10 + int(binary.BigEndian.Uint16(params[8:]))
	if at >= len(params) || at+1+int(params[at]) > len(params) {
		return nil
	}
	return params[at+1 : at+1+int(params[at])]
}

// s7AnyItem reports whether the answer to a read or write of variables says that
// at least one of them succeeded. All other answers have no items and stand by
// their header.
func s7AnyItem(params, data []byte) bool {
	if len(params) < 2 || params[0] != s7ReadVar && params[0] != s7WriteVar || len(data) == 0 {
		return true
	}
	for range params[1] {
		if len(data) == 0 {
			return false
		}
		if data[0] == s7ItemGood {
			return true
		}
		step := 1
		if params[0] == s7ReadVar {
			step = 4 // a failed item has no data behind its transport size and length
		}
		data = data[min(step, len(data)):]
	}
	return params[1] == 0
}

const (
	s7UserdataRequest  = 4
	s7UserdataResponse = 8
)

// s7UserdataPDU reads the parameters of a userdata PDU: a fixed head of three
// octets, length, method, kind and function group, sub-function, sequence
// number and, of a response, data unit, whether more follows, and error code.
// What the controller sends of its own accord is neither request nor response
// and counts nowhere.
func s7UserdataPDU(x *Exchange, from capture.Side, ref uint64, params, data []byte) {
	kind, group, sub := params[5]>>4, params[5]&0xf, params[6]
	key := s7Key(s7Userdata, ref)
	switch kind {
	case s7UserdataRequest:
		x.Ask(&s7Userdatas[group][sub], from, key)
		if group == s7GroupSecurity && sub == s7Password && len(data) > 4 {
			// The password is scrambled without a key, which hides nothing.
			x.Login(from, key, "s7comm password", true, len(data)-4)
		}
	case s7UserdataResponse:
		accepted := len(params) < 12 || params[10] == 0 && params[11] == 0
		x.Answer(from, key, accepted)
		if accepted && group == s7GroupCPU && sub == s7ReadSZL {
			s7SystemStatus(x, from, data)
		}
	}
}

// s7SystemStatus reads what a system status list says of the controller: return
// code, transport size and length, then the list's id and index, the length of a
// record, the number of records, and the records, each with its index in front.
func s7SystemStatus(x *Exchange, from capture.Side, data []byte) {
	if len(data) < 12 || data[0] != s7ItemGood {
		return
	}
	list, size, records := data[5], int(binary.BigEndian.Uint16(data[8:])), data[12:]
	id := capture.Identity{Source: string(capture.S7comm)}
	switch {
	case list == 0x11 && size == 28: // module identification
		for ; len(records) >= size; records = records[size:] {
			switch binary.BigEndian.Uint16(records) {
			case 1:
				id.Model = s7Text(records[2:22]) // the order number
			case 7:
				if v := records[24:28]; v[0] == 'V' {
					id.Firmware = fmt.Sprintf("V%d.%d.%d", v[1], v[2], v[3])
				}
			}
		}
	case list == 0x1c && size == 34: // component identification
		for ; len(records) >= size; records = records[size:] {
			switch binary.BigEndian.Uint16(records) {
			case 1:
				x.Name(from, s7Text(records[2:26]), string(capture.S7comm))
			case 5:
				id.Serial = s7Text(records[2:26])
			case 7:
				id.Model = s7Text(records[2:34])
			}
		}
	}
	if id.Model != "" || id.Firmware != "" || id.Serial != "" {
		x.Identity(from, id)
	}
}

func s7Text(b []byte) string { return string(bytes.TrimRight(b, " \x00")) }
