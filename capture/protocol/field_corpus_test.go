package protocol_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"

	"bulkhead/capture"
	"bulkhead/capture/observe"
	"bulkhead/internal/corpus"

	"github.com/google/go-cmp/cmp"
)

// observed returns what is seen in a capture of the corpus.
func observed(t *testing.T, path string) *capture.Observations {
	t.Helper()
	file := corpus.Read(t, path)
	o, err := observe.Observe(context.Background(), []observe.Input{{
		Path: path, Size: int64(len(file)),
		Open: func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(file)), nil },
	}}, observe.Options{Jobs: 1})
	if err != nil {
		t.Fatal(err)
	}
	return o
}

// outcomes sums the operations of a capture that one of the protocols was asked
// for, by code, class and name: how many there were, and how they ended.
func outcomes(o *capture.Observations, of ...capture.Protocol) []string {
	type kind struct{ code, class, name string }
	sums := make(map[kind][4]uint64)
	for _, c := range o.Conversations {
		for _, op := range c.Operations {
			if slices.Contains(of, op.Protocol) {
				k := kind{op.Code, string(op.Class), op.Name}
				s := sums[k]
				sums[k] = [4]uint64{s[0] + op.Count, s[1] + op.Accepted, s[2] + op.Refused, s[3] + op.Unanswered}
			}
		}
	}
	var lines []string
	for k, s := range sums {
		lines = append(lines, fmt.Sprintf("%s %s %s: %d=%d+%d+%d", k.code, k.class, k.name, s[0], s[1], s[2], s[3]))
	}
	slices.Sort(lines)
	return lines
}

// Requests that ICSNPP's analyzers logged of the same captures, by the service that
// they named, and how they ended: one line a PDU in its logs.
func TestFieldProtocolsAgainstICSNPP(t *testing.T) {
	for _, test := range []struct {
		path     string
		protocol capture.Protocol
		want     []string // those of the lines that are held against the log
	}{
		// bacnet_device_control.log: each with a wrong password first.
		{"captures/cisagov+icsnpp-bacnet/testing/traces/bacnet_services.pcap", capture.BACnet, []string{
			"confirmed:17 mode DeviceCommunicationControl: DISABLE: 2=1+1+0",
			"confirmed:17 mode DeviceCommunicationControl: ENABLE: 2=1+1+0",
			"confirmed:20 mode ReinitializeDevice: COLDSTART: 2=1+1+0",
			"confirmed:20 mode ReinitializeDevice: WARMSTART: 2=1+1+0",
		}},
		// profinet_io_cm.log: 164, 3, 6, 153 with 3 that are second fragments, 146 and 3.
		{"captures/cisagov+icsnpp-profinet-io-cm/testing/traces/profinet_io_cm.pcap", capture.Profinet, []string{
			"rpc:0 164", "rpc:1 3", "rpc:2 6", "rpc:3 150", "rpc:4 146", "rpc:5 3",
		}},
		{"captures/cisagov+icsnpp-profinet-io-cm/testing/traces/profinet_io_cm_device.pcapng", capture.Profinet, []string{
			"rpc:0 1", "rpc:1 1", "rpc:2 1", "rpc:3 1", "rpc:4 1",
		}},
		// hart_ip_direct_pdu_command.log: 37 requests, of which one has a code in its
		// answer that says that it was refused (12) and another (9).
		{"captures/cisagov+icsnpp-hart-ip/testing/traces/hart-ip_all_types_and_commands_sent.pcapng", capture.HARTIP, []string{
			"4 configure Direct PDU: Command 38 Reset Configuration Changed Flag: 1=0+1+0",
			"4 configure Direct PDU: Command 53 Write Device Variable Units: 1=0+1+0",
			"4 37", "5 diagnose Read Audit Log: 1=1+0+0",
		}},
		{"captures/ITI+ICS-Security-Tools/pcaps/hart/hart_ip.pcap", capture.HARTIP, []string{
			"3 read Token-Passing PDU: Command 12 Read Message: 2=2+0+0", "0 session Session Initiate: 2=1+0+1",
		}},
		{"captures/ITI+ICS-Security-Tools/pcaps/omron/omron_test.pcap", capture.FINS, []string{
			"0x0501 discover CPU Unit Data Read: 2=2+0+0",
		}},
		{"captures/smehner1+ProfinetIO-DoS-attack/pcaps/1-click-attack.pcap", capture.PNDCP, []string{
			"4 configure Set: name of station: 1=0+0+1",
		}},
	} {
		t.Run(test.path, func(t *testing.T) {
			got := outcomes(observed(t, test.path), test.protocol)
			for _, want := range test.want {
				if strings.Contains(want, "=") {
					if !slices.Contains(got, want) {
						t.Errorf("there is no %q in\n%s", want, strings.Join(got, "\n"))
					}
					continue
				}
				code, figure, _ := strings.Cut(want, " ")
				var sum, n uint64
				for _, line := range got {
					if strings.HasPrefix(line, code+" ") {
						fmt.Sscanf(line[strings.LastIndex(line, ": ")+2:], "%d=", &n)
						sum += n
					}
				}
				if fmt.Sprint(sum) != figure {
					t.Errorf("%s: %d requests, want %s", code, sum, figure)
				}
			}
		})
	}
}

// What devices say of themselves, as the bytes of the captures have it.
func TestFieldIdentities(t *testing.T) {
	for _, test := range []struct {
		path, source string
		want         []string
	}{
		{"captures/ITI+ICS-Security-Tools/pcaps/hart/hart_ip.pcap", "hart-ip",
			[]string{"HART manufacturer 0x0026 | HART device type 0x264e, revision 4 | 1 | 210"}},
		{"captures/ITI+ICS-Security-Tools/pcaps/omron/omron_test.pcap", "fins", []string{"Omron | CP1L-EL20DR-D | 01.00 | "}},
		{"captures/smehner1+ProfinetIO-DoS-attack/pcaps/identify.pcap", "profinet-dcp", []string{
			"PROFINET vendor 0x002a | ET200SP | | ", "PROFINET vendor 0x002a | S7-1500 | | ",
		}},
	} {
		t.Run(test.path, func(t *testing.T) {
			var got []string
			for _, e := range observed(t, test.path).Endpoints {
				for _, id := range e.Identities {
					if id.Source == test.source {
						line := fmt.Sprintf("%s | %s | %s | %s", id.Vendor, id.Model, id.Firmware, id.Serial)
						got = append(got, strings.ReplaceAll(line, "  ", " "))
					}
				}
			}
			slices.Sort(got)
			if diff := cmp.Diff(test.want, slices.Compact(got)); diff != "" {
				t.Errorf("identities (-want +got):\n%s", diff)
			}
		})
	}
}
