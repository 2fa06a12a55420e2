package observe

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"bulkhead/capture/pcap"
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
	run := func(jobs int) []byte {
		o, err := Observe(context.Background(), good, Options{Jobs: jobs})
		if err != nil {
			t.Fatal(err)
		}
		b, err := json.Marshal(o)
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	if !bytes.Equal(run(1), run(2)) {
		t.Error("one job and two give different results")
	}
}
