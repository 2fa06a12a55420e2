package rules

import (
	"cmp"
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"bulkhead/capture"
	"bulkhead/conduits"
	"bulkhead/internal/mac"
	"bulkhead/model"
	"bulkhead/zones"
)

// Outcome is how far a flow came.
type Outcome string

// The outcomes. TCP's completed handshake is an answer.
const (
	Answered  Outcome = "answered"
	OneWay    Outcome = "one-way" // something was sent that needs no answer, or the capture holds one side only
	Rejected  Outcome = "refused" // the network or the server turned it away
	Attempted Outcome = "attempted"
)

// judged is a flow with what rules need to know of it.
type judged struct {
	client, server zones.Location
	first          *capture.Conversation // of sights
	sights         []sight               // where it was seen: by capture, then VLAN

	protocolBasis capture.Basis // the strongest of the sights
	roleBasis     capture.Basis
	cast          bool // to a multicast or broadcast address
	cross         bool // between zones, or a conduit's own asset and another place
	outcome       Outcome
	ops           []FlowOperation // all of them, the gravest first
	settled       *sight          // the sight whose decision holds for the flow
	doubt         string          // why it is not assessable; "" if it is
	verdict       Verdict
	groups        []*group // the findings that it is evidence of
	// Operations that rules about what is permitted have reported.
	reported map[*capture.Operation]bool

	whoText, didText string // what who and did return, once they were asked
}

// sight is a conversation, seen through the model.
type sight struct {
	conv     *capture.Conversation
	tap      *model.Tap        // nil if its capture belongs to none
	decision conduits.Decision // of a flow that crosses
}

// operation is an operation at one of a flow's sights.
type operation struct {
	sight *sight
	*capture.Operation
}

// flowKey is what makes conversations the same flow.
type flowKey struct {
	client, server           netip.Addr
	clientMAC, serverMAC     mac.Addr // only straight on the link
	port                     uint16
	transport                capture.Transport
	protocol                 capture.Protocol
	clientPlace, serverPlace string
}

// place folds the conversations into flows: roles are reconciled over captures,
// the ends are located, and what was seen at several taps becomes one flow.
func (s *scene) place() {
	s.bound = s.bindings()
	convs := s.reconciled()
	index := make(map[flowKey]int32, len(convs))
	of := make([]int32, len(convs)) // of each conversation, its flow
	sizes := make([]int32, 0, len(convs))
	for i, c := range convs {
		client, server, cast := s.locateEnds(c)
		key := flowKey{
			client: c.Client.IP, server: c.Server.IP, port: c.Server.Port, transport: c.Transport, protocol: c.Protocol,
			clientPlace: placeKey(client), serverPlace: placeKey(server),
		}
		if !c.Client.IP.IsValid() {
			key.clientMAC = c.Client.MAC
		}
		if !c.Server.IP.IsValid() {
			key.serverMAC = c.Server.MAC
		}
		n, ok := index[key]
		if !ok {
			n = int32(len(s.flows))
			index[key] = n
			sizes = append(sizes, 0)
			s.flows = append(s.flows, &judged{client: client, server: server, cast: cast,
				cross: !cast && crosses(client, server) || cast && client.ID() != server.ID()})
		}
		of[i] = n
		sizes[n]++
	}
	backing := make([]sight, len(convs))
	start := 0
	for i, f := range s.flows {
		f.sights = backing[start : start : start+int(sizes[i])]
		start += int(sizes[i])
	}
	for i, c := range convs {
		f := s.flows[of[i]]
		f.sights = append(f.sights, sight{conv: c, tap: s.taps[c.Capture]})
	}
	for _, f := range s.flows {
		f.settle(s)
	}
	slices.SortFunc(s.flows, compareFlows)
}

// placeKey names a location for the flow's key; an ambiguous one by all its zones.
func placeKey(l zones.Location) string {
	if len(l.Ambiguous) == 0 {
		return l.ID()
	}
	ids := make([]string, len(l.Ambiguous))
	for i, z := range l.Ambiguous {
		ids[i] = z.ID
	}
	return "?" + strings.Join(ids, "?")
}

