package protocol

import (
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"bulkhead/capture"

	"github.com/google/go-cmp/cmp"
)

// says and replies are turns in text, of the client and of the server.
func says(text string) turn    { return client(hex.EncodeToString([]byte(text))) }
func replies(text string) turn { return server(hex.EncodeToString([]byte(text))) }

type loginTest struct {
	name  string
	turns []turn
	want  []capture.AuthFact // Frame is not compared
}

func testLogins(t *testing.T, p *Protocol, tests []loginTest) {
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			c, _ := conversation(t, p, test.turns...)
			got := c.Security.Auth
			for i := range got {
				got[i].Frame = 0
			}
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("log-ins (-want +got):\n%s", diff)
			}
			if c.Undecoded != 0 {
				t.Errorf("%d messages undecoded, want none", c.Undecoded)
			}
		})
	}
}

func TestFTPLogin(t *testing.T) {
	testLogins(t, FTP, []loginTest{
		{"accepted", []turn{replies("220 FTP server ready\r\n"), says("USER admin\r\n"), replies("331 Password required\r\n"),
			says("PASS 12345\r\n"), replies("230 Logged in\r\n")},
			[]capture.AuthFact{{Kind: "ftp password", Readable: true, Length: 5, Accepted: 1, Count: 1}}},
		{"refused, then accepted", []turn{says("USER admin\r\nPASS 12345\r\n"), replies("331 Go on\r\n530 No\r\n"),
			says("USER admin\r\nPASS 54321\r\n"), replies("331 Go on\r\n230-Welcome\r\n230 Logged in\r\n")},
			[]capture.AuthFact{{Kind: "ftp password", Readable: true, Length: 5, Accepted: 1, Count: 2}}},
		{"in pieces", []turn{says("us"), says("er admin\r\npa"), says("ss 123"), says("45\r\n")},
			[]capture.AuthFact{{Kind: "ftp password", Readable: true, Length: 5, Count: 1}}},
		{"anonymous", []turn{says("USER anonymous\r\nPASS who@example.com\r\n"), replies("230 Guest\r\n")},
			[]capture.AuthFact{{Kind: "ftp anonymous", Accepted: 1, Count: 1}}},
		{"blank", []turn{says("USER admin\r\nPASS\r\n")}, []capture.AuthFact{{Kind: "ftp password", Readable: true, Count: 1}}},
		{"over TLS", []turn{says("AUTH TLS\r\n"), replies("234 Go\r\n"), client(tlsClientHelloHex), says("\x17\x03\x03\x00\x0cPASS 12345\r\n")}, nil},
	})
}

func TestFTPProtection(t *testing.T) {
	for _, test := range []struct {
		name  string
		turns []turn
		want  Protection
	}{
		{"clear", []turn{says("USER admin\r\nPASS 12345\r\n")}, Clear},
		{"TLS", []turn{says("AUTH TLS\r\n"), replies("234 Go\r\n")}, Encrypted},
		{"TLS after the password", []turn{says("USER admin\r\nPASS 12345\r\nAUTH TLS\r\n"), replies("234 Go\r\n")}, Clear},
	} {
		t.Run(test.name, func(t *testing.T) {
			x, d := NewExchange(new(Tally)), FTP.New()
			for _, turn := range test.turns {
				d.Decode(x, turn.from, unhex(t, turn.hex))
			}
			if got := x.Protection(FTP.Protection); got != test.want {
				t.Errorf("protection is %d, want %d", got, test.want)
			}
		})
	}
}

