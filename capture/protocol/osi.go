package protocol

import (
	"encoding/binary"

	"bulkhead/capture"
)

// The OSI layers between ISO transport and an application such as MMS: data
// units of the transport put together, session, presentation, and the elements
// of BER that all of them are made of. Nothing here is a protocol of its own.
//
// Source: ITU-T X.225 (session), 8.2 and 8.3; X.226 (presentation), 8.2; X.690
// (BER), 8.1.

// tsduReader puts the data that the two sides of a connection send over ISO
// transport together from TPKTs.
type tsduReader struct {
	parts [2][]byte // of each side, the data units before the last of a TSDU
}

// read takes the TPKTs at the front of b, hands each TSDU that is whole to f, and
// returns how many bytes it is done with, as [Decoder] wants it.
func (r *tsduReader) read(x *Exchange, from capture.Side, b []byte, f func(tsdu []byte)) int {
	if x.Gap(from) {
		r.drop(x, from)
	}
	used := 0
	for {
		tpdu, size := cutTPKT(b[used:])
		switch {
		case size == 0:
			return used
		case size < 0:
			x.Undecoded()
			r.drop(x, from)
			return len(b)
		}
		used += size
		t, ok := parseCOTP(tpdu)
		switch {
		case !ok:
			x.Undecoded()
		case t.kind == cotpData:
			if whole := r.add(x, from, t); len(whole) > 0 {
				f(whole)
			}
		}
	}
}

// add takes a data unit and returns the TSDU that it completes, if it does.
func (r *tsduReader) add(x *Exchange, from capture.Side, t cotp) []byte {
	kept := r.parts[from]
	if len(kept) == 0 && t.last {
		return t.data
	}
	if len(kept)+len(t.data) > MaxPDU || !x.Hold(len(t.data)) {
		x.Undecoded()
		r.drop(x, from)
		return nil
	}
	whole := append(kept, t.data...)
	if !t.last {
		r.parts[from] = whole
		return nil
	}
	x.Hold(-len(t.data))
	r.drop(x, from)
	return whole
}

// drop forgets the data units kept of a side.
func (r *tsduReader) drop(x *Exchange, from capture.Side) {
	x.Hold(-len(r.parts[from]))
	r.parts[from] = nil
}

// The session PDUs that are told apart, by their identifier.
const (
	sessionData    = 1 // also of the give-tokens PDU that stands before a data PDU
	sessionFinish  = 9
	sessionEnd     = 10 // disconnect
	sessionRefuse  = 12
	sessionConnect = 13
	sessionAccept  = 14
	sessionAbort   = 25

	sessionUserData     = 193 // parameters
	sessionExtendedData = 194
)

// cutSession reads the session PDU of a TSDU: its identifier and the user data.
// Ok is false if the lengths do not fit or the PDU is not one of the above; a
// TSDU of which only the front is at hand may then have more.
func cutSession(b []byte) (id byte, user []byte, ok bool) {
	id, params, rest, ok := cutSPDU(b)
	if !ok {
		return 0, nil, false
	}
	if id == sessionData {
		// Give tokens, empty as a rule, and the data behind it.
		id, _, user, ok = cutSPDU(rest)
		return id, user, ok && id == sessionData
	}
	switch id {
	case sessionFinish, sessionEnd, sessionRefuse, sessionConnect, sessionAccept, sessionAbort:
	default:
		return 0, nil, false
	}
	for len(params) > 0 {
		var kind byte
		var value []byte
		if kind, value, params, ok = cutSPDU(params); !ok {
			return 0, nil, false
		}
		if kind == sessionUserData || kind == sessionExtendedData {
			user = value
		}
	}
	return id, user, true
}

