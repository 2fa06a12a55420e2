package observe_test

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/netip"
	"slices"
	"testing"

	"bulkhead/capture"
	"bulkhead/capture/observe"
	"bulkhead/capture/packet"
	"bulkhead/capture/pcap"
	"bulkhead/internal/corpus"
)

// variants are the captures that are rewritten: of the main protocols, of both
// byte orders, of pcap and pcapng, and of one link type each, none damaged.
var variants = []string{
	"ITI+ICS-Security-Tools/pcaps/ModbusTCP/mb2.pcap",
	"ITI+ICS-Security-Tools/pcaps/ModbusTCP/modbus_test_data_part1.pcap",
	"ITI+ICS-Security-Tools/pcaps/bro/modbus/modbusSmall.pcap",
	"ITI+ICS-Security-Tools/pcaps/openics/EIP-RebootorRestart.pcap",
	"ITI+ICS-Security-Tools/pcaps/openics/EIP-SoftwareDownloadFailure.pcap",
	"ITI+ICS-Security-Tools/pcaps/s7/s7comm_downloading_block_db1.pcap",
	"ITI+ICS-Security-Tools/pcaps/s7/s7comm_reading_plc_status.pcap",
	"ITI+ICS-Security-Tools/pcaps/dnp3/dnp3_test_data_part1.pcap",
	"ITI+ICS-Security-Tools/pcaps/IEC60870-5-104/JavaRMI_and_IEC_Misc.pcap",
	"ITI+ICS-Security-Tools/pcaps/IEC61850/GOOSE/Sample_File_GOOSE.pcap",
	"ITI+ICS-Security-Tools/pcaps/C37.118/C37118/c37118_1100_unclean.pcap",
	"ITI+ICS-Security-Tools/pcaps/beckoff/addroute1.pcapng",
	"cisagov+icsnpp-opcua-binary/pcaps/open62541_browse_next.pcap",
	"cisagov+icsnpp-profinet-io-cm/testing/traces/profinet_io_cm_mixed_2.pcapng",
	"cisagov+icsnpp-hart-ip/testing/traces/hart-ip_all_types_and_commands_sent.pcapng",
	"fkie-cad+ipal_transcriber/misc/pcaps/ethercat.pcapng",
	"zeek+zeek/testing/btest/Traces/snmp/snmpwalk-short.pcap",
	"zeek+zeek/testing/btest/Traces/smb/raw_ntlm_in_smb.pcap",
	"zeek+zeek/testing/btest/Traces/rfb/vnc-mac-to-linux.pcap",
	"zeek+zeek/testing/btest/Traces/ntp/ntp2.pcap",
	"ntop+nDPI/tests/cfgs/default/pcap/sctp.cap", // big-endian
	"ntop+nDPI/tests/cfgs/default/pcap/ssh.pcap",
	"ntop+nDPI/tests/cfgs/default/pcap/ftp.pcap",
	"OISF+suricata-verify/tests/nfs3-01/input.pcap", // big-endian
	"OISF+suricata-verify/tests/http-pipeline-files-with-gap/input.pcap",
	"OISF+suricata-verify/tests/smtp-startssl/input.pcap",
	"OISF+suricata-verify/tests/bug-4663-03/icmp_and_ssh.pcap",
}

// recording is a capture taken apart.
type recording struct {
	name   string
	file   []byte
	frames []pcap.Frame
}

// forEachVariant runs test on every capture of variants, or under go test -short
// on every third.
func forEachVariant(t *testing.T, test func(t *testing.T, r recording)) {
	for i, name := range variants {
		if testing.Short() && i%3 != 0 {
			continue
		}
		t.Run(name, func(t *testing.T) {
			r := recording{name: name, file: corpus.Read(t, "captures/"+name)}
			r.frames = frames(t, r.file)
			for _, f := range r.frames {
				if f.Link != r.frames[0].Link {
					t.Fatal("frames of several link types; choose another capture")
				}
			}
			test(t, r)
		})
	}
}

// frames reads all frames of a file, with copies of their data.
func frames(t testing.TB, file []byte) []pcap.Frame {
	t.Helper()
	r, err := pcap.NewReader(bytes.NewReader(file))
	if err != nil {
		t.Fatal(err)
	}
	var all []pcap.Frame
	for {
		f, err := r.Next()
		if errors.Is(err, io.EOF) {
			return all
		}
		if err != nil {
			t.Fatal(err)
		}
		f.Data = bytes.Clone(f.Data)
		all = append(all, f)
	}
}

