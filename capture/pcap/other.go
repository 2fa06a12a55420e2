package pcap

import (
	"bytes"
	"encoding/binary"
)

// otherFormats are the captures and archives that a user may take for ours, by
// the bytes at an offset. Sources: the formats' own documents; the list of
// Wireshark's wiretap; RFC 1761 (snoop), RFC 8878 (zstd).
var otherFormats = []struct {
	at    int
	magic string
	name  string
}{
	{0, "snoop\x00\x00\x00", "snoop"},
	{0, "RTSS", "Microsoft Network Monitor 1"},
	{0, "GMBU", "Microsoft Network Monitor 2"},
	{0, "TRSNIFF data    \x1a", "DOS Sniffer"},
	{0, "XCP\x00", "NetXRay or Windows Sniffer"},
	{0, "iptrace ", "AIX iptrace"},
	{0, "btsnoop\x00", "btsnoop"},
	{0, "\x05VNF", "Visual Networks"},
	{0, "\xaa\xaa\xaa\xaa", "5View"},
	{0, "\x00\x00\x02\x00\x12\x05\x00\x10", "Tektronix K12"},
	{0, "\xa1\xb2\x34\xcd", "modified pcap (0xa1b234cd)"},
	{0, "\xcd\x34\xb2\xa1", "modified pcap (0xa1b234cd)"},
	{0, "\xa1\x2b\x3c\x4d", "Navtel pcap"},
	{0, "\x4d\x3c\x2b\xa1", "Navtel pcap"},
	{0, "\x1f\x8b", "gzip archive inside a gzip archive"},
	{0, "\x28\xb5\x2f\xfd", "zstd archive"},
	{0, "\xfd7zXZ\x00", "xz archive"},
	{0, "BZh", "bzip2 archive"},
	{0, "\x04\x22\x4d\x18", "lz4 archive"},
	{0, "\x1f\x9d", "compress archive"},
	{0, "PK\x03\x04", "zip archive"},
	{0, "7z\xbc\xaf\x27\x1c", "7z archive"},
	{0, "Rar!\x1a\x07", "RAR archive"},
	{0, "PAR1", "Parquet"},
	{257, "ustar", "tar archive"},
}

// otherFormatBytes is how much of a file otherFormat looks at.
const otherFormatBytes = 4096

// otherFormat names the format of a file that begins with head, "" if unknown.
func otherFormat(head []byte) string {
	for _, f := range otherFormats {
		if len(head) >= f.at && bytes.HasPrefix(head[f.at:], []byte(f.magic)) {
			return f.name
		}
	}
	if isERF(head) {
		return "ERF"
	}
	return ""
}

// isERF reports whether head looks like Endace's Extensible Record Format. It
// has no magic number; two records in a row with known types, sane lengths and
// times within a day of each other are hardly anything else.
//
// Source: Endace, ERF Types Reference: timestamp (8 bytes, little-endian 32.32
// fixed point), type, flags, record length (big-endian), loss counter, wire
// length.
func isERF(head []byte) bool {
	const header = 16
	var last int64
	for i := range 2 {
		if len(head) < header {
			return false
		}
		sec := int64(binary.LittleEndian.Uint32(head[4:]))
		kind := head[8] & 0x7f
		length := int(binary.BigEndian.Uint16(head[10:]))
		if kind == 0 || kind > 48 || length < header || length > len(head) || sec == 0 {
			return false
		}
		if i > 0 && (sec < last || sec > last+24*60*60) {
			return false
		}
		last, head = sec, head[length:]
	}
	return true
}
