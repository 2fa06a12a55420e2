package pcap

import "bulkhead/capture"

// LinkType is a link-layer header type, as registered at
// https://www.tcpdump.org/linktypes.html.
type LinkType uint16

// Frame is one captured frame.
type Frame struct {
	Number uint64       // counts from 1 over all packet blocks of the file, as Wireshark does
	Time   capture.Time // zero where the file gives none
	Link   LinkType
	Length int    // bytes on the wire; at least len(Data)
	Data   []byte // the captured bytes, at most MaxFrame; see Reader.Next for how long
	Offset int64  // of the frame's record or block in the file, unpacked
}
