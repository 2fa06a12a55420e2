package protocol

import (
	"encoding/hex"
	"testing"

	"bulkhead/capture"

	"github.com/google/go-cmp/cmp"
)

// Frames to the CPU of the connected station (network 0, station ff, module
// 03ff), as SH-080956ENG gives them: subheader, route, length, timer, command,
// subcommand, and what belongs to it.
const (
	slmpRoute     = "00 ff ff03 00"
	slmpReadM100  = "5000" + slmpRoute + "0c00 1000 0104 0100 640000 90 0800"
	slmpRead      = "d000" + slmpRoute + "0600 0000 00011111"
	slmpWriteD100 = "5000" + slmpRoute + "0e00 1000 0114 0000 640000 a8 0100 9519"
	slmpDone      = "d000" + slmpRoute + "0200 0000"
	slmpRefused   = "d000" + slmpRoute + "0b00 51c0 00ff ff03 00 0114 0000" // C051: too many points

	slmpRead1E  = "01 ff 0a00 64000000 2044 03 00" // three words of D from 100 on
	slmpWords1E = "81 00 3412 0200 ef1d"
)

// slmpASCII gives a frame in ASCII.
func slmpASCII(s string) string { return hex.EncodeToString([]byte(s)) }

func TestSLMP(t *testing.T) {
	testDecode(t, SLMP, []decodeTest{
		{"read, write and a refused write, the responses in two segments", []turn{
			client(slmpReadM100), server(slmpRead[:12]), server(slmpRead[12:]), client(slmpWriteD100), server(slmpDone), client(slmpWriteD100), server(slmpRefused),
		}, []string{
			"slmp 0x0401 client read Read Device: 1=1+0+0 [255]",
			"slmp 0x1401 client write Write Device: 2=1+1+0 [255]",
		}},
		{"4E: two at a time, answered the other way round", []turn{
			client("5400 3412 0000" + slmpRoute + "0a00 1000 0110 0000 0100 0000" + "5400 3512 0000" + slmpRoute + "0800 1000 0210 0000 0100"),
			server("d400 3512 0000" + slmpRoute + "0200 0000"), server("d400 3412 0000" + slmpRoute + "0b00 0040 00ff ff03 00 0110 0000"),
		}, []string{
			"slmp 0x1001 client mode Remote Run: 1=0+1+0 [255]",
			"slmp 0x1002 client mode Remote Stop: 1=1+0+0 [255]",
		}},
		{"in ASCII", []turn{
			client(slmpASCII("500000FF03FF000018001004010001M*0001000008")), server(slmpASCII("D00000FF03FF00000C000000011111")),
			client(slmpASCII("54001234000000FF03FF0000140010" + "10060000" + "00010001")), server(slmpASCII("D4001234000000FF03FF0000040000")),
		}, []string{
			"slmp 0x0401 client read Read Device: 1=1+0+0 [255]",
			"slmp 0x1006 client mode Remote Reset: 1=1+0+0 [255]",
		}},
		{"on-demand, a file, a command of no manual", []turn{
			server("5000" + slmpRoute + "0800 0000 0121 0000 1234"), client("5000" + slmpRoute + "0600 1000 2918 0000"), client("5000" + slmpRoute + "0600 1000 ff7f 0000"),
		}, []string{
			"slmp other client configure command of no manual: 1=0+0+1 [255]",
			"slmp 0x1829 client file Write File: 1=0+0+1 [255]",
			"slmp 0x2101 server event On-demand: 1=0+0+0 [255]",
		}},
		{"1E: read, bits written, refused, RUN, STOP, model", []turn{
			client(slmpRead1E), server(slmpWords1E),
			client("02 ff 0a00 64000000 204d 03 00 1010"), server("82 00"), client("03 ff 0a00 64000000 2044 01 00 3412"), server("83 5b 1000"),
			client("13 ff 0a00"), server("93 00"), client("14 ff 0a00"), server("94 00"), client("15 ff 0a00"), server("95 00 f3 00"),
		}, []string{
			"slmp 1e:0x01 client read Batch Read (words): 1=1+0+0 [255]",
			"slmp 1e:0x02 client write Batch Write (bits): 1=1+0+0 [255]",
			"slmp 1e:0x03 client write Batch Write (words): 1=0+1+0 [255]",
			"slmp 1e:0x13 client mode Remote RUN: 1=1+0+0 [255]",
			"slmp 1e:0x14 client mode Remote STOP: 1=1+0+0 [255]",
			"slmp 1e:0x15 client discover PLC Type Read: 1=1+0+0 [255]",
		}},
		{"1E in ASCII, cut", []turn{
			client(slmpASCII("00FF000A4D20000000")), client(slmpASCII("640800")), server(slmpASCII("80000101")), server(slmpASCII("0110")),
			client(slmpASCII("13FF000A")), server(slmpASCII("9300")),
		}, []string{
			"slmp 1e:0x00 client read Batch Read (bits): 1=1+0+0 [255]",
			"slmp 1e:0x13 client mode Remote RUN: 1=1+0+0 [255]",
		}},
		{"a sequence program written", []turn{client("0c ff 0a00 0000 02 01000200"), server("8c 00")}, []string{
			"slmp 1e:0x0c client program Main Sequence Program Write: 1=1+0+0 [255]",
		}},
		{"a response to nothing, a length, another start", []turn{server("8100"), client("5000" + slmpRoute + "ffff"), client("ff00")}, []string{"undecoded: 3"}},
	})
}

