package pcap

import (
	"bytes"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/google/go-cmp/cmp"
	"github.com/klauspost/compress/zstd"
	"github.com/pierrec/lz4/v4"

	"bulkhead/internal/corpus"
)

// packedHead and packedRecord are smallHead and smallRecord, packed by xz 5.4 -9
// and bzip2 1.0.8 -9: there is nothing in the project that writes those.
var (
	smallHead   = fileHeader(le, 0xa1b2c3d4, 2, 4, 1)
	smallRecord = join(words(le, sec2023, 123456, 4, 5), []byte("abcd"))

	packedHead = map[string]string{
		"xz": "\xfd\x37\x7a\x58\x5a\x00\x00\x04\xe6\xd6\xb4\x46\x02\x00\x21\x01\x1c\x00\x00\x00\x10\xcf\x58\xcc\xe0\x00\x17\x00" +
			"\x14\x5d\x00\x6a\x30\xd1\xc8\x7d\x8b\xf8\x09\x9b\xad\x94\x4b\x8a\xf2\xff\xf8\x89\x48\x00\x00\x00\x83\xa8\x90\xc9" +
			"\x3d\x4b\x25\x69\x00\x01\x30\x18\x8e\x1b\xac\xec\x1f\xb6\xf3\x7d\x01\x00\x00\x00\x00\x04\x59\x5a",
		"bzip2": "\x42\x5a\x68\x39\x31\x41\x59\x26\x53\x59\xd7\x9d\x8c\x98\x00\x00\x08\xc0\x1e\xf6\x00\x20\x00\x10\x00\x08\x00\x04" +
			"\x00\x00\x00\xa0\x00\x31\x00\x30\x21\x88\x1a\x20\x59\x9a\x13\x82\x37\x9a\xc7\xe2\xee\x48\xa7\x0a\x12\x1a\xf3\xb1" +
			"\x93\x00",
	}
	packedRecord = map[string]string{
		"xz": "\xfd\x37\x7a\x58\x5a\x00\x00\x04\xe6\xd6\xb4\x46\x02\x00\x21\x01\x1c\x00\x00\x00\x10\xcf\x58\xcc\x01\x00\x13\x00" +
			"\xf1\x53\x65\x40\xe2\x01\x00\x04\x00\x00\x00\x05\x00\x00\x00\x61\x62\x63\x64\x00\xaa\xf1\x84\x60\x54\x63\xda\xd7" +
			"\x00\x01\x2c\x14\xf8\x0a\x6d\x03\x1f\xb6\xf3\x7d\x01\x00\x00\x00\x00\x04\x59\x5a",
		"bzip2": "\x42\x5a\x68\x39\x31\x41\x59\x26\x53\x59\xaa\xe5\x7f\xef\x00\x00\x03\xc7\x01\xe6\x00\x40\x00\x08\x00\x3e\x00\x10" +
			"\x00\x20\x00\x20\x00\x21\xa8\xf2\x86\x87\x90\x80\x68\x00\xa2\x16\x47\x99\x0e\x1f\xb9\x26\xec\x5d\xc9\x14\xe1\x42" +
			"\x42\xab\x95\xff\xbc",
	}

	// xzHistory is an archive by xz --lzma2=dict=256MiB.
	xzHistory = "\xfd\x37\x7a\x58\x5a\x00\x00\x04\xe6\xd6\xb4\x46\x02\x00\x21\x01\x20\x00\x00\x00\x09\x88\xa5\x76\xe0\x00\x17\x00" +
		"\x14\x5d\x00\x6a\x30\xd1\xc8\x7d\x8b\xf8\x09\x9b\xad\x94\x4b\x8a\xf2\xff\xf8\x89\x48\x00\x00\x00\x83\xa8\x90\xc9" +
		"\x3d\x4b\x25\x69\x00\x01\x30\x18\x8e\x1b\xac\xec\x1f\xb6\xf3\x7d\x01\x00\x00\x00\x00\x04\x59\x5a"
)

