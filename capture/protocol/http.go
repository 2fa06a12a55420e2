package protocol

import (
	"bytes"
	"encoding/base64"
	"strconv"

	"bulkhead/capture"
)

// HTTP is HTTP/1.0 and 1.1. Of requests only what logs in is read, of responses
// only the status.
//
// Source: RFC 9112, clauses 2 to 7 (framing); RFC 9110, 11 (authentication); RFC
// 7617 (Basic); the URL Standard, 5.1 (form encoding).
var HTTP = &Protocol{
	Name:      capture.HTTP,
	Over:      []capture.Transport{capture.TCP},
	Recognise: recogniseHTTP,
	New:       func() Decoder { return new(httpDecoder) },
}

// httpMethods are those of RFC 9110, 9.3, RFC 5789 and WebDAV (RFC 4918).
var httpMethods = []string{
	"GET", "HEAD", "POST", "PUT", "DELETE", "CONNECT", "OPTIONS", "TRACE", "PATCH",
	"PROPFIND", "PROPPATCH", "MKCOL", "COPY", "MOVE", "LOCK", "UNLOCK",
}

func recogniseHTTP(b []byte) Match {
	const status = "HTTP/1."
	if bytes.HasPrefix(b, []byte(status)) {
		if len(b) < len("HTTP/1.1 200") {
			return Match{Score: More}
		}
		if b[8] == ' ' && httpStatus(b) > 0 {
			return Match{Score: Sure, Role: Server}
		}
		return Match{}
	}
	if len(b) < len(status) && bytes.HasPrefix([]byte(status), b) {
		return Match{Score: More}
	}
	for _, m := range httpMethods {
		if len(b) <= len(m) {
			if m[:len(b)] == string(b) {
				return Match{Score: More}
			}
			continue
		}
		if string(b[:len(m)]) != m || b[len(m)] != ' ' {
			continue
		}
		line, size := cutLine(b)
		if size == 0 {
			if isText(b) {
				return Match{Score: More}
			}
			return Match{}
		}
		if httpVersion(line) {
			return Match{Score: Sure, Role: Client}
		}
		return Match{}
	}
	return Match{}
}

// httpVersion reports whether a request line ends with the version.
func httpVersion(line []byte) bool {
	return bytes.HasSuffix(line, []byte(" HTTP/1.1")) || bytes.HasSuffix(line, []byte(" HTTP/1.0"))
}

// httpStatus returns the status code of a status line that begins with b, or 0.
func httpStatus(b []byte) int {
	if len(b) < len("HTTP/1.1 200") {
		return 0
	}
	n, err := strconv.ParseUint(string(b[9:12]), 10, 16)
	if err != nil || n < 100 || n > 599 {
		return 0
	}
	return int(n)
}

// httpDecoder follows the messages of one connection.
type httpDecoder struct {
	side      [2]httpSide
	requests  uint64 // seen so far, and
	responses uint64 // final responses to them
	heads     uint64 // bit n%64 is set if request n was a HEAD
	connects  bool   // the last request was a CONNECT
	tunnel    bool   // what follows is no longer HTTP
}

// httpSide is where one side's bytes have come to.
type httpSide struct {
	state httpState
	skip  uint64 // bytes of the body or chunk to come
	lost  bool   // bytes are missing, and no head has come since
}

type httpState uint8

const (
	httpHead      httpState = iota
	httpBody                // skip bytes, then a head
	httpChunkSize           // a line
	httpChunk               // skip bytes, then a line's end
	httpTrailer             // lines, then a head
	httpForever             // a body without a length
)

// The bounds on what is put together.
const (
	httpMaxHead = 32 << 10
	httpMaxForm = 8 << 10
)

// Decode implements [Decoder].
func (d *httpDecoder) Decode(x *Exchange, from capture.Side, b []byte) int {
	s := &d.side[from]
	if x.Gap(from) && s.state != httpForever {
		*s = httpSide{lost: true}
	}
	n := 0
	for n < len(b) {
		if d.tunnel || s.state == httpForever {
			return len(b)
		}
		size := d.step(x, from, s, b[n:])
		if size == 0 {
			break
		}
		n += size
	}
	return n
}

