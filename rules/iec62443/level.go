package iec62443

import (
	"math/bits"

	"bulkhead/zones"
)

// Set is a set of requirements. The zero value is empty.
type Set struct {
	bits [2]uint64 // by place in the catalogue
}

// SetOf returns the set of the requirements with those IDs; IDs that name none are
// left out.
func SetOf(ids ...string) Set {
	var s Set
	for _, id := range ids {
		s.Add(id)
	}
	return s
}

// Add puts a requirement into s and reports whether the ID names one.
func (s *Set) Add(id string) bool {
	i, ok := catalogueIndex[id]
	if ok {
		s.bits[i/64] |= 1 << (i % 64)
	}
	return ok
}

// Has reports whether s holds the requirement with that ID.
func (s Set) Has(id string) bool {
	i, ok := catalogueIndex[id]
	return ok && s.has(i)
}

func (s Set) has(i int) bool { return s.bits[i/64]&(1<<(i%64)) != 0 }

// Len returns the number of requirements in s.
func (s Set) Len() int { return bits.OnesCount64(s.bits[0]) + bits.OnesCount64(s.bits[1]) }

// Union returns what is in s or in t.
func (s Set) Union(t Set) Set {
	return Set{[2]uint64{s.bits[0] | t.bits[0], s.bits[1] | t.bits[1]}}
}

// Intersect returns what is in both s and t.
func (s Set) Intersect(t Set) Set {
	return Set{[2]uint64{s.bits[0] & t.bits[0], s.bits[1] & t.bits[1]}}
}

// Without returns what is in s and not in t.
func (s Set) Without(t Set) Set {
	return Set{[2]uint64{s.bits[0] &^ t.bits[0], s.bits[1] &^ t.bits[1]}}
}

// IDs lists the set in the standard's order.
func (s Set) IDs() []string {
	out := make([]string, 0, s.Len())
	for i := range catalogue {
		if s.has(i) {
			out = append(out, catalogue[i].ID)
		}
	}
	return out
}

// Reading is the catalogue with its one debated level settled: SR 1.13 RE(1) is of
// SL 2 by clause 5.15.4 of IEC 62443-3-3:2013 and of SL 3 by its informative
// Table B.1.
type Reading struct {
	// ExplicitApproval is the level of SR 1.13 RE(1): 3, or 2 for any other value.
	ExplicitApproval uint8
}

const explicitApproval = "SR 1.13 RE(1)"

// MinSL returns the lowest level, under this reading, that asks for a
// requirement.
func (rd Reading) MinSL(r Requirement) uint8 {
	if r.ID == explicitApproval && rd.ExplicitApproval == 3 {
		return 3
	}
	return r.MinSL
}

// asked[fr][n] is what fr asks for at level n and at no lower one, by clause
// 5.15.4.
var asked = func() (out [zones.NumFR][zones.MaxLevel + 1]Set) {
	for _, r := range catalogue {
		out[r.FR][r.MinSL].Add(r.ID)
	}
	return out
}()

// at returns what fr asks for at level n and at no lower one.
func (rd Reading) at(fr zones.FR, n uint8) Set {
	s := asked[fr][n]
	if fr == zones.IAC && rd.ExplicitApproval == 3 {
		switch n {
		case 2:
			return s.Without(SetOf(explicitApproval))
		case 3:
			return s.Union(SetOf(explicitApproval))
		}
	}
	return s
}

// Level returns the highest n from 0 to 4 such that every requirement of fr that
// a level up to n asks for is met. Requirements that are not applicable are
// skipped, unless they are in met as well. If that leaves none, the FR has no
// level and ok is false.
func (rd Reading) Level(fr zones.FR, met, notApplicable Set) (level uint8, ok bool) {
	level = zones.MaxLevel
	for n := uint8(1); n <= zones.MaxLevel; n++ {
		applicable := rd.at(fr, n).Without(notApplicable.Without(met))
		ok = ok || applicable != Set{}
		if level == zones.MaxLevel && applicable.Without(met) != (Set{}) {
			level = n - 1
		}
	}
	return level, ok
}

// Cap returns the highest level of fr that is left when the requirements in
// voided are not met: 4 if none of them is of fr.
func (rd Reading) Cap(fr zones.FR, voided Set) uint8 {
	for n := uint8(1); n <= zones.MaxLevel; n++ {
		if voided.Intersect(rd.at(fr, n)) != (Set{}) {
			return n - 1
		}
	}
	return zones.MaxLevel
}

// Names reports whether s holds a requirement of fr.
func (s Set) Names(fr zones.FR) bool {
	for _, rows := range asked[fr] {
		if s.Intersect(rows) != (Set{}) {
			return true
		}
	}
	return false
}