func TestTelnetLogin(t *testing.T) {
	const negotiation = "\xff\xfd\x18\xff\xfd\x20\xff\xfa\x18\x01\xff\xf0\xff\xfb\x01"
	keys := func(text string) (turns []turn) { // character by character, as terminals send them
		for _, c := range text {
			turns = append(turns, says(string(c)))
		}
		return turns
	}
	join := func(parts ...[]turn) (all []turn) {
		for _, p := range parts {
			all = append(all, p...)
		}
		return all
	}
	start := []turn{replies(negotiation + "Welcome\r\nlogin: ")}
	testLogins(t, Telnet, []loginTest{
		{"accepted", join(start, []turn{says("root\r\n"), replies("root\r\nPassword: "), says("12345\r\n"),
			replies("\r\nLast login: Mon\r\nplc:~$ "), says("ls\r\n")}),
			[]capture.AuthFact{{Kind: "telnet login", Readable: true, Length: 5, Accepted: 1, Count: 1}}},
		{"refused", join(start, []turn{says("root\r\n"), replies("Password:"), says("12345\r\x00"),
			replies("\r\nLogin incorrect\r\nlogin: "), says("r")}),
			[]capture.AuthFact{{Kind: "telnet login", Readable: true, Length: 5, Count: 1}}},
		{"typed, with a correction", join(start, keys("root\r"), []turn{replies("root\r\npassword: ")}, keys("123x\x7f45\r")),
			[]capture.AuthFact{{Kind: "telnet login", Readable: true, Length: 5, Count: 1}}},
		{"stars are echoed", join(start, []turn{says("root\r"), replies("root\r\npassword: "), says("1"), replies("*"), says("2"), replies("*"), says("\r")}),
			[]capture.AuthFact{{Kind: "telnet login", Readable: true, Length: 2, Count: 1}}},
		{"options among the keys", join(start, []turn{says("root\r\n"), replies("Password: "), says("12\xff\xfc\x01345\xff\xfa\x18\x00vt100\xff\xf0\r\n")}),
			[]capture.AuthFact{{Kind: "telnet login", Readable: true, Length: 5, Count: 1}}},
		{"the prompt went by", join(start, []turn{says("root\r\n"), replies("Password: \r\nTimed out\r\nlogin: "), says("root\r\n")}), nil},
		{"no prompt", []turn{replies("Unit 4 ready\r\n> "), says("show password\r\n")}, nil},
	})
}

func TestTelnetRecognise(t *testing.T) {
	testRecognise(t, Telnet, []recogniseTest{
		{"server negotiates", "fffd18 fffd20 fffd23", Match{Sure, Server}},
		{"client negotiates", "fffb18 fffb20", Match{Sure, Client}},
		{"server will echo", "fffb01 fffb03", Match{Sure, Server}},
		{"one negotiation", "fffb03 0d0a", Match{Weak, AnyRole}},
		{"half of one", "fffb", Match{More, AnyRole}},
		{"prompt", hex.EncodeToString([]byte("Welcome\r\nlogin: ")), Match{Weak, Server}},
		{"a BGP marker", "ffffffff ffffffff ffffffff ffffffff 001304", Match{No, AnyRole}},
		{"markup", hex.EncodeToString([]byte("<html>")), Match{No, AnyRole}},
	})
}

