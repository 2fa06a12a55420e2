// Package capture is the vocabulary of what packet captures show: who talked to
// whom, over which protocol, asking for what, how it was answered, and which
// frames show it.
//
// The value that everything else works on is [Observations]: the captures read,
// the conversations found in them and what the endpoints said of themselves. It
// needs no model of the plant to be made and none to be read. The subpackages
// make it (files in pcap, frames in packet, in-order bytes in stream, operations
// in protocol, all of it together in observe); the judge reads it without
// knowing any of them.
//
// A [Conversation] folds all that one client and one server said over one
// service in one capture: client ports and reconnects disappear. Each capture is
// decoded alone, so [Merge] is plain union.
//
// Units are the same everywhere: times are UTC at the capture's own precision,
// sizes are bytes on the wire (original, not captured, length), ports are host
// numbers, and frame numbers count from 1 in each file, as Wireshark shows them.
//
// A capture is evidence of what happened while it ran. It can show that a
// boundary was crossed; it cannot show that it never is.
package capture
