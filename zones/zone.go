package zones

import (
	"net/netip"
	"strconv"

	"bulkhead/internal/mac"
)

// Position is a place in a model file. Line and Column count from 1, Column in
// code points. The zero Position means that nothing declared the thing.
type Position struct {
	File   string `json:"file"`
	Line   int    `json:"line"`
	Column int    `json:"column"`
}

// IsZero reports whether p points nowhere.
func (p Position) IsZero() bool { return p == Position{} }

// String returns "file:line:column".
func (p Position) String() string {
	if p.IsZero() {
		return "-"
	}
	return p.File + ":" + strconv.Itoa(p.Line) + ":" + strconv.Itoa(p.Column)
}

// Kind is what a zone is for. It decides which evidence rules look at it.
type Kind string

// The kinds of zone that a model may declare.
const (
	Business   Kind = "business"
	DMZ        Kind = "dmz"
	Operations Kind = "operations"
	Control    Kind = "control"
	Field      Kind = "field"
	Safety     Kind = "safety"
	Wireless   Kind = "wireless"
	Temporary  Kind = "temporary"
	Remote     Kind = "remote"
	External   Kind = "external"
	BuiltIn    Kind = "built-in" // only of the built-in zones
)

// Kinds lists the kinds that a model may declare, from the office inwards.
func Kinds() []Kind {
	return []Kind{Business, DMZ, Operations, Control, Field, Safety, Wireless, Temporary, Remote, External}
}

// IsControl reports whether k is one of the kinds that evidence rules call
// control zones: operations, control, field and safety.
func (k Kind) IsControl() bool {
	return k == Operations || k == Control || k == Field || k == Safety
}

// IsUntrusted reports whether k is outside the owner's control network: business,
// remote and external zones, from which remote access starts.
func (k Kind) IsUntrusted() bool {
	return k == Business || k == Remote || k == External
}

// PurdueLevels lists the values of a zone's Purdue attribute.
func PurdueLevels() []string { return []string{"0", "1", "2", "3", "3.5", "4", "5"} }

// Zone is a group of assets with one set of security requirements.
// Source: IEC 62443-3-2:2020, ZCR 3.1 and, for the descriptive attributes, ZCR 6.4.
type Zone struct {
	ID        string // stable; unique among zones and conduits
	Name      string // for people; the ID where the model gives none
	Kind      Kind
	Purdue    string // one of PurdueLevels, or "" where the model gives none
	Parent    string // ID of the enclosing zone, or ""
	SLT       Vector // the target; the zero vector for built-in zones
	Rationale string // why this SL-T (ZCR 5.6)
	Safety    bool   // the zone is designated safety-related; true for kind safety
	Networks  []Network
	Complete  bool // the asset list is complete, so that an unlisted host is a finding
	Assets    []*Asset

	// What ZCR 6.4 asks to be written down besides; "" and nil where it is missing.
	Owner                string
	LogicalBoundary      string
	PhysicalBoundary     string
	LogicalAccessPoints  []string
	PhysicalAccessPoints []string
	Requirements         []string
	Policies             []string
	Assumptions          []string

	Position Position
}

// IsBuiltIn reports whether z is one of the zones that every plant has.
func (z *Zone) IsBuiltIn() bool { return z.Kind == BuiltIn }

// The zones that no model declares. They carry no SL-T.
var (
	// Internet holds the global addresses that no declared zone holds.
	Internet = &Zone{ID: "@internet", Name: "Internet", Kind: BuiltIn}
	// Unassigned holds every other address that no declared zone holds.
	Unassigned = &Zone{ID: "@unassigned", Name: "Unassigned", Kind: BuiltIn}
	// LinkLocal holds the addresses that never leave a segment (RFC 3927, RFC 4291).
	LinkLocal = &Zone{ID: "@link-local", Name: "Link-local", Kind: BuiltIn}
)

// Network is a range of addresses that belongs to a zone. The same prefix may
// stand in several zones if VLAN or Tap tell them apart.
type Network struct {
	Prefix   netip.Prefix // masked
	VLAN     VLAN
	Tap      string // ID of the tap at which the range is meant, or "" for any
	Position Position
}

// VLAN is an outer 802.1Q VLAN id as a selector: AnyVLAN, or an id from 0
// (untagged) to 4094.
type VLAN int16

// AnyVLAN selects every VLAN id and untagged frames.
const AnyVLAN VLAN = -1

// Matches reports whether a frame with outer VLAN id (0 = untagged) is selected.
func (v VLAN) Matches(id uint16) bool { return v == AnyVLAN || int(v) == int(id) }

// Role is what an asset does in the plant. Some evidence rules read it.
type Role string

// Roles lists the roles that an asset may have.
func Roles() []Role {
	return []Role{"controller", "safety-controller", "io", "drive", "instrument", "ied", "rtu", "hmi", "workstation",
		"engineering", "historian", "server", "jump-host", "proxy", "gateway", "printer", "camera", "handheld", "laptop",
		"switch", "access-point", "router", "firewall", "diode"}
}

// Asset is one host of a zone, or a communication device of a conduit.
type Asset struct {
	ID        string
	Name      string
	Role      Role   // one of Roles, or ""
	Zone      string // ID of the zone it is in; "" for a conduit's own asset
	Conduit   string // ID of the conduit it is part of; "" for a zone's asset
	Addresses []netip.Addr
	MAC       mac.Addr
	SLC       *Vector // the capability that its maker states (IEC 62443-4-2), or nil
	Critical  bool
	Services  []string // what it may serve; nil where the model gives no list
	Writers   []string // "zone/asset": who of its own zone may write to it; nil where the model gives no list
	Mode      string   // of a boundary device: routed transparent proxy diode, or ""
	Position  Position
}

// Ref returns "zone/asset" (for a conduit's asset "conduit/asset"), the way
// that models refer to an asset.
func (a *Asset) Ref() string {
	if a.Conduit != "" {
		return a.Conduit + "/" + a.ID
	}
	return a.Zone + "/" + a.ID
}
