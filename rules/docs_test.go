package rules

import (
	"bytes"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"bulkhead/model"
)

// TestRulesPage holds the table of docs/rules.md against the rules: a row each, in
// order, with their facts, and keys that the model has.
func TestRulesPage(t *testing.T) {
	page, err := os.ReadFile("../docs/rules.md")
	if err != nil {
		t.Fatal(err)
	}
	keys := regexp.MustCompile("`([a-z0-9-]+)`")
	var ids []string
	for line := range strings.Lines(string(page)) {
		if !strings.HasPrefix(line, "| EV-") {
			continue
		}
		cells := strings.Split(strings.Trim(strings.TrimSpace(line), "|"), "|")
		for i := range cells {
			cells[i] = strings.TrimSpace(cells[i])
		}
		if len(cells) != 6 {
			t.Fatalf("row %q has %d cells, want 6", line, len(cells))
		}
		f, ok := Explain(cells[0])
		if !ok {
			t.Fatalf("row %s is of no known rule", cells[0])
		}
		ids = append(ids, f.ID)
		voids := strings.Join(f.Contradicts, ", ")
		if voids == "" {
			voids = "-"
		}
		if cells[1] != f.Title || cells[2] != string(f.Severity) || cells[3] != voids {
			t.Errorf("%s: the page says %q, the rule is %q, %q, %q", f.ID, cells[1:4], f.Title, f.Severity, voids)
		}
		for _, m := range keys.FindAllStringSubmatch(cells[4], -1) {
			if !bytes.Contains(model.JSONSchema, []byte(`"`+m[1]+`"`)) {
				t.Errorf("%s reads %q, which is no key of the model", f.ID, m[1])
			}
		}
		if cells[5] == "" {
			t.Errorf("%s: nothing says what it becomes without its keys", f.ID)
		}
	}
	var want []string
	for _, r := range Implemented() {
		want = append(want, r.ID)
	}
	if !slices.Equal(ids, want) {
		t.Errorf("rows %v, want %v", ids, want)
	}
}
