package observe_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"testing"
	"time"

	"bulkhead/capture"
	"bulkhead/capture/observe"
	"bulkhead/capture/pcap"
	"bulkhead/internal/corpus"
	"bulkhead/internal/lab"
)

// FuzzFile reads any bytes as a capture file. What comes out must agree with
// itself (checkObserved), must be the same from one goroutine and from three that
// share the file, and with duplicates counted the frames must be the same. Beside
// FuzzObserve, which tries small limits with one made-up protocol, this is the
// whole: all protocols and the limits that a user has.
func FuzzFile(f *testing.F) {
	for _, file := range smallCaptures(f) {
		f.Add(file)
	}
	// The smallest of the corpus: hostile headers, odd link types, pcapng of every
	// block type.
	for _, file := range corpus.Smallest(f, 120) {
		f.Add(file)
	}
	f.Fuzz(func(t *testing.T, file []byte) {
		run := func(opts observe.Options) *capture.Observations {
			in := observe.Input{Path: "fuzz", Open: corpus.Open(file)} // of unknown size: read by all jobs
			o, err := observe.Observe(context.Background(), []observe.Input{in}, opts)
			if err != nil && !errors.Is(err, pcap.ErrNotCapture) {
				t.Fatal(err)
			}
			if err != nil {
				return nil
			}
			checkObserved(t, o)
			return o
		}
		one, three, every := run(observe.Options{Jobs: 1}), run(observe.Options{Jobs: 3}), run(everyFrame(1))
		if one == nil || three == nil || every == nil {
			if one != nil || three != nil || every != nil {
				t.Error("a capture to some and none to others")
			}
			return
		}
		a, err := json.Marshal(one)
		if err != nil {
			t.Fatal(err)
		}
		b, err := json.Marshal(three)
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(a, b) {
			t.Errorf("one job\n%s\nthree jobs\n%s", a, b)
		}
		if n := every.Captures[0].Frames; n != one.Captures[0].Frames || every.Captures[0].Ledger.Duplicate != 0 {
			t.Errorf("%d frames, and %d of them duplicates, where each is to count; else %d", n, every.Captures[0].Ledger.Duplicate, one.Captures[0].Frames)
		}
	})
}

// checkObserved holds what must agree in what one capture shows.
func checkObserved(t *testing.T, o *capture.Observations) {
	t.Helper()
	if len(o.Captures) != 1 {
		t.Fatalf("%d captures of one file", len(o.Captures))
	}
	c := &o.Captures[0]
	l := &c.Ledger
	if l.Sum() != c.Frames {
		t.Errorf("the ledger sums to %d of %d frames: %+v", l.Sum(), c.Frames, *l)
	}
	if c.Complete != (len(c.Errors) == 0) {
		t.Errorf("complete: %t, errors: %v", c.Complete, c.Errors)
	}
	if c.Last.Before(c.First) {
		t.Errorf("from %s to %s", c.First, c.Last)
	}
	outer := uint64(0)
	for i := range o.Conversations {
		v := &o.Conversations[i]
		if v.Tunnel == "" {
			outer += v.Packets.Sent + v.Packets.Received
		}
		where := v.Example.FiveTuple
		switch s := v.State; {
		case v.Capture != 0:
			t.Errorf("%s: of capture %d", where, v.Capture)
		case v.Packets == capture.Volume{}:
			t.Errorf("%s: no packets", where)
		case s.Attempted+s.Refused+s.Established+s.Answered != v.Connections || v.Connections == 0:
			t.Errorf("%s: %d connections, states %+v", where, v.Connections, s)
		case v.Last.Before(v.First) || v.First.Before(c.First) || c.Last.Before(v.Last):
			t.Errorf("%s: from %s to %s, in a capture from %s to %s", where, v.First, v.Last, c.First, c.Last)
		case len(v.Links) > capture.MaxLinks || len(v.Operations) > capture.MaxOperations:
			t.Errorf("%s: %d links, %d operations", where, len(v.Links), len(v.Operations))
		}
		for _, op := range v.Operations {
			if op.Count == 0 || op.Accepted+op.Refused+op.Unanswered > op.Count || len(op.Frames) == 0 || len(op.Frames) > capture.MaxFrames {
				t.Errorf("%s: operation %+v", where, op)
			}
		}
	}
	// A frame that could not be read is on a conversation if its addresses could.
	least := l.Decoded + l.OtherL2 + l.OtherIP + l.Fragment
	if n := outer + l.Folded; n < least || n > least+l.Truncated+l.Malformed {
		t.Errorf("conversations hold %d frames, %d are folded, the ledger says %+v", outer, l.Folded, *l)
	}
	for i := range o.Folded {
		if f := &o.Folded[i]; f.Capture != 0 || f.Last.Before(f.First) {
			t.Errorf("folded: %+v", *f)
		}
	}
	for i := range o.Endpoints {
		e := &o.Endpoints[i]
		if e.Capture != 0 || e.Last.Before(e.First) || e.Frames > c.Frames {
			t.Errorf("endpoint %s %s of capture %d: %d frames from %s to %s", e.IP, e.MAC, e.Capture, e.Frames, e.First, e.Last)
		}
	}
}

