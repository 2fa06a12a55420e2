package stream

import (
	"bytes"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

// feed returns all that s hands out for seg, with '|' in front of bytes that
// follow a loss.
func (s *Side) feed(seg Segment) string {
	c, ok := s.Take(&seg)
	return written(c, ok) + drain(s)
}

// drain returns all that s hands out besides.
func drain(s *Side) (out string) {
	for s.Ready() {
		c, ok := s.Next()
		if !ok {
			break
		}
		out += written(c, ok)
	}
	return out
}

func written(c Chunk, ok bool) string {
	switch {
	case !ok:
		return ""
	case c.Lost:
		return "|" + string(c.Data)
	}
	return string(c.Data)
}

func seg(seq uint32, data string) Segment {
	return Segment{Seq: seq, Data: []byte(data), Length: len(data)}
}

func TestSide(t *testing.T) {
	type step struct {
		seg  Segment
		ack  uint32
		fin  bool // Finish
		want string
	}
	syn := func(seq uint32) Segment { return Segment{Seq: seq, SYN: true} }
	tests := map[string]struct {
		steps                      []step
		bytes, lost, retransmitted uint64
	}{
		"in order":            {[]step{{seg: syn(99)}, {seg: seg(100, "ab"), want: "ab"}, {seg: seg(102, "c"), want: "c"}}, 3, 0, 0},
		"mid-stream":          {[]step{{seg: seg(7, "ab"), want: "ab"}}, 2, 0, 0},
		"ack alone no start":  {[]step{{seg: seg(7, "")}, {seg: seg(8, "ab"), want: "ab"}}, 2, 0, 0},
		"wrap-around":         {[]step{{seg: seg(0xfffffffe, "abc"), want: "abc"}, {seg: seg(1, "d"), want: "d"}}, 4, 0, 0},
		"retransmission":      {[]step{{seg: seg(1, "abc"), want: "abc"}, {seg: seg(1, "abc")}}, 3, 0, 3},
		"keep-alive":          {[]step{{seg: seg(1, "abc"), want: "abc"}, {seg: seg(3, "x")}, {seg: seg(4, "d"), want: "d"}}, 4, 0, 1},
		"overlap":             {[]step{{seg: seg(1, "abc"), want: "abc"}, {seg: seg(2, "XYd"), want: "d"}}, 4, 0, 2},
		"reordered":           {[]step{{seg: syn(0)}, {seg: seg(4, "def")}, {seg: seg(1, "abc"), want: "abcdef"}}, 6, 0, 0},
		"first wins in queue": {[]step{{seg: syn(0)}, {seg: seg(3, "cd")}, {seg: seg(1, "abXYef"), want: "abcdef"}}, 6, 0, 2},
		"hole over two":       {[]step{{seg: syn(0)}, {seg: seg(2, "b")}, {seg: seg(4, "d")}, {seg: seg(1, "AXCXE"), want: "AbCdE"}}, 5, 0, 2},
		"acked gap": {[]step{{seg: syn(0)}, {seg: seg(1, "a"), want: "a"}, {seg: seg(4, "d")}, {ack: 3}, {ack: 4, want: "|d"}},
			2, 2, 0},
		"gap acked before":  {[]step{{seg: syn(0)}, {ack: 4}, {seg: seg(4, "d"), want: "|d"}}, 1, 3, 0},
		"gap at the end":    {[]step{{seg: syn(0)}, {seg: seg(3, "c")}, {fin: true, want: "|c"}}, 1, 2, 0},
		"acked, not seen":   {[]step{{seg: syn(0)}, {seg: seg(1, "a"), want: "a"}, {ack: 5}, {fin: true}}, 1, 3, 0},
		"one side only":     {[]step{{ack: 100}, {ack: 110}, {ack: 105}, {ack: 130}, {fin: true}}, 0, 30, 0},
		"cut by snap len":   {[]step{{seg: Segment{Seq: 1, Data: []byte("ab"), Length: 4}, want: "ab"}, {seg: seg(5, "e"), want: "|e"}}, 5, 2, 0},
		"fast open":         {[]step{{seg: Segment{Seq: 1, SYN: true, Data: []byte("ab"), Length: 2}, want: "ab"}, {seg: seg(4, "c"), want: "c"}}, 3, 0, 0},
		"fin acknowledged":  {[]step{{seg: Segment{Seq: 1, FIN: true, Data: []byte("ab"), Length: 2}, want: "ab"}, {ack: 4}, {fin: true}}, 2, 0, 0},
		"stray":             {[]step{{seg: seg(1, "a"), want: "a"}, {seg: seg(1<<30, "X")}, {seg: seg(2, "b"), want: "b"}}, 2, 0, 0},
		"strays take over":  {[]step{{seg: seg(1, "a"), want: "a"}, {seg: seg(1<<30, "X")}, {seg: seg(1<<30, "X")}, {seg: seg(1<<30, "X")}, {seg: seg(1<<30, "X"), want: "|X"}}, 2, 0, 0},
		"acknowledges junk": {[]step{{seg: seg(1, "a"), want: "a"}, {ack: 1 << 30}, {seg: seg(3, "c")}, {seg: seg(2, "b"), want: "bc"}}, 3, 0, 0},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			budget := NewBudget(1 << 20)
			var s Side
			s.Reset(budget)
			for i, st := range tt.steps {
				got := ""
				switch {
				case st.fin:
					s.Finish()
				case st.ack != 0:
					s.Acked(st.ack)
				default:
					got = s.feed(st.seg)
				}
				if got += drain(&s); got != st.want {
					t.Errorf("step %d: handed out %q, want %q", i, got, st.want)
				}
			}
			if s.Bytes() != tt.bytes || s.Lost() != tt.lost || s.Retransmitted() != tt.retransmitted {
				t.Errorf("bytes %d, lost %d, retransmitted %d; want %d, %d, %d", s.Bytes(), s.Lost(), s.Retransmitted(), tt.bytes, tt.lost, tt.retransmitted)
			}
			s.Reset(budget)
			if budget.left != 1<<20 {
				t.Errorf("%d bytes of budget never came back", 1<<20-budget.left)
			}
		})
	}
}

