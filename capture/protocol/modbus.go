package protocol

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"strconv"

	"bulkhead/capture"
)

// Modbus is Modbus over TCP, with the MBAP header or as RTU frames.
//
// Source: MODBUS Messaging on TCP/IP Implementation Guide V1.0b, 3.1 (the MBAP
// header); MODBUS Application Protocol Specification V1.1b3, 5 and 6 (function
// codes, limits), 7 (exceptions), Annex A (reserved codes). Function 90 is
// Schneider Electric's UMAS, which is not published; its sub-codes are as
// L. Martín Liras found them ("The Unity (UMAS) protocol", 2017) and Kaspersky
// ICS CERT confirmed them ("The secrets of Schneider Electric's UMAS protocol",
// 2022).
var Modbus = &Protocol{
	Name:      capture.Modbus,
	Over:      []capture.Transport{capture.TCP},
	Recognise: recogniseModbusTCP,
	New:       func() Decoder { return new(modbusTCPDecoder) },
}

const (
	mbapHeader    = 6   // up to and with the length field, which counts what follows: unit, function, data
	modbusMin     = 2   // unit and function
	modbusMax     = 254 // a PDU of 253 bytes and the unit
	modbusRefused = 0x80

	modbusDiagnostics = 8
	modbusEncapsulate = 43
	modbusUMAS        = 90

	umasOK    = 0xfe // in the place of the sub-code
	umasError = 0xfd
)

// The spaces of Modbus objects, as [capture.ParseObjects] names them.
const (
	coils    = "coil"
	discrete = "discrete"
	inputs   = "input"
	holding  = "holding"
)

// modbusOps holds the operation of each function code. A function that nobody
// published is classed as configure: no channel that allows reading should let
// it pass, and nothing shows that it writes.
var modbusOps = func() (t [128]Op) {
	for i := range t {
		t[i] = modbusOp(i, capture.Configure, fmt.Sprintf("Function %d", i))
	}
	for _, r := range [][2]int{{65, 72}, {100, 110}} {
		for i := r[0]; i <= r[1]; i++ {
			t[i].Name = fmt.Sprintf("User Defined Function %d", i)
		}
	}
	for _, o := range []struct {
		function int
		class    capture.Class
		name     string
	}{
		{1, capture.Read, "Read Coils"},
		{2, capture.Read, "Read Discrete Inputs"},
		{3, capture.Read, "Read Holding Registers"},
		{4, capture.Read, "Read Input Registers"},
		{5, capture.Write, "Write Single Coil"},
		{6, capture.Write, "Write Single Register"},
		{7, capture.Diagnose, "Read Exception Status"},
		{modbusDiagnostics, capture.Diagnose, "Diagnostics"},
		{11, capture.Diagnose, "Get Comm Event Counter"},
		{12, capture.Diagnose, "Get Comm Event Log"},
		{15, capture.Write, "Write Multiple Coils"},
		{16, capture.Write, "Write Multiple Registers"},
		{17, capture.Discover, "Report Server ID"},
		{20, capture.Read, "Read File Record"},
		{21, capture.Write, "Write File Record"},
		{22, capture.Write, "Mask Write Register"},
		{23, capture.Write, "Read/Write Multiple Registers"},
		{24, capture.Read, "Read FIFO Queue"},
		{modbusEncapsulate, capture.Configure, "Encapsulated Interface Transport"},
		{modbusUMAS, capture.Configure, "UMAS"},
	} {
		t[o.function] = modbusOp(o.function, o.class, o.name)
	}
	return t
}()

// diagnosticsOps holds the operations of function 8 by sub-function.
var diagnosticsOps = func() (t [21]Op) {
	for i, name := range map[int]string{
		0: "Return Query Data", 1: "Restart Communications Option", 2: "Return Diagnostic Register",
		3: "Change ASCII Input Delimiter", forceListenOnly: "Force Listen Only Mode",
		10: "Clear Counters and Diagnostic Register", 11: "Return Bus Message Count", 12: "Return Bus Communication Error Count",
		13: "Return Bus Exception Error Count", 14: "Return Server Message Count", 15: "Return Server No Response Count",
		16: "Return Server NAK Count", 17: "Return Server Busy Count", 18: "Return Bus Character Overrun Count",
		20: "Clear Overrun Counter and Flag",
	} {
		t[i] = modbusOp(modbusDiagnostics, capture.Diagnose, "Diagnostics: "+name)
	}
	t[restartComms].Class = capture.Mode
	return t
}()

const (
	restartComms    = 1
	forceListenOnly = 4 // the one sub-function that is never answered
)

