package observe

import (
	"net/netip"

	"bulkhead/capture"
	"bulkhead/capture/packet"
	"bulkhead/internal/mac"
)

// parcel is what a shard is told of one packet: the headers that matter, and
// where the payload lies. It is small, because one is written and read for every
// frame.
type parcel struct {
	key  flowKey
	hash uint64 // of key

	payload       []byte // shares memory with the frame
	payloadLength int32  // on the wire
	contradicted  int32  // bytes of the packet's pieces that were sent again with another content
	length        uint64 // of the frame, or of all frames of a packet that was in pieces
	frames        uint32 // of which it was made; 0 if it is in a frame that another parcel stands for
	seq, ack      uint32
	sum           uint64 // of payload, unforeseeable
	number        uint64
	offset        int64
	time          capture.Time

	src, dst mac.Addr
	vlan     uint16
	ttl      uint8
	flags    packet.TCPFlags
	from     uint8
	kind     parcelKind
	cut      bool // payload is not all that was on the wire, or not all of a message
	tunnel   packet.TunnelKind

	more *packet.Packet // of ICMP, ARP and the like, what else they say
}

// parcelKind says what is to be done with a parcel.
type parcelKind uint8

const (
	wholePacket parcelKind = iota
	headersOnly            // its transport header, or what is behind it, could not be read
	duplicate              // the same packet was there before
	refusal                // of the connection with this key, by an ICMP error
)

// addr returns the address of the sender (0) or the receiver (1).
func (p *parcel) addr(end int) netip.Addr { return p.key.addr(int(p.from) ^ end) }

// fill writes the fields that are the same for every kind.
func (p *parcel) fill(h *packet.Packet) {
	p.payload, p.payloadLength = h.Payload, int32(h.PayloadLength)
	p.cut = len(h.Payload) < h.PayloadLength
	p.seq, p.ack, p.flags = h.Seq, h.Ack, h.Flags
	p.src, p.dst, p.ttl = h.SrcMAC, h.DstMAC, h.TTL
	p.vlan = h.VLAN()
	p.tunnel = h.Tunnel.Kind
	p.contradicted = 0
}
