package cli

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"bulkhead/internal/golden"
	"bulkhead/rules"
	"bulkhead/zones"
)

// asOf is the day on which the example is judged in tests.
const asOf = "2026-11-23"

// run runs a command in the project's root and wants an exit code.
func run(t *testing.T, code int, args ...string) (stdout, stderr string) {
	t.Helper()
	t.Chdir(filepath.Join("..", ".."))
	defer t.Chdir(filepath.Join("internal", "cli"))
	var out, told bytes.Buffer
	if got := Run(args, &out, &told); got != code {
		t.Errorf("%q: exit code %d, want %d; on standard error:\n%s", args, got, code, told.String())
	}
	return out.String(), told.String()
}

// assessment runs verify and reads the JSON that it prints.
func assessment(t *testing.T, code int, args ...string) *rules.Assessment {
	t.Helper()
	stdout, _ := run(t, code, append([]string{"verify", "--format", "json", "--as-of", asOf}, args...)...)
	var a rules.Assessment
	if err := json.Unmarshal([]byte(stdout), &a); err != nil {
		t.Fatal(err)
	}
	return &a
}

const (
	plant       = "examples/truck-loading/plant.yaml"
	compensated = "examples/truck-loading/plant-compensated.yaml"
)

// levels prints seven levels, "-" for null.
func levels(l [zones.NumFR]*uint8) string {
	var parts []string
	for _, n := range l {
		if n == nil {
			parts = append(parts, "-")
		} else {
			parts = append(parts, fmt.Sprint(*n))
		}
	}
	return strings.Join(parts, " ")
}

func vector(v zones.Vector) string { return strings.Trim(v.String(), "{}") }

// TestTL1 holds the example to its acceptance table: what is declared, the
// findings that bind, what the evidence leaves standing, and what is achieved.
func TestTL1(t *testing.T) {
	plain, comp := assessment(t, exitFindings, plant), assessment(t, exitFindings, compensated)
	tests := []struct {
		name                          string
		a                             *rules.Assessment
		id                            string
		target, declared, ceil, level string
		binding                       []string // the rules that set an SL-A below what is declared
		gap                           string   // SL-T less SL-A, per FR
	}{
		{"Z-BPCS", plain, "z-bpcs", "2 2 2 1 2 1 2", "2 2 2 1 2 1 2", "1 4 2 3 1 4 4", "1 2 2 1 1 1 2", []string{"EV-002", "EV-024"}, "1 0 0 0 1 0 0"},
		{"Z-BPCS, SR 1.2 compensated", comp, "z-bpcs", "2 2 2 1 2 1 2", "2 2 2 1 2 1 2", "4 4 2 3 1 4 4", "2 2 2 1 1 1 2", []string{"EV-002"}, "0 0 0 0 1 0 0"},
		{"Z-SIS", plain, "z-sis", "3 3 3 1 3 2 2", "2 3 2 1 3 1 2", "4 0 2 3 0 4 4", "2 0 2 1 0 1 2", []string{"EV-110"}, "1 3 1 0 3 1 0"},
		{"Z-OPS", plain, "z-ops", "2 2 2 2 2 2 2", "2 2 2 2 2 2 2", "0 4 2 0 4 4 1", "0 2 2 0 2 2 1", []string{"EV-020", "EV-090"}, "2 0 0 2 0 0 1"},
		{"Z-DMZ", plain, "z-dmz", "2 2 2 2 2 2 2", "2 2 2 2 2 2 2", "4 4 4 4 4 4 4", "2 2 2 2 2 2 2", nil, "0 0 0 0 0 0 0"},
		{"C3", plain, "c3", "2 2 2 2 2 2 2", "2 2 2 2 2 2 2", "4 4 2 3 1 4 4", "2 2 2 2 1 2 2", []string{"EV-002"}, "0 0 0 0 1 0 0"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			all := slices.Concat(test.a.Zones, test.a.Conduits)
			i := slices.IndexFunc(all, func(l rules.Levels) bool { return l.ID == test.id })
			if i < 0 {
				t.Fatalf("no levels of %s", test.id)
			}
			l := &all[i]
			for _, c := range []struct{ what, got, want string }{
				{"SL-T", vector(l.SLT), test.target},
				{"declared", levels(l.Declared), test.declared},
				{"ceiling", vector(l.Ceiling), test.ceil},
				{"SL-A", levels(l.SLA), test.level},
				{"gap", gaps(l), test.gap},
				{"binding findings", fmt.Sprint(binding(test.a, l)), fmt.Sprint(test.binding)},
			} {
				if c.got != c.want {
					t.Errorf("%s %s, want %s", c.what, c.got, c.want)
				}
			}
		})
	}
}

