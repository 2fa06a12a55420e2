package packet

import (
	"bytes"
	"testing"

	"bulkhead/capture/pcap"
	"bulkhead/internal/corpus"
	"bulkhead/internal/mac"
)

// checkPrefix parses a frame of which length bytes were on the wire and data were
// captured, and the same frame had only its first n bytes been captured. What the
// shorter one says must not contradict the longer one:
//
//   - If it was read as far as its outcome says, it has the same addresses, tags
//     and types.
//   - If it was cut in front of that, it has those that were in front of the cut.
//     Where a frame carries another, whose hosts take the place of its own, it may
//     have those of the carrier.
//   - It is malformed only if the whole frame is: what is missing is no fault.
//
// Ports are not compared where one of them was cut.
func checkPrefix(t *testing.T, link pcap.LinkType, length int, data []byte, n int) {
	t.Helper()
	var whole, part Packet
	wire := max(length, len(data))
	o, cutO := whole.Parse(link, wire, data), part.Parse(link, wire, data[:n])
	inside(t, &part, data[:n])
	inside(t, &whole, data)
	if cutO == Malformed && o != Malformed {
		t.Errorf("%d of %d bytes are malformed (%s), all are outcome %d %s", n, wire, part.Detail, o, whole.Detail)
	}
	carried := whole.nested > 0 || part.Detail == "802.11 a-msdu header" || part.Detail == "802.11 mesh control"
	if cutO == Truncated || cutO == Malformed {
		if part.Src.IsValid() && (part.Src != whole.Src || part.Dst != whole.Dst) {
			t.Errorf("%d of %d bytes are from %v to %v, all from %v to %v", n, wire, part.Src, part.Dst, whole.Src, whole.Dst)
		}
		if !carried && (part.SrcMAC != mac.Addr{} && part.SrcMAC != whole.SrcMAC || part.DstMAC != mac.Addr{} && part.DstMAC != whole.DstMAC) {
			t.Errorf("%d of %d bytes are from %v to %v, all from %v to %v", n, wire, part.SrcMAC, part.DstMAC, whole.SrcMAC, whole.DstMAC)
		}
		return
	}
	if part.Src != whole.Src || part.Dst != whole.Dst || part.SrcMAC != whole.SrcMAC || part.DstMAC != whole.DstMAC {
		t.Errorf("%d of %d bytes, outcome %d, are from %v %v to %v %v, all, outcome %d, from %v %v to %v %v", n, wire, cutO,
			part.SrcMAC, part.Src, part.DstMAC, part.Dst, o, whole.SrcMAC, whole.Src, whole.DstMAC, whole.Dst)
	}
	if part.VLANs != whole.VLANs || part.NumVLANs != whole.NumVLANs || part.EtherType != whole.EtherType ||
		part.SAP != whole.SAP || part.Org != whole.Org || part.OrgType != whole.OrgType {
		t.Errorf("%d of %d bytes have tags %v and type 0x%04x 0x%02x 0x%06x 0x%04x, all have %v, 0x%04x 0x%02x 0x%06x 0x%04x", n, wire,
			part.VLANs, part.EtherType, part.SAP, part.Org, part.OrgType, whole.VLANs, whole.EtherType, whole.SAP, whole.Org, whole.OrgType)
	}
}

// inside checks that what p says is carried lies within the frame, and that no
// length on the wire is below what was captured.
func inside(t *testing.T, p *Packet, frame []byte) {
	t.Helper()
	if p.PayloadLength < len(p.Payload) || p.PayloadLength < 0 {
		t.Errorf("a payload of %d bytes was captured and %d were on the wire", len(p.Payload), p.PayloadLength)
	}
	at := 0
	if len(p.Payload) > 0 {
		for at < len(frame) && &frame[at] != &p.Payload[0] {
			at++
		}
	}
	if at+len(p.Payload) > len(frame) {
		t.Errorf("a payload of %d bytes does not lie in the frame of %d", len(p.Payload), len(frame))
	}
}

