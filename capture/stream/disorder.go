package stream

import (
	"slices"

	"bulkhead/capture"
)

// disorder is what a side has besides once anything was lost, sent again or out
// of order.
type disorder struct {
	waiting []piece // behind a gap; ascending, disjoint, all beyond next; from Budget.queue
	held    int     // bytes of payload that waiting spans
	crowded bool    // the budget has no room for what waits
	drained []byte  // of the piece handed out last, to be given back

	lost          uint64
	retransmitted uint64
	contradicted  uint64
}

// What these take besides the data of pieces, in bytes.
const (
	disorderSize = 160
	pieceSize    = 80
)

// piece is a run of payload that no earlier segment covered.
type piece struct {
	seq    uint32
	length int
	have   int    // of length, from its front: the rest was not captured or not kept
	data   []byte // these, or none if nobody wants them; of a waiting piece from Budget.buffer
	frame  uint64
	time   capture.Time
}

// disorder returns what s needs when something is not in order.
func (s *Side) disorder() *disorder {
	if s.rare == nil {
		s.rare = s.budget.disorder()
	}
	return s.rare
}

// arrived takes the first of the waiting pieces out, if what was in front of it
// has come or will not come any more. Without waiting pieces, it steps over what
// the other side acknowledged if nothing more will come at all.
func (s *Side) arrived() (piece, bool) {
	if !s.has(waits) {
		s.passFIN()
		if d := distance(s.next, s.acked); s.is&(finishing|started|ackSeen) == finishing|started|ackSeen && d <= reach {
			s.lose(d)
		}
		return piece{}, false
	}
	d := s.rare
	p := d.waiting[0]
	if p.seq != s.next {
		if !s.givenUp() {
			return piece{}, false
		}
		s.lose(distance(s.next, p.seq))
	}
	d.held -= p.length
	if d.waiting = slices.Delete(d.waiting, 0, 1); len(d.waiting) == 0 {
		s.endWait()
	}
	if p.data != nil {
		d.drained = p.data
		s.is |= drained
	}
	return p, true
}

// givenUp reports whether the bytes in front of those waiting will not come.
func (s *Side) givenUp() bool {
	d := s.rare
	return s.has(finishing) || d.crowded || len(d.waiting) > MaxWaiting || d.held > MaxWaitingBytes ||
		s.has(ackSeen) && distance(d.waiting[0].seq, s.acked) >= 0 && distance(s.next, s.acked) <= reach
}

// insert adds those parts of p to waiting that nothing there covers, and returns
// how many bytes they span.
func (s *Side) insert(p piece) (fresh int) {
	d := s.disorder()
	for i := 0; p.length > 0; i++ {
		if i == len(d.waiting) {
			s.keep(i, p)
			return fresh + p.length
		}
		w := &d.waiting[i]
		if free := distance(p.seq, w.seq); free > 0 {
			head := p
			head.trim(free)
			p.cut(head.length)
			s.keep(i, head)
			fresh += head.length
			i++
			w = &d.waiting[i]
		}
		if over := min(distance(p.seq, w.seq+uint32(w.length)), p.length); over > 0 {
			d.retransmitted += uint64(over)
			if into := distance(w.seq, p.seq); into < len(w.data) {
				d.contradicted += uint64(differing(w.data[into:], p.data[:min(over, len(p.data))]))
			}
			p.cut(over)
		}
	}
	return fresh
}

// differing counts the places at which a and b differ, as far as both go.
func differing(a, b []byte) int {
	n := 0
	for i := range min(len(a), len(b)) {
		if a[i] != b[i] {
			n++
		}
	}
	return n
}

// keep puts a copy of p in front of the waiting piece i.
func (s *Side) keep(i int, p piece) {
	d := s.rare
	s.bytes += uint64(p.length)
	d.held += p.length
	data := p.data
	p.data = nil
	if !s.has(discard) && len(data) > 0 {
		if buf := s.budget.buffer(len(data)); buf != nil {
			p.data = append(buf, data...)
		} else {
			p.have = 0
		}
	}
	if len(d.waiting) == cap(d.waiting) {
		more, paid := s.budget.queue(max(minQueue, 2*cap(d.waiting)))
		d.crowded = d.crowded || !paid
		more = append(more, d.waiting...)
		if d.waiting != nil {
			s.budget.giveQueue(d.waiting)
		}
		d.waiting = more
	}
	d.waiting = slices.Insert(d.waiting, i, p)
	s.is |= waits
}

// endWait gives the memory of waiting back, which is empty.
func (s *Side) endWait() {
	d := s.rare
	s.budget.giveQueue(d.waiting)
	d.waiting, d.crowded = nil, false
	s.is &^= waits
}

// release gives the bytes of the last chunk back.
func (s *Side) release() {
	if s.has(drained) {
		s.budget.giveBuffer(s.rare.drained)
		s.rare.drained = nil
		s.is &^= drained
	}
}

// drop forgets all that is held.
func (s *Side) drop() {
	s.release()
	if !s.has(waits) {
		return
	}
	for _, p := range s.rare.waiting {
		if p.data != nil {
			s.budget.giveBuffer(p.data)
		}
	}
	s.endWait()
	s.rare.held = 0
}

// cut drops n bytes from the front of p.
func (p *piece) cut(n int) {
	p.seq += uint32(n)
	p.length -= n
	p.have -= min(n, p.have)
	p.data = p.data[min(n, len(p.data)):]
}

// trim drops all but n bytes, if p is longer.
func (p *piece) trim(n int) {
	p.length = min(p.length, n)
	p.have = min(p.have, n)
	p.data = p.data[:min(len(p.data), n)]
}
