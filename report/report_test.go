package report

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"net/netip"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode"
	"unicode/utf8"

	"bulkhead/capture"
	"bulkhead/conduits"
	"bulkhead/internal/golden"
	"bulkhead/model"
	"bulkhead/rules"
	"bulkhead/rules/iec62443"
	"bulkhead/zones"
)

func vector(s string) zones.Vector {
	v, err := zones.ParseVector(s)
	if err != nil {
		panic(err)
	}
	return v
}

// levels returns SL-A or declared levels; "-" is null.
func levels(s string) (out [zones.NumFR]*uint8) {
	for i, f := range strings.Fields(s) {
		if f != "-" {
			n := f[0] - '0'
			out[i] = &n
		}
	}
	return out
}

// judged builds the levels of a zone or conduit, its gaps worked out.
func judged(id, kind, slt, declared, ceiling, sla, coverage string) rules.Levels {
	l := rules.Levels{ID: id, Kind: kind, SLT: vector(slt), Declared: levels(declared), Ceiling: vector(ceiling), SLA: levels(sla), Coverage: coverage}
	for i := range zones.NumFR {
		got := uint8(0)
		if l.SLA[i] != nil {
			got = *l.SLA[i]
		}
		if got < l.SLT[i] {
			l.Gap = append(l.Gap, rules.Gap{FR: zones.FR(i), Levels: l.SLT[i] - got, Design: l.Declared[i] == nil || *l.Declared[i] < l.SLT[i], Evidence: l.Ceiling[i] < l.SLT[i]})
		}
		l.Testable[i] = rules.Share{Testable: []int{12, 6, 6, 5, 9, 0, 7}[i], Of: []int{24, 24, 19, 6, 11, 3, 13}[i]}
	}
	return l
}

var start = time.Date(2026, 3, 2, 10, 0, 0, 0, time.UTC)

func after(d time.Duration) capture.Time { return capture.NewTime(start.Add(d).UnixNano(), 6) }

func hash(c byte) string { return strings.Repeat(string(c), 64) }

func cellA() capture.Capture {
	return capture.Capture{Path: "captures/cell-a-1.pcapng", SHA256: hash('a'), Frames: 12044, First: after(0), Last: after(2 * time.Hour), WatchedMS: (2 * time.Hour).Milliseconds(), Complete: true,
		Ledger: capture.Ledger{Decoded: 11803, OtherL2: 240, Duplicate: 1, Reasons: []capture.Reason{
			{State: "other_l2", Reason: "ethertype 0x8892", Frames: 228}, {State: "other_l2", Reason: "ethertype 0x88e1", Frames: 12}, {State: "duplicate", Reason: "same frame within 1 ms", Frames: 1}}}}
}

func cellB() capture.Capture {
	return capture.Capture{Path: "captures/cell-b.pcap", SHA256: hash('b'), Frames: 300, First: after(time.Hour), Last: after(150 * time.Minute), WatchedMS: (90 * time.Minute).Milliseconds(),
		Ledger: capture.Ledger{Decoded: 300}, Errors: []capture.ReadError{{Offset: 48211, What: "the file ends inside a record of 60 bytes"}}}
}

