package protocol

import (
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"testing"

	"bulkhead/capture"

	"github.com/google/go-cmp/cmp"
)

// cosem puts an APDU into the wrapper, from client 16 to the meter's port 1.
func cosem(apdu string) string {
	a := unspaced(apdu)
	return fmt.Sprintf("000100100001%04x%s", len(a)/2, a)
}

// hdlc puts information into a frame of client 1 to meter 1, with both checks.
func hdlc(control byte, info string) string {
	sum := func(b []byte) uint16 {
		crc := uint16(0xffff)
		for _, c := range b {
			crc = crc>>8 ^ hdlcTable[byte(crc)^c]
		}
		return ^crc
	}
	i, err := hex.DecodeString(unspaced(info))
	if err != nil {
		panic(err)
	}
	size := 5 + 2
	if len(i) > 0 {
		size += len(i) + 2
	}
	b := []byte{0xa0 | byte(size>>8), byte(size), 0x03, 0x03, control}
	b = binary.LittleEndian.AppendUint16(b, sum(b))
	if len(i) > 0 {
		b = append(b, i...)
		b = binary.LittleEndian.AppendUint16(b, sum(b))
	}
	return "7e" + hex.EncodeToString(b) + "7e"
}

// APDUs: an association with a password of 8 characters, and without, and their
// answer; a clock read, a register and a relay written.
const (
	dlmsLowLevel = "6036 a109 0607 60857405080101 8a02 0780 8b07 60857405080201 ac0a 8008 3132333435363738 be10 040e 01000000065f1f0400007e1f0080"
	dlmsAccept   = "6129 a109 0607 60857405080101 a203 020100 a305 a103 020100 be10 040e 0800065f1f040000181d007d0007"
	dlmsReject   = "6129 a109 0607 60857405080101 a203 020101 a305 a103 020101 be10 040e 0800065f1f040000181d007d0007"
	dlmsGetClock = "c001 c1 0008 0000010000ff 02 00"
	dlmsGot      = "c401 c1 00 0600000000"
	dlmsSetReg   = "c101 c2 0003 0100010800ff 02 00 0600000000"
	dlmsTrip     = "c301 c3 0046 000060030aff 01 01 0f00"
)

func TestDLMS(t *testing.T) {
	testDecode(t, DLMS, []decodeTest{
		{"get, set, action", []turn{
			client(cosem(dlmsGetClock)), server(cosem(dlmsGot)), client(cosem(dlmsSetReg)), server(cosem("c501 c2 03")),
			client(cosem(dlmsTrip)), server(cosem("c701 c3 00 00")),
		}, []string{
			"dlms 0xc0 client read get-request: 1=1+0+0",
			"dlms 0xc1 client write set-request: Register: 1=0+1+0",
			"dlms 0xc3 client control action-request: Disconnect control: 1=1+0+0",
		}},
		{"in HDLC, two frames in a segment", []turn{client(hdlc(0x93, "") + hdlc(0x10, "e6e600"+dlmsGetClock)), server(hdlc(0x30, "e6e700"+dlmsGot))},
			[]string{"dlms 0xc0 client read get-request: 1=1+0+0"}},
		{"image, others, encrypted, a push", []turn{
			client(cosem("c301 c1 0012 00002c0000ff 01 00")), client(cosem("c101 c2 000f 0000280000ff 07 00")), client(cosem("cb 03 20 aabb")),
			server(cosem("0f 00000001 00 00")),
		}, []string{
			"dlms 0x0f server event data-notification: 1=0+0+0",
			"dlms 0xc1 client configure set-request: 1=0+0+1",
			"dlms 0xc3 client firmware action-request: Image transfer: 1=0+0+1",
			"dlms 0xcb client configure glo-action-request: 1=0+0+1",
		}},
		{"an exception refuses what is open", []turn{client(cosem(dlmsGetClock)), server(cosem("d8 01 02"))}, []string{"dlms 0xc0 client read get-request: 1=0+1+0"}},
		{"in pieces", []turn{client(cosem(dlmsGetClock)[:10]), client(cosem(dlmsGetClock)[10:])}, []string{"dlms 0xc0 client read get-request: 1=0+0+1"}},
		{"no APDU; wrong check; no wrapper", []turn{client(cosem("ff")), client("7ea0070321930f027e"), client("0002001000010001c0")}, []string{"undecoded: 3"}},
	})
}

func TestDLMSLogin(t *testing.T) {
	c, _ := conversation(t, DLMS, client(cosem(dlmsLowLevel)), server(cosem(dlmsAccept)), client(hdlc(0x10, "e6e600"+dlmsLowLevel)), server(hdlc(0x30, "e6e700"+dlmsReject)))
	want := []capture.AuthFact{{Kind: "dlms low", Readable: true, Length: 8, Count: 2, Accepted: 1, Frame: 1}}
	if diff := cmp.Diff(want, c.Security.Auth); diff != "" {
		t.Errorf("log-ins (-want +got):\n%s", diff)
	}
}

func TestDLMSRecognise(t *testing.T) {
	testRecognise(t, DLMS, []recogniseTest{
		{"association", cosem(dlmsLowLevel), Match{Sure, Client}},
		{"association accepted", cosem(dlmsAccept), Match{Sure, Server}},
		{"get", cosem(dlmsGetClock), Match{Weak, Client}},
		{"HDLC of a capture: set normal response mode", "7ea0070303938c117e", Match{Sure, Client}},
		{"HDLC of a capture: unnumbered acknowledgement", "7ea0070321930f017e", Match{Sure, Client}},
		{"HDLC with a get", hdlc(0x10, "e6e600"+dlmsGetClock), Match{Sure, Client}},
		{"HDLC with a wrong check", "7ea0070303938c127e", Match{}},
		{"PPP", "7eff7d23c021", Match{}},
		{"Modbus", "0001 0000 0006 01 03 0000 000a", Match{}},
		{"Modbus of transaction 1 and another protocol", "0001 0000 0006 01 c0 0000", Match{}},
	})
}

func TestDLMSOps(t *testing.T) {
	var ops []*Op
	for i := range dlmsAPDUs {
		if dlmsAPDUs[i].way != dlmsUnknown {
			ops = append(ops, &dlmsAPDUs[i].op)
		}
	}
	for _, o := range dlmsObjects {
		ops = append(ops, o.set, o.action)
	}
	testOps(t, ops)
}

func TestDLMSAllocs(t *testing.T) {
	testAllocs(t, DLMS, cosem(dlmsGetClock)+hdlc(0x10, "e6e600"+dlmsSetReg), cosem(dlmsGot)+cosem("c501 c2 00"))
}

func FuzzDLMS(f *testing.F) {
	f.Add(unhex(f, cosem(dlmsGetClock)+cosem(dlmsSetReg)), uint16(25), false) // cut within a second header
	f.Add(unhex(f, hdlc(0x10, "e6e600"+dlmsLowLevel)), uint16(30), false)     // cut within an association
	f.Add(unhex(f, cosem("60 ff")), uint16(3), true)                          // an association without its elements
	fuzzDecode(f, DLMS)
}
