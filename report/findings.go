package report

import (
	"fmt"
	"slices"
	"strings"

	"bulkhead/rules"
	"bulkhead/zones"
)

// Bounds on the findings that text shows.
const (
	maxFindings = 60
	maxEvidence = 3  // of one finding
	maxShown    = 10 // frames of one piece of evidence
)

// findings lists every finding from the gravest on, accepted ones last.
func (p *assessmentPage) findings() {
	list := slices.Clone(p.a.Findings)
	slices.SortStableFunc(list, byGravity)
	open := 0
	for _, f := range list {
		if f.Status != rules.Accepted {
			open++
		}
	}
	switch {
	case len(list) == 0:
		p.heading("FINDINGS", "none")
		return
	case open == len(list):
		p.heading("FINDINGS", plural(open, "finding")+", the gravest first")
	default:
		p.heading("FINDINGS", fmt.Sprintf("%d open, %d accepted; the gravest first", open, len(list)-open))
	}
	for i := range list {
		if i == maxFindings {
			p.gap()
			p.more(2, len(list)-i, "findings")
			break
		}
		p.finding(&list[i], told(list[:i], &list[i]))
	}
}

// told returns the finding, of those before f, that tells of the same flows by the
// same rule, of another subject; nil if none does.
func told(before []rules.Finding, f *rules.Finding) *rules.Finding {
	same := func(a, b rules.Evidence) bool {
		return a.Capture == b.Capture && a.Flow == b.Flow && a.Filter == b.Filter && a.Count == b.Count
	}
	for i := range before {
		b := &before[i]
		if len(f.Evidence) > 0 && b.Rule == f.Rule && b.Class == f.Class && b.Message == f.Message && b.Flows == f.Flows && b.Fix == f.Fix &&
			slices.EqualFunc(b.Evidence, f.Evidence, same) {
			return b
		}
	}
	return nil
}

// finding writes one finding. What an earlier one, like, told already is not
// repeated.
func (p *assessmentPage) finding(f, like *rules.Finding) {
	p.gap()
	tone := yellow
	if f.Severity == rules.Critical || f.Severity == rules.High {
		tone = red
	}
	state := ""
	if f.Status == rules.Accepted {
		state, tone = "  ACCEPTED", faint
	}
	p.line("  %s  %s  %s %s%s", p.paint(tone, pad(strings.ToUpper(cut(string(f.Severity), 12)), 8)), p.paint(bold, cut(f.Rule, 16)), cut(f.Subject.Kind, 12), p.paint(bold, cut(f.Subject.ID, 60)),
		p.paint(tone, state))
	if like != nil {
		p.wrapped("  ", "the same flows as "+safe(like.ID)+" above, with the same evidence and fix")
	} else {
		p.wrapped("  ", safe(f.Message))
	}
	p.field("id", fmt.Sprintf("%s, %s, confidence %s", safe(f.ID), safe(string(f.Class)), safe(f.Confidence)))
	if like == nil {
		p.evidence(f)
	}
	if f.Model != nil {
		p.field("model", safe(f.Model.String()))
		if p.Line != nil {
			if text := strings.TrimSpace(p.Line(*f.Model)); text != "" {
				p.line("%s%s", fieldIndent, p.paint(faint, "| "+cut(text, max(p.Width-len(fieldIndent)-2, 20))))
			}
		}
	}
	p.requirements(f)
	if f.Fix != "" && like == nil {
		p.field("fix", safe(f.Fix))
	}
	if f.Exception != "" {
		p.field("exception", safe(f.Exception)+": it changes the status, no level")
	}
}

const fieldIndent = "               "

// field writes a labelled fact.
func (p *page) field(label, text string) {
	p.wrapped("  "+pad(label, len(fieldIndent)-2), text)
}

func (p *assessmentPage) evidence(f *rules.Finding) {
	label, flows := "evidence", 0
	for i := range f.Evidence {
		if i == maxEvidence {
			break
		}
		e := &f.Evidence[i]
		where := p.file(e.Capture) + " " + frames(e)
		if !e.First.IsZero() {
			where += ", " + between(e.First.UTC(), e.Last.UTC())
		}
		p.field(label, where)
		label = ""
		if named := i > 0 && e.Flow == f.Evidence[i-1].Flow; !named {
			flows++
			if e.Flow != "" && (i > 0 || !strings.Contains(f.Message, flowEnds(e.Flow))) {
				p.field("", safe(e.Flow))
			}
		}
		if e.Filter != "" {
			// On one line however long, for it is there to be copied.
			p.line("%s%s", fieldIndent, p.paint(faint, safe(e.Filter)))
		}
	}
	switch n, pieces := f.Flows-flows, len(f.Evidence)-maxEvidence; {
	case n > 0:
		p.field(label, "and "+plural(n, "more flow")+" (use --format json)")
	case pieces > 0:
		p.field(label, "and "+plural(pieces, "more sighting")+" (use --format json)")
	}
}

// file is the path of a capture, or its hash where the assessment lacks it.
func (p *assessmentPage) file(hash string) string {
	if path, ok := p.paths[hash]; ok && path != "" {
		return safe(path)
	}
	return "sha256 " + short(hash)
}

// frames lists the first frames of a piece of evidence.
func frames(e *rules.Evidence) string {
	if len(e.Frames) == 0 {
		return fmt.Sprintf("(%s)", plural(e.Count, "packet"))
	}
	var b strings.Builder
	b.WriteString("frame")
	if len(e.Frames) > 1 {
		b.WriteByte('s')
	}
	for i, n := range e.Frames {
		if i == maxShown {
			b.WriteString(" …")
			break
		}
		if i > 0 {
			b.WriteByte(',')
		}
		fmt.Fprintf(&b, " %d", n)
	}
	if e.Count > uint64(min(len(e.Frames), maxShown)) {
		fmt.Fprintf(&b, " (%d in all)", e.Count)
	}
	return b.String()
}

// flowEnds returns the first words of a flow, who called: what a message that
// tells of the flow begins with.
func flowEnds(flow string) string {
	who, _, _ := strings.Cut(flow, " to ")
	return who
}

// requirements says what the finding voids, or asks proof of, and where that
// leaves the levels.
func (p *assessmentPage) requirements(f *rules.Finding) {
	if len(f.Requirements) == 0 {
		return
	}
	label := "voids"
	switch f.Class {
	case rules.Weakening:
		label = "asks proof"
	case rules.Support:
		label = "speaks for"
	case rules.CoverageClass:
		label = "concerns"
	}
	text := safe(strings.Join(f.Requirements, ", "))
	var caps []string
	for _, fr := range zones.FRs() {
		if n, ok := f.Caps[fr]; ok {
			caps = append(caps, fmt.Sprintf("%s %d", fr, n))
		}
	}
	if len(caps) > 0 {
		text += ", which leaves at most " + strings.Join(caps, ", ")
	}
	p.field(label, text)
	if len(f.Compensated) > 0 {
		p.field("compensated", safe(strings.Join(f.Compensated, ", ")))
	}
}
