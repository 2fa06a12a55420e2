package wire

import (
	"encoding/binary"
	"io"
)

// Sizes of a classic pcap file and of Ethernet, in bytes.
const (
	FileHeaderSize   = 24
	RecordHeaderSize = 16
	minFrame         = 60 // Ethernet's least frame, its check sequence left out
)

// AppendFileHeader appends the header of a classic pcap file of Ethernet frames:
// little-endian, microseconds, frames of up to 65,535 bytes.
//
// Source: draft-ietf-opsawg-pcap, 4.
func AppendFileHeader(b []byte) []byte {
	le := binary.LittleEndian
	b = le.AppendUint32(b, 0xa1b2c3d4)
	b = le.AppendUint16(b, 2)
	b = le.AppendUint16(b, 4)
	b = le.AppendUint32(b, 0)
	b = le.AppendUint32(b, 0)
	b = le.AppendUint32(b, 65535)
	return le.AppendUint32(b, 1)
}

// BeginRecord appends the header of a frame captured at a time in microseconds
// since 1970. The frame follows it; EndRecord fills in its length.
func BeginRecord(b []byte, at int64) []byte {
	le := binary.LittleEndian
	b = le.AppendUint32(b, uint32(at/1_000_000))
	b = le.AppendUint32(b, uint32(at%1_000_000))
	return le.AppendUint64(b, 0)
}

// EndRecord pads the frame behind the record header at start to the least length
// of Ethernet and writes its length into that header.
func EndRecord(b []byte, start int) []byte {
	for len(b) < start+RecordHeaderSize+minFrame {
		b = append(b, 0)
	}
	size := uint32(len(b) - start - RecordHeaderSize)
	binary.LittleEndian.PutUint32(b[start+8:], size)
	binary.LittleEndian.PutUint32(b[start+12:], size)
	return b
}

// Reader reads a capture that is made while it is read. It holds no more than a
// few frames beyond a fixed buffer.
type Reader struct {
	buf  []byte
	read int // bytes of buf that were handed out
	next func(b []byte) []byte
}

// readAhead is how many bytes are made at a time.
const readAhead = 256 << 10

// NewReader returns a reader of head followed by what next appends, until a call
// of it appends nothing.
func NewReader(head []byte, next func(b []byte) []byte) *Reader {
	return &Reader{buf: append(make([]byte, 0, readAhead+(64<<10)), head...), next: next}
}

// Read implements [io.Reader].
func (r *Reader) Read(p []byte) (int, error) {
	if r.read == len(r.buf) {
		if r.next == nil {
			return 0, io.EOF
		}
		r.buf, r.read = r.buf[:0], 0
	}
	for r.next != nil && len(r.buf) < readAhead {
		n := len(r.buf)
		if r.buf = r.next(r.buf); len(r.buf) == n {
			r.next = nil
		}
	}
	if r.read == len(r.buf) {
		return 0, io.EOF
	}
	n := copy(p, r.buf[r.read:])
	r.read += n
	return n, nil
}

// Close implements [io.Closer].
func (r *Reader) Close() error {
	r.next, r.buf, r.read = nil, nil, 0
	return nil
}
