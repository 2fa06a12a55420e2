package protocol

import (
	"encoding/binary"
	"encoding/hex"
	"testing"

	"bulkhead/capture"

	"github.com/google/go-cmp/cmp"
)

// A read of class 0 by master 3 from outstation 4, as OpenDNP3 sends it, and its
// response. Header, CRC; transport C0 (first, last); application C0 (first, last,
// number 0), function, objects, CRC.
const (
	dnp3Read = "0564 0bc4 0100 0000 8c85  d4 c4 01 3c0306 adf2"
	dnp3Data = "0564 0a44 0000 0100 b938  fe c4 81 0000 2519"
)

// dnp3Link builds a link frame around user data. CRCs are taken from the decoder:
// TestDNP3CRC holds them against frames that others made.
func dnp3Link(control byte, destination, source uint16, user ...byte) string {
	h := []byte{0x05, 0x64, byte(5 + len(user)), control}
	h = binary.LittleEndian.AppendUint16(h, destination)
	h = binary.LittleEndian.AppendUint16(h, source)
	h = binary.LittleEndian.AppendUint16(h, dnp3CRC(h))
	for len(user) > 0 {
		n := min(len(user), 16)
		h = append(h, user[:n]...)
		h = binary.LittleEndian.AppendUint16(h, dnp3CRC(user[:n]))
		user = user[n:]
	}
	return hex.EncodeToString(h)
}

// master sends an application fragment from master 3 to outstation 4 in one
// segment, and station the other way round.
func master(fragment ...byte) turn {
	return client(dnp3Link(0xc4, 4, 3, append([]byte{0xc0}, fragment...)...))
}

func station(fragment ...byte) turn {
	return server(dnp3Link(0x44, 3, 4, append([]byte{0xc0}, fragment...)...))
}

// crob is a control relay output block for one point, with a status: group 12,
// variation 1, one-byte count and index, latch on, once, 100 ms on, 100 ms off.
func crob(points ...byte) []byte {
	b := []byte{12, 1, 0x17, byte(len(points))}
	for i, status := range points {
		b = append(b, byte(i), 0x03, 1, 100, 0, 0, 0, 100, 0, 0, 0, status)
	}
	return b
}

func TestDNP3CRC(t *testing.T) {
	for _, frame := range []string{
		dnp3Read,
		dnp3Data,
		"0564 05c0 0100 0004 e921", // reset of link states: a header alone
		"0564 11c4 0400 0300 4eef c1c1 123c 0206 0107 063c 04ed 8763",
	} {
		b := unhex(t, frame)
		if !dnp3Checked(b[:10]) || len(b) > 10 && !dnp3Checked(b[10:]) {
			t.Errorf("%s: the CRCs do not fit", frame)
		}
		b[3] ^= 1
		if dnp3Checked(b[:10]) {
			t.Errorf("%s: a changed bit goes unnoticed", frame)
		}
	}
}

func TestDNP3Recognise(t *testing.T) {
	testRecognise(t, DNP3, []recogniseTest{
		{"master", dnp3Read, Match{Sure, Client}},
		{"outstation", dnp3Data, Match{Sure, Server}},
		{"link status", "0564 0549 0100 0004 0000", Match{Weak, Server}},
		{"wrong CRC", "0564 0bc4 0100 0000 8c86", Match{Weak, Client}},
		{"length too small", "0564 04c4 0100 0000 8c85", Match{No, AnyRole}},
		{"start alone", "0564", Match{More, AnyRole}},
		{"other", "0565 0bc4 0100 0000 8c85", Match{No, AnyRole}},
	})
}

