package conduits

import (
	"fmt"
	"slices"
	"time"

	"bulkhead/capture"
	"bulkhead/zones"
)

// Query is a flow that asks to pass.
type Query struct {
	Client, Server zones.Location
	Protocol       capture.Protocol
	Basis          capture.Basis // of Protocol
	Transport      capture.Transport
	Port           uint16 // the server's
	Operations     []capture.Operation
	// Protection is the weakest protection seen on its payload; Carried says
	// whether there was payload at all.
	Protection Protection
	Carried    bool
	// Sent and Received say whether bytes went from client to server and back
	// that a one-way conduit would not have let through: payload, or the reply to
	// a TCP SYN.
	Sent, Received bool
	// Active holds the minutes in which the flow is known to have been in use. It
	// is what windows are judged on if no operation says more.
	Active []capture.Run
	// Zone is the plant's time zone, in which windows are meant; ClockOffset is
	// how far the tap's clock is ahead.
	Zone        *time.Location
	ClockOffset time.Duration
}

// Reason says why a flow or an operation is denied. The order is that of the
// checks: of the channels that deny, the one that got furthest gives the reason.
type Reason string

// The reasons, in the order in which they are checked.
const (
	Permitted     Reason = ""
	NoConduit     Reason = "no-conduit"      // no conduit joins both zones
	NotApproved   Reason = "proposed"        // only conduits that are not approved do
	AgainstOneWay Reason = "one-way"         // bytes went against the conduit's direction
	NotVia        Reason = "via"             // neither end is the declared intermediary
	WrongProtocol Reason = "protocol"        // no channel names the protocol
	WrongPort     Reason = "port"            // no channel names the transport and port
	WrongWay      Reason = "direction"       // a channel would permit it the other way round
	WrongEnd      Reason = "endpoint"        // a channel permits it between other ends of the zones
	WrongClass    Reason = "class"           // no channel names the operation's class, code or objects
	OutsideWindow Reason = "window"          // outside every window of the channels that would permit it
	Unprotected   Reason = "protection"      // less protected than the channel asks
	NeedsProtocol Reason = "protocol-unsure" // the protocol is known by port alone, or not at all, and the answer hangs on it
)

// Decision is the answer to a Query. Of a permitted flow, Channel is the channel
// that permits it (of several, the first declared). Of a denied one, Reason is
// why, and Conduit and Channel are the ones that came closest, nil where none
// did.
type Decision struct {
	Permit   bool
	Reason   Reason
	Conduit  *Conduit
	Channel  *Channel
	Position zones.Position // the line that the answer rests on; zero for NoConduit
	// Detail is the reason in words, naming what was seen and what the model says.
	Detail string
	// Operations answers for each of the query's operations, in their order. It
	// is nil if the flow is denied before its operations matter.
	Operations []OperationDecision
}

// OperationDecision is the answer for one operation of a flow.
type OperationDecision struct {
	Operation *capture.Operation
	Permit    bool
	Reason    Reason // of WrongClass, OutsideWindow; Permitted otherwise
	Conduit   *Conduit
	Channel   *Channel
	// Detail is the reason in words, as a Decision's is.
	Detail string
	// Unnamed holds the operation's objects that Channel does not name; of
	// WrongClass only, and where its class and code are named.
	Unnamed []capture.ObjectRange
	// Outside holds the runs of minutes in which no window was open; of
	// OutsideWindow only.
	Outside []capture.Run
}

// Decide answers whether a flow may pass. The client and the server are in
// different zones, or one of them is a conduit's own asset; neither is ambiguous.
// Decide does not change the graph, so that any number of goroutines may ask.
//
// A conduit that joins both zones is looked for first, or, if an end is a
// conduit's own asset, that conduit. Of those that are approved, the channels are
// checked in the order of the reasons; each operation needs a channel that names
// it, and each of its minutes one whose window is open. What one conduit does not
// permit, a parallel one may.
//
// If the protocol is not known from the bytes, a channel that names a protocol
// neither permits nor denies: where no other channel permits the flow, the answer
// is NeedsProtocol. A flow that carried nothing is taken at its port's word.
func (g *Graph) Decide(q Query) Decision {
	var buf [8]*Conduit
	joining := g.joining(buf[:0], q.Client, q.Server)
	if len(joining) == 0 {
		return Decision{Reason: NoConduit, Detail: fmt.Sprintf("no conduit joins %q and %q", q.Client.ID(), q.Server.ID())}
	}
	d := deciding{q: &q}
	for _, c := range joining {
		d.consider(c)
	}
	return d.decide()
}

