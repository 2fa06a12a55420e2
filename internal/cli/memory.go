package cli

import (
	"math"
	"os"
	"runtime/debug"
)

// memoryGoal is what reading captures is to take, beyond what is mapped of them.
const memoryGoal = 256 << 20

// boundMemory makes the garbage collector keep to memoryGoal until the function
// that it returns is called. The engine's tables have bounds of their own; left
// alone, Go lets what is garbage grow to as much again before it collects. It is a
// goal only while captures are read: judging a million conversations takes more,
// and a collector that holds out against memory in use costs time and frees none.
//
// Whoever sets GOMEMLIMIT knows better, and is left to.
func boundMemory() (release func()) {
	if os.Getenv("GOMEMLIMIT") != "" || debug.SetMemoryLimit(-1) != math.MaxInt64 {
		return func() {}
	}
	debug.SetMemoryLimit(memoryGoal)
	return func() { debug.SetMemoryLimit(math.MaxInt64) }
}
