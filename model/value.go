package model

import (
	"strconv"
	"time"

	"gopkg.in/yaml.v3"
)

// date reads a calendar day, YYYY-MM-DD.
func (r *reader) date(n node, what string) Date {
	s, ok := r.text(n, what)
	if !ok {
		return Date{}
	}
	t, err := time.Parse(time.DateOnly, s)
	if err != nil {
		r.report(n, codeBadDate, "%s: %q is not a day; expected YYYY-MM-DD", what, s)
		return Date{}
	}
	year, month, day := t.Date()
	return Date{year, month, day}
}

func (r *reader) intoDate(to *Date, what string) func(node) {
	return func(n node) { *to = r.date(n, what) }
}

// duration reads a time span in Go's notation, from lowest to highest.
func (r *reader) duration(n node, what string, lowest, highest time.Duration) (time.Duration, bool) {
	s, ok := r.text(n, what)
	if !ok {
		return 0, false
	}
	d, err := time.ParseDuration(s)
	if err != nil {
		r.report(n, codeBadDuration, "%s: %q is not a time span; expected a number and unit such as 90s, 5m or 1h30m", what, s)
		return 0, false
	}
	if d < lowest || d > highest {
		r.report(n, codeBadDuration, "%s: %s is out of range; expected %s to %s", what, s, lowest, highest)
		return 0, false
	}
	return d, true
}

// number reads a whole number from lowest to highest.
func (r *reader) number(n node, what string, lowest, highest uint64) (uint64, bool) {
	if n.Kind != yaml.ScalarNode || n.ShortTag() != "!!int" {
		r.report(n, codeWrongKind, "%s: expected a number from %d to %d, found %s", what, lowest, highest, n.describe())
		return 0, false
	}
	v, ok := whole(n.Value)
	if !ok || v < lowest || v > highest {
		r.report(n, codeBadValue, "%s: %s is out of range; expected %d to %d", what, n.Value, lowest, highest)
		return 0, false
	}
	return v, true
}

// whole reads a decimal number. YAML takes a leading zero for octal, so a number
// that has one is none that a person would write.
func whole(s string) (uint64, bool) {
	v, err := strconv.ParseUint(s, 10, 64)
	return v, err == nil && (s[0] != '0' || s == "0")
}
