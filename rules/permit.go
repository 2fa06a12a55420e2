package rules

import (
	"fmt"
	"net/netip"
	"slices"
	"time"

	"bulkhead/capture"
	"bulkhead/conduits"
	"bulkhead/zones"
)

// decide asks the zone graph about every flow that crosses, and says of every flow
// whether it can be assessed.
func (s *scene) decide() {
	for _, f := range s.flows {
		f.doubt = f.unplaced()
		if f.doubt != "" || !f.cross {
			continue
		}
		for i := range f.sights {
			x := &f.sights[i]
			x.decision = s.model.Graph.Decide(s.query(f, x))
			showGravest(&x.decision)
			if f.settled == nil || x.outweighs(f.settled) {
				f.settled = x
			}
		}
		f.doubt = s.undecided(f)
	}
	s.excuseFTPData()
}

// outweighs reports whether the decision on a sight holds rather than that on an
// earlier one: a denial before a permit, then what came further.
func (x *sight) outweighs(y *sight) bool {
	if x.decision.Permit != y.decision.Permit {
		return y.decision.Permit
	}
	a, b := outcomeOf(x.conv), outcomeOf(y.conv)
	return a != b && further(a, b) == a
}

// unplaced says why a flow's ends or roles are too unsure to judge, or "".
func (f *judged) unplaced() string {
	for _, l := range []zones.Location{f.client, f.server} {
		if len(l.Ambiguous) > 1 {
			return "an address fits several zones equally well: " + placeKey(l)[1:]
		}
	}
	if f.roleBasis == capture.Guess && !f.cast {
		return "which end is the client is a guess"
	}
	return ""
}

// undecided says why what was seen does not settle the answer to a flow, or "".
func (s *scene) undecided(f *judged) string {
	d := &f.settled.decision
	if d.Reason == conduits.NeedsProtocol {
		return d.Detail
	}
	if !d.Permit {
		if f.first.Transport == capture.TCP && f.outcome == OneWay {
			return "the capture holds one side of a TCP connection only"
		}
		return ""
	}
	for i := range f.sights {
		x := &f.sights[i]
		ch := x.decision.Channel
		p := x.conv.Protection
		if p.Unknown > 0 && p.None == 0 && ch.Protection != conduits.NoProtection {
			return fmt.Sprintf("the payload's protection cannot be told; channel %q asks for %s", ch.ID, ch.Protection)
		}
		if x.conv.OperationsCut && (ch.Operations != nil || ch.Codes != nil || ch.Objects != nil) {
			return fmt.Sprintf("more kinds of operation were seen than were kept; channel %q does not permit all", ch.ID)
		}
		for _, op := range x.decision.Operations {
			switch {
			case op.Channel == nil || op.Operation.Class.IsDialogue():
			case op.Operation.ActiveCut && op.Channel.Windows != nil:
				return fmt.Sprintf("%s was seen at more times than were kept; channel %q has windows", op.Operation.Name, op.Channel.ID)
			case op.Operation.Details.Cut && op.Channel.Objects != nil:
				return fmt.Sprintf("%s touched more objects than were kept; channel %q does not permit all", op.Operation.Name, op.Channel.ID)
			}
		}
	}
	return ""
}

// query puts one sight of a flow to the zone graph.
func (s *scene) query(f *judged, x *sight) conduits.Query {
	c := x.conv
	q := conduits.Query{
		Client: f.client, Server: f.server,
		Protocol: c.Protocol, Basis: f.protocolBasis, Transport: c.Transport, Port: c.Server.Port,
		Operations: c.Operations,
		Protection: weakest(c.Protection),
		Carried:    c.Payload.Sent+c.Payload.Received > 0,
		Sent:       c.Payload.Sent > 0,
		Received:   c.Payload.Received > 0,
		Zone:       s.model.System.Zone,
		Active:     edges(c),
	}
	if c.Transport == capture.TCP && c.State.Established+c.State.Answered > 0 {
		q.Sent, q.Received = true, true // a handshake goes both ways
	}
	if c.Protocol == capture.ARP {
		// Whoever is answered has asked, and asked by broadcast, which is a
		// conversation of its own.
		q.Received = c.Packets.Received > 0
		q.Sent = q.Received || c.Packets.Sent > 0
	}
	if x.tap != nil {
		q.ClockOffset = x.tap.ClockOffset
	}
	return q
}

// showGravest makes the reason of a decision that denies operations that of the
// gravest of those denied for the same reason.
func showGravest(d *conduits.Decision) {
	var gravest *conduits.OperationDecision
	for i := range d.Operations {
		if op := &d.Operations[i]; !op.Permit && op.Reason == d.Reason &&
			(gravest == nil || Gravity(op.Operation.Class) < Gravity(gravest.Operation.Class)) {
			gravest = op
		}
	}
	if gravest != nil {
		d.Conduit, d.Channel, d.Position, d.Detail = gravest.Conduit, gravest.Channel, gravest.Channel.Position, gravest.Detail
	}
}

