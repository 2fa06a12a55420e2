package protocol

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"strconv"

	"bulkhead/capture"
)

// HARTIP is HART-IP over TCP and UDP: sessions with a server, and the HART
// commands that pass through it, each with the class of what it does.
//
// Source: FieldComm Group FCG TS20085 (HCF_SPEC-085), "Network Management
// Specification", HART-IP (header, messages); HCF_SPEC-081, "Token-Passing Data
// Link Layer Specification" (delimiter, addresses, check); HCF_SPEC-127,
// "Universal Command Specification"; HCF_SPEC-151, "Common Practice Command
// Specification"; HCF_SPEC-307, "Command Response Code Specification". Layouts
// also as FieldComm Group's published hipserver has them.
var HARTIP = &Protocol{
	Name:      capture.HARTIP,
	Over:      []capture.Transport{capture.TCP, capture.UDP},
	Recognise: recogniseHARTIP,
	New:       func() Decoder { return hartDecoder{} },
}

const (
	hartHeader = 8    // version, type, message, status, sequence number (2), length of the whole (2)
	hartMax    = 2048 // longer than any message
	hartVer1   = 1
	hartVer2   = 2
)

// The types of message.
const (
	hartRequest  = 0
	hartResponse = 1
	hartPublish  = 2
	hartNAK      = 15
)

// The messages.
const (
	hartInitiate  = 0
	hartClose     = 1
	hartKeepAlive = 2
	hartToken     = 3
	hartDirect    = 4
	hartAudit     = 5
)

// The commands that the decoder treats apart.
const (
	hartReadIdentity = 0
	hartReadLongTag  = 20
	hartSubDevice    = 77
)

