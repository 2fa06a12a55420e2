package observe

import (
	"cmp"
	"fmt"
	"net/netip"
	"slices"

	"bulkhead/capture"
	"bulkhead/capture/packet"
	"bulkhead/capture/protocol"
	"bulkhead/internal/mac"
)

// conv is a conversation. Its two sides are client and server; end a of its key
// is the client, and has no port.
type conv struct {
	key           flowKey
	protocol      capture.Protocol
	hash          uint64 // of key
	place         int
	added         uint64 // how many were before it, plus 1
	vlan          uint16
	vlans         vlans
	heard         [2]*endpoint
	protocolBasis capture.Basis
	roleBasis     capture.Basis
	attempt       bool // nothing came back so far
	open          int  // connections that point here

	states               [4]uint64
	lost, contradicted   uint64
	duplicates           uint64
	packets, bytes, load [2]uint64
	first, last          capture.Time
	links                []capture.Link
	protection           capture.Protection
	frame                uint64 // of the example
	clientPort           uint16 // of the example
	icmp                 [2]uint8
	tally                *protocol.Tally
}

// state is how far a connection came, in ascending order.
type state uint8

const (
	attempted state = iota
	refused
	established
	answered
)

// count returns the tally of v, made when it is first needed: a scan needs none.
func (v *conv) count(room *protocol.Room) *protocol.Tally {
	if v.tally == nil {
		v.tally = protocol.NewTally(room)
	}
	return v.tally
}

// convs is the table of conversations.
type convs struct {
	index    table
	places   []*conv // nil where one was folded
	free     []int   // those places
	live     int
	added    uint64
	attempts []attempt // what began as one, the oldest first; some are none any more
	waiting  int       // how many of the conversations are attempts
}

// attempt is a conversation to which nothing had come back when it was added.
type attempt struct {
	place int
	added uint64
}

// is reports whether a conversation is still the attempt that it was.
func (t *convs) is(a attempt) (v *conv, still bool) {
	v = t.places[a.place]
	return v, v != nil && v.attempt && v.added == a.added
}

func (t *convs) add(v *conv) {
	if n := len(t.free); n > 0 {
		v.place, t.free = t.free[n-1], t.free[:n-1]
		t.places[v.place] = v
	} else {
		v.place = len(t.places)
		t.places = append(t.places, v)
	}
	t.live++
	t.index.add(v.hash, v.place)
	t.added++
	v.added = t.added
	if v.attempt {
		t.waiting++
		if len(t.attempts) > 2*t.waiting+minSlots {
			t.attempts = slices.DeleteFunc(t.attempts, func(a attempt) bool { _, still := t.is(a); return !still })
		}
		t.attempts = append(t.attempts, attempt{v.place, v.added})
	}
}

func (t *convs) remove(v *conv) {
	t.index.remove(v.hash, v.place)
	t.places[v.place] = nil
	t.free = append(t.free, v.place)
	t.live--
	if v.attempt {
		t.waiting--
	}
}

// find returns the conversation with a key and protocol whose VLANs agree with
// those that were heard, or nil.
func (t *convs) find(k *flowKey, hash uint64, name capture.Protocol, heard vlans) *conv {
	var best *conv
	for at := t.index.probe(hash); ; {
		place, ok := t.index.next(&at)
		if !ok {
			return best
		}
		v := t.places[place]
		if v.key != *k || v.protocol != name {
			continue
		}
		switch id := heard.id(); {
		case v.vlan == id:
			return v
		case best == nil && (v.vlan == 0 || id == 0) && v.vlans.agree(heard):
			best = v
		}
	}
}

// agree reports whether no direction was heard on two VLANs.
func (v vlans) agree(w vlans) bool {
	for side := range v {
		if v[side] != notHeard && w[side] != notHeard && v[side] != w[side] {
			return false
		}
	}
	return true
}

// oldestAttempt returns the attempt that began first and that no connection
// points to, which may yet be answered; nil if there is none.
func (t *convs) oldestAttempt() *conv {
	for len(t.attempts) > 0 {
		if _, still := t.is(t.attempts[0]); still {
			break
		}
		t.attempts = t.attempts[1:]
	}
	for _, a := range t.attempts {
		if v, still := t.is(a); still && v.open == 0 {
			return v
		}
	}
	return nil
}

