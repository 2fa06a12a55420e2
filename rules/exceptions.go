package rules

import (
	"slices"

	"bulkhead/model"
	"bulkhead/zones"
)

// accept sets the status of the findings that live exceptions cover, and notes the
// exceptions that have expired or cover nothing. Findings are those of s.ranked, in
// that order.
func (s *scene) accept(findings []Finding) {
	for _, x := range s.model.Exceptions {
		matched := false
		for i, g := range s.ranked {
			if !covers(x, g) {
				continue
			}
			matched = true
			if s.live(x.Expires) && findings[i].Exception == "" {
				findings[i].Status, findings[i].Exception = Accepted, x.ID
			}
		}
		switch {
		case !matched:
			s.note("exception-unmatched", x.Position, "exception %q for %s on %s covers nothing that was found", x.ID, x.Rule, x.Subject)
		case !s.live(x.Expires):
			s.note("exception-expired", x.Position, "exception %q for %s on %s expired on %s; its finding is open again",
				x.ID, x.Rule, x.Subject, dateText(x.Expires))
		}
	}
	for _, m := range s.model.Measures {
		if m.Compensating && !s.inForce(m) {
			s.note("review-overdue", m.Position, "compensating measure %q was to be reviewed by %s and counts no longer", m.ID, dateText(m.ReviewBy))
		}
	}
}

// covers reports whether an exception is for a finding: by its subject, or by an
// asset that is an end of every flow that shows it.
func covers(x *model.Exception, g *group) bool {
	if x.Rule != g.key.rule.ID {
		return false
	}
	if x.Subject == g.subject.ID {
		return true
	}
	is := func(l zones.Location) bool { return l.Asset != nil && l.Asset.Ref() == x.Subject }
	return len(g.flows) > 0 && !slices.ContainsFunc(g.flows, func(f *judged) bool { return !is(f.client) && !is(f.server) })
}
