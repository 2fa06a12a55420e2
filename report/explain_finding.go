package report

import (
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"

	"bulkhead/model"
	"bulkhead/rules"
	"bulkhead/rules/iec62443"
	"bulkhead/zones"
)

// ExplanationSchema names the JSON form of what explain says: an object that has,
// besides its schema, a rule, a requirement, a finding or flows.
const ExplanationSchema = "bulkhead/explanation/v1"

// FindingExplanation is the proof of a finding: all that a stranger needs to repeat
// it.
type FindingExplanation struct {
	Schema       string             `json:"schema"`
	Model        rules.ModelRef     `json:"model"`
	AsOf         string             `json:"as_of"`
	Finding      rules.Finding      `json:"finding"`
	ModelLine    string             `json:"model_line"` // the line of Finding.Model as it stands in the file; "" if it has none
	Rule         rules.Facts        `json:"rule"`
	Requirements []RequirementFact  `json:"requirements"` // those of the finding, in its order
	Levels       *rules.Levels      `json:"levels"`       // of its subject
	Exceptions   []ExceptionFact    `json:"exceptions"`   // of its rule, for its subject or an end of its flows
	Captures     []rules.CaptureRef `json:"captures"`     // those that Finding.Evidence names
	Flows        []rules.Flow       `json:"flows"`        // all that are evidence of it
}

// RequirementFact is a requirement that a finding names, and what is left without
// it.
type RequirementFact struct {
	ID          string   `json:"id"`
	Title       string   `json:"title"`
	FR          zones.FR `json:"fr"`
	Left        uint8    `json:"left"`        // the highest level that its absence leaves of FR
	Compensated []string `json:"compensated"` // IDs of the compensating measures that lift it
}

// ExceptionFact is an exception that the model declares, and what it does to a
// finding.
type ExceptionFact struct {
	ID      string         `json:"id"`
	Subject string         `json:"subject"`
	Owner   string         `json:"owner"`
	Reason  string         `json:"reason"`
	Ticket  string         `json:"ticket"`
	Expires string         `json:"expires"` // the last day on which it holds, YYYY-MM-DD; "" for none
	State   string         `json:"state"`   // accepts expired partial redundant
	Model   zones.Position `json:"model"`
}

// The states of an exception towards a finding.
const (
	exceptionAccepts   = "accepts"
	exceptionExpired   = "expired"
	exceptionPartial   = "partial"   // an asset that is an end of some of its flows only
	exceptionRedundant = "redundant" // another one accepts it
)

// ExplainFinding gathers what a finding of an assessment rests on. m is the model
// that was judged; line, which may be nil, shows its lines.
func ExplainFinding(m *model.Model, a *rules.Assessment, f *rules.Finding, line func(zones.Position) string) *FindingExplanation {
	x := &FindingExplanation{
		Schema: ExplanationSchema, Model: a.Model, AsOf: a.AsOf, Finding: *f,
		Requirements: []RequirementFact{}, Exceptions: []ExceptionFact{}, Flows: []rules.Flow{},
	}
	x.Rule, _ = rules.Explain(f.Rule)
	if f.Model != nil && line != nil {
		x.ModelLine = line(*f.Model)
	}
	for _, id := range f.Requirements {
		x.Requirements = append(x.Requirements, requirementFact(m, f, id))
	}
	levels := a.Zones
	if f.Subject.Kind == "conduit" {
		levels = a.Conduits
	}
	if i := slices.IndexFunc(levels, func(l rules.Levels) bool { return l.ID == f.Subject.ID }); i >= 0 {
		x.Levels = &levels[i]
	}
	for i := range a.Flows {
		if slices.Contains(a.Flows[i].Findings, f.ID) {
			x.Flows = append(x.Flows, a.Flows[i])
		}
	}
	ends := map[string]int{} // of each asset, the flows that it is an end of
	for i := range x.Flows {
		client, server := x.Flows[i].Client.Asset, x.Flows[i].Server.Asset
		ends[client]++
		if server != client {
			ends[server]++
		}
	}
	for _, e := range m.Exceptions {
		if state := x.stateOf(e, ends[e.Subject]); state != "" {
			x.Exceptions = append(x.Exceptions, ExceptionFact{e.ID, e.Subject, e.Owner, e.Reason, e.Ticket, dateText(e.Expires), state, e.Position})
		}
	}
	hashes := map[string]bool{}
	for _, e := range f.Evidence {
		hashes[e.Capture] = true
	}
	x.Captures = capturesOf(a, hashes)
	return x
}

