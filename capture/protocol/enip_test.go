package protocol

import (
	"strings"
	"testing"

	"bulkhead/capture"

	"github.com/google/go-cmp/cmp"
)

// Encapsulated commands, built by hand to Volume 2 of the CIP Networks Library:
// command, length, session, status, context, options, data.
const (
	enipRegisterRequest  = "6500 0400 00000000 00000000 1122334455667788 00000000 0100 0000"
	enipRegisterResponse = "6500 0400 07000000 00000000 1122334455667788 00000000 0100 0000"
	enipUnregisterAsked  = "6600 0000 07000000 00000000 0000000000000000 00000000"
	enipIdentityRequest  = "6300 0000 00000000 00000000 0000000000000000 00000000"

	// An identity item: encapsulation version, socket address, then the identity
	// object's vendor 1, type 14, code 54, revision 16.20, status, serial, name, state.
	enipIdentityResponse = "6300 3d00 00000000 00000000 0000000000000000 00000000 0100 0c00 3700" +
		"0100 0002 af12 c0a80178 0000000000000000" +
		"0100 0e00 3600 10 14 6031 3f825100 15 313735362d4c36312f42204c4f47495835353631 202020" + "03"

	enipCyclicPacket = "0200 0280 0800 3064b00d b943f001 b100 0600 a587e80f0300"

	// Unconnected: Get_Attribute_Single of the identity object's attribute 7.
	cipUnconnectedRequest  = "6f00 1800 07000000 00000000 0100000000000000 00000000 00000000 0a00 0200 0000 0000 b200 0800 0e 03 2001 2401 3007"
	cipUnconnectedResponse = "6f00 1600 07000000 00000000 0100000000000000 00000000 00000000 0a00 0200 0000 0000 b200 0600 8e 00 00 00 0141"

	// Connected: Read Tag "abc", one element.
	cipConnectedRequest  = "7000 2000 07000000 00000000 0000000000000000 00000000 00000000 0a00 0200 a100 0400 01000300 b100 0c00 0100 4c 03 91 03 61626300 0100"
	cipConnectedResponse = "7000 1e00 07000000 00000000 0000000000000000 00000000 00000000 0a00 0200 a100 0400 02000400 b100 0a00 0100 cc 00 00 00 c300 0700"
)

func TestENIPDecode(t *testing.T) {
	testDecode(t, ENIP, []decodeTest{
		{
			"session",
			[]turn{client(enipRegisterRequest), server(enipRegisterResponse), client(enipUnregisterAsked)},
			[]string{
				"enip 0x0065 client session RegisterSession: 1=1+0+0",
				"enip 0x0066 client session UnRegisterSession: 1=0+0+0",
			},
		}, {
			"status 0x69: the version is not supported",
			[]turn{client(enipRegisterRequest), server("6500 0400 00000000 69000000 1122334455667788 00000000 0100 0000")},
			[]string{"enip 0x0065 client session RegisterSession: 1=0+1+0"},
		}, {
			"commands in one segment, one cut",
			[]turn{client(enipRegisterRequest + "6300 0000 0000"), client("0000 00000000 0000000000000000 00000000")},
			[]string{"enip 0x0063 client discover ListIdentity: 1=0+0+1", "enip 0x0065 client session RegisterSession: 1=0+0+1"},
		}, {
			"a status without data refuses the CIP inside too",
			[]turn{client(cipUnconnectedRequest), server("6f00 0000 07000000 64000000 0100000000000000 00000000")},
			[]string{"cip 0x0e client read Get_Attribute_Single: 1=0+1+0", "enip 0x006f client session SendRRData: 1=0+1+0"},
		}, {
			"cyclic I/O both ways",
			[]turn{client(enipCyclicPacket), server(enipCyclicPacket)},
			[]string{"enip 0x8002 client event Class 0 or 1 I/O: 1=0+0+0", "enip 0x8002 server event Class 0 or 1 I/O: 1=0+0+0"},
		}, {
			"a reserved command, alone and in front of another",
			[]turn{client("9900 0000 00000000 00000000 0000000000000000 00000000"),
				client("9900 0200 00000000 00000000 0000000000000000 00000000 ffff" + enipRegisterRequest)},
			[]string{"enip 0x0065 client session RegisterSession: 1=0+0+1", "enip 0x0099 client configure Command 0x0099: 2=0+0+0"},
		}, {
			"reserved commands: options, a status that does not exist",
			[]turn{client("9900 0000 00000000 00000000 0000000000000000 01000000"),
				client("9900 0000 00000000 ff000000 0000000000000000 00000000")},
			[]string{"undecoded: 2"},
		}, {
			"no such command; items beyond the data; no CIP at all",
			[]turn{client("0001 0000 00000000 00000000 0000000000000000 00000000"),
				client("6f00 0c00 07000000 00000000 0100000000000000 00000000 00000000 0a00 0200 0000 ffff"),
				client("6f00 0200 07000000 00000000 0100000000000000 00000000 0000")},
			[]string{"enip 0x006f client session SendRRData: 2=0+0+2", "undecoded: 3"},
		},
	})
}

