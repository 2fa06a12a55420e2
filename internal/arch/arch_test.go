package arch

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path"
	"path/filepath"
	"slices"
	"sort"
	"strconv"
	"strings"
	"testing"
)

// allowed lists, for every package that is not a test helper, the packages of
// this module that it may import: the arrows of DESIGN, spelled out.
var allowed = map[string][]string{
	"internal/mac":     {},
	"zones":            {"internal/mac"},
	"capture":          {"internal/mac"},
	"rules/iec62443":   {"zones"},
	"conduits":         {"zones", "capture"},
	"model":            {"zones", "capture", "conduits", "rules/iec62443", "internal/mac"},
	"rules":            {"zones", "capture", "conduits", "model", "rules/iec62443", "internal/mac"},
	"report":           {"zones", "capture", "conduits", "model", "rules", "rules/iec62443"},
	"diagram":          {"zones", "capture", "conduits", "model", "rules"},
	"capture/pcap":     {"capture"},
	"capture/packet":   {"capture/pcap", "internal/mac"},
	"capture/stream":   {"capture"},
	"capture/protocol": {"capture"},
	"capture/store":    {"capture", "internal/mac"},
	"capture/observe": {"capture", "capture/pcap", "capture/packet", "capture/stream", "capture/protocol",
		"internal/mac"},
	"internal/cache": {"capture", "capture/store"},
	"internal/cli": {"zones", "capture", "capture/observe", "capture/pcap", "capture/store", "conduits", "model", "rules",
		"rules/iec62443", "report", "diagram", "internal/cache"},
	"cmd/bulkhead": {"internal/cli"},
}

// helpers are imported by tests and generators only.
var helpers = []string{"internal/arch", "internal/bench", "internal/corpus", "internal/golden", "internal/lab"}

// libraries says which folders may import a library; "" stands for all of them.
var libraries = map[string][]string{
	"gopkg.in/yaml.v3":             {"model"},
	"github.com/google/gopacket":   {"capture", "internal/lab"},
	"gonum.org/v1/gonum":           {"conduits", "diagram"},
	"github.com/gaissmai/bart":     {"zones", "model"},
	"github.com/goccy/go-graphviz": {"diagram"},
	"github.com/parquet-go":        {"capture/store"},
	"github.com/spf13/cobra":       {"internal/cli"},
	"github.com/spf13/pflag":       {"internal/cli"},
}

// onlyInTests are libraries that the program itself must not need.
var onlyInTests = []string{"github.com/google/go-cmp", "github.com/rogpeppe/go-internal", "github.com/santhosh-tekuri/jsonschema"}

const module = "bulkhead"

type file struct {
	pkg  string // folder below the module's root, slash-separated
	name string
	test bool
	ast  *ast.File
	set  *token.FileSet
}

func sources(t *testing.T) []file {
	t.Helper()
	root := filepath.Join("..", "..")
	var files []file
	err := filepath.WalkDir(root, func(p string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() {
			if p != root && (strings.HasPrefix(d.Name(), ".") || d.Name() == "testdata" || d.Name() == "bin" || d.Name() == "tools") {
				return filepath.SkipDir
			}
			return nil
		}
		if !strings.HasSuffix(p, ".go") {
			return nil
		}
		set := token.NewFileSet()
		f, err := parser.ParseFile(set, p, nil, parser.ParseComments|parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(root, filepath.Dir(p))
		if err != nil {
			return err
		}
		files = append(files, file{filepath.ToSlash(rel), filepath.Base(p), strings.HasSuffix(p, "_test.go"), f, set})
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(files) == 0 {
		t.Fatal("no Go sources found")
	}
	return files
}

func within(pkg, folder string) bool { return pkg == folder || strings.HasPrefix(pkg, folder+"/") }

func isHelper(pkg string) bool {
	return slices.ContainsFunc(helpers, func(h string) bool { return within(pkg, h) })
}

func TestImportDirection(t *testing.T) {
	seen := map[string]bool{}
	for _, f := range sources(t) {
		seen[f.pkg] = true
		may, known := allowed[f.pkg]
		if !known && !isHelper(f.pkg) {
			t.Errorf("%s/%s: package %s has no place in the house: add it to allowed and to docs/design.md", f.pkg, f.name, f.pkg)
			continue
		}
		for _, spec := range f.ast.Imports {
			imported, err := strconv.Unquote(spec.Path.Value)
			if err != nil {
				t.Fatal(err)
			}
			at := f.set.Position(spec.Pos())
			for lib, folders := range libraries {
				if within(imported, lib) && !slices.ContainsFunc(folders, func(d string) bool { return within(f.pkg, d) }) && !f.test {
					t.Errorf("%s: %s may be imported only below %v", at, imported, folders)
				}
			}
			if !f.test && !isHelper(f.pkg) && slices.ContainsFunc(onlyInTests, func(l string) bool { return within(imported, l) }) {
				t.Errorf("%s: %s is for tests only", at, imported)
			}
			own, ok := strings.CutPrefix(imported, module+"/")
			if !ok || isHelper(f.pkg) {
				continue
			}
			if f.test {
				// A test may look further than its package, but decoders know no zones,
				// not even there.
				if within(f.pkg, "capture") && !within(own, "capture") && own != "internal/mac" && !isHelper(own) {
					t.Errorf("%s: a test below capture may not import %s", at, own)
				}
				continue
			}
			if !slices.Contains(may, own) {
				t.Errorf("%s: package %s may not import %s", at, f.pkg, own)
			}
		}
	}
	for pkg := range allowed {
		if !seen[pkg] {
			t.Errorf("package %s is listed and does not exist", pkg)
		}
	}
}

// TestAllowedHasNoCycle guards the table itself.
func TestAllowedHasNoCycle(t *testing.T) {
	var pkgs []string
	for p := range allowed {
		pkgs = append(pkgs, p)
	}
	sort.Strings(pkgs)
	state := map[string]int{}
	var visit func(string)
	visit = func(p string) {
		switch state[p] {
		case 1:
			t.Fatalf("the table of imports has a cycle through %s", p)
		case 2:
			return
		}
		state[p] = 1
		for _, q := range allowed[p] {
			visit(q)
		}
		state[p] = 2
	}
	for _, p := range pkgs {
		visit(p)
	}
}

func TestOnePackageComment(t *testing.T) {
	comments := map[string][]string{}
	for _, f := range sources(t) {
		if f.test {
			continue
		}
		if _, ok := comments[f.pkg]; !ok {
			comments[f.pkg] = nil
		}
		if f.ast.Doc != nil {
			comments[f.pkg] = append(comments[f.pkg], f.name)
			want := "Package " + f.ast.Name.Name + " "
			if f.ast.Name.Name == "main" {
				want = "Command " + path.Base(f.pkg) + " "
			}
			if !strings.HasPrefix(f.ast.Doc.Text(), want) && f.ast.Name.Name != "main" {
				t.Errorf("%s/%s: the package comment does not begin with %q", f.pkg, f.name, want)
			}
		}
	}
	for pkg, files := range comments {
		if len(files) != 1 {
			t.Errorf("package %s has %d package comments %v, want one", pkg, len(files), files)
		}
	}
}
