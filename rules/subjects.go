package rules

import (
	"slices"

	"bulkhead/conduits"
	"bulkhead/zones"
)

// Subjects names the codes of what a finding may be about, as the table of rules
// spells them.
const (
	serverZone    = "server-zone"
	clientZone    = "client-zone"
	bothZones     = "both-zones"
	theConduit    = "conduit"
	controlZones  = "control-zones"
	safetyZone    = "safety-zone"
	protectedZone = "protected-zone"
)

// subjects lists what a rule's finding on a flow is about. Built-in zones and zones
// that ask for no level are never subjects.
func (s *scene) subjects(r *Rule, f *judged) []Subject {
	out := make([]Subject, 0, 3)
	add := func(sub Subject) {
		if !slices.Contains(out, sub) {
			out = append(out, sub)
		}
	}
	zone := func(z *zones.Zone) {
		for _, sub := range s.subjectsAt(z) {
			add(sub)
		}
	}
	ends := []*zones.Zone{f.client.Zone, f.server.Zone}
	for _, code := range r.Subjects {
		switch code {
		case serverZone:
			zone(f.server.Zone)
		case clientZone:
			zone(f.client.Zone)
		case bothZones:
			for _, z := range ends {
				zone(z)
			}
		case controlZones:
			for _, z := range ends {
				if z != nil && z.Kind.IsControl() {
					zone(z)
				}
			}
		case safetyZone:
			for _, z := range ends {
				if z != nil && z.Kind == zones.Safety {
					zone(z)
				}
			}
		case theConduit:
			if c := f.over(); c != nil {
				add(Subject{Kind: "conduit", ID: c.ID})
			}
		case protectedZone:
			if c := f.over(); c != nil && c.OneWay != nil {
				zone(s.zones[c.OneWay.From])
			}
		}
	}
	return out
}

// subjectsAt returns a zone as a subject, or nothing if it cannot be one: a
// built-in zone, or one that asks for no level.
func (s *scene) subjectsAt(z *zones.Zone) []Subject {
	if z == nil || z.IsBuiltIn() || z.SLT == (zones.Vector{}) {
		return nil
	}
	return []Subject{{Kind: "zone", ID: z.ID}}
}

// over returns the approved conduit that a flow goes over: the one that permits it
// or came closest; nil if none joins its ends.
func (f *judged) over() *conduits.Conduit {
	if f.settled == nil {
		return nil
	}
	if c := f.settled.decision.Conduit; c != nil && c.Status == conduits.Approved {
		return c
	}
	return nil
}

// accuse reports a flow, with the rule's own requirements, against each of the
// rule's subjects.
func (s *scene) accuse(report func(hit), r *Rule, f *judged, ops []operation) {
	s.accuseOf(report, r, f, Contradiction, r.Contradicts, ops)
}

func (s *scene) accuseOf(report func(hit), r *Rule, f *judged, class Class, voids []string, ops []operation) {
	for _, sub := range s.subjects(r, f) {
		report(hit{class: class, subject: sub, voids: voids, flow: f, ops: ops})
	}
}
