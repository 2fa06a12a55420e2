package protocol

import (
	"encoding/hex"
	"strings"
	"testing"
)

// gesrtp builds a header: packet type, sequence number, length of the text,
// message type, and a request at 42 or, with text, at 50.
func gesrtp(kind, sequence byte, message, service byte, text string) string {
	t, err := hex.DecodeString(unspaced(text))
	if err != nil {
		panic(err)
	}
	b := make([]byte, gesrtpHeader)
	b[0], b[2], b[4], b[30], b[31] = kind, sequence, byte(len(t)), sequence, message
	b[9], b[17] = 1, 1
	b[36], b[37], b[40], b[41] = 0x10, 0x0e, 1, 1
	at := 42
	if message == gesrtpText {
		b[9], b[17], at = 2, 2, 50
	}
	b[at] = service
	return hex.EncodeToString(append(b, t...))
}

var (
	gesrtpZeros = strings.Repeat("00", gesrtpHeader)
	gesrtpHello = "01" + strings.Repeat("00", 7) + "0f" + strings.Repeat("00", gesrtpHeader-9)
	gesrtpRead  = gesrtp(2, 5, 0xc0, 0x04, "")
	gesrtpData  = gesrtp(3, 5, 0x94, 0, "0102")
)

func TestGESRTP(t *testing.T) {
	testDecode(t, GESRTP, []decodeTest{
		{"open, read in two segments, write with text, refused", []turn{
			client(gesrtpZeros), server(gesrtpHello), client(gesrtpRead[:40]), client(gesrtpRead[40:]), server(gesrtpData),
			client(gesrtp(2, 6, 0x80, 0x07, "00112233445566778899")), server(gesrtp(3, 6, 0xd4, 0, "")),
			client(gesrtp(2, 7, 0xc0, 0x07, "")), server(gesrtp(3, 7, 0xd1, 0, "")),
		}, []string{
			"ge-srtp 0x04 client read Read System Memory: 1=1+0+0",
			"ge-srtp 0x07 client write Write System Memory: 2=1+1+0",
			"ge-srtp init client session Initialise: 1=1+0+0",
		}},
		{"stop, download, force, a service that nobody published", []turn{
			client(gesrtp(2, 1, 0xc0, 0x23, "") + gesrtp(2, 2, 0x80, 0x40, "00") + gesrtp(2, 3, 0xc0, 0x44, "") + gesrtp(2, 4, 0xc0, 0x99, "")),
		}, []string{
			"ge-srtp 0x23 client mode Set PLC (run versus stop): 1=0+0+1",
			"ge-srtp 0x40 client program Program Load (download to PLC): 1=0+0+1",
			"ge-srtp 0x44 client control Toggle Force System Memory: 1=0+0+1",
			"ge-srtp 0x99 client configure service request 0x99: 1=0+0+1",
		}},
		{"message types that are none, a packet type that is none", []turn{client(gesrtp(2, 1, 0x55, 4, "")), server(gesrtp(3, 1, 0x55, 4, "")), client("04" + gesrtpZeros[2:])},
			[]string{"undecoded: 3"}},
	})
}

func TestGESRTPRecognise(t *testing.T) {
	testRecognise(t, GESRTP, []recogniseTest{
		{"request", gesrtpRead, Match{Sure, Client}},
		{"request with text", gesrtp(2, 6, 0x80, 0x07, "0011"), Match{Sure, Client}},
		{"opening", gesrtpZeros, Match{Weak, Client}},
		{"opened", gesrtpHello, Match{Weak, Server}},
		{"response", gesrtpData, Match{Weak, Server}},
		{"COTP", "0300 0016 11e00000 00010 0c1020100c2020102c0010a" + strings.Repeat("00", 40), Match{No, AnyRole}},
		{"Modbus", modbusReadRequest, Match{No, AnyRole}},
		{"ADS", adsReadM + adsReadM, Match{No, AnyRole}},
	})
}

func TestGESRTPOps(t *testing.T) {
	ops := []*Op{gesrtpInit}
	for i := range gesrtpServices {
		ops = append(ops, &gesrtpServices[i])
	}
	testOps(t, ops)
}

func TestGESRTPAllocs(t *testing.T) { testAllocs(t, GESRTP, gesrtpRead, gesrtpData) }

func BenchmarkGESRTP(b *testing.B) { benchDecode(b, GESRTP, gesrtpRead, gesrtpData) }

func FuzzGESRTP(f *testing.F) {
	f.Add(unhex(f, gesrtpRead+gesrtpRead), uint16(60), false)                // two packets, cut in the second
	f.Add(unhex(f, gesrtp(2, 6, 0x80, 0x07, "00112233")), uint16(57), false) // cut in the text
	f.Add(unhex(f, "02000000ffff"+gesrtpZeros[12:]), uint16(3), false)       // a length beyond what is put together
	fuzzDecode(f, GESRTP)
}
