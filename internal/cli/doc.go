// Package cli is the command line: it parses flags, opens the files that a user
// names, calls the packages that do the work, and turns their results into
// output and an exit code. It is the only package that opens files.
//
// Data goes to standard output, messages to standard error. The exit codes are
// the same for every command and every output format: see [Run].
package cli
