package packet

import (
	"bytes"
	"fmt"
	"maps"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/gopacket"
	"github.com/google/gopacket/layers"

	"bulkhead/capture/pcap"
	"bulkhead/internal/corpus"
	"bulkhead/internal/mac"
)

// gopacketLinks are the link types that both read: all that gopacket 1.1.19 has,
// but USB, which carries no packets.
var gopacketLinks = map[pcap.LinkType]gopacket.Decoder{
	pcap.LinkEthernet: layers.LayerTypeEthernet,
	pcap.LinkLinuxSLL: layers.LayerTypeLinuxSLL,
	pcap.LinkNull:     layers.LayerTypeLoopback,
	pcap.LinkLoop:     layers.LayerTypeLoopback,
	pcap.LinkRaw:      layers.LinkTypeRaw,
	pcap.LinkRawBSD:   layers.LinkTypeRaw,
	pcap.LinkRawOther: layers.LinkTypeRaw,
	pcap.LinkIPv4:     layers.LayerTypeIPv4,
	pcap.LinkIPv6:     layers.LayerTypeIPv6,
	linkPPP:           layers.LayerTypePPP,
	linkPPPHDLC:       layers.LayerTypePPP,
	linkFDDI:          layers.LayerTypeFDDI,
	linkWiFi:          layers.LayerTypeDot11,
	linkRadiotap:      layers.LayerTypeRadioTap,
	linkPrism:         layers.LayerTypePrismHeader,
	linkPFLog:         layers.LayerTypePFLog,
}

// differences counts, by what differs, the frames that gopacket reads
// otherwise, and keeps the first of each as an example.
type differences struct {
	count map[string]int
	first map[string]string
}

func (d differences) add(what, where string) {
	if d.count[what]++; d.count[what] == 1 {
		d.first[what] = where
	}
}

// TestCorpusAgainstGopacket holds every field against gopacket's decoders, on
// every frame of the corpus whose link type both know.
func TestCorpusAgainstGopacket(t *testing.T) {
	if strconv.IntSize == 32 {
		t.Skip("gopacket's lengths of jumbograms overflow here")
	}
	diffs := differences{map[string]int{}, map[string]string{}}
	compared := 0
	var p Packet
	for _, row := range corpus.Table(t, "index.tsv") {
		r, err := pcap.NewReader(bytes.NewReader(corpus.Read(t, row[0])))
		if err != nil {
			continue
		}
		for {
			f, err := r.Next()
			if _, damage := err.(*pcap.DamageError); damage {
				continue
			}
			if err != nil {
				break
			}
			o := p.Parse(f.Link, f.Length, f.Data)
			first, ok := gopacketLinks[f.Link]
			if !ok {
				continue
			}
			compared++
			for _, what := range compare(&p, o, gopacket.NewPacket(f.Data, first, gopacket.DecodeOptions{Lazy: true, NoCopy: true})) {
				diffs.add(what, fmt.Sprintf("%s frame %d", row[0], f.Number))
			}
		}
	}
	if compared < 500000 {
		t.Errorf("%d frames compared, expected at least 500000", compared)
	}
	for _, what := range slices.Sorted(maps.Keys(diffs.count)) {
		if a := accepted[what]; a.frames != diffs.count[what] {
			t.Errorf("%s: %d frames, %d accepted; first %s", what, diffs.count[what], a.frames, diffs.first[what])
		}
	}
	for _, what := range slices.Sorted(maps.Keys(accepted)) {
		if diffs.count[what] == 0 {
			t.Errorf("%s: no frames, %d accepted", what, accepted[what].frames)
		}
	}
}