// settle fills in what follows from a flow's sights alone.
func (f *judged) settle(s *scene) {
	if len(f.sights) > 1 {
		slices.SortFunc(f.sights, func(a, b sight) int {
			x, y := a.conv, b.conv
			return cmp.Or(cmp.Compare(s.obs.Captures[x.Capture].SHA256, s.obs.Captures[y.Capture].SHA256),
				cmp.Compare(x.VLAN, y.VLAN), compareTimes(x.First, y.First), cmp.Compare(x.Example.Frame, y.Example.Frame),
				// A conversation that was turned round may meet its like in one capture.
				cmp.Compare(x.RoleBasis, y.RoleBasis), cmp.Compare(x.Bytes.Sent, y.Bytes.Sent), cmp.Compare(x.Bytes.Received, y.Bytes.Received))
		})
	}
	f.first = f.sights[0].conv
	f.protocolBasis, f.roleBasis = f.first.ProtocolBasis, f.first.RoleBasis
	f.outcome = outcomeOf(f.first)
	for _, x := range f.sights[1:] {
		f.protocolBasis = stronger(f.protocolBasis, x.conv.ProtocolBasis)
		f.roleBasis = stronger(f.roleBasis, x.conv.RoleBasis)
		f.outcome = further(f.outcome, outcomeOf(x.conv))
	}
	f.ops = s.operations(f, func(*sight, *capture.Operation) bool { return true })
}

// exchanged reports whether payload was seen both ways at one of a flow's sights.
func (f *judged) exchanged() bool {
	return slices.ContainsFunc(f.sights, func(x sight) bool { return x.conv.Payload.Sent > 0 && x.conv.Payload.Received > 0 })
}

func compareFlows(a, b *judged) int {
	x, y := a.first, b.first
	return cmp.Or(
		comparePeers(x.Client, y.Client),
		comparePeers(x.Server.Peer, y.Server.Peer),
		cmp.Compare(x.Transport, y.Transport),
		cmp.Compare(x.Server.Port, y.Server.Port),
		cmp.Compare(x.Protocol, y.Protocol),
		cmp.Compare(placeKey(a.client), placeKey(b.client)),
		cmp.Compare(placeKey(a.server), placeKey(b.server)),
	)
}

func comparePeers(a, b capture.Peer) int {
	if a.IP.IsValid() && b.IP.IsValid() {
		return a.IP.Compare(b.IP)
	}
	return cmp.Or(a.IP.Compare(b.IP), slices.Compare(a.MAC[:], b.MAC[:]))
}

func compareTimes(a, b capture.Time) int { return cmp.Compare(a.UnixNano(), b.UnixNano()) }

// bases lists the bases of protocols and roles, strongest first.
var bases = []capture.Basis{capture.Handshake, capture.Content, capture.Port, capture.Guess, capture.NotKnown}

func stronger(a, b capture.Basis) capture.Basis {
	if slices.Index(bases, b) < slices.Index(bases, a) {
		return b
	}
	return a
}

// outcomeOf returns how far a conversation came.
func outcomeOf(c *capture.Conversation) Outcome {
	switch {
	case c.State.Answered+c.State.Established > 0:
		return Answered
	case c.Payload.Sent > 0 && c.Payload.Received > 0:
		return Answered
	case c.State.Refused > 0:
		return Rejected
	case c.Transport == capture.TCP && c.Payload.Sent+c.Payload.Received == 0:
		return Attempted
	}
	return OneWay
}

func further(a, b Outcome) Outcome {
	order := []Outcome{Answered, OneWay, Rejected, Attempted}
	if slices.Index(order, b) < slices.Index(order, a) {
		return b
	}
	return a
}

// locateEnds says where the ends of a conversation belong. What is sent to a
// multicast or broadcast address belongs to the sender's segment, unless it was
// seen at a tap that sees other zones only.
func (s *scene) locateEnds(c *capture.Conversation) (client, server zones.Location, cast bool) {
	client = s.locate(c, c.Client)
	if s.isCast(c, client) {
		if z := s.beyond(client, s.taps[c.Capture]); z != nil {
			return client, zones.Location{Zone: z, Position: z.Position}, true
		}
		return client, segment(client, zones.Location{}), true
	}
	server = s.locate(c, c.Server.Peer)
	if c.Transport == capture.L2 {
		client, server = s.onOneLink(c, client, server)
	}
	return client, server, false
}