// A FIN takes a sequence number and is no byte: that it was acknowledged does not
// mean that one is missing.
func TestSideEnds(t *testing.T) {
	var s Side
	s.Reset(NewBudget(1 << 10))
	s.feed(Segment{Seq: 0, SYN: true})
	s.feed(Segment{Seq: 3, FIN: true})
	s.feed(seg(1, "ab"))
	s.Acked(4)
	s.Finish()
	drain(&s)
	if s.Lost() != 0 || s.Bytes() != 2 {
		t.Errorf("%d bytes, %d lost; want 2 and none", s.Bytes(), s.Lost())
	}
}

// A gap counts as lost when too much waits behind it.
func TestSideBounds(t *testing.T) {
	t.Run("segments", func(t *testing.T) {
		var s Side
		s.Reset(NewBudget(1 << 20))
		s.feed(Segment{Seq: 0, SYN: true})
		for i := range uint32(MaxWaiting) {
			if got := s.feed(seg(10+2*i, "x")); got != "" {
				t.Fatalf("segment %d handed out %q", i, got)
			}
		}
		if got := s.feed(seg(10+2*MaxWaiting, "x")); got != "|x" {
			t.Errorf("handed out %q, want the first waiting", got)
		}
	})
	t.Run("bytes", func(t *testing.T) {
		var s Side
		s.Reset(NewBudget(MaxWaitingBytes * 2))
		s.feed(Segment{Seq: 0, SYN: true})
		big := make([]byte, MaxWaitingBytes+1)
		if got := s.feed(Segment{Seq: 2, Data: big, Length: len(big)}); len(got) != len(big)+1 {
			t.Errorf("handed out %d bytes, want %d", len(got), len(big)+1)
		}
	})
	t.Run("budget", func(t *testing.T) {
		budget := NewBudget(disorderSize + 4*pieceSize + minBuffer)
		var s Side
		s.Reset(budget)
		s.feed(Segment{Seq: 0, SYN: true})
		s.feed(seg(3, "cd"))
		s.feed(seg(6, "fg")) // does not fit
		if got := s.feed(seg(1, "ab")); got != "abcd" {
			t.Errorf("handed out %q, want abcd", got)
		}
		if got := s.feed(seg(5, "e")); got != "e" {
			t.Errorf("handed out %q, want e", got)
		}
		if got := s.feed(seg(8, "h")); got != "|h" || !budget.Refused() {
			t.Errorf("handed out %q, refused %v; want |h after the segment that did not fit", got, budget.Refused())
		}
	})
}

