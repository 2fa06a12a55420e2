package protocol

import (
	"bytes"
	"encoding/hex"
	"strings"
	"testing"

	"bulkhead/capture"

	"github.com/google/go-cmp/cmp"
)

// testDatagrams checks what a recogniser says of whole datagrams.
func testDatagrams(t *testing.T, p *Protocol, tests []recogniseTest) {
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			if got := p.Recognise(unhex(t, test.hex)); got != test.want {
				t.Errorf("got %+v, want %+v", got, test.want)
			}
		})
	}
}

func TestDNSRecognise(t *testing.T) {
	const question = "04706c6331 056c6f63616c 00" // plc1.local
	testDatagrams(t, DNS, []recogniseTest{
		{"query", "1234 0100 0001 0000 0000 0000" + question + "0001 0001", Match{Weak, Client}},
		{"response", "1234 8180 0001 0001 0000 0000" + question + "0001 0001 c00c 0001 0001 00000e10 0004 0a000001", Match{Weak, Server}},
		{"mDNS response", "0000 8400 0000 0001 0000 0000" + question + "0001 8001 00000078 0004 0a000001", Match{Weak, Server}},
		{"over TCP", "001c 1234 0100 0001 0000 0000 0000" + question + "0001 0001", Match{Weak, Client}},
		{"mDNS browser with 9 questions", "0000 0000 0009 0000 0000 0000" + strings.Repeat(question+"000c 0001", 9), Match{Weak, Client}},
		{"NetBIOS", "1234 0110 0001 0000 0000 0000 20" + strings.Repeat("43", 32) + "00 0020 0001", Match{No, AnyRole}},
		{"no question", "1234 0100 0000 0000 0000 0000" + question + "0001 0001", Match{No, AnyRole}},
		{"class", "1234 0100 0001 0000 0000 0000" + question + "0001 0077", Match{No, AnyRole}},
		{"name that runs on", "1234 0100 0001 0000 0000 0000 3f706c6331", Match{No, AnyRole}},
		{"label too long", "1234 0100 0001 0000 0000 0000 7f" + strings.Repeat("61", 140), Match{No, AnyRole}},
	})
}

func TestNTPRecognise(t *testing.T) {
	rest := "00000100 00000200 4c4f434c" + strings.Repeat("e1b80bd0 00000000", 4)
	testDatagrams(t, NTP, []recogniseTest{
		{"client", "23 00 06 ec" + rest, Match{Weak, Client}},
		{"server", "24 01 06 ec" + rest, Match{Weak, Server}},
		{"peer", "21 02 06 ec" + rest, Match{Weak, AnyRole}},
		{"with a MAC", "23 00 06 ec" + rest + strings.Repeat("5a", 20), Match{Weak, Client}},
		{"stratum", "23 20 06 ec" + rest, Match{No, AnyRole}},
		{"precision", "23 00 06 7f" + rest, Match{No, AnyRole}},
		{"DTLS", "16fefd 0000 0000 0000 0000 0040" + strings.Repeat("01", 64), Match{No, AnyRole}},
		{"too short", "23 00 06 ec 00000000", Match{No, AnyRole}},
	})
}

// snmpGet builds a v1 GetRequest of sysDescr with a community.
func snmpGet(community string) string {
	pdu := "\xa0\x19\x02\x01\x07\x02\x01\x00\x02\x01\x00\x30\x0e\x30\x0c\x06\x08\x2b\x06\x01\x02\x01\x01\x01\x00\x05\x00"
	body := "\x02\x01\x00\x04\x81" + string([]byte{byte(len(community))}) + community + pdu
	return "\x30\x82" + string([]byte{byte(len(body) >> 8), byte(len(body))}) + body
}

