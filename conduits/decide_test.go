package conduits

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"bulkhead/capture"
	"bulkhead/zones"
)

// site is a plant of two cells for the tests of Decide: conduit c joins ops and
// cell, d joins all three zones.
type site struct {
	ops, cell, office *zones.Zone
	hmi, plc, plc2    *zones.Asset
	fw                *zones.Asset // conduit c's own
}

func newSite() site {
	s := site{
		ops:    &zones.Zone{ID: "ops", Kind: zones.Operations},
		cell:   &zones.Zone{ID: "cell", Kind: zones.Control},
		office: &zones.Zone{ID: "office", Kind: zones.Business},
		hmi:    &zones.Asset{ID: "hmi", Zone: "ops"},
		plc:    &zones.Asset{ID: "plc", Zone: "cell"},
		plc2:   &zones.Asset{ID: "plc2", Zone: "cell"},
		fw:     &zones.Asset{ID: "fw", Conduit: "c"},
	}
	return s
}

func (s site) zones() []*zones.Zone { return []*zones.Zone{s.ops, s.cell, s.office} }

func (s site) at(z *zones.Zone, a *zones.Asset) zones.Location {
	return zones.Location{Zone: z, Asset: a}
}

func (s site) graph(cs ...*Conduit) *Graph {
	for i, c := range cs {
		if c.ID == "" {
			c.ID = string(rune('c' + i))
		}
		if c.Joins == nil {
			c.Joins = []string{"ops", "cell"}
		}
		if c.Status == "" {
			c.Status = Approved
		}
		c.Position = zones.Position{File: "plant.yaml", Line: 100 * (i + 1), Column: 5}
		for n, ch := range c.Channels {
			ch.ID = fmt.Sprintf("%s#%d", c.ID, n+1)
			ch.Position = zones.Position{File: "plant.yaml", Line: 100*(i+1) + n + 1, Column: 9}
		}
	}
	return NewGraph(s.zones(), cs)
}

func (s site) channel(edits ...func(*Channel)) *Channel {
	ch := &Channel{From: End{Zone: "ops", Asset: s.hmi}, To: End{Zone: "cell"}, Protocol: capture.Modbus}
	for _, e := range edits {
		e(ch)
	}
	return ch
}

func window(t testing.TB, s string) Window {
	t.Helper()
	w, err := ParseWindow(s)
	if err != nil {
		t.Fatal(err)
	}
	return w
}

func does(class capture.Class, code string, edits ...func(*capture.Operation)) capture.Operation {
	op := capture.Operation{Protocol: capture.Modbus, Class: class, Code: code, Name: "operation " + code, Count: 1, Accepted: 1}
	for _, e := range edits {
		e(&op)
	}
	return op
}

func during(from string, minutes uint32) func(*capture.Operation) {
	t, err := time.Parse(time.RFC3339, from)
	if err != nil {
		panic(err)
	}
	return func(op *capture.Operation) {
		op.Active = append(op.Active, capture.Run{From: capture.NewTime(t.UnixNano(), 0), Minutes: minutes})
	}
}

func registers(ranges ...string) []capture.ObjectRange {
	var out []capture.ObjectRange
	for _, s := range ranges {
		r, err := capture.ParseObjects(capture.Modbus, s)
		if err != nil {
			panic(err)
		}
		out = append(out, r)
	}
	return out
}

func touching(ranges ...string) func(*capture.Operation) {
	return func(op *capture.Operation) { op.Details.Objects = registers(ranges...) }
}

