package store

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/parquet-go/parquet-go"

	"bulkhead/internal/golden"
)

// columnRow matches a row of the table of columns.
var columnRow = regexp.MustCompile("^\\| `([^`]+)` \\| ([^|]+) \\| (yes|no) \\| ")

// The columns of docs/observations.md are those of the file, in their order, with
// their types.
func TestDocumentedColumns(t *testing.T) {
	doc, err := os.ReadFile(filepath.Join("..", "..", "docs", "observations.md"))
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, line := range strings.Split(string(doc), "\n") {
		if m := columnRow.FindStringSubmatch(line); m != nil {
			got = append(got, strings.Join(m[1:], " | "))
		}
	}
	want := describe("", rowSchema())
	if got, want := strings.Join(got, "\n"), strings.Join(want, "\n"); got != want {
		t.Errorf("documented (-) and written (+) columns differ:\n%s", golden.Diff(got, want))
	}
	for _, key := range []string{SchemaKey, CapturesKey, SumKey, Schema} {
		if !strings.Contains(string(doc), "`"+key+"`") {
			t.Errorf("%s is not documented", key)
		}
	}
}

// describe lists the columns below node as the documentation does.
func describe(prefix string, node parquet.Node) (list []string) {
	for _, f := range node.Fields() {
		name, null := prefix+f.Name(), "no"
		if f.Optional() {
			null = "yes"
		}
		if f.Leaf() {
			list = append(list, name+" | "+typeName(f)+" | "+null)
			continue
		}
		element := f.Fields()[0].Fields()[0] // of a LIST: list.element
		if element.Leaf() {
			list = append(list, name+" | list of "+typeName(element)+" | "+null)
			continue
		}
		list = append(list, name+" | list | "+null)
		list = append(list, describe(name+"[].", element)...)
	}
	return list
}

func typeName(n parquet.Node) string {
	switch s := n.Type().String(); s {
	case "STRING":
		return "text"
	case "BOOLEAN":
		return "bool"
	case "TIMESTAMP(isAdjustedToUTC=true,unit=NANOS)":
		return "timestamp"
	case "INT(8,false)", "INT(16,false)", "INT(32,false)", "INT(64,false)":
		return "uint" + strings.TrimSuffix(strings.TrimPrefix(s, "INT("), ",false)")
	case "INT(32,true)", "INT(64,true)":
		return "int" + strings.TrimSuffix(strings.TrimPrefix(s, "INT("), ",true)")
	default:
		return s
	}
}
