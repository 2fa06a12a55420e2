package protocol

import "bulkhead/capture"

// Sercos is SERCOS III: the telegrams of the cycle, straight on the link.
//
// A master sends master data telegrams (MDT) with what the slaves are to do, and
// acknowledge telegrams (AT) that the slaves fill as they pass. Both are cyclic
// I/O. The service channel, through which parameters are written, is spread over
// the telegrams of many cycles, at places that were agreed on when the ring
// started; it is not read.
//
// Source: IEC 61158-4-19:2014, 5.2 (the header: a type octet, a phase octet and a
// CRC over both and the addresses), as Wireshark's packet-sercosiii.c lays it out.
var Sercos = &Protocol{
	Name:      capture.Sercos,
	Over:      []capture.Transport{capture.L2},
	Recognise: recogniseSercos,
	New:       func() Decoder { return sercosDecoder{} },
}

const (
	sercosHeader    = 6    // type, phase, CRC
	sercosReserved  = 0x30 // bits of the type
	sercosAT        = 0x40
	sercosNumber    = 0x0f // of up to four telegrams of a kind in a cycle
	sercosTelegrams = 4
	sercosPhase     = 0x0f
	sercosPhases    = 5 // the communication phases are 0 to 4
)

var (
	sercosMDT = Op{capture.Sercos, "mdt", "master data telegram (MDT)", capture.Event}
	sercosAck = Op{capture.Sercos, "at", "acknowledge telegram (AT)", capture.Event}
)

// recogniseSercos has only a few bits that are fixed to go by: a weak match, which
// counts on the EtherType of its own.
func recogniseSercos(b []byte) Match {
	if !isSercos(b) {
		return Match{}
	}
	return Match{Score: Weak}
}

func isSercos(b []byte) bool {
	return len(b) >= sercosHeader && b[0]&sercosReserved == 0 && b[0]&sercosNumber < sercosTelegrams && b[1]&sercosPhase < sercosPhases
}

// sercosDecoder keeps nothing: a frame is a telegram.
type sercosDecoder struct{}

// Decode implements [Decoder].
func (sercosDecoder) Decode(x *Exchange, from capture.Side, b []byte) int {
	switch {
	case !isSercos(b):
		x.Undecoded()
	case b[0]&sercosAT != 0:
		x.Note(&sercosAck, from)
	default:
		x.Note(&sercosMDT, from)
	}
	return len(b)
}
