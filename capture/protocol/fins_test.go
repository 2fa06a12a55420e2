package protocol

import (
	"encoding/hex"
	"testing"

	"bulkhead/capture"

	"github.com/google/go-cmp/cmp"
)

// Frames from node 99 to node 200: ICF, RSV, GCT, destination, source, SID 7,
// command and what belongs to it.
const (
	finsAsk       = "80 00 02 00c800 006300 07"
	finsAnswer    = "c0 00 02 006300 00c800 07"
	finsReadD100  = finsAsk + "0101 82 006400 0002" // two words of DM from 100 on
	finsRead      = finsAnswer + "0101 0000 1234 5678"
	finsWriteD100 = finsAsk + "0102 82 006400 0001 04d2"
)

// finsTCP puts a frame into the envelope of FINS/TCP.
func finsTCP(command byte, frame string) string {
	f, err := hex.DecodeString(unspaced(frame))
	if err != nil {
		panic(err)
	}
	b := append([]byte("FINS"), 0, 0, byte((8+len(f))>>8), byte(8+len(f)), 0, 0, 0, command, 0, 0, 0, 0)
	return hex.EncodeToString(append(b, f...))
}

func TestFINS(t *testing.T) {
	testDecode(t, FINS, []decodeTest{
		{"read and its answer", []turn{client(finsReadD100), server(finsRead)},
			[]string{"fins 0x0101 client read Memory Area Read: 1=1+0+0 [200]"}},
		{"write refused: not possible in this mode", []turn{client(finsWriteD100), server(finsAnswer + "0102 2203")},
			[]string{"fins 0x0102 client write Memory Area Write: 1=0+1+0 [200]"}},
		{"an error of the CPU is no refusal", []turn{client(finsWriteD100), server(finsAnswer + "0102 0040")},
			[]string{"fins 0x0102 client write Memory Area Write: 1=1+0+0 [200]"}},
		{"a relay says why it could not deliver", []turn{client(finsWriteD100), server(finsAnswer + "0102 8502 0102")},
			[]string{"fins 0x0102 client write Memory Area Write: 1=0+1+0 [200]"}},
		{"run, stop, program, force", []turn{
			client(finsAsk + "0401 ffff 04"), client(finsAsk + "0402 ffff"), client(finsAsk + "0307 0000 00000000 8004 01020304"),
			client(finsAsk + "2301 0001 0001 30 000000"), client(finsAsk + "0702 26112313100002"), client(finsAsk + "2203 8000"),
		}, []string{
			"fins 0x0307 client program Program Area Write: 1=0+0+1 [200]",
			"fins 0x0401 client mode Run: 1=0+0+1 [200]",
			"fins 0x0402 client mode Stop: 1=0+0+1 [200]",
			"fins 0x0702 client configure Clock Write: 1=0+0+1 [200]",
			"fins 0x2203 client file Single File Write: 1=0+0+1 [200]",
			"fins 0x2301 client control Forced Set/Reset: 1=0+0+1 [200]",
		}},
		{"no answer is wanted, or all nodes are meant", []turn{client("81 0002 00c800 006300 07 0102 82 006400 0001 04d2"), client("80 0002 00ff00 006300 07 0402 ffff")}, []string{
			"fins 0x0102 client write Memory Area Write: 1=0+0+0 [200]",
			"fins 0x0402 client mode Stop: 1=0+0+0 [255]",
		}},
		{"messages by what is done with them", []turn{client(finsAsk + "0920 00ff"), client(finsAsk + "0920 40ff"), client(finsAsk + "0920 8000")}, []string{
			"fins 0x0920 client configure Message Clear: 1=0+0+1 [200]",
			"fins 0x0920 client diagnose FAL/FALS Read: 1=0+0+1 [200]",
			"fins 0x0920 client diagnose Message Read: 1=0+0+1 [200]",
		}},
		{"a command of no manual", []turn{client(finsAsk + "7f7f"), server(finsAnswer + "7f7f 0401")},
			[]string{"fins other client configure command of no manual: 1=0+1+0 [200]"}},
		{"cut short", []turn{client(finsAsk), server(finsAnswer + "0101 00"), client("3f" + finsReadD100[2:])}, []string{"undecoded: 3"}},
	})
}

func TestFINSTCP(t *testing.T) {
	testDecode(t, FINSTCP, []decodeTest{
		// As a CP1L answers: the client leaves its node to the server, which puts it in.
		{"node address, then a frame over two segments", []turn{
			client(finsTCP(0, "00000000")), server(finsTCP(1, "000000fb 000000c8")),
			client(finsTCP(2, "800002 00c800 0000ef 05 0501 00")[:40]), client(finsTCP(2, "800002 00c800 0000ef 05 0501 00")[40:]),
			server(finsTCP(2, "c00002 00fbef 00c800 05 0501 0000")),
		}, []string{"fins 0x0501 client discover CPU Unit Data Read: 1=1+0+0 [200]"}},
		{"two in a segment", []turn{client(finsTCP(2, finsReadD100) + finsTCP(2, finsWriteD100))}, []string{
			"fins 0x0101 client read Memory Area Read: 1=0+0+1 [200]",
			"fins 0x0102 client write Memory Area Write: 1=0+0+1 [200]",
		}},
		{"a command of the envelope that is none; a length that is none; another start", []turn{
			client(finsTCP(9, "")), client("46494e53 00000007 00000002 00000000"), client("46494e54 0000000c 00000000 00000000 00000000"),
		}, []string{"undecoded: 3"}},
	})
}

