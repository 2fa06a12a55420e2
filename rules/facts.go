package rules

import (
	_ "embed"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
)

// Class is what a rule's finding does to the levels.
type Class string

// The classes of rules.
const (
	Contradiction Class = "contradiction" // voids requirements
	Weakening     Class = "weakening"     // asks for proof of requirements
	Support       Class = "support"       // shows a boundary at work
	CoverageClass Class = "coverage"      // says what was not seen
)

// Severity is how grave a finding is.
type Severity string

// The severities, gravest first.
const (
	Critical Severity = "critical"
	High     Severity = "high"
	Medium   Severity = "medium"
	Low      Severity = "low"
	Info     Severity = "info"
)

// Severities lists the severities from the gravest to the least.
func Severities() []Severity { return []Severity{Critical, High, Medium, Low, Info} }

// Facts is what is written down of an evidence rule.
type Facts struct {
	ID             string   `json:"id"` // such as "EV-001"
	Group          string   `json:"group"`
	Title          string   `json:"title"`
	Class          Class    `json:"cls"`
	Evidence       string   `json:"evidence"`    // what must be seen
	Contradicts    []string `json:"contradicts"` // the requirements that it voids
	Weakens        []string `json:"weakens"`     // the requirements that it asks proof of
	ZCR            []string `json:"zcr"`         // of IEC 62443-3-2, those concerned
	Scope          string   `json:"scope"`
	Why            string   `json:"why"`
	Attack         []string `json:"attack"` // techniques of MITRE ATT&CK for ICS
	Severity       Severity `json:"severity"`
	FalsePositives string   `json:"false_positives"`
	CannotProve    string   `json:"cannot_prove"`
	Subjects       []string `json:"subjects"` // codes of what a finding may be about
}

//go:embed evidence-rules.json
var factsJSON []byte

// facts holds every rule that is known, by ID ascending, whether or not it has a
// check. The table is part of the program, so an error in it stops the program.
var facts = func() []Facts {
	var table struct {
		Rules []Facts `json:"rules"`
	}
	if err := json.Unmarshal(factsJSON, &table); err != nil {
		panic(fmt.Sprintf("evidence-rules.json: %v", err))
	}
	slices.SortFunc(table.Rules, func(a, b Facts) int { return strings.Compare(a.ID, b.ID) })
	return table.Rules
}()

// Known lists the IDs of all evidence rules, those without a check included: the
// names that a model may use.
func Known() []string {
	ids := make([]string, len(facts))
	for i := range facts {
		ids[i] = facts[i].ID
	}
	return ids
}

// Explain returns what is known of a rule.
func Explain(id string) (Facts, bool) {
	i, ok := slices.BinarySearchFunc(facts, id, func(f Facts, id string) int { return strings.Compare(f.ID, id) })
	if !ok {
		return Facts{}, false
	}
	return facts[i], true
}

// Touching lists the rules that void a requirement or ask proof of it, by ID.
func Touching(requirement string) []Facts {
	var out []Facts
	for _, f := range facts {
		if slices.Contains(f.Contradicts, requirement) || slices.Contains(f.Weakens, requirement) {
			out = append(out, f)
		}
	}
	return out
}

// mustFacts returns the facts of a rule that has a check.
func mustFacts(id string) Facts {
	f, ok := Explain(id)
	if !ok {
		panic("rule " + id + " has a check and no facts")
	}
	return f
}
