package report

import (
	"bufio"
	"fmt"
	"io"
	"strings"
	"unicode"
	"unicode/utf8"

	"bulkhead/zones"
)

// Options fit text to where it goes.
type Options struct {
	Width  int  // columns; 0 for 100, and no less than 60 is used
	Colour bool // ANSI colours; nothing is told by them alone
	// Line returns the model's line at a position, or "" where it cannot be shown.
	// It may be nil.
	Line func(zones.Position) string
}

// Bounds on what a report prints of one thing.
const (
	defaultWidth = 100
	minWidth     = 60
	maxText      = 1200 // code points of one text
)

// page writes lines of text. Its first error stays in the buffered writer and
// comes out of close.
type page struct {
	w *bufio.Writer
	Options
}

func newPage(w io.Writer, o Options) *page {
	if o.Width == 0 {
		o.Width = defaultWidth
	}
	o.Width = max(o.Width, minWidth)
	return &page{w: bufio.NewWriter(w), Options: o}
}

func (p *page) close() error { return p.w.Flush() }

// line writes one line as it is: what came from elsewhere is to be safe already.
func (p *page) line(format string, args ...any) {
	p.w.WriteString(strings.TrimRight(fmt.Sprintf(format, args...), " "))
	p.w.WriteByte('\n')
}

func (p *page) gap() { p.w.WriteByte('\n') }

// heading writes a section's title and what it should be read with.
func (p *page) heading(title, remark string) {
	p.gap()
	if remark == "" {
		p.line("%s", p.paint(bold, title))
		return
	}
	for i, l := range wrap(title+"  "+remark, p.Width, p.Width-2) {
		if i == 0 {
			p.line("%s%s", p.paint(bold, title), l[len(title):])
			continue
		}
		p.line("  %s", l)
	}
}

// wrapped writes text behind a label, its further lines indented to stand under
// its first.
func (p *page) wrapped(label, text string) {
	indent := utf8.RuneCountInString(label)
	room := max(p.Width-indent, 20)
	for i, l := range wrap(text, room, room) {
		if i == 0 {
			p.line("%s%s", label, l)
			continue
		}
		p.line("%s%s", strings.Repeat(" ", indent), l)
	}
}

// columns returns how many columns s takes, colours left aside.
func columns(s string) int {
	n := utf8.RuneCountInString(s)
	for {
		_, after, painted := strings.Cut(s, "\x1b")
		if !painted {
			return n
		}
		code, rest, _ := strings.Cut(after, "m")
		n -= len("\x1b") + len(code) + len("m")
		s = rest
	}
}

// wrap breaks text at spaces into lines of at most first and then rest columns; a
// word longer than a line is cut into pieces.
func wrap(text string, first, rest int) []string {
	var lines []string
	var line strings.Builder
	used, room := 0, first
	flush := func() {
		lines = append(lines, line.String())
		line.Reset()
		used, room = 0, rest
	}
	for word := range strings.SplitSeq(text, " ") {
		n := columns(word)
		if used > 0 && used+1+n > room {
			flush()
		}
		if used > 0 {
			line.WriteByte(' ')
			used++
		}
		for n > room-used && !strings.Contains(word, "\x1b") {
			k := room - used
			head := string([]rune(word)[:k])
			line.WriteString(head)
			word, n = word[len(head):], n-k
			flush()
		}
		line.WriteString(word)
		used += n
	}
	flush()
	return lines
}

// The colours that text may have.
type colour string

const (
	bold   colour = "1"
	red    colour = "31;1"
	yellow colour = "33"
	green  colour = "32"
	faint  colour = "2"
)

// paint colours s if colours are asked for.
func (p *page) paint(c colour, s string) string {
	if !p.Colour || c == "" || s == "" {
		return s
	}
	return "\x1b[" + string(c) + "m" + s + "\x1b[0m"
}

// safe returns s for a terminal: on one line, at most maxText code points of it,
// with everything that is not printable escaped as Go does ("\x1b", "\u202e").
func safe(s string) string { return cut(s, maxText) }

// cut is safe for at most n code points, and shows that it cut.
func cut(s string, n int) string {
	// No code point is longer than four bytes, so what lies beyond is cut anyway.
	s = s[:min(len(s), 4*(n+1))]
	var b strings.Builder
	for i, k := 0, 0; i < len(s); k++ {
		r, size := utf8.DecodeRuneInString(s[i:])
		if k == n-1 && i+size < len(s) || k == n {
			b.WriteRune('…')
			break
		}
		switch {
		case r == utf8.RuneError && size == 1:
			fmt.Fprintf(&b, `\x%02x`, s[i])
		case unicode.IsPrint(r):
			b.WriteRune(r)
		case r < utf8.RuneSelf:
			fmt.Fprintf(&b, `\x%02x`, r)
		case r < 0x10000:
			fmt.Fprintf(&b, `\u%04x`, r)
		default:
			fmt.Fprintf(&b, `\U%08x`, r)
		}
		i += size
	}
	return b.String()
}

// pad returns s with spaces up to width columns.
func pad(s string, width int) string {
	return s + strings.Repeat(" ", max(0, width-utf8.RuneCountInString(s)))
}

// table writes rows in columns that are as wide as their widest cell, two spaces
// apart, each at most limits[i] columns wide (0 for any). Cells are safe already;
// the first row is the header. What does not fit the last column goes on below; a
// row of one cell stands below the row before it, over all columns.
func (p *page) table(indent int, limits []int, rows [][]string) {
	widths, last := make([]int, len(limits)), len(limits)-1
	for _, r := range rows {
		if len(r) == 1 && last > 0 {
			continue
		}
		for i, c := range r {
			n := utf8.RuneCountInString(c)
			if limits[i] > 0 {
				n = min(n, limits[i])
			}
			widths[i] = max(widths[i], n)
		}
	}
	for k, r := range rows {
		if len(r) == 1 && last > 0 {
			p.wrapped(strings.Repeat(" ", indent+4), r[0])
			continue
		}
		var b strings.Builder
		b.WriteString(strings.Repeat(" ", indent))
		for i := range last {
			b.WriteString(pad(cut(r[i], widths[i]), widths[i]+2))
		}
		label := b.String()
		if k == 0 {
			p.line("%s", p.paint(faint, strings.TrimRight(label+r[last], " ")))
			continue
		}
		p.wrapped(label, r[last])
	}
}

// plural returns "1 zone", "2 zones".
func plural[N int | uint64](n N, one string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %ss", n, one)
}

// more is the last line of a list that was cut.
func (p *page) more(indent, n int, what string) {
	p.line("%s%s", strings.Repeat(" ", indent), p.paint(faint, fmt.Sprintf("and %d more %s (use --format json)", n, what)))
}
