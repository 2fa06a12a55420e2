package packet

import "bulkhead/capture/pcap"

// The link types that this package reads besides those that package pcap has a
// name for. Source: draft-ietf-opsawg-pcaplinktype, the LINKTYPE registry.
const (
	linkPPP          pcap.LinkType = 9
	linkFDDI         pcap.LinkType = 10
	linkPPPHDLC      pcap.LinkType = 50
	linkPPPEther     pcap.LinkType = 51
	linkATMRFC1483   pcap.LinkType = 100
	linkCiscoHDLC    pcap.LinkType = 104
	linkWiFi         pcap.LinkType = 105
	linkATMCLIP      pcap.LinkType = 106
	linkFrameRelay   pcap.LinkType = 107
	linkENC          pcap.LinkType = 109
	linkPFLog        pcap.LinkType = 117
	linkPrism        pcap.LinkType = 119
	linkRadiotap     pcap.LinkType = 127
	linkAVS          pcap.LinkType = 163
	linkJuniperEther pcap.LinkType = 178
	linkPPI          pcap.LinkType = 192
	link802154FCS    pcap.LinkType = 195
	linkPPPDir       pcap.LinkType = 204
	linkCiscoHDLCDir pcap.LinkType = 205
	linkFRelayDir    pcap.LinkType = 206
	linkIPNet        pcap.LinkType = 226
	link802154       pcap.LinkType = 230
	linkNFLog        pcap.LinkType = 239
	linkNetAnalyzer  pcap.LinkType = 240
	linkNetAnalyzerT pcap.LinkType = 241
	linkIPoIB        pcap.LinkType = 242
	linkMPacket      pcap.LinkType = 274
	linkBrcm         pcap.LinkType = 281
	linkBrcmPrepend  pcap.LinkType = 282
	linkDSA          pcap.LinkType = 284
	linkEDSA         pcap.LinkType = 285
)

// without returns b without the last n of the wire's bytes: a check sequence, of
// which a cut frame may have captured a part or nothing.
func without(b []byte, wire, n int) ([]byte, int) {
	wire = max(wire-n, 0)
	return cut(b, wire), wire
}

// directed reads the frame of a serial link behind one byte that says which side
// sent it.
func (p *Packet) directed(link pcap.LinkType, b []byte, wire int) Outcome {
	if len(b) < 1 {
		return p.short(wire, 1, "direction")
	}
	b, wire = b[1:], wire-1
	switch link {
	case linkPPPDir:
		return p.hdlc(b, wire)
	case linkCiscoHDLCDir:
		return p.ciscoHDLC(b, wire)
	}
	return p.frameRelay(b, wire)
}
