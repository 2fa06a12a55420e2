package observe

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"io"

	"bulkhead/capture/pcap"
)

// source reads a file once, for its frames and for its SHA-256 at the same time:
// the sum is computed in a goroutine of its own, which Sum ends. It implements
// [pcap.BlockReader], so that what is not packed is not copied for that. It
// cannot be read once its context is done, so that what yields no frames comes to
// an end as well.
type source struct {
	ctx   context.Context
	r     io.Reader
	bytes int64
	read  func(n int) // told of each read
	cores cores

	hash chan hashed
	sum  chan string
}

// hashed is a piece of the file.
type hashed struct {
	bytes []byte
	block *pcap.Block // that it lies in; nil if it is the piece's own
}

// hashAhead is how many pieces may wait for their hash.
const hashAhead = 4

func newSource(ctx context.Context, r io.Reader, c cores, read func(n int)) *source {
	s := &source{ctx: ctx, r: r, read: read, cores: c, hash: make(chan hashed, hashAhead), sum: make(chan string, 1)}
	go func() {
		h := sha256.New()
		for p := range s.hash {
			c.take()
			h.Write(p.bytes)
			c.give()
			if p.block != nil {
				p.block.Done()
			}
		}
		s.sum <- hex.EncodeToString(h.Sum(nil))
	}()
	return s
}

// Read implements io.Reader.
func (s *source) Read(p []byte) (int, error) {
	n, err := s.next(p)
	if n > 0 {
		s.pass(hashed{bytes: append([]byte(nil), p[:n]...)})
	}
	return n, err
}

// ReadBlock implements pcap.BlockReader.
func (s *source) ReadBlock(b *pcap.Block, p []byte) (int, error) {
	n, err := s.next(p)
	if n > 0 {
		b.Keep()
		s.pass(hashed{p[:n], b})
	}
	return n, err
}

// pass hands a piece to the goroutine that hashes, which needs a core.
func (s *source) pass(p hashed) {
	select {
	case s.hash <- p:
	default:
		s.cores.give()
		s.hash <- p
		s.cores.take()
	}
}

func (s *source) next(p []byte) (int, error) {
	if err := s.ctx.Err(); err != nil {
		return 0, err
	}
	n, err := s.r.Read(p)
	s.bytes += int64(n)
	s.read(n)
	return n, err
}

// Sum returns the SHA-256 of all bytes read, in hexadecimal. It is to be called
// once.
func (s *source) Sum() string {
	close(s.hash)
	return <-s.sum
}
