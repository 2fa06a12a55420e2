package lab

import (
	"encoding/base64"
	"fmt"
	"strconv"
)

// Telnet logs in at a device's command line and asks for one thing there. What
// is typed goes out character by character; the device echoes all but the
// password. Source: RFC 854, RFC 857 (echo), RFC 858 (suppress go ahead).
func (c *Conn) Telnet(user, password string, opts ...Option) {
	c.Server([]byte{255, 251, 1, 255, 251, 3}) // IAC WILL ECHO, IAC WILL SUPPRESS-GO-AHEAD
	c.Client([]byte{255, 253, 1, 255, 253, 3}) // IAC DO, likewise
	c.Server([]byte("\r\nAuthorised use only. Sessions are recorded.\r\n\r\nlogin: "))
	c.typed(user, true)
	c.Server([]byte("\r\nPassword: "))
	c.typed(password, false)
	if options(opts).refused {
		c.Server([]byte("\r\nLogin incorrect\r\nlogin: "))
		return
	}
	c.Server([]byte("\r\nLast login: Fri Nov 13 16:02:11\r\nsw-ops> "))
	c.typed("show interfaces", true)
	c.Server([]byte("\r\n1/1 up 1000 full\r\n1/2 up 100 full\r\nsw-ops> "))
}

// typed sends a line a key at a time.
func (c *Conn) typed(line string, echo bool) {
	for _, key := range []byte(line) {
		c.net.Wait(140e6)
		c.Client([]byte{key})
		if echo {
			c.Server([]byte{key})
		}
	}
	c.net.Wait(140e6)
	c.Client([]byte("\r\n"))
}

// FTP logs in at a file server. Source: RFC 959, 4 and 5.
func (c *Conn) FTP(user, password string, opts ...Option) {
	reply := "230 User logged in.\r\n"
	if h := options(opts); h.refused {
		reply = strconv.Itoa(int(h.code)) + " Login incorrect.\r\n"
	}
	c.Server([]byte("220 Recipe store. Authorised use only.\r\n"))
	c.exchange([]byte("USER "+user+"\r\n"), []byte("331 Password required.\r\n"), nil)
	c.exchange([]byte("PASS "+password+"\r\n"), []byte(reply), opts)
	c.exchange([]byte("QUIT\r\n"), []byte("221 Goodbye.\r\n"), nil)
}

// HTTP asks for a page. With a user, the request carries the password in the
// Basic scheme (RFC 7617). Refused's code is the status, such as 401.
func (c *Conn) HTTP(path, user, password string, opts ...Option) {
	request := "GET " + path + " HTTP/1.1\r\nHost: " + c.ends[Server].host.IP.String() + "\r\nUser-Agent: browser\r\n"
	if user != "" {
		request += "Authorization: Basic " + base64.StdEncoding.EncodeToString([]byte(user+":"+password)) + "\r\n"
	}
	status, page := "200 OK", "<html><body>Bay 3: ready</body></html>\n"
	if h := options(opts); h.refused {
		status, page = strconv.Itoa(int(h.code))+" Refused", "<html><body>no</body></html>\n"
	}
	answer := fmt.Sprintf("HTTP/1.1 %s\r\nContent-Type: text/html\r\nContent-Length: %d\r\n\r\n%s", status, len(page), page)
	c.exchange([]byte(request+"\r\n"), []byte(answer), opts)
}
