package main

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"strings"
)

// published writes what report writes to standard output and, unless file is
// empty, between the markers called name in it. An error of report is returned
// after what it wrote was published.
func published(file, name string, report func(io.Writer) error) error {
	var text bytes.Buffer
	failed := report(io.MultiWriter(os.Stdout, &text))
	if file == "" || text.Len() == 0 {
		return failed
	}
	page, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	page, err = replaceBetween(page, name, text.Bytes())
	if err != nil {
		return fmt.Errorf("%s: %w", file, err)
	}
	if err := os.WriteFile(file, page, 0o644); err != nil {
		return err
	}
	return failed
}

// replaceBetween puts text between the lines <!-- bench:name --> and
// <!-- /bench:name --> of page.
func replaceBetween(page []byte, name string, text []byte) ([]byte, error) {
	open, end := []byte("<!-- bench:"+name+" -->\n"), []byte("<!-- /bench:"+name+" -->\n")
	before, rest, ok := bytes.Cut(page, open)
	if !ok {
		return nil, fmt.Errorf("no line %q", bytes.TrimSpace(open))
	}
	_, after, ok := bytes.Cut(rest, end)
	if !ok {
		return nil, fmt.Errorf("no line %q", bytes.TrimSpace(end))
	}
	return bytes.Join([][]byte{before, open, []byte("\n"), bytes.TrimSpace(text), []byte("\n\n"), end, after}, nil), nil
}

// table writes rows as Markdown, the first of them as its head; columns from
// number on are aligned right.
func table(w io.Writer, number int, rows [][]string) error {
	var b strings.Builder
	for i, row := range rows {
		fmt.Fprintf(&b, "| %s |\n", strings.Join(row, " | "))
		if i == 0 {
			b.WriteString("|" + strings.Repeat("---|", number) + strings.Repeat("---:|", len(row)-number) + "\n")
		}
	}
	_, err := io.WriteString(w, b.String())
	return err
}
