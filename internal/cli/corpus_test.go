package cli

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"bulkhead/capture"
	"bulkhead/internal/corpus"
)

// opsKey is one row of the corpus's ops.tsv.
type opsKey struct{ capture, protocol, code string }

func (k opsKey) String() string { return k.capture + " " + k.protocol + " " + k.code }

// compared are the protocols whose counts are held against tshark's.
var compared = []string{"modbus", "s7comm", "cip", "enip", "dnp3", "opcua", "bacnet", "fins", "hart-ip", "profinet-dcp", "ethercat"}

// TestCorpus observes every capture of the corpus and holds the operation counts
// against tshark's: each count is equal, or listed with the reason in
// docs/differences.md with exactly the two figures seen.
func TestCorpus(t *testing.T) {
	if testing.Short() {
		t.Skip("reads the whole corpus")
	}
	dir := corpus.Dir(t)
	got := map[opsKey]uint64{}
	for _, row := range corpus.Table(t, "index.tsv") {
		name := row[0]
		var stdout, stderr bytes.Buffer
		code := Run([]string{"observe", "--format", "json", "--jobs", "1", filepath.Join(dir, name)}, &stdout, &stderr)
		if code != exitOK && code != exitIncomplete {
			t.Errorf("%s: exit code %d: %s", name, code, stderr.String())
			continue
		}
		if (code == exitIncomplete) != (stderr.Len() > 0) {
			t.Errorf("%s: exit code %d, and on standard error %q", name, code, stderr.String())
		}
		var obs capture.Observations
		if err := json.Unmarshal(stdout.Bytes(), &obs); err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		for _, c := range obs.Captures {
			if sum := c.Ledger.Sum(); sum != c.Frames {
				t.Errorf("%s: the ledger sums to %d of %d frames", name, sum, c.Frames)
			}
		}
		for _, c := range obs.Conversations {
			for _, op := range c.Operations {
				if slices.Contains(compared, string(op.Protocol)) {
					got[opsKey{name, string(op.Protocol), op.Code}] += op.Count
				}
			}
		}
	}

	want := map[opsKey]uint64{}
	for _, row := range corpus.Table(t, "ops.tsv") {
		if slices.Contains(compared, row[1]) {
			n, err := strconv.ParseUint(row[3], 10, 64)
			if err != nil {
				t.Fatal(err)
			}
			want[opsKey{row[0], row[1], row[2]}] = n
		}
	}

	explained := differences(t)
	var unexplained []string
	equal := 0
	for k, n := range want {
		if got[k] == n {
			equal++
		}
	}
	keys := maps.Clone(want)
	maps.Copy(keys, got)
	for _, k := range slices.SortedFunc(maps.Keys(keys), func(a, b opsKey) int { return strings.Compare(a.String(), b.String()) }) {
		figures := fmt.Sprintf("%d %d", want[k], got[k])
		reason, listed := explained[k]
		switch {
		case want[k] == got[k] && listed:
			t.Errorf("%s: docs/differences.md lists a difference that is gone", k)
		case want[k] != got[k] && (!listed || reason != figures):
			unexplained = append(unexplained, fmt.Sprintf("| %s | %s | %s | %d | %d | |", k.capture, k.protocol, k.code, want[k], got[k]))
		}
		delete(explained, k)
	}
	for k := range explained {
		t.Errorf("%s: docs/differences.md lists it and neither tshark nor bulkhead counts it", k)
	}
	if len(unexplained) > 0 {
		t.Errorf("%d counts differ from tshark's without an explanation in docs/differences.md:\n%s", len(unexplained), strings.Join(unexplained, "\n"))
	}
	if equal*100 < len(want)*95 {
		t.Errorf("%d of tshark's %d counts are equal, want 95 of 100", equal, len(want))
	}
	t.Logf("%d of tshark's %d counts are equal", equal, len(want))
}

// differences reads the tables of docs/differences.md: the figures of tshark and
// bulkhead, "T B", by capture, protocol and code.
func differences(t *testing.T) map[opsKey]string {
	t.Helper()
	b, err := os.ReadFile(filepath.Join("..", "..", "docs", "differences.md"))
	if err != nil {
		t.Fatal(err)
	}
	out := map[opsKey]string{}
	for _, line := range strings.Split(string(b), "\n") {
		cells := strings.Split(strings.Trim(line, "|"), "|")
		if len(cells) < 6 || !strings.HasPrefix(line, "| captures/") {
			continue
		}
		for i := range cells {
			cells[i] = strings.TrimSpace(cells[i])
		}
		if cells[5] == "" {
			t.Errorf("docs/differences.md: %s %s %s has no reason", cells[0], cells[1], cells[2])
		}
		out[opsKey{cells[0], cells[1], cells[2]}] = cells[3] + " " + cells[4]
	}
	return out
}
