package report

import (
	"cmp"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"bulkhead/capture"
	"bulkhead/rules"
	"bulkhead/rules/iec62443"
	"bulkhead/zones"
)

// Text writes an assessment for a person: the verdict in words, the levels of
// zones and conduits, the findings from the gravest, then flows, coverage, the
// ledger of each capture, notes, and what none of it can show.
func Text(w io.Writer, a *rules.Assessment, o Options) error {
	p := &assessmentPage{page: newPage(w, o), a: a, paths: map[string]string{}}
	for _, c := range a.Captures {
		p.paths[c.SHA256] = c.Path
	}
	p.headline()
	p.levels()
	p.findings()
	p.flows()
	p.coverage()
	p.ledger()
	p.notes()
	p.limits()
	return p.close()
}

// assessmentPage is a page about an assessment.
type assessmentPage struct {
	*page
	a     *rules.Assessment
	paths map[string]string // of captures, by SHA-256
}

// headline says the verdict in words, and of what.
func (p *assessmentPage) headline() {
	verdict, tone := p.verdict()
	for _, l := range wrap(verdict, p.Width, p.Width) {
		p.line("%s", p.paint(tone, l))
	}
	sys := p.a.Model.System
	what := fmt.Sprintf("%s (%s)", safe(sys.Name), safe(sys.ID))
	if sys.Revision != "" {
		what += ", revision " + safe(sys.Revision)
	}
	p.wrapped("", fmt.Sprintf("%s · model %s, sha256 %s · judged as of %s", what, safe(p.a.Model.Path), short(p.a.Model.SHA256), p.a.AsOf))
	first, last := p.span()
	if n := len(p.a.Captures); n > 0 && !first.IsZero() {
		p.wrapped("", fmt.Sprintf("%s, %s, %s watched", plural(n, "capture"), between(first, last), hours(p.watched())))
	} else {
		p.wrapped("", plural(n, "capture"))
	}
	if n := p.belowByDesign(); n > 0 {
		p.wrapped("", p.paint(yellow, fmt.Sprintf("by design alone, %d of the zones and conduits declare less than their SL-T", n)))
	}
}

// verdict is the headline: never that all is well, at best that nothing seen
// speaks against it.
func (p *assessmentPage) verdict() (string, colour) {
	switch p.a.Verdict {
	case rules.OverallBreach:
		zonesShort, conduitsShort := below(p.a.Zones), below(p.a.Conduits)
		switch {
		case conduitsShort == 0:
			return fmt.Sprintf("BREACH: %s below %s SL-T", fall(zonesShort, "zone", 0), its(zonesShort)), red
		case zonesShort == 0:
			return fmt.Sprintf("BREACH: %s below %s SL-T", fall(conduitsShort, "conduit", 0), its(conduitsShort)), red
		}
		return fmt.Sprintf("BREACH: %s and %s below their SL-T", plural(zonesShort, "zone"), fall(conduitsShort, "conduit", zonesShort)), red
	case rules.OverallDeviation:
		n := 0
		for i := range p.a.Flows {
			if p.a.Flows[i].Verdict == rules.Deviation {
				n++
			}
		}
		return fmt.Sprintf("DEVIATION: %s against the model; no SL-T is shown to be missed", fallAs(n, "flow", "go")), yellow
	case rules.NoContradiction:
		observable, clear := 0, 0
		for _, c := range p.a.Coverage {
			if c.State == rules.NotObservable {
				continue
			}
			observable++
			if c.State != rules.Violated {
				clear++
			}
		}
		return fmt.Sprintf("no contradiction seen on %d of %s in %s", clear, plural(observable, "observable conduit"), hours(p.watched())), green
	}
	return "NOT ASSESSABLE: nothing was seen that could be judged", yellow
}

// fall returns "1 conduit falls" or "2 conduits fall"; with others before it in
// the sentence the verb is plural.
func fall(n int, one string, others int) string {
	if n+others > 1 {
		return plural(n, one) + " fall"
	}
	return plural(n, one) + " falls"
}

func fallAs(n int, one, verb string) string {
	if n == 1 {
		return plural(n, one) + " " + verb + "es"
	}
	return plural(n, one) + " " + verb
}

func its(n int) string {
	if n == 1 {
		return "its"
	}
	return "their"
}

// below counts those that evidence holds below SL-T.
func below(list []rules.Levels) int {
	n := 0
	for i := range list {
		if hasGap(&list[i], func(g rules.Gap) bool { return g.Evidence }) {
			n++
		}
	}
	return n
}