// written returns frames as a pcapng file.
func written(t testing.TB, frames []pcap.Frame) []byte {
	t.Helper()
	var b bytes.Buffer
	w, err := pcap.NewWriter(&b, pcap.WriterOptions{Link: frames[0].Link, Nanosecond: true})
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range frames {
		if err := w.WriteFrame(f.Time, f.Data, f.Length); err != nil {
			t.Fatal(err)
		}
	}
	return b.Bytes()
}

// stripped returns o as JSON without what the fields named say, and, with
// "frames", without the lists of frames (their number stays).
func stripped(t testing.TB, o *capture.Observations, fields ...string) string {
	t.Helper()
	b, err := json.Marshal(o)
	if err != nil {
		t.Fatal(err)
	}
	var v any
	d := json.NewDecoder(bytes.NewReader(b))
	d.UseNumber()
	if err := d.Decode(&v); err != nil {
		t.Fatal(err)
	}
	strip(v, fields)
	b, err = json.MarshalIndent(v, "", " ")
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func strip(v any, fields []string) {
	switch v := v.(type) {
	case []any:
		for _, e := range v {
			strip(e, fields)
		}
	case map[string]any:
		for k, e := range v {
			_, list := e.([]any)
			if slices.Contains(fields, k) && (k != "frames" || list) {
				delete(v, k)
				continue
			}
			strip(e, fields)
		}
	}
}

// withoutFile takes out of o what is said of its one file and not of what the
// file holds.
func withoutFile(o *capture.Observations) *capture.Observations {
	c := &o.Captures[0]
	c.SHA256, c.Bytes, c.Format = "", 0, ""
	return o
}

// same reports where a and b, of the same text otherwise, begin to differ.
func same(t *testing.T, what, a, b string) {
	t.Helper()
	if a == b {
		return
	}
	x, y := bytes.Split([]byte(a), []byte("\n")), bytes.Split([]byte(b), []byte("\n"))
	for i := range min(len(x), len(y)) {
		if !bytes.Equal(x[i], y[i]) {
			lo := max(0, i-12)
			t.Errorf("%s\nwant\n%s\ngot\n%s", what, bytes.Join(x[lo:min(i+4, len(x))], []byte("\n")), bytes.Join(y[lo:min(i+4, len(y))], []byte("\n")))
			return
		}
	}
	t.Errorf("%s: one is longer: %d and %d lines", what, len(x), len(y))
}

// operation tells apart what is counted over several captures. Sides are named
// by address, since who asks may be told in one capture and guessed in another.
type operation struct {
	protocol   capture.Protocol
	code, name string
	from, to   netip.Addr
}

// operations counts PDUs by operation.
func operations(o *capture.Observations) map[operation]uint64 {
	counts := map[operation]uint64{}
	for i := range o.Conversations {
		c := &o.Conversations[i]
		for j := range c.Operations {
			op := &c.Operations[j]
			counts[operationOf(c, op)] += op.Count
		}
	}
	return counts
}

func operationOf(c *capture.Conversation, op *capture.Operation) operation {
	from, to := c.Client.IP, c.Server.IP
	if op.From == capture.FromServer {
		from, to = to, from
	}
	return operation{op.Protocol, op.Code, op.Name, from, to}
}

// A capture that is written again frame by frame shows what it showed before, but
// for the precision of its times. The other tests rest on this.
func TestRewritten(t *testing.T) {
	forEachVariant(t, func(t *testing.T, r recording) {
		before := withoutFile(observed(t, everyFrame(1), input(r.name, r.file)))
		after := withoutFile(observed(t, everyFrame(1), input(r.name, written(t, r.frames))))
		same(t, "rewritten", stripped(t, before, "first", "last"), stripped(t, after, "first", "last"))
	})
}

// A capture split at every tenth frame into captures of their own. Over the
// pieces, these are the same as in the whole:
//
//   - the frames, and each number of the ledger, with what is a fragment: whether
//     its packet is whole may depend on the piece;
//   - packets and bytes of every pair of addresses, by direction;
//   - operations, but those that splitDiffers names.
//
// What may differ, because a piece does not know the pieces before it:
//
//   - roles and protocols, and so the number of conversations and connections;
//   - segments sent again in a later piece, which are new there.
func TestSplit(t *testing.T) {
	const every = 10
	forEachVariant(t, func(t *testing.T, r recording) {
		whole := observed(t, everyFrame(1), input(r.name, r.file))
		var pieces []observe.Input
		for piece := range slices.Chunk(r.frames, every) {
			pieces = append(pieces, input(fmt.Sprintf("%s %06d", r.name, len(pieces)), written(t, piece)))
		}
		parts := observed(t, everyFrame(0), pieces...)
		if len(parts.Captures) != len(pieces) {
			t.Fatalf("%d captures of %d pieces", len(parts.Captures), len(pieces))
		}
		var sum capture.Ledger
		for i := range parts.Captures {
			c := &parts.Captures[i]
			if c.Ledger.Sum() != c.Frames {
				t.Errorf("%s: the ledger sums to %d of %d frames", c.Path, c.Ledger.Sum(), c.Frames)
			}
			addLedger(&sum, &c.Ledger)
		}
		if got, want := ledgerNumbers(&sum), ledgerNumbers(&whole.Captures[0].Ledger); got != want {
			t.Errorf("the ledgers sum to %+v, that of the whole is %+v", got, want)
		}
		if pairs := unequal(byAddress(parts), byAddress(whole)); len(pairs) > 0 {
			t.Errorf("traffic of %v: %v, in the whole %v", pairs, byAddress(parts)[pairs[0]], byAddress(whole)[pairs[0]])
		}
		var got []string
		before, after := operations(whole), operations(parts)
		for k, n := range before {
			if after[k] != n {
				got = append(got, fmt.Sprintf("%s %s: %d in the whole, %d in the pieces", k.protocol, k.code, n, after[k]))
			}
			delete(after, k)
		}
		for k, n := range after {
			got = append(got, fmt.Sprintf("%s %s: 0 in the whole, %d in the pieces", k.protocol, k.code, n))
		}
		slices.Sort(got)
		if want := splitDiffers[r.name].counts; !slices.Equal(got, want) {
			t.Errorf("operations differ: %q, expected %q", got, want)
		}
	})
}

// splitDiffers are the counts of operations that splitting changes, and why.
var splitDiffers = map[string]struct {
	counts []string
	why    string
}{
	"ITI+ICS-Security-Tools/pcaps/ModbusTCP/mb2.pcap": {
		[]string{"modbus 4: 10 in the whole, 25 in the pieces"},
		"segments that are sent again in a later piece: there they are new",
	},
	"ITI+ICS-Security-Tools/pcaps/ModbusTCP/modbus_test_data_part1.pcap": {
		[]string{"modbus 42: 1 in the whole, 0 in the pieces"},
		"frames 88 to 90 say that the host at port 502 is the client; in the piece with frame 111 its port says that it is the server",
	},
}

// addLedger adds the numbers of l to sum.
func addLedger(sum, l *capture.Ledger) {
	sum.Decoded += l.Decoded
	sum.OtherL2 += l.OtherL2
	sum.OtherIP += l.OtherIP
	sum.Fragment += l.Fragment
	sum.UnknownLink += l.UnknownLink
	sum.Truncated += l.Truncated
	sum.Malformed += l.Malformed
	sum.Duplicate += l.Duplicate
}

// ledgerNumbers returns the numbers of l, fragments among what is decoded.
func ledgerNumbers(l *capture.Ledger) [7]uint64 {
	return [...]uint64{l.Decoded + l.Fragment, l.OtherL2, l.OtherIP, l.UnknownLink, l.Truncated, l.Malformed, l.Duplicate}
}

// reach is by how many frames a frame is moved at most.
const reach = 3

// A capture in which frames have changed places within a few positions, as
// parallel queues and merged taps leave them: the segments of one direction of a
// TCP connection whose handshake is in the capture, which come into order again
// by their sequence numbers, and frames of different pairs of hosts, which have
// nothing to do with each other. Nothing changes but
//
//   - the numbers of frames, and which frame is the example;
//   - for how long the clock ran forwards, since it now jumps back.
func TestShuffled(t *testing.T) {
	forEachVariant(t, func(t *testing.T, r recording) {
		other, moved := shuffled(r.frames)
		before := withoutFile(observed(t, everyFrame(1), input(r.name, written(t, r.frames))))
		after := withoutFile(observed(t, everyFrame(1), input(r.name, written(t, other))))
		fields := []string{"frame", "frames", "example", "watched_ms"}
		same(t, fmt.Sprintf("%d of %d frames moved", moved, len(other)), stripped(t, before, fields...), stripped(t, after, fields...))
	})
}

// shuffled returns frames with neighbours exchanged at random, as TestShuffled
// says, and how many moved.
func shuffled(in []pcap.Frame) (out []pcap.Frame, moved int) {
	type place struct {
		head packet.Packet
		from int // where it stood
	}
	places := make([]place, len(in))
	opened := map[[2]netip.AddrPort]int{} // where a direction's SYN stands
	for i, f := range in {
		p := &places[i]
		p.from = i
		p.head.Parse(f.Link, f.Length, f.Data)
		if p.head.Flags.Has(packet.SYN) {
			opened[direction(&p.head)] = i
		}
	}
	mayPass := func(a, b *place) bool {
		p, q := &a.head, &b.head
		if !p.Src.IsValid() || !q.Src.IsValid() || p.ICMPType != 0 || q.ICMPType != 0 {
			return false // straight on the link, or about another packet
		}
		if p.Src != q.Src && p.Src != q.Dst && p.Dst != q.Src && p.Dst != q.Dst {
			return true
		}
		data := func(p *packet.Packet) bool {
			return p.Proto == protoTCP && p.PayloadLength > 0 && !p.Flags.Has(packet.SYN) && !p.Flags.Has(packet.FIN) && !p.Flags.Has(packet.RST)
		}
		if !data(p) || !data(q) || direction(p) != direction(q) {
			return false
		}
		at, ok := opened[direction(p)]
		return ok && at < min(a.from, b.from)
	}
	rnd := rand.New(rand.NewPCG(5, 6))
	for range reach {
		for i := 1; i < len(places); i++ {
			a, b := &places[i-1], &places[i]
			if rnd.IntN(2) == 0 && abs(i-a.from) <= reach && abs(i-1-b.from) <= reach && mayPass(a, b) {
				places[i-1], places[i] = places[i], places[i-1]
			}
		}
	}
	for i, p := range places {
		out = append(out, in[p.from])
		if p.from != i {
			moved++
		}
	}
	return out, moved
}

// direction is who sends to whom.
func direction(p *packet.Packet) [2]netip.AddrPort {
	return [2]netip.AddrPort{netip.AddrPortFrom(p.Src, p.SrcPort), netip.AddrPortFrom(p.Dst, p.DstPort)}
}

func abs(n int) int { return max(n, -n) }

// doubled returns frames, each twice in a row.
func doubled(in []pcap.Frame) (out []pcap.Frame) {
	for _, f := range in {
		out = append(out, f, f)
	}
	return out
}

// A capture that has every frame twice, where every frame is to count. Frames,
// packets, bytes and the ledger double, and with them what is no TCP: that a
// datagram was sent twice may have been meant. Over TCP all else is the same, as
// a segment that was there before is not read again.
func TestDoubledCounted(t *testing.T) {
	forEachVariant(t, func(t *testing.T, r recording) {
		before := observed(t, everyFrame(1), input(r.name, written(t, r.frames)))
		after := observed(t, everyFrame(1), input(r.name, written(t, doubled(r.frames))))
		if len(before.Conversations) != len(after.Conversations) {
			t.Fatalf("%d conversations, before %d", len(after.Conversations), len(before.Conversations))
		}
		a, b := ledgerNumbers(&before.Captures[0].Ledger), ledgerNumbers(&after.Captures[0].Ledger)
		for i := range a {
			a[i] *= 2
		}
		if a != b {
			t.Errorf("ledger %v, twice what it was is %v", b, a)
		}
		twice := func(v capture.Volume) capture.Volume {
			return capture.Volume{Sent: 2 * v.Sent, Received: 2 * v.Received}
		}
		for i := range before.Conversations {
			c, d := &before.Conversations[i], &after.Conversations[i]
			if d.Packets != twice(c.Packets) || d.Bytes != twice(c.Bytes) {
				t.Errorf("%s: %+v and %+v, before %+v and %+v", c.Example.FiveTuple, d.Packets, d.Bytes, c.Packets, c.Bytes)
			}
			if c.Transport != capture.TCP {
				continue
			}
			one := capture.Observations{Conversations: []capture.Conversation{*c}}
			two := capture.Observations{Conversations: []capture.Conversation{*d}}
			fields := []string{"frame", "frames", "example", "packets", "links"}
			one.Conversations[0].Bytes, two.Conversations[0].Bytes = capture.Volume{}, capture.Volume{}
			same(t, c.Example.FiveTuple, stripped(t, &one, fields...), stripped(t, &two, fields...))
		}
	})
}

// A capture that has every frame twice, where duplicates are found. All is the
// same but
//
//   - the frames of the file, of which half are duplicates, and their numbers;
//   - the links, which count what was captured;
//   - frames that a host may well send twice at once (see mayRepeat), which count
//     as often as they are there.
func TestDoubledFound(t *testing.T) {
	forEachVariant(t, func(t *testing.T, r recording) {
		before := withoutFile(observed(t, observe.Options{Jobs: 1}, input(r.name, written(t, r.frames))))
		after := withoutFile(observed(t, observe.Options{Jobs: 1}, input(r.name, written(t, doubled(r.frames)))))
		want := byAddress(before)
		repeated, onLink := uint64(0), false
		for _, f := range r.frames {
			var p packet.Packet
			p.Parse(f.Link, f.Length, f.Data)
			if mayRepeat(&p) {
				repeated++
				onLink = onLink || !p.Src.IsValid()
				if p.Src.IsValid() {
					want.Add(p.Src, p.Dst, 1, uint64(f.Length))
				}
			}
		}
		if pairs := unequal(want, byAddress(after)); len(pairs) > 0 {
			t.Errorf("traffic of %v: %v, expected %v", pairs, byAddress(after)[pairs[0]], want[pairs[0]])
		}
		a, b := &before.Captures[0], &after.Captures[0]
		n := uint64(len(r.frames))
		if b.Frames != 2*n || b.Ledger.Sum() != 2*n || b.Ledger.Duplicate != a.Ledger.Duplicate+n-repeated {
			t.Errorf("%d frames, ledger %+v; before %d frames, ledger %+v, and %d that a host may repeat", b.Frames, b.Ledger, n, a.Ledger, repeated)
		}
		before.Captures, after.Captures = nil, nil
		fields := []string{"frame", "frames", "example", "duplicates", "links"}
		if repeated > 0 {
			fields = append(fields, "packets", "bytes", "payload") // compared by address above; of EtherCAT the payload too
			for _, o := range []*capture.Observations{before, after} {
				for i := range o.Endpoints {
					o.Endpoints[i].Frames = 0
				}
			}
		}
		if onLink {
			fields = append(fields, "operations") // of EtherCAT
		}
		same(t, "duplicates", stripped(t, before, fields...), stripped(t, after, fields...))
	})
}

// mayRepeat reports whether an equal frame may follow at once and be none that
// was captured twice: a TCP segment without data whose IP header does not number
// it, which a receiver repeats for every segment out of order, and the process
// data of fieldbuses.
func mayRepeat(p *packet.Packet) bool {
	if !p.Src.IsValid() {
		return p.EtherType == 0x88a4 // EtherCAT
	}
	return p.Proto == protoTCP && p.PayloadLength == 0 && p.IPID == 0
}

const protoTCP = 6

// A capture that misses its last byte, as it lies in the corpus and as pcapng:
// the last frame is lost, or nothing if the file ends in a block of another
// kind; the damage is reported where that frame or block begins, and all else is
// as if it had never been there.
func TestTruncated(t *testing.T) {
	forEachVariant(t, func(t *testing.T, r recording) {
		for _, file := range [][]byte{r.file, written(t, r.frames)} {
			all := frames(t, file)
			at := lastRecord(file, all)
			lost := uint64(0)
			if at == all[len(all)-1].Offset {
				lost = 1
			}
			whole := observed(t, everyFrame(1), input(r.name, file[:at]))
			short := observed(t, everyFrame(1), input(r.name, file[:len(file)-1]))
			c := &short.Captures[0]
			if c.Complete || len(c.Errors) != 1 || c.Errors[0].Offset != at {
				t.Errorf("complete %t, errors %v, expected one at offset %d", c.Complete, c.Errors, at)
			}
			if c.Frames != uint64(len(all))-lost {
				t.Errorf("%d frames of %d, expected %d less", c.Frames, len(all), lost)
			}
			same(t, "missing its last byte", stripped(t, withoutFile(whole), "complete", "errors"), stripped(t, withoutFile(short), "complete", "errors"))
		}
	})
}

// lastRecord returns where the last record of a pcap file or the last block of a
// pcapng file begins.
func lastRecord(file []byte, frames []pcap.Frame) int64 {
	if binary.BigEndian.Uint32(file) != 0x0a0d0d0a {
		return frames[len(frames)-1].Offset
	}
	end := file[len(file)-4:] // a block ends in its length
	for _, order := range []binary.ByteOrder{binary.LittleEndian, binary.BigEndian} {
		at := len(file) - int(order.Uint32(end))
		if 0 <= at && at+8 <= len(file) && bytes.Equal(file[at+4:at+8], end) {
			return int64(at)
		}
	}
	return -1
}

// snap is how many bytes of a frame a cut capture keeps.
const snap = 96

// A capture that was made with a short snap length. The same are
//
//   - the ledger, as all headers lie within the snap;
//   - packets and bytes of every pair of addresses, which are those on the wire,
//     and payloads;
//   - all, if no payload of TCP and no message with a decoder was cut.
//
// What differs: of each operation no more is found than before, and of those
// whose frames were all whole nothing is missing. The bytes that were cut from a
// stream are lost bytes, to the last one, but those that an earlier segment has.
func TestSnapped(t *testing.T) {
	forEachVariant(t, func(t *testing.T, r recording) {
		cut := slices.Clone(r.frames)
		for i := range cut {
			cut[i].Data = cut[i].Data[:min(snap, len(cut[i].Data))]
		}
		before := observed(t, everyFrame(1), input(r.name, written(t, r.frames)))
		after := observed(t, everyFrame(1), input(r.name, written(t, cut)))
		if a, b := ledgerNumbers(&before.Captures[0].Ledger), ledgerNumbers(&after.Captures[0].Ledger); a != b {
			t.Errorf("ledger %v, before %v", b, a)
		}
		if pairs := unequal(byAddress(before), byAddress(after)); len(pairs) > 0 {
			t.Errorf("traffic of %v: %v, before %v", pairs, byAddress(after)[pairs[0]], byAddress(before)[pairs[0]])
		}
		payloads := func(o *capture.Observations) (payload, lost uint64) {
			for _, c := range o.Conversations {
				payload += c.Payload.Sent + c.Payload.Received
				lost += c.LostBytes
			}
			return payload, lost
		}
		payload, lost := payloads(before)
		cutPayload, cutLost := payloads(after)
		if cutPayload != payload {
			t.Errorf("%d bytes of payload, before %d", cutPayload, payload)
		}
		if want := lost + bytesCut(r.frames, cut); cutLost != want {
			t.Errorf("%d lost bytes, expected %d", cutLost, want)
		}

		was, is := operations(before), operations(after)
		for k, n := range is {
			if n > was[k] {
				t.Errorf("%s %s: %d, before %d", k.protocol, k.code, n, was[k])
			}
		}
		for k, n := range wholeOperations(before, r.frames) {
			if is[k] < n {
				t.Errorf("%s %s: %d, and %d lie in frames that are whole", k.protocol, k.code, is[k], n)
			}
		}
	})
}

// wholeOperations counts the frames that complete an operation and that a short
// snap leaves whole, as far as o lists them.
func wholeOperations(o *capture.Observations, frames []pcap.Frame) map[operation]uint64 {
	counts := map[operation]uint64{}
	for i := range o.Conversations {
		c := &o.Conversations[i]
		for j := range c.Operations {
			op := &c.Operations[j]
			for _, at := range op.Frames {
				if len(frames[at.Frame-1].Data) <= snap {
					counts[operationOf(c, op)]++
				}
			}
		}
	}
	return counts
}

// bytesCut returns how many bytes of TCP streams are in whole and not in cut,
// which has the same frames, or are there only later than where they were cut: a
// slow account of every sequence number.
func bytesCut(whole, cut []pcap.Frame) (lost uint64) {
	held := map[[2]netip.AddrPort]map[uint32]bool{} // false where the byte was cut
	for i := range whole {
		var p, q packet.Packet
		p.Parse(whole[i].Link, whole[i].Length, whole[i].Data)
		q.Parse(cut[i].Link, cut[i].Length, cut[i].Data)
		if p.Proto != protoTCP {
			continue
		}
		stream := held[direction(&p)]
		if stream == nil {
			stream = map[uint32]bool{}
			held[direction(&p)] = stream
		}
		for at := range p.Payload {
			seq := p.Seq + uint32(at)
			if _, known := stream[seq]; !known {
				stream[seq] = at < len(q.Payload)
				if at >= len(q.Payload) {
					lost++
				}
			}
		}
	}
	return lost
}
