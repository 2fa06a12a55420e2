package report

import (
	"bytes"
	"net/netip"
	"slices"
	"testing"
	"time"

	"bulkhead/capture"
	"bulkhead/conduits"
	"bulkhead/internal/golden"
	"bulkhead/model"
	"bulkhead/rules"
	"bulkhead/zones"
)

// cellPlant is the plant of breached, as far as explanations ask: ops and bpcs,
// joined by c3 and by the proposed c9.
func cellPlant() *model.Model {
	at := func(line int) zones.Position { return zones.Position{File: "plant.yaml", Line: line, Column: 5} }
	asset := func(zone, id, ip string, line int) *zones.Asset {
		return &zones.Asset{ID: id, Zone: zone, Addresses: []netip.Addr{netip.MustParseAddr(ip)}, Position: at(line)}
	}
	hist, hmi, plc := asset("ops", "hist", "10.2.0.5", 11), asset("ops", "hmi", "10.2.0.6", 12), asset("bpcs", "plc-1", "10.4.0.11", 21)
	net := func(cidr string, line int) []zones.Network {
		return []zones.Network{{Prefix: netip.MustParsePrefix(cidr), VLAN: zones.AnyVLAN, Position: at(line)}}
	}
	zs := []*zones.Zone{
		{ID: "ops", Kind: zones.Operations, SLT: zones.Scalar(2), Networks: net("10.2.0.0/24", 10), Assets: []*zones.Asset{hist, hmi}, Position: at(9)},
		{ID: "bpcs", Kind: zones.Control, SLT: zones.Scalar(2), Networks: net("10.4.0.0/24", 20), Assets: []*zones.Asset{plc}, Position: at(19)},
	}
	window, err := conduits.ParseWindow("Mon 10:00-13:00")
	if err != nil {
		panic(err)
	}
	cs := []*conduits.Conduit{
		{ID: "c3", Joins: []string{"ops", "bpcs"}, Status: conduits.Approved, Position: at(40), Channels: []*conduits.Channel{
			{ID: "poll", From: conduits.End{Zone: "ops", Asset: hmi}, To: conduits.End{Zone: "bpcs"}, Protocol: capture.Modbus, Position: at(41)},
			{ID: "hist-read", From: conduits.End{Zone: "ops", Asset: hist}, To: conduits.End{Zone: "bpcs"}, Protocol: capture.Modbus,
				Operations: []capture.Class{capture.Read}, Codes: []string{"3", "4"}, Windows: []conduits.Window{window}, Position: at(42)},
			{ID: "other-port", From: conduits.End{Zone: "ops"}, To: conduits.End{Zone: "bpcs"}, Service: &capture.Service{Transport: capture.TCP, First: 443, Last: 443}, Position: at(43)},
		}},
		{ID: "c9", Joins: []string{"ops", "bpcs"}, Status: conduits.Proposed, Position: at(50), Channels: []*conduits.Channel{
			{ID: "all", From: conduits.End{Zone: "ops"}, To: conduits.End{Zone: "bpcs"}, Position: at(51)}}},
	}
	locator, conflicts := zones.NewLocator(zs, nil, map[string][]*zones.Zone{"c3": zs, "c9": zs})
	if len(conflicts) > 0 {
		panic("the plant's addresses conflict")
	}
	day := func(y int) model.Date { return model.Date{Year: y, Month: time.March, Day: 14} }
	return &model.Model{Path: "plant.yaml", Zones: zs, Conduits: cs, Locator: locator, Graph: conduits.NewGraph(zs, cs), Policy: model.DefaultPolicy(),
		Exceptions: []*model.Exception{
			{ID: "x-live", Rule: "EV-070", Subject: "c3", Owner: "Maintenance", Reason: "old PLC", Ticket: "CHG-1", Expires: day(2027), Position: at(60)},
			{ID: "x-too", Rule: "EV-070", Subject: "ops/hist", Owner: "Maintenance", Reason: "it too", Ticket: "CHG-2", Position: at(61)},
			{ID: "x-old", Rule: "EV-070", Subject: "c3", Owner: "Operations", Reason: "the year before", Ticket: "CHG-3", Expires: day(2026), Position: at(62)},
			{ID: "x-part", Rule: "EV-070", Subject: "ops/hmi", Owner: "Operations", Reason: "one host", Ticket: "CHG-4", Expires: day(2027), Position: at(63)},
			{ID: "x-none", Rule: "EV-070", Subject: "dmz", Position: at(64)},
			{ID: "x-rule", Rule: "EV-002", Subject: "c3", Position: at(65)},
		}}
}

// explainable is breached with what explanations ask besides.
func explainable() *rules.Assessment {
	a := breached()
	for i, s := range []rules.Severity{rules.High, rules.Medium, rules.Critical} { // raised, and as the rules have it
		a.Findings[i].BaseSeverity = s
	}
	f := &a.Flows[0]
	f.Outcome, f.Reasons = string(rules.Answered), []string{f.Permit.Detail, "evidence of EV-070:c3", "evidence of EV-070:c30"}
	f.Findings = []string{"EV-070:c3"}
	f.Permit.Model = &zones.Position{File: "plant.yaml", Line: 52, Column: 5}
	f.SeenAt = []rules.SeenAt{{Capture: hash('a'), Tap: "cell-a", VLAN: 7, Packets: capture.Volume{Sent: 1, Received: 93}, First: after(0), Last: after(time.Minute),
		Example: capture.Example{Frame: 12, CommunityID: "1:abc="}}}
	g := &a.Flows[1] // the HMI polls the PLC too
	g.Client, g.Server = rules.FlowEnd{Address: "10.2.0.6", Asset: "ops/hmi"}, f.Server
	g.Channel, g.Outcome, g.Reasons, g.Findings = "poll", string(rules.OneWay), []string{`channel "poll" permits it`}, []string{"EV-070:c3"}
	return a
}

