package report

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"bulkhead/conduits"
	"bulkhead/model"
	"bulkhead/rules/iec62443"
	"bulkhead/zones"
)

// CheckText sums up a model that has no errors: what it declares, and how far the
// measures reach of every SL-T. Reviews and exceptions are not judged: that takes
// a day, which only an assessment has.
func CheckText(w io.Writer, m *model.Model) error {
	p := newPage(w, Options{})
	p.line("%s: no errors", safe(m.Path))
	p.wrapped("", fmt.Sprintf("%s (%s): %s", safe(m.System.Name), safe(m.System.ID), inventory(m)))
	p.heading("DECLARED LEVELS", "in the order "+frOrder+"; ! the measures reach less than SL-T, – no measure names a requirement of it")
	rows := [][]string{{"zone or conduit", "SL-T", "declared"}}
	for _, z := range m.Zones {
		rows = append(rows, []string{cut(z.ID, 32), digits(z.SLT), declared(m, z.ID, z.SLT)})
	}
	for _, c := range m.Conduits {
		rows = append(rows, []string{cut(c.ID, 32), digits(c.SLT), declared(m, c.ID, c.SLT)})
	}
	hidden := len(rows) - 1 - 5*maxRows
	if hidden > 0 {
		rows = rows[:1+5*maxRows]
	}
	p.table(2, []int{32, 0, 0}, rows)
	if hidden > 0 {
		p.line("  and %d more zones and conduits", hidden)
	}
	return p.close()
}

// inventory counts what a model declares.
func inventory(m *model.Model) string {
	assets, channels, proposed := 0, 0, 0
	for _, z := range m.Zones {
		assets += len(z.Assets)
	}
	for _, c := range m.Conduits {
		assets += len(c.Assets)
		channels += len(c.Channels)
		if c.Status != conduits.Approved {
			proposed++
		}
	}
	conduitWords := plural(len(m.Conduits), "conduit")
	if proposed > 0 {
		conduitWords += fmt.Sprintf(" (%d proposed, which permit nothing)", proposed)
	}
	return strings.Join([]string{plural(len(m.Zones), "zone"), plural(assets, "asset"), conduitWords, plural(channels, "channel"),
		plural(len(m.Measures), "measure"), plural(len(m.Taps), "tap"), plural(len(m.Exceptions), "exception")}, ", ")
}

// declared returns the levels that the measures and not-applicable rows of a zone
// or conduit reach, those below slt marked.
func declared(m *model.Model, id string, slt zones.Vector) string {
	var met, notApplicable iec62443.Set
	for _, x := range m.Measures {
		if slices.Contains(x.Covers, id) {
			met = met.Union(iec62443.SetOf(x.Meets...))
		}
	}
	for _, x := range m.NotApplicable {
		if slices.Contains(x.Covers, id) {
			notApplicable.Add(x.Requirement)
		}
	}
	reading := iec62443.Reading{ExplicitApproval: m.Policy.ExplicitApprovalLevel}
	var b strings.Builder
	for i, fr := range zones.FRs() {
		level, named := uint8(0), met.Union(notApplicable).Names(fr)
		digit := "–"
		if named {
			// An FR whose every requirement is not applicable has no level to miss.
			var any bool
			if level, any = reading.Level(fr, met, notApplicable); any {
				digit = fmt.Sprint(level)
			}
		}
		mark := " "
		if level < slt[i] {
			mark = "!"
		}
		b.WriteString(digit + mark)
	}
	return strings.TrimRight(b.String(), " ")
}
