package observe

import (
	"bytes"
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math"
	"net"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/gopacket"
	"github.com/google/gopacket/layers"

	"bulkhead/capture"
	"bulkhead/capture/pcap"
	"bulkhead/capture/protocol"
)

var (
	client = end{1, 40000}
	server = end{2, 502}
	odd    = end{2, 5000} // a server on no registered port
)

// say sums a conversation up in one line.
func say(c *capture.Conversation) string {
	who := func(p capture.Peer) string {
		if p.IP.IsValid() {
			return strings.TrimPrefix(p.IP.String(), "10.0.0.")
		}
		return p.MAC.String()
	}
	var b strings.Builder
	fmt.Fprintf(&b, "%s>%s %s/%d %s(%s) %s", who(c.Client), who(c.Server.Peer), c.Transport, c.Server.Port, c.Protocol, c.ProtocolBasis, c.RoleBasis)
	if c.VLAN != 0 {
		fmt.Fprintf(&b, " vlan=%d", c.VLAN)
	}
	for _, s := range []struct {
		name string
		n    uint64
	}{{"attempted", c.State.Attempted}, {"refused", c.State.Refused}, {"established", c.State.Established}, {"answered", c.State.Answered}} {
		if s.n > 0 {
			fmt.Fprintf(&b, " %s=%d", s.name, s.n)
		}
	}
	fmt.Fprintf(&b, " packets=%d/%d payload=%d/%d", c.Packets.Sent, c.Packets.Received, c.Payload.Sent, c.Payload.Received)
	if c.LostBytes > 0 {
		fmt.Fprintf(&b, " lost=%d", c.LostBytes)
	}
	for _, op := range c.Operations {
		fmt.Fprintf(&b, " %s:%d(+%d-%d?%d)", op.Name, op.Count, op.Accepted, op.Refused, op.Unanswered)
	}
	if c.Undecoded > 0 {
		fmt.Fprintf(&b, " undecoded=%d", c.Undecoded)
	}
	return b.String()
}

