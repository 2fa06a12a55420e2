package stream

import (
	"slices"

	"bulkhead/capture"
)

// Bounds on what one side may have waiting behind a gap. When either is reached,
// the gap counts as lost.
const (
	MaxWaiting      = 64      // segments
	MaxWaitingBytes = 1 << 18 // of payload
)

// A segment that lies further than reach from where the side stands is taken for
// a stray: forged, damaged, or of another connection on the same ports. After
// maxStrays of them in a row the side goes on from the next.
//
// The largest window that TCP can announce is 1 GiB (RFC 7323, 2.3), but what is
// in flight at a time on any network that people capture is far less.
const (
	reach     = 1 << 24
	maxStrays = 3
)

// Segment is what one TCP segment says about the side that sent it.
type Segment struct {
	Seq      uint32
	SYN, FIN bool
	Data     []byte // the payload as far as it was captured; only read until the next Push
	Length   int    // of the payload on the wire; at least len(Data)
	Frame    uint64
	Time     capture.Time
}

// Chunk is a run of bytes in order.
type Chunk struct {
	Data  []byte // valid until the next call of Push or Next
	Lost  bool   // bytes are missing in front of Data
	Frame uint64 // that Data was captured in
	Time  capture.Time
}

// Side orders what one end of a connection sent. The zero value is not ready:
// Reset comes first. After each Push, Acked or Finish, Next is to be called while
// Ready and until it has no more.
type Side struct {
	budget  *Budget
	waiting []piece // behind a gap; ascending, disjoint, all beyond next; its capacity is charged to the budget
	unpaid  int     // of that capacity, what the budget had no room for
	held    int     // bytes of payload that waiting spans
	now     piece   // at next, when ready
	ready   bool

	started   bool // next is known
	fromSYN   bool
	ackSeen   bool
	advanced  bool
	finSeen   bool
	discard   bool
	finishing bool
	crowded   bool // the budget has no room for what waits
	gap       bool // bytes are missing in front of the next chunk
	strays    uint8

	next  uint32 // sequence number of the next byte to hand out
	acked uint32 // highest acknowledgement by the other side
	fin   uint32 // sequence number behind the last byte

	bytes         uint64
	lost          uint64
	retransmitted uint64
	drained       []byte // of the piece handed out last, to be given back
}

// piece is a run of payload that no earlier segment covered.
type piece struct {
	seq    uint32
	length int
	data   []byte // shorter than length if the rest was not captured or not kept
	owned  bool   // data is a copy, charged to the budget
	void   bool   // data is not wanted, so nothing of it is missing
	frame  uint64
	time   capture.Time
}

// Reset makes s ready for a new connection. What it still held is dropped.
func (s *Side) Reset(b *Budget) {
	s.drop()
	*s = Side{budget: b}
}

// Discard tells that the bytes themselves are not wanted any more: from now on s
// only counts, and Chunk.Data may lack.
func (s *Side) Discard() { s.discard = true }

// Push takes a segment.
func (s *Side) Push(seg *Segment) {
	s.release()
	seq := seg.Seq
	if seg.SYN {
		seq++
		if !s.started {
			s.start(seq)
			s.fromSYN = true
			if s.ackSeen && distance(seq, s.acked) > 0 {
				s.advanced = true
			}
		}
	}
	if !s.started {
		if seg.Length == 0 {
			return // it could be a keep-alive, one byte behind
		}
		s.start(seq)
	}
	if d := distance(s.next, seq); d > reach || d < -reach {
		if s.strays < maxStrays {
			s.strays++
			return
		}
		s.drop()
		s.next, s.gap, s.finSeen = seq, true, false
	}
	s.strays = 0
	if seg.FIN && !s.finSeen {
		s.finSeen, s.fin = true, seq+uint32(seg.Length)
	}
	if seg.Length == 0 {
		s.passFIN()
		return
	}
	p := piece{seq: seq, length: seg.Length, data: seg.Data, frame: seg.Frame, time: seg.Time}
	if behind := -distance(s.next, seq); behind > 0 {
		behind = min(behind, p.length)
		s.retransmitted += uint64(behind)
		p.cut(behind)
	}
	switch {
	case p.length == 0:
	case p.seq == s.next && (len(s.waiting) == 0 || distance(p.seq+uint32(p.length), s.waiting[0].seq) >= 0):
		s.bytes += uint64(p.length)
		s.now, s.ready = p, true
	default:
		s.insert(p)
	}
}

func (s *Side) start(seq uint32) { s.started, s.next = true, seq }

// Acked takes an acknowledgement number that the other side sent.
func (s *Side) Acked(ack uint32) {
	s.release()
	if !s.ackSeen {
		s.ackSeen, s.acked = true, ack
		s.advanced = s.fromSYN && distance(s.next, ack) > 0
		return
	}
	d := distance(s.acked, ack)
	switch {
	case d > reach || d < -reach:
		s.acked = ack // of another connection, or never meant seriously
	case d > 0:
		s.acked, s.advanced = ack, true
		if !s.started {
			s.lost += uint64(d)
		}
	}
}

// Finish tells that nothing more will come: gaps that are still open are lost,
// and so are bytes that the other side acknowledged and nobody captured.
func (s *Side) Finish() {
	s.release()
	s.finishing = true
}

// Ready reports whether Next may have something.
func (s *Side) Ready() bool { return s.ready || len(s.waiting) > 0 || s.finishing }

