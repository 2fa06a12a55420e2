package rules

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"bulkhead/capture"
	"bulkhead/rules/iec62443"
)

// works is the plant on which rules are tried. MORE is where a fixture adds to it.
const works = `
version: 1
system: {id: works, name: Works, timezone: Europe/Amsterdam}
zones:
  - {id: office, kind: business, sl-t: 1, networks: [10.1.0.0/24], assets: [{id: pc, addresses: [10.1.0.5]}, {id: proxy, role: proxy, addresses: [10.1.0.6]}]}
  - {id: dmz, kind: dmz, sl-t: 2, networks: [10.2.0.0/24], assets: [{id: jump, role: jump-host, addresses: [10.2.0.6]}]}
  - {id: ops, kind: operations, sl-t: 3, inventory: complete, networks: [10.3.0.0/24], assets: [{id: hmi, addresses: [10.3.0.5]}, {id: eng, addresses: [10.3.0.7]}]}
  - id: cell
    kind: control
    sl-t: 3
    networks: [10.4.0.0/24]
    assets:
      - {id: plc, role: controller, addresses: [10.4.0.11], services: [modbus, s7comm, tcp/9600], writers: [cell/panel]}
      - {id: panel, role: hmi, addresses: [10.4.0.12]}
      - {id: drive, role: drive, addresses: [10.4.0.13]}
  - {id: sis, kind: safety, sl-t: 3, networks: [10.5.0.0/24], assets: [{id: trip, role: safety-controller, addresses: [10.5.0.11]}, {id: station, addresses: [10.5.0.12]}]}
  - {id: sis2, kind: safety, sl-t: 3, networks: [10.6.0.0/24], assets: [{id: panel2, addresses: [10.6.0.12]}]}
  - {id: none, kind: external, sl-t: 0, networks: [10.9.0.0/24]}
conduits:
  - id: c
    joins: [ops, cell]
    assets: [{id: fw, role: firewall, addresses: [10.4.0.1, 10.3.0.1], mac: "00:80:f4:0e:11:22"}]
    boundary: [fw]
    channels:
      - {id: poll, from: ops/hmi, to: cell, protocol: modbus, operations: [read]}
      - {id: set, from: ops/hmi, to: cell/plc, protocol: modbus, operations: [write], codes: [6, 16], objects: ["40001-40020"]}
      - {id: load, from: ops/eng, to: cell/plc, protocol: s7comm, operations: [read, program, mode], window: "Mon 10:00-13:00"}
      - {id: web, from: ops/hmi, to: cell/drive, service: tcp/80}
  - {id: out, joins: [cell, dmz], one-way: cell -> dmz, channels: [{id: push, from: cell, to: dmz, service: udp/5000}]}
  - {id: ask, joins: [cell, sis], channels: [{id: watch, from: cell, to: sis, protocol: modbus, operations: [read]}, {id: reset, from: cell/panel, to: sis/trip, protocol: modbus, operations: [write]}]}
  - {id: plan, joins: [office, cell], status: proposed, channels: [{from: office, to: cell, protocol: modbus}]}
  - id: mid
    joins: [office, dmz, ops]
    sl-t: 2
    rationale: ends in the dmz
    channels:
      - {id: rdp-in, from: office, to: dmz/jump, protocol: rdp, remote-access: true}
      - {id: rdp-on, from: office/pc, to: ops/eng, protocol: rdp}
      - {id: files, from: office/pc, to: ops/eng, protocol: ftp}
      - {id: vpn-in, from: office/proxy, to: ops/eng, protocol: rdp, remote-access: true}
taps:
  - {id: t-cell, sees: [cell], captures: [a.pcap]}
  - {id: t-ops, sees: [ops], captures: [b.pcap]}
  - {id: t-dmz, sees: [dmz], captures: [c.pcap]}
  - {id: t-wide, sees: [office, ops, cell, c], captures: [d.pcap]}
  - {id: t-rx, sees: [c], captures: [e.pcap], direction: rx}
MORE`

// fixture is something seen, and what a rule makes of it.
type fixture struct {
	name string
	rule string
	seen *capture.Observations
	want []string // subjects of contradictions; "class subject" of other classes; nil for a miss
	more string   // added to the model
	old  string   // of the model, replaced by the next
	new  string
}

func seen(cs ...capture.Conversation) *capture.Observations { return tape(nil, nil, nil, cs) }

