package main

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"time"
)

type speedOptions struct {
	rounds int
	frames uint64
	strung strung
}

// tsharkBytes is how much of a capture tshark reads: it takes minutes for more.
const tsharkBytes = 50_000_000

// contender is a command that reads a whole capture.
type contender struct {
	name string
	env  []string
	argv []string // the capture's path stands in for [capturePath]
}

const capturePath = "CAPTURE"

// reference is the contender that all others are multiples of.
const reference = "tcpdump -w /dev/null"

// speed compares bulkhead with its peers on a generated capture and on the corpus
// strung together.
func speed(ctx context.Context, w io.Writer, o speedOptions) (err error) {
	if o.rounds < 1 {
		return fmt.Errorf("-rounds %d: expected 1 or more", o.rounds)
	}
	folder, err := workFolder()
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(folder)) }()
	all, tshark, err := contenders(ctx, w, folder)
	if err != nil {
		return err
	}
	fmt.Fprintf(w, "Machine: %s. Medians of %d rounds, page cache warm.\n", machine(), o.rounds)

	generated := filepath.Join(folder, "generated.pcap")
	began := time.Now()
	m, err := writePlant(generated, o.frames)
	if err != nil {
		return err
	}
	fmt.Fprintf(os.Stderr, "bench: wrote %d frames in %s\n", m.Frames, time.Since(began).Round(100*time.Millisecond))
	if err := compare(ctx, w, fmt.Sprintf("Generated plant, %.1f M frames", float64(m.Frames)/1e6), generated, all, tshark, o.rounds); err != nil {
		return err
	}
	real := filepath.Join(folder, "strung.pcap")
	switch err := o.strung.write(ctx, real); {
	case errors.Is(err, errSkipped):
		fmt.Fprintf(w, "\nReal captures strung together: skipped, %v.\n", err)
		return nil
	case err != nil:
		return err
	}
	return compare(ctx, w, "Real captures strung together", real, all, tshark, o.rounds)
}

// contenders builds what is built here and looks for what may be installed; it
// says what is not. Tshark is apart: it only gets the front of a capture.
func contenders(ctx context.Context, w io.Writer, folder string) (all []contender, tshark *contender, err error) {
	bulkhead, err := build(ctx, folder, "cmd/bulkhead")
	if err != nil {
		return nil, nil, err
	}
	loop, err := build(ctx, folder, "internal/lab/gopacket-loop")
	if err != nil {
		return nil, nil, err
	}
	self, err := os.Executable()
	if err != nil {
		return nil, nil, err
	}
	observe := append([]string{bulkhead, "observe"}, uncached(ctx, bulkhead)...)
	all = []contender{
		{"bulkhead observe", nil, append(slices.Clone(observe), capturePath)},
		{"bulkhead observe, one core", []string{"GOMAXPROCS=1"}, append(slices.Clone(observe), "--jobs", "1", capturePath)},
		{"gopacket, lazy decoding", nil, []string{loop, capturePath}},
		{"plain read", nil, []string{self, "read", capturePath}},
	}
	for _, c := range []contender{
		{reference, nil, []string{"tcpdump", "-r", capturePath, "-w", os.DevNull}},
		{"ndpiReader -q", nil, []string{"ndpiReader", "-q", "-i", capturePath}},
		{"capinfos", nil, []string{"capinfos", capturePath}},
		{"sha256sum", nil, []string{"sha256sum", capturePath}},
		{"tshark -n", nil, []string{"tshark", "-n", "-r", capturePath}},
	} {
		path, err := exec.LookPath(c.argv[0])
		if err != nil {
			fmt.Fprintf(w, "%s is not installed: left out.\n", c.argv[0])
			continue
		}
		c.argv[0] = path
		if filepath.Base(path) == "tshark" {
			tshark = &c
			continue
		}
		all = append(all, c)
	}
	return all, tshark, nil
}

// uncached returns the flag that keeps bulkhead from remembering a capture that it
// has read before, if this bulkhead has it.
func uncached(ctx context.Context, bulkhead string) []string {
	const flag = "--no-cache"
	help, err := exec.CommandContext(ctx, bulkhead, "observe", "--help").Output()
	if err != nil || !bytes.Contains(help, []byte(flag)) {
		return nil
	}
	return []string{flag}
}

// result is how a contender did.
type result struct {
	name string
	took time.Duration // median, likewise cpu
	cpu  time.Duration
	peak int64 // highest
}

