package cli

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"bulkhead/capture"
	"bulkhead/capture/pcap"
	"bulkhead/capture/store"
	"bulkhead/internal/cache"
)

// standardInput is how standard input is named.
const standardInput = "-"

// captureFile is a capture to be read.
type captureFile struct {
	path   string // as the user named it, or below the folder so named; with slashes
	size   int64  // 0 if it is not known
	open   func() (*os.File, error)
	stream bool // a pipe or a device: it may keep whoever opens or reads it waiting

	id     cache.Identity
	at     time.Time // when id was taken
	cached bool      // whether its result may be in the cache, or put there
}

// storedFile is a file of observations, read.
type storedFile struct {
	path string
	obs  *capture.Observations
}

// inputs are what a user named, each file once.
type inputs struct {
	captures []*captureFile
	stored   []*storedFile
}

// paths lists the paths of all inputs.
func (in *inputs) paths() []string {
	var paths []string
	for _, c := range in.captures {
		paths = append(paths, c.path)
	}
	for _, s := range in.stored {
		paths = append(paths, s.path)
	}
	return paths
}

// findInputs finds what names stand for: files, folders with all that is in them,
// patterns that no shell expanded, and standard input. What a file is, a capture
// or observations, its first bytes say. The files of a folder that are neither are
// left out and told on told; whatever else cannot be an input is in the error,
// all of it.
func findInputs(told io.Writer, names []string) (*inputs, error) {
	f := finder{told: told, captureOf: map[string]*captureFile{}, storedOf: map[string]*storedFile{}}
	for _, name := range names {
		f.named(name)
	}
	return &f.inputs, errors.Join(f.problems...)
}

// finder gathers inputs.
type finder struct {
	inputs
	told      io.Writer
	captureOf map[string]*captureFile // by what tells a file from others, whatever its name
	storedOf  map[string]*storedFile
	problems  []error
}

func (f *finder) problem(path string, err error) {
	f.problems = append(f.problems, fmt.Errorf("capture %q: %w", path, plain(err)))
}

// named takes an argument.
func (f *finder) named(name string) {
	if name == standardInput {
		f.standardInput()
		return
	}
	_, err := os.Stat(name)
	if err == nil || !strings.ContainsAny(name, "*?[") {
		f.path(name)
		return
	}
	matches, err := filepath.Glob(name)
	switch {
	case err != nil:
		f.problem(name, err)
	case len(matches) == 0:
		f.problem(name, errors.New("no such file, and no file fits it as a pattern"))
	}
	for _, m := range matches {
		f.path(m)
	}
}

// path takes a file or folder.
func (f *finder) path(path string) {
	open := func() (*os.File, error) { return os.Open(path) }
	info, err := os.Stat(path)
	switch {
	case err != nil:
		f.problem(path, err)
	case info.IsDir():
		f.folder(path)
	case info.Mode().IsRegular():
		err := f.file(path, open)
		var other *notCapture
		switch {
		case errors.As(err, &other) && info.Size() == 0:
			// What a full disk leaves of a capture: the engine says so.
			f.add(&captureFile{path: filepath.ToSlash(path), open: open}, absolute(path))
		case err != nil:
			f.problem(path, err)
		}
	default:
		f.add(&captureFile{path: filepath.ToSlash(path), stream: true, open: open}, absolute(path))
	}
}

// standardInput takes standard input: a pipe, or the file that it was redirected
// from.
func (f *finder) standardInput() {
	if f.captureOf[standardInput] != nil || f.storedOf[standardInput] != nil {
		f.problem(standardInput, errors.New("standard input can be read once"))
		return
	}
	info, err := os.Stdin.Stat()
	if err != nil {
		f.problem(standardInput, err)
		return
	}
	if info.Mode().IsRegular() && isStored(os.Stdin) {
		if err := f.addStored(standardInput, standardInput, os.Stdin, info.Size()); err != nil {
			f.problem(standardInput, err)
		}
		return
	}
	c := &captureFile{path: standardInput, stream: true, open: func() (*os.File, error) { return os.Stdin, nil }}
	if info.Mode().IsRegular() {
		c.size = info.Size()
	}
	f.add(c, standardInput)
}

// notCapture is a file that is no input, by what it is instead.
type notCapture struct{ is string }

func (e *notCapture) Error() string {
	if e.is == "" {
		return "not a capture file"
	}
	return fmt.Sprintf("not a capture file: %s", e.is)
}

// file takes a regular file. The error is a *notCapture if it is something else,
// or that of reading it.
func (f *finder) file(path string, open func() (*os.File, error)) error {
	at := time.Now()
	file, err := open()
	if err != nil {
		return err
	}
	defer file.Close()
	info, err := file.Stat()
	if err != nil {
		return err
	}
	id, identified := cache.Identify(file)
	key := absolute(path)
	if identified {
		key = id.Name()
	}
	path = filepath.ToSlash(path)
	if isStored(file) {
		return f.addStored(path, key, file, info.Size())
	}
	if err := checkCapture(file); err != nil {
		return err
	}
	cached := identified && info.Size() >= worthKeeping
	f.add(&captureFile{path: path, size: info.Size(), open: open, id: id, at: at, cached: cached}, key)
	return nil
}

