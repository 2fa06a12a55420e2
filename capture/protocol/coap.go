package protocol

import (
	"encoding/binary"
	"fmt"
	"strconv"

	"bulkhead/capture"
)

// CoAP is the Constrained Application Protocol over UDP: a message a datagram.
//
// Source: RFC 7252, 3 (messages), 5.10 (options), 12.1 (codes); RFC 7641 (Observe);
// RFC 7967 (No-Response); RFC 7959 (blocks); RFC 8132 (FETCH, PATCH, iPATCH); RFC
// 8613 (OSCORE); RFC 6690, 4 (discovery).
var CoAP = &Protocol{
	Name:      capture.CoAP,
	Over:      []capture.Transport{capture.UDP},
	Recognise: recogniseCoAP,
	New:       func() Decoder { return new(coapDecoder) },
}

const (
	coapHeader  = 4 // version, type and token length; code; message identifier
	coapVersion = 1
	coapToken   = 8 // octets at most

	coapGET    = 1
	coapPOST   = 2
	coapFETCH  = 5
	coapiPATCH = 7 // the last of the methods
)

// The types of message.
const (
	coapConfirmable = iota
	coapNonConfirmable
	coapAcknowledgement
	coapReset
)

// The options that the decoder treats apart.
const (
	coapObserve    = 6
	coapOSCORE     = 9
	coapURIPath    = 11
	coapNoResponse = 258
)

// coapOptions are the options that are registered, as far as they are in use.
var coapOptions = map[int]bool{
	1: true, 3: true, 4: true, 5: true, coapObserve: true, 7: true, 8: true, coapOSCORE: true, coapURIPath: true, 12: true, 14: true, 15: true, 16: true,
	17: true, 19: true, 20: true, 21: true, 23: true, 27: true, 28: true, 31: true, 35: true, 39: true, 60: true, 252: true, coapNoResponse: true, 292: true,
}

// coapOps are the messages by code: class (three bits) and detail (five bits). A
// method that nobody registered is classed as configure.
var coapOps = func() (t [256]Op) {
	for i := range t {
		t[i] = coapOp(i, capture.Reply, fmt.Sprintf("%d.%02d", i>>5, i&0x1f))
		if i < 32 {
			t[i] = coapOp(i, capture.Configure, fmt.Sprintf("Method 0.%02d", i))
		}
	}
	for code, o := range map[int]struct {
		class capture.Class
		name  string
	}{
		coapGET:    {capture.Read, "GET"},
		coapPOST:   {capture.Write, "POST"},
		3:          {capture.Write, "PUT"},
		4:          {capture.Write, "DELETE"},
		coapFETCH:  {capture.Read, "FETCH"},
		6:          {capture.Write, "PATCH"},
		coapiPATCH: {capture.Write, "iPATCH"},
	} {
		t[code] = coapOp(code, o.class, o.name)
	}
	for code, name := range coapResponses {
		t[code].Name += " " + name
	}
	return t
}()

// coapResponses are the codes of responses that are registered.
var coapResponses = map[int]string{
	2<<5 | 1: "Created", 2<<5 | 2: "Deleted", 2<<5 | 3: "Valid", 2<<5 | 4: "Changed", 2<<5 | 5: "Content", 2<<5 | 31: "Continue",
	4 << 5: "Bad Request", 4<<5 | 1: "Unauthorized", 4<<5 | 2: "Bad Option", 4<<5 | 3: "Forbidden", 4<<5 | 4: "Not Found",
	4<<5 | 5: "Method Not Allowed", 4<<5 | 6: "Not Acceptable", 4<<5 | 8: "Request Entity Incomplete", 4<<5 | 9: "Conflict",
	4<<5 | 12: "Precondition Failed", 4<<5 | 13: "Request Entity Too Large", 4<<5 | 15: "Unsupported Content-Format",
	4<<5 | 22: "Unprocessable Entity", 4<<5 | 29: "Too Many Requests",
	5 << 5: "Internal Server Error", 5<<5 | 1: "Not Implemented", 5<<5 | 2: "Bad Gateway", 5<<5 | 3: "Service Unavailable",
	5<<5 | 4: "Gateway Timeout", 5<<5 | 5: "Proxying Not Supported", 5<<5 | 8: "Hop Limit Reached",
}

