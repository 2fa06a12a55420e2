package observe

// table finds the places of values by their hashes. It has open addressing with
// linear probing; what has the same hash is found in the order in which it was
// added, so that the hash decides nothing.
type table struct {
	slots []slot
	used  int
}

type slot struct {
	tag   uint32 // low half of the hash: where it is looked for, and whether it may be it
	place int32  // plus 1; 0 if the slot is free
}

// minSlots is how large a table is when the first value is added.
const minSlots = 64

// probe is a walk over the places that may have a hash.
type probe struct {
	at  uint32
	tag uint32
}

func (t *table) probe(hash uint64) probe { return probe{at: uint32(hash), tag: uint32(hash)} }

// next returns the next place, or false if there is none.
func (t *table) next(p *probe) (place int, ok bool) {
	if len(t.slots) == 0 {
		return 0, false
	}
	for mask := uint32(len(t.slots) - 1); ; {
		s := t.slots[p.at&mask]
		if s.place == 0 {
			return 0, false
		}
		p.at++
		if s.tag == p.tag {
			return int(s.place) - 1, true
		}
	}
}

// add enters a place.
func (t *table) add(hash uint64, place int) {
	if 2*t.used >= len(t.slots) {
		old := t.slots
		t.slots = make([]slot, max(minSlots, 2*len(old)))
		// From behind a free slot on, so that values keep their order.
		start := 0
		for start < len(old) && old[start].place != 0 {
			start++
		}
		for i := range old {
			if s := old[(start+i)&(len(old)-1)]; s.place != 0 {
				t.put(s)
			}
		}
	}
	t.put(slot{uint32(hash), int32(place) + 1})
	t.used++
}

func (t *table) put(s slot) {
	mask := uint32(len(t.slots) - 1)
	at := s.tag & mask
	for t.slots[at].place != 0 {
		at = (at + 1) & mask
	}
	t.slots[at] = s
}

// remove takes a place out.
func (t *table) remove(hash uint64, place int) {
	if len(t.slots) == 0 {
		return
	}
	mask := uint32(len(t.slots) - 1)
	at := uint32(hash) & mask
	for t.slots[at].place != int32(place)+1 {
		if t.slots[at].place == 0 {
			return
		}
		at = (at + 1) & mask
	}
	// What follows moves up, unless its walk begins behind the gap.
	for next := (at + 1) & mask; t.slots[next].place != 0; next = (next + 1) & mask {
		if (next-t.slots[next].tag)&mask >= (next-at)&mask {
			t.slots[at] = t.slots[next]
			at = next
		}
	}
	t.slots[at] = slot{}
	t.used--
}
