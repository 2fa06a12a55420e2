package lab

import (
	"bytes"
	"encoding/binary"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/gopacket"
	"github.com/google/gopacket/layers"
)

var noon = time.Date(2026, 11, 14, 12, 0, 0, 0, time.UTC)

// decode reads a frame with gopacket, checksums verified by writing it again.
func decode(t *testing.T, data []byte) gopacket.Packet {
	t.Helper()
	p := gopacket.NewPacket(data, layers.LayerTypeEthernet, gopacket.Default)
	if e := p.ErrorLayer(); e != nil {
		t.Fatalf("%x: %v", data, e.Error())
	}
	var want []byte
	switch l := p.TransportLayer().(type) {
	case *layers.TCP:
		want = checksummed(t, p, l, l.Payload)
	case *layers.UDP:
		want = checksummed(t, p, l, l.Payload)
	default:
		return p
	}
	network := p.NetworkLayer()
	have := slices.Concat(network.LayerContents(), network.LayerPayload())
	if !bytes.Equal(have, want) {
		t.Errorf("checksum or length differs:\nhave %x\nwant %x", have, want)
	}
	return p
}

func checksummed(t *testing.T, p gopacket.Packet, l transport, payload []byte) []byte {
	t.Helper()
	network := p.NetworkLayer()
	if err := l.SetNetworkLayerForChecksum(network); err != nil {
		t.Fatal(err)
	}
	buf := gopacket.NewSerializeBuffer()
	err := gopacket.SerializeLayers(buf, gopacket.SerializeOptions{FixLengths: true, ComputeChecksums: true},
		network.(gopacket.SerializableLayer), l, gopacket.Payload(payload))
	if err != nil {
		t.Fatal(err)
	}
	return buf.Bytes()
}

func pair() (n *Net, client, server *Host) {
	n = New(noon)
	return n, n.Host("10.0.0.1", "02:00:00:00:00:01"), n.Host("10.0.0.2", "02:00:00:00:00:02")
}

func TestStreams(t *testing.T) {
	tests := []struct {
		name   string
		speak  func(*Conn)
		frames int    // with payload
		client string // what a receiver puts together
		missed int    // bytes of the client that no frame holds
	}{
		{"plain", func(c *Conn) { c.Client([]byte("ab")); c.Server([]byte("x")); c.Client([]byte("cd")) }, 3, "abcd", 0},
		{"split", func(c *Conn) { c.Client([]byte("abcde"), Split(2)) }, 3, "abcde", 0},
		{"repeated", func(c *Conn) { c.Client([]byte("abcde"), Split(3), Repeated()) }, 3, "abcde", 0},
		{"missed", func(c *Conn) { c.Client([]byte("ab")); c.Client([]byte("cd"), Missed()); c.Client([]byte("ef")) }, 2, "ab\x00\x00ef", 2},
		{"over the maximum segment size", func(c *Conn) { c.Client(bytes.Repeat([]byte("z"), 3000)) }, 3, strings.Repeat("z", 3000), 0},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			n, client, server := pair()
			c := n.TCP(client, server, 502)
			tt.speak(c)
			c.Close()
			var first, acked uint32
			stream := make([]byte, len(tt.client))
			filled := make([]bool, len(tt.client))
			frames := 0
			for _, f := range n.lanTap.frames {
				tcp := decode(t, f.data).TransportLayer().(*layers.TCP)
				if tcp.DstPort != 502 {
					acked = tcp.Ack
					if len(tcp.Payload) > 0 {
						frames++
					}
					continue
				}
				if tcp.SYN {
					first = tcp.Seq + 1
				}
				if len(tcp.Payload) > 0 {
					frames++
					copy(stream[tcp.Seq-first:], tcp.Payload)
					for i := range tcp.Payload {
						filled[int(tcp.Seq-first)+i] = true
					}
				}
			}
			missed := 0
			for _, ok := range filled {
				if !ok {
					missed++
				}
			}
			if frames != tt.frames || string(stream) != tt.client || missed != tt.missed {
				t.Errorf("%d frames, stream %.20q, %d bytes missed; want %d, %.20q, %d", frames, stream, missed, tt.frames, tt.client, tt.missed)
			}
			if want := first + uint32(len(tt.client)) + 1; acked != want {
				t.Errorf("server acknowledged %d bytes, want all %d and the FIN", acked-first, len(tt.client))
			}
		})
	}
}

