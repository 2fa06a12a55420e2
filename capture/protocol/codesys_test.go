package protocol

import (
	"encoding/binary"
	"encoding/hex"
	"testing"
	"unicode/utf16"

	"bulkhead/capture"

	"github.com/google/go-cmp/cmp"
)

// codesysBlk puts a datagram into a block: hop info, service of the datagram, the
// addresses of both sides (port and IP), and what it carries.
func codesysBlk(service byte, body string) string {
	d, err := hex.DecodeString(unspaced("c5 73 40 00 00 33 2ddc c0a80102 cdcd c0a80103 0000" + body))
	if err != nil {
		panic(err)
	}
	d[3] = service
	b := binary.LittleEndian.AppendUint32([]byte{0, 1, 0x17, 0xe8}, uint32(codesysBlock+len(d)))
	return hex.EncodeToString(append(b, d...))
}

// codesysCallOf builds the first block of a service in channel 0x1234.
func codesysCallOf(group, service uint16, tags string) string {
	t, err := hex.DecodeString(unspaced(tags))
	if err != nil {
		panic(err)
	}
	b := []byte{1, 0x81, 0x34, 0x12, 1, 0, 0, 0, 0, 0, 0, 0}
	b = binary.LittleEndian.AppendUint32(b, uint32(20+len(t)))
	b = append(b, 0xde, 0xad, 0xbe, 0xef) // checksum
	b = append(b, 0x55, 0xcd, 16, 0)
	b = binary.LittleEndian.AppendUint16(b, group)
	b = binary.LittleEndian.AppendUint16(b, service)
	b = append(b, 0x11, 0x22, 0x33, 0x44)
	b = binary.LittleEndian.AppendUint32(b, uint32(len(t)))
	b = append(b, 0, 0, 0, 0)
	return codesysBlk(codesysChannel, hex.EncodeToString(append(b, t...)))
}

var (
	codesysStatus   = codesysCallOf(0x02, 20, "")
	codesysStatusIs = codesysCallOf(0x82, 20, "")
)

// codesysNode is what a node says of itself.
func codesysNode() string {
	utf := func(s string) (b []byte) {
		for _, u := range append(utf16.Encode([]rune(s)), 0) {
			b = binary.LittleEndian.AppendUint16(b, u)
		}
		return b
	}
	b := append([]byte{0x80, 0xc2, 0x00, 0x04, 9, 0, 0, 0, 8, 0, 1, 0, 0, 0, 4, 0, 3, 0, 2, 0}, make([]byte, 8)...)
	b = append(b, 40, 16, 5, 3) // version
	b = append(b, 0, 0, 0, 0, 4, 0, 5, 0)
	b = append(b, make([]byte, 8)...)
	b = append(append(append(b, utf("plc1")...), utf("PFC")...), utf("3S")...)
	return codesysBlk(codesysNameIs, hex.EncodeToString(append(b, "S123\x00"...)))
}

func TestCODESYS(t *testing.T) {
	testDecode(t, CODESYS, []decodeTest{
		{"a channel, status over two segments, stop, download", []turn{
			client(codesysBlk(codesysChannel, "c300 0101 00000000 07000000 00001f00 05000000")), server(codesysBlk(codesysChannel, "8300 0101 00000000 07000000 0000 3412 00001f00")),
			client(codesysStatus[:30]), client(codesysStatus[30:]), server(codesysStatusIs),
			client(codesysCallOf(0x02, 17, "") + codesysCallOf(0x02, 5, "")), server(codesysCallOf(0x82, 17, "")),
			client(codesysBlk(codesysChannel, "0180 3412 02000000 00000000 aabbccdd")), // a later block of the download
			server(codesysBlk(codesysChannel, "0200 3412 02000000")), client(codesysBlk(codesysChannel, "c400 0101 00000000 3412 0000")),
		}, []string{
			"codesys 0x02/5 client program CmpApp: Download: 1=0+0+1",
			"codesys 0x02/17 client mode CmpApp: Stop: 1=1+0+0",
			"codesys 0x02/20 client diagnose CmpApp: Get Status: 1=1+0+0",
			"codesys channel:c3 client session Open Channel: 1=1+0+0",
			"codesys channel:c4 client session Close Channel: 1=0+0+0",
		}},
		{"name service", []turn{client(codesysBlk(codesysNameAsk, "02c2 0004 09000000")), server(codesysNode())},
			[]string{"codesys ns:c202 client discover Name Service request c202: 1=1+0+0"}},
		{"a variable written, a service and a group that no source names", []turn{
			client(codesysCallOf(0x1b, 2, "")), client(codesysCallOf(0x02, 99, "")), client(codesysCallOf(0x55, 1, "")),
		}, []string{
			"codesys other client configure CmpApp: service of no source: 1=0+0+1",
			"codesys other client configure service of no source: 1=0+0+1",
			"codesys 0x1b/2 client write CmpMonitor: Write: 1=0+0+1",
		}},
		{"no datagram; a service of the datagram that is none; a length", []turn{
			client("000117e8 0e000000 000000000000"), client(codesysBlk(9, "")), client("000117e8 ffffffff"),
		}, []string{"undecoded: 3"}},
	})
}

