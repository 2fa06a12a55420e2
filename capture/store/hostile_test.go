package store

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"math/rand/v2"
	"runtime"
	"strings"
	"testing"

	"github.com/parquet-go/parquet-go"

	"bulkhead/capture"
)

// forged writes o's rows, changed, past the checks of Write.
func forged(t testing.TB, o *capture.Observations, ledgers string, change func(i int, r *row), options ...parquet.WriterOption) []byte {
	t.Helper()
	var rows []row
	for i := range o.Conversations {
		rows = append(rows, conversationRow(&o.Conversations[i]))
	}
	for i := range o.Folded {
		rows = append(rows, foldedRow(&o.Folded[i]))
	}
	for i := range o.Endpoints {
		rows = append(rows, endpointRow(&o.Endpoints[i]))
	}
	for i := range rows {
		c := &o.Captures[rows[i].Capture]
		rows[i].CaptureSHA256, rows[i].CapturePath = c.SHA256, c.Path
		change(i, &rows[i])
	}
	var b bytes.Buffer
	w := newFile(&b, ledgers)
	if len(options) > 0 {
		w = parquet.NewGenericWriter[row](&b, append([]parquet.WriterOption{rowSchema()}, options...)...)
	}
	if _, err := w.Write(rows); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

const oneCapture = `[{"path":"a.pcap","sha256":"0000000000000000000000000000000000000000000000000000000000000000"}]`

// A file that is well formed and lies is refused, and the fault is named.
func TestForgedRows(t *testing.T) {
	o := scan(2)
	o.Captures = o.Captures[:1]
	o.Captures[0].Path = "a.pcap"
	o.Conversations[1].Capture, o.Folded[1].Capture, o.Endpoints[1].Capture = 0, 0, 0
	var nine uint8 = 10
	for want, change := range map[string]func(i int, r *row){
		`row group 1: record "x" is none of conversation, folded and endpoint`:                     func(_ int, r *row) { r.Record = "x" },
		`row group 1: capture 7 is not among the 1 of the file, which count from 0`:                func(_ int, r *row) { r.Capture = 7 },
		`row group 1: capture -1 is not among the 1 of the file, which count from 0`:               func(_ int, r *row) { r.Capture = -1 },
		`row group 1: a row of capture 0 bears another hash or path than the capture`:              func(_ int, r *row) { r.CapturePath = "b.pcap" },
		`row group 1, conversation 1: client_ip: "10.1" is no IP address`:                          func(_ int, r *row) { r.ClientIP = "10.1" },
		`row group 1, conversation 1: server_mac: "x" is no MAC address such as 00:80:f4:0e:11:22`: func(_ int, r *row) { r.ServerMAC = "x" },
		`row group 1, conversation 1: first_digits: expected 0 to 9 where first is not null`:       func(_ int, r *row) { r.FirstDigits = &nine },
		`row group 1, conversation 1: last_digits: expected 0 to 9 where last is not null`:         func(_ int, r *row) { r.LastDigits = nil },
		`row group 1, conversation 1: operations.from: side "x": expected client or server`:        func(i int, r *row) { change1(i, func() { r.Operations[0].From = "x" }) },
		`row group 1, conversation 1: operation 1: class "x" is none of [read write control mode program firmware configure file diagnose discover event session reply]`: func(i int, r *row) {
			change1(i, func() { r.Operations[0].Class = "x" })
		},
		`row group 1, conversation 1: operation 1: objects: 9 to 2 runs downwards`: func(i int, r *row) { change1(i, func() { r.Operations[0].Objects[0] = objectRow{"", 9, 2} }) },
		`row group 1, conversation 1: operations: 257 entries are more than 256`: func(i int, r *row) {
			change1(i, func() {
				r.Operations = make([]operationRow, 257)
				for k := range r.Operations {
					r.Operations[k].From = "client"
				}
			})
		},
		`row group 1, conversation 1: auth.length: -3 is not from 0 to 2147483647`: func(_ int, r *row) { r.Auth = []authRow{{Length: -3}} },
		`row group 1, folded conversation 1: client_network: "x" is no network such as 10.1.2.0/24`: func(i int, r *row) {
			if i == 2 {
				r.ClientNetwork = "x"
			}
		},
		`row group 1, endpoint 2: names: 17 entries are more than 16`: func(i int, r *row) {
			if i == 5 {
				r.Names = make([]nameRow, capture.MaxFacts+1)
			}
		},
		`row group 1: column "tunnel": text that is no UTF-8`: func(_ int, r *row) { r.Tunnel = "\xff" },
	} {
		b := forged(t, o, oneCapture, change)
		_, err := Read(bytes.NewReader(b), int64(len(b)))
		var format *FormatError
		if !errors.As(err, &format) || err.Error() != want {
			t.Errorf("got  %v\nwant %s", err, want)
		}
	}
}

// change1 changes the first row only.
func change1(i int, change func()) {
	if i == 0 {
		change()
	}
}

// Files of another kind, another version or another layout are refused in words
// that say so.
func TestOtherFiles(t *testing.T) {
	good := written(t, scan(1))
	other := func(schema string) []byte {
		var b bytes.Buffer
		type point struct{ X, Y int64 }
		options := []parquet.WriterOption{}
		if schema != "" {
			options = append(options, parquet.KeyValueMetadata(SchemaKey, schema))
		}
		w := parquet.NewGenericWriter[point](&b, options...)
		if _, err := w.Write([]point{{1, 2}}); err != nil {
			t.Fatal(err)
		}
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
		return b.Bytes()
	}
	none := func(int, *row) {}
	cut := bytes.Clone(good)
	binary.LittleEndian.PutUint32(cut[len(cut)-8:], 1<<31)
	for _, c := range []struct {
		name string
		file []byte
		want string
	}{
		{"empty", nil, "file: too short for a Parquet file"},
		{"a capture", append([]byte{0xd4, 0xc3, 0xb2, 0xa1}, good[4:]...), `file: begins with "\xd4ò\xa1": no Parquet file`},
		{"cut short", good[:len(good)-1], `file: ends with "\x00PAR", expected "PAR1": cut short?`},
		{"a footer longer than the file", cut, "footer: a length of 2147483648 bytes is more than the file or 67108864 bytes hold"},
		{"somebody else's Parquet", other(""), `metadata: there is no "bulkhead.schema": not a file of observations`},
		{"a later version", other("bulkhead/observations/v2"), `metadata: schema "bulkhead/observations/v2" is not read by this version, expected "bulkhead/observations/v1"`},
		{"other columns", other(Schema), `columns: 3 elements in the schema, expected `},
		{"snappy", forged(t, scan(1), "", none, parquet.Compression(&parquet.Snappy), parquet.DataPageVersion(1),
			parquet.KeyValueMetadata(SchemaKey, Schema), parquet.KeyValueMetadata(CapturesKey, oneCapture), parquet.KeyValueMetadata(SumKey, sum(oneCapture))),
			`row group 1: column "record": compressed by SNAPPY, expected ZSTD`},
		{"no captures", forged(t, scan(1), "", none, parquet.KeyValueMetadata(SchemaKey, Schema)), `metadata: expected "bulkhead.captures" with at most`},
		{"captures that are no list", forged(t, scan(1), "{}", none), `metadata: bulkhead.captures: expected a list in JSON`},
		{"captures of other fields", forged(t, scan(1), `[{"paths":""}]`, none), `metadata: bulkhead.captures: json: unknown field "paths"`},
		{"captures cut short", forged(t, scan(1), oneCapture[:len(oneCapture)-1], none), `metadata: bulkhead.captures: EOF`},
		{"captures and more", forged(t, scan(1), oneCapture+"[]", none), `metadata: bulkhead.captures: there is more after the list`},
		{"a capture twice", forged(t, scan(1), "["+oneCapture[1:len(oneCapture)-1]+","+oneCapture[1:], none),
			"metadata: bulkhead.captures: capture 2: sha256 " + strings.Repeat("0", 64) + " is another capture's already"},
	} {
		_, err := Read(bytes.NewReader(c.file), int64(len(c.file)))
		var format *FormatError
		if !errors.As(err, &format) || !strings.HasPrefix(err.Error(), c.want) {
			t.Errorf("%s: got  %v\nwant %s", c.name, err, c.want)
		}
	}
}

// accepted holds the property of Read: what it accepts is the same after being
// written and read again.
func accepted(t *testing.T, b []byte) bool {
	t.Helper()
	o, err := Read(bytes.NewReader(b), int64(len(b)))
	if err != nil {
		var format *FormatError
		if !errors.As(err, &format) {
			t.Fatalf("error %v of type %T, expected a *FormatError", err, err)
		}
		return false
	}
	if d := diff(o, reread(t, written(t, o))); d != "" {
		t.Fatalf("accepted, written and read again (- read, + again):\n%s", d)
	}
	return true
}

// Damage anywhere is either told or does no harm, and costs no memory.
func TestDamage(t *testing.T) {
	o := full()
	file := written(t, o)
	var before, after runtime.MemStats
	refused, changed := 0, 0
	for n := 0; n < len(file); n += 1 + len(file)/200 {
		if accepted(t, file[:n]) {
			t.Errorf("the first %d of %d bytes were taken for a file", n, len(file))
		}
	}
	files, most := uint64(600), uint64(64<<20)
	if testing.Short() { // also under the race detector, which allocates as well
		files, most = 60, 256<<20
	}
	for seed := range files {
		r := rand.New(rand.NewPCG(seed, 9))
		b := bytes.Clone(file)
		for range 1 + r.IntN(3) {
			b[r.IntN(len(b))] ^= byte(1 + r.IntN(255))
		}
		runtime.ReadMemStats(&before)
		if !accepted(t, b) {
			refused++
		} else if diff(o, reread(t, b)) != "" {
			changed++
		}
		runtime.ReadMemStats(&after)
		if n := after.TotalAlloc - before.TotalAlloc; n > most {
			t.Errorf("seed %d: %d MiB were allocated for a file of %d bytes", seed, n>>20, len(b))
		}
	}
	// What is left is damage of statistics and page indexes, which are not read.
	if refused < int(files)*3/4 || changed > int(files)/100 {
		t.Errorf("of %d damaged files %d were refused and %d gave other observations", files, refused, changed)
	}
	t.Logf("of %d damaged files %d were refused and %d gave other observations", files, refused, changed)
}

// What claims more than its bytes hold is told before anything is allocated.
func TestSpan(t *testing.T) {
	deep := strings.Repeat("\x1c", maxDepth+2)
	for _, c := range []struct {
		name, b, want string
		n             int
	}{
		{name: "an empty struct", b: "\x00rest", n: 1},
		{name: "every type", b: "\x11\x12\x13\x01\x14\x82\x01\x15\x02\x16\x03\x1712345678\x18\x02ab\x19\x25\x01\x02\x1c\x00\x00", n: 31},
		{name: "a field far off", b: "\x05\xc8\x01\x02\x00", n: 5},
		{name: "booleans", b: "\x19\x32\x01\x01\x02\x00", n: 6},
		{name: "cut", b: "\x15", want: errCut.Error()},
		{name: "no end", b: "\x15\x02", want: errCut.Error()},
		{name: "text longer than the bytes", b: "\x18\xff\xff\xff\xff\x07ab", want: errCut.Error()},
		{name: "a list longer than the bytes", b: "\x19\xfc\xff\xff\xff\xff\x07\x00", want: errCut.Error()},
		{name: "a list of 2^64-1", b: "\x19\xfc\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01\x00", want: errCut.Error()},
		{name: "too deep", b: deep, want: "structures more than 16 deep"},
		{name: "a map", b: "\x1b\x00", want: "type 11, which Parquet has no use for"},
	} {
		n, err := span([]byte(c.b))
		switch {
		case c.want == "" && (err != nil || n != c.n):
			t.Errorf("%s: %d bytes, %v; want %d", c.name, n, err, c.n)
		case c.want != "" && (err == nil || err.Error() != c.want):
			t.Errorf("%s: %v, want %s", c.name, err, c.want)
		}
	}
	many := append([]byte("\x19\xfc"), binary.AppendUvarint(nil, maxStructs+1)...)
	if _, err := span(append(many, make([]byte, maxStructs+2)...)); err == nil || !strings.HasPrefix(err.Error(), "lists of more than ") {
		t.Errorf("many structures: %v", err)
	}
}

// Five bytes can claim two thousand million values.
func TestCheckRuns(t *testing.T) {
	for _, c := range []struct {
		name string
		b    string
		bits int
		n    int64
		ok   bool
	}{
		{"none", "", 1, 0, true},
		{"a run of three", "\x06\x01", 1, 3, true},
		{"a run beyond the values", "\x40\x01", 1, 3, false},
		{"a run of 2^31-1", "\xfe\xff\xff\xff\x0f\x01", 1, 3, false},
		{"a run of 2^63-1", "\xfe\xff\xff\xff\xff\xff\xff\xff\xff\x01\x01", 1, 3, false},
		{"a group of eight for three", "\x03\x07", 1, 3, true},
		{"two groups for three", "\x05\x07\x07", 1, 3, false},
		{"2^62 groups", "\xff\xff\xff\xff\xff\xff\xff\xff\x7f", 8, 3, false},
		{"many runs of none", "\x00\x00\x00\x00", 0, 3, true},
		{"a length without end", "\xff\xff", 1, 3, false},
	} {
		if err := checkRuns([]byte(c.b), c.bits, c.n); (err == nil) != c.ok {
			t.Errorf("%s: %v", c.name, err)
		}
	}
}

type unreadable struct{ r io.ReaderAt }

var errUnreadable = errors.New("input/output error")

func (u unreadable) ReadAt(p []byte, off int64) (int, error) {
	if off > 500 && off < 5000 {
		return 0, errUnreadable
	}
	return u.r.ReadAt(p, off)
}

// A disk that fails is no damage of the file.
func TestReadTellsOfTheDisk(t *testing.T) {
	b := written(t, full())
	if _, err := Read(unreadable{bytes.NewReader(b)}, int64(len(b))); err != errUnreadable {
		t.Errorf("error %v, want %v", err, errUnreadable)
	}
	var format *FormatError
	if _, err := Read(bytes.NewReader(b[:len(b)-100]), int64(len(b))); !errors.As(err, &format) {
		t.Errorf("a file shorter than told: %v", err)
	}
}

func FuzzRead(f *testing.F) {
	f.Add(written(f, capture.Merge())) // no rows at all
	f.Add(written(f, full()))          // every column and list in use
	f.Add(written(f, scan(70)))        // more than one batch
	o := scan(1)
	o.Conversations[0].Operations[0].Active = make([]capture.Run, capture.MaxRuns)
	f.Add(written(f, o)) // runs of levels that are worth packing
	f.Fuzz(func(t *testing.T, b []byte) { accepted(t, b) })
}
