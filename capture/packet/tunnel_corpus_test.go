package packet

import (
	"bytes"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"bulkhead/capture/pcap"
	"bulkhead/internal/corpus"
)

// route is the packet and what is in it, outermost first: "10.0.0.1 > 10.0.0.2 |
// vxlan 5001 | 10.1.0.1:50000 > 10.1.0.2:502", with why the last was not decoded.
func route(p *Packet, o Outcome) string {
	var parts []string
	q := *p
	for {
		end := func(a netip.Addr, port uint16) string {
			switch {
			case !a.IsValid():
				return "-"
			case port == 0:
				return a.String()
			}
			return netip.AddrPortFrom(a, port).String()
		}
		text := end(q.Src, q.SrcPort) + " > " + end(q.Dst, q.DstPort)
		if q.NumVLANs > 0 {
			text = fmt.Sprintf("vlan %d: %s", q.VLAN(), text)
		}
		parts = append(parts, text)
		if q.Tunnel.Kind == None {
			break
		}
		parts = append(parts, q.Tunnel.String())
		o = q.Inside(&q)
	}
	if o != Decoded {
		parts = append(parts, q.Detail)
	}
	return strings.Join(parts, " | ")
}

// TestCorpusTunnels holds the ways into real tunnels against what tshark 4.0.17
// prints of the same frames (ip.src, ip.dst, ipv6.src, ipv6.dst and the ports, in
// the order of the layers), and for big TCP, which it does not read, tcpdump's
// text beside the captures.
func TestCorpusTunnels(t *testing.T) {
	tests := []struct {
		capture string
		frame   uint64
		want    string
	}{
		{"OISF+suricata-verify/tests/bug-4571-03/ipv6_over_ipv6.pcap", 1, "2001:db8:85a3::8a2e:370:7334 > 2001:db8:85a3::8a2e:370:7335 | ipip | [2001:db8:85a3::8a2e:370:8334]:80 > [2001:db8:85a3::8a2e:370:8335]:80"},
		{"OISF+suricata-verify/tests/decode-teredo-01/input.pcap", 6, "192.168.2.16:3797 > 65.55.158.80:3544 | teredo | fe80::8000:ffff:ffff:fffd > ff02::2"},
		{"OISF+suricata-verify/tests/decode-teredo-01/input.pcap", 31, "65.55.158.80:3544 > 192.168.2.16:3797 | teredo | fe80::708d:fe83:4114:a512 > 2001:0:4137:9e50:8000:f12a:b9c8:2815 | ip protocol 59"},
		{"OISF+suricata-verify/tests/flow-pkt-recursion/middleware-pkt-flows.pcap", 1, "fd01::101:101 > fd02::202:202 | ipip | 1.1.1.1 > 2.2.2.2"},
		{"ntop+nDPI/tests/cfgs/default/pcap/4in6tunnel.pcap", 1, "22e0:1685:eda7:38cc:58bd:f3f1:aa3f:22d8 > 344a:ba94:152a:ac34::2a | ipip | 192.168.0.1:64455 > 10.10.10.1:443"},
		{"ntop+nDPI/tests/cfgs/default/pcap/6in4tunnel.pcap", 1, "174.3.73.24 > 184.105.255.26 | 6in4 | 2001:470:1f17:13f:3e97:eff:fe73:4dec > 2604:a880:1:20::224:b001"},
		{"ntop+nDPI/tests/cfgs/default/pcap/6in4tunnel.pcap", 18, "174.3.73.24 > 184.105.255.26 | 6in4 | [2001:470:1f16:13f::2]:53959 > [2a03:2880:fffe:b:face:b00c:0:99]:53"},
		{"ntop+nDPI/tests/cfgs/default/pcap/6in6tunnel.pcap", 1, "2001:4f8:4:7:2e0:81ff:fe52:ffff > 2001:4f8:4:7:2e0:81ff:fe52:9a6b | ipip | [dead::beef]:30000 > [cafe::babe]:13000"},
		{"ntop+nDPI/tests/cfgs/default/pcap/gre.pcapng", 1, "vlan 142: 109.105.228.253 > 10.177.98.84 | gre | 192.168.10.210:5060 > 192.168.103.40:5060"},
		{"ntop+nDPI/tests/cfgs/default/pcap/http_origin_different_than_host.pcap", 1, "vlan 3394: 10.134.25.5:2152 > 10.132.15.176:2152 | gtp-u | 10.140.206.74:34536 > 18.135.206.102:80"},
		{"ntop+nDPI/tests/cfgs/default/pcap/reasm_segv_anon.pcapng", 1, "145.76.2.236:2152 > 187.96.52.85:2152 | gtp-u | 172.17.36.21:57619 > 63.190.145.43:80"},
		{"ntop+nDPI/tests/cfgs/default/pcap/rtmp.pcap", 27, "vlan 3394: 10.134.25.76:2152 > 10.132.15.176:2152 | gtp-u | 10.140.80.204:49757 > 203.205.224.48:1935"},
		{"ntop+nDPI/tests/cfgs/default/pcap/teredo.pcap", 1, "10.112.16.106:52513 > 194.136.28.76:3544 | teredo | fe80::ffff:ffff:fffe > ff02::2"},
		{"ntop+nDPI/tests/cfgs/default/pcap/teredo.pcap", 15, "194.136.28.76:3544 > 10.112.16.67:51812 | teredo | fe80::8000:f227:3d77:e3b3 > 2001:0:c288:1c4c:20f3:359b:46f9:3f46 | ip protocol 59"},
		{"ntop+nDPI/tests/cfgs/default/pcap/tls_change_cipher.pcap", 1, "vlan 3394: 10.132.15.176:2152 > 10.134.25.94:2152 | gtp-u | 18.139.7.8:443 > 172.29.190.157:62797"},
		{"seladb+PcapPlusPlus/Tests/Packet++Test/PacketExamples/Ftp.pcap", 1, "81.131.67.131 > 192.88.99.1 | 6in4 | [2002:5183:4383::5183:4383]:1026 > [2001:638:902:1:201:2ff:fee2:7596]:21"},
		{"seladb+PcapPlusPlus/Tests/Packet++Test/PacketExamples/Vxlan2.pcap", 1, "192.168.203.1:45149 > 192.168.202.1:4789 | vxlan 300 | 192.168.203.3 > 192.168.203.5"},
		{"seladb+PcapPlusPlus/Tests/Packet++Test/PacketExamples/gtp.pcap", 2, "10.155.148.149:9000 > 10.155.148.157:2152 | gtp-u | 10.155.182.202:41511 > 10.155.186.57:6005"},
		{"seladb+PcapPlusPlus/Tests/Packet++Test/PacketExamples/gtp.pcap", 6, "5.233.130.55:2152 > 5.233.130.56:1024 | gtp-u | [2001:507:0:1:200:8600:0:2]:53 > [2001:507:0:1:200:8600:0:1]:2396"},
		{"seladb+PcapPlusPlus/Tests/Packet++Test/PacketExamples/ipsec.pcapng", 3, "192.168.12.1 > 192.168.12.2 | ipip | 192.168.12.1 > 192.168.12.2"},
		{"seladb+PcapPlusPlus/Tests/Pcap++Test/PcapExamples/GrePackets.cap", 26, "20.0.0.2 > 20.0.0.1 | gre | 17.1.1.122 > 40.0.0.2"},
		{"the-tcpdump-group+tcpdump/tests/NHRP_registration.pcap", 1, "vlan 100: 169.254.100.1 > 169.254.100.5 | gre 2 | - > - | ethertype 0x2001"},
		{"the-tcpdump-group+tcpdump/tests/bigtcp-ipv4-geneve-ipv4.pcap", 1, "10.25.132.11:29804 > 10.25.132.13:6081 | geneve 5001 | 192.168.1.2:35663 > 192.168.1.1:38005"},
		{"the-tcpdump-group+tcpdump/tests/bigtcp-ipv4-geneve-ipv6.pcap", 1, "10.25.132.11:60614 > 10.25.132.13:6081 | geneve 5001 | [fd00::2]:40433 > [fd00::1]:41423"},
		{"the-tcpdump-group+tcpdump/tests/bigtcp-ipv4-vxlan-ipv4.pcap", 1, "10.25.132.11:47044 > 10.25.132.13:4789 | vxlan 5001 | 192.168.1.2:36875 > 192.168.1.1:36449"},
		{"the-tcpdump-group+tcpdump/tests/bigtcp-ipv4-vxlan-ipv6.pcap", 1, "10.25.132.11:60879 > 10.25.132.13:4789 | vxlan 5001 | [fd00::2]:33673 > [fd00::1]:36425"},
		{"the-tcpdump-group+tcpdump/tests/bigtcp-ipv6-geneve-ipv6.pcap", 1, "[2604:1380:4091:ce00::d]:23733 > [2604:1380:4091:ce00::b]:6081 | geneve 5001 | [fd00::1]:38339 > [fd00::2]:43997"},
		{"the-tcpdump-group+tcpdump/tests/bigtcp-ipv6-vxlan-ipv4.pcap", 1, "[2604:1380:4091:ce00::d]:52238 > [2604:1380:4091:ce00::b]:4789 | vxlan 5001 | 192.168.1.1:41873 > 192.168.1.2:38131"},
		{"the-tcpdump-group+tcpdump/tests/erspan-type-i-3.pcap", 1, "192.168.90.17 > 192.168.90.127 | erspan | vlan 1: - > -"},
		{"the-tcpdump-group+tcpdump/tests/erspan-type-i-4.pcap", 1, "20.1.1.1 > 30.1.1.2 | erspan | 10.1.1.100 > 10.1.1.1"},
		{"the-tcpdump-group+tcpdump/tests/erspan-type-i-4.pcap", 3, "20.1.1.1 > 30.1.1.2 | erspan | vlan 10: 10.1.1.1 > 224.0.0.5 | ip protocol 89"},
		{"the-tcpdump-group+tcpdump/tests/erspan-type-i-4.pcap", 9, "20.1.1.1 > 30.1.1.2 | gre | 50.1.1.1 > 224.0.0.5 | ip protocol 89"},
		{"the-tcpdump-group+tcpdump/tests/erspan-type-iii-ft-0.pcap", 1, "10.29.30.104 > 10.29.11.13 | erspan 0 | vlan 20: 10.29.11.1 > 10.29.20.21"},
		{"the-tcpdump-group+tcpdump/tests/geneve-gcp.pcap", 1, "192.168.100.254:62974 > 192.168.100.3:6081 | geneve 0 | 192.168.100.2:2905 > 192.168.100.1:8080"},
		{"the-tcpdump-group+tcpdump/tests/geneve.pcap", 1, "20.0.0.1:12618 > 20.0.0.2:6081 | geneve 10 | 30.0.0.1 > 30.0.0.2"},
		{"the-tcpdump-group+tcpdump/tests/gso-ipv4-vxlan-ipv4.pcap", 1, "10.25.132.11:60345 > 10.25.132.13:4789 | vxlan 5001 | 192.168.1.2:37099 > 192.168.1.1:41547"},
		{"the-tcpdump-group+tcpdump/tests/gso-ipv4-vxlan-ipv6.pcap", 1, "10.25.132.11:55123 > 10.25.132.13:4789 | vxlan 5001 | [fd00::2]:44479 > [fd00::1]:40145"},
		{"the-tcpdump-group+tcpdump/tests/ios_nhrp.pcap", 1, "10.0.12.2 > 10.0.12.1 | gre | - > - | ethertype 0x2001"},
		{"the-tcpdump-group+tcpdump/tests/ipv6-srh-ext-header.pcap", 1, "a:b:c:12::1 > a:b:c:2::f1:0 | ipip | a:b:c:12::1 > b2::2"},
		{"the-tcpdump-group+tcpdump/tests/nhrp-trace.pcap", 1, "192.168.200.1 > 192.168.200.3 | gre 1000 | - > - | ethertype 0x2001"},
		{"the-tcpdump-group+tcpdump/tests/nsh-over-vxlan-gpe.pcap", 1, "127.0.0.1:4790 > 127.0.0.1:4790 | vxlan 16777215 | 192.168.0.1:10000 > 192.168.0.2:20000"},
		{"the-tcpdump-group+tcpdump/tests/various_gre.pcap", 12, "vlan 1213: 10.172.64.6 > 10.172.64.7 | gre 40 | - > - | ethertype 0x0000"},
		{"the-tcpdump-group+tcpdump/tests/various_gre.pcap", 49, "vlan 1213: 10.172.64.6 > 10.172.64.7 | gre 40 | - > - | ethertype 0x2000"},
		{"zeek+zeek/testing/btest/Traces/erspanII.pcap", 1, "2.2.2.2 > 1.1.1.1 | erspan 100 | vlan 23: 23.0.0.2 > 23.0.0.3"},
		{"zeek+zeek/testing/btest/Traces/tunnels/4in4.pcap", 1, "1.2.3.4 > 5.6.7.8 | ipip | 10.0.0.1:30000 > 10.0.0.2:13000"},
		{"zeek+zeek/testing/btest/Traces/tunnels/4in6.pcap", 1, "2002:4637:d5d3::4637:d5d3 > 2001:4860:0:2001::68 | ipip | 70.55.213.211:31337 > 192.88.99.1:80"},
		{"zeek+zeek/testing/btest/Traces/tunnels/6in6.pcap", 1, "2001:4f8:4:7:2e0:81ff:fe52:ffff > 2001:4f8:4:7:2e0:81ff:fe52:9a6b | ipip | [dead::beef]:30000 > [cafe::babe]:13000"},
		{"zeek+zeek/testing/btest/Traces/tunnels/6in6in6.pcap", 1, "feed::beef > feed::cafe | ipip | babe::beef > dead::babe | ipip | [dead::beef]:30000 > [cafe::babe]:13000"},
		{"zeek+zeek/testing/btest/Traces/tunnels/geneve-inner-tcp-bad-checksum.pcap", 1, "192.168.1.1:23456 > 192.168.1.2:6081 | geneve 42 | 10.0.0.1:12345 > 10.0.0.2:80"},
		{"zeek+zeek/testing/btest/Traces/tunnels/geneve-many-options.pcap", 1, "192.168.33.179:6667 > 192.168.179.33:6081 | geneve 786734 | 10.0.0.226:39088 > 95.217.228.176:80"},
		{"zeek+zeek/testing/btest/Traces/tunnels/gtp/gtp6_gtp_0x32.pcap", 1, "79.188.154.91:2152 > 243.149.173.198:2152 | gtp-u | 10.222.10.10:44960 > 173.194.69.188:5228"},
		{"zeek+zeek/testing/btest/Traces/tunnels/gtp/gtp9_unknown_or_too_short_payload.pcap", 3, "213.72.147.186:2152 > 173.86.159.28:2152 | gtp-u | 217.20.156.4:80 > 10.131.119.38:55746"},
		{"zeek+zeek/testing/btest/Traces/tunnels/ping6-in-ipv4.pcap", 1, "10.0.0.1 > 10.0.0.2 | 6in4 | 2001:db8:0:1::1 > 2001:db8:0:1::2"},
		{"zeek+zeek/testing/btest/Traces/tunnels/teredo_bubble_with_payload.pcap", 1, "192.168.2.16:3797 > 65.55.158.80:3544 | teredo | fe80::8000:ffff:ffff:fffd > ff02::2"},
		{"zeek+zeek/testing/btest/Traces/tunnels/teredo_bubble_with_payload.pcap", 5, "65.55.158.80:3544 > 192.168.2.16:3797 | teredo | fe80::708d:fe83:4114:a512 > 2001:0:4137:9e50:8000:f12a:b9c8:2815 | ip protocol 59"},
		{"zeek+zeek/testing/btest/Traces/tunnels/tunnel-direct-bypass.pcap", 2, "192.0.2.1 > 198.51.100.1 | gre | 10.20.0.1:44444 > 10.20.0.2:80"},
		{"zeek+zeek/testing/btest/Traces/tunnels/vxlan-encapsulated-http.pcap", 1, "10.1.200.131:50000 > 10.1.1.172:4789 | vxlan 1 | 172.16.11.201:40354 > 54.86.237.188:80"},
		{"zeek+zeek/testing/btest/Traces/tunnels/vxlan-encapsulated-igmp-v2.pcap", 1, "172.30.0.1:48036 > 172.30.0.2:4789 | vxlan 4242 | 192.168.9.80 > 224.0.0.251 | ip protocol 2"},
		{"zeek+zeek/testing/btest/Traces/tunnels/vxlan-inner-tcp-bad-checksum.pcap", 1, "192.168.1.1:23456 > 192.168.1.2:4789 | vxlan 42 | 10.0.0.1:12345 > 10.0.0.2:80"},
		{"zeek+zeek/testing/btest/Traces/tunnels/vxlan-triple-v2.pcap", 1, "1.1.1.1:4789 > 1.1.1.9:4789 | vxlan 1 | 2.2.2.2:4789 > 2.2.2.9:4789 | vxlan 2 | 3.3.3.3:4789 > 3.3.3.9:4789 | vxlan 3 | 4.4.4.4:53 > 4.4.4.9:53"},
		{"zeek+zeek/testing/btest/Traces/tunnels/vxlan.pcap", 1, "192.168.56.11:39924 > 192.168.56.12:4789 | vxlan 123 | - > -"},
	}
	routes := map[string]map[uint64]string{}
	for _, tt := range tests {
		if routes[tt.capture] == nil {
			routes[tt.capture] = tunnels(t, tt.capture)
		}
		if got := routes[tt.capture][tt.frame]; got != tt.want {
			t.Errorf("%s frame %d\n got %s\nwant %s", tt.capture, tt.frame, got, tt.want)
		}
	}
}

