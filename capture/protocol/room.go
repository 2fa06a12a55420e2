package protocol

// Room bounds what the tallies and exchanges that share it keep in all. What
// finds no room is left out; the lists that it was meant for say that they were
// cut, and Full that this happened. A nil Room bounds nothing.
type Room struct {
	left [Tables]int
	full [Tables]bool
}

// Table is one of the things that a [Room] bounds.
type Table uint8

// The tables of a Room.
const (
	Kinds   Table = iota // kinds of operation
	Runs                 // runs of minutes in which operations were seen
	Details              // units, and ranges of objects, of operations
	Facts                // about security, names and identities
	Open                 // requests that wait for their answers
	Held                 // bytes of messages that decoders put together themselves
	Tables
)

var tableNames = [Tables]string{
	Kinds:   "kinds of operation",
	Runs:    "runs of minutes in which operations were seen",
	Details: "units and objects of operations",
	Facts:   "facts about security, names and identities",
	Open:    "requests without an answer at a time",
	Held:    "bytes of unfinished messages",
}

// String says in the plural what the table has.
func (t Table) String() string { return tableNames[t] }

// NewRoom returns room for as many entries of each table as limits says.
func NewRoom(limits [Tables]int) *Room { return &Room{left: limits} }

// Full reports whether something was left out of a table.
func (r *Room) Full(t Table) bool { return r.full[t] }

// take takes room for n more, if there is some.
func (r *Room) take(t Table, n int) bool {
	if r == nil {
		return true
	}
	if n > r.left[t] {
		r.full[t] = true
		return false
	}
	r.left[t] -= n
	return true
}

// give gives n entries back.
func (r *Room) give(t Table, n int) {
	if r != nil {
		r.left[t] += n
	}
}
