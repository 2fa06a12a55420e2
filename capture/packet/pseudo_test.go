package packet

import (
	"strings"
	"testing"
)

func TestPseudoHeaders(t *testing.T) { testLinks(t, pseudoCases(t)) }

func pseudoCases(t testing.TB) []linkCase {
	v6 := func(p *Packet) { p.Src, p.Dst, p.IPID = one6, two6, 0 }
	segment6 := "60000000 001c 06 40" + addr6 + tcpHd + eight
	zeros := strings.Repeat("00", 60)
	return []linkCase{
		{"enc, little-endian", 109, 0, "02000000 00000001 00000000" + segment, bare(nil), Decoded},
		{"enc, IPv6 of OpenBSD", 109, 0, "00000018 00000001 00000000" + segment6, bare(v6), Decoded},
		{"enc, cut", 109, 60, "0200", Packet{Detail: "enc header"}, Truncated},
		{"pflog, padded", 117, 0, "3d02" + zeros + "0000" + segment, bare(nil), Decoded},
		{"pflog, IPv6 of FreeBSD", 117, 0, "401c" + zeros + "0000" + segment6, bare(v6), Decoded},
		{"pflog, length", 117, 0, "0802" + zeros, Packet{Detail: "pflog header"}, Malformed},
		{"pflog, cut", 117, 60, "3d02 0000", Packet{Detail: "pflog header"}, Truncated},
		{"ipnet", 226, 0, "0102 0000 00000030 00000001 00000000 00000000 00000000" + segment, bare(nil), Decoded},
		{"ipnet, IPv6", 226, 0, "011a 0000 00000030 00000001 00000000 00000000 00000000" + segment6, bare(v6), Decoded},
		{"ipnet, another family", 226, 0, "0107 0000 00000030 00000001 00000000 00000000 00000000" + four, rest(t, "address family 7", four, nil), OtherL2},
		{"nflog", 239, 0, "02 00 0000" + "0800 0100 08000300" + "1000 0800 0006 0000 001b1b112233 0000" + "0500 0a00 00 000000" + "3400 0900" + segment,
			bare(func(p *Packet) { p.SrcMAC = from }), Decoded},
		{"nflog, big-endian", 239, 0, "0a 00 0000" + "0048 0009" + segment6, bare(v6), Decoded},
		{"nflog, no packet", 239, 0, "02 00 0000" + "0800 0100 08000300", Packet{Detail: "nflog packet"}, Malformed},
		{"nflog, attribute without length", 239, 0, "02 00 0000" + "0000 0100 08000300", Packet{Detail: "nflog attribute"}, Malformed},
		{"nflog, cut in front of the packet", 239, 80, "02 00 0000" + "0800 0100 08000300 34", Packet{Detail: "nflog packet"}, Truncated},
		{"fddi", 10, 0, "50" + macs + "aaaa03 000000 0800" + segment, over4(nil), Decoded},
		{"fddi, station management", 10, 0, "41" + macs + four, rest(t, "fddi other than llc", four, ends), OtherL2},
		{"atm", 100, 0, "aaaa03 000000 0800" + segment, bare(typed(0x0800)), Decoded},
		{"atm clip with llc", 106, 0, "aaaa03 000000 0800" + segment, bare(typed(0x0800)), Decoded},
		{"atm clip without", 106, 0, segment, bare(nil), Decoded},
		{"ipoib", 242, 0, strings.Repeat("00", 40) + "0800 0000" + segment, bare(typed(0x0800)), Decoded},
		{"juniper", 178, 0, "4d4743 01" + macs + ip4 + segment, over4(nil), Decoded},
		{"juniper, extensions", 178, 0, "4d4743 80 0006 0102 0304 0506" + macs + ip4 + segment, over4(nil), Decoded},
		{"juniper, no frame", 178, 0, "4d4743 02 02000000" + segment, bare(nil), Decoded},
		{"juniper, extensions beyond the frame", 178, 0, "4d4743 80 ffff 0102", Packet{Detail: "juniper header"}, Malformed},
		{"802.15.4", 195, 0, "6188 01" + four, rest(t, "802.15.4 data", "6188 01"+four, nil), OtherL2},
	}
}

func TestPreambles(t *testing.T) { testLinks(t, preambleCases(t)) }

func preambleCases(t testing.TB) []linkCase {
	const check = "12345678"
	return []linkCase{
		{"netanalyzer", 240, 0, "00043e00" + macs + ip4 + segment + check, over4(nil), Decoded},
		{"netanalyzer, goose", 240, 0, "00043e00" + macs + "88b8" + four + check, rest(t, "ethertype 0x88b8", four, endsTyped(0x88b8)), OtherL2},
		{"netanalyzer, check sequence not captured", 240, 4, "00043e00" + macs + "88b8" + four, rest(t, "ethertype 0x88b8", four, endsTyped(0x88b8)), OtherL2},
		{"netanalyzer, wrong check sequence", 240, 0, "04043e00" + macs + check, rest(t, "ethernet wrong check sequence", macs, nil), OtherL2},
		{"netanalyzer, event", 240, 0, "00053e00" + macs + check, rest(t, "netanalyzer event", macs, nil), OtherL2},
		{"transparent", 241, 0, "00063e00 55555555555555d5" + macs + ip4 + segment + check, over4(nil), Decoded},
		{"transparent, preamble begun late", 241, 0, "40063e00 5555d5" + macs + ip4 + segment + check, over4(nil), Decoded},
		{"transparent, no preamble", 241, 0, "00063e00" + macs + check, Packet{Detail: "ethernet preamble"}, Malformed},
		{"mpacket, express", 274, 0, "55555555555555d5" + macs + ip4 + segment + check, over4(nil), Decoded},
		{"mpacket, preemptable", 274, 0, "55555555555555e6" + macs + ip4 + segment + check, over4(nil), Decoded},
		{"mpacket, continued", 274, 0, "5555555555556100" + four + check, rest(t, "mpacket without the start of a frame", four, nil), OtherL2},
		{"mpacket, cut", 274, 70, "555555", Packet{Detail: "mpacket preamble"}, Truncated},
	}
}
