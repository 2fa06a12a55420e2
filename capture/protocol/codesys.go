package protocol

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"unicode/utf16"

	"bulkhead/capture"
)

// CODESYS is the protocol of CODESYS V3 runtimes over TCP: blocks with a datagram
// each, in which name service, channels and, inside channels, services.
//
// Source: no specification is published. A. Nochvay (Kaspersky ICS CERT),
// "Security research: CODESYS Runtime, a PLC control framework", part 2, 2019
// (block driver, datagram, channel, services, tags, log-in); Microsoft,
// ics-forensics-tools, CodeSysV3 and its Wireshark dissector (services by group);
// Rapid7, codesys3.lua (identification).
var CODESYS = &Protocol{
	Name:      capture.Codesys,
	Over:      []capture.Transport{capture.TCP},
	Recognise: recogniseCODESYS,
	New:       func() Decoder { return codesysDecoder{} },
}

// CODESYSUDP is the same, a datagram a datagram.
var CODESYSUDP = &Protocol{
	Name:      capture.Codesys,
	Over:      []capture.Transport{capture.UDP},
	Recognise: recogniseCODESYSUDP,
	New:       func() Decoder { return codesysUDPDecoder{} },
}

const (
	codesysBlock    = 8       // magic and length of the whole, four octets each
	codesysMaxBlock = 1 << 14 // the block driver's own limit is 512

	codesysMagic    = 0xc5 // of a datagram
	codesysDatagram = 6    // magic, hop info, packet info, service, message, lengths of the addresses
)

var codesysBlockMagic = []byte{0x00, 0x01, 0x17, 0xe8}

// The services of a datagram.
const (
	codesysAddressAsk = 1
	codesysAddressIs  = 2
	codesysNameAsk    = 3
	codesysNameIs     = 4
	codesysChannel    = 64
)

// What travels in a channel.
const (
	codesysApplication = 0x01 // a block of a service
	codesysAck         = 0x02
	codesysKeepAlive   = 0x03
	codesysOpened      = 0x83
	codesysInfo        = 0xc2
	codesysOpen        = 0xc3
	codesysClose       = 0xc4

	codesysFirst       = 0x01 // of the flags of a block: the first of a service
	codesysFirstHead   = 20
	codesysServiceHead = 16 // with its identifier and size, but for what is additional
	codesysPlain       = 0xcd55
	codesysSecure      = 0x7557
	codesysReply       = 0x80 // of the group
)

// Groups and services that the decoder treats apart.
const (
	codesysDevice = 1
	codesysLogin  = 2
)

var codesysGroups = map[uint16]string{
	0x01: "CmpDevice", 0x02: "CmpApp", 0x04: "CmpVisuServer", 0x05: "CmpLog", 0x06: "CmpSettings", 0x07: "SysEthernet",
	0x08: "CmpFileTransfer", 0x09: "CmpIecVarAccess", 0x0b: "CmpIoMgr", 0x0c: "CmpUserMgr", 0x0f: "CmpTraceMgr", 0x11: "PlcShell",
	0x12: "CmpAppBP", 0x13: "CmpAppForce", 0x18: "CmpAlarmManager", 0x1b: "CmpMonitor", 0x1d: "CmpCodeMeter", 0x1f: "CmpCoreDump",
	0x22: "CmpOpenSSL",
}

