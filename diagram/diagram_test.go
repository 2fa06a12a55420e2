package diagram

import (
	"bytes"
	"context"
	"encoding/xml"
	"fmt"
	"io"
	"math/rand/v2"
	"path/filepath"
	"strings"
	"testing"

	"bulkhead/capture"
	"bulkhead/conduits"
	"bulkhead/internal/golden"
	"bulkhead/model"
	"bulkhead/rules"
	"bulkhead/zones"
)

func TestGolden(t *testing.T) {
	terminal := truckLoading()
	for _, c := range []struct {
		name string
		m    *model.Model
		a    *rules.Assessment
	}{
		{"tiny", tiny(), nil},
		{"truck-loading", terminal, nil},
		{"truck-loading-found", terminal, truckLoadingFound(terminal)},
		{"nested", nested(), nil},
		{"sixty-zones", large(60), nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			golden.Compare(t, filepath.Join("testdata", c.name+".dot"), []byte(DOT(c.m, c.a)))
			golden.Compare(t, filepath.Join("testdata", c.name+".svg"), draw(t, c.m, c.a))
		})
	}
}

func draw(t *testing.T, m *model.Model, a *rules.Assessment) []byte {
	t.Helper()
	b, err := SVG(context.Background(), m, a)
	if err != nil {
		t.Fatalf("%v\n%s", err, DOT(m, a))
	}
	return b
}

// drawn is a card, plate or line of an SVG drawing.
type drawn struct{ class, text string }

// groups reads an SVG drawing; it fails the test if it is not well-formed XML.
func groups(t *testing.T, svg []byte) []drawn {
	t.Helper()
	d := xml.NewDecoder(bytes.NewReader(svg))
	var list []drawn
	var open []int // indexes into list, -1 for groups of no interest
	for {
		tok, err := d.Token()
		if err == io.EOF {
			return list
		}
		if err != nil {
			t.Fatalf("the SVG is not well-formed: %v", err)
		}
		switch e := tok.(type) {
		case xml.StartElement:
			if e.Name.Local == "script" || e.Name.Local == "image" {
				t.Errorf("the SVG holds a <%s>", e.Name.Local)
			}
			if e.Name.Local != "g" {
				continue
			}
			open = append(open, -1)
			for _, a := range e.Attr {
				if strings.HasPrefix(a.Name.Local, "on") {
					t.Errorf("the SVG holds %s=%q", a.Name.Local, a.Value)
				}
				if a.Name.Local == "class" {
					list = append(list, drawn{class: a.Value})
					open[len(open)-1] = len(list) - 1
				}
			}
		case xml.EndElement:
			if e.Name.Local == "g" {
				open = open[:len(open)-1]
			}
		case xml.CharData:
			for i := len(open) - 1; i >= 0; i-- {
				if open[i] >= 0 {
					list[open[i]].text += string(e)
					break
				}
			}
		}
	}
}

func countClass(list []drawn, class string) int {
	n := 0
	for _, g := range list {
		if strings.HasPrefix(g.class, class) {
			n++
		}
	}
	return n
}

// The same input gives the same bytes, whatever was drawn before.
func TestReproducible(t *testing.T) {
	m := truckLoading()
	a := truckLoadingFound(m)
	first := draw(t, m, a)
	draw(t, nested(), nil)
	if second := draw(t, m, a); !bytes.Equal(first, second) {
		t.Errorf("two drawings of one model differ:\n%s", golden.Diff(string(first), string(second)))
	}
}

// A cancelled drawing leaves Graphviz usable.
func TestCancelled(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := SVG(ctx, tiny(), nil); err == nil {
		t.Error("a cancelled context drew")
	}
	draw(t, tiny(), nil)
}

// hostile are names that break careless writers of DOT, HTML labels or XML.
var hostile = []string{
	`"`, `\`, `\"`, `a\`, "<b>", "</table>", "]]>", "&", "&lt;", "&#x3C;script&#x3E;", "a\nb", "\r\t", "\x00\x1b[31m", "\xff\xfe",
	"\u202eevil", "日本語プラント", "🏭", "", " ", `\N \G`, "--", "cluster", "a;b", "a->b", "{rank=same}", strings.Repeat("x", 10000), strings.Repeat("é\n", 10000),
	`<img src="/etc/passwd"/>`, `" onload="alert(1)`,
}

