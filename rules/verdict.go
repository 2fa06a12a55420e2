package rules

import (
	"fmt"
	"slices"
	"strconv"

	"bulkhead/capture"
	"bulkhead/zones"
)

// judge returns a flow's verdict: the first that fits, in the order of [Verdict].
func (f *judged) judge() Verdict {
	contradicted, breach := false, false
	for _, g := range f.groups {
		contradicted = contradicted || g.key.class == Contradiction
		breach = breach || g.breaches()
	}
	switch {
	case f.doubt != "":
		return NotAssessable
	case f.client.Zone == zones.Unassigned || f.server.Zone == zones.Unassigned:
		return Unassigned
	case f.cross && (f.outcome == Attempted || f.outcome == Rejected):
		return Refused
	case breach:
		return Breach
	case contradicted || f.denied():
		return Deviation
	case f.cross:
		return Allowed
	}
	return Intra
}

// flowList lists the flows, ordered by their ends and service.
func (s *scene) flowList() []Flow {
	out := make([]Flow, len(s.flows))
	for i, f := range s.flows {
		out[i] = s.flow(f)
	}
	return out
}

func (s *scene) flow(f *judged) Flow {
	c := f.first
	out := Flow{
		ClientZone: f.client.ID(), ServerZone: f.server.ID(),
		Client:   FlowEnd{Address: addressText(c.Client), Asset: refOf(f.client)},
		Server:   FlowServer{FlowEnd{Address: addressText(c.Server.Peer), Asset: refOf(f.server)}, c.Server.Port, c.Transport},
		Protocol: c.Protocol, Relation: "intra", Permit: Permit{Allowed: true},
		Outcome: string(f.outcome), Verdict: f.verdict, Reasons: f.reasons(), Unjudged: f.unjudged(), Findings: []string{},
		Operations: f.ops[:min(len(f.ops), MaxOperations):len(f.ops)], OperationsCut: len(f.ops) > MaxOperations,
		SeenAt: make([]SeenAt, len(f.sights)),
	}
	if out.Operations == nil {
		out.Operations = []FlowOperation{}
	}
	if f.cross {
		out.Relation = "cross"
	}
	if f.settled != nil {
		d := &f.settled.decision
		out.Permit = Permit{Allowed: d.Permit, Reason: string(d.Reason), Detail: d.Detail}
		if !d.Position.IsZero() {
			out.Permit.Model = &d.Position
		}
		if d.Conduit != nil {
			out.Conduit = d.Conduit.ID
		}
		if d.Channel != nil {
			out.Channel = d.Channel.ID
		}
	} else if f.cross {
		out.Permit = Permit{Detail: f.doubt} // the question could not be put
	}
	for _, g := range f.groups {
		out.Findings = append(out.Findings, g.id)
	}
	slices.Sort(out.Findings)
	for i, x := range f.sights {
		out.OperationsCut = out.OperationsCut || x.conv.OperationsCut
		out.SeenAt[i] = SeenAt{
			Capture: s.obs.Captures[x.conv.Capture].SHA256, Tap: s.tapID(x.conv.Capture), VLAN: x.conv.VLAN,
			Packets: x.conv.Packets, Bytes: x.conv.Bytes, First: x.conv.First, Last: x.conv.Last, Example: x.conv.Example,
		}
	}
	return out
}

func refOf(l zones.Location) string {
	if l.Asset == nil {
		return ""
	}
	return l.Asset.Ref()
}

// reasons says in words why a flow has its verdict.
func (f *judged) reasons() []string {
	switch f.verdict {
	case NotAssessable:
		return []string{f.doubt}
	case Unassigned:
		var out []string
		for _, end := range []struct {
			at zones.Location
			of string
		}{{f.client, addressText(f.first.Client)}, {f.server, addressText(f.first.Server.Peer)}} {
			if end.at.Zone == zones.Unassigned {
				out = append(out, end.of+" is in no declared zone")
			}
		}
		return out
	case Refused:
		text := "nothing came back; "
		if f.outcome == Rejected {
			text = "it was turned away; "
		}
		if f.denied() {
			return []string{text + "the design does not permit it: " + f.settled.decision.Detail}
		}
		return []string{text + fmt.Sprintf("channel %q permits it", f.settled.decision.Channel.ID)}
	case Allowed:
		return []string{"channel " + strconv.Quote(f.settled.decision.Channel.ID) + " permits it"}
	case Intra:
		return []string{"both ends are in " + f.client.ID()}
	}
	out := make([]string, 0, 1+len(f.groups))
	if f.denied() {
		for _, d := range f.denials() {
			out = append(out, d.text())
		}
		if len(f.groups) == 0 && (f.outcome == OneWay || f.first.Transport == capture.L2) {
			out = append(out, "nothing was seen of it beyond the boundary, so it voids nothing")
		}
	}
	for _, g := range f.groups {
		text := "evidence of " + g.id
		if g.breaches() {
			text += ", which brings " + g.subject.ID + " below its SL-T"
		}
		out = append(out, text)
	}
	return out
}
