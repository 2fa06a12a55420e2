package plantmix

import (
	"bytes"
	"context"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"bulkhead/capture"
	"bulkhead/capture/observe"
	"bulkhead/capture/protocol"
)

// serviceKey tells services apart.
type serviceKey struct {
	transport capture.Transport
	port      uint16
}

// TestObserved holds what is observed against what was written: frames,
// conversations, protocols and the count of every operation, number by number.
func TestObserved(t *testing.T) {
	file, m := written(t, small)
	got, err := observe.Observe(context.Background(), []observe.Input{{Path: "plant.pcap", Size: int64(len(file)),
		Open: func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(file)), nil }}}, observe.Options{})
	if err != nil {
		t.Fatal(err)
	}
	c := &got.Captures[0]
	if c.Frames != m.Frames || c.Ledger.Sum() != m.Frames || !c.Complete {
		t.Errorf("%d frames, %d in the ledger, complete %v; want %d, all of them", c.Frames, c.Ledger.Sum(), c.Complete, m.Frames)
	}
	var decoded []capture.Protocol
	for _, p := range protocol.All() {
		decoded = append(decoded, p.Name)
	}
	for _, s := range m.Services {
		var frames, conversations, undecoded uint64
		ops := map[opKey]uint64{}
		for i := range got.Conversations {
			v := &got.Conversations[i]
			if v.Transport != s.Transport || v.Server.Port != s.Port {
				continue
			}
			conversations++
			frames += v.Packets.Sent + v.Packets.Received
			undecoded += v.Undecoded
			for _, op := range v.Operations {
				ops[opKey{op.Protocol, op.Code}] += op.Count
			}
			if s.Protocol != "" && v.Protocol != s.Protocol && (s.Transport != capture.L2 || slices.Contains(decoded, s.Protocol)) {
				t.Errorf("%s/%d: protocol %s, want %s", s.Transport, s.Port, v.Protocol, s.Protocol)
			}
		}
		if frames != s.Frames || undecoded != 0 {
			t.Errorf("%s/%d: %d frames, %d PDUs not decoded; want %d, 0", s.Transport, s.Port, frames, undecoded, s.Frames)
		}
		// A request to all and its answer have no pair of addresses in common.
		if s.Port != etherTypeARP && conversations != s.Conversations {
			t.Errorf("%s/%d: %d conversations, want %d", s.Transport, s.Port, conversations, s.Conversations)
		}
		if len(s.Operations) == 0 || !slices.Contains(decoded, s.Protocol) {
			continue
		}
		for _, want := range s.Operations {
			k := opKey{want.Protocol, want.Code}
			if ops[k] != want.Count {
				t.Errorf("%s/%d: %s %s seen %d times, written %d times", s.Transport, s.Port, want.Protocol, want.Code, ops[k], want.Count)
			}
			delete(ops, k)
		}
		for k, n := range ops {
			t.Errorf("%s/%d: %s %s seen %d times, never written", s.Transport, s.Port, k.protocol, k.code, n)
		}
	}
}

// dissectors are what tshark calls the protocols of payloads on the plant's
// ports and EtherTypes; of two names, the first or the second (it takes the TLS
// that follows RDP's negotiation for more TPKT).
var dissectors = map[serviceKey]string{
	{capture.L2, 0x0806}: "arp", {capture.L2, 0x8892}: "pn_io", {capture.L2, 0x88b8}: "goose", {capture.L2, 0x88ba}: "sv",
	{capture.L2, 0x88f7}: "ptp",
	{capture.TCP, 80}:    "http", {capture.TCP, 102}: "cotp", {capture.TCP, 443}: "tls", {capture.TCP, 445}: "smb2",
	{capture.TCP, 502}: "modbus", {capture.TCP, 3389}: "rdp tpkt", {capture.TCP, 4840}: "opcua", {capture.TCP, 20000}: "dnp3",
	{capture.TCP, 44818}: "enip", {capture.UDP, 53}: "dns", {capture.UDP, 123}: "ntp", {capture.UDP, 161}: "snmp",
	{capture.UDP, 514}: "syslog", {capture.UDP, 2222}: "cipio", {capture.UDP, 44818}: "enip",
}

// TestDissected: tshark finds the same frames of the same protocols, no checksum
// wrong and nothing else to warn of.
func TestDissected(t *testing.T) {
	tshark, err := exec.LookPath("tshark")
	if err != nil {
		t.Skip("tshark is not installed: no second opinion on the capture")
	}
	file, m := written(t, small)
	name := filepath.Join(t.TempDir(), "plant.pcap")
	if err := os.WriteFile(name, file, 0o600); err != nil {
		t.Fatal(err)
	}
	out, err := exec.Command(tshark, "-n", "-r", name, "-o", "ip.check_checksum:TRUE", "-o", "tcp.check_checksum:TRUE", "-o", "udp.check_checksum:TRUE",
		"-T", "fields", "-e", "frame.protocols", "-e", "tcp.port", "-e", "udp.port", "-e", "eth.type", "-e", "vlan.etype", "-e", "tcp.len",
		"-e", "_ws.expert.severity", "-e", "_ws.expert.message").Output()
	if err != nil {
		t.Fatalf("tshark: %v", err)
	}
	const warning = 6 << 20 // PI_WARN
	frames, missed := map[serviceKey]uint64{}, map[serviceKey]int{}
	for i, line := range strings.Split(strings.TrimSuffix(string(out), "\n"), "\n") {
		f := strings.Split(line, "\t")
		if len(f) != 8 {
			t.Fatalf("tshark: frame %d: %d fields, want 8", i+1, len(f))
		}
		for _, severity := range strings.Split(f[6], ",") {
			if n, err := strconv.ParseUint(severity, 10, 64); err == nil && n >= warning {
				t.Fatalf("frame %d: tshark warns: %s (%s)", i+1, f[7], f[0])
			}
		}
		var k serviceKey
		for _, s := range m.Services {
			number, list := strconv.Itoa(int(s.Port)), f[1]
			if s.Transport == capture.UDP {
				list = f[2]
			}
			if s.Transport == capture.L2 {
				n, err := strconv.ParseUint(strings.TrimPrefix(lastOf(f[3]+","+f[4]), "0x"), 16, 16)
				if err != nil || f[1] != "" || f[2] != "" {
					continue
				}
				number, list = strconv.Itoa(int(s.Port)), strconv.Itoa(int(n))
			}
			if slices.Contains(strings.Split(list, ","), number) {
				k = serviceKey{s.Transport, s.Port}
			}
		}
		frames[k]++
		known := strings.Split(f[0], ":")
		if f[5] != "0" && !slices.ContainsFunc(strings.Fields(dissectors[k]), func(name string) bool { return slices.Contains(known, name) }) {
			missed[k] = i + 1
		}
	}
	for _, s := range m.Services {
		k := serviceKey{s.Transport, s.Port}
		if frames[k] != s.Frames {
			t.Errorf("%s/%d: tshark finds %d frames, written %d", s.Transport, s.Port, frames[k], s.Frames)
		}
		if missed[k] != 0 {
			t.Errorf("%s/%d: tshark does not see %s in frame %d", s.Transport, s.Port, dissectors[k], missed[k])
		}
	}
}

// lastOf returns the last part of a list that is not empty.
func lastOf(list string) string {
	last := ""
	for _, s := range strings.Split(list, ",") {
		if s != "" {
			last = s
		}
	}
	return last
}
