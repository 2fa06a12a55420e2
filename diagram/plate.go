package diagram

import (
	"fmt"
	"slices"
	"strings"

	"bulkhead/capture"
	"bulkhead/conduits"
	"bulkhead/rules"
	"bulkhead/zones"
)

// maxEntries bounds the lines of protocols on a plate, maxEntry one of them, and
// maxClasses the classes of operation that one on a crossing names.
const (
	maxEntries = 4
	maxEntry   = 56
	maxClasses = 2
)

// The states of conduits, of proposed ones and of undeclared crossings.
var (
	breached = state{mark: "✗", text: "violated", tint: redPale, ink: red, legend: "traffic contradicts it"}
	allowed  = state{mark: "●", text: "allowed traffic seen", tint: white, ink: ink, legend: "only traffic that it allows was seen"}
	silent   = state{mark: "○", text: "silent", tint: white, ink: faint, legend: "a tap sees it, nothing crossed"}
	unknown  = state{mark: "?", text: "not observable", tint: greyTint, ink: faint, legend: "no tap sees it: nothing is known"}
	plain    = state{tint: white, ink: ink}

	proposed = state{mark: "◇", text: "proposed, permits nothing", ink: violet, legend: "proposed: permits nothing yet"}

	crossed  = state{mark: "✗", text: "NO CONDUIT", tint: redPale, ink: red, legend: "traffic over no conduit"}
	stopped  = state{mark: "⊘", text: "no conduit, refused", tint: white, ink: faint, legend: "attempts over no conduit, none answered"}
	unplaced = state{mark: "?", text: "no conduit, not assessable", tint: white, ink: amber, legend: "over no conduit, not assessable"}
)

// state returns what the assessment shows of a plate's conduit or crossing.
func (s *sheet) state(p *plate) state {
	if x := p.crossing; x != nil {
		switch {
		case x.isOpen():
			return crossed
		case x.unsure > 0:
			return unplaced
		}
		return stopped
	}
	c := s.coverage[p.conduit.ID]
	if c == nil {
		return plain
	}
	switch c.State {
	case rules.Violated:
		return breached
	case rules.SeenAllowed:
		return allowed
	case rules.ObservableSilent:
		return silent
	}
	return unknown
}

// label is the HTML-like label of a plate.
func (s *sheet) label(p *plate) string {
	if p.crossing != nil {
		return p.crossing.label(s.state(p))
	}
	c, st := p.conduit, s.state(p)
	border, style := st.ink, "rounded"
	if c.Status != conduits.Approved {
		border, style = violet, "rounded,dashed"
	}
	width := 1
	if st == breached {
		width = 2
	}
	var b strings.Builder
	openPlate(&b, width, st.tint, border, style)
	fmt.Fprintf(&b, `<tr><td align="left"><font point-size="10"><b>%s</b></font></td><td width="6">&#160;</td>`, escape(clean(c.ID, maxID)))
	fmt.Fprintf(&b, `<td align="right"><font point-size="10">%s</font></td></tr>`, escape("SL-T "+levelText(c.SLT)))
	line := func(ink, text string) {
		fmt.Fprintf(&b, `<tr><td align="left" colspan="3"><font point-size="9" color="%s">%s</font></td></tr>`, ink, escape(text))
	}
	if d := boundaryDevices(c); d != "" {
		line(ink, d)
	}
	if n := p.nature(); n != "" {
		line(ink, n)
	}
	for _, e := range s.entries(p) {
		line(faint, e)
	}
	if c.Status != conduits.Approved {
		line(violet, proposed.mark+" "+proposed.text)
	}
	strong := func(ink, text string) {
		fmt.Fprintf(&b, `<tr><td align="left" colspan="3"><font point-size="9" color="%s"><b>%s</b></font></td></tr>`, ink, escape(text))
	}
	if st.mark != "" {
		strong(st.ink, st.mark+" "+st.text)
	}
	if l := s.levels[c.ID]; l != nil && len(l.Gap) > 0 {
		gap := levelState(l)
		strong(gap.ink, gap.mark+" "+gap.text)
	}
	b.WriteString(closePlate)
	return b.String()
}

// openPlate begins a plate: a table in a table, for a margin that keeps the text
// out of the rounded corners.
func openPlate(b *strings.Builder, width int, tint, border, style string) {
	fmt.Fprintf(b, `<table border="%d" cellborder="0" cellspacing="0" cellpadding="4" bgcolor="%s" color="%s" style="%s"><tr><td>`, width, tint, border, style)
	b.WriteString(`<table border="0" cellborder="0" cellspacing="0" cellpadding="1">`)
}

const closePlate = `</table></td></tr></table>`

// boundaryDevices names what enforces a conduit's boundary.
func boundaryDevices(c *conduits.Conduit) string {
	names := slices.Clone(c.Boundary)
	if len(names) == 0 {
		for _, a := range c.Assets {
			names = append(names, a.ID)
		}
	}
	if len(names) == 0 {
		return ""
	}
	for i, n := range names {
		names[i] = clean(n, maxID)
	}
	return clean("at "+strings.Join(names, ", "), maxLine)
}