// breached is a plant in which a historian reads what only the HMI may, a batch
// controller writes into the safety zone and a host nobody listed calls.
func breached() *rules.Assessment {
	at := func(line int) *zones.Position { return &zones.Position{File: "plant.yaml", Line: line, Column: 9} }
	return &rules.Assessment{
		Schema: rules.Schema, AsOf: "2026-03-15", Verdict: rules.OverallBreach,
		Model:    rules.ModelRef{Path: "plant.yaml", SHA256: hash('3'), System: model.System{ID: "tl-1", Name: "Truck loading terminal", Revision: "3"}},
		Captures: []rules.CaptureRef{{Capture: cellA(), Tap: "cell-a"}, {Capture: cellB()}},
		Zones: []rules.Levels{
			judged("dmz", "dmz", "2", "2 2 2 2 2 2 2", "4", "2 2 2 2 2 2 2", "seen"),
			judged("bpcs", "control", "2 2 2 1 2 1 2", "2 2 2 1 2 1 2", "1 4 2 3 1 4 4", "1 2 2 1 1 1 2", "seen"),
			judged("sis", "safety", "3 3 3 1 3 2 2", "2 3 2 1 3 1 2", "4 0 2 3 0 4 4", "2 0 2 1 0 1 2", "seen"),
			judged("wls", "wireless", "2 2 2 2 2 1 1", "- - - - - - -", "4", "- - - - - - -", "not-seen"),
			judged("tmp", "temporary", "2", "2 2 2 - 2 1 2", "4", "2 2 2 - 2 1 2", "not-seen"),
		},
		Conduits: []rules.Levels{
			judged("c2", "wired", "2", "2 2 2 2 2 2 2", "4", "2 2 2 2 2 2 2", "seen-allowed"),
			judged("c3", "wired", "2", "2 2 2 2 2 2 2", "4 4 2 3 1 4 4", "2 2 2 2 1 2 2", "violated"),
			judged("c5", "wireless", "2", "2 2 2 2 2 2 2", "4", "2 2 2 2 2 2 2", "not-observable"),
			judged("c6", "wired", "2", "2 2 2 2 2 2 2", "4", "2 2 2 2 2 2 2", "observable-silent"),
		},
		Flows: []rules.Flow{
			{ClientZone: "ops", ServerZone: "bpcs", Protocol: capture.Modbus, Conduit: "c3", Relation: "cross", Verdict: rules.Breach,
				Client: rules.FlowEnd{Address: "10.2.0.5", Asset: "ops/hist"}, Server: rules.FlowServer{FlowEnd: rules.FlowEnd{Address: "10.4.0.11", Asset: "bpcs/plc-1"}, Port: 502, Transport: capture.TCP},
				Operations: []rules.FlowOperation{
					{Protocol: capture.Modbus, Code: "6", Name: "Write Single Register", Class: capture.Write, Count: 4, Accepted: 3, Refused: 1},
					{Protocol: capture.Modbus, Code: "3", Name: "Read Holding Registers", Class: capture.Read, Count: 90, Accepted: 90}},
				Permit:   rules.Permit{Reason: "endpoint", Detail: `ops/hist called bpcs/plc-1; channel "poll" is from ops/hmi to bpcs`},
				Unjudged: []string{`modbus write (code 6) was seen on Sat 2026-03-02 at 10:00 (UTC); channel "poll" is open Mon 10:00-13:00`}},
			{ClientZone: "ops", ServerZone: "bpcs", Protocol: capture.Modbus, Conduit: "c3", Relation: "cross", Verdict: rules.Allowed, Permit: rules.Permit{Allowed: true}},
			{ClientZone: "ent", ServerZone: "ops", Protocol: capture.RDP, Relation: "cross", Verdict: rules.Refused,
				Client: rules.FlowEnd{Address: "10.1.0.5"}, Server: rules.FlowServer{FlowEnd: rules.FlowEnd{Address: "10.2.0.7", Asset: "ops/ews"}}, Permit: rules.Permit{Reason: "no-conduit", Detail: "no conduit joins ent and ops"}},
			{ClientZone: "ent", ServerZone: "ops", Protocol: capture.SSH, Relation: "cross", Verdict: rules.Refused,
				Client: rules.FlowEnd{Address: "10.1.0.6"}, Server: rules.FlowServer{FlowEnd: rules.FlowEnd{Address: "10.2.0.7", Asset: "ops/ews"}}, Permit: rules.Permit{Reason: "no-conduit", Detail: "no conduit joins ent and ops"}},
			{ClientZone: "", ServerZone: "bpcs", Protocol: capture.Unknown, Relation: "cross", Verdict: rules.NotAssessable,
				Client: rules.FlowEnd{Address: "192.168.1.7"}, Server: rules.FlowServer{FlowEnd: rules.FlowEnd{Address: "10.4.0.11", Asset: "bpcs/plc-1"}}, Reasons: []string{"192.168.1.7 is declared behind 2 taps and the capture belongs to none"}},
			{ClientZone: "@unassigned", ServerZone: "bpcs", Protocol: capture.DNS, Relation: "cross", Verdict: rules.Unassigned,
				Client: rules.FlowEnd{Address: "172.16.0.9"}, Server: rules.FlowServer{FlowEnd: rules.FlowEnd{Address: "10.4.0.12", Asset: "bpcs/batch"}}, Reasons: []string{"172.16.0.9 is in no zone of the model"}},
			{ClientZone: "bpcs", ServerZone: "bpcs", Protocol: capture.Modbus, Relation: "intra", Verdict: rules.Intra, Permit: rules.Permit{Allowed: true}},
		},
		Findings: []rules.Finding{
			{ID: "EV-070:c3", Rule: "EV-070", Class: rules.Contradiction, Severity: rules.Critical, Confidence: "high", Status: rules.Accepted, Subject: rules.Subject{Kind: "conduit", ID: "c3"},
				Message: "modbus crosses the boundary without cryptographic protection", Requirements: []string{"SR 3.1 RE(1)"}, Caps: map[zones.FR]uint8{zones.SI: 2}, Exception: "x-live",
				Evidence: []rules.Evidence{{Capture: hash('c'), Count: 12, First: after(time.Second)}}},
			{ID: "EV-090:bpcs", Rule: "EV-090", Class: rules.Weakening, Severity: rules.Medium, Confidence: "medium", Status: rules.Open, Subject: rules.Subject{Kind: "zone", ID: "bpcs"},
				Message: "10.4.0.99 is not in the inventory of bpcs", Requirements: []string{"SR 7.8"}, Fix: `find out what the host is; list it among the assets of zone "bpcs"`, Flows: 9,
				Evidence: []rules.Evidence{
					{Capture: hash('a'), Frames: []uint64{7}, Count: 1, First: after(time.Minute), Last: after(time.Minute), Flow: "10.4.0.99 in bpcs to bpcs/plc-1 (10.4.0.11) tls on tcp/443", Filter: "ip.addr==10.4.0.99"},
					{Capture: hash('b'), Frames: []uint64{8, 9}, Count: 2, First: after(time.Hour), Last: after(61 * time.Minute), Flow: "10.4.0.99 in bpcs to bpcs/batch (10.4.0.12) tls on tcp/443", Filter: "ip.addr==10.4.0.99"},
					{Capture: hash('b'), Frames: []uint64{10}, Count: 1}, {Capture: hash('b'), Frames: []uint64{11}, Count: 1}}},
			{ID: "EV-110:sis", Rule: "EV-110", Class: rules.Contradiction, Severity: rules.Critical, Confidence: "high", Status: rules.Open, Subject: rules.Subject{Kind: "zone", ID: "sis"},
				Message:      `bpcs/batch (10.4.0.12) wrote to sis/trip (10.5.0.11) by modbus (Write Single Register, code 6) over conduit "c4"; channel "watch" permits read`,
				Requirements: []string{"SR 1.2", "SR 2.1", "SR 5.2"}, Caps: map[zones.FR]uint8{zones.UC: 0, zones.RDF: 0}, Compensated: []string{"SR 1.2"}, Model: at(52), Flows: 1,
				Fix: "keep bpcs/batch from doing this; engineering of safety zone sis belongs to its own engineering station",
				Evidence: []rules.Evidence{{Capture: hash('a'), Frames: []uint64{1041, 1044, 1047, 1050, 1053, 1056, 1059, 1062, 1065, 1068, 1071, 1074}, Count: 57, First: after(14 * time.Minute), Last: after(15 * time.Minute),
					Flow: "bpcs/batch (10.4.0.12) to sis/trip (10.5.0.11) modbus on tcp/502", Filter: "ip.addr==10.4.0.12 && ip.addr==10.5.0.11 && tcp.port==502 && modbus.func_code==6"}}},
		},
		Coverage: []rules.Coverage{
			{Conduit: "c2", State: "seen-allowed", Taps: []string{"cell-a"}, First: after(0), Last: after(2 * time.Hour), WatchedMS: (2 * time.Hour).Milliseconds(), Flows: 4},
			{Conduit: "c3", State: "violated", Taps: []string{"cell-a", "core"}, First: after(0), Last: after(2 * time.Hour), WatchedMS: (2 * time.Hour).Milliseconds(), Flows: 2},
			{Conduit: "c5", State: "not-observable"},
			{Conduit: "c6", State: "observable-silent", Taps: []string{"cell-a"}, First: after(0), Last: after(2 * time.Hour), WatchedMS: (2 * time.Hour).Milliseconds(), Flows: 2, Attempts: 2},
		},
		Notes: []rules.Note{
			{Code: "capture-without-tap", Text: `capture "captures/cell-b.pcap" belongs to no tap of the model`},
			{Code: "exception-expired", Text: `exception "x-old" for EV-070 on ops expired on 2026-03-14; its finding is open again`, Model: at(63)},
		},
	}
}

