package protocol

import (
	"fmt"
	"strings"
	"testing"

	"bulkhead/capture"

	"github.com/google/go-cmp/cmp"
)

// Fields of a GOOSE PDU by hand: control block, time to live, data set, id, time,
// state and sequence number, simulation, revision, commissioning, entries, data.
const (
	gooseNames  = "800c 4c44302f4c4c4e3024474f24 67 8102 07d0 8203 445331 8302 4731 8408 38 6e bb f3 42 17 28 0a"
	gooseFields = "8501 02 8601 05 8701 00 8801 01 8901 00 8a01 01 ab03 830100"
)

// The control block's name is LD0/LLN0$GO$g: 13 octets.
var gooseBody = strings.Replace(gooseNames, "800c 4c44302f4c4c4e3024474f24 67", tlv("80", ascii("LD0/LLN0$GO$g")), 1) + gooseFields

// gooseFrame is a frame's payload: APPID 3, length, reserved, PDU.
func gooseFrame(reserved, body string) string {
	pdu := tlv("61", body)
	return fmt.Sprintf("0003%04x%s0000%s", 8+len(pdu)/2, reserved, pdu)
}

// routedHead is a session packet without security: transport, session identifier
// and header length, common header, SPDU number 7, version, times, algorithms and
// key (version 1) or key and no vector (version 2), length of the payloads.
func routedHead(id string, version int, payloads string) string {
	payloads = strings.Join(strings.Fields(payloads), "")
	security := "0000 00000001"
	if version == 2 {
		security = "00000001 00"
	}
	return fmt.Sprintf("0140 %s 18 80 12 %08x 00000007 %04x 00000000 0000 %s %08x %s",
		id, len(payloads)/2+20, version, security, len(payloads)/2, payloads)
}

// payload is one of a session packet: type, simulation, APPID 5, length, PDU.
func payload(kind, simulation, pdu string) string {
	return fmt.Sprintf("%s%s0005%04x%s", kind, simulation, len(pdu)/2+2, pdu)
}

func TestGOOSERecognise(t *testing.T) {
	testDatagrams(t, GOOSE, []recogniseTest{
		{"frame", gooseFrame("0000", gooseBody), Match{Sure, AnyRole}},
		{"frame with padding", gooseFrame("0000", gooseBody) + "000000", Match{Sure, AnyRole}},
		{"frame whose values are cut off", gooseFrame("0000", gooseBody)[:2*len(unhex(t, gooseFrame("0000", gooseBody)))-4], Match{Sure, AnyRole}},
		{"PDU of another kind of field", gooseFrame("0000", "1f0101"+gooseFields), Match{Weak, AnyRole}},
		{"no state number", gooseFrame("0000", tlv("80", ascii("LD0/LLN0$GO$g"))+"860105"), Match{Weak, AnyRole}},
		{"routed, version 1", routedHead("a1", 1, payload("81", "00", tlv("61", gooseBody))), Match{Sure, Client}},
		{"routed, version 2", routedHead("a1", 2, payload("81", "00", tlv("61", gooseBody))), Match{Sure, Client}},
		{"routed Sampled Values", routedHead("a2", 1, payload("82", "00", tlv("60", svBody))), Match{}},
		{"routed, version 3", routedHead("a1", 3, payload("81", "00", tlv("61", gooseBody))), Match{}},
		{"Sampled Values", svFrame("0000"), Match{}},
		{"length beyond any PDU", "0003 0009 0000 0000 61 05 8001 41", Match{}},
		{"DNS", "1234 0100 0001 0000 0000 0000 04706c6331 00 0001 0001", Match{}},
		{"nothing", "", Match{}},
	})
}

func TestGOOSE(t *testing.T) {
	secret := strings.Replace(routedHead("a1", 1, payload("81", "00", tlv("61", gooseBody))), "0000 00000001", "0100 00000001", 1)
	testDecode(t, GOOSE, []decodeTest{
		{"messages", []turn{client(gooseFrame("0000", gooseBody)), client(gooseFrame("0000", gooseBody) + "0000")}, []string{
			"goose goose client event GOOSE: 2=0+0+0 [3]",
		}},
		{"simulated by the header, by the PDU, routed", []turn{
			client(gooseFrame("8000", gooseBody)), client(gooseFrame("0000", strings.Replace(gooseBody, "8701 00", "8701 01", 1))),
			client(routedHead("a1", 2, payload("81", "01", tlv("61", gooseBody)))),
		}, []string{
			"goose goose client event GOOSE, simulated: 3=0+0+0 [3 5]",
		}},
		{"two in a packet", []turn{client(routedHead("a1", 1, strings.Repeat(payload("81", "00", tlv("61", gooseBody)), 2)))}, []string{
			"goose goose client event GOOSE: 2=0+0+0 [5]",
		}},
		{"encrypted", []turn{client(secret)}, []string{"goose goose client event GOOSE, encrypted: 1=0+0+0"}},
		{"without the name, and with a second payload that is none", []turn{
			client(gooseFrame("0000", gooseFields)), client(routedHead("a1", 1, payload("81", "00", tlv("61", gooseBody))+"81000005")),
		}, []string{
			"goose goose client event GOOSE: 1=0+0+0 [5]",
			"undecoded: 2",
		}},
	})
}

