package store

import (
	"fmt"
	"net/netip"

	"bulkhead/capture"
	"bulkhead/internal/mac"
)

// decoder turns the cells of one row into values and keeps the first fault.
type decoder struct{ err error }

// fault notes what is wrong with the cell of a column.
func (d *decoder) fault(column, format string, args ...any) {
	if d.err == nil {
		d.err = fmt.Errorf("%s: %s", column, fmt.Sprintf(format, args...))
	}
}

func (d *decoder) conversation(r *row) capture.Conversation {
	return capture.Conversation{
		Capture: int(r.Capture), Tunnel: r.Tunnel, VLAN: number(r.VLAN),
		Client: capture.Peer{IP: d.address("client_ip", r.ClientIP), MAC: d.mac("client_mac", r.ClientMAC)},
		Server: capture.Server{
			Peer: capture.Peer{IP: d.address("server_ip", r.ServerIP), MAC: d.mac("server_mac", r.ServerMAC)},
			Port: number(r.ServerPort),
		},
		Transport: capture.Transport(r.Transport), Protocol: capture.Protocol(r.Protocol),
		ProtocolBasis: capture.Basis(r.ProtocolBasis), RoleBasis: capture.Basis(r.RoleBasis),
		State: r.state(), Connections: number(r.Connections),
		Packets:   capture.Volume{Sent: number(r.PacketsSent), Received: number(r.PacketsRecvd)},
		Bytes:     capture.Volume{Sent: number(r.BytesSent), Received: number(r.BytesRecvd)},
		Payload:   capture.Volume{Sent: number(r.PayloadSent), Received: number(r.PayloadRecvd)},
		LostBytes: number(r.LostBytes), ContradictedBytes: number(r.Contradicted), Duplicates: number(r.Duplicates),
		First: d.instant("first", r.First, r.FirstDigits), Last: d.instant("last", r.Last, r.LastDigits),
		Links: present(listOf(r.Links, func(l *linkRow) capture.Link {
			return capture.Link{
				ClientMAC: d.mac("links.client_mac", l.ClientMAC), ServerMAC: d.mac("links.server_mac", l.ServerMAC),
				ClientTTL: l.ClientTTL, ServerTTL: l.ServerTTL, Count: l.Count,
			}
		})),
		Operations:    present(listOf(r.Operations, d.operation)),
		OperationsCut: number(r.OperationsCut), Undecoded: number(r.Undecoded),
		Protection: capture.Protection{
			None: number(r.ProtectionNone), Integrity: number(r.ProtectionSigns),
			Encrypted: number(r.ProtectionFull), Unknown: number(r.ProtectionOpen),
		},
		Security: capture.Security{
			TLS:   listOf(r.TLS, func(f *tlsRow) capture.TLSFact { return capture.TLSFact(*f) }),
			OPCUA: listOf(r.OPCUA, func(f *opcuaRow) capture.OPCUAFact { return capture.OPCUAFact(*f) }),
			SNMP:  listOf(r.SNMP, func(s *string) string { return *s }),
			SMB:   listOf(r.SMB, func(s *string) string { return *s }),
			Auth: listOf(r.Auth, func(f *authRow) capture.AuthFact {
				return capture.AuthFact{
					Kind: f.Kind, Readable: f.Readable, Length: d.length("auth.length", f.Length),
					Accepted: f.Accepted, Count: f.Count, Frame: f.Frame,
				}
			}),
			Cut: number(r.SecurityCut),
		},
		Example: capture.Example{Frame: number(r.ExampleFrame), FiveTuple: r.FiveTuple, CommunityID: r.CommunityID},
	}
}

func (d *decoder) operation(r *operationRow) capture.Operation {
	op := capture.Operation{
		Protocol: capture.Protocol(r.Protocol), Name: r.Name, Code: r.Code, Class: capture.Class(r.Class),
		Count: r.Count, Accepted: r.Accepted, Refused: r.Refused, Unanswered: r.Unanswered,
		Frames: present(listOf(r.Frames, func(f *uint64) capture.FrameRef { return capture.FrameRef{Frame: *f} })),
		Details: capture.Details{
			Units:   listOf(r.Units, func(u *uint16) uint16 { return *u }),
			Objects: listOf(r.Objects, func(o *objectRow) capture.ObjectRange { return capture.ObjectRange(*o) }),
			Cut:     r.DetailsCut,
		},
		Active: present(listOf(r.Active, func(a *runRow) capture.Run {
			return capture.Run{From: d.instant("operations.active.from", a.From, a.FromDigits), Minutes: a.Minutes, Count: a.Count, Frame: a.Frame}
		})),
		ActiveCut: r.ActiveCut,
	}
	if err := op.From.UnmarshalText([]byte(r.From)); err != nil {
		d.fault("operations.from", "%v", err)
	}
	return op
}

