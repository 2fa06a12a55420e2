package protocol

import (
	"encoding/hex"
	"fmt"
	"strings"
	"testing"

	"bulkhead/capture"

	"github.com/google/go-cmp/cmp"
)

// tlv puts an identifier and a length in front of hex.
func tlv(id, content string) string {
	content = strings.Join(strings.Fields(content), "")
	switch n := len(content) / 2; {
	case n < 0x80:
		return fmt.Sprintf("%s%02x%s", id, n, content)
	default:
		return fmt.Sprintf("%s82%04x%s", id, n, content)
	}
}

// ascii returns text in hex.
func ascii(s string) string { return hex.EncodeToString([]byte(s)) }

// tpktData puts TPKT and a COTP data unit, the last of its TSDU, around hex.
func tpktData(tsdu string) string {
	tsdu = strings.Join(strings.Fields(tsdu), "")
	return fmt.Sprintf("0300%04x02f080%s", len(tsdu)/2+7, tsdu)
}

// mms sends an MMS PDU as a presentation data value of context 3: give tokens,
// data, user data, list, context, single value.
func mms(pdu string) string {
	return tpktData("01000100" + tlv("61", tlv("30", "020103"+tlv("a0", pdu))))
}

// Associations: AARQ and AARE in presentation and session, each with an initiate.
const (
	mmsContext    = "a107 0605 28ca220203"
	mmsInitAsk    = "a826 8003007d00 810105 820105 83010a a416 800101 810305f100 820c03ee1c00000408000079ef18"
	mmsInitAnswer = "a926 8003007d00 810105 820105 83010a a416 800101 810305f100 820c03ee1c00000408000079ef18"
	mmsAuthNone   = ""
	mmsPassword   = "8a020780 8b03520301 ac08 8006736563726574" // requirements, mechanism, value: six characters
)

// mmsConnect is a session CONNECT with a CP and an AARQ, which bears what
// authentication holds in hex.
func mmsConnect(authentication string) string {
	aarq := tlv("60", mmsContext+authentication+tlv("be", tlv("28", "020103"+tlv("a0", mmsInitAsk))))
	user := tlv("61", tlv("30", "020101"+tlv("a0", aarq)))
	contexts := "a423 300f0201010604520100013004060251013010020103060528ca22020130040602 5101"
	cp := tlv("31", "a003800101"+tlv("a2", contexts+user))
	return tpktData(session("0d", "0506130100160102 14020002"+sessionParam("c1", cp)))
}

// mmsAccept is a session ACCEPT with a CPA and an AARE of a result.
func mmsAccept(result string) string {
	aare := tlv("61", mmsContext+"a203 0201"+result+"a305a103020100"+tlv("be", tlv("28", "020103"+tlv("a0", mmsInitAnswer))))
	user := tlv("61", tlv("30", "020101"+tlv("a0", aare)))
	cpa := tlv("31", "a003800101"+tlv("a2", user))
	return tpktData(session("0e", "0506130100160102 14020002"+sessionParam("c1", cpa)))
}

func session(id, params string) string { return sessionParam(id, params) }

// sessionParam puts an identifier and a session length in front of hex.
func sessionParam(id, value string) string {
	value = strings.Join(strings.Fields(value), "")
	if n := len(value) / 2; n > 0xfe {
		return fmt.Sprintf("%sff%04x%s", id, n, value)
	}
	return fmt.Sprintf("%s%02x%s", id, len(value)/2, value)
}

// mmsVariable names a variable in a domain, in an access specification of one.
func mmsVariable(domain, item string) string {
	return tlv("30", tlv("a0", tlv("a1", tlv("1a", ascii(domain))+tlv("1a", ascii(item)))))
}

func mmsReadOf(invoke, item string) string {
	return mms(tlv("a0", "0201"+invoke+tlv("a4", tlv("a1", tlv("a0", mmsVariable("IED1LD0", item))))))
}

