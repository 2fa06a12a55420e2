package cli

import (
	"bytes"
	"encoding/binary"
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"

	"bulkhead/internal/cache"
	"bulkhead/report"
)

// unread makes a test fail if a capture is read.
func unread(t *testing.T, in *inputs) {
	for _, c := range in.captures {
		c.open = func() (*os.File, error) {
			t.Errorf("%s was opened", c.path)
			return nil, errors.New("not to be opened")
		}
	}
}

// see observes files with the cache in a folder, and returns the JSON. Captures that
// are not to be read are those that the cache must know.
func see(t *testing.T, cacheDir string, known bool, names ...string) string {
	t.Helper()
	in, err := findInputs(os.Stderr, names)
	if err != nil {
		t.Fatal(err)
	}
	if known {
		unread(t, in)
	}
	r := reading{jobs: 2, cacheDir: cacheDir}
	seen, err := r.observe(t.Context(), os.Stderr, in)
	if err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	if err := report.JSON(&b, seen.observations); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// copied copies captures into a folder, as if written an hour ago and large.
func copied(t *testing.T, dir string, names ...string) []string {
	t.Helper()
	then := time.Now().Add(-time.Hour)
	var paths []string
	for i := 0; i < len(names); i += 2 {
		b, err := os.ReadFile(filepath.Join("..", "..", "testdata", "captures", names[i]))
		if err != nil {
			t.Fatal(err)
		}
		path := filepath.Join(dir, names[i+1])
		if err := os.WriteFile(path, padded(b), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Chtimes(path, then, then); err != nil {
			t.Fatal(err)
		}
		paths = append(paths, path)
	}
	return paths
}

// TestCached observes twice, and the second time no capture is opened: not even the
// one of two equal ones that the output does not list.
func TestCached(t *testing.T) {
	paths := copied(t, t.TempDir(), "modbus.pcapng", "b.pcapng", "modbus.pcapng", "c.pcapng", "it-mix.pcapng", "d.pcapng", "enip.pcapng", "e.pcapng")
	dir := filepath.Join(t.TempDir(), "cache")
	first := see(t, dir, false, paths...)
	if again := see(t, dir, true, paths[3], paths[2], paths[1], paths[0]); again != first {
		t.Error("what the cache knows differs from what was read")
	}
	see(t, dir, true, paths[1])

	// The path that is shown depends on what is named, not on what is known.
	more := copied(t, filepath.Dir(paths[0]), "modbus.pcapng", "a.pcapng")
	want := see(t, filepath.Join(t.TempDir(), "new"), false, paths[0], more[0])
	if got := see(t, dir, false, paths[0], more[0]); got != want {
		t.Error("what is known of one of two equal captures changes the output")
	}

	// A file that was written to is read again, even if its size and time are as before.
	info, err := os.Stat(paths[3])
	if err != nil {
		t.Fatal(err)
	}
	b, err := os.ReadFile(paths[3])
	if err != nil {
		t.Fatal(err)
	}
	b[len(b)-5] ^= 1 // in the padding
	if err := os.WriteFile(paths[3], b, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Chtimes(paths[3], info.ModTime(), info.ModTime()); err != nil {
		t.Fatal(err)
	}
	if see(t, dir, false, paths[3]) == see(t, filepath.Join(t.TempDir(), "other"), false, paths[3]) {
		return
	}
	t.Error("a changed capture was not read again")
}

// TestCorruptResult damages what a cache holds in every way that is cheap: the
// capture is read again, and its result is sound after that.
func TestCorruptResult(t *testing.T) {
	paths := copied(t, t.TempDir(), "s7comm.pcapng", "a.pcapng")
	dir := filepath.Join(t.TempDir(), "cache")
	want := see(t, dir, false, paths...)
	entries, err := filepath.Glob(filepath.Join(dir, "*.parquet"))
	if err != nil || len(entries) != 1 {
		t.Fatalf("%v, %v: want one result", entries, err)
	}
	sound, err := os.ReadFile(entries[0])
	if err != nil {
		t.Fatal(err)
	}
	for name, damaged := range map[string][]byte{
		"empty":     {},
		"cut short": sound[:len(sound)/2],
		"no footer": append(bytes.Clone(sound[:len(sound)-8]), 0, 0, 0, 0, 0, 0, 0, 0),
	} {
		if err := os.WriteFile(entries[0], damaged, 0o600); err != nil {
			t.Fatal(err)
		}
		if got := see(t, dir, false, paths...); got != want {
			t.Errorf("%s: what is read again differs", name)
		}
		if got := see(t, dir, true, paths...); got != want {
			t.Errorf("%s: what was kept again differs", name)
		}
	}
	if list, err := cache.List(dir); err != nil || len(list) != 1 {
		t.Errorf("the cache holds %d results, %v, want one", len(list), err)
	}
}

// TestKeepDuplicates counts a frame that was captured twice as one, or as two.
func TestKeepDuplicates(t *testing.T) {
	le := binary.LittleEndian
	b := []byte("\xd4\xc3\xb2\xa1\x02\x00\x04\x00\x00\x00\x00\x00\x00\x00\x00\x00\xff\xff\x00\x00\x01\x00\x00\x00") // pcap, Ethernet
	frame := []byte("\x02\x00\x00\x00\x00\x01\x02\x00\x00\x00\x00\x02\x08\x00" +
		"\x45\x00\x00\x20\x00\x01\x00\x00\x40\x11\x00\x00\x0a\x00\x00\x01\x0a\x00\x00\x02" + // IPv4, 10.0.0.1 to 10.0.0.2
		"\x20\x00\x10\x00\x00\x0c\x00\x00data") // UDP
	for i := range uint32(2) {
		b = le.AppendUint32(b, 1700000000)
		b = le.AppendUint32(b, i)
		b = le.AppendUint32(b, uint32(len(frame)))
		b = le.AppendUint32(b, uint32(len(frame)))
		b = append(b, frame...)
	}
	path := filepath.Join(t.TempDir(), "twice.pcap")
	if err := os.WriteFile(path, b, 0o600); err != nil {
		t.Fatal(err)
	}
	for keep, want := range map[bool]uint64{false: 1, true: 2} {
		in, err := findInputs(os.Stderr, []string{path})
		if err != nil {
			t.Fatal(err)
		}
		r := reading{jobs: 1, noCache: true, keepDuplicates: keep}
		seen, err := r.observe(t.Context(), os.Stderr, in)
		if err != nil {
			t.Fatal(err)
		}
		if c := seen.observations.Conversations; len(c) != 1 || c[0].Packets.Sent != want {
			t.Errorf("kept %v: %+v, want %d packets", keep, c, want)
		}
	}
}
