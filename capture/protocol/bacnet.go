package protocol

import (
	"encoding/binary"
	"fmt"

	"bulkhead/capture"
)

// BACnet is BACnet/IP: the virtual link layer with broadcast management and
// foreign devices, network messages, and the services of the application layer.
//
// Source: ANSI/ASHRAE Standard 135-2020, clause 6 (network layer), clauses 13 to
// 17 (services), clause 20 (encoding of APDUs), clause 21 (service choices),
// Annex J (BACnet/IP).
var BACnet = &Protocol{
	Name:      capture.BACnet,
	Over:      []capture.Transport{capture.UDP},
	Recognise: recogniseBACnet,
	New:       func() Decoder { return new(bacnetDecoder) },
}

// BACnetEthernet is BACnet straight on Ethernet, behind the service access point
// 0x82: the same without the virtual link layer. Source: 135-2020, clause 7.
var BACnetEthernet = &Protocol{
	Name:      capture.BACnet,
	Over:      []capture.Transport{capture.L2},
	Recognise: recogniseBACnetEthernet,
	New:       func() Decoder { return new(bacnetEthernetDecoder) },
}

const (
	bvlcType   = 0x81 // BACnet/IP
	bvlcHeader = 4    // type, function, length of the whole
)

// The functions of the virtual link layer. Source: Annex J.2.
const (
	bvlcResult         = 0x00
	bvlcWriteBDT       = 0x01
	bvlcReadBDT        = 0x02
	bvlcReadBDTAck     = 0x03
	bvlcForwarded      = 0x04
	bvlcRegister       = 0x05
	bvlcReadFDT        = 0x06
	bvlcReadFDTAck     = 0x07
	bvlcDeleteFDT      = 0x08
	bvlcDistribute     = 0x09
	bvlcUnicast        = 0x0a
	bvlcBroadcast      = 0x0b
	bvlcSecure         = 0x0c
	bvlcLast           = bvlcSecure
	bvlcForwardedExtra = 6  // the address of who sent a forwarded NPDU
	bvlcEntry          = 10 // octets of an entry of either table
)

// bvlcOps are the functions that ask a broadcast management device for something,
// by function. The others carry an NPDU or answer. A foreign device that registers
// is sent every broadcast from then on: an entry in the device's table, as those
// that an operator writes.
var bvlcOps = [bvlcLast + 1]Op{
	bvlcWriteBDT:  {capture.BACnet, "bvlc:1", "Write-Broadcast-Distribution-Table", capture.Configure},
	bvlcReadBDT:   {capture.BACnet, "bvlc:2", "Read-Broadcast-Distribution-Table", capture.Read},
	bvlcRegister:  {capture.BACnet, "bvlc:5", "Register-Foreign-Device", capture.Configure},
	bvlcReadFDT:   {capture.BACnet, "bvlc:6", "Read-Foreign-Device-Table", capture.Read},
	bvlcDeleteFDT: {capture.BACnet, "bvlc:8", "Delete-Foreign-Device-Table-Entry", capture.Configure},
	bvlcSecure:    {capture.BACnet, "bvlc:12", "Secure-BVLL", capture.Configure},
}