// mmsWriteOf writes true to each item.
func mmsWriteOf(invoke string, items ...string) string {
	list, data := "", ""
	for _, item := range items {
		list, data = list+mmsVariable("IED1LD0", item), data+"830101"
	}
	return mms(tlv("a0", "0201"+invoke+tlv("a5", tlv("a0", list)+tlv("a0", data))))
}

// Answers, with invoke id 1 unless said.
var (
	mmsWrote     = mms("a107 020101 a502 8100")   // success
	mmsNotWrote  = mms("a108 020101 a503 800103") // object access denied
	mmsSelected  = mms("a10c 020101 a407 a105 8a034f6e31")
	mmsUnselect  = mms("a109 020101 a404 a102 8a00") // no reference: not selected
	mmsValue     = mms("a10a 020101 a405 a103 830101")
	mmsNoValue   = mms("a10a 020101 a405 a103 80010a")
	mmsErrorOf1  = mms("a20a 800101 a205 a003 870101")
	mmsRejectOf1 = mms("a406 800101 810101")
	mmsReport    = mms("a30e a00c a105 8003525054 a003 830101") // list "RPT", one value
	mmsIdentityQ = mms("a005 020101 8200")
	mmsIdentityA = mms(tlv("a1", "020101"+tlv("a2", tlv("80", ascii("ACME"))+tlv("81", ascii("Relay 7"))+tlv("82", ascii("1.4")))))
)

func TestMMSRecognise(t *testing.T) {
	testRecognise(t, MMS, []recogniseTest{
		{"connect", s7Connect + mmsConnect(mmsAuthNone), Match{Sure, Client}},
		{"accept", s7Connected + mmsAccept("00"), Match{Sure, Server}},
		{"request", mmsReadOf("01", "LLN0$ST$Mod"), Match{Sure, Client}},
		{"response", mmsValue, Match{Sure, Server}},
		{"error", mmsErrorOf1, Match{Sure, Server}},
		{"reject", mmsRejectOf1, Match{Sure, Server}},
		{"report", mmsReport, Match{Sure, Server}},
		{"conclude", mms("8b00"), Match{Sure, Client}},
		{"initiate straight on the transport", tpktData(mmsInitAsk), Match{Sure, Client}},
		{"connection request: S7comm and RDP begin so too", s7Connect, Match{More, Client}},
		{"S7comm", s7Connect + s7SetupRequest, Match{}},
		{"S7comm-plus", s7Connect + "0300000b 02f080 72 01 0000", Match{}},
		{"a session that does not name MMS", tpktData("0d14 0506130100160102 1402 0002 c106 310480010131"), Match{}},
		{"lengths that do not agree", tpktData("01000100 6111 300e 020103 a00a a008 020101 a403 a101 00"), Match{}},
		{"another PDU in the value", tpktData("01000100 610c 300a 020103 a005 b003 020101"), Match{}},
		{"Modbus", "0001 0000 0006 01 03 0000 000a", Match{}},
		{"TLS", "1603010200010001fc0303", Match{}},
	})
	for _, other := range []*Protocol{S7comm, RDP, Modbus, IEC104, DNP3, OPCUA} {
		for _, b := range []string{s7Connect + mmsConnect(mmsAuthNone), mmsValue, tpktData(mmsInitAsk)} {
			if m := other.Recognise(unhex(t, b)); m.Score == Sure || m.Score == Weak {
				t.Errorf("%s takes %s: %+v", other.Name, b, m)
			}
		}
	}
}

