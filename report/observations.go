package report

import (
	"cmp"
	"fmt"
	"io"
	"net"
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"bulkhead/capture"
)

// maxConversations bounds what is listed of one protocol.
const maxConversations = 20

// ObservationsText writes what captures show: their ledgers, then the
// conversations by protocol, those that change most in a plant first.
func ObservationsText(w io.Writer, o *capture.Observations, opts Options) error {
	p := newPage(w, opts)
	p.line("%s", p.paint(bold, fmt.Sprintf("%s, %s, %s", plural(len(o.Captures), "capture"), plural(len(o.Conversations), "conversation"), plural(len(o.Endpoints), "endpoint"))))
	if len(o.Captures) > 0 {
		p.heading("CAPTURES", "what became of every frame")
		for i, c := range o.Captures {
			if i == maxRows {
				p.more(2, len(o.Captures)-i, "captures")
				break
			}
			span := ""
			if !c.First.IsZero() {
				span = between(c.First.UTC(), c.Last.UTC())
			}
			p.capture(c, span)
		}
	}
	for _, g := range byProtocol(o.Conversations) {
		p.conversations(g, len(o.Captures) > 1)
	}
	p.folded(o.Folded, len(o.Captures) > 1)
	return p.close()
}

// folded writes what found no room as a conversation, the most packets first.
func (p *page) folded(list []capture.Folded, several bool) {
	if len(list) == 0 {
		return
	}
	connections := uint64(0)
	most := make([]*capture.Folded, len(list))
	for i := range list {
		connections += list[i].Connections
		most[i] = &list[i]
	}
	slices.SortStableFunc(most, func(a, b *capture.Folded) int {
		return cmp.Compare(b.Packets.Sent+b.Packets.Received, a.Packets.Sent+a.Packets.Received)
	})
	p.heading("folded", plural(connections, "connection")+" beyond the limit of conversations, counted by the networks of both ends and by service")
	rows := [][]string{{"clients", "servers", "service", "what"}}
	for i, f := range most {
		if i == maxConversations {
			break
		}
		service := string(f.Transport)
		if f.Port != 0 {
			service += "/" + strconv.Itoa(int(f.Port))
		}
		what := fmt.Sprintf("%s, %s", plural(f.Connections, "connection"), plural(f.Packets.Sent+f.Packets.Received, "packet"))
		if f.State.Answered > 0 {
			what += fmt.Sprintf(", %d answered", f.State.Answered)
		}
		if f.Tunnel != "" {
			what += "; in " + safe(f.Tunnel)
		}
		if several {
			what += fmt.Sprintf("; capture %d", f.Capture+1)
		}
		rows = append(rows, []string{network(f.Client), network(f.Server), service, what})
	}
	p.table(2, []int{43, 43, 14, 0}, rows)
	if n := len(most) - maxConversations; n > 0 {
		p.more(2, n, "rows")
	}
}

func network(n netip.Prefix) string {
	if !n.IsValid() {
		return "on the link"
	}
	return n.String()
}

// protocolGroup is the conversations of one protocol, the weightiest first.
type protocolGroup struct {
	protocol capture.Protocol
	list     []*capture.Conversation
	weight   int
	classes  map[capture.Class]*outcome
}

// outcome counts operations of one class by how they were answered.
type outcome struct{ count, accepted, refused, unanswered uint64 }

func (o *outcome) add(op *capture.Operation) {
	o.count += op.Count
	o.accepted += op.Accepted
	o.refused += op.Refused
	o.unanswered += op.Unanswered
}

func (o *outcome) String() string {
	var parts []string
	if o.refused > 0 {
		parts = append(parts, fmt.Sprintf("%d refused", o.refused))
	}
	if o.unanswered > 0 {
		parts = append(parts, fmt.Sprintf("%d unanswered", o.unanswered))
	}
	if len(parts) == 0 {
		return fmt.Sprint(o.count)
	}
	return fmt.Sprintf("%d (%s)", o.count, strings.Join(parts, ", "))
}

// weightiest lists the classes by what they do to a plant, the gravest first.
var weightiest = []capture.Class{capture.Firmware, capture.Program, capture.Mode, capture.Control, capture.Write, capture.Configure, capture.File,
	capture.Read, capture.Event, capture.Diagnose, capture.Discover, capture.Session, capture.Reply}

// weight is higher the more a conversation does to a plant; a secret that could
// be read outweighs all.
func weight(c *capture.Conversation) int {
	w := 0
	for i := range c.Operations {
		if k := slices.Index(weightiest, c.Operations[i].Class); k >= 0 {
			w = max(w, len(weightiest)-k)
		}
	}
	for _, a := range c.Security.Auth {
		if a.Readable {
			w = max(w, len(weightiest)+1)
		}
	}
	return w
}

