package lab

import (
	"fmt"
	"slices"
)

// S7 is an S7comm dialogue over ISO transport (RFC 1006, port 102). S7comm has
// no public specification: the layout is that of Wireshark's dissector
// (packet-s7comm.c) and of Siemens' own traffic.
type S7 struct {
	conn      *Conn
	reference uint16 // of the last job
}

// Kinds of S7 message (ROSCTR).
const (
	s7Job      = 1
	s7AckData  = 3
	s7UserData = 7
)

// S7 begins a dialogue: a COTP connection to rack 0, slot 2, then the
// negotiation of the S7 session (job 0xf0).
func (c *Conn) S7(opts ...Option) *S7 {
	s := &S7{conn: c}
	tsaps := []byte{0xc1, 2, 0x01, 0x00, 0xc2, 2, 0x01, 0x02, 0xc0, 1, 0x0a} // calling, called, TPDU size 1024
	c.exchange(
		tpkt(cotp(0xe0, slices.Concat(be16(0), be16(1), []byte{0}, tsaps))),
		tpkt(cotp(0xd0, slices.Concat(be16(1), be16(0x4d01), []byte{0}, tsaps))), nil)
	setup := slices.Concat([]byte{0xf0, 0}, be16(1), be16(1), be16(480)) // jobs at once each way, PDU length
	s.job(setup, nil, setup, nil, opts)
	return s
}

// Read reads bytes of a data block (job 0x04). Refused's code is that of the
// item, such as 0x0a, object does not exist.
func (s *S7) Read(block, first, length int, opts ...Option) {
	data := slices.Concat([]byte{0xff, 4}, be16(8*length), s.conn.net.opaque(length)) // success, length in bits
	if h := options(opts); h.refused {
		data = []byte{byte(h.code), 0, 0, 0}
	}
	s.job(slices.Concat([]byte{0x04, 1}, s7Item(block, first, length)), nil, []byte{0x04, 1}, data, opts)
}

// Write writes bytes of a data block (job 0x05).
func (s *S7) Write(block, first int, value []byte, opts ...Option) {
	result := byte(0xff)
	if h := options(opts); h.refused {
		result = byte(h.code)
	}
	s.job(
		slices.Concat([]byte{0x05, 1}, s7Item(block, first, len(value))), slices.Concat([]byte{0, 4}, be16(8*len(value)), value),
		[]byte{0x05, 1}, []byte{result}, opts)
}

// s7Item addresses bytes of a data block: specification type 0x12, syntax S7ANY.
func s7Item(block, first, length int) []byte {
	bit := first * 8
	return slices.Concat([]byte{0x12, 10, 0x10, 2}, be16(length), be16(block), []byte{0x84, byte(bit >> 16), byte(bit >> 8), byte(bit)})
}

// Stop stops the PLC (job 0x29). Refused's code is the header's error class and
// code, such as 0x8500.
func (s *S7) Stop(opts ...Option) {
	program := "P_PROGRAM"
	s.job(slices.Concat([]byte{0x29, 0, 0, 0, 0, 0, byte(len(program))}, []byte(program)), nil, []byte{0x29}, nil, opts)
}

