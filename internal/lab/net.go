package lab

import (
	"fmt"
	"math/rand/v2"
	"net"
	"net/netip"
	"time"

	"bulkhead/internal/mac"
)

// Net is a network in which things happen one after the other.
type Net struct {
	now     time.Time
	start   time.Time
	random  *rand.Rand
	routers []*Router
	taps    []*Tap
	lan     *Segment // where Host puts hosts
	lanTap  *Tap
	err     error // the first thing that was wrong
}

// New returns an empty network whose clock stands at start.
func New(start time.Time) *Net {
	n := &Net{now: start, start: start, random: rand.New(rand.NewPCG(62443, 3))}
	n.lan = n.Segment(0)
	n.lanTap = n.Tap("lan", n.lan)
	return n
}

// At sets the clock to the time that long after the start.
func (n *Net) At(since time.Duration) { n.now = n.start.Add(since) }

// Wait moves the clock on.
func (n *Net) Wait(d time.Duration) { n.now = n.now.Add(d) }

// Watch has the default tap watch a segment besides the default one.
func (n *Net) Watch(s *Segment) { n.lanTap.segments = append(n.lanTap.segments, s) }

// Bytes returns the capture of the default tap, as a pcapng file.
func (n *Net) Bytes() ([]byte, error) { return n.lanTap.Bytes() }

// fail keeps the first error.
func (n *Net) fail(format string, args ...any) {
	if n.err == nil {
		n.err = fmt.Errorf(format, args...)
	}
}

// tick moves the clock on by the fraction of a millisecond that a frame takes.
func (n *Net) tick() { n.Wait(time.Duration(120+n.random.IntN(180)) * time.Microsecond) }

// opaque returns bytes that look encrypted.
func (n *Net) opaque(length int) []byte {
	b := make([]byte, length)
	for i := range b {
		b[i] = byte(n.random.Uint32())
	}
	return b
}

// Segment is a broadcast domain.
type Segment struct {
	net   *Net
	vlan  uint16
	hosts []*Host
}

// Segment adds a broadcast domain. Its frames carry a tag with that VLAN id, or
// none if vlan is 0.
func (n *Net) Segment(vlan uint16) *Segment { return &Segment{net: n, vlan: vlan} }

// Host is an interface with one IP and one MAC address.
type Host struct {
	IP      netip.Addr
	MAC     mac.Addr
	TTL     uint8 // of the packets it sends
	segment *Segment
	port    uint16 // the last client port used
	id      uint16 // the last IP identification used
}

// Host adds a host to the default segment.
func (n *Net) Host(ip, mac string) *Host { return n.lan.Host(ip, mac) }

// Host adds a host to the segment.
func (s *Segment) Host(ip, hardware string) *Host {
	a, err := netip.ParseAddr(ip)
	if err != nil {
		s.net.fail("host %q: %w", ip, err)
	}
	m, err := mac.Parse(hardware)
	if err != nil {
		s.net.fail("host %q: %w", ip, err)
	}
	h := &Host{IP: a, MAC: m, TTL: 64, segment: s, port: 49151, id: uint16(s.net.random.Uint32())}
	s.hosts = append(s.hosts, h)
	return h
}

// clientPort returns the next ephemeral port (RFC 6335, section 6).
func (h *Host) clientPort() uint16 {
	if h.port++; h.port < 49152 {
		h.port = 49152
	}
	return h.port
}

// Router joins segments. It has an interface on each, all with one MAC address,
// as firewalls with VLAN interfaces have.
type Router struct {
	MAC      mac.Addr
	segments []*Segment
}

// Router adds a router between segments.
func (n *Net) Router(hardware string, segments ...*Segment) *Router {
	m, err := mac.Parse(hardware)
	if err != nil {
		n.fail("router: %w", err)
	}
	r := &Router{MAC: m, segments: segments}
	n.routers = append(n.routers, r)
	return r
}

func (r *Router) on(s *Segment) bool {
	for _, t := range r.segments {
		if t == s {
			return true
		}
	}
	return false
}

// hop is one segment on a packet's way.
type hop struct {
	segment  *Segment
	src, dst mac.Addr
	ttl      uint8
}

// path lists the segments that a packet passes from one host to another: one, or
// two with a router between them.
func (n *Net) path(from, to *Host) []hop {
	if from.segment == to.segment {
		return []hop{{from.segment, from.MAC, to.MAC, from.TTL}}
	}
	for _, r := range n.routers {
		if r.on(from.segment) && r.on(to.segment) {
			return []hop{{from.segment, from.MAC, r.MAC, from.TTL}, {to.segment, r.MAC, to.MAC, from.TTL - 1}}
		}
	}
	n.fail("host %s: no router joins its segment to that of %s", from.IP, to.IP)
	return nil
}

func hardware(m mac.Addr) net.HardwareAddr { return net.HardwareAddr(m[:]) }
