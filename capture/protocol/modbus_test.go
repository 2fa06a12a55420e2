package protocol

import (
	"encoding/binary"
	"strings"
	"testing"

	"bulkhead/capture"

	"github.com/google/go-cmp/cmp"
)

// The PDUs are the examples of the MODBUS Application Protocol Specification
// V1.1b3, section 6, behind an MBAP header, unless it says otherwise.
const (
	// Function 3: registers 108 to 110 (40109 to 40111 as references).
	modbusReadRequest  = "0015 0000 0006 11 03 006b 0003"
	modbusReadResponse = "0015 0000 0009 11 03 06 022b 0000 0064"
	// Function 16: registers 2 and 3.
	modbusWriteRequest  = "0016 0000 000b 11 10 0001 0002 04 000a 0102"
	modbusWriteResponse = "0016 0000 0006 11 10 0001 0002"
	// Function 43 / 14, basic identification.
	modbusIdentRequest = "0017 0000 0005 11 2b 0e 01 00"
)

func TestModbusDecode(t *testing.T) {
	testDecode(t, Modbus, []decodeTest{
		{
			"read registers",
			[]turn{client(modbusReadRequest), server(modbusReadResponse)},
			[]string{"modbus 3 client read Read Holding Registers: 1=1+0+0 [17] [40108-40110]"},
		}, {
			"two requests in a segment, one answered",
			[]turn{client(modbusReadRequest + modbusWriteRequest), server(modbusWriteResponse)},
			[]string{
				"modbus 3 client read Read Holding Registers: 1=0+0+1 [17] [40108-40110]",
				"modbus 16 client write Write Multiple Registers: 1=1+0+0 [17] [40002-40003]",
			},
		}, {
			"request over three segments",
			[]turn{client("0015 0000"), client("0006 11"), client("03 006b 0003")},
			[]string{"modbus 3 client read Read Holding Registers: 1=0+0+1 [17] [40108-40110]"},
		}, {
			"exception 2, illegal data address",
			[]turn{client("0001 0000 0006 0a 01 04a1 0001"), server("0001 0000 0003 0a 81 02")},
			[]string{"modbus 1 client read Read Coils: 1=0+1+0 [10] [01186]"},
		}, {
			"answer to another transaction, unit or function",
			[]turn{client(modbusReadRequest), server("0099 0000 0003 11 83 02"), server("0015 0000 0003 12 83 02"), server("0015 0000 0003 11 84 02")},
			[]string{"modbus 3 client read Read Holding Registers: 1=0+0+1 [17] [40108-40110]"},
		}, {
			"every client's transaction is 0",
			[]turn{client("0000 0000 0006 ff 05 0000 ff00"), server("0000 0000 0006 ff 05 0000 ff00"),
				client("0000 0000 0006 ff 05 0001 0000"), server("0000 0000 0003 ff 85 06")},
			[]string{"modbus 5 client write Write Single Coil: 2=1+1+0 [255] [00001-00002]"},
		}, {
			"spaces",
			[]turn{client("0001 0000 0006 01 02 00c4 0016" + "0002 0000 0006 01 04 0008 0001" + "0003 0000 0006 01 06 0001 0003" +
				"0004 0000 0009 01 0f 0013 000a 02 cd01" + "0005 0000 0008 01 16 0004 00f2 0025" + "0006 0000 0004 01 18 04de")},
			[]string{
				"modbus 2 client read Read Discrete Inputs: 1=0+0+1 [1] [10197-10218]",
				"modbus 4 client read Read Input Registers: 1=0+0+1 [1] [30009]",
				"modbus 6 client write Write Single Register: 1=0+0+1 [1] [40002]",
				"modbus 15 client write Write Multiple Coils: 1=0+0+1 [1] [00020-00029]",
				"modbus 22 client write Mask Write Register: 1=0+0+1 [1] [40005]",
				"modbus 24 client read Read FIFO Queue: 1=0+0+1 [1] [41247]",
			},
		}, {
			"read and write in one request name both ranges",
			[]turn{client("0001 0000 0011 01 17 0003 0006 000e 0003 06 00ff 00ff 00ff")},
			[]string{"modbus 23 client write Read/Write Multiple Registers: 1=0+0+1 [1] [40004-40009 40015-40017]"},
		}, {
			"a range beyond the last register ends with it",
			[]turn{client("0001 0000 0006 01 03 fffe 007d")},
			[]string{"modbus 3 client read Read Holding Registers: 1=0+0+1 [1] [465535-465536]"},
		}, {
			"diagnostics by sub-function; listen-only mode is never answered",
			[]turn{client("0001 0000 0006 01 08 0000 a537"), server("0001 0000 0006 01 08 0000 a537"),
				client("0002 0000 0006 01 08 0001 0000"), server("0002 0000 0006 01 08 0001 0000"),
				client("0003 0000 0006 01 08 0004 0000"), client("0004 0000 0006 01 08 00ff 0000")},
			[]string{
				"modbus 8 client diagnose Diagnostics: 1=0+0+1 [1]",
				"modbus 8 client diagnose Diagnostics: Force Listen Only Mode: 1=0+0+0 [1]",
				"modbus 8 client diagnose Diagnostics: Return Query Data: 1=1+0+0 [1]",
				"modbus 8 client mode Diagnostics: Restart Communications Option: 1=1+0+0 [1]",
			},
		}, {
			// Hand-built to Liras's description: session key, sub-code; 0xfd is an error.
			"UMAS by sub-code, longer than the specification allows",
			[]turn{client("0001 0000 0004 00 5a 00 02"), server("0001 0000 0004 00 5a 00 fe"),
				client("0002 0000 0006 00 5a 41 40 ff00"), server("0002 0000 0006 00 5a 41 fd 0000"),
				client("0003 0000 0104 00 5a 41 31" + strings.Repeat("00", 256))},
			[]string{
				"modbus 90 client discover UMAS READ_ID: 1=1+0+0 [0]",
				"modbus 90 client mode UMAS START_PLC: 1=0+1+0 [0]",
				"modbus 90 client program UMAS UPLOAD_BLOCK (to the PLC): 1=0+0+1 [0]",
			},
		}, {
			"functions that nobody published",
			[]turn{client("0001 0000 0002 01 09" + "0002 0000 0002 01 41")},
			[]string{
				"modbus 9 client configure Function 9: 1=0+0+1 [1]",
				"modbus 65 client configure User Defined Function 65: 1=0+0+1 [1]",
			},
		}, {
			"another protocol number: skipped by its length",
			[]turn{client("0001 00ff 0006 01 03 0000 0001" + modbusReadRequest), server(modbusReadResponse)},
			[]string{"modbus 3 client read Read Holding Registers: 1=1+0+0 [17] [40108-40110]", "undecoded: 1"},
		}, {
			"a length of 0: the rest of the segment is lost, the next is not",
			[]turn{client("0001 0000 0000" + modbusWriteRequest), client(modbusReadRequest)},
			[]string{"modbus 3 client read Read Holding Registers: 1=0+0+1 [17] [40108-40110]", "undecoded: 1"},
		}, {
			"a length above 254",
			[]turn{client("0001 0000 00ff 01 03" + strings.Repeat("00", 253))},
			[]string{"undecoded: 1"},
		}, {
			"a request with function 0 or with the exception bit",
			[]turn{client("0001 0000 0002 01 00" + "0001 0000 0003 01 83 02")},
			[]string{"undecoded: 2"},
		},
	})
}

