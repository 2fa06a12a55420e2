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
	"bulkhead/capture/pcap"
	"bulkhead/capture/protocol"
)

// Input is a capture file to be read.
type Input struct {
	Path string // as it is to be named
	Open func() (io.ReadCloser, error)
	Size int64 // in bytes, for progress only; 0 if it is not known
}

// Options say how to observe; the zero value will do.
type Options struct {
	Jobs int // files read at a time; 0 for one a core
	// Progress, if not nil, is told now and then how many of total bytes and how
	// many frames were read. It is never called by two goroutines at a time.
	Progress func(read, total int64, frames uint64)
}

// Observe reads all inputs and returns what they show. The result depends on
// neither the order of the inputs nor the number of jobs; of equal files, the
// one with the lowest path is kept.
//
// A capture in a format that is not read is listed without frames. The error
// names every input that could not be read or is no capture; nothing else is
// returned then.
func Observe(ctx context.Context, inputs []Input, opts Options) (*capture.Observations, error) {
	return observe(ctx, inputs, opts, newRegistry(protocol.All()), fileLimits)
}

func observe(ctx context.Context, inputs []Input, opts Options, r *registry, l limits) (*capture.Observations, error) {
	jobs := opts.Jobs
	if jobs <= 0 {
		jobs = runtime.GOMAXPROCS(0)
	}
	p := newProgress(inputs, opts.Progress)
	parts := make([]*capture.Observations, len(inputs))
	errs := make([]error, len(inputs))
	var next atomic.Int64
	var wait sync.WaitGroup
	for range min(jobs, len(inputs)) {
		wait.Go(func() {
			for i := int(next.Add(1)) - 1; i < len(inputs); i = int(next.Add(1)) - 1 {
				parts[i], errs[i] = observeFile(ctx, inputs[i], newEngine(r, l), p)
			}
		})
	}
	wait.Wait()
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	// Merge keeps the first of equal files.
	slices.SortStableFunc(parts, func(a, b *capture.Observations) int {
		return cmp.Compare(a.Captures[0].Path, b.Captures[0].Path)
	})
	return capture.Merge(parts...), nil
}

// countEvery is how many frames are read between two looks at the context and two
// counts for the progress.
const countEvery = 4096

// observeFile reads one file.
func observeFile(ctx context.Context, in Input, e *engine, p *progress) (_ *capture.Observations, err error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	file, err := in.Open()
	if err != nil {
		return nil, named(in.Path, err)
	}
	defer file.Close()
	src := newSource(interruptible{ctx, file}, p.read)
	o := &capture.Observations{Schema: capture.Schema, Captures: []capture.Capture{{Path: in.Path, Errors: []capture.ReadError{}}}}
	c := &o.Captures[0]
	err = e.readAll(ctx, src, c, p)
	if err == nil {
		// The sum is over the whole file, whatever the reader made of it.
		_, err = io.Copy(io.Discard, src)
	}
	c.SHA256, c.Bytes = src.Sum(), src.bytes
	if err != nil {
		return nil, named(in.Path, err)
	}
	e.finish(o, 0)
	return o, nil
}

// readAll takes all frames of a file. Damage goes into c; the error says that
// the file could not be read or is no capture.
func (e *engine) readAll(ctx context.Context, src *source, c *capture.Capture, p *progress) error {
	r, err := pcap.NewReader(src)
	var format *pcap.FormatError
	switch {
	case errors.Is(err, pcap.ErrNotCapture) && src.bytes == 0:
		// What a full disk leaves of a capture that had only been opened.
		c.Errors = append(c.Errors, capture.ReadError{What: "the file is empty"})
		return nil
	case errors.As(err, &format):
		c.Format = format.Format
		c.Errors = append(c.Errors, capture.ReadError{What: err.Error()})
		return nil
	case err != nil:
		return damaged(c, err)
	}
	c.Format = r.Format()
	for {
		f, err := r.Next()
		switch {
		case err == nil:
			e.frame(&f)
			if e.frames%countEvery == 0 {
				p.frames.Add(countEvery)
				if err := ctx.Err(); err != nil {
					return err
				}
			}
		case err == io.EOF:
			p.frames.Add(e.frames % countEvery)
			return nil
		default:
			if err := damaged(c, err); err != nil {
				return err
			}
		}
	}
}

// interruptible is a file that cannot be read once the context is done, so that
// what yields no frames comes to an end as well.
type interruptible struct {
	ctx context.Context
	r   io.Reader
}

// Read implements io.Reader.
func (i interruptible) Read(p []byte) (int, error) {
	if err := i.ctx.Err(); err != nil {
		return 0, err
	}
	return i.r.Read(p)
}

// damaged lists err in c if it is damage of the file, or returns it.
func damaged(c *capture.Capture, err error) error {
	var damage *pcap.DamageError
	if !errors.As(err, &damage) {
		return err
	}
	if len(c.Errors) < maxErrors {
		c.Errors = append(c.Errors, capture.ReadError{Offset: damage.Offset, What: damage.What})
	}
	return nil
}

// named puts the path in front of an error that does not have it.
func named(path string, err error) error {
	var at *fs.PathError
	if errors.As(err, &at) {
		err = at.Err
	}
	return fmt.Errorf("capture %q: %w", path, err)
}
