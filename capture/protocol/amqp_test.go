package protocol

import (
	"encoding/binary"
	"encoding/hex"
	"strings"
	"testing"

	"bulkhead/capture"

	"github.com/google/go-cmp/cmp"
)

// amqpFrame builds a frame of 0-9-1 on channel 1: type, channel, size, payload, end.
func amqpFrame(kind byte, payload string) string {
	p := unspaced(payload)
	return hex.EncodeToString(binary.BigEndian.AppendUint32([]byte{kind, 0, 1}, uint32(len(p)/2))) + p + "ce"
}

// amqpPerform builds a frame of 1.0: size, data offset, type, channel, and a
// described list of small size.
func amqpPerform(kind, code byte, count byte, fields string) string {
	f := unspaced(fields)
	n := len(f) / 2
	head := binary.BigEndian.AppendUint32(nil, uint32(8+6+n))
	head = append(head, 2, kind, 0, 0, 0, 0x53, code, 0xc0, byte(n+1), count)
	return hex.EncodeToString(head) + f
}

// amqpControl builds a frame of 0-9-1 of the connection itself.
func amqpControl(payload string) string {
	return strings.Replace(amqpFrame(amqpMethod, payload), "010001", "010000", 1)
}

const (
	amqpHello091 = "414d5150 00000901"
	amqpHello10  = "414d5150 00010000"
	amqpHelloTLS = "414d5150 02010000"
)

var (
	amqpGreeting = amqpControl("000a000a 00 09 0000001d 07 70726f64756374 53 00000002 4d51 07 76657273696f6e 53 00000001 33 00000005 504c41494e 00000000")
	amqpPlain    = amqpControl("000a000b 00000000 05 504c41494e 00000007 00 7573 00 707773 05 656e5f5553") // us, pws
	amqpTuned    = amqpControl("000a001e 0000 00020000 003c")
	amqpDeclare  = amqpFrame(1, "0032000a 0000 01 71 00 00000000")
	amqpDeclared = amqpFrame(1, "0032000b 01 71 00000000 00000000")
	amqpPublish  = amqpFrame(1, "003c0028 0000 00 01 71 00") + amqpFrame(2, "003c 0000 0000000000000002 0000") + amqpFrame(3, "6869")
)

func TestAMQPRecognise(t *testing.T) {
	testRecognise(t, AMQP, []recogniseTest{
		{"client's header", amqpHello091, Match{Sure, Client}},
		{"header of 1.0", amqpHello10, Match{Score: Sure}},
		{"header with SASL", "414d5150 03010000", Match{Score: Sure}},
		{"header of no version", "414d5150 07070707", Match{}},
		{"server's start", amqpGreeting, Match{Sure, Server}},
		{"method", amqpDeclare, Match{Score: Weak}},
		{"method without its end", "01 0001 0000000e 0032000a 0000 01 71 00 00000000 0000 00", Match{}},
		{"method of no class", amqpFrame(1, "00630001"), Match{}},
		{"open of 1.0", amqpPerform(0, 0x10, 1, "a1 01 61"), Match{Score: Weak}},
		{"a performative that is none", amqpPerform(0, 0x30, 1, "a1 01 61"), Match{}},
		{"Modbus", "0001 0000 0006 01 03 0000 000a", Match{}},
		{"Modbus response", "0000 0000 0005 01 03 02 0001", Match{}},
		{"TPKT", s7Connect, Match{}},
		{"HART-IP", "0100 00 00 0001 000d 01 00007530", Match{}},
		{"SMB over NetBIOS", "00000054 fe534d42 4000", Match{}},
	})
}

func TestAMQP(t *testing.T) {
	testDecode(t, AMQP, []decodeTest{
		{"0-9-1: log in, declare, publish, heartbeat", []turn{
			client(amqpHello091), server(amqpGreeting), client(amqpPlain), server(amqpTuned), client(amqpDeclare), server(amqpDeclared),
			client(amqpPublish), server("08 0000 00000000 ce"),
		}, []string{
			"amqp 10.10 server session connection.start: 1=1+0+0",
			"amqp 10.11 client reply connection.start-ok: 1=0+0+0",
			"amqp 10.30 server session connection.tune: 1=0+0+1",
			"amqp 50.10 client configure queue.declare: 1=1+0+0",
			"amqp 50.11 server reply queue.declare-ok: 1=0+0+0",
			"amqp 60.40 client event basic.publish: 1=0+0+0",
			"amqp header client session protocol header: 1=0+0+0",
			"amqp heartbeat server session heartbeat: 1=0+0+0",
		}},
		{"refused by closing the channel; no answer wanted; empty queue", []turn{
			client(amqpDeclare), server(amqpFrame(1, "00140028 0193 00 0032000a")), client(amqpFrame(1, "0032000a 0000 01 71 10 00000000")),
			client(amqpFrame(1, "003c0046 0000 01 71 00")), server(amqpFrame(1, "003c0048 00")), client(amqpFrame(1, "00c80001")),
		}, []string{
			"amqp 0.0 client configure method of no specification: 1=0+0+0",
			"amqp 20.40 server session channel.close: 1=0+0+1",
			"amqp 50.10 client configure queue.declare: 2=0+1+0",
			"amqp 60.70 client read basic.get: 1=1+0+0",
			"amqp 60.72 server reply basic.get-empty: 1=0+0+0",
		}},
		{"1.0: SASL, open, transfer, heartbeat", []turn{
			client("414d5150 03010000" + amqpPerform(1, 0x41, 2, "a3 05 504c41494e a0 05 0075 00 7077")), server(amqpPerform(1, 0x44, 1, "50 00")),
			client(amqpHello10 + amqpPerform(0, 0x10, 1, "a1 01 61")), client(amqpPerform(0, 0x14, 1, "43")), server("00000008 02 00 0000"),
		}, []string{
			"amqp 0x10 client session open: 1=0+0+0",
			"amqp 0x14 client event transfer: 1=0+0+0",
			"amqp 0x41 client session sasl-init: 1=1+0+0",
			"amqp 0x44 server reply sasl-outcome: 1=0+0+0",
			"amqp header client session protocol header: 2=0+0+0",
			"amqp heartbeat server session heartbeat: 1=0+0+0",
		}},
		{"TLS inside", []turn{client(amqpHelloTLS), server(amqpHelloTLS), client("160301"), server("160303")}, []string{
			"amqp header client session protocol header: 1=0+0+0", "amqp header server session protocol header: 1=0+0+0",
		}},
		{"a body longer than is kept, over segments", []turn{
			client("03 0001 00020000" + "0000"), client(strings.Repeat("00", 0x20000-2) + "ce" + amqpDeclare),
			server("00020000 02 00 0000 00 53 14 c0 02 01 43" + strings.Repeat("00", 600)), server(strings.Repeat("00", 0x20000-15-600) + "00000008 02 00 0000"),
		}, []string{
			"amqp 0x14 server event transfer: 1=0+0+0",
			"amqp 50.10 client configure queue.declare: 1=0+0+1",
			"amqp heartbeat server session heartbeat: 1=0+0+0",
		}},
		{"bytes that are no frame", []turn{client("414d5150 ffffffff"), client("05 0000 00000000 ce"), server("01 0001 00000004 00000000 00"), server("00000009 02 00 0000 00")}, []string{
			"undecoded: 4",
		}},
	})
}

