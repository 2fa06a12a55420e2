package store

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"net/netip"
	"reflect"
	"runtime"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"bulkhead/capture"
	"bulkhead/internal/mac"
)

func written(t testing.TB, o *capture.Observations) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := Write(&b, o); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func reread(t testing.TB, b []byte) *capture.Observations {
	t.Helper()
	o, err := Read(bytes.NewReader(b), int64(len(b)))
	if err != nil {
		t.Fatal(err)
	}
	return o
}

func diff(a, b *capture.Observations) string {
	if reflect.DeepEqual(a, b) {
		return ""
	}
	return cmp.Diff(a, b, cmp.AllowUnexported(capture.Time{}), cmpopts.EquateComparable(netip.Addr{}, netip.Prefix{}))
}

// Every field of every type of package capture comes back, each with its own
// value: a field that is added there and not stored fails here.
func TestRoundTripOfEveryField(t *testing.T) {
	o := full()
	var capture0 bool
	for _, path := range zeros(reflect.ValueOf(o).Elem(), "Observations") {
		// Of two indexes of captures one is 0.
		if strings.HasSuffix(path, ".Capture") {
			capture0 = true
			continue
		}
		t.Errorf("%s was not filled, so its loss would not show", path)
	}
	if !capture0 {
		t.Error("no index of the first capture was filled")
	}
	if d := diff(o, reread(t, written(t, o))); d != "" {
		t.Errorf("written and read differ (- written, + read):\n%s", d)
	}
}

func TestRoundTrip(t *testing.T) {
	sum := strings.Repeat("ab", 32)
	one := func(c capture.Conversation) *capture.Observations {
		if c.Transport == "" {
			c.Transport = capture.UDP
		}
		c.Protocol, c.ProtocolBasis, c.RoleBasis = capture.Unknown, capture.NotKnown, capture.Guess
		c.Links, c.Operations = present(c.Links), present(c.Operations)
		return &capture.Observations{
			Schema:        capture.Schema,
			Captures:      []capture.Capture{{SHA256: sum, LinkTypes: []string{}, Errors: []capture.ReadError{}, Ledger: capture.Ledger{Reasons: []capture.Reason{}}}},
			Conversations: []capture.Conversation{c}, Folded: []capture.Folded{}, Endpoints: []capture.Endpoint{},
		}
	}
	for name, o := range map[string]*capture.Observations{
		"nothing":          capture.Merge(),
		"all zero":         one(capture.Conversation{}),
		"largest numbers":  one(capture.Conversation{VLAN: math.MaxUint16, LostBytes: math.MaxUint64, Connections: math.MaxUint64, Server: capture.Server{Port: 65535}}),
		"1970":             one(capture.Conversation{First: capture.NewTime(0, 0), Last: capture.NewTime(0, 9)}),
		"before 1970":      one(capture.Conversation{First: capture.NewTime(-1_500_000_000, 1), Last: capture.NewTime(math.MinInt64, 9)}),
		"the latest time":  one(capture.Conversation{First: capture.NewTime(1_700_000_000_123_456_000, 6), Last: capture.NewTime(math.MaxInt64, 9)}),
		"straight on link": one(capture.Conversation{Transport: capture.L2, Client: capture.Peer{MAC: mac.Addr{1}}, Server: capture.Server{Port: 0x88b8}}),
		"IPv6 with a zone": one(capture.Conversation{Client: capture.Peer{IP: netip.MustParseAddr("fe80::1%eth0")}, Server: capture.Server{Peer: capture.Peer{IP: netip.MustParseAddr("::ffff:10.1.2.3")}}}),
		"empty lists":      one(capture.Conversation{Operations: []capture.Operation{{Protocol: capture.CIP, Class: capture.Read, Frames: []capture.FrameRef{}, Active: []capture.Run{}}}}),
		"no text is cut":   one(capture.Conversation{Tunnel: strings.Repeat("µ", maxText/2)}),
	} {
		if d := diff(o, reread(t, written(t, o))); d != "" {
			t.Errorf("%s: written and read differ (- written, + read):\n%s", name, d)
		}
	}
}

