package packet

import (
	"net/netip"

	"bulkhead/internal/mac"
)

// Packet is what the headers of one frame say. Fields that the frame does not
// have are zero. Slices share the frame's memory.
type Packet struct {
	// Link layer.
	SrcMAC, DstMAC mac.Addr
	VLANs          [MaxVLANs]uint16 // ids, outermost first
	NumVLANs       int              // tags in the frame; above MaxVLANs only the outer ones are kept
	EtherType      uint16           // of the innermost tag or the SNAP header; 0 for other IEEE 802.3 length frames and links without one
	ARP            ARP              // of frames with EtherType 0x0806

	// Network layer; Src is the zero Addr if the frame carries no IP.
	Src, Dst      netip.Addr // 4 bytes long for IPv4, without zone for IPv6
	TTL           uint8      // or hop limit
	Proto         uint8      // IP protocol number behind all extension headers
	Fragment      bool       // an IP fragment with an offset above 0: no transport header
	MoreFragments bool

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

	// Quoted is the packet quoted by an ICMP error: its addresses, protocol and
	// ports as the sender of that packet wrote them.
	Quoted Quote

	// Detail is the cause of an Outcome other than Decoded, in words that a
	// ledger can sum by: "ethertype 0x8892", "ip protocol 47", "ipv4 header".
	Detail string
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
)

// Has reports whether all bits of f are set.
func (t TCPFlags) Has(f TCPFlags) bool { return t&f == f }

// Outcome is how far a frame could be read.
type Outcome uint8

// The outcomes.
const (
	Decoded     Outcome = iota // to the transport, or a link protocol that has a decoder (ARP, LLDP)
	OtherL2                    // the EtherType or LLC service has no decoder
	OtherIP                    // the IP protocol has no decoder
	Fragment                   // a later IP fragment
	UnknownLink                // the link type has no decoder
	Truncated                  // cut by the snap length in front of the transport header's end
	Malformed                  // a header contradicts itself or has no room where it stands
)