// step reads one thing at the front of b and returns its size, or 0 if b does not
// hold all of it.
func (d *httpDecoder) step(x *Exchange, from capture.Side, s *httpSide, b []byte) int {
	switch s.state {
	case httpHead:
		return d.message(x, from, s, b)
	case httpBody, httpChunk:
		size := int(min(s.skip, uint64(len(b))))
		if s.skip -= uint64(size); s.skip == 0 {
			if s.state == httpChunk {
				s.state = httpChunkSize
			} else {
				s.state = httpHead
			}
		}
		return size
	case httpChunkSize:
		line, size := cutLine(b)
		if size == 0 {
			return 0
		}
		digits, _, _ := bytes.Cut(line, []byte{';'})
		n, err := strconv.ParseUint(string(bytes.TrimSpace(digits)), 16, 48)
		switch {
		case err != nil:
			x.Undecoded()
			s.state = httpForever
		case n == 0:
			s.state = httpTrailer
		default:
			s.state, s.skip = httpChunk, n+2 // and the line's end behind it
		}
		return size
	case httpTrailer:
		line, size := cutLine(b)
		if size > 0 && len(line) == 0 {
			s.state = httpHead
		}
		return size
	}
	return len(b)
}

// message reads a head and, if it announces a form, the form behind it.
func (d *httpDecoder) message(x *Exchange, from capture.Side, s *httpSide, b []byte) int {
	if b[0] == '\r' || b[0] == '\n' { // stray line ends between messages are to be ignored
		return 1
	}
	if !httpStarts(from, b) {
		if !s.lost { // else it is the rest of a body
			x.Undecoded()
		}
		return len(b)
	}
	s.lost = false
	head, size := cutHead(b)
	if size == 0 {
		if len(b) < httpMaxHead {
			return 0
		}
		x.Undecoded()
		return len(b)
	}
	line, fields, _ := bytes.Cut(head, []byte{'\n'})
	line = bytes.TrimSuffix(line, []byte{'\r'})
	h := parseHTTPFields(fields)
	if from == capture.FromServer {
		status := httpStatus(line)
		if status == 0 {
			x.Undecoded()
			return len(b)
		}
		d.response(x, s, status, &h)
		return size
	}
	if !httpVersion(line) {
		x.Undecoded()
		return len(b)
	}
	if h.form && h.length > 0 && h.length <= httpMaxForm {
		if uint64(len(b)-size) < h.length {
			return 0
		}
		form := b[size : size+int(h.length)]
		size += len(form)
		h.length = 0
		d.request(x, s, line, &h)
		if n := formSecret(form); n >= 0 {
			x.Login(capture.FromClient, d.requests<<1|1, "http form", true, n)
		}
		return size
	}
	d.request(x, s, line, &h)
	return size
}

// httpStarts reports whether a message of a side can start with b: a request
// with any method, a response with its version.
func httpStarts(from capture.Side, b []byte) bool {
	if from == capture.FromServer {
		const version = "HTTP/1."
		n := min(len(b), len(version))
		return string(b[:n]) == version[:n]
	}
	const longest = 20
	for i, c := range b[:min(len(b), longest)] {
		if c == ' ' {
			return i > 0
		}
		if (c < 'A' || c > 'Z') && c != '-' {
			return false
		}
	}
	return len(b) < longest
}

func (d *httpDecoder) request(x *Exchange, s *httpSide, line []byte, h *httpFields) {
	d.requests++
	d.connects = bytes.HasPrefix(line, []byte("CONNECT "))
	d.heads &^= 1 << (d.requests % 64)
	if bytes.HasPrefix(line, []byte("HEAD ")) {
		d.heads |= 1 << (d.requests % 64)
	}
	if h.scheme != "" {
		x.Login(capture.FromClient, d.requests<<1, h.scheme, h.readable, h.secret)
	}
	switch {
	case h.chunked:
		s.state = httpChunkSize
	case h.length > 0:
		s.state, s.skip = httpBody, h.length
	}
}

