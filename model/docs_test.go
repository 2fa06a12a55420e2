package model_test

import (
	"encoding/json"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"bulkhead/model"
)

func read(t *testing.T, name string) string {
	t.Helper()
	b, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func matches(pattern, text string) []string {
	var out []string
	for _, m := range regexp.MustCompile(pattern).FindAllStringSubmatch(text, -1) {
		out = append(out, m[1])
	}
	return out
}

// TestDocumentedCodes holds the reference's table against the codes in the source,
// and checks that a test provokes each.
func TestDocumentedCodes(t *testing.T) {
	declared := matches(`(?m)^\tcode\w+ +code = "([a-z-]+)"`, read(t, "code.go"))
	documented := matches("(?m)^\\| `([a-z-]+)` \\| (?:error|warning) \\|", read(t, "../docs/model.md"))
	if !slices.Equal(declared, documented) {
		t.Errorf("code.go has %q\ndocs/model.md %q", declared, documented)
	}
	provoked := read(t, "files_test.go")
	for _, text := range testdata(t, "invalid") {
		provoked += header(t, text, "want") + "\n"
	}
	for _, c := range declared {
		if !regexp.MustCompile(`\b` + c + `\b`).MatchString(provoked) {
			t.Errorf("no test provokes %s", c)
		}
	}
}

// TestDocumentedSeverities compares the severities of the table with those found.
func TestDocumentedSeverities(t *testing.T) {
	doc := read(t, "../docs/model.md")
	for name, text := range testdata(t, "invalid") {
		_, ds := load(text)
		for _, d := range ds {
			if !strings.Contains(doc, "| `"+d.Code+"` | "+string(d.Severity)+" |") {
				t.Errorf("%s: the table does not say that %s is of severity %s", name, d.Code, d.Severity)
			}
		}
	}
}

// TestDocumentedKeys checks that every key of the schema stands in the reference.
func TestDocumentedKeys(t *testing.T) {
	doc := read(t, "../docs/model.md")
	var schema any
	if err := json.Unmarshal(model.JSONSchema, &schema); err != nil {
		t.Fatal(err)
	}
	keys := make(map[string]bool)
	var walk func(v any)
	walk = func(v any) {
		switch v := v.(type) {
		case map[string]any:
			properties, _ := v["properties"].(map[string]any)
			for key := range properties {
				keys[key] = true
			}
			for _, c := range v {
				walk(c)
			}
		case []any:
			for _, c := range v {
				walk(c)
			}
		}
	}
	walk(schema)
	if len(keys) < 60 {
		t.Errorf("found %d keys in the schema", len(keys))
	}
	for key := range keys {
		if !regexp.MustCompile(`\b` + regexp.QuoteMeta(key) + `\b`).MatchString(doc) {
			t.Errorf("docs/model.md does not speak of %q", key)
		}
	}
}
