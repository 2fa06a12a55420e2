package protocol

import (
	"bytes"
	"encoding/binary"
	"fmt"

	"bulkhead/capture"
)

// ProfinetIO is the PROFINET IO context manager: the connectionless DCE/RPC by
// which a controller or supervisor connects to a device, reads and writes its
// records, and lets it go.
//
// Requests go to UDP port 34964; many devices answer from another one. Such an
// answer belongs to a conversation of its own, and its request counts as
// unanswered.
//
// Source: IEC 61158-6-10:2019, 4.10 (RPC), 5.2 (blocks and records); The Open
// Group C706, "DCE 1.1: Remote Procedure Call", 12.5 (connectionless PDUs), 14.3
// (the endpoint mapper).
var ProfinetIO = &Protocol{
	Name:      capture.Profinet,
	Over:      []capture.Transport{capture.UDP},
	Recognise: recogniseProfinetIO,
	New:       func() Decoder { return profinetIODecoder{} },
}

// Where things stand in the header of a connectionless PDU. Source: C706, 12.5.1.
const (
	rpcHeader     = 80
	rpcVersion    = 4
	rpcFlags      = 2
	rpcDataRep    = 4
	rpcObject     = 8
	rpcInterface  = 24
	rpcActivity   = 40
	rpcSequence   = 64
	rpcOperation  = 68
	rpcLength     = 74
	rpcFragNumber = 76

	rpcFragment     = 0x04 // of the flags
	rpcLittleEndian = 0x10 // of the data representation
)

// The types of PDU.
const (
	rpcRequest  = 0
	rpcResponse = 2
	rpcFault    = 3
	rpcReject   = 6
	rpcLast     = 10
)

// The interfaces, most significant octet first; of the first four the fourth octet
// says whether it is a device's, a controller's, a supervisor's or a parameter
// server's.
var (
	pnInterface     = []byte{0xde, 0xa0, 0x00, 0x01, 0x6c, 0x97, 0x11, 0xd1, 0x82, 0x71, 0x00, 0xa0, 0x24, 0x42, 0xdf, 0x7d}
	pnObject        = []byte{0xde, 0xa0, 0x00, 0x00, 0x6c, 0x97, 0x11, 0xd1, 0x82, 0x71}
	rpcEndpointMap  = []byte{0xe1, 0xaf, 0x83, 0x08, 0x5d, 0x1f, 0x11, 0xc9, 0x91, 0xa4, 0x08, 0x00, 0x2b, 0x14, 0xa0, 0xfa}
	pnInterfaceLast = byte(4)
)

// The operations. Source: IEC 61158-6-10, 4.10.3.
const (
	pnConnect = iota
	pnRelease
	pnRead
	pnWrite
	pnControl
	pnReadImplicit
)

var pnRPCOps = func() (ops [16]Op) {
	for i := range ops {
		ops[i] = pnRPCOp(i, fmt.Sprintf("operation %d", i), capture.Configure)
	}
	ops[pnConnect] = pnRPCOp(pnConnect, "Connect", capture.Session)
	ops[pnRelease] = pnRPCOp(pnRelease, "Release", capture.Session)
	ops[pnRead] = pnRPCOp(pnRead, "Read", capture.Read)
	ops[pnWrite] = pnRPCOp(pnWrite, "Write", capture.Configure)
	ops[pnControl] = pnRPCOp(pnControl, "Control", capture.Configure)
	ops[pnReadImplicit] = pnRPCOp(pnReadImplicit, "Read Implicit", capture.Read)
	return ops
}()

func pnRPCOp(operation int, name string, class capture.Class) Op {
	return Op{capture.Profinet, fmt.Sprintf("rpc:%d", operation), name, class}
}

// pnEndpointOps are those of the endpoint mapper. Source: C706, Appendix O.
var pnEndpointOps = func() (ops [16]Op) {
	names := [len(ops)]string{"ept_insert", "ept_delete", "ept_lookup", "ept_map", "ept_lookup_handle_free", "ept_inq_object", "ept_mgmt_delete"}
	for i, name := range names {
		class := capture.Configure
		switch i {
		case 2, 3, 4, 5:
			class = capture.Discover
		}
		if name == "" {
			name = fmt.Sprintf("operation %d", i)
		}
		ops[i] = Op{capture.Profinet, fmt.Sprintf("epm:%d", i), "Endpoint Mapper: " + name, class}
	}
	return ops
}()

