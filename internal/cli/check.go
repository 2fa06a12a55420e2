package cli

import (
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"bulkhead/report"
)

func newCheck() *cobra.Command {
	var failOn, format string
	cmd := &cobra.Command{
		Use:   "check MODEL",
		Short: "Check a model: the design alone, no captures",
		Long: `check reads a model and tells every problem of it in one run, each with file,
line and column, what was expected and the nearest valid name.`,
		Example: "  bulkhead check plant.yaml\n  bulkhead check plant.yaml --fail-on warning",
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := oneOf("--fail-on", failOn, "error", "warning", "never"); err != nil {
				return err
			}
			if err := oneOf("--format", format, "text", "json"); err != nil {
				return err
			}
			told := cmd.ErrOrStderr()
			if format == "json" {
				told = io.Discard
			}
			m, found, err := loadModel(args[0], told)
			if format == "json" && found != nil {
				if err := report.JSON(cmd.OutOrStdout(), report.Check{Schema: report.CheckSchema, Problems: found}); err != nil {
					return err
				}
			}
			if err != nil {
				return err
			}
			if format == "text" {
				if err := report.CheckText(cmd.OutOrStdout(), m); err != nil {
					return err
				}
			}
			if failOn == "warning" && len(found) > 0 {
				return &exit{code: exitFindings}
			}
			return nil
		},
	}
	cmd.Flags().StringVar(&failOn, "fail-on", "error", "what ends with exit code 1: warning (an error always ends with 2)")
	cmd.Flags().StringVar(&format, "format", "text", "text or json")
	return cmd
}

// oneOf returns an error unless value is one of those a flag takes.
func oneOf(flag, value string, allowed ...string) error {
	for _, a := range allowed {
		if value == a {
			return nil
		}
	}
	return fmt.Errorf("%s %q: expected one of %s", flag, value, strings.Join(allowed, ", "))
}
