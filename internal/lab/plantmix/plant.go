package plantmix

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"time"

	"bulkhead/capture"
	"bulkhead/internal/lab/wire"
)

// Options shape a plant; the zero value will do.
type Options struct {
	Frames uint64 // of the capture; 0 for 8 million
	Seed   uint64 // of what looks random: sequence numbers, phases
	// Cells is how many cells the plant has, of 20 hosts each, at most 100; 0 for
	// as many as fit the frames, 1 to 24.
	Cells int
}

// DefaultFrames is how many frames a capture has unless Options say otherwise.
const DefaultFrames = 8_000_000

const (
	maxCells      = 24
	framesPerCell = 300_000
)

// Plant is a plant at work. It is not safe for use by several goroutines.
type Plant struct {
	random        *rand.Rand
	limit         uint64
	hosts         int
	services      []*service
	conversations []conversation
	port          uint16 // the last client port

	slots  []int32 // the first conversation in each slot of the ring, or -1
	now    int64   // slot
	inSlot int64   // frames in it
	frames uint64
	bytes  uint64
}

// New builds a plant. The error says that a dialogue could not be recorded.
func New(o Options) (*Plant, error) {
	if o.Frames == 0 {
		o.Frames = DefaultFrames
	}
	if o.Cells == 0 {
		o.Cells = int(min(max(o.Frames/framesPerCell, 1), maxCells))
	}
	if o.Cells < 1 || o.Cells > 100 {
		return nil, fmt.Errorf("plant of %d cells: expected 1 to 100", o.Cells)
	}
	p := &Plant{random: rand.New(rand.NewPCG(o.Seed, 62443)), limit: o.Frames, slots: make([]int32, ring), bytes: wire.FileHeaderSize}
	for i := range p.slots {
		p.slots[i] = -1
	}
	d, err := p.dialogues()
	if err != nil {
		return nil, err
	}
	p.servers(d)
	for n := range o.Cells {
		p.cell(d, n)
	}
	for n := range p.conversations {
		c := &p.conversations[n]
		p.begin(c)
		first := min(int64(c.steps[0].wait), int64(2*time.Second/slot))
		p.schedule(int32(n), p.random.Int64N(first+int64(200*time.Millisecond/slot)))
	}
	return p, nil
}

// Write writes a capture of the plant's first frames and says what it holds.
func (p *Plant) Write(w io.Writer) (Manifest, error) {
	out := bufio.NewWriterSize(w, 1<<20)
	b := wire.AppendFileHeader(nil)
	for p.frames < p.limit {
		if _, err := out.Write(b); err != nil {
			return Manifest{}, err
		}
		b = p.AppendFrame(b[:0])
	}
	_, err := out.Write(b)
	return p.manifest(), errors.Join(err, out.Flush())
}

// service returns the counts of a service; protocol is "" if it has no name.
func (p *Plant) service(t capture.Transport, port uint16, protocol capture.Protocol) *service {
	if protocol.Info() == nil {
		protocol = ""
	}
	for _, s := range p.services {
		if s.Transport == t && s.Port == port {
			return s
		}
	}
	s := &service{Service: Service{Transport: t, Port: port, Protocol: protocol}, ops: map[opKey]*Operation{}}
	p.services = append(p.services, s)
	return s
}

// dialogueSet is what the plant's hosts say to each other.
type dialogueSet struct {
	modbusFast, modbusSlow, modbusLong, s7, enip, dnp3, opcua *dialogue
	ntp, dns, snmp, syslog, http, tls, smb, rdp               *dialogue
	io, identity, goose, sampled, profinet, ptp, arp          *dialogue
}