// Segments that wait are charged for, empty though they may be in memory; where
// there is no room for another, the gap is given up.
func TestSideWithoutRoomToWait(t *testing.T) {
	size := 2*disorderSize + 4*pieceSize + 2*minBuffer
	budget := NewBudget(size)
	var a, b Side
	a.Reset(budget)
	b.Reset(budget)
	a.feed(Segment{Seq: 0, SYN: true})
	b.feed(Segment{Seq: 0, SYN: true})
	if got := a.feed(seg(3, "c")); got != "" || budget.Refused() {
		t.Errorf("the first handed out %q, refused %v; want it to wait", got, budget.Refused())
	}
	if got := b.feed(seg(3, "c")); got != "|c" || !budget.Refused() {
		t.Errorf("the second handed out %q, refused %v; want |c for want of room", got, budget.Refused())
	}
	if got := b.feed(seg(4, "d")); got != "d" {
		t.Errorf("the second then handed out %q, want d", got)
	}
	if got := a.feed(seg(1, "ab")); got != "abc" {
		t.Errorf("the first handed out %q, want abc", got)
	}
	a.Reset(budget)
	b.Reset(budget)
	if budget.left != size {
		t.Errorf("%d bytes of budget never came back", size-budget.left)
	}
}

// slowSide orders bytes the slow way: one cell a byte of the stream, the first
// wins. It knows no bounds, so scripts for it are to keep within those of Side.
type slowSide struct {
	cells  map[int]cell
	next   int
	acked  int // -1: no acknowledgement
	recent []sentBefore

	out                                      string
	frames                                   []uint64 // of each byte of out that is not a mark
	gap                                      bool
	bytes, lost, retransmitted, contradicted uint64
}

type cell struct {
	b     byte
	known bool
	frame uint64
}

// sentBefore is a segment of which every byte was new.
type sentBefore struct{ off, length, content int }

// take takes length bytes at off, of which data was captured.
func (o *slowSide) take(off int, data []byte, length, content int, frame uint64) {
	fresh := 0
	behind := off < o.next
	for i := range length {
		at, c := off+i, cell{frame: frame}
		if i < len(data) {
			c.b, c.known = data[i], true
		}
		old, ok := o.cells[at]
		switch {
		case at < o.next:
			o.retransmitted++
		case ok:
			o.retransmitted++
			if old.known && c.known && old.b != c.b {
				o.contradicted++
			}
		default:
			o.bytes++
			fresh++
			o.cells[at] = c
		}
	}
	whole := len(data) == length && length > 0 && content != 0
	if keepAlive := length == 1 && off+1 == o.next; whole && behind && !keepAlive {
		for _, r := range o.recent[max(0, len(o.recent)-remembered):] {
			if r.off == off && r.length == length && r.content != content {
				o.contradicted += uint64(length)
			}
		}
	}
	if whole && fresh == length {
		o.recent = append(o.recent, sentBefore{off, length, content})
	}
	o.pass(false)
}

// pass hands out what is in order, or will never be.
func (o *slowSide) pass(finish bool) {
	for {
		if c, ok := o.cells[o.next]; ok {
			if c.known {
				if o.gap {
					o.out += "|"
				}
				o.gap = false
				o.out += string(c.b)
				o.frames = append(o.frames, c.frame)
			} else {
				o.lost++
				o.gap = true
			}
			o.next++
			continue
		}
		first := -1
		for at := range o.cells {
			if at > o.next && (first < 0 || at < first) {
				first = at
			}
		}
		switch {
		case first >= 0 && (finish || o.acked >= first):
			o.lost += uint64(first - o.next)
			o.next, o.gap = first, true
			continue
		case first < 0 && finish && o.acked > o.next:
			o.lost += uint64(o.acked - o.next)
			o.next = o.acked
		}
		return
	}
}

