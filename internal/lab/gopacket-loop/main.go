package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/google/gopacket"
	"github.com/google/gopacket/pcapgo"
)

func main() {
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "usage: gopacket-loop CAPTURE.pcap")
		os.Exit(2)
	}
	if err := run(os.Args[1], os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "gopacket-loop:", err)
		os.Exit(1)
	}
}

// flow is a pair of addresses and, if there is one, of ports.
type flow struct {
	network, transport gopacket.Flow
}

type volume struct{ packets, bytes uint64 }

// run counts the packets of the capture at path and writes the sums to w.
func run(path string, w io.Writer) error {
	file, err := os.Open(path)
	if err != nil {
		return err
	}
	defer file.Close()
	r, err := pcapgo.NewReader(bufio.NewReaderSize(file, 1<<20))
	if err != nil {
		return err
	}
	options := gopacket.DecodeOptions{Lazy: true, NoCopy: true}
	link := r.LinkType()
	flows := map[flow]volume{}
	var total volume
	for {
		data, info, err := r.ZeroCopyReadPacketData()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return err
		}
		var f flow
		p := gopacket.NewPacket(data, link, options)
		if n := p.NetworkLayer(); n != nil {
			f.network = n.NetworkFlow()
			if t := p.TransportLayer(); t != nil {
				f.transport = t.TransportFlow()
			}
		}
		v := flows[f]
		v.packets++
		v.bytes += uint64(info.Length)
		flows[f] = v
		total.packets++
		total.bytes += uint64(info.Length)
	}
	_, err = fmt.Fprintf(w, "%d packets, %d bytes, %d flows\n", total.packets, total.bytes, len(flows))
	return err
}
