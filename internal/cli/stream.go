package cli

import (
	"context"
	"io"
	"os"
)

// streamChunk is how much is read from a stream at a time.
const streamChunk = 256 << 10

// openStream opens a pipe or a device so that neither opening nor reading it
// outlasts ctx: both wait in a goroutine, for a writer that may never come, while
// the reader that is handed out returns ctx's error. (Closing the file would not
// do: it ends neither the opening of a named pipe nor a read of a standard input
// that the system blocks in.) The goroutine ends with the next bytes, or with the
// program.
func openStream(ctx context.Context, open func() (*os.File, error)) io.ReadCloser {
	out, in := io.Pipe()
	go func() {
		f, err := open()
		if err == nil {
			defer f.Close()
			// Not io.Copy: a file would hand itself to the pipe in small pieces.
			_, err = io.CopyBuffer(in, struct{ io.Reader }{f}, make([]byte, streamChunk))
		}
		in.CloseWithError(err)
	}()
	stop := context.AfterFunc(ctx, func() { in.CloseWithError(ctx.Err()) })
	return &stream{out, stop}
}

type stream struct {
	*io.PipeReader
	stop func() bool
}

// Close implements io.Closer.
func (s *stream) Close() error {
	s.stop()
	return s.PipeReader.Close()
}
