package rules

import (
	"cmp"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"time"

	"bulkhead/capture"
	"bulkhead/conduits"
	"bulkhead/model"
	"bulkhead/zones"
)

// unknownAsset counts a host by its IP address, whatever MAC address brought its
// packets: behind a gateway it is a host all the same. Only a zone whose inventory
// is declared complete makes an unlisted host a finding.
var unknownAsset = &Rule{
	Facts: mustFacts("EV-090"),
	check: func(s *scene, r *Rule, report func(hit)) {
		strangers := s.strangers()
		if len(strangers) == 0 {
			return
		}
		// Their traffic is the evidence; a stranger of which no conversation was kept
		// is reported by what was heard of it.
		shown := make(map[stranger]bool)
		for _, f := range s.flows {
			for _, end := range [2]struct {
				at zones.Location
				ip netip.Addr
			}{{f.client, f.first.Client.IP}, {f.server, f.first.Server.IP}} {
				if end.at.Zone == nil || end.at.Asset != nil {
					continue
				}
				who := stranger{end.at.Zone.ID, end.ip}
				if _, ok := strangers[who]; !ok || f.doubt != "" || !f.sent(end.ip) {
					continue
				}
				shown[who] = true
				report(hit{class: Contradiction, subject: Subject{Kind: "zone", ID: who.zone}, voids: r.Contradicts, flow: f})
			}
		}
		rest := make([]stranger, 0, len(strangers))
		for who := range strangers {
			if !shown[who] {
				rest = append(rest, who)
			}
		}
		slices.SortFunc(rest, func(a, b stranger) int { return cmp.Or(strings.Compare(a.zone, b.zone), a.ip.Compare(b.ip)) })
		for _, who := range rest {
			e := strangers[who]
			report(hit{class: Contradiction, subject: Subject{Kind: "zone", ID: who.zone}, voids: r.Contradicts,
				what:     fmt.Sprintf("%s was heard in zone %s with %d frames of its own; it is not in the inventory", who.ip, who.zone, e.frames),
				evidence: s.heard(who, e), trust: s.captureTrust(e.capture, 0)})
		}
	},
	say: func(h hit) string {
		stranger := h.flow.first.Client
		if h.flow.client.ID() != h.subject.ID || h.flow.client.Asset != nil {
			stranger = h.flow.first.Server.Peer
		}
		return fmt.Sprintf("spoke %s; %s is not in the inventory of %s", h.flow.spoke(), addressText(stranger), h.subject.ID)
	},
	fix: func(g *group) string {
		return fmt.Sprintf("find out what the host is; list it among the assets of zone %q, or take it off the network", g.subject.ID)
	},
}

// stranger is an unlisted host of a zone.
type stranger struct {
	zone string
	ip   netip.Addr
}

// hearing is what was heard of a host at one tap.
type hearing struct {
	frames      uint64
	first, last capture.Time
	capture     int // the first, in the order of hashes
}

// strangers returns the unlisted hosts, of zones with a complete inventory, that
// sent enough of their own over long enough at one tap.
func (s *scene) strangers() map[stranger]hearing {
	type spot struct {
		stranger
		tap string
	}
	heard := make(map[spot]hearing)
	rank := make([]int, len(s.order)) // of captures, by hash
	for place, c := range s.order {
		rank[c] = place
	}
	for i := range s.obs.Endpoints {
		e := &s.obs.Endpoints[i]
		if !e.IP.IsValid() || e.IP.IsUnspecified() || e.IP.IsMulticast() || e.Frames == 0 {
			continue
		}
		tap := s.tapID(e.Capture)
		l := s.model.Locator.Locate(zones.Sighting{IP: e.IP, MAC: e.MAC, VLAN: e.VLAN, Tap: tap})
		if l.Zone == nil || l.Asset != nil || !l.Zone.Complete || l.Zone.IsBuiltIn() || l.Zone.SLT == (zones.Vector{}) {
			continue
		}
		at := spot{stranger{l.Zone.ID, e.IP}, tap}
		h, known := heard[at]
		h.frames += e.Frames
		h.first, h.last = h.first.Earliest(e.First), h.last.Latest(e.Last)
		if !known || rank[e.Capture] < rank[h.capture] {
			h.capture = e.Capture
		}
		heard[at] = h
	}
	out := make(map[stranger]hearing)
	for at, h := range heard {
		span := time.Duration(h.last.UnixNano() - h.first.UnixNano())
		if h.frames < s.model.Policy.UnknownAssetFrames || span < s.model.Policy.UnknownAssetSpan {
			continue
		}
		have, ok := out[at.stranger]
		if !ok || h.frames > have.frames || h.frames == have.frames && rank[h.capture] < rank[have.capture] {
			out[at.stranger] = h
		}
	}
	return out
}

