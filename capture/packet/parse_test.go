package packet

import (
	"bytes"
	"encoding/hex"
	"net/netip"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"bulkhead/capture/pcap"
	"bulkhead/internal/mac"
)

// bytesOf reads hexadecimal digits with any spaces.
func bytesOf(t testing.TB, digits ...string) []byte {
	t.Helper()
	b, err := hex.DecodeString(strings.Join(strings.Fields(strings.Join(digits, "")), ""))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// The headers that the tests put together.
const (
	macs = "0080f40e1122 001b1b112233" // to :22, from :33
	ip4  = " 0800 "
	ip6  = " 86dd "

	// 10.0.0.1 to 10.0.0.2; the last four bytes of the first line are total
	// length and identification.
	tcp4  = "4500 0030 0001 0000 40 06 0000 0a000001 0a000002"
	udp4  = "4500 0020 0001 0000 40 11 0000 0a000001 0a000002"
	tcpHd = "c350 01f6 00000001 00000002 5018 2000 0000 0000" // 50000 to 502, PSH ACK
	udpHd = "c350 01f6 000c 0000"
	eight = "0001 0000 0002 0103"
	four  = "deadbeef"

	// fe80::1 to fe80::2.
	addr6 = "fe800000000000000000000000000001 fe800000000000000000000000000002"
)

var (
	one4, two4 = netip.MustParseAddr("10.0.0.1"), netip.MustParseAddr("10.0.0.2")
	one6, two6 = netip.MustParseAddr("fe80::1"), netip.MustParseAddr("fe80::2")
	to, from   = mac.Addr{0x00, 0x80, 0xf4, 0x0e, 0x11, 0x22}, mac.Addr{0x00, 0x1b, 0x1b, 0x11, 0x22, 0x33}
)

// over4 is a Packet of the TCP segment above; edit changes it.
func over4(edit func(*Packet)) Packet {
	p := Packet{SrcMAC: from, DstMAC: to, EtherType: 0x0800, Src: one4, Dst: two4, TTL: 64, Proto: 6, IPID: 1,
		SrcPort: 50000, DstPort: 502, Seq: 1, Ack: 2, Flags: PSH | ACK, Window: 0x2000,
		Payload: []byte{0, 1, 0, 0, 0, 2, 1, 3}, PayloadLength: 8}
	if edit != nil {
		edit(&p)
	}
	return p
}

// samePacket compares what a Packet says, not how it keeps it.
var samePacket = cmp.Options{cmpopts.EquateComparable(netip.Addr{}), cmpopts.IgnoreUnexported(Packet{})}

func TestParse(t *testing.T) {
	noMAC := func(p *Packet) { p.SrcMAC, p.DstMAC, p.EtherType = mac.Addr{}, mac.Addr{}, 0 }
	udp := func(p *Packet) {
		p.Proto, p.Seq, p.Ack, p.Flags, p.Window = 17, 0, 0, 0, 0
		p.Payload, p.PayloadLength = []byte{0xde, 0xad, 0xbe, 0xef}, 4
	}
	v6 := func(p *Packet) { p.EtherType, p.Src, p.Dst, p.IPID = 0x86dd, one6, two6, 0 }
	// noTransport leaves what an IP header says.
	noTransport := func(p *Packet) {
		p.SrcPort, p.DstPort, p.Seq, p.Ack, p.Flags, p.Window, p.Payload, p.PayloadLength = 0, 0, 0, 0, 0, 0, nil, 0
	}
	part := func(proto uint8, id uint32, offset int, data string) func(*Packet) {
		return func(p *Packet) {
			p.FragmentProto, p.FragmentID, p.FragmentOffset = proto, id, offset
			p.FragmentData = bytesOf(t, data)
			p.FragmentLength = len(p.FragmentData)
		}
	}
	and := func(edits ...func(*Packet)) func(*Packet) {
		return func(p *Packet) {
			for _, e := range edits {
				e(p)
			}
		}
	}
	l2 := func(detail, payload string, edit func(*Packet)) Packet {
		p := Packet{SrcMAC: from, DstMAC: to, Detail: detail, Payload: bytesOf(t, payload)}
		p.PayloadLength = len(p.Payload)
		if edit != nil {
			edit(&p)
		}
		return p
	}

	tests := []struct {
		name   string
		link   pcap.LinkType
		cut    int // bytes on the wire that were not captured
		frame  string
		want   Packet
		result Outcome
	}{
		{"tcp", 1, 0, macs + ip4 + tcp4 + tcpHd + eight, over4(nil), Decoded},
		{"tcp, link-layer padding", 1, 0, macs + ip4 + tcp4 + tcpHd + eight + "0000 0000 0000", over4(nil), Decoded},
		{"tcp, options of IPv4 and TCP", 1, 0, macs + ip4 + "4600 0038 0001 0000 40 06 0000 0a000001 0a000002 94040000" +
			"c350 01f6 00000001 00000002 6018 2000 0000 0000 02040218" + eight, over4(nil), Decoded},
		{"tcp, all flags and the reserved bits", 1, 0, macs + ip4 + "4500 0028 0001 0000 40 06 0000 0a000001 0a000002" + "c350 01f6 00000001 00000002 5fff 2000 0000 0000",
			over4(func(p *Packet) {
				p.Flags, p.Payload, p.PayloadLength = FIN|SYN|RST|PSH|ACK|URG, []byte{}, 0
			}), Decoded},
		{"tcp, payload cut by the snap length", 1, 6, macs + ip4 + tcp4 + tcpHd + "0001", over4(func(p *Packet) { p.Payload = []byte{0, 1} }), Decoded},
		{"tcp, cut, and the file forgot it", 1, 0, macs + ip4 + tcp4 + tcpHd + "0001", over4(func(p *Packet) { p.Payload = []byte{0, 1} }), Decoded},
		{"tcp, total length left to the network card", 1, 0, macs + ip4 + "4500 0000 0001 0000 40 06 0000 0a000001 0a000002" + tcpHd + eight, over4(nil), Decoded},
		{"tcp, header cut", 1, 28, macs + ip4 + tcp4 + "c350 01f6", over4(and(noTransport, func(p *Packet) { p.Detail = "tcp header" })), Truncated},
		{"tcp, options cut", 1, 12, macs + ip4 + "4500 0034 0001 0000 40 06 0000 0a000001 0a000002 c350 01f6 00000001 00000002 6018 2000 0000 0000",
			over4(func(p *Packet) { p.Payload, p.PayloadLength, p.Detail = nil, 0, "tcp header" }), Truncated},
		{"tcp, no room for its header", 1, 0, macs + ip4 + "4500 0018 0001 0000 40 06 0000 0a000001 0a000002 c350 01f6", over4(and(noTransport, func(p *Packet) { p.Detail = "tcp header" })), Malformed},
		{"tcp, data offset below the header", 1, 0, macs + ip4 + tcp4 + "c350 01f6 00000001 00000002 4018 2000 0000 0000" + eight,
			over4(func(p *Packet) { p.Payload, p.PayloadLength, p.Detail = nil, 0, "tcp data offset" }), Malformed},
		{"tcp, data offset behind the segment", 1, 0, macs + ip4 + tcp4 + "c350 01f6 00000001 00000002 f018 2000 0000 0000" + eight,
			over4(func(p *Packet) { p.Payload, p.PayloadLength, p.Detail = nil, 0, "tcp data offset" }), Malformed},
		{"udp", 1, 0, macs + ip4 + udp4 + udpHd + four, over4(udp), Decoded},
		{"udp, length below that of the packet", 1, 0, macs + ip4 + "4500 0024 0001 0000 40 11 0000 0a000001 0a000002" + udpHd + four + "00000000", over4(udp), Decoded},
		{"udp, length left to the network card", 1, 0, macs + ip4 + udp4 + "c350 01f6 0000 0000" + four, over4(udp), Decoded},
		{"udp, length below the header", 1, 0, macs + ip4 + udp4 + "c350 01f6 0007 0000" + four,
			over4(and(udp, func(p *Packet) { p.Payload, p.PayloadLength, p.Detail = nil, 0, "udp length" })), Malformed},
		{"udp, length above that of the packet", 1, 0, macs + ip4 + udp4 + "c350 01f6 000d 0000" + four,
			over4(and(udp, func(p *Packet) { p.Payload, p.PayloadLength, p.Detail = nil, 0, "udp length" })), Malformed},
		{"udp, first fragment", 1, 0, macs + ip4 + "4500 0020 0001 2000 40 11 0000 0a000001 0a000002 c350 01f6 0800 0000" + four,
			over4(and(udp, part(17, 1, 0, "c350 01f6 0800 0000"+four), func(p *Packet) { p.MoreFragments = true })), Decoded},
		{"later fragment", 1, 0, macs + ip4 + "4500 0018 0001 0001 40 11 0000 0a000001 0a000002" + four,
			over4(and(udp, part(17, 1, 8, four), func(p *Packet) {
				p.Fragment, p.SrcPort, p.DstPort, p.Detail = true, 0, 0, "ipv4 fragment"
			})), Fragment},
		{"sctp", 1, 0, macs + ip4 + "4500 0024 0001 0000 40 84 0000 0a000001 0a000002 c350 01f6 00000001 00000000" + four,
			over4(and(udp, func(p *Packet) { p.Proto = 132 })), Decoded},
		{"icmp echo", 1, 0, macs + ip4 + "4500 0020 0001 0000 40 01 0000 0a000001 0a000002 0800 0000 0001 0002" + four,
			over4(and(noTransport, udp, func(p *Packet) { p.Proto, p.ICMPType = 1, 8 })), Decoded},
		{"icmp unreachable", 1, 0, macs + ip4 + "4500 0038 0001 0000 40 01 0000 0a000001 0a000002 0303 0000 0000 0000" + "4500 0020 0001 0000 40 11 0000 0a000002 0a000001 01f6 c350 000c 0000",
			over4(and(noTransport, func(p *Packet) {
				p.Proto, p.ICMPType, p.ICMPCode = 1, 3, 3
				p.Payload, p.PayloadLength = bytesOf(t, "4500 0020 0001 0000 40 11 0000 0a000002 0a000001 01f6 c350 000c 0000"), 28
				p.Quoted = Quote{Valid: true, Src: two4, Dst: one4, Proto: 17, SrcPort: 502, DstPort: 50000}
			})), Decoded},
		{"authentication header", 1, 0, macs + ip4 + "4500 003c 0001 0000 40 33 0000 0a000001 0a000002 0601 0000 00000001 00000002" + tcpHd + eight, over4(nil), Decoded},
		{"another protocol", 1, 0, macs + ip4 + "4500 0018 0001 0000 40 32 0000 0a000001 0a000002" + four,
			over4(and(noTransport, func(p *Packet) {
				p.Proto, p.Payload, p.PayloadLength, p.Detail = 50, bytesOf(t, four), 4, "ip protocol 50"
			})), OtherIP},
		{"ICMPv6 over IPv4 is another protocol", 1, 0, macs + ip4 + "4500 0018 0001 0000 40 3a 0000 0a000001 0a000002" + four,
			over4(and(noTransport, func(p *Packet) {
				p.Proto, p.Payload, p.PayloadLength, p.Detail = 58, bytesOf(t, four), 4, "ip protocol 58"
			})), OtherIP},
		{"ipv4, header cut", 1, 40, macs + ip4 + "4500 0030 0001 0000", l2("ipv4 header", "", func(p *Packet) { p.EtherType, p.Payload = 0x0800, nil }), Truncated},
		{"ipv4, header short", 1, 0, macs + ip4 + "4500 0030 0001 0000", l2("ipv4 header", "", func(p *Packet) { p.EtherType, p.Payload = 0x0800, nil }), Malformed},
		{"ipv4, header length below its least", 1, 0, macs + ip4 + "44" + tcp4[2:] + tcpHd + eight, l2("ipv4 length", "", func(p *Packet) { p.EtherType, p.Payload = 0x0800, nil }), Malformed},
		{"ipv4, total length below the header", 1, 0, macs + ip4 + "4500 0013" + tcp4[9:] + tcpHd + eight, l2("ipv4 length", "", func(p *Packet) { p.EtherType, p.Payload = 0x0800, nil }), Malformed},
		{"ipv4 of version 5", 1, 0, macs + ip4 + "55" + tcp4[2:] + tcpHd + eight, l2("ip version", "", func(p *Packet) { p.EtherType, p.Payload = 0x0800, nil }), Malformed},

		{"vlan", 1, 0, macs + "8100 2078" + ip4 + tcp4 + tcpHd + eight, over4(func(p *Packet) { p.VLANs[0], p.NumVLANs = 120, 1 }), Decoded},
		{"tags of three kinds", 1, 0, macs + "88a8 0001 9100 0002 8100 0003" + ip4 + tcp4 + tcpHd + eight, over4(func(p *Packet) { p.VLANs, p.NumVLANs = [4]uint16{1, 2, 3}, 3 }), Decoded},
		{"more tags than are kept", 1, 0, macs + "8100 0001 8100 0002 8100 0003 8100 0004 8100 0005" + ip4 + tcp4 + tcpHd + eight,
			over4(func(p *Packet) { p.VLANs, p.NumVLANs = [4]uint16{1, 2, 3, 4}, 5 }), Decoded},
		{"priority tag", 1, 0, macs + "8100 e000" + ip4 + tcp4 + tcpHd + eight, over4(func(p *Packet) { p.NumVLANs = 1 }), Decoded},
		{"tag cut", 1, 60, macs + "8100 20", l2("vlan tag", "", func(p *Packet) { p.Payload = nil }), Truncated},
		{"ethernet, header cut", 1, 60, macs, Packet{Detail: "ethernet header"}, Truncated},
		{"ethernet, nothing", 1, 0, "", Packet{Detail: "ethernet header"}, Malformed},
		{"lldp", 1, 0, macs + "88cc 0207", l2("", "0207", func(p *Packet) { p.EtherType = 0x88cc }), Decoded},
		{"another ethertype", 1, 0, macs + "8892 8000" + four, l2("ethertype 0x8892", "8000"+four, func(p *Packet) { p.EtherType = 0x8892 }), OtherL2},
		{"neither length nor ethertype", 1, 0, macs + "05ff" + four, l2("ethernet length", "", func(p *Packet) { p.Payload = nil }), Malformed},
		{"llc, padded", 1, 0, macs + "0007 424203 00000000 0000000000", l2("llc sap 0x42", "00000000", func(p *Packet) { p.SAP = 0x42 }), OtherL2},
		{"llc, numbered", 1, 0, macs + "0006 fefe0101 0102", l2("llc sap 0xfe", "0102", func(p *Packet) { p.SAP = 0xfe }), OtherL2},
		{"llc, header cut", 1, 5, macs + "0007 4242", l2("llc header", "", func(p *Packet) { p.Payload = nil }), Truncated},
		{"snap", 1, 0, macs + "0038 aaaa03 000000" + ip4 + tcp4 + tcpHd + eight, over4(nil), Decoded},
		{"snap of an organisation", 1, 0, macs + "000c aaaa03 00000c 2000" + four, l2("snap organisation cisco", four, func(p *Packet) { p.SAP, p.Org, p.OrgType = 0xaa, 0x00000c, 0x2000 }), OtherL2},
		{"snap, header short", 1, 0, macs + "0005 aaaa03 0000", l2("snap header", "", func(p *Packet) { p.Payload = nil }), Malformed},
		{"arp", 1, 0, macs + "0806 0001 0800 06 04 0002 001b1b112233 0a000001 0080f40e1122 0a000002 000000000000",
			l2("", "0001 0800 06 04 0002 001b1b112233 0a000001 0080f40e1122 0a000002", func(p *Packet) {
				p.EtherType, p.ARP = 0x0806, ARP{Op: 2, SenderMAC: from, TargetMAC: to, Sender: one4, Target: two4}
			}), Decoded},
		{"arp of another hardware", 1, 0, macs + "0806 0007 0800 01 04 0001 03 0a000001 00 0a000002",
			l2("", "0007 0800 01 04 0001 03 0a000001 00 0a000002", func(p *Packet) { p.EtherType, p.ARP.Op = 0x0806, 1 }), Decoded},
		{"arp, addresses short", 1, 0, macs + "0806 0001 0800 06 04 0002 001b1b112233", l2("arp addresses", "", func(p *Packet) { p.EtherType, p.Payload = 0x0806, nil }), Malformed},

		{"ipv6", 1, 0, macs + ip6 + "60000000 001c 06 40" + addr6 + tcpHd + eight, over4(v6), Decoded},
		{"ipv6, padded", 1, 0, macs + ip6 + "60000000 001c 06 40" + addr6 + tcpHd + eight + four, over4(v6), Decoded},
		{"ipv6, extension headers", 1, 0, macs + ip6 + "60000000 0040 00 40" + addr6 + "2b00 010400000000" + "3c00 000000000000" + "3300 010400000000" + "0601 0000 00000001 00000002" +
			tcpHd + eight, over4(v6), Decoded},
		{"ipv6, atomic fragment", 1, 0, macs + ip6 + "60000000 0024 2c 40" + addr6 + "0600 0000 00000001" + tcpHd + eight, over4(v6), Decoded},
		{"ipv6, first fragment", 1, 0, macs + ip6 + "60000000 0024 2c 40" + addr6 + "0600 0001 00000001" + tcpHd + eight, over4(and(v6, part(6, 1, 0, tcpHd+eight), func(p *Packet) { p.MoreFragments = true })), Decoded},
		{"ipv6, later fragment", 1, 0, macs + ip6 + "60000000 000c 2c 40" + addr6 + "1100 0008 00000001" + four,
			over4(and(udp, v6, noTransport, part(17, 1, 8, four), func(p *Packet) {
				p.Fragment, p.Payload, p.PayloadLength, p.Detail = true, bytesOf(t, four), 4, "ipv6 fragment"
			})), Fragment},
		{"ipv6, length left to the network card", 1, 0, macs + ip6 + "60000000 0000 06 40" + addr6 + tcpHd + eight, over4(v6), Decoded},
		{"ipv6, extension header cut", 1, 16, macs + ip6 + "60000000 0018 00 40" + addr6 + "0601 0104 00000000",
			over4(and(v6, noTransport, func(p *Packet) { p.Proto, p.Detail = 0, "ip extension header" })), Truncated},
		{"ipv6, extension headers without end", 1, 0, macs + ip6 + "60000000 00a0 3c 40" + addr6 + strings.Repeat("3c00 0000 00000000", 20),
			over4(and(v6, noTransport, func(p *Packet) { p.Proto, p.Detail = 60, "ip extension headers without end" })), Malformed},
		{"ipv6, mobility", 1, 0, macs + ip6 + "60000000 0008 87 40" + addr6 + "3b00 0500 00000000",
			over4(and(v6, noTransport, func(p *Packet) {
				p.Proto, p.Payload, p.PayloadLength, p.Detail = 135, bytesOf(t, "3b00 0500 00000000"), 8, "ip protocol 135"
			})), OtherIP},
		{"ipv6, nothing follows", 1, 0, macs + ip6 + "60000000 0000 3b 40" + addr6 + four,
			over4(and(v6, noTransport, func(p *Packet) { p.Proto, p.Payload, p.Detail = 59, []byte{}, "ip protocol 59" })), OtherIP},
		{"ipv6 of version 4", 1, 0, macs + ip6 + "45000000 0008 87 40" + addr6, l2("ip version", "", func(p *Packet) { p.EtherType, p.Payload = 0x86dd, nil }), Malformed},
		{"icmpv6 unreachable", 1, 0, macs + ip6 + "60000000 0038 3a 40" + addr6 + "0104 0000 00000000" + "60000000 0008 11 40 fe800000000000000000000000000002 fe800000000000000000000000000001" + "01f6 c350 0008 0000",
			over4(and(v6, noTransport, func(p *Packet) {
				p.Proto, p.ICMPType, p.ICMPCode = 58, 1, 4
				p.Payload, p.PayloadLength = bytesOf(t, "60000000 0008 11 40 fe800000000000000000000000000002 fe800000000000000000000000000001 01f6 c350 0008 0000"), 48
				p.Quoted = Quote{Valid: true, Src: two6, Dst: one6, Proto: 17, SrcPort: 502, DstPort: 50000}
			})), Decoded},
		{"neighbour solicitation", 1, 0, macs + ip6 + "60000000 0020 3a ff" + addr6 + "8700 0000 00000000 fe800000000000000000000000000002 0101 001b1b112233",
			over4(and(v6, noTransport, func(p *Packet) {
				p.Proto, p.TTL, p.ICMPType, p.Neighbor = 58, 255, 135, Neighbor{one6, from}
				p.Payload, p.PayloadLength = bytesOf(t, "fe800000000000000000000000000002 0101 001b1b112233"), 24
			})), Decoded},
		{"neighbour advertisement, second option", 1, 0, macs + ip6 + "60000000 0028 3a ff" + addr6 + "8800 0000 00000000 fe800000000000000000000000000001 0e01 000000000000 0201 001b1b112233",
			over4(and(v6, noTransport, func(p *Packet) {
				p.Proto, p.TTL, p.ICMPType, p.Neighbor = 58, 255, 136, Neighbor{one6, from}
				p.Payload, p.PayloadLength = bytesOf(t, "fe800000000000000000000000000001 0e01 000000000000 0201 001b1b112233"), 32
			})), Decoded},

		{"cooked", 113, 0, "0000 0001 0006 001b1b112233 0000 0800" + tcp4 + tcpHd + eight, over4(func(p *Packet) { p.DstMAC = mac.Addr{} }), Decoded},
		{"cooked, no address", 113, 0, "0000 fffe 0000 0000000000000000 0800" + tcp4 + tcpHd + eight, over4(func(p *Packet) { p.SrcMAC, p.DstMAC = mac.Addr{}, mac.Addr{} }), Decoded},
		{"cooked, vlan", 113, 0, "0000 0001 0006 001b1b112233 0000 8100 0078" + ip4 + tcp4 + tcpHd + eight,
			over4(func(p *Packet) { p.DstMAC, p.VLANs[0], p.NumVLANs = mac.Addr{}, 120, 1 }), Decoded},
		{"cooked, llc", 113, 0, "0000 0001 0006 001b1b112233 0000 0004 424203" + four, l2("llc sap 0x42", four, func(p *Packet) { p.DstMAC, p.SAP = mac.Addr{}, 0x42 }), OtherL2},
		{"cooked, netlink", 113, 0, "0000 0338 0000 0000000000000000 0000" + four, Packet{Detail: "cooked netlink or frame relay", Payload: bytesOf(t, four), PayloadLength: 4}, OtherL2},
		{"cooked, header short", 113, 0, "0000 0338 0000", Packet{Detail: "cooked header"}, Malformed},
		{"cooked, second version", 276, 0, "0800 0000 00000002 0001 00 06 001b1b112233 0000" + tcp4 + tcpHd + eight, over4(func(p *Packet) { p.DstMAC = mac.Addr{} }), Decoded},
		{"cooked, second version, header cut", 276, 40, "0800 0000", Packet{Detail: "cooked header"}, Truncated},
		{"null, little-endian", 0, 0, "02000000" + tcp4 + tcpHd + eight, over4(noMAC), Decoded},
		{"null, big-endian", 0, 0, "00000002" + tcp4 + tcpHd + eight, over4(noMAC), Decoded},
		{"null, IPv6 of macOS", 0, 0, "1e000000 60000000 001c 06 40" + addr6 + tcpHd + eight, over4(and(v6, noMAC)), Decoded},
		{"loop", 108, 0, "00000018 60000000 001c 06 40" + addr6 + tcpHd + eight, over4(and(v6, noMAC)), Decoded},
		{"loop, another family", 108, 0, "00000007" + four, Packet{Detail: "address family 7", Payload: bytesOf(t, four), PayloadLength: 4}, OtherL2},
		{"null, absurd family", 0, 0, "12345678" + four, Packet{Detail: "address family above 255", Payload: bytesOf(t, four), PayloadLength: 4}, OtherL2},
		{"raw", 101, 0, tcp4 + tcpHd + eight, over4(noMAC), Decoded},
		{"raw of BSD", 12, 0, tcp4 + tcpHd + eight, over4(noMAC), Decoded},
		{"raw of OpenBSD, IPv6", 14, 0, "60000000 001c 06 40" + addr6 + tcpHd + eight, over4(and(v6, noMAC)), Decoded},
		{"raw, neither version", 101, 0, strings.Repeat("00", 40), Packet{Detail: "ip version"}, Malformed},
		{"raw, nothing captured", 101, 40, "", Packet{Detail: "ip header"}, Truncated},
		{"IPv4", 228, 0, tcp4 + tcpHd + eight, over4(noMAC), Decoded},
		{"IPv6", 229, 0, "60000000 001c 06 40" + addr6 + tcpHd + eight, over4(and(v6, noMAC)), Decoded},
		{"another link type", 227, 0, four, Packet{Detail: "link type 227 (can-socketcan)"}, UnknownLink},
		{"a link type of the last number", 65535, 0, four, Packet{Detail: "link type 65535 (unknown)"}, UnknownLink},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			b := bytesOf(t, tt.frame)
			var got Packet
			if o := got.Parse(tt.link, len(b)+tt.cut, b); o != tt.result {
				t.Errorf("outcome %d, expected %d", o, tt.result)
			}
			if diff := cmp.Diff(tt.want, got, samePacket, cmpopts.IgnoreFields(Packet{}, "Net")); diff != "" {
				t.Errorf("(-want +got)\n%s", diff)
			}
		})
	}
}

