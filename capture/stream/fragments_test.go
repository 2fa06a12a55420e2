package stream

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"testing"
	"time"
	"unsafe"

	"bulkhead/capture"
)

func fragmentKey(id uint32) FragmentKey {
	return FragmentKey{Src: netip.AddrFrom4([4]byte{10, 0, 0, 1}), Dst: netip.AddrFrom4([4]byte{10, 0, 0, 2}), ID: id, Proto: 17}
}

// second returns the time s seconds after the capture's start.
func second(s int) capture.Time { return capture.NewTime(1e18+int64(s)*int64(time.Second), 6) }

func TestFragments(t *testing.T) {
	type piece struct {
		off    int
		data   string
		last   bool
		length int // on the wire, if not that of data
		at     int // seconds
		id     uint32
	}
	type result struct {
		id           uint32
		fate         Fate
		data         string
		length       int
		frames       uint64
		contradicted int
	}
	long := string(make([]byte, 65528))
	tests := map[string]struct {
		pieces []piece
		want   []result
	}{
		"in order":       {[]piece{{off: 0, data: "abcdefgh"}, {off: 8, data: "ij", last: true}}, []result{{0, Complete, "abcdefghij", 10, 2, 0}}},
		"back to front":  {[]piece{{off: 16, data: "q", last: true}, {off: 8, data: "ijklmnop"}, {off: 0, data: "abcdefgh"}}, []result{{0, Complete, "abcdefghijklmnopq", 17, 3, 0}}},
		"a copy":         {[]piece{{off: 0, data: "abcdefgh"}, {off: 0, data: "abcdefgh"}, {off: 8, data: "i", last: true}}, []result{{0, Complete, "abcdefghi", 9, 3, 0}}},
		"first wins":     {[]piece{{off: 4, data: "efgh"}, {off: 0, data: "abcdEFGHij"}, {off: 10, data: "k", last: true}}, []result{{0, Complete, "abcdefghijk", 11, 3, 4}}},
		"covered by one": {[]piece{{off: 8, data: "i"}, {off: 24, data: "y"}, {off: 0, data: "abcdefghIjklmnopqrstuvwxY", last: true}}, []result{{0, Complete, "abcdefghijklmnopqrstuvwxy", 25, 3, 2}}},
		"two ends":       {[]piece{{off: 8, data: "ij", last: true}, {off: 8, data: "ijkl", last: true}, {off: 8, data: "i", last: true}, {off: 0, data: "abcdefgh"}}, []result{{0, Complete, "abcdefghij", 10, 4, 3}}},
		"end before the rest": {[]piece{{off: 0, data: "abcdefgh"}, {off: 8, data: "ijkl"}, {off: 8, data: "i", last: true}, {off: 12, data: "m", last: true}},
			[]result{{0, Complete, "abcdefghijklm", 13, 4, 3}}},
		"beyond the end":   {[]piece{{off: 8, data: "i", last: true}, {off: 16, data: "xyz"}, {off: 0, data: "abcdefgh"}}, []result{{0, Complete, "abcdefghi", 9, 3, 3}}},
		"empty pieces":     {[]piece{{off: 0, data: ""}, {off: 8, data: "", last: true}, {off: 0, data: "abcdefgh"}}, []result{{0, Complete, "abcdefgh", 8, 3, 0}}},
		"nothing at all":   {[]piece{{off: 0, data: "", last: true}}, []result{{0, Complete, "", 0, 1, 0}}},
		"cut by snap len":  {[]piece{{off: 0, data: "abcd", length: 8}, {off: 8, data: "ij", last: true}}, []result{{0, Complete, "abcd", 10, 2, 0}}},
		"cut and repeated": {[]piece{{off: 0, data: "abcd", length: 8}, {off: 0, data: "aXcdefgh"}, {off: 8, data: "i", last: true}}, []result{{0, Complete, "abcd", 9, 3, 1}}},
		"first alone":      {[]piece{{off: 0, data: "abcdefgh"}}, []result{{0, Cut, "abcdefgh", 8, 1, 0}}},
		"first missing":    {[]piece{{off: 8, data: "i", last: true}}, []result{{0, Cut, "", 9, 1, 0}}},
		"hole":             {[]piece{{off: 0, data: "abcdefgh"}, {off: 16, data: "q", last: true}}, []result{{0, Cut, "abcdefgh", 17, 2, 0}}},
		"longest":          {[]piece{{off: 65528, data: "1234567", last: true}, {off: 0, data: long}}, []result{{0, Complete, long + "1234567", 65535, 2, 0}}},
		"ping of death":    {[]piece{{off: 0, data: "abcdefgh"}, {off: 65528, data: "12345678", last: true}}, []result{{0, Malformed, "abcdefgh", 8, 2, 0}}},
		"negative":         {[]piece{{off: -8, data: "abcdefgh"}, {off: 0, data: "", length: -1}}, []result{{0, Malformed, "", 0, 1, 0}, {0, Malformed, "", 0, 1, 0}}},
		"two at a time": {[]piece{{off: 0, data: "abcdefgh", id: 1}, {off: 8, data: "y", last: true, id: 2}, {off: 8, data: "i", last: true, id: 1}, {off: 0, data: "ABCDEFGH", id: 2}},
			[]result{{1, Complete, "abcdefghi", 9, 2, 0}, {2, Complete, "ABCDEFGHy", 9, 2, 0}}},
		"expired by itself":  {[]piece{{off: 0, data: "abcdefgh"}, {off: 8, data: "i", last: true, at: 61}}, []result{{0, Expired, "abcdefgh", 8, 1, 0}, {0, Cut, "", 9, 1, 0}}},
		"just in time":       {[]piece{{off: 0, data: "abcdefgh"}, {off: 8, data: "i", last: true, at: 60}}, []result{{0, Complete, "abcdefghi", 9, 2, 0}}},
		"expired by others":  {[]piece{{off: 0, data: "abcdefgh"}, {off: 0, data: "ABCDEFGH", id: 1, at: 70}}, []result{{0, Expired, "abcdefgh", 8, 1, 0}, {1, Cut, "ABCDEFGH", 8, 1, 0}}},
		"clock back a bit":   {[]piece{{off: 0, data: "abcdefgh", at: 50}, {off: 8, data: "i", last: true, at: 0}}, []result{{0, Complete, "abcdefghi", 9, 2, 0}}},
		"clock back far":     {[]piece{{off: 0, data: "abcdefgh", at: 5000}, {off: 0, data: "ABCDEFGH", id: 1, at: 10}}, []result{{0, Expired, "abcdefgh", 8, 1, 0}, {1, Cut, "ABCDEFGH", 8, 1, 0}}},
		"crowded":            {[]piece{{off: 0, data: "a", id: 1}, {off: 0, data: "b", id: 2}, {off: 0, data: "c", id: 3}, {off: 0, data: "d", id: 4}, {off: 0, data: "e", id: 5}}, []result{{1, Crowded, "a", 1, 1, 0}, {2, Cut, "b", 1, 1, 0}, {3, Cut, "c", 1, 1, 0}, {4, Cut, "d", 1, 1, 0}, {5, Cut, "e", 1, 1, 0}}},
		"clock of the newer": {[]piece{{off: 0, data: "a", id: 1, at: 50}, {off: 0, data: "b", id: 2, at: 0}, {off: 8, data: "c", id: 2, at: 61}}, []result{{2, Expired, "b", 1, 1, 0}, {1, Cut, "a", 1, 1, 0}, {2, Cut, "", 9, 1, 0}}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			budget := NewBudget(1 << 20)
			f := NewFragments(budget, 4)
			var got []result
			frames := map[uint32]uint64{} // of each packet, as they were added
			yield := func(w *Whole) {
				got = append(got, result{w.Key.ID, w.Fate, string(w.Data), w.Length, w.Frames, w.Contradicted})
				if w.Bytes != 100*w.Frames || w.LastFrame < w.FirstFrame || w.Last.Before(w.First) {
					t.Errorf("%d bytes of %d frames, frames %d to %d, %v to %v", w.Bytes, w.Frames, w.FirstFrame, w.LastFrame, w.First, w.Last)
				}
				if uint64(w.Ref) != w.FirstFrame {
					t.Errorf("ref %d, want that of the first fragment, %d", w.Ref, w.FirstFrame)
				}
				frames[w.Key.ID] -= w.Frames
			}
			for i, p := range tt.pieces {
				data := []byte(p.data)
				length := p.length
				if length == 0 {
					length = len(data)
				}
				frames[p.id]++
				f.Add(&Fragment{
					Key: fragmentKey(p.id), Offset: p.off, More: !p.last, Data: data, Length: length,
					Ref: uint32(i + 1), Frame: uint64(i + 1), Time: second(p.at), Bytes: 100,
				}, yield)
				clear(data) // the caller's buffer is used again
			}
			f.Finish(yield)
			if fmt.Sprint(got) != fmt.Sprint(tt.want) {
				t.Errorf("got\n%.500q, want\n%.500q", fmt.Sprint(got), fmt.Sprint(tt.want))
			}
			for id, n := range frames {
				if n != 0 {
					t.Errorf("packet %d: %d frames not accounted for", id, int64(n))
				}
			}
			if budget.left != 1<<20 || len(f.packets) != 0 || f.oldest != nil || f.newest != nil {
				t.Errorf("%d bytes of budget and %d packets never came back", 1<<20-budget.left, len(f.packets))
			}
		})
	}
}

