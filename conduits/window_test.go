package conduits

import (
	"math"
	"strings"
	"testing"
	"time"

	_ "time/tzdata" // where the machine has no zones

	"bulkhead/capture"
)

func amsterdam(t testing.TB) *time.Location {
	t.Helper()
	zone, err := time.LoadLocation("Europe/Amsterdam")
	if err != nil {
		t.Fatal(err)
	}
	return zone
}

func TestWindowContains(t *testing.T) {
	zone := amsterdam(t)
	tests := []struct {
		window, at string // at in plant time
		want       bool
	}{
		{"Sat 06:00-10:00", "2026-03-07 06:00:00", true}, // a Saturday
		{"Sat 06:00-10:00", "2026-03-07 09:59:59", true},
		{"Sat 06:00-10:00", "2026-03-07 10:00:00", false}, // half-open
		{"Sat 06:00-10:00", "2026-03-07 05:59:59", false},
		{"Sat 06:00-10:00", "2026-03-08 07:00:00", false},
		{"Mon,Wed 08:00-09:00", "2026-03-02 08:30:00", true},
		{"Mon,Wed 08:00-09:00", "2026-03-03 08:30:00", false},
		{"Mon,Wed 08:00-09:00", "2026-03-04 08:30:00", true},
		{"Mon-Fri 08:00-09:00", "2026-03-06 08:30:00", true},
		{"Mon-Fri 08:00-09:00", "2026-03-07 08:30:00", false},
		{"Fri-Mon 08:00-09:00", "2026-03-08 08:30:00", true},
		{"Fri-Mon 08:00-09:00", "2026-03-04 08:30:00", false},
		{"daily 00:00-24:00", "2026-03-04 23:59:59", true},
		// Past midnight: the stretch belongs to the day on which it began.
		{"Sat 22:00-02:00", "2026-03-07 23:00:00", true},
		{"Sat 22:00-02:00", "2026-03-08 01:59:00", true},
		{"Sat 22:00-02:00", "2026-03-08 02:00:00", false},
		{"Sat 22:00-02:00", "2026-03-07 01:00:00", false},
		{"Sat 22:00-00:00", "2026-03-07 23:59:00", true},
		{"Sat 22:00-00:00", "2026-03-08 00:00:00", false},
		{"2026-03-02..2026-03-06 22:00-02:00", "2026-03-02 01:00:00", false},
		{"2026-03-02..2026-03-06 22:00-02:00", "2026-03-02 22:00:00", true},
		{"2026-03-02..2026-03-06 22:00-02:00", "2026-03-07 01:59:00", true},
		{"2026-03-02..2026-03-06 22:00-02:00", "2026-03-07 22:00:00", false},
		// Clocks go forward on 2026-03-29 from 02:00 to 03:00.
		{"Sun 01:30-03:30", "2026-03-29 01:45:00", true},
		{"Sun 01:30-03:30", "2026-03-29 03:15:00", true},
		{"Sun 01:30-03:30", "2026-03-29 03:30:00", false},
	}
	for _, tt := range tests {
		w, err := ParseWindow(tt.window)
		if err != nil {
			t.Errorf("%s: %v", tt.window, err)
			continue
		}
		at, err := time.ParseInLocation(time.DateTime, tt.at, zone)
		if err != nil {
			t.Fatal(err)
		}
		if got := w.Contains(at); got != tt.want {
			t.Errorf("%q contains %s: %v, want %v", tt.window, tt.at, got, tt.want)
		}
		if w.String() != tt.window {
			t.Errorf("%q is printed as %q", tt.window, w)
		}
	}
}

// TestWindowWhenClocksGoBack: on 2026-10-25 the hour from 02:00 comes twice.
func TestWindowWhenClocksGoBack(t *testing.T) {
	zone := amsterdam(t)
	w, err := ParseWindow("Sun 02:00-02:30")
	if err != nil {
		t.Fatal(err)
	}
	var inside []string
	for at := time.Date(2026, 10, 24, 23, 0, 0, 0, time.UTC); at.Before(time.Date(2026, 10, 25, 3, 0, 0, 0, time.UTC)); at = at.Add(30 * time.Minute) {
		if w.Contains(at.In(zone)) {
			inside = append(inside, at.Format("15:04"))
		}
	}
	if got := strings.Join(inside, " "); got != "00:00 01:00" {
		t.Errorf("open at %s UTC, want 00:00 and 01:00", got)
	}
}

func TestParseWindowErrors(t *testing.T) {
	tests := []struct{ window, want string }{
		{"", "expected days and a time of day"},
		{"Sat", "expected days and a time of day"},
		{"06:00-10:00", "expected days and a time of day"},
		{"Sat 6:00-10:00", "expected days and a time of day"},
		{"Sat 06:00-10:00 UTC", "expected days and a time of day"},
		{"Sat  06:00-10:00", "expected days and a time of day"},
		{"Sat 25:00-10:00", "25:00 is no time from 00:00 to 23:59"},
		{"Sat 24:00-10:00", "24:00 is no time from 00:00 to 23:59"},
		{"Sat 06:60-10:00", "06:60 is no time"},
		{"Sat 06:00-24:01", "24:01 is no time from 00:00 to 24:00"},
		{"Sat 06:00-06:00", "a whole day is 00:00-24:00"},
		{"sat 06:00-10:00", `"sat" is no weekday`},
		{"Sat, 06:00-10:00", `"" is no weekday`},
		{"Mon-Foo 06:00-10:00", `"Mon-Foo" is no weekday`},
		{"2026-02-30..2026-03-01 06:00-10:00", `"2026-02-30" is no date`},
		{"2026-03-06..2026-03-02 06:00-10:00", "2026-03-02 is before 2026-03-06"},
	}
	for _, tt := range tests {
		_, err := ParseWindow(tt.window)
		if err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%q: error %v, want %q in it", tt.window, err, tt.want)
		}
	}
}

