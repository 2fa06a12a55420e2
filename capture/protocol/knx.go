package protocol

import (
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"fmt"

	"bulkhead/capture"
)

// KNX is KNXnet/IP: discovery, tunnels to the bus of a building, routing by
// multicast, device management, and the application services of the bus inside
// of them, which are counted beside the services that carry them.
//
// Source: ISO 22510:2019 (KNXnet/IP: clause 5 core, clause 6 device management,
// clause 7 tunnelling, clause 8 routing, Annex of KNX IP Secure); EN 50090-4-1
// (application layer) and KNX Standard 03_03_07, "Application Layer" (APCI codes),
// 03_06_03, "EMI_IMI" (common EMI).
var KNX = &Protocol{
	Name:      capture.KNX,
	Over:      []capture.Transport{capture.UDP, capture.TCP},
	Recognise: recogniseKNX,
	New:       func() Decoder { return knxDecoder{} },
}

const (
	knxHeader = 6    // size of the header, version, service (2), length of the whole (2)
	knxMax    = 1024 // longer than any frame
)

// The services that the decoder treats apart.
const (
	knxSearchResponse   = 0x0202
	knxDescribe         = 0x0203
	knxDescribeResponse = 0x0204
	knxSearchExtended   = 0x020c
	knxConfiguration    = 0x0310
	knxTunnelling       = 0x0420
	knxRouting          = 0x0530
	knxBroadcast        = 0x0533
	knxSecureWrapper    = 0x0950
	knxSecureSession    = 0x0951
	knxSecureAnswer     = 0x0952
)

// knxService is a service and how it ends: an answer has the number of what it
// answers; at which octet behind the header the status is, 0 meaning success.
type knxService struct {
	op      *Op
	answers uint16 // 0: it asks, or wants no answer
	status  int8   // -1: there is none, and an answer is success
	asks    bool
	serial  bool // channel and sequence number tell which is answered
}

// knxServices are the services by number. Whatever else there is, is configure.
var knxServices = func() map[uint16]knxService {
	services := make(map[uint16]knxService)
	for _, s := range []struct {
		id      uint16
		class   capture.Class
		asks    bool
		answers uint16
		status  int8
		name    string
	}{
		{0x0201, capture.Discover, true, 0, -1, "Search Request"},
		{knxSearchResponse, capture.Reply, false, 0x0201, -1, "Search Response"},
		{knxDescribe, capture.Discover, true, 0, -1, "Description Request"},
		{knxDescribeResponse, capture.Reply, false, knxDescribe, -1, "Description Response"},
		{0x0205, capture.Session, true, 0, -1, "Connect Request"},
		{0x0206, capture.Reply, false, 0x0205, 1, "Connect Response"},
		{0x0207, capture.Session, true, 0, -1, "Connectionstate Request"},
		{0x0208, capture.Reply, false, 0x0207, 1, "Connectionstate Response"},
		{0x0209, capture.Session, true, 0, -1, "Disconnect Request"},
		{0x020a, capture.Reply, false, 0x0209, 1, "Disconnect Response"},
		{0x020b, capture.Discover, true, 0, -1, "Search Request Extended"},
		{knxSearchExtended, capture.Reply, false, 0x020b, -1, "Search Response Extended"},
		{knxConfiguration, capture.Session, true, 0, -1, "Device Configuration Request"},
		{0x0311, capture.Reply, false, knxConfiguration, 3, "Device Configuration Acknowledge"},
		{knxTunnelling, capture.Session, true, 0, -1, "Tunnelling Request"},
		{0x0421, capture.Reply, false, knxTunnelling, 3, "Tunnelling Acknowledge"},
		{0x0422, capture.Read, true, 0, -1, "Tunnelling Feature Get"},
		{0x0423, capture.Reply, false, 0x0422, 5, "Tunnelling Feature Response"},
		{0x0424, capture.Configure, false, 0, -1, "Tunnelling Feature Set"},
		{0x0425, capture.Event, false, 0, -1, "Tunnelling Feature Info"},
		{knxRouting, capture.Session, false, 0, -1, "Routing Indication"},
		{0x0531, capture.Event, false, 0, -1, "Routing Lost Message"},
		{0x0532, capture.Event, false, 0, -1, "Routing Busy"},
		{knxBroadcast, capture.Session, false, 0, -1, "Routing System Broadcast"},
		{0x0740, capture.Diagnose, true, 0, -1, "Remote Diagnostic Request"},
		{0x0741, capture.Reply, false, 0x0740, -1, "Remote Diagnostic Response"},
		{0x0742, capture.Configure, false, 0, -1, "Remote Basic Configuration Request"},
		{0x0743, capture.Mode, false, 0, -1, "Remote Reset Request"},
		{knxSecureWrapper, capture.Session, false, 0, -1, "Secure Wrapper"},
		{knxSecureSession, capture.Session, true, 0, -1, "Session Request"},
		{knxSecureAnswer, capture.Reply, false, knxSecureSession, -1, "Session Response"},
		{0x0953, capture.Session, false, 0, -1, "Session Authenticate"},
		{0x0954, capture.Session, false, 0, -1, "Session Status"},
		{0x0955, capture.Session, false, 0, -1, "Timer Notify"},
	} {
		services[s.id] = knxService{
			op:      &Op{capture.KNX, fmt.Sprintf("0x%04x", s.id), s.name, s.class},
			answers: s.answers, status: s.status, asks: s.asks,
			serial: s.id>>8 == knxConfiguration>>8 || s.id>>8 == knxTunnelling>>8,
		}
	}
	return services
}()

