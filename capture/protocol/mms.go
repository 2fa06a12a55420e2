package protocol

import (
	"bytes"
	"fmt"
	"strconv"

	"bulkhead/capture"
)

// MMS is the Manufacturing Message Specification, which IEC 61850 devices and
// control centres (TASE.2) speak over ISO transport, session and
// presentation.
//
// Source: ISO 9506-1:2003 (the services) and ISO 9506-2:2003, 7 and 8 (their
// ASN.1); ITU-T X.227, 9 (ACSE); for the names of variables IEC 61850-8-1:2011, 20
// (control), and IEC 61850-7-2:2010 (functional constraints, control class
// model).
var MMS = &Protocol{
	Name:      capture.MMS,
	Over:      []capture.Transport{capture.TCP},
	Recognise: recogniseMMS,
	New:       func() Decoder { return new(mmsDecoder) },
}

// The PDUs of MMS by their first octet. Those without content are not
// constructed.
const (
	mmsRequest       = 0xa0
	mmsResponse      = 0xa1
	mmsError         = 0xa2
	mmsUnconfirmed   = 0xa3
	mmsReject        = 0xa4
	mmsCancel        = 0x85
	mmsCancelled     = 0x86
	mmsCancelError   = 0xa7
	mmsInitiate      = 0xa8
	mmsInitiated     = 0xa9
	mmsInitiateError = 0xaa
	mmsConclude      = 0x8b
	mmsConcluded     = 0x8c
	mmsConcludeError = 0xad
	mmsModifiers     = 0x30 // of a request, before the service
)

// The confirmed services that the decoder treats apart.
const (
	mmsIdentify = 2
	mmsRead     = 4
	mmsWrite    = 5
)

