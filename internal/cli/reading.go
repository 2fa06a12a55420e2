package cli

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"runtime"
	"slices"

	"github.com/spf13/cobra"

	"bulkhead/capture"
	"bulkhead/capture/observe"
)

// reading is how captures are read: the flags of all commands that do.
type reading struct {
	jobs           int
	keepDuplicates bool
	cacheDir       string
	noCache        bool
}

func (r *reading) flags(cmd *cobra.Command) {
	f := cmd.Flags()
	f.IntVar(&r.jobs, "jobs", runtime.NumCPU(), "how many cores to use; the output does not depend on it")
	f.BoolVar(&r.keepDuplicates, "keep-duplicates", false, "count frames that were captured twice as often as they were captured")
	f.StringVar(&r.cacheDir, "cache", "", "the folder of earlier results (default: $BULKHEAD_CACHE, or bulkhead in the user's cache folder)")
	f.BoolVar(&r.noCache, "no-cache", false, "read every capture anew, and keep no result")
	cmd.MarkFlagsMutuallyExclusive("cache", "no-cache")
}

// check says what is wrong with the flags.
func (r *reading) check() error {
	if r.jobs < 1 {
		return fmt.Errorf("--jobs %d: expected 1 or more", r.jobs)
	}
	return nil
}

// observed is what inputs show.
type observed struct {
	observations *capture.Observations
	stopped      bool     // by an interrupt
	unread       []string // the captures that were then not begun
}

// observe returns what the inputs show: what the cache knows, what the engine makes
// of the other captures, and what files of observations say, merged. How far it is
// is shown on told.
func (r *reading) observe(ctx context.Context, told io.Writer, in *inputs) (*observed, error) {
	kept, err := r.openCache()
	if err != nil {
		return nil, err
	}
	known, unknown := kept.lookupAll(ctx, in.captures, r.jobs)
	fresh, err := r.read(ctx, told, unknown)
	if err != nil {
		return nil, err
	}
	if err := kept.keep(ctx, unknown, fresh); err != nil {
		fmt.Fprintf(told, "bulkhead: cache %q: %v\n", kept.dir, plain(err))
	}
	fresh.observations = merge(fresh.observations, known, in.stored)
	return fresh, nil
}

// read runs the engine.
func (r *reading) read(ctx context.Context, told io.Writer, captures []*captureFile) (*observed, error) {
	if len(captures) == 0 {
		return &observed{observations: capture.Merge()}, nil
	}
	defer boundMemory()()
	tell, clear := showProgress(told)
	defer clear()
	list := make([]observe.Input, len(captures))
	for i, c := range captures {
		list[i] = observe.Input{Path: c.path, Size: c.size, Open: func() (io.ReadCloser, error) {
			if c.stream {
				return openStream(ctx, c.open), nil
			}
			return c.open()
		}}
	}
	obs, err := observe.Observe(ctx, list, observe.Options{Jobs: r.jobs, KeepDuplicates: r.keepDuplicates, Progress: tell})
	var interrupted *observe.InterruptedError
	if errors.As(err, &interrupted) {
		return &observed{observations: obs, stopped: true, unread: interrupted.Unread}, nil
	}
	if err != nil {
		return nil, err
	}
	return &observed{observations: obs}, nil
}

// merge returns the union of what was read now, what the cache knew, and what files
// of observations say. A capture that several of them hold is named by the lowest
// path under which it is at hand now, so that the output depends neither on the
// order of the inputs nor on what the cache knew.
func merge(fresh *capture.Observations, known []*capture.Observations, stored []*storedFile) *capture.Observations {
	parts := append([]*capture.Observations{fresh}, known...)
	path := map[string]string{}
	for _, part := range parts {
		for _, c := range part.Captures {
			if p, ok := path[c.SHA256]; !ok || c.Path < p {
				path[c.SHA256] = c.Path
			}
		}
	}
	slices.SortFunc(stored, func(a, b *storedFile) int { return cmp.Compare(a.path, b.path) })
	for _, s := range stored {
		parts = append(parts, s.obs)
	}
	if len(parts) == 1 {
		return fresh
	}
	out := capture.Merge(parts...)
	for i := range out.Captures {
		if p, ok := path[out.Captures[i].SHA256]; ok {
			out.Captures[i].Path = p
		}
	}
	return out
}

// incomplete tells which captures could not be read to their end, or at all, and
// returns the exit that this means, if any.
func (o *observed) incomplete(w io.Writer) error {
	if o.observations == nil {
		return nil
	}
	var end error
	for _, c := range o.observations.Captures {
		for _, e := range c.Errors {
			fmt.Fprintf(w, "bulkhead: capture %q: at byte %d: %s\n", c.Path, e.Offset, e.What)
		}
		if !c.Complete {
			end = &exit{code: exitIncomplete}
		}
	}
	if !o.stopped {
		return end
	}
	told := "bulkhead: stopped by an interrupt: what was found until then is all that is reported"
	if len(o.unread) > 0 {
		quoted := make([]string, len(o.unread))
		for i, p := range o.unread {
			quoted[i] = fmt.Sprintf("%q", p)
		}
		told += fmt.Sprintf("; %s not read: %s", count(len(quoted), "capture was", "captures were"), some(quoted))
	}
	fmt.Fprintln(w, told)
	return &exit{code: exitIncomplete}
}
