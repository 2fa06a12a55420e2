package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"

	"bulkhead/internal/lab/plantmix"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string) error {
	if len(args) == 0 {
		return fmt.Errorf("expected speed, hostile, profile or write")
	}
	flags := flag.NewFlagSet(args[0], flag.ExitOnError)
	update := flags.String("update", "", "write the table into this Markdown `file` too")
	switch args[0] {
	case "speed":
		var o speedOptions
		flags.IntVar(&o.rounds, "rounds", 5, "how often each command runs")
		flags.Uint64Var(&o.frames, "frames", plantmix.DefaultFrames, "of the generated capture")
		o.strung.addFlags(flags)
		flags.Parse(args[1:])
		return published(*update, "speed", func(w io.Writer) error { return speed(ctx, w, o) })
	case "hostile":
		var o hostileOptions
		flags.StringVar(&o.only, "only", "", "the `stream` to run; all if empty")
		flags.Float64Var(&o.scale, "scale", 1, "share of the full length")
		flags.Parse(args[1:])
		return published(*update, "hostile", func(w io.Writer) error { return memory(ctx, w, o) })
	case "profile":
		cpu := flags.String("cpuprofile", "bin/cpu.prof", "where the profile is written")
		var s strung
		s.addFlags(flags)
		flags.Parse(args[1:])
		if flags.NArg() > 1 {
			return fmt.Errorf("profile: expected one capture at most")
		}
		return published(*update, "profile", func(w io.Writer) error { return profile(ctx, w, flags.Arg(0), s, *cpu) })
	case "write":
		frames := flags.Uint64("frames", plantmix.DefaultFrames, "of the capture")
		flags.Parse(args[1:])
		if flags.NArg() != 1 {
			return fmt.Errorf("write: expected the name of a file")
		}
		_, err := writePlant(flags.Arg(0), *frames)
		return err
	case "read": // one of speed's peers
		return readAll(args[1:])
	}
	return fmt.Errorf("%q: expected speed, hostile, profile or write", args[0])
}

// writePlant writes the generated capture.
func writePlant(path string, frames uint64) (plantmix.Manifest, error) {
	plant, err := plantmix.New(plantmix.Options{Frames: frames})
	if err != nil {
		return plantmix.Manifest{}, err
	}
	file, err := os.Create(path)
	if err != nil {
		return plantmix.Manifest{}, err
	}
	m, err := plant.Write(file)
	if closed := file.Close(); err == nil {
		err = closed
	}
	return m, err
}

// build builds a command of this repository into folder, without cgo, and returns
// its path.
func build(ctx context.Context, folder, pkg string) (string, error) {
	path, err := filepath.Abs(filepath.Join(folder, filepath.Base(pkg)))
	if err != nil {
		return "", err
	}
	cmd := exec.CommandContext(ctx, "go", "build", "-trimpath", "-o", path, "./"+pkg)
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	cmd.Stderr = os.Stderr
	if err := cmd.Run(); err != nil {
		return "", fmt.Errorf("build %s: %w", pkg, err)
	}
	return path, nil
}

// readAll reads files and does nothing with them.
func readAll(paths []string) error {
	buf := make([]byte, 1<<20)
	for _, p := range paths {
		file, err := os.Open(p)
		if err != nil {
			return err
		}
		_, err = io.CopyBuffer(struct{ io.Writer }{io.Discard}, struct{ io.Reader }{file}, buf)
		file.Close()
		if err != nil {
			return err
		}
	}
	return nil
}
