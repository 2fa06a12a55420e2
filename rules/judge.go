package rules

import (
	"cmp"
	"fmt"
	"slices"

	"bulkhead/capture"
	"bulkhead/model"
	"bulkhead/rules/iec62443"
	"bulkhead/zones"
)

// Options are the inputs of a judgement besides the model and the observations.
type Options struct {
	// AsOf is the day on which exceptions and reviews are judged. On the zero Date
	// nothing has expired.
	AsOf model.Date
}

// Judge holds observations against a model. It changes neither, and the same
// inputs in any order give the same assessment.
func Judge(m *model.Model, obs *capture.Observations, opts Options) *Assessment {
	s := newScene(m, obs, opts)
	s.place()
	s.decide()
	s.check()
	a := &Assessment{
		Schema: Schema,
		Model:  ModelRef{Path: m.Path, SHA256: m.SHA256, System: m.System},
		AsOf:   dateText(opts.AsOf),
	}
	a.Captures = s.captureRefs()
	a.Findings = s.findings()
	s.accept(a.Findings)
	a.Flows = s.flowList()
	a.Coverage = s.coverage()
	a.Zones, a.Conduits = s.levels(a.Coverage)
	a.Verdict = s.verdict(slices.Concat(a.Zones, a.Conduits))
	a.Notes = s.noteList()
	return a
}

// scene is what one judgement works on: the inputs, indexed, and what the steps so
// far came to.
type scene struct {
	model   *model.Model
	obs     *capture.Observations
	opts    Options
	reading iec62443.Reading

	zones      map[string]*zones.Zone
	broadcasts map[zoneAddress]bool
	bound      map[linkAddress]zones.Location
	taps       []*model.Tap // by index of capture; nil where it belongs to none
	order      []int        // indexes of captures, by hash: an order that does not depend on that of the input

	claims map[string]claim // by zone or conduit
	flows  []*judged
	groups map[groupKey]*group
	ranked []*group // groups in the order of output
	// Not-applicable rows, by zone, that traffic speaks against without a finding.
	refuted map[string]iec62443.Set
	notes   []Note
	showed  *sightings // what seen returned
}

func newScene(m *model.Model, obs *capture.Observations, opts Options) *scene {
	s := &scene{
		model:   m,
		obs:     obs,
		opts:    opts,
		reading: iec62443.Reading{ExplicitApproval: m.Policy.ExplicitApprovalLevel},
		zones:   make(map[string]*zones.Zone, len(m.Zones)),
		groups:  make(map[groupKey]*group),
		refuted: make(map[string]iec62443.Set),
	}
	for _, z := range m.Zones {
		s.zones[z.ID] = z
	}
	s.broadcasts = broadcastsOf(m.Zones)
	s.gatherClaims()
	s.taps = assignTaps(m, obs.Captures)
	s.order = make([]int, len(obs.Captures))
	for i := range s.order {
		s.order[i] = i
	}
	slices.SortFunc(s.order, func(a, b int) int {
		x, y := &obs.Captures[a], &obs.Captures[b]
		return cmp.Or(cmp.Compare(x.SHA256, y.SHA256), cmp.Compare(x.Path, y.Path))
	})
	return s
}

// check runs every rule over the scene.
func (s *scene) check() {
	for _, r := range implemented {
		r.check(s, r, func(h hit) { s.report(r, h) })
	}
}

// note records something that a reader should know and that is no finding.
func (s *scene) note(code string, at zones.Position, format string, args ...any) {
	n := Note{Code: code, Text: fmt.Sprintf(format, args...)}
	if !at.IsZero() {
		n.Model = &at
	}
	s.notes = append(s.notes, n)
}

func (s *scene) noteList() []Note {
	for i, t := range s.taps {
		if t == nil {
			s.note("capture-without-tap", zones.Position{}, "capture %q belongs to no tap of the model", s.obs.Captures[i].Path)
		}
	}
	for _, t := range s.model.Taps {
		if !slices.Contains(s.taps, t) {
			s.note("tap-without-capture", t.Position, "tap %q has no capture", t.ID)
		}
	}
	slices.SortFunc(s.notes, func(a, b Note) int { return cmp.Or(cmp.Compare(a.Code, b.Code), cmp.Compare(a.Text, b.Text)) })
	if s.notes == nil {
		return []Note{}
	}
	return s.notes
}

// verdict sums the levels, findings and flows up. Evidence brings a level below
// SL-T through a finding or through a not-applicable row that it refutes.
func (s *scene) verdict(levels []Levels) OverallVerdict {
	for i := range levels {
		if slices.ContainsFunc(levels[i].Gap, func(g Gap) bool { return g.Evidence }) {
			return OverallBreach
		}
	}
	judgedAny, deviation := false, false
	for _, g := range s.ranked {
		deviation = deviation || g.key.class == Contradiction
	}
	for _, f := range s.flows {
		switch f.verdict {
		case Deviation:
			deviation = true
		case Allowed, Intra, Refused:
			judgedAny = true
		}
	}
	switch {
	case deviation:
		return OverallDeviation
	case judgedAny:
		return NoContradiction
	}
	return OverallNotAssessable
}

func dateText(d model.Date) string {
	if d.IsZero() {
		return ""
	}
	return fmt.Sprintf("%04d-%02d-%02d", d.Year, d.Month, d.Day)
}