// sideAgainstOracle reads a script of segments and acknowledgements (5 bytes each:
// what, offset, length, captured, content) and holds a side that began at isn
// against the slow one, and one that only counts against both.
func sideAgainstOracle(t *testing.T, isn uint32, script []byte) {
	budget := NewBudget(1 << 20)
	var s, counter Side
	s.Reset(budget)
	counter.Reset(budget)
	counter.Discard()
	s.Take(&Segment{Seq: isn, SYN: true})
	counter.Take(&Segment{Seq: isn, SYN: true})
	o := slowSide{cells: map[int]cell{}, acked: -1}
	var out string
	var frames []uint64
	got := func(c Chunk, ok bool) bool {
		out += written(c, ok)
		for range c.Data {
			frames = append(frames, c.Frame)
		}
		return ok
	}
	pass := func() {
		for s.Ready() && got(s.Next()) {
		}
		for counter.Ready() {
			c, ok := counter.Next()
			if !ok {
				break
			}
			t.Fatalf("handed out %q that nobody wants", c.Data)
		}
	}
	check := func(step int) {
		t.Helper()
		if out != o.out {
			t.Fatalf("step %d: handed out\n%q, want\n%q", step, out, o.out)
		}
		if s.Bytes() != o.bytes || s.Lost() != o.lost || s.Retransmitted() != o.retransmitted || s.Contradicted() != o.contradicted {
			t.Fatalf("step %d: %d bytes, %d lost, %d again, %d contradicted; want %d, %d, %d, %d", step,
				s.Bytes(), s.Lost(), s.Retransmitted(), s.Contradicted(), o.bytes, o.lost, o.retransmitted, o.contradicted)
		}
		if counter.Bytes() != o.bytes || counter.Lost() != o.lost || counter.Retransmitted() != o.retransmitted {
			t.Fatalf("step %d: counted %d bytes, %d lost, %d again; want %d, %d, %d", step,
				counter.Bytes(), counter.Lost(), counter.Retransmitted(), o.bytes, o.lost, o.retransmitted)
		}
	}
	const steps = 32 // so that no more than MaxWaiting pieces wait
	for i := 0; i+5 <= len(script) && i < 5*steps; i += 5 {
		what, off, n, have, content := script[i], int(script[i+1]), int(script[i+2]), int(script[i+3]), int(script[i+4])
		if what%4 == 0 {
			ack := isn + 1 + uint32(off)
			s.Acked(ack)
			counter.Acked(ack)
			pass()
			o.acked = max(o.acked, off)
			o.pass(false)
			check(i / 5)
			continue
		}
		data := make([]byte, min(n, have))
		for j := range data {
			data[j] = 'a' + byte(off+j+content)%26
		}
		seg := Segment{Seq: isn + 1 + uint32(off), Data: data, Length: n, Frame: uint64(i), Sum: uint64(content % 26)}
		got(s.Take(&seg))
		if c, ok := counter.Take(&seg); ok {
			t.Fatalf("handed out %q that nobody wants", c.Data)
		}
		pass()
		o.take(off, data, n, content%26, uint64(i))
		clear(data) // the caller's buffer is used again
		check(i / 5)
	}
	s.Finish()
	counter.Finish()
	pass()
	o.pass(true)
	check(-1)
	if !slices.Equal(frames, o.frames) {
		t.Fatalf("handed out bytes of frames\n%v, want\n%v", frames, o.frames)
	}
	s.Reset(budget)
	counter.Reset(budget)
	if budget.left != 1<<20 {
		t.Fatalf("%d bytes of budget never came back", 1<<20-budget.left)
	}
}

