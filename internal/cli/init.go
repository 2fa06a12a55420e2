package cli

import (
	"fmt"
	"io"
	"os"

	"github.com/spf13/cobra"

	"bulkhead/model"
)

func newInit() *cobra.Command {
	var output string
	cmd := &cobra.Command{
		Use:   "init",
		Short: "Write an annotated starter model",
		Long: `init writes a small model that passes check and explains every section in its
comments. It never overwrites a file.`,
		Example: "  bulkhead init\n  bulkhead init -o terminal/plant.yaml\n  bulkhead init -o -    # to standard output",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if output == "-" {
				_, err := io.WriteString(cmd.OutOrStdout(), model.Starter)
				return err
			}
			if _, err := os.Lstat(output); err == nil {
				return fmt.Errorf("output %q: exists already, and init overwrites nothing", output)
			}
			err := writeFile(output, func(w io.Writer) error {
				_, err := io.WriteString(w, model.Starter)
				return err
			})
			if err != nil {
				return err
			}
			fmt.Fprintf(cmd.ErrOrStderr(), "wrote %s: edit it, then run: bulkhead check %s\n", output, output)
			return nil
		},
	}
	cmd.Flags().StringVarP(&output, "output", "o", "plant.yaml", "the file to write; - for standard output")
	return cmd
}