func TestDNP3(t *testing.T) {
	freeze := append([]byte{0xc2, 9}, 20, 0, 6)
	long := append([]byte{0xc1, 2}, make([]byte, 300)...) // a write of 302 octets: two segments
	testDecode(t, DNP3, []decodeTest{
		{"read and response", []turn{client(dnp3Read), server(dnp3Data)}, []string{
			"dnp3 1 client read READ: 1=1+0+0 [1]",
			"dnp3 129 server reply RESPONSE: 1=0+0+0 [1]",
		}},
		{"function not supported", []turn{master(freeze...), station(0xc2, 129, 0x00, 0x01)}, []string{
			"dnp3 9 client write FREEZE_CLEAR: 1=0+1+0 [4]",
			"dnp3 129 server reply RESPONSE: 1=0+0+0 [4]",
		}},
		{"buffer overflow is no refusal", []turn{master(freeze...), station(0xc2, 129, 0x00, 0x08)}, []string{
			"dnp3 9 client write FREEZE_CLEAR: 1=1+0+0 [4]",
			"dnp3 129 server reply RESPONSE: 1=0+0+0 [4]",
		}},
		{"select accepted, operate refused", []turn{
			master(append([]byte{0xc1, 3}, crob(0)...)...), station(append([]byte{0xc1, 129, 0, 0}, crob(0)...)...),
			master(append([]byte{0xc2, 4}, crob(0)...)...), station(append([]byte{0xc2, 129, 0, 0}, crob(2)...)...), // no select received
		}, []string{
			"dnp3 3 client control SELECT: 1=1+0+0 [4]",
			"dnp3 4 client control OPERATE: 1=0+1+0 [4]",
			"dnp3 129 server reply RESPONSE: 2=0+0+0 [4]",
		}},
		{"one of two points accepted", []turn{
			master(append([]byte{0xc1, 5}, crob(0, 0)...)...), station(append([]byte{0xc1, 129, 0, 0}, crob(4, 0)...)...),
		}, []string{
			"dnp3 5 client control DIRECT_OPERATE: 1=1+0+0 [4]",
			"dnp3 129 server reply RESPONSE: 1=0+0+0 [4]",
		}},
		{"analog output refused", []turn{ // group 41, variation 2: 16 bits and a status; two-byte count and index
			master(0xc1, 5, 41, 2, 0x28, 1, 0, 7, 0, 0x10, 0x27, 0), station(0xc1, 129, 0, 0, 41, 2, 0x28, 1, 0, 7, 0, 0x10, 0x27, 12),
		}, []string{
			"dnp3 5 client control DIRECT_OPERATE: 1=0+1+0 [4]",
			"dnp3 129 server reply RESPONSE: 1=0+0+0 [4]",
		}},
		{"wants no response", []turn{master(append([]byte{0xc1, 6}, crob(0)...)...)}, []string{
			"dnp3 6 client control DIRECT_OPERATE_NR: 1=0+0+0 [4]",
		}},
		{"broadcast gets no response", []turn{client(dnp3Link(0xc4, 0xffff, 3, 0xc0, 0xc1, 13))}, []string{
			"dnp3 13 client mode COLD_RESTART: 1=0+0+0 [65535]",
		}},
		{"unsolicited and confirm", []turn{station(0xf3, 130, 0x80, 0), master(0xd3, 0)}, []string{
			"dnp3 0 client session CONFIRM: 1=0+0+0 [4]",
			"dnp3 130 server event UNSOLICITED_RESPONSE: 1=0+0+0 [4]",
		}},
		{"unanswered, then the number again", []turn{
			master(0xc1, 13), master(0xc1, 14), station(0xc1, 129, 0, 0),
		}, []string{
			"dnp3 13 client mode COLD_RESTART: 1=0+0+1 [4]",
			"dnp3 14 client mode WARM_RESTART: 1=1+0+0 [4]",
			"dnp3 129 server reply RESPONSE: 1=0+0+0 [4]",
		}},
		{"answers of another outstation", []turn{
			master(0xc1, 13), server(dnp3Link(0x44, 3, 5, 0xc0, 0xc1, 129, 0, 0)),
		}, []string{
			"dnp3 13 client mode COLD_RESTART: 1=0+0+1 [4]",
			"dnp3 129 server reply RESPONSE: 1=0+0+0 [5]",
		}},
		{"response in two fragments", []turn{
			master(0xc1, 1, 60, 1, 6), station(0xa1, 129, 0, 0), station(0x62, 129, 0, 1),
		}, []string{
			"dnp3 1 client read READ: 1=1+0+0 [4]",
			"dnp3 129 server reply RESPONSE: 2=0+0+0 [4]",
		}},
		{"two segments", []turn{
			client(dnp3Link(0xc4, 4, 3, append([]byte{0x45}, long[:249]...)...)),
			client(dnp3Link(0xc4, 4, 3, append([]byte{0x86}, long[249:]...)...)),
			station(0xc1, 129, 0, 0),
		}, []string{
			"dnp3 2 client write WRITE: 1=1+0+0 [4]",
			"dnp3 129 server reply RESPONSE: 1=0+0+0 [4]",
		}},
		{"the middle segment is missing", []turn{
			client(dnp3Link(0xc4, 4, 3, append([]byte{0x45}, long[:249]...)...)),
			client(dnp3Link(0xc4, 4, 3, append([]byte{0x87}, long[249:]...)...)),
		}, []string{"undecoded: 2"}},
		{"challenged", []turn{ // g120v1 asks, g120v2 replies; the control itself is answered last
			master(append([]byte{0xc1, 5}, crob(0)...)...), station(0xc1, 131, 0, 0, 120, 1, 0x5b, 1),
			master(0xc1, 32, 120, 2, 0x5b, 1), station(append([]byte{0xc1, 129, 0, 0}, crob(0)...)...),
		}, []string{
			"dnp3 5 client control DIRECT_OPERATE: 1=1+0+0 [4]",
			"dnp3 32 client session AUTHENTICATE_REQ: 1=1+0+0 [4]",
			"dnp3 129 server reply RESPONSE: 1=0+0+0 [4]",
			"dnp3 131 server reply AUTHENTICATE_RESP: 1=0+0+0 [4]",
		}},
		{"challenge failed", []turn{
			master(append([]byte{0xc1, 5}, crob(0)...)...), station(0xc1, 131, 0, 0, 120, 1, 0x5b, 1),
			master(0xc1, 32, 120, 2, 0x5b, 1), station(0xc1, 131, 0, 0, 120, 7, 0x5b, 1),
		}, []string{
			"dnp3 5 client control DIRECT_OPERATE: 1=0+0+1 [4]",
			"dnp3 32 client session AUTHENTICATE_REQ: 1=0+1+0 [4]",
			"dnp3 131 server reply AUTHENTICATE_RESP: 2=0+0+0 [4]",
		}},
		{"link frames are no operations", []turn{client(dnp3Link(0xc0, 4, 3)), server(dnp3Link(0x0b, 3, 4)), client(dnp3Link(0xc9, 4, 3))}, nil},
		{"test of the link bears no data", []turn{client(dnp3Link(0xc2, 4, 3, 0xc0, 0xc1, 13))}, nil},
		{"reserved function", []turn{master(0xc1, 99), station(0xc1, 129, 0, 1)}, []string{
			"dnp3 99 client configure reserved: 1=0+1+0 [4]",
			"dnp3 129 server reply RESPONSE: 1=0+0+0 [4]",
		}},
		{"damaged block", []turn{client("0564 0bc4 0100 0000 8c85  d4 c4 02 3c0306 adf2"), client(dnp3Read)}, []string{
			"dnp3 1 client read READ: 1=0+0+1 [1]",
			"undecoded: 1",
		}},
		{"garbage between frames", []turn{client("ffff 0564 ff00" + dnp3Read + "00ff05"), client(dnp3Read)}, []string{
			"dnp3 1 client read READ: 2=0+0+2 [1]",
			"undecoded: 2",
		}},
	})
}

