package lab

import "slices"

// ENIP is an EtherNet/IP session and the CIP it carries.
//
// Source: The CIP Networks Library, volume 2, 2-3 (encapsulation); volume 1, 2-4
// (messages), 3-5 (Connection Manager); Logix 5000 Controllers Data Access
// (Rockwell 1756-PM020) for tags.
type ENIP struct {
	conn     *Conn
	session  uint32
	context  uint64
	toServer uint32 // connection id, client to server; 0 without a connection
	toClient uint32
	sequence uint16
}

// Encapsulation commands.
const (
	enipListIdentity      = 0x63
	enipRegisterSession   = 0x65
	enipUnregisterSession = 0x66
	enipSendRRData        = 0x6f
	enipSendUnitData      = 0x70
)

// CIP is one CIP request and the data of its answer.
type CIP struct {
	Service byte
	Path    []byte // see CIPPath and CIPTag
	Data    []byte
	Answer  []byte
}

// CIPPath addresses an attribute of an instance of a class; attribute 0 means
// the instance itself.
func CIPPath(class, instance, attribute byte) []byte {
	p := []byte{0x20, class, 0x24, instance}
	if attribute != 0 {
		p = append(p, 0x30, attribute)
	}
	return p
}

// CIPTag addresses a tag by its name.
func CIPTag(name string) []byte {
	p := slices.Concat([]byte{0x91, byte(len(name))}, []byte(name))
	if len(name)%2 == 1 {
		p = append(p, 0)
	}
	return p
}

// CIPReadTag reads one DINT tag (service 0x4c).
func CIPReadTag(name string) CIP {
	return CIP{0x4c, CIPTag(name), le16(1), slices.Concat(le16(0xc4), le32(4711))}
}

// CIPWriteTag writes one DINT tag (service 0x4d).
func CIPWriteTag(name string, value int) CIP {
	return CIP{0x4d, CIPTag(name), slices.Concat(le16(0xc4), le16(1), le32(value)), nil}
}

// CIPGet reads one attribute (service 0x0e).
func CIPGet(class, instance, attribute byte) CIP {
	return CIP{0x0e, CIPPath(class, instance, attribute), nil, le16(1)}
}

// CIPReset resets the device (service 0x05 of the Identity object).
func CIPReset() CIP { return CIP{0x05, CIPPath(1, 1, 0), []byte{0}, nil} }

// CIPMultiple puts several requests into one (Multiple Service Packet, 0x0a).
func CIPMultiple(parts ...CIP) CIP {
	var requests, answers [][]byte
	for _, p := range parts {
		requests = append(requests, p.request())
		answers = append(answers, p.reply(0))
	}
	return CIP{0x0a, CIPPath(2, 1, 0), cipPacket(requests), cipPacket(answers)}
}

// cipPacket lists the offsets of its parts, counted from the number of parts.
func cipPacket(parts [][]byte) []byte {
	b, offset := le16(len(parts)), 2+2*len(parts)
	for _, p := range parts {
		b = append(b, le16(offset)...)
		offset += len(p)
	}
	return slices.Concat(b, slices.Concat(parts...))
}

// CIPRouted wraps a request in Unconnected Send (0x52), to slot 0 of the
// backplane.
func CIPRouted(inner CIP) CIP {
	message := inner.request()
	data := slices.Concat([]byte{0x0a, 0x0e}, le16(len(message)), message)
	if len(message)%2 == 1 {
		data = append(data, 0)
	}
	return CIP{0x52, CIPPath(6, 1, 0), append(data, 1, 0, 1, 0), inner.Answer}
}

func (c CIP) request() []byte {
	return slices.Concat([]byte{c.Service, byte(len(c.Path) / 2)}, c.Path, c.Data)
}

// reply answers with a general status; 0 is success. The reply to a routed
// request is the inner one's, as its target sent it.
func (c CIP) reply(status byte) []byte {
	service := c.Service
	if service == 0x52 {
		service = c.Data[4]
	}
	if status != 0 {
		return []byte{service | 0x80, 0, status, 0}
	}
	return slices.Concat([]byte{service | 0x80, 0, status, 0}, c.Answer)
}

// ENIP begins a dialogue with the registration of a session.
func (c *Conn) ENIP() *ENIP {
	e := &ENIP{conn: c}
	version := slices.Concat(le16(1), le16(0))
	ask := e.message(enipRegisterSession, 0, version)
	e.session = c.net.random.Uint32()
	c.exchange(ask, e.message(enipRegisterSession, 0, version), nil)
	return e
}