// hartCommands are the HART commands by number. What sets the loop current or a
// variable to a value is control or write; what sets how a device measures is
// configure. Commands that are not here, device-specific ones (128 to 253) above
// all, are classed as configure.
var hartCommands = map[uint16]struct {
	class capture.Class
	name  string
}{
	// Universal commands.
	0:  {capture.Discover, "Read Unique Identifier"},
	1:  {capture.Read, "Read Primary Variable"},
	2:  {capture.Read, "Read Loop Current and Percent of Range"},
	3:  {capture.Read, "Read Dynamic Variables and Loop Current"},
	6:  {capture.Configure, "Write Polling Address"},
	7:  {capture.Read, "Read Loop Configuration"},
	8:  {capture.Read, "Read Dynamic Variable Classifications"},
	9:  {capture.Read, "Read Device Variables with Status"},
	11: {capture.Discover, "Read Unique Identifier Associated with Tag"},
	12: {capture.Read, "Read Message"},
	13: {capture.Read, "Read Tag, Descriptor, Date"},
	14: {capture.Read, "Read Primary Variable Transducer Information"},
	15: {capture.Read, "Read Device Information"},
	16: {capture.Read, "Read Final Assembly Number"},
	17: {capture.Configure, "Write Message"},
	18: {capture.Configure, "Write Tag, Descriptor, Date"},
	19: {capture.Configure, "Write Final Assembly Number"},
	20: {capture.Read, "Read Long Tag"},
	21: {capture.Discover, "Read Unique Identifier Associated with Long Tag"},
	22: {capture.Configure, "Write Long Tag"},
	38: {capture.Configure, "Reset Configuration Changed Flag"},
	48: {capture.Diagnose, "Read Additional Device Status"},

	// Common practice commands.
	33:  {capture.Read, "Read Device Variables"},
	34:  {capture.Configure, "Write Primary Variable Damping Value"},
	35:  {capture.Configure, "Write Primary Variable Range Values"},
	36:  {capture.Configure, "Set Primary Variable Upper Range Value"},
	37:  {capture.Configure, "Set Primary Variable Lower Range Value"},
	39:  {capture.Configure, "EEPROM Control"},
	40:  {capture.Control, "Enter/Exit Fixed Current Mode"},
	41:  {capture.Mode, "Perform Self Test"},
	42:  {capture.Mode, "Perform Device Reset"},
	43:  {capture.Configure, "Set Primary Variable Zero"},
	44:  {capture.Configure, "Write Primary Variable Units"},
	45:  {capture.Configure, "Trim Loop Current Zero"},
	46:  {capture.Configure, "Trim Loop Current Gain"},
	47:  {capture.Configure, "Write Primary Variable Transfer Function"},
	49:  {capture.Configure, "Write Primary Variable Transducer Serial Number"},
	50:  {capture.Read, "Read Dynamic Variable Assignments"},
	51:  {capture.Configure, "Write Dynamic Variable Assignments"},
	52:  {capture.Configure, "Set Device Variable Zero"},
	53:  {capture.Configure, "Write Device Variable Units"},
	54:  {capture.Read, "Read Device Variable Information"},
	55:  {capture.Configure, "Write Device Variable Damping Value"},
	56:  {capture.Configure, "Write Device Variable Transducer Serial Number"},
	57:  {capture.Read, "Read Unit Tag, Descriptor, Date"},
	58:  {capture.Configure, "Write Unit Tag, Descriptor, Date"},
	59:  {capture.Configure, "Write Number of Response Preambles"},
	60:  {capture.Read, "Read Analog Channel and Percent of Range"},
	61:  {capture.Read, "Read Dynamic Variables and Primary Variable Analog Channel"},
	62:  {capture.Read, "Read Analog Channels"},
	63:  {capture.Read, "Read Analog Channel Information"},
	64:  {capture.Configure, "Write Analog Channel Additional Damping Value"},
	65:  {capture.Configure, "Write Analog Channel Range Values"},
	66:  {capture.Control, "Enter/Exit Fixed Analog Channel Mode"},
	67:  {capture.Configure, "Trim Analog Channel Zero"},
	68:  {capture.Configure, "Trim Analog Channel Gain"},
	69:  {capture.Configure, "Write Analog Channel Transfer Function"},
	70:  {capture.Read, "Read Analog Channel Endpoint Values"},
	71:  {capture.Configure, "Lock Device"},
	72:  {capture.Diagnose, "Squawk"},
	73:  {capture.Discover, "Find Device"},
	74:  {capture.Discover, "Read I/O System Capabilities"},
	75:  {capture.Discover, "Poll Sub-Device"},
	76:  {capture.Read, "Read Lock Device State"},
	77:  {capture.Configure, "Send Command to Sub-Device"},
	78:  {capture.Read, "Read Aggregated Commands"},
	79:  {capture.Write, "Write Device Variable"},
	80:  {capture.Read, "Read Device Variable Trim Points"},
	81:  {capture.Read, "Read Device Variable Trim Guidelines"},
	82:  {capture.Configure, "Write Device Variable Trim Point"},
	83:  {capture.Configure, "Reset Device Variable Trim"},
	84:  {capture.Discover, "Read Sub-Device Identity Summary"},
	85:  {capture.Diagnose, "Read I/O Channel Statistics"},
	86:  {capture.Diagnose, "Read Sub-Device Statistics"},
	87:  {capture.Configure, "Write I/O System Master Mode"},
	88:  {capture.Configure, "Write I/O System Retry Count"},
	89:  {capture.Configure, "Set Real-Time Clock"},
	90:  {capture.Read, "Read Real-Time Clock"},
	91:  {capture.Read, "Read Trend Configuration"},
	92:  {capture.Configure, "Write Trend Configuration"},
	93:  {capture.Read, "Read Trend"},
	94:  {capture.Diagnose, "Read I/O System Client-Side Communication Statistics"},
	95:  {capture.Diagnose, "Read Device Communication Statistics"},
	96:  {capture.Read, "Read Synchronous Action"},
	97:  {capture.Configure, "Configure Synchronous Action"},
	98:  {capture.Read, "Read Command Action"},
	99:  {capture.Configure, "Configure Command Action"},
	101: {capture.Read, "Read Sub-Device to Burst Message Map"},
	102: {capture.Configure, "Map Sub-Device to Burst Message"},
	103: {capture.Configure, "Write Burst Period"},
	104: {capture.Configure, "Write Burst Trigger"},
	105: {capture.Read, "Read Burst Mode Configuration"},
	106: {capture.Configure, "Flush Delayed Responses"},
	107: {capture.Configure, "Write Burst Device Variables"},
	108: {capture.Configure, "Write Burst Mode Command Number"},
	109: {capture.Configure, "Burst Mode Control"},
	110: {capture.Read, "Read All Dynamic Variables"},
	111: {capture.File, "Transfer Service Control"},
	112: {capture.File, "Transfer Service"},
	113: {capture.Configure, "Catch Device Variable"},
	114: {capture.Read, "Read Caught Device Variable"},
	115: {capture.Read, "Read Event Notification Summary"},
	116: {capture.Configure, "Write Event Notification Bit Mask"},
	117: {capture.Configure, "Write Event Notification Timing"},
	118: {capture.Configure, "Event Notification Control"},
	119: {capture.Configure, "Acknowledge Event Notification"},

	// Commands with numbers of two octets, which HART-IP servers take.
	512: {capture.Read, "Read Country Code"},
	513: {capture.Configure, "Write Country Code"},
	520: {capture.Read, "Read Process Unit Tag"},
	521: {capture.Configure, "Write Process Unit Tag"},
	532: {capture.Read, "Read Client Subscription Summary"},
	533: {capture.Configure, "Write Client Subscription Flags"},
	538: {capture.Read, "Read HART-IP Server Ports"},
	539: {capture.Configure, "Write HART-IP UDP Port"},
	540: {capture.Configure, "Write HART-IP TCP Port"},
	541: {capture.Configure, "Write Client PAKE Password"},
	542: {capture.Configure, "Write Client Pre-Shared Key"},
	543: {capture.Read, "Read syslog Server Hostname and Port"},
	544: {capture.Configure, "Write syslog Port"},
	545: {capture.Configure, "Write syslog Server Hostname"},
	546: {capture.Configure, "Write syslog Server Pre-Shared Key"},
	547: {capture.Configure, "Write syslog Server PAKE Password"},
}

