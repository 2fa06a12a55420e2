package model

import (
	"net/netip"
	"strings"

	"gopkg.in/yaml.v3"

	"bulkhead/zones"
)

// networks reads a zone's address ranges: "10.20.1.0/24", or a mapping that adds
// the VLAN or tap at which the range is meant.
func (r *reader) networks(n node, what string, z *zones.Zone) {
	what += ": networks"
	type key struct {
		prefix netip.Prefix
		vlan   zones.VLAN
		tap    string
	}
	seen := make(map[key]bool, len(n.Content))
	r.items(n, what, func(n node) {
		network := zones.Network{VLAN: zones.AnyVLAN, Position: n.position()}
		ok := false
		if n.Kind == yaml.MappingNode {
			r.mapping(n, what, []field{
				{"cidr", func(n node) { network.Prefix, ok = r.prefix(n, what) }},
				{"vlan", func(n node) {
					if v, ok := r.number(n, what+": vlan", 0, 4094); ok {
						network.VLAN = zones.VLAN(v)
					}
				}},
				{"tap", func(n node) { network.Tap = r.knownTap(n, what+": tap") }},
			}, "cidr")
		} else {
			network.Prefix, ok = r.prefix(n, what)
		}
		if !ok {
			return
		}
		k := key{network.Prefix, network.VLAN, network.Tap}
		if seen[k] {
			r.report(n, codeDuplicateEntry, "%s: %s is listed twice", what, network.Prefix)
			return
		}
		seen[k] = true
		z.Networks = append(z.Networks, network)
		r.networkAt[network.Position] = n
	})
}

// prefix reads an address range whose host bits are zero.
func (r *reader) prefix(n node, what string) (netip.Prefix, bool) {
	s, ok := r.text(n, what)
	if !ok {
		return netip.Prefix{}, false
	}
	p, err := netip.ParsePrefix(s)
	switch {
	case err != nil:
		if a, err := netip.ParseAddr(s); err == nil && a.Zone() == "" {
			r.reportFix(n, codeBadNetwork, netip.PrefixFrom(a, a.BitLen()).String(), "%s: %q has no prefix length; expected a range such as 10.20.1.0/24", what, s)
			break
		}
		r.report(n, codeBadNetwork, "%s: %q is not a range of addresses such as 10.20.1.0/24 or fd00:20::/64", what, s)
	case p.Addr().Is4In6():
		r.report(n, codeBadNetwork, "%s: %q is an IPv4 range inside IPv6; expected it as IPv4", what, s)
	case p.Masked().Addr() != p.Addr():
		r.reportFix(n, codeHostBits, p.Masked().String(), "%s: %s has bits set beyond its prefix length; the range is %s", what, s, p.Masked())
	default:
		return p, true
	}
	return netip.Prefix{}, false
}

// address reads a host's address.
func (r *reader) address(n node, what string) (netip.Addr, bool) {
	s, ok := r.text(n, what)
	if !ok {
		return netip.Addr{}, false
	}
	a, err := netip.ParseAddr(s)
	switch {
	case err != nil && strings.Contains(s, "/"):
		r.report(n, codeBadAddress, "%s: %q is a range; expected the address of one host", what, s)
	case err != nil || a.Zone() != "":
		r.report(n, codeBadAddress, "%s: %q is not an address such as 10.20.1.11 or fd00:20::11", what, s)
	case a.Is4In6():
		r.reportFix(n, codeBadAddress, a.Unmap().String(), "%s: %q is an IPv4 address inside IPv6; expected %s", what, s, a.Unmap())
	case a.IsUnspecified() || a.IsLoopback() || a.IsMulticast() || a == netip.AddrFrom4([4]byte{255, 255, 255, 255}):
		r.report(n, codeBadAddress, "%s: %s is not the address of a host on a network", what, s)
	default:
		return a, true
	}
	return netip.Addr{}, false
}

// knownTap reads the ID of a declared tap.
func (r *reader) knownTap(n node, what string) string {
	id, ok := r.text(n, what)
	if !ok {
		return ""
	}
	if !r.taps[id] {
		r.reportName(n, codeUnknownName, id, func() []string { return r.tapIDs }, "%s: there is no tap %q", what, id)
	}
	return id
}
