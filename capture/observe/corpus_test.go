package observe

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"errors"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"bulkhead/capture/pcap"
	"bulkhead/capture/protocol"
	"bulkhead/internal/corpus"
)

// corpusInputs lists every capture of the corpus.
func corpusInputs(t testing.TB) []Input {
	dir := corpus.Dir(t)
	var inputs []Input
	for _, row := range corpus.Table(t, "index.tsv") {
		path := row[0]
		size, _ := strconv.ParseInt(row[2], 10, 64)
		inputs = append(inputs, Input{Path: path, Size: size, Open: func() (io.ReadCloser, error) {
			f, err := os.Open(filepath.Join(dir, filepath.FromSlash(path)))
			if err != nil || !strings.HasSuffix(path, ".gz") {
				return f, err
			}
			z, err := gzip.NewReader(f)
			return struct {
				io.Reader
				io.Closer
			}{z, f}, err
		}})
	}
	return inputs
}

// hang is how long one file may take at most; the slowest of the corpus needs a
// small part of it.
const hang = 30 * time.Second

// Every capture of the corpus is read to the end, each frame is accounted for,
// and what is not a capture is said to be none.
func TestCorpus(t *testing.T) {
	if testing.Short() {
		t.Skip("reads 100 MB")
	}
	var good []Input
	for _, in := range corpusInputs(t) {
		ctx, cancel := context.WithTimeout(context.Background(), hang)
		o, err := Observe(ctx, []Input{in}, Options{Jobs: 1})
		cancel()
		if err != nil {
			if !errors.Is(err, pcap.ErrNotCapture) {
				t.Errorf("%v", err)
			}
			continue
		}
		checkSums(t, o)
		if c := &o.Captures[0]; c.Frames == 0 && len(c.Errors) == 0 && c.Bytes > 1000 {
			t.Errorf("%s: no frames and no error", in.Path)
		}
		good = append(good, in)
	}
	run := func(jobs int, split int64) []byte {
		o, err := observe(context.Background(), good, Options{Jobs: jobs}, newRegistry(protocol.All()), &fileLimits, split)
		if err != nil {
			t.Fatal(err)
		}
		b, err := json.Marshal(o)
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	want := run(1, splitFrom)
	if !bytes.Equal(run(2, splitFrom), want) {
		t.Error("one job and two give different results")
	}
	if !bytes.Equal(run(5, 1), want) {
		t.Error("shards that work at the same time give other results than in turn")
	}
}

// Captures of the corpus that were damaged, each in a few ways that are the same
// in every run, are read with all sums intact, in time, and twice alike.
func TestDamagedCorpus(t *testing.T) {
	if testing.Short() {
		t.Skip("reads the smaller captures of the corpus several times over")
	}
	const small = 64 << 10
	r := rand.New(rand.NewPCG(7, 7))
	for n, in := range corpusInputs(t) {
		if in.Size > small || n%7 != 0 {
			continue
		}
		f, err := in.Open()
		if err != nil {
			t.Fatal(err)
		}
		whole, err := io.ReadAll(f)
		f.Close()
		if err != nil || len(whole) < 24 {
			continue
		}
		for range 6 {
			file := damage(r, whole)
			run := func() string {
				ctx, cancel := context.WithTimeout(context.Background(), hang)
				defer cancel()
				o, err := Observe(ctx, []Input{input(in.Path, file)}, Options{Jobs: 1})
				if err != nil {
					if errors.Is(err, context.DeadlineExceeded) {
						t.Error(err)
					}
					return err.Error()
				}
				checkSums(t, o)
				b, err := json.Marshal(o)
				if err != nil {
					t.Error(err)
				}
				return string(b)
			}
			if first, second := run(), run(); first != second {
				t.Errorf("%s: damaged, it gives different results", in.Path)
			}
		}
	}
}

// damage returns file with a few bits turned, bytes blotted out, a stretch
// repeated, or its end missing.
func damage(r *rand.Rand, file []byte) []byte {
	b := bytes.Clone(file)
	at := r.IntN(len(b))
	end := min(at+1+r.IntN(64), len(b))
	switch r.IntN(5) {
	case 0:
		return b[:at]
	case 1:
		for range 1 + len(b)/200 {
			b[r.IntN(len(b))] ^= 1 << r.IntN(8)
		}
	case 2:
		clear(b[at:end])
	case 3:
		for i := at; i < end; i++ {
			b[i] = 0xff
		}
	default:
		return slices.Concat(b[:end], b[at:])
	}
	return b
}