func TestHTTPLogin(t *testing.T) {
	basic := "Authorization: Basic " + base64.StdEncoding.EncodeToString([]byte("admin:12345")) + "\r\n"
	get := "GET / HTTP/1.1\r\nHost: plc\r\n"
	form := func(body string) string {
		return fmt.Sprintf("POST /login HTTP/1.1\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: %d\r\n\r\n%s", len(body), body)
	}
	const ok, unauthorized = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi", "HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\n\r\n"
	accepted := capture.AuthFact{Kind: "http basic", Readable: true, Length: 5, Accepted: 1, Count: 1}
	testLogins(t, HTTP, []loginTest{
		{"asked, then accepted", []turn{says(get + "\r\n"), replies(unauthorized), says(get + basic + "\r\n"), replies(ok)}, []capture.AuthFact{accepted}},
		{"refused", []turn{says(get + basic + "\r\n"), replies(unauthorized)}, []capture.AuthFact{{Kind: "http basic", Readable: true, Length: 5, Count: 1}}},
		{"in pieces", []turn{says(get + basic[:30]), says(basic[30:]), says("\r\n"), replies(ok[:9]), replies(ok[9:])}, []capture.AuthFact{accepted}},
		{"in a row", []turn{says(get + "\r\n" + get + basic + "\r\n" + get + "\r\n"), replies(unauthorized + ok + unauthorized)}, []capture.AuthFact{accepted}},
		{"after a body in chunks", []turn{says(get + "\r\n"),
			replies("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5;x=y\r\nHTTP/\r\n0\r\nTrailer: 1\r\n\r\n"), says(get + basic + "\r\n"), replies(ok)},
			[]capture.AuthFact{accepted}},
		{"after a HEAD", []turn{says("HEAD / HTTP/1.1\r\n\r\n"), replies("HTTP/1.1 200 OK\r\nContent-Length: 5000\r\n\r\n"), says(get + basic + "\r\n"), replies(ok)},
			[]capture.AuthFact{accepted}},
		{"a continue is no answer", []turn{says(get + basic + "\r\n"), replies("HTTP/1.1 100 Continue\r\n\r\n" + unauthorized)},
			[]capture.AuthFact{{Kind: "http basic", Readable: true, Length: 5, Count: 1}}},
		{"digest", []turn{says(get + "Authorization: Digest username=\"a\", response=\"0123456789abcdef\"\r\n\r\n"), replies(ok)},
			[]capture.AuthFact{{Kind: "http digest", Accepted: 1, Count: 1}}},
		{"form", []turn{says(form("user=admin&Password=12345&go=1")), replies(ok)}, []capture.AuthFact{{Kind: "http form", Readable: true, Length: 5, Count: 1}}},
		{"form, escaped", []turn{says(form("pwd=%31%32345"))}, []capture.AuthFact{{Kind: "http form", Readable: true, Length: 5, Count: 1}}},
		{"form without", []turn{says(form("setpoint=12345"))}, nil},
		{"not in a tunnel", []turn{says("CONNECT plc:443 HTTP/1.1\r\n\r\n"), replies("HTTP/1.1 200 OK\r\n\r\n"), says(get + basic + "\r\n")}, nil},
	})
}

func TestHTTPUndecoded(t *testing.T) {
	c, _ := conversation(t, HTTP, says("GET / HTTP/1.1\r\n\r\n"), says("this is no request\r\n\r\n"))
	if c.Undecoded != 1 {
		t.Errorf("%d messages undecoded, want 1", c.Undecoded)
	}
}

func TestHTTPRecognise(t *testing.T) {
	text := func(s string) string { return hex.EncodeToString([]byte(s)) }
	testRecognise(t, HTTP, []recogniseTest{
		{"request", text("GET /a HTTP/1.1\r\n"), Match{Sure, Client}},
		{"response", text("HTTP/1.0 404 Not Found\r\n"), Match{Sure, Server}},
		{"unfinished", text("POST /a HTTP"), Match{More, AnyRole}},
		{"RTSP", text("OPTIONS rtsp://a RTSP/1.0\r\n"), Match{No, AnyRole}},
		{"SIP", text("INVITE sip:a SIP/2.0\r\n"), Match{No, AnyRole}},
		{"bad status", text("HTTP/1.1 9999 what"), Match{No, AnyRole}},
	})
}

func TestFTPRecognise(t *testing.T) {
	text := func(s string) string { return hex.EncodeToString([]byte(s)) }
	testRecognise(t, FTP, []recogniseTest{
		{"greeting", text("220 ProFTPD ready\r\n"), Match{Sure, Server}},
		{"greeting that says nothing", text("220 ready\r\n"), Match{Weak, Server}},
		{"SMTP", text("220 mail.example.com ESMTP Postfix\r\n"), Match{No, AnyRole}},
		{"user", text("USER admin\r\n"), Match{Weak, Client}},
		{"IRC", text("USER a 0 * :a\r\n"), Match{No, AnyRole}},
	})
}

