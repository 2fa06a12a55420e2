package rules

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"bulkhead/capture"
	"bulkhead/zones"
)

// tl1 is the acceptance model TL-1, a truck loading terminal of our own design.
const tl1 = `
version: 1
system: {id: tl-1, name: Truck loading terminal, timezone: Europe/Amsterdam}
zones:
  - {id: ent, name: Office, kind: business, sl-t: 1, networks: [10.1.0.0/24], assets: [{id: pc, addresses: [10.1.0.5]}]}
  - id: dmz
    kind: dmz
    sl-t: 2
    networks: [10.2.0.0/24]
    assets:
      - {id: portal, role: server, addresses: [10.2.0.5], services: [tls]}
      - {id: jump, role: jump-host, addresses: [10.2.0.6], services: [tls]}
  - id: ops
    kind: operations
    sl-t: 2
    inventory: complete
    networks: [10.3.0.0/24]
    assets:
      - {id: hmi, role: hmi, addresses: [10.3.0.5], services: []}
      - {id: hist, role: historian, addresses: [10.3.0.6], services: [ftp, tls]}
      - {id: eng, role: engineering, addresses: [10.3.0.7], services: []}
  - id: bpcs
    kind: control
    sl-t: {IAC: 2, UC: 2, SI: 2, DC: 1, RDF: 2, TRE: 1, RA: 2}
    networks: [10.4.0.0/24]
    assets:
      - {id: plc-1, role: controller, addresses: [10.4.0.11], services: [modbus, s7comm]}
      - {id: batch, role: controller, addresses: [10.4.0.12], services: [modbus]}
  - id: sis
    kind: safety
    sl-t: {IAC: 3, UC: 3, SI: 3, DC: 1, RDF: 3, TRE: 2, RA: 2}
    networks: [10.5.0.0/24]
    assets:
      - {id: trip, role: safety-controller, addresses: [10.5.0.11], services: [modbus]}
  - {id: wls, kind: wireless, sl-t: "{2 2 2 2 2 1 1}", networks: [10.6.0.0/24]}
  - {id: tmp, kind: temporary, sl-t: "{2 2 2 1 2 1 1}", networks: [10.7.0.0/24]}
  - {id: ext, kind: external, sl-t: 0, networks: [203.0.113.0/24]}
conduits:
  - {id: c1, joins: [ent, dmz], channels: [{from: ent, to: dmz/portal, protocol: tls}]}
  - {id: c2, joins: [dmz, ops], channels: [{from: dmz/portal, to: ops/hist, protocol: tls}]}
  - id: c3
    joins: [ops, bpcs]
    sl-t: 2
    channels:
      - {id: poll, from: ops/hmi, to: bpcs, protocol: modbus, operations: [read]}
      - {id: set, from: ops/hmi, to: bpcs/plc-1, protocol: modbus, operations: [write], codes: [6, 16], objects: ["40001-40020"]}
      - {id: load, from: ops/eng, to: bpcs/plc-1, protocol: s7comm, operations: [read, program], window: "Sat 06:00-10:00"}
  - id: c4
    joins: [bpcs, sis]
    sl-t: {IAC: 2, UC: 2, SI: 2, DC: 1, RDF: 2, TRE: 1, RA: 2}
    rationale: the basic process control reads only
    channels: [{id: watch, from: bpcs, to: sis/trip, protocol: modbus, operations: [read]}]
  - {id: c5, joins: [wls, ops], kind: wireless, channels: [{from: wls, to: ops/hist, protocol: tls}]}
  - {id: c6, joins: [tmp, bpcs], channels: [{from: tmp, to: bpcs/plc-1, protocol: s7comm, window: "Sat 06:00-10:00"}]}
  - {id: c7, joins: [ext, dmz], kind: vpn, trusted: false, channels: [{from: ext, to: dmz/jump, protocol: tls, remote-access: true}]}
measures:
  - {id: m-two, covers: [dmz, ops, c3], meets: ["IAC<=2", "UC<=2", "SI<=2", "DC<=2", "RDF<=2", "TRE<=2", "RA<=2"], by: design, evidence: FAT-1}
  - {id: m-bpcs, covers: [bpcs], meets: ["IAC<=2", "UC<=2", "SI<=2", "DC<=1", "RDF<=2", "TRE<=1", "RA<=2"], by: design, evidence: FAT-2}
  - {id: m-sis, covers: [sis], meets: ["IAC<=2", "UC<=3", "SI<=2", "DC<=1", "RDF<=3", "TRE<=1", "RA<=2"], by: design, evidence: FAT-3}
  - {id: m-trip, covers: [sis], meets: [SR 1.2], compensating: true, why: locked cabinet, approved-by: security officer, review-by: 2027-06-30}
COMPENSATION
exceptions:
  - {id: x-live, rule: EV-070, subject: c3, owner: Maintenance, reason: legacy PLC, ticket: CHG-1, expires: 2027-03-31}
  - {id: x-old, rule: EV-070, subject: ops, owner: Maintenance, reason: legacy PLC, ticket: CHG-2, expires: 2026-03-14}
`

