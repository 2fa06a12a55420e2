package rules

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"bulkhead/capture"
	"bulkhead/conduits"
	"bulkhead/model"
	"bulkhead/zones"
)

// heap is everything that the fixtures of the common plant show, in five captures.
// Data connections of FTP are left out: they are excused by other flows, so that
// taking those away makes them findings.
func heap() *capture.Observations {
	out := tape(nil, nil, nil, nil, nil)
	type key struct {
		capture        int
		client, server netip.Addr
		port           uint16
		transport      capture.Transport
		protocol       capture.Protocol
	}
	known := make(map[key]bool)
	for _, x := range fixtures() {
		if x.old != "" || x.more != "" {
			continue
		}
		for _, c := range x.seen.Conversations {
			k := key{c.Capture, c.Client.IP, c.Server.IP, c.Server.Port, c.Transport, c.Protocol}
			if !known[k] && c.Server.Port != 40001 {
				known[k] = true
				out.Conversations = append(out.Conversations, c)
			}
		}
		out.Endpoints = append(out.Endpoints, x.seen.Endpoints...)
	}
	return out
}

// part returns a part of some observations.
func part(o *capture.Observations, keep func(*capture.Conversation) bool, keepHost func(*capture.Endpoint) bool) *capture.Observations {
	out := &capture.Observations{Schema: o.Schema, Captures: o.Captures}
	for i := range o.Conversations {
		if keep(&o.Conversations[i]) {
			out.Conversations = append(out.Conversations, o.Conversations[i])
		}
	}
	for i := range o.Endpoints {
		if keepHost(&o.Endpoints[i]) {
			out.Endpoints = append(out.Endpoints, o.Endpoints[i])
		}
	}
	return out
}

func randomPart(rng *rand.Rand, o *capture.Observations, share float64) *capture.Observations {
	return part(o, func(*capture.Conversation) bool { return rng.Float64() < share }, func(*capture.Endpoint) bool { return rng.Float64() < share })
}

