package observe

import (
	"math/bits"

	"bulkhead/capture"
	"bulkhead/capture/protocol"
	"bulkhead/capture/stream"
)

// registry holds the protocols that are looked for over each carrier. Sets of
// them are bit masks over their indexes.
type registry [len(transports)]carried

// carried are the protocols of one carrier.
type carried struct {
	list  []*protocol.Protocol
	all   uint64
	ports map[uint16]uint64 // whose port it is
}

// maxProtocols is how many a mask can hold.
const maxProtocols = 64

func newRegistry(list []*protocol.Protocol) *registry {
	r := new(registry)
	for t, transport := range transports {
		r[t].ports = make(map[uint16]uint64)
		for _, p := range list {
			if p.Runs(transport) && len(r[t].list) < maxProtocols {
				r[t].add(p, carrier(t))
			}
		}
	}
	return r
}

func (r *carried) add(p *protocol.Protocol, t carrier) {
	bit := uint64(1) << len(r.list)
	r.list = append(r.list, p)
	r.all |= bit
	if info := p.Name.Info(); info != nil {
		for _, port := range portsOf(info, t) {
			r.ports[port] |= bit
		}
	}
	if t == overLink {
		for etherType, name := range linkProtocols {
			if p.Name == name {
				r.ports[etherType] |= bit
			}
		}
	}
}

func portsOf(info *capture.ProtocolInfo, t carrier) []uint16 {
	switch t {
	case overTCP:
		return info.TCP
	case overUDP:
		return info.UDP
	}
	return nil
}

// own returns the protocols that a connection's ports are registered for.
func (r *carried) own(k *flowKey) uint64 { return r.ports[k.aPort] | r.ports[k.bPort] }

// named returns the protocols called name.
func (r *carried) named(name capture.Protocol) (mask uint64) {
	for i, p := range r.list {
		if p.Name == name {
			mask |= 1 << i
		}
	}
	return mask
}

// stage is how far recognition came.
type stage uint8

const (
	searching stage = iota
	found
	givenUp
)

// Bounds on recognition, per connection.
const (
	maxSearched   = 16      // segments or datagrams looked at
	maxSearchHeld = 8 << 10 // bytes kept until it is decided
)

// opinion is what the recognisers say about one side's bytes.
type opinion struct {
	judged bool
	more   uint64 // too short to tell
	weak   uint64
	client uint64 // of weak, those by which the side is the client
	server uint64
}

// search is the state of a recognition that could not be decided at once.
type search struct {
	opinions [2]opinion
	looked   int
	held     [2][]byte // what the recognisers have seen, if it may yet be decoded
	marks    []mark    // where it came from, in the order of the capture
}

// mark is a chunk that is held.
type mark struct {
	from  int
	end   int // of the chunk in held[from]
	chunk stream.Chunk
}

// judge asks the recognisers about b, the first message or messages of a side:
// those of own first, then those of others in order. A sure match is returned at
// once.
func (r *carried) judge(b []byte, own, others uint64) (sure *protocol.Protocol, role protocol.Role, o opinion) {
	o.judged = true
	for _, set := range [...]uint64{own, others &^ own} {
		for ; set != 0; set &= set - 1 {
			i := bits.TrailingZeros64(set)
			m := r.list[i].Recognise(b)
			bit := uint64(1) << i
			switch m.Score {
			case protocol.Sure:
				return r.list[i], m.Role, o
			case protocol.More:
				o.more |= bit
			case protocol.Weak:
				o.weak |= bit
				switch m.Role {
				case protocol.Client:
					o.client |= bit
				case protocol.Server:
					o.server |= bit
				}
			}
		}
	}
	return nil, protocol.AnyRole, o
}

// role returns what a weak match said about who the side is.
func (o *opinion) role(bit uint64) protocol.Role {
	switch {
	case o.client&bit != 0:
		return protocol.Client
	case o.server&bit != 0:
		return protocol.Server
	}
	return protocol.AnyRole
}

