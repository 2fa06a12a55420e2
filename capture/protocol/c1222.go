package protocol

import (
	"bytes"
	"encoding/binary"
	"fmt"

	"bulkhead/capture"
)

// C1222 is ANSI C12.22: meters and the systems that read them, over TCP and UDP:
// the services inside its EPSEM messages, which read and write the meter's
// tables.
//
// Source: ANSI C12.22-2008 (IEEE Std 1703-2012), 5.3.2 (services), 5.3.3 (EPSEM),
// 5.3.4 (ACSE); ANSI C12.19-2008, 6.1.8 (table 7, procedures); RFC 6142 (over TCP
// and UDP).
var C1222 = &Protocol{
	Name:      capture.C1222,
	Over:      []capture.Transport{capture.TCP, capture.UDP},
	Recognise: recogniseC1222,
	New:       func() Decoder { return c1222Decoder{} },
}

// The elements of a message, by tag. Source: 5.3.4.
const (
	c1222Message  = 0x60
	c1222Context  = 0xa1
	c1222Called   = 0xa2
	c1222CalledID = 0xa4
	c1222Calling  = 0xa6
	c1222Entity   = 0xa7
	c1222ID       = 0xa8
	c1222Auth     = 0xac
	c1222Mech     = 0x8b
	c1222User     = 0xbe
	c1222External = 0x28
	c1222Octets   = 0x81
)

// The services that the decoder treats apart. Answers are below c1222Ident.
const (
	c1222Ident    = 0x20
	c1222Write    = 0x40
	c1222WriteEnd = 0x4f
	c1222Logon    = 0x50
	c1222Security = 0x51
)

// c1222Ops are the services by code. Source: 5.3.2.4.
var c1222Ops = func() (ops [256]Op) {
	for i := range ops {
		ops[i] = Op{capture.C1222, fmt.Sprintf("0x%02x", i), fmt.Sprintf("service 0x%02x", i), capture.Configure}
	}
	set := func(code byte, class capture.Class, name string) { ops[code].Class, ops[code].Name = class, name }
	set(c1222Ident, capture.Discover, "Identification")
	set(0x21, capture.Session, "Terminate")
	set(0x22, capture.Session, "Disconnect")
	set(0x24, capture.Configure, "Deregister")
	set(0x25, capture.Discover, "Resolve")
	set(0x26, capture.Discover, "Trace")
	set(0x27, capture.Configure, "Register")
	set(0x30, capture.Read, "Full Read")
	set(c1222Write, capture.Write, "Full Write")
	for i := byte(1); i <= 9; i++ {
		set(0x30+i, capture.Read, "Partial Read, index")
		set(0x40+i, capture.Write, "Partial Write, index")
	}
	set(0x3e, capture.Read, "Default Read")
	set(0x3f, capture.Read, "Partial Read, offset")
	set(c1222WriteEnd, capture.Write, "Partial Write, offset")
	set(c1222Logon, capture.Session, "Logon")
	set(c1222Security, capture.Session, "Security")
	set(0x52, capture.Session, "Logoff")
	set(0x70, capture.Session, "Wait")
	return ops
}()

// What a write to table 7 makes the meter do, by the standard's number of the
// procedure; a maker's own and all others are configure. Source: C12.19, 6.1.8.
var c1222Procedures = func() (ops [16][3]Op) {
	for i := range ops {
		code := fmt.Sprintf("0x%02x", c1222Write+i)
		name := c1222Ops[c1222Write+i].Name
		ops[i] = [3]Op{
			{capture.C1222, code, name + " of table 7: procedure", capture.Configure},
			{capture.C1222, code, name + " of table 7: start or change of mode", capture.Mode},
			{capture.C1222, code, name + " of table 7: load control", capture.Control},
		}
	}
	return ops
}()

const (
	c1222Other = iota
	c1222Mode
	c1222Control
)

// c1222Procedure sorts a procedure by its number of 11 bits, behind which a bit
// says that it is the maker's.
func c1222Procedure(id uint16) int {
	switch id & 0x0fff {
	case 0, 1, 6, 9: // cold start, warm start, change end device mode, remote reset
		return c1222Mode
	case 21: // direct load control
		return c1222Control
	}
	return c1222Other
}

var c1222Secret = &Op{capture.C1222, "encrypted", "encrypted services", capture.Configure}

// c1222Head is a message without what it holds.
type c1222Head struct {
	called, caller uint32 // invocations: the answered one's, and its own
	answers        bool   // called is there
	user           []byte // the EPSEM message
	tail           []byte // its authentication code
}

// cutC1222 reads the elements of a message's content.
func cutC1222(b []byte) (h c1222Head, ok bool) {
	for len(b) > 0 {
		e, rest, found := cutBER(b)
		if !found {
			return h, false
		}
		switch e.id {
		case c1222CalledID:
			h.called, h.answers = c1222Number(e.content), true
		case c1222ID:
			h.caller = c1222Number(e.content)
		case c1222User:
			external, _, found := cutBER(e.content)
			if !found || external.id != c1222External {
				return h, false
			}
			inner := bytes.TrimPrefix(external.content, []byte{0x02, 0x01, 0x00}) // reference
			octets, tail, found := cutBER(inner)
			if !found || octets.id != c1222Octets {
				return h, false
			}
			h.user, h.tail = octets.content, tail
		case c1222Context, c1222Called, c1222Calling, c1222Entity, c1222Auth, c1222Mech:
		default:
			return h, false
		}
		b = rest
	}
	return h, len(h.user) > 0
}

