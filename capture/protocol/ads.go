package protocol

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"strconv"

	"bulkhead/capture"
)

// ADS is Beckhoff's Automation Device Specification over TCP: AMS packets, each
// with the command of one ADS device to another.
//
// Source: Beckhoff Information System, "ADS/AMS Specification" (TE1000 ADS
// Protocol: AMS/TCP header, AMS header, ADS commands, return codes); index groups
// and the files of the system service as Beckhoff's published AdsLib has them
// (github.com/Beckhoff/ADS, AdsDef.h and AdsLib.h).
var ADS = &Protocol{
	Name:      capture.ADS,
	Over:      []capture.Transport{capture.TCP},
	Recognise: recogniseADS,
	New:       func() Decoder { return new(adsDecoder) },
}

// ADSDiscovery is what TwinCAT routers say over UDP: who they are, and which
// routes, with what user and password, they are to add.
//
// Source: github.com/Beckhoff/ADS, AdsTool and its UDP services.
var ADSDiscovery = &Protocol{
	Name:      capture.ADS,
	Over:      []capture.Transport{capture.UDP},
	Recognise: recogniseADSDiscovery,
	New:       func() Decoder { return adsDiscovery{} },
}

const (
	amsTCPHeader = 6  // reserved (2), length of what follows (4)
	amsHeader    = 32 // target and source (net ID of 6, port of 2, each), command, flags, length, error, invoke ID
	amsHead      = amsTCPHeader + amsHeader
	amsMax       = 1 << 26 // longer than any packet

	amsResponse = 0x0001 // of the flags
	amsNoAnswer = 0x0002
	amsCommand  = 0x0004
	amsFlags    = 0x01ff // those that are defined

	// amsEnough is how much of a packet is read: identity is at its end.
	amsEnough = amsHead + 24
)

// The commands.
const (
	adsDeviceInfo = 1
	adsRead       = 2
	adsWrite      = 3
	adsState      = 4
	adsControl    = 5
	adsAdd        = 6
	adsDelete     = 7
	adsNotify     = 8
	adsReadWrite  = 9
)

// adsSystemService is the AMS port of the service that has the device's files,
// registry and processes.
const adsSystemService = 10000

// adsCommands are the operations by command, where nothing in a request tells
// more. An unknown command is classed as configure.
var adsCommands = [...]*Op{
	adsDeviceInfo: {capture.ADS, "1", "Read Device Info", capture.Discover},
	adsRead:       {capture.ADS, "2", "Read", capture.Read},
	adsWrite:      {capture.ADS, "3", "Write", capture.Write},
	adsState:      {capture.ADS, "4", "Read State", capture.Diagnose},
	adsControl:    {capture.ADS, "5", "Write Control", capture.Mode},
	adsAdd:        {capture.ADS, "6", "Add Device Notification", capture.Read},
	adsDelete:     {capture.ADS, "7", "Delete Device Notification", capture.Session},
	adsNotify:     {capture.ADS, "8", "Device Notification", capture.Event},
	adsReadWrite:  {capture.ADS, "9", "Read Write", capture.Write},
}

// adsOther stands for all commands that the specification does not have.
var adsOther = &Op{capture.ADS, "other", "command of no specification", capture.Configure}

// adsGroup is a command to an index group whose meaning is published.
type adsGroup struct {
	command uint16
	system  bool // at the system service
	group   uint32
}

// adsGroups are the commands that are not what their name says: reading by name
// sends the name, and so is a Read Write.
var adsGroups = func() map[adsGroup]*Op {
	m := make(map[adsGroup]*Op)
	set := func(command uint16, system bool, group uint32, class capture.Class, name string) {
		op := adsCommands[command]
		m[adsGroup{command, system, group}] = &Op{capture.ADS, op.Code, op.Name + ": " + name, class}
	}
	set(adsReadWrite, false, 0xf003, capture.Read, "symbol handle by name")
	set(adsReadWrite, false, 0xf004, capture.Read, "symbol value by name")
	set(adsReadWrite, false, 0xf007, capture.Read, "symbol information by name")
	set(adsReadWrite, false, 0xf009, capture.Read, "symbol information by name, extended")
	set(adsReadWrite, false, 0xf080, capture.Read, "sum read")
	set(adsReadWrite, false, 0xf081, capture.Write, "sum write")
	set(adsReadWrite, false, 0xf082, capture.Write, "sum read write")
	set(adsReadWrite, false, 0xf083, capture.Read, "sum read, extended")
	set(adsReadWrite, false, 0xf084, capture.Read, "sum read, extended 2")
	set(adsReadWrite, false, 0xf085, capture.Read, "sum add device notification")
	set(adsReadWrite, false, 0xf086, capture.Session, "sum delete device notification")
	set(adsWrite, false, 0xf006, capture.Session, "release symbol handle")
	for _, command := range []uint16{adsRead, adsWrite, adsReadWrite} {
		for _, f := range []struct {
			group uint32
			name  string
		}{
			{100, "open or create file"}, {101, "open file to read"}, {102, "open file to write"}, {110, "create file"}, {111, "close handle"},
			{120, "open file"}, {121, "close file"}, {122, "read file"}, {123, "write file"}, {124, "seek in file"}, {125, "tell place in file"},
			{126, "read line of file"}, {127, "write line of file"}, {128, "scan file"}, {129, "print to file"}, {130, "test for end of file"},
			{131, "delete file"}, {132, "rename file"}, {133, "find file"}, {138, "make directory"}, {139, "remove directory"},
		} {
			set(command, true, f.group, capture.File, f.name)
		}
	}
	set(adsRead, true, 200, capture.Read, "registry")
	set(adsWrite, true, 200, capture.Configure, "registry")
	set(adsReadWrite, true, 200, capture.Read, "registry value by name")
	set(adsWrite, true, 400, capture.Configure, "time")
	set(adsReadWrite, true, 400, capture.Configure, "time")
	set(adsWrite, true, 500, capture.Program, "start process")
	set(adsReadWrite, true, 500, capture.Program, "start process")
	set(adsWrite, true, 600, capture.Configure, "change net ID")
	set(adsReadWrite, true, 600, capture.Configure, "change net ID")
	return m
}()

