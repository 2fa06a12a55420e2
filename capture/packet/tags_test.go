package packet

import (
	"strings"
	"testing"
)

func TestTags(t *testing.T) { testLinks(t, tagCases(t)) }

func tagCases(t testing.TB) []linkCase {
	copyOf := func(r Redundancy) Packet { return over4(func(p *Packet) { p.Redundancy = r }) }
	check := strings.Repeat("00", 16)
	goose := "88b8" + strings.Repeat("61", 40)
	inner := "0080f40e1199 001b1b112299"
	behind := func(edit func(*Packet)) Packet {
		return over4(func(p *Packet) {
			p.DstMAC[5], p.SrcMAC[5] = 0x99, 0x99
			if edit != nil {
				edit(p)
			}
		})
	}
	prp := func(lan uint8) Redundancy { return Redundancy{PRP, 0x0102, lan} }
	return []linkCase{
		// The LSDU size counts the trailer: 48 bytes of IPv4 and 6.
		{"prp, lan a", 1, 0, macs + ip4 + segment + "0102 a036 88fb", copyOf(prp(0xa)), Decoded},
		{"prp, lan b", 1, 0, macs + ip4 + segment + "0102 b036 88fb", copyOf(prp(0xb)), Decoded},
		{"prp, check sequence", 1, 0, macs + ip4 + segment + "0102 b036 88fb 12345678", copyOf(prp(0xb)), Decoded},
		{"prp, no such lan", 1, 0, macs + ip4 + segment + "0102 c036 88fb", over4(nil), Decoded},
		{"prp, another size", 1, 0, macs + ip4 + segment + "0102 a035 88fb", over4(nil), Decoded},
		{"prp, tag not counted", 1, 0, macs + "8100 0078" + ip4 + segment + "0102 a036 88fb",
			over4(func(p *Packet) { p.Redundancy, p.VLANs[0], p.NumVLANs = prp(0xa), 120, 1 }), Decoded},
		{"prp, tag counted", 1, 0, macs + "8100 0078" + ip4 + segment + "0102 a03a 88fb",
			over4(func(p *Packet) { p.Redundancy, p.VLANs[0], p.NumVLANs = prp(0xa), 120, 1 }), Decoded},
		{"prp, two tags not counted", 1, 0, macs + "88a8 0064 8100 0078" + ip4 + segment + "0102 a036 88fb",
			over4(func(p *Packet) { p.Redundancy, p.VLANs, p.NumVLANs = prp(0xa), [4]uint16{100, 120}, 2 }), Decoded},
		{"prp, cut frame", 1, 10, macs + ip4 + segment + "0102 a036 88fb", over4(nil), Decoded},
		{"prp, goose", 1, 0, macs + goose + "0102 a02e 88fb", rest(t, "ethertype 0x88b8", goose[4:], func(p *Packet) { endsTyped(0x88b8)(p); p.Redundancy = prp(0xa) }), OtherL2},
		{"prp, length frame", 1, 0, macs + "0007 424203 00000000 0102 b00d 88fb", rest(t, "llc sap 0x42", "00000000", func(p *Packet) { ends(p); p.SAP, p.Redundancy = 0x42, prp(0xb) }), OtherL2},
		{"hsr", 1, 0, macs + "892f 1036 0102" + ip4 + segment, copyOf(Redundancy{HSR, 0x0102, 1}), Decoded},
		{"hsr behind a vlan", 1, 0, macs + "8100 0078 892f 0036 0102" + ip4 + segment,
			over4(func(p *Packet) { p.Redundancy, p.VLANs[0], p.NumVLANs = Redundancy{HSR, 0x0102, 0}, 120, 1 }), Decoded},
		{"hsr, cut", 1, 50, macs + "892f 1036", rest(t, "hsr tag", "", func(p *Packet) { ends(p); p.Payload = nil }), Truncated},

		{"macsec, integrity only", 1, 0, macs + "88e5 00 00 00000001" + ip4 + segment + check, over4(nil), Decoded},
		{"macsec, channel named", 1, 0, macs + "88e5 20 00 00000001 001b1b112233 0001" + ip4 + segment + check, over4(nil), Decoded},
		{"macsec, short", 1, 0, macs + "88e5 00 06 00000001 88b8" + four + check + "000000000000", rest(t, "ethertype 0x88b8", four, endsTyped(0x88b8)), OtherL2},
		{"macsec, encrypted", 1, 0, macs + "88e5 0c 00 00000001" + four, rest(t, "macsec encrypted", "0c 00 00000001"+four, endsTyped(0x88e5)), OtherL2},
		{"macsec, short length beyond the frame", 1, 0, macs + "88e5 00 3f 00000001" + ip4 + check, rest(t, "macsec length", "", func(p *Packet) { ends(p); p.Payload = nil }), Malformed},
		{"macsec, no room for the check value", 1, 0, macs + "88e5 00 00 00000001" + ip4 + four, rest(t, "macsec length", "", func(p *Packet) { ends(p); p.Payload = nil }), Malformed},
		{"macsec, version", 1, 0, macs + "88e5 80 00 00000001" + ip4 + check, rest(t, "macsec version", "", func(p *Packet) { ends(p); p.Payload = nil }), Malformed},
		{"macsec, cut", 1, 80, macs + "88e5 20 00 00000001 001b", rest(t, "macsec tag", "", func(p *Packet) { ends(p); p.Payload = nil }), Truncated},

		{"backbone", 1, 0, "02cccc003a00 02cccc003c00 88a8 0064 88e7 00000123" + inner + "8100 0078" + ip4 + segment,
			behind(func(p *Packet) { p.VLANs, p.NumVLANs = [4]uint16{100, 120}, 2 }), Decoded},
		{"backbones without end", 1, 0, strings.Repeat(macs+"88e7 00000123", 6) + macs + ip4 + segment,
			Packet{SrcMAC: from, DstMAC: to, EtherType: 0x88e7, Detail: "ethernet frames in each other without end"}, Malformed},
		{"service header", 1, 0, macs + "894f 0002 0101 00000001" + ip4[:0] + segment, over4(typed(0x0800)), Decoded},
		{"service header, frame", 1, 0, macs + "894f 0006 0103 000001ff 00000000 00000000 00000000 00000000" + inner + ip4 + segment, behind(nil), Decoded},
		{"service header, length", 1, 0, macs + "894f 0001 0101 00000001" + segment, Packet{SrcMAC: from, DstMAC: to, EtherType: 0x894f, Detail: "nsh length"}, Malformed},
		{"trunk of Cisco", 1, 0, "01000c000000 001b1b112233 0060 aaaa03 00000c 00f1 0000 0000" + macs + ip4 + segment + four,
			over4(func(p *Packet) { p.VLANs[0], p.NumVLANs = 120, 1 }), Decoded},
		{"no trunk, the same group", 1, 0, "01000c000000 001b1b112233 0007 424203 00000000",
			rest(t, "llc sap 0x42", "00000000", func(p *Packet) { p.SrcMAC, p.DstMAC, p.SAP = from, [6]byte{1, 0, 12}, 0x42 }), OtherL2},

		{"vlan behind snap", 1, 0, macs + "003c aaaa03 000000 8100 0078" + ip4 + segment, over4(func(p *Packet) { p.VLANs[0], p.NumVLANs = 120, 1 }), Decoded},
		{"snap behind vlan", 1, 0, macs + "8100 0078 0038 aaaa03 0000f8 0800" + segment, over4(func(p *Packet) { p.VLANs[0], p.NumVLANs = 120, 1 }), Decoded},
		{"0x9200 is no tag", 1, 0, macs + "9200 0078" + four, rest(t, "ethertype 0x9200", "0078"+four, endsTyped(0x9200)), OtherL2},
		{"a hundred tags", 1, 0, macs + strings.Repeat("8100 0001", 100) + ip4 + segment, over4(func(p *Packet) { p.VLANs, p.NumVLANs = [4]uint16{1, 1, 1, 1}, 100 }), Decoded},
		{"snap in snap without end", 1, 0, macs + strings.Repeat("0100 aaaa03 000000 8100 0001", 9), Packet{SrcMAC: from, DstMAC: to, EtherType: 0x8100,
			VLANs: [4]uint16{1, 1, 1, 1}, NumVLANs: 4, Detail: "tags and headers without end"}, Malformed},

		{"vn-tag", 1, 0, macs + "8926 00040001 8100 0078" + ip4 + segment, over4(func(p *Packet) { p.VLANs[0], p.NumVLANs = 120, 1 }), Decoded},
		{"marvell, tagged", 284, 0, macs + "e008 0078" + ip4 + segment, over4(func(p *Packet) { p.VLANs[0], p.NumVLANs = 120, 1 }), Decoded},
		{"marvell, untagged", 284, 0, macs + "c008 0078" + ip4 + segment, over4(nil), Decoded},
		{"marvell with ethertype", 285, 0, macs + "dada 0000 e008 0078" + ip4 + segment, over4(func(p *Packet) { p.VLANs[0], p.NumVLANs = 120, 1 }), Decoded},
		{"marvell with ethertype, Ethernet", 1, 0, macs + "dada 0000 e008 0078" + ip4 + segment, over4(func(p *Packet) { p.VLANs[0], p.NumVLANs = 120, 1 }), Decoded},
		{"marvell, cut", 284, 60, macs + "c008 00", Packet{Detail: "switch tag"}, Truncated},
		{"broadcom", 281, 0, macs + "00000008" + ip4 + segment, over4(nil), Decoded},
		{"broadcom, in front", 282, 0, "00000008" + macs + ip4 + segment, over4(nil), Decoded},
	}
}
