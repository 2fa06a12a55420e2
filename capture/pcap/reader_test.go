package pcap

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"runtime"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/google/go-cmp/cmp"
)

// show writes frames and errors as lines that a table can state.
func show(frames []Frame, errs []error) (lines []string) {
	for _, f := range frames {
		lines = append(lines, fmt.Sprintf("%d @%d %s %s %d %q", f.Number, f.Offset, f.Time, LinkName(f.Link), f.Length, f.Data))
	}
	for _, err := range errs {
		lines = append(lines, err.Error())
	}
	return lines
}

func TestReader(t *testing.T) {
	const sec = 1700000000 // 2023-11-14T22:13:20Z
	micro := func(o endian) []byte { return fileHeader(o, 0xa1b2c3d4, 2, 4, 1) }
	// A record of five bytes on the wire of which four were captured.
	record := func(o endian, frac uint32, extra ...byte) []byte {
		return join(words(o, sec, frac, 4, 5), extra, []byte("abcd"))
	}
	interrupted := errors.New("no such luck")

	tests := []struct {
		name string
		file []byte
		want []string
	}{
		{"pcap, microseconds, little-endian", join(micro(le), record(le, 123456)),
			[]string{`1 @24 2023-11-14T22:13:20.123456Z ethernet 5 "abcd"`}},
		{"pcap, microseconds, big-endian", join(micro(be), record(be, 123456)),
			[]string{`1 @24 2023-11-14T22:13:20.123456Z ethernet 5 "abcd"`}},
		{"pcap, nanoseconds, little-endian", join(fileHeader(le, 0xa1b23c4d, 2, 4, 101), record(le, 123456789)),
			[]string{`1 @24 2023-11-14T22:13:20.123456789Z raw 5 "abcd"`}},
		{"pcap, nanoseconds, big-endian", join(fileHeader(be, 0xa1b23c4d, 2, 4, 101), record(be, 1)),
			[]string{`1 @24 2023-11-14T22:13:20.000000001Z raw 5 "abcd"`}},
		{"pcap, frame check sequence in the link type", join(fileHeader(be, 0xa1b2c3d4, 2, 4, 0x24000001), record(be, 0)),
			[]string{`1 @24 2023-11-14T22:13:20.000000Z ethernet 5 "abcd"`}},
		{"pcap, last second of 32 bits, microseconds above a second", join(micro(le), words(le, 0xffffffff, 1500000, 1, 1), []byte("a")),
			[]string{`1 @24 2106-02-07T06:28:16.500000Z ethernet 1 "a"`}},
		{"pcap, length on the wire below the captured one", join(micro(le), words(le, sec, 0, 4, 2), []byte("abcd")),
			[]string{`1 @24 2023-11-14T22:13:20.000000Z ethernet 4 "abcd"`}},
		{"pcap, empty frames", join(micro(le), words(le, sec, 0, 0, 0), words(le, sec, 0, 0, 60)),
			[]string{`1 @24 2023-11-14T22:13:20.000000Z ethernet 0 ""`, `2 @40 2023-11-14T22:13:20.000000Z ethernet 60 ""`}},
		{"pcap, no frames", micro(be), nil},
		{"pcap of Kuznetsov's patch", join(fileHeader(le, 0xa1b2cd34, 2, 4, 1), record(le, 1, make([]byte, 8)...), record(le, 2, make([]byte, 8)...)),
			[]string{`1 @24 2023-11-14T22:13:20.000001Z ethernet 5 "abcd"`, `2 @52 2023-11-14T22:13:20.000002Z ethernet 5 "abcd"`}},
		{"pcap of Kuznetsov's patch with SuSE's header", join(fileHeader(be, 0xa1b2cd34, 2, 4, 1), record(be, 1, make([]byte, 12)...), record(be, 2, make([]byte, 12)...)),
			[]string{`1 @24 2023-11-14T22:13:20.000001Z ethernet 5 "abcd"`, `2 @56 2023-11-14T22:13:20.000002Z ethernet 5 "abcd"`}},
		{"pcap of Kuznetsov's patch with the standard magic", join(micro(le), record(le, 1, make([]byte, 8)...), record(le, 2, make([]byte, 8)...)),
			[]string{`1 @24 2023-11-14T22:13:20.000001Z ethernet 5 "abcd"`, `2 @52 2023-11-14T22:13:20.000002Z ethernet 5 "abcd"`}},
		{"pcap of Ixia hardware", join(fileHeader(le, 0x1c0001ac, 2, 4, 1), words(le, 20), record(le, 3)),
			[]string{`1 @28 2023-11-14T22:13:20.000000003Z ethernet 5 "abcd"`}},
		{"pcap of Ixia software", join(fileHeader(be, 0x1c0001ab, 2, 4, 1), words(be, 20), record(be, 3)),
			[]string{`1 @28 2023-11-14T22:13:20.000003Z ethernet 5 "abcd"`}},
		{"pcap 2.2, captured length second", join(fileHeader(le, 0xa1b2c3d4, 2, 2, 1), words(le, sec, 0, 5, 4), []byte("abcd")),
			[]string{`1 @24 2023-11-14T22:13:20.000000Z ethernet 5 "abcd"`}},
		{"pcap 2.3, captured length second or first", join(fileHeader(le, 0xa1b2c3d4, 2, 3, 1), words(le, sec, 0, 5, 4), []byte("abcd"), record(le, 0)),
			[]string{`1 @24 2023-11-14T22:13:20.000000Z ethernet 5 "abcd"`, `2 @44 2023-11-14T22:13:20.000000Z ethernet 5 "abcd"`}},
		{"pcap 543.0, captured length second", join(fileHeader(be, 0xa1b2c3d4, 543, 0, 1), words(be, sec, 0, 5, 4), []byte("abcd")),
			[]string{`1 @24 2023-11-14T22:13:20.000000Z ethernet 5 "abcd"`}},
		{"pcap, record header cut", join(micro(le), record(le, 0), []byte("abc")),
			[]string{`1 @24 2023-11-14T22:13:20.000000Z ethernet 5 "abcd"`, "offset 44: a record header is cut short by the end of the file"}},
		{"pcap, record cut", join(micro(le), record(le, 0), words(le, sec, 0, 4, 4), []byte("ab")),
			[]string{`1 @24 2023-11-14T22:13:20.000000Z ethernet 5 "abcd"`, "offset 44: a record is cut short by the end of the file"}},
		{"pcap, absurd length, nothing trusted behind it", join(micro(le), record(le, 0), words(le, sec, 0, MaxFrame+1, MaxFrame+1), make([]byte, MaxFrame+1)),
			[]string{`1 @24 2023-11-14T22:13:20.000000Z ethernet 5 "abcd"`, "offset 44: a record claims 262145 captured bytes, above the limit of 262144"}},
		{"pcap, file header cut", micro(le)[:20], []string{"offset 0: the file header is cut short by the end of the file"}},
		{"pcap of Nokia's firewalls", join(micro(be), record(be, 1, be.AppendUint32(nil, 0x9fbfb601)...), record(be, 2, be.AppendUint32(nil, 0xbfbfd902)...)),
			[]string{`1 @24 2023-11-14T22:13:20.000001Z ethernet 5 "abcd"`, `2 @48 2023-11-14T22:13:20.000002Z ethernet 5 "abcd"`}},
		{"pcap of AIX, Ethernet", join(fileHeader(be, 0xa1b2c3d4, 2, 2, 6), words(be, sec, 123456789, 5, 4), []byte("abcd")),
			[]string{`1 @24 2023-11-14T22:13:20.123456789Z ethernet 5 "abcd"`}},
		{"pcap of AIX, token ring", join(fileHeader(be, 0xa1b2c3d4, 2, 2, 9), words(be, sec, 1, 4, 4), []byte("abcd")),
			[]string{`1 @24 2023-11-14T22:13:20.000000001Z ieee802-5 4 "abcd"`}},
		{"pcap of AIX, FDDI with padding in front", join(fileHeader(be, 0xa1b2c3d4, 2, 2, 15), words(be, sec, 1, 8, 7), []byte("...abcd"), words(be, sec, 1, 2, 2), []byte("ab")),
			[]string{`1 @24 2023-11-14T22:13:20.000000001Z fddi 5 "abcd"`, "offset 47: a record has no room for its padding"}},
		{"pcap of AIX, loopback", join(fileHeader(be, 0xa1b2c3d4, 2, 2, 24), words(be, sec, 1, 4, 4), []byte("abcd")),
			[]string{`1 @24 2023-11-14T22:13:20.000000001Z null 4 "abcd"`}},
		{"pcap of AIX, the link type of another version 2.2", join(fileHeader(be, 0xa1b2c3d4, 2, 2, 1), words(be, sec, 1, 4, 4), []byte("abcd")),
			[]string{`1 @24 2023-11-14T22:13:20.000001Z ethernet 4 "abcd"`}},
		{"pcap, two files joined", join(micro(le), record(le, 0), micro(le), record(le, 0)),
			[]string{`1 @24 2023-11-14T22:13:20.000000Z ethernet 5 "abcd"`, "offset 44: another capture file begins here, which no file of this format may hold"}},
		{"pcap 1.0", fileHeader(le, 0xa1b2c3d4, 1, 0, 1), []string{"pcap version 1.0 is a format that is not read; expected pcap, pcapng, snoop or ERF"}},

		{"pcapng, little-endian", join(section(le, -1), ifaceBlock(le, 1, 0), enhanced(le, 0, sec*1e6+7, 5, "abcd")),
			[]string{`1 @48 2023-11-14T22:13:20.000007Z ethernet 5 "abcd"`}},
		{"pcapng, big-endian", join(section(be, -1), ifaceBlock(be, 1, 0), enhanced(be, 0, sec*1e6+7, 5, "abcd")),
			[]string{`1 @48 2023-11-14T22:13:20.000007Z ethernet 5 "abcd"`}},
		{"pcapng, interfaces with link types and clocks of their own", join(section(le, -1),
			ifaceBlock(le, 1, 0, option(le, 2, []byte("eth0")...), option(le, optTSResol, 9), option(le, optEnd)),
			ifaceBlock(le, 113, 0, option(le, optTSResol, 3)),
			ifaceBlock(le, 276, 0, option(le, optTSResol, 0x80|10)),
			ifaceBlock(le, 0, 0, option(le, optTSResol, 0), option(le, optTSOffset, le.AppendUint64(nil, sec)...)),
			enhanced(le, 0, sec*1e9+7, 1, "a"), enhanced(le, 1, sec*1e3+7, 1, "b"), enhanced(le, 2, sec<<10+512, 1, "c"), enhanced(le, 3, 60, 1, "d")),
			[]string{`1 @164 2023-11-14T22:13:20.000000007Z ethernet 1 "a"`, `2 @200 2023-11-14T22:13:20.007Z linux-sll 1 "b"`,
				`3 @236 2023-11-14T22:13:20.5000Z linux-sll2 1 "c"`, `4 @272 2023-11-14T22:14:20Z null 1 "d"`}},
		{"pcapng, sections of both orders have interfaces of their own", join(section(be, -1), ifaceBlock(be, 101, 0), enhanced(be, 0, 0, 1, "a"),
			section(le, -1), ifaceBlock(le, 1, 0), enhanced(le, 0, 0, 1, "b"), section(be, -1), enhanced(be, 0, 0, 1, "c")),
			[]string{`1 @48 1970-01-01T00:00:00.000000Z raw 1 "a"`, `2 @132 1970-01-01T00:00:00.000000Z ethernet 1 "b"`,
				"offset 196: a packet block names interface 0 of 0 in the section"}},
		{"pcapng, obsolete and simple packet blocks", join(section(be, -1), ifaceBlock(be, 1, 3),
			block(be, blockPacket, []byte{0, 0, 0xff, 0xff}, words(be, 0, 7, 2, 9), []byte("ab")), block(be, blockSimple, words(be, 2), []byte("ab")), block(be, blockSimple, words(be, 9), []byte("abc"))),
			[]string{`1 @48 1970-01-01T00:00:00.000007Z ethernet 9 "ab"`, `2 @84  ethernet 2 "ab"`, `3 @104  ethernet 9 "abc"`}},
		{"pcapng, other blocks", join(section(le, -1), ifaceBlock(le, 1, 0), block(le, 4, make([]byte, 4)), block(le, 0x77, []byte("?")),
			block(le, 10, words(le, 0x544c534b, 0)), enhanced(le, 0, 0, 1, "a")),
			[]string{`1 @100 1970-01-01T00:00:00.000000Z ethernet 1 "a"`}},
		{"pcapng, records without a packet that Wireshark numbers", join(section(le, -1), ifaceBlock(le, 1, 0), block(le, 9, []byte("MESSAGE=hi")),
			enhanced(le, 0, 0, 1, "a"), block(le, 0xbad, words(le, 32473)), block(le, 0x204, make([]byte, 28)), enhanced(le, 0, 0, 1, "b")),
			[]string{`2 @72 1970-01-01T00:00:00.000000Z ethernet 1 "a"`, `5 @164 1970-01-01T00:00:00.000000Z ethernet 1 "b"`}},
		{"pcapng, length without the padding", join(section(le, -1), ifaceBlock(le, 1, 0),
			words(le, blockEnhanced, 33, 0, 0, 0, 1, 1), []byte("a\x00\x00\x00"), words(le, 33), enhanced(le, 0, 0, 1, "b")),
			[]string{`1 @48 1970-01-01T00:00:00.000000Z ethernet 1 "a"`, `2 @84 1970-01-01T00:00:00.000000Z ethernet 1 "b"`}},
		{"pcapng, a time that no calendar holds", join(section(le, -1), ifaceBlock(le, 1, 0, option(le, optTSResol, 0)), enhanced(le, 0, 1<<40, 1, "a")),
			[]string{`1 @56  ethernet 1 "a"`}},
		{"pcapng, bad content costs one block", join(section(le, -1), ifaceBlock(le, 1, 0), enhanced(le, 3, 0, 1, "a"),
			block(le, blockEnhanced, words(le, 0, 0, 0, 9, 9), []byte("1234")), block(le, blockSimple), enhanced(le, 0, 0, 1, "b")),
			[]string{`4 @132 1970-01-01T00:00:00.000000Z ethernet 1 "b"`, "offset 48: a packet block names interface 3 of 1 in the section",
				"offset 84: a packet block claims 9 captured bytes and has room for 4", "offset 120: a packet block has 12 bytes, too few for its fields"}},
		{"pcapng, an interface with damaged options has no clock", join(section(le, -1), ifaceBlock(le, 1, 0, []byte{9, 0, 200, 0}), enhanced(le, 0, 0, 1, "a")),
			[]string{`1 @52  ethernet 1 "a"`, "offset 28: an interface block has an option that ends behind it"}},
		{"pcapng, trailer differs, section of unknown length", join(section(le, -1), ifaceBlock(le, 1, 0), enhanced(le, 0, 0, 1, "a"),
			words(le, 0x77, 12, 16), section(le, -1), ifaceBlock(le, 1, 0), enhanced(le, 0, 0, 1, "b")),
			[]string{`1 @48 1970-01-01T00:00:00.000000Z ethernet 1 "a"`, `2 @144 1970-01-01T00:00:00.000000Z ethernet 1 "b"`, "offset 84: a block of 12 bytes says 16 at its end; 12 bytes skipped"}},
		{"pcapng, trailer differs, nothing but the section's length tells where the next begins", join(section(le, 68), ifaceBlock(le, 1, 0), enhanced(le, 0, 0, 1, "a"),
			words(le, 0x77, 12, 16), section(le, -1), ifaceBlock(le, 1, 0), enhanced(le, 0, 0, 1, "b")[:30]),
			[]string{`1 @48 1970-01-01T00:00:00.000000Z ethernet 1 "a"`, "offset 84: a block of 12 bytes says 16 at its end; 12 bytes skipped", "offset 144: a block is cut short by the end of the file"}},
		{"pcapng, trailer differs, section of known length", join(section(le, 68), ifaceBlock(le, 1, 0), enhanced(le, 0, 0, 1, "a"),
			words(le, 0x77, 12, 16), section(le, -1), ifaceBlock(le, 1, 0), enhanced(le, 0, 0, 1, "b")),
			[]string{`1 @48 1970-01-01T00:00:00.000000Z ethernet 1 "a"`, `2 @144 1970-01-01T00:00:00.000000Z ethernet 1 "b"`, "offset 84: a block of 12 bytes says 16 at its end; 12 bytes skipped"}},
		{"pcapng, absurd block length", join(section(le, -1), words(le, 0x77, 0xfffffff0, 0)),
			[]string{"offset 28: a block claims 4294967280 bytes, outside 12 to 134283264"}},
		{"pcapng, block length below the least", join(section(le, -1), words(le, 0x77, 8, 8)),
			[]string{"offset 28: a block claims 8 bytes, outside 12 to 134283264"}},
		{"pcapng, block cut", join(section(le, -1), ifaceBlock(le, 1, 0), enhanced(le, 0, 0, 1, "a")[:30]),
			[]string{"offset 48: a block is cut short by the end of the file"}},
		{"pcapng, block header cut", join(section(le, -1), []byte("abc")),
			[]string{"offset 28: a block header is cut short by the end of the file"}},
		{"pcapng, second section header without its magic", join(section(le, -1), words(le, blockSection, 28, 0x12345678)),
			[]string{"offset 28: a section header has no byte-order magic"}},
		{"pcapng, damage where a section of known length ends", join(section(le, 0), words(le, blockSection, 8, byteOrderMagic)),
			[]string{"offset 28: a block claims 8 bytes, outside 12 to 134283264"}},
		{"pcapng, section header without its fields", join(section(le, -1), block(le, blockSection, words(le, byteOrderMagic)), enhanced(le, 0, 0, 1, "a")),
			[]string{"offset 28: a section header has 16 bytes, less than 28"}},
		{"pcapng, interface block without its fields", join(section(le, -1), block(le, blockInterface)),
			[]string{"offset 28: an interface block has no room for its fields"}},
		{"pcapng, section of another version is passed over", join(section(le, -1), block(le, blockSection, words(le, byteOrderMagic, 2, 0, 0)),
			ifaceBlock(le, 1, 0), enhanced(le, 0, 0, 1, "a"), section(le, -1), ifaceBlock(le, 1, 0), enhanced(le, 0, 0, 1, "b")),
			[]string{`1 @160 1970-01-01T00:00:00.000000Z ethernet 1 "b"`, "offset 28: a section of version 2.0; expected 1.0"}},

		{"gzip", zipped(t, join(micro(le), record(le, 123456))), []string{`1 @24 2023-11-14T22:13:20.123456Z ethernet 5 "abcd"`}},
		{"gzip of pcapng in two members", join(zipped(t, section(le, -1)), zipped(t, join(ifaceBlock(le, 1, 0), enhanced(le, 0, 0, 1, "a")))),
			[]string{`1 @48 1970-01-01T00:00:00.000000Z ethernet 1 "a"`}},
		{"gzip, cut", zipped(t, join(micro(le), record(le, 123456)))[:50],
			[]string{`1 @24 2023-11-14T22:13:20.123456Z ethernet 5 "abcd"`, "offset 44: the gzip archive is cut short by the end of the file"}},
		{"gzip, bytes behind it", join(zipped(t, join(micro(le), record(le, 123456))), []byte("trailing garbage")),
			[]string{`1 @24 2023-11-14T22:13:20.123456Z ethernet 5 "abcd"`, "offset 44: bytes follow the gzip archive that are no gzip header"}},
		{"gzip in gzip", zipped(t, zipped(t, micro(le))), []string{"gzip archive inside a gzip archive is a format that is not read; expected pcap, pcapng, snoop or ERF"}},
		{"gzip of something else", zipped(t, []byte("hello, world")), []string{ErrNotCapture.Error()}},
		{"gzip, header cut", []byte("\x1f\x8b\x08"), []string{"offset 0: the gzip archive is cut short by the end of the file"}},

		{"nothing", nil, []string{ErrNotCapture.Error()}},
		{"text", []byte("version: 1\n"), []string{ErrNotCapture.Error()}},
		{"line feeds like a section header", []byte("\n\r\r\n and no more than that"), []string{ErrNotCapture.Error()}},
		{"tar", append(make([]byte, 257), "ustar"...), []string{"tar archive is a format that is not read; expected pcap, pcapng, snoop or ERF"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			frames, errs := readAll(t, bytes.NewReader(tt.file))
			if diff := cmp.Diff(tt.want, show(frames, errs)); diff != "" {
				t.Errorf("(-want +got)\n%s", diff)
			}
		})
	}

	t.Run("an error of the source is returned as it is, after the frames and for good", func(t *testing.T) {
		file := join(micro(le), record(le, 0), record(le, 0)[:7])
		for _, file := range [][]byte{file, join(section(le, 1<<20), ifaceBlock(le, 1, 0), enhanced(le, 0, 0, 1, "a"), words(le, 6, 60))} {
			r, err := NewReader(io.MultiReader(bytes.NewReader(file), iotest.ErrReader(interrupted)))
			if err != nil {
				t.Fatal(err)
			}
			if _, err := r.Next(); err != nil {
				t.Fatal(err)
			}
			for range 2 {
				if _, err := r.Next(); err != interrupted {
					t.Errorf("Next: %v, expected %v", err, interrupted)
				}
			}
		}
		long := join(section(le, -1), ifaceBlock(le, 1, 0), enhanced(le, 0, 0, 2*windowSize, strings.Repeat("x", 2*windowSize)))
		r, err := NewReader(io.MultiReader(bytes.NewReader(long[:len(long)-2]), iotest.ErrReader(interrupted)))
		if err != nil {
			t.Fatal(err)
		}
		for i, want := range []error{nil, interrupted, interrupted} {
			if _, err := r.Next(); err != want {
				t.Errorf("Next %d of a long block: %v, expected %v", i, err, want)
			}
		}
		if r, err = NewReader(idle{bytes.NewReader(micro(le))}); err != nil {
			t.Fatal(err)
		}
		if _, err := r.Next(); err != io.ErrNoProgress {
			t.Errorf("a source that gives nothing: %v, expected %v", err, io.ErrNoProgress)
		}
		if _, err := NewReader(iotest.ErrReader(interrupted)); err != interrupted {
			t.Errorf("NewReader: %v, expected %v", err, interrupted)
		}
		if _, err := NewReader(io.MultiReader(bytes.NewReader(zipped(t, file)[:20]), iotest.ErrReader(interrupted))); err != interrupted {
			t.Errorf("NewReader of gzip: %v, expected %v", err, interrupted)
		}
	})
}

