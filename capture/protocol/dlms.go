package protocol

import (
	"bytes"
	"encoding/binary"
	"fmt"

	"bulkhead/capture"
)

// DLMS is DLMS/COSEM: meters and the systems that read them, behind the wrapper
// of its TCP and UDP profile, or in the HDLC frames that serial servers and many
// meters put on TCP and UDP instead.
//
// Source: IEC 62056-47:2006 (wrapper), IEC 62056-46:2007 (HDLC), IEC
// 62056-5-3:2017, clause 9 (APDUs and their tags) and Table 76 (mechanisms), IEC
// 62056-6-2:2017 (interface classes).
var DLMS = &Protocol{
	Name:      capture.DLMS,
	Over:      []capture.Transport{capture.TCP, capture.UDP},
	Recognise: recogniseDLMS,
	New:       func() Decoder { return dlmsDecoder{} },
}

const (
	dlmsHeader = 8 // version (2), source port (2), destination port (2), length (2)
	dlmsFlag   = 0x7e
)

// The APDUs that the decoder treats apart, by tag.
const (
	dlmsReadRequest  = 0x05
	dlmsWriteRequest = 0x06
	dlmsReadAnswer   = 0x0c
	dlmsWriteAnswer  = 0x0d
	dlmsServiceError = 0x0e
	dlmsAARQ         = 0x60
	dlmsAARE         = 0x61
	dlmsRLRQ         = 0x62
	dlmsRLRE         = 0x63
	dlmsGet          = 0xc0
	dlmsSet          = 0xc1
	dlmsAction       = 0xc3
	dlmsGetAnswer    = 0xc4
	dlmsSetAnswer    = 0xc5
	dlmsActionAnswer = 0xc7
	dlmsException    = 0xd8
)

// dlmsWay is what becomes of an APDU.
type dlmsWay uint8

const (
	dlmsUnknown dlmsWay = iota
	dlmsAsks
	dlmsAnswers
	dlmsTells
)

// dlmsAPDU is a kind of APDU.
type dlmsAPDU struct {
	op      Op
	way     dlmsWay
	answers byte // the tag of what it answers
	secret  bool // encrypted, or authenticated at the least
}