// add adds a capture. Of a file with several names the lowest counts, so that the
// order of the arguments does not.
func (f *finder) add(c *captureFile, key string) {
	if before := f.captureOf[key]; before != nil {
		if c.path < before.path {
			*before = *c
		}
		return
	}
	f.captureOf[key] = c
	f.captures = append(f.captures, c)
}

func (f *finder) addStored(path, key string, file io.ReaderAt, size int64) error {
	if before := f.storedOf[key]; before != nil {
		before.path = min(before.path, path)
		return nil
	}
	obs, err := store.Read(file, size)
	if err != nil {
		return fmt.Errorf("observations: %w", err)
	}
	s := &storedFile{path, obs}
	f.storedOf[key] = s
	f.stored = append(f.stored, s)
	return nil
}

// isStored reports whether a file says that it is Parquet, as files of
// observations are.
func isStored(file io.ReaderAt) bool {
	var magic [4]byte
	n, _ := file.ReadAt(magic[:], 0)
	return string(magic[:n]) == "PAR1"
}

// headBytes is how much of a file is looked at to say whether it is a capture:
// more than a block of any archive that captures come in.
const headBytes = 1 << 20

// checkCapture says why a file is no capture, if that can be told from its head.
// A damaged one is a capture, and so is one in a format that is not read: those
// are the engine's to report.
func checkCapture(file io.ReaderAt) error {
	r, err := pcap.NewReader(io.NewSectionReader(file, 0, headBytes))
	if err == nil {
		r.Close()
		return nil
	}
	var format *pcap.FormatError
	var failed *fs.PathError
	switch {
	case errors.Is(err, pcap.ErrNotCapture):
		return &notCapture{}
	case errors.As(err, &format) && strings.HasSuffix(format.Format, "archive"):
		return &notCapture{format.Format}
	case errors.As(err, &failed):
		return failed
	}
	return nil
}

// absolute returns what a file is called wherever and however it is named.
func absolute(path string) string {
	if p, err := filepath.EvalSymlinks(path); err == nil {
		path = p
	}
	if p, err := filepath.Abs(path); err == nil {
		path = p
	}
	return path
}

// folder takes all captures and observations below a folder, in sorted order. A
// link in it is not followed: what it leads to is found by itself, or lies
// outside.
func (f *finder) folder(path string) {
	root, err := os.OpenRoot(path)
	if err != nil {
		f.problem(path, err)
		return
	}
	defer root.Close()
	var left []string
	before, taken := len(f.problems), 0
	err = fs.WalkDir(root.FS(), ".", func(name string, d fs.DirEntry, err error) error {
		name = filepath.FromSlash(name)
		full := filepath.Join(path, name)
		switch {
		case err != nil:
			f.problem(full, err)
			if d != nil && d.IsDir() {
				return fs.SkipDir
			}
		case d.IsDir():
		case d.Type()&fs.ModeSymlink != 0:
			if _, err := root.Stat(name); err != nil {
				left = append(left, fmt.Sprintf("%q (a link that leads out of the folder, or nowhere)", name))
			}
		case !d.Type().IsRegular():
			left = append(left, fmt.Sprintf("%q (not a file)", name))
		default:
			err := f.file(full, func() (*os.File, error) { return os.OpenInRoot(path, name) })
			var other *notCapture
			switch {
			case err == nil:
				taken++
			case errors.As(err, &other) && other.is != "":
				left = append(left, fmt.Sprintf("%q (%s)", name, other.is))
			case errors.As(err, &other):
				left = append(left, fmt.Sprintf("%q", name))
			default:
				f.problem(full, err)
			}
		}
		return nil
	})
	if err != nil {
		f.problem(path, err)
	}
	if len(left) > 0 {
		fmt.Fprintf(f.told, "bulkhead: folder %q: %s no capture and left out: %s\n", path, count(len(left), "file is", "files are"), some(left))
	}
	if taken == 0 && len(f.problems) == before {
		f.problem(path, errors.New("no capture in the folder"))
	}
}

// count puts the number in front of the word for one or for several.
func count(n int, one, several string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%s %s", thousands(uint64(n)), several)
}

// some lists the first few names, and how many more there are.
func some(names []string) string {
	const shown = 5
	if len(names) <= shown {
		return strings.Join(names, ", ")
	}
	return fmt.Sprintf("%s and %s more", strings.Join(names[:shown], ", "), thousands(uint64(len(names)-shown)))
}
