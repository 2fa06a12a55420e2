package protocol

import (
	"bytes"
	"fmt"

	"bulkhead/capture"
)

// SLMP is Mitsubishi's Seamless Message Protocol over TCP and UDP, and the MC
// protocol that it grew out of: frames 1E, 3E and 4E, in binary and in ASCII.
//
// Source: Mitsubishi Electric SH-080956ENG, "SLMP Reference Manual" (frames,
// commands); SH-080008, "MELSEC Communication Protocol Reference Manual"
// (frames 3E, 4E and A-compatible 1E, files, remote password, on-demand); CC-Link
// Partner Association BAP-C2006ENG, "SLMP Specification (Services)" (commands of
// nodes and parameters), BAP-C2010ENG, "CC-Link IE Field Network Basic"
// (command 0E70).
var SLMP = &Protocol{
	Name:      capture.SLMP,
	Over:      []capture.Transport{capture.TCP, capture.UDP},
	Recognise: recogniseSLMP,
	New:       func() Decoder { return new(slmpDecoder) },
}

// Subheaders.
const (
	slmp3EAsk    = 0x50
	slmp4EAsk    = 0x54
	slmp3EAnswer = 0xd0
	slmp4EAnswer = 0xd4

	slmp1EAnswer = 0x80 // set in the subheader of a 1E response
)

// Fields of a 3E frame, counted in octets of its binary form; a 4E frame has a
// serial number and two reserved octets behind the subheader.
const (
	slmp3EHead       = 9 // subheader (2), network, station, module I/O (2), multidrop station, length (2)
	slmp4EHead       = slmp3EHead + 4
	slmpAskMin       = 6       // behind the length: timer, command, subcommand, of two octets each
	slmpMax          = 1 << 14 // the most that is taken for a length; manuals allow about 4 KiB
	slmpError        = 0x5b    // 1E: an abnormal code follows
	slmpWhole1E      = 256     // 1E: what a number of points of 0 stands for
	slmp1EHead       = 4       // subheader, PC number, timer (2)
	slmp1EAnswerHead = 2       // subheader, end code
)

// The commands that the decoder treats apart.
const (
	slmpTypeName = 0x0101
	slmpUnlock   = 0x1630
	slmpOnDemand = 0x2101
)