func TestDecide(t *testing.T) {
	s := newSite()
	// The usual query: the HMI reads from the controller in clear.
	usual := Query{
		Client: s.at(s.ops, s.hmi), Server: s.at(s.cell, s.plc), Protocol: capture.Modbus, Basis: capture.Content,
		Transport: capture.TCP, Port: 502, Carried: true, Sent: true, Received: true,
		Operations: []capture.Operation{does(capture.Read, "3", during("2026-03-07T08:00:00Z", 5))},
	}
	with := func(edits ...func(*Query)) Query {
		q := usual
		for _, e := range edits {
			e(&q)
		}
		return q
	}
	ops := func(list ...capture.Operation) func(*Query) { return func(q *Query) { q.Operations = list } }
	only := func(classes ...capture.Class) func(*Channel) {
		return func(ch *Channel) { ch.Operations = classes }
	}
	open := func(texts ...string) func(*Channel) {
		return func(ch *Channel) {
			for _, x := range texts {
				ch.Windows = append(ch.Windows, window(t, x))
			}
		}
	}
	asking := func(p Protection) func(*Channel) { return func(ch *Channel) { ch.Protection = p } }
	unknown := func(q *Query) { q.Protocol, q.Basis, q.Operations = capture.Unknown, capture.NotKnown, nil }
	byPort := func(q *Query) { q.Basis, q.Operations = capture.Port, nil }
	reads := []capture.Class{capture.Read}

	tests := []struct {
		name     string
		conduits []*Conduit
		query    Query
		reason   Reason
		line     int    // of the model; 0 for none
		detail   string // a part of it
	}{
		{"permitted", []*Conduit{{Channels: []*Channel{s.channel()}}}, usual, Permitted, 101, ""},
		{"no conduit", nil, usual, NoConduit, 0, `no conduit joins "ops" and "cell"`},
		{"a conduit elsewhere", []*Conduit{{Joins: []string{"ops", "office"}, Channels: []*Channel{s.channel()}}}, usual, NoConduit, 0, ""},
		{"proposed", []*Conduit{{Status: Proposed, Channels: []*Channel{s.channel()}}}, usual, NotApproved, 100, "proposed"},
		{"proposed, and an approved one beside it", []*Conduit{{Status: Proposed, Channels: []*Channel{s.channel()}}, {Channels: []*Channel{s.channel()}}},
			usual, Permitted, 201, ""},
		{"no channel", []*Conduit{{}}, usual, WrongProtocol, 100, "nothing, for it has no channel"},
		{"one of three zones", []*Conduit{{Joins: []string{"ops", "cell", "office"}, Channels: []*Channel{s.channel()}}}, usual, Permitted, 101, ""},

		{"one-way, with its direction", []*Conduit{{OneWay: &Direction{"ops", "cell"}, Channels: []*Channel{s.channel()}}},
			with(func(q *Query) { q.Received = false }), Permitted, 101, ""},
		{"one-way, answered", []*Conduit{{OneWay: &Direction{"ops", "cell"}, Channels: []*Channel{s.channel()}}}, usual, AgainstOneWay, 100, "bytes went from cell to ops"},
		{"one-way, sent against", []*Conduit{{OneWay: &Direction{"cell", "ops"}, Channels: []*Channel{s.channel()}}}, usual, AgainstOneWay, 100, "bytes went from ops to cell"},
		{"one-way between other zones", []*Conduit{{Joins: []string{"ops", "cell", "office"}, OneWay: &Direction{"ops", "office"}, Channels: []*Channel{s.channel()}}},
			with(func(q *Query) { q.Received = false }), AgainstOneWay, 100, ""},

		{"via the intermediary", []*Conduit{{Via: s.hmi, Channels: []*Channel{s.channel()}}}, usual, Permitted, 101, ""},
		{"past the intermediary", []*Conduit{{Via: s.plc2, Channels: []*Channel{s.channel()}}}, usual, NotVia, 100, "cell/plc2"},

		{"another protocol", []*Conduit{{Channels: []*Channel{s.channel(func(ch *Channel) { ch.Protocol = capture.S7comm })}}}, usual, WrongProtocol, 100, "permits s7comm"},
		{"cip inside enip", []*Conduit{{Channels: []*Channel{s.channel(func(ch *Channel) { ch.Protocol = capture.CIP })}}},
			with(func(q *Query) { q.Protocol = capture.ENIP }, ops(does(capture.Read, "0x4c", func(op *capture.Operation) { op.Protocol = capture.CIP }))), Permitted, 101, ""},
		{"enip beside cip", []*Conduit{{Channels: []*Channel{s.channel(func(ch *Channel) { ch.Protocol = capture.CIP })}}},
			with(func(q *Query) { q.Protocol = capture.ENIP }, ops(does(capture.Discover, "0x0063", func(op *capture.Operation) { op.Protocol = capture.ENIP }))), WrongClass, 101, ""},
		{"a service without protocol", []*Conduit{{Channels: []*Channel{s.channel(func(ch *Channel) {
			ch.Protocol, ch.Service = "", &capture.Service{Transport: capture.TCP, First: 500, Last: 510}
		})}}}, usual, Permitted, 101, ""},
		{"another port", []*Conduit{{Channels: []*Channel{s.channel(func(ch *Channel) { ch.Service = &capture.Service{Transport: capture.TCP, First: 503, Last: 503} })}}},
			usual, WrongPort, 101, "permits tcp/503"},
		{"another transport", []*Conduit{{Channels: []*Channel{s.channel(func(ch *Channel) { ch.Service = &capture.Service{Transport: capture.UDP, First: 502, Last: 502} })}}},
			usual, WrongPort, 101, "permits udp/502"},
		{"the other way round", []*Conduit{{Channels: []*Channel{s.channel(func(ch *Channel) { ch.From, ch.To = End{Zone: "cell"}, End{Zone: "ops"} })}}},
			usual, WrongWay, 101, "the other way round"},
		{"another asset", []*Conduit{{Channels: []*Channel{s.channel(func(ch *Channel) { ch.To.Asset = s.plc2 })}}}, usual, WrongEnd, 101, `channel "c#1" is from ops/hmi to cell/plc2`},
		{"an unlisted host", []*Conduit{{Channels: []*Channel{s.channel()}}}, with(func(q *Query) { q.Client.Asset = nil }), WrongEnd, 101, "an unlisted host of ops"},

		{"a class not named", []*Conduit{{Channels: []*Channel{s.channel(only(reads...))}}}, with(ops(does(capture.Write, "6"))), WrongClass, 101, "permits read"},
		{"one of two classes", []*Conduit{{Channels: []*Channel{s.channel(only(reads...))}}}, with(ops(does(capture.Read, "3"), does(capture.Write, "6"))), WrongClass, 101, "write"},
		{"two channels, one each", []*Conduit{{Channels: []*Channel{s.channel(only(reads...)), s.channel(only(capture.Write))}}},
			with(ops(does(capture.Write, "6"), does(capture.Read, "3"))), Permitted, 101, ""},
		{"two conduits, one each", []*Conduit{{Channels: []*Channel{s.channel(only(reads...))}}, {Channels: []*Channel{s.channel(only(capture.Write))}}},
			with(ops(does(capture.Write, "6"), does(capture.Read, "3"))), Permitted, 101, ""},
		{"session and replies need no naming", []*Conduit{{Channels: []*Channel{s.channel(only(reads...))}}},
			with(ops(does(capture.Session, "0x65"), does(capture.Reply, "129"), does(capture.Read, "3"))), Permitted, 101, ""},
		{"a refused operation needs naming all the same", []*Conduit{{Channels: []*Channel{s.channel(only(reads...))}}},
			with(ops(does(capture.Write, "6", func(op *capture.Operation) { op.Accepted, op.Refused = 0, 1 }))), WrongClass, 101, ""},
		{"a code not named", []*Conduit{{Channels: []*Channel{s.channel(only(capture.Write), func(ch *Channel) { ch.Codes = []string{"6", "16"} })}}},
			with(ops(does(capture.Write, "5"))), WrongClass, 101, "permits the codes 6, 16"},
		{"objects named", []*Conduit{{Channels: []*Channel{s.channel(func(ch *Channel) { ch.Objects = registers("40001-40010", "40011-40020") })}}},
			with(ops(does(capture.Write, "16", touching("40005-40015")))), Permitted, 101, ""},
		{"objects not named", []*Conduit{{Channels: []*Channel{s.channel(func(ch *Channel) { ch.Objects = registers("40001-40010") })}}},
			with(ops(does(capture.Write, "16", touching("40005-40015")))), WrongClass, 101, "on 40011-40015"},
		{"objects of another table", []*Conduit{{Channels: []*Channel{s.channel(func(ch *Channel) { ch.Objects = registers("40001-40010") })}}},
			with(ops(does(capture.Write, "5", touching("00001-00002")))), WrongClass, 101, ""},
		{"objects not known", []*Conduit{{Channels: []*Channel{s.channel(func(ch *Channel) { ch.Objects = registers("40001-40010") })}}},
			with(ops(does(capture.Read, "43"))), WrongClass, 101, "objects that are not known"},
		{"the channel whose class fits gives the reason", []*Conduit{{Channels: []*Channel{s.channel(only(reads...)),
			s.channel(only(capture.Write), func(ch *Channel) { ch.Codes = []string{"16"} })}}}, with(ops(does(capture.Write, "6"))), WrongClass, 102, "codes 16"},

		{"inside the window", []*Conduit{{Channels: []*Channel{s.channel(open("Sat 08:00-09:00"))}}}, usual, Permitted, 101, ""},
		{"outside the window", []*Conduit{{Channels: []*Channel{s.channel(open("Sun 08:00-09:00"))}}}, usual, OutsideWindow, 101, "on Sat 2026-03-07 at 08:00 (UTC)"},
		{"windows of two channels add up", []*Conduit{{Channels: []*Channel{s.channel(open("Sat 08:00-08:03"))}}, {Channels: []*Channel{s.channel(open("Sat 08:03-08:10"))}}},
			usual, Permitted, 101, ""},
		{"a channel without a window beside one with", []*Conduit{{Channels: []*Channel{s.channel(open("Sun 08:00-09:00")), s.channel()}}}, usual, Permitted, 102, ""},
		{"the tap's clock is ahead", []*Conduit{{Channels: []*Channel{s.channel(open("Sat 07:00-07:10"))}}}, with(func(q *Query) { q.ClockOffset = time.Hour }), Permitted, 101, ""},
		{"without operations the flow's own minutes count", []*Conduit{{Channels: []*Channel{s.channel(open("Sun 08:00-09:00"))}}},
			with(func(q *Query) { q.Active, q.Operations = q.Operations[0].Active, nil }), OutsideWindow, 101, "it was in use on Sat"},
		{"a class not named outranks a window", []*Conduit{{Channels: []*Channel{s.channel(only(reads...), open("Sun 08:00-09:00"))}}},
			with(ops(usual.Operations[0], does(capture.Write, "6"))), WrongClass, 101, ""},

		{"protected enough", []*Conduit{{Channels: []*Channel{s.channel(asking(Integrity))}}}, with(func(q *Query) { q.Protection = Encrypted }), Permitted, 101, ""},
		{"not protected", []*Conduit{{Channels: []*Channel{s.channel(asking(Encrypted))}}}, usual, Unprotected, 101, "with no protection; channel \"c#1\" asks for encrypted"},
		{"signed where encryption is asked", []*Conduit{{Channels: []*Channel{s.channel(asking(Encrypted))}}}, with(func(q *Query) { q.Protection = Integrity }), Unprotected, 101, "with integrity"},
		{"nothing carried needs no protection", []*Conduit{{Channels: []*Channel{s.channel(asking(Encrypted))}}}, with(func(q *Query) { q.Carried = false }), Permitted, 101, ""},
		{"an unprotected channel beside", []*Conduit{{Channels: []*Channel{s.channel(asking(Encrypted)), s.channel()}}}, usual, Permitted, 102, ""},
		{"unprotected outside the other's window", []*Conduit{{Channels: []*Channel{s.channel(asking(Encrypted)), s.channel(open("Sun 08:00-09:00"))}}}, usual, Unprotected, 101, ""},

		{"the protocol is only the port's", []*Conduit{{Channels: []*Channel{s.channel()}}}, with(byPort), NeedsProtocol, 101, "permits modbus only"},
		{"the protocol is not known", []*Conduit{{Channels: []*Channel{s.channel()}}}, with(unknown), NeedsProtocol, 101, ""},
		{"not known, and a service permits it", []*Conduit{{Channels: []*Channel{s.channel(), s.channel(func(ch *Channel) {
			ch.Protocol, ch.Service = "", &capture.Service{Transport: capture.TCP, First: 502, Last: 502}
		})}}}, with(unknown), Permitted, 102, ""},
		{"not known, and the ends do not fit", []*Conduit{{Channels: []*Channel{s.channel(func(ch *Channel) { ch.To.Asset = s.plc2 })}}}, with(unknown), WrongEnd, 101, ""},
		{"not known, and no conduit", nil, with(unknown), NoConduit, 0, ""},
		{"only the port's, and nothing carried", []*Conduit{{Channels: []*Channel{s.channel()}}}, with(byPort, func(q *Query) { q.Carried = false }), Permitted, 101, ""},

		{"the furthest channel gives the reason", []*Conduit{{Channels: []*Channel{
			s.channel(func(ch *Channel) { ch.Protocol = capture.S7comm }),
			s.channel(only(capture.Write)),
			s.channel(func(ch *Channel) { ch.To.Asset = s.plc2 }),
		}}}, usual, WrongClass, 102, ""},

		{"the conduit's own asset, named", []*Conduit{{Assets: []*zones.Asset{s.fw}, Channels: []*Channel{s.channel(func(ch *Channel) { ch.To = End{Asset: s.fw} })}}},
			with(func(q *Query) { q.Server = zones.Location{Conduit: "c", Asset: s.fw} }), Permitted, 101, ""},
		{"the conduit's own asset, not named", []*Conduit{{Assets: []*zones.Asset{s.fw}, Channels: []*Channel{s.channel()}}},
			with(func(q *Query) { q.Server = zones.Location{Conduit: "c", Asset: s.fw} }), WrongEnd, 101, ""},
		{"the conduit's own asset, from a zone that it does not join", []*Conduit{{Assets: []*zones.Asset{s.fw}, Channels: []*Channel{s.channel()}}},
			with(func(q *Query) {
				q.Client, q.Server = s.at(s.office, nil), zones.Location{Conduit: "c", Asset: s.fw}
			}), NoConduit, 0, ""},
		{"a diode's proxy answers for itself", []*Conduit{{OneWay: &Direction{"ops", "cell"}, Assets: []*zones.Asset{s.fw},
			Channels: []*Channel{s.channel(func(ch *Channel) { ch.To = End{Asset: s.fw} })}}},
			with(func(q *Query) { q.Server = zones.Location{Conduit: "c", Asset: s.fw} }), Permitted, 101, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			d := s.graph(tt.conduits...).Decide(tt.query)
			if d.Reason != tt.reason || d.Permit != (tt.reason == Permitted) {
				t.Fatalf("permit %v, reason %q (%s); want %q", d.Permit, d.Reason, d.Detail, tt.reason)
			}
			if d.Position.Line != tt.line {
				t.Errorf("rests on line %d, want %d", d.Position.Line, tt.line)
			}
			if !strings.Contains(d.Detail, tt.detail) || (d.Detail == "") != d.Permit {
				t.Errorf("detail %q, want %q in it", d.Detail, tt.detail)
			}
			if d.Permit && (d.Channel == nil || d.Conduit == nil) {
				t.Errorf("permitted by channel %v of conduit %v", d.Channel, d.Conduit)
			}
			if d.Operations != nil && len(d.Operations) != len(tt.query.Operations) {
				t.Errorf("%d answers for %d operations", len(d.Operations), len(tt.query.Operations))
			}
		})
	}
}

