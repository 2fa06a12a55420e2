package cache

import (
	"cmp"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"time"
)

// Entry is a result that a cache holds.
type Entry struct {
	Capture string    `json:"capture"` // its SHA-256
	Made    string    `json:"made"`    // by what
	Path    string    `json:"path"`    // under which it was last seen; "" if that is not remembered
	Bytes   int64     `json:"bytes"`   // of the result
	Used    time.Time `json:"used"`    // last
}

// List returns what the cache in the folder dir holds, last used first. A folder
// that does not exist holds nothing.
func List(dir string) ([]Entry, error) {
	entries, err := results(dir)
	if err != nil {
		return nil, err
	}
	paths := map[string]string{}
	for _, name := range names(filepath.Join(dir, filesDir), fileName.MatchString) {
		file, err := readFile(name)
		if err != nil {
			continue
		}
		// Of equal files the lowest path, so that two lists do not differ.
		if p, ok := paths[file.SHA256]; !ok || file.Path < p {
			paths[file.SHA256] = file.Path
		}
	}
	for i := range entries {
		entries[i].Path = paths[entries[i].Capture]
	}
	return entries, nil
}

// results lists the results in dir without their paths.
func results(dir string) ([]Entry, error) {
	list, err := os.ReadDir(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	var entries []Entry
	for _, d := range list {
		m := entryName.FindStringSubmatch(d.Name())
		if m == nil {
			continue
		}
		info, err := d.Info()
		if err != nil {
			continue // another process has just removed it
		}
		entries = append(entries, Entry{Capture: m[1], Made: m[2], Bytes: info.Size(), Used: info.ModTime().UTC()})
	}
	slices.SortFunc(entries, func(a, b Entry) int {
		return cmp.Or(b.Used.Compare(a.Used), cmp.Compare(a.Capture, b.Capture), cmp.Compare(a.Made, b.Made))
	})
	return entries, nil
}

// names lists the files in dir whose names fit; none if there is no such folder.
func names(dir string, fits func(string) bool) []string {
	list, _ := os.ReadDir(dir)
	var out []string
	for _, d := range list {
		if fits(d.Name()) {
			out = append(out, filepath.Join(dir, d.Name()))
		}
	}
	return out
}

// Clear empties the cache in the folder dir and returns how many results it held.
// The folder stays, with whatever in it is not the cache's.
func Clear(dir string) (int, error) {
	entries, err := results(dir)
	if err != nil {
		return 0, err
	}
	var problems []error
	for _, e := range entries {
		problems = append(problems, remove(filepath.Join(dir, e.name())))
	}
	for _, name := range names(filepath.Join(dir, filesDir), fileName.MatchString) {
		problems = append(problems, remove(name))
	}
	for _, name := range names(dir, tempName.MatchString) {
		problems = append(problems, remove(name))
	}
	return len(entries), errors.Join(problems...)
}

func (e *Entry) name() string { return e.Capture + "-" + e.Made + ".parquet" }

// remove removes a file that another process may have removed already.
func remove(name string) error {
	if err := os.Remove(name); !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}

// Trim brings the cache down to [Limit]: the results used longest ago go first,
// and with them what is remembered of their files.
func (c *Cache) Trim() error { return c.trim(Limit) }

// abandoned is the age from which a file that is being written is that of a
// process that was ended.
const abandoned = time.Hour

func (c *Cache) trim(limit int64) error {
	for _, name := range names(c.dir, tempName.MatchString) {
		if info, err := os.Stat(name); err == nil && time.Since(info.ModTime()) > abandoned {
			os.Remove(name)
		}
	}
	entries, err := results(c.dir)
	if err != nil {
		return err
	}
	var total int64
	held := map[string]bool{}
	var problems []error
	for _, e := range entries {
		if total += e.Bytes; total > limit {
			problems = append(problems, remove(filepath.Join(c.dir, e.name())))
			continue
		}
		held[e.Capture] = true
	}
	if len(held) == len(entries) {
		return nil
	}
	for _, name := range names(filepath.Join(c.dir, filesDir), fileName.MatchString) {
		if file, err := readFile(name); err != nil || !held[file.SHA256] {
			problems = append(problems, remove(name))
		}
	}
	return errors.Join(problems...)
}
