package protocol

import (
	"encoding/binary"
	"encoding/hex"
	"strings"
	"testing"

	"bulkhead/capture"

	"github.com/google/go-cmp/cmp"
)

// The opening of a connection without security, as an open62541 client and
// server of 2020 wrote it.
const (
	uaHello = "48454c46 38000000 00000000 ffff0000 ffff0000 00000000 00000000" + // HEL F, 56 bytes; version, buffers, limits
		"18000000 6f70632e7463703a2f2f6c6f63616c686f73743a34383430" // opc.tcp://localhost:4840
	uaAcknowledge = "41434b46 1c000000 00000000 ffff0000 ffff0000 00000000 00000000"
	uaNone        = "2f000000 687474703a2f2f6f7063666f756e646174696f6e2e6f72672f55412f5365637572697479506f6c696379234e6f6e65" +
		"ffffffff ffffffff" // the URI …/SecurityPolicy#None, no certificates
	uaOpen = "4f504e46 84000000 00000000" + uaNone + "01000000 01000000 0100be01" + // sequence 1, request 1, type 446
		"0000 1c170e64d1cfd501 00000000 00000000 ffffffff 00000000 000000 00000000 00000000 01000000 ffffffff c0270900"
	uaOpened = "4f504e46 87000000 01000000" + uaNone + "01000000 01000000 0100c101" + // type 449
		"a21d0e64d1cfd501 00000000 00000000 00 ffffffff 000000 00000000 01000000 01000000 981d0e64d1cfd501 c0270900 ffffffff"
	uaClose = "434c4f46 39000000 01000000 01000000 03000000 03000000 0100c401" + // type 452
		"0000 4c320e64d1cfd501 01000000 00000000 ffffffff 10270000 000000"

	// A write of the value 13 to the node ns=1;s="the.answer", and its response:
	// the service good, the one result Bad_NodeIdUnknown.
	uaWrite = "4d534746 6d000000 04000000 04000000 15000000 15000000 0100a102" +
		"0401003912161546f36d34fecffcbfbacb4c14 b28f934f2dd1d501 16000000 00000000 ffffffff 00000000 000000" +
		"01000000 030100 0a000000 7468652e616e73776572 0d000000 ffffffff 01 06 01000000"
	uaUnknownNode = "4d534746 40000000 04000000 04000000 0b000000 15000000 0100a402" +
		"ac4c9b4f2dd1d501 16000000 00000000 00 00000000 000000 01000000 00003480 ffffffff"

	// An activation with a user name and password, and no encryption.
	uaActivate = "4d534746 a1000000 04000000 04000000 04000000 04000000 0100d301" +
		"0401003912161546f36d34fecffcbfbacb4c14 c0ec1e4f2dd1d501 05000000 00000000 ffffffff c0270900 000000" +
		"ffffffff ffffffff ffffffff ffffffff" + // signature, certificates, locales
		"01004401 01 36000000 19000000 6f70656e36323534312d757365726e616d652d706f6c696379" + // type 324, policy
		"05000000 7573657231 08000000 70617373776f7264 ffffffff" + // user1, password, no algorithm
		"ffffffff ffffffff"
)

// ua builds a chunk: message type and chunk type, then what follows the size.
func ua(kind string, body ...byte) string {
	b := binary.LittleEndian.AppendUint32([]byte(kind), uint32(8+len(body)))
	return hex.EncodeToString(append(b, body...))
}

// uaMessage builds a chunk of a message on channel 1, token 1; the sequence
// number is of no interest.
func uaMessage(kind string, request byte, body ...byte) string {
	return ua(kind, append([]byte{1, 0, 0, 0, 1, 0, 0, 0, 9, 0, 0, 0, request, 0, 0, 0}, body...)...)
}

// uaType is a type id in four bytes; uaResponse a response header with a result.
func uaType(id uint16) []byte { return []byte{1, 0, byte(id), byte(id >> 8)} }

func uaResponse(id uint16, result uint32, rest ...byte) []byte {
	b := append(uaType(id), make([]byte, 12)...)
	b = binary.LittleEndian.AppendUint32(b, result)
	return append(append(b, 0, 0xff, 0xff, 0xff, 0xff, 0, 0, 0), rest...)
}