func TestDecideOperations(t *testing.T) {
	s := newSite()
	g := s.graph(&Conduit{Channels: []*Channel{
		s.channel(func(ch *Channel) { ch.Operations = []capture.Class{capture.Read} }),
		s.channel(func(ch *Channel) {
			ch.Operations, ch.Windows = []capture.Class{capture.Program}, []Window{window(t, "Sat 08:00-08:02")}
		}),
	}})
	d := g.Decide(Query{
		Client: s.at(s.ops, s.hmi), Server: s.at(s.cell, s.plc), Protocol: capture.Modbus, Basis: capture.Content, Carried: true,
		Operations: []capture.Operation{
			does(capture.Read, "3"), does(capture.Write, "6"), does(capture.Program, "90", during("2026-03-07T08:00:00Z", 5)), does(capture.Session, "0"),
		},
	})
	var got []Reason
	for _, op := range d.Operations {
		if op.Permit != (op.Reason == Permitted) {
			t.Errorf("code %s: permit %v with reason %q", op.Operation.Code, op.Permit, op.Reason)
		}
		got = append(got, op.Reason)
	}
	if want := []Reason{Permitted, WrongClass, OutsideWindow, Permitted}; !slices.Equal(got, want) {
		t.Fatalf("answers %q, want %q", got, want)
	}
	for i, want := range []string{"", `channel "c#1" permits read`, `channel "c#2" is open Sat 08:00-08:02`, ""} {
		if op := d.Operations[i]; !strings.HasSuffix(op.Detail, want) || (op.Detail == "") != op.Permit || op.Conduit != d.Conduit {
			t.Errorf("code %s: detail %q over %v, want %q", op.Operation.Code, op.Detail, op.Conduit, want)
		}
	}
	if out := d.Operations[2].Outside; len(out) != 1 || out[0].Minutes != 3 || out[0].From.String() != "2026-03-07T08:02:00Z" {
		t.Errorf("outside %+v, want three minutes from 08:02", out)
	}
	if d.Reason != WrongClass || d.Channel.ID != "c#1" {
		t.Errorf("the flow is denied for %q by %s, want the class that no channel names", d.Reason, d.Channel.ID)
	}
}

