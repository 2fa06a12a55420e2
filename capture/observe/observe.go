package observe

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"

	"bulkhead/capture"
	"bulkhead/capture/protocol"
)

// Input is a capture file to be read.
type Input struct {
	Path string // as it is to be named
	Open func() (io.ReadCloser, error)
	Size int64 // in bytes; 0 if it is not known
}

// Options say how to observe; the zero value will do.
type Options struct {
	// Jobs is how many cores to use, in one large file as well as across files;
	// 0 for all.
	Jobs int
	// KeepDuplicates counts a frame that was captured twice as two.
	KeepDuplicates bool
	// Progress, if not nil, is told now and then how far it is. It is never
	// called by two goroutines at a time.
	Progress func(Progress)
}

// InterruptedError says that the context ended before all inputs were read.
type InterruptedError struct {
	Cause  error
	Unread []string // paths of inputs that were not begun
}

func (e *InterruptedError) Error() string { return "stopped: " + e.Cause.Error() }

// Unwrap returns the context's error.
func (e *InterruptedError) Unwrap() error { return e.Cause }

func (e *InterruptedError) err() error {
	if e == nil {
		return nil
	}
	return e
}

// Observe reads all inputs and returns what they show. The result depends on
// neither the order of the inputs nor the number of jobs; of equal files, the
// one with the lowest path is kept.
//
// A capture in a format that is not read is listed without frames. The error
// names every input that could not be read or is no capture; nothing else is
// returned then. If the context ends, what was found so far is returned together
// with an [*InterruptedError]; a capture that was begun is then one that was not
// read to its end, and its SHA-256 is that of its first Bytes.
func Observe(ctx context.Context, inputs []Input, opts Options) (*capture.Observations, error) {
	return observe(ctx, inputs, opts, newRegistry(protocol.All()), &fileLimits, splitFrom)
}

// splitFrom is how large a file must be, in bytes, to be worth more than one
// core.
const splitFrom = 8 << 20

func observe(ctx context.Context, inputs []Input, opts Options, r *registry, l *limits, split int64) (*capture.Observations, error) {
	jobs := opts.Jobs
	if jobs <= 0 {
		jobs = runtime.GOMAXPROCS(0)
	}
	run := run{
		registry: r, limits: l, split: split, keepDuplicates: opts.KeepDuplicates, jobs: jobs,
		cores: make(cores, jobs), files: newPlaces(jobs), progress: newProgress(inputs, opts.Progress),
	}
	parts := make([]*capture.Observations, len(inputs))
	errs := make([]error, len(inputs))
	var next atomic.Int64
	var wait sync.WaitGroup
	for range min(jobs, len(inputs)) {
		wait.Go(func() {
			for i := int(next.Add(1)) - 1; i < len(inputs); i = int(next.Add(1)) - 1 {
				parts[i], errs[i] = run.file(ctx, inputs[i])
				run.progress.file()
			}
		})
	}
	wait.Wait()
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	var stopped *InterruptedError
	if err := ctx.Err(); err != nil {
		stopped = &InterruptedError{Cause: err}
		for i, in := range inputs {
			if parts[i] == nil {
				stopped.Unread = append(stopped.Unread, in.Path)
			}
		}
		parts = slices.DeleteFunc(parts, func(o *capture.Observations) bool { return o == nil })
	}
	if len(parts) == 1 {
		parts[0].Sort()
		return parts[0], stopped.err()
	}
	// Merge keeps the first of equal files.
	slices.SortStableFunc(parts, func(a, b *capture.Observations) int {
		return cmp.Compare(a.Captures[0].Path, b.Captures[0].Path)
	})
	return capture.Merge(parts...), stopped.err()
}

// named puts the path in front of an error that does not have it.
func named(path string, err error) error {
	var at *fs.PathError
	if errors.As(err, &at) {
		err = at.Err
	}
	return fmt.Errorf("capture %q: %w", path, err)
}
