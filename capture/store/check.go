package store

import (
	"encoding/hex"
	"fmt"
	"net/netip"
	"slices"

	"bulkhead/capture"
)

// Bounds on what a file holds, over those that package capture sets on lists.
// Write keeps them and Read insists on them. A row weighs eight bytes for every
// value in it, nulls included, and the bytes of its text: near enough what it
// takes in memory, and known before anything is allocated for it.
const (
	maxFile   = 4 << 30  // weight of all rows: some four million conversations
	maxRow    = 32 << 20 // weight of one row
	maxGroup  = 32 << 20 // weight at which a row group is full; with the last row, twice that
	groupRows = 1 << 12  // rows at which a row group is full

	maxText     = 32 << 10 // bytes of one text
	maxCaptures = 1 << 16
	maxLedgers  = 32 << 20 // bytes of the captures' JSON
	maxLength   = 1<<31 - 1
)

// check says what in o no file may hold, if anything.
func check(o *capture.Observations) error {
	if o.Schema != capture.Schema {
		return fmt.Errorf("observations of schema %q, expected %q", short(o.Schema), capture.Schema)
	}
	if err := checkCaptures(o.Captures); err != nil {
		return err
	}
	for i := range o.Conversations {
		if err := checkConversation(&o.Conversations[i], len(o.Captures)); err != nil {
			return fmt.Errorf("conversation %d: %w", i+1, err)
		}
	}
	for i := range o.Folded {
		if err := checkFolded(&o.Folded[i], len(o.Captures)); err != nil {
			return fmt.Errorf("folded conversation %d: %w", i+1, err)
		}
	}
	for i := range o.Endpoints {
		if err := checkEndpoint(&o.Endpoints[i], len(o.Captures)); err != nil {
			return fmt.Errorf("endpoint %d: %w", i+1, err)
		}
	}
	return nil
}

func checkCaptures(list []capture.Capture) error {
	if len(list) > maxCaptures {
		return fmt.Errorf("%d captures are more than %d", len(list), maxCaptures)
	}
	seen := make(map[string]bool, len(list))
	for i := range list {
		c := &list[i]
		var err error
		switch {
		case !isSHA256(c.SHA256):
			err = fmt.Errorf("sha256 %q is not 64 lower-case hexadecimal digits", short(c.SHA256))
		case seen[c.SHA256]:
			// Merging would drop the second with all that it shows.
			err = fmt.Errorf("sha256 %s is another capture's already", c.SHA256)
		case c.Bytes < 0:
			err = fmt.Errorf("%d bytes are less than none", c.Bytes)
		case c.WatchedMS < 0:
			err = fmt.Errorf("watched for %d ms, less than none", c.WatchedMS)
		default:
			err = checkTexts(c.Path)
		}
		if err != nil {
			return fmt.Errorf("capture %d: %w", i+1, err)
		}
		seen[c.SHA256] = true
	}
	return nil
}

func isSHA256(s string) bool {
	var b [32]byte
	if len(s) != hex.EncodedLen(len(b)) {
		return false
	}
	_, err := hex.Decode(b[:], []byte(s))
	return err == nil && hex.EncodeToString(b[:]) == s
}

func checkConversation(c *capture.Conversation, captures int) error {
	if err := first(
		checkIndex(c.Capture, captures),
		oneOf("transport", c.Transport, transports),
		checkProtocol(c.Protocol),
		oneOf("protocol_basis", c.ProtocolBasis, bases),
		oneOf("role_basis", c.RoleBasis, bases),
		atMost("links", len(c.Links), capture.MaxLinks),
		atMost("operations", len(c.Operations), capture.MaxOperations),
		atMost("tls", len(c.Security.TLS), capture.MaxFacts),
		atMost("opcua", len(c.Security.OPCUA), capture.MaxFacts),
		atMost("snmp", len(c.Security.SNMP), capture.MaxFacts),
		atMost("smb", len(c.Security.SMB), capture.MaxFacts),
		atMost("auth", len(c.Security.Auth), capture.MaxFacts),
		checkTexts(c.Tunnel, c.Example.FiveTuple, c.Example.CommunityID),
		checkTexts(c.Security.SNMP...),
		checkTexts(c.Security.SMB...),
	); err != nil {
		return err
	}
	for i := range c.Operations {
		if err := checkOperation(&c.Operations[i]); err != nil {
			return fmt.Errorf("operation %d: %w", i+1, err)
		}
	}
	for _, f := range c.Security.TLS {
		if err := checkTexts(f.Version, f.Cipher); err != nil {
			return fmt.Errorf("tls: %w", err)
		}
	}
	for _, f := range c.Security.OPCUA {
		if err := checkTexts(f.Policy, f.Mode); err != nil {
			return fmt.Errorf("opcua: %w", err)
		}
	}
	for _, f := range c.Security.Auth {
		if f.Length < 0 || f.Length > maxLength {
			return fmt.Errorf("auth: length %d is not from 0 to %d", f.Length, maxLength)
		}
		if err := checkTexts(f.Kind); err != nil {
			return fmt.Errorf("auth: %w", err)
		}
	}
	return nil
}

