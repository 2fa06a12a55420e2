package zones_test

import (
	"encoding/json"
	"reflect"
	"strings"
	"testing"

	"bulkhead/zones"
)

func TestParseVector(t *testing.T) {
	annex := zones.Vector{2, 2, 0, 1, 3, 1, 3}
	for _, test := range []struct {
		in   string
		want zones.Vector
		err  string // part of the error's text
	}{
		{in: "{2 2 0 1 3 1 3}", want: annex}, // IEC 62443-3-3:2013, Annex A
		{in: "2 2 0 1 3 1 3", want: annex},
		{in: " {2, 2, 0, 1, 3, 1, 3} ", want: annex},
		{in: "2,2,0,1,3,1,3", want: annex},
		{in: "0", want: zones.Vector{}},
		{in: "4", want: zones.Scalar(4)},
		{in: "5", err: `"5" is not a level from 0 to 4`},
		{in: "{2 2 0 1 3 1 9}", err: `"9" is not a level`},
		{in: "-1", err: "is not a level"},
		{in: "{2}", err: "found 1"}, // one level in braces would be a vector of one
		{in: "2 2", err: "found 2"},
		{in: "", err: "found 0"},
		{in: "{}", err: "found 0"},
		{in: "{2 2 0 1 3 1 3", err: "a brace is missing"},
		{in: "{2 2 0 1 3 1 3 1}", err: "found 8"},
		{in: "high", err: "is not a level"},
	} {
		got, err := zones.ParseVector(test.in)
		if test.err == "" && (err != nil || got != test.want) {
			t.Errorf("%q: %v, %v; want %v", test.in, got, err, test.want)
		}
		if test.err != "" && (err == nil || !strings.Contains(err.Error(), test.err)) {
			t.Errorf("%q: error %v, want one with %q", test.in, err, test.err)
		}
	}
}

func TestVector(t *testing.T) {
	v, w := zones.Vector{2, 2, 0, 1, 3, 1, 3}, zones.Scalar(2)
	if got, want := v.Max(w), (zones.Vector{2, 2, 2, 2, 3, 2, 3}); got != want {
		t.Errorf("max: %s, want %s", got, want)
	}
	if got, want := v.Below(w), []zones.FR{zones.SI, zones.DC, zones.TRE}; !reflect.DeepEqual(got, want) {
		t.Errorf("below: %v, want %v", got, want)
	}
	if got := w.Below(w); got != nil {
		t.Errorf("a vector is below itself in %v", got)
	}
	if got := v.String(); got != "{2 2 0 1 3 1 3}" {
		t.Errorf("text: %s", got)
	}
	if got, err := json.Marshal(v); err != nil || string(got) != "[2,2,0,1,3,1,3]" {
		t.Errorf("JSON: %s, %v", got, err)
	}
}

func TestFRs(t *testing.T) {
	for i, name := range strings.Fields("IAC UC SI DC RDF TRE RA") {
		fr, err := zones.ParseFR(name)
		if err != nil || int(fr) != i || fr.String() != name {
			t.Errorf("%s: %v, %v", name, fr, err)
		}
	}
	if _, err := zones.ParseFR("iac"); err == nil {
		t.Error("lower case is accepted")
	}
	if got, err := json.Marshal(map[zones.FR]int{zones.RDF: 1}); err != nil || string(got) != `{"RDF":1}` {
		t.Errorf("JSON: %s, %v", got, err)
	}
	if got := zones.FR(9).String(); got != "FR(9)" {
		t.Errorf("an FR that is none: %s", got)
	}
}

// FuzzParseVector checks that what is read can be written and read again.
func FuzzParseVector(f *testing.F) {
	f.Add("{2 2 0 1 3 1 3}") // the standard's notation
	f.Add("2")               // the short one
	f.Add("{2")              // a brace alone
	f.Fuzz(func(t *testing.T, s string) {
		v, err := zones.ParseVector(s)
		if err != nil {
			return
		}
		if again, err := zones.ParseVector(v.String()); err != nil || again != v {
			t.Errorf("%q: %s, then %s, %v", s, v, again, err)
		}
		if high := v.Max(zones.Scalar(zones.MaxLevel)); high != zones.Scalar(zones.MaxLevel) {
			t.Errorf("%q: a level above %d in %s", s, zones.MaxLevel, v)
		}
	})
}
