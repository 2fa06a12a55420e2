package protocol

import (
	"encoding/binary"
	"encoding/hex"
	"testing"

	"bulkhead/capture"

	"github.com/google/go-cmp/cmp"
)

const (
	// Multiple_Service_Packet to the message router: Read Tag "ab" and Write Tag
	// "cd", at offsets 6 and 14 from their number.
	cipMultipleRequest = "6f00 3600 07000000 00000000 0100000000000000 00000000 00000000 0a00 0200 0000 0000 b200 2600" +
		"0a 02 2002 2401 0200 0600 0e00" + "4c 02 9102 6162 0100" + "4d 02 9102 6364 c300 0100 0500" + "000000000000"

	// Unconnected_Send of a Get_Attributes_All of the identity object to slot 1.
	cipRoutedRequest = "6f00 2400 07000000 00000000 0100000000000000 00000000 00000000 0a00 0200 0000 0000 b200 1400" +
		"52 02 2006 2401 07 e9 0600 01 02 2001 2401 01 00 0101"
)

// unconnected puts a CIP message into a SendRRData with the given context.
func unconnected(t testing.TB, context uint64, message string) string {
	m := unhex(t, message)
	b := unhex(t, "6f00 0000 07000000 00000000 0000000000000000 00000000 00000000 0a00 0200 0000 0000 b200 0000")
	binary.LittleEndian.PutUint16(b[2:], uint16(16+len(m)))
	binary.LittleEndian.PutUint64(b[12:], context)
	binary.LittleEndian.PutUint16(b[38:], uint16(len(m)))
	return hex.EncodeToString(append(b, m...))
}

// connected puts a CIP message into a SendUnitData on a connection.
func connected(t testing.TB, id uint32, sequence uint16, message string) string {
	m := unhex(t, message)
	b := unhex(t, "7000 0000 07000000 00000000 0000000000000000 00000000 00000000 0a00 0200 a100 0400 00000000 b100 0000 0000")
	binary.LittleEndian.PutUint16(b[2:], uint16(len(b)-24+len(m)))
	binary.LittleEndian.PutUint32(b[36:], id)
	binary.LittleEndian.PutUint16(b[42:], uint16(2+len(m)))
	binary.LittleEndian.PutUint16(b[44:], sequence)
	return hex.EncodeToString(append(b, m...))
}

