package packet

// etherMACsec is the EtherType of IEEE 802.1AE. Source: IANA, IEEE 802 Numbers.
const etherMACsec = 0x88e5

// macsec reads a security tag and returns what follows it, if it is in clear: the
// EtherType t that the tag hides and its data, without the integrity check value
// of 16 bytes, the length that all cipher suites of the standard have. An
// Outcome other than Decoded ends the way. Source: IEEE 802.1AE-2018, 9 and 14.
func (p *Packet) macsec(b []byte, wire int) (t uint16, rest []byte, n int, o Outcome) {
	const tag, channel, check, least = 6, 8, 16, 2
	const version, explicit, encrypted, changed = 0x80, 0x20, 0x08, 0x04
	if len(b) < tag {
		return 0, nil, 0, p.short(wire, tag, "macsec tag")
	}
	info, size := b[0], tag
	if info&explicit != 0 {
		size += channel
	}
	switch {
	case info&version != 0:
		return 0, nil, 0, p.malformed("macsec version")
	case info&(encrypted|changed) != 0:
		p.EtherType = etherMACsec
		p.payload(b, wire)
		p.Detail = "macsec encrypted"
		return 0, nil, 0, OtherL2
	case len(b) < size+least:
		return 0, nil, 0, p.short(wire, size+least, "macsec tag")
	}
	n = wire - size - check
	if short := int(b[1] & 0x3f); short != 0 {
		n = short // the length of data below 48 bytes, which are padded
	}
	if n < least || n > wire-size {
		return 0, nil, 0, p.malformed("macsec length")
	}
	return be16(b[size:]), cut(b[size:], n)[least:], n - least, Decoded
}