func FuzzPrefix(f *testing.F) {
	add := func(link uint16, cut uint16, digits ...string) { f.Add(link, cut, 0, bytesOf(f, digits...)) }
	add(1, 20, macs+ip4+segment+"0102 a036 88fb")                                                             // a trailer that the cut takes away
	add(1, 24, macs+"8847 00010 140 0000 0007"+macs+ip4+segment)                                              // a pseudowire, cut where it is guessed
	add(1, 30, macs+"8847 00010 140 6480f40e1199 001b1b112299"+ip4+segment)                                   // one that looks like IPv6
	add(1, 24, macs+"88e5 20 00 00000001 001b1b112233 0001"+ip4+segment+"00000000000000000000000000000000")   // a tag of 14 bytes, cut at 10
	add(1, 20, macs+"88e7 00000123"+macs+"8100 0078"+ip4+segment)                                             // a frame in a frame
	add(1, 16, "01000c000000 001b1b112233 0060 aaaa03 00000c 00f1 0000 0000"+macs+ip4+segment)                // a trunk, cut where it is told from a group
	add(1, 22, macs+"8864 11 00 0001 0032 0021"+segment)                                                      // one byte of a protocol of two
	add(1, 30, macs+"894f 0006 0103 000001ff 00000000 00000000 00000000 00000000"+macs+ip4+segment)           // a header that says how long it is
	add(9, 1, "ff03 0021"+segment)                                                                            // an address without control
	add(9, 0, "31")                                                                                           // a protocol of one byte, of which none was captured
	add(105, 30, "8802 0000 0080f40e1122 001122334455 001b1b112233 1000 8000"+macs+"0038 aaaa03 000000 0800") // an aggregate
	add(105, 28, "8803 0000 0080f40e1122 001122334455 001b1b112233 1000 001b1b112233 0001 02 1f 01000000"+macs)
	add(107, 4, "1841 03 00 80 000000 0800"+segment)                                                               // a pad and nothing behind it
	add(119, 3, "80211001 00000040")                                                                               // the word that tells two headers apart
	add(127, 26, "0000 1900 03000080 00000000 00000000 1122334455667788 20")                                       // fields that are not all there
	add(239, 20, "02 00 0000 0800 0100 08000300 1000 0800 0006 0000 001b1b112233 0000 3400 0900"+segment)          // half an attribute
	add(241, 7, "00063e00 55555555555555d5"+macs+ip4+segment+four)                                                 // half a preamble
	add(117, 30, "3d02 00000000 00000000 00000000 00000000 00000000 00000000 00000000 00000000 00000000 00000000") // the length of a header in its first byte
	add(1, 17, "01000c000000 001b1b112233 0003 424203")                                                            // a frame to the trunks' group that is shorter than their header
	add(113, 22, "0000 0323 0006 001b1b112299 0000 0000 0000 0800 00000000 0801 0000 001122334455"+macs)           // a sender in front of another one
	for _, c := range linkCases(f) {
		b := bytesOf(f, c.frame)
		f.Add(uint16(c.link), uint16(len(b)/2), c.cut, b)
	}
	f.Fuzz(func(t *testing.T, link, n uint16, more int, data []byte) {
		checkPrefix(t, pcap.LinkType(link), len(data)+max(more, 0)%(1<<20), data, min(int(n), len(data)))
	})
}

// TestPrefixesOfCorpus cuts every frame of the corpus once, at a place that
// depends on its number.
func TestPrefixesOfCorpus(t *testing.T) {
	for _, row := range corpus.Table(t, "index.tsv") {
		r, err := pcap.NewReader(bytes.NewReader(corpus.Read(t, row[0])))
		if err != nil {
			continue
		}
		for {
			f, err := r.Next()
			if _, damage := err.(*pcap.DamageError); damage {
				continue
			}
			if err != nil {
				break
			}
			if len(f.Data) > 0 {
				checkPrefix(t, f.Link, f.Length, f.Data, int(f.Number*7)%min(len(f.Data), 128))
			}
		}
		if t.Failed() {
			t.Fatalf("in %s", row[0])
		}
	}
}