// What a write writes, by the index of its record. Source: IEC 61158-6-10, 5.2.1.2
// (ranges of indexes).
var (
	pnWriteUser     = pnRPCOp(pnWrite, "Write: parameters of a submodule", capture.Configure)
	pnWriteOutput   = pnRPCOp(pnWrite, "Write: output or substitute data", capture.Write)
	pnWriteDevice   = pnRPCOp(pnWrite, "Write: parameters of the device", capture.Configure)
	pnWriteIM       = pnRPCOp(pnWrite, "Write: identification and maintenance", capture.Configure)
	pnWriteProfile  = pnRPCOp(pnWrite, "Write: record of a profile", capture.Write)
	pnWriteMultiple = pnRPCOp(pnWrite, "Write: several records", capture.Configure)
)

const (
	pnMultipleWrite = 0xe040
	pnIM0           = 0xaff0
)

func pnRecord(index uint16) *Op {
	switch {
	case index < 0x8000:
		return &pnWriteUser
	case index == 0x801e, index == 0x8028, index == 0x8029: // substitute values, inputs, outputs
		return &pnWriteOutput
	case pnIM0 <= index && index <= 0xafff:
		return &pnWriteIM
	case 0xb000 <= index && index <= 0xbfff: // PROFIdrive's parameters, set points among them
		return &pnWriteProfile
	case index == pnMultipleWrite:
		return &pnWriteMultiple
	}
	return &pnWriteDevice
}

// pnControlOps are the commands of Control, by the bit that asks for them. All but
// one belong to how a connection is begun and ended; PrmBegin opens a running
// device for new parameters. Source: IEC 61158-6-10, 5.2.4 (ControlCommand).
var pnControlOps = [...]Op{
	pnRPCOp(pnControl, "Control: PrmEnd", capture.Session),
	pnRPCOp(pnControl, "Control: ApplicationReady", capture.Session),
	pnRPCOp(pnControl, "Control: Release", capture.Session),
	pnRPCOp(pnControl, "Control: Done", capture.Session),
	pnRPCOp(pnControl, "Control: ReadyForCompanion", capture.Session),
	pnRPCOp(pnControl, "Control: ReadyForRTClass3", capture.Session),
	pnRPCOp(pnControl, "Control: PrmBegin", capture.Configure),
}

// rpcPDU is the header of a PDU, in the order of its sender.
type rpcPDU struct {
	order    binary.ByteOrder
	kind     byte
	endpoint bool // of the endpoint mapper
	body     []byte
}

// recogniseProfinetIO is sure of PDUs that bear one of PROFINET's interfaces; one
// of the endpoint mapper's is a weak sign.
func recogniseProfinetIO(b []byte) Match {
	p, ok := parseRPC(b)
	if !ok {
		return Match{}
	}
	m := Match{Score: Sure}
	if p.endpoint {
		m.Score = Weak
	}
	switch p.kind {
	case rpcRequest:
		m.Role = Client
	case rpcResponse, rpcFault, rpcReject:
		m.Role = Server
	}
	return m
}

// parseRPC reads the header at the front of b.
func parseRPC(b []byte) (p rpcPDU, ok bool) {
	if len(b) < rpcHeader || b[0] != rpcVersion || b[1] > rpcLast || b[rpcDataRep]&^rpcLittleEndian != 0 || b[rpcDataRep+1] != 0 {
		return p, false
	}
	p.kind, p.order = b[1], binary.BigEndian
	if b[rpcDataRep] == rpcLittleEndian {
		p.order = binary.LittleEndian
	}
	if int(p.order.Uint16(b[rpcLength:])) > len(b)-rpcHeader {
		return p, false
	}
	p.body = b[rpcHeader : rpcHeader+int(p.order.Uint16(b[rpcLength:]))]
	id := p.uuid(b[rpcInterface:])
	switch {
	case bytes.Equal(id[:], rpcEndpointMap):
		p.endpoint = true
	case id[3] < 1 || id[3] > pnInterfaceLast || !bytes.Equal(id[:3], pnInterface[:3]) || !bytes.Equal(id[4:], pnInterface[4:]):
		return p, false
	}
	return p, true
}

// uuid returns the UUID at the front of b, most significant octet first.
func (p *rpcPDU) uuid(b []byte) (id [16]byte) {
	binary.BigEndian.PutUint32(id[:], p.order.Uint32(b))
	binary.BigEndian.PutUint16(id[4:], p.order.Uint16(b[4:]))
	binary.BigEndian.PutUint16(id[6:], p.order.Uint16(b[6:]))
	copy(id[8:], b[8:16])
	return id
}

// profinetIODecoder keeps nothing: what is read of a message stands in its first
// fragment.
type profinetIODecoder struct{}

