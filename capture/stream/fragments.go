package stream

import (
	"cmp"
	"net/netip"
	"slices"
	"time"

	"bulkhead/capture"
)

// FragmentKey names the packet that a fragment is of. Fragments of different
// VLANs and tunnels are never put together, although RFC 791, 3.2, and RFC 8200,
// 4.5, know only addresses, identification and, in IPv4, the protocol.
type FragmentKey struct {
	Src, Dst netip.Addr
	ID       uint32
	Proto    uint8 // of IPv4; 0 over IPv6, where the first fragment alone tells
	VLAN     uint16
	Tunnel   uint32
}

// Fragment is one piece of an IP packet.
type Fragment struct {
	Key    FragmentKey
	Offset int    // in bytes, from the end of the headers that every fragment repeats
	More   bool   // another fragment follows this one
	Data   []byte // behind those headers, as captured; only read by Add
	Length int    // of Data on the wire; at least len(Data)
	Ref    uint32 // of the caller's choice
	Frame  uint64
	Time   capture.Time
	Bytes  int // of the whole frame on the wire
}

// Fate is what became of a packet that came in pieces.
type Fate uint8

// The fates.
const (
	inProgress Fate = iota
	Complete        // all of it was on the wire
	Cut             // pieces were missing when the capture ended
	Expired         // pieces were missing when its time was over
	Crowded         // it was given up because there was no room
	Malformed       // longer than a packet can be, or in more disorder than any network makes
)

// Whole is a packet that came in pieces, put together as far as possible.
type Whole struct {
	Key  FragmentKey
	Ref  uint32 // of the fragment captured first
	Fate Fate

	// Data is the packet behind the headers that every fragment repeats, up to
	// the first byte that is missing or was not captured. It is empty if the first
	// fragment was not seen.
	Data   []byte
	Length int // of all of it on the wire; up to the last byte seen if the end was not

	Frames                uint64 // fragments
	Bytes                 uint64 // of their frames
	FirstFrame, LastFrame uint64
	First, Last           capture.Time // the earliest and the latest
	Contradicted          int          // bytes that a later fragment told otherwise
}

// A packet that is not whole after lifetime is given up. RFC 8200, 4.5, asks for 60
// seconds; RFC 1122, 3.3.2, for 60 to 120.
const lifetime = int64(60 * time.Second)

// maxPacket is the longest that a packet can be behind the headers that every
// fragment repeats. Source: RFC 8200, 4.5; over IPv4 it is those headers less.
const maxPacket = 1<<16 - 1

// How many runs of bytes a packet may be in that were not captured one behind the
// other. Few packets have any; the most are those of a packet of 64 KiB sent back
// to front over a link with an MTU of 150.
const (
	fewRuns  = 8
	maxRuns  = 512
	maxSpare = 16 // lists of maxRuns kept for the next packet
)

// Fragments puts packets together. It is not safe for concurrent use.
type Fragments struct {
	budget         *Budget
	max            int
	packets        map[FragmentKey]*partial
	oldest, newest *partial // by their first fragments

	// Memory that is used again.
	partials []*partial
	extents  [][]extent
	scratch  [][]byte // of maxPacket bytes each
}

// partial is a packet in progress.
type partial struct {
	whole        Whole
	since        capture.Time // of the fragment captured first
	end          int          // of the packet; -1 while its last fragment was not seen
	covered      int          // bytes seen on the wire
	buf          []byte       // what was captured of them, as it came; from Budget.buffer
	extents      []extent     // of the packet; ascending, disjoint
	few          [fewRuns]extent
	older, newer *partial
}

// extent is a run of a packet's bytes that was seen on the wire.
type extent struct {
	offset, length uint16
	have           uint16 // of length, from its front: the rest was not captured or not kept
	at             uint16 // of these in partial.buf
}

const extentSize = 8 // bytes

func (x *extent) end() int { return int(x.offset) + int(x.length) }

// NewFragments returns one that has at most maxPackets packets in progress, which
// is at least 1. What it keeps of them is charged to budget, but for some 500
// bytes a packet.
func NewFragments(budget *Budget, maxPackets int) *Fragments {
	return &Fragments{budget: budget, max: max(1, maxPackets), packets: map[FragmentKey]*partial{}}
}

// Add takes a fragment and yields the packets that are over by it: first those
// given up, oldest first, then its own if it is complete. Where two fragments
// disagree about a byte or about the end, the one captured first wins.
//
// What yield gets is valid until it returns. It may call Add for what it finds
// inside; frag is to stay as it is meanwhile.
//
// The time by which a packet expires is that of the frames. A packet whose first
// fragment lies further than that ahead of this one has expired as well: the
// clock was set back. Fragments without a time expire nothing.
func (f *Fragments) Add(frag *Fragment, yield func(*Whole)) {
	// All that yields here comes in front of all that changes the packet itself.
	p := f.packets[frag.Key]
	for victim, fate := f.victim(p, frag); victim != nil; victim, fate = f.victim(p, frag) {
		f.over(victim, fate, yield)
		p = f.packets[frag.Key]
	}
	if p == nil {
		p = f.start(frag)
	}
	w := &p.whole
	w.Frames++
	w.Bytes += uint64(frag.Bytes)
	w.LastFrame = frag.Frame
	w.First, w.Last = w.First.Earliest(frag.Time), w.Last.Latest(frag.Time)
	if fate := f.place(p, frag); fate != inProgress {
		f.over(p, fate, yield)
	}
}