// nature says in words what the line's pattern says, and more.
func (p *plate) nature() string {
	c := p.conduit
	var words []string
	switch {
	case c.Kind == conduits.VPN:
		words = append(words, "VPN")
	case p.medium != wired:
		words = append(words, p.medium.name)
	}
	if c.Kind == conduits.Serial && p.medium != serial {
		words = append(words, "serial")
	}
	if !c.Trusted {
		words = append(words, "untrusted")
	}
	if c.Via != nil {
		words = append(words, "via "+clean(c.Via.Ref(), maxID))
	}
	if c.OneWay != nil {
		words = append(words, "one-way "+clean(c.OneWay.From, maxID)+" ▷| "+clean(c.OneWay.To, maxID))
	}
	return strings.Join(words, " · ")
}

// entries are the plate's lines of protocols: channels of one protocol and
// direction together, with the classes of operation that they name.
func (s *sheet) entries(p *plate) []string {
	type entry struct {
		protocol, way string
		classes       []capture.Class
		any, windows  bool
	}
	var list []*entry
	for _, ch := range p.conduit.Channels {
		name := string(ch.Protocol)
		if name == "" && ch.Service != nil {
			name = ch.Service.String()
		}
		if name == "" {
			name = "any protocol"
		}
		way := s.way(ch.From.Zone, ch.To.Zone, p)
		i := slices.IndexFunc(list, func(e *entry) bool { return e.protocol == name && e.way == way })
		if i < 0 {
			i = len(list)
			list = append(list, &entry{protocol: name, way: way})
		}
		e := list[i]
		e.any = e.any || len(ch.Operations) == 0
		e.windows = e.windows || len(ch.Windows) > 0
		for _, c := range ch.Operations {
			if !slices.Contains(e.classes, c) {
				e.classes = append(e.classes, c)
			}
		}
	}
	var lines []string
	for i, e := range list {
		if i == maxEntries-1 && len(list) > maxEntries {
			return append(lines, fmt.Sprintf("and %d more", len(list)-i))
		}
		text := e.protocol
		if !e.any {
			text += " " + joinClasses(e.classes)
		}
		if e.windows {
			text += ", in window"
		}
		lines = append(lines, clean(text, maxEntry)+" "+e.way)
	}
	return lines
}

func joinClasses(list []capture.Class) string {
	names := make([]string, len(list))
	for i, c := range list {
		names[i] = string(c)
	}
	return strings.Join(names, "+")
}

// way shows the direction in which a channel's client asks: an arrow where the
// zones stand in different rows and the conduit has but two, else their IDs.
func (s *sheet) way(from, to string, p *plate) string {
	if len(p.ends) == 2 {
		var a, b *card
		for _, e := range p.ends {
			switch e.card.zone.ID {
			case from:
				a = e.card
			case to:
				b = e.card
			}
		}
		if a != nil && b != nil && a.row < b.row {
			return "↓"
		}
		if a != nil && b != nil && a.row > b.row {
			return "↑"
		}
	}
	return clean(from, maxID) + " → " + clean(to, maxID)
}

// label is the HTML-like label of an undeclared crossing.
func (x *crossing) label(st state) string {
	var b strings.Builder
	openPlate(&b, 2, st.tint, st.ink, "rounded,dashed")
	line := func(size int, text string, bold bool) {
		t := escape(text)
		if bold {
			t = "<b>" + t + "</b>"
		}
		fmt.Fprintf(&b, `<tr><td align="left"><font point-size="%d" color="%s">%s</font></td></tr>`, size, st.ink, t)
	}
	head := st.mark + " " + st.text
	for i, r := range x.rules {
		if i == 3 {
			head += " …"
			break
		}
		head += " " + clean(r, 12)
	}
	line(10, head, true)
	for i, t := range x.protocols {
		if i == maxEntries-1 && len(x.protocols) > maxEntries {
			rest := 0
			for _, u := range x.protocols[i:] {
				rest += u.flows
			}
			line(9, fmt.Sprintf("%d other protocols, %s", len(x.protocols)-i, count(uint64(rest), "flow")), false)
			break
		}
		line(9, t.label(), false)
	}
	tail := count(x.frames, "frame")
	if x.isOpen() && x.refused > 0 {
		tail += fmt.Sprintf(", %s refused", count(uint64(x.refused), "flow"))
	}
	if x.isOpen() && x.unsure > 0 {
		tail += fmt.Sprintf(", %s not assessable", count(uint64(x.unsure), "flow"))
	}
	line(9, tail, false)
	b.WriteString(closePlate)
	return b.String()
}

// label counts a protocol's flows and what was asked for in them, by class, the
// gravest first: "modbus 3 flows: write ×14, read ×200".
func (t *tally) label() string {
	text := clean(t.name, maxID) + " " + count(uint64(t.flows), "flow")
	var parts []string
	for i, class := range t.classes() {
		if i == maxClasses {
			parts = append(parts, "…")
			break
		}
		parts = append(parts, fmt.Sprintf("%s ×%d", class, t.asked[class]))
	}
	if len(parts) > 0 {
		text += ": " + strings.Join(parts, ", ")
	}
	return clean(text, maxLine)
}

// hover is the text shown over a card or a plate: findings on it and where the
// model declares it.
func hover(where zones.Position, about []*rules.Finding) string {
	var lines []string
	if !where.IsZero() {
		lines = append(lines, clean(where.String(), maxHover))
	}
	for i, f := range about {
		if i == maxHovers {
			lines = append(lines, fmt.Sprintf("and %d more findings", len(about)-i))
			break
		}
		lines = append(lines, clean(fmt.Sprintf("%s %s: %s", f.Rule, f.ID, f.Message), maxHover))
	}
	return strings.Join(lines, "\n")
}