func fixtures() []fixture {
	bacnet := op(capture.BACnet, capture.Read, "confirmed:12", "ReadProperty")
	dnp3 := func(class capture.Class, code string) capture.Operation {
		return op(capture.DNP3, class, code, "operation")
	}
	cip := op(capture.CIP, capture.Read, "0x4c", "Read Tag")
	identity := op(capture.ENIP, capture.Discover, "0x0063", "ListIdentity")
	cyclic := op(capture.ENIP, capture.Event, "0x8002", "Class 0 or 1 I/O")
	cyclic.Accepted = 0
	fromServer := func(o capture.Operation) capture.Operation { o.From = capture.FromServer; return o }
	cut := func(c *capture.Conversation) { c.OperationsCut = true }
	signed := func(c *capture.Conversation) { c.Protection = capture.Protection{Integrity: 1} }
	unclear := func(c *capture.Conversation) { c.Protection = capture.Protection{Unknown: 1} }
	late := func(o capture.Operation) capture.Operation {
		o.Active = []capture.Run{{From: at(noon.Add(5 * time.Hour)), Minutes: 3, Frame: 40}}
		return o
	}
	handshake := func(c *capture.Conversation) {
		c.State, c.Payload = capture.State{Established: 1}, capture.Volume{}
	}
	half := func(c *capture.Conversation) {
		c.State = capture.State{Attempted: 1}
		c.Packets.Received, c.Payload.Received = 0, 0
	}
	mystery := func(c *capture.Conversation) {
		c.Protocol, c.ProtocolBasis, c.Protection = capture.Unknown, capture.NotKnown, capture.Protection{Unknown: 1}
	}
	broadcast := ether("00:11:22:33:44:55", "ff:ff:ff:ff:ff:ff")

	return []fixture{
		{name: "no conduit", rule: "EV-001", seen: seen(modbus("10.1.0.5", "10.5.0.11", fc3)), want: []string{"office"}}, // of sis, EV-005 says it
		{name: "no conduit, neither is the office", rule: "EV-001", seen: seen(modbus("10.3.0.5", "10.5.0.11", fc3)), want: []string{"ops", "sis"}},
		{name: "a proposed conduit permits nothing", rule: "EV-001", seen: seen(modbus("10.1.0.6", "10.4.0.11", fc3)), want: []string{"cell", "office"}},
		{name: "a handshake is payload both ways", rule: "EV-001", seen: seen(modbus("10.3.0.5", "10.5.0.11"), talk("10.3.0.5", "10.5.0.12", 22, capture.SSH, handshake)), want: []string{"ops", "sis"}},
		{name: "a lone SYN", rule: "EV-001", seen: seen(talk("10.3.0.5", "10.5.0.11", 502, capture.Modbus, unanswered))},
		{name: "a reset", rule: "EV-001", seen: seen(talk("10.3.0.5", "10.5.0.11", 502, capture.Modbus, reset))},
		{name: "one side of a connection", rule: "EV-001", seen: seen(talk("10.3.0.5", "10.5.0.11", 502, capture.Modbus, half))},
		{name: "a guessed role", rule: "EV-001", seen: seen(talk("10.3.0.5", "10.5.0.11", 502, capture.Modbus, roleBasis(capture.Guess)))},
		{name: "a datagram, at the sender's tap", rule: "EV-001", seen: tape(nil, []capture.Conversation{talk("10.3.0.5", "10.5.0.11", 514, capture.Syslog, datagrams)})},
		{name: "a datagram, beyond the boundary", rule: "EV-001", want: []string{"cell", "sis2"},
			seen: tape([]capture.Conversation{talk("10.6.0.12", "10.4.0.11", 514, capture.Syslog, datagrams)})},
		{name: "a zone that asks for no level", rule: "EV-001", seen: seen(modbus("10.9.0.5", "10.5.0.11", fc3)), want: []string{"sis"}},
		{name: "an end in no zone", rule: "EV-001", seen: seen(modbus("172.16.0.5", "10.5.0.11", fc3))},
		{name: "a broadcast stays on its segment", rule: "EV-001", seen: tape(nil, []capture.Conversation{talk("10.3.0.5", "10.3.0.255", 138, capture.NetBIOS, datagrams, broadcast)})},
		{name: "a broadcast at another zone's tap", rule: "EV-001", want: []string{"cell", "sis2"},
			seen: tape([]capture.Conversation{talk("10.6.0.12", "255.255.255.255", 138, capture.NetBIOS, datagrams, broadcast)})},
		{name: "link-local", rule: "EV-001", seen: seen(talk("169.254.3.4", "10.4.0.11", 5353, capture.MDNS, udp))},
		{name: "a conduit's own asset, from a zone beyond", rule: "EV-001", seen: seen(talk("10.5.0.12", "10.4.0.1", 22, capture.SSH, encrypted)), want: []string{"sis"}},
		{name: "policy: a first offence voids the enhancement only", rule: "EV-001", seen: seen(modbus("10.3.0.5", "10.5.0.11", fc3)), want: []string{"ops", "sis"}, more: "policy: {ev-001-cap: 1}\n"},

		{name: "another protocol", rule: "EV-002", seen: seen(talk("10.3.0.5", "10.4.0.11", 102, capture.MMS)), want: []string{"c", "cell"}},
		{name: "another end", rule: "EV-002", seen: seen(modbus("10.3.0.99", "10.4.0.11", fc3)), want: []string{"c", "cell"}},
		{name: "the other way round", rule: "EV-002", seen: seen(modbus("10.4.0.13", "10.3.0.5", fc3)), want: []string{"c", "ops"}},
		{name: "another port", rule: "EV-002", seen: seen(talk("10.3.0.5", "10.4.0.13", 81, capture.HTTP)), want: []string{"c", "cell"}},
		{name: "a class that no rule of its own judges", rule: "EV-002", want: []string{"c", "cell"},
			seen: seen(modbus("10.3.0.5", "10.4.0.11", fc3, op(capture.Modbus, capture.Diagnose, "8", "Diagnostics")))},
		{name: "a write that the device refused crossed all the same", rule: "EV-002", seen: seen(modbus("10.3.0.5", "10.4.0.13", refused(fc6))), want: []string{"c", "cell"}},
		{name: "logic read by who may read", rule: "EV-002", seen: seen(talk("10.3.0.7", "10.4.0.11", 102, capture.S7comm, asks(s7setup, s7fetch)))},
		{name: "an accepted write is use control's", rule: "EV-002", seen: seen(modbus("10.3.0.5", "10.4.0.13", fc6))},
		{name: "as declared", rule: "EV-002", seen: seen(modbus("10.3.0.5", "10.4.0.11", fc3, fc6))},
		{name: "outside a window is a deviation only", rule: "EV-002", seen: seen(talk("10.3.0.7", "10.4.0.11", 102, capture.S7comm, asks(late(s7load))))},
		{name: "a protocol that only the port tells", rule: "EV-002", seen: seen(talk("10.3.0.5", "10.4.0.11", 502, capture.Modbus, protocolBasis(capture.Port)))},
		{name: "more operations than were kept", rule: "EV-002", seen: seen(talk("10.3.0.5", "10.4.0.11", 502, capture.Modbus, asks(fc3), cut))},
		{name: "data of a permitted FTP", rule: "EV-002", seen: seen(talk("10.1.0.5", "10.3.0.7", 21, capture.FTP), talk("10.3.0.7", "10.1.0.5", 40001, capture.Unknown, mystery))},
		{name: "unknown payload the wrong way, without an FTP beside it", rule: "EV-002", seen: seen(talk("10.3.0.7", "10.1.0.5", 40001, capture.Unknown, mystery)), want: []string{"mid", "office"}},

		{name: "a reset at the boundary", rule: "EV-003", seen: seen(talk("10.3.0.5", "10.4.0.13", 23, capture.Telnet, reset)), want: []string{"support c"}},
		{name: "silence after three attempts", rule: "EV-003", seen: seen(talk("10.3.0.5", "10.4.0.13", 23, capture.Telnet, unanswered)), want: []string{"support c"}},
		{name: "silence where one direction is mirrored", rule: "EV-003", seen: tape(nil, nil, nil, nil, []capture.Conversation{talk("10.3.0.5", "10.4.0.13", 23, capture.Telnet, unanswered)})},
		{name: "an attempt that later came through", rule: "EV-003", seen: tape([]capture.Conversation{talk("10.3.0.5", "10.4.0.13", 23, capture.Unknown, unanswered)},
			nil, nil, []capture.Conversation{talk("10.3.0.5", "10.4.0.13", 23, capture.Telnet)})},
		{name: "a permitted attempt", rule: "EV-003", seen: seen(talk("10.3.0.5", "10.4.0.13", 80, capture.HTTP, unanswered))},

		{name: "an answer against the direction", rule: "EV-004", seen: seen(talk("10.4.0.12", "10.2.0.6", 5000, capture.Unknown, udp, mystery)), want: []string{"cell", "out"}},
		{name: "a call against the direction", rule: "EV-004", seen: seen(talk("10.2.0.6", "10.4.0.12", 22, capture.SSH)), want: []string{"cell", "out"}},
		{name: "datagrams with the direction", rule: "EV-004", seen: seen(talk("10.4.0.12", "10.2.0.6", 5000, capture.Unknown, datagrams, protocolBasis(capture.NotKnown)))},
		{name: "a SYN against the direction", rule: "EV-004", seen: seen(talk("10.2.0.6", "10.4.0.12", 22, capture.SSH, unanswered))},

		{name: "office to control", rule: "EV-005", seen: seen(modbus("10.1.0.5", "10.5.0.11", fc3)), want: []string{"sis"}},
		{name: "control to office", rule: "EV-005", seen: seen(talk("10.5.0.11", "10.1.0.5", 445, capture.SMB)), want: []string{"sis"}},
		{name: "a proxy of the office", rule: "EV-005", seen: seen(modbus("10.1.0.6", "10.5.0.11", fc3))},
		{name: "over a conduit", rule: "EV-005", seen: seen(modbus("10.1.0.5", "10.3.0.7", fc3))},
		{name: "dmz to control", rule: "EV-005", seen: seen(modbus("10.2.0.6", "10.5.0.11", fc3))},

		{name: "control to a public address", rule: "EV-010", seen: seen(talk("10.4.0.12", "8.8.8.8", 443, capture.TLS, encrypted)), want: []string{"cell"}},
		{name: "a name look-up", rule: "EV-010", seen: seen(talk("10.4.0.12", "8.8.8.8", 53, capture.DNS, udp))},
		{name: "dmz to a public address", rule: "EV-010", seen: seen(talk("10.2.0.6", "8.8.8.8", 443, capture.TLS, encrypted))},
		{name: "an address that the owner lists", rule: "EV-010", seen: seen(talk("10.4.0.12", "8.8.8.8", 443, capture.TLS, encrypted)),
			old: "networks: [10.9.0.0/24]", new: "networks: [10.9.0.0/24, 8.8.8.0/24]"},

		{name: "a public address to control", rule: "EV-011", seen: seen(talk("8.8.8.8", "10.4.0.11", 502, capture.Modbus, asks(fc3))), want: []string{"cell"}},
		{name: "a public address, unanswered", rule: "EV-011", seen: seen(talk("8.8.8.8", "10.4.0.11", 502, capture.Modbus, unanswered))},
		{name: "a public address, handshake only", rule: "EV-011", seen: seen(talk("8.8.8.8", "10.4.0.11", 502, capture.Modbus, handshake))},
		{name: "a public address to the dmz", rule: "EV-011", seen: seen(talk("8.8.8.8", "10.2.0.6", 443, capture.TLS, encrypted))},

		{name: "a password inside a zone", rule: "EV-020", seen: seen(talk("10.4.0.12", "10.4.0.11", 23, capture.Telnet, login("telnet login", true, 8))), want: []string{"cell"}},
		{name: "a password across zones", rule: "EV-020", seen: seen(talk("10.3.0.5", "10.4.0.13", 80, capture.HTTP, login("http basic", true, 8))), want: []string{"c", "cell"}},
		{name: "a password that is protected", rule: "EV-020", seen: seen(talk("10.4.0.12", "10.4.0.11", 22, capture.SSH, login("ssh password", false, 0)))},
		{name: "an anonymous log-in", rule: "EV-020", seen: seen(talk("10.4.0.12", "10.4.0.11", 4840, capture.OPCUA, login("opcua anonymous", true, 9)))},
		{name: "an empty password", rule: "EV-020", seen: seen(talk("10.4.0.12", "10.4.0.11", 23, capture.Telnet, login("telnet login", true, 0)))},

		{name: "modbus inside a zone", rule: "EV-024", seen: seen(modbus("10.4.0.12", "10.4.0.11", fc3)), want: []string{"cell"}},
		{name: "modbus across zones is the server's", rule: "EV-024", seen: seen(modbus("10.3.0.5", "10.4.0.11", fc3)), want: []string{"cell"}},
		{name: "cip", rule: "EV-024", seen: seen(talk("10.4.0.12", "10.4.0.11", 44818, capture.ENIP, asks(cip))), want: []string{"cell"}},
		{name: "bacnet", rule: "EV-024", seen: seen(talk("10.4.0.12", "10.4.0.11", 47808, capture.BACnet, udp, asks(bacnet))), want: []string{"cell"}},
		{name: "modbus that is refused", rule: "EV-024", seen: seen(modbus("10.4.0.12", "10.4.0.11", refused(fc3)))},
		{name: "s7 dialogue only", rule: "EV-024", seen: seen(talk("10.4.0.12", "10.4.0.11", 102, capture.S7comm, asks(s7setup)))},
		{name: "discovery is open by design", rule: "EV-024", seen: seen(talk("10.4.0.12", "10.4.0.11", 44818, capture.ENIP, udp, asks(identity)))},
		{name: "cip security", rule: "EV-024", seen: seen(talk("10.4.0.12", "10.4.0.11", 44818, capture.ENIP, asks(cip), encrypted))},
		{name: "dnp3 write", rule: "EV-024", seen: seen(talk("10.4.0.12", "10.4.0.11", 20000, capture.DNP3, asks(dnp3(capture.Read, "1"), dnp3(capture.Write, "2")))), want: []string{"cell"}},
		{name: "dnp3 control", rule: "EV-024", seen: seen(talk("10.4.0.12", "10.4.0.11", 20000, capture.DNP3, asks(dnp3(capture.Control, "5")))), want: []string{"cell"}},
		{name: "dnp3 restart", rule: "EV-024", seen: seen(talk("10.4.0.12", "10.4.0.11", 20000, capture.DNP3, asks(dnp3(capture.Mode, "13")))), want: []string{"cell"}},
		{name: "cip cyclic data both ways", rule: "EV-024", seen: seen(talk("10.4.0.12", "10.4.0.11", 2222, capture.ENIP, udp, asks(cyclic))), want: []string{"cell"}},
		{name: "cip cyclic data one way", rule: "EV-024", seen: seen(talk("10.4.0.12", "10.4.0.11", 2222, capture.ENIP, datagrams, asks(cyclic)))},
		{name: "dnp3 reads only ask for proof", rule: "EV-024", seen: seen(talk("10.4.0.12", "10.4.0.11", 20000, capture.DNP3, asks(dnp3(capture.Read, "1")))), want: []string{"weakening cell"}},
		{name: "dnp3 with secure authentication", rule: "EV-024", seen: seen(talk("10.4.0.12", "10.4.0.11", 20000, capture.DNP3, asks(dnp3(capture.Control, "5"), dnp3(capture.Session, "32"))))},
		{name: "an encrypted protocol", rule: "EV-024", seen: seen(talk("10.4.0.12", "10.4.0.11", 443, capture.TLS, encrypted))},

		{name: "remote desktop from the office, past the jump host", rule: "EV-040", seen: seen(talk("10.1.0.5", "10.5.0.12", 3389, capture.RDP, encrypted)), want: []string{"sis"}},
		{name: "ssh from the internet", rule: "EV-040", seen: seen(talk("8.8.8.8", "10.4.0.11", 22, capture.SSH, encrypted)), want: []string{"cell"}},
		{name: "winrm by its port", rule: "EV-040", seen: seen(talk("10.1.0.5", "10.5.0.12", 5985, capture.HTTP)), want: []string{"sis"}},
		{name: "anydesk by its port", rule: "EV-040", seen: seen(talk("10.1.0.5", "10.5.0.12", 7070, capture.TLS, encrypted)), want: []string{"sis"}},
		{name: "another protocol on teamviewer's port", rule: "EV-040", seen: seen(talk("10.1.0.5", "10.5.0.12", 5938, capture.Modbus, asks(fc3)))},
		{name: "past the declared intermediary", rule: "EV-040", seen: seen(talk("10.1.0.5", "10.4.0.12", 3389, capture.RDP, encrypted)), want: []string{"cell"},
			old: "{id: plan, joins: [office, cell], status: proposed, channels: [{from: office, to: cell, protocol: modbus}]}",
			new: "{id: plan, joins: [office, dmz, cell], via: dmz/jump, channels: [{from: office, to: dmz/jump, protocol: rdp, remote-access: true}]}"},
		{name: "over a channel that is not marked, at the wrong hour", rule: "EV-040", seen: seen(talk("10.1.0.5", "10.3.0.7", 3389, capture.RDP, encrypted)), want: []string{"weakening ops"},
			old: "to: ops/eng, protocol: rdp}", new: `to: ops/eng, protocol: rdp, window: "Sat 06:00-10:00"}`},
		{name: "over a channel that is not marked", rule: "EV-040", seen: seen(talk("10.1.0.5", "10.3.0.7", 3389, capture.RDP, encrypted)), want: []string{"weakening ops"}},
		{name: "over the remote-access channel", rule: "EV-040", seen: seen(talk("10.1.0.6", "10.3.0.7", 3389, capture.RDP, encrypted))},
		{name: "to the jump host", rule: "EV-040", seen: seen(talk("10.1.0.5", "10.2.0.6", 3389, capture.RDP, encrypted))},
		{name: "local engineering", rule: "EV-040", seen: seen(talk("10.3.0.5", "10.5.0.12", 3389, capture.RDP, encrypted))},
		{name: "a port that only looks like it", rule: "EV-040", seen: seen(talk("10.1.0.5", "10.5.0.12", 3389, capture.RDP, protocolBasis(capture.Port)))},

		{name: "a write by who may only read", rule: "EV-050", seen: seen(modbus("10.3.0.5", "10.4.0.13", fc6)), want: []string{"cell"}},
		{name: "a write to other registers", rule: "EV-050", want: []string{"cell"},
			seen: seen(modbus("10.3.0.5", "10.4.0.11", on(op(capture.Modbus, capture.Write, "16", "Write Multiple Registers"), "40015-40030")))},
		{name: "a write by another host", rule: "EV-050", seen: seen(modbus("10.3.0.99", "10.4.0.11", fc6)), want: []string{"cell"}},
		{name: "a write over no conduit", rule: "EV-050", seen: seen(modbus("10.1.0.5", "10.4.0.11", fc6)), want: []string{"cell"}},
		{name: "a write inside a zone by a stranger to the list", rule: "EV-050", seen: seen(modbus("10.4.0.13", "10.4.0.11", fc6)), want: []string{"cell"}},
		{name: "an output operated", rule: "EV-050", seen: seen(talk("10.4.0.13", "10.4.0.11", 20000, capture.DNP3, asks(dnp3(capture.Control, "5")))), want: []string{"cell"}},
		{name: "a write to declared registers", rule: "EV-050", seen: seen(modbus("10.3.0.5", "10.4.0.11", fc6))},
		{name: "a write inside a zone by a listed writer", rule: "EV-050", seen: seen(modbus("10.4.0.12", "10.4.0.11", fc6))},
		{name: "a write inside a zone, no list", rule: "EV-050", seen: seen(modbus("10.4.0.12", "10.4.0.13", fc6))},
		{name: "a write that the device refused", rule: "EV-050", seen: seen(modbus("10.3.0.99", "10.4.0.11", refused(fc6)))},
		{name: "a write by the server", rule: "EV-050", seen: seen(modbus("10.3.0.99", "10.4.0.11", fromServer(fc6)))},
		{name: "a select arms and writes nothing", rule: "EV-050", seen: seen(talk("10.4.0.13", "10.4.0.11", 20000, capture.DNP3, asks(dnp3(capture.Control, "3"))))},
		{name: "a channel for another protocol, without a list of operations, authorises no writer", rule: "EV-050", seen: seen(modbus("10.1.0.5", "10.3.0.7", fc6)), want: []string{"ops"}},
		{name: "a channel for the protocol at another port does", rule: "EV-050", seen: seen(modbus("10.3.0.7", "10.4.0.13", fc6)),
			old: "{id: web, from: ops/hmi, to: cell/drive, service: tcp/80}", new: "{id: web, from: ops/eng, to: cell/drive, protocol: modbus, service: tcp/1502}"},
		{name: "a writer by another protocol is still authorised", rule: "EV-050", seen: seen(talk("10.3.0.5", "10.4.0.11", 44818, capture.ENIP, asks(op(capture.CIP, capture.Write, "0x4d", "Write Tag"))))},

		{name: "a download by who may not", rule: "EV-052", seen: seen(talk("10.3.0.5", "10.4.0.11", 102, capture.S7comm, asks(s7setup, s7load))), want: []string{"cell"}},
		{name: "a download inside a zone", rule: "EV-052", seen: seen(talk("10.4.0.13", "10.4.0.11", 102, capture.S7comm, asks(s7load))), want: []string{"cell"}},
		{name: "umas, whose upload is towards the controller", rule: "EV-052", want: []string{"cell"},
			seen: seen(modbus("10.4.0.13", "10.4.0.11", op(capture.Modbus, capture.Program, "90", "UPLOAD_BLOCK (to the PLC)")))},
		{name: "a download by the engineering station", rule: "EV-052", seen: seen(talk("10.3.0.7", "10.4.0.11", 102, capture.S7comm, asks(s7load)))},
		{name: "an upload", rule: "EV-052", seen: seen(talk("10.3.0.5", "10.4.0.11", 102, capture.S7comm, asks(s7fetch)))},
		{name: "the jobs that the controller itself sends", rule: "EV-052", seen: seen(talk("10.3.0.5", "10.4.0.11", 102, capture.S7comm,
			asks(fromServer(op(capture.S7comm, capture.Program, "job:0x1b", "Download block")))))},

		{name: "a stop by who may not", rule: "EV-054", seen: seen(talk("10.3.0.5", "10.4.0.11", 102, capture.S7comm, asks(s7stop))), want: []string{"cell"}},
		{name: "a stop by who may", rule: "EV-054", seen: seen(talk("10.3.0.7", "10.4.0.11", 102, capture.S7comm, asks(s7stop)))},
		{name: "a stop that was refused", rule: "EV-054", seen: seen(talk("10.3.0.5", "10.4.0.11", 102, capture.S7comm, asks(refused(s7stop))))},

		{name: "clear across zones, permitted", rule: "EV-070", seen: seen(modbus("10.3.0.5", "10.4.0.11", fc3)), want: []string{"c", "cell", "ops"}},
		{name: "clear across zones, no conduit", rule: "EV-070", seen: seen(modbus("10.3.0.5", "10.5.0.11", fc3)), want: []string{"ops", "sis"}},
		{name: "signed meets integrity and not confidentiality", rule: "EV-070", seen: seen(talk("10.3.0.5", "10.4.0.11", 4840, capture.OPCUA, signed)), want: []string{"c", "cell", "ops"}},
		{name: "clear inside a zone", rule: "EV-070", seen: seen(modbus("10.4.0.12", "10.4.0.11", fc3))},
		{name: "encrypted", rule: "EV-070", seen: seen(talk("10.3.0.5", "10.4.0.11", 443, capture.TLS, encrypted))},
		{name: "payload of an unknown protocol may be encrypted", rule: "EV-070", seen: seen(talk("10.3.0.5", "10.4.0.13", 80, capture.Unknown, mystery, unclear))},
		{name: "a ping", rule: "EV-070", seen: seen(talk("10.3.0.5", "10.4.0.11", 0, capture.ICMP, func(c *capture.Conversation) { c.Transport = capture.OverICMP }))},
		{name: "one way only", rule: "EV-070", seen: seen(talk("10.4.0.12", "10.2.0.6", 5000, capture.Syslog, datagrams))},

		{name: "an unlisted host", rule: "EV-090", seen: hear(seen(), host("10.3.0.99", 3, time.Minute)), want: []string{"ops"}},
		{name: "an unlisted host with its traffic", rule: "EV-090", seen: hear(seen(modbus("10.3.0.99", "10.3.0.5", fc3)), host("10.3.0.99", 30, time.Minute)), want: []string{"ops"}},
		{name: "an unlisted host behind a gateway's MAC address", rule: "EV-090", want: []string{"ops"},
			seen: hear(seen(), func() capture.Endpoint {
				e := host("10.3.0.99", 3, time.Minute)
				e.MAC = mustMAC("00:80:f4:0e:11:22")
				return e
			}())},
		{name: "too few frames", rule: "EV-090", seen: hear(seen(), host("10.3.0.99", 2, time.Minute))},
		{name: "too short", rule: "EV-090", seen: hear(seen(), host("10.3.0.99", 30, 59*time.Second))},
		{name: "only ARP", rule: "EV-090", seen: hear(seen(), host("10.3.0.99", 0, time.Hour))},
		{name: "a listed host", rule: "EV-090", seen: hear(seen(), host("10.3.0.5", 30, time.Hour))},
		{name: "a router of a conduit", rule: "EV-090", seen: hear(seen(), host("10.3.0.1", 30, time.Hour))},
		{name: "an inventory that is not complete", rule: "EV-090", seen: hear(seen(), host("10.4.0.99", 30, time.Hour))},
		{name: "policy: a threshold of one's own", rule: "EV-090", seen: hear(seen(), host("10.3.0.99", 30, time.Hour)), more: "policy: {ev-090-frames: 100}\n"},

		{name: "what was not seen", rule: "EV-092", seen: seen(modbus("10.3.0.5", "10.4.0.11", fc3)),
			want: []string{"coverage ask", "coverage c", "coverage cell", "coverage dmz", "coverage mid", "coverage office", "coverage ops", "coverage out", "coverage sis", "coverage sis2"}},
		{name: "without a capture nothing is missing", rule: "EV-092", seen: &capture.Observations{}},

		{name: "a service that is not listed", rule: "EV-093", seen: seen(talk("10.4.0.12", "10.4.0.11", 80, capture.HTTP)), want: []string{"cell"}},
		{name: "a service that a channel names for the asset, and a class that it does not", rule: "EV-093", seen: seen(modbus("10.3.0.5", "10.4.0.11", fc3, fc6, op(capture.Modbus, capture.Diagnose, "8", "Diagnostics"))),
			old: "services: [modbus, s7comm, tcp/9600]", new: "services: [s7comm]"},
		{name: "a service that a channel names for the asset, at another time", rule: "EV-093", seen: seen(talk("10.3.0.7", "10.4.0.11", 102, capture.S7comm, asks(late(s7load)))),
			old: "services: [modbus, s7comm, tcp/9600]", new: "services: [modbus]"},
		{name: "a service that a channel names for the zone", rule: "EV-093", seen: seen(talk("10.3.0.5", "10.4.0.11", 44818, capture.ENIP, asks(cip))), want: []string{"cell"},
			old: "to: cell, protocol: modbus", new: "to: cell, protocol: enip"},
		{name: "a listed protocol", rule: "EV-093", seen: seen(modbus("10.4.0.12", "10.4.0.11", fc3))},
		{name: "a listed port", rule: "EV-093", seen: seen(talk("10.4.0.12", "10.4.0.11", 9600, capture.Unknown, mystery))},
		{name: "a listed protocol that only the port tells", rule: "EV-093", seen: seen(talk("10.4.0.12", "10.4.0.11", 102, capture.Unknown, mystery))},
		{name: "no list only asks for proof", rule: "EV-093", seen: seen(talk("10.4.0.12", "10.4.0.13", 80, capture.HTTP)), want: []string{"weakening cell"}},
		{name: "an unlisted host", rule: "EV-093", seen: seen(talk("10.4.0.12", "10.4.0.77", 80, capture.HTTP))},
		{name: "a dynamic port of no known protocol", rule: "EV-093", seen: seen(talk("10.4.0.12", "10.4.0.11", 50123, capture.Unknown, mystery))},
		{name: "data of an FTP", rule: "EV-093", want: []string{"cell"}, // the control connection itself, once
			seen: seen(talk("10.4.0.12", "10.4.0.11", 21, capture.FTP), talk("10.4.0.12", "10.4.0.11", 40001, capture.Unknown, mystery))},
		{name: "a closed port", rule: "EV-093", seen: seen(talk("10.4.0.12", "10.4.0.11", 80, capture.HTTP, reset))},
		{name: "a role that only the port tells", rule: "EV-093", seen: seen(talk("10.4.0.12", "10.4.0.11", 80, capture.HTTP, roleBasis(capture.Port)))},
		{name: "a service that a channel names for the asset", rule: "EV-093", seen: seen(talk("10.3.0.5", "10.4.0.11", 80, capture.HTTP)),
			old: "service: tcp/80}", new: "service: tcp/80}\n      - {id: web2, from: ops/hmi, to: cell/plc, service: tcp/80}"},

		{name: "a write into safety", rule: "EV-110", seen: seen(modbus("10.4.0.13", "10.5.0.11", fc3, fc6)), want: []string{"sis"}},
		{name: "a stop of safety over no conduit", rule: "EV-110", seen: seen(talk("10.3.0.5", "10.5.0.11", 102, capture.S7comm, asks(s7stop))), want: []string{"sis"}},
		{name: "safety to safety", rule: "EV-110", seen: seen(modbus("10.6.0.12", "10.5.0.11", fc6)), want: []string{"sis"}},
		{name: "a declared reset", rule: "EV-110", seen: seen(modbus("10.4.0.12", "10.5.0.11", fc6))},
		{name: "a read", rule: "EV-110", seen: seen(modbus("10.4.0.13", "10.5.0.11", fc3))},
		{name: "a write inside safety", rule: "EV-110", seen: seen(modbus("10.5.0.12", "10.5.0.11", fc6))},
		{name: "a write that was refused", rule: "EV-110", seen: seen(modbus("10.4.0.13", "10.5.0.11", refused(fc6)))},
	}
}

