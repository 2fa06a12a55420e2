package observe

import (
	"math/rand/v2"
	"net/netip"
	"testing"

	"github.com/google/gopacket"

	"bulkhead/capture/protocol"
)

// Whatever finds no room is folded with exact sums, answered conversations last,
// into no more rows than there may be.
func TestFold(t *testing.T) {
	l := oneShard()
	l.conversations, l.folded, l.connections = 8, 16, 4
	for seed := range uint64(20) {
		r := rand.New(rand.NewPCG(seed, 1))
		w := newWire(t)
		packets, frames := [2]uint64{}, uint64(0)
		for n := range 400 {
			to := end{byte(10 + r.IntN(100)), uint16(1000 + r.IntN(100))}
			switch r.IntN(4) {
			case 0:
				w.connect(end{1, 40000}, to).ask("2?r").answer("2!r")
				packets[0], packets[1], frames = packets[0]+3, packets[1]+2, frames+5
			case 1:
				w.ethernet(hostMAC(1), hostMAC(to.host), 0x88b8, gopacket.Payload{byte(n), byte(n >> 8)})
				packets[0], frames = packets[0]+1, frames+1
			default:
				w.tcp(end{1, uint16(1024 + r.IntN(60000))}, to, "S", r.Uint32(), 0, "")
				packets[0], frames = packets[0]+1, frames+1
			}
		}
		w.connect(end{2, 40000}, end{3, 502}).ask("2?r").answer("2!r") // the last is answered: it has a place
		packets[0], packets[1], frames = packets[0]+3, packets[1]+2, frames+5
		o := observedWithin(t, w.file.Bytes(), l)
		var got [2]uint64
		last := false
		for _, c := range o.Conversations {
			got[0], got[1] = got[0]+c.Packets.Sent, got[1]+c.Packets.Received
			last = last || c.Client.IP == host(2)
		}
		for _, f := range o.Folded {
			got[0], got[1] = got[0]+f.Packets.Sent, got[1]+f.Packets.Received
		}
		if got != packets || o.Captures[0].Frames != frames {
			t.Errorf("seed %d: %v packets of %v, %d frames of %d", seed, got, packets, o.Captures[0].Frames, frames)
		}
		if len(o.Conversations) > l.conversations || len(o.Folded) > l.folded+4 || len(o.Folded) == 0 {
			t.Errorf("seed %d: %d conversations, %d rows", seed, len(o.Conversations), len(o.Folded))
		}
		if answered := o.Conversations[0].State.Answered > 0; !answered && !last {
			t.Errorf("seed %d: an answered conversation made room for an attempt", seed)
		}
	}
}

// Rows are folded wider the fuller the table is, and by service no more in the
// end.
func TestFoldSteps(t *testing.T) {
	var f folds
	key := func(n byte, port uint16) *flowKey {
		k := flowKey{carrier: overTCP, v4: true, bPort: port}
		_, k.aLow = addrBits(netip.AddrFrom4([4]byte{10, n, n, n}))
		_, k.bLow = addrBits(netip.AddrFrom4([4]byte{11, n, n, n}))
		return &k
	}
	const limit = 64
	for n := range 256 {
		f.row(key(byte(n), uint16(n)), 0, uint16(n), limit)
	}
	if len(f.rows) > limit+1 {
		t.Errorf("%d rows, want at most %d", len(f.rows), limit+1)
	}
	bits := map[int]int{}
	for k := range f.rows {
		bits[k.client.Bits()]++
		if (k.port != 0) != (k.client.Bits() >= 16) && k.client.Bits() != 24 {
			t.Errorf("%v port %d", k.client, k.port)
		}
	}
	if bits[24] != limit*160/256 || bits[16] != limit*64/256 || bits[8]+bits[0] == 0 {
		t.Errorf("rows by bits: %v", bits)
	}
	if a, b := f.row(key(1, 1), 0, 1, limit), f.row(key(1, 1), 0, 1, limit); a != b {
		t.Error("the same conversation has two rows")
	}
}

// However many attempts there were, the list of them stays as long as those that
// are left, and the oldest makes room first.
func TestAttemptsAreBounded(t *testing.T) {
	l := oneShard()
	l.conversations, l.connections = 16, 8
	w := newWire(t)
	for i := range 3000 { // recognised, and never answered
		w.udp(end{1, 40000}, end{byte(2 + i%250), uint16(1 + i/250)}, "T2?r")
	}
	e := newEngine(newRegistry([]*protocol.Protocol{testProtocol}), &l, false)
	most := 0
	for _, f := range frames(t, w.file.Bytes()) {
		e.frame(&f)
		e.pass()
		most = max(most, len(e.shards[0].convs.attempts))
	}
	if most > 4*l.conversations+minSlots {
		t.Errorf("a list of %d attempts, with room for %d conversations", most, l.conversations)
	}
	for _, v := range e.shards[0].convs.places {
		if v != nil && v.frame < 3000-uint64(2*l.conversations) {
			t.Errorf("the attempt of frame %d is still there", v.frame)
		}
	}
}
