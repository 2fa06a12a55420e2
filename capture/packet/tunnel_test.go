package packet

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"bulkhead/capture/pcap"
)

// The packets that the tests carry in tunnels: an Ethernet frame, an IPv4 and an
// IPv6 packet with the same segment from 10.0.0.1 or fe80::1, port 50000 to 502.
const (
	inner4     = tcp4 + tcpHd + eight
	innerFrame = macs + ip4 + inner4
	inner6     = "60000000 001c 06 40" + addr6 + tcpHd + eight
)

// in4 puts a payload of digits behind an IPv4 header from 192.0.2.1 to 192.0.2.2.
func in4(t testing.TB, proto byte, payload string) []byte {
	t.Helper()
	b := bytesOf(t, payload)
	return append(bytesOf(t, fmt.Sprintf("4500 %04x 0007 0000 40 %02x 0000 c0000201 c0000202", 20+len(b), proto)), b...)
}

// inUDP puts a payload of digits behind headers of IPv4 and UDP.
func inUDP(t testing.TB, src, dst uint16, payload string) []byte {
	t.Helper()
	return in4(t, protoUDP, fmt.Sprintf("%04x %04x %04x 0000", src, dst, 8+len(bytesOf(t, payload)))+payload)
}

func TestTunnels(t *testing.T) {
	const frame, v4, v6 = etherFrame, etherIPv4, etherIPv6
	gre := func(payload string) []byte { return in4(t, protoGRE, payload) }
	tests := []struct {
		name  string
		b     []byte
		want  Tunnel // but for Payload and Length
		text  string
		inner string // what Inside says
	}{
		{"gre", gre("0000 0800" + inner4), Tunnel{Kind: GRE, EtherType: v4}, "gre", "ip4"},
		{"gre with checksum, key and sequence", gre("b000 86dd 1234 0000 0000002a 00000001" + inner6),
			Tunnel{Kind: GRE, EtherType: v6, ID: 42, HasID: true}, "gre 42", "ip6"},
		{"gre, a key of 0", gre("2000 0800 00000000" + inner4), Tunnel{Kind: GRE, EtherType: v4, HasID: true}, "gre 0", "ip4"},
		{"gre, frame", gre("2000 6558 00000005" + innerFrame), Tunnel{Kind: GRE, EtherType: frame, ID: 5, HasID: true}, "gre 5", "frame"},
		{"gre, keepalive", gre("0000 0000"), Tunnel{Kind: GRE}, "gre", "outcome 1 ethertype 0x0000"},
		{"gre, no decoder for what it carries", gre("0000 8892" + four), Tunnel{Kind: GRE, EtherType: 0x8892}, "gre", "outcome 1 ethertype 0x8892"},
		{"gre, cut behind its header", gre("0000 0800"), Tunnel{Kind: GRE, EtherType: v4}, "gre", "outcome 6 ipv4 header"},
		{"nvgre", gre("2000 6558 00138907" + innerFrame), Tunnel{Kind: NVGRE, EtherType: frame, ID: 5001, HasID: true}, "nvgre 5001", "frame"},
		{"pptp", gre("3081 880b 0032 0007 00000001 00000002" + "ff03 0021" + inner4 + "ffff"),
			Tunnel{Kind: GRE, EtherType: etherPPP, ID: 7}, "gre", "ip4"},
		{"pptp, acknowledgement", gre("2081 880b 0000 0007 00000002"), Tunnel{}, "", "outcome 1 ethertype 0x0000"},
		{"erspan I", gre("0000 88be" + innerFrame), Tunnel{Kind: ERSPAN1, EtherType: frame}, "erspan", "frame"},
		{"erspan II", gre("1000 88be 00000001 1078 2c0c 00000003" + innerFrame),
			Tunnel{Kind: ERSPAN2, EtherType: frame, ID: 12, HasID: true, VLAN: 120, Truncated: true}, "erspan 12", "frame vlan 120"},
		{"erspan II, tagged frame", gre("1000 88be 00000001 1078 180c 00000003" + macs + "8100 0007" + ip4 + inner4),
			Tunnel{Kind: ERSPAN2, EtherType: frame, ID: 12, HasID: true, VLAN: 120}, "erspan 12", "frame vlan 7"},
		{"erspan of an unknown version", gre("1000 88be 00000001 3078 000c 00000003" + innerFrame),
			Tunnel{Kind: GRE, EtherType: etherERSPAN}, "gre", "outcome 1 ethertype 0x88be"},
		{"erspan III", gre("1000 22eb 00000001 2078 000c 00000000 0000 8000" + innerFrame),
			Tunnel{Kind: ERSPAN3, EtherType: frame, ID: 12, HasID: true, VLAN: 120}, "erspan 12", "frame vlan 120"},
		{"erspan III, subheader", gre("1000 22eb 00000001 2000 03ff 00000000 0000 8001 0102030405060708" + innerFrame),
			Tunnel{Kind: ERSPAN3, EtherType: frame, ID: 1023, HasID: true}, "erspan 1023", "frame"},
		{"erspan III, packet", gre("1000 22eb 00000001 2078 000c 00000000 0000 0800" + inner6),
			Tunnel{Kind: ERSPAN3, EtherType: v6, ID: 12, HasID: true, VLAN: 120}, "erspan 12", "ip6 vlan 120"},
		{"erspan III, another frame type", gre("1000 22eb 00000001 2000 000c 00000000 0000 0c00" + four),
			Tunnel{Kind: ERSPAN3, EtherType: etherERSPAN3, ID: 12, HasID: true}, "erspan 12", "outcome 1 ethertype 0x22eb"},
		{"ipip", in4(t, protoIPv4, inner4), Tunnel{Kind: IPIP, EtherType: v4}, "ipip", "ip4"},
		{"6in4", in4(t, protoIPv6, inner6), Tunnel{Kind: IPv6InIP, EtherType: v6}, "6in4", "ip6"},
		{"ipv4 in ipv6", bytesOf(t, "60000000 0030 04 40"+addr6+inner4), Tunnel{Kind: IPIP, EtherType: v4}, "ipip", "ip4"},
		{"ipv6 in ipv6", bytesOf(t, "60000000 0044 29 40"+addr6+inner6), Tunnel{Kind: IPIP, EtherType: v6}, "ipip", "ip6"},
		{"vxlan", inUDP(t, 50000, 4789, "08000000 00138900"+innerFrame), Tunnel{Kind: VXLAN, EtherType: frame, ID: 5001, HasID: true}, "vxlan 5001", "frame"},
		{"vxlan, old port, policy", inUDP(t, 50000, 8472, "88480007 00138900"+innerFrame), Tunnel{Kind: VXLAN, EtherType: frame, ID: 5001, HasID: true}, "vxlan 5001", "frame"},
		{"vxlan gpe, ipv6", inUDP(t, 50000, 4790, "0c000002 00138900"+inner6), Tunnel{Kind: VXLAN, EtherType: v6, ID: 5001, HasID: true}, "vxlan 5001", "ip6"},
		{"geneve, options", inUDP(t, 50000, 6081, "0240 6558 00138900 0102 0301 00000001"+innerFrame),
			Tunnel{Kind: Geneve, EtherType: frame, ID: 5001, HasID: true}, "geneve 5001", "frame"},
		{"geneve, ipv4", inUDP(t, 50000, 6081, "0000 0800 00138900"+inner4), Tunnel{Kind: Geneve, EtherType: v4, ID: 5001, HasID: true}, "geneve 5001", "ip4"},
		{"gtp-u", inUDP(t, 2152, 2152, "30ff 0030 0000002a"+inner4), Tunnel{Kind: GTPU, EtherType: v4, ID: 42}, "gtp-u", "ip4"},
		{"gtp-u, answered to any port", inUDP(t, 2152, 40000, "30ff 0044 0000002a"+inner6), Tunnel{Kind: GTPU, EtherType: v6, ID: 42}, "gtp-u", "ip6"},
		{"gtp-u, sequence and two extensions", inUDP(t, 2152, 2152, "36ff 0040 0000002a 0001 00 85 01 0009 c0 02 010203040506 00"+inner4),
			Tunnel{Kind: GTPU, EtherType: v4, ID: 42}, "gtp-u", "ip4"},
		{"teredo", inUDP(t, 3544, 40000, inner6), Tunnel{Kind: Teredo, EtherType: v6}, "teredo", "ip6"},
		{"teredo, authentication and origin", inUDP(t, 40000, 3544, "0001 02 03 aabb ccddee 0102030405060708 00"+"0000 3caf 3ffffdfe"+inner6),
			Tunnel{Kind: Teredo, EtherType: v6}, "teredo", "ip6"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var outer, in Packet
			if o := outer.Parse(pcap.LinkRaw, len(tt.b), tt.b); o != Decoded || outer.Detail != "" {
				t.Fatalf("outcome %d %q, expected the outer packet decoded", o, outer.Detail)
			}
			got := outer.Tunnel
			if len(got.Payload) != got.Length {
				t.Errorf("payload of %d bytes, %d on the wire", len(got.Payload), got.Length)
			}
			got.Payload, got.Length = nil, 0
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("(-want +got)\n%s", diff)
			}
			if got.String() != tt.text {
				t.Errorf("%q, expected %q", got, tt.text)
			}
			if text := describe(&in, in.Inside(&outer)); text != tt.inner {
				t.Errorf("inside %q, expected %q", text, tt.inner)
			}
			alias := outer
			alias.Inside(&alias)
			if diff := cmp.Diff(in, alias, samePacket); diff != "" {
				t.Errorf("a packet that reads its own inside (-another +itself)\n%s", diff)
			}
		})
	}
}

