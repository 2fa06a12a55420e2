package zones_test

import (
	"testing"

	"bulkhead/zones"
)

func TestKinds(t *testing.T) {
	control := map[zones.Kind]bool{zones.Operations: true, zones.Control: true, zones.Field: true, zones.Safety: true}
	untrusted := map[zones.Kind]bool{zones.Business: true, zones.Remote: true, zones.External: true}
	for _, k := range append(zones.Kinds(), zones.BuiltIn) {
		if k.IsControl() != control[k] || k.IsUntrusted() != untrusted[k] {
			t.Errorf("%s: control %v, untrusted %v", k, k.IsControl(), k.IsUntrusted())
		}
	}
	for _, z := range []*zones.Zone{zones.Internet, zones.Unassigned, zones.LinkLocal} {
		if !z.IsBuiltIn() || z.ID[0] != '@' || z.SLT != (zones.Vector{}) {
			t.Errorf("%s: not a built-in zone without SL-T", z.ID)
		}
	}
}

func TestVLANMatches(t *testing.T) {
	for _, test := range []struct {
		v    zones.VLAN
		id   uint16
		want bool
	}{{zones.AnyVLAN, 0, true}, {zones.AnyVLAN, 4094, true}, {0, 0, true}, {0, 1, false}, {120, 120, true}, {120, 0, false}} {
		if got := test.v.Matches(test.id); got != test.want {
			t.Errorf("VLAN(%d).Matches(%d) = %v", test.v, test.id, got)
		}
	}
}

func TestRefs(t *testing.T) {
	if got := (&zones.Asset{ID: "plc", Zone: "cell"}).Ref(); got != "cell/plc" {
		t.Errorf("asset of a zone: %s", got)
	}
	if got := (&zones.Asset{ID: "fw", Conduit: "c-1"}).Ref(); got != "c-1/fw" {
		t.Errorf("asset of a conduit: %s", got)
	}
	zone, conduit, ambiguous := zones.Location{Zone: zones.Internet}, zones.Location{Conduit: "c-1"}, zones.Location{Ambiguous: []*zones.Zone{zones.Internet, zones.LinkLocal}}
	if zone.ID() != "@internet" || conduit.ID() != "c-1" || ambiguous.ID() != "" {
		t.Errorf("locations: %q %q %q", zone.ID(), conduit.ID(), ambiguous.ID())
	}
	if got := (zones.Position{}).String(); got != "-" {
		t.Errorf("no position: %s", got)
	}
	if got := (zones.Position{File: "p.yaml", Line: 7, Column: 3}).String(); got != "p.yaml:7:3" {
		t.Errorf("position: %s", got)
	}
}
