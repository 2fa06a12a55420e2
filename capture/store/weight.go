package store

import "github.com/parquet-go/parquet-go"

// weight returns what r weighs at most: an empty list still has one null in each
// of its columns.
func (r *row) weight() int64 {
	values := len(leaves())
	text := len(r.Record) + len(r.CaptureSHA256) + len(r.CapturePath) + len(r.Transport) + len(r.Tunnel) +
		len(r.ClientIP) + len(r.ClientMAC) + len(r.ServerIP) + len(r.ServerMAC) +
		len(r.Protocol) + len(r.ProtocolBasis) + len(r.RoleBasis) + len(r.FiveTuple) + len(r.CommunityID) +
		len(r.ClientNetwork) + len(r.ServerNetwork) + len(r.IP) + len(r.MAC) + len(r.Vendor)
	for i := range r.Links {
		values += 5
		text += len(r.Links[i].ClientMAC) + len(r.Links[i].ServerMAC)
	}
	for i := range r.Operations {
		op := &r.Operations[i]
		values += 21 + len(op.Frames) + len(op.Units) + 3*len(op.Objects) + 5*len(op.Active)
		text += len(op.Protocol) + len(op.Name) + len(op.Code) + len(op.From) + len(op.Class)
		for _, o := range op.Objects {
			text += len(o.Space)
		}
	}
	for _, f := range r.TLS {
		values += 3
		text += len(f.Version) + len(f.Cipher)
	}
	for _, f := range r.OPCUA {
		values += 3
		text += len(f.Policy) + len(f.Mode)
	}
	values += len(r.SNMP) + len(r.SMB)
	for _, list := range [][]string{r.SNMP, r.SMB} {
		for _, s := range list {
			text += len(s)
		}
	}
	for _, f := range r.Auth {
		values += 6
		text += len(f.Kind)
	}
	for _, n := range r.Names {
		values += 3
		text += len(n.Name) + len(n.Source)
	}
	for _, d := range r.Identities {
		values += 6
		text += len(d.Vendor) + len(d.Model) + len(d.Firmware) + len(d.Serial) + len(d.Source)
	}
	return 8*int64(values) + int64(text)
}

// weightOf returns what a row as it was read weighs.
func weightOf(cells parquet.Row) int64 {
	weight := 8 * int64(len(cells))
	for i := range cells {
		if cells[i].Kind() == parquet.ByteArray {
			weight += int64(len(cells[i].ByteArray()))
		}
	}
	return weight
}
