package pcap

import (
	"bytes"
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestERF(t *testing.T) {
	const sec = sec2023
	at := "2023-11-14T22:13:20.500000000Z"
	ether := func(wire uint16, pad int, data string) []byte {
		return erfRecord(sec, erfEthernet, wire, pad, []byte("\x00\x00"+data))
	}
	ext := "\x83\x01\x02\x03\x04\x05\x06\x07" + "\x04\x01\x02\x03\x04\x05\x06\x07" // two: bit 7 of the first says so
	for _, tt := range []struct {
		name string
		file []byte
		want []string
	}{
		{"Ethernet, padded, cut and whole", join(ether(4, 2, "abcd"), ether(64, 0, "abcd"), ether(0, 6, "")),
			[]string{"1 @0 " + at + ` ethernet 4 "abcd"`, "2 @24 " + at + ` ethernet 64 "abcd"`, "3 @46 " + at + ` ethernet 0 ""`}},
		{"one record is the file", ether(4, 2, "abcd"), []string{"1 @0 " + at + ` ethernet 4 "abcd"`}},
		{"extension headers", join(erfRecord(sec, erfEthernet|0x80, 4, 2, []byte(ext+"\x00\x00abcd")), ether(1, 0, "a")),
			[]string{"1 @0 " + at + ` ethernet 4 "abcd"`, "2 @40 " + at + ` ethernet 1 "a"`}},
		{"coloured Ethernet and IP", join(erfRecord(sec, erfColorEthernet, 1, 0, []byte("..a")), erfRecord(sec, erfDSMEthernet, 1, 0, []byte("..b")), erfRecord(sec, erfHashEthernet, 1, 0, []byte("..c")),
			erfRecord(sec, erfIPv4, 1, 3, []byte("d")), erfRecord(sec, erfIPv6, 1, 3, []byte("e"))),
			[]string{"1 @0 " + at + ` ethernet 1 "a"`, "2 @19 " + at + ` ethernet 1 "b"`, "3 @38 " + at + ` ethernet 1 "c"`, "4 @57 " + at + ` ipv4 1 "d"`, "5 @77 " + at + ` ipv6 1 "e"`}},
		{"POS", join(erfRecord(sec, erfHDLC, 4, 0, []byte("\xff\x03\x00!")), erfRecord(sec, erfHDLC, 4, 0, []byte("\x0f\x00\x08\x00")), erfRecord(sec, erfColorHDLC, 4, 0, []byte("\x8f\x00\x08\x00"))),
			[]string{"1 @0 " + at + ` ppp-hdlc 4 "\xff\x03\x00!"`, "2 @20 " + at + ` c-hdlc 4 "\x0f\x00\b\x00"`, "3 @40 " + at + ` c-hdlc 4 "\x8f\x00\b\x00"`}},
		{"what has no link type of its own is handed out whole", join(erfRecord(sec, 3, 1, 0, []byte("abcde")), ether(1, 0, "a")),
			[]string{"1 @0 " + at + ` erf 21 "\x00\x00\x00\x80` + "\\x00\\xf1Se\\x03\\x04\\x00\\x15\\x00\\x00\\x00\\x01abcde\"", "2 @21 " + at + ` ethernet 1 "a"`}},
		{"padding has no number, metadata and counters have", join(ether(1, 0, "a"), erfRecord(0, erfPad, 0, 8, nil), erfRecord(sec, erfMeta, 4, 0, []byte("meta")), erfRecord(sec, erfIPCounter, 4, 0, []byte("cntr")), ether(1, 0, "b")),
			[]string{"1 @0 " + at + ` ethernet 1 "a"`, "4 @83 " + at + ` ethernet 1 "b"`}},
		{"record cut", join(ether(1, 0, "a"), ether(1, 0, "b"), ether(1, 0, "c")[:18]),
			[]string{"1 @0 " + at + ` ethernet 1 "a"`, "2 @19 " + at + ` ethernet 1 "b"`, "offset 38: a record is cut short by the end of the file"}},
		{"record header cut", join(ether(1, 0, "a"), ether(1, 0, "b"), []byte("abc")),
			[]string{"1 @0 " + at + ` ethernet 1 "a"`, "2 @19 " + at + ` ethernet 1 "b"`, "offset 38: a record header is cut short by the end of the file"}},
		{"times of two records more than a day apart", join(ether(1, 0, "a"), erfRecord(sec+86402, erfEthernet, 1, 0, []byte("..b"))), []string{ErrNotCapture.Error()}},
		{"times that go back", join(ether(1, 0, "a"), erfRecord(sec-2, erfEthernet, 1, 0, []byte("..b"))), []string{ErrNotCapture.Error()}},
		{"a type that is not public", erfRecord(sec, 33, 1, 0, []byte("a")), []string{ErrNotCapture.Error()}},
		{"extension headers longer than the record", erfRecord(sec, erfEthernet|0x80, 1, 0, []byte("\x80bcdefgh")), []string{ErrNotCapture.Error()}},
		{"text", []byte(strings.Repeat("The quick brown fox jumps over the lazy dog. ", 9999)), []string{ErrNotCapture.Error()}},
		{"zeros", make([]byte, 9999), []string{ErrNotCapture.Error()}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if diff := cmp.Diff(tt.want, show(readAll(t, bytes.NewReader(tt.file)))); diff != "" {
				t.Errorf("(-want +got)\n%s", diff)
			}
		})
	}

	// Damage behind the records by which the format was told.
	first := bytes.Repeat(ether(1, 0, "a"), erfFirst)
	for name, tt := range map[string]struct{ record, want string }{
		"too short": {string(erfRecord(sec, erfEthernet, 1, 0, nil)), "offset 152: a record of 16 bytes has no room for its headers"},
		"type 0":    {string(erfRecord(sec, 0, 1, 0, []byte("..b"))), "offset 152: a record is of type 0; expected 1 to 127"},
		"length 15": {string(be.AppendUint32(append(words(le, 0, sec), 2, 4, 0, 15), 1)), "offset 152: a record claims 15 bytes, less than its header"},
	} {
		frames, errs := readAll(t, bytes.NewReader(append(bytes.Clone(first), tt.record...)))
		if len(frames) != erfFirst || len(errs) != 1 || errs[0].Error() != tt.want {
			t.Errorf("%s: %d frames, %v; expected %d, %q", name, len(frames), errs, erfFirst, tt.want)
		}
	}
}

