package protocol

import (
	"bytes"

	"bulkhead/capture"
)

// SSH is the Secure Shell. It is only recognised, by the version line that both
// sides begin with.
//
// Source: RFC 4253, 4.2.
var SSH = &Protocol{
	Name:       capture.SSH,
	Over:       []capture.Transport{capture.TCP},
	Protection: Encrypted,
	Recognise:  recogniseSSH,
}

func recogniseSSH(b []byte) Match {
	const banner = "SSH-"
	if len(b) < len(banner)+2 {
		if bytes.HasPrefix([]byte(banner), b[:min(len(b), len(banner))]) {
			return Match{Score: More}
		}
		return Match{}
	}
	if string(b[:len(banner)]) == banner && (b[4] == '1' || b[4] == '2') && b[5] == '.' {
		return Match{Score: Sure}
	}
	return Match{}
}
