package main

import (
	"bufio"
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime/pprof"
	"slices"
	"strconv"
	"strings"

	"bulkhead/capture/observe"
	"bulkhead/internal/lab/plantmix"
)

// profileRuns is how often the capture is observed: the profiler takes only 100
// samples a second.
const profileRuns = 5

// profile observes a capture in this process and says by package and by function
// where the time went. Without a path it is real captures strung together, or the
// generated capture where there are none.
func profile(ctx context.Context, w io.Writer, path string, s strung, to string) (err error) {
	title := filepath.Base(path)
	if path == "" {
		folder, failed := workFolder()
		if failed != nil {
			return failed
		}
		defer func() { err = errors.Join(err, os.RemoveAll(folder)) }()
		path, title = filepath.Join(folder, "capture.pcap"), "Real captures strung together"
		failed = s.write(ctx, path)
		if errors.Is(failed, errSkipped) {
			title = "Generated plant"
			_, failed = writePlant(path, plantmix.DefaultFrames)
		}
		if failed != nil {
			return failed
		}
	}
	info, err := os.Stat(path)
	if err != nil {
		return err
	}
	if err := readAll([]string{path}); err != nil { // into the page cache
		return err
	}
	if err := os.MkdirAll(filepath.Dir(to), 0o755); err != nil {
		return err
	}
	out, err := os.Create(to)
	if err != nil {
		return err
	}
	defer out.Close()
	if err := pprof.StartCPUProfile(out); err != nil {
		return err
	}
	for range profileRuns {
		_, err = observe.Observe(ctx, []observe.Input{{Path: path, Size: info.Size(),
			Open: func() (io.ReadCloser, error) { return os.Open(path) }}}, observe.Options{})
		if err != nil {
			break
		}
	}
	pprof.StopCPUProfile()
	if err != nil {
		return err
	}
	top, err := exec.CommandContext(ctx, "go", "tool", "pprof", "-top", "-nodecount=0", "-nodefraction=0", to).Output()
	if err != nil {
		return fmt.Errorf("go tool pprof: %w", err)
	}
	functions := parseTop(top)
	fmt.Fprintf(w, "Machine: %s.\n\n%s, %.0f MB:\n\n", machine(), title, float64(info.Size())/1e6)
	return printProfile(w, functions)
}

// function is a line of pprof's list: shares are in percent.
type function struct {
	name       string
	flat, with float64 // in itself; with what it calls
}

// parseTop reads the lines "flat flat% sum% cum cum% name" of pprof -top.
func parseTop(text []byte) []function {
	var list []function
	for s := bufio.NewScanner(bytes.NewReader(text)); s.Scan(); {
		f := strings.Fields(s.Text())
		if len(f) < 6 || !strings.HasSuffix(f[1], "%") {
			continue
		}
		flat, err1 := strconv.ParseFloat(strings.TrimSuffix(f[1], "%"), 64)
		with, err2 := strconv.ParseFloat(strings.TrimSuffix(f[4], "%"), 64)
		if err1 == nil && err2 == nil {
			name := strings.TrimSuffix(strings.Join(f[5:], " "), " (inline)")
			list = append(list, function{name, flat, with})
		}
	}
	return list
}

// packageOf returns the package of a function as the linker names it. Only parts
// of the runtime written in assembly have none in their names.
func packageOf(name string) string {
	name, _, _ = strings.Cut(name, "[") // type arguments may hold anything
	slash := strings.LastIndexByte(name, '/') + 1
	dot := strings.IndexByte(name[slash:], '.')
	if dot < 0 {
		return "runtime"
	}
	return name[:slash+dot]
}

// shortName leaves the type arguments of a function out: they take lines.
func shortName(name string) string {
	front, _, generic := strings.Cut(name, "[go.shape.")
	if generic {
		return front + "[…]"
	}
	return name
}

// minShare is the least share that a table mentions, in percent.
const minShare = 1.0

// printProfile prints the share of each package with the function that takes most
// of it, then the functions that take most.
func printProfile(w io.Writer, functions []function) error {
	type share struct {
		pkg   string
		flat  float64
		heavy function
	}
	var shares []*share
	byName := map[string]*share{}
	for _, f := range functions {
		pkg := packageOf(f.name)
		s := byName[pkg]
		if s == nil {
			s = &share{pkg: pkg}
			byName[pkg] = s
			shares = append(shares, s)
		}
		s.flat += f.flat
		if f.flat > s.heavy.flat {
			s.heavy = f
		}
	}
	slices.SortStableFunc(shares, func(a, b *share) int { return cmp.Compare(b.flat, a.flat) })
	rows := [][]string{{"package", "its heaviest function", "share %"}}
	var rest float64
	for _, s := range shares {
		if s.flat < minShare {
			rest += s.flat
			continue
		}
		rows = append(rows, []string{s.pkg, "`" + strings.TrimPrefix(shortName(s.heavy.name), s.pkg+".") + "`", fmt.Sprintf("%.1f", s.flat)})
	}
	rows = append(rows, []string{"all others", "", fmt.Sprintf("%.1f", rest)})
	if err := table(w, 2, rows); err != nil {
		return err
	}
	const most = 12
	slices.SortStableFunc(functions, func(a, b function) int { return cmp.Compare(b.flat, a.flat) })
	rows = [][]string{{"function", "in itself %", "with what it calls %"}}
	for _, f := range functions[:min(most, len(functions))] {
		rows = append(rows, []string{"`" + shortName(f.name) + "`", fmt.Sprintf("%.1f", f.flat), fmt.Sprintf("%.1f", f.with)})
	}
	fmt.Fprintln(w)
	return table(w, 1, rows)
}
