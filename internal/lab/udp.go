package lab

import (
	"time"

	"github.com/google/gopacket/layers"
)

// UDP is a pair of UDP ports. The client's is ephemeral, unless the protocol
// asks for another.
type UDP struct {
	net            *Net
	client, server *Host
	from, to       uint16
}

// UDP returns a pair of ports between which nothing has been sent yet.
func (n *Net) UDP(client, server *Host, port uint16) *UDP {
	return &UDP{net: n, client: client, server: server, from: client.clientPort(), to: port}
}

// Client sends a datagram from client to server.
func (u *UDP) Client(b []byte) {
	u.net.send(u.client, u.server, layers.IPProtocolUDP, &layers.UDP{SrcPort: layers.UDPPort(u.from), DstPort: layers.UDPPort(u.to)}, b, 0)
}

// Server sends a datagram from server to client.
func (u *UDP) Server(b []byte) {
	u.net.send(u.server, u.client, layers.IPProtocolUDP, &layers.UDP{SrcPort: layers.UDPPort(u.to), DstPort: layers.UDPPort(u.from)}, b, 0)
}

// exchange sends a request and its answer, unless there is none.
func (u *UDP) exchange(request, answer []byte, opts []Option) {
	u.Client(request)
	if options(opts).unanswered {
		return
	}
	u.net.Wait(time.Millisecond)
	u.Server(answer)
}
