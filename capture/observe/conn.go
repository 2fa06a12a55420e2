package observe

import (
	"net/netip"

	"bulkhead/capture"
	"bulkhead/capture/packet"
	"bulkhead/capture/pcap"
	"bulkhead/capture/protocol"
	"bulkhead/internal/mac"
)

// unknownSide stands for the client of a connection whose roles are open.
const unknownSide = -1

// conn is a connection: what one pair of addresses and ports say to each other.
// Its sides are the ends of its key; which of them is the client is found out
// on the way.
type conn struct {
	key    flowKey
	addrs  [2]netip.Addr
	heard  [2]*endpoint // who sent the last frame of each side
	vlans  vlans
	slot   int
	recent bool // a frame came since room was last looked for

	first, last          capture.Time
	packets, bytes, load [2]uint64 // load is payload; over TCP the streams count it
	links                []link
	link                 int // of the last frame

	outcome        packet.Outcome
	detail         string // of outcome
	fragments      uint64 // of packets, those that are later fragments
	fragmentDetail string

	opener    int // the side of the first frame
	client    int
	roleBasis capture.Basis
	group     bool // sent to a group address
	refused   bool // an ICMP error came back
	example   capture.Example
	tuple     tuple // of the example

	stage    stage
	search   *search
	rejected uint64 // protocols whose recogniser saw a first message and said no
	proto    *protocol.Protocol
	decoder  protocol.Decoder
	exchange *protocol.Exchange
	conv     *conv

	tcp *tcp // nil over anything else
}

// link is a path that frames of a connection took, by side.
type link struct {
	mac   [2]mac.Addr
	ttl   [2]uint8
	count uint64
}

// newConn makes a connection of its first frame, in the memory of one that ended.
func (e *engine) newConn(k flowKey, from int, f *pcap.Frame) *conn {
	c, p := e.spare, &e.packet
	e.spare = nil
	if c == nil {
		c = &conn{links: make([]link, 0, 1)}
	}
	t := c.tcp
	*c = conn{
		key: k, vlans: vlans{notHeard, notHeard},
		opener: from, client: unknownSide,
		links:   c.links[:0],
		example: capture.Example{Frame: f.Number},
		tuple:   tuple{p.Src, p.Dst, p.Proto, p.SrcPort, p.DstPort},
	}
	c.addrs[from], c.addrs[1-from] = p.Src, p.Dst
	switch k.carrier {
	case overICMP:
		c.tuple.srcPort, c.tuple.dstPort = uint16(p.ICMPType), uint16(p.ICMPCode)
	case overTCP:
		if t == nil {
			t = new(tcp)
		}
		t.reset(e.held)
		c.tcp = t
	}
	return c
}

// count adds a frame's numbers.
func (c *conn) count(from int, p *packet.Packet, f *pcap.Frame) {
	c.recent = true
	c.packets[from]++
	c.bytes[from] += uint64(f.Length)
	if c.tcp == nil {
		c.load[from] += uint64(p.PayloadLength)
	}
	if !f.Time.IsZero() {
		c.first, c.last = c.first.Earliest(f.Time), c.last.Latest(f.Time)
	}
	c.countLink(from, p)
}

func (c *conn) countLink(from int, p *packet.Packet) {
	for i := range c.links {
		// The link of the last frame is most often the one.
		n := c.link + i
		if n >= len(c.links) {
			n -= len(c.links)
		}
		l := &c.links[n]
		if l.mac[from] == p.SrcMAC && l.mac[1-from] == p.DstMAC && (l.ttl[from] == p.TTL || l.ttl[from] == 0) {
			l.ttl[from] = p.TTL
			l.count++
			c.link = n
			return
		}
	}
	if len(c.links) >= capture.MaxLinks {
		return
	}
	var l link
	l.mac[from], l.mac[1-from], l.ttl[from], l.count = p.SrcMAC, p.DstMAC, p.TTL, 1
	c.link = len(c.links)
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
	if from == c.client {
		return capture.FromClient
	}
	return capture.FromServer
}