// mmsServices holds the operation of each confirmed service by its tag. One that
// nobody published is classed as configure.
//
// Source: ISO 9506-2:2003, 7, ConfirmedServiceRequest.
var mmsServices = func() (t [256]Op) {
	for i := range t {
		t[i] = mmsConfirmed(i, capture.Configure, fmt.Sprintf("confirmed service %d", i))
	}
	for i, s := range []struct {
		class capture.Class
		name  string
	}{
		0:           {capture.Diagnose, "status"},
		1:           {capture.Discover, "getNameList"},
		mmsIdentify: {capture.Discover, "identify"},
		3:           {capture.Configure, "rename"},
		mmsRead:     {capture.Read, "read"},
		mmsWrite:    {capture.Write, "write"},
		6:           {capture.Discover, "getVariableAccessAttributes"},
		7:           {capture.Configure, "defineNamedVariable"},
		8:           {capture.Configure, "defineScatteredAccess"},
		9:           {capture.Discover, "getScatteredAccessAttributes"},
		10:          {capture.Configure, "deleteVariableAccess"},
		11:          {capture.Configure, "defineNamedVariableList"},
		12:          {capture.Discover, "getNamedVariableListAttributes"},
		13:          {capture.Configure, "deleteNamedVariableList"},
		14:          {capture.Configure, "defineNamedType"},
		15:          {capture.Discover, "getNamedTypeAttributes"},
		16:          {capture.Configure, "deleteNamedType"},
		17:          {capture.Read, "input"},
		18:          {capture.Write, "output"},
		19:          {capture.Control, "takeControl"},
		20:          {capture.Control, "relinquishControl"},
		21:          {capture.Configure, "defineSemaphore"},
		22:          {capture.Configure, "deleteSemaphore"},
		23:          {capture.Diagnose, "reportSemaphoreStatus"},
		24:          {capture.Diagnose, "reportPoolSemaphoreStatus"},
		25:          {capture.Diagnose, "reportSemaphoreEntryStatus"},
		26:          {capture.Program, "initiateDownloadSequence"},
		27:          {capture.Program, "downloadSegment"},
		28:          {capture.Program, "terminateDownloadSequence"},
		29:          {capture.Program, "initiateUploadSequence"},
		30:          {capture.Program, "uploadSegment"},
		31:          {capture.Program, "terminateUploadSequence"},
		32:          {capture.Program, "requestDomainDownload"},
		33:          {capture.Program, "requestDomainUpload"},
		34:          {capture.Program, "loadDomainContent"},
		35:          {capture.Program, "storeDomainContent"},
		36:          {capture.Program, "deleteDomain"},
		37:          {capture.Discover, "getDomainAttributes"},
		38:          {capture.Program, "createProgramInvocation"},
		39:          {capture.Program, "deleteProgramInvocation"},
		40:          {capture.Mode, "start"},
		41:          {capture.Mode, "stop"},
		42:          {capture.Mode, "resume"},
		43:          {capture.Mode, "reset"},
		44:          {capture.Mode, "kill"},
		45:          {capture.Discover, "getProgramInvocationAttributes"},
		46:          {capture.File, "obtainFile"},
		47:          {capture.Configure, "defineEventCondition"},
		48:          {capture.Configure, "deleteEventCondition"},
		49:          {capture.Discover, "getEventConditionAttributes"},
		50:          {capture.Diagnose, "reportEventConditionStatus"},
		51:          {capture.Configure, "alterEventConditionMonitoring"},
		52:          {capture.Control, "triggerEvent"},
		53:          {capture.Configure, "defineEventAction"},
		54:          {capture.Configure, "deleteEventAction"},
		55:          {capture.Discover, "getEventActionAttributes"},
		56:          {capture.Diagnose, "reportEventActionStatus"},
		57:          {capture.Configure, "defineEventEnrollment"},
		58:          {capture.Configure, "deleteEventEnrollment"},
		59:          {capture.Configure, "alterEventEnrollment"},
		60:          {capture.Diagnose, "reportEventEnrollmentStatus"},
		61:          {capture.Discover, "getEventEnrollmentAttributes"},
		62:          {capture.Write, "acknowledgeEventNotification"},
		63:          {capture.Read, "getAlarmSummary"},
		64:          {capture.Read, "getAlarmEnrollmentSummary"},
		65:          {capture.Read, "readJournal"},
		66:          {capture.Write, "writeJournal"},
		67:          {capture.Configure, "initializeJournal"}, // empties it
		68:          {capture.Diagnose, "reportJournalStatus"},
		69:          {capture.Configure, "createJournal"},
		70:          {capture.Configure, "deleteJournal"},
		71:          {capture.Discover, "getCapabilityList"},
		72:          {capture.File, "fileOpen"},
		73:          {capture.File, "fileRead"},
		74:          {capture.File, "fileClose"},
		75:          {capture.File, "fileRename"},
		76:          {capture.File, "fileDelete"},
		77:          {capture.File, "fileDirectory"},
		78:          {capture.Configure, "additionalService"},
		80:          {capture.Discover, "getDataExchangeAttributes"},
		81:          {capture.Write, "exchangeData"},
		82:          {capture.Configure, "defineAccessControlList"},
		83:          {capture.Discover, "getAccessControlListAttributes"},
		84:          {capture.Discover, "reportAccessControlledObjects"},
		85:          {capture.Configure, "deleteAccessControlList"},
		86:          {capture.Configure, "changeAccessControl"},
		87:          {capture.Program, "reconfigureProgramInvocation"},
	} {
		if s.name != "" {
			t[i] = mmsConfirmed(i, s.class, s.name)
		}
	}
	return t
}()

func mmsConfirmed(service int, class capture.Class, name string) Op {
	return Op{capture.MMS, "confirmed:" + strconv.Itoa(service), name, class}
}

// mmsSelect is the read that selects a control object before it is operated.
var mmsSelect = mmsConfirmed(mmsRead, capture.Control, "read CO SBO (select)")

