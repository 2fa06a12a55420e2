package protocol

import (
	"encoding/binary"

	"bulkhead/capture"
)

// What GOOSE, Sampled Values and GSE management have in common: a header with an
// APPID straight on the link, and a session protocol over UDP that carries the
// same PDUs between networks.

// published is a PDU as its header describes it.
type published struct {
	appID     uint16
	simulated bool
	secret    bool   // encrypted: there is nothing else to read
	exact     bool   // the PDU is as long as its header says
	pdu       []byte // the content of its outermost element, as far as it is there
}

// cutFrame reads a PDU with tag straight on the link: APPID, length (of the
// header, 8 octets, and the PDU), two reserved fields of which the first has the
// simulation bit, PDU. Behind it may be padding; it may be cut short.
//
// Source: IEC 61850-8-1:2011, Annex C; IEC 61850-9-2:2011, Annex A.
func cutFrame(b []byte, tag byte) (p published, ok bool) {
	const header, simulation = 8, 0x80
	if len(b) < header+2 {
		return p, false
	}
	length := int(binary.BigEndian.Uint16(b[2:]))
	p.appID, p.simulated = binary.BigEndian.Uint16(b), b[4]&simulation != 0
	if length < header+2 {
		return p, false
	}
	p.pdu, p.exact, ok = outermost(b[header:min(length, len(b))], tag, length-header)
	return p, ok
}

// outermost returns the content of the element that b begins with, as far as it
// is there: with this tag, and no longer than room, or exactly as long.
func outermost(b []byte, tag byte, room int) (content []byte, exact, ok bool) {
	e, size, rest, ok := cutBERHead(b)
	whole := len(b) - len(rest) + size
	if !ok || e.id != tag || whole > room {
		return nil, false, false
	}
	return rest[:min(size, len(rest))], whole == room, true
}

// What a routed session packet carries, by its identifier; the payloads in it
// have the same number with 0x80 in front.
const (
	routedGOOSE = 0xa1
	routedSV    = 0xa2
)

// routed is a session packet: its payloads, which may be encrypted.
type routed struct {
	id       byte
	payloads []byte
	secret   bool
	signed   bool
}

// cutRouted reads a session packet over UDP: a transport PDU of two octets, the
// session's identifier and header length, a common header (tag 0x80, length, SPDU
// length and number, version, time of the current key and to the next), security
// by version (1: algorithms and key; 2: key and initialization vector), the length
// of the payloads, the payloads, and a signature with tag 0x85.
//
// Source: IEC TR 61850-90-5:2012 and IEC 61850-8-1:2011/AMD1:2020, as
// libIEC61850 (src/r_session/r_session.c) and Wireshark's dissector
// (packet-goose.c) lay them out.
func cutRouted(b []byte) (r routed, ok bool) {
	const fixed = 6 + 4 + 4 + 2 + 4 + 2 // up to what depends on the version
	if len(b) < fixed || b[0] != 1 || b[1] != 0x40 || b[4] != 0x80 || b[3] < b[5] {
		return r, false
	}
	r.id = b[2]
	version := binary.BigEndian.Uint16(b[14:])
	rest := b[fixed:]
	switch version {
	case 1:
		if len(rest) < 2+4 {
			return r, false
		}
		r.secret, rest = rest[0] != 0, rest[2+4:]
	case 2:
		if len(rest) < 4+1 || len(rest) < 4+1+int(rest[4]) {
			return r, false
		}
		r.secret, rest = rest[4] != 0, rest[4+1+int(rest[4]):]
	default:
		return r, false
	}
	if len(rest) < 4 {
		return r, false
	}
	size, rest := binary.BigEndian.Uint32(rest), rest[4:]
	if uint64(size) > uint64(len(rest)) {
		return r, false
	}
	r.payloads, rest = rest[:size], rest[size:]
	r.signed = len(rest) > 2 && rest[0] == 0x85 && rest[1] != 0
	return r, true
}

// next cuts the payload at the front: type, simulation, APPID, length (its own
// two octets included), PDU with tag.
func (r *routed) next(kind, tag byte) (p published, ok bool) {
	const header = 6
	b := r.payloads
	if len(b) < header || b[0] != kind {
		return p, false
	}
	size := int(binary.BigEndian.Uint16(b[4:])) - 2
	if size < 0 || size > len(b)-header {
		return p, false
	}
	p.simulated, p.appID = b[1] != 0, binary.BigEndian.Uint16(b[2:])
	p.pdu, p.exact, ok = outermost(b[header:header+size], tag, size)
	r.payloads = b[header+size:]
	return p, ok
}

// matchPublished judges a frame, or a routed packet with identifier id, by the
// PDU with tag that it holds. A frame whose PDU is not good is still a weak match
// if the two lengths agree: on its own EtherType it is one that cannot be read.
func matchPublished(b []byte, tag, id byte, good func(pdu []byte) bool) Match {
	if p, ok := cutFrame(b, tag); ok && good(p.pdu) {
		return Match{Score: Sure}
	} else if ok && p.exact {
		return Match{Score: Weak}
	}
	r, ok := cutRouted(b)
	if !ok || id == 0 || r.id != id {
		return Match{}
	}
	if r.secret {
		return Match{Score: Sure, Role: Client}
	}
	if p, ok := r.next(id&^0x20, tag); ok && good(p.pdu) {
		return Match{Score: Sure, Role: Client}
	}
	return Match{}
}

// readPublished hands each PDU of a frame or routed packet to f, which returns
// false if it cannot read it.
func readPublished(x *Exchange, b []byte, tag, id byte, f func(published) bool) {
	if r, ok := cutRouted(b); ok && r.id == id {
		switch {
		case r.secret:
			x.Protect(Encrypted)
			f(published{secret: true})
			return
		case r.signed:
			x.Protect(Integrity)
		default:
			x.Protect(Clear)
		}
		for {
			if p, ok := r.next(id&^0x20, tag); !ok || !f(p) {
				x.Undecoded()
				return
			}
			if len(r.payloads) == 0 {
				return
			}
		}
	}
	if p, ok := cutFrame(b, tag); !ok || !f(p) {
		x.Undecoded()
	}
}

// saidNames remembers, by a hash, the names that a publisher has given, so that
// a message that repeats one costs nothing.
type saidNames struct {
	names [capture.MaxFacts + 1]uint64
	n     int
}

// say records a name that has not been said yet.
func (s *saidNames) say(x *Exchange, from capture.Side, name []byte, source string) {
	if s.n == len(s.names) {
		return // more than are kept; that there were more has been said
	}
	h := uint64(14695981039346656037) // FNV-1a
	for _, c := range name {
		h = (h ^ uint64(c)) * 1099511628211
	}
	for _, known := range s.names[:s.n] {
		if known == h {
			return
		}
	}
	s.names[s.n] = h
	s.n++
	x.Name(from, string(name), source)
}
