package report

import (
	"encoding/json"
	"io"
)

// JSON writes v, indented by two spaces and with a newline at the end. The
// characters <, > and & stay as they are: the output is no HTML.
func JSON(w io.Writer, v any) error {
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	return e.Encode(v)
}