// uaOpenSecured opens a channel under a policy, the body encrypted.
func uaOpenSecured(policy string) string {
	uri := "http://opcfoundation.org/UA/SecurityPolicy#" + policy
	b := append([]byte{0, 0, 0, 0}, byte(len(uri)), 0, 0, 0)
	b = append(b, uri...)
	b = append(b, 4, 0, 0, 0, 0x30, 0x82, 1, 2, 2, 0, 0, 0, 0xaa, 0xbb)
	return ua("OPNF", append(b, "\x8e\x11\x73\xf0\x5a\x26\x9c\xd8\x8e\x11\x73\xf0\x5a\x26\x9c\xd8"...)...)
}

func TestOPCUARecognise(t *testing.T) {
	testRecognise(t, OPCUA, []recogniseTest{
		{"hello", uaHello, Match{Sure, Client}},
		{"acknowledge", uaAcknowledge, Match{Sure, Server}},
		{"open request", uaOpen, Match{Sure, Client}},
		{"open response", uaOpened, Match{Sure, Server}},
		{"write request", uaWrite, Match{Sure, Client}},
		{"write response", uaUnknownNode, Match{Sure, Server}},
		{"encrypted", uaMessage("MSGF", 1, 0xd7, 0x55, 0x13, 0x70), Match{Sure, AnyRole}},
		{"close", uaClose, Match{Sure, Client}},
		{"no size", "48454c46 3800", Match{More, AnyRole}},
		{"size is text", "48454c46 20776f72", Match{No, AnyRole}},
		{"chunk type", "48454c4c 4f000000", Match{No, AnyRole}}, // HELLO
		{"hello too short", "48454c46 1f000000", Match{No, AnyRole}},
	})
}

func TestOPCUA(t *testing.T) {
	opening := []string{
		"opcua ACK server reply Acknowledge: 1=0+0+0",
		"opcua HEL client session Hello: 1=1+0+0",
		"opcua OPN client session OpenSecureChannel: 1=1+0+0",
		"opcua OPN server reply OpenSecureChannel: 1=0+0+0",
	}
	write := uaMessage("MSGF", 7, append(uaType(673), make([]byte, 40)...)...)
	long := uaMessage("MSGF", 8, append(uaType(673), make([]byte, 70000)...)...)
	testDecode(t, OPCUA, []decodeTest{
		{"opened and closed without security",
			[]turn{client(uaHello), server(uaAcknowledge), client(uaOpen), server(uaOpened), client(uaClose)},
			append([]string{
				"opcua 446 client session OpenSecureChannelRequest: 1=1+0+0",
				"opcua 449 server reply OpenSecureChannelResponse: 1=0+0+0",
				"opcua 452 client session CloseSecureChannelRequest: 1=0+0+0",
				opening[0],
				"opcua CLO client session CloseSecureChannel: 1=0+0+0",
			}, opening[1:]...)},
		{"reverse connection", []turn{
			client(ua("RHEF", 0, 0, 0, 0, 0, 0, 0, 0)), server(uaHello), client(uaAcknowledge), server(uaOpen), client(uaOpened),
		}, []string{
			"opcua 446 server session OpenSecureChannelRequest: 1=1+0+0",
			"opcua 449 client reply OpenSecureChannelResponse: 1=0+0+0",
			"opcua ACK client reply Acknowledge: 1=0+0+0",
			"opcua HEL server session Hello: 1=1+0+0",
			"opcua OPN client reply OpenSecureChannel: 1=0+0+0",
			"opcua OPN server session OpenSecureChannel: 1=1+0+0",
			"opcua RHE client session ReverseHello: 1=0+0+0",
		}},
		{"hello refused", []turn{client(uaHello), server(ua("ERRF", 0, 0, 0x7d, 0x80, 0xff, 0xff, 0xff, 0xff))}, []string{
			"opcua ERR server reply Error: 1=0+0+0",
			"opcua HEL client session Hello: 1=0+1+0",
		}},
		{"write of an unknown node", []turn{client(uaWrite), server(uaUnknownNode)}, []string{
			"opcua 673 client write WriteRequest: 1=0+1+0",
			"opcua 676 server reply WriteResponse: 1=0+0+0",
		}},
		{"one of two writes good", []turn{client(write),
			server(uaMessage("MSGF", 7, uaResponse(676, 0, 2, 0, 0, 0, 0, 0, 0x34, 0x80, 0, 0, 0, 0)...))}, []string{
			"opcua 673 client write WriteRequest: 1=1+0+0",
			"opcua 676 server reply WriteResponse: 1=0+0+0",
		}},
		{"method refused", []turn{client(uaMessage("MSGF", 7, uaType(712)...)),
			server(uaMessage("MSGF", 7, uaResponse(715, 0, 1, 0, 0, 0, 0, 0, 0x75, 0x80)...))}, []string{ // Bad_MethodInvalid
			"opcua 712 client control CallRequest: 1=0+1+0",
			"opcua 715 server reply CallResponse: 1=0+0+0",
		}},
		{"service fault", []turn{client(write), server(uaMessage("MSGF", 7, uaResponse(397, 0x80250000)...))}, []string{
			"opcua 397 server reply ServiceFault: 1=0+0+0",
			"opcua 673 client write WriteRequest: 1=0+1+0",
		}},
		{"answer to another request", []turn{client(write), server(uaMessage("MSGF", 6, uaResponse(676, 0)...))}, []string{
			"opcua 673 client write WriteRequest: 1=0+0+1",
			"opcua 676 server reply WriteResponse: 1=0+0+0",
		}},
		{"three chunks, another message between", []turn{
			client(uaMessage("MSGC", 7, uaType(631)...)), client(uaMessage("MSGC", 7, 1, 2, 3, 4, 5)), client(write),
			client(uaMessage("MSGF", 7, 6, 7, 8)),
		}, []string{
			// The write shares the request id, so it is a part of the read.
			"opcua 631 client read ReadRequest: 1=0+0+1",
			"undecoded: 1",
		}},
		{"two messages in chunks", []turn{
			client(uaOpen), client(uaMessage("MSGC", 7, uaType(631)...)), client(uaMessage("MSGC", 8, uaType(673)...)),
			client(uaMessage("MSGF", 7, 0)), client(uaMessage("MSGF", 8, 0)),
		}, []string{
			"opcua 446 client session OpenSecureChannelRequest: 1=0+0+1",
			"opcua 631 client read ReadRequest: 1=0+0+1",
			"opcua 673 client write WriteRequest: 1=0+0+1",
			"opcua OPN client session OpenSecureChannel: 1=0+0+1",
		}},
		{"aborted", []turn{client(uaMessage("MSGC", 7, uaType(673)...)), client(uaMessage("MSGA", 7, 0, 0, 0x40, 0x80, 0xff, 0xff, 0xff, 0xff))}, nil},
		{"longer than any PDU that is put together", []turn{client(long[:10000]), client(long[10000:] + uaWrite)}, []string{
			"opcua 673 client write WriteRequest: 2=0+0+2",
		}},
		{"not a service of the standard", []turn{client(uaOpen), client(uaMessage("MSGF", 9, 1, 3, 9, 9))}, []string{
			"opcua 446 client session OpenSecureChannelRequest: 1=0+0+1",
			"opcua OPN client session OpenSecureChannel: 1=0+0+1",
			"undecoded: 1",
		}},
		{"not a chunk", []turn{client("474554202f20485454502f312e31")}, []string{"undecoded: 1"}},
	})
}

