package stream

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"testing"
)

// drain returns all that s hands out, with '|' in front of bytes that follow a
// loss.
func drain(s *Side) string {
	var b []byte
	for s.Ready() {
		c, ok := s.Next()
		if !ok {
			return string(b)
		}
		if c.Lost {
			b = append(b, '|')
		}
		b = append(b, c.Data...)
	}
	return string(b)
}

func (s *Side) push(seg Segment) { s.Push(&seg) }

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
				switch {
				case st.fin:
					s.Finish()
				case st.ack != 0:
					s.Acked(st.ack)
				default:
					s.push(st.seg)
				}
				if got := drain(&s); got != st.want {
					t.Errorf("step %d: handed out %q, want %q", i, got, st.want)
				}
			}
			if s.Bytes() != tt.bytes || s.Lost() != tt.lost || s.retransmitted != tt.retransmitted {
				t.Errorf("bytes %d, lost %d, retransmitted %d; want %d, %d, %d", s.Bytes(), s.Lost(), s.retransmitted, tt.bytes, tt.lost, tt.retransmitted)
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
	s.Push(&Segment{Seq: 0, SYN: true})
	drain(&s)
	s.Push(&Segment{Seq: 3, FIN: true})
	drain(&s)
	s.push(seg(1, "ab"))
	drain(&s)
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
		s.Push(&Segment{Seq: 0, SYN: true})
		drain(&s)
		for i := range uint32(MaxWaiting) {
			s.push(seg(10+2*i, "x"))
			if got := drain(&s); got != "" {
				t.Fatalf("segment %d handed out %q", i, got)
			}
		}
		s.push(seg(10+2*MaxWaiting, "x"))
		if got := drain(&s); got != "|x" {
			t.Errorf("handed out %q, want the first waiting", got)
		}
	})
	t.Run("bytes", func(t *testing.T) {
		var s Side
		s.Reset(NewBudget(MaxWaitingBytes * 2))
		s.Push(&Segment{Seq: 0, SYN: true})
		big := make([]byte, MaxWaitingBytes+1)
		s.Push(&Segment{Seq: 2, Data: big, Length: len(big)})
		if got := drain(&s); len(got) != len(big)+1 {
			t.Errorf("handed out %d bytes, want %d", len(got), len(big)+1)
		}
	})
	t.Run("budget", func(t *testing.T) {
		budget := NewBudget(4*pieceSize + 3)
		var s Side
		s.Reset(budget)
		s.Push(&Segment{Seq: 0, SYN: true})
		s.push(seg(3, "cd"))
		s.push(seg(6, "fg")) // does not fit
		s.push(seg(1, "ab"))
		if got := drain(&s); got != "abcd" {
			t.Errorf("handed out %q, want abcd", got)
		}
		s.push(seg(5, "e"))
		if got := drain(&s); got != "e" {
			t.Errorf("handed out %q, want e", got)
		}
		s.push(seg(8, "h"))
		if got := drain(&s); got != "|h" || !budget.Refused() {
			t.Errorf("handed out %q, refused %v; want |h after the segment that did not fit", got, budget.Refused())
		}
	})
}

// Segments that wait are charged for, empty though they may be in memory; where
// there is no room for another, the gap is given up.
func TestSideWithoutRoomToWait(t *testing.T) {
	size := 4*pieceSize + 100
	budget := NewBudget(size)
	var a, b Side
	a.Reset(budget)
	b.Reset(budget)
	for _, s := range []*Side{&a, &b} {
		s.Push(&Segment{Seq: 0, SYN: true})
		s.push(seg(3, "c"))
	}
	if got := drain(&a); got != "" || !budget.Refused() {
		t.Errorf("the first handed out %q, refused %v; want it to wait and the second to be refused", got, budget.Refused())
	}
	if got := drain(&b); got != "|c" {
		t.Errorf("the second handed out %q, want |c", got)
	}
	b.push(seg(4, "d"))
	if got := drain(&b); got != "d" {
		t.Errorf("the second then handed out %q, want d", got)
	}
	a.push(seg(1, "ab"))
	if got := drain(&a); got != "abc" {
		t.Errorf("the first handed out %q, want abc", got)
	}
	a.Reset(budget)
	b.Reset(budget)
	if budget.left != size {
		t.Errorf("%d bytes of budget never came back", size-budget.left)
	}
}

// oracle puts bytes in order the slow way: one cell a byte, the first wins.
type oracle struct {
	cells map[int]byte
}

func (o *oracle) push(off int, data []byte) {
	for i, b := range data {
		if _, ok := o.cells[off+i]; !ok {
			o.cells[off+i] = b
		}
	}
}

// shuffle delivers message in random segments, each at least once unless it is
// dropped, some twice with other bytes, out of order by at most a few places.
// It returns what s hands out and what the oracle says.
func shuffle(r *rand.Rand, isn uint32, message []byte, dropped bool) (got, want []byte, s *Side) {
	type part struct {
		off  int
		data []byte
	}
	var parts []part
	for off := 0; off < len(message); {
		n := 1 + r.IntN(min(40, len(message)-off))
		start := max(0, off-r.IntN(8)) // overlaps what came before
		if !dropped || r.IntN(10) > 0 {
			parts = append(parts, part{start, message[start : off+n]})
		}
		if r.IntN(4) == 0 { // a duplicate that disagrees
			forged := bytes.Repeat([]byte{'!'}, n)
			parts = append(parts, part{off, forged})
		}
		off += n
	}
	for i := range parts {
		j := i + r.IntN(min(6, len(parts)-i))
		parts[i], parts[j] = parts[j], parts[i]
	}
	o := oracle{cells: map[int]byte{}}
	s = new(Side)
	s.Reset(NewBudget(1 << 20))
	s.Push(&Segment{Seq: isn, SYN: true})
	for _, p := range parts {
		o.push(p.off, p.data)
		data := bytes.Clone(p.data)
		s.Push(&Segment{Seq: isn + 1 + uint32(p.off), Data: data, Length: len(data)})
		for c, ok := s.Next(); ok; c, ok = s.Next() {
			got = append(got, c.Data...)
		}
		clear(data) // the caller's buffer is used again
	}
	s.Finish()
	for c, ok := s.Next(); ok; c, ok = s.Next() {
		got = append(got, c.Data...)
	}
	for i := range message {
		if b, ok := o.cells[i]; ok {
			want = append(want, b)
		}
	}
	return got, want, s
}

