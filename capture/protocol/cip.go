package protocol

import (
	"encoding/binary"
	"fmt"
	"strings"

	"bulkhead/capture"
)

// CIP has no [Protocol] of its own: it is found inside EtherNet/IP and its
// operations are counted in that conversation.
//
// Source: The CIP Networks Library, Volume 1: Common Industrial Protocol (ODVA),
// 2-4 (message router request and response), 3-5 (connection manager), 5-2
// (identity object), appendix A (services), appendix C-1 (paths); Rockwell
// Automation 1756-PM020 (tags of Logix controllers) and 1770-6.5.16, chapter 7
// (PCCC commands).

const (
	cipReply = 0x80 // set in the service of a response

	cipMultiple        = 0x0a
	cipExecutePCCC     = 0x4b
	cipUnconnectedSend = 0x52
	cipForwardOpen     = 0x54
	cipLargeOpen       = 0x5b

	cipSuccess         = 0x00 // general status
	cipPartialTransfer = 0x06
	cipEmbeddedError   = 0x1e
)

// cipObject is a kind of object as far as it gives services a meaning.
type cipObject uint8

const (
	anyObject cipObject = iota
	identityObject
	connectionManager
	tagObject // a symbol, by name or as an instance of class 0x6b
	templateObject
	pcccObject
	fileObject
	storageObject
	memoryObject
	cipObjects // how many there are
)

var cipClasses = map[uint16]cipObject{
	0x01: identityObject,
	0x06: connectionManager,
	0x37: fileObject,
	0x67: pcccObject,
	0x6b: tagObject,
	0x6c: templateObject,
	// The following are Rockwell Automation's and not published. Clients are seen
	// to read a controller's tags by address from the one, and to write a module's
	// firmware to the other.
	0x72: memoryObject,
	0xa1: storageObject,
}

// cipOps holds the operation of each service, by object; what is the same to
// several objects is one Op. A service that the sources do not give for an object
// is classed as configure: no channel that allows reading should let it pass, and
// nothing shows that it writes.
var cipOps = func() (t [cipObjects][128]*Op) {
	type row struct {
		service byte
		class   capture.Class
		name    string
	}
	set := func(object cipObject, r row) {
		op := cipOp(r.service, r.class, r.name)
		t[object][r.service] = &op
	}
	for service := range t[anyObject] {
		name := fmt.Sprintf("Service 0x%02x", service)
		set(anyObject, row{byte(service), capture.Configure, name})
		set(fileObject, row{byte(service), capture.File, name})
		set(storageObject, row{byte(service), capture.Firmware, name})
	}
	for _, r := range []row{ // common to all objects
		{0x01, capture.Read, "Get_Attributes_All"},
		{0x02, capture.Write, "Set_Attributes_All"},
		{0x03, capture.Read, "Get_Attribute_List"},
		{0x04, capture.Write, "Set_Attribute_List"},
		{0x05, capture.Mode, "Reset"},
		{0x06, capture.Mode, "Start"},
		{0x07, capture.Mode, "Stop"},
		{0x08, capture.Configure, "Create"},
		{0x09, capture.Configure, "Delete"},
		{cipMultiple, capture.Session, "Multiple_Service_Packet"},
		{0x0d, capture.Configure, "Apply_Attributes"},
		{0x0e, capture.Read, "Get_Attribute_Single"},
		{0x10, capture.Write, "Set_Attribute_Single"},
		{0x11, capture.Discover, "Find_Next_Object_Instance"},
		{0x15, capture.Configure, "Restore"},
		{0x16, capture.Configure, "Save"},
		{0x17, capture.Session, "No_Operation"},
		{0x18, capture.Read, "Get_Member"},
		{0x19, capture.Write, "Set_Member"},
		{0x1a, capture.Write, "Insert_Member"},
		{0x1b, capture.Write, "Remove_Member"},
		{0x1c, capture.Session, "GroupSync"},
	} {
		set(anyObject, r)
		for object := range t {
			t[object][r.service] = t[anyObject][r.service]
		}
	}
	for object, rows := range map[cipObject][]row{
		identityObject: {{0x01, capture.Discover, "Get_Attributes_All"}},
		connectionManager: {
			{0x4e, capture.Session, "Forward_Close"},
			{cipUnconnectedSend, capture.Session, "Unconnected_Send"},
			{cipForwardOpen, capture.Session, "Forward_Open"},
			{0x56, capture.Diagnose, "Get_Connection_Data"},
			{0x57, capture.Diagnose, "Search_Connection_Data"},
			{0x5a, capture.Diagnose, "Get_Connection_Owner"},
			{cipLargeOpen, capture.Session, "Large_Forward_Open"},
		},
		tagObject: {
			{0x4c, capture.Read, "Read Tag"},
			{0x4d, capture.Write, "Write Tag"},
			{0x4e, capture.Write, "Read Modify Write Tag"},
			{0x52, capture.Read, "Read Tag Fragmented"},
			{0x53, capture.Write, "Write Tag Fragmented"},
			{0x55, capture.Read, "Get_Instance_Attribute_List"},
		},
		templateObject: {{0x4c, capture.Read, "Read Template"}},
		fileObject: {
			{0x4b, capture.File, "Initiate_Upload"},
			{0x4c, capture.File, "Initiate_Download"},
			{0x4d, capture.File, "Initiate_Partial_Read"},
			{0x4e, capture.File, "Initiate_Partial_Write"},
			{0x4f, capture.File, "Upload_Transfer"},
			{0x50, capture.File, "Download_Transfer"},
			{0x51, capture.File, "Clear_File"},
		},
		memoryObject: {{0x4c, capture.Read, "Read"}},
		pcccObject:   {{cipExecutePCCC, capture.Configure, pcccName}},
	} {
		for _, r := range rows {
			set(object, r)
		}
	}
	for object := range t {
		for service, op := range t[object] {
			if op == nil {
				t[object][service] = t[anyObject][service]
			}
		}
	}
	return t
}()

