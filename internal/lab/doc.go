// Package lab makes captures in code: a small network whose hosts speak real
// protocols, byte for byte, and taps that record what passes them.
//
//	net := lab.New(time.Date(2026, 11, 14, 6, 0, 0, 0, time.UTC))
//	hmi := net.Host("10.10.1.11", "00:1b:1b:00:00:11")
//	plc := net.Host("10.10.1.21", "00:80:f4:0e:11:22")
//	c := net.TCP(hmi, plc, 502)
//	m := c.Modbus(1)
//	m.Read(3, 0, 10)
//	m.Write(6, 4, []int{1}, lab.Refused(2))
//	m.Read(3, 0, 120, lab.Split(40), lab.Repeated())
//	c.Close()
//	file, err := net.Bytes()
//
// Hosts sit on a [Segment], a broadcast domain with or without a VLAN tag. A
// [Router] joins segments: a packet that passes it appears on both, the second
// time with the router's MAC address as its source and a TTL one lower. A [Tap]
// watches segments; [Net.Bytes] is the capture of a tap on the default segment.
//
// Each action happens at the network's clock and moves it on by what it takes;
// [Net.At] sets it, also back, so that dialogues that run side by side are
// written one after the other. Taps put the frames in order.
//
// Captures are reproducible byte for byte: the clock starts where New is told,
// what looks random comes from a seeded generator, and the files name no machine.
//
// What is wrong with a network (an address that does not parse, hosts that no
// router joins) is kept and returned when the capture is asked for.
//
// Each protocol is one file, written to be read beside the protocol's
// description. The encoders know nothing of the decoders that they test.
package lab
