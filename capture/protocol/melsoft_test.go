package protocol

import (
	"encoding/binary"
	"encoding/hex"
	"testing"

	"bulkhead/capture"

	"github.com/google/go-cmp/cmp"
)

// melsoft builds a message of an FX5U's form: command with its reference 1, and
// what follows the reference.
func melsoft(answer bool, status, command uint16, data string) string {
	d, err := hex.DecodeString(unspaced(data))
	if err != nil {
		panic(err)
	}
	head, front := "5701 0000 00 111107 0000 ffff 0300 00 fe03 0000", "1c0a 1614"+"0000000000000000000000000000000000000000"
	if answer {
		head, front = "d701 0000 00 11117f 0000 00a8 0300 ff ff03 0000", "9c0a 1814"+"00000000000000000000000000000000000000000000"
	}
	b, _ := hex.DecodeString(unspaced(head + "0000" + front))
	if answer {
		binary.LittleEndian.PutUint16(b[25:], status)
	}
	b = binary.BigEndian.AppendUint16(b, command)
	b = append(append(b, 1, 0), d...)
	binary.LittleEndian.PutUint16(b[19:], uint16(len(b)-melsoftHead))
	return hex.EncodeToString(b)
}

var (
	melsoftOpen   = melsoft(false, 0, 0x0121, "0000 0001")
	melsoftOpened = melsoft(true, 0, 0x0121, "0000"+hex.EncodeToString([]byte("FX5U-32MT/ES\x00\x00\x00\x00"))+"294a0008")
)

func TestMELSOFT(t *testing.T) {
	testDecode(t, MELSOFT, []decodeTest{
		{"open over two segments, read, stop refused, file written", []turn{
			client(melsoftOpen[:50]), client(melsoftOpen[50:]), server(melsoftOpened),
			client(melsoft(false, 0, 0x0410, "0000 000000000000000000003f000000000000000000 0200")[:100]), client(melsoft(false, 0, 0x0410, "0000 000000000000000000003f000000000000000000 0200")[100:]),
			client(melsoft(false, 0, 0x1002, "0000")), server(melsoft(true, 0x4080, 0x1002, "0000")), client(melsoft(false, 0, 0x1869, "0000 0102")),
		}, []string{
			"melsoft 0x0121 client session Open Initial: 1=1+0+0",
			"melsoft 0x0410 client read area, address and count: 1=0+0+1",
			"melsoft 0x1002 client mode Remote Control Stop: 1=0+1+0",
			"melsoft 0x1869 client program File Write: 1=0+0+1",
		}},
		{"a value, and a command that no source names", []turn{client(melsoft(false, 0, 0x0411, "0000")), client(melsoft(false, 0, 0x0410, "0400 01020304"))}, []string{
			"melsoft other client configure command of no source: 1=0+0+1",
			"melsoft 0x0410 client write Modify Value: 1=0+0+1",
		}},
		// As Nmap asks a MELSEC-Q: its command header is shorter.
		{"MELSEC-Q", []turn{client("57000000001111070000ffff030000fe03000014001c080a080000000000000004 0101 0100 0000 0001")},
			[]string{"melsoft 0x0101 client discover CPU Model Read: 1=0+0+1"}},
		{"no command, another start", []turn{client("5701000000111107 0000ffff030000fe03 0000 0800 1c0aff1400000000"), client("5802" + melsoftOpen[4:])}, []string{"undecoded: 2"}},
	})
	testDecode(t, MELSOFTUDP, []decodeTest{
		{"search", []turn{client("5a000001"), server("da0000011400c0a80365c0a80365")}, []string{"melsoft hello client discover search for controllers: 1=1+0+0"}},
		{"stop, and a datagram that is cut", []turn{client(melsoft(false, 0, 0x1002, "0000")), client(melsoftOpen[:60])},
			[]string{"melsoft 0x1002 client mode Remote Control Stop: 1=0+0+1", "undecoded: 1"}},
	})
	_, tally := conversation(t, MELSOFT, client(melsoftOpen), server(melsoftOpened))
	want := []capture.Identity{{Vendor: "Mitsubishi Electric", Model: "FX5U-32MT/ES", Source: "melsoft", Frame: 2}}
	if diff := cmp.Diff(want, tally.Said(capture.FromServer).Identities); diff != "" {
		t.Errorf("identities (-want +got):\n%s", diff)
	}
}

func TestMELSOFTRecognise(t *testing.T) {
	testRecognise(t, MELSOFT, []recogniseTest{
		{"request", melsoftOpen, Match{Sure, Client}},
		{"response", melsoftOpened, Match{Sure, Server}},
		{"head that is none", "5701000000121107" + melsoftOpen[16:], Match{No, AnyRole}},
		{"SLMP", slmpReadM100, Match{No, AnyRole}},
		{"Modbus", modbusReadRequest, Match{No, AnyRole}},
		{"a line that begins with W", hex.EncodeToString([]byte("WHO\r\n")), Match{No, AnyRole}},
	})
}

func TestMELSOFTUDPRecognise(t *testing.T) {
	testDatagrams(t, MELSOFTUDP, []recogniseTest{
		{"search", "5a000001", Match{Weak, Client}},
		{"found", "da0000011400c0a80365c0a80365", Match{Weak, Server}},
		{"request", melsoftOpen, Match{Sure, Client}},
		{"BACnet", unicast(bacnetReadPV), Match{No, AnyRole}},
	})
}

func TestMELSOFTOps(t *testing.T) {
	ops := []*Op{melsoftRead, melsoftOther, melsoftHelloOp}
	for _, op := range melsoftOps {
		ops = append(ops, op)
	}
	testOps(t, ops)
}

func TestMELSOFTAllocs(t *testing.T) {
	testAllocs(t, MELSOFT, melsoft(false, 0, 0x1002, "0000"), melsoft(true, 0, 0x1002, "0000"))
}

func BenchmarkMELSOFT(b *testing.B) {
	benchDecode(b, MELSOFT, melsoft(false, 0, 0x1002, "0000"), melsoft(true, 0, 0x1002, "0000"))
}

func FuzzMELSOFT(f *testing.F) {
	f.Add(unhex(f, melsoftOpen+melsoftOpen), uint16(60), false)                                         // two messages, cut in the second
	f.Add(unhex(f, melsoftOpened), uint16(22), true)                                                    // cut in the command header
	f.Add(unhex(f, "5701000000111107 0000ffff030000fe03 0000 ffff"), uint16(3), false)                  // a length that leads nowhere
	f.Add(unhex(f, "5701000000111107 0000ffff030000fe03 0000 0800 1c0aff1400000000"), uint16(3), false) // a command header that runs on
	fuzzDecode(f, MELSOFT)
}
