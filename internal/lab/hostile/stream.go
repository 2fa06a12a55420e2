package hostile

import (
	"io"

	"bulkhead/internal/lab/wire"
)

// MaxMemory is how much memory, in bytes, a reader of any stream of any length
// may take.
const MaxMemory = 256 << 20

// Stream is one kind of hostile capture, of any length.
type Stream struct {
	Name string // words joined by hyphens
	What string // in a line
	Unit string // what its length counts, such as "addresses"

	// Full is the length that a reader must withstand; Reduced is one that a test
	// gets through in seconds.
	Full, Reduced int64

	// Open starts the capture of that length. It is a classic pcap file, or, of
	// [Interfaces], pcapng.
	Open func(n int64) io.ReadCloser
	// Frames is how many frames a capture of that length has.
	Frames func(n int64) uint64
}

// All returns every stream, with those that the tables of connections meet first.
func All() []Stream {
	return []Stream{
		{"syn-scan", "one source tries one port of each address, and nothing answers", "addresses", 10_000_000, 100_000, SYNScan, times(1)},
		{"port-scan", "one source tries every port of one host, which refuses; then the next source", "ports", 2_000_000, 100_000, PortScan, times(2)},
		{"half-open", "a SYN and its answer, and the handshake is never ended", "connections", 1_000_000, 100_000, HalfOpen, times(2)},
		{"spoofed-sources", "each SYN to one server comes from another address", "sources", 10_000_000, 100_000, SpoofedSources, times(1)},
		{"answered-datagrams", "each datagram comes from another address, and is answered", "conversations", 5_000_000, 100_000, AnsweredDatagrams, times(2)},
		{"gaps", "each connection misses a byte and sends 11 kB behind it", "connections", 500_000, 20_000, Gaps, times(gapsFrames)},
		{"first-fragments", "the first fragment of a datagram, and never the rest", "fragments", 10_000_000, 100_000, FirstFragments, times(1)},
		{"overlapping-fragments", "fragments of one datagram that contradict each other, and never all of it", "datagrams", 2_000_000, 30_000, OverlappingFragments, times(overlaps)},
		{"link-flood", "each frame on the link has another VLAN, source, destination and EtherType", "frames", 10_000_000, 100_000, LinkFlood, times(1)},
		{"modbus-operations", "one client asks one server for every function of every unit at every address", "requests", 5_000_000, 100_000, ModbusOperations, times(2)},
		{"opcua-services", "one client asks one server for every number that a service could have", "requests", 5_000_000, 100_000, OPCUAServices, times(2)},
		{"dnp3-functions", "one master asks every outstation for every function, in time that runs in hours", "requests", 5_000_000, 100_000, DNP3Functions, times(1)},
		{"interfaces", "a pcapng file with an interface for each of its frames", "interfaces", 1_000_000, 100_000, Interfaces, times(1)},
		{"polling", "a plant at its ordinary work, for long", "bytes", 10_000_000_000, 12_000_000, Polling, pollingFrames},
	}
}

// times is the frames of a stream that has so many for each of its units.
func times(each uint64) func(int64) uint64 {
	return func(n int64) uint64 { return uint64(n) * each }
}

const (
	start = 1_794_636_000_000_000 // µs since 1970: 2026-11-14 06:00 UTC
	every = 20                    // µs between frames
)

// capture is a stream in the making.
type capture struct {
	frames int64 // so far
	units  int64
}

// open returns a capture of n units. Unit appends the frames of number i.
func open(n int64, unit func(c *capture, b []byte, i uint32) []byte) io.ReadCloser {
	c := new(capture)
	return wire.NewReader(wire.AppendFileHeader(nil), func(b []byte) []byte {
		if c.units == n {
			return b
		}
		c.units++
		return unit(c, b, uint32(c.units-1))
	})
}

// begin starts the next record.
func (c *capture) begin(b []byte) (_ []byte, record int) {
	record = len(b)
	b = wire.BeginRecord(b, start+c.frames*every)
	c.frames++
	return b, record
}

// tcp appends a record with one segment between two hosts.
func (c *capture) tcp(b []byte, from, to host, t wire.TCP, payload []byte) []byte {
	b, record := c.begin(b)
	b = wire.AppendEthernet(b, to.mac, from.mac, 0, wire.EtherTypeIPv4)
	b = wire.AppendTCP(b, wire.IPv4{Src: from.ip, Dst: to.ip, ID: uint16(c.frames), Fragment: dontFragment, TTL: 64}, t, payload)
	return wire.EndRecord(b, record)
}

// udp appends a record with one datagram.
func (c *capture) udp(b []byte, from, to host, src, dst uint16, payload []byte) []byte {
	b, record := c.begin(b)
	b = wire.AppendEthernet(b, to.mac, from.mac, 0, wire.EtherTypeIPv4)
	b = wire.AppendUDP(b, wire.IPv4{Src: from.ip, Dst: to.ip, ID: uint16(c.frames), TTL: 64}, src, dst, payload)
	return wire.EndRecord(b, record)
}

const dontFragment = 0x4000

// host is one end, on one segment with all others.
type host struct {
	mac wire.MAC
	ip  [4]byte
}

// The hosts that all streams share.
var (
	attacker = host{wire.MAC{2, 0x66, 0, 0, 0, 1}, [4]byte{10, 0, 0, 66}}
	victim   = host{wire.MAC{2, 0x11, 0, 0, 0, 1}, [4]byte{10, 0, 0, 11}}
	gateway  = wire.MAC{2, 0x30, 0, 0, 0, 1}
)

// stranger is host number i behind the gateway. All 2^32 numbers differ; the
// first 16 million of them are below 11.0.0.0/8.
func stranger(i uint32) host {
	i += 11 << 24
	return host{gateway, [4]byte{byte(i >> 24), byte(i >> 16), byte(i >> 8), byte(i)}}
}

// scatter is a permutation of the numbers: neighbours come out far apart, as
// random sources do.
func scatter(i uint32) uint32 {
	i *= 2654435769 // odd, so that no two come out equal
	return i ^ i>>15
}
