package protocol

import (
	"encoding/binary"

	"bulkhead/capture"
)

// ModbusUDP is Modbus with the MBAP header over UDP, as many devices take it: the
// same ADUs, none of which is cut.
var ModbusUDP = &Protocol{
	Name:      capture.Modbus,
	Over:      []capture.Transport{capture.UDP},
	Recognise: recogniseModbusUDP,
	New:       func() Decoder { return modbusUDPDecoder{} },
}

// recogniseModbusUDP wants a datagram to end where an ADU does.
func recogniseModbusUDP(b []byte) Match {
	for rest := b; len(rest) > 0; {
		size, good := cutMBAP(rest)
		if size <= 0 || !good {
			return Match{}
		}
		rest = rest[size:]
	}
	m := recogniseModbus(b)
	if m.Score == More {
		return Match{}
	}
	return m
}

type modbusUDPDecoder struct{}

// Decode implements [Decoder].
func (modbusUDPDecoder) Decode(x *Exchange, from capture.Side, b []byte) int {
	if used := (modbusDecoder{}).Decode(x, from, b); used < len(b) {
		x.Undecoded()
	}
	return len(b)
}

// Modbus RTU inside TCP, as gateways to serial lines pass it on: unit, function,
// data and a CRC, without an MBAP header. A frame's length follows from its
// function; there are no transactions, and one request is open at a time.
//
// Source: MODBUS over Serial Line Specification and Implementation Guide V1.02,
// 2.5.1 and 6.2.2 (CRC); MODBUS Application Protocol Specification V1.1b3, 6.
const (
	rtuMin     = 4 // unit, function and CRC
	rtuMax     = 256
	rtuLastID  = 247 // the units above are reserved
	rtuScanned = -1  // the length of a function that nobody published
)

var rtuCRCTable = func() (t [256]uint16) {
	for i := range t {
		v := uint16(i)
		for range 8 {
			carry := v & 1
			v >>= 1
			if carry != 0 {
				v ^= 0xa001
			}
		}
		t[i] = v
	}
	return t
}()

func rtuCRC(b []byte) uint16 {
	crc := uint16(0xffff)
	for _, c := range b {
		crc = crc>>8 ^ rtuCRCTable[byte(crc)^c]
	}
	return crc
}

// rtuGood reports whether b ends with its CRC.
func rtuGood(b []byte) bool {
	n := len(b) - 2
	return n >= 2 && rtuCRC(b[:n]) == binary.LittleEndian.Uint16(b[n:])
}

// rtuLength returns the length of the request or response at the front of b: 0 if
// b is too short to tell, rtuScanned if its function does not tell.
func rtuLength(b []byte, response bool) int {
	if len(b) < 2 {
		return 0
	}
	// counted is the length of a frame with a count of octets at b[at].
	counted := func(at int) int {
		if len(b) <= at {
			return 0
		}
		return at + 1 + int(b[at]) + 2
	}
	function := b[1]
	if function >= modbusRefused {
		if response {
			return 5
		}
		return rtuScanned
	}
	switch function {
	case 1, 2, 3, 4:
		if response {
			return counted(2)
		}
		return 8
	case 5, 6, modbusDiagnostics:
		return 8
	case 7:
		if response {
			return 5
		}
		return rtuMin
	case 11:
		if response {
			return 8
		}
		return rtuMin
	case 12, 17:
		if response {
			return counted(2)
		}
		return rtuMin
	case 15, 16:
		if response {
			return 8
		}
		return counted(6)
	case 20, 21:
		return counted(2)
	case 22:
		return 10
	case 23:
		if response {
			return counted(2)
		}
		return counted(10)
	case 24:
		switch {
		case !response:
			return 6
		case len(b) < 4:
			return 0
		}
		return 4 + int(binary.BigEndian.Uint16(b[2:])) + 2
	case modbusEncapsulate:
		if !response && len(b) >= 3 && b[2] == meiIdentify {
			return 7
		}
	}
	return rtuScanned
}

