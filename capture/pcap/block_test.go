package pcap

import (
	"bytes"
	"io"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"
)

// manyFrames is a pcap file of n frames of 0 to 2,999 bytes of noise.
func manyFrames(n int) []byte {
	rnd := rand.New(rand.NewPCG(1, 2))
	file := fileHeader(le, 0xa1b2c3d4, 2, 4, 1)
	for i := range n {
		size := rnd.IntN(3000)
		file = append(file, words(le, uint32(i), 0, uint32(size), uint32(size))...)
		for range size {
			file = append(file, byte(rnd.Uint32()))
		}
	}
	return file
}

// readKept reads a file keeping every block of every frame to the end, so that the
// frames need no copies.
func readKept(t testing.TB, r io.Reader) (frames []Frame, errs []error) {
	t.Helper()
	pr, err := NewReader(r)
	if err != nil {
		return nil, []error{err}
	}
	defer pr.Close()
	for {
		f, err := pr.Next()
		if err == io.EOF {
			return frames, errs
		}
		if err != nil {
			errs = append(errs, err)
			if _, damage := err.(*DamageError); !damage {
				return frames, errs
			}
			continue
		}
		pr.Block().Keep()
		frames = append(frames, f)
	}
}

// hashing is a BlockReader that looks at what was read in another goroutine, which
// is slow, and hands out as much as it likes.
type hashing struct {
	r     io.Reader
	todo  chan func()
	done  sync.WaitGroup
	seen  bytes.Buffer
	sizes *rand.Rand
}

func newHashing(r io.Reader) *hashing {
	h := &hashing{r: r, todo: make(chan func(), 3), sizes: rand.New(rand.NewPCG(3, 4))}
	h.done.Go(func() {
		for f := range h.todo {
			f()
		}
	})
	return h
}

func (h *hashing) Read(p []byte) (int, error) {
	n, err := h.r.Read(p)
	b := bytes.Clone(p[:n])
	h.todo <- func() { h.seen.Write(b) }
	return n, err
}

func (h *hashing) ReadBlock(b *Block, p []byte) (int, error) {
	n, err := h.r.Read(p[:1+h.sizes.IntN(len(p))])
	b.Keep()
	h.todo <- func() {
		h.seen.Write(p[:n])
		b.Done()
	}
	return n, err
}

// TestBlockKept holds frames whose blocks are kept to the end against copies.
func TestBlockKept(t *testing.T) {
	file := manyFrames(2000)
	want, _ := readAll(t, bytes.NewReader(file))
	got, errs := readKept(t, bytes.NewReader(file))
	if len(got) != len(want) || len(errs) > 0 {
		t.Fatalf("%d frames, %v; expected %d", len(got), errs, len(want))
	}
	for i := range got {
		if !bytes.Equal(got[i].Data, want[i].Data) {
			t.Fatalf("frame %d changed while its block was kept", i+1)
		}
	}
}

// TestBlockReader checks that a source that keeps blocks sees every byte once and
// in order, packed or not, and that the frames are the same.
func TestBlockReader(t *testing.T) {
	plain := manyFrames(1000)
	want, _ := readAll(t, bytes.NewReader(plain))
	for name, file := range map[string][]byte{"plain": plain, "gzip": zipped(t, plain), "nothing": nil} {
		h := newHashing(bytes.NewReader(file))
		got, _ := readAll(t, h)
		close(h.todo)
		h.done.Wait()
		if !bytes.Equal(h.seen.Bytes(), file) {
			t.Errorf("%s: the source saw %d bytes that are not the file's %d", name, h.seen.Len(), len(file))
		}
		if name == "nothing" {
			continue
		}
		if len(got) != len(want) {
			t.Fatalf("%s: %d frames, expected %d", name, len(got), len(want))
		}
		for i := range got {
			if !bytes.Equal(got[i].Data, want[i].Data) {
				t.Fatalf("%s: frame %d differs", name, i+1)
			}
		}
	}
}

// TestBlockReuse counts the blocks of a Reader: one if nobody keeps any, as many
// as are kept otherwise, and the same again afterwards.
func TestBlockReuse(t *testing.T) {
	file := manyFrames(3000)
	for _, tt := range []struct{ keep, want int }{{0, 1}, {1, 2}, {3, 4}} {
		r, err := NewReader(bytes.NewReader(file))
		if err != nil {
			t.Fatal(err)
		}
		blocks := map[*Block]bool{}
		var kept []*Block
		for {
			if _, err = r.Next(); err != nil {
				break
			}
			b := r.Block()
			blocks[b] = true
			if tt.keep > 0 && (len(kept) == 0 || kept[len(kept)-1] != b) {
				b.Keep()
				if kept = append(kept, b); len(kept) > tt.keep {
					kept[0].Done()
					kept = kept[1:]
				}
			}
		}
		if err != io.EOF {
			t.Fatal(err)
		}
		// One more than kept: the Reader takes its next before the oldest is let go.
		if len(blocks) < tt.want || len(blocks) > tt.want+1 {
			t.Errorf("%d kept at a time: %d blocks, expected %d", tt.keep, len(blocks), tt.want)
		}
	}
}

// TestBlockAllocates counts the allocations of a Reader whose last blocks are kept
// for a while: none, once there are enough of them.
func TestBlockAllocates(t *testing.T) {
	record := join(words(le, 1, 1, 1000, 1000), make([]byte, 1000))
	r, err := NewReader(bytes.NewReader(join(fileHeader(le, 0xa1b2c3d4, 2, 4, 1), bytes.Repeat(record, 40000))))
	if err != nil {
		t.Fatal(err)
	}
	var kept [4]*Block
	i := 0
	next := func() {
		if _, err := r.Next(); err != nil {
			t.Fatal(err)
		}
		if b := r.Block(); b != kept[(i+3)%4] {
			b.Keep()
			if kept[i%4] != nil {
				kept[i%4].Done()
			}
			kept[i%4] = b
			i++
		}
	}
	for range 10000 {
		next()
	}
	if n := testing.AllocsPerRun(25000, next); n != 0 || i < 50 {
		t.Errorf("%v allocations a frame over %d blocks, expected 0 over at least 50", n, i)
	}
}

// TestBlockOutlivesReader checks that a kept block survives Close, and that Close
// may be called twice.
func TestBlockOutlivesReader(t *testing.T) {
	r, err := NewReader(bytes.NewReader(manyFrames(10)))
	if err != nil {
		t.Fatal(err)
	}
	f, err := r.Next()
	if err != nil {
		t.Fatal(err)
	}
	want := bytes.Clone(f.Data)
	b := r.Block()
	b.Keep()
	r.Close()
	r.Close()
	if !bytes.Equal(f.Data, want) {
		t.Error("the frame changed")
	}
	b.Done()
	defer func() {
		if v := recover(); v == nil || !strings.Contains(v.(string), "without") {
			t.Errorf("Done once too often: %v, expected a panic that says so", v)
		}
	}()
	b.Done()
}
