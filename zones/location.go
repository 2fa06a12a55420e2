package zones

import (
	"net/netip"

	"bulkhead/internal/mac"
)

// Sighting is an address as it was seen on the wire.
type Sighting struct {
	IP   netip.Addr // the zero Addr straight on the link
	MAC  mac.Addr   // looked at only where IP says nothing
	VLAN uint16     // outer tag; 0 = untagged
	Tap  string     // ID of the tap, or "" where the capture belongs to none
}

// Location is where a sighting belongs. Exactly one of Zone and Conduit is set,
// unless Ambiguous.
type Location struct {
	Zone    *Zone
	Conduit string // ID of the conduit whose own asset was seen: it is in no zone
	Asset   *Asset // nil for a host that is not listed
	// Ambiguous holds the zones that fit equally well, if more than one does: the
	// same address is declared behind several taps and the sighting has none.
	Ambiguous []*Zone
	// Position is the line of the model that decided.
	Position Position
}

// ID returns the zone's or conduit's ID, or "" if the location is ambiguous.
func (l Location) ID() string {
	if l.Zone != nil {
		return l.Zone.ID
	}
	return l.Conduit
}
