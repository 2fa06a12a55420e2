package protocol

import (
	"fmt"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"bulkhead/capture"
)

var (
	opRead  = &Op{Protocol: capture.Modbus, Code: "3", Name: "Read", Class: capture.Read}
	opWrite = &Op{Protocol: capture.Modbus, Code: "16", Name: "Write", Class: capture.Write}
)

// outcomes sums the operations of a tally up in one line.
func outcomes(t *Tally) string {
	var c capture.Conversation
	t.Fill(&c)
	var parts []string
	for _, op := range c.Operations {
		parts = append(parts, fmt.Sprintf("%s/%s %d+%d-%d?%d", op.Name, op.From, op.Count, op.Accepted, op.Refused, op.Unanswered))
	}
	return strings.Join(parts, ", ")
}

func TestExchangePairs(t *testing.T) {
	const client, server = capture.FromClient, capture.FromServer
	tests := map[string]struct {
		do   func(x *Exchange)
		want string
	}{
		"accepted":       {func(x *Exchange) { x.Ask(opRead, client, 1); x.Answer(server, 1, true) }, "Read/client 1+1-0?0"},
		"refused":        {func(x *Exchange) { x.Ask(opRead, client, 1); x.Answer(server, 1, false) }, "Read/client 1+0-1?0"},
		"unanswered":     {func(x *Exchange) { x.Ask(opRead, client, 1) }, "Read/client 1+0-0?1"},
		"wrong key":      {func(x *Exchange) { x.Ask(opRead, client, 1); x.Answer(server, 2, true) }, "Read/client 1+0-0?1"},
		"own answer":     {func(x *Exchange) { x.Ask(opRead, client, 1); x.Answer(client, 1, true) }, "Read/client 1+0-0?1"},
		"answered twice": {func(x *Exchange) { x.Ask(opRead, client, 1); x.Answer(server, 1, true); x.Answer(server, 1, true) }, "Read/client 1+1-0?0"},
		"wants none":     {func(x *Exchange) { x.Note(opRead, client) }, "Read/client 1+0-0?0"},
		"both ask":       {func(x *Exchange) { x.Ask(opRead, client, 1); x.Ask(opRead, server, 1); x.Answer(client, 1, false) }, "Read/client 1+0-0?1, Read/server 1+0-1?0"},
		"crossed": {func(x *Exchange) {
			x.Ask(opRead, client, 1)
			x.Ask(opWrite, client, 2)
			x.Answer(server, 2, false)
			x.Answer(server, 1, true)
		}, "Read/client 1+1-0?0, Write/client 1+0-1?0"},
		"one answer settles all of a key": {func(x *Exchange) { x.Ask(opRead, client, 1); x.Ask(opWrite, client, 1); x.Answer(server, 1, true) },
			"Read/client 1+1-0?0, Write/client 1+1-0?0"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			var tally Tally
			x := NewExchange(&tally)
			tt.do(x)
			x.Close()
			x.Close() // once is enough
			if got := outcomes(&tally); got != tt.want {
				t.Errorf("%s, want %s", got, tt.want)
			}
		})
	}
}

// Requests beyond the bound push the oldest out, which then count as unanswered.
func TestExchangeBoundsPending(t *testing.T) {
	var tally Tally
	x := NewExchange(&tally)
	for i := range uint64(maxPending + 10) {
		x.Ask(opRead, capture.FromClient, i)
	}
	open := 0
	first := uint64(0)
	x.Open(capture.FromClient, func(_ *Op, key uint64) bool {
		if open == 0 {
			first = key
		}
		open++
		return true
	})
	if open != maxPending || first != 10 {
		t.Errorf("%d open from key %d on, want %d from 10", open, first, maxPending)
	}
	x.Close()
	if got, want := outcomes(&tally), fmt.Sprintf("Read/client %d+0-0?%d", maxPending+10, maxPending+10); got != want {
		t.Errorf("%s, want %s", got, want)
	}
}