// TestServes: what is asked for, when and how protected does not matter; who asks
// and which service does.
func TestServes(t *testing.T) {
	s := newSite()
	to := func(a *zones.Asset, more ...func(*Channel)) *Conduit {
		return &Conduit{Channels: []*Channel{s.channel(append(more, func(ch *Channel) { ch.To.Asset = a })...)}}
	}
	reads := func(ch *Channel) { ch.Operations = []capture.Class{capture.Read} }
	q := Query{Client: s.at(s.ops, s.hmi), Server: s.at(s.cell, s.plc), Protocol: capture.Modbus, Basis: capture.Content,
		Transport: capture.TCP, Port: 502, Carried: true, Operations: []capture.Operation{does(capture.Write, "6")}}
	unsure := q
	unsure.Basis = capture.Port
	proposed := to(s.plc)
	proposed.Status = Proposed
	tests := []struct {
		name    string
		conduit *Conduit
		query   Query
		want    bool
	}{
		{"named", to(s.plc), q, true},
		{"named for another class", to(s.plc, reads), q, true},
		{"at another time", to(s.plc, func(ch *Channel) { ch.Windows = []Window{window(t, "Sun 08:00-09:00")} }), q, true},
		{"better protected", to(s.plc, func(ch *Channel) { ch.Protection = Encrypted }), q, true},
		{"named for the zone", to(nil), q, false},
		{"named for another asset", to(s.plc2), q, false},
		{"another protocol", to(s.plc, func(ch *Channel) { ch.Protocol = capture.S7comm }), q, false},
		{"not approved", proposed, q, false},
		{"a protocol that only the port tells", to(s.plc), unsure, false},
	}
	for _, tt := range tests {
		if got := s.graph(tt.conduit).Serves(tt.query); got != tt.want {
			t.Errorf("%s: %v, want %v", tt.name, got, tt.want)
		}
	}
}

