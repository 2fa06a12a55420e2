// Package plantmix makes captures of any length of a plant at work: polling of
// controllers for the most part, and what else is on such a network.
//
//	plant, err := plantmix.New(plantmix.Options{Frames: 8_000_000})
//	manifest, err := plant.Write(file)
//
// The plant is a row of like cells: operator stations and a historian that poll
// controllers (Modbus/TCP, S7comm, EtherNet/IP with connected CIP and class 1
// I/O, DNP3, OPC UA), protection devices and drives that speak on the link
// (GOOSE, sampled values, PROFINET RT, PTP), and servers for all cells (DNS,
// NTP, SNMP, syslog, HTTP, TLS, SMB, RDP). A third of the cells is tagged with a
// VLAN.
//
// The bytes are real: a dialogue is recorded once from the encoders of package
// lab, with its handshake, a cycle that repeats and its end. Each conversation
// then plays a dialogue between its own hosts: addresses, ports, sequence
// numbers, checksums and the protocol's own counters are patched into the
// recording, which is why millions of frames take seconds.
//
// The same options make the same bytes. [Manifest] says what was written: what
// reads the capture can be held against it, number by number.
package plantmix
