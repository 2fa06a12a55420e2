package golden

import (
	"bytes"
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "write golden files instead of comparing with them")

// Updating reports whether expected output is to be rewritten rather than compared.
func Updating() bool { return *update }

// Compare fails the test unless got equals the file at path, which is relative
// to the package under test. What it got is then written to a temporary folder,
// never beside the sources. With -update it writes the file instead.
func Compare(t testing.TB, path string, got []byte) {
	t.Helper()
	if *update {
		if err := write(path, got); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		t.Fatalf("%s: there is no such golden file; run the test with -update and read what it writes", path)
	}
	if err != nil {
		t.Fatal(err)
	}
	if bytes.Equal(want, got) {
		return
	}
	t.Errorf("%s differs (- golden, + got):\n%s%s", path, Diff(string(want), string(got)), keep(path, got))
}

func write(path string, b []byte) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	return os.WriteFile(path, b, 0o644)
}

// keep stores got where it outlives the test and says where.
func keep(path string, got []byte) string {
	f, err := os.CreateTemp("", "golden-*-"+filepath.Base(path))
	if err != nil {
		return fmt.Sprintf("what it got could not be kept: %v", err)
	}
	defer f.Close()
	if _, err := f.Write(got); err != nil {
		return fmt.Sprintf("what it got could not be kept: %v", err)
	}
	return "all of what it got: " + f.Name()
}

// maxDiff is how many differing lines Diff shows, and context how many equal
// ones around them.
const (
	maxDiff = 40
	context = 2
)

// Diff returns the lines in which two texts differ between their common start
// and end, a few equal ones around them, each line with its number.
func Diff(want, got string) string {
	a, b := strings.SplitAfter(want, "\n"), strings.SplitAfter(got, "\n")
	start := 0
	for start < len(a) && start < len(b) && a[start] == b[start] {
		start++
	}
	end := 0
	for end < len(a)-start && end < len(b)-start && a[len(a)-1-end] == b[len(b)-1-end] {
		end++
	}
	var out strings.Builder
	line := func(mark byte, n int, text string) {
		fmt.Fprintf(&out, "%c %4d  %s\n", mark, n+1, strings.TrimSuffix(text, "\n"))
	}
	for i := max(0, start-context); i < start; i++ {
		line(' ', i, a[i])
	}
	block := func(mark byte, lines []string) {
		for i, l := range lines[start : len(lines)-end] {
			if i == maxDiff {
				fmt.Fprintf(&out, "%c       and %d more lines\n", mark, len(lines)-end-start-i)
				return
			}
			line(mark, start+i, l)
		}
	}
	block('-', a)
	block('+', b)
	for i := len(b) - end; i < min(len(b), len(b)-end+context); i++ {
		if b[i] != "" {
			line(' ', i, b[i])
		}
	}
	return out.String()
}
