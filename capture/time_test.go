package capture

import (
	"testing"
	"time"
)

func TestTime(t *testing.T) {
	tests := []struct {
		ns     int64
		digits uint8
		want   string
	}{
		{0, 0, "1970-01-01T00:00:00Z"},
		{1_700_000_000_123_456_789, 9, "2023-11-14T22:13:20.123456789Z"},
		{1_700_000_000_123_456_789, 6, "2023-11-14T22:13:20.123456Z"},
		{1_700_000_000_120_000_000, 3, "2023-11-14T22:13:20.120Z"}, // trailing zeros are digits that are known
		{1_700_000_000_000_000_000, 12, "2023-11-14T22:13:20.000000000Z"},
		{-1, 9, "1969-12-31T23:59:59.999999999Z"},
	}
	for _, tt := range tests {
		u := NewTime(tt.ns, tt.digits)
		if u.String() != tt.want {
			t.Errorf("%d with %d digits: %s, want %s", tt.ns, tt.digits, u, tt.want)
		}
		var back Time
		if err := back.UnmarshalText([]byte(u.String())); err != nil || back.String() != tt.want {
			t.Errorf("%s read back as %s (%v)", u, back, err)
		}
	}
	var none Time
	if !none.IsZero() || none.String() != "" || !none.UTC().Equal(time.Time{}) {
		t.Errorf("the zero Time: %q", none)
	}
	back := NewTime(1, 0)
	if err := back.UnmarshalText(nil); err != nil || !back.IsZero() {
		t.Errorf("nothing read as %q (%v)", back, err)
	}
	if err := back.UnmarshalText([]byte("yesterday")); err == nil {
		t.Error("yesterday is no time")
	}
}

func TestTimeOrder(t *testing.T) {
	var none Time
	a, b := NewTime(1, 9), NewTime(2, 9)
	if !a.Before(b) || b.Before(a) || a.Before(none) || none.Before(a) {
		t.Error("only known times are before one another")
	}
	for _, p := range [][2]Time{{a, b}, {b, a}, {a, a}} {
		if p[0].Earliest(p[1]) != a || p[1].Latest(p[0]) != p[0].Latest(p[1]) {
			t.Errorf("%v and %v", p[0], p[1])
		}
	}
	if none.Earliest(a) != a || a.Earliest(none) != a || none.Latest(a) != a || a.Latest(none) != a {
		t.Error("a time that is not known loses")
	}
}