// onOneLink settles where the ends of a conversation straight on the link are. A
// host that nothing locates is on the segment of the other. What a host says to its
// gateway there does not leave its segment. Neither does address resolution, which
// serves whatever the conduit between two zones on one link permits, unless that
// is one-way.
func (s *scene) onOneLink(c *capture.Conversation, client, server zones.Location) (_, _ zones.Location) {
	switch {
	case client.Zone == zones.Unassigned, client.Conduit != "" && server.Zone != nil:
		return segment(server, client), server
	case server.Zone == zones.Unassigned, server.Conduit != "" && client.Zone != nil:
		return client, segment(client, server)
	case c.Protocol == capture.ARP && client.Zone != nil && server.Zone != nil:
		for _, joining := range s.model.Graph.Between(client.Zone.ID, server.Zone.ID) {
			if joining.Status == conduits.Approved && joining.OneWay == nil {
				return client, segment(client, server)
			}
		}
	}
	return client, server
}

// locate says where an end of a conversation belongs. An end without an IP address
// is where the address is that its MAC address was bound to, if nobody listed it.
func (s *scene) locate(c *capture.Conversation, p capture.Peer) zones.Location {
	l := s.model.Locator.Locate(zones.Sighting{IP: p.IP, MAC: p.MAC, VLAN: c.VLAN, Tap: s.tapID(c.Capture)})
	if l.Zone == zones.Unassigned && (!p.IP.IsValid() || p.IP.IsUnspecified()) {
		if bound, ok := s.bound[linkAddress{c.Capture, c.VLAN, p.MAC}]; ok {
			return bound
		}
	}
	return l
}

// linkAddress is a MAC address on a segment.
type linkAddress struct {
	capture int
	vlan    uint16
	mac     mac.Addr
}

// bindings returns where MAC addresses belong by the IP addresses that ARP and
// neighbour discovery bind them to. One that is bound in several places, as a
// router's is, is left out.
func (s *scene) bindings() map[linkAddress]zones.Location {
	out := make(map[linkAddress]zones.Location)
	several := make(map[linkAddress]bool)
	for i := range s.obs.Endpoints {
		e := &s.obs.Endpoints[i]
		if !e.ARP || !e.IP.IsValid() || e.MAC.IsZero() || e.MAC.IsGroup() {
			continue
		}
		l := s.model.Locator.Locate(zones.Sighting{IP: e.IP, MAC: e.MAC, VLAN: e.VLAN, Tap: s.tapID(e.Capture)})
		if l.ID() == "" || l.Zone != nil && l.Zone.IsBuiltIn() {
			continue
		}
		at := linkAddress{e.Capture, e.VLAN, e.MAC}
		if have, ok := out[at]; ok && (have.ID() != l.ID() || have.Asset != l.Asset) {
			several[at] = true
		}
		out[at] = l
	}
	for at := range several {
		delete(out, at)
	}
	return out
}

// segment returns the location of a host on the segment of l, as the asset that it
// is known to be, if it is one.
func segment(l, host zones.Location) zones.Location {
	l.Asset = host.Asset
	return l
}

// isCast reports whether a conversation is addressed to a group of hosts.
func (s *scene) isCast(c *capture.Conversation, client zones.Location) bool {
	ip := c.Server.IP
	if c.Server.MAC.IsGroup() {
		return true
	}
	if !ip.IsValid() {
		return false
	}
	if ip.IsMulticast() || ip == netip.AddrFrom4([4]byte{255, 255, 255, 255}) {
		return true
	}
	// A directed broadcast whose link address is not known.
	return c.Server.MAC.IsZero() && c.Packets.Received == 0 && s.broadcasts[zoneAddress{client.Zone, ip}]
}

// zoneAddress is an address as a zone uses it.
type zoneAddress struct {
	zone *zones.Zone
	addr netip.Addr
}

// broadcastsOf lists the directed broadcast addresses of the zones' networks.
func broadcastsOf(zs []*zones.Zone) map[zoneAddress]bool {
	out := make(map[zoneAddress]bool)
	for _, z := range zs {
		for _, n := range z.Networks {
			if n.Prefix.Addr().Is4() && n.Prefix.Bits() < 31 { // RFC 3021: a /31 has none
				out[zoneAddress{z, lastAddress(n.Prefix)}] = true
			}
		}
	}
	return out
}

func lastAddress(p netip.Prefix) netip.Addr {
	a := p.Masked().Addr().As4()
	for bit := p.Bits(); bit < 32; bit++ {
		a[bit/8] |= 0x80 >> (bit % 8)
	}
	return netip.AddrFrom4(a)
}