// TestCorpusWhole puts a real packet of GTP-U together from its two fragments; the
// way into it is what tshark says of the second.
func TestCorpusWhole(t *testing.T) {
	r, err := pcap.NewReader(bytes.NewReader(corpus.Read(t, "captures/zeek+zeek/testing/btest/Traces/tunnels/gtp/gtp9_unknown_or_too_short_payload.pcap")))
	if err != nil {
		t.Fatal(err)
	}
	var parts [2]Packet
	for i, want := range []Outcome{Decoded, Fragment} {
		f, err := r.Next()
		if err != nil {
			t.Fatal(err)
		}
		if o := parts[i].Parse(f.Link, f.Length, bytes.Clone(f.Data)); o != want || parts[i].Tunnel.Kind != None {
			t.Errorf("fragment %d: outcome %d, %v", i, o, parts[i].Tunnel)
		}
	}
	first, rest := &parts[0], &parts[1]
	if first.FragmentID != rest.FragmentID || rest.FragmentOffset != first.FragmentLength {
		t.Fatalf("packet %#x from 0 to %d, packet %#x from %d", first.FragmentID, first.FragmentLength, rest.FragmentID, rest.FragmentOffset)
	}
	o := first.Whole(slices.Concat(first.FragmentData, rest.FragmentData))
	const want = "173.86.159.28:2152 > 213.72.147.186:2152 | gtp-u | 10.131.119.38:55746 > 217.20.156.4:80"
	if got := route(first, o); got != want {
		t.Errorf("%s, expected %s", got, want)
	}
}

