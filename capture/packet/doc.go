// Package packet reads one captured frame from the link up to the transport:
// addresses, VLAN tags, ports, TCP fields and where the payload lies.
//
// [Packet.Parse] is the fast path: it fills a Packet that the caller reuses and
// allocates nothing. Every frame ends in exactly one [Outcome], so that a ledger
// of outcomes sums to the frames.
//
// # What is read
//
// Links: Ethernet with any stack of 802.1Q, 802.1ad and 0x9100 tags, IEEE 802.3
// length frames with LLC and SNAP, Linux cooked headers of both versions, BSD
// null and OpenBSD loop headers, raw IP. Above them ARP, IPv4, IPv6 with its
// extension headers, TCP, UDP, SCTP, ICMP with the packet that an error quotes,
// ICMPv6 with the addresses that neighbour discovery binds. LLDP is told apart
// and left to its own decoder. Checksums are not verified: captures of a sending
// host hold those that its network card had not filled in yet.
//
// # Limits
//
// [MaxVLANs] tags of a stack are kept, all are counted. At most 16 headers are
// walked between IP and the transport. Ports of a quoted IPv6 packet are read
// only where its transport follows at once. A length of an IP packet above that
// of the frame is taken for a frame that was cut by a program that then forgot
// the length on the wire: what is there is used, and PayloadLength is what the
// headers say, at most 64 KiB. Fragments are not put together; the first one is
// read as far as it goes.
package packet
