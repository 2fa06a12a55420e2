package protocol

import (
	"encoding/binary"
	"encoding/hex"
	"strings"
	"testing"

	"bulkhead/capture"

	"github.com/google/go-cmp/cmp"
)

// ads builds a packet between 192.168.1.99.1.1 port 32771 and 5.13.117.96.1.1
// port 801, or another: command, flags, error, invoke ID 7, and data.
func ads(command, flags, port uint16, data string) string {
	d, err := hex.DecodeString(unspaced(data))
	if err != nil {
		panic(err)
	}
	local, remote := []byte{192, 168, 1, 99, 1, 1, 0x03, 0x80}, []byte{5, 13, 117, 96, 1, 1}
	remote = binary.LittleEndian.AppendUint16(remote, port)
	b := binary.LittleEndian.AppendUint32([]byte{0, 0}, uint32(32+len(d)))
	if flags&1 != 0 {
		b = append(append(b, local...), remote...)
	} else {
		b = append(append(b, remote...), local...)
	}
	b = binary.LittleEndian.AppendUint16(b, command)
	b = binary.LittleEndian.AppendUint16(b, flags)
	b = binary.LittleEndian.AppendUint32(b, uint32(len(d)))
	b = append(b, 0, 0, 0, 0, 7, 0, 0, 0)
	return hex.EncodeToString(append(b, d...))
}

func adsAsk(command uint16, data string) turn    { return client(ads(command, 4, 801, data)) }
func adsAnswer(command uint16, data string) turn { return server(ads(command, 5, 801, data)) }

// Four octets of M from 0 on, and what they are.
var (
	adsReadM = ads(2, 4, 801, "20400000 00000000 04000000")
	adsReadX = ads(2, 5, 801, "00000000 04000000 01020304")
)

func TestADS(t *testing.T) {
	testDecode(t, ADS, []decodeTest{
		{"read, write, refused by the device", []turn{
			client(adsReadM), server(adsReadX), adsAsk(3, "20400000 00000000 01000000 ff"), adsAnswer(3, "00000000"),
			adsAsk(3, "20400000 00000000 01000000 ff"), adsAnswer(3, "04070000"),
		}, []string{
			"ads 2 client read Read: 1=1+0+0",
			"ads 3 client write Write: 2=1+1+0",
		}},
		{"stop, state, notifications", []turn{
			adsAsk(5, "0600 0000 00000000"), adsAnswer(5, "00000000"), adsAsk(4, ""), adsAnswer(4, "00000000 0500 0200"),
			adsAsk(6, strings.Repeat("00", 40)), adsAnswer(6, "00000000 01000000"), server(ads(8, 4, 801, "0000000000000000")), adsAsk(7, "01000000"),
		}, []string{
			"ads 4 client diagnose Read State: 1=1+0+0",
			"ads 5 client mode Write Control: 1=1+0+0",
			"ads 6 client read Add Device Notification: 1=1+0+0",
			"ads 7 client session Delete Device Notification: 1=0+0+1",
			"ads 8 server event Device Notification: 1=0+0+0",
		}},
		{"by index group", []turn{
			adsAsk(9, "03f00000 00000000 04000000 02000000 4100"), adsAnswer(9, "00000000 04000000 01000000"),
			adsAsk(9, "81f00000 01000000 04000000 00000000"), adsAsk(9, "99990000 00000000 04000000 00000000"),
			client(ads(9, 4, 10000, "78000000 02000000 04000000 00000000")), client(ads(3, 4, 10000, "f4010000 00000000 00000000")),
		}, []string{
			"ads 3 client program Write: start process: 1=0+0+1",
			"ads 9 client file Read Write: open file: 1=0+0+1",
			"ads 9 client read Read Write: symbol handle by name: 1=1+0+0",
			"ads 9 client write Read Write: 1=0+0+1",
			"ads 9 client write Read Write: sum write: 1=0+0+1",
		}},
		{"longer than a PDU that is put together", []turn{
			client(ads(3, 4, 801, "20400000 00000000 a0860100"+strings.Repeat("55", 100000)) + adsReadM),
		}, []string{
			"ads 2 client read Read: 1=0+0+1",
			"ads 3 client write Write: 1=0+0+1",
		}},
		{"a command of no specification; lengths that do not agree; no command", []turn{
			adsAsk(77, ""), client(strings.Replace(adsReadM, "0c000000", "0d000000", 1)), client(ads(2, 0, 801, "")),
		}, []string{"ads other client configure command of no specification: 1=0+0+1", "undecoded: 2"}},
	})
}

// The router says that it found no such port.
func TestADSRouterError(t *testing.T) {
	refusal := []byte(unhex(t, ads(2, 5, 801, "")))
	refusal[30] = 6
	c, _ := conversation(t, ADS, client(adsReadM), server(hex.EncodeToString(refusal)))
	if diff := cmp.Diff([]string{"ads 2 client read Read: 1=0+1+0"}, summary(c)); diff != "" {
		t.Errorf("operations (-want +got):\n%s", diff)
	}
}

func TestADSIdentity(t *testing.T) {
	_, tally := conversation(t, ADS, adsAsk(1, ""), adsAnswer(1, "00000000 02 0b 1106"+hex.EncodeToString([]byte("TCatPlcCtrl\x00\x00\x00\x00\x00"))))
	want := Said{
		Names:      []capture.Name{{Name: "5.13.117.96.1.1", Source: "ads", Frame: 2}},
		Identities: []capture.Identity{{Vendor: "Beckhoff", Model: "TCatPlcCtrl", Firmware: "2.11.1553", Source: "ads", Frame: 2}},
	}
	if diff := cmp.Diff(want, tally.Said(capture.FromServer)); diff != "" {
		t.Errorf("said (-want +got):\n%s", diff)
	}
}

