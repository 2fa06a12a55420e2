package protocol

import "testing"

// Datagrams of the corpus, shortened: size of the header, messages, type, number,
// number acknowledged; length of the message, 12, number; function, status of the
// node, function of the database; or status, elements.
const (
	bsapRead      = "0e00 0100 0600 874b0000 774b0000 18000000 0c 874b0000 a0 00 04 03d0010f 01 4047562e445300" // @GV.DS
	bsapReadOK    = "0e00 0100 0500 784b0000 874b0000 11000000 0c 874b0000 00 01 0000 0500 2477"
	bsapWrite     = "0e00 0100 0600 9e4b0000 8e4b0000 13000000 0c 9e4b0000 a0 00 80 24770f01 11000a"
	bsapWriteFail = "0e00 0100 0500 8f4b0000 9e4b0000 0b000000 0c 9e4b0000 80 00"
	bsapAcks      = "0e00 0000 0000 00000000 784b0000"
)

func TestBSAP(t *testing.T) {
	testDecode(t, BSAP, []decodeTest{
		{"read, answered and acknowledged", []turn{client(bsapRead), server(bsapReadOK), client(bsapAcks)}, []string{
			"bsap rdb:0x04 client read Read Signal by Name: 1=1+0+0",
			"bsap message:0 client session Poll or acknowledgement: 1=0+0+0",
		}},
		{"write refused", []turn{client(bsapWrite), server(bsapWriteFail)}, []string{"bsap rdb:0x80 client write Write Signal by Address: 1=0+1+0"}},
		{"two answers in one", []turn{
			client(bsapRead), client(bsapWrite),
			server("0e00 0200 0500 784b0000 874b0000 11000000 0c 874b0000 00 01 0000 0500 2477 0b000000 0c 9e4b0000 00 00"),
		}, []string{
			"bsap rdb:0x04 client read Read Signal by Name: 1=1+0+0",
			"bsap rdb:0x80 client write Write Signal by Address: 1=1+0+0",
		}},
		{"reset, download, what nobody published", []turn{
			client("0e00 0100 0600 01000000 00000000 0d000000 0c 01000000 a1 00 0101"),
			client("0e00 0100 0600 02000000 00000000 0c000000 0c 02000000 78 00 00"),
			client("0e00 0100 0600 03000000 00000000 0c000000 0c 03000000 c0 00 00"),
		}, []string{
			"bsap app:0x78 client program Download request: 1=0+0+1",
			"bsap app:0xc0 client configure application function 0xc0: 1=0+0+1",
			"bsap ext:0x0101 client mode Reset System: 1=0+0+1",
		}},
		{"cut; another type; a length that leads nowhere", []turn{client("0e00 0100 0600"), client("0e00 0100 0700" + bsapRead[15:]), client("ff00")}, []string{"undecoded: 3"}},
	})
}

func TestBSAPRecognise(t *testing.T) {
	testDatagrams(t, BSAP, []recogniseTest{
		{"request", bsapRead, Match{Sure, Client}},
		{"response", bsapReadOK, Match{Sure, Server}},
		{"acknowledgement", bsapAcks, Match{Weak, AnyRole}},
		{"a length that does not fill the datagram", bsapReadOK + "00", Match{}},
		{"no message", "0e00 0000 0600 00000000 784b0000", Match{}},
		{"BACnet", unicast(bacnetReadPV), Match{}},
		{"FINS", finsReadD100, Match{}},
	})
}

func TestBSAPOps(t *testing.T) {
	ops := []*Op{bsapPollOp, bsapCountedOp, bsapOtherExtension}
	for i := range bsapFunctions {
		ops = append(ops, &bsapFunctions[i], &bsapDatabase[i])
	}
	for _, op := range bsapExtensions {
		ops = append(ops, op)
	}
	testOps(t, ops)
}

func TestBSAPAllocs(t *testing.T) { testAllocs(t, BSAP, bsapRead, bsapReadOK) }

func FuzzBSAP(f *testing.F) {
	f.Add(unhex(f, bsapRead))
	f.Add(unhex(f, bsapReadOK))
	f.Add(unhex(f, "0e00 ffff 0600 00000000 00000000 ffffffff 0c 00000000 a0")) // lengths that lead nowhere
	fuzzMessages(f, BSAP)
}
