package model_test

import (
	"fmt"
	"strings"
	"testing"
	"testing/fstest"

	"bulkhead/model"
)

// load reads a model of one file.
func load(text string) (*model.Model, []model.Diagnostic) {
	return model.Load(fstest.MapFS{"plant.yaml": {Data: []byte(text)}}, "plant.yaml", ruleIDs)
}

var ruleIDs = []string{"EV-001", "EV-002", "EV-070"}

// show prints a diagnostic as a person sees it.
func show(d model.Diagnostic) string {
	s := fmt.Sprintf("%s: %s: %s [%s]", d.Position, d.Severity, d.Message, d.Code)
	if d.Suggest != "" {
		s += fmt.Sprintf(" did you mean %q?", d.Suggest)
	}
	if d.Line != "" {
		s += "\n\t" + d.Line + "\n\t" + strings.Repeat(" ", d.Position.Column-1) + strings.Repeat("^", d.Width)
	}
	return s
}

func TestStarterIsFlawless(t *testing.T) {
	m, ds := load(model.Starter)
	for _, d := range ds {
		t.Error(show(d))
	}
	if m == nil {
		t.Fatal("no model")
	}
	if len(m.Zones) != 3 || len(m.Conduits) != 2 || len(m.Taps) != 1 || len(m.Measures) != 2 {
		t.Errorf("found %d zones, %d conduits, %d taps, %d measures", len(m.Zones), len(m.Conduits), len(m.Taps), len(m.Measures))
	}
}
