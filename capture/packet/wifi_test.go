package packet

import (
	"strings"
	"testing"
)

func TestWiFi(t *testing.T) { testLinks(t, wifiCases(t)) }

func wifiCases(t testing.TB) []linkCase {
	const (
		point = "001122334455" // the access point
		relay = "001122334466"
		dst   = "0080f40e1122"
		src   = "001b1b112233"
		snap  = "aaaa03 000000 0800"
	)
	toPoint := "0801 0000" + point + src + dst + "1000"
	at := func(detail, payload string) Packet { return rest(t, detail, payload, ends) }
	return []linkCase{
		{"to the access point", 105, 0, toPoint + snap + segment, over4(nil), Decoded},
		{"from the access point", 105, 0, "0802 0000" + dst + point + src + "1000" + snap + segment, over4(nil), Decoded},
		{"between stations", 105, 0, "0800 0000" + dst + src + point + "1000" + snap + segment, over4(nil), Decoded},
		{"between access points", 105, 0, "0803 0000" + relay + point + dst + "1000" + src + snap + segment, over4(nil), Decoded},
		{"quality of service", 105, 0, "8801 0000" + point + src + dst + "1000 0600" + snap + segment, over4(nil), Decoded},
		{"high throughput control", 105, 0, "8881 0000" + point + src + dst + "1000 0600 00000000" + snap + segment, over4(nil), Decoded},
		{"order without quality of service", 105, 0, "0881 0000" + point + src + dst + "1000" + snap + segment, over4(nil), Decoded},
		{"aggregate", 105, 0, "8802 0000" + point + relay + src + "1000 8000" + dst + src + "0038" + snap + segment + dst + src + "0008" + snap, over4(nil), Decoded},
		{"aggregate, length beyond the frame", 105, 0, "8802 0000" + dst + point + src + "1000 8000" + dst + src + "0039" + snap + segment,
			Packet{SrcMAC: from, DstMAC: to, Detail: "802.11 a-msdu length"}, Malformed},
		{"mesh", 105, 0, "8803 0000" + relay + point + dst + "1000" + src + "0001 00 1f 01000000" + snap + segment, over4(nil), Decoded},
		{"mesh, hosts behind its ends", 105, 0, "8803 0000" + relay + point + relay + "1000" + point + "0001 02 1f 01000000" + dst + src + snap + segment, over4(nil), Decoded},
		{"mesh, to a group, host behind its end", 105, 0, "8802 0000" + dst + point + relay + "1000 0001 01 1f 01000000" + src + snap + segment, over4(nil), Decoded},
		{"bridge without mesh", 105, 0, "8803 0000" + relay + point + dst + "1000" + src + "0001" + snap + segment, over4(nil), Decoded},
		{"vlan", 105, 0, toPoint + "aaaa03 000000 8100 0078" + ip4 + segment, over4(func(p *Packet) { p.VLANs[0], p.NumVLANs = 120, 1 }), Decoded},
		{"protected", 105, 0, "0841 0000" + point + src + dst + "1000" + four, at("802.11 protected", four), OtherL2},
		{"without data", 105, 0, "4801 0000" + point + src + dst + "1000", at("802.11 without data", ""), OtherL2},
		{"fragment", 105, 0, "0801 0000" + point + src + dst + "1100" + four, at("802.11 fragment", four), OtherL2},
		{"beacon", 105, 0, "8000 0000" + dst + src + point + "1000" + four, at("802.11 beacon", four), OtherL2},
		{"rts", 105, 0, "b400 0000" + dst + src, at("802.11 rts", ""), OtherL2},
		{"acknowledgement", 105, 0, "d400 0000" + dst, rest(t, "802.11 acknowledgement", "", func(p *Packet) { p.DstMAC = to }), OtherL2},
		{"extension", 105, 0, "0c00 0000" + dst, rest(t, "802.11 extension", "0c00 0000"+dst, nil), OtherL2},
		{"version", 105, 0, "0901 0000" + dst, Packet{Detail: "802.11 version"}, Malformed},
		{"header cut", 105, 60, "0801 0000" + point + src, Packet{Detail: "802.11 header"}, Truncated},
		{"llc cut", 105, 60, toPoint + "aaaa", Packet{SrcMAC: from, DstMAC: to, Detail: "llc header"}, Truncated},

		{"radiotap, nothing in it", 127, 0, "0000 0800 00000000" + toPoint + snap + segment, over4(nil), Decoded},
		{"radiotap, check sequence", 127, 0, "0000 0900 02000000 10 0841 0000" + point + src + dst + "1000" + four + "12345678", at("802.11 protected", four), OtherL2},
		{"radiotap, check sequence not captured", 127, 6, "0000 0900 02000000 10 0841 0000" + point + src + dst + "1000" + four,
			rest(t, "802.11 protected", four, func(p *Packet) { ends(p); p.PayloadLength = 6 }), OtherL2},
		{"radiotap, time and more fields, padded header", 127, 0, "0000 1900 03000080 00000000 00000000 1122334455667788 20" + "8801 0000" + point + src + dst + "1000 0600 0000" + snap + segment, over4(nil), Decoded},
		{"radiotap, wrong check sequence", 127, 0, "0000 0900 02000000 50" + toPoint, rest(t, "802.11 wrong check sequence", toPoint, nil), OtherL2},
		{"radiotap, fields without end", 127, 0, "0000 0800 02000080" + toPoint + snap + segment, over4(nil), Decoded},
		{"radiotap, length below the header", 127, 0, "0000 0700 00000000" + toPoint, Packet{Detail: "radiotap header"}, Malformed},
		{"radiotap, cut", 127, 90, "0000 2000 00000000", Packet{Detail: "radiotap header"}, Truncated},
		{"prism", 119, 0, "44000000 90000000" + strings.Repeat("00", 136) + toPoint + snap + segment, over4(nil), Decoded},
		{"prism, cut", 119, 200, "44000000 90000000", Packet{Detail: "prism header"}, Truncated},
		{"avs under prism's number", 119, 0, "80211001 00000040" + strings.Repeat("00", 56) + toPoint + snap + segment, over4(nil), Decoded},
		{"avs", 163, 0, "80211001 00000040" + strings.Repeat("00", 56) + toPoint + snap + segment, over4(nil), Decoded},
		{"avs, length", 163, 0, "80211001 ffffffff" + toPoint, Packet{Detail: "avs header"}, Malformed},
		{"ppi, check sequence", 192, 0, "0000 2000 69000000 0200 1400" + "1122334455667788 0100" + strings.Repeat("00", 10) + "0841 0000" + point + src + dst + "1000" + four + "12345678",
			at("802.11 protected", four), OtherL2},
		{"ppi, wrong check sequence", 192, 0, "0000 2000 69000000 0200 1400" + "1122334455667788 0400" + strings.Repeat("00", 10) + four, rest(t, "802.11 wrong check sequence", four, nil), OtherL2},
		{"ppi, Ethernet", 192, 0, "0000 0800 01000000" + macs + ip4 + segment, over4(nil), Decoded},
		{"ppi, another link", 192, 0, "0000 0800 e3000000" + four, Packet{Detail: "link type 227 (can-socketcan)"}, UnknownLink},
		{"ppi, field beyond the header", 192, 0, "0000 0c00 69000000 0200 1400" + toPoint, Packet{Detail: "ppi field"}, Malformed},
		{"cooked, radiotap", 113, 0, "0000 0323 0006 001b1b112233 0000 0000" + "0000 0800 00000000" + toPoint + snap + segment, over4(nil), Decoded},
	}
}