// settle finds the conversation that c belongs to. The client is known. If there
// is no room, c.conv stays nil.
func (s *shard) settle(c *conn) {
	name, basis := s.name(c)
	client, server := int(c.client), int(1-c.client)
	k := c.key
	if client == 1 {
		k.aHigh, k.aLow, k.bHigh, k.bLow = k.bHigh, k.bLow, k.aHigh, k.aLow
	}
	k.aPort, k.bPort = 0, c.key.port(server)
	hash := k.hash(s.seeds)
	heard := vlans{c.vlans[client], c.vlans[server]}
	v := s.convs.find(&k, hash, name, heard)
	if v == nil {
		v = &conv{
			key: k, hash: hash, protocol: name, vlan: heard.id(), vlans: heard,
			protocolBasis: basis, roleBasis: c.roleBasis, attempt: c.state() < established,
			frame: c.frame, clientPort: c.key.port(client), icmp: c.icmp,
		}
		if !s.makeRoom(v.attempt, c.stage == found) {
			return
		}
		s.convs.add(v)
	}
	v.protocolBasis = stronger(v.protocolBasis, basis)
	v.roleBasis = stronger(v.roleBasis, c.roleBasis)
	c.conv = v
	v.open++
	for side := range heard {
		s.tagged(v, side, heard[side])
	}
}

// makeRoom reports whether there is room for one more conversation. What was
// answered takes the place of the oldest attempt, and so does an attempt that may
// yet be answered; one that will not be finds room or none.
func (s *shard) makeRoom(attempt, open bool) bool {
	t, most := &s.convs, s.limits.conversations
	full := t.live >= most || attempt && t.waiting >= (most+1)/2
	if !full {
		return true
	}
	s.limited("conversations", most)
	if attempt && !open {
		return false
	}
	old := t.oldestAttempt()
	if old == nil {
		return false
	}
	s.foldConv(old)
	t.remove(old)
	return true
}

// tagged notes the VLAN of one direction of v. If it settles the VLAN of the
// whole, that is v's, unless another conversation has it already.
func (s *shard) tagged(v *conv, side int, vlan int32) {
	if vlan == notHeard || v.vlans[side] != notHeard {
		return
	}
	v.vlans[side] = vlan
	id := v.vlans.id()
	if id == v.vlan {
		return
	}
	for at := s.convs.index.probe(v.hash); ; {
		place, ok := s.convs.index.next(&at)
		if !ok {
			break
		}
		if o := s.convs.places[place]; o.key == v.key && o.protocol == v.protocol && o.vlan == id {
			return
		}
	}
	v.vlan = id
}

// strength orders bases, the strongest last.
func strength(b capture.Basis) int {
	switch b {
	case capture.Handshake:
		return 4
	case capture.Content:
		return 3
	case capture.Port:
		return 2
	case capture.Guess:
		return 1
	}
	return 0
}

func stronger(a, b capture.Basis) capture.Basis {
	if a != b && strength(b) > strength(a) {
		return b
	}
	return a
}

// name returns what c speaks. What no recogniser knew is named by the server's
// port, unless the protocol of that port has a recogniser that saw the start and
// said no.
func (s *shard) name(c *conn) (capture.Protocol, capture.Basis) {
	switch {
	case c.proto != nil:
		return c.proto.Name, capture.Content
	case c.tunnel != packet.None:
		return capture.Protocol(c.tunnel.String()), capture.Content
	}
	switch c.key.carrier {
	case overICMP:
		return capture.ICMP, capture.Content
	case overLink:
		if p, ok := linkProtocols[c.key.aPort]; ok {
			return p, capture.Content
		}
		return capture.Unknown, capture.NotKnown
	case overTCP, overUDP:
		p := capture.ByPort(transports[c.key.carrier], c.key.port(int(1-c.client)))
		if p == capture.Unknown {
			break
		}
		spoke := c.payload(0) > 0 || c.payload(1) > 0
		if spoke && s.registry[c.key.carrier].named(p)&c.rejected != 0 {
			break
		}
		return p, capture.Port
	}
	return capture.Unknown, capture.NotKnown
}