// The password crosses the wire mixed with a challenge that the client chose.
func TestCODESYSLogin(t *testing.T) {
	ask := client(codesysCallOf(0x01, 2, "22 04 01000000 23 04 78563412 8101 08 10 02 6100 11 02 aabb"))
	c, _ := conversation(t, CODESYS, ask, server(codesysCallOf(0x81, 2, "8201 04 20 02 0500")), ask, server(codesysCallOf(0x81, 2, "8201 06 21 04 01020304")))
	if diff := cmp.Diff([]string{"codesys 0x01/2 client session CmpDevice: Login: 2=1+1+0"}, summary(c)); diff != "" {
		t.Errorf("operations (-want +got):\n%s", diff)
	}
	want := []capture.AuthFact{{Kind: "codesys challenge", Length: 2, Count: 2, Accepted: 1, Frame: 1}}
	if diff := cmp.Diff(want, c.Security.Auth); diff != "" {
		t.Errorf("log-ins (-want +got):\n%s", diff)
	}
}

func TestCODESYSIdentity(t *testing.T) {
	_, tally := conversation(t, CODESYS, server(codesysNode()))
	want := Said{
		Names:      []capture.Name{{Name: "plc1", Source: "codesys", Frame: 1}},
		Identities: []capture.Identity{{Vendor: "3S", Model: "PFC", Firmware: "3.5.16.40", Serial: "S123", Source: "codesys", Frame: 1}},
	}
	if diff := cmp.Diff(want, tally.Said(capture.FromServer)); diff != "" {
		t.Errorf("said (-want +got):\n%s", diff)
	}
}

func TestCODESYSRecognise(t *testing.T) {
	testRecognise(t, CODESYS, []recogniseTest{
		{"service", codesysStatus, Match{Sure, Client}},
		{"its reply", codesysStatusIs, Match{Sure, Server}},
		{"name service", codesysNode(), Match{Sure, Server}},
		{"block alone", codesysStatus[:16], Match{Score: More}},
		{"no datagram", "000117e8 0e000000 000000000000", Match{No, AnyRole}},
		{"Modbus", "0001 0000 0006 11 03 006b 0003", Match{No, AnyRole}},
	})
	testDatagrams(t, CODESYSUDP, []recogniseTest{
		{"service", codesysStatus[16:], Match{Sure, Client}},
		{"name service", codesysBlk(codesysNameAsk, "02c2 0004 09000000")[16:], Match{Sure, Client}},
		{"channel", codesysBlk(codesysChannel, "c300 0101 00000000 07000000")[16:], Match{Weak, Client}},
		{"short head", "c570 40 03 00 00 02c2 0004 09000000", Match{No, AnyRole}},
		{"FINS", "c0000200 63 0000 c800 07 0101 0000", Match{No, AnyRole}},
	})
}

func TestCODESYSOps(t *testing.T) {
	ops := []*Op{codesysOther, codesysSecured, codesysAddressOp, codesysResolve1Op, codesysResolve2Op, codesysOpenOp, codesysCloseOp, codesysInfoOp}
	for _, op := range codesysOps {
		ops = append(ops, op)
	}
	for _, op := range codesysOthers {
		ops = append(ops, op)
	}
	testOps(t, ops)
}

func TestCODESYSAllocs(t *testing.T) {
	testAllocs(t, CODESYS, codesysStatus, codesysStatusIs)
	testAllocs(t, CODESYSUDP, codesysCallOf(0x01, 2, "8101 04 11 02 aabb")[16:], codesysCallOf(0x81, 2, "8201 04 20 02 0000")[16:])
}

func BenchmarkCODESYS(b *testing.B) { benchDecode(b, CODESYS, codesysStatus, codesysStatusIs) }

func FuzzCODESYS(f *testing.F) {
	f.Add(unhex(f, codesysStatus+codesysStatus), uint16(50), false)                   // two blocks, cut in the first
	f.Add(unhex(f, codesysNode()), uint16(9), true)                                   // cut behind the magic of the datagram
	f.Add(unhex(f, codesysCallOf(0x01, 2, "8101 7f 11 02")), uint16(3), false)        // a tag that runs on
	f.Add(unhex(f, codesysCallOf(0x01, 2, "ffffffffffff")), uint16(3), false)         // a number that does not end
	f.Add(unhex(f, codesysBlk(codesysNameIs, "80c2 0004 09000000")), uint16(3), true) // an identification without its fields
	fuzzDecode(f, CODESYS)
}

func FuzzCODESYSUDP(f *testing.F) {
	f.Add(unhex(f, codesysStatus[16:]))
	f.Add(unhex(f, "c5")) // nothing behind the magic
	fuzzMessages(f, CODESYSUDP)
}
