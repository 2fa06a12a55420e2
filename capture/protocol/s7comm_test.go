package protocol

import (
	"testing"

	"bulkhead/capture"

	"github.com/google/go-cmp/cmp"
)

// PDUs of S7comm in TPKT and COTP, built by hand to the layouts that s7comm.go
// names its sources for.
const (
	s7Connect        = "03000016 11 e0 0000 0001 00 c0010a c1020100 c2020102"
	s7Connected      = "03000016 11 d0 0001 0002 00 c0010a c1020100 c2020102"
	s7SetupRequest   = "03000019 02f080 32 01 0000 0001 0008 0000 f0 00 0001 0001 01e0"
	s7SetupResponse  = "0300001b 02f080 32 03 0000 0001 0008 0000 0000 f0 00 0001 0001 00f0"
	s7ReadRequest    = "0300001f 02f080 32 01 0000 0002 000e 0000 04 01 120a1002000100018400 0010"
	s7ReadResponse   = "0300001b 02f080 32 03 0000 0002 0002 0006 0000 04 01 ff 04 0010 1234"
	s7WriteRequest   = "03000025 02f080 32 01 0000 0003 000e 0006 05 01 120a1002000100018400 0010 00 04 0010 1234"
	s7WriteResponse  = "03000016 02f080 32 03 0000 0003 0002 0001 0000 05 01 ff"
	s7SZLRequest     = "03000021 02f080 32 07 0000 0004 0008 0008 000112 04 11 44 01 00 ff 09 0004 0011 0000"
	s7UnknownProgram = "03000025 02f080 32 01 0000 0005 0014 0000 28 000000000000fd 0000 09 5f4e5f4c4f47494e5f" // _N_LOGIN_
)

func TestS7commDecode(t *testing.T) {
	testDecode(t, S7comm, []decodeTest{
		{
			"set up, read, write",
			[]turn{client(s7Connect), server(s7Connected), client(s7SetupRequest), server(s7SetupResponse),
				client(s7ReadRequest), server(s7ReadResponse), client(s7WriteRequest), server(s7WriteResponse)},
			[]string{
				"s7comm job:0x04 client read Read Var: 1=1+0+0",
				"s7comm job:0x05 client write Write Var: 1=1+0+0",
				"s7comm job:0xf0 client session Setup communication: 1=1+0+0",
			},
		}, {
			"several PDUs in a segment, and one over two",
			[]turn{client(s7Connect + s7SetupRequest + "0300001f 02f080 32"), client("01 0000 0002 000e 0000 04 01 120a1002000100018400 0010")},
			[]string{"s7comm job:0x04 client read Read Var: 1=0+0+1", "s7comm job:0xf0 client session Setup communication: 1=0+0+1"},
		}, {
			"one PDU in two data units: the first has no end-of-TSDU mark",
			[]turn{client("03000012 02f000 32 01 0000 0002 000e 0000 04" + "03000014 02f080 01 120a1002000100018400 0010")},
			[]string{"s7comm job:0x04 client read Read Var: 1=0+0+1"},
		}, {
			"error class 0x85: the PLC refuses",
			[]turn{client(s7WriteRequest), server("03000013 02f080 32 02 0000 0003 0000 0000 8500")},
			[]string{"s7comm job:0x05 client write Write Var: 1=0+1+0"},
		}, {
			"no item written: refused, though the header says success",
			[]turn{client(s7WriteRequest), server("03000016 02f080 32 03 0000 0003 0002 0001 0000 05 01 0a")},
			[]string{"s7comm job:0x05 client write Write Var: 1=0+1+0"},
		}, {
			"one item of two read: accepted",
			[]turn{client(s7ReadRequest), server("0300001f 02f080 32 03 0000 0002 0002 000a 0000 04 02 0a 00 0000 ff 04 0010 1234")},
			[]string{"s7comm job:0x04 client read Read Var: 1=1+0+0"},
		}, {
			"stop, and PI services by name",
			[]turn{
				client("03000021 02f080 32 01 0000 0006 0010 0000 29 0000000000 09 505f50524f4752414d"),
				client("03000025 02f080 32 01 0000 0007 0014 0000 28 000000000000fd 0000 09 505f50524f4752414d"),
				client("0300002b 02f080 32 01 0000 0008 001a 0000 28 000000000000fd 000a 01003041303030303150 05 5f494e5345"),
				client(s7UnknownProgram)},
			[]string{
				"s7comm job:0x28 client mode PI-Service: 1=0+0+1",
				"s7comm job:0x28 client mode PI-Service P_PROGRAM (start): 1=0+0+1",
				"s7comm job:0x28 client program PI-Service _INSE (activate block): 1=0+0+1",
				"s7comm job:0x29 client mode PLC Stop: 1=0+0+1",
			},
		}, {
			"in a download the controller asks for the blocks",
			[]turn{
				client("03000031 02f080 32 01 0000 0e00 0020 0000 1a 00 0100 00000000 09 5f30413030303031500d 31303030353030303030343030"),
				server("03000014 02f080 32 03 0000 0e00 0001 0000 0000 1a"),
				server("03000023 02f080 32 01 0000 0001 0012 0000 1b 00 0000 00000000 09 5f3041303030303150"),
				client("03000018 02f080 32 03 0000 0001 0002 0003 0000 1b 00 0001 00"),
				server("03000023 02f080 32 01 0000 0002 0012 0000 1c 00 0000 00000000 09 5f3041303030303150"),
				client("03000014 02f080 32 03 0000 0002 0001 0000 0000 1c")},
			[]string{
				"s7comm job:0x1a client program Request download: 1=1+0+0",
				"s7comm job:0x1b server program Download block: 1=1+0+0",
				"s7comm job:0x1c server program Download ended: 1=1+0+0",
			},
		}, {
			"userdata: error 0xd209 is a refusal, a push is no request",
			[]turn{client("03000025 02f080 32 07 0000 0b00 0008 000c 000112 04 11 43 03 00 ff 09 0008 3041303030303041"),
				server("03000021 02f080 32 07 0000 0b00 000c 0004 000112 08 12 83 03 03 00 00 d209 0a 00 0000"),
				server("0300001d 02f080 32 07 0000 0000 0008 0004 000112 04 11 04 05 00 ff 09 0000")},
			[]string{"s7comm userdata:3/3 client discover Get block info: 1=0+1+0"},
		}, {
			"S7comm-plus, a bad length and no TPKT",
			[]turn{client("0300000b 02f080 72 01 0000"), client("03000011 02f080 32 01 0000 0001 ffff 0000"), client("160301")},
			[]string{"undecoded: 3"},
		},
	})
}