// bacnetNetworkOps are the network layer messages by type. Source: 6.2.4.
var bacnetNetworkOps = func() (ops [256]Op) {
	for i := range ops {
		ops[i] = Op{Name: "reserved network message", Class: capture.Configure}
		if i >= 0x80 {
			ops[i].Name = "proprietary network message"
		}
	}
	for i, o := range map[int]Op{
		0x00: {Name: "Who-Is-Router-To-Network", Class: capture.Discover},
		0x01: {Name: "I-Am-Router-To-Network", Class: capture.Discover},
		0x02: {Name: "I-Could-Be-Router-To-Network", Class: capture.Discover},
		0x03: {Name: "Reject-Message-To-Network", Class: capture.Reply},
		0x04: {Name: "Router-Busy-To-Network", Class: capture.Event},
		0x05: {Name: "Router-Available-To-Network", Class: capture.Event},
		0x06: {Name: "Initialize-Routing-Table", Class: capture.Configure},
		0x07: {Name: "Initialize-Routing-Table-Ack", Class: capture.Reply},
		0x08: {Name: "Establish-Connection-To-Network", Class: capture.Configure},
		0x09: {Name: "Disconnect-Connection-To-Network", Class: capture.Configure},
		0x0a: {Name: "Challenge-Request", Class: capture.Session},
		0x0b: {Name: "Security-Payload", Class: capture.Configure}, // what is in it cannot be read
		0x0c: {Name: "Security-Response", Class: capture.Reply},
		0x0d: {Name: "Request-Key-Update", Class: capture.Session},
		0x0e: {Name: "Update-Key-Set", Class: capture.Configure},
		0x0f: {Name: "Update-Distribution-Key", Class: capture.Configure},
		0x10: {Name: "Request-Master-Key", Class: capture.Session},
		0x11: {Name: "Set-Master-Key", Class: capture.Configure},
		0x12: {Name: "What-Is-Network-Number", Class: capture.Discover},
		0x13: {Name: "Network-Number-Is", Class: capture.Discover},
	} {
		ops[i].Name, ops[i].Class = o.Name, o.Class
	}
	for i := range ops {
		ops[i].Protocol, ops[i].Code = capture.BACnet, fmt.Sprintf("network:%d", i)
	}
	return ops
}()

// The services that the decoder treats apart.
const (
	bacnetReadProperty  = 12
	bacnetReadMultiple  = 14
	bacnetDeviceControl = 17
	bacnetReinitialize  = 20
	bacnetIAm           = 0 // unconfirmed
)

// bacnetConfirmedOps are the confirmed services by service choice. Source:
// clause 21, BACnetConfirmedServiceChoice. Writing a property is write whatever the
// property is; making and deleting objects is configure. A virtual terminal and a
// private transfer can do anything.
var bacnetConfirmedOps = bacnetServices("confirmed", map[int]Op{
	0:                   {Name: "AcknowledgeAlarm", Class: capture.Write},
	1:                   {Name: "ConfirmedCOVNotification", Class: capture.Event},
	2:                   {Name: "ConfirmedEventNotification", Class: capture.Event},
	3:                   {Name: "GetAlarmSummary", Class: capture.Read},
	4:                   {Name: "GetEnrollmentSummary", Class: capture.Read},
	5:                   {Name: "SubscribeCOV", Class: capture.Read},
	6:                   {Name: "AtomicReadFile", Class: capture.File},
	7:                   {Name: "AtomicWriteFile", Class: capture.File},
	8:                   {Name: "AddListElement", Class: capture.Write},
	9:                   {Name: "RemoveListElement", Class: capture.Write},
	10:                  {Name: "CreateObject", Class: capture.Configure},
	11:                  {Name: "DeleteObject", Class: capture.Configure},
	bacnetReadProperty:  {Name: "ReadProperty", Class: capture.Read},
	13:                  {Name: "ReadPropertyConditional", Class: capture.Read},
	bacnetReadMultiple:  {Name: "ReadPropertyMultiple", Class: capture.Read},
	15:                  {Name: "WriteProperty", Class: capture.Write},
	16:                  {Name: "WritePropertyMultiple", Class: capture.Write},
	bacnetDeviceControl: {Name: "DeviceCommunicationControl", Class: capture.Mode},
	18:                  {Name: "ConfirmedPrivateTransfer", Class: capture.Configure},
	19:                  {Name: "ConfirmedTextMessage", Class: capture.Event},
	bacnetReinitialize:  {Name: "ReinitializeDevice", Class: capture.Mode},
	21:                  {Name: "VT-Open", Class: capture.Configure},
	22:                  {Name: "VT-Close", Class: capture.Configure},
	23:                  {Name: "VT-Data", Class: capture.Configure},
	24:                  {Name: "Authenticate", Class: capture.Session},
	25:                  {Name: "RequestKey", Class: capture.Session},
	26:                  {Name: "ReadRange", Class: capture.Read},
	27:                  {Name: "LifeSafetyOperation", Class: capture.Control},
	28:                  {Name: "SubscribeCOVProperty", Class: capture.Read},
	29:                  {Name: "GetEventInformation", Class: capture.Read},
	30:                  {Name: "SubscribeCOVPropertyMultiple", Class: capture.Read},
	31:                  {Name: "ConfirmedCOVNotificationMultiple", Class: capture.Event},
	32:                  {Name: "ConfirmedAuditNotification", Class: capture.Event},
	33:                  {Name: "AuditLogQuery", Class: capture.Read},
})

