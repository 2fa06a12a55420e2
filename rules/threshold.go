package rules

import "slices"

// Threshold is from where on an assessment fails: [FailOnBreach],
// [FailOnDeviation] or a [Severity] above info.
type Threshold string

// The thresholds that are no severity.
const (
	FailOnBreach    Threshold = "breach"
	FailOnDeviation Threshold = "deviation" // a breach is one, too
)

// Thresholds lists the thresholds.
func Thresholds() []Threshold {
	return []Threshold{FailOnBreach, FailOnDeviation, Threshold(Critical), Threshold(High), Threshold(Medium), Threshold(Low)}
}

// Fails reports whether something in a is at or above t. What a live exception
// accepts does not count. A level that falls below SL-T without a finding, because
// traffic refutes a not-applicable row, is a breach without a severity.
func (a *Assessment) Fails(t Threshold) bool {
	severities := Severities()
	rank := slices.Index(severities, Severity(t)) // -1 for those that are no severity
	for i := range a.Findings {
		f := &a.Findings[i]
		switch {
		case f.Status != Open:
		case rank < 0 && f.Breach,
			t == FailOnDeviation && f.Class == Contradiction,
			rank >= 0 && slices.Index(severities, f.Severity) <= rank:
			return true
		}
	}
	return rank < 0 && a.rowRefuted() || t == FailOnDeviation && a.deniedBesides()
}

// rowRefuted reports whether a not-applicable row that no finding refutes is
// missing from an SL-T.
func (a *Assessment) rowRefuted() bool {
	return slices.ContainsFunc(slices.Concat(a.Zones, a.Conduits), func(l Levels) bool {
		return slices.ContainsFunc(l.Limits, func(x Limit) bool { return x.Finding == "" && x.Level < l.SLT[x.FR] })
	})
}

// deniedBesides reports whether a flow goes against the model in a way that no
// accepted finding is about: what was seen outside a window has no finding of its
// own, whatever else, accepted, the same flow shows.
func (a *Assessment) deniedBesides() bool {
	accepted := make(map[string]bool, len(a.Findings))
	for i := range a.Findings {
		f := &a.Findings[i]
		accepted[f.ID] = f.Status == Accepted && f.Class == Contradiction && judgesPermit(f.Rule)
	}
	return slices.ContainsFunc(a.Flows, func(f Flow) bool {
		denied := f.Relation == "cross" && !f.Permit.Allowed && (f.Verdict == Deviation || f.Verdict == Breach)
		return denied && (len(f.Unjudged) > 0 || !slices.ContainsFunc(f.Findings, func(id string) bool { return accepted[id] }))
	})
}

// judgesPermit reports whether a rule is about what the design permits, and not
// about how it is carried or by which host.
func judgesPermit(rule string) bool {
	i := slices.IndexFunc(implemented, func(r *Rule) bool { return r.ID == rule })
	return i >= 0 && implemented[i].permit
}
