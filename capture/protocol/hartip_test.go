package protocol

import (
	"encoding/hex"
	"testing"

	"bulkhead/capture"

	"github.com/google/go-cmp/cmp"
)

// hart builds a message: version 1, type, message, status, sequence number 9,
// length and body, in hex.
func hart(kind, message, status byte, body string) string {
	b, err := hex.DecodeString(unspaced(body))
	if err != nil {
		panic(err)
	}
	n := hartHeader + len(b)
	return hex.EncodeToString(append([]byte{1, kind, message, status, 0, 9, byte(n >> 8), byte(n)}, b...))
}

// hartFrame builds a token-passing PDU to or from a long address: delimiter,
// address, command, byte count, data and check.
func hartFrame(delimiter, command byte, data string) string {
	d, err := hex.DecodeString(unspaced(data))
	if err != nil {
		panic(err)
	}
	b := append([]byte{delimiter, 0x26, 0x4e, 0, 0, 0xd2, command, byte(len(d))}, d...)
	var parity byte
	for _, c := range b {
		parity ^= c
	}
	return hex.EncodeToString(append(b, parity))
}

func hartAsk(command byte, data string) turn {
	return client(hart(hartRequest, hartToken, 0, hartFrame(0x82, command, data)))
}

func hartAnswer(command byte, data string) turn {
	return server(hart(hartResponse, hartToken, 0, hartFrame(0x86, command, data)))
}

// Messages of a wireless gateway.
const (
	hartOpen     = "01 00 00 00 0002 000d 01 00007530"
	hartOpened   = "01 01 00 00 0002 000d 01 0000ea60"
	hartReadPV   = "01 00 03 00 0004 0011 82 264e0000d2 01 00 39"
	hartReadPVOK = "01 01 03 00 0004 0018 86 264e0000d2 01 07 00d0 fb00000000 11"
)

func TestHARTIP(t *testing.T) {
	testDecode(t, HARTIP, []decodeTest{
		{"a session", []turn{
			client(hartOpen), server(hartOpened), client(hartReadPV), server(hartReadPVOK), client(hart(0, 2, 0, "")), server(hart(1, 2, 0, "")),
			client(hart(0, 1, 0, "")), server(hart(1, 1, 0, "")),
		}, []string{
			"hart-ip 0 client session Session Initiate: 1=1+0+0",
			"hart-ip 1 client session Session Close: 1=1+0+0",
			"hart-ip 2 client session Keep Alive: 1=1+0+0",
			"hart-ip 3 client read Token-Passing PDU: Command 1 Read Primary Variable: 1=1+0+0",
		}},
		{"a session refused: all sessions in use", []turn{client(hartOpen), server("01 0f 00 0f 0002 0008")},
			[]string{"hart-ip 0 client session Session Initiate: 1=0+1+0"}},
		{"over three segments", []turn{client("01 00 03"), client("00 0004 0011 82 264e"), client("0000d2 01 00 39"), server(hartReadPVOK)},
			[]string{"hart-ip 3 client read Token-Passing PDU: Command 1 Read Primary Variable: 1=1+0+0"}},
		{"in write protect mode; set to the nearest value; framing error", []turn{
			hartAsk(35, "39 42c80000 00000000"), hartAnswer(35, "0700"), hartAsk(35, "39 42c80000 00000000"), hartAnswer(35, "0800 39 42c80000 00000000"),
			hartAsk(42, ""), hartAnswer(42, "9000"),
		}, []string{
			"hart-ip 3 client configure Token-Passing PDU: Command 35 Write Primary Variable Range Values: 2=1+1+0",
			"hart-ip 3 client mode Token-Passing PDU: Command 42 Perform Device Reset: 1=0+1+0",
		}},
		{"what drives the loop, a variable, and what only the maker knows", []turn{hartAsk(40, "41200000"), hartAsk(79, "0001 39 41200000 c0"), hartAsk(145, "00")}, []string{
			"hart-ip 3 client configure Token-Passing PDU: Command 145: 1=0+0+1",
			"hart-ip 3 client control Token-Passing PDU: Command 40 Enter/Exit Fixed Current Mode: 1=0+0+1",
			"hart-ip 3 client write Token-Passing PDU: Command 79 Write Device Variable: 1=0+0+1",
		}},
		{"a sub-device behind an I/O system", []turn{
			hartAsk(77, "00 01 05 82 1234567890 2a 00"), hartAnswer(77, "0000 00 01 86 1234567890 2a 02 0000"),
			hartAsk(77, "00 01 05 82 1234567890 2a 00"), hartAnswer(77, "0000 00 01 86 1234567890 2a 02 0700"),
			hartAsk(77, "00 01 05"),
		}, []string{
			"hart-ip 3 client configure Token-Passing PDU: Command 77 Send Command to Sub-Device: 1=0+0+1",
			"hart-ip 3 client mode Token-Passing PDU to Sub-Device: Command 42 Perform Device Reset: 2=1+1+0",
		}},
		{"a short address; a command of two octets", []turn{client(hart(0, 3, 0, "02 81 00 00 83")), hartAsk(31, "0209 0000"), hartAsk(31, "0fff")}, []string{
			"hart-ip 3 client configure Token-Passing PDU: Command 521 Write Process Unit Tag: 1=0+0+1",
			"hart-ip 3 client configure Token-Passing PDU: other command of two octets: 1=0+0+1",
			"hart-ip 3 client discover Token-Passing PDU: Command 0 Read Unique Identifier: 1=0+0+1 [1]",
		}},
		{"direct: two commands, of which one is refused", []turn{
			client(hart(0, 4, 0, "0000 0035 02 00fa 0001 00")), server(hart(1, 4, 0, "0000 0035 01 0c 0001 06 00 fa00000000")),
		}, []string{
			"hart-ip 4 client configure Direct PDU: Command 53 Write Device Variable Units: 1=0+1+0",
			"hart-ip 4 client read Direct PDU: Command 1 Read Primary Variable: 1=1+0+0",
		}},
		{"bursts and the audit log", []turn{server(hart(2, 3, 0, hartFrame(0x81, 1, "00d0fb00000000"))), client(hart(0, 5, 0, "0001")), server(hart(1, 5, 8, "00"))}, []string{
			"hart-ip 3 server event Token-Passing PDU: burst: 1=0+0+0",
			"hart-ip 5 client diagnose Read Audit Log: 1=1+0+0",
		}},
		{"a PDU that is none", []turn{client(hart(0, 3, 0, "07 00")), client(hart(0, 4, 0, "0000"))}, []string{
			"hart-ip 3 client configure Token-Passing PDU: unreadable: 1=0+0+1",
			"hart-ip 4 client configure Direct PDU: unreadable: 1=0+0+1",
		}},
		{"version, type and length", []turn{client("03 00 02 00 0001 0008"), client("01 07 02 00 0001 0008"), client("01 00 02 00 0001 0007")}, []string{"undecoded: 3"}},
	})
}

