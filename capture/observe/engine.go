package observe

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"time"

	"bulkhead/capture"
	"bulkhead/capture/packet"
	"bulkhead/capture/pcap"
	"bulkhead/capture/protocol"
	"bulkhead/capture/stream"
)

// EtherTypes. Source: IEEE Registration Authority.
const etherTypeARP = 0x0806

// engine turns the frames of one file into observations.
type engine struct {
	registry *registry
	limits   limits
	held     *stream.Budget
	room     *protocol.Room
	packet   packet.Packet
	scratch  search

	conns     conns
	spare     *conn // ended, to be used again
	convs     map[convKey]*conv
	order     []*conv // as they were found
	silent    int     // of order, those found by a connection without an answer
	endpoints map[endpointKey]*endpoint

	frames      uint64
	first, last capture.Time
	previous    capture.Time  // of the frame before
	watched     time.Duration // see [capture.Capture.WatchedMS]
	links       map[pcap.LinkType]bool
	link        pcap.LinkType // of the last frame
	ledger      ledger
	offset      int64 // of the frame at hand
	errors      []capture.ReadError
	full        map[string]bool // tables that are, by name
}

func newEngine(r *registry, l limits) *engine {
	return &engine{
		registry:  r,
		limits:    l,
		held:      stream.NewBudget(l.held),
		room:      protocol.NewRoom(l.room),
		links:     make(map[pcap.LinkType]bool),
		conns:     conns{byKey: make(map[flowKey]*conn), max: l.connections},
		convs:     make(map[convKey]*conv),
		endpoints: make(map[endpointKey]*endpoint),
		ledger:    newLedger(l.reasons),
		full:      make(map[string]bool),
	}
}

// limited notes that a table is full.
func (e *engine) limited(table string, max int) {
	if !e.full[table] {
		e.full[table] = true
		e.errors = append(e.errors, capture.ReadError{Offset: e.offset, What: fmt.Sprintf("more %s than the limit of %d", table, max)})
	}
}

// frame takes the next frame of the file.
func (e *engine) frame(f *pcap.Frame) {
	e.offset = f.Offset
	e.frames++
	if !f.Time.IsZero() {
		e.first, e.last = e.first.Earliest(f.Time), e.last.Latest(f.Time)
		step := time.Duration(f.Time.UnixNano() - e.previous.UnixNano())
		if e.previous.Before(f.Time) && step > 0 && step <= capture.MaxSilence {
			e.watched = min(e.watched, math.MaxInt64-step) + step // a clock may go to and fro
		}
		e.previous = f.Time
	}
	if f.Link != e.link || e.frames == 1 {
		e.link = f.Link
		e.links[f.Link] = true
	}
	p := &e.packet
	outcome := p.Parse(f.Link, f.Length, f.Data)
	switch outcome {
	case packet.UnknownLink, packet.Truncated, packet.Malformed:
		e.ledger.add(ledgerState(outcome), p.Detail, 1)
		return
	}

	k, from := keyOf(p)
	c := e.conns.find(k, from)
	switch {
	case c == nil:
		c = e.open(k, from, f)
		if evicted := e.conns.add(c); evicted != nil {
			e.close(evicted)
		}
	case c.tcp != nil && c.tcp.over(from, p):
		old := c
		c = e.open(k, from, f)
		e.conns.replace(old, c)
		e.close(old)
	}
	if c.vlans[from] == notHeard {
		c.vlans[from] = int32(k.vlan)
		if c.conv != nil {
			e.tagged(c.conv, int(c.side(from)), c.vlans[from])
		}
	}
	if outcome == packet.Fragment {
		c.fragments++
		c.fragmentDetail = p.Detail
	} else {
		c.outcome, c.detail = outcome, p.Detail
	}
	c.count(from, p, f)
	e.hear(c, from, p, f)

	switch k.carrier {
	case overTCP:
		e.segment(c, from, p, f)
	case overUDP:
		e.datagram(c, from, p, f)
	case overICMP:
		e.icmp(c, from, p)
		e.hearNeighbor(p, f)
		e.datagram(c, from, p, f)
	case overLink:
		e.datagram(c, from, p, f)
	}
}

// open makes a connection of its first frame.
func (e *engine) open(k flowKey, from int, f *pcap.Frame) *conn {
	p := &e.packet
	c := e.newConn(k, from, f)
	switch {
	case c.tcp != nil:
	case isGroup(p):
		c.group, c.client, c.roleBasis = true, from, capture.Content
	case p.ARP.Op == arpRequest:
		c.client, c.roleBasis = from, capture.Content
	case p.ARP.Op == arpReply:
		c.client, c.roleBasis = 1-from, capture.Content
	}
	if e.registry.over[k.carrier] == 0 {
		c.stage = givenUp
	}
	return c
}

