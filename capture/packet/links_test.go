package packet

import (
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"bulkhead/capture/pcap"
	"bulkhead/internal/mac"
)

// linkCase is one frame of a link layer and what is to be read of it.
type linkCase struct {
	name   string
	link   pcap.LinkType
	cut    int // bytes on the wire that were not captured
	frame  string
	want   Packet
	result Outcome
}

// linkCases are the cases of all links.
func linkCases(t testing.TB) []linkCase {
	return slices.Concat(serialCases(t), labelCases(t), tagCases(t), wifiCases(t), pseudoCases(t), preambleCases(t))
}

// TestLinksAllocate parses every frame of the tables.
func TestLinksAllocate(t *testing.T) {
	var frames [][]byte
	cases := linkCases(t)
	for _, c := range cases {
		frames = append(frames, bytesOf(t, c.frame))
	}
	var p Packet
	if n := testing.AllocsPerRun(100, func() {
		for i, b := range frames {
			p.Parse(cases[i].link, len(b)+cases[i].cut, b)
		}
	}); n != 0 {
		t.Errorf("%v allocations in %d frames, expected 0", n, len(frames))
	}
}

func testLinks(t *testing.T, tests []linkCase) {
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			b := bytesOf(t, tt.frame)
			var got Packet
			if o := got.Parse(tt.link, len(b)+tt.cut, b); o != tt.result {
				t.Errorf("outcome %d, expected %d", o, tt.result)
			}
			if diff := cmp.Diff(tt.want, got, samePacket, cmpopts.IgnoreFields(Packet{}, "Net")); diff != "" {
				t.Errorf("(-want +got)\n%s", diff)
			}
		})
	}
}

const segment = tcp4 + tcpHd + eight // 48 bytes of IPv4

// bare is the Packet of the segment on a link without addresses.
func bare(edit func(*Packet)) Packet {
	return over4(func(p *Packet) {
		p.SrcMAC, p.DstMAC, p.EtherType = mac.Addr{}, mac.Addr{}, 0
		if edit != nil {
			edit(p)
		}
	})
}

// rest is a Packet of which nothing is read but the payload.
func rest(t testing.TB, detail, payload string, edit func(*Packet)) Packet {
	p := Packet{Detail: detail, Payload: bytesOf(t, payload)}
	p.PayloadLength = len(p.Payload)
	if edit != nil {
		edit(&p)
	}
	return p
}

func ends(p *Packet)                     { p.SrcMAC, p.DstMAC = from, to }
func typed(t uint16) func(*Packet)       { return func(p *Packet) { p.EtherType = t } }
func endsTyped(t uint16) func(p *Packet) { return func(p *Packet) { ends(p); p.EtherType = t } }
