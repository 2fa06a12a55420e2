package capture

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"testing"
)

// plant makes observations of captures a to e, those whose names it is given.
func plant(names string) *Observations {
	o := &Observations{Schema: Schema}
	for i, n := range names {
		o.Captures = append(o.Captures, Capture{SHA256: fmt.Sprintf("%c0", n), Path: string(n), Frames: uint64(n)})
		for host := range byte(3) {
			ip := netip.AddrFrom4([4]byte{10, 0, byte(n), 9 - host})
			o.Conversations = append(o.Conversations, Conversation{Capture: i, Client: Peer{IP: ip}, Transport: TCP, Protocol: Modbus})
			o.Endpoints = append(o.Endpoints, Endpoint{Capture: i, IP: ip})
		}
	}
	return o
}

func text(t *testing.T, o *Observations) string {
	t.Helper()
	b, err := json.Marshal(o)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// Merge is associative, commutative and idempotent, and leaves its arguments.
func TestMergeLaws(t *testing.T) {
	for seed := range uint64(200) {
		r := rand.New(rand.NewPCG(seed, 5))
		pick := func() string {
			s := ""
			for _, n := range "abcde" {
				if r.IntN(2) == 0 {
					s = string(n) + s
				}
			}
			return s
		}
		a, b, c := plant(pick()), plant(pick()), plant(pick())
		before := text(t, a)
		all := text(t, Merge(a, b, c))
		for name, o := range map[string]*Observations{
			"(a b) c": Merge(Merge(a, b), c),
			"a (b c)": Merge(a, Merge(b, c)),
			"c b a":   Merge(c, b, a),
			"a b c a": Merge(a, b, c, a),
		} {
			if got := text(t, o); got != all {
				t.Fatalf("seed %d: %s gives\n%s\nwant\n%s", seed, name, got, all)
			}
		}
		if text(t, a) != before {
			t.Fatalf("seed %d: an argument was changed", seed)
		}
	}
	if got, want := text(t, Merge()), `{"schema":"bulkhead/observations/v1","captures":[],"conversations":[],"folded":[],"endpoints":[]}`; got != want {
		t.Errorf("nothing merges to %s", got)
	}
}

// After Sort each conversation and endpoint still belongs to its own capture.
func TestSortKeepsCaptures(t *testing.T) {
	o := plant("dbeac")
	o.Sort()
	for i, c := range o.Captures {
		if want := string(rune('a' + i)); c.Path != want {
			t.Errorf("capture %d is %s, want %s", i, c.Path, want)
		}
	}
	for i, c := range o.Conversations {
		if o.Captures[c.Capture].Path != string(rune(c.Client.IP.As4()[2])) {
			t.Errorf("conversation of %v is in capture %s", c.Client.IP, o.Captures[c.Capture].Path)
		}
		if i > 0 && o.Conversations[i-1].Compare(&c) > 0 {
			t.Errorf("conversation %d is out of order", i)
		}
	}
	for _, e := range o.Endpoints {
		if o.Captures[e.Capture].Path != string(rune(e.IP.As4()[2])) {
			t.Errorf("endpoint %v is in capture %s", e.IP, o.Captures[e.Capture].Path)
		}
	}
}

func TestLedgerSum(t *testing.T) {
	l := Ledger{1, 2, 4, 8, 16, 32, 64, 128, 256, nil}
	if l.Sum() != 255 { // all but what was folded
		t.Errorf("sum %d, want 255", l.Sum())
	}
}
