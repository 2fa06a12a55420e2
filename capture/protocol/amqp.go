package protocol

import (
	"bytes"
	"encoding/binary"
	"fmt"

	"bulkhead/capture"
)

// AMQP is the Advanced Message Queuing Protocol, in the two forms that share a
// name and a port: 0-9-1 (and 0-8 and 0-9, whose frames are the same), and 1.0.
//
// A message is an event: it changes no value by itself, and who takes it from a
// queue does with it what they please. What makes and unmakes queues and
// exchanges configures the broker.
//
// Source: AMQP 0-9-1 Specification, 4.2 (framing); amqp0-9-1.xml (classes and
// methods), and RabbitMQ's extensions of it (confirm, exchange.bind, basic.nack,
// connection.blocked, update-secret); OASIS AMQP 1.0, Part 2, 2.2, 2.3 and 2.7
// (transport), Part 5, 5.3 (SASL); RFC 4616 (PLAIN).
var AMQP = &Protocol{
	Name:      capture.AMQP,
	Over:      []capture.Transport{capture.TCP},
	Recognise: recogniseAMQP,
	New:       func() Decoder { return new(amqpDecoder) },
}

const (
	amqpHeader = 8 // both the protocol header and the header of a frame of 1.0
	amqpFrame0 = 7 // the header of a frame of 0-9-1: type, channel, size; behind the payload stands amqpEnd
	amqpEnd    = 0xce
	amqpLong   = 1 << 15 // from this size on a frame is not waited for
	amqpHead   = 512     // octets that a long frame of 1.0 is judged by

	// The types of frame of 0-9-1.
	amqpMethod    = 1
	amqpContent   = 2
	amqpBody      = 3
	amqpHeartbeat = 8

	amqpLoginKey = 1 << 63
)

// The methods that the decoder treats apart: class and method.
const (
	amqpStart        = 10<<16 | 10
	amqpStartOK      = 10<<16 | 11
	amqpTune         = 10<<16 | 30
	amqpClose        = 10<<16 | 50
	amqpChannelClose = 20<<16 | 40
)

// amqpMethodKind is a method of 0-9-1.
type amqpMethodKind struct {
	op      Op
	answers uint32 // the method that it is the answer to
	asks    bool   // an answer is wanted

	// Where the bit is that says that no answer is wanted: behind so many octets
	// and short strings. No bit if it is 0.
	octets, texts int
	bit           byte
}

