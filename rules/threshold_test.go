package rules

import "testing"

func TestFails(t *testing.T) {
	finding := func(class Class, severity Severity, breach bool, status Status) Finding {
		return Finding{ID: "EV-002:c1", Rule: "EV-002", Class: class, Severity: severity, Breach: breach, Status: status}
	}
	denied := func(v Verdict, findings ...string) Flow {
		return Flow{Relation: "cross", Verdict: v, Findings: findings}
	}
	unprotected := Finding{ID: "EV-070:c1", Rule: "EV-070", Class: Contradiction, Severity: Low, Status: Accepted}
	tests := map[string]struct {
		findings []Finding
		flows    []Flow
		fails    []Threshold // of all thresholds
	}{
		"nothing": {},
		"breach":  {findings: []Finding{finding(Contradiction, High, true, Open)}, fails: []Threshold{"breach", "deviation", "high", "medium", "low"}},
		"accepted breach": {
			findings: []Finding{finding(Contradiction, Critical, true, Accepted)},
			flows:    []Flow{denied(Breach, "EV-002:c1")},
		},
		"contradiction above SL-T": {
			findings: []Finding{finding(Contradiction, Low, false, Open)},
			fails:    []Threshold{"deviation", "low"},
		},
		"weakening":            {findings: []Finding{finding(Weakening, Medium, false, Open)}, fails: []Threshold{"medium", "low"}},
		"denied, no finding":   {flows: []Flow{denied(Deviation)}, fails: []Threshold{"deviation"}},
		"denied, all accepted": {findings: []Finding{finding(Contradiction, Low, false, Accepted)}, flows: []Flow{denied(Deviation, "EV-002:c1")}},
		"denied, the rest accepted": {
			findings: []Finding{unprotected},
			flows:    []Flow{denied(Deviation, "EV-070:c1"), {Relation: "cross", Verdict: Deviation, Permit: Permit{Allowed: true}, Findings: []string{"EV-070:c1"}}},
			fails:    []Threshold{"deviation"},
		},
		"denied, the rest in breach and accepted": {findings: []Finding{unprotected}, flows: []Flow{denied(Breach, "EV-070:c1")}, fails: []Threshold{"deviation"}},
		"permitted, unprotected and accepted": {
			findings: []Finding{unprotected},
			flows:    []Flow{{Relation: "cross", Verdict: Deviation, Permit: Permit{Allowed: true}, Findings: []string{"EV-070:c1"}}},
		},
		"denied, a weakening besides": {
			findings: []Finding{finding(Weakening, Info, false, Open)},
			flows:    []Flow{denied(Deviation, "EV-002:c1")}, fails: []Threshold{"deviation"},
		},
		"denied twice, one accepted and no finding of the other": {
			findings: []Finding{finding(Contradiction, Low, false, Accepted)},
			flows:    []Flow{{Relation: "cross", Verdict: Breach, Findings: []string{"EV-002:c1"}, Unjudged: []string{"outside its window"}}},
			fails:    []Threshold{"deviation"},
		},
		"refused":        {flows: []Flow{denied(Refused)}},
		"not assessable": {flows: []Flow{{Verdict: NotAssessable}, {Verdict: Unassigned}}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			a := &Assessment{Findings: test.findings, Flows: test.flows}
			want := map[Threshold]bool{}
			for _, th := range test.fails {
				want[th] = true
			}
			for _, th := range Thresholds() {
				if got := a.Fails(th); got != want[th] {
					t.Errorf("%s: fails %v, want %v", th, got, want[th])
				}
			}
		})
	}
}
