package protocol

import (
	"encoding/binary"

	"bulkhead/capture"
)

// VNC is the Remote Framebuffer protocol. Only the handshake is read.
//
// Source: RFC 6143, 7.1 and 7.2; the security types beyond it as registered with
// IANA (Remote Framebuffer Security Types).
var VNC = &Protocol{
	Name:      capture.VNC,
	Over:      []capture.Transport{capture.TCP},
	Recognise: recogniseVNC,
	New:       func() Decoder { return new(vncDecoder) },
}

// vncVersion is the shape of the message that both sides begin with; digits stand
// for digits.
const vncVersion = "RFB 000.000\n"

func recogniseVNC(b []byte) Match {
	for i := range min(len(b), len(vncVersion)) {
		c := b[i]
		if '0' <= c && c <= '9' {
			c = '0'
		}
		if c != vncVersion[i] {
			return Match{}
		}
	}
	if len(b) < len(vncVersion) {
		return Match{Score: More}
	}
	return Match{Score: Sure}
}

// vncMaxHandshake is more, in bytes, than one side says before the other answers.
const vncMaxHandshake = 1024

// Security types.
const (
	vncNone     = 1
	vncPassword = 2
	vncRA2      = 5
	vncTLS      = 18
	vncVeNCrypt = 19
)

// vncDecoder follows the handshake of one connection.
type vncDecoder struct {
	minor    int // of the version that the client chose, 0 until then
	greeted  [2]bool
	offered  bool // the server's list of security types has come
	chosen   byte // security type, 0 until then
	finished [2]bool
}

// Decode implements [Decoder].
func (d *vncDecoder) Decode(x *Exchange, from capture.Side, b []byte) int {
	if x.Gap(from) {
		d.finished = [2]bool{true, true}
	}
	n := 0
	for !d.finished[from] {
		size := d.step(x, from, b[n:])
		if size == 0 {
			if len(b)-n > vncMaxHandshake {
				break
			}
			return n
		}
		n += size
	}
	d.finished[from] = true
	return len(b)
}

// step reads one message at the front of b and returns its size, or 0 if b does
// not hold all of it, or if it is not that side's turn.
func (d *vncDecoder) step(x *Exchange, from capture.Side, b []byte) int {
	if !d.greeted[from] {
		if len(b) < len(vncVersion) {
			return 0
		}
		d.greeted[from] = true
		if recogniseVNC(b).Score != Sure {
			x.Undecoded()
			d.finished = [2]bool{true, true}
			return len(b)
		}
		if from == capture.FromClient {
			d.minor = int(b[8]-'0')*100 + int(b[9]-'0')*10 + int(b[10]-'0')
		}
		return len(vncVersion)
	}
	if from == capture.FromServer {
		return d.server(x, b)
	}
	return d.client(x, b)
}

func (d *vncDecoder) server(x *Exchange, b []byte) int {
	switch {
	case !d.greeted[capture.FromClient] || len(b) == 0:
		return 0
	case !d.offered && d.minor < 7: // the server decides
		if len(b) < 4 {
			return 0
		}
		d.offered = true
		if kind := binary.BigEndian.Uint32(b); kind == 0 || kind > 255 {
			d.finished = [2]bool{true, true}
		} else {
			d.choose(x, byte(kind))
		}
		return 4
	case !d.offered:
		size := 1 + int(b[0])
		if len(b) < size {
			return 0
		}
		d.offered = true
		if size == 1 { // refused
			d.finished = [2]bool{true, true}
		}
		return size
	case d.chosen == 0:
		return 0
	}
	d.finished[capture.FromServer] = true
	switch {
	case d.chosen == vncPassword:
		const challenge, result = 16, 4
		d.finished[capture.FromServer] = false
		if len(b) < challenge+result {
			return 0
		}
		d.finished[capture.FromServer] = true
		x.Answer(capture.FromServer, 1, binary.BigEndian.Uint32(b[challenge:]) == 0)
	case d.chosen == vncNone && d.minor >= 8:
		d.finished[capture.FromServer] = false
		if len(b) < 4 {
			return 0
		}
		d.finished[capture.FromServer] = true
		x.Answer(capture.FromServer, 1, binary.BigEndian.Uint32(b) == 0)
	case d.chosen == vncNone: // goes on at once
		x.Answer(capture.FromServer, 1, true)
	}
	return len(b)
}

func (d *vncDecoder) client(x *Exchange, b []byte) int {
	if !d.offered || len(b) == 0 {
		return 0
	}
	if d.chosen == 0 {
		d.choose(x, b[0])
		return 1
	}
	d.finished[capture.FromClient] = true
	return len(b)
}

// choose notes the security type.
func (d *vncDecoder) choose(x *Exchange, kind byte) {
	d.chosen = kind
	switch kind {
	case vncNone:
		x.Login(capture.FromClient, 1, "vnc none", false, 0)
	case vncPassword:
		x.Login(capture.FromClient, 1, "vnc challenge", false, 0)
	case vncRA2, vncTLS, vncVeNCrypt:
		x.Protect(Encrypted)
	}
}
