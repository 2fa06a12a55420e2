package cli

import (
	"context"
	"fmt"
	"io"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"bulkhead/diagram"
	"bulkhead/model"
	"bulkhead/rules"
)

func newDiagram() *cobra.Command {
	var reading reading
	var output, format, asOf string
	var verify bool
	cmd := &cobra.Command{
		Use:   "diagram MODEL [INPUT...]",
		Short: "Draw zones and conduits, with what the captures showed of them",
		Long: `diagram draws the model: zones by Purdue level with their SL-T, conduits with
their boundary device, protocols and direction. With inputs, or with --verify
for those of the model's taps, it also shows SL-A and tells breached, silent and
unobservable conduits and undeclared crossings apart.

` + inputHelp,
		Example: `  bulkhead diagram plant.yaml -o plant.svg
  bulkhead diagram plant.yaml --verify -o plant.svg
  bulkhead diagram plant.yaml --format dot | dot -Tpdf -o plant.pdf`,
		Args: cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if format == "" {
				format = "svg"
				if output != "" && output != "-" {
					format = strings.TrimPrefix(filepath.Ext(output), ".")
					if oneOf("", format, "svg", "dot") != nil {
						return fmt.Errorf("output %q: expected a name that ends in .svg or .dot, or --format", output)
					}
				}
			}
			if err := oneOf("--format", format, "svg", "dot"); err != nil {
				return err
			}
			var outputs []string
			if output != "" && output != "-" {
				outputs = []string{output}
			}
			if err := checkOutputs(outputs, args); err != nil {
				return err
			}
			var m *model.Model
			seen := new(observed)
			var a *rules.Assessment
			var err error
			if verify || len(args) > 1 {
				m, seen, a, err = assess(cmd, args, &reading, outputs, asOf)
			} else {
				m, _, err = loadModel(args[0], cmd.ErrOrStderr())
			}
			if err != nil {
				return err
			}
			var picture []byte
			if format == "dot" {
				picture = []byte(diagram.DOT(m, a))
			} else if picture, err = diagram.SVG(context.WithoutCancel(cmd.Context()), m, a); err != nil {
				return fmt.Errorf("diagram: %w", err)
			}
			if len(outputs) == 0 {
				_, err = cmd.OutOrStdout().Write(picture)
			} else {
				err = writeFile(output, func(w io.Writer) error {
					_, err := w.Write(picture)
					return err
				})
			}
			if err != nil {
				return err
			}
			return seen.incomplete(cmd.ErrOrStderr())
		},
	}
	f := cmd.Flags()
	f.StringVarP(&output, "output", "o", "", "the file to write, FILE.svg or FILE.dot (default: standard output)")
	f.StringVar(&format, "format", "", "svg or dot (default: by the output's name, else svg)")
	f.BoolVar(&verify, "verify", false, "judge the captures of the model's taps and show the result")
	f.StringVar(&asOf, "as-of", "", "the day YYYY-MM-DD on which exceptions and reviews are judged")
	reading.flags(cmd)
	return cmd
}
