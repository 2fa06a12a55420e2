package hostile

import (
	"io"

	"bulkhead/internal/lab/wire"
)

const (
	moreFragments = 0x2000
	fragmentSize  = 1400 // a multiple of 8
	overlaps      = 4    // fragments of a datagram
)

// fragment appends a record with one fragment of a UDP datagram: offset counts
// bytes of the datagram.
func (c *capture) fragment(b []byte, from, to host, id uint16, offset int, data []byte) []byte {
	b, record := c.begin(b)
	b = wire.AppendEthernet(b, to.mac, from.mac, 0, wire.EtherTypeIPv4)
	ip := wire.IPv4{Src: from.ip, Dst: to.ip, ID: id, Fragment: moreFragments | uint16(offset/8), TTL: 64}
	b = wire.AppendIPv4(b, ip, wire.ProtocolUDP, len(data))
	return wire.EndRecord(append(b, data...), record)
}

// datagram is the front of a datagram of 60,000 bytes to OPC UA's port.
func datagram() []byte {
	data := make([]byte, fragmentSize)
	copy(data, []byte{0xc0, 0x00, 0x12, 0xe8, 0xea, 0x60, 0, 0}) // ports 49152 and 4840, length, no checksum
	return data
}

// FirstFragments is the first fragment of n datagrams of which nothing follows.
func FirstFragments(n int64) io.ReadCloser {
	data := datagram()
	return open(n, func(c *capture, b []byte, i uint32) []byte {
		return c.fragment(b, stranger(i>>16), victim, uint16(i), 0, data)
	})
}

// OverlappingFragments is n datagrams in fragments that lie half over each other
// with other content, a hole between the first and the rest.
// Source: RFC 1858, 4; RFC 5722 forbids the like for IPv6.
func OverlappingFragments(n int64) io.ReadCloser {
	data := datagram()
	other := make([]byte, fragmentSize)
	return open(n, func(c *capture, b []byte, i uint32) []byte {
		from, id := stranger(i>>16), uint16(i)
		for k := range overlaps {
			part, offset := data, 0
			if k > 0 {
				part, offset = other, fragmentSize+8+k*fragmentSize/2&^7
			}
			for at := range 8 {
				other[at*fragmentSize/8] = byte(i) + byte(k)
			}
			b = c.fragment(b, from, victim, id, offset, part)
		}
		return b
	})
}
