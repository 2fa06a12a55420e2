package zones

import (
	"cmp"
	"net/netip"
	"slices"

	"github.com/gaissmai/bart"

	"bulkhead/internal/mac"
)

// MaxAmbiguous bounds the zones that an ambiguous [Location] lists. A conduit's
// own asset counts as the zone whose network it stands in.
const MaxAmbiguous = 16

// Locator answers which zone, or which conduit's own asset, a sighting belongs
// to. It is immutable and safe for concurrent use.
//
// The most specific declaration that fits decides: the address of an asset
// before any network, a longer prefix before a shorter one and, among equal
// prefixes, the one with more of VLAN and tap given. An asset's address holds
// where the networks of its zone that contain it hold, so the same address may
// be an asset of two cells; an address in none of them holds everywhere.
type Locator struct {
	networks bart.Table[*claims]
	hosts    map[netip.Addr]*claims
	macs     map[mac.Addr]Location
}

// place is what a declaration leads to.
type place struct {
	Location
	// near is Zone, or for a conduit's own asset the joined zone from whose network
	// it has its selector; nil if it has none.
	near *Zone
}

// selector is what a declaration asks of a sighting besides its address.
type selector struct {
	vlan VLAN
	tap  string // "" for any
}

// claims are the declarations of one prefix or one host address. No two of them
// have the same selector.
type claims struct {
	by    map[selector]*place
	taps  []string // the taps that selectors name, ascending
	wider *claims  // those of the next shorter prefix that contains this one, or nil
}

// Claim is one side of a [Conflict].
type Claim struct {
	Zone     *Zone  // nil of a conduit's own asset
	Conduit  string // its ID; "" otherwise
	Asset    *Asset // nil of a network
	VLAN     VLAN
	Tap      string
	Position Position
}

// Conflict is a pair of declarations that claim the same addresses for different
// zones or assets, while neither is more specific where both fit. The Locator
// answers with the first.
type Conflict struct {
	Prefix        netip.Prefix // of one address, where assets conflict; the zero Prefix where MAC does
	MAC           mac.Addr
	First, Second Claim // in the order declared
}

// declaration is a Claim with what it claims: an input of the build.
type declaration struct {
	Claim
	near  *Zone // see place
	order int
}

func (d declaration) selector() selector { return selector{d.VLAN, d.Tap} }

func (d declaration) place() *place {
	return &place{Location{Zone: d.Zone, Conduit: d.Conduit, Asset: d.Asset, Position: d.Position}, d.near}
}

// sameOwner reports whether two declarations lead to the same answer.
func (d declaration) sameOwner(e declaration) bool {
	return d.Zone == e.Zone && d.Conduit == e.Conduit && d.Asset == e.Asset
}

// NewLocator builds a Locator of the declared zones, in the order declared, and
// of the conduits' own assets. Joins gives, by a conduit's ID, the declared zones
// that it joins: the addresses of its assets hold where those zones' networks do.
//
// Conflicts come sorted by the order in which their second side was declared,
// with each address of each declaration the second side of at most one.
func NewLocator(zs []*Zone, conduitAssets []*Asset, joins map[string][]*Zone) (*Locator, []Conflict) {
	b := builder{
		networks: make(map[netip.Prefix][]declaration),
		hosts:    make(map[netip.Addr][]declaration),
		macs:     make(map[mac.Addr][]declaration),
	}
	for _, z := range zs {
		for _, n := range z.Networks {
			b.order++
			b.networks[n.Prefix] = append(b.networks[n.Prefix],
				declaration{Claim{Zone: z, VLAN: n.VLAN, Tap: n.Tap, Position: n.Position}, z, b.order})
		}
		own := indexNetworks(z)
		for _, a := range z.Assets {
			b.asset(Claim{Zone: z, Asset: a, Position: a.Position}, own, nil)
		}
	}
	if len(conduitAssets) > 0 {
		all := indexNetworks(zs...)
		joined := make(map[string]map[*Zone]bool, len(joins))
		for _, a := range conduitAssets {
			if joined[a.Conduit] == nil {
				set := make(map[*Zone]bool)
				for _, z := range joins[a.Conduit] {
					set[z] = true
				}
				joined[a.Conduit] = set
			}
			b.asset(Claim{Conduit: a.Conduit, Asset: a, Position: a.Position}, all, joined[a.Conduit])
		}
	}
	return b.build()
}

// inherited is a selector and the zone from whose networks it comes.
type inherited struct {
	selector
	near *Zone
}

// networkIndex finds the networks that contain an address.
type networkIndex struct {
	table bart.Table[[]inherited]
}

