package stream

import "testing"

// What is given back is had again, is as large as was asked for, and what lies
// idle is bounded.
func TestBudgetBuffers(t *testing.T) {
	const room = 4 << 20
	b := NewBudget(room)
	for _, n := range []int{1, 63, 64, 65, 1460, 4096, 65535, 65536, 65537, 300_000} {
		buf := b.buffer(n)
		if len(buf) != 0 || cap(buf) < n || room-b.left != cap(buf) {
			t.Errorf("a buffer for %d: length %d, capacity %d, charged %d", n, len(buf), cap(buf), room-b.left)
		}
		buf = append(buf, 1)
		b.giveBuffer(buf)
		if b.left != room {
			t.Errorf("a buffer for %d: %d bytes never came back", n, room-b.left)
		}
		again := b.buffer(n)
		if len(again) != 0 || n <= maxBuffer && &again[:1][0] != &buf[0] {
			t.Errorf("a buffer for %d is not used again", n)
		}
		b.giveBuffer(again)
	}
	if b.buffer(room+1) != nil || !b.Refused() {
		t.Error("a buffer larger than the budget was had")
	}
	var held [][]byte
	for buf := b.buffer(maxBuffer); buf != nil; buf = b.buffer(maxBuffer) {
		held = append(held, buf)
	}
	if len(held) != room/maxBuffer {
		t.Errorf("%d buffers of %d bytes, want %d", len(held), maxBuffer, room/maxBuffer)
	}
	for _, buf := range held {
		b.giveBuffer(buf)
	}
	if b.left != room || b.idle > maxIdle {
		t.Errorf("%d bytes never came back, %d lie idle", room-b.left, b.idle)
	}
}

// A queue that the budget has no room for is had all the same, and told.
func TestBudgetQueues(t *testing.T) {
	b := NewBudget(minQueue * pieceSize)
	q, paid := b.queue(minQueue)
	more, paidMore := b.queue(2 * minQueue)
	if cap(q) != minQueue || !paid || cap(more) != 2*minQueue || paidMore || !b.Refused() {
		t.Errorf("queues of %d (paid %v) and %d (paid %v), refused %v", cap(q), paid, cap(more), paidMore, b.Refused())
	}
	if b.Take(1) {
		t.Error("a byte was had of an overdrawn budget")
	}
	b.giveQueue(more)
	b.giveQueue(append(q, piece{data: []byte{1}}))
	if b.left != minQueue*pieceSize {
		t.Errorf("%d bytes never came back", minQueue*pieceSize-b.left)
	}
	if q, _ = b.queue(minQueue); len(q) != 0 || q[:1][0].data != nil {
		t.Error("a queue used again still holds what it held")
	}
}
