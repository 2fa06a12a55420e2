package rules

import (
	"cmp"
	"maps"
	"slices"
	"strconv"
	"strings"

	"bulkhead/capture"
	"bulkhead/conduits"
	"bulkhead/model"
	"bulkhead/rules/iec62443"
	"bulkhead/zones"
)

// MaxEvidence is the number of flows, or of other proofs, that a finding shows, the
// gravest first. It counts them all.
const MaxEvidence = 16

// groupKey is what makes hits one finding.
type groupKey struct {
	rule    *Rule
	subject string
	class   Class
}

// group is a finding in the making: the hits of one rule on one subject.
type group struct {
	key     groupKey
	id      string
	subject Subject
	zone    *zones.Zone       // exactly one of the two is set
	conduit *conduits.Conduit //
	voids   iec62443.Set      // of a weakening, what it asks proof of
	refuted iec62443.Set      // not-applicable rows of the subject that it speaks against
	lifted  iec62443.Set      // of voids, what compensating measures lift
	hits    []hit             // the gravest MaxEvidence
	flows   []*judged         // all
	count   int               // of hits, each flow once
	trust   confidence        // of the best hit

	strict  bool // a weakening voids as well
	reading iec62443.Reading

	// What follows, filled in by conclude.
	effective iec62443.Set       // the requirements that it takes away from its subject
	caps      map[zones.FR]uint8 // per FR, the highest level that it leaves
	drop      int                // how many levels the lowest cap lies below SL-T; 0 or less if SL-T still holds
	severity  Severity
}

// report takes a hit of a rule into its group. A hit on a subject that the same
// flow already speaks against by a more specific rule adds its requirements there
// instead.
func (s *scene) report(r *Rule, h hit) {
	if r.permit && h.class == Contradiction && len(h.ops) > 0 {
		if h.flow.reported == nil {
			h.flow.reported = make(map[*capture.Operation]bool, len(h.ops))
		}
		for _, op := range h.ops {
			h.flow.reported[op.Operation] = true
		}
	}
	if h.flow != nil && h.class == Contradiction {
		for _, g := range h.flow.groups {
			if g.subject == h.subject && g.key.class == Contradiction && slices.Contains(g.key.rule.Subsumes, r.ID) {
				g.voids = g.voids.Union(iec62443.SetOf(h.voids...))
				return
			}
		}
	}
	key := groupKey{r, h.subject.ID, h.class}
	g := s.groups[key]
	if g == nil {
		g = &group{key: key, id: findingID(key, r), subject: h.subject, reading: s.reading, strict: s.model.Policy.Strict}
		g.zone = s.zones[h.subject.ID]
		if n := s.model.Graph.Conduit(h.subject.ID); h.subject.Kind == "conduit" && n != nil {
			g.zone, g.conduit = nil, n.Conduit
		}
		s.groups[key] = g
	}
	g.voids = g.voids.Union(iec62443.SetOf(h.voids...))
	if h.flow == nil {
		g.trust = max(g.trust, h.trust)
	} else {
		if g.trust < highConfidence {
			g.trust = max(g.trust, s.trust(h.flow))
		}
		if !slices.Contains(h.flow.groups, g) {
			h.flow.groups = append(h.flow.groups, g)
			g.flows = append(g.flows, h.flow)
		} else {
			return // a flow shows a finding once
		}
	}
	g.count++
	g.keep(h)
}

// keep takes a hit among those that the finding shows, if it is grave enough: after
// all that are as grave.
func (g *group) keep(h hit) {
	h.rank = h.gravity()
	at := len(g.hits)
	for at > 0 && g.hits[at-1].rank > h.rank {
		at--
	}
	if at == MaxEvidence {
		return
	}
	if len(g.hits) == MaxEvidence {
		g.hits = g.hits[:MaxEvidence-1]
	}
	g.hits = slices.Insert(g.hits, at, h)
}

// gravity orders the hits of a finding by what was asked for, gravest first. Then
// come known protocols without operations, unknown ones, what is said straight on
// the link, and what no one flow shows.
func (h *hit) gravity() int {
	noOperations := len(classGravity)
	unknown, onLink, noFlow := noOperations+1, noOperations+2, noOperations+3
	switch {
	case h.flow == nil:
		return noFlow
	case len(h.ops) > 0:
		least := noOperations
		for _, op := range h.ops {
			least = min(least, Gravity(op.Class))
		}
		return least
	case h.flow.first.Transport == capture.L2 || h.flow.first.Transport == capture.OverICMP:
		return onLink
	case len(h.flow.ops) > 0:
		return Gravity(h.flow.ops[0].Class)
	case h.flow.protocolBasis != capture.Content:
		return unknown
	}
	return noOperations
}

