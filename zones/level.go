package zones

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
)

// FR is a foundational requirement, one of the seven columns of a security
// level vector. Source: IEC TS 62443-1-1:2009, clause 5.3.
type FR uint8

// The foundational requirements, in the order that every vector uses.
const (
	IAC FR = iota // FR 1, identification and authentication control
	UC            // FR 2, use control
	SI            // FR 3, system integrity
	DC            // FR 4, data confidentiality
	RDF           // FR 5, restricted data flow
	TRE           // FR 6, timely response to events
	RA            // FR 7, resource availability
)

// NumFR is the number of foundational requirements.
const NumFR = 7

var frNames = [NumFR]string{"IAC", "UC", "SI", "DC", "RDF", "TRE", "RA"}

// FRs lists the foundational requirements in vector order.
func FRs() [NumFR]FR { return [NumFR]FR{IAC, UC, SI, DC, RDF, TRE, RA} }

// String returns the standard's abbreviation, such as "RDF".
func (f FR) String() string {
	if int(f) < len(frNames) {
		return frNames[f]
	}
	return fmt.Sprintf("FR(%d)", uint8(f))
}

// MarshalText makes an FR its abbreviation in JSON, as value and as map key.
func (f FR) MarshalText() ([]byte, error) { return []byte(f.String()), nil }

// UnmarshalText reads what MarshalText writes.
func (f *FR) UnmarshalText(b []byte) (err error) {
	*f, err = ParseFR(string(b))
	return err
}

// ParseFR returns the foundational requirement that an abbreviation names. Case
// counts: the standard spells them in capitals.
func ParseFR(s string) (FR, error) {
	for i, name := range frNames {
		if s == name {
			return FR(i), nil
		}
	}
	return 0, fmt.Errorf("foundational requirement %q: expected one of %s", s, strings.Join(frNames[:], " "))
}

// MaxLevel is the highest security level.
const MaxLevel = 4

// Vector is a security level, 0 to [MaxLevel], for each FR.
type Vector [NumFR]uint8

// Scalar returns the vector that a single level stands for: seven times n.
func Scalar(n uint8) Vector {
	var v Vector
	for i := range v {
		v[i] = n
	}
	return v
}

// ParseVector reads the two textual notations of a vector: one level ("2") and
// the seven of IEC 62443-3-3:2013, Annex A ("{2 2 0 1 3 1 3}"). The braces may
// be left out and the levels may be parted by commas.
func ParseVector(s string) (Vector, error) {
	body := strings.TrimSpace(s)
	open, shut := strings.HasPrefix(body, "{"), strings.HasSuffix(body, "}")
	if open != shut {
		return Vector{}, fmt.Errorf("security level %q: a brace is missing", s)
	}
	if open {
		body = body[1 : len(body)-1]
	}
	parts := strings.FieldsFunc(body, func(r rune) bool { return r == ' ' || r == ',' || r == '\t' })
	levels := make([]uint8, 0, NumFR)
	for _, p := range parts {
		n, err := strconv.ParseUint(p, 10, 8)
		if err != nil || n > MaxLevel {
			return Vector{}, fmt.Errorf("security level %q: %q is not a level from 0 to %d", s, p, MaxLevel)
		}
		levels = append(levels, uint8(n))
	}
	switch {
	case len(levels) == 1 && !open:
		return Scalar(levels[0]), nil
	case len(levels) == NumFR:
		return Vector(levels), nil
	}
	return Vector{}, fmt.Errorf("security level %q: expected one level or %d (%s), found %d",
		s, NumFR, strings.Join(frNames[:], " "), len(levels))
}

// String returns the notation of IEC 62443-3-3:2013, Annex A: "{2 2 0 1 3 1 3}".
func (v Vector) String() string {
	var b strings.Builder
	b.WriteByte('{')
	for i, n := range v {
		if i > 0 {
			b.WriteByte(' ')
		}
		b.WriteString(strconv.Itoa(int(n)))
	}
	b.WriteByte('}')
	return b.String()
}

// MarshalJSON writes seven numbers in FR order.
func (v Vector) MarshalJSON() ([]byte, error) {
	var a [NumFR]int
	for i, n := range v {
		a[i] = int(n)
	}
	return json.Marshal(a)
}

// Max returns the higher level of v and w per FR.
func (v Vector) Max(w Vector) Vector {
	for i := range v {
		v[i] = max(v[i], w[i])
	}
	return v
}

// Below lists the FRs in which v is lower than w.
func (v Vector) Below(w Vector) []FR {
	var out []FR
	for i := range v {
		if v[i] < w[i] {
			out = append(out, FR(i))
		}
	}
	return out
}
