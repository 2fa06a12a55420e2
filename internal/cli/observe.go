package cli

import (
	"context"
	"fmt"
	"io"
	"path/filepath"
	"runtime"

	"github.com/spf13/cobra"

	"bulkhead/capture"
	"bulkhead/capture/observe"
	"bulkhead/report"
)

func newObserve() *cobra.Command {
	var jobs int
	var format string
	var outputs []string
	cmd := &cobra.Command{
		Use:   "observe CAPTURE...",
		Short: "Read captures: who talked to whom, asking for what; no model needed",
		Long: `observe decodes captures (pcap, pcapng, either in gzip) and prints the
conversations in them: client and server and how sure that is, protocol, the
operations asked for and their outcome, and a ledger that accounts for every
frame.

It ends with exit code 3 if a capture could not be read to its end.`,
		Example: "  bulkhead observe monday.pcapng\n  bulkhead observe *.pcap --format json -o plant.json",
		Args:    cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := oneOf("--format", format, "text", "json"); err != nil {
				return err
			}
			for _, o := range outputs {
				if filepath.Ext(o) != ".json" {
					return fmt.Errorf("output %q: expected a name that ends in .json", o)
				}
			}
			if err := checkOutputs(outputs, args); err != nil {
				return err
			}
			obs, err := observeFiles(cmd.Context(), cmd.ErrOrStderr(), args, jobs)
			if err != nil {
				return err
			}
			for _, o := range outputs {
				if err := writeFile(o, func(w io.Writer) error { return report.JSON(w, obs) }); err != nil {
					return err
				}
			}
			out := cmd.OutOrStdout()
			if format == "json" {
				err = report.JSON(out, obs)
			} else {
				err = report.ObservationsText(out, obs, textOptions(out))
			}
			if err != nil {
				return err
			}
			return incomplete(cmd.ErrOrStderr(), obs)
		},
	}
	cmd.Flags().StringVar(&format, "format", "text", "text or json, on standard output")
	cmd.Flags().StringArrayVarP(&outputs, "output", "o", nil, "also write FILE.json; may be given again")
	addJobs(cmd, &jobs)
	return cmd
}

// addJobs adds the flag for how many captures are read at a time.
func addJobs(cmd *cobra.Command, jobs *int) {
	cmd.Flags().IntVar(jobs, "jobs", runtime.NumCPU(), "captures to read at a time; the output does not depend on it")
}

// observeFiles decodes the captures at paths and shows on told how far it is.
func observeFiles(ctx context.Context, told io.Writer, paths []string, jobs int) (*capture.Observations, error) {
	if jobs < 1 {
		return nil, fmt.Errorf("--jobs %d: expected 1 or more", jobs)
	}
	inputs, err := captureInputs(paths)
	if err != nil {
		return nil, err
	}
	tell, clear := showProgress(told)
	defer clear()
	return observe.Observe(ctx, inputs, observe.Options{Jobs: jobs, Progress: tell})
}

// incomplete tells which captures could not be read to their end, and returns
// the exit that this means, if any.
func incomplete(w io.Writer, obs *capture.Observations) error {
	var end error
	for _, c := range obs.Captures {
		for _, e := range c.Errors {
			fmt.Fprintf(w, "bulkhead: capture %q: at byte %d: %s\n", c.Path, e.Offset, e.What)
		}
		if !c.Complete {
			end = &exit{code: exitIncomplete}
		}
	}
	return end
}

// textOptions fits text output to where it goes.
func textOptions(w io.Writer) report.Options {
	return report.Options{Width: width(w), Colour: colour(w)}
}