var knxOther = &Op{capture.KNX, "other", "service of no standard", capture.Configure}

// knxAPCI are the services of the bus's application layer by code. What the bus
// tells a tunnel's client is an event, whatever it does on the bus.
var knxAPCI = func() map[uint16]*[3]Op {
	ops := make(map[uint16]*[3]Op)
	for _, s := range []struct {
		code  uint16
		class capture.Class
		name  string
	}{
		{0x000, capture.Read, "A_GroupValue_Read"},
		{0x040, capture.Reply, "A_GroupValue_Response"},
		{0x080, capture.Write, "A_GroupValue_Write"},
		{0x0c0, capture.Configure, "A_IndividualAddress_Write"},
		{0x100, capture.Discover, "A_IndividualAddress_Read"},
		{0x140, capture.Reply, "A_IndividualAddress_Response"},
		{0x180, capture.Read, "A_ADC_Read"},
		{0x1c0, capture.Reply, "A_ADC_Response"},
		{0x200, capture.Read, "A_Memory_Read"},
		{0x240, capture.Reply, "A_Memory_Response"},
		{0x280, capture.Program, "A_Memory_Write"},
		{0x2c0, capture.Read, "A_UserMemory_Read"},
		{0x2c1, capture.Reply, "A_UserMemory_Response"},
		{0x2c2, capture.Program, "A_UserMemory_Write"},
		{0x2c5, capture.Discover, "A_UserManufacturerInfo_Read"},
		{0x2c6, capture.Reply, "A_UserManufacturerInfo_Response"},
		{0x2c7, capture.Configure, "A_FunctionPropertyCommand"},
		{0x2c8, capture.Read, "A_FunctionPropertyState_Read"},
		{0x2c9, capture.Reply, "A_FunctionPropertyState_Response"},
		{0x300, capture.Discover, "A_DeviceDescriptor_Read"},
		{0x340, capture.Reply, "A_DeviceDescriptor_Response"},
		{knxRestart, capture.Mode, "A_Restart"},
		{0x381, capture.Mode, "A_Restart, master reset"},
		{0x3a1, capture.Reply, "A_Restart_Response"},
		{0x3d1, capture.Session, "A_Authorize_Request"},
		{0x3d2, capture.Reply, "A_Authorize_Response"},
		{0x3d3, capture.Configure, "A_Key_Write"},
		{0x3d4, capture.Reply, "A_Key_Response"},
		{0x3d5, capture.Read, "A_PropertyValue_Read"},
		{0x3d6, capture.Reply, "A_PropertyValue_Response"},
		{0x3d7, capture.Configure, "A_PropertyValue_Write"},
		{0x3d8, capture.Read, "A_PropertyDescription_Read"},
		{0x3d9, capture.Reply, "A_PropertyDescription_Response"},
		{0x3da, capture.Discover, "A_NetworkParameter_Read"},
		{0x3db, capture.Reply, "A_NetworkParameter_Response"},
		{0x3dc, capture.Discover, "A_IndividualAddressSerialNumber_Read"},
		{0x3dd, capture.Reply, "A_IndividualAddressSerialNumber_Response"},
		{0x3de, capture.Configure, "A_IndividualAddressSerialNumber_Write"},
		{0x3e0, capture.Configure, "A_DomainAddress_Write"},
		{0x3e1, capture.Discover, "A_DomainAddress_Read"},
		{0x3e2, capture.Reply, "A_DomainAddress_Response"},
		{0x3e3, capture.Discover, "A_DomainAddressSelective_Read"},
		{0x3e4, capture.Configure, "A_NetworkParameter_Write"},
		{0x3e5, capture.Read, "A_Link_Read"},
		{0x3e6, capture.Reply, "A_Link_Response"},
		{0x3e7, capture.Configure, "A_Link_Write"},
		{0x3f1, capture.Configure, "A_SecureService"},
	} {
		ops[s.code] = knxOps(fmt.Sprintf("apci:0x%03x", s.code), s.name, s.class)
	}
	return ops
}()