func indexNetworks(zs ...*Zone) *networkIndex {
	x := new(networkIndex)
	for _, z := range zs {
		for _, n := range z.Networks {
			i := inherited{selector{n.VLAN, n.Tap}, z}
			x.table.Modify(n.Prefix, func(have []inherited, _ bool) ([]inherited, bool) { return append(have, i), false })
		}
	}
	return x
}

// Bounds on what one address of an asset inherits from nested and repeated
// networks: so many selectors, among so many networks looked at. Where there are
// more, the address is still found in its zone, by the network, but not known for
// the asset's.
const (
	maxInherited = 64
	maxLookedAt  = 4096
)

// inherit lists the distinct selectors of the networks that contain an address, of
// all zones or, unless it is nil, of those in the set. If there are no such
// networks, it is the selector that everything fits.
func (x *networkIndex) inherit(a netip.Addr, of map[*Zone]bool) []inherited {
	var out []inherited
	lookedAt := 0
	for _, have := range x.table.Supernets(netip.PrefixFrom(a, a.BitLen())) {
		for _, i := range have {
			if lookedAt++; lookedAt > maxLookedAt || len(out) == maxInherited {
				break
			}
			known := slices.ContainsFunc(out, func(k inherited) bool { return k.selector == i.selector })
			if !known && (of == nil || of[i.near]) {
				out = append(out, i)
			}
		}
	}
	if out == nil {
		out = []inherited{{selector: selector{vlan: AnyVLAN}}}
	}
	return out
}

// builder gathers declarations before any of them is indexed.
type builder struct {
	order    int
	networks map[netip.Prefix][]declaration
	hosts    map[netip.Addr][]declaration
	macs     map[mac.Addr][]declaration
}

// asset declares an asset's addresses. Of is nil, or the zones whose networks say
// where they hold.
func (b *builder) asset(c Claim, networks *networkIndex, of map[*Zone]bool) {
	b.order++
	for _, addr := range c.Asset.Addresses {
		for _, s := range networks.inherit(addr, of) {
			c.VLAN, c.Tap = s.vlan, s.tap
			d := declaration{c, c.Zone, b.order}
			if c.Zone == nil {
				d.near = s.near
			}
			b.hosts[addr] = append(b.hosts[addr], d)
		}
	}
	if !c.Asset.MAC.IsZero() {
		c.VLAN, c.Tap = AnyVLAN, ""
		b.macs[c.Asset.MAC] = append(b.macs[c.Asset.MAC], declaration{c, c.Zone, b.order})
	}
}

func (b *builder) build() (*Locator, []Conflict) {
	l := &Locator{
		hosts: make(map[netip.Addr]*claims, len(b.hosts)),
		macs:  make(map[mac.Addr]Location, len(b.macs)),
	}
	type found struct {
		Conflict
		order int
	}
	var all []found

	// Shorter prefixes first, so that each finds its next wider one in the table.
	prefixes := make([]netip.Prefix, 0, len(b.networks))
	for p := range b.networks {
		prefixes = append(prefixes, p)
	}
	slices.SortFunc(prefixes, func(p, q netip.Prefix) int {
		return cmp.Or(cmp.Compare(p.Bits(), q.Bits()), p.Addr().Compare(q.Addr()))
	})
	for _, p := range prefixes {
		c, conflicts := newClaims(b.networks[p])
		c.wider, _ = l.networks.LookupPrefix(p)
		l.networks.Insert(p, c)
		for _, pair := range conflicts {
			all = append(all, found{Conflict{Prefix: p, First: pair[0].Claim, Second: pair[1].Claim}, pair[1].order})
		}
	}
	for a, ds := range b.hosts {
		c, conflicts := newClaims(ds)
		c.wider, _ = l.networks.Lookup(a)
		l.hosts[a] = c
		for _, pair := range conflicts {
			p := netip.PrefixFrom(a, a.BitLen())
			all = append(all, found{Conflict{Prefix: p, First: pair[0].Claim, Second: pair[1].Claim}, pair[1].order})
		}
	}
	for m, ds := range b.macs {
		l.macs[m] = ds[0].place().Location
		for _, d := range ds[1:] {
			if !d.sameOwner(ds[0]) {
				all = append(all, found{Conflict{MAC: m, First: ds[0].Claim, Second: d.Claim}, d.order})
			}
		}
	}
	compare := func(x, y found) int {
		return cmp.Or(cmp.Compare(x.order, y.order), x.Prefix.Addr().Compare(y.Prefix.Addr()), slices.Compare(x.MAC[:], y.MAC[:]))
	}
	slices.SortStableFunc(all, compare)
	all = slices.CompactFunc(all, func(x, y found) bool { return compare(x, y) == 0 })
	conflicts := make([]Conflict, len(all))
	for i, f := range all {
		conflicts[i] = f.Conflict
	}
	return l, conflicts
}