func TestS7commPassword(t *testing.T) {
	c, _ := conversation(t, S7comm,
		client("03000025 02f080 32 07 0000 0600 0008 000c 000112 04 11 45 01 00 ff 09 0008 213a1b1d6e681b1d"),
		server("03000021 02f080 32 07 0000 0600 000c 0004 000112 08 12 85 01 01 00 00 0000 0a 00 0000"))
	want := []capture.AuthFact{{Kind: "s7comm password", Readable: true, Length: 8, Accepted: 1, Count: 1, Frame: 1}}
	if diff := cmp.Diff(want, c.Security.Auth); diff != "" {
		t.Errorf("log-ins (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{"s7comm userdata:5/1 client session PLC password: 1=1+0+0"}, summary(c)); diff != "" {
		t.Errorf("operations (-want +got):\n%s", diff)
	}
}

func TestS7commIdentity(t *testing.T) {
	_, tally := conversation(t, S7comm, client(s7SZLRequest), server(
		"03000061 02f080 32 07 0000 0004 000c 0044 000112 08 12 84 01 01 00 00 0000 ff 09 0040 0011 0000 001c 0002"+
			"0001 36455337203331352d32454831342d304142302000c0 0003 0001"+ // "6ES7 315-2EH14-0AB0 "
			"0007 2020202020202020202020202020202020202020 00c0 56030207")) // V3.2.7
	want := []capture.Identity{{Model: "6ES7 315-2EH14-0AB0", Firmware: "V3.2.7", Source: "s7comm", Frame: 2}}
	if diff := cmp.Diff(want, tally.Said(capture.FromServer).Identities); diff != "" {
		t.Errorf("identities (-want +got):\n%s", diff)
	}
}

func TestS7commLoss(t *testing.T) {
	// The first half of a PDU, a gap, and a data unit that ends another PDU.
	x, d := NewExchange(new(Tally)), S7comm.New()
	d.Decode(x, capture.FromClient, unhex(t, "03000012 02f000 32 01 0000 0002 000e 0000 04"))
	x.Lost(capture.FromClient)
	d.Decode(x, capture.FromClient, unhex(t, s7SetupRequest))
	var c capture.Conversation
	x.Close()
	x.tally.Fill(&c)
	if diff := cmp.Diff([]string{"s7comm job:0xf0 client session Setup communication: 1=0+0+1"}, summary(c)); diff != "" {
		t.Errorf("operations (-want +got):\n%s", diff)
	}
}

// Data units that wait for the last of their PDU find room or are given up.
func TestS7commRoom(t *testing.T) {
	room := NewRoom([Tables]int{Kinds: 1, Runs: 1, Open: idlePending, Held: 20})
	x, d := NewExchange(NewTally(room)), S7comm.New()
	unit := unhex(t, "03000012 02f000 32 01 0000 0002 000e 0000 04") // 11 octets, not the last
	d.Decode(x, capture.FromClient, unit)
	d.Decode(x, capture.FromServer, unit)
	if x.tally.undecoded != 1 || !room.Full(Held) || room.left[Held] != 9 {
		t.Errorf("%d undecoded, %d octets left; want 1 and 9", x.tally.undecoded, room.left[Held])
	}
	d.Decode(x, capture.FromClient, unit) // and another 11: both go
	if x.tally.undecoded != 2 || room.left[Held] != 20 {
		t.Errorf("%d undecoded, %d octets left; want 2 and 20", x.tally.undecoded, room.left[Held])
	}
}

func TestS7commRecognise(t *testing.T) {
	testRecognise(t, S7comm, []recogniseTest{
		{"job", s7SetupRequest, Match{Sure, Client}},
		{"acknowledgement", s7SetupResponse, Match{Sure, Server}},
		{"userdata request", s7SZLRequest, Match{Sure, Client}},
		{"job behind a connection request", s7Connect + s7SetupRequest, Match{Sure, Client}},
		{"acknowledgement behind a confirmation", s7Connected + s7SetupResponse, Match{Sure, Server}},
		{"a controller's job in a download", "03000023 02f080 32 01 0000 0001 0012 0000 1b 00 0000 00000000 09 5f3041303030303150", Match{Sure, Server}},
		{"connection request: MMS and RDP begin so too", s7Connect, Match{More, Client}},
		{"S7comm-plus", s7Connect + "0300000b 02f080 72 01 0000", Match{}},
		{"MMS", "03000016 11 e0 0000 0001 00 c0010a c1020002 c2020200" + "03000020 02f080 0d b2 05 06 13 01 00 16 01 02 14 02 00 02 33 02 00 01 34 02 00 01 c1 9c 31", Match{}},
		{"TLS", "1603010200010001fc0303", Match{}},
	})
}

func TestS7commOps(t *testing.T) {
	var ops []*Op
	for i := range s7Jobs {
		ops = append(ops, &s7Jobs[i])
	}
	for i := range s7PIs {
		ops = append(ops, &s7PIs[i].op)
	}
	for g := range s7Userdatas {
		for s := range s7Userdatas[g] {
			ops = append(ops, &s7Userdatas[g][s])
		}
	}
	testOps(t, ops)
}

func TestS7commAllocs(t *testing.T) {
	testAllocs(t, S7comm, s7ReadRequest+s7WriteRequest, s7ReadResponse+s7WriteResponse)
}

func FuzzS7comm(f *testing.F) {
	f.Add(unhex(f, s7Connect+s7SetupRequest+s7ReadRequest), uint16(30), false) // cut within the second TPKT
	f.Add(unhex(f, s7SetupResponse+s7ReadResponse), uint16(3), true)
	f.Add(unhex(f, "03000012 02f000 32 01 0000 0002 000e 0000 04"+"03000014 02f080 01 120a1002000100018400 0010"), uint16(18), false) // cut between data units
	f.Add(unhex(f, s7UnknownProgram), uint16(20), false)
	fuzzDecode(f, S7comm)
}

func BenchmarkS7comm(b *testing.B) { benchDecode(b, S7comm, s7ReadRequest, s7ReadResponse) }
