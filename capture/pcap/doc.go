// Package pcap reads and writes capture files: pcap in its byte orders, time
// resolutions and modified variants, and pcapng with any number of sections and
// interfaces; either may be packed with gzip.
//
// [NewReader] tells the format by the file's first bytes, never by its name.
// [Reader.Next] hands out one [Frame] after the other without allocating; a
// frame's bytes are valid until the next call.
//
// Files are hostile input: the reader never believes a length before it has
// compared it with a limit, and damage is an error value with the offset at
// which it was found, after all frames in front of it.
//
// # Limits
//
// A Reader holds one buffer of 1 MiB (and gzip's 32 KiB) whatever the file
// claims, and a table of at most 65,536 interfaces a section. A frame's Data is
// at most [MaxFrame] bytes, 256 KiB, libpcap's and Wireshark's own limit. What a
// pcap record claims above it is damage, except on the link types for which
// those two allow 128 MiB (D-Bus, USB, EBHSCR): there, and in a pcapng block
// that is otherwise sound, the first 256 KiB are handed out and the rest is
// skipped. A pcapng block above 128 MiB and a little is damage.
//
// # Damage
//
// A pcap file has no marks to find the next record by, so reading ends at the
// first damage. In pcapng a block whose two lengths agree but whose content is
// wrong costs that block only, and a section of an unknown version that section.
// If the lengths disagree, reading goes on at the
// next section, where the Section Header Block said that it starts; without such
// a length (most files) it ends. Searching the bytes for something that looks
// like a section header would be easy and wrong: a capture may carry a capture
// as payload, and frames of that must not become evidence. After 64 damaged
// blocks a file is given up.
//
// # Frame numbers
//
// Numbers are Wireshark's, so that a number in a finding can be typed into it.
// Wireshark also numbers pcapng records that hold no packet: systemd journal
// entries, Sysdig events and custom blocks. They are no frames here, but they
// take a number: the numbers then have gaps, and the last one is above the
// number of packets that capinfos counts. A damaged packet block takes a number
// too; Wireshark stops there.
//
// Sources: draft-ietf-opsawg-pcap, draft-ietf-opsawg-pcapng and
// draft-ietf-opsawg-pcaplinktype; for the modified variants, which no document
// describes, what libpcap's sf-pcap.c and Wireshark's libpcap.c say of them.
package pcap
