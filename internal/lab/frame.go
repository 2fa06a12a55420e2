package lab

import (
	"time"

	"github.com/google/gopacket"
	"github.com/google/gopacket/layers"
)

// hopDelay is how long a router takes for a packet.
const hopDelay = 35 * time.Microsecond

// transport is a layer whose checksum covers the addresses below it.
type transport interface {
	gopacket.SerializableLayer
	SetNetworkLayerForChecksum(gopacket.NetworkLayer) error
}

// send puts an IP packet on every segment of its way, at the clock's time.
// Reach limits the way to that many segments, as a firewall does that drops the
// packet; 0 means all.
func (n *Net) send(from, to *Host, proto layers.IPProtocol, t gopacket.SerializableLayer, payload []byte, reach int) {
	from.id++
	at := n.now
	for i, h := range n.path(from, to) {
		if reach > 0 && i >= reach {
			break
		}
		var ip gopacket.SerializableLayer
		ether := layers.EthernetTypeIPv4
		if from.IP.Is4() {
			v4 := &layers.IPv4{Version: 4, Id: from.id, Flags: layers.IPv4DontFragment, TTL: h.ttl, Protocol: proto,
				SrcIP: from.IP.AsSlice(), DstIP: to.IP.AsSlice()}
			n.checksum(t, v4)
			ip = v4
		} else {
			v6 := &layers.IPv6{Version: 6, HopLimit: h.ttl, NextHeader: proto, SrcIP: from.IP.AsSlice(), DstIP: to.IP.AsSlice()}
			n.checksum(t, v6)
			ip, ether = v6, layers.EthernetTypeIPv6
		}
		n.emit(at, h, ether, ip, t, gopacket.Payload(payload))
		at = at.Add(hopDelay)
	}
	n.tick()
}

func (n *Net) checksum(t gopacket.SerializableLayer, ip gopacket.NetworkLayer) {
	if t, ok := t.(transport); ok {
		if err := t.SetNetworkLayerForChecksum(ip); err != nil {
			n.fail("checksum: %w", err)
		}
	}
}

// emit builds one Ethernet frame, tagged as its segment asks, padded to the least
// length of Ethernet, and hands it to the taps.
func (n *Net) emit(at time.Time, h hop, ether layers.EthernetType, above ...gopacket.SerializableLayer) {
	var stack []gopacket.SerializableLayer
	eth := &layers.Ethernet{SrcMAC: hardware(h.src), DstMAC: hardware(h.dst), EthernetType: ether}
	if h.segment.vlan != 0 {
		eth.EthernetType = layers.EthernetTypeDot1Q
		stack = append(stack, eth, &layers.Dot1Q{VLANIdentifier: h.segment.vlan, Type: ether})
	} else {
		stack = append(stack, eth)
	}
	buf := gopacket.NewSerializeBuffer()
	err := gopacket.SerializeLayers(buf, gopacket.SerializeOptions{FixLengths: true, ComputeChecksums: true}, append(stack, above...)...)
	if err != nil {
		n.fail("frame from %s: %w", h.src, err)
		return
	}
	for _, t := range n.taps {
		t.record(h.segment, at, buf.Bytes())
	}
}
