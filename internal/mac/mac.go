// Package mac holds the one representation of an IEEE 802 address that zones and
// captures share: comparable, so that it can be a map key.
package mac

import (
	"fmt"
	"strconv"
	"strings"
)

// Addr is an IEEE 802 address. The zero Addr means that none is known.
type Addr [6]byte

// Parse reads six hexadecimal octets parted by colons or hyphens.
func Parse(s string) (Addr, error) {
	var m Addr
	parts := strings.FieldsFunc(s, func(r rune) bool { return r == ':' || r == '-' })
	if len(parts) != len(m) || len(s) != 17 {
		return Addr{}, fmt.Errorf("MAC address %q: expected six octets such as 00:80:f4:0e:11:22", s)
	}
	for i, p := range parts {
		n, err := strconv.ParseUint(p, 16, 8)
		if err != nil || len(p) != 2 {
			return Addr{}, fmt.Errorf("MAC address %q: %q is not a hexadecimal octet", s, p)
		}
		m[i] = byte(n)
	}
	return m, nil
}

// IsZero reports whether no address is known.
func (m Addr) IsZero() bool { return m == Addr{} }

// IsGroup reports whether m is a multicast or broadcast address.
func (m Addr) IsGroup() bool { return m[0]&1 == 1 }

// String returns lower-case octets parted by colons, or "" for the zero Addr.
func (m Addr) String() string {
	if m.IsZero() {
		return ""
	}
	const hex = "0123456789abcdef"
	b := make([]byte, 0, 17)
	for i, o := range m {
		if i > 0 {
			b = append(b, ':')
		}
		b = append(b, hex[o>>4], hex[o&15])
	}
	return string(b)
}

// MarshalText writes the address as String does.
func (m Addr) MarshalText() ([]byte, error) { return []byte(m.String()), nil }

// UnmarshalText reads what MarshalText writes.
func (m *Addr) UnmarshalText(b []byte) error {
	if len(b) == 0 {
		*m = Addr{}
		return nil
	}
	v, err := Parse(string(b))
	*m = v
	return err
}
