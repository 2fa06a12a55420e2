package rules

import (
	"cmp"
	"slices"

	"bulkhead/capture"
	"bulkhead/conduits"
)

// denial is one way in which a flow goes against the design.
type denial struct {
	reason conduits.Reason
	detail string
	judged bool // a rule about what is permitted has reported it
}

// text is a denial in words.
func (d denial) text() string {
	if d.reason == conduits.OutsideWindow {
		return d.detail + "; a deviation by itself, without a cap"
	}
	return d.detail
}

// denials lists why the design does not permit a flow, the decision's reason first.
// Of the operations of one class that one channel denies for one reason it names the
// first, and the first of those that no finding is about.
func (f *judged) denials() []denial {
	if !f.denied() {
		return nil
	}
	top := &f.settled.decision
	type kind struct {
		reason  conduits.Reason
		channel *conduits.Channel
		class   capture.Class
		judged  bool
	}
	type ranked struct {
		denial
		order, gravity int // order is 0 for the decision's own reason, 1 for others
	}
	var all []ranked
	known := make(map[kind]bool)
	add := func(x *sight) {
		for _, op := range x.decision.Operations {
			k := kind{op.Reason, op.Channel, op.Operation.Class, f.reported[op.Operation]}
			if !op.Permit && !known[k] {
				known[k] = true
				order := 1
				if op.Reason == top.Reason {
					order = 0
				}
				all = append(all, ranked{denial{op.Reason, op.Detail, k.judged}, order, Gravity(k.class)})
			}
		}
	}
	add(f.settled)
	for i := range f.sights {
		add(&f.sights[i])
	}
	if !slices.ContainsFunc(all, func(d ranked) bool { return d.order == 0 }) { // it is denied as a whole
		all = append(all, ranked{denial{top.Reason, top.Detail, top.Reason != conduits.OutsideWindow}, 0, 0})
	}
	slices.SortStableFunc(all, func(a, b ranked) int {
		return cmp.Or(cmp.Compare(a.order, b.order), cmp.Compare(a.gravity, b.gravity))
	})
	out := make([]denial, len(all))
	for i, d := range all {
		out[i] = d.denial
	}
	return out
}

// unjudged says in words which denials of a flow that came across no finding is
// about.
func (f *judged) unjudged() []string {
	if f.verdict != Deviation && f.verdict != Breach {
		return nil
	}
	var out []string
	for _, d := range f.denials() {
		if !d.judged {
			out = append(out, d.detail)
		}
	}
	return out
}

// denied returns why the design does not permit what a hit shows: the answer for
// the gravest of its operations, or, of a flow that was denied before they
// mattered, that for the flow. It is zero for a flow inside a zone.
func (h hit) denied() conduits.Decision {
	if h.flow.settled == nil {
		return conduits.Decision{}
	}
	if len(h.ops) == 0 {
		return h.flow.settled.decision
	}
	gravest := slices.MinFunc(h.ops, func(a, b operation) int { return cmp.Compare(Gravity(a.Class), Gravity(b.Class)) })
	d := gravest.sight.decision
	if a := gravest.answer(); a != nil {
		d.Reason, d.Conduit, d.Channel, d.Position, d.Detail = a.Reason, a.Conduit, a.Channel, a.Channel.Position, a.Detail
	}
	return d
}

// answer returns the design's answer for an operation; nil if its flow was denied
// before it mattered.
func (o operation) answer() *conduits.OperationDecision {
	of := o.sight.decision.Operations
	if i := slices.IndexFunc(of, func(a conduits.OperationDecision) bool { return a.Operation == o.Operation }); i >= 0 {
		return &of[i]
	}
	return nil
}

// unnamedText names the objects of a hit that its channel does not name: ", among
// them 40041, which the channel does not name,". An operation is counted over all
// that it touched, so that the count may hold what is permitted.
func (h hit) unnamedText() string {
	ch := h.denied().Channel
	var names []string
	word := ", on "
	for _, op := range h.ops {
		a := op.answer()
		if a == nil || a.Channel != ch || len(a.Unnamed) == 0 {
			word = ", among them "
			continue
		}
		if !slices.Equal(a.Unnamed, op.Details.Objects) {
			word = ", among them "
		}
		for _, o := range a.Unnamed {
			if name := o.String(); !slices.Contains(names, name) {
				names = append(names, name)
			}
		}
	}
	if len(names) == 0 {
		return ""
	}
	return word + listText(names) + ", which the channel does not name,"
}
