package protocol

import (
	"bytes"
	"encoding/binary"
	"strconv"

	"bulkhead/capture"
)

// MQTT is the publish and subscribe protocol, versions 3.1, 3.1.1 and 5, and what
// Sparkplug B says in its topics.
//
// A publish changes no process value by itself: it gives a broker a message, and
// who subscribed to the topic does with it what they please. It is an event. Only
// Sparkplug states what a message is for: its commands are control.
//
// Source: OASIS MQTT Version 5.0, 2 and 3; OASIS MQTT Version 3.1.1, 2 and 3; IBM
// and Eurotech, "MQTT V3.1 Protocol Specification", 2 and 3; Eclipse Sparkplug
// Specification 3.0.0, 4 (topics) and 6 (payloads).
var MQTT = &Protocol{
	Name:      capture.MQTT,
	Over:      []capture.Transport{capture.TCP},
	Recognise: recogniseMQTT,
	New:       func() Decoder { return new(mqttDecoder) },
}

// The control packets, by the upper half of their first octet.
const (
	mqttConnect = 1 + iota
	mqttConnack
	mqttPublish
	mqttPuback
	mqttPubrec
	mqttPubrel
	mqttPubcomp
	mqttSubscribe
	mqttSuback
	mqttUnsubscribe
	mqttUnsuback
	mqttPingreq
	mqttPingresp
	mqttDisconnect
	mqttAuth
)

const (
	mqttVersion5 = 5
	mqttFailed   = 0x80    // reason codes from here on tell of a failure
	mqttLong     = 1 << 15 // from this length on a packet is not waited for
	mqttDup      = 0x08    // flags of a PUBLISH
	mqttQoS      = 0x06

	mqttConnectKey = 1 << 32 // requests without a packet identifier
	mqttPingKey    = 2 << 32
)

// mqttOps are the control packets by type.
var mqttOps = [16]Op{
	mqttConnect:     mqttOp(mqttConnect, capture.Session, "CONNECT"),
	mqttConnack:     mqttOp(mqttConnack, capture.Reply, "CONNACK"),
	mqttPublish:     mqttOp(mqttPublish, capture.Event, "PUBLISH"),
	mqttPuback:      mqttOp(mqttPuback, capture.Reply, "PUBACK"),
	mqttPubrec:      mqttOp(mqttPubrec, capture.Reply, "PUBREC"),
	mqttPubrel:      mqttOp(mqttPubrel, capture.Session, "PUBREL"),
	mqttPubcomp:     mqttOp(mqttPubcomp, capture.Reply, "PUBCOMP"),
	mqttSubscribe:   mqttOp(mqttSubscribe, capture.Read, "SUBSCRIBE"),
	mqttSuback:      mqttOp(mqttSuback, capture.Reply, "SUBACK"),
	mqttUnsubscribe: mqttOp(mqttUnsubscribe, capture.Session, "UNSUBSCRIBE"),
	mqttUnsuback:    mqttOp(mqttUnsuback, capture.Reply, "UNSUBACK"),
	mqttPingreq:     mqttOp(mqttPingreq, capture.Session, "PINGREQ"),
	mqttPingresp:    mqttOp(mqttPingresp, capture.Reply, "PINGRESP"),
	mqttDisconnect:  mqttOp(mqttDisconnect, capture.Session, "DISCONNECT"),
	mqttAuth:        mqttOp(mqttAuth, capture.Session, "AUTH"),
}