var amqpMethods = func() map[uint32]*amqpMethodKind {
	t := make(map[uint32]*amqpMethodKind)
	add := func(class, method int, c capture.Class, name string) *amqpMethodKind {
		k := &amqpMethodKind{op: Op{capture.AMQP, fmt.Sprintf("%d.%d", class, method), name, c}}
		t[uint32(class)<<16|uint32(method)] = k
		return k
	}
	// ask adds a method and the answer to it.
	ask := func(class, method, answer int, c capture.Class, name string) *amqpMethodKind {
		add(class, answer, capture.Reply, name+"-ok").answers = uint32(class)<<16 | uint32(method)
		k := add(class, method, c, name)
		k.asks = true
		return k
	}
	quiet := func(k *amqpMethodKind, octets, texts int, bit byte) { k.octets, k.texts, k.bit = octets, texts, bit }

	ask(10, 10, 11, capture.Session, "connection.start")
	ask(10, 20, 21, capture.Session, "connection.secure")
	ask(10, 30, 31, capture.Session, "connection.tune")
	ask(10, 40, 41, capture.Session, "connection.open")
	ask(10, 50, 51, capture.Session, "connection.close")
	add(10, 60, capture.Event, "connection.blocked")
	add(10, 61, capture.Event, "connection.unblocked")
	ask(10, 70, 71, capture.Session, "connection.update-secret")
	ask(20, 10, 11, capture.Session, "channel.open")
	ask(20, 20, 21, capture.Session, "channel.flow")
	ask(20, 40, 41, capture.Session, "channel.close")
	ask(30, 10, 11, capture.Session, "access.request")
	quiet(ask(40, 10, 11, capture.Configure, "exchange.declare"), 2, 2, 1<<4)
	quiet(ask(40, 20, 21, capture.Configure, "exchange.delete"), 2, 1, 1<<1)
	quiet(ask(40, 30, 31, capture.Configure, "exchange.bind"), 2, 3, 1)
	quiet(ask(40, 40, 51, capture.Configure, "exchange.unbind"), 2, 3, 1)
	quiet(ask(50, 10, 11, capture.Configure, "queue.declare"), 2, 1, 1<<4)
	quiet(ask(50, 20, 21, capture.Configure, "queue.bind"), 2, 3, 1)
	quiet(ask(50, 30, 31, capture.Configure, "queue.purge"), 2, 1, 1)
	quiet(ask(50, 40, 41, capture.Configure, "queue.delete"), 2, 1, 1<<2)
	ask(50, 50, 51, capture.Configure, "queue.unbind")
	ask(60, 10, 11, capture.Session, "basic.qos")
	quiet(ask(60, 20, 21, capture.Read, "basic.consume"), 2, 2, 1<<3)
	quiet(ask(60, 30, 31, capture.Session, "basic.cancel"), 0, 1, 1)
	add(60, 40, capture.Event, "basic.publish")
	add(60, 50, capture.Event, "basic.return")
	add(60, 60, capture.Event, "basic.deliver")
	ask(60, 70, 71, capture.Read, "basic.get")
	add(60, 72, capture.Reply, "basic.get-empty").answers = 60<<16 | 70
	add(60, 80, capture.Session, "basic.ack")
	add(60, 90, capture.Session, "basic.reject")
	add(60, 100, capture.Session, "basic.recover-async")
	ask(60, 110, 111, capture.Session, "basic.recover")
	add(60, 120, capture.Session, "basic.nack")
	quiet(ask(85, 10, 11, capture.Session, "confirm.select"), 0, 0, 1)
	ask(90, 10, 11, capture.Session, "tx.select")
	ask(90, 20, 21, capture.Session, "tx.commit")
	ask(90, 30, 31, capture.Session, "tx.rollback")
	return t
}()

// The performatives of 1.0, by the code of their descriptor.
const (
	amqpOpen      = 0x10
	amqpTransfer  = 0x14
	amqpLast      = 0x18
	saslFirst     = 0x40
	saslInit      = 0x41
	saslChallenge = 0x42
	saslOutcome   = 0x44
)

var amqpPerformatives = func() (t [saslOutcome + 1]Op) {
	for code, o := range map[int]struct {
		class capture.Class
		name  string
	}{
		amqpOpen:      {capture.Session, "open"},
		0x11:          {capture.Session, "begin"},
		0x12:          {capture.Session, "attach"},
		0x13:          {capture.Session, "flow"},
		amqpTransfer:  {capture.Event, "transfer"},
		0x15:          {capture.Session, "disposition"},
		0x16:          {capture.Session, "detach"},
		0x17:          {capture.Session, "end"},
		amqpLast:      {capture.Session, "close"},
		saslFirst:     {capture.Session, "sasl-mechanisms"},
		saslInit:      {capture.Session, "sasl-init"},
		saslChallenge: {capture.Session, "sasl-challenge"},
		0x43:          {capture.Reply, "sasl-response"},
		saslOutcome:   {capture.Reply, "sasl-outcome"},
	} {
		t[code] = Op{capture.AMQP, fmt.Sprintf("0x%02x", code), o.name, o.class}
	}
	return t
}()

var (
	amqpHello = Op{capture.AMQP, "header", "protocol header", capture.Session}
	amqpBeat  = Op{capture.AMQP, "heartbeat", "heartbeat", capture.Session}
	amqpOther = Op{capture.AMQP, "0.0", "method of no specification", capture.Configure}
)

// amqpVersion is what a protocol header says: of 1.0 also what follows.
type amqpVersion uint8

const (
	amqpNoVersion amqpVersion = iota
	amqp09                    // 0-8, 0-9, 0-9-1
	amqp10
	amqp10TLS
	amqp10SASL
)