// hartOps are the operations of one message that carries commands.
type hartOps struct {
	byNumber [256]Op
	long     map[uint16]*Op // of two octets
	other    Op             // of two octets, and not in the list
}

func (o *hartOps) of(command uint16) *Op {
	if int(command) < len(o.byNumber) {
		return &o.byNumber[command]
	}
	if op := o.long[command]; op != nil {
		return op
	}
	return &o.other
}

// newHARTOps names the commands that a message carries, all of them under the
// message's own code.
func newHARTOps(message int, prefix string) *hartOps {
	op := func(command int) Op {
		o := Op{capture.HARTIP, strconv.Itoa(message), fmt.Sprintf("%s: Command %d", prefix, command), capture.Configure}
		if c, ok := hartCommands[uint16(command)]; ok {
			o.Name += " " + c.name
			o.Class = c.class
		}
		return o
	}
	ops := &hartOps{long: make(map[uint16]*Op)}
	for i := range ops.byNumber {
		ops.byNumber[i] = op(i)
	}
	for command := range hartCommands {
		if int(command) >= len(ops.byNumber) {
			o := op(int(command))
			ops.long[command] = &o
		}
	}
	ops.other = Op{capture.HARTIP, strconv.Itoa(message), prefix + ": other command of two octets", capture.Configure}
	return ops
}

var (
	hartTokenOps  = newHARTOps(hartToken, "Token-Passing PDU")
	hartSubOps    = newHARTOps(hartToken, "Token-Passing PDU to Sub-Device")
	hartDirectOps = newHARTOps(hartDirect, "Direct PDU")
	hartNestedOps = newHARTOps(hartDirect, "Direct PDU to Sub-Device")

	hartBurst = [...]*Op{
		hartToken:  {capture.HARTIP, "3", "Token-Passing PDU: burst", capture.Event},
		hartDirect: {capture.HARTIP, "4", "Direct PDU: burst", capture.Event},
	}
)