// slowOutside asks every minute by itself.
func slowOutside(run capture.Run, zone *time.Location, offset time.Duration, windows []Window) (minutes int, first time.Time) {
	for i := range run.Minutes {
		start := run.From.UTC().Add(time.Duration(i) * time.Minute)
		inside := false
		for _, w := range windows {
			inside = inside || w.Contains(start.Add(-offset).In(zone))
		}
		if !inside {
			if minutes == 0 {
				first = start
			}
			minutes++
		}
	}
	return minutes, first
}

func TestOutside(t *testing.T) {
	zone := amsterdam(t)
	windows := func(texts ...string) []Window {
		var out []Window
		for _, s := range texts {
			w, err := ParseWindow(s)
			if err != nil {
				t.Fatal(err)
			}
			out = append(out, w)
		}
		return out
	}
	tests := []struct {
		name    string
		from    string // UTC
		minutes uint32
		offset  time.Duration
		windows []Window
		want    int
	}{
		{"inside", "2026-03-07T05:00:00Z", 240, 0, windows("Sat 06:00-10:00"), 0},
		{"one minute late", "2026-03-07T05:00:00Z", 241, 0, windows("Sat 06:00-10:00"), 1},
		{"one minute early", "2026-03-07T04:59:00Z", 2, 0, windows("Sat 06:00-10:00"), 1},
		{"a clock that is ahead", "2026-03-07T09:00:00Z", 5, 5 * time.Minute, windows("Sat 06:00-10:00"), 0},
		{"a clock that is behind by a second", "2026-03-07T08:59:00Z", 2, -time.Second, windows("Sat 06:00-10:00"), 1},
		{"two windows that meet", "2026-03-07T05:00:00Z", 360, 0, windows("Sat 06:00-10:00", "Sat 10:00-12:00"), 0},
		{"a week", "2026-03-02T00:00:00Z", 7 * minutesPerDay, 0, windows("Sat 06:00-10:00"), 7*minutesPerDay - 240},
		{"clocks go forward", "2026-03-28T23:00:00Z", 23 * 60, 0, windows("Sun 01:00-04:00"), 23*60 - 120},
		{"clocks go back", "2026-10-24T22:00:00Z", 25 * 60, 0, windows("Sun 01:00-04:00"), 25*60 - 240},
		{"no window", "2026-03-02T00:00:00Z", 3, 0, nil, 3},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			from, err := time.Parse(time.RFC3339, tt.from)
			if err != nil {
				t.Fatal(err)
			}
			run := capture.Run{From: capture.NewTime(from.UnixNano(), 0), Minutes: tt.minutes, Count: 9, Frame: 4}
			parts := Outside(run, zone, tt.offset, tt.windows)
			got := 0
			for _, p := range parts {
				got += int(p.Minutes)
			}
			slow, first := slowOutside(run, zone, tt.offset, tt.windows)
			if got != tt.want || slow != tt.want {
				t.Errorf("%d minutes outside, minute by minute %d, want %d", got, slow, tt.want)
			}
			if len(parts) > 0 && !parts[0].From.UTC().Equal(first) {
				t.Errorf("begins at %s, want %s", parts[0].From, first)
			}
		})
	}
}

// TestOutsideHostile: a damaged file may claim any run.
func TestOutsideHostile(t *testing.T) {
	w, err := ParseWindow("Sat 06:00-10:00")
	if err != nil {
		t.Fatal(err)
	}
	for _, from := range []int64{0, math.MaxInt64, math.MinInt64} {
		var last int64
		for _, p := range Outside(capture.Run{From: capture.NewTime(from, 0), Minutes: math.MaxUint32}, amsterdam(t), 0, []Window{w}) {
			last = p.From.UnixNano() + int64(p.Minutes)*int64(time.Minute)
		}
		if ten := from + 10*366*24*int64(time.Hour); last > ten && ten > from {
			t.Errorf("a run from %d is looked at until %d, more than ten years", from, last)
		}
	}
	if got := Outside(capture.Run{Minutes: 5}, time.UTC, 0, []Window{w}); got != nil {
		t.Errorf("a run without a time is outside: %v", got)
	}
}

// FuzzParseWindow: what parses prints as it was written, parses again, and agrees
// with the minute-by-minute definition over a fortnight.
func FuzzParseWindow(f *testing.F) {
	f.Add("Sat 06:00-10:00", int64(1772800000))                    // plain
	f.Add("Fri-Mon 22:00-02:00", int64(1774746000))                // past midnight, over a change of the clocks
	f.Add("2026-10-24..2026-10-25 01:00-24:00", int64(1792890000)) // dates, and clocks that go back
	f.Fuzz(func(t *testing.T, s string, unix int64) {
		w, err := ParseWindow(s)
		if err != nil {
			return
		}
		if again, err := ParseWindow(w.String()); err != nil || again != w {
			t.Fatalf("%q parses as %+v and again as %+v, %v", s, w, again, err)
		}
		if unix < 0 || unix > 4e9 {
			return
		}
		run := capture.Run{From: capture.NewTime(unix*1e9, 0), Minutes: 14 * minutesPerDay / 7}
		want, _ := slowOutside(run, amsterdam(t), 0, []Window{w})
		got := 0
		for _, p := range Outside(run, amsterdam(t), 0, []Window{w}) {
			got += int(p.Minutes)
		}
		if got != want {
			t.Fatalf("%q from %d: %d minutes outside, minute by minute %d", s, unix, got, want)
		}
	})
}
