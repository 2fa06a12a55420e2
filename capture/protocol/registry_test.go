package protocol

import (
	"testing"

	"bulkhead/capture"
)

// Every protocol that is looked for has a name of the vocabulary, transports and
// a recogniser that stands any bytes; no two share a name.
func TestAll(t *testing.T) {
	seen := make(map[capture.Protocol]bool)
	for _, p := range All() {
		if p.Name.Info() == nil {
			t.Errorf("%q is no name of a protocol", p.Name)
		}
		if seen[p.Name] {
			t.Errorf("%s is listed twice", p.Name)
		}
		seen[p.Name] = true
		if len(p.Over) == 0 || p.Recognise == nil {
			t.Errorf("%s: no transport or no recogniser", p.Name)
			continue
		}
		for n := 1; n < 300; n++ {
			for _, fill := range []byte{0, 0xff} {
				b := make([]byte, n)
				for i := range b {
					b[i] = fill
				}
				if p.Recognise(b).Score == Sure {
					t.Errorf("%s is sure of %d bytes of 0x%02x", p.Name, n, fill)
				}
			}
		}
	}
	if len(seen) > 64 {
		t.Errorf("%d protocols: the engine's sets hold 64", len(seen))
	}
}
