package observe

import (
	"bytes"
	"context"
	"encoding/binary"
	"io"
	"net"
	"net/netip"
	"testing"

	"github.com/google/gopacket"
	"github.com/google/gopacket/layers"

	"bulkhead/capture"
	"bulkhead/capture/protocol"
)

// wire builds a capture, one frame a microsecond at first. Hosts are named by the last
// octet of their address: 10.0.0.n at 02:00:00:00:00:n.
type wire struct {
	t    testing.TB
	file bytes.Buffer
	vlan uint16
	n    uint32
	step uint32 // microseconds from frame to frame
	id   uint16 // of the next IP packet
}

func newWire(t testing.TB) *wire {
	w := &wire{t: t, step: 1, id: 1}
	var head [24]byte
	binary.LittleEndian.PutUint32(head[0:], 0xa1b2c3d4)
	binary.LittleEndian.PutUint16(head[4:], 2)
	binary.LittleEndian.PutUint16(head[6:], 4)
	binary.LittleEndian.PutUint32(head[16:], 1<<18)
	binary.LittleEndian.PutUint32(head[20:], 1) // Ethernet
	w.file.Write(head[:])
	return w
}

// tag sets the VLAN of the frames that follow; 0 for none.
func (w *wire) tag(vlan uint16) *wire { w.vlan = vlan; return w }

func hostMAC(n byte) net.HardwareAddr { return net.HardwareAddr{2, 0, 0, 0, 0, n} }

func host(n byte) netip.Addr { return netip.AddrFrom4([4]byte{10, 0, 0, n}) }

// raw adds a frame as it is.
func (w *wire) raw(frame []byte) *wire {
	var head [16]byte
	w.n += w.step
	binary.LittleEndian.PutUint32(head[0:], 1_700_000_000)
	binary.LittleEndian.PutUint32(head[4:], w.n)
	binary.LittleEndian.PutUint32(head[8:], uint32(len(frame)))
	binary.LittleEndian.PutUint32(head[12:], uint32(len(frame)))
	w.file.Write(head[:])
	w.file.Write(frame)
	return w
}

// ethernet adds a frame with the VLAN tag set.
func (w *wire) ethernet(src, dst net.HardwareAddr, etherType layers.EthernetType, upper ...gopacket.SerializableLayer) *wire {
	w.t.Helper()
	eth := &layers.Ethernet{SrcMAC: src, DstMAC: dst, EthernetType: etherType}
	all := []gopacket.SerializableLayer{eth}
	if w.vlan != 0 {
		eth.EthernetType = layers.EthernetTypeDot1Q
		all = append(all, &layers.Dot1Q{VLANIdentifier: w.vlan, Type: etherType})
	}
	buf := gopacket.NewSerializeBuffer()
	opts := gopacket.SerializeOptions{FixLengths: true, ComputeChecksums: true}
	if err := gopacket.SerializeLayers(buf, opts, append(all, upper...)...); err != nil {
		w.t.Fatal(err)
	}
	return w.raw(bytes.Clone(buf.Bytes()))
}

func (w *wire) ip(src, dst byte, proto layers.IPProtocol, upper ...gopacket.SerializableLayer) *wire {
	w.t.Helper()
	ip := &layers.IPv4{Version: 4, Id: w.id, TTL: 64, Protocol: proto, SrcIP: host(src).AsSlice(), DstIP: host(dst).AsSlice()}
	if t, ok := upper[0].(interface {
		SetNetworkLayerForChecksum(gopacket.NetworkLayer) error
	}); ok {
		if err := t.SetNetworkLayerForChecksum(ip); err != nil {
			w.t.Fatal(err)
		}
	}
	w.id++
	return w.ethernet(hostMAC(src), hostMAC(dst), layers.EthernetTypeIPv4, append([]gopacket.SerializableLayer{ip}, upper...)...)
}

// end is a host and port.
type end struct {
	host byte
	port uint16
}

