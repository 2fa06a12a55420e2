package observe

import (
	"bulkhead/capture"
	"bulkhead/capture/packet"
	"bulkhead/capture/protocol"
	"bulkhead/internal/mac"
)

// unknownSide stands for the client of a connection whose roles are open.
const unknownSide = -1

// conn is a connection: what one pair of addresses and ports say to each other.
// Its sides are the ends of its key; which of them is the client is found out
// on the way. What every frame needs comes first.
type conn struct {
	key                  flowKey
	hash                 uint64
	tcp                  *tcp // nil over anything else
	vlans                vlans
	stage                stage
	recent               bool // a frame came since room was last looked for
	alive                bool
	client               int8
	link                 int8      // of the last frame
	packets, bytes, load [2]uint64 // load is payload; over TCP the streams count it
	heard                [2]hearing
	links                []link

	decoder protocol.Decoder
	proto   *protocol.Protocol
	conv    *conv

	memory       *tcp         // for tcp, once it was needed
	place        int          // in the table of connections
	oneLink      [1]link      // where links begins
	first, last  capture.Time // of what hearings were given up
	duplicates   uint64
	contradicted uint64 // bytes of fragments
	opener       int8   // the side of the first frame
	group        bool   // sent to a group address
	refused      bool   // an ICMP error came back
	tunnel       packet.TunnelKind
	icmp         [2]uint8 // type and code of the first message
	roleBasis    capture.Basis
	frame        uint64 // the first
	search       *search
	exchange     protocol.Exchange // of decoder
	rejected     uint64            // protocols whose recogniser saw a first message and said no
}

// link is a path that frames of a connection took, by side.
type link struct {
	mac   [2]mac.Addr
	ttl   [2]uint8
	count uint64
}

// reset makes c a new connection, of which p is the first packet.
func (c *conn) reset(p *parcel) {
	t, x := c.memory, c.exchange
	*c = conn{
		key: p.key, hash: p.hash, alive: true, place: c.place,
		vlans:  vlans{notHeard, notHeard},
		opener: int8(p.from), client: unknownSide,
		frame: p.number, tunnel: p.tunnel, memory: t, exchange: x,
	}
	c.links = c.oneLink[:0]
	if p.key.carrier == overICMP && p.more != nil {
		c.icmp = [2]uint8{p.more.ICMPType, p.more.ICMPCode}
	}
}

// count adds a packet's numbers.
func (c *conn) count(p *parcel) {
	from := p.from
	c.recent = true
	c.contradicted += uint64(p.contradicted)
	c.packets[from] += uint64(p.frames)
	c.bytes[from] += p.length
	if c.tcp == nil {
		c.load[from] += uint64(p.payloadLength)
	}
	c.countLink(p)
}

func (c *conn) countLink(p *parcel) {
	from := p.from & 1
	n := int(c.link)
	for range c.links {
		// The link of the last frame is most often the one.
		if n >= len(c.links) {
			n = 0
		}
		l := &c.links[n]
		if l.mac[from] == p.src && l.mac[1-from] == p.dst && (l.ttl[from] == p.ttl || l.ttl[from] == 0) {
			l.ttl[from] = p.ttl
			l.count += uint64(p.frames)
			c.link = int8(n)
			return
		}
		n++
	}
	if len(c.links) >= capture.MaxLinks {
		return
	}
	var l link
	l.mac[from], l.mac[1-from], l.ttl[from], l.count = p.src, p.dst, p.ttl, uint64(p.frames)
	c.link = int8(len(c.links))
	c.links = append(c.links, l)
}

// payload returns the bytes above the transport that a side sent.
func (c *conn) payload(side int) uint64 {
	if c.tcp != nil {
		return c.tcp.sides[side].Bytes()
	}
	return c.load[side]
}

// side returns an end as the decoders call it.
func (c *conn) side(from int) capture.Side {
	if from == int(c.client) {
		return capture.FromClient
	}
	return capture.FromServer
}

// conns is the table of connections that are being followed. A connection stays
// where it is: its place is used again for the one that takes it.
type conns struct {
	index  table
	places []*conn
	hand   int // where room is looked for next
	max    int

	last *conn // that was found
}

// find returns the connection that a packet belongs to, or nil.
func (t *conns) find(p *parcel) *conn {
	from := int(p.from)
	if c := t.last; c != nil && c.hash == p.hash && c.key == p.key && c.vlans[from] == int32(p.vlan) {
		return c
	}
	var best *conn
	for at := t.index.probe(p.hash); ; {
		place, ok := t.index.next(&at)
		if !ok {
			break
		}
		c := t.places[place]
		if c.key != p.key {
			continue
		}
		switch c.vlans.fits(from, p.vlan) {
		case exact:
			t.last = c
			return c
		case joined:
			if best == nil {
				best = c
			}
		}
	}
	if best != nil {
		t.last = best
	}
	return best
}

// room returns a place for a new connection. If one that is alive has to make
// room, it is to be closed first.
func (t *conns) room() *conn {
	if len(t.places) < t.max {
		if len(t.places) == cap(t.places) {
			t.places = append(make([]*conn, 0, max(8, min(2*len(t.places), t.max))), t.places...)
		}
		c := &conn{place: len(t.places)}
		t.places = append(t.places, c)
		return c
	}
	for t.places[t.hand].recent {
		t.places[t.hand].recent = false
		t.hand = (t.hand + 1) % len(t.places)
	}
	c := t.places[t.hand]
	t.hand = (t.hand + 1) % len(t.places)
	return c
}

// whichever returns the connection that a packet belongs to, or one on another
// VLAN, or nil.
func (t *conns) whichever(p *parcel) *conn {
	if c := t.find(p); c != nil {
		return c
	}
	for at := t.index.probe(p.hash); ; {
		place, ok := t.index.next(&at)
		if !ok {
			return nil
		}
		if c := t.places[place]; c.key == p.key {
			return c
		}
	}
}

func (t *conns) enter(c *conn) {
	t.index.add(c.hash, c.place)
	t.last = c
}

func (t *conns) forget(c *conn) {
	t.index.remove(c.hash, c.place)
	if t.last == c {
		t.last = nil
	}
}