// slmpOps are the operations by command.
var slmpOps = func() map[uint16]*Op {
	ops := make(map[uint16]*Op)
	for _, o := range []struct {
		code  uint16
		class capture.Class
		name  string
	}{
		{0x0101, capture.Discover, "Read Type Name"},
		{0x0201, capture.File, "Read File Information"},
		{0x0202, capture.File, "Read File Information (details)"},
		{0x0203, capture.File, "Search File"},
		{0x0204, capture.File, "Read File Information Number"},
		{0x0205, capture.Diagnose, "Read Drive Memory State"},
		{0x0206, capture.File, "Read File (A)"},
		{0x0401, capture.Read, "Read Device"},
		{0x0403, capture.Read, "Read Device Random"},
		{0x0406, capture.Read, "Read Device Block"},
		{0x041a, capture.Read, "Array Label Read"},
		{0x041c, capture.Read, "Label Read Random"},
		{0x0601, capture.Read, "Extend Unit Read"},
		{0x0613, capture.Read, "Memory Read"},
		{0x0619, capture.Diagnose, "Self Test (loopback)"},
		{0x0801, capture.Read, "Entry Monitor Device"},
		{0x0802, capture.Read, "Execute Monitor"},
		{0x0808, capture.File, "File Lock"},
		{0x0e28, capture.Discover, "Device Identification Information Get"},
		{0x0e29, capture.Diagnose, "Node Data Monitoring"},
		{0x0e30, capture.Discover, "Node Search"},
		{0x0e31, capture.Configure, "IP Address Set"},
		{0x0e32, capture.Diagnose, "Device Information Compare"},
		{0x0e33, capture.Read, "Parameter Get"},
		{0x0e34, capture.Configure, "Parameter Set"},
		{0x0e35, capture.Configure, "Parameter Set Start"},
		{0x0e36, capture.Configure, "Parameter Set End"},
		{0x0e3a, capture.Configure, "Parameter Set Cancel"},
		{0x0e44, capture.Diagnose, "Status Read"},
		{0x0e45, capture.Read, "Communication Setting Get"},
		{0x0e53, capture.Diagnose, "Status Read 2"},
		{0x0e70, capture.Event, "CC-Link IE Field Basic cyclic data"},
		{0x0e90, capture.Configure, "Network Configuration"},
		{0x0e91, capture.Configure, "CC-Link IE TSN Master Configuration"},
		{0x0e92, capture.Configure, "CC-Link IE TSN Slave Configuration"},
		{0x0e93, capture.Configure, "CC-Link IE TSN Cyclic Configuration"},
		{0x0e94, capture.Configure, "CC-Link IE TSN Notification"},
		{0x0eb0, capture.Read, "Backup: Communication Setting Get"},
		{0x0eb1, capture.Read, "Backup: Station Sub-ID List Get"},
		{0x0eb2, capture.Read, "Backup: Device Information Get"},
		{0x0eb3, capture.Configure, "Backup: Start"},
		{0x0eb4, capture.Configure, "Backup: End"},
		{0x0eb5, capture.Configure, "Backup: Request"},
		{0x0eb6, capture.Read, "Backup: Parameter Get"},
		{0x0eb7, capture.Diagnose, "Restore: Check"},
		{0x0eb8, capture.Configure, "Restore: Start"},
		{0x0eb9, capture.Configure, "Restore: End"},
		{0x0eba, capture.Configure, "Restore: Parameter Set"},
		{0x0ebe, capture.Configure, "Slave Parameter Check Delivery"},
		{0x1001, capture.Mode, "Remote Run"},
		{0x1002, capture.Mode, "Remote Stop"},
		{0x1003, capture.Mode, "Remote Pause"},
		{0x1005, capture.Mode, "Remote Latch Clear"},
		{0x1006, capture.Mode, "Remote Reset"},
		{0x1202, capture.File, "New File (A)"},
		{0x1203, capture.File, "Write File (A)"},
		{0x1204, capture.File, "Change File Information"},
		{0x1205, capture.File, "Delete File (A)"},
		{0x1206, capture.File, "Copy File (A)"},
		{0x1207, capture.File, "Defragment Drive"},
		{0x1401, capture.Write, "Write Device"},
		{0x1402, capture.Write, "Write Device Random"},
		{0x1406, capture.Write, "Write Device Block"},
		{0x141a, capture.Write, "Array Label Write"},
		{0x141b, capture.Write, "Label Write Random"},
		{0x1601, capture.Write, "Extend Unit Write"},
		{0x1613, capture.Write, "Memory Write"},
		{0x1617, capture.Mode, "Clear Error"},
		{0x1619, capture.Configure, "Clear Error History"},
		{0x161a, capture.Configure, "Clear Event History"},
		{0x1630, capture.Session, "Remote Password Unlock"},
		{0x1631, capture.Session, "Remote Password Lock"},
		{0x1810, capture.File, "Read Directory/File"},
		{0x1811, capture.File, "Search Directory/File"},
		{0x1820, capture.File, "New File"},
		{0x1822, capture.File, "Delete File"},
		{0x1824, capture.File, "Copy File"},
		{0x1825, capture.File, "Change File State"},
		{0x1826, capture.File, "Change File Date"},
		{0x1827, capture.File, "Open File"},
		{0x1828, capture.File, "Read File"},
		{0x1829, capture.File, "Write File"},
		{0x182a, capture.File, "Close File"},
		{0x2101, capture.Event, "On-demand"},
		{0x3040, capture.Diagnose, "Communication Test"},
		{0x3050, capture.Diagnose, "Cable Test"},
		{0x3060, capture.Diagnose, "Event History Get Number"},
		{0x3061, capture.Diagnose, "Event History Get"},
		{0x3062, capture.Configure, "Event History Clock Offset Send"},
		{0x3070, capture.Mode, "Remote Control"},
		{0x3072, capture.Configure, "Communication Speed"},
		{0x3119, capture.Discover, "Node Information Get"},
		{0x3206, capture.Mode, "Own Station Cyclic Stop"},
		{0x3207, capture.Mode, "Own Station Cyclic Start"},
		{0x3208, capture.Mode, "Other Station Cyclic Stop"},
		{0x3209, capture.Mode, "Other Station Cyclic Start"},
		{0x320a, capture.Configure, "Link Device Parameter Write"},
		{0x320b, capture.Diagnose, "Link Device Parameter Check Request"},
		{0x320c, capture.Diagnose, "Link Device Parameter Check Response"},
		{0x320d, capture.Configure, "Reserved Station Release"},
		{0x320e, capture.Configure, "Reserved Station Configuration"},
		{0x3210, capture.Configure, "Watchdog Counter Set"},
		{0x3211, capture.Configure, "Watchdog Counter Offset Configuration"},
		{0x3230, capture.Configure, "Node Information Accept"},
		// A CAN object may be read or written by its subcommand, or a set value of a
		// drive: the class is the stronger.
		{0x4020, capture.Write, "CAN Object Access"},
		{0xa445, capture.Read, "Data Collection"},
	} {
		ops[o.code] = &Op{capture.SLMP, fmt.Sprintf("0x%04x", o.code), o.name, o.class}
	}
	return ops
}()

