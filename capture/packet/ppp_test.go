package packet

import (
	"strings"
	"testing"
)

func TestSerialLines(t *testing.T) { testLinks(t, serialCases(t)) }

func serialCases(t testing.TB) []linkCase {
	v6 := func(p *Packet) { p.Src, p.Dst, p.IPID = one6, two6, 0 }
	return []linkCase{
		{"ppp with address and control", 9, 0, "ff03 0021" + segment, bare(nil), Decoded},
		{"ppp without", 9, 0, "0021" + segment, bare(nil), Decoded},
		{"ppp, protocol of one byte", 9, 0, "21" + segment, bare(nil), Decoded},
		{"ppp, both compressed", 50, 0, "ff03 21" + segment, bare(nil), Decoded},
		{"ppp, IPv6", 50, 0, "ff03 0057 60000000 001c 06 40" + addr6 + tcpHd + eight, bare(v6), Decoded},
		{"ppp, MPLS", 9, 0, "ff03 0281 00010 140" + segment, bare(nil), Decoded},
		{"ppp, link control", 9, 0, "ff03 c021" + four, rest(t, "ppp protocol 0xc021", four, nil), OtherL2},
		{"ppp, address but no control", 9, 0, "ff05" + four, rest(t, "ppp protocol 0xff05", four, nil), OtherL2},
		{"ppp, cut", 9, 60, "ff03 00", Packet{Detail: "ppp header"}, Truncated},
		{"ppp, nothing", 9, 0, "ff03", Packet{Detail: "ppp header"}, Malformed},
		{"ppp, cisco framing", 9, 0, "0f00 0800" + segment, bare(typed(0x0800)), Decoded},
		{"ppp with direction", 204, 0, "00 ff03 0021" + segment, bare(nil), Decoded},
		{"cisco", 104, 0, "8f00 86dd 60000000 001c 06 40" + addr6 + tcpHd + eight, bare(func(p *Packet) { v6(p); p.EtherType = 0x86dd }), Decoded},
		{"cisco, keepalive", 104, 0, "8f00 8035" + four, rest(t, "ethertype 0x8035", four, typed(0x8035)), OtherL2},
		{"cisco, cut", 104, 40, "0f00", Packet{Detail: "cisco hdlc header"}, Truncated},
		{"cisco with direction", 205, 0, "01 0f00 0800" + segment, bare(typed(0x0800)), Decoded},
		{"direction missing", 205, 0, "", Packet{Detail: "direction"}, Malformed},
		{"cisco on a loopback link", 0, 0, "0f00 0800" + segment, bare(typed(0x0800)), Decoded},

		{"frame relay, IPv4", 107, 0, "1841 03 cc" + segment, bare(nil), Decoded},
		{"frame relay, IPv6 behind a pad", 107, 0, "1841 03 00 8e 60000000 001c 06 40" + addr6 + tcpHd + eight, bare(v6), Decoded},
		{"frame relay, SNAP, four bytes of address", 107, 0, "18020201 03 00 80 000000 0800" + segment, bare(typed(0x0800)), Decoded},
		{"frame relay of Cisco", 107, 0, "1841 0800" + segment, bare(typed(0x0800)), Decoded},
		{"frame relay with direction", 206, 0, "00 1841 03 cc" + segment, bare(nil), Decoded},
		{"frame relay, management", 107, 0, "0001 03 08" + four, rest(t, "frame relay nlpid 0x08", four, nil), OtherL2},
		{"frame relay, address without end", 107, 0, "1840 4040 03 cc" + segment, Packet{Detail: "frame relay address"}, Malformed},
		{"frame relay, cut", 107, 40, "1841 03", Packet{Detail: "frame relay header"}, Truncated},

		{"pppoe", 1, 0, macs + "8864 11 00 0001 0032 0021" + segment + "000000000000", over4(typed(0x8864)), Decoded},
		{"pppoe, link control", 1, 0, macs + "8864 11 00 0001 0006 c021" + four + "0000", rest(t, "ppp protocol 0xc021", four, endsTyped(0x8864)), OtherL2},
		{"pppoe, discovery", 1, 0, macs + "8863 11 09 0000 0004" + four + "0000", rest(t, "pppoe discovery", four, endsTyped(0x8863)), OtherL2},
		{"pppoe, another version", 1, 0, macs + "8864 21 00 0001 0032 0021" + segment, Packet{SrcMAC: from, DstMAC: to, EtherType: 0x8864, Detail: "pppoe version"}, Malformed},
		{"pppoe, cut", 1, 50, macs + "8864 11 00", Packet{SrcMAC: from, DstMAC: to, EtherType: 0x8864, Detail: "pppoe header"}, Truncated},
		{"pppoe as a link", 51, 0, "11 00 0001 0032 0021" + segment, bare(nil), Decoded},
		{"pppoe, length above the frame", 51, 0, "11 00 0001 ffff c021" + four, rest(t, "ppp protocol 0xc021", four, nil), OtherL2},
	}
}

