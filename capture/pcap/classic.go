package pcap

import (
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

// classicVariant tells the variant by the magic number.
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
			return variant{order: o, fileHd: 24, recHd: []int{standardHeader, 24}}, true
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

// standardHeader is the length of a record header without additions.
const standardHeader = 16

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
	nano    bool
	header  int // bytes of a record header
	lengths lengths
	link    LinkType
	number  uint64
	rest    int64 // of the last record, above MaxFrame
	done    bool
}

func newClassic(win *window, v variant) (*classic, error) {
	h := win.peek(v.fileHd)
	if len(h) < v.fileHd {
		return nil, win.ended(0, len(h), "the file header")
	}
	c := &classic{win: win, order: v.order, nano: v.nano}
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
	win.advance(v.fileHd)

	c.header = v.recHd[0]
	if len(v.recHd) > 1 {
		for _, n := range v.recHd {
			if c.header = n; c.plausible() {
				return c, nil
			}
		}
		c.header = v.recHd[0]
	}
	return c, nil
}

// plausible reports whether the first three records make sense with the record
// header as long as c.header says: that is how Wireshark tells the variants
// apart that share a magic number. Kuznetsov's fields are an interface index, a
// protocol and one of Linux's five packet types. Without those and without empty
// frames, zeros behind a damaged record would pass.
func (c *classic) plausible() bool {
	b := c.win.peek(windowSize)
	atEOF := len(b) < windowSize
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
		if c.header > standardHeader && (captured == 0 || c.order.u32(b[16:]) > 10000 || b[22] > 4) {
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
	if c.done {
		return Frame{}, io.EOF
	}
	off := c.win.offset()
	if c.rest > 0 {
		if c.win.skip(c.rest) < c.rest {
			return c.end(off, 1, "the last record")
		}
		c.rest = 0
		off = c.win.offset()
	}
	b := c.win.peek(c.header)
	if len(b) < c.header {
		return c.end(off, len(b), "a record header")
	}
	captured, wire := c.recordLengths(b)
	if limit := c.limit(); captured > limit {
		c.done = true
		return Frame{}, &DamageError{Offset: off,
			What: fmt.Sprintf("a record claims %d captured bytes, above the limit of %d", captured, limit)}
	}
	ns := int64(c.order.u32(b)) * 1e9
	frac, digits := int64(c.order.u32(b[4:])), uint8(9)
	if !c.nano {
		frac, digits = frac*1000, 6
	}
	size := c.header + int(min(captured, MaxFrame))
	if b = c.win.peek(size); len(b) < size {
		return c.end(off, len(b), "a record")
	}
	c.win.advance(size)
	c.rest = int64(c.header) + int64(captured) - int64(size)
	c.number++
	return Frame{
		Number: c.number,
		Time:   capture.NewTime(ns+frac, digits),
		Link:   c.link,
		Length: wireLength(wire, captured),
		Data:   b[c.header:size:size],
		Offset: off,
	}, nil
}

// end is what next returns where the file ends with have bytes of what, which
// begins at off.
func (c *classic) end(off int64, have int, what string) (Frame, error) {
	err := c.win.ended(off, have, what)
	c.done = final(err)
	return Frame{}, err
}

// wireLength makes an int of the original length; files that give less than was
// captured, or more than an int of 32 bits holds, exist.
func wireLength(wire, captured uint32) int {
	return int(min(max(wire, captured), math.MaxInt32))
}
