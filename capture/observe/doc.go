// Package observe is the engine that turns capture files into observations.
//
// [Observe] decodes each file alone and returns the same bytes whatever the
// number of cores and the order of the inputs. Inside a file a router goes over
// the frames in their order, and hands what is in them to a fixed number of
// shards, each of which follows the conversations of its own pairs of addresses:
//
//	frame -> router: headers, tunnels, fragments, duplicates, ledger
//	              |
//	              +--> one of 16 shards, by the addresses of both ends:
//	                   connection -> bytes in order -> protocol -> operations
//	                           |                                        |
//	                           +------------ conversation --------------+
//
// In a large file the router, the SHA-256 of the file and the shards work at the
// same time; small files are read several at a time, each in one goroutine. The
// router fills a unit, about two thousand packets small enough to stay in a
// core's cache, and passes it on; the memory that the frames lie in is given back
// when the last shard is done with it. In the steady state no frame allocates.
//
// A connection (conn) is a pair of addresses and ports; what it says is judged
// by the recognisers of package protocol, handed to one decoder, and, when it
// ends, is added to the conversation that it belongs to. Every frame ends in one
// number of the ledger, by how far its headers could be read.
//
// # Bounds
//
// Tables are bounded ([MaxConversations] and its neighbours, and those of
// [protocol.Room]), so that a capture of any length takes less than 256 MiB. The
// bounds hold for each shard and are applied in the order of the frames, which is
// why they do not depend on the number of cores. A conversation that finds no
// place is folded: counted, with exact packets and bytes, by the networks of its
// ends and its service. What was answered goes before what was only attempted. A
// capture that met a bound says so and is not complete.
//
// # Duplicates
//
// A frame that was captured twice, by a switch that mirrors both directions or by
// two taps whose captures were merged, counts once. Its path (MACs and TTL)
// counts all the same, because it shows through which devices a packet went.
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
