package diagram

import (
	"fmt"

	"bulkhead/capture"
	"bulkhead/conduits"
	"bulkhead/model"
	"bulkhead/rules"
	"bulkhead/zones"
)

func vector(s string) zones.Vector {
	v, err := zones.ParseVector(s)
	if err != nil {
		panic(err)
	}
	return v
}

func assets(zone string, names ...string) []*zones.Asset {
	var out []*zones.Asset
	for _, n := range names {
		out = append(out, &zones.Asset{ID: n, Zone: zone})
	}
	return out
}

func channel(from, to string, p capture.Protocol, classes ...capture.Class) *conduits.Channel {
	return &conduits.Channel{From: conduits.End{Zone: from}, To: conduits.End{Zone: to}, Protocol: p, Operations: classes}
}

func inWindow(c *conduits.Channel) *conduits.Channel {
	c.Windows = make([]conduits.Window, 1)
	return c
}

// truckLoading is TL-1, the acceptance model: a truck loading terminal.
func truckLoading() *model.Model {
	zone := func(id, name string, kind zones.Kind, purdue, slt string, names ...string) *zones.Zone {
		return &zones.Zone{ID: id, Name: name, Kind: kind, Purdue: purdue, SLT: vector(slt), Safety: kind == zones.Safety,
			Assets: assets(id, names...), Position: zones.Position{File: "plant.yaml", Line: 10, Column: 5}}
	}
	conduit := func(id, slt, device string, joins []string, channels ...*conduits.Channel) *conduits.Conduit {
		c := &conduits.Conduit{ID: id, Name: id, Joins: joins, SLT: vector(slt), Kind: conduits.Wired, Trusted: true, Status: conduits.Approved,
			Channels: channels, Position: zones.Position{File: "plant.yaml", Line: 80, Column: 5}}
		if device != "" {
			c.Boundary = []string{device}
		}
		return c
	}
	m := &model.Model{
		Path: "plant.yaml", SHA256: "3f2a9c1b77d04e5a86c2b1f09d3e4a5b6c7d8e9f00112233445566778899aabb",
		System: model.System{ID: "tl-1", Name: "Truck loading terminal", Owner: "Terminal operations", Revision: "3"},
		Zones: []*zones.Zone{
			zone("ent", "Enterprise", zones.Business, "4", "1", "erp", "mail"),
			zone("dmz", "DMZ", zones.DMZ, "3.5", "2", "jump-1", "patch-1", "hist-mirror"),
			zone("ops", "Control room", zones.Operations, "3", "2", "hmi-1", "hmi-2", "hist", "ews-1"),
			zone("bpcs", "Basic process control", zones.Control, "1", "2 2 2 1 2 1 2", "plc-1 loading", "weighbridge", "batch-1"),
			zone("sis", "Overfill and earthing trip", zones.Safety, "1", "3 3 3 1 3 2 2", "sis-1"),
			zone("wls", "Driver handhelds", zones.Wireless, "", "2 2 2 2 2 1 1", "ap-1"),
			zone("tmp", "Vendor laptop", zones.Temporary, "", "2 2 2 1 2 1 1"),
			zone("ext", "Vendor and internet", zones.External, "", "0"),
		},
	}
	c5 := conduit("c5", "2", "ap-1", []string{"wls", "ops"}, channel("wls", "ops", capture.TLS))
	c5.Kind = conduits.Wireless
	c7 := conduit("c7", "2", "fw-1", []string{"ext", "dmz"}, channel("ext", "dmz", capture.TLS))
	c7.Kind, c7.Trusted, c7.Via = conduits.VPN, false, m.Zones[1].Assets[0]
	m.Conduits = []*conduits.Conduit{
		conduit("c1", "2", "fw-1", []string{"ent", "dmz"}, channel("ent", "dmz", capture.TLS)),
		conduit("c2", "2", "fw-2", []string{"dmz", "ops"}, channel("ops", "dmz", capture.OPCUA, capture.Read), channel("dmz", "ops", capture.RDP)),
		conduit("c3", "2", "fw-3", []string{"ops", "bpcs"}, channel("ops", "bpcs", capture.Modbus, capture.Read), channel("ops", "bpcs", capture.Modbus, capture.Write),
			inWindow(channel("ops", "bpcs", capture.S7comm, capture.Program))),
		conduit("c4", "2 2 2 1 2 1 2", "fw-4", []string{"bpcs", "sis"}, channel("bpcs", "sis", capture.Modbus, capture.Read)),
		c5,
		conduit("c6", "2 2 2 1 2 1 2", "", []string{"tmp", "bpcs"}, inWindow(channel("tmp", "bpcs", capture.S7comm, capture.Program))),
		c7,
	}
	return m
}