const (
	knxRestart   = 0x380
	knxAuthorize = 0x3d1
)

// Who carries an application service: the client's request to the bus, a frame
// between routers, which all devices obey, and what the bus told.
const (
	knxRequested = iota
	knxRouted
	knxIndicated
)

func knxOps(code, name string, class capture.Class) *[3]Op {
	indicated := capture.Event
	if class == capture.Reply {
		indicated = capture.Reply
	}
	return &[3]Op{
		knxRequested: {capture.KNX, code, name, class},
		knxRouted:    {capture.KNX, code, name + ", routed", class},
		knxIndicated: {capture.KNX, code, name + ", indicated", indicated},
	}
}

var knxOtherAPCI = knxOps("apci:other", "application service of no standard", capture.Configure)

// The message codes of common EMI.
const (
	knxDataReq = 0x11
	knxDataInd = 0x29
	knxDataCon = 0x2e

	knxFirstManagement = 0xf0
)

// knxManagement are the requests of device management by message code, and the
// code of what confirms them.
var knxManagement = map[byte]struct {
	op        *Op
	confirmed byte
}{
	0xfc: {&Op{capture.KNX, "cemi:0xfc", "M_PropRead.req", capture.Read}, 0xfb},
	0xf6: {&Op{capture.KNX, "cemi:0xf6", "M_PropWrite.req", capture.Configure}, 0xf5},
	0xf8: {&Op{capture.KNX, "cemi:0xf8", "M_FuncPropCommand.req", capture.Configure}, 0xfa},
	0xf9: {&Op{capture.KNX, "cemi:0xf9", "M_FuncPropStateRead.req", capture.Read}, 0xfa},
	0xf1: {&Op{capture.KNX, "cemi:0xf1", "M_Reset.req", capture.Mode}, 0xf0},
}

// knxSize returns the size of the frame whose header b begins with, or 0 if there
// is none.
func knxSize(b []byte) int {
	const version = 0x10
	size := int(binary.BigEndian.Uint16(b[4:]))
	if b[0] != knxHeader || b[1] != version || size < knxHeader || size > knxMax {
		return 0
	}
	return size
}

// recogniseKNX is sure of a header whose five fields agree.
func recogniseKNX(b []byte) Match {
	start := [...]byte{knxHeader, 0x10}
	if n := min(len(b), len(start)); !bytes.Equal(b[:n], start[:n]) {
		return Match{}
	}
	if len(b) < knxHeader {
		return Match{Score: More}
	}
	size := knxSize(b)
	s, ok := knxServices[binary.BigEndian.Uint16(b[2:])]
	if size == 0 || !ok {
		return Match{}
	}
	m := Match{Score: Sure}
	switch {
	case s.op.Class == capture.Discover, s.op.Code == "0x0205", s.op.Code == "0x0951":
		m.Role = Client
	case s.op.Code == "0x0202", s.op.Code == "0x0204", s.op.Code == "0x0206", s.op.Code == "0x020c", s.op.Code == "0x0952":
		m.Role = Server
	}
	return m
}

// knxDecoder reads frames one by one; nothing is carried from one to the next.
type knxDecoder struct{}

// Decode implements [Decoder].
func (knxDecoder) Decode(x *Exchange, from capture.Side, b []byte) int {
	used := 0
	for {
		f := b[used:]
		if len(f) < knxHeader {
			return used
		}
		size := knxSize(f)
		switch {
		case size == 0:
			x.Undecoded()
			return len(b)
		case size > len(f):
			return used
		}
		knxFrame(x, from, binary.BigEndian.Uint16(f[2:]), f[knxHeader:size])
		used += size
	}
}

