package cli

import (
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"bulkhead/internal/golden"
)

// TestMain gives the tests a cache of their own: the user's is not theirs to fill.
func TestMain(m *testing.M) {
	testscript.Main(ownCache{m}, map[string]func(){
		"bulkhead": func() { os.Exit(Run(os.Args[1:], os.Stdout, os.Stderr)) },
	})
}

// ownCache runs tests with a cache that is removed after them.
type ownCache struct{ *testing.M }

// Run implements testscript.TestingM.
func (m ownCache) Run() int {
	dir, err := os.MkdirTemp("", "bulkhead-cache-")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(dir)
	os.Setenv("BULKHEAD_CACHE", dir)
	return m.M.Run()
}

// TestScripts runs the scripts of testdata/script: one behaviour of the command
// line each. They find the examples in $EXAMPLES and captures in $CAPTURES.
//
// Besides testscript's own commands they have
//
//	exits CODE bulkhead ARG...   run it and want that exit code
//	cut FILE N                   keep the first N bytes of FILE
//	pad FILE...                  put so much behind a pcapng file that its result is worth keeping
//	age FILE...                  make FILE look as if it had been written an hour ago
//	mode OCTAL FILE...           want files and folders to have these permissions
func TestScripts(t *testing.T) {
	root, err := filepath.Abs(filepath.Join("..", ".."))
	if err != nil {
		t.Fatal(err)
	}
	testscript.Run(t, testscript.Params{
		Dir:                 filepath.Join(root, "testdata", "script"),
		RequireExplicitExec: true,
		UpdateScripts:       golden.Updating(),
		Cmds: map[string]func(ts *testscript.TestScript, neg bool, args []string){
			"exits": exits,
			"cut":   cut,
			"pad":   pad,
			"age":   age,
			"mode":  mode,
		},
		Setup: func(env *testscript.Env) error {
			env.Setenv("EXAMPLES", filepath.Join(root, "examples"))
			env.Setenv("CAPTURES", filepath.Join(root, "testdata", "captures"))
			env.Setenv("BULKHEAD_CACHE", filepath.Join(env.WorkDir, ".cache"))
			env.Setenv("SOURCE_DATE_EPOCH", "1796083200") // 2026-12-01
			return nil
		},
	})
}

func exits(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: exits CODE COMMAND ARG...")
	}
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	got := 0
	var failed *exec.ExitError
	if err := ts.Exec(args[1], args[2:]...); errors.As(err, &failed) {
		got = failed.ExitCode()
	} else {
		ts.Check(err)
	}
	if got != want {
		ts.Fatalf("exit code %d, want %d", got, want)
	}
}

func cut(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: cut FILE N")
	}
	n, err := strconv.ParseInt(args[1], 10, 64)
	ts.Check(err)
	ts.Check(os.Truncate(ts.MkAbs(args[0]), n))
}

func pad(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) == 0 {
		ts.Fatalf("usage: pad FILE...")
	}
	for _, name := range args {
		b, err := os.ReadFile(ts.MkAbs(name))
		ts.Check(err)
		ts.Check(os.WriteFile(ts.MkAbs(name), padded(b), 0o666))
	}
}

// padded returns a pcapng file, of little-endian sections, with a custom block of
// zeros behind it: as large as is worth keeping in the cache, and more.
//
// Source: draft-ietf-opsawg-pcapng, 4.8; the enterprise number is that of examples
// (RFC 5612).
func padded(capture []byte) []byte {
	le := binary.LittleEndian
	block := make([]byte, worthKeeping+worthKeeping/2)
	le.PutUint32(block, 0xbad)
	le.PutUint32(block[4:], uint32(len(block)))
	le.PutUint32(block[8:], 32473)
	le.PutUint32(block[len(block)-4:], uint32(len(block)))
	return append(slices.Clip(capture), block...)
}

func age(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) == 0 {
		ts.Fatalf("usage: age FILE...")
	}
	for _, name := range args {
		then := time.Now().Add(-time.Hour)
		ts.Check(os.Chtimes(ts.MkAbs(name), then, then))
	}
}

func mode(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: mode OCTAL FILE...")
	}
	for _, name := range args[1:] {
		info, err := os.Stat(ts.MkAbs(name))
		ts.Check(err)
		if got := fmt.Sprintf("%04o", info.Mode().Perm()); got != args[0] {
			ts.Fatalf("%s has mode %s, want %s", name, got, args[0])
		}
	}
}
