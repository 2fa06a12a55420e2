// Command bulkhead holds a plant's declared zones and conduits against what its
// network taps saw. See package internal/cli for what it does.
package main

import (
	"os"

	"bulkhead/internal/cli"
)

func main() { os.Exit(cli.Run(os.Args[1:], os.Stdout, os.Stderr)) }
