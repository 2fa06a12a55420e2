package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"

	"github.com/spf13/cobra"
)

// The exit codes. A finding outranks an incomplete run, an error is never 0.
const (
	exitOK         = 0 // nothing at or above --fail-on
	exitFindings   = 1 // findings at or above it
	exitError      = 2 // usage, model or input error
	exitIncomplete = 3 // ran, but a capture could not be read to its end, or coverage is below --require-coverage
)

// Run runs bulkhead with the arguments after the program's name and returns its
// exit code.
func Run(args []string, stdout, stderr io.Writer) int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	context.AfterFunc(ctx, stop) // the first interrupt ends with what is known; a second one ends at once
	root := newRoot()
	root.SetArgs(args)
	root.SetOut(stdout)
	root.SetErr(stderr)
	err := root.ExecuteContext(ctx)
	var end *exit
	switch {
	case err == nil:
		return exitOK
	case errors.As(err, &end):
		if end.err != nil {
			tellError(stderr, end.err)
		}
		return end.code
	case errors.Is(err, context.Canceled):
		fmt.Fprintln(stderr, "bulkhead: stopped by an interrupt")
		return exitIncomplete
	}
	tellError(stderr, err)
	return exitError
}

// tellError says what is wrong, each of several errors on a line of its own.
func tellError(w io.Writer, err error) {
	for line := range strings.SplitSeq(err.Error(), "\n") {
		fmt.Fprintln(w, "bulkhead:", line)
	}
}

// exit is how a command ends with a code other than 0 and 2, or with an error
// that has been told already.
type exit struct {
	code int
	err  error // told by Run; nil if the command's output says it all
}

func (e *exit) Error() string {
	if e.err == nil {
		return fmt.Sprintf("exit %d", e.code)
	}
	return e.err.Error()
}

func newRoot() *cobra.Command {
	root := &cobra.Command{
		Use:   "bulkhead",
		Short: "Hold a plant's zones and conduits against what its network taps saw",
		Long: `bulkhead reads a model of a plant's zones and conduits (YAML) and packet captures
taken at its network taps. It says which traffic crosses zones in ways that the
model does not permit, and where the security level achieved (SL-A) therefore
falls below the target (SL-T) of IEC 62443, with the frames that show it.

A capture can lower a security level, it can never prove one.

Exit codes: 0 nothing at or above --fail-on, 1 findings at or above it, 2 usage,
model or input error, 3 ran but incomplete.`,
		Example: `  bulkhead init                              # write an annotated starter model
  bulkhead check plant.yaml                  # check the design alone
  bulkhead verify plant.yaml                 # hold it against the captures of its taps
  bulkhead verify plant.yaml monday.pcapng   # or against these
  bulkhead observe captures/ -o plant.parquet   # decode once, verify often, without the captures
  bulkhead explain EV-002                    # what a rule looks at, and what it cannot prove
  bulkhead diagram plant.yaml -o plant.svg   # draw it`,
		SilenceUsage:  true,
		SilenceErrors: true,
		Args:          cobra.NoArgs,
		RunE:          func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	root.CompletionOptions.HiddenDefaultCmd = false
	root.AddCommand(newInit(), newCheck(), newObserve(), newVerify(), newExplain(), newDiagram(), newCache(), newSchema(), newVersion())
	return root
}
