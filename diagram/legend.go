package diagram

import (
	"fmt"
	"strings"

	"bulkhead/conduits"
	"bulkhead/rules"
	"bulkhead/zones"
)

var zeroPosition zones.Position

// title is the title block: what is drawn, of which revision, on which day and
// from which model.
func (w *writer) title() string {
	sys := w.model.System
	facts := []string{}
	add := func(name, value string) {
		if value != "" {
			facts = append(facts, name+" "+clean(value, maxID))
		}
	}
	add("system", sys.ID)
	add("owner", sys.Owner)
	add("rev", sys.Revision)
	if w.found != nil {
		add("as of", w.found.AsOf)
	}
	if n := len(w.model.SHA256); n > 0 {
		add("model sha256", w.model.SHA256[:min(n, 12)])
	}
	second := "design only: no capture was held against it"
	if w.found != nil {
		second = w.outcome()
	}
	var b strings.Builder
	b.WriteString(`<table border="0" cellborder="0" cellspacing="0" cellpadding="2">`)
	fmt.Fprintf(&b, `<tr><td align="left"><font point-size="18"><b>%s</b></font></td></tr>`, escape(clean(sys.Name, maxTitle)))
	fmt.Fprintf(&b, `<tr><td align="left"><font color="%s">%s</font></td></tr>`, faint, escape(strings.Join(facts, "  ·  ")))
	fmt.Fprintf(&b, `<tr><td align="left">%s</td></tr>`, escape(second))
	if w.hidden > 0 {
		fmt.Fprintf(&b, `<tr><td align="left"><font color="%s">%s</font></td></tr>`, red, escape(fmt.Sprintf("%d more pairs of zones with traffic over no conduit are not drawn", w.hidden)))
	}
	b.WriteString("</table>")
	return b.String()
}

// outcome says how many zones and conduits fell short and how much was seen.
func (w *writer) outcome() string {
	zonesShort, conduitsShort, seen := 0, 0, 0
	for i := range w.found.Zones {
		if fallsShort(&w.found.Zones[i]) {
			zonesShort++
		}
	}
	for i := range w.found.Conduits {
		if fallsShort(&w.found.Conduits[i]) {
			conduitsShort++
		}
	}
	for _, c := range w.found.Coverage {
		if c.State != rules.NotObservable {
			seen++
		}
	}
	observed := "no conduit is declared"
	if n := len(w.found.Coverage); n > 0 {
		observed = fmt.Sprintf("%d of %s observable", seen, count(uint64(n), "conduit"))
	}
	var short []string
	if zonesShort > 0 {
		short = append(short, count(uint64(zonesShort), "zone"))
	}
	if conduitsShort > 0 {
		short = append(short, count(uint64(conduitsShort), "conduit"))
	}
	if len(short) == 0 {
		return fmt.Sprintf("no traffic seen below SL-T; %s, in %s", observed, count(uint64(len(w.found.Captures)), "capture"))
	}
	return fmt.Sprintf("traffic shows SL-A below SL-T in %s; %s", strings.Join(short, " and "), observed)
}

// key is one entry of the legend: a sample and what it means.
type key struct{ sample, text string }

// legend is a table that explains what the sheet shows, and nothing else.
func (w *writer) legend() string {
	groups := []struct {
		title string
		keys  []key
	}{
		{"Lines", w.lineKeys()},
		{"Zones", w.zoneKeys()},
		{"Findings", w.stateKeys()},
	}
	height := 0
	for _, g := range groups {
		height = max(height, len(g.keys))
	}
	// One grid for all groups keeps their lines level.
	var b strings.Builder
	b.WriteString(`<table border="0" cellborder="0" cellspacing="2" cellpadding="2"><tr>`)
	for _, g := range groups {
		if len(g.keys) > 0 {
			fmt.Fprintf(&b, `<td colspan="2" align="left"><b>%s</b></td><td width="18">&#160;</td>`, g.title)
		}
	}
	b.WriteString(`</tr>`)
	for i := range height {
		b.WriteString(`<tr>`)
		for _, g := range groups {
			switch {
			case len(g.keys) == 0:
			case i < len(g.keys):
				fmt.Fprintf(&b, `%s<td align="left"><font point-size="10">%s</font></td><td>&#160;</td>`, g.keys[i].sample, escape(g.keys[i].text))
			default:
				b.WriteString(`<td>&#160;</td><td>&#160;</td><td>&#160;</td>`)
			}
		}
		b.WriteString(`</tr>`)
	}
	b.WriteString(`</table>`)
	return b.String()
}