func text(t *testing.T, a *rules.Assessment, o Options) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := Text(&b, a, o); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func yamlLine(p zones.Position) string {
	if p.Line == 52 {
		return "    channels: [{id: watch, from: bpcs, to: sis/trip, protocol: modbus, operations: [read]}]"
	}
	return ""
}

func TestTextGolden(t *testing.T) {
	clean := breached()
	clean.Verdict, clean.Findings, clean.Flows, clean.Notes = rules.NoContradiction, nil, clean.Flows[1:2], nil
	clean.Zones, clean.Conduits, clean.Captures = clean.Zones[:1], clean.Conduits[:1], clean.Captures[:1]
	clean.Coverage[1].State = "seen-allowed"
	for _, c := range []struct {
		name string
		a    *rules.Assessment
		o    Options
	}{
		{"breach-100", breached(), Options{Width: 100, Line: yamlLine}},
		{"breach-80", breached(), Options{Width: 80, Line: yamlLine}},
		{"breach-colour", breached(), Options{Colour: true}},
		{"clean", clean, Options{}},
		{"empty", &rules.Assessment{Verdict: rules.OverallNotAssessable, AsOf: "2026-03-15"}, Options{}},
	} {
		t.Run(c.name, func(t *testing.T) {
			golden.Compare(t, filepath.Join("testdata", c.name+".txt"), text(t, c.a, c.o))
		})
	}
}

