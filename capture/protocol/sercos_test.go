package protocol

import "testing"

func TestSercos(t *testing.T) {
	const mdt, at = "00 04 01020304 0000", "c1 84 01020304 0000" // AT 1 of the second channel, the phase changing
	testDatagrams(t, Sercos, []recogniseTest{
		{"MDT 0, phase 4", mdt, Match{Score: Weak}},
		{"AT 1", at, Match{Score: Weak}},
		{"telegram 4", "04 04 01020304", Match{}},
		{"phase 5", "00 05 01020304", Match{}},
		{"reserved bits", "20 04 01020304", Match{}},
		{"cut", "00 04 0102", Match{}},
	})
	testDecode(t, Sercos, []decodeTest{
		{"a cycle", []turn{client(mdt), client(at), server(at), client("ff")}, []string{
			"sercos at client event acknowledge telegram (AT): 1=0+0+0",
			"sercos at server event acknowledge telegram (AT): 1=0+0+0",
			"sercos mdt client event master data telegram (MDT): 1=0+0+0",
			"undecoded: 1",
		}},
	})
	testOps(t, []*Op{&sercosMDT, &sercosAck})
	testAllocs(t, Sercos, mdt, at)
}

func FuzzSercos(f *testing.F) {
	f.Add(unhex(f, "00 04 01020304 0000"))
	f.Add(unhex(f, "c1 84 01020304")) // a header and nothing else
	fuzzMessages(f, Sercos)
}
