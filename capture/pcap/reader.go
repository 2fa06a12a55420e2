package pcap

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
)

// MaxFrame is the most bytes of one frame that a Reader hands out.
const MaxFrame = 256 << 10

// ErrNotCapture is returned by NewReader for a file that is neither a capture
// nor an archive that it knows.
var ErrNotCapture = errors.New("not a capture file")

// FormatError is returned by NewReader for a capture or an archive in a format
// that it knows but does not read.
type FormatError struct {
	Format string // "snoop", "zstd archive"
}

func (e *FormatError) Error() string {
	return fmt.Sprintf("%s is a format that is not read; expected pcap or pcapng", e.Format)
}

// DamageError says where a capture file contradicts its format.
type DamageError struct {
	Offset int64 // of the record or block, in the unpacked file
	What   string
}

func (e *DamageError) Error() string {
	return fmt.Sprintf("offset %d: %s", e.Offset, e.What)
}

// packedSize is the buffer in front of gzip. What is not packed passes it by,
// except for the first bytes.
const packedSize = 64 << 10

// Reader hands out the frames of one capture file.
type Reader struct {
	format string
	file   interface{ next() (Frame, error) } // *classic or *ng
}

// NewReader reads the head of the capture in r, unpacking gzip. The error is
// [ErrNotCapture], a [*FormatError], a [*DamageError] if the head itself is
// damaged, or that of r. It reads ahead of what Next returns.
func NewReader(r io.Reader) (*Reader, error) {
	src := bufio.NewReaderSize(r, packedSize)
	w := newWindow(src)
	// An error of Peek is met again by whoever reads on.
	if magic, _ := src.Peek(len(gzipMagic)); bytes.Equal(magic, gzipMagic) {
		if err := w.unpack(src); err != nil {
			return nil, err
		}
	}
	head := w.peek(12)
	if isSectionHeader(head) {
		return &Reader{format: "pcapng", file: newNG(w)}, nil
	}
	if v, ok := classicVariant(head); ok {
		c, err := newClassic(w, v)
		if err != nil {
			return nil, err
		}
		return &Reader{format: "pcap", file: c}, nil
	}
	if w.err != nil && w.err != io.EOF {
		return nil, w.err
	}
	if name := otherFormat(w.peek(otherFormatBytes)); name != "" {
		return nil, &FormatError{Format: name}
	}
	return nil, ErrNotCapture
}

// Format returns "pcap" or "pcapng".
func (r *Reader) Format() string { return r.format }

// Next returns the next frame; its Data are valid until the next call.
//
// The error is io.EOF behind the last frame; a [*DamageError] where the file is
// damaged, after which Next may be called again and returns what follows, if
// anything can be trusted, or io.EOF; or the error of the source, for good.
func (r *Reader) Next() (Frame, error) { return r.file.next() }
