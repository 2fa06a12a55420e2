package protocol

import "bytes"

// The text protocols are read line by line.

// maxLine is the longest line, in bytes, that is put together; a longer one is
// passed over.
const maxLine = 8192

// cutLine returns the line at the front of b without its end, and its size with
// it. The size is 0 if b holds no end of line and could still become a line of at
// most maxLine bytes; the line is nil, and the size not 0, if it is too long.
func cutLine(b []byte) (line []byte, size int) {
	i := bytes.IndexByte(b[:min(len(b), maxLine)], '\n')
	if i < 0 {
		if len(b) < maxLine {
			return nil, 0
		}
		return nil, maxLine
	}
	return bytes.TrimSuffix(b[:i], []byte{'\r'}), i + 1
}

// foldPrefix reports whether b begins with s, letters of either case being the
// same. s is in lower case.
func foldPrefix(b []byte, s string) bool {
	if len(b) < len(s) {
		return false
	}
	for i := range len(s) {
		if lower(b[i]) != s[i] {
			return false
		}
	}
	return true
}

func lower(c byte) byte {
	if 'A' <= c && c <= 'Z' {
		c += 'a' - 'A'
	}
	return c
}

// isText reports whether b holds nothing but printable ASCII and white space.
func isText(b []byte) bool {
	for _, c := range b {
		if (c < ' ' || c > '~') && c != '\r' && c != '\n' && c != '\t' {
			return false
		}
	}
	return true
}
