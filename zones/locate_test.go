package zones_test

import (
	"cmp"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"slices"
	"strings"
	"testing"

	"bulkhead/internal/mac"
	"bulkhead/zones"
)

// network is "10.0.0.0/8", "10.0.0.0/8 vlan 120", "10.0.0.0/8 tap a" or all three.
func network(t testing.TB, s string) zones.Network {
	t.Helper()
	f := strings.Fields(s)
	n := zones.Network{Prefix: netip.MustParsePrefix(f[0]), VLAN: zones.AnyVLAN}
	for i := 1; i+1 < len(f); i += 2 {
		switch f[i] {
		case "vlan":
			var v int
			fmt.Sscan(f[i+1], &v)
			n.VLAN = zones.VLAN(v)
		case "tap":
			n.Tap = f[i+1]
		}
	}
	return n
}

// declare returns a zone with networks and, by ID, assets of one address each.
func declare(t testing.TB, id string, networks []string, assets ...string) *zones.Zone {
	t.Helper()
	z := &zones.Zone{ID: id, Kind: zones.Control}
	for _, s := range networks {
		z.Networks = append(z.Networks, network(t, s))
	}
	for i, s := range assets {
		z.Assets = append(z.Assets, &zones.Asset{ID: fmt.Sprintf("h%d", i+1), Zone: id, Addresses: []netip.Addr{netip.MustParseAddr(s)}})
	}
	return z
}

func describe(l zones.Location) string {
	switch {
	case len(l.Ambiguous) > 0:
		var ids []string
		for _, z := range l.Ambiguous {
			ids = append(ids, z.ID)
		}
		return "ambiguous " + strings.Join(ids, " ")
	case l.Asset != nil:
		return l.Asset.Ref()
	}
	return l.ID()
}

func TestLocate(t *testing.T) {
	plc, tool := mac.Addr{0, 0x80, 0xf4, 1, 2, 3}, mac.Addr{2, 0, 0, 0, 0, 9}
	zs := []*zones.Zone{
		declare(t, "plant", []string{"10.0.0.0/8", "fd00::/16"}),
		declare(t, "cell", []string{"10.20.1.0/24", "fd00:20::/64"}, "10.20.1.11", "fd00:20::11"),
		declare(t, "a", []string{"192.168.1.0/24 tap a"}, "192.168.1.10"),
		declare(t, "b", []string{"192.168.1.0/24 tap b"}, "192.168.1.10"),
		declare(t, "c", []string{"192.168.1.0/24 vlan 30 tap b"}),
		declare(t, "v", []string{"172.16.0.0/16 vlan 5", "172.16.9.0/24"}),
		declare(t, "lone", nil, "203.0.113.9"),
		declare(t, "radio", []string{"169.254.7.0/24"}),
		declare(t, "once", []string{"192.168.5.0/24 tap a"}, "192.168.5.1"),
	}
	zs[1].Assets[0].MAC = plc
	fw := &zones.Asset{ID: "fw", Conduit: "c-1", Addresses: []netip.Addr{netip.MustParseAddr("10.20.1.1"), netip.MustParseAddr("192.168.1.1")}}
	l, conflicts := zones.NewLocator(zs, []*zones.Asset{fw}, map[string][]*zones.Zone{"c-1": {zs[1], zs[2]}})
	if len(conflicts) > 0 {
		t.Fatalf("conflicts: %+v", conflicts)
	}
	for _, test := range []struct {
		ip   string
		mac  mac.Addr
		vlan uint16
		tap  string
		want string
	}{
		{ip: "10.20.1.11", want: "cell/h1"},
		{ip: "10.20.1.12", want: "cell"},
		{ip: "10.20.2.12", want: "plant"},
		{ip: "::ffff:10.20.1.11", want: "cell/h1"}, // IPv4 mapped into IPv6 is IPv4
		{ip: "fd00:20::11", want: "cell/h2"},
		{ip: "fd00:20::12", want: "cell"},
		{ip: "fd00:21::12", want: "plant"},
		{ip: "10.20.1.1", want: "c-1/fw"}, // in a zone's network, but the conduit's own

		{ip: "192.168.1.10", tap: "a", want: "a/h1"},
		{ip: "192.168.1.10", tap: "b", want: "b/h1"},
		{ip: "192.168.1.10", want: "ambiguous a b"},
		{ip: "192.168.1.10", tap: "z", want: "@unassigned"},
		{ip: "192.168.1.77", tap: "b", want: "b"},
		{ip: "192.168.1.77", vlan: 30, tap: "b", want: "c"}, // two selectors fit, not one
		{ip: "192.168.1.77", vlan: 30, want: "ambiguous a c"},
		{ip: "192.168.1.10", vlan: 30, tap: "b", want: "b/h1"}, // an asset before any network
		{ip: "192.168.1.1", tap: "a", want: "c-1/fw"},
		{ip: "192.168.1.1", tap: "b", want: "b"},            // the firewall stands in a's range only
		{ip: "192.168.1.1", want: "ambiguous a b"},          // the firewall counts as a
		{ip: "192.168.5.1", want: "once/h1"},                // behind one tap only
		{ip: "192.168.5.1", tap: "b", want: "@unassigned"},  // and not at another
		{ip: "172.16.1.1", vlan: 5, want: "v"},              //
		{ip: "172.16.1.1", want: "@unassigned"},             // untagged
		{ip: "172.16.9.1", vlan: 7, want: "v"},              // a longer prefix, any VLAN
		{ip: "203.0.113.9", want: "lone/h1"},                // declared, so no matter what range
		{ip: "169.254.7.1", want: "radio"},                  // likewise
		{ip: "0.0.0.0", mac: plc, want: "cell/h1"},          // before DHCP has answered
		{mac: plc, want: "cell/h1"},                         //
		{mac: tool, want: "@unassigned"},                    //
		{want: "@unassigned"},                               //
		{ip: "8.8.8.8", mac: plc, want: "@internet"},        // a router's MAC says nothing of the address
		{ip: "fe80::1%eth0", mac: plc, want: "@link-local"}, //
		{ip: "255.255.255.255", want: "@link-local"},        //
		{ip: "2003:a::1", vlan: 9, tap: "a", want: "@internet"},
	} {
		s := zones.Sighting{MAC: test.mac, VLAN: test.vlan, Tap: test.tap}
		if test.ip != "" {
			s.IP = netip.MustParseAddr(test.ip)
		}
		if got := describe(l.Locate(s)); got != test.want {
			t.Errorf("%s %s vlan %d tap %q: %s, want %s", test.ip, test.mac, test.vlan, test.tap, got, test.want)
		}
	}
}

