package model

import (
	"fmt"
	"strings"

	"gopkg.in/yaml.v3"

	"bulkhead/capture"
	"bulkhead/conduits"
	"bulkhead/zones"
)

// channel reads one permitted link of a conduit.
func (r *reader) channel(n node, owner string, c *conduits.Conduit, seen map[string]node) {
	ch := &conduits.Channel{ID: fmt.Sprintf("%s#%d", c.ID, len(c.Channels)+1), Position: n.position()}
	what := owner + ": " + subject("channel", n)
	if _, named := n.get("id"); !named {
		what = fmt.Sprintf("%s: channel #%d", owner, len(c.Channels)+1)
	}
	c.Channels = append(c.Channels, ch)
	var from, to, protocol, service, codes, objects node
	read := r.mapping(n, what, []field{
		{"id", func(n node) {
			if id, ok := r.unique(n, what, seen); ok {
				ch.ID = id
			}
		}},
		{"from", func(n node) { from = n }},
		{"to", func(n node) { to = n }},
		{"protocol", func(n node) {
			protocol = n
			ch.Protocol = r.protocol(n, what+": protocol")
		}},
		{"service", func(n node) {
			service = n
			ch.Service = r.service(n, what+": service")
		}},
		{"operations", func(n node) { r.operations(n, what+": operations", ch) }},
		{"codes", func(n node) { codes = n }},
		{"objects", func(n node) { objects = n }},
		{"window", func(n node) { r.windows(n, what+": window", ch) }},
		{"protection", intoOneOf(r, &ch.Protection, what+": protection", []conduits.Protection{conduits.Integrity, conduits.Encrypted})},
		{"remote-access", r.intoBool(&ch.RemoteAccess, what+": remote-access")},
	}, "from", "to")
	if !read {
		return
	}
	if protocol.Node == nil && service.Node == nil {
		r.report(n, codeChannelService, "%s: neither protocol nor service says what it carries; expected protocol: modbus or service: tcp/9600, say", what)
	}
	if codes.Node != nil {
		r.codes(codes, what+": codes", ch, protocol.Node != nil)
	}
	if objects.Node != nil {
		r.objects(objects, what+": objects", ch, protocol.Node != nil)
	}
	r.later = append(r.later, func() { r.ends(from, to, n, what, c, ch) })
}

// ends reads a channel's two ends, which must lie in the conduit and agree with
// its direction.
func (r *reader) ends(from, to, n node, what string, c *conduits.Conduit, ch *conduits.Channel) {
	okFrom, okTo := false, false
	if from.Node != nil {
		ch.From, okFrom = r.end(from, what+": from", c)
	}
	if to.Node != nil {
		ch.To, okTo = r.end(to, what+": to", c)
	}
	if !okFrom || !okTo {
		return
	}
	if ch.From.Zone == ch.To.Zone && ch.From.Zone != "" || ch.From == ch.To {
		r.report(to, codeChannelEnds, "%s: from and to are both in %q; expected two of the zones joined", what, ch.To)
		return
	}
	// The conduit's own assets, which are in no zone, stand on both sides.
	against := func(e conduits.End, zone string) bool { return e.Zone != "" && e.Zone != zone }
	if d := c.OneWay; d != nil && (against(ch.From, d.From) || against(ch.To, d.To)) {
		r.report(n, codeAgainstOneWay, "%s: it leads from %q to %q, but the conduit is one-way from %q to %q", what, ch.From, ch.To, d.From, d.To)
	}
	if v := c.Via; v != nil && !reaches(ch.From, v) && !reaches(ch.To, v) {
		r.report(n, codeMissesVia, "%s: neither end can be %q, where every flow of the conduit must end, so the channel permits nothing", what, v.Ref())
	}
}

// reaches reports whether flows of an end can end at an asset.
func reaches(e conduits.End, a *zones.Asset) bool {
	if e.Asset != nil {
		return e.Asset == a
	}
	return e.Zone == a.Zone
}

