package conduits

import (
	"fmt"
	"math"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"bulkhead/capture"
)

// Window is a stretch of plant time in which a channel may be used: weekdays, or
// the days from one date to another, and a time of day, half-open, that may pass
// midnight. A stretch that passes midnight belongs to the day on which it began.
//
// Windows are meant as a clock on the plant's wall shows them. When clocks go
// forward, the hour that is left out is in no window; when they go back, the hour
// that comes twice is inside both times.
type Window struct {
	text       string
	weekdays   uint8 // bit n for time.Weekday n; 0 if dates say it
	first      int   // of dates: days since 1970-01-01, both included
	last       int
	start, end int // minutes of the day; end <= start passes midnight
}

const minutesPerDay = 24 * 60

var (
	weekdayNames = [7]string{"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"}
	timesPattern = regexp.MustCompile(`^([0-9]{2}):([0-9]{2})-([0-9]{2}):([0-9]{2})$`)
)

// ParseWindow reads "DAYS HH:MM-HH:MM". DAYS is "daily", weekdays ("Sat",
// "Mon,Wed", "Mon-Fri", "Mon-Wed,Sat", "Fri-Mon") or the dates of a once-only
// window ("2026-03-02..2026-03-06", both included). The last minute of a day ends
// at 24:00.
func ParseWindow(s string) (Window, error) {
	days, times, ok := strings.Cut(s, " ")
	m := timesPattern.FindStringSubmatch(times)
	if !ok || m == nil {
		return Window{}, fmt.Errorf(`window %q: expected days and a time of day such as "Sat 06:00-10:00"`, s)
	}
	w := Window{text: s}
	var err error
	if w.start, err = minuteOfDay(m[1], m[2]); err != nil || w.start == minutesPerDay {
		return Window{}, fmt.Errorf("window %q: %s:%s is no time from 00:00 to 23:59", s, m[1], m[2])
	}
	if w.end, err = minuteOfDay(m[3], m[4]); err != nil {
		return Window{}, fmt.Errorf("window %q: %s:%s is no time from 00:00 to 24:00", s, m[3], m[4])
	}
	if w.start == w.end {
		return Window{}, fmt.Errorf("window %q: it begins and ends at the same time; a whole day is 00:00-24:00", s)
	}
	if from, to, dated := strings.Cut(days, ".."); dated {
		err = w.parseDates(from, to)
	} else {
		err = w.parseWeekdays(days)
	}
	if err != nil {
		return Window{}, fmt.Errorf("window %q: %w", s, err)
	}
	return w, nil
}

func minuteOfDay(hour, minute string) (int, error) {
	h, _ := strconv.Atoi(hour) // the pattern lets digits through only
	m, _ := strconv.Atoi(minute)
	if n := h*60 + m; m < 60 && n <= minutesPerDay {
		return n, nil
	}
	return 0, fmt.Errorf("%s:%s is no time of day", hour, minute)
}

func (w *Window) parseDates(from, to string) error {
	first, err := time.Parse(time.DateOnly, from)
	if err != nil {
		return fmt.Errorf("%q is no date such as 2026-03-02", from)
	}
	last, err := time.Parse(time.DateOnly, to)
	if err != nil {
		return fmt.Errorf("%q is no date such as 2026-03-02", to)
	}
	if last.Before(first) {
		return fmt.Errorf("%s is before %s", to, from)
	}
	w.first, w.last = dayNumber(first), dayNumber(last)
	return nil
}

func (w *Window) parseWeekdays(days string) error {
	if days == "daily" {
		w.weekdays = 1<<7 - 1
		return nil
	}
	for part := range strings.SplitSeq(days, ",") {
		from, to, ranged := strings.Cut(part, "-")
		if !ranged {
			to = from
		}
		first, last := slices.Index(weekdayNames[:], from), slices.Index(weekdayNames[:], to)
		if first < 0 || last < 0 {
			return fmt.Errorf(`%q is no weekday; expected Mon, "Mon,Wed", Mon-Fri, daily or DATE..DATE`, part)
		}
		for d := first; ; d = (d + 1) % 7 {
			w.weekdays |= 1 << d
			if d == last {
				break
			}
		}
	}
	return nil
}