// dlmsAPDUs are the APDUs by tag. Nobody sees what an encrypted action or write
// does, so those are configure.
var dlmsAPDUs = func() (apdus [256]dlmsAPDU) {
	for _, a := range []struct {
		tag     byte
		class   capture.Class
		way     dlmsWay
		answers byte
		secret  bool
		name    string
	}{
		{dlmsReadRequest, capture.Read, dlmsAsks, 0, false, "read-request"},
		{dlmsWriteRequest, capture.Write, dlmsAsks, 0, false, "write-request"},
		{dlmsReadAnswer, capture.Reply, dlmsAnswers, dlmsReadRequest, false, "read-response"},
		{dlmsWriteAnswer, capture.Reply, dlmsAnswers, dlmsWriteRequest, false, "write-response"},
		{dlmsServiceError, capture.Reply, dlmsAnswers, 0, false, "confirmed-service-error"},
		{0x0f, capture.Event, dlmsTells, 0, false, "data-notification"},
		{0x16, capture.Write, dlmsTells, 0, false, "unconfirmed-write-request"},
		{0x18, capture.Event, dlmsTells, 0, false, "information-report-request"},
		{0x25, capture.Read, dlmsAsks, 0, true, "glo-read-request"},
		{0x26, capture.Write, dlmsAsks, 0, true, "glo-write-request"},
		{0x2c, capture.Reply, dlmsAnswers, 0x25, true, "glo-read-response"},
		{0x2d, capture.Reply, dlmsAnswers, 0x26, true, "glo-write-response"},
		{dlmsAARQ, capture.Session, dlmsAsks, 0, false, "aarq"},
		{dlmsAARE, capture.Reply, dlmsAnswers, dlmsAARQ, false, "aare"},
		{dlmsRLRQ, capture.Session, dlmsAsks, 0, false, "rlrq"},
		{dlmsRLRE, capture.Reply, dlmsAnswers, dlmsRLRQ, false, "rlre"},
		{dlmsGet, capture.Read, dlmsAsks, 0, false, "get-request"},
		{dlmsSet, capture.Configure, dlmsAsks, 0, false, "set-request"},
		{0xc2, capture.Event, dlmsTells, 0, false, "event-notification-request"},
		{dlmsAction, capture.Configure, dlmsAsks, 0, false, "action-request"},
		{dlmsGetAnswer, capture.Reply, dlmsAnswers, dlmsGet, false, "get-response"},
		{dlmsSetAnswer, capture.Reply, dlmsAnswers, dlmsSet, false, "set-response"},
		{dlmsActionAnswer, capture.Reply, dlmsAnswers, dlmsAction, false, "action-response"},
		{0xc8, capture.Read, dlmsAsks, 0, true, "glo-get-request"},
		{0xc9, capture.Configure, dlmsAsks, 0, true, "glo-set-request"},
		{0xca, capture.Event, dlmsTells, 0, true, "glo-event-notification-request"},
		{0xcb, capture.Configure, dlmsAsks, 0, true, "glo-action-request"},
		{0xcc, capture.Reply, dlmsAnswers, 0xc8, true, "glo-get-response"},
		{0xcd, capture.Reply, dlmsAnswers, 0xc9, true, "glo-set-response"},
		{0xcf, capture.Reply, dlmsAnswers, 0xcb, true, "glo-action-response"},
		{0xd0, capture.Read, dlmsAsks, 0, true, "ded-get-request"},
		{0xd1, capture.Configure, dlmsAsks, 0, true, "ded-set-request"},
		{0xd2, capture.Event, dlmsTells, 0, true, "ded-event-notification-request"},
		{0xd3, capture.Configure, dlmsAsks, 0, true, "ded-action-request"},
		{0xd4, capture.Reply, dlmsAnswers, 0xd0, true, "ded-get-response"},
		{0xd5, capture.Reply, dlmsAnswers, 0xd1, true, "ded-set-response"},
		{0xd7, capture.Reply, dlmsAnswers, 0xd3, true, "ded-action-response"},
		{dlmsException, capture.Reply, dlmsAnswers, 0, false, "exception-response"},
		{0xdb, capture.Configure, dlmsTells, 0, true, "general-glo-ciphering"},
		{0xdc, capture.Configure, dlmsTells, 0, true, "general-ded-ciphering"},
		{0xdd, capture.Configure, dlmsTells, 0, true, "general-ciphering"},
		{0xdf, capture.Configure, dlmsTells, 0, true, "general-signing"},
		{0xe0, capture.Configure, dlmsTells, 0, false, "general-block-transfer"},
	} {
		apdus[a.tag] = dlmsAPDU{Op{capture.DLMS, fmt.Sprintf("0x%02x", a.tag), a.name, a.class}, a.way, a.answers, a.secret}
	}
	return apdus
}()

// dlmsObject is what setting an attribute or invoking a method of an interface
// class does.
type dlmsObject struct{ set, action *Op }

// dlmsObjects are the interface classes apart from which setting and invoking
// configure. Source: IEC 62056-6-2, clause 5.
var dlmsObjects = func() map[uint16]dlmsObject {
	objects := make(map[uint16]dlmsObject)
	for _, o := range []struct {
		id          uint16
		name        string
		set, action capture.Class
	}{
		{1, "Data", capture.Write, capture.Configure},
		{3, "Register", capture.Write, capture.Write},
		{4, "Extended register", capture.Write, capture.Write},
		{9, "Script table", capture.Program, capture.Control},
		{18, "Image transfer", capture.Firmware, capture.Firmware},
		{68, "Arbitrator", capture.Configure, capture.Control},
		{70, "Disconnect control", capture.Configure, capture.Control},
		{71, "Limiter", capture.Configure, capture.Control},
	} {
		objects[o.id] = dlmsObject{
			set:    &Op{capture.DLMS, "0xc1", "set-request: " + o.name, o.set},
			action: &Op{capture.DLMS, "0xc3", "action-request: " + o.name, o.action},
		}
	}
	return objects
}()

