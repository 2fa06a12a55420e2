package packet

import (
	"testing"

	"bulkhead/capture/pcap"
)

// mix is what a control network's tap sees, in about its proportions: polling
// over TCP, GOOSE, some UDP, IPv6, ARP, spanning tree.
func mix(t testing.TB) [][]byte {
	tcp := bytesOf(t, macs+ip4+tcp4+tcpHd+eight)
	tagged := bytesOf(t, macs+"8100 2078"+ip4+tcp4+tcpHd+eight)
	goose := bytesOf(t, "010ccd010001 001b1b112233 8100 8000 88b8 0001"+four)
	udp := bytesOf(t, macs+ip4+udp4+udpHd+four)
	v6 := bytesOf(t, macs+ip6+"60000000 001c 06 40"+addr6+tcpHd+eight)
	arp := bytesOf(t, macs+"0806 0001 0800 06 04 0002 001b1b112233 0a000001 0080f40e1122 0a000002")
	stp := bytesOf(t, macs+"0007 424203 00000000 0000000000")
	return [][]byte{tcp, tcp, tagged, goose, tcp, udp, tcp, goose, tcp, v6, tcp, arp, tagged, tcp, stp, tcp}
}

func TestParseAllocates(t *testing.T) {
	frames := append(mix(t), bytesOf(t, macs+ip4+"4500 0018 0001 0000 40 32 0000 0a000001 0a000002"+four))
	var p Packet
	if n := testing.AllocsPerRun(100, func() {
		for _, b := range frames {
			p.Parse(pcap.LinkEthernet, len(b), b)
			p.Parse(105, len(b), b)
			p.Parse(pcap.LinkLoop, len(b), b)
		}
	}); n != 0 {
		t.Errorf("%v allocations in %d frames, expected 0", n, 3*len(frames))
	}
}

func BenchmarkParse(b *testing.B) {
	frames := mix(b)
	b.Run("mix", func(b *testing.B) { benchmark(b, frames) })
	b.Run("tcp", func(b *testing.B) { benchmark(b, frames[:1]) })
	b.Run("goose", func(b *testing.B) { benchmark(b, frames[3:4]) })
	b.Run("ipv6", func(b *testing.B) { benchmark(b, frames[9:10]) })
	b.Run("arp", func(b *testing.B) { benchmark(b, frames[11:12]) })
}

func benchmark(b *testing.B, frames [][]byte) {
	const rounds = 16
	size := 0
	for _, f := range frames {
		size += len(f)
	}
	b.SetBytes(int64(size) * rounds)
	b.ReportAllocs()
	var p Packet
	for b.Loop() {
		for range rounds {
			for _, f := range frames {
				p.Parse(pcap.LinkEthernet, len(f), f)
			}
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(rounds*len(frames)), "ns/frame")
}

// BenchmarkInside reads a frame in VXLAN, both layers of it.
func BenchmarkInside(b *testing.B) {
	f := append(bytesOf(b, macs+ip4), inUDP(b, 50000, portVXLAN, "08000000 00138900"+innerFrame)...)
	b.SetBytes(int64(len(f)))
	b.ReportAllocs()
	var outer, in Packet
	for b.Loop() {
		outer.Parse(pcap.LinkEthernet, len(f), f)
		in.Inside(&outer)
	}
}