// meiOps holds the operations of function 43 by MEI type.
var meiOps = [...]Op{
	meiCANopen:  modbusOp(modbusEncapsulate, capture.Configure, "CANopen General Reference"),
	meiIdentify: modbusOp(modbusEncapsulate, capture.Discover, "Read Device Identification"),
}

const (
	meiCANopen  = 13
	meiIdentify = 14
)

// umasOps holds the operations of function 90 by sub-code. In UMAS an upload is
// a copy to the PLC.
var umasOps = func() (t [256]Op) {
	for i := range t {
		t[i] = modbusOp(modbusUMAS, capture.Configure, fmt.Sprintf("UMAS 0x%02x", i))
	}
	for _, o := range []struct {
		sub   byte
		class capture.Class
		name  string
	}{
		{0x01, capture.Session, "INIT_COMM"},
		{0x02, capture.Discover, "READ_ID"},
		{0x03, capture.Discover, "READ_PROJECT_INFO"},
		{0x04, capture.Diagnose, "READ_PLC_INFO"},
		{0x06, capture.Discover, "READ_CARD_INFO"},
		{0x0a, capture.Diagnose, "REPEAT"},
		{0x10, capture.Session, "TAKE_PLC_RESERVATION"},
		{0x11, capture.Session, "RELEASE_PLC_RESERVATION"},
		{0x12, capture.Session, "KEEP_ALIVE"},
		{0x20, capture.Read, "READ_MEMORY_BLOCK"},
		{0x21, capture.Write, "WRITE_MEMORY_BLOCK"},
		{0x22, capture.Read, "READ_VARIABLES"},
		{0x23, capture.Write, "WRITE_VARIABLES"},
		{0x24, capture.Read, "READ_COILS_REGISTERS"},
		{0x25, capture.Write, "WRITE_COILS_REGISTERS"},
		{0x30, capture.Program, "INITIALIZE_UPLOAD (to the PLC)"},
		{0x31, capture.Program, "UPLOAD_BLOCK (to the PLC)"},
		{0x32, capture.Program, "END_STRATEGY_UPLOAD (to the PLC)"},
		{0x33, capture.Program, "INITIALIZE_DOWNLOAD (from the PLC)"},
		{0x34, capture.Program, "DOWNLOAD_BLOCK (from the PLC)"},
		{0x35, capture.Program, "END_STRATEGY_DOWNLOAD (from the PLC)"},
		{0x39, capture.Read, "READ_ETH_MASTER_DATA"},
		{0x40, capture.Mode, "START_PLC"},
		{0x41, capture.Mode, "STOP_PLC"},
		{0x50, capture.Read, "MONITOR_PLC"},
		{0x58, capture.Diagnose, "CHECK_PLC"},
		{0x70, capture.Read, "READ_IO_OBJECT"},
		{0x71, capture.Write, "WRITE_IO_OBJECT"},
		{0x73, capture.Diagnose, "GET_STATUS_MODULE"},
	} {
		t[o.sub] = modbusOp(modbusUMAS, o.class, "UMAS "+o.name)
	}
	return t
}()

func modbusOp(function int, class capture.Class, name string) Op {
	return Op{Protocol: capture.Modbus, Code: strconv.Itoa(function), Name: name, Class: class}
}

// recogniseModbus looks for an MBAP header (protocol 0 and a length that the
// specification allows) before a PDU. A PDU whose fields agree with its function
// and length is a sure sign: for function 3, say, they leave 1 in 2^40 of random
// bytes. A PDU that does not is a weak one, for functions may be vendors' own or
// sent to break something, if nothing but another header follows.
func recogniseModbus(b []byte) Match {
	if len(b) >= 4 && (b[2] != 0 || b[3] != 0) {
		return Match{}
	}
	if len(b) < mbapHeader {
		return Match{Score: More}
	}
	length := int(binary.BigEndian.Uint16(b[4:]))
	if length < modbusMin || length > modbusMax {
		return Match{}
	}
	// The fields that tell a layout lie within the first 18 bytes.
	if len(b) < min(mbapHeader+length, 18) {
		return Match{Score: More}
	}
	end := min(mbapHeader+length, len(b))
	function, data := b[7], b[8:end]
	if function&^modbusRefused == 0 {
		return Match{}
	}
	m := Match{Score: Weak}
	request, response := modbusLayout(function, data, length-2)
	switch {
	case request && !response:
		m.Role = Client
	case response && !request:
		m.Role = Server
	}
	// LDAP of Microsoft's make begins with 0x30 0x84 and four octets of length.
	likely := mbapFollows(b[end:]) && (b[0] != 0x30 || b[1] != 0x84)
	switch {
	case (request || response) && likely && function != modbusUMAS:
		m.Score = Sure
	case !request && !response && !likely:
		return Match{}
	}
	return m
}