// Serves reports whether an approved channel to the server's asset itself reaches
// its service from the client, whatever is asked for there, when, and how protected.
func (g *Graph) Serves(q Query) bool {
	var buf [8]*Conduit
	d := deciding{q: &q}
	for _, c := range g.joining(buf[:0], q.Client, q.Server) {
		d.consider(c)
	}
	return q.Server.Asset != nil && slices.ContainsFunc(d.open, func(c candidate) bool {
		return !c.named && c.channel.To.Asset == q.Server.Asset
	})
}

// joining appends the conduits over which a flow between two locations could go.
func (g *Graph) joining(out []*Conduit, client, server zones.Location) []*Conduit {
	if client.Conduit == "" && server.Conduit == "" {
		return g.appendBetween(out, client.ID(), server.ID())
	}
	own, other := client.Conduit, server
	if own == "" {
		own, other = server.Conduit, client
	}
	n := g.conduits[own]
	if n == nil || !(other.Conduit == own || other.Zone != nil && n.Conduit.Joined(other.Zone.ID)) {
		return out
	}
	return append(out, n.Conduit)
}

// step is how far a channel came in the checks: the number of checks passed.
type step int

const (
	notApproved step = iota
	againstOneWay
	notVia
	wrongProtocol
	wrongPort
	elsewhere // its ends lie in other zones altogether
	wrongWay
	wrongEnd
	wrongClass
	outsideWindow
	unprotected
)

// candidate is a channel, with its conduit, that permits a flow between these ends
// over this service. What it permits of the operations is still open.
type candidate struct {
	conduit *Conduit
	channel *Channel
	named   bool // it names a protocol, and that of the flow is not known from the bytes
}

// deciding is the state of one decision.
type deciding struct {
	q    *Query
	open []candidate
	// The furthest that any channel came which is not in open.
	furthest step
	closest  candidate
}

// unsure reports whether there was payload whose protocol the bytes do not say.
func (q *Query) unsure() bool { return q.Carried && q.Basis != capture.Content }

func (d *deciding) fail(s step, c *Conduit, ch *Channel) {
	if d.closest.conduit == nil || s > d.furthest {
		d.furthest, d.closest = s, candidate{conduit: c, channel: ch}
	}
}

// consider takes a conduit's channels through the checks that do not depend on
// operations.
func (d *deciding) consider(c *Conduit) {
	q := d.q
	switch {
	case c.Status != Approved:
		d.fail(notApproved, c, nil)
		return
	case c.OneWay != nil && q.against(*c.OneWay):
		d.fail(againstOneWay, c, nil)
		return
	case c.Via != nil && q.Client.Asset != c.Via && q.Server.Asset != c.Via:
		d.fail(notVia, c, nil)
		return
	case len(c.Channels) == 0:
		d.fail(wrongProtocol, c, nil)
		return
	}
	for _, ch := range c.Channels {
		if s := q.reach(ch); s < wrongClass {
			d.fail(s, c, ch)
			continue
		}
		d.open = append(d.open, candidate{conduit: c, channel: ch, named: ch.Protocol != "" && q.unsure()})
	}
}

// against reports whether bytes went otherwise than a one-way conduit lets them.
// What an own asset of the conduit answers, a diode's proxy for one, never passed
// it.
func (q *Query) against(way Direction) bool {
	if q.Client.Zone == nil || q.Server.Zone == nil {
		return false
	}
	client, server := q.Client.Zone.ID, q.Server.Zone.ID
	return q.Sent && way != Direction{client, server} || q.Received && way != Direction{server, client}
}

// reach returns the first check that a channel fails, or wrongClass if it passes
// all that come before the operations.
func (q *Query) reach(ch *Channel) step {
	switch {
	case !q.speaks(ch.Protocol):
		return wrongProtocol
	case ch.Service != nil && !ch.Service.Contains(q.Transport, q.Port):
		return wrongPort
	case ch.From.Holds(q.Client) && ch.To.Holds(q.Server):
		return wrongClass
	case ch.From.Holds(q.Server) && ch.To.Holds(q.Client):
		return wrongWay
	case ch.From.place() == q.Client.ID() && ch.To.place() == q.Server.ID():
		return wrongEnd
	}
	return elsewhere
}