func TestConversations(t *testing.T) {
	echo := func(kind uint8) *layers.ICMPv4 {
		return &layers.ICMPv4{TypeCode: layers.CreateICMPv4TypeCode(kind, 0), Id: 1, Seq: 1}
	}
	// The quote of an ICMP error: the IP header and eight bytes of what it carried.
	unreachable := func(w *wire, code uint8, proto layers.IPProtocol, a, b end) *wire {
		q := newWire(w.t)
		if proto == layers.IPProtocolTCP {
			q.tcp(a, b, "S", 100, 0, "")
		} else {
			q.udp(a, b, "2?r")
		}
		quoted := q.file.Bytes()[24+16+14:][:28]
		return w.ip(b.host, a.host, layers.IPProtocolICMPv4, &layers.ICMPv4{TypeCode: layers.CreateICMPv4TypeCode(3, code)}, gopacket.Payload(quoted))
	}
	tests := map[string]struct {
		build func(w *wire)
		want  []string
	}{
		"handshake": {
			func(w *wire) { w.connect(client, server).ask("2?r").answer("2!r").finish() },
			[]string{"1>2 tcp/502 modbus(content) handshake answered=1 packets=5/3 payload=3/3 read:1(+1-0?0)"},
		},
		"a forged IP length hides nothing behind it": {
			func(w *wire) {
				d := w.connect(client, server).ask("2?r")
				// The frame holds one request more and claims 1,000 bytes.
				forged := newWire(w.t).tcp(client, server, "A", d.aSeq, d.bSeq, "9?w-------").file.Bytes()[24+16:]
				binary.BigEndian.PutUint16(forged[14+2:], 1040)
				w.raw(forged)
				d.aSeq += 10
				d.ask("2?r")
			},
			[]string{"1>2 tcp/502 modbus(content) handshake established=1 packets=5/1 payload=16/0 read:2(+0-0?2) write:1(+0-0?1)"},
		},
		"refused by the device": {
			func(w *wire) { w.connect(client, server).ask("2?w").answer("2-w").ask("2?w") },
			[]string{"1>2 tcp/502 modbus(content) handshake answered=1 packets=4/2 payload=6/3 write:2(+0-1?1)"},
		},
		"server speaks first": {
			func(w *wire) { w.connect(client, odd).answer("T2!r").ask("T2?r").answer("2!r") },
			[]string{"1>2 tcp/5000 modbus(content) handshake answered=1 packets=3/3 payload=4/7 read:1(+1-0?0)"},
		},
		"weak on both sides": {
			func(w *wire) { w.connect(client, odd).ask("2?r").answer("2!r") },
			[]string{"1>2 tcp/5000 modbus(content) handshake answered=1 packets=3/2 payload=3/3 read:1(+1-0?0)"},
		},
		"weak on one side": {
			func(w *wire) { w.connect(client, odd).ask("2?r").answer("what") },
			[]string{"1>2 tcp/5000 unknown(unknown) handshake answered=1 packets=3/2 payload=3/4"},
		},
		"not what the port says": {
			func(w *wire) { w.connect(client, server).ask("GET").answer("200") },
			[]string{"1>2 tcp/502 unknown(unknown) handshake answered=1 packets=3/2 payload=3/3"},
		},
		"rubbish first, on the protocol's own port": {
			func(w *wire) { w.connect(client, server).ask("GET").answer("200").ask("2?w").answer("2!w") },
			[]string{"1>2 tcp/502 modbus(content) handshake answered=1 packets=4/3 payload=6/6 write:1(+1-0?0)"},
		},
		"rubbish first, elsewhere": {
			func(w *wire) { w.connect(client, odd).ask("GET").answer("200").ask("T2?w").answer("2!w") },
			[]string{"1>2 tcp/5000 unknown(unknown) handshake answered=1 packets=4/3 payload=7/6"},
		},
		"no payload": {
			func(w *wire) { w.connect(client, server) },
			[]string{"1>2 tcp/502 modbus(port) handshake established=1 packets=2/1 payload=0/0"},
		},
		"recognised byte by byte": {
			func(w *wire) { w.connect(client, odd).ask("T").ask("2").ask("?").ask("r").answer("2!r") },
			[]string{"1>2 tcp/5000 modbus(content) handshake answered=1 packets=6/2 payload=4/3 read:1(+1-0?0)"},
		},
		"PDU over segments": {
			func(w *wire) { w.connect(client, server).ask("4?r").ask("..").ask("4?w..2?").ask("r") },
			[]string{"1>2 tcp/502 modbus(content) handshake established=1 packets=6/1 payload=13/0 read:2(+0-0?2) write:1(+0-0?1)"},
		},
		"retransmission": {
			func(w *wire) {
				d := w.connect(client, server).ask("2?r")
				d.aSeq -= 3
				d.ask("2?r").answer("2!r")
			},
			[]string{"1>2 tcp/502 modbus(content) handshake answered=1 packets=4/2 payload=3/3 read:1(+1-0?0)"},
		},
		"out of order": {
			func(w *wire) {
				d := w.connect(client, server)
				d.aSeq += 3
				d.ask("2?w")
				d.aSeq -= 6
				d.ask("2?r")
			},
			[]string{"1>2 tcp/502 modbus(content) handshake established=1 packets=4/1 payload=6/0 read:1(+0-0?1) write:1(+0-0?1)"},
		},
		"lost": {
			func(w *wire) {
				d := w.connect(client, server).ask("2?r").ask("6?r") // the middle of this PDU is lost
				d.aSeq += 4
				d.ask("2?w")
				d.answer("2!w")
			},
			[]string{"1>2 tcp/502 modbus(content) handshake answered=1 packets=5/2 payload=9/3 lost=4 read:1(+0-0?1) write:1(+1-0?0) undecoded=1"},
		},
		"mid-stream, by port": {
			func(w *wire) { w.joined(server, client).ask("xx").answer("yy").ask("zz") },
			[]string{"1>2 tcp/502 modbus(port) port answered=1 packets=1/2 payload=2/4"},
		},
		"mid-stream, by content": {
			func(w *wire) {
				w.joined(end{2, 5000}, end{1, 5001}).ask("garbage").ask("T2!r").answer("2?r").ask("2!r")
			},
			[]string{"1>2 tcp/5000 modbus(content) content answered=1 packets=1/3 payload=3/14 read:1(+1-0?0)"},
		},
		"mid-stream, guessed": {
			func(w *wire) { w.joined(end{1, 5000}, end{2, 5001}).ask("xx").answer("yy") },
			[]string{"1>2 tcp/5001 unknown(unknown) guess answered=1 packets=1/1 payload=2/2"},
		},
		"mid-stream, system port": {
			func(w *wire) { w.joined(end{2, 700}, end{1, 5001}).ask("xx").answer("yy") },
			[]string{"1>2 tcp/700 unknown(unknown) port answered=1 packets=1/1 payload=2/2"},
		},
		"client side only": {
			func(w *wire) {
				w.tcp(client, server, "S", 100, 0, "").tcp(client, server, "A", 101, 501, "2?r").tcp(client, server, "A", 104, 504, "2?r")
			},
			[]string{"1>2 tcp/502 modbus(content) handshake established=1 packets=3/0 payload=6/0 lost=3 read:2(+0-0?2)"},
		},
		"server side only": {
			func(w *wire) {
				w.tcp(server, client, "SA", 500, 101, "").tcp(server, client, "A", 501, 104, "2!r")
			},
			[]string{"1>2 tcp/502 modbus(content) handshake established=1 packets=0/2 payload=0/3 lost=3"},
		},
		"attempted": {
			func(w *wire) { w.tcp(client, server, "S", 100, 0, "").tcp(client, server, "S", 100, 0, "") },
			[]string{"1>2 tcp/502 modbus(port) handshake attempted=1 packets=2/0 payload=0/0"},
		},
		"refused": {
			func(w *wire) { w.tcp(client, server, "S", 100, 0, "").tcp(server, client, "RA", 0, 101, "") },
			[]string{"1>2 tcp/502 modbus(port) handshake refused=1 packets=1/1 payload=0/0"},
		},
		"half-open": {
			func(w *wire) {
				w.tcp(client, server, "S", 100, 0, "").tcp(server, client, "SA", 500, 101, "").tcp(client, server, "R", 101, 0, "")
			},
			[]string{"1>2 tcp/502 modbus(port) handshake established=1 packets=2/1 payload=0/0"},
		},
		"ports used again": {
			func(w *wire) {
				w.connect(client, server).ask("2?r").answer("2!r").finish()
				w.tcp(client, server, "S", 7000, 0, "").tcp(server, client, "RA", 0, 7001, "")
			},
			[]string{"1>2 tcp/502 modbus(content) handshake refused=1 answered=1 packets=6/4 payload=3/3 read:1(+1-0?0)"},
		},
		"reset, then data all the same": {
			func(w *wire) {
				d := w.connect(client, server).ask("2?r").answer("2!r")
				w.tcp(server, client, "R", 1, 0, "")
				d.ask("2?w").answer("2!w")
			},
			[]string{"1>2 tcp/502 modbus(content) handshake answered=1 packets=4/4 payload=6/6 read:1(+1-0?0) write:1(+1-0?0)"},
		},
		"one VLAN": {
			func(w *wire) { w.tag(7).connect(client, server).ask("2?r").answer("2!r") },
			[]string{"1>2 tcp/502 modbus(content) handshake vlan=7 answered=1 packets=3/2 payload=3/3 read:1(+1-0?0)"},
		},
		"VLAN in one direction": {
			func(w *wire) {
				w.tcp(client, server, "S", 100, 0, "").tag(7).tcp(server, client, "SA", 500, 101, "")
				w.tag(0).tcp(client, server, "A", 101, 501, "2?r").tag(7).tcp(server, client, "A", 501, 104, "2!r")
			},
			[]string{"1>2 tcp/502 modbus(content) handshake vlan=7 answered=1 packets=2/2 payload=3/3 read:1(+1-0?0)"},
		},
		"VLAN in one direction, found out late": {
			func(w *wire) {
				w.udp(client, server, "2?r").tag(7).udp(server, client, "2!r")
				w.tag(0).udp(end{1, 40001}, server, "2?r").tag(7).udp(server, end{1, 40001}, "2!r")
				w.tag(0).udp(end{1, 40002}, server, "2?r")
			},
			[]string{"1>2 udp/502 modbus(content) content vlan=7 attempted=1 answered=2 packets=3/2 payload=9/6 read:3(+2-0?1)"},
		},
		"two VLANs": {
			func(w *wire) { w.tag(7).udp(client, server, "2?r").tag(8).udp(client, server, "2?r") },
			[]string{"1>2 udp/502 modbus(content) content vlan=7 attempted=1 packets=1/0 payload=3/0 read:1(+0-0?1)",
				"1>2 udp/502 modbus(content) content vlan=8 attempted=1 packets=1/0 payload=3/0 read:1(+0-0?1)"},
		},
		"datagrams": {
			func(w *wire) { w.udp(client, odd, "T2?r").udp(odd, client, "2!r").udp(client, odd, "junk") },
			[]string{"1>2 udp/5000 modbus(content) content answered=1 packets=2/1 payload=8/3 read:1(+1-0?0) undecoded=1"},
		},
		"datagrams refused": {
			func(w *wire) { unreachable(w.udp(client, odd, "xx"), 3, layers.IPProtocolUDP, client, odd) },
			[]string{"1>2 icmp/0 icmp(content) content established=1 packets=0/1 payload=0/28",
				"1>2 udp/5000 unknown(unknown) guess refused=1 packets=1/0 payload=2/0"},
		},
		"SYN refused by ICMP": {
			func(w *wire) {
				unreachable(w.tcp(client, server, "S", 100, 0, ""), 13, layers.IPProtocolTCP, client, server)
			},
			[]string{"1>2 icmp/0 icmp(content) content established=1 packets=0/1 payload=0/28",
				"1>2 tcp/502 modbus(port) handshake refused=1 packets=1/0 payload=0/0"},
		},
		"too big is no refusal": {
			func(w *wire) { unreachable(w.udp(client, odd, "xx"), 4, layers.IPProtocolUDP, client, odd) },
			[]string{"1>2 icmp/0 icmp(content) content established=1 packets=0/1 payload=0/28",
				"1>2 udp/5000 unknown(unknown) guess attempted=1 packets=1/0 payload=2/0"},
		},
		"ping": {
			func(w *wire) {
				w.ip(2, 1, layers.IPProtocolICMPv4, echo(0)).ip(1, 2, layers.IPProtocolICMPv4, echo(8))
			},
			[]string{"1>2 icmp/0 icmp(content) content answered=1 packets=1/1 payload=0/0"},
		},
		"other IP": {
			func(w *wire) { w.ip(1, 2, 50, gopacket.Payload("esp")) },
			[]string{"1>2 ip/50 unknown(unknown) guess attempted=1 packets=1/0 payload=3/0"},
		},
		"straight on the link": {
			func(w *wire) {
				w.ethernet(hostMAC(1), hostMAC(2), 0x88b8, gopacket.Payload("goose"))
				w.ethernet(hostMAC(2), net.HardwareAddr{1, 0, 0x5e, 0, 0, 1}, 0x88b8, gopacket.Payload("goose"))
			},
			[]string{"02:00:00:00:00:01>02:00:00:00:00:02 l2/35000 goose(content) guess attempted=1 packets=1/0 payload=46/0",
				"02:00:00:00:00:02>01:00:5e:00:00:01 l2/35000 goose(content) content attempted=1 packets=1/0 payload=46/0"},
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			w := newWire(t)
			tt.build(w)
			o := observed(t, w.file.Bytes())
			var got []string
			for i := range o.Conversations {
				got = append(got, say(&o.Conversations[i]))
			}
			if !slices.Equal(got, tt.want) {
				t.Errorf("conversations:\n%s\nwant:\n%s", strings.Join(got, "\n"), strings.Join(tt.want, "\n"))
			}
			if c := o.Captures[0]; !c.Complete || len(c.Errors) > 0 {
				t.Errorf("not complete: %v", c.Errors)
			}
		})
	}
}