// hartMessages are the messages that carry no command, by their number.
var hartMessages = func() (ops [256]Op) {
	for i := range ops {
		ops[i] = Op{capture.HARTIP, strconv.Itoa(i), fmt.Sprintf("Message %d", i), capture.Configure}
	}
	for i, o := range map[int]Op{
		hartInitiate:  {Name: "Session Initiate", Class: capture.Session},
		hartClose:     {Name: "Session Close", Class: capture.Session},
		hartKeepAlive: {Name: "Keep Alive", Class: capture.Session},
		hartToken:     {Name: "Token-Passing PDU: unreadable", Class: capture.Configure},
		hartDirect:    {Name: "Direct PDU: unreadable", Class: capture.Configure},
		hartAudit:     {Name: "Read Audit Log", Class: capture.Diagnose},
	} {
		ops[i].Name, ops[i].Class = o.Name, o.Class
	}
	return ops
}()

// recogniseHARTIP is sure of the message that opens a session and of a command
// with the right check; the other messages are weak signs.
func recogniseHARTIP(b []byte) Match {
	if len(b) < hartHeader {
		if len(b) > 0 && b[0] != hartVer1 && b[0] != hartVer2 || len(b) > 1 && !hartType(b[1]) || len(b) > 2 && b[2] > hartAudit {
			return Match{}
		}
		return Match{Score: More}
	}
	length := int(binary.BigEndian.Uint16(b[6:]))
	if b[0] != hartVer1 && b[0] != hartVer2 || !hartType(b[1]) || b[2] > hartAudit || length < hartHeader || length > hartMax {
		return Match{}
	}
	if b[1] == hartRequest && b[3] != 0 || b[1] == hartPublish && (b[3] != 0 || b[2] != hartToken && b[2] != hartDirect) {
		return Match{}
	}
	m := Match{Score: Weak, Role: Server}
	if b[1] == hartRequest {
		m.Role = Client
	}
	body, whole := b[hartHeader:min(length, len(b))], len(b) >= length
	fits := true
	switch b[2] {
	case hartInitiate:
		const size = 5 // master type and inactivity timer
		fits = (length == hartHeader+size || b[1] == hartNAK) && (len(body) == 0 || body[0] <= 1)
		if fits && len(body) == size {
			m.Score = Sure
		}
	case hartClose, hartKeepAlive:
		fits = length == hartHeader
	case hartToken:
		pdu, ok := parseHARTPDU(body)
		if ok && pdu.checked {
			m.Score = Sure
		}
		fits = hartDelimited(b[1], body) && (ok || !whole) || b[3] != 0 && length == hartHeader
	case hartDirect:
		rest, ok := body[min(hartDirectHead, len(body)):], true
		for ok && len(rest) > 0 {
			_, _, rest, ok = hartCutDirect(rest)
		}
		fits = ok || !whole
	case hartAudit:
		const size = 2 // the first record and how many
		fits = length == hartHeader+size || b[1] != hartRequest
	}
	switch {
	case !fits:
		return Match{}
	case whole && length < len(b) && m.Score != Sure && b[length] != hartVer1 && b[length] != hartVer2:
		return Match{} // something else follows
	case !whole && m.Score != Sure:
		return Match{Score: More}
	}
	return m
}

// hartDelimited reports whether b can begin with a PDU of the kind that a type of
// message carries: from the master in a request, from the field in a response, or a
// burst.
func hartDelimited(kind byte, b []byte) bool {
	for len(b) > 0 && b[0] == 0xff {
		b = b[1:]
	}
	if len(b) == 0 {
		return true
	}
	switch kind {
	case hartRequest:
		return b[0]&7 == hartFromMaster
	case hartPublish:
		return b[0]&7 == hartFromBurst
	}
	return b[0]&7 == hartFromField
}

func hartType(t byte) bool { return t <= hartPublish || t == hartNAK }

// The kinds of PDU, in the lower bits of the delimiter.
const (
	hartFromBurst  = 1
	hartFromMaster = 2
	hartFromField  = 6
)

// hartPDU is a token-passing PDU.
type hartPDU struct {
	short   bool // the address is a polling address
	address byte // the polling address
	command byte
	data    []byte
	checked bool // the check octet is the parity of the rest
}