func gaps(l *rules.Levels) string {
	var g zones.Vector
	for _, gap := range l.Gap {
		g[gap.FR] = gap.Levels
	}
	return vector(g)
}

// binding lists the rules of the findings that hold a level below what is
// declared.
func binding(a *rules.Assessment, l *rules.Levels) []string {
	var out []string
	for _, f := range a.Findings {
		if f.Subject.ID != l.ID || f.Class != rules.Contradiction {
			continue
		}
		for fr, level := range f.Caps {
			if d := l.Declared[fr]; d != nil && level < *d && !slices.Contains(out, f.Rule) {
				out = append(out, f.Rule)
			}
		}
	}
	slices.Sort(out)
	return out
}

// TestExceptionsChangeNoNumber verifies the example long before and after its
// exceptions hold: statuses differ, levels do not.
func TestExceptionsChangeNoNumber(t *testing.T) {
	accepted := func(day string) (ids []string, levels string) {
		stdout, _ := run(t, exitFindings, "verify", "--format", "json", "--as-of", day, compensated)
		var a rules.Assessment
		if err := json.Unmarshal([]byte(stdout), &a); err != nil {
			t.Fatal(err)
		}
		for _, f := range a.Findings {
			if f.Status == rules.Accepted {
				ids = append(ids, f.ID)
			}
		}
		for _, l := range slices.Concat(a.Zones, a.Conduits) {
			levels += fmt.Sprintln(l.ID, l.Ceiling, l.SLA)
		}
		return ids, levels
	}
	early, _ := accepted("2026-09-30")
	late, _ := accepted("2026-10-01")
	if want := []string{"EV-070:c3", "EV-070:c4"}; !slices.Equal(slices.Sorted(slices.Values(early)), want) {
		t.Errorf("accepted on the last day of x-2: %v, want %v", early, want)
	}
	if want := []string{"EV-070:c3"}; !slices.Equal(late, want) {
		t.Errorf("accepted on the day after: %v, want %v", late, want)
	}
}

// TestExampleGolden holds what the README promises of the example to what the
// program prints. The paths in it are as the commands name them.
func TestExampleGolden(t *testing.T) {
	for _, test := range []struct {
		name string
		code int
		args []string
	}{
		{"verify.txt", exitFindings, []string{"verify", "--as-of", asOf, plant}},
		{"verify-compensated.txt", exitFindings, []string{"verify", "--as-of", asOf, compensated}},
		{"assessment.json", exitFindings, []string{"verify", "--as-of", asOf, "--format", "json", plant}},
		{"check.txt", exitOK, []string{"check", plant}},
		{"plant.svg", exitOK, []string{"diagram", plant}},
		{"plant-verified.svg", exitOK, []string{"diagram", "--verify", "--as-of", asOf, plant}},
	} {
		t.Run(test.name, func(t *testing.T) {
			stdout, _ := run(t, test.code, test.args...)
			golden.Compare(t, filepath.Join("..", "..", "examples", "truck-loading", "expected", test.name), []byte(stdout))
		})
	}
}

// TestREADME holds the README's excerpt to what the command prints, and its picture
// to what the program draws.
func TestREADME(t *testing.T) {
	root := filepath.Join("..", "..")
	printed, err := os.ReadFile(filepath.Join(root, "examples", "truck-loading", "expected", "verify.txt"))
	if err != nil {
		t.Fatal(err)
	}
	const lines = 16
	excerpt := strings.Join(strings.SplitAfterN(string(printed), "\n", lines+1)[:lines], "")

	path := filepath.Join(root, "README.md")
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	const mark = "a test compares them -->\n```\n"
	before, after, ok := strings.Cut(string(b), mark)
	if !ok {
		t.Fatal("README.md has no excerpt")
	}
	_, after, _ = strings.Cut(after, "```\n")
	golden.Compare(t, path, []byte(before+mark+excerpt+"```\n"+after))

	drawn, err := os.ReadFile(filepath.Join(root, "examples", "truck-loading", "expected", "plant-verified.svg"))
	if err != nil {
		t.Fatal(err)
	}
	golden.Compare(t, filepath.Join(root, "docs", "images", "truck-loading.svg"), drawn)
}
