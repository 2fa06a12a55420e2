package protocol

import (
	"testing"

	"bulkhead/capture"

	"github.com/google/go-cmp/cmp"
)

// APDUs built by hand: start, length, control octets; type, structure qualifier,
// cause, originator, common address 1, object address; elements.
const (
	iecStart     = "6804 07000000"
	iecStarted   = "6804 0b000000"
	iecGI        = "680e 0000 0000 64 01 06 00 0100 000000 14" // interrogation of the station
	iecGICon     = "680e 0000 0200 64 01 07 00 0100 000000 14"
	iecGITerm    = "680e 0600 0200 64 01 0a 00 0100 000000 14"
	iecGIPoints  = "6810 0200 0200 01 83 14 00 0100 0a0000 010001"            // 3 single points, addresses 10 to 12
	iecSelect    = "680e 0200 0800 2d 01 06 00 0100 881300 81"                // single command 5000: select, on
	iecSelected  = "680e 0800 0400 2d 01 07 00 0100 881300 81"                // confirmed
	iecExecute   = "680e 0400 0a00 2d 01 06 00 0100 881300 01"                // execute, on
	iecExecuted  = "680e 0a00 0600 2d 01 07 00 0100 881300 01"                // confirmed
	iecTerm      = "680e 0c00 0600 2d 01 0a 00 0100 881300 01"                // terminated
	iecSpont     = "6815 0e00 0600 1e 01 03 00 0100 881300 01 d1552a00000101" // single point with time
	iecSetPoint  = "6812 0600 1000 32 01 06 00 0200 891300 0000a041 00"       // set point 5.0 of station 2, execute
	iecSetRefuse = "6812 1000 0800 32 01 47 00 0200 891300 0000a041 00"       // negative
	iecClock     = "6814 0800 1200 67 01 06 00 ffff 000000 00000a0b17011a"    // to all stations
	iecTimed     = "6815 0a00 1200 3a 01 06 00 0100 881300 81 d1552a00000101" // single command with time, select
	iecAck       = "6804 0100 0200"
	iecSegment   = "6816 0000 0000 7d 01 0d 00 0100 010000 0100 01 05 6c6f6769 63" // a segment of 5 octets
	iecUnknownTy = "680e 1200 0a00 2e 01 6c 00 0100 881300 81"                     // double command: unknown type
	iecDouble    = "680e 0c00 1400 2e 01 06 00 0100 881300 81"
)

func TestIEC104Recognise(t *testing.T) {
	testRecognise(t, IEC104, []recogniseTest{
		{"start", iecStart, Match{Sure, Client}},
		{"start confirmed", iecStarted, Match{Sure, Server}},
		{"test", "6804 43000000", Match{Sure, AnyRole}},
		{"command", iecSelect, Match{Sure, Client}},
		{"confirmation", iecSelected, Match{Sure, Server}},
		{"points in sequence", iecGIPoints, Match{Sure, Server}},
		{"two points with an address each", "6812 0200 0200 01 02 03 00 0100 0a0000 01 0b0000 00", Match{Sure, Server}},
		{"acknowledgement alone", iecAck, Match{Weak, AnyRole}},
		{"acknowledgement, then points", iecAck + iecGIPoints, Match{Sure, Server}},
		{"private type", "680e 0000 0000 c8 01 03 00 0100 000000 14", Match{Weak, AnyRole}},
		{"a number of objects that does not fit", "6810 0200 0200 01 84 14 00 0100 0a0000 010001", Match{Weak, Server}},
		{"APDU that is not followed by another", iecStart + "00", Match{}},
		{"start without its length", "68", Match{More, AnyRole}},
		{"length too small", "6803 070000", Match{}},
		{"information without an ASDU", "6804 00000000", Match{}},
		{"no such function", "6804 0f000000", Match{}},
		{"M-Bus over TCP", "6803 0368 53fe 51a2 16", Match{}},
		{"IEC 60870-5-101 over TCP", "6809 0968 5301 6401 0601 0000 14d7 16", Match{}},
		{"Modbus", "0001 0000 0006 01 03 0000 000a", Match{}},
		{"DNP3", dnp3Read, Match{}},
		{"TPKT", s7Connect, Match{}},
	})
}

