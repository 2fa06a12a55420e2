package observe

import (
	"bulkhead/capture/protocol"
	"bulkhead/capture/stream"
)

// bytes takes the next bytes of a side: in order over TCP, else one message.
func (s *shard) bytes(c *conn, from int, chunk *stream.Chunk) {
	switch c.stage {
	case searching:
		s.recognise(c, from, chunk)
	case found:
		s.decode(c, from, chunk)
	}
}

// decode hands bytes to the decoder of c, if it has one.
func (s *shard) decode(c *conn, from int, chunk *stream.Chunk) {
	if c.decoder == nil {
		return
	}
	side := c.side(from)
	c.exchange.At(chunk.Frame, chunk.Time)
	if c.tcp == nil {
		if c.proto.Recognise(chunk.Data).Score == protocol.No {
			c.exchange.Undecoded()
			return
		}
		before := c.exchange.Counted()
		c.decoder.Decode(&c.exchange, side, chunk.Data)
		if s.cut && c.exchange.Counted() == before {
			c.exchange.Undecoded() // what it says lies behind the snap length
		}
		return
	}
	rest := &c.tcp.rests[from]
	if chunk.Lost {
		if len(rest.Bytes()) > 0 {
			c.exchange.Undecoded() // it has lost its end
		}
		rest.Consume(s.held, len(rest.Bytes()))
		c.exchange.Lost(side)
	}
	b := chunk.Data
	if len(rest.Bytes()) == 0 {
		b = b[s.decodeAll(c, from, b):]
	}
	for len(b) > 0 {
		n := min(len(b), protocol.MaxPDU-len(rest.Bytes()))
		if !rest.Append(s.held, b[:n]) {
			s.loseRest(c, from)
			return
		}
		b = b[n:]
		used := s.decodeAll(c, from, rest.Bytes())
		if used == 0 && len(rest.Bytes()) == protocol.MaxPDU {
			s.loseRest(c, from)
			return
		}
		rest.Consume(s.held, used)
	}
}

// loseRest drops a PDU that grew too long; the next is looked for where the next
// segment starts.
func (s *shard) loseRest(c *conn, from int) {
	rest := &c.tcp.rests[from]
	rest.Consume(s.held, len(rest.Bytes()))
	c.exchange.Undecoded()
	c.exchange.Lost(c.side(from))
}

// decodeAll calls the decoder until it takes no more, and returns how much it
// took.
func (s *shard) decodeAll(c *conn, from int, b []byte) (used int) {
	side := c.side(from)
	for used < len(b) {
		n := c.decoder.Decode(&c.exchange, side, b[used:])
		if n <= 0 {
			break
		}
		used += min(n, len(b)-used)
	}
	return used
}
