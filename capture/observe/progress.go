package observe

import (
	"sync"
	"sync/atomic"
)

// Progress is how far Observe is.
type Progress struct {
	Bytes, Total  int64 // read, and of all inputs; Total is 0 if one of them is not known
	Frames        uint64
	Conversations uint64 // so far
	Files, Of     int    // done, and of how many
}

// progressEvery is how many bytes are read between two reports.
const progressEvery = 8 << 20

// progress counts over all files.
type progress struct {
	report        func(Progress)
	total         int64
	of            int
	bytes         atomic.Int64
	frames        atomic.Uint64
	conversations atomic.Int64
	files         atomic.Int64
	mu            sync.Mutex
	told          int64
}

func newProgress(inputs []Input, report func(Progress)) *progress {
	p := &progress{report: report, of: len(inputs)}
	for _, in := range inputs {
		if in.Size == 0 {
			p.total = 0
			break
		}
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
		p.report(Progress{
			Bytes: now, Total: p.total, Frames: p.frames.Load(), Conversations: uint64(max(p.conversations.Load(), 0)),
			Files: int(p.files.Load()), Of: p.of,
		})
	}
}

// count counts frames and conversations.
func (p *progress) count(frames uint64, conversations int64) {
	p.frames.Add(frames)
	p.conversations.Add(conversations)
}

// file counts a file that is done.
func (p *progress) file() { p.files.Add(1) }