// slowPermit is the definition without care for reasons, cost or order: is there,
// for every operation and every minute of it, a channel that permits it?
func slowPermit(cs []*Conduit, q Query) bool {
	permits := func(c *Conduit, ch *Channel, op *capture.Operation, minute *capture.Run) bool {
		switch {
		case c.Status != Approved, !c.Joined(q.Client.Zone.ID), !c.Joined(q.Server.Zone.ID):
			return false
		case c.OneWay != nil && (q.Sent && (c.OneWay.From != q.Client.Zone.ID || c.OneWay.To != q.Server.Zone.ID) ||
			q.Received && (c.OneWay.From != q.Server.Zone.ID || c.OneWay.To != q.Client.Zone.ID)):
			return false
		case c.Via != nil && c.Via != q.Client.Asset && c.Via != q.Server.Asset:
			return false
		case ch.Protocol != "" && ch.Protocol != q.Protocol:
			return false
		case ch.Service != nil && !ch.Service.Contains(q.Transport, q.Port):
			return false
		case !ch.From.Holds(q.Client) || !ch.To.Holds(q.Server):
			return false
		case ch.Protection == Integrity && q.Protection == NoProtection, ch.Protection == Encrypted && q.Protection != Encrypted:
			return false
		}
		if op != nil {
			if ch.Operations != nil && !slices.Contains(ch.Operations, op.Class) || ch.Codes != nil && !slices.Contains(ch.Codes, op.Code) {
				return false
			}
		}
		if minute == nil || len(ch.Windows) == 0 {
			return true
		}
		return slices.ContainsFunc(ch.Windows, func(w Window) bool { return w.Contains(minute.From.UTC()) })
	}
	someChannel := func(op *capture.Operation, minute *capture.Run) bool {
		for _, c := range cs {
			for _, ch := range c.Channels {
				if permits(c, ch, op, minute) {
					return true
				}
			}
		}
		return false
	}
	everyMinute := func(op *capture.Operation, runs []capture.Run) bool {
		for _, r := range runs {
			for m := range r.Minutes {
				one := capture.Run{From: capture.NewTime(r.From.UnixNano()+int64(m)*int64(time.Minute), 0), Minutes: 1}
				if !someChannel(op, &one) {
					return false
				}
			}
		}
		return someChannel(op, nil)
	}
	for i := range q.Operations {
		if !everyMinute(&q.Operations[i], q.Operations[i].Active) {
			return false
		}
	}
	return len(q.Operations) > 0 || everyMinute(nil, q.Active)
}

