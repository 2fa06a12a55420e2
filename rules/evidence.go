package rules

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"bulkhead/capture"
	"bulkhead/zones"
)

// evidence returns the frames that show a hit: of each of its flow's sights that
// bears the operations in question, or of all of them.
func (s *scene) evidence(h hit) []Evidence {
	if h.flow == nil {
		if h.evidence == nil {
			return nil
		}
		return []Evidence{*h.evidence}
	}
	var out []Evidence
	words := h.flow.who() + ": " + h.did()
	for i := range h.flow.sights {
		x := &h.flow.sights[i]
		var ops []*capture.Operation
		for _, op := range h.ops {
			if op.sight == x {
				ops = append(ops, op.Operation)
			}
		}
		if len(h.ops) > 0 && len(ops) == 0 {
			continue
		}
		c := x.conv
		e := Evidence{
			Capture: s.obs.Captures[c.Capture].SHA256,
			Count:   c.Packets.Sent + c.Packets.Received,
			Frames:  []uint64{},
			First:   c.First, Last: c.Last,
			Filter:      filter(c, ops),
			CommunityID: c.Example.CommunityID,
			Flow:        words,
		}
		if len(ops) > 0 {
			e.Count = 0
		}
		for _, op := range ops {
			e.Count += op.Count
			for _, f := range op.Frames {
				e.Frames = append(e.Frames, f.Frame)
			}
		}
		if len(e.Frames) == 0 && c.Example.Frame > 0 {
			e.Frames = append(e.Frames, c.Example.Frame)
		}
		slices.Sort(e.Frames)
		e.Frames = slices.Compact(e.Frames)
		e.Frames = e.Frames[:min(len(e.Frames), capture.MaxFrames)]
		out = append(out, e)
	}
	return out
}

// who names the ends of a flow: "operations/hist (10.2.0.5) to bpcs/plc-1
// (10.3.0.11)". Several findings may show the same flow, so the words are kept.
func (f *judged) who() string {
	if f.whoText == "" {
		f.whoText = endText(f.client, f.first.Client) + " to " + endText(f.server, f.first.Server.Peer)
	}
	return f.whoText
}

func endText(l zones.Location, p capture.Peer) string {
	if l.Asset != nil {
		return l.Asset.Ref() + " (" + addressText(p) + ")"
	}
	if id := l.ID(); id != "" {
		return addressText(p) + " in " + id
	}
	return addressText(p)
}

func addressText(p capture.Peer) string {
	if p.IP.IsValid() {
		return p.IP.String()
	}
	return p.MAC.String()
}

// spoke names the service of a flow: "modbus on tcp/502".
func (f *judged) spoke() string {
	name := f.protocolText()
	switch f.first.Transport {
	case capture.L2, capture.OverICMP:
		if f.first.Protocol != capture.Unknown {
			return name // the transport's number says no more
		}
	}
	return name + " on " + serviceText(f.first)
}

// protocolText names the protocol of a flow and, if nothing but the port tells it,
// says so.
func (f *judged) protocolText() string {
	switch {
	case f.first.Protocol == capture.Unknown:
		return "an unknown protocol"
	case f.protocolBasis == capture.Port:
		return fmt.Sprintf("%s (by its port)", f.first.Protocol)
	}
	return string(f.first.Protocol)
}

// asked returns the operations that show a hit.
func (s *scene) asked(h *hit) []FlowOperation {
	if len(h.ops) == 0 {
		return h.flow.ops
	}
	return s.operations(h.flow, func(x *sight, op *capture.Operation) bool { return slices.Contains(h.ops, operation{x, op}) })
}

// did names the service of a hit's flow and what was asked for there: "modbus on
// tcp/502 (modbus 6 Write Single Register ×4 accepted)". Of all operations of a
// flow the words are kept, as those of who are.
func (h hit) did() string {
	if len(h.ops) > 0 {
		return h.flow.spoke() + h.inBrackets()
	}
	if h.flow.didText == "" {
		h.flow.didText = h.flow.spoke() + h.inBrackets()
	}
	return h.flow.didText
}

