package packet

import (
	"net/netip"

	"bulkhead/internal/mac"
)

// usual reads, in one piece, the Ethernet frames that nearly all are: at most one
// 802.1Q tag, and behind it an IPv4 packet without options that is no fragment,
// with a TCP segment or a UDP datagram in which nothing is odd, or what devices
// send each other in a cycle. It reports whether b, of wire bytes, is one; if not,
// p is as it was, and the layers have to read it.
//
// It says what the layers would say, only sooner: a test holds them against each
// other. Arrays are set one at a time because a tuple of them goes through the
// stack.
func (p *Packet) usual(b []byte, wire int) (Outcome, bool) {
	const tag, ipv4, tcp, udp = 4, 20, 20, 8
	const fragments = 0x3fff // the flag that more follow, and the offset

	if len(b) < ethernetBytes+tag {
		return 0, false
	}
	t, tags, vlan, size := be16(b[12:]), 0, uint16(0), ethernetBytes
	if t == etherVLAN {
		t, tags, vlan, size = be16(b[16:]), 1, be16(b[14:])&0xfff, ethernetBytes+tag
	}
	if n := len(b) - 2; be16(b[n:]) == prpSuffix || be16(b[n-ethernetCheck:]) == prpSuffix {
		return 0, false
	}
	packet := b[size:]
	if t != etherIPv4 {
		detail := cyclic(t)
		if detail == "" {
			return 0, false
		}
		p.forget()
		p.link(b, t, tags, vlan)
		p.payload(packet, wire-size)
		p.Detail = detail
		return OtherL2, true
	}

	if len(packet) < ipv4+udp {
		return 0, false
	}
	ip := (*[ipv4 + udp]byte)(packet)
	if ip[0] != 0x45 || be16(ip[6:])&fragments != 0 {
		return 0, false
	}
	total := int(be16(ip[2:]))
	packet = cut(packet, total)
	src, dst := be16(ip[20:]), be16(ip[22:])

	// The headers from IP on end at size, their payload at end.
	size, end := ipv4+udp, total
	var (
		seq, ack uint32
		flags    TCPFlags
		window   uint16
	)
	switch ip[9] {
	case protoTCP:
		if len(packet) < ipv4+tcp {
			return 0, false
		}
		h := (*[tcp]byte)(packet[ipv4:])
		if h[12]>>4 < tcp/4 {
			return 0, false
		}
		size = ipv4 + int(h[12]>>4)*4
		seq, ack, flags, window = be32(h[4:]), be32(h[8:]), TCPFlags(h[13])&allFlags, be16(h[14:])
	case protoUDP:
		if carriesTunnel(src, dst) {
			return 0, false
		}
		end = ipv4 + int(be16(ip[24:]))
	default:
		return 0, false
	}
	if size > len(packet) || size > end || end > total {
		return 0, false
	}

	if p.rare {
		*p = Packet{}
	}
	p.link(b, t, tags, vlan)
	p.Src = netip.AddrFrom4([4]byte(ip[12:]))
	p.Dst = netip.AddrFrom4([4]byte(ip[16:]))
	p.TTL, p.Proto, p.IPID, p.Net = ip[8], ip[9], be16(ip[4:]), packet
	p.SrcPort, p.DstPort, p.Seq, p.Ack, p.Flags, p.Window = src, dst, seq, ack, flags, window
	p.Payload, p.PayloadLength, p.Detail = cut(packet, end)[size:], end-size, ""
	return Decoded, true
}

// link sets all that an Ethernet header with at most one tag says.
func (p *Packet) link(b []byte, t uint16, tags int, vlan uint16) {
	p.DstMAC = mac.Addr(b[0:6])
	p.SrcMAC = mac.Addr(b[6:12])
	p.VLANs = [MaxVLANs]uint16{vlan}
	p.NumVLANs, p.EtherType = tags, t
}

// cyclic returns the Detail of the EtherTypes that control sends in a cycle, by
// the thousand a second: PROFINET, EtherCAT, POWERLINK, GOOSE, sampled values and
// SERCOS III. For others it returns "".
func cyclic(t uint16) string {
	switch t {
	case 0x8892:
		return "ethertype 0x8892"
	case 0x88a4:
		return "ethertype 0x88a4"
	case 0x88ab:
		return "ethertype 0x88ab"
	case 0x88b8:
		return "ethertype 0x88b8"
	case 0x88ba:
		return "ethertype 0x88ba"
	case 0x88cd:
		return "ethertype 0x88cd"
	}
	return ""
}
