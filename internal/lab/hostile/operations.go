package hostile

import (
	"encoding/binary"
	"io"

	"bulkhead/internal/lab/wire"
)

// dialogue is one connection that is never closed.
type dialogue struct {
	*capture
	port uint16    // of the server
	next [2]uint32 // sequence number of the client and of the server
}

// send appends a record with what one side says. There is no handshake: the
// capture began in the middle.
func (d *dialogue) send(b []byte, fromServer bool, payload []byte) []byte {
	from, to, me, peer := attacker, victim, &d.next[0], d.next[1]
	t := wire.TCP{SrcPort: firstPort, DstPort: d.port, Flags: wire.ACK | wire.PSH}
	if fromServer {
		from, to, me, peer = victim, attacker, &d.next[1], d.next[0]
		t.SrcPort, t.DstPort = t.DstPort, t.SrcPort
	}
	t.Seq, t.Ack = *me, peer
	*me += uint32(len(payload))
	return d.tcp(b, from, to, t, payload)
}

// ModbusOperations is n requests of one connection, each answered, that go
// through all functions, units and addresses: 127, 256 and 65,536 of them.
//
// Source: MODBUS Messaging on TCP/IP Implementation Guide V1.0b, 3.1.3.
func ModbusOperations(n int64) io.ReadCloser {
	d := dialogue{port: 502}
	ask, answer := make([]byte, 12), make([]byte, 9)
	ask[5], answer[5] = 6, 3
	be := binary.BigEndian
	return open(n, func(c *capture, b []byte, i uint32) []byte {
		d.capture = c
		s := scatter(i)
		be.PutUint16(ask, uint16(i))
		be.PutUint16(answer, uint16(i))
		ask[6], ask[7] = byte(s), byte(1+s>>8%127)
		be.PutUint16(ask[8:], uint16(s>>16))
		be.PutUint16(ask[10:], 1)
		answer[6], answer[7], answer[8] = ask[6], ask[7]|0x80, 1 // illegal function
		b = d.send(b, false, ask)
		return d.send(b, true, answer)
	})
}

// OPCUAServices is n requests of one connection, each answered with a fault, for
// services of which most do not exist.
//
// Source: OPC 10000-6, 6.7.2 (chunks) and 5.2.2.9 (node ids).
func OPCUAServices(n int64) io.ReadCloser {
	d := dialogue{port: 4840}
	const fault = 397
	message := func(header int) []byte {
		m := make([]byte, 24+4+header) // headers, node id, request or response header
		copy(m, "MSGF")
		le := binary.LittleEndian
		le.PutUint32(m[4:], uint32(len(m)))
		le.PutUint32(m[8:], 1)  // channel
		le.PutUint32(m[12:], 1) // token
		m[24] = 1               // node id in four bytes
		return m
	}
	ask, answer := message(29), message(24)
	binary.LittleEndian.PutUint32(ask[46:], ^uint32(0)) // no audit entry id
	binary.LittleEndian.PutUint32(ask[50:], 10_000)     // ms
	binary.LittleEndian.PutUint16(answer[26:], fault)
	binary.LittleEndian.PutUint32(answer[40:], 0x800b0000) // Bad_ServiceUnsupported
	return open(n, func(c *capture, b []byte, i uint32) []byte {
		d.capture = c
		for _, m := range [][]byte{ask, answer} {
			binary.LittleEndian.PutUint32(m[16:], i+1)
			binary.LittleEndian.PutUint32(m[20:], i+1)
		}
		binary.LittleEndian.PutUint16(ask[26:], uint16(i))
		binary.LittleEndian.PutUint32(ask[38:], i+1) // handle, behind the authentication token of 2 and the time
		binary.LittleEndian.PutUint32(answer[36:], i+1)
		b = d.send(b, false, ask)
		return d.send(b, true, answer)
	})
}

// DNP3Functions is n datagrams from one master to one host that go through all
// functions and outstations, unanswered, an hour and more apart: runs of minutes
// in which an operation was seen never join.
//
// Source: IEEE 1815-2012, clauses 4, 8 and 9.
func DNP3Functions(n int64) io.ReadCloser {
	const apart = 61 * 60 * 1_000_000 / every // in frames
	data := []byte{0xc0, 0xc0, 0}             // transport, application control, function
	return open(n, func(c *capture, b []byte, i uint32) []byte {
		c.frames += apart
		if i%(1<<18) == 0 { // seconds since 1970 end in 2106
			c.frames = int64(i) + 1
		}
		data[1], data[2] = 0xc0|byte(i&15), byte(i)
		head := []byte{0x05, 0x64, byte(5 + len(data)), 0xc4, byte(i >> 8), byte(i >> 16), 1, 0}
		message := append(dnp3Block(nil, head), dnp3Block(nil, data)...)
		return c.udp(b, attacker, victim, 20000, 20000, message)
	})
}

// dnp3Block appends a block and its CRC. Source: IEEE 1815-2012, 9.2.4.3.
func dnp3Block(b, block []byte) []byte {
	var crc uint16
	for _, v := range block {
		crc ^= uint16(v)
		for range 8 {
			crc = crc>>1 ^ 0xa6bc*(crc&1)
		}
	}
	return binary.LittleEndian.AppendUint16(append(b, block...), ^crc)
}
