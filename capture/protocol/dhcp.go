package protocol

import (
	"bytes"

	"bulkhead/capture"
)

// DHCP is the Dynamic Host Configuration Protocol for IPv4. The name that a
// client gives itself is read.
//
// Source: RFC 2131, 2; RFC 2132, 3.14 (host name).
var DHCP = &Protocol{
	Name:      capture.DHCP,
	Over:      []capture.Transport{capture.UDP},
	Recognise: recogniseDHCP,
	New:       func() Decoder { return dhcpDecoder{} },
}

const (
	dhcpRequest = 1 // op, of the client and the relays that pass on what it said
	dhcpReply   = 2
	dhcpOptions = 240 // where they begin
)

var dhcpCookie = []byte{99, 130, 83, 99} // in front of the options

func recogniseDHCP(b []byte) Match {
	if len(b) < 44 || b[1] == 0 || b[2] > 16 || b[3] > 16 { // hardware type, length of its address, hops
		return Match{}
	}
	m := Match{Score: Weak} // of a datagram that the capture cut short
	if len(b) >= dhcpOptions {
		if !bytes.Equal(b[dhcpOptions-4:dhcpOptions], dhcpCookie) {
			return Match{}
		}
		m.Score = Sure
	}
	switch b[0] {
	case dhcpRequest:
		m.Role = Client
	case dhcpReply:
		m.Role = Server
	default:
		return Match{}
	}
	return m
}

// dhcpDecoder keeps nothing: a datagram is a message.
type dhcpDecoder struct{}

// Decode implements [Decoder].
func (dhcpDecoder) Decode(x *Exchange, from capture.Side, b []byte) int {
	if recogniseDHCP(b).Score != Sure {
		x.Undecoded()
		return len(b)
	}
	if b[0] != dhcpRequest {
		return len(b)
	}
	const pad, hostName, end = 0, 12, 255
	for o := b[dhcpOptions:]; len(o) > 0 && o[0] != end; {
		if o[0] == pad {
			o = o[1:]
			continue
		}
		if len(o) < 2 || len(o) < 2+int(o[1]) {
			break
		}
		if o[0] == hostName {
			x.Name(from, string(o[2:2+int(o[1])]), "dhcp")
		}
		o = o[2+int(o[1]):]
	}
	return len(b)
}