// TestDecideRandom holds Decide against slowPermit on random plants.
func TestDecideRandom(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 4))
	s := newSite()
	one := func(n int) bool { return rng.IntN(n) == 0 }
	zoneOf := map[string]*zones.Zone{"ops": s.ops, "cell": s.cell, "office": s.office}
	assets := map[string][]*zones.Asset{"ops": {nil, s.hmi}, "cell": {nil, s.plc, s.plc2}, "office": {nil}}
	names := []string{"ops", "cell", "office"}
	classes := []capture.Class{capture.Read, capture.Write, capture.Program}
	protections := []Protection{NoProtection, NoProtection, Integrity, Encrypted}
	windows := []Window{window(t, "Sat 08:00-08:03"), window(t, "Sat 08:03-08:10"), window(t, "Sun 00:00-24:00")}
	permitted := 0
	for range 20000 {
		var cs []*Conduit
		for range rng.IntN(4) {
			c := &Conduit{Joins: [][]string{{"ops", "cell"}, {"ops", "cell"}, {"ops", "office"}, {"ops", "cell", "office"}}[rng.IntN(4)]}
			if one(8) {
				c.Status = Proposed
			}
			if one(6) {
				c.OneWay = &Direction{"ops", "cell"}
			}
			if one(8) {
				c.Via = s.hmi
			}
			for range rng.IntN(4) {
				from, to := names[rng.IntN(2)], names[rng.IntN(2)]
				ch := &Channel{From: End{Zone: from}, To: End{Zone: to}}
				if one(3) {
					ch.From.Asset = assets[from][rng.IntN(len(assets[from]))]
				}
				if one(3) {
					ch.To.Asset = assets[to][rng.IntN(len(assets[to]))]
				}
				if !one(3) {
					ch.Protocol = []capture.Protocol{capture.Modbus, capture.Modbus, capture.S7comm}[rng.IntN(3)]
				}
				if one(4) {
					ch.Service = &capture.Service{Transport: capture.TCP, First: 502, Last: uint16(502 + rng.IntN(2))}
				}
				if one(2) {
					ch.Operations = classes[:1+rng.IntN(3)]
				}
				if one(5) {
					ch.Codes = []string{"3", "6"}[:1+rng.IntN(2)]
				}
				if one(3) {
					ch.Windows = windows[rng.IntN(3):][:1]
				}
				if one(4) {
					ch.Protection = protections[rng.IntN(4)]
				}
				c.Channels = append(c.Channels, ch)
			}
			cs = append(cs, c)
		}
		client, server := "ops", "cell"
		if one(5) {
			client, server = server, client
		}
		q := Query{
			Client:   s.at(zoneOf[client], assets[client][rng.IntN(len(assets[client]))]),
			Server:   s.at(zoneOf[server], assets[server][rng.IntN(len(assets[server]))]),
			Protocol: capture.Modbus, Basis: capture.Content, Transport: capture.TCP, Port: uint16(502 + rng.IntN(2)),
			Carried: true, Sent: !one(4), Received: !one(3), Protection: protections[rng.IntN(4)],
		}
		busy := does(capture.Read, "3", during("2026-03-07T08:01:00Z", uint32(1+rng.IntN(4)))).Active
		if one(4) {
			q.Active = busy
		}
		for range rng.IntN(3) {
			op := does(classes[rng.IntN(3)], []string{"3", "6", "90"}[rng.IntN(3)])
			if !one(3) {
				op.Active = busy
			}
			q.Operations = append(q.Operations, op)
		}
		g := s.graph(cs...)
		d := g.Decide(q)
		if want := slowPermit(cs, q); d.Permit != want {
			t.Fatalf("permit %v (%s: %s), want %v\nconduits %s\nquery %+v", d.Permit, d.Reason, d.Detail, want, describe(cs), q)
		}
		if d.Permit {
			permitted++
		}
	}
	if permitted < 1000 {
		t.Errorf("%d of 20000 random flows were permitted: the test says little", permitted)
	}
}