// mbapFollows reports whether b can begin another header, as far as it goes.
func mbapFollows(b []byte) bool {
	for i := 2; i < min(4, len(b)); i++ {
		if b[i] != 0 {
			return false
		}
	}
	if len(b) < mbapHeader {
		return true
	}
	length := binary.BigEndian.Uint16(b[4:])
	return modbusMin <= length && length <= modbusMax
}

// modbusLayout reports whether a PDU can be a request and whether it can be a
// response. Data is what follows the function code, n bytes long, of which at
// least the first 10 are at hand.
func modbusLayout(function byte, data []byte, n int) (request, response bool) {
	u16 := func(i int) int { return int(binary.BigEndian.Uint16(data[i:])) }
	within := func(v, lo, hi int) bool { return lo <= v && v <= hi }
	counted := n >= 2 && int(data[0]) == n-1 // a byte count and so many bytes

	if function >= modbusRefused {
		return false, n == 1 && within(int(data[0]), 1, 11) && int(function&^modbusRefused) != 0
	}
	switch function {
	case 1, 2:
		return n == 4 && within(u16(2), 1, 2000), counted
	case 3, 4:
		return n == 4 && within(u16(2), 1, 125), counted && n%2 == 1
	case 5:
		echo := n == 4 && (u16(2) == 0 || u16(2) == 0xff00)
		return echo, echo
	case 6:
		return n == 4, n == 4
	case 7:
		return n == 0, n == 1
	case modbusDiagnostics:
		echo := n >= 4 && n%2 == 0 && u16(0) < len(diagnosticsOps) && diagnosticsOps[u16(0)].Name != ""
		return echo, echo
	case 11:
		return n == 0, n == 4
	case 12:
		return n == 0, counted && n >= 7
	case 15:
		return n >= 6 && within(u16(2), 1, 1968) && int(data[4]) == (u16(2)+7)/8 && n == 5+int(data[4]),
			n == 4 && within(u16(2), 1, 1968)
	case 16:
		return n >= 7 && within(u16(2), 1, 123) && int(data[4]) == 2*u16(2) && n == 5+int(data[4]),
			n == 4 && within(u16(2), 1, 123)
	case 17:
		return n == 0, counted
	case 20:
		records := counted && data[1] == 6 // the reference type of every record asked for
		return records && (n-1)%7 == 0, counted && n >= 5 && data[2] == 6
	case 21:
		echo := counted && n >= 10 && data[1] == 6
		return echo, echo
	case 22:
		return n == 6, n == 6
	case 23:
		return n >= 11 && within(u16(2), 1, 125) && within(u16(6), 1, 121) && int(data[8]) == 2*u16(6) && n == 9+int(data[8]),
			counted && n%2 == 1
	case 24:
		return n == 2, n >= 4 && u16(0) == n-2
	case modbusEncapsulate:
		if n < 1 || data[0] != meiIdentify {
			return false, false
		}
		return n == 3 && within(int(data[1]), 1, 4), n >= 6 && within(int(data[1]), 1, 4)
	case modbusUMAS:
		if n < 2 {
			return false, false
		}
		answer := data[1] == umasOK || data[1] == umasError
		return !answer, answer
	}
	return false, false
}

// modbusDecoder reads ADUs one by one; nothing is carried from one to the next.
type modbusDecoder struct{}

// Decode implements [Decoder].
func (modbusDecoder) Decode(x *Exchange, from capture.Side, b []byte) int {
	used := 0
	for {
		size, good := cutMBAP(b[used:])
		switch {
		case size == 0:
			return used
		case size < 0:
			x.Undecoded()
			return len(b)
		case !good:
			x.Undecoded()
		case from == capture.FromClient:
			modbusRequest(x, b[used:used+size])
		default:
			modbusResponse(x, b[used:used+size])
		}
		used += size
	}
}

// cutMBAP returns the size of the ADU at the front of b, header included, and
// whether its header is good. The size is 0 if b ends before the ADU does, and
// -1 if it cannot be told.
func cutMBAP(b []byte) (size int, good bool) {
	if len(b) < mbapHeader {
		return 0, false
	}
	length := int(binary.BigEndian.Uint16(b[4:]))
	size = mbapHeader + length
	good = b[2] == 0 && b[3] == 0
	switch {
	case length < modbusMin:
		return -1, false
	case length > modbusMax && good && len(b) < 8:
		return 0, false
	case length > modbusMax && (!good || b[7] != modbusUMAS):
		// UMAS alone negotiates PDUs beyond the specification's limit.
		return -1, false
	case good && size > len(b):
		return 0, false
	case good:
		return size, true
	}
	// Another protocol number: believe the length only if it leads to the end of
	// b or to a header that is good.
	if size == len(b) || size+4 <= len(b) && b[size+2] == 0 && b[size+3] == 0 {
		return size, false
	}
	return -1, false
}

