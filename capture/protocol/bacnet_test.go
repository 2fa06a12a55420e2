package protocol

import (
	"bytes"
	"encoding/hex"
	"testing"

	"bulkhead/capture"

	"github.com/google/go-cmp/cmp"
)

// bvlc builds a datagram of the virtual link layer: type, function, length and
// what follows, in hex.
func bvlc(function byte, rest string) string {
	b, err := hex.DecodeString(unspaced(rest))
	if err != nil {
		panic(err)
	}
	n := bvlcHeader + len(b)
	return hex.EncodeToString(append([]byte{bvlcType, function, byte(n >> 8), byte(n)}, b...))
}

func unspaced(s string) string { return string(bytes.ReplaceAll([]byte(s), []byte(" "), nil)) }

// unicast is an Original-Unicast-NPDU to a device on the same network: version 1,
// a reply wanted or not, and the APDU.
func unicast(apdu string) string { return bvlc(bvlcUnicast, "0104"+apdu) }

func ask(apdu string) turn    { return client(unicast(apdu)) }
func answer(apdu string) turn { return server(unicast(apdu)) }

// The examples of 135-2020, Annex F, where it has one.
const (
	bacnetReadPV    = "0005 01 0c 0c00000005 1955"                // ReadProperty of analog input 5, present value
	bacnetReadPVAck = "30 01 0c 0c00000005 1955 3e44429 0999a 3f" // 72.3
	bacnetWritePV   = "0004 59 0f 0c00800001 1955 3e44433 40000 3f"
	bacnetWhoIs     = "1008"
	bacnetIAmPDU    = "1000 c4 0200 0001 22 0400 91 03 21 63" // device 1, 1024 octets, no segmentation, vendor 99
)

