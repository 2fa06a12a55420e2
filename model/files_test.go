package model_test

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"io/fs"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"bulkhead/model"
)

const minimal = "version: 1\nsystem: {id: t}\nzones: [{id: a, kind: control, sl-t: 1}]\n"

// codes returns "file:line:column code" of each diagnostic.
func codes(ds []model.Diagnostic) string {
	var out []string
	for _, d := range ds {
		out = append(out, d.Position.String()+" "+d.Code)
	}
	return strings.Join(out, ", ")
}

func TestReading(t *testing.T) {
	deep := "version: 1\nsystem: {id: t}\nzones: " + strings.Repeat("[", 200) + strings.Repeat("]", 200) + "\n"
	bomb := "version: 1\nsystem: {id: t}\nzones:\n  - &a0 [x, x, x, x, x, x, x, x, x, x]\n"
	for i := range 9 {
		bomb += fmt.Sprintf("  - &a%d [%s]\n", i+1, strings.TrimSuffix(strings.Repeat(fmt.Sprintf("*a%d, ", i), 10), ", "))
	}
	chain := "version: 1\nsystem: {id: t}\nzones:\n  - &a0 [x]\n"
	for i := range 100 {
		chain += fmt.Sprintf("  - &a%d [*a%d]\n", i+1, i)
	}
	for _, test := range []struct {
		name, text, want string
	}{
		{"empty", "", "plant.yaml:1:1 empty-file"},
		{"comments only", "# nothing\n\n", "plant.yaml:1:1 empty-file"},
		{"byte order mark", "\ufeff" + minimal, ""},
		{"CRLF", strings.ReplaceAll(minimal, "\n", "\r\n"), ""},
		{"CRLF place", strings.ReplaceAll(minimal+"tap: []\n", "\n", "\r\n"), "plant.yaml:4:1 unknown-key"},
		{"bad UTF-8", minimal + "# caf\xe9\n", "plant.yaml:4:6 bad-encoding"},
		{"UTF-16", "\xff\xfev\x00e\x00", "plant.yaml:1:1 bad-encoding"},
		{"a capture", "\n\r\r\n\x1c\x00\x00\x00", "plant.yaml:4:1 bad-encoding"},
		{"control character", minimal + "taps: [\"\x07\"]\n", "plant.yaml:4:9 bad-encoding"},
		{"line break that editors do not show", minimal + "# a\u2028b\n", "plant.yaml:4:4 bad-encoding"},
		{"code points, not bytes", strings.Replace(minimal, "id: a,", "name: Öl, nme: x, id: a,", 1), "plant.yaml:3:20 unknown-key"},
		{"deep nesting", deep, "plant.yaml:3:71 too-deep"},
		{"alias bomb", bomb, "plant.yaml:9:45 alias-limit"},
		{"deep aliases", chain, "plant.yaml:65:11 too-deep"},
		{"nothing after a key", "version: 1\nsystem: {id: t}\nzones:\n", "plant.yaml:3:7 wrong-kind"},
		{"second document", minimal + "---\n" + minimal, "plant.yaml:4:1 multiple-documents"},
	} {
		t.Run(test.name, func(t *testing.T) {
			m, ds := load(test.text)
			if got := codes(ds); got != test.want {
				t.Errorf("found %q, want %q", got, test.want)
				for _, d := range ds {
					t.Log(show(d))
				}
			}
			if (m == nil) != (test.want != "") {
				t.Errorf("model is nil: %v", m == nil)
			}
		})
	}
}

