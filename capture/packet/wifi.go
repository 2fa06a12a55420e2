package packet

import "bulkhead/internal/mac"

// wifi reads an IEEE 802.11 frame without check sequence. padded says that the
// receiver has filled up the header to a multiple of four bytes. Source: IEEE
// Std 802.11-2020, 9.2 and 9.3.
//
// Of several frames in an aggregate (A-MSDU) the first is read; of a frame sent
// in fragments none is.
func (p *Packet) wifi(b []byte, wire int, padded bool) Outcome {
	const least = 10 // an acknowledgement: control, duration, receiver
	if len(b) < least {
		return p.short(wire, least, "802.11 header")
	}
	if b[0]&3 != 0 {
		return p.malformed("802.11 version")
	}
	const management, control, data = 0, 1, 2
	subtype := b[0] >> 4
	switch b[0] >> 2 & 3 {
	case management:
		return p.wifiManagement(subtype, b, wire)
	case control:
		return p.wifiControl(subtype, b, wire)
	case data:
		return p.wifiData(subtype, b, wire, padded)
	}
	return p.wifiOther(b, wire, 0, "802.11 extension")
}

// The second byte of the control field.
const (
	wifiToDS      = 0x01
	wifiFromDS    = 0x02
	wifiProtected = 0x40
	wifiOrder     = 0x80 // of management and quality of service frames: there is an HT control field
)

// wifiOther ends the way behind a header of size bytes.
func (p *Packet) wifiOther(b []byte, wire, size int, what string) Outcome {
	p.payload(b[min(size, len(b)):], max(wire-size, 0))
	p.Detail = what
	return OtherL2
}

func (p *Packet) wifiManagement(subtype uint8, b []byte, wire int) Outcome {
	size := 24
	if len(b) < size {
		return p.short(wire, size, "802.11 header")
	}
	if b[1]&wifiOrder != 0 {
		size += 4
	}
	p.DstMAC, p.SrcMAC = mac.Addr(b[4:10]), mac.Addr(b[10:16])
	return p.wifiOther(b, wire, size, wifiManagementKinds[subtype])
}

func (p *Packet) wifiControl(subtype uint8, b []byte, wire int) Outcome {
	const wrapper, clearToSend, acknowledgement = 7, 12, 13
	size := 16
	switch subtype {
	case wrapper, clearToSend, acknowledgement, 0, 1, 3, 6: // no second address, or none at a fixed place
		size = 10
	default:
		if len(b) < size {
			return p.short(wire, size, "802.11 header")
		}
		p.SrcMAC = mac.Addr(b[10:16])
	}
	p.DstMAC = mac.Addr(b[4:10])
	return p.wifiOther(b, wire, size, wifiControlKinds[subtype])
}

func (p *Packet) wifiData(subtype uint8, b []byte, wire int, padded bool) Outcome {
	const null, qos = 4, 8
	size, flags := 24, b[1]
	if flags&(wifiToDS|wifiFromDS) == wifiToDS|wifiFromDS {
		size += 6
	}
	at := size // of the quality of service control
	if subtype&qos != 0 {
		size += 2
		if flags&wifiOrder != 0 {
			size += 4
		}
	}
	if padded {
		size = (size + 3) &^ 3
	}
	if len(b) < size {
		return p.short(wire, size, "802.11 header")
	}
	first, second, third := mac.Addr(b[4:10]), mac.Addr(b[10:16]), mac.Addr(b[16:22])
	switch flags & (wifiToDS | wifiFromDS) {
	case 0:
		p.DstMAC, p.SrcMAC = first, second
	case wifiToDS:
		p.DstMAC, p.SrcMAC = third, second
	case wifiFromDS:
		p.DstMAC, p.SrcMAC = first, third
	default:
		p.DstMAC, p.SrcMAC = third, mac.Addr(b[24:30])
	}
	switch {
	case subtype&null != 0:
		return p.wifiOther(b, wire, size, "802.11 without data")
	case flags&wifiProtected != 0:
		return p.wifiOther(b, wire, size, "802.11 protected")
	case b[22]&15 != 0:
		return p.wifiOther(b, wire, size, "802.11 fragment")
	}
	const aggregate = 0x80
	if subtype&qos != 0 && b[at]&aggregate != 0 {
		return p.wifiAggregate(b[size:], wire-size)
	}
	if subtype&qos != 0 && flags&wifiFromDS != 0 && b[at+1]&1 != 0 {
		return p.wifiMesh(b[size:], wire-size)
	}
	return p.llc(b[size:], wire-size)
}

// wifiMesh reads a mesh control field, which may have the addresses of hosts
// behind the mesh's own stations. No LLC service has the numbers of its flags, so
// that frames of bridges without mesh are told apart.
// Source: IEEE Std 802.11-2020, 9.2.4.7.3.
func (p *Packet) wifiMesh(b []byte, wire int) Outcome {
	const header, address = 6, 6
	const source, both = 1, 2
	if len(b) < header {
		return p.short(wire, header, "802.11 mesh control")
	}
	extension := b[0]
	if extension > both {
		return p.llc(b, wire)
	}
	size := header + int(extension)*address
	if len(b) < size {
		return p.short(wire, size, "802.11 mesh control")
	}
	switch extension {
	case source:
		p.SrcMAC = mac.Addr(b[header:])
	case both:
		p.DstMAC, p.SrcMAC = mac.Addr(b[header:]), mac.Addr(b[header+address:])
	}
	return p.llc(b[size:], wire-size)
}

// wifiAggregate reads the first of several frames, each with addresses and a
// length of its own. Source: IEEE Std 802.11-2020, 9.3.2.2.2.
func (p *Packet) wifiAggregate(b []byte, wire int) Outcome {
	const header = 14
	if len(b) < header {
		return p.short(wire, header, "802.11 a-msdu header")
	}
	n := int(be16(b[12:]))
	if n > wire-header {
		return p.malformed("802.11 a-msdu length")
	}
	p.DstMAC, p.SrcMAC = mac.Addr(b[0:6]), mac.Addr(b[6:12])
	return p.llc(cut(b[header:], n), n)
}

// Kinds by subtype. Source: IEEE Std 802.11-2020, table 9-1.
var (
	wifiManagementKinds = [16]string{
		"802.11 association request", "802.11 association response", "802.11 reassociation request",
		"802.11 reassociation response", "802.11 probe request", "802.11 probe response", "802.11 timing advertisement",
		"802.11 management subtype 7", "802.11 beacon", "802.11 atim", "802.11 disassociation", "802.11 authentication",
		"802.11 deauthentication", "802.11 action", "802.11 action without acknowledgement", "802.11 management subtype 15",
	}
	wifiControlKinds = [16]string{
		"802.11 control subtype 0", "802.11 control subtype 1", "802.11 trigger", "802.11 tack",
		"802.11 beamforming report poll", "802.11 ndp announcement", "802.11 control frame extension",
		"802.11 control wrapper", "802.11 block acknowledgement request", "802.11 block acknowledgement", "802.11 ps-poll",
		"802.11 rts", "802.11 cts", "802.11 acknowledgement", "802.11 cf-end", "802.11 cf-end and acknowledgement",
	}
)
