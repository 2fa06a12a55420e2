package protocol

import (
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"strings"
	"testing"

	"bulkhead/capture"

	"github.com/google/go-cmp/cmp"
)

// c37 builds a frame of stream 241 with its size and check.
func c37(kind byte, body string) string {
	b := unspaced(body)
	f, err := hex.DecodeString(fmt.Sprintf("aa%x1%04x00f15f5e100000000000%s", kind, c37Min+len(b)/2, b))
	if err != nil {
		panic(err)
	}
	return hex.EncodeToString(binary.BigEndian.AppendUint16(f, crcCCITT(f)))
}

// Time base, one unit: station, stream, format, no channels, 50 Hz, one change;
// 50 frames a second.
var c37Config = c37(c37Config2, "000f4240 0001"+hex.EncodeToString([]byte("Blue PMU        "))+"00f1 0000 0000 0000 0000 0001 0001 0032")

func TestC37118(t *testing.T) {
	testDecode(t, C37118, []decodeTest{
		{"configuration, then data", []turn{client(c37(4, "0005")), server(c37Config), client(c37(4, "0002")), server(c37(0, "0000")), server(c37(0, "0000"))}, []string{
			"c37.118 0 server event Data: 2=0+0+0 [241]",
			"c37.118 3 server reply Configuration 2: 1=0+0+0 [241]",
			"c37.118 4 client control Command: turn on transmission: 1=1+0+0 [241]",
			"c37.118 4 client read Command: send configuration 2: 1=1+0+0 [241]",
		}},
		{"off, extended, of the user's own", []turn{client(c37(4, "0001") + c37(4, "0008 0102") + c37(4, "0100"))}, []string{
			"c37.118 4 client configure Command: extended frame: 1=0+0+0 [241]",
			"c37.118 4 client configure Command: of the user's own or reserved: 1=0+0+0 [241]",
			"c37.118 4 client control Command: turn off transmission: 1=0+0+0 [241]",
		}},
		{"in two segments", []turn{client(c37(4, "0003")[:20]), client(c37(4, "0003")[20:])},
			[]string{"c37.118 4 client read Command: send header: 1=0+0+1 [241]"}},
		{"wrong check, then another start", []turn{client(strings.Replace(c37(4, "0002"), "0002", "0001", 1) + "00" + c37(4, "0002"))}, []string{
			"c37.118 4 client control Command: turn on transmission: 1=0+0+1 [241]",
			"undecoded: 2",
		}},
	})
	_, tally := conversation(t, C37118, server(c37Config), server(c37Config))
	want := []capture.Name{{Name: "Blue PMU", Source: "c37.118", Frame: 1}}
	if diff := cmp.Diff(want, tally.Said(capture.FromServer).Names); diff != "" {
		t.Errorf("names (-want +got):\n%s", diff)
	}
}

// The check of "123456789" is the catalogue's.
func TestChecks(t *testing.T) {
	digits := []byte("123456789")
	for _, test := range []struct {
		name      string
		got, want uint16
	}{
		{"CRC-16/CCITT-FALSE", crcCCITT(digits), 0x29b1},
		{"CRC-16/MODBUS", crc16(0xffff, digits), 0x4b37},
		{"CRC-16/ARC", crc16(0, digits), 0xbb3d},
	} {
		if test.got != test.want {
			t.Errorf("%s: got 0x%04x, want 0x%04x", test.name, test.got, test.want)
		}
	}
	if !hdlcGood(append(digits, 0x6e, 0x90)) { // CRC-16/X-25: 0x906e
		t.Error("CRC-16/X-25 of the digits is not taken for right")
	}
}

func TestC37118Recognise(t *testing.T) {
	testRecognise(t, C37118, []recogniseTest{
		{"command", c37(4, "0002"), Match{Sure, Client}},
		{"configuration", c37Config, Match{Sure, Server}},
		{"cut", c37Config[:60], Match{Weak, Server}},
		{"wrong check", c37(4, "0002")[:32] + "0000", Match{}},
		{"version 0", "aa00 0012 00f1", Match{}},
		{"command without a word", "aa41 0010 00f1", Match{}},
		{"Modbus", modbusReadRequest, Match{}},
		{"DNP3", dnp3Read, Match{}},
	})
}

func TestC37118Ops(t *testing.T) {
	testOps(t, append(append([]*Op{c37OtherCommand}, withoutNil(c37Ops[:])...), withoutNil(c37Commands[:])...))
}

func withoutNil(ops []*Op) (some []*Op) {
	for _, op := range ops {
		if op != nil {
			some = append(some, op)
		}
	}
	return some
}

func TestC37118Allocs(t *testing.T) { testAllocs(t, C37118, c37(4, "0005"), c37Config+c37(0, "0000")) }

func BenchmarkC37118(b *testing.B) { benchDecode(b, C37118, c37(4, "0005"), c37(0, "0000")) }

func FuzzC37118(f *testing.F) {
	f.Add(unhex(f, c37(4, "0005")+c37(4, "0002")), uint16(19), false) // cut within a second frame's header
	f.Add(unhex(f, c37Config), uint16(40), true)                      // cut within a name
	f.Add(unhex(f, c37(3, "")), uint16(3), true)                      // a configuration without its content
	fuzzDecode(f, C37118)
}
