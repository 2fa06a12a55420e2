package observe

import (
	"bytes"
	"math"
	"time"

	"bulkhead/capture"
	"bulkhead/capture/packet"
	"bulkhead/capture/pcap"
	"bulkhead/capture/stream"
	"bulkhead/internal/mac"
)

// router takes the frames of a file in order and hands what is in them to the
// shards: packets put together from fragments, packets inside tunnels. What
// depends on more than two addresses is done here: clocks, the ledger,
// duplicates.
type router struct {
	limits *limits
	seeds  seeds
	packet packet.Packet
	key    flowKey       // of packet, or of within
	within packet.Packet // inside a tunnel of packet
	twice  *duplicates   // nil if they are not looked for
	sums   *duplicates   // sums payloads

	fragments *stream.Fragments
	origins   []origin // of fragments, nil before the first
	tunnels   map[tunnelKey]uint16
	names     []string // of tunnels
	depths    []uint8  // of tunnels: how many are around what they carry
	unit      *unit    // being filled

	frames      uint64
	cut         uint64 // frames that the snap length cut
	first, last capture.Time
	previous    capture.Time  // of the frame before
	watched     time.Duration // see [capture.Capture.WatchedMS]
	links       map[pcap.LinkType]bool
	lastLink    pcap.LinkType
	ledger      ledger
	crowded     bool  // fragments found no room
	crowdedAt   int64 // offset of the frame
}

// tunnelKey tells tunnels apart by what they are in and their identification.
type tunnelKey struct {
	outer uint16
	kind  packet.TunnelKind
	hasID bool
	id    uint32
}

// otherTunnel stands for those that found no room.
const otherTunnel = 1

// origin is what a fragment's frame was, besides what names its packet.
type origin struct {
	frame    uint64
	src, dst mac.Addr
	ttl      uint8
	proto    uint8
}

// maxOrigins is how many fragments are remembered by their origin, a power of 2.
const maxOrigins = 1 << 15

func newRouter(l *limits, keepDuplicates bool) *router {
	r := &router{
		limits:    l,
		seeds:     newSeeds(),
		sums:      newDuplicates(),
		fragments: stream.NewFragments(stream.NewBudget(l.fragmentBytes), l.fragmented),
		tunnels:   make(map[tunnelKey]uint16),
		names:     []string{"", "other"},
		depths:    []uint8{0, MaxDepth},
		links:     make(map[pcap.LinkType]bool),
		ledger:    newLedger(l.reasons),
	}
	if !keepDuplicates {
		r.twice = r.sums
	}
	return r
}

// frame takes the next frame of the file.
func (r *router) frame(f *pcap.Frame) {
	r.frames++
	if len(f.Data) < f.Length {
		r.cut++
	}
	if !f.Time.IsZero() {
		r.clock(f.Time)
	}
	if f.Link != r.lastLink || r.frames == 1 {
		r.lastLink = f.Link
		r.links[f.Link] = true
	}
	p := &r.packet
	outcome := p.Parse(f.Link, f.Length, f.Data)
	if p.FragmentData != nil {
		r.fragment(p, 0, f)
		return
	}
	if r.route(p, outcome, 0, f) {
		r.ledger.add(ledgerDuplicate, "", 1)
		return
	}
	r.ledger.add(ledgerState(outcome), p.Detail, 1)
	if p.Tunnel.Kind != packet.None {
		r.inside(p, 0, f)
	}
}

func (r *router) clock(t capture.Time) {
	r.first, r.last = r.first.Earliest(t), r.last.Latest(t)
	step := time.Duration(t.UnixNano() - r.previous.UnixNano())
	if r.previous.Before(t) && step > 0 && step <= capture.MaxSilence {
		r.watched = min(r.watched, math.MaxInt64-step) + step // a clock may go to and fro
	}
	r.previous = t
}

