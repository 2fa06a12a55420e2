package protocol

import (
	"encoding/binary"

	"bulkhead/capture"
)

// LLDP is the Link Layer Discovery Protocol: what a station tells its neighbour
// of itself.
//
// Source: IEEE Std 802.1AB-2016, clause 8; ANSI/TIA-1057 (the TLVs of an
// inventory).
var LLDP = &Protocol{
	Name:      capture.LLDP,
	Over:      []capture.Transport{capture.L2},
	Recognise: recogniseLLDP,
	New:       func() Decoder { return lldpDecoder{} },
}

// The kinds of TLV.
const (
	lldpChassis     = 1
	lldpPort        = 2
	lldpTimeToLive  = 3
	lldpSystemName  = 5
	lldpDescription = 6
	lldpOwn         = 127 // an organization's
)

// recogniseLLDP wants the three TLVs that every frame begins with.
func recogniseLLDP(b []byte) Match {
	for _, want := range []byte{lldpChassis, lldpPort, lldpTimeToLive} {
		kind, value, rest, ok := cutLLDP(b)
		if !ok || kind != want || len(value) < 2 {
			return Match{}
		}
		b = rest
	}
	return Match{Score: Sure}
}

// cutLLDP returns the TLV at the front of b.
func cutLLDP(b []byte) (kind byte, value, rest []byte, ok bool) {
	if len(b) < 2 {
		return 0, nil, nil, false
	}
	head := binary.BigEndian.Uint16(b)
	kind, b = byte(head>>9), b[2:]
	size := int(head & 0x1ff)
	if size > len(b) {
		return 0, nil, nil, false
	}
	return kind, b[:size], b[size:], true
}

// lldpDecoder keeps nothing: a frame says all.
type lldpDecoder struct{}

// Decode implements [Decoder].
func (lldpDecoder) Decode(x *Exchange, from capture.Side, b []byte) int {
	all := len(b)
	id := capture.Identity{Source: "lldp"}
	description := ""
	for {
		kind, value, rest, ok := cutLLDP(b)
		if !ok {
			x.Undecoded()
			break
		}
		b = rest
		switch kind {
		case lldpSystemName:
			x.Name(from, string(value), "lldp")
		case lldpDescription:
			description = string(value)
		case lldpOwn:
			lldpInventory(&id, value)
		}
		if kind == 0 || len(b) == 0 { // an end, written or not
			break
		}
	}
	if id.Model == "" {
		id.Model = description
	}
	if id != (capture.Identity{Source: "lldp"}) {
		x.Identity(from, id)
	}
	return all
}

// lldpInventory reads the inventory of media endpoint discovery.
func lldpInventory(id *capture.Identity, value []byte) {
	const firmware, software, serial, maker, model = 6, 7, 8, 9, 10
	if len(value) < 4 || string(value[:3]) != "\x00\x12\xbb" {
		return
	}
	switch s := string(value[4:]); value[3] {
	case firmware:
		id.Firmware = s
	case software:
		if id.Firmware == "" {
			id.Firmware = s
		}
	case serial:
		id.Serial = s
	case maker:
		id.Vendor = s
	case model:
		id.Model = s
	}
}
