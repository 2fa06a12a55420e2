package pcap

import (
	"bufio"
	"bytes"
	"compress/bzip2"
	"errors"
	"fmt"
	"io"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
	"github.com/mikelolasagasti/xz"
	"github.com/pierrec/lz4/v4"
)

// maxDictionary is the most history that an archive may want to be kept, in
// bytes: what xz -9 and zstd -21 want, half of what zstd -22 and --long do.
const maxDictionary = 64 << 20

// packer is a format of archives that hold one file. All of them may follow each
// other in a file, which unpacks to what they hold, joined; open's readers see to
// that. Its errors are those of an archive that is damaged from its first byte.
type packer struct {
	name string
	is   func(head []byte) bool
	open func(*bufio.Reader) (io.ReadCloser, error)
}

// packers are recognised by the first packerBytes bytes. Sources: RFC 1952 (gzip),
// RFC 8878 (zstd), LZ4 Frame Format 1.6.4, The .xz File Format 1.2.1; bzip2, which
// no document describes, by its version, its block size and the 48 bits with
// which a block or the end of the stream begins.
var packers = []packer{
	{"gzip", begins("\x1f\x8b\x08"), func(r *bufio.Reader) (io.ReadCloser, error) { return gzip.NewReader(r) }},
	{"zstd", begins("\x28\xb5\x2f\xfd"), openZstd},
	{"lz4", begins("\x04\x22\x4d\x18"), func(r *bufio.Reader) (io.ReadCloser, error) { return io.NopCloser(lz4.NewReader(r)), nil }},
	{"xz", begins("\xfd7zXZ\x00"), openXZ},
	{"bzip2", isBzip2, func(r *bufio.Reader) (io.ReadCloser, error) { return io.NopCloser(bzip2.NewReader(r)), nil }},
}

const packerBytes = 12

func begins(magic string) func([]byte) bool {
	return func(head []byte) bool { return bytes.HasPrefix(head, []byte(magic)) }
}

func isBzip2(head []byte) bool {
	if len(head) < 10 || string(head[:3]) != "BZh" || head[3] < '1' || head[3] > '9' {
		return false
	}
	first := string(head[4:10])
	return first == "\x31\x41\x59\x26\x53\x59" || first == "\x17\x72\x45\x38\x50\x90"
}

// openZstd unpacks in the goroutine that reads: a file has only one reader of
// frames, and cores have other files.
func openZstd(r *bufio.Reader) (io.ReadCloser, error) {
	z, err := zstd.NewReader(r, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxWindow(maxDictionary))
	if err != nil {
		return nil, err
	}
	return z.IOReadCloser(), nil
}

func openXZ(r *bufio.Reader) (io.ReadCloser, error) {
	z, err := xz.NewReader(r, maxDictionary)
	if err != nil {
		return nil, err
	}
	return io.NopCloser(z), nil
}

// packing returns the packer of a file that begins with head, nil if there is none.
func packing(head []byte) *packer {
	for i := range packers {
		if packers[i].is(head) {
			return &packers[i]
		}
	}
	return nil
}

// unpacked is what an archive holds. It makes damage of the unpacker's errors.
type unpacked struct {
	name string
	r    io.ReadCloser
	file *packedFile
	win  *window // which reads this
}

// packedFile is the file that is being unpacked. It remembers why it could not be
// read on: unpackers do not always pass that through.
type packedFile struct {
	r   io.Reader
	err error
}

func (f *packedFile) Read(p []byte) (int, error) {
	n, err := f.r.Read(p)
	if err != nil && err != io.EOF {
		f.err = err
	}
	return n, err
}

// unpack makes w a window on what the archive that it is a window on holds. What w
// has read of that stays in its block, which is never written to again.
func (w *window) unpack(p *packer) (*unpacked, error) {
	u := &unpacked{name: p.name, win: w}
	u.file = &packedFile{r: io.MultiReader(bytes.NewReader(w.buf[w.r:w.w]), w.src)}
	w.begin(u)
	var err error
	if u.r, err = p.open(bufio.NewReaderSize(u.file, 64<<10)); err != nil {
		return nil, u.why(err, 0)
	}
	return u, nil
}

func (u *unpacked) Read(p []byte) (int, error) {
	n, err := u.r.Read(p)
	if err != nil && err != io.EOF {
		err = u.why(err, u.win.base+int64(u.win.w+n))
	}
	return n, err
}

// why tells a damaged archive from a source that cannot be read; off is how many
// bytes were unpacked.
func (u *unpacked) why(err error, off int64) error {
	if u.file.err != nil {
		return u.file.err
	}
	what := "the %s archive is corrupt"
	switch {
	case errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, xz.ErrBuf):
		what = "the %s archive is cut short by the end of the file"
	case errors.Is(err, gzip.ErrHeader), errors.Is(err, zstd.ErrMagicMismatch), errors.Is(err, lz4.ErrInvalidFrame),
		errors.Is(err, xz.ErrFormat), errors.Is(err, errBzip2Magic):
		what = "bytes follow the %[1]s archive that are no %[1]s header"
	case errors.Is(err, zstd.ErrWindowSizeExceeded), errors.Is(err, zstd.ErrDecoderSizeExceeded), errors.Is(err, xz.ErrMemlimit):
		what = fmt.Sprintf("the %%s archive wants more history kept than the limit of %d MiB", maxDictionary>>20)
	case errors.Is(err, xz.ErrUnsupportedCheck), errors.Is(err, xz.ErrOptions), errors.Is(err, zstd.ErrUnknownDictionary):
		what = "the %s archive was made with an option that is not supported"
	}
	return &DamageError{Offset: off, What: fmt.Sprintf(what, u.name)}
}

// errBzip2Magic is what compress/bzip2 says of bytes behind a stream that begin
// no other.
var errBzip2Magic error = bzip2.StructuralError("bad magic value in continuation file")