func achievedVector(s string) (out [zones.NumFR]*uint8) {
	for i, n := range vector(s) {
		out[i] = &n
	}
	return out
}

// judged builds the levels that an assessment holds of one subject.
func judged(id, slt, sla, coverage string) rules.Levels {
	l := rules.Levels{ID: id, SLT: vector(slt), SLA: achievedVector(sla), Declared: achievedVector(slt), Ceiling: vector("4"), Coverage: coverage}
	for _, fr := range vector(sla).Below(l.SLT) {
		l.Gap = append(l.Gap, rules.Gap{FR: fr, Levels: l.SLT[fr] - *l.SLA[fr], Evidence: true})
	}
	return l
}

// truckLoadingFound is what the captures of TL-1 come to, with two crossings
// besides that its example has not, for the sake of the drawing.
func truckLoadingFound(m *model.Model) *rules.Assessment {
	a := &rules.Assessment{
		AsOf:     "2026-11-23",
		Verdict:  rules.OverallBreach,
		Captures: make([]rules.CaptureRef, 2),
		Zones: []rules.Levels{
			judged("ent", "1", "1", "seen"), judged("dmz", "2", "2", "seen"), judged("ops", "2", "0 2 2 0 2 2 1", "seen"),
			judged("bpcs", "2 2 2 1 2 1 2", "1 2 2 1 1 1 2", "seen"), judged("sis", "3 3 3 1 3 2 2", "2 0 2 1 0 1 2", "seen"),
			judged("wls", "2 2 2 2 2 1 1", "2 2 2 2 2 1 1", "not-seen"), judged("tmp", "2 2 2 1 2 1 1", "2 2 2 1 2 1 1", "not-seen"),
		},
		Conduits: []rules.Levels{judged("c3", "2", "2 2 2 2 1 2 2", "violated")},
		Findings: []rules.Finding{
			{ID: "f-1a2b3c", Rule: "EV-110", Subject: rules.Subject{Kind: "zone", ID: "sis"}, Message: "batch-1 wrote registers on sis-1"},
			{ID: "f-77aa01", Rule: "EV-001", Subject: rules.Subject{Kind: "zone", ID: "sis"}, Message: "hist reached sis-1 over no conduit"},
		},
	}
	states := map[string]string{"c1": "seen-allowed", "c2": "seen-allowed", "c3": "violated", "c4": "violated", "c5": "not-observable", "c6": "observable-silent", "c7": "seen-allowed"}
	for _, c := range m.Conduits {
		a.Coverage = append(a.Coverage, rules.Coverage{Conduit: c.ID, State: states[c.ID]})
	}
	for i := range 3 {
		f := rules.Flow{ClientZone: "ops", ServerZone: "sis", Protocol: capture.Modbus, Relation: "cross", Verdict: rules.Breach, Findings: []string{"f-77aa01"},
			SeenAt: []rules.SeenAt{{Packets: capture.Volume{Sent: 600 + uint64(i), Received: 600}}}}
		if i == 2 {
			f.Protocol, f.Verdict = capture.HTTP, rules.Refused
		} else {
			f.Operations = []rules.FlowOperation{
				{Protocol: capture.Modbus, Code: "6", Name: "Write Single Register", Class: capture.Write, Count: 7, Accepted: 7},
				{Protocol: capture.Modbus, Code: "3", Name: "Read Holding Registers", Class: capture.Read, Count: 100, Accepted: 100},
				{Protocol: capture.Modbus, Code: "1", Name: "Read Coils", Class: capture.Read, Count: 2, Accepted: 2},
			}
		}
		a.Flows = append(a.Flows, f)
	}
	a.Flows = append(a.Flows, rules.Flow{ClientZone: "ent", ServerZone: "ops", Protocol: capture.RDP, Relation: "cross", Verdict: rules.Refused,
		SeenAt: []rules.SeenAt{{Packets: capture.Volume{Sent: 12}}}})
	return a
}

// tiny is the least model that draws anything.
func tiny() *model.Model {
	return &model.Model{
		System: model.System{ID: "pump", Name: "Pump house"},
		Zones: []*zones.Zone{
			{ID: "cell", Name: "Pumps", Kind: zones.Control, Purdue: "1", SLT: zones.Scalar(2), Assets: assets("cell", "plc-1")},
			{ID: "scada", Name: "SCADA", Kind: zones.Operations, Purdue: "3", SLT: zones.Scalar(2)},
		},
		Conduits: []*conduits.Conduit{{ID: "scada-cell", Joins: []string{"scada", "cell"}, SLT: zones.Scalar(2), Kind: conduits.Wired, Trusted: true, Status: conduits.Approved,
			Channels: []*conduits.Channel{channel("scada", "cell", capture.Modbus, capture.Read)}}},
	}
}