// The verdict is told in words that claim no more than traffic can show.
func TestHeadline(t *testing.T) {
	short := judged("a", "control", "2", "2 2 2 2 2 2 2", "1 4 4 4 4 4 4", "1 2 2 2 2 2 2", "seen")
	good := judged("b", "control", "2", "2 2 2 2 2 2 2", "4", "2 2 2 2 2 2 2", "seen")
	seen := func(states ...string) (out []rules.Coverage) {
		for _, s := range states {
			out = append(out, rules.Coverage{State: s})
		}
		return out
	}
	for _, c := range []struct {
		a    rules.Assessment
		want string
	}{
		{rules.Assessment{Verdict: rules.OverallBreach, Zones: []rules.Levels{short, good}}, "BREACH: 1 zone falls below its SL-T"},
		{rules.Assessment{Verdict: rules.OverallBreach, Zones: []rules.Levels{short, short}}, "BREACH: 2 zones fall below their SL-T"},
		{rules.Assessment{Verdict: rules.OverallBreach, Conduits: []rules.Levels{short}}, "BREACH: 1 conduit falls below its SL-T"},
		{rules.Assessment{Verdict: rules.OverallBreach, Zones: []rules.Levels{short}, Conduits: []rules.Levels{short}}, "BREACH: 1 zone and 1 conduit fall below their SL-T"},
		{rules.Assessment{Verdict: rules.OverallDeviation, Flows: []rules.Flow{{Verdict: rules.Deviation}}}, "DEVIATION: 1 flow goes against the model; no SL-T is shown to be missed"},
		{rules.Assessment{Verdict: rules.NoContradiction, Coverage: seen("seen-allowed", "observable-silent", "not-observable")}, "no contradiction seen on 2 of 2 observable conduits in 0 s"},
		{rules.Assessment{Verdict: rules.OverallNotAssessable}, "NOT ASSESSABLE: nothing was seen that could be judged"},
	} {
		got, _, _ := strings.Cut(string(text(t, &c.a, Options{Width: 200})), "\n")
		if got != c.want {
			t.Errorf("got  %q\nwant %q", got, c.want)
		}
	}
}

func TestNeverCompliant(t *testing.T) {
	for _, v := range []rules.OverallVerdict{rules.OverallBreach, rules.OverallDeviation, rules.NoContradiction, rules.OverallNotAssessable} {
		a := breached()
		a.Verdict = v
		if out := strings.ToLower(string(text(t, a, Options{}))); strings.Contains(out, "complian") {
			t.Errorf("%s: the report speaks of compliance", v)
		}
	}
}

// hostileText holds what could drive a terminal.
const hostileText = "a\x1b[2J\r\n\tb\x00\u202ec\u2066\u200bd\x7f\u009b31m\xff"

