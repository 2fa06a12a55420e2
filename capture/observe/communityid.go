package observe

import (
	"crypto/sha1"
	"encoding/base64"
	"encoding/binary"
	"net/netip"
)

// IP protocol numbers. Source: IANA, Assigned Internet Protocol Numbers.
const (
	protoICMP   = 1
	protoTCP    = 6
	protoUDP    = 17
	protoICMPv6 = 58
	protoSCTP   = 132
)

// tuple is what a community id is made of. For ICMP the ports are the message's
// type and code.
type tuple struct {
	src, dst         netip.Addr
	proto            uint8
	srcPort, dstPort uint16
}

// communityID returns the flow hash that Zeek, Suricata, Wireshark and others
// print, so that a conversation can be found again there.
//
// Source: https://github.com/corelight/community-id-spec, version 1, seed 0.
func communityID(t tuple) string {
	oneWay := false
	switch t.proto {
	case protoICMP:
		t.dstPort, oneWay = counterpart(icmpPairs[:], t.srcPort, t.dstPort)
	case protoICMPv6:
		t.dstPort, oneWay = counterpart(icmp6Pairs[:], t.srcPort, t.dstPort)
	}
	if order := t.dst.Compare(t.src); !oneWay && (order < 0 || order == 0 && t.dstPort < t.srcPort) {
		t.src, t.dst = t.dst, t.src
		t.srcPort, t.dstPort = t.dstPort, t.srcPort
	}
	b := make([]byte, 2, 40) // the seed, 0
	b = append(b, t.src.AsSlice()...)
	b = append(b, t.dst.AsSlice()...)
	b = append(b, t.proto, 0)
	switch t.proto {
	case protoTCP, protoUDP, protoSCTP, protoICMP, protoICMPv6:
		b = binary.BigEndian.AppendUint16(b, t.srcPort)
		b = binary.BigEndian.AppendUint16(b, t.dstPort)
	}
	sum := sha1.Sum(b)
	return "1:" + base64.StdEncoding.EncodeToString(sum[:])
}

// The ICMP messages that ask, each with the one that answers. Source: the
// specification's reference implementation.
var (
	icmpPairs  = [...][2]uint16{{8, 0}, {13, 14}, {15, 16}, {10, 9}, {17, 18}}
	icmp6Pairs = [...][2]uint16{{128, 129}, {133, 134}, {135, 136}, {130, 131}, {139, 140}, {144, 145}}
)

// counterpart returns what stands for the destination port of an ICMP message:
// the type that answers it or that it answers, or its code if nothing does.
func counterpart(pairs [][2]uint16, kind, code uint16) (port uint16, oneWay bool) {
	for _, p := range pairs {
		switch kind {
		case p[0]:
			return p[1], false
		case p[1]:
			return p[0], false
		}
	}
	return code, true
}