// sparkplugOps are the messages of Sparkplug, by the element of the topic that
// says what they are.
var sparkplugOps = [...]struct {
	kind string
	op   Op
}{
	{"NBIRTH", mqttOp(mqttPublish, capture.Event, "PUBLISH Sparkplug NBIRTH (edge node birth)")},
	{"NDEATH", mqttOp(mqttPublish, capture.Event, "PUBLISH Sparkplug NDEATH (edge node death)")},
	{"DBIRTH", mqttOp(mqttPublish, capture.Event, "PUBLISH Sparkplug DBIRTH (device birth)")},
	{"DDEATH", mqttOp(mqttPublish, capture.Event, "PUBLISH Sparkplug DDEATH (device death)")},
	{"NDATA", mqttOp(mqttPublish, capture.Event, "PUBLISH Sparkplug NDATA (edge node data)")},
	{"DDATA", mqttOp(mqttPublish, capture.Event, "PUBLISH Sparkplug DDATA (device data)")},
	{"NCMD", mqttOp(mqttPublish, capture.Control, "PUBLISH Sparkplug NCMD (edge node command)")},
	{"DCMD", mqttOp(mqttPublish, capture.Control, "PUBLISH Sparkplug DCMD (device command)")},
}

// sparkplugState is what a host application says of itself; its topic is
// spBv1.0/STATE/host, before version 3 of the specification STATE/host.
var sparkplugState = mqttOp(mqttPublish, capture.Event, "PUBLISH Sparkplug STATE (host application)")

// sparkplugOther is a message of Sparkplug's that no specification lists.
var sparkplugOther = mqttOp(mqttPublish, capture.Configure, "PUBLISH Sparkplug, unknown message")

func mqttOp(packet int, class capture.Class, name string) Op {
	return Op{Protocol: capture.MQTT, Code: strconv.Itoa(packet), Name: name, Class: class}
}

// cutMQTT returns the size of the fixed header at the front of b and the length
// of what follows it. The header's size is 0 if b ends before it does, and -1 if
// it is none: type 0 is reserved, and so are most flags.
func cutMQTT(b []byte) (header, length int) {
	if len(b) == 0 {
		return 0, 0
	}
	packet, flags := b[0]>>4, b[0]&0xf
	switch packet {
	case 0:
		return -1, 0
	case mqttPublish:
	case mqttPubrel, mqttSubscribe, mqttUnsubscribe:
		if flags&^mqttDup != 2 { // version 3.1 marks what is sent again
			return -1, 0
		}
	default:
		if flags != 0 {
			return -1, 0
		}
	}
	length, n := cutMQTTNumber(b[1:])
	if n <= 0 {
		return n, 0
	}
	return 1 + n, length
}

// cutMQTTNumber reads a number of up to four octets, seven bits in each, the
// lowest first. Its size is 0 if b ends before it does, and -1 if it is longer.
func cutMQTTNumber(b []byte) (v, size int) {
	for i := range 4 {
		if i == len(b) {
			return 0, 0
		}
		v |= int(b[i]&0x7f) << (7 * i)
		if b[i] < 0x80 {
			return v, i + 1
		}
	}
	return 0, -1
}

// cutMQTTText reads a length of two octets and as many octets.
func cutMQTTText(b []byte) (text, rest []byte, ok bool) {
	if len(b) < 2 {
		return nil, nil, false
	}
	end := 2 + int(binary.BigEndian.Uint16(b))
	if end > len(b) {
		return nil, nil, false
	}
	return b[2:end], b[end:], true
}

// recogniseMQTT is sure of a CONNECT, which bears the protocol's name. Any other
// packets are a weak sign if each is as its type wants it and the lengths lead
// from one to the next.
func recogniseMQTT(b []byte) Match {
	m := Match{Score: More}
	for len(b) > 0 {
		header, length := cutMQTT(b)
		switch {
		case header < 0:
			return Match{}
		case header == 0:
			return m
		}
		body := b[header:min(header+length, len(b))]
		whole := len(body) == length
		packet := int(b[0] >> 4)
		fits, role := mqttFits(packet, b[0], body, length)
		switch {
		case !fits:
			return Match{}
		case packet == mqttConnect:
			if _, ok := parseMQTTConnect(body); ok || len(body) > mqttConnectName {
				return Match{Sure, Client}
			}
			return m
		case role != AnyRole:
			m.Role = role
		}
		if !whole && len(body) < 8 && m.Score != Weak {
			return m // its topic, say, has not been seen
		}
		m.Score = Weak
		b = b[header+len(body):]
	}
	return m
}