// modbusKey is what a response has in common with its request. Unit and function
// belong to it because some clients number every request alike.
func modbusKey(adu []byte) uint64 {
	return uint64(binary.BigEndian.Uint16(adu))<<16 | uint64(adu[6])<<8 | uint64(adu[7]&^modbusRefused)
}

func modbusRequest(x *Exchange, adu []byte) {
	function, data := adu[7], adu[8:]
	if function == 0 || function >= modbusRefused {
		x.Undecoded()
		return
	}
	op := &modbusOps[function]
	switch {
	case function == modbusDiagnostics && len(data) >= 2:
		sub := binary.BigEndian.Uint16(data)
		if int(sub) < len(diagnosticsOps) && diagnosticsOps[sub].Name != "" {
			op = &diagnosticsOps[sub]
		}
		if sub == forceListenOnly {
			x.Note(op, capture.FromClient).Unit(uint16(adu[6]))
			return
		}
	case function == modbusEncapsulate && len(data) >= 1 && (data[0] == meiCANopen || data[0] == meiIdentify):
		op = &meiOps[data[0]]
	case function == modbusUMAS && len(data) >= 2:
		op = &umasOps[data[1]] // data[0] is the session's key
	}
	use := x.Ask(op, capture.FromClient, modbusKey(adu)).Unit(uint16(adu[6]))
	modbusObjects(use, function, data)
}

// modbusObjects adds the coils or registers that a request names.
func modbusObjects(use *Use, function byte, data []byte) {
	if len(data) < 2 {
		return
	}
	add := func(space string, first, count uint16) {
		use.Objects(space, uint32(first), min(uint32(count), 1<<16-uint32(first)))
	}
	first, count := binary.BigEndian.Uint16(data), uint16(0)
	if len(data) >= 4 {
		count = binary.BigEndian.Uint16(data[2:])
	}
	switch function {
	case 1, 15:
		add(coils, first, count)
	case 2:
		add(discrete, first, count)
	case 3, 16:
		add(holding, first, count)
	case 4:
		add(inputs, first, count)
	case 5:
		add(coils, first, 1)
	case 6, 22, 24:
		add(holding, first, 1)
	case 23:
		add(holding, first, count)
		if len(data) >= 8 {
			add(holding, binary.BigEndian.Uint16(data[4:]), binary.BigEndian.Uint16(data[6:]))
		}
	}
}

func modbusResponse(x *Exchange, adu []byte) {
	function, data := adu[7], adu[8:]
	if function&^modbusRefused == 0 {
		x.Undecoded()
		return
	}
	accepted := function < modbusRefused
	if function == modbusUMAS && len(data) >= 2 && data[1] == umasError {
		accepted = false
	}
	x.Answer(capture.FromServer, modbusKey(adu), accepted)
	if function == modbusEncapsulate && len(data) >= 1 && data[0] == meiIdentify {
		modbusIdentity(x, data)
	}
}

// modbusIdentity reads the objects of a Read Device Identification response:
// MEI type, code, conformity, more follows, next object, their number, and for
// each its id, length and text.
// Source: MODBUS Application Protocol Specification V1.1b3, 6.21.
func modbusIdentity(x *Exchange, data []byte) {
	if len(data) < 6 {
		return
	}
	var vendor, product, revision, name, model []byte
	for objects := data[6:]; len(objects) >= 2; {
		end := 2 + int(objects[1])
		if end > len(objects) {
			break
		}
		text := bytes.TrimRight(objects[2:end], " \x00")
		switch objects[0] {
		case 0:
			vendor = text
		case 1:
			product = text
		case 2:
			revision = text
		case 4:
			name = text
		case 5:
			model = text
		}
		objects = objects[end:]
	}
	for _, other := range [][]byte{name, product} {
		if len(model) == 0 {
			model = other
		}
	}
	if len(vendor)+len(model)+len(revision) == 0 {
		return
	}
	x.Identity(capture.FromServer, capture.Identity{
		Vendor: string(vendor), Model: string(model), Firmware: string(revision), Source: string(capture.Modbus),
	})
}
