package protocol

import (
	"encoding/binary"
	"encoding/hex"
	"testing"
)

// ecat builds a datagram: command, index, position or address, register, length
// with the flag of another datagram behind it, interrupts, data, working counter.
func ecat(command byte, position, register uint16, data string, worked uint16, more bool) string {
	d, err := hex.DecodeString(unspaced(data))
	if err != nil {
		panic(err)
	}
	b := binary.LittleEndian.AppendUint16([]byte{command, 0}, position)
	b = binary.LittleEndian.AppendUint16(b, register)
	length := uint16(len(d))
	if more {
		length |= ethercatMore
	}
	b = binary.LittleEndian.AppendUint16(b, length)
	b = append(append(b, 0, 0), d...)
	return hex.EncodeToString(binary.LittleEndian.AppendUint16(b, worked))
}

// ecatFrame puts datagrams into a frame of commands, padded as Ethernet pads it.
func ecatFrame(kind byte, datagrams ...string) string {
	var body []byte
	for _, d := range datagrams {
		b, err := hex.DecodeString(unspaced(d))
		if err != nil {
			panic(err)
		}
		body = append(body, b...)
	}
	frame := append(binary.LittleEndian.AppendUint16(nil, uint16(len(body))|uint16(kind)<<12), body...)
	for len(frame) < 44 {
		frame = append(frame, 0)
	}
	return hex.EncodeToString(frame)
}

var (
	ecatCycle = ecatFrame(1, ecat(ethercatLRW, 0, 1, "0000 0000", 0, true), ecat(ethercatBRD, 0, 0x0130, "0000", 0, false))
	ecatBack  = ecatFrame(1, ecat(ethercatLRW, 0, 1, "0000 0000", 3, true), ecat(ethercatBRD, 0, 0x0130, "0800", 2, false))
)

func TestEtherCAT(t *testing.T) {
	one := func(command byte, position, register uint16, data string) turn {
		return client(ecatFrame(1, ecat(command, position, register, data, 0, false)))
	}
	testDecode(t, EtherCAT, []decodeTest{
		{"a cycle on its way out, in one conversation, and back, in another", []turn{client(ecatCycle), client(ecatBack)}, []string{
			"ethercat 7 client read BRD: 1=0+0+0",
			"ethercat 7 client reply BRD processed: 1=0+0+0",
			"ethercat 12 client reply LRW processed: 1=0+0+0",
			"ethercat 12 client write LRW: 1=0+0+0",
		}},
		{"unicast over UDP: the other side sends it back", []turn{client(ecatCycle), server(ecatCycle)}, []string{
			"ethercat 7 client read BRD: 1=0+0+0",
			"ethercat 7 server reply BRD processed: 1=0+0+0",
			"ethercat 12 client write LRW: 1=0+0+0",
			"ethercat 12 server reply LRW processed: 1=0+0+0",
		}},
		{"what is written where", []turn{
			one(ethercatAPWR, 0, 0x0010, "e903"), one(ethercatFPWR, 1001, 0x0600, "00"), one(ethercatFPWR, 1001, 0x0800, "00"), one(ethercatFPWR, 1001, 0x0502, "0001"),
			one(ethercatFPWR, 1001, 0x0f00, "01"), one(ethercatFPWR, 1002, 0x1100, "00"), one(ethercatFPWR, 1001, 0xffff, "00"), one(ethercatBWR, 0, 0x0300, "00"), one(ethercatFPWR, 1001, 0x0420, "00"),
			one(ethercatFPRD, 1001, 0x0120, "0000"), one(ethercatFRMW, 1001, 0x0910, "00000000 00000000"), one(ethercatBWR, 0, 0x0041, "45"),
		}, []string{
			"ethercat 2 client configure APWR station address: 1=0+0+0",
			"ethercat 4 client read FPRD: 1=0+0+0 [1001]",
			"ethercat 5 client configure FPWR FMMU: 1=0+0+0 [1001]",
			"ethercat 5 client configure FPWR SII EEPROM: 1=0+0+0 [1001]",
			"ethercat 5 client configure FPWR SyncManager: 1=0+0+0 [1001]",
			"ethercat 5 client configure FPWR watchdogs: 1=0+0+0 [1001]",
			"ethercat 5 client write FPWR digital outputs: 1=0+0+0 [1001]",
			"ethercat 5 client write FPWR process data or mailbox: 2=0+0+0 [1001 1002]",
			"ethercat 8 client diagnose BWR error counters: 1=0+0+0",
			"ethercat 8 client mode BWR ESC reset: 1=0+0+0",
			"ethercat 14 client session FRMW system time: 1=0+0+0 [1001]",
		}},
		{"states, also in the middle of what is written", []turn{
			one(ethercatBWR, 0, 0x0120, "0100"), one(ethercatFPWR, 1001, 0x0120, "1800"), one(ethercatFPWR, 1001, 0x011f, "00 03"), one(ethercatFPWR, 1001, 0x0120, "0f00"),
		}, []string{
			"ethercat 5 client mode FPWR AL control: 1=0+0+0 [1001]",
			"ethercat 5 client mode FPWR AL control: Bootstrap: 1=0+0+0 [1001]",
			"ethercat 5 client mode FPWR AL control: Operational: 1=0+0+0 [1001]",
			"ethercat 8 client mode BWR AL control: Init: 1=0+0+0",
		}},
		{"EAP", []turn{client(ecatFrame(4, "010203040506 0100 0000 0000")), client(ecatFrame(5, "0000"))}, []string{
			"ethercat nv client event EAP network variables: 1=0+0+0",
			"ethercat mailbox client configure EAP mailbox: 1=0+0+0",
		}},
		{"broken", []turn{
			client(ecatFrame(1, ecat(99, 0, 0, "", 0, false))), client(ecatFrame(1, ecat(ethercatLRW, 0, 0, "00", 0, true))), client(ecatFrame(2, "00")), client("00"),
		}, []string{"ethercat 12 client write LRW: 1=0+0+0", "undecoded: 4"}},
	})
}

