package main

import (
	"time"

	"bulkhead/internal/lab"
)

// start is a Saturday, 07:00 at the terminal: inside the maintenance window.
var start = time.Date(2026, 11, 14, 6, 0, 0, 0, time.UTC)

// hour is how long the taps record.
const hour = time.Hour

// terminal is the truck loading terminal of examples/truck-loading as far as its
// taps can see it. Host names are the asset ids of the model.
type terminal struct {
	*lab.Net
	core, cell *lab.Tap

	erp1, desk1                         *lab.Host // z-ent
	vendor1                             *lab.Host // z-ext
	jump1, mirror1                      *lab.Host // z-dmz
	hmi1, hmi2, hist1, ews1, time1, sw1 *lab.Host // z-ops
	plc1, weigh1, batch1, sw2           *lab.Host // z-bpcs
	plc1io, io1                         *lab.Host // z-bpcs, the remote I/O behind plc-1
	sis1                                *lab.Host // z-sis
	guest                               *lab.Host // in no inventory

	fw1dmz, fw2dmz, fw2ops, fw3ops, fw3bpcs, fw4bpcs *lab.Host // interfaces of the firewalls
}

func newTerminal() *terminal {
	net := lab.New(start)
	ent, ext, dmz, ops := net.Segment(0), net.Segment(0), net.Segment(35), net.Segment(30)
	bpcs, io, sis := net.Segment(0), net.Segment(120), net.Segment(0)
	const fw1, fw2, fw3, fw4 = "00:09:0f:1f:00:01", "00:09:0f:1f:00:02", "00:09:0f:1f:00:03", "00:09:0f:1f:00:04"
	net.Router(fw1, ent, ext, dmz)
	net.Router(fw2, dmz, ops)
	net.Router(fw3, ops, bpcs)
	net.Router(fw4, bpcs, sis)
	t := &terminal{
		Net:     net,
		core:    net.Tap("core", dmz, ops),
		cell:    net.Tap("cell", bpcs, io),
		erp1:    ent.Host("172.16.10.20", "f8:b1:56:a0:10:20"),
		desk1:   ent.Host("172.16.10.131", "f8:b1:56:a0:10:83"),
		vendor1: ext.Host("203.0.113.25", "00:1c:73:00:71:19"),
		jump1:   dmz.Host("10.30.5.10", "f8:b1:56:a0:35:10"),
		mirror1: dmz.Host("10.30.5.30", "f8:b1:56:a0:35:30"),
		hmi1:    ops.Host("10.30.3.11", "f8:b1:56:a0:30:11"),
		hmi2:    ops.Host("10.30.3.12", "f8:b1:56:a0:30:12"),
		hist1:   ops.Host("10.30.3.20", "f8:b1:56:a0:30:20"),
		ews1:    ops.Host("10.30.3.30", "f8:b1:56:a0:30:30"),
		time1:   ops.Host("10.30.3.40", "00:60:6e:7a:03:40"),
		sw1:     ops.Host("10.30.3.250", "00:80:63:5c:03:fa"),
		guest:   ops.Host("10.30.3.77", "3c:18:a0:44:9e:07"),
		plc1:    bpcs.Host("10.30.1.11", "28:63:36:8d:01:0b"),
		weigh1:  bpcs.Host("10.30.1.21", "00:90:e8:21:01:15"),
		batch1:  bpcs.Host("10.30.1.31", "00:01:05:3e:01:1f"),
		sw2:     bpcs.Host("10.30.1.250", "00:80:63:5c:01:fa"),
		plc1io:  io.Host("192.168.1.1", "28:63:36:8d:01:0b"),
		io1:     io.Host("192.168.1.10", "00:30:de:40:01:0a"),
		sis1:    sis.Host("10.30.0.11", "00:e0:a1:51:00:0b"),
		fw1dmz:  dmz.Host("10.30.5.1", fw1),
		fw2dmz:  dmz.Host("10.30.5.2", fw2),
		fw2ops:  ops.Host("10.30.3.2", fw2),
		fw3ops:  ops.Host("10.30.3.1", fw3),
		fw3bpcs: bpcs.Host("10.30.1.1", fw3),
		fw4bpcs: bpcs.Host("10.30.1.2", fw4),
	}
	for _, windows := range []*lab.Host{t.erp1, t.desk1, t.jump1, t.mirror1, t.hmi1, t.hmi2, t.hist1, t.ews1} {
		windows.TTL = 128
	}
	t.cell.Fast = time.Second // as the model's clock-offset says
	return t
}

