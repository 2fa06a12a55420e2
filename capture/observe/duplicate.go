package observe

import (
	"encoding/binary"
	"hash/maphash"

	"bulkhead/capture/packet"
)

// duplicates remembers the last packets, to find those that were captured twice:
// by a switch that mirrors what comes into one port and what goes out of another,
// by two taps whose captures were merged, by the two networks of PRP.
//
// What a packet is remembered by is a sum with a seed that nobody can foresee, so
// that no second packet can be made to hide behind a first. Where it is
// remembered, and hence how long, is a function of its bytes alone: of the
// packets that share a place, the last few are.
type duplicates struct {
	seed  maphash.Seed
	seeds seeds
	sets  [1 << setBits]set
}

// setBits is how many places there are, as a power of 2: with four packets each,
// copies are found as long as not many more than four thousand others come
// between.
const setBits = 11

// set is the packets that were seen at one place, the last one first.
type set [4]sighting

// sighting is a packet that was there before.
type sighting struct {
	sum    uint64
	time   uint32 // in units of 1,024 ns, as far as it fits: that is more than an hour
	vlan   uint16
	copies uint8 // that were found
}

// maxCopies is how many copies a packet can have: two taps that mirror both
// directions make three. What comes more often is sent more often: a storm, say.
const maxCopies = 3

func newDuplicates() *duplicates {
	return &duplicates{seed: maphash.MakeSeed(), seeds: newSeeds()}
}

// cyclic are the EtherTypes of fieldbuses that repeat equal frames faster than
// any switch mirrors them: EtherCAT, POWERLINK, SERCOS III.
func cyclic(etherType uint16) bool {
	return etherType == 0x88a4 || etherType == 0x88ab || etherType == 0x88cd
}

// seen reports whether the packet at hand was there before.
//
// Two packets are the same if they agree in all but what a router, a switch or a
// tap changes: MACs, TTL, IP checksum, and a VLAN tag that one of them does not
// have; and if they lie no further apart in time than a copy does. A host may
// well send the same twice, so that a packet that nothing numbers (an
// identification of IPv4 other than 0, a sequence number of TCP or of a redundant
// network) must come again at once, and an acknowledgement without one, which a
// receiver repeats for each segment out of order, never counts. Packets without a
// time are not compared.
//
// Pair and hash are those of the packet's key, from is its side, sum that of its
// payload.
func (d *duplicates) seen(p *packet.Packet, c carrier, from int, pair, hash, sum uint64, ns int64) bool {
	within := duplicateWithinUnmarked
	numbers := uint64(p.Seq)<<32 | uint64(p.Ack) | uint64(p.FragmentOffset) // fragments behind the first have no other
	marks := uint64(p.IPID)<<48 | uint64(p.Flags)<<40 | uint64(p.Proto)<<32 | uint64(from)<<31 | uint64(p.PayloadLength&(1<<31-1))
	switch {
	case ns == 0:
		return false
	case p.Redundancy.Kind != packet.NoRedundancy:
		within = duplicateWithinRedundant
		numbers ^= uint64(p.Redundancy.Sequence)
	case p.IPID != 0 && c == overTCP:
		within = duplicateWithin
	case p.IPID != 0:
		within = duplicateWithinMarked
	case c == overTCP && p.PayloadLength == 0:
		return false
	case c == overLink && cyclic(p.EtherType):
		return false
	}
	where := mix(pair^numbers, marks^mixC)
	if c > overSCTP {
		// Their headers are in none of the words.
		upper := p.Net
		switch {
		case p.Src.Is4():
			upper = upper[min(ipv4Header, len(upper)):]
		case p.Src.Is6():
			upper = upper[min(ipv6Header, len(upper)):]
		}
		sum = d.payload(upper)
		where ^= sample(upper)
	}
	all := mix(mix(hash^numbers, d.seeds[0]^marks)^d.seeds[1], sum^d.seeds[2])
	at, vlan, now := &d.sets[where>>(64-setBits)], p.VLAN(), uint32(ns>>10)
	for i := range at {
		s := &at[i]
		apart := min(now-s.time, s.time-now) // whichever came first
		if s.sum == all && s.copies < maxCopies && apart <= uint32(within>>10) && (s.vlan == vlan || s.vlan == 0 || vlan == 0) {
			s.copies++
			return true
		}
	}
	at[3], at[2], at[1] = at[2], at[1], at[0]
	at[0] = sighting{sum: all, time: now, vlan: vlan}
	return false
}

// Lengths of IP headers without options.
const (
	ipv4Header = 20
	ipv6Header = 40
)

// payload returns a sum of a payload, 0 for an empty one.
func (d *duplicates) payload(b []byte) uint64 {
	if len(b) == 0 {
		return 0
	}
	return maphash.Bytes(d.seed, b) | 1
}

// sample is a function of some bytes of b.
func sample(b []byte) uint64 {
	var first [16]byte
	copy(first[:], b)
	return mix(binary.LittleEndian.Uint64(first[:])^mixA, binary.LittleEndian.Uint64(first[8:])^mixB)
}