func TestGOOSEProtection(t *testing.T) {
	plain := routedHead("a1", 1, payload("81", "00", tlv("61", gooseBody)))
	for _, test := range []struct {
		name, hex string
		want      Protection
	}{
		{"clear", plain, Clear},
		{"signed", plain + "8510" + strings.Repeat("5a", 16), Integrity},
		{"encrypted", strings.Replace(plain, "0000 00000001", "0100 00000001", 1), Encrypted},
	} {
		x := NewExchange(new(Tally))
		GOOSE.New().Decode(x, capture.FromClient, unhex(t, test.hex))
		if got := x.Protection(Clear); got != test.want {
			t.Errorf("%s: protection %d, want %d", test.name, got, test.want)
		}
	}
}

// A publisher is named once for each of its control blocks, however often they
// come and however many there are.
func TestGOOSENames(t *testing.T) {
	var turns []turn
	for i := range 3 * (capture.MaxFacts + 2) {
		block := tlv("80", ascii(fmt.Sprintf("LD0/LLN0$GO$g%02d", i%(capture.MaxFacts+2))))
		turns = append(turns, client(gooseFrame("0000", block+gooseFields)))
	}
	_, tally := conversation(t, GOOSE, turns...)
	said := tally.Said(capture.FromClient)
	if len(said.Names) != capture.MaxFacts || !said.Cut || said.Names[1] != (capture.Name{Name: "LD0/LLN0$GO$g01", Source: "goose", Frame: 2}) {
		t.Errorf("got %d names, cut %v: %v", len(said.Names), said.Cut, said.Names)
	}
}

// Sampled Values by hand: a number of ASDUs, and an ASDU with its name, sample
// counter, revision, synchronisation and samples.
const svBody = "8001 01 a217 3015 8004 34303031 8202 0118 8304 00000001 8501 02 8700"

func svFrame(reserved string) string {
	pdu := tlv("60", svBody)
	return fmt.Sprintf("4001%04x%s0000%s", 8+len(pdu)/2, reserved, pdu)
}

func TestSV(t *testing.T) {
	testDatagrams(t, SV, []recogniseTest{
		{"frame", svFrame("0000"), Match{Sure, AnyRole}},
		{"routed", routedHead("a2", 1, payload("82", "00", tlv("60", svBody))), Match{Sure, Client}},
		{"frame without an ASDU", "4001 000d 0000 0000 60 03 800101", Match{Weak, AnyRole}},
		{"GOOSE", gooseFrame("0000", gooseBody), Match{}},
		{"GSE management", gseAsk, Match{Weak, AnyRole}}, // its EtherType tells them apart
	})
	testDecode(t, SV, []decodeTest{
		{"measured, simulated, routed, with a field for security, without an ASDU", []turn{
			client(svFrame("0000")), client(svFrame("8000")), client(routedHead("a2", 2, payload("82", "00", tlv("60", svBody)))),
			client(strings.Replace(svFrame("0000"), "800101a217", "8001018100a217", 1)), client("4001 000d 0000 0000 60 03 800101"),
		}, []string{
			"sv sv client event Sampled Values: 3=0+0+0 [5 16385]",
			"sv sv client event Sampled Values, simulated: 1=0+0+0 [16385]",
			"undecoded: 1",
		}},
	})
	_, tally := conversation(t, SV, client(svFrame("0000")), client(svFrame("0000")))
	want := []capture.Name{{Name: "4001", Source: "sv", Frame: 1}}
	if diff := cmp.Diff(want, tally.Said(capture.FromClient).Names); diff != "" {
		t.Errorf("names (-want +got):\n%s", diff)
	}
}