func cipOp(service byte, class capture.Class, name string) Op {
	return Op{Protocol: capture.CIP, Code: fmt.Sprintf("0x%02x", service), Name: name, Class: class}
}

const pcccName = "Execute_PCCC"

// pccc is a PCCC command and, where it has them, its functions.
type pccc struct {
	op        Op
	functions *[256]Op // nil without
}

// pcccOps holds what Execute_PCCC executes, by PCCC command.
var pcccOps = func() (t [16]pccc) {
	type row struct {
		function byte
		class    capture.Class
		name     string
	}
	commands := []row{
		{0x00, capture.Write, "Protected Write"},
		{0x01, capture.Read, "Unprotected Read"},
		{0x02, capture.Write, "Protected Bit Write"},
		{0x05, capture.Write, "Unprotected Bit Write"},
		{0x08, capture.Write, "Unprotected Write"},
	}
	functions := map[byte][]row{
		0x06: {
			{0x00, capture.Diagnose, "Echo"},
			{0x01, capture.Diagnose, "Read Diagnostic Counters"},
			{0x02, capture.Configure, "Set Variables"},
			{0x03, capture.Diagnose, "Diagnostic Status"},
			{0x04, capture.Configure, "Set Timeout"},
			{0x05, capture.Configure, "Set NAKs"},
			{0x06, capture.Configure, "Set ENQs"},
			{0x07, capture.Diagnose, "Reset Diagnostic Counters"},
			{0x08, capture.Configure, "Set Data Table Size"},
			{0x09, capture.Diagnose, "Read Link Parameters"},
			{0x0a, capture.Configure, "Set Link Parameters"},
		},
		0x07: {
			{0x00, capture.Mode, "Disable Outputs"},
			{0x01, capture.Mode, "Enable Outputs"},
			{0x03, capture.Mode, "Enable PLC Scanning"},
			{0x04, capture.Program, "Enter Download Mode"},
			{0x05, capture.Program, "Exit Download/Upload Mode"},
			{0x06, capture.Program, "Enter Upload Mode"},
		},
		0x0f: {
			{0x00, capture.Write, "Word Range Write"},
			{0x01, capture.Read, "Word Range Read"},
			{0x02, capture.Write, "Bit Write"},
			{0x03, capture.Write, "File Write"},
			{0x04, capture.Read, "File Read"},
			{0x05, capture.Program, "Download Request"},
			{0x06, capture.Program, "Upload"},
			{0x07, capture.Mode, "Shutdown"},
			{0x08, capture.Write, "Physical Write"},
			{0x09, capture.Read, "Physical Read"},
			{0x0a, capture.Mode, "Restart Request"},
			{0x11, capture.Program, "Get Edit Resource"},
			{0x12, capture.Program, "Return Edit Resource"},
			{0x17, capture.Read, "Read Bytes Physical"},
			{0x18, capture.Write, "Write Bytes Physical"},
			{0x26, capture.Write, "Read-Modify-Write"},
			{0x29, capture.Read, "Read Section Size"},
			{0x3a, capture.Mode, "Set CPU Mode"},
			{0x41, capture.Write, "Disable Forces"},
			{0x50, capture.Program, "Download All Request"},
			{0x52, capture.Program, "Download Completed"},
			{0x53, capture.Program, "Upload All Request"},
			{0x55, capture.Program, "Upload Completed"},
			{0x57, capture.Program, "Initialize Memory"},
			{0x5e, capture.Configure, "Modify PLC-2 Compatibility File"},
			{0x67, capture.Write, "Typed Write"},
			{0x68, capture.Read, "Typed Read"},
			{0x79, capture.Write, "Read-Modify-Write N"},
			{0x80, capture.Mode, "Change Mode"},
			{0x81, capture.File, "Open File"},
			{0x82, capture.File, "Close File"},
			{0x88, capture.Configure, "Execute Multiple Commands"},
			{0x8f, capture.Configure, "Apply Port Configuration"},
			{0xa1, capture.Read, "Protected Typed Logical Read with Two Address Fields"},
			{0xa2, capture.Read, "Protected Typed Logical Read with Three Address Fields"},
			{0xa7, capture.File, "Protected Typed File Read"},
			{0xa9, capture.Write, "Protected Typed Logical Write with Two Address Fields"},
			{0xaa, capture.Write, "Protected Typed Logical Write with Three Address Fields"},
			{0xab, capture.Write, "Protected Typed Logical Write with Mask"},
			{0xaf, capture.File, "Protected Typed File Write"},
		},
	}
	op := func(class capture.Class, name string) Op {
		return cipOp(cipExecutePCCC, class, pcccName+": "+name)
	}
	for i := range t {
		t[i].op = op(capture.Configure, fmt.Sprintf("Command 0x%02x", i))
	}
	for _, c := range commands {
		t[c.function].op = op(c.class, c.name)
	}
	for command, rows := range functions {
		known := new([256]Op)
		for i := range known {
			known[i] = op(capture.Configure, fmt.Sprintf("Command 0x%02x Function 0x%02x", command, i))
		}
		for _, f := range rows {
			known[f.function] = op(f.class, f.name)
		}
		t[command].functions = known
	}
	return t
}()

