package cli

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"bulkhead/report"
	"bulkhead/rules"
	"bulkhead/rules/iec62443"
)

func newExplain() *cobra.Command {
	return &cobra.Command{
		Use:   "explain RULE|REQUIREMENT",
		Short: "Say what a rule looks at and cannot prove, or which rules touch a requirement",
		Example: `  bulkhead explain EV-002
  bulkhead explain "SR 5.2 RE(1)"
  bulkhead explain SR 5.2`,
		Args: cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			name := strings.Join(args, " ")
			out := cmd.OutOrStdout()
			if rule, ok := rules.Explain(strings.ToUpper(name)); ok {
				return report.RuleText(out, rule, textOptions(out))
			}
			if req, ok := iec62443.Lookup(name); ok {
				return report.RequirementText(out, req, rules.Touching(req.ID), textOptions(out))
			}
			if near := nearestID(name); near != "" {
				return fmt.Errorf("%q: no evidence rule or requirement has this name; did you mean %q?", name, near)
			}
			return fmt.Errorf("%q: expected an evidence rule such as EV-002 or a requirement such as \"SR 5.2 RE(1)\"", name)
		},
	}
}

// nearestID returns the rule or requirement whose ID is meant by name: one that
// differs in spacing, case, punctuation or leading zeros only, or else by one letter
// or digit; "" if there is none.
func nearestID(name string) string {
	ids := rules.Known()
	for _, r := range iec62443.Catalogue() {
		ids = append(ids, r.ID)
	}
	near := ""
	for _, id := range ids {
		switch {
		case bare(name) == bare(id):
			return id
		case near == "" && oneEdit(strings.ToUpper(name), id):
			near = id
		}
	}
	return near
}

// bare returns the letters and numbers of an ID alone, the numbers without leading
// zeros and apart from each other.
func bare(id string) string {
	var b strings.Builder
	number, digits := false, 0
	for _, r := range strings.ToUpper(id) {
		switch {
		case '0' <= r && r <= '9':
			if !number {
				b.WriteByte(' ')
				number, digits = true, 0
			}
			if r != '0' || digits > 0 {
				b.WriteRune(r)
				digits++
			}
		case 'A' <= r && r <= 'Z':
			b.WriteRune(r)
			number = false
		default:
			number = false
		}
	}
	return b.String()
}

// oneEdit reports whether one byte inserted, deleted or replaced, or two neighbours
// swapped, make b of a.
func oneEdit(a, b string) bool {
	for len(a) > 0 && len(b) > 0 && a[0] == b[0] {
		a, b = a[1:], b[1:]
	}
	for len(a) > 0 && len(b) > 0 && a[len(a)-1] == b[len(b)-1] {
		a, b = a[:len(a)-1], b[:len(b)-1]
	}
	swapped := len(a) == 2 && len(b) == 2 && a[0] == b[1] && a[1] == b[0]
	return max(len(a), len(b)) <= 1 || swapped
}
