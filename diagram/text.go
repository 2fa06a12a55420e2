package diagram

import (
	"html"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Bounds on the text that a drawing shows, in code points.
const (
	maxTitle = 80
	maxName  = 34
	maxID    = 24
	maxLine  = 46
	maxHover = 160
)

// clean returns s as one line of at most n code points. White space becomes a
// space; what cannot be printed (control characters, marks that turn the
// direction of writing, bytes that are no UTF-8) becomes U+FFFD.
func clean(s string, n int) string {
	// No code point is longer than four bytes, so what lies beyond is cut anyway.
	runes := []rune(s[:min(len(s), 4*(n+1))])
	if len(runes) > n {
		runes = append(runes[:n-1], '…')
	}
	for i, r := range runes {
		switch {
		case unicode.IsSpace(r):
			runes[i] = ' '
		case !unicode.IsPrint(r):
			runes[i] = unicode.ReplacementChar
		}
	}
	return string(runes)
}

// escape makes clean text safe inside an HTML-like label. It also adds room
// behind characters that Graphviz measures too narrow: it takes each byte of
// UTF-8 for a space of 0.278 em, and East Asian characters and symbols are up to
// 1 em wide. Blank text becomes a space: on a cell without width Graphviz aborts.
func escape(s string) string {
	if strings.TrimSpace(s) == "" {
		return "&#160;"
	}
	short := 0.0
	for _, r := range s {
		if utf8.RuneLen(r) == 3 {
			short += 0.17
		}
	}
	return html.EscapeString(s) + strings.Repeat("&#160;", int(short/0.5+0.5))
}

// quote returns s as a quoted DOT string in which Graphviz substitutes nothing.
// Ampersands are escaped because it would take "&lt;" for a character reference.
func quote(s string) string {
	r := strings.NewReplacer(`\`, `\\`, `"`, `\"`, "&", "&amp;", "\n", `\n`)
	return `"` + r.Replace(s) + `"`
}

// nodeName returns a DOT identifier that shows id and cannot clash with that of
// another thing of the same kind: index, its place in the model, is added where
// id had to be changed.
func nodeName(kind, id string, index int) string {
	var b strings.Builder
	b.WriteString(kind)
	b.WriteByte(' ')
	start := b.Len()
	for _, r := range id {
		if b.Len()-start >= 40 {
			break
		}
		if r < utf8.RuneSelf && (unicode.IsLetter(r) || unicode.IsDigit(r) || strings.ContainsRune("._-@/", r)) {
			b.WriteRune(r)
		} else {
			b.WriteByte('_')
		}
	}
	if b.String()[start:] != id {
		b.WriteByte('#')
		b.WriteString(strconv.Itoa(index))
	}
	return b.String()
}

// count returns "1 flow", "2 flows".
func count(n uint64, one string) string {
	if n == 1 {
		return "1 " + one
	}
	return group(n) + " " + one + "s"
}

// group returns n with a thin space between groups of three digits.
func group(n uint64) string {
	s := strconv.FormatUint(n, 10)
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "\u2009" + s[i:]
	}
	return s
}
