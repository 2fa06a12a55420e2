package packet

import (
	"net/netip"

	"bulkhead/internal/mac"
)

// arp reads an ARP packet. Source: RFC 826.
func (p *Packet) arp(b []byte, wire int) Outcome {
	const header = 8
	if len(b) < header {
		return p.short(wire, header, "arp header")
	}
	hardware, protocol := int(b[4]), int(b[5])
	size := header + 2*(hardware+protocol)
	if len(b) < size {
		return p.short(wire, size, "arp addresses")
	}
	p.payload(b[:size:size], size)
	p.rare = true
	p.ARP.Op = be16(b[6:])
	if hardware == 6 && protocol == 4 && be16(b[2:]) == etherIPv4 {
		p.ARP.SenderMAC, p.ARP.Sender = mac.Addr(b[8:14]), netip.AddrFrom4([4]byte(b[14:18]))
		p.ARP.TargetMAC, p.ARP.Target = mac.Addr(b[18:24]), netip.AddrFrom4([4]byte(b[24:28]))
	}
	return Decoded
}
