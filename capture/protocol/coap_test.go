package protocol

import (
	"testing"
)

// Messages built by hand: version, type and token length; code; message
// identifier; token; options; payload.
const (
	coapGetStorage = "4101 1234 aa b7 73746f72616765" // GET /storage, confirmable, token aa
	coapContent    = "6145 1234 aa ff 3432"           // 2.05, in the acknowledgement
	coapWatchTemp  = "4101 1235 bb 60 54 74656d70"    // GET /temp, Observe 0
	coapNoticed    = "6145 1235 bb 61 02 ff 32"       // the first answer: Observe 2
	coapNotice     = "5145 9001 bb 61 03 ff 33"       // the next, not confirmable
	coapPutAct     = "4103 1236 cc b3 616374 ff 31"   // PUT /act
	coapChanged    = "6144 1236 cc"                   // 2.04
	coapForbidden  = "6183 1236 cc"                   // 4.03
	coapWellKnown  = "4001 1237 bb 2e77656c6c2d6b6e6f776e 04 636f7265"
)

func TestCoAPRecognise(t *testing.T) {
	testDatagrams(t, CoAP, []recogniseTest{
		{"get", coapGetStorage, Match{Sure, Client}},
		{"put", coapPutAct, Match{Sure, Client}},
		{"get of the root", "4001 1234", Match{Weak, Client}},
		{"content", coapContent, Match{Weak, Server}},
		{"acknowledgement", "6000 1234", Match{Score: Weak}},
		{"an option that is not registered", "4001 1234 b7 73746f72616765 d0 02", Match{Weak, Client}},
		{"token of nine octets", "4901 1234 010203040506070809", Match{}},
		{"version 2", "8001 1234", Match{}},
		{"a request in an acknowledgement", "6001 1234", Match{}},
		{"payload of no octets", "4001 1234 ff", Match{}},
		{"a reserved length", "4001 1234 bf", Match{}},
		{"DNS", "1234 0100 0001 0000 0000 0000 0377777700 0001 0001", Match{}},
		{"STUN", "0001 0000 2112a442 000000000000000000000000", Match{}},
		{"RTP", "8000 0001 00000000 00000000", Match{}},
		{"IPv4 header", "4500 0028 0000 4000 4006 0000 0a000001 0a000002", Match{}},
		{"RTPS", "52545053 0203 0101 000102030405060708090a0b", Match{}},
	})
}

func TestCoAP(t *testing.T) {
	testDecode(t, CoAP, []decodeTest{
		{"read, write, write refused", []turn{
			client(coapGetStorage), server(coapContent), client(coapPutAct), server(coapChanged), client(coapPutAct), server(coapForbidden),
		}, []string{
			"coap 1 client read GET: 1=1+0+0",
			"coap 3 client write PUT: 2=1+1+0",
			"coap 68 server reply 2.04 Changed: 1=0+0+0",
			"coap 69 server reply 2.05 Content: 1=0+0+0",
			"coap 131 server reply 4.03 Forbidden: 1=0+0+0",
		}},
		{"observed, and notified", []turn{
			client(coapWatchTemp), server(coapNoticed), server(coapNotice), client("7000 9001"), client("4101 1239 bb 61 01 54 74656d70"),
		}, []string{
			"coap 0 client reply Empty, reset: 1=0+0+0",
			"coap 1 client read GET, observe: 1=1+0+0",
			"coap 1 client session GET, observe no more: 1=0+0+1",
			"coap 69 server event 2.05 Content, notification: 1=0+0+0",
			"coap 69 server reply 2.05 Content: 1=0+0+0",
		}},
		{"acknowledged first, answered later", []turn{
			client(coapGetStorage), server("6000 1234"), server("4145 7777 aa ff 3432"), client("6000 7777"),
		}, []string{
			"coap 0 client reply Empty, acknowledgement: 1=0+0+0",
			"coap 0 server reply Empty, acknowledgement: 1=0+0+0",
			"coap 1 client read GET: 1=1+0+0",
			"coap 69 server reply 2.05 Content: 1=0+0+0",
		}},
		{"sent again, then reset", []turn{client(coapGetStorage), client(coapGetStorage), server("7000 1234")}, []string{
			"coap 0 server reply Empty, reset: 1=0+0+0", "coap 1 client read GET: 2=0+2+0",
		}},
		{"ping", []turn{client("4000 4321"), server("7000 4321")}, []string{
			"coap 0 client session Empty, confirmable (ping): 1=1+0+0", "coap 0 server reply Empty, reset: 1=0+0+0",
		}},
		{"discovery, and a method of the future", []turn{client(coapWellKnown), client("4108 1240 dd b3 616263")}, []string{
			"coap 1 client discover GET /.well-known/core: 1=0+0+1", "coap 8 client configure Method 0.08: 1=0+0+1",
		}},
		{"OSCORE hides the method; a write that wants no answer", []turn{
			client("4102 1241 ee 93 090101 ff aabb"), client("5103 1242 ef b3 616374 d1 ea 1a ff 31"),
		}, []string{
			"coap 2 client write POST, OSCORE (method hidden): 1=0+0+1", "coap 3 client write PUT: 1=0+0+0",
		}},
		{"what is no message", []turn{client("4101"), client("4001 1234 b9 41"), server("40e0 1234"), server("6000 1234 00")}, []string{"undecoded: 4"}},
	})
}

func TestCoAPOps(t *testing.T) {
	ops := []*Op{&coapPing, &coapAck, &coapRst, &coapWatch, &coapUnwatch, &coapFind, coapSecret[coapPOST], coapSecret[coapFETCH]}
	for i := range coapOps {
		if i > 0 {
			ops = append(ops, &coapOps[i], &coapNotifications[i])
		}
	}
	testOps(t, ops)
}

func TestCoAPAllocs(t *testing.T) { testAllocs(t, CoAP, coapPutAct, coapChanged) }

func BenchmarkCoAP(b *testing.B) {
	x, d := NewExchange(new(Tally)), CoAP.New()
	ask, answer := unhex(b, coapGetStorage), unhex(b, coapContent)
	b.SetBytes(int64(len(ask) + len(answer)))
	b.ReportAllocs()
	for b.Loop() {
		d.Decode(x, 0, ask)
		d.Decode(x, 1, answer)
	}
}

func FuzzCoAP(f *testing.F) {
	for _, seed := range []string{
		coapGetStorage, coapNotice, coapWellKnown,
		"4001 1234 ee ffff ffff", // option number and length beyond what there is
		"4001 1234 d0 02 ff",     // an extended number, then a payload of nothing
	} {
		f.Add(unhex(f, seed))
	}
	fuzzMessages(f, CoAP)
}