// knxFrame reads a frame: its service, and what it carries.
func knxFrame(x *Exchange, from capture.Side, id uint16, body []byte) {
	s, ok := knxServices[id]
	if !ok {
		x.Note(knxOther, from)
		return
	}
	key := func(id uint16) uint64 {
		k := uint64(id) << 16
		if s.serial && len(body) >= 3 { // size, channel, sequence number, status
			k |= uint64(body[1])<<8 | uint64(body[2])
		}
		return k
	}
	switch {
	case s.answers != 0:
		accepted := true
		if s.status >= 0 {
			if len(body) <= int(s.status) {
				x.Undecoded()
				return
			}
			accepted = body[s.status] == 0
		}
		x.Answer(from, key(s.answers), accepted)
	case s.asks:
		x.Forget(from, key(id))
		x.Ask(s.op, from, key(id))
	default:
		x.Note(s.op, from)
	}
	switch id {
	case knxSecureWrapper:
		x.Protect(Encrypted)
	case knxSecureSession:
		x.Login(from, key(id), "knx secure session", false, 0)
	case knxSearchResponse, knxSearchExtended:
		const endpoint = 8
		if len(body) > endpoint {
			knxDevice(x, from, body[endpoint:])
		}
	case knxDescribeResponse:
		knxDevice(x, from, body)
	case knxConfiguration, knxTunnelling:
		x.Protect(Clear)
		const connection = 4
		if len(body) <= connection || body[0] != connection {
			x.Undecoded()
			return
		}
		knxEMI(x, from, body[connection:], false)
	case knxRouting, knxBroadcast:
		x.Protect(Clear)
		knxEMI(x, from, body, true)
	}
}

// knxEMI reads a frame of common EMI: message code, additional information,
// control (2), source, destination, length, transport and application.
func knxEMI(x *Exchange, from capture.Side, b []byte, routed bool) {
	if len(b) == 0 || b[0] < knxFirstManagement && len(b) < 2 {
		x.Undecoded()
		return
	}
	code := b[0]
	if code >= knxFirstManagement {
		knxManage(x, from, b)
		return
	}
	at := 2 + int(b[1])
	if code != knxDataReq && code != knxDataInd && code != knxDataCon {
		return // a bus monitor's, or another medium's
	}
	if len(b) < at+8 || len(b) < at+8+int(b[at+6]) {
		x.Undecoded()
		return
	}
	// The length counts what follows the octet of the transport layer.
	target, length := binary.BigEndian.Uint16(b[at+4:]), int(b[at+6])
	group, failed := b[at+1]&0x80 != 0, b[at]&1 != 0
	data := b[at+7 : at+8+length]
	if length == 0 {
		return // the transport layer's own: connect, disconnect, acknowledge
	}
	apci := binary.BigEndian.Uint16(data) & 0x3ff
	switch top := apci & 0x3c0; top {
	case 0x000, 0x040, 0x080, 0x180, 0x1c0, 0x200, 0x240, 0x280, 0x300, 0x340:
		apci = top // the rest of the code is data
	}
	ops := knxAPCI[apci]
	if ops == nil {
		ops = knxOtherAPCI
	}
	const busKey = 1 << 40
	key := busKey | uint64(apci)<<16 | uint64(target)
	if code == knxDataCon { // what was asked of the bus, and how the bus took it
		if ops[knxRequested].Class != capture.Read {
			x.Answer(from, key, !failed)
		}
		return
	}
	how := knxRequested
	switch {
	case routed:
		how = knxRouted
	case code == knxDataInd:
		how = knxIndicated
	}
	op := &ops[how]
	var use *Use
	if how == knxRequested && op.Class != capture.Reply {
		x.Forget(from, key)
		use = x.Ask(op, from, key)
	} else {
		use = x.Note(op, from)
	}
	if group {
		use.Objects("group", uint32(target), 1)
	} else {
		use.Unit(target)
	}
	const groupAnswer = 0x040
	if apci == groupAnswer { // of a read by the client
		x.Answer(from, busKey|uint64(target), true)
	}
	if apci == knxAuthorize && how != knxIndicated && length >= 6 {
		x.Login(from, key, "knx key", true, 4)
	}
}

// knxManage reads a message of device management: code, object (2), instance,
// property, count and start (2), and in a confirmation a count of 0 for an error.
func knxManage(x *Exchange, from capture.Side, b []byte) {
	const managementKey = 1 << 41
	if m, ok := knxManagement[b[0]]; ok {
		key := uint64(managementKey | int(m.confirmed))
		x.Forget(from, key)
		x.Ask(m.op, from, key)
		return
	}
	accepted := true
	if (b[0] == 0xfb || b[0] == 0xf5) && len(b) >= 7 {
		accepted = b[5]>>4 != 0
	}
	x.Answer(from, uint64(managementKey|int(b[0])), accepted)
}

// knxDevice reads the description of a device: size, type 1, medium, status,
// address (2), project (2), serial number (6), multicast address (4), MAC address
// (6), name (30).
func knxDevice(x *Exchange, from capture.Side, b []byte) {
	const size, info = 54, 1
	if len(b) < size || b[0] != size || b[1] != info {
		return
	}
	name, _, _ := bytes.Cut(b[24:size], []byte{0})
	x.Identity(from, capture.Identity{Model: string(name), Serial: hex.EncodeToString(b[8:14]), Source: string(capture.KNX)})
}
