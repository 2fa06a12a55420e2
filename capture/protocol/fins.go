package protocol

import (
	"bytes"
	"encoding/binary"
	"fmt"

	"bulkhead/capture"
)

// FINS is Omron's Factory Interface Network Service, a frame a datagram.
//
// Source: Omron W342-E1-15, "CS/CJ/CP Series Communications Commands Reference
// Manual", 5-1 (commands), 5-2 (frames), 5-1-3 (end codes); Omron W421-E1-04,
// "Ethernet Units, Construction of Applications", 7-4 (FINS/TCP); Omron
// W227-E1-2, "FINS Commands Reference Manual" (the commands of the CV series).
var FINS = &Protocol{
	Name:      capture.FINS,
	Over:      []capture.Transport{capture.UDP},
	Recognise: recogniseFINS,
	New:       func() Decoder { return finsDecoder{} },
}

// FINSTCP is the same over TCP, in an envelope.
var FINSTCP = &Protocol{
	Name:      capture.FINS,
	Over:      []capture.Transport{capture.TCP},
	Recognise: recogniseFINSTCP,
	New:       func() Decoder { return finsTCPDecoder{} },
}

const (
	finsHeader = 10             // ICF, RSV, GCT, destination (network, node, unit), source (likewise), SID
	finsMin    = finsHeader + 2 // and the command
	finsMax    = 2012           // the longest frame of an Ethernet network: W342, 3-3

	finsResponse   = 0x40 // of ICF
	finsNoResponse = 0x01 // of ICF: none is wanted
	finsICFFixed   = 0xbe // bits of ICF that are the same in every frame
	finsICFBridge  = 0x80 // their value: bridges are used, and nothing reserved is set
	finsGateways   = 7    // the most that GCT may say

	finsTCPHeader = 16 // "FINS", length of what follows it, command, error code
	finsTCPSend   = 2  // the command of FINS/TCP that carries a frame
	finsTCPLast   = 6

	finsBroadcast = 0xff // node
)

var finsMagic = []byte("FINS")

// The commands that the decoder treats apart.
const (
	finsProtect      = 0x0304
	finsProtectClear = 0x0305
	finsUnitData     = 0x0501
	finsMessage      = 0x0920
)