func TestCIPDecode(t *testing.T) {
	const (
		readTag  = "4c 02 9102 6162 0100"
		writeTag = "4d 02 9102 6364 c300 0100 0500"
	)
	ask := func(context uint64, m string) turn { return client(unconnected(t, context, m)) }
	answer := func(context uint64, m string) turn { return server(unconnected(t, context, m)) }
	sent := func(all, accepted string) string {
		return "enip 0x006f client session SendRRData: " + all + "=" + accepted
	}

	testDecode(t, ENIP, []decodeTest{
		{
			"general status 8, service not supported; by context",
			[]turn{ask(1, readTag), ask(2, writeTag), answer(2, "cd 00 08 00"), answer(1, "cc 00 00 00 c300 0700")},
			[]string{"cip 0x4c client read Read Tag: 1=1+0+0", "cip 0x4d client write Write Tag: 1=0+1+0", sent("2", "2+0+0")},
		}, {
			"partial transfer is success",
			[]turn{ask(1, "52 02 9102 6162 0100 00000000"), answer(1, "d2 00 06 00 c300 0700")},
			[]string{"cip 0x52 client read Read Tag Fragmented: 1=1+0+0", sent("1", "1+0+0")},
		}, {
			"0x52 and 0x4e are the connection manager's own on class 6",
			[]turn{ask(1, "4e 02 2006 2401 0a0e 0100 0100 01000000 01 00 0100"), ask(2, "4e 02 9102 6364 0100 ff fe")},
			[]string{"cip 0x4e client session Forward_Close: 1=0+0+1", "cip 0x4e client write Read Modify Write Tag: 1=0+0+1", sent("2", "0+0+2")},
		}, {
			"routed: the answer comes without its envelope",
			[]turn{client(cipRoutedRequest), answer(1, "81 00 08 00")},
			[]string{"cip 0x01 client discover Get_Attributes_All: 1=0+1+0", "cip 0x52 client session Unconnected_Send: 1=1+0+0", sent("1", "1+0+0")},
		}, {
			"routed: the envelope itself failed",
			[]turn{client(cipRoutedRequest), answer(1, "d2 00 01 01 0402 01")},
			[]string{"cip 0x01 client discover Get_Attributes_All: 1=0+1+0", "cip 0x52 client session Unconnected_Send: 1=0+1+0", sent("1", "1+0+0")},
		}, {
			"multiple services, each with its own outcome",
			[]turn{client(cipMultipleRequest), answer(1, "8a 00 1e 00 0200 0600 0e00"+"cc 00 00 00 c300 0700"+"cd 00 05 00")},
			[]string{
				"cip 0x0a client session Multiple_Service_Packet: 1=1+0+0",
				"cip 0x4c client read Read Tag: 1=1+0+0",
				"cip 0x4d client write Write Tag: 1=0+1+0",
				sent("1", "1+0+0"),
			},
		}, {
			"multiple services refused as a whole",
			[]turn{client(cipMultipleRequest), answer(1, "8a 00 08 00")},
			[]string{
				"cip 0x0a client session Multiple_Service_Packet: 1=0+1+0",
				"cip 0x4c client read Read Tag: 1=0+1+0",
				"cip 0x4d client write Write Tag: 1=0+1+0",
				sent("1", "1+0+0"),
			},
		}, {
			"multiple services behind a route",
			[]turn{ask(1, "52 02 2006 2401 07 e9 1200"+"0a 02 2002 2401 0100 0400"+readTag+"01 00 0101"), answer(1, "8a 00 00 00 0100 0400 cc 00 00 00 c300 0700")},
			[]string{
				"cip 0x0a client session Multiple_Service_Packet: 1=1+0+0",
				"cip 0x4c client read Read Tag: 1=1+0+0",
				"cip 0x52 client session Unconnected_Send: 1=1+0+0",
				sent("1", "1+0+0"),
			},
		}, {
			"envelopes nested without end",
			[]turn{ask(1, "0a 00 0100 0400 0a 00 0100 0400 0a 00 0100 0400 0a 00 0100 0400 0a 00")},
			[]string{"cip 0x0a client session Multiple_Service_Packet: 4=0+0+4", sent("1", "0+0+1"), "undecoded: 1"},
		}, {
			"offsets that run backwards",
			[]turn{ask(1, "0a 02 2002 2401 0200 0e00 0600 4c 02 9102 6162 0100 4c 02 9102 6162 0100")},
			[]string{"cip 0x0a client session Multiple_Service_Packet: 1=0+0+1", sent("1", "0+0+1"), "undecoded: 1"},
		}, {
			"a path longer than the message",
			[]turn{ask(1, "4d 7f 9102")},
			[]string{sent("1", "0+0+1"), "undecoded: 1"},
		}, {
			// Requestor id of 7 octets, then command 0x0f, status, transaction,
			// function 0xaa; the answer's own status is 0x10.
			"PCCC by command and function",
			[]turn{ask(1, "4b 02 2067 2401 07 0100 78563412 0f 00 0100 aa 02 07 89 00 00 0500"), answer(1, "cb 00 00 00 07 0100 78563412 4f 10 0100"),
				ask(2, "4b 02 2067 2401 07 0100 78563412 0f 00 0200 80 07"), answer(2, "cb 00 00 00 07 0100 78563412 4f 00 0200"),
				ask(3, "4b 02 2067 2401 07 0100 78563412 08 00 0300 0000")},
			[]string{
				"cip 0x4b client mode Execute_PCCC: Change Mode: 1=1+0+0",
				"cip 0x4b client write Execute_PCCC: Protected Typed Logical Write with Three Address Fields: 1=0+1+0",
				"cip 0x4b client write Execute_PCCC: Unprotected Write: 1=0+0+1",
				sent("3", "2+0+1"),
			},
		}, {
			"mode, and services of objects that are not published",
			[]turn{ask(1, "05 02 2001 2401"), ask(2, "4d 02 20a1 2401 0000"), ask(3, "4d 02 208e 2401 0000"), ask(4, "4d 02 2037 2401 0000"), ask(5, "10 03 21 00 0003 2401 3007")},
			[]string{
				"cip 0x05 client mode Reset: 1=0+0+1",
				"cip 0x10 client write Set_Attribute_Single: 1=0+0+1",
				"cip 0x4d client configure Service 0x4d: 1=0+0+1",
				"cip 0x4d client file Initiate_Partial_Read: 1=0+0+1",
				"cip 0x4d client firmware Service 0x4d: 1=0+0+1",
				sent("5", "0+0+5"),
			},
		}, {
			"connected: by sequence count, though the two connections were opened before",
			[]turn{client(connected(t, 0x30001, 1, readTag)), server(connected(t, 0x40002, 1, "cc 00 00 00 c300 0700"))},
			[]string{"cip 0x4c client read Read Tag: 1=1+0+0", "enip 0x0070 client session SendUnitData: 1=0+0+0"},
		}, {
			"connected: two connections with one sequence count, told apart by what opened them",
			[]turn{
				ask(1, "54 02 2006 2401"), answer(1, "d4 00 00 00 01000300 02000400 0100 0100 01000000 00000000 00000000 00 00"),
				ask(2, "54 02 2006 2401"), answer(2, "d4 00 00 00 05000300 06000400 0200 0100 01000000 00000000 00000000 00 00"),
				client(connected(t, 0x30001, 9, readTag)), client(connected(t, 0x30005, 9, writeTag)),
				server(connected(t, 0x40006, 9, "cd 00 05 00")), server(connected(t, 0x40002, 9, "cc 00 00 00 c300 0700")),
			},
			[]string{
				"cip 0x4c client read Read Tag: 1=1+0+0",
				"cip 0x4d client write Write Tag: 1=0+1+0",
				"cip 0x54 client session Forward_Open: 2=2+0+0",
				sent("2", "2+0+0"),
				"enip 0x0070 client session SendUnitData: 2=0+0+0",
			},
		},
	})
}

