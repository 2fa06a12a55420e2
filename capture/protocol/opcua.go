package protocol

import (
	"encoding/binary"
	"strconv"
	"strings"

	"bulkhead/capture"
)

// OPCUA is OPC UA's binary protocol over TCP: messages in chunks, over a secure
// channel whose policy says whether they can be read.
//
// Source: OPC 10000-6 (v1.05), clauses 5.2 (binary encoding), 6.7 (secure
// conversation) and 7.1 (connection protocol).
var OPCUA = &Protocol{
	Name:      capture.OPCUA,
	Over:      []capture.Transport{capture.TCP},
	Recognise: recogniseOPCUA,
	New:       func() Decoder { return new(opcuaDecoder) },
}

// opcuaService is a service by the numbers of its two messages.
type opcuaService struct {
	request, response uint16 // ids of the binary encodings in namespace 0; 0 = none
	name              string
	class             capture.Class
}

// Source: OPC 10000-6, Annex A.3 (Opc.Ua.NodeIds.csv, …_Encoding_DefaultBinary);
// the services themselves are those of OPC 10000-4, clause 5.
var opcuaServices = []opcuaService{
	{0, 397, "ServiceFault", capture.Session},

	{422, 425, "FindServers", capture.Discover},
	{12208, 12209, "FindServersOnNetwork", capture.Discover},
	{428, 431, "GetEndpoints", capture.Discover},
	{437, 440, "RegisterServer", capture.Configure},
	{12211, 12212, "RegisterServer2", capture.Configure},

	{446, 449, "OpenSecureChannel", capture.Session},
	{452, 455, "CloseSecureChannel", capture.Session},
	{461, 464, "CreateSession", capture.Session},
	{467, 470, "ActivateSession", capture.Session},
	{473, 476, "CloseSession", capture.Session},
	{479, 482, "Cancel", capture.Session},

	{488, 491, "AddNodes", capture.Configure},
	{494, 497, "AddReferences", capture.Configure},
	{500, 503, "DeleteNodes", capture.Configure},
	{506, 509, "DeleteReferences", capture.Configure},

	{527, 530, "Browse", capture.Discover},
	{533, 536, "BrowseNext", capture.Discover},
	{554, 557, "TranslateBrowsePathsToNodeIds", capture.Discover},
	{560, 563, "RegisterNodes", capture.Session},
	{566, 569, "UnregisterNodes", capture.Session},
	{615, 618, "QueryFirst", capture.Discover},
	{621, 624, "QueryNext", capture.Discover},

	{631, 634, "Read", capture.Read},
	{664, 667, "HistoryRead", capture.Read},
	{673, 676, "Write", capture.Write},
	{700, 703, "HistoryUpdate", capture.Write},
	{712, 715, "Call", capture.Control},

	{751, 754, "CreateMonitoredItems", capture.Event},
	{763, 766, "ModifyMonitoredItems", capture.Event},
	{769, 772, "SetMonitoringMode", capture.Event},
	{775, 778, "SetTriggering", capture.Event},
	{781, 784, "DeleteMonitoredItems", capture.Event},
	{787, 790, "CreateSubscription", capture.Event},
	{793, 796, "ModifySubscription", capture.Event},
	{799, 802, "SetPublishingMode", capture.Event},
	{826, 829, "Publish", capture.Event},
	{832, 835, "Republish", capture.Event},
	{841, 844, "TransferSubscriptions", capture.Event},
	{847, 850, "DeleteSubscriptions", capture.Event},
}

// opcuaKind is a message that the table of services names.
type opcuaKind struct {
	id    uint16
	op    Op
	reply bool
}

var opcuaKinds = func() map[uint32]*opcuaKind {
	m := make(map[uint32]*opcuaKind)
	add := func(id uint16, name string, class capture.Class, reply bool) {
		m[uint32(id)] = &opcuaKind{id: id, op: Op{capture.OPCUA, strconv.Itoa(int(id)), name, class}, reply: reply}
	}
	for _, s := range opcuaServices {
		if s.request == 0 {
			add(s.response, s.name, capture.Reply, true)
			continue
		}
		add(s.request, s.name+"Request", s.class, false)
		add(s.response, s.name+"Response", capture.Reply, true)
	}
	return m
}()

// The messages whose content is read further than its head.
const (
	opcuaActivateSession = 467
	opcuaServiceFault    = 397
	opcuaWriteResponse   = 676
	opcuaHistoryUpdated  = 703
	opcuaCallResponse    = 715
	opcuaCloseChannel    = 452
)

