package store

import (
	"net/netip"
	"strings"
	"unicode/utf8"

	"bulkhead/capture"
)

// The rows made here point into their arguments, which must outlive them.

func conversationRow(c *capture.Conversation) row {
	r := row{
		Record: conversationRecord, Capture: int32(c.Capture), VLAN: &c.VLAN,
		Transport: string(c.Transport), ServerPort: &c.Server.Port,
		Attempted: &c.State.Attempted, Refused: &c.State.Refused,
		Established: &c.State.Established, Answered: &c.State.Answered, Connections: &c.Connections,
		PacketsSent: &c.Packets.Sent, PacketsRecvd: &c.Packets.Received,
		BytesSent: &c.Bytes.Sent, BytesRecvd: &c.Bytes.Received,
		ExampleFrame: &c.Example.Frame,

		Tunnel:   text(c.Tunnel),
		ClientIP: address(c.Client.IP), ClientMAC: c.Client.MAC.String(),
		ServerIP: address(c.Server.IP), ServerMAC: c.Server.MAC.String(),
		Protocol: string(c.Protocol), ProtocolBasis: string(c.ProtocolBasis), RoleBasis: string(c.RoleBasis),
		PayloadSent: &c.Payload.Sent, PayloadRecvd: &c.Payload.Received,
		LostBytes: &c.LostBytes, Contradicted: &c.ContradictedBytes, Duplicates: &c.Duplicates,
		OperationsCut: &c.OperationsCut, Undecoded: &c.Undecoded,
		ProtectionNone: &c.Protection.None, ProtectionSigns: &c.Protection.Integrity,
		ProtectionFull: &c.Protection.Encrypted, ProtectionOpen: &c.Protection.Unknown,
		SNMP: texts(c.Security.SNMP), SMB: texts(c.Security.SMB), SecurityCut: &c.Security.Cut,
		FiveTuple: text(c.Example.FiveTuple), CommunityID: text(c.Example.CommunityID),
	}
	r.First, r.FirstDigits = instant(c.First)
	r.Last, r.LastDigits = instant(c.Last)
	for _, l := range c.Links {
		r.Links = append(r.Links, linkRow{l.ClientMAC.String(), l.ServerMAC.String(), l.ClientTTL, l.ServerTTL, l.Count})
	}
	for i := range c.Operations {
		r.Operations = append(r.Operations, operationRowOf(&c.Operations[i]))
	}
	for _, f := range c.Security.TLS {
		r.TLS = append(r.TLS, tlsRow{text(f.Version), text(f.Cipher), f.Frame})
	}
	for _, f := range c.Security.OPCUA {
		r.OPCUA = append(r.OPCUA, opcuaRow{text(f.Policy), text(f.Mode), f.Frame})
	}
	for _, f := range c.Security.Auth {
		r.Auth = append(r.Auth, authRow{text(f.Kind), f.Readable, int64(f.Length), f.Accepted, f.Count, f.Frame})
	}
	return r
}

func operationRowOf(op *capture.Operation) operationRow {
	r := operationRow{
		Protocol: string(op.Protocol), Name: text(op.Name), Code: text(op.Code), From: op.From.String(), Class: string(op.Class),
		Count: op.Count, Accepted: op.Accepted, Refused: op.Refused, Unanswered: op.Unanswered,
		Frames: make([]uint64, len(op.Frames)), Units: op.Details.Units, DetailsCut: op.Details.Cut, ActiveCut: op.ActiveCut,
	}
	for i, f := range op.Frames {
		r.Frames[i] = f.Frame
	}
	for _, o := range op.Details.Objects {
		r.Objects = append(r.Objects, objectRow{text(o.Space), o.First, o.Last})
	}
	for _, a := range op.Active {
		from, digits := instant(a.From)
		r.Active = append(r.Active, runRow{from, digits, a.Minutes, a.Count, a.Frame})
	}
	return r
}

func foldedRow(f *capture.Folded) row {
	r := row{
		Record: foldedRecord, Capture: int32(f.Capture),
		Tunnel:        text(f.Tunnel),
		ClientNetwork: network(f.Client), ServerNetwork: network(f.Server),
		Transport: string(f.Transport), ServerPort: &f.Port,
		Attempted: &f.State.Attempted, Refused: &f.State.Refused,
		Established: &f.State.Established, Answered: &f.State.Answered, Connections: &f.Connections,
		PacketsSent: &f.Packets.Sent, PacketsRecvd: &f.Packets.Received,
		BytesSent: &f.Bytes.Sent, BytesRecvd: &f.Bytes.Received,
		ExampleFrame: &f.Frame,
	}
	r.First, r.FirstDigits = instant(f.First)
	r.Last, r.LastDigits = instant(f.Last)
	return r
}

func endpointRow(e *capture.Endpoint) row {
	r := row{
		Record: endpointRecord, Capture: int32(e.Capture), VLAN: &e.VLAN,
		IP: address(e.IP), MAC: e.MAC.String(), Vendor: text(e.Vendor),
		Frames: &e.Frames, ARP: &e.ARP, NamesCut: &e.Cut,
	}
	r.First, r.FirstDigits = instant(e.First)
	r.Last, r.LastDigits = instant(e.Last)
	for _, n := range e.Names {
		r.Names = append(r.Names, nameRow{text(n.Name), text(n.Source), n.Frame})
	}
	for _, d := range e.Identities {
		r.Identities = append(r.Identities, identityRow{text(d.Vendor), text(d.Model), text(d.Firmware), text(d.Serial), text(d.Source), d.Frame})
	}
	return r
}

// text returns s as Parquet and JSON can hold it: what is no UTF-8, as the path
// of a file may be, becomes U+FFFD byte by byte, as encoding/json has it.
func text(s string) string {
	if utf8.ValidString(s) {
		return s
	}
	return string([]rune(s))
}

func texts(list []string) []string {
	var out []string
	for _, s := range list {
		out = append(out, text(s))
	}
	return out
}

func address(a netip.Addr) string {
	if !a.IsValid() {
		return ""
	}
	return a.String()
}

func network(p netip.Prefix) string {
	if p == (netip.Prefix{}) {
		return ""
	}
	return p.String()
}

// instant returns nanoseconds since 1970 and how many decimal places of the
// second are known; nil for the zero Time.
func instant(t capture.Time) (ns *int64, digits *uint8) {
	if t.IsZero() {
		return nil, nil
	}
	n, d := t.UnixNano(), uint8(0)
	// The digits known are those that the time's text shows.
	if _, fraction, ok := strings.Cut(t.String(), "."); ok {
		d = uint8(len(fraction) - len("Z"))
	}
	return &n, &d
}
