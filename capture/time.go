package capture

import (
	"fmt"
	"strings"
	"time"
)

// Time is an instant as a capture recorded it: UTC, with the number of decimal
// digits of a second that the file's clock had. The zero Time means that the
// file gave none, or one that no calendar holds.
type Time struct {
	ns     int64 // since 1970-01-01T00:00:00Z
	digits uint8 // 0 to 9
	valid  bool
}

// NewTime returns the instant ns nanoseconds after 1970, of which digits (0 to
// 9) decimal places of a second are known.
func NewTime(ns int64, digits uint8) Time {
	return Time{ns: ns, digits: min(digits, 9), valid: true}
}

// IsZero reports whether no time is known.
func (t Time) IsZero() bool { return !t.valid }

// UnixNano returns nanoseconds since 1970; 0 for the zero Time.
func (t Time) UnixNano() int64 { return t.ns }

// UTC returns the instant; the zero time.Time for the zero Time.
func (t Time) UTC() time.Time {
	if !t.valid {
		return time.Time{}
	}
	return time.Unix(0, t.ns).UTC()
}

// Before reports whether t is a known time before the known time u.
func (t Time) Before(u Time) bool { return t.valid && u.valid && t.ns < u.ns }

// Earliest returns the earlier of t and u; a zero Time loses to a known one.
func (t Time) Earliest(u Time) Time {
	if !t.valid || u.Before(t) {
		return u
	}
	return t
}

// Latest returns the later of t and u; a zero Time loses to a known one.
func (t Time) Latest(u Time) Time {
	if !t.valid || t.Before(u) {
		return u
	}
	return t
}

// String returns RFC 3339 in UTC with the digits known, or "" for the zero Time.
func (t Time) String() string {
	if !t.valid {
		return ""
	}
	layout := "2006-01-02T15:04:05"
	if t.digits > 0 {
		layout += "." + strings.Repeat("0", int(t.digits))
	}
	return t.UTC().Format(layout + "Z")
}

// MarshalText writes the time as String does.
func (t Time) MarshalText() ([]byte, error) { return []byte(t.String()), nil }

// UnmarshalText reads what MarshalText writes, the number of digits included.
func (t *Time) UnmarshalText(b []byte) error {
	if len(b) == 0 {
		*t = Time{}
		return nil
	}
	u, err := time.Parse(time.RFC3339Nano, string(b))
	if err != nil {
		return fmt.Errorf("capture time: %w", err)
	}
	digits := 0
	if i := strings.IndexByte(string(b), '.'); i >= 0 {
		digits = len(strings.TrimRight(string(b[i+1:]), "Z"))
	}
	*t = NewTime(u.UnixNano(), uint8(min(digits, 9)))
	return nil
}
