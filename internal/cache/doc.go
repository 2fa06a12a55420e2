// Package cache keeps what captures showed, so that a capture that has not
// changed need not be read again.
//
// A cache is a folder with two kinds of file:
//
//	<sha256>-<made>.parquet   what the capture with that SHA-256 showed
//	files/<device>-<file>     the SHA-256 of a file on disk, with the size and times it had
//
// "made" says what made the result: the program ([Engine]) and the options that
// change what it finds. Whatever changes makes another name, so that a result is
// never stale; results that nobody asks for any more are the first to go when the
// folder grows above [Limit].
//
// [Cache.Lookup] finds a result by the [Identity] of a file, which is asked of the
// file system without reading the file; [Cache.Keep] and [Cache.Remember] put it
// there. A file is remembered only if it had not been written to for
// [settledAfter] when its identity was taken: a later change could otherwise leave
// size and time as they were. (Git has the same rule for the same reason; see
// Documentation/technical/racy-git.adoc there.)
//
// Several processes may use one folder. Files are written under another name and
// renamed, so that none is ever seen half written, and one that cannot be read is
// removed and made again. Results say who talks to whom in a plant: the folder can
// be read by its owner only.
package cache