func describe(cs []*Conduit) string {
	var b strings.Builder
	for _, c := range cs {
		fmt.Fprintf(&b, "\n%+v", *c)
		for _, ch := range c.Channels {
			fmt.Fprintf(&b, "\n  %+v", *ch)
		}
	}
	return b.String()
}

func TestGraph(t *testing.T) {
	s := newSite()
	wide := &Conduit{ID: "wide", Joins: []string{"ops", "cell"}}
	for i := range widest {
		wide.Joins = append(wide.Joins, fmt.Sprintf("z%d", i))
	}
	cs := []*Conduit{{ID: "a", Joins: []string{"ops", "cell", "office"}}, wide, {ID: "b", Joins: []string{"cell", "ops", "@internet"}}}
	g := NewGraph(s.zones(), cs)
	ids := func(list []*Conduit) string {
		var out []string
		for _, c := range list {
			out = append(out, c.ID)
		}
		return strings.Join(out, " ")
	}
	for _, tt := range []struct{ a, b, want string }{
		{"ops", "cell", "a wide b"},
		{"cell", "ops", "a wide b"},
		{"ops", "office", "a"},
		{"office", "@internet", ""},
		{"cell", "@internet", "b"},
		{"ops", "z3", "wide"},
		{"ops", "ops", ""},
		{"ops", "nowhere", ""},
	} {
		if got := ids(g.Between(tt.a, tt.b)); got != tt.want {
			t.Errorf("between %s and %s: %q, want %q", tt.a, tt.b, got, tt.want)
		}
	}
	// A conduit of three zones is one node with three neighbours.
	if n := g.Undirected().From(g.Conduit("a").ID()).Len(); n != 3 {
		t.Errorf("conduit a has %d neighbours, want 3", n)
	}
	if g.Zone("@internet") == nil || g.Zone("@unassigned") != nil {
		t.Error("a built-in zone is a node where a conduit joins it, and only there")
	}
	if n := g.Undirected().Nodes().Len(); n != 3+1+3 {
		t.Errorf("%d nodes, want three zones, @internet and three conduits", n)
	}
}