// pcccOf returns the operation that the data of an Execute_PCCC request asks
// for: behind the requestor's id, whose length is its first octet, come command,
// status, a transaction number of two octets and, for some commands, a function.
func pcccOf(data []byte) *Op {
	unknown := cipOps[pcccObject][cipExecutePCCC]
	if len(data) == 0 || int(data[0])+4 > len(data) {
		return unknown
	}
	data = data[data[0]:]
	if int(data[0]) >= len(pcccOps) {
		return unknown
	}
	p := &pcccOps[data[0]]
	if p.functions != nil && len(data) > 4 {
		return &p.functions[data[4]]
	}
	return &p.op
}

// cipTarget returns the kind of object that a request path leads to: the last
// class in it, or a tag if it names a symbol.
func cipTarget(path []byte) cipObject {
	target := anyObject
	for len(path) >= 2 {
		size := 2
		switch segment := path[0]; segment & 0xe0 {
		case 0x00: // port
			if segment&0x0f == 0x0f {
				size += 2
			}
			if segment&0x10 != 0 {
				size += int(path[1]) + int(path[1])&1
			}
		case 0x20: // logical
			format := segment & 3
			switch {
			case segment == 0x34: // electronic key
				size = 10
			case format == 1:
				size = 4
			case format == 2:
				size = 6
			}
			if size > len(path) {
				return target
			}
			if segment>>2&7 == 0 { // a class
				class := uint16(path[1])
				if format == 1 {
					class = binary.LittleEndian.Uint16(path[2:])
				}
				target = cipClasses[class]
			}
		case 0x40: // network
			if segment&0x10 != 0 {
				size += 2 * int(path[1])
			}
		case 0x80: // data
			if segment == 0x91 { // ANSI extended symbol
				return tagObject
			}
			size += 2 * int(path[1])
		default:
			return target
		}
		if size > len(path) {
			return target
		}
		path = path[size:]
	}
	return target
}

