package protocol

import (
	"encoding/binary"
	"fmt"

	"bulkhead/capture"
)

// ENIP is EtherNet/IP: the encapsulation of CIP over TCP and UDP, and its cyclic
// I/O, which has no encapsulation header. What is inside is counted as CIP.
//
// Source: The CIP Networks Library, Volume 2: EtherNet/IP Adaptation of CIP
// (ODVA), chapter 2 (encapsulation commands, 2-4; common packet format, 2-6;
// class 0 and 1 packets, 2-6.3).
var ENIP = &Protocol{
	Name:      capture.ENIP,
	Over:      []capture.Transport{capture.TCP, capture.UDP},
	Recognise: recogniseENIP,
	New:       func() Decoder { return new(enipDecoder) },
}

const (
	enipHeader = 24    // command, length, session, status, context, options: all little-endian
	enipMax    = 65511 // the longest data behind the header

	enipMaxStatus = 0x6a // the highest that has a meaning

	enipNOP            = 0x00
	enipListServices   = 0x04
	enipListIdentity   = 0x63
	enipListInterfaces = 0x64
	enipRegister       = 0x65
	enipUnregister     = 0x66
	enipSendRRData     = 0x6f
	enipSendUnitData   = 0x70
	enipIndicateStatus = 0x72
	enipCancel         = 0x73
	enipStartDTLS      = 0xc8
)

// The types of common packet items.
const (
	itemIdentity         = 0x000c
	itemConnectedAddress = 0x00a1
	itemConnectedData    = 0x00b1
	itemUnconnectedData  = 0x00b2
	itemSequencedAddress = 0x8002
)

// enipOps holds the operation of each encapsulation command. Those that the
// standard reserves are classed as configure: no channel that allows reading
// should let them pass, and nothing shows what they do.
var enipOps = func() (t [0x100]Op) {
	for i := range t {
		t[i] = Op{Protocol: capture.ENIP, Code: fmt.Sprintf("0x%04x", i), Name: fmt.Sprintf("Command 0x%04x", i), Class: capture.Configure}
	}
	for _, o := range []struct {
		command int
		class   capture.Class
		name    string
	}{
		{enipNOP, capture.Session, "NOP"},
		{enipListServices, capture.Discover, "ListServices"},
		{enipListIdentity, capture.Discover, "ListIdentity"},
		{enipListInterfaces, capture.Discover, "ListInterfaces"},
		{enipRegister, capture.Session, "RegisterSession"},
		{enipUnregister, capture.Session, "UnRegisterSession"},
		{enipSendRRData, capture.Session, "SendRRData"},
		{enipSendUnitData, capture.Session, "SendUnitData"},
		{enipIndicateStatus, capture.Session, "IndicateStatus"},
		{enipCancel, capture.Session, "Cancel"},
		{enipStartDTLS, capture.Session, "StartDTLS"},
	} {
		t[o.command].Name, t[o.command].Class = o.name, o.class
	}
	return t
}()

// enipCyclic is one packet of cyclic I/O. It bears no command: its code is the
// type of the item that it begins with.
var enipCyclic = Op{Protocol: capture.ENIP, Code: "0x8002", Name: "Class 0 or 1 I/O", Class: capture.Event}

// recogniseENIP looks for an encapsulation header with a command, status and
// options that exist and a body that the command allows, or for the two items of
// an I/O packet.
func recogniseENIP(b []byte) Match {
	if isCyclic(b) {
		return Match{Score: Sure}
	}
	if len(b) < enipHeader {
		if len(b) >= 2 && int(binary.LittleEndian.Uint16(b)) >= len(enipOps) {
			return Match{}
		}
		return Match{Score: More}
	}
	command, length := binary.LittleEndian.Uint16(b), int(binary.LittleEndian.Uint16(b[2:]))
	session, status := binary.LittleEndian.Uint32(b[4:]), binary.LittleEndian.Uint32(b[8:])
	if int(command) >= len(enipOps) || length > enipMax || binary.LittleEndian.Uint32(b[20:]) != 0 || status > enipMaxStatus {
		return Match{}
	}
	refused := Match{Sure, Server}
	data := b[enipHeader:min(enipHeader+length, len(b))]
	switch command {
	case enipRegister: // protocol version 1, options 0
		switch {
		case status != 0 && (length == 0 || length == 4):
			return refused
		case length != 4:
		case len(data) < 4:
			return Match{Score: More}
		case binary.LittleEndian.Uint32(data) != 1:
		case session == 0:
			return Match{Sure, Client}
		default:
			return Match{Sure, Server}
		}
	case enipUnregister:
		if length == 0 && status == 0 && session != 0 {
			return Match{Weak, Client}
		}
	case enipNOP: // no more than zeros
	case enipListServices, enipListIdentity, enipListInterfaces:
		if length == 0 && status == 0 {
			// A device without interfaces answers ListInterfaces with a count of 0.
			return Match{Sure, Client}
		}
		if length >= 2 && len(data) < 2 {
			return Match{Score: More}
		}
		if length >= 2 && binary.LittleEndian.Uint16(data) <= 64 {
			return Match{Sure, Server}
		}
	case enipSendRRData, enipSendUnitData:
		if status != 0 && length == 0 {
			return refused
		}
		if length < 6+2+8 {
			return Match{}
		}
		if len(data) < 6+2+8 {
			return Match{Score: More}
		}
		if binary.LittleEndian.Uint32(data) != 0 { // the interface handle of CIP
			return Match{}
		}
		items, ok := parseItems(data[6:])
		if !ok && len(data) == length {
			return Match{}
		}
		m := Match{Score: Sure}
		if len(items.message) > 0 {
			if m.Role = Client; items.message[0]&cipReply != 0 {
				m.Role = Server
			}
		}
		return m
	default:
		if len(b) == enipHeader+length {
			return Match{Score: Weak}
		}
	}
	return Match{}
}

