package report

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"bulkhead/capture"
)

// maxReasons bounds the causes that a ledger names, maxErrors the damage.
const (
	maxReasons = 4
	maxErrors  = 3
)

// capture writes a capture's ledger: a line, and one for each damaged place.
func (p *page) capture(c capture.Capture, remark string) {
	about := "sha256 " + short(c.SHA256)
	if remark != "" {
		about = remark + ", " + about
	}
	state := ""
	if !c.Complete {
		state = "; " + p.paint(red, "INCOMPLETE")
	}
	p.wrapped("  ", fmt.Sprintf("%s (%s): %s%s%s", safe(c.Path), about, plural(c.Frames, "frame"), ledgerWords(&c.Ledger), state))
	if c.CutFrames > 0 {
		p.wrapped("    ", fmt.Sprintf("%s cut by the snap length: what was in the ends is not known", plural(c.CutFrames, "frame")))
	}
	for i, e := range c.Errors {
		if i == maxErrors {
			p.more(4, len(c.Errors)-i, "damaged places")
			break
		}
		p.wrapped("    ", p.paint(red, fmt.Sprintf("at byte %d: %s", e.Offset, safe(e.What))))
	}
}

// ledgerWords says how many frames were decoded and why the others were not.
func ledgerWords(l *capture.Ledger) string {
	var parts []string
	for _, n := range []struct {
		frames uint64
		name   string
		words  string
	}{
		{l.Decoded, "decoded", "decoded"},
		{l.OtherL2, "other_l2", "other link protocols"},
		{l.OtherIP, "other_ip", "other IP protocols"},
		{l.Fragment, "fragment", "IP fragments"},
		{l.UnknownLink, "unknown_link", "unknown link type"},
		{l.Truncated, "truncated", "cut by the snap length"},
		{l.Malformed, "malformed", "malformed"},
		{l.Duplicate, "duplicate", "duplicate"},
	} {
		if n.frames == 0 {
			continue
		}
		parts = append(parts, fmt.Sprintf("%d %s%s", n.frames, n.words, causes(l, n.name)))
	}
	if len(parts) == 0 {
		return ""
	}
	if l.Folded > 0 {
		parts = append(parts, fmt.Sprintf("%d of them in conversations that are counted by network only", l.Folded))
	}
	return ": " + strings.Join(parts, ", ")
}

// causes lists the commonest causes of one of a ledger's numbers.
func causes(l *capture.Ledger, state string) string {
	var list []capture.Reason
	for _, r := range l.Reasons {
		if r.State == state {
			list = append(list, r)
		}
	}
	if len(list) == 0 {
		return ""
	}
	slices.SortStableFunc(list, func(a, b capture.Reason) int { return cmp.Compare(b.Frames, a.Frames) })
	var parts []string
	for i, r := range list {
		if i == maxReasons {
			parts = append(parts, fmt.Sprintf("and %d more causes", len(list)-i))
			break
		}
		text := cut(r.Reason, 60)
		if len(list) > 1 {
			text = fmt.Sprintf("%d %s", r.Frames, text)
		}
		parts = append(parts, text)
	}
	return " (" + strings.Join(parts, ", ") + ")"
}
