package observe

import (
	"bulkhead/capture/packet"
	"bulkhead/capture/stream"
)

// tcp is what a connection over TCP has besides.
type tcp struct {
	sides [2]stream.Side
	rests [2]stream.Rest
	isn   [2]uint32 // of the SYN or SYN-ACK
	acked uint32    // by the SYN-ACK

	syn, synACK, rst, fin [2]bool
	spoke                 [2]bool // sent anything but a SYN or a RST
}

// reset makes t ready for a new connection.
func (t *tcp) reset(held *stream.Budget) {
	*t = tcp{sides: t.sides}
	t.sides[0].Reset(held)
	t.sides[1].Reset(held)
}

// opener returns the side that opened the connection.
func (t *tcp) opener() (side int, ok bool) {
	for side := range 2 {
		if t.synACK[1-side] || t.syn[side] && !t.synACK[side] && !t.syn[1-side] {
			return side, true
		}
	}
	return 0, false
}

// opens reports whether a frame is part of a handshake. No host sends a SYN that
// ends or resets the connection as well; scanners do.
func opens(p *parcel) bool {
	return p.flags.Has(packet.SYN) && p.flags&(packet.FIN|packet.RST) == 0
}

// over reports whether a packet opens another connection on the same ports.
//
// Source: RFC 9293, 3.10.7.3 and 3.10.7.4; a SYN that a live connection would
// have to challenge is taken for that of a host that was started again.
func (t *tcp) over(p *parcel) bool {
	if !opens(p) {
		return false
	}
	from := int(p.from)
	if p.flags.Has(packet.ACK) {
		ended := t.rst[0] || t.rst[1] || t.fin[0] && t.fin[1]
		return t.synACK[from] && t.isn[from] != p.seq && ended
	}
	switch {
	case t.syn[from] || t.synACK[from]:
		return t.isn[from] != p.seq
	case t.synACK[1-from]: // captured in front of the SYN that it answers?
		return t.acked != p.seq+1
	case t.syn[1-from]: // both at a time?
		return t.spoke[0] || t.spoke[1]
	}
	return t.spoke[0] || t.spoke[1] || t.rst[0] || t.rst[1]
}

// segment takes a packet's TCP header and payload.
func (s *shard) segment(c *conn, p *parcel) {
	t, from := c.tcp, int(p.from&1)
	if p.flags.Has(packet.RST) {
		t.rst[from] = true
		return // its numbers need not be the connection's, its payload is for people
	}
	syn, fin := opens(p), p.flags.Has(packet.FIN)
	if syn {
		t.isn[from] = p.seq
		if p.flags.Has(packet.ACK) {
			t.synACK[from], t.acked = true, p.ack
		} else {
			t.syn[from] = true
		}
	} else {
		t.spoke[from] = true
	}
	if fin {
		t.fin[from] = true
	}
	if p.flags.Has(packet.ACK) {
		t.sides[1-from].Acked(p.ack)
		s.drain(c, 1-from)
	}
	chunk, ok := t.sides[from].Take(&stream.Segment{
		Seq: p.seq, SYN: syn, FIN: fin,
		Data: p.payload, Length: int(p.payloadLength), Sum: p.sum, Frame: p.number, Time: p.time,
	})
	if ok {
		s.bytes(c, from, &chunk)
	}
	s.drain(c, from)
}

// drain passes on what has come in order.
func (s *shard) drain(c *conn, from int) {
	for side := &c.tcp.sides[from]; side.Ready(); {
		chunk, ok := side.Next()
		if !ok {
			return
		}
		s.bytes(c, from, &chunk)
	}
}

// finishTCP passes on what waited behind gaps.
func (s *shard) finishTCP(c *conn) {
	for from := range 2 {
		c.tcp.sides[from].Finish()
		s.drain(c, from)
	}
}

// freeTCP gives all memory back.
func (s *shard) freeTCP(c *conn) {
	for from := range 2 {
		c.tcp.sides[from].Reset(s.held)
		c.tcp.rests[from].Free(s.held)
	}
}

// state tells how far a connection over TCP came.
func (t *tcp) state(client int) state {
	server := 1 - client
	switch {
	case t.sides[0].Bytes() > 0 && t.sides[1].Bytes() > 0:
		return answered
	case t.synACK[server], t.spoke[server], t.syn[client] && t.spoke[client]:
		return established
	case t.rst[server]:
		return refused
	case t.sides[server].Acknowledged():
		return established
	}
	return attempted
}
