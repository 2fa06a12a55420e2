package plantmix

import (
	"cmp"
	"slices"

	"bulkhead/capture"
)

// Manifest says what a capture of the plant holds.
type Manifest struct {
	Frames   uint64
	Bytes    uint64    // of the file
	Hosts    int       // of the plant, whether or not they were heard
	Services []Service // by transport, port and protocol
}

// Service is all that was written of one service.
type Service struct {
	Transport     capture.Transport
	Port          uint16           // of the server; the EtherType over the link
	Protocol      capture.Protocol // "" if the vocabulary of observations has no name for it
	Conversations uint64           // with at least one frame
	Frames        uint64
	// Operations counts the PDUs that bear each code, whether or not their
	// answer is in the capture; none for services whose operations have no codes.
	Operations []Operation
}

// Operation counts the PDUs of one code.
type Operation struct {
	Protocol capture.Protocol
	Code     string // as the protocol's [capture.CodeForm] spells it
	Count    uint64
}

// manifest sums up what was written so far.
func (p *Plant) manifest() Manifest {
	m := Manifest{Frames: p.frames, Bytes: p.bytes, Hosts: p.hosts}
	for _, s := range p.services {
		out := s.Service
		for _, op := range s.ops { // sorted below
			if op.Count > 0 {
				out.Operations = append(out.Operations, *op)
			}
		}
		slices.SortFunc(out.Operations, func(a, b Operation) int {
			return cmp.Or(cmp.Compare(a.Protocol, b.Protocol), cmp.Compare(a.Code, b.Code))
		})
		if out.Frames > 0 {
			m.Services = append(m.Services, out)
		}
	}
	slices.SortFunc(m.Services, func(a, b Service) int {
		return cmp.Or(cmp.Compare(a.Transport, b.Transport), cmp.Compare(a.Port, b.Port), cmp.Compare(a.Protocol, b.Protocol))
	})
	return m
}