func TestBuiltInZones(t *testing.T) {
	l, _ := zones.NewLocator(nil, nil, nil)
	for want, addrs := range map[*zones.Zone][]string{
		zones.Internet: {"1.1.1.1", "8.8.8.8", "9.255.255.255", "100.128.0.1", "172.32.0.1", "192.0.1.1", "192.169.0.1", "198.20.0.1", "223.255.255.255",
			"2001:4860:4860::8888", "2400::1", "2a00::1"},
		zones.LinkLocal: {"169.254.0.1", "169.254.255.255", "224.0.0.251", "fe80::1", "febf::1", "ff02::1", "255.255.255.255"},
		zones.Unassigned: {"0.0.0.1", "10.0.0.1", "100.64.0.1", "127.0.0.1", "172.16.0.1", "172.31.255.255", "192.0.0.1", "192.0.2.1", "192.168.0.1", "198.18.0.1",
			"198.19.255.255", "198.51.100.1", "203.0.113.1", "224.0.1.1", "239.255.255.250", "240.0.0.1", "::1", "fc00::1", "fd00::1", "fec0::1", "ff05::2",
			"100::1", "64:ff9b::1", "2001:db8::1", "2001:2::1", "2001:10::1", "3fff::1", "4000::1", "5f00::1"},
	} {
		for _, a := range addrs {
			if got := l.Locate(zones.Sighting{IP: netip.MustParseAddr(a)}); got.Zone != want {
				t.Errorf("%s: %s, want %s", a, got.ID(), want.ID)
			}
		}
	}
}