// slmpOther stands for all commands that no manual lists.
var slmpOther = &Op{capture.SLMP, "other", "command of no manual", capture.Configure}

// slmpLayout says how long a 1E frame is.
type slmpLayout struct {
	op     *Op
	fixed  uint8 // octets of the request, but for those that follow the points
	points uint8 // where the number of points is; 0 for none
	item   uint8 // octets for each point in the request
	bits   bool  // and two points to an octet
	answer uint8 // octets for each point in the response, or of all of it where there are none
	packed bool  // two points to an octet of the response
	device uint8 // where the code of a device is; 0 for none
}

// slmp1E are the A-compatible commands by subheader. Source: SH-080008, appendix
// on A-compatible 1E frames.
var slmp1E = func() (t [0x40]slmpLayout) {
	set := func(code int, class capture.Class, name string, l slmpLayout) {
		l.op = &Op{capture.SLMP, fmt.Sprintf("1e:0x%02x", code), name, class}
		t[code] = l
	}
	block := slmpLayout{fixed: 12, points: 10, device: 8}
	with := func(l slmpLayout, item uint8, bits bool, answer uint8, packed bool) slmpLayout {
		l.item, l.bits, l.answer, l.packed = item, bits, answer, packed
		return l
	}
	list := slmpLayout{fixed: 6, points: 4}
	plain := slmpLayout{fixed: slmp1EHead}
	register := slmpLayout{fixed: 12, points: 10}
	direct := slmpLayout{fixed: 10, points: 8}
	set(0x00, capture.Read, "Batch Read (bits)", with(block, 0, false, 1, true))
	set(0x01, capture.Read, "Batch Read (words)", with(block, 0, false, 2, false))
	set(0x02, capture.Write, "Batch Write (bits)", with(block, 1, true, 0, false))
	set(0x03, capture.Write, "Batch Write (words)", with(block, 2, false, 0, false))
	set(0x04, capture.Write, "Test (bits)", with(list, 7, false, 0, false))
	set(0x05, capture.Write, "Test (words)", with(list, 8, false, 0, false))
	set(0x06, capture.Read, "Monitor Data Register (bits)", with(list, 6, false, 0, false))
	set(0x07, capture.Read, "Monitor Data Register (words)", with(list, 6, false, 0, false))
	set(0x08, capture.Read, "Monitor (bits)", slmpLayout{})
	set(0x09, capture.Read, "Monitor (words)", slmpLayout{})
	set(0x0a, capture.Program, "Main Sequence Program Read", slmpLayout{})
	set(0x0b, capture.Program, "Sub Sequence Program Read", slmpLayout{})
	set(0x0c, capture.Program, "Main Sequence Program Write", slmpLayout{})
	set(0x0d, capture.Program, "Sub Sequence Program Write", slmpLayout{})
	set(0x0e, capture.Read, "Special Function Module Batch Read", slmpLayout{})
	set(0x0f, capture.Write, "Special Function Module Batch Write", slmpLayout{})
	set(0x10, capture.Read, "Parameter Batch Read", slmpLayout{})
	set(0x11, capture.Configure, "Parameter Batch Write", slmpLayout{})
	set(0x12, capture.Configure, "Parameter Analysis Request", slmpLayout{})
	set(0x13, capture.Mode, "Remote RUN", plain)
	set(0x14, capture.Mode, "Remote STOP", plain)
	set(0x15, capture.Discover, "PLC Type Read", with(plain, 0, false, 2, false))
	set(0x16, capture.Diagnose, "Loopback Test", slmpLayout{fixed: 5, points: 4, item: 1, answer: 1})
	set(0x17, capture.Read, "Extension File Register Batch Read", with(register, 0, false, 2, false))
	set(0x18, capture.Write, "Extension File Register Batch Write", with(register, 2, false, 0, false))
	set(0x19, capture.Write, "Extension File Register Test", slmpLayout{})
	set(0x1a, capture.Read, "Extension File Register Monitor Data Register", slmpLayout{})
	set(0x1b, capture.Read, "Extension File Register Monitor", slmpLayout{})
	set(0x1c, capture.Read, "Comment Batch Read", slmpLayout{})
	set(0x1d, capture.Configure, "Comment Batch Write", slmpLayout{})
	set(0x1e, capture.Program, "Microcomputer Program Read", slmpLayout{})
	set(0x1f, capture.Program, "Microcomputer Program Write", slmpLayout{})
	set(0x3b, capture.Read, "Extension File Register Direct Read", with(direct, 0, false, 2, false))
	set(0x3c, capture.Write, "Extension File Register Direct Write", with(direct, 2, false, 0, false))
	return t
}()

