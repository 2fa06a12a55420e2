package pcap

import (
	"bytes"
	"testing"

	"github.com/google/go-cmp/cmp"

	"bulkhead/capture"
)

func TestWriter(t *testing.T) {
	at := capture.NewTime(1700000000_123456789, 9)
	for _, tt := range []struct {
		name string
		o    WriterOptions
		want []string
	}{
		{"nanoseconds", WriterOptions{Interface: "tap a", Link: 1, Nanosecond: true},
			[]string{`1 @72 2023-11-14T22:13:20.123456789Z ethernet 7 "abcde"`, `2 @112  ethernet 2 "fg"`}},
		{"microseconds, no name", WriterOptions{Link: 276},
			[]string{`1 @60 2023-11-14T22:13:20.123456Z linux-sll2 7 "abcde"`, `2 @100  linux-sll2 2 "fg"`}},
	} {
		var file, again bytes.Buffer
		for _, out := range []*bytes.Buffer{&file, &again} {
			w, err := NewWriter(out, tt.o)
			if err != nil {
				t.Fatal(err)
			}
			if err := w.WriteFrame(at, []byte("abcde"), 7); err != nil {
				t.Fatal(err)
			}
			if err := w.WriteFrame(capture.Time{}, []byte("fg"), 2); err != nil {
				t.Fatal(err)
			}
		}
		if diff := cmp.Diff(tt.want, show(readAll(t, &file))); diff != "" {
			t.Errorf("%s (-want +got)\n%s", tt.name, diff)
		}
		if again.Len() == 0 {
			t.Errorf("%s: nothing written", tt.name)
		}
	}
}

// TestWriterBytes states a file byte for byte: it must not depend on the
// machine, nor change without being noticed.
func TestWriterBytes(t *testing.T) {
	var got bytes.Buffer
	w, err := NewWriter(&got, WriterOptions{Interface: "tap", Link: 1, Nanosecond: true})
	if err != nil {
		t.Fatal(err)
	}
	if err := w.WriteFrame(capture.NewTime(1<<32+2, 9), []byte("abcde"), 60); err != nil {
		t.Fatal(err)
	}
	want := "\x0a\x0d\x0d\x0a\x1c\x00\x00\x00\x4d\x3c\x2b\x1a\x01\x00\x00\x00\xff\xff\xff\xff\xff\xff\xff\xff\x1c\x00\x00\x00" +
		"\x01\x00\x00\x00\x28\x00\x00\x00\x01\x00\x00\x00\x00\x00\x00\x00\x02\x00\x03\x00tap\x00\x09\x00\x01\x00\x09\x00\x00\x00\x00\x00\x00\x00\x28\x00\x00\x00" +
		"\x06\x00\x00\x00\x28\x00\x00\x00\x00\x00\x00\x00\x01\x00\x00\x00\x02\x00\x00\x00\x05\x00\x00\x00\x3c\x00\x00\x00abcde\x00\x00\x00\x28\x00\x00\x00"
	if diff := cmp.Diff([]byte(want), got.Bytes()); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}

func TestWriterRefuses(t *testing.T) {
	var out bytes.Buffer
	w, err := NewWriter(&out, WriterOptions{Link: 1})
	if err != nil {
		t.Fatal(err)
	}
	head := out.Len()
	at := capture.NewTime(1, 9)
	for name, err := range map[string]error{
		"more captured than on the wire": w.WriteFrame(at, make([]byte, 2), 1),
		"too long":                       w.WriteFrame(at, make([]byte, MaxFrame+1), MaxFrame+1),
		"cut without a time":             w.WriteFrame(capture.Time{}, make([]byte, 1), 2),
		"before 1970":                    w.WriteFrame(capture.NewTime(-1, 9), make([]byte, 1), 1),
	} {
		if err == nil {
			t.Errorf("%s: written, expected an error", name)
		}
	}
	if out.Len() != head {
		t.Errorf("%d bytes written by refused frames", out.Len()-head)
	}
	if _, err := NewWriter(&out, WriterOptions{Interface: string(make([]byte, 256))}); err == nil {
		t.Error("interface name of 256 bytes: expected an error")
	}
}
