package report

import (
	"bulkhead/rules"
	"bulkhead/rules/iec62443"
	"bulkhead/zones"
)

// RuleExplanation is what is known of an evidence rule.
type RuleExplanation struct {
	Schema  string      `json:"schema"`
	Rule    rules.Facts `json:"rule"`
	Checked bool        `json:"checked"` // whether this version makes findings of it
}

// ExplainRule gathers what is known of an evidence rule.
func ExplainRule(f rules.Facts) *RuleExplanation {
	return &RuleExplanation{Schema: ExplanationSchema, Rule: f, Checked: unchecked(f.ID) == ""}
}

// RequirementExplanation is what is known of a requirement.
type RequirementExplanation struct {
	Schema      string            `json:"schema"`
	Requirement RequirementRecord `json:"requirement"`
	Rules       []rules.Facts     `json:"rules"` // that void it or ask proof of it
}

// RequirementRecord is a requirement of the catalogue.
type RequirementRecord struct {
	ID          string   `json:"id"`
	Title       string   `json:"title"`
	FR          zones.FR `json:"fr"`
	MinSL       uint8    `json:"min_sl"`
	Conditional bool     `json:"conditional"`
}

// ExplainRequirement gathers what is known of a requirement.
func ExplainRequirement(r iec62443.Requirement, touching []rules.Facts) *RequirementExplanation {
	return &RequirementExplanation{Schema: ExplanationSchema, Rules: append([]rules.Facts{}, touching...),
		Requirement: RequirementRecord{ID: r.ID, Title: r.Title, FR: r.FR, MinSL: r.MinSL, Conditional: r.Conditional}}
}