// recogniseADS is sure of a packet: the two lengths and the flags agree.
func recogniseADS(b []byte) Match {
	for _, c := range b[:min(len(b), 2)] {
		if c != 0 {
			return Match{}
		}
	}
	if len(b) < amsHead {
		if len(b) >= amsTCPHeader && !amsLength(b) {
			return Match{}
		}
		return Match{Score: More}
	}
	flags, command := binary.LittleEndian.Uint16(b[24:]), binary.LittleEndian.Uint16(b[22:])
	if !amsSound(b) || flags&amsCommand == 0 || flags&^amsFlags != 0 || command == 0 || int(command) >= len(adsCommands) {
		return Match{}
	}
	m := Match{Score: Sure, Role: Client}
	if flags&amsResponse != 0 != (command == adsNotify) {
		m.Role = Server
	}
	return m
}

// amsLength judges the length in an AMS/TCP header.
func amsLength(b []byte) bool {
	length := binary.LittleEndian.Uint32(b[2:])
	return length >= amsHeader && length <= amsMax
}

// amsSound reports whether the lengths of the two headers agree.
func amsSound(b []byte) bool {
	return b[0] == 0 && b[1] == 0 && amsLength(b) && binary.LittleEndian.Uint32(b[26:]) == binary.LittleEndian.Uint32(b[2:])-amsHeader
}

// adsDecoder reads packets one by one. Of a long one it reads the front and lets
// the rest pass.
type adsDecoder struct {
	pass  [2]int  // octets of the packet at hand that are still to pass
	named [2]bool // the net ID was told
}

// Decode implements [Decoder].
func (d *adsDecoder) Decode(x *Exchange, from capture.Side, b []byte) int {
	if x.Gap(from) {
		d.pass[from] = 0
	}
	used := min(d.pass[from], len(b))
	d.pass[from] -= used
	for {
		p := b[used:]
		if len(p) < amsHead {
			return used
		}
		if !amsSound(p) {
			x.Undecoded()
			return len(b)
		}
		size := amsTCPHeader + int(binary.LittleEndian.Uint32(p[2:]))
		front := min(size, amsEnough)
		if len(p) < front {
			return used
		}
		d.packet(x, from, p[:front])
		n := min(size, len(p))
		d.pass[from] = size - n
		used += n
	}
}

// adsKey is what a response has in common with its request: the invoke ID, the
// port that asked, which stands at p[port], and the command.
func adsKey(p []byte, port int) uint64 {
	return uint64(binary.LittleEndian.Uint32(p[34:]))<<24 | uint64(binary.LittleEndian.Uint16(p[port:]))<<8 | uint64(p[22])
}

// The places of the two AMS ports in a packet.
const (
	amsTargetPort = 12
	amsSourcePort = 20
)

// packet reads the front of a packet.
func (d *adsDecoder) packet(x *Exchange, from capture.Side, p []byte) {
	command, flags := binary.LittleEndian.Uint16(p[22:]), binary.LittleEndian.Uint16(p[24:])
	if flags&amsCommand == 0 {
		x.Undecoded()
		return
	}
	if !d.named[from] {
		d.named[from] = true
		x.Name(from, amsNetID(p[14:]), string(capture.ADS))
	}
	data := p[amsHead:]
	if flags&amsResponse != 0 {
		// The header's error is the router's, the data's result the device's.
		result := binary.LittleEndian.Uint32(p[30:])
		if result == 0 && len(data) >= 4 {
			result = binary.LittleEndian.Uint32(data)
		}
		x.Answer(from, adsKey(p, amsTargetPort), result == 0)
		if command == adsDeviceInfo && result == 0 && len(data) >= 24 {
			x.Identity(from, capture.Identity{
				Vendor:   "Beckhoff",
				Model:    string(untilNUL(data[8:24])),
				Firmware: fmt.Sprintf("%d.%d.%d", data[4], data[5], binary.LittleEndian.Uint16(data[6:])),
				Source:   string(capture.ADS),
			})
		}
		return
	}
	op := adsOther
	if command != 0 && int(command) < len(adsCommands) {
		op = adsCommands[command]
	}
	if len(data) >= 4 {
		system := binary.LittleEndian.Uint16(p[amsTargetPort:]) == adsSystemService
		if special := adsGroups[adsGroup{command, system, binary.LittleEndian.Uint32(data)}]; special != nil {
			op = special
		}
	}
	if command == adsNotify || flags&amsNoAnswer != 0 {
		x.Note(op, from)
		return
	}
	key := adsKey(p, amsSourcePort)
	x.Forget(from, key)
	x.Ask(op, from, key)
}