// bacnetUnconfirmedOps are the unconfirmed services by service choice. Source:
// clause 21, BACnetUnconfirmedServiceChoice.
var bacnetUnconfirmedOps = bacnetServices("unconfirmed", map[int]Op{
	bacnetIAm: {Name: "I-Am", Class: capture.Discover},
	1:         {Name: "I-Have", Class: capture.Discover},
	2:         {Name: "UnconfirmedCOVNotification", Class: capture.Event},
	3:         {Name: "UnconfirmedEventNotification", Class: capture.Event},
	4:         {Name: "UnconfirmedPrivateTransfer", Class: capture.Configure},
	5:         {Name: "UnconfirmedTextMessage", Class: capture.Event},
	6:         {Name: "TimeSynchronization", Class: capture.Configure},
	7:         {Name: "Who-Has", Class: capture.Discover},
	8:         {Name: "Who-Is", Class: capture.Discover},
	9:         {Name: "UTCTimeSynchronization", Class: capture.Configure},
	10:        {Name: "WriteGroup", Class: capture.Write},
	11:        {Name: "UnconfirmedCOVNotificationMultiple", Class: capture.Event},
	12:        {Name: "UnconfirmedAuditNotification", Class: capture.Event},
	13:        {Name: "Who-Am-I", Class: capture.Discover},
	14:        {Name: "You-Are", Class: capture.Configure},
})

func bacnetServices(kind string, known map[int]Op) (ops [256]Op) {
	for i := range ops {
		ops[i] = Op{capture.BACnet, fmt.Sprintf("%s:%d", kind, i), "service of no name", capture.Configure}
		if o, ok := known[i]; ok {
			ops[i].Name, ops[i].Class = o.Name, o.Class
		}
	}
	return ops
}

// bacnetReinitializeOps and bacnetControlOps tell these two services apart by the
// state that they ask for. Source: 16.4, 16.1.
var (
	bacnetReinitializeOps = bacnetStates(bacnetReinitialize, "ReinitializeDevice", "COLDSTART", "WARMSTART",
		"STARTBACKUP", "ENDBACKUP", "STARTRESTORE", "ENDRESTORE", "ABORTRESTORE", "ACTIVATE_CHANGES")
	bacnetControlOps = bacnetStates(bacnetDeviceControl, "DeviceCommunicationControl", "ENABLE", "DISABLE", "DISABLE_INITIATION")
)

func bacnetStates(service int, name string, states ...string) (ops []Op) {
	for _, s := range states {
		ops = append(ops, Op{capture.BACnet, fmt.Sprintf("confirmed:%d", service), name + ": " + s, capture.Mode})
	}
	return ops
}

const bacnetPassword = "bacnet device password" // a kind of log-in

// recogniseBACnet wants the type, a function and the length of the datagram, and
// is sure if an NPDU with no reserved bit and a kind of APDU or message that exists
// follows.
func recogniseBACnet(b []byte) Match {
	if len(b) < bvlcHeader || b[0] != bvlcType || b[1] > bvlcLast || int(binary.BigEndian.Uint16(b[2:])) != len(b) {
		return Match{}
	}
	rest := b[bvlcHeader:]
	m := Match{Score: Weak}
	fixed := -1
	switch b[1] {
	case bvlcResult:
		m.Role, fixed = Server, 2
	case bvlcReadBDTAck, bvlcReadFDTAck:
		m.Role = Server
		if len(rest)%bvlcEntry != 0 {
			return Match{}
		}
	case bvlcWriteBDT:
		m.Role = Client
		if len(rest)%bvlcEntry != 0 {
			return Match{}
		}
	case bvlcRegister:
		m.Role, fixed = Client, 2
	case bvlcDeleteFDT:
		m.Role, fixed = Client, 6
	case bvlcReadBDT, bvlcReadFDT:
		m.Role, fixed = Client, 0
	case bvlcForwarded, bvlcDistribute, bvlcUnicast, bvlcBroadcast:
		if b[1] == bvlcForwarded {
			if len(rest) < bvlcForwardedExtra {
				return Match{}
			}
			rest = rest[bvlcForwardedExtra:]
		}
		n, ok := parseBACnetNPDU(rest)
		if !ok {
			return Match{}
		}
		return Match{Score: Sure, Role: n.role()}
	}
	if fixed >= 0 && fixed != len(rest) {
		return Match{}
	}
	return m
}