func toJSON(t testing.TB, v any) string {
	t.Helper()
	b, err := json.MarshalIndent(v, "", " ")
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// TestOrderOfInputChangesNothing shuffles captures, conversations and endpoints.
func TestOrderOfInputChangesNothing(t *testing.T) {
	m := plant(t, strings.Replace(works, "MORE", "", 1))
	rng := rand.New(rand.NewPCG(7, 8))
	for range 20 {
		o := randomPart(rng, heap(), 0.6)
		want := toJSON(t, Judge(m, o, asOf))
		shuffled := &capture.Observations{Schema: o.Schema, Captures: make([]capture.Capture, len(o.Captures))}
		to := rng.Perm(len(o.Captures))
		for i, c := range o.Captures {
			shuffled.Captures[to[i]] = c
		}
		for _, i := range rng.Perm(len(o.Conversations)) {
			c := o.Conversations[i]
			c.Capture = to[c.Capture]
			shuffled.Conversations = append(shuffled.Conversations, c)
		}
		for _, i := range rng.Perm(len(o.Endpoints)) {
			e := o.Endpoints[i]
			e.Capture = to[e.Capture]
			shuffled.Endpoints = append(shuffled.Endpoints, e)
		}
		if diff := cmp.Diff(want, toJSON(t, Judge(m, shuffled, asOf))); diff != "" {
			t.Fatalf("the order of the input changed the assessment (-in order +shuffled):\n%s", diff)
		}
	}
}

func TestJudgeLeavesItsInputs(t *testing.T) {
	m := plant(t, strings.Replace(works, "MORE", "", 1))
	o := heap()
	before := toJSON(t, o)
	Judge(m, o, asOf)
	if diff := cmp.Diff(before, toJSON(t, o)); diff != "" {
		t.Errorf("the observations changed:\n%s", diff)
	}
}

type spot struct {
	subject string
	fr      zones.FR
}

// caps returns the lowest cap per subject and FR of some findings.
func caps(findings []Finding, count func(Finding) bool) map[spot]uint8 {
	out := make(map[spot]uint8)
	for _, f := range findings {
		if !count(f) {
			continue
		}
		for fr, n := range f.Caps {
			at := spot{f.Subject.ID, fr}
			if have, ok := out[at]; !ok || n < have {
				out[at] = n
			}
		}
	}
	return out
}

func ceilings(a *Assessment) map[spot]uint8 {
	out := make(map[spot]uint8)
	for _, l := range slices.Concat(a.Zones, a.Conduits) {
		for _, fr := range zones.FRs() {
			out[spot{l.ID, fr}] = l.Ceiling[fr]
		}
	}
	return out
}

// TestRemovingAFindingRaisesWhatItCapped takes the flows of one finding away. It
// and whatever those flows alone showed is gone, every other finding stays, and the
// ceilings are those that the findings left give.
func TestRemovingAFindingRaisesWhatItCapped(t *testing.T) {
	m := plant(t, strings.Replace(works, "MORE", "", 1))
	o := heap()
	all := Judge(m, o, asOf)
	tried := 0
	for _, f := range all.Findings {
		if f.Class != Contradiction {
			continue
		}
		tried++
		gone := make(map[string]bool) // conversations of its flows
		left := make(map[string]int)  // of each finding, flows that stay
		for _, flow := range all.Flows {
			if slices.Contains(flow.Findings, f.ID) {
				for _, s := range flow.SeenAt {
					gone[s.Capture+s.Example.FiveTuple+string(flow.Protocol)+s.First.String()] = true
				}
				continue
			}
			for _, id := range flow.Findings {
				left[id]++
			}
		}
		rest := part(o, func(c *capture.Conversation) bool {
			return !gone[o.Captures[c.Capture].SHA256+c.Example.FiveTuple+string(c.Protocol)+c.First.String()]
		}, func(*capture.Endpoint) bool { return f.Rule != "EV-090" })
		b := Judge(m, rest, asOf)
		if slices.ContainsFunc(b.Findings, func(g Finding) bool { return g.ID == f.ID }) {
			t.Errorf("%s: still there without its flows", f.ID)
		}
		before, after := ceilings(all), ceilings(b)
		want := caps(b.Findings, func(Finding) bool { return true })
		for at, n := range after {
			if w, ok := want[at]; ok && n != w || !ok && n != zones.MaxLevel {
				t.Errorf("without %s: ceiling %d of %v, the findings left give %v", f.ID, n, at, want[at])
			}
			if n < before[at] {
				t.Errorf("without %s: the ceiling of %v fell from %d to %d", f.ID, at, before[at], n)
			}
			_, capped := caps(all.Findings, func(g Finding) bool { return left[g.ID] < g.Flows || g.Flows == 0 })[at]
			if n > before[at] && !capped {
				t.Errorf("without %s: the ceiling of %v rose from %d to %d, and nothing of what is gone capped it", f.ID, at, before[at], n)
			}
		}
	}
	if tried < 20 {
		t.Errorf("%d findings tried: the test says little", tried)
	}
}

// TestAllowedTrafficLowersNothing adds flows that the design permits and that
// contradict nothing.
func TestAllowedTrafficLowersNothing(t *testing.T) {
	m := plant(t, strings.Replace(works, "MORE", "", 1))
	rng := rand.New(rand.NewPCG(9, 10))
	for range 20 {
		o := randomPart(rng, heap(), 0.3)
		before := Judge(m, o, asOf)
		more := &capture.Observations{Schema: o.Schema, Captures: o.Captures, Endpoints: o.Endpoints, Conversations: slices.Clone(o.Conversations)}
		added := talk("10.1.0.5", "10.2.0.6", 3389, capture.RDP, encrypted)
		added.Example.FiveTuple = "tcp 10.1.0.5:50001 10.2.0.6:3389"
		more.Conversations = append(more.Conversations, added)
		after := Judge(m, more, asOf)
		if diff := cmp.Diff(ceilings(before), ceilings(after)); diff != "" {
			t.Fatalf("allowed traffic changed a ceiling:\n%s", diff)
		}
		if !slices.ContainsFunc(after.Flows, func(f Flow) bool { return f.Conduit == "mid" && f.Channel == "rdp-in" && f.Verdict == Allowed }) {
			t.Fatal("the flow added is not allowed")
		}
	}
}

// TestLevelsFollowFromFindings: on any observations SL-A is the lower of what is
// declared and the ceiling, and null where nothing is declared.
func TestLevelsFollowFromFindings(t *testing.T) {
	more := `
measures:
  - {id: a, covers: [cell, c], meets: ["IAC<=3", "UC<=2", "RDF<=4", "RA<=2"]}
  - {id: b, covers: [ops], meets: [SR 1.1, "SI<=3"]}
not-applicable: [{covers: [ops, cell], requirement: SR 2.6, why: none}, {covers: [cell], requirement: SR 1.7, why: none}]
`
	m := plant(t, strings.Replace(works, "MORE", more, 1))
	rng := rand.New(rand.NewPCG(11, 12))
	for range 60 {
		a := Judge(m, randomPart(rng, heap(), rng.Float64()), asOf)
		below := slices.ContainsFunc(slices.Concat(a.Zones, a.Conduits), func(l Levels) bool {
			return slices.ContainsFunc(l.Gap, func(g Gap) bool { return g.Evidence })
		})
		if (a.Verdict == OverallBreach) != below || a.Fails(FailOnBreach) != below {
			t.Fatalf("verdict %s, fails %v; evidence below an SL-T: %v", a.Verdict, a.Fails(FailOnBreach), below)
		}
		for _, l := range slices.Concat(a.Zones, a.Conduits) {
			for _, fr := range zones.FRs() {
				d, s := l.Declared[fr], l.SLA[fr]
				if (d == nil) != (s == nil) {
					t.Fatalf("%s %s: declared %v, sl_a %v", l.ID, fr, d, s)
				}
				if d != nil && *s != min(*d, l.Ceiling[fr]) {
					t.Fatalf("%s %s: sl_a %d of declared %d under a ceiling of %d", l.ID, fr, *s, *d, l.Ceiling[fr])
				}
			}
		}
	}
}

func TestNothingDeclaredIsNull(t *testing.T) {
	m := plant(t, strings.Replace(works, "MORE", "measures: [{id: a, covers: [cell], meets: [SR 5.1]}]\n", 1))
	l := levelsOf(t, Judge(m, tape(nil), asOf), "cell")
	if got := vector(l.Declared); got != "- - - - 0 - -" {
		t.Errorf("declared %s, want null where no measure names a requirement and 0 where one does", got)
	}
	if g := l.Gap[0]; g.FR != zones.IAC || g.Levels != 3 || !g.Design || g.Evidence {
		t.Errorf("gap %+v, want three levels of IAC, by design", g)
	}
}

func TestSubzones(t *testing.T) {
	m := plant(t, `
version: 1
system: {id: s, name: S}
zones:
  - {id: site, kind: control, sl-t: 2, networks: [10.1.0.0/16]}
  - {id: cell, kind: control, sl-t: 2, parent: site, networks: [10.1.1.0/24], assets: [{id: plc, addresses: [10.1.1.5], services: [modbus]}]}
  - {id: skid, kind: field, sl-t: 2, parent: cell, networks: [10.1.1.128/25]}
conduits: [{id: c, joins: [site, cell], channels: [{from: site, to: cell, protocol: modbus}]}]
measures: [{id: m, covers: [site, cell, skid], meets: ["IAC<=2", "SI<=2"]}, {id: n, covers: [site, cell], meets: ["UC<=2"]}]
`)
	a := Judge(m, tape([]capture.Conversation{modbus("10.1.0.9", "10.1.1.5", fc3), modbus("10.1.1.200", "10.1.1.5", fc3)}), asOf)
	site := levelsOf(t, a, "site")
	if got := vector(site.SLA); got != "2 2 2 - - - -" {
		t.Errorf("site %s: a finding in a sub-zone capped its parent", got)
	}
	// IAC by EV-024 in cell; UC is null since skid's is.
	if got := vector(*site.SLAWithSubzones); got != "1 - 2 - - - -" {
		t.Errorf("site with sub-zones %s, want 1 - 2 - - - -", got)
	}
	if skid := levelsOf(t, a, "skid"); skid.SLAWithSubzones != nil {
		t.Error("a zone without sub-zones has levels with them")
	}
	// A conduit to the parent does not reach the children.
	want := "10.1.1.200 skid cell no-conduit"
	if !slices.ContainsFunc(a.Flows, func(f Flow) bool {
		return strings.Join([]string{f.Client.Address, f.ClientZone, f.ServerZone, f.Permit.Reason}, " ") == want
	}) {
		t.Errorf("no flow %s", want)
	}
}

func TestCompensation(t *testing.T) {
	measure := func(id string, covers, meets, more string) string {
		return fmt.Sprintf("  - {id: %s, covers: [%s], meets: [%s], compensating: true, why: w, approved-by: a, %s}\n", id, covers, meets, more)
	}
	tests := []struct {
		name     string
		measures string
		subject  string
		fr       zones.FR
		ceiling  uint8
	}{
		{"lifts what it names", measure("m", "cell", "SR 1.2", "review-by: 2027-01-01"), "cell", zones.IAC, 4},
		{"holds on its last day", measure("m", "cell", "SR 1.2", "review-by: 2026-03-15"), "cell", zones.IAC, 4},
		{"is past its review", measure("m", "cell", "SR 1.2", "review-by: 2026-03-14"), "cell", zones.IAC, 1},
		{"covers another zone", measure("m", "ops", "SR 1.2", "review-by: 2027-01-01"), "cell", zones.IAC, 1},
		{"names another row", measure("m", "cell", "SR 1.3", "review-by: 2027-01-01"), "cell", zones.IAC, 1},
		{"lifts one of two", measure("m", "c", "SR 3.1 RE(1)", "review-by: 2027-01-01"), "c", zones.DC, 3},
		{"and the other FR goes up", measure("m", "c", "SR 3.1 RE(1)", "review-by: 2027-01-01"), "c", zones.SI, 4},
		{"a diode that answers refutes its measure", measure("m", "out", "SR 5.2 RE(1)", "review-by: 2027-01-01"), "out", zones.RDF, 1},
		{"a plain measure lifts nothing", "  - {id: m, covers: [cell], meets: [SR 1.2]}\n", "cell", zones.IAC, 1},
	}
	o := seen(modbus("10.3.0.5", "10.4.0.11", fc3), talk("10.2.0.6", "10.4.0.12", 22, capture.SSH))
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			a := Judge(plant(t, strings.Replace(works, "MORE", "measures:\n"+tt.measures, 1)), o, asOf)
			if got := levelsOf(t, a, tt.subject).Ceiling[tt.fr]; got != tt.ceiling {
				t.Errorf("ceiling of %s %s is %d, want %d", tt.subject, tt.fr, got, tt.ceiling)
			}
		})
	}
}

