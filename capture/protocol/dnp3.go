package protocol

import (
	"bytes"
	"encoding/binary"
	"strconv"

	"bulkhead/capture"
)

// DNP3 is the Distributed Network Protocol: link frames, a transport function
// that cuts fragments into segments, and application fragments, each bearing one
// function code.
//
// Source: IEEE Std 1815-2012, clauses 4 (application layer), 7 (secure
// authentication), 8 (transport function), 9 (data link layer) and 13 (IP
// networking); Annex A (objects).
var DNP3 = &Protocol{
	Name:      capture.DNP3,
	Over:      []capture.Transport{capture.TCP, capture.UDP},
	Recognise: recogniseDNP3,
	New:       func() Decoder { return new(dnp3Decoder) },
}

// The function codes that the decoder treats apart.
const (
	dnp3Confirm      = 0
	dnp3AuthRequest  = 32
	dnp3Response     = 129
	dnp3AuthResponse = 131
	dnp3FirstReply   = 128 // no request has a code from here on
)

// The objects that are read, by group and variation.
const (
	dnp3GroupBinaryOut = 12
	dnp3GroupAnalogOut = 41
	dnp3GroupAuth      = 120
	dnp3AuthReply      = 2 // variations of group 120
	dnp3AuthAggressive = 3
	dnp3AuthError      = 7
)

const (
	dnp3SecureAuth       = "dnp3 secure authentication" // a kind of log-in
	dnp3FirstBroadcast   = 0xfffd                       // address
	dnp3IIN2Refusal      = 0x07                         // no such function, object unknown, parameter error
	dnp3MaxFragment      = 2048                         // the length that every device has to take
	dnp3MaxOpenFragments = 16                           // fragments of one side that are being put together
)

// The octets of a frame's header. Source: IEEE Std 1815-2012, clause 9.
var dnp3Start = []byte{0x05, 0x64}

const (
	dnp3FromMaster  = 0x80 // DIR
	dnp3Primary     = 0x40 // PRM
	dnp3FIN         = 0x80 // transport header; 0x40 in application control
	dnp3FIR         = 0x40 // transport header; 0x80 in application control
	dnp3AppFIR      = 0x80
	dnp3Sequence    = 0x3f // of segments
	dnp3AppSequence = 0x0f // of fragments
)

// dnp3Ops are the operations by function code. Codes that the standard reserves
// are classed with what changes a device, since only their maker knows what they
// do.
//
// Source: IEEE Std 1815-2012, clause 4, function codes.
var dnp3Ops = func() (ops [256]Op) {
	for code := range ops {
		ops[code] = Op{Name: "reserved", Class: capture.Configure}
	}
	for code, op := range map[int]Op{
		0:   {Name: "CONFIRM", Class: capture.Session},
		1:   {Name: "READ", Class: capture.Read},
		2:   {Name: "WRITE", Class: capture.Write},
		3:   {Name: "SELECT", Class: capture.Control},
		4:   {Name: "OPERATE", Class: capture.Control},
		5:   {Name: "DIRECT_OPERATE", Class: capture.Control},
		6:   {Name: "DIRECT_OPERATE_NR", Class: capture.Control},
		7:   {Name: "IMMED_FREEZE", Class: capture.Write},
		8:   {Name: "IMMED_FREEZE_NR", Class: capture.Write},
		9:   {Name: "FREEZE_CLEAR", Class: capture.Write},
		10:  {Name: "FREEZE_CLEAR_NR", Class: capture.Write},
		11:  {Name: "FREEZE_AT_TIME", Class: capture.Write},
		12:  {Name: "FREEZE_AT_TIME_NR", Class: capture.Write},
		13:  {Name: "COLD_RESTART", Class: capture.Mode},
		14:  {Name: "WARM_RESTART", Class: capture.Mode},
		15:  {Name: "INITIALIZE_DATA", Class: capture.Mode},
		16:  {Name: "INITIALIZE_APPL", Class: capture.Mode},
		17:  {Name: "START_APPL", Class: capture.Mode},
		18:  {Name: "STOP_APPL", Class: capture.Mode},
		19:  {Name: "SAVE_CONFIG", Class: capture.Configure},
		20:  {Name: "ENABLE_UNSOLICITED", Class: capture.Configure},
		21:  {Name: "DISABLE_UNSOLICITED", Class: capture.Configure},
		22:  {Name: "ASSIGN_CLASS", Class: capture.Configure},
		23:  {Name: "DELAY_MEASURE", Class: capture.Session},
		24:  {Name: "RECORD_CURRENT_TIME", Class: capture.Session},
		25:  {Name: "OPEN_FILE", Class: capture.File},
		26:  {Name: "CLOSE_FILE", Class: capture.File},
		27:  {Name: "DELETE_FILE", Class: capture.File},
		28:  {Name: "GET_FILE_INFO", Class: capture.File},
		29:  {Name: "AUTHENTICATE_FILE", Class: capture.File},
		30:  {Name: "ABORT_FILE", Class: capture.File},
		31:  {Name: "ACTIVATE_CONFIG", Class: capture.Configure},
		32:  {Name: "AUTHENTICATE_REQ", Class: capture.Session},
		33:  {Name: "AUTH_REQ_NO_ACK", Class: capture.Session},
		129: {Name: "RESPONSE", Class: capture.Reply},
		130: {Name: "UNSOLICITED_RESPONSE", Class: capture.Event},
		131: {Name: "AUTHENTICATE_RESP", Class: capture.Reply},
	} {
		ops[code] = op
	}
	for code := range ops {
		ops[code].Protocol, ops[code].Code = capture.DNP3, strconv.Itoa(code)
	}
	return ops
}()

