package observe

import (
	"encoding/binary"
	"net/netip"

	"bulkhead/capture"
	"bulkhead/capture/packet"
	"bulkhead/internal/mac"
)

// carrier is a capture.Transport that fits in a key.
type carrier uint8

const (
	overTCP carrier = iota
	overUDP
	overSCTP
	overICMP
	overIP
	overLink
)

var transports = [...]capture.Transport{
	overTCP: capture.TCP, overUDP: capture.UDP, overSCTP: capture.SCTP,
	overICMP: capture.OverICMP, overIP: capture.OverIP, overLink: capture.L2,
}

// flowKey tells connections apart. Its two ends, a and b, are in ascending
// order, so that both directions have one key. An end is an address (a MAC
// straight on the link) and a port (an IP protocol number or EtherType where
// there are none).
type flowKey struct {
	aHigh, aLow, bHigh, bLow uint64
	aPort, bPort             uint16
	vlan                     uint16
	carrier                  carrier
}

// anyVLAN stands in keys for the VLAN that was tagged last.
const anyVLAN = 0xffff

// keyOf returns the key of the frame in p, with its VLAN, and which end sent it.
func keyOf(p *packet.Packet) (k flowKey, from int) {
	k.vlan = p.VLAN()
	switch {
	case !p.Src.IsValid():
		k.carrier = overLink
		k.aLow, k.bLow = macBits(p.SrcMAC), macBits(p.DstMAC)
		k.aPort, k.bPort = p.EtherType, p.EtherType
	case p.Fragment:
		k.carrier = overIP
	case p.Proto == protoTCP:
		k.carrier = overTCP
	case p.Proto == protoUDP:
		k.carrier = overUDP
	case p.Proto == protoSCTP:
		k.carrier = overSCTP
	case p.Proto == protoICMP || p.Proto == protoICMPv6:
		k.carrier = overICMP
	default:
		k.carrier = overIP
	}
	if k.carrier != overLink {
		k.aHigh, k.aLow = addrBits(p.Src)
		k.bHigh, k.bLow = addrBits(p.Dst)
	}
	switch k.carrier {
	case overTCP, overUDP, overSCTP:
		k.aPort, k.bPort = p.SrcPort, p.DstPort
	case overIP:
		k.aPort, k.bPort = uint16(p.Proto), uint16(p.Proto)
	}
	if k.bHigh < k.aHigh || k.bHigh == k.aHigh && (k.bLow < k.aLow || k.bLow == k.aLow && k.bPort < k.aPort) {
		k.aHigh, k.bHigh = k.bHigh, k.aHigh
		k.aLow, k.bLow = k.bLow, k.aLow
		k.aPort, k.bPort = k.bPort, k.aPort
		from = 1
	}
	return k, from
}

// port returns the port of an end.
func (k *flowKey) port(side int) uint16 {
	if side == 0 {
		return k.aPort
	}
	return k.bPort
}

// addrBits returns an address as 128 bits, IPv4 mapped into IPv6.
func addrBits(a netip.Addr) (high, low uint64) {
	if a.Is4() {
		b := a.As4()
		return 0, 0xffff<<32 | uint64(binary.BigEndian.Uint32(b[:]))
	}
	b := a.As16()
	return binary.BigEndian.Uint64(b[:]), binary.BigEndian.Uint64(b[8:])
}

func macBits(m mac.Addr) uint64 {
	return uint64(m[0])<<40 | uint64(m[1])<<32 | uint64(m[2])<<24 | uint64(m[3])<<16 | uint64(m[4])<<8 | uint64(m[5])
}

// vlans are the outer VLANs that the two directions of a connection are tagged
// with; notHeard before a direction's first frame.
type vlans [2]int32

const notHeard = -1

// id returns the VLAN of the whole: a direction that is untagged, or was not
// heard, follows the other.
func (v vlans) id() uint16 { return uint16(max(v[0], v[1], 0)) }

// conns is the table of connections that are being followed.
type conns struct {
	byKey map[flowKey]*conn
	ring  []*conn // in the order of their first frames, until slots are used again
	hand  int     // where in the ring room is looked for next
	max   int

	lastKey flowKey // of the last find
	last    *conn
}

// find returns the connection that a frame of side from belongs to, or nil.
func (t *conns) find(k flowKey, from int) *conn {
	if t.last != nil && k == t.lastKey {
		return t.last
	}
	c := t.byKey[k]
	if c == nil {
		c = t.join(k, from)
	}
	t.lastKey, t.last = k, c
	return c
}

// join finds a connection of which only the other direction was heard, if one
// of the two is untagged.
func (t *conns) join(k flowKey, from int) *conn {
	other := k
	if other.vlan == 0 {
		other.vlan = anyVLAN
	} else {
		other.vlan = 0
	}
	c := t.byKey[other]
	if c == nil || c.vlans[from] != notHeard {
		return nil
	}
	t.byKey[k] = c
	return c
}

// add enters c, which has no entry yet. The result, if not nil, had to make room
// and is to be closed.
func (t *conns) add(c *conn) (evicted *conn) {
	if len(t.ring) < t.max {
		c.slot = len(t.ring)
		t.ring = append(t.ring, c)
	} else {
		for t.ring[t.hand].recent {
			t.ring[t.hand].recent = false
			t.hand = (t.hand + 1) % len(t.ring)
		}
		evicted = t.ring[t.hand]
		t.forget(evicted)
		c.slot = t.hand
		t.ring[t.hand] = c
		t.hand = (t.hand + 1) % len(t.ring)
	}
	t.enter(c)
	return evicted
}

// replace enters c, which has the same key, in the place of old.
func (t *conns) replace(old, c *conn) {
	t.forget(old)
	c.slot = old.slot
	t.ring[c.slot] = c
	t.enter(c)
}

func (t *conns) enter(c *conn) {
	k := c.key
	t.byKey[k] = c
	t.lastKey, t.last = k, c
	if k.vlan != 0 {
		k.vlan = anyVLAN
		t.byKey[k] = c
	}
}

func (t *conns) forget(c *conn) {
	k := c.key
	for _, v := range [...]uint16{c.key.vlan, uint16(max(c.vlans[0], 0)), uint16(max(c.vlans[1], 0)), anyVLAN} {
		if k.vlan = v; t.byKey[k] == c {
			delete(t.byKey, k)
		}
	}
	if t.last == c {
		t.last = nil
	}
}
