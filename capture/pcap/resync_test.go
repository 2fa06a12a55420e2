package pcap

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const sec2023 = 1700000000 // 2023-11-14T22:13:20Z

// packets are n Enhanced Packet Blocks of interface 0, a millisecond apart.
func packets(n int, data string) []byte {
	var b []byte
	for i := range n {
		b = append(b, enhanced(le, 0, sec2023*1e6+uint64(i)*1000, len(data), data)...)
	}
	return b
}

// TestResync states what becomes of what lies behind a block whose end is not
// known. A block of packets(1, "data") has 36 bytes.
func TestResync(t *testing.T) {
	head := join(section(le, -1), ifaceBlock(le, 1, 0)) // 48 bytes
	set := func(b []byte, at int, v uint32) []byte {
		b = bytes.Clone(b)
		le.PutUint32(b[at:], v)
		return b
	}
	// A capture in the payload of a block, as a file transfer has one.
	carrier := func(inner []byte) []byte { return enhanced(le, 0, sec2023*1e6, len(inner), string(inner)) }
	inner := packets(20, "evil")

	for _, tt := range []struct {
		name   string
		file   []byte
		frames int
		errs   []string
	}{
		{"trailer damaged", join(head, packets(1, "data"), set(packets(1, "data"), 32, 7), packets(5, "data")), 6,
			[]string{"offset 84: a block of 36 bytes says 7 at its end; 36 bytes skipped"}},
		{"length too small", join(head, set(packets(1, "data"), 4, 16), packets(5, "data")), 5,
			[]string{"offset 48: a block of 16 bytes says 395812 at its end; 36 bytes skipped"}},
		{"length absurd", join(head, packets(1, "data"), set(packets(1, "data"), 4, 0xf0000000), packets(5, "data")), 6,
			[]string{"offset 84: a block claims 4026531840 bytes, outside 12 to 134283264; 36 bytes skipped"}},
		{"length above the window", join(head, set(packets(1, "data"), 4, 1<<24), packets(5, "data")), 5,
			[]string{"offset 48: a block of 4 captured bytes claims 16777216; 36 bytes skipped"}},
		{"a hole of zeros", join(head, packets(2, "data"), make([]byte, 4096), packets(5, "data")), 7,
			[]string{"offset 120: a block claims 0 bytes, outside 12 to 134283264; 4096 bytes skipped"}},
		{"a hole longer than the window", join(head, packets(2, "data"), make([]byte, 1<<20), packets(5, "data")), 7,
			[]string{"offset 120: a block claims 0 bytes, outside 12 to 134283264; 1048576 bytes skipped"}},
		{"a hole longer than is looked at", join(head, packets(2, "data"), make([]byte, maxSkip+searchStep), packets(5, "data")), 2,
			[]string{"offset 120: a block claims 0 bytes, outside 12 to 134283264"}},
		{"twice", join(head, make([]byte, 40), packets(30, "data"), make([]byte, 40), packets(30, "data")), 30,
			[]string{"offset 48: a block claims 0 bytes, outside 12 to 134283264; 1160 bytes skipped"}},
		{"the file goes on for long, and is cut", join(head, make([]byte, 40), packets(10000, "data"), packets(1, "data")[:20]), 10000,
			[]string{"offset 48: a block claims 0 bytes, outside 12 to 134283264; 40 bytes skipped", "offset 360088: a block is cut short by the end of the file"}},
		{"not on a multiple of 4", join(head, make([]byte, 42), packets(5, "data")), 0,
			[]string{"offset 48: a block claims 0 bytes, outside 12 to 134283264"}},
		{"a run that the end of the file cuts", join(head, make([]byte, 40), packets(5, "data")[:170]), 0,
			[]string{"offset 48: a block claims 0 bytes, outside 12 to 134283264"}},

		{"packets in the payload are none", join(head, set(carrier(inner), 4, 16), packets(5, "data")), 5,
			[]string{fmt.Sprintf("offset 48: a block of 16 bytes says 395812 at its end; %d bytes skipped", len(carrier(inner)))}},
		{"packets in the payload of the last block are none", join(head, packets(1, "data"), set(carrier(inner), 4, 16)), 1,
			[]string{"offset 84: a block of 16 bytes says 395812 at its end"}},
		{"a section in the payload ends the search", join(head, set(carrier(join(head, inner)), 4, 16), packets(5, "data")), 0,
			[]string{"offset 48: a block of 16 bytes says 395812 at its end"}},
		{"a capture in a sound block of an unknown type is none", join(head, block(le, 0x77, head, inner), packets(1, "data")), 1, nil},
		{"times a year away", join(head, packets(1, "data"), make([]byte, 40), enhanced(le, 0, (sec2023+365*86400)*1e6, 1, "a")), 1,
			[]string{"offset 84: a block claims 0 bytes, outside 12 to 134283264"}},
		{"no such interface", join(head, packets(1, "data"), make([]byte, 40), enhanced(le, 1, sec2023*1e6, 1, "a")), 1,
			[]string{"offset 84: a block claims 0 bytes, outside 12 to 134283264"}},
		{"interfaces behind the hole have no numbers", join(head, make([]byte, 40), packets(2, "data"), ifaceBlock(le, 1, 0), packets(1, "data"), enhanced(le, 1, sec2023*1e6, 1, "a")), 3,
			[]string{"offset 48: a block claims 0 bytes, outside 12 to 134283264; 40 bytes skipped",
				"offset 160: an interface block lies behind skipped bytes, so that its number is not known",
				"offset 216: a packet block names interface 1 of 1 in the section"}},
		{"a section of the other byte order", join(head, packets(1, "data"), make([]byte, 40), section(be, -1), ifaceBlock(be, 101, 0), enhanced(be, 0, 0, 1, "a")), 2,
			[]string{"offset 84: a block claims 0 bytes, outside 12 to 134283264; 40 bytes skipped"}},
		{"packets behind a damaged section header are none", join(head, packets(1, "data"), set(section(le, -1), 24, 7), ifaceBlock(le, 101, 0), packets(5, "data")), 1,
			[]string{"offset 84: a block of 28 bytes says 7 at its end"}},
		{"a section of a version that is not known", join(section(le, -1), block(le, blockSection, words(le, byteOrderMagic, 2, 0, 0)), make([]byte, 40), packets(5, "data")), 0,
			[]string{"offset 28: a section of version 2.0; expected 1.0", "offset 56: a block claims 0 bytes, outside 12 to 134283264"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			frames, errs := readAll(t, bytes.NewReader(tt.file))
			for _, f := range frames {
				if string(f.Data) == "evil" {
					t.Errorf("frame %d at %d is a payload's", f.Number, f.Offset)
				}
			}
			if len(frames) != tt.frames {
				t.Errorf("%d frames, expected %d", len(frames), tt.frames)
			}
			if diff := cmp.Diff(tt.errs, show(nil, errs)); diff != "" {
				t.Errorf("(-want +got)\n%s", diff)
			}
		})
	}
}

