package protocol

import (
	"cmp"
	"slices"
	"time"

	"bulkhead/capture"
)

// Tally counts the operations and facts of one conversation over all of its
// connections. The zero value has no bounds but those of [capture.Conversation].
type Tally struct {
	room      *Room
	kinds     []kind
	ops       []capture.Operation // ops[i] counts kinds[i]
	uses      []Use               // uses[i] adds details to ops[i]
	cut       bool
	undecoded uint64
	counted   uint64 // calls that counted something, to see whether a decoder did
	security  capture.Security
	said      [2]Said
}

// NewTally returns a tally that shares room, which may be nil, with others.
func NewTally(room *Room) *Tally { return &Tally{room: room} }

type kind struct {
	op     *Op
	from   capture.Side
	minute int64 // where the minute begins that the last run of ops[i] ends with
}

// Said is what one end told of itself.
type Said struct {
	Names      []capture.Name
	Identities []capture.Identity
	Cut        bool // there were more
}

// slot returns the index at which an operation is counted, or -1 if there are
// too many kinds.
func (t *Tally) slot(op *Op, from capture.Side) int {
	for i := range t.kinds {
		if t.kinds[i].op == op && t.kinds[i].from == from {
			return i
		}
	}
	if len(t.kinds) >= capture.MaxOperations || !t.room.take(Kinds, 1) {
		t.cut = true
		return -1
	}
	t.kinds = append(t.kinds, kind{op: op, from: from})
	t.ops = append(t.ops, capture.Operation{
		Protocol: op.Protocol, Name: op.Name, Code: op.Code, From: from, Class: op.Class,
		Frames: []capture.FrameRef{}, Active: []capture.Run{},
	})
	t.uses = append(t.uses, Use{room: t.room})
	return len(t.kinds) - 1
}

// seen counts one PDU of ops[slot].
func (t *Tally) seen(slot int, frame uint64, at capture.Time) *Use {
	op := &t.ops[slot]
	op.Count++
	t.counted++
	if n := len(op.Frames); n < capture.MaxFrames && (n == 0 || op.Frames[n-1].Frame != frame) {
		op.Frames = append(op.Frames, capture.FrameRef{Frame: frame})
	}
	if !at.IsZero() {
		// Most frames are of the minute that the one before was of.
		k := &t.kinds[slot]
		if since, n := at.UnixNano()-k.minute, len(op.Active); n > 0 && 0 <= since && since < minute {
			op.Active[n-1].Count++
		} else {
			t.addMinute(op, frame, at)
			k.minute = lastMinute(op.Active)
		}
	}
	t.uses[slot].op = op
	return &t.uses[slot]
}

const minute = int64(time.Minute)

// lastMinute returns where the last minute of the last run begins.
func lastMinute(runs []capture.Run) int64 {
	if len(runs) == 0 {
		return 0
	}
	last := &runs[len(runs)-1]
	return last.From.UnixNano() + int64(last.Minutes-1)*minute
}

// addMinute notes that op was seen in the minute of at.
func (t *Tally) addMinute(op *capture.Operation, frame uint64, at capture.Time) {
	ns := at.UnixNano()
	m := ns / minute
	if ns%minute < 0 {
		m--
	}
	// Frames come almost in order of time, so the run is nearly always the last.
	i := len(op.Active)
	for i > 0 && op.Active[i-1].From.UnixNano()/minute > m {
		i--
	}
	if i > 0 {
		run := &op.Active[i-1]
		if next := run.From.UnixNano()/minute + int64(run.Minutes); m <= next {
			if m == next {
				run.Minutes++
			}
			run.Count++
			return
		}
	}
	if len(op.Active) >= capture.MaxRuns || !t.room.take(Runs, 1) {
		op.ActiveCut = true
		return
	}
	op.Active = slices.Insert(op.Active, i, capture.Run{From: capture.NewTime(m*minute, 0), Minutes: 1, Count: 1, Frame: frame})
}

// login counts a log-in and returns its index among the facts, or -1 if there
// are too many kinds.
func (t *Tally) login(f capture.AuthFact) int {
	for i := range t.security.Auth {
		a := &t.security.Auth[i]
		if a.Kind == f.Kind && a.Readable == f.Readable && a.Length == f.Length {
			a.Count++
			return i
		}
	}
	if len(t.security.Auth) >= capture.MaxFacts || !t.room.take(Facts, 1) {
		t.security.Cut = true
		return -1
	}
	f.Count = 1
	t.security.Auth = append(t.security.Auth, f)
	return len(t.security.Auth) - 1
}

// Said returns what one end told of itself.
func (t *Tally) Said(from capture.Side) Said { return t.said[from] }

// Fill writes the operations, sorted, and the facts into c.
func (t *Tally) Fill(c *capture.Conversation) {
	c.Operations = append([]capture.Operation{}, t.ops...)
	slices.SortFunc(c.Operations, func(a, b capture.Operation) int {
		return cmp.Or(cmp.Compare(a.Protocol, b.Protocol), cmp.Compare(len(a.Code), len(b.Code)), cmp.Compare(a.Code, b.Code),
			cmp.Compare(a.From, b.From), cmp.Compare(a.Class, b.Class), cmp.Compare(a.Name, b.Name))
	})
	c.OperationsCut = t.cut
	c.Undecoded = t.undecoded
	c.Security = t.security
}

// Release gives the room back that t took. It is not to be used any more.
func (t *Tally) Release() {
	if t.room == nil {
		return
	}
	t.room.give(Kinds, len(t.kinds))
	for i := range t.ops {
		t.room.give(Runs, len(t.ops[i].Active))
		t.room.give(Details, len(t.ops[i].Details.Units)+len(t.ops[i].Details.Objects))
	}
	facts := len(t.security.TLS) + len(t.security.OPCUA) + len(t.security.SNMP) + len(t.security.SMB) + len(t.security.Auth)
	for _, s := range t.said {
		facts += len(s.Names) + len(s.Identities)
	}
	t.room.give(Facts, facts)
}
