package cli

import (
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
	"time"

	"golang.org/x/term"

	"bulkhead/capture/observe"
)

// showProgress returns a function that rewrites one line on w with how far reading
// captures came, and one that clears the line. Both do nothing unless w is a
// terminal.
func showProgress(w io.Writer) (tell func(observe.Progress), clear func()) {
	f, ok := w.(*os.File)
	if !ok || !term.IsTerminal(int(f.Fd())) {
		return nil, func() {}
	}
	m := &meter{w: w, now: time.Now, width: func() int { return width(w) }}
	m.begin()
	return m.tell, m.clear
}

// redrawEvery is the least time between two lines: more often nobody can read.
const redrawEvery = 200 * time.Millisecond

// meter draws one line again and again.
type meter struct {
	w       io.Writer
	now     func() time.Time
	width   func() int // columns of the terminal
	started time.Time
	drawn   time.Time
}

func (m *meter) begin() { m.started = m.now() }

func (m *meter) tell(p observe.Progress) {
	now := m.now()
	if now.Sub(m.drawn) < redrawEvery {
		return
	}
	m.drawn = now
	line := progressLine(p, now.Sub(m.started))
	if most := max(m.width()-1, 0); len(line) > most {
		line = line[:most] // a line that wraps is not overwritten
	}
	fmt.Fprintf(m.w, "\r\x1b[K%s", line)
}

func (m *meter) clear() {
	if !m.drawn.IsZero() {
		fmt.Fprint(m.w, "\r\x1b[K")
	}
}

// progressLine says how far reading came after a time, such as
//
//	12.3 GB of 400 GB  3%  1.1 GB/s  5m53s left  12,345 conversations
//
// The rate is that of the whole run. Without a total there is neither share nor
// time left. It is ASCII.
func progressLine(p observe.Progress, passed time.Duration) string {
	var parts []string
	if p.Total > 0 {
		// What is read may grow while it is read.
		total := max(p.Total, p.Bytes)
		parts = append(parts, size(p.Bytes)+" of "+size(total), fmt.Sprintf("%d%%", int64(float64(p.Bytes)/float64(total)*100)))
	} else {
		parts = append(parts, size(p.Bytes))
	}
	if passed >= time.Second && p.Bytes > 0 {
		rate := float64(p.Bytes) / passed.Seconds()
		parts = append(parts, size(int64(rate))+"/s")
		if p.Total > p.Bytes {
			parts = append(parts, timeLeft(float64(p.Total-p.Bytes)/rate)+" left")
		}
	}
	if p.Conversations > 0 {
		parts = append(parts, thousands(p.Conversations)+" conversations")
	}
	return strings.Join(parts, "  ")
}

// size prints bytes in decimal units, as disks are sold: two or three digits.
func size(n int64) string {
	if n < 1000 {
		return fmt.Sprintf("%d B", n)
	}
	x := float64(n)
	for _, unit := range []string{"kB", "MB", "GB", "TB"} {
		x /= 1000
		switch {
		case x < 99.95:
			return fmt.Sprintf("%.1f %s", x, unit)
		case x < 999.5 || unit == "TB":
			return fmt.Sprintf("%.0f %s", x, unit)
		}
	}
	return ""
}

// timeLeft prints a time in its two largest units: "5m53s", "1h05m".
func timeLeft(seconds float64) string {
	const most = 1000 * 60 * 60
	s := int(min(seconds+0.5, most))
	switch {
	case s < 60:
		return fmt.Sprintf("%ds", s)
	case s < 60*60:
		return fmt.Sprintf("%dm%02ds", s/60, s%60)
	}
	return fmt.Sprintf("%dh%02dm", s/3600, s/60%60)
}

// thousands prints a number with a comma between groups of three digits.
func thousands(n uint64) string {
	digits := strconv.FormatUint(n, 10)
	var b strings.Builder
	for i, d := range digits {
		if i > 0 && (len(digits)-i)%3 == 0 {
			b.WriteByte(',')
		}
		b.WriteRune(d)
	}
	return b.String()
}