func FuzzSide(f *testing.F) {
	f.Add(uint32(0), []byte{1, 0, 4, 4, 0, 1, 4, 4, 4, 0})                               // in order
	f.Add(uint32(0xfffffffd), []byte{1, 4, 4, 4, 0, 1, 0, 4, 4, 0})                      // swapped, over the wrap-around
	f.Add(uint32(5), []byte{1, 2, 4, 4, 0, 1, 0, 9, 9, 1})                               // a hole filled by one that covers all and disagrees
	f.Add(uint32(5), []byte{1, 9, 4, 4, 0, 0, 20, 0, 0, 0, 1, 30, 4, 4, 0})              // acknowledged, then later data
	f.Add(uint32(5), []byte{1, 0, 4, 4, 1, 1, 0, 4, 4, 2, 1, 4, 4, 2, 0})                // sent again with other content; cut by the snap length
	f.Add(uint32(5), []byte{1, 0, 4, 4, 1, 1, 8, 4, 4, 2, 1, 4, 4, 4, 3, 1, 8, 4, 4, 9}) // the same for one that waited
	f.Fuzz(func(t *testing.T, isn uint32, script []byte) { sideAgainstOracle(t, isn, script) })
}

// Scripts that look like connections: mostly in order, some segments late, lost,
// sent again as they were or otherwise cut, contradicted or acknowledged.
func TestSideAgainstOracle(t *testing.T) {
	for seed := range uint64(5000) {
		r := rand.New(rand.NewPCG(seed, 1))
		var script [][]byte
		at, content := 0, byte(1+r.IntN(20))
		for at < 230 && len(script) < 32 {
			n := byte(r.IntN(12))
			op := []byte{1, byte(at), n, n, content}
			switch r.IntN(12) {
			case 0: // lost
				at += int(n)
				continue
			case 1: // acknowledged, seen or not
				op = []byte{0, byte(at + r.IntN(20)), 0, 0, 0}
				n = 0
			case 2: // cut by the snap length
				op[3] = byte(r.IntN(12))
			case 3: // again, cut otherwise
				op[1] = byte(max(0, at-r.IntN(20)))
				n = 0
			case 4: // contradicts
				op[4]++
			case 5, 6: // again, as it was or not
				if len(script) > 0 {
					op = slices.Clone(script[r.IntN(len(script))])
					op[4] += byte(r.IntN(2))
					n = 0
				}
			}
			script = append(script, op)
			at += int(n)
		}
		for range r.IntN(6) { // late
			if len(script) > 6 {
				i := r.IntN(len(script) - 5)
				j := i + r.IntN(5)
				script[i], script[j] = script[j], script[i]
			}
		}
		isn := r.Uint32()
		if seed%2 == 0 {
			isn = uint32(-r.IntN(230)) // wraps around on the way
		}
		sideAgainstOracle(t, isn, slices.Concat(script...))
	}
}

// A long stream in random segments, some late, some dropped, some forged behind
// their original, comes out as it was but for what was dropped.
func TestSideLongStream(t *testing.T) {
	budget := NewBudget(1 << 22)
	for seed := range uint64(20) {
		r := rand.New(rand.NewPCG(seed, 4))
		message := make([]byte, 200_000)
		for i := range message {
			message[i] = byte(r.Uint32())
		}
		type part struct{ from, to int }
		var parts []part
		missing := make([]bool, len(message))
		for off := 0; off < len(message); {
			n := min(1+r.IntN(1460), len(message)-off)
			if seed%2 == 1 && r.IntN(40) == 0 {
				for i := range n {
					missing[off+i] = true
				}
			} else {
				parts = append(parts, part{off, off + n})
			}
			off += n
		}
		for i := range parts {
			j := min(len(parts)-1, i+r.IntN(8))
			parts[i], parts[j] = parts[j], parts[i]
		}
		var s Side
		s.Reset(budget)
		isn := uint32(-r.IntN(len(message)))
		got := []byte(s.feed(Segment{Seq: isn, SYN: true}))
		for _, p := range parts {
			sg := seg(isn+1+uint32(p.from), string(message[p.from:p.to]))
			got = append(got, s.feed(sg)...)
			if r.IntN(5) == 0 {
				clear(sg.Data)
				got = append(got, s.feed(sg)...)
			}
		}
		s.Finish()
		got = append(got, drain(&s)...)
		var want []byte
		lost := 0
		for i, b := range message {
			switch {
			case missing[i]:
				lost++
				continue
			case i > 0 && missing[i-1]:
				want = append(want, '|')
			}
			want = append(want, b)
		}
		for i := len(missing) - 1; i >= 0 && missing[i]; i-- {
			lost-- // nothing tells of them
		}
		if !bytes.Equal(got, want) || s.Lost() != uint64(lost) {
			t.Fatalf("seed %d: %d bytes, %d lost; want %d, %d", seed, len(got), s.Lost(), len(want), lost)
		}
		s.Reset(budget)
		if budget.left != 1<<22 {
			t.Fatalf("seed %d: %d bytes of budget never came back", seed, 1<<22-budget.left)
		}
	}
}

