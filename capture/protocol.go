package capture

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// Protocol is the name of an application protocol, as models and outputs spell
// it.
type Protocol string

// The protocols that have a name. Those with a decoder are recognised by their
// bytes; the others are named by port alone.
const (
	Unknown Protocol = "unknown" // payload was seen and nothing recognised it

	Modbus  Protocol = "modbus"
	S7comm  Protocol = "s7comm"
	ENIP    Protocol = "enip"
	CIP     Protocol = "cip" // only of operations: it travels inside enip
	DNP3    Protocol = "dnp3"
	OPCUA   Protocol = "opcua"
	IEC104  Protocol = "iec104"
	MMS     Protocol = "mms"
	BACnet  Protocol = "bacnet"
	FINS    Protocol = "fins"
	HARTIP  Protocol = "hart-ip"
	PNDCP   Protocol = "profinet-dcp"
	MQTT    Protocol = "mqtt"
	ADS     Protocol = "ads"
	SLMP    Protocol = "slmp"
	Melsoft Protocol = "melsoft"
	GESRTP  Protocol = "ge-srtp"
	EGD     Protocol = "egd"
	Codesys Protocol = "codesys"
	SBus    Protocol = "s-bus"
	C37118  Protocol = "c37.118"
	KNX     Protocol = "knx"
	Fox     Protocol = "fox"
	ROCPlus Protocol = "roc-plus"
	BSAP    Protocol = "bsap"
	Genisys Protocol = "genisys"
	C1222   Protocol = "c12.22"
	DLMS    Protocol = "dlms"
	CoAP    Protocol = "coap"
	AMQP    Protocol = "amqp"
	RTPS    Protocol = "rtps"
	S7Plus  Protocol = "s7comm-plus"
	HTTP    Protocol = "http"
	TLS     Protocol = "tls"
	SSH     Protocol = "ssh"
	Telnet  Protocol = "telnet"
	FTP     Protocol = "ftp"
	RDP     Protocol = "rdp"
	VNC     Protocol = "vnc"
	SMB     Protocol = "smb"
	DNS     Protocol = "dns"
	NTP     Protocol = "ntp"
	SNMP    Protocol = "snmp"
	DHCP    Protocol = "dhcp"
	ICMP    Protocol = "icmp"
	ARP     Protocol = "arp"
	LLDP    Protocol = "lldp"
	Syslog  Protocol = "syslog"
	NetBIOS Protocol = "netbios"
	MDNS    Protocol = "mdns"
	LLMNR   Protocol = "llmnr"
	SSDP    Protocol = "ssdp"
	LDAP    Protocol = "ldap"
	TFTP    Protocol = "tftp"
	SMTP    Protocol = "smtp"
	TDS     Protocol = "tds"
	WinRM   Protocol = "winrm"

	// Straight on the link.
	GOOSE     Protocol = "goose"
	SV        Protocol = "sv"
	GSE       Protocol = "gse"
	Profinet  Protocol = "profinet"
	EtherCAT  Protocol = "ethercat"
	Powerlink Protocol = "powerlink"
	Sercos    Protocol = "sercos"
	CCLinkIE  Protocol = "cc-link-ie"
	PTP       Protocol = "ptp"
	MRP       Protocol = "mrp"
	STP       Protocol = "stp"
	CDP       Protocol = "cdp"
	EAPOL     Protocol = "eapol"
	MACsec    Protocol = "macsec"
	Slow      Protocol = "slow"
	Loopback  Protocol = "loopback"

	// Tunnels: of the packets that carry others.
	GRE      Protocol = "gre"
	NVGRE    Protocol = "nvgre"
	ERSPAN   Protocol = "erspan"
	VXLAN    Protocol = "vxlan"
	Geneve   Protocol = "geneve"
	IPIP     Protocol = "ipip"
	IPv6InIP Protocol = "6in4"
	Teredo   Protocol = "teredo"
	GTPU     Protocol = "gtp-u"
)