// TestNotApplicableRefuted: traffic can show that a condition is there after all.
func TestNotApplicableRefuted(t *testing.T) {
	more := `
measures: [{id: m, covers: [cell, ops], meets: ["UC<=4", "IAC<=4"]}]
not-applicable: [{covers: [cell, ops], requirement: SR 2.6, why: no remote sessions}, {covers: [cell, ops], requirement: SR 1.7, why: no passwords}]
`
	m := plant(t, strings.Replace(works, "MORE", strings.Replace(more, "UC<=4", "UC<=1", 1), 1))
	rdp := talk("10.1.0.6", "10.3.0.7", 3389, capture.RDP, encrypted)
	ssh := talk("8.8.8.8", "10.4.0.11", 22, capture.SSH, encrypted)
	ftp := talk("10.4.0.12", "10.4.0.11", 21, capture.FTP, login("ftp password", true, 4))
	tests := []struct {
		name, zone, requirement, finding string
		seen                             capture.Conversation
	}{
		{"a remote session that no channel names", "cell", "SR 2.6", "EV-040:cell", ssh},
		{"a remote session that is permitted", "ops", "SR 2.6", "", rdp},
		{"a password", "cell", "SR 1.7", "EV-020:cell", ftp},
	}
	// UC <= 4 makes SR 2.6 what is missing from ops' SL-T.
	if a := Judge(plant(t, strings.Replace(works, "MORE", more, 1)), seen(rdp), asOf); a.Verdict != OverallBreach || !a.Fails(FailOnBreach) {
		t.Errorf("a permitted remote session brings ops below its SL-T: verdict %s, fails %v", a.Verdict, a.Fails(FailOnBreach))
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			a := Judge(m, seen(tt.seen), asOf)
			l := levelsOf(t, a, tt.zone)
			if !slices.ContainsFunc(l.Limits, func(x Limit) bool { return x.Requirement == tt.requirement && x.Finding == tt.finding }) {
				t.Errorf("limits %+v, want %s by %q", l.Limits, tt.requirement, tt.finding)
			}
			noted := slices.ContainsFunc(a.Notes, func(n Note) bool { return n.Code == "not-applicable-refuted" })
			if noted != (tt.finding == "") {
				t.Errorf("noted %v", noted)
			}
		})
	}
	// What EV-040 says is said once; what it does not judge refutes the row all the same.
	for _, tt := range []struct{ name, old, new, finding string }{
		{"over a channel that is not marked", "remote-access: true}\ntaps", "remote-access: false}\ntaps", "EV-040:ops:weakening"},
		{"at the wrong hour", "remote-access: true}\ntaps", "remote-access: true, window: \"Sat 06:00-10:00\"}\ntaps", ""},
	} {
		m := plant(t, strings.Replace(strings.Replace(works, tt.old, tt.new, 1), "MORE", more, 1))
		var got []string
		for _, x := range levelsOf(t, Judge(m, seen(rdp), asOf), "ops").Limits {
			if x.Requirement == "SR 2.6" {
				got = append(got, x.Finding)
			}
		}
		if !slices.Equal(got, []string{tt.finding}) {
			t.Errorf("%s: SR 2.6 is voided by %q, want %q once", tt.name, got, tt.finding)
		}
	}
	if l := levelsOf(t, Judge(m, seen(modbus("10.4.0.12", "10.4.0.11", fc3)), asOf), "ops"); len(l.Limits) > 0 {
		t.Errorf("limits %+v without a remote session", l.Limits)
	}
}

func TestSubsumption(t *testing.T) {
	m := plant(t, strings.Replace(works, "MORE", "", 1))
	tests := []struct {
		name string
		seen capture.Conversation
		id   string
		want string
		not  string
	}{
		{"EV-005 keeps what EV-001 voids", modbus("10.1.0.5", "10.5.0.11", fc3), "EV-005:sis", "SR 5.1 SR 5.2 SR 5.2 RE(1)", "EV-001:sis"},
		{"EV-011 keeps what EV-001 voids", talk("8.8.8.8", "10.4.0.11", 502, capture.Modbus, asks(fc3)), "EV-011:cell", "SR 1.13 SR 5.2 SR 5.2 RE(1)", "EV-001:cell"},
		{"EV-110 keeps what EV-050 voids", modbus("10.4.0.13", "10.5.0.11", fc6), "EV-110:sis", "SR 2.1 SR 2.1 RE(1) SR 5.2", "EV-050:sis"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			a := Judge(m, seen(tt.seen), asOf)
			if got := strings.Join(findingOf(t, a, tt.id).Requirements, " "); got != tt.want {
				t.Errorf("voids %s, want %s", got, tt.want)
			}
			if slices.Contains(findingIDs(a), tt.not) {
				t.Errorf("%s is shown beside it", tt.not)
			}
		})
	}
	// Another flow that only the general rule judges keeps its own finding.
	a := Judge(m, seen(modbus("10.1.0.5", "10.5.0.11", fc3), modbus("10.1.0.6", "10.5.0.11", fc3)), asOf)
	findingOf(t, a, "EV-005:sis")
	findingOf(t, a, "EV-001:sis")
}