// mmsWrites are the writes to what IEC 61850 names: the functional constraint is
// the second part of a variable's name, and of a control object (CO) the part
// behind the data object says what is done. A write that names several counts as
// the first of them in this list.
var mmsWrites = [...]struct {
	constraint, service string
	op                  Op
}{
	{"CO", "Oper", mmsConfirmed(mmsWrite, capture.Control, "write CO Oper (operate)")},
	{"CO", "SBOw", mmsConfirmed(mmsWrite, capture.Control, "write CO SBOw (select with value)")},
	{"CO", "Cancel", mmsConfirmed(mmsWrite, capture.Control, "write CO Cancel")},
	{"CO", "", mmsConfirmed(mmsWrite, capture.Control, "write CO")},
	{"SP", "", mmsConfirmed(mmsWrite, capture.Configure, "write SP (setting)")},
	{"SG", "", mmsConfirmed(mmsWrite, capture.Configure, "write SG (setting group)")},
	{"SE", "", mmsConfirmed(mmsWrite, capture.Configure, "write SE (setting group being edited)")},
	{"CF", "", mmsConfirmed(mmsWrite, capture.Configure, "write CF (configuration)")},
	{"DC", "", mmsConfirmed(mmsWrite, capture.Configure, "write DC (description)")},
	{"EX", "", mmsConfirmed(mmsWrite, capture.Configure, "write EX (extended definition)")},
	{"GO", "", mmsConfirmed(mmsWrite, capture.Configure, "write GO (GOOSE control block)")},
	{"GS", "", mmsConfirmed(mmsWrite, capture.Configure, "write GS (GSSE control block)")},
	{"MS", "", mmsConfirmed(mmsWrite, capture.Configure, "write MS (multicast sampled value control block)")},
	{"US", "", mmsConfirmed(mmsWrite, capture.Configure, "write US (unicast sampled value control block)")},
	{"LG", "", mmsConfirmed(mmsWrite, capture.Configure, "write LG (log control block)")},
	{"BR", "", mmsConfirmed(mmsWrite, capture.Configure, "write BR (buffered report control block)")},
	{"RP", "", mmsConfirmed(mmsWrite, capture.Configure, "write RP (unbuffered report control block)")},
	{"SV", "", mmsConfirmed(mmsWrite, capture.Write, "write SV (substitution)")},
	{"BL", "", mmsConfirmed(mmsWrite, capture.Write, "write BL (blocking)")},
}

// mmsUnasked are the unconfirmed services by their tag. Source: ISO 9506-2:2003,
// 7, UnconfirmedService.
var mmsUnasked = [...]Op{
	{capture.MMS, "unconfirmed:0", "informationReport", capture.Event},
	{capture.MMS, "unconfirmed:1", "unsolicitedStatus", capture.Event},
	{capture.MMS, "unconfirmed:2", "eventNotification", capture.Event},
}

// The operations that serve the association.
var (
	mmsInitiateOp = Op{capture.MMS, "initiate", "initiate", capture.Session}
	mmsConcludeOp = Op{capture.MMS, "conclude", "conclude", capture.Session}
	mmsCancelOp   = Op{capture.MMS, "cancel", "cancel", capture.Session}
)

// Keys: a request's is its invoke id, of 32 bits.
const (
	mmsCancelKey   uint64 = 1 << 32 // with the invoke id that is to be cancelled
	mmsInitiateKey uint64 = 2 << 32
	mmsConcludeKey uint64 = 3 << 32
)

// ACSE: the PDUs and those of their fields that are read. Source: ITU-T X.227,
// 9.1.
const (
	acseRequest   = 0x60 // AARQ
	acseResponse  = 0x61 // AARE
	acseResult    = 0xa2 // of an AARE
	acseMechanism = 0x8b // of an AARQ
	acseValue     = 0xac // of an AARQ: the authentication value
	acseUser      = 0xbe
	acseText      = 0x80 // of an authentication value: as characters
	berExternal   = 0x28
)

// mmsObject is what the object identifiers of MMS begin with: {iso standard 9506
// part(2)}; the abstract syntax is 1 of it, the application context 3.
var mmsObject = []byte{0x28, 0xca, 0x22, 0x02}