// capturesOf lists the captures of an assessment that have one of the hashes, in
// its order.
func capturesOf(a *rules.Assessment, hashes map[string]bool) []rules.CaptureRef {
	out := []rules.CaptureRef{}
	for _, c := range a.Captures {
		if hashes[c.SHA256] {
			out = append(out, c)
		}
	}
	return out
}

func requirementFact(m *model.Model, f *rules.Finding, id string) RequirementFact {
	out := RequirementFact{ID: id, Compensated: []string{}}
	if r, ok := iec62443.Lookup(id); ok {
		out.Title, out.FR = r.Title, r.FR
		out.Left = iec62443.Reading{ExplicitApproval: m.Policy.ExplicitApprovalLevel}.Cap(r.FR, iec62443.SetOf(id))
	}
	if slices.Contains(f.Compensated, id) {
		for _, x := range m.Measures {
			if x.Compensating && slices.Contains(x.Covers, f.Subject.ID) && slices.Contains(x.Meets, id) {
				out.Compensated = append(out.Compensated, x.ID)
			}
		}
	}
	return out
}

// stateOf says what an exception does to the finding, or "" if it is none for it.
// Its subject is an end of some of the finding's flows.
func (x *FindingExplanation) stateOf(e *model.Exception, some int) string {
	f := &x.Finding
	if e.Rule != f.Rule {
		return ""
	}
	whole := e.Subject == f.Subject.ID || some > 0 && some == len(x.Flows)
	switch expires := dateText(e.Expires); {
	case e.ID == f.Exception:
		return exceptionAccepts
	case !whole && some == 0:
		return ""
	case expires != "" && expires < x.AsOf:
		return exceptionExpired
	case !whole:
		return exceptionPartial
	}
	return exceptionRedundant
}

// dateText returns a day as YYYY-MM-DD, or "" for none.
func dateText(d model.Date) string {
	if d.IsZero() {
		return ""
	}
	return fmt.Sprintf("%04d-%02d-%02d", d.Year, d.Month, d.Day)
}

// FindingText writes the proof of a finding for a person.
func FindingText(w io.Writer, x *FindingExplanation, o Options) error {
	p := &explanationPage{page: newPage(w, o), paths: pathsOf(x.Captures)}
	f := &x.Finding
	tone := yellow
	if f.Severity == rules.Critical || f.Severity == rules.High {
		tone = red
	}
	p.line("%s  %s", p.paint(bold, safe(f.ID)), safe(x.Rule.Title))
	state := strings.ToUpper(safe(string(f.Severity)))
	if f.Status == rules.Accepted {
		tone = faint
		state += ", accepted"
	}
	if f.Breach {
		state += ", brings " + safe(f.Subject.ID) + " below its SL-T"
	}
	p.line("%s", p.paint(tone, state))
	p.judgedBy(x.Model, x.AsOf)
	p.gap()
	p.wrapped("", safe(f.Message))

	p.heading("RULE", "")
	p.field("rule", fmt.Sprintf("%s, %s; bulkhead explain %s says all of it", safe(f.Rule), safe(string(f.Class)), safe(f.Rule)))
	p.fieldIf("looks at", x.Rule.Evidence)
	p.fieldIf("why", x.Rule.Why)
	p.field("subject", fmt.Sprintf("%s %s", safe(f.Subject.Kind), safe(f.Subject.ID))+touches(f))
	p.field("severity", fmt.Sprintf("%s; the rule's own is %s%s", safe(string(f.Severity)), safe(string(f.BaseSeverity)), severityWords(f)))
	p.field("confidence", safe(f.Confidence)+": the weakest of who the ends are, which is the client, what protocol it is, and the capture")
	if len(f.Attack) > 0 {
		p.field("ATT&CK", "consistent with "+safe(strings.Join(f.Attack, ", "))+"; no proof that it was meant")
	}

	p.heading("MODEL", "")
	if f.Model == nil {
		p.wrapped("  ", "no line of the model speaks of it")
	} else {
		p.modelLine("line", f.Model, x.ModelLine)
	}

	p.effect(x)
	p.proof(f)
	p.behind(x)
	p.exceptions(x)

	p.heading("LIMITS", "")
	p.fieldIf("wrong when", x.Rule.FalsePositives)
	p.fieldIf("no proof of", x.Rule.CannotProve)
	if f.Fix != "" {
		p.heading("WHAT TO DO", "")
		p.wrapped("  ", safe(f.Fix))
	}
	return p.close()
}

