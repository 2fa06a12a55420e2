package cli

import (
	"strings"
	"testing"

	"bulkhead/rules"
)

func TestParseFlowName(t *testing.T) {
	for in, want := range map[string]flowName{
		"10.0.0.1,10.0.0.2":                   {"10.0.0.1", "10.0.0.2", 0, true},
		"10.0.0.1, 10.0.0.2:502":              {"10.0.0.1", "10.0.0.2", 502, false},
		"ops/hmi-1,bpcs/plc-1:102":            {"ops/hmi-1", "bpcs/plc-1", 102, false},
		"FD00::1,fd00:0::2":                   {"fd00::1", "fd00::2", 0, true},
		"fd00::1,fd00::2:502":                 {"fd00::1", "fd00::2:502", 0, true}, // an address as it stands
		"[fd00::1],[fd00::2]:502":             {"fd00::1", "fd00::2", 502, false},
		"fd00::1,[fd00::2]":                   {"fd00::1", "fd00::2", 0, true},
		"::ffff:10.0.0.1,10.0.0.2":            {"10.0.0.1", "10.0.0.2", 0, true},
		"00-80-63-5C-01-FA,01:80:c2:00:00:0e": {"00:80:63:5c:01:fa", "01:80:c2:00:00:0e", 0, true},
		"a/b,01:80:c2:00:00:0e:35020":         {"a/b", "01:80:c2:00:00:0e", 35020, false},
		"a/b,01:80:c2:00:00:0e:0x88cc":        {"a/b", "01:80:c2:00:00:0e", 35020, false},
		"10.0.0.1,10.0.0.2:0":                 {"10.0.0.1", "10.0.0.2", 0, false},
	} {
		got, err := parseFlowName(in)
		if err != nil || got != want {
			t.Errorf("%q: %+v, %v; want %+v", in, got, err, want)
		}
	}
	for in, want := range map[string]string{
		"":                    "expected CLIENT,SERVER",
		"a":                   "expected CLIENT,SERVER",
		",b":                  "expected CLIENT,SERVER",
		"a,":                  "expected CLIENT,SERVER",
		"a,b,c":               "expected CLIENT,SERVER",
		"a,b:":                `port ""`,
		"10.0.0.1,10.0.0.2:x": `port "x"`,
		"a,b:65536":           `port "65536"`,
		"a,b:-1":              `port "-1"`,
		"a,:502":              "expected CLIENT,SERVER",
	} {
		if got, err := parseFlowName(in); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %+v, %v; want an error with %q", in, got, err, want)
		}
	}
}

// A flow is found by the name that messages give it.
func FuzzFlowName(f *testing.F) {
	f.Add("10.0.0.1", "10.0.0.2", uint16(502), "ops/hmi-1")
	f.Add("fd00::1", "fd00::2", uint16(502), "")                       // brackets
	f.Add("00:80:63:5c:01:fa", "01:80:c2:00:00:0e", uint16(35020), "") // the port behind a MAC address
	f.Add("fe80::1", "00:80:63:5c:01:fa", uint16(0), "z/a")            // port 0
	f.Add("::", "::1", uint16(65535), "")                              // the shortest addresses
	f.Fuzz(func(t *testing.T, client, server string, port uint16, asset string) {
		for _, s := range []string{client, server} {
			if !isAddress(s) || endAddress(s) != s {
				t.Skip("flows hold addresses in their canonical form")
			}
		}
		if strings.ContainsAny(asset, ":,[] \t\r\n\v\f\u0085\u00a0") || strings.TrimSpace(asset) != asset || isAddress(asset) || endAddress(asset) != asset {
			t.Skip("no asset has such a name")
		}
		flow := &rules.Flow{Client: rules.FlowEnd{Address: client, Asset: asset}, Server: rules.FlowServer{FlowEnd: rules.FlowEnd{Address: server}, Port: port}}
		name, err := parseFlowName(nameOf(flow).String())
		if err != nil {
			t.Fatalf("%s: %v", nameOf(flow), err)
		}
		if !name.matches(flow) {
			t.Errorf("%s does not match its own flow", name)
		}
		other := *flow
		other.Server.Port++
		if name.matches(&other) {
			t.Errorf("%s matches port %d", name, other.Server.Port)
		}
	})
}
