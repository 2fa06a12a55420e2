package rules

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"bulkhead/capture"
	"bulkhead/internal/mac"
	"bulkhead/model"
)

// plant loads a model written in a test.
func plant(t testing.TB, yaml string) *model.Model {
	t.Helper()
	m, diagnostics := model.Load(fstest.MapFS{"plant.yaml": {Data: []byte(yaml)}}, "plant.yaml", Known())
	for _, d := range diagnostics {
		if d.Severity == model.Error {
			t.Errorf("%s: %s [%s]", d.Position, d.Message, d.Code)
		}
	}
	if m == nil {
		t.FailNow()
	}
	return m
}

// noon is a Monday, at twelve in Amsterdam.
var noon = time.Date(2026, 3, 2, 11, 0, 0, 0, time.UTC)

func at(t time.Time) capture.Time { return capture.NewTime(t.UnixNano(), 6) }

// tape makes observations of captures named a.pcap, b.pcap, …, each two hours long,
// of the conversations given for each.
func tape(captures ...[]capture.Conversation) *capture.Observations {
	o := &capture.Observations{Schema: capture.Schema}
	for i, convs := range captures {
		name := string(rune('a' + i))
		o.Captures = append(o.Captures, capture.Capture{Path: name + ".pcap", SHA256: strings.Repeat(name, 64), Complete: true,
			First: at(noon.Add(-time.Hour)), Last: at(noon.Add(time.Hour)), WatchedMS: (2 * time.Hour).Milliseconds(), Frames: 1000})
		for _, c := range convs {
			c.Capture = i
			o.Conversations = append(o.Conversations, c)
		}
	}
	o.Sort()
	return o
}

// edit changes a conversation.
type edit func(*capture.Conversation)

// talk is a TCP conversation that was answered, with both roles and the protocol
// sure and the payload in clear, unless edited.
func talk(client, server string, port uint16, p capture.Protocol, edits ...edit) capture.Conversation {
	c := capture.Conversation{
		Client: capture.Peer{IP: netip.MustParseAddr(client)}, Server: capture.Server{Peer: capture.Peer{IP: netip.MustParseAddr(server)}, Port: port},
		Transport: capture.TCP, Protocol: p, ProtocolBasis: capture.Content, RoleBasis: capture.Handshake,
		State: capture.State{Answered: 1}, Connections: 1, Packets: capture.Volume{Sent: 20, Received: 20},
		Bytes: capture.Volume{Sent: 2000, Received: 2000}, Payload: capture.Volume{Sent: 500, Received: 500},
		First: at(noon), Last: at(noon.Add(10 * time.Minute)), Protection: capture.Protection{None: 1},
		Example: capture.Example{Frame: 7, FiveTuple: fmt.Sprintf("tcp %s:50000 %s:%d", client, server, port), CommunityID: "1:test"},
	}
	for _, e := range edits {
		e(&c)
	}
	return c
}

func asks(ops ...capture.Operation) edit {
	return func(c *capture.Conversation) { c.Operations = append(c.Operations, ops...) }
}

// op is an operation that a client asked for five times and a server accepted.
func op(p capture.Protocol, class capture.Class, code, name string) capture.Operation {
	return capture.Operation{Protocol: p, Name: name, Code: code, Class: class, Count: 5, Accepted: 5,
		Frames: []capture.FrameRef{{Frame: 10}, {Frame: 12}}, Active: []capture.Run{{From: at(noon), Minutes: 5, Count: 5, Frame: 10}}}
}

func refused(o capture.Operation) capture.Operation {
	o.Refused, o.Accepted = o.Accepted, 0
	return o
}

func on(o capture.Operation, ranges ...string) capture.Operation {
	for _, r := range ranges {
		parsed, err := capture.ParseObjects(capture.Modbus, r)
		if err != nil {
			panic(err)
		}
		o.Details.Objects = append(o.Details.Objects, parsed)
	}
	return o
}

