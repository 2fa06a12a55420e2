package stream

import (
	"math"

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

// remembered is how many segments a side remembers to tell a retransmission from
// a contradiction.
const remembered = 3

// Segment is what one TCP segment says about the side that sent it.
type Segment struct {
	Seq      uint32
	SYN, FIN bool
	Data     []byte // the payload as far as it was captured; only read by Take, but see Chunk.Data
	Length   int    // of the payload on the wire; at least len(Data)
	Sum      uint64 // a hash of Data of which the low 16 bits depend on all of it; 0 if it is not known
	Frame    uint64
	Time     capture.Time
}

// Chunk is a run of bytes in order.
type Chunk struct {
	Data  []byte // the segment's own memory, or the side's: valid until the next call of Take or Next
	Lost  bool   // bytes are missing in front of Data
	Frame uint64 // that Data was captured in
	Time  capture.Time
}

// Side orders what one end of a connection sent. The zero value is not ready:
// Reset comes first. After each Take, Acked or Finish, Next is to be called while
// Ready and until it has no more.
//
// Nearly every frame of a capture touches a Side, and there are so many of them
// that most frames find theirs in no cache. So it is one cache line of 64 bytes,
// and what a connection without loss never needs is elsewhere.
type Side struct {
	next   uint32 // sequence number of the next byte to hand out
	acked  uint32 // highest acknowledgement by the other side
	fin    uint32 // sequence number behind the last byte, when finSeen
	is     marks
	strays uint8
	oldest uint8 // of recent, which is overwritten next

	bytes  uint64
	budget *Budget
	rare   *disorder // nil until something was not in order

	recent [remembered]sent // segments of which every byte was new
}

// marks is a set of facts about a side.
type marks uint16

const (
	started  marks = 1 << iota // next is known
	fromSYN                    // from the SYN
	ackSeen                    // acked is known
	advanced                   // the other side acknowledged payload
	discard                    // nobody wants the bytes
	finSeen
	finishing
	gap     // bytes are missing in front of the next chunk
	waits   // rare has pieces behind a gap
	drained // rare has a buffer to be given back

	// unusual are the marks with which a segment at next needs more than to be
	// counted and handed on.
	unusual = finSeen | finishing | gap | waits | drained
)

func (s *Side) has(m marks) bool { return s.is&m != 0 }

// sent is a segment of which every byte was new.
type sent struct {
	seq    uint32
	length uint16 // 0: none
	sum    uint16 // of Segment.Sum; one contradiction in 65,536 is missed for it
}

// Reset makes s ready for a new connection. What it still held is dropped.
func (s *Side) Reset(b *Budget) {
	if s.rare != nil {
		s.drop()
		s.budget.giveDisorder(s.rare)
	}
	*s = Side{budget: b}
}

// Discard tells that the bytes themselves are not wanted any more: from now on s
// only counts, and hands nothing out. Contradictions are not looked for.
func (s *Side) Discard() { s.is |= discard }

// Take takes a segment. If it is in order, what is new of it is handed on at once.
func (s *Side) Take(seg *Segment) (c Chunk, ok bool) {
	if s.is&(started|unusual) != started || seg.Seq != s.next || seg.SYN || seg.FIN || len(seg.Data) != seg.Length {
		return s.take(seg)
	}
	s.strays = 0
	if seg.Length == 0 {
		return c, false
	}
	s.next += uint32(seg.Length)
	s.bytes += uint64(seg.Length)
	if s.has(discard) {
		return c, false
	}
	if seg.Sum != 0 {
		s.remember(seg)
	}
	return Chunk{Data: seg.Data, Frame: seg.Frame, Time: seg.Time}, true
}

// take is Take where the segment or the side is not the usual.
func (s *Side) take(seg *Segment) (Chunk, bool) {
	s.release()
	seq := seg.Seq
	if seg.SYN {
		seq++
		if !s.has(started) {
			s.start(seq)
			s.is |= fromSYN
			if s.has(ackSeen) && distance(seq, s.acked) > 0 {
				s.is |= advanced
			}
		}
	}
	if !s.has(started) {
		if seg.Length == 0 {
			return Chunk{}, false // it could be a keep-alive, one byte behind
		}
		s.start(seq)
	}
	if d := distance(s.next, seq); d > reach || d < -reach {
		if s.strays < maxStrays {
			s.strays++
			return Chunk{}, false
		}
		s.drop()
		s.recent = [remembered]sent{}
		s.next = seq
		s.is = s.is&^finSeen | gap
	}
	s.strays = 0
	if seg.FIN && !s.has(finSeen) {
		s.is |= finSeen
		s.fin = seq + uint32(seg.Length)
	}
	if seg.Length == 0 {
		s.passFIN()
		return Chunk{}, false
	}
	p := piece{seq: seq, length: seg.Length, have: len(seg.Data), data: seg.Data, frame: seg.Frame, time: seg.Time}
	if behind := -distance(s.next, seq); behind > 0 {
		s.compare(seg)
		behind = min(behind, p.length)
		s.disorder().retransmitted += uint64(behind)
		p.cut(behind)
	}
	switch {
	case p.length == 0:
		s.passFIN()
		return Chunk{}, false
	case p.seq == s.next && (!s.has(waits) || distance(p.seq+uint32(p.length), s.rare.waiting[0].seq) >= 0):
		if p.length == seg.Length && seg.Sum != 0 {
			s.remember(seg)
		}
		s.bytes += uint64(p.length)
		return s.hand(p)
	}
	if fresh := s.insert(p); fresh == seg.Length && seg.Sum != 0 {
		s.remember(seg)
	}
	return Chunk{}, false
}

func (s *Side) start(seq uint32) {
	s.is |= started
	s.next = seq
}

// Acked takes an acknowledgement number that the other side sent.
func (s *Side) Acked(ack uint32) {
	if !s.has(ackSeen) {
		s.is |= ackSeen
		s.acked = ack
		if s.has(fromSYN) && distance(s.next, ack) > 0 {
			s.is |= advanced
		}
		return
	}
	d := distance(s.acked, ack)
	switch {
	case d > reach || d < -reach:
		s.acked = ack // of another connection, or never meant seriously
	case d > 0:
		s.acked = ack
		s.is |= advanced
		if !s.has(started) {
			s.disorder().lost += uint64(d)
		}
	}
}

// Finish tells that nothing more will come: gaps that are still open are lost,
// and so are bytes that the other side acknowledged and nobody captured.
func (s *Side) Finish() { s.is |= finishing }

// Ready reports whether Next may have something.
func (s *Side) Ready() bool { return s.has(waits | finishing) }

// Next hands out the next run of bytes, if there is one.
func (s *Side) Next() (Chunk, bool) {
	for {
		s.release()
		p, ok := s.arrived()
		if !ok {
			return Chunk{}, false
		}
		if c, ok := s.hand(p); ok {
			return c, true
		}
	}
}

// hand steps over p, which is at next, and returns its chunk, if anything of it
// is there and wanted.
func (s *Side) hand(p piece) (c Chunk, ok bool) {
	switch {
	case s.has(discard):
		s.is &^= gap
	case len(p.data) > 0:
		c, ok = Chunk{Data: p.data, Lost: s.has(gap), Frame: p.frame, Time: p.time}, true
		s.is &^= gap
	}
	s.next = p.seq + uint32(p.have)
	s.lose(p.length - p.have)
	s.passFIN()
	return c, ok
}

// lose steps over n bytes that the capture does not hold.
func (s *Side) lose(n int) {
	if n <= 0 {
		return
	}
	s.disorder().lost += uint64(n)
	s.next += uint32(n)
	s.is |= gap
}

// passFIN steps over the FIN, which takes one sequence number.
func (s *Side) passFIN() {
	if s.has(finSeen) && s.next == s.fin {
		s.next++
	}
}

// remember keeps what is needed to tell whether seg is ever contradicted. What
// was cut by the snap length need not be cut in the same place next time.
func (s *Side) remember(seg *Segment) {
	if seg.Length > math.MaxUint16 || len(seg.Data) != seg.Length || s.has(discard) {
		return
	}
	s.recent[s.oldest] = sent{seg.start(), uint16(seg.Length), uint16(seg.Sum)}
	if s.oldest++; s.oldest == remembered {
		s.oldest = 0
	}
}

// compare counts the bytes of seg, which starts behind next, if it was sent
// before with other content.
func (s *Side) compare(seg *Segment) {
	if seg.Sum == 0 || len(seg.Data) != seg.Length || s.has(discard) {
		return
	}
	if seg.Length == 1 && seg.start()+1 == s.next {
		return // it could be a keep-alive, whose byte means nothing: RFC 9293, 3.8.4
	}
	for _, r := range s.recent {
		if r.seq == seg.start() && int(r.length) == seg.Length {
			if r.sum != uint16(seg.Sum) {
				s.disorder().contradicted += uint64(seg.Length)
			}
			return
		}
	}
}

// start returns the sequence number of the segment's first byte of payload; a
// SYN takes one in front of it.
func (seg *Segment) start() uint32 {
	if seg.SYN {
		return seg.Seq + 1
	}
	return seg.Seq
}

// Open reports whether the side's first byte is known from its SYN.
func (s *Side) Open() bool { return s.has(fromSYN) }

// Acknowledged reports whether the other side acknowledged payload of this one,
// be it in the capture or not.
func (s *Side) Acknowledged() bool { return s.has(advanced) }

// Bytes returns how many bytes of payload were captured on the wire, each
// counted once.
func (s *Side) Bytes() uint64 { return s.bytes }

// Lost returns how many bytes are missing: skipped because later ones had come,
// or acknowledged by the other side and not captured.
func (s *Side) Lost() uint64 {
	if s.rare == nil {
		return 0
	}
	return s.rare.lost
}

// Retransmitted returns how many bytes were sent again.
func (s *Side) Retransmitted() uint64 {
	if s.rare == nil {
		return 0
	}
	return s.rare.retransmitted
}

// Contradicted returns how many bytes were sent again with other content, as far
// as that can be known. Bytes that wait behind a gap are compared one by one. Of
// bytes handed on, only the sums of the last three segments that were new as a
// whole are left: a segment that begins and ends where one of them did and has
// another sum counts with all its bytes; one that is cut differently, comes
// later, has no sum, was cut by the snap length, or could be a keep-alive is not
// compared.
func (s *Side) Contradicted() uint64 {
	if s.rare == nil {
		return 0
	}
	return s.rare.contradicted
}

// distance returns how far b lies beyond a, negative if it lies in front of it.
// Sequence numbers wrap around. Source: RFC 9293, 3.4.
func distance(a, b uint32) int { return int(int32(b - a)) }
