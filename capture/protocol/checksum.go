package protocol

import "encoding/binary"

// The two 16-bit cyclic checks of more than one protocol here.

// crc16Good reports whether the last two octets of b, the lower first, are its
// check with polynomial 0x8005, octets reflected. Descriptions of ROC Plus and
// Genisys do not agree whether it begins with 0 or with 0xffff, so either will do.
func crc16Good(b []byte) bool {
	if len(b) < 2 {
		return false
	}
	end := len(b) - 2
	want := binary.LittleEndian.Uint16(b[end:])
	return crc16(0xffff, b[:end]) == want || crc16(0, b[:end]) == want
}

func crc16(crc uint16, b []byte) uint16 {
	for _, c := range b {
		crc = crc>>8 ^ crc16Table[byte(crc)^c]
	}
	return crc
}

var crc16Table = func() (table [256]uint16) {
	for i := range table {
		crc := uint16(i)
		for range 8 {
			if crc&1 != 0 {
				crc = crc>>1 ^ 0xa001
			} else {
				crc >>= 1
			}
		}
		table[i] = crc
	}
	return table
}()

// crcCCITT is the check with polynomial 0x1021 that begins with 0xffff. Source:
// IEEE Std C37.118.2-2011, Annex B.
func crcCCITT(b []byte) uint16 {
	crc := uint16(0xffff)
	for _, c := range b {
		crc = crc<<8 ^ crcCCITTTable[byte(crc>>8)^c]
	}
	return crc
}

var crcCCITTTable = func() (table [256]uint16) {
	for i := range table {
		crc := uint16(i) << 8
		for range 8 {
			if crc&0x8000 != 0 {
				crc = crc<<1 ^ 0x1021
			} else {
				crc <<= 1
			}
		}
		table[i] = crc
	}
	return table
}()
