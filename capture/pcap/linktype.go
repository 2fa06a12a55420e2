package pcap

import "strconv"

// Link types that this package or the packet decoder treats by itself. Names
// are those of the registry.
const (
	LinkNull      LinkType = 0
	LinkEthernet  LinkType = 1
	LinkRawBSD    LinkType = 12 // of files that hold the DLT of most systems instead of LinkRaw
	LinkRawOther  LinkType = 14 // the same, of OpenBSD
	LinkRaw       LinkType = 101
	LinkLoop      LinkType = 108
	LinkLinuxSLL  LinkType = 113
	LinkIPv4      LinkType = 228
	LinkIPv6      LinkType = 229
	LinkLinuxSLL2 LinkType = 276

	// LinkUnknown is that of a file which names its link type in numbers of its
	// own, by one that the registry has no counterpart of.
	LinkUnknown LinkType = 0xffff

	linkTokenRing       LinkType = 6
	linkFDDI            LinkType = 10
	linkPPPHDLC         LinkType = 50
	linkCiscoHDLC       LinkType = 104
	linkIPOverFC        LinkType = 122
	linkSunATM          LinkType = 123
	linkERF             LinkType = 197
	linkIPNet           LinkType = 226
	linkUSBLinux        LinkType = 189
	linkUSBLinuxMmapped LinkType = 220
	linkDBus            LinkType = 231
	linkUSBPcap         LinkType = 249
	linkUSBDarwin       LinkType = 266
	linkEBHSCR          LinkType = 279
)

// LinkName returns the registered name of a link type without its prefix, in
// lower case with hyphens: "ethernet", "linux-sll"; "link-type-302" for one that
// has none, "unknown" for [LinkUnknown].
func LinkName(t LinkType) string {
	if t == LinkUnknown {
		return "unknown"
	}
	if int(t) < len(linkNames) && linkNames[t] != "" {
		return linkNames[t]
	}
	return "link-type-" + strconv.Itoa(int(t))
}