var (
	coapPing  = coapOp(0, capture.Session, "Empty, confirmable (ping)")
	coapAck   = coapOp(0, capture.Reply, "Empty, acknowledgement")
	coapRst   = coapOp(0, capture.Reply, "Empty, reset")
	coapEmpty = [...]*Op{coapConfirmable: &coapPing, coapNonConfirmable: nil, coapAcknowledgement: &coapAck, coapReset: &coapRst}

	coapWatch   = coapOp(coapGET, capture.Read, "GET, observe")
	coapUnwatch = coapOp(coapGET, capture.Session, "GET, observe no more")
	coapFind    = coapOp(coapGET, capture.Discover, "GET /.well-known/core")

	// What OSCORE protects has an outer code of its own; the method is inside. It
	// may be one that writes.
	coapSecret = [coapiPATCH + 1]*Op{
		coapPOST:  {capture.CoAP, "2", "POST, OSCORE (method hidden)", capture.Write},
		coapFETCH: {capture.CoAP, "5", "FETCH, OSCORE (method hidden)", capture.Write},
	}

	// coapNotifications are responses that an observer gets behind the first.
	coapNotifications = func() (t [256]Op) {
		for i := range t {
			t[i] = coapOp(i, capture.Event, coapOps[i].Name+", notification")
		}
		return t
	}()
)

func coapOp(code int, class capture.Class, name string) Op {
	return Op{Protocol: capture.CoAP, Code: strconv.Itoa(code), Name: name, Class: class}
}

// coapMessage is what a message says.
type coapMessage struct {
	kind  byte
	code  byte
	id    uint16
	token []byte

	known    bool // all options are registered
	paths    int  // segments of the path
	text     bool // the path is of printable characters, three at least
	core     bool // the path is /.well-known/core
	observe  int  // -1 if it is not there
	oscore   bool
	noAnswer bool // No-Response: of no kind
}

// parseCoAP reads a datagram: header, token, options (each the difference of its
// number from that before it and a length, both of which may be extended), and
// behind 0xff the payload.
func parseCoAP(b []byte) (m coapMessage, ok bool) {
	if len(b) < coapHeader || b[0]>>6 != coapVersion {
		return m, false
	}
	m.kind, m.code, m.id = b[0]>>4&3, b[1], binary.BigEndian.Uint16(b[2:])
	m.known, m.observe = true, -1
	size := int(b[0] & 0xf)
	b = b[coapHeader:]
	if size > coapToken || size > len(b) {
		return m, false
	}
	m.token, b = b[:size], b[size:]
	if m.code == 0 {
		return m, len(b) == 0 && size == 0 && m.kind != coapNonConfirmable
	}
	switch class := m.code >> 5; {
	case m.kind == coapReset, class == 0 && m.kind == coapAcknowledgement, class == 1, class == 3, class > 5:
		return m, false
	}
	letters, printing := 0, true
	for number := 0; len(b) > 0; {
		const payload = 0xff
		if b[0] == payload {
			ok = len(b) > 1
			break
		}
		delta, length := int(b[0]>>4), int(b[0]&0xf)
		b = b[1:]
		if delta, b, ok = coapExtended(delta, b); !ok {
			return m, false
		}
		if length, b, ok = coapExtended(length, b); !ok || length > len(b) {
			return m, false
		}
		number += delta
		var value []byte
		value, b = b[:length], b[length:]
		m.known = m.known && coapOptions[number]
		switch number {
		case coapObserve:
			m.observe = 0
			for _, c := range value[:min(len(value), 3)] {
				m.observe = m.observe<<8 | int(c)
			}
		case coapOSCORE:
			m.oscore = true
		case coapURIPath:
			m.core = m.paths == 0 && string(value) == ".well-known" || m.paths == 1 && m.core && string(value) == "core"
			m.paths++
			letters += len(value)
			for _, c := range value {
				printing = printing && ' ' < c && c < 0x7f
			}
		case coapNoResponse:
			const all = 2 | 8 | 16 // of success, of client errors, of server errors
			m.noAnswer = len(value) == 1 && value[0]&all == all
		}
	}
	m.text = printing && letters >= 3
	m.core = m.core && m.paths == 2
	return m, ok || len(b) == 0
}

// coapExtended returns the number that four bits stand for: themselves, or what
// follows in one octet or two.
func coapExtended(n int, b []byte) (int, []byte, bool) {
	switch {
	case n < 13:
		return n, b, true
	case n == 13 && len(b) >= 1:
		return 13 + int(b[0]), b[1:], true
	case n == 14 && len(b) >= 2:
		return 269 + int(binary.BigEndian.Uint16(b)), b[2:], true
	}
	return 0, nil, false
}

