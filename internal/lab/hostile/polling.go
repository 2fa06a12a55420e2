package hostile

import (
	"io"
	"testing/iotest"

	"bulkhead/internal/lab/plantmix"
	"bulkhead/internal/lab/wire"
)

// Polling is a plant at work, for n bytes and what the last frame has beyond
// them.
func Polling(n int64) io.ReadCloser {
	plant, err := plantmix.New(plantmix.Options{})
	if err != nil {
		return io.NopCloser(iotest.ErrReader(err))
	}
	written := int64(wire.FileHeaderSize)
	return wire.NewReader(wire.AppendFileHeader(nil), func(b []byte) []byte {
		if written >= n {
			return b
		}
		before := len(b)
		b = plant.AppendFrame(b)
		written += int64(len(b) - before)
		return b
	})
}

// pollingFrames counts the frames of Polling by making them, which takes a
// fifth of a second a million.
func pollingFrames(n int64) uint64 {
	plant, err := plantmix.New(plantmix.Options{})
	if err != nil {
		return 0
	}
	var b []byte
	var frames uint64
	for written := int64(wire.FileHeaderSize); written < n; frames++ {
		b = plant.AppendFrame(b[:0])
		written += int64(len(b))
	}
	return frames
}
