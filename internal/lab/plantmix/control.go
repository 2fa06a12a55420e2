package plantmix

import (
	"encoding/binary"
	"slices"
	"time"

	"bulkhead/capture"
	"bulkhead/internal/lab"
)

var (
	be = binary.BigEndian
	le = binary.LittleEndian
)

// modbus polls registers and coils and, once in a cycle of 16, sets one.
func (p *Plant) modbus(every time.Duration, registers int) (*dialogue, error) {
	s, svc := newScript(), p.service(capture.TCP, 502, capture.Modbus)
	var m *lab.Modbus
	s.open(act{does: func() { m = s.net.TCP(s.client, s.server, 502).Modbus(1) }})
	const cycle = 16
	for i := range cycle {
		switch {
		case i == cycle-1:
			s.repeat(act{every, func() { m.Write(6, 40, []int{17}) }, svc.each(capture.Modbus, "6"), nil})
		case i%4 == 3:
			s.repeat(act{every, func() { m.Read(1, 0, 48) }, svc.each(capture.Modbus, "1"), nil})
		case i%4 == 2:
			s.repeat(act{every, func() { m.Read(4, 100, 8) }, svc.each(capture.Modbus, "4"), nil})
		default:
			s.repeat(act{every, func() { m.Read(3, 0, registers) }, svc.each(capture.Modbus, "3"), nil})
		}
	}
	s.end(act{does: func() { m.Read(3, 0, 1) }}) // so that the last answer of a cycle is acknowledged within it
	return s.record(svc, overTCP, counter{both: true, offset: 0, width: 2, order: be, step: cycle})
}

// s7 polls a data block and writes to it now and then.
func (p *Plant) s7(every time.Duration, length int) (*dialogue, error) {
	s, svc := newScript(), p.service(capture.TCP, 102, capture.S7comm)
	var plc *lab.S7
	s.open(act{does: func() { plc = s.net.TCP(s.client, s.server, 102).S7() }, requests: svc.each(capture.S7comm, "", "job:0xf0")})
	const cycle = 8
	for range cycle - 1 {
		s.repeat(act{every, func() { plc.Read(10, 0, length) }, svc.each(capture.S7comm, "job:0x04"), nil})
	}
	s.repeat(act{every, func() { plc.Write(10, 4, []byte{0, 17}) }, svc.each(capture.S7comm, "job:0x05"), nil})
	s.end(act{does: func() { plc.Read(10, 0, 1) }})
	const reference = 4 + 3 + 4 // behind TPKT, COTP and the first words of the header
	return s.record(svc, overTCP, counter{both: true, offset: reference, width: 2, order: be, step: cycle})
}

// enip reads tags over a connection to the message router.
func (p *Plant) enip(every time.Duration) (*dialogue, error) {
	s, svc := newScript(), p.service(capture.TCP, 44818, capture.ENIP)
	var e *lab.ENIP
	ops := func(command, service string) [][]*Operation {
		return [][]*Operation{{svc.op(capture.ENIP, command), svc.op(capture.CIP, service)}}
	}
	s.open(
		act{does: func() { e = s.net.TCP(s.client, s.server, 44818).ENIP() }, requests: svc.each(capture.ENIP, "0x0065")},
		act{does: func() { e.ForwardOpen() }, requests: ops("0x006f", "0x54")})
	const cycle = 8
	for range cycle - 1 {
		s.repeat(act{every, func() { e.Connected(lab.CIPReadTag("Line1.Speed")) }, ops("0x0070", "0x4c"), nil})
	}
	s.repeat(act{every, func() { e.Connected(lab.CIPWriteTag("Line1.SetPoint", 42)) }, ops("0x0070", "0x4d"), nil})
	s.end(act{does: func() { e.Connected(lab.CIPReadTag("Line1.Speed")) }})
	const sequence = 24 + 20 // behind the encapsulation header and the items' heads
	return s.record(svc, overTCP, counter{both: true, offset: sequence, width: 2, order: le, step: cycle})
}

// cyclicIO is one direction of a class 1 connection: packets with a sequenced
// address and connected data, from port 2222 to port 2222, with nothing that
// asks for them.
//
// Source: The CIP Networks Library, Volume 2, 2-6.3.
func (p *Plant) cyclicIO(every time.Duration, size int) *dialogue {
	svc := p.service(capture.UDP, 2222, capture.ENIP)
	const connection = 0x00420017
	packet := func(data []byte) []byte {
		b := le.AppendUint16(nil, 2)
		b = le.AppendUint16(b, 0x8002)
		b = le.AppendUint16(b, 8)
		b = le.AppendUint32(b, connection)
		b = le.AppendUint32(b, 1) // encapsulation sequence number
		b = le.AppendUint16(b, 0x00b1)
		b = le.AppendUint16(b, uint16(2+len(data)))
		b = le.AppendUint16(b, 1) // CIP sequence count
		return append(b, data...)
	}
	ops := []*Operation{svc.op(capture.ENIP, "0x8002")}
	run := append([]byte{1, 0, 0, 0}, make([]byte, size)...) // run/idle header: run
	return &dialogue{
		service: svc, over: overUDP, bothPorts: true, closing: 2,
		steps: []step{
			{from: lab.Client, wait: int32(every / slot), payload: packet(run), ops: ops},
			{from: lab.Server, wait: int32(time.Millisecond / slot), payload: packet(make([]byte, size)), ops: ops},
		},
		counters: []counter{{both: true, offset: 10, width: 4, order: le, step: 1}, {both: true, offset: 18, width: 2, order: le, step: 1}},
	}
}