// speaks reports whether the flow is, or for all that is known may be, of a
// channel's protocol.
func (q *Query) speaks(p capture.Protocol) bool {
	return p == "" || q.unsure() || p.Within(q.Protocol) || !q.Carried && q.Protocol == capture.Unknown
}

// place returns the ID of the zone or conduit that an end lies in.
func (e End) place() string {
	if e.Asset != nil && e.Asset.Conduit != "" {
		return e.Asset.Conduit
	}
	return e.Zone
}

func (d *deciding) decide() Decision {
	if len(d.open) == 0 {
		return d.denied()
	}
	if !d.q.unsure() {
		return d.q.operations(d.open)
	}
	// First without the channels that name a protocol: what those that are left
	// permit, they permit whatever the protocol is.
	if sure := slices.DeleteFunc(slices.Clone(d.open), func(c candidate) bool { return c.named }); len(sure) > 0 {
		if out := d.q.operations(sure); out.Permit {
			return out
		}
	}
	out := d.q.operations(d.open)
	if out.Permit {
		ch := out.Channel
		out = Decision{Reason: NeedsProtocol, Conduit: out.Conduit, Channel: ch, Position: ch.Position, Detail: fmt.Sprintf(
			"the bytes on %s do not say which protocol they are; channel %q permits %s only", d.q.service(), ch.ID, ch.Protocol)}
	}
	return out
}

// operations answers for the operations of a flow that the candidates permit
// otherwise.
func (q *Query) operations(open []candidate) Decision {
	out := Decision{Permit: true}
	if len(q.Operations) > 0 {
		out.Operations = make([]OperationDecision, 0, len(q.Operations))
	}
	chosen := -1    // the first declared channel that permits a part
	exposed := -1   // the first that would, were the payload better protected
	worst := -1     // the operation that gives the reason
	spoken := false // an operation that needs naming was seen
	for i := range q.Operations {
		op := &q.Operations[i]
		if op.Class.IsDialogue() {
			out.Operations = append(out.Operations, OperationDecision{Operation: op, Permit: true, Conduit: open[0].conduit, Channel: open[0].channel})
			continue
		}
		spoken = true
		a := q.answer(op, op.Active, open)
		out.Operations = append(out.Operations, a.OperationDecision)
		switch {
		case !a.Permit:
			if worst < 0 || out.Operations[worst].Reason == OutsideWindow && a.Reason == WrongClass {
				worst = i
			}
		case a.exposed:
			if exposed < 0 {
				exposed = a.place
			}
		case chosen < 0 || a.place < chosen:
			chosen = a.place
		}
	}
	if !spoken {
		a := q.answer(nil, q.Active, open)
		switch {
		case !a.Permit:
			out.Conduit, out.Channel = a.Conduit, a.Channel
			return out.deny(OutsideWindow, a.Detail)
		case a.exposed:
			exposed = a.place
		default:
			chosen = a.place
		}
	}
	switch {
	case worst >= 0:
		w := out.Operations[worst]
		out.Conduit, out.Channel = w.Conduit, w.Channel
		return out.deny(w.Reason, w.Detail)
	case exposed >= 0:
		out.Conduit, out.Channel = open[exposed].conduit, open[exposed].channel
		return out.deny(Unprotected, fmt.Sprintf("payload was seen with %s; channel %q asks for %s",
			protectionText(q.Protection), out.Channel.ID, protectionText(out.Channel.Protection)))
	}
	out.Conduit, out.Channel = open[chosen].conduit, open[chosen].channel
	out.Position = out.Channel.Position
	return out
}

func (d Decision) deny(r Reason, detail string) Decision {
	d.Permit, d.Reason, d.Detail, d.Position = false, r, detail, d.Channel.Position
	return d
}

// answer is the decision on one operation, before it is summed up.
type answer struct {
	OperationDecision
	place   int  // of the channel, in the candidates
	exposed bool // permitted, but for the protection that its channels ask for
}