// ListIdentity asks the device what it is.
func (e *ENIP) ListIdentity(opts ...Option) {
	e.context++
	e.conn.exchange(e.message(enipListIdentity, 0, nil), e.message(enipListIdentity, 0, enipIdentity(e.conn.ends[Server].host)), opts)
}

// enipIdentity is the CPF item 0x0c of a device: a Wago-like remote I/O head.
func enipIdentity(h *Host) []byte {
	ip := h.IP.As4()
	socket := slices.Concat(be16(2), be16(44818), ip[:], make([]byte, 8))
	name := "750-363 Fieldbus Coupler"
	item := slices.Concat(le16(1), socket, le16(40), le16(12), le16(363), []byte{2, 11}, le16(0x0030), le32(0x00abcdef),
		[]byte{byte(len(name))}, []byte(name), []byte{3})
	return slices.Concat(le16(1), le16(0x0c), le16(len(item)), item)
}

// Unconnected sends a request in SendRRData.
func (e *ENIP) Unconnected(c CIP, opts ...Option) {
	e.context++
	e.conn.exchange(e.message(enipSendRRData, 0, enipUnconnected(c.request())),
		e.message(enipSendRRData, 0, enipUnconnected(c.reply(status(opts)))), opts)
}

// enipUnconnected is a null address item and an unconnected data item.
func enipUnconnected(message []byte) []byte {
	return slices.Concat(le32(0), le16(10), le16(2), le16(0), le16(0), le16(0xb2), le16(len(message)), message)
}

// ForwardOpen opens a connection to the message router (class 3).
func (e *ENIP) ForwardOpen(opts ...Option) {
	toServer, toClient := e.conn.net.random.Uint32(), e.conn.net.random.Uint32()
	triple := slices.Concat(le16(0x0101), le16(0x1337), le32(42)) // connection serial, vendor, originator serial
	rate, size := le32(2_000_000), le16(0x43f4)                   // µs; point to point, 500 bytes
	open := CIP{0x54, CIPPath(6, 1, 0),
		slices.Concat([]byte{0x0a, 0x0e}, le32(0), le32(toClient), triple, []byte{3, 0, 0, 0}, rate, size, rate, size, []byte{0xa3, 2}, CIPPath(2, 1, 0)),
		slices.Concat(le32(toServer), le32(toClient), triple, rate, rate, []byte{0, 0})}
	e.Unconnected(open, opts...)
	if h := options(opts); !h.refused && !h.unanswered {
		e.toServer, e.toClient = toServer, toClient
	}
}

// ForwardClose closes the connection.
func (e *ENIP) ForwardClose() {
	triple := slices.Concat(le16(0x0101), le16(0x1337), le32(42))
	e.Unconnected(CIP{0x4e, CIPPath(6, 1, 0), slices.Concat([]byte{0x0a, 0x0e}, triple, []byte{2, 0}, CIPPath(2, 1, 0)), append(triple, 0, 0)})
	e.toServer, e.toClient = 0, 0
}

// Connected sends a request in SendUnitData, over the connection that
// ForwardOpen opened.
func (e *ENIP) Connected(c CIP, opts ...Option) {
	e.sequence++
	e.conn.exchange(e.message(enipSendUnitData, 0, enipConnected(e.toServer, e.sequence, c.request())),
		e.message(enipSendUnitData, 0, enipConnected(e.toClient, e.sequence, c.reply(status(opts)))), opts)
}

// enipConnected is a connected address item and a connected data item.
func enipConnected(connection uint32, sequence uint16, message []byte) []byte {
	return slices.Concat(le32(0), le16(0), le16(2), le16(0xa1), le16(4), le32(connection),
		le16(0xb1), le16(len(message)+2), le16(sequence), message)
}

// Unregister ends the session; it has no answer.
func (e *ENIP) Unregister() { e.conn.Client(e.message(enipUnregisterSession, 0, nil)) }

// Unsupported sends an encapsulation command that the device does not know.
func (e *ENIP) Unsupported(command int) {
	e.context++
	e.conn.exchange(e.message(command, 0, nil), e.message(command, 1, nil), nil)
}

// message puts the encapsulation header in front of data.
func (e *ENIP) message(command int, status uint32, data []byte) []byte {
	return slices.Concat(le16(command), le16(len(data)), le32(e.session), le32(status), le64(e.context), le32(0), data)
}

func status(opts []Option) byte {
	if h := options(opts); h.refused {
		return byte(h.code)
	}
	return 0
}
