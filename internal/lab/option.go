package lab

// Option changes how a message travels or how it is answered.
type Option func(*how)

type how struct {
	split      int    // longest segment; 0 for the MSS
	repeated   bool   // the last segment is sent again
	missed     bool   // no tap records it
	refused    bool   // the server answers with an error
	code       uint32 // of that error
	unanswered bool   // the server does not answer
}

func options(list []Option) how {
	var h how
	for _, o := range list {
		o(&h)
	}
	return h
}

// Split cuts messages into segments of at most n bytes.
func Split(n int) Option { return func(h *how) { h.split = n } }

// Repeated sends the last segment of each message twice, as a retransmission.
func Repeated() Option { return func(h *how) { h.repeated = true } }

// Missed keeps the messages from every tap: they arrive, and the capture does
// not hold them.
func Missed() Option { return func(h *how) { h.missed = true } }

// Refused makes the server answer with an error of the protocol's own: a Modbus
// exception code, an S7 or CIP status, DNP3 internal indications, an OPC UA
// status code, an HTTP or FTP reply code.
func Refused(code uint32) Option {
	return func(h *how) { h.refused, h.code = true, code }
}

// Unanswered makes the server say nothing.
func Unanswered() Option { return func(h *how) { h.unanswered = true } }
