package protocol

import (
	"testing"

	"bulkhead/capture"
)

// Every protocol that is looked for has a name of the vocabulary, transports and
// a recogniser that stands any bytes; over one transport no two share a name.
func TestAll(t *testing.T) {
	type carried struct {
		name capture.Protocol
		over capture.Transport
	}
	seen := make(map[carried]bool)
	count := make(map[capture.Transport]int)
	for _, p := range All() {
		if p.Name.Info() == nil {
			t.Errorf("%q is no name of a protocol", p.Name)
		}
		for _, over := range p.Over {
			if seen[carried{p.Name, over}] {
				t.Errorf("%s over %s is listed twice", p.Name, over)
			}
			seen[carried{p.Name, over}] = true
			count[over]++
		}
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
	for over, n := range count {
		if n > 64 {
			t.Errorf("%d protocols over %s: the engine's sets hold 64", n, over)
		}
	}
}