// slmpDevices are the letters of devices in a 1E frame, the first of them the
// upper octet. Source: SH-080008, device codes of A-compatible 1E frames.
var slmpDevices = []string{"D ", "W ", "R ", "TN", "TS", "TC", "CN", "CS", "CC", "X ", "Y ", "M ", "S ", "L ", "B ", "F "}

// slmpFrame gives the octets of a frame, whether they are on the wire as
// themselves or as two hexadecimal digits each. Numbers of several octets are
// little-endian in binary and read as they are written in ASCII.
type slmpFrame struct {
	b     []byte
	ascii bool
}

// newSLMPFrame tells by the first octet which form b has: no subheader is a
// digit that begins one in ASCII.
func newSLMPFrame(b []byte) slmpFrame {
	return slmpFrame{b: b, ascii: len(b) > 0 && hexDigit(b[0]) >= 0 && !slmpBinary(b[0])}
}

// slmpBinary reports whether c is a subheader's first octet in binary.
func slmpBinary(c byte) bool {
	switch c {
	case slmp3EAsk, slmp4EAsk, slmp3EAnswer, slmp4EAnswer:
		return true
	}
	c &^= slmp1EAnswer
	return int(c) < len(slmp1E) && slmp1E[c].op != nil
}

// size is the number of octets in the frame.
func (f slmpFrame) size() int {
	if f.ascii {
		return len(f.b) / 2
	}
	return len(f.b)
}

// wire is how many octets on the wire n octets of the frame take.
func (f slmpFrame) wire(n int) int {
	if f.ascii {
		return 2 * n
	}
	return n
}

// octet returns octet i of the frame, or -1 if it is not written in hexadecimal.
func (f slmpFrame) octet(i int) int {
	if !f.ascii {
		return int(f.b[i])
	}
	high, low := hexDigit(f.b[2*i]), hexDigit(f.b[2*i+1])
	if high < 0 || low < 0 {
		return -1
	}
	return high<<4 | low
}