// mqttConnectName is how many octets of a CONNECT's body tell what it is: the
// longer of the two names with its length, and the level.
const mqttConnectName = 2 + len("MQIsdp")

// mqttFits reports whether a packet's body, of which the front is at hand, can
// have this length and these contents, and who sends such packets.
func mqttFits(packet int, first byte, body []byte, length int) (bool, Role) {
	switch packet {
	case mqttConnect:
		for _, name := range []string{"\x00\x04MQTT", "\x00\x06MQIsdp"} {
			if n := min(len(body), len(name)); string(body[:n]) == name[:n] {
				return length >= len(name)+6, Client
			}
		}
		return false, Client
	case mqttConnack:
		return length >= 2 && (len(body) < 1 || body[0] <= 1), Server
	case mqttPublish:
		qos := first & mqttQoS
		if qos == mqttQoS || len(body) >= 2 && 2+int(binary.BigEndian.Uint16(body)) > length {
			return false, AnyRole
		}
		return length >= 4 && (len(body) < 2 || mqttTopic(body[2:min(len(body), 2+int(binary.BigEndian.Uint16(body)))])), AnyRole
	case mqttPuback, mqttPubrec, mqttPubrel, mqttPubcomp:
		return length == 2 || length >= 3 && length < 128, AnyRole
	case mqttSubscribe, mqttUnsubscribe:
		return length >= 5, Client
	case mqttSuback:
		return length >= 3, Server
	case mqttUnsuback:
		return length >= 2, Server
	case mqttPingreq:
		return length == 0, Client
	case mqttPingresp:
		return length == 0, Server
	case mqttDisconnect, mqttAuth:
		return length < 128, AnyRole
	}
	return false, AnyRole
}

// mqttTopic reports whether a message can have this topic: no wildcards, and no
// characters that nobody prints. Source: MQTT 5.0, 1.5.4 and 4.7.
func mqttTopic(topic []byte) bool {
	for _, c := range topic {
		if c < ' ' || c == 0x7f || c == '+' || c == '#' {
			return false
		}
	}
	return true
}

// mqttConnection is what a CONNECT says.
type mqttConnection struct {
	version  byte // 3, 4 or 5
	client   []byte
	user     bool
	password []byte // nil if there is none
	enhanced bool   // version 5: an authentication method is named
}

// parseMQTTConnect reads the variable header and payload of a CONNECT: name,
// level, flags, keep alive, of version 5 properties; client identifier, the will
// (of version 5 its properties, topic, message), user name, password.
func parseMQTTConnect(b []byte) (c mqttConnection, ok bool) {
	const (
		flagWill     = 0x04
		flagPassword = 0x40
		flagUser     = 0x80
		bridge       = 0x80 // of the level, as the broker Mosquitto sets it
	)
	_, b, ok = cutMQTTText(b)
	if !ok || len(b) < 4 {
		return c, false
	}
	flags := b[1]
	c.version = b[0] &^ bridge
	b = b[4:]
	if c.version == mqttVersion5 {
		var properties []byte
		if properties, b, ok = cutMQTTProperties(b); !ok {
			return c, false
		}
		c.enhanced = mqttAuthMethod(properties)
	}
	if c.client, b, ok = cutMQTTText(b); !ok {
		return c, false
	}
	if flags&flagWill != 0 {
		if c.version == mqttVersion5 {
			if _, b, ok = cutMQTTProperties(b); !ok {
				return c, false
			}
		}
		for range 2 {
			if _, b, ok = cutMQTTText(b); !ok {
				return c, false
			}
		}
	}
	if c.user = flags&flagUser != 0; c.user {
		if _, b, ok = cutMQTTText(b); !ok {
			return c, false
		}
	}
	if flags&flagPassword != 0 {
		if c.password, _, ok = cutMQTTText(b); !ok {
			return c, false
		}
	}
	return c, true
}

// cutMQTTProperties reads the length of the properties and them.
func cutMQTTProperties(b []byte) (properties, rest []byte, ok bool) {
	length, n := cutMQTTNumber(b)
	if n <= 0 || n+length > len(b) {
		return nil, nil, false
	}
	return b[n : n+length], b[n+length:], true
}

