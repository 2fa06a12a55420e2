package plantmix

import (
	"time"

	"bulkhead/internal/lab"
	"bulkhead/internal/lab/wire"
)

// Time goes by in slots. A conversation has at most one step in a slot, and
// waits at most [ring] slots for its next.
const (
	slot  = 250 * time.Microsecond
	ring  = 1 << 18               // 65 s
	epoch = 1_794_636_000_000_000 // µs since 1970: 2026-11-14 06:00 UTC
)

// end is one side of a conversation, as the tap sees it.
type end struct {
	mac wire.MAC // its own, or its router's
	ip  [4]byte
	ttl byte
}

// conversation plays a dialogue between two ends.
type conversation struct {
	*dialogue
	ends   [2]end
	vlan   uint16
	ports  [2]uint16
	isn    [2]uint32
	id     [2]uint16 // of the last IP packet
	at     int       // the next step
	cycles uint64    // played since the connection was opened
	last   uint64    // cycles of a connection; 0 for one that is never closed
	heard  bool
	behind int32 // the next conversation in the same slot, or -1
}

// begin opens the conversation's next connection.
func (p *Plant) begin(c *conversation) {
	c.at, c.cycles = 0, 0
	c.isn = [2]uint32{p.random.Uint32(), p.random.Uint32()}
	c.ports = [2]uint16{p.clientPort(), c.service.Port}
	if c.bothPorts {
		c.ports[lab.Client] = c.service.Port
	}
}

// clientPort returns the next ephemeral port. The plant's hosts draw on one row of
// them.
func (p *Plant) clientPort() uint16 {
	const first = 49152
	p.port = max(p.port+1, first)
	return p.port
}

// appendStep appends the conversation's next frame as a record of the file.
func (c *conversation) appendStep(b []byte, at int64) []byte {
	st := &c.steps[c.at]
	from, to := &c.ends[st.from], &c.ends[1-st.from]
	start := len(b)
	b = wire.BeginRecord(b, at)
	if c.over == overLink {
		b = wire.AppendEthernet(b, to.mac, from.mac, c.vlan, c.service.Port)
		b = append(b, st.payload...)
		payload := b[len(b)-len(st.payload):]
		c.count(payload, st.from)
		if c.service.Port == etherTypeARP {
			c.resolve(b[start+wire.RecordHeaderSize:], payload, st.from)
		}
		return wire.EndRecord(b, start)
	}
	b = wire.AppendEthernet(b, to.mac, from.mac, c.vlan, wire.EtherTypeIPv4)
	c.id[st.from]++
	ip := wire.IPv4{Src: from.ip, Dst: to.ip, ID: c.id[st.from], Fragment: 0x4000, TTL: from.ttl}
	var l4 int
	if c.over == overUDP {
		b, l4 = wire.BeginUDP(b, ip, c.ports[st.from], c.ports[1-st.from], st.payload)
		c.count(b[len(b)-len(st.payload):], st.from)
		wire.SealUDP(b[l4:], ip)
		return wire.EndRecord(b, start)
	}
	t := wire.TCP{SrcPort: c.ports[st.from], DstPort: c.ports[1-st.from], Flags: st.flags, Options: st.options,
		Seq: c.sequence(st.seq, st.from)}
	if st.flags&wire.ACK != 0 {
		t.Ack = c.sequence(st.ack, 1-st.from)
	}
	b, l4 = wire.BeginTCP(b, ip, t, st.payload)
	c.count(b[len(b)-len(st.payload):], st.from)
	wire.SealTCP(b[l4:], ip)
	return wire.EndRecord(b, start)
}

// sequence turns a recorded sequence number of a side into the conversation's.
func (c *conversation) sequence(recorded uint32, of lab.Side) uint32 {
	return c.isn[of] + (recorded - c.start[of]) + uint32(c.cycles)*c.advance[of]
}

// count moves the counters in the payload of a step of the cycle on.
func (c *conversation) count(payload []byte, from lab.Side) {
	if c.at < c.cycle || c.at >= c.closing {
		return
	}
	for i := range c.counters {
		c.counters[i].add(payload, from, c.cycles)
	}
}

const etherTypeARP = 0x0806

// resolve fills in the addresses of an ARP message, and sends a request to all.
// Source: RFC 826.
func (c *conversation) resolve(frame, message []byte, from lab.Side) {
	sender, target := &c.ends[from], &c.ends[1-from]
	copy(message[8:], sender.mac[:])
	copy(message[14:], sender.ip[:])
	copy(message[24:], target.ip[:])
	if from == lab.Client {
		copy(frame, "\xff\xff\xff\xff\xff\xff")
		return
	}
	copy(message[18:], target.mac[:])
}

// advanceStep moves the conversation to its next step and returns in how many
// slots that is.
func (p *Plant) advanceStep(c *conversation) int32 {
	c.at++
	switch {
	case c.at == c.closing && (c.last == 0 || c.cycles+1 < c.last):
		c.at = c.cycle
		c.cycles++
		if c.freshPort {
			c.ports[lab.Client] = p.clientPort()
		}
	case c.at == len(c.steps):
		p.begin(c)
	}
	return c.steps[c.at].wait
}

// AppendFrame appends the next frame of the plant as a record of a classic pcap
// file. The plant never falls silent.
func (p *Plant) AppendFrame(b []byte) []byte {
	for p.slots[p.now%ring] < 0 {
		p.now++
		p.inSlot = 0
	}
	n := p.slots[p.now%ring]
	c := &p.conversations[n]
	p.slots[p.now%ring] = c.behind

	start := len(b)
	at := epoch + p.now*slot.Microseconds() + min(p.inSlot, slot.Microseconds()-1)
	p.inSlot++
	for _, op := range c.steps[c.at].ops {
		op.Count++
	}
	b = c.appendStep(b, at)
	c.service.Frames++
	p.frames++
	p.bytes += uint64(len(b) - start)
	if !c.heard {
		c.heard = true
		c.service.Conversations++
	}
	p.schedule(n, int64(p.advanceStep(c)))
	return b
}

// schedule has conversation n play its next step after so many slots, at least
// one.
func (p *Plant) schedule(n int32, wait int64) {
	at := (p.now + min(max(wait, 1), ring-1)) % ring
	p.conversations[n].behind = p.slots[at]
	p.slots[at] = n
}
