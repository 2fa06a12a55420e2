package model

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"gopkg.in/yaml.v3"

	"bulkhead/zones"
)

// Limits of what Load reads: twice what 10,000 zones and 30,000 conduits take. They
// keep the worst of models to about a gigabyte of memory and a few seconds.
const (
	MaxBytes = 16 << 20 // of the model file and its includes together
	MaxFiles = 1000     // the model file included

	maxDepth    = 64        // of nesting, with aliases followed
	maxExpanded = 1_000_000 // nodes that aliases may add in all files
	maxMarks    = 2_000_000 // characters that can part two nodes, in all files
)

// files reads the model file and what it includes.
func (r *reader) files(name string) {
	main := node{&yaml.Node{Line: 1, Column: 1}, newSource(name, "")}
	if !fs.ValidPath(name) {
		r.report(main, codeUnreadable, "model %q: not a path inside the model's folder", name)
		return
	}
	r.folder = path.Dir(name)
	r.file(name, main, nil)
}

// file reads one file, which the node at names; above are the files that include
// it, outermost first.
func (r *reader) file(name string, at node, above []string) {
	if len(r.sums) == MaxFiles {
		r.report(at, codeTooLarge, "include %q: more than %d files", name, MaxFiles)
		return
	}
	text, err := r.read(name)
	if err != nil {
		c := codeUnreadable
		if errors.Is(err, errTooLarge) {
			c = codeTooLarge
		}
		r.report(at, c, "%q: %v", name, err)
		return
	}
	sum := sha256.Sum256(text)
	r.sums = append(r.sums, fileSum{name, hex.EncodeToString(sum[:])})

	src := newSource(name, string(text))
	if i := unprintable(src.text); i >= 0 {
		c, size := utf8.DecodeRuneInString(src.text[i:])
		what := fmt.Sprintf("character %U is not allowed", c)
		if c == utf8.RuneError && size < 2 {
			what = fmt.Sprintf("byte 0x%02x is not UTF-8", src.text[i])
		}
		r.reportAt(src, src.position(i), 1, codeBadEncoding, "%q: %s; expected YAML text in UTF-8", name, what)
		return
	}
	if r.marks += marks(src.text); r.marks > maxMarks {
		r.report(at, codeTooLarge, "%q: more than %d values", name, maxMarks)
		return
	}
	root, ok := r.parse(src)
	if !ok || !r.bounded(root) {
		return
	}
	r.document(root, append(slices.Clone(above), name))
}

var errTooLarge = fmt.Errorf("larger than the limit of %d MiB for a model and its includes", MaxBytes>>20)

// read returns a file's bytes if it and those read before stay within the limit.
func (r *reader) read(name string) ([]byte, error) {
	// Asked first: to open a named pipe can take for ever.
	if info, err := fs.Stat(r.fsys, name); err != nil {
		return nil, plain(err)
	} else if !info.Mode().IsRegular() {
		return nil, errors.New("not a regular file")
	}
	f, err := r.fsys.Open(name)
	if err != nil {
		return nil, plain(err)
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, int64(MaxBytes-r.bytes)+1))
	if err != nil {
		return nil, plain(err)
	}
	if r.bytes += len(text); r.bytes > MaxBytes {
		r.bytes = MaxBytes
		return nil, errTooLarge
	}
	return text, nil
}

// plain takes the operation and path off a file error: the message has them.
func plain(err error) error {
	var p *fs.PathError
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return errors.New("no such file")
	case errors.As(err, &p):
		return p.Err
	}
	return err
}

// marks counts the characters that can part two nodes: an upper bound of the
// nodes, known before the parser allocates them.
func marks(text string) int {
	n := 0
	for i := range len(text) {
		switch text[i] {
		case '\n', '\r', ',', ':', '-', '[', '{', '?':
			n++
		}
	}
	return n
}

var (
	yamlLine = regexp.MustCompile(`^yaml: line ([0-9]+): (.*)$`)
	// The parser's own errors, unlike its scanner's, count lines from 0.
	parserError   = regexp.MustCompile(`^did not find expected (<document start>|node content|'-' indicator|key|',' or '[\]}]')$`)
	unknownAnchor = regexp.MustCompile(`^unknown anchor '(.*)' referenced$`)
)

// parse returns the content of a file's only document.
func (r *reader) parse(src *source) (node, bool) {
	d := yaml.NewDecoder(strings.NewReader(src.text))
	var doc, next yaml.Node
	err := d.Decode(&doc)
	if err == io.EOF || err == nil && len(doc.Content) == 0 {
		r.reportAt(src, zones.Position{File: src.name, Line: 1, Column: 1}, 1, codeEmptyFile, "%q: the file declares nothing", src.name)
		return node{}, false
	}
	if err != nil {
		r.syntax(src, err)
		return node{}, false
	}
	switch err := d.Decode(&next); {
	case err == io.EOF:
	case err != nil:
		r.syntax(src, err)
		return node{}, false
	default:
		r.report(node{&next, src}, codeManyDocuments, "%q: a second YAML document begins here; expected one in a file", src.name)
		return node{}, false
	}
	return node{&doc, src}.child(doc.Content[0]), true
}