// word returns the number of two octets at i, or -1.
func (f slmpFrame) word(i int) int {
	a, b := f.octet(i), f.octet(i+1)
	switch {
	case a < 0 || b < 0:
		return -1
	case f.ascii:
		return a<<8 | b
	}
	return b<<8 | a
}

// raw returns what is on the wire of the octets from i on.
func (f slmpFrame) raw(i int) []byte { return f.b[f.wire(i):] }

func hexDigit(c byte) int {
	switch {
	case '0' <= c && c <= '9':
		return int(c - '0')
	case 'A' <= c && c <= 'F':
		return int(c-'A') + 10
	}
	return -1
}

// slmpHead is what stands in front of the length of a 3E or 4E frame.
type slmpHead struct {
	size   int // of the head, in octets of the frame
	answer bool
	key    uint64 // serial number, or route
	unit   uint16 // station number
	length int    // of what follows, in octets on the wire
}

// head reads the head of a 3E or 4E frame. If ok is false the frame has none; if
// more is true it may have.
func (f slmpFrame) head() (h slmpHead, more, ok bool) {
	n := f.size()
	if n == 0 {
		return h, true, false
	}
	serial := false
	switch f.octet(0) {
	case slmp3EAsk:
	case slmp3EAnswer:
		h.answer = true
	case slmp4EAsk:
		serial = true
	case slmp4EAnswer:
		serial, h.answer = true, true
	default:
		return h, false, false
	}
	at := 2
	h.size = slmp3EHead
	if serial {
		at, h.size = 6, slmp4EHead
	}
	if n >= 2 && f.octet(1) != 0 || serial && n >= 6 && f.word(4) != 0 {
		return h, false, false
	}
	if n < h.size {
		return h, true, false
	}
	network, station, module, drop := f.octet(at), f.octet(at+1), f.word(at+2), f.octet(at+4)
	length := f.word(at + 5)
	if network < 0 || station < 0 || module < 0 || drop < 0 || length < 0 {
		return h, false, false
	}
	h.unit = uint16(station)
	h.key = uint64(network)<<32 | uint64(station)<<24 | uint64(module)<<8 | uint64(drop)
	if serial {
		number := f.word(2)
		if number < 0 {
			return h, false, false
		}
		h.key = 1<<48 | uint64(number)
	}
	h.length = length
	least := slmpAskMin
	if h.answer {
		least = 2
	}
	return h, false, length >= f.wire(least) && length <= slmpMax
}

// recogniseSLMP is sure of a request of the manuals with a plausible route and of
// a batch access in a 1E frame; responses and short 1E frames are weak signs.
func recogniseSLMP(b []byte) Match {
	f := newSLMPFrame(b)
	h, more, ok := f.head()
	switch {
	case more:
		return Match{Score: More}
	case !ok:
		return recognise1E(f)
	}
	// The module that is addressed is a CPU or one of the I/O numbers of a rack.
	route := h.size - 7
	network, module := f.octet(route), f.word(route+2)
	if network > 239 && network != 0xff || module > 0x03ff && module != 0xffff {
		return Match{}
	}
	if h.answer {
		if f.size() < h.size+2 {
			return Match{Score: More}
		}
		end := f.word(h.size)
		if end < 0 || end != 0 && end < 0x4000 {
			return Match{}
		}
		return Match{Score: Weak, Role: Server}
	}
	if f.size() < h.size+slmpAskMin {
		return Match{Score: More}
	}
	command := f.word(h.size + 2)
	if command < 0 || slmpOps[uint16(command)] == nil || f.word(h.size+4) < 0 {
		return Match{}
	}
	m := Match{Score: Sure, Role: Client}
	if command == slmpOnDemand {
		m.Role = Server
	}
	if module != 0x03ff {
		m.Score = Weak
	}
	return m
}

