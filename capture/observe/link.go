package observe

import (
	"bulkhead/capture"
	"bulkhead/capture/packet"
)

// linkProtocols are the protocols that the number of a link service names.
//
// Sources: IEEE Registration Authority, EtherType, and logical link control
// addresses; for Cisco's types its documentation of SNAP.
var linkProtocols = map[uint16]capture.Protocol{
	0x0042: capture.STP,
	0x0082: capture.BACnet,
	0x0806: capture.ARP,
	0x2000: capture.CDP,
	0x8809: capture.Slow,
	0x888e: capture.EAPOL,
	0x8892: capture.Profinet,
	0x88a4: capture.EtherCAT,
	0x88ab: capture.Powerlink,
	0x88b8: capture.GOOSE,
	0x88b9: capture.GSE,
	0x88ba: capture.SV,
	0x88cc: capture.LLDP,
	0x88cd: capture.Sercos,
	0x88e3: capture.MRP,
	0x88e5: capture.MACsec,
	0x88f7: capture.PTP,
	0x890f: capture.CCLinkIE,
	0x9000: capture.Loopback,
}

// linkService tells apart what is said straight on the link: by EtherType, by the
// type that another organisation gave, or by the service access point, which
// alone is below the numbers that EtherTypes begin with.
func linkService(p *packet.Packet) uint16 {
	switch {
	case p.EtherType != 0:
		return p.EtherType
	case p.Org != 0:
		return p.OrgType
	}
	return uint16(p.SAP)
}
