package protocol

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"strconv"

	"bulkhead/capture"
)

// PTP is the Precision Time Protocol, version 2, over UDP and straight on the
// link, with its profiles (IEEE 802.1AS, IEC 61850-9-3). Most of it goes to
// groups, and what answers has ports or addresses of its own, so that no outcome
// is paired.
//
// Source: IEEE Std 1588-2019, 13.3 (header), 13.4 to 13.13 (messages), 15.4 and
// 15.5 (management).
var PTP = &Protocol{
	Name:      capture.PTP,
	Over:      []capture.Transport{capture.UDP, capture.L2},
	Recognise: recognisePTP,
	New:       func() Decoder { return ptpDecoder{} },
}

const (
	ptpHeader  = 34
	ptpVersion = 2

	ptpManagement = 13
	ptpAction     = ptpHeader + 10 + 2 // behind the target's identity and two counts of hops
	ptpTLV        = ptpAction + 2      // type, length, management identifier

	ptpTLVManagement  = 1
	ptpTLVError       = 2
	ptpDescription    = 0x0001 // CLOCK_DESCRIPTION
	ptpInitialize     = 0x0005
	ptpCommand        = 3
	ptpControlOther   = 5
	ptpControlManages = 4
)

// ptpMessage is a type of message: its shortest length and the control field that
// goes with it.
type ptpMessage struct {
	op      Op
	length  int
	control byte
}

var ptpMessages = func() (t [16]ptpMessage) {
	for i := range t {
		t[i].op = ptpOp(i, capture.Configure, fmt.Sprintf("message type %d", i))
	}
	for i, m := range map[int]ptpMessage{
		0:             {Op{Name: "Sync", Class: capture.Event}, 44, 0},
		1:             {Op{Name: "Delay_Req", Class: capture.Session}, 44, 1},
		2:             {Op{Name: "Pdelay_Req", Class: capture.Session}, 54, ptpControlOther},
		3:             {Op{Name: "Pdelay_Resp", Class: capture.Reply}, 54, ptpControlOther},
		8:             {Op{Name: "Follow_Up", Class: capture.Event}, 44, 2},
		9:             {Op{Name: "Delay_Resp", Class: capture.Reply}, 54, 3},
		10:            {Op{Name: "Pdelay_Resp_Follow_Up", Class: capture.Reply}, 54, ptpControlOther},
		11:            {Op{Name: "Announce", Class: capture.Event}, 64, ptpControlOther},
		12:            {Op{Name: "Signaling", Class: capture.Session}, 44, ptpControlOther},
		ptpManagement: {Op{Name: "Management", Class: capture.Configure}, ptpTLV, ptpControlManages},
	} {
		t[i] = ptpMessage{ptpOp(i, m.op.Class, m.op.Name), m.length, m.control}
	}
	return t
}()

// ptpActions are what a management message is for.
var ptpActions = [...]Op{
	ptpOp(ptpManagement, capture.Read, "Management GET"),
	ptpOp(ptpManagement, capture.Configure, "Management SET"),
	ptpOp(ptpManagement, capture.Reply, "Management RESPONSE"),
	ptpOp(ptpManagement, capture.Configure, "Management COMMAND"),
	ptpOp(ptpManagement, capture.Reply, "Management ACKNOWLEDGE"),
}

var (
	ptpReset = ptpOp(ptpManagement, capture.Mode, "Management COMMAND, initialize")
	ptpError = ptpOp(ptpManagement, capture.Reply, "Management error status")
)

func ptpOp(kind int, class capture.Class, name string) Op {
	return Op{Protocol: capture.PTP, Code: strconv.Itoa(kind), Name: name, Class: class}
}