func TestBACnet(t *testing.T) {
	testDecode(t, BACnet, []decodeTest{
		{"read and its answer", []turn{ask(bacnetReadPV), answer(bacnetReadPVAck)},
			[]string{"bacnet confirmed:12 client read ReadProperty: 1=1+0+0"}},
		{"write and a simple acknowledgement", []turn{ask(bacnetWritePV), answer("20 59 0f")},
			[]string{"bacnet confirmed:15 client write WriteProperty: 1=1+0+0"}},
		{"write refused with an error: write access denied", []turn{ask(bacnetWritePV), answer("50 59 0f 9102 9128")},
			[]string{"bacnet confirmed:15 client write WriteProperty: 1=0+1+0"}},
		{"rejected, and aborted by the server", []turn{ask(bacnetWritePV), answer("60 59 09"), ask(bacnetWritePV), answer("71 59 04")},
			[]string{"bacnet confirmed:15 client write WriteProperty: 2=0+2+0"}},
		{"aborted by who asked", []turn{ask(bacnetWritePV), ask("70 59 00")},
			[]string{"bacnet confirmed:15 client write WriteProperty: 1=0+0+1"}},
		{"the answer to another invoke id", []turn{ask(bacnetWritePV), answer("20 5a 0f")},
			[]string{"bacnet confirmed:15 client write WriteProperty: 1=0+0+1"}},
		{"both sides ask under one invoke id", []turn{ask(bacnetWritePV), answer(bacnetWritePV), answer("20 59 0f")}, []string{
			"bacnet confirmed:15 client write WriteProperty: 1=1+0+0",
			"bacnet confirmed:15 server write WriteProperty: 1=0+0+1",
		}},
		{"a request in two segments counts once, and so does its answer", []turn{
			ask("0c 04 07 00 04 07 0e00"), answer("40 07 00 04"), ask("08 04 07 01 04 07 0f00"), answer("38 07 00 04 07 09"), answer("38 07 01 04 07 09"),
		}, []string{"bacnet confirmed:7 client file AtomicWriteFile: 1=1+0+0"}},
		{"states", []turn{
			ask("0004 01 14 0900"), ask("0004 02 14 0904"), ask("0004 03 14 0963"), // coldstart, start restore, a state of no name
			ask("0004 04 11 0a0005 1901"), ask("0004 05 11 1900"), // disabled for five minutes, enabled
		}, []string{
			"bacnet confirmed:17 client mode DeviceCommunicationControl: DISABLE: 1=0+0+1",
			"bacnet confirmed:17 client mode DeviceCommunicationControl: ENABLE: 1=0+0+1",
			"bacnet confirmed:20 client mode ReinitializeDevice: 1=0+0+1",
			"bacnet confirmed:20 client mode ReinitializeDevice: COLDSTART: 1=0+0+1",
			"bacnet confirmed:20 client mode ReinitializeDevice: STARTRESTORE: 1=0+0+1",
		}},
		{"broadcasts", []turn{client(bvlc(bvlcBroadcast, "0120 ffff 00 ff"+bacnetWhoIs)), client(bvlc(bvlcDistribute, "0100"+bacnetWhoIs)),
			client(bvlc(bvlcForwarded, "c0a80017 bac0 0120 ffff 00 fe"+bacnetWhoIs))},
			[]string{"bacnet unconfirmed:8 client discover Who-Is: 3=0+0+0"}},
		{"behind a router two devices answer under one invoke id", []turn{
			client(bvlc(bvlcUnicast, "0124 0005 01 0a ff"+bacnetWritePV)), // to network 5, address 10
			client(bvlc(bvlcUnicast, "0124 0005 01 0b ff"+bacnetWritePV)), // and to 11
			server(bvlc(bvlcUnicast, "0108 0005 01 0b 50 59 0f 9102 9128")), server(bvlc(bvlcUnicast, "0108 0005 01 0a 20 59 0f")),
		}, []string{"bacnet confirmed:15 client write WriteProperty: 2=1+1+0"}},
		{"network messages", []turn{client(bvlc(bvlcBroadcast, "0180 00 0007")), server(bvlc(bvlcBroadcast, "0180 01 0007")),
			client(bvlc(bvlcUnicast, "0180 06 00")), client(bvlc(bvlcUnicast, "0180 81 0063"))}, []string{
			"bacnet network:0 client discover Who-Is-Router-To-Network: 1=0+0+0",
			"bacnet network:1 server discover I-Am-Router-To-Network: 1=0+0+0",
			"bacnet network:6 client configure Initialize-Routing-Table: 1=0+0+0",
			"bacnet network:129 client configure proprietary network message: 1=0+0+0",
		}},
		{"a foreign device registers; a table cannot be written", []turn{
			client(bvlc(bvlcRegister, "003c")), server(bvlc(bvlcResult, "0000")),
			client(bvlc(bvlcWriteBDT, "c0a80001 bac0 ffffff00")), server(bvlc(bvlcResult, "0010")),
			client(bvlc(bvlcReadFDT, "")), server(bvlc(bvlcReadFDTAck, "c0a80017 bac0 003c 0030")),
			client(bvlc(bvlcDeleteFDT, "c0a80017 bac0")),
		}, []string{
			"bacnet bvlc:1 client configure Write-Broadcast-Distribution-Table: 1=0+1+0",
			"bacnet bvlc:5 client configure Register-Foreign-Device: 1=1+0+0",
			"bacnet bvlc:6 client read Read-Foreign-Device-Table: 1=1+0+0",
			"bacnet bvlc:8 client configure Delete-Foreign-Device-Table-Entry: 1=0+0+1",
		}},
		{"services of no name", []turn{ask("0005 01 fe"), client(unicast("10fe"))}, []string{
			"bacnet confirmed:254 client configure service of no name: 1=0+0+1",
			"bacnet unconfirmed:254 client configure service of no name: 1=0+0+0",
		}},
		{"cut short", []turn{client("810a0006 0104"), client(unicast("0005")), client("810a00ff 0104 0005010c"), client("810a000a 0204 0005010c"), client(unicast("80"))},
			[]string{"undecoded: 5"}},
	})
	testDecode(t, BACnetEthernet, []decodeTest{
		{"without the virtual link layer", []turn{client("0104" + bacnetWritePV), server("0100 20590f")},
			[]string{"bacnet confirmed:15 client write WriteProperty: 1=1+0+0"}},
		{"cut short", []turn{client("01")}, []string{"undecoded: 1"}},
	})
}

func TestBACnetRecognise(t *testing.T) {
	testDatagrams(t, BACnet, []recogniseTest{
		{"request", unicast(bacnetReadPV), Match{Sure, Client}},
		{"answer", unicast(bacnetReadPVAck), Match{Sure, Server}},
		{"broadcast", bvlc(bvlcBroadcast, "0120 ffff 00 ff 1008"), Match{Sure, AnyRole}},
		{"registration", bvlc(bvlcRegister, "003c"), Match{Weak, Client}},
		{"result", bvlc(bvlcResult, "0000"), Match{Weak, Server}},
		{"length of another datagram", "810a0011 0104", Match{No, AnyRole}},
		{"BACnet/IPv6", "820a0009 0000 0100 1008", Match{No, AnyRole}},
		{"reserved bits of the NPDU", bvlc(bvlcUnicast, "0144 0005010c"), Match{No, AnyRole}},
		{"a kind of APDU that is none", bvlc(bvlcUnicast, "0104 90"), Match{No, AnyRole}},
		{"a table of entries that do not fit", bvlc(bvlcWriteBDT, "c0a80001bac0"), Match{No, AnyRole}},
		{"RTP", "8100 0008 0000 0000", Match{No, AnyRole}},
		{"DNS", "1234 0100 0001 0000 0000 0000 03706c63 00 0001 0001", Match{No, AnyRole}},
	})
}

