package rules

import (
	"fmt"
	"slices"
	"strings"

	"bulkhead/capture"
	"bulkhead/conduits"
	"bulkhead/zones"
)

var undeclaredCrossing = &Rule{
	Facts:  mustFacts("EV-001"),
	permit: true,
	check: func(s *scene, r *Rule, report func(hit)) {
		voids := r.Contradicts
		if s.model.Policy.UndeclaredCap == 1 {
			voids = []string{"SR 5.2 RE(1)"}
		}
		for _, f := range s.flows {
			if f.judgeable() && f.undeclared() && s.crossed(f) {
				s.accuseOf(report, r, f, Contradiction, voids, nil)
			}
		}
	},
	say: crossedText,
	fix: func(g *group) string { return g.hits[0].flow.closeText() + g.otherPairsText() },
}

var businessToControl = &Rule{
	Facts:    mustFacts("EV-005"),
	permit:   true,
	Subsumes: []string{"EV-001"},
	check: func(s *scene, r *Rule, report func(hit)) {
		for _, f := range s.flows {
			if !f.judgeable() || !f.undeclared() || !s.crossed(f) || isBroker(f.client.Asset) || isBroker(f.server.Asset) {
				continue
			}
			if isKind(f.client, zones.Business) && isControl(f.server) || isKind(f.server, zones.Business) && isControl(f.client) {
				s.accuse(report, r, f, nil)
			}
		}
	},
	say: crossedText,
	fix: func(g *group) string { return g.hits[0].flow.closeText() },
}

// controlToPublic leaves name look-ups out: they are EV-013's.
var controlToPublic = &Rule{
	Facts:    mustFacts("EV-010"),
	permit:   true,
	Subsumes: []string{"EV-001"},
	check: func(s *scene, r *Rule, report func(hit)) {
		for _, f := range s.flows {
			if f.judgeable() && f.undeclared() && s.crossed(f) && f.first.Protocol != capture.DNS &&
				isControl(f.client) && f.server.Zone == zones.Internet {
				s.accuse(report, r, f, nil)
			}
		}
	},
	say: crossedText,
	fix: func(g *group) string {
		return "if the address is the owner's, add it to the networks of a zone; else " + g.hits[0].flow.closeText()
	},
}

var publicToControl = &Rule{
	Facts:    mustFacts("EV-011"),
	permit:   true,
	Subsumes: []string{"EV-001"},
	check: func(s *scene, r *Rule, report func(hit)) {
		for _, f := range s.flows {
			if f.judgeable() && f.unreachable() && f.outcome == Answered && f.exchanged() &&
				f.client.Zone == zones.Internet && isControl(f.server) {
				s.accuse(report, r, f, nil)
			}
		}
	},
	say: crossedText,
	fix: func(g *group) string {
		f := g.hits[0].flow
		return fmt.Sprintf("close inbound %s to %s at the outer boundary; lead remote access through a jump host on a conduit with trusted: false",
			serviceText(f.first), endText(f.server, f.first.Server.Peer))
	},
}

// outsideAllowList judges the reach of a flow and the operations that have no rule
// of their own; an accepted write, download or change of mode is use control's.
var outsideAllowList = &Rule{
	Facts:  mustFacts("EV-002"),
	permit: true,
	check: func(s *scene, r *Rule, report func(hit)) {
		for _, f := range s.flows {
			if !f.judgeable() || !s.crossed(f) {
				continue
			}
			switch f.reason() {
			case conduits.WrongProtocol, conduits.WrongPort, conduits.WrongWay, conduits.WrongEnd:
				s.accuse(report, r, f, nil)
			case conduits.WrongClass:
				if ops := f.unlisted(); len(ops) > 0 {
					s.accuse(report, r, f, ops)
				}
			}
		}
	},
	say: deniedText,
	fix: func(g *group) string {
		h := g.hits[0]
		d := h.flow.settled.decision
		if isKind(h.flow.server, zones.Safety) {
			return fmt.Sprintf("close it in the rule base of %s", boundaryText(d.Conduit))
		}
		if d.Channel != nil && d.Reason == conduits.WrongClass {
			return fmt.Sprintf("if this is intended, add %s to channel %q or a channel of its own to conduit %q; else close it in the rule base of %s",
				operationsText(h.ops), d.Channel.ID, d.Conduit.ID, boundaryText(d.Conduit))
		}
		return fmt.Sprintf("if this is intended, add a channel {from: %s, to: %s, %s} to conduit %q; else close it in the rule base of %s",
			endName(h.flow.client), endName(h.flow.server), serviceYAML(h.flow.first), d.Conduit.ID, boundaryText(d.Conduit))
	},
}