// codesysOps are the operations by group and service.
var codesysOps = func() map[uint32]*Op {
	m := make(map[uint32]*Op)
	for _, o := range []struct {
		group, service uint16
		class          capture.Class
		name           string
	}{
		{0x01, 1, capture.Discover, "Info"},
		{0x01, 2, capture.Session, "Login"},
		{0x01, 3, capture.Session, "Logout"},
		{0x01, 4, capture.Mode, "Reset Origin Device"},
		{0x01, 5, capture.Diagnose, "Echo"},
		{0x01, 6, capture.Mode, "Set Operating Mode"},
		{0x01, 7, capture.Diagnose, "Get Operating Mode"},
		{0x01, 8, capture.Session, "Interactive Login"},
		{0x01, 9, capture.Configure, "Rename Node"},
		{0x01, 10, capture.Session, "Session Create"},

		{0x02, 1, capture.Session, "Login"},
		{0x02, 2, capture.Session, "Logout"},
		{0x02, 3, capture.Program, "Create Application"},
		{0x02, 4, capture.Program, "Delete Application"},
		{0x02, 5, capture.Program, "Download"},
		{0x02, 6, capture.Program, "Online Change"},
		{0x02, 7, capture.Program, "Device Download"},
		{0x02, 8, capture.Program, "Create Device Application"},
		{0x02, 16, capture.Mode, "Start"},
		{0x02, 17, capture.Mode, "Stop"},
		{0x02, 18, capture.Mode, "Reset"},
		// A breakpoint stops the program that runs into it.
		{0x02, 19, capture.Mode, "Set Breakpoint"},
		{0x02, 20, capture.Diagnose, "Get Status"},
		{0x02, 21, capture.Mode, "Delete Breakpoint"},
		{0x02, 22, capture.Diagnose, "Read Call Stack"},
		{0x02, 23, capture.Diagnose, "Get Area Offset"},
		{0x02, 24, capture.Discover, "Application List"},
		{0x02, 25, capture.Mode, "Set Next Statement"},
		{0x02, 32, capture.Control, "Release Force List"},
		{0x02, 33, capture.Read, "Upload Force List"},
		{0x02, 34, capture.Mode, "Single Cycle"},
		{0x02, 35, capture.Program, "Create Boot Project"},
		{0x02, 36, capture.Mode, "Reinit Application"},
		{0x02, 37, capture.Diagnose, "Application State List"},
		{0x02, 38, capture.Program, "Load Boot Application"},
		{0x02, 39, capture.Program, "Register Boot Application"},
		{0x02, 40, capture.Diagnose, "Check File Consistency"},
		{0x02, 41, capture.Discover, "Read Application Info"},
		{0x02, 48, capture.Program, "Download Compact"},
		{0x02, 49, capture.Discover, "Read Project Info"},
		{0x02, 50, capture.Diagnose, "Define Flow"},
		{0x02, 51, capture.Read, "Read Flow Values"},
		{0x02, 52, capture.Program, "Download Encrypted"},
		{0x02, 53, capture.Program, "Read Application Content"},
		{0x02, 54, capture.File, "Save Retains"},
		{0x02, 55, capture.Write, "Restore Retains"},
		{0x02, 56, capture.Diagnose, "Get Area Address"},
		{0x02, 57, capture.Mode, "Leave Execpoints Active"},
		{0x02, 64, capture.Mode, "Claim Execpoints for Application"},

		{0x05, 1, capture.Diagnose, "Get Entries"},
		{0x05, 2, capture.Diagnose, "Get Component Names"},
		{0x05, 3, capture.Diagnose, "Logger List"},

		{0x08, 1, capture.File, "File Exists"},
		{0x08, 2, capture.File, "Open File for Write"},
		{0x08, 3, capture.File, "Open File for Write (2)"},
		{0x08, 4, capture.File, "File Write"},
		{0x08, 5, capture.File, "Open File for Read"},
		{0x08, 6, capture.File, "Open File for Read (2)"},
		{0x08, 7, capture.File, "File Read"},
		{0x08, 8, capture.File, "File Close"},
		{0x08, 9, capture.File, "File Close (2)"},
		{0x08, 10, capture.File, "File Read (2)"},
		{0x08, 11, capture.File, "File Read (3)"},
		{0x08, 12, capture.File, "Files List"},
		{0x08, 13, capture.File, "File Read (4)"},
		{0x08, 14, capture.File, "Delete File"},
		{0x08, 15, capture.File, "Rename File"},
		{0x08, 16, capture.File, "Create Directory"},
		{0x08, 17, capture.File, "Delete Directory"},
		{0x08, 18, capture.File, "Rename Directory"},

		// A shell command may be any, up to stopping the controller.
		{0x11, 1, capture.Configure, "Execute"},

		{0x1b, 1, capture.Read, "Read"},
		{0x1b, 2, capture.Write, "Write"},

		{0x22, 1, capture.Configure, "Import Certificate"},
		{0x22, 2, capture.Read, "Export Certificate"},
		{0x22, 3, capture.Configure, "Delete Certificate"},
		{0x22, 4, capture.Configure, "Move Certificate"},
		{0x22, 5, capture.Read, "List Certificates"},
		{0x22, 6, capture.Read, "List Use Cases"},
		{0x22, 7, capture.Configure, "Create Self-Signed Certificate"},
		{0x22, 9, capture.Diagnose, "Get Status"},
	} {
		code := fmt.Sprintf("0x%02x/%d", o.group, o.service)
		m[uint32(o.group)<<16|uint32(o.service)] = &Op{capture.Codesys, code, codesysGroups[o.group] + ": " + o.name, o.class}
	}
	return m
}()

