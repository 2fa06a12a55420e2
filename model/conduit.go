package model

import (
	"strings"

	"gopkg.in/yaml.v3"

	"bulkhead/conduits"
	"bulkhead/zones"
)

// conduitNodes is what is needed of a conduit once everything is read.
type conduitNodes struct {
	target node            // of the SL-T declared; its Node is nil if there is none
	known  bool            // the SL-T, because it could be read
	joined map[string]bool // the zones joined: a conduit may join very many
	astray bool            // it joins a zone that does not exist, and may have meant any
}

// conduit reads a conduit with its assets and channels.
func (r *reader) conduit(n node) {
	what := subject("conduit", n)
	c := &conduits.Conduit{Trusted: true, Status: conduits.Approved, Position: n.position()}
	nodes := &conduitNodes{joined: make(map[string]bool)}
	r.conduitNodes[c] = nodes
	var joins, assets, oneWay, channels node
	read := r.mapping(n, what, []field{
		{"id", func(n node) {
			if id, ok := r.id(n, what); ok && r.declare("conduit", id, n) {
				c.ID = id
			}
		}},
		{"name", r.intoText(&c.Name, what+": name")},
		{"joins", func(n node) { joins = n }},
		{"sl-t", func(n node) {
			nodes.target = n
			c.SLT, nodes.known = r.vector(n, what+": sl-t")
			c.SLTGiven = true
		}},
		{"rationale", r.intoText(&c.Rationale, what+": rationale")},
		{"kind", intoOneOf(r, &c.Kind, what+": kind", conduits.Kinds())},
		{"assets", func(n node) { assets = n }},
		{"boundary", func(n node) { r.conduitBoundary(n, what+": boundary", c) }},
		{"one-way", func(n node) { oneWay = n }},
		{"via", func(n node) { r.via(n, what+": via", c) }},
		{"trusted", r.intoBool(&c.Trusted, what+": trusted")},
		{"status", intoOneOf(r, &c.Status, what+": status", []conduits.Status{conduits.Approved, conduits.Proposed})},
		{"channels", func(n node) { channels = n }},
		{"owner", r.intoText(&c.Owner, what+": owner")},
		{"access-points", r.accessPoints(&c.LogicalAccessPoints, &c.PhysicalAccessPoints, what+": access-points")},
		{"requirements", r.intoTexts(&c.Requirements, what+": requirements")},
		{"policies", r.intoTexts(&c.Policies, what+": policies")},
		{"assumptions", r.intoTexts(&c.Assumptions, what+": assumptions")},
	}, "id", "joins")
	if !read {
		return
	}
	if c.Name == "" {
		c.Name = c.ID
	}
	if joins.Node != nil {
		r.joins(joins, what+": joins", c)
	}
	if assets.Node != nil {
		c.Assets = r.assetList(assets, what, "", c.ID)
	}
	if oneWay.Node != nil {
		r.oneWay(oneWay, what+": one-way", c)
	}
	if channels.Node != nil {
		seen := make(map[string]node, len(channels.Content))
		r.items(channels, what+": channels", func(n node) { r.channel(n, what, c, seen) })
	}
	if c.ID != "" {
		r.model.Conduits = append(r.model.Conduits, c)
		r.conduits[c.ID] = c
		r.conduitIDs = append(r.conduitIDs, c.ID)
	}
}

// joins reads the zones that a conduit joins. All zones are known by then.
func (r *reader) joins(n node, what string, c *conduits.Conduit) {
	ids, at := r.texts(n, what)
	anyDeclared := false
	for i, id := range ids {
		r.conduitNodes[c].joined[id] = true
		z := r.zones[id]
		if z == nil {
			r.reportName(at[i], codeUnknownName, id, r.anyZone, "%s: there is no zone %q", what, id)
			anyDeclared = true // as was meant
			r.conduitNodes[c].astray = true
			continue
		}
		anyDeclared = anyDeclared || !z.IsBuiltIn()
	}
	c.Joins = ids
	switch {
	case n.Kind != yaml.SequenceNode:
	case len(ids) < 2:
		r.report(n, codeJoins, "%s: a conduit joins at least two zones; found %d", what, len(ids))
	case !anyDeclared:
		r.report(n, codeJoins, "%s: only built-in zones; expected a declared one", what)
	}
}