func TestHostileNames(t *testing.T) {
	m := &model.Model{System: model.System{ID: hostile[0], Name: `</text><script>alert("x")</script>`, Owner: "<&\">", Revision: "\n"}, SHA256: "é<\""}
	for i, n := range hostile {
		z := &zones.Zone{ID: n, Name: n, Kind: zones.Control, Purdue: "1", Position: zones.Position{File: n, Line: 1, Column: 1}}
		z.Assets = []*zones.Asset{{ID: n, Name: n, Zone: n}}
		m.Zones = append(m.Zones, z)
		if i > 0 {
			m.Conduits = append(m.Conduits, &conduits.Conduit{ID: "c" + n, Joins: []string{n, hostile[i-1]}, Boundary: []string{n},
				OneWay: &conduits.Direction{From: n, To: hostile[i-1]}, Via: z.Assets[0],
				Channels: []*conduits.Channel{channel(n, hostile[i-1], capture.Protocol(n), capture.Class(n))}})
		}
	}
	a := &rules.Assessment{AsOf: "<&\"\n", Findings: []rules.Finding{
		{ID: hostile[4], Rule: "<i>&\"", Message: `\N "quoted" </title>` + "\n", Subject: rules.Subject{ID: hostile[4]}}}}
	for i, n := range hostile {
		a.Flows = append(a.Flows, rules.Flow{ClientZone: n, ServerZone: hostile[(i+7)%len(hostile)], Protocol: capture.Protocol(n), Relation: "cross",
			Verdict: rules.Breach, Findings: []string{hostile[4]}})
	}
	list := groups(t, draw(t, m, a))
	if got := countClass(list, "node zone"); got != len(hostile) {
		t.Errorf("%d of %d cards were drawn", got, len(hostile))
	}
	if got := countClass(list, "node conduit"); got != len(hostile)-1 {
		t.Errorf("%d of %d plates were drawn", got, len(hostile)-1)
	}
	for _, g := range list {
		if strings.Contains(g.text, strings.Repeat("x", 200)) {
			t.Error("a name of 10,000 letters was not cut")
		}
		if i := strings.IndexFunc(g.text, func(r rune) bool { return r < ' ' && r != '\n' || r == '‮' }); i >= 0 {
			t.Errorf("%q holds a control character", g.text)
		}
	}
}

// Every zone, conduit and end of a conduit of a random model is drawn once: no
// card is lost, and no line.
func TestEverythingIsDrawn(t *testing.T) {
	for seed := range uint64(150) {
		r := rand.New(rand.NewPCG(seed, 1))
		m := randomModel(r)
		list := groups(t, draw(t, m, nil))
		lines := 0
		for _, c := range m.Conduits {
			lines += len(c.Joins)
		}
		// Built-in zones are drawn where a conduit names them.
		cards := len(m.Zones)
		for _, b := range []string{"@internet", "@unassigned"} {
			for _, c := range m.Conduits {
				if c.Joined(b) {
					cards++
					break
				}
			}
		}
		got := [3]int{countClass(list, "node zone"), countClass(list, "node conduit"), countClass(list, "edge line")}
		if want := [3]int{cards, len(m.Conduits), lines}; got != want {
			t.Errorf("seed %d: drew %d cards, plates and lines, want %d", seed, got, want)
		}
	}
}

func randomModel(r *rand.Rand) *model.Model {
	m := &model.Model{System: model.System{ID: "r", Name: "Random"}}
	levels := append(zones.PurdueLevels(), "", "", "")
	var ids []string
	for i := range 1 + r.IntN(25) {
		z := &zones.Zone{ID: fmt.Sprintf("z%d", i), Kind: zones.Kinds()[r.IntN(len(zones.Kinds()))], Purdue: levels[r.IntN(len(levels))]}
		z.Name = z.ID
		if i > 0 && r.IntN(3) == 0 {
			z.Parent = ids[r.IntN(i)]
		}
		ids = append(ids, z.ID)
		m.Zones = append(m.Zones, z)
	}
	ids = append(ids, "@internet", "@unassigned")
	for i := range r.IntN(30) {
		c := &conduits.Conduit{ID: fmt.Sprintf("c%d", i), Kind: conduits.Kinds()[r.IntN(4)], Trusted: r.IntN(2) == 0, Status: conduits.Approved}
		for _, k := range r.Perm(len(ids))[:2+r.IntN(2)] {
			c.Joins = append(c.Joins, ids[k])
		}
		if r.IntN(4) == 0 {
			c.OneWay = &conduits.Direction{From: c.Joins[0], To: c.Joins[1]}
		}
		m.Conduits = append(m.Conduits, c)
	}
	return m
}

