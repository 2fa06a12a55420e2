package lab

import "slices"

// Modbus is a Modbus/TCP dialogue with one unit.
//
// Source: MODBUS Messaging on TCP/IP Implementation Guide V1.0b, 3.1.3, and
// MODBUS Application Protocol Specification V1.1b3, 6.
type Modbus struct {
	conn        *Conn
	unit        byte
	transaction uint16
}

// Modbus begins a dialogue over c.
func (c *Conn) Modbus(unit byte) *Modbus { return &Modbus{conn: c, unit: unit} }

// Read asks for count coils (function 1), discrete inputs (2), holding (3) or
// input registers (4) from address first, counted from 0.
func (m *Modbus) Read(function byte, first, count int, opts ...Option) {
	size := 2 * count
	if function <= 2 {
		size = (count + 7) / 8
	}
	values := make([]byte, size)
	for i := range values {
		if i%2 == 1 || function <= 2 { // registers stay below 256, as levels and counts do
			values[i] = byte(m.conn.net.random.Uint32())
		}
	}
	m.Ask(function, slices.Concat(be16(first), be16(count)), slices.Concat([]byte{byte(size)}, values), opts...)
}

// Write sets one coil (function 5) or register (6), or several coils (15) or
// registers (16), from address first on.
func (m *Modbus) Write(function byte, first int, values []int, opts ...Option) {
	at, count := be16(first), be16(len(values))
	switch function {
	case 5: // on is 0xff00
		data := slices.Concat(at, be16(0xff00*values[0]))
		m.Ask(function, data, data, opts...)
	case 6:
		data := slices.Concat(at, be16(values[0]))
		m.Ask(function, data, data, opts...)
	case 15:
		bits := make([]byte, (len(values)+7)/8)
		for i, v := range values {
			bits[i/8] |= byte(v&1) << (i % 8)
		}
		m.Ask(function, slices.Concat(at, count, []byte{byte(len(bits))}, bits), slices.Concat(at, count), opts...)
	case 16:
		var registers []byte
		for _, v := range values {
			registers = append(registers, be16(v)...)
		}
		m.Ask(function, slices.Concat(at, count, []byte{byte(len(registers))}, registers), slices.Concat(at, count), opts...)
	default:
		m.conn.net.fail("modbus function %d: expected one that writes: 5, 6, 15 or 16", function)
	}
}

// Diagnostics asks for a sub-function of function 8, such as 1, restart
// communications.
func (m *Modbus) Diagnostics(sub int, opts ...Option) {
	data := slices.Concat(be16(sub), be16(0))
	m.Ask(8, data, data, opts...)
}

// Identify reads the basic device identification (function 43, MEI type 14).
func (m *Modbus) Identify(vendor, product, revision string, opts ...Option) {
	answer := []byte{14, 1, 1, 0, 0, 3} // basic, conformity basic, no more follows, next object 0, three objects
	for i, s := range []string{vendor, product, revision} {
		answer = slices.Concat(answer, []byte{byte(i), byte(len(s))}, []byte(s))
	}
	m.Ask(43, []byte{14, 1, 0}, answer, opts...)
}

// Ask sends a request and its answer: a function code and what follows it.
func (m *Modbus) Ask(function byte, request, answer []byte, opts ...Option) {
	m.transaction++
	reply := slices.Concat([]byte{function}, answer)
	if h := options(opts); h.refused {
		reply = []byte{function | 0x80, byte(h.code)}
	}
	m.conn.exchange(m.adu(slices.Concat([]byte{function}, request)), m.adu(reply), opts)
}

// adu puts the MBAP header in front of a PDU.
func (m *Modbus) adu(pdu []byte) []byte {
	return slices.Concat(be16(m.transaction), be16(0), be16(len(pdu)+1), []byte{m.unit}, pdu)
}
