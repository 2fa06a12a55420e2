package iec62443

import (
	"math/rand/v2"
	"testing"

	"bulkhead/zones"
)

// slowLevel is the definition, read aloud: the highest n such that every
// requirement that a level up to n asks for is met, those left aside that are not
// applicable.
func slowLevel(rd Reading, fr zones.FR, met, na map[string]bool) (uint8, bool) {
	any := false
	for _, r := range Catalogue() {
		if r.FR == fr && (met[r.ID] || !na[r.ID]) {
			any = true
		}
	}
	best := uint8(0)
	for n := uint8(0); n <= zones.MaxLevel; n++ {
		holds := true
		for _, r := range Catalogue() {
			if r.FR == fr && rd.MinSL(r) <= n && !met[r.ID] && !na[r.ID] {
				holds = false
			}
		}
		if holds {
			best = n
		}
	}
	return best, any
}

// TestLevelRandom holds Level against the definition, and the level that is left
// after voiding against the lower of the level before and the cap.
func TestLevelRandom(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	for range 3000 {
		rd := Reading{ExplicitApproval: uint8(2 + rng.IntN(2))}
		missing, absent, gone := rng.Float64()*0.2, rng.Float64()*rng.Float64(), rng.Float64()*0.2
		var met, na, voided Set
		metBy, naBy := map[string]bool{}, map[string]bool{}
		for _, r := range Catalogue() {
			if rng.Float64() >= missing {
				met.Add(r.ID)
				metBy[r.ID] = true
			}
			if rng.Float64() < absent {
				na.Add(r.ID)
				naBy[r.ID] = true
			}
			if rng.Float64() < gone {
				voided.Add(r.ID)
			}
		}
		for _, fr := range zones.FRs() {
			level, ok := rd.Level(fr, met, na)
			if want, wantOK := slowLevel(rd, fr, metBy, naBy); level != want && ok || ok != wantOK {
				t.Fatalf("%s: level %d, %v; the definition gives %d, %v", fr, level, ok, want, wantOK)
			}
			if !ok {
				continue
			}
			left, _ := rd.Level(fr, met.Without(voided), na.Without(voided))
			if want := min(level, rd.Cap(fr, voided)); left != want {
				t.Fatalf("%s: %d is left of %d, the cap being %d", fr, left, level, rd.Cap(fr, voided))
			}
		}
	}
}

func TestLevel(t *testing.T) {
	all := SetOf()
	for _, r := range Catalogue() {
		all.Add(r.ID)
	}
	tests := []struct {
		name    string
		reading Reading
		fr      zones.FR
		met, na Set
		level   uint8
		ok      bool
	}{
		{"everything met", Reading{}, zones.IAC, all, Set{}, 4, true},
		{"nothing met", Reading{}, zones.IAC, Set{}, Set{}, 0, true},
		{"SR 1.2 missing", Reading{}, zones.IAC, all.Without(SetOf("SR 1.2")), Set{}, 1, true},
		{"SR 1.2 not applicable is skipped", Reading{}, zones.IAC, all.Without(SetOf("SR 1.2")), SetOf("SR 1.2"), 4, true},
		{"all of an FR not applicable has no level", Reading{}, zones.TRE, Set{}, SetOf("SR 6.1", "SR 6.1 RE(1)", "SR 6.2"), 4, false},
		{"TRE has no row of SL 4 alone", Reading{}, zones.TRE, SetOf("SR 6.1", "SR 6.1 RE(1)", "SR 6.2"), Set{}, 4, true},
		{"explicit approval by the clause", Reading{2}, zones.IAC, all.Without(SetOf("SR 1.13 RE(1)")), Set{}, 1, true},
		{"explicit approval by Table B.1", Reading{3}, zones.IAC, all.Without(SetOf("SR 1.13 RE(1)")), Set{}, 2, true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			level, ok := tt.reading.Level(tt.fr, tt.met, tt.na)
			if ok != tt.ok || ok && level != tt.level {
				t.Errorf("got %d, %v; want %d, %v", level, ok, tt.level, tt.ok)
			}
		})
	}
}

func TestSet(t *testing.T) {
	var s Set
	if s.Add("SR 9.9") || s.Len() != 0 {
		t.Error("a name that is no requirement was added")
	}
	s = SetOf("SR 7.8", "SR 1.1", "SR 1.1")
	if ids := s.IDs(); len(ids) != 2 || ids[0] != "SR 1.1" || ids[1] != "SR 7.8" {
		t.Errorf("got %v, want SR 1.1 and SR 7.8 in catalogue order", ids)
	}
	if !s.Names(zones.RA) || s.Names(zones.UC) {
		t.Error("Names disagrees with what the set holds")
	}
}