// Transport is what carries a service.
type Transport string

// The transports. IP stands for IP protocols that have no ports, such as GRE and
// ESP: their IP protocol number takes the place of the port.
const (
	TCP      Transport = "tcp"
	UDP      Transport = "udp"
	SCTP     Transport = "sctp"
	OverIP   Transport = "ip"
	OverICMP Transport = "icmp"
	L2       Transport = "l2" // straight on the link; the EtherType takes the place of the port
)

// CodeForm says how a protocol's operation codes are spelled.
type CodeForm struct {
	Example string
	pattern *regexp.Regexp
}

// Valid reports whether code has the form.
func (f *CodeForm) Valid(code string) bool { return f.pattern.MatchString(code) }

func form(example, pattern string) *CodeForm {
	return &CodeForm{Example: example, pattern: regexp.MustCompile("^(?:" + pattern + ")$")}
}

var (
	decimal = form("16", `[0-9]{1,5}`)
	hex2    = form("0x4c", `0x[0-9a-f]{2}`)
	hex4    = form("0x006f", `0x[0-9a-f]{4}`)
)

// ProtocolInfo is what the vocabulary knows of a protocol.
type ProtocolInfo struct {
	Name    Protocol
	Title   string
	Carrier Protocol  // the protocol that it travels in, or ""
	TCP     []uint16  // registered or customary ports: used to name a conversation whose bytes say nothing
	UDP     []uint16  // likewise
	Codes   *CodeForm // nil if its operations are not told apart by code
	// RemoteAccess marks protocols that give a person a screen or a shell.
	RemoteAccess bool
}

