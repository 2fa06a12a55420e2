package pcap

import (
	"encoding/binary"
	"fmt"
	"io"

	"bulkhead/capture"
)

// erf reads a file of Endace's Extensible Record Format, which has no header: it
// is records, each of a type of its own.
//
// A record is a timestamp (8 bytes, little-endian, seconds since 1970 in 32.32
// fixed point), type, flags, record length, loss counter or colour, wire length
// (big-endian); then extension headers of 8 bytes, as long as bit 7 of the type,
// or of the extension before, is set; then, by type, 2 or 4 bytes and the frame,
// padded to a multiple of 8. Wire lengths are handed on as they are: those of
// Ethernet count the frame check sequence, as a rule.
//
// Frames of the types that the registry of link types knows by themselves are
// handed out as such; a record of another type is handed out whole, as link type
// "erf", which is how pcap files carry them.
//
// Source: Endace, ERF Types Reference (EDM11-01), versions 8 and 21.
type erf struct {
	win    *window
	number uint64
	done   bool
}

// Types of ERF records.
const (
	erfHDLC          = 1
	erfEthernet      = 2
	erfColorHDLC     = 10
	erfColorEthernet = 11
	erfIPCounter     = 13
	erfTCPCounter    = 14
	erfDSMHDLC       = 15
	erfDSMEthernet   = 16
	erfHashHDLC      = 19
	erfHashEthernet  = 20
	erfIPv4          = 22
	erfIPv6          = 23
	erfMeta          = 27
	erfLast          = 29 // of the public ones
	erfPad           = 48
)

const (
	erfHeader    = 16
	erfExtension = 8
	erfFirst     = 8 // records that isERF looks at
)

// isERF reports whether the file in w is ERF. With no magic number to go by it
// looks at the first records: known types, sane lengths, times that stay within a
// second back and a day ahead of each other. One alone will do if it is the file.
func isERF(w *window) bool {
	b := w.peek(readSize)
	whole := len(b) < readSize // the file ends with b
	var last uint32
	for i := range erfFirst {
		if len(b) == 0 {
			return last != 0 && whole
		}
		if len(b) < erfHeader {
			return last != 0 && i > 1
		}
		kind, sec, length := b[8]&0x7f, binary.LittleEndian.Uint32(b[4:]), int(binary.BigEndian.Uint16(b[10:]))
		if kind == 0 || kind > erfLast && kind != erfPad || length < erfHeader {
			return false
		}
		if kind != erfPad {
			if sec == 0 || last != 0 && (sec+1 < last || sec > last+24*60*60) {
				return false
			}
			if length > len(b) {
				return last != 0 && i > 1
			}
			if _, ok := erfPayload(b[:length]); !ok {
				return false
			}
			last = sec
		}
		b = b[min(length, len(b)):]
	}
	return last != 0
}

// erfPayload returns what lies behind the headers of a record, frame and padding;
// false if they are longer than the record.
func erfPayload(record []byte) ([]byte, bool) {
	kind, b := record[8], record[erfHeader:]
	for more := kind; more&0x80 != 0; b = b[erfExtension:] {
		if len(b) < erfExtension {
			return nil, false
		}
		more = b[0]
	}
	n := 0
	switch kind & 0x7f {
	case erfEthernet, erfColorEthernet, erfDSMEthernet, erfHashEthernet:
		n = 2 // an offset, and one byte that aligns the network layer
	}
	if len(b) < n {
		return nil, false
	}
	return b[n:], true
}

func (e *erf) next() (Frame, error) {
	for !e.done {
		off := e.win.offset()
		b := e.win.peek(erfHeader)
		if len(b) < erfHeader {
			return Frame{}, e.end(off, len(b), "a record header")
		}
		kind, length := b[8]&0x7f, int(binary.BigEndian.Uint16(b[10:]))
		switch {
		case length < erfHeader:
			return Frame{}, e.damage(off, fmt.Sprintf("a record claims %d bytes, less than its header", length))
		case kind == 0:
			return Frame{}, e.damage(off, "a record is of type 0; expected 1 to 127")
		}
		if b = e.win.peek(length); len(b) < length {
			return Frame{}, e.end(off, len(b), "a record")
		}
		if kind == erfPad {
			e.win.advance(length)
			continue
		}
		payload, ok := erfPayload(b)
		if !ok {
			return Frame{}, e.damage(off, fmt.Sprintf("a record of %d bytes has no room for its headers", length))
		}
		e.win.advance(length)
		e.number++
		wire := int(binary.BigEndian.Uint16(b[14:]))
		data := payload[:min(len(payload), wire)]
		link := linkERF
		switch kind {
		case erfMeta, erfIPCounter, erfTCPCounter:
			continue // no frames of a network; Wireshark numbers them
		case erfEthernet, erfColorEthernet, erfDSMEthernet, erfHashEthernet:
			link = LinkEthernet
		case erfIPv4:
			link = LinkIPv4
		case erfIPv6:
			link = LinkIPv6
		case erfHDLC, erfColorHDLC, erfDSMHDLC, erfHashHDLC:
			link = hdlcLink(data)
		}
		if link == linkERF {
			data = b
		}
		return Frame{
			Number: e.number,
			Time:   erfTime(binary.LittleEndian.Uint64(b)),
			Link:   link,
			Length: max(wire, len(data)),
			Data:   data[:len(data):len(data)],
			Offset: off,
		}, nil
	}
	return Frame{}, io.EOF
}

// hdlcLink tells what runs over a POS link: the record does not say. PPP in
// HDLC-like framing has an address of 0xff and a control field of 3 (RFC 1662),
// Cisco's HDLC 0x0f or 0x8f (unicast, multicast) and 0.
func hdlcLink(data []byte) LinkType {
	if len(data) >= 2 {
		switch {
		case data[0] == 0xff && data[1] == 3:
			return linkPPPHDLC
		case (data[0] == 0x0f || data[0] == 0x8f) && data[1] == 0:
			return linkCiscoHDLC
		}
	}
	return linkERF
}

// erfTime returns the time of a 32.32 fixed point timestamp, rounded to the
// nearest nanosecond as Wireshark does.
func erfTime(ts uint64) capture.Time {
	sec, frac := ts>>32, ts&(1<<32-1)
	return capture.NewTime(int64(sec)*1e9+int64((frac*1e9+1<<31)>>32), 9)
}

func (e *erf) damage(off int64, what string) error {
	e.done = true
	return &DamageError{Offset: off, What: what}
}

// end is what next returns where the file ends with have bytes of what, which
// begins at off.
func (e *erf) end(off int64, have int, what string) error {
	err := e.win.ended(off, have, what)
	e.done = final(err)
	return err
}