func TestSideAgainstOracle(t *testing.T) {
	for seed := range uint64(2000) {
		r := rand.New(rand.NewPCG(seed, 1))
		message := make([]byte, 1+r.IntN(800))
		for i := range message {
			message[i] = byte('a' + i%26)
		}
		dropped := seed%2 == 1
		got, want, s := shuffle(r, r.Uint32(), message, dropped)
		if !bytes.Equal(got, want) {
			t.Fatalf("seed %d: handed out\n%q, want\n%q", seed, got, want)
		}
		if s.Bytes() != uint64(len(want)) {
			t.Fatalf("seed %d: counted %d bytes, want %d", seed, s.Bytes(), len(want))
		}
		if !dropped && s.Lost() != 0 {
			t.Fatalf("seed %d: %d bytes lost of a whole stream", seed, s.Lost())
		}
	}
}

// FuzzSide reads a script of segments and acknowledgements (4 bytes each:
// offset, length, what) and holds the side against the oracle: no byte is handed
// out twice, none changes place, and the counts add up.
func FuzzSide(f *testing.F) {
	f.Add(uint32(0), []byte{0, 0, 4, 0, 0, 4, 4, 0})               // in order
	f.Add(uint32(0xffffffff), []byte{0, 4, 4, 0, 0, 0, 4, 0})      // swapped, over the wrap-around
	f.Add(uint32(5), []byte{0, 2, 4, 0, 0, 0, 9, 0})               // a hole filled by one that covers all
	f.Add(uint32(5), []byte{0, 9, 4, 0, 0, 20, 0, 1, 0, 30, 4, 0}) // acknowledged, then later data
	f.Fuzz(func(t *testing.T, isn uint32, script []byte) {
		budget := NewBudget(1 << 16)
		var s Side
		s.Reset(budget)
		s.Push(&Segment{Seq: isn, SYN: true})
		o := oracle{cells: map[int]byte{}}
		var got []byte
		var lostAt []int
		take := func() {
			for c, ok := s.Next(); ok; c, ok = s.Next() {
				if c.Lost {
					lostAt = append(lostAt, len(got))
				}
				got = append(got, c.Data...)
			}
		}
		pushed := uint64(0)
		for i := 0; i+4 <= len(script) && i < 4000; i += 4 {
			off := int(script[i])<<8 | int(script[i+1])
			n := int(script[i+2])
			if script[i+3]&1 == 1 {
				s.Acked(isn + 1 + uint32(off))
			} else {
				data := bytes.Repeat([]byte{byte(i / 4)}, n)
				o.push(off, data)
				s.Push(&Segment{Seq: isn + 1 + uint32(off), Data: data, Length: n})
				pushed += uint64(n)
			}
			take()
		}
		s.Finish()
		take()
		if uint64(len(got)) != s.Bytes() {
			t.Errorf("handed out %d bytes, counted %d", len(got), s.Bytes())
		}
		if s.Bytes()+s.retransmitted != pushed {
			t.Errorf("%d bytes and %d again, of %d pushed", s.Bytes(), s.retransmitted, pushed)
		}
		if len(lostAt) == 0 && s.Lost() == 0 {
			for i, b := range got {
				if o.cells[i] != b {
					t.Fatalf("byte %d is %d, want %d", i, b, o.cells[i])
				}
			}
		}
		s.Reset(budget)
		if budget.left != 1<<16 {
			t.Errorf("%d bytes of budget never came back", 1<<16-budget.left)
		}
	})
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
	s.Push(&Segment{Seq: seq - 1, SYN: true})
	allocs := testing.AllocsPerRun(100, func() {
		s.Push(&Segment{Seq: seq, Data: data, Length: len(data)})
		c, ok := s.Next()
		if !ok || &c.Data[0] != &data[0] {
			t.Fatal("copied")
		}
		if _, ok := s.Next(); ok {
			t.Fatal("more than there was")
		}
		seq += uint32(len(data))
		s.Acked(seq)
	})
	if allocs != 0 {
		t.Errorf("%v allocations a segment, want none", allocs)
	}
}

func BenchmarkSide(b *testing.B) {
	for _, n := range []int{12, 1460} {
		b.Run(fmt.Sprintf("in order %d", n), func(b *testing.B) {
			data := make([]byte, n)
			var s Side
			s.Reset(NewBudget(1 << 16))
			seq := uint32(0)
			b.SetBytes(int64(n))
			b.ReportAllocs()
			for b.Loop() {
				s.Push(&Segment{Seq: seq, Data: data, Length: n})
				for _, ok := s.Next(); ok; _, ok = s.Next() {
				}
				seq += uint32(n)
				s.Acked(seq)
			}
		})
	}
}
