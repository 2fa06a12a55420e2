package model

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"gopkg.in/yaml.v3"

	"bulkhead/zones"
)

// MaxDiagnostics bounds the diagnostics that [Load] returns: errors first, then a
// last one that says how many more there are.
const MaxDiagnostics = 1000

// maxKept bounds the problems that are kept before they are sorted and cut.
const maxKept = 20 * MaxDiagnostics

// maxShownLine is the length in code points up to which a source line is shown.
const maxShownLine = 400

// problem is a diagnostic before its suggestion and source line are looked up,
// which is done for the ones that are shown only.
type problem struct {
	severity Severity
	position zones.Position
	code     code
	message  string
	file     *source
	at       node            // that is underlined, unless its Node is nil
	width    int             // of what is underlined otherwise
	want     string          // the name that does not exist, if that is what is wrong
	names    func() []string // those that do
	fix      string          // what is certainly meant, if that is known
}

// problems gathers all that is wrong with a model.
type problems struct {
	kept     []problem
	errors   int // of all, kept or not
	warnings int
}

func (p *problems) add(x problem) {
	x.severity = x.code.severity()
	if x.severity == Error {
		p.errors++
	} else {
		p.warnings++
	}
	if len(p.kept) < maxKept {
		p.kept = append(p.kept, x)
	}
}

// diagnostics returns the problems sorted by file, line and column, at most
// MaxDiagnostics of them.
func (p *problems) diagnostics() []Diagnostic {
	byPlace := func(a, b problem) int {
		return cmp.Or(cmp.Compare(a.position.File, b.position.File), cmp.Compare(a.position.Line, b.position.Line),
			cmp.Compare(a.position.Column, b.position.Column), cmp.Compare(a.code, b.code), cmp.Compare(a.message, b.message))
	}
	// What an anchor holds is read, and complained of, at each alias.
	same := func(a, b problem) bool { return byPlace(a, b) == 0 }
	slices.SortStableFunc(p.kept, byPlace)
	shown := slices.CompactFunc(slices.Clone(p.kept), same)
	repeated := len(p.kept) - len(shown)
	if more := p.errors + p.warnings - repeated - (MaxDiagnostics - 1); len(shown) > MaxDiagnostics-1 && more > 1 {
		slices.SortStableFunc(shown, func(a, b problem) int { return cmp.Compare(a.severity, b.severity) }) // "error" < "warning"
		cut := shown[MaxDiagnostics-1]
		shown = shown[:MaxDiagnostics-1]
		slices.SortStableFunc(shown, byPlace)
		last := shown[len(shown)-1]
		last.code, last.severity, last.want = codeTooMany, cut.severity, ""
		last.fix = ""
		last.message = fmt.Sprintf("and %d more problems, not shown", more)
		shown = append(shown, last)
	}
	var s suggester
	out := make([]Diagnostic, len(shown))
	for i, x := range shown {
		d := Diagnostic{Severity: x.severity, Position: x.position, Code: string(x.code), Message: x.message,
			Suggest: x.fix, Width: max(x.width, 1)}
		if x.at.Node != nil {
			d.Width = x.at.width()
		}
		if x.want != "" && s.comparisons < maxComparisons {
			d.Suggest = s.nearest(x.want, x.names())
		}
		if x.file != nil {
			if line := x.file.line(x.position.Line); showable(line) {
				d.Line = line
			}
		}
		out[i] = d
	}
	return out
}

// showable reports whether a source line is short enough to be shown.
func showable(line string) bool {
	return len(line) <= maxShownLine*utf8.UTFMax && utf8.RuneCountInString(line) <= maxShownLine
}

// report adds a problem at a node.
func (r *reader) report(n node, c code, format string, args ...any) {
	r.problems.add(problem{position: n.position(), code: c, message: fmt.Sprintf(format, args...), at: n, file: n.file})
}

// reportName adds a problem with a name for which the nearest valid one helps.
func (r *reader) reportName(n node, c code, want string, names func() []string, format string, args ...any) {
	r.problems.add(problem{position: n.position(), code: c, message: fmt.Sprintf(format, args...), at: n, file: n.file,
		want: want, names: names})
}

// reportFix adds a problem of which it is known what to write instead.
func (r *reader) reportFix(n node, c code, fix, format string, args ...any) {
	r.problems.add(problem{position: n.position(), code: c, message: fmt.Sprintf(format, args...), at: n, file: n.file, fix: fix})
}

// reportAt adds a problem at a place that is no node.
func (r *reader) reportAt(file *source, at zones.Position, width int, c code, format string, args ...any) {
	r.problems.add(problem{position: at, code: c, message: fmt.Sprintf(format, args...), width: width, file: file})
}

// width returns how many code points of its line a node takes, or 1 where its
// first line does not show that or is too long to be shown.
func (n node) width() int {
	rest := n.file.line(n.Line)
	if !showable(rest) {
		return 1
	}
	for range n.Column - 1 {
		_, size := utf8.DecodeRuneInString(rest)
		rest = rest[size:]
	}
	switch {
	case n.Kind == yaml.MappingNode && n.Style&yaml.FlowStyle == 0 && len(n.Content) > 0 && n.Content[0].Line == n.Line:
		return node{n.Content[0], n.file}.width()
	case n.Kind != yaml.ScalarNode || n.Value == "":
	case n.Style&(yaml.DoubleQuotedStyle|yaml.SingleQuotedStyle) != 0:
		return quotedWidth(rest)
	case strings.HasPrefix(rest, n.Value):
		return utf8.RuneCountInString(n.Value)
	}
	return 1
}

// quotedWidth returns the length of the quoted scalar at the start of line, or 1
// if it does not end there. A doubled single quote counts as two scalars that
// touch, which makes no difference here.
func quotedWidth(line string) int {
	if line == "" || line[0] != '"' && line[0] != '\'' {
		return 1
	}
	for i := 1; i < len(line); i++ {
		switch {
		case line[i] == '\\' && line[0] == '"':
			i++
		case line[i] != line[0]:
		case line[0] == '\'' && i+1 < len(line) && line[i+1] == '\'':
			i++
		default:
			return utf8.RuneCountInString(line[:i+1])
		}
	}
	return 1
}