func TestModbusIdentity(t *testing.T) {
	// The specification's example, 6.21, with lengths that fit its text.
	b := unhex(t, "0017 0000 0000 11 2b 0e 01 01 00 00 03")
	for i, s := range []string{"Company identification", "Product code XX", "V2.11"} {
		b = append(b, byte(i), byte(len(s)))
		b = append(b, s...)
	}
	binary.BigEndian.PutUint16(b[4:], uint16(len(b)-6))

	tally := new(Tally)
	x := NewExchange(tally)
	x.At(7, capture.Time{})
	modbusDecoder{}.Decode(x, capture.FromServer, b)
	want := []capture.Identity{{Vendor: "Company identification", Model: "Product code XX", Firmware: "V2.11", Source: "modbus", Frame: 7}}
	if diff := cmp.Diff(want, tally.Said(capture.FromServer).Identities); diff != "" {
		t.Errorf("identities (-want +got):\n%s", diff)
	}
	// Cut anywhere, it is read as far as its objects are whole.
	for n := 8; n < len(b); n++ {
		binary.BigEndian.PutUint16(b[4:], uint16(n-6))
		modbusDecoder{}.Decode(x, capture.FromServer, b[:n:n])
	}
}

func TestModbusRecognise(t *testing.T) {
	testRecognise(t, Modbus, []recogniseTest{
		{"read request", modbusReadRequest, Match{Sure, Client}},
		{"read response", modbusReadResponse, Match{Sure, Server}},
		{"write request", modbusWriteRequest, Match{Sure, Client}},
		{"write response", modbusWriteResponse, Match{Sure, Server}},
		{"write single coil: the response is an echo", "0001 0000 0006 ff 05 0000 ff00", Match{Sure, AnyRole}},
		{"exception", "0001 0000 0003 0a 81 02", Match{Sure, Server}},
		{"identification", modbusIdentRequest, Match{Sure, Client}},
		{"UMAS", "0001 0000 0004 00 5a 00 02", Match{Weak, Client}},
		{"user-defined function", "0001 0000 0002 01 41", Match{Weak, AnyRole}},
		{"a read of 126 registers is not allowed", "0015 0000 0006 11 03 006b 007e", Match{Weak, AnyRole}},
		{"two requests", modbusReadRequest + modbusWriteRequest, Match{Sure, Client}},
		{"request before something else", modbusReadRequest + "ffff ffff", Match{Weak, Client}},
		{"header only", "0015 0000 0006", Match{Score: More}},
		{"nothing", "", Match{Score: More}},
		{"another protocol number", "0015 0001 0006 11 03 006b 0003", Match{}},
		{"length 1", "0015 0000 0001 11", Match{}},
		// The rest are first bytes of other protocols that have zeros in these places.
		{"HART-IP session initiate", "01 00 00 00 0002 000d 01 00007530", Match{}},
		{"LDAP bind request of Windows", "30 84 00000010 020101 6084 00000007 0a0100 0400 0400", Match{}},
		{"eDonkey", "e37f0000004c3a3544a8310e281d51ed5182f4cf6fd48c71" + strings.Repeat("aa", 100), Match{}},
		{"SMB over NetBIOS", "00000085 ff534d42 72000000001853c8", Match{}},
		{"ENIP RegisterSession", enipRegisterRequest, Match{}},
	})
}

