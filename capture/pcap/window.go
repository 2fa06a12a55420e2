package pcap

import "io"

// windowSize is the size of a Reader's buffer: above MaxFrame with all headers,
// and large enough that moving the unread rest to its front costs nothing.
const windowSize = 1 << 20

// window is the part of the file that is in memory. It differs from a
// bufio.Reader in that it counts the offset and never returns an error together
// with bytes: what peek returns short is all there is, and err says why.
type window struct {
	src  io.Reader
	buf  []byte
	r, w int   // buf[r:w] is unread
	base int64 // offset in the file of buf[0]
	err  error // of src; io.EOF at its end
}

func newWindow(src io.Reader) *window {
	return &window{src: src, buf: make([]byte, windowSize)}
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
		got := len(w.peek(int(min(left, windowSize))))
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
	copy(w.buf, w.buf[w.r:w.w])
	w.base += int64(w.r)
	w.w -= w.r
	w.r = 0
	idle := 0
	for w.w < n && w.err == nil {
		var got int
		got, w.err = w.src.Read(w.buf[w.w:])
		w.w += got
		if got > 0 {
			idle = 0
		} else if idle++; idle == 100 && w.err == nil {
			w.err = io.ErrNoProgress
		}
	}
	return w.buf[:min(w.w, n)]
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