// Finish yields what is left, in the order of the first fragments.
func (f *Fragments) Finish(yield func(*Whole)) {
	for f.oldest != nil {
		f.over(f.oldest, Cut, yield)
	}
}

// victim returns a packet that is to be given up before frag, which is of p (nil
// if it is of a new packet), can be taken.
func (f *Fragments) victim(p *partial, frag *Fragment) (*partial, Fate) {
	switch {
	case f.oldest == nil:
		return nil, inProgress
	case f.oldest.expired(frag.Time):
		return f.oldest, Expired
	case p != nil && p.expired(frag.Time):
		return p, Expired
	case p == nil && len(f.packets) == f.max:
		return f.oldest, Crowded
	case f.budget.room(p.growth(frag)):
		return nil, inProgress
	case f.oldest != p:
		return f.oldest, Crowded
	}
	return p.newer, Crowded
}

func (p *partial) expired(now capture.Time) bool {
	if now.IsZero() || p.since.IsZero() {
		return false
	}
	age := now.UnixNano() - p.since.UnixNano()
	return age > lifetime || age < -lifetime
}

// possible reports whether a packet can have such a fragment.
func (frag *Fragment) possible() bool {
	return frag.Offset >= 0 && frag.Length >= len(frag.Data) && frag.Length <= maxPacket && frag.Offset+frag.Length <= maxPacket
}

// growth returns how much p, which may be nil, is to grow to take frag.
func (p *partial) growth(frag *Fragment) int {
	if !frag.possible() {
		return 0
	}
	if p == nil {
		if len(frag.Data) == 0 {
			return 0
		}
		return bufferSize(len(frag.Data))
	}
	bytes, runs := p.fresh(frag)
	n := 0
	if need := len(p.buf) + bytes; need > cap(p.buf) {
		n += bufferSize(need)
	}
	if len(p.extents)+runs > fewRuns && cap(p.extents) == fewRuns {
		n += maxRuns * extentSize
	}
	return n
}

// fresh returns at most how many captured bytes frag adds to p, and in how many
// runs.
func (p *partial) fresh(frag *Fragment) (bytes, runs int) {
	start, stop := frag.Offset, frag.Offset+frag.Length
	bytes, runs = stop-start, 1
	for i := p.search(start); i < len(p.extents) && int(p.extents[i].offset) < stop; i++ {
		x := &p.extents[i]
		bytes -= min(stop, x.end()) - max(start, int(x.offset))
		runs++
	}
	return min(bytes, len(frag.Data)), runs
}

// search returns the first of the extents that ends beyond offset.
func (p *partial) search(offset int) int {
	i, _ := slices.BinarySearchFunc(p.extents, offset, func(x extent, offset int) int { return cmp.Compare(x.end(), offset+1) })
	return i
}

// start makes a packet of its first fragment.
func (f *Fragments) start(frag *Fragment) *partial {
	var p *partial
	if last := len(f.partials) - 1; last >= 0 {
		p = f.partials[last]
		f.partials = f.partials[:last]
	} else {
		p = new(partial)
	}
	p.whole = Whole{Key: frag.Key, Ref: frag.Ref, FirstFrame: frag.Frame}
	p.since, p.end = frag.Time, -1
	p.extents = p.few[:0]
	p.older, f.newest = f.newest, p
	if p.older != nil {
		p.older.newer = p
	} else {
		f.oldest = p
	}
	f.packets[frag.Key] = p
	return p
}

// place puts the bytes of frag where they belong and returns the fate of p by it.
func (f *Fragments) place(p *partial, frag *Fragment) Fate {
	if !frag.possible() {
		return Malformed
	}
	start, stop := frag.Offset, frag.Offset+frag.Length
	last := 0
	if n := len(p.extents); n > 0 {
		last = p.extents[n-1].end()
	}
	switch {
	case p.end >= 0 && stop > p.end:
		p.whole.Contradicted += stop - max(start, p.end)
		stop = p.end
	case frag.More:
	case p.end >= 0:
		p.whole.Contradicted += p.end - stop
	case stop < last:
		p.whole.Contradicted += last - stop
	default:
		p.end = stop
	}
	if bytes, _ := p.fresh(frag); len(p.buf)+bytes > cap(p.buf) {
		f.grow(p, len(p.buf)+bytes)
	}
	for i := p.search(start); start < stop; i = p.search(start) {
		free := stop
		if i < len(p.extents) {
			free = min(stop, int(p.extents[i].offset))
		}
		if free > start {
			if fate := f.put(p, i, frag, start, free); fate != inProgress {
				return fate
			}
			start = free
			continue
		}
		x := &p.extents[i]
		end := min(stop, x.end())
		p.compare(x, frag, start, end)
		start = end
	}
	if p.covered == p.end {
		return Complete
	}
	return inProgress
}

