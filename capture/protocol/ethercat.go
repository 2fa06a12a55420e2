package protocol

import (
	"encoding/binary"
	"strconv"

	"bulkhead/capture"
)

// EtherCAT is the fieldbus straight on Ethernet and inside UDP, and the EtherCAT
// Automation Protocol (EAP), which has the same frame.
//
// A master sends a frame, the slaves read and write it as it passes, and the last
// one sends it back: the same datagrams, with a working counter that says how many
// slaves acted on them, and a bit of the source's MAC address turned. Between them
// and the master's own frames lie two conversations, so that no outcome is paired.
//
// Source: ETG.1000.4 S (R) V1.0.4 (IEC 61158-4-12), 5.3 (frames), 5.4 (commands),
// 6.1 (registers, application layer control); ETG.1000.6 (states of the
// application layer); ETG.1005 (EAP); Beckhoff EtherCAT Slave Controller,
// "Section II, Register Description".
var EtherCAT = &Protocol{
	Name:      capture.EtherCAT,
	Over:      []capture.Transport{capture.L2, capture.UDP},
	Recognise: recogniseEtherCAT,
	New:       func() Decoder { return ethercatDecoder{} },
}

const (
	ethercatHeader   = 2      // length (11 bits), a reserved bit, type (4 bits)
	ethercatDatagram = 10 + 2 // command, index, address (4), length and flags, interrupts; behind the data the working counter
	ethercatLength   = 0x07ff // of the two octets of either length
	ethercatMore     = 0x8000 // another datagram follows
	ethercatReserved = 0x3800 // bits of a datagram's length
	ethercatFirstRAM = 0x1000 // from here on a slave's process data and mailboxes
)

// The types of frame.
const (
	ethercatCommands  = 1
	ethercatVariables = 4 // EAP: network variables that a publisher sends
	ethercatMailbox   = 5 // EAP: a mailbox behind a gateway
)

// The commands. In their names AP addresses a slave by its place, FP by the
// address it was given, B all of them, L memory that slaves have mapped.
const (
	ethercatNOP = iota
	ethercatAPRD
	ethercatAPWR
	ethercatAPRW
	ethercatFPRD
	ethercatFPWR
	ethercatFPRW
	ethercatBRD
	ethercatBWR
	ethercatBRW
	ethercatLRD
	ethercatLWR
	ethercatLRW
	ethercatARMW
	ethercatFRMW
	ethercatCount
)

var ethercatNames = [ethercatCount]string{
	"NOP", "APRD", "APWR", "APRW", "FPRD", "FPWR", "FPRW", "BRD", "BWR", "BRW", "LRD", "LWR", "LRW", "ARMW", "FRMW",
}

// ethercatArea is what lies in a range of a slave's registers, and the class of
// writing there.
type ethercatArea struct {
	first uint16
	class capture.Class
	name  string
}

// ethercatAreas are the registers in ascending order: an area ends where the next
// begins.
var ethercatAreas = [...]ethercatArea{
	{0x0000, capture.Configure, "ESC information"},
	{0x0010, capture.Configure, "station address"},
	{0x0014, capture.Configure, "ESC register"},
	{0x0020, capture.Configure, "write protection"},
	{0x0040, capture.Mode, "ESC reset"},
	{0x0042, capture.Configure, "ESC register"},
	{0x0100, capture.Configure, "DL control"},
	{0x0104, capture.Configure, "ESC register"},
	{ethercatALControl, capture.Mode, "AL control"},
	{0x0122, capture.Configure, "ESC register"},
	{0x0140, capture.Configure, "PDI control"},
	{0x0200, capture.Configure, "interrupts"},
	{0x0300, capture.Diagnose, "error counters"},
	{0x0400, capture.Configure, "watchdogs"},
	{0x0500, capture.Configure, "SII EEPROM"},
	{0x0510, capture.Configure, "MII management"},
	{0x0600, capture.Configure, "FMMU"},
	{0x0800, capture.Configure, "SyncManager"},
	{0x0900, capture.Configure, "distributed clocks"},
	{0x0910, capture.Session, "system time"}, // sent along with every cycle
	{0x0918, capture.Configure, "distributed clocks"},
	{0x0e00, capture.Configure, "ESC register"},
	{0x0f00, capture.Write, "digital outputs"},
	{0x0f80, capture.Configure, "user RAM"},
	{ethercatFirstRAM, capture.Write, "process data or mailbox"},
}

const ethercatALControl = 0x0120

// ethercatStates are the states that AL control asks a slave for, by its four
// lower bits.
var ethercatStates = [16]string{1: "Init", 2: "Pre-Operational", 3: "Bootstrap", 4: "Safe-Operational", 8: "Operational"}

// ethercatTable holds the operations of one command.
type ethercatTable struct {
	plain Op                      // reads, and whatever has no register
	reply Op                      // the same on its way back
	areas [len(ethercatAreas)]Op  // writes
	state [len(ethercatStates)]Op // of AL control
}