func TestDNP3SecureAuthentication(t *testing.T) {
	c, _ := conversation(t, DNP3,
		master(append([]byte{0xc1, 5, 120, 3, 0x07, 1, 0, 0, 0, 0, 1, 0}, crob(0)...)...),
		station(append([]byte{0xc1, 129, 0, 0}, crob(0)...)...))
	want := []capture.AuthFact{{Kind: "dnp3 secure authentication", Accepted: 1, Count: 1, Frame: 1}}
	if diff := cmp.Diff(want, c.Security.Auth); diff != "" {
		t.Errorf("log-ins (-want +got):\n%s", diff)
	}
}

// What a decoder puts together is bounded however many fragments are begun.
func TestDNP3OpenFragments(t *testing.T) {
	x, d := NewExchange(new(Tally)), new(dnp3Decoder)
	for source := range uint16(200) {
		first := unhex(t, dnp3Link(0xc4, 4, source, append([]byte{0x40}, make([]byte, 249)...)...))
		d.Decode(x, capture.FromClient, first)
		for seq := range byte(63) {
			d.Decode(x, capture.FromClient, unhex(t, dnp3Link(0xc4, 4, source, append([]byte{seq + 1}, make([]byte, 249)...)...)))
		}
	}
	held := 0
	for _, a := range d.open[capture.FromClient][:cap(d.open[capture.FromClient])] {
		held += len(a.bytes)
	}
	if most := dnp3MaxOpenFragments * dnp3MaxFragment; held > most {
		t.Errorf("%d octets are held, want at most %d", held, most)
	}
}