// findingID names a finding by its meaning: rule and subject, and the class where
// the model makes it another than the rule's own.
func findingID(key groupKey, r *Rule) string {
	id := r.ID + ":" + key.subject
	if key.class != r.Class {
		id += ":" + string(key.class)
	}
	return id
}

// conclude works out what a group comes to, once all its hits are in.
func (s *scene) conclude(g *group) {
	g.lifted = s.lifted(g)
	g.effective = g.refuted
	if g.key.class == Contradiction || g.key.class == Weakening && g.strict {
		g.effective = g.voids.Without(g.lifted).Union(g.refuted)
	}
	slt := g.slt()
	g.caps = make(map[zones.FR]uint8)
	g.drop = -zones.MaxLevel
	for _, fr := range zones.FRs() {
		if g.effective.Names(fr) {
			g.caps[fr] = g.reading.Cap(fr, g.effective)
			g.drop = max(g.drop, int(slt[fr])-int(g.caps[fr]))
		}
	}
	g.severity = s.severity(g)
}

func (g *group) slt() zones.Vector {
	if g.conduit != nil {
		return g.conduit.SLT
	}
	if g.zone != nil {
		return g.zone.SLT
	}
	return zones.Vector{}
}

// breaches reports whether a group voids a requirement that SL-T asks for.
func (g *group) breaches() bool { return g.drop > 0 }

// findings finishes the groups and lists them: contradictions before weakenings,
// support and coverage, then the gravest and deepest first.
func (s *scene) findings() []Finding {
	s.refute()
	for _, g := range s.groups {
		s.conclude(g)
		s.ranked = append(s.ranked, g)
	}
	severities, classes := Severities(), []Class{Contradiction, Weakening, Support, CoverageClass}
	slices.SortFunc(s.ranked, func(a, b *group) int {
		return cmp.Or(
			cmp.Compare(slices.Index(classes, a.key.class), slices.Index(classes, b.key.class)),
			cmp.Compare(slices.Index(severities, a.severity), slices.Index(severities, b.severity)),
			cmp.Compare(b.drop, a.drop),
			strings.Compare(a.key.rule.ID, b.key.rule.ID),
			strings.Compare(a.key.subject, b.key.subject),
		)
	})
	for _, f := range s.flows {
		f.verdict = f.judge()
	}
	out := make([]Finding, len(s.ranked))
	for i, g := range s.ranked {
		out[i] = s.finding(g)
	}
	return out
}

func (s *scene) finding(g *group) Finding {
	r := g.key.rule
	f := Finding{
		ID: g.id, Rule: r.ID, Class: g.key.class, BaseSeverity: r.Severity, Severity: g.severity,
		Confidence: g.trust.String(), Status: Open, Subject: g.subject,
		Breach: g.breaches(), Zones: g.zoneIDs(), Requirements: g.voids.Union(g.refuted).IDs(), Caps: g.caps, Attack: slices.Clone(r.Attack),
		Evidence: []Evidence{}, Flows: len(g.flows),
	}
	if f.Attack == nil {
		f.Attack = []string{}
	}
	for i := range g.hits {
		if h := &g.hits[i]; h.flow != nil {
			h.asked = s.asked(h)
		}
	}
	f.Message = g.message()
	if r.fix != nil {
		f.Fix = r.fix(g)
	}
	if at := g.position(); !at.IsZero() {
		f.Model = &at
	}
	if g.lifted.Len() > 0 {
		f.Compensated = g.lifted.IDs()
	}
	for _, h := range g.hits {
		f.Evidence = append(f.Evidence, s.evidence(h)...)
	}
	f.Evidence = f.Evidence[:min(len(f.Evidence), MaxEvidence)]
	return f
}

// zoneIDs lists the zones that a finding touches, ascending.
func (g *group) zoneIDs() []string {
	touched := make(map[*zones.Zone]bool)
	if g.zone != nil {
		touched[g.zone] = true
	}
	for _, f := range g.flows {
		for _, z := range [2]*zones.Zone{f.client.Zone, f.server.Zone} {
			if z != nil {
				touched[z] = true
			}
		}
	}
	ids := make([]string, 0, len(touched))
	for z := range touched {
		ids = append(ids, z.ID)
	}
	slices.Sort(ids)
	return ids
}

// position returns the line of the model that a finding is held against: that on
// which the first flow's answer rests, else the subject's.
func (g *group) position() zones.Position {
	if len(g.hits) > 0 {
		h := g.hits[0]
		if h.model != nil {
			return *h.model
		}
		if h.flow != nil && h.flow.settled != nil && !h.flow.settled.decision.Position.IsZero() {
			return h.flow.settled.decision.Position
		}
	}
	if g.conduit != nil {
		return g.conduit.Position
	}
	if g.zone != nil {
		return g.zone.Position
	}
	return zones.Position{}
}

