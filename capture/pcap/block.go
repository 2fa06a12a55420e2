package pcap

import (
	"io"
	"sync"
	"sync/atomic"
)

// Block is memory that frames of a Reader lie in. It is shared between those who
// read it: the Reader writes over a block only while nobody else keeps it, and
// goes on in another one otherwise.
//
// Keep may be called by whoever may read the block: the caller of Next until its
// next call, a [BlockReader] inside ReadBlock, and anyone while a Keep of their own
// has not met its Done. Both methods may be called from any goroutine.
type Block struct {
	buf  []byte
	refs atomic.Int32 // users, the Reader included while it reads into the block
	home *blocks
}

// Keep adds a user: what was read into the block stays as it is until Done.
func (b *Block) Keep() { b.refs.Add(1) }

// Done takes a user away. The last one gives the memory back to the Reader.
func (b *Block) Done() {
	switch n := b.refs.Add(-1); {
	case n == 0:
		b.home.put(b)
	case n < 0:
		panic("pcap: Block.Done without Block.Keep")
	}
}

// alone reports whether the Reader is the block's one user. Nobody can become
// another while it asks.
func (b *Block) alone() bool { return b.refs.Load() == 1 }

// BlockReader is a source that is told in which block the bytes that it reads lie,
// so that it can keep them for purposes of its own, such as a checksum in
// another goroutine.
type BlockReader interface {
	io.Reader

	// ReadBlock is Read into p, a part of b. If the source wants to look at
	// what it read after it returned, it must Keep b before.
	ReadBlock(b *Block, p []byte) (int, error)
}

// maxFree is how many blocks that nobody uses a Reader holds on to. How many are
// in use is up to those who keep them.
const maxFree = 16

// blocks are those of one Reader that nobody uses.
type blocks struct {
	mu   sync.Mutex
	free []*Block
}

// take returns a block whose one user is the caller.
func (s *blocks) take() *Block {
	s.mu.Lock()
	defer s.mu.Unlock()
	var b *Block
	if n := len(s.free); n > 0 {
		b, s.free = s.free[n-1], s.free[:n-1]
	} else {
		b = &Block{buf: make([]byte, windowSize), home: s}
	}
	b.refs.Store(1)
	return b
}

func (s *blocks) put(b *Block) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.free) < maxFree {
		s.free = append(s.free, b)
	}
}
