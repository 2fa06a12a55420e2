package observe

import (
	"math/rand/v2"
	"slices"
	"testing"
)

// A table finds what a map of lists finds, in the order in which it was added,
// whatever the hashes are.
func TestTable(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for _, hashes := range []int{1, 3, 50, 1 << 20} {
		var tab table
		want := map[uint64][]int{}
		hash := map[int]uint64{}
		for n := range 4000 {
			h := uint64(r.IntN(hashes)) * mixA
			switch list := want[h]; {
			case len(list) > 0 && r.IntN(3) == 0:
				i := r.IntN(len(list))
				tab.remove(h, list[i])
				delete(hash, list[i])
				want[h] = slices.Delete(list, i, i+1)
			default:
				hash[n] = h
				tab.add(h, n)
				want[h] = append(list, n)
			}
			var got []int
			for p := tab.probe(h); ; {
				place, ok := tab.next(&p)
				if !ok {
					break
				}
				if hash[place] == h {
					got = append(got, place)
				}
			}
			if !slices.Equal(got, want[h]) {
				t.Fatalf("%d hashes, step %d: %v, want %v", hashes, n, got, want[h])
			}
			if tab.used != len(hash) {
				t.Fatalf("%d in use, want %d", tab.used, len(hash))
			}
		}
	}
}
