package store

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"

	"github.com/klauspost/compress/zstd"
	"github.com/parquet-go/parquet-go"
	"github.com/parquet-go/parquet-go/format"
)

// plainDictionary is the encoding that older writers name for a dictionary, and
// the library for compatibility with older readers.
const plainDictionary format.Encoding = 2

// The library believes page headers: it allocates what they claim to unpack to,
// and as many levels and dictionary indexes as the runs in a page claim, which is
// two thousand million for five bytes. So every page is walked and unpacked here
// first, within bounds.

const (
	maxPages  = 4 * maxGroup // bytes of all pages of a row group, packed and unpacked alike
	maxHeader = 8 * maxText  // bytes of a page's header: it may name its least and greatest text, twice
)

// leaf is a column that holds values.
type leaf struct {
	path []string
	kind parquet.Kind
	// The highest levels that its values may have.
	repetition, definition int
}

// name spells the column as faults do.
func (l *leaf) name() string { return strings.Join(l.path, ".") }

var leaves = sync.OnceValue(func() []leaf {
	var list []leaf
	for _, path := range rowSchema().Columns() {
		l, _ := rowSchema().Lookup(path...)
		list = append(list, leaf{path, l.Node.Type().Kind(), l.MaxRepetitionLevel, l.MaxDefinitionLevel})
	}
	return list
})

// pageChecker walks the pages of row groups.
type pageChecker struct {
	r      io.ReaderAt
	end    int64 // where the pages end and the footer begins
	leaves []leaf
	unpack *zstd.Decoder

	packed, plain []byte // of a chunk and of a page, reused
}

func newPageChecker(r io.ReaderAt, end int64) *pageChecker {
	unpack, err := zstd.NewReader(nil, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxMemory(maxPages))
	if err != nil {
		panic(err) // the options are constant and valid
	}
	return &pageChecker{r: r, end: end, leaves: leaves(), unpack: unpack}
}

func (p *pageChecker) close() { p.unpack.Close() }

// group checks a row group.
func (p *pageChecker) group(g *format.RowGroup) error {
	if g.NumRows < 1 || g.NumRows > groupRows {
		return fmt.Errorf("%d rows, expected 1 to %d", g.NumRows, groupRows)
	}
	if len(g.Columns) != len(p.leaves) {
		return fmt.Errorf("%d columns, expected %d", len(g.Columns), len(p.leaves))
	}
	var weight, packed int64
	plain := int64(maxPages)
	for i := range g.Columns {
		c := &g.Columns[i].MetaData
		l := &p.leaves[i]
		if c.NumValues < g.NumRows || c.NumValues > 2*maxGroup/8 ||
			c.TotalCompressedSize < 0 || c.TotalCompressedSize > maxPages {
			return fmt.Errorf("column %q: %d values in %d bytes are not what %d rows hold",
				l.name(), c.NumValues, c.TotalCompressedSize, g.NumRows)
		}
		weight += 8 * c.NumValues
		packed += c.TotalCompressedSize
		if weight > 2*maxGroup || packed > maxPages {
			return fmt.Errorf("%d bytes of values in %d bytes of pages are more than a row group holds", weight, packed)
		}
		if err := p.chunk(&g.Columns[i], l, &plain); err != nil {
			return fmt.Errorf("column %q: %w", l.name(), err)
		}
	}
	return nil
}

// chunk checks the pages of one column. What they unpack to is taken from room.
func (p *pageChecker) chunk(chunk *format.ColumnChunk, l *leaf, room *int64) error {
	c := &chunk.MetaData
	begin := c.DataPageOffset
	if c.DictionaryPageOffset != 0 {
		begin = c.DictionaryPageOffset
	}
	switch {
	case chunk.FilePath != "":
		return fmt.Errorf("it lies in another file %q", short(chunk.FilePath))
	case c.Codec != format.Zstd:
		return fmt.Errorf("compressed by %v, expected %v", c.Codec, format.Zstd)
	case begin < int64(len(magic)) || begin > p.end-c.TotalCompressedSize:
		return fmt.Errorf("%d bytes at byte %d are not inside the file", c.TotalCompressedSize, begin)
	case !slices.Equal(c.PathInSchema, l.path):
		return errors.New("it is listed in the place of another")
	}
	p.packed = slices.Grow(p.packed[:0], int(c.TotalCompressedSize))[:c.TotalCompressedSize]
	if err := readAt(p.r, p.packed, begin); err != nil {
		return err
	}
	var values int64
	dictionary := -1 // how many entries it has
	begun := false   // a page of values was seen
	for rest := p.packed; len(rest) > 0; {
		at := begin + int64(len(p.packed)-len(rest))
		fault := func(format string, args ...any) error {
			return fmt.Errorf("page at byte %d: %s", at, fmt.Sprintf(format, args...))
		}
		h, plain, size, err := p.page(rest, room)
		if err != nil {
			return fault("%v", err)
		}
		rest = rest[size:]
		switch {
		case h.Type == format.DictionaryPage && h.DictionaryPageHeader.Valid && at == c.DictionaryPageOffset && dictionary < 0:
			d := &h.DictionaryPageHeader.V
			// Every entry of text has its length in four bytes before it.
			if l.kind != parquet.ByteArray || d.Encoding != format.Plain && d.Encoding != plainDictionary ||
				d.NumValues < 0 || int64(d.NumValues)*4 > int64(len(plain)) {
				return fault("%d entries in %d bytes are no dictionary of texts", d.NumValues, len(plain))
			}
			if dictionary = int(d.NumValues); at+int64(size) != c.DataPageOffset {
				return fault("the dictionary does not end where the values begin")
			}
		case h.Type == format.DataPage && h.DataPageHeader.Valid:
			// The library begins where the metadata says, which must be a page that
			// was looked at.
			if !begun && (at != c.DataPageOffset || c.DictionaryPageOffset != 0 && dictionary < 0) {
				return fault("the values were to begin at byte %d, behind the dictionary if there is one", c.DataPageOffset)
			}
			begun = true
			if values += int64(h.DataPageHeader.V.NumValues); h.DataPageHeader.V.NumValues < 0 || values > c.NumValues {
				return fault("more values than the %d of the column", c.NumValues)
			}
			if err := checkPage(&h.DataPageHeader.V, plain, l, dictionary); err != nil {
				return fault("%v", err)
			}
		default:
			return fault("a page of type %v has no place there", h.Type)
		}
	}
	if values != c.NumValues {
		return fmt.Errorf("%d values, expected %d", values, c.NumValues)
	}
	return nil
}

