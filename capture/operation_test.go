package capture

import (
	"encoding/json"
	"testing"
)

func TestParseObjects(t *testing.T) {
	tests := []struct {
		in   string
		want ObjectRange
		out  string // "" if as in
		err  string
	}{
		{in: "40001-40020", want: ObjectRange{"holding", 0, 19}},
		{in: "40007", want: ObjectRange{"holding", 6, 6}},
		{in: "00001", want: ObjectRange{"coil", 0, 0}},
		{in: "10001-19999", want: ObjectRange{"discrete", 0, 9998}},
		{in: "300001-365536", want: ObjectRange{"input", 0, 65535}},
		{in: "400001", want: ObjectRange{"holding", 0, 0}, out: "40001"},
		{in: " 40001 - 40002 ", want: ObjectRange{"holding", 0, 1}, out: "40001-40002"},
		{in: "40020-40001", err: `objects "40020-40001": the ends are not an ascending range of one table`},
		{in: "30001-40001", err: `objects "30001-40001": the ends are not an ascending range of one table`},
		{in: "20001", err: `objects "20001": reference "20001": expected it to begin with 0, 1, 3 or 4`},
		{in: "40000", err: `objects "40000": reference "40000": expected a number from 1 to 65536 after the table's digit`},
		{in: "465537", err: `objects "465537": reference "465537": expected a number from 1 to 65536 after the table's digit`},
		{in: "4001", err: `objects "4001": reference "4001": expected five or six digits such as 40001`},
		{in: "4-001", err: `objects "4-001": reference "4": expected five or six digits such as 40001`},
		{in: "x0001", err: `objects "x0001": reference "x0001": expected it to begin with 0, 1, 3 or 4`},
	}
	for _, tt := range tests {
		got, err := ParseObjects(Modbus, tt.in)
		if tt.err != "" {
			if err == nil || err.Error() != tt.err {
				t.Errorf("%q: error %v, want %s", tt.in, err, tt.err)
			}
			continue
		}
		if err != nil || got != tt.want {
			t.Errorf("%q: %v, %v; want %v", tt.in, got, err, tt.want)
		}
		out := tt.out
		if out == "" {
			out = tt.in
		}
		if got.String() != out {
			t.Errorf("%q is written %q, want %q", tt.in, got, out)
		}
	}
	if _, err := ParseObjects(DNP3, "1"); err == nil {
		t.Error("dnp3 has no object notation")
	}
}

// Ranges of spaces other than those of Modbus are read back as they are written.
func TestOtherObjects(t *testing.T) {
	for text, want := range map[string]ObjectRange{"table 8": {"table", 8, 8}, "a b 1-4294967295": {"a b", 1, 1<<32 - 1}} {
		var got ObjectRange
		if err := json.Unmarshal([]byte(`"`+text+`"`), &got); err != nil || got != want || want.String() != text {
			t.Errorf("%q: %+v (%v), written %q", text, got, err, want)
		}
	}
	for _, text := range []string{"table", "table ", "table 9-8", "table x", "holding 1", " 1", "table 1-4294967296"} {
		var got ObjectRange
		if err := json.Unmarshal([]byte(`"`+text+`"`), &got); err == nil {
			t.Errorf("%q is read as %+v", text, got)
		}
	}
}

func FuzzObjectRange(f *testing.F) {
	f.Add(uint8(4), uint32(0), uint32(19))        // five digits
	f.Add(uint8(0), uint32(9998), uint32(9999))   // the first that needs six
	f.Add(uint8(3), uint32(65535), uint32(65535)) // the last
	f.Fuzz(func(t *testing.T, table uint8, first, last uint32) {
		if int(table) >= len(modbusSpaces) || modbusSpaces[table] == "" || first > last || last > 65535 {
			return
		}
		want := ObjectRange{modbusSpaces[table], first, last}
		b, err := json.Marshal(want)
		if err != nil {
			t.Fatal(err)
		}
		var got ObjectRange
		if err := json.Unmarshal(b, &got); err != nil || got != want {
			t.Errorf("%v read back as %v (%v)", want, got, err)
		}
	})
}

func TestContains(t *testing.T) {
	r := ObjectRange{"holding", 10, 19}
	for o, want := range map[ObjectRange]bool{
		{"holding", 10, 19}: true, {"holding", 12, 12}: true, {"holding", 9, 12}: false, {"holding", 15, 20}: false, {"coil", 12, 12}: false,
	} {
		if r.Contains(o) != want {
			t.Errorf("%v contains %v: %v", r, o, !want)
		}
	}
}

func TestSide(t *testing.T) {
	for _, s := range []Side{FromClient, FromServer} {
		b, _ := s.MarshalText()
		var back Side
		if err := back.UnmarshalText(b); err != nil || back != s || s.Other() == s || s.Other().Other() != s {
			t.Errorf("%v read back as %v (%v)", s, back, err)
		}
	}
	var s Side
	if err := s.UnmarshalText([]byte("both")); err == nil || err.Error() != `side "both": expected client or server` {
		t.Errorf("error %v", err)
	}
}