// TestResyncInventsNothing damages files of frames that carry captures, and checks
// that every frame read is one of the file's, at its own offset.
func TestResyncInventsNothing(t *testing.T) {
	rnd := rand.New(rand.NewPCG(5, 6))
	resumed := 0
	for range 300 {
		file := join(section(le, -1), ifaceBlock(le, 1, 0))
		for i := range 300 {
			data := []byte(fmt.Sprint("frame ", i, strings.Repeat(" ", rnd.IntN(99))))
			if rnd.IntN(3) == 0 {
				data = packets(1+rnd.IntN(30), fmt.Sprint("evil", i))
			}
			file = append(file, enhanced(le, 0, sec2023*1e6+uint64(i), len(data), string(data))...)
		}
		all, _ := readAll(t, bytes.NewReader(file))
		want := map[int64]Frame{}
		for _, f := range all {
			want[f.Offset] = f
		}
		damaged := bytes.Clone(file)
		at := 48 + rnd.IntN(len(file)-100)
		for i := range 1 + rnd.IntN(40) {
			damaged[at+i] = byte(rnd.Uint32())
		}
		frames, errs := readAll(t, bytes.NewReader(damaged))
		for _, f := range frames {
			w, ok := want[f.Offset]
			hit := f.Offset <= int64(at)+40 && int64(at) < f.Offset+int64(len(w.Data))+36
			if !ok || !hit && !bytes.Equal(f.Data, w.Data) {
				t.Fatalf("damaged at %d: frame %d at %d, %q, is not the file's", at, f.Number, f.Offset, f.Data)
			}
		}
		if len(errs) > 0 && len(frames) > 0 && frames[len(frames)-1].Offset > errs[0].(*DamageError).Offset {
			resumed++
		}
	}
	if resumed < 20 {
		t.Errorf("%d of 300 files were read beyond their damage, expected at least 20", resumed)
	}
}
