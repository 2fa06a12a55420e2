package rules

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"bulkhead/capture"
	"bulkhead/conduits"
	"bulkhead/zones"
)

// TestDenials: which rules about what is permitted a denial becomes, reason by
// reason, and that a refusal by the device fires those of the boundary alone.
func TestDenials(t *testing.T) {
	late := s7load
	late.Active = []capture.Run{{From: at(noon.Add(5 * time.Hour)), Minutes: 3, Frame: 40}}
	brokered := "{id: plan, joins: [office, dmz, cell], via: dmz/jump, channels: [{from: office, to: dmz/jump, protocol: rdp}]}"
	proposed := "{id: plan, joins: [office, cell], status: proposed, channels: [{from: office, to: cell, protocol: modbus}]}"
	tests := []struct {
		reason   conduits.Reason
		seen     capture.Conversation
		want     string
		old, new string
	}{
		{conduits.NoConduit, modbus("10.3.0.5", "10.5.0.11", fc3), "EV-001:ops EV-001:sis", "", ""},
		{conduits.NotApproved, modbus("10.1.0.6", "10.4.0.11", fc3), "EV-001:cell EV-001:office", "", ""},
		{conduits.WrongProtocol, talk("10.4.0.12", "10.5.0.11", 102, capture.MMS), "EV-002:ask EV-002:sis", "", ""},
		{conduits.WrongPort, talk("10.3.0.5", "10.4.0.13", 81, capture.HTTP), "EV-002:c EV-002:cell", "", ""},
		{conduits.WrongWay, modbus("10.4.0.13", "10.3.0.5", fc3), "EV-002:c EV-002:ops", "", ""},
		{conduits.WrongEnd, modbus("10.3.0.99", "10.4.0.11", fc3), "EV-002:c EV-002:cell", "", ""},
		{conduits.WrongEnd, modbus("10.3.0.99", "10.4.0.11", fc6), "EV-002:c EV-002:cell EV-050:cell", "", ""},
		{conduits.WrongEnd, modbus("10.3.0.99", "10.4.0.11", refused(fc6)), "EV-002:c EV-002:cell", "", ""},
		{conduits.WrongClass, modbus("10.3.0.5", "10.4.0.13", op(capture.Modbus, capture.Diagnose, "8", "Diagnostics")), "EV-002:c EV-002:cell", "", ""},
		{conduits.WrongClass, modbus("10.3.0.5", "10.4.0.13", fc6), "EV-050:cell", "", ""},
		{conduits.WrongClass, modbus("10.3.0.5", "10.4.0.13", refused(fc6)), "EV-002:c EV-002:cell", "", ""},
		{conduits.WrongEnd, talk("10.3.0.5", "10.4.0.11", 102, capture.S7comm, asks(s7load)), "EV-002:c EV-002:cell EV-052:cell", "", ""},
		{conduits.WrongEnd, talk("10.3.0.5", "10.4.0.11", 102, capture.S7comm, asks(s7stop)), "EV-002:c EV-002:cell EV-054:cell", "", ""},
		{conduits.AgainstOneWay, talk("10.2.0.6", "10.4.0.12", 22, capture.SSH), "EV-004:cell EV-004:out", "", ""},
		{conduits.NotVia, modbus("10.1.0.5", "10.4.0.11", fc3), "", proposed, brokered},
		{conduits.OutsideWindow, talk("10.3.0.7", "10.4.0.11", 102, capture.S7comm, asks(late)), "", "", ""},
		{conduits.Unprotected, talk("10.1.0.5", "10.2.0.6", 3389, capture.RDP), "", "to: dmz/jump, protocol: rdp, remote-access: true}", "to: dmz/jump, protocol: rdp, remote-access: true, protection: encrypted}"},
	}
	for _, tt := range tests {
		m := plant(t, strings.Replace(strings.Replace(works, tt.old, tt.new, 1), "MORE", "", 1))
		a := Judge(m, seen(tt.seen), asOf)
		var got []string
		for _, f := range a.Findings {
			if f.Class == Contradiction && judgesPermit(f.Rule) {
				got = append(got, f.ID)
			}
		}
		slices.Sort(got)
		f := a.Flows[0]
		if strings.Join(got, " ") != tt.want {
			t.Errorf("%s: %s becomes %q, want %s", f.Permit.Reason, f.Permit.Detail, got, tt.want)
		}
		if tt.want == "" && f.Verdict != Deviation && f.Verdict != Breach {
			t.Errorf("%s: %s is %s", tt.reason, f.Permit.Detail, f.Verdict)
		}
		if f.Permit.Reason != string(tt.reason) {
			t.Errorf("%s: %s, want %s", f.Permit.Reason, f.Permit.Detail, tt.reason)
		}
	}
}