// plant makes the captures of the terminal's two taps: an hour of ordinary
// traffic, and what should not be there.
func plant() ([]captureFile, error) {
	t := newTerminal()
	t.housekeeping()
	t.operations()
	t.cellTraffic()
	t.upwards()
	t.maintenance()
	t.violations()
	t.blocked()
	core, err := t.core.Bytes()
	if err != nil {
		return nil, err
	}
	cell, err := t.cell.Bytes()
	return []captureFile{{"core-20261114.pcapng", core}, {"cell-20261114.pcapng", cell}}, err
}

// every calls do at first and then every period until the hour ends.
func (t *terminal) every(first, period time.Duration, do func(i int)) {
	for i, at := 0, first; at < hour; i, at = i+1, at+period {
		t.At(at)
		do(i)
	}
}

// housekeeping is what hosts say without being asked to.
func (t *terminal) housekeeping() {
	t.every(700*time.Millisecond, 12*time.Minute, func(int) {
		for _, pair := range [][2]*lab.Host{
			{t.hmi1, t.fw3ops}, {t.hmi2, t.fw3ops}, {t.ews1, t.fw3ops}, {t.hist1, t.fw2ops}, {t.fw3ops, t.hmi1},
			{t.jump1, t.fw2dmz}, {t.mirror1, t.fw1dmz}, {t.fw1dmz, t.mirror1},
			{t.plc1, t.fw3bpcs}, {t.fw3bpcs, t.plc1}, {t.batch1, t.fw4bpcs}, {t.batch1, t.weigh1}, {t.plc1io, t.io1},
		} {
			t.ARP(pair[0], pair[1])
		}
	})
	t.every(4*time.Second, 5*time.Minute, func(int) {
		t.LLDP(t.sw1, "1/1", "sw-1", "managed switch, control room")
		t.LLDP(t.sw2, "1/1", "sw-2", "managed switch, loading cell")
	})
	for i, h := range []*lab.Host{t.hmi1, t.hmi2, t.hist1, t.ews1, t.plc1, t.batch1} {
		t.every(time.Duration(9+7*i)*time.Second, 1024*time.Second, func(int) { t.NTP(h, t.time1) })
	}
}

// operations is what the control room asks of the cell, and of itself.
func (t *terminal) operations() {
	t.At(2 * time.Second)
	plc := t.TCP(t.hmi1, t.plc1, 502).Modbus(1)
	t.every(5*time.Second, 20*time.Second, func(i int) {
		switch {
		case i == 31: // the operator starts bay 3: target, rate, start
			plc.Write(16, 4, []int{18000, 1200})
			plc.Write(6, 10, []int{1})
		case i == 95:
			plc.Write(6, 10, []int{0})
		case i == 140:
			plc.Read(3, 0, 20, lab.Repeated())
		case i%4 == 3:
			plc.Read(4, 0, 8)
		default:
			plc.Read(3, 0, 20)
		}
	})
	t.At(3 * time.Second)
	weigh := t.TCP(t.hmi2, t.weigh1, 502).Modbus(1)
	t.every(11*time.Second, time.Minute, func(int) { weigh.Read(4, 0, 4) })

	t.At(6 * time.Second)
	batch := t.TCP(t.hist1, t.batch1, 4840).SealedOPCUA("opc.tcp://10.30.1.31:4840")
	t.every(20*time.Second, 2*time.Minute, func(int) { batch.Exchange(144, 208) })

	t.every(3*time.Minute, 30*time.Minute, func(int) {
		report := t.TCP(t.hmi2, t.hist1, 443).TLS13("hist-1.ops.example")
		report.Exchange(420, 5200)
		report.Close()
	})
}