func (p *Plant) dialogues() (*dialogueSet, error) {
	var errs []error
	recorded := func(d *dialogue, err error) *dialogue {
		errs = append(errs, err)
		return d
	}
	d := &dialogueSet{
		modbusFast: recorded(p.modbus(50*time.Millisecond, 12)),
		modbusSlow: recorded(p.modbus(120*time.Millisecond, 24)),
		modbusLong: recorded(p.modbus(time.Second, 120)),
		s7:         recorded(p.s7(250*time.Millisecond, 32)),
		enip:       recorded(p.enip(250 * time.Millisecond)),
		dnp3:       recorded(p.dnp3(500 * time.Millisecond)),
		opcua:      recorded(p.opcua(500*time.Millisecond, 12)),
		ntp:        recorded(p.ntp(16 * time.Second)),
		dns:        recorded(p.dns(5 * time.Second)),
		snmp:       recorded(p.snmp(10 * time.Second)),
		syslog:     recorded(p.syslog(8 * time.Second)),
		http:       recorded(p.http(10 * time.Second)),
		tls:        recorded(p.tls(12 * time.Second)),
		smb:        recorded(p.smb(20 * time.Second)),
		rdp:        recorded(p.rdp(30 * time.Second)),
		io:         p.cyclicIO(50*time.Millisecond, 32),
		identity:   p.identity(30 * time.Second),
		goose:      p.goose(200*time.Millisecond, "BAY1PROT"),
		sampled:    p.sampledValues(8*samplePeriod, 8),
		profinet:   p.profinet(32 * time.Millisecond),
		ptp:        p.ptp(125 * time.Millisecond),
		arp:        p.arp(20 * time.Second),
	}
	return d, errors.Join(errs...)
}

const samplePeriod = time.Second / samplesPerSecond

// The parts of a MAC address: locally administered prefixes, so that they are
// nobody's.
const (
	macServer = 0x10
	macCell   = 0x20
	macRouter = 0x30
)

// serverEnd returns server number n of all cells as a tap beyond a router sees it,
// or as its own segment does if router is nil.
func (p *Plant) serverEnd(n int, router *end) end {
	e := end{mac: wire.MAC{2, macServer, 0, 0, 0, byte(n)}, ip: [4]byte{10, 10, 0, byte(n)}, ttl: 64}
	if router != nil {
		e.mac, e.ttl = router.mac, 63
	}
	return e
}

// The servers of all cells, by number.
const (
	nameServer = 1 + iota
	timeServer
	manager
	logServer
	historian
	executionSystem
	fileServer
	numServers = fileServer
)

// talk adds a conversation. Last is how many cycles a connection has; 0 for one
// that stays open.
func (p *Plant) talk(d *dialogue, vlan uint16, client, server end, last uint64) {
	p.conversations = append(p.conversations, conversation{dialogue: d, ends: [2]end{client, server}, vlan: vlan, last: last,
		id: [2]uint16{uint16(p.random.Uint32()), uint16(p.random.Uint32())}})
}

// servers adds what the servers say among themselves.
func (p *Plant) servers(d *dialogueSet) {
	p.hosts += numServers
	for n := nameServer + 1; n <= numServers; n++ {
		p.talk(d.dns, 0, p.serverEnd(n, nil), p.serverEnd(nameServer, nil), 0)
		p.talk(d.arp, 0, p.serverEnd(n, nil), p.serverEnd(nameServer, nil), 0)
	}
	p.talk(d.smb, 0, p.serverEnd(historian, nil), p.serverEnd(fileServer, nil), 200)
	p.talk(d.tls, 0, p.serverEnd(executionSystem, nil), p.serverEnd(historian, nil), 20)
}

// The hosts of a cell, by the last byte of their addresses.
const (
	router = 1

	firstPLC, numPLCs      = 11, 8 // Modbus; some of them other protocols too
	station, secondStation = 31, 32
	engineering            = 33
	firstRTU, numRTUs      = 41, 2
	batchServer            = 51
	firstRelay, numRelays  = 61, 2
	firstDrive, numDrives  = 71, 2
	cellSwitch             = 81
	hostsPerCell           = 1 + numPLCs + 3 + numRTUs + 1 + numRelays + numDrives + 1
	taggedCells            = 3 // every third cell is
	firstVLAN              = 100
)

