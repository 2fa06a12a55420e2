package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
)

// strung says how to string real captures together.
type strung struct {
	corpus    string
	megabytes int64
}

// addFlags adds what can be asked for.
func (s *strung) addFlags(f *flag.FlagSet) {
	corpus := os.Getenv("BULKHEAD_CORPUS")
	if corpus == "" {
		corpus = filepath.Join("..", "shared", "corpus")
	}
	f.StringVar(&s.corpus, "corpus", corpus, "`folder` of the corpus of real captures")
	f.Int64Var(&s.megabytes, "megabytes", 910, "of real captures strung together; 0 for none")
}

// errSkipped says that there are no real captures to string together.
var errSkipped = errors.New("not there")

// write has the tool that comes with the corpus write the capture, in which whole
// captures follow each other, with later clocks and other addresses each time.
func (s *strung) write(ctx context.Context, path string) error {
	tool := filepath.Join(s.corpus, "..", "tools", "string-captures")
	python, noPython := exec.LookPath("python3")
	switch _, missing := os.Stat(tool); {
	case s.megabytes == 0:
		return fmt.Errorf("-megabytes 0: %w", errSkipped)
	case missing != nil:
		return fmt.Errorf("%s: %w", tool, errSkipped)
	case noPython != nil:
		return fmt.Errorf("python3: %w", errSkipped)
	}
	_, err := process(ctx, nil, nil, nil, nil, python, tool, s.corpus, path, strconv.FormatInt(s.megabytes, 10))
	return err
}

// workFolder makes a folder for large files, below bin rather than where
// temporary files are: that may be memory.
func workFolder() (string, error) {
	if err := os.MkdirAll("bin", 0o755); err != nil {
		return "", err
	}
	return os.MkdirTemp("bin", "bench-")
}
