package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"

	"bulkhead/capture"
	"bulkhead/internal/lab/hostile"
)

type hostileOptions struct {
	only  string
	scale float64
}

// memory runs bulkhead on each hostile stream, through a pipe, and holds its
// memory and its count of frames against what is promised.
func memory(ctx context.Context, w io.Writer, o hostileOptions) (err error) {
	folder, err := os.MkdirTemp("", "bulkhead-bench-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(folder)) }()
	bulkhead, err := build(ctx, folder, "cmd/bulkhead")
	if err != nil {
		return err
	}
	least, err := floor(ctx)
	if err != nil {
		return err
	}
	rows := [][]string{{"stream", "what", "length", "frames", "seconds", "peak MiB", "within"}}
	var failed []error
	for _, s := range hostile.All() {
		if o.only != "" && o.only != s.Name {
			continue
		}
		length := max(1, int64(float64(s.Full)*o.scale))
		fmt.Fprintf(os.Stderr, "bench: %s, %d %s\n", s.Name, length, s.Unit)
		u, seen, err := observeStream(ctx, bulkhead, s, length)
		if ctx.Err() != nil {
			return ctx.Err()
		}
		want := s.Frames(length)
		switch {
		case err != nil:
		case seen.Frames != want || seen.Ledger.Sum() != want:
			err = fmt.Errorf("%d frames read, %d in the ledger, want %d of both", seen.Frames, seen.Ledger.Sum(), want)
		case u.peak > hostile.MaxMemory:
			err = fmt.Errorf("peak of %d MiB, want at most %d", u.peak>>20, hostile.MaxMemory>>20)
		}
		within := "yes"
		if err != nil {
			within = "no"
			failed = append(failed, fmt.Errorf("%s: %w", s.Name, err))
		}
		rows = append(rows, []string{s.Name, s.What, fmt.Sprintf("%d %s", length, s.Unit), fmt.Sprint(seen.Frames), seconds(u.took),
			mebibytes(u.peak, least), within})
	}
	if len(rows) == 1 {
		return fmt.Errorf("stream %q: there is none of that name", o.only)
	}
	if err := table(w, 2, rows); err != nil {
		return err
	}
	return errors.Join(failed...)
}

// observeStream has bulkhead observe a stream and returns what it says of the
// capture.
func observeStream(ctx context.Context, bulkhead string, s hostile.Stream, length int64) (usage, capture.Capture, error) {
	in := s.Open(length)
	defer in.Close()
	read, write := io.Pipe()
	type answer struct {
		capture capture.Capture
		err     error
	}
	answered := make(chan answer, 1)
	go func() {
		c, err := firstCapture(read)
		io.Copy(io.Discard, read) // so that bulkhead can finish
		answered <- answer{c, err}
	}()
	const incomplete = 3 // a table was full, and bulkhead says so
	u, err := process(ctx, in, write, nil, []int{incomplete}, bulkhead, "observe", "--format", "json", "/dev/stdin")
	write.Close()
	a := <-answered
	if err == nil {
		err = a.err
	}
	return u, a.capture, err
}

// firstCapture reads observations as JSON up to the first of the captures, and
// no further: the rest may be large.
func firstCapture(r io.Reader) (capture.Capture, error) {
	var c capture.Capture
	d := json.NewDecoder(r)
	for {
		token, err := d.Token()
		if err != nil {
			return c, err
		}
		if token == "captures" {
			break
		}
	}
	if _, err := d.Token(); err != nil { // the list begins
		return c, err
	}
	return c, d.Decode(&c)
}
