package protocol

import (
	"encoding/binary"

	"bulkhead/capture"
)

// NTP is the Network Time Protocol. It is only recognised.
//
// Source: RFC 5905, 7.3.
var NTP = &Protocol{
	Name:      capture.NTP,
	Over:      []capture.Transport{capture.UDP},
	Recognise: recogniseNTP,
}

// recogniseNTP finds only weak matches: there is no fixed pattern in the header,
// only numbers that have to be small, and a time of sending. Control and private
// messages (modes 6 and 7) have less than that and are not recognised.
func recogniseNTP(b []byte) Match {
	if len(b) < 48 || len(b)%4 != 0 {
		return Match{}
	}
	const clientMode, serverMode, broadcast, control = 3, 4, 5, 6
	version, mode := b[0]>>3&7, b[0]&7
	if version < 1 || version > 4 || mode == 0 || mode >= control {
		return Match{}
	}
	stratum, poll, precision := b[1], int8(b[2]), int8(b[3])
	if stratum > 16 || poll < -6 || poll > 17 || precision > 0 || precision < -40 {
		return Match{}
	}
	const seconds = 1 << 16 // in the short format
	delay, dispersion := int32(binary.BigEndian.Uint32(b[4:])), binary.BigEndian.Uint32(b[8:])
	if delay > 64*seconds || delay < -64*seconds || dispersion > 64*seconds || binary.BigEndian.Uint64(b[40:]) == 0 {
		return Match{}
	}
	m := Match{Score: Weak}
	switch mode {
	case clientMode:
		m.Role = Client
	case serverMode, broadcast:
		m.Role = Server
	}
	return m
}
