package pcap

import (
	"encoding/binary"
	"fmt"
	"io"
	"math"

	"bulkhead/capture"
)

// WriterOptions describe the one interface of a file to be written.
type WriterOptions struct {
	Interface  string   // its name, at most 255 bytes; none is written if empty
	Link       LinkType // of every frame
	Nanosecond bool     // resolution of times; microseconds otherwise
}

// Writer writes a pcapng file of one section and one interface, little-endian,
// whose bytes depend on nothing but what it is given: no date, no host, no name
// of a program. It does not buffer: every frame is one Write.
type Writer struct {
	w    io.Writer
	unit int64 // nanoseconds
	buf  []byte
}

// NewWriter writes the head of a file to w.
func NewWriter(w io.Writer, o WriterOptions) (*Writer, error) {
	if len(o.Interface) > 255 {
		return nil, fmt.Errorf("interface name %q: %d bytes, expected at most 255", o.Interface, len(o.Interface))
	}
	le := binary.LittleEndian
	b := le.AppendUint32(nil, blockSection)
	b = le.AppendUint32(b, sectionBytes)
	b = le.AppendUint32(b, byteOrderMagic)
	b = le.AppendUint16(b, 1)
	b = le.AppendUint16(b, 0)
	b = le.AppendUint64(b, math.MaxUint64) // section length: not known
	b = le.AppendUint32(b, sectionBytes)

	pw := &Writer{w: w, unit: 1000}
	resolution := byte(6)
	if o.Nanosecond {
		pw.unit, resolution = 1, 9
	}
	in := le.AppendUint16(nil, uint16(o.Link))
	in = le.AppendUint16(in, 0)
	in = le.AppendUint32(in, 0) // no snap length
	if o.Interface != "" {
		in = appendOption(in, optName, []byte(o.Interface))
	}
	in = appendOption(in, optTSResol, []byte{resolution})
	in = appendOption(in, optEnd, nil)
	_, err := w.Write(appendBlock(b, blockInterface, in))
	return pw, err
}

// WriteFrame writes one frame of which data were captured and length bytes were
// on the wire. A time finer than the file's resolution is cut; a frame without
// a time becomes a Simple Packet Block, which cannot hold a frame cut short.
func (w *Writer) WriteFrame(t capture.Time, data []byte, length int) error {
	switch {
	case length < len(data) || length > math.MaxInt32:
		return fmt.Errorf("frame of %d captured bytes: length %d on the wire, expected at least as many and less than 2^31", len(data), length)
	case len(data) > MaxFrame:
		return fmt.Errorf("frame of %d captured bytes, expected at most %d", len(data), MaxFrame)
	case t.IsZero() && length != len(data):
		return fmt.Errorf("frame of %d bytes cut to %d: a frame without a time must be whole", length, len(data))
	case t.UnixNano() < 0:
		return fmt.Errorf("frame at %s, expected a time since 1970", t)
	}
	le := binary.LittleEndian
	w.buf = w.buf[:0]
	kind := uint32(blockSimple)
	header := make([]byte, 0, packetData-8)
	if !t.IsZero() {
		kind = blockEnhanced
		ts := uint64(t.UnixNano() / w.unit)
		header = le.AppendUint32(header, 0) // interface
		header = le.AppendUint32(header, uint32(ts>>32))
		header = le.AppendUint32(header, uint32(ts))
		header = le.AppendUint32(header, uint32(len(data)))
	}
	header = le.AppendUint32(header, uint32(length))
	w.buf = appendBlock(w.buf, kind, header, data)
	_, err := w.w.Write(w.buf)
	return err
}

// appendBlock appends a block of the type kind whose body is parts, padded.
func appendBlock(b []byte, kind uint32, parts ...[]byte) []byte {
	size := 0
	for _, p := range parts {
		size += len(p)
	}
	total := roundUp(uint32(size)) + minBlock
	b = binary.LittleEndian.AppendUint32(b, kind)
	b = binary.LittleEndian.AppendUint32(b, total)
	for _, p := range parts {
		b = append(b, p...)
	}
	for range (4 - size%4) % 4 {
		b = append(b, 0)
	}
	return binary.LittleEndian.AppendUint32(b, total)
}

func appendOption(b []byte, code uint16, value []byte) []byte {
	b = binary.LittleEndian.AppendUint16(b, code)
	b = binary.LittleEndian.AppendUint16(b, uint16(len(value)))
	b = append(b, value...)
	for range (4 - len(value)%4) % 4 {
		b = append(b, 0)
	}
	return b
}
