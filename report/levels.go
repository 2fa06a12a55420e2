package report

import (
	"fmt"
	"slices"
	"strings"

	"bulkhead/rules"
	"bulkhead/zones"
)

const frOrder = "IAC UC SI DC RDF TRE RA"

// maxID is how much of an ID a table shows.
const maxID = 24

// levels writes the table of zones and conduits, those that evidence holds below
// SL-T first.
func (p *assessmentPage) levels() {
	p.heading("SECURITY LEVELS", "in the order "+frOrder+"; ! falls short of SL-T, – no measure names a requirement of it")
	p.levelTable("zone", p.a.Zones)
	if len(p.a.Conduits) > 0 {
		p.gap()
		p.levelTable("conduit", p.a.Conduits)
	}
}

func (p *assessmentPage) levelTable(what string, list []rules.Levels) {
	rank := func(l *rules.Levels) int {
		switch {
		case hasGap(l, func(g rules.Gap) bool { return g.Evidence }):
			return 0
		case len(l.Gap) > 0:
			return 1
		}
		return 2
	}
	order := make([]*rules.Levels, len(list))
	for i := range list {
		order[i] = &list[i]
	}
	slices.SortStableFunc(order, func(a, b *rules.Levels) int { return rank(a) - rank(b) })

	// Where the page is narrow, levels stand without spaces between them.
	width, apart := 15, " "
	if p.Width < 90 {
		width, apart = 10, ""
	}
	cell := func(v string) string { return pad(strings.ReplaceAll(v, " ", apart), width) }
	idWidth := len(what) + 2
	for _, l := range slices.Concat(p.a.Zones, p.a.Conduits) {
		idWidth = max(idWidth, columns(cut(l.ID, maxID))+2)
	}
	p.line("  %s", p.paint(faint, pad(what, idWidth)+pad("SL-T", width)+pad("declared", width)+pad("ceiling", width)+pad("SL-A", 16)+"traffic"))
	for i, l := range order {
		// Those that fall short are all shown: a report that hides one is none.
		if i >= maxRows && rank(l) > 0 {
			p.more(2, len(order)-i, what+"s, none of which evidence holds below SL-T")
			break
		}
		p.line("  %s%s%s%s%s  %s", pad(cut(l.ID, maxID), idWidth), cell(digits(l.SLT)), cell(levelDigits(l.Declared)), cell(digits(l.Ceiling)), p.achieved(l), trafficWord(l.Coverage))
		if text := gapWords(l); text != "" {
			p.wrapped("      "+mark(l)+" ", text)
		}
		if l.SLAWithSubzones != nil && *l.SLAWithSubzones != l.SLA && levelDigits(*l.SLAWithSubzones) != levelDigits(l.SLA) {
			p.line("      with its sub-zones SL-A is %s", levelDigits(*l.SLAWithSubzones))
		}
	}
}

func mark(l *rules.Levels) string {
	if hasGap(l, func(g rules.Gap) bool { return g.Evidence }) {
		return "✗"
	}
	return "△"
}

// achieved is SL-A with a mark behind every level that falls short, 14 columns
// wide.
func (p *assessmentPage) achieved(l *rules.Levels) string {
	var b strings.Builder
	for fr, n := range l.SLA {
		digit := "–"
		if n != nil {
			digit = fmt.Sprint(*n)
		}
		if hasGap(l, func(g rules.Gap) bool { return int(g.FR) == fr }) {
			b.WriteString(p.paint(red, digit+"!"))
		} else {
			b.WriteString(digit + " ")
		}
	}
	return b.String()
}

// gapWords says in which FRs a level is missing, and by whose fault.
func gapWords(l *rules.Levels) string {
	undeclared := 0
	for _, n := range l.SLA {
		if n == nil {
			undeclared++
		}
	}
	if undeclared == zones.NumFR && len(l.Gap) > 0 && !hasGap(l, func(g rules.Gap) bool { return g.Evidence }) {
		return "short of SL-T: no measure is declared"
	}
	var evidence, design, both []string
	for _, g := range l.Gap {
		text := fmt.Sprintf("%s by %d", g.FR, g.Levels)
		switch {
		case g.Evidence && g.Design:
			both = append(both, text)
		case g.Evidence:
			evidence = append(evidence, text)
		default:
			design = append(design, text)
		}
	}
	var parts []string
	for _, part := range []struct {
		list []string
		why  string
	}{{evidence, "traffic refutes it"}, {both, "traffic refutes it, and the design declares less"}, {design, "the design declares less"}} {
		if len(part.list) > 0 {
			parts = append(parts, strings.Join(part.list, ", ")+" ("+part.why+")")
		}
	}
	if len(parts) == 0 {
		return ""
	}
	return "short of SL-T: " + strings.Join(parts, "; ")
}

// trafficWord says in eight columns what was seen of a zone or conduit.
func trafficWord(state string) string {
	switch state {
	case rules.NotSeen:
		return "not seen"
	case rules.SeenAllowed:
		return "allowed"
	case rules.ObservableSilent:
		return "silent"
	case rules.NotObservable:
		return "no tap"
	}
	return cut(state, 8)
}

func coverageWords(state string) string {
	switch state {
	case rules.SeenAllowed:
		return "seen allowed"
	case rules.ObservableSilent:
		return "silent"
	case rules.NotObservable:
		return "not observable"
	}
	return safe(state)
}

func digits(v zones.Vector) string { return strings.Trim(v.String(), "{}") }

func levelDigits(v [zones.NumFR]*uint8) string {
	out := make([]string, len(v))
	for i, n := range v {
		out[i] = "–"
		if n != nil {
			out[i] = fmt.Sprint(*n)
		}
	}
	return strings.Join(out, " ")
}
