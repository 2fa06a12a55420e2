package hostile

import (
	"encoding/binary"
	"io"

	"bulkhead/internal/lab/wire"
)

// LinkFlood is n frames straight on the link, each with another pair of
// addresses, VLAN and EtherType. The EtherTypes are of a range in which hardly any
// is assigned.
func LinkFlood(n int64) io.ReadCloser {
	const (
		first, etherTypes = 0xa000, 0x5000
		vlans             = 4094
	)
	return open(n, func(c *capture, b []byte, i uint32) []byte {
		s := scatter(i)
		var dst, src wire.MAC
		dst[0], src[0] = 2, 2
		binary.BigEndian.PutUint32(dst[2:], ^s)
		binary.BigEndian.PutUint32(src[2:], s)
		b, record := c.begin(b)
		b = wire.AppendEthernet(b, dst, src, uint16(1+s%vlans), uint16(first+s%etherTypes))
		return wire.EndRecord(b, record)
	})
}
