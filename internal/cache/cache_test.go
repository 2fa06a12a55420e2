package cache

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"bulkhead/capture"
)

// sum is the SHA-256 of the nth capture of a test.
func sum(n int) string { return fmt.Sprintf("%064x", n) }

// shown is what a capture of some bytes shows.
func shown(sha256 string, bytes int64) *capture.Observations {
	o := &capture.Observations{Schema: capture.Schema, Captures: []capture.Capture{{
		Path: "a.pcap", SHA256: sha256, Bytes: bytes, Format: "pcap", Complete: true,
		LinkTypes: []string{}, Errors: []capture.ReadError{}, Ledger: capture.Ledger{Reasons: []capture.Reason{}},
	}}}
	return capture.Merge(o)
}

// written writes a file and says when it was written last.
func written(t *testing.T, name, text string, at time.Time) {
	t.Helper()
	if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Chtimes(name, at, at); err != nil {
		t.Fatal(err)
	}
}

func identify(t *testing.T, name string) Identity {
	t.Helper()
	f, err := os.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	id, ok := Identify(f)
	if !ok {
		t.Skip("files have no identity here")
	}
	return id
}

func open(t *testing.T, dir, made string) *Cache {
	t.Helper()
	c, err := Open(dir, made)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// TestLookup finds what was kept, for the file and the program that it was kept
// for.
func TestLookup(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "new", "cache")
	file := filepath.Join(t.TempDir(), "a.pcap")
	now := time.Now()
	written(t, file, "content", now.Add(-time.Hour))
	id := identify(t, file)
	c := open(t, dir, "r1")
	if c.Lookup(id) != nil {
		t.Error("an empty cache knows a file")
	}
	if err := c.Keep(shown(sum(1), id.Size)); err != nil {
		t.Fatal(err)
	}
	if err := c.Remember(id, now, sum(1), file); err != nil {
		t.Fatal(err)
	}
	if o := c.Lookup(id); o == nil || o.Captures[0].SHA256 != sum(1) || o.Captures[0].Path != "a.pcap" {
		t.Errorf("found %+v, want what was kept", o)
	}
	if open(t, dir, "r2").Lookup(id) != nil || open(t, dir, "r1-keep-duplicates").Lookup(id) != nil {
		t.Error("found what another program, or other options, have made")
	}

	for name, other := range map[string]Identity{
		"device":   {id.Device + 1, id.File, id.Size, id.Modified, id.Changed},
		"file":     {id.Device, id.File + 1, id.Size, id.Modified, id.Changed},
		"size":     {id.Device, id.File, id.Size + 1, id.Modified, id.Changed},
		"modified": {id.Device, id.File, id.Size, id.Modified + 1, id.Changed},
		"changed":  {id.Device, id.File, id.Size, id.Modified, id.Changed + 1},
	} {
		if c.Lookup(other) != nil {
			t.Errorf("found for a file that differs in %q", name)
		}
	}

	// The result is another capture's, or of another size than the file.
	for name, wrong := range map[string]*capture.Observations{"capture": shown(sum(2), id.Size), "size": shown(sum(1), id.Size+1)} {
		if err := c.Keep(wrong); err != nil {
			t.Fatal(err)
		}
		if err := os.Rename(c.entry(wrong.Captures[0].SHA256), c.entry(sum(1))); err != nil {
			t.Fatal(err)
		}
		if c.Lookup(id) != nil {
			t.Errorf("found a result that is wrong in its %s", name)
		}
		if _, err := os.Stat(c.entry(sum(1))); err == nil {
			t.Errorf("a result that is wrong in its %s was not removed", name)
		}
	}
}

// TestIdentityChanges writes to a file, byte for byte as long and dated as before.
func TestIdentityChanges(t *testing.T) {
	file := filepath.Join(t.TempDir(), "a.pcap")
	then := time.Now().Add(-time.Hour)
	written(t, file, "content", then)
	before := identify(t, file)
	if again := identify(t, file); again != before {
		t.Errorf("%+v, then %+v of a file left alone", before, again)
	}
	moved := file + ".moved"
	if err := os.Rename(file, moved); err != nil {
		t.Fatal(err)
	}
	if identify(t, moved).Name() != before.Name() {
		t.Error("a new name makes another file")
	}
	time.Sleep(20 * time.Millisecond) // longer than the step of the system's clock
	written(t, moved, "CONTENT", then)
	if after := identify(t, moved); after == before {
		t.Errorf("%+v of a file that was written to in between", after)
	}
}

