package protocol

import (
	"encoding/binary"
	"encoding/hex"
	"strings"
	"testing"

	"bulkhead/capture"

	"github.com/google/go-cmp/cmp"
)

// dcp builds a frame of DCP: frame id, service, kind, transaction 7, delay, length
// and blocks, in hex.
func dcp(id uint16, service, kind byte, blocks string) string {
	b, err := hex.DecodeString(unspaced(blocks))
	if err != nil {
		panic(err)
	}
	f := append(binary.BigEndian.AppendUint16(nil, id), service, kind, 0, 0, 0, 7, 0, 0)
	f = binary.BigEndian.AppendUint16(f, uint16(len(b)))
	return hex.EncodeToString(append(f, b...))
}

const (
	dcpStationMallory = "0202 0009 0000 6d616c6c6f7279 00" // name of station "mallory", padded
	dcpStationSuite   = "0102 000e 0001 c0a80014 ffffff00 00000000"
	dcpDone           = "0504 0003 0202 00 00" // the block for 2/2 was taken
	dcpRefused        = "0504 0003 0202 06 00" // not set: the station is connected
)

// A frame of class 1 with 40 octets, cycle 0xfde0, valid, primary, run.
var pnCyclicFrame = "8000" + strings.Repeat("80", 40) + "fde0 35 00"

func TestProfinet(t *testing.T) {
	testDecode(t, Profinet, []decodeTest{
		{"a name is set; another is not", []turn{
			client(dcp(pnDCPGetSet, dcpSet, dcpRequest, dcpStationMallory)), server(dcp(pnDCPGetSet, dcpSet, dcpSuccess, dcpDone)),
			client(dcp(pnDCPGetSet, dcpSet, dcpRequest, dcpStationMallory)), server(dcp(pnDCPGetSet, dcpSet, dcpSuccess, dcpRefused)),
			client(dcp(pnDCPGetSet, dcpSet, dcpRequest, dcpStationMallory)), server(dcp(pnDCPGetSet, dcpSet, dcpUnfitting, "")),
		}, []string{"profinet-dcp 4 client configure Set: name of station: 3=1+2+0"}},
		{"what is set", []turn{
			client(dcp(pnDCPGetSet, dcpSet, dcpRequest, dcpStationSuite)),
			client(dcp(pnDCPGetSet, dcpSet, dcpRequest, "0501 0002 0000"+"0503 0004 0000 0100"+"0502 0002 0000")), // in brackets
			client(dcp(pnDCPGetSet, dcpSet, dcpRequest, dcpStationMallory+"0506 0004 0004 0000")),
			client(dcp(pnDCPGetSet, dcpSet, dcpRequest, "0505 0002 0000")),
			client(dcp(pnDCPGetSet, dcpSet, dcpRequest, "033d 0003 0001 01 00")),
			client(dcp(pnDCPGetSet, dcpSet, dcpRequest, "0503 0004 0000 0100"+dcpStationSuite)),
			client(dcp(pnDCPGetSet, dcpSet, dcpRequest, "")),
		}, []string{
			"profinet-dcp 4 client configure Set: 1=0+0+1",
			"profinet-dcp 4 client configure Set: DHCP: 1=0+0+1",
			"profinet-dcp 4 client configure Set: IP parameters: 2=0+0+2",
			"profinet-dcp 4 client diagnose Set: signal (flash a light): 1=0+0+1",
			"profinet-dcp 4 client mode Set: reset to factory settings: 2=0+0+2",
		}},
		{"get, identify, hello", []turn{
			client(dcp(pnDCPGetSet, dcpGet, dcpRequest, "0202")), server(dcp(pnDCPGetSet, dcpGet, dcpSuccess, dcpStationMallory)),
			client(dcp(pnDCPIdentify, dcpIdentify, dcpRequest, "ffff 0000")), client(dcp(pnDCPHello, dcpHello, dcpRequest, dcpStationMallory)),
		}, []string{
			"profinet-dcp 3 client discover Get: 1=1+0+0",
			"profinet-dcp 5 client discover Identify: 1=0+0+0",
			"profinet-dcp 6 client discover Hello: 1=0+0+0",
		}},
		{"cyclic data, valid or not, alarms, time", []turn{
			client(pnCyclicFrame), client("c000" + strings.Repeat("00", 44)), client("fc01 8001 8001 11 01 ffff fffe 0000"), server("fc01 8001 8001 13 01 ffff fffe 0000"),
			server("fe01 8001 8001 14 01 ffff fffe 0004 cf81 fd05"), client("0080" + strings.Repeat("00", 20)), client("ff80" + strings.Repeat("00", 20)),
		}, []string{
			"profinet rt client event RT cyclic data: 2=0+0+0",
			"profinet ptcp client session Precision Transparent Clock Protocol: 1=0+0+0",
			"profinet fragment client event RT fragment: 1=0+0+0",
			"profinet alarm:low server session Alarm low: ERR: 1=0+0+0",
			"profinet alarm:high client event Alarm high: DATA: 1=0+0+0",
			"profinet alarm:high server session Alarm high: ACK: 1=0+0+0",
		}},
		{"a reserved frame id, a service that is none, blocks that run on", []turn{
			client("fd00 00000000"), client(dcp(pnDCPGetSet, 9, 0, "")), client("fefd 0400 00000007 0000 00ff"), client("80"),
		}, []string{"undecoded: 4"}},
	})
}