// datagram takes a frame whose payload is one message.
func (e *engine) datagram(c *conn, from int, p *packet.Packet, f *pcap.Frame) {
	if c.stage == givenUp || p.PayloadLength == 0 {
		return
	}
	if p.MoreFragments { // the rest of the message is in frames that are not read
		if c.exchange != nil {
			c.exchange.Undecoded()
		}
		return
	}
	e.bytes(c, from, stream.Chunk{Data: p.Payload, Frame: f.Number, Time: f.Time})
}

// icmp takes what an ICMP message says of roles and of other connections.
func (e *engine) icmp(c *conn, from int, p *packet.Packet) {
	role := icmpRole(p.Proto, p.ICMPType)
	if role != protocol.AnyRole && c.conv == nil && (c.client == unknownSide || role == protocol.Client && !c.group) {
		c.client, c.roleBasis = from, capture.Content
		if role == protocol.Server {
			c.client = 1 - from
		}
	}
	if icmpRefusal(p) {
		e.refuse(p)
	}
}

// refuse marks the connection that an ICMP error is about.
func (e *engine) refuse(p *packet.Packet) {
	quoted := packet.Packet{
		Src: p.Quoted.Src, Dst: p.Quoted.Dst, Proto: p.Quoted.Proto,
		SrcPort: p.Quoted.SrcPort, DstPort: p.Quoted.DstPort,
		VLANs: p.VLANs, NumVLANs: p.NumVLANs,
	}
	k, _ := keyOf(&quoted)
	for _, vlan := range [...]uint16{k.vlan, 0, anyVLAN} {
		k.vlan = vlan
		if c := e.conns.byKey[k]; c != nil {
			c.refused = true
			return
		}
	}
}

// finish ends all connections and writes what was found into o, as capture
// number i.
func (e *engine) finish(o *capture.Observations, i int) {
	for _, c := range e.conns.ring {
		e.close(c)
	}
	e.conns, e.convs, e.spare = conns{}, nil, nil // before the results are made: they take as much
	if e.held.Refused() {
		e.limited("bytes held", e.limits.held)
	}
	for t := range protocol.Tables {
		if e.room.Full(t) {
			e.limited(t.String(), e.limits.room[t])
		}
	}
	into := &o.Captures[i]
	into.Frames, into.First, into.Last = e.frames, e.first, e.last
	into.WatchedMS = e.watched.Milliseconds()
	into.Ledger = e.ledger.export()
	into.Errors = append(into.Errors, e.errors...)
	into.Complete = len(into.Errors) == 0
	into.LinkTypes = make([]string, 0, len(e.links))
	for l := range e.links { // in any order: sorted below
		into.LinkTypes = append(into.LinkTypes, pcap.LinkName(l))
	}
	slices.Sort(into.LinkTypes)
	into.LinkTypes = slices.Compact(into.LinkTypes)

	o.Conversations = slices.Grow(o.Conversations, len(e.order))
	for n, v := range e.order {
		e.order[n] = nil // what is exported takes as much again
		out := v.export()
		out.Capture = i
		o.Conversations = append(o.Conversations, out)
		for side := range v.heard {
			if v.heard[side] != nil && v.tally != nil {
				said := v.tally.Said(capture.Side(side))
				v.heard[side].said(&said)
			}
		}
	}
	for _, ep := range e.endpoints { // in any order: Observe sorts them
		o.Endpoints = append(o.Endpoints, ep.export(i))
	}
}

func (ep *endpoint) export(i int) capture.Endpoint {
	out := capture.Endpoint{
		Capture: i, VLAN: ep.key.vlan, IP: ep.key.ip, MAC: ep.key.mac,
		Frames: ep.frames, First: ep.first, Last: ep.last, ARP: ep.arp,
		Names: append([]capture.Name{}, ep.names...), Identities: append([]capture.Identity{}, ep.identities...), Cut: ep.cut,
	}
	if ep.frames == 0 {
		out.First, out.Last = ep.otherFirst, ep.otherLast
	}
	slices.SortFunc(out.Names, func(a, b capture.Name) int {
		return cmp.Or(cmp.Compare(a.Frame, b.Frame), cmp.Compare(a.Source, b.Source), cmp.Compare(a.Name, b.Name))
	})
	slices.SortFunc(out.Identities, func(a, b capture.Identity) int {
		return cmp.Or(cmp.Compare(a.Frame, b.Frame), cmp.Compare(a.Source, b.Source), cmp.Compare(a.Model, b.Model), cmp.Compare(a.Serial, b.Serial),
			cmp.Compare(a.Firmware, b.Firmware), cmp.Compare(a.Vendor, b.Vendor))
	})
	return out
}
