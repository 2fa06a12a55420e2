package rules

import (
	"slices"

	"bulkhead/model"
	"bulkhead/zones"
)

// accept sets the status of the findings that live exceptions cover, and notes the
// exceptions that have expired or cover nothing, or a finding in part. Findings are
// those of s.ranked, in that order.
func (s *scene) accept(findings []Finding) {
	for _, x := range s.model.Exceptions {
		matched := false
		var partly []string // IDs of findings
		for i, g := range s.ranked {
			if !covers(x, g) {
				if coversSome(x, g) {
					partly = append(partly, g.id)
				}
				continue
			}
			matched = true
			if s.live(x.Expires) && findings[i].Exception == "" {
				findings[i].Status, findings[i].Exception = Accepted, x.ID
			}
		}
		if len(partly) > 0 {
			s.note("exception-partial", x.Position, "exception %q for %s on %s covers only some of the flows of %s", x.ID, x.Rule, x.Subject, enumerate(partly))
		}
		switch {
		case !matched && len(partly) > 0:
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
	return len(g.flows) > 0 && !slices.ContainsFunc(g.flows, func(f *judged) bool { return !endsAt(f, x.Subject) })
}

// coversSome reports whether an exception is for an asset that is an end of some
// flow that shows a finding of its rule.
func coversSome(x *model.Exception, g *group) bool {
	return x.Rule == g.key.rule.ID && slices.ContainsFunc(g.flows, func(f *judged) bool { return endsAt(f, x.Subject) })
}

func endsAt(f *judged, asset string) bool {
	is := func(l zones.Location) bool { return l.Asset != nil && l.Asset.Ref() == asset }
	return is(f.client) || is(f.server)
}