// group is where frames to all listeners of a link protocol go.
func group(m wire.MAC) end { return end{mac: m, ip: [4]byte{255, 255, 255, 255}} }

// cell adds one cell and what its hosts say.
func (p *Plant) cell(d *dialogueSet, n int) {
	p.hosts += hostsPerCell
	var vlan uint16
	if n%taggedCells == taggedCells-1 {
		vlan = firstVLAN + uint16(n)
	}
	host := func(last byte) end {
		kind := byte(macCell)
		if last == router {
			kind = macRouter
		}
		return end{mac: wire.MAC{2, kind, 0, 0, byte(n), last}, ip: [4]byte{10, 20, byte(n), last}, ttl: 64}
	}
	gate := host(router)
	server := func(n int) end { return p.serverEnd(n, &gate) }
	talk := func(d *dialogue, client, server end, last uint64) { p.talk(d, vlan, client, server, last) }

	for i := range numPLCs {
		plc := host(firstPLC + byte(i))
		talk(d.modbusFast, host(station), plc, 0)
		talk(d.modbusSlow, host(secondStation), plc, 0)
		talk(d.modbusLong, server(historian), plc, 0)
		if i < 3 {
			talk(d.s7, host(station), plc, 0)
			talk(d.s7, host(secondStation), plc, 0)
		}
		if i >= 5 {
			talk(d.enip, host(station), plc, 0)
			talk(d.io, plc, host(firstDrive+byte(i%numDrives)), 0)
		}
		talk(d.snmp, server(manager), plc, 0)
		talk(d.ntp, plc, server(timeServer), 0)
		talk(d.syslog, plc, server(logServer), 0)
		talk(d.arp, host(station), plc, 0)
		talk(d.arp, host(secondStation), plc, 0)
		talk(d.arp, plc, gate, 0)
		talk(d.http, host(engineering), plc, 4)
	}
	for i := range numRTUs {
		rtu := host(firstRTU + byte(i))
		talk(d.dnp3, host(station), rtu, 0)
		talk(d.arp, host(station), rtu, 0)
		talk(d.ntp, rtu, server(timeServer), 0)
	}
	for i := range numRelays {
		relay := host(firstRelay + byte(i))
		talk(d.goose, relay, group(wire.MAC{0x01, 0x0c, 0xcd, 0x01, 0, byte(n)}), 0)
		talk(d.arp, relay, gate, 0)
	}
	for i := range numDrives {
		talk(d.profinet, host(firstPLC), host(firstDrive+byte(i)), 0)
	}
	talk(d.ptp, host(cellSwitch), group(wire.MAC{0x01, 0x1b, 0x19, 0, 0, 0}), 0)
	talk(d.snmp, server(manager), host(cellSwitch), 0)
	talk(d.syslog, host(cellSwitch), server(logServer), 0)
	talk(d.opcua, server(historian), host(batchServer), 0)
	talk(d.opcua, host(station), host(batchServer), 0)
	for _, last := range []byte{station, secondStation, engineering, batchServer} {
		talk(d.dns, host(last), server(nameServer), 0)
		talk(d.ntp, host(last), server(timeServer), 0)
		talk(d.tls, host(last), server(executionSystem), 12)
		talk(d.arp, host(last), gate, 0)
	}
	talk(d.smb, host(engineering), server(fileServer), 100)
	talk(d.rdp, host(engineering), host(batchServer), 100)
	broadcast := group(wire.MAC{0xff, 0xff, 0xff, 0xff, 0xff, 0xff})
	talk(d.identity, host(engineering), broadcast, 0)
	if n == 0 { // one merging unit sends more than the rest of its cell
		talk(d.sampled, host(firstRelay), group(wire.MAC{0x01, 0x0c, 0xcd, 0x04, 0, 0}), 0)
	}
}