// TestNotSettled remembers nothing of a file that was written to just before.
func TestNotSettled(t *testing.T) {
	file := filepath.Join(t.TempDir(), "a.pcap")
	at := time.Now()
	for _, test := range []struct {
		written time.Duration // before at
		known   bool
	}{{settledAfter - time.Millisecond, false}, {settledAfter + time.Millisecond, true}, {-time.Hour, false}} {
		written(t, file, "content", at.Add(-test.written))
		id := identify(t, file)
		c := open(t, t.TempDir(), "r1")
		if err := c.Keep(shown(sum(1), id.Size)); err != nil {
			t.Fatal(err)
		}
		if err := c.Remember(id, at, sum(1), file); err != nil {
			t.Fatal(err)
		}
		if known := c.Lookup(id) != nil; known != test.known {
			t.Errorf("written %s before: known %v, want %v", test.written, known, test.known)
		}
	}
}

// TestTrim removes what was used longest ago, and what is remembered of it.
func TestTrim(t *testing.T) {
	dir := t.TempDir()
	c := open(t, dir, "r1")
	now := time.Now()
	file := filepath.Join(t.TempDir(), "a.pcap")
	var one int64
	for n := range 4 {
		if err := c.Keep(shown(sum(n), 7)); err != nil {
			t.Fatal(err)
		}
		info, err := os.Stat(c.entry(sum(n)))
		if err != nil {
			t.Fatal(err)
		}
		one = max(one, info.Size())
		used := now.Add(time.Duration(n-10) * time.Minute)
		if err := os.Chtimes(c.entry(sum(n)), used, used); err != nil {
			t.Fatal(err)
		}
		id := Identity{Device: 1, File: uint64(n), Size: 7}
		if err := c.Remember(id, now, sum(n), file); err != nil {
			t.Fatal(err)
		}
	}
	if c.Lookup(Identity{Device: 1, File: 0, Size: 7}) == nil { // the oldest, which is used now
		t.Fatal("the first is not found")
	}
	abandonedFile := filepath.Join(dir, ".new-123")
	written(t, abandonedFile, "half a res", now.Add(-2*abandoned))
	inUse := filepath.Join(dir, ".new-124")
	written(t, inUse, "half a res", now)
	if err := c.trim(2 * one); err != nil {
		t.Fatal(err)
	}
	entries, err := List(dir)
	if err != nil {
		t.Fatal(err)
	}
	var left []string
	for _, e := range entries {
		left = append(left, strings.TrimLeft(e.Capture, "0"))
		if e.Path != file || e.Made != "r1" || e.Bytes == 0 {
			t.Errorf("listed as %+v", e)
		}
	}
	if want := []string{"", "3"}; !slices.Equal(left, want) {
		t.Errorf("left are %q, want the last used, %q", left, want)
	}
	if remembered := names(filepath.Join(dir, filesDir), fileName.MatchString); len(remembered) != 2 {
		t.Errorf("%d files are remembered, want 2: %v", len(remembered), remembered)
	}
	if _, err := os.Stat(abandonedFile); err == nil {
		t.Error("what a process left behind was not removed")
	}
	if _, err := os.Stat(inUse); err != nil {
		t.Error("what a process is writing was removed")
	}
}