// cipConnections are the connections opened on one TCP connection, by the ids
// that each direction carries. Without them the sequence counts of connections
// side by side could not be told apart; of those opened before the capture began
// they are not.
type cipConnections struct {
	open [16]struct{ toTarget, toOriginator uint32 }
	next int
}

func (c *cipConnections) add(toTarget, toOriginator uint32) {
	c.open[c.next%len(c.open)] = struct{ toTarget, toOriginator uint32 }{toTarget, toOriginator}
	c.next++
}

// index returns a number, the same for both directions of a connection, from 1;
// 0 if the connection is not known.
func (c *cipConnections) index(from capture.Side, id uint32) uint64 {
	for i := range min(c.next, len(c.open)) {
		if from == capture.FromClient && c.open[i].toTarget == id || from == capture.FromServer && c.open[i].toOriginator == id {
			return uint64(i) + 1
		}
	}
	return 0
}

// cipMessages reads the CIP messages in one encapsulated command. Requests and
// responses find each other by a base, which both directions can work out, and
// by their place in the message: 0 for the outermost, and in a
// Multiple_Service_Packet at place p, p<<8 plus 1, 2 and so on.
type cipMessages struct {
	x           *Exchange
	from        capture.Side
	connections *cipConnections
	base        uint64
}

const (
	cipEnvelope   = 1 << 40 // added to the place of what an Unconnected_Send holds: the Unconnected_Send
	cipMaxDepth   = 3
	cipMaxService = 255 // in a Multiple_Service_Packet
)

// cipMix spreads two numbers over a key so that keys of small places stay apart.
func cipMix(a, b uint64) uint64 {
	h := (a ^ 0x9e3779b97f4a7c15) * 0xbf58476d1ce4e5b9
	h ^= h>>29 ^ b
	h *= 0x94d049bb133111eb
	return h ^ h>>31
}

// read reads the message at a place.
func (m *cipMessages) read(b []byte, place uint64, depth int) {
	if b[0]&cipReply != 0 {
		m.response(b, place, depth)
		return
	}
	m.request(b, place, depth)
}

// request reads service, path (its length in words first) and data.
func (m *cipMessages) request(b []byte, place uint64, depth int) {
	if len(b) < 2 || 2+2*int(b[1]) > len(b) {
		m.x.Undecoded()
		return
	}
	service, path, data := b[0], b[2:2+2*int(b[1])], b[2+2*int(b[1]):]
	target := cipTarget(path)
	op := cipOps[target][service]
	switch {
	case target == connectionManager && service == cipUnconnectedSend:
		m.x.Ask(op, m.from, m.base+place+cipEnvelope)
		m.unconnectedSend(data, place, depth)
		return
	case target == pcccObject && service == cipExecutePCCC:
		op = pcccOf(data)
	}
	m.x.Ask(op, m.from, m.base+place)
	if service == cipMultiple {
		m.multiple(data, place, depth)
	}
}

