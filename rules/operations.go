package rules

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"bulkhead/capture"
	"bulkhead/model"
)

// FlowOperation is one kind of thing asked for in a flow, wherever it was seen.
type FlowOperation struct {
	Protocol   capture.Protocol `json:"protocol"`
	Code       string           `json:"code"` // as the protocol's [capture.CodeForm] spells it
	Name       string           `json:"name"`
	Class      capture.Class    `json:"class"`
	From       capture.Side     `json:"from"`
	Count      uint64           `json:"count"`
	Accepted   uint64           `json:"accepted"` // of Count, answered with success
	Refused    uint64           `json:"refused"`
	Unanswered uint64           `json:"unanswered"`
}

// MaxOperations is the number of kinds that a flow lists, the gravest first.
const MaxOperations = 64

// classGravity lists the classes by what they can do to a plant, gravest first.
var classGravity = []capture.Class{
	capture.Firmware, capture.Program, capture.Mode, capture.Control, capture.Write, capture.Configure, capture.File,
	capture.Diagnose, capture.Read, capture.Discover, capture.Event, capture.Session, capture.Reply,
}

// Gravity returns the place of a class among all, by what it can do to a plant: 0 is
// the gravest.
func Gravity(c capture.Class) int {
	if i := slices.Index(classGravity, c); i >= 0 {
		return i
	}
	return len(classGravity)
}

func compareGravity(a, b FlowOperation) int {
	return cmp.Or(cmp.Compare(Gravity(a.Class), Gravity(b.Class)), cmp.Compare(b.Count, a.Count), compareKinds(a, b))
}

// compareKinds is 0 for two of the same kind.
func compareKinds(a, b FlowOperation) int {
	return cmp.Or(cmp.Compare(a.Protocol, b.Protocol), cmp.Compare(a.Code, b.Code), cmp.Compare(a.From, b.From),
		cmp.Compare(a.Class, b.Class), cmp.Compare(a.Name, b.Name))
}

// SumOperations adds up operations of the same kind and sorts them: the gravest
// classes first, then the commonest.
func SumOperations(lists ...[]FlowOperation) []FlowOperation {
	return sumInPlace(slices.Concat(lists...))
}

// sumInPlace is SumOperations of one list, which it reorders.
func sumInPlace(list []FlowOperation) []FlowOperation {
	out := foldKinds(list, func(sum *FlowOperation, op FlowOperation) {
		sum.Count += op.Count
		sum.Accepted += op.Accepted
		sum.Refused += op.Refused
		sum.Unanswered += op.Unanswered
	})
	slices.SortFunc(out, compareGravity)
	return out
}

// mostOf returns of each kind the operation that shows most: what several taps saw
// at the same time is the same traffic.
func mostOf(list []FlowOperation) []FlowOperation {
	return foldKinds(list, func(most *FlowOperation, op FlowOperation) {
		if cmp.Or(cmp.Compare(op.Count, most.Count), cmp.Compare(op.Accepted+op.Refused, most.Accepted+most.Refused),
			cmp.Compare(op.Accepted, most.Accepted), cmp.Compare(op.Unanswered, most.Unanswered)) > 0 {
			*most = op
		}
	})
}

// foldKinds makes one of all operations of a kind. It reorders list.
func foldKinds(list []FlowOperation, fold func(into *FlowOperation, op FlowOperation)) []FlowOperation {
	slices.SortStableFunc(list, compareKinds)
	out := list[:0]
	for _, op := range list {
		if n := len(out); n > 0 && compareKinds(out[n-1], op) == 0 {
			fold(&out[n-1], op)
		} else {
			out = append(out, op)
		}
	}
	return out
}

// operations returns what was asked for in a flow, by the sights that match: what
// captures of one tap show one after the other adds up; of captures that overlap
// in time, and of several taps, the one that shows most of a kind counts.
func (s *scene) operations(f *judged, match func(x *sight, op *capture.Operation) bool) []FlowOperation {
	of := func(x *sight) []FlowOperation {
		list := make([]FlowOperation, 0, len(x.conv.Operations))
		for i := range x.conv.Operations {
			if op := &x.conv.Operations[i]; match(x, op) {
				list = append(list, FlowOperation{op.Protocol, op.Code, op.Name, op.Class, op.From, op.Count, op.Accepted, op.Refused, op.Unanswered})
			}
		}
		return list
	}
	if len(f.sights) == 1 {
		return sumInPlace(of(&f.sights[0]))
	}
	byTap := make(map[*model.Tap][]*sight)
	for i := range f.sights {
		x := &f.sights[i]
		byTap[x.tap] = append(byTap[x.tap], x)
	}
	var most []FlowOperation
	for _, sights := range byTap { // in any order: the greatest is the same
		span := func(x *sight) *capture.Capture { return &s.obs.Captures[x.conv.Capture] }
		slices.SortFunc(sights, func(a, b *sight) int { return compareTimes(span(a).First, span(b).First) })
		var sum, at []FlowOperation // at: of the captures that overlap
		var end capture.Time
		for i, x := range sights {
			if i > 0 && compareTimes(span(x).First, end) > 0 {
				sum, at = SumOperations(sum, mostOf(at)), nil
			}
			at = append(at, of(x)...)
			end = end.Latest(span(x).Last)
		}
		most = append(most, SumOperations(sum, mostOf(at))...)
	}
	most = mostOf(most)
	slices.SortFunc(most, compareGravity)
	return most
}

// String names an operation, how often it was asked for and what came of it:
// "modbus 6 Write Single Register ×4 accepted", "… ×4: 3 accepted, 1 refused".
func (o FlowOperation) String() string {
	name := ""
	if o.Name != "" && o.Name != o.Code {
		name = " " + o.Name
	}
	text := string(o.Protocol) + " " + o.Code + name + " ×" + strconv.FormatUint(o.Count, 10)
	var parts []string
	for _, n := range [3]struct {
		count uint64
		word  string
	}{{o.Accepted, "accepted"}, {o.Refused, "refused"}, {o.Unanswered, "unanswered"}} {
		switch {
		case n.count == 0:
		case n.count == o.Count:
			return text + " " + n.word
		default:
			parts = append(parts, fmt.Sprintf("%d %s", n.count, n.word))
		}
	}
	if len(parts) > 0 {
		text += ": " + strings.Join(parts, ", ")
	}
	return text
}

// Asked returns of a list what the client asked for, in its order. Where it asked
// for nothing it is what the server sent, and where neither did more than keep the
// dialogue going, all of that.
func Asked(list []FlowOperation) []FlowOperation {
	for _, rest := range []func(FlowOperation) bool{
		func(o FlowOperation) bool { return o.Class.IsDialogue() || o.From != capture.FromClient },
		func(o FlowOperation) bool { return o.Class.IsDialogue() },
	} {
		if asked := slices.DeleteFunc(slices.Clone(list), rest); len(asked) > 0 {
			return asked
		}
	}
	return list
}

// OperationsText names the first three kinds that were [Asked] for, of a sorted
// list, and counts the others.
func OperationsText(list []FlowOperation) string {
	asked := Asked(list)
	const shown = 3
	var parts []string
	for i, o := range asked {
		if i == shown {
			break
		}
		parts = append(parts, o.String())
	}
	text := strings.Join(parts, "; ")
	switch more := len(asked) - shown; {
	case more == 1:
		text += "; and 1 more kind"
	case more > 1:
		text += fmt.Sprintf("; and %d more kinds", more)
	}
	return text
}
