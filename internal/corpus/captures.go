package corpus

import (
	"bytes"
	"cmp"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"testing"
)

// Capture is one capture of the corpus, a row of its index.tsv.
type Capture struct {
	Path    string // below the corpus's folder, with slashes
	File    string // where it lies on this machine
	Packets string // as capinfos counted them; not always a number
}

// Captures lists all captures of the corpus, or under go test -short every tenth.
func Captures(t testing.TB) []Capture {
	t.Helper()
	dir := Dir(t)
	var all []Capture
	for i, row := range Table(t, "index.tsv") {
		if testing.Short() && i%10 != 0 {
			continue
		}
		all = append(all, Capture{row[0], filepath.Join(dir, filepath.FromSlash(row[0])), row[3]})
	}
	return all
}

// Smallest returns the smallest captures of the corpus, at most n, as seeds of
// fuzz targets; none where there is no corpus.
func Smallest(t testing.TB, n int) [][]byte {
	t.Helper()
	if _, err := os.Stat(filepath.Join(folder(), "index.tsv")); err != nil {
		return nil
	}
	rows := Table(t, "index.tsv")
	size := func(row []string) int { n, _ := strconv.Atoi(row[2]); return n }
	slices.SortStableFunc(rows, func(a, b []string) int { return cmp.Compare(size(a), size(b)) })
	var files [][]byte
	for _, row := range rows[:min(n, len(rows))] {
		files = append(files, Read(t, row[0]))
	}
	return files
}

// Open returns a way to read a file that is held in memory, as often as wanted.
func Open(file []byte) func() (io.ReadCloser, error) {
	return func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(file)), nil }
}
