package packet

import (
	"net/netip"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"bulkhead/capture/pcap"
)

// FuzzParse checks that the payload lies within the frame, that a Packet keeps
// nothing of the frame before, and that every outcome but Decoded has a cause.
func FuzzParse(f *testing.F) {
	tcp := bytesOf(f, macs+ip4+tcp4+tcpHd+eight)
	arp := bytesOf(f, macs+"0806 0001 0800 06 04 0002 001b1b112233 0a000001 0080f40e1122 0a000002")
	f.Add(uint16(1), 0, tcp, uint16(1), 0, arp)                                                                  // fields of one layer against those of another
	f.Add(uint16(1), 40, tcp[:60], uint16(101), 0, tcp[14:])                                                     // a cut frame in front of a whole one
	f.Add(uint16(1), 0, bytesOf(f, macs+"8100 0001 88a8 0002 9100 0003"+ip4+udp4+udpHd+four), uint16(1), 0, tcp) // tags in front of none
	f.Add(uint16(113), 0, bytesOf(f, "0000 0001 0006 001b1b112233 0000 86dd 60000000 0010 2c 40"+addr6+"3c00 0001 00000001 3a00 0000 00000000"), uint16(0), 0, tcp)
	f.Add(uint16(276), -5, bytesOf(f, "0004 0000 00000002 0001 00 06 001b1b112233 0000 aaaa03 000000 0800"), uint16(108), 1<<30, arp[:4])
	f.Add(uint16(1), 0, bytesOf(f, macs+ip6+"60000000 0028 3a ff"+addr6+"8800 0000 00000000 fe800000000000000000000000000001 0201 001b1b112233 0e00 000000000000"), uint16(229), 0, tcp) // an option of no length
	f.Add(uint16(1), 0, bytesOf(f, macs+ip4+"4500 0038 0001 0000 40 01 0000 0a000001 0a000002 0b00 0000 0000 0000 4f00"), uint16(228), 0, tcp[14:])                                      // a quoted header that is cut

	f.Fuzz(func(t *testing.T, linkA uint16, lengthA int, a []byte, linkB uint16, lengthB int, b []byte) {
		var used, fresh Packet
		used.Parse(pcap.LinkType(linkA), lengthA, a)
		o := used.Parse(pcap.LinkType(linkB), lengthB, b)
		if again := fresh.Parse(pcap.LinkType(linkB), lengthB, b); again != o {
			t.Errorf("outcome %d after another frame, %d without", o, again)
		}
		if diff := cmp.Diff(fresh, used, cmpopts.EquateComparable(netip.Addr{})); diff != "" {
			t.Errorf("another frame left a trace (-fresh +used)\n%s", diff)
		}
		if (o == Decoded) != (fresh.Detail == "") {
			t.Errorf("outcome %d with detail %q", o, fresh.Detail)
		}
		if len(fresh.Payload) > len(b) || len(fresh.Payload) > fresh.PayloadLength {
			t.Errorf("payload of %d, %d on the wire, in a frame of %d", len(fresh.Payload), fresh.PayloadLength, len(b))
		}
		if len(fresh.Payload) > 0 {
			at := 0
			for at < len(b) && &b[at] != &fresh.Payload[0] {
				at++
			}
			if at+len(fresh.Payload) > len(b) {
				t.Errorf("payload of %d bytes begins at %d of %d", len(fresh.Payload), at, len(b))
			}
		}
		if fresh.NumVLANs > len(b)/4 {
			t.Errorf("%d tags in %d bytes", fresh.NumVLANs, len(b))
		}
	})
}