// BenchmarkDecide asks about flows between random zones of a plant of ten thousand
// zones and thirty thousand conduits.
func BenchmarkDecide(b *testing.B) {
	const zoneCount, conduitCount = 10_000, 30_000
	rng := rand.New(rand.NewPCG(5, 6))
	zs := make([]*zones.Zone, zoneCount)
	for i := range zs {
		zs[i] = &zones.Zone{ID: fmt.Sprintf("zone-%d", i), Kind: zones.Control}
	}
	cs := make([]*Conduit, conduitCount)
	for i := range cs {
		from, to := zs[rng.IntN(zoneCount)].ID, zs[rng.IntN(zoneCount)].ID
		cs[i] = &Conduit{ID: fmt.Sprintf("conduit-%d", i), Joins: []string{from, to}, Status: Approved}
		for n := range 3 {
			cs[i].Channels = append(cs[i].Channels, &Channel{ID: fmt.Sprintf("conduit-%d#%d", i, n+1), From: End{Zone: from}, To: End{Zone: to},
				Protocol: []capture.Protocol{capture.S7comm, capture.OPCUA, capture.Modbus}[n], Operations: []capture.Class{capture.Read}})
		}
	}
	g := NewGraph(zs, cs)
	queries := make([]Query, 4096)
	for i := range queries {
		c := cs[rng.IntN(conduitCount)]
		queries[i] = Query{
			Client: zones.Location{Zone: g.Zone(c.Joins[0]).Zone}, Server: zones.Location{Zone: g.Zone(c.Joins[1]).Zone},
			Protocol: capture.Modbus, Basis: capture.Content, Transport: capture.TCP, Port: 502, Carried: true, Sent: true, Received: true,
			Operations: []capture.Operation{does(capture.Read, "3"), does(capture.Read, "4")},
		}
	}
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		g.Decide(queries[i%len(queries)])
	}
}
