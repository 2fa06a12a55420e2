package protocol

import (
	"strings"
	"testing"

	"bulkhead/capture"

	"github.com/google/go-cmp/cmp"
)

// Frames built by hand: message type, destination, source; of ASnd the service.
const (
	eplPoll  = "03 05 f0 00 00 00 00 0000 01"
	eplBack  = "04 ff 05 00 fd 00 00 0000 01"
	eplStop  = "06 05 f0 04 22 00"
	eplRead  = "06 05 f0 05 0202 0000 00 01 00 02 0004 0000 0010 00 00"
	eplWrite = "06 05 f0 05 0202 0000 00 02 00 01 0008 0000 0060 00 00 01000000"
	eplDone  = "06 f0 05 05 0202 0000 00 02 80 01 0000 0000"
	eplAbort = "06 f0 05 05 0202 0000 00 02 c0 01 0004 0000 01000206"
)

func TestPowerlink(t *testing.T) {
	testDatagrams(t, Powerlink, []recogniseTest{
		{"start of cycle", "01 ff f0", Match{Score: Weak}},
		{"no such message", "02 ff f0", Match{}},
		{"cut", "01 ff", Match{}},
	})
	testDecode(t, Powerlink, []decodeTest{
		{"cycle, command, parameters", []turn{
			client("01 ff f0 00"), client(eplPoll), server(eplBack), client("05 ff f0 00"), client(eplStop), client("06 05 f0 04 b0"), client(eplRead),
			client(eplWrite), server(eplDone), server(eplAbort), client("06 05 f0 05 0101 0000 00 00 00"), client("06 05 f0 05 0202 0000 00 02 20 01 0008 0000"),
			client("06 05 f0 a0 00"),
		}, []string{
			"powerlink 1 client session SoC (start of cycle): 1=0+0+0 [255]",
			"powerlink 3 client event PReq (poll request): 1=0+0+0 [5]",
			"powerlink 4 server event PRes (poll response): 1=0+0+0 [255]",
			"powerlink 5 client session SoA (start of asynchronous): 1=0+0+0 [255]",
			"powerlink 6 client configure ASnd NMTCommand NMTPublishTime: 1=0+0+0 [5]",
			"powerlink 6 client configure ASnd service 160: 1=0+0+0 [5]",
			"powerlink 6 client mode ASnd NMTCommand NMTStopNode: 1=0+0+0 [5]",
			"powerlink 6 client read ASnd SDO Read by Index: 1=0+0+0 [5]",
			"powerlink 6 client session ASnd SDO, further segment: 1=0+0+0 [5]",
			"powerlink 6 client session ASnd SDO, sequence layer: 1=0+0+0 [5]",
			"powerlink 6 client write ASnd SDO Write by Index: 1=0+0+0 [5]",
			"powerlink 6 server reply ASnd SDO abort: 1=0+0+0 [240]",
			"powerlink 6 server reply ASnd SDO response: 1=0+0+0 [240]",
		}},
		{"what is no frame", []turn{client("81 00 00"), client("06 05 f0"), client("01")}, []string{"undecoded: 3"}},
	})
	testAllocs(t, Powerlink, eplPoll+eplRead, eplBack)
}

func TestPowerlinkIdentity(t *testing.T) {
	zero := func(n int) string { return strings.Repeat("00", n) }
	ident := "06 ff 05 01" + zero(26) + "01000000 02000000 03000000 04000000" + zero(36) + "696f31" + zero(29)
	_, tally := conversation(t, Powerlink, client(ident), client(ident))
	want := Said{
		Names: []capture.Name{{Name: "io1", Source: "powerlink", Frame: 1}},
		Identities: []capture.Identity{{Vendor: "POWERLINK vendor 0x00000001", Model: "product code 0x00000002", Firmware: "0x00000003",
			Serial: "0x00000004", Source: "powerlink", Frame: 1}},
	}
	if diff := cmp.Diff(want, tally.Said(capture.FromClient)); diff != "" {
		t.Errorf("said (-want +got):\n%s", diff)
	}
}

func TestPowerlinkOps(t *testing.T) {
	ops := []*Op{&powerlinkAnswer, &powerlinkAbort, &powerlinkSegment}
	for i := range powerlinkOps {
		ops = append(ops, &powerlinkOps[i])
	}
	for i := range powerlinkServices {
		ops = append(ops, &powerlinkServices[i], &powerlinkCommands[i], &powerlinkSDOs[i])
	}
	testOps(t, ops)
}

func FuzzPowerlink(f *testing.F) {
	for _, seed := range []string{eplPoll, eplWrite, eplStop, "06 ff 05 01 00", "06 05 f0 05 0202 0000 00 01 00"} { // the last two are cut
		f.Add(unhex(f, seed))
	}
	fuzzMessages(f, Powerlink)
}
