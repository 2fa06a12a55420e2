package protocol

import (
	"slices"

	"bulkhead/capture"
)

// Exchange is where the decoder of one connection writes what it reads. The
// engine says where in the capture the bytes are ([Exchange.At]) before it calls
// the decoder and takes the results from the [Tally], which the connections of a
// conversation share.
type Exchange struct {
	tally   *Tally
	frame   uint64
	at      capture.Time
	gap     [2]bool
	pending []pending // its capacity is charged to the room, if charged
	charged bool
	held    int // bytes that the decoder keeps

	protection Protection
	protected  bool // protection was set by the decoder
}

// pending is a request that has not been answered yet.
type pending struct {
	key  uint64
	slot int32
	from capture.Side
	auth bool // slot counts log-ins, not operations
}

// maxPending bounds the requests of one connection that wait for their answer,
// idlePending is how many have a place kept for them.
const (
	maxPending  = 256
	idlePending = 4
)

// wait adds a request. If there is no room, the oldest that waits is given up for
// it, or it counts as unanswered itself.
func (x *Exchange) wait(p pending) {
	n := len(x.pending)
	if !x.charged && cap(x.pending) > 0 {
		if !x.tally.room.take(Open, cap(x.pending)) {
			x.expire(p)
			return
		}
		x.charged = true
	}
	if n == cap(x.pending) {
		more := max(idlePending, n)
		switch {
		case n < maxPending && x.tally.room.take(Open, more):
			x.pending = append(make([]pending, 0, n+more), x.pending...)
			x.charged = true
		case n == 0:
			x.expire(p)
			return
		default:
			x.expire(x.pending[0])
			x.pending = slices.Delete(x.pending, 0, 1)
		}
	}
	x.pending = append(x.pending, p)
}

// settled drops the requests at the places from at on that gone says are done
// with.
func (x *Exchange) settled(at int, gone func(p *pending) bool) {
	kept := x.pending[:at]
	for i := at; i < len(x.pending); i++ {
		if p := &x.pending[i]; !gone(p) {
			kept = append(kept, *p)
		}
	}
	x.pending = kept
	if len(x.pending) == 0 && cap(x.pending) > idlePending {
		x.dropPending()
	}
}

// find returns the place of the oldest request that side from has open under
// key, or that of none.
func (x *Exchange) find(from capture.Side, key uint64) int {
	for i := range x.pending {
		if p := &x.pending[i]; p.key == key && p.from == from {
			return i
		}
	}
	return len(x.pending)
}

// dropPending forgets all requests. Places for a few stay, for the next
// connection, and are charged to it.
func (x *Exchange) dropPending() {
	if x.charged {
		x.tally.room.give(Open, cap(x.pending))
		x.charged = false
	}
	x.pending = x.pending[:0]
	if cap(x.pending) > idlePending {
		x.pending = nil
	}
}

// Hold tells that the decoder keeps n bytes more of what it was given, or less if
// n is negative, from one Decode to the next. It returns false, and is to keep
// nothing more, if there is no room. What is held at the end need not be told.
func (x *Exchange) Hold(n int) bool {
	if n > 0 && !x.tally.room.take(Held, n) {
		return false
	}
	if n < 0 {
		x.tally.room.give(Held, -n)
	}
	x.held += n
	return true
}

// Reset makes x ready for another connection, of the conversation that t counts.
// It was closed, or is new.
func (x *Exchange) Reset(t *Tally) { *x = Exchange{tally: t, pending: x.pending[:0]} }

// NewExchange returns an exchange for one connection of the conversation that t
// counts.
func NewExchange(t *Tally) *Exchange { return &Exchange{tally: t} }

// At places the bytes of the next Decode call: in the frame that completed them.
func (x *Exchange) At(frame uint64, t capture.Time) { x.frame, x.at = frame, t }

// Lost tells that bytes of one side are missing before those of the next Decode
// call.
func (x *Exchange) Lost(from capture.Side) { x.gap[from] = true }

// Gap reports, once, whether bytes of side from were lost since it was last
// asked: a message that spanned several PDUs has then lost its middle.
func (x *Exchange) Gap(from capture.Side) bool {
	g := x.gap[from]
	x.gap[from] = false
	return g
}

// Frame returns the number of the frame that completed the bytes being decoded.
func (x *Exchange) Frame() uint64 { return x.frame }

