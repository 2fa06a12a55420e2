// Package diagram draws a model as a zone-and-conduit drawing, with what an
// assessment found of it where there is one.
//
// [DOT] returns Graphviz source, [SVG] that source laid out. The drawing goes
// one way: a model and an assessment become a sheet (cards, plates and rows:
// what is to be seen and where), the sheet becomes DOT, Graphviz lays it out.
// Same input, same bytes out.
//
// # Geometry
//
//   - A zone is a card: a square-cornered table with its name, kind and Purdue
//     level in a tinted head, its assets, and its levels in a coloured foot. Zones
//     stand in rows by Purdue level, the enterprise on top. A zone without a level
//     takes a row by its kind: remote and external zones the top one, wireless and
//     temporary ones the row of the first zone that a conduit joins them to. A level
//     of more cards than rowMax allows takes several rows; those below one zone are
//     dealt out so that they stand in a column under it.
//   - A conduit is a plate: a round-cornered table that is a node on its line.
//     Since it is a node, Graphviz keeps everything off it, and a conduit of three
//     zones is one plate with three lines. Plates have ranks of their own between
//     the rows; a conduit between zones of different rows lies above the lower
//     one, which it protects. In one row a plate stands between its zones if
//     the row's conduits form chains, and otherwise in the rank below.
//   - An undeclared crossing is a plate too, dashed and red, one for each ordered
//     pair of zones, so that it cannot be taken for a conduit.
//   - The SuC, and each zone that has sub-zones, is a cluster. A zone with
//     sub-zones has its own card inside its cluster, for a conduit to it does not
//     reach its children. A plate lies in the innermost cluster of all its ends.
//   - The SuC is named by a node in a rank of its own, and a zone with sub-zones by
//     its card: Graphviz leads lines across the labels of clusters.
//   - The title block is the label of a cluster around everything, the legend the
//     label of the graph: as labels they take part in no layout and collide with
//     nothing. The legend explains only what the sheet shows.
//   - Spans of text are one cell each. Graphviz measures Helvetica, whose widths
//     Arial and Liberation Sans share; fallback fonts are wider, so cells have
//     slack, and characters of three bytes, which it measures too narrow, get
//     trailing room. No cell is empty: on one without width Graphviz
//     aborts, and its WebAssembly module is of no use afterwards.
//
// # Colour
//
// Nothing is told by colour alone: states carry a mark and words as well, and
// states of lines a width. The tints differ in lightness, so that they survive a
// grey printer, and states use red, amber, blue and grey, which people who
// confuse red and green tell apart.
//
// # Hostile names
//
// Everything from a model or an assessment is cut to a length, made printable
// and escaped for where it stands. Node names and classes are never taken from
// the model unchanged.
package diagram