// recogniseMMS looks at the first data that the transport carries: for a
// session that is opened and names MMS, for an MMS PDU in a presentation data
// value, or for an MMS association straight on the transport.
func recogniseMMS(b []byte) Match {
	match := Match{Score: More}
	for len(b) > 0 {
		tpdu, size := cutTPKT(b)
		if size < 0 {
			return Match{}
		}
		whole := size > 0
		if !whole {
			if len(b) < tpktHeader+3 {
				return match
			}
			tpdu, size = b[tpktHeader:], len(b)
		}
		t, ok := parseCOTP(tpdu)
		switch {
		case !ok && whole:
			return Match{}
		case !ok:
			return match
		case t.kind == cotpRequest:
			match.Role = Client
		case t.kind == cotpConfirm:
			match.Role = Server
		case t.kind == cotpData && len(t.data) > 0:
			m := matchMMS(t.data)
			if m.Score == No && (!whole || !t.last) && mmsMayBegin(t.data) {
				return match
			}
			return m
		}
		b = b[size:]
	}
	return match
}

// mmsMayBegin reports whether data that shows no sign of MMS yet may show one
// later.
func mmsMayBegin(data []byte) bool {
	switch data[0] {
	case sessionConnect, sessionAccept, sessionData, mmsInitiate, mmsInitiated:
		return true
	}
	return false
}

// matchMMS judges the front of a TSDU.
func matchMMS(data []byte) Match {
	switch data[0] {
	case sessionConnect:
		if bytes.Contains(data, mmsObject) {
			return Match{Sure, Client}
		}
	case sessionAccept:
		if bytes.Contains(data, mmsObject) {
			return Match{Sure, Server}
		}
	case sessionData:
		if id, user, ok := cutSession(data); ok && id == sessionData {
			return matchMMSValue(user)
		}
	case mmsInitiate, mmsInitiated:
		if !mmsInitiates(data) {
			break
		}
		if data[0] == mmsInitiate {
			return Match{Sure, Client}
		}
		return Match{Sure, Server}
	}
	return Match{}
}

// matchMMSValue judges the front of a presentation PDU: user data, a list, the
// number of a context, one value, and in it an MMS PDU that begins as its kind
// does. Each element must fill the one around it.
func matchMMSValue(b []byte) Match {
	room := -1 // what is left of the element around; -1 for none
	for _, id := range []byte{presentationUser, presentationList, berInteger, presentationSingle} {
		e, size, rest, ok := cutBERHead(b)
		if !ok || e.id != id {
			return Match{}
		}
		if id == berInteger { // the context, which stands beside the value
			if size != 1 || len(rest) == 0 {
				return Match{}
			}
			room, b = room-3, rest[1:]
			continue
		}
		if room >= 0 && room != len(b)-len(rest)+size {
			return Match{}
		}
		room, b = size, rest
	}
	e, size, rest, ok := cutBERHead(b)
	if !ok || room != len(b)-len(rest)+size {
		return Match{}
	}
	if size == 0 {
		switch e.id {
		case mmsConclude:
			return Match{Sure, Client}
		case mmsConcluded:
			return Match{Sure, Server}
		}
		return Match{}
	}
	if len(rest) == 0 {
		return Match{}
	}
	switch first := rest[0]; {
	case e.id == mmsRequest && first == berInteger:
		return Match{Sure, Client}
	case e.id == mmsResponse && first == berInteger,
		e.id == mmsError && first == 0x80,
		e.id == mmsReject && 0x80 <= first && first <= 0x80|11,
		e.id == mmsUnconfirmed && mmsRequest <= first && first <= mmsRequest+2:
		return Match{Sure, Server}
	}
	return Match{}
}

// mmsInitiates reports whether a PDU is a whole request or response of the
// initiate service: local detail, calls outstanding, nesting, and the details
// with version, parameters and services.
func mmsInitiates(pdu []byte) bool {
	e, _, ok := cutBER(pdu)
	if !ok {
		return false
	}
	for _, id := range []byte{0x81, 0x82} {
		if calls, found := e.find(id); !found || len(calls.content) == 0 || len(calls.content) > 2 {
			return false
		}
	}
	detail, found := e.find(0xa4)
	if !found {
		return false
	}
	for _, id := range []byte{0x80, 0x81, 0x82} {
		if _, found := detail.find(id); !found {
			return false
		}
	}
	return true
}