// No control character and no mark that turns the direction of writing gets out,
// wherever it stands, and no line is wider than the page where it can be broken.
func TestHostileText(t *testing.T) {
	a := breached()
	long := strings.Repeat("x", 10000)
	for _, evil := range []string{hostileText, long} {
		a.Model.System = model.System{ID: evil, Name: evil, Revision: evil}
		a.Model.Path, a.Model.SHA256 = evil, evil
		a.Captures[0].Path, a.Captures[0].Tap, a.Captures[0].SHA256 = evil, evil, evil
		a.Captures[1].Errors[0].What = evil
		a.Captures[0].Ledger.Reasons[0].Reason = evil
		a.Zones[0].ID, a.Zones[0].Coverage, a.Conduits[0].ID = evil, evil, evil
		f := &a.Findings[2]
		*f = rules.Finding{ID: evil, Rule: evil, Class: rules.Class(evil), Severity: rules.Severity(evil), Confidence: evil, Subject: rules.Subject{Kind: evil, ID: evil},
			Message: evil, Requirements: []string{evil}, Compensated: []string{evil}, Fix: evil, Exception: evil, Model: &zones.Position{File: evil, Line: 1},
			Evidence: []rules.Evidence{{Capture: evil, Filter: evil, Flow: evil}}}
		a.Flows[0].ClientZone, a.Flows[0].Protocol, a.Flows[0].Permit.Detail = evil, capture.Protocol(evil), evil
		a.Flows[0].Client, a.Flows[0].Server = rules.FlowEnd{Address: evil}, rules.FlowServer{FlowEnd: rules.FlowEnd{Asset: evil}}
		a.Flows[0].Operations = []rules.FlowOperation{{Protocol: capture.Protocol(evil), Code: evil, Name: evil, Class: capture.Class(evil)}}
		a.Coverage[0] = rules.Coverage{Conduit: evil, State: evil, Taps: []string{evil}}
		a.Notes[0] = rules.Note{Code: evil, Text: evil, Model: &zones.Position{File: evil}}
		checkSafe(t, text(t, a, Options{Line: func(zones.Position) string { return evil }}))
	}

	o := &capture.Observations{Captures: []capture.Capture{a.Captures[0].Capture}, Conversations: []capture.Conversation{
		{Protocol: hostileText, Transport: hostileText, Operations: []capture.Operation{{Class: hostileText, Name: hostileText}},
			Security: capture.Security{Auth: []capture.AuthFact{{Kind: hostileText, Readable: true}}, TLS: []capture.TLSFact{{Version: hostileText}}}}}}
	var b bytes.Buffer
	if err := ObservationsText(&b, o, Options{}); err != nil {
		t.Fatal(err)
	}
	checkSafe(t, b.Bytes())

	b.Reset()
	d := model.Diagnostic{Severity: model.Error, Position: zones.Position{File: hostileText, Line: 1, Column: 3}, Code: hostileText, Message: hostileText, Suggest: hostileText, Line: hostileText, Width: 4}
	if err := DiagnosticsText(&b, []model.Diagnostic{d}, false); err != nil {
		t.Fatal(err)
	}
	checkSafe(t, b.Bytes())
}

func checkSafe(t *testing.T, out []byte) {
	t.Helper()
	for i, l := range strings.Split(string(out), "\n") {
		if !utf8.ValidString(l) {
			t.Errorf("line %d is no UTF-8: %q", i+1, l)
		}
		for _, r := range l {
			if !unicode.IsPrint(r) {
				t.Errorf("line %d holds %U: %q", i+1, r, l)
				break
			}
		}
		if n := utf8.RuneCountInString(l); n > maxText+100 {
			t.Errorf("line %d has %d columns", i+1, n)
		}
	}
}

// What is left out of a long list is counted.
func TestBounded(t *testing.T) {
	a := breached()
	a.Findings = nil
	for i := range 1000 {
		id := fmt.Sprintf("z%d", i)
		a.Findings = append(a.Findings, rules.Finding{ID: id, Rule: "EV-001", Severity: rules.High, Status: rules.Open, Subject: rules.Subject{ID: id}})
		a.Flows = append(a.Flows, rules.Flow{ClientZone: id, ServerZone: "bpcs", Relation: "cross", Verdict: rules.Deviation})
		a.Coverage = append(a.Coverage, rules.Coverage{Conduit: id, State: "not-observable"})
		a.Conduits = append(a.Conduits, judged(id, "wired", "2", "2 2 2 2 2 2 2", "4", "2 2 2 2 2 2 2", "not-observable"))
	}
	out := string(text(t, a, Options{}))
	for _, want := range []string{"and 940 more findings", "and 982 more pairs of zones", "and 964 more conduits", "and 964 more conduits, none of which evidence holds below SL-T"} {
		if !strings.Contains(out, want) {
			t.Errorf("the report does not say %q", want)
		}
	}
	if n := strings.Count(out, "\n"); n > 1000 {
		t.Errorf("the report has %d lines", n)
	}
}

