package pcap

import "io"

const (
	// readSize is how much a window reads at a time. A core's second-level cache
	// holds it until its frames are looked at; larger reads cost less themselves,
	// and as much in all.
	readSize = 256 << 10

	// windowSize is the size of a Block: one read behind the largest frame with
	// all headers that the read before may have left unfinished.
	windowSize = readSize + MaxFrame + 4<<10
)

// window is the part of the file that is in memory. It differs from a
// bufio.Reader in that it counts the offset, can leave its buffer to others, and
// never returns an error together with bytes: what peek returns short is all there
// is, and err says why.
type window struct {
	src    io.Reader
	keeper BlockReader // src, if it is one
	free   *blocks
	block  *Block
	buf    []byte // of block
	r, w   int    // buf[r:w] is unread
	full   int    // up to which buf is filled before what is unread moves to the front
	base   int64  // offset in the file of buf[0]
	err    error  // of src; io.EOF at its end
}

func newWindow(src io.Reader) *window {
	w := &window{free: new(blocks)}
	w.begin(src)
	return w
}

// begin makes w a window on the start of src, in a block that is not the one
// before.
func (w *window) begin(src io.Reader) {
	b := w.free.take()
	keeper, _ := src.(BlockReader)
	*w = window{src: src, keeper: keeper, free: w.free, block: b, buf: b.buf}
}

// offset is that of the next unread byte.
func (w *window) offset() int64 { return w.base + int64(w.r) }

// peek returns the next n bytes, at most windowSize, without consuming them, or
// fewer if the file ends before.
func (w *window) peek(n int) []byte {
	if w.w-w.r < n {
		return w.fill(n)
	}
	return w.buf[w.r : w.r+n]
}

// advance consumes n bytes that peek returned.
func (w *window) advance(n int) { w.r += n }

// skip consumes n bytes of any number and reports how many there were.
func (w *window) skip(n int64) int64 {
	left := n
	for left > 0 {
		got := len(w.peek(int(min(left, readSize))))
		if got == 0 {
			break
		}
		w.advance(got)
		left -= int64(got)
	}
	return n - left
}

// final reports whether nothing but io.EOF can follow err. An error of the
// source is met again, and returned again, by reading on.
func final(err error) bool {
	if err == io.EOF {
		return true
	}
	_, damage := err.(*DamageError)
	return damage
}

// fill is peek's way when bytes must be read.
func (w *window) fill(n int) []byte {
	if w.r+n > w.full && w.err == nil {
		w.makeRoom(n)
	}
	idle := 0
	for w.w-w.r < n && w.err == nil {
		got := w.read(w.buf[w.w:w.full])
		w.w += got
		if got > 0 {
			idle = 0
		} else if idle++; idle == 100 && w.err == nil {
			w.err = io.ErrNoProgress
		}
	}
	return w.buf[w.r:min(w.w, w.r+n)]
}

// makeRoom moves what is unread to the front: of the same block, or of another if
// somebody keeps it.
func (w *window) makeRoom(n int) {
	rest := w.buf[w.r:w.w]
	if !w.block.alone() {
		b := w.free.take()
		copy(b.buf, rest)
		w.block.Done()
		w.block, w.buf = b, b.buf
	} else {
		copy(w.buf, rest)
	}
	w.base += int64(w.r)
	w.r, w.w = 0, len(rest)
	w.full = max(n, min(w.w+readSize, windowSize))
}

func (w *window) read(p []byte) (n int) {
	if w.keeper != nil {
		n, w.err = w.keeper.ReadBlock(w.block, p)
	} else {
		n, w.err = w.src.Read(p)
	}
	return n
}

// close gives the block up.
func (w *window) close() {
	if w.block != nil {
		w.block.Done()
	}
	*w = window{err: io.EOF, free: w.free}
}

// ended says what it means that the file ends while have bytes of what, which
// begins at off, are there: io.EOF if none is, damage if some are, or the error
// of the source.
func (w *window) ended(off int64, have int, what string) error {
	switch {
	case w.err != io.EOF:
		return w.err
	case have == 0:
		return io.EOF
	default:
		return &DamageError{Offset: off, What: what + " is cut short by the end of the file"}
	}
}