// TestWhatIsVoided: the requirements of rules whose evidence comes in degrees.
func TestWhatIsVoided(t *testing.T) {
	signed := func(c *capture.Conversation) { c.Protection = capture.Protection{Integrity: 1} }
	secured := asks(op(capture.DNP3, capture.Read, "1", "READ"), op(capture.DNP3, capture.Session, "32", "AUTHENTICATE_REQ"))
	tests := []struct {
		name, id, want, more string
		seen                 capture.Conversation
	}{
		{"in clear", "EV-070:c", "SR 3.1 RE(1) SR 4.1 RE(2)", "", modbus("10.3.0.5", "10.4.0.11", fc3)},
		{"signed", "EV-070:c", "SR 4.1 RE(2)", "", talk("10.3.0.5", "10.4.0.13", 4840, capture.OPCUA, signed)},
		{"dnp3 with secure authentication", "EV-070:c", "SR 4.1 RE(2)", "", talk("10.3.0.5", "10.4.0.11", 20000, capture.DNP3, secured)},
		{"a password", "EV-020:cell", "SR 1.5 SR 4.1", "", talk("10.4.0.12", "10.4.0.13", 21, capture.FTP, login("ftp password", true, 4))},
		{"a password, by policy", "EV-020:cell", "SR 1.5", "policy: {ev-020-dc: false}\n", talk("10.4.0.12", "10.4.0.13", 21, capture.FTP, login("ftp password", true, 4))},
		{"a first offence, by policy", "EV-001:ops", "SR 5.2 RE(1)", "policy: {ev-001-cap: 1}\n", modbus("10.3.0.5", "10.5.0.11", fc3)},
	}
	for _, tt := range tests {
		f := findingOf(t, Judge(plant(t, strings.Replace(works, "MORE", tt.more, 1)), seen(tt.seen), asOf), tt.id)
		if got := strings.Join(f.Requirements, " "); got != tt.want {
			t.Errorf("%s: %s voids %s, want %s", tt.name, tt.id, got, tt.want)
		}
	}
}

// TestTakingTrafficAwayLowersNothing takes one conversation away at a time: what is
// left speaks against no level that all of it left standing.
func TestTakingTrafficAwayLowersNothing(t *testing.T) {
	m := plant(t, strings.Replace(works, "MORE", "measures: [{id: a, covers: [cell, ops, c], meets: [\"IAC<=3\", \"RDF<=3\"]}]\n", 1))
	o := heap()
	before := numbers(Judge(m, o, asOf))
	for n := range o.Conversations {
		rest := &capture.Observations{Schema: o.Schema, Captures: o.Captures, Endpoints: o.Endpoints,
			Conversations: slices.Delete(slices.Clone(o.Conversations), n, n+1)}
		for at, level := range numbers(Judge(m, rest, asOf)) {
			if level < before[at] {
				t.Errorf("without %s on %d, %v fell from %d to %d", o.Conversations[n].Example.FiveTuple, o.Conversations[n].Server.Port, at, before[at], level)
			}
		}
	}
}

// numbers returns the ceilings and levels achieved: of a null 0.
func numbers(a *Assessment) map[string]uint8 {
	out := make(map[string]uint8)
	for _, l := range slices.Concat(a.Zones, a.Conduits) {
		for _, fr := range zones.FRs() {
			out[fmt.Sprintf("%s %s ceiling", l.ID, fr)] = l.Ceiling[fr]
			if n := l.SLA[fr]; n != nil {
				out[fmt.Sprintf("%s %s sl_a", l.ID, fr)] = *n
			}
		}
	}
	return out
}

// TestNamesDecideNothing gives zones, conduits and channels other names, in another
// order of the alphabet: levels, verdicts and findings are the same but for them.
func TestNamesDecideNothing(t *testing.T) {
	names := strings.NewReplacer("kind: dmz", "kind: dmz", "office", "z-office", "dmz", "y-dmz", "cell", "a-cell", "sis", "m-sis", "poll", "z-poll", "set,", "a-set,")
	text := strings.Replace(works, "MORE", "", 1)
	one, other := plant(t, text), plant(t, names.Replace(text))
	rng := rand.New(rand.NewPCG(13, 14))
	back := strings.NewReplacer("z-office", "office", "y-dmz", "dmz", "a-cell", "cell", "m-sis", "sis", "z-poll", "poll", "a-set", "set")
	for range 10 {
		o := randomPart(rng, heap(), 0.6)
		if diff := cmp.Diff(gist(Judge(one, o, asOf), nil), gist(Judge(other, o, asOf), back)); diff != "" {
			t.Fatalf("other names gave another result (-before +after):\n%s", diff)
		}
	}
}

