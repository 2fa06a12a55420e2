package lab

import (
	"slices"

	"github.com/google/gopacket"
	"github.com/google/gopacket/layers"

	"bulkhead/internal/mac"
)

// NTP asks a server for the time. Source: RFC 5905, 7.3.
func (n *Net) NTP(client, server *Host, opts ...Option) {
	u := n.UDP(client, server, 123)
	u.from = 123
	const since1900 = 2_208_988_800
	stamp := func() []byte { // seconds since 1900 and their fraction in 2^-32
		return slices.Concat(be32(int(n.now.Unix()+since1900)), be32(n.now.Nanosecond()<<32/1_000_000_000))
	}
	zero := make([]byte, 8)
	// leap, version 4 and mode; stratum; poll; precision; root delay and dispersion; reference id
	ask := slices.Concat([]byte{0x23, 0, 6, 0xe9}, be32(0), be32(0), be32(0), zero, zero, zero, stamp())
	answer := slices.Concat([]byte{0x24, 1, 6, 0xe9}, be32(0), be32(0x10), []byte("GPS\x00"), stamp(), ask[40:], stamp(), stamp())
	u.exchange(ask, answer, opts)
}

// DNS asks for the address of a name. Source: RFC 1035, 4.
func (n *Net) DNS(client, server *Host, name string, answer *Host, opts ...Option) {
	u := n.UDP(client, server, 53)
	question := layers.DNSQuestion{Name: []byte(name), Type: layers.DNSTypeA, Class: layers.DNSClassIN}
	d := layers.DNS{ID: uint16(n.random.Uint32()), RD: true, QDCount: 1, Questions: []layers.DNSQuestion{question}}
	ask := n.bytes(&d)
	d.QR, d.RA, d.ANCount = true, true, 1
	d.Answers = []layers.DNSResourceRecord{{Name: []byte(name), Type: layers.DNSTypeA, Class: layers.DNSClassIN, TTL: 300, IP: answer.IP.AsSlice()}}
	u.exchange(ask, n.bytes(&d), opts)
}

// SNMP reads sysDescr with version 2c and that community. Source: RFC 3416, 3,
// RFC 1901, 3.
func (n *Net) SNMP(client, agent *Host, community, description string, opts ...Option) {
	u := n.UDP(client, agent, 161)
	name := ber(0x06, []byte{0x2b, 6, 1, 2, 1, 1, 1, 0}) // 1.3.6.1.2.1.1.1.0
	pdu := func(kind byte, value []byte) []byte {
		body := slices.Concat(ber(2, []byte{1}), ber(2, []byte{0}), ber(2, []byte{0}), ber(0x30, ber(0x30, slices.Concat(name, value))))
		return ber(0x30, slices.Concat(ber(2, []byte{1}), ber(4, []byte(community)), ber(kind, body)))
	}
	u.exchange(pdu(0xa0, ber(5, nil)), pdu(0xa2, ber(4, []byte(description))), opts)
}

// ber encodes a tag, a short length and a value.
func ber(tag byte, value []byte) []byte { return slices.Concat([]byte{tag, byte(len(value))}, value) }

// DHCP leases an address to a client, which gives its host name. Source: RFC
// 2131, 4.4, RFC 2132, 3.14.
func (n *Net) DHCP(client, server *Host, name string) {
	u := n.UDP(client, server, 67)
	u.from = 68
	id := n.random.Uint32()
	message := func(op layers.DHCPOp, kind layers.DHCPMsgType) []byte {
		d := &layers.DHCPv4{Operation: op, HardwareType: layers.LinkTypeEthernet, HardwareLen: 6, Xid: id, ClientIP: client.IP.AsSlice(),
			ClientHWAddr: hardware(client.MAC), Options: layers.DHCPOptions{
				layers.NewDHCPOption(layers.DHCPOptMessageType, []byte{byte(kind)}), layers.NewDHCPOption(layers.DHCPOptHostname, []byte(name))}}
		if op == layers.DHCPOpReply {
			d.YourClientIP = client.IP.AsSlice()
		}
		return n.bytes(d)
	}
	u.exchange(message(layers.DHCPOpRequest, layers.DHCPMsgTypeRequest), message(layers.DHCPOpReply, layers.DHCPMsgTypeAck), nil)
}