// TestVerdicts holds the order of DESIGN section 7: the first that fits.
func TestVerdicts(t *testing.T) {
	late := s7load
	late.Active = []capture.Run{{From: at(noon.Add(5 * time.Hour)), Minutes: 3, Frame: 40}}
	tests := []struct {
		name    string
		seen    capture.Conversation
		verdict Verdict
		overall OverallVerdict
	}{
		{"a guessed role", talk("10.3.0.5", "10.4.0.11", 502, capture.Modbus, roleBasis(capture.Guess)), NotAssessable, OverallNotAssessable},
		{"a protocol on which the answer hangs", talk("10.3.0.5", "10.4.0.11", 502, capture.Modbus, protocolBasis(capture.Port)), NotAssessable, OverallNotAssessable},
		{"an end in no zone", modbus("172.16.0.1", "10.4.0.11", fc3), Unassigned, OverallNotAssessable},
		{"a guessed role outranks it", talk("172.16.0.1", "10.4.0.11", 502, capture.Modbus, roleBasis(capture.Guess)), NotAssessable, OverallNotAssessable},
		{"silence", talk("10.3.0.5", "10.5.0.11", 502, capture.Modbus, unanswered), Refused, NoContradiction},
		{"a permitted attempt", talk("10.3.0.5", "10.4.0.13", 80, capture.HTTP, unanswered), Refused, NoContradiction},
		{"a voided row at SL-T", modbus("10.3.0.5", "10.5.0.11", fc3), Breach, OverallBreach},
		{"a permitted flow can breach", modbus("10.3.0.5", "10.4.0.11", fc3), Breach, OverallBreach},
		{"clear text where SL-T does not ask for more", talk("10.1.0.5", "10.2.0.6", 3389, capture.RDP), Deviation, OverallDeviation},
		{"outside a window", talk("10.3.0.7", "10.4.0.11", 102, capture.S7comm, asks(late), encrypted), Deviation, OverallDeviation},
		{"a datagram that nobody saw arrive", talk("10.6.0.12", "10.5.0.11", 514, capture.Syslog, datagrams), Deviation, OverallDeviation},
		{"allowed", talk("10.1.0.5", "10.2.0.6", 3389, capture.RDP, encrypted), Allowed, NoContradiction},
		{"inside a zone", talk("10.4.0.12", "10.4.0.13", 443, capture.TLS, encrypted), Intra, NoContradiction},
		{"a password inside a zone", talk("10.4.0.12", "10.4.0.13", 21, capture.FTP, login("ftp password", true, 4)), Breach, OverallBreach},
	}
	m := plant(t, strings.Replace(works, "MORE", "", 1))
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			a := Judge(m, seen(tt.seen), asOf)
			if len(a.Flows) != 1 {
				t.Fatalf("%d flows", len(a.Flows))
			}
			f := a.Flows[0]
			if f.Verdict != tt.verdict || a.Verdict != tt.overall {
				t.Errorf("verdict %s, overall %s; want %s and %s (%q, %v)", f.Verdict, a.Verdict, tt.verdict, tt.overall, f.Reasons, f.Findings)
			}
			if len(f.Reasons) == 0 || slices.Contains(f.Reasons, "") {
				t.Errorf("reasons %q", f.Reasons)
			}
		})
	}
}

func TestAmbiguousZone(t *testing.T) {
	m := plant(t, `
version: 1
system: {id: s, name: S}
zones:
  - {id: a, kind: control, sl-t: 2, networks: [{cidr: 192.168.1.0/24, tap: ta}]}
  - {id: b, kind: control, sl-t: 2, networks: [{cidr: 192.168.1.0/24, tap: tb}]}
  - {id: x, kind: operations, sl-t: 2, networks: [10.0.0.0/24]}
taps: [{id: ta, sees: [a], captures: [a.pcap]}, {id: tb, sees: [b], captures: [b.pcap]}]
`)
	c := modbus("10.0.0.5", "192.168.1.9", fc3)
	a := Judge(m, tape([]capture.Conversation{c}, []capture.Conversation{c}, []capture.Conversation{c}), asOf)
	var got []string
	for _, f := range a.Flows {
		got = append(got, fmt.Sprintf("%s>%s %s %d", f.ClientZone, f.ServerZone, f.Verdict, len(f.SeenAt)))
	}
	slices.Sort(got)
	if want := []string{"x> not-assessable 1", "x>a breach 1", "x>b breach 1"}; !slices.Equal(got, want) {
		t.Errorf("flows %q, want %q", got, want)
	}
}

// TestFolding: one flow seen at two taps is one flow with two sightings.
func TestFolding(t *testing.T) {
	m := plant(t, strings.Replace(works, "MORE", "", 1))
	c := modbus("10.3.0.5", "10.4.0.11", fc3)
	a := Judge(m, tape([]capture.Conversation{c}, []capture.Conversation{c}), asOf)
	if len(a.Flows) != 1 || len(a.Flows[0].SeenAt) != 2 {
		t.Fatalf("%d flows", len(a.Flows))
	}
	if s := a.Flows[0].SeenAt; s[0].Tap != "t-cell" || s[1].Tap != "t-ops" {
		t.Errorf("seen at %s and %s", s[0].Tap, s[1].Tap)
	}
	if f := findingOf(t, a, "EV-024:cell"); f.Flows != 1 || len(f.Evidence) != 2 {
		t.Errorf("%d flows with %d pieces of evidence, want one with two", f.Flows, len(f.Evidence))
	}
}

// TestRolesAreReconciled: a capture that begins in the middle guesses the roles
// wrong; another capture knows.
func TestRolesAreReconciled(t *testing.T) {
	m := plant(t, strings.Replace(works, "MORE", "", 1))
	sure := modbus("10.3.0.5", "10.4.0.11", fc3)
	write := fc6
	write.From = capture.FromServer // as the guess has it
	wrong := talk("10.4.0.11", "10.3.0.5", 50000, capture.Modbus, roleBasis(capture.Guess), asks(write))
	wrong.Example.FiveTuple = "tcp 10.4.0.11:502 10.3.0.5:50000"
	wrong.Payload = capture.Volume{Sent: 11, Received: 22}
	a := Judge(m, tape([]capture.Conversation{sure}, []capture.Conversation{wrong}), asOf)
	if len(a.Flows) != 1 {
		t.Fatalf("%d flows, want one", len(a.Flows))
	}
	if f := a.Flows[0]; f.Client.Address != "10.3.0.5" || f.Server.Port != 502 || f.Verdict == NotAssessable || f.Channel != "poll" && f.Channel != "set" {
		t.Errorf("flow %+v", f)
	}
	// Without the other capture it stays a guess.
	a = Judge(m, tape([]capture.Conversation{wrong}), asOf)
	if a.Flows[0].Verdict != NotAssessable {
		t.Errorf("verdict %s of a guessed role", a.Flows[0].Verdict)
	}
}