// describe says in short what Inside found.
func describe(p *Packet, o Outcome) string {
	if o != Decoded || p.SrcPort != 50000 || p.DstPort != 502 {
		return fmt.Sprintf("outcome %d %s", o, p.Detail)
	}
	text := "frame"
	switch {
	case p.SrcMAC == from && p.DstMAC == to && p.Src == one4:
	case p.SrcMAC.IsZero() && p.Src == one4:
		text = "ip4"
	case p.SrcMAC.IsZero() && p.Src == one6:
		text = "ip6"
	default:
		return fmt.Sprintf("%v %v", p.SrcMAC, p.Src)
	}
	if p.NumVLANs > 0 {
		text += fmt.Sprintf(" vlan %d", p.VLAN())
	}
	return text
}

// TestNoTunnel holds what has a tunnel's port or protocol number and is none.
func TestNoTunnel(t *testing.T) {
	tests := []struct {
		name    string
		b       []byte
		outcome Outcome
		detail  string
	}{
		{"gre, source routing", in4(t, protoGRE, "4000 0800"+inner4), OtherIP, "gre source routing"},
		{"gre, version 1 of another protocol", in4(t, protoGRE, "2001 6400 0000 0001"), OtherIP, "gre version"},
		{"gre, header short", in4(t, protoGRE, "2000 0800 0000"), Malformed, "gre header"},
		{"pptp, header short", in4(t, protoGRE, "3081 880b 0000 0007 00000001"), Malformed, "gre header"},
		{"erspan II, header short", in4(t, protoGRE, "1000 88be 00000001 1078 000c"), Malformed, "erspan header"},
		{"erspan III, subheader short", in4(t, protoGRE, "1000 22eb 00000001 2000 03ff 00000000 0000 8001 01020304"), Malformed, "erspan header"},
		{"ipip of version 6", in4(t, protoIPv4, inner6), OtherIP, "ip protocol 4"},
		{"6in4 of version 4", in4(t, protoIPv6, inner4), OtherIP, "ip protocol 41"},
		{"ipip, nothing", in4(t, protoIPv4, ""), Malformed, "inner ip header"},
		{"vxlan's port as sender's", inUDP(t, 4789, 50000, "08000000 00138900"+innerFrame), Decoded, ""},
		{"vxlan without network", inUDP(t, 50000, 4789, "00000000 00138900"+innerFrame), Decoded, ""},
		{"vxlan, reserved bits", inUDP(t, 50000, 4789, "08100000 00138900"+innerFrame), Decoded, ""},
		{"vxlan, last byte", inUDP(t, 50000, 4789, "08000000 00138901"+innerFrame), Decoded, ""},
		{"vxlan, group as sender", inUDP(t, 50000, 4789, "08000000 00138900 ffffffffffff 010000000001"+ip4+inner4), Decoded, ""},
		{"vxlan, frame short", inUDP(t, 50000, 4789, "08000000 00138900"+macs), Decoded, ""},
		{"vxlan gpe, version 1", inUDP(t, 50000, 4790, "1c000001 00138900"+inner4), Decoded, ""},
		{"vxlan gpe, unknown protocol", inUDP(t, 50000, 4790, "0c000009 00138900"+inner4), Decoded, ""},
		{"geneve, version 1", inUDP(t, 50000, 6081, "4000 0800 00138900"+inner4), Decoded, ""},
		{"geneve, reserved bit", inUDP(t, 50000, 6081, "0001 0800 00138900"+inner4), Decoded, ""},
		{"geneve, options beyond the datagram", inUDP(t, 50000, 6081, "3f00 0800 00138900"+inner4), Decoded, ""},
		{"geneve, ipv4 of version 6", inUDP(t, 50000, 6081, "0000 0800 00138900"+inner6), Decoded, ""},
		{"gtp-u, echo request", inUDP(t, 2152, 2152, "3201 0004 00000000 0001 0000"), Decoded, ""},
		{"gtp-u, length above the datagram's", inUDP(t, 2152, 2152, "30ff 0031 0000002a"+inner4), Decoded, ""},
		{"gtp-u, extension of no length", inUDP(t, 2152, 2152, "34ff 0038 0000002a 0000 00 85 00 000900"+inner4), Decoded, ""},
		{"gtp-u, extension beyond the datagram", inUDP(t, 2152, 2152, "34ff 0038 0000002a 0000 00 85 ff 000900"+inner4), Decoded, ""},
		{"gtp-u, neither IPv4 nor IPv6", inUDP(t, 2152, 2152, "30ff 0004 0000002a"+four), Decoded, ""},
		{"gtp', not gtp", inUDP(t, 2152, 2152, "20ff 0030 0000002a"+inner4), Decoded, ""},
		{"teredo, no ipv6", inUDP(t, 40000, 3544, inner4), Decoded, ""},
		{"teredo, ipv6 longer than the datagram", inUDP(t, 40000, 3544, "6"+strings.Replace(inner6, "001c", "001d", 1)[1:]), Decoded, ""},
		{"teredo's port, a name server's answer", inUDP(t, 53, 3544, "6a2f 8180 0001 0001 0000 0000 03777777 07 6578616d706c65 03636f6d 00 0001 0001 c00c 0001 0001 00000e10 0004 c0000203"), Decoded, ""},
		{"teredo, empty", inUDP(t, 40000, 3544, ""), Decoded, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var p Packet
			if o := p.Parse(pcap.LinkRaw, len(tt.b), tt.b); o != tt.outcome || p.Detail != tt.detail {
				t.Errorf("outcome %d %q, expected %d %q", o, p.Detail, tt.outcome, tt.detail)
			}
			if p.Tunnel.Kind != None {
				t.Errorf("carries %v, expected nothing", p.Tunnel)
			}
		})
	}
}