// The oldest make room when the budget has no more; what then does not fit is
// seen, but not kept.
func TestFragmentsWithoutRoom(t *testing.T) {
	budget := NewBudget(3 * 1024)
	f := NewFragments(budget, 100)
	var got []string
	yield := func(w *Whole) { got = append(got, fmt.Sprint(w.Key.ID, w.Fate, len(w.Data), w.Length)) }
	add := func(id uint32, off, n int, more bool) {
		f.Add(&Fragment{Key: fragmentKey(id), Offset: off, More: more, Data: make([]byte, n), Length: n, Time: second(0)}, yield)
	}
	for id := range uint32(3) {
		add(id, 0, 1000, true)
	}
	add(3, 0, 1000, true)    // the first makes room
	add(1, 1000, 200, false) // those after itself make room
	add(4, 0, 4000, true)    // larger than all there is
	add(4, 4000, 8, false)   // it is complete on the wire all the same
	f.Finish(yield)
	want := []string{
		fmt.Sprint(0, Crowded, 1000, 1000), fmt.Sprint(2, Crowded, 1000, 1000), fmt.Sprint(3, Crowded, 1000, 1000),
		fmt.Sprint(1, Complete, 1200, 1200), fmt.Sprint(4, Complete, 0, 4008),
	}
	if fmt.Sprint(got) != fmt.Sprint(want) || !budget.Refused() {
		t.Errorf("got\n%v, want\n%v", got, want)
	}
	if budget.left != 3*1024 {
		t.Errorf("%d bytes of budget never came back", 3*1024-budget.left)
	}
}