// Ports are those of the IANA Service Name and Transport Protocol Port Number
// Registry, or the maker's documented default where none is registered.
var protocols = []ProtocolInfo{
	{Name: Modbus, Title: "Modbus/TCP", TCP: []uint16{502}, UDP: []uint16{502}, Codes: decimal},
	{Name: S7comm, Title: "S7comm", TCP: []uint16{102}, Codes: form("job:0x04", `job:0x[0-9a-f]{2}|userdata:[0-9]{1,2}/[0-9]{1,3}`)},
	{Name: ENIP, Title: "EtherNet/IP", TCP: []uint16{44818}, UDP: []uint16{44818, 2222}, Codes: hex4},
	{Name: CIP, Title: "CIP", Carrier: ENIP, Codes: hex2},
	{Name: DNP3, Title: "DNP3", TCP: []uint16{20000}, UDP: []uint16{20000}, Codes: decimal},
	{Name: OPCUA, Title: "OPC UA", TCP: []uint16{4840}, Codes: form("673", `[0-9]{1,5}|[A-Z]{3}`)},
	{Name: IEC104, Title: "IEC 60870-5-104", TCP: []uint16{2404}, Codes: form("45", `[0-9]{1,3}|S|STARTDT|STOPDT|TESTFR`)},
	{Name: MMS, Title: "IEC 61850 MMS", Codes: form("confirmed:4", `(?:un)?confirmed:[0-9]{1,3}|initiate|conclude|cancel`)},
	{Name: BACnet, Title: "BACnet", UDP: []uint16{47808}, Codes: form("confirmed:15", `(?:(?:un)?confirmed|bvlc|network):[0-9]{1,3}`)},
	{Name: FINS, Title: "Omron FINS", TCP: []uint16{9600}, UDP: []uint16{9600}, Codes: form("0x0101", `0x[0-9a-f]{4}|other`)},
	{Name: HARTIP, Title: "HART-IP", TCP: []uint16{5094}, UDP: []uint16{5094}, Codes: decimal},
	{Name: PNDCP, Title: "PROFINET DCP", Carrier: Profinet, Codes: decimal},
	{Name: MQTT, Title: "MQTT", TCP: []uint16{1883}, Codes: decimal},
	{Name: ADS, Title: "Beckhoff ADS", TCP: []uint16{48898}, UDP: []uint16{48899}, Codes: form("2", `[0-9]{1,5}|udp:[0-9]{1,5}|other`)},
	{Name: SLMP, Title: "Mitsubishi SLMP (MC protocol)", UDP: []uint16{61450, 61451}, Codes: form("0x0401", `0x[0-9a-f]{4}|1e:0x[0-9a-f]{2}|other`)},
	{Name: Melsoft, Title: "Mitsubishi MELSOFT", TCP: []uint16{5002, 5007, 5562}, UDP: []uint16{5001, 5006, 5560}, Codes: form("0x1002", `0x[0-9a-f]{4}|hello|other`)},
	{Name: GESRTP, Title: "GE SRTP", TCP: []uint16{18245}, Codes: form("0x04", `0x[0-9a-f]{2}|init`)},
	{Name: EGD, Title: "Ethernet Global Data", UDP: []uint16{18246, 7937}, Codes: decimal},
	{Name: Codesys, Title: "CODESYS V3", TCP: []uint16{11740, 11741, 11742, 11743}, UDP: []uint16{1740, 1741, 1742, 1743}, Codes: form("0x02/16", `0x[0-9a-f]{2}/[0-9]{1,5}|ns:[0-9a-f]{4}|channel:[0-9a-f]{2}|address|other`)},
	{Name: SBus, Title: "SAIA Ether-S-Bus", UDP: []uint16{5050}, Codes: decimal},
	{Name: C37118, Title: "IEEE C37.118", TCP: []uint16{4712}, UDP: []uint16{4713}, Codes: decimal},
	{Name: KNX, Title: "KNXnet/IP", TCP: []uint16{3671}, UDP: []uint16{3671}, Codes: form("apci:0x080", `0x[0-9a-f]{4}|apci:(?:0x[0-9a-f]{3}|other)|cemi:0x[0-9a-f]{2}|other`)},
	{Name: Fox, Title: "Niagara Fox", TCP: []uint16{1911, 4911}, Codes: form("hello", `hello|challenge|login|rejected|other`)},
	{Name: ROCPlus, Title: "ROC Plus", TCP: []uint16{4000}, UDP: []uint16{4000}, Codes: decimal},
	{Name: BSAP, Title: "BSAP over IP", UDP: []uint16{1234, 1235}, Codes: form("rdb:0x84", `rdb:0x[0-9a-f]{2}|ext:(?:0x[0-9a-f]{4}|other)|app:0x[0-9a-f]{2}|message:[0-9]{1,5}`)},
	{Name: Genisys, Title: "Genisys", TCP: []uint16{10001}, Codes: hex2},
	{Name: C1222, Title: "ANSI C12.22", TCP: []uint16{1153}, UDP: []uint16{1153}, Codes: form("0x40", `0x[0-9a-f]{2}|encrypted`)},
	{Name: DLMS, Title: "DLMS/COSEM", TCP: []uint16{4059}, UDP: []uint16{4059}, Codes: hex2},
	{Name: CoAP, Title: "CoAP", UDP: []uint16{5683}, Codes: decimal},
	{Name: AMQP, Title: "AMQP", TCP: []uint16{5672}, Codes: form("60.40", `[0-9]{1,5}\.[0-9]{1,5}|0x[0-9a-f]{2}|header|heartbeat`)},
	{Name: RTPS, Title: "RTPS (DDS)", UDP: []uint16{7400, 7401, 7410, 7411}, Codes: hex2},
	{Name: S7Plus, Title: "S7comm-plus", Codes: form("0x0542", `0x[0-9a-f]{4}|keepalive|notification`)},
	{Name: HTTP, Title: "HTTP", TCP: []uint16{80, 8080}},
	{Name: TLS, Title: "TLS", TCP: []uint16{443, 8443, 636, 989, 990, 993, 995, 8883}},
	{Name: SSH, Title: "SSH", TCP: []uint16{22}, RemoteAccess: true},
	{Name: Telnet, Title: "Telnet", TCP: []uint16{23}, RemoteAccess: true},
	{Name: FTP, Title: "FTP", TCP: []uint16{21}},
	{Name: RDP, Title: "RDP", TCP: []uint16{3389}, RemoteAccess: true},
	{Name: VNC, Title: "VNC (RFB)", TCP: []uint16{5900, 5901, 5902, 5903}, RemoteAccess: true},
	{Name: SMB, Title: "SMB", TCP: []uint16{445, 139}},
	{Name: DNS, Title: "DNS", TCP: []uint16{53}, UDP: []uint16{53}},
	{Name: NTP, Title: "NTP", UDP: []uint16{123}},
	{Name: SNMP, Title: "SNMP", UDP: []uint16{161, 162}, Codes: decimal},
	{Name: DHCP, Title: "DHCP", UDP: []uint16{67, 68}},
	{Name: ICMP, Title: "ICMP"},
	{Name: ARP, Title: "ARP"},
	{Name: LLDP, Title: "LLDP"},
	{Name: Syslog, Title: "syslog", UDP: []uint16{514}},
	{Name: NetBIOS, Title: "NetBIOS name and datagram services", UDP: []uint16{137, 138}},
	{Name: MDNS, Title: "mDNS", UDP: []uint16{5353}},
	{Name: LLMNR, Title: "LLMNR", UDP: []uint16{5355}},
	{Name: SSDP, Title: "SSDP", UDP: []uint16{1900}},
	{Name: LDAP, Title: "LDAP", TCP: []uint16{389}, UDP: []uint16{389}},
	{Name: TFTP, Title: "TFTP", UDP: []uint16{69}},
	{Name: SMTP, Title: "SMTP", TCP: []uint16{25}},
	{Name: TDS, Title: "TDS (Microsoft SQL Server)", TCP: []uint16{1433}},
	{Name: WinRM, Title: "WinRM", TCP: []uint16{5985, 5986}, RemoteAccess: true},
	{Name: GOOSE, Title: "IEC 61850 GOOSE", Codes: form("goose", `goose`)},
	{Name: SV, Title: "IEC 61850 Sampled Values", Codes: form("sv", `sv`)},
	{Name: GSE, Title: "IEC 61850 GSE management", Codes: decimal},
	{Name: Profinet, Title: "PROFINET", UDP: []uint16{34962, 34963, 34964}, Codes: form("rpc:3", `(?:rpc|epm):[0-9]{1,2}|alarm:(?:high|low)|rt|rsi|ptcp|fragment`)},
	{Name: EtherCAT, Title: "EtherCAT", UDP: []uint16{34980}, Codes: form("5", `[0-9]{1,2}|nv|mailbox`)},
	{Name: Powerlink, Title: "Ethernet POWERLINK", Codes: decimal},
	{Name: Sercos, Title: "SERCOS III", Codes: form("mdt", `mdt|at`)},
	{Name: CCLinkIE, Title: "CC-Link IE"},
	{Name: PTP, Title: "PTP (IEEE 1588)", UDP: []uint16{319, 320}, Codes: decimal},
	{Name: MRP, Title: "MRP (IEC 62439-2)"},
	{Name: STP, Title: "Spanning Tree"},
	{Name: CDP, Title: "Cisco Discovery"},
	{Name: EAPOL, Title: "EAPOL (IEEE 802.1X)"},
	{Name: MACsec, Title: "MACsec (IEEE 802.1AE)"},
	{Name: Slow, Title: "Slow Protocols (LACP, OAM)"},
	{Name: Loopback, Title: "Ethernet loopback"},
	{Name: GRE, Title: "GRE"},
	{Name: NVGRE, Title: "NVGRE"},
	{Name: ERSPAN, Title: "ERSPAN"},
	{Name: VXLAN, Title: "VXLAN", UDP: []uint16{4789}},
	{Name: Geneve, Title: "Geneve", UDP: []uint16{6081}},
	{Name: IPIP, Title: "IP in IP"},
	{Name: IPv6InIP, Title: "IPv6 in IPv4"},
	{Name: Teredo, Title: "Teredo", UDP: []uint16{3544}},
	{Name: GTPU, Title: "GTP-U", UDP: []uint16{2152}},
}

