// Package conduits holds the conduits of a plant and decides what a flow between
// two zones may do.
//
// A [Conduit] joins two or more zones; its [Channel]s are the permitted links
// inside it. A conduit whose status is not approved permits nothing, and what no
// channel of an approved conduit names is denied: observed is not allowed.
//
// [Graph] is the zone graph, on gonum: zones and conduits are both nodes, so that
// a conduit of three zones is one thing and not three edges. [Graph.Decide]
// answers for one flow which channel permits it, or why none does, with the line
// of the model that the answer rests on. Parallel conduits add up: what any of
// them permits is permitted.
//
// The package knows the vocabulary of observations but nothing of captures,
// evidence rules or verdicts.
package conduits
