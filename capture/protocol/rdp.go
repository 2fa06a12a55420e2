package protocol

import (
	"bytes"
	"encoding/binary"

	"bulkhead/capture"
)

// RDP is Microsoft's Remote Desktop Protocol. Only its negotiation of security
// is read.
//
// Source: [MS-RDPBCGR] 2.2.1.1 and 2.2.1.2 (connection request and confirm),
// 5.3 and 5.4 (standard and enhanced security).
var RDP = &Protocol{
	Name:       capture.RDP,
	Over:       []capture.Transport{capture.TCP},
	Protection: Encrypted,
	Recognise:  recogniseRDP,
	New:        func() Decoder { return new(rdpDecoder) },
}

// The structures that follow the header of a connection request or confirm, and
// the protocols that the server may choose.
const (
	rdpRequest  = 1
	rdpResponse = 2
	rdpFailure  = 3

	rdpStandard = 0 // RDP's own RC4
)

// recogniseRDP is sure where the ISO connection request holds what only RDP puts
// there: a cookie, or a negotiation.
func recogniseRDP(b []byte) Match {
	tpdu, size := cutTPKT(b)
	switch {
	case size < 0:
		return Match{}
	case size == 0:
		return Match{Score: More}
	}
	t, ok := parseCOTP(tpdu)
	if !ok {
		return Match{}
	}
	switch t.kind {
	case cotpRequest:
		if bytes.HasPrefix(t.params, []byte("Cookie: mst")) || rdpNegotiation(t.params, rdpRequest) {
			return Match{Score: Sure, Role: Client}
		}
		if len(t.params) == 0 { // an old client asks for nothing
			return Match{Score: Weak, Role: Client}
		}
	case cotpConfirm:
		if rdpNegotiation(t.params, rdpResponse) || rdpNegotiation(t.params, rdpFailure) {
			return Match{Score: Sure, Role: Server}
		}
		if len(t.params) == 0 {
			return Match{Score: Weak, Role: Server}
		}
	}
	return Match{}
}

// rdpNegotiation reports whether b is a negotiation structure of a kind: type,
// flags, length 8, and four bytes.
func rdpNegotiation(b []byte, kind byte) bool {
	return len(b) == 8 && b[0] == kind && binary.LittleEndian.Uint16(b[2:]) == 8
}

// rdpDecoder waits for the server's choice and, if that is TLS, reads the TLS
// handshake that follows.
type rdpDecoder struct {
	chosen bool
	tls    *tlsDecoder
}

// Decode implements [Decoder].
func (d *rdpDecoder) Decode(x *Exchange, from capture.Side, b []byte) int {
	if d.tls != nil {
		return d.tls.Decode(x, from, b)
	}
	if x.Gap(from) {
		d.chosen = true
	}
	if d.chosen {
		return len(b)
	}
	tpdu, size := cutTPKT(b)
	if size == 0 {
		return 0
	}
	if size < 0 {
		x.Undecoded()
		return len(b)
	}
	t, ok := parseCOTP(tpdu)
	if !ok {
		x.Undecoded()
		return len(b)
	}
	if t.kind != cotpConfirm {
		return size
	}
	d.chosen = true
	if rdpNegotiation(t.params, rdpResponse) && binary.LittleEndian.Uint32(t.params[4:]) != rdpStandard {
		d.tls = new(tlsDecoder)
		return size + d.tls.Decode(x, from, b[size:])
	}
	return len(b)
}
