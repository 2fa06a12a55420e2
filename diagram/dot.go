package diagram

import (
	"fmt"
	"strings"

	"bulkhead/conduits"
	"bulkhead/model"
	"bulkhead/rules"
)

// DOT returns the drawing of m as Graphviz source; a, which may be nil, is what
// captures showed of it.
func DOT(m *model.Model, a *rules.Assessment) string {
	s := newSheet(m, a)
	w := &writer{sheet: s}
	w.open()
	w.clusters()
	w.ranks()
	w.lines()
	w.print("}\n")
	return w.b.String()
}

// writer prints a sheet in DOT.
type writer struct {
	*sheet
	b strings.Builder
}

func (w *writer) print(format string, args ...any) { fmt.Fprintf(&w.b, format, args...) }

func (w *writer) open() {
	w.print("digraph %s {\n", quote("zones and conduits of "+clean(w.model.System.ID, maxTitle)))
	w.print("graph [rankdir=TB, newrank=true, %s, nodesep=0.35, ranksep=0.3, pad=0.3, fontname=%q, fontsize=11, fontcolor=%q, labelloc=b, labeljust=l, label=<%s>];\n",
		w.effort(), font, ink, w.legend())
	w.print("node [shape=plain, fontname=%q, fontsize=11, fontcolor=%q];\n", font, ink)
	w.print("edge [dir=none, color=%q, arrowsize=0.8];\n", lineInk)
}

// manyLines is from how many lines on the layout is kept short.
const manyLines = 1500

// effort bounds Graphviz's work on very large sheets: without it, 2,000 conduits
// at random among 500 zones take minutes; with it, seconds. Straight pieces in
// place of curves still keep off the cards.
func (w *writer) effort() string {
	lines := 0
	for _, p := range w.plates {
		lines += len(p.ends)
	}
	if lines < manyLines {
		return "splines=spline"
	}
	return "splines=polyline, nslimit=0.5, nslimit1=0.5, mclimit=0.05"
}

// clusters prints every card and plate in its cluster.
func (w *writer) clusters() {
	w.print("subgraph \"cluster page\" {\nlabelloc=t; labeljust=l; color=%q; label=<%s>;\n", white, w.title())
	w.nodes(nil, true)
	w.print("subgraph \"cluster suc\" {\nstyle=\"rounded,dashed\"; color=%q; margin=12; label=\"\";\n", faint)
	w.print("%q [fontcolor=%q, label=<<table border=\"0\"><tr><td>%s</td></tr></table>>];\n", sucName, faint, escape("SuC: "+clean(w.model.System.Name, maxTitle)))
	w.nodes(nil, false)
	for _, c := range w.cards {
		if c.parent == nil && !c.outside {
			w.cluster(c)
		}
	}
	w.print("}\n")
	for _, c := range w.cards {
		if c.parent == nil && c.outside {
			w.cluster(c)
		}
	}
	w.print("}\n")
}

// cluster prints a zone's card, inside its cluster if it has sub-zones.
func (w *writer) cluster(c *card) {
	if len(c.children) == 0 {
		w.card(c)
		return
	}
	l := lookOf(c.zone)
	w.print("subgraph %s {\nstyle=solid; bgcolor=\"#fafbfc\"; color=%q; margin=12; label=\"\";\n", quote("cluster "+c.node), l.border)
	w.card(c)
	w.nodes(c, false)
	for _, k := range c.children {
		w.cluster(k)
	}
	w.print("}\n")
}

// nodes prints the plates that lie in the cluster of inside and in no deeper
// one.
func (w *writer) nodes(inside *card, outside bool) {
	for _, p := range w.plates {
		if p.inside == inside && p.outside == outside {
			w.plate(p)
		}
	}
}

func (w *writer) card(c *card) {
	w.print("%s [class=%q, tooltip=%s, label=<%s>];\n", quote(c.node), "zone", quote(hover(c.zone.Position, w.about[c.zone.ID])), c.label())
}