// conduitBoundary reads the devices that enforce the boundary, as a list or, where
// the boundary is described besides, under the key assets.
func (r *reader) conduitBoundary(n node, what string, c *conduits.Conduit) {
	if n.Kind != yaml.MappingNode {
		r.boundaryDevices(n, what, c)
		return
	}
	r.mapping(n, what, []field{
		{"assets", func(n node) { r.boundaryDevices(n, what+": assets", c) }},
		{"logical", r.intoText(&c.LogicalBoundary, what+": logical")},
		{"physical", r.intoText(&c.PhysicalBoundary, what+": physical")},
	})
}

func (r *reader) boundaryDevices(n node, what string, c *conduits.Conduit) {
	values, at := r.texts(n, what)
	c.Boundary = values
	r.later = append(r.later, func() {
		for i, v := range values {
			if strings.Contains(v, "/") {
				r.knownAsset(at[i], what, v)
				continue
			}
			if c.ID != "" && r.assets[c.ID+"/"+v] == nil {
				own := func() []string {
					var ids []string
					for _, a := range c.Assets {
						ids = append(ids, a.ID)
					}
					return ids
				}
				r.reportName(at[i], codeUnknownName, v, own, "%s: the conduit has no asset %q; expected one of its own, or zone/asset", what, v)
			}
		}
	})
}

// oneWay reads the only direction of a conduit, "a -> b".
func (r *reader) oneWay(n node, what string, c *conduits.Conduit) {
	s, ok := r.text(n, what)
	if !ok {
		return
	}
	from, to, ok := strings.Cut(s, "->")
	d := &conduits.Direction{From: strings.TrimSpace(from), To: strings.TrimSpace(to)}
	if !ok || d.From == "" || d.To == "" || d.From == d.To {
		r.report(n, codeOneWay, `%s: %q is not a direction; expected two of the zones joined, such as "%s"`, what, s, exampleDirection(c))
		return
	}
	for _, id := range []string{d.From, d.To} {
		if !r.conduitNodes[c].joined[id] {
			r.reportName(n, codeOneWay, id, func() []string { return c.Joins }, "%s: the conduit does not join %q; expected two of %s", what, id, some(c.Joins))
			return
		}
	}
	c.OneWay = d
}

func exampleDirection(c *conduits.Conduit) string {
	if len(c.Joins) < 2 {
		return "operations -> control"
	}
	return c.Joins[0] + " -> " + c.Joins[1]
}

// some lists names for a message: not more of them than can be read.
func some(names []string) string {
	const most = 8
	if len(names) > most {
		return strings.Join(names[:most], ", ") + ", …"
	}
	return strings.Join(names, ", ")
}

// via reads the intermediary at which every flow must end.
func (r *reader) via(n node, what string, c *conduits.Conduit) {
	ref, ok := r.text(n, what)
	if !ok {
		return
	}
	r.later = append(r.later, func() {
		a := r.knownAsset(n, what, ref)
		if a == nil {
			return
		}
		if !r.conduitNodes[c].joined[a.Zone] && (a.Conduit == "" || a.Conduit != c.ID) {
			r.report(n, codeViaOutside, "%s: %q is in none of the zones joined (%s), so no flow could end at it", what, ref, some(c.Joins))
			return
		}
		c.Via = a
	})
}

// conduitTargets gives conduits that state no SL-T their default, per FR the
// highest of the declared zones joined, and compares those that do (lint Z5).
func (r *reader) conduitTargets() {
	for _, c := range r.model.Conduits {
		var highest zones.Vector
		sure := true
		for _, id := range c.Joins {
			z := r.zones[id]
			if z == nil || z.IsBuiltIn() {
				continue
			}
			highest = highest.Max(z.SLT)
			sure = sure && r.zoneNodes[z].known
		}
		nodes := r.conduitNodes[c]
		if !c.SLTGiven {
			c.SLT = highest
			continue
		}
		if below := c.SLT.Below(highest); nodes.known && sure && len(below) > 0 && c.Rationale == "" {
			r.report(nodes.target, codeSLBelowZone, "conduit %q: sl-t %s is below %s, the highest of the zones joined, in %s; expected a rationale (Z5)",
				c.ID, c.SLT, highest, frList(below))
		}
	}
}