// recogniseDLMS is sure of an HDLC frame with the right check and of the wrapper
// around an association; the wrapper around other APDUs is a weak sign.
func recogniseDLMS(b []byte) Match {
	if len(b) > 0 && b[0] == dlmsFlag {
		return recogniseHDLC(b)
	}
	const version = 1
	if len(b) < dlmsHeader+1 {
		start := [...]byte{0, version}
		if n := min(len(b), len(start)); !bytes.Equal(b[:n], start[:n]) {
			return Match{}
		}
		return Match{Score: More}
	}
	size := dlmsSize(b)
	a := &dlmsAPDUs[b[dlmsHeader]]
	if size == 0 || size == dlmsHeader || a.way == dlmsUnknown {
		return Match{}
	}
	m := Match{Score: Weak}
	switch tag := b[dlmsHeader]; {
	case tag == dlmsAARQ, tag == dlmsAARE:
		if len(b) < dlmsHeader+2 {
			return Match{Score: More}
		}
		if int(b[dlmsHeader+1]) != size-dlmsHeader-2 {
			return Match{}
		}
		m.Score = Sure
	}
	switch a.way {
	case dlmsAsks:
		m.Role = Client
	case dlmsAnswers:
		m.Role = Server
	}
	return m
}

// dlmsSize returns the size of what the wrapper at the front of b is around, with
// it, or 0 if there is none.
func dlmsSize(b []byte) int {
	const version = 1
	if binary.BigEndian.Uint16(b) != version {
		return 0
	}
	return dlmsHeader + int(binary.BigEndian.Uint16(b[6:]))
}

// hdlcFrame is a frame between flags. Source: IEC 62056-46, 6.4.
type hdlcFrame struct {
	segmented bool
	control   byte
	info      []byte
}

// hdlcSize returns the size of the frame that b begins with, its two flags
// included, or 0 if none does: flag, format (of 4 bits, segmentation, length),
// addresses, control, check, information, check, flag.
func hdlcSize(b []byte) int {
	const smallest = 7 // without information, of addresses of an octet
	size := int(b[1]&7)<<8 | int(b[2])
	if b[0] != dlmsFlag || b[1]&0xf0 != 0xa0 || size < smallest {
		return 0
	}
	return size + 2
}

// cutHDLC reads a whole frame, the first check of which is for the header.
func cutHDLC(f []byte) (h hdlcFrame, ok bool) {
	inner := f[1 : len(f)-1]
	if f[len(f)-1] != dlmsFlag || !hdlcGood(inner) {
		return h, false
	}
	h.segmented = inner[0]&8 != 0
	at := 2
	for range 2 { // addresses end with an octet whose lowest bit is set
		n := 0
		for n < 4 && at < len(inner) && inner[at]&1 == 0 {
			n, at = n+1, at+1
		}
		at++
	}
	if at >= len(inner)-2 {
		return h, false
	}
	h.control = inner[at]
	at++
	if at == len(inner)-2 {
		return h, true
	}
	if at+2 > len(inner)-2 || !hdlcGood(inner[:at+2]) {
		return h, false
	}
	h.info = inner[at+2 : len(inner)-2]
	return h, true
}

// hdlcGood checks the sequence at the end of b: polynomial 0x1021, octets
// reflected, begun with all ones and sent inverted. Source: IEC 62056-46, Annex A.
func hdlcGood(b []byte) bool {
	if len(b) < 3 {
		return false
	}
	crc := uint16(0xffff)
	end := len(b) - 2
	for _, c := range b[:end] {
		crc = crc>>8 ^ hdlcTable[byte(crc)^c]
	}
	return ^crc == binary.LittleEndian.Uint16(b[end:])
}