// Download puts a block of logic into the PLC: the client asks for it (job
// 0x1a), the PLC fetches the code in parts (0x1b) and ends (0x1c), the client has
// the block made part of the program (PI service 0x28, _INSE).
func (s *S7) Download(block int, code []byte, opts ...Option) {
	name := fmt.Sprintf("08%05dP", block) // an organisation block, into the passive file system
	file := slices.Concat([]byte{byte(len(name) + 1)}, []byte("_"+name))
	lengths := fmt.Sprintf("1%06d%06d", len(code)+36, len(code)) // load memory, code
	s.job(slices.Concat([]byte{0x1a, 0, 1, 0, 0, 0, 0, 0}, file, []byte{byte(len(lengths))}, []byte(lengths)), nil, []byte{0x1a}, nil, opts)
	if h := options(opts); h.refused || h.unanswered {
		return
	}
	const part = 200
	for rest := code; len(rest) > 0; {
		now := rest[:min(part, len(rest))]
		rest = rest[len(now):]
		more := byte(0)
		if len(rest) > 0 {
			more = 1
		}
		s.jobFrom(Server, slices.Concat([]byte{0x1b, 0, 0, 0, 0, 0, 0, 0}, file), nil,
			[]byte{0x1b, more}, slices.Concat(be16(len(now)), []byte{0, 0xfb}, now), nil)
	}
	s.jobFrom(Server, slices.Concat([]byte{0x1c, 0, 0, 0, 0, 0, 0, 0}, file), nil, []byte{0x1c}, nil, nil)
	blocks := slices.Concat([]byte{1, 0}, []byte(name))
	service := "_INSE"
	s.job(slices.Concat([]byte{0x28, 0, 0, 0, 0, 0, 0, 0xfd}, be16(len(blocks)), blocks, []byte{byte(len(service))}, []byte(service)), nil,
		[]byte{0x28}, nil, nil)
}

// Identify reads the system status list that names the module (user data, group
// 4, function 1; SZL 0x0011).
func (s *S7) Identify(order string, opts ...Option) {
	record := slices.Concat(be16(1), fmt.Appendf(nil, "%-20s", order), be16(0x00c0), be16(2), be16(6))
	list := slices.Concat(be16(0x0011), be16(0), be16(len(record)), be16(1), record) // id, index, record length, records
	s.reference++
	ask := slices.Concat([]byte{0xff, 9}, be16(4), be16(0x0011), be16(0))
	reply := slices.Concat([]byte{0xff, 9}, be16(len(list)), list)
	s.conn.exchange(
		s7Header(s7UserData, s.reference, nil, []byte{0, 1, 0x12, 4, 0x11, 0x44, 1, 0}, ask),               // request, group 4
		s7Header(s7UserData, s.reference, nil, []byte{0, 1, 0x12, 8, 0x12, 0x84, 1, 1, 0, 0, 0, 0}, reply), // response, last unit, no error
		opts)
}

// job sends a job of the client and its acknowledgement.
func (s *S7) job(parameter, data, ackParameter, ackData []byte, opts []Option) {
	s.jobFrom(Client, parameter, data, ackParameter, ackData, opts)
}

func (s *S7) jobFrom(from Side, parameter, data, ackParameter, ackData []byte, opts []Option) {
	s.reference++
	s.conn.Send(from, s7Header(s7Job, s.reference, nil, parameter, data), opts...)
	h := options(opts)
	if h.unanswered {
		return
	}
	status := be16(0)
	if h.refused && ackData == nil { // no item to carry the refusal
		status = be16(int(h.code))
	}
	s.conn.net.Wait(3e6)
	s.conn.Send(from.other(), s7Header(s7AckData, s.reference, status, ackParameter, ackData), opts...)
}

// s7Header frames a message: TPKT, COTP data, S7 header (with error class and
// code in acknowledgements), parameter, data.
func s7Header(kind byte, reference uint16, status, parameter, data []byte) []byte {
	return tpkt(slices.Concat([]byte{2, 0xf0, 0x80}, // COTP DT, last data unit
		[]byte{0x32, kind, 0, 0}, be16(reference), be16(len(parameter)), be16(len(data)), status, parameter, data))
}

// tpkt puts RFC 1006's header in front of a TPDU.
func tpkt(tpdu []byte) []byte { return slices.Concat([]byte{3, 0}, be16(len(tpdu)+4), tpdu) }

// cotp puts the length in front of a TPDU's code and fixed part (ISO 8073, 13.2).
func cotp(code byte, rest []byte) []byte {
	return slices.Concat([]byte{byte(len(rest) + 1), code}, rest)
}
