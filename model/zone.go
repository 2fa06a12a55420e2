package model

import (
	"slices"
	"strings"

	"bulkhead/zones"
)

// zoneNodes are the nodes of a zone that are needed once all zones are known. The
// Node of one that the model does not give is nil.
type zoneNodes struct {
	self, target, parent node
	known                bool // the zone's SL-T, because it was read or inherited
}

// zone reads a zone with its assets.
func (r *reader) zone(n node) {
	what := subject("zone", n)
	z := &zones.Zone{Position: n.position()}
	nodes := &zoneNodes{self: n}
	var assets, networks node
	fields := []field{
		{"id", func(n node) {
			if id, ok := r.id(n, what); ok && r.declare("zone", id, n) {
				z.ID = id
			}
		}},
		{"name", r.intoText(&z.Name, what+": name")},
		{"kind", intoOneOf(r, &z.Kind, what+": kind", zones.Kinds())},
		{"purdue", intoOneOf(r, &z.Purdue, what+": purdue", zones.PurdueLevels())},
		{"parent", func(n node) {
			nodes.parent = n
			r.parent(n, what, z)
		}},
		{"sl-t", func(n node) {
			nodes.target = n
			z.SLT, nodes.known = r.vector(n, what+": sl-t")
		}},
		{"rationale", r.intoText(&z.Rationale, what+": rationale")},
		{"safety", r.intoBool(&z.Safety, what+": safety")},
		{"networks", func(n node) { networks = n }},
		{"inventory", func(n node) {
			s, _ := oneOf(r, n, what+": inventory", []string{"complete", "partial"})
			z.Complete = s == "complete"
		}},
		{"assets", func(n node) { assets = n }},
		{"owner", r.intoText(&z.Owner, what+": owner")},
		{"boundary", r.described(&z.LogicalBoundary, &z.PhysicalBoundary, what+": boundary")},
		{"access-points", r.accessPoints(&z.LogicalAccessPoints, &z.PhysicalAccessPoints, what+": access-points")},
		{"requirements", r.intoTexts(&z.Requirements, what+": requirements")},
		{"policies", r.intoTexts(&z.Policies, what+": policies")},
		{"assumptions", r.intoTexts(&z.Assumptions, what+": assumptions")},
	}
	if !r.mapping(n, what, fields, "id", "kind") {
		return
	}
	if z.Name == "" {
		z.Name = z.ID
	}
	z.Safety = z.Safety || z.Kind == zones.Safety
	if networks.Node != nil {
		r.networks(networks, what, z)
	}
	if assets.Node != nil {
		z.Assets = r.assetList(assets, what, z.ID, "")
	}
	// A zone without a valid ID is read for what else is wrong with it.
	if z.ID != "" {
		r.model.Zones = append(r.model.Zones, z)
		r.zones[z.ID] = z
		r.zoneIDs = append(r.zoneIDs, z.ID)
		r.zoneNodes[z] = nodes
	}
}

// described reads the two descriptions of a boundary.
func (r *reader) described(logical, physical *string, what string) func(node) {
	return func(n node) {
		r.mapping(n, what, []field{
			{"logical", r.intoText(logical, what+": logical")},
			{"physical", r.intoText(physical, what+": physical")},
		})
	}
}

// accessPoints reads the two lists of access points.
func (r *reader) accessPoints(logical, physical *[]string, what string) func(node) {
	return func(n node) {
		r.mapping(n, what, []field{
			{"logical", r.intoTexts(logical, what+": logical")},
			{"physical", r.intoTexts(physical, what+": physical")},
		})
	}
}

// parent reads the enclosing zone's ID. Whether there is such a zone shows later.
func (r *reader) parent(n node, what string, z *zones.Zone) {
	id, ok := r.text(n, what+": parent")
	if !ok {
		return
	}
	r.later = append(r.later, func() {
		if parent := r.zones[id]; parent == nil || parent.IsBuiltIn() {
			r.reportName(n, codeUnknownName, id, func() []string { return r.zoneIDs }, "%s: parent: there is no declared zone %q", what, id)
			return
		}
		z.Parent = id
	})
}

// zoneTargets finds cycles of parents, hands SL-T down from parents to sub-zones
// that state none, and checks those that do.
func (r *reader) zoneTargets() {
	const (
		open = 1 + iota
		done
	)
	state := make(map[*zones.Zone]int, len(r.model.Zones))
	for _, z := range r.model.Zones {
		// Up to the first zone that is settled, then down again.
		var chain []*zones.Zone
		for z != nil && state[z] == 0 {
			state[z] = open
			chain = append(chain, z)
			z = r.zones[z.Parent]
		}
		if z != nil && state[z] == open {
			last := chain[len(chain)-1]
			r.report(r.zoneNodes[last].parent, codeParentCycle, "zone %q: parent %q lies inside the zone itself", last.ID, last.Parent)
		}
		for _, z := range slices.Backward(chain) {
			r.zoneTarget(z)
			state[z] = done
		}
	}
}

func (r *reader) zoneTarget(z *zones.Zone) {
	nodes := r.zoneNodes[z]
	parent := r.zones[z.Parent]
	switch {
	case nodes.target.Node == nil && nodes.parent.Node == nil:
		r.report(nodes.self, codeSLMissing, "zone %q: no sl-t, and no parent from which to inherit it", z.ID)
	case parent == nil: // declared without one, or reported already
	case nodes.target.Node == nil:
		z.SLT, nodes.known = parent.SLT, r.zoneNodes[parent].known
	case nodes.known && r.zoneNodes[parent].known:
		if below := z.SLT.Below(parent.SLT); len(below) > 0 {
			r.report(nodes.target, codeSLBelowParent, "zone %q: sl-t %s is below %s of parent %q in %s",
				z.ID, z.SLT, parent.SLT, parent.ID, frList(below))
		}
	}
}

// frList returns FRs as people write them: "IAC, UC".
func frList(frs []zones.FR) string {
	names := make([]string, len(frs))
	for i, fr := range frs {
		names[i] = fr.String()
	}
	return strings.Join(names, ", ")
}
