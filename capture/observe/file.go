package observe

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"

	"bulkhead/capture"
	"bulkhead/capture/pcap"
)

// run is one call of Observe.
type run struct {
	registry       *registry
	limits         *limits
	split          int64 // files from this size on get more than one core
	keepDuplicates bool
	jobs           int
	cores          cores
	files          *places
	progress       *progress
}

// places bounds how many files are read at a time.
type places struct {
	taken chan struct{}
	all   sync.Mutex // held by who is taking all of them
}

func newPlaces(n int) *places { return &places{taken: make(chan struct{}, n)} }

// take takes n places.
func (p *places) take(n int) {
	p.all.Lock()
	defer p.all.Unlock()
	for range n {
		p.taken <- struct{}{}
	}
}

// give gives n places back.
func (p *places) give(n int) {
	for range n {
		<-p.taken
	}
}

// file reads one file. The result is nil if the context ended before it was begun.
func (r *run) file(ctx context.Context, in Input) (_ *capture.Observations, err error) {
	places := 1
	r.files.take(places)
	defer func() { r.files.give(places) }()
	if ctx.Err() != nil {
		return nil, nil
	}
	f, err := in.Open()
	if err != nil {
		return nil, named(in.Path, err)
	}
	defer f.Close()
	o := &capture.Observations{Schema: capture.Schema, Captures: []capture.Capture{{Path: in.Path, Errors: []capture.ReadError{}}}}
	c := &o.Captures[0]
	src := newSource(ctx, f, r.cores, r.progress.read)
	r.cores.take()
	defer r.cores.give()
	e := newEngine(r.registry, r.limits, r.keepDuplicates)
	err = e.readAll(ctx, src, c, r.progress, func(packed bool) {
		if r.jobs == 1 || in.Size != 0 && in.Size < r.split {
			return
		}
		// What has to be unpacked first, or comes as slowly as it likes, leaves cores
		// to others.
		if !packed && in.Size != 0 {
			r.cores.give()
			r.files.give(places)
			places = r.jobs
			r.files.take(places)
			r.cores.take()
		}
		e.start(r.cores)
	})
	if err == nil {
		// The sum is over the whole file, whatever the reader made of it.
		_, err = io.Copy(io.Discard, src)
	}
	if err != nil && ctx.Err() != nil {
		c.Errors = append(c.Errors, capture.ReadError{Offset: src.bytes, What: stoppedAt(src.bytes, in.Size)})
		err = nil
	}
	r.cores.give()
	c.SHA256, c.Bytes = src.Sum(), src.bytes
	r.cores.take()
	e.finish(o, 0)
	if err != nil {
		return nil, named(in.Path, err)
	}
	return o, nil
}

func stoppedAt(read, size int64) string {
	if size == 0 {
		return fmt.Sprintf("stopped after %d bytes", read)
	}
	return fmt.Sprintf("stopped after %d of %d bytes", read, size)
}

// countEvery is how many frames are read between two looks at the context and two
// counts for the progress.
const countEvery = 4096

// readAll takes all frames of a file. Damage goes into c; the error says that
// the file could not be read or is no capture. Begin is called before the first
// frame.
func (e *engine) readAll(ctx context.Context, src *source, c *capture.Capture, p *progress, begin func(packed bool)) error {
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
	defer r.Close()
	c.Format = r.Format()
	begin(strings.Contains(c.Format, " "))
	told := int64(0)
	for {
		f, err := r.Next()
		switch {
		case err == nil:
			e.unit.hold(r.Block())
			e.frame(&f)
			if e.frames%countEvery == 0 {
				now := e.conversations.Load()
				p.count(countEvery, now-told)
				told = now
				if err := ctx.Err(); err != nil {
					return err
				}
			}
		case err == io.EOF:
			p.count(e.frames%countEvery, e.conversations.Load()-told)
			return nil
		default:
			if err := damaged(c, err); err != nil {
				return err
			}
		}
	}
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
