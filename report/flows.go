package report

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"bulkhead/capture"
	"bulkhead/rules"
)

// flows sums up what was denied and what could not be judged, by pair of zones.
func (p *assessmentPage) flows() {
	total := map[rules.Verdict]int{}
	for i := range p.a.Flows {
		total[p.a.Flows[i].Verdict]++
	}
	var words []string
	for _, v := range []rules.Verdict{rules.Breach, rules.Deviation, rules.Refused, rules.NotAssessable, rules.Unassigned, rules.Allowed, rules.Intra} {
		if total[v] > 0 {
			words = append(words, fmt.Sprintf("%d %s", total[v], verdictWords(v)))
		}
	}
	if len(words) == 0 {
		p.heading("FLOWS", "none seen")
		return
	}
	p.heading("FLOWS", strings.Join(words, ", "))
	p.pairs("denied", func(f *rules.Flow) bool {
		return f.Relation != "intra" && !f.Permit.Allowed && f.Verdict != rules.NotAssessable && f.Verdict != rules.Unassigned
	})
	p.pairs("not assessable", func(f *rules.Flow) bool { return f.Verdict == rules.NotAssessable || f.Verdict == rules.Unassigned })
}

func verdictWords(v rules.Verdict) string {
	switch v {
	case rules.NotAssessable:
		return "not assessable"
	case rules.Unassigned:
		return "with an end in no zone"
	case rules.Intra:
		return "inside a zone"
	case rules.Breach:
		return "in breach"
	case rules.Deviation:
		return "deviating"
	}
	return string(v)
}

// pair is the flows of one kind from one zone to another.
type pair struct {
	from, to  string
	flows     int
	verdicts  map[rules.Verdict]int
	protocols []capture.Protocol
	clients   map[string]bool // by asset, or by address where it is none
	servers   map[string]bool
	asked     [][]rules.FlowOperation
	cut       bool // there were more operations than asked holds
	reasons   map[string]*reason
	unjudged  []string // the first few denials that no finding tells of
}

// reason is why flows have their verdict: how many, and the place of the gravest.
type reason struct{ flows, gravity int }

// verdictsDown lists the verdicts of flows that are shown by pair, gravest first.
var verdictsDown = []rules.Verdict{rules.Breach, rules.Deviation, rules.Refused, rules.NotAssessable, rules.Unassigned}

// maxWhy bounds the reasons that are kept of a pair.
const maxWhy = 64

// maxUnjudged is how many denials without a finding are told of a pair.
const maxUnjudged = 3

// pairs writes a table of the flows that match, the pairs with the gravest
// verdicts first.
func (p *assessmentPage) pairs(title string, match func(*rules.Flow) bool) {
	type key struct{ from, to string }
	byKey := map[key]*pair{}
	var list []*pair
	for i := range p.a.Flows {
		f := &p.a.Flows[i]
		if !match(f) {
			continue
		}
		k := key{f.ClientZone, f.ServerZone}
		x := byKey[k]
		if x == nil {
			x = &pair{from: k.from, to: k.to, verdicts: map[rules.Verdict]int{}, clients: map[string]bool{}, servers: map[string]bool{}, reasons: map[string]*reason{}}
			byKey[k] = x
			list = append(list, x)
		}
		x.add(f)
	}
	if len(list) == 0 {
		return
	}
	slices.SortFunc(list, func(a, b *pair) int {
		return cmp.Or(cmp.Compare(b.verdicts[rules.Breach], a.verdicts[rules.Breach]), cmp.Compare(b.verdicts[rules.Deviation], a.verdicts[rules.Deviation]),
			cmp.Compare(b.flows, a.flows), cmp.Compare(a.from, b.from), cmp.Compare(a.to, b.to))
	})
	rows := [][]string{{title, "flows", "protocols"}}
	for i, x := range list {
		if i == maxRows/2 {
			break
		}
		rows = append(rows, []string{place(x.from) + " → " + place(x.to), x.counts(), x.protocolList()}, []string{endList(x.clients) + " → " + endList(x.servers)}, []string{x.reason()})
		for _, text := range x.unjudged {
			rows = append(rows, []string{"without a finding: " + text})
		}
		if text := x.operations(); text != "" {
			rows = append(rows, []string{text})
		}
	}
	p.gap()
	p.table(2, []int{max(p.Width*30/100, 16), 26, 0}, rows)
	if n := len(list) - maxRows/2; n > 0 {
		p.more(2, n, "pairs of zones")
	}
}

// place names an end: the ID of a zone or conduit, or that several zones fit.
func place(id string) string {
	if id == "" {
		return "(ambiguous)"
	}
	return cut(id, maxID)
}

func (x *pair) add(f *rules.Flow) {
	x.flows++
	x.verdicts[f.Verdict]++
	if !slices.Contains(x.protocols, f.Protocol) {
		x.protocols = append(x.protocols, f.Protocol)
	}
	x.clients[endName(f.Client)], x.servers[endName(f.Server.FlowEnd)] = true, true
	x.asked, x.cut = append(x.asked, f.Operations), x.cut || f.OperationsCut
	for _, text := range f.Unjudged {
		if text = cut(text, 200); len(x.unjudged) < maxUnjudged && !slices.Contains(x.unjudged, text) && f.Verdict != rules.Refused {
			x.unjudged = append(x.unjudged, text)
		}
	}
	why := f.Permit.Detail
	if len(f.Reasons) > 0 {
		why = f.Reasons[0]
	}
	// Reasons name addresses, so of a scan each is another; a few are enough to
	// choose the commonest from.
	r := x.reasons[why]
	if r == nil && len(x.reasons) < maxWhy {
		r = &reason{gravity: len(verdictsDown)}
		x.reasons[why] = r
	}
	if r != nil {
		r.flows++
		r.gravity = min(r.gravity, slices.Index(verdictsDown, f.Verdict))
	}
}