func TestIncludes(t *testing.T) {
	main := func(include string) string { return minimal + "include: " + include + "\n" }
	zone := func(id string) string { return "zones: [{id: " + id + ", kind: control, sl-t: 1}]\n" }
	for _, test := range []struct {
		name  string
		files map[string]string
		want  string
	}{
		{"pattern", map[string]string{"plant.yaml": main("[zones/*.yaml]"), "zones/b.yaml": zone("b"), "zones/c.yaml": zone("c")}, ""},
		{"nested, relative to the file", map[string]string{"plant.yaml": main("[zones/b.yaml]"), "zones/b.yaml": zone("b") + "include: [more/c.yaml]\n",
			"zones/more/c.yaml": zone("c")}, ""},
		{"bracket in a folder's name", map[string]string{"plant.yaml": main("['*/b.yaml']"), "[z]/b.yaml": "include: [c.yaml]\n", "[z]/c.yaml": zone("c")}, ""},
		{"names across files", map[string]string{"plant.yaml": main("[b.yaml]"), "b.yaml": zone("a")}, "b.yaml:1:14 duplicate-id"},
		{"missing", map[string]string{"plant.yaml": main("[b.yaml]")}, "plant.yaml:4:11 include-missing"},
		{"leaves the folder", map[string]string{"plant.yaml": main("[b/../../c.yaml]")}, "plant.yaml:4:11 include-outside"},
		{"back-slashes", map[string]string{"plant.yaml": main(`['..\c.yaml']`)}, "plant.yaml:4:11 include-outside"},
		{"drive", map[string]string{"plant.yaml": main("['C:/c.yaml']")}, "plant.yaml:4:11 include-outside"},
		{"itself", map[string]string{"plant.yaml": main("['*.yaml']")}, "plant.yaml:4:11 include-cycle"},
		{"cycle", map[string]string{"plant.yaml": main("[b.yaml]"), "b.yaml": "include: [plant.yaml]\n"}, "b.yaml:1:11 include-cycle"},
		{"repeated", map[string]string{"plant.yaml": main("[b.yaml, '?.yaml']"), "b.yaml": zone("b")}, "plant.yaml:4:19 include-repeated"},
		{"a folder", map[string]string{"plant.yaml": main("[zones]"), "zones/b.yaml": zone("b")}, "plant.yaml:4:11 unreadable"},
		{"bad pattern", map[string]string{"plant.yaml": main("['[']")}, "plant.yaml:4:11 bad-value"},
		{"system", map[string]string{"plant.yaml": main("[b.yaml]"), "b.yaml": "system: {id: u}\npolicy: {}\n"},
			"b.yaml:1:9 misplaced-section, b.yaml:2:9 misplaced-section"},
		{"error in an included file", map[string]string{"plant.yaml": main("[b.yaml]"), "b.yaml": "zones: [{id: b, kind: x, sl-t: 9}]\n"},
			"b.yaml:1:23 bad-value, b.yaml:1:32 sl-range"},
	} {
		t.Run(test.name, func(t *testing.T) {
			fsys := fstest.MapFS{}
			for name, text := range test.files {
				fsys[name] = &fstest.MapFile{Data: []byte(text)}
			}
			_, ds := model.Load(fsys, "plant.yaml", nil)
			if got := codes(ds); got != test.want {
				t.Errorf("found %q, want %q", got, test.want)
				for _, d := range ds {
					t.Log(show(d))
				}
			}
		})
	}
}

func TestUnreadable(t *testing.T) {
	for _, name := range []string{"none.yaml", "../plant.yaml", "/plant.yaml", "", "."} {
		m, ds := model.Load(fstest.MapFS{}, name, nil)
		if m != nil || len(ds) != 1 || ds[0].Code != "unreadable" {
			t.Errorf("%q: %v", name, codes(ds))
		}
	}
}

// endless is a file system whose one file never ends.
type endless struct{ read int }

func (e *endless) Open(string) (fs.File, error) { return e, nil }
func (e *endless) Stat() (fs.FileInfo, error)   { return e, nil }
func (e *endless) Close() error                 { return nil }
func (e *endless) Name() string                 { return "plant.yaml" }
func (e *endless) Size() int64                  { return 200 << 20 }
func (e *endless) Mode() fs.FileMode            { return 0o644 }
func (e *endless) ModTime() time.Time           { return time.Time{} }
func (e *endless) IsDir() bool                  { return false }
func (e *endless) Sys() any                     { return nil }

func (e *endless) Read(b []byte) (int, error) {
	for i := range b {
		b[i] = '#'
	}
	e.read += len(b)
	return len(b), nil
}

var _ io.Reader = (*endless)(nil)

// pipe is a file system whose one file is a named pipe, which nobody may open.
type pipe struct{ t *testing.T }

func (p pipe) Open(name string) (fs.File, error) {
	p.t.Errorf("opened %q, which could take for ever", name)
	return nil, fs.ErrInvalid
}

func (p pipe) Stat(string) (fs.FileInfo, error) { return pipeInfo{new(endless)}, nil }

type pipeInfo struct{ *endless }

func (pipeInfo) Mode() fs.FileMode { return fs.ModeNamedPipe | 0o644 }