// inside goes into the tunnels of p.
func (r *router) inside(p *packet.Packet, tunnel uint16, f *pcap.Frame) {
	q := &r.within
	for r.depths[tunnel] < MaxDepth {
		tunnel = r.tunnel(tunnel, &p.Tunnel)
		outcome := q.Inside(p)
		if q.FragmentData != nil {
			r.fragment(q, tunnel, f)
			return
		}
		if r.route(q, outcome, tunnel, f) || q.Tunnel.Kind == packet.None {
			return
		}
		p = q
	}
}

// tunnel returns the number of a tunnel.
func (r *router) tunnel(outer uint16, t *packet.Tunnel) uint16 {
	k := tunnelKey{outer: outer, kind: t.Kind, hasID: t.HasID}
	if t.HasID {
		k.id = t.ID
	}
	n, ok := r.tunnels[k]
	if !ok {
		if len(r.names) >= r.limits.tunnels {
			return otherTunnel
		}
		n = uint16(len(r.names))
		name := t.String()
		if outer != 0 {
			name = r.names[outer] + " / " + name
		}
		r.names, r.depths = append(r.names, name), append(r.depths, r.depths[outer]+1)
		r.tunnels[k] = n
	}
	return n
}

// route hands a packet to the shard of its addresses. It returns true if the
// packet was captured before.
func (r *router) route(p *packet.Packet, outcome packet.Outcome, tunnel uint16, f *pcap.Frame) (again bool) {
	switch outcome {
	case packet.UnknownLink:
		return false
	case packet.Truncated, packet.Malformed:
		if !p.Src.IsValid() {
			return false
		}
	}
	k := &r.key
	from := k.set(p, tunnel)
	sum := r.sums.payload(p.Payload)
	pair, hash := k.pair(), k.hash(&r.seeds)
	again = r.twice != nil && r.twice.seen(p, k.carrier, from, pair, hash, sum, f.Time.UnixNano())
	to := r.unit.parcel(pair)
	to.fill(p)
	to.key, to.from, to.hash, to.sum = *k, uint8(from), hash, sum
	to.number, to.offset, to.time, to.length, to.frames = f.Number, f.Offset, f.Time, uint64(f.Length), 1
	// What the IP header claims beyond the frame itself may never have been sent,
	// and must not stand in the way of bytes that were.
	to.payloadLength = int32(min(p.PayloadLength, len(p.Payload)+f.Length-len(f.Data)))
	switch {
	case again:
		to.kind = duplicate
		return true
	case outcome == packet.Truncated, outcome == packet.Malformed:
		to.kind, to.payload, to.payloadLength = headersOnly, nil, 0
	default:
		to.kind = wholePacket
	}
	if to.key.carrier >= overICMP {
		r.more(to, p)
	}
	return false
}

// more adds what few packets have.
func (r *router) more(to *parcel, p *packet.Packet) {
	if to.key.carrier == overICMP || to.key.carrier == overLink && p.EtherType == etherTypeARP {
		to.more = r.unit.keep(p)
	}
	if to.key.carrier == overICMP && icmpRefusal(p) {
		r.refuse(p, to)
	}
}

// refuse tells the shard of the connection that an ICMP error is about.
func (r *router) refuse(p *packet.Packet, by *parcel) {
	quoted := packet.Packet{
		Src: p.Quoted.Src, Dst: p.Quoted.Dst, Proto: p.Quoted.Proto,
		SrcPort: p.Quoted.SrcPort, DstPort: p.Quoted.DstPort,
	}
	var k flowKey
	from := k.set(&quoted, by.key.tunnel)
	number, offset, vlan := by.number, by.offset, by.vlan
	to := r.unit.parcel(k.pair())
	*to = parcel{key: k, hash: k.hash(&r.seeds), from: uint8(from), kind: refusal, number: number, offset: offset, vlan: vlan}
}

