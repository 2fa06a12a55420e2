package hostile

import (
	"encoding/binary"
	"io"

	"bulkhead/internal/lab/wire"
)

const (
	firstPort = 49152
	numPorts  = 1<<16 - firstPort
)

// synOptions announces a segment size of 1460 bytes.
var synOptions = []byte{2, 4, 0x05, 0xb4}

// clientPort is the ephemeral port of connection number i.
func clientPort(i uint32) uint16 { return firstPort + uint16(i%numPorts) }

// SYNScan is a scan of n addresses for Modbus, which nothing answers.
func SYNScan(n int64) io.ReadCloser {
	return open(n, func(c *capture, b []byte, i uint32) []byte {
		return c.tcp(b, attacker, stranger(i), wire.TCP{SrcPort: clientPort(i), DstPort: 502, Seq: i, Flags: wire.SYN, Options: synOptions}, nil)
	})
}

// SpoofedSources is a flood of n SYNs from as many addresses to one server.
func SpoofedSources(n int64) io.ReadCloser {
	return open(n, func(c *capture, b []byte, i uint32) []byte {
		from := scatter(i)
		return c.tcp(b, stranger(from), victim, wire.TCP{SrcPort: uint16(1024 + from%60000), DstPort: 502, Seq: from, Flags: wire.SYN, Options: synOptions}, nil)
	})
}

// HalfOpen is n connections from as many addresses that the server accepts and
// the client leaves there.
func HalfOpen(n int64) io.ReadCloser {
	return open(n, func(c *capture, b []byte, i uint32) []byte {
		from, port := stranger(i), clientPort(i)
		b = c.tcp(b, from, victim, wire.TCP{SrcPort: port, DstPort: 502, Seq: i, Flags: wire.SYN, Options: synOptions}, nil)
		return c.tcp(b, victim, from, wire.TCP{SrcPort: 502, DstPort: port, Seq: ^i, Ack: i + 1, Flags: wire.SYN | wire.ACK, Options: synOptions}, nil)
	})
}

// PortScan tries n ports of one host, each refused: all 65,535 from one source,
// then from the next.
func PortScan(n int64) io.ReadCloser {
	const ports = 65535
	return open(n, func(c *capture, b []byte, i uint32) []byte {
		from, port := stranger(i/ports), uint16(1+i%ports)
		b = c.tcp(b, from, victim, wire.TCP{SrcPort: 40000, DstPort: port, Seq: i, Flags: wire.SYN, Options: synOptions}, nil)
		return c.tcp(b, victim, from, wire.TCP{SrcPort: port, DstPort: 40000, Ack: i + 1, Flags: wire.RST | wire.ACK}, nil)
	})
}

// AnsweredDatagrams is n questions to one name server from as many addresses,
// each with its answer: conversations that are no mere attempts.
func AnsweredDatagrams(n int64) io.ReadCloser {
	ask := append([]byte{0, 0, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0}, "\x05plant\x07example\x00\x00\x01\x00\x01"...)
	answer := append(append([]byte{}, ask...), 0xc0, 12, 0, 1, 0, 1, 0, 0, 1, 44, 0, 4, 10, 0, 0, 11)
	answer[2], answer[3], answer[7] = 0x81, 0x80, 1
	return open(n, func(c *capture, b []byte, i uint32) []byte {
		from, port := stranger(scatter(i)), clientPort(i)
		binary.BigEndian.PutUint16(ask, uint16(i))
		binary.BigEndian.PutUint16(answer, uint16(i))
		b = c.udp(b, from, victim, port, 53, ask)
		return c.udp(b, victim, from, 53, port, answer)
	})
}

const (
	gapsSegments = 8
	gapsSegment  = 1400
	gapsFrames   = 3 + gapsSegments
)

// Gaps is n connections, of which each shakes hands, loses a byte and sends
// segments behind it that cannot be read until that byte comes. It never does.
func Gaps(n int64) io.ReadCloser {
	payload := make([]byte, gapsSegment)
	return open(n, func(c *capture, b []byte, i uint32) []byte {
		from, port := stranger(i), clientPort(i)
		t := wire.TCP{SrcPort: port, DstPort: 502, Seq: i, Flags: wire.SYN, Options: synOptions}
		b = c.tcp(b, from, victim, t, nil)
		b = c.tcp(b, victim, from, wire.TCP{SrcPort: 502, DstPort: port, Seq: 7, Ack: i + 1, Flags: wire.SYN | wire.ACK, Options: synOptions}, nil)
		t.Seq, t.Ack, t.Flags, t.Options = i+1, 8, wire.ACK, nil
		b = c.tcp(b, from, victim, t, nil)
		t.Seq++
		for range gapsSegments {
			b = c.tcp(b, from, victim, t, payload)
			t.Seq += gapsSegment
		}
		return b
	})
}
