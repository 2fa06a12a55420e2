package rules

import (
	"bulkhead/capture"
	"bulkhead/conduits"
)

// The states of a conduit's coverage.
const (
	Violated         = "violated"          // what the model does not permit went over it
	SeenAllowed      = "seen-allowed"      // what went over it is permitted
	ObservableSilent = "observable-silent" // a tap could see it, and saw nothing that was let across and could be judged
	NotObservable    = "not-observable"    // no tap with a capture could see it
)

// The coverage of a zone.
const (
	Seen    = "seen"
	NotSeen = "not-seen"
)

// coverage says of every conduit what the captures could show of it. A tap shows a
// conduit if it sees it, or two of the zones that it joins.
func (s *scene) coverage() []Coverage {
	over := make(map[*conduits.Conduit][]*judged)
	for _, f := range s.flows {
		if c := f.over(); c != nil {
			over[c] = append(over[c], f)
		}
	}
	type view struct {
		id       string
		sees     map[string]bool
		captures []*capture.Capture
	}
	var views []view // of the taps with a capture
	for _, t := range s.model.Taps {
		v := view{id: t.ID, sees: make(map[string]bool)}
		for n, tap := range s.taps {
			if tap == t {
				v.captures = append(v.captures, &s.obs.Captures[n])
			}
		}
		for _, id := range t.Sees {
			v.sees[id] = true
		}
		if v.captures != nil {
			views = append(views, v)
		}
	}
	out := make([]Coverage, len(s.model.Conduits))
	for i, c := range s.model.Conduits {
		cov := Coverage{Conduit: c.ID, State: NotObservable, Taps: []string{}, Flows: len(over[c])}
		var captures []*capture.Capture
		for _, v := range views {
			if !shows(v.sees, c) {
				continue
			}
			cov.State = ObservableSilent
			cov.Taps = append(cov.Taps, v.id)
			captures = append(captures, v.captures...)
		}
		for _, x := range captures {
			cov.First, cov.Last = cov.First.Earliest(x.First), cov.Last.Latest(x.Last)
		}
		cov.WatchedMS = capture.Watched(captures).Milliseconds()
		for _, f := range over[c] {
			if f.verdict == Refused {
				cov.Attempts++
			}
			switch {
			case f.denied() && (f.verdict == Breach || f.verdict == Deviation):
				cov.State = Violated
			case !f.denied() && f.verdict != NotAssessable && f.verdict != Refused && cov.State != Violated:
				cov.State = SeenAllowed
			}
		}
		out[i] = cov
	}
	return out
}

func shows(sees map[string]bool, c *conduits.Conduit) bool {
	joined := 0
	for _, id := range c.Joins {
		if sees[id] {
			joined++
		}
	}
	return sees[c.ID] || joined >= 2
}
