package packet

import (
	"bytes"
	"encoding/binary"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"bulkhead/capture/pcap"
)

// FuzzParse checks that the payload lies within the frame, that a Packet keeps
// nothing of the frame before, that every outcome but Decoded has a cause, and
// that the short way through usual frames leads where the layers lead.
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

	f.Add(uint16(1), 0, bytesOf(f, macs+"8100 2078"+ip4+tcp4+tcpHd+eight+"0000 0000"), uint16(1), 0, bytesOf(f, macs+ip4+udp4+udpHd+four))                                                         // the short way after itself
	f.Add(uint16(1), 0, bytesOf(f, macs+"88ba"+four), uint16(1), 0, bytesOf(f, macs+ip4+"4500 0030 0001 0000 40 06 0000 0a000001 0a000002 c350 01f6 00000001 00000002 6018 2000 0000 0000"+eight)) // options take all
	f.Add(uint16(1), 0, bytesOf(f, macs+ip4+"4500 001c 0001 0000 40 11 0000 0a000001 0a000002 c350 12b5 0008 0000"), uint16(1), 9, tcp[:58])                                                       // a tunnel's port; a cut segment
	f.Add(uint16(1), 0, bytesOf(f, macs+ip4+"4500 0018 0001 2000 40 11 0000 0a000001 0a000002"+four), uint16(1), 0, tcp)                                                                           // a fragment in front of a whole packet

	f.Add(uint16(1), 0, tcp, uint16(1), 9, bytesOf(f, macs+"8100 8007 88b8 0001"+four)) // a cyclic frame after TCP, cut
	f.Add(uint16(1), 0, arp, uint16(1), 0, bytesOf(f, macs+"88ba 4000 0001 a00a 88fb")) // one with a trailer

	f.Fuzz(func(t *testing.T, linkA uint16, lengthA int, a []byte, linkB uint16, lengthB int, b []byte) {
		var used, fresh Packet
		used.Parse(pcap.LinkType(linkA), lengthA, a)
		o := used.Parse(pcap.LinkType(linkB), lengthB, b)
		if again := fresh.Parse(pcap.LinkType(linkB), lengthB, b); again != o {
			t.Errorf("outcome %d after another frame, %d without", o, again)
		}
		if diff := cmp.Diff(fresh, used, samePacket); diff != "" {
			t.Errorf("another frame left a trace (-fresh +used)\n%s", diff)
		}
		if pcap.LinkType(linkB) == pcap.LinkEthernet {
			var slow Packet
			if layers := slow.ethernet(b, max(lengthB, len(b))); layers != o {
				t.Errorf("outcome %d, %d by layers", o, layers)
			}
			if diff := cmp.Diff(slow, fresh, samePacket); diff != "" {
				t.Errorf("not what the layers say (-layers +got)\n%s", diff)
			}
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

// FuzzWhole checks that a payload, read behind its first fragment, says what it
// says in a packet that was never taken apart.
func FuzzWhole(f *testing.F) {
	f.Add(false, uint8(protoTCP), bytesOf(f, tcpHd+eight), uint16(1))
	f.Add(false, uint8(protoUDP), bytesOf(f, "c350 12b5 0046 0000 08000000 00138900"+innerFrame), uint16(2)) // a tunnel
	f.Add(true, uint8(protoOptions), bytesOf(f, "1100 0000 00000000"+udpHd+four), uint16(1))                 // a header that moves Proto
	f.Add(true, uint8(protoFragment), bytesOf(f, "1100 0001 00000002"+udpHd+four), uint16(1))                // a fragment in fragments
	f.Add(true, uint8(protoICMPv6), bytesOf(f, "8800 0000 00000000 fe800000000000000000000000000001 0201 001b1b112233"), uint16(2))
	f.Add(false, uint8(protoAH), bytesOf(f, "0601 0000 00000001 00000002"+tcpHd+eight), uint16(1))
	f.Fuzz(func(t *testing.T, v6 bool, proto uint8, b []byte, units uint16) {
		first := int(units) * 8
		if len(b) > 60000 || first > len(b) || first == 0 {
			return
		}
		link, whole, part := pcap.LinkIPv4, append(bytesOf(t, "4500 0000 0007 0000 40 00 0000 0a000001 0a000002"), b...), []byte(nil)
		if v6 {
			link, whole = pcap.LinkIPv6, append(bytesOf(t, "60000000 0000 00 40"+addr6), b...)
			whole[6] = proto
			part = append(append(whole[:40:40], proto, 0, 0, 1, 0, 0, 0, 9), b[:first]...)
			part[6] = protoFragment
			binary.BigEndian.PutUint16(whole[4:], uint16(len(b)))
			binary.BigEndian.PutUint16(part[4:], uint16(8+first))
		} else {
			whole[9] = proto
			part = append([]byte(nil), whole[:20+first]...)
			part[6] = 0x20
			binary.BigEndian.PutUint16(whole[2:], uint16(len(whole)))
			binary.BigEndian.PutUint16(part[2:], uint16(len(part)))
		}
		var want, got Packet
		o := want.Parse(link, len(whole), whole)
		got.Parse(link, len(part), part)
		if !bytes.Equal(got.FragmentData, b[:first]) || got.FragmentProto != proto || !got.MoreFragments {
			t.Fatalf("fragment of %x with protocol %d, expected %x with %d", got.FragmentData, got.FragmentProto, b[:first], proto)
		}
		if again := got.Whole(b); again != o {
			t.Errorf("outcome %d, expected %d as of the whole packet", again, o)
		}
		if diff := cmp.Diff(want, got, samePacket, cmpopts.IgnoreFields(Packet{}, "Net")); diff != "" {
			t.Errorf("(-packet +put together)\n%s", diff)
		}
	})
}