func (x fixture) model() string {
	text := strings.Replace(works, "MORE", x.more, 1)
	if x.old != "" {
		text = strings.Replace(text, x.old, x.new, 1)
	}
	return text
}

func TestRules(t *testing.T) {
	for _, x := range fixtures() {
		t.Run(x.rule+" "+x.name, func(t *testing.T) {
			if x.old != "" && !strings.Contains(works, x.old) {
				t.Fatalf("the plant has no %q", x.old)
			}
			a := Judge(plant(t, x.model()), x.seen, asOf)
			got := []string{}
			for _, f := range a.Findings {
				if f.Rule != x.rule {
					continue
				}
				name := f.Subject.ID
				if f.Class != Contradiction {
					name = string(f.Class) + " " + name
				}
				got = append(got, name)
				checkFinding(t, a, f)
			}
			slices.Sort(got)
			if !slices.Equal(got, append([]string{}, x.want...)) {
				t.Errorf("%s on %q, want %q", x.rule, got, x.want)
				for _, f := range a.Flows {
					t.Logf("flow %s to %s: %s %s %s %q %v", f.Client.Address, f.Server.Address, f.Permit.Reason, f.Outcome, f.Verdict, f.Reasons, f.Findings)
				}
			}
		})
	}
}

// checkFinding holds what must be true of every finding.
func checkFinding(t *testing.T, a *Assessment, f Finding) {
	t.Helper()
	if f.Message == "" || f.Confidence == "" || f.Model == nil {
		t.Errorf("%s: message %q, confidence %q, model %v", f.ID, f.Message, f.Confidence, f.Model)
	}
	if f.Class == Contradiction && (f.Fix == "" || len(f.Evidence) == 0 || len(f.Caps) == 0) {
		t.Errorf("%s: fix %q, %d pieces of evidence, caps %v", f.ID, f.Fix, len(f.Evidence), f.Caps)
	}
	for _, e := range f.Evidence {
		if e.Capture == "" || e.Filter == "" || e.Count == 0 || e.Flow == "" {
			t.Errorf("%s: evidence %+v", f.ID, e)
		}
	}
	for _, id := range f.Requirements {
		if _, ok := iec62443.Lookup(id); !ok {
			t.Errorf("%s: %q is no requirement", f.ID, id)
		}
	}
}

