package protocol

import (
	"encoding/hex"
	"testing"

	"bulkhead/capture"

	"github.com/google/go-cmp/cmp"
)

const (
	foxHello = "fox a 1 -1 fox hello\n{\nfox.version=s:1.0\nid=i:1\nhostName=s:eng-1\napp.name=s:Workbench\napp.version=s:3.7.44\n};;\n"
	foxReply = "fox a 0 -1 fox hello\n{\nfox.version=s:1.0\nhostName=s:jace-1\napp.name=s:Station\napp.version=s:3.5.41.1\nstation.name=s:HQ\n" +
		"hostId=s:Qnx-1\nbrandId=s:vykon\nsysInfo=o:bog 6[a\n}\n;;]\n};;\n"
	foxDares  = "fox a 1 -1 fox challenge\n{\nmethod=s:digest-md5\nnonce=b:5[\n};;\n]\n};;\n"
	foxLogsIn = "fox a 2 -1 fox login\n{\nmethod=s:digest-md5\nusername=s:admin\nresponse=b:4[abcd]\n};;\n"
)

func text(s string) string { return hex.EncodeToString([]byte(s)) }

func TestFox(t *testing.T) {
	testDecode(t, Fox, []decodeTest{
		{"hello, challenge, log-in refused", []turn{says(foxHello), replies(foxReply), replies(foxDares), says(foxLogsIn), replies("fox a 2 -1 fox rejected\n{\n};;\n")}, []string{
			"fox hello client session hello: 1=1+0+0",
			"fox hello server session hello: 1=0+0+0",
			"fox login client session login: 1=0+1+0",
			"fox rejected server reply rejected: 1=0+0+0",
			"fox challenge server session challenge: 1=0+0+0",
		}},
		{"what nobody published", []turn{says("fox s 7 -1 station invoke\n{\n};;\n")},
			[]string{"fox other client configure message nobody published: 1=0+0+0"}},
		{"in pieces", []turn{says(foxDares[:5]), says(foxDares[5:50]), says(foxDares[50:])},
			[]string{"fox challenge client session challenge: 1=0+0+0"}},
		{"no message", []turn{says("HTTP/1.1 200 OK\r\n\r\n")}, []string{"undecoded: 1"}},
	})
	c, tally := conversation(t, Fox, says(foxHello), replies(foxReply), says(foxLogsIn))
	want := []capture.Identity{{Vendor: "vykon", Model: "Station", Firmware: "3.5.41.1", Serial: "Qnx-1", Source: "fox", Frame: 2}}
	if diff := cmp.Diff(want, tally.Said(capture.FromServer).Identities); diff != "" {
		t.Errorf("identities (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]capture.AuthFact{{Kind: "fox", Count: 1, Frame: 3}}, c.Security.Auth); diff != "" {
		t.Errorf("log-ins (-want +got):\n%s", diff)
	}
}

func TestFoxRecognise(t *testing.T) {
	testRecognise(t, Fox, []recogniseTest{
		{"hello", text(foxHello), Match{Sure, AnyRole}},
		{"line that is cut", text("fox a 1 -"), Match{More, AnyRole}},
		{"another fox", text("fox jumps over the dog\n"), Match{}},
		{"HTTP", text("GET / HTTP/1.1\r\n"), Match{}},
		{"binary", "666f782000010203", Match{}},
	})
}

func TestFoxOps(t *testing.T) {
	ops := []*Op{foxOther}
	for _, m := range foxMessages {
		ops = append(ops, m.op)
	}
	testOps(t, ops)
}

func TestFoxAllocs(t *testing.T) { testAllocs(t, Fox, text(foxHello), text(foxReply)) }

func FuzzFox(f *testing.F) {
	f.Add([]byte(foxHello+foxDares), uint16(150), false)                            // cut in a second message
	f.Add([]byte(foxReply), uint16(180), true)                                      // cut within octets
	f.Add([]byte("fox a 1 -1 fox hello\n{\nx=b:999999[\n};;\n"), uint16(30), false) // octets that are not there
	fuzzDecode(f, Fox)
}
