// Package cli is the command line: it parses flags, opens the files that a user
// names, calls the packages that do the work, and turns their results into
// output and an exit code. It is the only package that opens files that a user
// names.
//
// A command that looks at captures goes one way: findInputs says what the
// arguments stand for, [reading] asks the cache for what is known of them and the
// engine for the rest, and what comes of it is printed, drawn or judged.
//
// Data goes to standard output, messages to standard error. The exit codes are
// the same for every command and every output format: see [Run].
package cli
