package protocol

import (
	"encoding/hex"
	"strings"
	"testing"

	"bulkhead/capture"

	"github.com/google/go-cmp/cmp"
)

// Packets built by hand: type and flags, remaining length, variable header,
// payload.
const (
	mqttOpen      = "10 14 00044d515454 04 c2 003c 0001 61 0001 75 0002 7077" // client a, user u, password of 2
	mqttOpen31    = "10 0f 00064d5149736470 03 02 003c 0001 61"
	mqttOpen5     = "10 18 00044d515454 05 02 003c 05 11 00000000 0006 636c69656e74"
	mqttOpenSASL  = "10 18 00044d515454 05 02 003c 0a 26 0001 61 0001 62 15 0000 0001 61"
	mqttAccept    = "20 02 00 00"
	mqttRefuse    = "20 02 00 05"
	mqttPub0      = "30 05 0001 74 3432"      // topic t
	mqttPub1      = "32 07 0001 74 0007 3432" // wants PUBACK 7
	mqttPub1Again = "3a 07 0001 74 0007 3432"
	mqttPub2      = "34 07 0001 74 0008 3432"
	mqttAck1      = "40 02 0007"
	mqttSub       = "82 06 0009 0001 74 00"
	mqttSubOK     = "90 03 0009 00"
	mqttSubNo     = "90 03 0009 80"
)

// sparkplug builds a PUBLISH without acknowledgement.
func sparkplug(topic string) string {
	n := len(topic)
	return "30" + hex.EncodeToString([]byte{byte(n + 3), 0, byte(n)}) + hex.EncodeToString([]byte(topic)) + "08"
}

func TestMQTTRecognise(t *testing.T) {
	testRecognise(t, MQTT, []recogniseTest{
		{"connect", mqttOpen, Match{Sure, Client}},
		{"connect of 3.1", mqttOpen31, Match{Sure, Client}},
		{"connect of 5", mqttOpen5, Match{Sure, Client}},
		{"connect, cut in its payload", "10 14 00044d515454 04 c2 003c 0001", Match{Sure, Client}},
		{"connect of another name", "10 14 00044d515455 04 c2 003c 0001 61 0001 75 0002 7077", Match{}},
		{"accepted", mqttAccept, Match{Weak, Server}},
		{"publish", mqttPub0, Match{Weak, AnyRole}},
		{"publish, subscribe", mqttPub0 + mqttSub, Match{Weak, Client}},
		{"ping", "c000", Match{Weak, Client}},
		{"topic with a wildcard", "30 05 0001 23 3432", Match{}},
		{"flags that are reserved", "23 02 00 00", Match{}},
		{"length of five octets", "30 ffffffff01", Match{}},
		{"length unfinished", "30 80", Match{More, AnyRole}},
		{"publish unfinished", "30 7f 0010 74", Match{More, AnyRole}},
		{"Modbus", "0001 0000 0006 01 03 0000 000a", Match{}},
		{"TLS", "1603010200010001fc0303", Match{}},
		{"TPKT", s7Connect, Match{}},
		{"HTTP", hex.EncodeToString([]byte("GET / HTTP/1.1\r\n")), Match{}},
		{"SSH", hex.EncodeToString([]byte("SSH-2.0-x\r\n")), Match{}},
		{"LDAP bind", "300c020101600702010304008000", Match{}},
		{"SNMP", "302902010004067075626c6963a01c", Match{}},
	})
}

