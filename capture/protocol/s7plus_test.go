package protocol

import (
	"encoding/binary"
	"encoding/hex"
	"testing"

	"bulkhead/capture"

	"github.com/google/go-cmp/cmp"
)

// s7p puts data of a version into header, trailer, COTP and TPKT.
func s7p(version byte, data string) string {
	return s7pWrap(s7pHead(version, len(unspaced(data))/2) + unspaced(data) + s7pHead(version, 0))
}

// s7pPart is the same for data of which more follows: there is no trailer.
func s7pPart(version byte, data string) string {
	return s7pWrap(s7pHead(version, len(unspaced(data))/2) + unspaced(data))
}

func s7pHead(version byte, length int) string {
	return hex.EncodeToString(binary.BigEndian.AppendUint16([]byte{0x72, version}, uint16(length)))
}

func s7pWrap(pdu string) string {
	return "0300" + hex.EncodeToString(binary.BigEndian.AppendUint16(nil, uint16(4+3+len(pdu)/2))) + "02f080" + pdu
}

// Data built by hand: opcode, reserved, function, reserved, sequence; of requests
// session and flags, of responses flags and return value.
var (
	s7pOpen    = s7p(1, "31 0000 04ca 0000 0001 00000120 36 0000011d 00040000000000")
	s7pOpened  = s7p(1, "32 0000 04ca 0000 0001 36 11 028740 8707 15 1a 313b36455337203231342d31484533302d30584230203b56322e32 a2")
	s7pSetup   = s7p(2, "31 0000 0542 0000 0002 000003c0 34 000003c0 01 01 8232")
	s7pRead    = s7p(2, "31 0000 054c 0000 0003 000003c0 34 00000000 01")
	s7pGot     = s7p(2, "32 0000 054c 0000 0003 34 00 01 01")
	s7pWrite   = s7p(2, "31 0000 0542 0000 0004 000003c0 34 00000000 01")
	s7pWritten = s7p(2, "32 0000 0542 0000 0004 34 00 00")
	s7pDenied  = s7p(2, "32 0000 0542 0000 0004 34 83ff74 00") // lower 16 bits 0xfff4: -12, object not found
	s7pStop    = s7p(2, "31 0000 04f2 0000 0005 000003c0 34 00000034 01 9077 00 08 01")
	s7pDigest  = s7p(3, "20 00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff 31 0000 054c 0000 0003 000003c0 34 00000000 01")
)

func TestS7PlusRecognise(t *testing.T) {
	testRecognise(t, S7Plus, []recogniseTest{
		{"connection, then the session", s7Connect + s7pOpen, Match{Sure, Client}},
		{"session opened", s7pOpened, Match{Sure, Server}},
		{"with a digest", s7pDigest, Match{Sure, Client}},
		{"connection only", s7Connect, Match{More, Client}},
		{"S7comm", s7SetupRequest, Match{}},
		{"MMS", "03000016 02f080 0d0d0506 1301001601 02 14020002", Match{}},
		{"keep-alive", "0300000b 02f080 72ff0000", Match{Score: Weak}},
		{"version 9", s7p(9, "31 0000 054c 0000 0003 000003c0 34"), Match{}},
		{"a function of no description", s7p(2, "31 0000 ffff 0000 0003 000003c0 34"), Match{Score: Weak}},
	})
	for _, p := range []*Protocol{S7comm, MMS, RDP} {
		if m := p.Recognise(unhex(t, s7Connect+s7pOpen)); m.Score > More {
			t.Errorf("%s takes it for its own: %v", p.Name, m)
		}
	}
}

