package rules

import (
	"path"
	"slices"
	"strings"

	"bulkhead/capture"
	"bulkhead/model"
)

// assignTaps returns, for each capture, the tap that it was taken at, or nil.
//
// A tap's entry "sha256:…" names a capture by hash. Any other entry is a pattern
// of [path.Match] relative to the model's folder. Since observations may come from
// another machine, a pattern also fits the last elements of a capture's path, as
// many as it has itself, where no pattern fits the whole path. Of several taps the
// first declared wins.
func assignTaps(m *model.Model, captures []capture.Capture) []*model.Tap {
	out := make([]*model.Tap, len(captures))
	folder := path.Dir(slashed(m.Path))
	for i, c := range captures {
		name := path.Clean(slashed(c.Path))
		fits := []func(pattern string) bool{
			func(p string) bool {
				hash, ok := strings.CutPrefix(p, "sha256:")
				return ok && hash == c.SHA256
			},
			func(p string) bool { return matches(path.Join(folder, slashed(p)), name) },
			func(p string) bool { return matches(path.Clean(slashed(p)), tail(name, path.Clean(slashed(p)))) },
		}
		for _, fit := range fits {
			n := slices.IndexFunc(m.Taps, func(t *model.Tap) bool { return slices.ContainsFunc(t.Captures, fit) })
			if n >= 0 {
				out[i] = m.Taps[n]
				break
			}
		}
	}
	return out
}

func matches(pattern, name string) bool {
	ok, err := path.Match(pattern, name)
	return err == nil && ok
}

// tail returns the last elements of name, as many as pattern has.
func tail(name, pattern string) string {
	elements := strings.Split(name, "/")
	n := strings.Count(pattern, "/") + 1
	return strings.Join(elements[max(0, len(elements)-n):], "/")
}

// slashed returns a path of any system with forward slashes.
func slashed(p string) string { return strings.ReplaceAll(p, `\`, "/") }

// tapID returns the ID of the tap that a capture was taken at, or "".
func (s *scene) tapID(capture int) string {
	if t := s.taps[capture]; t != nil {
		return t.ID
	}
	return ""
}

// captureRefs lists the captures by hash.
func (s *scene) captureRefs() []CaptureRef {
	out := make([]CaptureRef, len(s.order))
	for i, c := range s.order {
		out[i] = CaptureRef{Capture: s.obs.Captures[c], Tap: s.tapID(c)}
	}
	return out
}

// oneSided reports whether a tap mirrors one direction only, so that silence there
// means nothing.
func oneSided(t *model.Tap) bool { return t != nil && (t.Direction == "rx" || t.Direction == "tx") }
