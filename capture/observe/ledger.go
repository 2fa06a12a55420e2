package observe

import (
	"cmp"
	"slices"

	"bulkhead/capture"
	"bulkhead/capture/packet"
)

// ledgerState is a number of the ledger.
type ledgerState uint8

// The numbers of the ledger: those of the packet's outcome, and one more.
const (
	ledgerFragment = ledgerState(packet.Fragment)
	ledgerLimited  = ledgerState(packet.Malformed) + 1
)

var ledgerNames = [...]string{
	packet.Decoded: "decoded", packet.OtherL2: "other_l2", packet.OtherIP: "other_ip", packet.Fragment: "fragment",
	packet.UnknownLink: "unknown_link", packet.Truncated: "truncated", packet.Malformed: "malformed", ledgerLimited: "limited",
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
	causes map[cause]uint64
	max    int
}

func newLedger(max int) ledger { return ledger{causes: make(map[cause]uint64), max: max} }

// add counts n frames.
func (l *ledger) add(s ledgerState, detail string, n uint64) {
	if n == 0 {
		return
	}
	l.counts[s] += n
	if s == ledgerState(packet.Decoded) {
		return
	}
	c := cause{s, detail}
	if _, ok := l.causes[c]; !ok && len(l.causes) >= l.max {
		c.detail = otherCauses
	}
	l.causes[c] += n
}

func (l *ledger) export() capture.Ledger {
	out := capture.Ledger{
		Decoded:     l.counts[packet.Decoded] + l.counts[ledgerLimited],
		OtherL2:     l.counts[packet.OtherL2],
		OtherIP:     l.counts[packet.OtherIP],
		Fragment:    l.counts[packet.Fragment],
		UnknownLink: l.counts[packet.UnknownLink],
		Truncated:   l.counts[packet.Truncated],
		Malformed:   l.counts[packet.Malformed],
		Folded:      l.counts[ledgerLimited],
		Reasons:     make([]capture.Reason, 0, len(l.causes)),
	}
	for c, n := range l.causes {
		out.Reasons = append(out.Reasons, capture.Reason{State: ledgerNames[c.state], Reason: c.detail, Frames: n})
	}
	slices.SortFunc(out.Reasons, func(a, b capture.Reason) int {
		return cmp.Or(cmp.Compare(a.State, b.State), cmp.Compare(a.Reason, b.Reason))
	})
	return out
}
