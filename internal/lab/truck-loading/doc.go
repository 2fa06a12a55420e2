// Truck-loading writes the captures of examples/truck-loading, and the small
// captures, one a protocol, that tests share. Run it in the root of the
// repository:
//
//	go run ./internal/lab/truck-loading
//
// The same source writes the same bytes; a test compares them with what is
// committed.
package main