// Messages of the connection and of the secure channel.
var (
	opcuaHello        = Op{capture.OPCUA, "HEL", "Hello", capture.Session}
	opcuaReverseHello = Op{capture.OPCUA, "RHE", "ReverseHello", capture.Session}
	opcuaAcknowledge  = Op{capture.OPCUA, "ACK", "Acknowledge", capture.Reply}
	opcuaError        = Op{capture.OPCUA, "ERR", "Error", capture.Reply}
	opcuaOpen         = Op{capture.OPCUA, "OPN", "OpenSecureChannel", capture.Session}
	opcuaOpened       = Op{capture.OPCUA, "OPN", "OpenSecureChannel", capture.Reply}
	opcuaClose        = Op{capture.OPCUA, "CLO", "CloseSecureChannel", capture.Session}
)

// Keys of what is asked for under no request id; request ids have 32 bits.
const (
	opcuaHelloKey uint64 = 1<<32 + iota
	opcuaOpenKey
)

// The bounds of what is held of a connection.
const (
	opcuaHead    = 8       // message type, chunk type and size
	opcuaMaxSize = 1 << 28 // of a chunk; above that a size is garbage
	opcuaFront   = 4096    // read of a chunk that is longer than MaxPDU
	opcuaMaxOpen = 16      // messages of one side whose last chunk has not come

	opcuaMessageSize = 64 // bytes that one of them takes
)

func recogniseOPCUA(b []byte) Match {
	h := string(b[:min(len(b), 3)])
	role := AnyRole
	switch h {
	case "HEL":
		role = Client
	case "ACK", "RHE":
		role = Server
	case "ERR", "OPN", "MSG", "CLO":
	case "", "H", "HE", "A", "AC", "R", "RH", "E", "ER", "O", "OP", "M", "MS", "C", "CL":
		return Match{Score: More}
	default:
		return Match{}
	}
	if len(b) > 3 && b[3] != 'F' && (h != "MSG" || b[3] != 'C' && b[3] != 'A') {
		return Match{}
	}
	if len(b) < opcuaHead {
		return Match{Score: More}
	}
	size := binary.LittleEndian.Uint32(b[4:])
	least := uint32(24) // of MSG and CLO: channel, token, sequence header
	switch h {
	case "HEL", "OPN":
		least = 32
	case "ACK":
		least = 28
	case "ERR", "RHE":
		least = 16
	}
	if size < least || size > opcuaMaxSize {
		return Match{}
	}
	if role == AnyRole && len(b) >= 24 && h != "ERR" {
		role = opcuaRole(h, b[opcuaHead:min(uint64(len(b)), uint64(size))])
	}
	return Match{Score: Sure, Role: role}
}

// opcuaRole tells from the body of a chunk, where it can be read, who sent it.
func opcuaRole(kind string, body []byte) Role {
	r := opcuaReader{b: body}
	r.skip(4) // channel
	if kind == "OPN" {
		r.bytes()
		r.bytes()
		r.bytes()
	} else {
		r.skip(4) // token
	}
	r.skip(8) // sequence header
	k := opcuaKinds[r.typeID()]
	switch {
	case r.short || k == nil:
		return AnyRole
	case k.reply:
		return Server
	}
	return Client
}

// opcuaDecoder follows the secure channel of one connection.
type opcuaDecoder struct {
	client capture.Side // who sent the hello: over a reverse connection, the TCP server
	policy string       // of the channel, "" until an OPN was seen
	mode   opcuaMode
	open   [2][]opcuaMessage
	skip   [2]uint64 // bytes to come of a chunk longer than MaxPDU
}

type opcuaMode uint8

const (
	opcuaModeUnknown opcuaMode = iota
	opcuaModeNone
	opcuaModeSign
	opcuaModeEncrypt
)

// opcuaMessage is what the first chunk of a message told.
type opcuaMessage struct {
	request uint32
	kind    *opcuaKind // nil if it could not be read
	refused bool
	login   opcuaLogin
}

type opcuaLogin struct {
	kind     string // "" for none
	readable bool
	length   int
}