// cutSPDU reads an identifier, a length of one octet, or of two behind 0xff, and
// as many octets. Session PDUs and their parameters are both made so.
func cutSPDU(b []byte) (id byte, value, rest []byte, ok bool) {
	if len(b) < 2 {
		return 0, nil, nil, false
	}
	id, size, b := b[0], int(b[1]), b[2:]
	if size == 0xff {
		if len(b) < 2 {
			return 0, nil, nil, false
		}
		size, b = int(binary.BigEndian.Uint16(b)), b[2:]
	}
	if size > len(b) {
		return 0, nil, nil, false
	}
	return id, b[:size], b[size:], true
}

// The elements of presentation that lead to the user data.
const (
	presentationConnect = 0x31 // CP and CPA: a set
	presentationNormal  = 0xa2 // the parameters of normal mode
	presentationUser    = 0x61 // fully encoded user data
	presentationList    = 0x30 // a list of presentation data values
	presentationSingle  = 0xa0 // one ASN.1 value
)

// presentationValues hands each value that a presentation PDU carries to f. It
// returns false if the PDU cannot be read.
func presentationValues(ppdu []byte, f func(value []byte)) bool {
	e, _, ok := cutBER(ppdu)
	if ok && e.id == presentationConnect {
		normal, found := e.find(presentationNormal)
		if !found {
			return false
		}
		if e, ok = normal.find(presentationUser); !ok {
			return true // nothing to say
		}
	}
	if !ok || e.id != presentationUser {
		return false
	}
	for list := e.content; len(list) > 0; {
		var pdv berElement
		if pdv, list, ok = cutBER(list); !ok || pdv.id != presentationList {
			return false
		}
		if value, found := pdv.find(presentationSingle); found {
			f(value.content)
		}
	}
	return true
}

// berElement is an element of BER with a definite length.
type berElement struct {
	id      byte   // the first identifier octet: class, form and, below 31, number
	number  uint32 // the tag's number
	content []byte
}

// cutBER returns the element at the front of b and what follows it. Numbers of
// more than two octets are not read.
func cutBER(b []byte) (e berElement, rest []byte, ok bool) {
	e, size, rest, ok := cutBERHead(b)
	if !ok || size > len(rest) {
		return berElement{}, nil, false
	}
	e.content = rest[:size]
	return e, rest[size:], true
}

// cutBERHead returns the head of the element at the front of b, the length of
// its content, which may be more than there is, and what follows the head.
func cutBERHead(b []byte) (e berElement, size int, rest []byte, ok bool) {
	if len(b) < 2 {
		return e, 0, nil, false
	}
	e.id, e.number, b = b[0], uint32(b[0]&0x1f), b[1:]
	if e.number == 0x1f {
		e.number = uint32(b[0] & 0x7f)
		more := b[0]&0x80 != 0
		b = b[1:]
		if more {
			if len(b) == 0 || b[0]&0x80 != 0 {
				return e, 0, nil, false
			}
			e.number = e.number<<7 | uint32(b[0])
			b = b[1:]
		}
		if len(b) == 0 {
			return e, 0, nil, false
		}
	}
	size, b = int(b[0]), b[1:]
	if size >= 0x80 {
		n := size & 0x7f
		if n == 0 || n > 3 || n > len(b) {
			return e, 0, nil, false
		}
		size = 0
		for _, c := range b[:n] {
			size = size<<8 | int(c)
		}
		b = b[n:]
	}
	return e, size, b, true
}

// find returns the first element of e's content with an identifier.
func (e berElement) find(id byte) (found berElement, ok bool) {
	for b := e.content; len(b) > 0; {
		var c berElement
		if c, b, ok = cutBER(b); !ok {
			return berElement{}, false
		}
		if c.id == id {
			return c, true
		}
	}
	return berElement{}, false
}

// unsigned reads a number of at most 32 bits.
func (e berElement) unsigned() (n uint32, ok bool) {
	b := e.content
	if len(b) == 5 && b[0] == 0 {
		b = b[1:]
	}
	if len(b) == 0 || len(b) > 4 {
		return 0, false
	}
	for _, c := range b {
		n = n<<8 | uint32(c)
	}
	return n, true
}
