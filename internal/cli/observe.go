package cli

import (
	"errors"
	"fmt"
	"io"
	"path/filepath"

	"github.com/spf13/cobra"

	"bulkhead/capture/store"
	"bulkhead/report"
)

func newObserve() *cobra.Command {
	var reading reading
	var format string
	var outputs []string
	cmd := &cobra.Command{
		Use:   "observe INPUT...",
		Short: "Read captures: who talked to whom, asking for what; no model needed",
		Long: `observe decodes captures and prints the conversations in them: client and server
and how sure that is, protocol, the operations asked for and their outcome, and a
ledger that accounts for every frame.

` + inputHelp + `

It ends with exit code 3 if a capture could not be read to its end.`,
		Example: `  bulkhead observe monday.pcapng
  bulkhead observe captures/ -o plant.parquet          # every capture below a folder
  bulkhead observe plant.parquet tuesday.pcapng        # add a day to it
  tcpdump -i eth0 -w - | bulkhead observe -            # until Ctrl-C`,
		Args: cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := oneOf("--format", format, "text", "json"); err != nil {
				return err
			}
			for _, o := range outputs {
				if ext := filepath.Ext(o); ext != ".json" && ext != ".parquet" {
					return fmt.Errorf("output %q: expected a name that ends in .json or .parquet", o)
				}
			}
			if err := reading.check(); err != nil {
				return err
			}
			in, err := findInputs(cmd.ErrOrStderr(), args)
			if err := errors.Join(err, checkOutputs(outputs, in.paths())); err != nil {
				return err
			}
			seen, err := reading.observe(cmd.Context(), cmd.ErrOrStderr(), in)
			if err != nil {
				return err
			}
			obs := seen.observations
			for _, o := range outputs {
				err := writeFile(o, func(w io.Writer) error {
					if filepath.Ext(o) == ".parquet" {
						return store.Write(w, obs)
					}
					return report.JSON(w, obs)
				})
				if err != nil {
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
			return seen.incomplete(cmd.ErrOrStderr())
		},
	}
	cmd.Flags().StringVar(&format, "format", "text", "text or json, on standard output")
	cmd.Flags().StringArrayVarP(&outputs, "output", "o", nil, "also write FILE.parquet or FILE.json; may be given again")
	reading.flags(cmd)
	return cmd
}

// inputHelp says in a command's help what it reads.
const inputHelp = `An INPUT is a capture (recognised by its content), a file of observations that
observe -o FILE.parquet has written, a folder with such files in it or below, a
pattern such as "captures/*.pcapng", or - for standard input.`

// textOptions fits text output to where it goes.
func textOptions(w io.Writer) report.Options {
	return report.Options{Width: width(w), Colour: colour(w)}
}