// Datagrams of a router, as Beckhoff's AdsTool sends them: who are you, and add a
// route, with user and password.
const (
	adsWho   = "03661471 00000000 01000000 c0a801c70101 1027 00000000"
	adsIAm   = "03661471 00000000 01000080 050d75600101 1027 02000000 0500 0a00 43585f30443735363000 0300 0400 020b1106"
	adsRoute = "03661471 00000000 06000000 c0a801c70101 1027 03000000 0700 0600 c0a801c70101" +
		"0d00 0e00 41646d696e6973747261746f7200 0200 0500 7365637200"
	adsRouted  = "03661471 00000000 06000080 050d75600101 1027 01000000 0100 0400 00000000"
	adsNoRoute = "03661471 00000000 06000080 050d75600101 1027 01000000 0100 0400 04070000"
)

func TestADSDiscovery(t *testing.T) {
	testDecode(t, ADSDiscovery, []decodeTest{
		{"who, and a route", []turn{client(adsWho), server(adsIAm), client(adsRoute), server(adsRouted), client(adsRoute), server(adsNoRoute)}, []string{
			"ads udp:1 client discover Server Info: 1=1+0+0",
			"ads udp:6 client configure Add Route: 2=1+1+0",
		}},
		{"another service, another magic", []turn{client("03661471 00000000 05000000 c0a801c70101 1027 00000000"), client("03661472" + adsWho[8:])},
			[]string{"ads other client configure UDP service of no source: 1=0+0+1", "undecoded: 1"}},
	})
	c, tally := conversation(t, ADSDiscovery, client(adsWho), server(adsIAm), client(adsRoute), server(adsRouted))
	auth := []capture.AuthFact{{Kind: "ads route", Readable: true, Length: 4, Count: 1, Accepted: 1, Frame: 3}}
	if diff := cmp.Diff(auth, c.Security.Auth); diff != "" {
		t.Errorf("log-ins (-want +got):\n%s", diff)
	}
	want := Said{
		Names:      []capture.Name{{Name: "5.13.117.96.1.1", Source: "ads", Frame: 2}, {Name: "CX_0D7560", Source: "ads", Frame: 2}},
		Identities: []capture.Identity{{Vendor: "Beckhoff", Model: "TwinCAT", Firmware: "2.11.1553", Source: "ads", Frame: 2}},
	}
	if diff := cmp.Diff(want, tally.Said(capture.FromServer)); diff != "" {
		t.Errorf("said (-want +got):\n%s", diff)
	}
}

func TestADSRecognise(t *testing.T) {
	testRecognise(t, ADS, []recogniseTest{
		{"request", adsReadM, Match{Sure, Client}},
		{"response", adsReadX, Match{Sure, Server}},
		{"notification", ads(8, 4, 801, "00000000"), Match{Sure, Server}},
		{"header alone", adsReadM[:12], Match{Score: More}},
		{"lengths that do not agree", strings.Replace(adsReadM, "0c000000", "0d000000", 1), Match{No, AnyRole}},
		{"Modbus", "0000 0000 0006 11 03 006b 0003", Match{No, AnyRole}},
		{"SMB", "00000054 ff534d42", Match{No, AnyRole}},
	})
	testDatagrams(t, ADSDiscovery, []recogniseTest{
		{"who", adsWho, Match{Sure, Client}},
		{"I am", adsIAm, Match{Sure, Server}},
		{"cut", "03661471 00000000 01000000", Match{No, AnyRole}},
		{"FINS", finsReadD100, Match{No, AnyRole}},
	})
}

func TestADSOps(t *testing.T) {
	ops := []*Op{adsOther, adsOtherUDP, adsServerInfoOp, adsAddRouteOp}
	ops = append(ops, adsCommands[1:]...)
	for _, op := range adsGroups {
		ops = append(ops, op)
	}
	testOps(t, ops)
}

func TestADSAllocs(t *testing.T) {
	testAllocs(t, ADS, adsReadM, adsReadX)
	testAllocs(t, ADSDiscovery, adsRoute, adsRouted)
}

func BenchmarkADS(b *testing.B) { benchDecode(b, ADS, adsReadM, adsReadX) }

func FuzzADS(f *testing.F) {
	f.Add(unhex(f, adsReadM+adsReadM), uint16(50), false)                                  // two packets, cut between them
	f.Add(unhex(f, ads(3, 4, 801, strings.Repeat("00", 100))+adsReadM), uint16(70), false) // cut in what is let pass
	f.Add(unhex(f, ads(1, 5, 801, "00000000 020b1106 5443")), uint16(40), true)            // an identity that is cut
	f.Add(unhex(f, "0000ffffffff"+strings.Repeat("00", 32)), uint16(6), false)             // a length that leads nowhere
	fuzzDecode(f, ADS)
}

func FuzzADSDiscovery(f *testing.F) {
	f.Add(unhex(f, adsRoute))
	f.Add(unhex(f, adsWho[:len(adsWho)-8]+"01000000 0200 ffff 41")) // a tag that runs on
	fuzzMessages(f, ADSDiscovery)
}