// dnp3Unanswered reports whether a request with function code fn wants no
// response.
func dnp3Unanswered(fn byte) bool {
	switch fn {
	case 6, 8, 10, 12, 33:
		return true
	}
	return false
}

func recogniseDNP3(b []byte) Match {
	if len(b) < 10 {
		if len(b) == 0 || bytes.HasPrefix(b, dnp3Start) || b[0] == dnp3Start[0] && len(b) == 1 {
			return Match{Score: More}
		}
		return Match{}
	}
	if !bytes.HasPrefix(b, dnp3Start) || b[2] < 5 {
		return Match{}
	}
	m := Match{Score: Weak, Role: Server}
	if dnp3Checked(b[:10]) {
		m.Score = Sure
	}
	// The direction bit says who sent a frame; what the frame asks for or answers
	// says it better, where it can be seen.
	fromMaster := b[3]&dnp3FromMaster != 0
	if dnp3UserData(b[3]) && len(b) > 12 && b[10]&dnp3FIR != 0 {
		fromMaster = b[12] < dnp3FirstReply
	}
	if fromMaster {
		m.Role = Client
	}
	return m
}

// dnp3Decoder follows the fragments of one connection, which may serve many
// outstations.
type dnp3Decoder struct {
	open   [2][]dnp3Assembly // by the side that sends them, oldest first
	astray [2]bool           // bytes that are no frame are being skipped
	data   [250]byte         // user data of the frame at hand, its CRCs taken out
}

// dnp3Assembly is a fragment of which some segments have come.
type dnp3Assembly struct {
	source, destination uint16
	next                byte   // sequence number of the segment awaited
	bytes               []byte // at most dnp3MaxFragment
}

// Decode implements [Decoder].
func (d *dnp3Decoder) Decode(x *Exchange, from capture.Side, b []byte) int {
	if x.Gap(from) {
		for range d.open[from] {
			x.Undecoded()
		}
		d.open[from] = d.open[from][:0]
		d.astray[from] = false
	}
	n := 0
	for len(b)-n >= 10 {
		f := b[n:]
		if !bytes.HasPrefix(f, dnp3Start) || f[2] < 5 || !dnp3Checked(f[:10]) {
			if !d.astray[from] {
				d.astray[from] = true
				x.Undecoded()
			}
			next := bytes.Index(f[1:], dnp3Start)
			if next < 0 {
				n = len(b)
				if b[n-1] == dnp3Start[0] {
					n--
				}
				return n
			}
			n += 1 + next
			continue
		}
		d.astray[from] = false
		user := int(f[2]) - 5
		size := 10 + user + (user+15)/16*2
		if len(f) < size {
			return n
		}
		n += size
		d.frame(x, from, f[:size], user)
	}
	return n
}

// dnp3UserData reports whether a frame with a control octet carries user data.
// Source: IEEE Std 1815-2012, clause 9, function codes of primary frames.
func dnp3UserData(control byte) bool {
	const confirmed, unconfirmed = 3, 4
	function := control & 0x0f
	return control&dnp3Primary != 0 && (function == confirmed || function == unconfirmed)
}

// frame reads a whole link frame with n octets of user data.
func (d *dnp3Decoder) frame(x *Exchange, from capture.Side, f []byte, n int) {
	if !dnp3UserData(f[3]) {
		return // the link's own business
	}
	data := d.data[:0]
	for block := f[10:]; len(block) > 0; {
		k := min(len(block), 18)
		if !dnp3Checked(block[:k]) {
			x.Undecoded()
			return
		}
		data = append(data, block[:k-2]...)
		block = block[k:]
	}
	if n < 2 {
		x.Undecoded()
		return
	}
	destination, source := binary.LittleEndian.Uint16(f[4:]), binary.LittleEndian.Uint16(f[6:])
	d.segment(x, from, source, destination, data[0], data[1:])
}