// stroke is a sample of a line: a cell of which only one side is drawn.
func stroke(color string, width int, style string) string {
	return fmt.Sprintf(`<td width="44"><table border="0" cellborder="0" cellspacing="0" cellpadding="0"><tr><td width="40" height="6" fixedsize="true" border="%d" sides="b" color="%s" style="%s"></td></tr></table></td>`,
		width, color, style)
}

// glyphs is a sample made of characters.
func glyphs(color, text string) string {
	return fmt.Sprintf(`<td width="44"><font color="%s"><b>%s</b></font></td>`, color, escape(text))
}

func (w *writer) lineKeys() []key {
	seen := map[medium]bool{}
	var untrusted, oneWay, draft bool
	for _, p := range w.plates {
		if p.conduit == nil {
			continue
		}
		seen[p.medium] = true
		untrusted = untrusted || !p.conduit.Trusted
		oneWay = oneWay || p.conduit.OneWay != nil
		draft = draft || p.conduit.Status != conduits.Approved
	}
	var keys []key
	for _, m := range []medium{wired, wireless, remote, temporary, serial} {
		switch {
		case !seen[m]:
		case m == temporary:
			keys = append(keys, key{glyphs(lineInk, "━ · ━ ·"), m.name})
		case m == serial:
			keys = append(keys, key{glyphs(lineInk, "━━ ━━"), m.name})
		default:
			keys = append(keys, key{stroke(lineInk, 2, m.style), m.name})
		}
	}
	if untrusted {
		keys = append(keys, key{fmt.Sprintf(`<td width="44"><table border="0" cellborder="0" cellspacing="0" cellpadding="0"><tr><td width="40" height="4" fixedsize="true" border="1" sides="tb" color="%s"></td></tr></table></td>`, lineInk),
			"double: a network that the owner does not control"})
	}
	if oneWay {
		keys = append(keys, key{glyphs(lineInk, "▷|"), "one-way, towards the bar"})
	}
	if draft {
		keys = append(keys, key{glyphs(violet, proposed.mark), proposed.legend})
	}
	return keys
}

func (w *writer) zoneKeys() []key {
	var tinted [len(levelTints)]bool
	var safety, dashed bool
	for _, c := range w.cards {
		l := lookOf(c.zone)
		safety = safety || l.mark != ""
		dashed = dashed || l.style != ""
		if !c.zone.IsBuiltIn() {
			highest := uint8(0)
			for _, n := range c.zone.SLT {
				highest = max(highest, n)
			}
			tinted[min(highest, zones.MaxLevel)] = true
		}
	}
	var keys []key
	var swatches strings.Builder
	for n, on := range tinted {
		if on {
			fmt.Fprintf(&swatches, `<td bgcolor="%s" width="14"><font point-size="10">%d</font></td>`, levelTints[n], n)
		}
	}
	if swatches.Len() > 0 {
		keys = append(keys, key{`<td width="44"><table border="0" cellborder="0" cellspacing="1" cellpadding="0"><tr>` + swatches.String() + `</tr></table></td>`, "tint: highest level of SL-T"})
	}
	if safety {
		keys = append(keys, key{glyphs(safetyBy, "▲"), "safety-related"})
	}
	if dashed {
		keys = append(keys, key{stroke("#6b7a86", 1, "dashed"), "border: wireless, temporary, or outside"})
	}
	return append(keys, key{glyphs(faint, "{ }"), "levels in the order IAC UC SI DC RDF TRE RA"})
}

func (w *writer) stateKeys() []key {
	if w.found == nil {
		return nil
	}
	var keys []key
	add := func(on bool, what string, st state) {
		if on {
			tint := st.tint
			if tint == "" {
				tint = white
			}
			keys = append(keys, key{fmt.Sprintf(`<td width="44" bgcolor="%s"><font color="%s"><b>%s</b></font></td>`, tint, st.ink, st.mark), what + st.legend})
		}
	}
	has := func(want state) bool {
		for i := range w.found.Conduits {
			if l := &w.found.Conduits[i]; len(l.Gap) > 0 && levelState(l).legend == want.legend {
				return true
			}
		}
		for _, c := range w.cards {
			if c.levels != nil && levelState(c.levels).legend == want.legend {
				return true
			}
		}
		for _, p := range w.plates {
			if w.state(p).legend == want.legend {
				return true
			}
		}
		return false
	}
	for _, st := range []state{short, designed, unrefute, unseen} {
		add(has(st), "levels: ", st)
	}
	for _, st := range []state{breached, allowed, silent, unknown} {
		add(has(st), "conduit: ", st)
	}
	for _, st := range []state{crossed, stopped, unplaced} {
		add(has(st), "dashed plate: ", st)
	}
	return keys
}
