package report

import (
	"bytes"
	"slices"
	"testing"

	"bulkhead/capture"
	"bulkhead/conduits"
	"bulkhead/internal/golden"
	"bulkhead/rules"
)

func TestFlowsGolden(t *testing.T) {
	a := explainable()
	var b bytes.Buffer
	if err := FlowsText(&b, ExplainFlows(cellPlant(), a, a.Flows[:2]), Options{Width: 90, Line: yamlLine}); err != nil {
		t.Fatal(err)
	}
	golden.Compare(t, "testdata/explain-flows.txt", b.Bytes())
}

// What puts an end into its zone is its asset, its network, or the segment that it
// was seen on.
func TestPlaced(t *testing.T) {
	for _, c := range []struct {
		zone, address string
		by, name      string
		line          int
	}{
		{"ops", "10.2.0.5", byAsset, "ops/hist", 11},
		{"ops", "10.2.0.99", byNetwork, "10.2.0.0/24", 10},
		{"ops", "239.1.1.1", bySegment, "", 9},
		{"bpcs", "00:11:22:33:44:55", bySegment, "", 19},
		{"@unassigned", "192.168.7.7", byNone, "", 0},
		{"@internet", "8.8.8.8", byNone, "", 0},
		{"", "10.2.0.5", byNone, "", 0},
		{"ops", "no address", bySegment, "", 9},
	} {
		f := &rules.Flow{SeenAt: []rules.SeenAt{{}}}
		got := placed(cellPlant(), f, c.zone, rules.FlowEnd{Address: c.address})
		line := 0
		if got.Model != nil {
			line = got.Model.Line
		}
		if got.Zone != c.zone || got.By != c.by || got.Name != c.name || line != c.line {
			t.Errorf("%s in %q: by %s %q, line %d; want by %s %q, line %d", c.address, c.zone, got.By, got.Name, line, c.by, c.name, c.line)
		}
	}
}

// The channels that lead from the client to the service are told, and which of them
// name what was asked for: those of approved conduits only.
func TestNamedBy(t *testing.T) {
	f := explainable().Flows[0]
	f.Operations = []rules.FlowOperation{
		{Protocol: capture.Modbus, Code: "6", Class: capture.Write},
		{Protocol: capture.Modbus, Code: "3", Class: capture.Read},
		{Protocol: capture.Modbus, Code: "2", Class: capture.Read}, // not among the codes
		{Protocol: capture.Modbus, Code: "0", Class: capture.Session},
	}
	x := explainFlow(cellPlant(), &f, nil)
	var fitting []string
	for _, c := range x.Conduits {
		for _, ch := range c.Fitting {
			fitting = append(fitting, ch.ID)
		}
	}
	if want := []string{"hist-read", "all"}; !slices.Equal(fitting, want) {
		t.Errorf("channels %q lead to the service, want %q", fitting, want)
	}
	if x.Conduits[1].Status != conduits.Proposed {
		t.Errorf("conduit %s is %s", x.Conduits[1].ID, x.Conduits[1].Status)
	}
	for i, want := range [][]string{{}, {"hist-read"}, {}, {}} {
		if got := x.Operations[i].NamedBy; !slices.Equal(got, want) {
			t.Errorf("code %s is named by %q, want %q", f.Operations[i].Code, got, want)
		}
	}
	if !x.Operations[3].Dialogue {
		t.Error("a session is no dialogue")
	}
}