// TestNet holds where the network layer begins and ends.
func TestNet(t *testing.T) {
	const arp = "0001 0800 06 04 0002 001b1b112233 0a000001 0080f40e1122 0a000002"
	for _, tt := range []struct {
		name, frame string
		cut         int
		want        string
	}{
		{"ipv4, padded", macs + ip4 + tcp4 + tcpHd + eight + "0000", 0, tcp4 + tcpHd + eight},
		{"ipv4, tagged", macs + "8100 2078" + ip4 + tcp4 + tcpHd + eight, 0, tcp4 + tcpHd + eight},
		{"ipv4, cut", macs + ip4 + tcp4 + tcpHd, 8, tcp4 + tcpHd},
		{"ipv4, fragment, padded", macs + ip4 + "4500 0018 0001 0001 40 11 0000 0a000001 0a000002" + four + "0000", 0, "4500 0018 0001 0001 40 11 0000 0a000001 0a000002" + four},
		{"ipv4, transport malformed", macs + ip4 + "4500 0018 0001 0000 40 06 0000 0a000001 0a000002" + four, 0, "4500 0018 0001 0000 40 06 0000 0a000001 0a000002" + four},
		{"ipv4, no header", macs + ip4 + "4500", 0, ""},
		{"ipv6, padded", macs + ip6 + "60000000 001c 06 40" + addr6 + tcpHd + eight + four, 0, "60000000 001c 06 40" + addr6 + tcpHd + eight},
		{"arp, padded", macs + "0806" + arp + "0000", 0, arp},
		{"goose", macs + "8100 8000 88b8 0001" + four, 0, "0001" + four},
		{"llc, padded", macs + "0007 424203 00000000 0000000000", 0, "00000000"},
	} {
		var p Packet
		b := bytesOf(t, tt.frame)
		p.Parse(pcap.LinkEthernet, len(b)+tt.cut, b)
		if want := bytesOf(t, tt.want); !bytes.Equal(p.Net, want) {
			t.Errorf("%s: %x, expected %x", tt.name, p.Net, want)
		}
	}
}

// TestCyclic holds that the short way has the words of the long one.
func TestCyclic(t *testing.T) {
	n := 0
	for i, want := range etherTypes() {
		if got := cyclic(uint16(i)); got != "" {
			if n++; got != want {
				t.Errorf("%q, expected %q", got, want)
			}
		}
	}
	if n != 6 {
		t.Errorf("%d types, expected 6", n)
	}
}

// TestWholeOfNoFragment holds that Whole leaves alone what was not taken apart.
func TestWholeOfNoFragment(t *testing.T) {
	var p Packet
	b := bytesOf(t, macs+ip4+tcp4+tcpHd+eight)
	p.Parse(pcap.LinkEthernet, len(b), b)
	if o := p.Whole([]byte{1}); o != Fragment || p.SrcPort != 50000 {
		t.Errorf("outcome %d, source port %d", o, p.SrcPort)
	}
}

func TestVLAN(t *testing.T) {
	p := Packet{VLANs: [4]uint16{7, 8}}
	if p.VLAN() != 0 {
		t.Error("untagged: expected 0")
	}
	p.NumVLANs = 2
	if p.VLAN() != 7 {
		t.Errorf("VLAN: %d, expected the outer one, 7", p.VLAN())
	}
}
