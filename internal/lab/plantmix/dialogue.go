package plantmix

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"io"
	"time"

	"bulkhead/capture"
	"bulkhead/capture/pcap"
	"bulkhead/internal/lab"
	"bulkhead/internal/lab/wire"
)

// transport is what carries a dialogue.
type transport uint8

const (
	overTCP transport = iota
	overUDP
	overLink
)

// dialogue is a recording that conversations play: an opening, a cycle that is
// repeated, and a closing.
type dialogue struct {
	service  *service
	over     transport
	steps    []step
	cycle    int       // the first step of the cycle
	closing  int       // the first step after it; len(steps) if the dialogue is never closed
	start    [2]uint32 // of TCP, the recorded initial sequence numbers
	advance  [2]uint32 // bytes that each side sends in a cycle
	counters []counter
	// freshPort has each cycle use another client port, as DNS clients do.
	freshPort bool
	// bothPorts has the client use the server's port too, as NTP does.
	bothPorts bool
}

// step is one frame of a dialogue.
type step struct {
	from    lab.Side
	wait    int32 // slots since the step before
	flags   byte
	seq     uint32 // as recorded, likewise ack
	ack     uint32
	options []byte       // of TCP
	payload []byte       // of TCP or UDP; all behind the EtherType over the link
	ops     []*Operation // that it bears
}

// counter is a number in payloads that goes up with every cycle. It changes only
// frames that are long enough to have it.
type counter struct {
	both   bool // else only frames of from
	from   lab.Side
	offset int // in the payload
	width  int // 1, 2, 4 or 8 bytes
	order  binary.ByteOrder
	step   uint64 // how much more a cycle
	modulo uint64 // it starts again at 0 there; 0 for where its width ends
}

// add adds the counter's growth after some cycles to payload.
func (c *counter) add(payload []byte, from lab.Side, cycles uint64) {
	if !c.both && c.from != from || len(payload) < c.offset+c.width {
		return
	}
	field, n := payload[c.offset:c.offset+c.width], c.step*cycles
	wrap := func(n uint64) uint64 {
		if c.modulo != 0 {
			return n % c.modulo
		}
		return n
	}
	switch c.width {
	case 1:
		field[0] = byte(wrap(uint64(field[0]) + n))
	case 2:
		c.order.PutUint16(field, uint16(wrap(uint64(c.order.Uint16(field))+n)))
	case 4:
		c.order.PutUint32(field, uint32(wrap(uint64(c.order.Uint32(field))+n)))
	case 8:
		c.order.PutUint64(field, wrap(c.order.Uint64(field)+n))
	}
}

// act is one thing that happens in a dialogue.
type act struct {
	pause    time.Duration // before it
	does     func()
	requests [][]*Operation // what the client's segments or datagrams with payload bear, in turn
	answers  [][]*Operation // likewise the server's
}

// script is a dialogue in the making.
type script struct {
	net            *lab.Net
	client, server *lab.Host
	acts           []act
	opening        int // acts of the opening
	cycle          int // acts of the cycle
}

func newScript() *script {
	n := lab.New(time.Unix(0, epoch*1000).UTC())
	return &script{net: n, client: n.Host("10.0.0.1", "02:00:00:00:00:01"), server: n.Host("10.0.0.2", "02:00:00:00:00:02")}
}

func (s *script) open(a ...act)   { s.acts = append(s.acts, a...); s.opening += len(a) }
func (s *script) repeat(a ...act) { s.acts = append(s.acts, a...); s.cycle += len(a) }
func (s *script) end(a ...act)    { s.acts = append(s.acts, a...) }

// actEvery is how far acts are apart while they are recorded: the frames of one
// are told from those of the next by their times.
const actEvery = time.Minute

