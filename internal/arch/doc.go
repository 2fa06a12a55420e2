// Package arch holds the tests of the house: which package may import which, that
// every package has one package comment, and where libraries may be used. The
// tests read the sources themselves, so that no cache can hide a breach.
package arch
