package main

import (
	"bytes"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func TestReplaceBetween(t *testing.T) {
	const page = "# Title\n<!-- bench:speed -->\nold\n<!-- /bench:speed -->\nafter\n"
	got, err := replaceBetween([]byte(page), "speed", []byte("\nnew\n\n"))
	if want := "# Title\n<!-- bench:speed -->\n\nnew\n\n<!-- /bench:speed -->\nafter\n"; err != nil || string(got) != want {
		t.Errorf("got %q, %v, want %q", got, err, want)
	}
	again, err := replaceBetween(got, "speed", []byte("new"))
	if err != nil || !bytes.Equal(again, got) {
		t.Errorf("the second time it is %q, %v", again, err)
	}
	for _, broken := range []string{"", "<!-- bench:speed -->\n", "<!-- /bench:speed -->\n<!-- bench:speed -->\n"} {
		if _, err := replaceBetween([]byte(broken), "speed", nil); err == nil {
			t.Errorf("%q: no error", broken)
		}
	}
}

func TestMedian(t *testing.T) {
	for _, c := range []struct {
		in   []time.Duration
		want time.Duration
	}{{[]time.Duration{7}, 7}, {[]time.Duration{9, 1, 5}, 5}, {[]time.Duration{8, 2, 4, 100}, 6}} {
		if got := median(c.in); got != c.want {
			t.Errorf("median of %v: %d, want %d", c.in, got, c.want)
		}
	}
}

func TestProfile(t *testing.T) {
	const top = `File: bench
Type: cpu
Showing nodes accounting for 10s, 100% of 10s total
      flat  flat%   sum%        cum   cum%
     5.00s 50.00% 50.00%      6.00s 60.00%  bulkhead/capture/packet.(*Packet).Parse (inline)
     3.00s 30.00% 80.00%      3.00s 30.00%  runtime.mallocgc
     1.50s 15.00% 95.00%      1.50s 15.00%  bulkhead/capture/packet.parse[go.shape.struct { bulkhead/zones.Zone }]
     0.30s  3.00% 98.00%      0.30s  3.00%  memeqbody
     0.05s  0.50% 98.50%      0.05s  0.50%  sort.Slice
`
	var got strings.Builder
	if err := printProfile(&got, parseTop([]byte(top))); err != nil {
		t.Fatal(err)
	}
	for _, line := range []string{
		"| bulkhead/capture/packet | `(*Packet).Parse` | 65.0 |",
		"| runtime | `mallocgc` | 33.0 |",
		"| `bulkhead/capture/packet.parse[…]` | 15.0 | 15.0 |",
		"| all others |  | 0.5 |",
		"| `bulkhead/capture/packet.(*Packet).Parse` | 50.0 | 60.0 |",
	} {
		if !strings.Contains(got.String(), line+"\n") {
			t.Errorf("no line %q in\n%s", line, got.String())
		}
	}
}

// TestCopyFront: the front ends between two frames, and a short capture is copied
// whole.
func TestCopyFront(t *testing.T) {
	folder := t.TempDir()
	whole, front := filepath.Join(folder, "whole.pcap"), filepath.Join(folder, "front.pcap")
	if _, err := writePlant(whole, 1000); err != nil {
		t.Fatal(err)
	}
	file, err := os.ReadFile(whole)
	if err != nil {
		t.Fatal(err)
	}
	for _, limit := range []int64{24, 10_000, int64(len(file)), 1 << 40} {
		size, err := copyFront(front, whole, limit)
		if err != nil {
			t.Fatal(err)
		}
		got, err := os.ReadFile(front)
		if err != nil {
			t.Fatal(err)
		}
		if int64(len(got)) != size || size > limit || !bytes.HasPrefix(file, got) || limit-size > 1600 && size < int64(len(file)) {
			t.Errorf("limit %d: %d bytes, said to be %d", limit, len(got), size)
		}
	}
}

// TestFirstCapture reads no more of the observations than it needs.
func TestFirstCapture(t *testing.T) {
	r, w := io.Pipe()
	go func() {
		io.WriteString(w, `{"schema":"x","captures":[{"path":"p","frames":7,"ledger":{"decoded":5,"malformed":2}}, `)
		w.CloseWithError(io.ErrUnexpectedEOF)
	}()
	c, err := firstCapture(r)
	if err != nil || c.Frames != 7 || c.Ledger.Sum() != 7 {
		t.Errorf("got %+v, %v", c, err)
	}
	if _, err := firstCapture(strings.NewReader(`{"schema":"x"}`)); err == nil {
		t.Error("no captures: no error")
	}
}
