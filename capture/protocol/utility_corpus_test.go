package protocol_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"maps"
	"testing"

	"bulkhead/capture"
	"bulkhead/capture/observe"
	"bulkhead/internal/corpus"
)

// The captures of C37.118, KNX, Fox, ROC Plus, BSAP, Genisys, C12.22 and DLMS, with
// the counts that their pages in docs/protocols state, by side and code.
var utilityCaptures = []struct {
	path      string
	protocol  capture.Protocol
	undecoded uint64
	counts    map[string]uint64
}{
	{"captures/ITI+ICS-Security-Tools/pcaps/C37.118/C37.118_1PMU_TCP.pcap", capture.C37118, 0,
		map[string]uint64{"server 0": 252, "server 3": 1, "client 4": 3}},
	{"captures/ITI+ICS-Security-Tools/pcaps/C37.118/C37.118_1PMU_UDP.pcap", capture.C37118, 0,
		map[string]uint64{"server 0": 356, "server 3": 1, "client 4": 4}},
	{"captures/ITI+ICS-Security-Tools/pcaps/C37.118/C37118/c37118_1100_unclean.pcap", capture.C37118, 0,
		map[string]uint64{"server 0": 422, "server 1": 1, "server 3": 1, "client 4": 3}},
	{"captures/ntop+nDPI/tests/cfgs/default/pcap/ieee_c37118.pcap", capture.C37118, 0,
		map[string]uint64{"server 0": 608, "server 3": 2, "client 4": 7}},
	{"captures/ntop+nDPI/tests/cfgs/default/pcap/knxip.pcapng", capture.KNX, 0,
		map[string]uint64{"client 0x0201": 1, "client 0x020b": 1, "server 0x0425": 1}},
	{"captures/ITI+ICS-Security-Tools/pcaps/fox/fox_info.pcap", capture.Fox, 0,
		map[string]uint64{"client hello": 1, "server hello": 1, "server challenge": 1}},
	{"captures/cisagov+icsnpp-roc-plus/testing/traces/all_opcodes_tcp.pcap", capture.ROCPlus, 0,
		map[string]uint64{"client 6": 1, "client 7": 1, "client 8": 1, "client 11": 2, "client 17": 5, "client 24": 2, "client 105": 1, "client 108": 2,
			"client 118": 2, "client 137": 1, "client 139": 3, "client 166": 2, "client 180": 3, "client 181": 3, "client 203": 11, "client 205": 3,
			"client 206": 3, "client 224": 1, "server 224": 1, "client 225": 1, "server 225": 1}},
	{"captures/cisagov+icsnpp-bsap/testing/traces/bsap-ip_example.pcap", capture.BSAP, 0,
		map[string]uint64{"client rdb:0x04": 1681, "client rdb:0x80": 2, "client message:0": 1682, "server message:1": 2}},
	{"captures/cisagov+icsnpp-genisys/tests/traces/genisys.pcap", capture.Genisys, 0,
		map[string]uint64{"server 0xf1": 217, "server 0xf2": 127, "client 0xfb": 313, "client 0xfd": 31}},
	{"captures/cisagov+icsnpp-genisys/tests/traces/genisys_otherport.pcap", capture.Genisys, 0,
		map[string]uint64{"server 0xf1": 217, "server 0xf2": 127, "client 0xfb": 313, "client 0xfd": 31}},
	{"captures/parsitects+icsnpp-c1222/testing/traces/c1222_logon_service_tcp.pcap", capture.C1222, 0, map[string]uint64{"client 0x50": 1}},
	{"captures/parsitects+icsnpp-c1222/testing/traces/c1222_rw_service_tcp.pcap", capture.C1222, 0, map[string]uint64{"client 0x31": 1}},
	{"captures/ntop+nDPI/tests/cfgs/default/pcap/c1222.pcapng", capture.C1222, 0,
		map[string]uint64{"client 0x20": 1, "client 0x30": 1, "client 0x40": 4, "client encrypted": 1, "server encrypted": 1}},
	// Both associations were edited after they were captured: their checks are wrong.
	{"captures/ntop+nDPI/tests/cfgs/default/pcap/dlms.pcap", capture.DLMS, 2, map[string]uint64{"client 0xc0": 69, "client 0xc1": 7}},
}

func TestUtilityCorpus(t *testing.T) {
	for _, test := range utilityCaptures {
		file := corpus.Read(t, test.path)
		o, err := observe.Observe(context.Background(), []observe.Input{{
			Path: test.path, Size: int64(len(file)), Open: func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(file)), nil },
		}}, observe.Options{Jobs: 1})
		if err != nil {
			t.Errorf("%s: %v", test.path, err)
			continue
		}
		counts, undecoded := map[string]uint64{}, uint64(0)
		for _, c := range o.Conversations {
			if c.Protocol != test.protocol {
				continue
			}
			undecoded += c.Undecoded
			for _, op := range c.Operations {
				counts[fmt.Sprint(op.From, " ", op.Code)] += op.Count
			}
		}
		if undecoded != test.undecoded {
			t.Errorf("%s: %d PDUs not decoded, want %d", test.path, undecoded, test.undecoded)
		}
		if !maps.Equal(counts, test.counts) {
			t.Errorf("%s: counts %v, want %v", test.path, counts, test.counts)
		}
	}
}

// Every count of tshark's for these protocols is ours.
func TestUtilityOps(t *testing.T) {
	rows := 0
	for _, row := range corpus.Table(t, "ops.tsv") {
		for _, c := range utilityCaptures {
			if c.path != row[0] || string(c.protocol) != row[1] {
				continue
			}
			rows++
			if got := fmt.Sprint(c.counts["client "+row[2]] + c.counts["server "+row[2]]); got != row[3] {
				t.Errorf("%s %s %s: %s, tshark has %s", row[0], row[1], row[2], got, row[3])
			}
		}
	}
	if rows == 0 {
		t.Error("no row of tshark's was compared")
	}
}
