package diagram

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"sync"

	"github.com/goccy/go-graphviz"

	"bulkhead/model"
	"bulkhead/rules"
)

// oneAtATime guards Graphviz: go-graphviz runs all of its instances in one
// WebAssembly module with one memory.
var oneAtATime sync.Mutex

// SVG returns the drawing that [DOT] describes, laid out by Graphviz. The bytes
// depend on m and a alone.
//
// ctx is looked at before the layout starts; a layout that runs is not broken
// off.
func SVG(ctx context.Context, m *model.Model, a *rules.Assessment) ([]byte, error) {
	oneAtATime.Lock()
	defer oneAtATime.Unlock()
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	raw, err := layout(ctx, DOT(m, a))
	if err != nil {
		return nil, fmt.Errorf("graphviz: %w", err)
	}
	return finish(raw)
}

// layout runs Graphviz's dot over source. What closing returns is left aside:
// the memory is given back all the same, and go-graphviz repeats an older warning
// there as if it were an error.
func layout(ctx context.Context, source string) ([]byte, error) {
	g, err := graphviz.New(ctx)
	if err != nil {
		return nil, err
	}
	defer g.Close()
	graph, err := graphviz.ParseBytes([]byte(source))
	if err != nil {
		return nil, err
	}
	if graph == nil {
		return nil, errors.New("it could not read its source")
	}
	defer graph.Close()
	var out bytes.Buffer
	if err := g.Render(ctx, graph, graphviz.SVG, &out); err != nil {
		return nil, err
	}
	return out.Bytes(), nil
}

// finish takes Graphviz's document type, version comment and font name off and
// puts the families and patterns on.
func finish(raw []byte) ([]byte, error) {
	start := bytes.Index(raw, []byte("<svg "))
	if start < 0 {
		return nil, errors.New("graphviz wrote no drawing")
	}
	raw = raw[start:]
	open := bytes.IndexByte(raw, '>') + 1
	var out bytes.Buffer
	out.WriteString(`<?xml version="1.0" encoding="UTF-8"?>` + "\n")
	out.WriteString(`<svg role="img" font-family="Helvetica,Arial,sans-serif" `)
	out.Write(raw[len("<svg "):open])
	out.WriteString("\n<style>" + stylesheet + "</style>")
	out.Write(bytes.ReplaceAll(raw[open:], []byte(` font-family="Helvetica,sans-Serif"`), nil))
	return out.Bytes(), nil
}
