package observe

import (
	"net/netip"

	"bulkhead/capture"
	"bulkhead/capture/packet"
	"bulkhead/capture/protocol"
	"bulkhead/internal/mac"
)

// setRole decides who of c is the client, if nothing better has: by the
// handshake, by what the bytes said, by ports, or by who was heard first.
func (c *conn) setRole(content protocol.Role, from int) {
	if c.client != unknownSide {
		return
	}
	if c.tcp != nil {
		if side, ok := c.tcp.opener(); ok {
			c.client, c.roleBasis = int8(side), capture.Handshake
			return
		}
	}
	switch content {
	case protocol.Client:
		c.client, c.roleBasis = int8(from), capture.Content
		return
	case protocol.Server:
		c.client, c.roleBasis = int8(1-from), capture.Content
		return
	}
	if server, ok := c.serverByPort(); ok {
		c.client, c.roleBasis = int8(1-server), capture.Port
		return
	}
	c.client, c.roleBasis = c.opener, capture.Guess
}

// firstEphemeral is where no service of the system begins.
const firstEphemeral = 1024

// serverByPort tells the server by its port: the one that is registered for what
// was recognised, the one that is registered at all, or the only one in the range
// that takes privileges to serve on.
func (c *conn) serverByPort() (side int, ok bool) {
	t := transports[c.key.carrier]
	switch c.key.carrier {
	case overTCP, overUDP, overSCTP:
	default:
		return 0, false
	}
	a, b := c.key.aPort, c.key.bPort
	if a == b {
		return 0, false
	}
	only := func(atA, atB bool) bool {
		if atA != atB {
			ok = true
			if atB {
				side = 1
			}
		}
		return ok
	}
	pa, pb := capture.ByPort(t, a), capture.ByPort(t, b)
	if c.proto != nil && only(pa == c.proto.Name, pb == c.proto.Name) {
		return side, ok
	}
	if only(pa != capture.Unknown, pb != capture.Unknown) {
		return side, ok
	}
	only(a < firstEphemeral, b < firstEphemeral)
	return side, ok
}

var (
	broadcastMAC = mac.Addr{255, 255, 255, 255, 255, 255}
	broadcastIP  = netip.AddrFrom4([4]byte{255, 255, 255, 255})
)

// isGroup reports whether a packet is for more than one receiver. An IP packet to
// one host in a frame to a multicast MAC is for the cluster that answers as that
// host.
func (p *parcel) isGroup() bool {
	to := p.addr(1)
	if !to.IsValid() {
		return p.dst.IsGroup()
	}
	return to.IsMulticast() || to == broadcastIP || p.dst == broadcastMAC
}

// icmpRole tells who sends an ICMP message: a client asks, a server answers, and
// whoever returns an error answers the sender of what it is about.
//
// Source: RFC 792, RFC 950, RFC 1256; RFC 4443, RFC 4861, RFC 2710.
func icmpRole(proto, kind uint8) protocol.Role {
	if proto == protoICMP {
		switch kind {
		case 8, 10, 13, 15, 17:
			return protocol.Client
		case 0, 3, 4, 5, 9, 11, 12, 14, 16, 18:
			return protocol.Server
		}
		return protocol.AnyRole
	}
	switch kind {
	case 128, 130, 133, 135, 139, 144:
		return protocol.Client
	case 1, 2, 3, 4, 129, 131, 132, 134, 136, 137, 140, 145:
		return protocol.Server
	}
	return protocol.AnyRole
}

// icmpRefusal reports whether an ICMP message says that what it quotes was not
// let through or not wanted. That a packet was too big (type 3, code 4; type 2
// of ICMPv6) does not.
//
// Source: RFC 792; RFC 4443, 3.1.
func icmpRefusal(p *packet.Packet) bool {
	if !p.Quoted.Valid {
		return false
	}
	if p.Proto == protoICMP {
		return p.ICMPType == 3 && p.ICMPCode != 4
	}
	return p.ICMPType == 1
}