// beyond returns the zone into which a frame from a sender came that was seen at a
// tap: the one zone that the tap sees, if that is another than the sender's and
// the tap sees no conduit of the sender's zone. Otherwise it returns nil.
func (s *scene) beyond(sender zones.Location, tap *model.Tap) *zones.Zone {
	if tap == nil || sender.Zone == nil || sender.Zone.IsBuiltIn() {
		return nil
	}
	var seen *zones.Zone
	for _, id := range tap.Sees {
		if n := s.model.Graph.Conduit(id); n != nil {
			if n.Conduit.Joined(sender.Zone.ID) {
				return nil
			}
			continue
		}
		z := s.zones[id]
		if z == nil || z == sender.Zone || seen != nil {
			return nil
		}
		seen = z
	}
	return seen
}

// crosses reports whether two places differ. A link-local address never leaves
// its segment, so it is on that of the other end.
func crosses(client, server zones.Location) bool {
	if client.Zone == zones.LinkLocal || server.Zone == zones.LinkLocal {
		return false
	}
	return client.ID() != server.ID()
}

// reconciled returns the conversations with their roles set right: one whose role
// was a guess is turned round if another capture shows its client to be the server
// of the other end.
func (s *scene) reconciled() []*capture.Conversation {
	out := make([]*capture.Conversation, len(s.obs.Conversations))
	guesses := false
	for i := range s.obs.Conversations {
		out[i] = &s.obs.Conversations[i]
		guesses = guesses || out[i].RoleBasis == capture.Guess
	}
	if !guesses {
		return out
	}
	// The protocol is left out: mid-stream bytes may not have shown it.
	type service struct {
		client, server netip.Addr
		transport      capture.Transport
		port           uint16
	}
	sure := make(map[service]capture.Protocol)
	for _, c := range out {
		if c.RoleBasis != capture.Guess && c.Client.IP.IsValid() && c.Server.IP.IsValid() {
			key := service{c.Client.IP, c.Server.IP, c.Transport, c.Server.Port}
			if have, ok := sure[key]; !ok || c.Protocol < have {
				sure[key] = c.Protocol
			}
		}
	}
	for i, c := range out {
		if c.RoleBasis != capture.Guess {
			continue
		}
		port, ok := clientPort(c.Example.FiveTuple)
		if !ok {
			continue
		}
		if protocol, ok := sure[service{c.Server.IP, c.Client.IP, c.Transport, port}]; ok {
			out[i] = turned(c, port, protocol)
		}
	}
	return out
}

// clientPort returns the client's port of an example's five-tuple,
// "tcp 10.1.2.7:49152 10.1.3.5:502".
func clientPort(fiveTuple string) (uint16, bool) {
	parts := strings.Fields(fiveTuple)
	if len(parts) != 3 {
		return 0, false
	}
	_, digits, ok := cutLast(parts[1], ":")
	n, err := strconv.ParseUint(digits, 10, 16)
	return uint16(n), ok && err == nil
}

func cutLast(s, sep string) (before, after string, found bool) {
	i := strings.LastIndex(s, sep)
	if i < 0 {
		return s, "", false
	}
	return s[:i], s[i+len(sep):], true
}

// turned returns a conversation with its ends exchanged.
func turned(c *capture.Conversation, port uint16, protocol capture.Protocol) *capture.Conversation {
	t := *c
	t.Client, t.Server = c.Server.Peer, capture.Server{Peer: c.Client, Port: port}
	t.RoleBasis = capture.Content // another capture's bytes say so
	if t.ProtocolBasis != capture.Content {
		t.Protocol = protocol
	}
	t.Packets = capture.Volume{Sent: c.Packets.Received, Received: c.Packets.Sent}
	t.Bytes = capture.Volume{Sent: c.Bytes.Received, Received: c.Bytes.Sent}
	t.Payload = capture.Volume{Sent: c.Payload.Received, Received: c.Payload.Sent}
	t.Links = slices.Clone(c.Links)
	for i, l := range t.Links {
		t.Links[i] = capture.Link{ClientMAC: l.ServerMAC, ServerMAC: l.ClientMAC, ClientTTL: l.ServerTTL, ServerTTL: l.ClientTTL, Count: l.Count}
	}
	t.Operations = slices.Clone(c.Operations)
	for i := range t.Operations {
		t.Operations[i].From = t.Operations[i].From.Other()
	}
	return &t
}