func TestTaps(t *testing.T) {
	m := plant(t, `
version: 1
system: {id: s, name: S}
zones: [{id: a, kind: control, sl-t: 2, networks: [10.0.0.0/24]}]
taps:
  - {id: glob, sees: [a], captures: ["captures/cell-*.pcapng"]}
  - {id: hash, sees: [a], captures: ["sha256:aaaa000000000000000000000000000000000000000000000000000000000000"]}
  - {id: idle, sees: [a], captures: [never.pcap]}
`)
	hash := "aaaa" + strings.Repeat("0", 60)
	for _, tt := range []struct{ path, sha256, tap string }{
		{"captures/cell-1.pcapng", "1", "glob"},
		{"/home/x/site/captures/cell-2.pcapng", "1", "glob"},
		{`C:\site\captures\cell-2.pcapng`, "1", "glob"},
		{"captures/deep/cell-2.pcapng", "1", ""},
		{"cell-2.pcapng", "1", ""},
		{"else.pcap", hash, "hash"},
		{"captures/cell-1.pcapng", hash, "hash"},
	} {
		o := &capture.Observations{Captures: []capture.Capture{{Path: tt.path, SHA256: tt.sha256, Complete: true}}}
		a := Judge(m, o, asOf)
		if got := a.Captures[0].Tap; got != tt.tap {
			t.Errorf("%s belongs to tap %q, want %q", tt.path, got, tt.tap)
		}
		if !slices.ContainsFunc(a.Notes, func(n Note) bool { return n.Code == "tap-without-capture" && strings.Contains(n.Text, "idle") }) {
			t.Errorf("no note on the idle tap: %v", a.Notes)
		}
	}
}

func TestCoverage(t *testing.T) {
	m := plant(t, strings.Replace(works, "MORE", "", 1))
	states := func(o *capture.Observations) string {
		var out []string
		for _, c := range Judge(m, o, asOf).Coverage {
			out = append(out, c.Conduit+" "+c.State)
		}
		return strings.Join(out, ", ")
	}
	tests := []struct {
		name string
		seen *capture.Observations
		want string
	}{
		{"no capture", &capture.Observations{}, "c not-observable, out not-observable, ask not-observable, plan not-observable, mid not-observable"},
		{"a tap that sees a conduit, and both zones of others", seen(), "c observable-silent, out not-observable, ask not-observable, plan observable-silent, mid observable-silent"},
		{"allowed", seen(modbus("10.3.0.5", "10.4.0.11", fc3)), "c seen-allowed, out not-observable, ask not-observable, plan observable-silent, mid observable-silent"},
		{"violated, whatever is allowed besides", seen(modbus("10.3.0.5", "10.4.0.11", fc3), modbus("10.3.0.99", "10.4.0.11", fc3)),
			"c violated, out not-observable, ask not-observable, plan observable-silent, mid observable-silent"},
		{"refused", seen(talk("10.3.0.99", "10.4.0.11", 502, capture.Modbus, reset)), "c observable-silent, out not-observable, ask not-observable, plan observable-silent, mid observable-silent"},
	}
	for _, tt := range tests {
		if got := states(tt.seen); got != tt.want {
			t.Errorf("%s:\n got %s\nwant %s", tt.name, got, tt.want)
		}
	}
}

// TestAttempts: what was turned away or never answered is counted and shows no use
// of a conduit, whether the design permits it or not.
func TestAttempts(t *testing.T) {
	m := plant(t, strings.Replace(works, "MORE", "", 1))
	denied := talk("10.3.0.99", "10.4.0.11", 502, capture.Modbus, reset)
	permitted := talk("10.3.0.5", "10.4.0.13", 80, capture.HTTP, unanswered)
	a := Judge(m, seen(denied, permitted), asOf)
	if c := a.Coverage[0]; c.Conduit != "c" || c.State != ObservableSilent || c.Flows != 2 || c.Attempts != 2 {
		t.Errorf("coverage %+v", c)
	}
	for i, want := range []string{
		`nothing came back; channel "web" permits it`,
		`it was turned away; the design does not permit it: an unlisted host of ops called cell/plc; channel "poll" is from ops/hmi to cell`,
	} {
		if f := a.Flows[i]; f.Verdict != Refused || !slices.Equal(f.Reasons, []string{want}) {
			t.Errorf("%s: %s %q, want %q", f.Client.Address, f.Verdict, f.Reasons, want)
		}
	}
	if c := Judge(m, seen(denied, permitted, modbus("10.3.0.5", "10.4.0.11", fc3)), asOf).Coverage[0]; c.State != SeenAllowed || c.Flows != 3 || c.Attempts != 2 {
		t.Errorf("with a permitted flow besides: coverage %+v", c)
	}
}

func TestExceptions(t *testing.T) {
	exception := func(rule, subject, expires string) string {
		return fmt.Sprintf("exceptions: [{id: x, rule: %s, subject: %s, owner: o, reason: r, ticket: t, expires: %s}]\n", rule, subject, expires)
	}
	o := seen(modbus("10.3.0.99", "10.4.0.11", fc3))
	tests := []struct {
		name, yaml string
		status     Status
		note       string
	}{
		{"live", exception("EV-002", "cell", "2027-01-01"), Accepted, ""},
		{"on its last day", exception("EV-002", "cell", "2026-03-15"), Accepted, ""},
		{"expired", exception("EV-002", "cell", "2026-03-14"), Open, "exception-expired"},
		{"by the asset that every flow ends at", exception("EV-002", "cell/plc", "2027-01-01"), Accepted, ""},
		{"by another asset", exception("EV-002", "cell/drive", "2027-01-01"), Open, "exception-unmatched"},
		{"another subject", exception("EV-002", "ops", "2027-01-01"), Open, "exception-unmatched"},
		{"another rule", exception("EV-001", "cell", "2027-01-01"), Open, "exception-unmatched"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			a := Judge(plant(t, strings.Replace(works, "MORE", tt.yaml, 1)), o, asOf)
			if f := findingOf(t, a, "EV-002:cell"); f.Status != tt.status || (f.Exception == "x") != (tt.status == Accepted) {
				t.Errorf("%s by %q, want %s", f.Status, f.Exception, tt.status)
			}
			for _, code := range []string{"exception-expired", "exception-unmatched"} {
				noted := slices.ContainsFunc(a.Notes, func(n Note) bool { return n.Code == code })
				if noted != (code == tt.note) {
					t.Errorf("note %s: %v", code, noted)
				}
			}
		})
	}
}

