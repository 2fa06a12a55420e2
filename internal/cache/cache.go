package cache

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"time"

	"bulkhead/capture"
	"bulkhead/capture/store"
)

// Limit is how many bytes of results a cache holds; [Cache.Trim] removes those
// that were used longest ago.
const Limit = 1 << 30

// settledAfter is how long before its identity is taken a file must have been
// written to last: the coarsest time stamps in use, those of FAT, are 2 s apart.
const settledAfter = 2 * time.Second

// filesDir is the folder of remembered files, below the cache's.
const filesDir = "files"

// Names of the files in a cache. Nothing else in its folder is ever touched.
var (
	entryName = regexp.MustCompile(`^([0-9a-f]{64})-([0-9a-z-]+)\.parquet$`)
	fileName  = regexp.MustCompile(`^[0-9a-f]+-[0-9a-f]+$`)
	tempName  = regexp.MustCompile(`^\.new-[0-9]+$`)
)

const tempPattern = ".new-*" // of os.CreateTemp: tempName

// Cache is an open cache. Its methods may be called by several goroutines and
// while other processes use the same folder.
type Cache struct {
	dir  string
	made string
}

// Open opens the cache in the folder dir, which it creates where it is missing.
// It holds, and finds, results made by made: small letters, digits and hyphens.
func Open(dir, made string) (*Cache, error) {
	if err := os.MkdirAll(filepath.Join(dir, filesDir), 0o700); err != nil {
		return nil, err
	}
	c := &Cache{dir: dir, made: made}
	if sum := fmt.Sprintf("%064x", 0); !entryName.MatchString(filepath.Base(c.entry(sum))) {
		return nil, fmt.Errorf("%q: expected small letters, digits and hyphens", made)
	}
	return c, nil
}

func (c *Cache) entry(sha256 string) string {
	return filepath.Join(c.dir, sha256+"-"+c.made+".parquet")
}

// remembered is a file as it was when it was read, in JSON.
type remembered struct {
	Identity
	SHA256 string `json:"sha256"`
	Path   string `json:"path"` // that it was last seen under
}

// Lookup returns what the file shows, exactly one capture, or nil if that is not
// known. The capture's path is the one under which it was read then.
func (c *Cache) Lookup(id Identity) *capture.Observations {
	file, err := readFile(filepath.Join(c.dir, filesDir, id.Name()))
	if err != nil || file.Identity != id {
		return nil
	}
	name := c.entry(file.SHA256)
	o, err := readEntry(name, file.SHA256)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil
	case err != nil || o.Captures[0].Bytes != id.Size:
		os.Remove(name) // it is made again
		return nil
	}
	now := time.Now()
	os.Chtimes(name, now, now) // so that Trim knows that it was used; if not, no harm
	return o
}

func readFile(name string) (remembered, error) {
	var file remembered
	b, err := os.ReadFile(name)
	if err != nil {
		return file, err
	}
	return file, json.Unmarshal(b, &file)
}

func readEntry(name, sha256 string) (*capture.Observations, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	o, err := store.Read(f, info.Size())
	if err != nil {
		return nil, err
	}
	if len(o.Captures) != 1 || o.Captures[0].SHA256 != sha256 {
		return nil, errors.New("observations of another capture")
	}
	return o, nil
}

// Keep stores what one capture showed. It must have been read to its end, and o
// must hold that capture only.
func (c *Cache) Keep(o *capture.Observations) error {
	if len(o.Captures) != 1 {
		return fmt.Errorf("%d captures, expected one", len(o.Captures))
	}
	name := c.entry(o.Captures[0].SHA256)
	if !entryName.MatchString(filepath.Base(name)) {
		return fmt.Errorf("SHA-256 %q: expected 64 hexadecimal digits", o.Captures[0].SHA256)
	}
	return c.write(name, func(w io.Writer) error { return store.Write(w, o) })
}

// Remember notes that the file with that identity holds the capture with that
// SHA-256. at is when the identity was taken, which must be before the file was
// read, and it must have been the same after. A file that had been written to
// shortly before at is not remembered.
func (c *Cache) Remember(id Identity, at time.Time, sha256, path string) error {
	if time.Unix(0, id.Modified).Add(settledAfter).After(at) {
		return nil
	}
	return c.write(filepath.Join(c.dir, filesDir, id.Name()), func(w io.Writer) error {
		return json.NewEncoder(w).Encode(remembered{Identity: id, SHA256: sha256, Path: path})
	})
}

// write writes a file whole or not at all, for its owner only.
func (c *Cache) write(name string, fill func(io.Writer) error) (err error) {
	f, err := os.CreateTemp(c.dir, tempPattern)
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			f.Close()
			os.Remove(f.Name())
		}
	}()
	if err := fill(f); err != nil {
		return err
	}
	if err := f.Close(); err != nil {
		return err
	}
	return os.Rename(f.Name(), name)
}