func TestWrap(t *testing.T) {
	for _, c := range []struct {
		text        string
		first, rest int
		want        []string
	}{
		{"", 10, 10, []string{""}},
		{"one two three", 7, 7, []string{"one two", "three"}},
		{"one two three", 3, 9, []string{"one", "two three"}},
		{"abcdefghij", 4, 4, []string{"abcd", "efgh", "ij"}},
		{"ab cdefgh", 4, 4, []string{"ab", "cdef", "gh"}},
		{"a \x1b[31;1mb c\x1b[0m d", 5, 5, []string{"a \x1b[31;1mb c\x1b[0m", "d"}},
	} {
		if got := wrap(c.text, c.first, c.rest); fmt.Sprintf("%q", got) != fmt.Sprintf("%q", c.want) {
			t.Errorf("wrap(%q, %d, %d) = %q, want %q", c.text, c.first, c.rest, got, c.want)
		}
	}
}

func TestCut(t *testing.T) {
	for _, c := range []struct {
		in   string
		n    int
		want string
	}{
		{"plc", 3, "plc"}, {"plc-1", 3, "pl…"}, {"日本語", 3, "日本語"}, {"日本語", 2, "日…"}, {"\x1b[31m", 20, `\x1b[31m`}, {"\u202e", 5, `\u202e`}, {"\xff", 5, `\xff`}, {"", 1, ""}, {"\U000e0001", 5, `\U000e0001`},
	} {
		if got := cut(c.in, c.n); got != c.want {
			t.Errorf("cut(%q, %d) = %q, want %q", c.in, c.n, got, c.want)
		}
	}
}

func TestJSON(t *testing.T) {
	var b bytes.Buffer
	if err := JSON(&b, map[string]string{"filter": "a < b && c > d"}); err != nil {
		t.Fatal(err)
	}
	if want := "{\n  \"filter\": \"a < b && c > d\"\n}\n"; b.String() != want {
		t.Errorf("got %q, want %q", b.String(), want)
	}
	b.Reset()
	if err := JSON(&b, breached()); err != nil {
		t.Fatal(err)
	}
	var back map[string]any
	if err := json.Unmarshal(b.Bytes(), &back); err != nil || back["schema"] != rules.Schema {
		t.Errorf("the JSON reads back as schema %v, error %v", back["schema"], err)
	}
}

type broken struct{}

var errBroken = errors.New("no space left")

func (broken) Write([]byte) (int, error) { return 0, errBroken }

// What cannot be written is no success.
func TestWriteError(t *testing.T) {
	for name, err := range map[string]error{
		"Text":             Text(broken{}, breached(), Options{}),
		"ObservationsText": ObservationsText(broken{}, &capture.Observations{}, Options{}),
		"DiagnosticsText":  DiagnosticsText(broken{}, []model.Diagnostic{{}}, false),
		"CheckText":        CheckText(broken{}, &model.Model{}),
		"JSON":             JSON(broken{}, 1),
	} {
		if !errors.Is(err, errBroken) {
			t.Errorf("%s: error %v, want %v", name, err, errBroken)
		}
	}
}

func observed() *capture.Observations {
	conversation := func(client, server string, port uint16, p capture.Protocol, ops ...capture.Operation) capture.Conversation {
		return capture.Conversation{Client: capture.Peer{IP: netip.MustParseAddr(client)}, Server: capture.Server{Peer: capture.Peer{IP: netip.MustParseAddr(server)}, Port: port},
			Transport: capture.TCP, Protocol: p, ProtocolBasis: capture.Content, RoleBasis: capture.Handshake, State: capture.State{Answered: 1},
			Packets: capture.Volume{Sent: 20, Received: 18}, Operations: ops}
	}
	op := func(class capture.Class, count, refused, unanswered uint64) capture.Operation {
		return capture.Operation{Class: class, Count: count, Accepted: count - refused - unanswered, Refused: refused, Unanswered: unanswered}
	}
	ftp := conversation("10.3.0.7", "10.3.0.6", 21, capture.FTP)
	ftp.Security.Auth = []capture.AuthFact{{Kind: "ftp password", Readable: true, Length: 9, Frame: 41}}
	scan := conversation("10.3.0.99", "10.4.0.11", 9600, capture.FINS)
	scan.State, scan.ProtocolBasis, scan.RoleBasis, scan.VLAN = capture.State{Refused: 3}, capture.Port, capture.Guess, 120
	tls := conversation("10.1.0.5", "10.2.0.5", 443, capture.TLS)
	tls.Security.TLS = []capture.TLSFact{{Version: "1.3", Cipher: "TLS_AES_128_GCM_SHA256"}}
	second := conversation("fe80::1", "fe80::2", 502, capture.Modbus, op(capture.Read, 12, 0, 0))
	second.Capture, second.Undecoded, second.LostBytes = 1, 2, 512
	return &capture.Observations{
		Captures: []capture.Capture{cellA(), cellB()},
		Conversations: []capture.Conversation{tls, conversation("10.3.0.5", "10.4.0.11", 502, capture.Modbus, op(capture.Read, 4210, 0, 0), op(capture.Write, 14, 2, 1)),
			conversation("10.3.0.7", "10.4.0.11", 102, capture.S7comm, op(capture.Session, 3, 0, 0), op(capture.Program, 7, 0, 0), op(capture.Mode, 1, 0, 0)), ftp, scan, second},
		Endpoints: make([]capture.Endpoint, 9),
	}
}

