package store

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"runtime"
	"sync"
	"sync/atomic"
	"unicode/utf8"

	"github.com/parquet-go/parquet-go"
	"github.com/parquet-go/parquet-go/format"

	"bulkhead/capture"
)

// FormatError says that a file is none of observations, is of another version of
// their layout, or is damaged.
type FormatError struct {
	Where string // "footer", "row group 2", "conversation 17"
	What  string
}

// Error implements error.
func (e *FormatError) Error() string { return e.Where + ": " + e.What }

// Read reads the size bytes of r, a file that Write wrote. The rows keep their
// order.
//
// The error is a [*FormatError] if the file is not what Write writes, or r's.
func Read(r io.ReaderAt, size int64) (*capture.Observations, error) {
	src := &source{r: r}
	o, err := read(src, size)
	if src.err != nil {
		return nil, src.err
	}
	if err != nil {
		return nil, err
	}
	return o, nil
}

// source keeps the error of a file that cannot be read, which the library may
// report as damage.
type source struct {
	r io.ReaderAt

	mu  sync.Mutex
	err error // the first; of several at once any
}

// ReadAt implements io.ReaderAt.
func (s *source) ReadAt(p []byte, off int64) (int, error) {
	n, err := s.r.ReadAt(p, off)
	if err != nil && err != io.EOF {
		s.mu.Lock()
		s.err = cmp.Or(s.err, err)
		s.mu.Unlock()
	}
	return n, err
}

// readAt fills b.
func readAt(r io.ReaderAt, b []byte, off int64) error {
	n, err := r.ReadAt(b, off)
	if n == len(b) {
		return nil
	}
	if err == io.EOF {
		return &FormatError{"file", fmt.Sprintf("it ends at byte %d", off+int64(n))}
	}
	return err
}

// guard calls f and makes an error of its panic. The library checks much of what
// it reads and panics on some of the rest; what a stranger's file can do to it
// must not end the program. f holds calls of the library only.
func guard(f func() error) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("it cannot be decoded: %v", p)
		}
	}()
	return f()
}

func read(r io.ReaderAt, size int64) (*capture.Observations, error) {
	meta, end, err := readFooter(r, size)
	if err != nil {
		return nil, err
	}
	captures, err := readCaptures(meta)
	if err != nil {
		return nil, err
	}
	var file *parquet.File
	if err := guard(func() (err error) {
		file, err = parquet.OpenFile(r, size, parquet.SkipPageIndex(true), parquet.SkipBloomFilters(true), parquet.FileSchema(rowSchema()))
		return err
	}); err != nil {
		return nil, &FormatError{"footer", err.Error()}
	}
	parts, err := readGroups(r, end, file.RowGroups(), meta, captures)
	if err != nil {
		return nil, err
	}
	o := &capture.Observations{
		Schema: capture.Schema, Captures: captures,
		Conversations: []capture.Conversation{}, Folded: []capture.Folded{}, Endpoints: []capture.Endpoint{},
	}
	var rows int64
	for i := range parts {
		o.Conversations = append(o.Conversations, parts[i].conversations...)
		o.Folded = append(o.Folded, parts[i].folded...)
		o.Endpoints = append(o.Endpoints, parts[i].endpoints...)
		rows += parts[i].rows
		parts[i] = part{}
	}
	if meta.NumRows != rows {
		return nil, &FormatError{"footer", fmt.Sprintf("%d rows, but the row groups have %d", meta.NumRows, rows)}
	}
	return o, nil
}

// readGroups reads the row groups, over all cores. Of several faults it returns
// that of the first row group that has one: they are taken up in order, so that
// all before it are read to the end.
func readGroups(r io.ReaderAt, end int64, groups []parquet.RowGroup, meta *format.FileMetaData, captures []capture.Capture) ([]part, error) {
	parts, errs := make([]part, len(groups)), make([]error, len(groups))
	var next, weight atomic.Int64
	var failed atomic.Bool
	var wait sync.WaitGroup
	for range min(runtime.GOMAXPROCS(0), len(groups)) {
		wait.Go(func() {
			pages := newPageChecker(r, end)
			defer pages.close()
			for i := int(next.Add(1)) - 1; i < len(groups) && !failed.Load(); i = int(next.Add(1)) - 1 {
				in := &reader{captures: captures, part: &parts[i], weight: &weight}
				if err := in.group(pages, groups[i], &meta.RowGroups[i]); err != nil {
					errs[i] = placed(fmt.Sprintf("row group %d", i+1), err)
					failed.Store(true)
				}
			}
		})
	}
	wait.Wait()
	return parts, first(errs...)
}

