package cli

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"github.com/spf13/cobra"

	"bulkhead/model"
	"bulkhead/report"
	"bulkhead/rules"
)

func newVerify() *cobra.Command {
	var reading reading
	var format, failOn, asOf string
	var requireCoverage int
	var outputs []string
	cmd := &cobra.Command{
		Use:   "verify MODEL [INPUT...]",
		Short: "Hold a model against captures: SL-T against SL-A, and every breach",
		Long: `verify decodes captures, judges every flow by the model and prints, per zone and
conduit, the target (SL-T), what the measures declare, what the evidence leaves
standing, and the level achieved (SL-A), with the findings that set each number.

Without inputs it takes those that the model's taps name. Captures that are
named are assigned to a tap by the end of their path, or by their hash.

` + inputHelp,
		Example: `  bulkhead verify plant.yaml
  bulkhead verify plant.yaml captures/monday.pcapng -o assessment.json
  bulkhead verify plant.yaml plant.parquet                # what observe -o has written
  bulkhead verify plant.yaml --fail-on deviation --as-of 2026-12-01`,
		Args: cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := oneOf("--format", format, "text", "json"); err != nil {
				return err
			}
			if err := oneOf("--fail-on", failOn, failOnValues()...); err != nil {
				return err
			}
			if requireCoverage < 0 || requireCoverage > 100 {
				return fmt.Errorf("--require-coverage %d: expected a percentage of conduits, 0 to 100", requireCoverage)
			}
			for _, o := range outputs {
				if ext := filepath.Ext(o); ext != ".json" && ext != ".txt" {
					return fmt.Errorf("output %q: expected a name that ends in .json or .txt", o)
				}
			}
			if err := checkOutputs(outputs, args); err != nil {
				return err
			}
			m, seen, a, err := assess(cmd, args, &reading, outputs, asOf)
			if err != nil {
				return err
			}
			lines := modelLines(args[0])
			for _, o := range outputs {
				err := writeFile(o, func(w io.Writer) error {
					if filepath.Ext(o) == ".json" {
						return report.JSON(w, a)
					}
					return report.Text(w, a, report.Options{Line: lines})
				})
				if err != nil {
					return err
				}
			}
			out := cmd.OutOrStdout()
			if format == "json" {
				err = report.JSON(out, a)
			} else {
				opts := textOptions(out)
				opts.Line = lines
				err = report.Text(out, a, opts)
			}
			if err != nil {
				return err
			}
			short := seen.incomplete(cmd.ErrOrStderr())
			if failOn != never && a.Fails(rules.Threshold(failOn)) {
				return &exit{code: exitFindings}
			}
			if got := observable(a); got < requireCoverage {
				return &exit{exitIncomplete, fmt.Errorf("coverage: %d %% of the %d conduits are observable, --require-coverage asks for %d %%", got, len(m.Conduits), requireCoverage)}
			}
			return short
		},
	}
	f := cmd.Flags()
	f.StringVar(&format, "format", "text", "text or json, on standard output")
	f.StringArrayVarP(&outputs, "output", "o", nil, "also write FILE.json or FILE.txt; may be given again")
	f.StringVar(&failOn, "fail-on", string(rules.FailOnBreach), "what ends with exit code 1: breach, deviation, a severity (critical high medium low), or never")
	f.StringVar(&asOf, "as-of", "", "the day YYYY-MM-DD on which exceptions and reviews are judged (default: SOURCE_DATE_EPOCH, or today)")
	f.IntVar(&requireCoverage, "require-coverage", 0, "end with exit code 3 if fewer than this percentage of conduits are observable")
	reading.flags(cmd)
	return cmd
}

// never is the --fail-on under which findings do not decide the exit code.
const never = "never"

func failOnValues() []string {
	var list []string
	for _, t := range rules.Thresholds() {
		list = append(list, string(t))
	}
	return append(list, never)
}

// assess loads the model args[0] and judges it by the inputs args[1:], or by those
// of its taps. No output may be one of them.
func assess(cmd *cobra.Command, args []string, r *reading, outputs []string, asOf string) (*model.Model, *observed, *rules.Assessment, error) {
	if err := r.check(); err != nil {
		return nil, nil, nil, err
	}
	m, _, err := loadModel(args[0], cmd.ErrOrStderr())
	if err != nil {
		return nil, nil, nil, err
	}
	day, err := judgedOn(asOf, m.System.Zone)
	if err != nil {
		return nil, nil, nil, err
	}
	names := args[1:]
	if len(names) == 0 {
		var unmatched []string
		if names, unmatched, err = tapCaptures(m, args[0]); err != nil {
			return nil, nil, nil, err
		}
		for _, p := range unmatched {
			fmt.Fprintf(cmd.ErrOrStderr(), "bulkhead: no file fits the taps' captures %q\n", p)
		}
		if len(names) == 0 {
			return nil, nil, nil, errors.New("no capture: name one, or name captures at the model's taps")
		}
	}
	in, err := findInputs(cmd.ErrOrStderr(), names)
	if err := errors.Join(err, checkOutputs(outputs, in.paths())); err != nil {
		return nil, nil, nil, err
	}
	seen, err := r.observe(cmd.Context(), cmd.ErrOrStderr(), in)
	if err != nil {
		return nil, nil, nil, err
	}
	return m, seen, rules.Judge(m, seen.observations, rules.Options{AsOf: day}), nil
}

// judgedOn returns the day on which exceptions and reviews are judged: the flag,
// else SOURCE_DATE_EPOCH (https://reproducible-builds.org), else today.
func judgedOn(flag string, plant *time.Location) (model.Date, error) {
	t := time.Now()
	if epoch := os.Getenv("SOURCE_DATE_EPOCH"); epoch != "" {
		s, err := strconv.ParseInt(epoch, 10, 64)
		if err != nil {
			return model.Date{}, fmt.Errorf("SOURCE_DATE_EPOCH %q: expected seconds since 1970", epoch)
		}
		t = time.Unix(s, 0)
	}
	if flag != "" {
		day, err := time.Parse(time.DateOnly, flag)
		if err != nil {
			return model.Date{}, fmt.Errorf("--as-of %q: expected a day such as 2026-12-01", flag)
		}
		y, mo, d := day.Date()
		return model.Date{Year: y, Month: mo, Day: d}, nil
	}
	y, mo, d := t.In(plant).Date()
	return model.Date{Year: y, Month: mo, Day: d}, nil
}

// observable returns the percentage of conduits that some tap could see; 100
// where there are none.
func observable(a *rules.Assessment) int {
	if len(a.Coverage) == 0 {
		return 100
	}
	n := 0
	for _, c := range a.Coverage {
		if c.State != rules.NotObservable {
			n++
		}
	}
	return n * 100 / len(a.Coverage)
}
