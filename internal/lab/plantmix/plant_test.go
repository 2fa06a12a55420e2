package plantmix

import (
	"bytes"
	"crypto/sha256"
	"io"
	"testing"

	"github.com/google/gopacket"
	"github.com/google/gopacket/layers"
	"github.com/google/gopacket/pcapgo"
)

// small is a capture with every service, and cells with and without a tag.
var small = Options{Frames: 20_000, Cells: 3, Seed: 1}

// written returns a capture and its manifest.
func written(t testing.TB, o Options) ([]byte, Manifest) {
	t.Helper()
	p, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	m, err := p.Write(&b)
	if err != nil {
		t.Fatal(err)
	}
	return b.Bytes(), m
}

func TestManifestSums(t *testing.T) {
	file, m := written(t, small)
	var frames uint64
	for _, s := range m.Services {
		frames += s.Frames
	}
	if m.Frames != small.Frames || frames != m.Frames || m.Bytes != uint64(len(file)) {
		t.Errorf("manifest: %d frames, %d by service, %d bytes; expected %d frames, %d bytes", m.Frames, frames, m.Bytes, small.Frames, len(file))
	}
	const services = 20
	if len(m.Services) != services {
		t.Errorf("%d services, want %d: a capture of %d frames must hold all", len(m.Services), services, small.Frames)
	}
}

// TestReproducible: the options decide every byte, and the seed counts.
func TestReproducible(t *testing.T) {
	o := small
	o.Frames = 5000
	a, _ := written(t, o)
	b, _ := written(t, o)
	o.Seed++
	c, _ := written(t, o)
	if sha256.Sum256(a) != sha256.Sum256(b) {
		t.Error("the same options made different captures")
	}
	if sha256.Sum256(a) == sha256.Sum256(c) {
		t.Error("another seed made the same capture")
	}
}

// TestStreams follows every TCP connection as a slow and obvious host would:
// a handshake first, no byte missing or sent twice, nothing acknowledged that
// was not sent, and times that never go back.
func TestStreams(t *testing.T) {
	type side struct {
		next  uint32
		known bool
	}
	type connection struct {
		ends gopacket.Flow // addresses
		port gopacket.Flow
		vlan uint16
	}
	file, _ := written(t, small)
	r, err := pcapgo.NewReader(bytes.NewReader(file))
	if err != nil {
		t.Fatal(err)
	}
	sides, tagged, last, segments := map[connection]*side{}, 0, int64(0), 0
	for n := 1; ; n++ {
		data, info, err := r.ReadPacketData()
		if err == io.EOF {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		if at := info.Timestamp.UnixNano(); at < last {
			t.Fatalf("frame %d is earlier than the one before", n)
		} else {
			last = at
		}
		p := gopacket.NewPacket(data, layers.LayerTypeEthernet, gopacket.Default)
		if e := p.ErrorLayer(); e != nil && p.NetworkLayer() != nil {
			t.Fatalf("frame %d: %v", n, e.Error())
		}
		var k connection
		if q, ok := p.Layer(layers.LayerTypeDot1Q).(*layers.Dot1Q); ok {
			k.vlan = q.VLANIdentifier
			tagged++
		}
		tcp, ok := p.TransportLayer().(*layers.TCP)
		if !ok {
			continue
		}
		segments++
		k.ends, k.port = p.NetworkLayer().NetworkFlow(), tcp.TransportFlow()
		from, to := sides[k], sides[connection{k.ends.Reverse(), k.port.Reverse(), k.vlan}]
		if tcp.SYN {
			sides[k] = &side{tcp.Seq + 1, true}
			if tcp.ACK && (to == nil || tcp.Ack != to.next) {
				t.Fatalf("frame %d: SYN, ACK of nothing", n)
			}
			continue
		}
		switch {
		case from == nil || to == nil:
			t.Fatalf("frame %d: a segment before the handshake", n)
		case tcp.Seq != from.next:
			t.Fatalf("frame %d: sequence number %d, want %d", n, tcp.Seq, from.next)
		case tcp.Ack != to.next:
			t.Fatalf("frame %d: acknowledges %d, want %d", n, tcp.Ack, to.next)
		}
		from.next += uint32(len(tcp.Payload))
		if tcp.FIN {
			from.next++
		}
	}
	if tagged == 0 || tagged == int(small.Frames) || segments == 0 {
		t.Errorf("%d of %d frames tagged, %d segments", tagged, small.Frames, segments)
	}
}

func TestOptions(t *testing.T) {
	for _, cells := range []int{-1, 101} {
		if _, err := New(Options{Cells: cells}); err == nil {
			t.Errorf("%d cells: no error", cells)
		}
	}
}

func BenchmarkAppendFrame(b *testing.B) {
	p, err := New(Options{})
	if err != nil {
		b.Fatal(err)
	}
	buf := make([]byte, 0, 1<<16)
	for range 100_000 { // the opening of all connections
		p.AppendFrame(buf)
	}
	before := p.bytes
	b.ReportAllocs()
	n := 0
	for b.Loop() {
		p.AppendFrame(buf)
		n++
	}
	b.SetBytes(int64(p.bytes-before) / int64(n))
}
