package pcap

import (
	"bytes"
	"io"
	"strings"
	"testing"

	"github.com/google/gopacket"
	"github.com/google/gopacket/pcapgo"

	"bulkhead/internal/corpus"
)

// gopacketErrs are the captures where gopacket is wrong, and how.
var gopacketErrs = map[string]string{
	"ntop+nDPI/tests/cfgs/default/pcap/fuzz-2021-06-07-c6c72a0a56.pcap": "microseconds above a second overflow its 32 bits; a length on the wire of 4 GB is not cut to 31 bits",
	"the-tcpdump-group+tcpdump/tests/rx_serviceid_oobr.pcap":            "microseconds above a second overflow its 32 bits",
	"the-tcpdump-group+tcpdump/tests/timestamp_invalid_micro.pcap":      "the same",
}

// TestCorpusAgainstGopacket holds frames, times and lengths against gopacket's
// readers, on the captures that those read to the end.
func TestCorpusAgainstGopacket(t *testing.T) {
	compared := 0
	for _, row := range corpus.Table(t, "index.tsv") {
		file := corpus.Read(t, row[0])
		want, ok := gopacketFrames(file)
		if !ok {
			continue
		}
		compared++
		if gopacketErrs[strings.TrimPrefix(row[0], "captures/")] != "" {
			continue
		}
		got, _ := readAll(t, bytes.NewReader(file))
		if len(got) != len(want) {
			t.Errorf("%s: %d frames, gopacket reads %d", row[0], len(got), len(want))
			continue
		}
		for i, g := range got {
			w := want[i]
			// gopacket makes a time of a Simple Packet Block's lack of one.
			sameTime := g.Time.IsZero() || g.Time.UnixNano() == w.info.Timestamp.UnixNano()
			if !bytes.Equal(g.Data, w.data) || !sameTime || g.Length != w.info.Length && g.Length != len(g.Data) {
				t.Errorf("%s: frame %d: %d of %d bytes at %v; gopacket: %d of %d at %v", row[0], g.Number,
					len(g.Data), g.Length, g.Time, len(w.data), w.info.Length, w.info.Timestamp.UTC())
				break
			}
		}
	}
	// If gopacket read next to nothing, this test would show next to nothing.
	if compared < 1400 {
		t.Errorf("%d captures compared, expected at least 1400", compared)
	}
}

type gopacketFrame struct {
	data []byte
	info gopacket.CaptureInfo
}

// gopacketFrames reads file with gopacket; ok is false if it does not reach the
// end. What it may allocate is bounded by the corpus, whose lengths are known.
func gopacketFrames(file []byte) (frames []gopacketFrame, ok bool) {
	var src gopacket.PacketDataSource
	var err error
	if isSectionHeader(file[:min(12, len(file))]) {
		o := pcapgo.DefaultNgReaderOptions
		o.WantMixedLinkType = true
		src, err = pcapgo.NewNgReader(bytes.NewReader(file), o)
	} else {
		src, err = pcapgo.NewReader(bytes.NewReader(file))
	}
	if err != nil {
		return nil, false
	}
	for {
		data, info, err := src.ReadPacketData()
		if err == io.EOF {
			return frames, true
		}
		if err != nil {
			return nil, false
		}
		frames = append(frames, gopacketFrame{data, info})
	}
}
