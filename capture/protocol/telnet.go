package protocol

import (
	"bytes"

	"bulkhead/capture"
)

// Telnet is the Telnet protocol. Of what is typed only the length of an answer
// to a prompt for a password is read.
//
// Source: RFC 854 (commands), RFC 855 (options); the IANA Telnet Options registry.
var Telnet = &Protocol{
	Name:      capture.Telnet,
	Over:      []capture.Transport{capture.TCP},
	Recognise: recogniseTelnet,
	New:       func() Decoder { return new(telnetDecoder) },
}

// Commands.
const (
	telnetSE   = 240
	telnetSB   = 250
	telnetWill = 251
	telnetWont = 252
	telnetDo   = 253
	telnetDont = 254
	telnetIAC  = 255
)

// recogniseTelnet is sure of two negotiations in a row; one, or a prompt, is a
// weak sign.
func recogniseTelnet(b []byte) Match {
	negotiated, role := 0, AnyRole
	for len(b) >= 3 && b[0] == telnetIAC && b[1] >= telnetWill && b[1] <= telnetDont && b[2] < 50 {
		if r := telnetRole(b[1], b[2]); role == AnyRole {
			role = r
		}
		negotiated++
		b = b[3:]
	}
	switch {
	case negotiated >= 2:
		return Match{Score: Sure, Role: role}
	case len(b) == 0 && negotiated == 0 || len(b) > 0 && len(b) < 3 && b[0] == telnetIAC:
		return Match{Score: More}
	case negotiated == 1:
		return Match{Score: Weak, Role: role}
	case !isText(b[:min(len(b), 2048)]):
		return Match{}
	}
	switch telnetPrompt(b[max(0, len(b)-telnetTail):]) {
	case telnetAskName, telnetAskPassword:
		return Match{Score: Weak, Role: Server}
	}
	return Match{}
}

// telnetRole tells the side by the options that only one of them has: the server
// echoes; the client has the terminal and its window.
func telnetRole(command, option byte) Role {
	const echo, terminal, window, speed, flow, display, environment = 1, 24, 31, 32, 33, 35, 39
	var owner Role
	switch option {
	case echo:
		owner = Server
	case terminal, window, speed, flow, display, environment:
		owner = Client
	default:
		return AnyRole
	}
	if command == telnetDo || command == telnetDont { // said to the owner
		return Client + Server - owner
	}
	return owner
}

// telnetDecoder follows the log-in dialogue of one connection.
type telnetDecoder struct {
	state   [2]telnetState
	tail    []byte // the last text of the server, at most telnetTail bytes
	heard   bool   // tail has grown since it was last looked at
	asking  telnetAsk
	typed   int // characters on the client's line
	logins  uint64
	settled bool // the last log-in's outcome is known
}

type telnetState uint8

const (
	telnetText telnetState = iota
	telnetCommand
	telnetOption
	telnetSub
	telnetSubIAC
)

type telnetAsk uint8

const (
	telnetNoPrompt telnetAsk = iota
	telnetAskName
	telnetAskPassword
	telnetShell
)

const telnetTail = 48

// Decode implements [Decoder].
func (d *telnetDecoder) Decode(x *Exchange, from capture.Side, b []byte) int {
	if x.Gap(from) {
		d.state[from] = telnetText
		if from == capture.FromServer {
			d.tail = d.tail[:0]
		}
	}
	for _, c := range b {
		if !d.text(from, c) {
			continue
		}
		if from == capture.FromServer {
			if len(d.tail) == telnetTail {
				d.tail = append(d.tail[:0], d.tail[telnetTail/2:]...)
			}
			d.tail, d.heard = append(d.tail, c), true
			if c == '\n' {
				d.asking = telnetNoPrompt // it went on without waiting
			}
			continue
		}
		d.key(x, c)
	}
	return len(b)
}

// text reports whether c is a character, as opposed to a part of a command.
func (d *telnetDecoder) text(from capture.Side, c byte) bool {
	s := &d.state[from]
	switch *s {
	case telnetText:
		if c == telnetIAC {
			*s = telnetCommand
			return false
		}
		return c != 0
	case telnetCommand:
		switch {
		case c >= telnetWill && c <= telnetDont:
			*s = telnetOption
		case c == telnetSB:
			*s = telnetSub
		default:
			*s = telnetText
			return c == telnetIAC // an escaped 255
		}
	case telnetOption:
		*s = telnetText
	case telnetSub:
		if c == telnetIAC {
			*s = telnetSubIAC
		}
	case telnetSubIAC:
		*s = telnetSub
		if c == telnetSE {
			*s = telnetText
		}
	}
	return false
}

// key reads a character that the client typed. What the server was asking is
// looked at only now, when all of it has come.
func (d *telnetDecoder) key(x *Exchange, c byte) {
	if d.heard && d.asking != telnetAskPassword {
		d.heard = false
		d.asking = telnetPrompt(d.tail)
		if d.logins > 0 && !d.settled && d.asking != telnetNoPrompt {
			d.settled = true
			x.Answer(capture.FromServer, d.logins, d.asking == telnetShell)
		}
	}
	switch c {
	case '\r', '\n':
		if d.asking == telnetAskPassword {
			d.logins++
			d.settled = false
			x.Login(capture.FromClient, d.logins, "telnet login", true, d.typed)
		}
		d.asking, d.typed, d.tail, d.heard = telnetNoPrompt, 0, d.tail[:0], false
	case '\b', 0x7f:
		d.typed = max(0, d.typed-1)
	default:
		d.typed++
	}
}

// telnetPrompt tells what the end of the server's text asks for.
func telnetPrompt(text []byte) telnetAsk {
	text = bytes.ToLower(bytes.TrimRight(text, " \t"))
	for _, p := range []string{"password:", "passwd:", "passcode:", "password?"} {
		if bytes.HasSuffix(text, []byte(p)) {
			return telnetAskPassword
		}
	}
	for _, p := range []string{"login:", "username:", "user name:", "user:", "user id:", "userid:", "login name:"} {
		if bytes.HasSuffix(text, []byte(p)) && !bytes.HasSuffix(text, []byte("last login:")) {
			return telnetAskName
		}
	}
	if len(text) > 0 && bytes.IndexByte([]byte("$#>%"), text[len(text)-1]) >= 0 {
		return telnetShell
	}
	return telnetNoPrompt
}
