package diagram

import (
	"cmp"
	"maps"
	"slices"

	"bulkhead/capture"
	"bulkhead/conduits"
	"bulkhead/model"
	"bulkhead/rules"
	"bulkhead/zones"
)

// sheet is what a drawing shows and where, before it is put in any language.
type sheet struct {
	model *model.Model
	found *rules.Assessment // nil for the design alone

	cards  []*card // zones in the model's order, then the built-in ones that occur
	plates []*plate
	hidden int // undeclared crossings beyond maxCrossings
	rows   []row

	levels   map[string]*rules.Levels // of zones and conduits, by ID
	coverage map[string]*rules.Coverage
	findings map[string]*rules.Finding // by ID
	about    map[string][]*rules.Finding
}

// card is a zone.
type card struct {
	node     string
	zone     *zones.Zone
	levels   *rules.Levels // nil without an assessment and for built-in zones
	parent   *card
	children []*card
	row      int  // index into sheet.rows
	outside  bool // not part of the SuC
}

// plate is a conduit, or an undeclared crossing if conduit is nil.
type plate struct {
	node     string
	conduit  *conduits.Conduit
	crossing *crossing
	medium   medium
	ends     []end
	inside   *card // whose cluster it lies in; nil for none
	outside  bool  // beside the SuC, not in it
	rank     int   // 2*row for a rank of cards, odd between two
}

// end is where a line of a plate goes: to a card, or to another plate where a
// flow ends at a conduit's own device.
type end struct {
	card  *card
	plate *plate
}

func (e end) node() string {
	if e.card != nil {
		return e.card.node
	}
	return e.plate.node
}

func (e end) rank() int {
	if e.card != nil {
		return 2 * e.card.row
	}
	return e.plate.rank
}

// newSheet decides what is drawn.
func newSheet(m *model.Model, a *rules.Assessment) *sheet {
	s := &sheet{
		model: m, found: a,
		levels:   map[string]*rules.Levels{},
		coverage: map[string]*rules.Coverage{},
		findings: map[string]*rules.Finding{},
		about:    map[string][]*rules.Finding{},
	}
	if a != nil {
		for _, list := range [][]rules.Levels{a.Zones, a.Conduits} {
			for i := range list {
				s.levels[list[i].ID] = &list[i]
			}
		}
		for i := range a.Coverage {
			s.coverage[a.Coverage[i].Conduit] = &a.Coverage[i]
		}
		for i := range a.Findings {
			f := &a.Findings[i]
			s.findings[f.ID] = f
			s.about[f.Subject.ID] = append(s.about[f.Subject.ID], f)
		}
	}
	crossings := s.crossings()
	byID := s.addCards(crossings)
	s.addConduits(byID)
	s.layRows()
	s.addCrossings(crossings, byID)
	return s
}

// addCards adds the model's zones and the built-in ones that a conduit or a
// crossing names, and returns where lines to each ID end.
func (s *sheet) addCards(crossings []*crossing) map[string]end {
	byID := map[string]end{}
	add := func(z *zones.Zone) {
		c := &card{node: nodeName("zone", z.ID, len(s.cards)), zone: z, levels: s.levels[z.ID],
			outside: z.IsBuiltIn() || z.Kind.IsUntrusted()}
		s.cards = append(s.cards, c)
		byID[z.ID] = end{card: c}
	}
	for _, z := range s.model.Zones {
		add(z)
	}
	for _, c := range s.cards {
		if p := byID[c.zone.Parent].card; p != nil && p != c {
			c.parent = p
			p.children = append(p.children, c)
		}
	}
	named := map[string]bool{}
	for _, c := range s.model.Conduits {
		for _, id := range c.Joins {
			named[id] = true
		}
	}
	for _, x := range crossings {
		named[x.from], named[x.to] = true, true
	}
	for _, z := range []*zones.Zone{zones.Internet, zones.Unassigned, zones.LinkLocal} {
		if named[z.ID] {
			add(z)
		}
	}
	return byID
}

func (s *sheet) addConduits(byID map[string]end) {
	for i, c := range s.model.Conduits {
		p := &plate{node: nodeName("conduit", c.ID, i), conduit: c}
		var joined []*zones.Zone
		for _, id := range c.Joins {
			if e, ok := byID[id]; ok {
				p.ends = append(p.ends, e)
				joined = append(joined, e.card.zone)
			}
		}
		p.medium = mediumOf(c, joined)
		p.inside, p.outside = enclosing(p.ends)
		s.plates = append(s.plates, p)
	}
	for _, p := range s.plates {
		byID[p.conduit.ID] = end{plate: p}
	}
}

// maxCrossings bounds the plates for undeclared crossings: an address scan must
// not hide the plant. The title block counts the rest.
const maxCrossings = 40

func (s *sheet) addCrossings(found []*crossing, byID map[string]end) {
	for i, x := range found {
		from, known := byID[x.from]
		to, known2 := byID[x.to]
		if !known || !known2 {
			continue
		}
		if i >= maxCrossings {
			s.hidden++
			continue
		}
		p := &plate{node: nodeName("crossing", x.from+"--"+x.to, i), crossing: x, medium: remote, ends: []end{from, to}}
		p.inside, p.outside = enclosing(p.ends)
		p.rank = s.rankBetween(p.ends)
		s.plates = append(s.plates, p)
	}
}