// parseHARTPDU reads a PDU: preamble, delimiter, address, expansion, command,
// byte count, data and check. Source: HCF_SPEC-081, 5.
func parseHARTPDU(b []byte) (p hartPDU, ok bool) {
	for len(b) > 0 && b[0] == 0xff {
		b = b[1:]
	}
	if len(b) < 5 {
		return p, false
	}
	const longAddress = 0x80
	switch b[0] & 7 {
	case hartFromBurst, hartFromMaster, hartFromField:
	default:
		return p, false
	}
	at := 2
	if b[0]&longAddress != 0 {
		at = 6
	} else {
		p.short, p.address = true, b[1]&0x3f
	}
	at += int(b[0] >> 5 & 3) // expansion octets
	if len(b) < at+2 {
		return p, false
	}
	p.command = b[at]
	end := at + 2 + int(b[at+1])
	if len(b) < end {
		return p, false
	}
	p.data = b[at+2 : end]
	if len(b) > end {
		var parity byte
		for _, c := range b[:end] {
			parity ^= c
		}
		p.checked = parity == b[end]
	}
	return p, true
}

// hartDecoder reads messages one by one; nothing is carried from one to the next.
type hartDecoder struct{}

// Decode implements [Decoder].
func (hartDecoder) Decode(x *Exchange, from capture.Side, b []byte) int {
	used := 0
	for {
		m := b[used:]
		if len(m) < hartHeader {
			return used
		}
		size := int(binary.BigEndian.Uint16(m[6:]))
		if m[0] != hartVer1 && m[0] != hartVer2 || !hartType(m[1]) || size < hartHeader || size > hartMax {
			x.Undecoded()
			return len(b)
		}
		if len(m) < size {
			return used
		}
		hartMessage(x, from, m[:size])
		used += size
	}
}

// hartMessage reads a whole message.
func hartMessage(x *Exchange, from capture.Side, m []byte) {
	message, body := m[2], m[hartHeader:]
	key := uint64(message)<<16 | uint64(binary.BigEndian.Uint16(m[4:]))
	switch m[1] {
	case hartRequest:
		x.Forget(from, key)
		switch message {
		case hartToken:
			hartTokenRequest(x, from, key, body)
		case hartDirect:
			hartDirectRequest(x, from, key, body)
		default:
			x.Ask(&hartMessages[message], from, key)
		}
	case hartPublish:
		if message != hartToken && message != hartDirect {
			x.Undecoded()
			return
		}
		x.Note(hartBurst[message], from)
	default:
		accepted := m[1] != hartNAK && hartAccepted(m[3])
		if message == hartToken {
			if p, ok := parseHARTPDU(body); ok {
				accepted = accepted && hartCommandAccepted(p.command, p.data)
				if accepted {
					hartIdentity(x, from, uint16(p.command), p.data[2:])
				}
			}
		}
		if message == hartDirect {
			hartDirectResponse(x, from, key, accepted, body)
			return
		}
		x.Answer(from, key, accepted)
	}
}

// hartAccepted judges a response code, or the status of a message, which is
// coded alike: those that warn say that the command was carried out.
// Source: HCF_SPEC-307, 5 (classes of codes).
func hartAccepted(code byte) bool {
	switch {
	case code == 0, code == 8, code == 14, 24 <= code && code <= 27, code == 30, 96 <= code && code <= 127:
		return true
	}
	return false // an error, or with the upper bit set one of the communication
}

// hartCommandAccepted judges the data of a response: response code, device
// status, and what was asked for. What a sub-device answers is inside.
func hartCommandAccepted(command byte, data []byte) bool {
	if len(data) < 2 || !hartAccepted(data[0]) {
		return false
	}
	if command != hartSubDevice {
		return true
	}
	_, inner, ok := hartCutSub(data[2:], 2)
	return !ok || len(inner) == 0 || hartAccepted(inner[0])
}