// TestPartialException: an exception for an asset that only some flows of a finding
// end at accepts nothing, and the note says why.
func TestPartialException(t *testing.T) {
	const yaml = "exceptions: [{id: x, rule: EV-002, subject: cell/plc, owner: o, reason: r, ticket: t, expires: 2027-01-01}]\n"
	o := seen(modbus("10.3.0.99", "10.4.0.11", fc3), modbus("10.3.0.99", "10.4.0.13", fc3))
	a := Judge(plant(t, strings.Replace(works, "MORE", yaml, 1)), o, asOf)
	if f := findingOf(t, a, "EV-002:cell"); f.Status != Open {
		t.Errorf("%s, want open", f.Status)
	}
	i := slices.IndexFunc(a.Notes, func(n Note) bool { return n.Code == "exception-partial" })
	if i < 0 || !strings.HasSuffix(a.Notes[i].Text, "covers only some of the flows of EV-002:c and EV-002:cell") {
		t.Errorf("notes %+v", a.Notes)
	}
	if slices.ContainsFunc(a.Notes, func(n Note) bool { return n.Code == "exception-unmatched" }) {
		t.Error("the exception is said to cover nothing")
	}
}

// TestMessageNamesOtherZones: what a finding counts besides the flow that it names
// is like it only between the same zones.
func TestMessageNamesOtherZones(t *testing.T) {
	m := plant(t, strings.Replace(works, "MORE", "", 1))
	first := modbus("10.3.0.5", "10.5.0.11", fc6)
	same := modbus("10.3.0.5", "10.5.0.12", fc3)
	web := talk("10.3.0.5", "10.9.0.5", 80, capture.HTTP)
	back := talk("10.6.0.12", "10.3.0.7", 22, capture.SSH)
	tests := []struct {
		name         string
		seen         []capture.Conversation
		message, fix string // how they end
	}{
		{"one", []capture.Conversation{first}, `no conduit joins "ops" and "sis"`, "close this path between ops and sis"},
		{"alike", []capture.Conversation{first, same}, "; and one more like it", "close this path between ops and sis"},
		{"elsewhere", []capture.Conversation{first, web}, "; and one more, to none",
			"close this path between ops and sis; decide as well on the path between none and ops"},
		{"here and elsewhere, both ways", []capture.Conversation{first, same, web, back}, "; and 3 more, to none and sis, and from sis2",
			"close this path between ops and sis; decide as well on the path between none and ops and between ops and sis2"},
	}
	for _, tt := range tests {
		f := findingOf(t, Judge(m, seen(tt.seen...), asOf), "EV-001:ops")
		if !strings.HasSuffix(f.Message, tt.message) {
			t.Errorf("%s: message %q, want it to end %q", tt.name, f.Message, tt.message)
		}
		if f.Fix != tt.fix {
			t.Errorf("%s: fix %q, want %q", tt.name, f.Fix, tt.fix)
		}
	}
}

// TestFixOpensNoDoor: no fix proposes to join the office or the internet to control,
// to let anything more into safety, or to permit more than was seen where the
// conduit keeps lists.
func TestFixOpensNoDoor(t *testing.T) {
	m := plant(t, strings.Replace(works, "MORE", "", 1))
	fc16 := on(op(capture.Modbus, capture.Write, "16", "Write Multiple Registers"), "40015-40030")
	blind := op(capture.Modbus, capture.Write, "22", "Mask Write Register")
	tests := []struct {
		id   string
		seen capture.Conversation
		want string
	}{
		{"EV-001:office", modbus("10.1.0.5", "10.5.0.11", fc3), "close this path between office and sis"},
		{"EV-005:sis", modbus("10.1.0.5", "10.5.0.11", fc3), "close this path between office and sis"},
		{"EV-005:cell", modbus("10.1.0.5", "10.4.0.11", fc3), "lead this traffic through a zone of kind dmz, or close this path between office and cell"},
		{"EV-050:cell", modbus("10.1.0.5", "10.4.0.11", fc6), "keep office/pc from doing this"},
		{"EV-110:sis", modbus("10.4.0.13", "10.5.0.11", fc6), "keep cell/drive from doing this; engineering of safety zone sis belongs to its own engineering station"},
		{"EV-002:sis", talk("10.4.0.13", "10.5.0.11", 80, capture.HTTP), `close it in the rule base of conduit "ask"`},
		{"EV-050:cell", modbus("10.3.0.5", "10.4.0.11", fc16),
			`keep ops/hmi from doing this, or approve a channel {from: ops/hmi, to: cell/plc, protocol: modbus, operations: [write], codes: ["16"], objects: ["40015-40030"]}`},
		{"EV-050:cell", modbus("10.3.0.5", "10.4.0.11", blind), "keep ops/hmi from doing this"},
	}
	for _, tt := range tests {
		if f := findingOf(t, Judge(m, seen(tt.seen), asOf), tt.id); f.Fix != tt.want {
			t.Errorf("%s: fix %q, want %q", tt.id, f.Fix, tt.want)
		}
	}
}

// TestSeverity holds the formula of docs/rules.md.
func TestSeverity(t *testing.T) {
	m := plant(t, strings.Replace(works, "MORE", "", 1))
	tests := []struct {
		name string
		seen capture.Conversation
		id   string
		want Severity
	}{
		{"one level short: the base", talk("10.3.0.5", "10.4.0.11", 4840, capture.OPCUA), "EV-070:cell", Medium},
		{"SL-T still holds: one less", modbus("10.1.0.5", "10.3.0.7", fc3), "EV-070:office", Low},
		{"safety: one more", modbus("10.4.0.12", "10.5.0.11", fc3), "EV-070:sis", High},
		{"two levels short: one more", modbus("10.4.0.12", "10.4.0.11", fc3), "EV-024:cell", High},
		{"an office, one level short: one less", modbus("10.1.0.5", "10.5.0.11", fc3), "EV-001:office", High},
		{"no more than critical", modbus("10.3.0.5", "10.5.0.11", fc3), "EV-001:sis", Critical},
		{"weakening: one less than the base", talk("10.4.0.12", "10.4.0.13", 80, capture.HTTP), "EV-093:cell:weakening", Low},
	}
	for _, tt := range tests {
		f := findingOf(t, Judge(m, seen(tt.seen), asOf), tt.id)
		if f.Severity != tt.want {
			t.Errorf("%s: %s is %s of base %s, want %s", tt.name, tt.id, f.Severity, f.BaseSeverity, tt.want)
		}
	}
}

func TestStrict(t *testing.T) {
	o := seen(talk("10.4.0.12", "10.4.0.13", 80, capture.HTTP))
	plain := levelsOf(t, Judge(plant(t, strings.Replace(works, "MORE", "", 1)), o, asOf), "cell")
	strict := levelsOf(t, Judge(plant(t, strings.Replace(works, "MORE", "policy: {strict: true}\n", 1)), o, asOf), "cell")
	if plain.Ceiling[zones.RA] != 4 || strict.Ceiling[zones.RA] != 0 {
		t.Errorf("RA ceiling %d, strict %d; want 4 and 0", plain.Ceiling[zones.RA], strict.Ceiling[zones.RA])
	}
}