// accepted are the differences that stay, with the number of frames in the
// corpus, and why.
var accepted = map[string]struct {
	frames int
	why    string
}{
	"no ip, outcome 5 ipv4 header":    {1, "gopacket keeps a layer whose header was cut"},
	"no ip, outcome 5 ipv6 header":    {1, "the same"},
	"no ip, outcome 6 ip version":     {36, "gopacket does not look at the version"},
	"no ip, outcome 6 ipv4 length":    {17, "gopacket keeps a layer whose header it refused"},
	"no ip, outcome 6 ipv6 header":    {1, "the same"},
	"behind 0x88e5":                   {4, "gopacket knows no IEEE 802.1AE"},
	"behind 0x88e7":                   {13, "nor IEEE 802.1ah"},
	"behind 0x8926":                   {4, "nor VN-Tag"},
	"behind 0x894f":                   {1, "nor NSH"},
	"behind isl":                      {6, "nor Cisco's trunks, whose header it takes for Ethernet's"},
	"ipv4, outcome 0 ":                {7, "gopacket panics where the total length is above that of a cut frame (5), and knows no serial frames under the loopback link type (2)"},
	"tcp, outcome 5 tcp header":       {4, "gopacket keeps a layer whose options were cut"},
	"tcp, outcome 6 tcp data offset":  {3, "gopacket keeps a layer whose header it refused"},
	"transport, outcome 0 ":           {4, "gopacket refuses an IPv6 length of 0 without a jumbo option, a routing header of type 2, and bad IPv4 options"},
	"udp payload, outcome 0 ":         {4, "gopacket takes a UDP length of 0, of BIG TCP, for a payload of none"},
	"udp, outcome 6 udp length":       {25, "gopacket reads datagrams whose length goes beyond the packet"},
	"icmpv6, outcome 5 icmpv6 header": {1, "gopacket needs 4 bytes of the 8 that every message has"},
}

// compare says in which fields p, of the Outcome o, differs from what gopacket
// reads.
func compare(p *Packet, o Outcome, g gopacket.Packet) (diffs []string) {
	check := func(what string, same bool) {
		if !same {
			diffs = append(diffs, fmt.Sprintf("%s, outcome %d %s", what, o, p.Detail))
		}
	}
	if tag := unknownTag(g); tag != "" {
		return []string{"behind " + tag}
	}
	if e, ok := g.Layer(layers.LayerTypeEthernet).(*layers.Ethernet); ok {
		check("mac", p.SrcMAC == mac.Addr(e.SrcMAC) && p.DstMAC == mac.Addr(e.DstMAC))
	}
	if e, ok := g.Layer(layers.LayerTypeLinuxSLL).(*layers.LinuxSLL); ok && e.AddrLen == 6 {
		check("cooked mac", p.SrcMAC == mac.Addr(e.Addr))
	}
	if a, ok := g.Layer(layers.LayerTypeARP).(*layers.ARP); ok && p.EtherType == etherARP {
		check("arp", p.ARP.Op == a.Operation && (p.ARP.Sender == netip.Addr{} ||
			p.ARP.SenderMAC == mac.Addr(a.SourceHwAddress) && p.ARP.TargetMAC == mac.Addr(a.DstHwAddress) &&
				p.ARP.Sender == addr(a.SourceProtAddress) && p.ARP.Target == addr(a.DstProtAddress)))
	}
	compareTags(p, g, check)
	if !p.Src.IsValid() {
		if o != OtherL2 {
			check("no ip", g.Layer(layers.LayerTypeIPv4) == nil && g.Layer(layers.LayerTypeIPv6) == nil)
		}
		return diffs
	}
	if p.Src.Is4() {
		ip, ok := g.Layer(layers.LayerTypeIPv4).(*layers.IPv4)
		if check("ipv4", ok); !ok {
			return diffs
		}
		check("ipv4 addresses", p.Src == addr(ip.SrcIP) && p.Dst == addr(ip.DstIP) && p.TTL == ip.TTL)
		check("ipv4 fragment", p.MoreFragments == (ip.Flags&layers.IPv4MoreFragments != 0) && p.Fragment == (ip.FragOffset != 0))
	} else {
		ip, ok := g.Layer(layers.LayerTypeIPv6).(*layers.IPv6)
		if check("ipv6", ok); !ok {
			return diffs
		}
		check("ipv6 addresses", p.Src == addr(ip.SrcIP) && p.Dst == addr(ip.DstIP) && p.TTL == ip.HopLimit)
	}
	// gopacket looks into no fragment, and at once into what IP carries as IP.
	tunnel := p.Tunnel.Kind != None && p.Proto != protoUDP
	if g.Layer(gopacket.LayerTypeFragment) == nil && o != OtherIP && !tunnel {
		compareTransport(p, o, g, check)
	}
	return diffs
}