func TestProfinetIdentity(t *testing.T) {
	blocks := dcpStationMallory + "0203 0006 0000 002a 010d" + "0201 0009 0000 45543230305350 00"
	for _, frame := range []string{
		dcp(pnDCPIdentified, dcpIdentify, dcpSuccess, blocks), dcp(pnDCPGetSet, dcpGet, dcpSuccess, blocks), dcp(pnDCPHello, dcpHello, dcpRequest, blocks),
	} {
		_, tally := conversation(t, Profinet, server(frame), server(frame))
		want := Said{
			Names:      []capture.Name{{Name: "mallory", Source: "profinet-dcp", Frame: 1}},
			Identities: []capture.Identity{{Vendor: "PROFINET vendor 0x002a", Model: "ET200SP", Source: "profinet-dcp", Frame: 1}},
		}
		if diff := cmp.Diff(want, tally.Said(capture.FromServer)); diff != "" {
			t.Errorf("said in %s (-want +got):\n%s", frame[:4], diff)
		}
	}
	_, tally := conversation(t, Profinet, client(dcp(pnDCPIdentify, dcpIdentify, dcpRequest, dcpStationMallory)))
	if said := tally.Said(capture.FromClient); len(said.Names) > 0 {
		t.Errorf("who looks for a station is taken to be called that: %v", said)
	}
}

func TestProfinetRecognise(t *testing.T) {
	testDatagrams(t, Profinet, []recogniseTest{
		{"identify", dcp(pnDCPIdentify, dcpIdentify, dcpRequest, "ffff0000"), Match{Sure, Client}},
		{"identified", dcp(pnDCPIdentified, dcpIdentify, dcpSuccess, dcpStationMallory), Match{Sure, Server}},
		{"set", dcp(pnDCPGetSet, dcpSet, dcpRequest, dcpStationMallory), Match{Sure, Client}},
		{"a service under another's frame id", dcp(pnDCPIdentify, dcpSet, dcpRequest, ""), Match{No, AnyRole}},
		{"cyclic", pnCyclicFrame, Match{Weak, AnyRole}},
		{"cyclic, not valid", "8000" + strings.Repeat("00", 44), Match{More, AnyRole}},
		{"POWERLINK: a poll request", "0301f000" + strings.Repeat("00", 44), Match{More, AnyRole}},
		{"alarm", "fc01 8001 8001 11 01 ffff fffe 0000", Match{Weak, AnyRole}},
		{"alarm of another version", "fc01 8001 8001 21 01 ffff fffe 0000", Match{No, AnyRole}},
		{"LLDP", lldpFrame, Match{More, AnyRole}}, // its first octets are a frame id of class 3
		{"reserved frame id", "fd00 00000000", Match{No, AnyRole}},
	})
}

