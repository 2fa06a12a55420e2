package observe

import (
	"cmp"
	"fmt"
	"net/netip"
	"slices"

	"bulkhead/capture"
	"bulkhead/capture/protocol"
	"bulkhead/internal/mac"
)

// convKey tells conversations apart. Straight on the link the addresses are
// MACs.
type convKey struct {
	clientHigh, clientLow, serverHigh, serverLow uint64
	port                                         uint16
	vlan                                         uint16
	carrier                                      carrier
	protocol                                     capture.Protocol
}

// conv is a conversation. Its two sides are client and server.
type conv struct {
	key           convKey
	vlans         vlans
	ip            [2]netip.Addr
	heard         [2]*endpoint
	protocolBasis capture.Basis
	roleBasis     capture.Basis

	states               [4]uint64
	connections, lost    uint64
	packets, bytes, load [2]uint64
	first, last          capture.Time
	links                []capture.Link
	protection           capture.Protection
	example              capture.Example
	tuple                tuple
	port, clientPort     uint16
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

// settle finds the conversation that c belongs to. The client is known. If there
// is no room, c.conv stays nil.
func (e *engine) settle(c *conn) {
	name, basis := e.name(c)
	client, server := c.client, 1-c.client
	k := convKey{port: c.key.port(server), vlan: c.vlans.id(), carrier: c.key.carrier, protocol: name}
	k.clientHigh, k.clientLow, k.serverHigh, k.serverLow = c.key.aHigh, c.key.aLow, c.key.bHigh, c.key.bLow
	if client == 1 {
		k.clientHigh, k.clientLow, k.serverHigh, k.serverLow = k.serverHigh, k.serverLow, k.clientHigh, k.clientLow
	}
	heard := vlans{c.vlans[client], c.vlans[server]}
	v := e.convs[k]
	if v == nil {
		v = e.joinConv(k, heard)
	}
	if v == nil {
		silent := c.packets[0] == 0 || c.packets[1] == 0
		switch {
		case len(e.order) >= e.limits.conversations:
			e.limited("conversations", e.limits.conversations)
			return
		case silent && e.silent >= e.limits.conversations/2:
			e.limited("conversations without an answer", e.limits.conversations/2)
			return
		case silent:
			e.silent++
		}
		v = &conv{
			key: k, vlans: heard, ip: [2]netip.Addr{c.addrs[client], c.addrs[server]},
			protocolBasis: basis, roleBasis: c.roleBasis, port: k.port,
			example: c.example, tuple: c.tuple, clientPort: c.key.port(client),
		}
		e.order = append(e.order, v)
		e.convs[k] = v
		e.alias(v)
	}
	v.protocolBasis = stronger(v.protocolBasis, basis)
	v.roleBasis = stronger(v.roleBasis, c.roleBasis)
	c.conv = v
	for side := range heard {
		e.tagged(v, side, heard[side])
	}
}

// joinConv finds a conversation whose VLAN is open, or leaves that of the
// connection open, because one direction was not heard.
func (e *engine) joinConv(k convKey, heard vlans) *conv {
	if k.vlan != 0 {
		k.vlan = 0
	} else {
		k.vlan = anyVLAN
	}
	v := e.convs[k]
	if v == nil {
		return nil
	}
	for side := range heard {
		if heard[side] != notHeard && v.vlans[side] != notHeard && heard[side] != v.vlans[side] {
			return nil
		}
	}
	return v
}

// tagged notes the VLAN of one direction of v. If it settles the VLAN of the
// whole, v moves to its new key, unless another conversation has that already.
func (e *engine) tagged(v *conv, side int, vlan int32) {
	if vlan == notHeard || v.vlans[side] != notHeard {
		return
	}
	v.vlans[side] = vlan
	k := v.key
	if k.vlan = v.vlans.id(); k == v.key || e.convs[k] != nil {
		return
	}
	delete(e.convs, v.key)
	v.key = k
	e.convs[k] = v
	e.alias(v)
}

// alias enters a tagged conversation so that an untagged connection finds it.
func (e *engine) alias(v *conv) {
	if k := v.key; k.vlan != 0 {
		k.vlan = anyVLAN
		e.convs[k] = v
	}
}

var strength = map[capture.Basis]int{capture.Handshake: 4, capture.Content: 3, capture.Port: 2, capture.Guess: 1, capture.NotKnown: 0}

func stronger(a, b capture.Basis) capture.Basis {
	if strength[b] > strength[a] {
		return b
	}
	return a
}

// name returns what c speaks. What no recogniser knew is named by the server's
// port, unless the protocol of that port has a recogniser that saw the start and
// said no.
func (e *engine) name(c *conn) (capture.Protocol, capture.Basis) {
	if c.proto != nil {
		return c.proto.Name, capture.Content
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
		p := capture.ByPort(transports[c.key.carrier], c.key.port(1-c.client))
		if p == capture.Unknown {
			break
		}
		spoke := c.payload(0) > 0 || c.payload(1) > 0
		if spoke && e.registry.named(p, c.key.carrier)&c.rejected != 0 {
			break
		}
		return p, capture.Port
	}
	return capture.Unknown, capture.NotKnown
}

// close ends a connection and adds it to its conversation, and its frames to the
// ledger. Its memory is the next connection's.
func (e *engine) close(c *conn) {
	if c.tcp != nil {
		e.finishTCP(c)
	}
	if c.search != nil {
		e.giveUp(c, c.search)
	}
	c.setRole(protocol.AnyRole, c.opener)
	if c.conv == nil && c.stage != found {
		e.settle(c)
	}
	total := c.packets[0] + c.packets[1]
	if c.conv == nil {
		e.ledger.add(ledgerLimited, "no room for another conversation", total)
	} else {
		e.ledger.add(ledgerState(c.outcome), c.detail, total-c.fragments)
		e.ledger.add(ledgerFragment, c.fragmentDetail, c.fragments)
		c.conv.add(c)
	}
	if c.exchange != nil {
		c.exchange.Close()
	}
	if c.tcp != nil {
		e.freeTCP(c)
	}
	e.spare = c
}

// state tells how far c came.
func (c *conn) state() state {
	s := attempted
	client, server := c.client, 1-c.client
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
	v.connections++
	v.states[c.state()]++
	for side := range 2 {
		from := c.client
		if side == 1 {
			from = 1 - c.client
		}
		v.packets[side] += c.packets[from]
		v.bytes[side] += c.bytes[from]
		v.load[side] += c.payload(from)
		if c.tcp != nil {
			v.lost += c.tcp.sides[from].Lost()
		}
		if v.heard[side] == nil {
			v.heard[side] = c.heard[from]
		}
	}
	v.first, v.last = v.first.Earliest(c.first), v.last.Latest(c.last)
	if c.example.Frame < v.example.Frame {
		v.example, v.tuple, v.clientPort = c.example, c.tuple, c.key.port(c.client)
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
	case c.proto != nil && c.exchange != nil:
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
	out := capture.Conversation{
		VLAN:          v.key.vlan,
		Client:        capture.Peer{IP: v.ip[0]},
		Server:        capture.Server{Peer: capture.Peer{IP: v.ip[1]}, Port: v.port},
		Transport:     transports[v.key.carrier],
		Protocol:      v.key.protocol,
		ProtocolBasis: v.protocolBasis,
		RoleBasis:     v.roleBasis,
		State:         capture.State{Attempted: v.states[attempted], Refused: v.states[refused], Established: v.states[established], Answered: v.states[answered]},
		Connections:   v.connections,
		Packets:       capture.Volume{Sent: v.packets[0], Received: v.packets[1]},
		Bytes:         capture.Volume{Sent: v.bytes[0], Received: v.bytes[1]},
		Payload:       capture.Volume{Sent: v.load[0], Received: v.load[1]},
		LostBytes:     v.lost,
		First:         v.first,
		Last:          v.last,
		Links:         v.links,
		Operations:    []capture.Operation{},
		Protection:    v.protection,
		Example:       v.example,
	}
	if len(v.links) > 0 {
		out.Client.MAC, out.Server.MAC = v.links[0].ClientMAC, v.links[0].ServerMAC
	}
	out.Example.FiveTuple = v.fiveTuple(out.Client.MAC, out.Server.MAC)
	if v.key.carrier != overLink {
		out.Example.CommunityID = communityID(v.tuple)
	}
	if v.tally != nil {
		v.tally.Fill(&out)
	}
	return out
}

// fiveTuple names the connection of the example, client first.
func (v *conv) fiveTuple(client, server mac.Addr) string {
	t := transports[v.key.carrier]
	switch v.key.carrier {
	case overTCP, overUDP, overSCTP:
		return fmt.Sprintf("%s %s %s", t, netip.AddrPortFrom(v.ip[0], v.clientPort), netip.AddrPortFrom(v.ip[1], v.port))
	case overLink:
		return fmt.Sprintf("%s 0x%04x %s %s", t, v.port, client, server)
	case overIP:
		return fmt.Sprintf("%s %d %s %s", t, v.port, v.ip[0], v.ip[1])
	}
	return fmt.Sprintf("%s %s %s", t, v.ip[0], v.ip[1])
}