// unknownTag names the tag at which gopacket stops, because it has no decoder,
// and we go on.
func unknownTag(g gopacket.Packet) string {
	for _, l := range g.Layers() {
		t := layers.EthernetType(0)
		switch l := l.(type) {
		case *layers.Ethernet:
			if t = l.EthernetType; strings.HasPrefix(l.DstMAC.String(), "01:00:0c:00:00") {
				return "isl"
			}
		case *layers.Dot1Q:
			t = l.Type
		}
		switch t {
		case etherPBB, etherVNTag, etherNSH, etherMACsec, etherHSR:
			return fmt.Sprintf("0x%04x", uint16(t))
		}
	}
	return ""
}

// compareTags compares the VLAN tags in front of any other header.
func compareTags(p *Packet, g gopacket.Packet, check func(string, bool)) {
	n := 0
	for _, l := range g.Layers() {
		if l.LayerType() == layers.LayerTypeEthernet && n == 0 || l.LayerType() == layers.LayerTypeLinuxSLL {
			continue
		}
		tag, ok := l.(*layers.Dot1Q)
		if !ok {
			break
		}
		check("vlan", n >= MaxVLANs || p.VLANs[n] == tag.VLANIdentifier)
		n++
	}
	check("number of vlans", n == p.NumVLANs)
}

func compareTransport(p *Packet, o Outcome, g gopacket.Packet, check func(string, bool)) {
	if icmp, ok := g.Layer(layers.LayerTypeICMPv4).(*layers.ICMPv4); ok && p.Proto == protoICMP {
		check("icmp", o == Decoded && p.ICMPType == icmp.TypeCode.Type() && p.ICMPCode == icmp.TypeCode.Code() && bytes.Equal(p.Payload, icmp.Payload))
	}
	if icmp, ok := g.Layer(layers.LayerTypeICMPv6).(*layers.ICMPv6); ok && p.Proto == protoICMPv6 {
		check("icmpv6", o == Decoded && p.ICMPType == icmp.TypeCode.Type() && p.ICMPCode == icmp.TypeCode.Code())
	}
	var first gopacket.Layer
	for _, l := range g.Layers() {
		switch l.LayerType() {
		case layers.LayerTypeTCP, layers.LayerTypeUDP, layers.LayerTypeSCTP, layers.LayerTypeICMPv4, layers.LayerTypeICMPv6:
			if first == nil {
				first = l
			}
		}
	}
	switch tr := first.(type) {
	case *layers.TCP:
		if check("tcp", o == Decoded && p.Proto == protoTCP); o != Decoded {
			return
		}
		check("tcp ports", p.SrcPort == uint16(tr.SrcPort) && p.DstPort == uint16(tr.DstPort))
		check("tcp numbers", p.Seq == tr.Seq && p.Ack == tr.Ack && p.Window == tr.Window)
		check("tcp flags", p.Flags.Has(FIN) == tr.FIN && p.Flags.Has(SYN) == tr.SYN && p.Flags.Has(RST) == tr.RST &&
			p.Flags.Has(PSH) == tr.PSH && p.Flags.Has(ACK) == tr.ACK && p.Flags.Has(URG) == tr.URG)
		check("tcp payload", bytes.Equal(p.Payload, tr.Payload))
	case *layers.UDP:
		if check("udp", o == Decoded && p.Proto == protoUDP); o != Decoded {
			return
		}
		check("udp ports", p.SrcPort == uint16(tr.SrcPort) && p.DstPort == uint16(tr.DstPort))
		check("udp payload", bytes.Equal(p.Payload, tr.Payload))
	case *layers.SCTP:
		check("sctp", o == Decoded && p.SrcPort == uint16(tr.SrcPort) && p.DstPort == uint16(tr.DstPort))
	case nil:
		check("transport", o != Decoded || p.Proto != protoTCP && p.Proto != protoUDP && p.Proto != protoSCTP)
	}
}

// addr is a gopacket address as ours, the zero Addr if it has no size of one.
func addr(b []byte) netip.Addr {
	a, _ := netip.AddrFromSlice(b)
	return a
}
