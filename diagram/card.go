package diagram

import (
	"fmt"
	"strings"

	"bulkhead/rules"
	"bulkhead/zones"
)

// maxAssetLines bounds the assets that a card names, maxHovers the findings that
// the text over a card or plate does.
const (
	maxAssetLines = 4
	maxHovers     = 12
)

// label is the HTML-like label of a card.
func (c *card) label() string {
	z, l := c.zone, lookOf(c.zone)
	style := ""
	if l.style != "" {
		style = fmt.Sprintf(` style="%s"`, l.style)
	}
	var b strings.Builder
	fmt.Fprintf(&b, `<table border="%d" cellborder="0" cellspacing="0" cellpadding="4" bgcolor="%s" color="%s"%s>`, l.width, white, l.border, style)
	fmt.Fprintf(&b, `<tr><td align="left" bgcolor="%s"><b>%s</b></td>`, l.head, escape(l.mark+clean(z.Name, maxName)))
	fmt.Fprintf(&b, `<td align="right" bgcolor="%s"><font point-size="9" color="%s">%s</font></td></tr>`, l.head, faint, escape(c.tag()))
	for _, line := range assetLines(z.Assets) {
		fmt.Fprintf(&b, `<tr><td align="left" colspan="2"><font point-size="10">%s</font></td></tr>`, escape(line))
	}
	if n := len(c.children); n > 0 {
		fmt.Fprintf(&b, `<tr><td align="left" colspan="2"><font point-size="10" color="%s">%s</font></td></tr>`, faint, escape("the frame holds its "+count(uint64(n), "sub-zone")))
	}
	if !z.IsBuiltIn() {
		b.WriteString(c.foot())
	}
	b.WriteString("</table>")
	return b.String()
}

// tag is the zone's ID, kind and Purdue level.
func (c *card) tag() string {
	var parts []string
	if c.zone.ID != c.zone.Name {
		parts = append(parts, clean(c.zone.ID, maxID))
	}
	if string(c.zone.Kind) != c.zone.ID {
		parts = append(parts, string(c.zone.Kind))
	}
	if c.zone.Safety && c.zone.Kind != zones.Safety {
		parts = append(parts, "safety")
	}
	if c.zone.Purdue != "" {
		parts = append(parts, "L"+c.zone.Purdue)
	}
	return strings.Join(parts, " · ")
}

// assetLines names a zone's assets, several to a line.
func assetLines(assets []*zones.Asset) []string {
	var lines []string
	line := ""
	for i, a := range assets {
		name := a.Name
		if name == "" {
			name = a.ID
		}
		name = clean(name, maxName)
		switch {
		case line == "":
			line = name
		case len([]rune(line))+len([]rune(name))+2 <= maxLine:
			line += ", " + name
		case len(lines)+1 == maxAssetLines:
			return append(lines, fmt.Sprintf("%s and %d more", line, len(assets)-i))
		default:
			lines, line = append(lines, line), name
		}
	}
	if line != "" {
		lines = append(lines, line)
	}
	return lines
}

// foot shows SL-T and, with an assessment, what became of it.
func (c *card) foot() string {
	var b strings.Builder
	fmt.Fprintf(&b, `<tr><td align="left" bgcolor="%s" colspan="2">%s</td></tr>`, levelTint(c.zone.SLT), escape("SL-T "+levelText(c.zone.SLT)))
	if c.levels == nil {
		return b.String()
	}
	st := levelState(c.levels)
	fmt.Fprintf(&b, `<tr><td align="left" bgcolor="%s" colspan="2"><font color="%s"><b>%s</b></font></td></tr>`, st.tint, st.ink, escape(st.mark+" "+st.text))
	return b.String()
}

// levelText shortens a vector of equal levels to one.
func levelText(v zones.Vector) string {
	if v == zones.Scalar(v[0]) {
		return fmt.Sprint(v[0])
	}
	return v.String()
}

// levelTint is the tint of the vector's highest level.
func levelTint(v zones.Vector) string {
	highest := uint8(0)
	for _, n := range v {
		highest = max(highest, n)
	}
	return levelTints[min(highest, zones.MaxLevel)]
}

// state is what an assessment came to for a zone or conduit, told by mark, words
// and tint together.
type state struct {
	mark, text string
	tint, ink  string
	legend     string // what the mark means
}

// The states of zones.
var (
	short    = state{mark: "✗", tint: redTint, ink: red, legend: "traffic shows SL-A below SL-T"}
	designed = state{mark: "△", tint: amberTint, ink: amber, legend: "the design itself reaches less than SL-T"}
	unrefute = state{mark: "●", text: "no contradiction seen", tint: white, ink: ink, legend: "seen, and nothing contradicts SL-T (which proves nothing)"}
	unseen   = state{mark: "○", text: "no traffic seen", tint: greyTint, ink: faint, legend: "not seen: nothing is known"}
)

// levelState is the state of a zone, or of a conduit with a gap, by its levels.
func levelState(l *rules.Levels) state {
	st := unrefute
	switch {
	case fallsShort(l):
		st = short
		st.text = achieved(l)
	case len(l.Gap) > 0:
		st = designed
		st.text = achieved(l)
	case l.Coverage == rules.NotSeen:
		st = unseen
	case l.Ceiling != zones.Scalar(zones.MaxLevel):
		st.text = "nothing seen below SL-T"
	}
	return st
}

// fallsShort reports whether evidence holds some FR below SL-T.
func fallsShort(l *rules.Levels) bool {
	for _, g := range l.Gap {
		if g.Evidence {
			return true
		}
	}
	return false
}

// achieved names the FRs in which SL-A falls short, with the level: "SL-A IAC 0
// DC –", the dash for an FR of which no measure names a requirement.
func achieved(l *rules.Levels) string {
	undeclared := 0
	var b strings.Builder
	b.WriteString("SL-A")
	for _, g := range l.Gap {
		fmt.Fprintf(&b, " %s ", g.FR)
		if int(g.FR) < zones.NumFR && l.SLA[g.FR] != nil {
			fmt.Fprint(&b, *l.SLA[g.FR])
		} else {
			b.WriteString("–")
			undeclared++
		}
	}
	if undeclared == zones.NumFR {
		return "SL-A –, no measure declared"
	}
	return b.String()
}