// end reads one end of a channel: a joined zone, an asset of one, or an asset of
// the conduit itself.
func (r *reader) end(n node, what string, c *conduits.Conduit) (conduits.End, bool) {
	s, ok := r.text(n, what)
	if !ok {
		return conduits.End{}, false
	}
	zone, _, isAsset := strings.Cut(s, "/")
	switch {
	case isAsset && zone == c.ID:
		a := r.knownAsset(n, what, s)
		return conduits.End{Asset: a}, a != nil
	case r.zones[zone] == nil:
		r.reportName(n, codeUnknownName, zone, func() []string { return c.Joins }, "%s: there is no zone %q", what, zone)
		return conduits.End{}, false
	case !r.conduitNodes[c].joined[zone] && r.conduitNodes[c].astray:
		return conduits.End{}, false // the conduit's fault, and told there
	case !r.conduitNodes[c].joined[zone]:
		r.reportName(n, codeChannelEnds, zone, func() []string { return c.Joins },
			"%s: %q lies outside the conduit, which joins %s", what, s, some(c.Joins))
		return conduits.End{}, false
	case isAsset:
		a := r.knownAsset(n, what, s)
		return conduits.End{Zone: zone, Asset: a}, a != nil
	}
	return conduits.End{Zone: zone}, true
}

func (r *reader) protocol(n node, what string) capture.Protocol {
	s, ok := r.text(n, what)
	if !ok {
		return ""
	}
	p := capture.Protocol(s)
	if p.Info() == nil {
		r.reportName(n, codeBadValue, s, protocolNames, "%s: there is no protocol %q; expected one of %s", what, s, strings.Join(protocolNames(), ", "))
		return ""
	}
	return p
}

func (r *reader) service(n node, what string) *capture.Service {
	s, ok := r.text(n, what)
	if !ok {
		return nil
	}
	service, err := capture.ParseService(s)
	if err != nil {
		r.report(n, codeBadValue, "%s: %v", what, err)
		return nil
	}
	return &service
}

func (r *reader) operations(n node, what string, ch *conduits.Channel) {
	ch.Operations = []capture.Class{}
	seen := make(map[capture.Class]bool)
	r.items(n, what, func(n node) {
		class, ok := oneOf(r, n, what, capture.Classes())
		switch {
		case !ok:
		case seen[class]:
			r.report(n, codeDuplicateEntry, "%s: %q is listed twice", what, class)
		default:
			seen[class] = true
			ch.Operations = append(ch.Operations, class)
		}
	})
}

// codes reads operation codes, in the form of the channel's protocol.
func (r *reader) codes(n node, what string, ch *conduits.Channel, hasProtocol bool) {
	values, at := r.texts(n, what)
	ch.Codes = values
	info := ch.Protocol.Info()
	switch {
	case info == nil && hasProtocol: // reported already
	case info == nil:
		r.report(n, codeBadCode, "%s: codes are those of a protocol; expected the key protocol besides", what)
	case info.Codes == nil:
		r.report(n, codeBadCode, "%s: operations of protocol %q are not told apart by code", what, ch.Protocol)
	default:
		for i, v := range values {
			if !info.Codes.Valid(v) {
				r.report(at[i], codeBadCode, "%s: %q is not a code of %s; expected the form of %s", what, v, ch.Protocol, info.Codes.Example)
			}
		}
	}
}

// objects reads ranges of a protocol's objects.
func (r *reader) objects(n node, what string, ch *conduits.Channel, hasProtocol bool) {
	values, at := r.texts(n, what)
	ch.Objects = []capture.ObjectRange{}
	switch {
	case ch.Protocol == capture.Modbus:
		for i, v := range values {
			o, err := capture.ParseObjects(ch.Protocol, v)
			if err != nil {
				r.report(at[i], codeBadObjects, "%s: %v", what, err)
				continue
			}
			ch.Objects = append(ch.Objects, o)
		}
	case ch.Protocol != "" || !hasProtocol:
		r.report(n, codeBadObjects, "%s: only channels of protocol %q can name objects", what, capture.Modbus)
	}
}

// windows reads one window or a list of them.
func (r *reader) windows(n node, what string, ch *conduits.Channel) {
	window := func(n node) {
		s, ok := r.text(n, what)
		if !ok {
			return
		}
		w, err := conduits.ParseWindow(s)
		if err != nil {
			r.report(n, codeBadWindow, "%s: %v", what, err)
			return
		}
		ch.Windows = append(ch.Windows, w)
	}
	if n.Kind == yaml.SequenceNode {
		if len(n.Content) == 0 {
			r.report(n, codeBadWindow, "%s: the list is empty, so the channel would never be open", what)
		}
		r.items(n, what, window)
		return
	}
	window(n)
}
