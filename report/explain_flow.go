package report

import (
	"fmt"
	"io"
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"bulkhead/capture"
	"bulkhead/conduits"
	"bulkhead/model"
	"bulkhead/rules"
	"bulkhead/zones"
)

// FlowsExplanation says of flows where they go by the model, what it permits there
// and what became of them.
type FlowsExplanation struct {
	Schema   string             `json:"schema"`
	Model    rules.ModelRef     `json:"model"`
	AsOf     string             `json:"as_of"`
	Flows    []FlowExplanation  `json:"flows"`
	Captures []rules.CaptureRef `json:"captures"` // in which they were seen
}

// FlowExplanation is a flow with what the model says of it.
type FlowExplanation struct {
	Flow   rules.Flow `json:"flow"`
	Client Placed     `json:"client"`
	Server Placed     `json:"server"`
	// Conduits are those that join the ends, whatever their status; of a flow that
	// ends at a conduit's own asset, that conduit.
	Conduits   []JoiningFact   `json:"conduits"`
	Operations []OperationFact `json:"operations"` // of each of Flow.Operations, in their order
	Findings   []rules.Finding `json:"findings"`   // those that it is evidence of
}

// Placed says what in the model puts an end of a flow into its zone.
type Placed struct {
	Zone  string          `json:"zone"`  // ID of a zone or conduit; "" if several fit
	By    string          `json:"by"`    // asset network segment none
	Name  string          `json:"name"`  // of an asset its ref, of a network its prefix; else ""
	Model *zones.Position `json:"model"` // the line that says so
}

// What puts an end into its zone. Those of the segment are group addresses, and
// hosts that are known straight on the link only: they are where the other end is,
// or where the capture saw their IP address.
const (
	byAsset   = "asset"
	byNetwork = "network"
	bySegment = "segment"
	byNone    = "none" // no declared zone holds it, or several do
)

// JoiningFact is a conduit that joins a flow's ends.
type JoiningFact struct {
	ID       string          `json:"id"`
	Status   conduits.Status `json:"status"`
	Channels int             `json:"channels"`
	// Fitting are its channels that lead from the client to the service, whatever is
	// asked for there, when and how protected.
	Fitting []ChannelFact  `json:"fitting"`
	Model   zones.Position `json:"model"`
}

// ChannelFact is what a channel permits. Lists that are empty restrict nothing.
type ChannelFact struct {
	ID         string              `json:"id"`
	From       string              `json:"from"`
	To         string              `json:"to"`
	Protocol   capture.Protocol    `json:"protocol"`
	Service    string              `json:"service"`
	Operations []capture.Class     `json:"operations"`
	Codes      []string            `json:"codes"`
	Objects    []string            `json:"objects"`
	Windows    []string            `json:"windows"`
	Protection conduits.Protection `json:"protection"`
	Model      zones.Position      `json:"model"`
}

// OperationFact says which channels name an operation.
type OperationFact struct {
	Operation rules.FlowOperation `json:"operation"`
	// Dialogue says that it serves the dialogue only and comes with whatever else is
	// permitted.
	Dialogue bool `json:"dialogue"`
	// NamedBy lists the fitting channels of approved conduits that name its class and
	// code. Objects, times and protection are left aside: the flow's reasons tell what
	// was denied for those.
	NamedBy []string `json:"named_by"`
}

// ExplainFlows gathers what the model says of flows of an assessment. m is the model
// that was judged.
func ExplainFlows(m *model.Model, a *rules.Assessment, flows []rules.Flow) *FlowsExplanation {
	x := &FlowsExplanation{Schema: ExplanationSchema, Model: a.Model, AsOf: a.AsOf, Flows: make([]FlowExplanation, len(flows))}
	hashes := map[string]bool{}
	findings := make(map[string]*rules.Finding, len(a.Findings))
	for i := range a.Findings {
		findings[a.Findings[i].ID] = &a.Findings[i]
	}
	for i := range flows {
		x.Flows[i] = explainFlow(m, &flows[i], findings)
		for _, s := range flows[i].SeenAt {
			hashes[s.Capture] = true
		}
	}
	x.Captures = capturesOf(a, hashes)
	return x
}

