// Package corpus finds the corpus of real captures that tests hold the decoders
// against. The corpus lies beside the project, in ../shared/corpus, or where the
// environment variable BULKHEAD_CORPUS points; its captures are nobody's to
// redistribute, so none is part of the project, and tests skip without it.
package corpus

import (
	"bytes"
	"compress/gzip"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
)

// Dir returns the corpus's folder. It skips the test if there is none, unless
// CI is set: there a missing corpus is a failure.
func Dir(t testing.TB) string {
	t.Helper()
	dir := folder()
	if _, err := os.Stat(filepath.Join(dir, "index.tsv")); err != nil {
		if os.Getenv("CI") != "" {
			t.Fatalf("no corpus at %s: on CI its tests must run", dir)
		}
		t.Skipf("no corpus at %s (set BULKHEAD_CORPUS to its folder)", dir)
	}
	return dir
}

// folder is where the corpus is, if there is one.
func folder() string {
	if dir := os.Getenv("BULKHEAD_CORPUS"); dir != "" {
		return dir
	}
	_, file, _, _ := runtime.Caller(0)
	return filepath.Join(filepath.Dir(file), "..", "..", "..", "shared", "corpus")
}

// Read returns the bytes of one of the corpus's files, by its path below the
// corpus's folder, unpacked if the corpus keeps it as .gz of the original.
func Read(t testing.TB, path string) []byte {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(Dir(t), filepath.FromSlash(path)))
	if err != nil {
		t.Fatal(err)
	}
	if !strings.HasSuffix(path, ".gz") {
		return b
	}
	z, err := gzip.NewReader(bytes.NewReader(b))
	if err != nil {
		t.Fatal(err)
	}
	plain, err := io.ReadAll(z)
	if err != nil {
		t.Fatal(err)
	}
	return plain
}

// Table returns the rows of one of the corpus's tab-separated files below its
// header line, if it has one, as columns.
func Table(t testing.TB, name string) [][]string {
	t.Helper()
	var rows [][]string
	for i, line := range strings.Split(strings.TrimSuffix(string(Read(t, name)), "\n"), "\n") {
		if i == 0 && strings.HasPrefix(line, "path\t") || line == "" {
			continue
		}
		rows = append(rows, strings.Split(line, "\t"))
	}
	return rows
}
