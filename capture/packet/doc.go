// Package packet reads one captured frame from the link up to the transport:
// addresses, VLAN tags, ports, TCP fields and where the payload lies.
//
// [Packet.Parse] is the fast path: it fills a Packet that the caller reuses and
// allocates nothing. Every frame ends in exactly one [Outcome], so that a ledger
// of outcomes sums to the frames. [Packet.Inside] reads on where a packet carries
// another, [Packet.Whole] where one was sent in fragments that the caller has put
// together.
//
// # What is read
//
// Links: Ethernet with any stack of 802.1Q, 802.1ad and 0x9100 tags, IEEE 802.3
// length frames with LLC and SNAP, the tags and trailers of redundant networks
// (PRP, HSR), of switches and of provider backbones, MACsec as far as it is not
// encrypted, MPLS and pseudowires, PPPoE; Linux cooked headers of both versions,
// BSD null and OpenBSD loop headers, raw IP, PPP, Cisco HDLC, Frame Relay, IEEE
// 802.11 with the headers that monitors put in front, and those that firewalls
// and other devices log packets in. Above them ARP, IPv4, IPv6 with its extension
// headers, TCP, UDP, SCTP, ICMP with the packet that an error quotes, ICMPv6 with
// the addresses that neighbour discovery binds. LLDP is told apart and left to
// its own decoder. Checksums are not verified: captures of a sending host hold
// those that its network card had not filled in yet.
//
// Every layer is a method of Packet. Ethernet frames of the usual kinds take a
// short way past them, which a fuzz test holds to the same result.
//
// # Tunnels
//
// A [Tunnel] is what a packet carries another packet or frame in, and nothing of
// the other is mixed into the outer one's fields: GRE (RFC 2784, RFC 2890) with
// NVGRE (RFC 7637) and PPTP (RFC 2637), ERSPAN I to III (draft-foschiano-erspan),
// VXLAN (RFC 7348, draft-ietf-nvo3-vxlan-gpe), Geneve (RFC 8926), IP in IP (RFC
// 2003, RFC 2473), IPv6 in IPv4 (RFC 4213), Teredo (RFC 4380) and GTP-U (3GPP TS
// 29.281). Those over UDP are known by a port together with a header that keeps
// to its standard in every bit and a plausible packet behind it; with a port of
// its own choosing a tunnel is a datagram like any other, and so is what Teredo's
// peers say to each other. Encrypted ones (IPsec, WireGuard) are no tunnels here.
//
// # Limits
//
// [MaxVLANs] tags of a stack are kept, all are counted. At most 16 headers are
// walked between IP and the transport. Ports of a quoted IPv6 packet are read
// only where its transport follows at once. A length of an IP packet above that
// of the frame is taken for a frame that was cut by a program that then forgot
// the length on the wire: what is there is used, and PayloadLength is what the
// headers say, at most 64 KiB unless they leave it open. The first fragment of a
// packet is read as far as it goes, but for a tunnel. How many tunnels deep to
// look is for the caller to bound.
package packet
