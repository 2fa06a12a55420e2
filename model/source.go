package model

import (
	"sort"
	"strings"
	"unicode/utf8"

	"bulkhead/zones"
)

// source is one model file.
type source struct {
	name   string
	text   string
	starts []int // byte offset of each line; LF, CRLF and CR end one
}

func newSource(name, text string) *source {
	s := &source{name: name, text: text, starts: []int{0}}
	for i := 0; i < len(text); i++ {
		if text[i] == '\n' || text[i] == '\r' && (i+1 == len(text) || text[i+1] != '\n') {
			s.starts = append(s.starts, i+1)
		}
	}
	return s
}

// line returns the text of a line, counted from 1, without its end; "" if there
// is no such line.
func (s *source) line(n int) string {
	if n < 1 || n > len(s.starts) {
		return ""
	}
	end := len(s.text)
	if n < len(s.starts) {
		end = s.starts[n]
	}
	return strings.TrimRight(s.text[s.starts[n-1]:end], "\r\n")
}

// position returns the place of a byte offset.
func (s *source) position(offset int) zones.Position {
	n := sort.Search(len(s.starts), func(i int) bool { return s.starts[i] > offset })
	return zones.Position{File: s.name, Line: n, Column: 1 + utf8.RuneCountInString(s.text[s.starts[n-1]:offset])}
}

// unprintable returns the offset of the first byte that YAML does not allow, or
// -1: invalid UTF-8, control characters, and three line breaks that YAML 1.1 knows
// and editors do not, so that line numbers stay those that the editor shows.
// Source: YAML 1.1 (2005), 5.1 and 5.4.
func unprintable(text string) int {
	for i, r := range text {
		switch {
		case r == utf8.RuneError:
			if _, size := utf8.DecodeRuneInString(text[i:]); size < 2 {
				return i
			}
		case r == '\ufeff' && i == 0, r == '\t', r == '\n', r == '\r':
		case r < ' ', r >= 0x7f && r < 0xa0, r == '\u2028', r == '\u2029', r == '\ufeff', r == '\ufffe', r == '\uffff':
			return i
		}
	}
	return -1
}
