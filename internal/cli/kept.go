package cli

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"slices"
	"sync"
	"sync/atomic"

	"bulkhead/capture"
	"bulkhead/internal/cache"
)

// worthKeeping is the size in bytes from which a capture's result goes into the
// cache. A smaller capture is read about as fast as its result.
const worthKeeping = 1 << 20

// keptResults is a cache as reading uses it; nil is none.
type keptResults struct {
	*cache.Cache
	dir   string
	named bool // by the user
}

// openCache opens the cache. There is none, and that is nobody's concern, where its
// folder cannot be made, unless it is one that the user named.
func (r *reading) openCache() (*keptResults, error) {
	if r.noCache {
		return nil, nil
	}
	dir, named, err := cacheFolder(r.cacheDir)
	if err != nil {
		return nil, nil
	}
	made, err := cache.Engine()
	if err != nil {
		return nil, nil
	}
	if r.keepDuplicates {
		made += "-keep-duplicates"
	}
	c, err := cache.Open(dir, made)
	switch {
	case err == nil:
		return &keptResults{c, dir, named}, nil
	case named:
		return nil, fmt.Errorf("cache %q: %w", dir, plain(err))
	}
	return nil, nil
}

// lookupAll looks up captures, several at a time, and returns what is known and the
// captures of which nothing is.
func (k *keptResults) lookupAll(ctx context.Context, captures []*captureFile, jobs int) (known []*capture.Observations, unknown []*captureFile) {
	found := make([]*capture.Observations, len(captures))
	var next atomic.Int64
	var wait sync.WaitGroup
	for range min(jobs, len(captures)) {
		wait.Go(func() {
			for i := int(next.Add(1)) - 1; i < len(captures) && ctx.Err() == nil; i = int(next.Add(1)) - 1 {
				found[i] = k.lookup(captures[i])
			}
		})
	}
	wait.Wait()
	for i, o := range found {
		if o != nil {
			known = append(known, o)
		} else {
			unknown = append(unknown, captures[i])
		}
	}
	return known, unknown
}

// lookup returns what is known of a capture, under its present path, or nil.
func (k *keptResults) lookup(c *captureFile) *capture.Observations {
	if k == nil || !c.cached {
		return nil
	}
	o := k.Lookup(c.id)
	if o != nil {
		o.Captures[0].Path = c.path
	}
	return o
}

// keep puts what has been read into the cache: captures read to their end, damaged
// or not, from files that have an identity and did not change meanwhile. The error
// is nil unless the user named the folder: it is said, and changes nothing.
func (k *keptResults) keep(ctx context.Context, files []*captureFile, seen *observed) error {
	if k == nil {
		return nil
	}
	at := map[string]int{}
	bytes := map[int64]bool{}
	obs := seen.observations
	for i, c := range obs.Captures {
		at[c.Path] = i
		bytes[c.Bytes] = true
	}
	var problems []error
	for _, file := range files {
		if !file.cached {
			continue
		}
		sum := ""
		if i, ok := at[file.path]; ok {
			c := &obs.Captures[i]
			if c.Bytes != file.id.Size || seen.stopped && !c.Complete {
				continue
			}
			sum = c.SHA256
			if err := k.Keep(alone(obs, i)); err != nil {
				problems = append(problems, err)
				continue
			}
		} else if bytes[file.id.Size] {
			// It equals another one, under whose path it is listed.
			sum = file.sum(ctx)
		}
		if sum != "" && file.unchanged() {
			problems = append(problems, k.Remember(file.id, file.at, sum, absolute(file.path)))
		}
	}
	if len(files) > 0 {
		problems = append(problems, k.Trim())
	}
	if !k.named {
		return nil
	}
	for _, err := range problems {
		if err != nil {
			return err // the first of many that are alike
		}
	}
	return nil
}

// alone returns what one of several captures shows.
func alone(o *capture.Observations, i int) *capture.Observations {
	out := &capture.Observations{Schema: o.Schema, Captures: o.Captures[i : i+1 : i+1]}
	out.Conversations = of(o.Conversations, i, func(c *capture.Conversation) *int { return &c.Capture })
	out.Folded = of(o.Folded, i, func(f *capture.Folded) *int { return &f.Capture })
	out.Endpoints = of(o.Endpoints, i, func(e *capture.Endpoint) *int { return &e.Capture })
	return out
}

// of copies those of a list, sorted by capture, that belong to capture i.
func of[T any](list []T, i int, captureOf func(*T) *int) []T {
	byCapture := func(x T, i int) int { return cmp.Compare(*captureOf(&x), i) }
	from, _ := slices.BinarySearchFunc(list, i, byCapture)
	to, _ := slices.BinarySearchFunc(list, i+1, byCapture)
	out := append(make([]T, 0, to-from), list[from:to]...)
	for j := range out {
		*captureOf(&out[j]) = 0
	}
	return out
}

// unchanged reports whether the file is still what it was before it was read.
func (c *captureFile) unchanged() bool {
	f, err := c.open()
	if err != nil {
		return false
	}
	defer f.Close()
	id, ok := cache.Identify(f)
	return ok && id == c.id
}

// sum returns the SHA-256 of the file, "" if it could not be read.
func (c *captureFile) sum(ctx context.Context) string {
	f, err := c.open()
	if err != nil {
		return ""
	}
	defer f.Close()
	h := sha256.New()
	buf := make([]byte, 1<<20)
	for ctx.Err() == nil {
		n, err := f.Read(buf)
		h.Write(buf[:n])
		if err == io.EOF {
			return hex.EncodeToString(h.Sum(nil))
		}
		if err != nil {
			return ""
		}
	}
	return ""
}