// recognise looks at the next bytes of a side and, once the protocol is known,
// hands everything held and them to its decoder.
//
// Over TCP, a side whose start is in the capture has its say with its first
// message; only the protocols that own the port are asked again later, so that
// nobody hides from them behind a first message that is none. A side that was
// joined half-way may begin inside a message, so that each segment may be the
// first whole one; and a datagram always is one.
func (s *shard) recognise(c *conn, from int, chunk *stream.Chunk) {
	if len(chunk.Data) == 0 {
		return
	}
	q := c.search
	if q == nil {
		q = &s.scratch
		*q = search{}
	}
	q.looked++
	known := &s.registry[c.key.carrier]
	own := known.own(&c.key)
	open := c.tcp == nil || c.tcp.sides[from].Open() && !chunk.Lost && c.tcp.sides[from].Lost() == 0
	o := &q.opinions[from]
	if chunk.Lost {
		s.dropHeld(q, from)
		*o = opinion{}
	}
	others := known.all
	if c.key.carrier == overLink {
		others = own // its number says what it is, or that nobody knows
	}
	if o.judged && o.more == 0 && open && c.tcp != nil {
		others = 0
	}
	if !o.judged || o.more != 0 || o.weak == 0 && own|others != 0 {
		b := chunk.Data
		if c.tcp != nil && o.more != 0 {
			b = append(q.held[from], b...)
			q.held[from] = b[:len(q.held[from])]
		}
		sure, role, now := known.judge(b, own, others)
		if sure == nil && now.more|now.weak == 0 && len(b) > len(chunk.Data) && !open {
			s.dropHeld(q, from)
			sure, role, now = known.judge(chunk.Data, own, others)
		}
		if sure != nil {
			s.adopt(c, q, sure, role, from, chunk)
			return
		}
		if c.tcp == nil {
			now.more = 0 // a datagram does not go on
		}
		*o = now
		if open && !s.cut {
			c.rejected |= known.all &^ (now.more | now.weak)
		}
	}
	other := &q.opinions[1-from]
	both := o.weak & other.weak &^ (o.client&other.client | o.server&other.server)
	for _, match := range [...]uint64{o.weak & own, both} {
		if match == 0 {
			continue
		}
		i := bits.TrailingZeros64(match)
		role, of := o.role(1<<i), from
		if role == protocol.AnyRole {
			role, of = other.role(1<<i), 1-from
		}
		if of != from { // say it of the side at hand
			role = opposite(role)
		}
		s.adopt(c, q, known.list[i], role, from, chunk)
		return
	}
	settled := own == 0 && c.tcp != nil && open && o.more == 0 && other.judged && other.more == 0 && c.tcp.sides[1-from].Open()
	if settled || q.looked >= maxSearched || !s.hold(c, q, from, chunk) {
		s.giveUp(c, q)
	}
}

func opposite(r protocol.Role) protocol.Role {
	switch r {
	case protocol.Client:
		return protocol.Server
	case protocol.Server:
		return protocol.Client
	}
	return r
}

// hold keeps a chunk until recognition is decided, if it may be needed then. It
// returns false if there is no room.
func (s *shard) hold(c *conn, q *search, from int, chunk *stream.Chunk) bool {
	if c.search == nil {
		c.search = new(search)
		*c.search = *q
		q = c.search
	}
	o := &q.opinions[from]
	if o.more|o.weak == 0 {
		s.dropHeld(q, from)
		return true
	}
	n := len(chunk.Data)
	if len(q.held[0])+len(q.held[1])+n > maxSearchHeld || !s.held.Take(n) {
		return false
	}
	q.held[from] = append(q.held[from], chunk.Data...)
	q.marks = append(q.marks, mark{from, len(q.held[from]), stream.Chunk{Lost: chunk.Lost, Frame: chunk.Frame, Time: chunk.Time}})
	return true
}

// dropHeld forgets what is held of one side.
func (s *shard) dropHeld(q *search, from int) {
	if len(q.held[from]) == 0 {
		return
	}
	s.held.Give(len(q.held[from]))
	q.held[from] = nil
	kept := q.marks[:0]
	for _, m := range q.marks {
		if m.from != from {
			kept = append(kept, m)
		}
	}
	q.marks = kept
}

// giveUp ends a search that found nothing.
func (s *shard) giveUp(c *conn, q *search) {
	s.dropHeld(q, 0)
	s.dropHeld(q, 1)
	c.search, c.stage = nil, givenUp
	if c.tcp != nil {
		c.tcp.sides[0].Discard()
		c.tcp.sides[1].Discard()
	}
}

// adopt settles what c speaks, and decodes what was held and the chunk at hand,
// which side from sent.
func (s *shard) adopt(c *conn, q *search, p *protocol.Protocol, role protocol.Role, from int, chunk *stream.Chunk) {
	c.proto, c.stage, c.search = p, found, nil
	c.setRole(role, from)
	if s.settle(c); c.conv != nil && p.New != nil {
		c.decoder = p.New()
		c.exchange.Reset(c.conv.count(s.room))
	} else if c.tcp != nil {
		c.tcp.sides[0].Discard()
		c.tcp.sides[1].Discard()
	}
	held, marks := q.held, q.marks
	var at [2]int
	for _, m := range marks {
		m.chunk.Data = held[m.from][at[m.from]:m.end]
		at[m.from] = m.end
		s.decode(c, m.from, &m.chunk)
	}
	s.held.Give(len(held[0]) + len(held[1]))
	s.decode(c, from, chunk)
}