func explainFlow(m *model.Model, f *rules.Flow, findings map[string]*rules.Finding) FlowExplanation {
	x := FlowExplanation{Flow: *f, Conduits: []JoiningFact{}, Operations: []OperationFact{}, Findings: []rules.Finding{}}
	x.Client = placed(m, f, f.ClientZone, f.Client)
	x.Server = placed(m, f, f.ServerZone, f.Server.FlowEnd)
	fitting := []*conduits.Channel{}
	if f.Relation == "cross" {
		client, server := located(m, f.ClientZone, f.Client), located(m, f.ServerZone, f.Server.FlowEnd)
		for _, c := range joining(m, f) {
			fact := JoiningFact{ID: c.ID, Status: c.Status, Channels: len(c.Channels), Fitting: []ChannelFact{}, Model: c.Position}
			for _, ch := range c.Channels {
				if ch.From.Holds(client) && ch.To.Holds(server) && serves(ch, f) {
					fact.Fitting = append(fact.Fitting, channelFact(ch))
					if c.Status == conduits.Approved {
						fitting = append(fitting, ch)
					}
				}
			}
			x.Conduits = append(x.Conduits, fact)
		}
	}
	for _, op := range f.Operations {
		fact := OperationFact{Operation: op, Dialogue: op.Class.IsDialogue(), NamedBy: []string{}}
		for _, ch := range fitting {
			if !fact.Dialogue && names(ch, op) {
				fact.NamedBy = append(fact.NamedBy, ch.ID)
			}
		}
		x.Operations = append(x.Operations, fact)
	}
	for _, id := range f.Findings {
		if g := findings[id]; g != nil {
			x.Findings = append(x.Findings, *g)
		}
	}
	return x
}

// placed says what in the model puts an end into its zone.
func placed(m *model.Model, f *rules.Flow, zone string, end rules.FlowEnd) Placed {
	if zone == "" {
		return Placed{By: byNone}
	}
	out := Placed{Zone: zone, By: bySegment}
	for _, s := range f.SeenAt {
		at := zones.Sighting{VLAN: s.VLAN, Tap: s.Tap}
		if ip, err := netip.ParseAddr(end.Address); err == nil {
			at.IP = ip
		} else if at.MAC.UnmarshalText([]byte(end.Address)) != nil {
			break
		}
		l := m.Locator.Locate(at)
		if l.ID() != zone {
			continue // a group address, or one that another sighting places
		}
		if l.Asset != nil {
			out.By, out.Name = byAsset, l.Asset.Ref()
		} else if l.Zone != nil && !l.Zone.IsBuiltIn() {
			out.By = byNetwork
			for _, n := range l.Zone.Networks {
				if n.Position == l.Position {
					out.Name = n.Prefix.String()
				}
			}
		} else {
			out.By = byNone
		}
		if !l.Position.IsZero() {
			out.Model = &l.Position
		}
		return out
	}
	if n := m.Graph.Zone(zone); n != nil && !n.Zone.IsBuiltIn() {
		out.Model = &n.Zone.Position
	} else if n := m.Graph.Conduit(zone); n != nil {
		out.Model = &n.Conduit.Position
	}
	return out
}

// located returns where an end is, as a channel's ends are held against it.
func located(m *model.Model, zone string, end rules.FlowEnd) zones.Location {
	var l zones.Location
	asset := func(list []*zones.Asset) {
		if i := slices.IndexFunc(list, func(a *zones.Asset) bool { return a.Ref() == end.Asset }); i >= 0 {
			l.Asset = list[i]
		}
	}
	if n := m.Graph.Zone(zone); n != nil {
		l.Zone = n.Zone
	}
	if n := m.Graph.Conduit(zone); n != nil {
		l.Conduit = zone
		asset(n.Conduit.Assets)
	} else if l.Zone != nil {
		asset(l.Zone.Assets)
	}
	return l
}

// joining lists the conduits over which a flow could go.
func joining(m *model.Model, f *rules.Flow) []*conduits.Conduit {
	own, other := f.ClientZone, f.ServerZone
	n := m.Graph.Conduit(own)
	if n == nil {
		own, other = other, own
		n = m.Graph.Conduit(own)
	}
	switch {
	case n == nil:
		return m.Graph.Between(f.ClientZone, f.ServerZone)
	case other == own || n.Conduit.Joined(other):
		return []*conduits.Conduit{n.Conduit}
	}
	return nil
}