// codesysOthers are the services of a group that no source names.
var codesysOthers = func() map[uint16]*Op {
	m := make(map[uint16]*Op)
	for group, name := range codesysGroups {
		m[group] = &Op{capture.Codesys, "other", name + ": service of no source", capture.Configure}
	}
	return m
}()

var (
	codesysOther      = &Op{capture.Codesys, "other", "service of no source", capture.Configure}
	codesysSecured    = &Op{capture.Codesys, "other", "secured service", capture.Configure}
	codesysAddressOp  = &Op{capture.Codesys, "address", "Address Notification", capture.Session}
	codesysResolve1Op = &Op{capture.Codesys, "ns:c201", "Name Service request c201", capture.Discover}
	codesysResolve2Op = &Op{capture.Codesys, "ns:c202", "Name Service request c202", capture.Discover}
	codesysOpenOp     = &Op{capture.Codesys, "channel:c3", "Open Channel", capture.Session}
	codesysCloseOp    = &Op{capture.Codesys, "channel:c4", "Close Channel", capture.Session}
	codesysInfoOp     = &Op{capture.Codesys, "channel:c2", "Get Info", capture.Discover}
)

// recogniseCODESYS is sure of a block with a datagram in it.
func recogniseCODESYS(b []byte) Match {
	if n := min(len(b), len(codesysBlockMagic)); !bytes.Equal(b[:n], codesysBlockMagic[:n]) {
		return Match{}
	}
	if len(b) <= codesysBlock {
		return Match{Score: More}
	}
	size := codesysSize(b)
	if size == 0 || b[codesysBlock] != codesysMagic {
		return Match{}
	}
	return Match{Score: Sure, Role: recogniseCODESYSUDP(b[codesysBlock:min(size, len(b))]).Role}
}

// codesysSize returns the size of the block at the front of b, or 0.
func codesysSize(b []byte) int {
	length := binary.LittleEndian.Uint32(b[4:])
	if !bytes.HasPrefix(b, codesysBlockMagic) || length < codesysBlock+codesysDatagram || length > codesysMaxBlock {
		return 0
	}
	return int(length)
}

// recogniseCODESYSUDP is sure of the name service and of the first block of a
// service, and has weak signs of the rest.
func recogniseCODESYSUDP(b []byte) Match {
	service, body, ok := codesysBody(b)
	if !ok {
		return Match{}
	}
	switch service {
	case codesysNameAsk, codesysNameIs:
		if len(body) < 8 {
			return Match{}
		}
		switch command := binary.LittleEndian.Uint16(body); {
		case service == codesysNameAsk && (command == 0xc201 || command == 0xc202):
			return Match{Score: Sure, Role: Client}
		case service == codesysNameIs && command == 0xc280:
			return Match{Score: Sure, Role: Server}
		}
	case codesysChannel:
		if len(body) < 4 {
			return Match{}
		}
		switch body[0] {
		case codesysOpen:
			return Match{Score: Weak, Role: Client}
		case codesysOpened:
			return Match{Score: Weak, Role: Server}
		case codesysApplication:
			if s := codesysService(body); s != nil {
				m := Match{Score: Sure, Role: Client}
				if s[4]&codesysReply != 0 {
					m.Role = Server
				}
				return m
			}
			return Match{Score: Weak}
		case codesysAck, codesysKeepAlive, codesysInfo, codesysClose:
			return Match{Score: Weak}
		}
	}
	return Match{}
}

