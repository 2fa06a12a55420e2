package pcap

import (
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
	Format string // "btsnoop", "zip archive"
}

func (e *FormatError) Error() string {
	return fmt.Sprintf("%s is a format that is not read; expected pcap, pcapng, snoop or ERF", e.Format)
}

// DamageError says where a capture file contradicts its format.
type DamageError struct {
	Offset int64 // of the record or block, in the unpacked file
	What   string
}

func (e *DamageError) Error() string {
	return fmt.Sprintf("offset %d: %s", e.Offset, e.What)
}

// Reader hands out the frames of one capture file.
type Reader struct {
	format string
	win    *window
	packed *unpacked                          // nil for a file that is not packed
	file   interface{ next() (Frame, error) } // *classic, *ng, *snoop or *erf
}

// NewReader reads the head of the capture in r, unpacking it if it is packed. The
// error is [ErrNotCapture], a [*FormatError], a [*DamageError] if the head itself
// is damaged, or that of r. It reads ahead of what Next returns.
//
// If r is a [BlockReader], its ReadBlock is called instead of Read: for all of a
// file that is not packed, for the first bytes of one that is.
func NewReader(r io.Reader) (*Reader, error) {
	pr := &Reader{win: newWindow(r)}
	if err := pr.open(); err != nil {
		pr.Close()
		return nil, err
	}
	return pr, nil
}

func (r *Reader) open() (err error) {
	w := r.win
	pack := packing(w.peek(packerBytes))
	if pack != nil {
		if r.packed, err = w.unpack(pack); err != nil {
			return err
		}
	}
	head := w.peek(packerBytes)
	if isSectionHeader(head) {
		r.format, r.file = "pcapng", newNG(w)
	} else if v, ok := classicVariant(head); ok {
		r.format = "pcap"
		r.file, err = newClassic(w, v)
	} else if isSnoop(head) {
		r.format = "snoop"
		r.file, err = newSnoop(w)
	} else if isERF(w) {
		r.format, r.file = "erf", &erf{win: w}
	} else {
		return r.unknown(pack)
	}
	if pack != nil {
		r.format = pack.name + " " + r.format
	}
	return err
}

// unknown says why a file cannot be read that pack packs, or nothing.
func (r *Reader) unknown(pack *packer) error {
	if err := r.win.err; err != nil && err != io.EOF {
		return err
	}
	head := r.win.peek(otherFormatBytes)
	if inner := packing(head); inner != nil {
		return &FormatError{Format: inner.name + " archive inside a " + pack.name + " archive"}
	}
	if name := otherFormat(head); name != "" {
		return &FormatError{Format: name}
	}
	return ErrNotCapture
}

// Format returns "pcap", "pcapng", "snoop" or "erf", with what packs it in front:
// "gzip pcap", "zstd pcapng".
func (r *Reader) Format() string { return r.format }

// Next returns the next frame; its Data are valid until the next call, or as long
// as the caller keeps the [Block] that they lie in.
//
// The error is io.EOF behind the last frame; a [*DamageError] where the file is
// damaged, after which Next may be called again and returns what follows, if
// anything can be trusted, or io.EOF; or the error of the source, for good.
func (r *Reader) Next() (Frame, error) { return r.file.next() }

// Block returns the block that holds the Data of the frame that Next returned
// last.
func (r *Reader) Block() *Block { return r.win.block }

// Close lets go of the Reader's memory and of what unpacks the file; the source
// stays open. Blocks that were kept stay valid. Next must not be called again.
func (r *Reader) Close() {
	if r.packed != nil {
		r.packed.r.Close() // the error, if any, is one that Next has told
		r.packed = nil
	}
	r.win.close()
}
