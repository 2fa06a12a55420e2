package store

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"
	"reflect"
	"strings"
	"sync"

	"github.com/parquet-go/parquet-go"
	"github.com/parquet-go/parquet-go/encoding/thrift"
	"github.com/parquet-go/parquet-go/format"

	"bulkhead/capture"
)

const (
	magic     = "PAR1"         // at both ends of the file
	footerEnd = 4 + len(magic) // bytes of the footer's length and of the magic
	maxFooter = 64 << 20
)

// readFooter reads the file's metadata and holds it against the layout that
// Write makes. The offset is where the footer begins.
//
// Source: Apache Parquet file format, "File format": the footer is followed by its
// length in four bytes, little endian, and the magic.
func readFooter(r io.ReaderAt, size int64) (meta *format.FileMetaData, offset int64, err error) {
	if size < int64(len(magic)+footerEnd) {
		return nil, 0, &FormatError{"file", "too short for a Parquet file"}
	}
	var head, end [footerEnd]byte
	if err := readAt(r, head[:len(magic)], 0); err != nil {
		return nil, 0, err
	}
	if err := readAt(r, end[:], size-int64(footerEnd)); err != nil {
		return nil, 0, err
	}
	if string(head[:len(magic)]) != magic {
		return nil, 0, &FormatError{"file", fmt.Sprintf("begins with %q: no Parquet file", head[:len(magic)])}
	}
	if string(end[4:]) != magic {
		return nil, 0, &FormatError{"file", fmt.Sprintf("ends with %q, expected %q: cut short?", end[4:], magic)}
	}
	n := int64(binary.LittleEndian.Uint32(end[:]))
	offset = size - int64(footerEnd) - n
	if n > maxFooter || offset < int64(len(magic)) {
		return nil, 0, &FormatError{"footer", fmt.Sprintf("a length of %d bytes is more than the file or %d bytes hold", n, maxFooter)}
	}
	b := make([]byte, n)
	if err := readAt(r, b, offset); err != nil {
		return nil, 0, err
	}
	meta = new(format.FileMetaData)
	if err := decodeThrift(b, meta); err != nil {
		return nil, 0, &FormatError{"footer", err.Error()}
	}
	return meta, offset, checkLayout(meta)
}

// decodeThrift decodes b, all of it, into v.
func decodeThrift(b []byte, v any) error {
	n, err := span(b)
	if err != nil {
		return err
	}
	if n != len(b) {
		return fmt.Errorf("%d bytes too many", len(b)-n)
	}
	return guard(func() error { return thrift.Unmarshal(new(thrift.CompactProtocol), b, v) })
}

// checkLayout says how the file's schema differs from that of Write.
func checkLayout(meta *format.FileMetaData) error {
	schema, ok := lookup(meta, SchemaKey)
	switch {
	case !ok:
		return &FormatError{"metadata", fmt.Sprintf("there is no %q: not a file of observations", SchemaKey)}
	case schema != Schema:
		return &FormatError{"metadata", fmt.Sprintf("schema %q is not read by this version, expected %q", short(schema), Schema)}
	}
	want := layout()
	if len(meta.Schema) != len(want) {
		return &FormatError{"columns", fmt.Sprintf("%d elements in the schema, expected %d", len(meta.Schema), len(want))}
	}
	for i := range want {
		if got := &meta.Schema[i]; !reflect.DeepEqual(*got, want[i]) {
			return &FormatError{"columns", fmt.Sprintf("element %d of the schema is %q or of another type, expected %q", i, short(got.Name), want[i].Name)}
		}
	}
	return nil
}

// layout is the schema as the file spells it: that of a file without rows.
var layout = sync.OnceValue(func() []format.SchemaElement {
	var b bytes.Buffer
	w := newFile(&b, "[]")
	if err := w.Close(); err != nil {
		panic(err) // bytes.Buffer does not fail
	}
	f, err := parquet.OpenFile(bytes.NewReader(b.Bytes()), int64(b.Len()))
	if err != nil {
		panic(err) // the library wrote it just now
	}
	return f.Metadata().Schema
})

func lookup(meta *format.FileMetaData, key string) (string, bool) {
	for _, kv := range meta.KeyValueMetadata {
		if kv.Key == key {
			return kv.Value, true
		}
	}
	return "", false
}

// readCaptures reads the captures from the metadata.
func readCaptures(meta *format.FileMetaData) ([]capture.Capture, error) {
	ledgers, ok := lookup(meta, CapturesKey)
	if !ok || len(ledgers) > maxLedgers {
		return nil, &FormatError{"metadata", fmt.Sprintf("expected %q with at most %d bytes", CapturesKey, maxLedgers)}
	}
	if want, _ := lookup(meta, SumKey); want != sum(ledgers) {
		return nil, &FormatError{"metadata", fmt.Sprintf("%s does not have the sum that %s says", CapturesKey, SumKey)}
	}
	fault := func(err error) error {
		return &FormatError{"metadata", fmt.Sprintf("%s: %v", CapturesKey, err)}
	}
	d := json.NewDecoder(strings.NewReader(ledgers))
	d.DisallowUnknownFields()
	if t, err := d.Token(); err != nil || t != json.Delim('[') {
		return nil, &FormatError{"metadata", CapturesKey + ": expected a list in JSON"}
	}
	captures := []capture.Capture{}
	for d.More() && len(captures) <= maxCaptures { // one too many is checkCaptures' to tell
		var c capture.Capture
		if err := d.Decode(&c); err != nil {
			return nil, fault(err)
		}
		c.LinkTypes, c.Errors, c.Ledger.Reasons = present(c.LinkTypes), present(c.Errors), present(c.Ledger.Reasons)
		captures = append(captures, c)
	}
	if err := checkCaptures(captures); err != nil {
		return nil, fault(err)
	}
	if _, err := d.Token(); err != nil {
		return nil, fault(err)
	}
	if _, err := d.Token(); err != io.EOF {
		return nil, &FormatError{"metadata", CapturesKey + ": there is more after the list"}
	}
	return captures, nil
}
