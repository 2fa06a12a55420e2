package cache

import (
	"crypto/sha256"
	"encoding/hex"
	"io"
	"os"
	"runtime/debug"
)

// Engine names the running program, in a way that changes whenever the program
// does: by the revision that it was built from, or, if it was built from anything
// else than a revision, by the SHA-256 of the executable.
func Engine() (string, error) {
	const digits = 16
	if info, ok := debug.ReadBuildInfo(); ok {
		settings := map[string]string{}
		for _, s := range info.Settings {
			settings[s.Key] = s.Value
		}
		if r := settings["vcs.revision"]; len(r) >= digits && settings["vcs.modified"] == "false" {
			return "r" + r[:digits], nil
		}
	}
	name, err := os.Executable()
	if err != nil {
		return "", err
	}
	f, err := os.Open(name)
	if err != nil {
		return "", err
	}
	defer f.Close()
	h := sha256.New()
	if _, err := io.Copy(h, f); err != nil {
		return "", err
	}
	return "x" + hex.EncodeToString(h.Sum(nil))[:digits], nil
}