// Syslog sends one message; nobody answers. Source: RFC 5424, 6.
func (n *Net) Syslog(client, server *Host, text string) {
	n.UDP(client, server, 514).Client([]byte("<134>1 " + n.now.Format("2006-01-02T15:04:05Z") + " - - - - - " + text))
}

// Ping sends an echo request and its reply. Source: RFC 792.
func (n *Net) Ping(client, server *Host, opts ...Option) {
	id, data := uint16(n.random.Uint32()), []byte("abcdefghijklmnopqrstuvwabcdefghi")
	echo := func(kind uint8) *layers.ICMPv4 {
		return &layers.ICMPv4{TypeCode: layers.CreateICMPv4TypeCode(kind, 0), Id: id, Seq: 1}
	}
	n.send(client, server, layers.IPProtocolICMPv4, echo(layers.ICMPv4TypeEchoRequest), data, 0)
	if !options(opts).unanswered {
		n.send(server, client, layers.IPProtocolICMPv4, echo(layers.ICMPv4TypeEchoReply), data, 0)
	}
}

// ARP has a host ask for the MAC address of another on its segment. Source: RFC
// 826.
func (n *Net) ARP(from, to *Host) {
	if from.segment != to.segment {
		n.fail("arp: %s is not on the segment of %s", to.IP, from.IP)
		return
	}
	n.arp(layers.ARPRequest, from, to, mac.Addr{}, mac.Addr{255, 255, 255, 255, 255, 255})
	n.arp(layers.ARPReply, to, from, from.MAC, from.MAC)
}

// arp sends one message to the address dst on the link; target is the MAC
// address that it names.
func (n *Net) arp(operation uint16, from, to *Host, target, dst mac.Addr) {
	n.emit(n.now, hop{from.segment, from.MAC, dst, 0}, layers.EthernetTypeARP, &layers.ARP{
		AddrType: layers.LinkTypeEthernet, Protocol: layers.EthernetTypeIPv4, HwAddressSize: 6, ProtAddressSize: 4, Operation: operation,
		SourceHwAddress: hardware(from.MAC), SourceProtAddress: from.IP.AsSlice(),
		DstHwAddress: hardware(target), DstProtAddress: to.IP.AsSlice()})
	n.tick()
}

// LLDP has a host announce itself to its neighbours. Source: IEEE 802.1AB-2016, 8.
func (n *Net) LLDP(from *Host, port, name, description string) {
	tlv := func(kind int, value []byte) []byte { return slices.Concat(be16(kind<<9|len(value)), value) }
	data := slices.Concat(tlv(1, slices.Concat([]byte{4}, from.MAC[:])), // chassis, by MAC address
		tlv(2, slices.Concat([]byte{7}, []byte(port))), tlv(3, be16(120)), tlv(5, []byte(name)), tlv(6, []byte(description)), tlv(0, nil))
	n.emit(n.now, hop{from.segment, from.MAC, mac.Addr{0x01, 0x80, 0xc2, 0, 0, 0x0e}, 0}, layers.EthernetTypeLinkLayerDiscovery, gopacket.Payload(data))
	n.tick()
}

// bytes serializes a message that gopacket knows.
func (n *Net) bytes(l gopacket.SerializableLayer) []byte {
	b := gopacket.NewSerializeBuffer()
	if err := gopacket.SerializeLayers(b, gopacket.SerializeOptions{FixLengths: true}, l); err != nil {
		n.fail("%s: %w", l.LayerType(), err)
	}
	return slices.Clone(b.Bytes())
}