// TestEveryRuleIsTried: a rule without facts, without something that makes it fire,
// or without something that must not, is no rule.
func TestEveryRuleIsTried(t *testing.T) {
	hits, misses := map[string]int{}, map[string]int{}
	for _, x := range fixtures() {
		if x.want != nil {
			hits[x.rule]++
		} else {
			misses[x.rule]++
		}
	}
	want := strings.Fields("EV-001 EV-002 EV-003 EV-004 EV-005 EV-010 EV-011 EV-020 EV-024 EV-040 EV-050 EV-052 EV-054 EV-070 EV-090 EV-092 EV-093 EV-110")
	var got []string
	for _, r := range Implemented() {
		got = append(got, r.ID)
		if hits[r.ID] == 0 || misses[r.ID] == 0 {
			t.Errorf("%s: %d fixtures that fire, %d that must not", r.ID, hits[r.ID], misses[r.ID])
		}
		if r.Title == "" || r.Evidence == "" || r.Why == "" || r.FalsePositives == "" || r.CannotProve == "" || r.Class == "" || r.Severity == "" {
			t.Errorf("%s: facts are missing", r.ID)
		}
		if r.check == nil {
			t.Errorf("%s: no check", r.ID)
		}
		for _, id := range r.Subsumes {
			place := func(id string) int {
				return slices.IndexFunc(implemented, func(r *Rule) bool { return r.ID == id })
			}
			if place(id) < place(r.ID) {
				t.Errorf("%s is checked after %s, which it subsumes", r.ID, id)
			}
		}
	}
	if !slices.Equal(got, want) {
		t.Errorf("rules %v, want %v", got, want)
	}
}