// TestCorpusTunnelCount counts the frames with a tunnel: where a datagram of any
// other kind is taken for one, or the other way round, a number changes.
func TestCorpusTunnelCount(t *testing.T) {
	got := map[string]int{}
	for _, row := range corpus.Table(t, "index.tsv") {
		for _, route := range tunnels(t, strings.TrimPrefix(row[0], "captures/")) {
			kind, _, _ := strings.Cut(strings.Split(route, " | ")[1], " ")
			got[kind]++
		}
	}
	want := map[string]int{
		"gre": 74, "erspan": 102, "vxlan": 34, "geneve": 54, "ipip": 16, "6in4": 139, "teredo": 32, "gtp-u": 174,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}

// tunnels returns the routes of a capture's frames that carry others, by number.
func tunnels(t *testing.T, capture string) map[uint64]string {
	t.Helper()
	r, err := pcap.NewReader(bytes.NewReader(corpus.Read(t, "captures/"+capture)))
	if err != nil {
		return nil
	}
	routes := map[uint64]string{}
	var p Packet
	for {
		f, err := r.Next()
		if _, damage := err.(*pcap.DamageError); damage {
			continue
		}
		if err != nil {
			return routes
		}
		if o := p.Parse(f.Link, f.Length, f.Data); p.Tunnel.Kind != None {
			routes[f.Number] = route(&p, o)
		}
	}
}
