package packet

import (
	"encoding/binary"

	"bulkhead/capture/pcap"
)

// Parse fills p from a frame of which data were captured and length bytes were
// on the wire, and reports how far it came. What p held before is forgotten.
//
// Headers up to the one that the Outcome speaks of have filled their fields,
// whatever the Outcome. Parse allocates nothing.
func (p *Packet) Parse(link pcap.LinkType, length int, data []byte) Outcome {
	*p = Packet{}
	wire := max(length, len(data))
	switch link {
	case pcap.LinkEthernet:
		return p.ethernet(data, wire)
	case pcap.LinkLinuxSLL:
		return p.cooked(data, wire)
	case pcap.LinkLinuxSLL2:
		return p.cooked2(data, wire)
	case pcap.LinkNull, pcap.LinkLoop:
		return p.loopback(data, wire)
	case pcap.LinkRaw, pcap.LinkRawBSD, pcap.LinkRawOther:
		return p.rawIP(data, wire)
	case pcap.LinkIPv4:
		return p.ipv4(data, wire)
	case pcap.LinkIPv6:
		return p.ipv6(data, wire)
	}
	p.Detail = linkTypes()[link]
	return UnknownLink
}

// Every layer is a method that reads its header at the start of b, of which
// wire bytes were on the wire (at least len(b)), and calls the next one.

// payload ends the way through the layers: nothing further is looked into.
func (p *Packet) payload(b []byte, wire int) {
	p.Payload, p.PayloadLength = b, wire
}

// short is the Outcome of a header that needs more bytes than were captured.
func (p *Packet) short(wire, need int, what string) Outcome {
	p.Detail = what
	if wire >= need {
		return Truncated
	}
	return Malformed
}

func (p *Packet) malformed(what string) Outcome {
	p.Detail = what
	return Malformed
}

// cut shortens b to the n bytes that a length field says it has, which leaves
// link-layer padding out.
func cut(b []byte, n int) []byte { return b[:min(n, len(b)):min(n, len(b))] }

func be16(b []byte) uint16 { return binary.BigEndian.Uint16(b) }
func be32(b []byte) uint32 { return binary.BigEndian.Uint32(b) }
