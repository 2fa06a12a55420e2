package observe

import "bulkhead/capture/protocol"

// Bounds on what is kept of one file. They are applied in the order of its
// frames.
const (
	// MaxConversations is how many conversations are told apart. Those whose
	// first connection had no answer when its protocol or end was known take at
	// most half of them, so that a scan does not crowd out what was answered.
	// Frames of conversations that found no place are counted as limited.
	MaxConversations = 1 << 16
	// MaxConnections is how many connections are followed at a time. The one
	// that has been silent longest, near enough, makes room for the next; if it
	// goes on later, it counts as another connection.
	MaxConnections = 1 << 15
	// MaxEndpoints is how many endpoints are listed.
	MaxEndpoints = 1 << 16
	// MaxHeld is how many bytes of payload are kept in all: behind gaps, of PDUs
	// not yet whole, and of connections not yet recognised.
	MaxHeld = 32 << 20

	maxReasons = 256 // kinds of cause in the ledger
	maxErrors  = 64  // damaged places listed
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

// limits are the bounds in use; tests set lower ones.
type limits struct {
	conversations, connections, endpoints, held, reasons int
	room                                                 [protocol.Tables]int
}

var fileLimits = limits{
	conversations: MaxConversations, connections: MaxConnections, endpoints: MaxEndpoints, held: MaxHeld, reasons: maxReasons,
	room: tableLimits,
}