// A packet in more runs than maxRuns is given up, and so is one that the budget
// has no room for as many.
func TestFragmentsInTooManyRuns(t *testing.T) {
	for _, tt := range []struct {
		budget int
		want   Fate
	}{{1 << 20, Malformed}, {1 << 10, Crowded}} {
		budget := NewBudget(tt.budget)
		f := NewFragments(budget, 10)
		fate := inProgress
		n := 0
		for i := 2 * maxRuns; fate == inProgress && i > 0; i-- {
			n++
			f.Add(&Fragment{Key: fragmentKey(1), Offset: 16 * i, More: true, Data: []byte{1}, Length: 1}, func(w *Whole) { fate = w.Fate })
		}
		if fate != tt.want || budget.left != tt.budget {
			t.Errorf("fate %d after %d fragments, %d bytes of budget kept; want %d and none", fate, n, tt.budget-budget.left, tt.want)
		}
	}
}

// A packet inside a packet, each in pieces: the outer one stays as it is while
// the inner ones are put together.
func TestFragmentsInside(t *testing.T) {
	budget := NewBudget(1 << 20)
	f := NewFragments(budget, 1) // so that they crowd each other as well
	var got []string
	var yield func(w *Whole)
	yield = func(w *Whole) {
		before := bytes.Clone(w.Data)
		if w.Fate == Complete && w.Key.Tunnel < 3 {
			k := w.Key
			k.Tunnel++
			half := len(w.Data) / 2
			f.Add(&Fragment{Key: k, Offset: half, Data: w.Data[half:], Length: len(w.Data) - half}, yield)
			f.Add(&Fragment{Key: k, Offset: 0, More: true, Data: w.Data[:half], Length: half}, yield)
		}
		if !bytes.Equal(before, w.Data) {
			t.Errorf("level %d changed from %q to %q", w.Key.Tunnel, before, w.Data)
		}
		got = append(got, fmt.Sprint(w.Key.Tunnel, w.Fate, string(w.Data)))
	}
	f.Add(&Fragment{Key: fragmentKey(1), Offset: 8, Data: []byte("ijklmnop"), Length: 8}, yield)
	f.Add(&Fragment{Key: fragmentKey(1), Offset: 0, More: true, Data: []byte("abcdefgh"), Length: 8}, yield)
	f.Finish(yield)
	whole := "abcdefghijklmnop"
	want := []string{fmt.Sprint(3, Complete, whole), fmt.Sprint(2, Complete, whole), fmt.Sprint(1, Complete, whole), fmt.Sprint(0, Complete, whole)}
	if fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("got\n%q, want\n%q", got, want)
	}
	if budget.left != 1<<20 {
		t.Errorf("%d bytes of budget never came back", 1<<20-budget.left)
	}
}