// Next hands out the next run of bytes, if there is one.
func (s *Side) Next() (Chunk, bool) {
	s.release()
	if !s.ready {
		if len(s.waiting) == 0 {
			s.passFIN()
			if d := distance(s.next, s.acked); s.finishing && s.started && s.ackSeen && d <= reach {
				s.lose(d)
			}
			return Chunk{}, false
		}
		first := &s.waiting[0]
		if first.seq != s.next {
			if !s.givenUp() {
				return Chunk{}, false
			}
			s.lose(distance(s.next, first.seq))
		}
		s.now = *first
		s.held -= first.length
		if s.waiting = slices.Delete(s.waiting, 0, 1); len(s.waiting) == 0 {
			s.freeWaiting()
		}
	}
	s.ready = false
	p := &s.now
	c := Chunk{Data: p.data, Lost: s.gap, Frame: p.frame, Time: p.time}
	s.gap = false
	if p.void {
		s.next = p.seq + uint32(p.length)
	} else {
		s.next = p.seq + uint32(len(p.data))
		s.lose(p.length - len(p.data))
	}
	if p.owned {
		s.drained = p.data
	}
	s.passFIN()
	return c, true
}

// givenUp reports whether the bytes in front of those waiting will not come.
func (s *Side) givenUp() bool {
	return s.finishing || s.crowded || len(s.waiting) > MaxWaiting || s.held > MaxWaitingBytes ||
		s.ackSeen && distance(s.waiting[0].seq, s.acked) >= 0 && distance(s.next, s.acked) <= reach
}

// lose steps over n bytes that the capture does not hold.
func (s *Side) lose(n int) {
	if n <= 0 {
		return
	}
	s.lost += uint64(n)
	s.next += uint32(n)
	s.gap = true
}

// passFIN steps over the FIN, which takes one sequence number.
func (s *Side) passFIN() {
	if s.finSeen && s.next == s.fin {
		s.next++
	}
}

// Open reports whether the side's first byte is known from its SYN.
func (s *Side) Open() bool { return s.fromSYN }

// Acknowledged reports whether the other side acknowledged payload of this one,
// be it in the capture or not.
func (s *Side) Acknowledged() bool { return s.advanced }

// Bytes returns how many bytes of payload were captured on the wire, each
// counted once.
func (s *Side) Bytes() uint64 { return s.bytes }

// Lost returns how many bytes are missing: skipped because later ones had come,
// or acknowledged by the other side and not captured.
func (s *Side) Lost() uint64 { return s.lost }

// insert adds those parts of p to waiting that nothing there covers.
func (s *Side) insert(p piece) {
	for i := 0; p.length > 0; i++ {
		if i == len(s.waiting) {
			s.keep(i, p)
			return
		}
		w := &s.waiting[i]
		if free := distance(p.seq, w.seq); free > 0 {
			head := p
			head.trim(free)
			p.cut(head.length)
			s.keep(i, head)
			i++
			w = &s.waiting[i]
		}
		if over := min(distance(p.seq, w.seq+uint32(w.length)), p.length); over > 0 {
			s.retransmitted += uint64(over)
			p.cut(over)
		}
	}
}

// keep puts a copy of p in front of waiting[i].
func (s *Side) keep(i int, p piece) {
	s.bytes += uint64(p.length)
	s.held += p.length
	switch {
	case s.discard:
		p.data, p.void = nil, true
	case s.budget.Take(len(p.data)):
		p.data, p.owned = slices.Clone(p.data), true
	default:
		p.data = nil
	}
	if len(s.waiting) == cap(s.waiting) {
		more := max(4, len(s.waiting))
		if !s.budget.Take(more * pieceSize) {
			// One more than was paid for, until Next hands all of them out.
			s.crowded, more = true, 1
			s.unpaid++
		}
		s.waiting = append(make([]piece, 0, len(s.waiting)+more), s.waiting...)
	}
	s.waiting = slices.Insert(s.waiting, i, p)
}

// pieceSize is what a piece takes besides its data, in bytes.
const pieceSize = 80

// freeWaiting gives the memory of waiting back, which is empty.
func (s *Side) freeWaiting() {
	s.budget.Give((cap(s.waiting) - s.unpaid) * pieceSize)
	s.waiting, s.unpaid, s.crowded = nil, 0, false
}

// release gives the bytes of the last chunk back.
func (s *Side) release() {
	if s.drained != nil {
		s.budget.Give(len(s.drained))
		s.drained = nil
	}
}

// drop forgets all that is held.
func (s *Side) drop() {
	s.release()
	for i := range s.waiting {
		if s.waiting[i].owned {
			s.budget.Give(len(s.waiting[i].data))
		}
	}
	if s.waiting != nil {
		s.freeWaiting()
	}
	s.held = 0
	s.now, s.ready = piece{}, false
}

// cut drops n bytes from the front of p.
func (p *piece) cut(n int) {
	p.seq += uint32(n)
	p.length -= n
	p.data = p.data[min(n, len(p.data)):]
}

// trim drops all but n bytes, if p is longer.
func (p *piece) trim(n int) {
	p.length = min(p.length, n)
	p.data = p.data[:min(len(p.data), n)]
}

// distance returns how far b lies beyond a, negative if it lies in front of it.
// Sequence numbers wrap around. Source: RFC 9293, 3.4.
func distance(a, b uint32) int { return int(int32(b - a)) }