// syntax reports an error of the YAML parser, which tells at most a line.
func (r *reader) syntax(src *source, err error) {
	text, line := strings.TrimPrefix(err.Error(), "yaml: "), 1
	if m := yamlLine.FindStringSubmatch(err.Error()); m != nil {
		text = m[2]
		line, _ = strconv.Atoi(m[1])
		if parserError.MatchString(text) {
			line++
		}
	}
	if m := unknownAnchor.FindStringSubmatch(text); m != nil {
		if i := strings.Index(src.text, "*"+m[1]); i >= 0 {
			r.reportAt(src, src.position(i), 1+utf8.RuneCountInString(m[1]), codeSyntax, "alias %q: no anchor of that name comes before it", "*"+m[1])
			return
		}
	}
	// The scanner calls a tab a character that cannot start any token, or finds
	// fault with the line before it.
	for n := max(line-1, 1); n <= line+1; n++ {
		shown := src.line(n)
		indent := shown[:len(shown)-len(strings.TrimLeft(shown, " \t"))]
		if i := strings.IndexByte(indent, '\t'); i >= 0 {
			r.reportAt(src, zones.Position{File: src.name, Line: n, Column: i + 1}, 1, codeTab, "a tab indents this line; expected spaces")
			return
		}
	}
	line = min(max(line, 1), len(src.starts))
	shown := src.line(line)
	body := strings.TrimLeft(shown, " ")
	at := zones.Position{File: src.name, Line: line, Column: 1 + len(shown) - len(body)}
	r.reportAt(src, at, utf8.RuneCountInString(body), codeSyntax, "not valid YAML here or in what begins here: %s", text)
}

// bounded checks that a document, with its aliases followed, is neither too deep
// nor too large nor endless.
func (r *reader) bounded(root node) bool {
	type extent struct{ nodes, depth int }
	known := make(map[*yaml.Node]extent) // of anchored nodes
	open := make(map[*yaml.Node]bool)    // anchored nodes that are being measured
	ok := true
	fail := func(n *yaml.Node, c code, format string, args ...any) extent {
		if ok {
			ok = false
			r.report(node{n, root.file}, c, format, args...)
		}
		return extent{}
	}
	var measure func(n *yaml.Node, depth int) extent
	measure = func(n *yaml.Node, depth int) extent {
		if !ok {
			return extent{}
		}
		if n.Kind == yaml.AliasNode {
			if open[n.Alias] {
				return fail(n, codeAliasCycle, "alias %q stands inside its own anchor", "*"+n.Value)
			}
			e := known[n.Alias]
			if r.expanded += e.nodes; r.expanded > maxExpanded {
				return fail(n, codeAliasLimit, "alias %q: aliases repeat more than %d values", "*"+n.Value, maxExpanded)
			}
			if depth+e.depth > maxDepth {
				return fail(n, codeTooDeep, "alias %q: values nest deeper than %d levels", "*"+n.Value, maxDepth)
			}
			return e
		}
		if depth > maxDepth {
			return fail(n, codeTooDeep, "values nest deeper than %d levels", maxDepth)
		}
		if n.Anchor != "" {
			open[n] = true
		}
		e := extent{nodes: 1}
		for _, c := range n.Content {
			inner := measure(c, depth+1)
			e.nodes += inner.nodes
			e.depth = max(e.depth, inner.depth+1)
		}
		if n.Anchor != "" {
			delete(open, n)
			known[n] = e
		}
		return e
	}
	measure(root.Node, 1)
	return ok
}

// include reads the files that a pattern names, in the folder of the file in
// which it stands.
func (r *reader) include(n node, above []string) {
	what := "include"
	pattern, ok := r.text(n, what)
	if !ok {
		return
	}
	if !fs.ValidPath(pattern) || strings.ContainsAny(pattern, `\:`) {
		r.report(n, codeIncludeOutside, "include %q: expected a path below the model's folder, with / between its parts and without ..", pattern)
		return
	}
	dir := path.Dir(n.file.name)
	folder, err := fs.Sub(r.fsys, dir)
	if err != nil {
		r.report(n, codeUnreadable, "include %q: %v", pattern, plain(err))
		return
	}
	// Only Open is left of the folder, for its own Glob takes a "[" in the folder's
	// name for a pattern.
	names, err := fs.Glob(struct{ fs.FS }{folder}, pattern)
	if err != nil {
		r.report(n, codeBadValue, "include %q: not a valid pattern", pattern)
		return
	}
	if len(names) == 0 {
		// A link that leaves the folder matches nothing either; os.Root tells.
		switch _, err := fs.Stat(folder, pattern); {
		case err == nil, errors.Is(err, fs.ErrNotExist):
			r.report(n, codeIncludeMissing, "include %q: there is no such file", pattern)
		case errors.Is(err, fs.ErrPermission):
			r.report(n, codeUnreadable, "include %q: %v", pattern, plain(err))
		default:
			r.report(n, codeIncludeOutside, "include %q: %v; expected a file below the model's folder", pattern, plain(err))
		}
		return
	}
	slices.Sort(names)
	for _, name := range names {
		name = path.Join(dir, name)
		switch {
		case slices.Contains(above, name):
			r.report(n, codeIncludeCycle, "include %q: %q is the file itself or one that includes it", pattern, name)
		case slices.ContainsFunc(r.sums, func(f fileSum) bool { return f.name == name }):
			r.report(n, codeIncludeRepeated, "include %q: %q is included already", pattern, name)
		default:
			r.file(name, n, above)
		}
	}
}

// fileSum is a file that was read and the SHA-256 of its bytes, in hexadecimal.
type fileSum struct{ name, sum string }

// hash returns the model's SHA-256, see Load.
func (r *reader) hash() string {
	included := slices.Clone(r.sums[1:])
	slices.SortFunc(included, func(a, b fileSum) int { return strings.Compare(a.name, b.name) })
	var list bytes.Buffer
	for _, f := range append(r.sums[:1:1], included...) {
		name := f.name
		if r.folder != "." {
			name = strings.TrimPrefix(name, r.folder+"/")
		}
		fmt.Fprintf(&list, "%s  %s\n", f.sum, name)
	}
	sum := sha256.Sum256(list.Bytes())
	return hex.EncodeToString(sum[:])
}