func TestProfinetOps(t *testing.T) {
	ops := []*Op{&dcpSetName, &dcpSetIP, &dcpSetDHCP, &dcpSetSignal, &dcpSetReset,
		&pnWriteUser, &pnWriteOutput, &pnWriteDevice, &pnWriteIM, &pnWriteProfile, &pnWriteMultiple}
	for _, table := range [][]Op{pnOps[:], pnHighOps[:], pnLowOps[:], dcpOps[:], pnRPCOps[:], pnEndpointOps[:], pnControlOps[:]} {
		for i := range table {
			ops = append(ops, &table[i])
		}
	}
	testOps(t, ops)
}

func TestProfinetAllocs(t *testing.T) {
	testAllocs(t, Profinet, pnCyclicFrame, pnCyclicFrame)
	testAllocs(t, Profinet, dcp(pnDCPGetSet, dcpGet, dcpRequest, "0202"), dcp(pnDCPGetSet, dcpGet, dcpSuccess, dcpStationMallory))
}

func BenchmarkProfinet(b *testing.B) { benchMessages(b, Profinet, pnCyclicFrame, pnCyclicFrame) }

func FuzzProfinet(f *testing.F) {
	for _, seed := range []string{
		pnCyclicFrame, dcp(pnDCPGetSet, dcpSet, dcpRequest, dcpStationMallory), dcp(pnDCPIdentified, dcpIdentify, dcpSuccess, "0203 0006 0000 002a 010d"),
		dcp(pnDCPGetSet, dcpSet, dcpSuccess, "0504 0001 02"), // a result that is cut
		dcp(pnDCPHello, dcpHello, dcpRequest, "0202 ffff"),   // a block that runs on
		"fc01 8001 8001 15 01 ffff fffe 0000",                // a type of alarm that has no name
	} {
		f.Add(unhex(f, seed))
	}
	fuzzMessages(f, Profinet)
}

// rpc builds a PDU of the context manager: header in the order that drep says, and
// body. The interface is the device's.
func rpc(kind, drep byte, operation uint16, body string) string {
	b, err := hex.DecodeString(unspaced(body))
	if err != nil {
		panic(err)
	}
	var order binary.AppendByteOrder = binary.BigEndian
	if drep == rpcLittleEndian {
		order = binary.LittleEndian
	}
	uuid := func(f []byte, a uint32, b, c uint16, rest ...byte) []byte {
		f = order.AppendUint32(f, a)
		f = order.AppendUint16(order.AppendUint16(f, b), c)
		return append(f, rest...)
	}
	f := []byte{rpcVersion, kind, 0x20, 0, drep, 0, 0, 0}
	f = uuid(f, 0xdea00000, 0x6c97, 0x11d1, 0x82, 0x71, 0x00, 0x01, 0x01, 0x0d, 0x00, 0x2a) // instance 1, device 0x010d, vendor 0x002a
	f = uuid(f, 0xdea00001, 0x6c97, 0x11d1, 0x82, 0x71, 0x00, 0xa0, 0x24, 0x42, 0xdf, 0x7d)
	f = uuid(f, 0x35fda900, 0x358a, 0x1212, 0x80, 0x04, 0x00, 0x1c, 0x06, 0x0b, 0x26, 0xed) // the activity
	f = order.AppendUint32(f, 0)                                                            // when the server was started
	f = order.AppendUint32(f, 1)                                                            // version of the interface
	f = order.AppendUint32(f, 5)                                                            // sequence number
	f = order.AppendUint16(f, operation)
	f = append(f, 0xff, 0xff, 0xff, 0xff) // hints
	f = order.AppendUint16(f, uint16(len(b)))
	f = append(f, 0, 0, 0, 0) // fragment, no authentication, serial number
	return hex.EncodeToString(append(f, b...))
}

// Heads of bodies: the longest and real length, and the array's; of a response the
// status and the rest.
const (
	pnArgs = "0000ffff 00000040 0000ffff 00000000 00000040"
	pnOK   = "00000000 00000040 0000ffff 00000000 00000040"
	pnBad  = "dfdec03e 00000040 0000ffff 00000000 00000040" // PNIORW: invalid index, as an example
)

