package pcap

import (
	"fmt"
	"io"
	"math"

	"bulkhead/capture"
)

// Block types. Source: draft-ietf-opsawg-pcapng, 4 and 11.1; what numbered
// lists is registered there too.
const (
	blockSection    = 0x0a0d0d0a
	blockInterface  = 1
	blockPacket     = 2 // obsolete
	blockSimple     = 3
	blockNames      = 4 // of hosts
	blockStatistics = 5 // of an interface
	blockEnhanced   = 6
	blockSecrets    = 10
)

// byteOrderMagic is what a Section Header Block has at its offset 8.
const byteOrderMagic = 0x1a2b3c4d

const (
	maxBlock         = 128<<20 + 64<<10 // libpcap's largest frame, and options
	maxInterfaces    = 1 << 20
	maxDamaged       = 64
	sectionBytes     = 28 // of the smallest Section Header Block
	minBlock         = 12
	packetData       = 28 // offset of the data in an Enhanced Packet Block, and in the obsolete one
	simpleData       = 12
	interfaceOptions = 16 // offset of the options in an Interface Description Block
)

// isSectionHeader tells pcapng by the first 12 bytes: the block type reads the
// same in both byte orders, the byte-order magic does not.
func isSectionHeader(head []byte) bool {
	if len(head) < 12 || order(false).u32(head) != blockSection {
		return false
	}
	return order(false).u32(head[8:]) == byteOrderMagic || order(true).u32(head[8:]) == byteOrderMagic
}

// sectionOrder is the byte order of a section, by its header.
func sectionOrder(head []byte) order { return order(order(true).u32(head[8:]) == byteOrderMagic) }

// ng reads a pcapng file.
type ng struct {
	win        *window
	order      order
	ifaces     ifaceTable
	sectionEnd int64        // offset at which the section said that it ends, 0 if it did not
	foreign    bool         // the section is of a version whose blocks are not known
	gap        bool         // blocks of the section were skipped, which may have been interfaces
	last       capture.Time // of the last packet block that has a place for one
	number     uint64
	damaged    int
	open       openBlock
	done       bool
}

// openBlock is the end of a block too large for the window: what is left of it,
// trailer included, and what the trailer must say.
type openBlock struct {
	off   int64
	left  int64
	total uint32
}

func newNG(win *window) *ng { return &ng{win: win} }

func (n *ng) next() (Frame, error) {
	for !n.done {
		if n.open.left > 0 {
			if err := n.closeBlock(); err != nil {
				return Frame{}, err
			}
		}
		off := n.win.offset()
		head := n.win.peek(minBlock)
		if len(head) < minBlock {
			return Frame{}, n.end(off, len(head), "a block header")
		}
		kind := n.order.u32(head)
		if kind == blockSection {
			if !isSectionHeader(head) {
				return Frame{}, n.lost(off, "a section header has no byte-order magic")
			}
			n.order = sectionOrder(head)
		}
		// Some writers leave the padding out of the length; like Wireshark,
		// take it as if it were in.
		total := n.order.u32(head[4:])
		if total < minBlock || total > maxBlock {
			return Frame{}, n.lost(off, fmt.Sprintf("a block claims %d bytes, outside %d to %d", total, minBlock, maxBlock))
		}
		total = roundUp(total)

		body, err := n.block(off, total)
		if err != nil {
			return Frame{}, err
		}
		if n.foreign && kind != blockSection {
			continue
		}
		switch kind {
		case blockEnhanced, blockPacket, blockSimple:
			n.number++
			f := Frame{Number: n.number, Offset: off}
			if what := n.packet(&f, kind, body, total); what != "" {
				return Frame{}, n.spoilt(off, what)
			}
			return f, nil
		case blockSection:
			if what := n.section(off, body, total); what != "" {
				return Frame{}, n.spoilt(off, what)
			}
		case blockInterface:
			if what := n.addInterface(body); what != "" {
				return Frame{}, n.spoilt(off, what)
			}
		default:
			if numbered(kind) {
				n.number++
			}
		}
	}
	return Frame{}, io.EOF
}

// block consumes a block of total bytes and returns it without its trailer, or
// of one too large for the window as much as can matter.
func (n *ng) block(off int64, total uint32) ([]byte, error) {
	if total > windowSize {
		b := n.win.peek(packetData + MaxFrame)
		if kind := n.order.u32(b); (kind == blockEnhanced || kind == blockPacket) && len(b) >= packetData {
			if captured := n.order.u32(b[20:]); uint64(captured)+packetData+maxOptions < uint64(total) {
				return nil, n.lost(off, fmt.Sprintf("a block of %d captured bytes claims %d", captured, total))
			}
		}
		n.win.advance(len(b))
		n.open = openBlock{off: off, left: int64(total) - int64(len(b)), total: total}
		return b, nil
	}
	b := n.win.peek(int(total))
	if len(b) < int(total) {
		return nil, n.end(off, len(b), "a block")
	}
	if trailer := n.order.u32(b[total-4:]); roundUp(trailer) != total {
		return nil, n.lost(off, trailerDiffers(total, trailer))
	}
	n.win.advance(int(total))
	return b[: total-4 : total-4], nil
}

