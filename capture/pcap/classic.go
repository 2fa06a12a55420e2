package pcap

import (
	"bytes"
	"fmt"
	"io"
	"math"

	"bulkhead/capture"
)

// variant is one kind of pcap file, as its magic number tells it.
type variant struct {
	order  order
	nano   bool
	fileHd int   // bytes of the file header
	recHd  []int // bytes of a record header: candidates, likeliest first
}

// classicVariant tells the variant by the magic number, as far as that goes: Nokia's
// firewalls wrote 4 bytes more of record header under the standard one.
//
// Alexey Kuznetsov's patches of 1999 added interface index, protocol and packet
// type to the record header: 8 bytes, under the standard magic number at first
// (Red Hat 6.1), then under one of their own, under which SuSE 6.3 wrote 12
// bytes. Ixia's two kinds have a file header longer by the size of the records.
func classicVariant(head []byte) (variant, bool) {
	if len(head) < 4 {
		return variant{}, false
	}
	for _, o := range []order{false, true} {
		switch o.u32(head) {
		case 0xa1b2c3d4:
			return variant{order: o, fileHd: 24, recHd: []int{standardHeader, 24, nokiaHeader}}, true
		case 0xa1b23c4d:
			return variant{order: o, nano: true, fileHd: 24, recHd: []int{standardHeader}}, true
		case 0xa1b2cd34:
			return variant{order: o, fileHd: 24, recHd: []int{24, 28}}, true
		case 0x1c0001ab:
			return variant{order: o, fileHd: 28, recHd: []int{standardHeader}}, true
		case 0x1c0001ac:
			return variant{order: o, nano: true, fileHd: 28, recHd: []int{standardHeader}}, true
		}
	}
	return variant{}, false
}

// Lengths of a record header without additions, and with Nokia's.
const (
	standardHeader = 16
	nokiaHeader    = 20
)

// lengths says in which order a record header has its two lengths. Version 2.3
// put the captured one first; some files of that version still have it second,
// and so has the one program that wrote version 543.0 (DG/UX's tcpdump).
type lengths uint8

const (
	capturedFirst lengths = iota
	capturedSecond
	smallerCaptured
)

// classic reads a pcap file.
type classic struct {
	win     *window
	order   order
	unit    int64 // of the fraction of a second, in nanoseconds
	digits  uint8 // that the unit is worth
	header  int   // bytes of a record header
	lengths lengths
	link    LinkType
	front   int      // bytes in front of the frame, in its lengths: padding
	head    [16]byte // of the file
	number  uint64
	rest    int64 // of the last record, above MaxFrame
	done    bool
}

func newClassic(win *window, v variant) (*classic, error) {
	h := win.peek(v.fileHd)
	if len(h) < v.fileHd {
		return nil, win.ended(0, len(h), "the file header")
	}
	c := &classic{win: win, order: v.order, unit: 1000, digits: 6}
	if v.nano {
		c.unit, c.digits = 1, 9
	}
	switch major, minor := v.order.u16(h[4:]), v.order.u16(h[6:]); {
	case major < 2:
		return nil, &FormatError{Format: fmt.Sprintf("pcap version %d.%d", major, minor)}
	case major == 2 && minor < 3, major == 543:
		c.lengths = capturedSecond
	case major == 2 && minor == 3:
		c.lengths = smallerCaptured
	}
	// The upper half has the length of the frame check sequence and reserved bits.
	c.link = LinkType(v.order.u32(h[20:]) & 0xffff)
	copy(c.head[:], h)
	if major, minor := v.order.u16(h[4:]), v.order.u16(h[6:]); major == 2 && minor == 2 && !v.nano {
		c.aix()
	}
	win.advance(v.fileHd)

	c.header = v.recHd[0]
	if len(v.recHd) > 1 && c.lengths == capturedFirst {
		for _, n := range v.recHd {
			if c.header = n; c.plausible() {
				return c, nil
			}
		}
		c.header = v.recHd[0]
	}
	return c, nil
}

// aix adapts c to the files of AIX's tcpdump: version 2.2, nanoseconds under the
// magic number of microseconds, and the interface types of RFC 1573 in the place of
// link types. Those that it has for LANs tell it from other files of version 2.2.
func (c *classic) aix() {
	switch c.link {
	case 6:
		c.link = LinkEthernet
	case 9:
		c.link = linkTokenRing
	case 15:
		c.link, c.front = linkFDDI, 3
	case 24:
		c.link = LinkNull
	default:
		return
	}
	c.unit, c.digits = 1, 9
}