// pnRecordHeader is the head of a read or write of a record: block, number,
// connection, API, slot, subslot, index and length.
func pnRecordHeader(block, index string) string {
	return block + "003c 0100 0001" + strings.Repeat("aa", 16) + "00000000 0001 0001 0000" + index + "00000004" + strings.Repeat("00", 24)
}

func pnControlBlock(command string) string {
	return "0110 001c 0100 0000" + strings.Repeat("aa", 16) + "0001 0000" + command + "0000"
}

func TestProfinetIO(t *testing.T) {
	write := func(index string) turn {
		return client(rpc(rpcRequest, 0, pnWrite, pnArgs+pnRecordHeader("0008", index)+"01020304"))
	}
	testDecode(t, ProfinetIO, []decodeTest{
		{"connect, in both orders of octets", []turn{client(rpc(rpcRequest, 0, pnConnect, pnArgs)), server(rpc(rpcResponse, rpcLittleEndian, pnConnect, pnOK))},
			[]string{"profinet rpc:0 client session Connect: 1=1+0+0"}},
		{"refused by status, by fault, and by reject", []turn{
			write("0001"), server(rpc(rpcResponse, 0, pnWrite, pnBad)), write("0001"), server(rpc(rpcFault, 0, pnWrite, "1c010003")),
			write("0001"), server(rpc(rpcReject, 0, pnWrite, "1c010003")),
		}, []string{"profinet rpc:3 client configure Write: parameters of a submodule: 3=0+3+0"}},
		{"records by index", []turn{write("801e"), write("8071"), write("aff1"), write("b02e"), write("e040"), client(rpc(rpcRequest, 0, pnWrite, pnArgs))}, []string{
			"profinet rpc:3 client configure Write: 1=0+0+1",
			"profinet rpc:3 client configure Write: identification and maintenance: 1=0+0+1",
			"profinet rpc:3 client configure Write: parameters of the device: 1=0+0+1",
			"profinet rpc:3 client configure Write: several records: 1=0+0+1",
			"profinet rpc:3 client write Write: output or substitute data: 1=0+0+1",
			"profinet rpc:3 client write Write: record of a profile: 1=0+0+1",
		}},
		{"read, control, release, and an operation that is none", []turn{
			client(rpc(rpcRequest, 0, pnRead, pnArgs+pnRecordHeader("0009", "aff0"))), client(rpc(rpcRequest, rpcLittleEndian, pnControl, pnArgs+pnControlBlock("0001"))),
			client(rpc(rpcRequest, 0, pnControl, pnArgs+pnControlBlock("0040"))), client(rpc(rpcRequest, 0, pnControl, pnArgs+pnControlBlock("0003"))),
			client(rpc(rpcRequest, 0, pnRelease, pnArgs)), client(rpc(rpcRequest, 0, 9, pnArgs)),
		}, []string{
			"profinet rpc:1 client session Release: 1=0+0+1",
			"profinet rpc:2 client read Read: 1=0+0+1",
			"profinet rpc:4 client configure Control: 1=0+0+1",
			"profinet rpc:4 client configure Control: PrmBegin: 1=0+0+1",
			"profinet rpc:4 client session Control: PrmEnd: 1=0+0+1",
			"profinet rpc:9 client configure operation 9: 1=0+0+1",
		}},
		{"the second fragment of a request; what keeps a call alive", []turn{
			client(rpcFragmented(rpc(rpcRequest, 0, pnWrite, pnArgs), 0)), client(rpcFragmented(rpc(rpcRequest, 0, pnWrite, "0000"), 1)),
			client(rpc(1, 0, pnWrite, "")), server(rpc(4, 0, pnWrite, "")), server(rpc(9, 0, pnWrite, "0000")),
		}, []string{"profinet rpc:3 client configure Write: 1=0+0+1"}},
		{"another interface, version and length", []turn{
			client(strings.Replace(rpc(rpcRequest, 0, 0, ""), "dea00001", "dea00009", 1)), client("05" + rpc(rpcRequest, 0, 0, "")[2:]), client(rpc(rpcRequest, 0, 0, "0000")[:162]),
		}, []string{"undecoded: 3"}},
	})
}