// What a conversation holds besides the line above.
func TestConversationFields(t *testing.T) {
	w := newWire(t)
	w.connect(client, server).ask("2?r").answer("2!r").finish()
	w.connect(end{1, 40001}, server).ask("2?r")
	c := observed(t, w.file.Bytes()).Conversations[0]
	if want := (capture.Example{Frame: 1, FiveTuple: "tcp 10.0.0.1:40000 10.0.0.2:502", CommunityID: communityID(tuple{host(1), host(2), 6, 40000, 502})}); c.Example != want {
		t.Errorf("example %+v, want %+v", c.Example, want)
	}
	if c.Connections != 2 || c.Protection.None != 2 {
		t.Errorf("%d connections, protection %+v; want 2 without any", c.Connections, c.Protection)
	}
	if len(c.Links) != 1 || c.Links[0].Count != 12 || c.Links[0].ClientTTL != 64 || c.Links[0].ServerTTL != 64 || c.Links[0].ClientMAC != c.Client.MAC {
		t.Errorf("links %+v", c.Links)
	}
	if got := c.First.String() + " " + c.Last.String(); got != "2023-11-14T22:13:20.000001Z 2023-11-14T22:13:20.000012Z" {
		t.Errorf("from %s", got)
	}
	op := c.Operations[0]
	if len(op.Frames) != 2 || op.Frames[0].Frame != 4 || op.Frames[1].Frame != 12 || len(op.Details.Units) != 1 {
		t.Errorf("operation %+v", op)
	}
}