func TestTallyBoundsKinds(t *testing.T) {
	var tally Tally
	x := NewExchange(&tally)
	for i := range capture.MaxOperations + 5 {
		x.Ask(&Op{Name: fmt.Sprint(i)}, capture.FromClient, uint64(i)).Unit(1).Objects("holding", 1, 1)
		x.Note(&Op{Name: fmt.Sprint(i)}, capture.FromClient).Unit(1)
	}
	var c capture.Conversation
	tally.Fill(&c)
	if len(c.Operations) != capture.MaxOperations || !c.OperationsCut {
		t.Errorf("%d operations, cut %v; want %d, cut", len(c.Operations), c.OperationsCut, capture.MaxOperations)
	}
}

// Tallies that share room share its end.
func TestRoom(t *testing.T) {
	room := NewRoom([Tables]int{Kinds: 2, Runs: 3})
	a, b := NewTally(room), NewTally(room)
	for i := range int64(4) {
		for _, tally := range []*Tally{a, b} {
			x := NewExchange(tally)
			x.At(1, capture.NewTime(i*2*int64(time.Minute), 0))
			x.Note(opRead, capture.FromClient)
			x.Note(opWrite, capture.FromServer)
		}
	}
	if got := outcomes(a); got != "Read/client 4+0-0?0, Write/server 4+0-0?0" {
		t.Errorf("the first has %s", got)
	}
	var c capture.Conversation
	b.Fill(&c)
	if len(c.Operations) != 0 || !c.OperationsCut || !room.Full(Kinds) || !room.Full(Runs) || room.Full(Facts) {
		t.Errorf("the second has %d operations, cut %v; room full %v", len(c.Operations), c.OperationsCut, room.full)
	}
	a.Fill(&c)
	if runs := len(c.Operations[0].Active) + len(c.Operations[1].Active); runs != 3 || !c.Operations[0].ActiveCut {
		t.Errorf("%d runs, want 3 and cut", runs)
	}
}

// What connections hold until they end comes back, whatever became of it.
func TestRoomComesBack(t *testing.T) {
	const client, server = capture.FromClient, capture.FromServer
	room := NewRoom([Tables]int{Kinds: 9, Runs: 9, Facts: 9, Open: 2 * idlePending, Held: 10})
	tally := NewTally(room)
	first, second, third := NewExchange(tally), NewExchange(tally), NewExchange(tally)
	for i := range uint64(idlePending + 3) { // three of them push the oldest out
		first.Ask(opRead, client, i)
		second.Ask(opRead, client, i)
	}
	third.Ask(opRead, client, 1) // no room at all
	third.Login(client, 2, "ftp password", true, 3)
	if got := outcomes(tally); got != "Read/client 15+0-0?7" || !room.Full(Open) {
		t.Errorf("%s, full %v; want 7 unanswered for lack of room", got, room.Full(Open))
	}
	first.Answer(server, idlePending, true)
	second.Forget(client, 0)
	if !first.Hold(6) || first.Hold(5) || !room.Full(Held) || !first.Hold(-2) || !second.Hold(5) {
		t.Error("the bytes held are not those asked for")
	}
	first.Close()
	second.Close()
	third.Close()
	if got := outcomes(tally); got != "Read/client 15+1-0?14" {
		t.Errorf("%s, want one accepted and the others unanswered", got)
	}
	if room.left[Open] != 2*idlePending || room.left[Held] != 10 {
		t.Errorf("left over: %v", room.left)
	}
}

// Lists of facts and details that found no room say so.
func TestRoomForFacts(t *testing.T) {
	room := NewRoom([Tables]int{Kinds: 1, Runs: 1, Facts: 4, Details: 4, Open: idlePending})
	tally := NewTally(room)
	x := NewExchange(tally)
	for range 2 { // the second time they are known
		x.SNMP("v1")
		x.TLS("1.2", "0x1301")
		x.Name(capture.FromServer, "plc", "lldp")
		x.Login(capture.FromClient, 1, "snmp community", true, 6)
	}
	u := x.Note(opRead, capture.FromClient).Unit(1).Objects("coil", 0, 1).Objects("coil", 2, 1)
	var c capture.Conversation
	tally.Fill(&c)
	if c.Security.Cut || c.Operations[0].Details.Cut || tally.Said(capture.FromServer).Cut || room.full != [Tables]bool{} {
		t.Errorf("cut before there was too much: %+v, %v", c.Security, room.full)
	}
	u.Objects("coil", 1, 1) // closes the hole between the two
	for unit := range uint16(4) {
		u.Unit(1 + unit)
	}
	x.SMB("NT LM 0.12")
	x.Name(capture.FromServer, "plc2", "lldp")
	tally.Fill(&c)
	d := c.Operations[0].Details
	if !c.Security.Cut || len(c.Security.SMB) != 0 || !tally.Said(capture.FromServer).Cut || !room.Full(Facts) {
		t.Errorf("facts without room: %+v", c.Security)
	}
	if !d.Cut || len(d.Objects) != 1 || !slices.Equal(d.Units, []uint16{1, 2, 3}) || !room.Full(Details) {
		t.Errorf("details %+v, want one range, units 1 to 3, cut", d)
	}
}

