package main

import (
	"time"

	"bulkhead/internal/lab"
)

// byProtocol makes a capture for each protocol that operations are read from,
// one of log-ins and one of office protocols. Each of the first five holds
// requests that are accepted, refused and left unanswered, a PDU across
// segments, a retransmission, and a connection that was open before.
func byProtocol() ([]captureFile, error) {
	var files []captureFile
	for _, p := range []struct {
		name  string
		speak func(*lab.Net, *lab.Host, *lab.Host)
	}{
		{"modbus", modbus}, {"s7comm", s7comm}, {"enip", enip}, {"dnp3", dnp3}, {"opcua", opcua}, {"logins", logins}, {"it-mix", itMix},
	} {
		net := lab.New(time.Date(2026, 11, 14, 6, 0, 0, 0, time.UTC))
		client := net.Host("10.10.1.11", "00:1b:1b:00:00:11")
		server := net.Host("10.10.1.21", "00:80:f4:0e:11:22")
		p.speak(net, client, server)
		data, err := net.Bytes()
		if err != nil {
			return nil, err
		}
		files = append(files, captureFile{p.name + ".pcapng", data})
	}
	return files, nil
}

func modbus(net *lab.Net, client, server *lab.Host) {
	c := net.TCP(client, server, 502)
	m := c.Modbus(1)
	m.Read(1, 0, 12)
	m.Read(2, 0, 8)
	m.Read(3, 0, 10)
	m.Read(3, 100, 120, lab.Split(50))
	m.Read(4, 8, 2, lab.Repeated())
	m.Read(3, 9000, 1, lab.Refused(2)) // illegal data address
	m.Write(5, 3, []int{1})
	m.Write(6, 10, []int{75})
	m.Write(6, 900, []int{1}, lab.Refused(2))
	m.Write(15, 0, []int{1, 0, 1})
	m.Write(16, 4, []int{1, 2, 3, 4}, lab.Split(9))
	m.Diagnostics(1)
	m.Identify("Schneider Electric", "TM221CE24R", "V1.6.2")
	m.Read(3, 0, 10, lab.Missed())
	m.Read(3, 0, 10)
	m.Read(3, 0, 10, lab.Unanswered())
	c.Close()

	old := net.Joined(client, server, 502).Modbus(2)
	for range 3 {
		net.Wait(time.Second)
		old.Read(3, 0, 4)
	}
	net.Rejected(client, server, 5020)
	net.Dropped(client, server, 5021)
}

func s7comm(net *lab.Net, client, server *lab.Host) {
	c := net.TCP(client, server, 102)
	s := c.S7()
	s.Identify("6ES7 315-2EH14-0AB0")
	s.Read(10, 0, 16)
	s.Read(10, 0, 200, lab.Split(60))
	s.Read(99, 0, 2, lab.Refused(0x0a))
	s.Write(10, 4, []byte{0x12, 0x34}, lab.Repeated())
	s.Write(99, 0, []byte{1}, lab.Refused(0x0a))
	s.Download(1, make([]byte, 460))
	s.Download(35, nil, lab.Refused(0xd241)) // not permitted at this protection level
	s.Stop(lab.Refused(0x8500))
	s.Stop()
	s.Read(10, 0, 2, lab.Unanswered())
	c.Reset(lab.Client)
}

func enip(net *lab.Net, client, server *lab.Host) {
	c := net.TCP(client, server, 44818)
	e := c.ENIP()
	e.ListIdentity()
	e.Unconnected(lab.CIPGet(1, 1, 7))
	e.Unconnected(lab.CIPReadTag("Bay3.Level"), lab.Split(30))
	e.Unconnected(lab.CIPReadTag("Missing"), lab.Refused(0x04)) // path segment error
	e.Unconnected(lab.CIPWriteTag("Bay3.Target", 75), lab.Repeated())
	e.Unconnected(lab.CIPMultiple(lab.CIPReadTag("Bay1.Level"), lab.CIPReadTag("Bay2.Level"), lab.CIPWriteTag("Bay2.Target", 60)))
	e.Unconnected(lab.CIPRouted(lab.CIPGet(1, 1, 1)))
	e.Unsupported(0x99)
	e.ForwardOpen()
	for range 3 {
		net.Wait(500 * time.Millisecond)
		e.Connected(lab.CIPReadTag("Bay3.Flow"))
	}
	e.Connected(lab.CIPWriteTag("Bay3.Target", 9999), lab.Refused(0x0f)) // privilege violation
	e.Unconnected(lab.CIPReset(), lab.Refused(0x10))                     // device state conflict
	e.Unconnected(lab.CIPGet(0x64, 1, 1), lab.Unanswered())
	e.ForwardClose()
	e.Unregister()
	c.Close()
}