// slowPacket puts a packet together one byte a cell; the first wins.
type slowPacket struct {
	cells        map[int]int // byte, or -1 if it was seen and not captured
	end          int         // -1: not seen
	contradicted int
	frames       uint64
}

func (o *slowPacket) add(frag *Fragment) {
	o.frames++
	stop := frag.Offset + frag.Length
	last := 0
	for at := range o.cells {
		last = max(last, at+1)
	}
	switch {
	case frag.More:
	case o.end >= 0:
		o.contradicted += max(0, o.end-stop)
	case stop < last:
		o.contradicted += last - stop
	default:
		o.end = stop
	}
	for i := range frag.Length {
		at, b := frag.Offset+i, -1
		if i < len(frag.Data) {
			b = int(frag.Data[i])
		}
		old, ok := o.cells[at]
		switch {
		case o.end >= 0 && at >= o.end:
			o.contradicted++
		case !ok:
			o.cells[at] = b
		case old >= 0 && b >= 0 && old != b:
			o.contradicted++
		}
	}
}

func (o *slowPacket) whole() (data []byte, length int) {
	for at := range o.cells {
		length = max(length, at+1)
	}
	for at := 0; ; at++ {
		b, ok := o.cells[at]
		if !ok || b < 0 {
			return data, max(length, o.end)
		}
		data = append(data, byte(b))
	}
}

// fragmentsAgainstOracle reads a script of fragments (5 bytes each: packet and
// what, offset, length, captured, content) of up to four packets at a time, and
// holds every packet against the slow one. A little budget may lose bytes, never
// frames.
func fragmentsAgainstOracle(t *testing.T, script []byte, room int) {
	budget := NewBudget(room)
	f := NewFragments(budget, 4)
	slow := map[uint32]*slowPacket{}
	added, yielded := uint64(0), uint64(0)
	yield := func(w *Whole) {
		o := slow[w.Key.ID]
		delete(slow, w.Key.ID)
		yielded += w.Frames
		if o == nil || w.Frames != o.frames {
			t.Fatalf("packet %d has %d frames, want %+v", w.Key.ID, w.Frames, o)
		}
		data, length := o.whole()
		if w.Fate == Crowded {
			length = w.Length // the last fragment may not have been taken as a whole
		}
		if w.Length != length || (w.Fate == Complete) != (len(o.cells) == o.end) {
			t.Fatalf("packet %d: length %d, fate %d; want %d, end %d", w.Key.ID, w.Length, w.Fate, length, o.end)
		}
		if budget.Refused() {
			if !bytes.HasPrefix(data, w.Data) {
				t.Fatalf("packet %d: %q, want the front of %q", w.Key.ID, w.Data, data)
			}
			return
		}
		if !bytes.Equal(w.Data, data) || w.Contradicted != o.contradicted {
			t.Fatalf("packet %d: %q, contradicted %d; want\n%q, %d", w.Key.ID, w.Data, w.Contradicted, data, o.contradicted)
		}
	}
	for i := 0; i+5 <= len(script) && i < 5000; i += 5 {
		what, off, n, have, content := script[i], int(script[i+1]), int(script[i+2]), int(script[i+3]), script[i+4]
		data := make([]byte, min(n, have))
		for j := range data {
			data[j] = 'a' + byte(off+j)%26
			if content&1 != 0 && j%3 == 0 {
				data[j] = content
			}
		}
		frag := &Fragment{Key: fragmentKey(uint32(what & 3)), Offset: off, More: what&4 != 0, Data: data, Length: n, Frame: uint64(i + 1)}
		added++
		expect := func() {
			if slow[frag.Key.ID] == nil {
				slow[frag.Key.ID] = &slowPacket{cells: map[int]int{}, end: -1}
			}
			slow[frag.Key.ID].add(frag)
		}
		f.Add(frag, func(w *Whole) {
			if w.LastFrame == frag.Frame {
				expect()
			}
			yield(w)
		})
		if p, ok := f.packets[frag.Key]; ok && p.whole.LastFrame == frag.Frame {
			expect()
		}
		clear(data)
	}
	f.Finish(yield)
	if added != yielded || budget.left != room {
		t.Fatalf("%d frames of %d yielded, %d bytes of budget never came back", yielded, added, room-budget.left)
	}
}

