package rules

import (
	"fmt"

	"bulkhead/zones"
)

// writeIntoSafety fires on what the rules of use control would, where it comes from
// outside into a safety zone. What an approved channel names for the sender is
// declared, and so no finding: the safety system's own engineering station, or a
// reset with its list of addresses.
var writeIntoSafety = &Rule{
	Facts:    mustFacts("EV-110"),
	permit:   true,
	Subsumes: []string{"EV-050", "EV-052", "EV-054"},
	check: func(s *scene, r *Rule, report func(hit)) {
		for _, f := range s.flows {
			if !f.judgeable() || f.outcome != Answered || !f.cross || !isKind(f.server, zones.Safety) {
				continue
			}
			var ops []operation
			for _, u := range []use{programmed, moded, written} {
				ops = append(ops, s.unauthorised(f, u)...)
			}
			if len(ops) == 0 {
				continue
			}
			for _, sub := range s.subjects(r, f) {
				// The sender's zone may be of kind safety as well; it lost nothing.
				if sub.ID == f.server.Zone.ID {
					report(hit{class: Contradiction, subject: sub, voids: r.Contradicts, flow: f, ops: ops})
				}
			}
		}
	},
	say: usedText("changed it"),
	fix: func(g *group) string {
		f := g.hits[0].flow
		return fmt.Sprintf("keep %s from doing this; engineering of safety zone %s belongs to its own engineering station", endName(f.client), f.server.ID())
	},
}
