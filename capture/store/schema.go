package store

import (
	"crypto/sha256"
	"encoding/hex"
	"sync"

	"github.com/parquet-go/parquet-go"
)

// Schema names the layout of the file: its columns and the keys of its metadata.
// It stands in the metadata under [SchemaKey].
const Schema = "bulkhead/observations/v1"

// The keys of the file's metadata.
const (
	SchemaKey   = "bulkhead.schema"          // Schema
	CapturesKey = "bulkhead.captures"        // Observations.Captures, as its JSON form spells it
	SumKey      = "bulkhead.captures.sha256" // of the value of CapturesKey, in hexadecimal: pages have checksums, metadata has none
)

// sum returns the value of SumKey.
func sum(ledgers string) string {
	h := sha256.Sum256([]byte(ledgers))
	return hex.EncodeToString(h[:])
}

// What a row is about: the values of the column "record".
const (
	conversationRecord = "conversation"
	foldedRecord       = "folded"
	endpointRecord     = "endpoint"
)

// row is one row of the file. The columns stand flat under the names that SQL
// will call them by; docs/observations.md says what each means. A column that
// has no meaning for a record, and text or an instant that is not known, is
// null. A number that has a meaning is never null, which is why the counts are
// pointers: they point into the observations while a file is written.
type row struct {
	Record        string `parquet:"record,dict"`
	Capture       int32  `parquet:"capture"`
	CaptureSHA256 string `parquet:"capture_sha256,dict"`
	CapturePath   string `parquet:"capture_path,dict"`

	// Of several records.
	VLAN         *uint16 `parquet:"vlan,optional"`
	First        *int64  `parquet:"first,optional,timestamp(nanosecond)"`
	FirstDigits  *uint8  `parquet:"first_digits,optional"`
	Last         *int64  `parquet:"last,optional,timestamp(nanosecond)"`
	LastDigits   *uint8  `parquet:"last_digits,optional"`
	Transport    string  `parquet:"transport,optional,dict"`
	ServerPort   *uint16 `parquet:"server_port,optional"`
	Attempted    *uint64 `parquet:"attempted,optional"`
	Refused      *uint64 `parquet:"refused,optional"`
	Established  *uint64 `parquet:"established,optional"`
	Answered     *uint64 `parquet:"answered,optional"`
	Connections  *uint64 `parquet:"connections,optional"`
	PacketsSent  *uint64 `parquet:"packets_sent,optional"`
	PacketsRecvd *uint64 `parquet:"packets_received,optional"`
	BytesSent    *uint64 `parquet:"bytes_sent,optional"`
	BytesRecvd   *uint64 `parquet:"bytes_received,optional"`
	ExampleFrame *uint64 `parquet:"example_frame,optional"`
	Tunnel       string  `parquet:"tunnel,optional,dict"`

	// Of conversations.
	ClientIP        string         `parquet:"client_ip,optional,dict"`
	ClientMAC       string         `parquet:"client_mac,optional,dict"`
	ServerIP        string         `parquet:"server_ip,optional,dict"`
	ServerMAC       string         `parquet:"server_mac,optional,dict"`
	Protocol        string         `parquet:"protocol,optional,dict"`
	ProtocolBasis   string         `parquet:"protocol_basis,optional,dict"`
	RoleBasis       string         `parquet:"role_basis,optional,dict"`
	PayloadSent     *uint64        `parquet:"payload_sent,optional"`
	PayloadRecvd    *uint64        `parquet:"payload_received,optional"`
	LostBytes       *uint64        `parquet:"lost_bytes,optional"`
	Contradicted    *uint64        `parquet:"contradicted_bytes,optional"`
	Duplicates      *uint64        `parquet:"duplicates,optional"`
	Links           []linkRow      `parquet:"links,list"`
	Operations      []operationRow `parquet:"operations,list"`
	OperationsCut   *bool          `parquet:"operations_cut,optional"`
	Undecoded       *uint64        `parquet:"undecoded,optional"`
	ProtectionNone  *uint64        `parquet:"protection_none,optional"`
	ProtectionSigns *uint64        `parquet:"protection_integrity,optional"`
	ProtectionFull  *uint64        `parquet:"protection_encrypted,optional"`
	ProtectionOpen  *uint64        `parquet:"protection_unknown,optional"`
	TLS             []tlsRow       `parquet:"tls,list"`
	OPCUA           []opcuaRow     `parquet:"opcua,list"`
	SNMP            []string       `parquet:"snmp,list"`
	SMB             []string       `parquet:"smb,list"`
	Auth            []authRow      `parquet:"auth,list"`
	SecurityCut     *bool          `parquet:"security_cut,optional"`
	FiveTuple       string         `parquet:"five_tuple,optional"`
	CommunityID     string         `parquet:"community_id,optional"`

	// Of folded conversations.
	ClientNetwork string `parquet:"client_network,optional,dict"`
	ServerNetwork string `parquet:"server_network,optional,dict"`

	// Of endpoints.
	IP         string        `parquet:"ip,optional"`
	MAC        string        `parquet:"mac,optional"`
	Vendor     string        `parquet:"vendor,optional,dict"`
	Frames     *uint64       `parquet:"frames,optional"`
	ARP        *bool         `parquet:"arp,optional"`
	Names      []nameRow     `parquet:"names,list"`
	Identities []identityRow `parquet:"identities,list"`
	NamesCut   *bool         `parquet:"names_cut,optional"`
}

