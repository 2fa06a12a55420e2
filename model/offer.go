package model

import (
	"fmt"
	"strings"

	"bulkhead/capture"
	"bulkhead/zones"
)

// Offers returns what an asset may serve, in the order declared; ok is false if
// the model gives no list. An empty list says that it may serve nothing.
func (m *Model) Offers(a *zones.Asset) (offers []Offer, ok bool) {
	if a.Services == nil {
		return nil, false
	}
	offers, ok = m.offers[a]
	return offers, ok
}

// parseOffer reads the name of a protocol, or a transport and port such as
// tcp/9600.
func parseOffer(s string) (Offer, error) {
	if strings.Contains(s, "/") {
		service, err := capture.ParseService(s)
		if err != nil {
			return Offer{}, err
		}
		return Offer{Service: &service}, nil
	}
	p := capture.Protocol(s)
	if p.Info() == nil {
		return Offer{}, fmt.Errorf("%q is neither a protocol nor a transport and port such as tcp/9600", s)
	}
	return Offer{Protocol: p}, nil
}