var ethercatOps = func() (t [ethercatCount]ethercatTable) {
	for command := range t {
		code, name := strconv.Itoa(command), ethercatNames[command]
		class := capture.Read
		switch command {
		case ethercatNOP:
			class = capture.Session
		case ethercatAPWR, ethercatAPRW, ethercatFPWR, ethercatFPRW, ethercatBWR, ethercatBRW, ethercatLWR, ethercatLRW, ethercatARMW, ethercatFRMW:
			class = capture.Write
		}
		ops := &t[command]
		ops.plain = Op{capture.EtherCAT, code, name, class}
		ops.reply = Op{capture.EtherCAT, code, name + " processed", capture.Reply}
		for i, a := range ethercatAreas {
			ops.areas[i] = Op{capture.EtherCAT, code, name + " " + a.name, a.class}
		}
		for i, s := range ethercatStates {
			if s != "" {
				ops.state[i] = Op{capture.EtherCAT, code, name + " AL control: " + s, capture.Mode}
			}
		}
	}
	return t
}()

var (
	ethercatPublish = Op{capture.EtherCAT, "nv", "EAP network variables", capture.Event}
	ethercatGateway = Op{capture.EtherCAT, "mailbox", "EAP mailbox", capture.Configure} // what is in it is not read
)

// recogniseEtherCAT walks through the datagrams of a frame. Nothing marks it but
// that their lengths add up.
func recogniseEtherCAT(b []byte) Match {
	length, kind, ok := cutEtherCAT(b)
	if !ok {
		return Match{}
	}
	if kind != ethercatCommands {
		return Match{Score: Weak}
	}
	b = b[ethercatHeader : ethercatHeader+length]
	for {
		d, rest, more, ok := cutEtherCATDatagram(b)
		switch {
		case !ok || d.command >= ethercatCount:
			return Match{}
		case !more:
			return Match{Score: Weak}
		}
		b = rest
	}
}

// cutEtherCAT reads the header of a frame; a short frame is padded behind it.
func cutEtherCAT(b []byte) (length int, kind byte, ok bool) {
	if len(b) < ethercatHeader {
		return 0, 0, false
	}
	head := binary.LittleEndian.Uint16(b)
	length, kind = int(head&ethercatLength), byte(head>>12)
	const shortest = 46 // what a frame of Ethernet carries at least
	if head&0x0800 != 0 || ethercatHeader+length > len(b) || length == 0 || len(b) > max(ethercatHeader+length, shortest) {
		return 0, 0, false
	}
	switch kind {
	case ethercatCommands, ethercatVariables, ethercatMailbox:
		return length, kind, true
	}
	return 0, 0, false
}

// ethercatPDU is a datagram of a frame.
type ethercatPDU struct {
	command  byte
	position uint16 // or the slave's address
	register uint16
	data     []byte
	worked   uint16 // the working counter
}

// cutEtherCATDatagram takes a datagram off b. Source: ETG.1000.4, 5.4.1.
func cutEtherCATDatagram(b []byte) (d ethercatPDU, rest []byte, more, ok bool) {
	if len(b) < ethercatDatagram {
		return d, nil, false, false
	}
	field := binary.LittleEndian.Uint16(b[6:])
	end := ethercatDatagram + int(field&ethercatLength)
	if field&ethercatReserved != 0 || end > len(b) {
		return d, nil, false, false
	}
	d.command = b[0]
	d.position, d.register = binary.LittleEndian.Uint16(b[2:]), binary.LittleEndian.Uint16(b[4:])
	d.data = b[10 : end-2]
	d.worked = binary.LittleEndian.Uint16(b[end-2:])
	return d, b[end:], field&ethercatMore != 0, true
}

// ethercatDecoder keeps nothing: a frame says all.
type ethercatDecoder struct{}

// Decode implements [Decoder].
func (ethercatDecoder) Decode(x *Exchange, from capture.Side, b []byte) int {
	all := len(b)
	length, kind, ok := cutEtherCAT(b)
	switch {
	case !ok:
		x.Undecoded()
		return all
	case kind == ethercatVariables:
		x.Note(&ethercatPublish, from)
		return all
	case kind == ethercatMailbox:
		x.Note(&ethercatGateway, from)
		return all
	}
	b = b[ethercatHeader : ethercatHeader+length]
	for more := true; more; {
		var d ethercatPDU
		if d, b, more, ok = cutEtherCATDatagram(b); !ok || d.command >= ethercatCount {
			x.Undecoded()
			break
		}
		use := x.Note(d.op(from), from)
		switch d.command {
		case ethercatFPRD, ethercatFPWR, ethercatFPRW, ethercatFRMW:
			use.Unit(d.position)
		}
	}
	return all
}

// op returns the operation of a datagram. A datagram that a slave worked on is on
// its way back. One that no slave worked on looks as it did on its way out.
func (d *ethercatPDU) op(from capture.Side) *Op {
	ops := &ethercatOps[d.command]
	switch {
	case d.worked != 0 || from == capture.FromServer:
		return &ops.reply
	case ops.plain.Class != capture.Write || d.command == ethercatLWR || d.command == ethercatLRW:
		return &ops.plain
	}
	// A write that goes over AL control asks for a state, wherever it begins.
	if at := ethercatALControl - int(d.register); at >= 0 && at < len(d.data) {
		if op := &ops.state[d.data[at]&0x0f]; op.Name != "" {
			return op
		}
	}
	area := len(ethercatAreas) - 1
	for ethercatAreas[area].first > d.register {
		area--
	}
	return &ops.areas[area]
}
