package model

import (
	"time"
	// The time zones come with the program, for Windows has no such database. They
	// stand here because it is Load that promises to know every IANA name.
	_ "time/tzdata"
)

// system reads the system under consideration.
func (r *reader) system(n node) {
	s := &r.model.System
	s.Zone = time.UTC
	r.mapping(n, "system", []field{
		{"id", func(n node) { s.ID, _ = r.id(n, "system") }},
		{"name", r.intoText(&s.Name, "system: name")},
		{"owner", r.intoText(&s.Owner, "system: owner")},
		{"revision", r.intoText(&s.Revision, "system: revision")},
		{"timezone", func(n node) {
			name, ok := r.text(n, "system: timezone")
			if !ok {
				return
			}
			zone, err := time.LoadLocation(name)
			if err != nil || name == "Local" {
				r.report(n, codeBadTimezone, "system: timezone %q is not in the IANA database; expected a name such as Europe/Amsterdam or UTC", name)
				return
			}
			s.Zone = zone
		}},
	}, "id")
	if s.Name == "" {
		s.Name = s.ID
	}
}