// parseAMQPHeader reads a protocol header: name, and four octets that mean
// something else in almost every version.
func parseAMQPHeader(b []byte) amqpVersion {
	switch string(b[:amqpHeader]) {
	case "AMQP\x00\x00\x09\x01", "AMQP\x01\x01\x00\x09", "AMQP\x01\x01\x00\x0a", "AMQP\x01\x01\x08\x00", "AMQP\x01\x01\x09\x01":
		return amqp09
	case "AMQP\x00\x01\x00\x00":
		return amqp10
	case "AMQP\x02\x01\x00\x00":
		return amqp10TLS
	case "AMQP\x03\x01\x00\x00":
		return amqp10SASL
	}
	return amqpNoVersion
}

// recogniseAMQP is sure of a protocol header, and of the method that a server
// begins with. Other frames are a weak sign.
func recogniseAMQP(b []byte) Match {
	const (
		name  = "AMQP"
		start = "\x00\x0a\x00\x0a\x00" // connection.start, major version 0
	)
	if n := min(len(b), len(name)); string(b[:n]) == name[:n] {
		if len(b) < amqpHeader {
			return Match{Score: More}
		}
		switch parseAMQPHeader(b) {
		case amqpNoVersion:
			return Match{}
		case amqp09:
			return Match{Sure, Client} // a server sends one only to refuse
		}
		return Match{Score: Sure} // of 1.0 both sides send one
	}
	if b[0] == 0 {
		return matchAMQP10(b)
	}
	f, size := cutAMQPFrame0(b)
	switch {
	case size < 0:
		return Match{}
	case len(b) < amqpFrame0+len(start):
		return Match{Score: More}
	}
	rest := b[amqpFrame0:]
	if b[0] == amqpMethod && b[1] == 0 && b[2] == 0 && string(rest[:len(start)]) == start {
		return Match{Sure, Server}
	}
	switch {
	case b[0] == amqpMethod && amqpMethods[binary.BigEndian.Uint32(rest)] == nil:
		return Match{}
	case size == 0:
		return Match{Score: More}
	case f == nil:
		return Match{} // it does not end as it should
	}
	return Match{Score: Weak}
}

func matchAMQP10(b []byte) Match {
	if len(b) < amqpHeader {
		return Match{Score: More}
	}
	size, body, ok := cutAMQPFrame1(b)
	if !ok || size > len(b) || len(body) == 0 {
		return Match{}
	}
	if code, _, ok := cutAMQPPerformative(body); !ok || int(code) >= len(amqpPerformatives) || amqpPerformatives[code].Name == "" {
		return Match{}
	}
	return Match{Score: Weak}
}

// cutAMQPFrame0 returns the payload of the frame of 0-9-1 at the front of b, and
// the frame's size. The size is 0 if b ends before the frame does, and -1 if it
// is none; the payload is nil if the last octet is not as it should be.
func cutAMQPFrame0(b []byte) (payload []byte, size int) {
	switch b[0] {
	case amqpMethod, amqpContent, amqpBody, amqpHeartbeat:
	default:
		return nil, -1
	}
	if len(b) < amqpFrame0 {
		return nil, 0
	}
	length := binary.BigEndian.Uint32(b[3:])
	control := b[1] == 0 && b[2] == 0 // the channel of the connection itself, which has no content
	if length >= 1<<24 || b[0] == amqpMethod && length < 4 || b[0] == amqpHeartbeat && length != 0 || control && (b[0] == amqpContent || b[0] == amqpBody) {
		return nil, -1
	}
	size = amqpFrame0 + int(length) + 1
	switch {
	case size > len(b):
		return nil, 0
	case b[size-1] != amqpEnd:
		return nil, size
	}
	return b[amqpFrame0 : size-1 : size-1], size
}

