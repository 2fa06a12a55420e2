package lab

import (
	"math"
	"slices"
)

// OPCUA is an OPC UA client's secure channel and session over UA-TCP.
//
// Source: OPC UA Part 6, 5.2 (binary encoding), 6.7 (secure conversation) and
// 7.1 (connection protocol); Part 4, 5 (services); the numbers of requests and
// responses are the binary encoding ids of Opc.Ua.NodeIds.csv.
type OPCUA struct {
	conn     *Conn
	channel  uint32
	token    uint32
	sequence [2]uint32 // of each side
	request  uint32
}

// SealedOPCUA is a secure channel that signs and encrypts: all that is readable
// of it is its policy and the lengths of its messages.
type SealedOPCUA struct{ channel *OPCUA }

// Binary encoding ids.
const (
	uaServiceFault       = 397
	uaGetEndpoints       = 428
	uaOpenSecureChannel  = 446
	uaCloseSecureChannel = 452
	uaCreateSession      = 461
	uaActivateSession    = 467
	uaCloseSession       = 473
	uaBrowse             = 527
	uaRead               = 631
	uaWrite              = 673
	uaResponse           = 3 // a response's id is its request's and 3
	uaAnonymousToken     = 321
)

const (
	uaIssue            = 0 // request type: a new channel
	uaSecurityModeNone = 1
	uaSecurityPolicies = "http://opcfoundation.org/UA/SecurityPolicy#"
	uaServerURI        = "urn:terminal:batch"
	uaSessionTimeout   = 60_000.0  // ms
	uaChannelLifetime  = 3_600_000 // ms
)

// OPCUA opens a connection, a secure channel without security and an anonymous
// session.
func (c *Conn) OPCUA(endpoint string) *OPCUA {
	u := c.opcuaHello(endpoint)
	open := slices.Concat(le32(0), le32(uaIssue), le32(uaSecurityModeNone), uaNull(), le32(uaChannelLifetime))
	token := slices.Concat(le32(u.channel), le32(u.token), u.time(), le32(uaChannelLifetime))
	security := slices.Concat(uaString(uaSecurityPolicies+"None"), uaNull(), uaNull())
	u.request++
	c.exchange(u.message("OPN", Client, security, u.body(uaOpenSecureChannel, u.requestHeader(0), open)),
		u.message("OPN", Server, security, u.body(uaOpenSecureChannel+uaResponse, u.responseHeader(0), slices.Concat(le32(0), token, uaNull()))), nil)
	u.session(endpoint)
	return u
}

// SealedOPCUA opens a connection, a secure channel with policy Basic256Sha256
// and a session inside it.
func (c *Conn) SealedOPCUA(endpoint string) *SealedOPCUA {
	u := c.opcuaHello(endpoint)
	certificate := slices.Concat([]byte{0x30, 0x82}, be16(796), c.net.opaque(796)) // a DER sequence of that length
	security := slices.Concat(uaString(uaSecurityPolicies+"Basic256Sha256"), uaBytes(certificate), uaBytes(c.net.opaque(20)))
	c.exchange(u.frame("OPN", u.channel, slices.Concat(security, c.net.opaque(256))),
		u.frame("OPN", u.channel, slices.Concat(security, c.net.opaque(256))), nil)
	s := &SealedOPCUA{u}
	s.Exchange(1280, 1536) // create session
	s.Exchange(688, 96)    // activate session
	return s
}

// Exchange sends two encrypted messages of those lengths.
func (s *SealedOPCUA) Exchange(request, answer int, opts ...Option) {
	u := s.channel
	body := func(n int) []byte { return slices.Concat(le32(u.token), u.conn.net.opaque(n)) }
	u.conn.exchange(u.frame("MSG", u.channel, body(request)), u.frame("MSG", u.channel, body(answer)), opts)
}

// opcuaHello exchanges hello and acknowledge.
func (c *Conn) opcuaHello(endpoint string) *OPCUA {
	u := &OPCUA{conn: c, channel: 1 + c.net.random.Uint32N(1000), token: 1}
	limits := slices.Concat(le32(0), le32(65536), le32(65536), le32(0), le32(0)) // version, buffers, message size, chunks
	c.exchange(uaChunk("HEL", slices.Concat(limits, uaString(endpoint))), uaChunk("ACK", limits), nil)
	return u
}

func (u *OPCUA) session(endpoint string) {
	none := slices.Concat(uaNull(), uaNull()) // a signature: algorithm and bytes
	client := slices.Concat(uaString("urn:terminal:client"), uaNull(), []byte{2}, uaString("client"), le32(1), uaNull(), uaNull(), le32(0))
	timeout := le64(math.Float64bits(uaSessionTimeout))
	u.Call(uaCreateSession,
		slices.Concat(client, uaString(uaServerURI), uaString(endpoint), uaString("session 1"), uaNull(), uaNull(), timeout, le32(0)),
		slices.Concat([]byte{1, 1}, le16(100), []byte{1, 1}, le16(101), timeout, uaNull(), uaNull(), le32(0), le32(0), none, le32(0)))
	anonymous := uaString("anonymous")
	user := slices.Concat([]byte{1, 0}, le16(uaAnonymousToken), []byte{1}, uaBytes(anonymous))
	u.Call(uaActivateSession,
		slices.Concat(none, le32(0), le32(0), user, none),
		slices.Concat(uaNull(), le32(0), le32(0)))
}

