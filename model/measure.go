package model

import (
	"slices"
	"strings"

	"bulkhead/rules/iec62443"
	"bulkhead/zones"
)

// measure reads a declared countermeasure.
func (r *reader) measure(n node, seen map[string]node) {
	what := subject("measure", n)
	m := &Measure{Position: n.position()}
	read := r.mapping(n, what, []field{
		{"id", func(n node) { m.ID, _ = r.unique(n, what, seen) }},
		{"covers", func(n node) { m.Covers = r.covers(n, what+": covers") }},
		{"meets", func(n node) { m.Meets = r.meets(n, what+": meets") }},
		{"by", r.intoText(&m.By, what+": by")},
		{"evidence", r.intoText(&m.Evidence, what+": evidence")},
		{"compensating", r.intoBool(&m.Compensating, what+": compensating")},
		{"why", r.intoText(&m.Why, what+": why")},
		{"approved-by", r.intoText(&m.ApprovedBy, what+": approved-by")},
		{"review-by", r.intoDate(&m.ReviewBy, what+": review-by")},
	}, "id", "covers", "meets")
	if !read {
		return
	}
	if m.Compensating {
		var missing []string
		for _, key := range []string{"why", "approved-by", "review-by"} {
			if _, ok := n.get(key); !ok {
				missing = append(missing, key)
			}
		}
		if len(missing) > 0 {
			r.report(n, codeCompensating, "%s: a compensating measure needs %s", what, strings.Join(missing, ", "))
		}
	}
	r.model.Measures = append(r.model.Measures, m)
}

// meets reads the requirements that a measure meets and returns their IDs in
// catalogue order. "UC<=2" stands for the rows of an FR up to a level.
func (r *reader) meets(n node, what string) []string {
	met := make(map[string]bool)
	values, at := r.texts(n, what)
	for i, v := range values {
		if name, level, ok := strings.Cut(v, "<="); ok {
			r.meetsUpTo(at[i], what, v, strings.TrimSpace(name), strings.TrimSpace(level), met)
			continue
		}
		if r.requirement(at[i], what, v) {
			met[v] = true
		}
	}
	ids := []string{}
	for _, q := range iec62443.Catalogue() {
		if met[q.ID] {
			ids = append(ids, q.ID)
		}
	}
	return ids
}

func (r *reader) meetsUpTo(n node, what, text, name, level string, met map[string]bool) {
	fr, err := zones.ParseFR(name)
	if err != nil {
		r.reportName(n, codeUnknownName, name, frNames, "%s: %q: %v", what, text, err)
		return
	}
	if len(level) != 1 || level[0] < '1' || level[0] > '0'+zones.MaxLevel {
		r.report(n, codeSLRange, "%s: %q: expected a level from 1 to %d after <=", what, text, zones.MaxLevel)
		return
	}
	for _, q := range iec62443.Catalogue() {
		if q.FR == fr && q.MinSL <= level[0]-'0' {
			met[q.ID] = true
		}
	}
}

func frNames() []string {
	frs := zones.FRs()
	names := make([]string, len(frs))
	for i, fr := range frs {
		names[i] = fr.String()
	}
	return names
}

func requirementIDs() []string {
	all := iec62443.Catalogue()
	ids := make([]string, len(all))
	for i, q := range all {
		ids[i] = q.ID
	}
	return ids
}

// requirement reports whether there is a requirement of that ID.
func (r *reader) requirement(n node, what, id string) bool {
	_, ok := iec62443.Lookup(id)
	if !ok {
		r.reportName(n, codeUnknownName, id, requirementIDs,
			"%s: there is no requirement %q; expected one of IEC 62443-3-3, such as SR 5.2 or SR 5.2 RE(1)", what, id)
	}
	return ok
}

// notApplicable reads the declaration that a requirement's condition is absent.
func (r *reader) notApplicable(n node) {
	what := "not-applicable"
	na := &NotApplicable{Position: n.position()}
	read := r.mapping(n, what, []field{
		{"covers", func(n node) { na.Covers = r.covers(n, what+": covers") }},
		{"requirement", func(n node) {
			id, ok := r.text(n, what+": requirement")
			if !ok || !r.requirement(n, what, id) {
				return
			}
			if q, _ := iec62443.Lookup(id); !q.Conditional {
				r.report(n, codeNotConditional, "%s: %s holds in every plant; only these can be not applicable: %s", what, id, strings.Join(conditional(), ", "))
				return
			}
			na.Requirement = id
		}},
		{"why", r.intoText(&na.Why, what+": why")},
	}, "covers", "requirement", "why")
	if read {
		r.model.NotApplicable = append(r.model.NotApplicable, na)
	}
}

// conditional lists the requirements that can be not applicable.
func conditional() []string {
	all := slices.DeleteFunc(iec62443.Catalogue(), func(q iec62443.Requirement) bool { return !q.Conditional })
	ids := make([]string, len(all))
	for i, q := range all {
		ids[i] = q.ID
	}
	return ids
}
