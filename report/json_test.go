package report

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/netip"
	"os"
	"path/filepath"
	"reflect"
	"testing"

	"bulkhead/capture"
	"bulkhead/internal/golden"
	"bulkhead/internal/mac"
	"bulkhead/rules"
	"bulkhead/zones"
)

// encoded is what encoding/json makes of v: the slow oracle of JSON.
func encoded(t testing.TB, v any) []byte {
	t.Helper()
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	if err := e.Encode(v); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func compareJSON(t *testing.T, name string, v any) {
	t.Helper()
	var got bytes.Buffer
	if err := JSON(&got, v); err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	if want := encoded(t, v); !bytes.Equal(got.Bytes(), want) {
		t.Errorf("%s: (- encoding/json, + JSON)\n%s", name, golden.Diff(string(want), got.String()))
	}
}

// fillRandom sets v at random: lists nil, empty or with some elements, pointers nil
// or not. Times, addresses and the like are left to their own package's notation.
func fillRandom(r *rand.Rand, v reflect.Value, depth int) {
	switch p := v.Addr().Interface().(type) {
	case *capture.Time:
		*p = capture.NewTime(r.Int64N(4e18), uint8(r.IntN(10)))
		return
	case *netip.Addr:
		*p = netip.AddrFrom4([4]byte{10, 1, 2, byte(r.Uint32())})
		return
	case *netip.Prefix:
		*p = netip.PrefixFrom(netip.AddrFrom4([4]byte{10, 1, 0, 0}), r.IntN(17))
		return
	case *mac.Addr:
		*p = mac.Addr{2, 0, 0, 0, 0, byte(r.Uint32())}
		return
	case *capture.Side:
		*p = capture.Side(r.IntN(2))
		return
	case *zones.FR:
		*p = zones.FR(r.IntN(int(zones.NumFR)))
		return
	}
	if !v.CanSet() {
		return
	}
	switch v.Kind() {
	case reflect.Struct:
		for i := range v.NumField() {
			if v.Type().Field(i).IsExported() {
				fillRandom(r, v.Field(i), depth+1)
			}
		}
	case reflect.Array:
		for i := range v.Len() {
			fillRandom(r, v.Index(i), depth+1)
		}
	case reflect.Slice:
		if n := r.IntN(5) - 1; n >= 0 {
			v.Set(reflect.MakeSlice(v.Type(), n, n))
		}
		for i := range v.Len() {
			fillRandom(r, v.Index(i), depth+1)
		}
	case reflect.Pointer:
		if r.IntN(2) == 0 && depth < 12 {
			v.Set(reflect.New(v.Type().Elem()))
			fillRandom(r, v.Elem(), depth+1)
		}
	case reflect.Map:
		v.Set(reflect.MakeMap(v.Type()))
		for range r.IntN(3) {
			key, elem := reflect.New(v.Type().Key()).Elem(), reflect.New(v.Type().Elem()).Elem()
			fillRandom(r, key, depth+1)
			fillRandom(r, elem, depth+1)
			v.SetMapIndex(key, elem)
		}
	case reflect.String:
		all := []string{"", "a < b && c > d", "\"quoted\"\n", "plc\xff\x00", "{[,]}", "Zäune \u2028"}
		v.SetString(all[r.IntN(len(all))])
	case reflect.Bool:
		v.SetBool(r.IntN(2) == 0)
	case reflect.Int, reflect.Int64:
		v.SetInt(r.Int64() >> r.IntN(63))
	case reflect.Uint8:
		v.SetUint(r.Uint64N(5))
	case reflect.Uint16, reflect.Uint32, reflect.Uint64:
		v.SetUint(r.Uint64() >> 48)
	}
}

// The streamed text is that of encoding/json, byte for byte, for any value: a field
// that is added to either type and not to JSON fails here.
func TestJSONEqualsEncodingJSON(t *testing.T) {
	compareJSON(t, "breached", breached())
	compareJSON(t, "zero observations", &capture.Observations{})
	compareJSON(t, "zero assessment", &rules.Assessment{})
	compareJSON(t, "nothing", capture.Merge())
	for seed := range uint64(60) {
		r := rand.New(rand.NewPCG(seed, 1))
		var o capture.Observations
		fillRandom(r, reflect.ValueOf(&o).Elem(), 0)
		compareJSON(t, fmt.Sprintf("observations, seed %d", seed), &o)
		var a rules.Assessment
		fillRandom(r, reflect.ValueOf(&a).Elem(), 0)
		compareJSON(t, fmt.Sprintf("assessment, seed %d", seed), &a)
	}
}

// The expected assessments of the examples, read and written again, are the same
// bytes.
func TestJSONEqualsGoldens(t *testing.T) {
	found := 0
	err := filepath.WalkDir(filepath.Join("..", "examples"), func(path string, _ os.DirEntry, err error) error {
		if err != nil || filepath.Ext(path) != ".json" {
			return err
		}
		want, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		var kind struct{ Schema string }
		if json.Unmarshal(want, &kind) != nil || kind.Schema != capture.Schema && kind.Schema != rules.Schema {
			return nil
		}
		var v any = new(capture.Observations)
		if kind.Schema == rules.Schema {
			v = new(rules.Assessment)
		}
		if err := json.Unmarshal(want, v); err != nil {
			return err
		}
		found++
		compareJSON(t, path, v)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if found == 0 {
		t.Error("no golden file holds observations or an assessment")
	}
}

// manyConversations makes observations of n conversations.
func manyConversations(n int) *capture.Observations {
	o := capture.Merge()
	for i := range n {
		o.Conversations = append(o.Conversations, capture.Conversation{
			Client:     capture.Peer{IP: netip.AddrFrom4([4]byte{10, byte(i >> 16), byte(i >> 8), byte(i)})},
			Links:      []capture.Link{{Count: uint64(i)}},
			Operations: []capture.Operation{{Protocol: capture.Modbus, Code: "3", Count: 7, Frames: []capture.FrameRef{{Frame: 9}}}},
		})
	}
	return o
}

// writes notes how much it is handed at a time.
type writes struct{ most, total int }

func (w *writes) Write(p []byte) (int, error) {
	w.most, w.total = max(w.most, len(p)), w.total+len(p)
	return len(p), nil
}

// The text of a large scan is handed on as it is made.
func TestJSONHoldsNoMoreThanAnElement(t *testing.T) {
	var w writes
	if err := JSON(&w, manyConversations(5000)); err != nil {
		t.Fatal(err)
	}
	if w.total < 5<<20 || w.most > 64<<10 {
		t.Errorf("%d bytes of %d were written at once", w.most, w.total)
	}
}

// full is a disk with room for so many bytes.
type full struct{ room int }

func (f *full) Write(p []byte) (int, error) {
	if f.room -= len(p); f.room < 0 {
		return 0, errBroken
	}
	return len(p), nil
}

// A disk that fills up in the midst of a list is told.
func TestJSONTellsOfTheDisk(t *testing.T) {
	for _, room := range []int{0, 10, 4 << 10, 1 << 20} {
		if err := JSON(&full{room}, manyConversations(2000)); !errors.Is(err, errBroken) {
			t.Errorf("room for %d bytes: error %v, want %v", room, err, errBroken)
		}
	}
}

func BenchmarkJSON(b *testing.B) {
	for _, n := range []int{1000, 10_000, 50_000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			o := manyConversations(n)
			var w writes
			if err := JSON(&w, o); err != nil {
				b.Fatal(err)
			}
			b.SetBytes(int64(w.total))
			b.ReportAllocs()
			for b.Loop() {
				if err := JSON(io.Discard, o); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
