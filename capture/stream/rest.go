package stream

import "slices"

// Rest holds the front of a message whose end has not come yet. The zero value
// holds nothing.
type Rest struct{ buf []byte } // from Budget.buffer

// restIdle is the capacity that a Rest keeps when it is empty.
const restIdle = 4096

// Bytes returns what is held, valid until r is changed.
func (r *Rest) Bytes() []byte { return r.buf }

// Append adds a copy of p. It returns false, and adds nothing, if the budget has
// no room.
func (r *Rest) Append(b *Budget, p []byte) bool {
	if need := len(r.buf) + len(p); need > cap(r.buf) {
		buf := b.buffer(max(need, 2*cap(r.buf)))
		if buf == nil {
			return false
		}
		buf = append(buf, r.buf...)
		r.Free(b)
		r.buf = buf
	}
	r.buf = append(r.buf, p...)
	return true
}

// Consume drops the first n bytes.
func (r *Rest) Consume(b *Budget, n int) {
	r.buf = slices.Delete(r.buf, 0, n)
	if len(r.buf) == 0 && cap(r.buf) > restIdle {
		r.Free(b)
	}
}

// Free drops everything and gives the memory back.
func (r *Rest) Free(b *Budget) {
	if r.buf != nil {
		b.giveBuffer(r.buf)
		r.buf = nil
	}
}