// gist lists, sorted, what of an assessment does not hang on the order of names.
func gist(a *Assessment, back *strings.Replacer) []string {
	out := []string{string(a.Verdict)}
	for _, l := range slices.Concat(a.Zones, a.Conduits) {
		out = append(out, fmt.Sprintf("%s %v %s %+v %s", l.ID, l.Ceiling, vector(l.SLA), l.Gap, l.Coverage))
	}
	for _, f := range a.Findings {
		touched := strings.Fields(strings.Join(f.Zones, " "))
		out = append(out, fmt.Sprintf("%s %s %s %v %v %d", f.ID, f.Severity, f.Confidence, f.Requirements, f.Caps, len(touched)))
	}
	for _, f := range a.Flows {
		out = append(out, fmt.Sprintf("%s %s %s>%s %s %s %s %s", f.Client.Address, f.Server.Address, f.ClientZone, f.ServerZone, f.Conduit, f.Channel, f.Permit.Reason, f.Verdict))
	}
	if back != nil {
		for i := range out {
			out[i] = back.Replace(out[i])
		}
	}
	slices.Sort(out)
	return out
}

// TestShape holds the names of the JSON form, level by level: they are a contract.
func TestShape(t *testing.T) {
	more := `
measures: [{id: m, covers: [cell], meets: [SR 1.2], compensating: true, why: w, approved-by: a, review-by: 2027-01-01}]
exceptions: [{id: x, rule: EV-024, subject: cell, owner: o, reason: r, ticket: t, expires: 2027-01-01}, {id: y, rule: EV-110, subject: sis, owner: o, reason: r, ticket: t, expires: 2027-01-01}]
`
	text := toJSON(t, Judge(plant(t, strings.Replace(works, "MORE", more, 1)), seen(modbus("10.3.0.5", "10.4.0.11", fc3, fc6)), asOf))
	var doc map[string]any
	if err := json.Unmarshal([]byte(text), &doc); err != nil {
		t.Fatal(err)
	}
	first := func(v any, path ...string) map[string]any {
		for _, key := range path {
			v = v.(map[string]any)[key]
			if list, ok := v.([]any); ok {
				v = list[0]
			}
		}
		return v.(map[string]any)
	}
	zone := doc["zones"].([]any)[3].(map[string]any) // the cell
	finding := map[string]any{}
	for _, f := range doc["findings"].([]any) {
		if f := f.(map[string]any); f["id"] == "EV-024:cell" {
			finding = f
		}
	}
	tests := []struct {
		what string
		of   map[string]any
		want string
	}{
		{"assessment", doc, "as_of captures conduits coverage findings flows model notes schema verdict zones"},
		{"model", first(doc, "model"), "path sha256 system"},
		{"zone", zone, "ceiling coverage declared gap id kind limits sl_a sl_t testable"},
		{"gap", first(zone, "gap"), "design evidence fr levels"},
		{"limit", first(zone, "limits"), "finding fr level requirement"},
		{"testable", first(zone, "testable"), "of testable"},
		{"flow", first(doc, "flows"), "channel client client_zone conduit findings operations outcome permit protocol reasons relation seen_at server server_zone verdict"},
		{"server", first(doc, "flows", "server"), "address asset port transport"},
		{"permit", first(doc, "flows", "permit"), "allowed detail model reason"},
		{"position", first(doc, "flows", "permit", "model"), "column file line"},
		{"operation", first(doc, "flows", "operations"), "accepted class code count from name protocol refused unanswered"},
		{"sighting", first(doc, "flows", "seen_at"), "bytes capture example first last packets tap vlan"},
		{"finding", finding, "attack base_severity breach caps class compensated confidence evidence exception fix flows id message model requirements rule severity status subject zones"},
		{"subject", first(finding, "subject"), "id kind"},
		{"evidence", first(finding, "evidence"), "capture community_id count filter first flow frames last"},
		{"coverage", first(doc, "coverage"), "attempts conduit first flows last state taps watched_ms"},
		{"note", first(doc, "notes"), "code model text"},
	}
	for _, tt := range tests {
		keys := make([]string, 0, len(tt.of))
		for k := range tt.of {
			keys = append(keys, k)
		}
		slices.Sort(keys)
		if got := strings.Join(keys, " "); got != tt.want {
			t.Errorf("%s has %s\nwant %s", tt.what, got, tt.want)
		}
	}
	for _, key := range []string{"sl_t", "declared", "ceiling", "sl_a", "testable"} {
		if n := len(zone[key].([]any)); n != int(zones.NumFR) {
			t.Errorf("%s has %d entries", key, n)
		}
	}
}
