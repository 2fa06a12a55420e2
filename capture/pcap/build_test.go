package pcap

import (
	"bytes"
	"compress/gzip"
	"encoding/binary"
	"testing"
)

// endian is what the builders below need of a byte order.
type endian interface {
	binary.ByteOrder
	binary.AppendByteOrder
}

var (
	le endian = binary.LittleEndian
	be endian = binary.BigEndian
)

// fileHeader is that of a pcap file with a snap length of 65535.
func fileHeader(o endian, magic uint32, major, minor uint16, network uint32) []byte {
	b := o.AppendUint32(nil, magic)
	b = o.AppendUint16(b, major)
	b = o.AppendUint16(b, minor)
	b = append(b, make([]byte, 8)...)
	b = o.AppendUint32(b, 65535)
	return o.AppendUint32(b, network)
}

// words are 32-bit fields in a row.
func words(o endian, fields ...uint32) (b []byte) {
	for _, f := range fields {
		b = o.AppendUint32(b, f)
	}
	return b
}

// block is a pcapng block, its body padded.
func block(o endian, kind uint32, parts ...[]byte) []byte {
	body := bytes.Join(parts, nil)
	body = append(body, make([]byte, (4-len(body)%4)%4)...)
	total := uint32(len(body) + 12)
	return bytes.Join([][]byte{words(o, kind, total), body, words(o, total)}, nil)
}

// section is a Section Header Block; length -1 is an unknown one.
func section(o endian, length int64) []byte {
	return block(o, blockSection, words(o, byteOrderMagic), o.AppendUint16(o.AppendUint16(nil, 1), 0), o.AppendUint64(nil, uint64(length)))
}

// ifaceBlock is an Interface Description Block.
func ifaceBlock(o endian, link uint16, snaplen uint32, options ...[]byte) []byte {
	return block(o, blockInterface, o.AppendUint16(o.AppendUint16(nil, link), 0), words(o, snaplen), bytes.Join(options, nil))
}

// option is one option, padded.
func option(o endian, code uint16, value ...byte) []byte {
	b := o.AppendUint16(o.AppendUint16(nil, code), uint16(len(value)))
	return append(append(b, value...), make([]byte, (4-len(value)%4)%4)...)
}

// enhanced is an Enhanced Packet Block.
func enhanced(o endian, iface uint32, ts uint64, wire int, data string) []byte {
	return block(o, blockEnhanced, words(o, iface, uint32(ts>>32), uint32(ts), uint32(len(data)), uint32(wire)), []byte(data))
}

func join(parts ...[]byte) []byte { return bytes.Join(parts, nil) }

func zipped(t testing.TB, b []byte) []byte {
	t.Helper()
	var out bytes.Buffer
	z := gzip.NewWriter(&out)
	if _, err := z.Write(b); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// snoopHeader is the header of a snoop file.
func snoopHeader(version, link uint32) []byte {
	return join([]byte(snoopMagic), words(be, version, link))
}

// snoopRecord is a record of 2023-11-14T22:13:20.123456Z with pad bytes behind it.
func snoopRecord(wire uint32, pad int, data string) []byte {
	return join(words(be, wire, uint32(len(data)), uint32(snoopRecordHeader+len(data)+pad), 0, sec2023, 123456), []byte(data), make([]byte, pad))
}

// erfRecord is an Endace record, half a second behind sec: its body, from the
// extension headers on, and pad bytes.
func erfRecord(sec uint32, kind byte, wire uint16, pad int, body []byte) []byte {
	b := append(words(le, 1<<31, sec), kind, 4)
	b = be.AppendUint16(b, uint16(erfHeader+len(body)+pad))
	b = be.AppendUint16(be.AppendUint16(b, 0), wire)
	return join(b, body, make([]byte, pad))
}