// cutAMQPFrame1 reads the header of the frame of 1.0 at the front of b: size,
// where the body begins in words of four octets, type, channel. The body may be
// cut; ok is false if it is no frame.
func cutAMQPFrame1(b []byte) (size int, body []byte, ok bool) {
	n := binary.BigEndian.Uint32(b)
	at := 4 * uint32(b[4])
	if n >= 1<<24 || at < amqpHeader || at > n || b[5] > 1 {
		return 0, nil, false
	}
	end := min(int(n), len(b))
	return int(n), b[min(int(at), end):end], true
}

// cutAMQPPerformative reads a described list: the code of its descriptor and the
// fields.
func cutAMQPPerformative(b []byte) (code uint64, fields []byte, ok bool) {
	switch {
	case len(b) >= 4 && b[0] == 0 && b[1] == 0x53: // a small number
		code, b = uint64(b[2]), b[3:]
	case len(b) >= 11 && b[0] == 0 && b[1] == 0x80:
		code, b = binary.BigEndian.Uint64(b[2:]), b[10:]
	default:
		return 0, nil, false
	}
	switch {
	case b[0] == 0x45: // the empty list
		return code, nil, true
	case b[0] == 0xc0 && len(b) >= 3: // sizes of one octet
		return code, b[3:], true
	case b[0] == 0xd0 && len(b) >= 9: // of four
		return code, b[9:], true
	}
	return 0, nil, false
}

// cutAMQPValue reads a binary, string or symbol of 1.0, or a null.
func cutAMQPValue(b []byte) (value, rest []byte, ok bool) {
	switch {
	case len(b) == 0:
		return nil, nil, false
	case b[0] == 0x40:
		return nil, b[1:], true
	case len(b) >= 2 && (b[0] == 0xa0 || b[0] == 0xa1 || b[0] == 0xa3):
		if end := 2 + int(b[1]); end <= len(b) {
			return b[2:end], b[end:], true
		}
	case len(b) >= 5 && (b[0] == 0xb0 || b[0] == 0xb1 || b[0] == 0xb3):
		if size := binary.BigEndian.Uint32(b[1:]); uint64(size) <= uint64(len(b)-5) {
			return b[5 : 5+size], b[5+size:], true
		}
	}
	return nil, nil, false
}

// amqpDecoder reads the frames of both sides.
type amqpDecoder struct {
	skip [2]int // octets of each side's long frame that are still to come
	tls  bool   // what follows is encrypted
}

// Decode implements [Decoder].
func (d *amqpDecoder) Decode(x *Exchange, from capture.Side, b []byte) int {
	if x.Gap(from) {
		d.skip[from] = 0
	}
	used := 0
	for {
		n := min(d.skip[from], len(b)-used)
		d.skip[from] -= n
		used += n
		rest := b[used:]
		if d.tls {
			return len(b)
		}
		if len(rest) < amqpHeader {
			return used
		}
		size := 0
		switch rest[0] {
		case 'A':
			size = d.header(x, from, rest)
		case 0:
			size = d.frame1(x, from, rest)
		default:
			size = d.frame0(x, from, rest)
		}
		switch {
		case size < 0:
			x.Undecoded()
			return len(b)
		case size == 0:
			return used
		}
		d.skip[from] = max(0, size-len(rest))
		used += min(size, len(rest))
	}
}

// header reads a protocol header and returns its size, or -1 if it is none.
func (d *amqpDecoder) header(x *Exchange, from capture.Side, b []byte) int {
	version := parseAMQPHeader(b)
	if version == amqpNoVersion {
		return -1
	}
	x.Note(&amqpHello, from)
	if version == amqp10TLS && from == capture.FromServer {
		d.tls = true
		x.Protect(Encrypted)
	}
	return amqpHeader
}

