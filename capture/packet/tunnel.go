package packet

import "strconv"

// Tunnel says in what a packet carries another packet or frame.
type Tunnel struct {
	Kind TunnelKind // None if it carries no other

	// ID tells apart what is carried between the same two ends: the key of GRE,
	// the virtual network of VXLAN, Geneve and NVGRE, the session of ERSPAN.
	// HasID is whether there is one that both directions share: the endpoint id
	// of GTP-U and the call id of PPTP are in ID without it, because they name
	// the receiver.
	ID    uint32
	HasID bool

	EtherType uint16 // what is carried, 0x6558 for an Ethernet frame; those of ERSPAN if it is of no known frame type
	VLAN      uint16 // where the mirrored frame of ERSPAN II and III was, 0 if it had no tag
	Truncated bool   // ERSPAN II and III: the mirror has cut the frame

	Payload []byte // what is carried, as far as it was captured
	Length  int    // its length on the wire
}

// TunnelKind is how a packet carries another.
type TunnelKind uint8

// The kinds. GRE is also that of PPTP. IPIP is any IP in any IP but IPv6 in
// IPv4, which is IPv6InIP.
const (
	None TunnelKind = iota
	GRE
	NVGRE
	ERSPAN1
	ERSPAN2
	ERSPAN3
	VXLAN
	Geneve
	IPIP
	IPv6InIP
	Teredo
	GTPU
)

// String returns the word for k in observations, "" for None. The three types
// of ERSPAN share one.
func (k TunnelKind) String() string {
	switch k {
	case GRE:
		return "gre"
	case NVGRE:
		return "nvgre"
	case ERSPAN1, ERSPAN2, ERSPAN3:
		return "erspan"
	case VXLAN:
		return "vxlan"
	case Geneve:
		return "geneve"
	case IPIP:
		return "ipip"
	case IPv6InIP:
		return "6in4"
	case Teredo:
		return "teredo"
	case GTPU:
		return "gtp-u"
	}
	return ""
}

// String returns the kind, and the id if both directions share it: "vxlan 5001",
// "gre".
func (t Tunnel) String() string {
	if !t.HasID {
		return t.Kind.String()
	}
	return t.Kind.String() + " " + strconv.FormatUint(uint64(t.ID), 10)
}

// Inside fills q from the packet or frame that outer carries in its Tunnel, and
// reports how far it came, as Parse does. What q held before is forgotten; q may
// be outer.
//
// Of a frame that ERSPAN mirrored without a tag, the VLAN is that of ERSPAN's
// header. What q carries in turn is in q.Tunnel. Every tunnel takes bytes, so that
// looking inside again and again ends, but it may take as many steps as a frame
// has room for: a caller bounds them.
//
// The Outcome of a packet that carries no other is OtherL2.
func (q *Packet) Inside(outer *Packet) Outcome {
	t := outer.Tunnel
	o, ok := Decoded, false
	if t.EtherType == etherFrame {
		o, ok = q.usual(t.Payload, t.Length)
	}
	if !ok {
		q.forget()
		o = q.carried(t)
	}
	if t.VLAN != 0 && q.NumVLANs == 0 {
		q.VLANs[0], q.NumVLANs = t.VLAN, 1
	}
	return o
}

// carried reads what t carries into the empty q.
func (q *Packet) carried(t Tunnel) Outcome {
	if t.EtherType == etherFrame {
		return q.ethernet(t.Payload, t.Length)
	}
	return q.etherType(t.EtherType, t.Payload, t.Length)
}

// EtherTypes of tunnels. Source: IANA, IEEE 802 Numbers; for ERSPAN
// draft-foschiano-erspan-03, 4.
const (
	etherFrame   = 0x6558 // transparent Ethernet bridging: a frame
	etherPPP     = 0x880b
	etherMPLS    = 0x8847
	etherNSH     = 0x894f
	etherERSPAN  = 0x88be // types I and II
	etherERSPAN3 = 0x22eb
)

// carry notes that the packet carries another, in the tunnel t whose headers
// are the first size bytes of b. In a fragment there is only a part of it, which
// is left to be read when the packet is whole.
func (p *Packet) carry(t Tunnel, b []byte, wire, size int) Outcome {
	p.payload(b, wire)
	if !p.MoreFragments {
		t.Payload, t.Length = b[size:], wire-size
		p.Tunnel, p.rare = t, true
	}
	return Decoded
}

// ipInIP looks at the version of an IP packet that follows another's header,
// which is what the other's protocol number says.
// Sources: RFC 2003; RFC 2473; RFC 4213, 3.
func (p *Packet) ipInIP(b []byte, wire int) Outcome {
	if len(b) == 0 {
		return p.short(wire, 1, "inner ip header")
	}
	t, version := Tunnel{Kind: IPIP, EtherType: etherIPv4}, uint8(4)
	if p.Proto == protoIPv6 {
		t.EtherType, version = etherIPv6, 6
		if p.Src.Is4() {
			t.Kind = IPv6InIP
		}
	}
	if b[0]>>4 != version {
		return p.otherIP(b, wire, ipProtocols()[p.Proto])
	}
	return p.carry(t, b, wire, 0)
}
