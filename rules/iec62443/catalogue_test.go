package iec62443

import (
	"strings"
	"testing"

	"bulkhead/zones"
)

// TestCatalogue checks the sums that IEC 62443-3-3:2013 with COR1:2014 comes to.
func TestCatalogue(t *testing.T) {
	all := Catalogue()
	if len(all) != 100 {
		t.Fatalf("%d requirements, want 100", len(all))
	}
	var srs int
	var perLevel [zones.MaxLevel + 1]int
	var perFR [zones.NumFR][zones.MaxLevel + 1]int
	for _, r := range all {
		if !strings.Contains(r.ID, "RE(") {
			srs++
		}
		perLevel[r.MinSL]++
		for n := r.MinSL; n <= zones.MaxLevel; n++ {
			perFR[r.FR][n]++
		}
	}
	if srs != 51 {
		t.Errorf("%d SRs, want 51", srs)
	}
	if want := [zones.MaxLevel + 1]int{0, 37, 23, 30, 10}; perLevel != want {
		t.Errorf("new rows per level %v, want %v", perLevel, want)
	}
	want := [zones.NumFR][zones.MaxLevel + 1]int{
		zones.IAC: {0, 10, 16, 22, 24},
		zones.UC:  {0, 8, 12, 21, 24},
		zones.SI:  {0, 5, 10, 16, 19},
		zones.DC:  {0, 2, 4, 5, 6},
		zones.RDF: {0, 4, 6, 10, 11},
		zones.TRE: {0, 1, 2, 3, 3},
		zones.RA:  {0, 7, 10, 13, 13},
	}
	if perFR != want {
		t.Errorf("cumulative rows per FR\n got %v\nwant %v", perFR, want)
	}
}

func TestLookup(t *testing.T) {
	r, ok := Lookup("SR 4.1 RE(2)")
	if want := (Requirement{ID: "SR 4.1 RE(2)", FR: zones.DC, Title: "Protection of confidentiality across zone boundaries", MinSL: 4}); !ok || r != want {
		t.Errorf("got %+v, %v; want %+v", r, ok, want)
	}
	if r, ok := Lookup("SR 4.1 RE 2"); ok {
		t.Errorf("found %+v for a name that the catalogue does not spell so", r)
	}
	// Levels that copies of the standard often have wrong.
	for id, level := range map[string]uint8{"SR 3.4": 2, "SR 1.13 RE(1)": 2, "SR 4.1 RE(2)": 4, "SR 5.1 RE(1)": 2, "SR 6.2": 2, "SR 2.3 RE(1)": 3} {
		if r, _ := Lookup(id); r.MinSL != level {
			t.Errorf("%s is of SL %d, want %d", id, r.MinSL, level)
		}
	}
}

func TestConditional(t *testing.T) {
	want := SetOf("SR 1.6", "SR 1.6 RE(1)", "SR 2.2", "SR 2.2 RE(1)", "SR 1.7", "SR 1.7 RE(1)", "SR 1.7 RE(2)", "SR 1.8",
		"SR 1.9", "SR 1.9 RE(1)", "SR 4.3", "SR 2.4", "SR 2.4 RE(1)", "SR 2.6")
	for _, r := range Catalogue() {
		if r.Conditional != want.Has(r.ID) {
			t.Errorf("%s: conditional is %v", r.ID, r.Conditional)
		}
	}
}

func TestCatalogueIsACopy(t *testing.T) {
	Catalogue()[0].MinSL = 9
	if Catalogue()[0].MinSL == 9 {
		t.Error("a caller changed the catalogue")
	}
}
