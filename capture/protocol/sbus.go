package protocol

import (
	"encoding/binary"
	"fmt"
	"strconv"

	"bulkhead/capture"
)

// SBus is SAIA's S-Bus in UDP, a telegram a datagram.
//
// Source: SAIA-Burgess Controls 26/739, "Manual SAIA S-Bus" (telegrams, commands,
// CRC); commands of Ether-S-Bus as Wireshark's sbus dissector lists them.
var SBus = &Protocol{
	Name:      capture.SBus,
	Over:      []capture.Transport{capture.UDP},
	Recognise: recogniseSBus,
	New:       func() Decoder { return sbusDecoder{} },
}

const (
	sbusHeader = 9 // length of the whole (4), version, type, sequence number (2), attribute
	sbusCRC    = 2 // at the end
	sbusMax    = 2048

	sbusFirmware = 32
	sbusText     = 9 // octets of a firmware's version
)

// The attributes.
const (
	sbusRequest = iota
	sbusResponse
	sbusAcknowledge
)

// sbusOps are the operations by command. A command that nobody published is
// classed as configure.
var sbusOps = func() (ops [256]Op) {
	for i := range ops {
		ops[i] = Op{capture.SBus, strconv.Itoa(i), fmt.Sprintf("command %d", i), capture.Configure}
	}
	set := func(code int, class capture.Class, name string) { ops[code].Name, ops[code].Class = name, class }
	for i, what := range []string{"counters", "display register", "flags", "inputs", "real time clock", "outputs", "registers", "timers"} {
		set(i, capture.Read, "Read "+what)
	}
	set(10, capture.Write, "Write counters")
	set(11, capture.Write, "Write flags")
	set(12, capture.Configure, "Write real time clock")
	set(13, capture.Write, "Write outputs")
	set(14, capture.Write, "Write registers")
	set(15, capture.Write, "Write timers")
	set(19, capture.Write, "Read/write multi-medias")
	for cpu := range 7 {
		set(20+cpu, capture.Diagnose, fmt.Sprintf("Read PCD status, CPU %d", cpu))
		set(40+cpu, capture.Mode, fmt.Sprintf("Run, CPU %d", cpu))
		set(60+cpu, capture.Mode, fmt.Sprintf("Stop, CPU %d", cpu))
		if cpu > 0 {
			set(49+cpu, capture.Mode, fmt.Sprintf("Restart cold, CPU %d", cpu))
			set(99+cpu, capture.Mode, fmt.Sprintf("Restart warm, CPU %d", cpu))
		}
	}
	set(27, capture.Diagnose, "Read PCD status (own)")
	set(29, capture.Discover, "Read S-Bus station number")
	// User memory is where the program is.
	set(30, capture.Program, "Read user memory")
	set(31, capture.Program, "Read program line")
	set(sbusFirmware, capture.Discover, "Read firmware version")
	set(33, capture.Read, "Read text")
	set(34, capture.Diagnose, "Read active transition")
	set(35, capture.Program, "Write user memory")
	set(36, capture.Program, "Write program line")
	set(37, capture.Write, "Write text")
	set(47, capture.Mode, "Run (own CPU)")
	set(48, capture.Mode, "Run (all CPUs)")
	set(56, capture.Mode, "Restart cold (own CPU)")
	set(57, capture.Mode, "Restart cold (all CPUs)")
	set(67, capture.Mode, "Stop (own CPU)")
	set(68, capture.Mode, "Stop (all CPUs)")
	set(70, capture.Diagnose, "Read arithmetic status and ACCU")
	set(71, capture.Read, "Read byte")
	set(72, capture.Diagnose, "Read halt failure register")
	set(73, capture.Diagnose, "Read index register")
	set(74, capture.Diagnose, "Read instruction pointer")
	set(75, capture.Diagnose, "Find history")
	// What these change is how the program runs, or where.
	set(80, capture.Write, "Write arithmetic status and ACCU")
	set(81, capture.Write, "Write byte")
	set(82, capture.Write, "Write index register")
	set(83, capture.Mode, "Write instruction pointer")
	set(90, capture.Write, "Clear all (flags, outputs, registers, timers)")
	set(91, capture.Write, "Clear flags")
	set(92, capture.Write, "Clear outputs")
	set(93, capture.Write, "Clear registers")
	set(94, capture.Write, "Clear timers")
	set(106, capture.Mode, "Restart warm (own CPU)")
	set(107, capture.Mode, "Restart warm (all CPUs)")
	set(110, capture.Program, "Change block")
	set(111, capture.Configure, "Clear history failure")
	set(112, capture.Program, "Delete program line")
	set(113, capture.Mode, "Go conditional")
	set(114, capture.Program, "Insert program line")
	set(115, capture.Mode, "Local cycles")
	set(116, capture.Mode, "All cycles")
	set(117, capture.Program, "Make text")
	set(118, capture.Mode, "Execute single instruction")
	set(119, capture.Mode, "Single step")
	for i := range 3 {
		set(130+i, capture.Control, fmt.Sprintf("XOB %d interrupt", 17+i))
	}
	set(145, capture.Read, "Read hangup timeout")
	set(150, capture.Read, "Read data block")
	set(151, capture.Write, "Write data block")
	set(152, capture.Program, "Make data block")
	set(153, capture.Program, "Clear data block")
	set(154, capture.Program, "Clear text")
	set(155, capture.Diagnose, "Read block address")
	set(156, capture.Diagnose, "Read block sizes")
	set(157, capture.Diagnose, "Read current block")
	set(158, capture.Diagnose, "Read call stack")
	set(159, capture.Read, "Read DBX")
	set(161, capture.Read, "Read user EEPROM register")
	set(163, capture.Configure, "Write user EEPROM register")
	set(165, capture.Program, "Erase flash")
	set(166, capture.Mode, "Restart cold flag")
	set(167, capture.Configure, "Write system buffer")
	set(168, capture.Read, "Read system buffer")
	set(169, capture.Program, "Read/write block data")
	set(170, capture.Diagnose, "Get diagnostic")
	set(171, capture.Discover, "Read system information")
	set(172, capture.Program, "Change blocks on run")
	set(173, capture.File, "Flashcard telegram")
	set(174, capture.Firmware, "Download firmware")
	set(175, capture.Configure, "Web server serial communication")
	return ops
}()

