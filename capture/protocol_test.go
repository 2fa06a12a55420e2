package capture

import (
	"slices"
	"testing"
)

// The table of protocols agrees with itself: names are unique, a port belongs to
// one protocol, carriers exist, and each code form matches its own example.
func TestProtocols(t *testing.T) {
	names := make(map[Protocol]bool)
	ports := make(map[transportPort]Protocol)
	for _, p := range Protocols() {
		if names[p.Name] || p.Name == Unknown || p.Name == "" || p.Title == "" {
			t.Errorf("%q: a second entry, no name or no title", p.Name)
		}
		names[p.Name] = true
		if got := p.Name.Info(); got == nil || got.Name != p.Name {
			t.Errorf("%s: Info returns %v", p.Name, got)
		}
		for transport, list := range map[Transport][]uint16{TCP: p.TCP, UDP: p.UDP} {
			for _, port := range list {
				k := transportPort{transport, port}
				if other, ok := ports[k]; ok {
					t.Errorf("%s/%d is both %s and %s", transport, port, other, p.Name)
				}
				ports[k] = p.Name
				if ByPort(transport, port) != p.Name {
					t.Errorf("%s/%d is %s, want %s", transport, port, ByPort(transport, port), p.Name)
				}
			}
		}
		if p.Carrier != "" && p.Carrier.Info() == nil {
			t.Errorf("%s travels in %q, which is no protocol", p.Name, p.Carrier)
		}
		if p.Codes != nil && (!p.Codes.Valid(p.Codes.Example) || p.Codes.Valid("") || p.Codes.Valid(p.Codes.Example+" ")) {
			t.Errorf("%s: its code form and its example %q do not agree", p.Name, p.Codes.Example)
		}
	}
	if ByPort(UDP, 1) != Unknown || ByPort(SCTP, 502) != Unknown || Unknown.Info() != nil {
		t.Error("what is not registered is unknown")
	}
	list := Protocols()
	list[0].Name = "changed"
	if Protocols()[0].Name == "changed" {
		t.Error("a caller can change the table")
	}
}

func TestWithin(t *testing.T) {
	if !CIP.Within(ENIP) || !ENIP.Within(ENIP) || ENIP.Within(CIP) || Modbus.Within("") || Unknown.Within(ENIP) {
		t.Error("cip travels in enip, and nothing else in anything")
	}
}

func TestCodeForms(t *testing.T) {
	for p, codes := range map[Protocol]struct{ good, bad []string }{
		Modbus: {[]string{"3", "255"}, []string{"0x03", "-1", "3a"}},
		CIP:    {[]string{"0x4c"}, []string{"0x4C", "4c", "0x004c"}},
		S7comm: {[]string{"job:0x04", "userdata:4/1"}, []string{"job:4", "userdata:4"}},
		OPCUA:  {[]string{"673", "HEL"}, []string{"hel", "HELLO"}},
		BACnet: {[]string{"confirmed:15", "unconfirmed:8"}, []string{"15"}},
		IEC104: {[]string{"45", "S", "STARTDT"}, []string{"startdt", "U", "0x2d"}},
		MMS:    {[]string{"confirmed:4", "unconfirmed:0", "initiate"}, []string{"4", "confirmed:"}},
		GOOSE:  {[]string{"goose"}, []string{"GOOSE", "1"}},
	} {
		for _, c := range codes.good {
			if !p.Info().Codes.Valid(c) {
				t.Errorf("%s: %q is a code", p, c)
			}
		}
		for _, c := range codes.bad {
			if p.Info().Codes.Valid(c) {
				t.Errorf("%s: %q is no code", p, c)
			}
		}
	}
}

func TestParseService(t *testing.T) {
	tests := []struct {
		in   string
		want Service
		out  string // "" if as in
		err  string
	}{
		{in: "tcp/9600", want: Service{TCP, 9600, 9600}},
		{in: "udp/5000-5010", want: Service{UDP, 5000, 5010}},
		{in: "udp/5000-5000", want: Service{UDP, 5000, 5000}, out: "udp/5000"},
		{in: "l2/0x88b8", want: Service{L2, 0x88b8, 0x88b8}},
		{in: "ip/47", want: Service{OverIP, 47, 47}},
		{in: "tcp/0-65535", want: Service{TCP, 0, 65535}},
		{in: "tcp", err: `service "tcp": expected a transport and port such as tcp/9600 or udp/5000-5010`},
		{in: "http/80", err: `service "http/80": expected a transport and port such as tcp/9600 or udp/5000-5010`},
		{in: "tcp/65536", err: `service "tcp/65536": "65536" is not a number from 0 to 65535`},
		{in: "tcp/9-x", err: `service "tcp/9-x": "x" is not a number from 0 to 65535`},
		{in: "tcp/10-9", err: `service "tcp/10-9": the range runs downwards`},
	}
	for _, tt := range tests {
		got, err := ParseService(tt.in)
		if tt.err != "" {
			if err == nil || err.Error() != tt.err {
				t.Errorf("%q: error %v, want %s", tt.in, err, tt.err)
			}
			continue
		}
		if out := tt.out; err != nil || got != tt.want || out == "" && got.String() != tt.in || out != "" && got.String() != out {
			t.Errorf("%q: %v, %v; want %v", tt.in, got, err, tt.want)
		}
	}
	s := Service{UDP, 10, 20}
	for port, want := range map[uint16]bool{9: false, 10: true, 20: true, 21: false} {
		if s.Contains(UDP, port) != want || s.Contains(TCP, port) {
			t.Errorf("%v contains udp/%d: %v", s, port, !want)
		}
	}
}

func TestClasses(t *testing.T) {
	list := Classes()
	if len(slices.Compact(slices.Sorted(slices.Values(list)))) != len(list) {
		t.Error("a class is listed twice")
	}
	for _, c := range list {
		if c.IsDialogue() != (c == Session || c == Reply) {
			t.Errorf("%s.IsDialogue() = %v", c, c.IsDialogue())
		}
	}
}