// mmsDecoder puts the data units of the transport together.
type mmsDecoder struct{ tsdus tsduReader }

// Decode implements [Decoder].
func (d *mmsDecoder) Decode(x *Exchange, from capture.Side, b []byte) int {
	return d.tsdus.read(x, from, b, func(tsdu []byte) { mmsTSDU(x, from, tsdu) })
}

// mmsTSDU reads a TSDU: a session PDU or, where a stack leaves session and
// presentation out, an MMS PDU.
func mmsTSDU(x *Exchange, from capture.Side, tsdu []byte) {
	if tsdu[0] >= 0x80 {
		mmsPDU(x, from, tsdu)
		return
	}
	id, user, ok := cutSession(tsdu)
	switch {
	case !ok:
		x.Undecoded()
	case id == sessionRefuse:
		x.Answer(from, mmsInitiateKey, false)
	case id == sessionAbort, id == sessionFinish, id == sessionEnd, len(user) == 0:
	default:
		read := presentationValues(user, func(value []byte) {
			switch {
			case len(value) == 0:
				x.Undecoded()
			case value[0] == acseRequest, value[0] == acseResponse:
				mmsAssociate(x, from, value)
			default:
				mmsPDU(x, from, value)
			}
		})
		if !read {
			x.Undecoded()
		}
	}
}

// mmsAssociate reads the request for an association or the response to it, which
// carry an initiate each.
func mmsAssociate(x *Exchange, from capture.Side, apdu []byte) {
	e, _, ok := cutBER(apdu)
	if !ok {
		x.Undecoded()
		return
	}
	if e.id == acseResponse {
		if result, found := e.find(acseResult); found {
			if n, _, ok := cutBER(result.content); ok && !bytes.Equal(n.content, []byte{0}) {
				x.Answer(from, mmsInitiateKey, false)
			}
		}
	}
	user, found := e.find(acseUser)
	if found {
		user, found = user.find(berExternal)
	}
	if found {
		user, found = user.find(presentationSingle)
	}
	if found {
		mmsPDU(x, from, user.content)
	}
	if e.id == acseRequest {
		mmsLogin(x, from, e)
	}
}

// mmsLogin counts the authentication that a request for an association bears. A
// value of characters is a password; any other is a signature or a token, as IEC
// 62351-4 has it.
func mmsLogin(x *Exchange, from capture.Side, request berElement) {
	value, found := request.find(acseValue)
	if !found {
		return
	}
	if text, found := value.find(acseText); found {
		x.Login(from, mmsInitiateKey, "mms password", true, len(text.content))
		return
	}
	x.Login(from, mmsInitiateKey, "mms authentication value", false, 0)
}

// mmsPDU reads an MMS PDU.
func mmsPDU(x *Exchange, from capture.Side, pdu []byte) {
	e, _, ok := cutBER(pdu)
	if !ok {
		x.Undecoded()
		return
	}
	switch e.id {
	case mmsRequest:
		ok = mmsAsked(x, from, e.content)
	case mmsResponse:
		ok = mmsAnswered(x, from, e.content)
	case mmsError, mmsCancelError:
		ok = mmsRefused(x, from, e)
	case mmsReject:
		ok = mmsRejected(x, from, e)
	case mmsUnconfirmed:
		service, _, found := cutBER(e.content)
		if ok = found && int(service.number) < len(mmsUnasked) && service.id&0xc0 == 0x80; ok {
			x.Note(&mmsUnasked[service.number], from)
		}
	case mmsCancel:
		var id uint32
		if id, ok = e.unsigned(); ok {
			x.Forget(from, mmsCancelKey|uint64(id))
			x.Ask(&mmsCancelOp, from, mmsCancelKey|uint64(id))
		}
	case mmsCancelled:
		var id uint32
		if id, ok = e.unsigned(); ok {
			x.Answer(from, mmsCancelKey|uint64(id), true)
		}
	case mmsInitiate:
		x.Forget(from, mmsInitiateKey)
		x.Ask(&mmsInitiateOp, from, mmsInitiateKey)
	case mmsInitiated, mmsInitiateError:
		x.Answer(from, mmsInitiateKey, e.id == mmsInitiated)
	case mmsConclude:
		x.Forget(from, mmsConcludeKey)
		x.Ask(&mmsConcludeOp, from, mmsConcludeKey)
	case mmsConcluded, mmsConcludeError:
		x.Answer(from, mmsConcludeKey, e.id == mmsConcluded)
	default:
		ok = false
	}
	if !ok {
		x.Undecoded()
	}
}