func TestMQTT(t *testing.T) {
	testDecode(t, MQTT, []decodeTest{
		{"connect, subscribe, ping, disconnect", []turn{
			client(mqttOpen), server(mqttAccept), client(mqttSub), server(mqttSubOK), client("a2 05 000a 0001 74"), server("b0 02 000a"),
			client("c000"), server("d000"), client("e000"),
		}, []string{
			"mqtt 1 client session CONNECT: 1=1+0+0",
			"mqtt 2 server reply CONNACK: 1=0+0+0",
			"mqtt 8 client read SUBSCRIBE: 1=1+0+0",
			"mqtt 9 server reply SUBACK: 1=0+0+0",
			"mqtt 10 client session UNSUBSCRIBE: 1=1+0+0",
			"mqtt 11 server reply UNSUBACK: 1=0+0+0",
			"mqtt 12 client session PINGREQ: 1=1+0+0",
			"mqtt 13 server reply PINGRESP: 1=0+0+0",
			"mqtt 14 client session DISCONNECT: 1=0+0+0",
		}},
		{"not authorised", []turn{client(mqttOpen), server(mqttRefuse)}, []string{
			"mqtt 1 client session CONNECT: 1=0+1+0", "mqtt 2 server reply CONNACK: 1=0+0+0",
		}},
		{"publishes of every quality, both ways", []turn{
			client(mqttPub0 + mqttPub1), server(mqttAck1 + mqttPub2), client("50 02 0008"), server("62 02 0008"), client("70 02 0008"),
		}, []string{
			"mqtt 3 client event PUBLISH: 2=1+0+0",
			"mqtt 3 server event PUBLISH: 1=1+0+0",
			"mqtt 4 server reply PUBACK: 1=0+0+0",
			"mqtt 5 client reply PUBREC: 1=0+0+0",
			"mqtt 6 server session PUBREL: 1=1+0+0",
			"mqtt 7 client reply PUBCOMP: 1=0+0+0",
		}},
		{"sent again, then acknowledged", []turn{client(mqttPub1 + mqttPub1Again), server(mqttAck1)}, []string{
			"mqtt 3 client event PUBLISH: 2=2+0+0", "mqtt 4 server reply PUBACK: 1=0+0+0",
		}},
		{"the identifier used again", []turn{client(mqttPub1 + mqttPub1), server(mqttAck1)}, []string{
			"mqtt 3 client event PUBLISH: 2=1+0+1", "mqtt 4 server reply PUBACK: 1=0+0+0",
		}},
		{"version 5: publish refused, subscription refused behind properties", []turn{
			client(mqttOpen5), server("20 03 00 00 00"), client(mqttPub1), server("40 03 0007 87"),
			client("82 07 0009 00 0001 74 00"), server("90 04 0009 00 87"), server("e0 02 8b 00"),
		}, []string{
			"mqtt 1 client session CONNECT: 1=1+0+0",
			"mqtt 2 server reply CONNACK: 1=0+0+0",
			"mqtt 3 client event PUBLISH: 1=0+1+0",
			"mqtt 4 server reply PUBACK: 1=0+0+0",
			"mqtt 8 client read SUBSCRIBE: 1=0+1+0",
			"mqtt 9 server reply SUBACK: 1=0+0+0",
			"mqtt 14 server session DISCONNECT: 1=0+0+0",
		}},
		{"a subscription refused, of a version not seen", []turn{client(mqttSub), server(mqttSubNo)}, []string{
			"mqtt 8 client read SUBSCRIBE: 1=0+1+0", "mqtt 9 server reply SUBACK: 1=0+0+0",
		}},
		{"Sparkplug", []turn{
			client(sparkplug("spBv1.0/g/NBIRTH/e") + sparkplug("spBv1.0/g/DDATA/e/d") + sparkplug("spBv1.0/STATE/h") + sparkplug("STATE/h") + sparkplug("spBv1.0/g/XCMD/e")),
			server(sparkplug("spBv1.0/g/NCMD/e") + sparkplug("spBv1.0/g/DCMD/e/d")), client(sparkplug("spBv2.0/g/NCMD/e")),
		}, []string{
			"mqtt 3 client configure PUBLISH Sparkplug, unknown message: 1=0+0+0",
			"mqtt 3 client event PUBLISH: 1=0+0+0",
			"mqtt 3 client event PUBLISH Sparkplug DDATA (device data): 1=0+0+0",
			"mqtt 3 client event PUBLISH Sparkplug NBIRTH (edge node birth): 1=0+0+0",
			"mqtt 3 client event PUBLISH Sparkplug STATE (host application): 2=0+0+0",
			"mqtt 3 server control PUBLISH Sparkplug DCMD (device command): 1=0+0+0",
			"mqtt 3 server control PUBLISH Sparkplug NCMD (edge node command): 1=0+0+0",
		}},
		{"packets over segments", []turn{client(mqttPub0 + "32"), client("07 0001 74"), client("0007 3432 c0"), client("00")}, []string{
			"mqtt 3 client event PUBLISH: 2=0+0+1", "mqtt 12 client session PINGREQ: 1=0+0+1",
		}},
		{"a message longer than is kept", []turn{
			client("32 808008 0001 74"), client("0007" + strings.Repeat("00", 0x20000-5) + mqttPub0), server(mqttAck1),
		}, []string{
			"mqtt 3 client event PUBLISH: 2=1+0+0", "mqtt 4 server reply PUBACK: 1=0+0+0",
		}},
		{"bytes that are no packet, and packets cut short", []turn{client("00 00"), client("40 01 00"), server("20 01 00"), client("10 04 00044d51"), client("30 02 0005")}, []string{
			"undecoded: 5",
		}},
	})
}

