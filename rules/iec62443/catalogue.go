package iec62443

import (
	_ "embed"
	"encoding/csv"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"bulkhead/zones"
)

// Requirement is a system requirement or a requirement enhancement.
type Requirement struct {
	ID    string // as the standard spells it: "SR 5.2", "SR 5.2 RE(1)"
	FR    zones.FR
	Title string // the short name only
	MinSL uint8  // the lowest security level, 1 to 4, that asks for it
	// Conditional says that the requirement speaks of something that a plant may
	// not have (wireless, passwords, remote sessions), so that it can be not
	// applicable.
	Conditional bool
}

//go:embed sr-catalogue.csv
var catalogueCSV string

var catalogue = parseCatalogue(catalogueCSV)

var catalogueIndex = func() map[string]int {
	m := make(map[string]int, len(catalogue))
	for i, r := range catalogue {
		m[r.ID] = i
	}
	return m
}()

// Catalogue returns every requirement in the standard's order.
func Catalogue() []Requirement { return slices.Clone(catalogue) }

// Lookup returns the requirement with that ID.
func Lookup(id string) (Requirement, bool) {
	i, ok := catalogueIndex[id]
	if !ok {
		return Requirement{}, false
	}
	return catalogue[i], true
}

// conditionalFamilies are the SRs whose subject a plant may lack. Their
// enhancements share the condition.
var conditionalFamilies = []string{
	"SR 1.6", "SR 2.2", // wireless is used
	"SR 1.7", // passwords are used
	"SR 1.8", // a public key infrastructure is used
	"SR 1.9", // public key authentication is used
	"SR 2.4", // mobile code is present
	"SR 2.6", // remote sessions are possible
	"SR 4.3", // cryptography is required
}

// parseCatalogue reads the embedded table. The table is part of the program, so
// an error in it is one of the program and stops it.
func parseCatalogue(text string) []Requirement {
	rows, err := csv.NewReader(strings.NewReader(text)).ReadAll()
	if err != nil {
		panic(fmt.Sprintf("sr-catalogue.csv: %v", err))
	}
	out := make([]Requirement, 0, len(rows)-1)
	for i, row := range rows[1:] { // id, fr, fr_abbrev, short_title, min_sl
		fr, err := zones.ParseFR(row[2])
		if err != nil {
			panic(fmt.Sprintf("sr-catalogue.csv: row %d: %v", i+2, err))
		}
		level, err := strconv.ParseUint(row[4], 10, 8)
		if err != nil || level < 1 || level > zones.MaxLevel {
			panic(fmt.Sprintf("sr-catalogue.csv: row %d: level %q", i+2, row[4]))
		}
		family, _, _ := strings.Cut(row[0], " RE(")
		out = append(out, Requirement{
			ID:          row[0],
			FR:          fr,
			Title:       row[3],
			MinSL:       uint8(level),
			Conditional: slices.Contains(conditionalFamilies, family),
		})
	}
	return out
}
