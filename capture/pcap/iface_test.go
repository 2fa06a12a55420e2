package pcap

import (
	"math/big"
	"math/rand/v2"
	"testing"
	"time"

	"bulkhead/capture"
)

// exactTime is the slow oracle of iface.time: the same in rational numbers.
func exactTime(in iface, ts uint64) capture.Time {
	base := int64(10)
	if in.binary {
		base = 2
	}
	unit := new(big.Int).Exp(big.NewInt(base), big.NewInt(int64(in.exp)), nil)
	at := new(big.Int).SetUint64(ts)
	at.Mul(at, big.NewInt(1e9)).Quo(at, unit)
	at.Add(at, new(big.Int).Mul(big.NewInt(in.offset), big.NewInt(1e9)))
	if sec := new(big.Int).Div(at, big.NewInt(1e9)); !sec.IsInt64() || sec.Int64() > maxSeconds || sec.Int64() < -maxSeconds {
		return capture.Time{}
	}
	return capture.NewTime(at.Int64(), in.digits)
}

func TestInterfaceTime(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	for range 200000 {
		in := iface{exp: uint8(rng.Uint32() % 128), binary: rng.Uint32()%2 == 0}
		if rng.Uint32()%2 == 0 {
			in.exp %= 20 // the clocks that exist
		}
		ts := rng.Uint64() >> (rng.Uint32() % 64)
		switch rng.Uint32() % 4 {
		case 0:
			in.offset = int64(rng.Uint64())
		case 1:
			in.offset = int64(rng.Uint32()) - 1<<31
		}
		in.prepare()
		if got, want := in.time(ts), exactTime(in, ts); got != want {
			t.Fatalf("%+v: %d units are %v, expected %v", in, ts, got, want)
		}
	}
}

// The first and the last time there are can be rounded to their minutes.
func TestTimesHaveAMinuteToSpare(t *testing.T) {
	for _, offset := range []int64{-maxSeconds, maxSeconds} {
		in := iface{exp: 0, offset: offset}
		in.prepare()
		at := in.time(0)
		if at.IsZero() {
			t.Fatalf("no time at %d seconds", offset)
		}
		down, up := at.UTC().Add(-time.Minute), at.UTC().Add(time.Minute)
		if time.Unix(0, down.UnixNano()).Unix() != down.Unix() || time.Unix(0, up.UnixNano()).Unix() != up.Unix() {
			t.Errorf("a minute from %v lies beyond 64 bits of nanoseconds", at)
		}
	}
}

func TestInterfacePrecision(t *testing.T) {
	for _, tt := range []struct {
		in   iface
		want uint8
	}{
		{iface{exp: 0}, 0}, {iface{exp: 6}, 6}, {iface{exp: 12}, 9}, {iface{exp: 0, binary: true}, 0},
		{iface{exp: 1, binary: true}, 1}, {iface{exp: 10, binary: true}, 4}, {iface{exp: 127, binary: true}, 9},
	} {
		if got := tt.in.precision(); got != tt.want {
			t.Errorf("%+v: %d digits, expected %d", tt.in, got, tt.want)
		}
	}
}

func TestLinkName(t *testing.T) {
	for link, want := range map[LinkType]string{0: "null", 1: "ethernet", 12: "raw", 13: "link-type-13", 101: "raw", 105: "ieee802-11",
		113: "linux-sll", 127: "ieee802-11-radiotap", 228: "ipv4", 276: "linux-sll2", 301: "dect-nr", 302: "link-type-302", 65535: "unknown"} {
		if got := LinkName(link); got != want {
			t.Errorf("LinkName(%d): %q, expected %q", link, got, want)
		}
	}
}
