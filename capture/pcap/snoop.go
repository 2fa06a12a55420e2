package pcap

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"io"

	"bulkhead/capture"
)

// Sizes of the headers of a snoop file and of its records.
const (
	snoopMagic        = "snoop\x00\x00\x00"
	snoopFileHeader   = 16
	snoopRecordHeader = 24

	// shomitiTrailer is what Shomiti's (later Finisar's) Surveyor puts behind the
	// data, in what RFC 1761 calls padding: times and states of its hardware.
	shomitiTrailer = 16
)

// snoopLinks are RFC 1761's link types and, from 10 on, what IANA's registry of
// them and Solaris's dlpi.h added.
var snoopLinks = map[uint32]LinkType{
	0:         LinkEthernet, // IEEE 802.3
	2:         linkTokenRing,
	4:         LinkEthernet,
	8:         linkFDDI,
	9:         LinkNull, // "other"; loopback in practice
	14:        LinkNull, // software loopback
	16:        linkIPOverFC,
	18:        linkSunATM,
	1<<31 | 5: linkIPNet,
}

// shomitiLinks are Surveyor's, which took the numbers from 10 on for itself.
var shomitiLinks = map[uint32]LinkType{
	0:  LinkEthernet,
	2:  linkTokenRing,
	4:  LinkEthernet,
	8:  linkFDDI,
	10: LinkEthernet, // 100 Mbit/s
	11: linkTokenRing,
	12: LinkEthernet, // 1 Gbit/s
	13: linkTokenRing,
	14: linkTokenRing,
	19: LinkEthernet, // 10 Gbit/s
}

// snoop reads a file of Solaris's snoop.
//
// Source: RFC 1761; for Surveyor's files, what Wireshark's snoop.c says of them.
type snoop struct {
	win    *window
	link   LinkType
	number uint64
	pad    int64 // behind the last record's data
	done   bool
}

func isSnoop(head []byte) bool { return bytes.HasPrefix(head, []byte(snoopMagic)) }

func newSnoop(win *window) (*snoop, error) {
	h := win.peek(snoopFileHeader)
	if len(h) < snoopFileHeader {
		return nil, win.ended(0, len(h), "the file header")
	}
	// Surveyor wrote version 2 as well, and 3 to 5 for three kinds of hardware.
	version, link := binary.BigEndian.Uint32(h[8:]), binary.BigEndian.Uint32(h[12:])
	if version < 2 || version > 5 {
		return nil, &FormatError{Format: fmt.Sprintf("snoop version %d", version)}
	}
	s := &snoop{win: win, link: LinkUnknown}
	links := snoopLinks
	if first := win.peek(snoopFileHeader + snoopRecordHeader); len(first) == snoopFileHeader+snoopRecordHeader && isShomiti(first[snoopFileHeader:]) {
		links = shomitiLinks
	}
	if l, ok := links[link]; ok {
		s.link = l
	}
	win.advance(snoopFileHeader)
	return s, nil
}

// isShomiti tells Surveyor's files by the padding of their first record, as
// Wireshark does: nothing else tells them.
func isShomiti(record []byte) bool {
	included, length := binary.BigEndian.Uint32(record[4:]), binary.BigEndian.Uint32(record[8:])
	return uint64(length) >= snoopRecordHeader+uint64(included)+shomitiTrailer
}

func (s *snoop) next() (Frame, error) {
	if s.done {
		return Frame{}, io.EOF
	}
	off := s.win.offset()
	if s.pad > 0 {
		if s.win.skip(s.pad) < s.pad {
			return Frame{}, s.end(off, 1, "the padding of the last record")
		}
		s.pad = 0
		off = s.win.offset()
	}
	b := s.win.peek(snoopRecordHeader)
	if len(b) < snoopRecordHeader {
		return Frame{}, s.end(off, len(b), "a record header")
	}
	wire, captured, length := binary.BigEndian.Uint32(b), binary.BigEndian.Uint32(b[4:]), binary.BigEndian.Uint32(b[8:])
	sec, micro := binary.BigEndian.Uint32(b[16:]), binary.BigEndian.Uint32(b[20:])
	switch {
	case isSnoop(b):
		return Frame{}, s.damage(off, anotherFile)
	case captured > MaxFrame:
		return Frame{}, s.damage(off, fmt.Sprintf("a record claims %d captured bytes, above the limit of %d", captured, MaxFrame))
	case uint64(length) < snoopRecordHeader+uint64(captured):
		return Frame{}, s.damage(off, fmt.Sprintf("a record of %d bytes claims %d captured ones", length, captured))
	case length > captured+maxSnoopPad:
		return Frame{}, s.damage(off, fmt.Sprintf("a record of %d captured bytes claims %d with its padding", captured, length))
	}
	size := snoopRecordHeader + int(captured)
	if b = s.win.peek(size); len(b) < size {
		return Frame{}, s.end(off, len(b), "a record")
	}
	s.win.advance(size)
	s.pad = int64(length) - int64(size)
	s.number++
	return Frame{
		Number: s.number,
		Time:   capture.NewTime(int64(sec)*1e9+int64(micro)*1e3, 6),
		Link:   s.link,
		Length: wireLength(wire, captured),
		Data:   b[snoopRecordHeader:size:size],
		Offset: off,
	}, nil
}

// maxSnoopPad bounds what a record may hold besides its data. RFC 1761 asks for up
// to 3 bytes, Surveyor's trailer has 16; a record length far above is damage.
const maxSnoopPad = 4096

func (s *snoop) damage(off int64, what string) error {
	s.done = true
	return &DamageError{Offset: off, What: what}
}

// end is what next returns where the file ends with have bytes of what, which
// begins at off.
func (s *snoop) end(off int64, have int, what string) error {
	err := s.win.ended(off, have, what)
	s.done = final(err)
	return err
}
