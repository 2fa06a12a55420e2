package observe

import (
	"net/netip"

	"bulkhead/capture"
	"bulkhead/capture/packet"
	"bulkhead/capture/pcap"
	"bulkhead/capture/protocol"
	"bulkhead/internal/mac"
)

// endpointKey tells endpoints apart; a host heard by MAC only has the zero Addr.
type endpointKey struct {
	ip   netip.Addr
	mac  mac.Addr
	vlan uint16
}

// endpoint is an address that was heard.
type endpoint struct {
	key                   endpointKey
	frames                uint64 // unicast and not ARP
	first, last           capture.Time
	otherFirst, otherLast capture.Time // of its other frames
	arp                   bool
	names                 []capture.Name
	identities            []capture.Identity
	cut                   bool // there were more of either
}

// endpoint returns the endpoint for a key, or nil if the table is full.
func (e *engine) endpoint(k endpointKey) *endpoint {
	if k.ip.IsUnspecified() {
		k.ip = netip.Addr{} // it has none yet
	}
	if !k.ip.IsValid() && k.mac.IsZero() {
		return nil
	}
	ep := e.endpoints[k]
	if ep == nil {
		if len(e.endpoints) >= e.limits.endpoints {
			e.limited("endpoints", e.limits.endpoints)
			return nil
		}
		ep = &endpoint{key: k}
		e.endpoints[k] = ep
	}
	return ep
}

// hear counts a frame on the endpoint that sent it.
func (e *engine) hear(c *conn, from int, p *packet.Packet, f *pcap.Frame) {
	if c.key.carrier == overLink && p.EtherType == etherTypeARP {
		e.hearARP(p, f)
		return
	}
	ep := c.heard[from]
	if vlan := p.VLAN(); ep == nil || ep.key.mac != p.SrcMAC || ep.key.vlan != vlan {
		if ep = e.endpoint(endpointKey{p.Src, p.SrcMAC, vlan}); ep == nil {
			return
		}
		c.heard[from] = ep
	}
	if c.group || p.DstMAC.IsGroup() {
		ep.alsoAt(f.Time)
		return
	}
	ep.frames++
	ep.first, ep.last = ep.first.Earliest(f.Time), ep.last.Latest(f.Time)
}

// ARP operations. Source: RFC 826.
const (
	arpRequest = 1
	arpReply   = 2
)

// hearARP notes the address that the sender of an ARP packet binds to its MAC.
func (e *engine) hearARP(p *packet.Packet, f *pcap.Frame) {
	k := endpointKey{p.ARP.Sender, p.ARP.SenderMAC, p.VLAN()}
	if k.mac.IsZero() {
		k.mac = p.SrcMAC
	}
	if ep := e.endpoint(k); ep != nil {
		ep.alsoAt(f.Time)
		ep.arp = ep.arp || ep.key.ip.IsValid()
	}
}

// hearNeighbor notes the address that an ICMPv6 neighbour discovery message
// binds to a MAC.
func (e *engine) hearNeighbor(p *packet.Packet, f *pcap.Frame) {
	if p.Neighbor.MAC.IsZero() {
		return
	}
	if ep := e.endpoint(endpointKey{p.Neighbor.Addr, p.Neighbor.MAC, p.VLAN()}); ep != nil {
		ep.alsoAt(f.Time)
		ep.arp = ep.arp || ep.key.ip.IsValid()
	}
}

// alsoAt notes the time of a frame that does not count.
func (ep *endpoint) alsoAt(t capture.Time) {
	ep.otherFirst, ep.otherLast = ep.otherFirst.Earliest(t), ep.otherLast.Latest(t)
}

// said adds what an endpoint told of itself.
func (ep *endpoint) said(s *protocol.Said) {
	ep.cut = ep.cut || s.Cut
	for _, n := range s.Names {
		ep.names = addFirst(ep.names, n, &ep.cut, func(a, b capture.Name) bool { return a.Name == b.Name && a.Source == b.Source },
			func(n *capture.Name) *uint64 { return &n.Frame })
	}
	for _, id := range s.Identities {
		ep.identities = addFirst(ep.identities, id, &ep.cut, func(a, b capture.Identity) bool { a.Frame = b.Frame; return a == b },
			func(id *capture.Identity) *uint64 { return &id.Frame })
	}
}

// addFirst adds v, or the frame of v to its like, whichever comes first in the
// capture. Lists are bounded; cut is set if v found no room.
func addFirst[T any](list []T, v T, cut *bool, same func(a, b T) bool, frame func(*T) *uint64) []T {
	for i := range list {
		if same(list[i], v) {
			*frame(&list[i]) = min(*frame(&list[i]), *frame(&v))
			return list
		}
	}
	if len(list) >= capture.MaxFacts {
		*cut = true
		return list
	}
	return append(list, v)
}