// fragment takes a frame that holds part of a packet.
func (r *router) fragment(p *packet.Packet, tunnel uint16, f *pcap.Frame) {
	if r.twice != nil {
		k := &r.key
		from := k.set(p, tunnel)
		if r.twice.seen(p, k.carrier, from, k.pair(), k.hash(&r.seeds), r.sums.payload(p.FragmentData), f.Time.UnixNano()) {
			if tunnel == 0 {
				r.ledger.add(ledgerDuplicate, "", 1)
			}
			return
		}
	}
	if r.origins == nil {
		r.origins = make([]origin, maxOrigins)
	}
	ref := uint32(f.Number) % maxOrigins
	r.origins[ref] = origin{f.Number, p.SrcMAC, p.DstMAC, p.TTL, p.FragmentProto}
	key := stream.FragmentKey{Src: p.Src, Dst: p.Dst, ID: p.FragmentID, VLAN: p.VLAN(), Tunnel: uint32(tunnel)}
	if p.Src.Is4() {
		key.Proto = p.FragmentProto
	}
	r.fragments.Add(&stream.Fragment{
		Key: key, Offset: p.FragmentOffset, More: p.MoreFragments, Data: p.FragmentData, Length: p.FragmentLength, Ref: ref,
		Frame: f.Number, Time: f.Time, Bytes: f.Length,
	}, func(w *stream.Whole) { r.whole(w, p, f) })
}

// finish hands out what waits.
func (r *router) finish() {
	r.fragments.Finish(func(w *stream.Whole) { r.whole(w, nil, nil) })
}

// whole hands a packet that came in pieces to its shard. Last is its last
// fragment, in frame f, if it is complete.
func (r *router) whole(w *stream.Whole, last *packet.Packet, f *pcap.Frame) {
	var p packet.Packet
	var at origin
	if o := r.origins[w.Ref]; o.frame == w.FirstFrame {
		at = o
	}
	// The bytes are the reassembler's until it returns.
	data := bytes.Clone(w.Data)
	tunnel, outcome, missing := uint16(w.Key.Tunnel), packet.Fragment, 0
	if w.Fate == stream.Complete {
		p = *last
		outcome = p.Whole(data)
		missing = w.Length - len(data)
	} else {
		p.Src, p.Dst, p.Proto, p.TTL, p.Fragment = w.Key.Src, w.Key.Dst, at.proto, at.ttl, true
		if w.Key.VLAN != 0 {
			p.VLANs[0], p.NumVLANs = w.Key.VLAN, 1
		}
	}
	p.SrcMAC, p.DstMAC = at.src, at.dst
	if w.Fate == stream.Crowded && !r.crowded && f != nil {
		r.crowded, r.crowdedAt = true, f.Offset
	}
	if tunnel == 0 {
		detail := p.Detail
		if outcome == packet.Fragment {
			detail = fates[w.Fate]
		}
		r.ledger.add(ledgerState(outcome), detail, w.Frames)
	}
	k := &r.key
	from := k.set(&p, tunnel)
	to := r.unit.parcel(k.pair())
	to.fill(&p)
	to.key, to.from, to.hash, to.sum = *k, uint8(from), k.hash(&r.seeds), r.sums.payload(p.Payload)
	to.payloadLength += int32(missing)
	to.contradicted = int32(w.Contradicted)
	to.cut = missing > 0
	to.number, to.time, to.length, to.frames, to.kind = w.LastFrame, w.Last, w.Bytes, uint32(w.Frames), wholePacket
	if f != nil {
		to.offset = f.Offset
	}
	if outcome == packet.Fragment || outcome == packet.Truncated || outcome == packet.Malformed {
		to.kind = headersOnly
		return
	}
	r.more(to, &p)
	if p.Tunnel.Kind != packet.None && f != nil {
		whole := *f
		whole.Length = int(w.Bytes)
		r.inside(&p, tunnel, &whole)
	}
}

// fates says why the packet that a fragment was of was not read.
var fates = map[stream.Fate]string{
	stream.Cut:       "ip fragment: the rest is not in the capture",
	stream.Expired:   "ip fragment: the rest did not come in time",
	stream.Crowded:   "ip fragment: too many packets in pieces at a time",
	stream.Malformed: "ip fragment: longer than a packet can be",
}