// SNMP messages of versions 2c and 3. In hex: the sequence and its length,
// version, community or header, PDU.
const (
	snmpSet      = "30 29 020101 0406 7365637265 74 a3 1c 020109 020100 020100 3011 300f 0608 2b06010201010500 0403 706c63"
	snmpSetOK    = "30 29 020101 0406 7365637265 74 a2 1c 020109 020100 020100 3011 300f 0608 2b06010201010500 0403 706c63"
	snmpSetError = "30 29 020101 0406 7365637265 74 a2 1c 020109 020111 020101 3011 300f 0608 2b06010201010500 0403 706c63" // 17: notWritable
	snmpDiscover = "30 33 020103 300d 02010a 020205dc 040104 020103 0410 300e 0400 020100 020100 0400 0400 0400" +
		"300d 0400 0400 a007 02010a 020100 3000"
	snmpSecret = "30 30 020103 300d 02010b 020205dc 040107 020103 0414 3012 0404 80001f88 020101 020102 0400 0400 0400 0406 a1b2c3d4e5f6"
	snmpSigned = "30 37 020103 300d 02010c 020205dc 040101 020103 0414 3012 0404 80001f88 020101 020102 0400 0400 0400" +
		"300d 0400 0400 a207 02010a 020100 3000"
)

func TestSNMPRecognise(t *testing.T) {
	testDatagrams(t, SNMP, []recogniseTest{
		{"v1 get", hex.EncodeToString([]byte(snmpGet("public"))), Match{Sure, Client}},
		{"v2c set", snmpSet, Match{Sure, Client}},
		{"v2c response", snmpSetOK, Match{Sure, Server}},
		{"v3 discovery", snmpDiscover, Match{Sure, Client}},
		{"v3 encrypted", snmpSecret, Match{Sure, Client}},
		{"cut short", "30 29 020101 0406 7365637265 74 a3 1c 020109 020100", Match{Sure, Client}},
		{"LDAP", "30 0c 020101 6007 020103 0400 8000", Match{No, AnyRole}},
		{"version 2", "30 29 020102 0406 7365637265 74 a3 1c 020109 020100", Match{No, AnyRole}},
	})
}

func TestSNMP(t *testing.T) {
	testDecode(t, SNMP, []decodeTest{
		{"set and response", []turn{client(snmpSet), server(snmpSetOK)}, []string{"snmp 3 client write SetRequest: 1=1+0+0"}},
		{"set refused", []turn{client(snmpSet), server(snmpSetError)}, []string{"snmp 3 client write SetRequest: 1=0+1+0"}},
		{"get unanswered", []turn{says(snmpGet("public"))}, []string{"snmp 0 client read GetRequest: 1=0+0+1"}},
		{"not SNMP", []turn{client("3003 020105")}, []string{"undecoded: 1"}},
	})
	for _, test := range []struct {
		name      string
		datagrams []string
		want      Protection
		version   string
	}{
		{"v2c", []string{snmpSet}, Clear, "v2c"},
		{"v3 encrypted after discovery", []string{snmpDiscover, snmpSecret}, Encrypted, "v3"},
		{"v3 signed", []string{snmpDiscover, snmpSecret, snmpSigned}, Integrity, "v3"},
	} {
		t.Run(test.name, func(t *testing.T) {
			tally := new(Tally)
			x := NewExchange(tally)
			for _, d := range test.datagrams {
				SNMP.New().Decode(x, capture.FromClient, unhex(t, d))
			}
			var c capture.Conversation
			tally.Fill(&c)
			if got := x.Protection(SNMP.Protection); got != test.want {
				t.Errorf("protection is %d, want %d", got, test.want)
			}
			if diff := cmp.Diff([]string{test.version}, c.Security.SNMP); diff != "" {
				t.Errorf("versions (-want +got):\n%s", diff)
			}
		})
	}
}

// dhcp builds a message: op, then zeros up to the cookie, then options.
func dhcp(op byte, options string) string {
	b := make([]byte, 236)
	b[0], b[1], b[2] = op, 1, 6
	return hex.EncodeToString(append(b, 99, 130, 83, 99)) + hex.EncodeToString([]byte(options))
}

