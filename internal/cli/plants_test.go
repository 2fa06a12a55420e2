package cli

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"bulkhead/internal/corpus"
	"bulkhead/rules"
)

// plantModel returns the path of a model of testdata/models from the root.
func plantModel(name string) string { return "testdata/models/" + name + "/plant.yaml" }

// TestFlatPlant models mb2.pcap by host group and finds every controller that the
// corpus describes, each over the conduit of its group.
func TestFlatPlant(t *testing.T) {
	dir := corpus.Dir(t)
	a := assessment(t, exitFindings, plantModel("mb2"), filepath.Join(dir, "captures/ITI+ICS-Security-Tools/pcaps/ModbusTCP/mb2.pcap"))
	servers := map[string][]string{}
	for _, f := range a.Flows {
		p := string(f.Protocol)
		if p == "modbus" || p == "s7comm" || p == "enip" {
			if !slices.Contains(servers[p], f.Server.Asset) {
				servers[p] = append(servers[p], f.Server.Asset)
			}
			if want := map[string]string{"modbus": "scada-modbus", "s7comm": "scada-s7", "enip": "scada-cip"}[p]; f.Conduit != want {
				t.Errorf("%s to %s: over conduit %q, want %q", p, f.Server.Asset, f.Conduit, want)
			}
		}
	}
	for p, want := range map[string]int{"s7comm": 12, "enip": 4, "modbus": 13} {
		if got := servers[p]; len(got) != want || slices.Contains(got, "") {
			t.Errorf("%d servers of %s: %v, want %d, all listed", len(got), p, got, want)
		}
	}
	// The design approves polls of the Modbus devices; the server also writes coils.
	i := slices.IndexFunc(a.Findings, func(f rules.Finding) bool { return f.ID == "EV-050:modbus" })
	if i < 0 {
		t.Fatal("no finding EV-050:modbus")
	}
	if got := a.Findings[i].Flows; got != 13 {
		t.Errorf("EV-050:modbus rests on %d flows, want one a device", got)
	}
}

// TestRoutedPair models the networks of the S4 captures and finds who crossed from
// corporate to control, asking for what, over no conduit.
func TestRoutedPair(t *testing.T) {
	s4 := filepath.Join(corpus.Dir(t), "captures/idaholab+Malcolm-Test-Artifacts/pcap/other/Digital Bond S4")
	args := []string{plantModel("s4"), filepath.Join(s4, "WinXP.pcap.gz"), filepath.Join(s4, "Advantech.pcap"), filepath.Join(s4, "iFix_Client86.pcap")}
	a := assessment(t, exitFindings, args...)
	var crossed []string
	for _, f := range a.Flows {
		if f.ClientZone != "corporate" || f.ServerZone != "control" {
			continue
		}
		var ops []string
		for _, op := range f.Operations {
			if !op.Class.IsDialogue() {
				ops = append(ops, fmt.Sprintf("%s %s ×%d", op.Protocol, op.Code, op.Count))
			}
		}
		crossed = append(crossed, fmt.Sprintf("%s to %s %s: %s; %s, %s", f.Client.Address, f.Server.Asset, f.Protocol, strings.Join(ops, ", "), f.Permit.Reason, f.Verdict))
	}
	slices.Sort(crossed)
	want := []string{
		"10.200.1.124 to control/plc-50 modbus: modbus 3 ×28, modbus 2 ×18, modbus 1 ×4; no-conduit, breach",
		"10.200.1.18 to control/plc-54 enip: cip 0x4b ×5457; no-conduit, breach",
	}
	if !slices.Equal(crossed, want) {
		t.Errorf("crossed from corporate to control:\n%s\nwant\n%s", strings.Join(crossed, "\n"), strings.Join(want, "\n"))
	}
	if i := slices.IndexFunc(a.Findings, func(f rules.Finding) bool { return f.ID == "EV-005:control" }); i < 0 || a.Findings[i].Flows != 2 {
		t.Error("finding EV-005:control does not rest on the two flows")
	}
	// The page says it in words.
	text, _ := run(t, exitFindings, append([]string{"verify", "--as-of", asOf}, args...)...)
	for _, want := range []string{"10.200.1.18 in corporate to control/plc-54 (10.50.1.54)", "0x4b", "no conduit joins"} {
		if !strings.Contains(strings.Join(strings.Fields(text), " "), want) {
			t.Errorf("the text does not say %q", want)
		}
	}
}