// segment puts fragments together.
func (d *dnp3Decoder) segment(x *Exchange, from capture.Side, source, destination uint16, header byte, data []byte) {
	open := d.open[from]
	at := -1
	for i := range open {
		if open[i].source == source && open[i].destination == destination {
			at = i
			break
		}
	}
	first, last, seq := header&dnp3FIR != 0, header&dnp3FIN != 0, header&dnp3Sequence
	if at >= 0 && (first || seq != open[at].next) {
		if !first && seq == (open[at].next-1)&dnp3Sequence {
			return // the same segment again
		}
		x.Undecoded()
		d.open[from] = dnp3Remove(open, at)
		at = -1
	}
	switch {
	case first && last:
		d.fragment(x, from, source, destination, data)
	case first:
		d.begin(x, from, source, destination, seq, data)
	case at < 0:
		if last {
			x.Undecoded() // its beginning is not in the capture
		}
	default:
		a := &open[at]
		a.next = (seq + 1) & dnp3Sequence
		if !a.add(x, data[:min(len(data), dnp3MaxFragment-len(a.bytes))]) {
			x.Undecoded()
			d.open[from] = dnp3Remove(open, at)
			return
		}
		if last {
			d.fragment(x, from, source, destination, a.bytes)
			d.open[from] = dnp3Remove(open, at)
		}
	}
}

// begin opens an assembly, if need be in the place of the oldest.
func (d *dnp3Decoder) begin(x *Exchange, from capture.Side, source, destination uint16, seq byte, data []byte) {
	if len(d.open[from]) == dnp3MaxOpenFragments {
		x.Undecoded()
		d.open[from] = dnp3Remove(d.open[from], 0)
	}
	open := d.open[from]
	if n := len(open); n < cap(open) {
		open = open[:n+1] // with the buffer of an assembly that is done
	} else {
		open = append(open, dnp3Assembly{})
	}
	a := &open[len(open)-1]
	a.source, a.destination, a.next = source, destination, (seq+1)&dnp3Sequence
	a.bytes = a.bytes[:0]
	if !a.add(x, data) {
		x.Undecoded()
		return
	}
	d.open[from] = open
}

// add appends data, if there is room. Buffers are used again and again, so that
// room is needed only for what makes them longer.
func (a *dnp3Assembly) add(x *Exchange, data []byte) bool {
	before := cap(a.bytes)
	if need := len(a.bytes) + len(data); need > before {
		size := min(max(need, 2*before), dnp3MaxFragment)
		if !x.Hold(size - before) {
			return false
		}
		a.bytes = append(make([]byte, 0, size), a.bytes...)
	}
	a.bytes = append(a.bytes, data...)
	return true
}

// dnp3Remove takes open[i] out and keeps its buffer beyond the end.
func dnp3Remove(open []dnp3Assembly, i int) []dnp3Assembly {
	gone := open[i]
	copy(open[i:], open[i+1:])
	open[len(open)-1] = gone
	return open[:len(open)-1]
}

// fragment reads an application fragment. Source: IEEE Std 1815-2012, clause 4.
func (d *dnp3Decoder) fragment(x *Exchange, from capture.Side, source, destination uint16, f []byte) {
	if len(f) < 2 {
		x.Undecoded()
		return
	}
	control, fn := f[0], f[1]
	op := &dnp3Ops[fn]
	station, peer := destination, source
	if fn >= dnp3FirstReply {
		station, peer = source, destination
	}
	key := uint64(station)<<24 | uint64(peer)<<8 | uint64(control&dnp3AppSequence)
	const authentication = 1 << 40 // an authentication request shares the number of the request that it is for

	switch {
	case fn >= dnp3FirstReply:
		if len(f) < 4 {
			x.Undecoded()
			return
		}
		x.Note(op, from).Unit(station)
		if control&dnp3AppFIR == 0 {
			return // the first fragment was the answer
		}
		accepted := dnp3Accepted(f[3], f[4:])
		switch fn {
		case dnp3Response:
			x.Answer(from, key, accepted)
			x.Answer(from, key|authentication, accepted)
		case dnp3AuthResponse:
			// To a request of another kind it is a challenge and no answer.
			x.Answer(from, key|authentication, accepted)
		}
	case fn == dnp3Confirm || dnp3Unanswered(fn) || destination >= dnp3FirstBroadcast:
		x.Note(op, from).Unit(station)
	case fn == dnp3AuthRequest:
		x.Ask(op, from, key|authentication).Unit(station)
		if dnp3FirstObject(f[2:], dnp3GroupAuth, dnp3AuthReply) {
			x.Login(from, key|authentication, dnp3SecureAuth, false, 0)
		}
	default:
		x.Forget(from, key)
		x.Forget(from, key|authentication)
		x.Ask(op, from, key).Unit(station)
		if dnp3FirstObject(f[2:], dnp3GroupAuth, dnp3AuthAggressive) {
			x.Login(from, key, dnp3SecureAuth, false, 0)
		}
	}
}

