package pcap

import (
	"bufio"
	"compress/flate"
	"compress/gzip"
	"errors"
	"io"
)

var gzipMagic = []byte{0x1f, 0x8b, 8}

// unpack makes w a window on what the gzip file in packed holds.
func (w *window) unpack(packed *bufio.Reader) error {
	z, err := gzip.NewReader(packed)
	if err != nil {
		return gzipError(err, 0)
	}
	w.src = unpacked{z, w}
	return nil
}

// unpacked turns gzip's own errors into damage. w is the window it fills.
type unpacked struct {
	z *gzip.Reader
	w *window
}

func (u unpacked) Read(p []byte) (int, error) {
	n, err := u.z.Read(p)
	if err != nil && err != io.EOF {
		err = gzipError(err, u.w.base+int64(u.w.w+n))
	}
	return n, err
}

// gzipError tells a damaged archive from a source that cannot be read; off is
// how many bytes were unpacked.
func gzipError(err error, off int64) error {
	var corrupt flate.CorruptInputError
	switch {
	case errors.Is(err, io.ErrUnexpectedEOF):
		return &DamageError{Offset: off, What: "the gzip archive is cut short by the end of the file"}
	case errors.As(err, &corrupt), errors.Is(err, gzip.ErrChecksum):
		return &DamageError{Offset: off, What: "the gzip archive is corrupt"}
	case errors.Is(err, gzip.ErrHeader):
		return &DamageError{Offset: off, What: "bytes follow the gzip archive that are no gzip header"}
	}
	return err
}