func TestLabels(t *testing.T) { testLinks(t, labelCases(t)) }

func labelCases(t testing.TB) []linkCase {
	labels := "8847 00010 040 00011 140 "
	inner := "0080f40e1199 001b1b112299"
	under := func(edit func(*Packet)) Packet {
		return over4(func(p *Packet) {
			p.DstMAC[5], p.SrcMAC[5] = 0x99, 0x99
			if edit != nil {
				edit(p)
			}
		})
	}
	stopped := func(detail string) Packet {
		return Packet{SrcMAC: from, DstMAC: to, EtherType: 0x8847, Detail: detail}
	}
	return []linkCase{
		{"IPv4", 1, 0, macs + labels + segment, over4(typed(0x8847)), Decoded},
		{"IPv6, multicast label, behind a VLAN", 1, 0, macs + "8100 0078 8848 00010 140 60000000 001c 06 40" + addr6 + tcpHd + eight,
			over4(func(p *Packet) {
				p.EtherType, p.Src, p.Dst, p.IPID, p.VLANs[0], p.NumVLANs = 0x8848, one6, two6, 0, 120, 1
			}), Decoded},
		{"pseudowire with control word", 1, 0, macs + labels + "0000 0007" + inner + ip4 + segment, under(nil), Decoded},
		{"pseudowire without", 1, 0, macs + labels + inner + ip4 + segment, under(nil), Decoded},
		{"pseudowire, VLAN within", 1, 0, macs + labels + "0000 0000" + inner + "8100 0078" + ip4 + segment,
			under(func(p *Packet) { p.VLANs[0], p.NumVLANs = 120, 1 }), Decoded},
		{"pseudowire, LLC", 1, 0, macs + labels + "00000000" + inner + "0007 424203 00000000 0000",
			rest(t, "llc sap 0x42", "00000000", func(p *Packet) {
				ends(p)
				p.SAP, p.DstMAC[5], p.SrcMAC[5] = 0x42, 0x99, 0x99
			}), OtherL2},
		{"pseudowire to an address that looks like IPv6", 1, 0, macs + labels + "6480f40e1199 001b1b112299" + ip4 + segment,
			under(func(p *Packet) { p.DstMAC[0] = 0x64 }), Decoded},
		{"associated channel", 1, 0, macs + labels + "1000 0007" + four, rest(t, "mpls associated channel", "1000 0007"+four, endsTyped(0x8847)), OtherL2},
		{"neither", 1, 0, macs + labels + "3000 0007" + four, rest(t, "mpls payload", "3000 0007"+four, endsTyped(0x8847)), OtherL2},
		{"nothing below", 1, 0, macs + labels, stopped("mpls payload"), Malformed},
		{"cut where it is guessed", 1, 60, macs + labels + "0000 0007 0080f40e1199", stopped("mpls payload"), Truncated},
		{"cut in the stack", 1, 60, macs + "8847 00010 040 0001", stopped("mpls label"), Truncated},
		{"stack without end", 1, 0, macs + "8847" + strings.Repeat("00010 040", 40), stopped("mpls label stack without end"), Malformed},
	}
}