func TestObservationsGolden(t *testing.T) {
	for _, width := range []int{100, 80} {
		var b bytes.Buffer
		if err := ObservationsText(&b, observed(), Options{Width: width}); err != nil {
			t.Fatal(err)
		}
		golden.Compare(t, filepath.Join("testdata", fmt.Sprintf("observations-%d.txt", width)), b.Bytes())
	}
}

func TestDiagnosticsGolden(t *testing.T) {
	list := []model.Diagnostic{
		{Severity: model.Error, Position: zones.Position{File: "plant.yaml", Line: 4, Column: 18}, Code: "unknown-zone", Message: `conduit "c3": zone "celll-1" is not declared`,
			Suggest: "cell-1", Line: "  joins: [scada, celll-1]", Width: 7},
		{Severity: model.Warning, Position: zones.Position{File: "plant.yaml", Line: 9, Column: 2}, Code: "unused", Message: `tap "cell-b" sees nothing`, Line: "\t- {id: cell-b}", Width: 1},
		{Severity: model.Error, Position: zones.Position{File: "plant.yaml", Line: 12, Column: 9}, Code: "syntax", Message: "the key holds control characters", Line: "name: \"a\x1b\u202eb\" # x", Width: 2},
		{Severity: model.Error, Position: zones.Position{File: "plant.yaml", Line: 13, Column: 400}, Code: "long", Message: "far to the right", Line: strings.Repeat("abcdefghi ", 60), Width: 10},
		{Severity: model.Error, Position: zones.Position{File: "big.yaml"}, Code: "size", Message: "the file has 200 MB, the limit is 16 MB"},
		{Severity: model.Error, Position: zones.Position{File: "plant.yaml", Line: 14, Column: 99}, Code: "end", Message: "a column beyond the line", Line: "zones:", Width: 3},
	}
	var b bytes.Buffer
	if err := DiagnosticsText(&b, list, false); err != nil {
		t.Fatal(err)
	}
	golden.Compare(t, "testdata/diagnostics.txt", b.Bytes())
}

func TestCheckGolden(t *testing.T) {
	policy := model.DefaultPolicy()
	m := &model.Model{
		Path: "plant.yaml", SHA256: hash('3'), System: model.System{ID: "tl-1", Name: "Truck loading terminal"}, Policy: policy,
		Zones:    []*zones.Zone{{ID: "ops", SLT: zones.Scalar(2), Assets: make([]*zones.Asset, 3)}, {ID: "bpcs", SLT: vector("2 2 2 1 2 1 2"), Assets: make([]*zones.Asset, 2)}},
		Conduits: []*conduits.Conduit{{ID: "c3", SLT: zones.Scalar(2), Status: conduits.Approved, Channels: make([]*conduits.Channel, 4)}, {ID: "c9", SLT: zones.Scalar(1), Status: conduits.Proposed}},
		Taps:     make([]*model.Tap, 1),
	}
	var one []string
	for _, r := range iec62443.Catalogue() {
		if r.FR == zones.UC && r.MinSL <= 2 || r.FR == zones.DC && r.MinSL <= 1 {
			one = append(one, r.ID)
		}
	}
	m.Measures = []*model.Measure{{ID: "m", Covers: []string{"bpcs"}, Meets: one}}
	var b bytes.Buffer
	if err := CheckText(&b, m); err != nil {
		t.Fatal(err)
	}
	golden.Compare(t, "testdata/check.txt", b.Bytes())
}

