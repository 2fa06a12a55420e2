package protocol

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"strconv"

	"bulkhead/capture"
)

// Profinet is PROFINET straight on Ethernet: cyclic data, alarms and time by
// their frame ids, and the Discovery and basic Configuration Protocol (DCP), whose
// operations are those of [capture.PNDCP].
//
// Source: IEC 61158-6-10:2019, 4.2 (frame ids, the trailer of cyclic frames), 4.3
// (DCP), 4.7 (alarms); PROFIBUS & PROFINET International, "PROFINET Specification",
// order no. 2.722. ProfinetIO reads what goes over UDP.
var Profinet = &Protocol{
	Name:      capture.Profinet,
	Over:      []capture.Transport{capture.L2},
	Recognise: recogniseProfinet,
	New:       func() Decoder { return new(profinetDecoder) },
}

// The frame ids that the decoder treats apart. Source: IEC 61158-6-10, 4.2.2.
const (
	pnAlarmHigh     = 0xfc01
	pnAlarmLow      = 0xfe01
	pnRSI           = 0xfe02
	pnDCPHello      = 0xfefc
	pnDCPGetSet     = 0xfefd
	pnDCPIdentify   = 0xfefe
	pnDCPIdentified = 0xfeff
)

// pnFrame is what a frame id says that a frame is.
type pnFrame uint8

const (
	pnReserved pnFrame = iota
	pnCyclic
	pnAlarm
	pnRemoteService
	pnTime
	pnFragment
	pnDCP
)

func pnKind(id uint16) pnFrame {
	switch {
	case 0x0100 <= id && id <= 0x0fff, 0x8000 <= id && id <= 0xfbff: // class 3; classes 1 and 2
		return pnCyclic
	case id == pnAlarmHigh || id == pnAlarmLow:
		return pnAlarm
	case id == pnRSI:
		return pnRemoteService
	case pnDCPHello <= id && id <= pnDCPIdentified:
		return pnDCP
	case 0xff80 <= id && id <= 0xff8f:
		return pnFragment
	}
	switch id { // synchronisation, announcement, follow-up, delay
	case 0x0020, 0x0021, 0x0080, 0x0081, 0xff00, 0xff01, 0xff20, 0xff21, 0xff22, 0xff40, 0xff41, 0xff42, 0xff43:
		return pnTime
	}
	return pnReserved
}

// pnOps are what the frames but those of DCP are, by their kind.
var pnOps = [...]Op{
	pnCyclic:        {capture.Profinet, "rt", "RT cyclic data", capture.Event},
	pnRemoteService: {capture.Profinet, "rsi", "Remote Service Interface", capture.Configure}, // what is in it is not read
	pnTime:          {capture.Profinet, "ptcp", "Precision Transparent Clock Protocol", capture.Session},
	pnFragment:      {capture.Profinet, "fragment", "RT fragment", capture.Event},
}

// pnAlarmOps are the alarms, by the type of PDU.
var (
	pnHighOps = pnAlarms("high")
	pnLowOps  = pnAlarms("low")
)

func pnAlarms(priority string) [5]Op {
	op := func(name string, class capture.Class) Op {
		return Op{capture.Profinet, "alarm:" + priority, "Alarm " + priority + ": " + name, class}
	}
	return [5]Op{
		1: op("DATA", capture.Event),
		2: op("NACK", capture.Session),
		3: op("ACK", capture.Session),
		4: op("ERR", capture.Session), // it ends the connection between the two
	}
}

// The services of DCP. Source: IEC 61158-6-10, 4.3.1.4.
const (
	dcpGet      = 3
	dcpSet      = 4
	dcpIdentify = 5
	dcpHello    = 6

	dcpHeader    = 10 // service, kind, transaction (4), delay or reserved (2), length of the blocks (2)
	dcpRequest   = 0
	dcpSuccess   = 1
	dcpUnfitting = 5 // response: the service is not supported
)

// The options and suboptions that are read. Source: IEC 61158-6-10, 4.3.1.4.
const (
	dcpIP             = 1
	dcpProperties     = 2
	dcpDHCP           = 3
	dcpControl        = 5
	dcpStationType    = 1 // of properties
	dcpStationName    = 2
	dcpDeviceID       = 3
	dcpStart          = 1 // of control
	dcpStop           = 2
	dcpSignal         = 3
	dcpResponse       = 4
	dcpFactoryReset   = 5
	dcpResetToFactory = 6
)

