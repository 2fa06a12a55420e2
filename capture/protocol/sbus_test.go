package protocol

import (
	"encoding/binary"
	"encoding/hex"
	"testing"

	"bulkhead/capture"

	"github.com/google/go-cmp/cmp"
)

// sbus builds a telegram: attribute, sequence number 3, body and CRC.
func sbus(attribute byte, body string) string {
	d, err := hex.DecodeString(unspaced(body))
	if err != nil {
		panic(err)
	}
	b := append([]byte{0, 0, 0, byte(sbusHeader + len(d) + sbusCRC), 1, 0, 0, 3, attribute}, d...)
	return hex.EncodeToString(binary.BigEndian.AppendUint16(b, sbusSum(b)))
}

// A PCD2 is asked for its firmware, and its CPU's memory is written.
const (
	sbusAskFirmware = "0000000d 0100 0001 00 0a20 5318"
	sbusIsFirmware  = "00000014 0000 0001 01 44324d343830323000 fac9"
	sbusWriteByte   = "00000019 0100 0003 00 0a51 0a00c43c23c60000c4444e75 7a0a"
	sbusAcked       = "0000000d 0000 0003 02 0000 a3d8"
)

func TestSBus(t *testing.T) {
	testDecode(t, SBus, []decodeTest{
		{"firmware, and a byte written", []turn{client(sbusAskFirmware), server(sbusIsFirmware), client(sbusWriteByte), server(sbusAcked)}, []string{
			"s-bus 32 client discover Read firmware version: 1=1+0+0 [10]",
			"s-bus 81 client write Write byte: 1=1+0+0 [10]",
		}},
		{"stop refused for want of the password, outputs, blocks, firmware", []turn{
			client(sbus(0, "0a44")), server(sbus(2, "0002")), client(sbus(0, "0a0d 00 0000 00")), server(sbus(2, "0000")),
			client(sbus(0, "0aa9 00")), client(sbus(0, "0aae")), client(sbus(0, "0aff")),
		}, []string{
			"s-bus 13 client write Write outputs: 1=1+0+0 [10]",
			"s-bus 68 client mode Stop (all CPUs): 1=0+1+0 [10]",
			"s-bus 169 client program Read/write block data: 1=0+0+1 [10]",
			"s-bus 174 client firmware Download firmware: 1=0+0+1 [10]",
			"s-bus 255 client configure command 255: 1=0+0+1 [10]",
		}},
		{"a CRC, a length, nothing in it", []turn{client("0000000d 0100 0001 00 0a20 5319"), client("0000000e" + sbusAskFirmware[8:]), client(sbus(0, "0a")), server(sbus(2, "00"))},
			[]string{"undecoded: 4"}},
	})
	_, tally := conversation(t, SBus, client(sbusAskFirmware), server(sbusIsFirmware))
	want := []capture.Identity{{Vendor: "SAIA", Firmware: "D2M48020", Source: "s-bus", Frame: 2}}
	if diff := cmp.Diff(want, tally.Said(capture.FromServer).Identities); diff != "" {
		t.Errorf("identities (-want +got):\n%s", diff)
	}
}

func TestSBusRecognise(t *testing.T) {
	testDatagrams(t, SBus, []recogniseTest{
		{"request", sbusAskFirmware, Match{Sure, Client}},
		{"response", sbusIsFirmware, Match{Sure, Server}},
		{"acknowledgement", sbusAcked, Match{Sure, Server}},
		{"CRC", "0000000d 0100 0001 00 0a20 5319", Match{No, AnyRole}},
		{"FINS", finsReadD100, Match{No, AnyRole}},
		{"all zeros", "0000000000000000000000", Match{No, AnyRole}},
	})
}

func TestSBusOps(t *testing.T) {
	var ops []*Op
	for i := range sbusOps {
		ops = append(ops, &sbusOps[i])
	}
	testOps(t, ops)
}

func TestSBusAllocs(t *testing.T) { testAllocs(t, SBus, sbusWriteByte, sbusAcked) }

func BenchmarkSBus(b *testing.B) { benchMessages(b, SBus, sbusWriteByte, sbusAcked) }

func FuzzSBus(f *testing.F) {
	for _, seed := range []string{
		sbusAskFirmware, sbusIsFirmware, sbusAcked,
		sbus(0, ""), // neither station nor command
	} {
		f.Add(unhex(f, seed))
	}
	fuzzMessages(f, SBus)
}