// What is no UTF-8 reads as JSON would have it.
func TestTextThatIsNoUTF8(t *testing.T) {
	o := full()
	o.Captures[0].Path = "a\xff\xfe.pcap"
	o.Conversations[0].Capture = 0
	o.Endpoints[0].Names[0].Name = "plc\xc3"
	want, err := json.Marshal(o)
	if err != nil {
		t.Fatal(err)
	}
	got, err := json.Marshal(reread(t, written(t, o)))
	if err != nil {
		t.Fatal(err)
	}
	if want := strings.ReplaceAll(string(want), `\ufffd`, "\ufffd"); string(got) != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

// scan makes observations of n conversations, as many folded and n endpoints in
// two captures.
func scan(n int) *capture.Observations {
	o := capture.Merge()
	for i := range 2 {
		o.Captures = append(o.Captures, capture.Capture{
			Path: fmt.Sprintf("captures/cell-%d.pcapng", i), SHA256: strings.Repeat(fmt.Sprint(i), 64), Format: "pcapng",
			LinkTypes: []string{"ethernet"}, Errors: []capture.ReadError{}, Ledger: capture.Ledger{Reasons: []capture.Reason{}},
		})
	}
	for i := range n {
		at := capture.NewTime(1_700_000_000_000_000_000+int64(i)*1_234_567_000, 6)
		ip := netip.AddrFrom4([4]byte{10, byte(i >> 16), byte(i >> 8), byte(i)})
		o.Conversations = append(o.Conversations, capture.Conversation{
			Capture: i % 2, VLAN: uint16(i % 5), Transport: capture.TCP, Protocol: capture.Modbus,
			Client:        capture.Peer{IP: netip.AddrFrom4([4]byte{10, 255, 0, byte(i)}), MAC: mac.Addr{2, 0, 0, 0, 0, byte(i)}},
			Server:        capture.Server{Peer: capture.Peer{IP: ip, MAC: mac.Addr{2, 1, 0, byte(i >> 16), byte(i >> 8), byte(i)}}, Port: 502},
			ProtocolBasis: capture.Content, RoleBasis: capture.Handshake,
			State: capture.State{Answered: 1}, Connections: 1, Packets: capture.Volume{Sent: uint64(i), Received: 7}, First: at, Last: at,
			Links: []capture.Link{{ClientMAC: mac.Addr{2, 0, 0, 0, 0, byte(i)}, ServerMAC: mac.Addr{2, 1, 0, byte(i >> 16), byte(i >> 8), byte(i)}, ClientTTL: 64, Count: 9}},
			Operations: []capture.Operation{{
				Protocol: capture.Modbus, Name: "Read Holding Registers", Code: "3", Class: capture.Read, Count: uint64(i), Accepted: uint64(i),
				Frames:  []capture.FrameRef{{Frame: uint64(i)}, {Frame: uint64(i + 2)}},
				Details: capture.Details{Units: []uint16{1}, Objects: []capture.ObjectRange{{Space: "holding", First: uint32(i), Last: uint32(i + 9)}}},
				Active:  []capture.Run{{From: at, Minutes: 1, Count: 4, Frame: uint64(i)}},
			}},
			Example: capture.Example{Frame: uint64(i), FiveTuple: "tcp 10.255.0.1:49152 " + ip.String() + ":502", CommunityID: fmt.Sprintf("1:%x", i*7919)},
		})
		o.Folded = append(o.Folded, capture.Folded{
			Capture: i % 2, Client: netip.PrefixFrom(ip, 32), Transport: capture.UDP, Connections: 3, First: at, Last: at,
		})
		o.Endpoints = append(o.Endpoints, capture.Endpoint{
			Capture: i % 2, IP: ip, Frames: 4, First: at, Last: at, Names: []capture.Name{}, Identities: []capture.Identity{},
		})
	}
	return o
}

// Rows keep their order over row groups, and equal observations give equal bytes.
func TestManyRowGroups(t *testing.T) {
	o := scan(groupRows + batch + 1)
	b := written(t, o)
	if d := diff(o, reread(t, b)); d != "" {
		t.Errorf("written and read differ (- written, + read):\n%s", d[:min(len(d), 2000)])
	}
	if again := written(t, reread(t, b)); !bytes.Equal(b, again) {
		t.Errorf("the same observations gave %d other bytes (%d before)", len(again), len(b))
	}
}

// A row that is as heavy as one may be, and the row groups that such rows make.
func TestHeavyRows(t *testing.T) {
	o := scan(6)
	for i := range o.Conversations {
		op := o.Conversations[i].Operations[0]
		op.Frames = make([]capture.FrameRef, capture.MaxFrames)
		op.Details.Units = make([]uint16, capture.MaxUnits)
		op.Details.Objects = make([]capture.ObjectRange, capture.MaxObjects)
		op.Active = make([]capture.Run, capture.MaxRuns)
		for k := range op.Active {
			op.Active[k] = capture.Run{From: capture.NewTime(int64(i*capture.MaxRuns+k)*60e9, 0), Minutes: 1, Count: 2, Frame: uint64(k)}
		}
		list := make([]capture.Operation, capture.MaxOperations)
		for k := range list {
			list[k] = op
			list[k].Count = uint64(k)
		}
		o.Conversations[i].Operations = list
	}
	if d := diff(o, reread(t, written(t, o))); d != "" {
		t.Errorf("written and read differ (- written, + read):\n%s", d[:min(len(d), 2000)])
	}
	o.Conversations[3].Operations[0].Name = strings.Repeat("x", maxText)
	for k := range o.Conversations[3].Operations {
		o.Conversations[3].Operations[k].Details.Objects = make([]capture.ObjectRange, capture.MaxObjects)
		o.Conversations[3].Operations[k].Details.Objects[0].Space = strings.Repeat("y", maxText)
		o.Conversations[3].Operations[k].Name = strings.Repeat("z", maxText)
		o.Conversations[3].Operations[k].Code = strings.Repeat("z", maxText)
		o.Conversations[3].Operations[k].Details.Objects[1].Space = strings.Repeat("y", maxText)
	}
	if err := Write(io.Discard, o); err == nil || !strings.HasPrefix(err.Error(), "conversation 4: its row weighs ") {
		t.Errorf("a row beyond the bound gave %v", err)
	}
}

// A row never weighs more when it is read than what Write took it for.
func TestWeightIsAnUpperBound(t *testing.T) {
	o := full()
	for name, r := range map[string]row{
		"conversation": conversationRow(&o.Conversations[0]), "folded": foldedRow(&o.Folded[0]), "endpoint": endpointRow(&o.Endpoints[0]),
		"empty": {},
	} {
		cells := rowSchema().Deconstruct(nil, r)
		if told, is := r.weight(), weightOf(cells); told < is {
			t.Errorf("%s: a row of %d bytes was taken for %d", name, is, told)
		}
	}
}

// Nothing but what may be read is written.
func TestWriteRefuses(t *testing.T) {
	for want, change := range map[string]func(*capture.Observations){
		`observations of schema "x", expected "bulkhead/observations/v1"`:                      func(o *capture.Observations) { o.Schema = "x" },
		`capture 2: sha256 "AB" is not 64 lower-case hexadecimal digits`:                       func(o *capture.Observations) { o.Captures[1].SHA256 = "AB" },
		`conversation 2: capture 2 is not among the 2 of the file, which count from 0`:         func(o *capture.Observations) { o.Conversations[1].Capture = 2 },
		`folded conversation 1: capture -1 is not among the 2 of the file, which count from 0`: func(o *capture.Observations) { o.Folded[0].Capture = -1 },
		`conversation 1: transport "tpc" is none of [tcp udp sctp ip icmp l2]`:                 func(o *capture.Observations) { o.Conversations[0].Transport = "tpc" },
		`conversation 1: protocol "modbuss" is not known to this version`:                      func(o *capture.Observations) { o.Conversations[0].Protocol = "modbuss" },
		`conversation 1: role_basis "" is none of [handshake content port guess unknown]`:      func(o *capture.Observations) { o.Conversations[0].RoleBasis = "" },
		`conversation 1: links: 9 entries are more than 8`:                                     func(o *capture.Observations) { o.Conversations[0].Links = make([]capture.Link, capture.MaxLinks+1) },
		`conversation 1: operation 2: active: 513 entries are more than 512`:                   func(o *capture.Observations) { o.Conversations[0].Operations[1].Active = make([]capture.Run, 513) },
		`conversation 1: operation 1: from "client" is none of [client server]`:                func(o *capture.Observations) { o.Conversations[0].Operations[0].From = 2 },
		`conversation 1: operation 1: objects: 2 to 1 runs downwards`: func(o *capture.Observations) {
			o.Conversations[0].Operations[0].Details.Objects[0] = capture.ObjectRange{First: 2, Last: 1}
		},
		`conversation 1: auth: length -1 is not from 0 to 2147483647`:                                         func(o *capture.Observations) { o.Conversations[0].Security.Auth[0].Length = -1 },
		`folded conversation 2: server_network 10.1.2.3/24 is no network: expected no bits beyond its length`: func(o *capture.Observations) { o.Folded[1].Server = netip.MustParsePrefix("10.1.2.3/24") },
		`endpoint 1: names: 17 entries are more than 16`:                                                      func(o *capture.Observations) { o.Endpoints[0].Names = make([]capture.Name, capture.MaxFacts+1) },
	} {
		o := full()
		change(o)
		var b bytes.Buffer
		err := Write(&b, o)
		if err == nil || err.Error() != want {
			t.Errorf("got %v\nwant %s", err, want)
		}
		if b.Len() != 0 {
			t.Errorf("%s: %d bytes were written all the same", want, b.Len())
		}
	}
}

type failing struct{ after int }

func (f *failing) Write(p []byte) (int, error) {
	if f.after -= len(p); f.after < 0 {
		return 0, errors.New("disk full")
	}
	return len(p), nil
}

func TestWriteTellsOfTheDisk(t *testing.T) {
	o := scan(100)
	for _, after := range []int{0, 10, 5000} {
		if err := Write(&failing{after}, o); err == nil || !strings.Contains(err.Error(), "disk full") {
			t.Errorf("after %d bytes: %v", after, err)
		}
	}
}

// Writing holds a row group and not the file.
func TestWriteHoldsLittle(t *testing.T) {
	if testing.Short() {
		t.Skip("writes 65,536 conversations")
	}
	o := scan(1 << 16)
	o.Folded = nil
	var before, now runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	var peak uint64
	var bytes, writes int
	w := writerFunc(func(p []byte) (int, error) {
		if bytes += len(p); writes%64 == 0 {
			runtime.GC()
			runtime.ReadMemStats(&now)
			peak = max(peak, now.HeapAlloc)
		}
		writes++
		return len(p), nil
	})
	if err := Write(w, o); err != nil {
		t.Fatal(err)
	}
	runtime.KeepAlive(o)
	if held := int64(peak) - int64(before.HeapAlloc); held > 64<<20 {
		t.Errorf("%d MiB were held besides the observations, expected at most 64", held>>20)
	} else {
		t.Logf("%d MiB were held besides the observations; the file has %d KiB", held>>20, bytes>>10)
	}
}

type writerFunc func([]byte) (int, error)

func (f writerFunc) Write(p []byte) (int, error) { return f(p) }

func BenchmarkWrite(b *testing.B) {
	o := scan(1 << 14)
	o.Folded = nil
	b.ReportAllocs()
	for b.Loop() {
		if err := Write(io.Discard, o); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/(1<<14), "ns/conversation")
}

func BenchmarkRead(b *testing.B) {
	o := scan(1 << 14)
	o.Folded = nil
	file := written(b, o)
	b.ReportAllocs()
	b.SetBytes(int64(len(file)))
	for b.Loop() {
		if _, err := Read(bytes.NewReader(file), int64(len(file))); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/(1<<14), "ns/conversation")
}