func TestBACnetEthernetRecognise(t *testing.T) {
	testDatagrams(t, BACnetEthernet, []recogniseTest{
		{"request", "0104" + bacnetReadPV, Match{Weak, Client}},
		{"answer", "0100 20590f", Match{Weak, Server}},
		{"refusal", "0100 50 59 0f 9102 9128", Match{Weak, Server}},
		{"Who-Is", "0100 1008", Match{Weak, AnyRole}},
		{"a router's message", "0180 01 0007", Match{Weak, AnyRole}},
		{"a service that has no name", "0104 0005 01 fe", Match{More, AnyRole}},
		{"an acknowledgement that goes on", "0100 20590f00", Match{More, AnyRole}},
		{"an error of no class", "0100 50590f", Match{More, AnyRole}},
		{"EAPOL", "0100 0005 01 01 0005 01", Match{Weak, Client}}, // on either side, which rules it out
		{"version 2", "0204" + bacnetReadPV, Match{No, AnyRole}},
	})
}

// Of a password nothing is kept but that there was one, and its length without the
// octet for the character set.
func TestBACnetPassword(t *testing.T) {
	c, tally := conversation(t, BACnet,
		ask("0004 01 14 0900 1d09 00 66696c6973746572"), answer("50 01 14 9104 911a"), // password failure
		ask("0004 02 14 0901 1d09 00 66696c6973746572"), answer("20 02 14"),
		ask("0004 03 11 1901"), answer("20 03 11")) // without one
	want := []capture.AuthFact{{Kind: bacnetPassword, Readable: true, Length: 8, Count: 2, Accepted: 1, Frame: 1}}
	if diff := cmp.Diff(want, c.Security.Auth); diff != "" {
		t.Errorf("log-ins (-want +got):\n%s", diff)
	}
	if said := tally.Said(capture.FromServer); len(said.Names)+len(said.Identities) > 0 {
		t.Errorf("the device is said to have told %v", said)
	}
}

func TestBACnetIdentity(t *testing.T) {
	const device = "0c 02000001"    // context 0: device, instance 1
	text := func(s string) string { // a character string of up to 253 octets, UTF-8
		return "75" + hex.EncodeToString(append([]byte{byte(len(s) + 1), 0}, s...))
	}
	own := Said{
		Names:      []capture.Name{{Name: "device 1", Source: "bacnet", Frame: 1}},
		Identities: []capture.Identity{{Vendor: "BACnet vendor 99", Source: "bacnet", Frame: 1}},
	}
	for _, test := range []struct {
		name string
		turn turn
		want Said
	}{
		{"I-Am", server(bvlc(bvlcBroadcast, "0100"+bacnetIAmPDU)), own},
		{"I-Am that a router brings from another network", server(bvlc(bvlcBroadcast, "0108 0005 01 0a"+bacnetIAmPDU)), Said{}},
		{"I-Am that a management device forwards", server(bvlc(bvlcForwarded, "c0a80017 bac0 0100"+bacnetIAmPDU)), Said{}},
		{"ReadProperty: model name", answer("30 01 0c" + device + "1946 3e" + text("ACX 2") + "3f"),
			Said{Identities: []capture.Identity{{Model: "ACX 2", Source: "bacnet", Frame: 1}}}},
		{"ReadProperty of another object", answer("30 01 0c 0c00000005 1946 3e" + text("ACX 2") + "3f"), Said{}},
		{"ReadPropertyMultiple", answer("30 01 0e" + device + "1e 2979 4e" + text("Acme") + "4f 292c 4e" + text("1.2") + "4f" +
			"294d 4e" + text("AHU-1") + "4f 2a0174 4e" + text("S7") + "4f 29465e 9102 9120 5f 1f 0c00000005 1e 2946 4e" + text("none") + "4f 1f"),
			Said{
				Names:      []capture.Name{{Name: "AHU-1", Source: "bacnet", Frame: 1}},
				Identities: []capture.Identity{{Vendor: "Acme", Firmware: "1.2", Serial: "S7", Source: "bacnet", Frame: 1}},
			}},
	} {
		t.Run(test.name, func(t *testing.T) {
			_, tally := conversation(t, BACnet, test.turn)
			if diff := cmp.Diff(test.want, tally.Said(capture.FromServer)); diff != "" {
				t.Errorf("said (-want +got):\n%s", diff)
			}
		})
	}
}