// Passwords of program protection cross the wire as four characters.
func TestFINSPassword(t *testing.T) {
	c, _ := conversation(t, FINS, client(finsAsk+"0305 0000 00 00000000 ffffffff 50415353"), server(finsAnswer+"0305 0000"))
	want := []capture.AuthFact{{Kind: "fins program area", Readable: true, Length: 4, Count: 1, Accepted: 1, Frame: 1}}
	if diff := cmp.Diff(want, c.Security.Auth); diff != "" {
		t.Errorf("log-ins (-want +got):\n%s", diff)
	}
}

func TestFINSIdentity(t *testing.T) {
	data := hex.EncodeToString([]byte("CP1L-EL20DR-D\x00\x00\x00    01.00\x00\x00\x00\x00\x00\x0001.06    "))
	_, tally := conversation(t, FINS, client(finsAsk+"0501 00"), server(finsAnswer+"0501 0000"+data))
	want := []capture.Identity{{Vendor: "Omron", Model: "CP1L-EL20DR-D", Firmware: "01.00", Source: "fins", Frame: 2}}
	if diff := cmp.Diff(want, tally.Said(capture.FromServer).Identities); diff != "" {
		t.Errorf("identities (-want +got):\n%s", diff)
	}
}

func TestFINSRecognise(t *testing.T) {
	testDatagrams(t, FINS, []recogniseTest{
		{"command", finsReadD100, Match{Weak, Client}},
		{"response", finsRead, Match{Weak, Server}},
		{"response without an end code", finsAnswer + "0101", Match{No, AnyRole}},
		{"command of no manual", finsAsk + "7f7f", Match{No, AnyRole}},
		{"reserved bits of ICF", "90" + finsReadD100[2:], Match{No, AnyRole}},
		{"RTP", "8000 1234 00000000 deadbeef d5d5d5d5", Match{No, AnyRole}},
		{"BACnet", unicast(bacnetReadPV), Match{No, AnyRole}},
	})
	testRecognise(t, FINSTCP, []recogniseTest{
		{"node address", finsTCP(0, "00000000"), Match{Sure, Client}},
		{"node address answered", finsTCP(1, "000000fb000000c8"), Match{Sure, Server}},
		{"command", finsTCP(2, finsReadD100), Match{Sure, Client}},
		{"response", finsTCP(2, finsRead), Match{Sure, Server}},
		{"envelope alone", finsTCP(2, finsReadD100)[:24], Match{Score: More}},
		{"length", "46494e53 00010000 00000002 00000000", Match{No, AnyRole}},
		{"Modbus", modbusReadRequest, Match{No, AnyRole}},
		{"FTP", hex.EncodeToString([]byte("220 FTP ready\r\n")), Match{No, AnyRole}},
	})
}

func TestFINSOps(t *testing.T) {
	ops := []*Op{finsOther}
	for _, op := range finsOps {
		ops = append(ops, op)
	}
	ops = append(ops, finsMessageOps[:]...)
	testOps(t, ops)
}

func TestFINSAllocs(t *testing.T) {
	testAllocs(t, FINS, finsReadD100, finsRead)
	testAllocs(t, FINSTCP, finsTCP(2, finsReadD100), finsTCP(2, finsRead))
}

func BenchmarkFINS(b *testing.B) { benchMessages(b, FINS, finsReadD100, finsRead) }

func FuzzFINS(f *testing.F) {
	for _, seed := range []string{
		finsReadD100, finsRead,
		finsAsk + "0304 0000 00 00000000 ffffffff 504153", // a password that is cut
		finsAsk + "0920",            // no parameter to tell messages by
		finsAnswer + "0501 0000 43", // a model that is cut
	} {
		f.Add(unhex(f, seed))
	}
	fuzzMessages(f, FINS)
}

func FuzzFINSTCP(f *testing.F) {
	f.Add(unhex(f, finsTCP(2, finsReadD100)+finsTCP(2, finsWriteD100)), uint16(20), false) // cut behind an envelope
	f.Add(unhex(f, finsTCP(1, "000000fb000000c8")), uint16(3), true)                       // cut within the name
	f.Add(unhex(f, "46494e53ffffffff0000000200000000"), uint16(8), false)                  // a length that leads nowhere
	fuzzDecode(f, FINSTCP)
}