// closeBlock skips what the last call left of a large block.
func (n *ng) closeBlock() error {
	o := n.open
	if n.win.skip(o.left-4) < o.left-4 || len(n.win.peek(4)) < 4 {
		return n.end(o.off, 1, "a block")
	}
	n.open = openBlock{}
	if trailer := n.order.u32(n.win.peek(4)); roundUp(trailer) != o.total {
		return n.lost(o.off, trailerDiffers(o.total, trailer))
	}
	n.win.advance(4)
	return nil
}

func trailerDiffers(total, trailer uint32) string {
	return fmt.Sprintf("a block of %d bytes says %d at its end", total, trailer)
}

// roundUp adds the padding to a multiple of 4.
func roundUp(n uint32) uint32 { return (min(n, math.MaxUint32-3) + 3) &^ 3 }

// numbered reports whether Wireshark gives a record that holds no packet a frame
// number.
func numbered(kind uint32) bool {
	switch kind {
	case 9, // systemd journal export
		0xbad, 0x40000bad, // custom
		0x204, 0x208, 0x216, 0x217, 0x221, 0x222: // Sysdig events
		return true
	}
	return false
}

// section begins a section with the Section Header Block b. The blocks of one
// that cannot be read are passed over by their lengths, which all versions share.
func (n *ng) section(off int64, b []byte, total uint32) (what string) {
	n.ifaces.reset()
	n.sectionEnd, n.foreign, n.gap = 0, true, false
	if len(b) < sectionBytes-4 {
		return fmt.Sprintf("a section header has %d bytes, less than %d", total, sectionBytes)
	}
	// -1 stands for a length that was not known when the header was written.
	if length := n.order.u64(b[16:]); length < math.MaxInt64/2 {
		n.sectionEnd = off + int64(total) + int64(length)
	}
	major, minor := n.order.u16(b[12:]), n.order.u16(b[14:])
	if major != 1 || minor != 0 && minor != 2 {
		return fmt.Sprintf("a section of version %d.%d; expected 1.0", major, minor)
	}
	n.foreign = false
	return ""
}

// packet fills f from a packet block: b is the block without its trailer, or its head
// if total, its length, is above the window.
func (n *ng) packet(f *Frame, kind uint32, b []byte, total uint32) (what string) {
	at := packetData
	if kind == blockSimple {
		at = simpleData
	}
	if len(b) < at {
		return fmt.Sprintf("a packet block has %d bytes, too few for its fields", total)
	}
	id := uint32(0)
	switch kind {
	case blockEnhanced:
		id = n.order.u32(b[8:])
	case blockPacket:
		id = uint32(n.order.u16(b[8:]))
	}
	if uint64(id) >= uint64(n.ifaces.n) {
		return fmt.Sprintf("a packet block names interface %d of %d in the section", id, n.ifaces.n)
	}
	in := n.ifaces.at(id)
	var captured, wire uint32
	if kind == blockSimple {
		// It has no captured length; the interface's limit gives it.
		wire = n.order.u32(b[8:])
		captured = wire
		if in.snaplen > 0 {
			captured = min(wire, in.snaplen)
		}
	} else {
		captured, wire = n.order.u32(b[20:]), n.order.u32(b[24:])
		f.Time = in.time(uint64(n.order.u32(b[12:]))<<32 | uint64(n.order.u32(b[16:])))
		n.last = f.Time
	}
	if room := total - uint32(at) - 4; captured > room {
		return fmt.Sprintf("a packet block claims %d captured bytes and has room for %d", captured, room)
	}
	end := min(at+int(min(captured, MaxFrame)), len(b))
	f.Link, f.Length, f.Data = in.link, wireLength(wire, captured), b[at:end:end]
	return ""
}

// spoilt is the damage of a block whose content is wrong: the next one can be
// trusted.
func (n *ng) spoilt(off int64, what string) error {
	if n.damaged++; n.damaged >= maxDamaged {
		n.done = true
		what += fmt.Sprintf("; reading ends after %d damaged blocks", n.damaged)
	}
	return &DamageError{Offset: off, What: what}
}

// end is what next returns where the file ends with have bytes of what, which
// begins at off.
func (n *ng) end(off int64, have int, what string) error {
	err := n.win.ended(off, have, what)
	n.done = final(err)
	return err
}
