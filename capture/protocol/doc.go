// Package protocol recognises application protocols by their bytes, cuts their
// PDUs out of a byte stream and names the operations they ask for.
//
// Each protocol is one [Protocol] value in one file, and all files have one
// shape: the source of the protocol's description, a table of its operations
// that reads like the specification, a recogniser, and a [Decoder]. [All] lists
// them; adding one is adding a file and a line there.
//
// A decoder is handed bytes in order and an [Exchange], the one place it writes
// to: requests ([Exchange.Ask]) and their outcome ([Exchange.Answer]), messages
// that want no answer ([Exchange.Note]), PDUs it could not read
// ([Exchange.Undecoded]) and facts about protection, log-ins and identities. The
// Exchange pairs, counts, dates and bounds; a decoder keeps only what its
// protocol needs to be read at all.
//
// Bytes come from strangers. Decoders check every length against the bytes at
// hand, never allocate by a length they read, and never keep a slice that they
// were given.
package protocol
