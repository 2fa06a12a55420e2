package rules

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"bulkhead/capture"
	"bulkhead/conduits"
)

// use is what an operation does to a controller, as the rules of use control part
// it.
type use int

const (
	noUse   use = iota
	written     // a value or an output set
	programmed
	moded // started, stopped, reset
)

// useOf returns what an operation did to the server: noUse unless a client asked
// for it and the server accepted.
func useOf(op *capture.Operation) use {
	if op.From != capture.FromClient || op.Accepted == 0 {
		return noUse
	}
	switch op.Class {
	case capture.Write, capture.Control:
		if !onlySelects(op) {
			return written
		}
	case capture.Program:
		if !readsLogic(op) {
			return programmed
		}
	case capture.Mode:
		return moded
	}
	return noUse
}

// onlySelects reports whether an operation of class control arms an output without
// operating it: DNP3's SELECT. Source: IEEE 1815-2012, 4.2.2.
func onlySelects(op *capture.Operation) bool { return op.Protocol == capture.DNP3 && op.Code == "3" }

// readsLogic reports whether an operation of class program only reads logic out of
// the controller. Names are those of the protocols, where "upload" is towards the
// engineering station; UMAS calls it the other way round and its names say which
// way they mean.
func readsLogic(op *capture.Operation) bool {
	name := strings.ToLower(op.Name)
	if strings.Contains(name, "(to the plc)") {
		return false
	}
	return strings.Contains(name, "(from the plc)") || strings.Contains(name, "upload")
}

// useControl makes the check of a rule that looks for one use of controllers by
// those who are not authorised for it.
func useControl(wanted use) func(*scene, *Rule, func(hit)) {
	return func(s *scene, r *Rule, report func(hit)) {
		for _, f := range s.flows {
			if !f.judgeable() || f.outcome != Answered {
				continue
			}
			if ops := s.unauthorised(f, wanted); len(ops) > 0 {
				s.accuse(report, r, f, ops)
			}
		}
	}
}

func authoriseFix(g *group) string {
	h := g.hits[0]
	client, server := endName(h.flow.client), endName(h.flow.server)
	keep := fmt.Sprintf("keep %s from doing this", client)
	if !h.flow.cross {
		return keep + fmt.Sprintf(", or add it to the writers of %s", server)
	}
	limits, ok := limitsYAML(h.ops)
	if !ok || h.flow.needsDMZ() {
		return keep
	}
	return keep + fmt.Sprintf(", or approve a channel {from: %s, to: %s, protocol: %s, %s}", client, server, h.ops[0].Protocol, limits)
}

// limitsYAML writes as a channel would what it takes to name some operations, of
// those of the first's protocol. Where the channels of their conduit list codes or
// objects so does it, those that were seen: all objects, as one channel must name
// all that an operation touches. It is not ok where the objects are not known.
func limitsYAML(ops []operation) (yaml string, ok bool) {
	p := ops[0].Protocol
	var byCode, byObject bool
	if c := ops[0].sight.decision.Conduit; c != nil {
		for _, ch := range c.Channels {
			if ch.Protocol != "" && p.Within(ch.Protocol) {
				byCode, byObject = byCode || ch.Codes != nil, byObject || ch.Objects != nil
			}
		}
	}
	bounded := func(list []string) string {
		const shown = 16
		if n := len(list) - shown; n > 0 {
			return strings.Join(list[:shown], ", ") + fmt.Sprintf(", … %d more", n)
		}
		return strings.Join(list, ", ")
	}
	var classes, codes, objects []string
	add := func(list *[]string, name string) {
		if !slices.Contains(*list, name) {
			*list = append(*list, name)
		}
	}
	for _, op := range ops {
		if op.Protocol != p {
			continue
		}
		if byObject && (len(op.Details.Objects) == 0 || op.Details.Cut) {
			return "", false
		}
		add(&classes, string(op.Class))
		add(&codes, strconv.Quote(op.Code))
		for _, o := range op.Details.Objects {
			add(&objects, strconv.Quote(o.String()))
		}
	}
	yaml = "operations: [" + strings.Join(classes, ", ") + "]"
	if byCode {
		yaml += ", codes: [" + bounded(codes) + "]"
	}
	if byObject {
		yaml += ", objects: [" + bounded(objects) + "]"
	}
	return yaml, true
}

