// Package iec62443 holds the system requirements of IEC 62443-3-3 and the
// arithmetic of security levels over them.
//
//   - [Catalogue] lists the 100 requirements: 51 system requirements (SR) and 49
//     requirement enhancements (RE), each with the lowest level that asks for it.
//   - [Set] is a set of them.
//   - [Reading] is the arithmetic: the level that a set of met requirements
//     reaches per FR, and the level that voided requirements leave standing.
//
// The levels are those of IEC 62443-3-3:2013 with corrigendum COR1:2014. The
// standard gives the formula for SL-C only; that SL-A follows the same one is our
// reading of it, and reports say so.
package iec62443