func TestConflicts(t *testing.T) {
	for _, test := range []struct {
		name string
		zs   []*zones.Zone
		want string // First and Second of each
	}{
		{"same range", []*zones.Zone{declare(t, "a", []string{"10.0.0.0/8"}), declare(t, "b", []string{"10.0.0.0/8"})}, "a b"},
		{"inside each other", []*zones.Zone{declare(t, "a", []string{"10.0.0.0/8"}), declare(t, "b", []string{"10.1.0.0/16"})}, ""},
		{"one zone", []*zones.Zone{declare(t, "a", []string{"10.0.0.0/8", "10.0.0.0/8 vlan 5"})}, ""},
		{"told apart by vlan", []*zones.Zone{declare(t, "a", []string{"10.0.0.0/8 vlan 5"}), declare(t, "b", []string{"10.0.0.0/8 vlan 6"})}, ""},
		{"told apart by tap", []*zones.Zone{declare(t, "a", []string{"10.0.0.0/8 tap x"}), declare(t, "b", []string{"10.0.0.0/8 tap y"})}, ""},
		{"the rest", []*zones.Zone{declare(t, "a", []string{"10.0.0.0/8 vlan 5"}), declare(t, "b", []string{"10.0.0.0/8"})}, ""},
		{"vlan against tap", []*zones.Zone{declare(t, "a", []string{"10.0.0.0/8 vlan 5"}), declare(t, "b", []string{"10.0.0.0/8 tap x"})}, "a b"},
		{"tap against vlan", []*zones.Zone{declare(t, "b", []string{"10.0.0.0/8 tap x"}), declare(t, "a", []string{"10.0.0.0/8 vlan 5"})}, "b a"},
		{"vlan against tap, settled", []*zones.Zone{declare(t, "a", []string{"10.0.0.0/8 vlan 5"}),
			declare(t, "b", []string{"10.0.0.0/8 tap x", "10.0.0.0/8 vlan 5 tap x"})}, ""},
		{"same host in two zones", []*zones.Zone{declare(t, "a", nil, "10.0.0.1"), declare(t, "b", nil, "10.0.0.1")}, "a/h1 b/h1"},
		{"same host in one zone", []*zones.Zone{declare(t, "a", nil, "10.0.0.1", "10.0.0.1")}, "a/h1 a/h2"},
		{"same host in two cells", []*zones.Zone{declare(t, "a", []string{"10.0.0.0/8 tap x"}, "10.0.0.1"), declare(t, "b", []string{"10.0.0.0/8 tap y"}, "10.0.0.1")}, ""},
		{"three", []*zones.Zone{declare(t, "a", []string{"10.0.0.0/8"}), declare(t, "b", []string{"10.0.0.0/8"}), declare(t, "c", []string{"10.0.0.0/8"})}, "a b, a c"},
	} {
		_, conflicts := zones.NewLocator(test.zs, nil, nil)
		var got []string
		for _, c := range conflicts {
			got = append(got, claimant(c.First)+" "+claimant(c.Second))
		}
		if s := strings.Join(got, ", "); s != test.want {
			t.Errorf("%s: %q, want %q", test.name, s, test.want)
		}
	}
	m := mac.Addr{2, 0, 0, 0, 0, 1}
	a := &zones.Zone{ID: "a", Assets: []*zones.Asset{{ID: "x", Zone: "a", MAC: m}}}
	b := &zones.Zone{ID: "b", Assets: []*zones.Asset{{ID: "y", Zone: "b", MAC: m}}}
	if _, conflicts := zones.NewLocator([]*zones.Zone{a, b}, nil, nil); len(conflicts) != 1 || conflicts[0].MAC != m || conflicts[0].Prefix.IsValid() {
		t.Errorf("same MAC in two zones: %+v", conflicts)
	}
}

func claimant(c zones.Claim) string {
	switch {
	case c.Asset != nil:
		return c.Asset.Ref()
	case c.Zone != nil:
		return c.Zone.ID
	}
	return c.Conduit
}

// oracle locates by trying every declaration: slow and obvious.
type oracle struct {
	zs   []*zones.Zone
	taps []string // every tap of the model, and one that it does not name
}

