package store_test

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"math/rand/v2"
	"strconv"
	"testing"

	"bulkhead/capture"
	"bulkhead/capture/observe"
	"bulkhead/capture/store"
	"bulkhead/internal/corpus"
)

// small is how large a capture of the corpus may be to be taken here, and most how
// many are.
const (
	small = 20 << 10
	most  = 32
)

// observed returns what some small captures of the corpus show, each alone: every
// so manyth, so that the folders all have a part.
func observed(t *testing.T) []*capture.Observations {
	var paths []string
	for _, row := range corpus.Table(t, "index.tsv") {
		if size, err := strconv.Atoi(row[2]); err == nil && size <= small && row[7] == "ok" {
			paths = append(paths, row[0])
		}
	}
	var parts []*capture.Observations
	for i := 0; i < len(paths) && len(parts) < most; i += max(1, len(paths)/most) {
		b := corpus.Read(t, paths[i])
		o, err := observe.Observe(context.Background(), []observe.Input{{
			Path: paths[i], Size: int64(len(b)),
			Open: func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(b)), nil },
		}}, observe.Options{Jobs: 1})
		if err != nil {
			t.Errorf("%s: %v", paths[i], err)
			continue
		}
		parts = append(parts, o)
	}
	if len(parts) < most/2 {
		t.Fatalf("only %d captures of the corpus are small enough", len(parts))
	}
	return parts
}

func asJSON(t *testing.T, o *capture.Observations) string {
	t.Helper()
	b, err := json.Marshal(o)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// stored returns o as a file gives it back.
func stored(t *testing.T, o *capture.Observations) *capture.Observations {
	t.Helper()
	var b bytes.Buffer
	if err := store.Write(&b, o); err != nil {
		t.Fatal(err)
	}
	back, err := store.Read(bytes.NewReader(b.Bytes()), int64(b.Len()))
	if err != nil {
		t.Fatal(err)
	}
	return back
}

// What real captures show comes back from a file as it was.
func TestCorpusRoundTrip(t *testing.T) {
	for _, o := range observed(t) {
		if got, want := asJSON(t, stored(t, o)), asJSON(t, o); got != want {
			t.Errorf("%s: written and read\n%.600s\nwant\n%.600s", o.Captures[0].Path, got, want)
		}
	}
}

// Merging is plain union: however real captures are grouped, in whatever order,
// some of them twice, and whichever of the groups went through a file, the result
// is the same.
func TestMergeOfAnyGrouping(t *testing.T) {
	parts := observed(t)
	want := asJSON(t, capture.Merge(parts...))
	for seed := range uint64(20) {
		r := rand.New(rand.NewPCG(seed, 3))
		heap := append([]*capture.Observations(nil), parts...)
		for range 4 {
			heap = append(heap, parts[r.IntN(len(parts))])
		}
		for len(heap) > 1 {
			r.Shuffle(len(heap), func(i, j int) { heap[i], heap[j] = heap[j], heap[i] })
			n := 2 + r.IntN(len(heap)-1)
			merged := capture.Merge(heap[:n]...)
			if r.IntN(2) == 0 {
				merged = stored(t, merged)
			}
			heap = append(heap[n:], merged)
		}
		if got := asJSON(t, heap[0]); got != want {
			t.Fatalf("seed %d: another grouping gave %d bytes of JSON, want the %d of all at once", seed, len(got), len(want))
		}
	}
}
