// Package zones holds the zones of a plant: groups of assets that share one
// set of security requirements.
//
// It has three parts:
//
//   - [Vector] is a security level per foundational requirement ([FR]), in the
//     standard's order IAC UC SI DC RDF TRE RA.
//   - [Zone], [Asset] and [Network] say what a model declares of a zone.
//   - [Locator] answers which zone, and which asset in it, an address seen on
//     the wire belongs to.
//
// Every address belongs somewhere. What no declared zone holds belongs to a
// built-in one: [Internet], [Unassigned] or [LinkLocal]. Built-in zones carry
// no SL-T and are never judged themselves.
//
// The package knows nothing of YAML, captures or verdicts.
package zones