// recognise1E judges a frame that has no mark but what it asks for. One segment
// or datagram has one frame, for a client waits for the response.
func recognise1E(f slmpFrame) Match {
	n := f.size()
	if n == 0 {
		return Match{Score: More}
	}
	sub := f.octet(0)
	if sub < 0 {
		return Match{}
	}
	if sub&slmp1EAnswer != 0 {
		if slmpOf1E(sub&^slmp1EAnswer) == nil || n < slmp1EAnswerHead {
			return Match{}
		}
		if end := f.octet(1); end != 0 && end != slmpError && (end < 0x10 || end > 0x60) {
			return Match{}
		}
		return Match{Score: Weak, Role: Server}
	}
	l := slmpOf1E(sub)
	if l == nil || l.fixed == 0 {
		return Match{}
	}
	if n >= 2 {
		if pc := f.octet(1); pc < 0 || pc > 64 && pc != 0xff {
			return Match{}
		}
	}
	whole := int(l.device) + 4 // device, points, and the octet behind them
	switch {
	case l.device == 0:
		if len(f.b) == f.wire(n) && f.size1E(l) == n {
			return Match{Score: Weak, Role: Client}
		}
	case n < whole:
		return Match{Score: More}
	case f.device1E(l) && f.octet(whole-1) == 0 && f.octet(int(l.points)) >= 0 && n <= f.size1E(l):
		return Match{Score: Sure, Role: Client}
	}
	return Match{}
}

// slmpOf1E returns the layout of a 1E command, or nil.
func slmpOf1E(sub int) *slmpLayout {
	if sub < 0 || sub >= len(slmp1E) || slmp1E[sub].op == nil {
		return nil
	}
	return &slmp1E[sub]
}

// points1E returns the number of points that a 1E request asks for.
func (f slmpFrame) points1E(l *slmpLayout) int {
	n := f.octet(int(l.points))
	if n == 0 {
		n = slmpWhole1E
	}
	return n
}

// size1E returns the octets of a 1E request that is long enough to tell, or 0.
func (f slmpFrame) size1E(l *slmpLayout) int {
	size := int(l.fixed)
	if l.points == 0 {
		return size
	}
	if f.size() <= int(l.points) {
		return 0
	}
	n := f.points1E(l)
	if n < 0 {
		return 0
	}
	if l.bits {
		return size + (n+1)/2
	}
	return size + n*int(l.item)
}

// device1E reports whether a 1E request names a device. In ASCII the device
// stands in front of its number.
func (f slmpFrame) device1E(l *slmpLayout) bool {
	at := int(l.device)
	if f.ascii {
		at -= 4
	}
	code := f.word(at)
	for _, d := range slmpDevices {
		if code == int(d[0])<<8|int(d[1]) {
			return true
		}
	}
	return false
}

// slmpDecoder reads frames one by one, and remembers the open request in a 1E
// frame, whose response does not say how long it is.
type slmpDecoder struct {
	asked *slmpLayout
	sub   int
	count int // points asked for
}

// slmp1EKey marks the keys of requests in 1E frames, of which a side has one
// open.
const slmp1EKey = 1 << 49

// Decode implements [Decoder].
func (d *slmpDecoder) Decode(x *Exchange, from capture.Side, b []byte) int {
	used := 0
	for used < len(b) {
		f := newSLMPFrame(b[used:])
		h, more, ok := f.head()
		switch {
		case more:
			return used
		case ok:
			size := f.wire(h.size) + h.length
			if len(f.b) < size {
				return used
			}
			f.b = f.b[:size]
			slmpMessage(x, from, f, h)
			used += size
			continue
		}
		size, more := d.decode1E(x, from, f)
		switch {
		case more:
			return used
		case size == 0:
			x.Undecoded()
			return len(b)
		}
		used += size
	}
	return used
}

