package protocol

import "testing"

// A message of exchange 123 by 192.168.8.77, with two octets of data.
const egdMessage = "0d01 d4f0 c0a8084d 7b000000 be8a7e38 00811b2c 00000000 00000000 00000000 0102"

func TestEGD(t *testing.T) {
	testDecode(t, EGD, []decodeTest{
		{"data, and what is none", []turn{client(egdMessage), client(egdMessage), client("0d02" + egdMessage[4:]), client("0d01 d4f0 c0a8084d")},
			[]string{"egd 13 client event data production: 2=0+0+0", "undecoded: 2"}},
	})
}

func TestEGDRecognise(t *testing.T) {
	testDatagrams(t, EGD, []recogniseTest{
		{"data", egdMessage, Match{Sure, AnyRole}},
		{"no data", "0d01 d4f0 c0a8084d 7b000000 be8a7e38 00811b2c 00000000 00000000 00000000", Match{No, AnyRole}},
		{"more than a second of nanoseconds", "0d01 d4f0 c0a8084d 7b000000 be8a7e38 00ca9a3b 00000000 00000000 00000000 0102", Match{No, AnyRole}},
		{"BACnet", unicast(bacnetReadPV), Match{No, AnyRole}},
		{"DNS", "0d01 0100 0001 0000 0000 0000 04706c6331 056c6f63616c 00 0001 0001", Match{No, AnyRole}},
	})
}

func TestEGDOps(t *testing.T) { testOps(t, []*Op{egdData}) }

func TestEGDAllocs(t *testing.T) { testAllocs(t, EGD, egdMessage, egdMessage) }

func BenchmarkEGD(b *testing.B) { benchMessages(b, EGD, egdMessage, egdMessage) }

func FuzzEGD(f *testing.F) {
	f.Add(unhex(f, egdMessage))
	f.Add(unhex(f, "0d01")) // nothing behind the version
	fuzzMessages(f, EGD)
}