func TestExchangeGap(t *testing.T) {
	x := NewExchange(new(Tally))
	x.Lost(capture.FromServer)
	if x.Gap(capture.FromClient) || !x.Gap(capture.FromServer) || x.Gap(capture.FromServer) {
		t.Error("a gap is to be told once, of the side that has it")
	}
}

func TestExchangeProtection(t *testing.T) {
	x := NewExchange(new(Tally))
	if x.Protection(Integrity) != Integrity {
		t.Error("nothing said: the protocol's own degree counts")
	}
	x.Protect(Encrypted)
	if x.Protection(Clear) != Encrypted {
		t.Error("what the decoder says counts")
	}
	x.Protect(Clear)
	x.Protect(Integrity)
	if x.Protection(Encrypted) != Clear {
		t.Error("the weakest degree counts")
	}
}

func TestFacts(t *testing.T) {
	var tally Tally
	x := NewExchange(&tally)
	x.At(7, capture.NewTime(0, 0))
	x.TLS("1.2", "A")
	x.TLS("1.2", "A")
	x.TLS("1.3", "B")
	x.OPCUA("None", "none")
	x.SNMP("v1")
	x.SNMP("v1")
	x.SMB("NT LM 0.12")
	x.Login(capture.FromClient, 1, "ftp password", true, 8)
	x.Answer(capture.FromServer, 1, true)
	x.Login(capture.FromClient, 2, "ftp password", true, 8)
	x.Answer(capture.FromServer, 2, false)
	x.Name(capture.FromServer, "plc\x1b[31m-1\n", "lldp")
	x.Identity(capture.FromServer, capture.Identity{Model: strings.Repeat("m", 100), Source: "modbus"})
	x.At(9, capture.NewTime(0, 0))
	x.Identity(capture.FromServer, capture.Identity{Model: strings.Repeat("m", 100), Source: "modbus"})
	for i := range 2 * capture.MaxFacts {
		x.Name(capture.FromClient, fmt.Sprint("name ", i), "dhcp")
	}
	var c capture.Conversation
	tally.Fill(&c)
	want := capture.Security{
		TLS:   []capture.TLSFact{{Version: "1.2", Cipher: "A", Frame: 7}, {Version: "1.3", Cipher: "B", Frame: 7}},
		OPCUA: []capture.OPCUAFact{{Policy: "None", Mode: "none", Frame: 7}},
		SNMP:  []string{"v1"}, SMB: []string{"NT LM 0.12"},
		Auth: []capture.AuthFact{{Kind: "ftp password", Readable: true, Length: 8, Accepted: 1, Count: 2, Frame: 7}},
	}
	if !reflect.DeepEqual(c.Security, want) {
		t.Errorf("%+v, want %+v", c.Security, want)
	}
	said := tally.Said(capture.FromServer)
	if len(said.Names) != 1 || said.Names[0].Name != "plc[31m-1" {
		t.Errorf("names %+v", said.Names)
	}
	if len(said.Identities) != 1 || len(said.Identities[0].Model) != 64 || said.Identities[0].Frame != 7 {
		t.Errorf("identities %+v", said.Identities)
	}
	if n := len(tally.Said(capture.FromClient).Names); n != capture.MaxFacts {
		t.Errorf("%d names, want %d", n, capture.MaxFacts)
	}
}

