package protocol

import (
	"encoding/binary"

	"bulkhead/capture"
)

// DNS, MDNS and LLMNR share one message, and are told apart by port alone; they
// are only recognised.
//
// Source: RFC 1035, 4.1 and 4.2; RFC 6762, 18 (mDNS); RFC 4795, 2.1 (LLMNR).
var (
	DNS = &Protocol{
		Name:      capture.DNS,
		Over:      []capture.Transport{capture.UDP, capture.TCP},
		Recognise: recogniseDNS,
	}
	MDNS = &Protocol{
		Name:      capture.MDNS,
		Over:      []capture.Transport{capture.UDP},
		Recognise: recogniseDNS,
	}
	LLMNR = &Protocol{
		Name:      capture.LLMNR,
		Over:      []capture.Transport{capture.UDP},
		Recognise: recogniseDNS,
	}
)

const dnsHeader = 12

// recogniseDNS finds only weak matches: 12 bytes of small numbers and a name are
// not enough to go by on a port that is not DNS's own.
func recogniseDNS(b []byte) Match {
	if m := dnsMessage(b); m.Score == Weak {
		return m
	}
	// Over TCP a message follows its length.
	if len(b) < 2+dnsHeader {
		return Match{}
	}
	if size := int(binary.BigEndian.Uint16(b)); size < dnsHeader || size > 4096 {
		return Match{}
	}
	return dnsMessage(b[2:])
}

func dnsMessage(b []byte) Match {
	if len(b) < dnsHeader+5 {
		return Match{}
	}
	flags := binary.BigEndian.Uint16(b[2:])
	questions, answers := binary.BigEndian.Uint16(b[4:]), binary.BigEndian.Uint16(b[6:])
	authority, additional := binary.BigEndian.Uint16(b[8:]), binary.BigEndian.Uint16(b[10:])
	const response, reserved, query, notify, update = 0x8000, 0x0040, 0, 4, 5
	switch opcode := flags >> 11 & 15; opcode {
	case query, notify, update:
	default:
		return Match{}
	}
	m := Match{Score: Weak, Role: Client}
	if flags&response != 0 {
		m.Role = Server
	}
	switch {
	case flags&reserved != 0, questions > 64, answers > 512, authority > 512, additional > 512:
		return Match{}
	case questions == 0 && answers == 0:
		return Match{}
	case flags&response == 0 && (flags&15 != 0 || questions == 0):
		return Match{}
	}
	rest, ok := dnsName(b[dnsHeader:])
	if !ok || len(rest) < 4 {
		return Match{}
	}
	kind, class := binary.BigEndian.Uint16(rest), binary.BigEndian.Uint16(rest[2:])&0x7fff // mDNS uses the top bit
	if kind == 0 || kind > 264 && kind != 32768 && kind != 32769 && kind < 65280 {
		return Match{}
	}
	if class != 1 && class != 3 && class != 4 && class != 254 && class != 255 {
		return Match{}
	}
	return m
}

// dnsName cuts a name that is spelled out, and rejects those of NetBIOS.
func dnsName(b []byte) (rest []byte, ok bool) {
	for total := 0; len(b) > 0; {
		n := int(b[0])
		if n == 0 {
			return b[1:], true
		}
		if n > 63 || len(b) < 1+n || total+1+n > 255 {
			return nil, false
		}
		netbios := total == 0 && n == 32
		for _, c := range b[1 : 1+n] {
			netbios = netbios && 'A' <= c && c <= 'P'
		}
		if netbios {
			return nil, false
		}
		total += 1 + n
		b = b[1+n:]
	}
	return nil, false
}