func finding(t *testing.T, a *rules.Assessment, id string) *rules.Finding {
	t.Helper()
	i := slices.IndexFunc(a.Findings, func(f rules.Finding) bool { return f.ID == id })
	if i < 0 {
		t.Fatalf("no finding %s", id)
	}
	return &a.Findings[i]
}

func TestFindingGolden(t *testing.T) {
	a := explainable()
	var b bytes.Buffer
	for _, id := range []string{"EV-070:c3", "EV-090:bpcs", "EV-110:sis"} {
		x := ExplainFinding(cellPlant(), a, finding(t, a, id), yamlLine)
		if err := FindingText(&b, x, Options{Width: 90, Line: yamlLine}); err != nil {
			t.Fatal(err)
		}
		b.WriteString("\n")
	}
	golden.Compare(t, "testdata/explain-finding.txt", b.Bytes())
}

// An exception is told of by what it does to the finding, and only if it is for it.
func TestExceptionStates(t *testing.T) {
	a := explainable()
	got := map[string]string{}
	for _, e := range ExplainFinding(cellPlant(), a, finding(t, a, "EV-070:c3"), nil).Exceptions {
		got[e.ID] = e.State
	}
	// x-too is for an end of one of two flows.
	want := map[string]string{"x-live": exceptionAccepts, "x-too": exceptionPartial, "x-old": exceptionExpired, "x-part": exceptionPartial}
	for id, state := range want {
		if got[id] != state {
			t.Errorf("%s: %q, want %q", id, got[id], state)
		}
	}
	if len(got) != len(want) {
		t.Errorf("exceptions %v, want %v", got, want)
	}

	// Where its end is that of all flows, it would do.
	a.Flows = slices.Delete(a.Flows, 1, 2)
	for _, e := range ExplainFinding(cellPlant(), a, finding(t, a, "EV-070:c3"), nil).Exceptions {
		if e.ID == "x-too" && e.State != exceptionRedundant {
			t.Errorf("%s: %q, want %q", e.ID, e.State, exceptionRedundant)
		}
	}
}

func TestHostileExplanation(t *testing.T) {
	evil := hostileText
	a := explainable()
	f := finding(t, a, "EV-110:sis")
	*f = rules.Finding{ID: evil, Rule: evil, Class: rules.Class(evil), Severity: rules.Severity(evil), BaseSeverity: rules.Severity(evil), Confidence: evil,
		Subject: rules.Subject{Kind: evil, ID: evil}, Zones: []string{evil, "b" + evil}, Requirements: []string{evil}, Compensated: []string{evil}, Attack: []string{evil},
		Message: evil, Fix: evil, Model: &zones.Position{File: evil, Line: 1}, Evidence: []rules.Evidence{{Capture: evil, Filter: evil, Flow: evil, CommunityID: evil}}}
	a.Model.Path, a.Model.SHA256, a.AsOf = evil, evil, evil
	w := &a.Flows[0]
	w.Client, w.Server.FlowEnd = rules.FlowEnd{Address: evil, Asset: evil}, rules.FlowEnd{Address: evil}
	w.Protocol, w.Server.Transport, w.ClientZone, w.ServerZone, w.Outcome = capture.Protocol(evil), capture.Transport(evil), evil, evil, evil
	w.Verdict, w.Reasons, w.Unjudged, w.Findings = rules.Verdict(evil), []string{evil}, []string{evil}, []string{evil}
	w.Permit = rules.Permit{Reason: evil, Detail: evil, Model: &zones.Position{File: evil, Line: 2}}
	w.Operations = []rules.FlowOperation{{Protocol: capture.Protocol(evil), Code: evil, Name: evil, Class: capture.Class(evil)}}
	w.SeenAt = []rules.SeenAt{{Capture: evil, Tap: evil, Example: capture.Example{CommunityID: evil}}}
	line := func(zones.Position) string { return evil }

	x := ExplainFinding(cellPlant(), a, f, line)
	x.Exceptions = []ExceptionFact{{ID: evil, Subject: evil, Owner: evil, Reason: evil, Ticket: evil, State: exceptionPartial, Model: zones.Position{File: evil}}}
	var b bytes.Buffer
	if err := FindingText(&b, x, Options{Line: line}); err != nil {
		t.Fatal(err)
	}
	checkSafe(t, b.Bytes())

	y := ExplainFlows(cellPlant(), a, a.Flows)
	y.Flows[0].Client, y.Flows[0].Server = Placed{Zone: evil, By: byNetwork, Name: evil}, Placed{Zone: evil, By: byAsset, Name: evil}
	y.Flows[0].Conduits = []JoiningFact{{ID: evil, Status: conduits.Status(evil), Channels: 1, Model: zones.Position{File: evil}, Fitting: []ChannelFact{{
		ID: evil, From: evil, To: evil, Protocol: capture.Protocol(evil), Service: evil, Codes: []string{evil}, Objects: []string{evil}, Protection: conduits.Protection(evil)}}}}
	b.Reset()
	if err := FlowsText(&b, y, Options{Line: line}); err != nil {
		t.Fatal(err)
	}
	checkSafe(t, b.Bytes())
}
