package observe_test

import (
	"context"
	"errors"
	"os/exec"
	"strconv"
	"strings"
	"testing"

	"bulkhead/capture/observe"
	"bulkhead/capture/pcap"
	"bulkhead/internal/corpus"
)

// capinfosDiffers are the captures of which capinfos (Wireshark 4.0) gives no
// count: how many frames they have, and why.
var capinfosDiffers = map[string]struct {
	frames uint64
	why    string
}{
	"gopacket+gopacket/pcapgo/tests/be/test901.pcapng": {2, "it stops at the second of three sections, whose version the draft says to pass over"},
	"gopacket+gopacket/pcapgo/tests/le/test901.pcapng": {2, "the same"},

	"seladb+PcapPlusPlus/Tests/Fuzzers/RegressionTests/regression_samples/crash-pcapng-epb-unbounded-length": {0, "damaged in its first packet block"},

	// Wireshark opens no file whose link type it has no decoder for.
	"the-tcpdump-group+tcpdump/tests/brcm-tag.pcap":                              {23, "link type 281"},
	"the-tcpdump-group+tcpdump/tests/dsa-high-vid.pcap":                          {4, "link type 284"},
	"the-tcpdump-group+tcpdump/tests/dsa.pcap":                                   {8, "link type 284"},
	"the-tcpdump-group+tcpdump/tests/edsa-high-vid.pcap":                         {4, "link type 285"},
	"the-tcpdump-group+tcpdump/tests/edsa.pcap":                                  {10, "link type 285"},
	"the-tcpdump-group+tcpdump/tests/frf16_magic_ie-oobr.pcap":                   {1, "link type 182"},
	"the-tcpdump-group+tcpdump/tests/hoobr_juniper3.pcap":                        {1, "link type 132"},
	"the-tcpdump-group+tcpdump/tests/juniper_monitor_invalid_cookie_length.pcap": {1, "link type 164"},
	"the-tcpdump-group+tcpdump/tests/vtp_asan-2.pcap":                            {1, "link type 182"},
}

// TestFramesAgainstCapinfos holds the frames of every capture against the count
// of the capinfos that is installed and against that of the corpus's index, and
// the ledger against the frames.
func TestFramesAgainstCapinfos(t *testing.T) {
	captures := corpus.Captures(t)
	counted := capinfos(t, captures)
	seen := 0
	for _, c := range captures {
		name := strings.TrimPrefix(c.Path, "captures/")
		o, err := observe.Observe(context.Background(), []observe.Input{input(c.Path, corpus.Read(t, c.Path))}, observe.Options{Jobs: 1})
		if err != nil {
			if !errors.Is(err, pcap.ErrNotCapture) {
				t.Error(err)
			}
			if counted[c.File] != 0 {
				t.Errorf("%v; capinfos counts %d frames", err, counted[c.File])
			}
			continue
		}
		want, ok := counted[c.File]
		d, listed := capinfosDiffers[name]
		switch {
		case listed:
			seen++
			if ok {
				t.Errorf("%s: capinfos counts %d frames; listed with %d, as %s", name, want, d.frames, d.why)
			}
			want = d.frames
		case !ok:
			t.Errorf("%s: capinfos gives no count, and that is not listed", name)
			continue
		case strconv.FormatUint(want, 10) != c.Packets:
			t.Errorf("%s: capinfos counts %d frames, the index of the corpus says %s", name, want, c.Packets)
		}
		got := &o.Captures[0]
		if got.Frames != want {
			t.Errorf("%s: %d frames, want %d", name, got.Frames, want)
		}
		if sum := got.Ledger.Sum(); sum != got.Frames {
			t.Errorf("%s: the ledger sums to %d of %d frames", name, sum, got.Frames)
		}
	}
	if !testing.Short() && seen != len(capinfosDiffers) {
		t.Errorf("%d of the %d listed captures are in the corpus", seen, len(capinfosDiffers))
	}
}

// capinfos returns the number of frames of each file of which it knows one.
func capinfos(t *testing.T, captures []corpus.Capture) map[string]uint64 {
	t.Helper()
	args := []string{"-T", "-r", "-c"} // a table, without header, of counts
	for _, c := range captures {
		args = append(args, c.File)
	}
	out, err := exec.Command(corpus.Tool(t, "capinfos"), args...).Output()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) { // it reports damaged files by its exit code too
		t.Fatal(err)
	}
	counts := map[string]uint64{}
	for _, line := range strings.Split(strings.TrimSpace(string(out)), "\n") {
		file, count, _ := strings.Cut(line, "\t")
		n, err := strconv.ParseUint(count, 10, 64)
		if err != nil {
			t.Fatalf("capinfos: %q: expected a path and a number", line)
		}
		counts[file] = n
	}
	return counts
}