// at answers for one tap: nil for no zone.
func (o oracle) at(ip netip.Addr, vlan uint16, tap string) (*zones.Zone, *zones.Asset) {
	var zone *zones.Zone
	var asset *zones.Asset
	best := -1
	try := func(z *zones.Zone, a *zones.Asset, bits int, n zones.Network) {
		if !n.VLAN.Matches(vlan) || n.Tap != "" && n.Tap != tap {
			return
		}
		rank := bits * 4
		if n.VLAN != zones.AnyVLAN {
			rank++
		}
		if n.Tap != "" {
			rank++
		}
		if rank > best {
			best, zone, asset = rank, z, a
		}
	}
	for _, z := range o.zs {
		for _, n := range z.Networks {
			if n.Prefix.Contains(ip) {
				try(z, nil, n.Prefix.Bits(), n)
			}
		}
		for _, a := range z.Assets {
			if a.Addresses[0] != ip {
				continue
			}
			everywhere := true
			for _, n := range z.Networks {
				if n.Prefix.Contains(ip) {
					try(z, a, 1000, n)
					everywhere = false
				}
			}
			if everywhere {
				try(z, a, 1000, zones.Network{VLAN: zones.AnyVLAN})
			}
		}
	}
	return zone, asset
}

func (o oracle) locate(s zones.Sighting) string {
	taps := []string{s.Tap}
	if s.Tap == "" {
		taps = o.taps
	}
	var found []*zones.Zone
	var assets []*zones.Asset
	for _, tap := range taps {
		z, a := o.at(s.IP, s.VLAN, tap)
		if z == nil {
			continue
		}
		if !slices.Contains(found, z) {
			found = append(found, z)
		}
		if !slices.Contains(assets, a) {
			assets = append(assets, a)
		}
	}
	slices.SortFunc(found, func(a, b *zones.Zone) int { return cmp.Compare(a.ID, b.ID) })
	switch {
	case len(found) == 0:
		return "@unassigned" // all addresses of the test are private
	case len(found) > 1:
		return describe(zones.Location{Ambiguous: found})
	case len(assets) > 1:
		return found[0].ID
	}
	return describe(zones.Location{Zone: found[0], Asset: assets[0]})
}

// TestLocateAgainstOracle holds random models without conflicts, of nested ranges,
// VLANs and taps over a small space of addresses, against the oracle.
func TestLocateAgainstOracle(t *testing.T) {
	compared := 0
	for seed := range uint64(3000) {
		r := rand.New(rand.NewPCG(seed, 7))
		addr := func() netip.Addr { return netip.AddrFrom4([4]byte{10, 0, byte(r.IntN(2)), byte(r.IntN(8))}) }
		o := oracle{taps: []string{"t0", "t1", "t2", "nowhere"}}
		for i := range 1 + r.IntN(5) {
			z := &zones.Zone{ID: fmt.Sprintf("z%d", i)}
			for range r.IntN(4) {
				p, _ := addr().Prefix([]int{8, 16, 24, 29, 30, 32}[r.IntN(6)])
				n := zones.Network{Prefix: p, VLAN: zones.AnyVLAN}
				if r.IntN(3) == 0 {
					n.VLAN = zones.VLAN(r.IntN(2))
				}
				if r.IntN(3) == 0 {
					n.Tap = o.taps[r.IntN(3)]
				}
				z.Networks = append(z.Networks, n)
			}
			for j := range r.IntN(3) {
				z.Assets = append(z.Assets, &zones.Asset{ID: fmt.Sprintf("h%d", j), Zone: z.ID, Addresses: []netip.Addr{addr()}})
			}
			o.zs = append(o.zs, z)
		}
		l, conflicts := zones.NewLocator(o.zs, nil, nil)
		if len(conflicts) > 0 {
			continue
		}
		for range 40 {
			s := zones.Sighting{IP: addr(), VLAN: uint16(r.IntN(3)), Tap: []string{"", "t0", "t1", "t2", "other"}[r.IntN(5)]}
			compared++
			if got, want := describe(l.Locate(s)), o.locate(s); got != want {
				for _, z := range o.zs {
					t.Logf("%s: %v", z.ID, z.Networks)
				}
				t.Fatalf("seed %d, %+v: %s, want %s", seed, s, got, want)
			}
		}
	}
	if compared < 10_000 {
		t.Errorf("only %d comparisons: most random models conflict", compared)
	}
}