// codesysBody reads a datagram's head, whose length and addresses are counted in
// units of two octets, and returns what follows it from the next place that a
// multiple of four octets is.
func codesysBody(d []byte) (service byte, body []byte, ok bool) {
	if len(d) < codesysDatagram || d[0] != codesysMagic {
		return 0, nil, false
	}
	head := 2 * int(d[1]&7)
	if head < codesysDatagram {
		return 0, nil, false
	}
	head += 2*int(d[5]>>4) + 2*int(d[5]&0x0f)
	head = (head + 3) &^ 3
	if len(d) < head {
		return 0, nil, false
	}
	return d[3], d[head:], true
}

// codesysService returns the service whose first block body is, or nil.
func codesysService(body []byte) []byte {
	if body[0] != codesysApplication || body[1]&codesysFirst == 0 || len(body) < codesysFirstHead+codesysServiceHead {
		return nil
	}
	s := body[codesysFirstHead:]
	if p := binary.LittleEndian.Uint16(s); p != codesysPlain && p != codesysSecure {
		return nil
	}
	return s
}

// codesysDecoder reads blocks one by one; nothing is carried from one to the
// next.
type codesysDecoder struct{}

// Decode implements [Decoder].
func (codesysDecoder) Decode(x *Exchange, from capture.Side, b []byte) int {
	used := 0
	for {
		p := b[used:]
		if len(p) < codesysBlock {
			return used
		}
		size := codesysSize(p)
		switch {
		case size == 0:
			x.Undecoded()
			return len(b)
		case size > len(p):
			return used
		}
		codesysMessage(x, from, p[codesysBlock:size])
		used += size
	}
}

// codesysUDPDecoder keeps nothing.
type codesysUDPDecoder struct{}

// Decode implements [Decoder].
func (codesysUDPDecoder) Decode(x *Exchange, from capture.Side, b []byte) int {
	codesysMessage(x, from, b)
	return len(b)
}

// The keys of name service and channel opening, which have numbers of their own,
// are kept apart from those of services.
const (
	codesysNameKey = 1 << 62
	codesysOpenKey = 1 << 61
)

// codesysMessage reads a datagram.
func codesysMessage(x *Exchange, from capture.Side, d []byte) {
	service, body, ok := codesysBody(d)
	if !ok {
		x.Undecoded()
		return
	}
	switch service {
	case codesysAddressAsk, codesysAddressIs:
		x.Note(codesysAddressOp, from)
	case codesysNameAsk:
		if len(body) < 8 {
			x.Undecoded()
			return
		}
		op := codesysOther
		switch binary.LittleEndian.Uint16(body) {
		case 0xc201:
			op = codesysResolve1Op
		case 0xc202:
			op = codesysResolve2Op
		}
		key := codesysNameKey | uint64(binary.LittleEndian.Uint32(body[4:]))
		x.Forget(from, key)
		x.Ask(op, from, key)
	case codesysNameIs:
		if len(body) < 8 {
			x.Undecoded()
			return
		}
		x.Answer(from, codesysNameKey|uint64(binary.LittleEndian.Uint32(body[4:])), true)
		codesysIdentity(x, from, body)
	case codesysChannel:
		codesysInChannel(x, from, body)
	default:
		x.Undecoded()
	}
}

// codesysInChannel reads what the channel manager is sent. Acknowledgements and
// signs of life are no operations, nor are the later blocks of a service.
func codesysInChannel(x *Exchange, from capture.Side, body []byte) {
	if len(body) < 4 {
		x.Undecoded()
		return
	}
	switch body[0] {
	case codesysApplication:
		if body[1]&codesysFirst == 0 {
			return
		}
		s := codesysService(body)
		if s == nil {
			x.Undecoded()
			return
		}
		codesysCall(x, from, binary.LittleEndian.Uint16(body[2:]), s)
	case codesysAck, codesysKeepAlive:
	case codesysOpen:
		if len(body) < 12 {
			x.Undecoded()
			return
		}
		key := codesysOpenKey | uint64(binary.LittleEndian.Uint32(body[8:]))
		x.Forget(from, key)
		x.Ask(codesysOpenOp, from, key)
	case codesysOpened:
		if len(body) < 14 {
			x.Undecoded()
			return
		}
		x.Answer(from, codesysOpenKey|uint64(binary.LittleEndian.Uint32(body[8:])), binary.LittleEndian.Uint16(body[12:]) == 0)
	case codesysClose:
		x.Note(codesysCloseOp, from)
	case codesysInfo:
		x.Note(codesysInfoOp, from)
	default:
		x.Undecoded()
	}
}