// close ends a connection and adds it to its conversation, or to the folded ones.
// Its place is free then.
func (s *shard) close(c *conn) {
	if c.tcp != nil {
		s.finishTCP(c)
	}
	if c.search != nil {
		s.giveUp(c, c.search)
	}
	c.setRole(protocol.AnyRole, int(c.opener))
	for side := range c.heard {
		c.tellEndpoint(&c.heard[side])
	}
	if c.conv == nil && c.stage != found {
		s.settle(c)
	}
	if v := c.conv; v != nil {
		if v.attempt && c.state() >= established {
			v.attempt = false
			s.convs.waiting--
		}
		v.add(c)
		v.open--
	} else {
		s.foldConn(c)
	}
	if c.decoder != nil {
		c.exchange.Close()
	}
	if c.tcp != nil {
		s.freeTCP(c)
	}
	s.conns.forget(c)
	c.alive = false
}

// state tells how far c came.
func (c *conn) state() state {
	s := attempted
	client, server := int(c.client), int(1-c.client)
	switch {
	case c.tcp != nil:
		s = c.tcp.state(client)
	case c.carriesUnits() && c.load[client] > 0 && c.load[server] > 0:
		s = answered
	case !c.carriesUnits() && c.packets[client] > 0 && c.packets[server] > 0:
		s = answered
	case c.packets[server] > 0:
		s = established
	}
	if s == attempted && c.refused {
		s = refused
	}
	return s
}

// carriesUnits reports whether payload makes an answer; elsewhere every packet
// is one.
func (c *conn) carriesUnits() bool { return c.key.carrier == overUDP || c.key.carrier == overSCTP }

// add counts a connection that ended.
func (v *conv) add(c *conn) {
	v.states[c.state()]++
	v.duplicates += c.duplicates
	v.contradicted += c.contradicted
	for side := range 2 {
		from := int(c.client) ^ side
		v.packets[side] += c.packets[from]
		v.bytes[side] += c.bytes[from]
		v.load[side] += c.payload(from)
		if c.tcp != nil {
			v.lost += c.tcp.sides[from].Lost()
			v.contradicted += c.tcp.sides[from].Contradicted()
		}
		if v.heard[side] == nil {
			v.heard[side] = c.heard[from].endpoint
		}
	}
	v.first, v.last = v.first.Earliest(c.first), v.last.Latest(c.last)
	if c.frame < v.frame {
		v.frame, v.clientPort, v.icmp = c.frame, c.key.port(int(c.client)), c.icmp
	}
	for _, l := range c.links {
		v.addLink(capture.Link{
			ClientMAC: l.mac[c.client], ServerMAC: l.mac[1-c.client],
			ClientTTL: l.ttl[c.client], ServerTTL: l.ttl[1-c.client], Count: l.count,
		})
	}
	if c.payload(0)+c.payload(1) > 0 {
		v.protect(c)
	}
}

// addLink folds a link into those that agree with it.
func (v *conv) addLink(l capture.Link) {
	fits := func(a, b uint8) bool { return a == b || a == 0 || b == 0 }
	for i := range v.links {
		k := &v.links[i]
		if k.ClientMAC == l.ClientMAC && k.ServerMAC == l.ServerMAC && fits(k.ClientTTL, l.ClientTTL) && fits(k.ServerTTL, l.ServerTTL) {
			k.ClientTTL, k.ServerTTL = max(k.ClientTTL, l.ClientTTL), max(k.ServerTTL, l.ServerTTL)
			k.Count += l.Count
			return
		}
	}
	if len(v.links) < capture.MaxLinks {
		v.links = append(v.links, l)
	}
}

// protect counts how the payload of c was protected.
func (v *conv) protect(c *conn) {
	degree := protocol.Clear
	switch {
	case c.proto != nil && c.decoder != nil:
		degree = c.exchange.Protection(c.proto.Protection)
	case c.proto != nil:
		degree = c.proto.Protection
	case c.key.carrier == overICMP, c.key.carrier == overLink && linkProtocols[c.key.aPort] != "":
	default:
		v.protection.Unknown++
		return
	}
	switch degree {
	case protocol.Encrypted:
		v.protection.Encrypted++
	case protocol.Integrity:
		v.protection.Integrity++
	default:
		v.protection.None++
	}
}