// serves reports whether a channel leads to the service of a flow, for all that is
// known of its protocol.
func serves(ch *conduits.Channel, f *rules.Flow) bool {
	if ch.Service != nil && !ch.Service.Contains(f.Server.Transport, f.Server.Port) {
		return false
	}
	return ch.Protocol == "" || f.Protocol == capture.Unknown || ch.Protocol.Within(f.Protocol)
}

// names reports whether a channel names the class and code of an operation.
func names(ch *conduits.Channel, op rules.FlowOperation) bool {
	return (ch.Protocol == "" || op.Protocol.Within(ch.Protocol)) &&
		(ch.Operations == nil || slices.Contains(ch.Operations, op.Class)) &&
		(ch.Codes == nil || slices.Contains(ch.Codes, op.Code))
}

func channelFact(ch *conduits.Channel) ChannelFact {
	out := ChannelFact{ID: ch.ID, From: ch.From.String(), To: ch.To.String(), Protocol: ch.Protocol, Protection: ch.Protection, Model: ch.Position,
		Operations: append([]capture.Class{}, ch.Operations...), Codes: append([]string{}, ch.Codes...), Objects: []string{}, Windows: []string{}}
	if ch.Service != nil {
		out.Service = ch.Service.String()
	}
	for _, o := range ch.Objects {
		out.Objects = append(out.Objects, o.String())
	}
	for _, w := range ch.Windows {
		out.Windows = append(out.Windows, w.String())
	}
	return out
}

// FlowsText writes what is known of flows for a person.
func FlowsText(w io.Writer, x *FlowsExplanation, o Options) error {
	p := &explanationPage{page: newPage(w, o), paths: pathsOf(x.Captures)}
	if len(x.Flows) > 1 {
		p.line("%s", p.paint(bold, plural(len(x.Flows), "flow")))
	}
	p.judgedBy(x.Model, x.AsOf)
	for i := range x.Flows {
		p.gap()
		if i == maxExplained {
			p.more(0, len(x.Flows)-i, "flows")
			break
		}
		p.flow(&x.Flows[i])
	}
	return p.close()
}

// flowTitle names a flow: "z-ops/hist-1 (10.30.3.20) to z-bpcs/plc-1 (10.30.1.11):
// modbus on tcp/502".
func flowTitle(f *rules.Flow) string {
	service := capture.Service{Transport: f.Server.Transport, First: f.Server.Port, Last: f.Server.Port}
	return fmt.Sprintf("%s to %s: %s on %s", endTitle(f.Client, f.ClientZone), endTitle(f.Server.FlowEnd, f.ServerZone), cut(string(f.Protocol), 32), safe(service.String()))
}

func endTitle(e rules.FlowEnd, zone string) string {
	if e.Asset != "" {
		return fmt.Sprintf("%s (%s)", cut(e.Asset, 2*maxID), cut(e.Address, 64))
	}
	return fmt.Sprintf("%s in %s", cut(e.Address, 64), place(zone))
}

// verdictText names a flow's verdict for one flow.
func verdictText(f *rules.Flow) string {
	switch f.Verdict {
	case rules.Unassigned:
		return "an end is in no zone"
	case rules.NotAssessable, rules.Intra, rules.Breach, rules.Deviation:
		return verdictWords(f.Verdict)
	}
	return safe(string(f.Verdict))
}

func (p *explanationPage) flow(x *FlowExplanation) {
	f := &x.Flow
	p.wrapped("", p.paint(bold, flowTitle(f)))
	tone := green
	switch f.Verdict {
	case rules.Breach:
		tone = red
	case rules.Deviation, rules.Unassigned, rules.NotAssessable:
		tone = yellow
	}
	p.field("verdict", p.paint(tone, verdictText(f)))
	for i, reason := range f.Reasons {
		label := ""
		if i == 0 {
			label = "because"
		}
		p.field(label, safe(reason))
	}
	for _, text := range f.Unjudged {
		p.field("", "without a finding: "+safe(text))
	}
	p.placedField("client", f.Client, &x.Client)
	p.placedField("server", f.Server.FlowEnd, &x.Server)
	p.field("relation", relationText(f))
	p.field("outcome", outcomeText(f.Outcome))
	p.permit(x)
	p.conduits(x)
	p.asked(x)
	p.evidenceOf(x.Findings)
	p.seenAt(f.SeenAt)
}

