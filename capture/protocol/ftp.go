package protocol

import (
	"bytes"

	"bulkhead/capture"
)

// FTP is the File Transfer Protocol's control connection. Only log-ins are read.
//
// Source: RFC 959, 4.1 (commands), 4.2 (replies) and 5.4 (which reply ends
// what); RFC 4217 for AUTH.
var FTP = &Protocol{
	Name:      capture.FTP,
	Over:      []capture.Transport{capture.TCP},
	Recognise: recogniseFTP,
	New:       func() Decoder { return new(ftpDecoder) },
}

// recogniseFTP is sure of a greeting that names the protocol. Other greetings
// with the number 220 are also SMTP's, and USER is also POP3's: both together are
// FTP.
func recogniseFTP(b []byte) Match {
	if !isText(b[:min(len(b), 512)]) {
		return Match{}
	}
	line, size := cutLine(b)
	if size == 0 {
		line = b
	}
	switch {
	case foldPrefix(line, "220 ") || foldPrefix(line, "220-"):
		words := bytes.ToLower(line)
		switch {
		case bytes.Contains(words, []byte("smtp")) || bytes.Contains(words, []byte("mail")):
			return Match{}
		case bytes.Contains(words, []byte("ftp")):
			return Match{Score: Sure, Role: Server}
		case size == 0:
			return Match{Score: More}
		}
		return Match{Score: Weak, Role: Server}
	case size == 0 && len(b) < 5:
		return Match{Score: More}
	case foldPrefix(line, "user ") && bytes.Count(line, []byte{' '}) == 1,
		foldPrefix(line, "auth tls"), foldPrefix(line, "auth ssl"), string(bytes.ToLower(line)) == "feat":
		return Match{Score: Weak, Role: Client}
	}
	return Match{}
}

// ftpDecoder follows the log-ins of one control connection.
type ftpDecoder struct {
	anonymous bool   // the last USER named no one
	logins    uint64 // PASS commands so far; the key of the last
	auth      bool   // AUTH was the last command
	tls       *tlsDecoder
}

// Decode implements [Decoder].
func (d *ftpDecoder) Decode(x *Exchange, from capture.Side, b []byte) int {
	if d.tls != nil {
		return d.tls.Decode(x, from, b)
	}
	x.Gap(from) // a line stands for itself
	n := 0
	for n < len(b) {
		line, size := cutLine(b[n:])
		if size == 0 {
			break
		}
		n += size
		switch {
		case line == nil:
			x.Undecoded()
		case from == capture.FromClient:
			d.command(x, line)
		default:
			d.reply(x, line)
		}
		if d.tls != nil {
			return n + d.tls.Decode(x, from, b[n:])
		}
	}
	return n
}

func (d *ftpDecoder) command(x *Exchange, line []byte) {
	d.auth = foldPrefix(line, "auth ")
	switch {
	case foldPrefix(line, "user "):
		name := bytes.ToLower(line[len("user "):])
		d.anonymous = string(name) == "anonymous" || string(name) == "ftp"
	case foldPrefix(line, "pass") && (len(line) == len("pass") || line[4] == ' '):
		d.logins++
		x.Protect(Clear)
		if d.anonymous {
			x.Login(capture.FromClient, d.logins, "ftp anonymous", false, 0)
			return
		}
		x.Login(capture.FromClient, d.logins, "ftp password", true, max(0, len(line)-len("pass ")))
	}
}

func (d *ftpDecoder) reply(x *Exchange, line []byte) {
	if len(line) < 3 || len(line) > 3 && line[3] != ' ' {
		return // a line in the middle of a reply
	}
	switch code := string(line[:3]); {
	case code == "234" && d.auth:
		d.tls = new(tlsDecoder)
		x.Protect(Encrypted)
	case code == "230":
		x.Answer(capture.FromServer, d.logins, true)
	case code == "530", code == "421", code == "430":
		x.Answer(capture.FromServer, d.logins, false)
	}
}