// finsOps are the operations by command code: MRC and SRC.
var finsOps = func() map[uint16]*Op {
	ops := make(map[uint16]*Op)
	for _, o := range []struct {
		code  uint16
		class capture.Class
		name  string
	}{
		{0x0101, capture.Read, "Memory Area Read"},
		{0x0102, capture.Write, "Memory Area Write"},
		{0x0103, capture.Write, "Memory Area Fill"},
		{0x0104, capture.Read, "Multiple Memory Area Read"},
		{0x0105, capture.Write, "Memory Area Transfer"},
		{0x0201, capture.Read, "Parameter Area Read"},
		{0x0202, capture.Configure, "Parameter Area Write"},
		{0x0203, capture.Configure, "Parameter Area Clear"},
		{0x0220, capture.Read, "Data Link Table Read"},
		{0x0221, capture.Configure, "Data Link Table Write"},
		{finsProtect, capture.Program, "Program Area Protect"},
		{finsProtectClear, capture.Program, "Program Area Protect Clear"},
		{0x0306, capture.Program, "Program Area Read"},
		{0x0307, capture.Program, "Program Area Write"},
		{0x0308, capture.Program, "Program Area Clear"},
		{0x0401, capture.Mode, "Run"},
		{0x0402, capture.Mode, "Stop"},
		{finsUnitData, capture.Discover, "CPU Unit Data Read"},
		{0x0502, capture.Discover, "Connection Data Read"},
		{0x0601, capture.Diagnose, "CPU Unit Status Read"},
		{0x0602, capture.Diagnose, "Network Status Read"},
		{0x0603, capture.Diagnose, "Data Link Status Read"},
		{0x0620, capture.Diagnose, "Cycle Time Read"},
		{0x0701, capture.Read, "Clock Read"},
		{0x0702, capture.Configure, "Clock Write"},
		{0x0801, capture.Diagnose, "Internode Echo Test"},
		{0x0802, capture.Diagnose, "Broadcast Test Results Read"},
		{0x0803, capture.Diagnose, "Broadcast Test Data Send"},
		{finsMessage, capture.Configure, "Message Read/Clear, FAL/FALS Read"},
		{0x0c01, capture.Session, "Access Right Acquire"},
		{0x0c02, capture.Configure, "Access Right Forced Acquire"},
		{0x0c03, capture.Session, "Access Right Release"},
		{0x2101, capture.Mode, "Error Clear"},
		{0x2102, capture.Diagnose, "Error Log Read"},
		{0x2103, capture.Configure, "Error Log Clear"},
		{0x2140, capture.Diagnose, "FINS Write Access Log Read"},
		{0x2141, capture.Configure, "FINS Write Access Log Clear"},
		{0x2201, capture.File, "File Name Read"},
		{0x2202, capture.File, "Single File Read"},
		{0x2203, capture.File, "Single File Write"},
		{0x2204, capture.File, "File Memory Format"},
		{0x2205, capture.File, "File Delete"},
		{0x2206, capture.File, "Volume Label Create/Delete"},
		{0x2207, capture.File, "File Copy"},
		{0x2208, capture.File, "File Name Change"},
		{0x2209, capture.File, "File Data Check"},
		// A transfer between a file and an area goes either way: the class is that of
		// the way into the area.
		{0x220a, capture.Write, "Memory Area-File Transfer"},
		{0x220b, capture.Configure, "Parameter Area-File Transfer"},
		{0x220c, capture.Program, "Program Area-File Transfer"},
		{0x220f, capture.File, "File Memory Index Read"},
		{0x2210, capture.File, "File Memory Read"},
		{0x2211, capture.File, "File Memory Write"},
		{0x2215, capture.File, "Directory Create/Delete"},
		{0x2301, capture.Control, "Forced Set/Reset"},
		{0x2302, capture.Control, "Forced Set/Reset Cancel"},
		{0x230a, capture.Read, "Multiple Forced Status Read"},
		{0x2601, capture.Configure, "Name Set"},
		{0x2602, capture.Configure, "Name Delete"},
		{0x2603, capture.Discover, "Name Read"},
	} {
		ops[o.code] = &Op{capture.FINS, fmt.Sprintf("0x%04x", o.code), o.name, o.class}
	}
	return ops
}()

// finsMessageOps are what command 0920 does by the upper two bits of its
// parameter. Source: W342, 5-3-33.
var finsMessageOps = [4]*Op{
	0: {capture.FINS, "0x0920", "Message Read", capture.Diagnose},
	1: {capture.FINS, "0x0920", "Message Clear", capture.Configure},
	2: {capture.FINS, "0x0920", "FAL/FALS Read", capture.Diagnose},
	3: finsOps[finsMessage],
}

// recogniseFINS looks for a frame, which has no mark: its fixed bits and a
// command of the manuals are a weak sign.
func recogniseFINS(b []byte) Match {
	if len(b) < finsMin || len(b) > finsMax || b[0]&finsICFFixed != finsICFBridge || b[1] != 0 || b[2] > finsGateways {
		return Match{}
	}
	if finsOps[binary.BigEndian.Uint16(b[finsHeader:])] == nil {
		return Match{}
	}
	switch {
	case b[0]&finsResponse == 0:
		return Match{Score: Weak, Role: Client}
	case len(b) >= finsMin+2:
		return Match{Score: Weak, Role: Server}
	}
	return Match{}
}

// recogniseFINSTCP is sure of the envelope, which bears a name.
func recogniseFINSTCP(b []byte) Match {
	if n := min(len(b), len(finsMagic)); !bytes.Equal(b[:n], finsMagic[:n]) {
		return Match{}
	}
	if len(b) < finsTCPHeader {
		return Match{Score: More}
	}
	size, command := finsTCPSize(b), binary.BigEndian.Uint32(b[8:])
	if size == 0 || command > finsTCPLast {
		return Match{}
	}
	m := Match{Score: Sure}
	switch command {
	case 0: // a client asks for a node address
		m.Role = Client
	case 1:
		m.Role = Server
	case finsTCPSend:
		m.Role = recogniseFINS(b[finsTCPHeader:min(size, len(b))]).Role
	}
	return m
}

