package main

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
)

func main() {
	out := flag.String("o", "examples/truck-loading/captures", "folder for the captures of the plant")
	protocols := flag.String("protocols", "testdata/captures", "folder for the captures by protocol")
	flag.Parse()
	err := save(*out, plant)
	if err == nil {
		err = save(*protocols, byProtocol)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "truck-loading:", err)
		os.Exit(1)
	}
}

// captureFile is a capture and the name of its file.
type captureFile struct {
	name string
	data []byte
}

func save(folder string, captures func() ([]captureFile, error)) error {
	files, err := captures()
	if err != nil {
		return err
	}
	for _, f := range files {
		if err := os.WriteFile(filepath.Join(folder, f.name), f.data, 0o644); err != nil {
			return err
		}
	}
	return nil
}