// pack packs b with what the project has a writer for.
func pack(t testing.TB, name string, b []byte) []byte {
	t.Helper()
	var out bytes.Buffer
	var w io.WriteCloser
	var err error
	switch name {
	case "gzip":
		return zipped(t, b)
	case "zstd":
		w, err = zstd.NewWriter(&out)
	case "lz4":
		w = lz4.NewWriter(&out)
	}
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.Write(b); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// TestPacked reads a small capture from archives of every kind: in two that follow
// each other, cut, with bytes behind it, packed twice.
func TestPacked(t *testing.T) {
	frame := `1 @24 2023-11-14T22:13:20.123456Z ethernet 5 "abcd"`
	for _, p := range packers {
		t.Run(p.name, func(t *testing.T) {
			var head, record []byte
			if s, ok := packedHead[p.name]; ok {
				head, record = []byte(s), []byte(packedRecord[p.name])
			} else {
				head, record = pack(t, p.name, smallHead), pack(t, p.name, smallRecord)
			}
			for _, tt := range []struct {
				name string
				file []byte
				want []string
			}{
				{"two archives", join(head, record), []string{frame}},
				{"cut", join(head, record[:len(record)-3]), []string{frame, "offset 44: the " + p.name + " archive is cut short by the end of the file"}},
				{"bytes behind it", join(head, record, []byte("some trailing garbage")), []string{frame, "offset 44: bytes follow the " + p.name + " archive that are no " + p.name + " header"}},
				{"damaged at once", join(head[:packerBytes], make([]byte, 100)), nil},
			} {
				frames, errs := readAll(t, bytes.NewReader(tt.file))
				got := show(frames, errs)
				if tt.want == nil {
					if len(got) != 1 || !strings.Contains(got[0], "the "+p.name+" archive") && !strings.Contains(got[0], "no "+p.name+" header") {
						t.Errorf("%s: %q, expected damage of the archive", tt.name, got)
					}
					continue
				}
				// Some unpackers hold back what is in a block that has no end.
				if tt.name == "cut" && len(got) == 1 {
					tt.want = []string{strings.Replace(tt.want[1], "44", "24", 1)}
				}
				if diff := cmp.Diff(tt.want, got); diff != "" {
					t.Errorf("%s (-want +got)\n%s", tt.name, diff)
				}
				slow, slowErrs := readAll(t, iotest.OneByteReader(bytes.NewReader(tt.file)))
				if diff := cmp.Diff(got, show(slow, slowErrs)); diff != "" {
					t.Errorf("%s, byte by byte (-whole +bytes)\n%s", tt.name, diff)
				}
			}
			r, err := NewReader(bytes.NewReader(join(head, record)))
			if err != nil {
				t.Fatal(err)
			}
			if got, want := r.Format(), p.name+" pcap"; got != want {
				t.Errorf("Format: %q, expected %q", got, want)
			}
			r.Close()
			for _, outer := range []string{"gzip", "zstd", "lz4"} {
				_, errs := readAll(t, bytes.NewReader(pack(t, outer, join(head, record))))
				want := []string{p.name + " archive inside a " + outer + " archive is a format that is not read; expected pcap, pcapng, snoop or ERF"}
				if diff := cmp.Diff(want, show(nil, errs)); diff != "" {
					t.Errorf("packed again (-want +got)\n%s", diff)
				}
			}
		})
	}
}

// TestPackedRoundTrip packs a capture larger than any window in several ways.
func TestPackedRoundTrip(t *testing.T) {
	file := manyFrames(2000)
	want, _ := readAll(t, bytes.NewReader(file))
	for _, name := range []string{"gzip", "zstd", "lz4"} {
		half := len(file) / 2
		got, errs := readAll(t, bytes.NewReader(join(pack(t, name, file[:half]), pack(t, name, file[half:]))))
		if len(errs) > 0 || len(got) != len(want) {
			t.Fatalf("%s: %d frames, %v; expected %d", name, len(got), errs, len(want))
		}
		for i := range got {
			if got[i].Offset != want[i].Offset || !bytes.Equal(got[i].Data, want[i].Data) {
				t.Fatalf("%s: frame %d differs", name, i+1)
			}
		}
	}
}

// TestPackedHistory checks that archives which want much history kept are refused
// before the memory is taken, and that those below the limit stay in bounds.
func TestPackedHistory(t *testing.T) {
	for name, file := range map[string]string{
		"zstd":                "\x28\xb5\x2f\xfd\x04\xa0" + strings.Repeat("\x00", 99),             // window descriptor: 2^30 bytes
		"zstd of one segment": "\x28\xb5\x2f\xfd\xa0\x00\x00\x00\x40" + strings.Repeat("\x00", 99), // content size 2^30 bytes
		"xz":                  xzHistory,
	} {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		_, errs := readAll(t, strings.NewReader(file))
		runtime.ReadMemStats(&after)
		want := []string{"offset 0: the " + strings.Fields(name)[0] + " archive wants more history kept than the limit of 64 MiB"}
		if diff := cmp.Diff(want, show(nil, errs)); diff != "" {
			t.Errorf("%s (-want +got)\n%s", name, diff)
		}
		if grown := after.TotalAlloc - before.TotalAlloc; grown > 8<<20 {
			t.Errorf("%s: %d bytes allocated to refuse it", name, grown)
		}
	}
}

// TestPackedBomb reads archives of what unpacks to much more than their size.
func TestPackedBomb(t *testing.T) {
	file := join(fileHeader(le, 0xa1b2c3d4, 2, 4, 1), bytes.Repeat(join(words(le, 1, 0, 60000, 60000), make([]byte, 60000)), 2000)) // 120 MB
	for _, name := range []string{"gzip", "zstd", "lz4"} {
		packed := pack(t, name, file)
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		r, err := NewReader(bytes.NewReader(packed))
		if err != nil {
			t.Fatal(err)
		}
		n := 0
		for ; err == nil; n++ {
			_, err = r.Next()
		}
		r.Close()
		runtime.ReadMemStats(&after)
		if err != io.EOF || n != 2001 {
			t.Errorf("%s: %d frames, then %v", name, n-1, err)
		}
		if grown := after.TotalAlloc - before.TotalAlloc; grown > 32<<20 {
			t.Errorf("%s: %d bytes allocated for a file of %d that unpacks to %d", name, grown, len(packed), len(file))
		}
	}
}

// stored returns a file of the corpus as it lies there.
func stored(t testing.TB, path string) []byte {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(corpus.Dir(t), filepath.FromSlash(path)))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// TestCorpusPacked reads the corpus's captures that it keeps as .gz as they lie
// there: with the same frames.
func TestCorpusPacked(t *testing.T) {
	n := 0
	for _, row := range corpus.Table(t, "index.tsv") {
		if !strings.HasSuffix(row[0], ".gz") {
			continue
		}
		n++
		want, wantErrs := readAll(t, bytes.NewReader(corpus.Read(t, row[0])))
		got, errs := readAll(t, bytes.NewReader(stored(t, row[0])))
		if len(got) != len(want) || len(errs) != len(wantErrs) {
			t.Errorf("%s: %d frames and %d errors packed, %d and %d not", row[0], len(got), len(errs), len(want), len(wantErrs))
		}
	}
	if n < 10 {
		t.Errorf("%d packed captures, expected at least 10", n)
	}
}
