package main

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"
)

// TestCommittedCaptures: what stands in the repository is what the code makes.
func TestCommittedCaptures(t *testing.T) {
	root := filepath.Join("..", "..", "..")
	for _, set := range []struct {
		folder   string
		captures func() ([]captureFile, error)
		limit    int // bytes of all captures together
	}{
		{"examples/truck-loading/captures", plant, 700_000},
		{"testdata/captures", byProtocol, 100_000},
	} {
		files, err := set.captures()
		if err != nil {
			t.Fatal(err)
		}
		total := 0
		for _, f := range files {
			total += len(f.data)
			name := filepath.Join(root, filepath.FromSlash(set.folder), f.name)
			committed, err := os.ReadFile(name)
			if err != nil {
				t.Error(err)
				continue
			}
			if !bytes.Equal(committed, f.data) {
				t.Errorf("%s differs from what the code makes: run make example", name)
			}
		}
		if total > set.limit {
			t.Errorf("%s: %d bytes, more than the limit of %d", set.folder, total, set.limit)
		}
	}
}
