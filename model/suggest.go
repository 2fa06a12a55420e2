package model

import "strings"

// maxComparisons bounds the names that are looked at for suggestions in one run,
// so that thousands of wrong names in a model of thousands of zones stay cheap.
const maxComparisons = 2_000_000

// suggester finds the nearest of valid names.
type suggester struct {
	comparisons int
}

// nearest returns the name that takes the fewest edits to make of want, the first
// of several, or "" if none is near: at most two edits, and one in three letters.
// A difference in case alone is always near.
func (s *suggester) nearest(want string, names []string) string {
	limit := min(2, len(want)/3)
	if len(want) < 3 {
		limit = 1
	}
	best := ""
	for _, name := range names {
		if s.comparisons >= maxComparisons {
			return best
		}
		s.comparisons++
		if name != want && strings.EqualFold(name, want) {
			return name
		}
		if d := edits(want, name, limit); d <= limit && d < len(name) && d > 0 {
			best, limit = name, d-1
			if limit == 0 {
				break
			}
		}
	}
	return best
}

// edits returns how many bytes must be inserted, deleted, replaced or swapped with
// their neighbour to make b of a, or more than limit if it is more.
// (Optimal string alignment distance.)
func edits(a, b string, limit int) int {
	const longest = 64
	if len(a) > longest || len(b) > longest || len(a)-len(b) > limit || len(b)-len(a) > limit {
		return limit + 1
	}
	var rows [3][longest + 1]int
	before, above, row := &rows[0], &rows[1], &rows[2]
	for j := range len(b) + 1 {
		above[j] = j
	}
	for i := 1; i <= len(a); i++ {
		row[0] = i
		least := i
		for j := 1; j <= len(b); j++ {
			replace := above[j-1]
			if a[i-1] != b[j-1] {
				replace++
			}
			row[j] = min(replace, above[j]+1, row[j-1]+1)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				row[j] = min(row[j], before[j-2]+1)
			}
			least = min(least, row[j])
		}
		if least > limit {
			return limit + 1
		}
		before, above, row = above, row, before
	}
	return above[len(b)]
}