func TestMQTTLogin(t *testing.T) {
	for _, test := range []struct {
		open, answer string
		want         capture.AuthFact
	}{
		{mqttOpen, mqttAccept, capture.AuthFact{Kind: "mqtt password", Readable: true, Length: 2, Count: 1, Accepted: 1, Frame: 1}},
		{mqttOpen, mqttRefuse, capture.AuthFact{Kind: "mqtt password", Readable: true, Length: 2, Count: 1, Frame: 1}},
		{mqttOpen31, mqttAccept, capture.AuthFact{Kind: "mqtt anonymous", Count: 1, Accepted: 1, Frame: 1}},
		{mqttOpenSASL, mqttAccept, capture.AuthFact{Kind: "mqtt enhanced authentication", Count: 1, Accepted: 1, Frame: 1}},
	} {
		c, tally := conversation(t, MQTT, client(test.open), server(test.answer))
		if diff := cmp.Diff([]capture.AuthFact{test.want}, c.Security.Auth); diff != "" {
			t.Errorf("log-ins of %s (-want +got):\n%s", test.open, diff)
		}
		if names := tally.Said(capture.FromClient).Names; len(names) != 1 || names[0].Name != "a" {
			t.Errorf("%s: names %v", test.open, names)
		}
	}
}

func TestMQTTOps(t *testing.T) {
	ops := []*Op{&sparkplugState, &sparkplugOther}
	for i := range mqttOps {
		ops = append(ops, &mqttOps[i])
	}
	for i := range sparkplugOps {
		ops = append(ops, &sparkplugOps[i].op)
	}
	testOps(t, ops)
}

func TestMQTTAllocs(t *testing.T) {
	testAllocs(t, MQTT, mqttPub1+sparkplug("spBv1.0/g/DDATA/e/d")+"c000", mqttAck1+"d000")
}

func BenchmarkMQTT(b *testing.B) { benchDecode(b, MQTT, mqttPub1, mqttAck1) }

func FuzzMQTT(f *testing.F) {
	for _, seed := range []string{
		mqttOpen + mqttPub1 + mqttSub,      // several to a segment
		mqttOpen5 + "90 04 0009 00 87",     // properties before the codes
		mqttOpenSASL,                       // properties with texts
		"32 808008 0001 74 0007 0000",      // a message longer than is kept
		"30 808008 ffff 74",                // the same, its topic too
		"10 808008 0004 4d515454", "30 80", // a connect that long; ends early
	} {
		f.Add(unhex(f, seed), uint16(3), false)
	}
	fuzzDecode(f, MQTT)
}