func TestMMS(t *testing.T) {
	testDecode(t, MMS, []decodeTest{
		{"association, read, conclude", []turn{
			client(s7Connect), server(s7Connected), client(mmsConnect(mmsAuthNone)), server(mmsAccept("00")),
			client(mmsReadOf("01", "LLN0$ST$Mod")), server(mmsValue), client(mms("8b00")), server(mms("8c00")),
		}, []string{
			"mms conclude client session conclude: 1=1+0+0",
			"mms initiate client session initiate: 1=1+0+0",
			"mms confirmed:4 client read read: 1=1+0+0",
		}},
		{"association refused", []turn{client(mmsConnect(mmsAuthNone)), server(mmsAccept("01"))}, []string{
			"mms initiate client session initiate: 1=0+1+0",
		}},
		{"association refused by the session", []turn{client(mmsConnect(mmsAuthNone)), server(tpktData("0c03 320102"))}, []string{
			"mms initiate client session initiate: 1=0+1+0",
		}},
		{"select before operate", []turn{
			client(mmsReadOf("01", "CSWI1$CO$Pos$SBO")), server(mmsSelected),
			client(mmsWriteOf("01", "CSWI1$CO$Pos$Oper")), server(mmsWrote),
		}, []string{
			"mms confirmed:4 client control read CO SBO (select): 1=1+0+0",
			"mms confirmed:5 client control write CO Oper (operate): 1=1+0+0",
		}},
		{"not selected: an empty name comes back", []turn{client(mmsReadOf("01", "CSWI1$CO$Pos$SBO")), server(mmsUnselect)}, []string{
			"mms confirmed:4 client control read CO SBO (select): 1=0+1+0",
		}},
		{"an empty text is a value like any other", []turn{client(mmsReadOf("01", "LLN0$DC$NamPlt$d")), server(mmsUnselect)}, []string{
			"mms confirmed:4 client read read: 1=1+0+0",
		}},
		{"enhanced security: select with value, cancel, a part of Oper", []turn{
			client(mmsWriteOf("01", "CSWI1$CO$Pos$SBOw")), server(mmsNotWrote),
			client(mmsWriteOf("02", "CSWI1$CO$Pos$Cancel") + mmsWriteOf("03", "CSWI1$CO$Pos$Oper$ctlVal") + mmsWriteOf("04", "CSWI1$CO$Pos")),
		}, []string{
			"mms confirmed:5 client control write CO: 1=0+0+1",
			"mms confirmed:5 client control write CO Cancel: 1=0+0+1",
			"mms confirmed:5 client control write CO Oper (operate): 1=0+0+1",
			"mms confirmed:5 client control write CO SBOw (select with value): 1=0+1+0",
		}},
		{"settings and control blocks", []turn{
			client(mmsWriteOf("01", "LLN0$SP$SGCB$ActSG") + mmsWriteOf("02", "PTOC1$SE$StrVal$setMag$f") +
				mmsWriteOf("03", "LLN0$BR$brcb01$RptEna") + mmsWriteOf("04", "LLN0$GO$gcb01$GoEna") + mmsWriteOf("05", "LLN0$LG$lcb01$LogEna")),
		}, []string{
			"mms confirmed:5 client configure write BR (buffered report control block): 1=0+0+1",
			"mms confirmed:5 client configure write GO (GOOSE control block): 1=0+0+1",
			"mms confirmed:5 client configure write LG (log control block): 1=0+0+1",
			"mms confirmed:5 client configure write SE (setting group being edited): 1=0+0+1",
			"mms confirmed:5 client configure write SP (setting): 1=0+0+1",
		}},
		{"substitution, and names that are not IEC 61850's", []turn{
			client(mmsWriteOf("01", "MMXU1$SV$TotW$subEna") + mmsWriteOf("02", "Next_DSTransfer_Set") + mmsWriteOf("03", "A$COLD$B")),
		}, []string{
			"mms confirmed:5 client write write: 2=0+0+2",
			"mms confirmed:5 client write write SV (substitution): 1=0+0+1",
		}},
		{"a control among other writes is a control", []turn{
			client(mmsWriteOf("01", "LLN0$BR$brcb01$RptEna", "CSWI1$CO$Pos$Oper", "MMXU1$SV$TotW$subEna")), server(mms("a10c 020101 a507 8100 800103 8100")),
		}, []string{
			"mms confirmed:5 client control write CO Oper (operate): 1=1+0+0",
		}},
		{"write of a list, named in the device", []turn{client(mms("a015 020101 a510 a109 8007 40405f44535f31 a003 830101"))}, []string{
			"mms confirmed:5 client write write: 1=0+0+1",
		}},
		{"no value, an error, a reject", []turn{
			client(mmsReadOf("01", "LLN0$ST$Mod")), server(mmsNoValue),
			client(mms("a005 020101 8200")), server(mmsErrorOf1), client(mms("a006 020101 9f0c00")), server(mmsRejectOf1),
		}, []string{
			"mms confirmed:2 client discover identify: 1=0+1+0",
			"mms confirmed:4 client read read: 1=0+1+0",
			"mms confirmed:12 client discover getNamedVariableListAttributes: 1=0+1+0",
		}},
		{"tags of two octets: start, stop, files", []turn{
			client(mms("a00c 020101 bf2806 80024131 8100")), client(mms("a00a 020102 bf2904 80024131")), client(mms("a00a 020103 bf4804 a0020000")),
			server(mms("a106 020101 9f2800") + mms("a106 020102 9f2900")),
		}, []string{
			"mms confirmed:40 client mode start: 1=1+0+0",
			"mms confirmed:41 client mode stop: 1=1+0+0",
			"mms confirmed:72 client file fileOpen: 1=0+0+1",
		}},
		{"report, cancel, a request with modifiers", []turn{
			server(mmsReport), client(mms("a012 020101 300a a008 a003 800141 810101 800100")), client(mms("850101")), server(mms("860101")),
		}, []string{
			"mms cancel client session cancel: 1=1+0+0",
			"mms confirmed:0 client diagnose status: 1=0+0+1",
			"mms unconfirmed:0 server event informationReport: 1=0+0+0",
		}},
		{"a service that nobody published", []turn{client(mms("a006 020101 bf6400"))}, []string{
			"mms confirmed:100 client configure confirmed service 100: 1=0+0+1",
		}},
		{"the same invoke id again", []turn{client(mmsReadOf("01", "LLN0$ST$Mod")), client(mmsReadOf("01", "LLN0$ST$Beh")), server(mmsValue)}, []string{
			"mms confirmed:4 client read read: 2=1+0+1",
		}},
		{"straight on the transport", []turn{client(tpktData(mmsInitAsk)), server(tpktData(mmsInitAnswer)), client(tpktData("a005 020101 8200"))}, []string{
			"mms initiate client session initiate: 1=1+0+0",
			"mms confirmed:2 client discover identify: 1=0+0+1",
		}},
		{"a PDU in two data units", []turn{client("0300 0010 02f000 01000100 610e 300c02" + "0300 0012 02f080 0103 a007 a005 020101 8200")}, []string{
			"mms confirmed:2 client discover identify: 1=0+0+1",
		}},
		{"no service, an element that runs on, no such PDU", []turn{client(mms("a003 020101") + mms("a005 020101 8205") + mms("b100")), client(mms("a005 020101 8200"))}, []string{
			"mms confirmed:2 client discover identify: 1=0+0+1",
			"undecoded: 3",
		}},
	})
}

