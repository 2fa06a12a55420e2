package model_test

import (
	"net/netip"
	"os"
	"reflect"
	"testing"
	"time"

	"bulkhead/capture"
	"bulkhead/conduits"
	"bulkhead/model"
	"bulkhead/rules/iec62443"
	"bulkhead/zones"
)

func loadFile(t testing.TB, name string) *model.Model {
	t.Helper()
	b, err := os.ReadFile("testdata/valid/" + name)
	if err != nil {
		t.Fatal(err)
	}
	m, ds := load(string(b))
	if m == nil {
		t.Fatal(codes(ds))
	}
	return m
}

func zone(t testing.TB, m *model.Model, id string) *zones.Zone {
	t.Helper()
	for _, z := range m.Zones {
		if z.ID == id {
			return z
		}
	}
	t.Fatalf("no zone %q", id)
	return nil
}

// TestEverythingIsRead checks the model that has every key, value by value.
func TestEverythingIsRead(t *testing.T) {
	m := loadFile(t, "design.yaml")
	equal := func(what string, got, want any) {
		t.Helper()
		if !reflect.DeepEqual(got, want) {
			t.Errorf("%s: %#v, want %#v", what, got, want)
		}
	}
	equal("system", []string{m.System.ID, m.System.Name, m.System.Owner, m.System.Revision, m.System.Zone.String()},
		[]string{"tl-1", "Truck loading terminal", "Terminal operations", "1.10", "Europe/Amsterdam"})
	equal("path", m.Path, "plant.yaml")

	z := zone(t, m, "bpcs")
	equal("zone", []any{z.Name, z.Kind, z.Purdue, z.Parent, z.SLT, z.Rationale, z.Safety, z.Complete, z.Owner},
		[]any{"Basic process control", zones.Control, "1", "terminal", zones.Vector{2, 2, 2, 1, 2, 1, 2}, "risk assessment RA-07", false, true, "Terminal operations"})
	equal("ZCR 6.4", []any{z.LogicalBoundary, z.PhysicalBoundary, z.LogicalAccessPoints, z.PhysicalAccessPoints, z.Requirements, z.Policies, z.Assumptions},
		[]any{"fw-2", "cabinet 7", []string{"fw-2"}, []string{"door 7"}, []string{"SRS-12"}, []string{"ICS-POL-3"}, []string{"no dial-up"}})
	equal("position", z.Position, zones.Position{File: "plant.yaml", Line: 8, Column: 5})
	equal("networks", len(z.Networks), 2)
	equal("network", []any{z.Networks[0].Prefix.String(), z.Networks[0].VLAN, z.Networks[0].Tap}, []any{"10.20.1.0/24", zones.AnyVLAN, ""})
	equal("network", []any{z.Networks[1].Prefix.String(), z.Networks[1].VLAN, z.Networks[1].Tap}, []any{"192.168.1.0/24", zones.VLAN(120), "cell-a"})

	plc := z.Assets[0]
	equal("asset", []any{plc.Ref(), plc.Name, plc.Role, plc.Addresses, plc.MAC.String(), *plc.SLC, plc.Critical, plc.Services, plc.Writers},
		[]any{"bpcs/plc-1", "Loading PLC", zones.Role("controller"), []netip.Addr{netip.MustParseAddr("10.20.1.11")}, "00:80:f4:0e:11:22",
			zones.Scalar(2), true, []string{"modbus", "s7comm", "tcp/9600"}, []string{"operations/hmi-1"}})
	offers, ok := m.Offers(plc)
	equal("offers", []any{offers, ok}, []any{[]model.Offer{{Protocol: capture.Modbus}, {Protocol: capture.S7comm},
		{Service: &capture.Service{Transport: capture.TCP, First: 9600, Last: 9600}}}, true})
	_, ok = m.Offers(zone(t, m, "dmz").Assets[0])
	equal("offers of an asset without a list", ok, false)

	c := m.Conduits[0]
	equal("conduit", []any{c.ID, c.Name, c.Joins, c.SLT, c.SLTGiven, c.Rationale, c.Kind, c.Boundary, c.Trusted, c.Status, c.Owner},
		[]any{"ops-bpcs", "Control room to cell", []string{"operations", "bpcs"}, zones.Scalar(2), true, "the highest of both", conduits.Wired,
			[]string{"fw-2"}, true, conduits.Approved, "Terminal operations"})
	equal("conduit's ZCR 6.4", []any{c.LogicalBoundary, c.PhysicalBoundary, c.LogicalAccessPoints, c.PhysicalAccessPoints, c.Requirements, c.Policies, c.Assumptions},
		[]any{"rule base v14", "cabinet 7", []string{"fw-2"}, []string{"cabinet 7"}, []string{"SRS-13"}, []string{"ICS-POL-3"}, []string{"none"}})
	equal("conduit's asset", []any{c.Assets[0].Ref(), c.Assets[0].Mode, len(c.Assets[0].Addresses)}, []any{"ops-bpcs/fw-2", "routed", 2})
	equal("channels", len(c.Channels), 6)
	set := c.Channels[1]
	equal("channel", []any{set.ID, set.From.String(), set.To.String(), set.Protocol, set.Operations, set.Codes, set.Objects},
		[]any{"hmi-set", "operations/hmi-1", "bpcs/plc-1", capture.Modbus, []capture.Class{capture.Write}, []string{"6", "16"},
			[]capture.ObjectRange{{Space: "holding", First: 0, Last: 19}}})
	equal("end", set.To.Asset == plc, true)
	equal("unnamed channel", []any{c.Channels[2].ID, len(c.Channels[2].Windows), c.Channels[2].Windows[0].String()}, []any{"ops-bpcs#3", 1, "Sat 06:00-10:00"})
	equal("protection", c.Channels[3].Protection, conduits.Encrypted)
	equal("service", []any{c.Channels[4].Service.String(), len(c.Channels[4].Windows)}, []any{"tcp/9600", 2})
	equal("conduit's asset as end", c.Channels[5].To, conduits.End{Asset: c.Assets[0]})

	jump := m.Conduits[1]
	equal("conduit", []any{jump.Via.Ref(), jump.Boundary, jump.Trusted, jump.Status, jump.Kind, jump.SLTGiven, jump.SLT, jump.Channels[0].RemoteAccess},
		[]any{"dmz/jump-1", []string{"dmz/jump-1"}, false, conduits.Proposed, conduits.VPN, false, zones.Scalar(2), true})
	equal("one-way", *m.Conduits[2].OneWay, conduits.Direction{From: "dmz", To: "@internet"})

	equal("measure", []any{m.Measures[0].ID, m.Measures[0].Covers, m.Measures[0].Meets, m.Measures[0].By, m.Measures[0].Evidence, m.Measures[0].Compensating},
		[]any{"m-fw2", []string{"bpcs", "ops-bpcs"}, []string{"SR 5.1", "SR 5.2", "SR 5.2 RE(1)"}, "fw-2 rule base v14", "FAT-112", false})
	acl := m.Measures[2]
	equal("compensating measure", []any{acl.Compensating, acl.Why, acl.ApprovedBy, acl.ReviewBy},
		[]any{true, "locked cabinet and ACL", "plant security officer", model.Date{Year: 2027, Month: time.June, Day: 30}})
	equal("not applicable", []any{m.NotApplicable[0].Covers, m.NotApplicable[0].Requirement, m.NotApplicable[0].Why}, []any{[]string{"bpcs"}, "SR 1.6", "no wireless access"})
	tap := m.Taps[0]
	equal("tap", []any{tap.ID, tap.Sees, tap.Captures, tap.Direction, tap.Mode, *tap.SingleSegment, tap.ClockOffset},
		[]any{"cell-a", []string{"bpcs", "ops-bpcs"}, []string{"captures/cell-a-*.pcapng"}, "both", "production", false, time.Duration(0)})
	x := m.Exceptions[0]
	equal("exception", []any{x.ID, x.Rule, x.Subject, x.Owner, x.Reason, x.Ticket, x.Expires},
		[]any{"x-1", "EV-070", "ops-bpcs", "Maintenance lead", "legacy PLC", "CHG-991", model.Date{Year: 2027, Month: time.March, Day: 31}})
	want := model.DefaultPolicy()
	want.MinimumSpan = 30 * time.Minute
	equal("policy", m.Policy, want)

	at := m.Locator.Locate(zones.Sighting{IP: netip.MustParseAddr("10.20.1.11")})
	equal("locator", at.Asset == plc, true)
	equal("graph", len(m.Graph.Between("operations", "bpcs")), 1)
}