// answer decides on one operation (or, if op is nil, on a flow without any) that
// was seen in some minutes. The windows of all channels that name it add up.
func (q *Query) answer(op *capture.Operation, active []capture.Run, open []candidate) answer {
	a := answer{OperationDecision: OperationDecision{Operation: op}, place: -1}
	var named, protected []int
	best := -1
	for i, c := range open {
		if op != nil {
			if n := c.channel.names(op); n < allNamed {
				if best < 0 || n > open[best].channel.names(op) {
					best = i
				}
				continue
			}
		}
		named = append(named, i)
		if !q.Carried || satisfies(q.Protection, c.channel.Protection) {
			protected = append(protected, i)
		}
	}
	if len(named) == 0 {
		a.place, a.Reason, a.Conduit, a.Channel = best, WrongClass, open[best].conduit, open[best].channel
		if a.Channel.names(op) == noObjects {
			a.Unnamed = a.Channel.unnamed(op.Details.Objects)
		}
		a.Detail = classDetail(a.OperationDecision)
		return a
	}
	outside, place := q.outside(active, open, protected)
	if len(protected) > 0 && len(outside) == 0 {
		a.place, a.Permit = place, true
	} else if outside, place = q.outside(active, open, named); len(outside) == 0 {
		a.place, a.Permit, a.exposed = place, true, true
		// The channel to show is one that asks for more than there was.
		for _, i := range named {
			if !satisfies(q.Protection, open[i].channel.Protection) {
				a.place = i
				break
			}
		}
	} else {
		a.place, a.Reason, a.Outside = place, OutsideWindow, outside
	}
	a.Conduit, a.Channel = open[a.place].conduit, open[a.place].channel
	if a.Reason == OutsideWindow {
		a.Detail = q.windowDetail(a.OperationDecision)
	}
	return a
}

// outside returns the minutes in which none of some candidates has its window
// open, and the candidate to name: the first, or the first without a window.
func (q *Query) outside(active []capture.Run, open []candidate, among []int) (runs []capture.Run, place int) {
	if len(among) == 0 {
		return nil, -1
	}
	var windows []Window
	for _, i := range among {
		w := open[i].channel.Windows
		if len(w) == 0 {
			return nil, i
		}
		windows = append(windows, w...)
	}
	for _, run := range active {
		runs = append(runs, Outside(run, q.zone(), q.ClockOffset, windows)...)
	}
	return runs, among[0]
}

func (q *Query) zone() *time.Location {
	if q.Zone == nil {
		return time.UTC
	}
	return q.Zone
}

// naming is how much of an operation a channel names.
type naming int

const (
	noClass naming = iota
	noCode
	noObjects
	allNamed
)

// names returns what of an operation a channel does not name. An operation whose
// objects are not known is not among those that a list of objects names.
func (ch *Channel) names(op *capture.Operation) naming {
	switch {
	case ch.Protocol != "" && !op.Protocol.Within(ch.Protocol):
		return noClass
	case ch.Operations != nil && !slices.Contains(ch.Operations, op.Class):
		return noClass
	case ch.Codes != nil && !slices.Contains(ch.Codes, op.Code):
		return noCode
	case ch.Objects != nil && (len(op.Details.Objects) == 0 || len(ch.unnamed(op.Details.Objects)) > 0):
		return noObjects
	}
	return allNamed
}

// unnamed returns the parts of some objects that lie in none of the channel's
// ranges.
func (ch *Channel) unnamed(objects []capture.ObjectRange) []capture.ObjectRange {
	rest := objects
	for _, r := range ch.Objects {
		var left []capture.ObjectRange
		for _, o := range rest {
			if o.Space != r.Space || o.Last < r.First || r.Last < o.First {
				left = append(left, o)
				continue
			}
			if o.First < r.First {
				left = append(left, capture.ObjectRange{Space: o.Space, First: o.First, Last: r.First - 1})
			}
			if r.Last < o.Last {
				left = append(left, capture.ObjectRange{Space: o.Space, First: r.Last + 1, Last: o.Last})
			}
		}
		rest = left
	}
	return rest
}

// satisfies reports whether payload seen with some protection has what a channel
// asks for.
func satisfies(seen, asked Protection) bool {
	switch asked {
	case Integrity:
		return seen == Integrity || seen == Encrypted
	case Encrypted:
		return seen == Encrypted
	}
	return true
}