func TestIEC104(t *testing.T) {
	testDecode(t, IEC104, []decodeTest{
		{"start and interrogation", []turn{
			client(iecStart), server(iecStarted), client(iecGI), server(iecGICon + iecGIPoints), client(iecAck), server(iecGITerm),
		}, []string{
			"iec104 1 server reply M_SP_NA_1 single-point information, requested: 1=0+0+0 [1]",
			"iec104 S client session S-format (acknowledgement): 1=0+0+0",
			"iec104 100 client read C_IC_NA_1 interrogation command: 1=1+0+0 [1]",
			"iec104 100 server reply C_IC_NA_1 interrogation command, activation confirmation: 1=0+0+0 [1]",
			"iec104 100 server reply C_IC_NA_1 interrogation command, activation termination: 1=0+0+0 [1]",
			"iec104 STARTDT client session STARTDT act: 1=1+0+0",
			"iec104 STARTDT server reply STARTDT con: 1=0+0+0",
		}},
		{"select, execute, the point that moved", []turn{
			client(iecSelect), server(iecSelected), client(iecExecute), server(iecExecuted + iecTerm + iecSpont),
		}, []string{
			"iec104 30 server event M_SP_TB_1 single-point information with time tag CP56Time2a: 1=0+0+0 [1]",
			"iec104 45 client control C_SC_NA_1 single command, execute: 1=1+0+0 [1]",
			"iec104 45 client control C_SC_NA_1 single command, select: 1=1+0+0 [1]",
			"iec104 45 server reply C_SC_NA_1 single command, activation confirmation: 2=0+0+0 [1]",
			"iec104 45 server reply C_SC_NA_1 single command, activation termination: 1=0+0+0 [1]",
		}},
		{"an execute is not answered by the confirmation of a select", []turn{client(iecExecute), server(iecSelected)}, []string{
			"iec104 45 client control C_SC_NA_1 single command, execute: 1=0+0+1 [1]",
			"iec104 45 server reply C_SC_NA_1 single command, activation confirmation: 1=0+0+0 [1]",
		}},
		{"set point refused", []turn{client(iecSetPoint), server(iecSetRefuse)}, []string{
			"iec104 50 client control C_SE_NC_1 set point command, short floating point number, execute: 1=0+1+0 [2]",
			"iec104 50 server reply C_SE_NC_1 set point command, short floating point number, activation confirmation: 1=0+0+0 [2]",
		}},
		{"type that the station does not know", []turn{client(iecDouble), server(iecUnknownTy)}, []string{
			"iec104 46 client control C_DC_NA_1 double command, select: 1=0+1+0 [1]",
			"iec104 46 server reply C_DC_NA_1 double command, unknown type, cause or address: 1=0+0+0 [1]",
		}},
		{"a select withdrawn", []turn{
			client("680e 0200 0800 2d 01 08 00 0100 881300 81"), server("680e 0800 0400 2d 01 09 00 0100 881300 81"),
		}, []string{
			"iec104 45 client control C_SC_NA_1 single command, deactivation: 1=1+0+0 [1]",
			"iec104 45 server reply C_SC_NA_1 single command, deactivation confirmation: 1=0+0+0 [1]",
		}},
		{"clock of all stations, and a command with time", []turn{client(iecClock + iecTimed)}, []string{
			"iec104 58 client control C_SC_TA_1 single command with time tag CP56Time2a, select: 1=0+0+1 [1]",
			"iec104 103 client configure C_CS_NA_1 clock synchronization command: 1=0+0+1 [65535]",
		}},
		{"a station's own clock", []turn{server("6814 0800 1200 67 01 03 00 0100 000000 00000a0b17011a")}, []string{
			"iec104 103 server event C_CS_NA_1 clock synchronization command, spontaneous: 1=0+0+0 [1]",
		}},
		{"counters: a request, and a freeze with reset", []turn{
			client("680e 0000 0000 65 01 06 00 0100 000000 05"), client("680e 0200 0000 65 01 06 00 0100 000000 85"),
			server("680e 0000 0400 65 01 07 00 0100 000000 85"),
		}, []string{
			"iec104 101 client read C_CI_NA_1 counter interrogation command: 1=0+0+1 [1]",
			"iec104 101 client write C_CI_NA_1 counter interrogation command, freeze or reset: 1=1+0+0 [1]",
			"iec104 101 server reply C_CI_NA_1 counter interrogation command, activation confirmation: 1=0+0+0 [1]",
		}},
		{"read, answered by the value", []turn{
			client("680d 0000 0000 66 01 05 00 0100 0a0000"), server("680e 0000 0200 01 01 05 00 0100 0a0000 01"),
		}, []string{
			"iec104 1 server reply M_SP_NA_1 single-point information, requested: 1=0+0+0 [1]",
			"iec104 102 client read C_RD_NA_1 read command: 1=1+0+0 [1]",
		}},
		{"reset of the process, and a parameter", []turn{
			client("680e 0000 0000 69 01 06 00 0100 000000 01" + "6812 0200 0000 70 01 06 00 0100 010000 0000a041 01"),
		}, []string{
			"iec104 105 client mode C_RP_NA_1 reset process command: 1=0+0+1 [1]",
			"iec104 112 client configure P_ME_NC_1 parameter of measured value, short floating point number: 1=0+0+1 [1]",
		}},
		{"file: call, not ready", []turn{
			client("6811 0000 0000 7a 01 0d 00 0100 010000 0100 00 02"), server("6814 0000 0200 79 01 0d 00 0100 010000 0100 01 050000 80"),
		}, []string{
			"iec104 121 server file F_SR_NA_1 section ready: 1=0+0+0 [1]",
			"iec104 122 client file F_SC_NA_1 call directory, select file, call file, call section: 1=0+1+0 [1]",
		}},
		{"file: segment, and a file deleted", []turn{
			server(iecSegment), client("6811 0000 0000 7a 01 0d 00 0100 010000 0100 00 04"),
		}, []string{
			"iec104 122 client file F_SC_NA_1 call directory, select file, call file, call section: 1=0+0+0 [1]",
			"iec104 125 server file F_SG_NA_1 segment: 1=0+0+0 [1]",
		}},
		{"private type", []turn{client("680e 0000 0000 c8 01 06 00 0100 000000 14"), server("680e 0000 0000 c8 01 03 00 0100 000000 14")}, []string{
			"iec104 200 client configure type 200: 1=0+0+1 [1]",
			"iec104 200 server configure type 200: 1=0+0+0 [1]",
		}},
		{"test by either side", []turn{server("6804 43000000"), client("6804 83000000")}, []string{
			"iec104 TESTFR client reply TESTFR con: 1=0+0+0",
			"iec104 TESTFR server session TESTFR act: 1=1+0+0",
		}},
		{"the same command twice, answered once", []turn{client(iecSelect), client(iecSelect), server(iecSelected)}, []string{
			"iec104 45 client control C_SC_NA_1 single command, select: 2=1+0+1 [1]",
			"iec104 45 server reply C_SC_NA_1 single command, activation confirmation: 1=0+0+0 [1]",
		}},
		{"APDUs over segments", []turn{client("68"), client("0e 0000"), client("0000 64 01 06 00 0100 000000 14" + "6804 01")}, []string{
			"iec104 100 client read C_IC_NA_1 interrogation command: 1=0+0+1 [1]",
		}},
		{"bytes that are no APDU", []turn{client("0303 036801131313" + iecStart), client("6806 181818181818" + iecStart)}, []string{
			"iec104 STARTDT client session STARTDT act: 2=0+0+2",
			"undecoded: 2",
		}},
		{"command without its qualifier, and no object", []turn{client("680d 0000 0000 2d 01 06 00 0100 881300" + "680e 0000 0000 2d 00 06 00 0100 881300 81")}, []string{
			"undecoded: 2",
		}},
	})
}

