package observe

import (
	"bulkhead/capture/packet"
	"bulkhead/capture/pcap"
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
func opens(p *packet.Packet) bool {
	return p.Flags.Has(packet.SYN) && p.Flags&(packet.FIN|packet.RST) == 0
}

// over reports whether a frame opens another connection on the same ports.
//
// Source: RFC 9293, 3.10.7.3 and 3.10.7.4; a SYN that a live connection would
// have to challenge is taken for that of a host that was started again.
func (t *tcp) over(from int, p *packet.Packet) bool {
	if !opens(p) {
		return false
	}
	if p.Flags.Has(packet.ACK) {
		ended := t.rst[0] || t.rst[1] || t.fin[0] && t.fin[1]
		return t.synACK[from] && t.isn[from] != p.Seq && ended
	}
	switch {
	case t.syn[from] || t.synACK[from]:
		return t.isn[from] != p.Seq
	case t.synACK[1-from]: // captured in front of the SYN that it answers?
		return t.acked != p.Seq+1
	case t.syn[1-from]: // both at a time?
		return t.spoke[0] || t.spoke[1]
	}
	return t.spoke[0] || t.spoke[1] || t.rst[0] || t.rst[1]
}

// segment takes a frame's TCP header and payload.
func (e *engine) segment(c *conn, from int, p *packet.Packet, f *pcap.Frame) {
	t := c.tcp
	if p.Flags.Has(packet.RST) {
		t.rst[from] = true
		return // its numbers need not be the connection's, its payload is for people
	}
	syn := opens(p)
	if syn {
		t.isn[from] = p.Seq
		if p.Flags.Has(packet.ACK) {
			t.synACK[from], t.acked = true, p.Ack
		} else {
			t.syn[from] = true
		}
	} else {
		t.spoke[from] = true
	}
	if p.Flags.Has(packet.FIN) {
		t.fin[from] = true
	}
	if p.Flags.Has(packet.ACK) {
		t.sides[1-from].Acked(p.Ack)
		e.drain(c, 1-from)
	}
	// What the IP header claims beyond the frame itself may never have been sent,
	// and must not stand in the way of bytes that were.
	length := min(p.PayloadLength, len(p.Payload)+f.Length-len(f.Data))
	t.sides[from].Push(&stream.Segment{
		Seq: p.Seq, SYN: syn, FIN: p.Flags.Has(packet.FIN),
		Data: p.Payload, Length: length, Frame: f.Number, Time: f.Time,
	})
	e.drain(c, from)
}

// drain passes on what has come in order.
func (e *engine) drain(c *conn, from int) {
	for side := &c.tcp.sides[from]; side.Ready(); {
		chunk, ok := side.Next()
		if !ok {
			return
		}
		e.bytes(c, from, chunk)
	}
}

// finishTCP passes on what waited behind gaps.
func (e *engine) finishTCP(c *conn) {
	for from := range 2 {
		c.tcp.sides[from].Finish()
		e.drain(c, from)
	}
}

// freeTCP gives all memory back.
func (e *engine) freeTCP(c *conn) {
	for from := range 2 {
		c.tcp.sides[from].Reset(e.held)
		c.tcp.rests[from].Free(e.held)
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