func TestDHCP(t *testing.T) {
	const discover = "\x35\x01\x01" + "\x00" + "\x0c\x05HMI-3" + "\xff"
	testDatagrams(t, DHCP, []recogniseTest{
		{"discover", dhcp(1, discover), Match{Sure, Client}},
		{"offer", dhcp(2, "\x35\x01\x02\xff"), Match{Sure, Server}},
		{"cut short", dhcp(1, "")[:200], Match{Weak, Client}},
		{"WireGuard", "01000000" + strings.Repeat("5a", 144), Match{No, AnyRole}},
		{"other op", dhcp(3, ""), Match{No, AnyRole}},
	})
	_, tally := conversation(t, DHCP, says(string(unhex(t, dhcp(1, discover)))), server(dhcp(2, discover)))
	if diff := cmp.Diff([]capture.Name{{Name: "HMI-3", Source: "dhcp", Frame: 1}}, tally.Said(capture.FromClient).Names); diff != "" {
		t.Errorf("names (-want +got):\n%s", diff)
	}
	if said := tally.Said(capture.FromServer); len(said.Names) > 0 {
		t.Errorf("the server repeats the client's name and is taken to be called that: %v", said.Names)
	}
}

// lldpFrame is what a switch says: chassis by MAC, port by name, two minutes to
// live, its name, a description, and of the inventory its maker and serial.
var lldpFrame = strings.Join([]string{
	"0207 04 000ecf010203", "0405 05 70303031", "0602 0078",
	"0a06 737769746368", "0c08 5343414c414e4345", // switch, SCALANCE
	"fe07 0012bb 09 41434d", "fe06 0012bb 08 3432", "0000", // ACM, 42
}, "")

func TestLLDP(t *testing.T) {
	testDatagrams(t, LLDP, []recogniseTest{
		{"switch", lldpFrame, Match{Sure, AnyRole}},
		{"no chassis", "0406 05 7030303031 0602 0078 0000", Match{No, AnyRole}},
		{"runs on", "0207 04 000ecf", Match{No, AnyRole}},
	})
	_, tally := conversation(t, LLDP, client(lldpFrame))
	said := tally.Said(capture.FromClient)
	want := Said{
		Names:      []capture.Name{{Name: "switch", Source: "lldp", Frame: 1}},
		Identities: []capture.Identity{{Vendor: "ACM", Model: "SCALANCE", Serial: "42", Source: "lldp", Frame: 1}},
	}
	if diff := cmp.Diff(want, said); diff != "" {
		t.Errorf("said (-want +got):\n%s", diff)
	}
}

// A datagram is used up, whatever is in it, and what a recogniser is sure of can
// be read.
func fuzzDatagram(f *testing.F, p *Protocol) {
	f.Fuzz(func(t *testing.T, b []byte) {
		tally := new(Tally)
		x, d := NewExchange(tally), p.New()
		before := bytes.Clone(b)
		if used := d.Decode(x, capture.FromClient, b); used != len(b) {
			t.Fatalf("Decode used %d of %d bytes", used, len(b))
		}
		if !bytes.Equal(b, before) {
			t.Error("Decode wrote into what it was given")
		}
		var c capture.Conversation
		tally.Fill(&c)
		if sure := p.Recognise(b).Score == Sure; p != LLDP && sure == (c.Undecoded > 0) {
			t.Errorf("sure is %v, and %d messages are undecoded", sure, c.Undecoded)
		}
	})
}

func FuzzSNMP(f *testing.F) {
	for _, seed := range []string{snmpSet, snmpSetError, snmpDiscover, snmpSecret, snmpSigned, "3084ffffffff", "30820000"} {
		f.Add(unhex(f, seed))
	}
	fuzzDatagram(f, SNMP)
}

func FuzzDHCP(f *testing.F) {
	f.Add(unhex(f, dhcp(1, "\x0c\xff")))      // a name longer than what is there
	f.Add(unhex(f, dhcp(1, "\x00\x0c\x01a"))) // no end
	fuzzDatagram(f, DHCP)
}

func FuzzLLDP(f *testing.F) {
	f.Add(unhex(f, lldpFrame))
	f.Add(unhex(f, "ffff"))
	fuzzDatagram(f, LLDP)
}
