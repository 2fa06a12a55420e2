package cache

import "fmt"

// Identity tells a file, and one state of it, from all others, whatever its path.
// Two equal identities taken at different times mean that the file has not been
// written to in between; see [Cache.Remember] for the exception.
type Identity struct {
	Device uint64 `json:"device"`
	File   uint64 `json:"file"` // its number on the device
	Size   int64  `json:"size"`
	// Modified is when the content was written last, Changed when that, or
	// anything else about the file, was changed last: times that a program can
	// and cannot set at will. Both in nanoseconds since 1970. Windows, which does
	// not tell the second easily, gives the time of creation instead.
	Modified int64 `json:"modified"`
	Changed  int64 `json:"changed"`
}

// Name returns what tells the file from others, leaving its state aside.
func (id Identity) Name() string { return fmt.Sprintf("%x-%x", id.Device, id.File) }