// bacnetNPDU is a network layer PDU.
type bacnetNPDU struct {
	message     bool // data is a network layer message, and not an APDU
	routed      bool // it comes from another network
	destination uint32
	source      uint32 // hashes of the addresses on other networks, 0 for none
	data        []byte // never empty
}

// parseBACnetNPDU reads a network layer PDU. Source: 6.2.
func parseBACnetNPDU(b []byte) (n bacnetNPDU, ok bool) {
	const (
		version     = 1
		isMessage   = 0x80
		destination = 0x20
		source      = 0x08
		reserved    = 0x50
	)
	if len(b) < 2 || b[0] != version || b[1]&reserved != 0 {
		return n, false
	}
	control := b[1]
	b = b[2:]
	if control&destination != 0 {
		if n.destination, b, ok = cutBACnetAddress(b); !ok {
			return n, false
		}
	}
	if control&source != 0 {
		if n.source, b, ok = cutBACnetAddress(b); !ok {
			return n, false
		}
		n.routed = true
	}
	if control&destination != 0 {
		if len(b) < 1 {
			return n, false
		}
		b = b[1:] // hop count
	}
	if len(b) == 0 {
		return n, false
	}
	n.message, n.data = control&isMessage != 0, b
	return n, n.message || b[0]>>4 <= bacnetAbort
}

// cutBACnetAddress takes a network number and an address off b, and returns a
// hash of them (FNV-1a).
func cutBACnetAddress(b []byte) (hash uint32, rest []byte, ok bool) {
	if len(b) < 3 {
		return 0, nil, false
	}
	end := 3 + int(b[2])
	if len(b) < end {
		return 0, nil, false
	}
	hash = 2166136261
	for _, c := range b[:end] {
		hash = (hash ^ uint32(c)) * 16777619
	}
	return hash, b[end:], true
}

// The kinds of APDU. Source: clause 20.1.
const (
	bacnetConfirmed   = 0
	bacnetUnconfirmed = 1
	bacnetSimpleAck   = 2
	bacnetComplexAck  = 3
	bacnetSegmentAck  = 4
	bacnetError       = 5
	bacnetReject      = 6
	bacnetAbort       = 7

	bacnetSegmented = 0x08
	bacnetByServer  = 0x01 // of an abort
)

// role tells who sends an NPDU: who asks for something is the client.
func (n *bacnetNPDU) role() Role {
	if n.message {
		return AnyRole
	}
	switch n.data[0] >> 4 {
	case bacnetConfirmed:
		return Client
	case bacnetSimpleAck, bacnetComplexAck, bacnetError, bacnetReject:
		return Server
	}
	return AnyRole
}

// bacnetDecoder keeps of each side what it last said of itself, so that it need
// not be written down again.
type bacnetDecoder struct {
	said [2]uint64
}

// Decode implements [Decoder].
func (d *bacnetDecoder) Decode(x *Exchange, from capture.Side, b []byte) int {
	if recogniseBACnet(b).Score == No {
		x.Undecoded()
		return len(b)
	}
	function, rest := b[1], b[bvlcHeader:]
	switch function {
	case bvlcResult:
		bvlcSettle(x, from, binary.BigEndian.Uint16(rest))
	case bvlcReadBDTAck, bvlcReadFDTAck:
		x.Answer(from, bvlcKey(function-1), true)
	case bvlcSecure:
		x.Protect(Encrypted)
		x.Note(&bvlcOps[function], from)
	case bvlcForwarded:
		d.network(x, from, rest[bvlcForwardedExtra:], false)
	case bvlcDistribute, bvlcUnicast, bvlcBroadcast:
		d.network(x, from, rest, true)
	default:
		x.Forget(from, bvlcKey(function))
		x.Ask(&bvlcOps[function], from, bvlcKey(function))
	}
	return len(b)
}