func TestIEC104Login(t *testing.T) {
	c, _ := conversation(t, IEC104, client("6811 0000 0000 52 01 0e 00 0100 000000 01020304"))
	want := []capture.AuthFact{{Kind: "iec104 secure authentication", Count: 1, Frame: 1}}
	if diff := cmp.Diff(want, c.Security.Auth); diff != "" {
		t.Errorf("log-ins (-want +got):\n%s", diff)
	}
}

// What changes the process or the station must not be taken for a reading.
func TestIEC104Classes(t *testing.T) {
	for id, want := range map[int]capture.Class{
		1: capture.Event, 45: capture.Control, 51: capture.Control, 64: capture.Control, 70: capture.Event, 100: capture.Read,
		103: capture.Configure, 105: capture.Mode, 110: capture.Configure, 113: capture.Configure, 120: capture.File, 127: capture.File,
		22: capture.Configure, 52: capture.Configure, 114: capture.Configure, 136: capture.Configure, 255: capture.Configure,
	} {
		if got := iec104Types[id].class; got != want {
			t.Errorf("type %d is classed %s, want %s", id, got, want)
		}
	}
	for id, k := range iec104Types {
		if int(k.qualifier) > int(k.size) || (k.class == capture.Control) != (45 <= id && id <= 64 && !k.unequal) {
			t.Errorf("type %d: class %s, element of %d octets, qualifier in octet %d", id, k.class, k.size, k.qualifier)
		}
	}
}

func TestIEC104Ops(t *testing.T) {
	ops := []*Op{&iec104StartAct, &iec104StartCon, &iec104StopAct, &iec104StopCon, &iec104TestAct, &iec104TestCon, &iec104Ack}
	for id := range iec104Types {
		for verb := range iec104Types[id].ops {
			ops = append(ops, &iec104Types[id].ops[verb])
		}
	}
	testOps(t, ops)
}

func TestIEC104Allocs(t *testing.T) {
	testAllocs(t, IEC104, iecGI+iecSelect+iecAck, iecGICon+iecGIPoints+iecSelected+iecSpont)
}

func BenchmarkIEC104(b *testing.B) {
	benchDecode(b, IEC104, iecGI+iecSelect, iecGICon+iecSelected+iecSpont)
}

func FuzzIEC104(f *testing.F) {
	for _, seed := range []string{
		iecStart + iecGI + iecAck,                      // all three formats in one segment
		iecSelected + iecSpont,                         // an answer, and an event behind it
		"68fd 0000 0000 01 ff 14 00 0100 0a0000",       // the longest APDU, cut
		iecSegment,                                     // a type whose elements have no one size
		"0468" + iecStart,                              // a start within bytes that are none
		"680e 0000 0000 2d 01 06 00 0100 881300", "68", // ends early
	} {
		f.Add(unhex(f, seed), uint16(7), false)
	}
	fuzzDecode(f, IEC104)
}