var dcpOps = [...]Op{
	dcpGet:      dcpOp(dcpGet, "Get", capture.Discover),
	dcpSet:      dcpOp(dcpSet, "Set", capture.Configure),
	dcpIdentify: dcpOp(dcpIdentify, "Identify", capture.Discover),
	dcpHello:    dcpOp(dcpHello, "Hello", capture.Discover),
}

// What a Set sets.
var (
	dcpSetName   = dcpOp(dcpSet, "Set: name of station", capture.Configure)
	dcpSetIP     = dcpOp(dcpSet, "Set: IP parameters", capture.Configure)
	dcpSetDHCP   = dcpOp(dcpSet, "Set: DHCP", capture.Configure)
	dcpSetSignal = dcpOp(dcpSet, "Set: signal (flash a light)", capture.Diagnose)
	dcpSetReset  = dcpOp(dcpSet, "Set: reset to factory settings", capture.Mode)
)

func dcpOp(service int, name string, class capture.Class) Op {
	return Op{capture.PNDCP, strconv.Itoa(service), name, class}
}

// recogniseProfinet is sure of DCP. A cyclic frame is a weak sign if its trailer
// says that the data is valid; without that, as with frames of time, the frame id
// alone does not tell it from other things.
func recogniseProfinet(b []byte) Match {
	if len(b) < 4 {
		return Match{}
	}
	id := binary.BigEndian.Uint16(b)
	switch pnKind(id) {
	case pnDCP:
		return recogniseDCP(id, b[2:])
	case pnCyclic:
		if pnValid(b) {
			return Match{Score: Weak}
		}
		return Match{Score: More}
	case pnAlarm, pnRemoteService:
		// Two endpoints, then the version and the type of the PDU.
		if len(b) < 14 || b[6]>>4 != 1 || b[6]&0x0f == 0 || b[6]&0x0f > 5 {
			return Match{}
		}
		return Match{Score: Weak}
	case pnTime:
		return Match{Score: Weak}
	case pnFragment:
		return Match{Score: More}
	}
	return Match{}
}

// pnValid reports whether a cyclic frame ends with a status that says that its
// data is valid: a cycle counter in two octets, a data status, and a transfer
// status of 0. Source: IEC 61158-6-10, 4.7.2.1.
func pnValid(b []byte) bool {
	const (
		shortest = 2 + 40 + 4
		valid    = 0x04
		reserved = 0x48
	)
	n := len(b)
	return n >= shortest && b[n-1] == 0 && b[n-2]&(valid|reserved) == valid
}

func recogniseDCP(id uint16, b []byte) Match {
	if len(b) < dcpHeader || dcpHeader+int(binary.BigEndian.Uint16(b[8:])) > len(b) {
		return Match{}
	}
	service, kind := b[0], b[1]
	fits := false
	switch id {
	case pnDCPHello:
		fits = service == dcpHello && kind == dcpRequest
	case pnDCPGetSet:
		fits = service == dcpGet || service == dcpSet
	case pnDCPIdentify:
		fits = service == dcpIdentify && kind == dcpRequest
	case pnDCPIdentified:
		fits = service == dcpIdentify && kind == dcpSuccess
	}
	switch {
	case !fits:
		return Match{}
	case kind == dcpRequest:
		return Match{Score: Sure, Role: Client}
	case kind == dcpSuccess, kind == dcpUnfitting:
		return Match{Score: Sure, Role: Server}
	}
	return Match{}
}

// profinetDecoder keeps what a station last said of itself, as a sum, so that it
// need not be written down again.
type profinetDecoder struct {
	said [2]uint64
}

// Decode implements [Decoder].
func (d *profinetDecoder) Decode(x *Exchange, from capture.Side, b []byte) int {
	if recogniseProfinet(b).Score == No {
		x.Undecoded()
		return len(b)
	}
	id := binary.BigEndian.Uint16(b)
	switch kind := pnKind(id); kind {
	case pnDCP:
		d.dcp(x, from, b[2:])
	case pnAlarm:
		ops := &pnLowOps
		if id == pnAlarmHigh {
			ops = &pnHighOps
		}
		if kind := b[6] & 0x0f; int(kind) < len(ops) {
			x.Note(&ops[kind], from)
		} else {
			x.Undecoded()
		}
	default:
		x.Note(&pnOps[kind], from)
	}
	return len(b)
}