// recogniseBACnetEthernet looks for an NPDU, which alone is a weak sign, and none
// if it asks for or answers a service that has no name.
func recogniseBACnetEthernet(b []byte) Match {
	n, ok := parseBACnetNPDU(b)
	switch {
	case !ok:
		return Match{}
	case !n.named():
		return Match{Score: More}
	}
	return Match{Score: Weak, Role: n.role()}
}

// named reports whether what an NPDU carries is a message or service of the
// standard.
func (n *bacnetNPDU) named() bool {
	const messages, confirmed, unconfirmed = 0x13, 33, 14 // the last of each
	a := n.data
	switch {
	case n.message:
		return a[0] <= messages
	case len(a) < 3 && a[0] != bacnetUnconfirmed<<4:
		return false
	}
	switch a[0] >> 4 {
	case bacnetConfirmed:
		return a[0]&bacnetSegmented != 0 || len(a) >= 4 && a[3] <= confirmed
	case bacnetUnconfirmed:
		return a[0]&0x0f == 0 && len(a) >= 2 && a[1] <= unconfirmed
	case bacnetSimpleAck:
		return a[0]&0x0f == 0 && len(a) == 3 && a[2] <= confirmed
	case bacnetComplexAck:
		return a[0]&bacnetSegmented != 0 || a[2] <= confirmed
	case bacnetError:
		return a[0]&0x0f == 0 && len(a) >= 7 && a[2] <= confirmed
	}
	return true
}

// bacnetEthernetDecoder reads NPDUs.
type bacnetEthernetDecoder struct{ bacnetDecoder }

// Decode implements [Decoder].
func (d *bacnetEthernetDecoder) Decode(x *Exchange, from capture.Side, b []byte) int {
	d.network(x, from, b, true)
	return len(b)
}

// bvlcKey is the key of a request of the virtual link layer, which has no number.
func bvlcKey(function byte) uint64 { return 1<<63 | uint64(function) }

// bvlcSettle reads a result: 0 for success, which does not say of what, so that
// it is of the oldest request; else the function that failed, shifted by four bits.
// Source: Annex J.2.1.
func bvlcSettle(x *Exchange, from capture.Side, code uint16) {
	if code != 0 {
		x.Answer(from, bvlcKey(byte(code>>4)), false)
		return
	}
	var key uint64
	x.Open(from.Other(), func(_ *Op, k uint64) bool {
		if k>>63 != 0 {
			key = k
		}
		return key == 0
	})
	if key != 0 {
		x.Answer(from, key, true)
	}
}

// network reads an NPDU; own says that it comes from who sent the datagram.
func (d *bacnetDecoder) network(x *Exchange, from capture.Side, b []byte, own bool) {
	n, ok := parseBACnetNPDU(b)
	switch {
	case !ok:
		x.Undecoded()
	case n.message:
		x.Note(&bacnetNetworkOps[n.data[0]], from)
	default:
		if !d.application(x, from, &n, own && !n.routed) {
			x.Undecoded()
		}
	}
}