// identity is a browse of the network: ListIdentity as a broadcast, whose
// answers are left to the reader's imagination.
func (p *Plant) identity(every time.Duration) *dialogue {
	svc := p.service(capture.UDP, 44818, capture.ENIP)
	ask := append([]byte{0x63, 0}, make([]byte, 22)...)
	return &dialogue{
		service: svc, over: overUDP, freshPort: true, closing: 1,
		steps:    []step{{from: lab.Client, wait: int32(every / slot), payload: ask, ops: []*Operation{svc.op(capture.ENIP, "0x0063")}}},
		counters: []counter{{offset: 12, width: 4, order: le, step: 1}}, // the sender's context
	}
}

// dnp3 polls an outstation. Its sequence numbers are covered by checksums, so
// that the cycle is as long as their period, of 64 requests.
func (p *Plant) dnp3(every time.Duration) (*dialogue, error) {
	s, svc := newScript(), p.service(capture.TCP, 20000, capture.DNP3)
	var d *lab.DNP3
	s.open(act{does: func() { d = s.net.TCP(s.client, s.server, 20000).DNP3(1, 10) }})
	const period = 64
	for range period - 1 {
		s.repeat(act{every, func() { d.ReadClasses(40) }, svc.each(capture.DNP3, "1"), svc.each(capture.DNP3, "129")})
	}
	s.repeat(act{every, func() { d.DirectOperate(3) }, svc.each(capture.DNP3, "5"), svc.each(capture.DNP3, "129")})
	s.end(act{does: func() { d.ReadClasses(1) }})
	return s.record(svc, overTCP)
}

// opcua reads nodes in a session without security.
func (p *Plant) opcua(every time.Duration, nodes int) (*dialogue, error) {
	s, svc := newScript(), p.service(capture.TCP, 4840, capture.OPCUA)
	var u *lab.OPCUA
	requests, answers := svc.each(capture.OPCUA, "HEL", "OPN", "461", "467"), svc.each(capture.OPCUA, "ACK", "OPN", "464", "470")
	requests[1] = append(requests[1], svc.op(capture.OPCUA, "446")) // OpenSecureChannel is a message type and, inside, a service
	answers[1] = append(answers[1], svc.op(capture.OPCUA, "449"))
	s.open(act{0, func() { u = s.net.TCP(s.client, s.server, 4840).OPCUA("opc.tcp://server:4840") }, requests, answers})
	list := make([]int, nodes)
	for i := range list {
		list[i] = 1000 + i
	}
	s.repeat(act{every, func() { u.Read(list) }, svc.each(capture.OPCUA, "631"), svc.each(capture.OPCUA, "634")})
	s.end(act{does: func() { u.Read(list[:1]) }})
	ticks := uint64(every / 100) // DateTime counts 100 ns
	return s.record(svc, overTCP,
		counter{both: true, offset: 16, width: 4, order: le, step: 1},           // sequence number
		counter{both: true, offset: 20, width: 4, order: le, step: 1},           // request id
		counter{from: lab.Client, offset: 32, width: 8, order: le, step: ticks}, // timestamp
		counter{from: lab.Client, offset: 40, width: 4, order: le, step: 1},     // request handle
		counter{from: lab.Server, offset: 28, width: 8, order: le, step: ticks}, // timestamp
		counter{from: lab.Server, offset: 36, width: 4, order: le, step: 1})     // request handle
}

// goose repeats a dataset of 8 booleans. Source: IEC 61850-8-1:2011, annex A
// (the PDU) and annex C (the frame).
func (p *Plant) goose(every time.Duration, name string) *dialogue {
	svc := p.service(capture.L2, 0x88b8, "goose")
	fixed := func(tag byte, n uint32) []byte { return be.AppendUint32([]byte{tag, 5, 0}, n) } // an INTEGER of fixed length
	var data []byte
	for i := range 8 {
		data = append(data, 0x83, 1, byte(i&1))
	}
	head := slices.Concat(
		tlv(0x80, []byte(name+"LD0/LLN0$GO$gcb01")), tlv(0x81, be.AppendUint16(nil, 2000)), tlv(0x82, []byte(name+"LD0/LLN0$DS1")),
		tlv(0x83, []byte(name)), tlv(0x84, []byte{0x65, 0x53, 0xf1, 0, 0, 0, 0, 0x0a}), fixed(0x85, 7))
	rest := slices.Concat(tlv(0x87, []byte{0}), tlv(0x88, []byte{1}), tlv(0x89, []byte{0}), tlv(0x8a, []byte{8}), tlv(0xab, data))
	pdu := slices.Concat(head, fixed(0x86, 1), rest)
	payload := linkPDU(0x0001, 0x61, pdu)
	sqNum := len(payload) - len(rest) - 4
	return linkDialogue(svc, every, payload, svc.op("goose", "goose"), counter{both: true, offset: sqNum, width: 4, order: be, step: 1})
}

