package lab

import (
	"time"

	"github.com/google/gopacket/layers"
)

// mss is the maximum segment size of every host, in bytes.
const mss = 1460

// Delays of TCP stacks.
const (
	delayedACK     = 40 * time.Millisecond  // before data is acknowledged by itself
	retransmission = 250 * time.Millisecond // before a segment is sent again
)

// Side is an end of a connection.
type Side int

// The ends of a connection.
const (
	Client Side = iota
	Server
)

func (s Side) other() Side { return 1 - s }

// Conn is a TCP connection. Data is acknowledged by the other side's next data,
// or by itself once that takes longer than a delayed acknowledgement may.
type Conn struct {
	net  *Net
	ends [2]end
}

type end struct {
	host    *Host
	port    uint16
	next    uint32    // sequence number of the next byte it sends
	owed    bool      // it has received data that it has not acknowledged
	owedNow time.Time // when that data came
}

// TCP opens a connection, with a handshake.
func (n *Net) TCP(client, server *Host, port uint16) *Conn {
	c := n.dial(client, server, port)
	c.segment(Client, layers.TCP{SYN: true}, nil)
	c.segment(Server, layers.TCP{SYN: true, ACK: true}, nil)
	c.segment(Client, layers.TCP{ACK: true}, nil)
	return c
}

// Joined returns a connection that was opened before the capture began.
func (n *Net) Joined(client, server *Host, port uint16) *Conn {
	c := n.dial(client, server, port)
	c.ends[Client].next++
	c.ends[Server].next++
	return c
}

func (n *Net) dial(client, server *Host, port uint16) *Conn {
	c := &Conn{net: n}
	c.ends[Client] = end{host: client, port: client.clientPort(), next: n.random.Uint32()}
	c.ends[Server] = end{host: server, port: port, next: n.random.Uint32()}
	return c
}

// Dropped attempts a connection three times. A firewall between the hosts, or
// the server itself, drops the SYN and says nothing.
func (n *Net) Dropped(client, server *Host, port uint16) {
	c := n.dial(client, server, port)
	for _, wait := range []time.Duration{time.Second, 2 * time.Second, 0} {
		c.syn()
		n.Wait(wait)
	}
}

// Rejected attempts a connection, and a firewall between the hosts, or the
// server itself, answers with a reset.
func (n *Net) Rejected(client, server *Host, port uint16) {
	c := n.dial(client, server, port)
	c.syn()
	// A firewall forges the reset: it never leaves the client's segment.
	forged := *server
	forged.segment = client.segment
	if r := n.path(client, server); len(r) > 1 {
		forged.MAC = r[0].dst
	}
	e := &c.ends[Client]
	n.send(&forged, client, layers.IPProtocolTCP, &layers.TCP{SrcPort: layers.TCPPort(port), DstPort: layers.TCPPort(e.port),
		Ack: e.next + 1, RST: true, ACK: true}, nil, 0)
}

// syn sends a SYN that goes no further than the client's segment.
func (c *Conn) syn() {
	from, to := &c.ends[Client], &c.ends[Server]
	c.net.send(from.host, to.host, layers.IPProtocolTCP, &layers.TCP{SrcPort: layers.TCPPort(from.port), DstPort: layers.TCPPort(to.port),
		Seq: from.next, SYN: true, Window: 64240, Options: synOptions()}, nil, 1)
}

// Client sends bytes from client to server.
func (c *Conn) Client(b []byte, opts ...Option) { c.Send(Client, b, opts...) }

// Server sends bytes from server to client.
func (c *Conn) Server(b []byte, opts ...Option) { c.Send(Server, b, opts...) }

// Send sends bytes from one side.
func (c *Conn) Send(from Side, b []byte, opts ...Option) {
	c.settle()
	h := options(opts)
	longest := mss
	if h.split > 0 {
		longest = min(h.split, mss)
	}
	for len(b) > 0 {
		part := b[:min(longest, len(b))]
		b = b[len(part):]
		if h.missed {
			c.ends[from].next += uint32(len(part))
			c.owe(from.other())
			continue
		}
		seq := c.ends[from].next
		c.segment(from, layers.TCP{ACK: true, PSH: len(b) == 0}, part)
		if len(b) == 0 && h.repeated { // the first copy was lost beyond the tap
			c.ends[from.other()].owed = false
			c.net.Wait(retransmission)
			c.ends[from].next = seq
			c.segment(from, layers.TCP{ACK: true, PSH: true}, part)
		}
	}
}

// Close ends the connection from the client's side.
func (c *Conn) Close() {
	c.settle()
	c.segment(Client, layers.TCP{FIN: true, ACK: true}, nil)
	c.segment(Server, layers.TCP{FIN: true, ACK: true}, nil)
	c.segment(Client, layers.TCP{ACK: true}, nil)
}

// Reset breaks the connection off.
func (c *Conn) Reset(from Side) {
	c.settle()
	c.segment(from, layers.TCP{RST: true, ACK: true}, nil)
}

// exchange sends a request and its answer, unless there is none.
func (c *Conn) exchange(request, answer []byte, opts []Option) {
	c.Client(request, opts...)
	if options(opts).unanswered {
		return
	}
	c.net.Wait(2 * time.Millisecond)
	c.Server(answer, opts...)
}

// owe notes that a side has data to acknowledge.
func (c *Conn) owe(s Side) {
	if e := &c.ends[s]; !e.owed {
		e.owed, e.owedNow = true, c.net.now
	}
}

// settle sends the acknowledgements that are due since the last data.
func (c *Conn) settle() {
	now := c.net.now
	for s := range Side(len(c.ends)) {
		if e := &c.ends[s]; e.owed && now.Sub(e.owedNow) >= delayedACK {
			c.net.now = e.owedNow.Add(delayedACK)
			c.segment(s, layers.TCP{ACK: true}, nil)
		}
	}
	c.net.now = now
}

// segment sends one segment with the flags of t, and counts what it carries.
func (c *Conn) segment(from Side, t layers.TCP, payload []byte) {
	e, peer := &c.ends[from], &c.ends[from.other()]
	t.SrcPort, t.DstPort = layers.TCPPort(e.port), layers.TCPPort(peer.port)
	t.Seq, t.Window = e.next, 64240
	if t.ACK {
		t.Ack = peer.next
		e.owed = false
	}
	if t.SYN {
		t.Options = synOptions()
	}
	c.net.send(e.host, peer.host, layers.IPProtocolTCP, &t, payload, 0)
	e.next += uint32(len(payload))
	if t.SYN || t.FIN {
		e.next++
	}
	if len(payload) > 0 {
		c.owe(from.other())
	}
}

func synOptions() []layers.TCPOption {
	return []layers.TCPOption{{OptionType: layers.TCPOptionKindMSS, OptionLength: 4, OptionData: be16(mss)}}
}
