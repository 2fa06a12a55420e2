package protocol

import (
	"bytes"

	"bulkhead/capture"
)

// Fox is Tridium's Niagara Fox, by which stations of building automation and
// their workbenches talk in text over TCP.
//
// Tridium has not published it. The shape of its messages, and those that open a
// connection, are as captures show them and as nmap's script fox-info and
// Redpoint's have described them; nothing else has a meaning that could be cited.
var Fox = &Protocol{
	Name:      capture.Fox,
	Over:      []capture.Transport{capture.TCP},
	Recognise: recogniseFox,
	New:       func() Decoder { return new(foxDecoder) },
}

var (
	foxStart = []byte("fox ")
	foxEnd   = []byte("};;")
)

// foxMessage is a message of the channel that opens connections.
type foxMessage struct {
	name string
	op   *Op
}

// foxMessages are the messages of the channel "fox".
var foxMessages = [...]foxMessage{
	{"hello", &Op{capture.Fox, "hello", "hello", capture.Session}},
	{"challenge", &Op{capture.Fox, "challenge", "challenge", capture.Session}},
	{"login", &Op{capture.Fox, "login", "login", capture.Session}},
	{"rejected", &Op{capture.Fox, "rejected", "rejected", capture.Reply}},
}

// foxOther stands for all that nobody published: it may do anything.
var foxOther = &Op{capture.Fox, "other", "message nobody published", capture.Configure}

const foxHelloKey, foxLoginKey = 1, 2

// recogniseFox is sure of the line that begins a message.
func recogniseFox(b []byte) Match {
	if n := min(len(b), len(foxStart)); !bytes.Equal(b[:n], foxStart[:n]) {
		return Match{}
	}
	line, size := cutLine(b)
	if size == 0 {
		if len(b) < 64 && isText(b) {
			return Match{Score: More}
		}
		return Match{}
	}
	if _, ok := foxHead(line); !ok {
		return Match{}
	}
	return Match{Score: Sure}
}

// foxHead reads the first line of a message: "fox", type, number, number that it
// answers or -1, channel, command.
func foxHead(line []byte) (command []byte, ok bool) {
	rest, ok := bytes.CutPrefix(line, foxStart)
	if !ok || len(rest) < 2 || rest[0] < 'a' || rest[0] > 'z' || rest[1] != ' ' {
		return nil, false
	}
	rest = rest[2:]
	for range 2 {
		number, more, found := bytes.Cut(rest, []byte{' '})
		if !found || !foxNumber(number) {
			return nil, false
		}
		rest = more
	}
	channel, command, found := bytes.Cut(rest, []byte{' '})
	if !found || len(command) == 0 || !isText(rest) {
		return nil, false
	}
	if string(channel) != "fox" {
		return nil, true
	}
	return command, true
}

func foxNumber(b []byte) bool {
	if len(b) > 1 && b[0] == '-' {
		b = b[1:]
	}
	for _, c := range b {
		if c < '0' || c > '9' {
			return false
		}
	}
	return 0 < len(b) && len(b) <= 10
}

// foxDecoder remembers whether an end has said who it is.
type foxDecoder struct{ greeted [2]bool }

// Decode implements [Decoder].
func (d *foxDecoder) Decode(x *Exchange, from capture.Side, b []byte) int {
	used := 0
	for {
		m := b[used:]
		if len(m) == 0 {
			return used
		}
		if n := min(len(m), len(foxStart)); !bytes.Equal(m[:n], foxStart[:n]) {
			x.Undecoded()
			return len(b)
		}
		line, size := cutLine(m)
		if size == 0 {
			return used
		}
		command, ok := foxHead(line)
		if !ok {
			x.Undecoded()
			return len(b)
		}
		body, more := foxBody(m[size:])
		if more == 0 {
			return used
		}
		d.message(x, from, command, body)
		used += size + more
	}
}

// foxBody returns what is between the braces of a message and its size with
// them, or 0 if it does not end. A line "name=b:44[" or "name=o:bog 61[" is
// followed by as many octets, which may be anything, and "]".
func foxBody(b []byte) (body []byte, size int) {
	at := 0
	for {
		end := bytes.IndexByte(b[at:], '\n')
		if end < 0 {
			return nil, 0
		}
		line := b[at : at+end]
		if bytes.Equal(line, foxEnd) {
			return b[:at], at + end + 1
		}
		if open, n := foxOctets(line); n >= 0 {
			at += open + n
			if at > len(b) {
				return nil, 0
			}
			continue
		}
		at += end + 1
	}
}

// foxOctets finds the number of octets that follow a value, or -1, and where in
// line they begin.
func foxOctets(line []byte) (open, n int) {
	open = bytes.IndexByte(line, '[') + 1
	equals := bytes.IndexByte(line, '=')
	if open == 0 || equals < 0 || equals+3 > open || line[equals+2] != ':' || line[equals+1] == 's' {
		return 0, -1
	}
	digits := line[equals+3 : open-1]
	if space := bytes.LastIndexByte(digits, ' '); space >= 0 {
		digits = digits[space+1:]
	}
	if len(digits) > 6 {
		return 0, -1
	}
	n = 0
	for _, c := range digits {
		if c < '0' || c > '9' {
			return 0, -1
		}
		n = 10*n + int(c-'0')
	}
	if len(digits) == 0 {
		return 0, -1
	}
	return open, n
}

// message reads a whole message; command is empty outside the channel "fox".
func (d *foxDecoder) message(x *Exchange, from capture.Side, command, body []byte) {
	op := foxOther
	for _, m := range foxMessages {
		if m.name == string(command) {
			op = m.op
		}
	}
	switch op.Code {
	case "hello":
		x.Answer(from, foxHelloKey, true)
		if from == capture.FromClient {
			x.Ask(op, from, foxHelloKey)
		} else {
			x.Note(op, from)
		}
		if !d.greeted[from] {
			d.greeted[from] = true
			foxIdentity(x, from, body)
		}
	case "login":
		x.Forget(from, foxLoginKey)
		x.Ask(op, from, foxLoginKey)
		kind, readable, length := foxSecret(body)
		x.Login(from, foxLoginKey, kind, readable, length)
	case "rejected":
		x.Answer(from, foxLoginKey, false)
		x.Note(op, from)
	default:
		x.Note(op, from)
	}
}

// foxField returns the text of a field of a body.
func foxField(body []byte, name string) string {
	for len(body) > 0 {
		line, rest, _ := bytes.Cut(body, []byte{'\n'})
		if key, value, found := bytes.Cut(line, []byte("=s:")); found && string(key) == name {
			return string(value)
		}
		body = rest
	}
	return ""
}

// foxIdentity reads what an end says of itself in its hello.
func foxIdentity(x *Exchange, from capture.Side, body []byte) {
	x.Name(from, foxField(body, "hostName"), string(capture.Fox))
	x.Name(from, foxField(body, "station.name"), string(capture.Fox))
	id := capture.Identity{
		Vendor: foxField(body, "brandId"), Model: foxField(body, "app.name"),
		Firmware: foxField(body, "app.version"), Serial: foxField(body, "hostId"), Source: string(capture.Fox),
	}
	if id.Model != "" || id.Serial != "" {
		x.Identity(from, id)
	}
}

// foxSecret says what kind of secret a log-in carries, and the length of one that
// crosses in clear.
func foxSecret(body []byte) (kind string, readable bool, length int) {
	if password := foxField(body, "password"); password != "" {
		return "fox password", true, len(password)
	}
	if method := foxField(body, "method"); method == "basic" {
		return "fox basic", true, 0
	}
	return "fox", false, 0
}
