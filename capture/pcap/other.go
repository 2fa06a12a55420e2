package pcap

import "bytes"

// otherFormats are the captures and archives that a user may take for ours, by
// the bytes at an offset. Sources: the formats' own documents; the list of
// Wireshark's wiretap. Of the two pcap variants nothing is known but that libpcap
// lists their magic numbers as given away.
var otherFormats = []struct {
	at    int
	magic string
	name  string
}{
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
	{0, "\x02\x21\x4c\x18", "legacy lz4 archive"},
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
	return ""
}
