package cli

import (
	"fmt"
	"io"
	"os"

	"golang.org/x/term"
)

// showProgress returns a function that rewrites one line on w with how far reading
// captures came, and one that clears the line. Both do nothing unless w is a
// terminal.
func showProgress(w io.Writer) (tell func(read, total int64, frames uint64), clear func()) {
	f, ok := w.(*os.File)
	if !ok || !term.IsTerminal(int(f.Fd())) {
		return nil, func() {}
	}
	tell = func(read, total int64, frames uint64) {
		share := ""
		if total > 0 {
			share = fmt.Sprintf("%d %% of ", min(read*100/total, 100))
		}
		fmt.Fprintf(w, "\r\x1b[Kreading captures: %s%d MB, %d frames", share, max(read, total)/1e6, frames)
	}
	return tell, func() { fmt.Fprint(w, "\r\x1b[K") }
}
