package observe_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"bulkhead/capture"
	"bulkhead/capture/observe"
	"bulkhead/capture/pcap"
	"bulkhead/internal/corpus"
)

// everyFrame is how to observe where each frame is to count, as it does for
// tools that do not look for duplicates.
func everyFrame(jobs int) observe.Options { return observe.Options{Jobs: jobs, KeepDuplicates: true} }

// input is a capture file in memory.
func input(path string, file []byte) observe.Input {
	return observe.Input{Path: path, Size: int64(len(file)), Open: corpus.Open(file)}
}

// observed is what files show; they must be captures.
func observed(t testing.TB, opts observe.Options, files ...observe.Input) *capture.Observations {
	t.Helper()
	o, err := observe.Observe(context.Background(), files, opts)
	if err != nil {
		t.Fatal(err)
	}
	return o
}

// byAddress sums conversations by their addresses. Those inside a tunnel are left
// out: the frames that carry them count on the tunnel's own conversation.
func byAddress(o *capture.Observations) corpus.Addresses {
	sums := corpus.Addresses{}
	for i := range o.Conversations {
		c := &o.Conversations[i]
		if !c.Client.IP.IsValid() || c.Tunnel != "" {
			continue
		}
		sums.Add(c.Client.IP, c.Server.IP, c.Packets.Sent, c.Bytes.Sent)
		sums.Add(c.Server.IP, c.Client.IP, c.Packets.Received, c.Bytes.Received)
	}
	return sums
}

// unequal lists the pairs whose traffic differs.
func unequal(a, b corpus.Addresses) []corpus.Pair {
	all := maps.Clone(a)
	maps.Copy(all, b)
	var pairs []corpus.Pair
	for k := range all {
		if a[k] != b[k] {
			pairs = append(pairs, k)
		}
	}
	slices.SortFunc(pairs, func(x, y corpus.Pair) int {
		return slices.CompareFunc(x[:], y[:], netip.Addr.Compare)
	})
	return pairs
}

// inTunnel matches frames with an IP header behind another one; what an ICMP
// error quotes is none.
const inTunnel = `frame.protocols matches "(^|:)(ip|ipv6):((?!icmp)[^:]+:)*(ip|ipv6)(:|$)"`

// TestAddressesAgainstWireshark holds frames and bytes of every pair of addresses,
// by direction, against Wireshark's conversation tables, which tshark prints for
// -z conv,ip and -z conv,ipv6. In a capture without tunnels each pair is equal,
// save for
//
//   - frames of which the ledger says that their addresses could not be read;
//   - what docs/differences.md lists, with the figures seen.
//
// Inside tunnels Wireshark counts the inner addresses as well, with the bytes of
// the whole frame, so that there ours may only not exceed its.
func TestAddressesAgainstWireshark(t *testing.T) {
	listed := listedDifferences(t)
	captures := corpus.Captures(t)
	var lock sync.Mutex // of what follows
	equal, tunnels, accounted := 0, 0, 0
	var unlisted []string

	compare := func(c corpus.Capture, server *corpus.Sharkd) {
		name := strings.TrimPrefix(c.Path, "captures/")
		if _, err := server.Load(c.File); err != nil {
			if _, listed := capinfosDiffers[name]; !listed {
				t.Errorf("%s: %v", name, err)
			}
			return
		}
		theirs, err := server.Addresses()
		if err != nil {
			t.Errorf("%s: %v", c.Path, err)
			return
		}
		o, err := observe.Observe(context.Background(), []observe.Input{input(c.Path, corpus.Read(t, c.Path))}, everyFrame(1))
		if errors.Is(err, pcap.ErrNotCapture) {
			return
		}
		if err != nil {
			t.Error(err)
			return
		}
		ours := byAddress(o)
		pairs := unequal(ours, theirs)
		tunnelled := uint64(0)
		if len(pairs) > 0 {
			if tunnelled, err = server.Count(inTunnel); err != nil {
				t.Errorf("%s: %v", c.Path, err)
				return
			}
		}

		lock.Lock()
		defer lock.Unlock()
		missing, within := shortfall(pairs, ours, theirs)
		l := &o.Captures[0].Ledger
		switch {
		case len(pairs) == 0:
			equal++
			return
		case tunnelled > 0 && within:
			tunnels++
			return
		case tunnelled == 0 && within && missing <= l.UnknownLink+l.Truncated+l.Malformed:
			accounted++
			return
		}
		for _, k := range pairs {
			d := difference{name, fmt.Sprintf("%s %s", k[0], k[1])}
			figures := fmt.Sprintf("%s | %s", show(theirs[k]), show(ours[k]))
			if listed[d] != figures {
				unlisted = append(unlisted, fmt.Sprintf("| %s | %s | %s | |", d.capture, d.pair, figures))
			}
			delete(listed, d)
		}
	}

	var next atomic.Int64
	var wait sync.WaitGroup
	for range runtime.GOMAXPROCS(0) {
		server := corpus.StartSharkd(t)
		wait.Go(func() {
			for i := int(next.Add(1)) - 1; i < len(captures); i = int(next.Add(1)) - 1 {
				compare(captures[i], server)
			}
		})
	}
	wait.Wait()

	slices.Sort(unlisted)
	if len(unlisted) > 0 {
		t.Errorf("pairs that differ from tshark's without an explanation in docs/differences.md:\n%s", strings.Join(unlisted, "\n"))
	}
	if !testing.Short() {
		for d := range listed {
			t.Errorf("docs/differences.md lists a difference that is gone: %s %s", d.capture, d.pair)
		}
	}
	if equal < len(captures)*9/10 {
		t.Errorf("all pairs are equal in %d captures of %d, want nine of ten", equal, len(captures))
	}
	t.Logf("of %d captures %d are equal; %d differ by tunnels, %d by what the ledger says is not decoded", len(captures), equal, tunnels, accounted)
}