func TestPipeIsNotOpened(t *testing.T) {
	m, ds := model.Load(pipe{t}, "plant.yaml", nil)
	if m != nil || codes(ds) != "plant.yaml:1:1 unreadable" {
		t.Errorf("found %s", codes(ds))
	}
}

func TestHugeFileIsNotRead(t *testing.T) {
	e := new(endless)
	m, ds := model.Load(e, "plant.yaml", nil)
	if m != nil || codes(ds) != "plant.yaml:1:1 too-large" {
		t.Errorf("found %s", codes(ds))
	}
	if e.read > model.MaxBytes+1 {
		t.Errorf("read %d bytes, %d beyond the limit", e.read, e.read-model.MaxBytes)
	}
}

func TestLimitsHoldForAllFilesTogether(t *testing.T) {
	big := "# " + strings.Repeat("x", model.MaxBytes/2)
	fsys := fstest.MapFS{
		"plant.yaml": {Data: []byte(minimal + "include: ['[ab].yaml']\n")},
		"a.yaml":     {Data: []byte("zones: []\n" + big)},
		"b.yaml":     {Data: []byte("zones: []\n" + big)},
	}
	if _, ds := model.Load(fsys, "plant.yaml", nil); codes(ds) != "plant.yaml:4:11 too-large" {
		t.Errorf("bytes: found %s", codes(ds))
	}
	fsys = fstest.MapFS{"plant.yaml": {Data: []byte(minimal + "taps: [" + strings.Repeat("x,", 5_000_000) + "]\n")}}
	if _, ds := model.Load(fsys, "plant.yaml", nil); codes(ds) != "plant.yaml:1:1 too-large" {
		t.Errorf("values: found %s", codes(ds))
	}
	fsys = fstest.MapFS{"plant.yaml": {Data: []byte(minimal + "include: ['z/*.yaml']\n")}}
	for i := range model.MaxFiles {
		fsys[fmt.Sprintf("z/%04d.yaml", i)] = &fstest.MapFile{Data: []byte("zones: []\n")}
	}
	if _, ds := model.Load(fsys, "plant.yaml", nil); codes(ds) != "plant.yaml:4:11 too-large" {
		t.Errorf("files: found %s", codes(ds))
	}
}

// TestHash repeats the recipe of Load's documentation.
func TestHash(t *testing.T) {
	files := map[string]string{"plant.yaml": minimal + "include: [z/*.yaml, a.yaml]\n", "a.yaml": "taps: []\n", "z/b.yaml": "zones: []\n"}
	for _, folder := range []string{"", "plants/north/"} {
		fsys := fstest.MapFS{}
		list := ""
		for _, name := range []string{"plant.yaml", "a.yaml", "z/b.yaml"} {
			fsys[folder+name] = &fstest.MapFile{Data: []byte(files[name])}
			sum := sha256.Sum256([]byte(files[name]))
			list += hex.EncodeToString(sum[:]) + "  " + name + "\n"
		}
		m, ds := model.Load(fsys, folder+"plant.yaml", nil)
		if m == nil {
			t.Fatal(codes(ds))
		}
		sum := sha256.Sum256([]byte(list))
		if want := hex.EncodeToString(sum[:]); m.SHA256 != want {
			t.Errorf("folder %q: hash %s, want %s", folder, m.SHA256, want)
		}
	}
}

func TestTooManyDiagnostics(t *testing.T) {
	var b strings.Builder
	b.WriteString("version: 1\nsystem: {id: t}\nzones:\n  - {id: a, kind: control, sl-t: 2, networks: [10.0.0.0/8], assets: [")
	for i := range 1500 {
		fmt.Fprintf(&b, "{id: w%d, addresses: [172.16.%d.%d]}, ", i, i/250, i%250+1)
	}
	b.WriteString("]}\n")
	for i := range 30_000 {
		fmt.Fprintf(&b, "  - {id: z%d, kind: nowhere, sl-t: 2}\n", i)
	}
	_, ds := load(b.String())
	if len(ds) != model.MaxDiagnostics {
		t.Fatalf("found %d diagnostics", len(ds))
	}
	last := ds[len(ds)-1]
	if want := "and 30501 more problems, not shown"; last.Code != "too-many" || last.Message != want || last.Severity != model.Error {
		t.Errorf("the last is %s", show(last))
	}
	for _, d := range ds {
		if d.Severity == model.Warning {
			t.Fatalf("a warning takes the place of an error: %s", show(d))
		}
	}
}
