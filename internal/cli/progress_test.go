package cli

import (
	"bytes"
	"testing"
	"time"

	"bulkhead/capture/observe"
)

func TestProgressLine(t *testing.T) {
	for _, c := range []struct {
		name   string
		p      observe.Progress
		passed time.Duration
		want   string
	}{
		{"the start", observe.Progress{Bytes: 8 << 20, Total: 400e9}, 0, "8.4 MB of 400 GB  0%"},
		{"on the way", observe.Progress{Bytes: 12.3e9, Total: 400e9, Conversations: 12345}, 11182 * time.Millisecond, "12.3 GB of 400 GB  3%  1.1 GB/s  5m52s left  12,345 conversations"},
		{"hours", observe.Progress{Bytes: 1e9, Total: 400e9, Conversations: 1}, 40 * time.Second, "1.0 GB of 400 GB  0%  25.0 MB/s  4h26m left  1 conversations"},
		{"the end", observe.Progress{Bytes: 400e9, Total: 400e9}, time.Hour, "400 GB of 400 GB  100%  111 MB/s"},
		{"a file that grows", observe.Progress{Bytes: 500e6, Total: 400e6}, time.Second, "500 MB of 500 MB  100%  500 MB/s"},
		{"standard input", observe.Progress{Bytes: 999, Conversations: 1e6}, 3 * time.Second, "999 B  333 B/s  1,000,000 conversations"},
		{"nothing yet", observe.Progress{}, time.Minute, "0 B"},
	} {
		if got := progressLine(c.p, c.passed); got != c.want {
			t.Errorf("%s: %q, want %q", c.name, got, c.want)
		}
	}
}

func TestSize(t *testing.T) {
	for n, want := range map[int64]string{
		0: "0 B", 999: "999 B", 1000: "1.0 kB", 99_949: "99.9 kB", 99_950: "100 kB", 999_499: "999 kB", 999_500: "1.0 MB",
		1 << 30: "1.1 GB", 999_500_000_000: "1.0 TB", 12_345e12: "12345 TB",
	} {
		if got := size(n); got != want {
			t.Errorf("size(%d) = %q, want %q", n, got, want)
		}
	}
}

func TestTimeLeft(t *testing.T) {
	for s, want := range map[float64]string{0.4: "0s", 59.4: "59s", 59.6: "1m00s", 3599: "59m59s", 3600: "1h00m", 1e300: "1000h00m"} {
		if got := timeLeft(s); got != want {
			t.Errorf("timeLeft(%v) = %q, want %q", s, got, want)
		}
	}
}

// TestMeter draws on a terminal of 30 columns with a clock of its own.
func TestMeter(t *testing.T) {
	now := time.Unix(1700000000, 0)
	var b bytes.Buffer
	m := meter{w: &b, now: func() time.Time { return now }, width: func() int { return 30 }}
	m.begin()
	m.clear()
	if b.Len() > 0 {
		t.Errorf("%q was drawn before anything was read", b.String())
	}
	steps := []struct {
		after time.Duration
		want  string
	}{
		{0, "\r\x1b[K100 MB of 1.0 GB  10%"},
		{redrawEvery - 1, ""},
		{1, "\r\x1b[K300 MB of 1.0 GB  30%"},
		{2 * time.Second, "\r\x1b[K400 MB of 1.0 GB  40%  182 MB"},
	}
	for i, s := range steps {
		b.Reset()
		now = now.Add(s.after)
		m.tell(observe.Progress{Bytes: int64(i+1) * 100e6, Total: 1e9})
		if got := b.String(); got != s.want {
			t.Errorf("step %d: %q, want %q", i, got, s.want)
		}
	}
	b.Reset()
	if m.clear(); b.String() != "\r\x1b[K" {
		t.Errorf("cleared by %q", b.String())
	}
}