// dcp reads a PDU of DCP that was recognised.
func (d *profinetDecoder) dcp(x *Exchange, from capture.Side, b []byte) {
	service, kind := b[0], b[1]
	blocks := b[dcpHeader : dcpHeader+int(binary.BigEndian.Uint16(b[8:]))]
	key := uint64(service)<<32 | uint64(binary.BigEndian.Uint32(b[2:]))
	switch {
	case kind != dcpRequest:
		x.Answer(from, key, kind == dcpSuccess && dcpTaken(blocks))
		if service != dcpSet {
			d.identity(x, from, blocks)
		}
	case service == dcpHello:
		x.Note(&dcpOps[service], from)
		d.identity(x, from, blocks)
	case service == dcpIdentify:
		x.Note(&dcpOps[service], from) // to all stations: those that fit answer from elsewhere
	case service == dcpSet:
		x.Forget(from, key)
		x.Ask(dcpWhatIsSet(blocks), from, key)
	default:
		x.Forget(from, key)
		x.Ask(&dcpOps[service], from, key)
	}
}

// cutDCP takes a block off b: option, suboption, length and content, padded to an
// even length.
func cutDCP(b []byte) (option, suboption byte, content, rest []byte, ok bool) {
	if len(b) < 4 {
		return 0, 0, nil, nil, false
	}
	n := int(binary.BigEndian.Uint16(b[2:]))
	if n > len(b)-4 {
		return 0, 0, nil, nil, false
	}
	return b[0], b[1], b[4 : 4+n], b[min(4+n+n%2, len(b)):], true
}

// dcpWhatIsSet names what a Set sets: a reset, whatever else comes with it, and
// otherwise the first block that is more than a bracket around the others.
func dcpWhatIsSet(b []byte) *Op {
	what := (*Op)(nil)
	for {
		option, suboption, _, rest, ok := cutDCP(b)
		if !ok {
			break
		}
		b = rest
		op := &dcpOps[dcpSet]
		switch {
		case option == dcpControl && (suboption == dcpFactoryReset || suboption == dcpResetToFactory):
			return &dcpSetReset
		case option == dcpControl && (suboption == dcpStart || suboption == dcpStop):
			continue
		case option == dcpControl && suboption == dcpSignal:
			op = &dcpSetSignal
		case option == dcpProperties && suboption == dcpStationName:
			op = &dcpSetName
		case option == dcpIP:
			op = &dcpSetIP
		case option == dcpDHCP:
			op = &dcpSetDHCP
		}
		if what == nil || what == &dcpSetSignal {
			what = op
		}
	}
	if what == nil {
		what = &dcpOps[dcpSet]
	}
	return what
}

// dcpTaken reports whether the blocks of a response report no error: each answers
// for one block of the request, with its option, suboption and result.
func dcpTaken(b []byte) bool {
	for {
		option, suboption, content, rest, ok := cutDCP(b)
		if !ok {
			return true
		}
		b = rest
		if option == dcpControl && suboption == dcpResponse && len(content) >= 3 && content[2] != 0 {
			return false
		}
	}
}

// identity reads what a station says of itself. Each block begins with two octets
// of information on it.
func (d *profinetDecoder) identity(x *Exchange, from capture.Side, b []byte) {
	if sum := fnv64(fnvOffset, b); sum == d.said[from] {
		return
	} else {
		d.said[from] = sum
	}
	id := capture.Identity{Source: string(capture.PNDCP)}
	for {
		option, suboption, content, rest, ok := cutDCP(b)
		if !ok {
			break
		}
		b = rest
		if option != dcpProperties || len(content) < 2 {
			continue
		}
		content = content[2:]
		switch suboption {
		case dcpStationName:
			x.Name(from, string(bytes.TrimRight(content, "\x00")), string(capture.PNDCP))
		case dcpStationType:
			id.Model = string(bytes.TrimRight(content, " \x00"))
		case dcpDeviceID:
			if len(content) < 4 {
				continue
			}
			id.Vendor = pnVendor(binary.BigEndian.Uint16(content))
			if id.Model == "" {
				id.Model = pnDevice(binary.BigEndian.Uint16(content[2:]))
			}
		}
	}
	if id.Vendor != "" || id.Model != "" {
		x.Identity(from, id)
	}
}

func pnVendor(id uint16) string { return fmt.Sprintf("PROFINET vendor 0x%04x", id) }
func pnDevice(id uint16) string { return fmt.Sprintf("PROFINET device 0x%04x", id) }

// fnvOffset is where a sum begins.
const fnvOffset = 14695981039346656037

// fnv64 adds b to a sum. Source: the hash FNV-1a.
func fnv64(sum uint64, b []byte) uint64 {
	for _, c := range b {
		sum = (sum ^ uint64(c)) * 1099511628211
	}
	return sum
}