// Decode implements [Decoder].
func (d *opcuaDecoder) Decode(x *Exchange, from capture.Side, b []byte) int {
	if x.Gap(from) {
		d.skip[from] = 0
		d.open[from] = d.open[from][:0]
	}
	n := int(min(d.skip[from], uint64(len(b))))
	d.skip[from] -= uint64(n)
	for len(b)-n >= opcuaHead {
		c := b[n:]
		size := uint64(binary.LittleEndian.Uint32(c[4:]))
		if !opcuaStarts(c) || size < opcuaHead || size > opcuaMaxSize {
			x.Undecoded()
			return len(b)
		}
		if size > MaxPDU {
			if len(c) < opcuaFront {
				return n
			}
			d.chunk(x, from, c[:opcuaFront])
			took := min(size, uint64(len(c)))
			d.skip[from] = size - took
			n += int(took)
			continue
		}
		if uint64(len(c)) < size {
			return n
		}
		d.chunk(x, from, c[:size])
		n += int(size)
	}
	return n
}

// opcuaStarts reports whether a chunk can start with the first four of b.
func opcuaStarts(b []byte) bool {
	switch string(b[:3]) {
	case "HEL", "ACK", "ERR", "RHE", "OPN", "CLO":
		return b[3] == 'F'
	case "MSG":
		return b[3] == 'F' || b[3] == 'C' || b[3] == 'A'
	}
	return false
}

// chunk reads one chunk, or the front of a very long one.
func (d *opcuaDecoder) chunk(x *Exchange, from capture.Side, c []byte) {
	r := opcuaReader{b: c[opcuaHead:]}
	switch string(c[:3]) {
	case "HEL":
		d.client = from
		x.Forget(from, opcuaHelloKey)
		x.Ask(&opcuaHello, from, opcuaHelloKey)
	case "RHE":
		d.client = from.Other()
		x.Note(&opcuaReverseHello, from)
	case "ACK":
		x.Note(&opcuaAcknowledge, from)
		x.Answer(from, opcuaHelloKey, true)
	case "ERR":
		x.Note(&opcuaError, from)
		x.Answer(from, opcuaHelloKey, false)
		x.Answer(from, opcuaOpenKey, false)
	case "OPN":
		d.opn(x, from, &r)
	case "CLO":
		x.Note(&opcuaClose, from)
		r.skip(8) // channel and token
		d.message(x, from, 'F', &r)
	case "MSG":
		r.skip(8)
		d.message(x, from, c[3], &r)
	}
}

// opn reads a message that opens or renews the channel. With a policy other than
// None its body is encrypted whatever the channel's mode is going to be.
//
// Source: OPC 10000-6, 6.7.
func (d *opcuaDecoder) opn(x *Exchange, from capture.Side, r *opcuaReader) {
	r.skip(4) // channel
	policy := opcuaPolicy(r.bytes())
	r.bytes() // certificate of the sender
	r.bytes() // thumbprint of the receiver's
	if r.short {
		x.Undecoded()
		return
	}
	if policy != d.policy {
		d.policy, d.mode = policy, opcuaModeUnknown
	}
	if policy == "None" {
		if k := r.peek(8); k != nil {
			d.client = from
			if k.reply {
				d.client = from.Other()
			}
		}
	}
	if from == d.client {
		x.Forget(from, opcuaOpenKey)
		x.Ask(&opcuaOpen, from, opcuaOpenKey)
	} else {
		x.Note(&opcuaOpened, from)
		x.Answer(from, opcuaOpenKey, true)
	}
	if policy == "None" {
		d.settle(x, opcuaModeNone)
		d.message(x, from, 'F', r)
	}
}

// settle fixes the channel's mode.
func (d *opcuaDecoder) settle(x *Exchange, mode opcuaMode) {
	if d.mode == mode {
		return
	}
	d.mode = mode
	name := "none"
	switch mode {
	case opcuaModeNone:
		x.Protect(Clear)
	case opcuaModeSign:
		x.Protect(Integrity)
		name = "sign"
	case opcuaModeEncrypt:
		x.Protect(Encrypted)
		name = "sign-and-encrypt"
	}
	if d.policy != "" {
		x.OPCUA(d.policy, name)
	}
}

