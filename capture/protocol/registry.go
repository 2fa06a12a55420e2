package protocol

// All returns the protocols that are looked for, in the order in which their
// recognisers are asked where no port tells which comes first.
func All() []*Protocol {
	return []*Protocol{
		Modbus, S7comm, ENIP, DNP3, OPCUA,
		TLS, SSH, HTTP, FTP, Telnet, RDP, VNC, SMB,
		DNS, MDNS, LLMNR, NTP, SNMP, DHCP, LLDP,
	}
}
