package stream

import "math/bits"

// Budget bounds the bytes that all sides, rests and fragments sharing it may
// hold, and keeps what they gave back for the next of them. It is not safe for
// concurrent use.
type Budget struct {
	left    int
	refused bool

	idle      int // bytes of payload in buffers that nobody holds
	buffers   [bufferSizes][][]byte
	queues    [queueSizes][][]piece
	disorders []*disorder
}

// NewBudget returns a budget of n bytes.
func NewBudget(n int) *Budget { return &Budget{left: n} }

// Take charges n bytes and reports whether they were there to be had.
func (b *Budget) Take(n int) bool {
	if !b.room(n) {
		return false
	}
	b.left -= n
	return true
}

// room reports whether there are n bytes to be had.
func (b *Budget) room(n int) bool {
	if n > 0 && n > b.left {
		b.refused = true
		return false
	}
	return true
}

// Give returns n bytes charged before.
func (b *Budget) Give(n int) { b.left += n }

// Refused reports whether bytes were ever asked for that were not there.
func (b *Budget) Refused() bool { return b.refused }

// Buffers have sizes that are powers of two, so that any can be used again.
const (
	minBuffer   = 64
	maxBuffer   = 1 << 16 // the longest IP packet; longer ones are made to measure
	bufferSizes = 11
	maxIdle     = 1 << 20 // not charged, so that it cannot stand in the way of what is
)

// bufferSize returns the size of a buffer for n bytes.
func bufferSize(n int) int {
	if n > maxBuffer {
		return n
	}
	return max(minBuffer, 1<<bits.Len(uint(n-1)))
}

// bufferShelf returns where buffers of a size are kept.
func bufferShelf(size int) int { return bits.Len(uint(size/minBuffer)) - 1 }

// buffer returns an empty buffer with room for n bytes, n being above 0, and
// charges all of it. It returns nil if there is no room.
func (b *Budget) buffer(n int) []byte {
	size := bufferSize(n)
	if !b.Take(size) {
		return nil
	}
	if size <= maxBuffer {
		shelf := &b.buffers[bufferShelf(size)]
		if last := len(*shelf) - 1; last >= 0 {
			buf := (*shelf)[last]
			*shelf = (*shelf)[:last]
			b.idle -= size
			return buf
		}
	}
	return make([]byte, 0, size)
}

// giveBuffer takes back what buffer returned, longer or shorter by now, but with
// the same capacity.
func (b *Budget) giveBuffer(buf []byte) {
	size := cap(buf)
	b.Give(size)
	if size <= maxBuffer && b.idle+size <= maxIdle {
		shelf := &b.buffers[bufferShelf(size)]
		*shelf = append(*shelf, buf[:0])
		b.idle += size
	}
}

// Queues of pieces have sizes that are powers of two as well. A side holds few
// more than MaxWaiting pieces, so none is larger than twice that for long.
const (
	minQueue   = 4
	queueSizes = 6
	maxQueues  = 64 // kept of each size
)

// queueShelf returns where queues of a size are kept.
func queueShelf(size int) int { return bits.Len(uint(size/minQueue)) - 1 }

// queue returns an empty queue for size pieces, a power of two from minQueue on.
// It reports whether the budget had room; without, the queue is overdrawn.
func (b *Budget) queue(size int) (q []piece, paid bool) {
	if paid = b.Take(size * pieceSize); !paid {
		b.left -= size * pieceSize
	}
	if n := queueShelf(size); n < queueSizes {
		shelf := &b.queues[n]
		if last := len(*shelf) - 1; last >= 0 {
			q = (*shelf)[last]
			*shelf = (*shelf)[:last]
			return q, paid
		}
	}
	return make([]piece, 0, size), paid
}

// giveQueue takes back what queue returned.
func (b *Budget) giveQueue(q []piece) {
	b.Give(cap(q) * pieceSize)
	if n := queueShelf(cap(q)); n < queueSizes && len(b.queues[n]) < maxQueues {
		clear(q)
		b.queues[n] = append(b.queues[n], q[:0])
	}
}

// disorder returns an empty one. There are at most as many as sides, which their
// owner bounds; a budget without room for it is overdrawn, because a side that
// could not count would be worse.
func (b *Budget) disorder() *disorder {
	b.left -= disorderSize
	if last := len(b.disorders) - 1; last >= 0 {
		d := b.disorders[last]
		b.disorders = b.disorders[:last]
		return d
	}
	return new(disorder)
}

// giveDisorder takes back what disorder returned.
func (b *Budget) giveDisorder(d *disorder) {
	b.left += disorderSize
	*d = disorder{}
	b.disorders = append(b.disorders, d)
}