// application reads an APDU; own says that it is about its sender. It returns
// false if the APDU is cut short.
func (d *bacnetDecoder) application(x *Exchange, from capture.Side, n *bacnetNPDU, own bool) bool {
	a := n.data
	// Of a request and its answer the destination of one is the source of the
	// other; the invoke id is unique between the two.
	asked := func(invoke byte) uint64 {
		return uint64(n.destination&0x7fffff)<<32 | uint64(n.source&0xffffff)<<8 | uint64(invoke)
	}
	answered := func(invoke byte) uint64 {
		return uint64(n.source&0x7fffff)<<32 | uint64(n.destination&0xffffff)<<8 | uint64(invoke)
	}
	need := func(k int) bool { return len(a) >= k }
	switch a[0] >> 4 {
	case bacnetConfirmed:
		if !need(4) {
			return false
		}
		invoke, service, data := a[2], a[3], a[4:]
		if a[0]&bacnetSegmented != 0 {
			if !need(6) {
				return false
			}
			if a[3] != 0 {
				return true // more of a request that was counted with its first segment
			}
			service, data = a[5], a[6:]
		}
		key := asked(invoke)
		x.Forget(from, key)
		bacnetRequest(x, from, key, service, data)
	case bacnetUnconfirmed:
		if !need(2) {
			return false
		}
		x.Note(&bacnetUnconfirmedOps[a[1]], from)
		if a[1] == bacnetIAm && own {
			d.iAm(x, from, a[2:])
		}
	case bacnetSimpleAck:
		if !need(3) {
			return false
		}
		x.Answer(from, answered(a[1]), true)
	case bacnetComplexAck:
		if !need(3) {
			return false
		}
		service, data := a[2], a[3:]
		if a[0]&bacnetSegmented != 0 {
			if !need(5) {
				return false
			}
			if a[2] != 0 {
				return true // the first segment was the answer
			}
			service, data = a[4], a[5:]
		}
		x.Answer(from, answered(a[1]), true)
		if own {
			bacnetProperties(x, from, service, data)
		}
	case bacnetSegmentAck:
		return need(4)
	case bacnetError, bacnetReject:
		if !need(3) {
			return false
		}
		x.Answer(from, answered(a[1]), false)
	case bacnetAbort:
		switch {
		case !need(3):
			return false
		case a[0]&bacnetByServer != 0:
			x.Answer(from, answered(a[1]), false)
		default:
			x.Forget(from, asked(a[1])) // who asked gives up
		}
	}
	return true
}

// bacnetRequest counts a confirmed request, and reads the state and the password
// of those that have them.
func bacnetRequest(x *Exchange, from capture.Side, key uint64, service byte, data []byte) {
	op := &bacnetConfirmedOps[service]
	var states []Op
	var stateTag, passwordTag byte
	switch service {
	case bacnetReinitialize:
		states, stateTag, passwordTag = bacnetReinitializeOps, 0, 1
	case bacnetDeviceControl:
		states, stateTag, passwordTag = bacnetControlOps, 1, 2
	default:
		x.Ask(op, from, key)
		return
	}
	secret := -1
	for len(data) > 0 {
		tag, rest, ok := cutBACnetTag(data)
		if !ok || !tag.context {
			break
		}
		switch {
		case tag.number == stateTag && len(tag.value) == 1 && int(tag.value[0]) < len(states):
			op = &states[tag.value[0]]
		case tag.number == passwordTag && len(tag.value) > 0:
			secret = len(tag.value) - 1 // behind the character set
		}
		data = rest
	}
	x.Ask(op, from, key)
	if secret >= 0 {
		x.Login(from, key, bacnetPassword, true, secret)
	}
}

// bacnetTag is an element of a service's parameters.
type bacnetTag struct {
	number      byte
	context     bool // the service gives the number its meaning, and not the type
	open, close bool
	value       []byte
}

// cutBACnetTag takes an element off b. Source: clause 20.2.1.
func cutBACnetTag(b []byte) (t bacnetTag, rest []byte, ok bool) {
	const (
		contextClass = 0x08
		extended     = 15
		extendedSize = 5
		opening      = 6
		closing      = 7
		boolean      = 1
	)
	if len(b) < 1 {
		return t, nil, false
	}
	t.number, t.context = b[0]>>4, b[0]&contextClass != 0
	size := int(b[0] & 7)
	b = b[1:]
	if t.number == extended {
		if len(b) < 1 {
			return t, nil, false
		}
		t.number, b = b[0], b[1:]
	}
	switch {
	case t.context && size == opening:
		t.open = true
		return t, b, true
	case t.context && size == closing:
		t.close = true
		return t, b, true
	case !t.context && t.number == boolean:
		return t, b, true // the length is the value
	case size > extendedSize:
		return t, nil, false
	case size == extendedSize:
		if len(b) < 1 {
			return t, nil, false
		}
		size, b = int(b[0]), b[1:]
		switch size {
		case 254:
			if len(b) < 2 {
				return t, nil, false
			}
			size, b = int(binary.BigEndian.Uint16(b)), b[2:]
		case 255:
			return t, nil, false // longer than a datagram
		}
	}
	if size > len(b) {
		return t, nil, false
	}
	t.value = b[:size]
	return t, b[size:], true
}

