package cli

import (
	"github.com/spf13/cobra"

	"bulkhead/model"
)

func newSchema() *cobra.Command {
	return &cobra.Command{
		Use:   "schema",
		Short: "Print the JSON Schema of the model, for editors",
		Long: `schema prints the JSON Schema (draft-07) of the model. Editors with a YAML
language server use it when a model's first line names it:

  # yaml-language-server: $schema=bulkhead.schema.json`,
		Example: "  bulkhead schema > bulkhead.schema.json",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			_, err := cmd.OutOrStdout().Write(model.JSONSchema)
			return err
		},
	}
}
