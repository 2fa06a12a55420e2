// Package wire builds frames and capture files a field at a time, for captures
// that are too large to go through [bulkhead/internal/lab]: millions of frames in
// seconds, or more than fits on a disk.
//
// Everything appends to a slice and returns it, so that a generator which
// reuses its slice allocates nothing:
//
//	b = wire.AppendFileHeader(b)
//	start := len(b)
//	b = wire.BeginRecord(b, microseconds)
//	b = wire.AppendEthernet(b, plc, hmi, 0, wire.EtherTypeIPv4)
//	b = wire.AppendTCP(b, ip, wire.TCP{SrcPort: 49152, DstPort: 502, Seq: 1, Flags: wire.PSH | wire.ACK}, payload)
//	b = wire.EndRecord(b, start)
//
// [Reader] turns such a generator into a stream that is read like a file.
package wire