// unconnectedSend reads the message in an Unconnected_Send: behind two octets of
// timeout, its length and the message; the route follows.
func (m *cipMessages) unconnectedSend(data []byte, place uint64, depth int) {
	if len(data) < 4 {
		m.x.Undecoded()
		return
	}
	end := 4 + int(binary.LittleEndian.Uint16(data[2:]))
	if end == 4 || end > len(data) || depth == cipMaxDepth {
		m.x.Undecoded()
		return
	}
	m.read(data[4:end], place, depth+1)
}

// multiple reads the messages in a Multiple_Service_Packet: their number and
// where each begins, counted from the number.
func (m *cipMessages) multiple(data []byte, place uint64, depth int) {
	if len(data) < 2 || depth == cipMaxDepth {
		m.x.Undecoded()
		return
	}
	n := int(binary.LittleEndian.Uint16(data))
	if n > cipMaxService || 2+2*n > len(data) {
		m.x.Undecoded()
		return
	}
	for i := range n {
		begin, end := int(binary.LittleEndian.Uint16(data[2+2*i:])), len(data)
		if i+1 < n {
			end = int(binary.LittleEndian.Uint16(data[4+2*i:]))
		}
		if begin < 2+2*n || begin >= end || end > len(data) {
			m.x.Undecoded()
			return
		}
		m.read(data[begin:end], place<<8+uint64(i)+1, depth+1)
	}
}

// response reads service, a reserved octet, general status, additional status
// (its length in words first) and data.
func (m *cipMessages) response(b []byte, place uint64, depth int) {
	if len(b) < 4 || 4+2*int(b[3]) > len(b) {
		m.x.Undecoded()
		return
	}
	service, status, data := b[0]&^cipReply, b[2], b[4+2*int(b[3]):]
	accepted := status == cipSuccess || status == cipPartialTransfer || service == cipMultiple && status == cipEmbeddedError
	key := m.base + place

	asked := m.x.Asked(m.from.Other(), key)
	if asked != nil && accepted {
		switch {
		case asked == cipOps[identityObject][0x01]:
			cipIdentity(m.x, m.from, data)
		case service == cipExecutePCCC && strings.HasPrefix(asked.Name, pcccName):
			// Its own status lies behind the requestor's id and the command.
			if len(data) > 0 && int(data[0])+1 < len(data) {
				accepted = data[int(data[0])+1] == 0
			}
		case (service == cipForwardOpen || service == cipLargeOpen) && len(data) >= 8:
			m.connections.add(binary.LittleEndian.Uint32(data), binary.LittleEndian.Uint32(data[4:]))
		}
	}
	// A message that an Unconnected_Send brought to its target comes back without
	// the envelope; the envelope's own service code comes back only if it failed,
	// or from a Read Tag Fragmented inside.
	m.x.Answer(m.from, key+cipEnvelope, accepted || service != cipUnconnectedSend)
	switch {
	case service != cipMultiple:
		m.x.Answer(m.from, key, accepted)
	case accepted:
		m.x.Answer(m.from, key, true)
		m.multiple(data, place, depth)
	default:
		m.refuse(place)
	}
}

// refuse settles the request at a place, and those inside it, as refused.
func (m *cipMessages) refuse(place uint64) {
	m.x.Answer(m.from, m.base+place+cipEnvelope, false)
	m.x.Answer(m.from, m.base+place, false)
	for i := uint64(1); i <= cipMaxService && m.x.Answer(m.from, m.base+place<<8+i, false); i++ {
	}
}

// cipIdentity reads the attributes of an identity object: vendor, device type,
// product code, revision, status, serial number and product name.
func cipIdentity(x *Exchange, from capture.Side, b []byte) {
	if len(b) < 15 || 15+int(b[14]) > len(b) {
		return
	}
	x.Identity(from, capture.Identity{
		Vendor:   fmt.Sprintf("CIP vendor %d", binary.LittleEndian.Uint16(b)),
		Model:    strings.TrimRight(string(b[15:15+int(b[14])]), " "),
		Firmware: fmt.Sprintf("%d.%03d", b[6], b[7]),
		Serial:   fmt.Sprintf("%08x", binary.LittleEndian.Uint32(b[10:])),
		Source:   string(capture.CIP),
	})
}