// explanationPage is a page that explains a finding or flows.
type explanationPage struct {
	*page
	paths map[string]string // of captures, by SHA-256
}

func pathsOf(captures []rules.CaptureRef) map[string]string {
	paths := make(map[string]string, len(captures))
	for _, c := range captures {
		paths[c.SHA256] = c.Path
	}
	return paths
}

// judgedBy says which model was judged, and on which day.
func (p *page) judgedBy(m rules.ModelRef, asOf string) {
	p.wrapped("", fmt.Sprintf("model %s, sha256 %s · judged as of %s", safe(m.Path), safe(m.SHA256), safe(asOf)))
}

// fieldIf writes a labelled fact, if there is one.
func (p *page) fieldIf(label, text string) {
	if text != "" {
		p.field(label, safe(text))
	}
}

// modelLine writes a place in the model and, where it can be shown, what stands
// there.
func (p *page) modelLine(label string, at *zones.Position, text string) {
	p.field(label, safe(at.String()))
	if text = strings.TrimSpace(text); text != "" {
		p.wrapped(fieldIndent+"| ", safe(text))
	}
}

// touches names the zones that a finding touches besides its subject.
func touches(f *rules.Finding) string {
	var others []string
	for _, z := range f.Zones {
		if z != f.Subject.ID {
			others = append(others, z)
		}
	}
	if len(others) == 0 {
		return ""
	}
	return ", with " + cut(strings.Join(others, ", "), 200)
}

// severityWords says why a finding's severity is another than its rule's.
func severityWords(f *rules.Finding) string {
	at := func(s rules.Severity) int { return slices.Index(rules.Severities(), s) }
	switch base, got := at(f.BaseSeverity), at(f.Severity); {
	case got < base:
		return ", raised by what the subject stands to lose and how far below SL-T it falls"
	case got > base:
		return ", lowered: SL-T still holds, the subject has little to lose, or it is no contradiction"
	}
	return ""
}

// effect says what a finding takes away, requirement by requirement and FR by FR.
func (p *explanationPage) effect(x *FindingExplanation) {
	f := &x.Finding
	title := "WHAT IT VOIDS"
	switch f.Class {
	case rules.Weakening:
		title = "WHAT IT ASKS PROOF OF"
	case rules.Support:
		title = "WHAT IT SPEAKS FOR"
	case rules.CoverageClass:
		title = "WHAT IT CONCERNS"
	}
	p.heading(title, "")
	if len(x.Requirements) == 0 {
		p.wrapped("  ", "no requirement")
	}
	for _, r := range x.Requirements {
		text := fmt.Sprintf("%s: without it at most SL %d is left of %s", safe(r.Title), r.Left, r.FR)
		switch {
		case len(r.Compensated) > 0:
			text += "; compensated by " + safe(strings.Join(r.Compensated, ", ")) + ", so nothing is lost by it"
		case slices.Contains(f.Compensated, r.ID):
			text += "; compensated, so nothing is lost by it"
		}
		p.field(cut(r.ID, len(fieldIndent)-3), text)
	}
	if x.Levels == nil {
		return
	}
	for _, fr := range zones.FRs() {
		left, capped := f.Caps[fr]
		if !capped {
			continue
		}
		text := fmt.Sprintf("at most SL %d is left; SL-T %d, SL-A %s", left, x.Levels.SLT[fr], levelText(x.Levels.SLA[fr]))
		if left < x.Levels.SLT[fr] {
			text = p.paint(red, text)
		}
		p.field(fr.String(), text)
	}
}

