package protocol

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"strconv"

	"bulkhead/capture"
)

// Powerlink is Ethernet POWERLINK straight on the link. A frame names the nodes
// that it is from and for; much of it goes to groups, so that no outcome is
// paired.
//
// Source: EPSG DS 301 V1.5.1, 4.6 (frames), 6.3.2 (SDO by ASnd), 7.3 (NMT services).
var Powerlink = &Protocol{
	Name:      capture.Powerlink,
	Over:      []capture.Transport{capture.L2},
	Recognise: recognisePowerlink,
	New:       func() Decoder { return new(powerlinkDecoder) },
}

const (
	powerlinkHeader = 3 // message type, destination, source

	powerlinkASnd = 6

	// The services of ASnd, in the octet behind the header.
	powerlinkIdent   = 1
	powerlinkCommand = 4
	powerlinkSDO     = 5

	powerlinkSequence = 4 // octets of SDO's sequence layer
	sdoResponse       = 0x80
	sdoAbort          = 0x40
	sdoSegment        = 0x30 // 0 expedited, 1 initiate, 2 segment, 3 complete
)

// powerlinkOps are the frames by message type.
var powerlinkOps = func() (t [128]Op) {
	for i := range t {
		t[i] = powerlinkOp(i, capture.Configure, fmt.Sprintf("message type %d", i))
	}
	t[1] = powerlinkOp(1, capture.Session, "SoC (start of cycle)")
	t[3] = powerlinkOp(3, capture.Event, "PReq (poll request)")
	t[4] = powerlinkOp(4, capture.Event, "PRes (poll response)")
	t[5] = powerlinkOp(5, capture.Session, "SoA (start of asynchronous)")
	t[powerlinkASnd] = powerlinkOp(powerlinkASnd, capture.Configure, "ASnd")
	t[7] = powerlinkOp(7, capture.Session, "AMNI (active managing node indication)")
	t[13] = powerlinkOp(13, capture.Session, "AInv (asynchronous invite)")
	return t
}()

// powerlinkServices are what ASnd carries, by service.
var powerlinkServices = func() (t [256]Op) {
	for i := range t {
		t[i] = powerlinkOp(powerlinkASnd, capture.Configure, fmt.Sprintf("ASnd service %d", i))
	}
	for i, o := range map[int]Op{
		powerlinkIdent:   {Name: "ASnd IdentResponse", Class: capture.Reply},
		2:                {Name: "ASnd StatusResponse", Class: capture.Reply},
		3:                {Name: "ASnd NMTRequest", Class: capture.Configure}, // asks the managing node to command others
		powerlinkCommand: {Name: "ASnd NMTCommand", Class: capture.Mode},
		powerlinkSDO:     {Name: "ASnd SDO, sequence layer", Class: capture.Session},
		6:                {Name: "ASnd SyncResponse", Class: capture.Reply},
	} {
		t[i] = powerlinkOp(powerlinkASnd, o.Class, o.Name)
	}
	return t
}()

// powerlinkCommands are the NMT commands. The states that they lead to say what a
// node does, so that those that are not listed are classed as mode too.
var powerlinkCommands = func() (t [256]Op) {
	for i := range t {
		t[i] = powerlinkOp(powerlinkASnd, capture.Mode, fmt.Sprintf("ASnd NMTCommand 0x%02x", i))
	}
	for i, name := range map[int]string{
		0x21: "NMTStartNode", 0x22: "NMTStopNode", 0x23: "NMTEnterPreOperational2", 0x24: "NMTEnableReadyToOperate", 0x28: "NMTResetNode",
		0x29: "NMTResetCommunication", 0x2a: "NMTResetConfiguration", 0x2b: "NMTSwReset",
		0x41: "NMTStartNodeEx", 0x42: "NMTStopNodeEx", 0x43: "NMTEnterPreOperational2Ex", 0x44: "NMTEnableReadyToOperateEx", 0x48: "NMTResetNodeEx",
		0x49: "NMTResetCommunicationEx", 0x4a: "NMTResetConfigurationEx", 0x4b: "NMTSwResetEx",
	} {
		t[i].Name = "ASnd NMTCommand " + name
	}
	for i, o := range map[int]Op{
		0x2d: {Name: "NMTDNA (node number assigned)", Class: capture.Configure},
		0x62: {Name: "NMTNetHostNameSet", Class: capture.Configure},
		0x63: {Name: "NMTFlushArpEntry", Class: capture.Configure},
		0x80: {Name: "NMTPublishConfiguredNodes", Class: capture.Event},
		0x90: {Name: "NMTPublishActiveNodes", Class: capture.Event},
		0x91: {Name: "NMTPublishPreOperational1", Class: capture.Event},
		0x92: {Name: "NMTPublishPreOperational2", Class: capture.Event},
		0x93: {Name: "NMTPublishReadyToOperate", Class: capture.Event},
		0x94: {Name: "NMTPublishOperational", Class: capture.Event},
		0x95: {Name: "NMTPublishStopped", Class: capture.Event},
		0xa0: {Name: "NMTPublishEmergencyNew", Class: capture.Event},
		0xb0: {Name: "NMTPublishTime", Class: capture.Configure},
		0xff: {Name: "NMTInvalidService", Class: capture.Reply},
	} {
		t[i] = powerlinkOp(powerlinkASnd, o.Class, "ASnd NMTCommand "+o.Name)
	}
	return t
}()

