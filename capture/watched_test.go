package capture

import (
	"testing"
	"time"
)

func TestWatched(t *testing.T) {
	const minute = int64(time.Minute)
	watched := func(from, to, minutes int64) *Capture {
		return &Capture{First: NewTime(from*minute, 0), Last: NewTime(to*minute, 0), WatchedMS: minutes * 60_000}
	}
	tests := map[string]struct {
		list []*Capture
		want time.Duration
	}{
		"none":                     {},
		"no frames":                {list: []*Capture{{}}},
		"one":                      {[]*Capture{watched(0, 60, 60)}, time.Hour},
		"two taps at a time":       {[]*Capture{watched(0, 60, 60), watched(10, 70, 60)}, 70 * time.Minute},
		"one within the other":     {[]*Capture{watched(0, 60, 60), watched(10, 20, 10), watched(50, 70, 20)}, 70 * time.Minute},
		"one after the other":      {[]*Capture{watched(600, 660, 60), watched(0, 60, 60)}, 2 * time.Hour},
		"one frame of a wrong day": {[]*Capture{watched(-100_000, 60, 60)}, time.Hour},
		"clocks to and fro":        {[]*Capture{watched(0, 60, 1<<63/60_000_000_000), watched(0, 60, 1<<63/60_000_000_000)}, time.Hour},
		"the whole of time":        {[]*Capture{{First: NewTime(-1<<63, 9), Last: NewTime(1<<63-1, 9), WatchedMS: 5}}, 5 * time.Millisecond},
	}
	for name, test := range tests {
		if got := Watched(test.list); got != test.want {
			t.Errorf("%s: %v, want %v", name, got, test.want)
		}
	}
}