// shortfall returns how many frames of pairs are in theirs and not in ours, and
// whether that is all the difference.
func shortfall(pairs []corpus.Pair, ours, theirs corpus.Addresses) (missing uint64, within bool) {
	within = true
	for _, k := range pairs {
		for side := range 2 {
			mine, its := ours[k], theirs[k]
			switch {
			case mine.Frames[side] < its.Frames[side] && mine.Bytes[side] <= its.Bytes[side]:
				missing += its.Frames[side] - mine.Frames[side]
			case mine.Frames[side] != its.Frames[side] || mine.Bytes[side] != its.Bytes[side]:
				within = false
			}
		}
	}
	return missing, within
}

// difference is a pair of addresses of a capture whose figures differ from
// tshark's.
type difference struct{ capture, pair string }

// listedDifferences reads the section "Packets and bytes" of
// docs/differences.md: the figures of tshark and ours, as show spells them.
func listedDifferences(t *testing.T) map[difference]string {
	t.Helper()
	b, err := os.ReadFile(filepath.Join("..", "..", "docs", "differences.md"))
	if err != nil {
		t.Fatal(err)
	}
	_, section, ok := strings.Cut(string(b), "\n## Packets and bytes\n")
	if !ok {
		t.Fatal(`docs/differences.md has no section "Packets and bytes"`)
	}
	section, _, _ = strings.Cut(section, "\n## ")
	listed := map[difference]string{}
	for i, line := range tableRows(section) {
		if i == 0 {
			continue // the header
		}
		if len(line) != 5 || line[4] == "" {
			t.Errorf("docs/differences.md: %q: expected capture, addresses, tshark, ours and why", line)
			continue
		}
		listed[difference{line[0], line[1]}] = line[2] + " | " + line[3]
	}
	return listed
}

// tableRows returns the cells of a Markdown table, its header first.
func tableRows(text string) (rows [][]string) {
	for _, line := range strings.Split(text, "\n") {
		if !strings.HasPrefix(line, "| ") {
			continue
		}
		cells := strings.Split(strings.Trim(line, "|"), "|")
		for i := range cells {
			cells[i] = strings.TrimSpace(cells[i])
		}
		rows = append(rows, cells)
	}
	return rows
}

// show spells traffic as docs/differences.md does: from the first address and
// from the second.
func show(v corpus.Traffic) string {
	return fmt.Sprintf("%d + %d frames, %d + %d bytes", v.Frames[0], v.Frames[1], v.Bytes[0], v.Bytes[1])
}

