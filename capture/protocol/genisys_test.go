package protocol

import "testing"

// Messages of the corpus: of station 1, the check before the terminator.
const (
	genisysPolled  = "fb 01 8340 f6"
	genisysNothing = "f1 01 f6"
	genisysRecall  = "fd 01 80e0 f6"
	genisysData    = "f2 01 23 04 24 06 29 04 dc67 f6"
	genisysBare    = "f2 01 01 05 1d 06 1e 05 2c 04 cdf5 f6" // a check with an octet above 0xf0 that is not escaped
)

func TestGenisys(t *testing.T) {
	testDecode(t, Genisys, []decodeTest{
		{"poll, nothing; recall, data", []turn{client(genisysPolled), server(genisysNothing), client(genisysRecall), server(genisysData)}, []string{
			"genisys 0xf1 server reply Acknowledge Client: 1=0+0+0 [1]",
			"genisys 0xf2 server reply Indication Data: 1=0+0+0 [1]",
			"genisys 0xfb client read Poll: 1=1+0+0 [1]",
			"genisys 0xfd client read Recall: 1=1+0+0 [1]",
		}},
		{"poll without a check", []turn{client("fb 01 f6")}, []string{"genisys 0xfb client read Poll: 1=0+0+1 [1]"}},
		{"a station that is escaped", []turn{client("fb f001 f6")}, []string{"genisys 0xfb client read Poll: 1=0+0+1 [241]"}},
		{"an octet of the check that is not", []turn{server(genisysBare)}, []string{"genisys 0xf2 server reply Indication Data: 1=0+0+0 [1]"}},
		{"control, execute, over segments", []turn{client("fc 01 05"), client("01 a324 f6 fe 01"), client("8010 f6")}, []string{
			"genisys 0xfc client control Control Data: 1=0+0+1 [1]",
			"genisys 0xfe client control Execute Controls: 1=0+0+1 [1]",
		}},
		{"wrong check; no header; then one", []turn{client("fb 01 8341 f6 00 01 f6" + genisysPolled)}, []string{
			"genisys 0xfb client read Poll: 1=0+0+1 [1]",
			"undecoded: 2",
		}},
	})
}

func TestGenisysRecognise(t *testing.T) {
	testRecognise(t, Genisys, []recogniseTest{
		{"poll", genisysPolled, Match{Sure, Client}},
		{"data", genisysData, Match{Sure, Server}},
		{"nothing to say", genisysNothing, Match{Weak, Server}},
		{"poll without a check", "fb 01 f6", Match{Weak, Client}},
		{"wrong check", "fb 01 8341 f6", Match{}},
		{"no end", "fb 01 83", Match{More, AnyRole}},
		{"telnet", "fffd 18 fffd 20", Match{}},
		{"Modbus", modbusReadRequest, Match{}},
	})
}

func TestGenisysOps(t *testing.T) {
	ops := make([]*Op, len(genisysOps))
	for i := range genisysOps {
		ops[i] = &genisysOps[i]
	}
	testOps(t, ops)
}

func TestGenisysAllocs(t *testing.T) {
	testAllocs(t, Genisys, genisysPolled+genisysRecall, genisysNothing+genisysData)
}

func FuzzGenisys(f *testing.F) {
	f.Add(unhex(f, genisysPolled+genisysRecall), uint16(7), false) // cut in a second message
	f.Add(unhex(f, genisysData+genisysBare), uint16(12), true)     // cut before the check
	f.Add(unhex(f, "f2 01 f0 f6"), uint16(3), true)                // an escape with nothing behind it
	fuzzDecode(f, Genisys)
}