func TestModbusOps(t *testing.T) {
	var ops []*Op
	for i := 1; i < len(modbusOps); i++ {
		ops = append(ops, &modbusOps[i])
	}
	for i := range diagnosticsOps {
		ops = append(ops, &diagnosticsOps[i])
	}
	for i := range meiOps {
		ops = append(ops, &meiOps[i])
	}
	for i := range umasOps {
		ops = append(ops, &umasOps[i])
	}
	testOps(t, ops)
}

func TestModbusAllocs(t *testing.T) {
	testAllocs(t, Modbus, modbusReadRequest+modbusWriteRequest, modbusReadResponse+modbusWriteResponse)
}

func FuzzModbus(f *testing.F) {
	f.Add(unhex(f, modbusReadRequest+modbusWriteRequest), uint16(7), false) // cut within the first header
	f.Add(unhex(f, modbusReadResponse+modbusWriteResponse), uint16(20), true)
	f.Add(unhex(f, modbusIdentRequest), uint16(8), false)
	f.Add(unhex(f, "0003 0000 0104 00 5a 41 31"), uint16(6), false) // a long length stands only if 90 follows it
	f.Add(unhex(f, "0001 0000 0000"), uint16(3), false)             // a length that leads nowhere
	fuzzDecode(f, Modbus)
}

func BenchmarkModbus(b *testing.B) { benchDecode(b, Modbus, modbusReadRequest, modbusReadResponse) }