// mqttAuthMethod reports whether the properties of a CONNECT name a method of
// authentication. Source: MQTT 5.0, 3.1.2.11.
func mqttAuthMethod(b []byte) bool {
	for len(b) > 0 {
		id, size := b[0], 0
		b = b[1:]
		texts := 0
		switch id {
		case 0x15: // authentication method
			return true
		case 0x17, 0x19: // request problem information, request response information
			size = 1
		case 0x21, 0x22: // receive maximum, topic alias maximum
			size = 2
		case 0x11, 0x27: // session expiry interval, maximum packet size
			size = 4
		case 0x16: // authentication data
			texts = 1
		case 0x26: // user property
			texts = 2
		default:
			return false
		}
		for range texts {
			var ok bool
			if _, b, ok = cutMQTTText(b); !ok {
				return false
			}
		}
		if size > len(b) {
			return false
		}
		b = b[size:]
	}
	return false
}

// mqttDecoder reads the packets of both sides.
type mqttDecoder struct {
	version byte   // of the protocol, 0 if the CONNECT is not in the capture
	skip    [2]int // octets of each side's long packet that are still to come
}

// Decode implements [Decoder].
func (d *mqttDecoder) Decode(x *Exchange, from capture.Side, b []byte) int {
	if x.Gap(from) {
		d.skip[from] = 0
	}
	used := 0
	for {
		if n := min(d.skip[from], len(b)-used); n > 0 {
			d.skip[from] -= n
			used += n
		}
		header, length := cutMQTT(b[used:])
		switch {
		case header < 0:
			x.Undecoded()
			return len(b)
		case header == 0:
			return used
		}
		first, body := b[used], b[used+header:]
		switch {
		case length >= mqttLong:
			head, wait := mqttLongHead(first, body)
			if wait {
				return used
			}
			d.packet(x, from, first, head)
			used += header + len(head)
			d.skip[from] = length - len(head)
		case len(body) < length:
			return used
		default:
			d.packet(x, from, first, body[:length])
			used += header + length
		}
	}
}

// mqttLongHead returns the front of a long packet's body, as much as tells what it
// is, or that there is more to wait for. Only a PUBLISH has reason to be long.
func mqttLongHead(first byte, body []byte) (head []byte, wait bool) {
	if first>>4 != mqttPublish {
		return nil, false
	}
	if len(body) < 2 {
		return nil, true
	}
	end := 2 + int(binary.BigEndian.Uint16(body)) + 2 // topic and packet identifier
	if end > mqttLong {
		return nil, false
	}
	if end > len(body) {
		return nil, true
	}
	return body[:end], false
}

// packet reads one control packet; of a long one body is the front.
func (d *mqttDecoder) packet(x *Exchange, from capture.Side, first byte, body []byte) {
	packet := int(first >> 4)
	op := &mqttOps[packet]
	switch packet {
	case mqttConnect:
		d.connect(x, from, body)
		return
	case mqttConnack:
		if len(body) < 2 {
			x.Undecoded()
			return
		}
		x.Note(op, from)
		x.Answer(from, mqttConnectKey, body[1] == 0)
		return
	case mqttPublish:
		mqttMessage(x, from, first, body)
		return
	case mqttPingreq:
		x.Ask(op, from, mqttPingKey)
		return
	case mqttPingresp:
		x.Note(op, from)
		x.Answer(from, mqttPingKey, true)
		return
	case mqttDisconnect, mqttAuth:
		x.Note(op, from)
		return
	}
	if len(body) < 2 {
		x.Undecoded()
		return
	}
	id := binary.BigEndian.Uint16(body)
	reason := byte(0)
	if len(body) > 2 {
		reason = body[2]
	}
	switch packet {
	case mqttPuback, mqttPubrec:
		x.Note(op, from)
		x.Answer(from, mqttKey(mqttPublish, id), reason < mqttFailed)
	case mqttPubcomp:
		x.Note(op, from)
		x.Answer(from, mqttKey(mqttPubrel, id), reason < mqttFailed)
	case mqttPubrel, mqttSubscribe, mqttUnsubscribe:
		key := mqttKey(packet, id)
		if first&mqttDup == 0 {
			x.Forget(from, key)
		}
		x.Ask(op, from, key)
	case mqttSuback:
		x.Note(op, from)
		x.Answer(from, mqttKey(mqttSubscribe, id), d.anyGranted(body[2:]))
	case mqttUnsuback:
		x.Note(op, from)
		x.Answer(from, mqttKey(mqttUnsubscribe, id), d.anyGranted(body[2:]))
	}
}

