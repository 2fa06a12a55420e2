// Bench measures bulkhead as a whole command, on captures that are made for it
// and thrown away again. Run it in the root of the repository:
//
//	go run ./internal/bench speed      bulkhead beside its peers, on large captures
//	go run ./internal/bench hostile    peak memory on captures made to fill it
//	go run ./internal/bench profile    where the time goes
//	go run ./internal/bench write F    the generated capture, to keep
//
// speed compares with tcpdump, ndpiReader, capinfos, tshark and sha256sum, as far
// as they are installed, with a loop over gopacket, and with a plain read.
// Commands take turns, round by round, so that what else the machine does falls
// on all of them; the table holds medians and what they are as multiples of
// tcpdump's. Nothing fails because it is slow.
//
// The captures are the plant of package plantmix and, where the corpus of real
// captures and its tool are there, those captures strung together.
//
// hostile runs each stream of package hostile through the command and fails if
// its memory passes the bound or if frames are missing.
//
// With -update FILE a table is written into FILE, between the lines
// "<!-- bench:NAME -->" and "<!-- /bench:NAME -->".
package main
