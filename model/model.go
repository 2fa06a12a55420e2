package model

import (
	"time"

	"bulkhead/capture"
	"bulkhead/conduits"
	"bulkhead/zones"
)

// Model is a plant as declared. It is immutable: everything reachable from it is
// to be read only, by any number of goroutines.
type Model struct {
	Path   string // as it was named when it was loaded
	SHA256 string // over the model file and its includes; see Load
	System System

	Zones    []*zones.Zone       // in the order declared
	Conduits []*conduits.Conduit // likewise

	Measures      []*Measure
	NotApplicable []*NotApplicable
	Taps          []*Tap
	Exceptions    []*Exception
	Policy        Policy

	// Locator and Graph answer for the zones and conduits above.
	Locator *zones.Locator
	Graph   *conduits.Graph

	offers map[*zones.Asset][]Offer // of the assets that give a list of services
}

// System is the system under consideration (ZCR 1.1).
type System struct {
	ID       string         `json:"id"`
	Name     string         `json:"name"`
	Owner    string         `json:"owner,omitempty"`
	Revision string         `json:"revision,omitempty"`
	Zone     *time.Location `json:"-"` // of the plant; UTC where the model gives none
}

// Measure is a declared countermeasure.
type Measure struct {
	ID       string
	Covers   []string // IDs of zones and conduits
	Meets    []string // requirement IDs, "UC<=2" expanded, in catalogue order
	By       string   // what provides it
	Evidence string
	Position zones.Position

	// A compensating measure stands in for the requirements that it names; it
	// also lifts those that evidence voids. Source: IEC 62443-3-3:2013, 4.3.
	Compensating bool
	Why          string
	ApprovedBy   string
	ReviewBy     Date // the day after which it no longer counts
}

// NotApplicable declares that a conditional requirement's condition is absent.
type NotApplicable struct {
	Covers      []string // IDs of zones and conduits
	Requirement string
	Why         string
	Position    zones.Position
}

// Tap is where captures are taken.
type Tap struct {
	ID            string
	Sees          []string      // IDs of the zones and conduits whose traffic passes it
	Captures      []string      // globs relative to the model's folder, or "sha256:…"
	Direction     string        // both, or the one direction mirrored: rx, tx
	Mode          string        // production, test, or "" where the model gives none
	SingleSegment *bool         // the tap is on one untagged segment; nil where the model does not say
	ClockOffset   time.Duration // how far its clock is ahead of UTC
	Position      zones.Position
}

// Exception accepts a finding for a time. It changes the finding's status and the
// exit code, never a number.
type Exception struct {
	ID       string
	Rule     string
	Subject  string // ID of a zone or conduit, or an asset's ref
	Owner    string
	Reason   string
	Ticket   string
	Expires  Date // the last day on which it holds
	Position zones.Position
}

// Date is a calendar day in the plant's time zone. The zero Date means none.
type Date struct {
	Year  int
	Month time.Month
	Day   int
}

// IsZero reports whether no day is given.
func (d Date) IsZero() bool { return d == Date{} }

// Before reports whether d is an earlier day than e.
func (d Date) Before(e Date) bool {
	return d.Year < e.Year || d.Year == e.Year && (d.Month < e.Month || d.Month == e.Month && d.Day < e.Day)
}

// Policy holds the thresholds and the debated switches of the evidence rules.
// Each field's comment names its key; the defaults are DefaultPolicy's.
type Policy struct {
	Strict                bool          // strict: weakenings void what they ask proof of
	UndeclaredCap         uint8         // ev-001-cap: 0 voids SR 5.2 too, 1 its RE(1) alone
	PasswordVoidsDC       bool          // ev-020-dc: a readable password also voids SR 4.1
	ExplicitApprovalLevel uint8         // sr-1.13-re-1-level: 2 by clause 5.15.4, 3 by Table B.1
	UnknownAssetFrames    uint64        // ev-090-frames: own frames before a host counts as unknown
	UnknownAssetSpan      time.Duration // ev-090-span: and over how long
	MinimumSpan           time.Duration // minimum-span: a shorter capture lowers confidence
}

// DefaultPolicy returns the policy of a model that sets none.
func DefaultPolicy() Policy {
	return Policy{PasswordVoidsDC: true, ExplicitApprovalLevel: 2, UnknownAssetFrames: 3, UnknownAssetSpan: time.Minute}
}

// Severity is how grave a diagnostic is.
type Severity string

// The severities of diagnostics. A model with an error is not handed out.
const (
	Error   Severity = "error"
	Warning Severity = "warning"
)

// Diagnostic is one problem of a model.
type Diagnostic struct {
	Severity Severity       `json:"severity"`
	Position zones.Position `json:"position"`
	Code     string         `json:"code"`    // stable, such as "unknown-key"
	Message  string         `json:"message"` // subject in quotes, what is wrong, what was expected
	Suggest  string         `json:"suggest"` // the nearest valid name, or ""
	Line     string         `json:"line"`    // the source line, for showing it with a caret; "" if it cannot be shown
	Width    int            `json:"width"`   // code points to underline from Position.Column on; at least 1
}

// Offer is one entry of an asset's list of services: a protocol, or a transport
// and port.
type Offer struct {
	Protocol capture.Protocol // "" if Service says it
	Service  *capture.Service // nil if Protocol says it
}