// TestClear removes what is the cache's, and nothing else.
func TestClear(t *testing.T) {
	dir := t.TempDir()
	c := open(t, dir, "r1")
	if err := c.Keep(shown(sum(1), 7)); err != nil {
		t.Fatal(err)
	}
	if err := c.Remember(Identity{Device: 1}, time.Now(), sum(1), "a.pcap"); err != nil {
		t.Fatal(err)
	}
	mine := []string{"plant.parquet", filepath.Join(filesDir, "notes.txt"), "readme", ".new-x"}
	for _, name := range mine {
		written(t, filepath.Join(dir, name), "mine", time.Now())
	}
	if n, err := Clear(dir); n != 1 || err != nil {
		t.Errorf("%d results removed, error %v, want one", n, err)
	}
	var left []string
	for _, pattern := range []string{"*", filesDir + "/*"} {
		m, err := filepath.Glob(filepath.Join(dir, pattern))
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range m {
			rel, err := filepath.Rel(dir, name)
			if err != nil {
				t.Fatal(err)
			}
			if rel != filesDir && rel != "." && rel != ".." {
				left = append(left, rel)
			}
		}
	}
	slices.Sort(left)
	slices.Sort(mine)
	if !slices.Equal(left, mine) {
		t.Errorf("left are %q, want %q", left, mine)
	}
	if n, err := Clear(filepath.Join(dir, "nowhere")); n != 0 || err != nil {
		t.Errorf("a cache that does not exist: %d results removed, error %v", n, err)
	}
}

// TestOwnerOnly wants a cache that others on the machine cannot read.
func TestOwnerOnly(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "cache")
	c := open(t, dir, "r1")
	if err := c.Keep(shown(sum(1), 7)); err != nil {
		t.Fatal(err)
	}
	if err := c.Remember(Identity{Device: 1}, time.Now(), sum(1), "a.pcap"); err != nil {
		t.Fatal(err)
	}
	if os.PathSeparator == '\\' {
		t.Skip("Windows keeps no such permissions: a user's cache folder is theirs already")
	}
	for name, want := range map[string]os.FileMode{dir: 0o700, filepath.Join(dir, filesDir): 0o700, c.entry(sum(1)): 0o600, filepath.Join(dir, filesDir, "1-0"): 0o600} {
		info, err := os.Stat(name)
		if err != nil {
			t.Fatal(err)
		}
		if got := info.Mode().Perm(); got != want {
			t.Errorf("%s has mode %o, want %o", name, got, want)
		}
	}
}

// TestAtOnce keeps, finds and trims in many goroutines, as processes would.
func TestAtOnce(t *testing.T) {
	dir := t.TempDir()
	now := time.Now()
	var wait sync.WaitGroup
	for range 4 {
		wait.Go(func() {
			c, err := Open(dir, "r1")
			if err != nil {
				t.Error(err)
				return
			}
			for n := range 20 {
				id := Identity{Device: 1, File: uint64(n), Size: 7}
				if err := c.Keep(shown(sum(n), 7)); err != nil {
					t.Error(err)
				}
				if err := c.Remember(id, now, sum(n), "a.pcap"); err != nil {
					t.Error(err)
				}
				if o := c.Lookup(id); o != nil && o.Captures[0].SHA256 != sum(n) {
					t.Errorf("capture %d: found %s", n, o.Captures[0].SHA256)
				}
				if err := c.trim(5 << 10); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wait.Wait()
	if _, err := List(dir); err != nil {
		t.Error(err)
	}
}

// TestNames refuses what would leave the folder or hide from Clear.
func TestNames(t *testing.T) {
	for _, made := range []string{"", "R1", "../r1", "r1.parquet", "a b"} {
		if _, err := Open(t.TempDir(), made); err == nil {
			t.Errorf("made by %q: no error", made)
		}
	}
	c := open(t, t.TempDir(), "r1")
	for _, sha256 := range []string{"", "../" + sum(1)[3:], strings.ToUpper(fmt.Sprintf("%064x", 0xa))} {
		if err := c.Keep(shown(sha256, 7)); err == nil {
			t.Errorf("SHA-256 %q: no error", sha256)
		}
	}
	if err := c.Keep(capture.Merge()); err == nil {
		t.Error("no capture: no error")
	}
}

// TestEngine wants one name that Open takes.
func TestEngine(t *testing.T) {
	a, err := Engine()
	if err != nil {
		t.Fatal(err)
	}
	b, _ := Engine()
	if a != b || len(a) != 17 {
		t.Errorf("%q, then %q", a, b)
	}
	open(t, t.TempDir(), a)
}