// What is told by sums of segments handed on, and what is not.
func TestSideContradicted(t *testing.T) {
	sum := func(seq uint32, data string, sum uint64) Segment {
		s := seg(seq, data)
		s.Sum = sum
		return s
	}
	cut := sum(1, "abc", 9)
	cut.Length = 5
	tests := map[string]struct {
		segments []Segment
		want     uint64
	}{
		"the same":           {[]Segment{sum(1, "abc", 7), sum(1, "abc", 7)}, 0},
		"another":            {[]Segment{sum(1, "abc", 7), sum(1, "aXX", 8)}, 3},
		"another, twice":     {[]Segment{sum(1, "abc", 7), sum(1, "aXX", 8), sum(1, "aXX", 8)}, 6},
		"two segments ago":   {[]Segment{sum(1, "abc", 7), sum(4, "d", 1), sum(5, "e", 1), sum(1, "aXX", 8)}, 3},
		"too long ago":       {[]Segment{sum(1, "abc", 7), sum(4, "d", 1), sum(5, "e", 1), sum(6, "f", 1), sum(1, "aXX", 8)}, 0},
		"cut differently":    {[]Segment{sum(1, "abc", 7), sum(1, "aX", 8)}, 0},
		"no sum":             {[]Segment{sum(1, "abc", 7), sum(1, "aXX", 0)}, 0},
		"snap length":        {[]Segment{cut, sum(1, "abcde", 7), cut}, 0},
		"with its SYN":       {[]Segment{{Seq: 0, SYN: true, Data: []byte("abc"), Length: 3, Sum: 7}, sum(1, "aXX", 8)}, 3},
		"behind a gap":       {[]Segment{sum(1, "a", 1), sum(4, "def", 0), sum(3, "cdXXg", 0)}, 2},
		"of one that waited": {[]Segment{sum(1, "a", 1), sum(3, "cd", 3), sum(2, "b", 2), sum(3, "cX", 4)}, 2},
		"keep-alive":         {[]Segment{sum(1, "abc", 7), sum(4, "d", 8), sum(4, "\x00", 5)}, 0},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			var s Side
			s.Reset(NewBudget(1 << 16))
			for _, sg := range tt.segments {
				s.feed(sg)
			}
			if got := s.Contradicted(); got != tt.want {
				t.Errorf("%d bytes contradicted, want %d", got, tt.want)
			}
		})
	}
}

// Discard drops nothing that is to be counted, also of what waits already.
func TestSideDiscard(t *testing.T) {
	budget := NewBudget(1 << 16)
	var s Side
	s.Reset(budget)
	s.feed(Segment{Seq: 0, SYN: true})
	s.feed(seg(3, "cd"))
	s.Discard()
	if got := s.feed(seg(1, "ab")); got != "" || s.Bytes() != 4 {
		t.Errorf("handed out %q, counted %d bytes; want nothing and 4", got, s.Bytes())
	}
	s.feed(seg(7, "g"))
	s.feed(seg(7, "g"))
	s.Finish()
	drain(&s)
	if s.Bytes() != 5 || s.Lost() != 2 || s.Retransmitted() != 1 {
		t.Errorf("%d bytes, %d lost, %d again; want 5, 2, 1", s.Bytes(), s.Lost(), s.Retransmitted())
	}
	s.Reset(budget)
	if budget.left != 1<<16 {
		t.Errorf("%d bytes of budget never came back", 1<<16-budget.left)
	}
}

func TestRest(t *testing.T) {
	b := NewBudget(1000)
	var r Rest
	if !r.Append(b, []byte("abc")) || !r.Append(b, []byte("de")) {
		t.Fatal("no room")
	}
	r.Consume(b, 2)
	if string(r.Bytes()) != "cde" {
		t.Errorf("holds %q", r.Bytes())
	}
	if r.Append(b, make([]byte, 2000)) || !b.Refused() {
		t.Error("took more than the budget has")
	}
	if string(r.Bytes()) != "cde" {
		t.Errorf("holds %q after a refusal", r.Bytes())
	}
	r.Free(b)
	if b.left != 1000 {
		t.Errorf("%d bytes of budget never came back", 1000-b.left)
	}
}