// idle gives nothing, and no error, where the reader below it ends.
type idle struct{ r io.Reader }

func (i idle) Read(p []byte) (int, error) {
	n, _ := i.r.Read(p)
	return n, nil
}

// TestReaderFormat checks what Format says of a file without frames.
func TestReaderFormat(t *testing.T) {
	for want, file := range map[string][]byte{
		"pcap":   fileHeader(be, 0xa1b2c3d4, 2, 4, 1),
		"pcapng": section(be, -1),
		"snoop":  snoopHeader(2, 4),
		"erf":    erfRecord(sec2023, erfMeta, 0, 8, nil),
	} {
		for pack, file := range map[string][]byte{"": file, "gzip ": zipped(t, file)} {
			r, err := NewReader(bytes.NewReader(file))
			if err != nil {
				t.Fatal(err)
			}
			if got := r.Format(); got != pack+want {
				t.Errorf("Format: %q, expected %q", got, pack+want)
			}
		}
	}
}

// TestReaderLongFrames reads frames above MaxFrame, which are cut, and above the
// window, which is skipped through, where the format allows them.
func TestReaderLongFrames(t *testing.T) {
	long := strings.Repeat("x", 3*windowSize+1)
	classicFile := join(fileHeader(le, 0xa1b2c3d4, 2, 4, uint32(linkUSBPcap)),
		words(le, 0, 0, uint32(len(long)), uint32(len(long))), []byte(long), words(le, 1, 0, 1, 1), []byte("a"))
	ngFile := join(section(le, -1), ifaceBlock(le, 1, 0), enhanced(le, 0, 0, len(long), long), block(le, 0x77, []byte(long)), enhanced(le, 0, 0, 1, "a"))
	for name, file := range map[string][]byte{"pcap": classicFile, "pcapng": ngFile} {
		frames, errs := readAll(t, bytes.NewReader(file))
		if len(errs) > 0 || len(frames) != 2 {
			t.Fatalf("%s: %d frames, %v; expected 2", name, len(frames), errs)
		}
		if f := frames[0]; string(f.Data) != long[:MaxFrame] || f.Length != len(long) {
			t.Errorf("%s: %d bytes of %d, expected %d of %d", name, len(f.Data), f.Length, MaxFrame, len(long))
		}
		if string(frames[1].Data) != "a" {
			t.Errorf("%s: the frame behind the long one is %q", name, frames[1].Data)
		}
	}

	// The same cut inside the long frame: it stays, the damage is told.
	for name, file := range map[string][]byte{"pcap": classicFile[:2*windowSize], "pcapng": ngFile[:2*windowSize]} {
		frames, errs := readAll(t, bytes.NewReader(file))
		if len(frames) != 1 || len(errs) != 1 || !strings.Contains(errs[0].Error(), "cut short") {
			t.Errorf("%s, cut: %d frames, %v; expected 1 and a cut", name, len(frames), errs)
		}
	}

	bad := bytes.Clone(ngFile)
	le.PutUint32(bad[48+32+len(long)+3-4+0:], 1) // the padded frame's trailer
	if _, errs := readAll(t, bytes.NewReader(bad)); len(errs) != 1 || !strings.Contains(errs[0].Error(), "at its end") {
		t.Errorf("bad trailer of a long block: %v", errs)
	}
}

