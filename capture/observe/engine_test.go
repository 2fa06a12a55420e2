package observe

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"testing"

	"bulkhead/capture"
	"bulkhead/capture/pcap"
	"bulkhead/capture/protocol"
)

// poll builds n polls and answers of a Modbus master, PDU for PDU as the
// specification lays them out (MODBUS Messaging on TCP/IP V1.0b, 3.1.3).
func poll(t testing.TB, n int) []byte {
	w := newWire(t)
	d := w.connect(client, server)
	for i := range n {
		d.ask(string([]byte{byte(i >> 8), byte(i), 0, 0, 0, 6, 1, 3, 0, 10, 0, 2}))
		d.answer(string([]byte{byte(i >> 8), byte(i), 0, 0, 0, 7, 1, 3, 4, 0, 1, 0, 2}))
	}
	return w.file.Bytes()
}

// frames reads a file into frames that keep.
func frames(t testing.TB, file []byte) []pcap.Frame {
	r, err := pcap.NewReader(bytes.NewReader(file))
	if err != nil {
		t.Fatal(err)
	}
	var list []pcap.Frame
	for {
		f, err := r.Next()
		if err == io.EOF {
			return list
		}
		if err != nil {
			t.Fatal(err)
		}
		f.Data = bytes.Clone(f.Data)
		list = append(list, f)
	}
}

// A connection that goes on as it began costs no allocation.
func TestFrameAllocatesNothing(t *testing.T) {
	list := frames(t, poll(t, 1000))
	e := newEngine(newRegistry(protocol.All()), &fileLimits, false)
	warm := 100
	for i := range list[:warm] {
		e.frame(&list[i])
	}
	next := warm
	allocs := testing.AllocsPerRun(len(list)-warm-2, func() {
		e.frame(&list[next])
		next++
	})
	if allocs != 0 {
		t.Errorf("%v allocations a frame, want none", allocs)
	}
	o := &capture.Observations{Captures: make([]capture.Capture, 1)}
	e.finish(o, 0)
	if got := o.Conversations[0]; got.Protocol != capture.Modbus || len(got.Operations) != 1 || got.Operations[0].Count < 900 {
		t.Errorf("not what was meant: %s", say(&got))
	}
}

// FuzzObserve damages a capture and holds the sums of whatever comes out
// together; the same bytes give the same result.
func FuzzObserve(f *testing.F) {
	seed := func(build func(w *wire)) {
		w := newWire(f)
		build(w)
		f.Add(w.file.Bytes())
	}
	seed(func(w *wire) { w.connect(client, server).ask("2?r").answer("2!r").finish() })                        // a whole connection
	seed(func(w *wire) { w.udp(client, server, "2?r").tag(7).udp(server, client, "2!r") })                     // a VLAN in one direction
	seed(func(w *wire) { w.joined(client, odd).ask("xx").ask("T2?r").answer("2!r") })                          // recognised late
	seed(func(w *wire) { d := w.connect(client, server).ask("9?r"); d.aSeq += 9; d.ask("2?w").answer("2!w") }) // a gap in a PDU
	r := newRegistry([]*protocol.Protocol{testProtocol})
	l := limits{
		shards: 3, fragmented: 2, fragmentBytes: 1 << 10, tunnels: 3,
		conversations: 4, folded: 4, connections: 3, endpoints: 4, held: 64, reasons: 3, room: [protocol.Tables]int{2, 2, 2, 2, 2, 64},
	}
	f.Fuzz(func(t *testing.T, file []byte) {
		run := func(jobs int) string {
			o, err := observe(context.Background(), []Input{input("fuzz", file)}, Options{Jobs: jobs}, r, &l, 1)
			if err != nil {
				return err.Error()
			}
			checkSums(t, o)
			return fmt.Sprintf("%+v", o)
		}
		if a, b := run(1), run(3); a != b {
			t.Errorf("twice the same file:\n%s\n%s", a, b)
		}
	})
}

// BenchmarkFrame measures frames through the engine without the reading of
// files: one poll that goes on, and many connections in turn.
func BenchmarkFrame(b *testing.B) {
	b.Run("one poll", func(b *testing.B) { benchmarkFrames(b, frames(b, poll(b, 5000))) })
	b.Run("many connections", func(b *testing.B) {
		w := newWire(b)
		var open []*dialogue
		for i := range 200 {
			open = append(open, w.connect(end{byte(i), 40000}, end{byte(i + 1), 502}))
		}
		r := rand.New(rand.NewPCG(1, 2))
		for range 10_000 {
			d := open[r.IntN(len(open))]
			d.ask("\x00\x01\x00\x00\x00\x06\x01\x03\x00\x0a\x00\x02").answer("\x00\x01\x00\x00\x00\x07\x01\x03\x04\x00\x01\x00\x02")
		}
		benchmarkFrames(b, frames(b, w.file.Bytes()))
	})
}

func benchmarkFrames(b *testing.B, list []pcap.Frame) {
	r := newRegistry(protocol.All())
	size := int64(0)
	for _, f := range list {
		size += int64(f.Length) + 16
	}
	b.SetBytes(size)
	b.ReportAllocs()
	for b.Loop() {
		e := newEngine(r, &fileLimits, false)
		for i := range list {
			e.frame(&list[i])
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(len(list)), "ns/frame")
}

// BenchmarkObserve measures a whole file, SHA-256 included.
func BenchmarkObserve(b *testing.B) {
	file := poll(b, 20_000)
	in := []Input{input("poll.pcap", file)}
	b.SetBytes(int64(len(file)))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := Observe(context.Background(), in, Options{}); err != nil {
			b.Fatal(err)
		}
	}
}
