package model

import (
	"fmt"

	"github.com/gaissmai/bart"

	"bulkhead/zones"
)

// locate builds the model's Locator and reports what it finds ambiguous, and the
// assets whose addresses lie outside the networks of their zone.
func (r *reader) locate() {
	var own []*zones.Asset
	joins := make(map[string][]*zones.Zone, len(r.model.Conduits))
	for _, c := range r.model.Conduits {
		own = append(own, c.Assets...)
		for _, id := range c.Joins {
			if z := r.zones[id]; z != nil && !z.IsBuiltIn() {
				joins[c.ID] = append(joins[c.ID], z)
			}
		}
	}
	locator, conflicts := zones.NewLocator(r.model.Zones, own, joins)
	r.model.Locator = locator
	for _, c := range conflicts {
		r.conflict(c)
	}
	var all bart.Table[*zones.Zone]
	for _, z := range r.model.Zones {
		for _, n := range z.Networks {
			all.Insert(n.Prefix, z)
		}
	}
	for _, z := range r.model.Zones {
		r.outside(z, &all)
	}
}

func (r *reader) conflict(c zones.Conflict) {
	first, second := claimant(c.First), claimant(c.Second)
	at := r.claimNode(c, c.Second)
	place := r.claimNode(c, c.First).position()
	switch {
	case c.First.Asset == nil:
		r.report(at, codeOverlap, "%s: network %s%s is also that of %s%s at %s; expected a vlan or tap that tells them apart",
			second, c.Prefix, condition(c.Second), first, condition(c.First), place)
	case c.MAC.IsZero() && differentZones(c):
		r.report(at, codeDuplicateAsset, "%s: address %s is also that of %s at %s; an asset is in one zone", second, c.Prefix.Addr(), first, place)
	case differentZones(c):
		r.report(at, codeDuplicateAsset, "%s: MAC address %s is also that of %s at %s; an asset is in one zone", second, c.MAC, first, place)
	case c.MAC.IsZero():
		r.report(at, codeDuplicateAddr, "%s: address %s is also that of %s at %s", second, c.Prefix.Addr(), first, place)
	default:
		r.report(at, codeDuplicateAddr, "%s: MAC address %s is also that of %s at %s", second, c.MAC, first, place)
	}
}

func differentZones(c zones.Conflict) bool {
	return c.First.Zone != c.Second.Zone || c.First.Conduit != c.Second.Conduit
}

// claimNode returns the node of what a claim declares.
func (r *reader) claimNode(conflict zones.Conflict, c zones.Claim) node {
	switch {
	case c.Asset == nil:
		return r.networkAt[c.Position]
	case !conflict.MAC.IsZero():
		return r.macAt[c.Asset]
	}
	return r.addressAt[assetAddress{c.Asset, conflict.Prefix.Addr()}]
}

func claimant(c zones.Claim) string {
	switch {
	case c.Asset != nil:
		return fmt.Sprintf("asset %q", c.Asset.Ref())
	case c.Zone != nil:
		return fmt.Sprintf("zone %q", c.Zone.ID)
	}
	return fmt.Sprintf("conduit %q", c.Conduit)
}

// condition says at which VLAN and tap a claim holds, with a space in front; ""
// if everywhere.
func condition(c zones.Claim) string {
	s := ""
	if c.VLAN != zones.AnyVLAN {
		s = fmt.Sprintf(" of vlan %d", c.VLAN)
	}
	if c.Tap != "" {
		s += fmt.Sprintf(" at tap %q", c.Tap)
	}
	return s
}

// outside reports the addresses of a zone's assets that none of its networks
// contains. Zones without networks hold their assets' addresses alone.
func (r *reader) outside(z *zones.Zone, all *bart.Table[*zones.Zone]) {
	if len(z.Networks) == 0 {
		return
	}
	var own bart.Lite
	for _, n := range z.Networks {
		own.Insert(n.Prefix)
	}
	for _, a := range z.Assets {
		for _, addr := range a.Addresses {
			if own.Contains(addr) {
				continue
			}
			elsewhere := ""
			if other, ok := all.Lookup(addr); ok {
				elsewhere = fmt.Sprintf("; it is in one of zone %q", other.ID)
			}
			r.report(r.addressAt[assetAddress{a, addr}], codeOutsideNetworks, "asset %q: address %s is in none of the networks of zone %q%s",
				a.Ref(), addr, z.ID, elsewhere)
		}
	}
}
