package observe

import (
	"cmp"
	"slices"

	"bulkhead/capture"
	"bulkhead/capture/packet"
)

// ledgerState is a number of the ledger.
type ledgerState uint8

// ledgerDuplicate follows the numbers that are those of a packet's outcome.
const ledgerDuplicate = ledgerState(packet.Malformed) + 1

var ledgerNames = [...]string{
	packet.Decoded: "decoded", packet.OtherL2: "other_l2", packet.OtherIP: "other_ip", packet.Fragment: "fragment",
	packet.UnknownLink: "unknown_link", packet.Truncated: "truncated", packet.Malformed: "malformed", ledgerDuplicate: "duplicate",
}

type cause struct {
	state  ledgerState
	detail string
}

// otherCauses stands for those that found no room.
const otherCauses = "other"

// ledger counts frames by what became of them and why.
type ledger struct {
	counts [len(ledgerNames)]uint64
	causes map[cause]*uint64
	max    int

	last  cause   // added
	count *uint64 // of last
}

func newLedger(max int) ledger { return ledger{causes: make(map[cause]*uint64), max: max} }

// add counts n frames.
func (l *ledger) add(s ledgerState, detail string, n uint64) {
	if n == 0 {
		return
	}
	l.counts[s] += n
	if s == ledgerState(packet.Decoded) || s == ledgerDuplicate {
		return
	}
	// Most frames have the cause of the one before.
	if c := (cause{s, detail}); l.count == nil || c != l.last {
		l.last, l.count = c, l.counter(c)
	}
	*l.count += n
}

// counter returns where a cause is counted.
func (l *ledger) counter(c cause) *uint64 {
	n := l.causes[c]
	if n == nil && len(l.causes) >= l.max {
		c.detail = otherCauses
		n = l.causes[c]
	}
	if n == nil {
		n = new(uint64)
		l.causes[c] = n
	}
	return n
}

func (l *ledger) export() capture.Ledger {
	out := capture.Ledger{
		Decoded:     l.counts[packet.Decoded],
		OtherL2:     l.counts[packet.OtherL2],
		OtherIP:     l.counts[packet.OtherIP],
		Fragment:    l.counts[packet.Fragment],
		UnknownLink: l.counts[packet.UnknownLink],
		Truncated:   l.counts[packet.Truncated],
		Malformed:   l.counts[packet.Malformed],
		Duplicate:   l.counts[ledgerDuplicate],
		Reasons:     make([]capture.Reason, 0, len(l.causes)),
	}
	for c, n := range l.causes {
		out.Reasons = append(out.Reasons, capture.Reason{State: ledgerNames[c.state], Reason: c.detail, Frames: *n})
	}
	slices.SortFunc(out.Reasons, func(a, b capture.Reason) int {
		return cmp.Or(cmp.Compare(a.State, b.State), cmp.Compare(a.Reason, b.Reason))
	})
	return out
}
