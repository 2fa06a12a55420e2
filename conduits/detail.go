package conduits

import (
	"fmt"
	"slices"
	"strings"

	"bulkhead/capture"
	"bulkhead/zones"
)

// denied returns the decision for a flow of which no channel came as far as its
// operations.
func (d *deciding) denied() Decision {
	c, ch := d.closest.conduit, d.closest.channel
	out := Decision{Conduit: c, Channel: ch, Position: c.Position}
	if ch != nil {
		out.Position = ch.Position
	}
	q := d.q
	ends := func() string {
		return fmt.Sprintf("%s called %s; channel %q is from %s to %s", locationText(q.Client), locationText(q.Server), ch.ID, ch.From, ch.To)
	}
	switch d.furthest {
	case notApproved:
		out.Reason = NotApproved
		out.Detail = fmt.Sprintf("conduit %q joins %q and %q, but it is %s and not approved", c.ID, q.Client.ID(), q.Server.ID(), c.Status)
	case againstOneWay:
		out.Reason = AgainstOneWay
		from, to := q.Client.ID(), q.Server.ID()
		if !q.Sent || (*c.OneWay == Direction{from, to}) {
			from, to = to, from
		}
		out.Detail = fmt.Sprintf("conduit %q is one-way from %s to %s; bytes went from %s to %s", c.ID, c.OneWay.From, c.OneWay.To, from, to)
	case notVia:
		out.Reason = NotVia
		out.Detail = fmt.Sprintf("conduit %q asks every flow to end at %s; this one runs from %s to %s",
			c.ID, c.Via.Ref(), locationText(q.Client), locationText(q.Server))
	case wrongProtocol:
		out.Reason = WrongProtocol
		out.Channel, out.Position = nil, c.Position // no one channel is nearer than another
		out.Detail = fmt.Sprintf("%s on %s was seen; conduit %q permits %s", q.Protocol, q.service(), c.ID, permittedProtocols(c))
	case wrongPort:
		out.Reason = WrongPort
		out.Detail = fmt.Sprintf("%s on %s was seen; channel %q permits %s", q.Protocol, q.service(), ch.ID, ch.Service)
	case wrongWay:
		out.Reason = WrongWay
		out.Detail = ends() + ", the other way round"
	default: // elsewhere, wrongEnd
		out.Reason = WrongEnd
		out.Detail = ends()
	}
	return out
}

// listed is how many names a detail shows of a list.
const listed = 8

// permittedProtocols lists the protocols and services that the channels of a
// conduit name.
func permittedProtocols(c *Conduit) string {
	var names []string
	for _, ch := range c.Channels {
		name := string(ch.Protocol)
		if name == "" && ch.Service != nil {
			name = ch.Service.String()
		}
		if name != "" && !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	if len(names) == 0 {
		return "nothing, for it has no channel"
	}
	return shorten(names)
}

func shorten(names []string) string {
	if len(names) > listed {
		return fmt.Sprintf("%s and %d more", strings.Join(names[:listed], ", "), len(names)-listed)
	}
	return strings.Join(names, ", ")
}

func classDetail(w OperationDecision) string {
	ch, op := w.Channel, w.Operation
	switch ch.names(op) {
	case noCode:
		return fmt.Sprintf("%s was seen; channel %q permits the codes %s", operationText(op), ch.ID, shorten(ch.Codes))
	case noObjects:
		return fmt.Sprintf("%s on %s was seen; channel %q permits %s", operationText(op),
			objectsText(w.Unnamed), ch.ID, objectsText(ch.Objects))
	}
	permits := make([]string, len(ch.Operations))
	for i, c := range ch.Operations {
		permits[i] = string(c)
	}
	if len(permits) == 0 {
		permits = []string{string(ch.Protocol) + " only"}
	}
	return fmt.Sprintf("%s was seen; channel %q permits %s", operationText(op), ch.ID, shorten(permits))
}

// windowDetail says when an operation, or a flow without any, was outside the
// windows.
func (q *Query) windowDetail(w OperationDecision) string {
	what := "it was in use"
	if w.Operation != nil {
		what = operationText(w.Operation) + " was seen"
	}
	windows := make([]string, len(w.Channel.Windows))
	for i, x := range w.Channel.Windows {
		windows[i] = x.String()
	}
	zone := q.zone()
	at := w.Outside[0].From.UTC().Add(-q.ClockOffset).In(zone)
	return fmt.Sprintf("%s on %s (%s); channel %q is open %s", what, at.Format("Mon 2006-01-02 at 15:04"), zone, w.Channel.ID, shorten(windows))
}

// operationText names an operation: `modbus write (Write Single Register, code 6)`.
func operationText(op *capture.Operation) string {
	return fmt.Sprintf("%s %s (%s, code %s)", op.Protocol, op.Class, op.Name, op.Code)
}

func objectsText(objects []capture.ObjectRange) string {
	if len(objects) == 0 {
		return "objects that are not known"
	}
	names := make([]string, len(objects))
	for i, o := range objects {
		names[i] = o.String()
	}
	return shorten(names)
}

// locationText names a location: an asset's ref, or the zone of a host that is not
// listed.
func locationText(l zones.Location) string {
	if l.Asset != nil {
		return l.Asset.Ref()
	}
	return "an unlisted host of " + l.ID()
}

func (q *Query) service() string {
	return capture.Service{Transport: q.Transport, First: q.Port, Last: q.Port}.String()
}

func protectionText(p Protection) string {
	if p == NoProtection {
		return "no protection"
	}
	return string(p)
}
