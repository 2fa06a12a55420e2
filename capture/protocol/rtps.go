package protocol

import (
	"bytes"
	"encoding/binary"
	"fmt"

	"bulkhead/capture"
)

// RTPS is the Real-Time Publish-Subscribe protocol that DDS and ROS 2 speak over
// UDP. Every submessage is counted; none is answered by one.
//
// A sample that a publisher writes is an event, as it is with MQTT: it goes to
// whoever subscribed.
//
// Source: OMG DDSI-RTPS 2.5 (formal/2022-04-01), 9.4 (messages), 9.3.1.2 (entity
// identifiers), 9.6.3 (parameters), 8.3.3.1.3 (vendors); OMG DDS Security 1.1,
// 7.3.6 (submessages) and 9.5.2.1 (transformation kinds); the vendors are those of
// the DDS Foundation's list.
var RTPS = &Protocol{
	Name:      capture.RTPS,
	Over:      []capture.Transport{capture.UDP},
	Recognise: recogniseRTPS,
	New:       func() Decoder { return new(rtpsDecoder) },
}

const (
	rtpsHeader = 20 // name, version, vendor, prefix of the participant's identifier
	rtpsSub    = 4  // kind, flags, length

	rtpsPad       = 0x01
	rtpsTimestamp = 0x09
	rtpsData      = 0x15
	rtpsDataFrag  = 0x16
	rtpsSecBody   = 0x30
	rtpsSecPrefix = 0x31
	rtpsSealed    = 0x33 // SRTPS_PREFIX: all that follows is protected

	rtpsLittle    = 0x01 // flags: the order of octets
	rtpsInlineQoS = 0x02

	// The writers of what is known to every participant, by entity identifier.
	rtpsParticipants = 0x000100c2
	rtpsSecureSPDP   = 0xff0101c2
)

// rtpsOps are the submessages by kind. From 0x80 on they are the vendors' own.
var rtpsOps = func() (t [256]Op) {
	for i := range t {
		t[i] = rtpsOp(i, capture.Configure, fmt.Sprintf("submessage 0x%02x", i))
	}
	for kind, name := range map[int]string{
		0x00: "RTPS_HE", rtpsPad: "PAD", 0x06: "ACKNACK", 0x07: "HEARTBEAT", 0x08: "GAP", rtpsTimestamp: "INFO_TS", 0x0c: "INFO_SRC", 0x0d: "INFO_REPLY_IP4",
		0x0e: "INFO_DST", 0x0f: "INFO_REPLY", 0x12: "NACK_FRAG", 0x13: "HEARTBEAT_FRAG",
		rtpsSecPrefix: "SEC_PREFIX", 0x32: "SEC_POSTFIX", rtpsSealed: "SRTPS_PREFIX", 0x34: "SRTPS_POSTFIX",
	} {
		t[kind] = rtpsOp(kind, capture.Session, name)
	}
	t[rtpsData] = rtpsOp(rtpsData, capture.Event, "DATA")
	t[rtpsDataFrag] = rtpsOp(rtpsDataFrag, capture.Event, "DATA_FRAG")
	t[rtpsSecBody] = rtpsOp(rtpsSecBody, capture.Event, "SEC_BODY")
	return t
}()

// What the built-in writers send is no sample of an application's.
var (
	rtpsDiscovery = [...]Op{
		rtpsOp(rtpsData, capture.Discover, "DATA, discovery"), rtpsOp(rtpsDataFrag, capture.Discover, "DATA_FRAG, discovery"),
	}
	rtpsLiveliness = [...]Op{
		rtpsOp(rtpsData, capture.Session, "DATA, participant message"), rtpsOp(rtpsDataFrag, capture.Session, "DATA_FRAG, participant message"),
	}
)

func rtpsOp(kind int, class capture.Class, name string) Op {
	return Op{Protocol: capture.RTPS, Code: fmt.Sprintf("0x%02x", kind), Name: name, Class: class}
}

var rtpsVendors = map[uint16]string{
	0x0101: "RTI Connext DDS", 0x0102: "ADLINK OpenSplice DDS", 0x0103: "OCI OpenDDS", 0x0104: "MilSoft Mil-DDS", 0x0105: "Kongsberg InterCOM DDS",
	0x0106: "Twin Oaks CoreDX DDS", 0x0107: "Lakota Technical Solutions", 0x0108: "ICOUP Consulting", 0x0109: "ETRI Diamond DDS", 0x010a: "RTI Connext DDS Micro",
	0x010b: "ADLINK Vortex Cafe", 0x010c: "PrismTech", 0x010d: "ADLINK Vortex Lite", 0x010e: "Technicolor Qeo", 0x010f: "eProsima Fast DDS",
	0x0110: "Eclipse Cyclone DDS", 0x0111: "GurumNetworks GurumDDS", 0x0112: "Atostek RustDDS",
}

// recogniseRTPS is sure of the name, a version there is, and submessages that lead
// from one to the next.
func recogniseRTPS(b []byte) Match {
	if !isRTPS(b) {
		return Match{}
	}
	for rest := b[rtpsHeader:]; len(rest) > 0; {
		_, _, _, next, ok := cutRTPS(rest)
		if !ok {
			if bytes.Equal(rest, rtpsPing) {
				break
			}
			return Match{Score: Weak}
		}
		rest = next
	}
	return Match{Score: Sure}
}

