package rules

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"bulkhead/capture"
)

func counted(o capture.Operation, count, accepted, refused uint64) capture.Operation {
	o.Count, o.Accepted, o.Refused, o.Unanswered = count, accepted, refused, count-accepted-refused
	return o
}

// TestOperationsOverSightings: traffic that two taps saw counts once, captures of
// one tap that follow one another add up.
func TestOperationsOverSightings(t *testing.T) {
	talked := func(ops ...capture.Operation) capture.Conversation { return modbus("10.3.0.5", "10.4.0.11", ops...) }
	type piece struct {
		path        string
		first, last time.Duration
		ops         []capture.Operation
	}
	write := func(count, accepted uint64) capture.Operation { return counted(fc6, count, accepted, 0) }
	tests := map[string]struct {
		pieces []piece
		want   string
	}{
		"one sighting": {[]piece{{"a.pcap", 0, 1, []capture.Operation{counted(fc3, 9, 9, 0), counted(fc6, 4, 3, 1)}}},
			"modbus 6 Write Single Register ×4: 3 accepted, 1 refused; modbus 3 Read Holding Registers ×9 accepted"},
		"two taps":                     {[]piece{{"a.pcap", 0, 1, []capture.Operation{write(4, 4)}}, {"b.pcap", 0, 1, []capture.Operation{write(5, 4)}}}, "modbus 6 Write Single Register ×5: 4 accepted, 1 unanswered"},
		"two taps, as many requests":   {[]piece{{"a.pcap", 0, 1, []capture.Operation{write(4, 0)}}, {"b.pcap", 0, 1, []capture.Operation{write(4, 4)}}}, "modbus 6 Write Single Register ×4 accepted"},
		"one tap, one after the other": {[]piece{{"a.pcap", 0, 1, []capture.Operation{write(4, 4)}}, {"x/a.pcap", 2, 3, []capture.Operation{write(5, 5)}}}, "modbus 6 Write Single Register ×9 accepted"},
		"one tap, at the same time":    {[]piece{{"a.pcap", 0, 2, []capture.Operation{write(4, 4)}}, {"x/a.pcap", 1, 3, []capture.Operation{write(5, 5)}}}, "modbus 6 Write Single Register ×5 accepted"},
		"each tap in turn": {[]piece{{"a.pcap", 0, 1, []capture.Operation{write(4, 4)}}, {"x/a.pcap", 2, 3, []capture.Operation{write(5, 5)}}, {"b.pcap", 0, 3, []capture.Operation{write(8, 8)}}},
			"modbus 6 Write Single Register ×9 accepted"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			for _, order := range [][]piece{test.pieces, slices.Collect(backwards(test.pieces))} {
				o := &capture.Observations{Schema: capture.Schema}
				for i, p := range order {
					o.Captures = append(o.Captures, capture.Capture{Path: p.path, SHA256: strings.Repeat(fmt.Sprint(i), 64), Complete: true,
						First: at(noon.Add(p.first * time.Hour)), Last: at(noon.Add(p.last * time.Hour))})
					c := talked(p.ops...)
					c.Capture = i
					o.Conversations = append(o.Conversations, c)
				}
				a := Judge(plant(t, strings.Replace(works, "MORE", "", 1)), o, asOf)
				if len(a.Flows) != 1 || len(a.Flows[0].SeenAt) != len(order) {
					t.Fatalf("%d flows", len(a.Flows))
				}
				if got := OperationsText(a.Flows[0].Operations); got != test.want {
					t.Errorf("got %s\nwant %s", got, test.want)
				}
			}
		})
	}
}

func backwards[T any](list []T) func(yield func(T) bool) {
	return func(yield func(T) bool) {
		for _, x := range slices.Backward(list) {
			if !yield(x) {
				return
			}
		}
	}
}