// export returns v as it is handed on.
func (v *conv) export() capture.Conversation {
	slices.SortStableFunc(v.links, func(a, b capture.Link) int {
		return cmp.Or(cmp.Compare(b.Count, a.Count), slices.Compare(a.ClientMAC[:], b.ClientMAC[:]), slices.Compare(a.ServerMAC[:], b.ServerMAC[:]),
			cmp.Compare(a.ClientTTL, b.ClientTTL), cmp.Compare(a.ServerTTL, b.ServerTTL))
	})
	port := v.key.bPort
	out := capture.Conversation{
		VLAN:              v.vlan,
		Client:            capture.Peer{IP: v.key.addr(0)},
		Server:            capture.Server{Peer: capture.Peer{IP: v.key.addr(1)}, Port: port},
		Transport:         transports[v.key.carrier],
		Protocol:          v.protocol,
		ProtocolBasis:     v.protocolBasis,
		RoleBasis:         v.roleBasis,
		State:             v.state(),
		Connections:       v.connections(),
		Packets:           capture.Volume{Sent: v.packets[0], Received: v.packets[1]},
		Bytes:             capture.Volume{Sent: v.bytes[0], Received: v.bytes[1]},
		Payload:           capture.Volume{Sent: v.load[0], Received: v.load[1]},
		LostBytes:         v.lost,
		ContradictedBytes: v.contradicted,
		Duplicates:        v.duplicates,
		First:             v.first,
		Last:              v.last,
		Links:             v.links,
		Operations:        []capture.Operation{},
		Protection:        v.protection,
		Example:           capture.Example{Frame: v.frame},
	}
	if len(v.links) > 0 {
		out.Client.MAC, out.Server.MAC = v.links[0].ClientMAC, v.links[0].ServerMAC
	}
	out.Example.FiveTuple = v.fiveTuple(out.Client.MAC, out.Server.MAC)
	if v.key.carrier != overLink {
		out.Example.CommunityID = communityID(v.tuple())
	}
	if v.tally != nil {
		v.tally.Fill(&out)
	}
	return out
}

func (v *conv) state() capture.State {
	return capture.State{Attempted: v.states[attempted], Refused: v.states[refused], Established: v.states[established], Answered: v.states[answered]}
}

func (v *conv) connections() (n uint64) {
	for _, s := range v.states {
		n += s
	}
	return n
}

// tuple is that of the example.
func (v *conv) tuple() tuple {
	t := tuple{src: v.key.addr(0), dst: v.key.addr(1), srcPort: v.clientPort, dstPort: v.key.bPort}
	switch v.key.carrier {
	case overTCP:
		t.proto = protoTCP
	case overUDP:
		t.proto = protoUDP
	case overSCTP:
		t.proto = protoSCTP
	case overICMP:
		t.proto = protoICMPv6
		if v.key.v4 {
			t.proto = protoICMP
		}
		t.srcPort, t.dstPort = uint16(v.icmp[0]), uint16(v.icmp[1])
	case overIP:
		t.proto, t.srcPort, t.dstPort = uint8(v.key.bPort), 0, 0
	}
	return t
}

// fiveTuple names the connection of the example, client first.
func (v *conv) fiveTuple(client, server mac.Addr) string {
	t := transports[v.key.carrier]
	switch v.key.carrier {
	case overTCP, overUDP, overSCTP:
		return fmt.Sprintf("%s %s %s", t, netip.AddrPortFrom(v.key.addr(0), v.clientPort), netip.AddrPortFrom(v.key.addr(1), v.key.bPort))
	case overLink:
		return fmt.Sprintf("%s 0x%04x %s %s", t, v.key.bPort, client, server)
	case overIP:
		return fmt.Sprintf("%s %d %s %s", t, v.key.bPort, v.key.addr(0), v.key.addr(1))
	}
	return fmt.Sprintf("%s %s %s", t, v.key.addr(0), v.key.addr(1))
}