// In order, nothing is allocated and nothing copied.
func TestSideInOrderAllocatesNothing(t *testing.T) {
	var s Side
	s.Reset(NewBudget(1 << 16))
	data := make([]byte, 60)
	seq := uint32(0)
	s.Take(&Segment{Seq: seq - 1, SYN: true})
	allocs := testing.AllocsPerRun(100, func() {
		c, ok := s.Take(&Segment{Seq: seq, Data: data, Length: len(data), Sum: 1})
		if !ok || &c.Data[0] != &data[0] {
			t.Fatal("copied")
		}
		if s.Ready() {
			t.Fatal("more than there was")
		}
		seq += uint32(len(data))
		s.Acked(seq)
	})
	if allocs != 0 || s.rare != nil {
		t.Errorf("%v allocations a segment, want none", allocs)
	}
}

// Nothing is allocated for gaps that come and go either, once there was one.
func TestSideOutOfOrderAllocatesNothing(t *testing.T) {
	budget := NewBudget(1 << 16)
	data := make([]byte, 1460)
	allocs := testing.AllocsPerRun(100, func() {
		var s Side
		s.Reset(budget)
		s.Take(&Segment{Seq: 0, SYN: true})
		got := 0
		for _, n := range []uint32{3, 2, 2, 5, 4, 1, 7, 6, 8} {
			c, _ := s.Take(&Segment{Seq: n * 1460, Data: data, Length: len(data)})
			for got += len(c.Data); s.Ready(); got += len(c.Data) {
				var ok bool
				if c, ok = s.Next(); !ok {
					break
				}
			}
		}
		s.Finish()
		for c, ok := s.Next(); ok; c, ok = s.Next() {
			got += len(c.Data)
		}
		if got != 8*1460 {
			t.Fatalf("handed out %d bytes, want %d", got, 8*1460)
		}
		s.Reset(budget)
	})
	if allocs != 0 {
		t.Errorf("%v allocations, want none", allocs)
	}
}

// One step is what an engine does for a frame: the acknowledgement to one side,
// the segment to the other. Each finds its connection as in a capture: far from
// the last one.
func BenchmarkSide(b *testing.B) {
	data := make([]byte, 12)
	for _, discard := range []bool{false, true} {
		for _, conns := range []int{1, 1000, 30000} {
			name := fmt.Sprintf("%d connections", conns)
			if discard {
				name += ", discarded"
			}
			b.Run(name, func(b *testing.B) {
				budget := NewBudget(1 << 20)
				sides := make([][2]Side, conns)
				for i := range sides {
					for from := range 2 {
						s := &sides[i][from]
						s.Reset(budget)
						s.Take(&Segment{Seq: math.MaxUint32, SYN: true})
						if discard {
							s.Discard()
						}
					}
				}
				order := rand.New(rand.NewPCG(1, 1)).Perm(conns)
				b.SetBytes(int64(len(data)))
				b.ReportAllocs()
				seq := [2]uint32{} // as far as each side is in all connections
				i, from := 0, 0
				for b.Loop() {
					c := &sides[order[i]]
					c[1-from].Acked(seq[1-from])
					if c[1-from].Ready() {
						b.Fatal("something waits")
					}
					c[from].Take(&Segment{Seq: seq[from], Data: data, Length: len(data), Sum: 1})
					for c[from].Ready() {
						b.Fatal("something waits")
					}
					if i++; i == conns {
						seq[from] += uint32(len(data))
						i, from = 0, 1-from
					}
				}
			})
		}
	}
}

// BenchmarkSideReset is what a connection costs that says nothing.
func BenchmarkSideReset(b *testing.B) {
	budget := NewBudget(1 << 20)
	sides := make([]Side, 1<<16)
	b.ReportAllocs()
	i := 0
	for b.Loop() {
		sides[i&(len(sides)-1)].Reset(budget)
		i++
	}
}