type linkRow struct {
	ClientMAC string `parquet:"client_mac,optional,dict"`
	ServerMAC string `parquet:"server_mac,optional,dict"`
	ClientTTL uint8  `parquet:"client_ttl"`
	ServerTTL uint8  `parquet:"server_ttl"`
	Count     uint64 `parquet:"count"`
}

type operationRow struct {
	Protocol   string      `parquet:"protocol,dict"`
	Name       string      `parquet:"name,dict"`
	Code       string      `parquet:"code,dict"`
	From       string      `parquet:"from,dict"`
	Class      string      `parquet:"class,dict"`
	Count      uint64      `parquet:"count"`
	Accepted   uint64      `parquet:"accepted"`
	Refused    uint64      `parquet:"refused"`
	Unanswered uint64      `parquet:"unanswered"`
	Frames     []uint64    `parquet:"frames,list"`
	Units      []uint16    `parquet:"units,list"`
	Objects    []objectRow `parquet:"objects,list"`
	DetailsCut bool        `parquet:"details_cut"`
	Active     []runRow    `parquet:"active,list"`
	ActiveCut  bool        `parquet:"active_cut"`
}

type objectRow struct {
	Space string `parquet:"space,dict"`
	First uint32 `parquet:"first"`
	Last  uint32 `parquet:"last"`
}

type runRow struct {
	From       *int64 `parquet:"from,optional,timestamp(nanosecond)"`
	FromDigits *uint8 `parquet:"from_digits,optional"`
	Minutes    uint32 `parquet:"minutes"`
	Count      uint64 `parquet:"count"`
	Frame      uint64 `parquet:"frame"`
}

type tlsRow struct {
	Version string `parquet:"version,dict"`
	Cipher  string `parquet:"cipher,dict"`
	Frame   uint64 `parquet:"frame"`
}

type opcuaRow struct {
	Policy string `parquet:"policy,dict"`
	Mode   string `parquet:"mode,dict"`
	Frame  uint64 `parquet:"frame"`
}

type authRow struct {
	Kind     string `parquet:"kind,dict"`
	Readable bool   `parquet:"readable"`
	Length   int64  `parquet:"length"`
	Accepted uint64 `parquet:"accepted"`
	Count    uint64 `parquet:"count"`
	Frame    uint64 `parquet:"frame"`
}

type nameRow struct {
	Name   string `parquet:"name"`
	Source string `parquet:"source,dict"`
	Frame  uint64 `parquet:"frame"`
}

type identityRow struct {
	Vendor   string `parquet:"vendor,optional,dict"`
	Model    string `parquet:"model,optional,dict"`
	Firmware string `parquet:"firmware,optional,dict"`
	Serial   string `parquet:"serial,optional"`
	Source   string `parquet:"source,dict"`
	Frame    uint64 `parquet:"frame"`
}

// rowSchema is made once: the library derives it by reflection.
var rowSchema = sync.OnceValue(func() *parquet.Schema {
	return parquet.NewSchema("observations", parquet.SchemaOf(row{}))
})
