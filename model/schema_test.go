package model_test

import (
	"bytes"
	"encoding/json"
	"math"
	"os"
	"reflect"
	"strconv"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"gopkg.in/yaml.v3"

	"bulkhead/capture"
	"bulkhead/conduits"
	"bulkhead/model"
	"bulkhead/rules/iec62443"
	"bulkhead/zones"
)

const docsSchema = "../docs/bulkhead.schema.json"

func compileSchema(t testing.TB) *jsonschema.Schema {
	t.Helper()
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(model.JSONSchema))
	if err != nil {
		t.Fatal(err)
	}
	c := jsonschema.NewCompiler()
	if err := c.AddResource("bulkhead.schema.json", doc); err != nil {
		t.Fatal(err)
	}
	s, err := c.Compile("bulkhead.schema.json")
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// instance returns YAML as a JSON Schema sees it: dates are text, since JSON has none.
func instance(text string) (any, error) {
	var doc yaml.Node
	if err := yaml.Unmarshal([]byte(text), &doc); err != nil || len(doc.Content) == 0 {
		return nil, err
	}
	var value func(n *yaml.Node) any
	value = func(n *yaml.Node) any {
		switch n.Kind {
		case yaml.AliasNode:
			return value(n.Alias)
		case yaml.MappingNode:
			m := make(map[string]any)
			for i := 0; i+1 < len(n.Content); i += 2 {
				m[n.Content[i].Value] = value(n.Content[i+1])
			}
			return m
		case yaml.SequenceNode:
			l := make([]any, len(n.Content))
			for i, c := range n.Content {
				l[i] = value(c)
			}
			return l
		}
		switch n.ShortTag() {
		case "!!null":
			return nil
		case "!!bool":
			return n.Value == "true" || n.Value == "True" || n.Value == "TRUE"
		case "!!int", "!!float":
			var f float64
			if n.Decode(&f) == nil && !math.IsNaN(f) && !math.IsInf(f, 0) {
				return json.Number(strconv.FormatFloat(f, 'g', -1, 64))
			}
		}
		return n.Value
	}
	return value(doc.Content[0]), nil
}

func TestSchemaAcceptsValidFiles(t *testing.T) {
	schema := compileSchema(t)
	files := testdata(t, "valid")
	files["starter.yaml"] = model.Starter
	for name, text := range files {
		v, err := instance(text)
		if err != nil {
			t.Fatal(err)
		}
		if err := schema.Validate(v); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestSchemaAndInvalidFiles checks that the schema rejects those invalid files that
// say so, and no others: what a schema cannot see is known, not forgotten.
func TestSchemaAndInvalidFiles(t *testing.T) {
	schema := compileSchema(t)
	for name, text := range testdata(t, "invalid") {
		want := header(t, text, "schema")
		if want != "rejects" && want != "cannot" {
			t.Errorf("%s: schema: %s; expected rejects or cannot", name, want)
			continue
		}
		got := "cannot"
		if name != "alias-cycle.yaml" { // no finite JSON stands for it
			v, err := instance(text)
			if err == nil && schema.Validate(v) != nil {
				got = "rejects"
			}
		}
		if got != want {
			t.Errorf("%s: the schema %s, the file says %s", name, got, want)
		}
	}
}

func TestSchemaCopyUnderDocs(t *testing.T) {
	have, err := os.ReadFile(docsSchema)
	if err == nil && bytes.Equal(have, model.JSONSchema) {
		return
	}
	if !*update {
		t.Fatalf("%s differs from model/bulkhead.schema.json (%v); run go test ./model -update", docsSchema, err)
	}
	if err := os.WriteFile(docsSchema, model.JSONSchema, 0o644); err != nil {
		t.Fatal(err)
	}
}

// TestSchemaLists holds the schema's enumerations against the program's own.
func TestSchemaLists(t *testing.T) {
	var schema map[string]any
	if err := json.Unmarshal(model.JSONSchema, &schema); err != nil {
		t.Fatal(err)
	}
	at := func(keys ...string) []string {
		var v any = schema["definitions"]
		for _, k := range keys {
			switch c := v.(type) {
			case map[string]any:
				v = c[k]
			case []any:
				i, _ := strconv.Atoi(k)
				v = c[i]
			}
		}
		var out []string
		list, _ := v.([]any)
		for _, s := range list {
			if s, ok := s.(string); ok {
				out = append(out, s)
			}
		}
		return out
	}
	var protocols, conditional, frs []string
	for _, p := range capture.Protocols() {
		protocols = append(protocols, string(p.Name))
	}
	for _, q := range iec62443.Catalogue() {
		if q.Conditional {
			conditional = append(conditional, q.ID)
		}
	}
	for _, fr := range zones.FRs() {
		frs = append(frs, fr.String())
	}
	for _, list := range []struct {
		what      string
		got, want []string
	}{
		{"zone kinds", at("zone", "properties", "kind", "enum"), texts(zones.Kinds())},
		{"Purdue levels", at("zone", "properties", "purdue", "enum"), zones.PurdueLevels()},
		{"roles", at("asset", "properties", "role", "enum"), texts(zones.Roles())},
		{"offered protocols", at("asset", "properties", "services", "items", "anyOf", "0", "enum"), protocols},
		{"conduit kinds", at("conduit", "properties", "kind", "enum"), texts(conduits.Kinds())},
		{"statuses", at("conduit", "properties", "status", "enum"), texts([]conduits.Status{conduits.Approved, conduits.Proposed})},
		{"protocols", at("channel", "properties", "protocol", "enum"), protocols},
		{"classes", at("channel", "properties", "operations", "items", "enum"), texts(capture.Classes())},
		{"protections", at("channel", "properties", "protection", "enum"), texts([]conduits.Protection{conduits.Integrity, conduits.Encrypted})},
		{"conditional requirements", at("not-applicable", "properties", "requirement", "enum"), conditional},
		{"FRs", at("sl", "oneOf", "2", "required"), frs},
	} {
		if !reflect.DeepEqual(list.got, list.want) {
			t.Errorf("%s: schema has %q, program has %q", list.what, list.got, list.want)
		}
	}
}

func texts[T ~string](values []T) []string {
	out := make([]string, len(values))
	for i, v := range values {
		out[i] = string(v)
	}
	return out
}