func (d *decoder) folded(r *row) capture.Folded {
	return capture.Folded{
		Capture: int(r.Capture), Tunnel: r.Tunnel,
		Client: d.network("client_network", r.ClientNetwork), Server: d.network("server_network", r.ServerNetwork),
		Transport: capture.Transport(r.Transport), Port: number(r.ServerPort),
		State: r.state(), Connections: number(r.Connections),
		Packets: capture.Volume{Sent: number(r.PacketsSent), Received: number(r.PacketsRecvd)},
		Bytes:   capture.Volume{Sent: number(r.BytesSent), Received: number(r.BytesRecvd)},
		First:   d.instant("first", r.First, r.FirstDigits), Last: d.instant("last", r.Last, r.LastDigits),
		Frame: number(r.ExampleFrame),
	}
}

func (d *decoder) endpoint(r *row) capture.Endpoint {
	return capture.Endpoint{
		Capture: int(r.Capture), VLAN: number(r.VLAN),
		IP: d.address("ip", r.IP), MAC: d.mac("mac", r.MAC), Vendor: r.Vendor, Frames: number(r.Frames),
		First: d.instant("first", r.First, r.FirstDigits), Last: d.instant("last", r.Last, r.LastDigits),
		ARP:        number(r.ARP),
		Names:      present(listOf(r.Names, func(n *nameRow) capture.Name { return capture.Name(*n) })),
		Identities: present(listOf(r.Identities, func(i *identityRow) capture.Identity { return capture.Identity(*i) })),
		Cut:        number(r.NamesCut),
	}
}

func (r *row) state() capture.State {
	return capture.State{
		Attempted: number(r.Attempted), Refused: number(r.Refused),
		Established: number(r.Established), Answered: number(r.Answered),
	}
}

// number returns what a cell holds, and nothing for null: Write leaves no null
// where a number has a meaning.
func number[T any](cell *T) (v T) {
	if cell != nil {
		v = *cell
	}
	return v
}

// listOf converts a list; an empty one becomes nil.
func listOf[From, To any](list []From, convert func(*From) To) []To {
	var out []To
	if len(list) > 0 {
		out = make([]To, len(list))
	}
	for i := range list {
		out[i] = convert(&list[i])
	}
	return out
}

// present makes an empty list of a nil one: the lists that the JSON form always
// shows are never nil in observations.
func present[T any](list []T) []T {
	if list == nil {
		return []T{}
	}
	return list
}

func (d *decoder) address(column, s string) netip.Addr {
	if s == "" {
		return netip.Addr{}
	}
	a, err := netip.ParseAddr(s)
	if err != nil {
		d.fault(column, "%q is no IP address", short(s))
	}
	return a
}

func (d *decoder) network(column, s string) netip.Prefix {
	if s == "" {
		return netip.Prefix{}
	}
	p, err := netip.ParsePrefix(s)
	if err != nil {
		d.fault(column, "%q is no network such as 10.1.2.0/24", short(s))
	}
	return p
}

func (d *decoder) mac(column, s string) mac.Addr {
	if s == "" {
		return mac.Addr{}
	}
	m, err := mac.Parse(s)
	if err != nil {
		d.fault(column, "%q is no MAC address such as 00:80:f4:0e:11:22", short(s))
	}
	return m
}

func (d *decoder) instant(column string, ns *int64, digits *uint8) capture.Time {
	switch {
	case ns == nil:
		return capture.Time{}
	case digits == nil || *digits > 9:
		d.fault(column+"_digits", "expected 0 to 9 where %s is not null", column)
	}
	return capture.NewTime(*ns, number(digits))
}

func (d *decoder) length(column string, n int64) int {
	if n < 0 || n > maxLength {
		d.fault(column, "%d is not from 0 to %d", n, maxLength)
		return 0
	}
	return int(n)
}

// short cuts text that goes into an error.
func short(s string) string {
	const most = 60
	if len(s) <= most {
		return s
	}
	return s[:most] + "..."
}