func TestEtherCATRecognise(t *testing.T) {
	testDatagrams(t, EtherCAT, []recogniseTest{
		{"cycle", ecatCycle, Match{Weak, AnyRole}},
		{"network variables", ecatFrame(4, "0102"), Match{Weak, AnyRole}},
		{"a command that is none", ecatFrame(1, ecat(15, 0, 0, "", 0, false)), Match{No, AnyRole}},
		{"another datagram that is not there", ecatFrame(1, ecat(1, 0, 0, "", 0, true)), Match{No, AnyRole}},
		{"length of another frame", "ff17" + ecatCycle[4:], Match{No, AnyRole}},
		{"more than padding behind it", ecatCycle + hex.EncodeToString(make([]byte, 40)), Match{No, AnyRole}},
		{"DNS", "1234 0100 0001 0000 0000 0000 03706c63 00 0001 0001", Match{No, AnyRole}},
		{"BACnet", unicast(bacnetReadPV), Match{No, AnyRole}},
	})
}

func TestEtherCATOps(t *testing.T) {
	ops := []*Op{&ethercatPublish, &ethercatGateway}
	for i := range ethercatOps {
		o := &ethercatOps[i]
		ops = append(ops, &o.plain, &o.reply)
	}
	testOps(t, ops)
	for i := 1; i < len(ethercatAreas); i++ {
		if ethercatAreas[i-1].first >= ethercatAreas[i].first {
			t.Errorf("the areas at 0x%04x and 0x%04x are not ascending", ethercatAreas[i-1].first, ethercatAreas[i].first)
		}
	}
}

func TestEtherCATAllocs(t *testing.T) { testAllocs(t, EtherCAT, ecatCycle, ecatBack) }

func BenchmarkEtherCAT(b *testing.B) { benchMessages(b, EtherCAT, ecatCycle, ecatBack) }

func FuzzEtherCAT(f *testing.F) {
	for _, seed := range []string{
		ecatCycle, ecatBack,
		ecatFrame(1, ecat(ethercatFPWR, 1, 0x0100, hex.EncodeToString(make([]byte, 64)), 0, false)), // over AL control
		ecatFrame(1, ecat(ethercatLRW, 0, 0, "00", 0, true)),                                        // another that is not there
		ecatFrame(4, "01"),
	} {
		f.Add(unhex(f, seed))
	}
	fuzzMessages(f, EtherCAT)
}
