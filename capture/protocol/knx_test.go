package protocol

import (
	"encoding/hex"
	"strings"
	"testing"

	"bulkhead/capture"

	"github.com/google/go-cmp/cmp"
)

// Frames of tunnel 21, sequence number 0: header; connection; message code, no
// additional information, control, source 1.1.250, destination 0/0/3, length,
// application.
const (
	knxConnect   = "0610 0205 001a 0801 c0a80102 d96d 0801 c0a80102 d83d 0404 0200"
	knxConnected = "0610 0206 0014 1500 0801 c0a80103 0e57 0404 11ff"
	knxSwitch    = "0610 0420 0015 04 15 00 00 11 00 bce0 0000 0003 01 0081" // on
	knxSwitchAck = "0610 0421 000a 04 15 00 00"
	knxSwitchCon = "0610 0420 0015 04 15 00 00 2e 00 bce0 11fa 0003 01 0081"
	knxFailed    = "0610 0420 0015 04 15 00 00 2e 00 bde0 11fa 0003 01 0081"
	knxAsked     = "0610 0420 0015 04 15 01 00 11 00 bce0 0000 0003 01 0000"
	knxTold      = "0610 0420 0015 04 15 01 00 29 00 bce0 1105 0003 01 0041"
	knxRouteOff  = "0610 0530 0011 29 00 bcd0 1105 0003 01 0080"
	knxSearch    = "0610 0201 000e 0801 c0a858e7 a17f"
)

// knxDescription answers a description request: device 1.1.0, serial number
// 00c501020304.
var knxDescription = "0610 0204 003c 36 01 02 00 1100 0000 00c501020304 e000170c 000e8c010203" +
	hex.EncodeToString([]byte("Router 1"+strings.Repeat("\x00", 22)))

func TestKNX(t *testing.T) {
	testDecode(t, KNX, []decodeTest{
		{"connect, write, confirmed by the bus", []turn{
			client(knxConnect), server(knxConnected), client(knxSwitch), server(knxSwitchAck), server(knxSwitchCon),
		}, []string{
			"knx 0x0205 client session Connect Request: 1=1+0+0",
			"knx 0x0420 client session Tunnelling Request: 1=1+0+0",
			"knx 0x0420 server session Tunnelling Request: 1=0+0+1",
			"knx apci:0x080 client write A_GroupValue_Write: 1=1+0+0 [group 3]",
		}},
		{"write that the bus did not take", []turn{client(knxSwitch), server(knxFailed)}, []string{
			"knx 0x0420 client session Tunnelling Request: 1=0+0+1",
			"knx 0x0420 server session Tunnelling Request: 1=0+0+1",
			"knx apci:0x080 client write A_GroupValue_Write: 1=0+1+0 [group 3]",
		}},
		{"read, answered from the bus", []turn{client(knxAsked), server(knxTold)}, []string{
			"knx 0x0420 client session Tunnelling Request: 1=0+0+1",
			"knx 0x0420 server session Tunnelling Request: 1=0+0+1",
			"knx apci:0x000 client read A_GroupValue_Read: 1=1+0+0 [group 3]",
			"knx apci:0x040 server reply A_GroupValue_Response, indicated: 1=0+0+0 [group 3]",
		}},
		{"routed", []turn{client(knxRouteOff)}, []string{
			"knx 0x0530 client session Routing Indication: 1=0+0+0",
			"knx apci:0x080 client write A_GroupValue_Write, routed: 1=0+0+0 [group 3]",
		}},
		{"restart, memory, property, by routing", []turn{
			client("0610 0530 0011 29 00 bc50 1105 1101 01 0380"), client("0610 0530 0015 29 00 bc50 1105 1101 05 0281 0100 aabb"),
			client("0610 0530 0016 29 00 bc50 1105 1101 06 03d7 000b1001 00"),
		}, []string{
			"knx 0x0530 client session Routing Indication: 3=0+0+0",
			"knx apci:0x280 client program A_Memory_Write, routed: 1=0+0+0 [4353]",
			"knx apci:0x380 client mode A_Restart, routed: 1=0+0+0 [4353]",
			"knx apci:0x3d7 client configure A_PropertyValue_Write, routed: 1=0+0+0 [4353]",
		}},
		{"device management: property refused, reset", []turn{
			client("0610 0310 0012 04 15 00 00 f6 0000 01 34 1001 aa"), server("0610 0310 0012 04 15 00 00 f5 0000 01 34 0001 05"),
			client("0610 0310 000b 04 15 01 00 f1"),
		}, []string{
			"knx 0x0310 client session Device Configuration Request: 2=0+0+2",
			"knx 0x0310 server session Device Configuration Request: 1=0+0+1",
			"knx cemi:0xf1 client mode M_Reset.req: 1=0+0+1",
			"knx cemi:0xf6 client configure M_PropWrite.req: 1=0+1+0",
		}},
		{"no more connections", []turn{client(knxConnect), server("0610 0206 0008 00 24")},
			[]string{"knx 0x0205 client session Connect Request: 1=0+1+0"}},
		{"what no standard has; cut", []turn{client("0610 0a01 0006"), client("0610 0420 000a 04 15 00 00"), client("0610 0530 0009 29 00 bc")}, []string{
			"knx other client configure service of no standard: 1=0+0+0",
			"knx 0x0420 client session Tunnelling Request: 1=0+0+1",
			"knx 0x0530 client session Routing Indication: 1=0+0+0",
			"undecoded: 2",
		}},
	})
	_, tally := conversation(t, KNX, server(knxDescription))
	want := []capture.Identity{{Model: "Router 1", Serial: "00c501020304", Source: "knx", Frame: 1}}
	if diff := cmp.Diff(want, tally.Said(capture.FromServer).Identities); diff != "" {
		t.Errorf("identities (-want +got):\n%s", diff)
	}
}

