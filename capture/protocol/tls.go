package protocol

import (
	"encoding/binary"
	"fmt"
	"slices"

	"bulkhead/capture"
)

// TLS is Transport Layer Security, from SSL 3.0 on. Only the server's choice of
// version and cipher suite is read.
//
// Source: RFC 8446, clauses 4.1.3, 4.2.1 and 5.1; RFC 5246, 7.4.1.3; RFC 6101.
var TLS = &Protocol{
	Name:       capture.TLS,
	Over:       []capture.Transport{capture.TCP},
	Protection: Encrypted,
	Recognise:  recogniseTLS,
	New:        func() Decoder { return new(tlsDecoder) },
}

const (
	tlsHandshake   = 22
	tlsClientHello = 1
	tlsServerHello = 2
	tlsMaxRecord   = 1<<14 + 2048
)

func recogniseTLS(b []byte) Match {
	if len(b) < 3 {
		if len(b) == 0 || b[0] == tlsHandshake && (len(b) == 1 || b[1] == 3) {
			return Match{Score: More}
		}
		return Match{}
	}
	if b[0] < 20 || b[0] > 23 || b[1] != 3 || b[2] > 4 {
		return Match{}
	}
	if len(b) < 5 {
		return Match{Score: More}
	}
	size := int(binary.BigEndian.Uint16(b[3:]))
	if size == 0 || size > tlsMaxRecord {
		return Match{}
	}
	if b[0] != tlsHandshake {
		// In the middle of a connection: a byte or two of luck.
		if b[0] == 21 && size != 2 && size < 16 || b[0] == 20 && size != 1 {
			return Match{}
		}
		return Match{Score: Weak}
	}
	if len(b) < 11 {
		return Match{Score: More}
	}
	message := int(b[6])<<16 | int(binary.BigEndian.Uint16(b[7:]))
	m := Match{Score: Sure}
	switch b[5] {
	case tlsClientHello:
		m.Role = Client
	case tlsServerHello:
		m.Role = Server
	default:
		return Match{Score: Weak}
	}
	if message < 38 || b[9] != 3 || b[10] > 4 {
		return Match{}
	}
	return m
}

// tlsDecoder looks for the ServerHello of one connection.
type tlsDecoder struct {
	done [2]bool // nothing more is to be read of this side
}

// Decode implements [Decoder].
func (d *tlsDecoder) Decode(x *Exchange, from capture.Side, b []byte) int {
	if x.Gap(from) {
		d.done[from] = true
	}
	n := 0
	for !d.done[from] && len(b)-n >= 5 {
		r := b[n:]
		size := 5 + int(binary.BigEndian.Uint16(r[3:]))
		if r[0] < 20 || r[0] > 23 || r[1] != 3 || size > 5+tlsMaxRecord {
			x.Undecoded()
			break
		}
		if len(r) < size {
			return n
		}
		n += size
		if r[0] == tlsHandshake {
			d.done[from] = true
			if size > 5 && r[5] == tlsServerHello {
				tlsHello(x, r[5:size])
			}
		}
		d.done[from] = d.done[from] || r[0] == 23
	}
	if len(b)-n >= 5 || d.done[from] {
		d.done[from] = true
		return len(b)
	}
	return n
}

// tlsHello reads a ServerHello.
func tlsHello(x *Exchange, m []byte) {
	if len(m) < 4+2+32+1 {
		x.Undecoded()
		return
	}
	version := binary.BigEndian.Uint16(m[4:])
	m = m[4+2+32:]
	id := int(m[0])
	if len(m) < 1+id+3 {
		x.Undecoded()
		return
	}
	suite := binary.BigEndian.Uint16(m[1+id:])
	m = m[1+id+3:]
	if len(m) >= 2 {
		extensions := m[2:]
		for len(extensions) >= 4 {
			kind, size := binary.BigEndian.Uint16(extensions), int(binary.BigEndian.Uint16(extensions[2:]))
			extensions = extensions[4:]
			if size > len(extensions) {
				break
			}
			const supportedVersions = 43
			if kind == supportedVersions && size == 2 {
				version = binary.BigEndian.Uint16(extensions)
			}
			extensions = extensions[size:]
		}
	}
	x.TLS(tlsVersion(version), tlsSuite(suite))
	switch {
	case suite == 0:
		x.Protect(Clear)
	case slices.Contains(tlsNullSuites, suite):
		x.Protect(Integrity)
	}
}

func tlsVersion(v uint16) string {
	switch v {
	case 0x0300:
		return "SSL 3.0"
	case 0x0301, 0x0302, 0x0303, 0x0304:
		return string([]byte{'1', '.', byte('0' + v - 0x0301)})
	}
	return fmt.Sprintf("0x%04x", v)
}

