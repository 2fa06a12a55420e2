package cli

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"golang.org/x/term"

	"bulkhead/model"
	"bulkhead/report"
	"bulkhead/rules"
	"bulkhead/zones"
)

// loadModel reads the model at path and tells its diagnostics on w. The error is
// an *exit without text if the model has errors.
func loadModel(path string, w io.Writer) (*model.Model, []model.Diagnostic, error) {
	dir, name := filepath.Split(path)
	root, err := os.OpenRoot(filepath.Clean(dir))
	if err != nil {
		return nil, nil, fmt.Errorf("model %q: %w", path, plain(err))
	}
	defer root.Close()
	if info, err := root.Stat(name); err != nil {
		return nil, nil, fmt.Errorf("model %q: %w", path, plain(err))
	} else if !info.Mode().IsRegular() {
		return nil, nil, fmt.Errorf("model %q: not a file", path)
	}
	m, found := model.Load(root.FS(), name, rules.Known())
	// The model speaks of files in its folder; whoever reads a message stands
	// somewhere else.
	for i := range found {
		found[i].Position.File = filepath.ToSlash(filepath.Join(dir, found[i].Position.File))
	}
	if err := report.DiagnosticsText(w, found, colour(w)); err != nil {
		return nil, nil, err
	}
	if m == nil {
		return nil, found, &exit{code: exitError}
	}
	return m, found, nil
}

// modelLines returns a function that shows the line of a model at a position.
func modelLines(modelPath string) func(zones.Position) string {
	files := map[string][]string{}
	return func(at zones.Position) string {
		lines, ok := files[at.File]
		if !ok {
			if root, err := os.OpenRoot(filepath.Dir(modelPath)); err == nil {
				defer root.Close()
				if text, err := root.ReadFile(filepath.FromSlash(at.File)); err == nil {
					lines = strings.Split(string(text), "\n")
				}
			}
			files[at.File] = lines
		}
		if at.Line < 1 || at.Line > len(lines) {
			return ""
		}
		return strings.TrimSuffix(lines[at.Line-1], "\r")
	}
}

// tapCaptures lists the files that the model's taps name, relative to the
// model's folder, and the patterns that no file fits.
func tapCaptures(m *model.Model, modelPath string) (files, unmatched []string, err error) {
	dir := filepath.Dir(modelPath)
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, nil, fmt.Errorf("model %q: %w", modelPath, plain(err))
	}
	defer root.Close()
	for _, tap := range m.Taps {
		for _, pattern := range tap.Captures {
			if strings.HasPrefix(pattern, "sha256:") {
				continue
			}
			matches, err := fs.Glob(root.FS(), pattern)
			if err != nil {
				return nil, nil, fmt.Errorf("tap %q: captures %q: %w", tap.ID, pattern, err)
			}
			if len(matches) == 0 {
				unmatched = append(unmatched, pattern)
			}
			for _, match := range matches {
				files = append(files, filepath.Join(dir, filepath.FromSlash(match)))
			}
		}
	}
	slices.Sort(files)
	return slices.Compact(files), unmatched, nil
}

// plain strips the operation and paths from a file error: the message names the
// path itself.
func plain(err error) error {
	var path *fs.PathError
	var link *os.LinkError
	switch {
	case errors.As(err, &path):
		return path.Err
	case errors.As(err, &link):
		return link.Err
	}
	return err
}

// checkOutputs tells of every output that cannot be written, or that would take
// the place of an input, before any work is done.
func checkOutputs(outputs, inputs []string) error {
	var problems []error
	for _, o := range outputs {
		if err := checkOutput(o, inputs); err != nil {
			problems = append(problems, fmt.Errorf("output %q: %w", o, err))
		}
	}
	return errors.Join(problems...)
}

func checkOutput(output string, inputs []string) error {
	if dir, err := os.Stat(filepath.Dir(output)); err != nil {
		return plain(err)
	} else if !dir.IsDir() {
		return fmt.Errorf("%q is not a folder", filepath.Dir(output))
	}
	there, err := os.Stat(output)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil
	case err != nil:
		return plain(err)
	case there.IsDir():
		return errors.New("is a folder")
	case !there.Mode().IsRegular():
		return errors.New("is no regular file, and would be replaced by one")
	}
	for _, in := range inputs {
		if info, err := os.Stat(in); err == nil && os.SameFile(info, there) {
			return fmt.Errorf("would overwrite the input %q", in)
		}
	}
	return nil
}

// writeFile writes a file whole or not at all: write fills a temporary file
// beside it, which then takes its name.
//
// A link is followed: what it points to is written.
func writeFile(path string, write func(io.Writer) error) (err error) {
	if target, err := filepath.EvalSymlinks(path); err == nil {
		path = target
	}
	f, err := createBeside(path)
	if err != nil {
		return fmt.Errorf("output %q: %w", path, plain(err))
	}
	defer func() {
		if err != nil {
			f.Close()
			os.Remove(f.Name())
		}
	}()
	if err := write(f); err != nil {
		return fmt.Errorf("output %q: %w", path, plain(err))
	}
	if err := f.Close(); err != nil {
		return fmt.Errorf("output %q: %w", path, plain(err))
	}
	if err := os.Rename(f.Name(), path); err != nil {
		return fmt.Errorf("output %q: %w", path, plain(err))
	}
	return nil
}

// createBeside creates a new file in the folder of path. Unlike that of
// os.CreateTemp its mode is what the user's umask makes of a new file's.
func createBeside(path string) (*os.File, error) {
	for try := 0; ; try++ {
		name := filepath.Join(filepath.Dir(path), fmt.Sprintf(".bulkhead-%08x", rand.Uint32()))
		f, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o666)
		if !errors.Is(err, fs.ErrExist) || try == 100 {
			return f, err
		}
	}
}

// colour reports whether w is a terminal that wants colour (https://no-color.org).
func colour(w io.Writer) bool {
	f, ok := w.(*os.File)
	return ok && term.IsTerminal(int(f.Fd())) && os.Getenv("NO_COLOR") == "" && os.Getenv("TERM") != "dumb"
}

// width returns the columns of the terminal that w is, or 100.
func width(w io.Writer) int {
	if f, ok := w.(*os.File); ok {
		if n, _, err := term.GetSize(int(f.Fd())); err == nil && n > 0 {
			return n
		}
	}
	return 100
}
