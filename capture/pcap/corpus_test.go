package pcap

import (
	"bytes"
	"errors"
	"io"
	"strconv"
	"strings"
	"testing"

	"bulkhead/internal/corpus"
)

// readAll reads a file to its end: its frames, with copies of their data, and
// every error but io.EOF.
func readAll(t testing.TB, r io.Reader) (frames []Frame, errs []error) {
	t.Helper()
	pr, err := NewReader(r)
	if err != nil {
		return nil, []error{err}
	}
	for {
		f, err := pr.Next()
		if err == io.EOF {
			if _, err := pr.Next(); err != io.EOF {
				t.Fatalf("Next behind io.EOF: %v", err)
			}
			return frames, errs
		}
		if err != nil {
			errs = append(errs, err)
			if _, damage := err.(*DamageError); !damage {
				return frames, errs
			}
			continue
		}
		f.Data = bytes.Clone(f.Data)
		frames = append(frames, f)
	}
}

// differs are the captures of the corpus that do not read as capinfos counts
// them without complaint: how many frames there are, what the errors say, why.
var differs = map[string]struct {
	frames int
	errs   string
	why    string
}{
	"ITI+ICS-Security-Tools/pcaps/MELSEC/melsoft_129_clean.pcap": {2041, "offset 331665: a record is cut short", "capinfos says so too"},
	"ntop+nDPI/tests/cfgs/default/pcap/fuzz-2021-10-13.pcap":     {1, "offset 237: a record header is cut short", "capinfos says so too"},
	"qut-infosec+2017QUT_S7comm/LabelledDataset/20161215163606_s7_process_attacks/20161216202830/20161215172609.ConveyorBeltOff/20161215172609.ConveyorBeltOff.hmi.pcap": {0, "not a capture", "an empty file; capinfos takes it for ERF, which has no header"},
	"seladb+PcapPlusPlus/Tests/Fuzzers/RegressionTests/regression_samples/crash-pcapng-epb-unbounded-length":                                                             {0, "offset 48: a packet block claims 65536 captured bytes and has room for 0", "capinfos says so too"},
	"gopacket+gopacket/pcapgo/tests/be/test901.pcapng": {2, "offset 480: a section of version 2.0", "capinfos stops at the second of three sections, which the draft says to pass over"},
	"gopacket+gopacket/pcapgo/tests/le/test901.pcapng": {2, "offset 480: a section of version 2.0", "as above"},

	// Wireshark 4.0 opens no file whose link type it has no decoder for.
	"the-tcpdump-group+tcpdump/tests/brcm-tag.pcap":                              {23, "", "link type 281"},
	"the-tcpdump-group+tcpdump/tests/dsa-high-vid.pcap":                          {4, "", "link type 284"},
	"the-tcpdump-group+tcpdump/tests/dsa.pcap":                                   {8, "", "link type 284"},
	"the-tcpdump-group+tcpdump/tests/edsa-high-vid.pcap":                         {4, "", "link type 285"},
	"the-tcpdump-group+tcpdump/tests/edsa.pcap":                                  {10, "", "link type 285"},
	"the-tcpdump-group+tcpdump/tests/frf16_magic_ie-oobr.pcap":                   {1, "", "link type 182"},
	"the-tcpdump-group+tcpdump/tests/hoobr_juniper3.pcap":                        {1, "", "link type 132"},
	"the-tcpdump-group+tcpdump/tests/juniper_monitor_invalid_cookie_length.pcap": {1, "", "link type 164"},
	"the-tcpdump-group+tcpdump/tests/vtp_asan-2.pcap":                            {1, "", "link type 182"},
}

// tsharkNumbers are the frame numbers of the packets in the files in which
// tshark gives numbers to custom blocks as well.
var tsharkNumbers = map[string][]uint64{
	"be/test018.pcapng": {2, 3, 5, 7},
	"le/test018.pcapng": {2, 3, 5, 7},
	"be/test102.pcapng": {2, 4, 5, 6, 7},
	"le/test102.pcapng": {2, 4, 5, 6, 7},
	"be/test202.pcapng": {2, 3, 4, 5, 6, 8, 9, 11},
	"le/test202.pcapng": {2, 3, 4, 5, 6, 8, 9, 11},
}

// TestCorpusFrames holds the number of frames of every capture against what
// capinfos counted.
func TestCorpusFrames(t *testing.T) {
	seen := 0
	for _, row := range corpus.Table(t, "index.tsv") {
		path, want := row[0], row[3]
		frames, errs := readAll(t, bytes.NewReader(corpus.Read(t, path)))
		name := strings.TrimPrefix(path, "captures/")
		got := ""
		if len(errs) > 0 {
			got = errors.Join(errs...).Error()
		}
		if d, ok := differs[name]; ok {
			seen++
			if len(frames) != d.frames || !strings.Contains(got, d.errs) || (got == "") != (d.errs == "") {
				t.Errorf("%s: %d frames, %q; expected %d, %q (%s)", name, len(frames), got, d.frames, d.errs, d.why)
			}
			for _, f := range frames {
				if link := "link type " + strconv.Itoa(int(f.Link)); strings.HasPrefix(d.why, "link") && d.why != link {
					t.Errorf("%s: %s; expected %s", name, link, d.why)
					break
				}
			}
			continue
		}
		if n, err := strconv.Atoi(want); err != nil || n != len(frames) || len(errs) != 0 {
			t.Errorf("%s: %d frames, %q; capinfos counts %s (%s)", name, len(frames), got, want, row[7])
		}
		numbers := tsharkNumbers[strings.TrimPrefix(name, "gopacket+gopacket/pcapgo/tests/")]
		for i, f := range frames {
			want := uint64(i + 1)
			if numbers != nil {
				want = numbers[i]
			}
			if f.Number != want {
				t.Errorf("%s: frame %d has number %d, tshark says %d", name, i+1, f.Number, want)
				break
			}
		}
	}
	if seen != len(differs) {
		t.Errorf("%d of the %d known differences are in the corpus", seen, len(differs))
	}
}
