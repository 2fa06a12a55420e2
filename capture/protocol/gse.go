package protocol

import (
	"strconv"

	"bulkhead/capture"
)

// GSE is GSE management: who publishes which GOOSE messages, asked and answered
// straight on the link.
//
// Source: IEC 61850-8-1:2011, 18 and Annexes A (ASN.1) and C (frame).
var GSE = &Protocol{
	Name:      capture.GSE,
	Over:      []capture.Transport{capture.L2},
	Recognise: recogniseGSE,
	New:       func() Decoder { return gseDecoder{} },
}

// gseOps holds the operation of each request by its tag.
var gseOps = func() (t [5]Op) {
	for i, name := range []string{1: "GetGoReference", 2: "GetGOOSEElementNumber", 3: "GetGsReference", 4: "GetGSSEDataOffset"} {
		if name != "" {
			t[i] = Op{capture.GSE, strconv.Itoa(i), name, capture.Discover}
		}
	}
	return t
}()

// The fields of a GSE management PDU.
const (
	gsePDU       = 0x60
	gseState     = 0x80 // stateID, which a response repeats
	gseRequests  = 0xa1
	gseResponses = 0xa2
	gseNone      = 0 // tag of a response: not supported
)

func recogniseGSE(b []byte) Match {
	m := matchPublished(b, gsePDU, 0, func(pdu []byte) bool {
		_, _, _, ok := gseMessage(pdu)
		return ok
	})
	if m.Score == Sure {
		p, _ := cutFrame(b, gsePDU)
		if _, kind, _, _ := gseMessage(p.pdu); kind == gseRequests {
			m.Role = Client
		} else {
			m.Role = Server
		}
	}
	return m
}

// gseMessage reads the state, whether it is a request or a response, and the
// number of the service.
func gseMessage(b []byte) (state uint32, kind byte, service uint32, ok bool) {
	id, b, ok := cutBER(b)
	if !ok || id.id != gseState {
		return 0, 0, 0, false
	}
	if state, ok = id.unsigned(); !ok {
		return 0, 0, 0, false
	}
	for len(b) > 0 {
		var e berElement
		if e, b, ok = cutBER(b); !ok {
			return 0, 0, 0, false
		}
		if e.id != gseRequests && e.id != gseResponses {
			continue // security
		}
		choice, _, ok := cutBER(e.content)
		if !ok || int(choice.number) >= len(gseOps) || choice.id&0xc0 != 0x80 || choice.number == gseNone && e.id == gseRequests {
			return 0, 0, 0, false
		}
		return state, e.id, choice.number, true
	}
	return 0, 0, 0, false
}

// gseDecoder keeps nothing: a frame says all.
type gseDecoder struct{}

// Decode implements [Decoder].
func (gseDecoder) Decode(x *Exchange, from capture.Side, b []byte) int {
	p, ok := cutFrame(b, gsePDU)
	if !ok {
		x.Undecoded()
		return len(b)
	}
	state, kind, service, ok := gseMessage(p.pdu)
	switch {
	case !ok:
		x.Undecoded()
	case kind == gseRequests:
		x.Forget(from, uint64(state))
		x.Ask(&gseOps[service], from, uint64(state)).Unit(p.appID)
	default:
		x.Answer(from, uint64(state), service != gseNone)
	}
	return len(b)
}