// GSE management: state 9, a request for the number of an element, the response
// to it, and one that says it is not supported.
const (
	gseAsk    = "0003 0012 0000 0000 60 08 800109 a103 a201 00"
	gseAnswer = "0003 0012 0000 0000 60 08 800109 a203 a201 00"
	gseCannot = "0003 0011 0000 0000 60 07 800109 a202 8000"
)

func TestGSE(t *testing.T) {
	testDatagrams(t, GSE, []recogniseTest{
		{"request", gseAsk, Match{Sure, Client}},
		{"response", gseAnswer, Match{Sure, Server}},
		{"not supported", gseCannot, Match{Sure, Server}},
		{"no service", "0003 000d 0000 0000 60 03 800109", Match{Weak, AnyRole}},
		{"Sampled Values", svFrame("0000"), Match{Weak, AnyRole}},
	})
	testDecode(t, GSE, []decodeTest{
		{"answered", []turn{client(gseAsk), server(gseAnswer)}, []string{"gse 2 client discover GetGOOSEElementNumber: 1=1+0+0 [3]"}},
		{"not supported", []turn{client(gseAsk), server(gseCannot)}, []string{"gse 2 client discover GetGOOSEElementNumber: 1=0+1+0 [3]"}},
		{"neither", []turn{client("0003 000d 0000 0000 60 03 800109")}, []string{"undecoded: 1"}},
	})
}

func TestPublishedOps(t *testing.T) {
	ops := []*Op{&gooseOp, &gooseSimOp, &gooseSecretOp, &svOp, &svSimOp, &svSecretOp}
	for i := range gseOps {
		ops = append(ops, &gseOps[i])
	}
	testOps(t, ops)
}

func TestPublishedAllocs(t *testing.T) {
	testAllocs(t, GOOSE, gooseFrame("0000", gooseBody), routedHead("a1", 1, payload("81", "00", tlv("61", gooseBody))))
	testAllocs(t, SV, svFrame("0000"), svFrame("8000"))
	testAllocs(t, GSE, gseAsk, gseAnswer)
}

func BenchmarkGOOSE(b *testing.B) {
	x, d := NewExchange(new(Tally)), GOOSE.New()
	frame := unhex(b, gooseFrame("0000", gooseBody))
	b.SetBytes(int64(len(frame)))
	b.ReportAllocs()
	for b.Loop() {
		GOOSE.Recognise(frame) // the engine asks for every datagram
		d.Decode(x, capture.FromClient, frame)
	}
}

func BenchmarkSV(b *testing.B) {
	x, d := NewExchange(new(Tally)), SV.New()
	frame := unhex(b, svFrame("0000"))
	b.SetBytes(int64(len(frame)))
	b.ReportAllocs()
	for b.Loop() {
		SV.Recognise(frame)
		d.Decode(x, capture.FromClient, frame)
	}
}

// FuzzPublished: a datagram counts one message for each PDU in it or one that
// could not be read, all of it is used, and what a recogniser is sure of is read.
func FuzzPublished(f *testing.F) {
	f.Add(unhex(f, gooseFrame("8000", gooseBody)))
	f.Add(unhex(f, svFrame("0000")))
	f.Add(unhex(f, gseAsk))
	f.Add(unhex(f, routedHead("a1", 2, strings.Repeat(payload("81", "00", tlv("61", gooseBody)), 2)))) // two payloads
	f.Add(unhex(f, routedHead("a2", 1, "82000005ffff")))                                               // a payload longer than the packet
	f.Add(unhex(f, "0140 a1 18 80 12 00000014 00000007 0002 00000000 0000 00000001 ff 00"))            // a vector beyond the end
	f.Add(unhex(f, "0003 0012 0000 0000 60 83ffffff 800109"))                                          // a PDU longer than its frame
	f.Fuzz(func(t *testing.T, b []byte) {
		for _, p := range []*Protocol{GOOSE, SV, GSE} {
			x := NewExchange(new(Tally))
			if used := p.New().Decode(x, capture.FromClient, b); used != len(b) {
				t.Fatalf("%s used %d of %d bytes", p.Name, used, len(b))
			}
			x.Close()
			var c capture.Conversation
			x.tally.Fill(&c)
			counted := c.Undecoded
			for _, o := range c.Operations {
				counted += o.Count
			}
			m := p.Recognise(b)
			if m.Score == Sure && len(c.Operations) == 0 && !(p == GSE && m.Role == Server) {
				t.Errorf("%s is sure of what it cannot read", p.Name)
			}
			if counted == 0 && !(p == GSE && m.Role == Server) { // a response counts nowhere
				t.Errorf("%s: neither counted nor said to be unread", p.Name)
			}
		}
	})
}