// nested has zones in zones, a conduit of three zones, a diode, a serial line and
// a proposed conduit.
func nested() *model.Model {
	zone := func(id, name string, kind zones.Kind, purdue, parent string) *zones.Zone {
		return &zones.Zone{ID: id, Name: name, Kind: kind, Purdue: purdue, Parent: parent, SLT: zones.Scalar(2), Safety: kind == zones.Safety}
	}
	conduit := func(id string, joins ...string) *conduits.Conduit {
		return &conduits.Conduit{ID: id, Joins: joins, SLT: zones.Scalar(2), Kind: conduits.Wired, Trusted: true, Status: conduits.Approved}
	}
	m := &model.Model{
		System: model.System{ID: "wtp", Name: "Water treatment works", Revision: "B"},
		Zones: []*zones.Zone{
			zone("office", "Office", zones.Business, "4", ""),
			zone("dmz", "Plant DMZ", zones.DMZ, "3.5", ""),
			zone("plant", "Plant control", zones.Operations, "3", ""),
			zone("intake", "Intake", zones.Control, "2", "plant"),
			zone("filters", "Filters", zones.Control, "2", "plant"),
			zone("pumps", "Filter pumps", zones.Control, "1", "filters"),
			zone("dosing", "Chlorine dosing", zones.Safety, "1", "plant"),
			zone("sensors", "Field bus", zones.Field, "0", "plant"),
		},
	}
	ring := conduit("ring", "plant", "intake", "filters")
	ring.Channels = []*conduits.Channel{channel("plant", "intake", capture.ENIP, capture.Read, capture.Write), channel("plant", "filters", capture.ENIP, capture.Read),
		channel("intake", "filters", capture.OPCUA, capture.Event)}
	ring.Assets = []*zones.Asset{{ID: "ring-sw", Role: "switch", Conduit: "ring"}}
	diode := conduit("diode", "dosing", "plant")
	diode.OneWay = &conduits.Direction{From: "dosing", To: "plant"}
	diode.Channels = []*conduits.Channel{channel("dosing", "plant", capture.OPCUA, capture.Event)}
	bus := conduit("bus", "pumps", "sensors")
	bus.Kind = conduits.Serial
	draft := conduit("draft", "office", "dmz")
	draft.Status = conduits.Proposed
	draft.Channels = []*conduits.Channel{channel("office", "dmz", capture.TLS)}
	line := conduit("pumps-filters", "filters", "pumps")
	line.Channels = []*conduits.Channel{channel("filters", "pumps", capture.Modbus, capture.Read, capture.Control)}
	m.Conduits = []*conduits.Conduit{ring, diode, bus, draft, line, conduit("dmz-plant", "dmz", "plant")}
	return m
}

// large is a plant of n zones: areas of an operations zone with its cells below,
// some of them with a safety zone, all joined to one DMZ and core.
func large(n int) *model.Model {
	m := &model.Model{System: model.System{ID: "big", Name: fmt.Sprintf("Refinery of %d zones", n)}}
	zone := func(id, name string, kind zones.Kind, purdue string) {
		m.Zones = append(m.Zones, &zones.Zone{ID: id, Name: name, Kind: kind, Purdue: purdue, SLT: zones.Scalar(uint8(1 + len(m.Zones)%3)),
			Safety: kind == zones.Safety, Assets: assets(id, id+"-plc", id+"-io")})
	}
	join := func(p capture.Protocol, joins ...string) {
		m.Conduits = append(m.Conduits, &conduits.Conduit{ID: fmt.Sprintf("c%d", len(m.Conduits)+1), Joins: joins, SLT: zones.Scalar(2), Kind: conduits.Wired,
			Trusted: true, Status: conduits.Approved, Channels: []*conduits.Channel{channel(joins[0], joins[1], p, capture.Read)}})
	}
	zone("office", "Office", zones.Business, "4")
	zone("dmz", "DMZ", zones.DMZ, "3.5")
	zone("core", "Site operations", zones.Operations, "3")
	join(capture.TLS, "office", "dmz")
	join(capture.OPCUA, "dmz", "core")
	for area := 1; len(m.Zones) < n; area++ {
		id := fmt.Sprintf("area-%d", area)
		zone(id, fmt.Sprintf("Area %d supervision", area), zones.Operations, "2")
		join(capture.OPCUA, "core", id)
		for k := 1; k <= 4 && len(m.Zones) < n; k++ {
			cell := fmt.Sprintf("cell-%d-%d", area, k)
			kind := zones.Control
			if k == 4 {
				kind = zones.Safety
			}
			zone(cell, fmt.Sprintf("Unit %d%c", area, 'A'+k-1), kind, "1")
			join(capture.Modbus, id, cell)
			if k == 4 {
				join(capture.Modbus, fmt.Sprintf("cell-%d-%d", area, k-1), cell)
			}
		}
	}
	return m
}
