package observe

import (
	"sync/atomic"

	"bulkhead/capture/packet"
	"bulkhead/capture/pcap"
)

// unit is a run of packets on their way to the shards, and the memory that they
// need.
type unit struct {
	parcels []parcel        // in the order of the file
	lists   [][]uint16      // by shard, the indexes of its parcels
	others  []packet.Packet // what parcels point to
	blocks  []*pcap.Block
	left    atomic.Int32 // shards that have not seen it yet
}

// unitSize is how many parcels are routed before the shards get them: few enough
// to be in a core's cache still. A frame may be several parcels, and may end many
// packets in pieces; all of them together are below what a list can count to.
const unitSize = 2048

func newUnit(shards int) *unit {
	return &unit{parcels: make([]parcel, 0, unitSize+64), lists: make([][]uint16, shards)}
}

// parcel returns a new parcel for the shard of a pair of addresses, valid until
// the next call. All fields but more are to be set.
func (u *unit) parcel(pair uint64) *parcel {
	n := len(u.parcels)
	if n == cap(u.parcels) {
		u.parcels = append(make([]parcel, 0, 2*n), u.parcels...)
	}
	u.parcels = u.parcels[:n+1]
	list := &u.lists[pair>>32*uint64(len(u.lists))>>32]
	*list = append(*list, uint16(n))
	to := &u.parcels[n]
	to.more = nil
	return to
}

// keep copies a packet for as long as the unit is on its way.
func (u *unit) keep(p *packet.Packet) *packet.Packet {
	u.others = append(u.others, *p)
	return &u.others[len(u.others)-1]
}

// hold keeps the block that the next frames lie in.
func (u *unit) hold(b *pcap.Block) {
	if n := len(u.blocks); n == 0 || u.blocks[n-1] != b {
		b.Keep()
		u.blocks = append(u.blocks, b)
	}
}

// reset empties u.
func (u *unit) reset() {
	for i := range u.lists {
		u.lists[i] = u.lists[i][:0]
	}
	for _, b := range u.blocks {
		b.Done()
	}
	clear(u.blocks)
	u.parcels, u.others, u.blocks = u.parcels[:0], u.others[:0], u.blocks[:0]
}
