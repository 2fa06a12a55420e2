package pcap

import (
	"fmt"
	"io"

	"bulkhead/capture"
)

const (
	// maxSkip is how far behind a damaged block resync looks.
	maxSkip = 16 << 20

	// minRun is how many bytes of sound blocks there must be to resume with, unless
	// the file ends before. It is above all that one frame can hold, so that a
	// capture inside a frame is none.
	minRun = MaxFrame + 4<<10

	// searchStep is how many bytes of the window resync tries before it moves on;
	// what is left of the window is for the run and its last block.
	searchStep = 128 << 10

	// checkedPackets are the packet blocks of a run that must fit what was read.
	checkedPackets = 4

	// maxOptions bounds what a packet block may hold besides the packet; more is a
	// damaged length.
	maxOptions = 256 << 10

	day = 24 * 60 * 60 * 1_000_000_000 // in nanoseconds
)

// lost is the damage of a block whose end is not known. Reading goes on where a
// run of sound blocks does or, if there is none, where the section said that the
// next one begins, if one does begin there.
func (n *ng) lost(off int64, what string) error {
	switch {
	case n.resync() || n.nextSection():
		what += fmt.Sprintf("; %d bytes skipped", n.win.offset()-off)
	case n.win.err == nil:
		n.done = true
	default:
		n.win.skip(windowSize) // what is left; next tells why there is no more
	}
	return n.spoilt(off, what)
}

// nextSection goes to where the section said that it ends.
func (n *ng) nextSection() bool {
	jump := n.sectionEnd - n.win.offset()
	if n.sectionEnd == 0 || jump <= 0 {
		return false
	}
	n.sectionEnd = 0
	return n.win.skip(jump) == jump && isSectionHeader(n.win.peek(minBlock))
}

// resync goes to the first place, in steps of 4 bytes, at which a run of sound blocks
// begins, with a packet block that fits the section or with a section header. If
// there is none, it leaves the window where it ended.
//
// It does not look beyond what may be a section header: packet blocks there would
// be read with the interfaces of another section.
//
// A position that failed fails every run that comes to it, so that the work is
// linear in the bytes, whatever they are.
func (n *ng) resync() bool {
	if n.foreign {
		return false
	}
	if kind := n.win.peek(4); len(kind) == 4 && n.order.u32(kind) == blockSection {
		n.ifaces.reset() // those of the section that was to begin here are not known
	}
	end := n.win.offset() + maxSkip
	if n.sectionEnd > n.win.offset() {
		end = min(end, n.sectionEnd)
	}
	failed := make([]bool, windowSize/4)
	for n.win.offset() < end {
		b := n.win.peek(windowSize)
		if len(b) < windowSize && n.win.err != io.EOF {
			return false
		}
		clear(failed)
		last := int(min(searchStep, end-n.win.offset(), int64(len(b)-minBlock)))
		for at := 4; at <= last; at += 4 {
			switch n.order.u32(b[at:]) {
			case blockEnhanced:
				if n.run(b, at, failed) && n.fits(b[at:]) {
					n.win.advance(at)
					n.gap = true
					return true
				}
			case blockSection:
				if isSectionHeader(b[at:]) {
					n.order = sectionOrder(b[at:])
					clear(failed)
					if !n.run(b, at, failed) {
						return false
					}
					n.win.advance(at)
					return true
				}
			}
		}
		if last < searchStep {
			return false
		}
		n.win.advance(searchStep)
	}
	return false
}

// run reports whether sound blocks follow each other in b from at on, for minRun
// bytes or to the end of the file. b is a full window, or what is left of the file.
func (n *ng) run(b []byte, at int, failed []bool) bool {
	for from := at; at-from < minRun; {
		if at == len(b) {
			return len(b) < windowSize
		}
		if failed[at/4] {
			return false
		}
		failed[at/4] = true
		size := n.sound(b[at:])
		if size == 0 {
			return false
		}
		at += size
	}
	return true
}

// sound returns the size of the block that b begins with, 0 if it contradicts
// itself or is of a type that is not known.
func (n *ng) sound(b []byte) int {
	if len(b) < minBlock {
		return 0
	}
	kind, total := n.order.u32(b), n.order.u32(b[4:])
	if total < minBlock || total%4 != 0 || uint64(total) > uint64(len(b)) || n.order.u32(b[total-4:]) != total {
		return 0
	}
	b = b[:total-4]
	ok := true
	switch kind {
	case blockEnhanced, blockPacket:
		ok = len(b) >= packetData && uint64(n.order.u32(b[20:])) <= uint64(len(b)-packetData)
	case blockSimple:
		ok = len(b) >= simpleData
	case blockInterface:
		ok = len(b) >= interfaceOptions
	case blockSection:
		ok = len(b) >= sectionBytes-4 && n.order.u32(b[8:]) == byteOrderMagic
	case blockNames, blockStatistics, blockSecrets:
	default:
		ok = numbered(kind)
	}
	if !ok {
		return 0
	}
	return int(total)
}

// fits reports whether the first packet blocks of the run that b begins with name
// interfaces of the section and times within a day of what was read last. It looks
// no further than where the run has other interfaces.
func (n *ng) fits(b []byte) bool {
	last := n.last
	for packets := 0; packets < checkedPackets; {
		size := n.sound(b)
		if size == 0 {
			return packets > 0
		}
		switch n.order.u32(b) {
		case blockSection, blockInterface:
			return packets > 0
		case blockEnhanced:
			packets++
			id := n.order.u32(b[8:])
			if uint64(id) >= uint64(n.ifaces.n) {
				return false
			}
			at := n.ifaces.at(id).time(uint64(n.order.u32(b[12:]))<<32 | uint64(n.order.u32(b[16:])))
			if at.IsZero() || !last.IsZero() && !withinDay(at, last) {
				return false
			}
			last = at
		}
		b = b[size:]
	}
	return true
}

func withinDay(a, b capture.Time) bool {
	d := a.UnixNano() - b.UnixNano()
	return -day <= d && d <= day
}