// slmpMessage reads a whole 3E or 4E frame.
func slmpMessage(x *Exchange, from capture.Side, f slmpFrame, h slmpHead) {
	if h.answer {
		end := f.word(h.size)
		if end < 0 {
			x.Undecoded()
			return
		}
		named := false
		if op := x.Asked(from.Other(), h.key); op != nil {
			named = op == slmpOps[slmpTypeName]
		}
		x.Answer(from, h.key, end == 0)
		if named && end == 0 {
			slmpIdentity(x, from, f, h.size+2)
		}
		return
	}
	command := f.word(h.size + 2)
	if command < 0 {
		x.Undecoded()
		return
	}
	op := slmpOps[uint16(command)]
	if op == nil {
		op = slmpOther
	}
	if command == slmpOnDemand { // a controller sends it of its own accord
		x.Note(op, from).Unit(h.unit)
		return
	}
	x.Forget(from, h.key)
	x.Ask(op, from, h.key).Unit(h.unit)
	if command == slmpUnlock && f.size() >= h.size+slmpAskMin+2 {
		if n := f.word(h.size + slmpAskMin); n > 0 && n <= len(f.raw(h.size+slmpAskMin+2)) {
			x.Login(from, h.key, "slmp remote password", true, n)
		}
	}
}

// slmpIdentity reads the answer to Read Type Name: the model in 16 characters,
// which are the same in both forms of a frame, and its code.
func slmpIdentity(x *Exchange, from capture.Side, f slmpFrame, at int) {
	const width = 16
	data := f.raw(at)
	if len(data) < width {
		return
	}
	if model := bytes.TrimRight(data[:width], " \x00"); len(model) > 0 {
		x.Identity(from, capture.Identity{Model: string(model), Source: string(capture.SLMP)})
	}
}

// decode1E reads a 1E frame and returns its octets on the wire, or 0 if it is
// none. A frame of a command whose length the manuals do not tell from its first
// octets is all that there is.
func (d *slmpDecoder) decode1E(x *Exchange, from capture.Side, f slmpFrame) (size int, more bool) {
	if f.size() < 1 {
		return 0, true
	}
	sub := f.octet(0)
	if sub < 0 {
		return 0, false
	}
	if sub&slmp1EAnswer != 0 {
		return d.answer1E(x, from, f, sub&^slmp1EAnswer)
	}
	l := slmpOf1E(sub)
	if l == nil {
		return 0, false
	}
	if f.size() < slmp1EHead {
		return 0, true
	}
	n := len(f.b)
	if l.fixed != 0 {
		octets := f.size1E(l)
		if octets == 0 {
			if f.size() <= int(l.points) {
				return 0, true
			}
			return 0, false
		}
		n = f.wire(octets)
		if n > len(f.b) {
			return 0, true
		}
	}
	d.asked, d.sub, d.count = l, sub, 0
	if l.points != 0 {
		d.count = f.points1E(l)
	}
	station := f.octet(1)
	if station < 0 {
		return 0, false
	}
	x.Forget(from, slmp1EKey)
	x.Ask(l.op, from, slmp1EKey).Unit(uint16(station))
	return n, false
}

// answer1E reads the response to the open request.
func (d *slmpDecoder) answer1E(x *Exchange, from capture.Side, f slmpFrame, sub int) (size int, more bool) {
	if f.size() < slmp1EAnswerHead {
		return 0, true
	}
	end := f.octet(1)
	if end < 0 || d.asked == nil || sub != d.sub {
		return 0, false // how long it is, only its request could tell
	}
	n := slmp1EAnswerHead
	switch {
	case end == slmpError:
		n += 2 // abnormal code
	case end != 0:
	case d.asked.fixed == 0:
		n = 0 // all that there is
	case d.asked.points == 0:
		n += int(d.asked.answer)
	case d.asked.packed:
		n += (d.count*int(d.asked.answer) + 1) / 2
	default:
		n += d.count * int(d.asked.answer)
		if sub == 0x16 {
			n++ // the number of characters
		}
	}
	size = len(f.b)
	if n != 0 {
		if size = f.wire(n); size > len(f.b) {
			return 0, true
		}
	}
	x.Answer(from, slmp1EKey, end == 0)
	d.asked = nil
	return size, false
}
