package model

import (
	"fmt"
	"slices"
	"strings"

	"gopkg.in/yaml.v3"

	"bulkhead/zones"
)

// node is a YAML node, never an alias, and the file in which it stands.
type node struct {
	*yaml.Node
	file *source
}

func (n node) position() zones.Position {
	return zones.Position{File: n.file.name, Line: n.Line, Column: n.Column}
}

// child returns a node of n's content, or what it is an alias of.
func (n node) child(c *yaml.Node) node {
	if c.Kind == yaml.AliasNode {
		c = c.Alias
	}
	return node{c, n.file}
}

// get returns the value of a mapping's key.
func (n node) get(key string) (node, bool) {
	if n.Kind == yaml.MappingNode {
		for i := 0; i+1 < len(n.Content); i += 2 {
			if k := n.child(n.Content[i]); k.Kind == yaml.ScalarNode && k.Value == key {
				return n.child(n.Content[i+1]), true
			}
		}
	}
	return node{}, false
}

// describe says what a node is, for "expected X, found Y".
func (n node) describe() string {
	switch n.Kind {
	case yaml.MappingNode:
		return "a mapping"
	case yaml.SequenceNode:
		return "a list"
	}
	switch tag := n.ShortTag(); tag {
	case "!!null":
		return "nothing"
	case "!!str":
		return "text"
	case "!!bool":
		return n.Value
	case "!!int", "!!float":
		return "a number"
	case "!!timestamp":
		return "a date"
	default:
		return "a value tagged " + tag
	}
}

// field is a key of a mapping and what reads its value.
type field struct {
	key  string
	read func(node)
}

// mapping reads a mapping whose keys are all among fields and of which those in
// required must be there. What names the mapping's subject in messages. It reports
// whether n is a mapping at all.
func (r *reader) mapping(n node, what string, fields []field, required ...string) bool {
	if n.Kind != yaml.MappingNode {
		r.report(n, codeWrongKind, "%s: expected a mapping of keys to values, found %s", what, n.describe())
		return false
	}
	keys := func() []string {
		names := make([]string, len(fields))
		for i, f := range fields {
			names[i] = f.key
		}
		return names
	}
	seen := make(map[string]node, len(n.Content)/2)
	for i := 0; i+1 < len(n.Content); i += 2 {
		k, v := n.child(n.Content[i]), n.child(n.Content[i+1])
		switch {
		case k.Kind == yaml.ScalarNode && k.ShortTag() == "!!merge":
			r.report(k, codeMergeKey, "%s: merge key %q is not supported; expected every key written out", what, "<<")
			continue
		case k.Kind != yaml.ScalarNode || k.ShortTag() != "!!str":
			r.report(k, codeKeyNotText, "%s: a key is %s, expected one of %s", what, k.describe(), strings.Join(keys(), ", "))
			continue
		}
		if first, ok := seen[k.Value]; ok {
			r.report(k, codeDuplicateKey, "%s: key %q is given twice; first at %d:%d", what, k.Value, first.Line, first.Column)
			continue
		}
		seen[k.Value] = k
		at := slices.IndexFunc(fields, func(f field) bool { return f.key == k.Value })
		if at < 0 {
			r.reportName(k, codeUnknownKey, k.Value, keys, "%s: unknown key %q; expected one of %s", what, k.Value, strings.Join(keys(), ", "))
			continue
		}
		fields[at].read(v)
	}
	for _, key := range required {
		if _, ok := seen[key]; !ok {
			r.report(n, codeMissingKey, "%s: key %q is missing", what, key)
		}
	}
	return true
}

// items calls each for the entries of a list.
func (r *reader) items(n node, what string, each func(node)) {
	if n.Kind != yaml.SequenceNode {
		r.report(n, codeWrongKind, "%s: expected a list, found %s", what, n.describe())
		return
	}
	for _, c := range n.Content {
		each(n.child(c))
	}
}

// text returns a scalar as it is written. Numbers and dates count as text, since
// YAML takes a revision such as 1.10 for one.
func (r *reader) text(n node, what string) (string, bool) {
	if n.Kind == yaml.ScalarNode {
		switch n.ShortTag() {
		case "!!str", "!!int", "!!float", "!!timestamp":
			if strings.TrimSpace(n.Value) != "" {
				return n.Value, true
			}
			r.report(n, codeBadValue, "%s: expected text, found nothing", what)
			return "", false
		}
	}
	r.report(n, codeWrongKind, "%s: expected text, found %s", what, n.describe())
	return "", false
}

// intoText returns what stores a text.
func (r *reader) intoText(to *string, what string) func(node) {
	return func(n node) {
		if s, ok := r.text(n, what); ok {
			*to = s
		}
	}
}

// texts returns the entries of a list of different texts, with their nodes.
func (r *reader) texts(n node, what string) (values []string, at []node) {
	values = []string{}
	seen := make(map[string]bool, len(n.Content))
	r.items(n, what, func(c node) {
		s, ok := r.text(c, what)
		if !ok {
			return
		}
		if seen[s] {
			r.report(c, codeDuplicateEntry, "%s: %q is listed twice", what, s)
			return
		}
		seen[s] = true
		values, at = append(values, s), append(at, c)
	})
	return values, at
}

func (r *reader) intoTexts(to *[]string, what string) func(node) {
	return func(n node) { *to, _ = r.texts(n, what) }
}

// boolean returns true or false.
func (r *reader) boolean(n node, what string) (value, ok bool) {
	if n.Kind == yaml.ScalarNode && n.ShortTag() == "!!bool" {
		switch strings.ToLower(n.Value) {
		case "true":
			return true, true
		case "false":
			return false, true
		}
	}
	r.report(n, codeWrongKind, "%s: expected true or false, found %s", what, n.describe())
	return false, false
}

func (r *reader) intoBool(to *bool, what string) func(node) {
	return func(n node) {
		if v, ok := r.boolean(n, what); ok {
			*to = v
		}
	}
}

// oneOf returns a text that must be one of values.
func oneOf[T ~string](r *reader, n node, what string, values []T) (T, bool) {
	s, ok := r.text(n, what)
	if !ok {
		return "", false
	}
	if !slices.Contains(values, T(s)) {
		names := func() []string {
			out := make([]string, len(values))
			for i, v := range values {
				out[i] = string(v)
			}
			return out
		}
		r.reportName(n, codeBadValue, s, names, "%s: %q is not one of %s", what, s, strings.Join(names(), ", "))
		return "", false
	}
	return T(s), true
}

func intoOneOf[T ~string](r *reader, to *T, what string, values []T) func(node) {
	return func(n node) {
		if v, ok := oneOf(r, n, what, values); ok {
			*to = v
		}
	}
}

// subject names what a mapping declares: `zone "bpcs"`, or the kind alone if it
// has no ID.
func subject(kind string, n node) string {
	if id, ok := n.get("id"); ok && id.Kind == yaml.ScalarNode && id.Value != "" {
		return fmt.Sprintf("%s %q", kind, id.Value)
	}
	return kind
}