const tl1Compensation = `  - {id: m-plc, covers: [bpcs], meets: [SR 1.2], compensating: true, why: locked cabinet, approved-by: security officer, review-by: 2027-06-30}`

func tl1Model(compensated bool) string {
	if compensated {
		return strings.Replace(tl1, "COMPENSATION", tl1Compensation, 1)
	}
	return strings.Replace(tl1, "COMPENSATION\n", "", 1)
}

func tl1Observations() *capture.Observations {
	tls := func(client, server string) capture.Conversation {
		return talk(client, server, 443, capture.TLS, encrypted)
	}
	return hear(tape([]capture.Conversation{
		tls("10.1.0.5", "10.2.0.5"),
		tls("10.2.0.5", "10.3.0.6"),
		tls("203.0.113.9", "10.2.0.6"),
		modbus("10.3.0.5", "10.4.0.11", fc3, fc6),  // the HMI, as declared
		modbus("10.3.0.6", "10.4.0.11", fc3),       // the historian, which no channel names
		modbus("10.4.0.11", "10.5.0.11", fc3),      // the poll over c4
		modbus("10.4.0.12", "10.5.0.11", fc3, fc6), // the batch controller writes over c4
		talk("10.3.0.7", "10.3.0.6", 21, capture.FTP, login("ftp password", true, 9)),
		tls("10.3.0.99", "10.3.0.6"), // an unknown host of the control room
	}), host("10.3.0.99", 40, 5*time.Minute), host("10.3.0.6", 40, 5*time.Minute))
}

// vector prints seven levels as section 11 of the acceptance table does.
func vector(levels [zones.NumFR]*uint8) string {
	out := make([]string, len(levels))
	for i, n := range levels {
		out[i] = "-"
		if n != nil {
			out[i] = fmt.Sprint(*n)
		}
	}
	return strings.Join(out, " ")
}

func plain(v zones.Vector) string { return strings.Trim(v.String(), "{}") }

func gaps(l Levels) string {
	var v zones.Vector
	for _, g := range l.Gap {
		v[g.FR] = g.Levels
	}
	return plain(v)
}

