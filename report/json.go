package report

import (
	"bufio"
	"bytes"
	"encoding/json"
	"io"

	"bulkhead/capture"
	"bulkhead/rules"
)

// JSON writes v, indented by two spaces and with a newline at the end. The
// characters <, > and & stay as they are: the output is no HTML.
//
// The lists of a *[capture.Observations] and of a *[rules.Assessment], which may
// be long, are written element by element, so that the text is never held as a
// whole. The bytes are those of encoding/json.
func JSON(w io.Writer, v any) error {
	switch v := v.(type) {
	case *capture.Observations:
		return writeObject(w,
			value("schema", v.Schema),
			list("captures", v.Captures),
			list("conversations", v.Conversations),
			list("folded", v.Folded),
			list("endpoints", v.Endpoints),
		)
	case *rules.Assessment:
		return writeObject(w,
			value("schema", v.Schema),
			value("model", v.Model),
			value("as_of", v.AsOf),
			list("captures", v.Captures),
			value("verdict", v.Verdict),
			list("zones", v.Zones),
			list("conduits", v.Conduits),
			list("flows", v.Flows),
			list("findings", v.Findings),
			list("coverage", v.Coverage),
			list("notes", v.Notes),
		)
	}
	return newEncoder(w, "").Encode(v)
}

const indent = "  "

// newEncoder returns an encoder for values that stand behind prefix.
func newEncoder(w io.Writer, prefix string) *json.Encoder {
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	e.SetIndent(prefix, indent)
	return e
}

// member is one member of an object.
type member struct {
	name  string
	write func(*objectWriter)
}

func value(name string, v any) member {
	return member{name, func(o *objectWriter) { o.encode(o.members, v) }}
}

func list[T any](name string, items []T) member {
	return member{name, func(o *objectWriter) {
		switch {
		case items == nil:
			o.text("null")
			return
		case len(items) == 0:
			o.text("[]")
			return
		}
		o.text("[")
		for i := range items {
			if i > 0 {
				o.text(",")
			}
			o.text("\n" + indent + indent)
			if o.encode(o.elements, &items[i]); o.err != nil {
				return
			}
		}
		o.text("\n" + indent + "]")
	}}
}

// objectWriter writes an object member by member and keeps the first error.
type objectWriter struct {
	w   *bufio.Writer
	err error

	encoded           bytes.Buffer  // one value, reused
	members, elements *json.Encoder // into encoded, by depth
}

func writeObject(w io.Writer, members ...member) error {
	o := &objectWriter{w: bufio.NewWriter(w)}
	o.members = newEncoder(&o.encoded, indent)
	o.elements = newEncoder(&o.encoded, indent+indent)
	o.text("{")
	for i, m := range members {
		if i > 0 {
			o.text(",")
		}
		o.text("\n" + indent + `"` + m.name + `": `)
		m.write(o)
	}
	o.text("\n}\n")
	if o.err != nil {
		return o.err
	}
	return o.w.Flush()
}

func (o *objectWriter) text(s string) {
	if o.err == nil {
		_, o.err = o.w.WriteString(s)
	}
}

func (o *objectWriter) encode(e *json.Encoder, v any) {
	if o.err != nil {
		return
	}
	o.encoded.Reset()
	if o.err = e.Encode(v); o.err == nil {
		_, o.err = o.w.Write(bytes.TrimSuffix(o.encoded.Bytes(), []byte("\n")))
	}
}
