package rules

import (
	"slices"
	"strings"
	"testing"
	"time"

	"bulkhead/capture"
)

// TestDenialsOfOneFlow: each denial of a flow is said, the gravest first, and those
// that no finding is about fail an assessment whatever else is accepted.
func TestDenialsOfOneFlow(t *testing.T) {
	late := func(o capture.Operation) capture.Operation {
		o.Active = []capture.Run{{From: at(noon.Add(5 * time.Hour)), Minutes: 3, Frame: 40}}
		return o
	}
	const (
		stop  = `s7comm mode (PLC Stop, code job:0x29) was seen; channel "load" permits read, program`
		files = `s7comm file (List, code job:0x7) was seen; channel "load" permits read, program`
		load  = `s7comm program (Request download, code job:0x1a) was seen on Mon 2026-03-02 at 17:00 (Europe/Amsterdam); channel "load" is open Mon 10:00-13:00`
	)
	list := op(capture.S7comm, capture.File, "job:0x7", "List")
	tests := []struct {
		name     string
		ops      []capture.Operation
		want     []string // the reasons that are denials
		unjudged []string
		fails    bool // with every finding accepted
	}{
		{"by class", []capture.Operation{s7load, s7stop}, []string{stop}, nil, false},
		{"by window", []capture.Operation{late(s7load)}, []string{load}, []string{load}, true},
		{"by class and window", []capture.Operation{late(s7load), s7stop}, []string{stop, load}, []string{load}, true},
		{"the gravest class first", []capture.Operation{list, s7stop}, []string{stop, files}, nil, false},
	}
	m := plant(t, strings.Replace(strings.Replace(works, "operations: [read, program, mode]", "operations: [read, program]", 1), "MORE", "", 1))
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			a := Judge(m, seen(talk("10.3.0.7", "10.4.0.11", 102, capture.S7comm, asks(tt.ops...))), asOf)
			f := a.Flows[0]
			var got []string
			for _, r := range f.Reasons {
				if !strings.HasPrefix(r, "evidence of ") {
					got = append(got, strings.TrimSuffix(r, "; a deviation by itself, without a cap"))
				}
			}
			if !slices.Equal(got, tt.want) || f.Permit.Detail != tt.want[0] {
				t.Errorf("denied for %q, permit %q; want %q", got, f.Permit.Detail, tt.want)
			}
			if !slices.Equal(f.Unjudged, tt.unjudged) {
				t.Errorf("unjudged %q, want %q", f.Unjudged, tt.unjudged)
			}
			for i := range a.Findings {
				a.Findings[i].Status = Accepted
			}
			for i := range a.Zones { // rows that traffic refutes have their own test
				a.Zones[i].Limits = nil
			}
			if got := a.Fails(FailOnDeviation); got != tt.fails {
				t.Errorf("fails %v, want %v", got, tt.fails)
			}
		})
	}
}

// TestFindingsSayTheirOwnReason: a finding names the reason of the gravest operation
// that shows it, not that of another operation of the flow.
func TestFindingsSayTheirOwnReason(t *testing.T) {
	restart := op(capture.Modbus, capture.Mode, "8", "Restart Communications Option")
	tests := []struct {
		name string
		ops  []capture.Operation
		id   string
		want string // how the message ends
	}{
		{"a restart beside a write", []capture.Operation{on(fc6, "40041"), restart}, "EV-054:cell", ` over conduit "c"; channel "poll" permits read`},
		{"listed and unlisted registers", []capture.Operation{on(fc6, "40041"), restart}, "EV-050:cell",
			`×5 accepted), among them 40041, which the channel does not name, over conduit "c"; channel "set" permits 40001-40020`},
		{"unlisted registers alone", []capture.Operation{on(op(capture.Modbus, capture.Write, "6", "Write Single Register"), "40041")}, "EV-050:cell",
			`×5 accepted), on 40041, which the channel does not name, over conduit "c"; channel "set" permits 40001-40020`},
		{"a refused write to unlisted registers", []capture.Operation{refused(on(fc6, "40041"))}, "EV-002:c",
			`×5 refused), among them 40041, which the channel does not name, over conduit "c"; channel "set" permits 40001-40020`},
	}
	m := plant(t, strings.Replace(works, "MORE", "", 1))
	for _, tt := range tests {
		a := Judge(m, seen(modbus("10.3.0.5", "10.4.0.11", tt.ops...)), asOf)
		if got := findingOf(t, a, tt.id).Message; !strings.HasSuffix(got, tt.want) {
			t.Errorf("%s: %s, want %q at its end", tt.name, got, tt.want)
		}
	}
}