// unsigned returns the value as a number of up to four octets.
func (t *bacnetTag) unsigned() uint32 {
	var n uint32
	if len(t.value) <= 4 {
		for _, c := range t.value {
			n = n<<8 | uint32(c)
		}
	}
	return n
}

// The types, objects and properties that identities are read from. Source:
// clause 20.2.1.4, clause 21 (BACnetObjectType, BACnetPropertyIdentifier).
const (
	bacnetString   = 7
	bacnetObjectID = 12

	bacnetDeviceObject = 8

	bacnetFirmware     = 44
	bacnetModelName    = 70
	bacnetObjectName   = 77
	bacnetVendorName   = 121
	bacnetSerialNumber = 372
)

// iAm reads who a device says that it is: its object, how it takes segments, and
// the number of its vendor. Source: 16.10.1.
func (d *bacnetDecoder) iAm(x *Exchange, from capture.Side, data []byte) {
	object, data, ok := cutBACnetTag(data)
	if !ok || object.context || object.number != bacnetObjectID || object.unsigned()>>22 != bacnetDeviceObject {
		return
	}
	var vendor bacnetTag
	for range 3 { // longest APDU, segmentation, vendor
		if vendor, data, ok = cutBACnetTag(data); !ok {
			return
		}
	}
	instance := object.unsigned() & (1<<22 - 1)
	said := 1<<63 | uint64(instance)<<32 | uint64(vendor.unsigned())
	if d.said[from] == said {
		return
	}
	d.said[from] = said
	x.Name(from, fmt.Sprintf("device %d", instance), string(capture.BACnet))
	x.Identity(from, capture.Identity{Vendor: fmt.Sprintf("BACnet vendor %d", vendor.unsigned()), Source: string(capture.BACnet)})
}

// bacnetProperties reads what a device answers about its device object: vendor,
// model, firmware, serial number and name. Source: 15.5.1.2, 15.7.1.2.
func bacnetProperties(x *Exchange, from capture.Side, service byte, data []byte) {
	var propertyTag byte
	var valueDepth int // how many brackets a value stands in
	switch service {
	case bacnetReadProperty:
		propertyTag, valueDepth = 1, 1
	case bacnetReadMultiple:
		propertyTag, valueDepth = 2, 2
	default:
		return
	}
	const objectTag = 0
	var id capture.Identity
	depth, property, device := 0, uint32(0), false
	for {
		tag, rest, ok := cutBACnetTag(data)
		if !ok {
			break
		}
		data = rest
		switch {
		case tag.open:
			depth++
		case tag.close:
			depth--
		case depth == valueDepth:
			if device && !tag.context && tag.number == bacnetString && len(tag.value) > 1 && tag.value[0] == 0 {
				bacnetProperty(x, from, &id, property, string(tag.value[1:]))
			}
		case tag.context && tag.number == objectTag && depth == 0:
			device = tag.unsigned()>>22 == bacnetDeviceObject
		case tag.context && tag.number == propertyTag && depth == valueDepth-1:
			property = tag.unsigned()
		}
	}
	if id != (capture.Identity{}) {
		id.Source = string(capture.BACnet)
		x.Identity(from, id)
	}
}

func bacnetProperty(x *Exchange, from capture.Side, id *capture.Identity, property uint32, text string) {
	switch property {
	case bacnetVendorName:
		id.Vendor = text
	case bacnetModelName:
		id.Model = text
	case bacnetFirmware:
		id.Firmware = text
	case bacnetSerialNumber:
		id.Serial = text
	case bacnetObjectName:
		x.Name(from, text, string(capture.BACnet))
	}
}
