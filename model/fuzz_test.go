package model_test

import (
	"reflect"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"bulkhead/model"
	"bulkhead/zones"
)

// FuzzLoad checks of any text that Load hands out a Model exactly if there is no
// error, that diagnostics are sorted, well formed and inside the file, that the same
// text gives the same diagnostics, and that the schema accepts what Load accepts.
func FuzzLoad(f *testing.F) {
	for _, folder := range []string{"valid", "invalid"} {
		for _, text := range testdata(f, folder) {
			f.Add(text)
		}
	}
	f.Add("a: &a [*a]")                      // an alias inside its own anchor
	f.Add("? {a: b}\n: c\n")                 // a key that is a mapping
	f.Add("%YAML 1.2\n---\n!!map {}\n...\n") // directives and tags
	f.Add("zones: !!bool yes\n")             // a tag that does not fit the value
	f.Add("\ufeff\r\n\tversion: 1")          // byte order mark, carriage return, tab
	schema := compileSchema(f)
	f.Fuzz(func(t *testing.T, text string) {
		m, ds := load(text)
		failed := slices.ContainsFunc(ds, func(d model.Diagnostic) bool { return d.Severity == model.Error })
		if (m == nil) != failed {
			t.Errorf("model is nil: %v, errors: %v", m == nil, failed)
		}
		lines := strings.Split(strings.ReplaceAll(strings.ReplaceAll(text, "\r\n", "\n"), "\r", "\n"), "\n")
		last := zones.Position{}
		for _, d := range ds {
			p := d.Position
			if p.File != "plant.yaml" || p.Line < 1 || p.Line > len(lines) || p.Column < 1 || p.Column > utf8.RuneCountInString(lines[p.Line-1])+1 {
				t.Errorf("%s lies outside the file", show(d))
			}
			if p.Line < last.Line || p.Line == last.Line && p.Column < last.Column {
				t.Errorf("%s comes after %s", p, last)
			}
			last = p
			if d.Code == "" || d.Message == "" || d.Width < 1 || d.Severity != model.Error && d.Severity != model.Warning {
				t.Errorf("malformed: %+v", d)
			}
			if d.Line != "" && d.Line != lines[p.Line-1] {
				t.Errorf("%s: shows line %q", p, d.Line)
			}
		}
		if _, again := load(text); !reflect.DeepEqual(ds, again) {
			t.Error("a second run gives other diagnostics")
		}
		if m != nil {
			v, err := instance(text)
			if err != nil {
				t.Fatalf("accepted, but not YAML: %v", err)
			}
			if err := schema.Validate(v); err != nil {
				t.Errorf("accepted, but not by the schema: %v", err)
			}
		}
	})
}
