package packet

import (
	"net/netip"

	"bulkhead/internal/mac"
)

// Packet is what the headers of one frame say. Fields that the frame does not
// have are zero. Slices share the frame's memory.
//
// The zero Packet is ready for use. Its fields are for [Packet.Parse],
// [Packet.Inside] and [Packet.Whole] to write: what others put into one that is
// used again may stay there.
type Packet struct {
	// Link layer.
	SrcMAC, DstMAC mac.Addr
	VLANs          [MaxVLANs]uint16 // ids, outermost first
	NumVLANs       int              // tags in the frame; above MaxVLANs only the outer ones are kept
	EtherType      uint16           // of the innermost tag, the SNAP header or the tunnel; 0 for other IEEE 802.3 length frames and links without one
	// What a frame without EtherType says instead: the destination service access
	// point of LLC; for SNAP, which is 0xaa, the organisation and its own type, as
	// 0x00000c and 0x2000 for Cisco's discovery protocol.
	SAP        uint8
	Org        uint32
	OrgType    uint16
	Redundancy Redundancy // of PRP and HSR
	ARP        ARP        // of frames with EtherType 0x0806

	// Network layer; Src is the zero Addr if the frame carries no IP.
	Src, Dst      netip.Addr // 4 bytes long for IPv4, without zone for IPv6
	TTL           uint8      // or hop limit
	Proto         uint8      // IP protocol number behind all extension headers
	Fragment      bool       // an IP fragment with an offset above 0: no transport header
	MoreFragments bool
	IPID          uint16 // identification of an IPv4 packet

	// Net is the packet from its network header on, as far as it was captured and
	// without link-layer padding: the IP header and what it carries, for frames
	// without IP what follows the link header.
	Net []byte

	// Of an IP fragment, the first one too, the part that it holds of the payload
	// of the whole packet; of others all are zero. An IPv6 packet that says of
	// itself that it is whole (RFC 6946) is no fragment.
	FragmentData   []byte // as far as it was captured
	FragmentLength int    // on the wire
	FragmentOffset int    // in bytes
	FragmentID     uint32 // identification, of IPv4 and of IPv6
	FragmentProto  uint8  // IP protocol number of the payload's first header

	// Transport layer.
	SrcPort, DstPort uint16 // of TCP, UDP and SCTP
	Seq, Ack         uint32 // of TCP
	Flags            TCPFlags
	Window           uint16

	ICMPType, ICMPCode uint8
	Neighbor           Neighbor // of ICMPv6 neighbour discovery

	// Payload is what the transport carries (behind the link header for frames
	// without IP, behind the IP header for protocols without ports), as far as it
	// was captured and without link-layer padding. PayloadLength is its length on
	// the wire.
	Payload       []byte
	PayloadLength int

	// Tunnel is another packet or frame that this one carries, whole:
	// [Packet.Inside] reads it. A fragment has none before [Packet.Whole].
	Tunnel Tunnel

	// Quoted is the packet quoted by an ICMP error: its addresses, protocol and
	// ports as the sender of that packet wrote them.
	Quoted Quote

	// Detail is the cause of an Outcome other than Decoded, in words that a
	// ledger can sum by: "ethertype 0x8892", "ip protocol 50", "ipv4 header".
	Detail string

	// nested counts the frames and tags that the layers found behind headers other
	// than those of tunnels, which bounds them.
	nested int

	// rare is whether fields may be set that few frames have; see forget.
	rare bool
}

// forget empties p. Fields that hardly any frame has are emptied only after one
// that had them, which is what rare notes: whoever sets a field that forget does
// not name sets rare as well.
func (p *Packet) forget() {
	if p.rare {
		*p = Packet{}
		return
	}
	p.SrcMAC = mac.Addr{}
	p.DstMAC = mac.Addr{}
	p.VLANs = [MaxVLANs]uint16{}
	p.NumVLANs, p.EtherType = 0, 0
	p.Src = netip.Addr{}
	p.Dst = netip.Addr{}
	p.Net, p.Payload, p.PayloadLength, p.Detail = nil, nil, 0, ""
	p.TTL, p.Proto, p.IPID = 0, 0, 0
	p.SrcPort, p.DstPort, p.Seq, p.Ack, p.Flags, p.Window = 0, 0, 0, 0, 0, 0
}

// Quote is the head of the packet that an ICMP error message returns.
type Quote struct {
	Valid            bool
	Src, Dst         netip.Addr
	Proto            uint8
	SrcPort, DstPort uint16
}

// ARP is what an ARP packet for IPv4 over Ethernet says; of others only Op is
// set. Source: RFC 826.
type ARP struct {
	Op                   uint16 // 1 request, 2 reply
	SenderMAC, TargetMAC mac.Addr
	Sender, Target       netip.Addr
}

// Neighbor is the pair of addresses that a neighbour discovery message binds to
// each other: of a solicitation its source and the source link-layer address
// option, of an advertisement its target and the target option. MAC is zero if
// the message binds none. Source: RFC 4861, 4.
type Neighbor struct {
	Addr netip.Addr
	MAC  mac.Addr
}

// MaxVLANs is how many tags of a stack are kept.
const MaxVLANs = 4

// VLAN returns the outer VLAN id, 0 if the frame is untagged or priority-tagged.
func (p *Packet) VLAN() uint16 {
	if p.NumVLANs == 0 {
		return 0
	}
	return p.VLANs[0]
}

// TCPFlags are the control bits of a TCP header. Source: RFC 9293, 3.1.
type TCPFlags uint8

// The control bits.
const (
	FIN TCPFlags = 1 << iota
	SYN
	RST
	PSH
	ACK
	URG

	allFlags = FIN | SYN | RST | PSH | ACK | URG
)

// Has reports whether all bits of f are set.
func (t TCPFlags) Has(f TCPFlags) bool { return t&f == f }

// Outcome is how far a frame could be read.
type Outcome uint8

// The outcomes.
const (
	Decoded     Outcome = iota // to the transport, the header of a tunnel, or a link protocol that has a decoder (ARP, LLDP)
	OtherL2                    // the EtherType or LLC service has no decoder
	OtherIP                    // the IP protocol has no decoder
	Fragment                   // a later IP fragment
	UnknownLink                // the link type has no decoder
	Truncated                  // cut by the snap length in front of the transport header's end
	Malformed                  // a header contradicts itself or has no room where it stands
)