// sampledValues are the four currents and voltages of a merging unit, with as
// many of them in a frame as asdus. Source: IEC 61850-9-2:2011, 8.5, and IEC
// 61869-9:2016.
func (p *Plant) sampledValues(every time.Duration, asdus int) *dialogue {
	svc := p.service(capture.L2, 0x88ba, "sv")
	var seq []byte
	for i := range asdus {
		asdu := slices.Concat(tlv(0x80, []byte("MU0101")), tlv(0x82, be.AppendUint16(nil, uint16(i))), tlv(0x83, be.AppendUint32(nil, 1)),
			tlv(0x85, []byte{2}), tlv(0x87, make([]byte, 64)))
		seq = append(seq, tlv(0x30, asdu)...)
	}
	payload := linkPDU(0x4000, 0x60, slices.Concat(tlv(0x80, []byte{byte(asdus)}), tlv(0xa2, seq)))
	one := len(seq) / asdus
	const smpCnt = 2 + 8 + 2 // in an ASDU: behind its tag and length, the svID, and tag and length of its own
	var counters []counter
	for i := range asdus {
		counters = append(counters, counter{both: true, offset: len(payload) - len(seq) + i*one + smpCnt, width: 2, order: be,
			step: uint64(asdus), modulo: samplesPerSecond})
	}
	return linkDialogue(svc, every, payload, svc.op("sv", "sv"), counters...)
}

// samplesPerSecond is 80 a cycle of 50 Hz; smpCnt starts again with each second.
const samplesPerSecond = 4000

// linkPDU is an APPID, a length, two reserved words and a PDU.
func linkPDU(appID uint16, tag byte, pdu []byte) []byte {
	body := tlv(tag, pdu)
	b := be.AppendUint16(nil, appID)
	b = be.AppendUint16(b, uint16(8+len(body)))
	return slices.Concat(b, make([]byte, 4), body)
}

// tlv is an element of BER with a definite length.
func tlv(tag byte, value []byte) []byte {
	switch n := len(value); {
	case n < 0x80:
		return slices.Concat([]byte{tag, byte(n)}, value)
	case n < 0x100:
		return slices.Concat([]byte{tag, 0x81, byte(n)}, value)
	default:
		return slices.Concat([]byte{tag, 0x82, byte(n >> 8), byte(n)}, value)
	}
}

// profinet is cyclic I/O of real-time class 1, both ways: 40 bytes of data, a
// cycle counter in units of 31.25 µs, and the states of data and transfer.
//
// Source: IEC 61158-6-10, 4.7 (RTC-PDU).
func (p *Plant) profinet(every time.Duration) *dialogue {
	const size, good = 40, 0x35 // state: primary, valid, run, no problem
	packet := func(frameID uint16) []byte {
		b := append(be.AppendUint16(nil, frameID), make([]byte, size)...)
		return append(b, 0, 0, good, 0)
	}
	return &dialogue{
		service: p.service(capture.L2, 0x8892, ""), over: overLink, closing: 2,
		steps: []step{
			{from: lab.Client, wait: int32((every - time.Millisecond) / slot), payload: packet(0x8001)},
			{from: lab.Server, wait: int32(time.Millisecond / slot), payload: packet(0x8002)},
		},
		counters: []counter{{both: true, offset: 2 + size, width: 2, order: be, step: uint64(every / 31250)}},
	}
}

// ptp is a grandmaster's Sync in one step. Source: IEEE 1588-2019, 13.3 and 13.6.
func (p *Plant) ptp(every time.Duration) *dialogue {
	b := make([]byte, 44)
	b[1] = 2                            // version; message type 0 is Sync
	be.PutUint16(b[2:], uint16(len(b))) // message length
	copy(b[20:], []byte{0, 0x1b, 0x19, 0xff, 0xfe, 0, 0, 1, 0, 1})
	b[33] = 0xfd // every 2^-3 s
	be.PutUint32(b[36:], uint32(epoch/1_000_000))
	return linkDialogue(p.service(capture.L2, 0x88f7, ""), every, b, nil, counter{both: true, offset: 30, width: 2, order: be, step: 1})
}