func TestPolicy(t *testing.T) {
	m, ds := load(minimal + "policy: {strict: true, ev-001-cap: 1, ev-020-dc: false, sr-1.13-re-1-level: 3, ev-090-frames: 9, ev-090-span: 2m, minimum-span: 1h}\n")
	if m == nil {
		t.Fatal(codes(ds))
	}
	want := model.Policy{Strict: true, UndeclaredCap: 1, PasswordVoidsDC: false, ExplicitApprovalLevel: 3, UnknownAssetFrames: 9,
		UnknownAssetSpan: 2 * time.Minute, MinimumSpan: time.Hour}
	if m.Policy != want {
		t.Errorf("%+v", m.Policy)
	}
}

func TestLevels(t *testing.T) {
	m := loadFile(t, "notations.yaml")
	annex := zones.Vector{2, 2, 0, 1, 3, 1, 3} // IEC 62443-3-3:2013, Annex A, as published
	for id, want := range map[string]zones.Vector{
		"scalar": zones.Scalar(2), "text-scalar": zones.Scalar(2),
		"list": annex, "map": annex, "text": annex,
		"child": annex, "grandchild": annex, // inherited, whatever the order
	} {
		if got := zone(t, m, id).SLT; got != want {
			t.Errorf("zone %q: %s, want %s", id, got, want)
		}
	}
	if got, want := m.Conduits[0].SLT, (zones.Vector{2, 2, 2, 2, 3, 2, 3}); got != want {
		t.Errorf("conduit: %s, want %s, per FR the highest of the declared zones", got, want)
	}
}