// message reads a chunk from its sequence header on.
//
// Under a policy other than None nothing on the wire says whether a channel
// signs or also encrypts. A signed message begins with the id of a service; an
// encrypted one does by chance in one case of many millions.
func (d *opcuaDecoder) message(x *Exchange, from capture.Side, chunk byte, r *opcuaReader) {
	if d.mode == opcuaModeEncrypt {
		return
	}
	r.skip(4) // sequence number
	request := r.u32()
	if r.short {
		x.Undecoded()
		return
	}
	open := d.open[from]
	for i := range open {
		if open[i].request != request {
			continue
		}
		if chunk != 'C' {
			if chunk == 'F' {
				d.count(x, from, &open[i])
			}
			d.open[from] = append(open[:i], open[i+1:]...)
		}
		return
	}
	m := opcuaMessage{request: request, kind: opcuaKinds[r.typeID()]}
	switch {
	case m.kind == nil && d.policy == "" && d.mode == opcuaModeUnknown:
		x.Protect(Encrypted) // as far as can be told: the channel was opened before the capture
		return
	case m.kind == nil && d.mode == opcuaModeUnknown:
		d.settle(x, opcuaModeEncrypt)
		return
	case d.mode == opcuaModeUnknown && d.policy == "":
		d.settle(x, opcuaModeNone) // or signed: the weaker is said
	case d.mode == opcuaModeUnknown:
		d.settle(x, opcuaModeSign)
	}
	if m.kind != nil && m.kind.reply {
		m.refused = opcuaRefused(m.kind, r)
	} else if m.kind != nil && m.kind.id == opcuaActivateSession {
		m.login = opcuaIdentity(r)
	}
	switch chunk {
	case 'F':
		d.count(x, from, &m)
	case 'C':
		if len(open) == opcuaMaxOpen {
			x.Undecoded()
			open = append(open[:0], open[1:]...)
		}
		if cap(open) == 0 {
			if !x.Hold(opcuaMaxOpen * opcuaMessageSize) {
				x.Undecoded()
				return
			}
			open = make([]opcuaMessage, 0, opcuaMaxOpen)
		}
		d.open[from] = append(open, m)
	}
}

// count counts a message that has come whole.
func (d *opcuaDecoder) count(x *Exchange, from capture.Side, m *opcuaMessage) {
	key := uint64(m.request)
	switch {
	case m.kind == nil:
		x.Undecoded()
	case m.kind.reply:
		x.Note(&m.kind.op, from)
		x.Answer(from, key, !m.refused)
	case m.kind.id == opcuaCloseChannel:
		x.Note(&m.kind.op, from)
	default:
		x.Forget(from, key)
		x.Ask(&m.kind.op, from, key)
		if m.login.kind != "" {
			x.Login(from, key, m.login.kind, m.login.readable, m.login.length)
		}
	}
}

// opcuaPolicy returns the last part of a policy's URI, as text that can be
// printed.
func opcuaPolicy(uri []byte) string {
	if string(uri) == "http://opcfoundation.org/UA/SecurityPolicy#None" {
		return "None"
	}
	s := string(uri[:min(len(uri), 255)])
	return printable(s[strings.LastIndexByte(s, '#')+1:])
}

// opcuaRefused judges a response, r standing behind its type: refused if the
// service failed, or if none of the results that it lists succeeded.
//
// Source: OPC 10000-4, clauses 5 (Write, HistoryUpdate, Call) and 7
// (ResponseHeader); OPC 10000-4, StatusCode: the top two bits are the severity, 2
// and 3 being bad.
func opcuaRefused(k *opcuaKind, r *opcuaReader) bool {
	r.skip(8 + 4) // time stamp, request handle
	status := r.u32()
	if r.short {
		return false
	}
	if opcuaBad(status) || k.id == opcuaServiceFault {
		return true
	}
	if k.id != opcuaWriteResponse && k.id != opcuaCallResponse && k.id != opcuaHistoryUpdated {
		return false
	}
	r.diagnostics()
	for n := r.count(); n > 0; n-- {
		r.bytes() // string table
	}
	r.extension()
	n := r.count()
	if k.id != opcuaWriteResponse && n > 1 {
		return false // only the first of these results can be found without knowing the types of the rest
	}
	bad := false
	for ; n > 0; n-- {
		status = r.u32()
		if r.short {
			break
		}
		if bad = opcuaBad(status); !bad {
			break
		}
	}
	return bad
}

func opcuaBad(status uint32) bool { return status>>31 != 0 }

// The binary encodings of the identity tokens. Source: OPC 10000-6, Annex A.3.
const (
	opcuaAnonymousToken   = 321
	opcuaUserNameToken    = 324
	opcuaCertificateToken = 327
	opcuaIssuedToken      = 940
)

