package plantmix

import (
	"slices"
	"time"

	"bulkhead/capture"
	"bulkhead/internal/lab"
)

// datagrams is a question over UDP, asked over and over.
func (p *Plant) datagrams(svc *service, every time.Duration, ask func(s *script), ops [][]*Operation, counters ...counter) (*dialogue, error) {
	s := newScript()
	s.repeat(act{every, func() { ask(s) }, ops, nil})
	return s.record(svc, overUDP, counters...)
}

func (p *Plant) ntp(every time.Duration) (*dialogue, error) {
	svc := p.service(capture.UDP, 123, capture.NTP)
	seconds := func(from lab.Side, offset int) counter { // of a timestamp
		return counter{from: from, offset: offset, width: 4, order: be, step: uint64(every / time.Second)}
	}
	d, err := p.datagrams(svc, every, func(s *script) { s.net.NTP(s.client, s.server) }, nil,
		seconds(lab.Client, 40), seconds(lab.Server, 16), seconds(lab.Server, 24), seconds(lab.Server, 32), seconds(lab.Server, 40))
	if err == nil {
		d.bothPorts = true
	}
	return d, err
}

func (p *Plant) dns(every time.Duration) (*dialogue, error) {
	d, err := p.datagrams(p.service(capture.UDP, 53, capture.DNS), every,
		func(s *script) { s.net.DNS(s.client, s.server, "historian.plant.example", s.server) }, nil,
		counter{both: true, offset: 0, width: 2, order: be, step: 0x3d5b}) // the id: odd, so that it takes all values
	if err == nil {
		d.freshPort = true
	}
	return d, err
}

func (p *Plant) snmp(every time.Duration) (*dialogue, error) {
	svc := p.service(capture.UDP, 161, capture.SNMP)
	const requestID = 2 + 3 + 2 + len("plantread") + 2 + 2
	return p.datagrams(svc, every,
		func(s *script) { s.net.SNMP(s.client, s.server, "plantread", "Industrial Ethernet switch, 16 ports") },
		svc.each(capture.SNMP, "0"), counter{both: true, offset: requestID, width: 1, step: 1, modulo: 0x80})
}

func (p *Plant) syslog(every time.Duration) (*dialogue, error) {
	return p.datagrams(p.service(capture.UDP, 514, capture.Syslog), every,
		func(s *script) { s.net.Syslog(s.client, s.server, "port 7 changed its state to up") }, nil)
}

// arp asks for an address and is told it. Source: RFC 826.
func (p *Plant) arp(every time.Duration) *dialogue {
	message := func(operation byte) []byte { // the addresses are patched in when it is sent
		return append([]byte{0, 1, 8, 0, 6, 4, 0, operation}, make([]byte, 20)...)
	}
	return &dialogue{service: p.service(capture.L2, 0x0806, capture.ARP), over: overLink, closing: 2, steps: []step{
		{from: lab.Client, wait: int32(every / slot), payload: message(1)},
		{from: lab.Server, wait: int32(time.Millisecond / slot), payload: message(2)},
	}}
}

// http fetches a page of a device a few times over one connection.
func (p *Plant) http(every time.Duration) (*dialogue, error) {
	s := newScript()
	var c *lab.Conn
	s.open(act{pause: every, does: func() { c = s.net.TCP(s.client, s.server, 80) }})
	s.repeat(act{pause: 300 * time.Millisecond, does: func() { c.HTTP("/status.html", "", "") }})
	s.end(act{does: func() { c.Close() }})
	return s.record(p.service(capture.TCP, 80, capture.HTTP), overTCP)
}

// tls is an encrypted session with a web interface.
func (p *Plant) tls(every time.Duration) (*dialogue, error) {
	s := newScript()
	var t *lab.TLS
	s.open(act{pause: every, does: func() { t = s.net.TCP(s.client, s.server, 443).TLS13("mes.plant.example") }})
	s.repeat(act{pause: 150 * time.Millisecond, does: func() { t.Exchange(180, 450) }})
	s.end(act{does: func() { t.Close() }})
	return s.record(p.service(capture.TCP, 443, capture.TLS), overTCP)
}

// smb reads a file from a share, encrypted. Source: [MS-SMB2] 2.2.41.
func (p *Plant) smb(every time.Duration) (*dialogue, error) {
	s := newScript()
	var c *lab.Conn
	s.open(act{pause: every, does: func() {
		c = s.net.TCP(s.client, s.server, 445)
		c.SMB(0x0311)
	}})
	s.repeat(act{pause: 20 * time.Millisecond, does: func() {
		c.Client(p.smbSealed(104))
		c.Server(p.smbSealed(900))
	}})
	s.end(act{does: func() { c.Close() }})
	return s.record(p.service(capture.TCP, 445, capture.SMB), overTCP, counter{both: true, offset: 4 + 20, width: 4, order: le, step: 1}) // the nonce
}

// smbSealed is an encrypted message of size bytes behind the NetBIOS length and
// the transform header: signature, nonce, size, flag "encrypted", session.
func (p *Plant) smbSealed(size int) []byte {
	opaque := make([]byte, size)
	for i := range opaque {
		opaque[i] = byte(p.random.Uint32())
	}
	header := slices.Concat([]byte{0xfd, 'S', 'M', 'B'}, make([]byte, 16), le.AppendUint32(nil, 1), make([]byte, 12),
		le.AppendUint32(nil, uint32(size)), []byte{0, 0, 1, 0}, le.AppendUint64(nil, 0x40000000001))
	return slices.Concat(be.AppendUint32(nil, uint32(len(header)+size)), header, opaque)
}

// rdp is an engineer's screen on another station.
func (p *Plant) rdp(every time.Duration) (*dialogue, error) {
	s := newScript()
	var t *lab.TLS
	s.open(act{pause: every, does: func() { t = s.net.TCP(s.client, s.server, 3389).RDP("engineer") }})
	s.repeat(act{pause: 60 * time.Millisecond, does: func() { t.Exchange(48, 300) }})
	s.end(act{does: func() { t.Close() }})
	return s.record(p.service(capture.TCP, 3389, capture.RDP), overTCP)
}