// cutPTP returns the message at the front of a datagram or frame, without what
// pads it, and its type. Ok is false if there is none of version 2.
func cutPTP(b []byte) (message []byte, kind byte, ok bool) {
	if len(b) < ptpHeader || b[1]&0xf != ptpVersion {
		return nil, 0, false
	}
	length := int(binary.BigEndian.Uint16(b[2:]))
	kind = b[0] & 0xf
	if length < max(ptpHeader, ptpMessages[kind].length) || length > len(b) {
		return nil, 0, false
	}
	return b[:length], kind, true
}

// recognisePTP is sure of a message that is there, of a known type, with the
// control field that this type has and a length that leaves no more than padding.
// From the edition of 2019 on the control field may be 0.
func recognisePTP(b []byte) Match {
	m, kind, ok := cutPTP(b)
	const control = 32
	switch t := &ptpMessages[kind]; {
	case !ok:
		return Match{}
	case t.length == 0, m[control] != t.control && (m[control] != 0 || b[1]>>4 == 0):
		return Match{Score: Weak}
	case len(b)-len(m) > 46: // the shortest frame is longer than the shortest message; switches add tags
		return Match{Score: Weak}
	}
	return Match{Score: Sure}
}

// ptpDecoder keeps nothing: a datagram is a message.
type ptpDecoder struct{}

// Decode implements [Decoder].
func (ptpDecoder) Decode(x *Exchange, from capture.Side, b []byte) int {
	m, kind, ok := cutPTP(b)
	switch {
	case !ok:
		x.Undecoded()
	case kind == ptpManagement:
		x.Note(ptpManage(x, from, m), from)
	default:
		x.Note(&ptpMessages[kind].op, from)
	}
	return len(b)
}

// ptpManage returns the operation of a management message, by its action and the
// first of its TLVs.
func ptpManage(x *Exchange, from capture.Side, m []byte) *Op {
	action := int(m[ptpAction] & 0xf)
	if action >= len(ptpActions) {
		return &ptpMessages[ptpManagement].op
	}
	if len(m) < ptpTLV+6 {
		return &ptpActions[action]
	}
	kind, id := binary.BigEndian.Uint16(m[ptpTLV:]), binary.BigEndian.Uint16(m[ptpTLV+4:])
	switch {
	case kind == ptpTLVError:
		return &ptpError
	case kind != ptpTLVManagement:
	case action == ptpCommand && id == ptpInitialize:
		return &ptpReset
	case ptpActions[action].Class == capture.Reply && id == ptpDescription:
		ptpIdentity(x, from, m[ptpTLV+6:])
	}
	return &ptpActions[action]
}

// ptpIdentity reads a clock's description: its type, the physical layer as a text
// with its length, the physical address with its length, the network protocol and
// the address in it with its length, the manufacturer, then three texts. The first
// is manufacturer, model and instance; the second revisions of hardware, firmware
// and software, each with semicolons between them.
func ptpIdentity(x *Exchange, from capture.Side, b []byte) {
	text := func() (s []byte) {
		if len(b) < 1 || len(b) < 1+int(b[0]) {
			b = nil
			return nil
		}
		s, b = b[1:1+int(b[0])], b[1+int(b[0]):]
		return s
	}
	skip := func(n int) { b = b[min(n, len(b)):] }
	address := func() {
		if len(b) >= 2 {
			skip(2 + int(binary.BigEndian.Uint16(b)))
		}
	}
	skip(2)
	text()
	address()
	skip(2)
	address()
	skip(4)
	product, revision, user := text(), text(), text()
	vendor, product, _ := bytes.Cut(product, []byte(";"))
	model, serial, _ := bytes.Cut(product, []byte(";"))
	_, revision, _ = bytes.Cut(revision, []byte(";"))
	firmware, _, _ := bytes.Cut(revision, []byte(";"))
	if len(vendor)+len(model)+len(firmware) > 0 {
		x.Identity(from, capture.Identity{
			Vendor: string(vendor), Model: string(model), Firmware: string(firmware), Serial: string(serial), Source: string(capture.PTP),
		})
	}
	name, _, _ := bytes.Cut(user, []byte(";"))
	x.Name(from, string(name), string(capture.PTP))
}
