package conduits

import (
	"bulkhead/capture"
	"bulkhead/zones"
)

// Kind is the medium of a conduit.
type Kind string

// The kinds of conduit.
const (
	Wired    Kind = "wired"
	Wireless Kind = "wireless"
	VPN      Kind = "vpn"
	Serial   Kind = "serial"
)

// Kinds lists the kinds of conduit.
func Kinds() []Kind { return []Kind{Wired, Wireless, VPN, Serial} }

// Status is how far a conduit is agreed.
type Status string

// The states of a conduit. Only an approved one permits anything.
const (
	Approved Status = "approved"
	Proposed Status = "proposed"
)

// Conduit is a logical group of channels that joins zones.
// Source: IEC 62443-3-2:2020, ZCR 3.1 and 6.4.
type Conduit struct {
	ID        string // stable; unique among zones and conduits
	Name      string
	Joins     []string     // IDs of two or more zones, built-in ones included
	SLT       zones.Vector // as declared, or per FR the highest of the declared zones joined
	SLTGiven  bool         // the model states SLT itself
	Rationale string       // why SLT is lower than a joined zone's
	Kind      Kind
	Assets    []*zones.Asset // its own: firewalls, routers, diodes
	Boundary  []string       // IDs of those of its assets, or refs of others, that enforce the boundary
	OneWay    *Direction     // payload may go this way only; nil for a two-way conduit
	Via       *zones.Asset   // every flow must end at this intermediary; nil for none
	Trusted   bool           // false: crosses a network that the owner does not control
	Status    Status
	Channels  []*Channel
	Position  zones.Position

	// What ZCR 6.4 asks to be written down besides; "" and nil where it is missing.
	Owner                string
	LogicalBoundary      string
	PhysicalBoundary     string
	LogicalAccessPoints  []string
	PhysicalAccessPoints []string
	Requirements         []string
	Policies             []string
	Assumptions          []string
}

// Joined reports whether c joins the zone with that ID.
func (c *Conduit) Joined(zone string) bool {
	for _, z := range c.Joins {
		if z == zone {
			return true
		}
	}
	return false
}

// Direction is an ordered pair of zone IDs.
type Direction struct{ From, To string }

// End is one end of a channel: all of a zone, or one asset.
type End struct {
	Zone  string
	Asset *zones.Asset // nil for all of Zone
}

// String returns "zone" or "zone/asset".
func (e End) String() string {
	if e.Asset != nil {
		return e.Asset.Ref()
	}
	return e.Zone
}

// Holds reports whether a location lies at the end. A conduit's own asset lies
// only at an end that names it.
func (e End) Holds(l zones.Location) bool {
	if e.Asset != nil {
		return l.Asset == e.Asset
	}
	return l.Zone != nil && l.Zone.ID == e.Zone
}

// Channel is one permitted link inside a conduit: who may start what towards
// whom. Lists that are nil restrict nothing.
type Channel struct {
	ID           string // as declared, or "conduit#n", n counting the conduit's channels from 1
	From, To     End    // the client and the server
	Protocol     capture.Protocol
	Service      *capture.Service
	Operations   []capture.Class
	Codes        []string
	Objects      []capture.ObjectRange
	Windows      []Window
	Protection   Protection
	RemoteAccess bool
	Position     zones.Position
}

// Protection is the least protection that a channel asks of its flows.
type Protection string

// The degrees of protection, weakest first; "" asks for none.
const (
	NoProtection Protection = ""
	Integrity    Protection = "integrity"
	Encrypted    Protection = "encrypted"
)