// newClaims indexes the declarations of one prefix or address and returns the
// pairs of them that conflict.
func newClaims(ds []declaration) (*claims, [][2]declaration) {
	c := &claims{by: make(map[selector]*place, len(ds))}
	first := make(map[selector]declaration, len(ds))
	var byVLAN, byTap []declaration // those with one selector, of one kind or the other
	var conflicts [][2]declaration
	for _, d := range ds {
		s := d.selector()
		if have, ok := first[s]; ok {
			if !have.sameOwner(d) {
				conflicts = append(conflicts, [2]declaration{have, d})
			}
			continue
		}
		first[s] = d
		c.by[s] = d.place()
		if s.tap != "" {
			c.taps = append(c.taps, s.tap)
		}
		switch {
		case s.vlan != AnyVLAN && s.tap == "":
			byVLAN = append(byVLAN, d)
		case s.vlan == AnyVLAN && s.tap != "":
			byTap = append(byTap, d)
		}
	}
	slices.Sort(c.taps)
	c.taps = slices.Compact(c.taps)
	// A VLAN alone and a tap alone are equally specific and both fit a frame of
	// that VLAN at that tap, unless a third declaration names both.
	for _, t := range byTap {
		for _, v := range byVLAN {
			if _, settled := first[selector{v.VLAN, t.Tap}]; settled || v.sameOwner(t) {
				continue
			}
			pair := [2]declaration{v, t}
			if t.order < v.order {
				pair = [2]declaration{t, v}
			}
			conflicts = append(conflicts, pair)
			break
		}
	}
	return c, conflicts
}

// Locate returns where a sighting belongs. A sighting without IP address, or with
// the unspecified one that a host uses before it has any (RFC 1122, 3.2.1.3;
// RFC 4291, 2.5.2), is located by its MAC address.
//
// An address that nothing declared holds is in [LinkLocal] if it never leaves a
// segment, in [Internet] if it is global unicast, else in [Unassigned].
//
// Where the sighting has no tap, and declarations for its address name one,
// Locate asks at each of those taps and at none of them: if that leads to more
// than one declared zone or conduit, the location is ambiguous.
func (l *Locator) Locate(s Sighting) Location {
	ip := s.IP.Unmap().WithZone("")
	if !ip.IsValid() || ip.IsUnspecified() {
		if loc, ok := l.macs[s.MAC]; ok && !s.MAC.IsZero() {
			return loc
		}
		return Location{Zone: Unassigned}
	}
	start, ok := l.hosts[ip]
	if !ok {
		start, _ = l.networks.Lookup(ip)
	}
	at := start.at(s.VLAN, s.Tap)
	if s.Tap == "" {
		return start.anywhere(s.VLAN, at, ip)
	}
	if at == nil {
		return Location{Zone: builtIn(ip)}
	}
	return at.Location
}

// at returns the most specific claim that fits, from c outwards, or nil.
func (c *claims) at(vlan uint16, tap string) *place {
	for ; c != nil; c = c.wider {
		if tap != "" && len(c.taps) > 0 {
			if p, ok := c.by[selector{VLAN(vlan), tap}]; ok {
				return p
			}
			if p, ok := c.by[selector{AnyVLAN, tap}]; ok {
				return p
			}
		}
		if p, ok := c.by[selector{VLAN(vlan), ""}]; ok {
			return p
		}
		if p, ok := c.by[selector{AnyVLAN, ""}]; ok {
			return p
		}
	}
	return nil
}

// anywhere widens the answer for no tap, which may be nil, to the taps that claims
// from c outwards name: the one place to which all of them lead, or an ambiguous
// location.
func (c *claims) anywhere(vlan uint16, none *place, ip netip.Addr) Location {
	var loc Location
	var near *Zone
	if none != nil {
		loc, near = none.Location, none.near
	}
	var zs []*Zone // those that fit, once there is more than one
	for outer := c; outer != nil; outer = outer.wider {
		for _, tap := range outer.taps {
			p := c.at(vlan, tap)
			switch {
			case p == nil:
			case loc.Zone == nil && loc.Conduit == "":
				loc, near = p.Location, p.near
			case p.Zone == loc.Zone && p.Conduit == loc.Conduit:
				if p.Asset != loc.Asset {
					loc.Asset = nil // the zone is sure, the asset is not
				}
			default:
				if zs == nil && near != nil {
					zs = append(zs, near)
				}
				if len(zs) < MaxAmbiguous && !slices.Contains(zs, p.near) {
					zs = append(zs, p.near)
				}
			}
		}
	}
	switch {
	case zs != nil:
		slices.SortFunc(zs, func(a, b *Zone) int { return cmp.Compare(a.ID, b.ID) })
		return Location{Ambiguous: zs, Position: loc.Position}
	case loc.Zone == nil && loc.Conduit == "":
		return Location{Zone: builtIn(ip)}
	}
	return loc
}
