package observe

import (
	"bulkhead/capture"
	"bulkhead/capture/protocol"
	"bulkhead/capture/stream"
)

// shard follows the conversations of some pairs of addresses: all of their
// packets, and nobody else's, come to it in the order of the file.
type shard struct {
	registry *registry
	limits   *limits
	seeds    *seeds
	held     *stream.Budget
	room     *protocol.Room
	scratch  search
	cut      bool  // the packet at hand is not all that was on the wire
	offset   int64 // of its frame

	conns     conns
	convs     convs
	folds     folds
	endpoints map[endpointKey]*endpoint

	folded uint64 // frames
	full   []full
}

// full is a table that was, and where in the file that first mattered.
type full struct {
	what   string
	limit  int
	offset int64
}

func newShard(r *registry, l *limits, s *seeds) *shard {
	return &shard{
		registry:  r,
		limits:    l,
		seeds:     s,
		held:      stream.NewBudget(l.held),
		room:      protocol.NewRoom(l.room),
		conns:     conns{max: l.connections},
		endpoints: make(map[endpointKey]*endpoint),
	}
}

// limited notes that a table is full.
func (s *shard) limited(what string, limit int) {
	for i := range s.full {
		if s.full[i].what == what {
			return
		}
	}
	s.full = append(s.full, full{what, limit, s.offset})
}

// take follows one packet.
func (s *shard) take(p *parcel) {
	s.cut, s.offset = p.cut, p.offset
	switch p.kind {
	case refusal:
		if c := s.conns.whichever(p); c != nil {
			c.refused = true
		}
		return
	case duplicate:
		if c := s.conns.whichever(p); c != nil {
			c.duplicates += uint64(p.frames)
			c.countLink(p)
		}
		return
	}
	c := s.conns.find(p)
	switch {
	case c == nil:
		c = s.conns.room()
		if c.alive {
			s.close(c)
		}
		s.open(c, p)
	case p.key.carrier == overTCP && p.kind == wholePacket && c.tcp.over(p):
		s.close(c)
		s.open(c, p)
	}
	from := int(p.from)
	if c.vlans[from] == notHeard {
		c.vlans[from] = int32(p.vlan)
		if c.conv != nil {
			s.tagged(c.conv, int(c.side(from)), c.vlans[from])
		}
	}
	c.count(p)
	s.hear(c, p)
	if p.kind == headersOnly {
		return
	}
	switch p.key.carrier {
	case overTCP:
		s.segment(c, p)
	case overUDP:
		s.datagram(c, p)
	case overICMP:
		s.icmp(c, p)
		s.hearNeighbor(p)
		s.datagram(c, p)
	case overLink:
		s.datagram(c, p)
	}
}

// open makes c the connection that begins with p.
func (s *shard) open(c *conn, p *parcel) {
	c.reset(p)
	switch {
	case p.key.carrier == overTCP:
		if c.memory == nil {
			c.memory = new(tcp)
		}
		c.tcp = c.memory
		c.tcp.reset(s.held)
	case p.isGroup():
		c.group, c.client, c.roleBasis = true, int8(p.from), capture.Content
	case p.more != nil && p.more.ARP.Op == arpRequest:
		c.client, c.roleBasis = int8(p.from), capture.Content
	case p.more != nil && p.more.ARP.Op == arpReply:
		c.client, c.roleBasis = int8(1-p.from), capture.Content
	}
	if s.registry[p.key.carrier].all == 0 {
		c.stage = givenUp
	}
	s.conns.enter(c)
}

// datagram takes a packet whose payload is one message.
func (s *shard) datagram(c *conn, p *parcel) {
	if c.stage == givenUp || p.payloadLength == 0 {
		return
	}
	s.bytes(c, int(p.from), &stream.Chunk{Data: p.payload, Frame: p.number, Time: p.time})
}

// icmp takes what an ICMP message says of roles.
func (s *shard) icmp(c *conn, p *parcel) {
	if p.more == nil {
		return
	}
	role := icmpRole(p.more.Proto, p.more.ICMPType)
	if role != protocol.AnyRole && c.conv == nil && (c.client == unknownSide || role == protocol.Client && !c.group) {
		c.client, c.roleBasis = int8(p.from), capture.Content
		if role == protocol.Server {
			c.client = int8(1 - p.from)
		}
	}
}

// finish ends all connections.
func (s *shard) finish() {
	for _, c := range s.conns.places {
		if c.alive {
			s.close(c)
		}
	}
	s.conns = conns{}
	if s.held.Refused() {
		s.limited("bytes held", s.limits.held)
	}
	for t := range protocol.Tables {
		if s.room.Full(t) {
			s.limited(t.String(), s.limits.room[t])
		}
	}
}

// export hands out the conversations in their order, as capture number i, and
// gives up what it handed out: what is made of them takes as much memory again.
func (s *shard) export(i int, tunnels []string) []capture.Conversation {
	list := make([]capture.Conversation, 0, s.convs.live)
	for n, v := range s.convs.places {
		s.convs.places[n] = nil
		if v == nil {
			continue
		}
		out := v.export()
		out.Capture, out.Tunnel = i, tunnels[v.key.tunnel]
		list = append(list, out)
		for side := range v.heard {
			if v.heard[side] != nil && v.tally != nil {
				said := v.tally.Said(capture.Side(side))
				v.heard[side].said(&said)
			}
		}
	}
	capture.SortConversations(list)
	return list
}