func TestMMSLogin(t *testing.T) {
	for _, test := range []struct {
		name, authentication, result string
		want                         []capture.AuthFact
	}{
		{"none", mmsAuthNone, "00", nil},
		{"password accepted", mmsPassword, "00", []capture.AuthFact{{Kind: "mms password", Readable: true, Length: 6, Accepted: 1, Count: 1, Frame: 1}}},
		{"password refused", mmsPassword, "01", []capture.AuthFact{{Kind: "mms password", Readable: true, Length: 6, Count: 1, Frame: 1}}},
		{"signature", "8a020780 ac05 a203 020107", "00", []capture.AuthFact{{Kind: "mms authentication value", Accepted: 1, Count: 1, Frame: 1}}},
	} {
		c, _ := conversation(t, MMS, client(mmsConnect(test.authentication)), server(mmsAccept(test.result)))
		if diff := cmp.Diff(test.want, c.Security.Auth); diff != "" {
			t.Errorf("%s: log-ins (-want +got):\n%s", test.name, diff)
		}
	}
}

func TestMMSIdentity(t *testing.T) {
	_, tally := conversation(t, MMS, client(mmsIdentityQ), server(mmsIdentityA))
	want := []capture.Identity{{Vendor: "ACME", Model: "Relay 7", Firmware: "1.4", Source: "mms", Frame: 2}}
	if diff := cmp.Diff(want, tally.Said(capture.FromServer).Identities); diff != "" {
		t.Errorf("identities (-want +got):\n%s", diff)
	}
}

