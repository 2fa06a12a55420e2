package rules

import (
	"fmt"
	"slices"
	"strings"

	"bulkhead/capture"
	"bulkhead/zones"
)

// readablePassword passes over communities and anonymous log-ins: no password
// crossed the wire.
var readablePassword = &Rule{
	Facts: mustFacts("EV-020"),
	check: func(s *scene, r *Rule, report func(hit)) {
		voids := r.Contradicts
		if !s.model.Policy.PasswordVoidsDC {
			voids = []string{"SR 1.5"}
		}
		for _, f := range s.flows {
			if !f.judgeable() || f.outcome != Answered {
				continue
			}
			if _, ok := f.password(); ok {
				s.accuseOf(report, r, f, Contradiction, voids, nil)
			}
		}
	},
	say: func(h hit) string {
		kind, _ := h.flow.password()
		return fmt.Sprintf("sent a %s in clear on %s", kind, serviceText(h.flow.first))
	},
	fix: func(g *group) string {
		f := g.hits[0].flow
		return fmt.Sprintf("replace %s on %s by a protocol that protects the log-in, or wrap it in TLS, and change the password",
			f.first.Protocol, endText(f.server, f.first.Server.Peer))
	},
}

// password returns the kind of a readable password that a flow carried.
func (f *judged) password() (kind string, ok bool) {
	for _, x := range f.sights {
		for _, a := range x.conv.Security.Auth {
			if a.Readable && a.Length > 0 && !strings.Contains(a.Kind, "anonymous") && !strings.Contains(a.Kind, "community") {
				return a.Kind, true
			}
		}
	}
	return "", false
}

// unauthenticated lists the industrial protocols that carry no identity of their
// peer in the forms that the decoders read.
var unauthenticated = []capture.Protocol{
	capture.Modbus, capture.S7comm, capture.CIP, capture.DNP3, capture.IEC104, capture.BACnet, capture.FINS, capture.PNDCP,
}

// noPeerAuthentication looks at operations that a device accepted, not at the
// dialogue around them nor at discovery, which is open by design. DNP3 may
// authenticate commands alone, so reads only ask for proof.
var noPeerAuthentication = &Rule{
	Facts: mustFacts("EV-024"),
	check: func(s *scene, r *Rule, report func(hit)) {
		for _, f := range s.flows {
			if !f.judgeable() || f.outcome != Answered || f.server.Zone == nil {
				continue
			}
			ops, sure := f.trusting()
			if len(ops) == 0 {
				continue
			}
			if sure {
				s.accuse(report, r, f, ops)
			} else {
				s.accuseOf(report, r, f, Weakening, r.Contradicts, ops)
			}
		}
	},
	say: func(h hit) string {
		text := "was served without authentication of the peer" + h.inBrackets()
		if h.class == Weakening {
			text += "; whether writes are authenticated was not seen"
		}
		return text
	},
	fix: func(g *group) string {
		return fmt.Sprintf("use a form of the protocol that authenticates (Modbus/TCP Security, CIP Security, DNP3-SA, S7 with TLS), or declare a compensating measure {covers: [%s], meets: [SR 1.2], compensating: true, why: …}", g.subject.ID)
	},
}

// trusting returns the operations of a flow that a device accepted without asking
// who sent them; sure is false if their protocol may ask where it matters.
func (f *judged) trusting() (ops []operation, sure bool) {
	var reads []operation
	for i := range f.sights {
		x := &f.sights[i]
		p := x.conv.Protection
		if p.None == 0 && p.Integrity+p.Encrypted > 0 {
			continue // CIP Security, or TLS around it
		}
		challenged := x.challenged()
		for j := range x.conv.Operations {
			op := &x.conv.Operations[j]
			if isCyclicIO(op) && x.conv.Payload.Sent > 0 && x.conv.Payload.Received > 0 {
				ops = append(ops, operation{x, op})
				continue
			}
			if op.From != capture.FromClient || op.Accepted == 0 || op.Class.IsDialogue() || op.Class == capture.Discover ||
				!slices.Contains(unauthenticated, op.Protocol) {
				continue
			}
			switch {
			case op.Protocol != capture.DNP3:
				ops = append(ops, operation{x, op})
			case challenged:
			case op.Class == capture.Write || op.Class == capture.Control || op.Class == capture.Mode:
				ops = append(ops, operation{x, op})
			default:
				reads = append(reads, operation{x, op})
			}
		}
	}
	if len(ops) > 0 {
		return ops, true
	}
	return reads, false
}