// heard returns the evidence for a host that no conversation shows.
func (s *scene) heard(who stranger, h hearing) *Evidence {
	field := "ip.src=="
	if who.ip.Is6() && !who.ip.Is4In6() {
		field = "ipv6.src=="
	}
	return &Evidence{Capture: s.obs.Captures[h.capture].SHA256, Frames: []uint64{}, Count: h.frames, First: h.first, Last: h.last,
		Filter: field + who.ip.Unmap().String(), Flow: who.ip.String() + " in " + who.zone}
}

// sent reports whether a host sent anything in a flow of which it is an end.
func (f *judged) sent(ip netip.Addr) bool {
	return slices.ContainsFunc(f.sights, func(x sight) bool {
		return x.conv.Client.IP == ip && x.conv.Packets.Sent > 0 || x.conv.Server.IP == ip && x.conv.Packets.Received > 0
	})
}

// neverSeen says, once a zone or conduit, what of it no packet showed. A proposed
// conduit permits nothing, so nothing is missing from it.
var neverSeen = &Rule{
	Facts: mustFacts("EV-092"),
	check: func(s *scene, r *Rule, report func(hit)) {
		if len(s.obs.Captures) == 0 {
			return
		}
		seen := s.seen()
		silent := func(sub Subject, at zones.Position, what string) {
			report(hit{class: CoverageClass, subject: sub, what: what, model: &at, trust: highConfidence})
		}
		for _, z := range s.model.Zones {
			var missing []string
			for _, a := range z.Assets {
				if !seen.assets[a] {
					missing = append(missing, a.ID)
				}
			}
			if len(missing) > 0 {
				silent(Subject{"zone", z.ID}, z.Position, fmt.Sprintf("%d of %d assets of zone %s were not seen: %s",
					len(missing), len(z.Assets), z.ID, listText(missing)))
			}
		}
		for _, c := range s.model.Conduits {
			if c.Status != conduits.Approved {
				continue
			}
			if !seen.conduits[c] {
				silent(Subject{"conduit", c.ID}, c.Position, fmt.Sprintf("nothing was seen to cross conduit %s", c.ID))
				continue
			}
			var missing []string
			for _, ch := range c.Channels {
				if !seen.channels[ch] {
					missing = append(missing, ch.ID)
				}
			}
			if len(missing) > 0 {
				silent(Subject{"conduit", c.ID}, c.Position, fmt.Sprintf("%d of %d channels of conduit %s were not used: %s",
					len(missing), len(c.Channels), c.ID, listText(missing)))
			}
		}
	},
}

// sightings is what of a model the captures show.
type sightings struct {
	zones    map[string]bool
	assets   map[*zones.Asset]bool
	conduits map[*conduits.Conduit]bool
	channels map[*conduits.Channel]bool
}

// seen returns what the flows and endpoints show. It is asked for twice.
func (s *scene) seen() *sightings {
	if s.showed != nil {
		return s.showed
	}
	out := &sightings{make(map[string]bool), make(map[*zones.Asset]bool), make(map[*conduits.Conduit]bool), make(map[*conduits.Channel]bool)}
	see := func(l zones.Location) {
		if l.Zone != nil {
			out.zones[l.Zone.ID] = true
		}
		if l.Asset != nil {
			out.assets[l.Asset] = true
		}
		if n := s.model.Graph.Conduit(l.Conduit); n != nil {
			out.conduits[n.Conduit] = true
		}
	}
	for _, f := range s.flows {
		see(f.client)
		if f.outcome != Attempted { // an address that was only asked for was not seen
			see(f.server)
		}
		if f.settled == nil {
			continue
		}
		for i := range f.sights {
			d := &f.sights[i].decision
			if d.Conduit != nil {
				out.conduits[d.Conduit] = true
			}
			if d.Permit {
				out.channels[d.Channel] = true
			}
			for _, op := range d.Operations {
				if op.Permit {
					out.channels[op.Channel] = true
				}
			}
		}
	}
	for i := range s.obs.Endpoints {
		e := &s.obs.Endpoints[i]
		tap := s.tapID(e.Capture)
		see(s.model.Locator.Locate(zones.Sighting{IP: e.IP, MAC: e.MAC, VLAN: e.VLAN, Tap: tap}))
		if e.ARP && !e.MAC.IsZero() {
			see(s.model.Locator.Locate(zones.Sighting{MAC: e.MAC, VLAN: e.VLAN, Tap: tap}))
		}
	}
	s.showed = out
	return out
}