// recogniseSBus is sure of a telegram, by its length and CRC.
func recogniseSBus(b []byte) Match {
	if !sbusSound(b) {
		return Match{}
	}
	if b[8] == sbusRequest {
		return Match{Score: Sure, Role: Client}
	}
	return Match{Score: Sure, Role: Server}
}

func sbusSound(b []byte) bool {
	n := len(b)
	return n >= sbusHeader+sbusCRC && n <= sbusMax && binary.BigEndian.Uint32(b) == uint32(n) && b[4] <= 1 && b[8] <= sbusAcknowledge &&
		sbusSum(b[:n-sbusCRC]) == binary.BigEndian.Uint16(b[n-sbusCRC:])
}

// sbusSum is the CRC of a telegram: CRC-16 of polynomial 0x1021, begun with 0.
func sbusSum(b []byte) uint16 {
	var sum uint16
	for _, c := range b {
		sum ^= uint16(c) << 8
		for range 8 {
			if sum&0x8000 != 0 {
				sum = sum<<1 ^ 0x1021
			} else {
				sum <<= 1
			}
		}
	}
	return sum
}

// sbusDecoder keeps nothing: a datagram is a telegram.
type sbusDecoder struct{}

// Decode implements [Decoder].
func (sbusDecoder) Decode(x *Exchange, from capture.Side, b []byte) int {
	if !sbusSound(b) {
		x.Undecoded()
		return len(b)
	}
	body := b[sbusHeader : len(b)-sbusCRC]
	key := uint64(binary.BigEndian.Uint16(b[6:]))
	switch b[8] {
	case sbusRequest:
		if len(body) < 2 { // station and command
			x.Undecoded()
			return len(b)
		}
		x.Forget(from, key)
		x.Ask(&sbusOps[body[1]], from, key).Unit(uint16(body[0]))
	case sbusResponse:
		asked := x.Asked(from.Other(), key)
		x.Answer(from, key, true)
		if asked == &sbusOps[sbusFirmware] && len(body) >= 1 && len(body) <= sbusText {
			x.Identity(from, capture.Identity{Vendor: "SAIA", Firmware: string(untilNUL(body)), Source: string(capture.SBus)})
		}
	case sbusAcknowledge:
		if len(body) < 2 {
			x.Undecoded()
			return len(b)
		}
		x.Answer(from, key, binary.BigEndian.Uint16(body) == 0)
	}
	return len(b)
}