func (h hit) inBrackets() string {
	if len(h.asked) == 0 {
		return ""
	}
	return " (" + OperationsText(h.asked) + ")"
}

func serviceText(c *capture.Conversation) string {
	return capture.Service{Transport: c.Transport, First: c.Server.Port, Last: c.Server.Port}.String()
}

// operationsText names operations: `write (Write Single Register, code 6)`.
func operationsText(ops []operation) string {
	var parts []string
	for _, op := range ops {
		part := fmt.Sprintf("%s (%s, code %s)", op.Class, op.Name, op.Code)
		if !slices.Contains(parts, part) {
			parts = append(parts, part)
		}
	}
	const shown = 4
	if len(parts) > shown {
		parts = append(parts[:shown], fmt.Sprintf("%d more", len(parts)-shown))
	}
	return strings.Join(parts, ", ")
}

// filter returns a Wireshark display filter that shows a conversation, or of it
// the PDUs of some operations.
func filter(c *capture.Conversation, ops []*capture.Operation) string {
	parts := append(make([]string, 0, 5), endFilter(c.Client), endFilter(c.Server.Peer))
	switch c.Transport {
	case capture.TCP, capture.UDP, capture.SCTP:
		parts = append(parts, string(c.Transport)+".port=="+strconv.Itoa(int(c.Server.Port)))
	case capture.L2:
		parts = append(parts, fmt.Sprintf("eth.type==0x%04x", c.Server.Port))
	case capture.OverIP:
		if c.Client.IP.Is4() {
			parts = append(parts, fmt.Sprintf("ip.proto==%d", c.Server.Port))
		}
	case capture.OverICMP:
		if c.Client.IP.Is4() {
			parts = append(parts, "icmp")
		} else {
			parts = append(parts, "icmpv6")
		}
	}
	if c.VLAN != 0 {
		parts = append(parts, fmt.Sprintf("vlan.id==%d", c.VLAN))
	}
	var kinds []string
	for _, op := range ops {
		kind := operationFilter(op)
		if kind == "" {
			kinds = nil
			break // no field tells it apart: the whole conversation is shown
		}
		if !slices.Contains(kinds, kind) {
			kinds = append(kinds, kind)
		}
	}
	switch {
	case len(kinds) == 1:
		parts = append(parts, kinds[0])
	case len(kinds) > 1:
		parts = append(parts, "("+strings.Join(kinds, " || ")+")")
	}
	return strings.Join(parts, " && ")
}

func endFilter(p capture.Peer) string {
	ip := p.IP
	switch {
	case !ip.IsValid():
		return "eth.addr==" + p.MAC.String()
	case ip.Unmap().Is4():
		return "ip.addr==" + ip.Unmap().String()
	}
	return "ipv6.addr==" + ip.WithZone("").String()
}

// operationFilter returns the display filter field that tells an operation apart,
// or "". Names of fields: Wireshark 4.0, Display Filter Reference.
func operationFilter(op *capture.Operation) string {
	switch op.Protocol {
	case capture.Modbus:
		return "modbus.func_code==" + op.Code
	case capture.S7comm:
		if code, ok := strings.CutPrefix(op.Code, "job:"); ok {
			return "s7comm.param.func==" + code
		}
	case capture.CIP:
		return "cip.sc==" + op.Code
	case capture.ENIP:
		return "enip.command==" + op.Code
	case capture.DNP3:
		return "dnp3.al.func==" + op.Code
	case capture.IEC104:
		return "iec60870_asdu.typeid==" + op.Code
	case capture.OPCUA:
		if op.Code != "" && op.Code[0] >= '0' && op.Code[0] <= '9' {
			return "opcua.servicenodeid.numeric==" + op.Code
		}
		return fmt.Sprintf("opcua.transport.type==%q", op.Code)
	}
	return ""
}