// TestConflictsAgainstOracle checks that NewLocator finds a conflict exactly where
// some sighting with a tap fits two declarations of different owners equally well.
func TestConflictsAgainstOracle(t *testing.T) {
	for seed := range uint64(2000) {
		r := rand.New(rand.NewPCG(seed, 11))
		var zs []*zones.Zone
		var all []zones.Network
		owner := make(map[int]int)
		for i := range 2 + r.IntN(3) {
			z := &zones.Zone{ID: fmt.Sprintf("z%d", i)}
			for range 1 + r.IntN(2) {
				n := zones.Network{Prefix: netip.MustParsePrefix("10.0.0.0/8"), VLAN: zones.VLAN(r.IntN(3) - 1)}
				n.Tap = []string{"", "t0", "t1"}[r.IntN(3)]
				owner[len(all)] = i
				all = append(all, n)
				z.Networks = append(z.Networks, n)
			}
			zs = append(zs, z)
		}
		want := false
		for _, vlan := range []uint16{0, 1, 9} {
			for _, tap := range []string{"t0", "t1", "nowhere"} {
				best, owners := -1, map[int]bool{}
				for i, n := range all {
					if !n.VLAN.Matches(vlan) || n.Tap != "" && n.Tap != tap {
						continue
					}
					rank := 0
					if n.VLAN != zones.AnyVLAN {
						rank++
					}
					if n.Tap != "" {
						rank++
					}
					if rank > best {
						best, owners = rank, map[int]bool{}
					}
					if rank == best {
						owners[owner[i]] = true
					}
				}
				want = want || len(owners) > 1
			}
		}
		// A pair that a more specific third hides from every sighting is a fault of
		// the model all the same, if its selectors are equal.
		for i, n := range all {
			for j, m := range all[:i] {
				want = want || n.VLAN == m.VLAN && n.Tap == m.Tap && owner[i] != owner[j]
			}
		}
		if _, conflicts := zones.NewLocator(zs, nil, nil); (len(conflicts) > 0) != want {
			t.Fatalf("seed %d: %d conflicts, want any: %v\n%+v", seed, len(conflicts), want, all)
		}
	}
}

// large is a plant of n zones, each with a range and an asset.
func large(n int) []*zones.Zone {
	var zs []*zones.Zone
	for i := range n {
		a := netip.AddrFrom4([4]byte{10, byte(i >> 8), byte(i), 0})
		p, _ := a.Prefix(24)
		z := &zones.Zone{ID: fmt.Sprintf("z%d", i), Networks: []zones.Network{{Prefix: p, VLAN: zones.AnyVLAN}}}
		z.Assets = []*zones.Asset{{ID: "plc", Zone: z.ID, Addresses: []netip.Addr{a.Next()}}}
		zs = append(zs, z)
	}
	return zs
}

func TestLocateDoesNotAllocate(t *testing.T) {
	zs := large(100)
	zs = append(zs, declare(t, "a", []string{"192.168.1.0/24 tap a"}), declare(t, "v", []string{"192.168.2.0/24 vlan 5 tap b"}))
	l, _ := zones.NewLocator(zs, nil, nil)
	for _, s := range []zones.Sighting{
		{IP: netip.MustParseAddr("10.0.7.1")}, {IP: netip.MustParseAddr("10.0.7.9"), VLAN: 5, Tap: "a"}, {IP: netip.MustParseAddr("192.168.1.9")},
		{IP: netip.MustParseAddr("192.168.2.9"), VLAN: 5, Tap: "b"}, {IP: netip.MustParseAddr("8.8.8.8")}, {IP: netip.MustParseAddr("2a00::1")}, {MAC: mac.Addr{1}},
	} {
		if n := testing.AllocsPerRun(100, func() { l.Locate(s) }); n != 0 {
			t.Errorf("%+v: %v allocations", s, n)
		}
	}
}

func BenchmarkLocate(b *testing.B) {
	l, _ := zones.NewLocator(large(10_000), nil, nil)
	for name, s := range map[string]zones.Sighting{
		"asset":    {IP: netip.MustParseAddr("10.20.7.1"), Tap: "a"},
		"network":  {IP: netip.MustParseAddr("10.20.7.9"), Tap: "a"},
		"internet": {IP: netip.MustParseAddr("8.8.8.8"), Tap: "a"},
	} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				l.Locate(s)
			}
		})
	}
}

func BenchmarkNewLocator(b *testing.B) {
	zs := large(10_000)
	b.ReportAllocs()
	for b.Loop() {
		zones.NewLocator(zs, nil, nil)
	}
}
