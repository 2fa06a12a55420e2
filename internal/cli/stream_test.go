package cli

import (
	"context"
	"errors"
	"io"
	"os"
	"testing"
)

// TestStreamStops cancels while the pipe is waited for: to be opened, and to be
// read.
func TestStreamStops(t *testing.T) {
	never := make(chan struct{})
	defer close(never)
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	for name, open := range map[string]func() (*os.File, error){
		"opening": func() (*os.File, error) { <-never; return nil, os.ErrClosed },
		"reading": func() (*os.File, error) { return r, nil },
	} {
		t.Run(name, func(t *testing.T) {
			ctx, cancel := context.WithCancel(context.Background())
			s := openStream(ctx, open)
			defer s.Close()
			cancel()
			if _, err := s.Read(make([]byte, 1)); !errors.Is(err, context.Canceled) {
				t.Errorf("error %v, want %v", err, context.Canceled)
			}
		})
	}
}

// TestStreamReads reads what was written, and the error of opening.
func TestStreamReads(t *testing.T) {
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	want := patterned(3 * streamChunk / 2)
	go func() {
		w.Write(want)
		w.Close()
	}()
	s := openStream(t.Context(), func() (*os.File, error) { return r, nil })
	got, err := io.ReadAll(s)
	if err != nil || string(got) != string(want) {
		t.Errorf("%d bytes and error %v, want %d", len(got), err, len(want))
	}
	s.Close()

	s = openStream(t.Context(), func() (*os.File, error) { return nil, os.ErrPermission })
	defer s.Close()
	if _, err := io.ReadAll(s); !errors.Is(err, os.ErrPermission) {
		t.Errorf("error %v, want that of opening", err)
	}
}

func patterned(n int) []byte {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(i ^ i>>8)
	}
	return b
}