func dnp3(net *lab.Net, client, server *lab.Host) {
	c := net.TCP(client, server, 20000)
	d := c.DNP3(1, 10)
	d.EnableUnsolicited()
	d.ReadClasses(12)
	d.ReadClasses(600, lab.Split(400)) // several link frames
	d.WriteTime()
	d.SelectOperate(3)
	d.DirectOperate(4, lab.Repeated())
	d.DirectOperate(99, lab.Refused(0x0004)) // parameter error
	d.Unsolicited()
	d.ColdRestart(lab.Refused(0x0001)) // function code not supported
	d.ReadClasses(12, lab.Unanswered())
	c.Close()
}

func opcua(net *lab.Net, client, server *lab.Host) {
	const endpoint = "opc.tcp://10.10.1.21:4840"
	u := net.TCP(client, server, 4840).OPCUA(endpoint)
	u.GetEndpoints(endpoint)
	u.Browse(85) // the Objects folder
	u.Read([]int{1001, 1002})
	u.Read([]int{1001, 1002, 1003, 1004}, lab.Split(64), lab.Repeated())
	u.Read([]int{9999}, lab.Refused(0x80340000)) // BadNodeIdUnknown
	u.Write(1005, 75)
	u.Write(1006, 1, lab.Refused(0x801f0000)) // BadUserAccessDenied
	u.Read([]int{1001}, lab.Unanswered())
	u.Close()

	sealed := net.TCP(client, server, 4840).SealedOPCUA(endpoint)
	for range 3 {
		net.Wait(time.Second)
		sealed.Exchange(144, 176)
	}
}

func logins(net *lab.Net, client, server *lab.Host) {
	log := func(port uint16, say func(*lab.Conn)) {
		c := net.TCP(client, server, port)
		say(c)
		c.Close()
		net.Wait(time.Second)
	}
	log(23, func(c *lab.Conn) { c.Telnet("admin", "wrong-horse", lab.Refused(0)) })
	log(23, func(c *lab.Conn) { c.Telnet("maintenance", "Loading-Bay-7!") })
	log(21, func(c *lab.Conn) { c.FTP("recipes", "Batch-Recipe-42", lab.Refused(530)) })
	log(21, func(c *lab.Conn) { c.FTP("recipes", "Batch-Recipe-24", lab.Repeated()) })
	log(80, func(c *lab.Conn) { c.HTTP("/status", "", "") })
	log(80, func(c *lab.Conn) { c.HTTP("/config", "operator", "Gauge-Room-11", lab.Refused(401)) })
	log(80, func(c *lab.Conn) { c.HTTP("/config", "operator", "Gauge-Room-12", lab.Split(90)) })
}

func itMix(net *lab.Net, client, server *lab.Host) {
	tagged := net.Segment(40)
	office, web := tagged.Host("10.40.0.5", "f8:b1:56:00:40:05"), tagged.Host("10.40.0.80", "f8:b1:56:00:40:80")
	v6client, v6server := net.Host("fd00:10::11", "00:1b:1b:00:00:11"), net.Host("fd00:10::21", "00:80:f4:0e:11:22")
	net.Watch(tagged)

	net.ARP(client, server)
	net.LLDP(client, "eth0", "hmi-1", "operator panel, loading bays 1 to 4")
	net.DHCP(client, server, "hmi-1")
	net.DNS(client, server, "historian.example", server)
	net.NTP(client, server)
	net.NTP(client, server, lab.Unanswered())
	net.SNMP(client, server, "terminal-ro", "managed switch")
	net.Syslog(client, server, "bay 3 ready")
	net.Ping(client, server)
	speak := func(from, to *lab.Host, port uint16, say func(*lab.Conn)) {
		c := net.TCP(from, to, port)
		say(c)
		c.Close()
	}
	speak(client, server, 22, (*lab.Conn).SSH)
	speak(client, server, 3389, func(c *lab.Conn) { c.RDP("operator").Exchange(300, 900) })
	speak(client, server, 5900, (*lab.Conn).VNC)
	speak(client, server, 445, func(c *lab.Conn) { c.SMB(0x0210) })
	speak(client, server, 443, func(c *lab.Conn) { c.TLS12("historian.example").Exchange(200, 1400, lab.Repeated()) })
	speak(office, web, 443, func(c *lab.Conn) { c.TLS13("orders.example").Exchange(400, 2900) })
	speak(office, web, 80, func(c *lab.Conn) { c.HTTP("/", "", "") })
	speak(v6client, v6server, 502, func(c *lab.Conn) { c.Modbus(1).Read(3, 0, 10) })
}
