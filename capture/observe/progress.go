package observe

import (
	"sync"
	"sync/atomic"
)

// progressEvery is how many bytes are read between two reports.
const progressEvery = 8 << 20

// progress counts over all files.
type progress struct {
	report func(read, total int64, frames uint64)
	total  int64
	bytes  atomic.Int64
	frames atomic.Uint64
	mu     sync.Mutex
	told   int64
}

func newProgress(inputs []Input, report func(read, total int64, frames uint64)) *progress {
	p := &progress{report: report}
	for _, in := range inputs {
		p.total += in.Size
	}
	return p
}

// read counts n bytes.
func (p *progress) read(n int) {
	now := p.bytes.Add(int64(n))
	if p.report == nil || now/progressEvery == (now-int64(n))/progressEvery {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if now > p.told {
		p.told = now
		p.report(now, p.total, p.frames.Load())
	}
}