// TestTunnelCut holds that a tunnel in a frame cut by the snap length is read as
// far as it was captured.
func TestTunnelCut(t *testing.T) {
	b := inUDP(t, 50000, 4789, "08000000 00138900"+innerFrame)
	for captured, want := range map[int]string{
		len(b) - 8:             "frame",
		20 + 8 + 8 + 14 + 20:   "outcome 5 tcp header",
		20 + 8 + 8 + 13:        "outcome 5 ethernet header",
		20 + 8 + 8:             "outcome 5 ethernet header",
		20 + 8 + 8 + 14 + 20*2: "frame",
	} {
		var outer, in Packet
		outer.Parse(pcap.LinkRaw, len(b), b[:captured])
		if text := describe(&in, in.Inside(&outer)); text != want {
			t.Errorf("%d bytes captured: inside %q, expected %q", captured, text, want)
		}
	}
	var p Packet
	if o := p.Parse(pcap.LinkRaw, len(b), b[:20+8+7]); o != Decoded || p.Tunnel.Kind != None {
		t.Errorf("cut inside the header of VXLAN: outcome %d, %v", o, p.Tunnel)
	}
}

// TestNested goes through tunnels in tunnels, to the end.
func TestNested(t *testing.T) {
	b := inUDP(t, 50000, 4789, "08000000 00000100"+macs+ip4+"4500 0068 0001 0000 40 2f 0000 0a000001 0a000002"+
		"2000 0800 00000002"+"4500 004c 0001 0000 40 29 0000 0a000001 0a000002"+"60000000 0010 04 40"+addr6+"45")
	var p Packet
	o := p.Parse(pcap.LinkRaw, len(b), b)
	var kinds []string
	for p.Tunnel.Kind != None {
		kinds = append(kinds, p.Tunnel.String())
		o = p.Inside(&p)
	}
	if got, want := strings.Join(kinds, " / "), "vxlan 1 / gre 2 / 6in4 / ipip"; got != want || o != Malformed {
		t.Errorf("%q and outcome %d, expected %q and outcome %d", got, o, want, Malformed)
	}
}