func TestFacts(t *testing.T) {
	ids := Known()
	if len(ids) != 96 || !slices.IsSorted(ids) {
		t.Fatalf("%d rules, sorted %v; want 96 in order", len(ids), slices.IsSorted(ids))
	}
	for _, id := range ids {
		f, ok := Explain(id)
		if !ok || f.ID != id {
			t.Fatalf("Explain(%q) gives %q, %v", id, f.ID, ok)
		}
		for _, r := range slices.Concat(f.Contradicts, f.Weakens) {
			if _, ok := iec62443.Lookup(r); !ok {
				t.Errorf("%s names %q, which is no requirement", id, r)
			}
		}
		if !slices.Contains(Severities(), f.Severity) {
			t.Errorf("%s: severity %q", id, f.Severity)
		}
	}
	if _, ok := Explain("EV-999"); ok {
		t.Error("a rule that does not exist is explained")
	}
}

// TestTestable: 45 of 100 requirements are ones that traffic can void.
func TestTestable(t *testing.T) {
	var got []string
	for _, s := range testableShares {
		got = append(got, fmt.Sprintf("%d/%d", s.Testable, s.Of))
	}
	if want := "11/24 7/24 8/19 4/6 10/11 0/3 5/13"; strings.Join(got, " ") != want {
		t.Errorf("testable %v, want %s", got, want)
	}
}