// response settles the oldest request that has none. A form says nothing about
// its outcome that HTTP knows of.
func (d *httpDecoder) response(x *Exchange, s *httpSide, status int, h *httpFields) {
	if status < 200 && status != 101 {
		return
	}
	bodiless := status == 204 || status == 304
	if d.responses < d.requests {
		d.responses++
		bodiless = bodiless || d.heads>>(d.responses%64)&1 != 0
		x.Answer(capture.FromServer, d.responses<<1, status < 400)
		x.Forget(capture.FromClient, d.responses<<1|1)
	}
	switch {
	case status == 101, d.connects && status < 300:
		d.tunnel = true
	case bodiless:
	case h.chunked:
		s.state = httpChunkSize
	case h.hasLength:
		if h.length > 0 {
			s.state, s.skip = httpBody, h.length
		}
	default:
		s.state = httpForever
	}
}

// cutHead returns the lines before the first empty one, and their size with it;
// 0 if there is none.
func cutHead(b []byte) (head []byte, size int) {
	b = b[:min(len(b), httpMaxHead)]
	for i := 0; ; {
		j := bytes.IndexByte(b[i:], '\n')
		if j < 0 {
			return nil, 0
		}
		line := b[i : i+j]
		if len(line) == 0 || len(line) == 1 && line[0] == '\r' {
			return b[:i], i + j + 1
		}
		i += j + 1
	}
}

// httpFields is what the header fields of a message say, as far as it matters.
type httpFields struct {
	length    uint64
	hasLength bool
	chunked   bool
	form      bool
	scheme    string // of the credentials
	readable  bool
	secret    int // length of a password
}

func parseHTTPFields(b []byte) (h httpFields) {
	for len(b) > 0 {
		var line []byte
		line, b, _ = bytes.Cut(b, []byte{'\n'})
		name, value, ok := bytes.Cut(line, []byte{':'})
		if !ok {
			continue
		}
		value = bytes.TrimSpace(value)
		switch {
		case foldEqual(name, "content-length"):
			if n, err := strconv.ParseUint(string(value[:min(len(value), 20)]), 10, 62); err == nil {
				h.length, h.hasLength = n, true
			}
		case foldEqual(name, "transfer-encoding"):
			h.chunked = len(value) >= len("chunked") && foldEqual(value[len(value)-len("chunked"):], "chunked")
		case foldEqual(name, "content-type"):
			h.form = foldPrefix(value, "application/x-www-form-urlencoded")
		case foldEqual(name, "authorization"), foldEqual(name, "proxy-authorization"):
			h.credentials(value)
		}
	}
	return h
}

func (h *httpFields) credentials(value []byte) {
	switch {
	case foldPrefix(value, "basic "):
		h.scheme, h.readable = "http basic", true
		h.secret = basicSecret(bytes.TrimSpace(value[len("basic "):]))
	case foldPrefix(value, "digest "):
		h.scheme = "http digest"
	case foldPrefix(value, "ntlm "), foldPrefix(value, "negotiate "):
		h.scheme = "http negotiate"
	}
}

// basicSecret returns the length of the password in the credentials of the Basic
// scheme.
func basicSecret(encoded []byte) int {
	plain := make([]byte, base64.StdEncoding.DecodedLen(len(encoded)))
	n, _ := base64.StdEncoding.Decode(plain, encoded)
	_, secret, _ := bytes.Cut(plain[:n], []byte{':'})
	return len(secret)
}

// httpSecretNames are what forms call a password.
var httpSecretNames = []string{"password", "passwd", "pass", "pwd", "passphrase", "pword", "userpassword", "user_password", "login_password", "j_password"}

// formSecret returns the length of the first password in a form, or -1.
func formSecret(form []byte) int {
	for len(form) > 0 {
		var field []byte
		field, form, _ = bytes.Cut(form, []byte{'&'})
		name, value, _ := bytes.Cut(field, []byte{'='})
		for _, s := range httpSecretNames {
			if foldEqual(name, s) {
				return len(value) - 2*bytes.Count(value, []byte{'%'}) // %41 is one character
			}
		}
	}
	return -1
}

// foldEqual reports whether b is s, letters of either case being the same. s is
// in lower case.
func foldEqual(b []byte, s string) bool { return len(b) == len(s) && foldPrefix(b, s) }