// TestEvidence: the filter, frames and words of a finding are those of the
// operations that show it.
func TestEvidence(t *testing.T) {
	m := plant(t, strings.Replace(works, "MORE", "", 1))
	a := Judge(m, seen(modbus("10.3.0.5", "10.4.0.13", fc3, fc6)), asOf)
	f := findingOf(t, a, "EV-050:cell")
	e := f.Evidence[0]
	if want := "ip.addr==10.3.0.5 && ip.addr==10.4.0.13 && tcp.port==502 && modbus.func_code==6"; e.Filter != want {
		t.Errorf("filter %s, want %s", e.Filter, want)
	}
	if !slices.Equal(e.Frames, []uint64{10, 12}) || e.Count != 5 || e.CommunityID != "1:test" || e.Capture != strings.Repeat("d", 64) {
		t.Errorf("evidence %+v", e)
	}
	for _, word := range []string{"ops/hmi (10.3.0.5)", "cell/drive (10.4.0.13)", "wrote to it (modbus 6 Write Single Register ×5 accepted)", `conduit "c"`, `channel "poll" permits read`} {
		if !strings.Contains(f.Message, word) {
			t.Errorf("message %q lacks %q", f.Message, word)
		}
	}
	if want := "approve a channel {from: ops/hmi, to: cell/drive, protocol: modbus, operations: [write], codes: [\"6\"], objects: [\"40005\"]}"; !strings.Contains(f.Fix, want) {
		t.Errorf("fix %q lacks %q", f.Fix, want)
	}
	if f.Model.Line == 0 || f.Confidence != "high" {
		t.Errorf("rests on %v, confidence %s", f.Model, f.Confidence)
	}
}

func TestFilter(t *testing.T) {
	six := talk("2001:db8::1", "2001:db8::2", 102, capture.S7comm)
	six.VLAN = 7
	link := talk("10.0.0.1", "10.0.0.2", 0x88b8, capture.Unknown, ether("00:11:22:33:44:55", "01:0c:cd:01:00:01"))
	link.Client.IP, link.Server.IP, link.Transport = netip.Addr{}, netip.Addr{}, capture.L2
	tests := []struct {
		conv capture.Conversation
		ops  []capture.Operation
		want string
	}{
		{six, []capture.Operation{s7stop, s7load}, "ipv6.addr==2001:db8::1 && ipv6.addr==2001:db8::2 && tcp.port==102 && vlan.id==7 && (s7comm.param.func==0x29 || s7comm.param.func==0x1a)"},
		{six, []capture.Operation{s7stop, op(capture.S7comm, capture.Program, "userdata:15/1", "Request download")}, "ipv6.addr==2001:db8::1 && ipv6.addr==2001:db8::2 && tcp.port==102 && vlan.id==7"},
		{link, nil, "eth.addr==00:11:22:33:44:55 && eth.addr==01:0c:cd:01:00:01 && eth.type==0x88b8"},
	}
	for _, tt := range tests {
		var ops []*capture.Operation
		for i := range tt.ops {
			ops = append(ops, &tt.ops[i])
		}
		if got := filter(&tt.conv, ops); got != tt.want {
			t.Errorf("filter\n got %s\nwant %s", got, tt.want)
		}
	}
}

func TestConfidence(t *testing.T) {
	m := plant(t, strings.Replace(works, "MORE", "", 1))
	tests := []struct {
		name string
		seen *capture.Observations
		want string
	}{
		{"all sure", seen(modbus("10.3.0.5", "10.5.0.11", fc3)), "high"},
		{"a host known by its network", seen(modbus("10.3.0.66", "10.5.0.11", fc3)), "medium"},
		{"a role known by its port", seen(talk("10.3.0.5", "10.5.0.11", 502, capture.Modbus, roleBasis(capture.Port))), "medium"},
		{"a protocol known by its port", seen(talk("10.3.0.5", "10.5.0.11", 502, capture.Modbus, protocolBasis(capture.Port))), "medium"},
		{"bytes lost", seen(talk("10.3.0.5", "10.5.0.11", 502, capture.Modbus, func(c *capture.Conversation) { c.LostBytes = 9 })), "medium"},
		{"one direction mirrored and bytes lost", tape(nil, nil, nil, nil, []capture.Conversation{talk("10.3.0.5", "10.5.0.11", 502, capture.Modbus,
			func(c *capture.Conversation) { c.LostBytes = 9 })}), "low"},
		{"the best of two taps", tape([]capture.Conversation{modbus("10.3.0.5", "10.5.0.11", fc3)}, nil, nil, nil,
			[]capture.Conversation{modbus("10.3.0.5", "10.5.0.11", fc3)}), "high"},
	}
	for _, tt := range tests {
		if got := findingOf(t, Judge(m, tt.seen, asOf), "EV-001:sis").Confidence; got != tt.want {
			t.Errorf("%s: confidence %s, want %s", tt.name, got, tt.want)
		}
	}
}

// TestFindingsAreBounded: a finding of many flows shows the first and counts all,
// and its ID says rule and subject, whatever the flows.
func TestFindingsAreBounded(t *testing.T) {
	m := plant(t, strings.Replace(works, "MORE", "", 1))
	var cs []capture.Conversation
	for i := range 100 {
		cs = append(cs, modbus(fmt.Sprintf("10.3.0.%d", 100+i), "10.4.0.11", fc3))
	}
	f := findingOf(t, Judge(m, seen(cs...), asOf), "EV-002:c")
	if f.Flows != 100 || len(f.Evidence) != MaxEvidence || !strings.HasSuffix(f.Message, "; and 99 more like it") {
		t.Errorf("%d flows, %d pieces of evidence, message %q", f.Flows, len(f.Evidence), f.Message)
	}
}

func TestEmpty(t *testing.T) {
	m := plant(t, strings.Replace(works, "MORE", "", 1))
	a := Judge(m, &capture.Observations{}, Options{})
	if a.Verdict != OverallNotAssessable || a.AsOf != "" {
		t.Errorf("verdict %s as of %q", a.Verdict, a.AsOf)
	}
	for _, list := range []string{`"captures": []`, `"flows": []`, `"findings": []`} {
		if !strings.Contains(toJSON(t, a), list) {
			t.Errorf("JSON lacks %s: an empty list is not null", list)
		}
	}
}

