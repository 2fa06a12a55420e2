package protocol

import "bulkhead/capture"

// SV is IEC 61850's Sampled Values: measured currents and voltages, thousands of
// times a second, straight on the link, or routed in UDP.
//
// Source: IEC 61850-9-2:2011, 8.5 and Annex A; IEC TR 61850-90-5:2012 for the
// routed form, whose layout is that of [cutRouted].
var SV = &Protocol{
	Name:      capture.SV,
	Over:      []capture.Transport{capture.L2, capture.UDP},
	Recognise: recogniseSV,
	New:       func() Decoder { return new(svDecoder) },
}

// The operations; a message counts once however many ASDUs it holds.
var (
	svOp       = Op{capture.SV, "sv", "Sampled Values", capture.Event}
	svSimOp    = Op{capture.SV, "sv", "Sampled Values, simulated", capture.Event}
	svSecretOp = Op{capture.SV, "sv", "Sampled Values, encrypted", capture.Event}
)

// The fields of the PDU and of an ASDU that are read.
const (
	svPDU      = 0x60
	svNumber   = 0x80 // noASDU
	svSequence = 0xa2 // seqASDU
	svASDU     = 0x30
	svID       = 0x80
)

// recogniseSV wants a frame, or a routed packet, with a PDU that begins with a
// number of ASDUs and has one that begins with a name.
func recogniseSV(b []byte) Match {
	return matchPublished(b, svPDU, routedSV, func(pdu []byte) bool {
		_, ok := svName(pdu)
		return ok
	})
}

// svName returns the identifier of the first ASDU of a PDU, whose samples may be
// cut short.
func svName(b []byte) ([]byte, bool) {
	number, b, ok := cutBER(b)
	if !ok || number.id != svNumber || len(number.content) == 0 || len(number.content) > 3 {
		return nil, false
	}
	for {
		e, size, rest, ok := cutBERHead(b)
		if !ok {
			return nil, false
		}
		if e.id == svSequence {
			b = rest
			break
		}
		if size > len(rest) { // security, before the ASDUs
			return nil, false
		}
		b = rest[size:]
	}
	asdu, _, b, ok := cutBERHead(b)
	if !ok || asdu.id != svASDU {
		return nil, false
	}
	name, _, ok := cutBER(b)
	return name.content, ok && name.id == svID && len(name.content) > 0
}

// svDecoder remembers which streams it has named.
type svDecoder struct{ said saidNames }

// Decode implements [Decoder].
func (d *svDecoder) Decode(x *Exchange, from capture.Side, b []byte) int {
	readPublished(x, b, svPDU, routedSV, func(p published) bool {
		if p.secret {
			x.Note(&svSecretOp, from)
			return true
		}
		name, ok := svName(p.pdu)
		if !ok {
			return false
		}
		op := &svOp
		if p.simulated {
			op = &svSimOp
		}
		x.Note(op, from).Unit(p.appID)
		d.said.say(x, from, name, "sv")
		return true
	})
	return len(b)
}
