package rules

import (
	"slices"
	"strings"

	"bulkhead/zones"
)

// Rule is an evidence rule with a check. It has no state.
type Rule struct {
	Facts
	// Subsumes names the rules that this one says more precisely: what they would
	// report of the same flow and subject is shown once, as this rule's finding,
	// with the requirements of both.
	Subsumes []string
	permit   bool // it judges flows that the design does not permit
	check    func(*scene, *Rule, func(hit))
	say      func(hit) string    // what a flow did, in words, after its ends are named
	fix      func(*group) string // what to change, and where
}

// implemented lists the rules in the order in which they are checked: a rule
// stands before those that it subsumes.
var implemented = []*Rule{
	writeIntoSafety,
	businessToControl, controlToPublic, publicToControl, remoteSession,
	undeclaredCrossing, outsideAllowList, blockedAttempt, againstOneWay,
	readablePassword, noPeerAuthentication,
	unauthorisedWrite, unauthorisedProgram, unauthorisedMode,
	unprotectedCrossing,
	unknownAsset, neverSeen, undeclaredService,
}

// Implemented lists the rules that have a check, by ID.
func Implemented() []Rule {
	out := make([]Rule, len(implemented))
	for i, r := range implemented {
		out[i] = *r
	}
	slices.SortFunc(out, func(a, b Rule) int { return strings.Compare(a.ID, b.ID) })
	return out
}

// hit is what a check reports: that something seen speaks against one subject.
type hit struct {
	class   Class       // Contradiction, or less where the model leaves the rule unsure
	subject Subject     // a zone or a conduit
	voids   []string    // requirements; of a weakening, those it asks proof of
	flow    *judged     // nil if no one flow shows it
	ops     []operation // of flow, those that show it; nil for all of it
	// What was asked for: ops, or all operations of flow. Filled in for the hits
	// that a finding shows.
	asked []FlowOperation
	rank  int // its gravity
	// Without a flow:
	what     string // in words: what was seen
	model    *zones.Position
	evidence *Evidence // nil if there is none
	trust    confidence
}