// linkNames is the registry as draft-ietf-opsawg-pcaplinktype gives it, with 12
// and 14 added, which it leaves to the systems' own use.
var linkNames = [...]string{
	0:   "null",
	1:   "ethernet",
	2:   "exp-ethernet",
	3:   "ax25",
	4:   "pronet",
	5:   "chaos",
	6:   "ieee802-5",
	7:   "arcnet-bsd",
	8:   "slip",
	9:   "ppp",
	10:  "fddi",
	12:  "raw",
	14:  "raw",
	50:  "ppp-hdlc",
	51:  "ppp-ether",
	99:  "symantec-firewall",
	100: "atm-rfc1483",
	101: "raw",
	102: "slip-bsdos",
	103: "ppp-bsdos",
	104: "c-hdlc",
	105: "ieee802-11",
	106: "atm-clip",
	107: "frelay",
	108: "loop",
	109: "enc",
	110: "lane8023",
	111: "hippi",
	112: "hdlc",
	113: "linux-sll",
	114: "ltalk",
	115: "econet",
	116: "ipfilter",
	117: "pflog",
	118: "cisco-ios",
	119: "ieee802-11-prism",
	120: "ieee802-11-aironet",
	121: "hhdlc",
	122: "ip-over-fc",
	123: "sunatm",
	124: "rio",
	125: "pci-exp",
	126: "aurora",
	127: "ieee802-11-radiotap",
	128: "tzsp",
	129: "arcnet-linux",
	130: "juniper-mlppp",
	131: "juniper-mlfr",
	132: "juniper-es",
	133: "juniper-ggsn",
	134: "juniper-mfr",
	135: "juniper-atm2",
	136: "juniper-services",
	137: "juniper-atm1",
	138: "apple-ip-over-ieee1394",
	139: "mtp2-with-phdr",
	140: "mtp2",
	141: "mtp3",
	142: "sccp",
	143: "docsis",
	144: "linux-irda",
	145: "ibm-sp",
	146: "ibm-sn",
	147: "user0",
	148: "user1",
	149: "user2",
	150: "user3",
	151: "user4",
	152: "user5",
	153: "user6",
	154: "user7",
	155: "user8",
	156: "user9",
	157: "user10",
	158: "user11",
	159: "user12",
	160: "user13",
	161: "user14",
	162: "user15",
	163: "ieee802-11-avs",
	164: "juniper-monitor",
	165: "bacnet-ms-tp",
	166: "ppp-pppd",
	167: "juniper-pppoe",
	168: "juniper-pppoe-atm",
	169: "gprs-llc",
	170: "gpf-t",
	171: "gpf-f",
	172: "gcom-t1e1",
	173: "gcom-serial",
	174: "juniper-pic-peer",
	175: "erf-eth",
	176: "erf-pos",
	177: "linux-lapd",
	178: "juniper-ether",
	179: "juniper-ppp",
	180: "juniper-frelay",
	181: "juniper-chdlc",
	182: "mfr",
	183: "juniper-vp",
	184: "a429",
	185: "a653-icm",
	186: "usb-freebsd",
	187: "bluetooth-hci-h4",
	188: "ieee802-16-mac-cps",
	189: "usb-linux",
	190: "can20b",
	191: "ieee802-15-4-linux",
	192: "ppi",
	193: "ieee802-16-mac-cps-radio",
	194: "juniper-ism",
	195: "ieee802-15-4-withfcs",
	196: "sita",
	197: "erf",
	198: "raif1",
	199: "ipmb-kontron",
	200: "juniper-st",
	201: "bluetooth-hci-h4-with-phdr",
	202: "ax25-kiss",
	203: "lapd",
	204: "ppp-with-dir",
	205: "c-hdlc-with-dir",
	206: "frelay-with-dir",
	207: "lapb-with-dir",
	209: "i2c-linux",
	210: "flexray",
	211: "most",
	212: "lin",
	213: "x2e-serial",
	214: "x2e-xoraya",
	215: "ieee802-15-4-nonask-phy",
	216: "linux-evdev",
	217: "gsmtap-um",
	218: "gsmtap-abis",
	219: "mpls",
	220: "usb-linux-mmapped",
	221: "dect",
	222: "aos",
	223: "wihart",
	224: "fc-2",
	225: "fc-2-with-frame-delims",
	226: "ipnet",
	227: "can-socketcan",
	228: "ipv4",
	229: "ipv6",
	230: "ieee802-15-4-nofcs",
	231: "dbus",
	232: "juniper-vs",
	233: "juniper-srx-e2e",
	234: "juniper-fibrechannel",
	235: "dvb-ci",
	236: "mux27010",
	237: "stanag-5066-d-pdu",
	238: "juniper-atm-cemic",
	239: "nflog",
	240: "netanalyzer",
	241: "netanalyzer-transparent",
	242: "ipoib",
	243: "mpeg-2-ts",
	244: "ng40",
	245: "nfc-llcp",
	246: "pfsync",
	247: "infiniband",
	248: "sctp",
	249: "usbpcap",
	250: "rtac-serial",
	251: "bluetooth-le-ll",
	252: "wireshark-upper-pdu",
	253: "netlink",
	254: "bluetooth-linux-monitor",
	255: "bluetooth-bredr-bb",
	256: "bluetooth-le-ll-with-phdr",
	257: "profibus-dl",
	258: "pktap",
	259: "epon",
	260: "ipmi-hpm-2",
	261: "zwave-r1-r2",
	262: "zwave-r3",
	263: "wattstopper-dlm",
	264: "iso-14443",
	265: "rds",
	266: "usb-darwin",
	267: "openflow",
	268: "sdlc",
	269: "ti-lln-sniffer",
	270: "loratap",
	271: "vsock",
	272: "nordic-ble",
	273: "docsis31-xra31",
	274: "ethernet-mpacket",
	275: "displayport-aux",
	276: "linux-sll2",
	277: "sercos-monitor",
	278: "openvizsla",
	279: "ebhscr",
	280: "vpp-dispatch",
	281: "dsa-tag-brcm",
	282: "dsa-tag-brcm-prepend",
	283: "ieee802-15-4-tap",
	284: "dsa-tag-dsa",
	285: "dsa-tag-edsa",
	286: "elee",
	287: "z-wave-serial",
	288: "usb-2-0",
	289: "atsc-alp",
	290: "etw",
	291: "netanalyzer-ng",
	292: "zboss-ncp",
	293: "usb-2-0-low-speed",
	294: "usb-2-0-full-speed",
	295: "usb-2-0-high-speed",
	296: "auerswald-log",
	297: "zwave-tap",
	298: "silabs-debug-channel",
	299: "fira-uci",
	300: "mdb",
	301: "dect-nr",
}
