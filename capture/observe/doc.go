// Package observe is the engine that turns capture files into observations.
//
// [Observe] decodes each file alone, several at a time, and returns the same
// bytes whatever the number of jobs and the order of the inputs. Inside a file
// everything happens in the order of its frames, in one goroutine:
//
//	frame -> headers -> connection -> bytes in order -> protocol -> operations
//	                        |                                        |
//	                        +------------ conversation --------------+
//
// A connection (conn) is a pair of addresses and ports; what it says is judged
// by the recognisers of package protocol, handed to one decoder, and, when it
// ends, is added to the conversation that it belongs to. Every frame ends in one
// number of the ledger: that of its connection, or that of the reason for which
// it has none.
//
// Tables are bounded ([MaxConversations], [MaxConnections], [MaxEndpoints],
// [MaxHeld], and those of [protocol.Room]). What does not fit is counted, and the
// capture says that it is not complete.
//
// # How far a connection came
//
// [capture.State] counts each connection once. It is answered if payload went
// both ways. Else, over TCP, it is established if the server sent anything but a
// reset, or if the client went on after its SYN or acknowledged more and more
// (the capture then holds one side only); refused if the server reset it or an
// ICMP error came back for it; and attempted if nothing came back. Without TCP
// it is established if the server sent something and the client nothing that
// counts, refused after an ICMP error, and attempted otherwise.
package observe
