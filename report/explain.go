package report

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"bulkhead/rules"
	"bulkhead/rules/iec62443"
)

// RuleText writes what is known of an evidence rule: what it looks at, what it
// voids, and what it cannot prove.
func RuleText(w io.Writer, f rules.Facts, o Options) error {
	p := newPage(w, o)
	p.line("%s  %s", p.paint(bold, safe(f.ID)), safe(f.Title))
	p.gap()
	for _, x := range []struct{ label, text string }{
		{"class", fmt.Sprintf("%s, severity %s", f.Class, f.Severity)},
		{"check", unchecked(f.ID)},
		{"looks at", f.Evidence},
		{"voids", strings.Join(f.Contradicts, ", ")},
		{"asks proof", strings.Join(f.Weakens, ", ")},
		{"about", f.Scope},
		{"why", f.Why},
		{"wrong when", f.FalsePositives},
		{"no proof of", f.CannotProve},
		{"ZCR", strings.Join(f.ZCR, ", ")},
		{"ATT&CK", strings.Join(f.Attack, ", ")},
	} {
		if x.text != "" {
			p.field(x.label, safe(x.text))
		}
	}
	return p.close()
}

// unchecked says that a rule is known and not judged, or "".
func unchecked(id string) string {
	if slices.ContainsFunc(rules.Implemented(), func(r rules.Rule) bool { return r.ID == id }) {
		return ""
	}
	return "none in this version: no finding of it will be made"
}

// RequirementText writes what is known of a requirement, what level is left
// without it, and the evidence rules that void it or ask proof of it.
func RequirementText(w io.Writer, r iec62443.Requirement, touching []rules.Facts, o Options) error {
	p := newPage(w, o)
	p.line("%s  %s", p.paint(bold, r.ID), r.Title)
	p.gap()
	p.field("FR", r.FR.String())
	p.field("asked from", fmt.Sprintf("SL %d", r.MinSL))
	p.field("when void", fmt.Sprintf("at most SL %d is left of %s", r.MinSL-1, r.FR))
	if r.Conditional {
		p.field("conditional", "may be declared not applicable where its subject is absent")
	}
	if len(touching) == 0 {
		p.field("traffic", "no evidence rule can test it: its level is what the measures declare")
	}
	for _, x := range []struct {
		label string
		names func(rules.Facts) []string
	}{
		{"voided by", func(f rules.Facts) []string { return f.Contradicts }},
		{"asks proof", func(f rules.Facts) []string { return f.Weakens }},
	} {
		label := x.label
		for _, f := range touching {
			if !slices.Contains(x.names(f), r.ID) {
				continue
			}
			text := f.ID + " " + f.Title
			if unchecked(f.ID) != "" {
				text += " (not checked in this version)"
			}
			p.field(label, safe(text))
			label = ""
		}
	}
	return p.close()
}
