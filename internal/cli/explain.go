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
			return fmt.Errorf("%q: expected an evidence rule such as EV-002 or a requirement such as \"SR 5.2 RE(1)\"", name)
		},
	}
}