// amsNetID writes a net ID as Beckhoff does.
func amsNetID(b []byte) string {
	return fmt.Sprintf("%d.%d.%d.%d.%d.%d", b[0], b[1], b[2], b[3], b[4], b[5])
}

// untilNUL cuts b before its first NUL.
func untilNUL(b []byte) []byte {
	if i := bytes.IndexByte(b, 0); i >= 0 {
		return b[:i]
	}
	return b
}

// The datagrams of routers: magic, invoke ID, service, net ID, port, number of
// tags, and the tags: identifier and length of two octets each, and data.
const (
	adsUDPHead   = 24
	adsUDPAnswer = 1 << 31 // of the service

	adsServerInfo = 1
	adsAddRoute   = 6

	adsTagStatus   = 1
	adsTagPassword = 2
	adsTagVersion  = 3 // TwinCAT: major, minor, build (2)
	adsTagName     = 5
)

var adsMagic = []byte{0x03, 0x66, 0x14, 0x71}

var (
	adsServerInfoOp = &Op{capture.ADS, "udp:" + strconv.Itoa(adsServerInfo), "Server Info", capture.Discover}
	adsAddRouteOp   = &Op{capture.ADS, "udp:" + strconv.Itoa(adsAddRoute), "Add Route", capture.Configure}
	adsOtherUDP     = &Op{capture.ADS, "other", "UDP service of no source", capture.Configure}
)

// recogniseADSDiscovery is sure of the magic number, on any port.
func recogniseADSDiscovery(b []byte) Match {
	if len(b) < adsUDPHead || !bytes.HasPrefix(b, adsMagic) {
		return Match{}
	}
	m := Match{Score: Sure, Role: Client}
	if binary.LittleEndian.Uint32(b[8:])&adsUDPAnswer != 0 {
		m.Role = Server
	}
	return m
}

// adsDiscovery keeps nothing: a datagram is a message.
type adsDiscovery struct{}

// Decode implements [Decoder].
func (adsDiscovery) Decode(x *Exchange, from capture.Side, b []byte) int {
	if len(b) < adsUDPHead || !bytes.HasPrefix(b, adsMagic) {
		x.Undecoded()
		return len(b)
	}
	service := binary.LittleEndian.Uint32(b[8:])
	key := uint64(binary.LittleEndian.Uint32(b[4:]))<<32 | uint64(service&^adsUDPAnswer)
	tags := b[adsUDPHead:]
	if service&adsUDPAnswer != 0 {
		status := adsTag(tags, adsTagStatus)
		x.Answer(from, key, len(status) < 4 || binary.LittleEndian.Uint32(status) == 0)
		if service&^adsUDPAnswer == adsServerInfo {
			x.Name(from, amsNetID(b[12:]), string(capture.ADS))
			x.Name(from, string(untilNUL(adsTag(tags, adsTagName))), string(capture.ADS))
			if v := adsTag(tags, adsTagVersion); len(v) >= 4 {
				x.Identity(from, capture.Identity{
					Vendor:   "Beckhoff",
					Model:    "TwinCAT",
					Firmware: fmt.Sprintf("%d.%d.%d", v[0], v[1], binary.LittleEndian.Uint16(v[2:])),
					Source:   string(capture.ADS),
				})
			}
		}
		return len(b)
	}
	op := adsOtherUDP
	switch service {
	case adsServerInfo:
		op = adsServerInfoOp
	case adsAddRoute:
		op = adsAddRouteOp
	}
	x.Forget(from, key)
	x.Ask(op, from, key)
	if service == adsAddRoute {
		if password := adsTag(tags, adsTagPassword); password != nil {
			x.Login(from, key, "ads route", true, len(untilNUL(password)))
		}
	}
	return len(b)
}

// adsTag returns the data of the first tag with the identifier, or nil.
func adsTag(tags []byte, id uint16) []byte {
	for len(tags) >= 4 {
		n := int(binary.LittleEndian.Uint16(tags[2:]))
		if n > len(tags)-4 {
			return nil
		}
		if binary.LittleEndian.Uint16(tags) == id {
			return tags[4 : 4+n : 4+n]
		}
		tags = tags[4+n:]
	}
	return nil
}
