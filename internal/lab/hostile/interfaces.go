package hostile

import (
	"encoding/binary"
	"io"

	"bulkhead/internal/lab/wire"
)

// Interfaces is a pcapng file of one section in which an Interface Description
// Block with a name and a resolution of its own stands in front of each of the n
// frames. Source: draft-ietf-opsawg-pcapng, 4.1 to 4.3.
func Interfaces(n int64) io.ReadCloser {
	le := binary.LittleEndian
	head := le.AppendUint32(nil, 0x0a0d0d0a)
	head = le.AppendUint32(head, 28)
	head = le.AppendUint32(head, 0x1a2b3c4d)
	head = le.AppendUint32(head, 1) // version 1.0
	head = le.AppendUint64(head, ^uint64(0))
	head = le.AppendUint32(head, 28)
	const (
		size    = 54 // of a frame
		padding = 2
		block   = 32 + size + padding
		hour    = 0x00065d3c // the high word of a time in 2026, in microseconds
	)
	units := int64(0)
	return wire.NewReader(head, func(b []byte) []byte {
		if units == n {
			return b
		}
		i := uint32(units)
		units++
		b = le.AppendUint32(b, 1)
		b = le.AppendUint32(b, 44)
		b = le.AppendUint32(b, 1)     // Ethernet
		b = le.AppendUint32(b, 65535) // snap length
		b = append(b, 2, 0, 8, 0)     // name
		for shift := 28; shift >= 0; shift -= 4 {
			b = append(b, "0123456789abcdef"[i>>shift&15])
		}
		b = append(b, 9, 0, 1, 0, byte(6+i%4), 0, 0, 0) // resolution: 10^-6 to 10^-9 s
		b = append(b, 0, 0, 0, 0)                       // end of options
		b = le.AppendUint32(b, 44)

		b = le.AppendUint32(b, 6)
		b = le.AppendUint32(b, block)
		b = le.AppendUint32(b, i)
		b = le.AppendUint32(b, hour)
		b = le.AppendUint32(b, i)
		b = le.AppendUint32(b, size)
		b = le.AppendUint32(b, size)
		b = wire.AppendEthernet(b, victim.mac, attacker.mac, 0, wire.EtherTypeIPv4)
		b = wire.AppendUDP(b, wire.IPv4{Src: attacker.ip, Dst: victim.ip, ID: uint16(i), TTL: 64}, firstPort, 514, []byte("<14>hello   "))
		b = append(b, make([]byte, padding)...)
		return le.AppendUint32(b, block)
	})
}
