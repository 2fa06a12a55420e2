package cli

import (
	"fmt"
	"io"
	"net"
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"bulkhead/model"
	"bulkhead/report"
	"bulkhead/rules"
)

// flowName names the flows from one end to another, or to one port of it. An end is
// an address, as flows spell it, or an asset's ref.
type flowName struct {
	client, server string
	port           uint16
	anyPort        bool
}

// parseFlowName reads CLIENT,SERVER[:PORT].
func parseFlowName(s string) (flowName, error) {
	client, server, ok := strings.Cut(s, ",")
	client, server = strings.TrimSpace(client), strings.TrimSpace(server)
	if !ok || client == "" || server == "" || strings.Contains(server, ",") {
		return flowName{}, fmt.Errorf("--flow %q: expected CLIENT,SERVER or CLIENT,SERVER:PORT", s)
	}
	out := flowName{client: endAddress(client), server: endAddress(server), anyPort: true}
	if isAddress(server) {
		return out, nil
	}
	i := strings.LastIndexByte(server, ':')
	if i < 0 || server[len(server)-1] == ']' {
		return out, nil
	}
	digits, base := server[i+1:], 10
	if hex, ok := strings.CutPrefix(digits, "0x"); ok { // as EtherTypes are written
		digits, base = hex, 16
	}
	port, err := strconv.ParseUint(digits, base, 16)
	if err != nil {
		return flowName{}, fmt.Errorf("--flow %q: port %q: expected a number from 0 to 65535", s, server[i+1:])
	}
	if i == 0 {
		return flowName{}, fmt.Errorf("--flow %q: expected CLIENT,SERVER or CLIENT,SERVER:PORT", s)
	}
	out.server, out.port, out.anyPort = endAddress(server[:i]), uint16(port), false
	return out, nil
}

// isAddress reports whether s is an IP or a MAC address as a whole.
func isAddress(s string) bool {
	_, ip := netip.ParseAddr(s)
	_, mac := net.ParseMAC(s)
	return ip == nil || mac == nil
}

// endAddress returns an end as flows spell it: an IP address in its canonical form
// and without brackets, a MAC address in lower case with colons, anything else as
// it is.
func endAddress(s string) string {
	if ip, err := netip.ParseAddr(strings.TrimSuffix(strings.TrimPrefix(s, "["), "]")); err == nil {
		return ip.Unmap().String()
	}
	if mac, err := net.ParseMAC(s); err == nil {
		return mac.String()
	}
	return s
}

func (n flowName) String() string {
	server := n.server
	if !n.anyPort {
		if ip, err := netip.ParseAddr(server); err == nil && ip.Is6() {
			server = "[" + server + "]"
		}
		server = fmt.Sprintf("%s:%d", server, n.port)
	}
	return n.client + "," + server
}

// nameOf returns the name of one flow, its ends by their assets where they are any.
func nameOf(f *rules.Flow) flowName {
	end := func(e rules.FlowEnd) string {
		if e.Asset != "" {
			return e.Asset
		}
		return e.Address
	}
	return flowName{client: end(f.Client), server: end(f.Server.FlowEnd), port: f.Server.Port}
}

func isEnd(e rules.FlowEnd, name string) bool {
	return e.Address == name || e.Asset == name && name != ""
}

func (n flowName) matches(f *rules.Flow) bool {
	return isEnd(f.Client, n.client) && isEnd(f.Server.FlowEnd, n.server) && (n.anyPort || f.Server.Port == n.port)
}

// explainFlows writes what is known of the flows that have a name.
func explainFlows(out io.Writer, m *model.Model, a *rules.Assessment, name flowName, format string, opts report.Options) error {
	var flows []rules.Flow
	for i := range a.Flows {
		if name.matches(&a.Flows[i]) {
			flows = append(flows, a.Flows[i])
		}
	}
	if len(flows) == 0 {
		return noFlow(a, name)
	}
	x := report.ExplainFlows(m, a, flows)
	if format == "json" {
		return report.JSON(out, x)
	}
	return report.FlowsText(out, x, opts)
}

// noFlow says that no flow has a name, and which flows come near: those between the
// same ends on other ports, else the other way round, else those of one of the
// ends, else an end that is spelt nearly so.
func noFlow(a *rules.Assessment, name flowName) error {
	var ends, otherPort, reverse, ofClient, ofServer []string
	note := func(list *[]string, f *rules.Flow) { *list = append(*list, strconv.Quote(nameOf(f).String())) }
	names := func(list []string) string {
		slices.Sort(list)
		return some(slices.Compact(list))
	}
	known := map[string]bool{}
	for i := range a.Flows {
		f := &a.Flows[i]
		for _, e := range []rules.FlowEnd{f.Client, f.Server.FlowEnd} {
			for _, s := range []string{e.Asset, e.Address} {
				if s != "" && !known[s] {
					known[s] = true
					ends = append(ends, s)
				}
			}
		}
		fromClient, toServer := isEnd(f.Client, name.client), isEnd(f.Server.FlowEnd, name.server)
		switch {
		case fromClient && toServer:
			note(&otherPort, f)
		case isEnd(f.Client, name.server) && isEnd(f.Server.FlowEnd, name.client):
			note(&reverse, f)
		case fromClient:
			note(&ofClient, f)
		case toServer:
			note(&ofServer, f)
		}
	}
	hint := ""
	near := func(end string) {
		if id := nearestEnd(end, ends); hint == "" && !known[end] && id != "" {
			hint = fmt.Sprintf("; %q was not seen at all: did you mean %q?", end, id)
		}
	}
	switch {
	case len(otherPort) > 0:
		hint = "; on other ports there is " + names(otherPort)
	case len(reverse) > 0:
		hint = "; the other way round there is " + names(reverse)
	default:
		near(name.client)
		near(name.server)
		switch {
		case hint != "":
		case len(ofServer) > 0:
			hint = "; to this server there is " + names(ofServer)
		case len(ofClient) > 0:
			hint = "; from this client there is " + names(ofClient)
		}
	}
	return fmt.Errorf("--flow %q: no such flow was seen%s", name, hint)
}

// nearestEnd returns the end that is meant by name: an asset by its own ID alone, or
// what is spelt nearly so.
func nearestEnd(name string, ends []string) string {
	for _, e := range ends {
		if _, id, ok := strings.Cut(e, "/"); ok && id == name {
			return e
		}
	}
	return nearestAmong(name, ends)
}
