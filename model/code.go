package model

// code is a diagnostic's stable name. docs/model.md explains each, with an example.
type code string

// The codes of diagnostics, in the order in which a model meets them.
const (
	// Reading the files.
	codeUnreadable      code = "unreadable"
	codeTooLarge        code = "too-large"
	codeBadEncoding     code = "bad-encoding"
	codeTab             code = "tab"
	codeSyntax          code = "syntax"
	codeEmptyFile       code = "empty-file"
	codeManyDocuments   code = "multiple-documents"
	codeTooDeep         code = "too-deep"
	codeAliasLimit      code = "alias-limit"
	codeAliasCycle      code = "alias-cycle"
	codeIncludeOutside  code = "include-outside"
	codeIncludeMissing  code = "include-missing"
	codeIncludeCycle    code = "include-cycle"
	codeIncludeRepeated code = "include-repeated"
	codeMisplaced       code = "misplaced-section"

	// The shape of the YAML.
	codeWrongKind      code = "wrong-kind"
	codeUnknownKey     code = "unknown-key"
	codeDuplicateKey   code = "duplicate-key"
	codeKeyNotText     code = "key-not-text"
	codeMergeKey       code = "merge-key"
	codeMissingKey     code = "missing-key"
	codeBadValue       code = "bad-value"
	codeDuplicateEntry code = "duplicate-entry"

	// Names.
	codeBadID       code = "bad-id"
	codeReservedID  code = "reserved-id"
	codeDuplicateID code = "duplicate-id"
	codeUnknownName code = "unknown-name"

	// Zones and assets.
	codeSLRange         code = "sl-range"
	codeSLNotation      code = "sl-notation"
	codeSLIncomplete    code = "sl-incomplete"
	codeSLMissing       code = "sl-missing"
	codeSLBelowParent   code = "sl-below-parent"
	codeParentCycle     code = "parent-cycle"
	codeBadNetwork      code = "bad-network"
	codeHostBits        code = "host-bits"
	codeOverlap         code = "overlapping-networks"
	codeBadAddress      code = "bad-address"
	codeDuplicateAsset  code = "asset-in-two-zones"
	codeDuplicateAddr   code = "duplicate-address"
	codeOutsideNetworks code = "address-outside-zone"

	// Conduits and channels.
	codeJoins          code = "conduit-joins"
	codeSLBelowZone    code = "sl-below-zone"
	codeOneWay         code = "one-way"
	codeAgainstOneWay  code = "against-one-way"
	codeViaOutside     code = "via-outside"
	codeMissesVia      code = "channel-misses-via"
	codeChannelEnds    code = "channel-ends"
	codeChannelService code = "channel-service"
	codeBadCode        code = "bad-code"
	codeBadObjects     code = "bad-objects"
	codeBadWindow      code = "bad-window"

	// The rest.
	codeBadTimezone    code = "bad-timezone"
	codeBadDate        code = "bad-date"
	codeBadDuration    code = "bad-duration"
	codeNotConditional code = "not-conditional"
	codeCompensating   code = "compensating-incomplete"
	codeCapturePattern code = "capture-pattern"
	codeTooMany        code = "too-many"
)

// severity of a diagnostic with that code. That of too-many depends on what it
// stands for.
func (c code) severity() Severity {
	switch c {
	case codeIncludeRepeated, codeOutsideNetworks, codeSLBelowZone, codeMissesVia:
		return Warning
	}
	return Error
}