// record plays the script in package lab's network and takes its frames.
func (s *script) record(svc *service, over transport, counters ...counter) (*dialogue, error) {
	d := &dialogue{service: svc, over: over, counters: counters}
	for i, a := range s.acts {
		s.net.At(time.Duration(i) * actEvery)
		a.does()
	}
	file, err := s.net.Bytes()
	if err != nil {
		return nil, err
	}
	r, err := pcap.NewReader(bytes.NewReader(file))
	if err != nil {
		return nil, err
	}
	d.cycle, d.closing = -1, -1
	current, previous := -1, time.Duration(0)
	var requests, answers [][]*Operation
	for {
		f, err := r.Next()
		if err == io.EOF {
			break
		}
		if err != nil {
			return nil, err
		}
		since := time.Duration(f.Time.UnixNano() - epoch*1000)
		n := int(since / actEvery)
		at := since - time.Duration(n)*actEvery
		if n != current {
			current, previous, requests, answers = n, 0, s.acts[n].requests, s.acts[n].answers
			if n >= s.opening && d.cycle < 0 {
				d.cycle = len(d.steps)
			}
			if n >= s.opening+s.cycle && d.closing < 0 {
				d.closing = len(d.steps)
			}
			at += s.acts[n].pause
		}
		st, err := newStep(f.Data, over)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", svc.Protocol, err)
		}
		st.wait = max(1, int32((at-previous)/slot))
		previous = at
		if len(st.payload) > 0 {
			switch {
			case st.from == lab.Client && len(requests) > 0:
				st.ops, requests = requests[0], requests[1:]
			case st.from == lab.Server && len(answers) > 0:
				st.ops, answers = answers[0], answers[1:]
			}
		}
		d.steps = append(d.steps, st)
	}
	if d.closing < 0 {
		d.closing = len(d.steps)
	}
	for _, st := range d.steps[d.cycle:d.closing] {
		d.advance[st.from] += uint32(len(st.payload))
	}
	if over == overTCP {
		d.start = [2]uint32{d.steps[0].seq, d.steps[1].seq} // SYN and its answer
	}
	return d, nil
}

// newStep takes one of package lab's frames apart: Ethernet, IPv4 without
// options, TCP or UDP.
func newStep(frame []byte, over transport) (step, error) {
	const ip, l4 = 14, 34
	be := binary.BigEndian
	if len(frame) < l4+8 || be.Uint16(frame[12:]) != wire.EtherTypeIPv4 {
		return step{}, fmt.Errorf("a recorded frame of %d bytes is no IPv4", len(frame))
	}
	st := step{from: lab.Side(frame[ip+15] - 1)} // 10.0.0.1 or 10.0.0.2
	segment := bytes.Clone(frame[l4 : ip+int(be.Uint16(frame[ip+2:]))])
	if over == overUDP {
		st.payload = segment[8:]
		return st, nil
	}
	head := int(segment[12]>>4) * 4
	st.flags, st.seq, st.ack = segment[13], be.Uint32(segment[4:]), be.Uint32(segment[8:])
	st.options, st.payload = segment[20:head], segment[head:]
	return st, nil
}

// linkDialogue is one frame, sent over and over by the client.
func linkDialogue(svc *service, every time.Duration, payload []byte, op *Operation, counters ...counter) *dialogue {
	st := step{from: lab.Client, wait: int32(every / slot), payload: payload}
	if op != nil {
		st.ops = []*Operation{op}
	}
	return &dialogue{service: svc, over: overLink, steps: []step{st}, closing: 1, counters: counters}
}

// service is a service of the plant and what was written of it.
type service struct {
	Service
	ops map[opKey]*Operation
}

type opKey struct {
	protocol capture.Protocol
	code     string
}

// op returns the service's count of an operation.
func (s *service) op(p capture.Protocol, code string) *Operation {
	k := opKey{p, code}
	if s.ops[k] == nil {
		s.ops[k] = &Operation{Protocol: p, Code: code}
	}
	return s.ops[k]
}

// each returns a list of messages that bear one operation each; "" is a message
// that bears none.
func (s *service) each(p capture.Protocol, codes ...string) [][]*Operation {
	var messages [][]*Operation
	for _, c := range codes {
		var ops []*Operation
		if c != "" {
			ops = []*Operation{s.op(p, c)}
		}
		messages = append(messages, ops)
	}
	return messages
}
