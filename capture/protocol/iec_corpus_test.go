package protocol_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"maps"
	"slices"
	"testing"

	"bulkhead/capture"
	"bulkhead/capture/observe"
	"bulkhead/internal/corpus"
)

// The captures of IEC 60870-5-104 and IEC 61850, with the counts of all that
// their pages in docs/protocols state: by code, "accepted/refused/unanswered" of
// what asks, and PDUs that could not be read.
var iecCaptures = []struct {
	path      string
	undecoded uint64
	codes     map[string]uint64
	outcomes  map[string]string
}{
	{
		path:     "captures/ITI+ICS-Security-Tools/pcaps/IEC60870-5-104/JavaRMI_and_IEC_Misc.pcap",
		codes:    map[string]uint64{"1": 21, "3": 21, "11": 21, "70": 2, "100": 63, "S": 45, "STARTDT": 4, "TESTFR": 58},
		outcomes: map[string]string{"100": "21/0/0", "STARTDT": "2/0/0", "TESTFR": "29/0/0"},
	}, {
		path:      "captures/ITI+ICS-Security-Tools/pcaps/IEC60870-5-104/TestDissectIec104.pcap",
		undecoded: 9,
		codes:     map[string]uint64{"1": 1, "3": 1, "30": 1, "45": 7, "46": 2, "70": 2, "100": 3, "103": 2, "S": 12, "STARTDT": 12, "TESTFR": 14},
		outcomes:  map[string]string{"45": "2/1/1", "46": "0/1/0", "100": "1/0/0", "103": "1/0/0", "STARTDT": "6/0/0", "TESTFR": "7/0/0"},
	}, {
		path: "captures/ITI+ICS-Security-Tools/pcaps/IEC61850/8d7c7db0-9804-012b-b2a6-0016cb8cea27.pcap",
		codes: map[string]uint64{"confirmed:1": 2, "confirmed:12": 4, "confirmed:2": 7, "confirmed:4": 6, "confirmed:5": 4,
			"unconfirmed:0": 115, "initiate": 1},
		outcomes: map[string]string{"confirmed:1": "2/0/0", "confirmed:12": "4/0/0", "confirmed:2": "7/0/0", "confirmed:4": "6/0/0",
			"confirmed:5": "4/0/0", "initiate": "1/0/0"},
	}, {
		path:      "captures/ITI+ICS-Security-Tools/pcaps/IEC61850/MMS - Specific Commands/iec61850_read.pcap",
		undecoded: 2, // the accept is one octet longer than its TPKT, and the last response has no service
		codes:     map[string]uint64{"confirmed:4": 1, "initiate": 1, "conclude": 1},
		outcomes:  map[string]string{"confirmed:4": "1/0/0", "initiate": "0/0/1", "conclude": "0/0/1"},
	}, {
		path:      "captures/ITI+ICS-Security-Tools/pcaps/IEC61850/MMS - Specific Commands/mms-startRequest.pcap",
		undecoded: 7, // all that the server sends: its transport headers have no length
		codes:     map[string]uint64{"confirmed:40": 1, "confirmed:41": 1, "initiate": 1, "conclude": 1},
		outcomes:  map[string]string{"confirmed:40": "0/0/1", "confirmed:41": "0/0/1", "initiate": "0/0/1", "conclude": "0/0/1"},
	},
	{path: "captures/ITI+ICS-Security-Tools/pcaps/IEC61850/GOOSE/Sample_File_GOOSE.pcap", codes: map[string]uint64{"goose": 451}},
	{path: "captures/fkie-cad+ipal_transcriber/misc/pcaps/goose-single.pcapng", codes: map[string]uint64{"goose": 1}},
	{path: "captures/haolipeng+icsnpp-iec61850-goose/testing/Traces/GOOSE_missing_dataset.pcap", codes: map[string]uint64{"goose": 1}},
	{path: "captures/haolipeng+icsnpp-iec61850-goose/testing/Traces/GOOSE_truncated.pcap", codes: map[string]uint64{"goose": 1}},
	{path: "captures/haolipeng+icsnpp-iec61850-goose/testing/Traces/GOOSE_malformed_asn1.pcap", undecoded: 1},
	{path: "captures/DINA-community+icsnpp-iec61850-sv/testing/Traces/SV_Normal_Traffic.pcap", codes: map[string]uint64{"sv": 10161}},
}

func TestIECCorpus(t *testing.T) {
	for _, test := range iecCaptures {
		file := corpus.Read(t, test.path)
		o, err := observe.Observe(context.Background(), []observe.Input{{
			Path: test.path, Size: int64(len(file)), Open: func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(file)), nil },
		}}, observe.Options{Jobs: 1})
		if err != nil {
			t.Errorf("%s: %v", test.path, err)
			continue
		}
		var undecoded uint64
		codes, sums := map[string]uint64{}, map[string][3]uint64{}
		for _, c := range o.Conversations {
			switch c.Protocol {
			case capture.IEC104, capture.MMS, capture.GOOSE, capture.SV, capture.GSE:
			default:
				continue
			}
			undecoded += c.Undecoded
			for _, op := range c.Operations {
				codes[op.Code] += op.Count
				s := sums[op.Code]
				sums[op.Code] = [3]uint64{s[0] + op.Accepted, s[1] + op.Refused, s[2] + op.Unanswered}
			}
		}
		outcomes := map[string]string{}
		for code, s := range sums {
			if s != [3]uint64{} {
				outcomes[code] = fmt.Sprintf("%d/%d/%d", s[0], s[1], s[2])
			}
		}
		if undecoded != test.undecoded {
			t.Errorf("%s: %d PDUs not decoded, want %d", test.path, undecoded, test.undecoded)
		}
		if !maps.Equal(codes, test.codes) {
			t.Errorf("%s: counts %v, want %v", test.path, codes, test.codes)
		}
		if !maps.Equal(outcomes, test.outcomes) {
			t.Errorf("%s: outcomes %v, want %v", test.path, outcomes, test.outcomes)
		}
	}
}

// Every count of tshark's is ours, but for the two types that it reads out of
// APDUs too short to hold an ASDU.
func TestIECOps(t *testing.T) {
	ours := map[string]map[string]uint64{}
	for _, c := range iecCaptures {
		ours[c.path] = c.codes
	}
	rows := 0
	for _, row := range corpus.Table(t, "ops.tsv") {
		if codes := ours[row[0]]; codes != nil && slices.Contains([]string{"iec104", "mms", "goose", "sv"}, row[1]) {
			rows++
			short := row[1] == "iec104" && (row[2] == "24" || row[2] == "26") && codes["45"] == 7
			if got := fmt.Sprint(codes[row[2]]); got != row[3] && !short {
				t.Errorf("%s %s %s: %s, tshark has %s", row[0], row[1], row[2], got, row[3])
			}
		}
	}
	if rows == 0 {
		t.Error("no row of tshark's was compared")
	}
}
