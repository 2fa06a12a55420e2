package model

import (
	"io/fs"
	"slices"

	"gopkg.in/yaml.v3"

	"bulkhead/conduits"
	"bulkhead/zones"
)

// Version is the version of the model language that this package reads.
const Version = 1

// Load reads the model file of that name and the files that it includes from
// fsys, which holds the model's folder and nothing outside it: os.Root.FS gives
// one that symbolic links cannot leave either.
//
// RuleIDs are the evidence rules that exceptions may name; nil leaves them
// unchecked. Files are named in positions as fsys names them.
//
// All problems are found in one run. The diagnostics are sorted by file, line and
// column, and there are at most [MaxDiagnostics]. The Model is nil if one of them
// is an [Error]; warnings do not keep it back.
//
// [Model.SHA256] is the SHA-256, in hexadecimal, of a list with a line for the
// model file and then one for each included file sorted by name: the SHA-256 of
// the file's bytes in hexadecimal, two spaces, the file's name relative to the
// model's folder, with / between its parts, and a line feed. It is what this
// prints in the model's folder:
//
//	sha256sum plant.yaml zones/a.yaml zones/b.yaml | sha256sum
func Load(fsys fs.FS, name string, ruleIDs []string) (*Model, []Diagnostic) {
	r := &reader{
		fsys:     fsys,
		rules:    ruleIDs,
		model:    &Model{Path: name, Policy: DefaultPolicy(), offers: make(map[*zones.Asset][]Offer)},
		sections: make(map[string][]node),
		ids:      make(map[string]declared),
		zones:    make(map[string]*zones.Zone),
		conduits: make(map[string]*conduits.Conduit),
		assets:   make(map[string]*zones.Asset),
		taps:     make(map[string]bool),

		networkAt:    make(map[zones.Position]node),
		addressAt:    make(map[assetAddress]node),
		macAt:        make(map[*zones.Asset]node),
		zoneNodes:    make(map[*zones.Zone]*zoneNodes),
		conduitNodes: make(map[*conduits.Conduit]*conduitNodes),
	}
	r.files(name)
	if r.main != nil {
		r.build()
	}
	diagnostics := r.problems.diagnostics()
	if r.problems.errors > 0 {
		return nil, diagnostics
	}
	r.model.SHA256 = r.hash()
	r.model.Graph = conduits.NewGraph(r.model.Zones, r.model.Conduits)
	return r.model, diagnostics
}

// reader is the state of one Load.
type reader struct {
	fsys     fs.FS
	folder   string // of the model file
	rules    []string
	problems problems
	model    *Model

	sums     []fileSum // in the order read
	bytes    int
	marks    int
	expanded int

	main     *node             // the model file's mapping
	sections map[string][]node // the entries of each list section, over all files

	// What is declared, by ID or ref. Zones and conduits share ids.
	ids      map[string]declared
	zones    map[string]*zones.Zone // the built-in ones included
	conduits map[string]*conduits.Conduit
	assets   map[string]*zones.Asset
	taps     map[string]bool
	// The same in the order declared, for suggestions.
	zoneIDs, conduitIDs, refs, tapIDs []string

	// Where things stand that are checked against each other later.
	networkAt    map[zones.Position]node
	addressAt    map[assetAddress]node
	macAt        map[*zones.Asset]node
	zoneNodes    map[*zones.Zone]*zoneNodes
	conduitNodes map[*conduits.Conduit]*conduitNodes

	// later holds what has to wait until all zones, conduits and assets are known.
	later []func()
}

// declared is an ID's first declaration.
type declared struct {
	kind string // zone or conduit
	at   zones.Position
}

// The sections that any file may hold, each a list.
var listSections = []string{"zones", "conduits", "measures", "not-applicable", "taps", "exceptions"}

// document reads a file's top level: it gathers the entries of the list sections
// and follows the includes. Above are the file and those that include it.
func (r *reader) document(root node, above []string) {
	isMain := len(above) == 1
	if isMain {
		r.main = &root
	}
	fields := []field{
		{"version", r.version},
		{"system", func(n node) {
			if isMain {
				r.system(n)
			} else {
				r.report(n, codeMisplaced, "section %q stands in an included file; expected it in the model file", "system")
			}
		}},
		{"include", func(n node) { r.items(n, "include", func(c node) { r.include(c, above) }) }},
	}
	for _, key := range listSections {
		fields = append(fields, field{key, func(n node) {
			r.items(n, key, func(c node) { r.sections[key] = append(r.sections[key], c) })
		}})
	}
	fields = append(fields, field{"policy", func(n node) {
		if isMain {
			r.policy(n)
		} else {
			r.report(n, codeMisplaced, "section %q stands in an included file; expected it in the model file", "policy")
		}
	}})
	if isMain {
		r.mapping(root, "model", fields, "version", "system")
	} else {
		r.mapping(root, "included file", fields)
	}
}