// Protocols lists every protocol that has a name, in a fixed order.
func Protocols() []ProtocolInfo { return slices.Clone(protocols) }

var protocolIndex = func() map[Protocol]*ProtocolInfo {
	m := make(map[Protocol]*ProtocolInfo, len(protocols))
	for i := range protocols {
		m[protocols[i].Name] = &protocols[i]
	}
	return m
}()

// Info returns what is known of p, or nil if p is no name of a protocol.
func (p Protocol) Info() *ProtocolInfo { return protocolIndex[p] }

// Within reports whether p is carrier, or travels inside it: CIP is within ENIP.
func (p Protocol) Within(carrier Protocol) bool {
	if p == carrier {
		return true
	}
	info := p.Info()
	return info != nil && info.Carrier != "" && info.Carrier == carrier
}

type transportPort struct {
	transport Transport
	port      uint16
}

var portIndex = func() map[transportPort]Protocol {
	m := make(map[transportPort]Protocol)
	for _, p := range protocols {
		for _, n := range p.TCP {
			m[transportPort{TCP, n}] = p.Name
		}
		for _, n := range p.UDP {
			m[transportPort{UDP, n}] = p.Name
		}
	}
	return m
}()

// ByPort returns the protocol that a port is registered or customary for, or
// Unknown.
func ByPort(t Transport, port uint16) Protocol {
	if p, ok := portIndex[transportPort{t, port}]; ok {
		return p
	}
	return Unknown
}