func byProtocol(list []capture.Conversation) []*protocolGroup {
	byName := map[capture.Protocol]*protocolGroup{}
	var groups []*protocolGroup
	weights := make(map[*capture.Conversation]int, len(list))
	for i := range list {
		c := &list[i]
		g := byName[c.Protocol]
		if g == nil {
			g = &protocolGroup{protocol: c.Protocol, classes: map[capture.Class]*outcome{}}
			byName[c.Protocol] = g
			groups = append(groups, g)
		}
		g.list = append(g.list, c)
		weights[c] = weight(c)
		g.weight = max(g.weight, weights[c])
		sumClasses(c, g.classes)
	}
	for _, g := range groups {
		slices.SortStableFunc(g.list, func(a, b *capture.Conversation) int {
			return cmp.Or(cmp.Compare(weights[b], weights[a]), cmp.Compare(b.Packets.Sent+b.Packets.Received, a.Packets.Sent+a.Packets.Received))
		})
	}
	slices.SortFunc(groups, func(a, b *protocolGroup) int {
		return cmp.Or(cmp.Compare(b.weight, a.weight), cmp.Compare(len(b.list), len(a.list)), cmp.Compare(a.protocol, b.protocol))
	})
	return groups
}

func sumClasses(c *capture.Conversation, into map[capture.Class]*outcome) {
	for i := range c.Operations {
		op := &c.Operations[i]
		if into[op.Class] == nil {
			into[op.Class] = &outcome{}
		}
		into[op.Class].add(op)
	}
}

// classWords sums operations up by class, the gravest first; the dialogue's own
// only where there is nothing else.
func classWords(classes map[capture.Class]*outcome) string {
	var parts, dialogue []string
	for _, class := range weightiest {
		o := classes[class]
		switch {
		case o == nil:
		case class.IsDialogue():
			dialogue = append(dialogue, fmt.Sprintf("%s %s", class, o))
		default:
			parts = append(parts, fmt.Sprintf("%s %s", class, o))
		}
	}
	if len(parts) == 0 {
		parts = dialogue
	}
	return strings.Join(parts, ", ")
}

func (p *page) conversations(g *protocolGroup, several bool) {
	name := cut(string(g.protocol), 32)
	if info := g.protocol.Info(); info != nil && !strings.EqualFold(info.Title, name) {
		name += " (" + info.Title + ")"
	}
	remark := plural(len(g.list), "conversation")
	if text := classWords(g.classes); text != "" {
		remark += ": " + text
	}
	p.heading(name, remark)
	rows := [][]string{{"client", "server", "state", "what"}}
	for i, c := range g.list {
		if i == maxConversations {
			break
		}
		client := peer(c.Client)
		if c.VLAN != 0 {
			client += fmt.Sprintf(" vlan %d", c.VLAN)
		}
		rows = append(rows, []string{client, server(c), stateWords(c), what(c, several)})
	}
	p.table(2, []int{40, 46, 14, 0}, rows)
	if n := len(g.list) - maxConversations; n > 0 {
		p.more(2, n, "conversations of "+cut(string(g.protocol), 32))
	}
}

func peer(x capture.Peer) string {
	if x.IP.IsValid() {
		return x.IP.String()
	}
	return x.MAC.String()
}

func server(c *capture.Conversation) string {
	s := peer(c.Server.Peer)
	switch {
	case c.Transport == capture.L2:
		return fmt.Sprintf("%s l2/0x%04x", s, c.Server.Port)
	case c.Server.Port == 0:
		return s + " " + cut(string(c.Transport), 8)
	}
	return net.JoinHostPort(s, strconv.Itoa(int(c.Server.Port))) + "/" + cut(string(c.Transport), 8)
}

// stateWords says how far the conversation came at best.
func stateWords(c *capture.Conversation) string {
	switch {
	case c.State.Answered > 0:
		return "answered"
	case c.State.Established > 0:
		return "established"
	case c.State.Refused > 0:
		return "refused"
	}
	return "attempted"
}

// what says what was asked for, what is unsure, and which secrets were readable.
func what(c *capture.Conversation, several bool) string {
	classes := map[capture.Class]*outcome{}
	sumClasses(c, classes)
	var parts []string
	if text := classWords(classes); text != "" {
		parts = append(parts, text)
	} else {
		parts = append(parts, plural(c.Packets.Sent+c.Packets.Received, "packet"))
	}
	for _, a := range c.Security.Auth {
		if a.Readable {
			parts = append(parts, fmt.Sprintf("READABLE %s of %s in frame %d", safe(a.Kind), plural(a.Length, "byte"), a.Frame))
		}
	}
	for _, t := range c.Security.TLS {
		parts = append(parts, "TLS "+safe(t.Version))
		break
	}
	switch c.ProtocolBasis {
	case capture.Port:
		parts = append(parts, "protocol by port alone")
	case capture.Guess:
		parts = append(parts, "protocol guessed")
	}
	if c.RoleBasis == capture.Guess {
		parts = append(parts, "roles guessed")
	}
	if c.Undecoded > 0 {
		parts = append(parts, plural(c.Undecoded, "PDU")+" not decoded")
	}
	if c.LostBytes > 0 {
		parts = append(parts, plural(c.LostBytes, "byte")+" missing")
	}
	if c.ContradictedBytes > 0 {
		parts = append(parts, plural(c.ContradictedBytes, "byte")+" sent twice with another content")
	}
	if c.Tunnel != "" {
		parts = append(parts, "in "+safe(c.Tunnel))
	}
	if several {
		parts = append(parts, fmt.Sprintf("capture %d", c.Capture+1))
	}
	return strings.Join(parts, "; ")
}
