package model_test

import (
	"fmt"
	"strings"
	"testing"
	"testing/fstest"

	"bulkhead/model"
)

// largePlant is a model of n cells with a conduit each to two others and one to
// their area: n zones, 3n conduits.
func largePlant(n int) string {
	var b strings.Builder
	b.WriteString("version: 1\nsystem: {id: large}\nzones:\n")
	for i := range n {
		fmt.Fprintf(&b, "  - id: z%d\n    kind: control\n    sl-t: {IAC: 2, UC: 2, SI: 2, DC: 1, RDF: 2, TRE: 1, RA: 2}\n    networks: [10.%d.%d.0/24]\n", i, i/256, i%256)
		fmt.Fprintf(&b, "    assets:\n      - {id: plc, role: controller, addresses: [10.%d.%d.10], services: [modbus]}\n      - {id: hmi, role: hmi, addresses: [10.%d.%d.20]}\n", i/256, i%256, i/256, i%256)
	}
	b.WriteString("conduits:\n")
	for i := range 3 * n {
		from, to := i%n, (i+1+i/n)%n
		fmt.Fprintf(&b, "  - id: c%d\n    joins: [z%d, z%d]\n    channels:\n      - {from: z%d/hmi, to: z%d/plc, protocol: modbus, operations: [read]}\n", i, from, to, from, to)
	}
	return b.String()
}

func benchmarkLoad(b *testing.B, text string, ok bool) {
	fsys := fstest.MapFS{"plant.yaml": {Data: []byte(text)}}
	b.SetBytes(int64(len(text)))
	b.ReportAllocs()
	for b.Loop() {
		if m, ds := model.Load(fsys, "plant.yaml", nil); (m != nil) != ok {
			b.Fatal(codes(ds[:1]))
		}
	}
}

// BenchmarkLoad loads 10,000 zones and 30,000 conduits.
func BenchmarkLoad(b *testing.B) { benchmarkLoad(b, largePlant(10_000), true) }

// BenchmarkLoadErrors loads the same with 30,000 misspelt zones, for each of which
// the nearest of 10,000 names could be looked for.
func BenchmarkLoadErrors(b *testing.B) {
	benchmarkLoad(b, strings.ReplaceAll(largePlant(10_000), "joins: [z", "joins: [zz"), false)
}

// BenchmarkLoadOneLine loads 100,000 wrong values on one line: what is reported of
// each must not cost the length of the line.
func BenchmarkLoadOneLine(b *testing.B) {
	benchmarkLoad(b, minimal+"taps: ["+strings.Repeat("x,", 100_000)+"]\n", false)
}

// BenchmarkLoadStarter loads a small model: what an editor's user waits for.
func BenchmarkLoadStarter(b *testing.B) { benchmarkLoad(b, model.Starter, true) }
