// Package stream puts back together what a network takes apart: the bytes that
// one side of a TCP connection sent, and IP packets that were sent in fragments.
//
// A [Side] is given the side's segments as they were captured and the
// acknowledgements of the other side, and hands out [Chunk] values: each byte of
// the sequence space at most once, in order, with a mark where bytes are missing.
// A segment that arrives in order is handed on as it is, without a copy.
//
// A [Rest] keeps the front of a message whose end has not arrived yet.
//
// [Fragments] is given fragments and yields a [Whole] for every packet, whatever
// its [Fate], so that each frame that carried a fragment is accounted for once.
//
// Where two segments, or two fragments, disagree about a byte, the one captured
// first wins. That is not what every host does (RFC 5722 has IPv6 hosts drop such
// packets), so what was contradicted is counted.
//
// What is kept is charged to a [Budget], so that no capture makes memory grow
// without limit. What is given back to it is used again: a connection that loses
// segments, and a packet in fragments, allocate nothing once others like them
// came before.
package stream
