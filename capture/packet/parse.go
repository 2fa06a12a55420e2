package packet

import (
	"encoding/binary"

	"bulkhead/capture/pcap"
)

// Parse fills p from a frame of which data were captured and length bytes were
// on the wire, and reports how far it came. What p held before is forgotten.
//
// Headers up to the one that the Outcome speaks of have filled their fields,
// whatever the Outcome. Parse allocates nothing.
func (p *Packet) Parse(link pcap.LinkType, length int, data []byte) Outcome {
	wire := max(length, len(data))
	if link == pcap.LinkEthernet {
		if o, ok := p.usual(data, wire); ok {
			return o
		}
	}
	p.forget()
	switch link {
	case pcap.LinkEthernet:
		return p.ethernet(data, wire)
	case pcap.LinkLinuxSLL:
		return p.cooked(data, wire)
	case pcap.LinkLinuxSLL2:
		return p.cooked2(data, wire)
	case pcap.LinkNull, pcap.LinkLoop:
		return p.loopback(data, wire)
	case pcap.LinkRaw, pcap.LinkRawBSD, pcap.LinkRawOther:
		return p.rawIP(data, wire)
	case pcap.LinkIPv4:
		return p.ipv4(data, wire)
	case pcap.LinkIPv6:
		return p.ipv6(data, wire)
	case linkPPP, linkPPPHDLC:
		return p.hdlc(data, wire)
	case linkPPPEther:
		return p.pppoe(data, wire)
	case linkCiscoHDLC:
		return p.ciscoHDLC(data, wire)
	case linkPPPDir, linkCiscoHDLCDir, linkFRelayDir:
		return p.directed(link, data, wire)
	case linkFrameRelay:
		return p.frameRelay(data, wire)
	case linkWiFi:
		return p.wifi(data, wire, false)
	case linkRadiotap:
		return p.radiotap(data, wire)
	case linkPrism:
		return p.prism(data, wire)
	case linkAVS:
		return p.avs(data, wire)
	case linkPPI:
		return p.ppi(data, wire)
	case link802154FCS, link802154:
		return p.personalArea(data, wire)
	case linkENC:
		return p.enc(data, wire)
	case linkPFLog:
		return p.pflog(data, wire)
	case linkIPNet:
		return p.ipnet(data, wire)
	case linkNFLog:
		return p.nflog(data, wire)
	case linkFDDI:
		return p.fddi(data, wire)
	case linkATMRFC1483:
		return p.llc(data, wire)
	case linkATMCLIP:
		return p.atmCLIP(data, wire)
	case linkIPoIB:
		return p.ipoib(data, wire)
	case linkJuniperEther:
		return p.juniperEther(data, wire)
	case linkNetAnalyzer, linkNetAnalyzerT:
		return p.netAnalyzer(data, wire, link == linkNetAnalyzerT)
	case linkMPacket:
		return p.mPacket(data, wire)
	case linkBrcm:
		return p.tagged(data, wire, brcmTag, false)
	case linkBrcmPrepend:
		return p.prepended(data, wire)
	case linkDSA:
		return p.tagged(data, wire, dsaTag, true)
	case linkEDSA:
		return p.tagged(data, wire, edsaTag, true)
	}
	p.Detail = linkTypes()[link]
	return UnknownLink
}

// ethernetBytes is the length of an Ethernet header.
const ethernetBytes = 14

// Every layer is a method that reads its header at the start of b, of which
// wire bytes were on the wire (at least len(b)), and calls the next one.

// payload ends the way through the layers: nothing further is looked into.
func (p *Packet) payload(b []byte, wire int) {
	p.Payload, p.PayloadLength = b, wire
	if p.Net == nil {
		p.Net = b
	}
}

// short is the Outcome of a header that needs more bytes than were captured.
func (p *Packet) short(wire, need int, what string) Outcome {
	p.Detail = what
	if wire >= need {
		return Truncated
	}
	return Malformed
}

func (p *Packet) malformed(what string) Outcome {
	p.Detail = what
	return Malformed
}

// cut shortens b to the n bytes that a length field says it has, which leaves
// link-layer padding out.
func cut(b []byte, n int) []byte { return b[:min(n, len(b)):min(n, len(b))] }

func be16(b []byte) uint16 { return binary.BigEndian.Uint16(b) }
func be32(b []byte) uint32 { return binary.BigEndian.Uint32(b) }