func dnp3FirstObject(objects []byte, group, variation byte) bool {
	return len(objects) >= 2 && objects[0] == group && objects[1] == variation
}

// dnp3Accepted judges a response by the second octet of its internal indications
// and by the statuses of the controls that it echoes: refused if none of them
// was accepted.
//
// Source: IEEE Std 1815-2012, clause 4 (internal indications, control statuses)
// and Annex A, groups 12 and 41.
func dnp3Accepted(iin2 byte, objects []byte) bool {
	if iin2&dnp3IIN2Refusal != 0 || dnp3FirstObject(objects, dnp3GroupAuth, dnp3AuthError) {
		return false
	}
	controls := false
	for len(objects) >= 3 {
		size := dnp3ControlSize(objects[0], objects[1])
		count, prefix, rest := dnp3Range(objects[2], objects[3:])
		if size == 0 || count <= 0 {
			break
		}
		for ; count > 0; count-- {
			if len(rest) < prefix+size {
				return !controls
			}
			if rest[prefix+size-1]&0x7f == 0 {
				return true
			}
			controls = true
			rest = rest[prefix+size:]
		}
		objects = rest
	}
	return !controls
}

// dnp3ControlSize returns the length of a control object whose last octet is a
// status, or 0.
func dnp3ControlSize(group, variation byte) int {
	switch {
	case group == dnp3GroupBinaryOut && (variation == 1 || variation == 2):
		return 11
	case group == dnp3GroupAnalogOut && (variation == 1 || variation == 3):
		return 5
	case group == dnp3GroupAnalogOut && variation == 2:
		return 3
	case group == dnp3GroupAnalogOut && variation == 4:
		return 9
	}
	return 0
}

// dnp3Range reads the range field that qualifier q announces: how many objects
// follow, how many octets of index stand before each, and what is left of b. The
// count is 0 for ranges that no control bears.
func dnp3Range(q byte, b []byte) (count, prefix int, rest []byte) {
	switch q >> 4 & 7 {
	case 0:
	case 1:
		prefix = 1
	case 2:
		prefix = 2
	default:
		return 0, 0, nil
	}
	switch q & 0x0f {
	case 0: // start and stop, an octet each
		if len(b) >= 2 {
			return int(b[1]) - int(b[0]) + 1, prefix, b[2:]
		}
	case 1:
		if len(b) >= 4 {
			return int(binary.LittleEndian.Uint16(b[2:])) - int(binary.LittleEndian.Uint16(b)) + 1, prefix, b[4:]
		}
	case 7: // a count
		if len(b) >= 1 {
			return int(b[0]), prefix, b[1:]
		}
	case 8:
		if len(b) >= 2 {
			return int(binary.LittleEndian.Uint16(b)), prefix, b[2:]
		}
	}
	return 0, 0, nil
}

// dnp3Checked reports whether the last two octets of b are the CRC of the ones
// before them.
func dnp3Checked(b []byte) bool {
	n := len(b) - 2
	return n >= 0 && dnp3CRC(b[:n]) == binary.LittleEndian.Uint16(b[n:])
}

// dnp3CRC is the check of header and data blocks: generator x^16 + x^13 + x^12 +
// x^11 + x^10 + x^8 + x^6 + x^5 + x^2 + 1, least significant bit first, inverted.
//
// Source: IEEE Std 1815-2012, clause 9.
func dnp3CRC(b []byte) uint16 {
	var crc uint16
	for _, c := range b {
		crc = crc>>8 ^ dnp3CRCTable[byte(crc)^c]
	}
	return ^crc
}

var dnp3CRCTable = func() (t [256]uint16) {
	for i := range t {
		crc := uint16(i)
		for range 8 {
			if crc&1 != 0 {
				crc = crc>>1 ^ 0xa6bc
			} else {
				crc >>= 1
			}
		}
		t[i] = crc
	}
	return t
}()