func (w *writer) plate(p *plate) {
	class, text := "conduit", ""
	if p.crossing != nil {
		class = "crossing"
		var about []*rules.Finding
		for _, id := range p.crossing.findings {
			about = append(about, w.findings[id])
		}
		text = hover(zeroPosition, about)
	} else {
		text = hover(p.conduit.Position, w.about[p.conduit.ID])
	}
	w.print("%s [class=%q, tooltip=%s, label=<%s>];\n", quote(p.node), class, quote(text), w.label(p))
}

// ranks prints the rows: an invisible spine of one point a rank, and what stands
// beside each.
func (w *writer) ranks() {
	last := 2 * len(w.rows)
	members := make([][]string, last+1)
	for _, c := range w.cards {
		members[2*c.row] = append(members[2*c.row], c.node)
	}
	for _, p := range w.plates {
		members[p.rank] = append(members[p.rank], p.node)
	}
	top := w.topOfSuC()
	previous := ""
	rank := func(name string, nodes []string) {
		if len(nodes) == 0 {
			return
		}
		spine := "rank " + name
		w.print("%s [shape=point, width=0.01, style=invis];\n{rank=same; %s;", quote(spine), quote(spine))
		for _, n := range nodes {
			w.print(" %s;", quote(n))
		}
		w.print("}\n")
		if previous != "" {
			w.print("%s -> %s [style=invis, weight=0];\n", quote(previous), quote(spine))
		}
		previous = spine
	}
	for r, nodes := range members {
		if r == top {
			rank("of the SuC's name", []string{sucName})
		}
		rank(fmt.Sprint(r), nodes)
	}
}

// sucName is the node that names the SuC. It is a node because Graphviz leads
// lines across the labels of clusters.
const sucName = "name of the SuC"

// topOfSuC returns the rank of the uppermost row of the SuC.
func (w *writer) topOfSuC() int {
	top := 2 * len(w.rows)
	for _, c := range w.cards {
		if !c.outside {
			top = min(top, 2*c.row)
		}
	}
	return top
}

// lines prints the lines of every plate.
func (w *writer) lines() {
	for _, p := range w.plates {
		for i, e := range p.ends {
			w.line(p, e, i)
		}
	}
}

// line prints one line of a plate. Graphviz's edges run downwards, so the upper
// end is the tail; what runs from the first end to the second keeps its way in
// one row.
func (w *writer) line(p *plate, e end, i int) {
	down := e.rank() > p.rank || e.rank() == p.rank && i > 0
	tail, head := e.node(), p.node
	if down {
		tail, head = head, tail
	}
	at := func(arrow string, towardsEnd bool) string {
		if towardsEnd == down {
			return fmt.Sprintf("dir=forward, arrowhead=%s", arrow)
		}
		return fmt.Sprintf("dir=back, arrowtail=%s", arrow)
	}
	st := w.state(p)
	attrs := []string{}
	color, width, style := lineInk, 1.6, p.medium.style
	switch {
	case p.crossing != nil:
		color, style = st.ink, "dashed"
		if i == 1 {
			attrs = append(attrs, at("normal", true))
		}
	case st == breached:
		color, width = red, 3
	case p.conduit.Status != conduits.Approved:
		color, width = violet, 1.2
	case st == silent:
		width = 1
	case st == unknown:
		color, width = "#8b97a1", 1
	}
	if style == "dotted" {
		width += 1
	}
	class := "line"
	if p.conduit != nil {
		if p.medium.class != "" {
			class += " " + p.medium.class
		}
		if o := p.conduit.OneWay; o != nil && e.card != nil {
			switch e.card.zone.ID {
			case o.To: // the bar of the diode's sign stands before the receiving zone
				attrs = append(attrs, at("teeoempty", true))
			}
		}
		if !p.conduit.Trusted {
			color = color + ":" + white + ":" + color
		}
	}
	attrs = append(attrs, fmt.Sprintf("color=%q, penwidth=%.1f, style=%s, class=%q", color, width, style, class))
	w.print("%s -> %s [%s];\n", quote(tail), quote(head), strings.Join(attrs, ", "))
}