// TestMeetsUpTo checks "UC<=2" against the catalogue, and the order of the result.
func TestMeetsUpTo(t *testing.T) {
	m, ds := load(minimal + "measures: [{id: m, covers: [a], meets: ['UC<=2', SR 1.2, 'RA <= 1', SR 2.1]}]\n")
	if m == nil {
		t.Fatal(codes(ds))
	}
	var want []string
	for _, q := range iec62443.Catalogue() {
		if q.FR == zones.UC && q.MinSL <= 2 || q.FR == zones.RA && q.MinSL <= 1 || q.ID == "SR 1.2" {
			want = append(want, q.ID)
		}
	}
	if got := m.Measures[0].Meets; !reflect.DeepEqual(got, want) {
		t.Errorf("%q\nwant %q", got, want)
	}
}

func TestTaps(t *testing.T) {
	sum := "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
	tap := &model.Tap{Captures: []string{"captures/cell-a-*.pcapng", "x.pcap", "sha256:" + sum}}
	for _, test := range []struct {
		path, sum string
		want      bool
	}{
		{"captures/cell-a-1.pcapng", "", true},
		{"/home/u/plant/captures/cell-a-1.pcapng", "", true},
		{`C:\plant\captures\cell-a-1.pcapng`, "", true},
		{"cell-a-1.pcapng", "", false}, // fewer elements than the pattern
		{"other/cell-a-1.pcapng", "", false},
		{"captures/cell-a-1.pcapng/x", "", false},
		{"captures/sub/cell-a-1.pcapng", "", false}, // * stays inside an element
		{"any/where/x.pcap", "", true},
		{"any/where/xx.pcap", "", false},
		{"renamed", sum, true},
		{"sha256:" + sum, "", false}, // a hash is no path
		{"", "", false},
	} {
		m := &model.Model{Taps: []*model.Tap{tap}}
		if got := m.TapFor(test.path, test.sum) == tap; got != test.want {
			t.Errorf("TapFor(%q, %.8q): found %v", test.path, test.sum, got)
		}
	}
	first, second, third := &model.Tap{ID: "1", Captures: []string{"*.pcap"}}, &model.Tap{ID: "2", Captures: []string{"a.pcap"}}, tap
	m := &model.Model{Taps: []*model.Tap{first, second, third}}
	if got := m.TapFor("d/a.pcap", ""); got != first {
		t.Errorf("of two taps that match, the first declared: found %v", got)
	}
	if got := m.TapFor("d/a.pcap", sum); got != third {
		t.Errorf("a hash before any path: found %v", got)
	}
	if got := m.TapFor("a.cap", ""); got != nil {
		t.Errorf("no tap: found %v", got)
	}
}

// TestCells checks that one address in two cells is told apart by the tap.
func TestCells(t *testing.T) {
	m := loadFile(t, "cells.yaml")
	for _, test := range []struct {
		vlan uint16
		tap  string
		want string
	}{{0, "a", "cell-a"}, {0, "b", "cell-b"}, {30, "a", "cell-a"}, {0, "", ""}, {0, "elsewhere", "plant"}} {
		at := m.Locator.Locate(zones.Sighting{IP: netip.MustParseAddr("192.168.1.10"), VLAN: test.vlan, Tap: test.tap})
		if at.ID() != test.want || (len(at.Ambiguous) > 0) != (test.want == "") {
			t.Errorf("vlan %d, tap %q: %q, ambiguous %d", test.vlan, test.tap, at.ID(), len(at.Ambiguous))
		}
	}
}

func TestUncheckedRules(t *testing.T) {
	text := minimal + "exceptions: [{id: x, rule: EV-999, subject: a, owner: o, reason: r, expires: 2027-01-01}]\n"
	if _, ds := load(text); codes(ds) != "plant.yaml:4:28 unknown-name" {
		t.Errorf("found %s", codes(ds))
	}
}
