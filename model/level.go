package model

import (
	"strconv"
	"strings"

	"gopkg.in/yaml.v3"

	"bulkhead/zones"
)

// vector reads a security level in any of its notations: one level, a list of
// seven, a mapping by FR, or the text of IEC 62443-3-3:2013, Annex A.
func (r *reader) vector(n node, what string) (zones.Vector, bool) {
	switch n.Kind {
	case yaml.SequenceNode:
		return r.vectorList(n, what)
	case yaml.MappingNode:
		return r.vectorByFR(n, what)
	}
	switch n.ShortTag() {
	case "!!int":
		level, ok := r.level(n, what)
		return zones.Scalar(level), ok
	case "!!str":
		v, err := zones.ParseVector(n.Value)
		if err == nil {
			return v, true
		}
		c := codeSLNotation
		if outOfRange(n.Value) {
			c = codeSLRange
		}
		r.report(n, c, "%s: %v", what, err)
		return zones.Vector{}, false
	}
	r.report(n, codeSLNotation, `%s: expected a level from 0 to %d, a list of seven, a mapping by FR, or a text such as "{2 2 0 1 3 1 3}"; found %s`,
		what, zones.MaxLevel, n.describe())
	return zones.Vector{}, false
}

// outOfRange reports whether a text has the notation of a vector and is wrong only
// in a level that is too high.
func outOfRange(s string) bool {
	found := false
	for _, p := range strings.FieldsFunc(s, func(c rune) bool { return strings.ContainsRune("{}, \t", c) }) {
		level, err := strconv.Atoi(p)
		if err != nil {
			return false
		}
		found = found || level < 0 || level > zones.MaxLevel
	}
	return found
}

// level reads one level from 0 to 4.
func (r *reader) level(n node, what string) (uint8, bool) {
	if n.Kind != yaml.ScalarNode || n.ShortTag() != "!!int" {
		r.report(n, codeSLNotation, "%s: expected a level from 0 to %d, found %s", what, zones.MaxLevel, n.describe())
		return 0, false
	}
	level, ok := whole(n.Value)
	if !ok || level > zones.MaxLevel {
		r.report(n, codeSLRange, "%s: security level %s is out of range; expected 0 to %d", what, n.Value, zones.MaxLevel)
		return 0, false
	}
	return uint8(level), true
}

func (r *reader) vectorList(n node, what string) (zones.Vector, bool) {
	var v zones.Vector
	if len(n.Content) != zones.NumFR {
		r.report(n, codeSLIncomplete, "%s: the list has %d levels; expected %d in the order IAC UC SI DC RDF TRE RA", what, len(n.Content), zones.NumFR)
		return v, false
	}
	ok := true
	for i, c := range n.Content {
		level, valid := r.level(n.child(c), what)
		v[i] = level
		ok = ok && valid
	}
	return v, ok
}

func (r *reader) vectorByFR(n node, what string) (zones.Vector, bool) {
	var v zones.Vector
	var given [zones.NumFR]bool
	ok := true
	fields := make([]field, 0, zones.NumFR)
	for _, fr := range zones.FRs() {
		fields = append(fields, field{fr.String(), func(c node) {
			given[fr] = true
			level, valid := r.level(c, what)
			v[fr] = level
			ok = ok && valid
		}})
	}
	before := r.problems.errors
	r.mapping(n, what, fields)
	var missing []zones.FR
	for _, fr := range zones.FRs() {
		if !given[fr] {
			missing = append(missing, fr)
		}
	}
	if len(missing) > 0 {
		r.report(n, codeSLIncomplete, "%s: no level for %s; expected all seven", what, frList(missing))
	}
	return v, ok && r.problems.errors == before
}