// enipKnown reports whether a command has a meaning that the standard tells.
func enipKnown(command uint16) bool {
	switch command {
	case enipNOP, enipListServices, enipListIdentity, enipListInterfaces, enipRegister, enipUnregister,
		enipSendRRData, enipSendUnitData, enipIndicateStatus, enipCancel, enipStartDTLS:
		return true
	}
	return false
}

const cyclicItems = 2 // in an I/O packet

// isCyclic reports whether b is an I/O packet, or as much of one as a short
// capture kept: a sequenced address of 8 bytes and connected data to the end.
func isCyclic(b []byte) bool {
	return len(b) >= 18 && binary.LittleEndian.Uint16(b) == cyclicItems &&
		binary.LittleEndian.Uint16(b[2:]) == itemSequencedAddress && binary.LittleEndian.Uint16(b[4:]) == 8 &&
		binary.LittleEndian.Uint16(b[14:]) == itemConnectedData && int(binary.LittleEndian.Uint16(b[16:])) >= len(b)-18
}

// items is what the common packet items of one command say.
type items struct {
	connected  bool
	connection uint32 // of a connected message
	sequence   uint16 // likewise
	message    []byte // the CIP message, or nil
	identity   []byte // the CIP identity item of a ListIdentity response, or nil
}

// parseItems reads common packet items: their number, and for each its type,
// length and data. It is not ok if they end beyond b.
func parseItems(b []byte) (it items, ok bool) {
	if len(b) < 2 {
		return it, false
	}
	n := binary.LittleEndian.Uint16(b)
	b = b[2:]
	for ; n > 0; n-- {
		if len(b) < 4 {
			return it, false
		}
		kind, end := binary.LittleEndian.Uint16(b), 4+int(binary.LittleEndian.Uint16(b[2:]))
		if end > len(b) {
			return it, false
		}
		data := b[4:end]
		switch kind {
		case itemConnectedAddress:
			if len(data) >= 4 {
				it.connection = binary.LittleEndian.Uint32(data)
			}
		case itemConnectedData:
			if len(data) >= 2 {
				it.connected, it.sequence, it.message = true, binary.LittleEndian.Uint16(data), data[2:]
			}
		case itemUnconnectedData:
			it.message = data
		case itemIdentity:
			it.identity = data
		}
		b = b[end:]
	}
	return it, true
}

// enipDecoder reads encapsulated commands and hands on the CIP in them.
type enipDecoder struct {
	connections cipConnections
}

// Decode implements [Decoder].
func (d *enipDecoder) Decode(x *Exchange, from capture.Side, b []byte) int {
	if isCyclic(b) {
		x.Note(&enipCyclic, from)
		return len(b)
	}
	used := 0
	for {
		rest := b[used:]
		if len(rest) < 4 {
			return used
		}
		command, length := binary.LittleEndian.Uint16(rest), int(binary.LittleEndian.Uint16(rest[2:]))
		if int(command) >= len(enipOps) || length > enipMax {
			x.Undecoded()
			return len(b)
		}
		// A reserved command is believed by the rest of its header only.
		if !enipKnown(command) {
			if len(rest) < enipHeader {
				return used
			}
			if binary.LittleEndian.Uint32(rest[8:]) > enipMaxStatus || binary.LittleEndian.Uint32(rest[20:]) != 0 {
				x.Undecoded()
				return len(b)
			}
		}
		if len(rest) < enipHeader+length {
			return used
		}
		d.command(x, from, rest[:enipHeader+length])
		used += enipHeader + length
	}
}

// command reads one encapsulated command. SendUnitData is not answered as such:
// what answers is the CIP in another SendUnitData.
func (d *enipDecoder) command(x *Exchange, from capture.Side, b []byte) {
	command, data := binary.LittleEndian.Uint16(b), b[enipHeader:]
	status, context := binary.LittleEndian.Uint32(b[8:]), binary.LittleEndian.Uint64(b[12:])
	key := cipMix(uint64(command), context)
	switch {
	case from == capture.FromServer:
		x.Answer(from, key, status == 0)
	case command == enipListServices || command == enipListIdentity || command == enipListInterfaces ||
		command == enipRegister || command == enipSendRRData:
		x.Ask(&enipOps[command], from, key)
	default:
		x.Note(&enipOps[command], from)
	}
	switch command {
	case enipListIdentity:
		if from == capture.FromServer && len(data) > 0 {
			it, ok := parseItems(data)
			if !ok {
				x.Undecoded()
			}
			// In front of the identity: the encapsulation version and a socket address.
			if len(it.identity) > 18 {
				cipIdentity(x, from, it.identity[18:])
			}
		}
	case enipSendRRData, enipSendUnitData:
		m := cipMessages{x: x, from: from, connections: &d.connections, base: cipMix(enipSendRRData<<16, context)}
		if len(data) == 0 && status != 0 {
			m.refuse(0)
			return
		}
		if len(data) < 6 { // interface handle and timeout
			x.Undecoded()
			return
		}
		it, ok := parseItems(data[6:])
		if !ok {
			x.Undecoded()
			return
		}
		if it.connected {
			m.base = cipMix(enipSendUnitData<<16|d.connections.index(from, it.connection), uint64(it.sequence))
		}
		if len(it.message) > 0 {
			m.read(it.message, 0, 0)
		}
	}
}
