package report

import (
	"fmt"
	"io"
	"strings"
	"unicode/utf8"

	"bulkhead/model"
)

// CheckSchema names the JSON form of [Check].
const CheckSchema = "bulkhead/check/v1"

// Check is what checking a model comes to.
type Check struct {
	Schema   string             `json:"schema"`
	Problems []model.Diagnostic `json:"problems"`
}

// maxLine is how many columns of a source line are shown.
const maxLine = 160

// DiagnosticsText writes every problem of a model with its place, the source line
// and a caret under what is meant:
//
//	plant.yaml:4:36: error: conduit "c3": zone "celll-1" is not declared [unknown-zone]
//	    4 |   joins: [scada, celll-1]
//	      |                  ^~~~~~~ did you mean "cell-1"?
func DiagnosticsText(w io.Writer, list []model.Diagnostic, colour bool) error {
	p := newPage(w, Options{Colour: colour})
	for i := range list {
		p.diagnostic(&list[i])
	}
	return p.close()
}

func (p *page) diagnostic(d *model.Diagnostic) {
	tone := red
	if d.Severity == model.Warning {
		tone = yellow
	}
	p.line("%s: %s: %s [%s]", p.paint(bold, safe(d.Position.String())), p.paint(tone, safe(string(d.Severity))), safe(d.Message), safe(d.Code))
	hint := ""
	if d.Suggest != "" {
		hint = fmt.Sprintf("did you mean %q?", cut(d.Suggest, 80))
	}
	if d.Line == "" || d.Position.Line == 0 {
		if hint != "" {
			p.line("    %s", hint)
		}
		return
	}
	source, offset, width := excerpt(d.Line, d.Position.Column, d.Width)
	number := fmt.Sprintf("%5d", d.Position.Line)
	p.line("%s | %s", p.paint(faint, number), source)
	caret := "^" + strings.Repeat("~", max(width-1, 0))
	if hint != "" {
		caret += " " + hint
	}
	p.line("%s | %s%s", strings.Repeat(" ", len(number)), strings.Repeat(" ", offset), p.paint(tone, caret))
}

// excerpt returns a source line safe for a terminal, cut to maxLine columns
// around column (from 1, in code points), with where the caret is to stand and
// how long its underline is. Tabs become spaces, so that the caret stays under
// what it means.
func excerpt(line string, column, width int) (text string, offset, underline int) {
	runes := []rune(strings.TrimRight(line, "\r\n"))
	column = min(max(column, 1), len(runes)+1)
	from, to := 0, len(runes)
	before, after := "", ""
	if to > maxLine {
		from = max(0, min(column-1-maxLine/2, to-maxLine))
		to = min(to, from+maxLine)
		if from > 0 {
			before = "…"
		}
		if to < len(runes) {
			after = "…"
		}
	}
	visible := func(r []rune) string { return safe(strings.ReplaceAll(string(r), "\t", " ")) }
	start := max(from, column-1)
	end := min(max(start, column-1+width), to)
	head, meant := visible(runes[from:start]), visible(runes[start:end])
	text = before + head + meant + visible(runes[end:to]) + after
	return text, utf8.RuneCountInString(before + head), max(1, utf8.RuneCountInString(meant))
}
