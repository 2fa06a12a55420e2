//go:build unix

package cli

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"bulkhead/capture"
	"bulkhead/capture/store"
)

// endless returns the start of a pcap file that goes on: n bytes or a little more
// of it, far more than a pipe holds.
func endless(n int) []byte {
	le := binary.LittleEndian
	b := le.AppendUint32(nil, 0xa1b2c3d4)
	b = le.AppendUint16(b, 2)
	b = le.AppendUint16(b, 4)
	b = append(b, make([]byte, 8)...)
	b = le.AppendUint32(b, 65535)
	b = le.AppendUint32(b, 1) // Ethernet
	frame := make([]byte, 60)
	copy(frame[6:], "\x02\x00\x00\x00\x00\x01\x88\xb5") // an experimental EtherType
	for i := uint32(0); len(b) < n; i++ {
		b = le.AppendUint32(b, 1700000000+i)
		b = le.AppendUint32(b, 0)
		b = le.AppendUint32(b, uint32(len(frame)))
		b = le.AppendUint32(b, uint32(len(frame)))
		le.PutUint32(frame[20:], i)
		b = append(b, frame...)
	}
	return b
}

// program starts the program in a folder. The function returned ends it with an
// interrupt, and returns its exit code and what it said.
func program(t *testing.T, dir string, stdin io.Reader, args ...string) (interrupt func() (code int, stdout, stderr string)) {
	t.Helper()
	cmd := exec.Command("bulkhead", args...)
	var out, told bytes.Buffer
	cmd.Dir, cmd.Stdin, cmd.Stdout, cmd.Stderr = dir, stdin, &out, &told
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { cmd.Process.Kill() })
	return func() (int, string, string) {
		if err := cmd.Process.Signal(os.Interrupt); err != nil {
			t.Fatal(err)
		}
		var end *exec.ExitError
		if err := cmd.Wait(); err != nil && !errors.As(err, &end) {
			t.Fatal(err)
		}
		return cmd.ProcessState.ExitCode(), out.String(), told.String()
	}
}

// TestInterrupt interrupts the program while it waits for a pipe: it ends with what
// it knows, writes it whole, and says what it did not read.
func TestInterrupt(t *testing.T) {
	dir := t.TempDir()
	for to, from := range map[string]string{"done.pcapng": "modbus.pcapng", "later.pcapng": "dnp3.pcapng"} {
		b, err := os.ReadFile(filepath.Join("..", "..", "testdata", "captures", from))
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, to), b, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	fifo := filepath.Join(dir, "fifo")
	if err := syscall.Mkfifo(fifo, 0o600); err != nil {
		t.Skip(err)
	}
	interrupt := program(t, dir, nil, "observe", "--jobs", "1", "--format", "json", "-o", "out.json", "-o", "out.parquet", "done.pcapng", "fifo", "later.pcapng")
	w, err := os.OpenFile(fifo, os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	// When this returns, all but what the pipe and one read hold was taken.
	if _, err := w.Write(endless(2 << 20)); err != nil {
		t.Fatal(err)
	}
	code, stdout, stderr := interrupt()
	if code != exitIncomplete {
		t.Errorf("exit code %d, want %d", code, exitIncomplete)
	}
	for _, want := range []string{`capture "fifo": at byte `, "stopped", `1 capture was not read: "later.pcapng"`} {
		if !strings.Contains(stderr, want) {
			t.Errorf("standard error does not say %q:\n%s", want, stderr)
		}
	}
	var o capture.Observations
	if err := json.Unmarshal([]byte(stdout), &o); err != nil {
		t.Fatal(err)
	}
	byPath := map[string]capture.Capture{}
	for _, c := range o.Captures {
		byPath[c.Path] = c
	}
	if c := byPath["done.pcapng"]; len(byPath) != 2 || !c.Complete || c.Frames == 0 {
		t.Errorf("captures %+v, want done.pcapng, whole, and fifo", o.Captures)
	}
	if c := byPath["fifo"]; c.Complete || c.Frames == 0 || c.Ledger.Sum() != c.Frames {
		t.Errorf("fifo: complete %v, ledger of %d for %d frames, want some and incomplete", c.Complete, c.Ledger.Sum(), c.Frames)
	}
	if b, err := os.ReadFile(filepath.Join(dir, "out.json")); err != nil || string(b) != stdout {
		t.Errorf("out.json differs from standard output: %v", err)
	}
	f, err := os.Open(filepath.Join(dir, "out.parquet"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		t.Fatal(err)
	}
	if stored, err := store.Read(f, info.Size()); err != nil || len(stored.Captures) != 2 {
		t.Errorf("out.parquet: %v", err)
	}
}

// TestInterruptStandardInput does so while standard input keeps it waiting, which
// is a read that closing the file does not end.
func TestInterruptStandardInput(t *testing.T) {
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	interrupt := program(t, t.TempDir(), r, "observe", "-")
	r.Close()
	if _, err := w.Write(endless(2 << 20)); err != nil {
		t.Fatal(err)
	}
	code, stdout, stderr := interrupt()
	if code != exitIncomplete || !strings.Contains(stderr, `capture "-": at byte `) || stdout == "" {
		t.Errorf("exit code %d, %q on standard error and %d bytes on standard output", code, stderr, len(stdout))
	}
}
