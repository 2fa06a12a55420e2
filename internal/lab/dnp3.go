package lab

import "slices"

// DNP3 is a dialogue of a master with one outstation.
//
// Source: IEEE 1815-2012, clauses 4 (application layer), 8 (transport) and 9
// (data link).
type DNP3 struct {
	conn               *Conn
	master, outstation uint16
	sequence           byte    // of the application layer, 0 to 15
	transport          [2]byte // of the transport function, each side its own
}

// DNP3 begins a dialogue over c.
func (c *Conn) DNP3(master, outstation uint16) *DNP3 {
	return &DNP3{conn: c, master: master, outstation: outstation}
}

// Application function codes.
const (
	dnp3Confirm           = 0
	dnp3Read              = 1
	dnp3Write             = 2
	dnp3Select            = 3
	dnp3Operate           = 4
	dnp3DirectOperate     = 5
	dnp3ColdRestart       = 13
	dnp3EnableUnsolicited = 20
	dnp3Response          = 129
	dnp3Unsolicited       = 130
)

// ReadClasses polls for static data and events (group 60). The answer holds that
// many binary inputs, which may need several link frames.
func (d *DNP3) ReadClasses(inputs int, opts ...Option) {
	answer := slices.Concat([]byte{1, 2, 0x01}, le16(0), le16(inputs-1)) // binary inputs with flags, 16-bit range
	for range inputs {
		answer = append(answer, 0x01) // on line
	}
	d.Ask(dnp3Read, []byte{60, 2, 6, 60, 3, 6, 60, 4, 6, 60, 1, 6}, answer, opts...)
}

// WriteTime sets the outstation's clock (group 50).
func (d *DNP3) WriteTime(opts ...Option) {
	ms := d.conn.net.now.UnixMilli()
	d.Ask(dnp3Write, slices.Concat([]byte{50, 1, 7, 1}, le64(uint64(ms))[:6]), nil, opts...)
}

// relay is a control relay output block (group 12): latch output index on.
func relay(index int) []byte {
	return slices.Concat([]byte{12, 1, 0x17, 1, byte(index), 3, 1}, le32(100), le32(100), []byte{0})
}

// SelectOperate switches an output in two steps.
func (d *DNP3) SelectOperate(output int, opts ...Option) {
	d.Ask(dnp3Select, relay(output), relay(output), opts...)
	d.Ask(dnp3Operate, relay(output), relay(output), opts...)
}

// DirectOperate switches an output.
func (d *DNP3) DirectOperate(output int, opts ...Option) {
	d.Ask(dnp3DirectOperate, relay(output), relay(output), opts...)
}

// ColdRestart restarts the outstation, which says how long that takes.
func (d *DNP3) ColdRestart(opts ...Option) {
	d.Ask(dnp3ColdRestart, nil, slices.Concat([]byte{52, 2, 7, 1}, le16(5000)), opts...)
}

// EnableUnsolicited asks for reports of events.
func (d *DNP3) EnableUnsolicited(opts ...Option) {
	d.Ask(dnp3EnableUnsolicited, []byte{60, 2, 6, 60, 3, 6, 60, 4, 6}, nil, opts...)
}

// Unsolicited sends a report of the outstation, which the master confirms.
func (d *DNP3) Unsolicited() {
	event := []byte{2, 1, 0x17, 1, 3, 0x81} // binary input event: input 3, on
	d.send(Server, 0xf0, dnp3Unsolicited, slices.Concat([]byte{0, 0}, event))
	d.conn.net.Wait(2e6)
	d.send(Client, 0xd0, dnp3Confirm, nil)
}

// Ask sends a request and its answer. Refused's code are the two octets of
// internal indications, such as 0x0001: function code not supported.
func (d *DNP3) Ask(function byte, request, answer []byte, opts ...Option) {
	control := 0xc0 | d.sequence&15 // first and final fragment
	d.send(Client, control, function, request, opts...)
	d.sequence++
	h := options(opts)
	if h.unanswered {
		return
	}
	indications := be16(0)
	if h.refused {
		indications, answer = be16(int(h.code)), nil
	}
	d.conn.net.Wait(5e6)
	d.send(Server, control, dnp3Response, slices.Concat(indications, answer), opts...)
}

// send puts one application fragment into transport segments and link frames.
func (d *DNP3) send(from Side, control, function byte, rest []byte, opts ...Option) {
	to, source, link := d.outstation, d.master, byte(0xc4) // from the master, primary, unconfirmed user data
	if from == Server {
		to, source, link = d.master, d.outstation, 0x44
	}
	var frames []byte
	fragment := slices.Concat([]byte{control, function}, rest)
	for first := true; len(fragment) > 0; first = false {
		part := fragment[:min(249, len(fragment))]
		fragment = fragment[len(part):]
		head := d.transport[from] & 0x3f
		d.transport[from]++
		if first {
			head |= 0x40
		}
		if len(fragment) == 0 {
			head |= 0x80
		}
		frames = append(frames, dnp3Frame(link, to, source, slices.Concat([]byte{head}, part))...)
	}
	d.conn.Send(from, frames, opts...)
}

// dnp3Frame is a link header and blocks of up to 16 octets, each with its CRC.
func dnp3Frame(control byte, to, from uint16, data []byte) []byte {
	header := slices.Concat([]byte{0x05, 0x64, byte(5 + len(data)), control}, le16(to), le16(from))
	frame := slices.Concat(header, dnp3CRC(header))
	for block := range slices.Chunk(data, 16) {
		frame = slices.Concat(frame, block, dnp3CRC(block))
	}
	return frame
}

// dnp3CRC is the CRC of IEEE 1815, 9.2.4.3: polynomial 0x3d65, least significant
// bit first, inverted.
func dnp3CRC(b []byte) []byte {
	var crc uint16
	for _, v := range b {
		crc ^= uint16(v)
		for range 8 {
			if crc&1 != 0 {
				crc = crc>>1 ^ 0xa6bc
			} else {
				crc >>= 1
			}
		}
	}
	return le16(^crc)
}
