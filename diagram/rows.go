package diagram

import (
	"math"
	"slices"

	"bulkhead/zones"
)

// row is one rank of cards.
type row struct {
	level string // Purdue level
	cards []*card
}

// rowMax returns how many cards of n stand side by side at most: for a small
// plant as many as fit a page, for a large one what keeps the sheet about twice
// as wide as high.
func rowMax(n int) int { return max(7, int(1.6*math.Sqrt(float64(n)))) }

// levelsDown are the Purdue levels from the enterprise down.
var levelsDown = []string{"5", "4", "3.5", "3", "2", "1", "0"}

// kindLevel is where a zone stands whose Purdue level the model leaves out.
var kindLevel = map[zones.Kind]string{
	zones.Business: "4", zones.DMZ: "3.5", zones.Operations: "3", zones.Control: "1", zones.Field: "0",
	zones.Safety: "1", zones.Wireless: "3", zones.Temporary: "1",
}

// layRows puts every card in a row and every conduit's plate in a rank.
func (s *sheet) layRows() {
	level := s.placeLevels()
	for _, l := range levelsDown {
		var in []*card
		for _, c := range s.cards {
			if level[c] == l {
				in = append(in, c)
			}
		}
		for _, part := range s.split(in) {
			for _, c := range part {
				c.row = len(s.rows)
			}
			s.rows = append(s.rows, row{level: l, cards: part})
		}
	}
	chained := s.chains()
	for _, p := range s.plates {
		if chained[p] {
			p.rank = p.ends[0].rank()
		} else {
			p.rank = s.rankBetween(p.ends)
		}
	}
}

// placeLevels gives every card a Purdue level to stand at.
func (s *sheet) placeLevels() map[*card]string {
	level := map[*card]string{}
	top := ""
	for _, c := range s.cards {
		l := c.zone.Purdue
		if l == "" && c.zone.Kind != zones.Wireless && c.zone.Kind != zones.Temporary {
			l = kindLevel[c.zone.Kind]
		}
		if !slices.Contains(levelsDown, l) {
			continue
		}
		level[c] = l
		if top == "" || slices.Index(levelsDown, l) < slices.Index(levelsDown, top) {
			top = l
		}
	}
	for _, p := range s.plates {
		for _, e := range p.ends {
			if _, placed := level[e.card]; placed || e.card.outside {
				continue
			}
			for _, other := range p.ends {
				if l, ok := level[other.card]; ok && !other.card.outside {
					level[e.card] = l
					break
				}
			}
		}
	}
	for _, c := range s.cards {
		if _, placed := level[c]; placed {
			continue
		}
		switch {
		case c.outside && (top == "5" || top == "4"):
			level[c] = top
		case c.outside:
			level[c] = "5"
		default:
			level[c] = kindLevel[c.zone.Kind]
		}
		if level[c] == "" {
			level[c] = "5"
		}
	}
	return level
}

// split deals the cards of one level out to the fewest rows that hold them.
// Cards below the same zone are dealt one after the other, so that they stand in
// a column under it and their lines run side by side.
func (s *sheet) split(cards []*card) [][]*card {
	n := (len(cards) + rowMax(len(s.cards)) - 1) / rowMax(len(s.cards))
	if n < 2 {
		return slices.DeleteFunc([][]*card{cards}, func(part []*card) bool { return len(part) == 0 })
	}
	under := map[*card]*card{}
	for _, p := range s.plates {
		for _, e := range p.ends {
			if _, placed := under[e.card]; !placed && slices.Contains(cards, e.card) {
				for _, other := range p.ends {
					if !slices.Contains(cards, other.card) {
						under[e.card] = other.card
					}
				}
			}
		}
	}
	parts := make([][]*card, n)
	done := map[*card]bool{}
	dealt := 0
	deal := func(c *card) {
		done[c] = true
		parts[dealt%n] = append(parts[dealt%n], c)
		dealt++
	}
	for _, c := range cards {
		if done[c] {
			continue
		}
		deal(c)
		for _, d := range cards {
			if !done[d] && under[c] != nil && under[d] == under[c] {
				deal(d)
			}
		}
	}
	return parts
}

// rankBetween returns the rank of a plate between the rows of its ends: above
// the lowest, or below all of them if they share a row.
func (s *sheet) rankBetween(ends []end) int {
	lo, hi := 0, 0
	for i, e := range ends {
		r := e.rank()
		if i == 0 || r < lo {
			lo = r
		}
		if i == 0 || r > hi {
			hi = r
		}
	}
	if hi%2 == 1 {
		return hi // an end is a plate already between rows
	}
	if lo == hi {
		return hi + 1
	}
	return hi - 1
}

// chains returns the conduits whose plates can stand between their zones in one
// row: of two zones of the same row and cluster, where the row's conduits of
// that sort form paths, so that an order exists in which no line passes a third
// card.
func (s *sheet) chains() map[*plate]bool {
	degree := map[*card]int{}
	var flat []*plate
	for _, p := range s.plates {
		if len(p.ends) != 2 || p.ends[0].card == nil || p.ends[1].card == nil {
			continue
		}
		a, b := p.ends[0].card, p.ends[1].card
		if a == b || a.row != b.row || a.parent != b.parent || len(a.children)+len(b.children) > 0 || a.outside != b.outside {
			continue
		}
		degree[a]++
		degree[b]++
		flat = append(flat, p)
	}
	// Ends of the paths so far: joining two ends of one path would close a ring.
	far := map[*card]*card{}
	other := func(c *card) *card {
		if f, ok := far[c]; ok {
			return f
		}
		return c
	}
	chained := map[*plate]bool{}
	for _, p := range flat {
		a, b := p.ends[0].card, p.ends[1].card
		if degree[a] > 2 || degree[b] > 2 || other(a) == b {
			continue
		}
		x, y := other(a), other(b)
		far[x], far[y] = y, x
		chained[p] = true
	}
	return chained
}