func TestVNCLogin(t *testing.T) {
	const version, challenge, response = "RFB 003.008\n", "0123456789abcdef", "fedcba9876543210"
	testLogins(t, VNC, []loginTest{
		{"challenge accepted", []turn{replies(version), says(version), replies("\x02\x01\x02"), says("\x02"), replies(challenge),
			says(response), replies("\x00\x00\x00\x00")}, []capture.AuthFact{{Kind: "vnc challenge", Accepted: 1, Count: 1}}},
		{"challenge refused", []turn{replies(version), says(version), replies("\x01\x02"), says("\x02"), replies(challenge),
			says(response), replies("\x00\x00\x00\x01")}, []capture.AuthFact{{Kind: "vnc challenge", Count: 1}}},
		{"no authentication", []turn{replies(version), says(version), replies("\x01\x01"), says("\x01"), replies("\x00\x00\x00\x00")},
			[]capture.AuthFact{{Kind: "vnc none", Accepted: 1, Count: 1}}},
		{"version 3.3", []turn{replies("RFB 003.003\n"), says("RFB 003.003\n"), replies("\x00\x00\x00\x02" + challenge), says(response),
			replies("\x00\x00\x00\x00")}, []capture.AuthFact{{Kind: "vnc challenge", Accepted: 1, Count: 1}}},
		{"refused at once", []turn{replies(version), says(version), replies("\x00\x00\x00\x00\x02no")}, nil},
	})
}

func TestVNCRecognise(t *testing.T) {
	testRecognise(t, VNC, []recogniseTest{
		{"version", hex.EncodeToString([]byte("RFB 003.008\n")), Match{Sure, AnyRole}},
		{"no version", hex.EncodeToString([]byte("RFB 3.8\n....")), Match{No, AnyRole}},
	})
}

// What is said of a log-in depends on nothing of the secret but its length: two
// secrets of one length give the same bytes out.
func FuzzSecrets(f *testing.F) {
	f.Add("12345", "abcde")
	f.Add("password", "Password") // what prompts and forms call it
	f.Add("login:aa", "HTTP/1.1") // what a decoder looks for
	f.Fuzz(func(t *testing.T, a, b string) {
		a, b = plain(a), plain(b)
		n := min(len(a), len(b))
		if got, want := sayAll(t, a[:n]), sayAll(t, b[:n]); got != want {
			t.Errorf("secrets %q and %q differ in what is said of them (-first +second):\n%s", a[:n], b[:n], cmp.Diff(want, got))
		}
	})
}

// plain replaces what a form or a terminal does not send as one character.
func plain(s string) string {
	b := []byte(s[:min(len(s), 200)])
	for i, c := range b {
		if c <= ' ' || c > '~' || strings.IndexByte("&%+;=", c) >= 0 {
			b[i] = 'a' + c%26
		}
	}
	return string(b)
}

// sayAll logs in with a secret over every protocol that shows it, and returns
// all that is said of that.
func sayAll(t *testing.T, secret string) string {
	basic := base64.StdEncoding.EncodeToString([]byte("admin:" + secret))
	form := "password=" + secret
	activate := unhex(t, uaActivate)
	at := strings.Index(string(activate), "\x08\x00\x00\x00password")
	activate = append(append(append([]byte{}, activate[:at]...), byte(len(secret)), 0, 0, 0), secret...)
	activate = append(activate, "\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff"...)
	var all strings.Builder
	for _, dialogue := range []struct {
		p     *Protocol
		turns []turn
	}{
		{FTP, []turn{says("USER admin\r\n"), replies("331 Go on\r\n"), says("PASS " + secret + "\r\n"), replies("230 Done\r\n")}},
		{Telnet, []turn{replies("login: "), says("root\r\n"), replies("Password: "), says(secret + "\r\n"), replies("\r\n# "), says("ls\r\n")}},
		{HTTP, []turn{says("GET / HTTP/1.1\r\nAuthorization: Basic " + basic + "\r\n\r\n"), replies("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")}},
		{HTTP, []turn{says(fmt.Sprintf("POST / HTTP/1.1\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: %d\r\n\r\n%s", len(form), form))}},
		{OPCUA, []turn{says("MSGF" + string([]byte{byte(8 + len(activate) - 8), 0, 0, 0}) + string(activate[8:]))}},
		{SNMP, []turn{says(snmpGet(secret))}},
	} {
		c, tally := conversation(t, dialogue.p, dialogue.turns...)
		all.WriteString(told(t, c, tally.Said(capture.FromClient), tally.Said(capture.FromServer)))
	}
	return all.String()
}

