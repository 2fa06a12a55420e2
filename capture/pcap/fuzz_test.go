package pcap

import (
	"bytes"
	"testing"
	"testing/iotest"

	"github.com/google/go-cmp/cmp"
)

// FuzzReader checks that what a file holds does not depend on how its bytes
// arrive nor on who keeps its blocks, and that no frame or damage lies outside it.
func FuzzReader(f *testing.F) {
	record := join(words(le, 1, 2, 4, 5), []byte("abcd"))
	f.Add(join(fileHeader(le, 0xa1b2c3d4, 2, 4, 1), record, record))              // the plain case
	f.Add(join(fileHeader(be, 0xa1b23c4d, 2, 3, 1), record))                      // lengths in doubt, and wrong byte order behind the header
	f.Add(join(fileHeader(le, 0xa1b2cd34, 2, 4, 1), record, record, record))      // no variant is plausible
	f.Add(join(fileHeader(le, 0xa1b2c3d4, 2, 4, 249), words(le, 1, 2, 1<<20, 5))) // a length above MaxFrame that is allowed
	f.Add(join(section(le, -1), ifaceBlock(le, 1, 0), enhanced(le, 0, 1, 5, "abcd"), block(le, blockSimple, words(le, 0))))
	f.Add(join(section(le, 32), ifaceBlock(le, 1, 0), words(le, 7, 12, 16), section(be, -1), ifaceBlock(be, 1, 0))) // damage that a section length heals
	f.Add(join(section(be, -1), words(be, 7, 2<<20)))                                                               // a block above the window
	f.Add(join(section(be, 1<<62-1), words(be, 7, 8, 8)))                                                           // a section end that must not overflow
	f.Add(zipped(f, join(fileHeader(le, 0xa1b2c3d4, 2, 4, 1), record))[:40])                                        // a cut archive
	head := join(section(le, -1), ifaceBlock(le, 1, 0))
	f.Add(join(head, packets(2, "a"), make([]byte, 40), packets(9, "b")))                              // a hole to go on behind
	f.Add(join(head, enhanced(le, 0, sec2023*1e6, 720, string(packets(20, "evil"))), make([]byte, 8))) // a capture in a frame
	f.Add(join(head, make([]byte, 20), section(be, -1), ifaceBlock(be, 1, 0), enhanced(be, 0, 1, 5, "abcd")))
	f.Add(join(snoopHeader(2, 4), snoopRecord(9, 3, "a"), snoopRecord(9, 99, "b")))
	f.Add(join(erfRecord(sec2023, erfEthernet|0x80, 9, 2, []byte("\x00bcdefgh..abcd")), erfRecord(0, erfPad, 0, 8, nil), erfRecord(sec2023, erfHDLC, 4, 0, []byte("\xff\x03\x00!"))))
	f.Add(join(fileHeader(be, 0xa1b2c3d4, 2, 2, 15), words(be, 1, 1, 8, 7), []byte("...abcd"))) // AIX's padding in front
	for _, name := range []string{"zstd", "lz4"} {
		f.Add(join(pack(f, name, smallHead), pack(f, name, smallRecord)))
	}
	for _, name := range []string{"xz", "bzip2"} {
		f.Add([]byte(packedHead[name] + packedRecord[name]))
	}

	f.Fuzz(func(t *testing.T, file []byte) {
		frames, errs := readAll(t, bytes.NewReader(file))
		slowFrames, slowErrs := readAll(t, iotest.OneByteReader(bytes.NewReader(file)))
		if diff := cmp.Diff(show(frames, errs), show(slowFrames, slowErrs)); diff != "" {
			t.Errorf("read byte by byte it differs (-whole +bytes)\n%s", diff)
		}
		keptFrames, keptErrs := readKept(t, bytes.NewReader(file))
		if diff := cmp.Diff(show(frames, errs), show(keptFrames, keptErrs)); diff != "" {
			t.Errorf("with its blocks kept it differs (-copies +kept)\n%s", diff)
		}
		h := newHashing(bytes.NewReader(file))
		hashFrames, hashErrs := readAll(t, h)
		close(h.todo)
		h.done.Wait()
		if diff := cmp.Diff(show(frames, errs), show(hashFrames, hashErrs)); diff != "" {
			t.Errorf("with a source that keeps blocks it differs (-whole +kept)\n%s", diff)
		}
		if !bytes.HasPrefix(file, h.seen.Bytes()) {
			t.Errorf("the source saw %d bytes that the file does not begin with", h.seen.Len())
		}
		if packing(file) != nil {
			return // offsets count in what it unpacks to
		}
		last := Frame{Offset: -1}
		for _, fr := range frames {
			if fr.Offset <= last.Offset || fr.Number <= last.Number {
				t.Errorf("frame %d at %d follows frame %d at %d", fr.Number, fr.Offset, last.Number, last.Offset)
			}
			if len(fr.Data) > MaxFrame || fr.Length < len(fr.Data) || fr.Offset+int64(len(fr.Data)) > int64(len(file)) {
				t.Errorf("frame %d: %d bytes of %d at %d in a file of %d", fr.Number, len(fr.Data), fr.Length, fr.Offset, len(file))
			}
			if !bytes.Contains(file[fr.Offset:], fr.Data) {
				t.Errorf("frame %d: its data are not in the file behind %d", fr.Number, fr.Offset)
			}
			last = fr
		}
		for _, err := range errs {
			if d, ok := err.(*DamageError); ok && (d.Offset < 0 || d.Offset > int64(len(file))) {
				t.Errorf("damage at %d in a file of %d: %s", d.Offset, len(file), d.What)
			}
		}
	})
}
