package conduits

import (
	"slices"

	"gonum.org/v1/gonum/graph"
	"gonum.org/v1/gonum/graph/simple"

	"bulkhead/zones"
)

// Graph is the zone graph of a plant. It is read only once it is made.
type Graph struct {
	undirected *simple.UndirectedGraph
	zones      map[string]*Node
	conduits   map[string]*Node
	ordered    []*Conduit

	// Flows ask for the conduits between two zones by the million, so each pair
	// is looked up in a table. A conduit that joins very many zones would fill it
	// with pairs; such ones stand in wide and are tried one by one.
	pairs map[zonePair][]int32 // places in ordered, ascending
	wide  []int32
}

// widest is the number of zones up to which the pairs of a conduit stand in the
// table: 32 zones are 496 pairs.
const widest = 32

// zonePair is an unordered pair of zone IDs.
type zonePair struct{ low, high string }

func pairOf(a, b string) zonePair {
	if a > b {
		a, b = b, a
	}
	return zonePair{a, b}
}

// Node is a node of the zone graph: a zone or a conduit.
type Node struct {
	id      int64
	Zone    *zones.Zone // exactly one of the two is set
	Conduit *Conduit
}

// ID returns gonum's identifier of the node: the place among the zones in the
// order given to [NewGraph], then the built-in zones joined, then the conduits.
func (n *Node) ID() int64 { return n.id }

// Name returns the ID of the zone or conduit.
func (n *Node) Name() string {
	if n.Zone != nil {
		return n.Zone.ID
	}
	return n.Conduit.ID
}

// NewGraph returns the graph of zones and conduits: both are nodes, and an edge
// says that a conduit joins a zone. The built-in zones are nodes where a conduit
// joins them. A zone that a conduit joins and that zs does not hold is left out.
func NewGraph(zs []*zones.Zone, cs []*Conduit) *Graph {
	g := &Graph{
		undirected: simple.NewUndirectedGraph(),
		zones:      make(map[string]*Node, len(zs)),
		conduits:   make(map[string]*Node, len(cs)),
		ordered:    slices.Clone(cs),
		pairs:      make(map[zonePair][]int32, len(cs)),
	}
	var next int64
	addZone := func(z *zones.Zone) {
		if g.zones[z.ID] == nil {
			n := &Node{id: next, Zone: z}
			next++
			g.undirected.AddNode(n)
			g.zones[z.ID] = n
		}
	}
	for _, z := range zs {
		addZone(z)
	}
	for _, z := range []*zones.Zone{zones.Internet, zones.Unassigned, zones.LinkLocal} {
		if slices.ContainsFunc(cs, func(c *Conduit) bool { return c.Joined(z.ID) }) {
			addZone(z)
		}
	}
	for i, c := range cs {
		n := &Node{id: next, Conduit: c}
		next++
		g.undirected.AddNode(n)
		g.conduits[c.ID] = n
		for _, id := range c.Joins {
			if z := g.zones[id]; z != nil {
				g.undirected.SetEdge(g.undirected.NewEdge(n, z))
			}
		}
		g.index(int32(i), c)
	}
	return g
}

func (g *Graph) index(place int32, c *Conduit) {
	if len(c.Joins) > widest {
		g.wide = append(g.wide, place)
		return
	}
	for i, a := range c.Joins {
		for _, b := range c.Joins[i+1:] {
			pair := pairOf(a, b)
			if list := g.pairs[pair]; a != b && (len(list) == 0 || list[len(list)-1] != place) {
				g.pairs[pair] = append(list, place)
			}
		}
	}
}

// Undirected returns the graph for gonum's algorithms. Its nodes are *[Node].
func (g *Graph) Undirected() graph.Undirected { return g.undirected }

// Zone returns the node of a zone, or nil.
func (g *Graph) Zone(id string) *Node { return g.zones[id] }

// Conduit returns the node of a conduit, or nil.
func (g *Graph) Conduit(id string) *Node { return g.conduits[id] }

// Between returns the conduits that join both zones, whatever their status, in the
// order declared. Between a zone and itself there is none.
func (g *Graph) Between(a, b string) []*Conduit { return g.appendBetween(nil, a, b) }

func (g *Graph) appendBetween(out []*Conduit, a, b string) []*Conduit {
	if a == b {
		return out
	}
	places := g.pairs[pairOf(a, b)]
	if len(g.wide) > 0 {
		places = slices.Clone(places)
		for _, p := range g.wide {
			if c := g.ordered[p]; c.Joined(a) && c.Joined(b) {
				places = append(places, p)
			}
		}
		slices.Sort(places)
	}
	for _, p := range places {
		out = append(out, g.ordered[p])
	}
	return out
}
