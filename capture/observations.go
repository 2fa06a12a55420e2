package capture

import (
	"net/netip"

	"bulkhead/internal/mac"
)

// Schema names the JSON form of [Observations].
const Schema = "bulkhead/observations/v1"

// Observations is what one or more captures show. The zero value shows nothing.
//
// Values made by this module are sorted: Captures by SHA-256, Conversations and
// Endpoints as [Observations.Sort] says. They are not to be changed once they
// have been handed on.
type Observations struct {
	Schema        string         `json:"schema"`
	Captures      []Capture      `json:"captures"`
	Conversations []Conversation `json:"conversations"`
	Folded        []Folded       `json:"folded"` // what found no room among Conversations
	Endpoints     []Endpoint     `json:"endpoints"`
}

// Capture is one capture file.
type Capture struct {
	Path   string `json:"path"` // as it was named when it was read
	SHA256 string `json:"sha256"`
	Bytes  int64  `json:"bytes"`
	Format string `json:"format"` // "pcap", "pcapng", "snoop" or "erf"; with what packs it in front: "gzip pcap"
	Frames uint64 `json:"frames"`
	First  Time   `json:"first"` // the earliest and latest frame; zero without frames
	Last   Time   `json:"last"`
	// WatchedMS is for how many milliseconds frames came: the steps from frame to
	// frame, forwards and none longer than [MaxSilence].
	WatchedMS int64 `json:"watched_ms"`
	// CutFrames counts frames that the snap length cut. What was in their ends is
	// not known: operations may be missing, whatever the ledger says of headers.
	CutFrames uint64      `json:"cut_frames,omitempty"`
	LinkTypes []string    `json:"link_types"` // names such as "ethernet", ascending
	Complete  bool        `json:"complete"`   // read to its end without damage and without a limit reached
	Ledger    Ledger      `json:"ledger"`
	Errors    []ReadError `json:"errors"`
}

// Ledger says what became of every frame of a capture: its numbers, Folded and
// Reasons left aside, sum to the frames in the file. A frame that carries another
// in a tunnel counts once, by what its outer headers are.
type Ledger struct {
	Decoded     uint64 `json:"decoded"`      // up to the transport, or a link protocol that has a decoder
	OtherL2     uint64 `json:"other_l2"`     // a conversation by MAC whose EtherType has no decoder
	OtherIP     uint64 `json:"other_ip"`     // a conversation by address whose IP protocol has no decoder
	Fragment    uint64 `json:"fragment"`     // of an IP packet that is not whole in the capture: counted on the conversation of its addresses
	UnknownLink uint64 `json:"unknown_link"` // a link type that is not decoded
	Truncated   uint64 `json:"truncated"`    // cut by the snap length before the addresses or ports
	Malformed   uint64 `json:"malformed"`    // contradicts itself below the payload
	Duplicate   uint64 `json:"duplicate"`    // the same frame captured again

	// Folded is how many of the frames above belong to conversations that found
	// no room and are counted in [Observations.Folded] only. It is no part of
	// the sum.
	Folded uint64 `json:"folded"`

	// Reasons splits the numbers other than Decoded by cause, such as
	// "ethertype 0x8892". The causes of one number sum to it.
	Reasons []Reason `json:"reasons"`
}

// Reason is one cause for which frames were not decoded in full.
type Reason struct {
	State  string `json:"state"` // the ledger's number that it explains, as JSON spells it
	Reason string `json:"reason"`
	Frames uint64 `json:"frames"`
}

// Sum returns the number of frames that the ledger accounts for.
func (l *Ledger) Sum() uint64 {
	return l.Decoded + l.OtherL2 + l.OtherIP + l.Fragment + l.UnknownLink + l.Truncated + l.Malformed + l.Duplicate
}

// ReadError is damage found in a capture file.
type ReadError struct {
	Offset int64  `json:"offset"` // bytes from the start of the (uncompressed) file
	What   string `json:"what"`
}

// Basis says what a statement about a conversation rests on.
type Basis string

// The bases, strongest first. Protocols rest on Content, Port or NotKnown; roles
// on Handshake, Content, Port or Guess.
const (
	Handshake Basis = "handshake" // the client opened the connection
	Content   Basis = "content"   // the bytes say so
	Port      Basis = "port"      // a registered port, and nothing contradicts it
	Guess     Basis = "guess"
	NotKnown  Basis = "unknown"
)

