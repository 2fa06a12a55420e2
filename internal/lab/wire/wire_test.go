package wire

import (
	"bytes"
	"io"
	"net"
	"testing"
	"testing/iotest"

	"github.com/google/gopacket"
	"github.com/google/gopacket/layers"
)

// TestFramesAreGopackets: every field and checksum is what gopacket writes for
// the same packet, for payloads of every length modulo 4.
func TestFramesAreGopackets(t *testing.T) {
	dst, src := MAC{2, 0, 0, 0, 0, 1}, MAC{2, 0, 0, 0, 0, 2}
	ip := IPv4{Src: [4]byte{10, 1, 255, 254}, Dst: [4]byte{192, 168, 3, 4}, ID: 0xfedc, Fragment: 0x4000, TTL: 64}
	for size := range 70 {
		payload := bytes.Repeat([]byte{0xff, 0x80, 0x7f}, size)[:size]
		for _, vlan := range []uint16{0, 120} {
			eth := &layers.Ethernet{SrcMAC: net.HardwareAddr(src[:]), DstMAC: net.HardwareAddr(dst[:]), EthernetType: layers.EthernetTypeIPv4}
			stack := []gopacket.SerializableLayer{eth}
			if vlan != 0 {
				eth.EthernetType = layers.EthernetTypeDot1Q
				stack = append(stack, &layers.Dot1Q{VLANIdentifier: vlan, Type: layers.EthernetTypeIPv4})
			}
			v4 := &layers.IPv4{Version: 4, Id: ip.ID, Flags: layers.IPv4DontFragment, TTL: ip.TTL, SrcIP: ip.Src[:], DstIP: ip.Dst[:]}
			check := func(name string, l gopacket.SerializableLayer, got []byte) {
				t.Helper()
				buf := gopacket.NewSerializeBuffer()
				all := append(append([]gopacket.SerializableLayer{}, stack...), v4, l, gopacket.Payload(payload))
				if err := gopacket.SerializeLayers(buf, gopacket.SerializeOptions{FixLengths: true, ComputeChecksums: true}, all...); err != nil {
					t.Fatal(err)
				}
				got = EndRecord(append(BeginRecord(nil, 0), got...), 0)[RecordHeaderSize:]
				want := buf.Bytes()
				for len(want) < minFrame { // gopacket pads before it adds the tag
					want = append(want, 0)
				}
				if !bytes.Equal(got, want) {
					t.Errorf("%s of %d bytes, vlan %d:\n got %x\nwant %x", name, size, vlan, got, want)
				}
			}
			head := AppendEthernet(nil, dst, src, vlan, EtherTypeIPv4)
			head = head[:len(head):len(head)]
			tcp := &layers.TCP{SrcPort: 49152, DstPort: 502, Seq: 0xfffffff0, Ack: 7, PSH: true, ACK: true, Window: window}
			v4.Protocol = layers.IPProtocolTCP
			tcp.SetNetworkLayerForChecksum(v4)
			check("tcp", tcp, AppendTCP(head, ip, TCP{SrcPort: 49152, DstPort: 502, Seq: 0xfffffff0, Ack: 7, Flags: PSH | ACK}, payload))
			udp := &layers.UDP{SrcPort: 161, DstPort: 65535}
			v4.Protocol = layers.IPProtocolUDP
			udp.SetNetworkLayerForChecksum(v4)
			check("udp", udp, AppendUDP(head, ip, 161, 65535, payload))
		}
	}
}

// TestReader: the stream is the head and all that was made, however it is read.
func TestReader(t *testing.T) {
	const n = 50_000
	made := func() *Reader {
		left := n
		return NewReader([]byte("head"), func(b []byte) []byte {
			if left == 0 {
				return b
			}
			left--
			return append(b, "0123456789"...)
		})
	}
	want := append([]byte("head"), bytes.Repeat([]byte("0123456789"), n)...)
	for name, r := range map[string]io.Reader{"whole": made(), "one byte": iotest.OneByteReader(made()), "half": iotest.HalfReader(made())} {
		got, err := io.ReadAll(r)
		if err != nil || !bytes.Equal(got, want) {
			t.Errorf("%s: %d bytes, error %v, want %d bytes", name, len(got), err, len(want))
		}
	}
}