func FuzzFragments(f *testing.F) {
	f.Add([]byte{4, 0, 8, 8, 0, 0, 8, 8, 8, 0}, uint16(60000))                        // in order
	f.Add([]byte{0, 8, 8, 8, 0, 4, 0, 8, 8, 0}, uint16(60000))                        // back to front
	f.Add([]byte{4, 4, 9, 9, 0, 4, 0, 30, 30, 1, 0, 30, 1, 1, 0}, uint16(60000))      // one covers another and disagrees
	f.Add([]byte{4, 0, 8, 2, 0, 0, 8, 8, 8, 0}, uint16(60000))                        // cut by the snap length
	f.Add([]byte{4, 0, 200, 200, 0, 5, 0, 200, 200, 0, 6, 0, 99, 99, 0}, uint16(300)) // no room for all
	f.Add([]byte{0, 8, 8, 8, 0, 0, 8, 4, 4, 0, 4, 30, 9, 9, 0}, uint16(60000))        // two ends, and more behind
	f.Fuzz(func(t *testing.T, script []byte, room uint16) { fragmentsAgainstOracle(t, script, int(room)) })
}

func TestFragmentsAgainstOracle(t *testing.T) {
	for seed := range uint64(3000) {
		r := rand.New(rand.NewPCG(seed, 2))
		script := make([]byte, 5*r.IntN(60))
		for i := range script {
			script[i] = byte(r.Uint32())
			switch i % 5 {
			case 0: // few last fragments
				script[i] |= byte(r.IntN(2)) << 2
			case 2, 3: // short, so that they leave gaps
				script[i] %= byte(1 + r.IntN(250))
			}
		}
		room := 1 << 20
		if seed%4 == 0 {
			room = r.IntN(2000)
		}
		fragmentsAgainstOracle(t, script, room)
	}
}

// A packet in random pieces that overlap and come in any order is what it was.
func TestFragmentsInAnyOrder(t *testing.T) {
	budget := NewBudget(1 << 20)
	f := NewFragments(budget, 8)
	for seed := range uint64(300) {
		r := rand.New(rand.NewPCG(seed, 3))
		packet := make([]byte, 1+r.IntN(3000))
		if seed%50 == 0 {
			packet = make([]byte, maxPacket)
		}
		for i := range packet {
			packet[i] = byte(r.Uint32())
		}
		var frags []*Fragment
		for off := 0; off < len(packet); {
			n := min(8*(1+r.IntN(1+len(packet)/100)), len(packet)-off)
			start := max(0, off-r.IntN(2)*r.IntN(40))
			frags = append(frags, &Fragment{Key: fragmentKey(uint32(seed)), Offset: start, More: off+n < len(packet), Data: packet[start : off+n], Length: off + n - start})
			off += n
		}
		r.Shuffle(len(frags), func(i, j int) { frags[i], frags[j] = frags[j], frags[i] })
		done := 0
		for i, frag := range frags {
			f.Add(frag, func(w *Whole) {
				if done++; w.Fate != Complete || !bytes.Equal(w.Data, packet) || w.Contradicted != 0 {
					t.Errorf("seed %d: fate %d, %d bytes, contradicted %d; want all %d", seed, w.Fate, len(w.Data), w.Contradicted, len(packet))
				}
				if i < len(frags)-1 && done == 1 { // what overlaps needs not come
					frags = frags[:i+1]
				}
			})
			if done > 0 {
				break
			}
		}
		if done != 1 {
			t.Errorf("seed %d: %d packets, want one", seed, done)
		}
	}
	if budget.left != 1<<20 {
		t.Errorf("%d bytes of budget never came back", 1<<20-budget.left)
	}
}