// compare runs all contenders on a capture and prints them, fastest first, then
// tshark beside bulkhead on the front of it.
func compare(ctx context.Context, w io.Writer, title, path string, all []contender, tshark *contender, rounds int) error {
	info, err := os.Stat(path)
	if err != nil {
		return err
	}
	results, err := race(ctx, path, all, rounds)
	if err != nil {
		return err
	}
	fmt.Fprintf(w, "\n%s, %.0f MB:\n\n", title, float64(info.Size())/1e6)
	least, err := floor(ctx)
	if err != nil {
		return err
	}
	if err := printResults(w, results, info.Size(), least); err != nil {
		return err
	}
	if tshark == nil {
		return nil
	}
	front := path + ".front"
	size, err := copyFront(front, path, tsharkBytes)
	if err != nil {
		return err
	}
	defer os.Remove(front)
	results, err = race(ctx, front, all[:1], rounds)
	if err != nil {
		return err
	}
	slow, err := race(ctx, front, []contender{*tshark}, 1)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(w, "\nOn its first %.0f MB: bulkhead observe %s, tshark %s (once), %.0f times as long.\n",
		float64(size)/1e6, seconds(results[0].took), seconds(slow[0].took), slow[0].took.Seconds()/results[0].took.Seconds())
	return err
}

// race runs each contender once a round, in turn.
func race(ctx context.Context, path string, all []contender, rounds int) ([]result, error) {
	if err := readAll([]string{path}); err != nil { // into the page cache
		return nil, err
	}
	times, cpus := make([][]time.Duration, len(all)), make([][]time.Duration, len(all))
	results := make([]result, len(all))
	const incomplete = 3 // bulkhead: frames that some limit or damage cost
	for range rounds {
		for i, c := range all {
			argv := slices.Clone(c.argv)
			for n, a := range argv {
				if a == capturePath {
					argv[n] = path
				}
			}
			u, err := process(ctx, nil, nil, c.env, []int{incomplete}, argv...)
			if err != nil {
				return nil, err
			}
			times[i], cpus[i] = append(times[i], u.took), append(cpus[i], u.cpu)
			results[i].name, results[i].peak = c.name, max(results[i].peak, u.peak)
		}
	}
	for i := range results {
		results[i].took, results[i].cpu = median(times[i]), median(cpus[i])
	}
	return results, nil
}

func median(d []time.Duration) time.Duration {
	d = slices.Sorted(slices.Values(d))
	n := len(d)
	return (d[(n-1)/2] + d[n/2]) / 2
}

// printResults prints the table of a race over size bytes, fastest first.
func printResults(w io.Writer, results []result, size, least int64) error {
	var base time.Duration
	for _, r := range results {
		if r.name == reference {
			base = r.took
		}
	}
	slices.SortStableFunc(results, func(a, b result) int { return int(a.took - b.took) })
	rows := [][]string{{"command", "seconds", "× tcpdump", "CPU seconds", "MB/s", "peak MiB"}}
	for _, r := range results {
		multiple := ""
		if base > 0 {
			multiple = fmt.Sprintf("%.2f", r.took.Seconds()/base.Seconds())
		}
		rows = append(rows, []string{r.name, seconds(r.took), multiple, seconds(r.cpu), fmt.Sprintf("%.0f", float64(size)/1e6/r.took.Seconds()),
			mebibytes(r.peak, least)})
	}
	return table(w, 1, rows)
}

func seconds(d time.Duration) string { return fmt.Sprintf("%.2f", d.Seconds()) }

// copyFront copies the frames of a little-endian classic pcap file that fit in
// limit bytes, and returns how many bytes they take.
func copyFront(to, from string, limit int64) (int64, error) {
	in, err := os.Open(from)
	if err != nil {
		return 0, err
	}
	defer in.Close()
	const fileHeader, recordHeader = 24, 16
	end := int64(fileHeader)
	for record := make([]byte, recordHeader); ; {
		if _, err := in.ReadAt(record, end); err != nil {
			break // the file is shorter than the limit
		}
		next := end + recordHeader + int64(binary.LittleEndian.Uint32(record[8:]))
		if next > limit {
			break
		}
		end = next
	}
	out, err := os.Create(to)
	if err != nil {
		return 0, err
	}
	_, err = io.CopyN(out, in, end)
	return end, errors.Join(err, out.Close())
}
