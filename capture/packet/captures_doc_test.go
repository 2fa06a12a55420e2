package packet

import (
	"bytes"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"

	"bulkhead/capture/pcap"
	"bulkhead/internal/corpus"
)

// linkRow is a row of the table of link types in docs/captures.md.
type linkRow struct {
	link       pcap.LinkType
	name, read string
	outcomes   string // frames of the corpus by outcome, in the table's order, "" for none
}

// linkTable reads the table.
func linkTable(t *testing.T) []linkRow {
	t.Helper()
	doc, err := os.ReadFile("../../docs/captures.md")
	if err != nil {
		t.Fatal(err)
	}
	_, section, found := strings.Cut(string(doc), "\n## Link types and encapsulations\n")
	if !found {
		t.Fatal("docs/captures.md has no section on link types")
	}
	section, _, _ = strings.Cut(section, "\n## ")
	var rows []linkRow
	for line := range strings.Lines(section) {
		cells := strings.Split(strings.Trim(strings.TrimSpace(line), "|"), "|")
		for i := range cells {
			cells[i] = strings.TrimSpace(cells[i])
		}
		n, err := strconv.Atoi(cells[0])
		if err != nil || len(cells) != 11 {
			continue
		}
		rows = append(rows, linkRow{pcap.LinkType(n), cells[1], cells[2], strings.TrimSpace(strings.Join(cells[3:], " "))})
	}
	return rows
}

// TestLinkTable holds the table against the code: every link type that is read
// has a row that says how, every other row says that it is not, and the names are
// those of the registry.
func TestLinkTable(t *testing.T) {
	const notRead = "not read"
	listed := map[pcap.LinkType]bool{}
	for _, r := range linkTable(t) {
		if listed[r.link] {
			t.Errorf("link type %d is listed twice", r.link)
		}
		listed[r.link] = true
		if name := pcap.LinkName(r.link); r.name != name {
			t.Errorf("link type %d is listed as %q, expected %q", r.link, r.name, name)
		}
		var p Packet
		if unknown := p.Parse(r.link, 0, nil) == UnknownLink; unknown != strings.HasPrefix(r.read, notRead) {
			t.Errorf("link type %d is listed as %q, and is read: %t", r.link, r.read, !unknown)
		}
	}
	for n := range 1 << 16 {
		var p Packet
		if p.Parse(pcap.LinkType(n), 0, nil) != UnknownLink && !listed[pcap.LinkType(n)] {
			t.Errorf("link type %d is read and not listed", n)
		}
	}
}

// TestLinkTableFigures holds the figures of the table against the corpus.
func TestLinkTableFigures(t *testing.T) {
	got := map[pcap.LinkType]*[Malformed + 1]int{}
	var p Packet
	for _, row := range corpus.Table(t, "index.tsv") {
		r, err := pcap.NewReader(bytes.NewReader(corpus.Read(t, row[0])))
		if err != nil {
			continue
		}
		for {
			f, err := r.Next()
			if _, damage := err.(*pcap.DamageError); damage {
				continue
			}
			if err != nil {
				break
			}
			if got[f.Link] == nil {
				got[f.Link] = new([Malformed + 1]int)
			}
			got[f.Link][p.Parse(f.Link, f.Length, f.Data)]++
		}
	}
	for _, r := range linkTable(t) {
		want := ""
		if o := got[r.link]; o != nil {
			sum := 0
			for _, n := range o {
				sum += n
			}
			want = fmt.Sprint(sum, o[Decoded], o[OtherL2], o[OtherIP], o[Fragment], o[Truncated], o[Malformed], o[UnknownLink])
		}
		if r.outcomes != want {
			t.Errorf("link type %d, by outcome %q, listed as %q", r.link, strings.ReplaceAll(want, " ", " | "), r.outcomes)
		}
		delete(got, r.link)
	}
	var missing []pcap.LinkType
	for link := range got {
		missing = append(missing, link)
	}
	slices.Sort(missing)
	for _, link := range missing {
		t.Errorf("link type %d is in the corpus and not listed: by outcome %v", link, *got[link])
	}
}