// Data units that wait for the last of their TSDU find room or are given up.
func TestMMSRoom(t *testing.T) {
	room := NewRoom([Tables]int{Kinds: 1, Runs: 1, Open: idlePending, Held: 20})
	x, d := NewExchange(NewTally(room)), MMS.New()
	unit := unhex(t, "0300 0010 02f000 01000100 610e 300c02") // 9 octets, not the last
	for range 3 {
		d.Decode(x, capture.FromClient, unit)
	}
	if x.tally.undecoded != 1 || room.left[Held] != 20 {
		t.Errorf("%d undecoded, %d octets left; want 1 and 20", x.tally.undecoded, room.left[Held])
	}
	d.Decode(x, capture.FromClient, unit)
	x.Lost(capture.FromClient)
	d.Decode(x, capture.FromClient, unhex(t, mmsIdentityQ))
	if room.left[Held] != 20 {
		t.Errorf("%d octets never came back", 20-room.left[Held])
	}
}

func TestMMSOps(t *testing.T) {
	ops := []*Op{&mmsSelect, &mmsInitiateOp, &mmsConcludeOp, &mmsCancelOp}
	for i := range mmsServices {
		ops = append(ops, &mmsServices[i])
	}
	for i := range mmsWrites {
		ops = append(ops, &mmsWrites[i].op)
	}
	for i := range mmsUnasked {
		ops = append(ops, &mmsUnasked[i])
	}
	testOps(t, ops)
}

func TestCutBER(t *testing.T) {
	for _, test := range []struct {
		hex    string
		number uint32
		size   int // -1: not read
	}{
		{"0201 05", 2, 1}, {"bf28 00", 40, 0}, {"9f8148 00", 200, 0}, {"a082 0001 00", 0, 1}, {"a0830000 01 00", 0, 1},
		{"", 0, -1}, {"02", 0, -1}, {"0202 05", 0, -1}, {"bf", 0, -1}, {"bf28", 0, -1}, {"9f81", 0, -1},
		{"9f8181 00", 0, -1},      // a number of three octets
		{"a080 0000", 0, -1},      // indefinite length
		{"a084 00000001", 0, -1},  // a length of four octets
		{"a083 ffffff 00", 0, -1}, // longer than what there is
	} {
		e, _, ok := cutBER(unhex(t, test.hex))
		if ok != (test.size >= 0) || ok && (e.number != test.number || len(e.content) != test.size) {
			t.Errorf("%s: number %d, %d octets, %v", test.hex, e.number, len(e.content), ok)
		}
	}
}

func TestMMSAllocs(t *testing.T) {
	testAllocs(t, MMS, mmsReadOf("01", "LLN0$ST$Mod")+mmsWriteOf("02", "CSWI1$CO$Pos$Oper"), mmsUnselect+mms("a107 020102 a502 8100")+mmsReport)
}

func BenchmarkMMS(b *testing.B) {
	benchDecode(b, MMS, mmsReadOf("01", "LLN0$ST$Mod"), mmsValue+mmsReport)
}

func FuzzMMS(f *testing.F) {
	f.Add(unhex(f, s7Connect+mmsConnect(mmsPassword)+mmsReadOf("01", "LLN0$ST$Mod")), uint16(30), false) // cut within the association
	f.Add(unhex(f, s7Connected+mmsAccept("00")+mmsReport), uint16(3), true)
	f.Add(unhex(f, "0300 0010 02f000 01000100 610e 300c02"+"0300 0012 02f080 0103 a007 a005 020101 8200"), uint16(16), false) // cut between data units
	f.Add(unhex(f, mmsWriteOf("01", "CSWI1$CO$Pos$Oper", "LLN0$GO$g")), uint16(20), false)
	f.Add(unhex(f, tpktData("01000100 6184ffffffff 30")), uint16(9), false) // a length beyond the end
	fuzzDecode(f, MMS)
}