// TestERFTime checks the rounding of binary fractions.
func TestERFTime(t *testing.T) {
	for ts, want := range map[uint64]string{
		0:                       "1970-01-01T00:00:00.000000000Z",
		sec2023<<32 | 1<<31:     "2023-11-14T22:13:20.500000000Z",
		sec2023<<32 | 1:         "2023-11-14T22:13:20.000000000Z", // 0.23 ns
		sec2023<<32 | 3:         "2023-11-14T22:13:20.000000001Z", // 0.70 ns
		sec2023<<32 | 1<<32 - 1: "2023-11-14T22:13:21.000000000Z",
		1<<64 - 1:               "2106-02-07T06:28:16.000000000Z",
	} {
		if got := erfTime(ts).String(); got != want {
			t.Errorf("%#x: %s, expected %s", ts, got, want)
		}
	}
}

// Text whose ninth byte is that of an ERF padding record is no capture, as in the
// listings that tcpdump prints.
func TestTextIsNotERF(t *testing.T) {
	text := "    1  2023-08-25 08:57:44.621711 IP [total length 19 < header length 20] (invalid)\n"
	if _, err := NewReader(strings.NewReader(text)); !errors.Is(err, ErrNotCapture) {
		t.Errorf("error %v, want %v", err, ErrNotCapture)
	}
}