// sampled are captures for which tshark itself is asked: of several pairs, of
// IPv6, of ICMP errors, of fragments and of link types other than Ethernet.
var sampled = []string{
	"ITI+ICS-Security-Tools/pcaps/ModbusTCP/mb2.pcap",
	"ITI+ICS-Security-Tools/pcaps/C37.118/C37118/c37118_1100_unclean.pcap",
	"OISF+suricata-verify/tests/bug-4663-03/icmp_and_ssh.pcap",
	"ntop+nDPI/tests/cfgs/default/pcap/dns_fragmented.pcap",
	"ntop+nDPI/tests/cfgs/default/pcap/6in4tunnel.pcap",
	"ntop+nDPI/tests/cfgs/default/pcap/reasm_crash_anon.pcapng",
	"seladb+PcapPlusPlus/Tests/ExamplesTest/pcap_examples/ipv6.pcapng",
	"cisagov+icsnpp-opcua-binary/pcaps/open62541_browse_next.pcap",
	"the-tcpdump-group+tcpdump/tests/erspan-type-i-4.pcap",
	"zeek+zeek/testing/btest/Traces/trunc/icmp-header-trunc.pcap",
}

// TestSharkdPrintsWhatTsharkDoes holds the tables that the comparison above reads
// against those that tshark prints: frames exactly, bytes as far as it shows
// them.
func TestSharkdPrintsWhatTsharkDoes(t *testing.T) {
	tshark, dir := corpus.Tool(t, "tshark"), corpus.Dir(t)
	server := corpus.StartSharkd(t)
	for _, path := range sampled {
		file := filepath.Join(dir, "captures", filepath.FromSlash(path))
		if _, err := server.Load(file); err != nil {
			t.Fatal(err)
		}
		exact, err := server.Addresses()
		if err != nil {
			t.Fatal(err)
		}
		out, err := exec.Command(tshark, "-n", "-q", "-r", file, "-z", "conv,ip", "-z", "conv,ipv6").Output()
		if err != nil {
			t.Fatal(err)
		}
		pairs := 0
		for _, line := range strings.Split(string(out), "\n") {
			left, right, ok := strings.Cut(line, " <-> ")
			if !ok {
				continue
			}
			pairs++
			// The second address, then frames, bytes and their unit of what comes
			// from it, of what goes to it, and of both.
			f := strings.Fields(right)
			a, b := netip.MustParseAddr(strings.TrimSpace(left)), netip.MustParseAddr(f[0])
			from := 0
			k := corpus.Pair{a, b}
			if b.Less(a) {
				k, from = corpus.Pair{b, a}, 1
			}
			v := exact[k]
			if a == b {
				v.Frames[1-from], v.Bytes[1-from] = 0, 0
			}
			want := fmt.Sprint(v.Frames[1-from], " ", rounded(v.Bytes[1-from]), " ", v.Frames[from], " ", rounded(v.Bytes[from]))
			if got := strings.Join(f[1:7], " "); got != want {
				t.Errorf("%s: %s and %s: tshark prints %q, sharkd says %q", path, a, b, got, want)
			}
		}
		if pairs != len(exact) {
			t.Errorf("%s: tshark prints %d pairs, sharkd %d", path, pairs, len(exact))
		}
	}
}

// rounded spells a number of bytes as tshark 4.0 does: in the largest unit of
// which there are ten.
func rounded(n uint64) string {
	units := []string{"bytes", "kB", "MB", "GB"}
	i := 0
	for ; n >= 10000 && i < len(units)-1; i++ {
		n /= 1000
	}
	return strconv.FormatUint(n, 10) + " " + units[i]
}

// TestOrderAndJobs observes the whole corpus in several orders and by several
// goroutines: the result is the same, byte for byte.
func TestOrderAndJobs(t *testing.T) {
	var files []observe.Input
	for _, c := range corpus.Captures(t) {
		file := corpus.Read(t, c.Path)
		if _, err := pcap.NewReader(bytes.NewReader(file)); errors.Is(err, pcap.ErrNotCapture) {
			continue
		}
		files = append(files, input(c.Path, file))
	}
	text := func(o *capture.Observations) []byte {
		b, err := json.Marshal(o)
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	want := text(observed(t, observe.Options{Jobs: 1}, files...))
	r := rand.New(rand.NewPCG(3, 4))
	for _, jobs := range []int{4, 3} {
		r.Shuffle(len(files), func(i, j int) { files[i], files[j] = files[j], files[i] })
		if !bytes.Equal(text(observed(t, observe.Options{Jobs: jobs}, files...)), want) {
			t.Errorf("%d jobs, in another order, give another result than one job", jobs)
		}
		for i := range files {
			files[i].Size = 0 // a file of unknown size gets more than one core
		}
	}
}