func TestS7Plus(t *testing.T) {
	testDecode(t, S7Plus, []decodeTest{
		{"session, read, write", []turn{
			client(s7Connect), server(s7Connected), client(s7pOpen), server(s7pOpened), client(s7pSetup), client(s7pRead), server(s7pGot), client(s7pWrite), server(s7pWritten),
		}, []string{
			"s7comm-plus 0x04ca client session CreateObject, session: 1=1+0+0",
			"s7comm-plus 0x0542 client session SetMultiVariables of the session: 1=0+0+1",
			"s7comm-plus 0x0542 client write SetMultiVariables: 1=1+0+0",
			"s7comm-plus 0x054c client read GetMultiVariables: 1=1+0+0",
		}},
		{"write denied, stop, notification, keep-alive", []turn{
			client(s7pWrite), server(s7pDenied), client(s7pStop), server(s7p(2, "33 00001234 0400 0001")), client("0300000b 02f080 72ff0000"),
		}, []string{
			"s7comm-plus 0x04f2 client mode SetVariable of the CPU's execution unit: 1=0+0+1",
			"s7comm-plus 0x0542 client write SetMultiVariables: 1=0+1+0",
			"s7comm-plus keepalive client session Keep Alive: 1=0+0+0",
			"s7comm-plus notification server event Notification: 1=0+0+0",
		}},
		{"objects made and unmade", []turn{
			client(s7p(2, "31 0000 04ca 0000 0006 000003c0 34 000003c0") + s7p(2, "31 0000 04ca 0000 0007 000003c0 34 8a7e0000") +
				s7p(2, "31 0000 04d4 0000 0008 000003c0 34 8a320001") + s7p(2, "31 0000 04d4 0000 0009 000003c0 34 000003c0") + s7p(2, "31 0000 1234 0000 000a 000003c0 34")),
		}, []string{
			"s7comm-plus 0x0000 client configure function of no description: 1=0+0+1",
			"s7comm-plus 0x04ca client program CreateObject: 1=0+0+1",
			"s7comm-plus 0x04ca client read CreateObject in the session (subscription): 1=0+0+1",
			"s7comm-plus 0x04d4 client program DeleteObject: 1=0+0+1",
			"s7comm-plus 0x04d4 client session DeleteObject, session: 1=0+0+1",
		}},
		{"a PDU in three parts", []turn{
			client(s7pPart(2, "31 0000 0542 0000 0004 000003c0 34 00000000") + s7pPart(2, "31 0000 04f2 0000") + s7p(2, "0102")), client(s7pRead),
		}, []string{
			"s7comm-plus 0x0542 client write SetMultiVariables: 1=0+0+1", "s7comm-plus 0x054c client read GetMultiVariables: 1=0+0+1",
		}},
		{"TLS inside, and what is none", []turn{client("0300000c 02f080 1603010000"), client(s7SetupRequest), client(s7p(2, "31 0000"))}, []string{"undecoded: 2"}},
	})
}

func TestS7PlusSecurity(t *testing.T) {
	for name, test := range map[string]struct {
		hex  string
		want Protection
	}{
		"in clear":      {s7pRead, Clear},
		"with a digest": {s7pDigest, Integrity},
		"TLS":           {"0300000c 02f080 1603010000", Encrypted},
		"both":          {s7pDigest + s7pRead, Clear},
	} {
		x := NewExchange(new(Tally))
		S7Plus.New().Decode(x, capture.FromClient, unhex(t, test.hex))
		if got := x.Protection(Encrypted); got != test.want {
			t.Errorf("%s: protection %d, want %d", name, got, test.want)
		}
	}
	c, tally := conversation(t, S7Plus, client(s7pOpen), server(s7pOpened), client(s7p(2, "31 0000 04f2 0000 0007 000003c0 34 000003c0 01 8230 10")),
		server(s7p(2, "32 0000 04f2 0000 0007 34 11")))
	if diff := cmp.Diff([]capture.AuthFact{{Kind: "s7comm-plus legitimation", Count: 1, Accepted: 1, Frame: 3}}, c.Security.Auth); diff != "" {
		t.Errorf("log-ins (-want +got):\n%s", diff)
	}
	want := []capture.Identity{{Vendor: "Siemens", Model: "6ES7 214-1HE30-0XB0", Firmware: "V2.2", Source: "s7comm-plus", Frame: 2}}
	if diff := cmp.Diff(want, tally.Said(capture.FromServer).Identities); diff != "" {
		t.Errorf("identities (-want +got):\n%s", diff)
	}
}

func TestS7PlusOps(t *testing.T) {
	ops := []*Op{&s7PlusNewSession, &s7PlusSubscribe, &s7PlusEndSession, &s7PlusSetSession, &s7PlusSetSessions, &s7PlusSetMode, &s7PlusSetModes,
		&s7PlusNotify, &s7PlusAlive, &s7PlusUnknown}
	for _, op := range s7PlusOps {
		ops = append(ops, op)
	}
	testOps(t, ops)
}

func TestS7PlusAllocs(t *testing.T) { testAllocs(t, S7Plus, s7pRead+s7pWrite, s7pGot+s7pWritten) }

func BenchmarkS7Plus(b *testing.B) { benchDecode(b, S7Plus, s7pRead, s7pGot) }

func FuzzS7Plus(f *testing.F) {
	for _, seed := range []string{
		s7Connect + s7pOpen + s7pRead, s7pOpened, s7pDigest,
		s7pPart(2, "31 0000 0542 0000 0004 000003c0 34 00000000") + s7p(2, "00"), // in parts
		s7p(2, "32 0000 0542 0000 0004 34 ff ff"),                                // a return value that runs on
	} {
		f.Add(unhex(f, seed), uint16(30), false)
	}
	fuzzDecode(f, S7Plus)
}
