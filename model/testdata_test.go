package model_test

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"bulkhead/model"
)

var update = flag.Bool("update", false, "rewrite the expected results under testdata and the copies under docs")

// header returns the value of a leading comment such as "# want: 7:12 unknown-key".
func header(t testing.TB, text, key string) string {
	t.Helper()
	for _, line := range strings.Split(text, "\n") {
		if v, ok := strings.CutPrefix(line, "# "+key+": "); ok {
			return v
		}
	}
	t.Fatalf("no comment %q", "# "+key+": …")
	return ""
}

// testdata returns the model files of a folder, by name.
func testdata(t testing.TB, folder string) map[string]string {
	t.Helper()
	names, err := filepath.Glob(filepath.Join("testdata", folder, "*.yaml"))
	if err != nil || len(names) == 0 {
		t.Fatalf("testdata/%s: %d files, %v", folder, len(names), err)
	}
	files := make(map[string]string)
	for _, name := range names {
		b, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		files[filepath.Base(name)] = string(b)
	}
	return files
}

func TestValidFiles(t *testing.T) {
	for name, text := range testdata(t, "valid") {
		t.Run(name, func(t *testing.T) {
			m, ds := load(text)
			for _, d := range ds {
				t.Error(show(d))
			}
			if m == nil {
				t.Error("no model")
			}
		})
	}
}

// TestInvalidFiles holds each file's diagnostics against the places and codes in
// its first line.
func TestInvalidFiles(t *testing.T) {
	for name, text := range testdata(t, "invalid") {
		t.Run(name, func(t *testing.T) {
			_, ds := load(text)
			var found []string
			for _, d := range ds {
				found = append(found, fmt.Sprintf("%d:%d %s", d.Position.Line, d.Position.Column, d.Code))
				t.Log(show(d))
			}
			want, got := header(t, text, "want"), strings.Join(found, ", ")
			if *update && want != got {
				text = strings.Replace(text, "# want: "+want+"\n", "# want: "+got+"\n", 1)
				if err := os.WriteFile(filepath.Join("testdata", "invalid", name), []byte(text), 0o644); err != nil {
					t.Fatal(err)
				}
				want = got
			}
			if got != want {
				t.Errorf("found %s\nwant  %s", got, want)
			}
		})
	}
}

// TestSuggestions checks that the nearest valid name is found where one is near.
func TestSuggestions(t *testing.T) {
	for name, want := range map[string]string{
		"unknown-key":               "networks",
		"kind-unknown":              "control",
		"joins-unknown":             "ctl",
		"channel-zone-unknown":      "ops",
		"channel-asset-unknown":     "ctl/plc",
		"protocol-unknown":          "modbus",
		"operation-unknown":         "read",
		"parent-unknown":            "control",
		"host-bits":                 "10.1.0.0/24",
		"bad-network-bare":          "10.1.0.9/32",
		"meets-notation":            "SR 1.1 RE(1)",
		"meets-fr":                  "UC",
		"exception-rule-unknown":    "EV-001",
		"exception-subject-unknown": "ops",
		"role-unknown":              "",
	} {
		b, err := os.ReadFile(filepath.Join("testdata", "invalid", name+".yaml"))
		if err != nil {
			t.Fatal(err)
		}
		_, ds := load(string(b))
		if !slices.ContainsFunc(ds, func(d model.Diagnostic) bool { return d.Suggest == want }) {
			t.Errorf("%s: no suggestion %q", name, want)
			for _, d := range ds {
				t.Log(show(d))
			}
		}
	}
}