// placed puts where in front of what err says.
func placed(where string, err error) error {
	var at *FormatError
	if errors.As(err, &at) {
		return &FormatError{where + ", " + at.Where, at.What}
	}
	return &FormatError{where, err.Error()}
}

// part is what one row group shows.
type part struct {
	rows          int64
	conversations []capture.Conversation
	folded        []capture.Folded
	endpoints     []capture.Endpoint
}

// reader gathers the rows of a row group.
type reader struct {
	captures []capture.Capture
	part     *part
	weight   *atomic.Int64 // of the rows of all row groups so far
}

// group reads a row group once its pages are checked.
func (in *reader) group(pages *pageChecker, g parquet.RowGroup, claimed *format.RowGroup) error {
	if err := pages.group(claimed); err != nil {
		return err
	}
	rows := g.Rows()
	defer rows.Close()
	cells := make([]parquet.Row, batch)
	var read int64
	for {
		var n int
		var end error
		if err := guard(func() error {
			n, end = rows.ReadRows(cells)
			return nil
		}); err != nil {
			return err
		}
		for _, c := range cells[:n] {
			if err := in.row(c); err != nil {
				return err
			}
		}
		read += int64(n)
		switch {
		case end == io.EOF && read == claimed.NumRows:
			in.part.rows = read
			return nil
		case end == io.EOF || end == nil && n == 0 || read > claimed.NumRows:
			return fmt.Errorf("%d rows, expected %d", read, claimed.NumRows)
		case end != nil:
			return end
		}
	}
}

// row weighs and checks one row and adds what it says.
func (in *reader) row(cells parquet.Row) error {
	weight := weightOf(cells)
	if in.weight.Add(weight) > maxFile || weight > maxRow {
		return fmt.Errorf("a row of %d bytes, or all rows so far, are more than a file holds", weight)
	}
	for i := range cells {
		if cells[i].Kind() == parquet.ByteArray && !utf8.Valid(cells[i].ByteArray()) {
			return fmt.Errorf("column %q: text that is no UTF-8", leaves()[cells[i].Column()].name())
		}
	}
	var r row
	if err := guard(func() error { return rowSchema().Reconstruct(&r, cells) }); err != nil {
		return err
	}
	if r.Capture < 0 || int(r.Capture) >= len(in.captures) {
		return checkIndex(int(r.Capture), len(in.captures))
	}
	c := &in.captures[r.Capture]
	if r.CaptureSHA256 != c.SHA256 || r.CapturePath != c.Path {
		return fmt.Errorf("a row of capture %d bears another hash or path than the capture", r.Capture)
	}
	var d decoder
	switch r.Record {
	case conversationRecord:
		c := d.conversation(&r)
		if err := first(d.err, checkConversation(&c, len(in.captures))); err != nil {
			return &FormatError{fmt.Sprintf("conversation %d", len(in.part.conversations)+1), err.Error()}
		}
		in.part.conversations = append(in.part.conversations, c)
	case foldedRecord:
		f := d.folded(&r)
		if err := first(d.err, checkFolded(&f, len(in.captures))); err != nil {
			return &FormatError{fmt.Sprintf("folded conversation %d", len(in.part.folded)+1), err.Error()}
		}
		in.part.folded = append(in.part.folded, f)
	case endpointRecord:
		e := d.endpoint(&r)
		if err := first(d.err, checkEndpoint(&e, len(in.captures))); err != nil {
			return &FormatError{fmt.Sprintf("endpoint %d", len(in.part.endpoints)+1), err.Error()}
		}
		in.part.endpoints = append(in.part.endpoints, e)
	default:
		return fmt.Errorf("record %q is none of %s, %s and %s", short(r.Record), conversationRecord, foldedRecord, endpointRecord)
	}
	return nil
}
