package model

import "time"

// policy reads the thresholds and switches of the evidence rules.
func (r *reader) policy(n node) {
	p := &r.model.Policy
	level := func(to *uint8, what string, lowest, highest uint64) func(node) {
		return func(n node) {
			if v, ok := r.number(n, what, lowest, highest); ok {
				*to = uint8(v)
			}
		}
	}
	span := func(to *time.Duration, what string) func(node) {
		return func(n node) {
			if d, ok := r.duration(n, what, 0, 366*24*time.Hour); ok {
				*to = d
			}
		}
	}
	r.mapping(n, "policy", []field{
		{"strict", r.intoBool(&p.Strict, "policy: strict")},
		{"ev-001-cap", level(&p.UndeclaredCap, "policy: ev-001-cap", 0, 1)},
		{"ev-020-dc", r.intoBool(&p.PasswordVoidsDC, "policy: ev-020-dc")},
		{"sr-1.13-re-1-level", level(&p.ExplicitApprovalLevel, "policy: sr-1.13-re-1-level", 2, 3)},
		{"ev-090-frames", func(n node) {
			if v, ok := r.number(n, "policy: ev-090-frames", 1, 1_000_000); ok {
				p.UnknownAssetFrames = v
			}
		}},
		{"ev-090-span", span(&p.UnknownAssetSpan, "policy: ev-090-span")},
		{"minimum-span", span(&p.MinimumSpan, "policy: minimum-span")},
	})
}