// codesysCall reads the head of a service, and the tags of a log-in.
func codesysCall(x *Exchange, from capture.Side, channel uint16, s []byte) {
	if binary.LittleEndian.Uint16(s) == codesysSecure {
		x.Note(codesysSecured, from)
		return
	}
	group, service := binary.LittleEndian.Uint16(s[4:]), binary.LittleEndian.Uint16(s[6:])
	reply := group&codesysReply != 0
	group &^= codesysReply
	key := uint64(channel)<<32 | uint64(group)<<16 | uint64(service)
	login := group == codesysDevice && service == codesysLogin
	var tags []byte
	if at := 4 + int(binary.LittleEndian.Uint16(s[2:])); login && at <= len(s) {
		tags = s[at:]
	}
	if reply {
		// What a refusal looks like is published of the log-in alone.
		accepted := true
		if result, ok := codesysTag(tags, 0x82); ok {
			if code, ok := codesysTag(result, 0x20); ok && len(code) >= 2 {
				accepted = binary.LittleEndian.Uint16(code) == 0
			}
		}
		x.Answer(from, key, accepted)
		return
	}
	op := codesysOps[uint32(group)<<16|uint32(service)]
	if op == nil {
		op = codesysOthers[group]
	}
	if op == nil {
		op = codesysOther
	}
	x.Forget(from, key)
	x.Ask(op, from, key)
	if user, ok := codesysTag(tags, 0x81); ok {
		if password, ok := codesysTag(user, 0x11); ok {
			x.Login(from, key, "codesys challenge", false, len(password))
		}
	}
}

// codesysTag returns the data of the first tag with the identifier. Identifier
// and size are numbers of seven bits an octet, the lowest first.
func codesysTag(tags []byte, id uint32) (data []byte, ok bool) {
	number := func() (n uint32, ok bool) {
		for shift := 0; shift < 35 && len(tags) > 0; shift += 7 {
			c := tags[0]
			tags = tags[1:]
			n |= uint32(c&0x7f) << shift
			if c&0x80 == 0 {
				return n, true
			}
		}
		return 0, false
	}
	for len(tags) > 0 {
		is, ok := number()
		if !ok {
			return nil, false
		}
		size, ok := number()
		if !ok || uint64(size) > uint64(len(tags)) {
			return nil, false
		}
		if is == id {
			return tags[:size], true
		}
		tags = tags[size:]
	}
	return nil, false
}

// codesysIdentity reads the identification of a node: lengths, target, version,
// and then the names of node, device and vendor in UTF-16, and the serial number.
func codesysIdentity(x *Exchange, from capture.Side, body []byte) {
	const fixed = 48 // up to the address of the node's parent
	version := binary.LittleEndian.Uint16(body[2:])
	if binary.LittleEndian.Uint16(body) != 0xc280 || version != 0x0400 && version != 0x0103 || len(body) < fixed {
		return
	}
	length := func(at int) int { return int(binary.LittleEndian.Uint16(body[at:])) }
	at := fixed + length(12)
	text := func(units int) string {
		end := at + 2*units
		if end > len(body) {
			at = len(body) + 1
			return ""
		}
		u := make([]uint16, units)
		for i := range u {
			u[i] = binary.LittleEndian.Uint16(body[at+2*i:])
		}
		at = end + 2
		return string(utf16.Decode(u))
	}
	node, device, vendor := text(length(14)), text(length(16)), text(length(18))
	id := capture.Identity{
		Vendor:   vendor,
		Model:    device,
		Firmware: fmt.Sprintf("%d.%d.%d.%d", body[31], body[30], body[29], body[28]),
		Source:   string(capture.Codesys),
	}
	if n := int(body[36]); at+n <= len(body) {
		id.Serial = string(untilNUL(body[at : at+n]))
	}
	x.Name(from, node, string(capture.Codesys))
	if id.Model != "" {
		x.Identity(from, id)
	}
}