// unlisted returns the operations that no channel names and that no rule of use
// control judges.
func (f *judged) unlisted() []operation {
	var ops []operation
	for i := range f.sights {
		x := &f.sights[i]
		for _, d := range x.decision.Operations {
			if d.Reason == conduits.WrongClass && useOf(d.Operation) == noUse {
				ops = append(ops, operation{x, d.Operation})
			}
		}
	}
	return ops
}

// blockedAttempt counts a silent drop only where the tap sees both directions and
// the client tried more than once.
var blockedAttempt = &Rule{
	Facts: mustFacts("EV-003"),
	check: func(s *scene, r *Rule, report func(hit)) {
		type attempt struct{ client, server, service string }
		of := func(f *judged) attempt {
			return attempt{addressText(f.first.Client), addressText(f.first.Server.Peer), serviceText(f.first)}
		}
		var candidates []*judged
		for _, f := range s.flows {
			if f.judgeable() && f.denied() && (f.outcome == Rejected || f.outcome == Attempted && f.retried()) {
				candidates = append(candidates, f)
			}
		}
		if len(candidates) == 0 {
			return
		}
		passed := make(map[attempt]bool)
		for _, f := range s.flows {
			if f.cross && f.outcome == Answered {
				passed[of(f)] = true
			}
		}
		for _, f := range candidates {
			if !passed[of(f)] {
				s.accuseOf(report, r, f, Support, nil, nil)
			}
		}
	},
	say: func(h hit) string {
		if h.flow.outcome == Rejected {
			return "tried " + serviceText(h.flow.first) + h.inBrackets() + " and was turned away"
		}
		return "tried " + serviceText(h.flow.first) + h.inBrackets() + " and got no answer"
	},
}

// retried reports whether a flow's client sent more than one packet a connection
// at a tap that would have seen the answer.
func (f *judged) retried() bool {
	return slices.ContainsFunc(f.sights, func(x sight) bool {
		return !oneSided(x.tap) && x.conv.Packets.Sent > x.conv.Connections
	})
}

// againstOneWay takes an answer straight on the link, as address resolution is, for
// what no one-way conduit lets back.
var againstOneWay = &Rule{
	Facts:  mustFacts("EV-004"),
	permit: true,
	check: func(s *scene, r *Rule, report func(hit)) {
		for _, f := range s.flows {
			if f.judgeable() && f.reason() == conduits.AgainstOneWay && (f.outcome == Answered || s.crossed(f)) {
				s.accuse(report, r, f, nil)
			}
		}
	},
	say: deniedText,
	fix: func(g *group) string {
		c := g.hits[0].flow.settled.decision.Conduit
		return fmt.Sprintf("find the path past %s, or drop one-way from conduit %q and what is claimed for it", boundaryText(c), c.ID)
	},
}

// crossedText says that a flow went where no approved conduit leads.
func crossedText(h hit) string {
	f := h.flow
	text := "spoke " + h.did() + ", and " + f.settled.decision.Detail
	if f.outcome != Answered {
		text += "; it was seen beyond the boundary"
	}
	return text
}

// deniedText says what a flow did that its conduit does not permit.
func deniedText(h hit) string {
	d := h.denied()
	detail := d.Detail
	switch d.Reason {
	case conduits.WrongProtocol, conduits.WrongPort, conduits.WrongWay, conduits.WrongEnd, conduits.WrongClass:
		detail = declaredPart(detail)
	}
	return fmt.Sprintf("spoke %s over conduit %q; %s", h.did()+h.unnamedText(), d.Conduit.ID, detail)
}