// weakest returns the weakest protection that payload was seen with. Payload of an
// unknown protocol gets the benefit of the doubt here; undecided sees to it that
// nothing rests on that.
func weakest(p capture.Protection) conduits.Protection {
	switch {
	case p.None > 0:
		return conduits.NoProtection
	case p.Integrity > 0:
		return conduits.Integrity
	case p.Encrypted > 0, p.Unknown > 0:
		return conduits.Encrypted
	}
	return conduits.NoProtection
}

// edges returns the minutes of a conversation's first and last frames: when it is
// known to have been in use, whatever it said.
func edges(c *capture.Conversation) []capture.Run {
	if c.First.IsZero() {
		return nil
	}
	minute := func(t capture.Time) capture.Run {
		return capture.Run{From: capture.NewTime(t.UTC().Truncate(time.Minute).UnixNano(), 0), Minutes: 1, Frame: c.Example.Frame}
	}
	runs := []capture.Run{minute(c.First)}
	if last := minute(c.Last); !c.Last.IsZero() && last.From != runs[0].From {
		runs = append(runs, last)
	}
	return runs
}

// hosts is an unordered pair of addresses.
type hosts struct{ low, high netip.Addr }

func hostsOf(c *capture.Conversation) hosts {
	a, b := c.Client.IP, c.Server.IP
	if b.Less(a) {
		a, b = b, a
	}
	return hosts{a, b}
}

// excuseFTPData marks denied flows of no known protocol between hosts that speak
// FTP as not assessable: they may be FTP's data connections, whose ports the
// control connection agrees (RFC 959, 3.2).
func (s *scene) excuseFTPData() {
	ftp := make(map[hosts]bool)
	for _, f := range s.flows {
		if f.first.Protocol == capture.FTP && f.protocolBasis == capture.Content && f.outcome == Answered {
			h := hostsOf(f.first)
			ftp[h] = ftp[h] || !f.denied()
		}
	}
	if len(ftp) == 0 {
		return
	}
	for _, f := range s.flows {
		if f.doubt == "" && f.mayBeFTPData() && ftp[hostsOf(f.first)] && f.denied() {
			f.doubt = "it may be a data connection of the FTP that is permitted between these hosts"
		}
	}
}

func (f *judged) mayBeFTPData() bool {
	return f.first.Transport == capture.TCP && f.first.Protocol != capture.FTP && f.protocolBasis != capture.Content
}

// denied reports whether the design does not permit a flow that crosses.
func (f *judged) denied() bool { return f.settled != nil && !f.settled.decision.Permit }

// reason returns why a flow is denied; Permitted if it is not.
func (f *judged) reason() conduits.Reason {
	if f.settled == nil {
		return conduits.Permitted
	}
	return f.settled.decision.Reason
}

// unreachable reports whether a flow is denied because nothing approved leads from
// its client to its service at all, whatever it asked for there.
func (f *judged) unreachable() bool {
	switch f.reason() {
	case conduits.NoConduit, conduits.NotApproved, conduits.AgainstOneWay, conduits.NotVia, conduits.WrongProtocol, conduits.WrongPort, conduits.WrongWay, conduits.WrongEnd:
		return true
	}
	return false
}

// undeclared reports whether no approved conduit joins a flow's ends.
func (f *judged) undeclared() bool {
	return f.reason() == conduits.NoConduit || f.reason() == conduits.NotApproved
}

// judgeable reports whether a flow can be evidence: it is assessable and both ends
// are in a place that is judged.
func (f *judged) judgeable() bool {
	return f.doubt == "" && f.client.Zone != zones.Unassigned && f.server.Zone != zones.Unassigned
}

// crossed reports whether a flow is enough evidence that it passed the boundary:
// it was answered, or it needs no answer and was seen beyond the boundary as well.
// An answer straight on the link shows a link that two zones share, and no more.
func (s *scene) crossed(f *judged) bool {
	switch {
	case f.first.Transport == capture.L2:
		return (f.outcome == Answered || f.outcome == OneWay) && s.seenBeyond(f)
	case f.outcome == OneWay:
		return f.first.Transport != capture.TCP && s.seenBeyond(f)
	}
	return f.outcome == Answered
}

// seenBeyond reports whether a flow was seen at a tap from which its server's zone
// is visible and neither its client's nor a conduit between the two.
func (s *scene) seenBeyond(f *judged) bool {
	if f.server.Zone == nil {
		return false
	}
	for _, x := range f.sights {
		if x.tap == nil || !slices.Contains(x.tap.Sees, f.server.Zone.ID) || slices.Contains(x.tap.Sees, f.client.ID()) {
			continue
		}
		between := func(id string) bool {
			n := s.model.Graph.Conduit(id)
			return n != nil && n.Conduit.Joined(f.server.Zone.ID) && (n.Conduit.ID == f.client.Conduit || n.Conduit.Joined(f.client.ID()))
		}
		if !slices.ContainsFunc(x.tap.Sees, between) {
			return true
		}
	}
	return false
}