func TestActive(t *testing.T) {
	minute := func(m, s int64) capture.Time { return capture.NewTime((m*60+s)*int64(time.Second), 6) }
	var tally Tally
	x := NewExchange(&tally)
	for i, at := range []capture.Time{minute(0, 59), minute(1, 0), minute(1, 30), minute(5, 0), minute(3, 0), {}, minute(-1, 5)} {
		x.At(uint64(i+1), at)
		x.Note(opRead, capture.FromClient)
	}
	var c capture.Conversation
	tally.Fill(&c)
	var got []string
	for _, r := range c.Operations[0].Active {
		got = append(got, fmt.Sprintf("%d+%d x%d @%d", r.From.UnixNano()/int64(time.Minute), r.Minutes, r.Count, r.Frame))
	}
	if want := []string{"-1+1 x1 @7", "0+2 x3 @1", "3+1 x1 @5", "5+1 x1 @4"}; !slices.Equal(got, want) {
		t.Errorf("active %q, want %q", got, want)
	}
	for i := range int64(2 * capture.MaxRuns) {
		x.At(100, minute(100+2*i, 0))
		x.Note(opRead, capture.FromClient)
	}
	tally.Fill(&c)
	if op := c.Operations[0]; len(op.Active) != capture.MaxRuns || !op.ActiveCut || len(op.Frames) > capture.MaxFrames {
		t.Errorf("%d runs, cut %v, %d frames", len(op.Active), op.ActiveCut, len(op.Frames))
	}
}

// Object ranges against a set of numbers.
func TestObjectsAgainstOracle(t *testing.T) {
	spaces := []string{"coil", "holding"}
	for seed := range uint64(300) {
		r := rand.New(rand.NewPCG(seed, 3))
		var tally Tally
		x := NewExchange(&tally)
		set := map[string]map[uint32]bool{"coil": {}, "holding": {}}
		for range 1 + r.IntN(30) {
			space, first, count := spaces[r.IntN(2)], uint32(r.IntN(200)), uint32(r.IntN(12))
			x.Note(opRead, capture.FromClient).Objects(space, first, count)
			for i := range count {
				set[space][first+i] = true
			}
		}
		var c capture.Conversation
		tally.Fill(&c)
		got := c.Operations[0].Details.Objects
		n := 0
		for i, o := range got {
			for j := o.First; j <= o.Last; j++ {
				n++
				if !set[o.Space][j] {
					t.Fatalf("seed %d: %s was never used", seed, o)
				}
			}
			if i > 0 && got[i-1].Space == o.Space && got[i-1].Last+1 >= o.First {
				t.Fatalf("seed %d: %s and %s touch or are out of order", seed, got[i-1], o)
			}
		}
		if want := len(set["coil"]) + len(set["holding"]); n != want {
			t.Fatalf("seed %d: %d objects, want %d", seed, n, want)
		}
	}
	var tally Tally
	u := NewExchange(&tally).Note(opRead, capture.FromClient)
	for i := range uint32(capture.MaxObjects + 1) {
		u.Objects("coil", 3*i, 1)
	}
	for i := range uint16(capture.MaxUnits + 1) {
		u.Unit(i).Unit(i)
	}
	var c capture.Conversation
	tally.Fill(&c)
	if d := c.Operations[0].Details; len(d.Objects) != capture.MaxObjects || len(d.Units) != capture.MaxUnits || !d.Cut {
		t.Errorf("%d ranges, %d units, cut %v", len(d.Objects), len(d.Units), d.Cut)
	}
	NewExchange(&tally).Note(opWrite, capture.FromClient).Objects("coil", 1<<32-1, 1).Objects("coil", 0, 0)
	if got := tally.ops[1].Details.Objects; len(got) != 1 || got[0].First != 1<<32-1 || got[0].Last != 1<<32-1 {
		t.Errorf("the last object there is: %v", got)
	}
}

func TestExchangeAllocatesNothing(t *testing.T) {
	var tally Tally
	x := NewExchange(&tally)
	ask := func() {
		x.At(1, capture.NewTime(0, 6))
		x.Ask(opRead, capture.FromClient, 5).Unit(1).Objects("holding", 10, 2)
		x.Answer(capture.FromServer, 5, true)
	}
	for range 20 {
		ask()
	}
	if n := testing.AllocsPerRun(100, ask); n != 0 {
		t.Errorf("%v allocations, want none", n)
	}
}