// Decode implements [Decoder].
func (profinetIODecoder) Decode(x *Exchange, from capture.Side, b []byte) int {
	p, ok := parseRPC(b)
	if !ok {
		x.Undecoded()
		return len(b)
	}
	if b[rpcFlags]&rpcFragment != 0 && p.order.Uint16(b[rpcFragNumber:]) != 0 {
		return len(b)
	}
	activity := p.uuid(b[rpcActivity:])
	key := fnv64(fnvOffset, activity[:]) ^ uint64(p.order.Uint32(b[rpcSequence:]))
	operation := p.order.Uint16(b[rpcOperation:])
	switch p.kind {
	case rpcRequest:
		x.Forget(from, key)
		x.Ask(p.op(operation), from, key)
	case rpcResponse:
		accepted := p.endpoint || pnAccepted(p.body)
		x.Answer(from, key, accepted)
		if accepted && !p.endpoint {
			object := p.uuid(b[rpcObject:])
			pnSaid(x, from, operation, b[rpcInterface:], object[:], p.body)
		}
	case rpcFault, rpcReject:
		x.Answer(from, key, false)
	}
	return len(b) // the rest keep a call alive
}

// Where things stand in the body of a request and of a response, before the
// blocks: the longest and the real length, and the head of an array of octets; in
// a response a status in the place of the first.
const (
	pnArguments  = 20
	pnIndexAt    = 34 // of a record's head: block head (6), number (2), connection (16), API (4), slot, subslot, padding (2 each)
	pnRecordHead = 64
	pnCommandAt  = 28 // of a control block: block head (6), reserved (2), connection (16), key (2), reserved (2)
)

// op returns the operation of a request.
func (p *rpcPDU) op(operation uint16) *Op {
	if p.endpoint {
		return &pnEndpointOps[min(int(operation), len(pnEndpointOps)-1)]
	}
	blocks := p.body[min(pnArguments, len(p.body)):]
	switch {
	case operation == pnWrite && len(blocks) >= pnIndexAt+2:
		return pnRecord(binary.BigEndian.Uint16(blocks[pnIndexAt:]))
	case operation == pnControl && len(blocks) >= pnCommandAt+2:
		command := binary.BigEndian.Uint16(blocks[pnCommandAt:])
		for i := range pnControlOps {
			if command == 1<<i {
				return &pnControlOps[i]
			}
		}
	}
	return &pnRPCOps[min(int(operation), len(pnRPCOps)-1)]
}

// pnAccepted reports whether the status of a response is that of success, of which
// all four octets are 0.
func pnAccepted(body []byte) bool {
	return len(body) >= 4 && body[0]|body[1]|body[2]|body[3] == 0
}

// pnSaid reads what a device says of itself: the vendor and the device in the
// object that it answers for, when it is connected to; and its identification, when
// that is read.
//
// Source: IEC 61158-6-10, 4.10.3.2 (object UUIDs); PROFIBUS & PROFINET
// International, "Profile Guidelines Part 1: Identification & Maintenance
// Functions", order no. 3.502 (I&M0).
func pnSaid(x *Exchange, from capture.Side, operation uint16, iface, object, body []byte) {
	const (
		byDevice = 1
		recordIM = 0x0020 // the block of I&M0
	)
	id := capture.Identity{Source: string(capture.Profinet)}
	switch operation {
	case pnConnect:
		// The device's own interface, whichever way its octets go.
		if iface[0] != byDevice && iface[3] != byDevice || !bytes.HasPrefix(object, pnObject) {
			return
		}
		id.Model, id.Vendor = pnDevice(binary.BigEndian.Uint16(object[12:])), pnVendor(binary.BigEndian.Uint16(object[14:]))
	case pnRead, pnReadImplicit:
		blocks := body[min(pnArguments, len(body)):]
		if len(blocks) < pnRecordHead+60 || binary.BigEndian.Uint16(blocks[pnIndexAt:]) != pnIM0 {
			return
		}
		record := blocks[pnRecordHead:]
		if binary.BigEndian.Uint16(record) != recordIM {
			return
		}
		record = record[6:]
		id.Vendor = pnVendor(binary.BigEndian.Uint16(record))
		id.Model = string(bytes.TrimRight(record[2:22], " \x00"))
		id.Serial = string(bytes.TrimRight(record[22:38], " \x00"))
		id.Firmware = fmt.Sprintf("%c%d.%d.%d", record[40], record[41], record[42], record[43])
	default:
		return
	}
	x.Identity(from, id)
}