// hartCutSub takes what command 77 carries apart: card, channel, in requests the
// number of preambles, delimiter, address, command, byte count and data; skip is
// how many octets stand before the delimiter. Source: HCF_SPEC-151, command 77.
func hartCutSub(data []byte, skip int) (command byte, inner []byte, ok bool) {
	if len(data) < skip {
		return 0, nil, false
	}
	p, ok := parseHARTPDU(data[skip:])
	return p.command, p.data, ok
}

func hartTokenRequest(x *Exchange, from capture.Side, key uint64, body []byte) {
	p, ok := parseHARTPDU(body)
	if !ok {
		x.Ask(&hartMessages[hartToken], from, key)
		return
	}
	op := hartTokenOps.of(uint16(p.command))
	// Commands of two octets stand at the front of the data of command 31.
	const extended = 31
	if p.command == extended && len(p.data) >= 2 {
		op = hartTokenOps.of(binary.BigEndian.Uint16(p.data))
	}
	if p.command == hartSubDevice {
		if command, _, ok := hartCutSub(p.data, 3); ok {
			op = hartSubOps.of(uint16(command))
		}
	}
	use := x.Ask(op, from, key)
	if p.short {
		use.Unit(uint16(p.address))
	}
}

// hartCutDirect takes the next command off a direct PDU: its number in two
// octets, a byte count and data.
func hartCutDirect(b []byte) (command uint16, data, rest []byte, ok bool) {
	if len(b) < 3 {
		return 0, nil, nil, false
	}
	end := 3 + int(b[2])
	if len(b) < end {
		return 0, nil, nil, false
	}
	return binary.BigEndian.Uint16(b), b[3:end], b[end:], true
}

const hartDirectHead = 2 // device status and extended status

// hartDirectRequest counts each of the commands in a direct PDU.
func hartDirectRequest(x *Exchange, from capture.Side, key uint64, body []byte) {
	rest := body[min(hartDirectHead, len(body)):]
	for n := uint64(0); ; n++ {
		command, data, next, ok := hartCutDirect(rest)
		if !ok {
			if n == 0 {
				x.Ask(&hartMessages[hartDirect], from, key)
			}
			return
		}
		op := hartDirectOps.of(command)
		if command == hartSubDevice {
			if inner, _, ok := hartCutSub(data, 3); ok {
				op = hartNestedOps.of(uint16(inner))
			}
		}
		x.Ask(op, from, key|n<<32)
		rest = next
	}
}

// hartDirectResponse settles the commands of a direct PDU in their order.
func hartDirectResponse(x *Exchange, from capture.Side, key uint64, accepted bool, body []byte) {
	rest := body[min(hartDirectHead, len(body)):]
	for n := uint64(0); ; n++ {
		command, data, next, ok := hartCutDirect(rest)
		good := accepted && ok && len(data) > 0 && hartAccepted(data[0])
		if !ok {
			good = accepted && n == 0 && len(body) == 0
		}
		if !x.Answer(from, key|n<<32, good) {
			return
		}
		if good {
			hartIdentity(x, from, command, data[min(1, len(data)):])
		}
		rest = next
	}
}

// hartIdentity reads what a server says of itself: the answers to commands 0 and
// 20, behind response code and device status. Source: HCF_SPEC-127, commands 0
// and 20.
func hartIdentity(x *Exchange, from capture.Side, command uint16, data []byte) {
	const expansion = 254
	switch {
	case command == hartReadLongTag && len(data) >= 32:
		x.Name(from, string(bytes.TrimRight(data[:32], " \x00")), string(capture.HARTIP))
	case command == hartReadIdentity && len(data) >= 12 && data[0] == expansion:
		id := capture.Identity{
			Model:    fmt.Sprintf("HART device type 0x%04x, revision %d", binary.BigEndian.Uint16(data[1:]), data[5]),
			Firmware: strconv.Itoa(int(data[6])),
			Serial:   strconv.Itoa(int(data[9])<<16 | int(data[10])<<8 | int(data[11])),
			Source:   string(capture.HARTIP),
		}
		if len(data) >= 19 {
			id.Vendor = fmt.Sprintf("HART manufacturer 0x%04x", binary.BigEndian.Uint16(data[17:]))
		}
		x.Identity(from, id)
	}
}