// cutRTU returns the size of the frame at the front of b, and whether its CRC is
// right. The size is 0 if b ends before the frame does. A function that does not
// tell its length ends at the first CRC that is right.
func cutRTU(b []byte, response bool) (size int, good bool) {
	size = rtuLength(b, response)
	switch {
	case size > rtuMax:
		return rtuMin, false
	case size > len(b) || size == 0:
		return 0, false
	case size != rtuScanned:
		return size, rtuGood(b[:size])
	}
	for size = rtuMin; size <= min(len(b), rtuMax); size++ {
		if rtuGood(b[:size]) {
			return size, true
		}
	}
	if len(b) < rtuMax {
		return 0, false
	}
	return rtuMin, false
}

// recogniseRTU is sure of a frame of a published function with the right CRC and
// fields that agree with its length, if nothing but another such frame follows.
func recogniseRTU(b []byte) Match {
	if len(b) > 0 && b[0] > rtuLastID {
		return Match{}
	}
	best := Match{}
	for _, response := range [...]bool{false, true} {
		n := rtuLength(b, response)
		if n == rtuScanned || n > rtuMax {
			continue
		}
		if n == 0 || n > len(b) {
			if best.Score == No {
				best.Score = More
			}
			continue
		}
		if !rtuGood(b[:n]) {
			continue
		}
		asks, answers := modbusLayout(b[1], b[2:n-2], n-4)
		if response && !answers || !response && !asks {
			continue
		}
		if rest := b[n:]; len(rest) > 0 {
			size, good := cutRTU(rest, response)
			if !good && (size != 0 || rest[0] > rtuLastID || rtuLength(rest, response) == rtuScanned) {
				continue
			}
		}
		m := Match{Score: Sure}
		switch {
		case asks && answers:
		case response:
			m.Role = Server
		default:
			m.Role = Client
		}
		return m
	}
	return best
}

// recogniseModbusTCP asks for a header first, and then for a frame without.
func recogniseModbusTCP(b []byte) Match {
	m := recogniseModbus(b)
	if m.Score == Sure {
		return m
	}
	if r := recogniseRTU(b); r.Score > m.Score && r.Score == Sure || m.Score == No {
		return r
	}
	return m
}

// modbusTCPDecoder reads ADUs with a header or RTU frames, whichever the
// connection begins with.
type modbusTCPDecoder struct {
	framing modbusFraming
	adu     [mbapHeader + rtuMax]byte // an RTU frame behind a header of zeros
}

type modbusFraming uint8

const (
	modbusUndecided modbusFraming = iota
	modbusMBAP
	modbusRTU
)

// Decode implements [Decoder].
func (d *modbusTCPDecoder) Decode(x *Exchange, from capture.Side, b []byte) int {
	if d.framing == modbusUndecided {
		if d.framing = modbusFramingOf(b); d.framing == modbusUndecided {
			return 0
		}
	}
	if d.framing == modbusMBAP {
		return modbusDecoder{}.Decode(x, from, b)
	}
	response := from == capture.FromServer
	used := 0
	for used < len(b) {
		size, good := cutRTU(b[used:], response)
		switch {
		case size == 0:
			return used
		case !good:
			x.Undecoded() // where the next begins, the silence between them would tell
			return len(b)
		}
		adu := d.adu[:mbapHeader+size-2]
		copy(adu[mbapHeader:], b[used:])
		if response {
			modbusResponse(x, adu)
		} else {
			x.Forget(from, modbusKey(adu))
			modbusRequest(x, adu)
		}
		used += size
	}
	return used
}

// modbusFramingOf tells the framing by the first bytes of a side, if they suffice.
// What is neither is left to the reader of headers, which counts it.
func modbusFramingOf(b []byte) modbusFraming {
	size, good := cutMBAP(b)
	switch rtu := recogniseRTU(b).Score; {
	case size > 0 && good, len(b) >= mbapHeader && size == 0:
		return modbusMBAP
	case rtu == Sure:
		return modbusRTU
	case rtu == More || len(b) < mbapHeader:
		return modbusUndecided
	}
	return modbusMBAP
}
