package golden

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// recorder stands in for a test that is expected to fail.
type recorder struct {
	testing.TB
	failed string
}

func (r *recorder) Helper() {}
func (r *recorder) Errorf(format string, args ...any) {
	r.failed += format
	for _, a := range args {
		if s, ok := a.(string); ok {
			r.failed += s
		}
	}
}

func TestCompare(t *testing.T) {
	t.Setenv("TMPDIR", t.TempDir())
	path := filepath.Join(t.TempDir(), "want.txt")
	if err := os.WriteFile(path, []byte("one\ntwo\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	same := &recorder{TB: t}
	Compare(same, path, []byte("one\ntwo\n"))
	if same.failed != "" {
		t.Errorf("equal bytes failed: %s", same.failed)
	}
	other := &recorder{TB: t}
	Compare(other, path, []byte("one\nzwei\n"))
	if !strings.Contains(other.failed, "-    2  two") || !strings.Contains(other.failed, "+    2  zwei") {
		t.Errorf("differing bytes gave %q", other.failed)
	}
}

func TestDiff(t *testing.T) {
	for _, c := range []struct{ name, want, got, diff string }{
		{"a line more", "a\nb\n", "a\nx\nb\n", "     1  a\n+    2  x\n     3  b\n"},
		{"a line less", "a\nx\nb\n", "a\nb\n", "     1  a\n-    2  x\n     2  b\n"},
		{"no newline at the end", "a\n", "a", "-    1  a\n-    2  \n+    1  a\n"},
	} {
		got := Diff(c.want, c.got)
		if strings.ReplaceAll(got, " ", "") != strings.ReplaceAll(c.diff, " ", "") {
			t.Errorf("%s:\ngot\n%swant\n%s", c.name, got, c.diff)
		}
	}
}
