package protocol

import (
	"encoding/hex"
	"testing"

	"bulkhead/capture"

	"github.com/google/go-cmp/cmp"
)

// Messages of the corpus without their titles: who calls, by invocation 0x13e81421,
// and user information with EPSEM's control octet and services.
func c1222(services string) string {
	s := unspaced(services)
	n := len(s) / 2
	b := []byte{0x60, byte(8 + 2 + 2 + 2 + n + 1), 0xa8, 0x06, 0x02, 0x04, 0x13, 0xe8, 0x14, 0x21, 0xbe, byte(n + 5), 0x28, byte(n + 3), 0x81, byte(n + 1), 0x80}
	return hex.EncodeToString(b) + s
}

const c1222Encrypted = "6047a211060f2b060104018285638e7f85f1c24e00a60a06082b06010401828563a806020413e81421ac0fa20da00ba10980010081044c97f489be0d280b81098865f1e271a71f7f27"

func TestC1222(t *testing.T) {
	testDecode(t, C1222, []decodeTest{
		{"partial read, answered", []turn{client(c1222("07 31 0001 0000 0001 00")), server(c1222("0c 00 0008 7465737464617461 00"))},
			[]string{"c12.22 0x31 client read Partial Read, index: 1=1+0+0 [table 1]"}},
		{"two services, the second refused", []turn{client(c1222("03 30 0001 08 40 0002 0002 aabb 00")), server(c1222("05 00 0001 00 ff 01 03"))}, []string{
			"c12.22 0x30 client read Full Read: 1=1+0+0 [table 1]",
			"c12.22 0x40 client write Full Write: 1=0+1+0 [table 2]",
		}},
		{"procedures: warm start, load control, the maker's", []turn{
			client(c1222("09 40 0007 0003 010001 00")), client(c1222("09 40 0007 0003 150001 00")), client(c1222("09 40 0007 0003 010801 00")),
		}, []string{
			"c12.22 0x40 client configure Full Write of table 7: procedure: 1=0+0+1 [table 7]",
			"c12.22 0x40 client control Full Write of table 7: load control: 1=0+0+1 [table 7]",
			"c12.22 0x40 client mode Full Write of table 7: start or change of mode: 1=0+0+1 [table 7]",
		}},
		{"encrypted", []turn{client(c1222Encrypted)}, []string{"c12.22 encrypted client configure encrypted services: 1=0+0+0"}},
		{"in pieces; no message; a service that is cut", []turn{client(c1222("01 20")[:9+1]), client(c1222("01 20")[10:]), client("00"), client(c1222("05 20"))}, []string{
			"c12.22 0x20 client discover Identification: 1=0+0+1",
			"undecoded: 2",
		}},
	})
	c, _ := conversation(t, C1222, client(c1222("11 50 1234 68656c6c6f776f726c64 0000 0000 00")), server(c1222("01 00")),
		client(c1222("15 51 70617373776f7264000000000000000000000000")), server(c1222("01 03")))
	want := []capture.AuthFact{
		{Kind: "c12.22 logon", Count: 1, Accepted: 1, Frame: 1},
		{Kind: "c12.22 password", Readable: true, Length: 8, Count: 1, Frame: 3},
	}
	if diff := cmp.Diff(want, c.Security.Auth); diff != "" {
		t.Errorf("log-ins (-want +got):\n%s", diff)
	}
}

func TestC1222Recognise(t *testing.T) {
	testRecognise(t, C1222, []recogniseTest{
		{"request", c1222("01 20"), Match{Sure, Client}},
		{"answer", c1222("01 00"), Match{Sure, Server}},
		{"encrypted", c1222Encrypted, Match{Sure, AnyRole}},
		{"an association of DLMS", "6036 a109 0607 60857405080101 8a020780", Match{More, AnyRole}},
		{"an element that is none", "6004 9f020000", Match{}},
		{"LDAP bind", "30 0c 020101 6007 020103 0400 8000", Match{}},
		{"Modbus", modbusReadRequest, Match{}},
	})
}

func TestC1222Ops(t *testing.T) {
	ops := []*Op{c1222Secret}
	for i := range c1222Ops {
		ops = append(ops, &c1222Ops[i])
	}
	testOps(t, ops)
}

func TestC1222Allocs(t *testing.T) {
	testAllocs(t, C1222, c1222("03 30 0001"), c1222("05 00 0001 00 ff"))
}

func FuzzC1222(f *testing.F) {
	f.Add(unhex(f, c1222("01 20")+c1222("03 30 0001")), uint16(25), false) // cut within a second message
	f.Add(unhex(f, c1222Encrypted), uint16(9), true)                       // cut within an element
	f.Add(unhex(f, "6084ffffffff"), uint16(3), false)                      // a length that leads nowhere
	fuzzDecode(f, C1222)
}
