package store

import (
	"bytes"
	"encoding/binary"
	"errors"
	"runtime"
	"strings"
	"testing"

	"github.com/klauspost/compress/zstd"
	"github.com/parquet-go/parquet-go/encoding/thrift"
	"github.com/parquet-go/parquet-go/format"
)

// refooted returns a file with its metadata changed; what change adds with more
// lies behind the pages, at the offset that it returns.
func refooted(t testing.TB, file []byte, change func(meta *format.FileMetaData, more func(...[]byte) int64)) []byte {
	t.Helper()
	meta, end, err := readFooter(bytes.NewReader(file), int64(len(file)))
	if err != nil {
		t.Fatal(err)
	}
	out := bytes.Clone(file[:end])
	change(meta, func(parts ...[]byte) int64 {
		at := len(out)
		out = append(out, bytes.Join(parts, nil)...)
		return int64(at)
	})
	footer := marshal(t, meta)
	out = append(out, footer...)
	out = binary.LittleEndian.AppendUint32(out, uint32(len(footer)))
	return append(out, magic...)
}

func marshal(t testing.TB, v any) []byte {
	t.Helper()
	b, err := thrift.Marshal(new(thrift.CompactProtocol), v)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// pack compresses as pages are.
func pack(t testing.TB, plain []byte) []byte {
	t.Helper()
	w, err := zstd.NewWriter(nil)
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	return w.EncodeAll(plain, nil)
}

// vlan is the first column that may be null and has no dictionary.
const vlan = 4

// A few bytes that claim, or unpack to, what would fill the memory are refused
// before they do.
func TestBombs(t *testing.T) {
	file := written(t, scan(1)) // three rows
	// page makes the column of VLANs one page: header h over the packed bytes.
	page := func(plain []byte, change func(h *format.PageHeader)) func(*format.FileMetaData, func(...[]byte) int64) {
		return func(meta *format.FileMetaData, more func(...[]byte) int64) {
			packed := pack(t, plain)
			h := &format.PageHeader{
				Type: format.DataPage, CompressedPageSize: int32(len(packed)), UncompressedPageSize: int32(len(plain)),
				DataPageHeader: thrift.Null[format.DataPageHeader]{Valid: true, V: format.DataPageHeader{
					NumValues: 3, Encoding: format.Plain, DefinitionLevelEncoding: format.RLE, RepetitionLevelEncoding: format.RLE,
				}},
			}
			if change != nil {
				change(h)
			}
			head := marshal(t, h)
			c := &meta.RowGroups[0].Columns[vlan].MetaData
			c.DataPageOffset = more(head, packed)
			c.TotalCompressedSize = int64(len(head) + len(packed))
		}
	}
	column := func(change func(c *format.ColumnMetaData)) func(*format.FileMetaData, func(...[]byte) int64) {
		return func(meta *format.FileMetaData, _ func(...[]byte) int64) {
			change(&meta.RowGroups[0].Columns[vlan].MetaData)
		}
	}
	group := func(change func(g *format.RowGroup)) func(*format.FileMetaData, func(...[]byte) int64) {
		return func(meta *format.FileMetaData, _ func(...[]byte) int64) { change(&meta.RowGroups[0]) }
	}
	// All three values null: a run of three definition levels of 0.
	nulls := []byte{2, 0, 0, 0, 3 << 1, 0}
	for _, c := range []struct {
		name   string
		change func(*format.FileMetaData, func(...[]byte) int64)
		want   string
	}{
		{"an honest page", page(nulls, nil), ""},
		{"a page of 2 GiB unpacked", page(nulls, func(h *format.PageHeader) { h.UncompressedPageSize = 1<<31 - 1 }), "2147483647 bytes unpacked are more than a row group holds"},
		{"a page of 2 GiB", page(nulls, func(h *format.PageHeader) { h.CompressedPageSize = 1<<31 - 1 }), "2147483647 bytes are more than the column has"},
		{"a page of less than nothing", page(nulls, func(h *format.PageHeader) { h.UncompressedPageSize = -1 }), "-1 bytes unpacked"},
		{"256 MiB of zeros", page(make([]byte, 256<<20), func(h *format.PageHeader) { h.UncompressedPageSize = 6 }), "decompressed size exceeds configured limit"},
		{"more than told", page(make([]byte, 100), func(h *format.PageHeader) { h.UncompressedPageSize = 6 }), "it unpacks to 100 bytes, not to 6"},
		{"2^31 values", page(nulls, func(h *format.PageHeader) { h.DataPageHeader.V.NumValues = 1<<31 - 1 }), "more values than the 3 of the column"},
		{"a run of 2^31 levels", page([]byte{6, 0, 0, 0, 0xfe, 0xff, 0xff, 0xff, 0x1f, 0}, nil), "definition levels: runs of more than 3 values"},
		{"levels beyond the page", page([]byte{200, 0, 0, 0, 6, 0}, nil), "definition levels: longer than the page"},
		{"indexes without a dictionary", page(nulls, func(h *format.PageHeader) { h.DataPageHeader.V.Encoding = format.RLEDictionary }), "indexes without a dictionary"},
		{"another encoding", page(nulls, func(h *format.PageHeader) { h.DataPageHeader.V.Encoding = format.DeltaBinaryPacked }), "values encoded by DELTA_BINARY_PACKED"},
		{"a page of version 2", page(nulls, func(h *format.PageHeader) { h.Type = format.DataPageV2 }), "a page of type DATA_PAGE_V2 has no place there"},
		{"a dictionary of numbers", func(meta *format.FileMetaData, more func(...[]byte) int64) {
			page(nulls, func(h *format.PageHeader) {
				h.Type, h.DictionaryPageHeader = format.DictionaryPage, thrift.Null[format.DictionaryPageHeader]{Valid: true}
			})(meta, more)
			c := &meta.RowGroups[0].Columns[vlan].MetaData
			c.DictionaryPageOffset = c.DataPageOffset
			c.DataPageOffset += c.TotalCompressedSize
		}, "0 entries in 6 bytes are no dictionary of texts"},
		{"2^40 values in a column", column(func(c *format.ColumnMetaData) { c.NumValues = 1 << 40 }), "values in "},
		{"a column of 2^60 bytes", column(func(c *format.ColumnMetaData) { c.TotalCompressedSize = 1 << 60 }), "values in 1152921504606846976 bytes"},
		{"a column beyond the file", column(func(c *format.ColumnMetaData) { c.DataPageOffset = 1<<62 + 7 }), "are not inside the file"},
		{"a column before the file", column(func(c *format.ColumnMetaData) { c.DataPageOffset = -9 }), "are not inside the file"},
		{"values that begin amid a page", column(func(c *format.ColumnMetaData) {
			c.DictionaryPageOffset = c.DataPageOffset
			c.DataPageOffset += 7
		}), "the values were to begin at byte "},
		{"more values than pages", column(func(c *format.ColumnMetaData) { c.NumValues = 4 }), "3 values, expected 4"},
		{"another's column", column(func(c *format.ColumnMetaData) { c.PathInSchema = []string{"first"} }), "it is listed in the place of another"},
		{"a column in another file", func(meta *format.FileMetaData, _ func(...[]byte) int64) {
			meta.RowGroups[0].Columns[vlan].FilePath = "/etc/passwd"
		}, `it lies in another file "/etc/passwd"`},
		{"a column less", group(func(g *format.RowGroup) { g.Columns = g.Columns[:len(g.Columns)-1] }), "does not have enough columns"},
		{"a column more", group(func(g *format.RowGroup) { g.Columns = append(g.Columns, g.Columns[0]) }), "contains 101 columns"},
		{"2^40 rows", group(func(g *format.RowGroup) { g.NumRows = 1 << 40 }), "1099511627776 rows, expected 1 to 4096"},
		{"two rows of three", group(func(g *format.RowGroup) { g.NumRows = 2 }), "3 rows, expected 2"},
		{"a row group again and again", func(meta *format.FileMetaData, _ func(...[]byte) int64) {
			for range 3 {
				meta.RowGroups = append(meta.RowGroups, meta.RowGroups[0])
			}
		}, "footer: 3 rows, but the row groups have 12"},
	} {
		b := refooted(t, file, c.change)
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		_, err := Read(bytes.NewReader(b), int64(len(b)))
		runtime.ReadMemStats(&after)
		if n := after.TotalAlloc - before.TotalAlloc; n > 64<<20 {
			t.Errorf("%s: %d MiB were allocated for a file of %d bytes", c.name, n>>20, len(b))
		}
		var fault *FormatError
		switch {
		case c.name == "an honest page":
			if err != nil {
				t.Errorf("%s: %v", c.name, err)
			}
		case !errors.As(err, &fault) || !strings.Contains(err.Error(), c.want):
			t.Errorf("%s: error %v, want %q", c.name, err, c.want)
		}
	}
}
