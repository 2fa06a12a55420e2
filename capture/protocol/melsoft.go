package protocol

import (
	"bytes"
	"encoding/binary"
	"fmt"

	"bulkhead/capture"
)

// MELSOFT is what Mitsubishi's engineering tools and operator panels say to
// controllers, over TCP.
//
// Source: no specification is published. A. Palanca, I. Speziale (Nozomi
// Networks), Wireshark dissector of "blackhat23-melsoft", 2023 (headers, commands
// of iQ-R, status, log-in); S. Hilt and others, Nmap's melsecq-discover (header
// and command 0101 of MELSEC-Q). The lengths of both headers are held against the
// tests' captures of an FX5U.
var MELSOFT = &Protocol{
	Name:      capture.Melsoft,
	Over:      []capture.Transport{capture.TCP},
	Recognise: recogniseMELSOFT,
	New:       func() Decoder { return melsoftDecoder{} },
}

// MELSOFTUDP is the same, a message a datagram, with datagrams that look for
// controllers.
var MELSOFTUDP = &Protocol{
	Name:      capture.Melsoft,
	Over:      []capture.Transport{capture.UDP},
	Recognise: recogniseMELSOFTUDP,
	New:       func() Decoder { return melsoftUDPDecoder{} },
}

const (
	melsoftAsk    = 0x57
	melsoftAnswer = 0xd7
	melsoftHello  = 0x5a // a datagram of four octets that looks for controllers
	melsoftHere   = 0xda

	melsoftHead    = 21 // with the size of what follows at its end
	melsoftFront   = 2  // of the command header: type and what is unknown
	melsoftCommand = 6  // command, reference, size
	melsoftMax     = 1 << 13

	melsoftPassword = 32 // a SHA-256
	melsoftModel    = 16
)

// The commands that the decoder treats apart.
const (
	melsoftCPU       = 0x0101
	melsoftInitial   = 0x0121
	melsoftLogin     = 0x0132
	melsoftAccess    = 0x0410
	melsoftAccessMin = melsoftCommand + 22 // area, address and count, and no value
)

// melsoftOps are the operations by command. Programs, parameters and the rest of
// a project go through the same files: a file's class is that of a program.
var melsoftOps = func() map[uint16]*Op {
	m := make(map[uint16]*Op)
	for _, o := range []struct {
		code  uint16
		class capture.Class
		name  string
	}{
		{melsoftCPU, capture.Discover, "CPU Model Read"},
		{melsoftInitial, capture.Session, "Open Initial"},
		{0x0131, capture.Session, "Username Login"},
		{melsoftLogin, capture.Session, "Password Login"},
		{0x0133, capture.Read, "Read User Information (A)"},
		{0x0134, capture.Read, "Read User Information (B)"},
		{0x0150, capture.Diagnose, "Safety Run Mode Read"},
		{melsoftAccess, capture.Write, "Modify Value"},
		{0x1001, capture.Mode, "Remote Control Run"},
		{0x1002, capture.Mode, "Remote Control Stop"},
		{0x1003, capture.Mode, "Remote Control Pause"},
		{0x1006, capture.Mode, "Remote Reset Ex"},
		{0x1120, capture.Mode, "Safety Run Mode Change"},
		{0x1133, capture.Configure, "User Information Registration"},
		{0x1859, capture.File, "File List Read"},
		{0x1868, capture.Program, "File Read"},
		{0x1869, capture.Program, "File Write"},
	} {
		m[o.code] = &Op{capture.Melsoft, fmt.Sprintf("0x%04x", o.code), o.name, o.class}
	}
	return m
}()

var (
	// melsoftRead is command 0410 as an FX5U is sent it: an area, an address and a
	// count, with no room for a value. The response holds that many.
	melsoftRead    = &Op{capture.Melsoft, "0x0410", "area, address and count", capture.Read}
	melsoftOther   = &Op{capture.Melsoft, "other", "command of no source", capture.Configure}
	melsoftHelloOp = &Op{capture.Melsoft, "hello", "search for controllers", capture.Discover}
)

// recogniseMELSOFTUDP is sure of a message; the datagrams that look for
// controllers are weak signs.
func recogniseMELSOFTUDP(b []byte) Match {
	if len(b) >= 4 && b[1] == 0 && b[2] == 0 {
		switch {
		case b[0] == melsoftHello && len(b) == 4:
			return Match{Score: Weak, Role: Client}
		case b[0] == melsoftHere && len(b) >= 6:
			return Match{Score: Weak, Role: Server}
		}
	}
	return recogniseMELSOFT(b)
}