// rtpsPing is what RTI's participants send in the place of submessages.
var rtpsPing = []byte("NDDSPING")

func isRTPS(b []byte) bool {
	return len(b) >= rtpsHeader && (string(b[:4]) == "RTPS" || string(b[:4]) == "RTPX") && (b[4] == 1 || b[4] == 2)
}

// cutRTPS reads the submessage at the front of b. A length of 0 says that it
// reaches to the end, but of a kind that may be empty.
func cutRTPS(b []byte) (kind byte, order binary.ByteOrder, body, rest []byte, ok bool) {
	if len(b) < rtpsSub {
		return 0, nil, nil, nil, false
	}
	kind, order = b[0], binary.BigEndian
	if b[1]&rtpsLittle != 0 {
		order = binary.LittleEndian
	}
	end := rtpsSub + int(order.Uint16(b[2:]))
	if end == rtpsSub && kind != rtpsPad && kind != rtpsTimestamp {
		end = len(b)
	}
	if end > len(b) {
		return 0, nil, nil, nil, false
	}
	return kind, order, b[rtpsSub:end], b[end:], true
}

// rtpsDecoder reads one message after the other.
type rtpsDecoder struct {
	vendor [2]uint16 // what each side last said
	said   [2]bool   // a side's names have been read
}

// Decode implements [Decoder].
func (d *rtpsDecoder) Decode(x *Exchange, from capture.Side, b []byte) int {
	if !isRTPS(b) {
		x.Undecoded()
		return len(b)
	}
	if vendor := binary.BigEndian.Uint16(b[6:]); vendor != d.vendor[from] {
		d.vendor[from] = vendor
		if name := rtpsVendors[vendor]; name != "" {
			x.Identity(from, capture.Identity{Model: name, Source: string(capture.RTPS)})
		}
	}
	sealed := Clear
	for rest := b[rtpsHeader:]; len(rest) > 0 && !bytes.Equal(rest, rtpsPing); {
		flags := rest[min(1, len(rest)-1)]
		kind, order, body, next, ok := cutRTPS(rest)
		if !ok {
			x.Undecoded()
			break
		}
		rest = next
		op := &rtpsOps[kind]
		switch kind {
		case rtpsSecPrefix, rtpsSealed:
			sealed = rtpsProtection(body)
			x.Protect(sealed)
		case 0x32, 0x34:
			sealed = Clear
		case rtpsData, rtpsDataFrag:
			op = d.data(x, from, kind, flags, order, body, sealed)
		}
		x.Note(op, from)
	}
	return len(b)
}

// rtpsProtection reads the kind of transformation that a prefix names: of AES, 1
// and 3 only authenticate.
func rtpsProtection(body []byte) Protection {
	if len(body) >= 4 && (body[3] == 1 || body[3] == 3) {
		return Integrity
	}
	return Encrypted
}

// data tells by its writer what a DATA or DATA_FRAG is: two octets of flags, an
// offset, the identifiers of reader and writer, the sequence number; parameters;
// the sample.
func (d *rtpsDecoder) data(x *Exchange, from capture.Side, kind, flags byte, order binary.ByteOrder, body []byte, sealed Protection) *Op {
	op := &rtpsOps[kind]
	if len(body) < 20 {
		return op
	}
	const builtin, liveliness, secureLiveliness = 0xc0, 0x000200c2, 0xff0200c2
	switch writer := binary.BigEndian.Uint32(body[8:]); {
	case writer == liveliness || writer == secureLiveliness:
		return &rtpsLiveliness[kind-rtpsData]
	case writer&builtin == builtin:
		if (writer == rtpsParticipants || writer == rtpsSecureSPDP) && kind == rtpsData && !d.said[from] {
			d.said[from] = true
			d.participant(x, from, flags, order, body)
		}
		return &rtpsDiscovery[kind-rtpsData]
	}
	if sealed == Clear {
		x.Protect(Clear)
	}
	return op
}

// participant reads the names in what a participant says of itself.
func (d *rtpsDecoder) participant(x *Exchange, from capture.Side, flags byte, order binary.ByteOrder, body []byte) {
	const name, listLittle = 0x0062, 0x0003
	at := 4 + int(order.Uint16(body[2:])) // the offset counts from behind itself
	if at > len(body) {
		return
	}
	rest := body[at:]
	if flags&rtpsInlineQoS != 0 {
		rest = rtpsParameters(rest, order, func(uint16, []byte) {})
	}
	if len(rest) < 4 {
		return
	}
	order = binary.BigEndian
	if binary.BigEndian.Uint16(rest) == listLittle {
		order = binary.LittleEndian
	}
	rtpsParameters(rest[4:], order, func(id uint16, value []byte) {
		if id == name && len(value) >= 4 {
			text := value[4:]
			if n := order.Uint32(value); uint64(n) <= uint64(len(text)) {
				x.Name(from, string(bytes.TrimRight(text[:n], "\x00")), string(capture.RTPS))
			}
		}
	})
}

// rtpsParameters hands the parameters of a list to f and returns what follows it.
func rtpsParameters(b []byte, order binary.ByteOrder, f func(id uint16, value []byte)) []byte {
	const sentinel = 1
	for len(b) >= 4 {
		id, end := order.Uint16(b), 4+int(order.Uint16(b[2:]))
		if id == sentinel {
			return b[4:]
		}
		if end > len(b) {
			return nil
		}
		f(id, b[4:end])
		b = b[end:]
	}
	return nil
}