func checkOperation(op *capture.Operation) error {
	if err := first(
		checkProtocol(op.Protocol),
		oneOf("class", op.Class, classes),
		oneOf("from", op.From, sides),
		atMost("frames", len(op.Frames), capture.MaxFrames),
		atMost("active", len(op.Active), capture.MaxRuns),
		atMost("units", len(op.Details.Units), capture.MaxUnits),
		atMost("objects", len(op.Details.Objects), capture.MaxObjects),
		checkTexts(op.Name, op.Code),
	); err != nil {
		return err
	}
	for _, o := range op.Details.Objects {
		if o.First > o.Last {
			return fmt.Errorf("objects: %d to %d runs downwards", o.First, o.Last)
		}
		if err := checkTexts(o.Space); err != nil {
			return fmt.Errorf("objects: %w", err)
		}
	}
	return nil
}

func checkFolded(f *capture.Folded, captures int) error {
	return first(
		checkIndex(f.Capture, captures),
		checkNetwork("client_network", f.Client),
		checkNetwork("server_network", f.Server),
		oneOf("transport", f.Transport, transports),
		checkTexts(f.Tunnel),
	)
}

func checkEndpoint(e *capture.Endpoint, captures int) error {
	if err := first(
		checkIndex(e.Capture, captures),
		atMost("names", len(e.Names), capture.MaxFacts),
		atMost("identities", len(e.Identities), capture.MaxFacts),
		checkTexts(e.Vendor),
	); err != nil {
		return err
	}
	for _, n := range e.Names {
		if err := checkTexts(n.Name, n.Source); err != nil {
			return fmt.Errorf("names: %w", err)
		}
	}
	for _, d := range e.Identities {
		if err := checkTexts(d.Vendor, d.Model, d.Firmware, d.Serial, d.Source); err != nil {
			return fmt.Errorf("identities: %w", err)
		}
	}
	return nil
}

var (
	transports = []capture.Transport{capture.TCP, capture.UDP, capture.SCTP, capture.OverIP, capture.OverICMP, capture.L2}
	bases      = []capture.Basis{capture.Handshake, capture.Content, capture.Port, capture.Guess, capture.NotKnown}
	classes    = capture.Classes()
	sides      = []capture.Side{capture.FromClient, capture.FromServer}
)

// first returns the first error of several.
func first(errs ...error) error {
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

func oneOf[T comparable](column string, v T, known []T) error {
	if !slices.Contains(known, v) {
		return fmt.Errorf("%s %q is none of %v", column, short(fmt.Sprint(v)), known)
	}
	return nil
}

func checkProtocol(p capture.Protocol) error {
	if p != capture.Unknown && p.Info() == nil {
		return fmt.Errorf("protocol %q is not known to this version", short(string(p)))
	}
	return nil
}

func checkIndex(i, captures int) error {
	if i < 0 || i >= captures {
		return fmt.Errorf("capture %d is not among the %d of the file, which count from 0", i, captures)
	}
	return nil
}

func checkNetwork(column string, p netip.Prefix) error {
	if p != (netip.Prefix{}) && (!p.IsValid() || p != p.Masked()) {
		return fmt.Errorf("%s %v is no network: expected no bits beyond its length", column, p)
	}
	return nil
}

func atMost(column string, n, most int) error {
	if n > most {
		return fmt.Errorf("%s: %d entries are more than %d", column, n, most)
	}
	return nil
}

func checkTexts(list ...string) error {
	for _, s := range list {
		if n := len(text(s)); n > maxText {
			return fmt.Errorf("text of %d bytes is longer than %d: %q", n, maxText, short(s))
		}
	}
	return nil
}