var hdlcTable = func() (table [256]uint16) {
	for i := range table {
		crc := uint16(i)
		for range 8 {
			if crc&1 != 0 {
				crc = crc>>1 ^ 0x8408
			} else {
				crc >>= 1
			}
		}
		table[i] = crc
	}
	return table
}()

func recogniseHDLC(b []byte) Match {
	if len(b) < 3 {
		return Match{Score: More}
	}
	size := hdlcSize(b)
	switch {
	case size == 0:
		return Match{}
	case len(b) < size:
		return Match{Score: More}
	}
	h, ok := cutHDLC(b[:size])
	if !ok {
		return Match{}
	}
	const normalMode, acknowledge = 0x83, 0x63
	m := Match{Score: Sure}
	switch {
	case h.control&^0x10 == normalMode, bytes.HasPrefix(h.info, hdlcCommand):
		m.Role = Client
	case h.control&^0x10 == acknowledge, bytes.HasPrefix(h.info, hdlcResponse):
		m.Role = Server
	}
	return m
}

// Before an APDU in HDLC are the addresses of its link layer, which tell commands
// from responses.
var (
	hdlcCommand  = []byte{0xe6, 0xe6, 0x00}
	hdlcResponse = []byte{0xe6, 0xe7, 0x00}
)

// dlmsDecoder reads APDUs one by one; nothing is carried from one to the next.
type dlmsDecoder struct{}

// Decode implements [Decoder].
func (dlmsDecoder) Decode(x *Exchange, from capture.Side, b []byte) int {
	used := 0
	for {
		m := b[used:]
		var size int
		switch {
		case len(m) > 0 && m[0] == dlmsFlag:
			if len(m) < 3 {
				return used
			}
			if m[1] == dlmsFlag { // two frames with their own flags, or a flag between frames
				used++
				continue
			}
			size = hdlcSize(m)
		case len(m) < dlmsHeader:
			return used
		default:
			size = dlmsSize(m)
		}
		switch {
		case size == 0:
			x.Undecoded()
			return len(b)
		case size > len(m):
			return used
		}
		if m[0] == dlmsFlag {
			dlmsFrame(x, from, m[:size])
		} else if size > dlmsHeader {
			dlmsRead(x, from, m[dlmsHeader:size])
		}
		used += size
	}
}

// dlmsFrame reads an HDLC frame: the APDU at the front of its information. The
// further segments of a long one have none.
func dlmsFrame(x *Exchange, from capture.Side, f []byte) {
	h, ok := cutHDLC(f)
	if !ok {
		x.Undecoded()
		return
	}
	for _, prefix := range [...][]byte{hdlcCommand, hdlcResponse} {
		if apdu, found := bytes.CutPrefix(h.info, prefix); found && len(apdu) > 0 {
			dlmsRead(x, from, apdu)
			return
		}
	}
}

// dlmsKey is what an answer has in common with its request: the kind, and of get,
// set and action the invocation.
func dlmsKey(tag byte, apdu []byte) uint64 {
	key := uint64(tag) << 8
	switch tag {
	case dlmsGet, dlmsSet, dlmsAction:
		if len(apdu) >= 3 {
			key |= uint64(apdu[2] & 0x0f)
		}
	}
	return key
}

