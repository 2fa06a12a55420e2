package observe

import (
	"crypto/sha256"
	"encoding/hex"
	"io"
)

const (
	blockSize = 256 << 10
	blocks    = 4
)

// source reads a file once, for its frames and for its SHA-256 at the same time:
// the sum is computed in a goroutine of its own, which Sum ends.
type source struct {
	r     io.Reader
	bytes int64
	read  func(n int) // told of each read

	block []byte
	full  chan []byte
	empty chan []byte
	sum   chan string
}

func newSource(r io.Reader, read func(n int)) *source {
	s := &source{r: r, read: read, full: make(chan []byte, blocks), empty: make(chan []byte, blocks), sum: make(chan string, 1)}
	s.block = make([]byte, 0, blockSize)
	for range blocks - 1 {
		s.empty <- nil
	}
	go func() {
		h := sha256.New()
		for b := range s.full {
			h.Write(b)
			s.empty <- b[:0]
		}
		s.sum <- hex.EncodeToString(h.Sum(nil))
	}()
	return s
}

// Read implements io.Reader.
func (s *source) Read(p []byte) (int, error) {
	n, err := s.r.Read(p)
	s.bytes += int64(n)
	for b := p[:n]; len(b) > 0; {
		k := copy(s.block[len(s.block):cap(s.block)], b)
		s.block = s.block[:len(s.block)+k]
		b = b[k:]
		if len(s.block) == cap(s.block) {
			s.full <- s.block
			if s.block = <-s.empty; s.block == nil {
				s.block = make([]byte, 0, blockSize)
			}
		}
	}
	s.read(n)
	return n, err
}

// Sum returns the SHA-256 of all bytes read, in hexadecimal. It is to be called
// once.
func (s *source) Sum() string {
	s.full <- s.block
	close(s.full)
	return <-s.sum
}