// opcuaIdentity reads the user's identity token of an ActivateSession request, r
// standing behind its type. A password is readable if no algorithm is named with
// which it was encrypted.
//
// Source: OPC 10000-4, clauses 5 (ActivateSession) and 7 (RequestHeader, user
// identity tokens).
func opcuaIdentity(r *opcuaReader) opcuaLogin {
	r.nodeID()    // authentication token
	r.skip(8 + 8) // time stamp, request handle, diagnostics
	r.bytes()     // audit entry
	r.skip(4)     // timeout
	r.extension()
	r.bytes() // signature of the client: algorithm, signature
	r.bytes()
	for n := r.count(); n > 0; n-- { // software certificates
		r.bytes()
		r.bytes()
	}
	for n := r.count(); n > 0; n-- { // locales
		r.bytes()
	}
	token := r.typeID()
	encoded := r.u8() != 0
	if r.short {
		return opcuaLogin{}
	}
	switch token {
	case 0, opcuaAnonymousToken: // a session without a token is anonymous
		return opcuaLogin{kind: "opcua anonymous"}
	case opcuaCertificateToken:
		return opcuaLogin{kind: "opcua certificate"}
	case opcuaIssuedToken:
		return opcuaLogin{kind: "opcua issued token"}
	case opcuaUserNameToken:
		l := opcuaLogin{kind: "opcua user name"}
		if encoded {
			r.skip(4) // length of the token
			r.bytes() // policy
			r.bytes() // user name
			secret := r.bytes()
			if algorithm := r.bytes(); !r.short && len(algorithm) == 0 {
				l.readable, l.length = true, len(secret)
			}
		}
		return l
	}
	return opcuaLogin{}
}

// opcuaReader reads the binary encoding. Once b was too short for what was asked,
// short is set and every result is zero.
type opcuaReader struct {
	b     []byte
	short bool
}

func (r *opcuaReader) take(n int) []byte {
	if n < 0 || n > len(r.b) {
		r.b, r.short = nil, true
		return nil
	}
	b := r.b[:n]
	r.b = r.b[n:]
	return b
}

func (r *opcuaReader) skip(n int) { r.take(n) }

func (r *opcuaReader) u8() byte {
	if b := r.take(1); b != nil {
		return b[0]
	}
	return 0
}

func (r *opcuaReader) u32() uint32 {
	if b := r.take(4); b != nil {
		return binary.LittleEndian.Uint32(b)
	}
	return 0
}

// count reads the length of an array: -1 for none, and at most as many elements
// as bytes are left.
func (r *opcuaReader) count() int {
	n := int(int32(r.u32()))
	return min(n, len(r.b))
}

// bytes reads a String or a ByteString; both may be null.
func (r *opcuaReader) bytes() []byte {
	n := int32(r.u32())
	if n <= 0 {
		return nil
	}
	return r.take(int(n))
}

// typeID reads a NodeId and returns its number, or 0 if it is no number of
// namespace 0.
func (r *opcuaReader) typeID() uint32 {
	if len(r.b) > 0 {
		switch r.b[0] {
		case 0:
			r.skip(1)
			return uint32(r.u8())
		case 1:
			if b := r.take(4); b != nil && b[1] == 0 {
				return uint32(binary.LittleEndian.Uint16(b[2:]))
			}
			return 0
		case 2:
			if b := r.take(7); b != nil && b[1] == 0 && b[2] == 0 {
				return binary.LittleEndian.Uint32(b[3:])
			}
			return 0
		}
	}
	r.nodeID()
	return 0
}

// nodeID skips a NodeId. Source: OPC 10000-6, 5.2.2.9.
func (r *opcuaReader) nodeID() {
	switch r.u8() {
	case 0:
		r.skip(1)
	case 1:
		r.skip(3)
	case 2:
		r.skip(6)
	case 3, 5: // a string, an opaque value
		r.skip(2)
		r.bytes()
	case 4: // a GUID
		r.skip(18)
	default:
		r.b, r.short = nil, true
	}
}

// extension skips an ExtensionObject. Source: OPC 10000-6, 5.2.2.15.
func (r *opcuaReader) extension() {
	r.nodeID()
	if r.u8() != 0 {
		r.bytes()
	}
}

// diagnostics skips a DiagnosticInfo. Source: OPC 10000-6, 5.2.2.12.
func (r *opcuaReader) diagnostics() {
	for {
		mask := r.u8()
		for bit := byte(1); bit < 0x10; bit <<= 1 { // four indexes
			if mask&bit != 0 {
				r.skip(4)
			}
		}
		if mask&0x10 != 0 {
			r.bytes()
		}
		if mask&0x20 != 0 {
			r.skip(4)
		}
		if mask&0x40 == 0 { // no inner one
			return
		}
	}
}

// peek returns the kind of the message whose type stands n bytes ahead, or nil.
func (r *opcuaReader) peek(n int) *opcuaKind {
	ahead := *r
	ahead.skip(n)
	return opcuaKinds[ahead.typeID()]
}
