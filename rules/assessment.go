package rules

import (
	"bulkhead/capture"
	"bulkhead/model"
	"bulkhead/zones"
)

// Schema names the JSON form of [Assessment].
const Schema = "bulkhead/assessment/v1"

// Assessment is what a model and observations, held together, come to.
type Assessment struct {
	Schema   string         `json:"schema"`
	Model    ModelRef       `json:"model"`
	AsOf     string         `json:"as_of"` // the day, YYYY-MM-DD, on which exceptions and reviews are judged
	Captures []CaptureRef   `json:"captures"`
	Verdict  OverallVerdict `json:"verdict"`
	Zones    []Levels       `json:"zones"`    // in the model's order
	Conduits []Levels       `json:"conduits"` // likewise
	Flows    []Flow         `json:"flows"`
	Findings []Finding      `json:"findings"`
	Coverage []Coverage     `json:"coverage"` // a conduit each, in the model's order
	Notes    []Note         `json:"notes"`
}

// ModelRef says which model was judged.
type ModelRef struct {
	Path   string       `json:"path"`
	SHA256 string       `json:"sha256"`
	System model.System `json:"system"`
}

// CaptureRef is a capture and the tap that it was assigned to.
type CaptureRef struct {
	capture.Capture
	Tap string `json:"tap"` // "" if it belongs to none
}

// OverallVerdict sums an assessment up.
type OverallVerdict string

// Verdict is what a flow comes to: the first that fits, in this order.
type Verdict string

// The verdicts of flows. The first, second and fifth are also overall verdicts.
const (
	NotAssessable Verdict = "not-assessable" // a guessed role, an ambiguous zone, or an unsure protocol on which the answer hangs
	Unassigned    Verdict = "unassigned"     // an end in @unassigned
	Refused       Verdict = "refused"        // it crosses, and no payload came back
	Breach        Verdict = "breach"         // evidence of a finding that voids a requirement at or below SL-T
	Deviation     Verdict = "deviation"      // denied, or evidence of another contradiction, while SL-T still holds
	Allowed       Verdict = "allowed"
	Intra         Verdict = "intra" // inside one zone
)

// The overall verdicts.
const (
	OverallBreach        OverallVerdict = "breach"
	OverallDeviation     OverallVerdict = "deviation"
	NoContradiction      OverallVerdict = "no-contradiction"
	OverallNotAssessable OverallVerdict = "not-assessable"
)

// Levels are the security levels of one zone or conduit. The vectors have seven
// entries in FR order; an entry is null for an FR of which no measure or
// not-applicable row names a requirement.
type Levels struct {
	ID       string              `json:"id"`
	Kind     string              `json:"kind"`
	SLT      zones.Vector        `json:"sl_t"`
	Declared [zones.NumFR]*uint8 `json:"declared"`
	Ceiling  zones.Vector        `json:"ceiling"`
	SLA      [zones.NumFR]*uint8 `json:"sl_a"`
	// SLAWithSubzones is, per FR, the lowest of the zone's and its sub-zones'
	// SL-A; absent for zones without sub-zones and for conduits.
	SLAWithSubzones *[zones.NumFR]*uint8 `json:"sl_a_with_subzones,omitempty"`
	Gap             []Gap                `json:"gap"`
	Testable        [zones.NumFR]Share   `json:"testable"`
	Limits          []Limit              `json:"limits"`
	Coverage        string               `json:"coverage"` // of a conduit, its state; of a zone, "seen" or "not-seen"
}

// Gap is an FR in which a level is missing.
type Gap struct {
	FR       zones.FR `json:"fr"`
	Levels   uint8    `json:"levels"`   // SL-T less SL-A, a null SL-A taken as 0
	Design   bool     `json:"design"`   // declared is below SL-T, or null
	Evidence bool     `json:"evidence"` // the ceiling is below SL-T
}

// Limit is a requirement that holds an FR's ceiling down, and the finding that
// voids it: "" for a not-applicable row that traffic refutes without a finding, of
// which a note says more.
type Limit struct {
	FR          zones.FR `json:"fr"`
	Requirement string   `json:"requirement"`
	Finding     string   `json:"finding"`
	Level       uint8    `json:"level"` // what the requirement's absence leaves
}

// Flow is a conversation seen through the model. The same conversation seen at
// several taps is one flow.
type Flow struct {
	ClientZone string           `json:"client_zone"` // ID of a zone or conduit; "" if ambiguous
	ServerZone string           `json:"server_zone"`
	Client     FlowEnd          `json:"client"`
	Server     FlowServer       `json:"server"`
	Protocol   capture.Protocol `json:"protocol"`
	Conduit    string           `json:"conduit"`  // ID, or ""
	Channel    string           `json:"channel"`  // ID, or ""
	Relation   string           `json:"relation"` // intra or cross
	Permit     Permit           `json:"permit"`
	Outcome    string           `json:"outcome"` // answered one-way refused attempted
	Verdict    Verdict          `json:"verdict"`
	Reasons    []string         `json:"reasons"`  // in words: why this verdict
	Findings   []string         `json:"findings"` // IDs of those it is evidence of
	// Unjudged says in words what of it the design does not permit without a finding
	// that says so, as what was seen outside a window: what is accepted of the rest
	// does not accept it.
	Unjudged []string `json:"unjudged,omitempty"`
	// Operations is what was asked for: at most [MaxOperations], the gravest classes
	// first. Traffic seen at several taps counts once.
	Operations    []FlowOperation `json:"operations"`
	OperationsCut bool            `json:"operations_cut,omitempty"` // there were more kinds
	SeenAt        []SeenAt        `json:"seen_at"`
}