func (w *wire) udp(src, dst end, payload string) *wire {
	w.t.Helper()
	return w.ip(src.host, dst.host, layers.IPProtocolUDP,
		&layers.UDP{SrcPort: layers.UDPPort(src.port), DstPort: layers.UDPPort(dst.port)}, gopacket.Payload(payload))
}

// tcp adds a segment; flags are letters of SAFR.
func (w *wire) tcp(src, dst end, flags string, seq, ack uint32, payload string) *wire {
	w.t.Helper()
	t := &layers.TCP{SrcPort: layers.TCPPort(src.port), DstPort: layers.TCPPort(dst.port), Seq: seq, Ack: ack, Window: 1000}
	for _, f := range flags {
		switch f {
		case 'S':
			t.SYN = true
		case 'A':
			t.ACK = true
		case 'F':
			t.FIN = true
		case 'R':
			t.RST = true
		}
	}
	return w.ip(src.host, dst.host, layers.IPProtocolTCP, t, gopacket.Payload(payload))
}

// dialogue is a connection that both sides go on with in order.
type dialogue struct {
	w          *wire
	a, b       end // a opens it
	aSeq, bSeq uint32
}

// connect adds a handshake.
func (w *wire) connect(a, b end) *dialogue {
	w.tcp(a, b, "S", 100, 0, "").tcp(b, a, "SA", 500, 101, "").tcp(a, b, "A", 101, 501, "")
	return &dialogue{w, a, b, 101, 501}
}

// joined is a connection that was open before the capture began.
func (w *wire) joined(a, b end) *dialogue { return &dialogue{w, a, b, 101, 501} }

// ask sends payload from the side that opened it, answer from the other.
func (d *dialogue) ask(payload string) *dialogue {
	d.w.tcp(d.a, d.b, "A", d.aSeq, d.bSeq, payload)
	d.aSeq += uint32(len(payload))
	return d
}

func (d *dialogue) answer(payload string) *dialogue {
	d.w.tcp(d.b, d.a, "A", d.bSeq, d.aSeq, payload)
	d.bSeq += uint32(len(payload))
	return d
}

func (d *dialogue) finish() *wire {
	return d.w.tcp(d.a, d.b, "FA", d.aSeq, d.bSeq, "").tcp(d.b, d.a, "FA", d.bSeq, d.aSeq+1, "").tcp(d.a, d.b, "A", d.aSeq+1, d.bSeq+1, "")
}

// The test protocol: "?x" asks for operation x, "!x" accepts and "-x" refuses it,
// each with a length digit in front that counts what follows: "2?r". It is sure
// of itself from a leading "T", weak otherwise. It poses as Modbus, and so is at
// home on port 502.
var (
	testOps = map[byte]*protocol.Op{
		'r': {Protocol: capture.Modbus, Code: "3", Name: "read", Class: capture.Read},
		'w': {Protocol: capture.Modbus, Code: "6", Name: "write", Class: capture.Write},
	}
	testProtocol = &protocol.Protocol{
		Name: capture.Modbus, Over: []capture.Transport{capture.TCP, capture.UDP},
		Recognise: func(b []byte) protocol.Match {
			sure := b[0] == 'T'
			if sure {
				b = b[1:]
			}
			if len(b) < 2 {
				return protocol.Match{Score: protocol.More}
			}
			m := protocol.Match{Score: protocol.Weak}
			if sure {
				m.Score = protocol.Sure
			}
			switch b[1] {
			case '?':
				m.Role = protocol.Client
			case '!', '-':
				m.Role = protocol.Server
			default:
				return protocol.Match{}
			}
			return m
		},
		New: func() protocol.Decoder { return testDecoder{} },
	}
)

type testDecoder struct{}

func (testDecoder) Decode(x *protocol.Exchange, from capture.Side, b []byte) int {
	if b[0] == 'T' {
		if len(b) == 1 {
			return 1
		}
		return 1 + testDecoder{}.Decode(x, from, b[1:])
	}
	n := int(b[0] - '0')
	if n < 2 || n > 9 {
		x.Undecoded()
		return len(b)
	}
	if len(b) < 1+n {
		return 0
	}
	op := testOps[b[2]]
	switch {
	case op == nil:
		x.Undecoded()
	case b[1] == '?':
		x.Ask(op, from, uint64(b[2])).Unit(1)
	default:
		x.Answer(from, uint64(b[2]), b[1] == '!')
	}
	return 1 + n
}