// told is all that leaves a decoder: a line of JSON for each value.
func told(t *testing.T, values ...any) string {
	t.Helper()
	var all strings.Builder
	for _, v := range values {
		b, err := json.Marshal(v)
		if err != nil {
			t.Fatal(err)
		}
		all.Write(b)
		all.WriteByte('\n')
	}
	return all.String()
}

func FuzzFTP(f *testing.F) {
	f.Add([]byte("USER admin\r\nPASS 12345\r\nAUTH TLS\r\n"), uint16(14), false)
	f.Add([]byte("220-a\r\n230 b\r\n530 c\r\n"), uint16(3), true)
	fuzzStream(f, FTP)
}

func FuzzTelnet(f *testing.F) {
	f.Add([]byte("\xff\xfd\x18\xff\xfa\x18\x01\xff\xf0login: "), uint16(5), true)
	f.Add([]byte("\xff\xffroot\r\n\xff"), uint16(1), false)
	fuzzStream(f, Telnet)
}

func FuzzHTTP(f *testing.F) {
	f.Add([]byte("GET / HTTP/1.1\r\nAuthorization: Basic YTpi\r\n\r\nPOST / HTTP/1.0\r\nContent-Length: 3\r\n\r\nabc"), uint16(50), false)
	f.Add([]byte("POST / HTTP/1.1\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: 5\r\n\r\npwd=a"), uint16(90), false)
	f.Add([]byte("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nffffffffffff\r\na"), uint16(60), true) // a huge chunk
	fuzzStream(f, HTTP)
}

func FuzzVNC(f *testing.F) {
	f.Add([]byte("RFB 003.003\n\x00\x00\x00\x02"), uint16(12), true)
	f.Add([]byte("RFB 003.008\n\x01"), uint16(12), false)
	fuzzStream(f, VNC)
}

// fuzzStream is fuzzDecode for decoders that tell facts: all that is said is
// compared.
func fuzzStream(f *testing.F, p *Protocol) {
	f.Fuzz(func(t *testing.T, b []byte, cut uint16, fromServer bool) {
		from := capture.FromClient
		if fromServer {
			from = capture.FromServer
		}
		undecoded := false
		decode := func(parts ...[]byte) string {
			tally := new(Tally)
			x, d := NewExchange(tally), p.New()
			var rest []byte
			for _, part := range parts {
				rest = append(rest, part...)
				for len(rest) > 0 {
					used := d.Decode(x, from, rest)
					if used < 0 || used > len(rest) {
						t.Fatalf("Decode used %d of %d bytes", used, len(rest))
					}
					if used == 0 {
						break
					}
					rest = rest[used:]
				}
			}
			x.Close()
			var c capture.Conversation
			tally.Fill(&c)
			undecoded = c.Undecoded > 0
			return told(t, c, tally.Said(from))
		}
		p.Recognise(b)
		whole := decode(b)
		if undecoded {
			return // what is skipped depends on where a segment ends
		}
		n := int(cut) % (len(b) + 1)
		if diff := cmp.Diff(whole, decode(b[:n:n], b[n:])); diff != "" {
			t.Errorf("cut at %d (-in one call +in two):\n%s", n, diff)
		}
	})
}

func BenchmarkHTTP(b *testing.B) {
	x, d := NewExchange(new(Tally)), HTTP.New()
	ask := []byte(strings.Repeat("GET /a HTTP/1.1\r\nHost: plc\r\nAccept: */*\r\n\r\n", 16))
	answer := []byte(strings.Repeat("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi", 16))
	b.SetBytes(int64(len(ask) + len(answer)))
	b.ReportAllocs()
	for b.Loop() {
		d.Decode(x, capture.FromClient, ask)
		d.Decode(x, capture.FromServer, answer)
	}
}