// tlsNullSuites sign and do not encrypt.
//
// Source: IANA TLS Cipher Suite Registry; RFC 9150 for the last two.
var tlsNullSuites = []uint16{
	0x0001, 0x0002, 0x002c, 0x002d, 0x002e, 0x003b, 0x00b0, 0x00b1, 0x00b4, 0x00b5, 0x00b8, 0x00b9,
	0xc001, 0xc006, 0xc00b, 0xc010, 0xc015, 0xc039, 0xc03a, 0xc03b, 0xc0b4, 0xc0b5,
}

// tlsSuite returns the registered name of the common suites, and the number of
// the others.
func tlsSuite(n uint16) string {
	if name, ok := tlsSuites[n]; ok {
		return name
	}
	return fmt.Sprintf("0x%04x", n)
}

// Source: IANA TLS Cipher Suite Registry.
var tlsSuites = map[uint16]string{
	0x0000: "TLS_NULL_WITH_NULL_NULL",
	0x0001: "TLS_RSA_WITH_NULL_MD5",
	0x0002: "TLS_RSA_WITH_NULL_SHA",
	0x0003: "TLS_RSA_EXPORT_WITH_RC4_40_MD5",
	0x0004: "TLS_RSA_WITH_RC4_128_MD5",
	0x0005: "TLS_RSA_WITH_RC4_128_SHA",
	0x0008: "TLS_RSA_EXPORT_WITH_DES40_CBC_SHA",
	0x0009: "TLS_RSA_WITH_DES_CBC_SHA",
	0x000a: "TLS_RSA_WITH_3DES_EDE_CBC_SHA",
	0x0016: "TLS_DHE_RSA_WITH_3DES_EDE_CBC_SHA",
	0x0018: "TLS_DH_anon_WITH_RC4_128_MD5",
	0x001b: "TLS_DH_anon_WITH_3DES_EDE_CBC_SHA",
	0x002f: "TLS_RSA_WITH_AES_128_CBC_SHA",
	0x0033: "TLS_DHE_RSA_WITH_AES_128_CBC_SHA",
	0x0034: "TLS_DH_anon_WITH_AES_128_CBC_SHA",
	0x0035: "TLS_RSA_WITH_AES_256_CBC_SHA",
	0x0039: "TLS_DHE_RSA_WITH_AES_256_CBC_SHA",
	0x003a: "TLS_DH_anon_WITH_AES_256_CBC_SHA",
	0x003b: "TLS_RSA_WITH_NULL_SHA256",
	0x003c: "TLS_RSA_WITH_AES_128_CBC_SHA256",
	0x003d: "TLS_RSA_WITH_AES_256_CBC_SHA256",
	0x0067: "TLS_DHE_RSA_WITH_AES_128_CBC_SHA256",
	0x006b: "TLS_DHE_RSA_WITH_AES_256_CBC_SHA256",
	0x009c: "TLS_RSA_WITH_AES_128_GCM_SHA256",
	0x009d: "TLS_RSA_WITH_AES_256_GCM_SHA384",
	0x009e: "TLS_DHE_RSA_WITH_AES_128_GCM_SHA256",
	0x009f: "TLS_DHE_RSA_WITH_AES_256_GCM_SHA384",
	0x1301: "TLS_AES_128_GCM_SHA256",
	0x1302: "TLS_AES_256_GCM_SHA384",
	0x1303: "TLS_CHACHA20_POLY1305_SHA256",
	0x1304: "TLS_AES_128_CCM_SHA256",
	0x1305: "TLS_AES_128_CCM_8_SHA256",
	0xc006: "TLS_ECDHE_ECDSA_WITH_NULL_SHA",
	0xc007: "TLS_ECDHE_ECDSA_WITH_RC4_128_SHA",
	0xc008: "TLS_ECDHE_ECDSA_WITH_3DES_EDE_CBC_SHA",
	0xc009: "TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA",
	0xc00a: "TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA",
	0xc010: "TLS_ECDHE_RSA_WITH_NULL_SHA",
	0xc011: "TLS_ECDHE_RSA_WITH_RC4_128_SHA",
	0xc012: "TLS_ECDHE_RSA_WITH_3DES_EDE_CBC_SHA",
	0xc013: "TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA",
	0xc014: "TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA",
	0xc023: "TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA256",
	0xc024: "TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA384",
	0xc027: "TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA256",
	0xc028: "TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA384",
	0xc02b: "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256",
	0xc02c: "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384",
	0xc02f: "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256",
	0xc030: "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384",
	0xc0b4: "TLS_SHA256_SHA256",
	0xc0b5: "TLS_SHA384_SHA384",
	0xcca8: "TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256",
	0xcca9: "TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256",
	0xccaa: "TLS_DHE_RSA_WITH_CHACHA20_POLY1305_SHA256",
}
