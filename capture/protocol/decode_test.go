package protocol

import (
	"encoding/hex"
	"fmt"
	"strings"
	"testing"

	"bulkhead/capture"

	"github.com/google/go-cmp/cmp"
)

// turn is what one side sent in one segment or datagram, in hex.
type turn struct {
	from capture.Side
	hex  string
}

func client(hex string) turn { return turn{capture.FromClient, hex} }
func server(hex string) turn { return turn{capture.FromServer, hex} }

func unhex(t testing.TB, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(strings.Join(strings.Fields(s), ""))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// conversation plays turns to a new decoder of p, frame by frame, and returns
// what it counted. Bytes that a turn left over are put before the side's next.
func conversation(t testing.TB, p *Protocol, turns ...turn) (capture.Conversation, *Tally) {
	t.Helper()
	tally := new(Tally)
	x, d := NewExchange(tally), p.New()
	var rest [2][]byte
	for i, turn := range turns {
		x.At(uint64(i)+1, capture.Time{})
		b := append(rest[turn.from], unhex(t, turn.hex)...)
		used := d.Decode(x, turn.from, b)
		if used < 0 || used > len(b) {
			t.Fatalf("turn %d: Decode used %d of %d bytes", i, used, len(b))
		}
		rest[turn.from] = b[used:]
	}
	x.Close()
	var c capture.Conversation
	tally.Fill(&c)
	return c, tally
}

// summary writes one line an operation: protocol, code, side, class and name;
// count, of it accepted, refused and unanswered; units and objects.
func summary(c capture.Conversation) []string {
	var lines []string
	for _, o := range c.Operations {
		line := fmt.Sprintf("%s %s %s %s %s: %d=%d+%d+%d", o.Protocol, o.Code, o.From, o.Class, o.Name, o.Count, o.Accepted, o.Refused, o.Unanswered)
		if len(o.Details.Units) > 0 {
			line += fmt.Sprint(" ", o.Details.Units)
		}
		if len(o.Details.Objects) > 0 {
			line += fmt.Sprint(" ", o.Details.Objects)
		}
		lines = append(lines, line)
	}
	if c.Undecoded > 0 {
		lines = append(lines, fmt.Sprintf("undecoded: %d", c.Undecoded))
	}
	return lines
}

type decodeTest struct {
	name  string
	turns []turn
	want  []string
}

func testDecode(t *testing.T, p *Protocol, tests []decodeTest) {
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			c, _ := conversation(t, p, test.turns...)
			if diff := cmp.Diff(test.want, summary(c)); diff != "" {
				t.Errorf("operations (-want +got):\n%s", diff)
			}
		})
	}
}

type recogniseTest struct {
	name string
	hex  string
	want Match
}

func testRecognise(t *testing.T, p *Protocol, tests []recogniseTest) {
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			b := unhex(t, test.hex)
			if got := p.Recognise(b); got != test.want {
				t.Errorf("got %+v, want %+v", got, test.want)
			}
			// Fewer bytes may leave it open or say no more than the whole does, but
			// must not say anything else.
			for n := range b {
				if got := p.Recognise(b[:n:n]); test.want.Score == Sure && got.Score == No {
					t.Errorf("the first %d bytes are taken for another protocol's", n)
				}
			}
		})
	}
}

// fuzzDecode holds a decoder to its contract: the bytes it reads count the same
// in one call as in two, cut anywhere, and it never uses more than it is given.
func fuzzDecode(f *testing.F, p *Protocol) {
	f.Fuzz(func(t *testing.T, b []byte, cut uint16, fromServer bool) {
		from := capture.FromClient
		if fromServer {
			from = capture.FromServer
		}
		decode := func(parts ...[]byte) capture.Conversation {
			tally := new(Tally)
			x, d := NewExchange(tally), p.New()
			var rest []byte
			for _, part := range parts {
				rest = append(rest, part...)
				used := d.Decode(x, from, rest)
				if used < 0 || used > len(rest) {
					t.Fatalf("Decode used %d of %d bytes", used, len(rest))
				}
				rest = rest[used:]
			}
			x.Close()
			var c capture.Conversation
			tally.Fill(&c)
			return c
		}
		p.Recognise(b)
		whole := decode(b)
		if whole.Undecoded > 0 || isCyclic(b) {
			return // what is skipped depends on where a segment ends, and a datagram has only one end
		}
		n := int(cut) % (len(b) + 1)
		if diff := cmp.Diff(summary(whole), summary(decode(b[:n:n], b[n:]))); diff != "" {
			t.Errorf("cut at %d (-in one call +in two):\n%s", n, diff)
		}
	})
}

// testAllocs checks that a request and its response, decoded over and over,
// allocate nothing.
func testAllocs(t *testing.T, p *Protocol, request, response string) {
	t.Helper()
	x, d := NewExchange(new(Tally)), p.New()
	ask, answer := unhex(t, request), unhex(t, response)
	exchange := func() {
		d.Decode(x, capture.FromClient, ask)
		d.Decode(x, capture.FromServer, answer)
	}
	exchange()
	if n := testing.AllocsPerRun(100, exchange); n != 0 {
		t.Errorf("%v allocations for a request and its response, want 0", n)
	}
}

// benchDecode measures segments of many requests and of their responses.
func benchDecode(b *testing.B, p *Protocol, request, response string) {
	const n = 32
	x, d := NewExchange(new(Tally)), p.New()
	ask := []byte(strings.Repeat(string(unhex(b, request)), n))
	answer := []byte(strings.Repeat(string(unhex(b, response)), n))
	b.SetBytes(int64(len(ask) + len(answer)))
	b.ReportAllocs()
	for b.Loop() {
		d.Decode(x, capture.FromClient, ask)
		d.Decode(x, capture.FromServer, answer)
	}
}

// testOps checks what [capture.Operation] promises of the operations in a
// protocol's tables: no two Ops alike, codes of the protocol's form, a class.
func testOps(t *testing.T, ops []*Op) {
	t.Helper()
	type tuple struct {
		protocol capture.Protocol
		code     string
		name     string
		class    capture.Class
	}
	seen := make(map[tuple]*Op)
	classes := make(map[capture.Class]bool)
	for _, c := range capture.Classes() {
		classes[c] = true
	}
	for _, o := range ops {
		if o.Name == "" {
			continue
		}
		k := tuple{o.Protocol, o.Code, o.Name, o.Class}
		if other := seen[k]; other != nil && other != o {
			t.Errorf("two Ops are %v", k)
		}
		seen[k] = o
		if !o.Protocol.Info().Codes.Valid(o.Code) {
			t.Errorf("%s %q: the code has not the form of %s", o.Protocol, o.Code, o.Protocol.Info().Codes.Example)
		}
		if !classes[o.Class] {
			t.Errorf("%s %s: no class %q", o.Protocol, o.Code, o.Class)
		}
	}
	if len(seen) == 0 {
		t.Error("no operations")
	}
}
