package packet

import (
	"strconv"
	"sync"

	"bulkhead/capture/pcap"
)

// The words of Detail that have a number in them, for all numbers there can be:
// made once, when the first is asked for, so that Parse allocates nothing
// whatever a file contains.
var (
	linkTypes = sync.OnceValue(func() []string {
		return words(1<<16, func(b []byte, n int) []byte {
			b = strconv.AppendInt(append(b, "link type "...), int64(n), 10)
			return append(append(append(b, " ("...), pcap.LinkName(pcap.LinkType(n))...), ')')
		})
	})
	etherTypes = sync.OnceValue(func() []string {
		return words(1<<16, func(b []byte, n int) []byte {
			return hex4(append(b, "ethertype 0x"...), n)
		})
	})
	pppProtocols = sync.OnceValue(func() []string {
		return words(1<<16, func(b []byte, n int) []byte {
			return hex4(append(b, "ppp protocol 0x"...), n)
		})
	})
	llcServices = sync.OnceValue(func() []string {
		return words(1<<8, func(b []byte, n int) []byte {
			return hex2(append(b, "llc sap 0x"...), n)
		})
	})
	nlpids = sync.OnceValue(func() []string {
		return words(1<<8, func(b []byte, n int) []byte {
			return hex2(append(b, "frame relay nlpid 0x"...), n)
		})
	})
	ipProtocols = sync.OnceValue(func() []string {
		return words(1<<8, func(b []byte, n int) []byte {
			return strconv.AppendInt(append(b, "ip protocol "...), int64(n), 10)
		})
	})
	addressFamilies = sync.OnceValue(func() []string {
		return words(1<<8+1, func(b []byte, n int) []byte {
			if n == 1<<8 {
				return append(b, "address family above 255"...)
			}
			return strconv.AppendInt(append(b, "address family "...), int64(n), 10)
		})
	})
)

const hexDigits = "0123456789abcdef"

func hex2(b []byte, n int) []byte { return append(b, hexDigits[n>>4&15], hexDigits[n&15]) }
func hex4(b []byte, n int) []byte { return hex2(hex2(b, n>>8), n) }

// words returns the strings that text appends for 0 to n-1. They share one
// allocation.
func words(n int, text func(b []byte, i int) []byte) []string {
	var b []byte
	ends := make([]int, n)
	for i := range n {
		b = text(b, i)
		ends[i] = len(b)
	}
	all, from := string(b), 0
	list := make([]string, n)
	for i, end := range ends {
		list[i], from = all[from:end], end
	}
	return list
}
