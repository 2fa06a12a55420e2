package protocol_test

import (
	"bytes"
	"context"
	"io"
	"maps"
	"strconv"
	"testing"

	"bulkhead/capture"
	"bulkhead/capture/observe"
	"bulkhead/internal/corpus"
)

// corpusCodes counts the operations of a protocol in a capture by code, and what
// could not be read.
func corpusCodes(t *testing.T, path string, p capture.Protocol) (codes map[string]uint64, undecoded uint64) {
	t.Helper()
	file := corpus.Read(t, path)
	o, err := observe.Observe(context.Background(), []observe.Input{{
		Path: path, Size: int64(len(file)), Open: func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(file)), nil },
	}}, observe.Options{Jobs: 1})
	if err != nil {
		t.Fatalf("%s: %v", path, err)
	}
	codes = map[string]uint64{}
	for _, c := range o.Conversations {
		if c.Protocol != p {
			continue
		}
		undecoded += c.Undecoded
		for _, op := range c.Operations {
			codes[op.Code] += op.Count
		}
	}
	return codes, undecoded
}

// Every count of MQTT and CoAP that tshark has is ours. In one capture it takes
// the port of 400 exchanges of CoAP, udp/17500, for another protocol's.
func TestMessagingOps(t *testing.T) {
	type key struct {
		path string
		p    capture.Protocol
	}
	want := map[key]map[string]uint64{}
	for _, row := range corpus.Table(t, "ops.tsv") {
		k := key{row[0], capture.Protocol(row[1])}
		if k.p != capture.MQTT && k.p != capture.CoAP {
			continue
		}
		if want[k] == nil {
			want[k] = map[string]uint64{}
		}
		n, err := strconv.ParseUint(row[3], 10, 64)
		if err != nil {
			t.Fatal(err)
		}
		want[k][row[2]] = n
	}
	if len(want) == 0 {
		t.Fatal("no rows of tshark's")
	}
	for _, code := range []string{"3", "68"} { // PUT, 2.04 Changed
		want[key{"captures/ntop+nDPI/tests/cfgs/default/pcap/coap_mqtt.pcap", capture.CoAP}][code] += 400
	}
	for k, codes := range want {
		got, undecoded := corpusCodes(t, k.path, k.p)
		if !maps.Equal(got, codes) || undecoded != 0 {
			t.Errorf("%s %s: %v and %d not decoded, tshark has %v", k.path, k.p, got, undecoded, codes)
		}
	}
}

// Captures of protocols that ops.tsv does not count, with the figures that their
// pages in docs/protocols state.
func TestMessagingCorpus(t *testing.T) {
	for _, test := range []struct {
		path     string
		protocol capture.Protocol
		want     map[string]uint64
	}{
		{"captures/ntop+nDPI/tests/cfgs/default/pcap/rtps.pcap", capture.RTPS, map[string]uint64{"0x09": 28, "0x15": 28}},
		{"captures/the-tcpdump-group+tcpdump/tests/ptp.pcap", capture.PTP, map[string]uint64{"0": 1, "1": 1, "8": 1, "9": 1, "11": 1}},
		{"captures/the-tcpdump-group+tcpdump/tests/ptp_management.pcap", capture.PTP, map[string]uint64{"13": 10}},
		{"captures/ITI+ICS-Security-Tools/pcaps/s7/S7-1200-Uploading-OB1-TIAV12.pcap", capture.S7Plus, map[string]uint64{"0x04bb": 2, "0x04ca": 2, "0x04d4": 1, "0x0524": 2, "0x0542": 1, "0x054c": 22, "0x0556": 2, "0x0560": 2, "0x0586": 9}},
		{"captures/ITI+ICS-Security-Tools/pcaps/s7/S7-1511_db6w0_HMI.pcap", capture.S7Plus, map[string]uint64{"0x04ca": 1, "0x04d4": 1, "0x0542": 1, "0x0586": 1}},
		{"captures/ITI+ICS-Security-Tools/pcaps/s7/s7-1200-hmi.pcap", capture.S7Plus, map[string]uint64{"0x04ca": 1, "0x0542": 2, "0x054c": 9}},
	} {
		if got, undecoded := corpusCodes(t, test.path, test.protocol); !maps.Equal(got, test.want) || undecoded != 0 {
			t.Errorf("%s: %v and %d not decoded, want %v", test.path, got, undecoded, test.want)
		}
	}
}