func (g *group) message() string {
	h := g.hits[0]
	text := h.what
	if h.flow != nil {
		text = h.flow.who() + ": " + g.key.rule.say(h)
	}
	if more := g.count - 1; more > 0 {
		n := "one"
		if more > 1 {
			n = strconv.Itoa(more)
		}
		text += "; and " + n + " more" + g.likenessText()
	}
	return text
}

// likenessText says of the flows that a message counts how they resemble the one
// that it names: alike, or, where the message says which zones nothing approved
// joins, between which others they run.
func (g *group) likenessText() string {
	const alike = " like it"
	first := g.hits[0].flow
	if first == nil || g.zone == nil || !g.key.rule.permit || !first.undeclared() {
		return alike
	}
	to, from := make(map[string]bool), make(map[string]bool) // the other zones
	other := false
	for _, f := range g.flows {
		if f == first {
			continue
		}
		if f.client.Zone == g.zone {
			to[f.server.ID()] = true
		} else {
			from[f.client.ID()] = true
		}
		other = other || f.client.ID() != first.client.ID() || f.server.ID() != first.server.ID()
	}
	if !other {
		return alike
	}
	var parts []string
	if len(to) > 0 {
		parts = append(parts, "to "+enumerate(slices.Sorted(maps.Keys(to))))
	}
	if len(from) > 0 {
		parts = append(parts, "from "+enumerate(slices.Sorted(maps.Keys(from))))
	}
	return ", " + strings.Join(parts, ", and ")
}

// severity returns what a finding comes to. docs/rules.md states the formula.
func (s *scene) severity(g *group) Severity {
	scale := Severities()
	base := slices.Index(scale, g.key.rule.Severity)
	switch g.key.class {
	case Support, CoverageClass:
		return Info
	case Weakening:
		if g.key.rule.Class == Weakening {
			return g.key.rule.Severity
		}
		return scale[min(base+1, slices.Index(scale, Low))]
	}
	worse := s.stake(g)
	switch {
	case g.drop <= 0:
		worse--
	case g.drop >= 2:
		worse++
	}
	return scale[min(max(base-worse, 0), slices.Index(scale, Low))]
}

// stake says what the subject stands to lose: 1 for safety, -1 for the office and
// what lies outside, 0 between. A conduit is worth what the dearest zone is that it
// joins.
func (s *scene) stake(g *group) int {
	if g.conduit == nil {
		return zoneStake(g.zone)
	}
	best := -1
	for _, id := range g.conduit.Joins {
		best = max(best, zoneStake(s.zones[id]))
	}
	return best
}

func zoneStake(z *zones.Zone) int {
	switch {
	case z == nil:
		return -1
	case z.Kind == zones.Safety:
		return 1
	case z.Kind == zones.Business, z.Kind == zones.External:
		return -1
	}
	return 0
}

// confidence is how sure a finding is.
type confidence int

const (
	lowConfidence confidence = iota + 1
	mediumConfidence
	highConfidence
)

func (c confidence) String() string {
	return []string{"", "low", "medium", "high"}[c]
}

// trust returns the weakest link of what a flow rests on: who its ends are, which
// is the client, what protocol it is, and how good the capture is.
func (s *scene) trust(f *judged) confidence {
	identity := highConfidence
	if (f.client.Asset == nil && f.client.Zone != zones.Internet) || (f.server.Asset == nil && f.server.Zone != zones.Internet) {
		identity = mediumConfidence // by network only
	}
	role := highConfidence
	if f.roleBasis == capture.Port && !f.cast {
		role = mediumConfidence
	}
	protocol := highConfidence
	if f.protocolBasis != capture.Content {
		protocol = mediumConfidence
	}
	best := confidence(0)
	for _, x := range f.sights {
		best = max(best, s.captureTrust(x.conv.Capture, x.conv.LostBytes))
		if best == highConfidence {
			break
		}
	}
	return min(identity, role, protocol, best)
}

func (s *scene) captureTrust(n int, lost uint64) confidence {
	c := &s.obs.Captures[n]
	trust := highConfidence
	if lost > 0 || !c.Complete {
		trust--
	}
	minimum := s.model.Policy.MinimumSpan
	if oneSided(s.taps[n]) || minimum > 0 && capture.Watched([]*capture.Capture{c}) < minimum {
		trust--
	}
	return max(trust, lowConfidence)
}

// live reports whether something holds that ends with a day.
func (s *scene) live(lastDay model.Date) bool {
	return lastDay.IsZero() || !lastDay.Before(s.opts.AsOf)
}