// Ask counts a request that wants an answer. The key, unique among the requests
// that side from has open, is what Answer finds it by. The result adds details
// and holds until the next call of a method of x.
func (x *Exchange) Ask(op *Op, from capture.Side, key uint64) *Use {
	slot := x.tally.slot(op, from)
	if slot < 0 {
		return &discard
	}
	x.wait(pending{key: key, from: from, slot: int32(slot)})
	return x.tally.seen(slot, x.frame, x.at)
}

// Note counts a message that wants no answer.
func (x *Exchange) Note(op *Op, from capture.Side) *Use {
	slot := x.tally.slot(op, from)
	if slot < 0 {
		return &discard
	}
	return x.tally.seen(slot, x.frame, x.at)
}

// Answer settles every open request that the other side asked under key, and
// reports whether there was one: an answer whose request the capture does not
// hold counts nowhere.
func (x *Exchange) Answer(from capture.Side, key uint64, accepted bool) bool {
	at := x.find(from.Other(), key)
	if at == len(x.pending) {
		return false
	}
	x.settled(at, func(p *pending) bool {
		if p.key != key || p.from != from.Other() {
			return false
		}
		switch {
		case p.auth:
			if accepted {
				x.tally.security.Auth[p.slot].Accepted++
			}
		case accepted:
			x.tally.ops[p.slot].Accepted++
		default:
			x.tally.ops[p.slot].Refused++
		}
		return true
	})
	return true
}

// Forget leaves unanswered what side from has open under key, which it is about
// to use again.
func (x *Exchange) Forget(from capture.Side, key uint64) {
	at := x.find(from, key)
	if at == len(x.pending) {
		return
	}
	x.settled(at, func(p *pending) bool {
		gone := p.key == key && p.from == from
		if gone {
			x.expire(*p)
		}
		return gone
	})
}

// Asked returns the operation of the oldest request that side from has open under
// key, or nil.
func (x *Exchange) Asked(from capture.Side, key uint64) *Op {
	for i := range x.pending {
		if p := &x.pending[i]; p.key == key && p.from == from && !p.auth {
			return x.tally.kinds[p.slot].op
		}
	}
	return nil
}

// Open calls f for the operation and key of each open request of side from, the
// oldest first, until f returns false.
func (x *Exchange) Open(from capture.Side, f func(op *Op, key uint64) bool) {
	for _, p := range x.pending {
		if p.from == from && !p.auth && !f(x.tally.kinds[p.slot].op, p.key) {
			return
		}
	}
}

func (x *Exchange) expire(p pending) {
	if !p.auth {
		x.tally.ops[p.slot].Unanswered++
	}
}

// Close ends the connection: what is still open stays unanswered.
func (x *Exchange) Close() {
	for _, p := range x.pending {
		x.expire(p)
	}
	x.dropPending()
	x.Hold(-x.held)
}

// Undecoded counts a PDU that could not be read.
func (x *Exchange) Undecoded() {
	x.tally.undecoded++
	x.tally.counted++
}

// Counted changes whenever something is counted, PDUs that could not be read
// included.
func (x *Exchange) Counted() uint64 { return x.tally.counted }

// Protect says how the connection's payload is protected; the weakest degree
// said counts.
func (x *Exchange) Protect(p Protection) {
	if !x.protected || p < x.protection {
		x.protection, x.protected = p, true
	}
}

// Protection returns what Protect was told, or def if it never was.
func (x *Exchange) Protection(def Protection) Protection {
	if x.protected {
		return x.protection
	}
	return def
}

// Login counts a log-in by side from. Readable says that its secret, of length
// bytes, crossed the wire in clear; the secret itself is not to be kept. An
// Answer under key says how it ended.
func (x *Exchange) Login(from capture.Side, key uint64, kind string, readable bool, length int) {
	slot := x.tally.login(capture.AuthFact{Kind: kind, Readable: readable, Length: length, Frame: x.frame})
	if slot < 0 {
		return
	}
	x.wait(pending{key: key, from: from, slot: int32(slot), auth: true})
}

// TLS records a version and cipher suite that the server chose.
func (x *Exchange) TLS(version, cipher string) {
	x.tally.security.TLS = addFact(x.tally.room, &x.tally.security.Cut, x.tally.security.TLS, capture.TLSFact{Version: version, Cipher: cipher, Frame: x.frame},
		func(a, b capture.TLSFact) bool { return a.Version == b.Version && a.Cipher == b.Cipher })
}

