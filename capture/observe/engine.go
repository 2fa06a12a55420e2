package observe

import (
	"cmp"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"

	"bulkhead/capture"
	"bulkhead/capture/pcap"
)

// engine turns the frames of one file into observations: a router and its shards,
// which work in turn or, once start was called, at the same time.
type engine struct {
	*router
	registry      *registry
	shards        []*shard // nil before the first packet
	conversations atomic.Int64

	ways  []chan *unit // to the shards, nil if they work in turn
	free  chan *unit
	cores cores
	wait  sync.WaitGroup
}

// cores bounds how many goroutines compute at a time; nil does not.
type cores chan struct{}

func (c cores) take() {
	if c != nil {
		c <- struct{}{}
	}
}

func (c cores) give() {
	if c != nil {
		<-c
	}
}

func newEngine(r *registry, l *limits, keepDuplicates bool) *engine {
	e := &engine{router: newRouter(l, keepDuplicates), registry: r, shards: make([]*shard, l.shards)}
	e.unit = newUnit(l.shards)
	return e
}

// unitsInFlight is how many units there are when the shards work at the same
// time: enough that one shard that has more to do does not hold up the others.
const unitsInFlight = 4

// start lets the shards work beside the router, on as many cores as there are.
func (e *engine) start(c cores) {
	e.cores = c
	e.free = make(chan *unit, unitsInFlight)
	for range unitsInFlight - 1 {
		e.free <- newUnit(len(e.shards))
	}
	e.ways = make([]chan *unit, len(e.shards))
	for i := range e.ways {
		e.ways[i] = make(chan *unit, unitsInFlight)
		e.wait.Go(func() {
			for u := range e.ways[i] {
				e.cores.take()
				e.work(i, u)
				e.cores.give()
				if u.left.Add(-1) == 0 {
					u.reset()
					e.free <- u
				}
			}
		})
	}
}

// work lets a shard take its part of a unit.
func (e *engine) work(i int, u *unit) {
	s := e.shards[i]
	if s == nil {
		s = newShard(e.registry, e.limits, &e.seeds)
		e.shards[i] = s
	}
	before := s.convs.live
	for _, n := range u.lists[i] {
		s.take(&u.parcels[n])
	}
	e.conversations.Add(int64(s.convs.live - before))
}

// pass hands the unit on.
func (e *engine) pass() {
	u := e.unit
	if e.ways == nil {
		for i := range u.lists {
			if len(u.lists[i]) > 0 {
				e.work(i, u)
			}
		}
		u.reset()
		return
	}
	n := int32(0)
	for i := range u.lists {
		if len(u.lists[i]) > 0 {
			n++
		}
	}
	if n == 0 {
		u.reset()
		return
	}
	u.left.Store(n)
	for i := 0; n > 0; i++ { // behind the last that has it, u is not ours to look at
		if len(u.lists[i]) > 0 {
			n--
			e.ways[i] <- u
		}
	}
	e.cores.give()
	e.unit = <-e.free
	e.cores.take()
}

// frame takes the next frame of the file.
func (e *engine) frame(f *pcap.Frame) {
	e.router.frame(f)
	if len(e.unit.parcels) >= unitSize {
		e.pass()
	}
}

// finish ends all connections and writes what was found into o, as capture
// number i.
func (e *engine) finish(o *capture.Observations, i int) {
	e.router.finish()
	e.pass()
	for _, way := range e.ways {
		close(way)
	}
	e.cores.give()
	e.wait.Wait()
	e.cores.take()
	lists := make([][]capture.Conversation, len(e.shards))
	e.each(func(n int, s *shard) {
		s.finish()
		lists[n] = s.export(i, e.names)
	})

	into := &o.Captures[i]
	into.Frames, into.First, into.Last = e.frames, e.first, e.last
	into.WatchedMS = e.watched.Milliseconds()
	into.CutFrames = e.cut
	into.Ledger = e.ledger.export()
	into.LinkTypes = make([]string, 0, len(e.links))
	for l := range e.links { // in any order: sorted below
		into.LinkTypes = append(into.LinkTypes, pcap.LinkName(l))
	}
	slices.Sort(into.LinkTypes)
	into.LinkTypes = slices.Compact(into.LinkTypes)

	var fulls []full
	if e.crowded {
		fulls = append(fulls, full{"ip packets in pieces at a time", e.limits.fragmented, e.crowdedAt})
	}
	o.Conversations = inOrder(lists)
	endpoints := make(map[endpointKey]*endpoint)
	rows := make(map[foldKey]*fold)
	for n, s := range e.shards {
		if s == nil {
			continue
		}
		e.shards[n] = nil
		fulls = append(fulls, s.full...)
		into.Ledger.Folded += s.folded
		for k, f := range s.folds.rows { // in any order: sums
			if sum := rows[k]; sum != nil {
				sum.add(f)
			} else {
				rows[k] = f
			}
		}
		for k, ep := range s.endpoints { // in any order: each key once
			if same := endpoints[k]; same != nil {
				same.add(ep)
			} else {
				endpoints[k] = ep
			}
		}
	}
	o.Folded = make([]capture.Folded, 0, len(rows))
	o.Endpoints = make([]capture.Endpoint, 0, len(endpoints))
	for k, f := range rows { // in any order: sorted by whoever merges
		row := f.export(k, i)
		row.Tunnel = e.names[k.tunnel]
		o.Folded = append(o.Folded, row)
	}
	for _, ep := range endpoints { // likewise
		o.Endpoints = append(o.Endpoints, ep.export(i))
	}
	into.Errors = append(into.Errors, fullErrors(fulls, e.limits.shards)...)
	into.Complete = len(into.Errors) == 0
}

// each calls f for every shard, at the same time if they work so.
func (e *engine) each(f func(n int, s *shard)) {
	var wait sync.WaitGroup
	e.cores.give()
	for n, s := range e.shards {
		switch {
		case s == nil:
		case e.ways == nil:
			e.cores.take()
			f(n, s)
			e.cores.give()
		default:
			wait.Go(func() {
				e.cores.take()
				defer e.cores.give()
				f(n, s)
			})
		}
	}
	wait.Wait()
	e.cores.take()
}

// inOrder makes one list of lists that are in order.
func inOrder(lists [][]capture.Conversation) []capture.Conversation {
	total := 0
	lists = slices.DeleteFunc(lists, func(list []capture.Conversation) bool { return len(list) == 0 })
	for _, list := range lists {
		total += len(list)
	}
	first := func(a, b []capture.Conversation) int { return a[0].Compare(&b[0]) }
	slices.SortFunc(lists, first)
	all := make([]capture.Conversation, 0, total)
	for len(lists) > 0 {
		all = append(all, lists[0][0])
		list := lists[0][1:]
		if lists = lists[1:]; len(list) > 0 {
			n, _ := slices.BinarySearchFunc(lists, list, first)
			lists = slices.Insert(lists, n, list)
		}
	}
	return all
}

// fullErrors lists each table that was full once, by where it first was.
func fullErrors(list []full, shards int) []capture.ReadError {
	slices.SortFunc(list, func(a, b full) int { return cmp.Or(cmp.Compare(a.what, b.what), cmp.Compare(a.offset, b.offset)) })
	list = slices.CompactFunc(list, func(a, b full) bool { return a.what == b.what })
	slices.SortStableFunc(list, func(a, b full) int { return cmp.Compare(a.offset, b.offset) })
	var out []capture.ReadError
	for _, f := range list {
		out = append(out, capture.ReadError{Offset: f.offset, What: fmt.Sprintf("more %s than the limit of %d for each of %d shards", f.what, f.limit, shards)})
	}
	return out
}