func TestRouterAndTaps(t *testing.T) {
	n := New(noon)
	office, cell := n.Segment(30), n.Segment(0)
	n.Router("02:00:00:00:00:fe", office, cell)
	a, b := office.Host("10.0.1.1", "02:00:00:00:00:01"), cell.Host("10.0.2.1", "02:00:00:00:00:02")
	near, far := n.Tap("near", office), n.Tap("far", cell)
	far.Fast = time.Second
	n.TCP(a, b, 502)
	n.Dropped(a, b, 102)
	n.Rejected(a, b, 23)
	if len(near.frames) != 3+3+2 || len(far.frames) != 3 {
		t.Fatalf("near tap saw %d frames, far tap %d; want 8 and the handshake's 3", len(near.frames), len(far.frames))
	}
	before, after := decode(t, near.frames[0].data), decode(t, far.frames[0].data)
	if tag, ok := before.Layer(layers.LayerTypeDot1Q).(*layers.Dot1Q); !ok || tag.VLANIdentifier != 30 {
		t.Error("the near segment's frame lacks its tag 30")
	}
	if after.Layer(layers.LayerTypeDot1Q) != nil {
		t.Error("the far segment's frame has a tag")
	}
	if src := after.LinkLayer().LinkFlow().Src().String(); src != "02:00:00:00:00:fe" {
		t.Errorf("beyond the router the source is %s, want the router's", src)
	}
	ttl := func(p gopacket.Packet) uint8 { return p.NetworkLayer().(*layers.IPv4).TTL }
	if ttl(before) != 64 || ttl(after) != 63 {
		t.Errorf("TTL %d, then %d; want 64 and 63", ttl(before), ttl(after))
	}
	if d := far.frames[0].at.Sub(near.frames[0].at); d != time.Second+hopDelay {
		t.Errorf("the far tap's clock is %v ahead, want its offset and the delay of a hop", d)
	}
}

// TestTapsPutFramesInOrder: dialogues are written one after the other, and a
// clock that was set back must not show in the file.
func TestTapsPutFramesInOrder(t *testing.T) {
	n, client, server := pair()
	n.At(10 * time.Second)
	n.Ping(client, server)
	n.At(5 * time.Second)
	n.Ping(client, server)
	file, err := n.Bytes()
	if err != nil {
		t.Fatal(err)
	}
	var times []uint64
	for rest := file; len(rest) > 0; {
		length := binary.LittleEndian.Uint32(rest[4:])
		if length%4 != 0 || length != binary.LittleEndian.Uint32(rest[length-4:]) {
			t.Fatalf("block of length %d does not end with its length", length)
		}
		if binary.LittleEndian.Uint32(rest) == 6 {
			times = append(times, uint64(binary.LittleEndian.Uint32(rest[12:]))<<32|uint64(binary.LittleEndian.Uint32(rest[16:])))
		}
		rest = rest[length:]
	}
	if len(times) != 4 || !slices.IsSorted(times) || times[0] != uint64(noon.Add(5*time.Second).UnixNano()) {
		t.Errorf("frames at %d, want four from 5 s on, ascending", times)
	}
}

// TestDNP3CRC holds the checksum against the reset-link frame that the standard
// and every description of it print.
func TestDNP3CRC(t *testing.T) {
	header := []byte{0x05, 0x64, 0x05, 0xc0, 0x01, 0x00, 0x00, 0x04}
	if have, want := dnp3CRC(header), []byte{0xe9, 0x21}; !bytes.Equal(have, want) {
		t.Errorf("CRC % x, want % x", have, want)
	}
}

func TestErrorsAreKept(t *testing.T) {
	tests := []struct {
		name  string
		build func(n *Net)
		want  string
	}{
		{"address", func(n *Net) { n.Host("10.0.0", "02:00:00:00:00:01") }, `host "10.0.0"`},
		{"hardware address", func(n *Net) { n.Host("10.0.0.1", "02:00") }, `"02:00"`},
		{"no way", func(n *Net) {
			n.TCP(n.Host("10.0.0.1", "02:00:00:00:00:01"), n.Segment(0).Host("10.0.1.1", "02:00:00:00:00:02"), 502)
		}, "no router"},
		{"function", func(n *Net) {
			a := n.Host("10.0.0.1", "02:00:00:00:00:01")
			n.TCP(a, a, 502).Modbus(1).Write(3, 0, []int{1})
		}, "function 3"},
	}
	for _, tt := range tests {
		n := New(noon)
		tt.build(n)
		if _, err := n.Bytes(); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: error %v, want one with %q", tt.name, err, tt.want)
		}
	}
}