func (p *explanationPage) placedField(label string, end rules.FlowEnd, x *Placed) {
	text := fmt.Sprintf("%s is in %s", cut(end.Address, 64), place(x.Zone))
	switch {
	case x.Zone == "":
		text = cut(end.Address, 64) + " fits several zones equally well"
	case x.By == byAsset:
		text += ", as its asset " + safe(x.Name)
	case x.By == byNetwork && x.Name != "":
		text += ", by its network " + safe(x.Name)
	case x.By == bySegment:
		text += ", by the segment that it was seen on"
		if end.Asset != "" {
			text += "; it is " + safe(end.Asset)
		}
	case x.By == byNone:
		text += ": no declared zone holds it"
	}
	p.field(label, text)
	p.declared(x.Model)
}

// declared writes a place in the model below what it declares.
func (p *explanationPage) declared(at *zones.Position) {
	if at == nil || at.IsZero() {
		return
	}
	line := ""
	if p.Line != nil {
		line = p.Line(*at)
	}
	p.modelLine("", at, line)
}

func relationText(f *rules.Flow) string {
	if f.Relation == "intra" {
		return "inside " + place(f.ClientZone) + ": no conduit is asked"
	}
	return "crosses from " + place(f.ClientZone) + " to " + place(f.ServerZone)
}

func outcomeText(outcome string) string {
	switch rules.Outcome(outcome) {
	case rules.Answered:
		return "answered"
	case rules.OneWay:
		return "one-way: something was sent that needs no answer, or the capture holds one side only"
	case rules.Rejected:
		return "refused: the network or the server turned it away"
	case rules.Attempted:
		return "attempted: nothing came back"
	}
	return safe(outcome)
}

// permit writes the design's answer to a flow that crosses.
func (p *explanationPage) permit(x *FlowExplanation) {
	f := &x.Flow
	switch {
	case f.Relation == "intra":
		return
	case f.Permit.Allowed:
		p.field("permitted", fmt.Sprintf("yes, by channel %q of conduit %q", cut(f.Channel, 2*maxID), cut(f.Conduit, maxID)))
	case f.Permit.Reason == "" || f.Permit.Reason == string(conduits.NeedsProtocol):
		p.field("permitted", "cannot be told: "+safe(f.Permit.Detail))
	default:
		p.field("permitted", fmt.Sprintf("no: %s [%s]", safe(f.Permit.Detail), safe(f.Permit.Reason)))
	}
	p.declared(f.Permit.Model)
}

// conduits lists the conduits that join a flow's ends, and their channels that
// lead from one to the other.
func (p *explanationPage) conduits(x *FlowExplanation) {
	if x.Flow.Relation == "intra" {
		return
	}
	if len(x.Conduits) == 0 {
		p.field("conduits", "none joins them")
		return
	}
	for i, c := range x.Conduits {
		label := ""
		if i == 0 {
			label = "conduits"
		}
		if i == maxReasons {
			p.field(label, fmt.Sprintf("and %d more (use --format json)", len(x.Conduits)-i))
			break
		}
		text := cut(c.ID, maxID)
		if c.Status != conduits.Approved {
			text += fmt.Sprintf(" is %s and permits nothing", safe(string(c.Status)))
		}
		text += fmt.Sprintf(": %s from the client to this service (%s)", leading(len(c.Fitting), c.Channels), safe(c.Model.String()))
		p.field(label, text)
		for j, ch := range c.Fitting {
			if j == maxRows/4 {
				p.field("", fmt.Sprintf("  and %d more channels (use --format json)", len(c.Fitting)-j))
				break
			}
			p.field("", fmt.Sprintf("- %s: %s (%s)", cut(ch.ID, 2*maxID), channelText(&ch), safe(ch.Model.String())))
		}
	}
}

// leading says how many of a conduit's channels lead somewhere.
func leading(n, of int) string {
	switch {
	case of == 0:
		return "it has no channel that leads"
	case n == 0 && of == 1:
		return "its one channel does not lead"
	case n == 0:
		return fmt.Sprintf("none of its %d channels leads", of)
	case of == 1:
		return "its one channel leads"
	case n == 1:
		return fmt.Sprintf("1 of its %d channels leads", of)
	}
	return fmt.Sprintf("%d of its %d channels lead", n, of)
}