// declaredPart returns of a denial's detail, "what was seen; what is declared", the
// second part, where the first has been said in other words.
func declaredPart(detail string) string {
	if _, declared, ok := strings.Cut(detail, "; "); ok {
		return declared
	}
	return detail
}

// closeText says how to end a flow between zones that nothing approved joins. It
// proposes a conduit only where one may be: not from the office or the internet
// into control, and not into safety.
func (f *judged) closeText() string {
	switch {
	case isKind(f.server, zones.Safety):
		return fmt.Sprintf("close this path between %s and %s", f.client.ID(), f.server.ID())
	case f.needsDMZ():
		return fmt.Sprintf("lead this traffic through a zone of kind dmz, or close this path between %s and %s", f.client.ID(), f.server.ID())
	}
	if f.reason() == conduits.NotApproved {
		c := f.settled.decision.Conduit
		return fmt.Sprintf("approve conduit %q (status: approved) with a channel for %s, or close this path between %s and %s",
			c.ID, f.spoke(), f.client.ID(), f.server.ID())
	}
	return fmt.Sprintf("close this path between %s and %s, or declare a conduit {joins: [%s, %s]} with a channel {from: %s, to: %s, %s}",
		f.client.ID(), f.server.ID(), f.client.ID(), f.server.ID(), endName(f.client), endName(f.server), serviceYAML(f.first))
}

// needsDMZ reports whether a flow runs straight between control and the office or
// the internet.
func (f *judged) needsDMZ() bool {
	outside := func(l zones.Location) bool { return isKind(l, zones.Business) || l.Zone == zones.Internet }
	return outside(f.client) && isControl(f.server) || outside(f.server) && isControl(f.client)
}

// otherPairsText names the pairs of zones that the flows of a finding run between
// besides the first's.
func (g *group) otherPairsText() string {
	type pair struct{ a, b string }
	between := func(f *judged) pair {
		a, b := f.client.ID(), f.server.ID()
		return pair{min(a, b), max(a, b)}
	}
	pairs := make(map[pair]bool)
	for _, f := range g.flows {
		pairs[between(f)] = true
	}
	delete(pairs, between(g.hits[0].flow))
	if len(pairs) == 0 {
		return ""
	}
	names := make([]string, 0, len(pairs))
	for p := range pairs { // sorted below
		names = append(names, "between "+p.a+" and "+p.b)
	}
	slices.Sort(names)
	return "; decide as well on the path " + enumerate(names)
}

// enumerate lists up to three names in words and counts the others.
func enumerate(names []string) string {
	const shown = 3
	if n := len(names) - shown; n > 0 {
		return fmt.Sprintf("%s and %d more", strings.Join(names[:shown], ", "), n)
	}
	last := len(names) - 1
	if last == 0 {
		return names[0]
	}
	return strings.Join(names[:last], ", ") + " and " + names[last]
}

// endName names a location as a model would: an asset, or all of a zone.
func endName(l zones.Location) string {
	if l.Asset != nil {
		return l.Asset.Ref()
	}
	return l.ID()
}

// serviceYAML names a service as a channel would.
func serviceYAML(c *capture.Conversation) string {
	if c.ProtocolBasis == capture.Content {
		return "protocol: " + string(c.Protocol)
	}
	return "service: " + serviceText(c)
}

// boundaryText names the devices of a conduit's boundary.
func boundaryText(c *conduits.Conduit) string {
	if len(c.Boundary) == 0 {
		return fmt.Sprintf("conduit %q", c.ID)
	}
	text := c.Boundary[0]
	for _, id := range c.Boundary[1:] {
		text += ", " + id
	}
	return text
}

func isKind(l zones.Location, k zones.Kind) bool { return l.Zone != nil && l.Zone.Kind == k }

func isControl(l zones.Location) bool { return l.Zone != nil && l.Zone.Kind.IsControl() }

// isBroker reports whether an asset stands between zones by its role.
func isBroker(a *zones.Asset) bool { return a != nil && (a.Role == "proxy" || a.Role == "jump-host") }
