package protocol

import "bulkhead/capture"

// GOOSE carries the events of IEC 61850 devices to whoever listens, straight on
// the link, or routed in UDP.
//
// Source: IEC 61850-8-1:2011, 18 and Annexes A (ASN.1) and C (frame); IEC TR
// 61850-90-5:2012 and IEC 61850-8-1:2011/AMD1:2020 for the routed form, whose
// layout is that of [cutRouted].
var GOOSE = &Protocol{
	Name:      capture.GOOSE,
	Over:      []capture.Transport{capture.L2, capture.UDP},
	Recognise: recogniseGOOSE,
	New:       func() Decoder { return new(gooseDecoder) },
}

// The operations. A receiver acts on a simulated message only if it was put into
// simulation itself.
var (
	gooseOp       = Op{capture.GOOSE, "goose", "GOOSE", capture.Event}
	gooseSimOp    = Op{capture.GOOSE, "goose", "GOOSE, simulated", capture.Event}
	gooseSecretOp = Op{capture.GOOSE, "goose", "GOOSE, encrypted", capture.Event}
)

// The fields of a GOOSE PDU, a sequence of which the first comes first; the
// values of the data set are not read.
const (
	goosePDU   = 0x61
	gooseBlock = 0x80 // gocbRef, the name of the control block
	gooseSim   = 0x87 // simulation; test in the first edition
	gooseState = 0x85 // stNum
	gooseCount = 0x86 // sqNum
	gooseData  = 0xab
)

// recogniseGOOSE wants a frame, or a routed packet, with a PDU that begins with
// the name of a control block.
func recogniseGOOSE(b []byte) Match { return matchPublished(b, goosePDU, routedGOOSE, isGoose) }

// isGoose reports whether the content of a PDU begins with the fields that every
// message has.
func isGoose(b []byte) bool {
	var m gooseMessage
	return m.read(b)
}

// gooseMessage is what is read of a message.
type gooseMessage struct {
	block     []byte
	simulated bool
}

// read reads the fields of a PDU up to the values, which may be cut short.
func (m *gooseMessage) read(b []byte) bool {
	state, count := false, false
	for first := true; len(b) > 0; first = false {
		e, rest, ok := cutBER(b)
		if first && (!ok || e.id != gooseBlock || len(e.content) == 0) {
			return false
		}
		if !ok {
			break
		}
		switch e.id {
		case gooseBlock:
			m.block = e.content
		case gooseState:
			state = true
		case gooseCount:
			count = true
		case gooseSim:
			m.simulated = len(e.content) == 1 && e.content[0] != 0
		}
		b = rest
	}
	return state && count
}

// gooseDecoder remembers which control blocks it has named.
type gooseDecoder struct{ said saidNames }

// Decode implements [Decoder].
func (d *gooseDecoder) Decode(x *Exchange, from capture.Side, b []byte) int {
	readPublished(x, b, goosePDU, routedGOOSE, func(p published) bool {
		var m gooseMessage
		switch {
		case p.secret:
			x.Note(&gooseSecretOp, from)
		case !m.read(p.pdu):
			return false
		default:
			op := &gooseOp
			if p.simulated || m.simulated {
				op = &gooseSimOp
			}
			x.Note(op, from).Unit(p.appID)
			d.said.say(x, from, m.block, "goose")
		}
		return true
	})
	return len(b)
}