// channelText says what a channel permits.
func channelText(ch *ChannelFact) string {
	text := fmt.Sprintf("%s to %s,", ch.From, ch.To)
	if ch.Protocol != "" {
		text += " " + string(ch.Protocol)
	}
	if ch.Service != "" {
		text += " " + ch.Service
	}
	if ch.Protocol == "" && ch.Service == "" {
		text += " any protocol"
	}
	if len(ch.Operations) > 0 {
		classes := make([]string, len(ch.Operations))
		for i, c := range ch.Operations {
			classes[i] = string(c)
		}
		text += ": " + strings.Join(classes, ", ")
	}
	for _, x := range []struct {
		label string
		list  []string
	}{{"codes", ch.Codes}, {"objects", ch.Objects}, {"open", ch.Windows}} {
		if len(x.list) > 0 {
			text += "; " + x.label + " " + strings.Join(x.list, ", ")
		}
	}
	if ch.Protection != "" {
		text += "; protection " + string(ch.Protection)
	}
	return cut(text, 400)
}

// asked lists what was asked for in a flow, each with the channels that name it.
func (p *explanationPage) asked(x *FlowExplanation) {
	// Where no channel leads here at all, the reasons say so once.
	fitting := slices.ContainsFunc(x.Conduits, func(c JoiningFact) bool { return c.Status == conduits.Approved && len(c.Fitting) > 0 })
	label := "asked for"
	for i, op := range x.Operations {
		if i == maxExplained {
			p.field(label, fmt.Sprintf("and %d more kinds (use --format json)", len(x.Operations)-i))
			return
		}
		text := fmt.Sprintf("%s: %s", safe(string(op.Operation.Class)), safe(op.Operation.String()))
		switch {
		case !fitting:
		case op.Dialogue:
			text += "; comes with what else is permitted"
		case len(op.NamedBy) > 0:
			text += "; named by " + cut(strings.Join(op.NamedBy, ", "), 200)
		default:
			text += "; no channel that leads here names it"
		}
		p.field(label, text)
		label = ""
	}
	if x.Flow.OperationsCut {
		p.field(label, "and others that were not kept")
	}
}

// evidenceOf lists the findings that a flow is evidence of.
func (p *explanationPage) evidenceOf(list []rules.Finding) {
	if len(list) == 0 {
		p.field("findings", "it is evidence of none")
		return
	}
	label := "findings"
	for i := range list {
		if i == maxExplained {
			p.field(label, fmt.Sprintf("and %d more (use --format json)", len(list)-i))
			return
		}
		f := &list[i]
		title := ""
		if facts, ok := rules.Explain(f.Rule); ok {
			title = ": " + facts.Title
		}
		state := safe(string(f.Severity))
		if f.Status == rules.Accepted {
			state += ", accepted"
		}
		p.field(label, fmt.Sprintf("%s (%s)%s", safe(f.ID), state, title))
		label = ""
	}
}

// seenAt lists where a flow was seen.
func (p *explanationPage) seenAt(list []rules.SeenAt) {
	for i := range list {
		if i == maxExplained {
			p.field("seen", fmt.Sprintf("and in %d more conversations (use --format json)", len(list)-i))
			return
		}
		s := &list[i]
		where := "no tap"
		if s.Tap != "" {
			where = "tap " + cut(s.Tap, maxID)
		}
		if s.VLAN != 0 {
			where += ", VLAN " + strconv.Itoa(int(s.VLAN))
		}
		if !s.First.IsZero() {
			where += ", " + between(s.First.UTC(), s.Last.UTC())
		}
		p.field("seen", where+fmt.Sprintf(": %s there, %s back", plural(s.Packets.Sent, "packet"), plural(s.Packets.Received, "packet")))
		if path := p.paths[s.Capture]; path != "" {
			p.field("", safe(path)+" frame "+strconv.FormatUint(s.Example.Frame, 10))
		}
		p.copied("", "sha256 "+s.Capture)
		if s.Example.CommunityID != "" {
			p.copied("", "community id "+s.Example.CommunityID)
		}
	}
}
