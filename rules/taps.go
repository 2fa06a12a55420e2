package rules

import (
	"bulkhead/capture"
	"bulkhead/model"
)

// assignTaps returns, for each capture, the tap that it was taken at, or nil.
func assignTaps(m *model.Model, captures []capture.Capture) []*model.Tap {
	out := make([]*model.Tap, len(captures))
	for i, c := range captures {
		out[i] = m.TapFor(c.Path, c.SHA256)
	}
	return out
}

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