// String returns the window as the model spells it.
func (w Window) String() string { return w.text }

// Contains reports whether the window is open at t, read on the clock of t's own
// Location: the caller puts t into the plant's zone.
func (w Window) Contains(t time.Time) bool {
	return w.open(dayNumber(t), t.Hour()*60+t.Minute())
}

// open reports whether the window is open on a day (counted from 1970-01-01) in a
// minute of it.
func (w Window) open(day, minute int) bool {
	if w.start < w.end {
		return w.begins(day) && w.start <= minute && minute < w.end
	}
	return w.begins(day) && minute >= w.start || w.begins(day-1) && minute < w.end
}

// begins reports whether the window opens on a day.
func (w Window) begins(day int) bool {
	if w.weekdays == 0 {
		return w.first <= day && day <= w.last
	}
	weekday := ((day+4)%7 + 7) % 7 // 1970-01-01 was a Thursday
	return w.weekdays&(1<<weekday) != 0
}

// dayNumber returns the date of t in its Location as days since 1970-01-01.
func dayNumber(t time.Time) int {
	y, m, d := t.Date()
	return int(time.Date(y, m, d, 0, 0, 0, 0, time.UTC).Unix() / 86400)
}

// Outside returns the parts of a run in which none of the windows is open. A
// minute is inside when it starts inside. zone is the plant's; offset is how far
// the clock that stamped the run was ahead of UTC.
//
// A part that begins the run keeps its frame, and a part that is the whole run
// its count; elsewhere they are 0, for they are not known. Of a run without a time
// nothing can be said, and no part is returned; of one longer than ten years, which
// no capture is, the first ten are looked at.
func Outside(run capture.Run, zone *time.Location, offset time.Duration, windows []Window) []capture.Run {
	if run.From.IsZero() {
		return nil
	}
	var out []capture.Run
	start := run.From.UTC().Add(-offset)
	const tenYears = 10 * 366 * minutesPerDay
	// No minute after the last that capture.Time can hold.
	total := min(int64(run.Minutes), tenYears, (math.MaxInt64-max(run.From.UnixNano(), 0))/int64(time.Minute))
	for done := int64(0); done < total; {
		t := time.Unix(start.Unix()+done*60, int64(start.Nanosecond())).In(zone)
		n := min(steady(t, windows), total-done)
		if !slices.ContainsFunc(windows, func(w Window) bool { return w.Contains(t) }) {
			out = appendPart(out, run, done, n)
		}
		done += n
	}
	return out
}

// appendPart adds n minutes of a run, from minute `from` on, to parts.
func appendPart(parts []capture.Run, run capture.Run, from, n int64) []capture.Run {
	at := capture.NewTime(run.From.UnixNano()+from*int64(time.Minute), 0)
	if k := len(parts) - 1; k >= 0 {
		last := &parts[k]
		if last.From.UnixNano()+int64(last.Minutes)*int64(time.Minute) == at.UnixNano() {
			last.Minutes += uint32(n)
			if last.Minutes == run.Minutes {
				last.Count = run.Count
			}
			return parts
		}
	}
	part := capture.Run{From: at, Minutes: uint32(n)}
	if from == 0 {
		part.Frame = run.Frame
	}
	if part.Minutes == run.Minutes {
		part.Count = run.Count
	}
	return append(parts, part)
}

// steady returns for how many whole minutes from t on, at least one, no window can
// open or close: until the next edge of a window, midnight, or a change of the
// clocks. It keeps the work for a run proportional to its days, not its minutes.
func steady(t time.Time, windows []Window) int64 {
	minute := t.Hour()*60 + t.Minute()
	next := minutesPerDay
	for _, w := range windows {
		for _, edge := range [2]int{w.start, w.end} {
			if edge > minute {
				next = min(next, edge)
			}
		}
	}
	n := int64(next - minute)
	if _, change := t.ZoneBounds(); !change.IsZero() {
		// The minute in which the clocks change still starts before the change.
		n = min(n, int64((change.Sub(t)+time.Minute-1)/time.Minute))
	}
	return max(n, 1)
}
