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
	var s syscall.ByHandleFileInformation
	if err := syscall.GetFileInformationByHandle(syscall.Handle(f.Fd()), &s); err != nil {
		return Identity{}, false
	}
	return Identity{
		Device:   uint64(s.VolumeSerialNumber),
		File:     uint64(s.FileIndexHigh)<<32 | uint64(s.FileIndexLow),
		Size:     info.Size(),
		Modified: s.LastWriteTime.Nanoseconds(),
		Changed:  s.CreationTime.Nanoseconds(),
	}, true
}
