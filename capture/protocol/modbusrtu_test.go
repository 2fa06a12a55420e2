package protocol

import (
	"encoding/binary"
	"encoding/hex"
	"testing"

	"bulkhead/capture"
)

// rtu puts the CRC behind a frame.
func rtu(frame string) string {
	b, err := hex.DecodeString(unspaced(frame))
	if err != nil {
		panic(err)
	}
	return hex.EncodeToString(binary.LittleEndian.AppendUint16(b, slowCRC(b)))
}

// slowCRC is the specification's own procedure, bit by bit.
func slowCRC(b []byte) uint16 {
	crc := uint16(0xffff)
	for _, c := range b {
		crc ^= uint16(c)
		for range 8 {
			if crc&1 != 0 {
				crc = crc>>1 ^ 0xa001
			} else {
				crc >>= 1
			}
		}
	}
	return crc
}

var (
	rtuRead   = rtu("11 03 006b 0003")
	rtuAnswer = rtu("11 03 06 ae41 5652 4340")
	rtuWrite  = rtu("11 10 0001 0002 04 000a 0102")
	rtuDone   = rtu("11 10 0001 0002")
	rtuRefuse = rtu("11 90 02")
)

// The frame of the specification's own example has the CRC 0x7687.
func TestRTUCRC(t *testing.T) {
	if rtuRead != "1103006b00037687" || !rtuGood(unhex(t, rtuRead)) || rtuGood(unhex(t, "1103006b00037688")) {
		t.Errorf("frame %s", rtuRead)
	}
}

func TestModbusRTURecognise(t *testing.T) {
	testRecognise(t, Modbus, []recogniseTest{
		{"request", rtuRead, Match{Sure, Client}},
		{"response", rtuAnswer, Match{Sure, Server}},
		{"two requests", rtuRead + rtuWrite, Match{Sure, Client}},
		{"wrong CRC", "1103006b00037688", Match{}},
		{"a frame, then something else", rtuRead + "ff00ff00ff00ff00", Match{}},
		{"too many registers, the CRC right", rtu("11 03 006b 0103"), Match{}},
		{"a function that nobody published", rtu("11 41 0001"), Match{}},
		{"unit above the last", rtu("f9 03 006b 0003"), Match{}},
	})
}

func TestModbusRTU(t *testing.T) {
	testDecode(t, Modbus, []decodeTest{
		{"read and write", []turn{client(rtuRead), server(rtuAnswer), client(rtuWrite), server(rtuDone), client(rtuWrite), server(rtuRefuse)}, []string{
			"modbus 3 client read Read Holding Registers: 1=1+0+0 [17] [40108-40110]",
			"modbus 16 client write Write Multiple Registers: 2=1+1+0 [17] [40002-40003]",
		}},
		{"frames over segments, and sent again", []turn{client("11"), client(rtuRead[2:] + rtuRead + rtuWrite[:4]), client(rtuWrite[4:])}, []string{
			"modbus 3 client read Read Holding Registers: 2=0+0+2 [17] [40108-40110]",
			"modbus 16 client write Write Multiple Registers: 1=0+0+1 [17] [40002-40003]",
		}},
		{"a function that nobody published ends at its CRC", []turn{client(rtuRead), client(rtu("11 41 000102") + rtuRead)}, []string{
			"modbus 3 client read Read Holding Registers: 2=0+0+2 [17] [40108-40110]",
			"modbus 65 client configure User Defined Function 65: 1=0+0+1 [17]",
		}},
		{"a wrong CRC, then a frame that is right", []turn{client(rtuRead), client("1103006b00037688"), client(rtuRead)}, []string{
			"modbus 3 client read Read Holding Registers: 2=0+0+2 [17] [40108-40110]", "undecoded: 1",
		}},
	})
	testAllocs(t, Modbus, rtuRead, rtuAnswer)
}

// Every length that a function tells is that of the frame.
func TestRTULength(t *testing.T) {
	for _, test := range []struct {
		frame    string
		response bool
	}{
		{"01 01 0000 0008", false}, {"01 01 01 ff", true}, {"01 05 0000 ff00", true}, {"01 07", false}, {"01 07 00", true}, {"01 08 0000 1234", true},
		{"01 0b", false}, {"01 0b 0000 0001", true}, {"01 0c", false}, {"01 0c 08 0000 0001 0001 20 00", true}, {"01 11", false}, {"01 11 02 0aff", true},
		{"01 0f 0000 0008 01 ff", false}, {"01 0f 0000 0008", true}, {"01 14 07 06 0001 0000 0001", false}, {"01 16 0001 0002 0003", false},
		{"01 17 0000 0001 0000 0001 02 0001", false}, {"01 17 02 0001", true}, {"01 18 0001", false}, {"01 18 0004 0001 0001", true}, {"01 2b 0e 01 00", false},
		{"01 83 02", true},
	} {
		b := unhex(t, rtu(test.frame))
		if got := rtuLength(b, test.response); got != len(b) {
			t.Errorf("%s: length %d, want %d", test.frame, got, len(b))
		}
		for n := range b {
			if size, _ := cutRTU(b[:n], test.response); size != 0 {
				t.Errorf("%s: whole after %d octets", test.frame, n)
			}
		}
	}
}

func TestModbusUDP(t *testing.T) {
	const read, answer = "0001 0000 0006 01 03 0000 0002", "0001 0000 0007 01 03 04 00010002"
	testDatagrams(t, ModbusUDP, []recogniseTest{
		{"request", read, Match{Sure, Client}},
		{"response", answer, Match{Sure, Server}},
		{"longer than its ADU", read + "00", Match{}},
		{"cut", "0001 0000 0006 01 03 0000", Match{}},
		{"DNS", "0001 0100 0001 0000 0000 0000 0161 00 0001 0001", Match{}},
	})
	testDecode(t, ModbusUDP, []decodeTest{
		{"read", []turn{client(read), server(answer)}, []string{"modbus 3 client read Read Holding Registers: 1=1+0+0 [1] [40001-40002]"}},
		{"cut", []turn{client("0001 0000 0006 01")}, []string{"undecoded: 1"}},
	})
}

func BenchmarkModbusRTU(b *testing.B) { benchDecode(b, Modbus, rtuRead, rtuAnswer) }

// FuzzRTU holds the fast CRC to the slow one and the decoder to its contract.
func FuzzRTU(f *testing.F) {
	f.Add(unhex(f, rtuRead+rtuWrite), uint16(9))
	f.Add(unhex(f, rtu("11 41 000102")+rtuRead), uint16(3)) // a length that only the CRC tells
	f.Add(unhex(f, rtuRead+"11"), uint16(8))                // ends early
	f.Fuzz(func(t *testing.T, b []byte, cut uint16) {
		if rtuCRC(b) != slowCRC(b) {
			t.Fatal("the CRC is not the specification's")
		}
		decode := func(parts ...[]byte) capture.Conversation {
			tally := new(Tally)
			x, d := NewExchange(tally), &modbusTCPDecoder{framing: modbusRTU}
			var rest []byte
			for _, part := range parts {
				rest = append(rest, part...)
				rest = rest[d.Decode(x, capture.FromClient, rest):]
			}
			x.Close()
			var c capture.Conversation
			tally.Fill(&c)
			return c
		}
		whole := decode(b)
		if whole.Undecoded > 0 {
			return
		}
		n := int(cut) % (len(b) + 1)
		if a, b := summary(whole), summary(decode(b[:n:n], b[n:])); len(a) != len(b) {
			t.Errorf("cut at %d: %v, %v", n, a, b)
		}
	})
}
