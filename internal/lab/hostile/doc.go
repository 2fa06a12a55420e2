// Package hostile makes captures that are meant to fill the memory of whatever
// reads them: scans, floods, connections that never end, fragments that are
// never whole. Nothing is stored; each is a stream whose bytes are made while
// they are read, as long as is asked for.
//
//	for _, s := range hostile.All() {
//		r := s.Open(s.Full)
//		... read r like a capture file
//	}
//
// The bytes are the same whenever a stream of one length is opened, and frames
// are sound up to their transport: what fills memory is their number, not damage.
// What they have in common is the promise that is held against them: a reader
// counts every frame ([Stream.Frames]), and stays within [MaxMemory] whatever the
// length.
package hostile