func (r *reader) version(n node) {
	if n.Kind != yaml.ScalarNode || n.ShortTag() != "!!int" || n.Value != "1" {
		r.report(n, codeBadValue, "version: this program reads version %d of the model language", Version)
	}
}

// build turns the sections into the model.
func (r *reader) build() {
	for _, z := range []*zones.Zone{zones.Internet, zones.Unassigned, zones.LinkLocal} {
		r.zones[z.ID] = z
	}
	for _, n := range r.sections["taps"] {
		r.tap(n)
	}
	if len(r.sections["zones"]) == 0 && r.problems.errors == 0 {
		r.report(*r.main, codeMissingKey, "model: no zone is declared, here or in an included file; expected a list %q", "zones")
	}
	for _, n := range r.sections["zones"] {
		r.zone(n)
	}
	for _, n := range r.sections["conduits"] {
		r.conduit(n)
	}
	for _, f := range r.later {
		f()
	}
	r.zoneTargets()
	r.conduitTargets()
	r.locate()
	seen := make(map[string]node)
	for _, n := range r.sections["measures"] {
		r.measure(n, seen)
	}
	for _, n := range r.sections["not-applicable"] {
		r.notApplicable(n)
	}
	seen = make(map[string]node)
	for _, n := range r.sections["exceptions"] {
		r.exception(n, seen)
	}
}

// id returns a mapping's ID if it has a valid one. Of says whose it is.
func (r *reader) id(n node, what string) (string, bool) {
	s, ok := r.text(n, what+": id")
	switch {
	case !ok:
		return "", false
	case s[0] == '@':
		r.report(n, codeReservedID, "%s: names that begin with @ are those of built-in zones", what)
		return "", false
	case !validID(s):
		r.report(n, codeBadID, "%s: id %q: expected at most %d letters, digits, dots, hyphens and underscores, beginning with a letter or digit",
			what, s, maxID)
		return "", false
	}
	return s, true
}

const maxID = 64

// validID reports whether s matches ^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$.
func validID(s string) bool {
	for i := range len(s) {
		c := s[i]
		alphanumeric := c >= '0' && c <= '9' || c >= 'A' && c <= 'Z' || c >= 'a' && c <= 'z'
		if !alphanumeric && (i == 0 || c != '.' && c != '_' && c != '-') {
			return false
		}
	}
	return s != "" && len(s) <= maxID
}

// declare enters a zone's or conduit's ID into their common namespace and reports
// whether it was free.
func (r *reader) declare(kind, id string, n node) bool {
	if first, ok := r.ids[id]; ok {
		r.report(n, codeDuplicateID, "%s %q: the id is taken by the %s at %s", kind, id, first.kind, first.at)
		return false
	}
	r.ids[id] = declared{kind, n.position()}
	return true
}

// unique reads an ID that must be the only one of its kind.
func (r *reader) unique(n node, what string, seen map[string]node) (string, bool) {
	id, ok := r.id(n, what)
	if !ok {
		return "", false
	}
	if first, taken := seen[id]; taken {
		r.report(n, codeDuplicateID, "%s: the id is taken at %s", what, first.position())
		return "", false
	}
	seen[id] = n
	return id, true
}

// subjects lists the IDs of the declared zones and conduits.
func (r *reader) subjects() []string {
	return slices.Concat(r.zoneIDs, r.conduitIDs)
}

// anyZone lists the IDs of the built-in and the declared zones.
func (r *reader) anyZone() []string {
	return append([]string{zones.Internet.ID, zones.Unassigned.ID, zones.LinkLocal.ID}, r.zoneIDs...)
}

// covers reads a list of declared zones and conduits.
func (r *reader) covers(n node, what string) []string {
	ids, at := r.texts(n, what)
	if n.Kind == yaml.SequenceNode && len(n.Content) == 0 {
		r.report(n, codeBadValue, "%s: the list is empty; expected a zone or conduit", what)
	}
	for i, id := range ids {
		if _, ok := r.ids[id]; !ok {
			r.reportName(at[i], codeUnknownName, id, r.subjects, "%s: there is no declared zone or conduit %q", what, id)
		}
	}
	return ids
}