// dlmsRead reads an APDU.
func dlmsRead(x *Exchange, from capture.Side, apdu []byte) {
	tag := apdu[0]
	a := &dlmsAPDUs[tag]
	switch {
	case a.way == dlmsUnknown:
		x.Undecoded()
		return
	case a.secret:
		x.Protect(Encrypted)
	case tag < dlmsAARQ || tag > dlmsRLRE: // an association is always in clear
		x.Protect(Clear)
	}
	switch a.way {
	case dlmsTells:
		x.Note(&a.op, from)
	case dlmsAsks:
		key := dlmsKey(tag, apdu)
		x.Forget(from, key)
		x.Ask(dlmsOp(a, apdu), from, key)
		if tag == dlmsAARQ {
			dlmsLogin(x, from, key, apdu)
		}
	case dlmsAnswers:
		if a.answers == 0 { // an error, of whatever has been open longest
			dlmsRefused(x, from)
			return
		}
		x.Answer(from, dlmsKey(a.answers, apdu), dlmsAccepted(apdu))
	}
}

func dlmsRefused(x *Exchange, from capture.Side) {
	var oldest uint64
	found := false
	x.Open(from.Other(), func(_ *Op, key uint64) bool {
		oldest, found = key, true
		return false
	})
	if found {
		x.Answer(from, oldest, false)
	}
}

// dlmsOp tells by the interface class what a set or action does: tag, type,
// invocation, class (2). Requests with a list, and the further blocks of a long
// one, are configure.
func dlmsOp(a *dlmsAPDU, apdu []byte) *Op {
	const normal, firstBlock = 1, 2
	tag := apdu[0]
	if tag != dlmsSet && tag != dlmsAction || len(apdu) < 5 || apdu[1] != normal && !(tag == dlmsSet && apdu[1] == firstBlock) {
		return &a.op
	}
	o, ok := dlmsObjects[binary.BigEndian.Uint16(apdu[3:])]
	switch {
	case !ok:
		return &a.op
	case tag == dlmsSet:
		return o.set
	}
	return o.action
}

// dlmsAccepted judges an answer: of a get that data follows, of a set or action
// that the result is success, of an association that it was accepted.
func dlmsAccepted(apdu []byte) bool {
	const normal = 1
	switch apdu[0] {
	case dlmsGetAnswer, dlmsSetAnswer, dlmsActionAnswer:
		return len(apdu) < 4 || apdu[1] != normal || apdu[3] == 0
	case dlmsAARE:
		accepted := true
		dlmsElements(apdu, func(id byte, content []byte) {
			const result = 0xa2
			if id == result && len(content) == 3 {
				accepted = content[2] == 0
			}
		})
		return accepted
	case dlmsReadAnswer, dlmsWriteAnswer:
		return len(apdu) < 3 || apdu[2] == 0
	}
	return true
}

// dlmsElements calls f for each element of an association's APDU.
func dlmsElements(apdu []byte, f func(id byte, content []byte)) {
	e, _, ok := cutBER(apdu)
	for rest := e.content; ok && len(rest) > 0; {
		var inner berElement
		if inner, rest, ok = cutBER(rest); ok {
			f(inner.id, inner.content)
		}
	}
}

// dlmsMechanisms are the mechanisms of authentication. Source: IEC 62056-5-3,
// Table 76.
var dlmsMechanisms = [...]string{
	"dlms lowest", "dlms low", "dlms high", "dlms high md5", "dlms high sha1", "dlms high gmac", "dlms high sha256", "dlms high ecdsa",
}

// dlmsLogin reads how a client authenticates itself: the mechanism, and of the low
// level the password, which crosses in clear.
func dlmsLogin(x *Exchange, from capture.Side, key uint64, apdu []byte) {
	const (
		mechanism = 0x8b
		value     = 0xac
		low       = 1
	)
	kind, length := 0, 0
	dlmsElements(apdu, func(id byte, content []byte) {
		switch {
		case id == mechanism && len(content) > 0:
			kind = int(content[len(content)-1])
		case id == value:
			if secret, _, ok := cutBER(content); ok {
				length = len(secret.content)
			}
		}
	})
	switch {
	case kind >= len(dlmsMechanisms):
		x.Login(from, key, "dlms", false, 0)
	case kind == low:
		x.Login(from, key, dlmsMechanisms[low], true, length)
	default:
		x.Login(from, key, dlmsMechanisms[kind], false, 0)
	}
}
