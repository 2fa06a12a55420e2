package rules

import (
	"cmp"
	"slices"
	"strings"

	"bulkhead/model"
	"bulkhead/rules/iec62443"
	"bulkhead/zones"
)

// claim is what a model declares for one zone or conduit.
type claim struct {
	met           iec62443.Set // by measures in force
	compensated   iec62443.Set // of met, by compensating measures
	notApplicable iec62443.Set
}

// gatherClaims fills in what is declared for each zone and conduit. A compensating
// measure past its review counts no longer.
func (s *scene) gatherClaims() {
	s.claims = make(map[string]claim)
	for _, m := range s.model.Measures {
		if !s.inForce(m) {
			continue
		}
		meets := iec62443.SetOf(m.Meets...)
		for _, id := range m.Covers {
			c := s.claims[id]
			c.met = c.met.Union(meets)
			if m.Compensating {
				c.compensated = c.compensated.Union(meets)
			}
			s.claims[id] = c
		}
	}
	for _, n := range s.model.NotApplicable {
		for _, id := range n.Covers {
			c := s.claims[id]
			c.notApplicable.Add(n.Requirement)
			s.claims[id] = c
		}
	}
}

func (s *scene) inForce(m *model.Measure) bool { return !m.Compensating || s.live(m.ReviewBy) }

// lifted returns the voided requirements of a group that compensating measures of
// its subject lift. What shows that a one-way conduit is none refutes the measures
// that rest on it, so nothing lifts that.
func (s *scene) lifted(g *group) iec62443.Set {
	if g.key.rule == againstOneWay {
		return iec62443.Set{}
	}
	return g.voids.Intersect(s.claims[g.subject.ID].compensated)
}

// refute voids the not-applicable rows that evidence speaks against: a remote
// session against SR 2.6, a password against SR 1.7 and its enhancements. A remote
// session of which EV-040 has nothing to say refutes the row just as well, without a
// finding.
func (s *scene) refute() {
	for _, f := range s.flows {
		if !f.judgeable() || !f.isRemoteSession() || slices.ContainsFunc(f.groups, func(g *group) bool { return g.key.rule == remoteSession }) {
			continue
		}
		id := f.server.Zone.ID
		if rows := s.refuted[id]; s.claims[id].notApplicable.Has("SR 2.6") && !rows.Has("SR 2.6") {
			rows.Add("SR 2.6")
			s.refuted[id] = rows
			s.note("not-applicable-refuted", f.settled.decision.Position, "SR 2.6 is declared not applicable to %s, but there was a remote session, %s: %s", id, f.who(), f.spoke())
		}
	}
	for _, g := range s.groups {
		if g.key.rule != remoteSession && g.key.rule != readablePassword {
			continue
		}
		for _, id := range s.claims[g.subject.ID].notApplicable.IDs() {
			if g.key.rule == remoteSession && id == "SR 2.6" || g.key.rule == readablePassword && strings.HasPrefix(id, "SR 1.7") {
				g.refuted.Add(id)
			}
		}
	}
}

// levels computes the levels of every zone and conduit.
func (s *scene) levels(coverage []Coverage) (zs, cs []Levels) {
	voids := make(map[string][]*group)
	for _, g := range s.ranked {
		if g.effective != (iec62443.Set{}) {
			voids[g.subject.ID] = append(voids[g.subject.ID], g)
		}
	}
	seen := s.seen().zones
	zs, cs = make([]Levels, 0, len(s.model.Zones)), make([]Levels, 0, len(s.model.Conduits))
	for _, z := range s.model.Zones {
		l := s.level(z.ID, z.SLT, voids[z.ID])
		l.Kind, l.Testable, l.Coverage = string(z.Kind), testableShares, NotSeen
		if seen[z.ID] {
			l.Coverage = Seen
		}
		zs = append(zs, l)
	}
	s.addSubzones(zs)
	for i, c := range s.model.Conduits {
		l := s.level(c.ID, c.SLT, voids[c.ID])
		l.Kind, l.Testable, l.Coverage = string(c.Kind), testableShares, coverage[i].State
		cs = append(cs, l)
	}
	return zs, cs
}

// level computes one zone's or conduit's levels from what is declared for it and
// the findings that void requirements there.
func (s *scene) level(id string, slt zones.Vector, voiding []*group) Levels {
	l := Levels{ID: id, SLT: slt, Gap: []Gap{}, Limits: []Limit{}}
	c := s.claims[id]
	var voided iec62443.Set
	void := func(finding string, requirements iec62443.Set) {
		voided = voided.Union(requirements)
		for _, id := range requirements.IDs() {
			r, _ := iec62443.Lookup(id)
			l.Limits = append(l.Limits, Limit{FR: r.FR, Requirement: id, Finding: finding, Level: s.reading.MinSL(r) - 1})
		}
	}
	for _, g := range voiding {
		void(g.id, g.effective)
	}
	void("", s.refuted[id])
	slices.SortFunc(l.Limits, func(a, b Limit) int {
		return cmp.Or(cmp.Compare(a.FR, b.FR), cmp.Compare(a.Level, b.Level), strings.Compare(a.Requirement, b.Requirement), strings.Compare(a.Finding, b.Finding))
	})
	for _, fr := range zones.FRs() {
		l.Ceiling[fr] = s.reading.Cap(fr, voided)
		if c.met.Names(fr) || c.notApplicable.Names(fr) {
			if n, ok := s.reading.Level(fr, c.met, c.notApplicable); ok {
				l.Declared[fr] = &n
				a, _ := s.reading.Level(fr, c.met.Without(voided), c.notApplicable.Without(voided))
				l.SLA[fr] = &a
			}
		}
		achieved := uint8(0)
		if l.SLA[fr] != nil {
			achieved = *l.SLA[fr]
		}
		if slt[fr] > achieved {
			l.Gap = append(l.Gap, Gap{FR: fr, Levels: slt[fr] - achieved,
				Design:   l.Declared[fr] == nil || *l.Declared[fr] < slt[fr],
				Evidence: l.Ceiling[fr] < slt[fr]})
		}
	}
	return l
}

// addSubzones fills in the levels of zones with their sub-zones: per FR the lowest,
// and null where any of them is.
func (s *scene) addSubzones(levels []Levels) {
	children := make(map[string][]int)
	for i, z := range s.model.Zones {
		if z.Parent != "" {
			children[z.Parent] = append(children[z.Parent], i)
		}
	}
	done := make(map[int]bool)
	var lowest func(i int) [zones.NumFR]*uint8
	lowest = func(i int) [zones.NumFR]*uint8 {
		out := levels[i].SLA
		if done[i] { // a model without cycles does not come here twice
			return out
		}
		done[i] = true
		for _, child := range children[levels[i].ID] {
			for fr, n := range lowest(child) {
				if n == nil || out[fr] != nil && *n < *out[fr] {
					out[fr] = n
				}
			}
		}
		if len(children[levels[i].ID]) > 0 {
			levels[i].SLAWithSubzones = &out
		}
		return out
	}
	for i, z := range s.model.Zones {
		if z.Parent == "" {
			lowest(i)
		}
	}
}

// testableShares counts, per FR, the requirements that some rule, whether or not it
// has a check yet, can void.
var testableShares = func() [zones.NumFR]Share {
	var out [zones.NumFR]Share
	var voidable iec62443.Set
	for _, f := range facts {
		voidable = voidable.Union(iec62443.SetOf(f.Contradicts...))
	}
	for _, r := range iec62443.Catalogue() {
		out[r.FR].Of++
		if voidable.Has(r.ID) {
			out[r.FR].Testable++
		}
	}
	return out
}()