var (
	fc3     = op(capture.Modbus, capture.Read, "3", "Read Holding Registers")
	fc6     = on(op(capture.Modbus, capture.Write, "6", "Write Single Register"), "40005")
	s7stop  = op(capture.S7comm, capture.Mode, "job:0x29", "PLC Stop")
	s7load  = op(capture.S7comm, capture.Program, "job:0x1a", "Request download")
	s7fetch = op(capture.S7comm, capture.Program, "job:0x1d", "Start upload")
	s7setup = op(capture.S7comm, capture.Session, "job:0xf0", "Setup communication")
)

func modbus(client, server string, ops ...capture.Operation) capture.Conversation {
	return talk(client, server, 502, capture.Modbus, asks(ops...))
}

func encrypted(c *capture.Conversation) {
	c.Protection = capture.Protection{Encrypted: 1}
}

func udp(c *capture.Conversation) {
	c.Transport, c.RoleBasis = capture.UDP, capture.Content
}

// datagrams makes a conversation one-way.
func datagrams(c *capture.Conversation) {
	udp(c)
	c.State = capture.State{Attempted: 1}
	c.Packets.Received, c.Bytes.Received, c.Payload.Received = 0, 0, 0
}

// unanswered makes a conversation a SYN, sent three times, without an answer.
func unanswered(c *capture.Conversation) {
	c.State = capture.State{Attempted: 1}
	c.Packets = capture.Volume{Sent: 3}
	c.Payload, c.Protection, c.Operations = capture.Volume{}, capture.Protection{}, nil
	c.ProtocolBasis = capture.Port
}

func reset(c *capture.Conversation) {
	unanswered(c)
	c.State = capture.State{Refused: 1}
	c.Packets = capture.Volume{Sent: 1, Received: 1}
}

func protocolBasis(b capture.Basis) edit {
	return func(c *capture.Conversation) { c.ProtocolBasis = b }
}

func roleBasis(b capture.Basis) edit { return func(c *capture.Conversation) { c.RoleBasis = b } }

func login(kind string, readable bool, length int) edit {
	return func(c *capture.Conversation) {
		c.Security.Auth = append(c.Security.Auth, capture.AuthFact{Kind: kind, Readable: readable, Length: length, Count: 1, Frame: 9})
	}
}

func ether(client, server string) edit {
	return func(c *capture.Conversation) {
		c.Client.MAC, c.Server.MAC = mustMAC(client), mustMAC(server)
	}
}

func mustMAC(s string) mac.Addr {
	m, err := mac.Parse(s)
	if err != nil {
		panic(err)
	}
	return m
}

// host is an endpoint that sent some frames over some time.
func host(ip string, frames uint64, span time.Duration) capture.Endpoint {
	return capture.Endpoint{IP: netip.MustParseAddr(ip), MAC: mustMAC("00:11:22:33:44:55"), Frames: frames, First: at(noon), Last: at(noon.Add(span))}
}

func hear(o *capture.Observations, endpoints ...capture.Endpoint) *capture.Observations {
	o.Endpoints = append(o.Endpoints, endpoints...)
	return o
}

var asOf = Options{AsOf: model.Date{Year: 2026, Month: 3, Day: 15}}

// findingIDs lists an assessment's contradictions and weakenings, ascending.
func findingIDs(a *Assessment) []string {
	ids := []string{}
	for _, f := range a.Findings {
		if f.Class != CoverageClass {
			ids = append(ids, f.ID)
		}
	}
	slices.Sort(ids)
	return ids
}

func findingOf(t testing.TB, a *Assessment, id string) Finding {
	t.Helper()
	for _, f := range a.Findings {
		if f.ID == id {
			return f
		}
	}
	t.Fatalf("no finding %s; there are %v", id, findingIDs(a))
	return Finding{}
}

func levelsOf(t testing.TB, a *Assessment, id string) Levels {
	t.Helper()
	for _, l := range slices.Concat(a.Zones, a.Conduits) {
		if l.ID == id {
			return l
		}
	}
	t.Fatalf("no levels of %q", id)
	return Levels{}
}
