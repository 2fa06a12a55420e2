package rules

import (
	"fmt"

	"bulkhead/capture"
)

// signedOnly is what payload that is signed and readable voids.
var signedOnly = []string{"SR 4.1 RE(2)"}

// unprotectedCrossing judges payload that a decoder saw to be in clear, or signed
// and readable. Payload of an unknown protocol may be protected and is not judged;
// ICMP and ARP carry no application's payload.
var unprotectedCrossing = &Rule{
	Facts: mustFacts("EV-070"),
	check: func(s *scene, r *Rule, report func(hit)) {
		for _, f := range s.flows {
			if !f.judgeable() || !f.cross || f.outcome != Answered || f.first.Protocol == capture.ICMP || f.first.Protocol == capture.ARP {
				continue
			}
			none, signed := false, false
			for _, x := range f.sights {
				if x.conv.Payload.Sent > 0 && x.conv.Payload.Received > 0 {
					authenticated := x.challenged() // DNP3-SA signs what it guards, in clear
					none = none || x.conv.Protection.None > 0 && !authenticated
					signed = signed || x.conv.Protection.Integrity > 0 || authenticated
				}
			}
			switch {
			case none:
				s.accuse(report, r, f, nil)
			case signed:
				s.accuseOf(report, r, f, Contradiction, signedOnly, nil)
			}
		}
	},
	say: func(h hit) string {
		if len(h.voids) == len(signedOnly) {
			return "spoke " + h.flow.spoke() + " across the boundary, signed but readable"
		}
		return "spoke " + h.flow.spoke() + " across the boundary without cryptographic protection"
	},
	fix: func(g *group) string {
		f := g.hits[0].flow
		if c := f.over(); c != nil {
			return fmt.Sprintf("protect conduit %q end to end (TLS, IPsec, OPC UA SignAndEncrypt), or, where SL-T stands above, accept it with an exception or a compensating measure for SR 3.1 RE(1) and SR 4.1 RE(2)", c.ID)
		}
		return "end or protect this traffic (TLS, IPsec, OPC UA SignAndEncrypt)"
	},
}