func TestOperationsAreBounded(t *testing.T) {
	var ops []capture.Operation
	for i := range MaxOperations + 5 {
		ops = append(ops, op(capture.Modbus, capture.Read, fmt.Sprint(i), "read"))
	}
	ops = append(ops, fc6)
	a := Judge(plant(t, strings.Replace(works, "MORE", "", 1)), seen(modbus("10.3.0.5", "10.4.0.11", ops...)), asOf)
	f := a.Flows[0]
	if len(f.Operations) != MaxOperations || !f.OperationsCut || f.Operations[0].Class != capture.Write {
		t.Errorf("%d operations, cut %v, the first %v", len(f.Operations), f.OperationsCut, f.Operations[0])
	}
	if text := OperationsText(f.Operations); !strings.HasSuffix(text, "; and 61 more kinds") {
		t.Error(text)
	}
}

// TestGravity: every class has its place.
func TestGravity(t *testing.T) {
	ranked, all := slices.Clone(classGravity), capture.Classes()
	slices.Sort(ranked)
	slices.Sort(all)
	if !slices.Equal(ranked, all) {
		t.Errorf("the order has %v, the classes are %v", ranked, all)
	}
}

func TestOperationsText(t *testing.T) {
	session := FlowOperation{Protocol: "s7comm", Code: "job:0xf0", Name: "Setup communication", Class: capture.Session, Count: 1, Accepted: 1}
	read := FlowOperation{Protocol: "s7comm", Code: "job:0x04", Name: "Read Var", Class: capture.Read, Count: 2, Accepted: 1, Refused: 1}
	sent := FlowOperation{Protocol: "s7comm", Code: "job:0x1b", Name: "Download block", Class: capture.Program, From: capture.FromServer, Count: 7}
	bare := FlowOperation{Protocol: "x", Code: "7", Name: "7", Class: capture.Event, Count: 3}
	for want, list := range map[string][]FlowOperation{
		"": {},
		"s7comm job:0xf0 Setup communication ×1 accepted":                    {session},
		"s7comm job:0x04 Read Var ×2: 1 accepted, 1 refused":                 {sent, read, session},
		"s7comm job:0x1b Download block ×7":                                  {sent, session},
		"x 7 ×3; x 7 ×3; x 7 ×3; and 1 more kind":                            {bare, bare, bare, bare, session},
		"x 7 ×3; s7comm job:0x04 Read Var ×2: 1 accepted, 1 refused; x 7 ×3": {bare, read, bare, session},
	} {
		if got := OperationsText(list); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}

// TestFindingsShowTheGravest: the message and the evidence begin with the flow that
// did the gravest thing, wherever it stands among the others.
func TestFindingsShowTheGravest(t *testing.T) {
	var cs []capture.Conversation
	for i := range 40 {
		cs = append(cs, modbus(fmt.Sprintf("10.1.0.%d", 10+i), "10.5.0.11", fc3))
	}
	cs = append(cs, modbus("10.1.0.99", "10.5.0.11", fc3, fc6))
	cs = append(cs, talk("10.1.0.2", "10.5.0.11", 0, capture.ICMP, func(c *capture.Conversation) { c.Transport = capture.OverICMP }))
	f := findingOf(t, Judge(plant(t, strings.Replace(works, "MORE", "", 1)), seen(cs...), asOf), "EV-005:sis")
	want := "10.1.0.99 in office to sis/trip (10.5.0.11): spoke modbus on tcp/502 (modbus 6 Write Single Register ×5 accepted; modbus 3 Read Holding Registers ×5 accepted), and no conduit joins"
	if !strings.HasPrefix(f.Message, want) || !strings.HasSuffix(f.Message, "; and 41 more like it") {
		t.Errorf("message %q, want %q …", f.Message, want)
	}
	if len(f.Evidence) != MaxEvidence || !strings.HasPrefix(f.Evidence[0].Flow, "10.1.0.99 ") {
		t.Errorf("%d pieces of evidence, the first %s", len(f.Evidence), f.Evidence[0].Flow)
	}
	for _, e := range f.Evidence {
		if strings.HasPrefix(e.Flow, "10.1.0.2 ") {
			t.Error("a ping stands before a request")
		}
	}
}

// TestFindingIDsAreOfTheirMeaning: other frame numbers, files and times leave every
// ID as it is, and traffic that has nothing to do with a finding takes none away.
func TestFindingIDsAreOfTheirMeaning(t *testing.T) {
	m := plant(t, strings.Replace(works, "MORE", "", 1))
	rng := rand.New(rand.NewPCG(11, 12))
	for range 20 {
		o := randomPart(rng, heap(), 0.5)
		want := findingIDs(Judge(m, o, asOf))

		moved := &capture.Observations{Schema: o.Schema, Captures: slices.Clone(o.Captures), Endpoints: slices.Clone(o.Endpoints)}
		for i := range moved.Captures {
			c := &moved.Captures[i]
			c.SHA256 = strings.Repeat(string("fedcba"[i]), 64)
			c.Path = "elsewhere/" + c.Path
			c.Frames += 100
		}
		for _, c := range o.Conversations {
			c.Example.Frame += 1000
			c.Operations = slices.Clone(c.Operations)
			for i := range c.Operations {
				frames := slices.Clone(c.Operations[i].Frames)
				for k := range frames {
					frames[k].Frame += 1000
				}
				c.Operations[i].Frames = frames
			}
			moved.Conversations = append(moved.Conversations, c)
		}
		if diff := cmp.Diff(want, findingIDs(Judge(m, moved, asOf))); diff != "" {
			t.Fatalf("other frames and files changed the IDs (-before +after):\n%s", diff)
		}

		// Between hosts and zones that the heap leaves alone.
		more := talk("10.9.0.200", "10.9.0.201", 502, capture.Modbus)
		moved.Conversations = append(moved.Conversations, more)
		if diff := cmp.Diff(want, findingIDs(Judge(m, moved, asOf))); diff != "" {
			t.Fatalf("a flow besides changed the IDs (-before +after):\n%s", diff)
		}
	}
}

// TestEverythingSeenAtTwoTaps: a second tap that saw all the same adds sightings
// and nothing else: no flow, no finding, no operation.
func TestEverythingSeenAtTwoTaps(t *testing.T) {
	m := plant(t, strings.Replace(works, "MORE", "", 1))
	rng := rand.New(rand.NewPCG(13, 14))
	for range 20 {
		once := randomPart(rng, heap(), 0.5)
		twice := &capture.Observations{Schema: once.Schema, Captures: slices.Clone(once.Captures), Conversations: slices.Clone(once.Conversations), Endpoints: once.Endpoints}
		copyOf := map[int]int{}
		for i, c := range once.Captures {
			copyOf[i] = len(twice.Captures)
			c.SHA256 = strings.Repeat(fmt.Sprint(i), 64)
			c.Path = "again/" + c.Path // the same tap's, at the same time
			twice.Captures = append(twice.Captures, c)
		}
		for _, c := range once.Conversations {
			c.Capture = copyOf[c.Capture]
			twice.Conversations = append(twice.Conversations, c)
		}
		a, b := Judge(m, once, asOf), Judge(m, twice, asOf)
		if len(a.Flows) != len(b.Flows) {
			t.Fatalf("%d flows, seen twice %d", len(a.Flows), len(b.Flows))
		}
		for i := range a.Flows {
			x, y := a.Flows[i], b.Flows[i]
			if len(y.SeenAt) != 2*len(x.SeenAt) {
				t.Errorf("%s to %s: seen at %d, then %d", x.Client.Address, x.Server.Address, len(x.SeenAt), len(y.SeenAt))
			}
			x.SeenAt, y.SeenAt = nil, nil
			if diff := cmp.Diff(toJSON(t, x), toJSON(t, y)); diff != "" {
				t.Errorf("-once +twice:\n%s", diff)
			}
		}
		messages := func(a *Assessment) map[string]string {
			out := map[string]string{}
			for _, f := range a.Findings {
				out[f.ID] = fmt.Sprintf("%s %d %s", f.Severity, f.Flows, f.Message)
			}
			return out
		}
		if x, y := messages(a), messages(b); !maps.Equal(x, y) {
			t.Error(cmp.Diff(x, y))
		}
	}
}
