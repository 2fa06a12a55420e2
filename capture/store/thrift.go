package store

import (
	"encoding/binary"
	"errors"
	"fmt"
)

// The library's Thrift decoder allocates a list of the length that the list
// claims, and follows structures as deep as they go. span walks a value first and
// admits only what holds no more than its bytes can.
//
// Source: Apache Thrift compact protocol specification, "Struct encoding" and
// "List and set".

// Types of the compact protocol.
const (
	thriftStop   = 0
	thriftTrue   = 1
	thriftFalse  = 2
	thriftByte   = 3
	thriftInt16  = 4
	thriftInt32  = 5
	thriftInt64  = 6
	thriftDouble = 7
	thriftBinary = 8
	thriftList   = 9
	thriftStruct = 12
)

const (
	maxDepth   = 16      // Parquet's own structures are seven deep
	maxStructs = 1 << 19 // in lists; four million conversations need some 400,000
)

var errCut = errors.New("it ends inside a structure")

// span returns how many bytes the struct at the start of b takes.
func span(b []byte) (int, error) {
	w := walk{b: b}
	if err := w.value(thriftStruct, 0); err != nil {
		return 0, err
	}
	return w.at, nil
}

type walk struct {
	b       []byte
	at      int
	structs int
}

func (w *walk) skip(n uint64) error {
	if n > uint64(len(w.b)-w.at) {
		return errCut
	}
	w.at += int(n)
	return nil
}

func (w *walk) byte() (byte, error) {
	if w.at == len(w.b) {
		return 0, errCut
	}
	w.at++
	return w.b[w.at-1], nil
}

func (w *walk) varint() (uint64, error) {
	v, n := binary.Uvarint(w.b[w.at:])
	if n <= 0 {
		return 0, errCut
	}
	w.at += n
	return v, nil
}

func (w *walk) value(typ byte, depth int) error {
	if depth > maxDepth {
		return fmt.Errorf("structures more than %d deep", maxDepth)
	}
	switch typ {
	case thriftTrue, thriftFalse: // the type is the value
		return nil
	case thriftByte:
		return w.skip(1)
	case thriftInt16, thriftInt32, thriftInt64:
		_, err := w.varint()
		return err
	case thriftDouble:
		return w.skip(8)
	case thriftBinary:
		n, err := w.varint()
		if err != nil {
			return err
		}
		return w.skip(n)
	case thriftList:
		return w.list(depth)
	case thriftStruct:
		return w.fields(depth)
	}
	return fmt.Errorf("type %d, which Parquet has no use for", typ)
}

func (w *walk) fields(depth int) error {
	for {
		head, err := w.byte()
		if err != nil {
			return err
		}
		typ := head & 0x0f
		if typ == thriftStop {
			return nil
		}
		if head>>4 == 0 { // the field's number follows
			if _, err := w.varint(); err != nil {
				return err
			}
		}
		if err := w.value(typ, depth+1); err != nil {
			return err
		}
	}
}

func (w *walk) list(depth int) error {
	head, err := w.byte()
	if err != nil {
		return err
	}
	n := uint64(head >> 4)
	if n == 15 {
		if n, err = w.varint(); err != nil {
			return err
		}
	}
	typ := head & 0x0f
	if n > uint64(len(w.b)-w.at) { // no element takes less than a byte
		return errCut
	}
	switch typ {
	case thriftTrue, thriftFalse:
		return w.skip(n)
	case thriftStruct:
		if w.structs += int(n); w.structs > maxStructs {
			return fmt.Errorf("lists of more than %d structures", maxStructs)
		}
	}
	for range n {
		if err := w.value(typ, depth+1); err != nil {
			return err
		}
	}
	return nil
}
