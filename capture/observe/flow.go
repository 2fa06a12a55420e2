package observe

import (
	"encoding/binary"
	"math/bits"
	"math/rand/v2"
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

// flowKey tells connections apart, but for their VLAN. Its two ends, a and b, are
// in ascending order, so that both directions have one key. An end is an address
// (a MAC straight on the link) and a port (an IP protocol number, EtherType or
// service access point where there are none).
type flowKey struct {
	aHigh, aLow, bHigh, bLow uint64
	aPort, bPort             uint16
	tunnel                   uint16 // what it is carried in; 0 for nothing
	carrier                  carrier
	v4                       bool // the addresses are IPv4 addresses, mapped
}

// set makes k the key of the packet in p, and returns which end sent it. Headers
// behind one that could not be read do not count.
func (k *flowKey) set(p *packet.Packet, tunnel uint16) (from int) {
	*k = flowKey{tunnel: tunnel}
	switch {
	case !p.Src.IsValid():
		k.carrier = overLink
		k.aLow, k.bLow = macBits(p.SrcMAC), macBits(p.DstMAC)
		k.aPort = linkService(p)
		k.bPort = k.aPort
	default:
		k.addresses(p)
		k.carrier = carrierOf(p)
		switch k.carrier {
		case overTCP, overUDP, overSCTP:
			k.aPort, k.bPort = p.SrcPort, p.DstPort
		case overIP:
			k.aPort, k.bPort = uint16(p.Proto), uint16(p.Proto)
		}
	}
	if k.bHigh < k.aHigh || k.bHigh == k.aHigh && (k.bLow < k.aLow || k.bLow == k.aLow && k.bPort < k.aPort) {
		k.aHigh, k.bHigh = k.bHigh, k.aHigh
		k.aLow, k.bLow = k.bLow, k.aLow
		k.aPort, k.bPort = k.bPort, k.aPort
		return 1
	}
	return 0
}

// addresses sets the addresses of k. Reading them where they stand in the packet
// is much cheaper than taking a netip.Addr apart.
func (k *flowKey) addresses(p *packet.Packet) {
	const mapped = 0xffff << 32
	k.v4 = p.Src.Is4()
	switch b := p.Net; {
	case k.v4 && len(b) >= ipv4Header:
		k.aLow = mapped | uint64(binary.BigEndian.Uint32(b[12:]))
		k.bLow = mapped | uint64(binary.BigEndian.Uint32(b[16:]))
	case !k.v4 && len(b) >= ipv6Header:
		k.aHigh, k.aLow = binary.BigEndian.Uint64(b[8:]), binary.BigEndian.Uint64(b[16:])
		k.bHigh, k.bLow = binary.BigEndian.Uint64(b[24:]), binary.BigEndian.Uint64(b[32:])
	default: // quoted by another, or put together from pieces
		k.aHigh, k.aLow = addrBits(p.Src)
		k.bHigh, k.bLow = addrBits(p.Dst)
	}
}

// carrierOf tells what carries the payload of an IP packet.
func carrierOf(p *packet.Packet) carrier {
	ports := !p.Fragment && (p.SrcPort != 0 || p.DstPort != 0)
	switch {
	case p.Proto == protoTCP && ports:
		return overTCP
	case p.Proto == protoUDP && ports:
		return overUDP
	case p.Proto == protoSCTP && ports:
		return overSCTP
	case (p.Proto == protoICMP || p.Proto == protoICMPv6) && !p.Fragment:
		return overICMP
	}
	return overIP
}

// port returns the port of an end.
func (k *flowKey) port(side int) uint16 {
	if side == 0 {
		return k.aPort
	}
	return k.bPort
}

// addr returns the address of an end, the zero Addr straight on the link.
func (k *flowKey) addr(side int) netip.Addr {
	high, low := k.aHigh, k.aLow
	if side == 1 {
		high, low = k.bHigh, k.bLow
	}
	var b [16]byte
	switch {
	case k.carrier == overLink:
		return netip.Addr{}
	case k.v4:
		binary.BigEndian.PutUint32(b[:], uint32(low))
		return netip.AddrFrom4([4]byte(b[:4]))
	}
	binary.BigEndian.PutUint64(b[:], high)
	binary.BigEndian.PutUint64(b[8:], low)
	return netip.AddrFrom16(b)
}

// addrBits returns an address as 128 bits, IPv4 mapped into IPv6.
func addrBits(a netip.Addr) (high, low uint64) {
	b := a.As16()
	return binary.BigEndian.Uint64(b[:]), binary.BigEndian.Uint64(b[8:])
}

func macBits(m mac.Addr) uint64 {
	return uint64(m[0])<<40 | uint64(m[1])<<32 | uint64(m[2])<<24 | uint64(m[3])<<16 | uint64(m[4])<<8 | uint64(m[5])
}

// mix folds two words into one. Source: the multiplication of wyhash.
func mix(a, b uint64) uint64 {
	high, low := bits.Mul64(a, b)
	return high ^ low
}

// Odd constants with about as many ones as zeros: the golden ratio, and primes of
// xxHash.
const (
	mixA = 0x9e3779b97f4a7c15
	mixB = 0xc2b2ae3d27d4eb4f
	mixC = 0x165667b19e3779f9
)

// pair returns a hash of the two addresses that is the same in every run: it
// says in which shard they are.
func (k *flowKey) pair() uint64 {
	h := mix(k.aLow^mixA, k.bLow^mixB)
	if k.aHigh|k.bHigh != 0 {
		h ^= mix(k.aHigh^mixB, k.bHigh^mixC)
	}
	return h ^ h>>32
}

// seeds make hashes that nobody who writes a capture can foresee.
type seeds [3]uint64

func newSeeds() seeds { return seeds{rand.Uint64() | 1, rand.Uint64() | 1, rand.Uint64() | 1} }

// hash returns a hash of the whole key. The order of tables must not depend on it.
func (k *flowKey) hash(s *seeds) uint64 {
	h := mix(k.aLow^s[0], k.bLow^s[1])
	if k.aHigh|k.bHigh != 0 {
		h ^= mix(k.aHigh^s[1], k.bHigh^s[2])
	}
	ports := uint64(k.aPort)<<48 | uint64(k.bPort)<<32 | uint64(k.tunnel)<<8 | uint64(k.carrier)
	return mix(h^s[2], ports^s[0])
}

// vlans are the outer VLANs that the two directions of a connection are tagged
// with; notHeard before a direction's first frame.
type vlans [2]int32

const notHeard = -1

// id returns the VLAN of the whole: a direction that is untagged, or was not
// heard, follows the other.
func (v vlans) id() uint16 { return uint16(max(v[0], v[1], 0)) }

// fit is how well a VLAN agrees with those of a connection or conversation.
type fit uint8

const (
	noFit  fit = iota
	joined     // if a direction that was not heard, or an untagged one, follows the other
	exact
)

// fits tells whether a frame of side from that is tagged with vlan belongs to v.
// Switches tag one direction only where a capture is taken at a port that is
// untagged one way.
func (v vlans) fits(from int, vlan uint16) fit {
	switch {
	case v[0] == int32(vlan), v[1] == int32(vlan):
		return exact
	case v[from] == notHeard && (vlan == 0 || v[1-from] == 0):
		return joined
	}
	return noFit
}
