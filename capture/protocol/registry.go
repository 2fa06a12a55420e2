package protocol

// All returns the protocols that are looked for, in the order in which their
// recognisers are asked where no port tells which comes first.
func All() []*Protocol {
	return []*Protocol{
		Modbus, ModbusUDP, S7comm, ENIP, DNP3, OPCUA,
		TLS, SSH, HTTP, FTP, Telnet, RDP, VNC, SMB,
		BACnet, BACnetEthernet, HARTIP, FINS, FINSTCP, Profinet, ProfinetIO, EtherCAT,
		IEC104, MMS, GOOSE, SV, GSE,
		MQTT, CoAP, AMQP, RTPS, PTP, Powerlink, Sercos, S7Plus,
		C37118, KNX, Fox, ROCPlus, BSAP, Genisys, C1222, DLMS,
		SLMP, MELSOFT, MELSOFTUDP, ADS, ADSDiscovery, GESRTP, EGD, CODESYS, CODESYSUDP, SBus,
		DNS, MDNS, LLMNR, NTP, SNMP, DHCP, LLDP,
	}
}