// FlowEnd is one end of a flow.
type FlowEnd struct {
	Address string `json:"address"` // IP, or MAC straight on the link
	Asset   string `json:"asset"`   // ref, or ""
}

// FlowServer is the end that was asked.
type FlowServer struct {
	FlowEnd
	Port      uint16            `json:"port"` // as [capture.Server] has it
	Transport capture.Transport `json:"transport"`
}

// Permit is the design's answer to a flow.
type Permit struct {
	Allowed bool            `json:"allowed"`
	Reason  string          `json:"reason"` // "" if allowed; else a conduits.Reason
	Detail  string          `json:"detail"`
	Model   *zones.Position `json:"model"` // the line that the answer rests on
}

// SeenAt is a conversation that makes up a flow.
type SeenAt struct {
	Capture string          `json:"capture"` // SHA-256
	Tap     string          `json:"tap"`
	VLAN    uint16          `json:"vlan"`
	Packets capture.Volume  `json:"packets"`
	Bytes   capture.Volume  `json:"bytes"`
	First   capture.Time    `json:"first"`
	Last    capture.Time    `json:"last"`
	Example capture.Example `json:"example"`
}

// Subject is what a finding is about.
type Subject struct {
	Kind string `json:"kind"` // zone or conduit
	ID   string `json:"id"`
}

// Finding is a rule that fired on a subject.
type Finding struct {
	ID           string             `json:"id"` // of its meaning: the same for the same fault, whatever frames show it
	Rule         string             `json:"rule"`
	Class        Class              `json:"class"`
	BaseSeverity Severity           `json:"base_severity"`
	Severity     Severity           `json:"severity"`
	Confidence   string             `json:"confidence"` // high medium low: the weakest link of identity, role, protocol and capture
	Status       Status             `json:"status"`
	Subject      Subject            `json:"subject"`
	Zones        []string           `json:"zones"`
	Requirements []string           `json:"requirements"` // voided; for a weakening, those it asks proof of
	Caps         map[zones.FR]uint8 `json:"caps"`
	Attack       []string           `json:"attack"`
	Message      string             `json:"message"`
	Fix          string             `json:"fix"`
	Model        *zones.Position    `json:"model"`
	// Breach says that it takes away a requirement that the subject's SL-T asks for.
	Breach      bool       `json:"breach"`
	Evidence    []Evidence `json:"evidence"`              // of the first [MaxEvidence] flows
	Flows       int        `json:"flows"`                 // that show it
	Exception   string     `json:"exception,omitempty"`   // ID
	Compensated []string   `json:"compensated,omitempty"` // of Requirements, those that a compensating measure lifts
}

// Evidence is what shows a finding: frames of one capture.
type Evidence struct {
	Capture     string       `json:"capture"` // SHA-256
	Frames      []uint64     `json:"frames"`  // the first few, ascending
	Count       uint64       `json:"count"`   // of the PDUs or packets that show it, Frames being some of them
	First       capture.Time `json:"first"`
	Last        capture.Time `json:"last"`
	Filter      string       `json:"filter"` // a Wireshark display filter that shows them
	CommunityID string       `json:"community_id"`
	Flow        string       `json:"flow"` // in words: who, whom, what
}

// Status is how a finding stands.
type Status string

// The states of a finding.
const (
	Open     Status = "open"
	Accepted Status = "accepted" // a live exception covers it
)

// Coverage says what the captures could show of a conduit.
type Coverage struct {
	Conduit string       `json:"conduit"`
	State   string       `json:"state"` // Violated, SeenAllowed, ObservableSilent or NotObservable
	Taps    []string     `json:"taps"`  // that see it and have a capture
	First   capture.Time `json:"first"` // of the captures at those taps
	Last    capture.Time `json:"last"`
	// WatchedMS is for how many milliseconds at least one of those captures watched;
	// see [capture.Watched].
	WatchedMS int64 `json:"watched_ms"`
	Flows     int   `json:"flows"` // over it, those that did not come across included
	// Of Flows, those that nothing came back of. They show no use of the conduit.
	Attempts int `json:"attempts"`
}

// Note is something that a reader should know and that is no finding: an
// exception that matched nothing, a tap without a capture.
type Note struct {
	Code  string          `json:"code"`
	Text  string          `json:"text"`
	Model *zones.Position `json:"model"`
}

// Share says how many of an FR's requirements traffic can void at all.
type Share struct {
	Testable int `json:"testable"`
	Of       int `json:"of"`
}