func TestOPCUAProtection(t *testing.T) {
	encrypted := uaMessage("MSGF", 0x5a, 0x03, 0xff, 0x81, 0x22, 0x9c, 0x0d)
	for _, test := range []struct {
		name  string
		turns []turn
		want  []capture.OPCUAFact
		level Protection
	}{
		{"none", []turn{client(uaOpen), client(uaWrite)}, []capture.OPCUAFact{{Policy: "None", Mode: "none", Frame: 1}}, Clear},
		{"sign", []turn{client(uaOpenSecured("Basic256Sha256")), client(uaWrite)},
			[]capture.OPCUAFact{{Policy: "Basic256Sha256", Mode: "sign", Frame: 2}}, Integrity},
		{"sign and encrypt", []turn{client(uaOpenSecured("Aes128_Sha256_RsaOaep")), client(encrypted), server(encrypted)},
			[]capture.OPCUAFact{{Policy: "Aes128_Sha256_RsaOaep", Mode: "sign-and-encrypt", Frame: 2}}, Encrypted},
		{"joined half-way, readable", []turn{client(uaWrite)}, nil, Clear},
		{"joined half-way, not readable", []turn{client(encrypted)}, nil, Encrypted},
		{"joined in the middle of a message", []turn{client(encrypted), client(uaWrite)}, nil, Clear},
		{"a policy that would forge text", []turn{client(uaOpenSecured("None\x1b[2J\n")), client(encrypted)},
			[]capture.OPCUAFact{{Policy: "None[2J", Mode: "sign-and-encrypt", Frame: 2}}, Encrypted},
	} {
		t.Run(test.name, func(t *testing.T) {
			tally := new(Tally)
			x, d := NewExchange(tally), OPCUA.New()
			for i, turn := range test.turns {
				x.At(uint64(i)+1, capture.Time{})
				d.Decode(x, turn.from, unhex(t, turn.hex))
			}
			var c capture.Conversation
			tally.Fill(&c)
			if diff := cmp.Diff(test.want, c.Security.OPCUA); diff != "" {
				t.Errorf("facts (-want +got):\n%s", diff)
			}
			if got := x.Protection(OPCUA.Protection); got != test.level {
				t.Errorf("protection is %d, want %d", got, test.level)
			}
			if c.Undecoded != 0 {
				t.Errorf("%d messages undecoded: encrypted ones are not to be counted so", c.Undecoded)
			}
		})
	}
}

