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

// The captures of makers' protocols, with the counts of all that their pages in
// docs/protocols state: by code, "accepted/refused/unanswered" of what asks.
var controllerCaptures = []struct {
	path     string
	protocol capture.Protocol
	codes    map[string]uint64
	outcomes map[string]string
}{
	{
		path:     "captures/ITI+ICS-Security-Tools/pcaps/MELSEC/melsoft_129_clean.pcap",
		protocol: capture.Melsoft,
		codes:    map[string]uint64{"0x0410": 244, "other": 247},
		outcomes: map[string]string{"0x0410": "244/0/0", "other": "247/0/0"},
	},
	{
		path:     "captures/ITI+ICS-Security-Tools/pcaps/MELSEC/melsoft_UDP_clean_2.pcap",
		protocol: capture.Melsoft,
		codes:    map[string]uint64{"0x0121": 16, "0x0410": 100, "0x1868": 3, "0x1869": 4, "hello": 32, "other": 61},
		outcomes: map[string]string{"0x0121": "0/0/16", "0x0410": "0/0/100", "0x1868": "0/0/3", "0x1869": "0/0/4", "hello": "0/0/32", "other": "0/0/61"},
	},
	{
		path:     "captures/ITI+ICS-Security-Tools/pcaps/beckoff/addroute.pcapng",
		protocol: capture.ADS,
		codes:    map[string]uint64{"4": 2, "udp:1": 1, "udp:6": 1},
		outcomes: map[string]string{"4": "1/0/1", "udp:1": "1/0/0", "udp:6": "1/0/0"},
	},
	{
		path:     "captures/ITI+ICS-Security-Tools/pcaps/beckoff/addroute1.pcapng",
		protocol: capture.ADS,
		codes:    map[string]uint64{"4": 2, "udp:6": 2},
		outcomes: map[string]string{"4": "2/0/0", "udp:6": "2/0/0"},
	},
	{
		path:     "captures/ITI+ICS-Security-Tools/pcaps/beckoff/beckoffiplinktc.pcapng",
		protocol: capture.ADS,
		codes:    map[string]uint64{"1": 4, "2": 16, "4": 14, "6": 2, "7": 1, "9": 7, "udp:1": 1},
		outcomes: map[string]string{"1": "2/2/0", "2": "15/0/1", "4": "14/0/0", "6": "2/0/0", "7": "1/0/0", "9": "4/3/0", "udp:1": "1/0/0"},
	},
	{
		path:     "captures/ITI+ICS-Security-Tools/pcaps/beckoff/beckofflink.pcapng",
		protocol: capture.ADS,
		codes:    map[string]uint64{"1": 4, "2": 16, "4": 14, "6": 2, "7": 1, "9": 7, "udp:1": 1},
		outcomes: map[string]string{"1": "2/2/0", "2": "16/0/0", "4": "14/0/0", "6": "2/0/0", "7": "1/0/0", "9": "4/3/0", "udp:1": "1/0/0"},
	},
	{
		path:     "captures/ntop+nDPI/tests/cfgs/default/pcap/beckhoff_ads.pcapng",
		protocol: capture.ADS,
		codes:    map[string]uint64{"1": 4, "2": 5, "4": 3, "6": 2, "7": 1, "9": 7},
		outcomes: map[string]string{"1": "2/2/0", "2": "5/0/0", "4": "3/0/0", "6": "2/0/0", "7": "1/0/0", "9": "4/3/0"},
	},
	{
		path:     "captures/ntop+nDPI/tests/cfgs/default/pcap/egd.pcapng",
		protocol: capture.EGD,
		codes:    map[string]uint64{"13": 5},
	},
	{
		path:     "captures/ntop+nDPI/tests/cfgs/default/pcap/ethersbus.pcap",
		protocol: capture.SBus,
		codes:    map[string]uint64{"27": 2, "30": 4, "32": 2, "71": 1, "81": 1},
		outcomes: map[string]string{"27": "2/0/0", "30": "4/0/0", "32": "2/0/0", "71": "1/0/0", "81": "1/0/0"},
	},
}

func TestControllersCorpus(t *testing.T) {
	for _, test := range controllerCaptures {
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
			if c.Protocol != test.protocol {
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
		if undecoded != 0 {
			t.Errorf("%s: %d PDUs not decoded", test.path, undecoded)
		}
		if !maps.Equal(codes, test.codes) {
			t.Errorf("%s: counts %v, want %v", test.path, codes, test.codes)
		}
		if !maps.Equal(outcomes, test.outcomes) {
			t.Errorf("%s: outcomes %v, want %v", test.path, outcomes, test.outcomes)
		}
	}
}

// Every count of tshark's of ADS commands is ours.
func TestControllersOps(t *testing.T) {
	ours := map[string]map[string]uint64{}
	for _, c := range controllerCaptures {
		if c.protocol == capture.ADS {
			ours[c.path] = c.codes
		}
	}
	rows := 0
	for _, row := range corpus.Table(t, "ops.tsv") {
		if codes := ours[row[0]]; codes != nil && slices.Contains([]string{"ads"}, row[1]) {
			rows++
			if got := fmt.Sprint(codes[row[2]]); got != row[3] {
				t.Errorf("%s %s %s: %s, tshark has %s", row[0], row[1], row[2], got, row[3])
			}
		}
	}
	if rows == 0 {
		t.Error("no row of tshark's was compared")
	}
}
