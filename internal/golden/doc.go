// Package golden holds what a test got against a file kept beside it.
//
// Run a test with -update to write the files anew, and read the diff before
// keeping it:
//
//	go test ./report -update
//	git diff report/testdata
package golden
