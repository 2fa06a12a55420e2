package protocol

import (
	"encoding/hex"
	"testing"
)

func TestCutTPKT(t *testing.T) {
	tests := []struct {
		name, hex string
		tpdu      string
		size      int
	}{
		{"whole", "0300 0007 02f080", "02f080", 7},
		{"with more behind it", "0300 0007 02f080 0300", "02f080", 7},
		{"unfinished", "0300 0008 02f080", "", 0},
		{"header unfinished", "0300 00", "", 0},
		{"nothing", "", "", 0},
		{"too short for a transport PDU", "0300 0006 02f0", "", -1},
		{"another version", "0200 0007 02f080", "", -1},
		{"the reserved octet is not 0", "0301", "", -1},
	}
	for _, test := range tests {
		tpdu, size := cutTPKT(unhex(t, test.hex))
		if hex.EncodeToString(tpdu) != test.tpdu || size != test.size {
			t.Errorf("%s: got %x, %d, want %s, %d", test.name, tpdu, size, test.tpdu, test.size)
		}
	}
}

func TestParseCOTP(t *testing.T) {
	tests := []struct {
		name, hex    string
		kind         byte
		last         bool
		params, data string
		bad          bool
	}{
		{name: "data, the last of its TSDU", hex: "02f080 3201", kind: cotpData, last: true, data: "3201"},
		{name: "data, more to follow", hex: "02f000 3201", kind: cotpData, data: "3201"},
		{name: "connection request", hex: "09 e0 0000 0001 00 c0010a", kind: cotpRequest, params: "c0010a"},
		{name: "disconnect request", hex: "06 80 0000 0001 00", kind: cotpDisconnect},
		{name: "length indicator beyond the end", hex: "09 e0 0000", bad: true},
		{name: "length indicator of 0", hex: "00 f0 80", bad: true},
		{name: "data with a header of class 4", hex: "04 f0 0001 80", bad: true},
		{name: "connection request too short for its references", hex: "03 e0 0000", bad: true},
		{name: "no such kind", hex: "02 3000", bad: true},
		{name: "nothing", hex: "", bad: true},
	}
	for _, test := range tests {
		got, ok := parseCOTP(unhex(t, test.hex))
		if ok == test.bad {
			t.Errorf("%s: ok is %v", test.name, ok)
			continue
		}
		if got.kind != test.kind || got.last != test.last || hex.EncodeToString(got.params) != test.params || hex.EncodeToString(got.data) != test.data {
			t.Errorf("%s: got %+v", test.name, got)
		}
	}
}