// recogniseCoAP is sure of a request whose options are all registered and name a
// path that can be read. Everything else that is well formed is a weak sign.
func recogniseCoAP(b []byte) Match {
	m, ok := parseCoAP(b)
	request := m.code < 32
	switch {
	case !ok:
		return Match{}
	case m.code == 0:
		return Match{Score: Weak}
	case request && m.code > coapiPATCH, !request && coapResponses[int(m.code)] == "":
		return Match{}
	case request && m.known && m.text:
		return Match{Sure, Client}
	case request:
		return Match{Weak, Client}
	}
	return Match{Weak, Server}
}

// coapDecoder reads one message after the other.
type coapDecoder struct {
	sent [2]coapSent
}

// coapSent are the last requests of a side. An empty message names what it
// belongs to by the message identifier, a response by the token.
type coapSent struct {
	ids  [8]uint16
	keys [8]uint64
	next int
}

// Decode implements [Decoder].
func (d *coapDecoder) Decode(x *Exchange, from capture.Side, b []byte) int {
	m, ok := parseCoAP(b)
	switch {
	case !ok:
		x.Undecoded()
	case m.code == 0:
		d.empty(x, from, m)
	case m.code < 32:
		d.request(x, from, m)
	default:
		coapResponse(x, from, m)
	}
	if m.oscore {
		x.Protect(Encrypted)
	} else if ok && m.code != 0 {
		x.Protect(Clear)
	}
	return len(b)
}

// coapKey is the key of a token, or of the ping with a message identifier.
func coapKey(token []byte) uint64 {
	h := uint64(14695981039346656037) // FNV-1a
	for _, c := range token {
		h = (h ^ uint64(c)) * 1099511628211
	}
	return h
}

func coapPingKey(id uint16) uint64 { return uint64(id) }

// empty reads a message without a code. A reset says that what it names was not
// understood, and is all that answers a ping.
func (d *coapDecoder) empty(x *Exchange, from capture.Side, m coapMessage) {
	op := coapEmpty[m.kind]
	if m.kind == coapConfirmable {
		x.Ask(op, from, coapPingKey(m.id))
		return
	}
	x.Note(op, from)
	if m.kind != coapReset || x.Answer(from, coapPingKey(m.id), true) {
		return
	}
	if key, ok := d.sent[from.Other()].find(m.id); ok {
		x.Answer(from, key, false)
	}
}

// request counts a method. One that is sent again has the same message
// identifier; the answer settles it and the first.
func (d *coapDecoder) request(x *Exchange, from capture.Side, m coapMessage) {
	op := &coapOps[m.code]
	switch {
	case m.oscore && m.code <= coapiPATCH && coapSecret[m.code] != nil:
		op = coapSecret[m.code]
	case m.code == coapGET && m.observe == 0:
		op = &coapWatch
	case m.code == coapGET && m.observe == 1:
		op = &coapUnwatch
	case m.code == coapGET && m.core:
		op = &coapFind
	}
	if m.noAnswer {
		x.Note(op, from)
		return
	}
	key := coapKey(m.token)
	if again, ok := d.sent[from].find(m.id); !ok || again != key {
		x.Forget(from, key)
		d.sent[from].add(m.id, key)
	}
	x.Ask(op, from, key)
}

// coapResponse settles the request with the same token. What has the Observe
// option and answers none notifies an observer.
func coapResponse(x *Exchange, from capture.Side, m coapMessage) {
	const success = 2
	if !x.Answer(from, coapKey(m.token), m.code>>5 == success) && m.observe >= 0 {
		x.Note(&coapNotifications[m.code], from)
		return
	}
	x.Note(&coapOps[m.code], from)
}

func (s *coapSent) add(id uint16, key uint64) {
	s.ids[s.next], s.keys[s.next] = id, key
	s.next = (s.next + 1) % len(s.ids)
}

// find returns the key of the request with an identifier. The key of no token is
// not 0, so that an empty place is none.
func (s *coapSent) find(id uint16) (key uint64, ok bool) {
	for i := range s.ids {
		if s.ids[i] == id && s.keys[i] != 0 {
			return s.keys[i], true
		}
	}
	return 0, false
}
