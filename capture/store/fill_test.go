package store

import (
	"fmt"
	"net/netip"
	"reflect"
	"strings"

	"bulkhead/capture"
	"bulkhead/internal/mac"
)

// filler gives every field of a value a value of its own, other than zero, so
// that what is lost or mixed up on the way to the file and back shows.
type filler struct{ n uint64 }

func (f *filler) next() uint64 { f.n++; return f.n }

// fill sets v, which is addressable, lists with two elements each. It panics on a
// type that it does not know: who adds one to package capture decides here how it
// is filled, and with that whether it can be stored.
func (f *filler) fill(v reflect.Value) {
	n := f.next()
	switch p := v.Addr().Interface().(type) {
	case *capture.Time:
		*p = capture.NewTime(1_700_000_000_000_000_000+int64(n)*1_000_000, uint8(3+n%7))
	case *netip.Addr:
		*p = netip.AddrFrom4([4]byte{10, byte(n >> 16), byte(n >> 8), byte(n)})
	case *netip.Prefix:
		*p = netip.PrefixFrom(netip.AddrFrom4([4]byte{10, byte(n >> 8), byte(n), 0}), 24)
	case *mac.Addr:
		*p = mac.Addr{2, 0, 0, byte(n >> 16), byte(n >> 8), byte(n)}
	case *capture.Protocol:
		all := capture.Protocols()
		*p = all[n%uint64(len(all))].Name
	case *capture.Transport:
		*p = transports[n%uint64(len(transports))]
	case *capture.Basis:
		*p = bases[n%uint64(len(bases))]
	case *capture.Class:
		*p = classes[n%uint64(len(classes))]
	case *capture.Side:
		*p = capture.FromServer
	case *capture.ObjectRange:
		*p = capture.ObjectRange{Space: fmt.Sprintf("space %d", n), First: uint32(n), Last: uint32(n + 5)}
	case *capture.Observations:
		f.fields(v)
		p.Schema = capture.Schema
		for i := range p.Captures {
			p.Captures[i].SHA256 = strings.Repeat(fmt.Sprint(i), 64)
		}
	case *capture.Conversation:
		f.fields(v)
		p.Capture = int(n % 2)
	case *capture.Folded:
		f.fields(v)
		p.Capture = int(n % 2)
	case *capture.Endpoint:
		f.fields(v)
		p.Capture = int(n % 2)
	default:
		f.kind(v, n)
	}
}

func (f *filler) kind(v reflect.Value, n uint64) {
	switch v.Kind() {
	case reflect.Struct:
		f.fields(v)
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 2, 2))
		for i := range v.Len() {
			f.fill(v.Index(i))
		}
	case reflect.String:
		v.SetString(fmt.Sprintf("text %d", n))
	case reflect.Bool:
		v.SetBool(true)
	case reflect.Int, reflect.Int64:
		v.SetInt(int64(n))
	case reflect.Uint8:
		v.SetUint(n%255 + 1)
	case reflect.Uint16, reflect.Uint32, reflect.Uint64:
		v.SetUint(n)
	default:
		panic(fmt.Sprintf("a field of type %v: the store does not know it", v.Type()))
	}
}

func (f *filler) fields(v reflect.Value) {
	for i := range v.NumField() {
		f.fill(v.Field(i))
	}
}

// full returns observations of which no field is zero.
func full() *capture.Observations {
	var o capture.Observations
	var f filler
	f.fill(reflect.ValueOf(&o).Elem())
	return &o
}

// zeros lists the paths of the fields of v that are zero.
func zeros(v reflect.Value, path string) (list []string) {
	switch v.Kind() {
	case reflect.Struct:
		if v.IsZero() {
			return []string{path}
		}
		for i := range v.NumField() {
			if v.Type().Field(i).IsExported() {
				list = append(list, zeros(v.Field(i), path+"."+v.Type().Field(i).Name)...)
			}
		}
	case reflect.Slice:
		if v.Len() == 0 {
			return []string{path}
		}
		for i := range v.Len() {
			list = append(list, zeros(v.Index(i), path)...)
		}
	default:
		if v.IsZero() {
			return []string{path}
		}
	}
	return list
}
