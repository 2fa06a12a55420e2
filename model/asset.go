package model

import (
	"net/netip"
	"strings"

	"bulkhead/capture"
	"bulkhead/internal/mac"
	"bulkhead/zones"
)

// Modes of boundary devices.
var deviceModes = []string{"routed", "transparent", "proxy", "diode"}

// assetAddress is one address of one asset.
type assetAddress struct {
	asset *zones.Asset
	addr  netip.Addr
}

// assetList reads the assets of a zone or, if zone is "", of a conduit.
func (r *reader) assetList(n node, owner, zone, conduit string) []*zones.Asset {
	var out []*zones.Asset
	seen := make(map[string]node, len(n.Content))
	r.items(n, owner+": assets", func(n node) {
		if a := r.asset(n, owner, zone, conduit, seen); a != nil {
			out = append(out, a)
		}
	})
	return out
}

func (r *reader) asset(n node, owner, zone, conduit string, seen map[string]node) *zones.Asset {
	what := owner + ": " + subject("asset", n)
	a := &zones.Asset{Zone: zone, Conduit: conduit, Position: n.position()}
	read := r.mapping(n, what, []field{
		{"id", func(n node) { a.ID, _ = r.unique(n, what, seen) }},
		{"name", r.intoText(&a.Name, what+": name")},
		{"role", intoOneOf(r, &a.Role, what+": role", zones.Roles())},
		{"addresses", func(n node) { r.addresses(n, what+": addresses", a) }},
		{"mac", func(n node) {
			s, ok := r.text(n, what+": mac")
			if !ok {
				return
			}
			m, err := mac.Parse(s)
			if err != nil || m.IsZero() || m.IsGroup() {
				r.report(n, codeBadAddress, "%s: mac: %q is not a host's MAC address such as 00:80:f4:0e:11:22", what, s)
				return
			}
			a.MAC = m
			r.macAt[a] = n
		}},
		{"sl-c", func(n node) {
			if v, ok := r.vector(n, what+": sl-c"); ok {
				a.SLC = &v
			}
		}},
		{"critical", r.intoBool(&a.Critical, what+": critical")},
		{"services", func(n node) { r.services(n, what+": services", a) }},
		{"writers", func(n node) { r.writers(n, what+": writers", a) }},
		{"mode", intoOneOf(r, &a.Mode, what+": mode", deviceModes)},
	}, "id")
	if !read {
		return nil
	}
	if a.Name == "" {
		a.Name = a.ID
	}
	if a.ID != "" && (zone != "" || conduit != "") {
		r.assets[a.Ref()] = a
		r.refs = append(r.refs, a.Ref())
	}
	return a
}

func (r *reader) addresses(n node, what string, a *zones.Asset) {
	r.items(n, what, func(n node) {
		addr, ok := r.address(n, what)
		if !ok {
			return
		}
		key := assetAddress{a, addr}
		if _, twice := r.addressAt[key]; twice {
			r.report(n, codeDuplicateEntry, "%s: %s is listed twice", what, addr)
			return
		}
		r.addressAt[key] = n
		a.Addresses = append(a.Addresses, addr)
	})
}

func (r *reader) services(n node, what string, a *zones.Asset) {
	values, at := r.texts(n, what)
	a.Services = values
	offers := make([]Offer, 0, len(values))
	for i, s := range values {
		offer, err := parseOffer(s)
		if err != nil {
			r.reportName(at[i], codeBadValue, s, protocolNames, "%s: %v", what, err)
			continue
		}
		offers = append(offers, offer)
	}
	r.model.offers[a] = offers
}

func (r *reader) writers(n node, what string, a *zones.Asset) {
	values, at := r.texts(n, what)
	a.Writers = values
	r.later = append(r.later, func() {
		for i, ref := range values {
			r.knownAsset(at[i], what, ref)
		}
	})
}

// knownAsset returns the asset that a ref names, or nil if there is none.
func (r *reader) knownAsset(n node, what, ref string) *zones.Asset {
	if a := r.assets[ref]; a != nil {
		return a
	}
	if !strings.Contains(ref, "/") {
		r.reportName(n, codeUnknownName, ref, func() []string { return r.refs }, "%s: %q is not an asset; expected zone/asset", what, ref)
		return nil
	}
	r.reportName(n, codeUnknownName, ref, func() []string { return r.refs }, "%s: there is no asset %q", what, ref)
	return nil
}

// protocolNames lists the protocols that a model can name.
func protocolNames() []string {
	var names []string
	for _, p := range capture.Protocols() {
		names = append(names, string(p.Name))
	}
	return names
}
