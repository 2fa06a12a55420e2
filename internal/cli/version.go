package cli

import (
	"fmt"
	"runtime"
	"runtime/debug"

	"github.com/spf13/cobra"

	"bulkhead/capture"
	"bulkhead/report"
	"bulkhead/rules"
)

func newVersion() *cobra.Command {
	return &cobra.Command{
		Use:   "version",
		Short: "Print the version, and those of the output contracts",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			version, revision := "unknown", ""
			if info, ok := debug.ReadBuildInfo(); ok {
				version = info.Main.Version
				for _, s := range info.Settings {
					if s.Key == "vcs.revision" {
						revision = " " + s.Value
					}
				}
			}
			_, err := fmt.Fprintf(cmd.OutOrStdout(), "bulkhead %s%s\n%s %s/%s\n%s\n%s\n%s\n",
				version, revision, runtime.Version(), runtime.GOOS, runtime.GOARCH, capture.Schema, rules.Schema, report.ExplanationSchema)
			return err
		},
	}
}