func TestCIPIdentity(t *testing.T) {
	_, tally := conversation(t, ENIP, client(cipRoutedRequest),
		server(unconnected(t, 1, "81 00 00 00 0100 0e00 3600 10 14 6031 3f825100 0a 313735362d4c36312f42")))
	want := []capture.Identity{{Vendor: "CIP vendor 1", Model: "1756-L61/B", Firmware: "16.020", Serial: "0051823f", Source: "cip", Frame: 2}}
	if diff := cmp.Diff(want, tally.Said(capture.FromServer).Identities); diff != "" {
		t.Errorf("identities (-want +got):\n%s", diff)
	}
}

func TestCIPTarget(t *testing.T) {
	tests := []struct {
		name, path string
		want       cipObject
	}{
		{"class and instance of 8 bits", "2006 2401", connectionManager},
		{"class of 16 bits", "2100 0600 2401", connectionManager},
		{"class that is none of ours", "208e 2401", anyObject},
		{"the last class counts", "2068 2500 4100 206b 2500 0a00", tagObject},
		{"symbol", "9103 61626300", tagObject},
		{"symbol in a program", "9104 50726f67 9102 6162", tagObject},
		{"port with a long address before it", "1204 31302e31 2001 2401", identityObject},
		{"extended port", "0f01 1200 2001 2401", identityObject},
		{"electronic key", "3404 0100 0e00 3600 9014 2004 2401 2067", pcccObject},
		{"cut", "2100", anyObject},
		{"nothing", "", anyObject},
	}
	for _, test := range tests {
		if got := cipTarget(unhex(t, test.path)); got != test.want {
			t.Errorf("%s: object %d, want %d", test.name, got, test.want)
		}
	}
}

func TestCIPOps(t *testing.T) {
	var ops []*Op
	for object := range cipOps {
		ops = append(ops, cipOps[object][:]...)
	}
	for i := range pcccOps {
		ops = append(ops, &pcccOps[i].op)
		if f := pcccOps[i].functions; f != nil {
			for j := range f {
				ops = append(ops, &f[j])
			}
		}
	}
	testOps(t, ops)
}
