package observe

import (
	"bytes"
	"slices"
	"strings"
	"testing"

	"github.com/google/gopacket"
	"github.com/google/gopacket/layers"
)

// frameOf returns the one frame that build adds.
func frameOf(t testing.TB, build func(w *wire)) []byte {
	w := newWire(t)
	build(w)
	return bytes.Clone(w.file.Bytes()[24+16:])
}

func TestDuplicates(t *testing.T) {
	ask := frameOf(t, func(w *wire) { w.udp(client, server, "2?r") })
	routed := bytes.Clone(ask) // behind a router: other MACs, a lower TTL, another checksum
	copy(routed, hostMAC(9))
	copy(routed[6:], hostMAC(8))
	routed[22]--
	routed[24]++
	tagged := slices.Concat(ask[:12], []byte{0x81, 0, 0, 5}, ask[12:])
	other := slices.Concat(ask[:12], []byte{0x81, 0, 0, 6}, ask[12:])
	changed := bytes.Clone(ask)
	changed[14+20+8+2] = 'w'
	unmarked := bytes.Clone(ask)
	unmarked[18], unmarked[19] = 0, 0
	goose := frameOf(t, func(w *wire) { w.ethernet(hostMAC(1), hostMAC(2), 0x88b8, gopacket.Payload("goose")) })
	cyclic := frameOf(t, func(w *wire) { w.ethernet(hostMAC(1), hostMAC(2), 0x88a4, gopacket.Payload("goose")) })
	ack := frameOf(t, func(w *wire) { w.id = 0; w.tcp(client, server, "A", 5, 6, "") })
	prp := func(lan byte) []byte {
		b := bytes.Clone(goose)
		size := len(b) - 14 + 6
		return append(b, 0, 7, lan<<4|byte(size>>8), byte(size), 0x88, 0xfb)
	}
	tests := map[string]struct {
		first, second []byte
		step          uint32 // microseconds between them
		twice         bool
	}{
		"the same":                      {ask, ask, 10, true},
		"the same, later":               {ask, ask, 6_000, false},
		"behind a router":               {ask, routed, 10, true},
		"tagged":                        {ask, tagged, 10, true},
		"of two VLANs":                  {tagged, other, 10, false},
		"another payload":               {ask, changed, 10, false},
		"without identification":        {unmarked, unmarked, 150, true},
		"without identification, later": {unmarked, unmarked, 300, false},
		"straight on the link":          {goose, goose, 10, true},
		"of a cyclic fieldbus":          {cyclic, cyclic, 10, false},
		"acknowledgements":              {ack, ack, 10, false},
		"of both networks of PRP":       {prp(0xa), prp(0xb), 300_000, true},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			w := newWire(t).raw(tt.first)
			w.step = tt.step
			w.raw(tt.second)
			o := observed(t, w.file.Bytes())
			want := uint64(0)
			if tt.twice {
				want = 1
			}
			var packets, links, copies uint64
			for _, c := range o.Conversations {
				packets += c.Packets.Sent + c.Packets.Received
				copies += c.Duplicates
				for _, l := range c.Links {
					links += l.Count
				}
			}
			if l := o.Captures[0].Ledger; l.Duplicate != want || copies != want || packets != 2-want || links != 2 {
				t.Errorf("%d duplicates in the ledger, %d in conversations, %d packets, %d on links; want %d, %d, %d, 2",
					l.Duplicate, copies, packets, links, want, want, 2-want)
			}
		})
	}
}

// Copies that are to be kept count like any other frame.
func TestKeepDuplicates(t *testing.T) {
	w := newWire(t).udp(client, server, "2?r")
	w.id = 1
	w.udp(client, server, "2?r")
	in := []Input{input("twice.pcap", w.file.Bytes())}
	o, err := Observe(t.Context(), in, Options{KeepDuplicates: true})
	if err != nil {
		t.Fatal(err)
	}
	if c := o.Conversations[0]; c.Packets.Sent != 2 || c.Duplicates != 0 || o.Captures[0].Ledger.Duplicate != 0 {
		t.Errorf("%d packets, %d duplicates", c.Packets.Sent, c.Duplicates)
	}
}

// pieces adds a UDP datagram in fragments of at most 16 bytes, in the order
// given.
func (w *wire) pieces(src, dst end, payload string, order ...int) *wire {
	w.t.Helper()
	ip := &layers.IPv4{Version: 4, Id: w.id, TTL: 64, Protocol: layers.IPProtocolUDP, SrcIP: host(src.host).AsSlice(), DstIP: host(dst.host).AsSlice()}
	w.id++
	udp := &layers.UDP{SrcPort: layers.UDPPort(src.port), DstPort: layers.UDPPort(dst.port)}
	udp.SetNetworkLayerForChecksum(ip)
	buf := gopacket.NewSerializeBuffer()
	if err := gopacket.SerializeLayers(buf, gopacket.SerializeOptions{FixLengths: true, ComputeChecksums: true}, udp, gopacket.Payload(payload)); err != nil {
		w.t.Fatal(err)
	}
	for _, n := range order {
		part := buf.Bytes()[16*n : min(16*n+16, len(buf.Bytes()))]
		ip.FragOffset, ip.Flags = uint16(2*n), layers.IPv4MoreFragments
		if 16*n+16 >= len(buf.Bytes()) {
			ip.Flags = 0
		}
		w.ethernet(hostMAC(src.host), hostMAC(dst.host), layers.EthernetTypeIPv4, ip, gopacket.Payload(part))
	}
	return w
}