var unauthorisedWrite = &Rule{
	Facts:  mustFacts("EV-050"),
	permit: true,
	check:  useControl(written),
	say:    usedText("wrote to it"),
	fix:    authoriseFix,
}

var unauthorisedProgram = &Rule{
	Facts:  mustFacts("EV-052"),
	permit: true,
	check:  useControl(programmed),
	say:    usedText("loaded a program into it"),
	fix:    authoriseFix,
}

var unauthorisedMode = &Rule{
	Facts:  mustFacts("EV-054"),
	permit: true,
	check:  useControl(moded),
	say:    usedText("changed its mode"),
	fix:    authoriseFix,
}

// unauthorised returns the operations of one use that a flow's client had accepted
// without being authorised. Across zones the authorised are those that an approved
// channel names for the class; inside a zone those in the asset's list of writers,
// and where there is no list nobody is judged.
func (s *scene) unauthorised(f *judged, wanted use) []operation {
	if !f.cross {
		a := f.server.Asset
		if a == nil || a.Writers == nil || f.client.Asset != nil && slices.Contains(a.Writers, f.client.Asset.Ref()) {
			return nil
		}
	}
	var out []operation
	for i := range f.sights {
		x := &f.sights[i]
		for j := range x.conv.Operations {
			op := &x.conv.Operations[j]
			if useOf(op) != wanted || f.cross && !s.forbids(f, &x.decision, j, op) {
				continue
			}
			out = append(out, operation{x, op})
		}
	}
	return out
}

// forbids reports whether a decision leaves the client of its n-th operation, op,
// without authority: no channel names the operation, or, of a flow that was denied
// before its operations mattered, none names the client for its class.
func (s *scene) forbids(f *judged, d *conduits.Decision, n int, op *capture.Operation) bool {
	if d.Permit {
		return false
	}
	if d.Operations != nil {
		return d.Operations[n].Reason == conduits.WrongClass
	}
	if f.client.Zone == nil || f.server.Zone == nil {
		return true
	}
	for _, c := range s.model.Graph.Between(f.client.Zone.ID, f.server.Zone.ID) {
		if c.Status != conduits.Approved {
			continue
		}
		for _, ch := range c.Channels {
			if authorises(ch, op) && ch.From.Holds(f.client) && ch.To.Holds(f.server) {
				return false
			}
		}
	}
	return true
}

// authorises reports whether a channel names an operation's class, over whatever
// protocol. A channel without a list of operations names all those of its protocol;
// one that names a port alone names none.
func authorises(ch *conduits.Channel, op *capture.Operation) bool {
	if ch.Operations == nil {
		return ch.Protocol != "" && op.Protocol.Within(ch.Protocol)
	}
	return slices.Contains(ch.Operations, op.Class)
}

// usedText makes the words for what a flow's client did to its server without
// authority.
func usedText(verb string) func(hit) string {
	return func(h hit) string {
		text := verb + h.inBrackets()
		d := h.denied()
		switch {
		case !h.flow.cross:
			return text + fmt.Sprintf("; the sender is not among the writers of %s", endName(h.flow.server))
		case d.Conduit == nil:
			return text + "; " + d.Detail
		case d.Reason == conduits.AgainstOneWay || d.Reason == conduits.NotVia:
			return text + fmt.Sprintf(" over conduit %q; %s", d.Conduit.ID, d.Detail)
		default:
			return text + h.unnamedText() + fmt.Sprintf(" over conduit %q; %s", d.Conduit.ID, declaredPart(d.Detail))
		}
	}
}
