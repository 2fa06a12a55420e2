package packet

import (
	"encoding/binary"

	"bulkhead/capture/pcap"
)

// The headers in front of 802.11 frames, in which receivers say how they heard
// them.

func le16(b []byte) uint16 { return binary.LittleEndian.Uint16(b) }
func le32(b []byte) uint32 { return binary.LittleEndian.Uint32(b) }

// wifiCheck is the length of the check sequence of an 802.11 frame.
const wifiCheck = 4

// radiotap reads a radiotap header. Of its fields the flags matter: whether the
// frame has a check sequence, whether that was wrong, and whether the header is
// padded. A frame that was not received as it was sent may have any address, so
// none is read. Source: radiotap.org.
func (p *Packet) radiotap(b []byte, wire int) Outcome {
	const header = 8
	const check, padded, bad = 0x10, 0x20, 0x40
	if len(b) < header {
		return p.short(wire, header, "radiotap header")
	}
	n := int(le16(b[2:]))
	if b[0] != 0 || n < header {
		return p.malformed("radiotap header")
	}
	if len(b) < n {
		return p.short(wire, n, "radiotap header")
	}
	flags := radiotapFlags(b[:n])
	b, wire = b[n:], wire-n
	if flags&bad != 0 {
		return p.wifiOther(b, wire, 0, "802.11 wrong check sequence")
	}
	if flags&check != 0 {
		b, wire = without(b, wire, wifiCheck)
	}
	return p.wifi(b, wire, flags&padded != 0)
}

// radiotapFlags returns the flags field of a whole header, 0 if there is none.
// In front of it are the words that say which fields there are, and a time stamp
// of eight bytes at a multiple of eight.
func radiotapFlags(b []byte) byte {
	const word, time, flags, more = 4, 1, 2, 1 << 31
	present, at := le32(b[4:]), 8
	for last := present; last&more != 0; at += word {
		if len(b) < at+word {
			return 0
		}
		last = le32(b[at:])
	}
	if present&time != 0 {
		at = (at+7)&^7 + 8
	}
	if present&flags == 0 || at >= len(b) {
		return 0
	}
	return b[at]
}

// prism reads the header of the Prism driver, or that of AVS, which shares its
// link type and is told by its first word. Source: tcpdump.org,
// LINKTYPE_IEEE802_11_PRISM.
func (p *Packet) prism(b []byte, wire int) Outcome {
	const header, avsVersion = 144, 0x80211000
	if len(b) < 4 {
		return p.short(wire, 4, "prism header")
	}
	if be32(b)&^0xfff == avsVersion {
		return p.avs(b, wire)
	}
	if len(b) < header {
		return p.short(wire, header, "prism header")
	}
	return p.wifi(b[header:], wire-header, false)
}

// avs reads the header of AVS, which says how long it is. Source: tcpdump.org,
// LINKTYPE_IEEE802_11_AVS.
func (p *Packet) avs(b []byte, wire int) Outcome {
	const least = 8
	if len(b) < least {
		return p.short(wire, least, "avs header")
	}
	n := be32(b[4:])
	if n < least || int64(n) > int64(wire) {
		return p.malformed("avs header")
	}
	if len(b) < int(n) {
		return p.short(wire, int(n), "avs header")
	}
	return p.wifi(b[n:], wire-int(n), false)
}

// ppi reads the header of Per-Packet Information and its fields, of which that of
// 802.11 says whether there is a check sequence and whether it was wrong. Links
// other than 802.11 and Ethernet behind it are unknown. Source: CACE PPI
// specification 1.0.10, 3 and 4.1.3.
func (p *Packet) ppi(b []byte, wire int) Outcome {
	const header, field, common = 8, 4, 2
	const check, bad = 0x01, 0x04
	if len(b) < header {
		return p.short(wire, header, "ppi header")
	}
	n, link := int(le16(b[2:])), le32(b[4:])
	if n < header {
		return p.malformed("ppi header")
	}
	if len(b) < n {
		return p.short(wire, n, "ppi header")
	}
	flags := uint16(0)
	for f := b[header:n]; len(f) >= field; {
		kind, size := le16(f), int(le16(f[2:]))
		f = f[field:]
		if size > len(f) {
			return p.malformed("ppi field")
		}
		if kind == common && size >= 10 {
			flags = le16(f[8:]) // behind a time stamp
		}
		f = f[size:]
	}
	b, wire = b[n:], wire-n
	switch {
	case link == uint32(pcap.LinkEthernet):
		return p.ethernet(b, wire)
	case link != uint32(linkWiFi):
		p.Detail = linkTypes()[min(link, 1<<16-1)]
		return UnknownLink
	case flags&bad != 0:
		return p.wifiOther(b, wire, 0, "802.11 wrong check sequence")
	case flags&check != 0:
		b, wire = without(b, wire, wifiCheck)
	}
	return p.wifi(b, wire, false)
}