// Conversation is all that one client and one server said over one service in
// one capture. Its key is Capture, Tunnel, VLAN, the addresses (IP where there is
// one, MAC otherwise), the server's port, Transport and Protocol.
type Conversation struct {
	Capture int    `json:"capture"`          // index into Observations.Captures
	Tunnel  string `json:"tunnel,omitempty"` // what it was carried in, outermost first: "vxlan 5001", "gre / erspan 12"; "" if in none
	VLAN    uint16 `json:"vlan"`             // outer tag, inside the tunnel; 0 = untagged

	Client        Peer      `json:"client"`
	Server        Server    `json:"server"`
	Transport     Transport `json:"transport"`
	Protocol      Protocol  `json:"protocol"`
	ProtocolBasis Basis     `json:"protocol_basis"`
	RoleBasis     Basis     `json:"role_basis"`

	State       State  `json:"state"`
	Connections uint64 `json:"connections"` // the sum of State; without TCP, pairs of ports or addresses
	Packets     Volume `json:"packets"`
	Bytes       Volume `json:"bytes"`      // of whole frames on the wire
	Payload     Volume `json:"payload"`    // bytes above the transport, retransmissions left out
	LostBytes   uint64 `json:"lost_bytes"` // of TCP, bytes that a side acknowledged and the capture does not hold
	// ContradictedBytes counts bytes of TCP, and of IP packets in pieces, that were
	// sent again with another content, of which the first was taken.
	ContradictedBytes uint64 `json:"contradicted_bytes,omitempty"`
	// Duplicates counts frames that were captured more than once. They are in
	// Links and in no other number.
	Duplicates uint64 `json:"duplicates,omitempty"`

	First Time   `json:"first"`
	Last  Time   `json:"last"`
	Links []Link `json:"links"` // at most [MaxLinks], most frames first

	Operations []Operation `json:"operations"`
	// OperationsCut says that more kinds of operation were seen than
	// [MaxOperations] and that the later ones are missing.
	OperationsCut bool       `json:"operations_cut,omitempty"`
	Undecoded     uint64     `json:"undecoded"` // PDUs that the decoder of Protocol could not parse
	Protection    Protection `json:"protection"`
	Security      Security   `json:"security"`
	Example       Example    `json:"example"`
}

// Folded counts conversations that found no room of their own, by the networks
// of their ends and by service. Its numbers are exact sums.
type Folded struct {
	Capture   int          `json:"capture"`          // index into Observations.Captures
	Tunnel    string       `json:"tunnel,omitempty"` // as in a Conversation; "other" if of several
	Client    netip.Prefix `json:"client"`           // the zero Prefix straight on the link
	Server    netip.Prefix `json:"server"`
	Transport Transport    `json:"transport"`
	Port      uint16       `json:"port"` // the server's; 0 if of several services

	State       State  `json:"state"`
	Connections uint64 `json:"connections"` // the sum of State
	Packets     Volume `json:"packets"`
	Bytes       Volume `json:"bytes"`
	First       Time   `json:"first"`
	Last        Time   `json:"last"`
	Frame       uint64 `json:"frame"` // the first
}

// Bounds on the lists of a Conversation.
const (
	MaxLinks      = 8
	MaxOperations = 256
)

// Peer is an end of a conversation. MAC is the address on the link where the
// capture was taken: the host's own or its gateway's.
type Peer struct {
	IP  netip.Addr `json:"ip"` // the zero Addr straight on the link
	MAC mac.Addr   `json:"mac"`
}

// Server is the end that was asked.
type Server struct {
	Peer
	Port uint16 `json:"port"`
}

// Volume counts in both directions.
type Volume struct {
	Sent     uint64 `json:"sent"` // client to server
	Received uint64 `json:"received"`
}

// State counts a conversation's connections by how far they came; each counts
// once. Without TCP a connection is a pair of ports or addresses.
type State struct {
	Attempted   uint64 `json:"attempted"`   // nothing came back
	Refused     uint64 `json:"refused"`     // RST to the SYN, or an ICMP error
	Established uint64 `json:"established"` // TCP: a handshake, or, mid-stream, payload of both sides acknowledged; not Answered
	Answered    uint64 `json:"answered"`    // payload both ways
}

// Protection counts a conversation's connections that carried payload by the
// weakest protection of that payload.
type Protection struct {
	None      uint64 `json:"none"`
	Integrity uint64 `json:"integrity"` // signed, readable
	Encrypted uint64 `json:"encrypted"` // and signed
	Unknown   uint64 `json:"unknown"`   // the protocol is not known
}

