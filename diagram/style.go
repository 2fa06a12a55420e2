package diagram

import (
	"bulkhead/conduits"
	"bulkhead/zones"
)

// font is what Graphviz is told: the one name by which it finds Helvetica's
// widths. SVG names the families that share them.
const font = "Helvetica"

// Inks, dark on white; each has at least 4.5:1 contrast on the tints below.
const (
	ink      = "#1b242c"
	faint    = "#56616b"
	lineInk  = "#37474f"
	red      = "#a8201a"
	amber    = "#7a4f00"
	violet   = "#5e3a8c"
	safetyBy = "#c2410c"
)

// Tints of states, from the lightest.
const (
	white     = "#ffffff"
	greyTint  = "#eceff1"
	amberTint = "#ffe3a3"
	redTint   = "#f9cfc9"
	redPale   = "#fdeeec"
)

// levelTints colour SL-T by its highest level, darker upwards.
var levelTints = [zones.MaxLevel + 1]string{"#f4f6f8", "#dde7f0", "#bcd0e4", "#97b6d6", "#7199c4"}

// look is how a kind of zone is drawn.
type look struct {
	head   string // tint of the head
	border string
	width  int
	style  string // of the border, "" for solid
	mark   string // before the name
}

func lookOf(z *zones.Zone) look {
	l := look{head: greyTint, border: "#6b7a86", width: 1}
	switch z.Kind {
	case zones.Business:
		l.head = "#e7e9ec"
	case zones.DMZ:
		l.head = "#fff1c7"
	case zones.Operations:
		l.head = "#dff0e2"
	case zones.Control:
		l.head = "#d9ebf4"
	case zones.Field:
		l.head = "#e7e3f2"
	case zones.Wireless:
		l.head, l.style = "#d6f0f1", "dashed"
	case zones.Temporary:
		l.head, l.style = "#f2e2ef", "dashed"
	case zones.Remote, zones.External, zones.BuiltIn:
		l.head, l.style = "#f6f6f6", "dashed"
	}
	if z.Safety || z.Kind == zones.Safety {
		l.head, l.border, l.width, l.mark = "#ffe1c9", safetyBy, 3, "▲ "
	}
	return l
}

// medium is what a conduit's line says of its nature, by the line's pattern.
type medium struct {
	name  string
	style string // Graphviz's own pattern
	class string // of the pattern that SVG has besides, or ""
}

// The patterns of lines. Graphviz knows three, SVG the rest.
var (
	wired     = medium{"wired", "solid", ""}
	wireless  = medium{"wireless", "dotted", ""}
	remote    = medium{"VPN or remote", "dashed", ""}
	temporary = medium{"temporary", "dashed", "temporary"}
	serial    = medium{"serial", "dashed", "serial"}
)

func mediumOf(c *conduits.Conduit, ends []*zones.Zone) medium {
	switch c.Kind {
	case conduits.Wireless:
		return wireless
	case conduits.VPN:
		return remote
	}
	for _, z := range ends {
		if z.Kind == zones.Temporary {
			return temporary
		}
	}
	for _, z := range ends {
		if z.Kind == zones.Remote {
			return remote
		}
	}
	if c.Kind == conduits.Serial {
		return serial
	}
	return wired
}

// stylesheet gives SVG the patterns that Graphviz lacks.
const stylesheet = ".temporary path{stroke-dasharray:9,3,1.5,3}.serial path{stroke-dasharray:14,3}"