// observed runs the engine over one file.
func observed(t testing.TB, file []byte) *capture.Observations {
	t.Helper()
	return observedWithin(t, file, oneShard())
}

// oneShard are the bounds on a file whose tables are in one part.
func oneShard() limits {
	l := fileLimits
	l.shards = 1
	return l
}

func observedWithin(t testing.TB, file []byte, l limits) *capture.Observations {
	t.Helper()
	o, err := observe(context.Background(), []Input{input("test.pcap", file)}, Options{}, newRegistry([]*protocol.Protocol{testProtocol}), &l, splitFrom)
	if err != nil {
		t.Fatal(err)
	}
	checkSums(t, o)
	return o
}

func input(path string, file []byte) Input {
	return Input{Path: path, Size: int64(len(file)), Open: func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(file)), nil }}
}

// checkSums holds what must agree in any observations: the ledger sums to the
// frames and its causes to their numbers, the conversations hold the frames that
// the ledger says they do, and the connections are the sum of their states.
func checkSums(t testing.TB, o *capture.Observations) {
	t.Helper()
	packets := make([]uint64, len(o.Captures))
	for i := range o.Conversations {
		c := &o.Conversations[i]
		if c.Tunnel == "" {
			packets[c.Capture] += c.Packets.Sent + c.Packets.Received
		}
		s := c.State
		if sum := s.Attempted + s.Refused + s.Established + s.Answered; sum != c.Connections {
			t.Errorf("%s: the states sum to %d, connections are %d", c.Example.FiveTuple, sum, c.Connections)
		}
		if p := c.Protection; p.None+p.Integrity+p.Encrypted+p.Unknown > c.Connections {
			t.Errorf("%s: protection of %+v, of %d connections", c.Example.FiveTuple, p, c.Connections)
		}
		for _, op := range c.Operations {
			if op.Accepted+op.Refused+op.Unanswered > op.Count {
				t.Errorf("%s: %s %s: %d accepted, %d refused, %d unanswered of %d", c.Example.FiveTuple, op.Protocol, op.Name, op.Accepted, op.Refused, op.Unanswered, op.Count)
			}
		}
	}
	folded := make([]uint64, len(o.Captures))
	for _, f := range o.Folded {
		if f.Tunnel == "" {
			folded[f.Capture] += f.Packets.Sent + f.Packets.Received
		}
		s := f.State
		if sum := s.Attempted + s.Refused + s.Established + s.Answered; sum != f.Connections {
			t.Errorf("folded %v %v: the states sum to %d, connections are %d", f.Client, f.Server, sum, f.Connections)
		}
	}
	for i := range o.Captures {
		c := &o.Captures[i]
		if sum := c.Ledger.Sum(); sum != c.Frames {
			t.Errorf("%s: the ledger sums to %d, frames are %d", c.Path, sum, c.Frames)
		}
		l := c.Ledger
		// Of what could not be read, frames count in a conversation that have addresses.
		least := l.Decoded + l.OtherL2 + l.OtherIP + l.Fragment
		if n := packets[i] + folded[i]; n < least || n > least+l.Truncated+l.Malformed {
			t.Errorf("%s: conversations hold %d frames, the ledger says %d and %d that could not be read", c.Path, n, least, l.Truncated+l.Malformed)
		}
		if folded[i] != l.Folded {
			t.Errorf("%s: %d frames are folded, the ledger says %d", c.Path, folded[i], l.Folded)
		}
		causes := uint64(0)
		for _, r := range l.Reasons {
			causes += r.Frames
		}
		if want := l.Sum() - l.Decoded - l.Duplicate; causes != want {
			t.Errorf("%s: the causes sum to %d of %d frames", c.Path, causes, want)
		}
	}
}
