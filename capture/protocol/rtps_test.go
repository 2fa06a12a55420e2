package protocol

import (
	"testing"

	"bulkhead/capture"

	"github.com/google/go-cmp/cmp"
)

// Messages built by hand: name, version, vendor, prefix; submessages of kind,
// flags (1: little endian), length and body.
const (
	rtpsHead     = "52545053 0202 0101 000102030405060708090a0b"
	rtpsTime     = "09 01 0800 0000000000000000"
	rtpsSample   = "15 05 1800 0000 1000 00000103 00000102 00000000 01000000 00010000" // of an application
	rtpsAnnounce = "15 05 2c00 0000 1000 00000000 000100c2 00000000 01000000 00030000 6200 0800 04000000 726f6200 0100 0000" + "00000000"
	rtpsBeat     = "07 01 1c00 00000000 000003c2 0000000001000000 0000000001000000 01000000"
	rtpsAlive    = "15 00 0014 0000 0010 00000000 000200c2 00000000 00000001"
)

func TestRTPSRecognise(t *testing.T) {
	testDatagrams(t, RTPS, []recogniseTest{
		{"time and sample", rtpsHead + rtpsTime + rtpsSample, Match{Score: Sure}},
		{"RTI's ping", rtpsHead + "4e44445350494e47", Match{Score: Sure}},
		{"submessage that runs on", rtpsHead + "15 05 ff00 0000", Match{Score: Weak}},
		{"version 3", "52545053 0302 0101 000102030405060708090a0b", Match{}},
		{"RTSP", "52545350 2f312e30 20323030 204f4b0d 0a435365", Match{}},
		{"header cut", "52545053 0202 0101", Match{}},
	})
}

func TestRTPS(t *testing.T) {
	testDecode(t, RTPS, []decodeTest{
		{"every kind that matters", []turn{
			client(rtpsHead + rtpsTime + rtpsSample + rtpsBeat), client(rtpsHead + rtpsAnnounce), client(rtpsHead + rtpsAlive), server(rtpsHead + "80 01 0000"),
		}, []string{
			"rtps 0x07 client session HEARTBEAT: 1=0+0+0",
			"rtps 0x09 client session INFO_TS: 1=0+0+0",
			"rtps 0x15 client discover DATA, discovery: 1=0+0+0",
			"rtps 0x15 client event DATA: 1=0+0+0",
			"rtps 0x15 client session DATA, participant message: 1=0+0+0",
			"rtps 0x80 server configure submessage 0x80: 1=0+0+0",
		}},
		{"a sample to the end, RTI's ping, and what runs on", []turn{
			client(rtpsHead + "15 05 0000 0000 1000 00000103 00000102 00000000 01000000"), client(rtpsHead + "4e44445350494e47"),
			client(rtpsHead + rtpsTime + "15 05 ff00"), client("52545053"),
		}, []string{
			"rtps 0x09 client session INFO_TS: 1=0+0+0", "rtps 0x15 client event DATA: 1=0+0+0", "undecoded: 2",
		}},
	})
}

func TestRTPSSaid(t *testing.T) {
	_, tally := conversation(t, RTPS, client(rtpsHead+rtpsAnnounce), client(rtpsHead+rtpsAnnounce))
	want := Said{
		Names:      []capture.Name{{Name: "rob", Source: "rtps", Frame: 1}},
		Identities: []capture.Identity{{Model: "RTI Connext DDS", Source: "rtps", Frame: 1}},
	}
	if diff := cmp.Diff(want, tally.Said(capture.FromClient)); diff != "" {
		t.Errorf("said (-want +got):\n%s", diff)
	}
}

func TestRTPSProtection(t *testing.T) {
	for _, test := range []struct {
		name, hex string
		want      Protection
	}{
		{"plain", rtpsHead + rtpsSample, Clear},
		{"discovery says nothing of the samples", rtpsHead + rtpsAnnounce, Encrypted},
		{"authenticated", rtpsHead + "31 01 1400 00000001 00000000 0000000000000000 00000000" + rtpsSample + "32 01 0400 00000000", Integrity},
		{"encrypted", rtpsHead + "31 01 1400 00000002 00000000 0000000000000000 00000000" + "30 01 0400 00000000", Encrypted},
		{"one sample outside", rtpsHead + "31 01 0400 00000002" + "32 01 0400 00000000" + rtpsSample, Clear},
	} {
		x := NewExchange(new(Tally))
		RTPS.New().Decode(x, capture.FromClient, unhex(t, test.hex))
		if got := x.Protection(Encrypted); got != test.want {
			t.Errorf("%s: protection %d, want %d", test.name, got, test.want)
		}
	}
}

func TestRTPSOps(t *testing.T) {
	ops := []*Op{&rtpsDiscovery[0], &rtpsDiscovery[1], &rtpsLiveliness[0], &rtpsLiveliness[1]}
	for i := range rtpsOps {
		ops = append(ops, &rtpsOps[i])
	}
	testOps(t, ops)
}

func TestRTPSAllocs(t *testing.T) {
	testAllocs(t, RTPS, rtpsHead+rtpsTime+rtpsSample+rtpsBeat, rtpsHead+rtpsAnnounce)
}

func FuzzRTPS(f *testing.F) {
	for _, seed := range []string{
		rtpsHead + rtpsTime + rtpsSample, rtpsHead + rtpsAlive,
		rtpsHead + "15 07 1400 0000 1000 00000000 000100c2 00000000 01000000", // parameters that are not there
		rtpsHead + "15 05 1400 0000 ffff 00000000 000100c2 00000000 01000000", // an offset beyond the end
	} {
		f.Add(unhex(f, seed))
	}
	fuzzMessages(f, RTPS)
}