// page returns the header of the page at the start of b, what the page unpacks to,
// until the next call, and how many bytes of b the two take.
func (p *pageChecker) page(b []byte, room *int64) (h *format.PageHeader, plain []byte, size int, err error) {
	n, err := span(b[:min(len(b), maxHeader)])
	if err != nil {
		return nil, nil, 0, fmt.Errorf("header: %w", err)
	}
	h = new(format.PageHeader)
	if err := decodeThrift(b[:n], h); err != nil {
		return nil, nil, 0, fmt.Errorf("header: %w", err)
	}
	if h.CompressedPageSize < 0 || int64(h.CompressedPageSize) > int64(len(b)-n) {
		return nil, nil, 0, fmt.Errorf("%d bytes are more than the column has", h.CompressedPageSize)
	}
	if h.UncompressedPageSize < 0 || int64(h.UncompressedPageSize) > *room {
		return nil, nil, 0, fmt.Errorf("%d bytes unpacked are more than a row group holds", h.UncompressedPageSize)
	}
	*room -= int64(h.UncompressedPageSize)
	size = n + int(h.CompressedPageSize)
	p.plain = slices.Grow(p.plain[:0], int(h.UncompressedPageSize))
	if plain, err = p.unpack.DecodeAll(b[n:size], p.plain); err != nil {
		return nil, nil, 0, err
	}
	if p.plain = plain; len(plain) != int(h.UncompressedPageSize) {
		return nil, nil, 0, fmt.Errorf("it unpacks to %d bytes, not to %d", len(plain), h.UncompressedPageSize)
	}
	return h, plain, size, nil
}

// checkPage checks what a data page of version 1 holds: the levels at which lists
// go on and values are present, each behind its length, then the values.
//
// Source: Apache Parquet file format, "Data pages".
func checkPage(h *format.DataPageHeader, b []byte, l *leaf, dictionary int) error {
	n := int64(h.NumValues)
	for _, levels := range []struct {
		what     string
		max      int
		encoding format.Encoding
	}{
		{"repetition levels", l.repetition, h.RepetitionLevelEncoding},
		{"definition levels", l.definition, h.DefinitionLevelEncoding},
	} {
		if levels.max == 0 {
			continue
		}
		if levels.encoding != format.RLE {
			return fmt.Errorf("%s: encoded by %v, expected %v", levels.what, levels.encoding, format.RLE)
		}
		if len(b) < 4 || uint64(binary.LittleEndian.Uint32(b)) > uint64(len(b)-4) {
			return fmt.Errorf("%s: longer than the page", levels.what)
		}
		end := 4 + int(binary.LittleEndian.Uint32(b))
		if err := checkRuns(b[4:end], bitsOf(levels.max), n); err != nil {
			return fmt.Errorf("%s: %w", levels.what, err)
		}
		b = b[end:]
	}
	switch h.Encoding {
	case format.Plain:
		return nil // takes no more room decoded
	case format.RLEDictionary:
		switch {
		case dictionary < 0:
			return errors.New("indexes without a dictionary")
		case len(b) == 0:
			return nil
		case b[0] > 32:
			return fmt.Errorf("indexes of %d bits", b[0])
		}
		return checkRuns(b[1:], int(b[0]), n)
	}
	return fmt.Errorf("values encoded by %v", h.Encoding)
}

// checkRuns says whether the runs in b hold more than n values of so many bits,
// beyond what fills the last group of eight.
//
// Source: Apache Parquet file format, "RLE/bit-packing hybrid".
func checkRuns(b []byte, bits int, n int64) error {
	room := uint64(n) + 7
	for len(b) > 0 {
		head, k := binary.Uvarint(b)
		if k <= 0 {
			return errCut
		}
		b = b[k:]
		count, size := head>>1, uint64(bits+7)/8
		if head&1 == 1 {
			if count > room/8 {
				return fmt.Errorf("runs of more than %d values", n)
			}
			count, size = 8*count, uint64(bits)*count
		}
		if count > room {
			return fmt.Errorf("runs of more than %d values", n)
		}
		room -= count
		b = b[min(size, uint64(len(b))):] // the last group may be cut to what it needs
	}
	return nil
}

func bitsOf(max int) int {
	n := 0
	for ; max > 0; max >>= 1 {
		n++
	}
	return n
}