// isCyclicIO reports whether an operation is the I/O of a CIP connection, which has no
// answer: data both ways is what acceptance looks like there.
func isCyclicIO(op *capture.Operation) bool {
	return op.Protocol == capture.ENIP && op.Class == capture.Event
}

// challenged reports whether DNP3 Secure Authentication was in use.
func (x *sight) challenged() bool {
	return slices.ContainsFunc(x.conv.Operations, isDNP3Authentication)
}

// isDNP3Authentication reports whether an operation belongs to DNP3 Secure
// Authentication: function codes 32, 33 and 131. Source: IEEE 1815-2012, 4.2.2 and
// clause 7.
func isDNP3Authentication(op capture.Operation) bool {
	return op.Protocol == capture.DNP3 && (op.Code == "32" || op.Code == "33" || op.Code == "131")
}

// remotePorts are those of remote access that no decoder tells from other traffic:
// WinRM over HTTP and TLS (Microsoft, default listener ports), TeamViewer, and direct
// connections of AnyDesk.
var remotePorts = []uint16{5985, 5986, 5938, 7070}

// remoteSession voids where nothing approved leads to the session. Where a channel
// does, but is not marked as remote access, it asks for proof, whatever else that
// channel says of the session.
var remoteSession = &Rule{
	Facts:    mustFacts("EV-040"),
	permit:   true,
	Subsumes: []string{"EV-001"},
	check: func(s *scene, r *Rule, report func(hit)) {
		for _, f := range s.flows {
			if !f.judgeable() || f.outcome != Answered || !f.isRemoteSession() {
				continue
			}
			switch {
			case f.unreachable():
				s.accuse(report, r, f, nil)
			case !f.settled.decision.Channel.RemoteAccess:
				s.accuseOf(report, r, f, Weakening, r.Contradicts, nil)
			}
		}
	},
	say: func(h hit) string {
		if h.class == Weakening {
			return fmt.Sprintf("held a remote session, %s, over channel %q, which is not marked remote-access",
				h.flow.spoke(), h.flow.settled.decision.Channel.ID)
		}
		return "held a remote session; it " + crossedText(h)
	},
	fix: func(g *group) string {
		f := g.hits[0].flow
		if g.key.class == Weakening {
			return fmt.Sprintf("mark channel %q with remote-access: true if it is the approved way in", f.settled.decision.Channel.ID)
		}
		return fmt.Sprintf("close %s from %s to %s; lead remote access through a jump host, on a channel with remote-access: true",
			serviceText(f.first), f.client.ID(), f.server.ID())
	},
}

// isRemoteSession reports whether a flow gives a person a screen or a shell in a
// control zone from outside the control network.
func (f *judged) isRemoteSession() bool {
	from := f.client.Zone
	if from == nil || !f.cross || !isControl(f.server) || !(from.Kind.IsUntrusted() || from == zones.Internet) || !f.exchanged() {
		return false
	}
	p := f.first.Protocol
	if f.protocolBasis == capture.Content && p != capture.HTTP && p != capture.TLS {
		info := p.Info()
		return info != nil && info.RemoteAccess
	}
	// WinRM is HTTP to a decoder, or TLS; of the others it knows no bytes.
	return f.first.Transport == capture.TCP && slices.Contains(remotePorts, f.first.Server.Port)
}