// TestReaderGivesUp checks that a file of damaged blocks costs a bounded number
// of errors.
func TestReaderGivesUp(t *testing.T) {
	file := join(section(le, -1), bytes.Repeat(enhanced(le, 0, 0, 1, "a"), 1000))
	_, errs := readAll(t, bytes.NewReader(file))
	if len(errs) != maxDamaged || !strings.Contains(errs[maxDamaged-1].Error(), "reading ends after 64 damaged blocks") {
		t.Errorf("%d errors, the last is %v; expected %d", len(errs), errs[len(errs)-1], maxDamaged)
	}
}

// TestReaderInterfaceLimit checks that a million interfaces cost what the limit
// allows, and that the packets of those below it are still read.
func TestReaderInterfaceLimit(t *testing.T) {
	file := join(section(le, -1), bytes.Repeat(ifaceBlock(le, 1, 0), maxInterfaces+1), enhanced(le, maxInterfaces-1, 0, 1, "a"))
	frames, errs := readAll(t, bytes.NewReader(file))
	if len(frames) != 1 || len(errs) != 1 || !strings.Contains(errs[0].Error(), "more than 1048576 interfaces") {
		t.Errorf("%d frames, %v; expected 1 and one error", len(frames), errs)
	}

	million := join(section(le, -1), bytes.Repeat(ifaceBlock(le, 1, 0), 1_000_000))
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	_, errs = readAll(t, bytes.NewReader(million))
	runtime.ReadMemStats(&after)
	if len(errs) != 0 {
		t.Errorf("a million interfaces: %v", errs)
	}
	if grown := after.TotalAlloc - before.TotalAlloc; grown > 50<<20 {
		t.Errorf("a million interfaces: %d bytes allocated, expected at most 50 MiB", grown)
	}
}

// TestNextAllocates counts the allocations per frame: none.
func TestNextAllocates(t *testing.T) {
	record := join(words(le, 1, 1, 100, 100), make([]byte, 100))
	for name, file := range map[string][]byte{
		"pcap":   join(fileHeader(le, 0xa1b2c3d4, 2, 4, 1), bytes.Repeat(record, 20000)),
		"pcapng": join(section(le, -1), ifaceBlock(le, 1, 0), bytes.Repeat(enhanced(le, 0, 0, 100, strings.Repeat("a", 100)), 20000)),
		"snoop":  join(snoopHeader(2, 4), bytes.Repeat(snoopRecord(100, 3, strings.Repeat("a", 100)), 20000)),
		"erf":    bytes.Repeat(erfRecord(sec2023, erfEthernet, 100, 4, make([]byte, 102)), 20000),
	} {
		r, err := NewReader(bytes.NewReader(file))
		if err != nil {
			t.Fatal(err)
		}
		if n := testing.AllocsPerRun(15000, func() {
			if _, err := r.Next(); err != nil {
				t.Fatal(err)
			}
		}); n != 0 {
			t.Errorf("%s: %v allocations a frame, expected 0", name, n)
		}
	}
}
