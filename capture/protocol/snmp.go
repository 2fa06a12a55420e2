package protocol

import "bulkhead/capture"

// SNMP is the Simple Network Management Protocol, versions 1, 2c and 3. A
// community is neither kept nor compared.
//
// Source: RFC 1157, 4 (v1); RFC 3416, 3 (PDUs of v2c and v3); RFC 3412, 6 and RFC
// 3414, 2.4 (v3 messages).
var SNMP = &Protocol{
	Name:      capture.SNMP,
	Over:      []capture.Transport{capture.UDP},
	Recognise: recogniseSNMP,
	New:       func() Decoder { return snmpDecoder{} },
}

// snmpOps are the PDUs by the number of their tag. Source: RFC 3416, 3.
var snmpOps = [...]Op{
	{capture.SNMP, "0", "GetRequest", capture.Read},
	{capture.SNMP, "1", "GetNextRequest", capture.Read},
	{capture.SNMP, "2", "Response", capture.Reply},
	{capture.SNMP, "3", "SetRequest", capture.Write},
	{capture.SNMP, "4", "Trap", capture.Event},
	{capture.SNMP, "5", "GetBulkRequest", capture.Read},
	{capture.SNMP, "6", "InformRequest", capture.Event},
	{capture.SNMP, "7", "SNMPv2-Trap", capture.Event},
	{capture.SNMP, "8", "Report", capture.Reply},
}

const (
	snmpFirst    = 0xa0
	snmpResponse = 0xa2
	snmpTrap1    = 0xa4
	snmpTrap2    = 0xa7
	snmpReport   = 0xa8
)

// snmpMessage is what the head of a message says.
type snmpMessage struct {
	version   int64
	flags     byte // of v3
	discovery bool // v3: no engine is named yet
	pdu       byte // its tag, 0 if it is encrypted
	request   int64
	status    int64
}

// The flags of v3.
const (
	snmpAuth       = 1
	snmpPriv       = 2
	snmpReportable = 4
)

func recogniseSNMP(b []byte) Match {
	m, ok := parseSNMP(b)
	if !ok {
		return Match{}
	}
	match := Match{Score: Sure}
	switch {
	case m.pdu == snmpResponse, m.pdu == snmpReport:
		match.Role = Server
	case m.pdu != 0, m.flags&snmpReportable != 0:
		match.Role = Client
	}
	return match
}

// parseSNMP reads a message down to the status of its PDU; ok is false if b
// holds none.
func parseSNMP(b []byte) (m snmpMessage, ok bool) {
	r := berReader{b}
	if !r.enter(berSequence) {
		return m, false
	}
	if m.version, ok = r.integer(); !ok || m.version != 0 && m.version != 1 && m.version != 3 {
		return m, false
	}
	if m.version != 3 {
		if _, ok := r.value(berOctets); !ok {
			return m, false
		}
		return m, m.readPDU(&r)
	}
	global, ok := r.value(berSequence)
	if !ok {
		return m, false
	}
	g := berReader{global}
	_, id := g.integer()
	_, size := g.integer()
	flags, ok := g.value(berOctets)
	_, model := g.integer()
	if !id || !size || !ok || !model || len(flags) != 1 {
		return m, false
	}
	m.flags = flags[0]
	security, ok := r.value(berOctets)
	if !ok {
		return m, false
	}
	s := berReader{security}
	if s.enter(berSequence) {
		engine, ok := s.value(berOctets)
		m.discovery = ok && len(engine) == 0
	}
	if m.flags&snmpPriv != 0 {
		return m, true
	}
	if !r.enter(berSequence) {
		return m, false
	}
	_, engine := r.value(berOctets)
	_, name := r.value(berOctets)
	return m, engine && name && m.readPDU(&r)
}

// readPDU reads the PDU that r stands at.
func (m *snmpMessage) readPDU(r *berReader) bool {
	if len(r.b) == 0 || r.b[0] < snmpFirst || int(r.b[0]-snmpFirst) >= len(snmpOps) {
		return false
	}
	m.pdu = r.b[0]
	if !r.enter(m.pdu) {
		return false
	}
	if m.pdu == snmpTrap1 {
		return true
	}
	var ok bool
	if m.request, ok = r.integer(); !ok {
		return false
	}
	m.status, ok = r.integer()
	return ok
}

// snmpDecoder keeps nothing: a datagram is a message.
type snmpDecoder struct{}

// Decode implements [Decoder].
func (snmpDecoder) Decode(x *Exchange, from capture.Side, b []byte) int {
	m, ok := parseSNMP(b)
	if !ok {
		x.Undecoded()
		return len(b)
	}
	switch {
	case m.version == 0:
		x.SNMP("v1")
	case m.version == 1:
		x.SNMP("v2c")
	default:
		x.SNMP("v3")
		switch {
		case m.flags&snmpPriv != 0:
			x.Protect(Encrypted)
		case m.flags&snmpAuth != 0:
			x.Protect(Integrity)
		case !m.discovery && m.pdu != snmpReport:
			x.Protect(Clear) // finding the engine is always in clear, and says nothing
		}
	}
	if m.pdu == 0 {
		return len(b)
	}
	op, key := &snmpOps[m.pdu-snmpFirst], uint64(uint32(m.request))
	switch m.pdu {
	case snmpResponse, snmpReport:
		x.Answer(from, key, m.pdu == snmpResponse && m.status == 0)
	case snmpTrap1, snmpTrap2:
		x.Note(op, from)
	default:
		x.Forget(from, key)
		x.Ask(op, from, key)
	}
	return len(b)
}

// The tags of BER that SNMP uses.
const (
	berInteger  = 0x02
	berOctets   = 0x04
	berSequence = 0x30
)

// berReader reads elements of ASN.1's basic encoding, of definite length, from
// the front of b.
//
// Source: ITU-T X.690, 8.1.
type berReader struct{ b []byte }

// element cuts the head of an element and returns its tag and the length of its
// content, which may be more than what is left.
func (r *berReader) element() (tag byte, size int, ok bool) {
	if len(r.b) < 2 {
		return 0, 0, false
	}
	tag, size = r.b[0], int(r.b[1])
	r.b = r.b[2:]
	if size < 0x80 {
		return tag, size, true
	}
	n := size & 0x7f
	if n == 0 || n > 3 || n > len(r.b) {
		return 0, 0, false
	}
	size = 0
	for _, c := range r.b[:n] {
		size = size<<8 | int(c)
	}
	r.b = r.b[n:]
	return tag, size, true
}

// enter goes into an element, which may be cut short.
func (r *berReader) enter(want byte) bool {
	tag, size, ok := r.element()
	if !ok || tag != want {
		return false
	}
	r.b = r.b[:min(size, len(r.b))]
	return true
}

// value reads a whole element.
func (r *berReader) value(want byte) ([]byte, bool) {
	tag, size, ok := r.element()
	if !ok || tag != want || size > len(r.b) {
		return nil, false
	}
	v := r.b[:size]
	r.b = r.b[size:]
	return v, true
}

func (r *berReader) integer() (int64, bool) {
	v, ok := r.value(berInteger)
	if !ok || len(v) == 0 || len(v) > 8 {
		return 0, false
	}
	n := int64(int8(v[0]))
	for _, c := range v[1:] {
		n = n<<8 | int64(c)
	}
	return n, true
}