func TestFragments(t *testing.T) {
	const message = "2?r" // the rest is in fragments behind
	ask := message + strings.Repeat(".", 40)
	tests := map[string]struct {
		build    func(w *wire)
		want     string
		fragment uint64 // frames in the ledger
	}{
		"in order": {
			func(w *wire) { w.pieces(client, server, ask, 0, 1, 2, 3) },
			"1>2 udp/502 modbus(content) content attempted=1 packets=4/0 payload=43/0 read:1(+0-0?1)", 0,
		},
		"last first": {
			func(w *wire) { w.pieces(client, server, ask, 3, 2, 1, 0) },
			"1>2 udp/502 modbus(content) content attempted=1 packets=4/0 payload=43/0 read:1(+0-0?1)", 0,
		},
		"with what is whole": {
			func(w *wire) { w.pieces(client, server, ask, 0, 1, 2, 3).udp(server, client, "2!r") },
			"1>2 udp/502 modbus(content) content answered=1 packets=4/1 payload=43/3 read:1(+1-0?0)", 0,
		},
		"the middle is missing": {
			func(w *wire) { w.pieces(client, server, ask, 0, 1, 3) },
			"1>2 ip/17 unknown(unknown) guess attempted=1 packets=3/0 payload=0/0", 3,
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			w := newWire(t)
			tt.build(w)
			o := observed(t, w.file.Bytes())
			if len(o.Captures[0].Ledger.Reasons) != int(min(tt.fragment, 1)) {
				t.Errorf("%+v", o.Captures[0].Ledger.Reasons)
			}
			if len(o.Conversations) != 1 || o.Captures[0].Ledger.Fragment != tt.fragment {
				t.Fatalf("%d conversations, %d fragments", len(o.Conversations), o.Captures[0].Ledger.Fragment)
			}
			if got := say(&o.Conversations[0]); got != tt.want {
				t.Errorf("%s\nwant %s", got, tt.want)
			}
		})
	}
}

// What is inside a tunnel is a conversation, and so is the tunnel; the frame
// counts once in the ledger.
func TestTunnels(t *testing.T) {
	inner := frameOf(t, func(w *wire) { w.tag(7).udp(client, server, "2?r") })
	answer := frameOf(t, func(w *wire) { w.udp(server, client, "2!r") })[14:]
	vxlan := func(vni uint32, frame []byte) gopacket.Payload {
		return append([]byte{8, 0, 0, 0, byte(vni >> 16), byte(vni >> 8), byte(vni), 0}, frame...)
	}
	tests := map[string]struct {
		build func(w *wire)
		want  []string
	}{
		"vxlan": {
			func(w *wire) { w.udp(end{11, 50000}, end{12, 4789}, string(vxlan(5001, inner))) },
			[]string{
				"11>12 udp/4789 vxlan(content) port attempted=1 packets=1/0 payload=68/0",
				"vxlan 5001: 1>2 udp/502 modbus(content) content vlan=7 attempted=1 packets=1/0 payload=3/0 read:1(+0-0?1)",
			},
		},
		"gre, both ways": {
			func(w *wire) {
				w.ip(11, 12, layers.IPProtocolGRE, gopacket.Payload(append([]byte{0, 0, 8, 0}, inner[18:]...)))
				w.ip(12, 11, layers.IPProtocolGRE, gopacket.Payload(append([]byte{0, 0, 8, 0}, answer...)))
			},
			[]string{
				"11>12 ip/47 gre(content) guess answered=1 packets=1/1 payload=46/50",
				"gre: 1>2 udp/502 modbus(content) content answered=1 packets=1/1 payload=3/3 read:1(+1-0?0)",
			},
		},
		"a tunnel in a tunnel": {
			func(w *wire) {
				nested := frameOf(w.t, func(w *wire) { w.udp(end{21, 50000}, end{22, 4789}, string(vxlan(2, inner))) })
				w.ip(11, 12, layers.IPProtocolGRE, gopacket.Payload(append([]byte{0, 0, 8, 0}, nested[14:]...)))
			},
			[]string{
				"11>12 ip/47 gre(content) guess attempted=1 packets=1/0 payload=100/0",
				"gre / vxlan 2: 1>2 udp/502 modbus(content) content vlan=7 attempted=1 packets=1/0 payload=3/0 read:1(+0-0?1)",
				"gre: 21>22 udp/4789 vxlan(content) port attempted=1 packets=1/0 payload=68/0",
			},
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			w := newWire(t)
			tt.build(w)
			o := observed(t, w.file.Bytes())
			var got []string
			for _, c := range o.Conversations {
				s := say(&c)
				if c.Tunnel != "" {
					s = c.Tunnel + ": " + s
				}
				got = append(got, s)
			}
			slices.Sort(got)
			if !slices.Equal(got, tt.want) {
				t.Errorf("%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(tt.want, "\n"))
			}
		})
	}
}
