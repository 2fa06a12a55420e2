package observe

import (
	"cmp"
	"net/netip"
	"slices"

	"bulkhead/capture"
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

// hearing is what was heard of one side of a connection since its address on the
// link changed, and is not yet counted on the endpoint.
type hearing struct {
	endpoint    *endpoint
	mac         mac.Addr
	vlan        uint16
	group       bool // frames for more than one receiver
	frames      uint64
	first, last capture.Time
}

// endpoint returns the endpoint for a key, or nil if the table is full.
func (s *shard) endpoint(k endpointKey) *endpoint {
	if k.ip.IsUnspecified() {
		k.ip = netip.Addr{} // it has none yet
	}
	if !k.ip.IsValid() && k.mac.IsZero() {
		return nil
	}
	ep := s.endpoints[k]
	if ep == nil {
		if len(s.endpoints) >= s.limits.endpoints {
			s.limited("endpoints", s.limits.endpoints)
			return nil
		}
		ep = &endpoint{key: k}
		s.endpoints[k] = ep
	}
	return ep
}

// hear counts a packet on the endpoint that sent it.
func (s *shard) hear(c *conn, p *parcel) {
	h := &c.heard[p.from&1]
	group := c.group || p.dst.IsGroup()
	if h.frames == 0 || h.mac != p.src || h.vlan != p.vlan || h.group != group {
		c.tellEndpoint(h)
		h.mac, h.vlan, h.group, h.endpoint = p.src, p.vlan, group, nil
		if !isARP(p) {
			h.endpoint = s.endpoint(endpointKey{p.addr(0), p.src, p.vlan})
		}
	}
	h.frames += uint64(p.frames)
	h.first, h.last = h.first.Earliest(p.time), h.last.Latest(p.time)
	if isARP(p) {
		s.hearARP(p)
	}
}

// tellEndpoint counts what was heard, and begins anew.
func (c *conn) tellEndpoint(h *hearing) {
	c.first, c.last = c.first.Earliest(h.first), c.last.Latest(h.last)
	switch ep := h.endpoint; {
	case ep == nil:
	case h.group:
		ep.alsoAt(h.first)
		ep.alsoAt(h.last)
	default:
		ep.frames += h.frames
		ep.first, ep.last = ep.first.Earliest(h.first), ep.last.Latest(h.last)
	}
	h.frames, h.first, h.last = 0, capture.Time{}, capture.Time{}
}

// ARP operations. Source: RFC 826.
const (
	arpRequest = 1
	arpReply   = 2
)

const etherTypeARP = 0x0806 // Source: IEEE Registration Authority

func isARP(p *parcel) bool {
	return p.key.carrier == overLink && p.key.aPort == etherTypeARP && p.more != nil
}

// hearARP notes the address that the sender of an ARP packet binds to its MAC.
func (s *shard) hearARP(p *parcel) {
	k := endpointKey{p.more.ARP.Sender, p.more.ARP.SenderMAC, p.vlan}
	if k.mac.IsZero() {
		k.mac = p.src
	}
	if ep := s.endpoint(k); ep != nil {
		ep.alsoAt(p.time)
		ep.arp = ep.arp || ep.key.ip.IsValid()
	}
}

// hearNeighbor notes the address that an ICMPv6 neighbour discovery message
// binds to a MAC.
func (s *shard) hearNeighbor(p *parcel) {
	if p.more == nil || p.more.Neighbor.MAC.IsZero() {
		return
	}
	if ep := s.endpoint(endpointKey{p.more.Neighbor.Addr, p.more.Neighbor.MAC, p.vlan}); ep != nil {
		ep.alsoAt(p.time)
		ep.arp = ep.arp || ep.key.ip.IsValid()
	}
}

// alsoAt notes the time of a frame that does not count.
func (ep *endpoint) alsoAt(t capture.Time) {
	ep.otherFirst, ep.otherLast = ep.otherFirst.Earliest(t), ep.otherLast.Latest(t)
}

// add counts what another shard heard of the same endpoint.
func (ep *endpoint) add(o *endpoint) {
	ep.frames += o.frames
	ep.first, ep.last = ep.first.Earliest(o.first), ep.last.Latest(o.last)
	ep.otherFirst, ep.otherLast = ep.otherFirst.Earliest(o.otherFirst), ep.otherLast.Latest(o.otherLast)
	ep.arp = ep.arp || o.arp
	ep.said(&protocol.Said{Names: o.names, Identities: o.identities, Cut: o.cut})
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

// export returns ep as it is handed on, as of capture number i.
func (ep *endpoint) export(i int) capture.Endpoint {
	out := capture.Endpoint{
		Capture: i, VLAN: ep.key.vlan, IP: ep.key.ip, MAC: ep.key.mac,
		Frames: ep.frames, First: ep.first, Last: ep.last, ARP: ep.arp,
		Names: append([]capture.Name{}, ep.names...), Identities: append([]capture.Identity{}, ep.identities...), Cut: ep.cut,
	}
	if ep.frames == 0 {
		out.First, out.Last = ep.otherFirst, ep.otherLast
	}
	slices.SortFunc(out.Names, func(a, b capture.Name) int {
		return cmp.Or(cmp.Compare(a.Frame, b.Frame), cmp.Compare(a.Source, b.Source), cmp.Compare(a.Name, b.Name))
	})
	slices.SortFunc(out.Identities, func(a, b capture.Identity) int {
		return cmp.Or(cmp.Compare(a.Frame, b.Frame), cmp.Compare(a.Source, b.Source), cmp.Compare(a.Model, b.Model), cmp.Compare(a.Serial, b.Serial),
			cmp.Compare(a.Firmware, b.Firmware), cmp.Compare(a.Vendor, b.Vendor))
	})
	return out
}
