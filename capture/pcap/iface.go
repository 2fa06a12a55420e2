package pcap

import (
	"math"
	"math/bits"

	"bulkhead/capture"
)

// iface is what an Interface Description Block says of the frames that name it.
type iface struct {
	link    LinkType
	snaplen uint32 // 0: unlimited

	// The clock: units of 10^-exp or, if binary, 2^-exp seconds since offset.
	exp     uint8
	binary  bool
	unknown bool  // the options are damaged: no time can be told
	offset  int64 // seconds since 1970
	digits  uint8 // decimal digits of a second that the unit is worth, at most 9

	// For the usual clocks, the shorter way: up to plain units, a multiplication
	// by scale gives nanoseconds since 1970. scale is 0 for all others.
	scale, plain uint64
}

// Options of an Interface Description Block. Source:
// draft-ietf-opsawg-pcapng, 4.2.
const (
	optEnd      = 0
	optName     = 2
	optTSResol  = 9
	optTSOffset = 14
)

// ifaceTable holds the interfaces of a section, in pieces, so that a table that
// grows is never there twice.
type ifaceTable struct {
	n      int
	pieces [][]iface
}

// ifacePiece is how many interfaces a piece holds; the first grows up to it.
const ifacePiece = 1 << 12

func (t *ifaceTable) add(in iface) {
	at := t.n / ifacePiece
	switch {
	case at < len(t.pieces):
		t.pieces[at] = append(t.pieces[at], in)
	case at == 0:
		t.pieces = append(t.pieces, []iface{in})
	default:
		t.pieces = append(t.pieces, append(make([]iface, 0, ifacePiece), in))
	}
	t.n++
}

// at returns interface id, which must be below n.
func (t *ifaceTable) at(id uint32) *iface { return &t.pieces[id/ifacePiece][id%ifacePiece] }

// reset empties the table. Most files have one section, or many that are alike.
func (t *ifaceTable) reset() {
	t.n, t.pieces = 0, t.pieces[:min(len(t.pieces), 1)]
	if len(t.pieces) > 0 {
		t.pieces[0] = t.pieces[0][:0]
	}
}

// addInterface adds the interface of the Interface Description Block b, without
// its trailer, to the section. One with damaged options is added all the same,
// so that the interfaces behind it keep their numbers.
func (n *ng) addInterface(b []byte) (what string) {
	if len(b) < interfaceOptions {
		return "an interface block has no room for its fields"
	}
	if n.gap {
		return "an interface block lies behind skipped bytes, so that its number is not known"
	}
	if n.ifaces.n == maxInterfaces {
		return "a section has more than 1048576 interfaces"
	}
	in := iface{link: LinkType(n.order.u16(b[8:])), snaplen: n.order.u32(b[12:]), exp: 6}
	for opts := b[interfaceOptions:]; len(opts) >= 4; {
		code, length := n.order.u16(opts), int(n.order.u16(opts[2:]))
		opts = opts[4:]
		if code == optEnd {
			break
		}
		if length > len(opts) {
			what = "an interface block has an option that ends behind it"
			in.unknown = true
			break
		}
		switch {
		case code == optTSResol && length == 1:
			in.exp, in.binary = opts[0]&0x7f, opts[0]&0x80 != 0
		case code == optTSOffset && length == 8:
			in.offset = int64(n.order.u64(opts))
		}
		opts = opts[min((length+3)&^3, len(opts)):]
	}
	in.prepare()
	n.ifaces.add(in)
	return what
}

// prepare sets what follows from the clock's options.
func (in *iface) prepare() {
	in.digits = in.precision()
	if !in.binary && in.exp <= 9 && in.offset == 0 && !in.unknown {
		in.scale = powers[9-in.exp]
		in.plain = maxSeconds * 1_000_000_000 / in.scale
	}
}

// precision is the least number of decimal digits, up to 9, that tells two
// neighbouring units apart.
func (in *iface) precision() uint8 {
	if !in.binary {
		return min(in.exp, 9)
	}
	d := uint8(0)
	for unit := 1.0; d < 9 && unit > math.Ldexp(1, -int(in.exp)); d++ {
		unit /= 10
	}
	return d
}

// maxSeconds is the last second that 64 bits of nanoseconds hold when it is rounded
// to its minute, in either direction.
const maxSeconds = math.MaxInt64/1_000_000_000 - 60

// time returns the time that a block states as ts units, or the zero Time if no
// calendar holds it.
func (in *iface) time(ts uint64) capture.Time {
	if in.scale != 0 && ts <= in.plain {
		return capture.NewTime(int64(ts*in.scale), in.digits)
	}
	if in.unknown {
		return capture.Time{}
	}
	var sec, ns uint64
	if in.binary {
		sec, ns = binaryTime(ts, uint(in.exp))
	} else {
		sec, ns = decimalTime(ts, uint(in.exp))
	}
	at := int64(sec) + in.offset
	if sec > math.MaxInt64 || in.offset > 0 && at < 0 || at < -maxSeconds || at > maxSeconds {
		return capture.Time{}
	}
	return capture.NewTime(at*1e9+int64(ns), in.digits)
}

// decimalTime parts ts units of 10^-exp seconds into seconds and nanoseconds.
func decimalTime(ts uint64, exp uint) (sec, ns uint64) {
	if exp >= uint(len(powers)) {
		if exp-9 < uint(len(powers)) {
			ns = ts / powers[exp-9]
		}
		return 0, ns
	}
	sec, rest := ts/powers[exp], ts%powers[exp]
	if exp <= 9 {
		return sec, rest * powers[9-exp]
	}
	return sec, rest / powers[exp-9]
}

// powers are those of ten that 64 bits hold.
var powers = [20]uint64{1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19}

// binaryTime parts ts units of 2^-exp seconds into seconds and nanoseconds.
func binaryTime(ts uint64, exp uint) (sec, ns uint64) {
	// A shift by 64 or more gives 0.
	sec = ts >> exp
	high, low := bits.Mul64(ts-sec<<exp, 1e9)
	if exp < 64 {
		return sec, high<<(64-exp) | low>>exp
	}
	return sec, high >> (exp - 64)
}
