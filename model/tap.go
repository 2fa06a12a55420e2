package model

import (
	"path"
	"slices"
	"strings"
	"time"
)

// tap reads where captures are taken.
func (r *reader) tap(n node) {
	what := subject("tap", n)
	t := &Tap{Direction: "both", Position: n.position()}
	read := r.mapping(n, what, []field{
		{"id", func(n node) {
			id, ok := r.id(n, what)
			switch {
			case !ok:
			case r.taps[id]:
				r.report(n, codeDuplicateID, "%s: the id is taken by another tap", what)
			default:
				t.ID = id
				r.taps[id] = true
				r.tapIDs = append(r.tapIDs, id)
			}
		}},
		{"sees", func(n node) {
			r.later = append(r.later, func() { t.Sees = r.covers(n, what+": sees") })
		}},
		{"captures", func(n node) { t.Captures = r.captures(n, what+": captures") }},
		{"direction", intoOneOf(r, &t.Direction, what+": direction", []string{"both", "rx", "tx"})},
		{"mode", intoOneOf(r, &t.Mode, what+": mode", []string{"production", "test"})},
		{"single-segment", func(n node) {
			if v, ok := r.boolean(n, what+": single-segment"); ok {
				t.SingleSegment = &v
			}
		}},
		{"clock-offset", func(n node) {
			t.ClockOffset, _ = r.duration(n, what+": clock-offset", -366*24*time.Hour, 366*24*time.Hour)
		}},
	}, "id", "sees")
	if read {
		r.model.Taps = append(r.model.Taps, t)
	}
}

const sha256Prefix = "sha256:"

// captures reads the patterns of a tap's captures.
func (r *reader) captures(n node, what string) []string {
	values, at := r.texts(n, what)
	for i, v := range values {
		if sum, ok := strings.CutPrefix(v, sha256Prefix); ok {
			if len(sum) != 64 || strings.Trim(sum, "0123456789abcdef") != "" {
				r.report(at[i], codeCapturePattern, "%s: %q: expected 64 lower-case hexadecimal digits after %s", what, v, sha256Prefix)
			}
			continue
		}
		_, err := path.Match(v, "")
		if err != nil || path.Clean(v) != v || path.IsAbs(v) || v == "." || v == ".." || strings.HasPrefix(v, "../") || strings.ContainsAny(v, `\:`) {
			r.report(at[i], codeCapturePattern, "%s: %q: expected a pattern below the model's folder, such as captures/cell-a-*.pcapng, or %s and a hash",
				what, v, sha256Prefix)
		}
	}
	return values
}

// named reports whether t lists the capture's hash.
func (t *Tap) named(sha256 string) bool {
	return slices.Contains(t.Captures, sha256Prefix+sha256)
}

// matchesPath reports whether one of t's patterns fits a path: a pattern of n
// elements is held, in the way of [path.Match], against the last n elements of the
// path, whose parts may be separated by / or \, so that it also fits on the machine
// to which the captures were copied.
func (t *Tap) matchesPath(name string) bool {
	elements := strings.Split(strings.ReplaceAll(name, `\`, "/"), "/")
	for _, pattern := range t.Captures {
		n := strings.Count(pattern, "/") + 1
		if n > len(elements) || strings.HasPrefix(pattern, sha256Prefix) {
			continue
		}
		if ok, err := path.Match(pattern, strings.Join(elements[len(elements)-n:], "/")); ok && err == nil {
			return true
		}
	}
	return false
}

// TapFor returns the tap at which a capture was taken, or nil: the first declared
// of those that name its hash, else of those whose patterns match its path.
func (m *Model) TapFor(name, sha256 string) *Tap {
	for _, t := range m.Taps {
		if t.named(sha256) {
			return t
		}
	}
	for _, t := range m.Taps {
		if t.matchesPath(name) {
			return t
		}
	}
	return nil
}