// smallCaptures are captures of one dialogue each, in every protocol that the lab
// speaks and in every way it can go wrong.
func smallCaptures(t testing.TB) [][]byte {
	talks := []struct {
		port uint16
		talk func(c *lab.Conn)
	}{
		{502, func(c *lab.Conn) { c.Modbus(1).Read(3, 0, 10) }},
		{502, func(c *lab.Conn) { c.Modbus(1).Read(3, 0, 120, lab.Split(40), lab.Repeated()) }},
		{502, func(c *lab.Conn) { c.Modbus(1).Write(6, 4, []int{1}, lab.Refused(2)) }},
		{502, func(c *lab.Conn) {
			m := c.Modbus(1)
			m.Read(3, 0, 10, lab.Missed())
			m.Read(3, 0, 10, lab.Unanswered())
		}},
		{4444, func(c *lab.Conn) { c.Modbus(7).Identify("Vendor", "Product", "1.0") }},
		{102, func(c *lab.Conn) { c.S7().Read(1, 0, 8) }},
		{102, func(c *lab.Conn) { c.S7().Stop() }},
		{102, func(c *lab.Conn) { c.S7().Download(1, make([]byte, 300), lab.Split(100)) }},
		{44818, func(c *lab.Conn) { c.ENIP().ListIdentity() }},
		{44818, func(c *lab.Conn) { c.ENIP().Unconnected(lab.CIPMultiple(lab.CIPReadTag("a"), lab.CIPWriteTag("b", 3))) }},
		{44818, func(c *lab.Conn) { e := c.ENIP(); e.ForwardOpen(); e.Connected(lab.CIPGet(1, 1, 1)); e.ForwardClose() }},
		{20000, func(c *lab.Conn) { c.DNP3(1, 10).ReadClasses(3) }},
		{20000, func(c *lab.Conn) { c.DNP3(1, 10).SelectOperate(3) }},
		{4840, func(c *lab.Conn) { c.OPCUA("opc.tcp://h:4840").Read([]int{1, 2}) }},
		{4840, func(c *lab.Conn) { c.SealedOPCUA("opc.tcp://h:4840").Exchange(100, 100) }},
		{23, func(c *lab.Conn) { c.Telnet("user", "secret") }},
		{21, func(c *lab.Conn) { c.FTP("user", "secret") }},
		{80, func(c *lab.Conn) { c.HTTP("/", "user", "secret") }},
		{22, func(c *lab.Conn) { c.SSH() }},
		{3389, func(c *lab.Conn) { c.RDP("user") }},
		{5900, func(c *lab.Conn) { c.VNC() }},
		{445, func(c *lab.Conn) { c.SMB(0x0311) }},
		{443, func(c *lab.Conn) { c.TLS13("host").Exchange(100, 100) }},
		{443, func(c *lab.Conn) { c.TLS12("host").Exchange(100, 100) }},
	}
	var files [][]byte
	add := func(what string, talk func(n *lab.Net, a, b *lab.Host)) {
		n := lab.New(time.Date(2026, 11, 14, 6, 0, 0, 0, time.UTC))
		talk(n, n.Host("10.10.1.11", "00:1b:1b:00:00:11"), n.Host("10.10.1.21", "00:80:f4:0e:11:22"))
		file, err := n.Bytes()
		if err != nil {
			t.Fatalf("%s: %v", what, err)
		}
		files = append(files, file)
	}
	for i, e := range talks {
		add(fmt.Sprintf("talk %d", i), func(n *lab.Net, a, b *lab.Host) { c := n.TCP(a, b, e.port); e.talk(c); c.Close() })
	}
	add("joined", func(n *lab.Net, a, b *lab.Host) { n.Joined(a, b, 502).Modbus(1).Read(3, 0, 10) })
	add("dropped", func(n *lab.Net, a, b *lab.Host) { n.Dropped(a, b, 502) })
	add("rejected", func(n *lab.Net, a, b *lab.Host) { n.Rejected(a, b, 502) })
	add("reset", func(n *lab.Net, a, b *lab.Host) { n.TCP(a, b, 502).Reset(lab.Server) })
	add("datagrams", func(n *lab.Net, a, b *lab.Host) {
		n.ARP(a, b)
		n.Ping(a, b)
		n.NTP(a, b)
		n.DNS(a, b, "plc.example", b)
		n.SNMP(a, b, "public", "a device")
		n.DHCP(a, b, "hmi")
		n.Syslog(a, b, "text")
		n.LLDP(a, "port-001", "switch", "a switch")
	})
	return files
}