// mmsAsked reads a confirmed request: invoke id, modifiers, service. It returns
// false if it cannot.
func mmsAsked(x *Exchange, from capture.Side, b []byte) bool {
	invoke, service, ok := mmsService(b)
	if !ok {
		return false
	}
	op := &mmsServices[service.number]
	switch service.number {
	case mmsRead:
		op = mmsReads(service)
	case mmsWrite:
		op = mmsWritten(service)
	}
	key := uint64(invoke)
	x.Forget(from, key)
	x.Ask(op, from, key)
	return true
}

// mmsService reads what requests and responses have in common.
func mmsService(b []byte) (invoke uint32, service berElement, ok bool) {
	id, b, ok := cutBER(b)
	if !ok || id.id != berInteger {
		return 0, service, false
	}
	if invoke, ok = id.unsigned(); !ok {
		return 0, service, false
	}
	service, b, ok = cutBER(b)
	if ok && service.id == mmsModifiers {
		service, _, ok = cutBER(b)
	}
	return invoke, service, ok && service.id&0xc0 == 0x80 && int(service.number) < len(mmsServices)
}

// mmsReads returns the operation of a read by the names of its variables.
func mmsReads(request berElement) *Op {
	op := &mmsServices[mmsRead]
	access, _ := request.find(0xa1)
	mmsVariables(access.content, func(item []byte) {
		if constraint, rest := mmsName(item); string(constraint) == "CO" && mmsHasPart(rest, "SBO") {
			op = &mmsSelect
		}
	})
	return op
}

// mmsWritten returns the operation of a write by the names of its variables.
func mmsWritten(request berElement) *Op {
	first := len(mmsWrites)
	mmsVariables(request.content, func(item []byte) {
		constraint, rest := mmsName(item)
		for i := range mmsWrites[:first] {
			w := &mmsWrites[i]
			if string(constraint) == w.constraint && (w.service == "" || mmsHasPart(rest, w.service)) {
				first = i
				break
			}
		}
	})
	if first == len(mmsWrites) {
		return &mmsServices[mmsWrite]
	}
	return &mmsWrites[first].op
}

// mmsVariables calls f for each variable that an access specification names,
// with its name within its domain: the specification lists variables, each a
// sequence that begins with a name, or names a list, of which only the device
// knows what is in it.
// Source: ISO 9506-2:2003, 14, VariableAccessSpecification and ObjectName.
func mmsVariables(access []byte, f func(item []byte)) {
	const list, byName, inDomain = 0xa0, 0xa0, 0xa1
	e, _, ok := cutBER(access)
	if !ok || e.id != list {
		return
	}
	for b := e.content; len(b) > 0; {
		var variable berElement
		if variable, b, ok = cutBER(b); !ok {
			return
		}
		object, found := variable.find(byName)
		if !found {
			continue
		}
		name, _, ok := cutBER(object.content)
		if ok && name.id == inDomain {
			_, item, read := cutBER(name.content) // behind the domain
			name, _, ok = cutBER(item)
			ok = ok && read
		}
		if ok {
			f(name.content)
		}
	}
}