// plausible reports whether the first three records make sense with the record
// header as long as c.header says: that is how Wireshark tells the variants
// apart that share a magic number. Kuznetsov's fields are an interface index, a
// protocol and one of Linux's five packet types. Without those and without empty
// frames, zeros behind a damaged record would pass.
func (c *classic) plausible() bool {
	b := c.win.peek(readSize)
	atEOF := len(b) < readSize
	for range 3 {
		if len(b) == 0 {
			return atEOF
		}
		if len(b) < c.header {
			return !atEOF
		}
		captured, wire := c.recordLengths(b)
		if c.order.u32(b[4:]) >= 1e6 || captured > wire || captured > c.limit() {
			return false
		}
		switch {
		case c.header == standardHeader:
		case captured == 0, c.header == nokiaHeader && !isNokia(c.order.u32(b[16:])),
			c.header > nokiaHeader && (c.order.u32(b[16:]) > 10000 || b[22] > 4):
			return false
		}
		next := uint64(c.header) + uint64(captured)
		if next > uint64(len(b)) {
			return !atEOF
		}
		b = b[next:]
	}
	return true
}

// isNokia reports whether v is one of the values that Wireshark's authors found in
// Nokia's addition, whose meaning is not known.
func isNokia(v uint32) bool {
	return v&0xdfff00f0 == 0x9fbf0000 && (v&0xf000 == 0xb000 || v&0xf000 == 0xd000) &&
		(v&0xf00 == 0x600 || v&0xf00 == 0x900) && (v&0xf == 1 || v&0xf == 2)
}

func (c *classic) recordLengths(header []byte) (captured, wire uint32) {
	captured, wire = c.order.u32(header[8:]), c.order.u32(header[12:])
	if c.lengths == capturedSecond || c.lengths == smallerCaptured && captured > wire {
		captured, wire = wire, captured
	}
	return captured, wire
}

// limit is the most that a record may claim to have captured; the links that may
// exceed MaxFrame are libpcap's and Wireshark's.
func (c *classic) limit() uint32 {
	switch c.link {
	case linkUSBLinux, linkUSBLinuxMmapped, linkUSBPcap, linkUSBDarwin, linkDBus, linkEBHSCR:
		return 128 << 20
	}
	return MaxFrame
}

func (c *classic) next() (Frame, error) {
	if c.rest > 0 || c.done {
		if err := c.skipRest(); err != nil {
			return Frame{}, err
		}
	}
	b := c.win.peek(c.header)
	if len(b) < c.header {
		return Frame{}, c.end(c.win.offset(), len(b), "a record header")
	}
	captured, wire := c.recordLengths(b)
	if captured <= uint32(c.front) || captured > MaxFrame {
		if err := c.odd(b, captured); err != nil {
			return Frame{}, err
		}
	}
	sec, frac := c.order.u32(b), c.order.u32(b[4:])
	off, size := c.win.offset(), c.header+int(min(captured, MaxFrame))
	if b = c.win.peek(size); len(b) < size {
		return Frame{}, c.end(off, len(b), "a record")
	}
	c.win.advance(size)
	c.number++
	c.rest = int64(captured) - int64(size-c.header)
	return Frame{
		Number: c.number,
		Time:   capture.NewTime(int64(sec)*1e9+int64(frac)*c.unit, c.digits),
		Link:   c.link,
		Length: wireLength(wire, captured) - c.front,
		Data:   b[c.header+c.front : size : size],
		Offset: off,
	}, nil
}

// odd looks at a record, of the header b, whose captured length is not a usual one.
func (c *classic) odd(b []byte, captured uint32) error {
	what := ""
	switch limit := c.limit(); {
	case captured > limit:
		what = fmt.Sprintf("a record claims %d captured bytes, above the limit of %d", captured, limit)
	case captured == 0 && c.isHeader(b):
		what = anotherFile
	case captured < uint32(c.front):
		what = "a record has no room for its padding"
	default:
		return nil
	}
	c.done = true
	return &DamageError{Offset: c.win.offset(), What: what}
}

// anotherFile is what files that were simply joined have where the second begins.
const anotherFile = "another capture file begins here, which no file of this format may hold"

// isHeader reports whether the header of a file like this one lies in the place
// of a record: by its magic number, the same version, and the zone and accuracy,
// which are zero in practice.
func (c *classic) isHeader(b []byte) bool { return bytes.Equal(b[:len(c.head)], c.head[:]) }

// skipRest goes to the end of a record of which next did not hand out all, or
// says that there is nothing more.
func (c *classic) skipRest() error {
	if c.done {
		return io.EOF
	}
	off := c.win.offset()
	if c.win.skip(c.rest) < c.rest {
		return c.end(off, 1, "the last record")
	}
	c.rest = 0
	return nil
}

// end is what next returns where the file ends with have bytes of what, which
// begins at off.
func (c *classic) end(off int64, have int, what string) error {
	err := c.win.ended(off, have, what)
	c.done = final(err)
	return err
}

// wireLength makes an int of the original length; files that give less than was
// captured, or more than an int of 32 bits holds, exist.
func wireLength(wire, captured uint32) int {
	return int(min(max(wire, captured), math.MaxInt32))
}
