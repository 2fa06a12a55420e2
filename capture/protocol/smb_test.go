package protocol

import (
	"encoding/hex"
	"testing"

	"bulkhead/capture"

	"github.com/google/go-cmp/cmp"
)

// smb1Message builds a message of SMB 1 in a NetBIOS session: command, flags, the
// second flags, the first byte of the signature, then parameters.
func smb1Message(command, flags, flags2, signature byte, parameters ...byte) string {
	m := make([]byte, 32, 64)
	copy(m, "\xffSMB")
	m[4], m[9], m[10], m[14] = command, flags, flags2, signature
	m = append(append(m, parameters...), 0, 0, 0)
	return hex.EncodeToString(append([]byte{0, 0, 0, byte(len(m))}, m...))
}

// smb2Message builds a message of SMB 2: command, flags, then the body.
func smb2Message(command, flags byte, body ...byte) string {
	m := make([]byte, 64, 128)
	copy(m, "\xfeSMB")
	m[4], m[12], m[16] = 64, command, flags
	m = append(m, body...)
	return hex.EncodeToString(append([]byte{0, 0, 0, byte(len(m))}, m...))
}

var (
	smb1Dialect  = smb1Message(0x72, 0x80, 0, 0, append([]byte{17, 5}, make([]byte, 33)...)...)
	smb2Dialect  = smb2Message(0, 1, 65, 0, 1, 0, 0x11, 0x03, 0, 0)
	smb3Envelope = "00000044 fd534d42" + hex.EncodeToString(make([]byte, 64))
)

func TestSMBRecognise(t *testing.T) {
	testRecognise(t, SMB, []recogniseTest{
		{"SMB 1 request", smb1Message(0x72, 0, 0, 0), Match{Sure, Client}},
		{"SMB 1 response", smb1Dialect, Match{Sure, Server}},
		{"SMB 2 request", smb2Message(0, 0), Match{Sure, Client}},
		{"SMB 2 response", smb2Dialect, Match{Sure, Server}},
		{"SMB 3 encrypted", smb3Envelope, Match{Sure, AnyRole}},
		{"NetBIOS session", "81000044 20 43", Match{Sure, Client}},
		{"other", "00000044 00534d42" + hex.EncodeToString(make([]byte, 64)), Match{No, AnyRole}},
	})
}

func TestSMB(t *testing.T) {
	read1 := smb1Message(0x2e, 0, 0, 0)
	big := "00010000" + smb2Message(9, 0)[8:] + hex.EncodeToString(make([]byte, 65536-64)) // a write of SMB 2
	for _, test := range []struct {
		name    string
		turns   []turn
		dialect []string
		level   Protection
	}{
		{"SMB 1", []turn{server(smb1Dialect), client(read1)}, []string{"NT LM 0.12"}, Clear},
		{"SMB 1, a signature offered", []turn{server(smb1Dialect), client(smb1Message(0x2e, 0, 4, 0))}, []string{"NT LM 0.12"}, Clear},
		{"SMB 1 signed", []turn{server(smb1Dialect), client(smb1Message(0x2e, 0, 4, 0x5a))}, []string{"NT LM 0.12"}, Integrity},
		{"SMB 1, none of those offered", []turn{server(smb1Message(0x72, 0x80, 0, 0, 1, 0xff, 0xff))}, nil, Clear},
		{"SMB 3.1.1 encrypted", []turn{client(smb2Message(0, 0)), server(smb2Dialect), client(smb2Message(1, 0)), client(smb3Envelope)}, []string{"SMB 3.1.1"}, Encrypted},
		{"SMB 3.1.1 signed", []turn{server(smb2Dialect), client(smb2Message(3, 8))}, []string{"SMB 3.1.1"}, Integrity},
		{"a long message, in pieces", []turn{server(smb2Dialect), client(big[:2000]), client(big[2000:] + smb2Message(8, 8))}, []string{"SMB 3.1.1"}, Clear},
	} {
		t.Run(test.name, func(t *testing.T) {
			tally := new(Tally)
			x, d := NewExchange(tally), SMB.New()
			for _, turn := range test.turns {
				b := unhex(t, turn.hex)
				if used := d.Decode(x, turn.from, b); used != len(b) {
					t.Errorf("%d of %d bytes used", used, len(b))
				}
			}
			var c capture.Conversation
			tally.Fill(&c)
			if diff := cmp.Diff(test.dialect, c.Security.SMB); diff != "" {
				t.Errorf("dialects (-want +got):\n%s", diff)
			}
			if got := x.Protection(SMB.Protection); got != test.level {
				t.Errorf("protection is %d, want %d", got, test.level)
			}
			if c.Undecoded > 0 {
				t.Errorf("%d messages undecoded, want none", c.Undecoded)
			}
		})
	}
}

func FuzzSMB(f *testing.F) {
	for _, seed := range []string{smb1Dialect, smb2Dialect, smb3Envelope, "81000044 20 43", "85000000" + smb2Message(3, 0), "00ffffff" + smb2Message(3, 0)[8:]} {
		f.Add(unhex(f, seed), uint16(40), true)
	}
	fuzzStream(f, SMB)
}

func BenchmarkSMB(b *testing.B) {
	x, d := NewExchange(new(Tally)), SMB.New()
	m := unhex(b, smb2Message(8, 8, make([]byte, 48)...))
	b.SetBytes(int64(len(m)))
	b.ReportAllocs()
	for b.Loop() {
		d.Decode(x, capture.FromClient, m)
	}
}
