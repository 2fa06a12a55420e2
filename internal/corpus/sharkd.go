package corpus

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"net/netip"
	"os"
	"os/exec"
	"strings"
	"testing"
)

// Tool returns the path of a program that tests hold their results against. It
// skips the test if the program is not installed, unless CI is set: there it
// must be.
func Tool(t testing.TB, name string) string {
	t.Helper()
	path, err := exec.LookPath(name)
	switch {
	case err == nil:
		return path
	case os.Getenv("CI") != "":
		t.Fatalf("%s is not installed: on CI its tests must run", name)
	default:
		t.Skipf("%s is not installed (Debian's package tshark brings it)", name)
	}
	return ""
}

// Pair is two addresses in ascending order.
type Pair [2]netip.Addr

// Traffic counts frames, and bytes of whole frames, from the first address of a
// Pair and from the second. Between an address and itself all is from the first.
type Traffic struct{ Frames, Bytes [2]uint64 }

// Addresses is the traffic of every pair of addresses.
type Addresses map[Pair]Traffic

// Add counts frames from src to dst.
func (a Addresses) Add(src, dst netip.Addr, frames, bytes uint64) {
	k, from := Pair{src, dst}, 0
	if dst.Less(src) {
		k, from = Pair{dst, src}, 1
	}
	v := a[k]
	v.Frames[from] += frames
	v.Bytes[from] += bytes
	a[k] = v
}

// Sharkd is Wireshark's dissection as a server: one process that reads capture
// after capture, which tshark cannot, and whose numbers are exact where those of
// tshark's tables are rounded ("45 kB").
//
// Source: https://wiki.wireshark.org/Development/sharkd, JSON-RPC.
//
// A Sharkd may be used by one goroutine at a time.
type Sharkd struct {
	in  io.Writer
	out *bufio.Reader
	id  int
}

// StartSharkd starts a server that ends with the test.
func StartSharkd(t testing.TB) *Sharkd {
	t.Helper()
	cmd := exec.Command(Tool(t, "sharkd"), "-")
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		in.Close()
		if err := cmd.Wait(); err != nil {
			t.Errorf("sharkd: %v", err)
		}
	})
	return &Sharkd{in: in, out: bufio.NewReader(out)}
}

// ask sends a request.
func (s *Sharkd) ask(method string, params map[string]string) error {
	s.id++
	request := map[string]any{"jsonrpc": "2.0", "id": s.id, "method": method}
	if params != nil {
		request["params"] = params
	}
	b, err := json.Marshal(request)
	if err != nil {
		return err
	}
	if _, err := s.in.Write(append(b, '\n')); err != nil {
		return fmt.Errorf("sharkd: %s: %w", method, err)
	}
	return nil
}

// answer fills result with the answer to the last request. The error may be the
// server's own, to that request or to one before it that was not waited for.
func (s *Sharkd) answer(result any) error {
	var failed error
	for {
		line, err := s.out.ReadBytes('\n')
		if err != nil {
			return fmt.Errorf("sharkd: %w", err)
		}
		var a struct {
			ID     int
			Result json.RawMessage
			Error  *struct{ Message string }
		}
		if err := json.Unmarshal(line, &a); err != nil {
			return fmt.Errorf("sharkd: %w in %q", err, line)
		}
		if a.Error != nil {
			failed = fmt.Errorf("sharkd: %s", a.Error.Message)
		}
		switch {
		case a.ID < s.id:
			continue
		case failed != nil:
			return failed
		}
		if err := json.Unmarshal(a.Result, result); err != nil {
			return fmt.Errorf("sharkd: %w in %q", err, a.Result)
		}
		return nil
	}
}

// call asks and waits for the answer.
func (s *Sharkd) call(result any, method string, params map[string]string) error {
	if err := s.ask(method, params); err != nil {
		return err
	}
	return s.answer(result)
}

// Load reads the capture in file and returns the number of its frames. What is
// asked afterwards is asked of this capture. The error says that Wireshark does
// not read it.
func (s *Sharkd) Load(file string) (frames uint64, err error) {
	// A file that ends in damage is loaded up to there, and sharkd 4.0 forgets to
	// answer; the next request it does answer.
	if err := s.ask("load", map[string]string{"file": file}); err != nil {
		return 0, err
	}
	var status struct{ Frames uint64 }
	err = s.call(&status, "status", nil)
	return status.Frames, err
}

// Addresses returns the tables that tshark prints for "-z conv,ip -z conv,ipv6":
// one count for every IP header of a frame, those that an ICMP error quotes left
// out.
func (s *Sharkd) Addresses() (Addresses, error) {
	var tables struct {
		Taps []struct {
			Convs []struct {
				Filter   string // "ip.addr==10.0.0.1 && ip.addr==10.0.0.2"
				TxF, TxB uint64 // from the first of the two
				RxF, RxB uint64
			}
		}
	}
	if err := s.call(&tables, "tap", map[string]string{"tap0": "conv:IPv4", "tap1": "conv:IPv6"}); err != nil {
		return nil, err
	}
	sums := Addresses{}
	for _, tap := range tables.Taps {
		for _, c := range tap.Convs {
			a, b, ok := strings.Cut(c.Filter, " && ")
			first, err1 := netip.ParseAddr(a[strings.LastIndexByte(a, '=')+1:])
			second, err2 := netip.ParseAddr(b[strings.LastIndexByte(b, '=')+1:])
			if !ok || err1 != nil || err2 != nil {
				return nil, fmt.Errorf("sharkd: a conversation with the filter %q", c.Filter)
			}
			sums.Add(first, second, c.TxF, c.TxB)
			sums.Add(second, first, c.RxF, c.RxB)
		}
	}
	return sums, nil
}

// Count returns how many frames match a display filter.
func (s *Sharkd) Count(filter string) (uint64, error) {
	// sharkd keeps what a filter selected even when another capture is loaded, so
	// that no filter may be asked twice. No capture has that many frames.
	filter = fmt.Sprintf("(%s) && frame.number < %d", filter, 4_000_000_000+s.id)
	var frames []struct{}
	err := s.call(&frames, "frames", map[string]string{"filter": filter})
	return uint64(len(frames)), err
}