// A scan over thousands of zone pairs does not hide the plant, and the drawing
// says what it leaves out.
func TestManyCrossings(t *testing.T) {
	m := large(60)
	a := &rules.Assessment{}
	for i := range m.Zones {
		for k := range m.Zones {
			a.Flows = append(a.Flows, rules.Flow{ClientZone: m.Zones[i].ID, ServerZone: m.Zones[k].ID, Protocol: capture.Modbus, Relation: "cross", Verdict: rules.Deviation})
		}
	}
	dot := DOT(m, a)
	if got := strings.Count(dot, `class="crossing"`); got != maxCrossings {
		t.Errorf("%d crossings are drawn, want %d", got, maxCrossings)
	}
	if want := fmt.Sprintf("%d more pairs of zones", 60*59-maxCrossings); !strings.Contains(dot, want) {
		t.Errorf("the title block does not say %q", want)
	}
}

// The legend explains what the sheet shows and nothing else.
func TestLegend(t *testing.T) {
	for _, c := range []struct {
		m           *model.Model
		has, hasNot []string
	}{
		{tiny(), []string{"wired"}, []string{"wireless", "one-way", "safety", "proposed", "Findings"}},
		{nested(), []string{"one-way, towards the bar", "safety-related", "proposed", "serial"}, []string{"wireless", "double", "Findings"}},
	} {
		dot := DOT(c.m, nil)
		legend := dot[:strings.Index(dot, "node [")]
		for _, s := range c.has {
			if !strings.Contains(legend, s) {
				t.Errorf("%s: the legend lacks %q", c.m.System.ID, s)
			}
		}
		for _, s := range c.hasNot {
			if strings.Contains(legend, s) {
				t.Errorf("%s: the legend explains %q, which does not occur", c.m.System.ID, s)
			}
		}
	}
}

// A zone of which evidence voids something above SL-T is not shown as one that
// nothing contradicts.
func TestLevelState(t *testing.T) {
	clear, above, below := judged("a", "2", "2", "seen"), judged("a", "2", "2", "seen"), judged("a", "2", "2 2 2 2 1 2 2", "seen")
	above.Ceiling[zones.SI] = 2
	undeclared := rules.Levels{SLT: zones.Scalar(1), Ceiling: zones.Scalar(4), Coverage: "seen"}
	for _, fr := range zones.FRs() {
		undeclared.Gap = append(undeclared.Gap, rules.Gap{FR: fr, Levels: 1, Design: true})
	}
	unseen := judged("a", "2", "2", "not-seen")
	for _, c := range []struct {
		l    rules.Levels
		want string
	}{
		{clear, "● no contradiction seen"}, {above, "● nothing seen below SL-T"}, {below, "✗ SL-A RDF 1"}, {undeclared, "△ SL-A –, no measure declared"}, {unseen, "○ no traffic seen"},
	} {
		if st := levelState(&c.l); st.mark+" "+st.text != c.want {
			t.Errorf("got %q, want %q", st.mark+" "+st.text, c.want)
		}
	}
}

func TestClean(t *testing.T) {
	for _, c := range []struct {
		in   string
		n    int
		want string
	}{
		{"plc", 5, "plc"}, {"plc-1", 5, "plc-1"}, {"plc-12", 5, "plc-…"}, {"a\tb\n", 9, "a b "}, {"a\x1bb", 9, "a\ufffdb"}, {"\xff", 9, "\ufffd"}, {"日本語", 2, "日…"},
	} {
		if got := clean(c.in, c.n); got != c.want {
			t.Errorf("clean(%q, %d) = %q, want %q", c.in, c.n, got, c.want)
		}
	}
}

func BenchmarkSVG(b *testing.B) {
	for _, n := range []int{60, 500} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			m := large(n)
			b.ReportAllocs()
			for b.Loop() {
				if _, err := SVG(context.Background(), m, nil); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// A plant of 500 zones and 2,000 conduits, at random the worst that can be, is
// laid out with bounded effort.
func TestEffort(t *testing.T) {
	small, huge := large(60), large(500)
	r := rand.New(rand.NewPCG(1, 2))
	for len(huge.Conduits) < 2000 {
		if i, k := r.IntN(500), r.IntN(500); i != k {
			huge.Conduits = append(huge.Conduits, &conduits.Conduit{ID: fmt.Sprintf("x%d", len(huge.Conduits)), Joins: []string{huge.Zones[i].ID, huge.Zones[k].ID}, Trusted: true})
		}
	}
	for m, want := range map[*model.Model]bool{small: false, huge: true} {
		if got := strings.Contains(DOT(m, nil), "nslimit"); got != want {
			t.Errorf("%s: effort bounded %v, want %v", m.System.Name, got, want)
		}
	}
}