// cellTraffic is what the controllers say among themselves, and to the safety
// controller.
func (t *terminal) cellTraffic() {
	t.At(time.Second)
	weigh := t.TCP(t.batch1, t.weigh1, 502).Modbus(1)
	t.every(8*time.Second, 30*time.Second, func(int) { weigh.Read(4, 0, 4) })

	t.At(1500 * time.Millisecond)
	plc := t.TCP(t.batch1, t.plc1, 502).Modbus(1)
	t.every(14*time.Second, 5*time.Minute, func(i int) { plc.Write(16, 100, []int{i, 1}) }) // batch number, heartbeat

	t.At(1800 * time.Millisecond)
	sis := t.TCP(t.batch1, t.sis1, 502).Modbus(1)
	t.every(17*time.Second, 30*time.Second, func(i int) {
		sis.Read(2, 0, 16) // overfill and earthing contacts
		if i == 94 {       // EV-110: written to over a conduit that allows reads only
			t.Wait(3 * time.Second)
			sis.Write(6, 20, []int{0}) // overfill trip delay
			t.Wait(time.Second)
			sis.Write(6, 21, []int{1}) // earthing bypass
		}
	})

	t.At(2500 * time.Millisecond)
	io := t.TCP(t.plc1io, t.io1, 44818).ENIP()
	io.ListIdentity()
	io.Unconnected(lab.CIPMultiple(lab.CIPGet(1, 1, 1), lab.CIPGet(1, 1, 7)))
	io.ForwardOpen()
	t.every(21*time.Second, 40*time.Second, func(int) { io.Connected(lab.CIPGet(4, 101, 3)) }) // input assembly
}

// upwards is what crosses the DMZ: TLS 1.3 and nothing else.
func (t *terminal) upwards() {
	t.every(5*time.Minute, 10*time.Minute, func(int) {
		push := t.TCP(t.hist1, t.mirror1, 443).TLS13("mirror-1.dmz.example")
		push.Exchange(2400, 140)
		push.Close()
	})
	t.every(8*time.Minute, 20*time.Minute, func(int) {
		orders := t.TCP(t.erp1, t.mirror1, 443).TLS13("mirror-1.dmz.example")
		orders.Exchange(310, 3800)
		orders.Close()
	})
	t.At(17 * time.Minute)
	desk := t.TCP(t.desk1, t.mirror1, 443).TLS13("mirror-1.dmz.example")
	desk.Exchange(290, 1900)
	desk.Close()
}

// maintenance is a visit that the model permits on Saturdays: the vendor comes
// in over the jump host, and the engineering station loads a block.
func (t *terminal) maintenance() {
	t.At(28 * time.Minute)
	vendor := t.TCP(t.vendor1, t.jump1, 443).TLS13("jump-1.dmz.example")
	t.At(29 * time.Minute)
	desktop := t.TCP(t.jump1, t.ews1, 443).TLS13("ews-1.ops.example")
	for i := range 12 {
		t.At(30*time.Minute + time.Duration(i)*50*time.Second)
		vendor.Exchange(120, 760)
		desktop.Exchange(130, 740)
	}
	t.At(41 * time.Minute)
	desktop.Close()
	vendor.Close()

	t.At(33 * time.Minute)
	conn := t.TCP(t.ews1, t.plc1, 102)
	s7 := conn.S7()
	s7.Identify("6ES7 315-2EH14-0AB0")
	s7.Read(10, 0, 40)
	t.Wait(95 * time.Second)
	s7.Download(35, make([]byte, 1240))
	t.Wait(20 * time.Second)
	s7.Read(10, 0, 40)
	conn.Close()
}

// violations are what verify is to find, besides the write in cellTraffic.
func (t *terminal) violations() {
	// EV-002: the historian may read the batch controller over OPC UA; no channel
	// lets it poll the PLC.
	t.At(20 * time.Minute)
	conn := t.TCP(t.hist1, t.plc1, 502)
	poll := conn.Modbus(1)
	for range 4 {
		poll.Read(3, 200, 16)
		t.Wait(5 * time.Second)
	}
	conn.Close()

	// EV-020: a log-in that anyone on the segment can read.
	t.At(12 * time.Minute)
	login := t.TCP(t.ews1, t.sw1, 23)
	login.Telnet("netadmin", "Vlaardingen-1931")
	login.Close()

	// EV-090: a host that is not in the inventory.
	t.At(40 * time.Minute)
	t.ARP(t.guest, t.time1)
	for i := range 10 {
		t.At(40*time.Minute + time.Duration(1+64*i)*time.Second)
		t.NTP(t.guest, t.time1)
	}
}

// blocked are attempts that fw-3 stops: evidence for the boundary (EV-003).
func (t *terminal) blocked() {
	t.At(24 * time.Minute)
	t.Dropped(t.hmi2, t.plc1, 102)
	t.At(26 * time.Minute)
	t.Rejected(t.ews1, t.weigh1, 23)
}
