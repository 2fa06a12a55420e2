package capture

import (
	"cmp"
	"math"
	"slices"
	"time"
)

// MaxSilence is the longest time between two frames that counts as watched. What
// is longer is a gap, or a clock that jumped: nobody can tell from the file.
const MaxSilence = time.Hour

// Watched returns for how long at least one of some captures watched its link: the
// time that they cover between them, and no more than what each was awake for,
// added up. A single frame with a wrong clock does not stretch it.
func Watched(list []*Capture) time.Duration {
	type stretch struct{ from, to int64 }
	var awake time.Duration
	var stretches []stretch
	for _, c := range list {
		if !c.First.IsZero() {
			if awake += time.Duration(c.WatchedMS) * time.Millisecond; awake < 0 {
				awake = math.MaxInt64 // clocks that go to and fro add up without end
			}
			stretches = append(stretches, stretch{c.First.UnixNano(), c.Last.UnixNano()})
		}
	}
	slices.SortFunc(stretches, func(a, b stretch) int { return cmp.Compare(a.from, b.from) })
	var covered uint64 // nanoseconds: all that an int64 can tell apart
	end := int64(math.MinInt64)
	for _, s := range stretches {
		if s.to > end {
			covered += uint64(s.to) - uint64(max(s.from, end))
			end = s.to
		}
	}
	return time.Duration(min(covered, uint64(awake)))
}