func TestInsideAllocates(t *testing.T) {
	b := inUDP(t, 50000, 4789, "08000000 00138900"+innerFrame)
	var outer, in Packet
	if n := testing.AllocsPerRun(100, func() {
		outer.Parse(pcap.LinkRaw, len(b), b)
		in.Inside(&outer)
		in.Inside(&in)
	}); n != 0 {
		t.Errorf("%v allocations, expected 0", n)
	}
}

// FuzzInside checks that what tunnels carry lies within what carries it, and
// that there is less of it at every step, so that the way in ends.
func FuzzInside(f *testing.F) {
	f.Add(in4(f, protoGRE, "3000 88be 00000001 00000001 1078 280c 00000003"+innerFrame), 0)
	f.Add(inUDP(f, 50000, 4790, "0c000001 00000100"+inner4), 100) // a cut frame
	f.Add(inUDP(f, 40000, 3544, "0001 ff ff"), 0)                 // lengths beyond the datagram
	f.Add(inUDP(f, 2152, 2152, "34ff 0038 0000002a 0000 00 85 ff 000900"+inner4), 0)
	f.Add(in4(f, protoGRE, "3081 880b ffff 0007 00000001 00000002 0021"+inner4), 0)
	f.Add(in4(f, protoIPv4, "4500 0000 0001 2000 40 04 0000 0a000001 0a000002 4500 0000 0001 0000 40 04 0000 0a000001 0a000002 45"), 0)
	f.Fuzz(func(t *testing.T, b []byte, cut int) {
		var p, q Packet
		p.Parse(pcap.LinkRaw, len(b)+max(0, cut), b)
		for around := b; p.Tunnel.Kind != None; p = q {
			t1 := p.Tunnel
			if !within(t1.Payload, around) || len(t1.Payload) > t1.Length || len(t1.Payload) >= len(around) {
				t.Fatalf("%v of %d bytes, %d on the wire, in %d", t1, len(t1.Payload), t1.Length, len(around))
			}
			if !within(t1.Payload, p.Payload) {
				t.Errorf("%v carries what its packet does not", t1)
			}
			around = t1.Payload
			if o := q.Inside(&p); (o == Decoded) != (q.Detail == "") {
				t.Errorf("outcome %d with detail %q", o, q.Detail)
			}
			if !within(q.Payload, around) || !within(q.Net, around) || !within(q.FragmentData, around) {
				t.Errorf("%v: a slice goes beyond what it carries", t1)
			}
		}
	})
}

// within reports whether part, unless it is empty, shares its memory with whole
// from its first byte to its last.
func within(part, whole []byte) bool {
	if len(part) == 0 {
		return true
	}
	for i := range whole {
		if &whole[i] == &part[0] {
			return i+len(part) <= len(whole)
		}
	}
	return false
}
