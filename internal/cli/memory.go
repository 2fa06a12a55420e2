package cli

import (
	"math"
	"os"
	"runtime/debug"
)

// memoryGoal is what Go's memory is to stay below while captures are read, so that
// with the program itself it is below 256 MiB.
const memoryGoal = 192 << 20

// collectAt is by how many percent what lives may grow before garbage is
// collected, while that is far below memoryGoal: the engine makes little garbage,
// and looking for it takes time from reading.
const collectAt = 400

// boundMemory makes the garbage collector keep to memoryGoal until the function
// that it returns is called. The engine's tables have bounds of their own; left
// alone, Go lets what is garbage grow to as much again before it collects. It is a
// goal only while captures are read: judging a million conversations takes more,
// and a collector that holds out against memory in use costs time and frees none.
//
// Whoever sets GOMEMLIMIT or GOGC knows better, and is left to.
func boundMemory() (release func()) {
	if os.Getenv("GOMEMLIMIT") != "" || os.Getenv("GOGC") != "" || debug.SetMemoryLimit(-1) != math.MaxInt64 {
		return func() {}
	}
	debug.SetMemoryLimit(memoryGoal)
	percent := debug.SetGCPercent(collectAt)
	return func() {
		debug.SetMemoryLimit(math.MaxInt64)
		debug.SetGCPercent(percent)
	}
}