func TestAMQPLogin(t *testing.T) {
	amqplain := "00000000 08 414d51504c41494e 00000021 05 4c4f47494e 53 00000002 7573 08 50415353574f5244 53 00000003 707773 05 656e5f5553"
	for _, test := range []struct {
		name  string
		turns []turn
		want  capture.AuthFact
	}{
		{"plain, accepted", []turn{client(amqpPlain), server(amqpTuned)}, capture.AuthFact{Kind: "amqp plain", Readable: true, Length: 3, Count: 1, Accepted: 1, Frame: 1}},
		{"plain, refused", []turn{client(amqpPlain), server(amqpControl("000a0032 0193 00 00000000"))}, capture.AuthFact{Kind: "amqp plain", Readable: true, Length: 3, Count: 1, Frame: 1}},
		{"amqplain", []turn{client(amqpControl("000a000b" + amqplain))}, capture.AuthFact{Kind: "amqp amqplain", Readable: true, Length: 3, Count: 1, Frame: 1}},
		{"external", []turn{client(amqpControl("000a000b 00000000 08 45585445524e414c 00000000 00"))}, capture.AuthFact{Kind: "amqp external", Count: 1, Frame: 1}},
		{"1.0, refused", []turn{client(amqpPerform(1, 0x41, 2, "a3 05 504c41494e a0 05 0075 00 7077")), server(amqpPerform(1, 0x44, 1, "50 01"))},
			capture.AuthFact{Kind: "amqp plain", Readable: true, Length: 2, Count: 1, Frame: 1}},
	} {
		c, _ := conversation(t, AMQP, test.turns...)
		if diff := cmp.Diff([]capture.AuthFact{test.want}, c.Security.Auth); diff != "" {
			t.Errorf("%s: log-ins (-want +got):\n%s", test.name, diff)
		}
	}
}

func TestAMQPIdentity(t *testing.T) {
	_, tally := conversation(t, AMQP, server(amqpGreeting))
	want := []capture.Identity{{Model: "MQ", Firmware: "3", Source: "amqp", Frame: 1}}
	if diff := cmp.Diff(want, tally.Said(capture.FromServer).Identities); diff != "" {
		t.Errorf("identities (-want +got):\n%s", diff)
	}
}

func TestAMQPOps(t *testing.T) {
	ops := []*Op{&amqpHello, &amqpBeat, &amqpOther}
	for i := range amqpPerformatives {
		ops = append(ops, &amqpPerformatives[i])
	}
	for _, k := range amqpMethods {
		ops = append(ops, &k.op)
		if k.answers != 0 && !amqpMethods[k.answers].asks {
			t.Errorf("%s answers what asks nothing", k.op.Name)
		}
	}
	testOps(t, ops)
}

func TestAMQPAllocs(t *testing.T) {
	testAllocs(t, AMQP, amqpPublish+amqpDeclare+amqpPerform(0, 0x14, 1, "43"), amqpDeclared)
}

func BenchmarkAMQP(b *testing.B) { benchDecode(b, AMQP, amqpPublish, amqpDeclared) }

func FuzzAMQP(f *testing.F) {
	for _, seed := range []string{
		amqpHello091 + amqpPlain + amqpPublish, // all kinds of frame
		amqpHello10 + amqpPerform(0, 0x10, 1, "a1 01 61"),
		amqpGreeting,
		"03 0001 00020000 00", "01 0001 00020000 00", // longer than is kept: a body, a method
		"00020000 02 00 0000 00 53 14" + strings.Repeat("00", 600),
		"01 0001 00000005 000a000b ff ce", // a table that runs on
	} {
		f.Add(unhex(f, seed), uint16(9), false)
	}
	fuzzDecode(f, AMQP)
}