// plantOf makes a model of many cells and observations of many conversations in it:
// mostly polls over declared conduits, with some traffic that nothing permits.
func plantOf(tb testing.TB, cells, conversations int) (*model.Model, *capture.Observations) {
	var y strings.Builder
	y.WriteString("version: 1\nsystem: {id: s, name: S}\nzones:\n  - {id: ops, kind: operations, sl-t: 2, networks: [10.0.0.0/16]}\n")
	for i := range cells {
		fmt.Fprintf(&y, "  - {id: cell-%d, kind: control, sl-t: 2, networks: [10.%d.%d.0/24], assets: [{id: plc, addresses: [10.%d.%d.11], services: [modbus]}]}\n",
			i, 1+i/256, i%256, 1+i/256, i%256)
	}
	y.WriteString("conduits:\n")
	for i := range cells {
		fmt.Fprintf(&y, "  - {id: c-%d, joins: [ops, cell-%d], channels: [{id: poll-%d, from: ops, to: cell-%d/plc, protocol: modbus, operations: [read]}]}\n", i, i, i, i)
	}
	m := plant(tb, y.String())
	var cs []capture.Conversation
	for n := range conversations {
		cell := n % cells
		c := modbus(fmt.Sprintf("10.0.%d.%d", n/cells/200%256, 1+n/cells%200), fmt.Sprintf("10.%d.%d.11", 1+cell/256, cell%256), fc3)
		if n%50 == 0 {
			c.Operations = append(c.Operations, fc6)
		}
		cs = append(cs, c)
	}
	return m, tape(cs)
}

func BenchmarkJudge(b *testing.B) {
	for _, size := range []struct{ cells, conversations int }{{30, 10_000}, {3000, 100_000}} {
		b.Run(fmt.Sprintf("%d zones, %d conversations", size.cells, size.conversations), func(b *testing.B) {
			m, o := plantOf(b, size.cells, size.conversations)
			b.ReportAllocs()
			for b.Loop() {
				Judge(m, o, asOf)
			}
		})
	}
}

// TestDirectedBroadcast: where frames carry no MAC address, the last address of a
// sender's network is known for a broadcast all the same.
func TestDirectedBroadcast(t *testing.T) {
	m := plant(t, strings.Replace(works, "MORE", "", 1))
	for _, tt := range []struct {
		server string
		zone   string
	}{{"10.4.0.255", "cell"}, {"10.5.0.255", "sis"}} {
		a := Judge(m, tape([]capture.Conversation{talk("10.4.0.12", tt.server, 138, capture.NetBIOS, datagrams)}), asOf)
		if f := a.Flows[0]; f.ServerZone != tt.zone || (f.Relation == "intra") != (tt.zone == "cell") {
			t.Errorf("%s is in %s, %s", tt.server, f.ServerZone, f.Relation)
		}
	}
}

// TestOnOneLink: ARP has MAC addresses only. They are located by who listed them or
// by the addresses that they are bound to, and what stays on a segment crosses
// nothing.
func TestOnOneLink(t *testing.T) {
	const hmi, plc, jump, trip, firewall, stranger = "00:00:00:00:03:05", "00:00:00:00:04:11", "00:00:00:00:02:06", "00:00:00:00:05:11", "00:80:f4:0e:11:22", "00:00:00:00:00:01"
	m := plant(t, strings.Replace(works, "MORE", "", 1))
	bound := func(ip, mac string) capture.Endpoint {
		e := host(ip, 0, 0)
		e.Capture, e.MAC, e.ARP = 3, mustMAC(mac), true
		return e
	}
	endpoints := []capture.Endpoint{bound("10.3.0.5", hmi), bound("10.4.0.11", plc), bound("10.2.0.6", jump), bound("10.5.0.11", trip),
		// A router's address stands for many.
		bound("10.3.0.77", "00:00:00:00:00:99"), bound("10.4.0.77", "00:00:00:00:00:99")}
	tests := []struct {
		name           string
		client, server string
		want           string // client's and server's places, relation, verdict
		finding        string
	}{
		{"two hosts of a zone", plc, plc, "cell cell intra intra", ""},
		{"a host and its gateway", plc, firewall, "cell cell intra intra", ""},
		{"a gateway and its host", firewall, hmi, "ops ops intra intra", ""},
		{"zones that a conduit joins", hmi, plc, "ops ops intra intra", ""},
		{"zones that none joins share a link: no more is shown", hmi, trip, "ops sis cross deviation", ""},
		{"against a one-way conduit", jump, plc, "dmz cell cross breach", "EV-004:cell"},
		{"a host that nothing locates is on the segment of the other", stranger, plc, "cell cell intra intra", ""},
		{"a MAC address that is bound in several places", "00:00:00:00:00:99", stranger, "@unassigned @unassigned intra unassigned", ""},
		{"a broadcast", plc, "ff:ff:ff:ff:ff:ff", "cell cell intra intra", ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			arp := talk("10.0.0.1", "10.0.0.2", 0x0806, capture.ARP, ether(tt.client, tt.server))
			arp.Client.IP, arp.Server.IP, arp.Transport = netip.Addr{}, netip.Addr{}, capture.L2
			a := Judge(m, hear(seen(arp), endpoints...), asOf)
			f := a.Flows[0]
			if got := fmt.Sprintf("%s %s %s %s", f.ClientZone, f.ServerZone, f.Relation, f.Verdict); got != tt.want {
				t.Errorf("got %s, want %s (%q)", got, tt.want, f.Reasons)
			}
			if tt.finding != "" {
				findingOf(t, a, tt.finding)
			} else if len(f.Findings) > 0 {
				t.Errorf("findings %v", f.Findings)
			}
		})
	}
}

// TestAnsweredIsAsked: of address resolution a conversation between two hosts holds
// the answer alone, the request being a broadcast. The answer shows that its client
// sent something against a one-way conduit, which way round it may be.
func TestAnsweredIsAsked(t *testing.T) {
	const plc, jump = "00:00:00:00:04:11", "00:00:00:00:02:06"
	listed := strings.NewReplacer("addresses: [10.2.0.6]", `addresses: [10.2.0.6], mac: "`+jump+`"`, "addresses: [10.4.0.12]", `addresses: [10.4.0.12], mac: "`+plc+`"`, "MORE", "")
	m := plant(t, listed.Replace(works))
	for _, tt := range []struct{ name, client, server string }{{"with the direction answered", jump, plc}, {"against it", plc, jump}} {
		arp := talk("10.0.0.1", "10.0.0.2", 0x0806, capture.ARP, ether(tt.client, tt.server))
		arp.Client.IP, arp.Server.IP, arp.Transport = netip.Addr{}, netip.Addr{}, capture.L2
		arp.Packets.Sent, arp.Bytes.Sent, arp.Payload.Sent = 0, 0, 0
		a := Judge(m, seen(arp), asOf)
		if f := a.Flows[0]; f.Permit.Reason != string(conduits.AgainstOneWay) || !slices.Contains(f.Findings, "EV-004:out") {
			t.Errorf("%s: %s %q, findings %v", tt.name, f.Permit.Reason, f.Permit.Detail, f.Findings)
		}
	}
}