// Service is a transport and a range of server ports, such as tcp/9600 or
// udp/5000-5010.
type Service struct {
	Transport   Transport
	First, Last uint16 // First <= Last
}

// ParseService reads "tcp/9600" or "udp/5000-5010". Transport ip takes an IP
// protocol number (ip/47), l2 an EtherType (l2/0x88b8).
func ParseService(s string) (Service, error) {
	t, ports, ok := strings.Cut(s, "/")
	switch Transport(t) {
	case TCP, UDP, SCTP, OverIP, L2:
	default:
		ok = false
	}
	if !ok {
		return Service{}, fmt.Errorf("service %q: expected a transport and port such as tcp/9600 or udp/5000-5010", s)
	}
	lo, hi, ranged := strings.Cut(ports, "-")
	if !ranged {
		hi = lo
	}
	first, err := parsePort(lo)
	if err != nil {
		return Service{}, fmt.Errorf("service %q: %w", s, err)
	}
	last, err := parsePort(hi)
	if err != nil {
		return Service{}, fmt.Errorf("service %q: %w", s, err)
	}
	if first > last {
		return Service{}, fmt.Errorf("service %q: the range runs downwards", s)
	}
	return Service{Transport: Transport(t), First: first, Last: last}, nil
}

func parsePort(s string) (uint16, error) {
	digits, base := s, 10
	if hex, ok := strings.CutPrefix(s, "0x"); ok {
		digits, base = hex, 16
	}
	n, err := strconv.ParseUint(digits, base, 16)
	if err != nil {
		return 0, fmt.Errorf("%q is not a number from 0 to 65535", s)
	}
	return uint16(n), nil
}

// Contains reports whether a server port is the service's.
func (s Service) Contains(t Transport, port uint16) bool {
	return s.Transport == t && s.First <= port && port <= s.Last
}

// String returns the notation that ParseService reads.
func (s Service) String() string {
	if s.Transport == L2 {
		return fmt.Sprintf("l2/0x%04x", s.First)
	}
	if s.First == s.Last {
		return fmt.Sprintf("%s/%d", s.Transport, s.First)
	}
	return fmt.Sprintf("%s/%d-%d", s.Transport, s.First, s.Last)
}