// TestTL1 holds the acceptance table to the digit.
func TestTL1(t *testing.T) {
	tests := []struct {
		id                          string
		compensated                 bool
		declared, sla, ceiling, gap string
		binding                     []string
	}{
		{"bpcs", false, "2 2 2 1 2 1 2", "1 2 2 1 1 1 2", "1 4 2 3 1 4 4", "1 0 0 0 1 0 0", []string{"EV-024:bpcs", "EV-002:bpcs"}},
		{"bpcs", true, "2 2 2 1 2 1 2", "2 2 2 1 1 1 2", "4 4 2 3 1 4 4", "0 0 0 0 1 0 0", []string{"EV-002:bpcs"}},
		{"sis", false, "2 3 2 1 3 1 2", "2 0 2 1 0 1 2", "4 0 2 3 0 4 4", "1 3 1 0 3 1 0", []string{"EV-110:sis"}},
		{"ops", false, "2 2 2 2 2 2 2", "0 2 2 0 2 2 1", "0 4 2 0 4 4 1", "2 0 0 2 0 0 1", []string{"EV-020:ops", "EV-090:ops"}},
		{"dmz", false, "2 2 2 2 2 2 2", "2 2 2 2 2 2 2", "4 4 4 4 4 4 4", "0 0 0 0 0 0 0", nil},
		{"c3", false, "2 2 2 2 2 2 2", "2 2 2 2 1 2 2", "4 4 2 3 1 4 4", "0 0 0 0 1 0 0", []string{"EV-002:c3"}},
	}
	for _, tt := range tests {
		t.Run(fmt.Sprintf("%s compensated %v", tt.id, tt.compensated), func(t *testing.T) {
			a := Judge(plant(t, tl1Model(tt.compensated)), tl1Observations(), asOf)
			l := levelsOf(t, a, tt.id)
			if got := vector(l.Declared); got != tt.declared {
				t.Errorf("declared %s, want %s", got, tt.declared)
			}
			if got := vector(l.SLA); got != tt.sla {
				t.Errorf("sl_a %s, want %s", got, tt.sla)
			}
			if got := plain(l.Ceiling); got != tt.ceiling {
				t.Errorf("ceiling %s, want %s", got, tt.ceiling)
			}
			if got := gaps(l); got != tt.gap {
				t.Errorf("gap %s, want %s", got, tt.gap)
			}
			var binding []string
			for _, limit := range l.Limits {
				if limit.Level < min(*l.Declared[limit.FR], l.SLT[limit.FR]) && limit.Level == l.Ceiling[limit.FR] && !slices.Contains(binding, limit.Finding) {
					binding = append(binding, limit.Finding)
				}
			}
			slices.Sort(binding)
			want := slices.Sorted(slices.Values(tt.binding))
			if !slices.Equal(binding, want) {
				t.Errorf("the findings %v bind, want %v", binding, want)
			}
			if a.Verdict != OverallBreach {
				t.Errorf("verdict %s, want breach", a.Verdict)
			}
		})
	}
}

// TestTL1Exceptions shows that exceptions change a status and no number.
func TestTL1Exceptions(t *testing.T) {
	a := Judge(plant(t, tl1Model(false)), tl1Observations(), asOf)
	if f := findingOf(t, a, "EV-070:c3"); f.Status != Accepted || f.Exception != "x-live" {
		t.Errorf("EV-070:c3 is %s by %q, want accepted by x-live", f.Status, f.Exception)
	}
	if f := findingOf(t, a, "EV-070:ops"); f.Status != Open || f.Exception != "" {
		t.Errorf("EV-070:ops is %s by %q, want open", f.Status, f.Exception)
	}
	expired := slices.ContainsFunc(a.Notes, func(n Note) bool { return n.Code == "exception-expired" && strings.Contains(n.Text, "x-old") })
	if !expired {
		t.Errorf("no note says that x-old expired: %v", a.Notes)
	}
	_, without, _ := strings.Cut(tl1Model(false), "exceptions:")
	b := Judge(plant(t, strings.Replace(tl1Model(false), "exceptions:"+without, "", 1)), tl1Observations(), asOf)
	for _, id := range []string{"ent", "dmz", "ops", "bpcs", "sis", "c3", "c4"} {
		x, y := levelsOf(t, a, id), levelsOf(t, b, id)
		if vector(x.SLA) != vector(y.SLA) || x.Ceiling != y.Ceiling {
			t.Errorf("%s: exceptions changed a level", id)
		}
	}
}