// GetEndpoints asks how the server may be reached; this one lists nothing.
func (u *OPCUA) GetEndpoints(endpoint string, opts ...Option) {
	u.Call(uaGetEndpoints, slices.Concat(uaString(endpoint), le32(0), le32(0)), le32(0), opts...)
}

// Browse lists what the node with that number organises; nothing, here.
func (u *OPCUA) Browse(node int, opts ...Option) {
	view := slices.Concat([]byte{0, 0}, le64(0), le32(0))                                        // none
	hierarchical := slices.Concat(uaNode(0, node), le32(0), []byte{0, 33, 1}, le32(0), le32(63)) // forward, subtypes too, all classes, all fields
	u.Call(uaBrowse, slices.Concat(view, le32(0), le32(1), hierarchical), slices.Concat(le32(1), le32(0), uaNull(), le32(0), le32(0)), opts...)
}

// Read reads the values of nodes of namespace 2.
func (u *OPCUA) Read(nodes []int, opts ...Option) {
	ask, answer := slices.Concat(le64(0), le32(3), le32(len(nodes))), le32(len(nodes)) // any age, no timestamps
	for _, n := range nodes {
		ask = slices.Concat(ask, uaNode(2, n), le32(13), uaNull(), le16(0), uaNull()) // attribute value, no range, no encoding
		answer = slices.Concat(answer, uaInt32(n))
	}
	u.Call(uaRead, ask, slices.Concat(answer, le32(0)), opts...)
}

// Write sets the value of one node of namespace 2.
func (u *OPCUA) Write(node, value int, opts ...Option) {
	u.Call(uaWrite, slices.Concat(le32(1), uaNode(2, node), le32(13), uaNull(), uaInt32(value)), slices.Concat(le32(1), le32(0), le32(0)), opts...)
}

// Close ends session, channel and connection.
func (u *OPCUA) Close() {
	u.Call(uaCloseSession, []byte{1}, nil)
	u.request++
	u.conn.Client(u.message("CLO", Client, le32(u.token), u.body(uaCloseSecureChannel, u.requestHeader(0), nil)))
	u.conn.Close()
}

// Call sends a service request and its answer. Refused's code is the status code
// of a service fault, such as 0x801f0000, BadUserAccessDenied.
func (u *OPCUA) Call(service int, request, answer []byte, opts ...Option) {
	u.request++
	ask := u.message("MSG", Client, le32(u.token), u.body(service, u.requestHeader(101), request))
	reply := u.body(service+uaResponse, u.responseHeader(0), answer)
	if h := options(opts); h.refused {
		reply = u.body(uaServiceFault, u.responseHeader(h.code), nil)
	}
	if options(opts).unanswered {
		u.conn.exchange(ask, nil, opts)
		return
	}
	u.conn.exchange(ask, u.message("MSG", Server, le32(u.token), reply), opts)
}

func (u *OPCUA) body(id int, header, rest []byte) []byte {
	return slices.Concat([]byte{1, 0}, le16(id), header, rest)
}

// requestHeader: token of the session, time, handle, no diagnostics, no audit id,
// timeout, nothing additional.
func (u *OPCUA) requestHeader(session int) []byte {
	auth := []byte{0, 0}
	if session != 0 {
		auth = slices.Concat([]byte{1, 1}, le16(session))
	}
	return slices.Concat(auth, u.time(), le32(u.request), le32(0), uaNull(), le32(10000), []byte{0, 0, 0})
}

// responseHeader: time, handle, status, no diagnostics, no strings, nothing
// additional.
func (u *OPCUA) responseHeader(status uint32) []byte {
	return slices.Concat(u.time(), le32(u.request), le32(status), []byte{0}, le32(0), []byte{0, 0, 0})
}

// message is one chunk: header, security header, sequence header, body.
func (u *OPCUA) message(kind string, from Side, security, body []byte) []byte {
	u.sequence[from]++
	return u.frame(kind, u.channel, slices.Concat(security, le32(u.sequence[from]), le32(u.request), body))
}

func (u *OPCUA) frame(kind string, channel uint32, rest []byte) []byte {
	return uaChunk(kind, slices.Concat(le32(channel), rest))
}

// uaChunk puts the type, the chunk type F (final) and the length in front.
func uaChunk(kind string, rest []byte) []byte {
	return slices.Concat([]byte(kind), []byte{'F'}, le32(8+len(rest)), rest)
}

// time is the clock as a DateTime: 100 ns since 1601.
func (u *OPCUA) time() []byte {
	const to1970 = 11_644_473_600 * 10_000_000
	return le64(uint64(u.conn.net.now.UnixNano()/100 + to1970))
}

func uaString(s string) []byte { return uaBytes([]byte(s)) }
func uaBytes(b []byte) []byte  { return slices.Concat(le32(len(b)), b) }
func uaNull() []byte           { return le32(-1) }

// uaNode is a numeric node id in the four-byte form.
func uaNode(namespace byte, n int) []byte { return slices.Concat([]byte{1, namespace}, le16(n)) }

// uaInt32 is a data value that holds an Int32 and nothing else.
func uaInt32(v int) []byte { return slices.Concat([]byte{1, 6}, le32(v)) }