func TestEndpoints(t *testing.T) {
	arp := func(op uint16, src, dst byte) *layers.ARP {
		return &layers.ARP{AddrType: layers.LinkTypeEthernet, Protocol: layers.EthernetTypeIPv4, HwAddressSize: 6, ProtAddressSize: 4, Operation: op,
			SourceHwAddress: hostMAC(src), SourceProtAddress: host(src).AsSlice(), DstHwAddress: make([]byte, 6), DstProtAddress: host(dst).AsSlice()}
	}
	everyone := net.HardwareAddr{255, 255, 255, 255, 255, 255}
	w := newWire(t)
	w.ethernet(hostMAC(1), everyone, layers.EthernetTypeARP, arp(1, 1, 2))
	w.ethernet(hostMAC(2), hostMAC(1), layers.EthernetTypeARP, arp(2, 2, 1))
	w.udp(client, server, "2?r")
	w.udp(client, server, "2?r")
	w.udp(end{3, 1000}, end{255, 1000}, "hi") // by IP a host, to a MAC of its own
	w.ethernet(hostMAC(4), everyone, 0x8899, gopacket.Payload("loop"))
	var got []string
	for _, e := range observed(t, w.file.Bytes()).Endpoints {
		got = append(got, fmt.Sprintf("%s %s frames=%d arp=%v %d-%d", e.IP, e.MAC, e.Frames, e.ARP, e.First.UnixNano()/1000%1000, e.Last.UnixNano()/1000%1000))
	}
	want := []string{
		"invalid IP 02:00:00:00:00:04 frames=0 arp=false 6-6",
		"10.0.0.1 02:00:00:00:00:01 frames=2 arp=true 3-4",
		"10.0.0.2 02:00:00:00:00:02 frames=0 arp=true 2-2",
		"10.0.0.3 02:00:00:00:00:03 frames=1 arp=false 5-5",
	}
	if !slices.Equal(got, want) {
		t.Errorf("endpoints:\n%s\nwant:\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

func TestARPRoles(t *testing.T) {
	w := newWire(t)
	a := &layers.ARP{AddrType: layers.LinkTypeEthernet, Protocol: layers.EthernetTypeIPv4, HwAddressSize: 6, ProtAddressSize: 4, Operation: 2,
		SourceHwAddress: hostMAC(2), SourceProtAddress: host(2).AsSlice(), DstHwAddress: hostMAC(1), DstProtAddress: host(1).AsSlice()}
	w.ethernet(hostMAC(2), hostMAC(1), layers.EthernetTypeARP, a)
	o := observed(t, w.file.Bytes())
	want := "02:00:00:00:00:01>02:00:00:00:00:02 l2/2054 arp(content) content established=1 packets=0/1 payload=0/28"
	if got := say(&o.Conversations[0]); got != want {
		t.Errorf("%s\nwant %s", got, want)
	}
}

func TestLimits(t *testing.T) {
	l := oneShard()
	l.conversations, l.connections, l.endpoints = 4, 3, 5
	w := newWire(t)
	for i := range byte(5) { // a scan: at most two places of four
		w.tcp(end{1, 40000}, end{10 + i, 502}, "S", 100, 0, "")
	}
	for i := range byte(3) { // answered: what is left
		w.connect(end{1, 41000}, end{20 + i, 502}).ask("2?r").answer("2!r")
	}
	o := observedWithin(t, w.file.Bytes(), l)
	c := &o.Captures[0]
	if c.Complete || c.Ledger.Folded != 3+1 {
		t.Errorf("complete %v, %d frames folded; want 4", c.Complete, c.Ledger.Folded)
	}
	var what []string
	for _, e := range c.Errors {
		what = append(what, e.What)
	}
	slices.Sort(what)
	if !slices.Equal(what, []string{"more conversations than the limit of 4 for each of 1 shards"}) {
		t.Errorf("errors %q", what)
	}
	if len(o.Conversations) != 4 {
		t.Errorf("%d conversations, want 4", len(o.Conversations))
	}

	l.endpoints = 1
	o = observedWithin(t, w.file.Bytes(), l)
	if len(o.Endpoints) != 1 {
		t.Errorf("%d endpoints, want 1", len(o.Endpoints))
	}
}

// A connection that had to make room goes on as another.
func TestEviction(t *testing.T) {
	l := oneShard()
	l.connections = 2
	w := newWire(t)
	d := w.connect(client, server).ask("2?r").answer("2!r")
	w.udp(end{3, 1}, end{4, 1}, "x").udp(end{5, 1}, end{6, 1}, "x")
	d.ask("2?r").answer("2!r")
	o := observedWithin(t, w.file.Bytes(), l)
	want := "1>2 tcp/502 modbus(content) handshake answered=2 packets=4/3 payload=6/6 read:2(+2-0?0)"
	if got := say(&o.Conversations[0]); got != want {
		t.Errorf("%s\nwant %s", got, want)
	}
	if !o.Captures[0].Complete {
		t.Error("a connection that was silent is no loss")
	}
}

func TestKindsLimit(t *testing.T) {
	l := oneShard()
	l.room[protocol.Kinds] = 1
	w := newWire(t)
	w.connect(client, server).ask("2?r2?w").answer("2!r2!w")
	o := observedWithin(t, w.file.Bytes(), l)
	if c := &o.Conversations[0]; len(c.Operations) != 1 || !c.OperationsCut || o.Captures[0].Complete {
		t.Errorf("%d operations, cut %v, complete %v", len(c.Operations), c.OperationsCut, o.Captures[0].Complete)
	}
	if e := o.Captures[0].Errors; len(e) != 1 || e[0].What != "more kinds of operation than the limit of 1 for each of 1 shards" {
		t.Errorf("errors %v", e)
	}
}

func TestHeldLimit(t *testing.T) {
	l := oneShard()
	l.held = 2
	w := newWire(t)
	w.connect(client, server).ask("9?r").ask("123456").ask("7").ask("2?w")
	o := observedWithin(t, w.file.Bytes(), l)
	if c := &o.Captures[0]; c.Complete || len(c.Errors) != 1 || c.Errors[0].What != "more bytes held than the limit of 2 for each of 1 shards" {
		t.Errorf("complete %v, errors %v", c.Complete, c.Errors)
	}
}

func TestObserveErrors(t *testing.T) {
	w := newWire(t).udp(client, server, "2?r")
	good := w.file.Bytes()
	missing := Input{Path: "gone.pcap", Open: func() (io.ReadCloser, error) {
		return nil, &fs.PathError{Op: "open", Path: "/tmp/gone.pcap", Err: fs.ErrNotExist}
	}}
	_, err := Observe(context.Background(), []Input{input("a.txt", []byte("hello, world")), input("ok.pcap", good), missing}, Options{})
	want := "capture \"a.txt\": not a capture file\ncapture \"gone.pcap\": file does not exist"
	if err == nil || err.Error() != want || !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("error %v, want %s", err, want)
	}
	cancelled, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := Observe(cancelled, []Input{input("ok.pcap", good)}, Options{}); !errors.Is(err, context.Canceled) {
		t.Errorf("error %v, want %v", err, context.Canceled)
	}
}

// The path in an error cannot command the terminal.
func TestErrorPath(t *testing.T) {
	_, err := Observe(context.Background(), []Input{input("a\x1b[2J\n\xff.pcap", []byte("hello, world"))}, Options{})
	if want := `capture "a\x1b[2J\n\xff.pcap": not a capture file`; err == nil || err.Error() != want {
		t.Errorf("error %v, want %s", err, want)
	}
}

// endless is a file without frames and without an end. Reading cancels it.
type endless struct {
	cancel func()
	reads  int
}

func (e *endless) Read(p []byte) (int, error) {
	if e.reads++; e.reads == 3 {
		e.cancel()
	}
	return copy(p, "\x28\xb5\x2f\xfd"), nil // of zstd
}

func (e *endless) Close() error { return nil }

// A file that yields no frames is not read on when the context is done.
func TestCancelWithoutFrames(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	file := &endless{cancel: cancel}
	_, err := Observe(ctx, []Input{{Path: "pipe", Open: func() (io.ReadCloser, error) { return file, nil }}}, Options{})
	if !errors.Is(err, context.Canceled) || file.reads != 3 {
		t.Errorf("error %v after %d reads, want %v after 3", err, file.reads, context.Canceled)
	}
}

// A clock that goes to and fro adds up to no negative time.
func TestWatchedHasAnEnd(t *testing.T) {
	e := newEngine(newRegistry(nil), &fileLimits, false)
	e.watched = math.MaxInt64 - time.Minute
	for i := range int64(4) {
		e.frame(&pcap.Frame{Time: capture.NewTime(i%2*int64(time.Hour), 9)})
	}
	if e.watched != math.MaxInt64 {
		t.Errorf("watched for %v", e.watched)
	}
}

func TestDamage(t *testing.T) {
	w := newWire(t).udp(client, server, "2?r").udp(server, client, "2!r")
	file := w.file.Bytes()
	o := observed(t, file[:len(file)-5])
	c := &o.Captures[0]
	if c.Complete || len(c.Errors) != 1 || c.Frames < 1 {
		t.Errorf("complete %v, errors %v, %d frames", c.Complete, c.Errors, c.Frames)
	}
	snoop := append([]byte("snoop\x00\x00\x00\x00\x00\x00\x02\x00\x00\x00\x04"), make([]byte, 100)...)
	o = observed(t, snoop)
	if c := &o.Captures[0]; c.Complete || len(c.Errors) != 1 || c.Frames != 0 || c.Format == "" || c.Bytes != int64(len(snoop)) {
		t.Errorf("%+v", c)
	}
}

// A full disk leaves empty files: each is listed as a capture that could not be
// read to its end, and the others are read.
func TestEmptyFile(t *testing.T) {
	good := newWire(t).udp(client, server, "2?r").file.Bytes()
	o, err := Observe(context.Background(), []Input{input("empty.pcap", nil), input("ok.pcap", good)}, Options{})
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range o.Captures {
		if empty := c.Path == "empty.pcap"; c.Complete == empty || len(c.Errors) == 0 == empty {
			t.Errorf("%s: complete %v, errors %v", c.Path, c.Complete, c.Errors)
		}
	}
}

// The result depends on neither the number of jobs nor the order of the inputs,
// and a file that is named twice is read into it once.
func TestObserveIsDeterministic(t *testing.T) {
	var inputs []Input
	for i := range byte(7) {
		w := newWire(t)
		w.connect(end{1, 40000}, end{2 + i, 502}).ask("2?r").answer("2!r")
		w.tag(3).udp(end{1, 40000}, end{9, 502}, "2?r")
		inputs = append(inputs, input(fmt.Sprintf("%d.pcap", i), w.file.Bytes()))
		if i == 3 {
			inputs = append(inputs, input("again.pcap", w.file.Bytes()))
		}
	}
	run := func(jobs int) string {
		o, err := observe(context.Background(), inputs, Options{Jobs: jobs}, newRegistry([]*protocol.Protocol{testProtocol}), &fileLimits, 1)
		if err != nil {
			t.Fatal(err)
		}
		if len(o.Captures) != 7 {
			t.Errorf("%d captures, want 7", len(o.Captures))
		}
		b, err := json.Marshal(o)
		if err != nil {
			t.Fatal(err)
		}
		return string(b)
	}
	want := run(1)
	if got := run(3); got != want {
		t.Errorf("three jobs give\n%s\none gives\n%s", got, want)
	}
	slices.Reverse(inputs)
	if got := run(2); got != want {
		t.Errorf("the other order gives\n%s\nwant\n%s", got, want)
	}
	if strings.Contains(want, "null") {
		t.Errorf("a list is null:\n%s", want)
	}
}

func TestProgress(t *testing.T) {
	w := newWire(t)
	for w.file.Len() < 3*progressEvery {
		w.raw(bytes.Repeat([]byte{0}, 1<<16))
	}
	calls, last := 0, int64(0)
	_, err := Observe(context.Background(), []Input{input("big.pcap", w.file.Bytes())}, Options{Progress: func(p Progress) {
		calls++
		if p.Bytes <= last || p.Bytes > p.Total || p.Total != int64(w.file.Len()) || p.Of != 1 {
			t.Errorf("%+v, after %d", p, last)
		}
		last = p.Bytes
	}})
	if err != nil {
		t.Fatal(err)
	}
	if calls != 3 {
		t.Errorf("%d reports, want 3", calls)
	}
}
