package protocol

import "encoding/binary"

// TPKT carries ISO transport PDUs over TCP: S7comm, MMS and RDP all begin with
// it. Nothing here is a protocol of its own; their recognisers and decoders share
// it.
//
// Source: RFC 1006, section 6 (TPKT); ITU-T X.224 (1995), 13.3 to 13.7 (the
// transport PDUs, of which classes 0's are read).

const tpktHeader = 4

// cutTPKT returns the transport PDU in the TPKT at the front of b, and the size
// of the TPKT in bytes, its header included: 7 to 65535. The size is 0 if b ends
// before the TPKT does, and -1 if b does not begin with a TPKT.
func cutTPKT(b []byte) (tpdu []byte, size int) {
	if len(b) > 0 && b[0] != 3 || len(b) > 1 && b[1] != 0 {
		return nil, -1
	}
	if len(b) < tpktHeader {
		return nil, 0
	}
	size = int(binary.BigEndian.Uint16(b[2:]))
	switch {
	case size < tpktHeader+3:
		return nil, -1
	case size > len(b):
		return nil, 0
	}
	return b[tpktHeader:size], size
}

// The kinds of transport PDU: the high half of the code octet.
const (
	cotpExpedited  = 0x10
	cotpError      = 0x70
	cotpDisconnect = 0x80
	cotpDisconfirm = 0xc0
	cotpConfirm    = 0xd0 // CC
	cotpRequest    = 0xe0 // CR
	cotpData       = 0xf0 // DT
)

// cotp is a transport PDU of class 0. The slices share the memory that it was
// parsed from.
type cotp struct {
	kind   byte
	last   bool   // of a DT: no more of this TSDU follows
	params []byte // of a CR or CC: the variable part of the header
	data   []byte // what follows the header
}

// parseCOTP reads one transport PDU; ok is false if its header contradicts
// itself.
func parseCOTP(tpdu []byte) (t cotp, ok bool) {
	if len(tpdu) < 2 {
		return cotp{}, false
	}
	end := 1 + int(tpdu[0]) // the length indicator does not count itself
	if end < 2 || end > len(tpdu) {
		return cotp{}, false
	}
	t.kind, t.data = tpdu[1]&0xf0, tpdu[end:]
	switch t.kind {
	case cotpData:
		if end != 3 {
			return cotp{}, false
		}
		t.last = tpdu[2]&0x80 != 0
	case cotpRequest, cotpConfirm:
		if end < 7 {
			return cotp{}, false
		}
		t.params = tpdu[7:end]
	case cotpDisconnect, cotpDisconfirm, cotpError, cotpExpedited:
	default:
		return cotp{}, false
	}
	return t, true
}
