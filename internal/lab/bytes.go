package lab

import "encoding/binary"

func be16[T ~int | ~uint16](v T) []byte { return binary.BigEndian.AppendUint16(nil, uint16(v)) }
func be32[T ~int | ~uint32](v T) []byte { return binary.BigEndian.AppendUint32(nil, uint32(v)) }
func le16[T ~int | ~uint16](v T) []byte { return binary.LittleEndian.AppendUint16(nil, uint16(v)) }
func le32[T ~int | ~uint32](v T) []byte { return binary.LittleEndian.AppendUint32(nil, uint32(v)) }
func le64[T ~int | ~uint64](v T) []byte { return binary.LittleEndian.AppendUint64(nil, uint64(v)) }