// Link is a path on the segment that frames of the conversation took.
type Link struct {
	ClientMAC mac.Addr `json:"client_mac"`
	ServerMAC mac.Addr `json:"server_mac"`
	ClientTTL uint8    `json:"client_ttl"` // of the client's packets; 0 where none was seen
	ServerTTL uint8    `json:"server_ttl"`
	Count     uint64   `json:"count"` // frames
}

// Security is what the bytes say about a conversation's protection. Lists hold
// each distinct fact once, at most [MaxFacts].
type Security struct {
	TLS   []TLSFact   `json:"tls,omitempty"`
	OPCUA []OPCUAFact `json:"opcua,omitempty"`
	SNMP  []string    `json:"snmp,omitempty"` // versions: v1 v2c v3
	SMB   []string    `json:"smb,omitempty"`  // dialects that the server chose, such as "NT LM 0.12"
	Auth  []AuthFact  `json:"auth,omitempty"`
	Cut   bool        `json:"cut,omitempty"` // a list was full; later facts are missing
}

// MaxFacts bounds each list of [Security] and of [Endpoint].
const MaxFacts = 16

// TLSFact is a TLS version and cipher suite that a server chose.
type TLSFact struct {
	Version string `json:"version"` // "1.2"
	Cipher  string `json:"cipher"`  // the registered name, or "0x1301"
	Frame   uint64 `json:"frame"`   // the first
}

// OPCUAFact is a secure channel's policy and mode.
type OPCUAFact struct {
	Policy string `json:"policy"` // the last part of the policy's URI: "None", "Basic256Sha256"
	Mode   string `json:"mode"`   // "none", "sign", "sign-and-encrypt" or ""
	Frame  uint64 `json:"frame"`
}

// AuthFact is a log-in seen. The secret itself is never kept, nor anything that
// it could be found from: its kind and length only.
type AuthFact struct {
	Kind     string `json:"kind"`     // "ftp password", "http basic", "telnet login", "opcua anonymous"
	Readable bool   `json:"readable"` // the secret crossed the wire in clear
	Length   int    `json:"length"`   // of a readable secret, in bytes
	Accepted uint64 `json:"accepted"` // of Count, answered with success
	Count    uint64 `json:"count"`
	Frame    uint64 `json:"frame"` // the first
}

// Example is one frame of a conversation, for finding it again elsewhere.
type Example struct {
	Frame       uint64 `json:"frame"`
	FiveTuple   string `json:"five_tuple"`   // "tcp 10.1.2.7:49152 10.1.3.5:502", client first
	CommunityID string `json:"community_id"` // version 1, seed 0; "" straight on the link
}

// Endpoint is an address that was heard on a segment and what it said of itself.
type Endpoint struct {
	Capture int        `json:"capture"`
	VLAN    uint16     `json:"vlan"`
	IP      netip.Addr `json:"ip"` // the zero Addr if it was heard by MAC only
	MAC     mac.Addr   `json:"mac"`
	Vendor  string     `json:"vendor"` // who the MAC's prefix is registered to; "" where that is not known, which so far is everywhere
	Frames  uint64     `json:"frames"` // unicast frames of its own that are not ARP
	First   Time       `json:"first"`  // of those frames, or of its ARP where it sent nothing else
	Last    Time       `json:"last"`
	// ARP says that the MAC is bound to the address by ARP or neighbour
	// discovery, so that it is the host's own and not a gateway's.
	ARP        bool       `json:"arp"`
	Names      []Name     `json:"names"` // at most [MaxFacts], likewise Identities
	Identities []Identity `json:"identities"`
	Cut        bool       `json:"cut,omitempty"` // there were more names or identities
}

// Name is what an endpoint calls itself.
type Name struct {
	Name   string `json:"name"`
	Source string `json:"source"` // "lldp", "dhcp", "netbios"
	Frame  uint64 `json:"frame"`
}

// Identity is what an endpoint says it is; fields it did not give are "".
type Identity struct {
	Vendor   string `json:"vendor,omitempty"`
	Model    string `json:"model,omitempty"`
	Firmware string `json:"firmware,omitempty"`
	Serial   string `json:"serial,omitempty"`
	Source   string `json:"source"` // "modbus", "cip", "lldp", "s7comm"
	Frame    uint64 `json:"frame"`
}
