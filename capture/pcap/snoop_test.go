package pcap

import (
	"bytes"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/gopacket/pcapgo"

	"bulkhead/internal/corpus"
)

func TestSnoop(t *testing.T) {
	at := "2023-11-14T22:13:20.123456Z"
	for _, tt := range []struct {
		name string
		file []byte
		want []string
	}{
		{"Ethernet, padded and not", join(snoopHeader(2, 4), snoopRecord(60, 2, "ab"), snoopRecord(4, 0, "abcd"), snoopRecord(0, 0, "")),
			[]string{"1 @16 " + at + ` ethernet 60 "ab"`, "2 @44 " + at + ` ethernet 4 "abcd"`, "3 @72 " + at + ` ethernet 0 ""`}},
		{"IEEE 802.3", join(snoopHeader(2, 0), snoopRecord(1, 0, "a")), []string{"1 @16 " + at + ` ethernet 1 "a"`}},
		{"token ring", join(snoopHeader(2, 2), snoopRecord(1, 0, "a")), []string{"1 @16 " + at + ` ieee802-5 1 "a"`}},
		{"FDDI", join(snoopHeader(2, 8), snoopRecord(1, 0, "a")), []string{"1 @16 " + at + ` fddi 1 "a"`}},
		{"ATM", join(snoopHeader(2, 18), snoopRecord(1, 0, "a")), []string{"1 @16 " + at + ` sunatm 1 "a"`}},
		{"Solaris's IP observability", join(snoopHeader(2, 0x80000005), snoopRecord(1, 0, "a")), []string{"1 @16 " + at + ` ipnet 1 "a"`}},
		{"X.25", join(snoopHeader(2, 13), snoopRecord(1, 0, "a")), []string{"1 @16 " + at + ` unknown 1 "a"`}},
		{"fast Ethernet of Surveyor", join(snoopHeader(2, 10), snoopRecord(1, shomitiTrailer, "a"), snoopRecord(1, shomitiTrailer, "b")),
			[]string{"1 @16 " + at + ` ethernet 1 "a"`, "2 @57 " + at + ` ethernet 1 "b"`}},
		{"Surveyor's hardware", join(snoopHeader(4, 12), snoopRecord(1, shomitiTrailer+3, "a")), []string{"1 @16 " + at + ` ethernet 1 "a"`}},
		{"the same number without Surveyor's trailer", join(snoopHeader(2, 12), snoopRecord(1, 3, "a")), []string{"1 @16 " + at + ` unknown 1 "a"`}},
		{"no frames", snoopHeader(2, 4), nil},
		{"version 1", snoopHeader(1, 4), []string{"snoop version 1 is a format that is not read; expected pcap, pcapng, snoop or ERF"}},
		{"header cut", snoopHeader(2, 4)[:12], []string{"offset 0: the file header is cut short by the end of the file"}},
		{"record header cut", join(snoopHeader(2, 4), []byte("abc")), []string{"offset 16: a record header is cut short by the end of the file"}},
		{"record cut", join(snoopHeader(2, 4), snoopRecord(2, 0, "ab")[:25]), []string{"offset 16: a record is cut short by the end of the file"}},
		{"padding cut", join(snoopHeader(2, 4), snoopRecord(2, 2, "ab")[:27]),
			[]string{"1 @16 " + at + ` ethernet 2 "ab"`, "offset 42: the padding of the last record is cut short by the end of the file"}},
		{"too much captured", join(snoopHeader(2, 4), words(be, 1, MaxFrame+1, MaxFrame+100, 0, 0, 0), make([]byte, MaxFrame+100)),
			[]string{"offset 16: a record claims 262145 captured bytes, above the limit of 262144"}},
		{"record length below what is captured", join(snoopHeader(2, 4), words(be, 4, 4, 27, 0, 0, 0), []byte("abcd")),
			[]string{"offset 16: a record of 27 bytes claims 4 captured ones"}},
		{"record length far above what is captured", join(snoopHeader(2, 4), snoopRecord(1, 9999, "a")),
			[]string{"offset 16: a record of 1 captured bytes claims 10024 with its padding"}},
		{"two files joined", join(snoopHeader(2, 4), snoopRecord(1, 3, "a"), snoopHeader(2, 4), snoopRecord(1, 3, "b")),
			[]string{"1 @16 " + at + ` ethernet 1 "a"`, "offset 44: another capture file begins here, which no file of this format may hold"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if diff := cmp.Diff(tt.want, show(readAll(t, bytes.NewReader(tt.file)))); diff != "" {
				t.Errorf("(-want +got)\n%s", diff)
			}
		})
	}
}

// TestCorpusSnoop holds the corpus's one snoop file against gopacket's reader.
func TestCorpusSnoop(t *testing.T) {
	file := corpus.Read(t, "captures/seladb+PcapPlusPlus/Tests/ExamplesTest/pcap_examples/solaris.snoop")
	got, errs := readAll(t, bytes.NewReader(file))
	r, err := pcapgo.NewSnoopReader(bytes.NewReader(file))
	if err != nil || len(errs) > 0 {
		t.Fatal(err, errs)
	}
	for i, g := range got {
		data, info, err := r.ReadPacketData()
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(g.Data, data) || g.Length != info.Length || !g.Time.UTC().Equal(info.Timestamp) {
			t.Fatalf("frame %d: %d of %d bytes at %v; gopacket: %d of %d at %v", i+1, len(g.Data), g.Length, g.Time, len(data), info.Length, info.Timestamp.UTC())
		}
	}
	if _, _, err := r.ReadPacketData(); err == nil {
		t.Errorf("%d frames, gopacket reads more", len(got))
	}
}
