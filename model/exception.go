package model

import (
	"slices"
	"strings"
)

// exception reads an accepted deviation.
func (r *reader) exception(n node, seen map[string]node) {
	what := subject("exception", n)
	e := &Exception{Position: n.position()}
	read := r.mapping(n, what, []field{
		{"id", func(n node) { e.ID, _ = r.unique(n, what, seen) }},
		{"rule", func(n node) {
			id, ok := r.text(n, what+": rule")
			if ok && r.rules != nil && !slices.Contains(r.rules, id) {
				r.reportName(n, codeUnknownName, id, func() []string { return r.rules }, "%s: there is no rule %q", what, id)
			}
			e.Rule = id
		}},
		{"subject", func(n node) { e.Subject = r.exceptionSubject(n, what+": subject") }},
		{"owner", r.intoText(&e.Owner, what+": owner")},
		{"reason", r.intoText(&e.Reason, what+": reason")},
		{"ticket", r.intoText(&e.Ticket, what+": ticket")},
		{"expires", r.intoDate(&e.Expires, what+": expires")},
	}, "id", "rule", "subject", "owner", "reason", "expires")
	if read {
		r.model.Exceptions = append(r.model.Exceptions, e)
	}
}

// exceptionSubject reads what an exception is about: a zone, a conduit or an asset.
func (r *reader) exceptionSubject(n node, what string) string {
	s, ok := r.text(n, what)
	switch {
	case !ok:
	case strings.Contains(s, "/"):
		r.knownAsset(n, what, s)
	default:
		if _, ok := r.ids[s]; !ok {
			r.reportName(n, codeUnknownName, s, r.subjects, "%s: there is no declared zone or conduit %q", what, s)
		}
	}
	return s
}
