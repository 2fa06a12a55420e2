package capture

import (
	"cmp"
	"slices"
)

// Sort puts o in the one order that outputs use: captures by SHA-256, then
// conversations and endpoints by capture and their keys. It renumbers the
// capture indexes to match.
func (o *Observations) Sort() {
	order := make([]int, len(o.Captures))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int {
		return cmp.Or(cmp.Compare(o.Captures[a].SHA256, o.Captures[b].SHA256), cmp.Compare(o.Captures[a].Path, o.Captures[b].Path))
	})
	moved := make([]int, len(order))
	captures := make([]Capture, len(order))
	for to, from := range order {
		moved[from] = to
		captures[to] = o.Captures[from]
	}
	o.Captures = captures
	for i := range o.Conversations {
		o.Conversations[i].Capture = moved[o.Conversations[i].Capture]
	}
	for i := range o.Folded {
		o.Folded[i].Capture = moved[o.Folded[i].Capture]
	}
	for i := range o.Endpoints {
		o.Endpoints[i].Capture = moved[o.Endpoints[i].Capture]
	}
	SortConversations(o.Conversations)
	slices.SortFunc(o.Folded, compareFolded)
	slices.SortFunc(o.Endpoints, compareEndpoints)
}

// SortConversations sorts a list as [Observations.Sort] does. Conversations are
// large, so that each is moved once, and none if the list is sorted.
func SortConversations(list []Conversation) {
	sorted := true
	for i := 1; i < len(list) && sorted; i++ {
		sorted = list[i-1].Compare(&list[i]) <= 0
	}
	if sorted {
		return
	}
	order := make([]int, len(list))
	for i := range order {
		order[i] = i
	}
	slices.SortFunc(order, func(a, b int) int { return cmp.Or(list[a].Compare(&list[b]), cmp.Compare(a, b)) })
	for i, from := range order {
		if from == i || from < 0 {
			continue
		}
		// The conversations of one cycle, each to where it belongs.
		first, at := list[i], i
		for from != i {
			list[at], order[at] = list[from], -1
			at, from = from, order[from]
		}
		list[at], order[at] = first, -1
	}
}

// Compare orders conversations by their keys, as [Observations.Sort] does.
func (a *Conversation) Compare(b *Conversation) int {
	return cmp.Or(
		cmp.Compare(a.Capture, b.Capture),
		cmp.Compare(a.Tunnel, b.Tunnel),
		cmp.Compare(a.VLAN, b.VLAN),
		comparePeers(a.Client, b.Client),
		comparePeers(a.Server.Peer, b.Server.Peer),
		cmp.Compare(a.Transport, b.Transport),
		cmp.Compare(a.Server.Port, b.Server.Port),
		cmp.Compare(a.Protocol, b.Protocol),
	)
}

func compareFolded(a, b Folded) int {
	return cmp.Or(
		cmp.Compare(a.Capture, b.Capture),
		cmp.Compare(a.Tunnel, b.Tunnel),
		a.Client.Compare(b.Client),
		a.Server.Compare(b.Server),
		cmp.Compare(a.Transport, b.Transport),
		cmp.Compare(a.Port, b.Port),
	)
}

func compareEndpoints(a, b Endpoint) int {
	return cmp.Or(
		cmp.Compare(a.Capture, b.Capture),
		cmp.Compare(a.VLAN, b.VLAN),
		comparePeers(Peer{a.IP, a.MAC}, Peer{b.IP, b.MAC}),
	)
}

func comparePeers(a, b Peer) int {
	return cmp.Or(a.IP.Compare(b.IP), slices.Compare(a.MAC[:], b.MAC[:]))
}

// Merge returns the union of what its arguments show. A capture that several of
// them hold, by SHA-256, is taken from the first. Merge is associative,
// commutative and idempotent up to the paths under which equal captures were
// read. Its arguments stay as they are.
func Merge(parts ...*Observations) *Observations {
	var captures, conversations, folded, endpoints int
	for _, part := range parts {
		captures, conversations = captures+len(part.Captures), conversations+len(part.Conversations)
		folded, endpoints = folded+len(part.Folded), endpoints+len(part.Endpoints)
	}
	out := &Observations{
		Schema:        Schema,
		Captures:      make([]Capture, 0, captures),
		Conversations: make([]Conversation, 0, conversations),
		Folded:        make([]Folded, 0, folded),
		Endpoints:     make([]Endpoint, 0, endpoints),
	}
	seen := make(map[string]bool)
	for _, part := range parts {
		moved := make([]int, len(part.Captures))
		for i, c := range part.Captures {
			if seen[c.SHA256] {
				moved[i] = -1
				continue
			}
			seen[c.SHA256] = true
			moved[i] = len(out.Captures)
			out.Captures = append(out.Captures, c)
		}
		for _, c := range part.Conversations {
			if c.Capture = moved[c.Capture]; c.Capture >= 0 {
				out.Conversations = append(out.Conversations, c)
			}
		}
		for _, f := range part.Folded {
			if f.Capture = moved[f.Capture]; f.Capture >= 0 {
				out.Folded = append(out.Folded, f)
			}
		}
		for _, e := range part.Endpoints {
			if e.Capture = moved[e.Capture]; e.Capture >= 0 {
				out.Endpoints = append(out.Endpoints, e)
			}
		}
	}
	out.Sort()
	return out
}
