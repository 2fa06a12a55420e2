package protocol

import (
	"encoding/hex"
	"strings"
	"testing"

	"bulkhead/capture"

	"github.com/google/go-cmp/cmp"
)

// tlsRecord builds a record of one handshake message; the message's length is
// filled in.
func tlsRecord(kind byte, body string) string {
	b := strings.Join(strings.Fields(body), "")
	n := len(b) / 2
	return hex.EncodeToString([]byte{22, 3, 1, 0, byte(n + 4), kind, 0, 0, byte(n)}) + b
}

// The fields up to the session id: version 1.2, a random number, no session.
const tlsHead = "0303 000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f 00"

var (
	tlsClientHelloHex = tlsRecord(1, tlsHead+"0002 1301 01 00")
	tls12             = tlsRecord(2, tlsHead+"c02f 00")                       // ECDHE_RSA_WITH_AES_128_GCM_SHA256, no compression
	tls13             = tlsRecord(2, tlsHead+"1302 00 0006 002b 0002 0304")   // supported_versions: 1.3
	tlsNull           = tlsRecord(2, tlsHead+"003b 00")                       // RSA_WITH_NULL_SHA256
	tlsRare           = tlsRecord(2, "0301"+tlsHead[4:]+"0088 00 0001 00 00") // CAMELLIA, extensions that end early
)

func TestTLSRecognise(t *testing.T) {
	testRecognise(t, TLS, []recogniseTest{
		{"client hello", tlsClientHelloHex, Match{Sure, Client}},
		{"server hello", tls12, Match{Sure, Server}},
		{"application data", "17 0303 0040 00", Match{Weak, AnyRole}},
		{"alert", "15 0303 0002 0228", Match{Weak, AnyRole}},
		{"alert too long", "15 0303 0004 0228", Match{No, AnyRole}},
		{"record too long", "16 0301 ffff 01", Match{No, AnyRole}},
		{"version", "16 0401 0040 01", Match{No, AnyRole}},
		{"hello too short", "16 0301 0020 01 00001c 0303", Match{No, AnyRole}},
		{"three bytes", "16 0301", Match{More, AnyRole}},
	})
}

func TestTLS(t *testing.T) {
	for _, test := range []struct {
		name  string
		turns []turn
		want  []capture.TLSFact
		level Protection
	}{
		{"1.2", []turn{client(tlsClientHelloHex), server(tls12)}, []capture.TLSFact{{Version: "1.2", Cipher: "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256", Frame: 2}}, Encrypted},
		{"1.3", []turn{client(tlsClientHelloHex), server(tls13)}, []capture.TLSFact{{Version: "1.3", Cipher: "TLS_AES_256_GCM_SHA384", Frame: 2}}, Encrypted},
		{"in pieces", []turn{client(tlsClientHelloHex), server(tls13[:20]), server(tls13[20:])}, []capture.TLSFact{{Version: "1.3", Cipher: "TLS_AES_256_GCM_SHA384", Frame: 3}}, Encrypted},
		{"no encryption", []turn{server(tlsNull)}, []capture.TLSFact{{Version: "1.2", Cipher: "TLS_RSA_WITH_NULL_SHA256", Frame: 1}}, Integrity},
		{"a rare suite", []turn{server(tlsRare)}, []capture.TLSFact{{Version: "1.0", Cipher: "0x0088", Frame: 1}}, Encrypted},
		{"refused", []turn{client(tlsClientHelloHex), server("15 0303 0002 0228")}, nil, Encrypted},
		{"joined half-way", []turn{server("17 0303 0002 abcd"), server(tls12)}, nil, Encrypted},
	} {
		t.Run(test.name, func(t *testing.T) {
			tally := new(Tally)
			x, d := NewExchange(tally), TLS.New()
			var rest [2][]byte
			for i, turn := range test.turns {
				x.At(uint64(i)+1, capture.Time{})
				b := append(rest[turn.from], unhex(t, turn.hex)...)
				rest[turn.from] = b[d.Decode(x, turn.from, b):]
			}
			var c capture.Conversation
			tally.Fill(&c)
			if diff := cmp.Diff(test.want, c.Security.TLS); diff != "" {
				t.Errorf("facts (-want +got):\n%s", diff)
			}
			if got := x.Protection(TLS.Protection); got != test.level {
				t.Errorf("protection is %d, want %d", got, test.level)
			}
		})
	}
}