// A flood of first fragments keeps what a Fragments may keep and no more.
func TestFragmentsFlood(t *testing.T) {
	const packets, room = 64, 32 << 10
	budget := NewBudget(room)
	f := NewFragments(budget, packets)
	data := make([]byte, 1400)
	crowded := 0
	yield := func(w *Whole) { crowded++ }
	id := uint32(0)
	add := func() {
		f.Add(&Fragment{Key: fragmentKey(id), More: true, Data: data, Length: len(data), Time: second(int(id) / 1000)}, yield)
		id++
	}
	for range 1000 {
		add()
	}
	if allocs := testing.AllocsPerRun(10000, add); allocs != 0 {
		t.Errorf("%v allocations a fragment, want none", allocs)
	}
	if n := len(f.packets); n > packets || crowded != int(id)-n || budget.idle > maxIdle {
		t.Errorf("%d in progress, %d of %d given up, %d bytes idle", n, crowded, id, budget.idle)
	}
	f.Finish(yield)
	if budget.left != room || crowded != int(id) {
		t.Errorf("%d of %d given up, %d bytes of budget never came back", crowded, id, room-budget.left)
	}
}

// Nothing is allocated for packets in few pieces, in order or not.
func TestFragmentsAllocateNothing(t *testing.T) {
	f := NewFragments(NewBudget(1<<20), 64)
	data := make([]byte, 1480)
	id, done := uint32(0), 0
	yield := func(w *Whole) { done += len(w.Data) }
	packet := func() {
		for _, off := range []int{1480, 0, 2960} {
			f.Add(&Fragment{Key: fragmentKey(id), Offset: off, More: off < 2960, Data: data, Length: len(data)}, yield)
		}
		id++
	}
	packet()
	if allocs := testing.AllocsPerRun(1000, packet); allocs != 0 || done != int(id)*3*1480 {
		t.Errorf("%v allocations a packet, %d bytes; want none, %d", allocs, done, int(id)*3*1480)
	}
}

func TestSizes(t *testing.T) {
	if n := unsafe.Sizeof(Side{}); n > 64 {
		t.Errorf("a Side is %d bytes, more than a cache line", n)
	}
	for what, sizes := range map[string][2]int{
		"piece": {int(unsafe.Sizeof(piece{})), pieceSize}, "disorder": {int(unsafe.Sizeof(disorder{})), disorderSize},
		"extent": {int(unsafe.Sizeof(extent{})), extentSize}, "partial": {int(unsafe.Sizeof(partial{})), 500},
	} {
		if sizes[0] > sizes[1] {
			t.Errorf("%s is %d bytes, charged for %d", what, sizes[0], sizes[1])
		}
	}
}

func BenchmarkFragments(b *testing.B) {
	data := make([]byte, 1480)
	b.Run("two a packet", func(b *testing.B) {
		f := NewFragments(NewBudget(1<<20), 1024)
		id, n := uint32(0), 0
		yield := func(w *Whole) { n += len(w.Data) }
		b.SetBytes(2 * 1480)
		b.ReportAllocs()
		for b.Loop() {
			f.Add(&Fragment{Key: fragmentKey(id), More: true, Data: data, Length: len(data)}, yield)
			f.Add(&Fragment{Key: fragmentKey(id), Offset: 1480, Data: data, Length: len(data)}, yield)
			id++
		}
	})
	b.Run("flood of firsts", func(b *testing.B) {
		f := NewFragments(NewBudget(4<<20), 4096)
		id := uint32(0)
		yield := func(*Whole) {}
		b.ReportAllocs()
		for b.Loop() {
			f.Add(&Fragment{Key: fragmentKey(id), More: true, Data: data, Length: len(data)}, yield)
			id++
		}
	})
	b.Run("back to front", func(b *testing.B) {
		f := NewFragments(NewBudget(1<<20), 1024)
		yield := func(*Whole) {}
		b.SetBytes(128 * maxRuns)
		b.ReportAllocs()
		for b.Loop() {
			for i := maxRuns - 1; i >= 0; i-- {
				f.Add(&Fragment{Key: fragmentKey(1), Offset: 128 * i, More: i < maxRuns-1, Data: data[:min(128, maxPacket-128*i)], Length: min(128, maxPacket-128*i)}, yield)
			}
		}
	})
}