// powerlinkSDOs are the commands of SDO.
var powerlinkSDOs = func() (t [256]Op) {
	for i := range t {
		t[i] = powerlinkOp(powerlinkASnd, capture.Configure, fmt.Sprintf("ASnd SDO command 0x%02x", i))
	}
	for i, o := range map[int]Op{
		0x00: {Name: "NIL", Class: capture.Session},
		0x01: {Name: "Write by Index", Class: capture.Write},
		0x02: {Name: "Read by Index", Class: capture.Read},
		0x03: {Name: "Write All by Index", Class: capture.Write},
		0x04: {Name: "Read All by Index", Class: capture.Read},
		0x05: {Name: "Write by Name", Class: capture.Write},
		0x06: {Name: "Read by Name", Class: capture.Read},
		0x20: {Name: "File Write", Class: capture.File},
		0x21: {Name: "File Read", Class: capture.File},
		0x31: {Name: "Write Multiple Parameter by Index", Class: capture.Write},
		0x32: {Name: "Read Multiple Parameter by Index", Class: capture.Read},
		0x70: {Name: "Maximum Segment Size", Class: capture.Session},
	} {
		t[i] = powerlinkOp(powerlinkASnd, o.Class, "ASnd SDO "+o.Name)
	}
	return t
}()

var (
	powerlinkAnswer  = powerlinkOp(powerlinkASnd, capture.Reply, "ASnd SDO response")
	powerlinkAbort   = powerlinkOp(powerlinkASnd, capture.Reply, "ASnd SDO abort")
	powerlinkSegment = powerlinkOp(powerlinkASnd, capture.Session, "ASnd SDO, further segment")
)

func powerlinkOp(message int, class capture.Class, name string) Op {
	return Op{Protocol: capture.Powerlink, Code: strconv.Itoa(message), Name: name, Class: class}
}

// recognisePowerlink knows only a frame's type: a weak match, which counts on the
// EtherType of its own.
func recognisePowerlink(b []byte) Match {
	if len(b) < powerlinkHeader || b[0] >= 0x80 {
		return Match{}
	}
	switch b[0] {
	case 1, 3, 4, 5, powerlinkASnd, 7, 13:
		return Match{Score: Weak}
	}
	return Match{}
}

// powerlinkDecoder reads one frame after the other.
type powerlinkDecoder struct {
	said [2][4]uint64 // a bit for each node that has been identified
}

// Decode implements [Decoder].
func (d *powerlinkDecoder) Decode(x *Exchange, from capture.Side, b []byte) int {
	if len(b) < powerlinkHeader || b[0] >= 0x80 || b[0] == powerlinkASnd && len(b) < powerlinkHeader+1 {
		x.Undecoded()
		return len(b)
	}
	node := uint16(b[1])
	switch b[0] {
	case powerlinkASnd:
		x.Note(d.service(x, from, b), from).Unit(node)
	default:
		x.Note(&powerlinkOps[b[0]], from).Unit(node)
	}
	return len(b)
}

// service returns the operation of an ASnd frame.
func (d *powerlinkDecoder) service(x *Exchange, from capture.Side, b []byte) *Op {
	source, service, data := b[2], b[3], b[4:]
	switch {
	case service == powerlinkIdent:
		if word, bit := source/64, uint64(1)<<(source%64); d.said[from][word]&bit == 0 {
			d.said[from][word] |= bit
			powerlinkIdentity(x, from, data)
		}
	case service == powerlinkCommand && len(data) >= 1:
		return &powerlinkCommands[data[0]]
	case service == powerlinkSDO && len(data) >= powerlinkSequence+4:
		return powerlinkTransfer(data[powerlinkSequence:])
	}
	return &powerlinkServices[service]
}

// powerlinkTransfer returns the operation of SDO's command layer: a reserved
// octet, transaction, flags, command, size, two reserved octets. Where there is
// no transaction, command and flags are 0.
func powerlinkTransfer(b []byte) *Op {
	flags, command := b[2], b[3]
	switch {
	case flags&sdoAbort != 0:
		return &powerlinkAbort
	case flags&sdoResponse != 0:
		return &powerlinkAnswer
	case flags&sdoSegment > 0x10:
		return &powerlinkSegment
	}
	return &powerlinkSDOs[command]
}

// powerlinkIdentity reads what an IdentResponse says, with vendor, product,
// revision and serial number at fixed places and behind them a host name.
// Source: EPSG DS 301, 7.3.3.2.1.
func powerlinkIdentity(x *Exchange, from capture.Side, data []byte) {
	const vendor, product, revision, serial, host, end = 26, 30, 34, 38, 78, 110
	if len(data) < serial+4 {
		return
	}
	x.Identity(from, capture.Identity{
		Vendor:   fmt.Sprintf("POWERLINK vendor 0x%08x", binary.LittleEndian.Uint32(data[vendor:])),
		Model:    fmt.Sprintf("product code 0x%08x", binary.LittleEndian.Uint32(data[product:])),
		Firmware: fmt.Sprintf("0x%08x", binary.LittleEndian.Uint32(data[revision:])),
		Serial:   fmt.Sprintf("0x%08x", binary.LittleEndian.Uint32(data[serial:])),
		Source:   string(capture.Powerlink),
	})
	if len(data) >= end {
		x.Name(from, string(bytes.TrimRight(data[host:end], "\x00 ")), string(capture.Powerlink))
	}
}