// mmsName cuts a name as IEC 61850 makes them, such as
// GGIO1$CO$SPCSO1$Oper$ctlVal: into the functional constraint, behind the logical
// node, and what follows it. Both are nil for other names.
// Source: IEC 61850-8-1:2011, mapping of functional constraints.
func mmsName(item []byte) (constraint, rest []byte) {
	node := bytes.IndexByte(item, '$')
	if node < 1 || len(item) < node+3 || len(item) > node+3 && item[node+3] != '$' {
		return nil, nil
	}
	return item[node+1 : node+3], item[node+3:]
}

// mmsHasPart reports whether one of the parts of a name, each with a $ in front,
// is part.
func mmsHasPart(b []byte, part string) bool {
	for len(b) > 0 {
		b = b[1:]
		n := bytes.IndexByte(b, '$')
		if n < 0 {
			n = len(b)
		}
		if string(b[:n]) == part {
			return true
		}
		b = b[n:]
	}
	return false
}

// mmsAnswered reads a confirmed response. It returns false if it cannot.
func mmsAnswered(x *Exchange, from capture.Side, b []byte) bool {
	invoke, service, ok := mmsService(b)
	if !ok {
		return false
	}
	key, accepted := uint64(invoke), true
	switch service.number {
	case mmsIdentify:
		mmsIdentity(x, from, service)
	case mmsRead:
		results, _ := service.find(0xa1)
		accepted = mmsAnyResult(results.content)
		if bytes.Equal(results.content, []byte{0x8a, 0}) { // an empty string: not selected, where that was asked
			x.Open(from.Other(), func(op *Op, open uint64) bool {
				accepted = accepted && (open != key || op != &mmsSelect)
				return open != key
			})
		}
	case mmsWrite:
		accepted = mmsAnyResult(service.content)
	}
	x.Answer(from, key, accepted)
	return true
}

// mmsAnyResult reports whether one at least of the results of a read or write is
// no failure, or there are none.
func mmsAnyResult(b []byte) bool {
	const failure = 0x80
	none := true
	for len(b) > 0 {
		e, rest, ok := cutBER(b)
		if !ok {
			break
		}
		if e.id != failure {
			return true
		}
		b, none = rest, false
	}
	return none
}

// mmsIdentity reads the vendor's name, the model and the revision. Source: ISO
// 9506-2:2003, 10, Identify-Response.
func mmsIdentity(x *Exchange, from capture.Side, response berElement) {
	vendor, _ := response.find(0x80)
	model, _ := response.find(0x81)
	revision, _ := response.find(0x82)
	if len(vendor.content)+len(model.content)+len(revision.content) == 0 {
		return
	}
	x.Identity(from, capture.Identity{
		Vendor: string(vendor.content), Model: string(model.content), Firmware: string(revision.content), Source: string(capture.MMS),
	})
}

// mmsRefused reads an error that answers a confirmed request or a cancel. It
// returns false if it cannot.
func mmsRefused(x *Exchange, from capture.Side, e berElement) bool {
	id, found := e.find(0x80)
	if !found {
		return false
	}
	invoke, ok := id.unsigned()
	if !ok {
		return false
	}
	key := uint64(invoke)
	if e.id == mmsCancelError {
		key |= mmsCancelKey
	}
	x.Answer(from, key, false)
	return true
}

// mmsRejected reads a reject: the invoke id of what is rejected, if it had one,
// and the reason, whose tag is the kind of PDU. One of a response answers
// nothing. Source: ISO 9506-2:2003, 8, RejectPDU.
func mmsRejected(x *Exchange, from capture.Side, e berElement) bool {
	const request, pduError, cancel, conclude = 1, 5, 6, 9
	var invoke uint32
	known := false
	for b := e.content; len(b) > 0; {
		var c berElement
		var ok bool
		if c, b, ok = cutBER(b); !ok {
			return false
		}
		switch c.number {
		case 0:
			if invoke, known = c.unsigned(); !known {
				return false
			}
		case request, pduError:
			if known {
				x.Answer(from, uint64(invoke), false)
			}
		case cancel:
			if known {
				x.Answer(from, mmsCancelKey|uint64(invoke), false)
			}
		case conclude:
			x.Answer(from, mmsConcludeKey, false)
		}
	}
	return true
}