// listText joins names, the first few of many.
func listText(names []string) string {
	const shown = 10
	if len(names) > shown {
		return fmt.Sprintf("%s and %d more", strings.Join(names[:shown], ", "), len(names)-shown)
	}
	return strings.Join(names, ", ")
}

// dynamicPorts is the first of the ports that no service is registered for.
// Source: RFC 6335, section 6.
const dynamicPorts = 49152

// undeclaredService passes over what may be the second connection of a protocol
// that agrees ports as it goes: a dynamic port on which no protocol was recognised.
// A service that an approved channel names for the asset itself counts as listed,
// even where the channel does not permit all that was asked for there.
var undeclaredService = &Rule{
	Facts: mustFacts("EV-093"),
	check: func(s *scene, r *Rule, report func(hit)) {
		ftp := make(map[hosts]bool)
		for _, f := range s.flows {
			if f.first.Protocol == capture.FTP {
				ftp[hostsOf(f.first)] = true
			}
		}
		for _, f := range s.flows {
			c, a := f.first, f.server.Asset
			switch {
			case a == nil, f.server.Zone == nil, f.cast, !f.judgeable(), f.outcome != Answered,
				c.Transport != capture.TCP && c.Transport != capture.UDP,
				f.roleBasis == capture.Port,
				!f.exchanged(),
				c.Server.Port >= dynamicPorts && f.protocolBasis != capture.Content,
				f.mayBeFTPData() && ftp[hostsOf(c)]:
				continue
			}
			class := Contradiction
			if offers, ok := s.model.Offers(a); !ok {
				class = Weakening
			} else if slices.ContainsFunc(offers, func(o model.Offer) bool { return f.isOf(o) }) {
				continue
			}
			if f.settled != nil && s.model.Graph.Serves(s.query(f, f.settled)) {
				continue
			}
			for _, sub := range s.subjectsAt(f.server.Zone) {
				report(hit{class: class, subject: sub, voids: r.Contradicts, flow: f})
			}
		}
	},
	say: func(h hit) string {
		c, asset := h.flow.first, h.flow.server.Asset.Ref()
		if h.class == Weakening {
			return fmt.Sprintf("was answered on %s (%s); the model lists no services of %s", serviceText(c), h.flow.protocolText(), asset)
		}
		return fmt.Sprintf("was answered on %s (%s), which is not among the services of %s", serviceText(c), h.flow.protocolText(), asset)
	},
	fix: func(g *group) string {
		f := g.hits[0].flow
		if g.key.class == Weakening {
			service := string(f.first.Protocol)
			if f.first.Protocol == capture.Unknown {
				service = serviceText(f.first)
			}
			return fmt.Sprintf("list what the assets of zone %q may serve (services: [%s, …])", g.subject.ID, service)
		}
		return fmt.Sprintf("switch the service on %s off, or add it to the services of %s", serviceText(f.first), endName(f.server))
	},
}

// isOf reports whether a flow is of a service that an asset may offer. A protocol
// that only the port tells is taken at the port's word.
func (f *judged) isOf(o model.Offer) bool {
	if o.Service != nil {
		return o.Service.Contains(f.first.Transport, f.first.Server.Port)
	}
	return o.Protocol.Within(f.first.Protocol) ||
		f.protocolBasis != capture.Content && o.Protocol.Within(capture.ByPort(f.first.Transport, f.first.Server.Port))
}