// enclosing returns the innermost zone in whose cluster all ends lie, and
// whether one of them is outside the SuC.
func enclosing(ends []end) (inside *card, outside bool) {
	var common []*card // from the outermost
	for i, e := range ends {
		var path []*card
		if e.card != nil {
			outside = outside || e.card.outside
			path = clusters(e.card)
		} else {
			outside = outside || e.plate.outside
			if e.plate.inside != nil {
				path = clusters(e.plate.inside)
			}
		}
		if i == 0 {
			common = path
			continue
		}
		n := 0
		for n < len(common) && n < len(path) && common[n] == path[n] {
			n++
		}
		common = common[:n]
	}
	if outside || len(common) == 0 {
		return nil, outside
	}
	return common[len(common)-1], false
}

// clusters returns the clusters that a card lies in, from the outermost: those
// of its ancestors, and its own if it has one. A ring of parents, which no valid
// model has, is cut where it closes.
func clusters(c *card) []*card {
	var path []*card
	for k := c; k != nil && !slices.Contains(path, k); k = k.parent {
		if len(k.children) > 0 {
			path = append(path, k)
		}
	}
	slices.Reverse(path)
	return path
}

// crossing is all traffic from one zone to another over no conduit.
type crossing struct {
	from, to  string // IDs of zones or, for a conduit's own device, of conduits
	flows     int
	refused   int // of flows
	unsure    int // of flows: unassigned or not assessable
	frames    uint64
	protocols []tally
	rules     []string
	findings  []string
}

// tally counts the flows of one protocol and what was asked for in them.
type tally struct {
	name  string
	flows int
	asked map[capture.Class]uint64 // operations; those of the dialogue left out
}

// classes lists what was asked for, the gravest first.
func (t *tally) classes() []capture.Class {
	return slices.SortedFunc(maps.Keys(t.asked), func(a, b capture.Class) int { return cmp.Compare(rules.Gravity(a), rules.Gravity(b)) })
}

// gravity is that of the gravest thing asked for; where nothing was, it is the
// least.
func (t *tally) gravity() int {
	if list := t.classes(); len(list) > 0 {
		return rules.Gravity(list[0])
	}
	return len(capture.Classes())
}

// isOpen reports whether something got through and was judged.
func (x *crossing) isOpen() bool { return x.flows > x.refused+x.unsure }

// crossings gathers the flows that no conduit carries, the gravest first.
func (s *sheet) crossings() []*crossing {
	if s.found == nil {
		return nil
	}
	type pair struct{ from, to string }
	byPair := map[pair]*crossing{}
	var list []*crossing
	for i := range s.found.Flows {
		f := &s.found.Flows[i]
		if f.Conduit != "" || f.Permit.Allowed || f.Relation == "intra" || f.ClientZone == "" || f.ServerZone == "" || f.ClientZone == f.ServerZone {
			continue
		}
		k := pair{f.ClientZone, f.ServerZone}
		x := byPair[k]
		if x == nil {
			x = &crossing{from: k.from, to: k.to}
			byPair[k] = x
			list = append(list, x)
		}
		x.add(f, s.findings)
	}
	for _, x := range list {
		slices.SortFunc(x.protocols, func(a, b tally) int {
			return cmp.Or(cmp.Compare(a.gravity(), b.gravity()), cmp.Compare(b.flows, a.flows), cmp.Compare(a.name, b.name))
		})
		slices.Sort(x.rules)
		slices.Sort(x.findings)
	}
	grave := func(x *crossing) int {
		if x.isOpen() {
			return 0
		}
		return 1
	}
	slices.SortFunc(list, func(a, b *crossing) int {
		return cmp.Or(cmp.Compare(grave(a), grave(b)), cmp.Compare(b.flows, a.flows), cmp.Compare(a.from, b.from), cmp.Compare(a.to, b.to))
	})
	return list
}

func (x *crossing) add(f *rules.Flow, findings map[string]*rules.Finding) {
	x.flows++
	switch f.Verdict {
	case rules.Refused:
		x.refused++
	case rules.NotAssessable, rules.Unassigned:
		x.unsure++
	}
	for _, seen := range f.SeenAt {
		x.frames += seen.Packets.Sent + seen.Packets.Received
	}
	i := slices.IndexFunc(x.protocols, func(t tally) bool { return t.name == string(f.Protocol) })
	if i < 0 {
		i = len(x.protocols)
		x.protocols = append(x.protocols, tally{name: string(f.Protocol), asked: map[capture.Class]uint64{}})
	}
	t := &x.protocols[i]
	t.flows++
	for _, op := range rules.Asked(f.Operations) {
		if !op.Class.IsDialogue() {
			t.asked[op.Class] += op.Count
		}
	}
	for _, id := range f.Findings {
		if g := findings[id]; g != nil && !slices.Contains(x.rules, g.Rule) {
			x.rules = append(x.rules, g.Rule)
		}
		if len(x.findings) < maxHovers && !slices.Contains(x.findings, id) {
			x.findings = append(x.findings, id)
		}
	}
}
