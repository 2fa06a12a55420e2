package hostile

import (
	"context"
	"crypto/sha256"
	"errors"
	"io"
	"runtime"
	"runtime/debug"
	"runtime/metrics"
	"sync"
	"testing"
	"time"

	"github.com/google/gopacket"
	"github.com/google/gopacket/layers"
	"github.com/google/gopacket/pcapgo"

	"bulkhead/capture/observe"
)

// TestWellFormed reads the front of each stream with gopacket: as many frames as
// promised, in order of time, none of them damaged.
func TestWellFormed(t *testing.T) {
	for _, s := range All() {
		t.Run(s.Name, func(t *testing.T) {
			n := int64(300)
			if s.Unit == "bytes" {
				n = 60_000
			}
			file := s.Open(n)
			defer file.Close()
			var source interface {
				ReadPacketData() ([]byte, gopacket.CaptureInfo, error)
			}
			var err error
			if s.Name == "interfaces" {
				source, err = pcapgo.NewNgReader(file, pcapgo.NgReaderOptions{WantMixedLinkType: true})
			} else {
				source, err = pcapgo.NewReader(file)
			}
			if err != nil {
				t.Fatal(err)
			}
			var frames uint64
			for {
				data, _, err := source.ReadPacketData()
				if errors.Is(err, io.EOF) {
					break
				}
				if err != nil {
					t.Fatalf("frame %d: %v", frames+1, err)
				}
				frames++
				p := gopacket.NewPacket(data, layers.LayerTypeEthernet, gopacket.Default)
				// gopacket has no decoder for most EtherTypes, and takes what is padded
				// in place of them for damage of its own.
				if e := p.ErrorLayer(); e != nil && p.TransportLayer() == nil && s.Name != "link-flood" && s.Name != "polling" {
					t.Fatalf("frame %d: %v", frames, e.Error())
				}
			}
			if want := s.Frames(n); frames != want {
				t.Errorf("%d frames, want %d", frames, want)
			}
		})
	}
}

// TestReproducible: a stream has the same bytes each time, and does not repeat
// itself.
func TestReproducible(t *testing.T) {
	for _, s := range All() {
		n := min(s.Reduced, 20_000)
		sum := func(n int64) (h [32]byte) {
			file := s.Open(n)
			defer file.Close()
			d := sha256.New()
			if _, err := io.Copy(d, file); err != nil {
				t.Errorf("%s: %v", s.Name, err)
			}
			return [32]byte(d.Sum(nil))
		}
		if first, again := sum(n), sum(n); first != again {
			t.Errorf("%s: two runs differ", s.Name)
		}
		if sum(n) == sum(n-1000) {
			t.Errorf("%s: its length makes no difference", s.Name)
		}
	}
}

// TestObserve observes every stream at its reduced length: each frame is in the
// ledger and memory stays within bounds.
func TestObserve(t *testing.T) {
	if testing.Short() {
		t.Skip("-short: the streams are not observed")
	}
	for _, s := range All() {
		t.Run(s.Name, func(t *testing.T) {
			stop := watchMemory()
			got, err := observe.Observe(context.Background(), []observe.Input{{Path: s.Name, Size: 0,
				Open: func() (io.ReadCloser, error) { return s.Open(s.Reduced), nil }}}, observe.Options{})
			peak := stop()
			if err != nil {
				t.Fatal(err)
			}
			c, want := &got.Captures[0], s.Frames(s.Reduced)
			if c.Frames != want || c.Ledger.Sum() != want {
				t.Errorf("%d frames, the ledger sums to %d, want %d of both", c.Frames, c.Ledger.Sum(), want)
			}
			t.Logf("%d %s: %d conversations, peak %d MiB", s.Reduced, s.Unit, len(got.Conversations), peak>>20)
			if peak > MaxMemory {
				t.Errorf("memory peaked at %d MiB, want at most %d", peak>>20, MaxMemory>>20)
			}
		})
	}
}

// watchMemory samples how much memory the process has from the system, beyond
// what it had at first, until the function that it returns is called.
func watchMemory() (stop func() uint64) {
	debug.FreeOSMemory()
	samples := []metrics.Sample{{Name: "/memory/classes/total:bytes"}, {Name: "/memory/classes/heap/released:bytes"}}
	now := func() uint64 {
		metrics.Read(samples)
		return samples[0].Value.Uint64() - samples[1].Value.Uint64()
	}
	base := now()
	done := make(chan struct{})
	var peak uint64
	var wait sync.WaitGroup
	wait.Go(func() {
		tick := time.NewTicker(2 * time.Millisecond)
		defer tick.Stop()
		for {
			peak = max(peak, now())
			select {
			case <-done:
				return
			case <-tick.C:
			}
		}
	})
	return func() uint64 {
		close(done)
		wait.Wait()
		runtime.KeepAlive(samples)
		return peak - min(peak, base)
	}
}
