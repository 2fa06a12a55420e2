package observe

import (
	"time"

	"bulkhead/capture/protocol"
)

// Bounds on what is kept of one file. They hold for each of a fixed number of
// shards, between which the conversations of a file are spread by the addresses
// of their ends, and are applied in the order of the file's frames: so they do
// not depend on how many cores there are.
const (
	// Shards is into how many parts the tables are split.
	Shards = 16
	// MaxConversations is how many conversations are told apart. Attempts, those
	// to which nothing came back, take at most half of the places and give theirs
	// up to what was answered. What finds no place is folded.
	MaxConversations = 1 << 16
	// MaxFolded is how many rows folding takes.
	MaxFolded = 1 << 14
	// MaxConnections is how many connections are followed at a time. The one
	// that has been silent longest, near enough, makes room for the next; if it
	// goes on later, it counts as another connection.
	MaxConnections = 1 << 15
	// MaxEndpoints is how many endpoints are listed.
	MaxEndpoints = 1 << 16
	// MaxHeld is how many bytes of payload are kept in all: behind gaps, of PDUs
	// not yet whole, and of connections not yet recognised.
	MaxHeld = 32 << 20
	// MaxFragmented is how many IP packets are being put together at a time, of
	// MaxFragmentBytes in all.
	MaxFragmented    = 1 << 12
	MaxFragmentBytes = 16 << 20
	// MaxTunnels is how many tunnels are told apart; others are called "other".
	MaxTunnels = 1 << 12
	// MaxDepth is how many tunnels inside each other are looked into.
	MaxDepth = 4

	maxReasons = 256 // kinds of cause in the ledger
	maxErrors  = 64  // damaged places listed
)

// Two equal packets are one that was captured twice if they are not further apart
// than this: of TCP, with an identification of IPv4; any other with one; one that
// nothing numbers; and one with the sequence number of a redundant network (IEC
// 62439-3:2021, 4.1.10.3: EntryForgetTime).
const (
	duplicateWithin          = 50 * time.Millisecond
	duplicateWithinMarked    = 5 * time.Millisecond
	duplicateWithinUnmarked  = 200 * time.Microsecond
	duplicateWithinRedundant = 400 * time.Millisecond
)

// tableLimits are the bounds on what the decoders of all connections keep
// together.
var tableLimits = [protocol.Tables]int{
	protocol.Kinds:   1 << 16,
	protocol.Runs:    1 << 19,
	protocol.Details: 1 << 19,
	protocol.Facts:   1 << 16,
	protocol.Open:    1 << 20,
	protocol.Held:    16 << 20,
}

// limits are the bounds in use. All but the first three and the last are those
// of one shard.
type limits struct {
	shards                    int
	fragmented, fragmentBytes int
	tunnels                   int

	conversations, folded, connections, endpoints, held int
	room                                                [protocol.Tables]int

	reasons int
}

// fileLimits are the bounds on a file, split between its shards. Hosts talk to
// many others, so that most shards know most endpoints.
var fileLimits = func() limits {
	l := limits{
		shards: Shards, fragmented: MaxFragmented, fragmentBytes: MaxFragmentBytes, tunnels: MaxTunnels,
		conversations: MaxConversations / Shards, folded: MaxFolded / Shards, connections: MaxConnections / Shards,
		endpoints: MaxEndpoints / 8, held: MaxHeld / Shards, reasons: maxReasons,
	}
	for t, n := range tableLimits {
		l.room[t] = n / Shards
	}
	return l
}()