func TestKNXSecrets(t *testing.T) {
	c, _ := conversation(t, KNX, client("0610 0530 0016 29 00 bc50 1105 1101 06 03d1 00 aabbccdd"))
	want := []capture.AuthFact{{Kind: "knx key", Readable: true, Length: 4, Count: 1, Frame: 1}}
	if diff := cmp.Diff(want, c.Security.Auth); diff != "" {
		t.Errorf("log-ins (-want +got):\n%s", diff)
	}
}

func TestKNXRecognise(t *testing.T) {
	testRecognise(t, KNX, []recogniseTest{
		{"search", knxSearch, Match{Sure, Client}},
		{"connected", knxConnected, Match{Sure, Server}},
		{"tunnelling", knxSwitch, Match{Sure, AnyRole}},
		{"header alone", "0610", Match{More, AnyRole}},
		{"service of no standard", "0610 0a01 0006", Match{}},
		{"length", "0610 0420 0005", Match{}},
		{"Modbus", modbusReadRequest, Match{}},
	})
}

func TestKNXOps(t *testing.T) {
	ops := []*Op{knxOther, &knxOtherAPCI[0], &knxOtherAPCI[1], &knxOtherAPCI[2]}
	for _, s := range knxServices {
		ops = append(ops, s.op)
	}
	for _, a := range knxAPCI {
		ops = append(ops, &a[0], &a[1], &a[2])
	}
	for _, m := range knxManagement {
		ops = append(ops, m.op)
	}
	testOps(t, ops)
}

func TestKNXAllocs(t *testing.T) {
	testAllocs(t, KNX, knxSwitch+knxAsked, knxSwitchAck+knxSwitchCon+knxTold)
}

func FuzzKNX(f *testing.F) {
	f.Add(unhex(f, knxSwitch+knxAsked), uint16(25), false)                           // cut within a header
	f.Add(unhex(f, knxSwitchAck+knxTold), uint16(4), true)                           // cut within a service
	f.Add(unhex(f, "0610 0530 000e 29 ff bcd0 1105 0003"), uint16(9), false)         // additional information that is not there
	f.Add(unhex(f, "0610 0530 0011 29 00 bcd0 1105 0003 09 0080"), uint16(9), false) // an application that is not there
	f.Add(unhex(f, "0610 0204 0008 3601"), uint16(9), true)                          // a description that is cut
	fuzzDecode(f, KNX)
}
