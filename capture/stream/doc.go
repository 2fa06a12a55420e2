// Package stream puts the bytes that one side of a TCP connection sent in order.
//
// A [Side] is given the side's segments as they were captured and the
// acknowledgements of the other side, and hands out [Chunk] values: each byte of
// the sequence space at most once, in order, with a mark where bytes are missing.
// Where two segments disagree about a byte, the one captured first wins. A
// segment that arrives in order is handed on as it is, without a copy.
//
// A [Rest] keeps the front of a message whose end has not arrived yet.
//
// What is kept of segments and messages is charged to a [Budget], so that no
// capture makes memory grow without limit.
package stream