func TestENIPIdentity(t *testing.T) {
	_, tally := conversation(t, ENIP, client(enipIdentityRequest), server(enipIdentityResponse))
	want := []capture.Identity{{Vendor: "CIP vendor 1", Model: "1756-L61/B LOGIX5561", Firmware: "16.020", Serial: "0051823f", Source: "cip", Frame: 2}}
	if diff := cmp.Diff(want, tally.Said(capture.FromServer).Identities); diff != "" {
		t.Errorf("identities (-want +got):\n%s", diff)
	}
}

func TestENIPRecognise(t *testing.T) {
	testRecognise(t, ENIP, []recogniseTest{
		{"RegisterSession request", enipRegisterRequest, Match{Sure, Client}},
		{"RegisterSession response", enipRegisterResponse, Match{Sure, Server}},
		{"ListIdentity request", enipIdentityRequest, Match{Sure, Client}},
		{"ListIdentity response", enipIdentityResponse, Match{Sure, Server}},
		{"SendRRData with a CIP request", cipUnconnectedRequest, Match{Sure, Client}},
		{"SendRRData with a CIP response", cipUnconnectedResponse, Match{Sure, Server}},
		{"SendUnitData", cipConnectedRequest, Match{Sure, Client}},
		{"SendRRData refused", "6f00 0000 07000000 64000000 0100000000000000 00000000", Match{Sure, Server}},
		{"UnRegisterSession", enipUnregisterAsked, Match{Weak, Client}},
		{"a reserved command that RSLinx begins with", "0100" + strings.Repeat("00", 22), Match{Weak, AnyRole}},
		{"cyclic I/O", enipCyclicPacket, Match{Sure, AnyRole}},
		{"header cut", "6500 0400 0000", Match{Score: More}},
		{"options are not 0", "6500 0400 00000000 00000000 1122334455667788 01000000 0100 0000", Match{}},
		{"no such command", "0001 0000 00000000 00000000 0000000000000000 00000000", Match{}},
		{"reserved", "9900 0000 00000000 00000000 0000000000000000 00000000", Match{Score: Weak}},
		{"reserved, and something behind it", "9900 0000 00000000 00000000 0000000000000000 00000000 00", Match{}},
		{"zeros", strings.Repeat("00", 40), Match{}},
		{"HTTP", "474554202f20485454502f312e310d0a486f73743a20", Match{}},
	})
}

func TestENIPOps(t *testing.T) {
	ops := []*Op{&enipCyclic}
	for i := range enipOps {
		ops = append(ops, &enipOps[i])
	}
	testOps(t, ops)
}

func TestENIPAllocs(t *testing.T) {
	testAllocs(t, ENIP, cipUnconnectedRequest+cipConnectedRequest, cipUnconnectedResponse+cipConnectedResponse)
	testAllocs(t, ENIP, enipCyclicPacket, enipCyclicPacket)
}

func FuzzENIP(f *testing.F) {
	f.Add(unhex(f, enipRegisterRequest+cipUnconnectedRequest), uint16(40), false) // cut within the second header
	f.Add(unhex(f, cipConnectedResponse), uint16(25), true)
	f.Add(unhex(f, enipCyclicPacket), uint16(18), false) // no encapsulation header
	f.Add(unhex(f, cipMultipleRequest), uint16(2), false)
	f.Add(unhex(f, cipRoutedRequest), uint16(30), false)
	f.Add(unhex(f, "9900 0000 00000000 00000000 0000000000000000 00000000"), uint16(13), false) // a reserved command, its header cut
	fuzzDecode(f, ENIP)
}

func BenchmarkENIP(b *testing.B) { benchDecode(b, ENIP, cipConnectedRequest, cipConnectedResponse) }