func levelText(n *uint8) string {
	if n == nil {
		return "unknown (no measure names a requirement of it)"
	}
	return fmt.Sprint(*n)
}

// proof writes every piece of evidence that a finding holds.
func (p *explanationPage) proof(f *rules.Finding) {
	if len(f.Evidence) == 0 {
		p.heading("EVIDENCE", "")
		p.wrapped("  ", "no frames: it is about what was not seen")
		return
	}
	p.heading("EVIDENCE", plural(len(f.Evidence), "piece")+"; each filter is for Wireshark and tshark -Y")
	for i := range f.Evidence {
		e := &f.Evidence[i]
		if i > 0 {
			p.gap()
		}
		p.captureField(e.Capture)
		p.field("frames", allFrames(e))
		if !e.First.IsZero() {
			label := "seen"
			if e.Flow != "" {
				label = "conversation" // as a whole: the frames may lie closer together
			}
			p.field(label, between(e.First.UTC(), e.Last.UTC()))
		}
		p.fieldIf("flow", e.Flow)
		p.copied("filter", e.Filter)
		p.copied("community id", e.CommunityID)
	}
}

// allFrames lists all frames that a piece of evidence holds.
func allFrames(e *rules.Evidence) string {
	if len(e.Frames) == 0 {
		return "none is known of " + plural(e.Count, "packet")
	}
	list := make([]string, len(e.Frames))
	for i, n := range e.Frames {
		list[i] = strconv.FormatUint(n, 10)
	}
	text := strings.Join(list, ", ")
	if e.Count > uint64(len(e.Frames)) {
		text += fmt.Sprintf(" (the first, of %d that show it)", e.Count)
	}
	return text
}

// captureField names a capture by its path and its whole hash.
func (p *explanationPage) captureField(hash string) {
	if path := p.paths[hash]; path != "" {
		p.field("capture", safe(path))
		p.copied("sha256", hash)
		return
	}
	p.copied("capture", "sha256 "+hash)
}

// copied writes a fact that is there to be copied: on one line however long.
func (p *page) copied(label, text string) {
	if text != "" {
		p.line("  %s%s", pad(label, len(fieldIndent)-2), p.paint(faint, safe(text)))
	}
}

// behind lists the flows that are evidence of a finding.
func (p *explanationPage) behind(x *FindingExplanation) {
	if len(x.Flows) == 0 {
		return
	}
	p.heading("FLOWS", plural(len(x.Flows), "flow")+" behind it; bulkhead explain --flow CLIENT,SERVER:PORT says all of one")
	for i := range x.Flows {
		if i == maxExplained {
			p.more(2, len(x.Flows)-i, "flows")
			break
		}
		f := &x.Flows[i]
		p.wrapped("  ", fmt.Sprintf("%s: %s", flowTitle(f), verdictText(f)))
		shown := 0
		for j, reason := range f.Reasons {
			if own := "evidence of " + x.Finding.ID; reason == own || strings.HasPrefix(reason, own+",") {
				continue // that is why the flow is here
			}
			if shown == 2*maxReasons {
				p.more(4, len(f.Reasons)-j, "reasons")
				break
			}
			p.wrapped("    - ", safe(reason))
			shown++
		}
	}
}

// maxExplained bounds the flows that an explanation shows.
const maxExplained = 20

// exceptions says which exceptions of the model speak of a finding.
func (p *explanationPage) exceptions(x *FindingExplanation) {
	if len(x.Exceptions) == 0 {
		return
	}
	p.heading("EXCEPTIONS", "they change a finding's status, no level")
	for _, e := range x.Exceptions {
		text := map[string]string{
			exceptionAccepts:   "accepts it",
			exceptionExpired:   "has expired: it accepts nothing any more",
			exceptionPartial:   "is for " + safe(e.Subject) + ", an end of some of its flows only: it does not accept it",
			exceptionRedundant: "is for it too; another one accepts it",
		}[e.State]
		if e.Expires != "" {
			text += "; last day " + e.Expires
		}
		p.field(cut(e.ID, len(fieldIndent)-3), text)
		p.field("", fmt.Sprintf("%s: %s (%s)", safe(e.Owner), safe(e.Reason), safe(e.Ticket)))
		p.field("", safe(e.Model.String()))
	}
}
