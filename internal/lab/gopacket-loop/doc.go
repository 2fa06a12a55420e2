// Gopacket-loop is what one writes first: it reads a capture with gopacket and
// counts packets and bytes by pair of addresses and ports. bulkhead is measured
// against it.
//
//	go run ./internal/lab/gopacket-loop CAPTURE.pcap
//
// It is as fast as gopacket lets it be without leaving its packets: the reader
// does not copy, layers are decoded lazily, nothing is kept but the counts.
package main
