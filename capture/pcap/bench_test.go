package pcap

import (
	"bytes"
	"io"
	"strings"
	"testing"
)

// BenchmarkNext reads a file of short frames, as control networks have them.
func BenchmarkNext(b *testing.B) {
	const frames = 100000
	payload := strings.Repeat("a", 66)
	record := join(words(le, 1700000000, 1, 66, 66), []byte(payload))
	for _, bb := range []struct {
		name string
		file []byte
	}{
		{"pcap", join(fileHeader(le, 0xa1b2c3d4, 2, 4, 1), bytes.Repeat(record, frames))},
		{"pcapng", join(section(le, -1), ifaceBlock(le, 1, 0), bytes.Repeat(enhanced(le, 0, 17e14, 66, payload), frames))},
		{"snoop", join(snoopHeader(2, 4), bytes.Repeat(snoopRecord(66, 2, payload), frames))},
		{"erf", bytes.Repeat(erfRecord(sec2023, erfEthernet, 66, 4, []byte("\x00\x00"+payload)), frames)},
	} {
		b.Run(bb.name, func(b *testing.B) {
			b.SetBytes(int64(len(bb.file)))
			b.ReportAllocs()
			for b.Loop() {
				r, err := NewReader(bytes.NewReader(bb.file))
				if err != nil {
					b.Fatal(err)
				}
				n := 0
				for {
					if _, err = r.Next(); err != nil {
						break
					}
					n++
				}
				if err != io.EOF || n != frames {
					b.Fatalf("%d frames, then %v", n, err)
				}
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/frames, "ns/frame")
		})
	}
}