func TestOPCUALogin(t *testing.T) {
	algorithm := "22000000 " + hex.EncodeToString([]byte("http://www.w3.org/2001/04/xmlenc#r"))
	encrypted := strings.Replace(uaActivate, "70617373776f7264 ffffffff", "70617373776f7264 "+algorithm, 1)
	encrypted = strings.Replace(encrypted, "4d534746 a1000000", "4d534746 c3000000", 1)
	anonymous := strings.Replace(uaActivate, "01004401 01", "01004101 01", 1)
	good := server(uaMessage("MSGF", 4, uaResponse(470, 0)...))
	bad := server(uaMessage("MSGF", 4, uaResponse(470, 0x80210000)...)) // Bad_IdentityTokenRejected
	for _, test := range []struct {
		name  string
		turns []turn
		want  capture.AuthFact
	}{
		{"password in clear", []turn{client(uaActivate), good}, capture.AuthFact{Kind: "opcua user name", Readable: true, Length: 8, Accepted: 1, Count: 1}},
		{"rejected", []turn{client(uaActivate), bad}, capture.AuthFact{Kind: "opcua user name", Readable: true, Length: 8, Count: 1}},
		{"password encrypted", []turn{client(encrypted), good}, capture.AuthFact{Kind: "opcua user name", Accepted: 1, Count: 1}},
		{"anonymous", []turn{client(anonymous), good}, capture.AuthFact{Kind: "opcua anonymous", Accepted: 1, Count: 1}},
	} {
		t.Run(test.name, func(t *testing.T) {
			c, _ := conversation(t, OPCUA, test.turns...)
			test.want.Frame = 1
			if diff := cmp.Diff([]capture.AuthFact{test.want}, c.Security.Auth); diff != "" {
				t.Errorf("log-ins (-want +got):\n%s", diff)
			}
		})
	}
}

func TestOPCUAOps(t *testing.T) {
	ops := []*Op{&opcuaHello, &opcuaReverseHello, &opcuaAcknowledge, &opcuaError, &opcuaOpen, &opcuaOpened, &opcuaClose}
	for _, k := range opcuaKinds {
		ops = append(ops, &k.op)
	}
	testOps(t, ops)
	if want := 2*len(opcuaServices) - 1; len(opcuaKinds) != want {
		t.Errorf("%d messages, want %d: two services share a number", len(opcuaKinds), want)
	}
}

func TestOPCUAAllocs(t *testing.T) { testAllocs(t, OPCUA, uaWrite, uaUnknownNode) }

func BenchmarkOPCUA(b *testing.B) { benchDecode(b, OPCUA, uaWrite, uaUnknownNode) }

func FuzzOPCUA(f *testing.F) {
	for _, seed := range []string{
		uaHello + uaOpen + uaWrite + uaClose, // several chunks in one segment
		uaActivate,
		uaOpenSecured("Basic256Sha256") + uaActivate,                   // signed
		uaMessage("MSGC", 7, uaType(631)...) + uaMessage("MSGF", 7, 1), // in two chunks
		uaMessage("MSGF", 7, uaResponse(676, 0, 0xff, 0xff, 0xff, 0x7f, 0, 0, 0, 0)...), // more results than bytes
		"4d534746 00000100 01000000 01000000 09000000 01000000 0100a102 0000",           // longer than what is there
		"4d534746 ffffff0f" + strings.Repeat("00", 4100),                                // longer than MaxPDU
	} {
		f.Add(unhex(f, seed), uint16(9), false)
	}
	fuzzDecode(f, OPCUA)
}
