package cache

import (
	"os"
	"syscall"
)

// Identify returns the identity of an open file; false if it is not a regular
// file.
func Identify(f *os.File) (Identity, bool) {
	info, err := f.Stat()
	if err != nil || !info.Mode().IsRegular() {
		return Identity{}, false
	}
	s, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return Identity{}, false
	}
	return Identity{
		Device:   uint64(s.Dev),
		File:     uint64(s.Ino),
		Size:     info.Size(),
		Modified: s.Mtim.Nano(),
		Changed:  s.Ctim.Nano(),
	}, true
}