// finsTCPSize returns the size of the envelope at the front of b and what is in
// it, or 0 if there is none.
func finsTCPSize(b []byte) int {
	const before = 8 // octets that the length does not count
	length := binary.BigEndian.Uint32(b[4:])
	if !bytes.HasPrefix(b, finsMagic) || length < finsTCPHeader-before || length > finsTCPHeader-before+finsMax {
		return 0
	}
	return before + int(length)
}

// finsDecoder keeps nothing: a datagram is a frame.
type finsDecoder struct{}

// Decode implements [Decoder].
func (finsDecoder) Decode(x *Exchange, from capture.Side, b []byte) int {
	finsFrame(x, from, b)
	return len(b)
}

// finsTCPDecoder reads envelopes one by one; nothing is carried from one to the
// next.
type finsTCPDecoder struct{}

// Decode implements [Decoder].
func (finsTCPDecoder) Decode(x *Exchange, from capture.Side, b []byte) int {
	used := 0
	for {
		f := b[used:]
		if len(f) < finsTCPHeader {
			return used
		}
		size := finsTCPSize(f)
		switch {
		case size == 0:
			x.Undecoded()
			return len(b)
		case size > len(f):
			return used
		}
		used += size
		switch command := binary.BigEndian.Uint32(f[8:]); {
		case command == finsTCPSend:
			finsFrame(x, from, f[finsTCPHeader:size])
		case command > finsTCPLast:
			x.Undecoded()
		}
	}
}

// finsKey is what a response has in common with its command: SID, command, and
// the unit that asked, whose address stands at f[unit]. The node does not belong
// to it, for a server puts the right one in the place of node 0.
func finsKey(f []byte, unit int) uint64 {
	return uint64(f[9])<<24 | uint64(f[unit])<<16 | uint64(binary.BigEndian.Uint16(f[finsHeader:]))
}

// finsFrame reads a frame: header, command, and what belongs to it.
func finsFrame(x *Exchange, from capture.Side, f []byte) {
	if len(f) < finsMin || f[0]&finsICFFixed != finsICFBridge {
		x.Undecoded()
		return
	}
	command, data := binary.BigEndian.Uint16(f[finsHeader:]), f[finsMin:]
	if f[0]&finsResponse != 0 {
		if len(data) < 2 {
			x.Undecoded()
			return
		}
		accepted := finsAccepted(data[0], data[1])
		x.Answer(from, finsKey(f, 5), accepted)
		if command == finsUnitData && accepted {
			finsIdentity(x, from, data[2:])
		}
		return
	}
	op := finsOps[command]
	if op == nil {
		op = finsOther
	}
	if command == finsMessage && len(data) >= 1 {
		op = finsMessageOps[data[0]>>6]
	}
	if f[0]&finsNoResponse != 0 || f[4] == finsBroadcast {
		x.Note(op, from).Unit(uint16(f[4]))
		return
	}
	key := finsKey(f, 8)
	x.Forget(from, key)
	x.Ask(op, from, key).Unit(uint16(f[4]))
	// Both commands end with a password of four characters: W342, 5-3-9, 5-3-10.
	if (command == finsProtect || command == finsProtectClear) && len(data) >= 15 {
		x.Login(from, key, "fins program area", true, 4)
	}
}

// finsOther stands for all commands that no manual lists.
var finsOther = &Op{capture.FINS, "other", "command of no manual", capture.Configure}

// finsAccepted judges an end code. The upper bit of each octet only says that
// the unit is relaying an error of the network, or that the CPU has one, and so
// does the next of the second octet. Source: W342, 5-1-3.
func finsAccepted(main, sub byte) bool { return main&0x7f == 0 && sub&0x3f == 0 }

// finsIdentity reads the answer to CPU Unit Data Read: model and version, 20
// characters each. Source: W342, 5-3-17.
func finsIdentity(x *Exchange, from capture.Side, data []byte) {
	const width = 20
	if len(data) < 2*width {
		return
	}
	model, _, _ := bytes.Cut(data[:width], []byte{0})
	version, _, _ := bytes.Cut(data[width:2*width], []byte{0}) // what follows is for the system's own use
	model, version = bytes.TrimSpace(model), bytes.TrimSpace(version)
	if len(model) == 0 {
		return
	}
	x.Identity(from, capture.Identity{Vendor: "Omron", Model: string(model), Firmware: string(version), Source: string(capture.FINS)})
}
