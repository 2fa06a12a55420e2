package stream

// Budget bounds the bytes that all sides and rests sharing it may hold. It is
// not safe for concurrent use.
type Budget struct {
	left    int
	refused bool
}

// NewBudget returns a budget of n bytes.
func NewBudget(n int) *Budget { return &Budget{left: n} }

// Take charges n bytes and reports whether they were there to be had.
func (b *Budget) Take(n int) bool {
	if n > b.left {
		b.refused = true
		return false
	}
	b.left -= n
	return true
}

// Give returns n bytes charged before.
func (b *Budget) Give(n int) { b.left += n }

// Refused reports whether bytes were ever asked for that were not there.
func (b *Budget) Refused() bool { return b.refused }