// rpcFragmented marks a PDU as fragment n of a message.
func rpcFragmented(pdu string, n byte) string {
	b, err := hex.DecodeString(pdu)
	if err != nil {
		panic(err)
	}
	b[rpcFlags] |= rpcFragment
	b[rpcFragNumber+1] = n
	return hex.EncodeToString(b)
}

func TestProfinetIOIdentity(t *testing.T) {
	im0 := "0020 0038 0100 002a" + hex.EncodeToString([]byte("6ES7 155-6AU01-0CN0 ")) + hex.EncodeToString([]byte("S C-J1234567    ")) + "0003" + "56 04 02 01" + strings.Repeat("00", 16)
	for _, drep := range []byte{0, rpcLittleEndian} {
		_, tally := conversation(t, ProfinetIO, server(rpc(rpcResponse, drep, pnConnect, pnOK)),
			server(rpc(rpcResponse, drep, pnReadImplicit, pnOK+pnRecordHeader("8009", "aff0")+im0)),
			server(rpc(rpcResponse, drep, pnReadImplicit, pnBad)))
		want := []capture.Identity{
			{Vendor: "PROFINET vendor 0x002a", Model: "PROFINET device 0x010d", Source: "profinet", Frame: 1},
			{Vendor: "PROFINET vendor 0x002a", Model: "6ES7 155-6AU01-0CN0", Serial: "S C-J1234567", Firmware: "V4.2.1", Source: "profinet", Frame: 2},
		}
		if diff := cmp.Diff(want, tally.Said(capture.FromServer).Identities); diff != "" {
			t.Errorf("identities (-want +got):\n%s", diff)
		}
	}
}

func TestProfinetIORecognise(t *testing.T) {
	testDatagrams(t, ProfinetIO, []recogniseTest{
		{"request", rpc(rpcRequest, 0, pnConnect, pnArgs), Match{Sure, Client}},
		{"response", rpc(rpcResponse, rpcLittleEndian, pnConnect, pnOK), Match{Sure, Server}},
		{"ping", rpc(1, 0, pnConnect, ""), Match{Sure, AnyRole}},
		{"endpoint mapper", strings.Replace(rpc(rpcRequest, 0, 2, pnArgs), "dea000016c9711d1827100a02442df7d", "e1af83085d1f11c991a408002b14a0fa", 1), Match{Weak, Client}},
		{"another interface", strings.Replace(rpc(rpcRequest, 0, 2, pnArgs), "dea000016c97", "4b324fc81670", 1), Match{No, AnyRole}},
		{"header alone, cut", rpc(rpcRequest, 0, pnConnect, "")[:158], Match{No, AnyRole}},
		{"BACnet", unicast(bacnetReadPV), Match{No, AnyRole}},
	})
}

func TestProfinetIOAllocs(t *testing.T) {
	testAllocs(t, ProfinetIO, rpc(rpcRequest, 0, pnRead, pnArgs+pnRecordHeader("0009", "8071")), rpc(rpcResponse, 0, pnRead, pnOK+pnRecordHeader("8009", "8071")))
}

func BenchmarkProfinetIO(b *testing.B) {
	benchMessages(b, ProfinetIO, rpc(rpcRequest, 0, pnRead, pnArgs+pnRecordHeader("0009", "8071")), rpc(rpcResponse, 0, pnRead, pnOK))
}

func FuzzProfinetIO(f *testing.F) {
	for _, seed := range []string{
		rpc(rpcRequest, 0, pnWrite, pnArgs+pnRecordHeader("0008", "e040")), rpc(rpcResponse, rpcLittleEndian, pnConnect, pnOK),
		rpc(rpcRequest, 0, pnControl, pnArgs+"0110 001c"),                                 // a control block that is cut
		rpc(rpcResponse, 0, pnRead, "000000"),                                             // half a status
		rpc(rpcResponse, 0, pnRead, pnOK+pnRecordHeader("8009", "aff0")+"0020 0038 0100"), // I&M0 that is cut
	} {
		f.Add(unhex(f, seed))
	}
	fuzzMessages(f, ProfinetIO)
}