// grow makes room for n bytes in p.buf, if the budget has it.
func (f *Fragments) grow(p *partial, n int) {
	buf := f.budget.buffer(n)
	if buf == nil {
		return
	}
	buf = append(buf, p.buf...)
	if p.buf != nil {
		f.budget.giveBuffer(p.buf)
	}
	p.buf = buf
}

// put adds the bytes of frag from start to stop, which nothing covers, in front
// of extent i. It returns the fate of p by it.
func (f *Fragments) put(p *partial, i int, frag *Fragment, start, stop int) Fate {
	data := frag.between(start, stop)
	if len(p.buf)+len(data) > cap(p.buf) {
		data = nil // not kept
	}
	p.covered += stop - start
	if i > 0 {
		x := &p.extents[i-1]
		if x.end() == start && x.have == x.length && int(x.at)+int(x.have) == len(p.buf) {
			x.length += uint16(stop - start)
			x.have += uint16(len(data))
			p.buf = append(p.buf, data...)
			return inProgress
		}
	}
	if len(p.extents) == cap(p.extents) {
		if cap(p.extents) > fewRuns {
			return Malformed
		}
		if !f.widen(p) {
			return Crowded
		}
	}
	p.extents = slices.Insert(p.extents, i, extent{uint16(start), uint16(stop - start), uint16(len(data)), uint16(len(p.buf))})
	p.buf = append(p.buf, data...)
	return inProgress
}

// widen makes room for as many extents as a packet may have, if the budget has
// it.
func (f *Fragments) widen(p *partial) bool {
	if !f.budget.Take(maxRuns * extentSize) {
		return false
	}
	var wide []extent
	if last := len(f.extents) - 1; last >= 0 {
		wide = f.extents[last]
		f.extents = f.extents[:last]
	} else {
		wide = make([]extent, 0, maxRuns)
	}
	p.extents = append(wide, p.extents...)
	return true
}

// compare counts the bytes from start to stop of which frag tells otherwise than
// x, which covers them.
func (p *partial) compare(x *extent, frag *Fragment, start, stop int) {
	known := p.buf[x.at : int(x.at)+int(x.have)]
	known = known[min(start-int(x.offset), len(known)):]
	p.whole.Contradicted += differing(known, frag.between(start, stop))
}

// between returns the bytes from one offset in the packet to another, as far as
// they were captured.
func (frag *Fragment) between(start, stop int) []byte {
	n := len(frag.Data)
	return frag.Data[min(start-frag.Offset, n):min(stop-frag.Offset, n)]
}

// over yields p, which met its fate, and takes its memory back.
func (f *Fragments) over(p *partial, fate Fate, yield func(*Whole)) {
	delete(f.packets, p.whole.Key)
	if p.older != nil {
		p.older.newer = p.newer
	} else {
		f.oldest = p.newer
	}
	if p.newer != nil {
		p.newer.older = p.older
	} else {
		f.newest = p.older
	}
	w := &p.whole
	w.Fate = fate
	w.Length = max(p.end, 0)
	if n := len(p.extents); n > 0 {
		w.Length = max(w.Length, p.extents[n-1].end())
	}
	data, scratch := f.data(p)
	w.Data = data
	yield(w)
	if scratch != nil {
		f.scratch = append(f.scratch, scratch)
	}
	if p.buf != nil {
		f.budget.giveBuffer(p.buf)
	}
	if cap(p.extents) > fewRuns {
		f.budget.Give(maxRuns * extentSize)
		if len(f.extents) < maxSpare {
			f.extents = append(f.extents, p.extents[:0])
		}
	}
	*p = partial{}
	f.partials = append(f.partials, p)
}

// data returns the bytes of p up to the first that is missing, and the memory
// besides p's own that they are in, if they had to be moved. That is not charged:
// there is one for each packet inside a packet.
func (f *Fragments) data(p *partial) (data, scratch []byte) {
	n, runs, inPlace := 0, 0, true
	for _, x := range p.extents {
		if int(x.offset) != n {
			break
		}
		inPlace = inPlace && int(x.at) == int(p.extents[0].at)+n
		n += int(x.have)
		runs++
		if x.have < x.length {
			break
		}
	}
	if n == 0 {
		return nil, nil
	}
	if inPlace {
		at := int(p.extents[0].at)
		return p.buf[at : at+n], nil
	}
	if last := len(f.scratch) - 1; last >= 0 {
		scratch = f.scratch[last]
		f.scratch = f.scratch[:last]
	} else {
		scratch = make([]byte, 0, maxPacket)
	}
	data = scratch
	for _, x := range p.extents[:runs] {
		data = append(data, p.buf[x.at:int(x.at)+int(x.have)]...)
	}
	return data, scratch
}