// frame0 reads a frame of 0-9-1 and returns its size, which may be more than
// there is, 0 if more of it is wanted, or -1 if it is none.
func (d *amqpDecoder) frame0(x *Exchange, from capture.Side, b []byte) int {
	payload, size := cutAMQPFrame0(b)
	switch {
	case size < 0:
		return -1
	case b[0] == amqpBody || b[0] == amqpContent:
		// Properties and message are not read, so that they need not be whole.
		return amqpFrame0 + int(binary.BigEndian.Uint32(b[3:])) + 1
	case size == 0 && binary.BigEndian.Uint32(b[3:]) >= amqpLong:
		x.Undecoded() // a method of that length
		return amqpFrame0 + int(binary.BigEndian.Uint32(b[3:])) + 1
	case size == 0:
		return 0
	case payload == nil:
		return -1
	case b[0] == amqpHeartbeat:
		x.Note(&amqpBeat, from)
	default:
		amqpMethodFrame(x, from, binary.BigEndian.Uint16(b[1:]), payload)
	}
	return size
}

// amqpKey tells what a side asked for apart: one request of a kind is open in a
// channel at a time.
func amqpKey(channel uint16, method uint32) uint64 { return uint64(channel)<<32 | uint64(method) }

// amqpMethodFrame reads a method: class, method, arguments.
func amqpMethodFrame(x *Exchange, from capture.Side, channel uint16, payload []byte) {
	method, args := binary.BigEndian.Uint32(payload), payload[4:]
	k := amqpMethods[method]
	if k == nil {
		x.Note(&amqpOther, from)
		return
	}
	switch {
	case k.asks && !k.quiet(args):
		x.Ask(&k.op, from, amqpKey(channel, method))
	default:
		x.Note(&k.op, from)
	}
	if k.answers != 0 {
		x.Answer(from, amqpKey(channel, k.answers), true)
	}
	switch method {
	case amqpStart:
		amqpServer(x, from, args)
	case amqpStartOK:
		amqpLogin(x, from, args)
	case amqpTune:
		x.Answer(from, amqpLoginKey, true)
	case amqpClose, amqpChannelClose:
		x.Answer(from, amqpLoginKey, false)
		// Reply code, reply text, and the method that failed.
		if len(args) > 3 && len(args) >= 3+int(args[2])+4 {
			x.Answer(from, amqpKey(channel, binary.BigEndian.Uint32(args[3+int(args[2]):])), false)
		}
	}
}

// quiet reports whether the arguments say that no answer is wanted.
func (k *amqpMethodKind) quiet(args []byte) bool {
	at := k.octets
	for range k.texts {
		if at >= len(args) {
			return false
		}
		at += 1 + int(args[at])
	}
	return k.bit != 0 && at < len(args) && args[at]&k.bit != 0
}

// amqpServer reads what a broker says it is, in connection.start: version, and a
// table of properties.
func amqpServer(x *Exchange, from capture.Side, args []byte) {
	if len(args) < 2 {
		return
	}
	id := capture.Identity{Source: string(capture.AMQP)}
	amqpTable(args[2:], func(name, value []byte) {
		switch string(name) {
		case "product":
			id.Model = string(value)
		case "version":
			id.Firmware = string(value)
		}
	})
	if id.Model != "" {
		x.Identity(from, id)
	}
}

// amqpTable hands the long strings of a table to f, and returns what follows the
// table, or nil if it cannot be read: a length, and for each field a name, a type
// and a value.
func amqpTable(b []byte, f func(name, value []byte)) []byte {
	if len(b) < 4 || uint64(binary.BigEndian.Uint32(b)) > uint64(len(b)-4) {
		return nil
	}
	end := 4 + int(binary.BigEndian.Uint32(b))
	rest := b[end:]
	amqpFields(b[4:end], f)
	return rest
}

func amqpFields(b []byte, f func(name, value []byte)) {
	for len(b) > 1 && len(b) >= 2+int(b[0]) {
		name, kind := b[1:1+int(b[0])], b[1+int(b[0])]
		b = b[2+int(b[0]):]
		size := 0
		switch kind {
		case 't', 'b', 'B':
			size = 1
		case 's', 'u', 'U':
			size = 2
		case 'I', 'i', 'f':
			size = 4
		case 'D':
			size = 5
		case 'l', 'L', 'd', 'T':
			size = 8
		case 'V':
		case 'S', 'F', 'A', 'x':
			if len(b) < 4 || uint64(binary.BigEndian.Uint32(b)) > uint64(len(b)-4) {
				return
			}
			size = 4 + int(binary.BigEndian.Uint32(b))
			if kind == 'S' {
				f(name, b[4:size])
			}
		default:
			return
		}
		if size > len(b) {
			return
		}
		b = b[size:]
	}
}