func TestBACnetOps(t *testing.T) {
	var ops []*Op
	for _, table := range [][]Op{bvlcOps[:], bacnetNetworkOps[:], bacnetConfirmedOps[:], bacnetUnconfirmedOps[:], bacnetReinitializeOps, bacnetControlOps} {
		for i := range table {
			ops = append(ops, &table[i])
		}
	}
	testOps(t, ops)
}

func TestBACnetAllocs(t *testing.T) {
	testAllocs(t, BACnet, unicast(bacnetReadPV), unicast(bacnetReadPVAck))
	testAllocs(t, BACnet, bvlc(bvlcBroadcast, "0100"+bacnetIAmPDU), bvlc(bvlcBroadcast, "0100"+bacnetIAmPDU))
}

func BenchmarkBACnet(b *testing.B) {
	benchMessages(b, BACnet, unicast(bacnetReadPV), unicast(bacnetReadPVAck))
}

func FuzzBACnet(f *testing.F) {
	for _, seed := range []string{
		unicast(bacnetReadPV), unicast(bacnetReadPVAck), bvlc(bvlcBroadcast, "0100"+bacnetIAmPDU),
		bvlc(bvlcUnicast, "0128 0005 ff"),                    // an address that runs on
		unicast("0001 02 14 0901 1dfe"),                      // the length of a password in two octets that are missing
		unicast("30 01 0e 0c 02000001 1e 2979 4e 7fff 4f"),   // a tag beyond 14, with its number missing
		unicast("30 01 0e 1f 1f 1f 4f 2979 75 02 0041"),      // more brackets closed than opened
		bvlc(bvlcResult, "0030"), bvlc(bvlcRegister, "003c"), // a result without a request
	} {
		f.Add(unhex(f, seed))
	}
	fuzzMessages(f, BACnet)
}

// fuzzMessages holds the decoder of a protocol whose messages are datagrams to
// its contract: a datagram is used up and left as it is; what the recogniser knows
// nothing of has no operation, unless it is one that decoders alone can tell; and
// the same datagram again counts the same again.
func fuzzMessages(f *testing.F, p *Protocol) {
	f.Fuzz(func(t *testing.T, b []byte) {
		before := bytes.Clone(b)
		count := func(times int) (total, undecoded uint64) {
			tally := new(Tally)
			x, d := NewExchange(tally), p.New()
			for range times {
				if used := d.Decode(x, capture.FromClient, b); used != len(b) {
					t.Fatalf("Decode used %d of %d bytes", used, len(b))
				}
			}
			x.Close()
			var c capture.Conversation
			tally.Fill(&c)
			for _, o := range c.Operations {
				if o.Accepted+o.Refused+o.Unanswered > o.Count {
					t.Errorf("%s %s: %d asked, %d+%d+%d outcomes", o.Protocol, o.Code, o.Count, o.Accepted, o.Refused, o.Unanswered)
				}
				total += o.Count
			}
			return total, c.Undecoded
		}
		once, bad := count(1)
		twice, bad2 := count(2)
		if twice != 2*once || bad2 != 2*bad {
			t.Errorf("once it is %d operations and %d undecoded, twice %d and %d", once, bad, twice, bad2)
		}
		if p.Recognise(b).Score == Sure && once == 0 && bad > 1 {
			t.Errorf("recognised, and %d PDUs are undecoded", bad)
		}
		if !bytes.Equal(b, before) {
			t.Error("Decode wrote into what it was given")
		}
	})
}

// benchMessages measures datagrams: a request and its response.
func benchMessages(b *testing.B, p *Protocol, request, response string) {
	x, d := NewExchange(new(Tally)), p.New()
	ask, answer := unhex(b, request), unhex(b, response)
	b.SetBytes(int64(len(ask) + len(answer)))
	b.ReportAllocs()
	for b.Loop() {
		d.Decode(x, capture.FromClient, ask)
		d.Decode(x, capture.FromServer, answer)
	}
}
