package protocol

import (
	"testing"

	"bulkhead/capture"

	"github.com/google/go-cmp/cmp"
)

// Messages built by hand: type, version, length, domain, flags, correction, port
// identity, sequence, control, interval, body.
const (
	ptpPort   = "0000000000000000 00000000 0200fffe00000100 0001 0001"
	ptpSync   = "00 02 002c 00 00 0000" + ptpPort + "00 00 00000000000000000000"
	ptpAnn    = "0b 02 0040 00 00 0000" + ptpPort + "05 00 00000000000000000000 0024 00 80 f8feffff 80 0200fffe00000100 0000 a0"
	ptpManHdr = "0d 02 0036 00 00 0000" + ptpPort + "04 7f ffffffffffffffffffff 01 01"
	ptpGet    = ptpManHdr + "00 00 0001 0002 2000"
	ptpSet    = ptpManHdr + "01 00 0001 0002 2005"
	ptpAnswer = ptpManHdr + "02 00 0001 0002 2000"
	ptpBoot   = ptpManHdr + "03 00 0001 0002 0005"
	ptpNo     = ptpManHdr + "02 00 0002 0002 0006"
	ptpMute   = ptpManHdr + "0f 00 0001 0002 2000"
)

func TestPTPRecognise(t *testing.T) {
	testDatagrams(t, PTP, []recogniseTest{
		{"sync", ptpSync, Match{Score: Sure}},
		{"announce, padded", ptpAnn + "0000", Match{Score: Sure}},
		{"management", ptpGet, Match{Score: Sure}},
		{"control that belongs to another type", "00 02 002c 00 00 0000" + ptpPort + "04 00 00000000000000000000", Match{Score: Weak}},
		{"version 1", "00 01 002c 00 00 0000" + ptpPort + "00 00 00000000000000000000", Match{}},
		{"too short for an announce", "0b 02 002c 00 00 0000" + ptpPort + "05 00 00000000000000000000", Match{}},
		{"longer than it is", "00 02 002d 00 00 0000" + ptpPort + "00 00 00000000000000000000", Match{}},
	})
}

func TestPTP(t *testing.T) {
	testDecode(t, PTP, []decodeTest{
		{"messages of all kinds", []turn{
			client(ptpSync), client(ptpAnn), client(ptpGet), client(ptpSet), server(ptpAnswer), client(ptpBoot), server(ptpNo), client(ptpMute),
			client("04 02 0022 00 00 0000" + ptpPort + "05 00"),
		}, []string{
			"ptp 0 client event Sync: 1=0+0+0",
			"ptp 4 client configure message type 4: 1=0+0+0",
			"ptp 11 client event Announce: 1=0+0+0",
			"ptp 13 client configure Management: 1=0+0+0",
			"ptp 13 client configure Management SET: 1=0+0+0",
			"ptp 13 client mode Management COMMAND, initialize: 1=0+0+0",
			"ptp 13 client read Management GET: 1=0+0+0",
			"ptp 13 server reply Management RESPONSE: 1=0+0+0",
			"ptp 13 server reply Management error status: 1=0+0+0",
		}},
		{"what is none", []turn{client("0002"), client("00 01 002c 00 00 0000" + ptpPort + "00 00 00000000000000000000")}, []string{"undecoded: 2"}},
	})
}

func TestPTPIdentity(t *testing.T) {
	description := "0001 02 4962 0006 000102030405 0001 0004 0a000001 000001 00" + // IEEE 802.3 in brief; IPv4
		"06 413b423b4331" + "05 313b323b33" + "03 783b79" + "000102030405" // A;B;C1 1;2;3 x;y
	_, tally := conversation(t, PTP, server("0d 02 0066 00 00 0000"+ptpPort+"04 7f ffffffffffffffffffff 01 01 02 00 0001 0032 0001"+description))
	want := Said{
		Names:      []capture.Name{{Name: "x", Source: "ptp", Frame: 1}},
		Identities: []capture.Identity{{Vendor: "A", Model: "B", Firmware: "2", Serial: "C1", Source: "ptp", Frame: 1}},
	}
	if diff := cmp.Diff(want, tally.Said(capture.FromServer)); diff != "" {
		t.Errorf("said (-want +got):\n%s", diff)
	}
}

func TestPTPOps(t *testing.T) {
	ops := []*Op{&ptpReset, &ptpError}
	for i := range ptpMessages {
		ops = append(ops, &ptpMessages[i].op)
	}
	for i := range ptpActions {
		ops = append(ops, &ptpActions[i])
	}
	testOps(t, ops)
}

func TestPTPAllocs(t *testing.T) { testAllocs(t, PTP, ptpSync, ptpGet) }

func FuzzPTP(f *testing.F) {
	f.Add(unhex(f, ptpSync))
	f.Add(unhex(f, ptpGet))
	f.Add(unhex(f, "0d 02 0037 00 00 0000"+ptpPort+"04 7f ffffffffffffffffffff 01 01 02 00 0001 0003 0001 ff")) // a description that is cut
	fuzzMessages(f, PTP)
}
