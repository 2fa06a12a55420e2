package observe

import (
	"net/netip"

	"bulkhead/capture"
)

// folds counts what found no room as a conversation: by the networks of both
// ends, the transport and the server's port. The fuller the table, the wider are
// the networks of new rows, so that there is a row for everything.
type folds struct {
	rows map[foldKey]*fold
}

type foldKey struct {
	tunnel         uint16
	client, server netip.Prefix
	carrier        carrier
	port           uint16
}

type fold struct {
	states         [4]uint64
	packets, bytes [2]uint64
	first, last    capture.Time
	frame          uint64
}

// foldStep is how far rows are folded while the table is not fuller than most, in
// parts of 256.
type foldStep struct {
	most   int
	v4, v6 int // bits of the networks
	// service is whether ports and tunnels are told apart.
	service bool
}

// foldSteps go from the networks that plants are cut into to everything. The
// last has one row a transport and IP version, and always room.
var foldSteps = [...]foldStep{
	{most: 160, v4: 24, v6: 64, service: true},
	{most: 224, v4: 16, v6: 48, service: true},
	{most: 248, v4: 8, v6: 32},
	{most: 256},
}

// foldConn counts a connection that found no conversation.
func (s *shard) foldConn(c *conn) {
	f := s.folds.row(&c.key, int(c.client), c.key.port(int(1-c.client)), s.limits.folded)
	f.states[c.state()]++
	for side := range 2 {
		from := int(c.client) ^ side
		f.packets[side] += c.packets[from]
		f.bytes[side] += c.bytes[from]
	}
	f.span(c.first, c.last, c.frame)
	if c.key.tunnel == 0 {
		s.folded += c.packets[0] + c.packets[1]
	}
}

// foldConv counts a conversation that gave its place up.
func (s *shard) foldConv(v *conv) {
	f := s.folds.row(&v.key, 0, v.key.bPort, s.limits.folded)
	for i, n := range v.states {
		f.states[i] += n
	}
	for side := range 2 {
		f.packets[side] += v.packets[side]
		f.bytes[side] += v.bytes[side]
	}
	f.span(v.first, v.last, v.frame)
	if v.key.tunnel == 0 {
		s.folded += v.packets[0] + v.packets[1]
	}
	if v.tally != nil {
		v.tally.Release()
	}
}

func (f *fold) span(first, last capture.Time, frame uint64) {
	f.first, f.last = f.first.Earliest(first), f.last.Latest(last)
	if f.frame == 0 || frame < f.frame {
		f.frame = frame
	}
}

func (f *fold) add(o *fold) {
	for i, n := range o.states {
		f.states[i] += n
	}
	for side := range 2 {
		f.packets[side] += o.packets[side]
		f.bytes[side] += o.bytes[side]
	}
	f.span(o.first, o.last, o.frame)
}

// row returns the narrowest row that is there, or that there is room for.
func (t *folds) row(k *flowKey, client int, port uint16, limit int) *fold {
	if t.rows == nil {
		t.rows = make(map[foldKey]*fold)
	}
	for i := 0; ; i++ {
		step := &foldSteps[i]
		key := foldKey{carrier: k.carrier, tunnel: k.tunnel, port: port}
		if !step.service {
			key.port, key.tunnel = 0, min(key.tunnel, otherTunnel)
		}
		if k.carrier != overLink {
			bits := step.v6
			if k.v4 {
				bits = step.v4
			}
			// The bits are never more than the address has.
			key.client, _ = k.addr(client).Prefix(bits)
			key.server, _ = k.addr(1 - client).Prefix(bits)
		}
		if f := t.rows[key]; f != nil {
			return f
		}
		if len(t.rows) < limit*step.most/256 || i == len(foldSteps)-1 {
			f := new(fold)
			t.rows[key] = f
			return f
		}
	}
}

// export returns a row as it is handed on, as of capture number i.
func (f *fold) export(k foldKey, i int) capture.Folded {
	out := capture.Folded{
		Capture: i, Client: k.client, Server: k.server, Transport: transports[k.carrier], Port: k.port,
		State:   capture.State{Attempted: f.states[attempted], Refused: f.states[refused], Established: f.states[established], Answered: f.states[answered]},
		Packets: capture.Volume{Sent: f.packets[0], Received: f.packets[1]},
		Bytes:   capture.Volume{Sent: f.bytes[0], Received: f.bytes[1]},
		First:   f.first, Last: f.last, Frame: f.frame,
	}
	for _, n := range f.states {
		out.Connections += n
	}
	return out
}