// recogniseMELSOFT is sure of a message.
func recogniseMELSOFT(b []byte) Match {
	if len(b) == 0 {
		return Match{Score: More}
	}
	if b[0] != melsoftAsk && b[0] != melsoftAnswer {
		return Match{}
	}
	if len(b) > 1 && b[1] > 1 || len(b) > 3 && b[3] != 0 {
		return Match{}
	}
	const marked = 7
	if len(b) < marked {
		return Match{Score: More}
	}
	if b[4] != 0 || b[5] != 0x11 || b[6] != 0x11 {
		return Match{}
	}
	if len(b) < melsoftHead {
		return Match{Score: More}
	}
	if melsoftSize(b) == 0 {
		return Match{}
	}
	m := Match{Score: Sure, Role: Client}
	if b[0] == melsoftAnswer {
		m.Role = Server
	}
	return m
}

// melsoftSize returns the size of the message at the front of b, or 0.
func melsoftSize(b []byte) int {
	if b[0] != melsoftAsk && b[0] != melsoftAnswer || b[1] > 1 || b[5] != 0x11 || b[6] != 0x11 {
		return 0
	}
	n := int(binary.LittleEndian.Uint16(b[19:]))
	if n < melsoftFront+melsoftCommand || n > melsoftMax {
		return 0
	}
	return melsoftHead + n
}

// melsoftDecoder reads messages one by one; nothing is carried from one to the
// next.
type melsoftDecoder struct{}

// Decode implements [Decoder].
func (melsoftDecoder) Decode(x *Exchange, from capture.Side, b []byte) int {
	used := 0
	for {
		p := b[used:]
		if len(p) < melsoftHead {
			return used
		}
		size := melsoftSize(p)
		switch {
		case size == 0:
			x.Undecoded()
			return len(b)
		case size > len(p):
			return used
		}
		melsoftMessage(x, from, p[0] == melsoftAnswer, p[melsoftHead:size])
		used += size
	}
}

// melsoftUDPDecoder keeps nothing.
type melsoftUDPDecoder struct{}

// Decode implements [Decoder].
func (melsoftUDPDecoder) Decode(x *Exchange, from capture.Side, b []byte) int {
	if len(b) >= 4 && b[1] == 0 && b[2] == 0 {
		key := 1<<32 | uint64(b[3]) // what is looked for
		switch b[0] {
		case melsoftHello:
			x.Forget(from, key)
			x.Ask(melsoftHelloOp, from, key)
			return len(b)
		case melsoftHere:
			x.Answer(from, key, true)
			return len(b)
		}
	}
	if len(b) < melsoftHead || melsoftSize(b) != len(b) {
		x.Undecoded()
		return len(b)
	}
	melsoftMessage(x, from, b[0] == melsoftAnswer, b[melsoftHead:])
	return len(b)
}

// melsoftMessage reads what follows the head: a command header, whose third octet
// says how long it is, and the command.
func melsoftMessage(x *Exchange, from capture.Side, answer bool, m []byte) {
	at := melsoftFront + int(m[2])
	if len(m) < at+melsoftCommand || at < 6 {
		x.Undecoded()
		return
	}
	data := m[at:]
	command := binary.BigEndian.Uint16(data)
	key := uint64(command)<<16 | uint64(binary.LittleEndian.Uint16(data[2:]))
	if answer {
		status := binary.LittleEndian.Uint16(m[4:])
		x.Answer(from, key, status == 0)
		if status == 0 && (command == melsoftCPU || command == melsoftInitial) {
			melsoftIdentity(x, from, data[melsoftCommand:])
		}
		return
	}
	op := melsoftOps[command]
	switch {
	case op == nil:
		op = melsoftOther
	case command == melsoftAccess && len(data) == melsoftAccessMin:
		op = melsoftRead
	}
	x.Forget(from, key)
	x.Ask(op, from, key)
	if command == melsoftLogin {
		x.Login(from, key, "melsoft", false, melsoftPassword)
	}
}

// melsoftIdentity reads the model of a CPU, in 16 characters.
func melsoftIdentity(x *Exchange, from capture.Side, data []byte) {
	if len(data) < melsoftModel {
		return
	}
	if model := bytes.TrimRight(untilNUL(data[:melsoftModel]), " "); len(model) > 0 {
		x.Identity(from, capture.Identity{Vendor: "Mitsubishi Electric", Model: string(model), Source: string(capture.Melsoft)})
	}
}
