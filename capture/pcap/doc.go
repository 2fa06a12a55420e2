// Package pcap reads capture files and writes pcapng. It reads pcap in its byte
// orders, time resolutions and modified variants, pcapng with any number of
// sections and interfaces, Solaris's snoop and Endace's ERF; each may be packed
// with gzip, zstd, lz4, xz or bzip2.
//
// [NewReader] tells the format by the file's first bytes, never by its name.
// [Reader.Next] hands out one [Frame] after the other without allocating. A
// frame's bytes are valid until the next call, or as long as the [Block] that they
// lie in is kept: that is how frames go to other goroutines without being copied.
// A source that implements [BlockReader] keeps blocks as well, and sees each byte
// of the file once, in order.
//
// Files are hostile input: the reader never believes a length before it has
// compared it with a limit, and damage is an error value with the offset at
// which it was found, after all frames in front of it.
//
// # Limits
//
// A Reader holds one block of 516 KiB, up to 16 more that were kept and came back,
// and those that are kept still, whatever the file claims; how many are kept is up
// to those who keep them. Beside that a pcapng section has a table of at most
// 1,048,576 interfaces, 48 MiB.
//
// A frame's Data is at most [MaxFrame] bytes, 256 KiB, libpcap's and Wireshark's
// own limit. What a pcap record claims above it is damage, except on the link types
// for which those two allow 128 MiB (D-Bus, USB, EBHSCR): there, and in a pcapng
// block that is otherwise sound, the first 256 KiB are handed out and the rest is
// skipped. A pcapng block above 128 MiB and a little is damage. Neither snoop nor
// ERF can say more.
//
// # Packed files
//
// Archives are unpacked as they are read, so that it does not matter how much comes
// out of them; several that follow each other unpack to what they hold, joined.
// Unpacking takes 64 KiB for the file and at most: gzip 64 KiB; lz4 17 MiB; bzip2 4
// MiB; zstd and xz the history that the archive wants kept, for which it is refused
// above 64 MiB, and 2 MiB. That limit is what xz -9 and zstd -21 need; zstd -22 and
// --long want more. Bytes behind an archive that begin no other are damage, behind
// all frames (but 1 to 3 bytes behind a zstd archive pass unnoticed). An archive in
// an archive is not read. Offsets are those in the unpacked file.
//
// # Damage
//
// A pcap, snoop or ERF file has no marks to find the next record by, so reading ends
// at the first damage. Tools that repair such files (pcapfix, Wireshark's authors
// recommend it) try every offset for something that looks like a record header,
// which brings frames back and may make some up; an assessor can run one, and then
// knows that he did. Two pcap or snoop files that were simply joined are damage
// where the second begins: the way to join captures is mergecap. ERF and pcapng
// files may be joined.
//
// In pcapng a block whose two lengths agree but whose content is wrong costs that
// block only, a section of an unknown version that section.
//
// If a block's lengths disagree or cannot be, its end is not known. Reading then
// goes on at the first place, in steps of 4 bytes and within 16 MiB, where a run of
// sound blocks begins: of known types, lengths and trailers equal, and what they
// say they captured inside them. As a capture may carry a capture as payload, and
// frames of that must not become evidence,
//
//   - the run must be longer than 260 KiB, and so than any frame, or end exactly
//     where the file ends, which nothing inside a frame can, since the frame's
//     own block ends behind it;
//   - it must begin with an Enhanced Packet Block, of which the first four of the run
//     name interfaces that the section described before the damage and times within
//     a day of the last packet and each other; or with a Section Header Block;
//   - the search ends at the first thing that may be a section header: packets
//     behind it would be read with the wrong section's interfaces.
//
// Interfaces described behind skipped bytes are not used, since one before them
// may be lost and with it their numbers. The damage says how many bytes were skipped.
// If there is no such place, reading goes on where the section's header said that the
// next one begins, if it did, else it ends, also after 64 damaged blocks.
//
// The rule's limits: what lies less than 260 KiB in front of the end is lost if the
// file is also cut there; so is what follows damage that moved it by other than a
// multiple of 4 bytes. It can be mistaken if a frame or an unknown block above 256
// KiB carries a capture and has its own lengths damaged; if the file's last frame
// does, and the file is cut inside it exactly where a block of that capture ends; and
// if damage wiped out the header of a section whole, whose packets are then read
// with the interfaces of the section before.
//
// # Frame numbers
//
// Numbers are Wireshark's, so that a number in a finding can be typed into it.
// Wireshark also numbers records that hold no packet: in pcapng systemd journal
// entries, Sysdig events and custom blocks, in ERF metadata and counters. They are
// no frames here, but they take a number: the numbers then have gaps, and the last
// one may be above the number of packets that capinfos counts. A damaged packet
// block takes a number too; Wireshark stops there. Blocks in skipped bytes take none.
//
// # What is not handed on
//
// Secrets (keys of TLS, SSH, WireGuard and ZigBee in Decryption Secrets Blocks) and
// names (Name Resolution Blocks) are passed over. So are counts of lost packets
// (pcapng's Interface Statistics Blocks, snoop's and ERF's counters) and the number
// of the interface that saw a frame.
//
// Sources: draft-ietf-opsawg-pcap, draft-ietf-opsawg-pcapng and
// draft-ietf-opsawg-pcaplinktype, RFC 1761 (snoop), Endace's ERF Types Reference;
// for the variants of pcap, which no document describes, what libpcap's sf-pcap.c
// and Wireshark's libpcap.c say of them.
package pcap