// OPCUA records a secure channel's policy and mode.
func (x *Exchange) OPCUA(policy, mode string) {
	x.tally.security.OPCUA = addFact(x.tally.room, &x.tally.security.Cut, x.tally.security.OPCUA, capture.OPCUAFact{Policy: policy, Mode: mode, Frame: x.frame},
		func(a, b capture.OPCUAFact) bool { return a.Policy == b.Policy && a.Mode == b.Mode })
}

// SNMP records a version of the protocol in use.
func (x *Exchange) SNMP(version string) {
	x.tally.security.SNMP = addFact(x.tally.room, &x.tally.security.Cut, x.tally.security.SNMP, version, func(a, b string) bool { return a == b })
}

// SMB records a dialect that the server chose.
func (x *Exchange) SMB(dialect string) {
	x.tally.security.SMB = addFact(x.tally.room, &x.tally.security.Cut, x.tally.security.SMB, dialect, func(a, b string) bool { return a == b })
}

// Name records what the sender calls itself.
func (x *Exchange) Name(from capture.Side, name, source string) {
	if name = printable(name); name == "" {
		return
	}
	said := &x.tally.said[from]
	said.Names = addFact(x.tally.room, &said.Cut, said.Names, capture.Name{Name: name, Source: source, Frame: x.frame},
		func(a, b capture.Name) bool { return a.Name == b.Name && a.Source == b.Source })
}

// Identity records what the sender says it is; id.Frame is set here.
func (x *Exchange) Identity(from capture.Side, id capture.Identity) {
	id.Vendor, id.Model = printable(id.Vendor), printable(id.Model)
	id.Firmware, id.Serial = printable(id.Firmware), printable(id.Serial)
	id.Frame = x.frame
	said := &x.tally.said[from]
	said.Identities = addFact(x.tally.room, &said.Cut, said.Identities, id, func(a, b capture.Identity) bool {
		a.Frame = b.Frame
		return a == b
	})
}

// addFact adds a fact that is not in list yet. If there is no room, cut is set.
func addFact[T any](room *Room, cut *bool, list []T, fact T, same func(a, b T) bool) []T {
	switch {
	case slices.ContainsFunc(list, func(f T) bool { return same(f, fact) }):
		return list
	case len(list) >= capture.MaxFacts || !room.take(Facts, 1):
		*cut = true
		return list
	}
	return append(list, fact)
}

// printable drops what a terminal or a spreadsheet could take for more than
// text, and cuts s to 64 bytes.
func printable(s string) string {
	b := make([]byte, 0, min(len(s), 64))
	for i := 0; i < len(s) && len(b) < 64; i++ {
		if s[i] >= ' ' && s[i] < 0x7f {
			b = append(b, s[i])
		}
	}
	return string(b)
}

// Use adds details to the operation that was just counted.
type Use struct {
	op   *capture.Operation
	room *Room
}

var discard Use

// Unit adds a unit or station address.
func (u *Use) Unit(n uint16) *Use {
	if u.op == nil {
		return u
	}
	d := &u.op.Details
	i, found := slices.BinarySearch(d.Units, n)
	switch {
	case found:
	case len(d.Units) >= capture.MaxUnits || !u.room.take(Details, 1):
		d.Cut = true
	default:
		d.Units = slices.Insert(d.Units, i, n)
	}
	return u
}

// Objects adds count objects from first on, numbered as space does; none if
// count is 0.
func (u *Use) Objects(space string, first, count uint32) *Use {
	if u.op == nil || count == 0 {
		return u
	}
	u.addRange(capture.ObjectRange{Space: space, First: first, Last: first + count - 1})
	return u
}

// addRange inserts r into the ascending, disjoint ranges of the operation, none
// of which touches the next.
func (u *Use) addRange(r capture.ObjectRange) {
	d := &u.op.Details
	list := d.Objects
	i := 0
	for i < len(list) && (list[i].Space < r.Space || list[i].Space == r.Space && uint64(list[i].Last)+1 < uint64(r.First)) {
		i++
	}
	j := i
	for j < len(list) && list[j].Space == r.Space && uint64(list[j].First) <= uint64(r.Last)+1 {
		r.First, r.Last = min(r.First, list[j].First), max(r.Last, list[j].Last)
		j++
	}
	switch {
	case j == i+1:
		list[i] = r
	case i == j && (len(list) >= capture.MaxObjects || !u.room.take(Details, 1)):
		d.Cut = true
	default:
		u.room.give(Details, max(j-i-1, 0))
		d.Objects = slices.Replace(list, i, j, r)
	}
}
