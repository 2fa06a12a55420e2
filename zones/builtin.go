package zones

import "net/netip"

// notGlobal lists the unicast prefixes that nobody on the Internet can hold, and
// with them the multicast and reserved ranges. Those that never leave a segment
// are left out: neverForwarded knows them.
// Source: the IANA IPv4 and IPv6 Special-Purpose Address Registries (RFC 6890)
// and the RFC that stands at each.
var notGlobal = []netip.Prefix{
	netip.MustParsePrefix("0.0.0.0/8"),       // "this network", RFC 791
	netip.MustParsePrefix("10.0.0.0/8"),      // private use, RFC 1918
	netip.MustParsePrefix("100.64.0.0/10"),   // shared address space, RFC 6598
	netip.MustParsePrefix("127.0.0.0/8"),     // loopback, RFC 1122
	netip.MustParsePrefix("172.16.0.0/12"),   // private use, RFC 1918
	netip.MustParsePrefix("192.0.0.0/24"),    // protocol assignments, RFC 6890
	netip.MustParsePrefix("192.0.2.0/24"),    // documentation, RFC 5737
	netip.MustParsePrefix("192.168.0.0/16"),  // private use, RFC 1918
	netip.MustParsePrefix("198.18.0.0/15"),   // benchmarking, RFC 2544
	netip.MustParsePrefix("198.51.100.0/24"), // documentation, RFC 5737
	netip.MustParsePrefix("203.0.113.0/24"),  // documentation, RFC 5737
	netip.MustParsePrefix("224.0.0.0/4"),     // multicast, RFC 5771
	netip.MustParsePrefix("240.0.0.0/4"),     // reserved, RFC 1112

	netip.MustParsePrefix("2001:2::/48"),   // benchmarking, RFC 5180
	netip.MustParsePrefix("2001:10::/28"),  // ORCHID, RFC 4843
	netip.MustParsePrefix("2001:db8::/32"), // documentation, RFC 3849
	netip.MustParsePrefix("3fff::/20"),     // documentation, RFC 9637
}

// globalIPv6 is all of IPv6 that is handed out as global unicast. What lies
// outside (unique local addresses of RFC 4193, loopback, multicast, reserved
// space) is not global. Source: RFC 4291, 2.4, and the IANA IPv6 address space
// registry.
var globalIPv6 = netip.MustParsePrefix("2000::/3")

var limitedBroadcast = netip.AddrFrom4([4]byte{255, 255, 255, 255})

// neverForwarded reports whether packets with the address stay on their segment:
// link-local unicast (RFC 3927, RFC 4291), link-local multicast (RFC 5771, 4;
// RFC 4291, 2.7) and the limited broadcast (RFC 919).
func neverForwarded(a netip.Addr) bool {
	return a.IsLinkLocalUnicast() || a.IsLinkLocalMulticast() || a == limitedBroadcast
}

// builtIn returns the built-in zone of an address that no declared zone holds.
// An IPv4 address mapped into IPv6 must have been unmapped.
func builtIn(a netip.Addr) *Zone {
	if neverForwarded(a) {
		return LinkLocal
	}
	if a.Is6() && !globalIPv6.Contains(a) {
		return Unassigned
	}
	for _, p := range notGlobal {
		if p.Contains(a) {
			return Unassigned
		}
	}
	return Internet
}