func TestExplain(t *testing.T) {
	f, ok := rules.Explain("EV-002")
	if !ok {
		t.Fatal("EV-002 is not known")
	}
	r, ok := iec62443.Lookup("SR 5.2 RE(1)")
	if !ok {
		t.Fatal("SR 5.2 RE(1) is not known")
	}
	var b bytes.Buffer
	if err := RuleText(&b, f, Options{Width: 80}); err != nil {
		t.Fatal(err)
	}
	b.WriteString("\n")
	if err := RequirementText(&b, r, []rules.Facts{f}, Options{Width: 80}); err != nil {
		t.Fatal(err)
	}
	golden.Compare(t, "testdata/explain.txt", b.Bytes())

	// What voids a requirement stands apart from what asks proof of it.
	b.Reset()
	r, _ = iec62443.Lookup("SR 5.2")
	if err := RequirementText(&b, r, rules.Touching("SR 5.2"), Options{Width: 200}); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"when void    at most SL 0 is left of RDF\n", "  voided by    EV-001 ", "  asks proof   EV-002 "} {
		if !strings.Contains(b.String(), want) {
			t.Errorf("no %q in\n%s", want, b.String())
		}
	}
	r, _ = iec62443.Lookup("SR 5.1 RE(2)")

	// What is known and not judged is said to be so.
	f, _ = rules.Explain("EV-013")
	wide := Options{Width: 160}
	b.Reset()
	if err := RuleText(&b, f, wide); err != nil {
		t.Fatal(err)
	}
	if err := RequirementText(&b, r, []rules.Facts{f}, wide); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"none in this version", "(not checked in this version)"} {
		if !strings.Contains(b.String(), want) {
			t.Errorf("no %q in\n%s", want, b.String())
		}
	}
}

// Of a pair of zones the reason told is that of the gravest flows, not the
// commonest.
func TestPairReason(t *testing.T) {
	a := &rules.Assessment{}
	for i := range 5 {
		f := rules.Flow{ClientZone: "ops", ServerZone: "bpcs", Relation: "cross", Verdict: rules.Refused, Reasons: []string{"nothing came back"}}
		if i == 3 {
			f.Verdict, f.Reasons = rules.Breach, []string{"it came across"}
		}
		a.Flows = append(a.Flows, f)
	}
	if out := string(text(t, a, Options{})); !strings.Contains(out, "it came across, and one other reason") {
		t.Errorf("the reason of the breach is not told:\n%s", out)
	}
}

// Evidence counts flows: one flow seen at several taps is not several.
func TestEvidenceCountsFlows(t *testing.T) {
	a := &rules.Assessment{}
	f := rules.Finding{Rule: "EV-001", Message: "m", Flows: 3}
	for i := range 6 {
		f.Evidence = append(f.Evidence, rules.Evidence{Capture: hash('a'), Count: 1, Flow: fmt.Sprintf("flow %d", i/2), Filter: "f"})
	}
	one := f
	one.Rule, one.Flows, one.Evidence = "EV-002", 1, slices.Repeat(f.Evidence[:1], 5)
	a.Findings = []rules.Finding{f, one}
	out := string(text(t, a, Options{}))
	for _, want := range []string{"and 1 more flow (", "and 2 more sightings ("} {
		if !strings.Contains(out, want) {
			t.Errorf("the report does not say %q:\n%s", want, out)
		}
	}
	if n := strings.Count(out, "flow 0"); n != 2 {
		t.Errorf("the first flow is named %d times for 2 findings", n)
	}
}

// TestSecondSubject: a finding on another subject by the same flows refers to the
// first instead of repeating it.
func TestSecondSubject(t *testing.T) {
	first := rules.Finding{ID: "EV-002:c", Rule: "EV-002", Class: rules.Contradiction, Severity: rules.High, Message: "what it did", Fix: "what to do", Flows: 1,
		Subject: rules.Subject{Kind: "conduit", ID: "c"}, Evidence: []rules.Evidence{{Capture: hash('a'), Count: 1, Filter: "tcp.port==502"}}}
	second, other := first, first
	second.ID, second.Subject = "EV-002:z", rules.Subject{Kind: "zone", ID: "z"}
	other.ID, other.Message = "EV-002:y", "what it did; and one more like it"
	out := string(text(t, &rules.Assessment{Findings: []rules.Finding{first, second, other}}, Options{}))
	for want, n := range map[string]int{"what it did": 2, "tcp.port==502": 2, "what to do": 2, "the same flows as EV-002:c above": 1, "EV-002:z": 1} {
		if got := strings.Count(out, want); got != n {
			t.Errorf("%q stands there %d times, want %d:\n%s", want, got, n, out)
		}
	}
}
