package protocol

import (
	"encoding/binary"

	"bulkhead/capture"
)

// EGD is Ethernet Global Data: a producer sends the values of an exchange over
// and over, unasked. The commands that configure it (port 7937) are published
// nowhere and not read.
//
// Source: GE Fanuc GFK-2224, "TCP/IP Ethernet Communications for PACSystems",
// chapter 4 (exchanges, status words); the layout of data messages as Wireshark's
// egd dissector has it.
var EGD = &Protocol{
	Name:      capture.EGD,
	Over:      []capture.Transport{capture.UDP},
	Recognise: recogniseEGD,
	New:       func() Decoder { return egdDecoder{} },
}

const (
	egdHeader = 32 // type, version, request ID (2), producer and exchange IDs, time in s and ns, status, signature, reserved (4 each)
	egdType   = 13 // data production message
	egdVer    = 1
	egdStatus = 30 // the highest status of a producer
)

var egdData = &Op{capture.EGD, "13", "data production", capture.Event}

// recogniseEGD is sure of a data message: what is fixed in it are nine octets,
// and two fields have narrow bounds.
func recogniseEGD(b []byte) Match {
	if !egdSound(b) {
		return Match{}
	}
	return Match{Score: Sure}
}

func egdSound(b []byte) bool {
	if len(b) <= egdHeader || b[0] != egdType || b[1] != egdVer {
		return false
	}
	return binary.LittleEndian.Uint32(b[4:]) != 0 && binary.LittleEndian.Uint32(b[16:]) < 1e9 &&
		binary.LittleEndian.Uint16(b[20:]) <= egdStatus && binary.LittleEndian.Uint32(b[28:]) == 0
}

// egdDecoder keeps nothing: a datagram is a message.
type egdDecoder struct{}

// Decode implements [Decoder].
func (egdDecoder) Decode(x *Exchange, from capture.Side, b []byte) int {
	if egdSound(b) {
		x.Note(egdData, from)
	} else {
		x.Undecoded()
	}
	return len(b)
}
