package protocol

import "bulkhead/capture"

// Protocol is an application protocol that can be recognised and read.
type Protocol struct {
	Name capture.Protocol
	// Over lists the transports that it is looked for on.
	Over []capture.Transport
	// Protection of its payload where the decoder does not say otherwise.
	Protection Protection
	// Recognise judges the first bytes that one side sent over TCP, or one
	// datagram. It must not assume that b is whole.
	Recognise func(b []byte) Match
	// New returns a decoder for one connection. It is nil for protocols that are
	// only recognised.
	New func() Decoder
}

// Runs reports whether p is looked for on transport t.
func (p *Protocol) Runs(t capture.Transport) bool {
	for _, o := range p.Over {
		if o == t {
			return true
		}
	}
	return false
}

// Match is a recogniser's answer.
type Match struct {
	Score Score
	Role  Role
}

// Score is how sure a recogniser is.
type Score uint8

// The scores. A weak match counts on a port that is the protocol's own, or where
// both sides match; a sure match counts anywhere.
const (
	No   Score = iota
	More       // b is too short to tell
	Weak       // nothing contradicts it, but other protocols could look like this by chance
	Sure
)

// Role is what the bytes say about who sent them.
type Role uint8

// The roles.
const (
	AnyRole Role = iota
	Client
	Server
)

// Protection is how a connection's payload is protected on the wire.
type Protection uint8

// The degrees of protection, weakest first.
const (
	Clear Protection = iota
	Integrity
	Encrypted
)

// Decoder reads the PDUs of one connection.
type Decoder interface {
	// Decode reads the whole PDUs at the front of b, the in-order bytes that side
	// from sent, and returns how many bytes it is done with: less than len(b) if
	// the last PDU is unfinished, in which case those bytes come again with more
	// behind them, b then being up to [MaxPDU] bytes long. Bytes that are no PDU
	// are counted with x.Undecoded and skipped; if the next PDU's start cannot be
	// told, all of b is, and Decode is next called at the start of a segment.
	//
	// Over UDP and straight on the link, b is one datagram and all of it is used.
	//
	// Decode keeps no reference to b.
	Decode(x *Exchange, from capture.Side, b []byte) int
}

// MaxPDU is the longest PDU, in bytes, that is put together from segments. A
// decoder that still leaves bytes alone when it is given that many loses them.
const MaxPDU = 1 << 16

// Op is a kind of operation. Ops are compared by pointer: a decoder's table
// holds each once.
type Op struct {
	Protocol capture.Protocol
	Code     string
	Name     string
	Class    capture.Class
}