func (p *assessmentPage) belowByDesign() int {
	n := 0
	for _, list := range [][]rules.Levels{p.a.Zones, p.a.Conduits} {
		for i := range list {
			if hasGap(&list[i], func(g rules.Gap) bool { return g.Design }) {
				n++
			}
		}
	}
	return n
}

func hasGap(l *rules.Levels, of func(rules.Gap) bool) bool { return slices.ContainsFunc(l.Gap, of) }

// span returns when the captures began and ended.
func (p *assessmentPage) span() (first, last time.Time) {
	for _, c := range p.a.Captures {
		if c.First.IsZero() {
			continue
		}
		if t := c.First.UTC(); first.IsZero() || t.Before(first) {
			first = t
		}
		if t := c.Last.UTC(); t.After(last) {
			last = t
		}
	}
	return first, last
}

// watched returns for how long at least one capture watched.
func (p *assessmentPage) watched() time.Duration {
	var list []*capture.Capture
	for i := range p.a.Captures {
		list = append(list, &p.a.Captures[i].Capture)
	}
	return capture.Watched(list)
}

// hours returns a duration to the minute, or to the second below one.
func hours(d time.Duration) string {
	switch h, m := int(d/time.Hour), int(d%time.Hour/time.Minute); {
	case d < time.Minute:
		return fmt.Sprintf("%d s", int(d/time.Second))
	case h == 0:
		return fmt.Sprintf("%d min", m)
	case m == 0:
		return fmt.Sprintf("%d h", h)
	default:
		return fmt.Sprintf("%d h %d min", h, m)
	}
}

// between returns a stretch of time to the second; the day once, if it is one day.
func between(first, last time.Time) string {
	const day, clock = "2006-01-02", "15:04:05Z"
	switch {
	case first.IsZero():
		return "at an unknown time"
	case last.IsZero() || last.Sub(first) < time.Second:
		return first.Format(day + " " + clock)
	case first.Format(day) == last.Format(day):
		return first.Format(day+" "+clock) + " to " + last.Format(clock)
	}
	return first.Format(day+" "+clock) + " to " + last.Format(day+" "+clock)
}

// short returns the first digits of a hash.
func short(hash string) string { return safe(hash[:min(len(hash), 12)]) }

// notes lists what is no finding and should be known.
func (p *assessmentPage) notes() {
	if len(p.a.Notes) == 0 {
		return
	}
	p.heading("NOTES", "")
	for i, n := range p.a.Notes {
		if i == maxRows {
			p.more(2, len(p.a.Notes)-i, "notes")
			break
		}
		text := fmt.Sprintf("%s [%s]", safe(n.Text), safe(n.Code))
		if n.Model != nil {
			text = safe(n.Model.String()) + ": " + text
		}
		p.wrapped("  - ", text)
	}
}

// maxRows bounds a table.
const maxRows = 40

// limits closes the report with what it cannot show.
func (p *assessmentPage) limits() {
	p.heading("LIMITS", "")
	text := "Traffic refutes, it never proves: a capture can lower SL-A, never raise it, and what no tap saw is unknown."
	testable, of := 0, 0
	var none []string
	if list := slices.Concat(p.a.Zones, p.a.Conduits); len(list) > 0 {
		for fr, share := range list[0].Testable {
			testable, of = testable+share.Testable, of+share.Of
			if share.Testable == 0 {
				none = append(none, zones.FR(fr).String())
			}
		}
	}
	if of > 0 {
		text += fmt.Sprintf(" Of the %d requirements traffic can test %d", of, testable)
		if len(none) > 0 {
			text += ", of " + strings.Join(none, " and ") + " none"
		}
		checked, voidable := checked()
		text += fmt.Sprintf("; the %d of %d evidence rules that have a check in this version can void %d of those. The rest of SL-A is what the measures declare.",
			checked, len(rules.Known()), voidable)
	}
	p.wrapped("  ", text)
}

// checked counts the rules that have a check, and the requirements that they can
// void.
func checked() (implemented, voidable int) {
	var set iec62443.Set
	list := rules.Implemented()
	for _, r := range list {
		set = set.Union(iec62443.SetOf(r.Contradicts...))
	}
	return len(list), set.Len()
}

// byGravity orders findings: open before accepted, then by severity.
func byGravity(a, b rules.Finding) int {
	place := func(s rules.Severity) int {
		if i := slices.Index(rules.Severities(), s); i >= 0 {
			return i
		}
		return len(rules.Severities())
	}
	accepted := func(f rules.Finding) int {
		if f.Status == rules.Accepted {
			return 1
		}
		return 0
	}
	return cmp.Or(cmp.Compare(accepted(a), accepted(b)), cmp.Compare(place(a.Severity), place(b.Severity)))
}