// amqpLogin reads connection.start-ok: the client's properties, mechanism and
// response.
func amqpLogin(x *Exchange, from capture.Side, args []byte) {
	args = amqpTable(args, func(_, _ []byte) {})
	if len(args) < 1 || len(args) < 1+int(args[0])+4 {
		return
	}
	mechanism, args := args[1:1+int(args[0])], args[1+int(args[0]):]
	size := binary.BigEndian.Uint32(args)
	if uint64(size) > uint64(len(args)-4) {
		return
	}
	amqpSASL(x, from, amqpLoginKey, mechanism, args[4:4+size])
}

// amqpSASL counts a log-in by its mechanism. Of the secret nothing is kept but
// its length, where it crosses the wire as it is.
func amqpSASL(x *Exchange, from capture.Side, key uint64, mechanism, response []byte) {
	for _, m := range [...]struct {
		name, kind string
	}{
		{"EXTERNAL", "amqp external"},
		{"ANONYMOUS", "amqp anonymous"},
		{"CRAM-MD5", "amqp cram-md5"},
		{"SCRAM-SHA-1", "amqp scram-sha-1"},
		{"SCRAM-SHA-256", "amqp scram-sha-256"},
		{"GSSAPI", "amqp gssapi"},
		{"XOAUTH2", "amqp xoauth2"},
	} {
		if string(mechanism) == m.name {
			bearer := m.name == "XOAUTH2" // the token is as good as a password
			length := 0
			if bearer {
				length = len(response)
			}
			x.Login(from, key, m.kind, bearer, length)
			return
		}
	}
	switch string(mechanism) {
	case "PLAIN": // whom to act as, who logs in and the password, with 0 between them
		length := 0
		if i := bytes.LastIndexByte(response, 0); i >= 0 {
			length = len(response) - i - 1
		}
		x.Login(from, key, "amqp plain", true, length)
	case "AMQPLAIN":
		length := 0
		amqpFields(response, func(name, value []byte) {
			if string(name) == "PASSWORD" {
				length = len(value)
			}
		})
		x.Login(from, key, "amqp amqplain", true, length)
	default:
		x.Login(from, key, "amqp other mechanism", false, 0)
	}
}

// frame1 reads a frame of 1.0 and returns its size as frame0 does.
func (d *amqpDecoder) frame1(x *Exchange, from capture.Side, b []byte) int {
	size, body, ok := cutAMQPFrame1(b)
	if ok && size >= amqpLong && len(b) >= amqpHead {
		size, body, ok = cutAMQPFrame1(b[:amqpHead]) // however much of it is there
	} else if ok && size > len(b) {
		return 0
	}
	switch {
	case !ok:
		return -1
	case size == 4*int(b[4]):
		x.Note(&amqpBeat, from)
		return size
	}
	code, fields, ok := cutAMQPPerformative(body)
	if !ok || code >= uint64(len(amqpPerformatives)) || amqpPerformatives[code].Name == "" {
		x.Undecoded()
		return size
	}
	op := &amqpPerformatives[code]
	switch code {
	case saslInit:
		x.Ask(op, from, amqpLoginKey)
		if mechanism, rest, ok := cutAMQPValue(fields); ok {
			response, _, _ := cutAMQPValue(rest)
			amqpSASL(x, from, amqpLoginKey, mechanism, response)
		}
		return size
	case saslOutcome: // its first field is an octet
		x.Answer(from, amqpLoginKey, len(fields) >= 2 && fields[0] == 0x50 && fields[1] == 0)
	case amqpOpen:
		if container, _, ok := cutAMQPValue(fields); ok {
			x.Name(from, string(container), string(capture.AMQP))
		}
	}
	x.Note(op, from)
	return size
}
