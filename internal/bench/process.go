package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"time"
)

// usage is what one run of a command took.
type usage struct {
	took time.Duration // on the wall
	cpu  time.Duration // of all cores, in the process and for it
	peak int64         // resident memory, in bytes; 0 where the system does not say
}

// process starts a command and waits for it. Exit codes in accept are no errors,
// besides 0.
//
// On Linux a process's peak is never less than what its parent had resident when
// it was started: see floor.
func process(ctx context.Context, in io.Reader, out io.Writer, env []string, accept []int, argv ...string) (usage, error) {
	cmd := exec.CommandContext(ctx, argv[0], argv[1:]...)
	cmd.Env = append(os.Environ(), env...)
	cmd.Stdin, cmd.Stdout = in, out
	var told strings.Builder
	cmd.Stderr = &told
	began := time.Now()
	err := cmd.Run()
	u := usage{took: time.Since(began)}
	if cmd.ProcessState != nil {
		u.cpu = cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()
		u.peak = peakMemory(cmd.ProcessState)
	}
	var ended *exec.ExitError
	if errors.As(err, &ended) {
		for _, code := range accept {
			if ended.ExitCode() == code {
				return u, nil
			}
		}
		said := told.String()
		return u, fmt.Errorf("%s: %w: %s", strings.Join(argv, " "), err, strings.TrimSpace(said[max(0, len(said)-500):]))
	}
	return u, err
}

// floor returns the least peak that process can tell of: that of a command that
// does nothing.
func floor(ctx context.Context) (int64, error) {
	self, err := os.Executable()
	if err != nil {
		return 0, err
	}
	u, err := process(ctx, nil, nil, nil, nil, self, "read")
	return u.peak, err
}

// mebibytes prints a peak; what may be the parent's says so.
func mebibytes(peak, floor int64) string {
	const noise = 1 << 20
	if peak <= floor+noise {
		return fmt.Sprintf("≤ %d", peak>>20)
	}
	return fmt.Sprint(peak >> 20)
}