// Connections that share room for unfinished fragments give it back.
func TestDNP3Room(t *testing.T) {
	room := NewRoom([Tables]int{Kinds: 1, Held: 600})
	x, d := NewExchange(NewTally(room)), new(dnp3Decoder)
	for source := range uint16(3) { // 249 octets each: two fit
		d.Decode(x, capture.FromClient, unhex(t, dnp3Link(0xc4, 4, source, append([]byte{0x40}, make([]byte, 249)...)...)))
	}
	if n := len(d.open[capture.FromClient]); n != 2 || x.tally.undecoded != 1 || !room.Full(Held) {
		t.Errorf("%d fragments open, %d undecoded, full %v; want 2, 1 and full", n, x.tally.undecoded, room.Full(Held))
	}
	x.Close()
	if room.left[Held] != 600 {
		t.Errorf("%d octets never came back", 600-room.left[Held])
	}
}

func TestDNP3Ops(t *testing.T) {
	var ops []*Op
	for i := range dnp3Ops {
		ops = append(ops, &dnp3Ops[i])
	}
	testOps(t, ops)
}

func TestDNP3Allocs(t *testing.T) { testAllocs(t, DNP3, dnp3Read, dnp3Data) }

func BenchmarkDNP3(b *testing.B) { benchDecode(b, DNP3, dnp3Read, dnp3Data) }

func FuzzDNP3(f *testing.F) {
	for _, seed := range []string{
		dnp3Read + dnp3Data, // two frames in one segment
		"0564 0bc4 0100 0000 8c85  d4 c4 02 3c0306 adf2" + dnp3Read,                                            // a wrong CRC in front
		dnp3Link(0xc4, 4, 3, 0x40, 0xc1, 5, 12, 1) + dnp3Link(0xc4, 4, 3, 0x81, 0x17, 0xff),                    // a fragment in two segments
		dnp3Link(0x44, 3, 4, append([]byte{0xc0, 0xc1, 129, 0, 0}, crob(0, 4)...)...),                          // echoed controls
		dnp3Link(0x44, 3, 4, 0xc0, 0xc1, 129, 0, 0, 41, 2, 0x01, 0xff, 0xff, 0, 0),                             // a range that runs downwards
		dnp3Link(0x44, 3, 4, 0xc0, 0xc1, 129, 0, 0, 12, 1, 0x28, 0xff, 0xff), "05", "0564", "056405", "ff0564", // counts and frames that end early
	} {
		f.Add(unhex(f, seed), uint16(5), false)
	}
	fuzzDecode(f, DNP3)
}