func endName(e rules.FlowEnd) string {
	if e.Asset != "" {
		return e.Asset
	}
	return e.Address
}

// maxEnds is how many ends of a pair's flows are named.
const maxEnds = 4

func endList(set map[string]bool) string {
	var names []string
	for i, name := range slices.Sorted(maps.Keys(set)) {
		if i == maxEnds {
			names = append(names, fmt.Sprintf("%d more", len(set)-i))
			break
		}
		names = append(names, cut(name, 40))
	}
	return strings.Join(names, ", ")
}

func (x *pair) counts() string {
	var parts []string
	for _, v := range verdictsDown {
		if n := x.verdicts[v]; n > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", n, v))
		}
	}
	if len(parts) == 0 {
		return fmt.Sprint(x.flows)
	}
	return strings.Join(parts, ", ")
}

func (x *pair) protocolList() string {
	slices.Sort(x.protocols)
	var names []string
	for i, n := range x.protocols {
		if i == 3 {
			names = append(names, fmt.Sprintf("+%d", len(x.protocols)-i))
			break
		}
		names = append(names, cut(string(n), 16))
	}
	return strings.Join(names, " ")
}

// reason is that of the gravest flows, the commonest of several, and how many
// others there are.
func (x *pair) reason() string {
	why := slices.Collect(maps.Keys(x.reasons))
	best := slices.MinFunc(why, func(a, b string) int {
		return cmp.Or(cmp.Compare(x.reasons[a].gravity, x.reasons[b].gravity), cmp.Compare(x.reasons[b].flows, x.reasons[a].flows), cmp.Compare(a, b))
	})
	text := cut(best, 200)
	switch n := len(why) - 1; {
	case n+1 == maxWhy:
		text += ", and many others"
	case n == 1:
		text += ", and one other reason"
	case n > 1:
		text += fmt.Sprintf(", and %d other reasons", n)
	}
	return text
}

// operations says what was asked for, the gravest first.
func (x *pair) operations() string {
	text := rules.OperationsText(rules.SumOperations(x.asked...))
	if text == "" {
		return ""
	}
	if x.cut {
		text += ", and others that were not kept"
	}
	return "asked for " + safe(text)
}

// coverage says of every conduit what the captures could show of it.
func (p *assessmentPage) coverage() {
	if len(p.a.Coverage) == 0 {
		return
	}
	states := []string{rules.Violated, rules.NotObservable, rules.ObservableSilent, rules.SeenAllowed}
	byState := map[string]int{}
	for _, c := range p.a.Coverage {
		byState[c.State]++
	}
	var words []string
	for _, s := range states {
		if byState[s] > 0 {
			words = append(words, fmt.Sprintf("%d %s", byState[s], coverageWords(s)))
		}
	}
	p.heading("COVERAGE OF CONDUITS", strings.Join(words, ", "))
	list := slices.Clone(p.a.Coverage)
	slices.SortStableFunc(list, func(a, b rules.Coverage) int {
		return cmp.Compare(slices.Index(states, a.State), slices.Index(states, b.State))
	})
	rows := [][]string{{"conduit", "state", "seen"}}
	for i := range list {
		if i == maxRows {
			break
		}
		rows = append(rows, []string{cut(list[i].Conduit, maxID), coverageWords(list[i].State), seen(&list[i])})
	}
	p.table(2, []int{maxID, 16, 0}, rows)
	if n := len(list) - maxRows; n > 0 {
		p.more(2, n, "conduits")
	}
}

// seen says how much was seen of a conduit, for how long and where.
func seen(c *rules.Coverage) string {
	what := "no flow"
	if crossed := c.Flows - c.Attempts; crossed > 0 {
		what = plural(crossed, "flow")
		if c.State == rules.ObservableSilent {
			what += " that cannot be judged"
		}
	}
	if c.Attempts > 0 {
		what += " and " + plural(c.Attempts, "failed attempt")
	}
	switch {
	case len(c.Taps) == 0 && c.Flows == 0:
		return "no tap with a capture sees it: nothing is known of it"
	case len(c.Taps) == 0:
		return what + ", in captures that belong to no tap that sees it"
	}
	var taps []string
	for i, t := range c.Taps {
		if i == 4 {
			taps = append(taps, fmt.Sprintf("and %d more", len(c.Taps)-i))
			break
		}
		taps = append(taps, cut(t, maxID))
	}
	at := " at tap "
	if len(c.Taps) > 1 {
		at = " at taps "
	}
	return what + " in " + hours(time.Duration(c.WatchedMS)*time.Millisecond) + at + strings.Join(taps, ", ")
}

// ledger accounts for the frames of each capture.
func (p *assessmentPage) ledger() {
	if len(p.a.Captures) == 0 {
		return
	}
	p.heading("CAPTURES", "what became of every frame")
	for i, c := range p.a.Captures {
		if i == maxRows {
			p.more(2, len(p.a.Captures)-i, "captures")
			break
		}
		tap := "tap " + safe(c.Tap)
		if c.Tap == "" {
			tap = "no tap"
		}
		p.capture(c.Capture, tap)
	}
}
