package observe

import (
	"math/bits"

	"bulkhead/capture"
	"bulkhead/capture/protocol"
	"bulkhead/capture/stream"
)

// registry holds the protocols that are looked for. Sets of them are bit masks
// over their indexes.
type registry struct {
	list  []*protocol.Protocol
	over  [len(transports)]uint64
	ports [len(transports)]map[uint16]uint64 // whose port it is
}

// maxProtocols is how many a mask can hold.
const maxProtocols = 64

func newRegistry(list []*protocol.Protocol) *registry {
	r := &registry{list: list[:min(len(list), maxProtocols)]}
	for t := range transports {
		r.ports[t] = make(map[uint16]uint64)
	}
	for i, p := range r.list {
		bit := uint64(1) << i
		for t, transport := range transports {
			if p.Runs(transport) {
				r.over[t] |= bit
			}
		}
		if info := p.Name.Info(); info != nil {
			for _, port := range info.TCP {
				r.ports[overTCP][port] |= bit
			}
			for _, port := range info.UDP {
				r.ports[overUDP][port] |= bit
			}
		}
		for etherType, name := range linkProtocols {
			if p.Name == name {
				r.ports[overLink][etherType] |= bit
			}
		}
	}
	return r
}

// linkProtocols are the protocols that an EtherType names.
// Source: IEEE Registration Authority, EtherType.
var linkProtocols = map[uint16]capture.Protocol{0x0806: capture.ARP, 0x88cc: capture.LLDP}

// own returns the protocols that a connection's ports are registered for.
func (r *registry) own(k *flowKey) uint64 {
	return (r.ports[k.carrier][k.aPort] | r.ports[k.carrier][k.bPort]) & r.over[k.carrier]
}

// named returns the protocol called name if it is looked for over carrier t.
func (r *registry) named(name capture.Protocol, t carrier) (mask uint64) {
	for i, p := range r.list {
		if p.Name == name {
			mask |= 1 << i & r.over[t]
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
func (r *registry) judge(b []byte, own, others uint64) (sure *protocol.Protocol, role protocol.Role, o opinion) {
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
func (e *engine) recognise(c *conn, from int, chunk stream.Chunk) {
	if len(chunk.Data) == 0 {
		return
	}
	s := c.search
	if s == nil {
		s = &e.scratch
		*s = search{}
	}
	s.looked++
	own := e.registry.own(&c.key)
	open := c.tcp == nil || c.tcp.sides[from].Open() && !chunk.Lost && c.tcp.sides[from].Lost() == 0
	o := &s.opinions[from]
	if chunk.Lost {
		e.dropHeld(s, from)
		*o = opinion{}
	}
	others := e.registry.over[c.key.carrier]
	if o.judged && o.more == 0 && open && c.tcp != nil {
		others = 0
	}
	if !o.judged || o.more != 0 || o.weak == 0 && own|others != 0 {
		b := chunk.Data
		if c.tcp != nil && o.more != 0 {
			b = append(s.held[from], b...)
			s.held[from] = b[:len(s.held[from])]
		}
		sure, role, now := e.registry.judge(b, own, others)
		if sure == nil && now.more|now.weak == 0 && len(b) > len(chunk.Data) && !open {
			e.dropHeld(s, from)
			sure, role, now = e.registry.judge(chunk.Data, own, others)
		}
		if sure != nil {
			e.take(c, s, sure, role, from, chunk)
			return
		}
		if c.tcp == nil {
			now.more = 0 // a datagram does not go on
		}
		*o = now
		if open && len(e.packet.Payload) == e.packet.PayloadLength {
			c.rejected |= e.registry.over[c.key.carrier] &^ (now.more | now.weak)
		}
	}
	other := &s.opinions[1-from]
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
		e.take(c, s, e.registry.list[i], role, from, chunk)
		return
	}
	settled := own == 0 && c.tcp != nil && open && o.more == 0 && other.judged && other.more == 0 && c.tcp.sides[1-from].Open()
	if settled || s.looked >= maxSearched || !e.hold(c, s, from, chunk) {
		e.giveUp(c, s)
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
func (e *engine) hold(c *conn, s *search, from int, chunk stream.Chunk) bool {
	if c.search == nil {
		c.search = new(search)
		*c.search = *s
		s = c.search
	}
	o := &s.opinions[from]
	if o.more|o.weak == 0 {
		e.dropHeld(s, from)
		return true
	}
	n := len(chunk.Data)
	if len(s.held[0])+len(s.held[1])+n > maxSearchHeld || !e.held.Take(n) {
		return false
	}
	s.held[from] = append(s.held[from], chunk.Data...)
	chunk.Data = nil
	s.marks = append(s.marks, mark{from, len(s.held[from]), chunk})
	return true
}

// dropHeld forgets what is held of one side.
func (e *engine) dropHeld(s *search, from int) {
	if len(s.held[from]) == 0 {
		return
	}
	e.held.Give(len(s.held[from]))
	s.held[from] = nil
	kept := s.marks[:0]
	for _, m := range s.marks {
		if m.from != from {
			kept = append(kept, m)
		}
	}
	s.marks = kept
}

// giveUp ends a search that found nothing.
func (e *engine) giveUp(c *conn, s *search) {
	e.dropHeld(s, 0)
	e.dropHeld(s, 1)
	c.search, c.stage = nil, givenUp
	if c.tcp != nil {
		c.tcp.sides[0].Discard()
		c.tcp.sides[1].Discard()
	}
}

// take settles what c speaks, and decodes what was held and the chunk at hand,
// which side from sent.
func (e *engine) take(c *conn, s *search, p *protocol.Protocol, role protocol.Role, from int, chunk stream.Chunk) {
	c.proto, c.stage, c.search = p, found, nil
	c.setRole(role, from)
	if e.settle(c); c.conv != nil && p.New != nil {
		c.decoder = p.New()
		c.exchange = protocol.NewExchange(c.conv.count(e.room))
	} else if c.tcp != nil {
		c.tcp.sides[0].Discard()
		c.tcp.sides[1].Discard()
	}
	held, marks := s.held, s.marks
	var at [2]int
	for _, m := range marks {
		m.chunk.Data = held[m.from][at[m.from]:m.end]
		at[m.from] = m.end
		e.decode(c, m.from, m.chunk)
	}
	e.held.Give(len(held[0]) + len(held[1]))
	e.decode(c, from, chunk)
}