func TestHARTIPIdentity(t *testing.T) {
	_, tally := conversation(t, HARTIP,
		hartAnswer(0, "00d0 fe 264e 05 07 04 01 0e 0c 0000d2 05 02 0002 d0 0026 0026 84"),
		hartAnswer(20, "00d0"+hex.EncodeToString([]byte("wihartgw"))+hex.EncodeToString(make([]byte, 24))))
	want := Said{
		Names: []capture.Name{{Name: "wihartgw", Source: "hart-ip", Frame: 2}},
		Identities: []capture.Identity{{
			Vendor: "HART manufacturer 0x0026", Model: "HART device type 0x264e, revision 4", Firmware: "1", Serial: "210", Source: "hart-ip", Frame: 1,
		}},
	}
	if diff := cmp.Diff(want, tally.Said(capture.FromServer)); diff != "" {
		t.Errorf("said (-want +got):\n%s", diff)
	}
}

func TestHARTIPRecognise(t *testing.T) {
	testRecognise(t, HARTIP, []recogniseTest{
		{"session", hartOpen, Match{Sure, Client}},
		{"session opened", hartOpened, Match{Sure, Server}},
		{"command", hartReadPV, Match{Sure, Client}},
		{"response", hartReadPVOK, Match{Sure, Server}},
		{"keep alive", "01 00 02 00 000c 0008", Match{Weak, Client}},
		{"direct", hart(0, 4, 0, "0000 0001 00"), Match{Weak, Client}},
		{"a check that does not fit", "01 00 03 00 0004 0011 82 264e0000d2 01 00 38", Match{Weak, Client}},
		{"a delimiter that is none", "01 00 03 00 0004 0011 83 264e0000d2 01 00 38", Match{No, AnyRole}},
		{"a status in a request", "01 00 02 05 000c 0008", Match{No, AnyRole}},
		{"a session of another length", "01 00 00 00 0002 000e 01 00007530 00", Match{No, AnyRole}},
		{"direct, with something behind its commands", hart(0, 4, 0, "0000 0001 00 ff"), Match{No, AnyRole}},
		{"an answer in a request", hart(0, 3, 0, hartFrame(0x86, 1, "0000")), Match{No, AnyRole}},
		// From ROC addresses 1, 2 to 3, 4: a message as long as another could be.
		{"ROC Plus", "0102030406d70100020002010100000000000000000000000600010203", Match{No, AnyRole}},
		{"Modbus", modbusReadRequest, Match{No, AnyRole}},
		{"Modbus, transaction 256", "0100 0000 0006 11 03 006b 0003", Match{No, AnyRole}},
		{"FINS", finsReadD100, Match{No, AnyRole}},
	})
}

func TestHARTIPOps(t *testing.T) {
	var ops []*Op
	for _, table := range []*hartOps{hartTokenOps, hartSubOps, hartDirectOps, hartNestedOps} {
		for i := range table.byNumber {
			ops = append(ops, &table.byNumber[i])
		}
		for _, op := range table.long {
			ops = append(ops, op)
		}
		ops = append(ops, &table.other)
	}
	for i := range hartMessages {
		ops = append(ops, &hartMessages[i])
	}
	testOps(t, append(ops, hartBurst[hartToken], hartBurst[hartDirect]))
}

func TestHARTIPAllocs(t *testing.T) { testAllocs(t, HARTIP, hartReadPV, hartReadPVOK) }

func BenchmarkHARTIP(b *testing.B) { benchDecode(b, HARTIP, hartReadPV, hartReadPVOK) }

func FuzzHARTIP(f *testing.F) {
	f.Add(unhex(f, hartOpen+hartReadPV), uint16(13), false)                           // two messages, cut between them
	f.Add(unhex(f, hartReadPVOK), uint16(9), true)                                    // cut behind the header
	f.Add(unhex(f, hart(1, 4, 0, "0000 0035 ff 0c")), uint16(3), true)                // a command that runs on
	f.Add(unhex(f, hart(0, 3, 0, "ffffff 62 81")), uint16(5), false)                  // preamble and expansion, and nothing behind them
	f.Add(unhex(f, hart(0, 3, 0, hartFrame(0x82, 77, "000105ff"))), uint16(5), false) // a sub-device's PDU of preamble alone
	fuzzDecode(f, HARTIP)
}
