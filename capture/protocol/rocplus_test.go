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

// roc builds a message to unit 1 of group 2 from unit 3 of group 4.
func roc(opcode int, data string) string {
	d := unspaced(data)
	m, err := hex.DecodeString(fmt.Sprintf("01020304%02x%02x%s", opcode, len(d)/2, d))
	if err != nil {
		panic(err)
	}
	return hex.EncodeToString(binary.LittleEndian.AppendUint16(m, crc16(0xffff, m)))
}

// As captures have them: the first request and answer of the corpus's.
const (
	rocConfigAsk = "0102030406003a2f"
	rocClockAsk  = "0102030407003bbf"
)

func TestROCPlus(t *testing.T) {
	testDecode(t, ROCPlus, []decodeTest{
		{"write and its answer, a read refused", []turn{
			client(roc(181, "01 01010101 42")), server(roc(181, "")), client(roc(180, "01 010101")), server(roc(255, "0206")),
		}, []string{
			"roc-plus 180 client read Request Parameters: 1=0+1+0 [258]",
			"roc-plus 181 client write Write Parameters: 1=1+0+0 [258]",
		}},
		{"the same opcode twice, answered in turn", []turn{client(rocClockAsk + rocClockAsk), server(roc(7, "1e2d0c0f0307e803"))},
			[]string{"roc-plus 7 client read Read Real-time Clock: 2=1+0+1 [258]"}},
		{"a signal of its own accord", []turn{server(roc(224, "")), client(roc(225, ""))}, []string{
			"roc-plus 224 server event SRBX Signal: 1=0+0+0 [258]",
			"roc-plus 225 client session Acknowledge SRBX: 1=0+0+0 [258]",
		}},
		{"in pieces; an opcode of no manual", []turn{client(rocConfigAsk[:6]), client(rocConfigAsk[6:] + roc(99, "00"))}, []string{
			"roc-plus 6 client discover System Configuration: 1=0+0+1 [258]",
			"roc-plus 99 client configure opcode 99: 1=0+0+1 [258]",
		}},
		{"the check that begins with 0", []turn{client("0102030406 00 3a34")}, []string{"roc-plus 6 client discover System Configuration: 1=0+0+1 [258]"}},
		{"wrong check", []turn{client("0102030406003a2e")}, []string{"undecoded: 1"}},
	})
}

func TestROCPlusLogin(t *testing.T) {
	c, _ := conversation(t, ROCPlus,
		client(roc(17, "4f5031 1234 01")), server(roc(17, "")),
		client(roc(17, hex.EncodeToString([]byte("OPERATOR"+strings.Repeat(" ", 22)+"PASSWORD1"+strings.Repeat(" ", 31)))+"01")), server(roc(255, "0106")),
		client(roc(17, "4f5031 1234 4c4f474f5554")))
	want := []capture.AuthFact{
		{Kind: "roc operator", Readable: true, Length: 2, Count: 1, Accepted: 1, Frame: 1},
		{Kind: "roc operator", Readable: true, Length: 9, Count: 1, Frame: 3},
	}
	if diff := cmp.Diff(want, c.Security.Auth); diff != "" {
		t.Errorf("log-ins (-want +got):\n%s", diff)
	}
}

func TestROCPlusRecognise(t *testing.T) {
	testRecognise(t, ROCPlus, []recogniseTest{
		{"request", rocConfigAsk, Match{Sure, Client}},
		{"answer", roc(7, "1e2d0c0f0307e803"), Match{Sure, Server}},
		{"read", roc(180, "01 010101"), Match{Sure, AnyRole}},
		{"write", roc(181, "01 01010101 42"), Match{Sure, Client}},
		{"opcode of no manual", roc(99, "00"), Match{}},
		{"wrong check", "0102030406003a2e", Match{}},
		{"Modbus", modbusReadRequest, Match{}},
		{"DNP3", dnp3Read, Match{}},
	})
}

func TestROCPlusOps(t *testing.T) {
	ops := make([]*Op, len(rocOps))
	for i := range rocOps {
		ops[i] = &rocOps[i]
	}
	testOps(t, ops)
}

func TestROCPlusAllocs(t *testing.T) { testAllocs(t, ROCPlus, rocClockAsk, roc(7, "1e2d0c0f0307e803")) }

func FuzzROCPlus(f *testing.F) {
	f.Add(unhex(f, rocConfigAsk+rocClockAsk), uint16(11), false)    // cut within a second header
	f.Add(unhex(f, roc(17, "4f5031 1234 01")), uint16(7), false)    // cut within a secret
	f.Add(unhex(f, roc(255, "0206")+roc(224, "")), uint16(3), true) // an error with nothing open
	fuzzDecode(f, ROCPlus)
}