// mqttKey tells the requests of a side apart: packet identifiers are shared by
// the three kinds of packet that choose one.
func mqttKey(packet int, id uint16) uint64 { return uint64(packet)<<16 | uint64(id) }

// anyGranted reports whether one of the reason codes of a SUBACK or UNSUBACK is a
// success. The properties of version 5 stand before them; where the version is
// not known, only the last octet is a code for certain.
func (d *mqttDecoder) anyGranted(codes []byte) bool {
	ok := true
	switch {
	case d.version == mqttVersion5:
		_, codes, ok = cutMQTTProperties(codes)
	case d.version == 0 && len(codes) > 0:
		codes = codes[len(codes)-1:]
	}
	for _, c := range codes {
		if c < mqttFailed {
			return true
		}
	}
	return ok && len(codes) == 0 // an UNSUBACK had none before version 5
}

// connect reads a CONNECT. The password is of no interest but for its length.
func (d *mqttDecoder) connect(x *Exchange, from capture.Side, body []byte) {
	c, ok := parseMQTTConnect(body)
	if !ok {
		x.Undecoded()
		return
	}
	d.version = c.version
	x.Forget(from, mqttConnectKey)
	x.Ask(&mqttOps[mqttConnect], from, mqttConnectKey)
	switch {
	case c.enhanced:
		x.Login(from, mqttConnectKey, "mqtt enhanced authentication", false, 0)
	case c.password != nil:
		x.Login(from, mqttConnectKey, "mqtt password", true, len(c.password))
	case c.user:
		x.Login(from, mqttConnectKey, "mqtt user name", false, 0)
	default:
		x.Login(from, mqttConnectKey, "mqtt anonymous", false, 0)
	}
	if len(c.client) > 0 {
		x.Name(from, string(c.client), string(capture.MQTT))
	}
}

// mqttMessage reads a PUBLISH: topic, packet identifier if an acknowledgement is
// wanted, of version 5 properties, and the message, which is not read.
func mqttMessage(x *Exchange, from capture.Side, first byte, body []byte) {
	topic, rest, ok := cutMQTTText(body)
	if !ok {
		x.Undecoded()
		return
	}
	op := mqttTopicOp(topic)
	qos := first & mqttQoS
	switch {
	case qos == 0 || qos == mqttQoS: // 3 is no quality of service
		x.Note(op, from)
		return
	case len(rest) < 2:
		x.Undecoded()
		return
	}
	key := mqttKey(mqttPublish, binary.BigEndian.Uint16(rest))
	if first&mqttDup == 0 {
		x.Forget(from, key)
	}
	x.Ask(op, from, key)
}

// mqttTopicOp returns the operation that a topic stands for. A topic of
// Sparkplug's is namespace, group, message, edge node and, of a device, its name.
func mqttTopicOp(topic []byte) *Op {
	if bytes.HasPrefix(topic, []byte("STATE/")) {
		return &sparkplugState
	}
	rest, ok := bytes.CutPrefix(topic, []byte("spBv1.0/"))
	if !ok {
		return &mqttOps[mqttPublish]
	}
	group, rest, _ := bytes.Cut(rest, []byte("/"))
	kind, _, _ := bytes.Cut(rest, []byte("/"))
	if string(group) == "STATE" {
		return &sparkplugState
	}
	for i := range sparkplugOps {
		if string(kind) == sparkplugOps[i].kind {
			return &sparkplugOps[i].op
		}
	}
	return &sparkplugOther
}
