package lab

import "slices"

// TLS is a TLS connection: a handshake as its version shapes it, then records
// whose content is random.
type TLS struct{ conn *Conn }

// TLS record and handshake types. Source: RFC 8446, 4 and 5.1.
const (
	tlsChangeCipher = 20
	tlsHandshake    = 22
	tlsData         = 23
	tlsClientHello  = 1
	tlsServerHello  = 2
)

// TLS13 begins TLS 1.3 with TLS_AES_128_GCM_SHA256: after the server's hello
// everything is encrypted, certificates too.
func (c *Conn) TLS13(name string) *TLS {
	t := &TLS{c}
	session := c.net.opaque(32)
	c.Client(tlsRecord(tlsHandshake, t.clientHello(name, session, true)))
	key := slices.Concat(be16(0x001d), be16(32), c.net.opaque(32)) // x25519
	hello := t.serverHello(session, slices.Concat(tlsExtension(51, key), tlsExtension(43, be16(0x0304))))
	c.Server(slices.Concat(tlsRecord(tlsHandshake, hello), tlsRecord(tlsChangeCipher, []byte{1}),
		tlsRecord(tlsData, c.net.opaque(32)), tlsRecord(tlsData, c.net.opaque(1124)))) // extensions; certificate, proof, finished
	c.Client(slices.Concat(tlsRecord(tlsChangeCipher, []byte{1}), tlsRecord(tlsData, c.net.opaque(53))))
	return t
}

// TLS12 resumes a TLS 1.2 session with TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256.
// Source: RFC 5246, 7.3.
func (c *Conn) TLS12(name string) *TLS {
	t := &TLS{c}
	session := c.net.opaque(32)
	c.Client(tlsRecord(tlsHandshake, t.clientHello(name, session, false)))
	finished := slices.Concat(tlsRecord(tlsChangeCipher, []byte{1}), tlsRecord(tlsHandshake, c.net.opaque(40)))
	hello := t.serverHello(session, tlsExtension(0xff01, []byte{0}))
	c.Server(slices.Concat(tlsRecord(tlsHandshake, hello), finished))
	c.Client(finished)
	return t
}

// Exchange sends application data of those lengths both ways.
func (t *TLS) Exchange(request, answer int, opts ...Option) {
	t.conn.exchange(tlsRecord(tlsData, t.conn.net.opaque(request)), tlsRecord(tlsData, t.conn.net.opaque(answer)), opts)
}

// Close sends the encrypted close alerts and ends the connection.
func (t *TLS) Close() {
	t.Exchange(19, 19)
	t.conn.Close()
}

func (t *TLS) clientHello(name string, session []byte, tls13 bool) []byte {
	suites := slices.Concat(be16(0x1301), be16(0x1302), be16(0xc02f), be16(0xc030))
	host := slices.Concat([]byte{0}, be16(len(name)), []byte(name))
	extensions := slices.Concat(
		tlsExtension(0, tlsList(host)),                                       // server name
		tlsExtension(10, tlsList(be16(0x001d))),                              // groups: x25519
		tlsExtension(13, tlsList(slices.Concat(be16(0x0403), be16(0x0804)))), // ECDSA P-256, RSA-PSS
	)
	if tls13 {
		key := slices.Concat(be16(0x001d), be16(32), t.conn.net.opaque(32))
		extensions = slices.Concat(extensions, tlsExtension(51, tlsList(key)), tlsExtension(43, []byte{2, 0x03, 0x04}))
	}
	return tlsMessage(tlsClientHello, slices.Concat(be16(0x0303), t.conn.net.opaque(32), []byte{32}, session,
		tlsList(suites), []byte{1, 0}, tlsList(extensions)))
}

func (t *TLS) serverHello(session, extensions []byte) []byte {
	suite := be16(0x1301)
	if extensions[0] == 0xff {
		suite = be16(0xc02f)
	}
	return tlsMessage(tlsServerHello, slices.Concat(be16(0x0303), t.conn.net.opaque(32), []byte{32}, session, suite, []byte{0}, tlsList(extensions)))
}

func tlsRecord(kind byte, b []byte) []byte {
	return slices.Concat([]byte{kind}, be16(0x0303), be16(len(b)), b)
}

func tlsMessage(kind byte, b []byte) []byte {
	return slices.Concat([]byte{kind, byte(len(b) >> 16)}, be16(len(b)), b)
}

func tlsExtension(kind int, b []byte) []byte { return slices.Concat(be16(kind), be16(len(b)), b) }

// tlsList puts a two-byte length in front.
func tlsList(b []byte) []byte { return slices.Concat(be16(len(b)), b) }