// The remote password crosses the wire in clear, with its length in front.
func TestSLMPPassword(t *testing.T) {
	c, _ := conversation(t, SLMP, client("5000"+slmpRoute+"0c00 1000 3016 0000 0400 31323334"), server(slmpDone))
	want := []capture.AuthFact{{Kind: "slmp remote password", Readable: true, Length: 4, Count: 1, Accepted: 1, Frame: 1}}
	if diff := cmp.Diff(want, c.Security.Auth); diff != "" {
		t.Errorf("log-ins (-want +got):\n%s", diff)
	}
}

func TestSLMPIdentity(t *testing.T) {
	model := hex.EncodeToString([]byte("Q02UCPU         "))
	_, tally := conversation(t, SLMP, client("5000"+slmpRoute+"0600 1000 0101 0000"), server("d000"+slmpRoute+"1400 0000"+model+"6302"))
	want := []capture.Identity{{Model: "Q02UCPU", Source: "slmp", Frame: 2}}
	if diff := cmp.Diff(want, tally.Said(capture.FromServer).Identities); diff != "" {
		t.Errorf("identities (-want +got):\n%s", diff)
	}
}

func TestSLMPRecognise(t *testing.T) {
	testRecognise(t, SLMP, []recogniseTest{
		{"request", slmpReadM100, Match{Sure, Client}},
		{"request in ASCII", slmpASCII("500000FF03FF000018001004010001M*0001000008"), Match{Sure, Client}},
		{"on-demand", "5000" + slmpRoute + "0800 0000 0121 0000 1234", Match{Sure, Server}},
		{"response", slmpRead, Match{Weak, Server}},
		{"another module", "5000 00 ff 0004 00 0600 1000 0104 0000", Match{No, AnyRole}},
		{"command of no manual", "5000" + slmpRoute + "0600 1000 ff7f 0000", Match{No, AnyRole}},
		{"1E", slmpRead1E, Match{Sure, Client}},
		{"1E in ASCII", slmpASCII("00FF000A4D20000000640800"), Match{Sure, Client}},
		{"1E without a device", "13 ff 0a00", Match{Weak, Client}},
		{"1E response", slmpWords1E, Match{Weak, Server}},
		{"Modbus", modbusReadRequest, Match{No, AnyRole}},
		{"DNS over TCP", "001c 1234 0100 0001 0000 0000 0000", Match{No, AnyRole}},
		{"HTTP", hex.EncodeToString([]byte("DELETE / HTTP/1.1\r\n")), Match{No, AnyRole}},
		{"FTP", hex.EncodeToString([]byte("500 unknown command\r\n")), Match{No, AnyRole}},
	})
}

func TestSLMPOps(t *testing.T) {
	ops := []*Op{slmpOther}
	for _, op := range slmpOps {
		ops = append(ops, op)
	}
	for i := range slmp1E {
		if op := slmp1E[i].op; op != nil {
			ops = append(ops, op)
		}
	}
	testOps(t, ops)
}

func TestSLMPAllocs(t *testing.T) {
	testAllocs(t, SLMP, slmpReadM100, slmpRead)
	testAllocs(t, SLMP, slmpRead1E, slmpWords1E)
}

func BenchmarkSLMP(b *testing.B) { benchDecode(b, SLMP, slmpReadM100, slmpRead) }

func FuzzSLMP(f *testing.F) {
	f.Add(unhex(f, slmpReadM100+slmpWriteD100), uint16(22), false)                              // two frames, cut in the head of the second
	f.Add(unhex(f, slmpASCII("500000FF03FF000018001004010001M*0001000008")), uint16(19), false) // cut within an octet of ASCII
	f.Add(unhex(f, slmpRead1E+"13ff0a00"), uint16(11), false)                                   // 1E, cut before its last octet
	f.Add(unhex(f, "5000"+slmpRoute+"ffff"), uint16(3), false)                                  // a length that leads nowhere
	f.Add(unhex(f, "5000"+slmpRoute+"0c00 1000 3016 0000 ffff 3132"), uint16(9), false)         // a password that runs on
	f.Add(unhex(f, slmpASCII("1000000020")), uint16(8), false)                                  // 1E of a length that cannot be told
	told := *SLMP
	told.New = func() Decoder { return slmpTold{new(slmpDecoder)} }
	fuzzDecode(f, &told)
}

// slmpTold counts a 1E frame of a length that cannot be told as not decoded, for
// where it ends depends on where the segment does.
type slmpTold struct{ *slmpDecoder }

func (d slmpTold) Decode(x *Exchange, from capture.Side, b []byte) int {
	used := d.slmpDecoder.Decode(x, from, b)
	if d.asked != nil && d.asked.fixed == 0 {
		x.Undecoded()
	}
	return used
}