func TestSSHRecognise(t *testing.T) {
	text := func(s string) string { return hex.EncodeToString([]byte(s)) }
	testRecognise(t, SSH, []recogniseTest{
		{"version 2", text("SSH-2.0-OpenSSH_9.6\r\n"), Match{Sure, AnyRole}},
		{"both versions", text("SSH-1.99-Cisco-1.25\n"), Match{Sure, AnyRole}},
		{"other", text("SSHD ready"), Match{No, AnyRole}},
	})
}

// A connection request of RDP with a cookie and a negotiation of TLS and CredSSP,
// and what servers say to it.
const (
	rdpAsk = "0300002b 26 e0 0000 0000 00" + "436f6f6b69653a206d737473686173683d61646d696e0d0a" + "01 00 0800 03000000" // Cookie: mstshash=admin
	rdpTLS = "03000013 0e d0 0000 1234 00 02 00 0800 01000000"
	rdpRC4 = "0300000b 06 d0 0000 1234 00"
	s7Ask  = "03000016 11 e0 0000 0001 00 c00109 c1020100 c2020102"
)

func TestRDPRecognise(t *testing.T) {
	for _, test := range []recogniseTest{
		{"request", rdpAsk, Match{Sure, Client}},
		{"request without a cookie", "03000013 0e e0 0000 0000 00 01 00 0800 01000000", Match{Sure, Client}},
		{"old request", "0300000b 06 e0 0000 0000 00", Match{Weak, Client}},
		{"confirm", rdpTLS, Match{Sure, Server}},
		{"refusal", "03000013 0e d0 0000 1234 00 03 00 0800 05000000", Match{Sure, Server}},
		{"S7", s7Ask, Match{No, AnyRole}},
		{"not whole", rdpAsk[:20], Match{More, AnyRole}},
	} {
		t.Run(test.name, func(t *testing.T) {
			if got := RDP.Recognise(unhex(t, test.hex)); got != test.want {
				t.Errorf("got %+v, want %+v", got, test.want)
			}
		})
	}
}

func TestRDP(t *testing.T) {
	c, tally := conversation(t, RDP, client(rdpAsk), server(rdpTLS), client(tlsClientHelloHex), server(tls12))
	want := []capture.TLSFact{{Version: "1.2", Cipher: "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256", Frame: 4}}
	if diff := cmp.Diff(want, c.Security.TLS); diff != "" {
		t.Errorf("facts (-want +got):\n%s", diff)
	}
	if said := tally.Said(capture.FromClient); len(said.Names) > 0 {
		t.Errorf("the user of the cookie was kept: %v", said.Names)
	}
	c, _ = conversation(t, RDP, client(rdpAsk), server(rdpRC4), client("0300000702f080"), server("ffff"))
	if c.Undecoded > 0 || len(c.Security.TLS) > 0 {
		t.Errorf("RDP's own security: %d undecoded, TLS %v", c.Undecoded, c.Security.TLS)
	}
}

func FuzzTLS(f *testing.F) {
	for _, seed := range []string{tlsClientHelloHex, tls12, tls13, tlsRare, "160303 0000", "17 0303 0002 abcd", tls13 + tls12} {
		f.Add(unhex(f, seed), uint16(7), true)
	}
	fuzzStream(f, TLS)
}

func FuzzRDP(f *testing.F) {
	f.Add(unhex(f, rdpAsk), uint16(7), false)
	f.Add(unhex(f, rdpTLS+tls12), uint16(19), true)
	f.Add(unhex(f, s7Ask), uint16(4), false)
	fuzzStream(f, RDP)
}