// c1222Number reads the integer of an invocation, its last four octets.
func c1222Number(b []byte) uint32 {
	e, _, _ := cutBER(b)
	n := uint32(0)
	for _, c := range e.content {
		n = n<<8 | uint32(c)
	}
	return n
}

// recogniseC1222 is sure of a whole message with its user information.
func recogniseC1222(b []byte) Match {
	if len(b) == 0 || b[0] != c1222Message {
		if len(b) > 0 {
			return Match{}
		}
		return Match{Score: More}
	}
	_, size, content, ok := cutBERHead(b)
	switch {
	case !ok && len(b) < 5, ok && len(content) == 0:
		return Match{Score: More}
	case !ok || size == 0:
		return Match{}
	}
	switch content[0] {
	case c1222Context, c1222Called, c1222CalledID, c1222Calling, c1222ID:
	default:
		return Match{}
	}
	if size > len(content) {
		return Match{Score: More}
	}
	h, ok := cutC1222(content[:size])
	if !ok || h.user[0]&0x80 == 0 {
		return Match{}
	}
	m := Match{Score: Sure}
	if code, ok := h.first(); ok && code >= c1222Ident {
		m.Role = Client
	} else if ok {
		m.Role = Server
	}
	return m
}

// The control octet of EPSEM. Source: 5.3.3.
const (
	c1222Security2 = 2 << 2 // encrypted and authenticated
	c1222Modes     = 3 << 2
	c1222Class     = 1 << 4 // the class of device follows
)

// services returns the services of a message, or nil if they are encrypted or
// none follow.
func (h *c1222Head) services() []byte {
	at := 1
	if h.user[0]&c1222Class != 0 {
		at = 5
	}
	if h.user[0]&c1222Modes >= c1222Security2 || len(h.user) <= at {
		return nil
	}
	return h.user[at:]
}

// first returns the code of the first service.
func (h *c1222Head) first() (code byte, ok bool) {
	service, _, ok := cutService(h.services())
	if !ok || len(service) == 0 {
		return 0, false
	}
	return service[0], true
}

// cutService cuts a service off b: its length as ASN.1 has it, its code, data.
func cutService(b []byte) (service, rest []byte, ok bool) {
	if len(b) == 0 {
		return nil, nil, false
	}
	size, b := int(b[0]), b[1:]
	if size >= 0x80 {
		n := size & 0x7f
		if n == 0 || n > 2 || n > len(b) {
			return nil, nil, false
		}
		size = 0
		for _, c := range b[:n] {
			size = size<<8 | int(c)
		}
		b = b[n:]
	}
	if size > len(b) {
		return nil, nil, false
	}
	return b[:size], b[size:], true
}

// c1222Decoder reads messages one by one; nothing is carried from one to the
// next.
type c1222Decoder struct{}

// Decode implements [Decoder].
func (c1222Decoder) Decode(x *Exchange, from capture.Side, b []byte) int {
	used := 0
	for used < len(b) {
		m := b[used:]
		if m[0] != c1222Message {
			x.Undecoded()
			return len(b)
		}
		_, size, content, ok := cutBERHead(m)
		switch {
		case !ok && len(m) < 5:
			return used
		case !ok || size > MaxPDU-8:
			x.Undecoded()
			return len(b)
		case size > len(content):
			return used
		}
		used += len(m) - len(content) + size
		if h, ok := cutC1222(content[:size]); ok {
			h.read(x, from)
		} else {
			x.Undecoded()
		}
	}
	return used
}

// read reads the services of a message; the first of an answer is for the first
// of what it answers, and so on.
func (h *c1222Head) read(x *Exchange, from capture.Side) {
	switch h.user[0] & c1222Modes {
	case 0:
		x.Protect(Clear)
	case 1 << 2:
		x.Protect(Integrity)
	default:
		x.Protect(Encrypted)
		x.Note(c1222Secret, from)
		return
	}
	id := h.caller
	if h.answers {
		id = h.called
	}
	rest := h.services()
	for i := uint64(0); len(rest) > 0; i++ {
		service, more, ok := cutService(rest)
		if !ok {
			x.Undecoded()
			return
		}
		rest = more
		if len(service) == 0 { // the end
			continue
		}
		key := i<<32 | uint64(id)
		if code := service[0]; code < c1222Ident {
			x.Answer(from, key, code == 0)
		} else {
			x.Forget(from, key)
			c1222Ask(x, from, key, code, service[1:])
		}
	}
}

// c1222Ask counts a request: of a read or write with the table, of a log-in with
// what it bears. Source: 5.3.2.4.2 to 5.3.2.4.5.
func c1222Ask(x *Exchange, from capture.Side, key uint64, code byte, data []byte) {
	const procedures = 7
	op, table := &c1222Ops[code], -1
	if op.Class == capture.Read || op.Class == capture.Write {
		if len(data) >= 2 {
			table = int(binary.BigEndian.Uint16(data))
		}
		if op.Class == capture.Write && table == procedures {
			how := c1222Other
			if code == c1222Write && len(data) >= 6 { // table, count, data
				how = c1222Procedure(binary.LittleEndian.Uint16(data[4:]))
			}
			op = &c1222Procedures[code-c1222Write][how]
		}
	}
	use := x.Ask(op, from, key)
	if table >= 0 {
		use.Objects("table", uint32(table), 1)
	}
	switch code {
	case c1222Logon: // a user's number and name
		x.Login(from, key, "c12.22 logon", false, 0)
	case c1222Security:
		const width = 20
		x.Login(from, key, "c12.22 password", true, len(bytes.TrimRight(data[:min(len(data), width)], " \x00")))
	}
}
