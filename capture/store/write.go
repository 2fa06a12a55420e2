package store

import (
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"

	"github.com/parquet-go/parquet-go"
	"github.com/parquet-go/parquet-go/compress/zstd"

	"bulkhead/capture"
)

// Write writes o as one Parquet file: zstd, data pages of version 1, which every
// reader knows, and row groups of at most some thousand rows, so that no more
// than one of them is held besides o.
//
// Equal observations give equal bytes. Text that is no UTF-8 is written as JSON
// would have it. The error says what of o a file may not hold, before anything is
// written, or is w's.
func Write(w io.Writer, o *capture.Observations) error {
	if err := check(o); err != nil {
		return err
	}
	ledgers, err := json.Marshal(present(o.Captures))
	if err != nil {
		return err
	}
	if len(ledgers) > maxLedgers {
		return fmt.Errorf("captures: %d bytes of ledgers are more than %d", len(ledgers), maxLedgers)
	}
	end := &tail{w: w}
	out := &writer{captures: o.Captures, file: newFile(end, string(ledgers))}
	for i := range o.Conversations {
		if err := out.add(conversationRow(&o.Conversations[i])); err != nil {
			return fmt.Errorf("conversation %d: %w", i+1, err)
		}
	}
	for i := range o.Folded {
		if err := out.add(foldedRow(&o.Folded[i])); err != nil {
			return fmt.Errorf("folded conversation %d: %w", i+1, err)
		}
	}
	for i := range o.Endpoints {
		if err := out.add(endpointRow(&o.Endpoints[i])); err != nil {
			return fmt.Errorf("endpoint %d: %w", i+1, err)
		}
	}
	if err := out.close(); err != nil {
		return err
	}
	if n := end.footer(); n > maxFooter {
		return fmt.Errorf("a footer of %d bytes is more than %d: write several files", n, maxFooter)
	}
	return nil
}

func newFile(w io.Writer, ledgers string) *parquet.GenericWriter[row] {
	return parquet.NewGenericWriter[row](w, rowSchema(),
		parquet.Compression(&zstd.Codec{Level: zstd.SpeedDefault}),
		parquet.DataPageVersion(1),
		parquet.DefaultEncodingFor(parquet.ByteArray, &parquet.Plain),
		// By default this names the version of the library, which is no part of
		// what was observed.
		parquet.CreatedBy("bulkhead", "1", ""),
		parquet.KeyValueMetadata(SchemaKey, Schema),
		parquet.KeyValueMetadata(CapturesKey, ledgers),
		parquet.KeyValueMetadata(SumKey, sum(ledgers)),
	)
}

// batch is how many rows the library is handed at a time.
const batch = 64

// writer gathers rows into row groups.
type writer struct {
	captures []capture.Capture
	file     *parquet.GenericWriter[row]

	rows   []row // not yet handed on
	inside int   // rows of the row group, those not yet handed on included
	group  int64 // their weight
	total  int64 // weight of the file
}

func (w *writer) add(r row) error {
	c := &w.captures[r.Capture]
	r.CaptureSHA256, r.CapturePath = c.SHA256, text(c.Path)
	weight := r.weight()
	if weight > maxRow {
		return fmt.Errorf("its row weighs %d bytes, more than %d", weight, maxRow)
	}
	if w.total += weight; w.total > maxFile {
		return fmt.Errorf("the file would weigh more than %d bytes unpacked: write several", int64(maxFile))
	}
	w.rows = append(w.rows, r)
	w.inside++
	w.group += weight
	full := w.inside == groupRows || w.group >= maxGroup
	if full || len(w.rows) == batch {
		if _, err := w.file.Write(w.rows); err != nil {
			return err
		}
		clear(w.rows)
		w.rows = w.rows[:0]
	}
	if full {
		w.inside, w.group = 0, 0
		return w.file.Flush()
	}
	return nil
}

func (w *writer) close() error {
	if len(w.rows) > 0 {
		if _, err := w.file.Write(w.rows); err != nil {
			return err
		}
	}
	return w.file.Close()
}

// tail keeps the end of what is written to w.
type tail struct {
	w   io.Writer
	end []byte
}

// Write implements io.Writer.
func (t *tail) Write(p []byte) (int, error) {
	n, err := t.w.Write(p)
	t.end = append(t.end, p[max(0, n-footerEnd):n]...)
	t.end = t.end[max(0, len(t.end)-footerEnd):]
	return n, err
}

// footer returns the length of the footer of a file that is whole.
func (t *tail) footer() uint32 { return binary.LittleEndian.Uint32(t.end) }
