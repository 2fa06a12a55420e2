package lab

import (
	"bytes"
	"slices"
	"time"

	"bulkhead/capture"
	"bulkhead/capture/pcap"
)

// Tap records the frames of the segments it watches.
type Tap struct {
	// Fast is how far the tap's clock is ahead of the network's.
	Fast     time.Duration
	net      *Net
	name     string
	segments []*Segment
	frames   []frame
}

type frame struct {
	at   time.Time
	data []byte
}

// Tap adds a tap. Its name becomes that of the capture's interface.
func (n *Net) Tap(name string, segments ...*Segment) *Tap {
	t := &Tap{net: n, name: name, segments: segments}
	n.taps = append(n.taps, t)
	return t
}

func (t *Tap) record(s *Segment, at time.Time, data []byte) {
	if slices.Contains(t.segments, s) {
		t.frames = append(t.frames, frame{at.Add(t.Fast), bytes.Clone(data)})
	}
}

// Bytes returns what the tap recorded as a pcapng file, frames in order of time.
// It returns the first error of the network, if anything was wrong with it.
func (t *Tap) Bytes() ([]byte, error) {
	if t.net.err != nil {
		return nil, t.net.err
	}
	frames := slices.Clone(t.frames)
	slices.SortStableFunc(frames, func(a, b frame) int { return a.at.Compare(b.at) })
	var file bytes.Buffer
	w, err := pcap.NewWriter(&file, pcap.WriterOptions{Interface: t.name, Link: pcap.LinkEthernet, Nanosecond: true})
	if err != nil {
		return nil, err
	}
	for _, f := range frames {
		if err := w.WriteFrame(capture.NewTime(f.at.UnixNano(), 9), f.data, len(f.data)); err != nil {
			return nil, err
		}
	}
	return file.Bytes(), nil
}
