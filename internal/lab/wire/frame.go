package wire

import "encoding/binary"

// MAC is an address on the link.
type MAC [6]byte

// IPv4 is what of an IPv4 header differs from packet to packet.
type IPv4 struct {
	Src, Dst [4]byte
	ID       uint16
	Fragment uint16 // flags and offset: 0x4000 don't fragment, 0x2000 more follow, then the offset in 8 bytes
	TTL      byte
}

// TCP is what of a TCP header differs from segment to segment.
type TCP struct {
	SrcPort, DstPort uint16
	Seq, Ack         uint32
	Flags            byte
	Options          []byte // whole words of 4 bytes
}

// EtherTypes, IP protocols and TCP flags. Source: IEEE and IANA registries; RFC
// 9293, 3.1.
const (
	EtherTypeIPv4 = 0x0800

	ProtocolTCP = 6
	ProtocolUDP = 17

	FIN = 0x01
	SYN = 0x02
	RST = 0x04
	PSH = 0x08
	ACK = 0x10
)

const (
	ipv4Size = 20
	tcpSize  = 20
	udpSize  = 8
	window   = 64240
)

// AppendEthernet appends an Ethernet header, with an 802.1Q tag unless vlan is 0.
func AppendEthernet(b []byte, dst, src MAC, vlan, etherType uint16) []byte {
	be := binary.BigEndian
	b = append(b, dst[:]...)
	b = append(b, src[:]...)
	if vlan != 0 {
		b = be.AppendUint16(b, 0x8100)
		b = be.AppendUint16(b, vlan)
	}
	return be.AppendUint16(b, etherType)
}

// AppendIPv4 appends a header without options in front of size bytes of a
// protocol, with its checksum. Source: RFC 791, 3.1.
func AppendIPv4(b []byte, h IPv4, protocol byte, size int) []byte {
	be := binary.BigEndian
	start := len(b)
	b = append(b, 0x45, 0)
	b = be.AppendUint16(b, uint16(ipv4Size+size))
	b = be.AppendUint16(b, h.ID)
	b = be.AppendUint16(b, h.Fragment)
	b = append(b, h.TTL, protocol, 0, 0)
	b = append(b, h.Src[:]...)
	b = append(b, h.Dst[:]...)
	be.PutUint16(b[start+10:], ^fold(sum(0, b[start:])))
	return b
}

// AppendTCP appends an IPv4 packet with one TCP segment. Source: RFC 9293, 3.1.
func AppendTCP(b []byte, ip IPv4, t TCP, payload []byte) []byte {
	b, start := BeginTCP(b, ip, t, payload)
	SealTCP(b[start:], ip)
	return b
}

// BeginTCP is AppendTCP without the checksum of the segment, which is
// b[start:]. What has changed its payload calls SealTCP.
func BeginTCP(b []byte, ip IPv4, t TCP, payload []byte) (_ []byte, start int) {
	be := binary.BigEndian
	head := tcpSize + len(t.Options)
	b = AppendIPv4(b, ip, ProtocolTCP, head+len(payload))
	start = len(b)
	b = be.AppendUint16(b, t.SrcPort)
	b = be.AppendUint16(b, t.DstPort)
	b = be.AppendUint32(b, t.Seq)
	b = be.AppendUint32(b, t.Ack)
	b = append(b, byte(head/4<<4), t.Flags)
	b = be.AppendUint16(b, window)
	b = append(b, 0, 0, 0, 0)
	b = append(b, t.Options...)
	return append(b, payload...), start
}

// SealTCP writes the checksum of a segment whose checksum field is zero.
func SealTCP(segment []byte, ip IPv4) {
	binary.BigEndian.PutUint16(segment[16:], ^fold(sum(pseudo(ip, ProtocolTCP, len(segment)), segment)))
}

// AppendUDP appends an IPv4 packet with one datagram. Source: RFC 768.
func AppendUDP(b []byte, ip IPv4, src, dst uint16, payload []byte) []byte {
	b, start := BeginUDP(b, ip, src, dst, payload)
	SealUDP(b[start:], ip)
	return b
}

// BeginUDP is AppendUDP without the checksum, as BeginTCP is.
func BeginUDP(b []byte, ip IPv4, src, dst uint16, payload []byte) (_ []byte, start int) {
	be := binary.BigEndian
	b = AppendIPv4(b, ip, ProtocolUDP, udpSize+len(payload))
	start = len(b)
	b = be.AppendUint16(b, src)
	b = be.AppendUint16(b, dst)
	b = be.AppendUint16(b, uint16(udpSize+len(payload)))
	b = append(b, 0, 0)
	return append(b, payload...), start
}

// SealUDP writes the checksum of a datagram whose checksum field is zero.
func SealUDP(datagram []byte, ip IPv4) {
	s := ^fold(sum(pseudo(ip, ProtocolUDP, len(datagram)), datagram))
	if s == 0 {
		s = 0xffff // zero says that there is none
	}
	binary.BigEndian.PutUint16(datagram[6:], s)
}

// pseudo is the sum over the pseudo header of RFC 9293, 3.1.
func pseudo(ip IPv4, protocol byte, size int) uint64 {
	be := binary.BigEndian
	return uint64(be.Uint32(ip.Src[:])) + uint64(be.Uint32(ip.Dst[:])) + uint64(protocol) + uint64(size)
}

// sum adds b to the Internet checksum s, a word of 4 bytes at a time; fold makes
// 16 bits of it. Source: RFC 1071, 2 (B).
func sum(s uint64, b []byte) uint64 {
	be := binary.BigEndian
	for ; len(b) >= 4; b = b[4:] {
		s += uint64(be.Uint32(b))
	}
	if len(b) >= 2 {
		s += uint64(be.Uint16(b)) << 16
		b = b[2:]
		if len(b) == 1 {
			s += uint64(b[0]) << 8
		}
		return s
	}
	if len(b) == 1 {
		s += uint64(b[0]) << 24
	}
	return s
}

func fold(s uint64) uint16 {
	for s > 0xffff {
		s = s>>16 + s&0xffff
	}
	return uint16(s)
}
